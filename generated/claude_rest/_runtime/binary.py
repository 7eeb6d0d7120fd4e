"""Answers that are bytes: files and archives."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

from .meta import ResponseFacts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType
    from typing import Protocol

    from typing_extensions import Self

    from .meta import Meta

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


class _BinaryFacts(ResponseFacts):
    __slots__ = ("__weakref__", "_body", "meta")

    meta: Meta
    """Metadata of the response."""

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

    def __init__(self, body: OpenBody) -> None:
        """Wrap the answer of a transport."""
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

    def write_to_file(self, target: str | os.PathLike[str] | IO[bytes]) -> int:
        """Write the content to a path or an open binary file, and return the number of bytes.

        At a path the file appears when it is complete, in place of one that is there; a download
        that breaks off leaves nothing behind. Raises ``OSError`` when it cannot be written.
        """
        written = 0
        with self, _Target(target) as file:
            for chunk in self._body.iter_bytes():
                written += len(chunk)
                file.write(chunk)
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

    def __init__(self, body: AsyncOpenBody) -> None:
        """Wrap the answer of a transport."""
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

    async def write_to_file(self, target: str | os.PathLike[str] | IO[bytes]) -> int:
        """Write the content in threads; see :meth:`BinaryResponse.write_to_file`."""
        from functools import partial

        from .threads import off_loop

        written = 0
        async with self:
            with _Target(target) as file:
                async for chunk in self._body.iter_bytes():
                    written += len(chunk)
                    await off_loop(partial(file.write, chunk))
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


class _Target:
    """Where a download goes: an open file, or a path at which only a complete file appears."""

    __slots__ = ("_file", "_path", "_target", "_temporary")

    def __init__(self, target: str | os.PathLike[str] | IO[bytes]) -> None:
        self._target: Any = target
        self._file: IO[bytes] | None = None
        self._path = ""
        self._temporary = ""

    def __enter__(self) -> IO[bytes]:
        if hasattr(self._target, "write"):
            file: IO[bytes] = self._target
            return file
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
