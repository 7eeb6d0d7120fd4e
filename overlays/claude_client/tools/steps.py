"""Steps of a conversation with tools, in the order in which a runner gives them out.

Each turn of the model is an :class:`AssistantTurn` (before it, where replies are streamed, a
:class:`TurnStream`), then a :class:`ToolCall` for each call in it, then a :class:`ToolResult` for
each. What the caller changes in a step before asking for the next one is what happens.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..accumulator import InvalidToolInput
from .content import result_content

if TYPE_CHECKING:
    from claude_rest.models import Message, ToolUseBlock
    from claude_rest.params import ToolResultBlockParam

    from ..streaming import AsyncMessageStream, MessageStream
    from .function_tools import RunnableTool


class TurnStream:
    """A turn of the model that is coming in.

    Read ``stream`` as far as you like; what is left is read before the next step.
    """

    __slots__ = ("number", "stream")

    type: Literal["turn_stream"] = "turn_stream"
    stream: MessageStream
    number: int
    """Number of the turn, from 1."""

    def __init__(self, stream: MessageStream, number: int) -> None:
        self.stream = stream
        self.number = number


class AsyncTurnStream:
    """Asynchronous twin of :class:`TurnStream`."""

    __slots__ = ("number", "stream")

    type: Literal["turn_stream"] = "turn_stream"
    stream: AsyncMessageStream
    number: int
    """Number of the turn, from 1."""

    def __init__(self, stream: AsyncMessageStream, number: int) -> None:
        self.stream = stream
        self.number = number


class AssistantTurn:
    """A whole turn of the model."""

    __slots__ = ("calls", "is_last", "message", "number")

    type: Literal["assistant_turn"] = "assistant_turn"
    message: Message
    calls: tuple[ToolCall, ...]
    """The calls of tools in it that are going to be answered here."""
    number: int
    """Number of the turn, from 1."""
    is_last: bool
    """Whether the conversation ends with it, unless messages are appended."""

    def __init__(
        self, message: Message, calls: tuple[ToolCall, ...], number: int, *, is_last: bool
    ) -> None:
        self.message = message
        self.calls = calls
        self.number = number
        self.is_last = is_last

    def __repr__(self) -> str:
        names = ", ".join(call.name for call in self.calls)
        return f"AssistantTurn({self.number}, {self.message.stop_reason}, calls=[{names}])"


class ToolCall:
    """A call of a tool that is about to be run.

    Left alone it is run with :attr:`arguments`, which may be changed. :meth:`deny` and
    :meth:`answer` answer it without running anything.
    """

    __slots__ = ("_answer", "_given", "arguments", "block", "tool")

    type: Literal["tool_call"] = "tool_call"
    block: ToolUseBlock
    """The call as the model made it; it is never changed."""
    tool: RunnableTool | None
    """What is run; None when there is no tool of this name, which the model is told."""
    arguments: dict[str, Any]
    """A copy of the input, to look at and to change."""

    def __init__(self, block: ToolUseBlock, tool: RunnableTool | None) -> None:
        self.block = block
        self.tool = tool
        self._given = dict(block.input) if isinstance(block.input, dict) else {}
        self.arguments = copy.deepcopy(self._given)
        self._answer: ToolResult | None = None

    @property
    def id(self) -> str:
        """Identifier of the call."""
        return self.block.id

    @property
    def name(self) -> str:
        """Name of the tool."""
        return self.block.name

    @property
    def problem(self) -> str | None:
        """Why it cannot be run as it came; None when it can, or once :attr:`arguments` changed."""
        given = self.block.input
        if self.arguments != self._given:
            return None
        if isinstance(given, InvalidToolInput):
            return f"the input is no JSON object: {given.reason}"
        if not isinstance(given, dict):
            return "the input is no JSON object"
        return None

    @property
    def decided(self) -> ToolResult | None:
        """The answer that :meth:`deny` or :meth:`answer` gave."""
        return self._answer

    def approve(self) -> None:
        """Let it run after all; so it does unless :meth:`deny` or :meth:`answer` was called."""
        self._answer = None

    def deny(self, reason: str = "The user did not allow this call.") -> None:
        """Do not run it; the model reads ``reason`` as an error."""
        self._answer = ToolResult(self, reason, is_error=True)

    def answer(self, content: Any, *, is_error: bool = False) -> None:
        """Do not run it; ``content`` is the result, as if the tool had returned it."""
        self._answer = ToolResult(self, result_content(content), is_error=is_error)

    def __repr__(self) -> str:
        return f"ToolCall({self.name}, {self.arguments!r})"


class ToolResult:
    """What a call came to, before the model sees it; content and ``is_error`` may be changed."""

    __slots__ = ("call", "content", "exception", "is_error")

    type: Literal["tool_result"] = "tool_result"
    call: ToolCall
    content: str | list[Any]
    is_error: bool
    exception: BaseException | None
    """What the tool raised."""

    def __init__(
        self,
        call: ToolCall,
        content: str | list[Any],
        *,
        is_error: bool = False,
        exception: BaseException | None = None,
    ) -> None:
        self.call = call
        self.content = content
        self.is_error = is_error
        self.exception = exception

    def to_param(self) -> ToolResultBlockParam:
        """Return the block for the next user message."""
        block: Any = {"type": "tool_result", "tool_use_id": self.call.id}
        if self.content:
            block["content"] = self.content
        if self.is_error:
            block["is_error"] = True
        result: ToolResultBlockParam = block
        return result

    def __repr__(self) -> str:
        kind = "error" if self.is_error else "content"
        return f"ToolResult({self.call.name}, {kind}={self.content!r})"


Step: TypeAlias = TurnStream | AssistantTurn | ToolCall | ToolResult
"""What :class:`~.runner.ToolRunner` gives out; ``step.type`` or ``isinstance`` tells which."""
AsyncStep: TypeAlias = AsyncTurnStream | AssistantTurn | ToolCall | ToolResult
"""What :class:`~.runner.AsyncToolRunner` gives out."""
