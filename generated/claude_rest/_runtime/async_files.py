"""Files that only an event loop can read, made ready before a request is put together."""

from __future__ import annotations

import os
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from .file_contents import (
    CHUNK_BYTES,
    AwaitedFile,
    Content,
    Spool,
    check_chunk,
    put_aside,
    turn,
)
from .threads import off_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Final

    from .operation import Operation

_HOP_BYTES: Final = 256 * 1024
"""How much is gathered before a thread writes it down: going there costs time as well."""


async def ready_files(
    operation: Operation, arguments: Mapping[str, Any], limit: int | None
) -> Mapping[str, Any]:
    """Return the arguments with every file in them as something that says its size.

    What is read to its end for that, an iterator or a pipe, is read beside the event loop or by
    awaiting it; over ``limit`` bytes that raises :class:`RequestTooLargeError`.
    """
    ready = dict(arguments)
    for field in operation.file_fields:
        several = field.endswith("[]")
        for name in (field, field.removesuffix("[]")):
            value = ready.get(name)
            if value is None:
                continue
            if not several:
                ready[name] = await _ready(value, limit)
            elif value.__class__ is list:
                ready[name] = [await _ready(item, limit) for item in value]
    return ready


async def _ready(value: Any, limit: int | None) -> Any:
    if value.__class__ is tuple and len(value) > 1:
        return (value[0], await _ready(value[1], limit), *value[2:])
    if isinstance(value, Content) or value.__class__ in (bytes, str, list):
        return value
    if hasattr(value, "__fspath__"):
        return value
    if hasattr(value, "read"):
        probe = value.read(0)
        if not isawaitable(probe):
            return await _beside(value, limit) if _is_pipe(value) else value
        if isinstance(await probe, str):
            raise TypeError("a file to send must be opened in binary mode")
        return await opened(value) or await _awaited(value, limit)
    if hasattr(value, "__aiter__"):
        return await _awaited(value, limit)
    if hasattr(value, "__iter__") and not hasattr(value, "__len__"):
        return await _beside(value, limit)
    return value


def _is_pipe(file: Any) -> bool:
    seekable = getattr(file, "seekable", None)
    return seekable is None or not seekable()


async def _beside(source: Any, limit: int | None) -> Content:
    return await off_loop(partial(put_aside, source, limit))


async def opened(file: Any) -> Content | None:
    """Return the content of an asynchronous file; ``None`` for one that cannot be wound back."""
    try:
        async with turn(file):
            start = await file.tell()
            end = await file.seek(0, os.SEEK_END)
            if end is None:
                end = await file.tell()
            await file.seek(start)
    except (AttributeError, TypeError, OSError, ValueError):
        # Such as a response that is being read, or an upload that a web framework hands over.
        return None
    return AwaitedFile(file, start, max(0, end - start))


async def _awaited(source: Any, limit: int | None) -> Content:
    spool = Spool(source, limit)
    pending = bytearray()
    async for chunk in _pieces(source):
        check_chunk(chunk, spool.label)
        pending += chunk
        if len(pending) >= _HOP_BYTES:
            taken, pending = pending, bytearray()
            await off_loop(partial(spool.put, taken))
    await off_loop(partial(spool.put, pending))
    return spool.content()


async def _pieces(source: Any) -> AsyncIterator[Any]:
    read = getattr(source, "read", None)
    if read is None:
        async for chunk in source:
            yield chunk
        return
    while chunk := await read(CHUNK_BYTES):
        yield chunk
