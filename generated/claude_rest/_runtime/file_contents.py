"""Contents of files that are sent: each knows its size, and is read in pieces when it goes out.

What cannot say its size, or can be read only once, is put aside first: into memory while it is
small, into a temporary file that has no name beyond that. The API then gets the ``content-length``
that it asks for, a retry sends the same bytes, and a file that is too large is refused unsent.
:class:`SizedChunks` does without: it promises its size, and is sent as it is made.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import IO, TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .errors import RequestTooLargeError, UploadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
    from typing import Final

CHUNK_BYTES: Final = 1024 * 1024
"""How much of a file is read and handed on at a time, in bytes."""

# Several requests may be sent from one open file at the same time, from several threads and tasks.
moving = Lock()
_turns: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


class Content:
    """What stands for the content of a file.

    A subclass has :meth:`chunks`, or :meth:`async_chunks` when only an event loop can read it.
    """

    __slots__ = ()

    label: str
    """What it is called in errors."""
    filename: str | None
    """File name of its own, if it has one."""
    size: int
    """Bytes that will come."""
    in_memory: bool = False
    """Whether reading does no I/O."""
    asynchronous: bool = False
    """Whether an event loop reads it, by :meth:`async_chunks`."""

    @property
    def spent(self) -> bool:
        """Whether it has been read, and cannot be read again."""
        return False

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in pieces. Raises :class:`UploadError` when it cannot be read."""
        raise UploadError(f"{self.label} can only be read by an asynchronous client")

    def async_chunks(self) -> AsyncIterator[bytes]:
        """Yield the same on an event loop; only where ``asynchronous`` is set."""
        raise NotImplementedError


class InMemory(Content):
    """Bytes."""

    __slots__ = ("_data", "size")

    label = "the bytes"
    filename = None
    in_memory = True

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes; what could change meanwhile is copied."""
        self._data = data if isinstance(data, bytes) else bytes(data)
        self.size = len(self._data)

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes."""
        if self.size <= CHUNK_BYTES:
            yield self._data
            return
        view = memoryview(self._data)
        for start in range(0, self.size, CHUNK_BYTES):
            yield bytes(view[start : start + CHUNK_BYTES])


class AtPath(Content):
    """A file named by its path: opened when it is sent, anew for each attempt."""

    __slots__ = ("filename", "label", "size")

    def __init__(self, path: str, size: int) -> None:
        """Name a file and the bytes it has."""
        self.label = path
        self.filename = os.path.basename(path)  # noqa: PTH119 - pathlib takes long to load
        self.size = size

    def chunks(self) -> Iterator[bytes]:
        """Yield what is at the path now."""
        try:
            with open(self.label, "rb") as file:  # noqa: PTH123 - pathlib takes long to load
                yield from exactly(file, self.size, self.label)
        except OSError as error:
            raise UploadError(f"cannot read {self.label}: {error.strerror or error}") from error


class OpenFile(Content):
    """A file that is open, from where it stands to its end; it is left standing where it is."""

    __slots__ = ("_file", "_start", "filename", "label", "size")

    def __init__(self, file: IO[bytes]) -> None:
        """Take a file that can be wound back."""
        name = getattr(file, "name", None)
        self.label = str(name or "the open file")
        self.filename = os.path.basename(name) if isinstance(name, str) else None  # noqa: PTH119
        self._file = file
        with moving:
            self._start = file.tell()
            self.size = max(0, file.seek(0, os.SEEK_END) - self._start)
            file.seek(self._start)

    def chunks(self) -> Iterator[bytes]:
        """Yield the rest of the file."""
        end = self._start + self.size
        position = self._start
        try:
            while position < end:
                chunk = read_at(self._file, position, min(CHUNK_BYTES, end - position))
                if not chunk:
                    raise _ended_early(self.label, end - position)
                position += len(chunk)
                yield chunk
        except (OSError, ValueError) as error:
            raise UploadError(f"cannot read {self.label}: {error}") from error


class AwaitedFile(Content):
    """The same as :class:`OpenFile`, for a file whose methods are awaited."""

    __slots__ = ("_file", "_start", "filename", "label", "size")

    asynchronous = True

    def __init__(self, file: Any, start: int, size: int) -> None:
        """Take a file that can be wound back; see :func:`.async_files.opened`."""
        name = getattr(file, "name", None)
        self.label = str(name or "the open file")
        self.filename = os.path.basename(name) if isinstance(name, str) else None  # noqa: PTH119
        self._file = file
        self._start = start
        self.size = size

    async def async_chunks(self) -> AsyncIterator[bytes]:
        """Yield the rest of the file."""
        end = self._start + self.size
        position = self._start
        try:
            while position < end:
                count = min(CHUNK_BYTES, end - position)
                async with turn(self._file):
                    before = await self._file.tell()
                    await self._file.seek(position)
                    try:
                        chunk = await self._file.read(count)
                    finally:
                        await self._file.seek(before)
                if not chunk:
                    raise _ended_early(self.label, end - position)
                position += len(chunk)
                yield chunk
        except (OSError, ValueError) as error:
            raise UploadError(f"cannot read {self.label}: {error}") from error


class SizedChunks(Content):
    """Content that is made while it is sent: pieces of bytes, and how many bytes they are in all.

    Nothing is put aside, so that memory and disk stay free. Pieces from an iterator come only once:
    a request that has taken the first of them is not tried again. Pieces from what can be iterated
    over anew, a list or an object with ``__iter__``, can be sent again like a file.
    """

    __slots__ = ("_begun", "_chunks", "asynchronous", "filename", "label", "size")

    def __init__(self, chunks: Iterable[bytes] | AsyncIterable[bytes], size: int) -> None:
        """Promise ``size`` bytes; more or fewer raise :class:`UploadError` while they are sent."""
        self._chunks: Any = chunks
        self._begun = False
        self.asynchronous = hasattr(chunks, "__aiter__")
        self.filename = None
        self.label = type(chunks).__name__
        self.size = size

    @property
    def spent(self) -> bool:
        """Whether the pieces have been taken, and cannot be taken again."""
        return self._begun and (hasattr(self._chunks, "__next__") or self._is_async_iterator())

    def _is_async_iterator(self) -> bool:
        return hasattr(self._chunks, "__anext__")

    def chunks(self) -> Iterator[bytes]:
        """Yield the pieces."""
        if self.asynchronous:
            yield from super().chunks()
        left = self._begin()
        for chunk in self._chunks:
            left = self._left(left, chunk)
            yield bytes(chunk)
        self._end(left)

    async def async_chunks(self) -> AsyncIterator[bytes]:
        """Yield the pieces of an asynchronous iterable."""
        left = self._begin()
        async for chunk in self._chunks:
            left = self._left(left, chunk)
            yield bytes(chunk)
        self._end(left)

    def _begin(self) -> int:
        if self.spent:
            raise UploadError(f"{self.label} has been read and cannot be sent again")
        self._begun = True
        return self.size

    def _left(self, left: int, chunk: Any) -> int:
        check_chunk(chunk, self.label)
        left -= _length(chunk)
        if left < 0:
            raise UploadError(f"{self.label} has more than the {self.size:,} bytes promised")
        return left

    def _end(self, left: int) -> None:
        if left:
            raise UploadError(f"{self.label} ended {left:,} bytes early")


class Spool:
    """Puts pieces aside until they can be sent: see :meth:`content`."""

    __slots__ = ("__weakref__", "_file", "_finalizer", "_limit", "_size", "filename", "label")

    def __init__(self, source: Any, limit: int | None) -> None:
        """Get ready to put ``source`` aside: an iterator, a pipe; at most ``limit`` bytes of it."""
        from tempfile import SpooledTemporaryFile
        from weakref import finalize

        name = getattr(source, "name", None)
        self.filename = os.path.basename(name) if isinstance(name, str) else None  # noqa: PTH119
        self.label = self.filename or type(source).__name__
        self._limit = limit
        self._size = 0
        self._file: Any = SpooledTemporaryFile(max_size=CHUNK_BYTES)  # noqa: SIM115
        self._finalizer = finalize(self, self._file.close)

    def put(self, chunk: Any) -> None:
        """Take a piece. Raises :class:`RequestTooLargeError` once they are too many bytes.

        Whatever the source goes on to yield is not asked for then: it may never end.
        """
        check_chunk(chunk, self.label)
        self._size += _length(chunk)
        if self._limit is not None and self._size > self._limit:
            raise RequestTooLargeError(self._size, self._limit)
        try:
            self._file.write(chunk)
        except OSError as error:
            raise UploadError(f"cannot put {self.label} aside: {error}") from error

    def content(self) -> Content:
        """Return what was put aside."""
        return _PutAside(self._file, self)


class _PutAside(OpenFile):
    """What a spool holds; it is gone with this object."""

    __slots__ = ("_spool",)

    def __init__(self, file: Any, spool: Spool) -> None:
        file.seek(0)
        super().__init__(file)
        self.filename = spool.filename
        self.label = spool.label
        self._spool = spool


def put_aside(source: Any, limit: int | None) -> Content:
    """Return the content of a pipe or an iterator, read to its end."""
    spool = Spool(source, limit)
    for chunk in _pieces(source):
        spool.put(chunk)
    return spool.content()


def _pieces(source: Any) -> Iterator[Any]:
    read = getattr(source, "read", None)
    if read is None:
        yield from source
        return
    while chunk := read(CHUNK_BYTES):
        yield chunk


def check_chunk(chunk: Any, label: str) -> None:
    """Raise ``TypeError`` for a piece that is not bytes."""
    if not isinstance(chunk, (bytes, bytearray, memoryview)):
        raise TypeError(f"{label} yields {type(chunk).__name__}; a file is sent from bytes")


def _length(chunk: Any) -> int:
    return chunk.nbytes if isinstance(chunk, memoryview) else len(chunk)


def read_at(file: Any, position: int, count: int) -> bytes:
    """Read from an open file, and leave it standing where it is."""
    with moving:
        before = file.tell()
        file.seek(position)
        try:
            chunk: bytes = file.read(count) or b""
        finally:
            file.seek(before)
    return chunk


def turn(file: Any) -> Any:
    """Return what to enter with ``async with`` while a file whose methods are awaited is moved."""
    from anyio import Lock as AsyncLock

    try:
        return _turns.setdefault(file, AsyncLock())
    except TypeError:
        # Nothing remembers a file that cannot be referred to weakly, or has no hash.
        return AsyncLock()


def exactly(file: IO[bytes], size: int, label: str) -> Iterator[bytes]:
    """Yield ``size`` bytes: what was announced, whatever is appended meanwhile."""
    left = size
    while left > 0:
        chunk = file.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise _ended_early(label, left)
        left -= len(chunk)
        yield chunk


def _ended_early(label: str, left: int) -> UploadError:
    return UploadError(f"{label} ended {left:,} bytes early: it was cut while it was sent")
