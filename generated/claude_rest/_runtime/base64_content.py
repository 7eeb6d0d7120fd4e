"""What may stand where base64 goes in a JSON body, and how it becomes base64 while it is sent.

The size is known before anything is read. A file named by its path is opened when the request is
sent, anew for each attempt; an open file is read from where it stands, and is left standing there.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG
from typing import IO, TYPE_CHECKING, Any, TypeAlias, Union

from .errors import UploadError
from .file_contents import moving, read_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

encode_block: Callable[[Any], bytes]
try:
    # Some ten times as fast as the standard library; comes with the extra ``fast``.
    from pybase64 import b64encode as encode_block
except ImportError:
    from base64 import b64encode as encode_block

BLOCK_BYTES: Final = 96 * 1024
"""How much is encoded at a time, in bytes: a multiple of three, so that only the end is padded."""

Base64Input: TypeAlias = Union[str, bytes, bytearray, memoryview, "os.PathLike[str]", IO[bytes]]
"""Content where base64 goes. A string is base64 already and is sent as it is.

Anything else is the content itself: bytes, a path (``pathlib.Path``; a string is none), or an open
binary file. It is encoded while it is sent.
"""


class Base64Content:
    """Content that goes out as base64, as often as need be: the same text each time."""

    __slots__ = ("_reader", "in_memory", "name", "size")

    name: str | None
    """Name of the file, without its folders; ``None`` where there is none."""
    size: int
    """Bytes of the content itself."""
    in_memory: bool
    """Whether reading it does no I/O."""

    def __init__(self, value: Any) -> None:
        """Take bytes, a path or an open file.

        Raises ``OSError`` for a path where there is no file, ``TypeError`` for an open file that
        gives text. Of what cannot be rewound, such as a pipe, the rest is read into memory.
        """
        self.name = _name(value)
        self.in_memory = True
        if _is_bytes(value):
            # What can be changed meanwhile is copied by this, bytes are not.
            self._in_memory(bytes(value))
        elif hasattr(value, "__fspath__"):
            self._at_path(os.fsdecode(value))
        else:
            self._open_file(value)

    def _in_memory(self, data: bytes) -> None:
        self.size = len(data)
        self._reader: Callable[[], Iterator[Any]] = lambda: _slices(data)

    def _at_path(self, path: str) -> None:
        facts = os.stat(path)  # noqa: PTH116 - pathlib takes long to load
        if S_ISDIR(facts.st_mode):
            from errno import EISDIR

            raise IsADirectoryError(EISDIR, os.strerror(EISDIR), path)
        if S_ISREG(facts.st_mode):
            self.size = size = facts.st_size
            self.in_memory = False
            self._reader = lambda: _blocks_at(path, size)
        else:
            with open(path, "rb") as pipe:  # noqa: PTH123
                self._in_memory(pipe.read())

    def _open_file(self, file: Any) -> None:
        if isinstance(file.read(0), str):
            raise TypeError('a file to send must be opened in binary mode: open(path, "rb")')
        seekable = getattr(file, "seekable", None)
        if seekable is None or not seekable():
            self._in_memory(file.read())
            return
        with moving:
            start = file.tell()
            size = _size_from(file, start)
        self.size = size
        self.in_memory = False
        label = self.name or "the open file"
        self._reader = lambda: _blocks_of(file, start, size, label)

    def __len__(self) -> int:
        """Bytes of the base64 text."""
        return (self.size + 2) // 3 * 4

    def __bool__(self) -> bool:
        return True

    def chunks(self) -> Iterator[bytes]:
        """Yield the base64 text in pieces.

        Raises :class:`UploadError` when the content cannot be read or has changed its size.
        """
        for block in self._reader():
            yield encode_block(block)

    def __repr__(self) -> str:
        return f"<{shown_size(self.size)} of {self.name or 'bytes'}>"


def shown_size(size: int) -> str:
    """Return a number of bytes as people write it: ``20 MB``, ``1.5 kB``, ``12 bytes``."""
    if size < 1000:
        return f"{size} bytes"
    number, unit = (size / 1e3, "kB") if size < 999_500 else (size / 1e6, "MB")
    return f"{number:.3g} {unit}" if number < 1000 else f"{number:,.0f} {unit}"


def _is_bytes(value: object) -> bool:
    return isinstance(value, (bytes, bytearray, memoryview))


def _name(value: Any) -> str | None:
    name = value if hasattr(value, "__fspath__") else getattr(value, "name", None)
    if name.__class__ is int or name is None:
        # Of a file opened by its descriptor.
        return None
    try:
        return os.path.basename(os.fsdecode(name)) or None  # noqa: PTH119
    except TypeError:
        return None


def _slices(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    for start in range(0, len(data), BLOCK_BYTES):
        yield view[start : start + BLOCK_BYTES]


def _blocks_at(path: str, size: int) -> Iterator[bytes]:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            yield from _blocks(file.read, size, os.fstat(file.fileno()).st_size, path)
    except OSError as error:
        raise UploadError(f"cannot read {path}: {error.strerror or error}") from error


def _blocks_of(file: Any, start: int, size: int, label: str) -> Iterator[bytes]:
    position = start

    def read(count: int) -> bytes:
        nonlocal position
        block = read_at(file, position, count)
        position += len(block)
        return block

    try:
        with moving:
            now = _size_from(file, start)
        yield from _blocks(read, size, now, label)
    except (OSError, ValueError) as error:
        raise UploadError(f"cannot read {label}: {error}") from error


def _blocks(
    read: Callable[[int], bytes | None], size: int, size_now: int, label: str
) -> Iterator[bytes]:
    """Yield what was announced, all but the last of :data:`BLOCK_BYTES`; nothing else will do."""
    left = size
    if size_now != size:
        raise _changed(label, size, size_now)
    while left > 0:
        wanted = min(BLOCK_BYTES, left)
        block = read(wanted) or b""
        while block and len(block) < wanted:
            more = read(wanted - len(block))
            if not more:
                break
            block += more
        left -= wanted
        if len(block) < wanted:
            raise _changed(label, size, size - left - wanted + len(block))
        if left == 0 and read(1):
            raise _changed(label, size, None)
        yield block


def _changed(label: str, size: int, now: int | None) -> UploadError:
    shown = "more" if now is None else f"{now:,}"
    return UploadError(
        f"{label} changed while it was sent: it had {size:,} bytes when the request was made, and "
        f"now has {shown}"
    )


def _size_from(file: Any, start: int) -> int:
    """Return how many bytes follow ``start``; the file is left standing where it is."""
    before = file.tell()
    size: int = max(0, file.seek(0, os.SEEK_END) - start)
    file.seek(before)
    return size
