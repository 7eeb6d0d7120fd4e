"""Streams of one message: its events as they come, its text, and the whole message at the end.

:class:`MessageStream` and :class:`AsyncMessageStream` are thin twins around an event stream; what
they share is :class:`~.stream_state.StreamState`, which does no I/O. A stream that ends early is
never taken for a whole one: it raises :class:`~.errors.StreamTruncatedError` with what had come.
Events are decoded into models only for those who iterate over events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.meta import ResponseFacts

from .errors import APIError
from .stream_state import StreamState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from claude_rest._runtime.meta import Meta
    from claude_rest._runtime.stream import AsyncStream, Stream
    from claude_rest.models import Message, Usage

    from .accumulator import MessageAccumulator
    from .stream_events import MessageStreamEvent


class _MessageStreamBase(ResponseFacts):
    """What both streams show."""

    __slots__ = ("__weakref__", "_state", "meta")

    _state: StreamState
    meta: Meta
    """Metadata of the response."""

    @property
    def accumulator(self) -> MessageAccumulator:
        """What has come so far, without decoding: usage, open blocks, text."""
        return self._state.accumulator

    @property
    def usage(self) -> Usage | None:
        """Token counts so far, None before the first event; final only at the end."""
        if not self._state.accumulator.started:
            return None
        from claude_rest.models import decoder

        usage: Usage = decoder("Usage")(self._state.accumulator.usage)
        return usage

    def partial_input(self, index: int) -> Any:
        """What the input of the tool call in content block ``index`` amounts to so far.

        For showing progress, never for running the tool; see
        :meth:`~.accumulator.MessageAccumulator.partial_input`.
        """
        return self._state.accumulator.partial_input(index)

    @property
    def current_message_snapshot(self) -> Message:
        """The message so far; costs time linear in its size.

        Tool input in it is empty until its block has stopped. Raises
        :class:`~.errors.StreamProtocolError` before the first event.
        """
        return self._state.snapshot()


class _Texts:
    """Iterates over the pieces of text. An object, so that leaving it needs no clean-up."""

    __slots__ = ("_state", "_step")

    def __init__(self, state: StreamState, step: Callable[[Callable[[Any], str]], str]) -> None:
        self._state = state
        self._step = step

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        state = self._state
        text = state.pending_text()
        while not text:
            text = self._step(state.take_text)
        return text


class _AsyncTexts:
    """Asynchronous twin of :class:`_Texts`."""

    __slots__ = ("_state", "_step")

    def __init__(
        self, state: StreamState, step: Callable[[Callable[[Any], str]], Awaitable[str]]
    ) -> None:
        self._state = state
        self._step = step

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        state = self._state
        text = state.pending_text()
        while not text:
            text = await self._step(state.take_text)
        return text


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
        self.meta = stream.meta
        self._state = StreamState(stream.meta, operation, check)

    @property
    def closed(self) -> bool:
        """Whether the response has been closed; nothing comes out any more."""
        return self._stream.closed

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
        except StopIteration:
            raise
        except BaseException as error:
            self.close()
            if isinstance(error, APIError):
                self._state.complete_error(error)
            raise

    @property
    def text_stream(self) -> Iterator[str]:
        """The text of the message in pieces as they come."""
        return _Texts(self._state, self._step)

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
        self.meta = stream.meta
        self._state = StreamState(stream.meta, operation, check)

    @property
    def closed(self) -> bool:
        """Whether the response has been closed; nothing comes out any more."""
        return self._stream.closed

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
        except StopAsyncIteration:
            raise
        except BaseException as error:
            await self.close()
            if isinstance(error, APIError):
                self._state.complete_error(error)
            raise

    @property
    def text_stream(self) -> AsyncIterator[str]:
        """The text of the message in pieces as they come."""
        return _AsyncTexts(self._state, self._step)

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
