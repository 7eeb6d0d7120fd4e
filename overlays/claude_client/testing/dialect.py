"""Rewrites the schemas of the spec to plain JSON Schema with useful errors.

A validator answers a failed ``oneOf`` with "no member matched", which helps nobody. Every union
of the spec can be decided beforehand, by its discriminator or by the JSON type of the value, so
each becomes a chain of ``if``/``then`` in which only the chosen member can fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .json_values import is_array, is_object, json_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema = dict[str, Any]

_COPIED: Final = (
    "$ref",
    "const",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
)
FORMATS: Final = {
    "date": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$",
    "date-time": (
        r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)"
        r"(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$"
    ),
    "email": r"^[^@\s]+@[^@\s]+$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s]*$",
    "uuid": r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
}
"""Patterns of the formats that are checked; engines differ in what they make of ``format``."""

_SCHEMAS: Final = ("items", "additionalProperties", "propertyNames", "not")
_EVERY_TYPE: Final = ("array", "boolean", "null", "number", "object", "string")


class Dialect:
    """Translates the schemas of one bundle."""

    def __init__(self, components: Mapping[str, Any], *, strict: bool) -> None:
        self._components = components
        self._strict = strict
        self._translated: Schema = {}

    def document(self, schema: Mapping[str, Any]) -> Schema:
        """Return a self-contained schema document for one schema of the bundle."""
        root: Schema = self.translate(schema)
        schemas: Schema = {}
        waiting = list(_references(root))
        while waiting:
            name = waiting.pop()
            if name not in schemas:
                if name not in self._translated:
                    self._translated[name] = self.translate(self._components[name])
                schemas[name] = self._translated[name]
                waiting += _references(schemas[name])
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": {"schemas": schemas},
            **root,
        }

    def translate(self, node: Mapping[str, Any] | bool) -> Any:
        """Return the plain form of one schema."""
        if isinstance(node, bool):
            return node
        result: Schema = {key: node[key] for key in _COPIED if key in node}
        if "enum" in node and not node.get("x-open-enum"):
            result["enum"] = node["enum"]
        if node.get("format") in FORMATS:
            result.setdefault("pattern", FORMATS[node["format"]])
        for key in _SCHEMAS:
            if key in node:
                result[key] = self.translate(node[key])
        properties: Mapping[str, Any] = node.get("properties", {})
        if properties:
            result["properties"] = {key: self.translate(value) for key, value in properties.items()}
            if self._strict:
                result.setdefault("additionalProperties", False)
        parts = [self.translate(part) for part in node.get("allOf", ())]
        variants: list[Mapping[str, Any]] = node.get("oneOf") or node.get("anyOf") or []
        if variants:
            union = self._tagged(node) if "discriminator" in node else self._by_type(variants)
            parts.append(union)
        if parts:
            result["allOf"] = parts
        return result

    def _tagged(self, node: Mapping[str, Any]) -> Schema:
        """Choose the member by the discriminator's value, before anything is validated."""
        discriminator = node["discriminator"]
        tag = discriminator["propertyName"]
        mapping: Mapping[str, str] = discriminator["mapping"]
        default = discriminator.get("x-default-mapping")
        tags: list[str | None] = list(mapping)
        chain: list[Schema] = [
            {
                "if": {"type": "object", "required": [tag], "properties": {tag: {"const": value}}},
                "then": {"$ref": target},
            }
            for value, target in mapping.items()
        ]
        union: Schema = {"type": "object", "allOf": chain}
        if default is None:
            union["required"] = [tag]
        else:
            tags.append(None)
            chain.append(
                {
                    "if": {"type": "object", "properties": {tag: {"const": None}}},
                    "then": {"$ref": default},
                }
            )
        union["properties"] = {tag: {"enum": tags}}
        return union

    def _by_type(self, variants: list[Mapping[str, Any]]) -> Schema:
        """Choose the member by the JSON type of the value."""
        chosen: dict[str, list[int]] = {}
        for index, variant in enumerate(variants):
            for kind in self.types(variant):
                chosen.setdefault(kind, []).append(index)
        groups: dict[tuple[int, ...], list[str]] = {}
        for kind, indexes in chosen.items():
            groups.setdefault(tuple(indexes), []).append(kind)
        chain: list[Schema] = []
        for places, kinds in groups.items():
            members = [self.translate(variants[place]) for place in places]
            then = members[0] if len(members) == 1 else {"anyOf": members}
            chain.append({"if": {"type": kinds}, "then": then})
        return {"type": list(chosen), "allOf": chain}

    def types(self, node: Mapping[str, Any]) -> list[str]:
        """Return the JSON types that a schema of the bundle lets through."""
        if "$ref" in node:
            return self.types(self._components[str(node["$ref"]).rpartition("/")[2]])
        if "type" in node:
            declared = node["type"]
            return [declared] if isinstance(declared, str) else list(declared)
        if "const" in node:
            return [json_type(node["const"])]
        if "enum" in node:
            return list(dict.fromkeys(json_type(value) for value in node["enum"]))
        if "discriminator" in node or "properties" in node:
            return ["object"]
        variants: list[Mapping[str, Any]] = node.get("oneOf") or node.get("anyOf") or []
        if variants:
            return list(dict.fromkeys(kind for variant in variants for kind in self.types(variant)))
        return list(_EVERY_TYPE)


def _references(node: object) -> Iterator[str]:
    """Yield the components that a translated schema refers to."""
    if is_object(node):
        target = node.get("$ref")
        if isinstance(target, str):
            yield target.rpartition("/")[2]
        for part in node.values():
            yield from _references(part)
    elif is_array(node):
        for part in node:
            yield from _references(part)
