"""What kind of JSON value a value is; tuples stand for arrays in schemas written in Python."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Return whether a value is a JSON array."""
    return isinstance(value, list)


def is_sequence(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Return whether a value is a list or a tuple."""
    return isinstance(value, (list, tuple))


def json_name(value: object) -> str:
    """Return what kind of JSON value this is, in words."""
    if value is None:
        return "null"
    return _NAMES.get(type(value), "a number")


_NAMES: dict[type, str] = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
