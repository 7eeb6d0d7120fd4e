"""Streams over chunks of bytes: events, pings, errors, truncation, closing; sync and async."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from claude_rest._runtime.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    EventSizeError,
    OverloadedError,
    RateLimitError,
    StreamTruncatedError,
)
from claude_rest._runtime.meta import Meta
from claude_rest._runtime.sse import ServerSentEvent
from claude_rest._runtime.stream import (
    AsyncJSONLStream,
    AsyncStream,
    EventReader,
    JSONLStream,
    Stream,
)
from claude_rest._runtime.struct import Unknown
from counted_work import LINEAR, growth
from loopback import event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

META = Meta(status_code=200, headers={"request-id": "req_1"}, attempts=2)
START = event("message_start", {"type": "message_start"})
DELTA = event("content_block_delta", {"type": "content_block_delta", "index": 0})
PING = event("ping", {"type": "ping"})
STOP = event("message_stop", {"type": "message_stop"})
OVERLOADED = event(
    "error", {"type": "error", "error": {"type": "overloaded_error", "message": "!"}}
)
TERMINAL = ("message_stop",)

Chunk = bytes | Exception


class Source:
    """Chunks that may end in an error, and whether the response was closed."""

    def __init__(self, *chunks: Chunk) -> None:
        self.pending = list(chunks)
        self.closed = 0

    def chunks(self) -> Iterator[bytes]:
        while self.pending:
            chunk = self.pending.pop(0)
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def achunks(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks():
            await asyncio.sleep(0)
            yield chunk

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def kind(value: Any) -> str:
    return str(value["type"])


def stream_of(source: Source, **settings: Any) -> Stream[str]:
    settings = {"meta": META, "terminal": TERMINAL, "operation": "messages.create", **settings}
    return Stream(source.chunks(), kind, close=source.close, **settings)


def async_stream_of(source: Source, **settings: Any) -> AsyncStream[str]:
    settings = {"meta": META, "terminal": TERMINAL, "operation": "messages.create", **settings}
    return AsyncStream(source.achunks(), kind, close=source.aclose, **settings)


def drain(mode: str, chunks: tuple[Chunk, ...], raw: bool = False, **settings: Any) -> Any:
    """Return (what came out, the error, how often the response was closed)."""
    source = Source(*chunks)
    seen: list[Any] = []
    caught: list[Exception] = []

    async def run() -> None:
        stream = async_stream_of(source, **settings)
        try:
            async for item in stream.events() if raw else stream:
                seen.append(item)  # noqa: PERF401
        except Exception as error:  # noqa: BLE001
            caught.append(error)

    if mode == "async":
        asyncio.run(run())
    else:
        stream = stream_of(source, **settings)
        try:
            for item in stream.events() if raw else stream:
                seen.append(item)  # noqa: PERF402
        except Exception as error:  # noqa: BLE001
            caught.append(error)
    return seen, (caught[0] if caught else None), source.closed


both = pytest.mark.parametrize("mode", ["sync", "async"])


@both
@pytest.mark.parametrize("size", [1, 7, None])
def test_events_come_out_typed_and_pings_do_not(mode: str, size: int | None) -> None:
    body = START + PING + DELTA + DELTA + STOP
    step = size or len(body)
    chunks = tuple(body[start : start + step] for start in range(0, len(body), step))
    seen, error, closed = drain(mode, chunks)
    assert seen == ["message_start", *["content_block_delta"] * 2, "message_stop"]
    assert error is None
    assert closed == 1


@both
def test_pings_on_request(mode: str) -> None:
    seen, error, _ = drain(mode, (PING, b"event: ping\ndata:\n\n", STOP), include_pings=True)
    assert error is None
    assert seen == [
        Unknown("ping", {"type": "ping"}),
        Unknown("ping", {"type": "ping"}),
        "message_stop",
    ]


@both
def test_events_without_names_go_by_their_type(mode: str) -> None:
    def unnamed(data: bytes) -> bytes:
        return data.partition(b"\n")[2]

    seen, error, _ = drain(mode, (unnamed(START) + unnamed(PING) + unnamed(STOP),))
    assert (seen, error) == (["message_start", "message_stop"], None)
    _, error, _ = drain(mode, (unnamed(OVERLOADED),))
    assert isinstance(error, OverloadedError)


@both
def test_unknown_events_pass(mode: str) -> None:
    future = event("hologram", {"type": "hologram", "x": 1})
    seen, error, _ = drain(mode, (START, future, STOP))
    assert (seen, error) == (["message_start", "hologram", "message_stop"], None)


@both
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    ("chunks", "events"),
    [
        ((), 0),
        ((START,), 1),
        ((START, DELTA, PING), 2),
        ((START, STOP[:-1]), 1),
        ((START, APIConnectionError("reset", phase="body", origin="http://a")), 1),
    ],
)
def test_a_stream_that_ends_early_is_an_error(
    mode: str, raw: bool, chunks: tuple[Chunk, ...], events: int
) -> None:
    seen, error, closed = drain(mode, chunks, raw=raw)
    assert isinstance(error, StreamTruncatedError)
    assert isinstance(error, APIConnectionError)
    assert (error.events_seen, error.phase, error.request_id) == (events, "body", "req_1")
    assert len([item for item in seen if not raw or item.event != "ping"]) == events
    assert closed == 1
    assert str(error).startswith(f"messages.create: the stream ended after {events} events without")
    assert "attempt 2" in str(error)
    if chunks and isinstance(chunks[-1], Exception):
        assert error.__cause__ is chunks[-1]
        assert error.origin == "http://a"


@both
def test_a_timeout_stays_a_timeout(mode: str) -> None:
    timeout = APITimeoutError("slow", phase="body", timeout=3.0)
    seen, error, closed = drain(mode, (START, timeout))
    assert (seen, error, closed) == (["message_start"], timeout, 1)


@both
@pytest.mark.parametrize(
    "trouble", [APIConnectionError("reset", phase="body"), APITimeoutError("slow", phase="body")]
)
def test_nothing_after_the_last_event_matters(mode: str, trouble: Exception) -> None:
    assert drain(mode, (START, STOP, trouble)) == (["message_start", "message_stop"], None, 1)
    assert drain(mode, (START, STOP + b"event: cut")) == (
        ["message_start", "message_stop"],
        None,
        1,
    )


@both
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    "after",
    [OVERLOADED, DELTA, b"event: x\ndata: {oops\n\n", b"data: [DONE]\n\n", b"\xff" * 99],
)
def test_the_last_event_ends_a_stream(mode: str, raw: bool, after: bytes) -> None:
    whole, error, closed = drain(mode, (START + STOP,), raw)
    assert len(whole) == 2
    for chunks in ((START + STOP + after,), (START + STOP, after)):
        assert drain(mode, chunks, raw) == (whole, None, 1)
    assert (error, closed) == (None, 1)


@both
@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("name", [b"", b"event: data\n", b"event: content_block_delta\n"])
def test_the_type_of_the_data_wins_over_the_name(mode: str, raw: bool, name: bytes) -> None:
    ping, stop = b'data: {"type": "ping"}\n\n', b'data: {"type": "message_stop"}\n\n'
    seen, error, _ = drain(mode, (name + ping + name + stop,), raw)
    assert error is None
    assert len(seen) == (2 if raw else 1)
    failure = b'data: {"type": "error", "error": {"type": "overloaded_error"}}\n\n'
    _, error, _ = drain(mode, (name + failure,), raw)
    assert raw or isinstance(error, OverloadedError)


@both
def test_a_name_stands_in_for_a_missing_type(mode: str) -> None:
    chunks = (START, b"event: message_stop\ndata: {}\n\n")
    source = Source(*chunks)
    stream: Any = Stream(source.chunks(), lambda value: value, meta=META, terminal=TERMINAL)
    if mode == "sync":
        assert list(stream) == [{"type": "message_start"}, {}]
    assert drain(mode, chunks, raw=True)[1] is None


@both
def test_a_stream_without_last_event_may_end_anywhere(mode: str) -> None:
    assert drain(mode, (START, DELTA), terminal=())[1] is None
    _, error, _ = drain(mode, (START, DELTA[:-1]), terminal=())
    assert isinstance(error, StreamTruncatedError)
    assert "in the middle of an event" in str(error)


@both
def test_errors_in_the_stream(mode: str) -> None:
    seen, error, closed = drain(mode, (START + DELTA + OVERLOADED + STOP,))
    assert isinstance(error, OverloadedError)
    assert (error.status_code, error.http_status, error.origin) == (529, 200, "stream")
    assert (error.request_id, error.attempts, error.operation) == ("req_1", 2, "messages.create")
    assert seen == ["message_start", "content_block_delta"]
    assert closed == 1


def test_error_codes_in_the_stream() -> None:
    class RampError(RateLimitError):
        pass

    data = {"error": {"type": "rate_limit_error", "details": {"error_code": "ramp"}}}
    _, error, _ = drain(
        "sync",
        (event("error", data),),
        code_classes=lambda status, code: RampError if (status, code) == (429, "ramp") else None,
    )
    assert type(error) is RampError


@both
def test_raw_events_pass_everything_on(mode: str) -> None:
    body = START + PING + OVERLOADED
    seen, error, closed = drain(mode, (body,), raw=True)
    assert error is None
    assert b"".join(item.encode() for item in seen) == body
    assert seen[1] == ServerSentEvent("ping", b'{"type": "ping"}')
    assert closed == 1


@both
def test_an_event_that_is_not_json(mode: str) -> None:
    seen, error, closed = drain(mode, (START, b"event: x\ndata: {oops\n\n", STOP))
    assert seen == ["message_start"]
    assert isinstance(error, APIResponseValidationError)
    assert "the event 'x' is not JSON" in str(error)
    assert "{oops" in str(error)
    assert error.request_id == "req_1"
    assert closed == 1


@both
def test_done_marks_of_gateways_are_passed_over(mode: str) -> None:
    assert drain(mode, (START + STOP + b"data: [DONE]\n\n",))[1] is None


@both
def test_an_event_too_large(mode: str) -> None:
    _, error, closed = drain(mode, (START, b"data: " + b"x" * 200, STOP), max_event_bytes=100)
    assert isinstance(error, EventSizeError)
    assert isinstance(error, APIError)
    assert (error.operation, error.request_id) == ("messages.create", "req_1")
    assert (error.attempts, error.partial) == (2, None)
    assert closed == 1


@both
def test_an_error_in_the_decoder_closes(mode: str) -> None:
    _, error, closed = drain(mode, (event("x", {"no": "type"}),))
    assert isinstance(error, KeyError)
    assert closed == 1


def test_iterating_again_goes_on() -> None:
    source = Source(START + DELTA, DELTA, STOP)
    stream = stream_of(source)
    for item in stream:
        assert item == "message_start"
        break
    assert source.closed == 0
    assert next(stream) == "content_block_delta"
    raw = stream.events()
    assert next(raw).event == "content_block_delta"
    assert list(stream) == ["message_stop"]
    assert list(stream) == []
    assert list(raw) == []
    assert source.closed == 1


def test_iterating_again_goes_on_async() -> None:
    async def run() -> None:
        source = Source(START + DELTA, STOP)
        stream = async_stream_of(source)
        async for item in stream:
            assert item == "message_start"
            break
        assert await stream.__anext__() == "content_block_delta"
        assert [item async for item in stream] == ["message_stop"]
        assert [item async for item in stream] == []
        assert source.closed == 1

    asyncio.run(run())


def test_close_ends_the_stream_and_may_be_repeated() -> None:
    source = Source(START + DELTA, STOP)
    with stream_of(source) as stream:
        assert next(stream) == "message_start"
        assert not stream.closed
        stream.close()
        assert stream.closed
        assert list(stream) == []
        assert list(stream.events()) == []
    stream.close()
    assert source.closed == 1

    async def run() -> None:
        source = Source(START + DELTA, STOP)
        async with async_stream_of(source) as stream:
            assert await stream.__anext__() == "message_start"
            await stream.close()
            assert [item async for item in stream] == []
            assert [item async for item in stream.events()] == []
        assert source.closed == 1

    asyncio.run(run())


def test_leaving_the_context_early_closes() -> None:
    source = Source(START, DELTA)
    with pytest.raises(ZeroDivisionError), stream_of(source):
        raise ZeroDivisionError
    assert source.closed == 1


def test_cancelling_closes() -> None:
    async def run() -> None:
        source = Source(START)
        waiting = asyncio.Event()

        async def chunks() -> AsyncIterator[bytes]:
            yield START
            waiting.set()
            await asyncio.sleep(60)

        stream = AsyncStream(chunks(), kind, meta=META, close=source.aclose, terminal=TERMINAL)

        async def read() -> None:
            async for _ in stream:
                pass

        task = asyncio.create_task(read())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert source.closed == 1
        assert stream.closed

    asyncio.run(run())


def test_cancelling_closes_what_the_stream_was_given() -> None:
    """Also its chunks: a dropped asynchronous generator would be closed some time, or never."""

    async def run(way: str) -> None:
        source = Source()
        waiting = asyncio.Event()
        ended: list[str] = []

        async def chunks() -> AsyncIterator[bytes]:
            try:
                yield START
                waiting.set()
                await asyncio.sleep(60)
            finally:
                ended.append("chunks")

        stream = AsyncStream(chunks(), kind, meta=META, close=source.aclose, terminal=TERMINAL)
        ways: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
            "items": stream.__anext__,
            "raw": stream.events().__anext__,  # type: ignore[dict-item]
            "prime": stream.prime,
        }
        await stream.__anext__()
        task = asyncio.create_task(ways[way]())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (ended, source.closed, stream.closed) == (["chunks"], 1, True)

    for way in ("items", "raw", "prime"):
        asyncio.run(run(way))


def test_leaving_an_async_loop_and_closing_leaves_no_generator_behind() -> None:
    ended: list[int] = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            for _ in range(9):
                yield START
        finally:
            ended.append(1)

    async def run(raw: bool) -> None:
        forgotten: list[object] = []
        sys.set_asyncgen_hooks(finalizer=forgotten.append)
        async with AsyncStream(chunks(), kind, meta=META, terminal=TERMINAL) as stream:
            async for _ in stream.events() if raw else stream:
                break
        del stream
        gc.collect()
        assert ended == [1]
        assert forgotten == []

    for raw in (False, True):
        ended.clear()
        asyncio.run(run(raw))


def test_closing_while_another_task_waits() -> None:
    async def run() -> None:
        source = Source()
        waiting = asyncio.Event()

        async def chunks() -> AsyncIterator[bytes]:
            waiting.set()
            await asyncio.sleep(0.01)
            yield START

        stream = AsyncStream(chunks(), kind, meta=META, close=source.aclose, terminal=TERMINAL)
        task = asyncio.create_task(stream.__anext__())
        await waiting.wait()
        await stream.close()
        assert source.closed == 1
        with contextlib.suppress(StopAsyncIteration):
            await task

    asyncio.run(run())


@both
def test_nothing_is_kept_of_events_given_out(mode: str) -> None:
    class Kept:
        alive = 0

        def __init__(self, _value: Any) -> None:
            Kept.alive += 1

        def __del__(self) -> None:
            Kept.alive -= 1

    source = Source(START, *[DELTA] * 50, STOP)
    held: list[int] = []

    async def run() -> None:
        async for _ in AsyncStream(source.achunks(), Kept, meta=META, terminal=TERMINAL):
            held.append(Kept.alive)

    if mode == "async":
        asyncio.run(run())
    else:
        for _ in Stream(source.chunks(), Kept, meta=META, terminal=TERMINAL):
            held.append(Kept.alive)
    # The one in the hand of the loop, and the next one while it takes its place.
    assert len(held) == 52
    assert max(held) <= 2
    assert Kept.alive <= 1


@pytest.mark.parametrize("size", [40, 5000])
def test_work_and_memory_do_not_grow_with_what_has_gone_by(size: int) -> None:
    def steps(events: int) -> Iterator[Callable[[], object]]:
        body = START + DELTA * events + STOP
        source = Source(*[body[start : start + size] for start in range(0, len(body), size)])
        source.pending.reverse()
        chunks = iter(source.pending.pop, None)
        stream: Stream[Any] = Stream(chunks, lambda _: None, meta=META, terminal=TERMINAL)  # type: ignore[arg-type]
        for _ in range(events + 2):
            yield partial(next, stream)

    assert growth(steps, 200) < LINEAR


def primed(mode: str, chunks: tuple[Chunk, ...], raw: bool = False, **settings: Any) -> Any:
    """Prime a stream, then drain it: (what was left to read, what came out, error, closed)."""
    source = Source(*chunks)
    seen: list[Any] = []
    left: list[Chunk] = []

    async def run() -> None:
        stream = async_stream_of(source, **settings)
        await stream.prime()
        await stream.prime()
        left.extend(source.pending)
        seen.extend([item async for item in (stream.events() if raw else stream)])

    try:
        if mode == "async":
            asyncio.run(run())
        else:
            stream = stream_of(source, **settings)
            stream.prime()
            stream.prime()
            left.extend(source.pending)
            seen.extend(stream.events() if raw else stream)
    except Exception as error:  # noqa: BLE001
        return left, seen, error, source.closed
    return left, seen, None, source.closed


def test_priming_looks_at_each_ping_once() -> None:
    def steps(pings: int) -> Iterator[Callable[[], object]]:
        reader = EventReader(lambda value: value, meta=META, terminal=TERMINAL)

        def step() -> None:
            reader.feed(b'data: {"type": "ping"}\n\n')
            reader.peek()

        for _ in range(pings):
            yield step

    assert growth(steps, 100) < LINEAR


@both
def test_priming_waits_for_the_first_event_and_keeps_it(mode: str) -> None:
    unnamed_ping = b'data: {"type": "ping"}\n\n'
    chunks = (PING, unnamed_ping, PING + START[:9], START[9:] + DELTA, STOP)
    left, seen, error, closed = primed(mode, chunks)
    assert left == [STOP]
    assert seen == ["message_start", "content_block_delta", "message_stop"]
    assert (error, closed) == (None, 1)
    _, seen, _, _ = primed(mode, chunks, include_pings=True)
    assert [item if isinstance(item, str) else item.type for item in seen] == [
        *["ping"] * 3,
        "message_start",
        "content_block_delta",
        "message_stop",
    ]
    _, seen, _, _ = primed(mode, chunks, raw=True)
    assert b"".join(b"data: %b\n" % item.data for item in seen) == b"".join(
        b"data: %b\n" % item.partition(b"data: ")[2].partition(b"\n")[0]
        for item in (PING, unnamed_ping, PING, START, DELTA, STOP)
    )


@both
@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((), StreamTruncatedError),
        ((PING,), StreamTruncatedError),
        ((PING + START[:-1],), StreamTruncatedError),
        ((PING, OVERLOADED, START), OverloadedError),
        ((b"data: " + OVERLOADED.partition(b"data: ")[2],), OverloadedError),
        ((b"data: [DONE]\n\n", b"data: {oops\n\n"), APIResponseValidationError),
        ((PING, APIConnectionError("reset", phase="body")), StreamTruncatedError),
        ((PING, APITimeoutError("slow", phase="body")), APITimeoutError),
        ((b"data: " + b"x" * 200,), EventSizeError),
    ],
)
def test_priming_raises_what_the_first_event_raises(
    mode: str, chunks: tuple[Chunk, ...], expected: type[Exception]
) -> None:
    left, seen, error, closed = primed(mode, chunks, max_event_bytes=150)
    assert type(error) is expected
    assert (left, seen, closed) == ([], [], 1)


@both
def test_priming_a_stream_that_is_over_does_nothing(mode: str) -> None:
    assert primed(mode, (), terminal=()) == ([], [], None, 1)
    assert primed(mode, (STOP, DELTA))[1:] == (["message_stop"], None, 1)
    source = Source(START)

    async def run() -> None:
        stream = async_stream_of(source)
        await stream.close()
        await stream.prime()

    if mode == "async":
        asyncio.run(run())
    else:
        with stream_of(source) as stream:
            stream.close()
            stream.prime()
    assert source.closed == 1


def test_nothing_is_read_ahead() -> None:
    source = Source(START, DELTA, STOP)
    stream = stream_of(source)
    next(stream)
    assert source.pending == [DELTA, STOP]


def test_facts_of_the_response() -> None:
    for stream in (stream_of(Source()), async_stream_of(Source())):
        assert stream.meta is META
        assert (stream.request_id, stream.status_code) == ("req_1", 200)
        assert stream.headers["Request-Id"] == "req_1"
        assert stream.include_pings is False
        stream.include_pings = True
        assert stream.include_pings is True


def lines(mode: str, *chunks: Chunk) -> tuple[list[Any], Exception | None, int]:
    source = Source(*chunks)
    seen: list[Any] = []

    async def run() -> None:
        async for item in AsyncJSONLStream(
            source.achunks(), lambda value: value, meta=META, close=source.aclose, operation="o"
        ):
            seen.append(item)  # noqa: PERF401

    try:
        if mode == "async":
            asyncio.run(run())
        else:
            for item in JSONLStream(
                source.chunks(), lambda value: value, meta=META, close=source.close, operation="o"
            ):
                seen.append(item)  # noqa: PERF402
    except Exception as error:  # noqa: BLE001
        return seen, error, source.closed
    return seen, None, source.closed


@both
def test_jsonl(mode: str) -> None:
    body = json.dumps({"a": 1}).encode() + b"\r\n\n" + json.dumps({"b": "\u2028"}).encode()
    for size in (1, len(body)):
        chunks = [body[start : start + size] for start in range(0, len(body), size)]
        assert lines(mode, *chunks) == ([{"a": 1}, {"b": "\u2028"}], None, 1)


@both
def test_jsonl_bad_line_is_named_and_closes(mode: str) -> None:
    seen, error, closed = lines(mode, b'{"a": 1}\n\n{oops}\n{"b": 2}\n')
    assert seen == [{"a": 1}]
    assert isinstance(error, APIResponseValidationError)
    assert "o: line 3 is not JSON" in str(error)
    assert closed == 1


@both
def test_jsonl_cut_off(mode: str) -> None:
    seen, error, closed = lines(mode, b'{"a": 1}\n{"b": ')
    assert seen == [{"a": 1}]
    assert isinstance(error, StreamTruncatedError)
    assert "in the middle of line 2" in str(error)
    assert closed == 1
    broken = APIConnectionError("reset", phase="body")
    assert lines(mode, b'{"a": 1}\n', broken) == ([{"a": 1}], broken, 1)


def test_twins_have_the_same_public_names() -> None:
    def public(cls: type) -> set[str]:
        return {name for name in dir(cls) if not name.startswith("_")}

    assert public(Stream) == public(AsyncStream)
    assert public(JSONLStream) == public(AsyncJSONLStream)
    assert issubclass(OverloadedError, APIStatusError)
