"""What an archive says is in it, and whether to believe and unpack it. Pure: nothing is read."""

from __future__ import annotations

from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import SkillError, SkillLimitError, UnsafePathError
from .paths import check_path, same_file_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MANUAL: Final = "SKILL.md"
"""The file that every skill has directly in its top folder."""

_STORED_OR_DEFLATED: Final = (0, 8)
_ENCRYPTED: Final = 0x1
_RATIO_FLOOR: Final = 1024 * 1024


class ArchiveLimits(NamedTuple):
    """How much may come out of an archive."""

    max_bytes: int = 30 * 1024 * 1024
    """Bytes of all files together: what the API takes."""
    max_files: int = 10_000
    """Files and folders."""
    max_ratio: float = 200.0
    """How many times as large as the archive the files may be, beyond the first MiB."""

    @property
    def max_archive_bytes(self) -> int:
        """Bytes of the archive itself: its files stored as they are, and what describes them."""
        return self.max_bytes + self.max_directory_bytes

    @property
    def max_directory_bytes(self) -> int:
        """Bytes of the list of members, which is read before anything else."""
        return 64 * 1024 + 512 * self.max_files


class Member(NamedTuple):
    """One entry of an archive, as the archive describes it."""

    path: str
    """With ``/`` between the steps, and at the end of a folder."""
    size: int
    packed_size: int
    mode: int = 0
    """Mode of the file as on Unix; 0 where the archive does not say."""
    flags: int = 0
    method: int = 0

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.endswith("/")


def check_members(
    members: Iterable[Member],
    limits: ArchiveLimits,
    *,
    archive_bytes: int | None = None,
    on_windows: bool = False,
) -> list[tuple[str, ...]]:
    """Return the paths of all members by their steps, in order.

    Raises :class:`~.errors.UnsafePathError` for a member that could be written elsewhere or over
    another, is a link or a device; :class:`~.errors.SkillLimitError` for more than the limits
    allow; :class:`~.errors.SkillError` for what cannot be unpacked.
    """
    paths: list[tuple[str, ...]] = []
    files: set[tuple[str, ...]] = set()
    folders: set[tuple[str, ...]] = set()
    total = 0
    for member in members:
        if len(paths) >= limits.max_files:
            raise SkillLimitError("files", limits.max_files)
        total += member.size
        if member.size < 0 or total > limits.max_bytes:
            raise SkillLimitError("bytes", limits.max_bytes)
        check_kind(member)
        steps = check_path(member.path.removesuffix("/"), on_windows=on_windows)
        key = same_file_key(steps)
        if member.is_folder:
            folders.add(key)
        elif key in files:
            raise UnsafePathError(member.path, "is there twice")
        else:
            files.add(key)
        folders.update(key[:end] for end in range(1, len(key)))
        paths.append(steps)
    for key in files & folders:
        raise UnsafePathError("/".join(key), "is both a file and a folder")
    if archive_bytes is not None and total > max(limits.max_ratio * archive_bytes, _RATIO_FLOOR):
        raise SkillLimitError("times its own size", limits.max_ratio)
    return paths


def check_kind(member: Member) -> None:
    """Raise for what is neither a plain file nor a folder, or cannot be read."""
    kind = S_IFMT(member.mode & 0xFFFF)
    if kind not in (0, S_IFDIR if member.is_folder else S_IFREG):
        raise UnsafePathError(member.path, "is a link, a device or the like, not a file")
    if member.is_folder and member.size:
        raise UnsafePathError(member.path, "is a folder with content")
    if member.flags & _ENCRYPTED:
        raise SkillError(f"{member.path!r} in the archive is encrypted")
    if member.method not in _STORED_OR_DEFLATED:
        raise SkillError(f"{member.path!r} in the archive is packed in a way that is not supported")


def top_folder(paths: Sequence[tuple[str, ...]], what: str) -> str | None:
    """Return the folder that everything is in; ``None`` when ``SKILL.md`` stands in no folder.

    ``paths`` are those of files. Raises :class:`~.errors.SkillError` when neither holds.
    """
    if (MANUAL,) in paths:
        return None
    tops = {steps[0] for steps in paths}
    if len(tops) == 1:
        (top,) = tops
        if (top, MANUAL) in paths:
            return top
    for steps in paths:
        *folders, name = steps
        if len(folders) < 2 and name != MANUAL and name.lower() == MANUAL.lower():
            raise SkillError(f"{what}: the name of {'/'.join(steps)} must be {MANUAL}")
    if len(tops) > 1 and any(steps[1:] == (MANUAL,) for steps in paths):
        raise SkillError(f"{what} has files beside the folder with {MANUAL} in it")
    raise SkillError(f"{what} has no {MANUAL} at its root")
