"""Values made from a JSON Schema: what a model would fill in, with nothing left to chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .json_values import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS: Final = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "12:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEPTH: Final = 24
_VALUES: Final = 2_000
_ENTRIES: Final = 100
_CHARACTERS: Final = 10_000


def sample(schema: Any, *, name: str = "value") -> Any:
    """Return a value for a schema, with the required properties of objects and no others.

    The same schema always gives the same value. Schemas that go on for ever are cut short with
    nulls.

    Args:
        schema: JSON Schema as a caller gives it for a tool or an output format.
        name: What a plain string at the top says; below it is the property's name.
    """
    root = schema if is_object(schema) else {}
    return _Sampler(root).value(schema, name, 0)


class _Sampler:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._left = _VALUES

    def value(self, schema: Any, name: str, depth: int) -> Any:
        self._left -= 1
        if not is_object(schema) or depth > _DEPTH or self._left < 0:
            return None
        if "const" in schema:
            return schema["const"]
        for key in ("enum", "examples"):
            choices = schema.get(key)
            if is_array(choices) and choices:
                return choices[0]
        if "default" in schema:
            return schema["default"]
        target = self._target(schema.get("$ref"))
        if target is not None:
            return self.value(target, name, depth + 1)
        for key in ("anyOf", "oneOf"):
            choices = schema.get(key)
            if is_array(choices) and choices:
                return self.value(choices[0], name, depth + 1)
        parts = schema.get("allOf")
        if is_array(parts) and "properties" not in schema:
            return self._merged(parts, name, depth)
        return self._typed(schema, name, depth)

    def _typed(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        kind = schema.get("type")
        if is_array(kind):
            kind = next((entry for entry in kind if entry != "null"), "null")
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema, depth)
        if kind == "array":
            count = min(_whole(schema.get("minItems")), _ENTRIES)
            return [self.value(schema.get("items", {}), name, depth + 1) for _ in range(count)]
        if kind in ("integer", "number"):
            number = _number(schema)
            return int(number) if kind == "integer" else number
        if kind == "boolean":
            return True
        return None if kind == "null" else _text(schema, name)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        known = properties if is_object(properties) else {}
        required = schema.get("required")
        names = required if is_array(required) else []
        return {
            key: self.value(known.get(key, {"type": "string"}), key, depth + 1)
            for key in names
            if isinstance(key, str)
        }

    def _merged(self, parts: list[Any], name: str, depth: int) -> Any:
        merged: dict[str, Any] = {}
        for part in parts:
            value = self.value(part, name, depth + 1)
            if not is_object(value):
                return value
            merged.update(value)
        return merged

    def _target(self, reference: Any) -> dict[str, Any] | None:
        """Return what a local reference points to, or None."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        node: Any = self._root
        for token in reference[1:].split("/")[1:]:
            key = token.replace("~1", "/").replace("~0", "~")
            node = node.get(key) if is_object(node) else None
        return node if is_object(node) else None


def _number(schema: dict[str, Any]) -> int | float:
    """Return the least number allowed, or 1, kept within the upper bound."""
    least = schema.get("minimum")
    value: int | float = least if isinstance(least, (int, float)) else 1
    above = schema.get("exclusiveMinimum")
    if isinstance(above, (int, float)) and value <= above:
        value = above + 1
    most = schema.get("maximum")
    if isinstance(most, (int, float)):
        value = min(value, most)
    below = schema.get("exclusiveMaximum")
    if isinstance(below, (int, float)) and value >= below:
        value = below - 1
    return value


def _text(schema: dict[str, Any], name: str) -> str:
    text = _TEXTS.get(str(schema.get("format")), name)
    text = text.ljust(min(_whole(schema.get("minLength")), _CHARACTERS), "x")
    longest = schema.get("maxLength")
    return text[:longest] if isinstance(longest, int) and longest >= 0 else text


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
