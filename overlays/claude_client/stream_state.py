"""What a stream of one message knows: the message so far, and the events to give out for it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.client import attach_meta

from .accumulator import MessageAccumulator
from .errors import StreamTruncatedError
from .stream_events import ContentBlockStopEvent, MessageStopEvent, TextEvent, derived_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_rest._runtime.meta import Meta
    from claude_rest.models import Message

    from .errors import APIError


class StreamState:
    """What has come of one streamed message, and which events that makes. Does no I/O."""

    __slots__ = ("_check", "_decode", "_final", "accumulator", "meta", "operation", "pending")

    accumulator: MessageAccumulator
    pending: deque[Any]
    """Events made and not yet given out."""
    meta: Meta

    def __init__(
        self,
        meta: Meta,
        operation: str | None = None,
        check: Callable[[Any], None] | None = None,
    ) -> None:
        """Start without events; ``check`` raises for a final message that is not as it should."""
        self.accumulator = MessageAccumulator()
        self.pending = deque()
        self.meta = meta
        self.operation = operation
        self._check = check
        self._decode: Callable[[Any], Any] | None = None
        self._final: Message | None = None

    def take(self, event: Any) -> None:
        """Take an event as it was sent, and put what to give out for it into ``pending``."""
        block = self.accumulator.add(event)
        decode = self._decode
        if decode is None:
            from claude_rest.models import decoder

            decode = self._decode = decoder("RawMessageStreamEvent")
        kind = event.get("type") if event.__class__ is dict else None
        pending = self.pending
        if block is None:
            if kind == "message_stop":
                pending.append(MessageStopEvent(self.final_message, event))
            else:
                pending.append(decode(event))
        elif kind == "content_block_stop":
            pending.append(ContentBlockStopEvent(block, event))
        else:
            typed = decode(event)
            pending.append(typed)
            if kind == "content_block_delta":
                derived = derived_event(block, event, typed)
                if derived is not None:
                    pending.append(derived)
            else:
                text = _text_of(event)
                if text:
                    pending.append(TextEvent(block, text))

    def take_text(self, event: Any) -> str:
        """Take an event as it was sent, and return the text in it."""
        self.accumulator.add(event)
        return _text_of(event)

    def pending_text(self) -> str:
        """Return the text of the events in ``pending``, and drop them."""
        if not self.pending:
            return ""
        text = "".join(event.text for event in self.pending if event.__class__ is TextEvent)
        self.pending.clear()
        return text

    def snapshot(self) -> Message:
        """Return the message so far as a model; linear in its size."""
        if self._final is not None:
            return self._final
        message = self.accumulator.message()
        attach_meta(message, self.meta)
        return message

    def require_end(self) -> None:
        """Raise :class:`~.errors.StreamTruncatedError` when the message is not whole."""
        if not self.accumulator.complete:
            error = StreamTruncatedError(
                "the stream was closed before its end",
                operation=self.operation,
                attempts=self.meta.attempts,
                request_id=self.meta.request_id,
            )
            self.complete_error(error)
            raise error

    def final_message(self) -> Message:
        """Return the whole message, the same object each time.

        Raises :class:`~.errors.StreamTruncatedError` when it is not whole.
        """
        if self._final is None:
            self.require_end()
            message = self.snapshot()
            if self._check is not None:
                self._check(message)
            self._final = message
        return self._final

    def complete_error(self, error: APIError) -> None:
        """Put into an error what had come before it."""
        if error.operation is None:
            error.operation = self.operation
        if error.request_id is None:
            error.request_id = self.meta.request_id
        if self.accumulator.started:
            error.partial = self.snapshot()
        if isinstance(error, StreamTruncatedError):
            error.open_blocks = tuple(block.index for block in self.accumulator.open_blocks)


def _text_of(event: Any) -> str:
    """Return the text that an event adds to a text block, empty when it adds none."""
    if event.__class__ is not dict:
        return ""
    kind = event.get("type")
    if kind == "content_block_delta":
        part, tag = event.get("delta"), "text_delta"
    elif kind == "content_block_start":
        part, tag = event.get("content_block"), "text"
    else:
        return ""
    if part.__class__ is not dict or part.get("type") != tag:
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else ""
