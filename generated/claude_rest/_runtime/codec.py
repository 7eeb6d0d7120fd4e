"""JSON in and out: orjson when it is installed (extra ``fast``), else the standard library.

Both decode the same documents. What orjson refuses but other writers produce (lone surrogates,
``NaN``, numbers such as ``1e400``) falls back to the standard library. Integers beyond 64 bits
decode to float with orjson and exactly without it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .struct import Struct
from .unset import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable

_orjson_loads: Callable[[Any], Any] | None
_orjson_dumps: Callable[..., bytes] | None
try:
    from orjson import dumps as _orjson_dumps
    from orjson import loads as _orjson_loads
except ImportError:
    _orjson_loads = None
    _orjson_dumps = None

BACKEND: str = "json" if _orjson_loads is None else "orjson"
"""Which library does the work: ``"orjson"`` or ``"json"``."""


class DecodeError(ValueError):
    """The text is not JSON (RFC 8259), not UTF-8, or nested too deeply to be read."""


class EncodeError(TypeError):
    """The value cannot be written as JSON."""


def loads(text: bytes | bytearray | memoryview | str) -> Any:
    """Decode one JSON document. Raises :class:`DecodeError`."""
    if _orjson_loads is not None:
        try:
            return _orjson_loads(text)
        except ValueError:
            pass
    try:
        return json.loads(bytes(text) if isinstance(text, memoryview) else text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(str(error)) from error


def dumps(value: Any) -> bytes:
    """Encode ``value`` as UTF-8 JSON without white space. Raises :class:`EncodeError`.

    Models, dates and any iterable may stand where JSON has an object, a string and an array.
    """
    if _orjson_dumps is not None:
        try:
            return _orjson_dumps(value, default=_default)
        except TypeError as error:
            if isinstance(error.__cause__, EncodeError):
                raise error.__cause__ from None
            # Lone surrogates, integers beyond 64 bits, keys that are not strings.
    try:
        text = json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), default=_default, allow_nan=False
        )
        try:
            return text.encode()
        except UnicodeEncodeError:
            return json.dumps(value, separators=(",", ":"), default=_default).encode("ascii")
    except EncodeError:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError(f"cannot be sent as JSON: {error}") from error


def _default(value: Any) -> Any:
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
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise EncodeError("bytes have no JSON form; encode them first, for example as base64")
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return dict(value)
    if hasattr(value, "__iter__"):
        return list(value)
    raise EncodeError(f"{type(value).__name__} has no JSON form")
