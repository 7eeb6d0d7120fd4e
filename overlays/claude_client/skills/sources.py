"""What a skill may be uploaded from, and the parts of the form that come of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.errors import RequestTooLargeError
from claude_rest._runtime.file_contents import AtPath

from ..errors import SkillError
from .archives import Archive, ArchiveMember, members
from .folders import MAX_FILES, walk
from .members import ArchiveLimits, check_kind, top_folder
from .paths import JUNK, check_path, is_junk

if TYPE_CHECKING:
    from collections.abc import Collection

    from claude_rest._runtime.multipart import FileInput

MAX_BYTES = 30 * 1024 * 1024
"""Bytes that all files of a skill may have together, unpacked."""

# Nothing is unpacked but what is sent, and that is limited by its size.
_READING = ArchiveLimits(max_bytes=8 * 1024**3, max_files=MAX_FILES)


def skill_files(
    path: str | os.PathLike[str],
    *,
    leave_out: Collection[str] = JUNK,
    max_bytes: int | None = MAX_BYTES,
    check_paths: bool = True,
) -> list[FileInput]:
    """Return the files of the skill in a folder, or in a ZIP archive, for ``skills.create``.

    ``client.skills.create(files=Path("my-skill"))`` calls this. Nothing is read before it is sent.
    The files stand under one folder, named as ``path`` is. An archive goes out as it is when it has
    that form; one with ``SKILL.md`` outside of any folder, or with something to leave out, goes out
    file by file.

    Args:
        path: The folder with ``SKILL.md`` in it, or the archive.
        leave_out: Names of files and folders that are not uploaded, with wildcards; by default
            :data:`JUNK`. Everything else is, hidden files included.
        max_bytes: How many bytes the files may have together, unpacked; ``None`` for any number.
        check_paths: Whether paths and links that lead out of the folder are refused.

    Raises:
        SkillError: There is no ``SKILL.md`` at the root, or the archive cannot be read.
        UnsafePathError: A path or a link leads out of the folder.
        RequestTooLargeError: The files have more than ``max_bytes``.
        OSError: Something cannot be read.
    """
    if os.path.isdir(path):  # noqa: PTH112
        return _from_folder(os.fsdecode(path), leave_out, max_bytes, check_paths)
    return _from_archive(Archive(path), path, leave_out, max_bytes, check_paths)


def skill_parts(
    files: Any, *, max_bytes: int | None = MAX_BYTES, check_paths: bool = True
) -> list[FileInput]:
    """Return the files of whatever stands for a skill: a folder, an archive, or a list of files.

    An archive is a path, bytes or an open file; alone or the only one of a list. The paths of a
    list are checked, what is in its files is not. Raises what :func:`skill_files` raises.
    """
    if isinstance(files, str) or hasattr(files, "__fspath__"):
        return skill_files(files, max_bytes=max_bytes, check_paths=check_paths)
    if _is_archive(files):
        return _from_archive(Archive(files), files, JUNK, max_bytes, check_paths)
    one_file: Any = (bytes, bytearray, memoryview)
    if isinstance(files, one_file) or hasattr(files, "read"):
        raise SkillError("one file that is no ZIP archive is no skill")
    # One file with its name, where a list of such is asked for.
    given = [files] if _is_named(files) else list(files)
    if len(given) == 1:
        content = given[0][1] if _is_named(given[0]) else given[0]
        if _is_archive(content):
            return _from_archive(Archive(content), given[0], JUNK, max_bytes, check_paths)
    if check_paths:
        for file in given:
            name = file[0] if _is_named(file) else None
            if name is not None:
                check_path(name)
    return given


def _is_named(value: Any) -> bool:
    return value.__class__ is tuple and len(value) > 1 and isinstance(value[0], (str, type(None)))


def _is_archive(content: Any) -> bool:
    if isinstance(content, (bytes, bytearray, memoryview)):
        return Archive(content).is_archive()
    if hasattr(content, "__fspath__"):
        return os.path.isfile(content) and Archive(content).is_archive()  # noqa: PTH113
    seekable = getattr(content, "seekable", None)
    if seekable is None or not hasattr(content, "tell") or seekable() is not True:
        return False
    return isinstance(content.read(0), bytes) and Archive(content).is_archive()


def _from_folder(
    folder: str, leave_out: Collection[str], max_bytes: int | None, check_paths: bool
) -> list[FileInput]:
    name = os.path.basename(os.path.abspath(folder))  # noqa: PTH100, PTH119
    found = walk(folder, leave_out, check_paths=check_paths)
    if top_folder([file.steps for file in found], folder) is not None:
        raise SkillError(f"{folder} has no SKILL.md at its root, but a folder with one in it")
    _check_size(sum(file.size for file in found), max_bytes)
    parts: list[FileInput] = []
    for file in found:
        path = "/".join((name, *file.steps))
        if check_paths:
            check_path(path)
        parts.append((path, AtPath(file.path, file.size)))
    return parts


def _from_archive(
    archive: Archive,
    whole: Any,
    leave_out: Collection[str],
    max_bytes: int | None,
    check_paths: bool,
) -> list[FileInput]:
    if not archive.is_archive():
        raise SkillError(f"{archive.label} is neither a folder nor a ZIP archive")
    with archive.opened(_READING) as opened:
        found = [(info, member) for info, member in members(opened) if not member.is_folder]
    kept = [entry for entry in found if not is_junk(entry[1].path.split("/"), leave_out)]
    if check_paths:
        for _, member in kept:
            check_kind(member)
            check_path(member.path)
    paths = [tuple(member.path.split("/")) for _, member in kept]
    top = top_folder(paths, archive.label)
    _check_size(sum(member.size for _, member in kept), max_bytes)
    if top is not None and len(kept) == len(found):
        return [whole if _is_named(whole) else (archive.filename, whole, "application/zip")]
    folder = (os.path.splitext(archive.filename)[0] or "skill",) if top is None else ()  # noqa: PTH122
    return [
        ("/".join((*folder, *path)), ArchiveMember(archive, info, _READING))
        for path, (info, _) in zip(paths, kept, strict=True)
    ]


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise RequestTooLargeError(size, limit)
