"""Streams of one message: its events as they come, its text, and the whole message at the end.

:class:`MessageStream` and :class:`AsyncMessageStream` are thin twins around an event stream; what
they share is :class:`StreamState`, which does no I/O. A stream that ends early is never taken for
a whole one: it raises :class:`~.errors.StreamTruncatedError` with what had come. Events are
decoded into models only for those who iterate over events.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.client import attach_meta

from .accumulator import MessageAccumulator
from .errors import APIError, StreamTruncatedError
from .stream_events import ContentBlockStopEvent, MessageStopEvent, TextEvent, derived_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from types import TracebackType
    from typing import TypeAlias

    from typing_extensions import Self

    from claude_rest._runtime.meta import Meta
    from claude_rest._runtime.stream import AsyncStream, Stream
    from claude_rest._runtime.struct import Unknown
    from claude_rest.models import (
        Message,
        RawContentBlockDeltaEvent,
        RawContentBlockStartEvent,
        RawMessageDeltaEvent,
        RawMessageStartEvent,
    )

    from .stream_events import (
        CitationEvent,
        CompactionEvent,
        InputJSONEvent,
        SignatureEvent,
        ThinkingEvent,
    )

    MessageStreamEvent: TypeAlias = (
        RawMessageStartEvent
        | RawMessageDeltaEvent
        | MessageStopEvent
        | RawContentBlockStartEvent
        | RawContentBlockDeltaEvent
        | ContentBlockStopEvent
        | TextEvent
        | InputJSONEvent
        | ThinkingEvent
        | SignatureEvent
        | CitationEvent
        | CompactionEvent
        | Unknown
    )


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


class _MessageStreamBase:
    """What both streams show."""

    __slots__ = ("__weakref__", "_state")

    _state: StreamState

    @property
    def meta(self) -> Meta:
        """Metadata of the response."""
        return self._state.meta

    @property
    def request_id(self) -> str | None:
        """Id of the request; quote it when asking for help."""
        return self._state.meta.request_id

    @property
    def accumulator(self) -> MessageAccumulator:
        """What has come so far, without decoding: usage, open blocks, text."""
        return self._state.accumulator

    @property
    def current_message_snapshot(self) -> Message:
        """The message so far; costs time linear in its size.

        Tool input in it is empty until its block has stopped. Raises
        :class:`~.errors.StreamProtocolError` before the first event.
        """
        return self._state.snapshot()


class MessageStream(_MessageStreamBase):
    """The events of one message as they come.

    Iterate over it for events, or over :attr:`text_stream` for text alone; both may stop and go
    on. Closes its response at the end, on any error, and with the ``with`` block.
    """

    __slots__ = ("_stream",)

    def __init__(
        self,
        stream: Stream[Any],
        *,
        operation: str | None = None,
        check: Callable[[Any], None] | None = None,
    ) -> None:
        """Read ``stream``, whose items are the events as JSON values, not decoded.

        ``check`` is given the final message before anybody sees it, and raises what it finds.
        """
        self._stream = stream
        self._state = StreamState(stream.meta, operation, check)

    @property
    def include_pings(self) -> bool:
        """Whether pings come out, as ``Unknown("ping", …)``; may be set at any time."""
        return self._stream.include_pings

    @include_pings.setter
    def include_pings(self, value: bool) -> None:
        self._stream.include_pings = value

    def __next__(self) -> MessageStreamEvent:
        state = self._state
        while not state.pending:
            self._step(state.take)
        event: MessageStreamEvent = state.pending.popleft()
        return event

    def __iter__(self) -> Self:
        return self

    def _step(self, take: Callable[[Any], Any]) -> Any:
        try:
            return take(next(self._stream))
        except APIError as error:
            self.close()
            self._state.complete_error(error)
            raise

    @property
    def text_stream(self) -> Iterator[str]:
        """The text of the message in pieces as they come."""
        return self._texts()

    def _texts(self) -> Iterator[str]:
        state = self._state
        text = state.pending_text()
        while True:
            if text:
                yield text
            try:
                text = self._step(state.take_text)
            except StopIteration:
                return

    def until_done(self) -> None:
        """Read to the end.

        Raises what goes wrong on the way, and :class:`~.errors.StreamTruncatedError` when the
        stream was closed before its end.
        """
        self._state.pending.clear()
        take = self._state.accumulator.add
        while True:
            try:
                self._step(take)
            except StopIteration:
                break
        self._state.require_end()

    def get_final_message(self) -> Message:
        """Read to the end and return the whole message, the same object each time."""
        self.until_done()
        return self._state.final_message()

    def get_final_text(self) -> str:
        """Read to the end and return the text of all text blocks, joined."""
        self.get_final_message()
        return self._state.accumulator.text()

    def close(self) -> None:
        """Close the response; safe to call more than once."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncMessageStream(_MessageStreamBase):
    """Asynchronous twin of :class:`MessageStream`."""

    __slots__ = ("_stream",)

    def __init__(
        self,
        stream: AsyncStream[Any],
        *,
        operation: str | None = None,
        check: Callable[[Any], None] | None = None,
    ) -> None:
        """Read ``stream``, whose items are the events as JSON values, not decoded.

        ``check`` is given the final message before anybody sees it, and raises what it finds.
        """
        self._stream = stream
        self._state = StreamState(stream.meta, operation, check)

    @property
    def include_pings(self) -> bool:
        """Whether pings come out, as ``Unknown("ping", …)``; may be set at any time."""
        return self._stream.include_pings

    @include_pings.setter
    def include_pings(self, value: bool) -> None:
        self._stream.include_pings = value

    async def __anext__(self) -> MessageStreamEvent:
        state = self._state
        while not state.pending:
            await self._step(state.take)
        event: MessageStreamEvent = state.pending.popleft()
        return event

    def __aiter__(self) -> Self:
        return self

    async def _step(self, take: Callable[[Any], Any]) -> Any:
        try:
            return take(await self._stream.__anext__())
        except APIError as error:
            await self.close()
            self._state.complete_error(error)
            raise

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """The text of the message in pieces as they come."""
        return self._texts()

    async def _texts(self) -> AsyncIterator[str]:
        state = self._state
        text = state.pending_text()
        while True:
            if text:
                yield text
            try:
                text = await self._step(state.take_text)
            except StopAsyncIteration:
                return

    async def until_done(self) -> None:
        """Read to the end.

        Raises what goes wrong on the way, and :class:`~.errors.StreamTruncatedError` when the
        stream was closed before its end.
        """
        self._state.pending.clear()
        take = self._state.accumulator.add
        while True:
            try:
                await self._step(take)
            except StopAsyncIteration:
                break
        self._state.require_end()

    async def get_final_message(self) -> Message:
        """Read to the end and return the whole message, the same object each time."""
        await self.until_done()
        return self._state.final_message()

    async def get_final_text(self) -> str:
        """Read to the end and return the text of all text blocks, joined."""
        await self.get_final_message()
        return self._state.accumulator.text()

    async def close(self) -> None:
        """Close the response; safe to call more than once."""
        await self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class MessageStreamManager:
    """Sends the request when entered: ``with client.messages.stream(...) as stream:``."""

    __slots__ = ("_open", "_stream")

    def __init__(self, open: Callable[[], MessageStream]) -> None:  # noqa: A002
        """Take what sends the request."""
        self._open = open
        self._stream: MessageStream | None = None

    def __enter__(self) -> MessageStream:
        self._stream = self._open()
        return self._stream

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()


class AsyncMessageStreamManager:
    """Asynchronous twin of :class:`MessageStreamManager`."""

    __slots__ = ("_open", "_stream")

    def __init__(self, open: Callable[[], Awaitable[AsyncMessageStream]]) -> None:  # noqa: A002
        """Take what sends the request."""
        self._open = open
        self._stream: AsyncMessageStream | None = None

    async def __aenter__(self) -> AsyncMessageStream:
        self._stream = await self._open()
        return self._stream

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            await self._stream.close()
