"""Strict decoding: what a decoded model holds that its schema does not know.

Decoding itself is lenient. For tests, and to notice early that the API has moved on,
:func:`check` walks a model along its annotations and reports each difference.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

from .errors import ClaudeError
from .struct import Struct, Unknown, wire_names
from .unset import UNSET, Unset

_HINTS: dict[type, dict[str, Any]] = {}


class StrictDecodingError(ClaudeError, ValueError):
    """A response differs from its schema; ``problems`` lists each place."""

    problems: tuple[tuple[str, str], ...]
    """JSON pointer and description of each difference."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        """Take the differences found."""
        self.problems = problems
        shown = "; ".join(f"{pointer or '/'}: {text}" for pointer, text in problems[:5])
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        super().__init__(f"the response differs from its schema: {shown}{more}")


def check(value: Any) -> None:
    """Raise :class:`StrictDecodingError` unless every model in ``value`` fits its schema.

    Reported are unknown fields, unknown union members and enum values, missing required fields
    and values of another type. ``value`` may be a model or a list of models.
    """
    problems: list[tuple[str, str]] = []
    if value.__class__ is list:
        for number, item in enumerate(value):
            _check_value(item, Any, f"/{number}", problems)
    else:
        _check_value(value, Any, "", problems)
    if problems:
        raise StrictDecodingError(tuple(problems))


def _check_value(value: Any, hint: Any, at: str, problems: list[tuple[str, str]]) -> None:
    if isinstance(value, Unknown):
        problems.append((at, f"unknown kind {value.tag!r}"))
        return
    if isinstance(value, Struct):
        _check_struct(value, at, problems)
    elif hint is Any:
        # Free-form JSON: any value fits, and no model is inside, however deep it goes.
        return
    elif value.__class__ is list:
        items = next(
            (get_args(part)[0] for part in _variants(hint) if get_origin(part) is list), Any
        )
        for number, item in enumerate(value):
            _check_value(item, items, f"{at}/{number}", problems)
    elif value.__class__ is dict:
        values = next(
            (get_args(part)[1] for part in _variants(hint) if get_origin(part) is dict), Any
        )
        for name, item in value.items():
            _check_value(item, values, f"{at}/{_token(name)}", problems)
    complaint = _mismatch(value, _variants(hint))
    if complaint is not None:
        problems.append((at, complaint))


def _check_struct(value: Struct, at: str, problems: list[tuple[str, str]]) -> None:
    problems.extend((f"{at}/{_token(name)}", "unknown field") for name in value.extra_fields)
    hints = _hints(type(value))
    for attribute, wire_name in wire_names(type(value)):
        field = getattr(value, attribute, UNSET)
        place = f"{at}/{_token(wire_name)}"
        if field is UNSET:
            if Unset not in _variants(hints[attribute]):
                problems.append((place, "required field is missing"))
        else:
            _check_value(field, hints[attribute], place, problems)


def _mismatch(value: Any, variants: list[Any]) -> str | None:
    """Say why ``value`` is none of ``variants``; ``None`` when it is one."""
    literals = [part for part in variants if get_origin(part) is Literal]
    if literals and isinstance(value, str):
        allowed = [choice for part in literals for choice in get_args(part)]
        # An open enum is annotated as "one of these or any string".
        return None if value in allowed else f"unknown value {value!r}"
    if any(_fits(value, part) for part in variants):
        return None
    return f"expected {' or '.join(map(_name, variants))}, got {type(value).__name__}"


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if hint is Any:
        return True
    if hint is None or hint is type(None):
        return value is None
    if origin is Literal:
        return value in get_args(hint)
    kind = origin or hint
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(kind, type) and isinstance(value, kind)


def _variants(hint: Any) -> list[Any]:
    if isinstance(hint, (str, ForwardRef)):
        text = hint if isinstance(hint, str) else hint.__forward_arg__
        return _variants(_evaluate(text, {}))
    if get_origin(hint) in (Union, UnionType):
        return [variant for part in get_args(hint) for variant in _variants(part)]
    return [hint]


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _HINTS:
        namespace = vars(sys.modules[cls.__module__])
        _HINTS[cls] = {
            name: _evaluate(text, namespace) if isinstance(text, str) else text
            for name, text in vars(cls)["__annotations__"].items()
        }
    return _HINTS[cls]


def _evaluate(text: str, namespace: dict[str, Any]) -> Any:
    # The text comes from the generated models of this package, never from a response.
    return eval(text, namespace, _Names())  # noqa: S307


class _Names(dict[str, Any]):
    """Names that the models import for type checkers only, imported now."""

    def __missing__(self, name: str) -> Any:
        if name == "datetime":
            from datetime import datetime

            return datetime
        try:
            return getattr(import_module("..models", __package__), name)
        except AttributeError:
            raise KeyError(name) from None


def _name(hint: Any) -> str:
    if get_origin(hint) is not None:
        return str(hint).replace("typing.", "")
    return getattr(hint, "__name__", str(hint))


def _token(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
