"""JSON in and out: orjson when it is installed (extra ``fast``), else the standard library.

Both decode the same documents. What orjson refuses but other writers produce (lone surrogates,
``NaN``, numbers such as ``1e400``) falls back to the standard library. Integers beyond 64 bits
decode to float with orjson and exactly without it, up to the digits Python converts.

Both encode the same values: ``NaN`` and infinities, which JSON lacks, are refused.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from .raw_json import RawJSON
from .struct import Struct
from .unset import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable

    from .json_body import JSONBody

_orjson_loads: Callable[[Any], Any] | None
_orjson_dumps: Callable[..., bytes] | None
_orjson_options: int
try:
    from orjson import OPT_PASSTHROUGH_DATACLASS
    from orjson import dumps as _orjson_dumps
    from orjson import loads as _orjson_loads

    _orjson_options = OPT_PASSTHROUGH_DATACLASS
except ImportError:
    _orjson_options = 0
    _orjson_loads = None
    _orjson_dumps = None

BACKEND: str = "json" if _orjson_loads is None else "orjson"
"""Which library does the work: ``"orjson"`` or ``"json"``."""


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
NAN_SCAN_BYTES = 1 << 16
"""Up to this size the text is searched for ``null`` before the value is looked through.

To search a body of many megabytes takes longer than to visit its values, most of which are long
strings.
"""
_NULLS = (b":null", b"[null", b",null")


class DecodeError(ValueError):
    """The text is not JSON (RFC 8259), not UTF-8, or nested too deeply to be read."""


class EncodeError(TypeError):
    """The value cannot be written as JSON."""


class InsertedError(EncodeError):
    """Something in the value is to be put into the text without being copied."""


def loads(text: bytes | bytearray | memoryview | str) -> Any:
    """Decode one JSON document. Raises :class:`DecodeError`."""
    if _orjson_loads is not None:
        try:
            return _orjson_loads(text)
        except ValueError:
            pass
    plain = bytes(text) if isinstance(text, memoryview) else text
    try:
        try:
            return json.loads(plain)
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise
        except ValueError:
            # An integer of more digits than Python converts (sys.set_int_max_str_digits).
            return json.loads(plain, parse_int=_long_integer)
    except (ValueError, RecursionError) as error:
        raise DecodeError(str(error)) from error


def _long_integer(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def dumps(value: Any) -> bytes:
    """Encode ``value`` as UTF-8 JSON without white space. Raises :class:`EncodeError`.

    Models, dates and any iterable may stand where JSON has an object, a string and an array.
    What an iterable raises while it is read goes through, unless it is a ``TypeError`` or
    ``ValueError``, as for any other value that cannot be written. Files in it are read.
    """
    text = encode(value)
    return text if isinstance(text, bytes) else text.read()


def encode(value: Any) -> bytes | JSONBody:
    """Return what :func:`dumps` does; of what is not to be copied, what it is read from.

    That is content where base64 goes, files first of all, and JSON that is ready.
    """
    default = Default()
    try:
        return dumps_with(value, default)
    except InsertedError:
        from .json_body import CHUNK_BYTES, json_body

        body = json_body(value, default)
        return body.read() if len(body) <= CHUNK_BYTES and not body.files else body


def dumps_with(value: Any, default: Default) -> bytes:
    """Encode ``value``; what ``default`` has made of other values is used again."""
    made = len(default.made)
    if _orjson_dumps is not None:
        try:
            text = _orjson_dumps(value, default=default, option=_orjson_options)
        except TypeError as error:
            cause = error.__cause__
            if cause is not None:
                raise _encode_error(cause) from cause.__cause__
            # Lone surrogates, integers beyond 64 bits, keys that are not strings, deep nesting.
        else:
            # orjson writes null for NaN and infinities, which the standard library refuses.
            if (
                len(text) <= NAN_SCAN_BYTES
                and text != b"null"
                and not any(null in text for null in _NULLS)
            ) or not _holds_nan([value, *default.made[made:]]):
                return text
    try:
        encoded = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), default=default, allow_nan=False
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise _encode_error(error) from error.__cause__
    try:
        return encoded.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded).encode()


def _holds_nan(values: list[Any]) -> bool:
    """Tell whether a number that JSON lacks is among ``values`` or inside one of them.

    Only containers that orjson reads itself are entered: what stands for all others is to be
    among ``values``.
    """
    pending: list[Any] = [values]
    while pending:
        for value in pending.pop():
            kind = value.__class__
            if kind is str or kind is int or value is None:
                continue
            if kind is dict or isinstance(value, dict):
                pending.append(value.values())
            elif kind is list or kind is tuple or isinstance(value, list):
                pending.append(value)
            elif isinstance(value, float):
                if value - value != 0:
                    return True
            elif hasattr(kind, "__members__"):
                pending.append((value.value,))
    return False


def _encode_error(error: BaseException) -> BaseException:
    if isinstance(error, EncodeError) or not isinstance(
        error, (TypeError, ValueError, RecursionError)
    ):
        return error
    return EncodeError(f"cannot be sent as JSON: {error}")


class Default:
    """What stands for a value JSON lacks, during one call of :func:`dumps`.

    An iterator can be read once, but when orjson gives up in the middle the standard library
    starts over: what was read is kept.
    """

    __slots__ = ("_read", "insert", "made")

    made: list[Any]
    """Everything that stood for another value."""
    insert: Callable[[Any], str]
    """Returns what stands for a file, bytes or JSON that is ready; until it is set, raises."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[Any, list[Any]]] = {}
        self.made = []
        self.insert = _refuse

    def __call__(self, value: Any) -> Any:
        """Return what stands for ``value``. Raises :class:`EncodeError` when nothing can."""
        if hasattr(value.__class__, "__next__") and not hasattr(value, "read"):
            if id(value) not in self._read:
                self._read[id(value)] = (value, list(value))
            made = self._read[id(value)][1]
        else:
            made = self._default(value)
        self.made.append(made)
        return made

    def _default(self, value: Any) -> Any:
        if isinstance(value, Struct):
            return value.to_dict()
        if value is UNSET:
            raise EncodeError("UNSET stands inside a request body; leave the key out instead")
        wire_text = getattr(value, "wire_text", None)
        if wire_text is not None:
            return wire_text
        isoformat = getattr(value, "isoformat", None)
        if isoformat is not None:
            return isoformat()
        if isinstance(value, (bytes, bytearray, memoryview, RawJSON)):
            return self.insert(value)
        if hasattr(value, "keys") and hasattr(value, "__getitem__"):
            return dict(value)
        if hasattr(value, "read") or hasattr(value, "__fspath__"):
            return self.insert(value)
        if hasattr(value, "__iter__"):
            return list(value)
        if isinstance(value, float):
            # A subclass, such as numpy.float64.
            return float(value)
        from enum import Enum
        from uuid import UUID

        if isinstance(value, Enum):
            return value.value
        if isinstance(value, UUID):
            return str(value)
        raise EncodeError(f"{type(value).__name__} has no JSON form")


def _refuse(value: Any) -> str:
    raise InsertedError(f"{type(value).__name__} has no JSON form")
