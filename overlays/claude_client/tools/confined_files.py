"""Files below one folder, reached by paths that somebody else chose, and never anything outside.

Each step of a path is opened by itself, relative to the folder before it and never through a
symbolic link, so that a link put in between by another process leads nowhere either. Files are
written whole or not at all.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from ..errors import ClaudeError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

_FILE_MODE = 0o600
_FOLDER_MODE = 0o700
_TEMPORARY = ".tmp-"
_LONGEST_NAME = 200
"""Bytes of a name; file systems take 255, and the temporary file beside it needs some."""
_DEEPEST = 32
"""Names in a path; each holds an open folder while everything below one is looked at."""

SUPPORTED: bool = (
    {os.open, os.mkdir, os.unlink, os.rmdir, os.rename, os.stat} <= os.supports_dir_fd
    and os.scandir in os.supports_fd
    and hasattr(os, "O_NOFOLLOW")
)
"""Whether this system can open files relative to a folder, as Linux and macOS can."""


class ConfinementError(ClaudeError, ValueError):
    """A path leads out of its folder, or through something that is no plain file or folder."""


class LimitError(ClaudeError, ValueError):
    """A file, or all files together, would be larger than allowed."""


class Entry(NamedTuple):
    """What is at a path."""

    is_folder: bool
    size: int


def confined_parts(path: str, root: str) -> tuple[str, ...]:
    """Return the names that lead from ``root`` to ``path``, both with slashes.

    Raises :class:`ConfinementError` for anything but plain names: ``..``, also in percent
    encoding, backslashes, control characters, names that are empty or too long or too many.
    """
    if path != root and not path.startswith(f"{root}/"):
        raise ConfinementError(f"Path must start with {root}, got: {path}")
    parts = path[len(root) :].strip("/")
    names = tuple(parts.split("/")) if parts else ()
    _check_depth(len(names))
    for name in names:
        plain = _decoded(name)
        if (
            name in ("", ".", "..")
            or plain in ("", ".", "..")
            or any(character in "/\\:" or not character.isprintable() for character in plain)
        ):
            raise ConfinementError(f"Path {path} would escape {root} directory")
        if len(name.encode("utf-8", "surrogatepass")) > _LONGEST_NAME:
            raise ConfinementError(f"A name in the path is longer than {_LONGEST_NAME} bytes")
    return names


def _check_depth(count: int) -> None:
    if count > _DEEPEST:
        raise ConfinementError(f"A path can have {_DEEPEST} names, not {count}")


def _decoded(name: str) -> str:
    """Return a name as somebody would read it who decodes it, however often."""
    for _ in range(8):
        plain = unquote(name) if "%" in name else name
        if plain == name:
            return name
        name = plain
    return "/"


class ConfinedFolder:
    """The files below one folder. Paths are tuples of names, made by :func:`confined_parts`."""

    def __init__(self, folder: Path, *, max_file_bytes: int, max_total_bytes: int) -> None:
        """Create ``folder`` if need be, readable by its owner only."""
        if not SUPPORTED:
            raise NotImplementedError(
                "files cannot be confined to a folder on this system; keep memories elsewhere"
            )
        # Where it is now, wherever the process goes to.
        self.folder = folder = folder.absolute()
        self.max_file_bytes = max_file_bytes
        self.max_total_bytes = max_total_bytes
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        if folder.is_symlink():
            raise ConfinementError(f"{folder} is a symbolic link")

    def entry(self, path: Sequence[str]) -> Entry | None:
        """Return what is at a path; None when there is nothing."""
        try:
            with self._parent(path) as (parent, name):
                found = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        _check_kind(found.st_mode)
        return Entry(stat.S_ISDIR(found.st_mode), found.st_size)

    def read(self, path: Sequence[str]) -> str:
        """Return the text of a file. Raises ``OSError`` and ``UnicodeDecodeError``."""
        with self._parent(path) as (parent, name):
            # Without O_NONBLOCK the opening of a named pipe would wait for somebody to write.
            descriptor = _open(name, os.O_RDONLY | os.O_NONBLOCK, parent)
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise IsADirectoryError(name)
                data = file.read(self.max_file_bytes + 1)
        if len(data) > self.max_file_bytes:
            raise LimitError(f"The file is larger than {self.max_file_bytes} bytes")
        return data.decode("utf-8")

    def create(self, path: Sequence[str], text: str) -> None:
        """Write a new file. Raises ``FileExistsError`` when there is something already."""
        data = self._checked(text)
        with self._parent(path, create=True) as (parent, name):
            temporary = self._write_temporary(parent, data)
            try:
                # Unlike a rename it never takes the place of what is there.
                os.link(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except (PermissionError, NotImplementedError):
                # A file system without hard links.
                descriptor = _open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, parent)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
            finally:
                os.unlink(temporary, dir_fd=parent)

    def replace(self, path: Sequence[str], text: str) -> None:
        """Write a file that is there already; readers see the old one or the new one."""
        before = self.entry(path)
        data = self._checked(text, instead_of=before.size if before else 0)
        with self._parent(path) as (parent, name):
            temporary = self._write_temporary(parent, data)
            try:
                os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=parent)
                raise

    def delete(self, path: Sequence[str]) -> None:
        """Delete a file, or a folder with everything in it."""
        with self._parent(path) as (parent, name):
            _delete(name, parent)

    def rename(self, old: Sequence[str], new: Sequence[str]) -> None:
        """Move a file or folder. Raises ``FileExistsError`` when ``new`` is there already."""
        if tuple(new[: len(old)]) == tuple(old):
            raise ConfinementError("A folder cannot be moved into itself")
        with self._parent(old) as (parent, name):
            kind = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
            _check_kind(kind)
            if stat.S_ISDIR(kind):
                with self._opened(old) as folder:
                    inside = _listing(folder, "", _DEEPEST, hidden=True)
                    _check_depth(len(new) + max((at.count("/") + 1 for at, _ in inside), default=0))
            with self._parent(new, create=True) as (new_parent, new_name):
                with suppress(FileNotFoundError):
                    os.stat(new_name, dir_fd=new_parent, follow_symlinks=False)
                    raise FileExistsError(new_name)
                os.rename(name, new_name, src_dir_fd=parent, dst_dir_fd=new_parent)

    def listing(self, path: Sequence[str], depth: int) -> list[tuple[str, Entry]]:
        """Return what is below a folder, by relative path in order; links and such are left out."""
        with self._opened(path) as folder:
            return list(_listing(folder, "", depth))

    def clear(self) -> None:
        """Delete everything in the folder."""
        with self._opened(()) as folder:
            for name in _names_in(folder):
                _delete(name, folder)

    def _checked(self, text: str, *, instead_of: int = 0) -> bytes:
        data = text.encode("utf-8")
        if len(data) > self.max_file_bytes:
            raise LimitError(f"A file can have {self.max_file_bytes} bytes, not {len(data)}")
        with self._opened(()) as folder:
            files = _listing(folder, "", 2 * _DEEPEST, hidden=True)
            total = sum(entry.size for _, entry in files) - instead_of
        # What makes a file smaller is allowed even where too much is there already.
        if len(data) > instead_of and total + len(data) > self.max_total_bytes:
            raise LimitError(f"All files together can have {self.max_total_bytes} bytes")
        return data

    def _write_temporary(self, parent: int, data: bytes) -> str:
        name = f"{_TEMPORARY}{secrets.token_hex(8)}"
        descriptor = _open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
        except BaseException:
            with suppress(OSError):
                os.unlink(name, dir_fd=parent)
            raise
        return name

    @contextmanager
    def _opened(self, path: Sequence[str], *, create: bool = False) -> Generator[int]:
        """Open a folder, one name after the other."""
        flags = os.O_RDONLY | os.O_DIRECTORY
        descriptor = os.open(self.folder, flags | os.O_NOFOLLOW)
        try:
            for name in path:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(name, _FOLDER_MODE, dir_fd=descriptor)
                inner = _open(name, flags, descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _parent(self, path: Sequence[str], *, create: bool = False) -> Generator[tuple[int, str]]:
        """Open the folder that a path is in; with the last name."""
        *above, name = path or (".",)
        with self._opened(above, create=create) as parent:
            yield parent, name


def _open(name: str, flags: int, parent: int) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE, dir_fd=parent)
    except OSError:
        # The error of a link differs from system to system.
        with suppress(FileNotFoundError):
            _check_kind(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
        raise


def _check_kind(mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise ConfinementError("The path leads through a symbolic link")
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise ConfinementError("The path is neither a file nor a directory")


def _names_in(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _delete(name: str, parent: int) -> None:
    found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if not stat.S_ISDIR(found.st_mode):
        # Of a link this takes away the link.
        os.unlink(name, dir_fd=parent)
        return
    folder = _open(name, os.O_RDONLY | os.O_DIRECTORY, parent)
    try:
        for inner in _names_in(folder):
            _delete(inner, folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=parent)


def _listing(
    folder: int, prefix: str, depth: int, *, hidden: bool = False
) -> Iterator[tuple[str, Entry]]:
    for name in sorted(_names_in(folder)):
        if not hidden and name.startswith("."):
            continue
        with suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                yield f"{prefix}{name}", Entry(False, found.st_size)
            elif stat.S_ISDIR(found.st_mode):
                yield f"{prefix}{name}", Entry(True, 0 if hidden else found.st_size)
                if depth > 1:
                    inner = _open(name, os.O_RDONLY | os.O_DIRECTORY, folder)
                    try:
                        yield from _listing(inner, f"{prefix}{name}/", depth - 1, hidden=hidden)
                    finally:
                        os.close(inner)
