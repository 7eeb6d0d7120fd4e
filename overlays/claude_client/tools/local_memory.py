"""The memory tool with files of this machine.

Texts of results are those that the documentation of the tool lists: the model knows them.
"""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from .confined_files import ConfinedFolder, ConfinementError, LimitError, confined_parts
from .errors import ToolError
from .memory import ROOT, AsyncMemoryTool, MemoryTool

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from claude_rest.params import CacheControlEphemeralParam

    from .confined_files import Entry
    from .memory import (
        MemoryCommand,
        MemoryCreateCommand,
        MemoryDeleteCommand,
        MemoryInsertCommand,
        MemoryRenameCommand,
        MemoryStrReplaceCommand,
        MemoryViewCommand,
    )

R = TypeVar("R")

MAX_FILE_BYTES = 1_000_000
MAX_TOTAL_BYTES = 100_000_000

_MOST_LINES = 999_999
_NUMBER_WIDTH = 6
_LEVELS = 2
_MOST_PLACES = 100
"""Occurrences of a text that are listed where it should be there once."""
_AROUND = 2
"""Lines shown on either side of a change."""


class LocalFilesystemMemoryTool(MemoryTool):
    """Keeps memories in the folder ``memories`` below ``base_path``, and touches nothing else.

    Files are readable by their owner only, and written whole or not at all. Paths that lead out,
    and symbolic links, are refused. One object may be used by several threads.
    """

    def __init__(
        self,
        base_path: str | os.PathLike[str] = "./memory",
        *,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_total_bytes: int = MAX_TOTAL_BYTES,
        cache_control: CacheControlEphemeralParam | None = None,
    ) -> None:
        """Create the folder if need be.

        Raises ``NotImplementedError`` on systems where it cannot be confined, such as Windows.
        """
        super().__init__(cache_control=cache_control)
        self.base_path = Path(base_path)
        self._files = ConfinedFolder(
            self.base_path / ROOT[1:],
            max_file_bytes=max_file_bytes,
            max_total_bytes=max_total_bytes,
        )
        self._lock = threading.Lock()

    @property
    def memory_root(self) -> Path:
        """The folder that ``/memories`` stands for."""
        return self._files.folder

    def execute(self, command: MemoryCommand) -> Any:
        """Run a command by the method of its name, one at a time."""
        with self._lock:
            try:
                return super().execute(command)
            except (ConfinementError, LimitError) as error:
                raise ToolError(str(error)) from error
            except OSError as error:
                # Without the path on this machine.
                raise ToolError(f"The command failed: {error.strerror or error}") from error

    def view(self, command: MemoryViewCommand) -> str:
        """Show a file with line numbers, or what is in a folder."""
        path, entry = self._existing(command.path)
        if entry.is_folder:
            lines = [f"{_size(entry.size)}\t{command.path}"]
            for name, found in self._files.listing(path, _LEVELS):
                slash = "/" if found.is_folder else ""
                shown = f"{command.path.rstrip('/')}/{name}{slash}"
                lines.append(f"{_size(found.size)}\t{shown}")
            return "\n".join(
                [
                    "Here're the files and directories up to 2 levels deep in "
                    f"{command.path}, excluding hidden items:",
                    *lines,
                ]
            )
        lines = self._read(path, command.path).split("\n")
        if len(lines) > _MOST_LINES:
            raise ToolError(f"File {command.path} exceeds maximum line limit of 999,999 lines.")
        first, last = 1, len(lines)
        if command.view_range is not None:
            if len(command.view_range) != 2:
                raise ToolError("Invalid `view_range` parameter: it has two numbers.")
            first = max(1, command.view_range[0])
            last = len(lines) if command.view_range[1] == -1 else command.view_range[1]
        return "\n".join(
            [
                f"Here's the content of {command.path} with line numbers:",
                *_numbered(lines, first, last),
            ]
        )

    def create(self, command: MemoryCreateCommand) -> str:
        """Write a new file and the folders it is in."""
        path = self._names(command.path)
        if not path:
            raise ToolError(f"File {command.path} already exists")
        try:
            self._files.create(path, command.file_text)
        except FileExistsError:
            raise ToolError(f"File {command.path} already exists") from None
        return f"File created successfully at: {command.path}"

    def str_replace(self, command: MemoryStrReplaceCommand) -> str:
        """Replace a text that is in a file once."""
        path, text = self._file(command.path)
        old = command.old_str
        place = text.find(old) if old else -1
        if place < 0:
            raise ToolError(
                f"No replacement was performed, old_str `{old}` did not appear verbatim in "
                f"{command.path}."
            )
        if text.find(old, place + 1) >= 0:
            numbers = _lines_with(text, old)
            raise ToolError(
                f"No replacement was performed. Multiple occurrences of old_str `{old}` in "
                f"lines: {numbers}. Please ensure it is unique"
            )
        changed = f"{text[:place]}{command.new_str}{text[place + len(old) :]}"
        self._files.replace(path, changed)
        line = text.count("\n", 0, place) + 1
        shown = _numbered(changed.split("\n"), max(1, line - _AROUND), line + _AROUND)
        return "\n".join(
            [
                "The memory file has been edited. Here is the snippet showing the change "
                "(with line numbers):",
                *shown,
            ]
        )

    def insert(self, command: MemoryInsertCommand) -> str:
        """Insert text after a line."""
        path, text = self._file(command.path)
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        if not 0 <= command.insert_line <= len(lines):
            raise ToolError(
                f"Invalid `insert_line` parameter: {command.insert_line}. It should be within "
                f"the range [0, {len(lines)}]."
            )
        lines.insert(command.insert_line, command.insert_text.removesuffix("\n"))
        self._files.replace(path, "\n".join(lines) + "\n")
        return f"The file {command.path} has been edited."

    def delete(self, command: MemoryDeleteCommand) -> str:
        """Delete a file, or a folder with everything in it."""
        path = self._names(command.path)
        if not path:
            raise ToolError("Cannot delete the /memories directory itself")
        try:
            self._files.delete(path)
        except (FileNotFoundError, NotADirectoryError):
            raise ToolError(f"The path {command.path} does not exist") from None
        return f"Successfully deleted {command.path}"

    def rename(self, command: MemoryRenameCommand) -> str:
        """Move a file or folder."""
        old, new = self._names(command.old_path), self._names(command.new_path)
        if not old:
            raise ToolError("Cannot rename the /memories directory itself")
        if self._files.entry(old) is None:
            raise ToolError(f"The path {command.old_path} does not exist")
        try:
            if not new:
                raise FileExistsError
            self._files.rename(old, new)
        except FileExistsError:
            raise ToolError(f"The destination {command.new_path} already exists") from None
        return f"Successfully renamed {command.old_path} to {command.new_path}"

    def clear_all_memory(self) -> str:
        """Forget everything; for the program, never called by the model."""
        with self._lock:
            self._files.clear()
        return "All memory cleared"

    def _names(self, path: str) -> tuple[str, ...]:
        return confined_parts(path, ROOT)

    def _existing(self, path: str) -> tuple[tuple[str, ...], Entry]:
        names = self._names(path)
        entry = self._files.entry(names)
        if entry is None:
            _no_such_path(path)
        return names, entry

    def _file(self, path: str) -> tuple[tuple[str, ...], str]:
        """Return the names and the text of a file."""
        names, entry = self._existing(path)
        if entry.is_folder:
            raise ToolError(f"The path {path} is not a file.")
        return names, self._read(names, path)

    def _read(self, names: tuple[str, ...], path: str) -> str:
        try:
            return self._files.read(names)
        except FileNotFoundError:
            _no_such_path(path)
        except UnicodeDecodeError:
            raise ToolError(f"The file {path} is no text.") from None


class AsyncLocalFilesystemMemoryTool(AsyncMemoryTool):
    """Asynchronous twin of :class:`LocalFilesystemMemoryTool`; works in a thread."""

    def __init__(
        self,
        base_path: str | os.PathLike[str] = "./memory",
        *,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_total_bytes: int = MAX_TOTAL_BYTES,
        cache_control: CacheControlEphemeralParam | None = None,
    ) -> None:
        """Create the folder if need be.

        Raises ``NotImplementedError`` on systems where it cannot be confined, such as Windows.
        """
        super().__init__(cache_control=cache_control)
        self._tool = LocalFilesystemMemoryTool(
            base_path, max_file_bytes=max_file_bytes, max_total_bytes=max_total_bytes
        )
        self.base_path = self._tool.base_path

    @property
    def memory_root(self) -> Path:
        """The folder that ``/memories`` stands for."""
        return self._tool.memory_root

    def _text(self, command: MemoryCommand) -> str:
        text: str = self._tool.execute(command)
        return text

    async def view(self, command: MemoryViewCommand) -> str:
        """Show a file with line numbers, or what is in a folder."""
        return await _in_thread(self._text, command)

    async def create(self, command: MemoryCreateCommand) -> str:
        """Write a new file and the folders it is in."""
        return await _in_thread(self._text, command)

    async def str_replace(self, command: MemoryStrReplaceCommand) -> str:
        """Replace a text that is in a file once."""
        return await _in_thread(self._text, command)

    async def insert(self, command: MemoryInsertCommand) -> str:
        """Insert text after a line."""
        return await _in_thread(self._text, command)

    async def delete(self, command: MemoryDeleteCommand) -> str:
        """Delete a file, or a folder with everything in it."""
        return await _in_thread(self._text, command)

    async def rename(self, command: MemoryRenameCommand) -> str:
        """Move a file or folder."""
        return await _in_thread(self._text, command)

    async def clear_all_memory(self) -> str:
        """Forget everything; for the program, never called by the model."""
        return await _in_thread(self._tool.clear_all_memory)


BetaLocalFilesystemMemoryTool = LocalFilesystemMemoryTool
"""The name of the official SDK."""
BetaAsyncLocalFilesystemMemoryTool = AsyncLocalFilesystemMemoryTool
"""The name of the official SDK."""


async def _in_thread(function: Callable[..., R], *arguments: Any) -> R:
    from anyio import to_thread

    return await to_thread.run_sync(functools.partial(function, *arguments))


def _no_such_path(path: str) -> NoReturn:
    raise ToolError(f"The path {path} does not exist. Please provide a valid path.")


def _numbered(lines: list[str], first: int, last: int) -> list[str]:
    return [
        f"{number:>{_NUMBER_WIDTH}}\t{line}"
        for number, line in enumerate(lines[first - 1 : max(last, 0)], first)
    ]


def _lines_with(text: str, part: str) -> str:
    """Return the lines in which a text begins, overlapping occurrences too; the first of many."""
    numbers: list[str] = []
    line, before, place = 1, 0, text.find(part)
    while place >= 0:
        if len(numbers) == _MOST_PLACES:
            return f"{', '.join(numbers)} and more"
        line += text.count("\n", before, place)
        numbers.append(str(line))
        before, place = place, text.find(part, place + 1)
    return ", ".join(numbers)


def _size(count: int) -> str:
    size, unit = float(count), "B"
    for unit in ("B", "K", "M", "G"):
        if size < 1024 or unit == "G":
            break
        size /= 1024
    return f"{size:g}{unit}" if size == int(size) else f"{size:.1f}{unit}"
