"""Forms with files in them (RFC 7578): what may stand for a file, and the body that is sent.

A body knows its size before anything of it is read. A file named by its path is opened when the
request is sent, anew for each attempt, and read in pieces.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG
from typing import IO, TYPE_CHECKING, Any, TypeAlias, Union

from .errors import HeaderValueError, UploadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from typing import Final, Protocol

    class _Content(Protocol):
        @property
        def size(self) -> int: ...

        @property
        def in_memory(self) -> bool: ...

        def chunks(self) -> Iterator[bytes]: ...


CHUNK_BYTES: Final = 1024 * 1024
"""How much of a file is read and handed on at a time, in bytes."""

FileContent: TypeAlias = Union[bytes, bytearray, memoryview, "os.PathLike[str]", IO[bytes]]
"""Content of a file: bytes, a path (``pathlib.Path``; a string is none), or an open binary file."""

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

_ACCEPTED = "pass bytes, a pathlib.Path, a file opened in binary mode, or (filename, content)"
_DEFAULT_TYPE = "application/octet-stream"
_ESCAPES = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}


class _InMemory:
    __slots__ = ("_data", "size")

    in_memory = True

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = data if isinstance(data, bytes) else bytes(data)
        self.size = len(self._data)

    def chunks(self) -> Iterator[bytes]:
        if self.size <= CHUNK_BYTES:
            yield self._data
            return
        view = memoryview(self._data)
        for start in range(0, self.size, CHUNK_BYTES):
            yield bytes(view[start : start + CHUNK_BYTES])


class _AtPath:
    __slots__ = ("_path", "size")

    in_memory = False

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self.size = size

    def chunks(self) -> Iterator[bytes]:
        try:
            with open(self._path, "rb") as file:  # noqa: PTH123 - pathlib takes long to load
                yield from _exactly(file, self.size, self._path)
        except OSError as error:
            raise UploadError(f"cannot read {self._path}: {error.strerror or error}") from error


class _OpenFile:
    __slots__ = ("_file", "_start", "size")

    in_memory = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._start = file.tell()
        self.size = max(0, file.seek(0, os.SEEK_END) - self._start)
        file.seek(self._start)

    def chunks(self) -> Iterator[bytes]:
        label = str(getattr(self._file, "name", "the open file"))
        try:
            # An attempt before may have moved it.
            self._file.seek(self._start)
            yield from _exactly(self._file, self.size, label)
        except (OSError, ValueError) as error:
            raise UploadError(f"cannot read {label}: {error}") from error


def _exactly(file: IO[bytes], size: int, label: str) -> Iterator[bytes]:
    """Yield ``size`` bytes: what was announced, whatever is appended meanwhile."""
    left = size
    while left > 0:
        chunk = file.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise UploadError(f"{label} ended {left:,} bytes early: it was cut while it was sent")
        left -= len(chunk)
        yield chunk


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
        content: _Content,
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

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in pieces. Raises :class:`UploadError` when it cannot be read."""
        return self._content.chunks()

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
    """A form ready to be sent, as often as need be: the same bytes each time."""

    __slots__ = ("_size", "boundary", "parts")

    boundary: str
    parts: tuple[FormPart, ...]

    def __init__(self, parts: Iterable[FormPart], boundary: str | None = None) -> None:
        """Put a form together; the boundary is random unless given."""
        self.parts = tuple(parts)
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

    def __len__(self) -> int:
        """Bytes of the whole body."""
        return self._size

    def __bool__(self) -> bool:
        return True

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces. Raises :class:`UploadError` when a file cannot be read."""
        for part in self.parts:
            yield self._opening(part)
            yield from part.chunks()
            yield b"\r\n"
        yield self._closing()

    async def async_chunks(self) -> AsyncIterator[bytes]:
        """Yield the same; files are read in threads, so that no event loop waits for a disk."""
        if all(part.in_memory for part in self.parts):
            for chunk in self.chunks():
                yield chunk
            return
        from .threads import off_loop

        chunks = self.chunks()
        while (read := await off_loop(lambda: next(chunks, None))) is not None:
            yield read

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
    return FormPart(name, _InMemory(text.encode()))


def file_parts(name: str, value: Any) -> list[FormPart]:
    """Return the parts of one argument: of one file, or of several when ``name`` ends in ``[]``.

    Raises ``TypeError`` for what is no :data:`FileInput`, ``OSError`` for a path where there is
    no file.
    """
    if not name.endswith("[]"):
        return [_file_part(name, value)]
    if _is_content(value) or isinstance(value, str) or _is_named(value):
        raise TypeError(f"{name.removesuffix('[]')} takes a list of files, not one file")
    return [_file_part(name, item) for item in value]


def _file_part(name: str, value: Any) -> FormPart:
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
    if not _is_content(content):
        raise TypeError(f"{name}: {type(content).__name__} is no file; {_ACCEPTED}")
    if filename is None:
        filename = _own_name(content) or UNNAMED
    if media_type is None:
        media_type = _guessed_type(filename)
    return FormPart(name, _content(content), filename=filename, content_type=media_type)


def _is_content(value: object) -> bool:
    return _is_bytes(value) or _is_path(value) or hasattr(value, "read")


def _is_bytes(value: object) -> bool:
    return isinstance(value, (bytes, bytearray, memoryview))


def _is_path(value: object) -> bool:
    return hasattr(value, "__fspath__")


def _is_named(value: Any) -> bool:
    """Tell whether a tuple is one file with its name rather than several files."""
    return value.__class__ is tuple and bool(value) and value[0].__class__ in (str, type(None))


def _content(value: Any) -> _Content:
    if _is_bytes(value):
        return _InMemory(value)
    if _is_path(value):
        path = os.fsdecode(value)
        facts = os.stat(path)  # noqa: PTH116 - pathlib takes long to load
        if S_ISREG(facts.st_mode):
            return _AtPath(path, facts.st_size)
        if S_ISDIR(facts.st_mode):
            from errno import EISDIR

            raise IsADirectoryError(EISDIR, os.strerror(EISDIR), path)
        # A pipe says its size only by being read.
        with open(path, "rb") as pipe:  # noqa: PTH123
            return _InMemory(pipe.read())
    if isinstance(value.read(0), str):
        raise TypeError('a file to send must be opened in binary mode: open(path, "rb")')
    seekable = getattr(value, "seekable", None)
    if seekable is None or not seekable():
        return _InMemory(value.read())
    return _OpenFile(value)


def _own_name(content: Any) -> str:
    """Return the last part of the name of a path or an open file; empty when it has none."""
    if _is_path(content):
        return os.path.basename(os.fsdecode(content))  # noqa: PTH119
    name = getattr(content, "name", None)
    return os.path.basename(name) if isinstance(name, str) else ""  # noqa: PTH119


def _guessed_type(filename: str) -> str:
    from mimetypes import guess_type

    guessed, encoding = guess_type(filename)
    if encoding is not None:
        # The bytes are those of the compressed file, not of what is in it.
        return "application/gzip" if encoding == "gzip" else _DEFAULT_TYPE
    return guessed or _DEFAULT_TYPE
