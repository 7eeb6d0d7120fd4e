"""Errors of tools, and of the loop that runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ClaudeError

if TYPE_CHECKING:
    from claude_rest.models import Message

    from ..structured_output.schema_check import Violation


class ToolError(ClaudeError):
    """Raised by a tool to answer a call with an error, in words or blocks meant for the model."""

    content: Any
    """Text, a content block, or a list of blocks."""

    def __init__(self, content: Any) -> None:
        """Take what the model is to read."""
        super().__init__(content if isinstance(content, str) else repr(content))
        self.content = content


class InvalidToolArgumentsError(ToolError):
    """The arguments of a call are not what the tool takes; the model is told so."""

    violations: tuple[Violation, ...]

    def __init__(self, name: str, violations: tuple[Violation, ...]) -> None:
        """Name the tool and what is wrong."""
        shown = "; ".join(f"{v.pointer or '/'}: {v.message}" for v in violations[:10])
        super().__init__(f"invalid arguments for {name}: {shown}")
        self.violations = violations


class ToolRunnerLimitError(ClaudeError):
    """A tool runner stopped at one of its limits, before the model was done."""

    limit: str
    """Name of the limit: ``"max_iterations"`` or ``"max_total_tokens"``."""
    reply: Message
    """The last message."""

    def __init__(self, limit: str, reply: Message, detail: str) -> None:
        """Name the limit, with the last message."""
        super().__init__(f"the tool runner stopped at {limit}: {detail}")
        self.limit = limit
        self.reply = reply
