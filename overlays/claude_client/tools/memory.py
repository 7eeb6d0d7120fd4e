"""The memory tool: what to implement to keep the model's memories anywhere.

Subclass :class:`MemoryTool` or :class:`AsyncMemoryTool` and give the object to ``tool_runner``.
The model knows the tool's schema; its paths begin with ``/memories``, and it is up to the
implementation that they lead nowhere else: :func:`~.confined_files.confined_parts` checks them.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast

from ..structured_output.conversion import ConversionError, convert
from .errors import InvalidToolArgumentsError, ToolError
from .function_tools import RunnableTool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_rest.params import CacheControlEphemeralParam, MemoryTool20250818Param

ROOT = "/memories"
"""What every path begins with."""


@dataclass(frozen=True)
class MemoryViewCommand:
    """Show a file, or what is in a folder."""

    path: str
    view_range: list[int] | None = None
    """First and last line to show, from 1; -1 for the end."""
    command: ClassVar[str] = "view"


@dataclass(frozen=True)
class MemoryCreateCommand:
    """Write a new file."""

    path: str
    file_text: str
    command: ClassVar[str] = "create"


@dataclass(frozen=True)
class MemoryStrReplaceCommand:
    """Replace a text that is in a file once."""

    path: str
    old_str: str
    new_str: str = ""
    command: ClassVar[str] = "str_replace"


@dataclass(frozen=True)
class MemoryInsertCommand:
    """Insert text after a line; 0 for the beginning."""

    path: str
    insert_line: int
    insert_text: str
    command: ClassVar[str] = "insert"


@dataclass(frozen=True)
class MemoryDeleteCommand:
    """Delete a file, or a folder with everything in it."""

    path: str
    command: ClassVar[str] = "delete"


@dataclass(frozen=True)
class MemoryRenameCommand:
    """Move a file or folder."""

    old_path: str
    new_path: str
    command: ClassVar[str] = "rename"


MemoryCommand: TypeAlias = (
    MemoryViewCommand
    | MemoryCreateCommand
    | MemoryStrReplaceCommand
    | MemoryInsertCommand
    | MemoryDeleteCommand
    | MemoryRenameCommand
)

_KINDS: tuple[Any, ...] = (
    MemoryViewCommand,
    MemoryCreateCommand,
    MemoryStrReplaceCommand,
    MemoryInsertCommand,
    MemoryDeleteCommand,
    MemoryRenameCommand,
)
_COMMANDS: dict[str, Any] = {kind.command: kind for kind in _KINDS}


def parse_command(arguments: Mapping[str, Any]) -> MemoryCommand:
    """Return the command that the input of a call is.

    Raises :class:`~.errors.InvalidToolArgumentsError`. Fields it does not know are left out.
    """
    name = arguments.get("command")
    kind = _COMMANDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ToolError(f"Unknown command: {name}")
    known = {field.name for field in fields(kind)}
    given = {name: value for name, value in arguments.items() if name in known}
    try:
        return cast("MemoryCommand", convert(given, kind))
    except ConversionError as error:
        raise InvalidToolArgumentsError("memory", error.violations) from error


class _MemoryTool(RunnableTool):
    def __init__(self, *, cache_control: CacheControlEphemeralParam | None = None) -> None:
        """Take a prompt-cache breakpoint, if one is to be set on the tool."""
        self._cache_control = cache_control

    @property
    def name(self) -> str:
        """``memory``."""
        return "memory"

    def to_param(self) -> MemoryTool20250818Param:
        """Return the definition that goes into ``tools`` of a request."""
        param: MemoryTool20250818Param = {"type": "memory_20250818", "name": "memory"}
        if self._cache_control is not None:
            param["cache_control"] = self._cache_control
        return param


class MemoryTool(_MemoryTool):
    """Keeps the model's memories. What a method returns is what the model reads.

    Errors go to the model when they are raised as :class:`~.errors.ToolError`.
    """

    def call(self, arguments: Mapping[str, Any]) -> Any:
        """Run the command that the model asks for."""
        return self.execute(parse_command(arguments))

    def execute(self, command: MemoryCommand) -> Any:
        """Run a command by the method of its name."""
        return getattr(self, command.command)(command)

    @abstractmethod
    def view(self, command: MemoryViewCommand) -> Any:
        """Show a file, or what is in a folder."""

    @abstractmethod
    def create(self, command: MemoryCreateCommand) -> Any:
        """Write a new file."""

    @abstractmethod
    def str_replace(self, command: MemoryStrReplaceCommand) -> Any:
        """Replace a text that is in a file once."""

    @abstractmethod
    def insert(self, command: MemoryInsertCommand) -> Any:
        """Insert text after a line."""

    @abstractmethod
    def delete(self, command: MemoryDeleteCommand) -> Any:
        """Delete a file or folder."""

    @abstractmethod
    def rename(self, command: MemoryRenameCommand) -> Any:
        """Move a file or folder."""

    def clear_all_memory(self) -> Any:
        """Forget everything; for the program, never called by the model."""
        raise NotImplementedError("clear_all_memory is not implemented")


class AsyncMemoryTool(_MemoryTool):
    """Asynchronous twin of :class:`MemoryTool`."""

    async def call(self, arguments: Mapping[str, Any]) -> Any:
        """Run the command that the model asks for."""
        return await self.execute(parse_command(arguments))

    async def execute(self, command: MemoryCommand) -> Any:
        """Run a command by the method of its name."""
        return await getattr(self, command.command)(command)

    @abstractmethod
    async def view(self, command: MemoryViewCommand) -> Any:
        """Show a file, or what is in a folder."""

    @abstractmethod
    async def create(self, command: MemoryCreateCommand) -> Any:
        """Write a new file."""

    @abstractmethod
    async def str_replace(self, command: MemoryStrReplaceCommand) -> Any:
        """Replace a text that is in a file once."""

    @abstractmethod
    async def insert(self, command: MemoryInsertCommand) -> Any:
        """Insert text after a line."""

    @abstractmethod
    async def delete(self, command: MemoryDeleteCommand) -> Any:
        """Delete a file or folder."""

    @abstractmethod
    async def rename(self, command: MemoryRenameCommand) -> Any:
        """Move a file or folder."""

    async def clear_all_memory(self) -> Any:
        """Forget everything; for the program, never called by the model."""
        raise NotImplementedError("clear_all_memory is not implemented")


BetaAbstractMemoryTool = MemoryTool
"""The name of the official SDK."""
BetaAsyncAbstractMemoryTool = AsyncMemoryTool
"""The name of the official SDK."""
