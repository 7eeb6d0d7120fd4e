"""Answers that are bytes: files and archives."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

from .meta import ResponseFacts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator
    from types import TracebackType
    from typing import Final, Protocol, TypeAlias

    from typing_extensions import Self

    from .meta import Meta
    from .transfer import ProgressInput, Teller

    class AsyncWritable(Protocol):
        """An open file whose methods are awaited, such as those of anyio and aiofiles."""

        def write(self, data: bytes, /) -> Awaitable[object]:
            """Write all of ``data``."""
            ...

    FileTarget: TypeAlias = str | os.PathLike[str] | IO[bytes]
    AsyncFileTarget: TypeAlias = FileTarget | AsyncWritable

    class OpenBody(Protocol):
        """What a transport returns: an answer whose body is still to be read."""

        @property
        def meta(self) -> Meta:
            """Metadata of the response."""
            ...

        def read(self) -> bytes:
            """Return the whole body and close the response."""
            ...

        def iter_bytes(self) -> Iterator[bytes]:
            """Yield the body in the pieces it arrives in."""
            ...

        def close(self) -> object:
            """Close the response; safe to call more than once."""
            ...

    class AsyncOpenBody(Protocol):
        """Asynchronous twin of :class:`OpenBody`."""

        @property
        def meta(self) -> Meta:
            """Metadata of the response."""
            ...

        async def read(self) -> bytes:
            """Return the whole body and close the response."""
            ...

        def iter_bytes(self) -> AsyncIterator[bytes]:
            """Yield the body in the pieces it arrives in."""
            ...

        async def close(self) -> object:
            """Close the response; safe to call more than once."""
            ...


_HOP_BYTES: Final = 512 * 1024
"""How much is gathered before a thread writes it down: going there costs time as well."""


class _BinaryFacts(ResponseFacts):
    __slots__ = ("__weakref__", "_bar", "_body", "meta")

    _bar: Any
    """What draws a bar, by ``begin()``, where ``progress=True`` asks for one."""
    meta: Meta
    """Metadata of the response."""

    @property
    def size(self) -> int | None:
        """Bytes of the content, where the server says so beforehand."""
        headers = self.meta.headers
        # What is compressed on its way is counted as it comes out.
        if headers.get("content-encoding", "identity") != "identity":
            return None
        length = headers.get("content-length", "")
        return int(length) if length.isascii() and length.isdigit() else None

    def _teller(self, progress: ProgressInput) -> Teller | None:
        if not progress:
            return None
        from .transfer import Teller

        wants_bar = progress is True and self._bar is not None
        teller = Teller(self._bar if wants_bar else progress, self.size)
        teller.tell()
        return teller

    def __repr__(self) -> str:
        kind = self.meta.headers.get("content-type")
        return f"{type(self).__name__}({self.meta.status_code}, {kind})"


class BinaryResponse(_BinaryFacts):
    """An answer of bytes, open until it has been read.

    Read it with :meth:`read`, :meth:`iter_bytes` or :meth:`write_to_file`; close it otherwise, best
    as a context manager. All of these raise :class:`APIConnectionError` when the connection breaks.
    """

    __slots__ = ()

    _body: OpenBody

    def __init__(self, body: OpenBody, *, bar: Any = None) -> None:
        """Wrap the answer of a transport; ``bar`` is what ``progress=True`` shows."""
        self._bar = bar
        self._body = body
        self.meta = body.meta

    def read(self) -> bytes:
        """Return the whole content."""
        return self._body.read()

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the content in the pieces it arrives in, and close the answer after the last."""
        try:
            yield from self._body.iter_bytes()
        finally:
            self.close()

    def write_to_file(self, target: FileTarget, *, progress: ProgressInput = None) -> int:
        """Write the content to a path or an open binary file, and return the number of bytes.

        At a path the file appears when it is complete, in place of one that is there; a download
        that breaks off leaves nothing behind. ``progress`` is called with a :class:`.Transfer`
        after each piece; ``True`` shows a bar on the terminal. Raises ``OSError`` when the content
        cannot be written.
        """
        written = 0
        with self, _Telling(self._teller(progress)) as tell, _Target(target) as file:
            for chunk in self._body.iter_bytes():
                written += len(chunk)
                file.write(chunk)
                tell(len(chunk))
        return written

    def close(self) -> None:
        """Close the answer. Safe to call more than once."""
        self._body.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncBinaryResponse(_BinaryFacts):
    """Asynchronous twin of :class:`BinaryResponse`."""

    __slots__ = ()

    _body: AsyncOpenBody

    def __init__(self, body: AsyncOpenBody, *, bar: Any = None) -> None:
        """Wrap the answer of a transport; ``bar`` is what ``progress=True`` shows."""
        self._bar = bar
        self._body = body
        self.meta = body.meta

    async def read(self) -> bytes:
        """Return the whole content."""
        return await self._body.read()

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the content in the pieces it arrives in, and close the answer after the last."""
        try:
            async for chunk in self._body.iter_bytes():
                yield chunk
        finally:
            await self.close()

    async def write_to_file(
        self, target: AsyncFileTarget, *, progress: ProgressInput = None
    ) -> int:
        """Write the content in threads; see :meth:`BinaryResponse.write_to_file`.

        An open file may also be one whose ``write`` is awaited.
        """
        from functools import partial

        from .threads import off_loop

        written = 0

        async def write(file: Any, data: bytearray) -> None:
            result = await off_loop(partial(file.write, data))
            if hasattr(result, "__await__"):
                await result

        async with self:
            with _Telling(self._teller(progress)) as tell, _Target(target) as file:
                pending = bytearray()
                async for chunk in self._body.iter_bytes():
                    pending += chunk
                    if len(pending) >= _HOP_BYTES:
                        taken, pending = pending, bytearray()
                        await write(file, taken)
                        written += len(taken)
                        tell(len(taken))
                if pending:
                    await write(file, pending)
                    written += len(pending)
                    tell(len(pending))
        return written

    async def close(self) -> None:
        """Close the answer. Safe to call more than once."""
        await self._body.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class _Telling:
    """Tells how far a download is, if anybody asked; ends the telling with the download."""

    __slots__ = ("_teller",)

    def __init__(self, teller: Teller | None) -> None:
        self._teller = teller

    def __enter__(self) -> Any:
        return _tell_nobody if self._teller is None else self._teller.tell

    def __exit__(self, *_: object) -> None:
        if self._teller is not None:
            self._teller.close()


def _tell_nobody(_count: int) -> None:
    pass


class _Target:
    """Where a download goes: an open file, or a path at which only a complete file appears."""

    __slots__ = ("_file", "_path", "_target", "_temporary")

    def __init__(self, target: Any) -> None:
        self._target: Any = target
        self._file: IO[bytes] | None = None
        self._path = ""
        self._temporary = ""

    def __enter__(self) -> Any:
        if hasattr(self._target, "write"):
            return self._target
        self._path = os.fsdecode(self._target)
        # pathlib takes long to load, so the functions of os and the built-in open do.
        if os.path.exists(self._path) and not os.path.isfile(self._path):  # noqa: PTH110, PTH113
            # A pipe or a device cannot be replaced; a folder raises what it has to.
            self._file = open(self._path, "wb")  # noqa: PTH123
        else:
            self._temporary = f"{self._path}.{os.urandom(4).hex()}.part"
            self._file = open(self._temporary, "xb")  # noqa: PTH123
        return self._file

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is None:
            return
        try:
            # Writes out what is buffered, which may be what does not fit on the disk.
            self._file.close()
            if self._temporary and exc is None:
                os.replace(self._temporary, self._path)  # noqa: PTH105
        except BaseException:
            self._discard()
            raise
        if exc is not None:
            self._discard()

    def _discard(self) -> None:
        if self._temporary:
            os.unlink(self._temporary)  # noqa: PTH108
