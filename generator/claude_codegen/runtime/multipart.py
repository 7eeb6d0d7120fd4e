"""Forms with files in them (RFC 7578): what may stand for a file, and the body that is sent.

A body knows its size before it is sent. A file named by its path is opened when the request is
sent, anew for each attempt, and read in pieces; :mod:`.file_contents` says what becomes of others.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable
from inspect import isawaitable
from stat import S_ISDIR, S_ISREG
from typing import IO, TYPE_CHECKING, Any, TypeAlias, Union

from .errors import HeaderValueError
from .file_contents import AtPath, Content, InMemory, OpenFile, put_aside
from .transfer import Teller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator
    from typing import Final, Protocol

    class AsyncReadable(Protocol):
        """An open file whose methods are awaited, such as those of anyio and aiofiles."""

        def read(self, size: int, /) -> Awaitable[bytes]:
            """Read at most ``size`` bytes; none at the end."""
            ...


FileContent: TypeAlias = Union[
    bytes,
    bytearray,
    memoryview,
    "os.PathLike[str]",
    IO[bytes],
    Iterable[bytes],
    Content,
    "AsyncReadable",
    AsyncIterable[bytes],
]
"""Content of a file: bytes, a path (``pathlib.Path``; a string is none), an open binary file, an
iterator of bytes, or :class:`.SizedChunks`. The last two of this list need an asynchronous client.

What can be read only once, a pipe or an iterator, is put aside before it is sent, in a temporary
file when it is large: its size has to be known, and a retry sends the same bytes.
"""

FileInput: TypeAlias = Union[
    FileContent,
    "tuple[str | None, FileContent]",
    "tuple[str | None, FileContent, str | None]",
]
"""A file to send: its content, ``(filename, content)`` or ``(filename, content, media type)``.

Without a file name the last part of the path is taken, or of the file's ``name``; a name in a
tuple is sent as it is, folders included. Without a media type the ending of the name decides.
"""

UNNAMED: Final = "upload"
"""File name of content that has none: a part without a name would not count as a file."""

_ACCEPTED = (
    "pass bytes, a pathlib.Path, a file opened in binary mode, an iterator of bytes, or "
    "(filename, content)"
)
_DEFAULT_TYPE = "application/octet-stream"
_ESCAPES = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


class FormPart:
    """One field of a form."""

    __slots__ = ("_content", "content_type", "filename", "name")

    name: str
    filename: str | None
    """``None`` for a field that is no file."""
    content_type: str | None

    def __init__(
        self,
        name: str,
        content: Content,
        *,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        """Make a part. Raises :class:`HeaderValueError` for a media type that HTTP forbids."""
        if content_type is not None and not (content_type.isascii() and content_type.isprintable()):
            raise HeaderValueError(f"the media type of {name!r} is not printable ASCII")
        self.name = name
        self.filename = filename
        self.content_type = content_type
        self._content = content

    @property
    def size(self) -> int:
        """Bytes of the content."""
        return self._content.size

    @property
    def in_memory(self) -> bool:
        """Whether reading the content does no I/O."""
        return self._content.in_memory

    @property
    def spent(self) -> bool:
        """Whether the content has been read, and cannot be read again."""
        return self._content.spent

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in pieces. Raises :class:`UploadError` when it cannot be read."""
        return self._content.chunks()

    async def async_chunks(self) -> AsyncIterator[bytes]:
        """Yield the same; files are read in threads, so that no event loop waits for a disk."""
        if self._content.asynchronous:
            async for chunk in self._content.async_chunks():
                yield chunk
            return
        chunks = self.chunks()
        if self.in_memory:
            for chunk in chunks:
                yield chunk
            return
        from .threads import off_loop

        while (read := await off_loop(lambda: next(chunks, None))) is not None:
            yield read

    def head(self) -> bytes:
        """Return the headers of the part.

        Names are UTF-8 (RFC 7578 section 5.1); quotes and line breaks are percent-encoded, as
        browsers do (HTML Standard, multipart form data).
        """
        disposition = f'form-data; name="{self.name.translate(_ESCAPES)}"'
        if self.filename is not None:
            disposition += f'; filename="{self.filename.translate(_ESCAPES)}"'
        lines = f"Content-Disposition: {disposition}\r\n"
        if self.content_type is not None:
            lines += f"Content-Type: {self.content_type}\r\n"
        # A file name that is not valid Unicode comes from the file system, and goes out as there.
        return (lines + "\r\n").encode("utf-8", "surrogateescape")

    def __repr__(self) -> str:
        return f"FormPart({self.name!r}, filename={self.filename!r}, {self.size} bytes)"


class MultipartBody:
    """A form ready to be sent: the same bytes each time, as often as need be unless ``spent``."""

    __slots__ = ("_size", "boundary", "parts", "progress")

    boundary: str
    parts: tuple[FormPart, ...]
    progress: Any
    """What is told how much of the files is sent, a :data:`.ProgressInput`."""

    def __init__(self, parts: Iterable[FormPart], boundary: str | None = None) -> None:
        """Put a form together; the boundary is random unless given."""
        self.parts = tuple(parts)
        self.progress = None
        self.boundary = os.urandom(16).hex() if boundary is None else boundary
        framing = sum(len(self._opening(part)) + 2 for part in self.parts) + len(self._closing())
        self._size = framing + sum(part.size for part in self.parts)

    @property
    def content_type(self) -> str:
        """Value of the header ``content-type``."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def file_bytes(self) -> int:
        """Bytes of all files together, without what frames them."""
        return sum(part.size for part in self.parts if part.filename is not None)

    @property
    def spent(self) -> bool:
        """Whether it has been sent, at least in part, and cannot be sent again."""
        return any(part.spent for part in self.parts)

    def __len__(self) -> int:
        """Bytes of the whole body."""
        return self._size

    def __bool__(self) -> bool:
        return True

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces. Raises :class:`UploadError` when a file cannot be read."""
        teller = self._teller()
        try:
            for part in self.parts:
                yield self._opening(part)
                for chunk in part.chunks():
                    yield chunk
                    if teller is not None and part.filename is not None:
                        teller.tell(len(chunk))
                yield b"\r\n"
            yield self._closing()
        finally:
            if teller is not None:
                teller.close()

    async def async_chunks(self) -> AsyncIterator[bytes]:
        """Yield the same on an event loop, which waits for no disk."""
        teller = self._teller()
        try:
            for part in self.parts:
                yield self._opening(part)
                async for chunk in part.async_chunks():
                    yield chunk
                    if teller is not None and part.filename is not None:
                        teller.tell(len(chunk))
                yield b"\r\n"
            yield self._closing()
        finally:
            if teller is not None:
                teller.close()

    def _teller(self) -> Teller | None:
        if self.progress is None:
            return None
        teller = Teller(self.progress, self.file_bytes)
        teller.tell()
        return teller

    def read(self) -> bytes:
        """Return the whole body."""
        return b"".join(self.chunks())

    def _opening(self, part: FormPart) -> bytes:
        return f"--{self.boundary}\r\n".encode() + part.head()

    def _closing(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode()

    def __repr__(self) -> str:
        return f"MultipartBody({len(self.parts)} parts, {self._size} bytes)"


def text_part(name: str, text: str) -> FormPart:
    """Return a field that is no file."""
    return FormPart(name, InMemory(text.encode()))


def file_parts(name: str, value: Any, limit: int | None = None) -> list[FormPart]:
    """Return the parts of one argument: of one file, or of several when ``name`` ends in ``[]``.

    What says its size only by being read is read here, and put aside. Raises ``TypeError`` for
    what is no :data:`FileInput`, ``OSError`` for a path where there is no file, and
    :class:`RequestTooLargeError` for what is put aside and has more than ``limit`` bytes.
    """
    if not name.endswith("[]"):
        return [_file_part(name, value, limit)]
    if _is_content(value) or isinstance(value, str) or _is_named(value):
        raise TypeError(f"{name.removesuffix('[]')} takes a list of files, not one file")
    return [_file_part(name, item, limit) for item in value]


def _file_part(name: str, value: Any, limit: int | None) -> FormPart:
    filename: str | None = None
    media_type: str | None = None
    content = value
    if value.__class__ is tuple:
        if not 2 <= len(value) <= 3:
            raise TypeError(f"{name}: a tuple is (filename, content) or (filename, content, type)")
        filename, content = value[:2]
        media_type = value[2] if len(value) == 3 else None
    if isinstance(content, str):
        raise TypeError(
            f"{name}: a string may be a path or a text; pass pathlib.Path(...) for the file there, "
            "or .encode() it to send the text itself"
        )
    if hasattr(content, "__aiter__") and not _is_content(content):
        raise TypeError(f"{name}: {type(content).__name__} needs an asynchronous client")
    if not _is_content(content) and not _is_iterator(content):
        raise TypeError(f"{name}: {type(content).__name__} is no file; {_ACCEPTED}")
    found = _content(name, content, limit)
    if filename is None:
        filename = found.filename or UNNAMED
    if media_type is None:
        media_type = _guessed_type(filename)
    return FormPart(name, found, filename=filename, content_type=media_type)


def _is_content(value: object) -> bool:
    return (
        isinstance(value, Content)
        or _is_bytes(value)
        or hasattr(value, "__fspath__")
        or hasattr(value, "read")
    )


def _is_bytes(value: object) -> bool:
    return isinstance(value, (bytes, bytearray, memoryview))


def _is_iterator(value: object) -> bool:
    # A list is more likely several files where one is asked for.
    return hasattr(value, "__iter__") and not hasattr(value, "__len__")


def _is_named(value: Any) -> bool:
    """Tell whether a tuple is one file with its name rather than several files."""
    return value.__class__ is tuple and bool(value) and value[0].__class__ in (str, type(None))


def _content(name: str, value: Any, limit: int | None) -> Content:
    if isinstance(value, Content):
        return value
    if _is_bytes(value):
        return InMemory(value)
    if hasattr(value, "__fspath__"):
        return content_at(os.fsdecode(value), limit)
    if not hasattr(value, "read"):
        return put_aside(value, limit)
    probe = value.read(0)
    if isawaitable(probe):
        close = getattr(probe, "close", None)
        if close is not None:
            close()
        raise TypeError(f"{name}: {type(value).__name__} needs an asynchronous client")
    if isinstance(probe, str):
        raise TypeError('a file to send must be opened in binary mode: open(path, "rb")')
    seekable = getattr(value, "seekable", None)
    if seekable is None or not seekable():
        return put_aside(value, limit)
    return OpenFile(value)


def content_at(path: str, limit: int | None = None) -> Content:
    """Return the content of what is at a path: a file, or a pipe, which is read here.

    Raises ``OSError`` when there is nothing, or a folder.
    """
    facts = os.stat(path)  # noqa: PTH116 - pathlib takes long to load
    if S_ISREG(facts.st_mode):
        return AtPath(path, facts.st_size)
    if S_ISDIR(facts.st_mode):
        from errno import EISDIR

        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), path)
    # A pipe says its size only by being read.
    with open(path, "rb") as pipe:  # noqa: PTH123
        return put_aside(pipe, limit)


def _guessed_type(filename: str) -> str:
    from mimetypes import guess_type

    guessed, encoding = guess_type(filename)
    if encoding is not None:
        # The bytes are those of the compressed file, not of what is in it.
        return "application/gzip" if encoding == "gzip" else _DEFAULT_TYPE
    return guessed or _DEFAULT_TYPE
