"""Unpacks the archive of a skill into a folder, all of it or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from claude_rest._runtime.threads import off_loop

from ..errors import SkillLimitError
from .archives import Archive, members, readable
from .members import ArchiveLimits, Member, check_members, top_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias
    from zipfile import ZipFile, ZipInfo

    from claude_rest._runtime.binary import AsyncBinaryResponse, BinaryResponse

    ArchiveInput: TypeAlias = (
        str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | BinaryResponse
    )

_CHUNK_BYTES = 256 * 1024
_LIMITS = ArchiveLimits()


def unpack_skill(
    archive: ArchiveInput,
    target: str | os.PathLike[str],
    *,
    limits: ArchiveLimits = _LIMITS,
    replace: bool = False,
) -> Path:
    """Unpack a skill, so that ``SKILL.md`` is directly in ``target``, and return that path.

    ::

        archive = client.skills.versions.download(skill.id, "latest")
        unpack_skill(archive, "my-skill")

    The folder appears when it is complete; whatever goes wrong leaves nothing behind. The archive
    is not trusted: paths that lead elsewhere, links, devices, two members of one name and more than
    ``limits`` allow are refused before anything is written, and what comes out is counted again.

    Args:
        archive: A path, bytes, an open file, or the answer of ``skills.versions.download``, which
            is read and closed.
        target: The folder to make; its parent must be there.
        limits: How much may come out of the archive.
        replace: Whether a folder that is there makes way. Without it only an empty one does.

    Raises:
        UnsafePathError: A member could be written elsewhere, or over another.
        SkillLimitError: There is more in the archive than ``limits`` allow.
        SkillError: It is no archive, or no skill.
        FileExistsError: There is something at ``target``.
        OSError: The files cannot be written.
    """
    path = Path(target)
    _check_target(path, replace)
    if not hasattr(archive, "write_to_file"):
        return _unpack(Archive(archive), path, limits, replace)
    with tempfile.TemporaryFile() as spool:
        archive.write_to_file(_Bounded(spool, limits.max_archive_bytes))  # type: ignore[arg-type]
        spool.seek(0)
        return _unpack(Archive(spool), path, limits, replace)


async def async_unpack_skill(
    archive: ArchiveInput | AsyncBinaryResponse,
    target: str | os.PathLike[str],
    *,
    limits: ArchiveLimits = _LIMITS,
    replace: bool = False,
) -> Path:
    """Unpack a skill in a thread; see :func:`unpack_skill`.

    ``archive`` may also be the answer that an asynchronous client has to
    ``skills.versions.download``.
    """
    path = Path(target)
    given: Any = archive
    if not hasattr(given, "write_to_file"):
        return await off_loop(lambda: unpack_skill(given, path, limits=limits, replace=replace))
    await off_loop(lambda: _check_target(path, replace))
    with tempfile.TemporaryFile() as spool:
        bounded: Any = _Bounded(spool, limits.max_archive_bytes)
        written: Any = given.write_to_file(bounded)
        if hasattr(written, "__await__"):
            await written
        spool.seek(0)
        return await off_loop(lambda: _unpack(Archive(spool), path, limits, replace))


class _Bounded:
    """A file that takes so many bytes and no more."""

    def __init__(self, file: Any, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._left = limit

    def write(self, data: bytes) -> int:
        self._left -= len(data)
        if self._left < 0:
            raise SkillLimitError("bytes", self._limit)
        self._file.write(data)
        return len(data)


def _check_target(target: Path, replace: bool) -> None:
    if not replace and (target.is_symlink() or target.exists()):
        from errno import EEXIST

        if not target.is_symlink() and target.is_dir() and not any(target.iterdir()):
            return
        raise FileExistsError(EEXIST, os.strerror(EEXIST), str(target))


def _unpack(archive: Archive, target: Path, limits: ArchiveLimits, replace: bool) -> Path:
    # Beside the target, so that putting it there is one step.
    temporary = target.parent / f".{target.name[:100]}.{os.urandom(4).hex()}.part"
    with archive.opened(limits) as opened:
        found = list(_checked(archive, opened, limits))
        # Not made with the modes of temporary folders, which nobody else can read.
        temporary.mkdir()
        try:
            left = limits.max_bytes
            for steps, info, member in found:
                place = temporary.joinpath(*steps)
                if member.is_folder:
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                left = _write(opened, info, place, left, limits)
                if member.mode & 0o111:
                    place.chmod(place.stat().st_mode | (place.stat().st_mode & 0o444) >> 2)
            _put_in_place(temporary, target, replace)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    return target


def _checked(
    archive: Archive, opened: ZipFile, limits: ArchiveLimits
) -> Iterator[tuple[tuple[str, ...], ZipInfo, Member]]:
    """Yield the members by their paths below the top folder."""
    found = members(opened)
    paths = check_members(
        [member for _, member in found],
        limits,
        archive_bytes=archive.size(),
        on_windows=os.name == "nt",
    )
    files = [path for path, (_, member) in zip(paths, found, strict=True) if not member.is_folder]
    top = top_folder(files, archive.label)
    for steps, (info, member) in zip(paths, found, strict=True):
        if top is None:
            yield steps, info, member
        elif steps[0] == top and len(steps) > 1:
            yield steps[1:], info, member


def _write(opened: ZipFile, info: ZipInfo, place: Path, left: int, limits: ArchiveLimits) -> int:
    """Write a member, and return how many bytes may still come after it."""
    with readable(info.filename), opened.open(info) as source, place.open("xb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise SkillLimitError("bytes", limits.max_bytes)
            file.write(chunk)
    return left


def _put_in_place(temporary: Path, target: Path, replace: bool) -> None:
    if not replace or not (target.is_symlink() or target.exists()):
        # Over an empty folder that works on some systems only.
        if target.is_dir() and not target.is_symlink():
            target.rmdir()
        temporary.rename(target)
        return
    aside = temporary.with_suffix(".old")
    target.rename(aside)
    try:
        temporary.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink()
