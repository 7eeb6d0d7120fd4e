"""Answers that arrive piece by piece: typed events, and lines of JSON.

:class:`EventReader` and :class:`LineReader` hold all rules and do no I/O; the streams around them
only fetch bytes. Nothing buffers more than what one chunk brought. The last event of a stream ends
it, even when the server leaves the connection open.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .codec import DecodeError, loads
from .error_bodies import excerpt
from .errors import (
    APIConnectionError,
    APIResponseValidationError,
    APITimeoutError,
    EventSizeError,
    StreamTruncatedError,
    error_from_event,
)
from .jsonl import JSONLDecoder
from .meta import ResponseFacts
from .sse import DEFAULT_MAX_EVENT_BYTES, SSEDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
    from types import TracebackType
    from typing import Final, Protocol

    from typing_extensions import Self

    from .errors import APIError, APIStatusError, CodeClasses
    from .meta import Meta
    from .sse import ServerSentEvent

    class Reader(Protocol):
        """What a stream needs to know about its format."""

        def feed(self, chunk: bytes) -> None:
            """Take bytes."""

        def take(self) -> Any:
            """Return the next value, or :data:`NOTHING`."""

        def end(self, error: APIConnectionError | None) -> None:
            """Take the end of the body, which raises when it came too early."""

        def discard(self) -> None:
            """Forget what has not been taken."""

        @property
        def ended(self) -> bool:
            """Whether nothing that comes after counts any more."""
            ...


T = TypeVar("T")
R = TypeVar("R", bound="Reader")

NOTHING: Final = object()
"""What a reader returns when it needs more bytes."""

TERMINAL_EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "RawMessageStreamEvent": ("message_stop",),
}
"""Last events of a stream, by the component of its events; one without any may end anywhere."""


class EventReader(Generic[T]):
    """Makes typed events of server-sent ones, without I/O.

    ``ping`` is passed over unless asked for, ``error`` raises, an event that is not JSON is an
    error, and an end before one of the ``terminal`` events is one too. Nothing comes out after a
    terminal event, whatever follows it.

    What an event is, the ``type`` of its data says; its name where the data has none. Gateways
    drop names now and then, or give all events the same.
    """

    __slots__ = (
        "_code_classes",
        "_decode",
        "_decoder",
        "_marks",
        "_operation",
        "_passed",
        "_queue",
        "_terminal",
        "ended",
        "events_seen",
        "include_pings",
        "meta",
    )

    include_pings: bool
    """Whether pings come out, as ``Unknown("ping", …)``."""
    events_seen: int
    """Events that came out so far, pings not counted."""
    ended: bool
    """Whether a terminal event or an error came."""

    def __init__(
        self,
        decode: Callable[[Any], T],
        *,
        meta: Meta,
        terminal: Collection[str] = (),
        operation: str | None = None,
        include_pings: bool = False,
        code_classes: CodeClasses | None = None,
        max_event_bytes: int | None = DEFAULT_MAX_EVENT_BYTES,
    ) -> None:
        """Start at the beginning of a body.

        ``decode`` turns the JSON value of an event into a typed one; ``operation`` and ``meta``
        go into errors.
        """
        self._decode = decode
        self._decoder = SSEDecoder(max_event_bytes)
        self._queue: deque[ServerSentEvent] = deque()
        # How many at the front of the queue are pings that peek() has looked at.
        self._passed = 0
        self._terminal = frozenset(terminal)
        # Data with none of these in it ends no stream, so there is no need to decode it.
        self._marks = (b"error", *(name.encode() for name in sorted(self._terminal)))
        self._operation = operation
        self._code_classes = code_classes
        self.meta = meta
        self.include_pings = include_pings
        self.events_seen = 0
        self.ended = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body. Raises :class:`EventSizeError`."""
        try:
            self._queue.extend(self._decoder.feed(chunk))
        except EventSizeError as error:
            _describe(error, self._operation, self.meta)
            raise

    def take_raw(self) -> Any:
        """Return the next event as it was sent, pings and errors too, or :data:`NOTHING`."""
        if self.ended or not self._queue:
            return NOTHING
        self._passed = 0
        event: ServerSentEvent = self._queue.popleft()
        kind = event.event
        data = event.data
        if kind == "message" or any(mark in data for mark in self._marks):
            kind = "error" if kind == "error" else _kind_of(kind, data)
        if kind in self._terminal or kind == "error":
            self.ended = True
        if kind != "ping":
            self.events_seen += 1
        return event

    def take(self) -> Any:
        """Return the next typed event, or :data:`NOTHING` when more bytes are needed.

        Raises the :class:`APIStatusError` that an ``error`` event stands for, and
        :class:`APIResponseValidationError` for an event that is not JSON.
        """
        self._passed = 0
        while self._queue and not self.ended:
            name, data, _, _ = self._queue.popleft()
            if name == "ping":
                if self.include_pings:
                    return self._ping(data)
                continue
            if name == "error":
                raise self._error(data)
            try:
                value = loads(data)
            except DecodeError as error:
                if data.strip() == b"[DONE]":
                    # Some gateways end every stream this way, as other APIs do.
                    continue
                raise self._not_json(name, data, error) from error
            kind = _type_of(value) or name
            if kind == "ping":
                if self.include_pings:
                    return self._ping(data)
                continue
            if kind == "error":
                raise self._error(data)
            self.events_seen += 1
            if kind in self._terminal:
                self.ended = True
            return self._decode(value)
        return NOTHING

    def peek(self) -> Any:
        """Return whether an event that is no ping waits: True, or :data:`NOTHING` if none does.

        The event stays where it is, and so do the pings before it. Raises what :meth:`take`
        would raise for it.
        """
        if self.ended:
            return NOTHING
        while self._passed < len(self._queue):
            name, data, _, _ = self._queue[self._passed]
            if self._counts(name, data):
                return True
            self._passed += 1
        return NOTHING

    def _counts(self, name: str, data: bytes) -> bool:
        if name == "ping":
            return False
        if name == "error":
            raise self._error(data)
        try:
            kind = _type_of(loads(data)) or name
        except DecodeError as error:
            if data.strip() == b"[DONE]":
                return False
            raise self._not_json(name, data, error) from error
        if kind == "error":
            raise self._error(data)
        return kind != "ping"

    def _error(self, data: bytes) -> APIStatusError:
        self.ended = True
        return error_from_event(
            data,
            headers=self.meta.headers,
            http_status=self.meta.status_code,
            operation_id=self._operation,
            attempt=self.meta.attempts,
            code_classes=self._code_classes,
        )

    def _not_json(self, name: str, data: bytes, error: DecodeError) -> APIResponseValidationError:
        return APIResponseValidationError(
            f"the event {name!r} is not JSON ({error}): {excerpt(data)}",
            status_code=self.meta.status_code,
            headers=self.meta.headers,
            content=data,
            operation=self._operation,
            attempts=self.meta.attempts,
        )

    def end(self, error: APIConnectionError | None = None) -> None:
        """End the body, because it is over or because reading it failed with ``error``.

        Raises :class:`StreamTruncatedError` when the last event is missing, and a timeout as it
        is. After the last event nothing that happens to the connection matters any more.
        """
        cut = self._decoder.finish()
        if self.ended or (error is None and not cut and not self._terminal):
            return
        if isinstance(error, APITimeoutError):
            raise error
        expected = " or ".join(sorted(self._terminal))
        message = f"the stream ended after {self.events_seen} events"
        if expected:
            message += f" without {expected}"
        if cut:
            message += ", in the middle of an event"
        if error is not None:
            message += f": {error.message}"
        raise StreamTruncatedError(
            message,
            events_seen=self.events_seen,
            origin=None if error is None else error.origin,
            elapsed=None if error is None else error.elapsed,
            operation=self._operation,
            attempts=self.meta.attempts,
            request_id=self.meta.request_id,
        ) from error

    def discard(self) -> None:
        """Forget what has been received and not been taken."""
        self._queue.clear()
        self._passed = 0

    def _ping(self, data: bytes) -> Any:
        from .struct import Unknown

        try:
            raw: Any = loads(data)
        except DecodeError:
            raw = {}
        return Unknown("ping", raw if raw.__class__ is dict and raw else {"type": "ping"})


def _kind_of(name: str, data: bytes) -> str:
    try:
        return _type_of(loads(data)) or name
    except DecodeError:
        return name


def _type_of(value: Any) -> str | None:
    kind = value.get("type") if value.__class__ is dict else None
    return kind if isinstance(kind, str) else None


def _describe(error: APIError, operation: str | None, meta: Meta) -> None:
    """Put into an error of a decoder what only the stream around it knows."""
    error.operation = operation
    error.attempts = meta.attempts
    error.request_id = meta.request_id


class LineReader(Generic[T]):
    """Makes typed values of the lines of a JSON Lines body, without I/O."""

    __slots__ = (
        "_decode",
        "_decoder",
        "_operation",
        "_queue",
        "_unfinished",
        "line_number",
        "meta",
    )

    line_number: int
    """Number of the line that came out last, from 1."""

    def __init__(
        self,
        decode: Callable[[Any], T],
        *,
        meta: Meta,
        operation: str | None = None,
        max_line_bytes: int | None = DEFAULT_MAX_EVENT_BYTES,
    ) -> None:
        """Start at the beginning of a body; see :class:`EventReader`."""
        self._decode = decode
        self._decoder = JSONLDecoder(max_line_bytes)
        self._queue: deque[bytes] = deque()
        self._operation = operation
        # Whether the last line of the queue had no end.
        self._unfinished = False
        self.meta = meta
        self.line_number = 0

    @property
    def ended(self) -> bool:
        """Never: only the end of the body ends its lines."""
        return False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body. Raises :class:`EventSizeError`."""
        try:
            self._queue.extend(self._decoder.split(chunk))
        except EventSizeError as error:
            _describe(error, self._operation, self.meta)
            raise

    def take(self) -> Any:
        """Return the next typed value, or :data:`NOTHING` when more bytes are needed.

        Raises :class:`APIResponseValidationError` naming the line when it is not JSON.
        """
        while self._queue:
            line = self._queue.popleft()
            self.line_number += 1
            try:
                # The CR that may be at its end is white space to JSON as well.
                value = loads(line)
            except DecodeError as error:
                if not line or line.isspace():
                    continue
                raise self._not_json(line.removesuffix(b"\r"), error) from error
            return self._decode(value)
        return NOTHING

    def _not_json(self, line: bytes, error: DecodeError) -> APIError:
        if self._unfinished and not self._queue:
            return StreamTruncatedError(
                f"the body ended in the middle of line {self.line_number}",
                events_seen=self.line_number - 1,
                operation=self._operation,
                attempts=self.meta.attempts,
                request_id=self.meta.request_id,
            )
        return APIResponseValidationError(
            f"line {self.line_number} is not JSON ({error}): {excerpt(line)}",
            status_code=self.meta.status_code,
            headers=self.meta.headers,
            content=line,
            operation=self._operation,
            attempts=self.meta.attempts,
        )

    def end(self, error: APIConnectionError | None = None) -> None:
        """End the body; raises ``error`` when that is why. A last line without end counts."""
        if error is not None:
            raise error
        rest = self._decoder.rest()
        if rest:
            self._unfinished = True
            self._queue.extend(rest)

    def discard(self) -> None:
        """Forget what has been received and not been taken."""
        self._queue.clear()


class _SyncStream(ResponseFacts, Generic[T, R]):
    __slots__ = ("__weakref__", "_chunks", "_close", "_ends", "_over", "_reader", "_take", "meta")

    meta: Meta
    """Metadata of the response."""

    def __init__(
        self,
        chunks: Iterator[bytes],
        reader: R,
        *,
        meta: Meta,
        close: Callable[[], object] | None,
    ) -> None:
        self._chunks = chunks
        self._reader = reader
        self._take = reader.take
        self._close = close
        # The body has been read to its end, or given up.
        self._over = False
        self._ends: tuple[Callable[[BaseException | None], object], ...] = ()
        self.meta = meta

    def __next__(self) -> T:
        try:
            value = self._take()
        except BaseException as error:
            self._finish(error)
            raise
        if value is NOTHING:
            value = self._wait_for(self._take)
            if value is NOTHING:
                raise StopIteration
        item: T = value
        return item

    def _wait_for(self, take: Callable[[], Any]) -> Any:
        """Read on until ``take`` returns something; :data:`NOTHING` at the end of the body."""
        value: Any = NOTHING
        try:
            while value is NOTHING and not self._over and not self._reader.ended:
                try:
                    chunk = next(self._chunks, None)
                except APIConnectionError as error:
                    self._over = True
                    self._reader.end(error)
                else:
                    if chunk is None:
                        self._over = True
                        self._reader.end(None)
                    else:
                        self._reader.feed(chunk)
                value = take()
        except BaseException as error:
            self._finish(error)
            raise
        if value is NOTHING:
            self.close()
        return value

    def __iter__(self) -> Self:
        return self

    @property
    def closed(self) -> bool:
        """Whether the response has been closed; nothing comes out any more."""
        return self._close is None

    def close(self) -> None:
        """Close the response. Safe to call more than once.

        After the last event the end of the body is waited for, for a few hundredths of a second
        at most: the connection can be used again only with that read.
        """
        self._finish(None)

    def _finish(self, error: BaseException | None) -> None:
        close, self._close = self._close, None
        ends, self._ends = self._ends, ()
        unread = self._reader.ended and not self._over
        self._over = True
        self._reader.discard()
        try:
            if close is not None:
                finish = getattr(self._chunks, "finish", None) if unread else None
                try:
                    if finish is not None:
                        finish()
                finally:
                    close()
        finally:
            for end in ends:
                end(error)

    def observe(
        self,
        on_item: Callable[[T], object] | None = None,
        on_end: Callable[[BaseException | None], object] | None = None,
    ) -> None:
        """Have functions called with what happens here, for measuring and tracing.

        ``on_item`` gets each value as it comes out, ``events()`` left aside; ``on_end`` is called
        once when all has been read or the stream is closed, with the error if one ended it; at
        once where that has happened. They must not raise. Any number may observe.
        """
        if on_item is not None:
            self._take = _observed(self._take, on_item)
        if on_end is not None:
            if self._close is None:
                on_end(None)
            else:
                self._ends = (*self._ends, on_end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _AsyncStream(ResponseFacts, Generic[T, R]):
    __slots__ = ("__weakref__", "_chunks", "_close", "_ends", "_over", "_reader", "_take", "meta")

    meta: Meta
    """Metadata of the response."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        reader: R,
        *,
        meta: Meta,
        close: Callable[[], Awaitable[object]] | None,
    ) -> None:
        self._chunks = chunks
        self._reader = reader
        self._take = reader.take
        self._close = close
        self._over = False
        self._ends: tuple[Callable[[BaseException | None], object], ...] = ()
        self.meta = meta

    async def __anext__(self) -> T:
        try:
            value = self._take()
        except BaseException as error:
            await self._finish(error)
            raise
        if value is NOTHING:
            value = await self._wait_for(self._take)
            if value is NOTHING:
                raise StopAsyncIteration
        item: T = value
        return item

    async def _wait_for(self, take: Callable[[], Any]) -> Any:
        """Read on until ``take`` returns something; :data:`NOTHING` at the end of the body."""
        value: Any = NOTHING
        try:
            while value is NOTHING and not self._over and not self._reader.ended:
                try:
                    chunk = await self._chunks.__anext__()
                except StopAsyncIteration:
                    self._over = True
                    self._reader.end(None)
                except APIConnectionError as error:
                    self._over = True
                    self._reader.end(error)
                else:
                    self._reader.feed(chunk)
                value = take()
        except BaseException as error:
            await self._finish(error)
            raise
        if value is NOTHING:
            await self.close()
        return value

    def __aiter__(self) -> Self:
        return self

    @property
    def closed(self) -> bool:
        """Whether the response has been closed; nothing comes out any more."""
        return self._close is None

    async def close(self) -> None:
        """Close the response. Safe to call more than once.

        After the last event the end of the body is waited for, for a few hundredths of a second
        at most: the connection can be used again only with that read.
        """
        await self._finish(None)

    async def _finish(self, error: BaseException | None) -> None:
        close, self._close = self._close, None
        ends, self._ends = self._ends, ()
        unread = self._reader.ended and not self._over
        self._over = True
        self._reader.discard()
        try:
            if close is not None:
                finish = getattr(self._chunks, "finish", None) if unread else None
                try:
                    if finish is not None:
                        await finish()
                finally:
                    try:
                        await self._end_chunks()
                    finally:
                        await close()
        finally:
            for end in ends:
                end(error)

    def observe(
        self,
        on_item: Callable[[T], object] | None = None,
        on_end: Callable[[BaseException | None], object] | None = None,
    ) -> None:
        """Have functions called with what happens here, for measuring and tracing.

        ``on_item`` gets each value as it comes out, ``events()`` left aside; ``on_end`` is called
        once when all has been read or the stream is closed, with the error if one ended it; at
        once where that has happened. They must not raise. Any number may observe.
        """
        if on_item is not None:
            self._take = _observed(self._take, on_item)
        if on_end is not None:
            if self._close is None:
                on_end(None)
            else:
                self._ends = (*self._ends, on_end)

    async def _end_chunks(self) -> None:
        # An asynchronous generator that is only dropped is ended by the event loop some time, or
        # never when the loop is closed first.
        aclose = getattr(self._chunks, "aclose", None)
        if aclose is not None:
            # RuntimeError: another task waits for its next chunk, and ends it.
            with suppress(RuntimeError):
                await aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


def _observed(take: Callable[[], Any], on_item: Callable[[Any], object]) -> Callable[[], Any]:
    def observed() -> Any:
        value = take()
        if value is not NOTHING:
            on_item(value)
        return value

    return observed


class _RawEvents:
    """Iterates over the events as they were sent.

    An object where a generator would do: one that is left in its middle needs no clean-up.
    """

    __slots__ = ("_take", "_wait_for")

    def __init__(
        self, take: Callable[[], Any], wait_for: Callable[[Callable[[], Any]], Any]
    ) -> None:
        self._take = take
        self._wait_for = wait_for

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ServerSentEvent:
        event = self._take()
        if event is NOTHING:
            event = self._wait_for(self._take)
            if event is NOTHING:
                raise StopIteration
        sent: ServerSentEvent = event
        return sent


class _AsyncRawEvents:
    """Asynchronous twin of :class:`_RawEvents`."""

    __slots__ = ("_take", "_wait_for")

    def __init__(
        self, take: Callable[[], Any], wait_for: Callable[[Callable[[], Any]], Awaitable[Any]]
    ) -> None:
        self._take = take
        self._wait_for = wait_for

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerSentEvent:
        event = self._take()
        if event is NOTHING:
            event = await self._wait_for(self._take)
            if event is NOTHING:
                raise StopAsyncIteration
        sent: ServerSentEvent = event
        return sent


def _nothing_to_close() -> None:
    return None


async def _nothing_to_close_async() -> None:
    return None


class Stream(_SyncStream[T, EventReader[T]]):
    """Typed events of a streamed answer, in the order they arrive.

    Iterating again goes on where the last loop stopped. Leaving a loop early keeps the response
    open: use the stream as a context manager, or call :meth:`close`.
    """

    __slots__ = ()

    def __init__(
        self,
        chunks: Iterator[bytes],
        decode: Callable[[Any], T],
        *,
        meta: Meta,
        close: Callable[[], object] = _nothing_to_close,
        terminal: Collection[str] = (),
        operation: str | None = None,
        include_pings: bool = False,
        code_classes: CodeClasses | None = None,
        max_event_bytes: int | None = DEFAULT_MAX_EVENT_BYTES,
    ) -> None:
        """Read ``chunks`` of a body.

        ``decode`` makes a typed event of a JSON value, ``close`` closes the response,
        ``terminal`` names the event types after which the answer is complete. ``chunks`` raises
        :class:`APIConnectionError` when the connection breaks.
        """
        super().__init__(
            chunks,
            EventReader(
                decode,
                meta=meta,
                terminal=terminal,
                operation=operation,
                include_pings=include_pings,
                code_classes=code_classes,
                max_event_bytes=max_event_bytes,
            ),
            meta=meta,
            close=close,
        )

    @property
    def include_pings(self) -> bool:
        """Whether pings come out, as ``Unknown("ping", …)``; may be set at any time."""
        return self._reader.include_pings

    @include_pings.setter
    def include_pings(self, value: bool) -> None:
        self._reader.include_pings = value

    def prime(self) -> None:
        """Wait until the next event that is no ping has come, and keep it for whoever iterates.

        Raises what iterating would raise for it: the error that an ``error`` event stands for,
        :class:`StreamTruncatedError` when the body ends instead. Until this returns nothing has
        been given out, so the call may be tried again. A stream that may end anywhere just ends.
        """
        peek = self._reader.peek
        try:
            waits = peek()
        except BaseException as error:
            self._finish(error)
            raise
        if waits is NOTHING:
            self._wait_for(peek)

    def events(self) -> Iterator[ServerSentEvent]:
        """Yield the events as they were sent, pings and errors included, nothing decoded.

        For passing a stream on. An end before the last event raises
        :class:`StreamTruncatedError` here too.
        """
        return _RawEvents(self._reader.take_raw, self._wait_for)


class AsyncStream(_AsyncStream[T, EventReader[T]]):
    """Asynchronous twin of :class:`Stream`."""

    __slots__ = ()

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        decode: Callable[[Any], T],
        *,
        meta: Meta,
        close: Callable[[], Awaitable[object]] = _nothing_to_close_async,
        terminal: Collection[str] = (),
        operation: str | None = None,
        include_pings: bool = False,
        code_classes: CodeClasses | None = None,
        max_event_bytes: int | None = DEFAULT_MAX_EVENT_BYTES,
    ) -> None:
        """Read ``chunks`` of a body; see :class:`Stream`."""
        super().__init__(
            chunks,
            EventReader(
                decode,
                meta=meta,
                terminal=terminal,
                operation=operation,
                include_pings=include_pings,
                code_classes=code_classes,
                max_event_bytes=max_event_bytes,
            ),
            meta=meta,
            close=close,
        )

    @property
    def include_pings(self) -> bool:
        """Whether pings come out, as ``Unknown("ping", …)``; may be set at any time."""
        return self._reader.include_pings

    @include_pings.setter
    def include_pings(self, value: bool) -> None:
        self._reader.include_pings = value

    async def prime(self) -> None:
        """Wait until the next event that is no ping has come, and keep it for whoever iterates.

        Raises what iterating would raise for it: the error that an ``error`` event stands for,
        :class:`StreamTruncatedError` when the body ends instead. Until this returns nothing has
        been given out, so the call may be tried again. A stream that may end anywhere just ends.
        """
        peek = self._reader.peek
        try:
            waits = peek()
        except BaseException as error:
            await self._finish(error)
            raise
        if waits is NOTHING:
            await self._wait_for(peek)

    def events(self) -> AsyncIterator[ServerSentEvent]:
        """Yield the events as they were sent, pings and errors included, nothing decoded.

        For passing a stream on. An end before the last event raises
        :class:`StreamTruncatedError` here too.
        """
        return _AsyncRawEvents(self._reader.take_raw, self._wait_for)


class JSONLStream(_SyncStream[T, LineReader[T]]):
    """Typed lines of a JSON Lines answer, one at a time and in bounded memory."""

    __slots__ = ()

    def __init__(
        self,
        chunks: Iterator[bytes],
        decode: Callable[[Any], T],
        *,
        meta: Meta,
        close: Callable[[], object] = _nothing_to_close,
        operation: str | None = None,
    ) -> None:
        """Read ``chunks`` of a body; see :class:`Stream`."""
        super().__init__(
            chunks, LineReader(decode, meta=meta, operation=operation), meta=meta, close=close
        )

    @property
    def line_number(self) -> int:
        """Number of the line that came out last, from 1."""
        return self._reader.line_number


class AsyncJSONLStream(_AsyncStream[T, LineReader[T]]):
    """Asynchronous twin of :class:`JSONLStream`."""

    __slots__ = ()

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        decode: Callable[[Any], T],
        *,
        meta: Meta,
        close: Callable[[], Awaitable[object]] = _nothing_to_close_async,
        operation: str | None = None,
    ) -> None:
        """Read ``chunks`` of a body; see :class:`Stream`."""
        super().__init__(
            chunks, LineReader(decode, meta=meta, operation=operation), meta=meta, close=close
        )

    @property
    def line_number(self) -> int:
        """Number of the line that came out last, from 1."""
        return self._reader.line_number
