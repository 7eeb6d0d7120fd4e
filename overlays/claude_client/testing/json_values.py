"""What kind of JSON value a decoded value is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Return whether a value is a JSON array."""
    return isinstance(value, list)


def object_at(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the object that a JSON object has under a name; an empty one when it has none."""
    found = value.get(name)
    return found if is_object(found) else {}


def json_type(value: object) -> str:
    """Return the JSON type of a decoded value; whole numbers are ``integer``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if is_array(value) else "object"
