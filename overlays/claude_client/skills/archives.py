"""ZIP archives of skills: what is in them, read without trusting what they say."""

from __future__ import annotations

import io
import os
import struct
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any
from zipfile import BadZipFile, LargeZipFile, ZipFile

from claude_rest._runtime.errors import UploadError
from claude_rest._runtime.file_contents import Content, exactly

from ..errors import SkillError, SkillLimitError, UnsafePathError
from .members import ArchiveLimits, Member

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Final
    from zipfile import ZipInfo

SIGNATURE: Final = b"PK\x03\x04"
"""How every ZIP archive that has a file in it begins."""

_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_BYTES: Final = 20
_LONGEST_COMMENT: Final = 65_535

_UNREADABLE: Final = (
    BadZipFile,
    LargeZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)


class Archive:
    """An archive that can be opened as often as need be: a path, bytes, or an open file."""

    def __init__(self, source: Any) -> None:
        """Take an archive; nothing is read yet."""
        self._start = 0
        if hasattr(source, "read"):
            self._start = source.tell()
        self._source = source
        name = source if isinstance(source, str) else getattr(source, "name", None)
        if hasattr(source, "__fspath__"):
            name = os.fsdecode(source)
        self.label = name if isinstance(name, str) else "the archive"
        self.filename = os.path.basename(name) if isinstance(name, str) else "skill.zip"  # noqa: PTH119

    @contextmanager
    def file(self) -> Generator[IO[bytes], None, None]:
        """Open the archive as a file; one that was open stays so, and where it was."""
        source: Any = self._source
        data_types: Any = (bytes, bytearray, memoryview)
        if isinstance(source, data_types):
            with io.BytesIO(source) as file:
                yield file
        elif hasattr(source, "read"):
            source.seek(self._start)
            try:
                yield source
            finally:
                source.seek(self._start)
        else:
            with open(source, "rb") as file:  # noqa: PTH123
                yield file

    @contextmanager
    def opened(self, limits: ArchiveLimits) -> Generator[ZipFile, None, None]:
        """Open the archive. Raises :class:`~.errors.SkillError` for what is none.

        Its list of members is read at once, so how long that is is looked at before.
        """
        with self.file() as file:
            with readable(self.label):
                _check_directory(file, limits, self.label)
                archive = ZipFile(file)
            with archive:
                yield archive

    def is_archive(self) -> bool:
        """Tell by its first bytes whether this is an archive."""
        with self.file() as file:
            return file.read(len(SIGNATURE)) == SIGNATURE

    def size(self) -> int:
        """Return how many bytes the archive has."""
        with self.file() as file:
            return file.seek(0, os.SEEK_END)


@contextmanager
def readable(label: str) -> Generator[None, None, None]:
    """Raise :class:`~.errors.SkillError` for what :mod:`zipfile` cannot read."""
    try:
        yield
    except (SkillError, UnsafePathError):
        raise
    except _UNREADABLE as error:
        raise SkillError(f"{label} cannot be unpacked: {error}") from error


def _check_directory(file: IO[bytes], limits: ArchiveLimits, label: str) -> None:
    size = file.seek(0, os.SEEK_END)
    if size > limits.max_archive_bytes:
        raise SkillLimitError("bytes", limits.max_archive_bytes)
    tail_bytes = min(size, _END_BYTES + _LOCATOR_BYTES + _LONGEST_COMMENT)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise SkillError(f"{label} is no ZIP archive")
    # Its numbers would count in place of those looked at here; so small, no archive needs it.
    if _LOCATOR in tail[max(0, at - _LOCATOR_BYTES) : at]:
        raise SkillError(f"{label} is a ZIP64 archive, which is not supported")
    if int.from_bytes(tail[at + 12 : at + 16], "little") > limits.max_directory_bytes:
        raise SkillLimitError("files", limits.max_files)


def members(archive: ZipFile) -> list[tuple[ZipInfo, Member]]:
    """Return the members of an archive. Raises for a name that :mod:`zipfile` has cut short."""
    found: list[tuple[ZipInfo, Member]] = []
    for info in archive.infolist():
        # A name is cut at a zero byte, and on Windows its backslashes are turned around.
        if info.orig_filename != info.filename:
            raise UnsafePathError(info.orig_filename, "is not a plain name")
        member = Member(
            info.filename,
            info.file_size,
            info.compress_size,
            info.external_attr >> 16,
            info.flag_bits,
            info.compress_type,
        )
        found.append((info, member))
    return found


class ArchiveMember(Content):
    """A file in an archive, unpacked while it is sent."""

    __slots__ = ("_archive", "_info", "_limits", "filename", "label", "size")

    def __init__(self, archive: Archive, info: ZipInfo, limits: ArchiveLimits) -> None:
        """Name a member of ``archive``."""
        self._archive = archive
        self._info = info
        self._limits = limits
        self.filename = info.filename
        self.label = f"{info.filename} in {archive.label}"
        self.size = info.file_size

    def chunks(self) -> Iterator[bytes]:
        """Yield the content of the member."""
        try:
            with (
                self._archive.opened(self._limits) as archive,
                readable(self.label),
                archive.open(self._info) as file,
            ):
                yield from exactly(file, self.size, self.label)
        except (OSError, SkillError) as error:
            raise UploadError(f"cannot read {self.label}: {error}") from error
