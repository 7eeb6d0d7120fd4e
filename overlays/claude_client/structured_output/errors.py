"""What goes wrong with a reply that should have been a value. Each error holds the reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ClaudeError

if TYPE_CHECKING:
    from claude_rest.models import Message

    from .schema_check import Violation


class StructuredOutputError(ClaudeError):
    """A reply is not the value that was asked for."""

    reply: Message
    """The whole message: its usage was paid for, and its text may help."""

    def __init__(self, reply: Message, problem: str) -> None:
        """Say what is wrong with a reply."""
        request = f" ({reply.request_id})" if reply.request_id else ""
        super().__init__(f"{problem}{request}")
        self.reply = reply


class OutputRefusedError(StructuredOutputError):
    """The model refused; ``reply.stop_details`` says more."""

    def __init__(self, reply: Message) -> None:
        """Take the refusal."""
        details = reply.stop_details
        why = getattr(details, "explanation", None)
        super().__init__(reply, f"the model refused{f': {why}' if isinstance(why, str) else ''}")


class OutputTruncatedError(StructuredOutputError):
    """The reply ends before its value does."""

    def __init__(self, reply: Message) -> None:
        """Take the reply as far as it goes."""
        advice = "; ask for more max_tokens" if reply.stop_reason == "max_tokens" else ""
        tokens = reply.usage.output_tokens
        super().__init__(
            reply,
            f"the reply was cut off by {reply.stop_reason} after {tokens} output tokens{advice}",
        )


class OutputNotJSONError(StructuredOutputError):
    """The text of the reply is no JSON."""

    def __init__(self, reply: Message, problem: str) -> None:
        """Say why it is none."""
        super().__init__(reply, f"the reply is no JSON: {problem}")


class InvalidOutputError(StructuredOutputError):
    """The value of the reply does not fit the type, or what its schema says beyond the API's."""

    violations: tuple[Violation, ...]
    """Each place that does not fit."""

    def __init__(self, reply: Message, violations: tuple[Violation, ...]) -> None:
        """List what does not fit."""
        shown = "; ".join(f"{v.pointer or '/'}: {v.message}" for v in violations[:5])
        more = f" (and {len(violations) - 5} more)" if len(violations) > 5 else ""
        super().__init__(reply, f"the reply does not fit: {shown}{more}")
        self.violations = violations


class NoOutputError(StructuredOutputError):
    """The reply says nothing yet: it calls tools, or its turn is paused."""

    def __init__(self, reply: Message) -> None:
        """Take the reply to answer."""
        super().__init__(reply, f"the reply has no value yet: it stopped for {reply.stop_reason}")
