"""The files in a folder, for a skill that is uploaded from it."""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from ..errors import SkillError, SkillLimitError, UnsafePathError
from .paths import JUNK, is_junk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MAX_FILES = 10_000
"""Files that a skill may have; more is a folder that was not meant."""


class FoundFile(NamedTuple):
    """A file in a folder."""

    steps: tuple[str, ...]
    """Its path below the folder."""
    path: str
    """Where its content is: links are resolved."""
    size: int


def walk(
    folder: str, leave_out: Collection[str] = JUNK, *, check_paths: bool = True
) -> list[FoundFile]:
    """Return the files in a folder and the folders in it, by name; nothing is opened.

    Links are followed as long as they stay in the folder. Raises
    :class:`~.errors.UnsafePathError` for one that leads out of it (unless ``check_paths`` is
    false) or around in a circle, :class:`~.errors.SkillError` for pipes, sockets and devices, and
    ``OSError`` for what cannot be read.
    """
    root = os.path.realpath(folder)
    found: list[FoundFile] = []
    for file in _walk(root, root, (), (root,), leave_out, check_paths):
        found.append(file)
        if len(found) > MAX_FILES:
            raise SkillLimitError("files", MAX_FILES)
    return found


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _walk(
    root: str,
    folder: str,
    above: tuple[str, ...],
    chain: tuple[str, ...],
    leave_out: Collection[str],
    check_paths: bool,
) -> Iterator[FoundFile]:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        steps = (*above, name)
        if is_junk((name,), leave_out):
            continue
        path = os.path.realpath(os.path.join(folder, name))  # noqa: PTH118
        if check_paths and not _is_inside(path, root):
            raise UnsafePathError("/".join(steps), "is a link that leads out of the folder")
        facts = os.stat(path)  # noqa: PTH116
        if S_ISDIR(facts.st_mode):
            if path in chain:
                raise UnsafePathError("/".join(steps), "is a link to a folder that it is in")
            yield from _walk(root, path, steps, (*chain, path), leave_out, check_paths)
        elif S_ISREG(facts.st_mode):
            yield FoundFile(steps, path, facts.st_size)
        else:
            raise SkillError(f"{'/'.join(steps)} is neither a file nor a folder")
