"""Parts of a request that only a beta flag or an older API version opens.

Walks a valid body beside its schema and looks at ``x-beta``, ``x-enum`` and ``x-api-version``.
Only types from which something gated can be reached are entered, so a long conversation of plain
text costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .dialect import Dialect
from .exchange import RefusedError
from .json_values import is_array, is_object, json_type
from .routing import required_flags

Node = Mapping[str, Any]

_GATES: Final = ("x-beta", "x-api-version")
_WITHIN: Final = "x-api-version-within"


class Gatekeeper:
    """Knows the gated parts of one bundle's schemas."""

    def __init__(self, components: Mapping[str, Any]) -> None:
        self._components = components
        self._dialect = Dialect(components, strict=False)
        self._worth_entering = _reaching_a_gate(components)

    def check(self, schema: Node, body: Any, *, flags: frozenset[str], version: str) -> None:
        """Refuse what the flags and the version of the request do not open.

        An explicit null counts as not given.

        Raises:
            RefusedError: 400 with the path of the first such part.
        """
        for path, gate, model in self._walk(schema, body, (), ""):
            complaint = closed(gate, flags, version, model)
            if complaint:
                where = ".".join(str(step) for step in path) or "body"
                raise RefusedError(400, f"{where}: {complaint}")

    def _walk(
        self, node: Node, value: Any, path: tuple[str | int, ...], model: str
    ) -> Iterator[tuple[tuple[str | int, ...], Node, str]]:
        """Yield every gate on the way, with its path and the model that it is about."""
        if is_object(value):
            named = value.get("model")
            model = named if isinstance(named, str) else model
        if any(key in node for key in _GATES):
            yield path, node, model
        for place, bounds in node.get(_WITHIN, {}).items():
            for found in self._places(node, value, path, place.split(".")):
                yield found, {"x-api-version": bounds}, model
        if "$ref" in node:
            name = str(node["$ref"]).rpartition("/")[2]
            if name in self._worth_entering:
                yield from self._walk(self._components[name], value, path, model)
            return
        if isinstance(value, str):
            entry: Node = node.get("x-enum", {}).get(value, {})
            if any(key in entry for key in _GATES):
                yield path, entry, model
        elif is_array(value) and "items" in node:
            for index, element in enumerate(value):
                yield from self._walk(node["items"], element, (*path, index), model)
        elif is_object(value):
            properties: Mapping[str, Node] = node.get("properties", {})
            rest = node.get("additionalProperties")
            for key, element in value.items():
                below = properties.get(key, rest)
                if is_object(below) and element is not None:
                    yield from self._walk(below, element, (*path, key), model)
        for part in node.get("allOf", ()):
            yield from self._walk(part, value, path, model)
        member = self._member(node, value)
        if member is not None:
            yield from self._walk(member, value, path, model)

    def _places(
        self, node: Node, value: Any, path: tuple[str | int, ...], steps: list[str]
    ) -> Iterator[tuple[str | int, ...]]:
        """Yield where a path of tags and properties leads, through lists and unions."""
        if "$ref" in node:
            node = self._components[str(node["$ref"]).rpartition("/")[2]]
        if is_array(value) and "items" in node:
            for index, element in enumerate(value):
                yield from self._places(node["items"], element, (*path, index), steps)
        elif "discriminator" not in node and (member := self._member(node, value)) is not None:
            yield from self._places(member, value, path, steps)
        elif not steps:
            yield path
        elif not is_object(value):
            return
        elif "discriminator" in node:
            member = self._member(node, value)
            if member is not None and value.get(node["discriminator"]["propertyName"]) == steps[0]:
                yield from self._places(member, value, path, steps[1:])
        elif value.get(steps[0]) is not None:
            below = node["properties"][steps[0]]
            yield from self._places(below, value[steps[0]], (*path, steps[0]), steps[1:])

    def _member(self, node: Node, value: Any) -> Node | None:
        """Return the union member that a valid value belongs to."""
        if "discriminator" in node:
            discriminator = node["discriminator"]
            tag = value.get(discriminator["propertyName"]) if is_object(value) else None
            default = discriminator.get("x-default-mapping")
            target = discriminator["mapping"].get(tag, default if tag is None else None)
            return None if target is None else {"$ref": target}
        kinds = {json_type(value), "number" if json_type(value) == "integer" else ""}
        variants: list[Node] = node.get("oneOf") or node.get("anyOf") or []
        for variant in variants:
            if kinds.intersection(self._dialect.types(variant)):
                return variant
        return None


def closed(gate: Node, flags: frozenset[str], version: str, model: str) -> str | None:
    """Return why a gate is closed to a request, or None when it is open or there is none."""
    rule = gate.get("x-beta")
    needed = required_flags(rule)
    if needed and flags.isdisjoint(needed) and not _exempt(rule, model):
        default = rule.get("default", needed[0]) if is_object(rule) else needed[0]
        return f"only with the beta flag `{default}` in the `anthropic-beta` header"
    bounds = gate.get("x-api-version", {})
    if version > bounds.get("until", version) or version < bounds.get("since", version):
        return f"not accepted with anthropic-version {version}"
    return None


def _exempt(rule: object, model: str) -> bool:
    exempt: Iterable[str] = rule.get("unless_model", ()) if is_object(rule) else ()
    # Dated snapshots, claude-…-20260101, count as the model they are of.
    return any(model == name or model.startswith(f"{name}-20") for name in exempt)


def _reaching_a_gate(components: Mapping[str, Any]) -> frozenset[str]:
    """Return the components from which a gated part can be reached."""
    users: dict[str, set[str]] = {}
    gated: set[str] = set()
    for name, node in components.items():
        for part in _parts(node):
            entries: Iterable[Node] = part.get("x-enum", {}).values()
            if _WITHIN in part or any(key in place for key in _GATES for place in (part, *entries)):
                gated.add(name)
            if "$ref" in part:
                users.setdefault(str(part["$ref"]).rpartition("/")[2], set()).add(name)
    waiting = list(gated)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if user not in gated:
                gated.add(user)
                waiting.append(user)
    return frozenset(gated)


def _parts(node: Node) -> Iterator[Node]:
    """Yield a schema and the schemas inside it, without following references."""
    yield node
    inside: list[Any] = [node.get("items"), node.get("additionalProperties")]
    inside += node.get("properties", {}).values()
    for key in ("oneOf", "anyOf", "allOf"):
        inside += node.get(key, ())
    for part in inside:
        if is_object(part):
            yield from _parts(part)
