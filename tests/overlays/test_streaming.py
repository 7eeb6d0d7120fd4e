"""Message streams over real sockets, synchronous and asynchronous alike."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from typing import TYPE_CHECKING, Any, get_args

import httpx
import pytest

import claude_client
from claude_client import (
    AsyncClaude,
    AsyncMessageStream,
    Claude,
    InvalidToolInput,
    MessageStream,
    RetryPolicy,
    stream_events,
)
from claude_client.errors import (
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    OverloadedError,
    StreamProtocolError,
    StreamTruncatedError,
)
from claude_client.stream_state import StreamState
from claude_rest import Unknown
from claude_rest._runtime.strict import StrictDecodingError
from loopback import Close, LoopbackServer, Pause, Reset, Send, chunked, response
from loopback import event as encode_event

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

ARGUMENTS: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}

START = {
    "type": "message_start",
    "message": {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "content": [],
        "model": "claude-opus-5-5",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1},
    },
}


def started(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, **parts: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": parts}


def stopped(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


TEXT = [
    started(0, type="text", text=""),
    delta(0, type="text_delta", text="Hel"),
    {"type": "ping"},
    delta(0, type="text_delta", text="lo \u2028 \u00fc"),
    stopped(0),
]
TOOL = [
    started(1, type="tool_use", id="toolu_1", name="f", input={}),
    delta(1, type="input_json_delta", partial_json='{"path": "/da'),
    delta(1, type="input_json_delta", partial_json='ta", "recursive": true}'),
    stopped(1),
]
END = [
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 20},
    },
    {"type": "message_stop"},
]
WHOLE = [START, *TEXT, *TOOL, *END]


def sse(events: list[dict[str, Any]]) -> list[bytes]:
    return [encode_event(data["type"], data) for data in events]


def reply(events: list[dict[str, Any]], *, end: bool = True, piece: int | None = None) -> list[Any]:
    data = chunked(sse(events), headers={"request-id": "req_1"}, end=end)
    return [Send(data, piece=piece), *([] if end else [Close()])]


class AsyncAsSync:
    """Lets a test say the same thing to both kinds of stream."""

    def __init__(self, stream: AsyncMessageStream, run: Callable[[Awaitable[Any]], Any]) -> None:
        self._stream = stream
        self._run = run

    def __iter__(self) -> Iterator[Any]:
        return self._drain(self._stream)

    @property
    def text_stream(self) -> Iterator[str]:
        return self._drain(self._stream.text_stream)

    def _drain(self, iterator: Any) -> Iterator[Any]:
        while True:
            try:
                yield self._run(anext(iterator))
            except StopAsyncIteration:
                return

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "include_pings":
            self._stream.include_pings = value
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._stream, name)
        if inspect.iscoroutinefunction(value):
            return lambda *arguments: self._run(value(*arguments))
        return value


class Kit:
    """Opens streams against a script, with either client."""

    def __init__(self, asynchronous: bool) -> None:
        self.asynchronous = asynchronous
        self._closers: list[Callable[[], object]] = []

    def open(self, *replies: list[Any], settings: Any = None, **arguments: Any) -> Any:
        server = self.server = LoopbackServer(replies)
        self._closers.append(server.close)
        settings = {
            **(settings or {}),
            "api_key": "k",
            "base_url": server.url,
            "retry": RetryPolicy(random=lambda: 0.0),
        }
        if not self.asynchronous:
            client = Claude(**settings)
            manager = client.messages.stream(**{**ARGUMENTS, **arguments})
            self._closers.append(client.close)
            stream = manager.__enter__()
            self._closers.append(lambda: manager.__exit__(None, None, None))
            return stream
        loop = asyncio.new_event_loop()
        self._closers.append(loop.close)
        run = loop.run_until_complete
        async_client = AsyncClaude(**settings)
        async_manager = async_client.messages.stream(**{**ARGUMENTS, **arguments})
        self._closers.append(lambda: run(async_client.close()))
        async_stream = run(async_manager.__aenter__())
        self._closers.append(lambda: run(async_manager.__aexit__(None, None, None)))
        return AsyncAsSync(async_stream, run)

    def close(self) -> None:
        while self._closers:
            self._closers.pop()()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    kit = Kit(request.param)
    yield kit
    kit.close()


def test_final_message(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    message = stream.get_final_message()
    assert message.content[0].text == "Hello \u2028 \u00fc"
    assert message.content[1].input == {"path": "/data", "recursive": True}
    assert message.stop_reason == "tool_use"
    assert message.usage.to_dict() == {"input_tokens": 10, "output_tokens": 20}
    assert message.meta.request_id == stream.request_id == stream.meta.request_id == "req_1"
    assert stream.get_final_message() is message
    assert stream.get_final_text() == "Hello \u2028 \u00fc"
    sent = kit.server.requests[0]
    assert sent.json() == {**ARGUMENTS, "stream": True}
    assert sent.header("accept") == "text/event-stream"


@pytest.mark.parametrize("piece", [1, 7, 1400])
def test_pieces_of_any_size(kit: Kit, piece: int) -> None:
    assert kit.open(reply(WHOLE, piece=piece)).get_final_text() == "Hello \u2028 \u00fc"


def test_events_in_order(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    events = list(stream)
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "text",
        "content_block_delta",
        "text",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "input_json",
        "content_block_delta",
        "input_json",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    first, second = (event for event in events if event.type == "text")
    assert (first.text, first.snapshot, first.index) == ("Hel", "Hel", 0)
    assert second.snapshot == "Hello \u2028 \u00fc"
    part = next(event for event in events if event.type == "input_json")
    assert part.partial_json == part.json_so_far == '{"path": "/da'
    # The block has stopped since then, so this is its final input.
    assert part.snapshot == {"path": "/data", "recursive": True}
    text, tool = (event for event in events if event.type == "content_block_stop")
    assert text.content_block.text == "Hello \u2028 \u00fc"
    assert tool.content_block.input == {"path": "/data", "recursive": True}
    assert events[-1].message is stream.get_final_message()
    assert repr(first) == "TextEvent(text='Hel')"


def test_all_derived_events(kit: Kit) -> None:
    citation = {
        "type": "char_location",
        "cited_text": "x",
        "document_index": 0,
        "document_title": None,
        "start_char_index": 0,
        "end_char_index": 1,
    }
    events = list(
        kit.open(
            reply(
                [
                    START,
                    started(0, type="thinking", thinking="", signature=""),
                    delta(0, type="thinking_delta", thinking="hm"),
                    delta(0, type="signature_delta", signature="sig"),
                    stopped(0),
                    started(1, type="text", text="Al"),
                    delta(1, type="citations_delta", citation=citation),
                    delta(1, type="aura_delta", aura="blue"),
                    stopped(1),
                    started(2, type="compaction", content=None, encrypted_content=None),
                    delta(2, type="compaction_delta", content="sum", encrypted_content="enc"),
                    stopped(2),
                    {"type": "future_event", "x": 1},
                    *END,
                ]
            )
        )
    )
    by_type = {event.type: event for event in events if not isinstance(event, Unknown)}
    assert by_type["thinking"].thinking == by_type["thinking"].snapshot == "hm"
    assert by_type["signature"].signature == "sig"
    assert by_type["text"].text == "Al"
    assert by_type["citation"].citation.to_dict() == citation
    assert [one.to_dict() for one in by_type["citation"].snapshot] == [citation]
    assert by_type["compaction"].encrypted_content == "enc"
    unknown = [event for event in events if isinstance(event, Unknown)]
    assert [event.raw for event in unknown] == [{"type": "future_event", "x": 1}]


def test_input_so_far(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    seen = []
    for event in stream:
        if event.type == "input_json":
            assert event.snapshot is stream.partial_input(1)
            seen.append(dict(event.snapshot))
            assert stream.current_message_snapshot.content[1].input == {}
        elif event.type == "content_block_stop" and event.index == 1:
            assert stream.partial_input(1) == event.content_block.input
    assert seen == [{"path": "/da"}, {"path": "/data", "recursive": True}]
    assert stream.partial_input(0) is stream.partial_input(9) is None


def test_usage_so_far_and_facts_of_the_response(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    assert stream.usage is None
    assert (stream.status_code, stream.headers["request-id"]) == (200, "req_1")
    assert not stream.closed
    next(iter(stream))
    assert (stream.usage.input_tokens, stream.usage.output_tokens) == (10, 1)
    stream.until_done()
    assert stream.usage == stream.get_final_message().usage
    assert stream.usage.output_tokens == 20
    assert stream.closed


def test_names_of_the_official_sdk() -> None:
    assert claude_client.InputJsonEvent is claude_client.InputJSONEvent
    members = set(get_args(claude_client.MessageStreamEvent))
    assert {claude_client.TextEvent, claude_client.InputJSONEvent, Unknown} < members
    with pytest.raises(AttributeError):
        _ = stream_events.NoSuchEvent
    assert [cls.type for cls in OFFICIAL_TYPES.values()] == list(OFFICIAL_TYPES)


OFFICIAL_TYPES: dict[str, Any] = {
    "text": stream_events.TextEvent,
    "thinking": stream_events.ThinkingEvent,
    "input_json": stream_events.InputJSONEvent,
    "citation": stream_events.CitationEvent,
    "signature": stream_events.SignatureEvent,
    "compaction": stream_events.CompactionEvent,
    "content_block_stop": stream_events.ContentBlockStopEvent,
    "message_stop": stream_events.MessageStopEvent,
}


def test_text_stream(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    assert list(stream.text_stream) == ["Hel", "lo \u2028 \u00fc"]
    assert stream.get_final_message().stop_reason == "tool_use"


def test_going_on_another_way_loses_nothing(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    for event in stream:
        # Its text event has been made, and not been given out.
        if event.type == "content_block_delta":
            break
    assert stream.current_message_snapshot.content[0].text == "Hel"
    assert list(stream.text_stream) == ["Hel", "lo \u2028 \u00fc"]
    assert stream.get_final_message().content[1].input["recursive"] is True


def test_until_done(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    stream.until_done()
    assert stream.accumulator.complete
    assert list(stream) == []


def test_tool_input_is_not_shown_before_its_end(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    for event in stream:
        if event.type == "input_json":
            assert stream.current_message_snapshot.content[1].input == {}
    assert stream.current_message_snapshot.content[1].input["path"] == "/data"


def test_invalid_tool_input_is_marked(kit: Kit) -> None:
    events = [START, started(0, type="tool_use", id="t", name="f", input={})]
    events += [delta(0, type="input_json_delta", partial_json='{"path": "/data", "recur')]
    events += [stopped(0), *END]
    tool = kit.open(reply(events)).get_final_message().content[0]
    assert isinstance(tool.input, InvalidToolInput)
    assert tool.input.raw == '{"path": "/data", "recur'


CUT = [START, *TEXT, *TOOL[:-1]]


@pytest.mark.parametrize("end", [True, False], ids=["in order", "mid-body"])
@pytest.mark.parametrize(
    "way", ["get_final_message", "get_final_text", "until_done", "list", "text"]
)
def test_a_stream_that_ends_early_is_no_success(kit: Kit, way: str, end: bool) -> None:
    stream = kit.open(reply(CUT, end=end))
    with pytest.raises(StreamTruncatedError) as caught:
        if way == "list":
            list(stream)
        elif way == "text":
            list(stream.text_stream)
        else:
            getattr(stream, way)()
    error = caught.value
    assert error.partial.content[0].text == "Hello \u2028 \u00fc"
    assert error.partial.content[1].input == {}
    assert error.partial.stop_reason is None
    assert error.open_blocks == (1,)
    assert error.request_id == "req_1"
    assert "req_1" in str(error)
    with pytest.raises(StreamTruncatedError):
        stream.get_final_message()
    copy = pickle.loads(pickle.dumps(error))
    assert copy.partial == error.partial
    assert len(kit.server.requests) == 1


@pytest.mark.parametrize("way", ["get_final_message", "list", "text"])
def test_a_stream_that_falls_silent_gives_what_had_come(kit: Kit, way: str) -> None:
    head = chunked(sse(CUT), headers={"request-id": "req_1"}, end=False)
    stream = kit.open([Send(head), Pause(5)], timeout=httpx.Timeout(5, read=0.1))
    with pytest.raises(APITimeoutError) as caught:
        if way == "list":
            list(stream)
        elif way == "text":
            list(stream.text_stream)
        else:
            stream.get_final_message()
    error: Any = caught.value
    assert error.partial.content[0].text == "Hello \u2028 \u00fc"
    assert error.partial.usage.output_tokens == 1
    assert error.request_id == "req_1"
    assert stream.closed


def test_a_failure_of_any_kind_closes(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(StreamState, "take", fail)
    stream = kit.open(reply(WHOLE))
    with pytest.raises(ZeroDivisionError):
        next(iter(stream))
    assert stream.closed


def test_cancelling_a_text_stream_closes() -> None:
    async def run(way: str) -> None:
        head = chunked(sse([START, *TEXT]), end=False)
        with LoopbackServer([[Send(head), Pause(5)]]) as server:
            async with (
                AsyncClaude(api_key="k", base_url=server.url) as client,
                client.messages.stream(**ARGUMENTS) as stream,
            ):
                texts = stream.text_stream
                assert [await anext(texts), await anext(texts)] == ["Hel", "lo \u2028 \u00fc"]
                waiting = anext(texts) if way == "text" else stream.get_final_message()
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(waiting, 0.05)
                assert stream.closed
                with pytest.raises(StreamTruncatedError) as caught:
                    await stream.get_final_message()
                assert caught.value.partial.content[0].text == "Hello \u2028 \u00fc"

    for way in ("text", "final"):
        asyncio.run(run(way))


def test_a_reset_in_the_middle(kit: Kit) -> None:
    data = chunked(sse(CUT), headers={"request-id": "req_1"}, end=False)
    stream = kit.open([Send(data), Reset()])
    with pytest.raises(StreamTruncatedError) as caught:
        stream.get_final_message()
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("kind", "cls"), [("overloaded_error", OverloadedError), ("new_error", APIStatusError)]
)
def test_an_error_in_the_stream_has_its_class_and_what_had_come(
    kit: Kit, kind: str, cls: type[APIStatusError]
) -> None:
    error_event = {"type": "error", "error": {"type": kind, "message": "Too much"}}
    stream = kit.open(reply([START, *TEXT, error_event]))
    with pytest.raises(APIStatusError) as caught:
        stream.get_final_message()
    error: Any = caught.value
    assert type(error) is cls
    assert (error.type, error.http_status, error.origin) == (kind, 200, "stream")
    assert error.partial.content[0].text == "Hello \u2028 \u00fc"
    assert error.partial.usage.input_tokens == 10
    assert error.request_id == "req_1"
    assert stream.closed


def test_events_in_a_senseless_order_close_the_stream(kit: Kit) -> None:
    stream = kit.open(reply([START, stopped(4), *END]))
    with pytest.raises(StreamProtocolError) as caught:
        stream.get_final_message()
    assert caught.value.request_id == "req_1"
    assert "content block 4" in str(caught.value)
    with pytest.raises(StreamTruncatedError):
        stream.get_final_message()


def test_closing_early_is_not_success(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    next(iter(stream))
    stream.close()
    stream.close()
    with pytest.raises(StreamTruncatedError, match="closed before its end"):
        stream.get_final_message()
    with pytest.raises(StreamTruncatedError, match="closed before its end") as caught:
        stream.until_done()
    assert caught.value.request_id == "req_1"


def test_until_done_after_closing_a_whole_stream(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    assert list(stream)
    stream.close()
    stream.until_done()


@pytest.mark.parametrize("way", ["events", "text_stream", "final"])
@pytest.mark.parametrize(
    "wrong",
    [
        [{**START, "message": {**START["message"], "zzz": 1}}, *TEXT, *END],
        [START, started(0, type="hologram"), stopped(0), *END],
        [START, *TEXT, {"type": "new_kind"}, *END],
    ],
    ids=["field", "block", "event"],
)
def test_strict_checks_every_event(kit: Kit, wrong: list[dict[str, Any]], way: str) -> None:
    ways: dict[str, Callable[[Any], Any]] = {
        "events": list,
        "text_stream": lambda stream: list(stream.text_stream),
        "final": lambda stream: stream.get_final_message(),
    }
    ways[way](kit.open(reply(wrong)))
    with pytest.raises(StrictDecodingError):
        ways[way](kit.open(reply(wrong), settings={"strict": True}))


def test_strict_checks_the_final_message(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE), settings={"strict": True})
    assert stream.get_final_message().stop_reason == "tool_use"
    checked: list[Any] = []
    state = StreamState(stream.meta, check=checked.append)
    for event in WHOLE:
        state.take(event)
    assert checked == []
    assert state.final_message() is state.final_message()
    assert checked == [state.final_message()]


def test_strict_takes_what_its_schema_allows(kit: Kit) -> None:
    cut = [*TOOL[:2], stopped(1)]
    stream = kit.open(reply([START, *TEXT, *cut, *END]), settings={"strict": True})
    assert isinstance(stream.get_final_message().content[1].input, InvalidToolInput)


def test_an_error_status_is_raised_on_entering(kit: Kit) -> None:
    body = {"type": "error", "error": {"type": "invalid_request_error", "message": "No"}}
    with pytest.raises(APIStatusError, match="No"):
        kit.open([Send(response(400, json=body))])


def test_opening_is_retried(kit: Kit) -> None:
    stream = kit.open([Send(response(529, json={}))], reply(WHOLE))
    assert stream.get_final_text()
    assert stream.meta.attempts == 2


def test_something_else_than_events_is_an_error(kit: Kit) -> None:
    page = response(200, b"<html>Log in</html>", headers={"content-type": "text/html"})
    with pytest.raises(APIResponseValidationError, match="text/html"):
        kit.open([Send(page)])


def test_a_misspelt_argument_is_refused() -> None:
    client = Claude(api_key="k", base_url="http://127.0.0.1:1")
    with (
        pytest.raises(TypeError, match="modle"),
        client.messages.stream(**ARGUMENTS, modle="x"),  # type: ignore[call-arg]
    ):
        pass


def test_pings_on_request(kit: Kit) -> None:
    stream = kit.open(reply(WHOLE))
    stream.include_pings = True
    pings = [event for event in stream if isinstance(event, Unknown)]
    assert [ping.tag for ping in pings] == ["ping"]


def test_create_with_stream(kit: Kit) -> None:
    with LoopbackServer([reply(WHOLE)]) as server:
        if kit.asynchronous:

            async def collect() -> list[str]:
                async with AsyncClaude(api_key="k", base_url=server.url) as client:
                    stream = await client.messages.create(**ARGUMENTS, stream=True)
                    return [event.type async for event in stream]

            types = asyncio.run(collect())
        else:
            with Claude(api_key="k", base_url=server.url) as client:
                types = [event.type for event in client.messages.create(**ARGUMENTS, stream=True)]
    assert types == [data["type"] for data in WHOLE if data["type"] != "ping"]


def test_create_with_stream_that_ends_early() -> None:
    with (
        LoopbackServer([reply(CUT)]) as server,
        Claude(api_key="k", base_url=server.url) as client,
        pytest.raises(StreamTruncatedError) as caught,
    ):
        list(client.messages.create(**ARGUMENTS, stream=True))
    error = caught.value
    assert (error.request_id, error.operation) == ("req_1", "messages.create")
    assert error.events_seen == len([data for data in CUT if data["type"] != "ping"])
    # Nobody accumulates here, so there is nothing to hand over.
    assert (error.partial, error.open_blocks) == (None, ())


def test_twins_have_the_same_methods() -> None:
    def public(cls: type) -> dict[str, inspect.Signature | str]:
        return {
            name: str(inspect.signature(value)) if callable(value) else type(value).__name__
            for name in dir(cls)
            if not name.startswith("_") and (value := inspect.getattr_static(cls, name))
        }

    sync, asynchronous = public(MessageStream), public(AsyncMessageStream)
    asynchronous["text_stream"] = sync["text_stream"]
    assert sync == asynchronous
