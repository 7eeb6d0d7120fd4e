"""What a tool returns, as the content of a ``tool_result``."""

from __future__ import annotations

import dataclasses
import enum
from datetime import date, datetime, time, timedelta
from typing import Any, TypeGuard

from claude_rest._runtime.codec import dumps
from claude_rest._runtime.struct import Struct

from ..structured_output.json_kinds import is_object, is_sequence
from ..structured_output.scalars import STRINGS, write_duration

BLOCK_TYPES = frozenset({"document", "image", "search_result", "text", "tool_reference"})
"""``type`` of the blocks that a tool result can hold."""


def result_content(value: Any) -> str | list[Any]:
    """Return a result as the API takes it.

    Text and content blocks stay; anything else is written as JSON, ``None`` as empty text. Raises
    ``TypeError`` for what JSON cannot say.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return _text(value)
    if _is_block(value):
        return [_plain_block(value)]
    if is_sequence(value) and value and all(map(_is_block, value)):
        return [_plain_block(block) for block in value]
    return dumps(json_value(value)).decode()


def _text(text: str) -> str:
    """Return text with replacement characters for what is none, as in names of files.

    JSON cannot say it: the API would refuse this request and, as it is in the history, all others.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def json_value(value: Any) -> Any:
    """Return a value of Python types as JSON: what :mod:`..structured_output` reads, written."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, Struct):
        return value.to_dict()
    if isinstance(value, enum.Enum):
        return json_value(value.value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return write_duration(value)
    if isinstance(value, tuple(STRINGS)):
        return str(value)
    if is_object(value):
        return {str(json_value(name)): json_value(item) for name, item in value.items()}
    if _is_set(value):
        items = [json_value(item) for item in value]
        # In no order of their own: the same set gives the same text, for the prompt cache.
        return sorted(items, key=lambda item: (type(item).__name__, str(item)))
    if hasattr(value, "_asdict"):
        return json_value(value._asdict())
    if is_sequence(value):
        return [json_value(item) for item in value]
    if isinstance(value, type):
        raise TypeError(f"a tool returned the class {value.__name__}, which has no JSON form")
    kind = _class_of(value)
    if "__dataclass_fields__" in dir(kind):
        return {f.name: json_value(getattr(value, f.name)) for f in dataclasses.fields(value)}
    attributes = getattr(kind, "__attrs_attrs__", None)
    if attributes is not None:
        return {a.alias or a.name: json_value(getattr(value, a.name)) for a in attributes}
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json")
    raise TypeError(f"a tool returned {kind.__name__}, which has no JSON form")


def _class_of(value: object) -> Any:
    return type(value)


def _is_set(value: object) -> TypeGuard[set[Any] | frozenset[Any]]:
    return isinstance(value, (set, frozenset))


def _is_block(value: Any) -> bool:
    if isinstance(value, Struct):
        return getattr(value, "type", None) in BLOCK_TYPES
    return is_object(value) and value.get("type") in BLOCK_TYPES


def _plain_block(block: Any) -> Any:
    return block.to_dict() if isinstance(block, Struct) else block
