"""Which paths a file of a skill may have. Pure: no file is looked at."""

from __future__ import annotations

import unicodedata
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from ..errors import UnsafePathError

if TYPE_CHECKING:
    from collections.abc import Collection

JUNK: Final = (
    ".git",
    ".hg",
    ".svn",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".DS_Store",
    "._*",
    "__MACOSX",
    "Thumbs.db",
    "desktop.ini",
)
"""What tools leave in folders: names, with the wildcards of :mod:`fnmatch`, of what is left out."""

LONGEST_STEP: Final = 255
"""Bytes that the name of one file or folder may have, as on every usual file system."""

LONGEST_PATH: Final = 1024
"""Bytes that a whole path may have."""

_FORBIDDEN: Final = '\\:*?"<>|'
_DEVICES: Final = frozenset(
    ("con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10)))
)


def check_path(path: str, *, on_windows: bool = False) -> tuple[str, ...]:
    """Return the steps of a relative path with ``/`` between them.

    Raises :class:`~.errors.UnsafePathError` for a path that could lead out of the folder it is put
    in, on any system: absolute ones, ``..``, drives, backslashes; and for those that cannot be a
    file everywhere: control characters, names that are too long or no Unicode. ``on_windows``
    refuses the names of devices too, ``nul.txt`` for example.
    """
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise UnsafePathError(path, "is not valid Unicode") from None
    if not path:
        raise UnsafePathError(path, "is empty")
    if len(encoded) > LONGEST_PATH:
        raise UnsafePathError(path, f"has more than {LONGEST_PATH:,} bytes")
    if path.startswith("/"):
        raise UnsafePathError(path, "is absolute")
    for character in path:
        if character in _FORBIDDEN:
            raise UnsafePathError(path, f"has {character!r} in it")
        # Controls, and what turns the direction of text around so that a name reads as another.
        if unicodedata.category(character) == "Cc" or character in "\u202a\u202b\u202d\u202e":
            raise UnsafePathError(path, f"has {character!r} in it")
    steps = tuple(path.split("/"))
    for step in steps:
        _check_step(path, step, on_windows)
    return steps


def _check_step(path: str, step: str, on_windows: bool) -> None:
    if step in (".", ".."):
        raise UnsafePathError(path, f"has the step {step!r} in it")
    if not step:
        raise UnsafePathError(path, "has an empty step in it")
    if len(step.encode()) > LONGEST_STEP:
        raise UnsafePathError(path, f"has a name of more than {LONGEST_STEP} bytes in it")
    # Windows drops them, which may leave "..", or the name of another file.
    if step.strip(" .") == "" or (on_windows and step != step.rstrip(" .")):
        raise UnsafePathError(path, "has a name that ends in dots or spaces")
    if on_windows and step.partition(".")[0].rstrip(" ").lower() in _DEVICES:
        raise UnsafePathError(path, "has the name of a device in it")


def is_junk(steps: Collection[str], leave_out: Collection[str] = JUNK) -> bool:
    """Tell whether a path, by its steps, is among what is left out."""
    return any(fnmatchcase(step, pattern) for step in steps for pattern in leave_out)


def same_file_key(steps: tuple[str, ...]) -> tuple[str, ...]:
    """Return what two paths have in common that some file system takes for the same file."""
    return tuple(
        unicodedata.normalize("NFC", unicodedata.normalize("NFC", step).casefold())
        for step in steps
    )
