"""What the schemas of a bundle say beyond their grammar: how IDs begin, what values look like.

Everything here is learned from the bundle itself, from its patterns, descriptions and examples, so
that a family that is added to the spec gets plausible answers without a line of code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from .dialect import Dialect
from .json_values import is_array, is_object, json_type
from .validation import find_engine

if TYPE_CHECKING:
    from .routing import Router
    from .validation import Check

Node = Mapping[str, Any]

_PATTERN_PREFIX: Final = re.compile(r"\^?\(?([a-z][a-z0-9]*(?:_[a-z0-9]+)*_)")
_NAMED_PREFIX: Final = re.compile(r"`([a-z][a-z0-9]*(?:_[a-z]+)*)_(?:…|\.\.\.)")
_LIKE_ID: Final = re.compile(r"([a-z]+(?:_[a-z]+)*)_(?=[0-9A-Za-z]*[0-9A-Z])[0-9A-Za-z]{6,}")
_FLAG: Final = re.compile(r"`([a-z0-9-]+-\d{4}-\d{2}-\d{2})`")
_KEPT_VALUES: Final = 12
_ENDLESS: Final = 1_000
_UNTYPED: Final[Node] = {}


class SchemaFacts:
    """Knows the response schemas of one bundle; has no state that answers depend on."""

    def __init__(self, router: Router, components: Mapping[str, Node], betas: Node) -> None:
        self._router = router
        self.components = components
        self._dialect = Dialect(components, strict=False)
        self._compile = find_engine()
        self._checks: dict[int, Check] = {}
        self._flat: dict[int, Node] = {}
        self._shapes = frozenset(
            flag for flag, facts in betas.items() if facts.get("selects_shape") is True
        )

    def resolve(self, node: Node) -> tuple[Node, str | None]:
        """Return what a schema means, its ``allOf`` merged, and the component it is."""
        name: str | None = None
        while "$ref" in node:
            name = str(node["$ref"]).rpartition("/")[2]
            node = self.components[name]
        if "allOf" not in node:
            return node, name
        # Kept by identity: the bundle lives as long as its facts.
        merged = self._flat.get(id(node))
        if merged is None:
            merged = self._flat[id(node)] = self._merge(node)
        return merged, name

    def _merge(self, node: Node) -> Node:
        merged: dict[str, Any] = {key: value for key, value in node.items() if key != "allOf"}
        for part in node["allOf"]:
            for key, value in self.resolve(part)[0].items():
                if key == "properties":
                    merged[key] = {**value, **merged.get(key, {})}
                elif key == "required":
                    merged[key] = list(dict.fromkeys([*merged.get(key, ()), *value]))
                else:
                    merged.setdefault(key, value)
        return merged

    def kinds(self, node: Node) -> list[str]:
        """Return the JSON types that a schema lets through."""
        return self._dialect.types(node)

    def fits(self, node: Node, value: object) -> bool:
        """Return whether a value is valid against a schema that is part of the bundle."""
        check = self._checks.get(id(node))
        if check is None:
            check = self._checks[id(node)] = self._compile(self._dialect.document(node))
        return next(iter(check(value)), None) is None

    def shape_flags(self, node: Node) -> frozenset[str]:
        """Return the flags of older shapes that a property is a part of, by its description."""
        named = _FLAG.findall(str(node.get("description", ""))) if self._shapes else ()
        return self._shapes.intersection(named)

    def height(self, node: Node) -> int:
        """Return how many levels of required parts a schema has at least."""
        return self._height(node, self._heights)

    @cached_property
    def _heights(self) -> dict[str, int]:
        heights = dict.fromkeys(self.components, _ENDLESS)
        changed = True
        while changed:
            changed = False
            for name, node in self.components.items():
                height = self._height(node, heights)
                if height < heights[name]:
                    heights[name] = height
                    changed = True
        return heights

    def _height(self, node: Node, heights: Mapping[str, int]) -> int:
        if "$ref" in node:
            return heights[str(node["$ref"]).rpartition("/")[2]]
        node = self.resolve(node)[0]
        variants: list[Node] = node.get("oneOf") or node.get("anyOf") or []
        if variants:
            return min(self._height(variant, heights) for variant in variants)
        declared = node.get("type")
        if is_array(declared) and "null" in declared:
            return 0
        if node.get("minItems", 0) > 0:
            return 1 + self._height(node.get("items", _UNTYPED), heights)
        properties: Mapping[str, Node] = node.get("properties", {})
        below = [
            self._height(properties[name], heights)
            for name in node.get("required", ())
            if name in properties
        ]
        return 1 + max(below) if below else 0

    def prefix(self, node: Node, component: str | None, name: str) -> str | None:
        """Return how the IDs in a string property begin, without the underscore; None: no ID.

        Told by the pattern, the description, the examples, and last by the property's name.
        """
        pattern = _PATTERN_PREFIX.match(str(node.get("pattern", "")))
        if pattern is not None:
            return pattern[1].rstrip("_")
        described = _NAMED_PREFIX.search(str(node.get("description", "")))
        if described is not None and (name == "id" or name.endswith(("_id", "_ids"))):
            return described[1]
        for value in self.seen.get((component or "", name), ()):
            found = _LIKE_ID.fullmatch(value)
            if found is not None:
                return found[1]
        if (component or "", name) in self.seen or node.get("format") is not None:
            return None
        if name == "id":
            return self._kind(component)
        if name.endswith(("_id", "_ids")):
            stem = name.rpartition("_")[0]
            return self._prefix_by_kind.get(stem, stem)
        return None

    def _kind(self, component: str | None) -> str:
        """Return what an object calls itself: its ``type``, or the component's name."""
        node = self.components.get(component or "", _UNTYPED)
        kind: object = node.get("properties", {}).get("type", _UNTYPED).get("const")
        if isinstance(kind, str):
            return kind.removesuffix("_deleted")
        words = re.findall(r"[A-Z]+(?=[A-Z][a-z]|$)|[A-Z][a-z0-9]*", component or "")
        return "_".join(word.lower() for word in words[-2:]) or "obj"

    @cached_property
    def _prefix_by_kind(self) -> dict[str, str]:
        """How IDs begin by the ``type`` of the objects that have them as ``id``."""
        prefixes: dict[str, str] = {}
        for name, node in self.components.items():
            kind: object = node.get("properties", {}).get("type", _UNTYPED).get("const")
            identifier: Node | None = node.get("properties", {}).get("id")
            if isinstance(kind, str) and identifier is not None and "$ref" not in identifier:
                prefix = self.prefix(identifier, name, "id")
                if prefix is not None:
                    prefixes.setdefault(kind, prefix)
        return prefixes

    @cached_property
    def seen(self) -> Mapping[tuple[str, str], list[str]]:
        """Strings of the examples, by component and property."""
        seen: dict[tuple[str, str], list[str]] = {}
        for operation in self._router.operations.values():
            schema = operation.answers.get("application/json")
            for example in operation.examples if schema is not None else ():
                for key, text in self._strings(schema or {}, example.answer, None, ""):
                    values = seen.setdefault(key, [])
                    if text not in values and len(values) < _KEPT_VALUES:
                        values.append(text)
        return seen

    def _strings(
        self, node: Node, value: object, component: str | None, name: str
    ) -> Iterator[tuple[tuple[str, str], str]]:
        node, own = self.resolve(node)
        if isinstance(value, str):
            yield (component or "", name), value
        elif is_array(value):
            for element in value if "items" in node else ():
                yield from self._strings(node["items"], element, component, name)
        elif is_object(value):
            member = self.member(node, value)
            if member is not None:
                yield from self._strings(member, value, component, name)
            properties: Mapping[str, Node] = node.get("properties", {})
            for key, below in value.items():
                if key in properties:
                    yield from self._strings(properties[key], below, own or component, key)

    def member(self, node: Node, value: object) -> Node | None:
        """Return the union member that a value belongs to, or None."""
        discriminator = node.get("discriminator")
        if discriminator is not None:
            if not is_object(value):
                return None
            tag = value.get(discriminator["propertyName"])
            default = discriminator.get("x-default-mapping")
            target = default if tag is None else discriminator["mapping"].get(tag)
            return None if target is None else {"$ref": target}
        kind = json_type(value)
        variants: list[Node] = node.get("oneOf") or node.get("anyOf") or []
        for variant in variants:
            kinds = self.kinds(variant)
            if kind in kinds or (kind == "integer" and "number" in kinds):
                return variant
        return None
