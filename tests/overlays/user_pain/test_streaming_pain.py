"""Streams: cut, failing, silent, strangely framed."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import (
    StreamTruncatedError,
    Timeout,
    Unknown,
    merge_usage,
    total_input_tokens,
)
from claude_client.errors import APITimeoutError, OverloadedError, RateLimitError
from claude_client.types import TextBlock
from claude_rest._runtime import codec
from claude_rest._runtime.pools import keepalive_options
from exchanges import (
    ARGUMENTS,
    answer,
    block_events,
    error_event,
    message,
    streamed,
    text_events,
)
from loopback import Close, LoopbackServer, Pause, Send, chunked, event
from twins import Twin, each, entered, settle

if TYPE_CHECKING:
    from collections.abc import Callable

TOOL = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}
HALF_INPUT = [{"type": "input_json_delta", "partial_json": '{"path": "/data", "recur'}]


@pytest.mark.parametrize("ending", [[], [Close()]], ids=["a clean end", "a cut"])
def test_row_01_a_stream_without_its_end_is_an_error(twin: Twin, ending: list[Any]) -> None:
    cut = block_events(TOOL, HALF_INPUT, stop=False)
    script = [*streamed(cut, end=not ending), *ending]

    async def body() -> None:
        with LoopbackServer([script]) as server:
            client = twin.client(server.url)
            with pytest.raises(StreamTruncatedError) as helper:
                async with entered(client.messages.stream(**ARGUMENTS)) as stream:
                    await settle(stream.get_final_message())
            assert helper.value.request_id == "req_1"
            assert helper.value.open_blocks == (0,)
            # Half an input never passes for a whole one.
            assert helper.value.partial.content[0].input == {}
            with pytest.raises(StreamTruncatedError):
                async for _ in each(await settle(client.messages.create(**ARGUMENTS, stream=True))):
                    pass
            await settle(client.close())

    twin.run(body)


@pytest.mark.parametrize(
    ("kind", "raised", "status"),
    [("overloaded_error", OverloadedError, 529), ("rate_limit_error", RateLimitError, 429)],
)
def test_row_02_an_error_inside_a_stream_has_the_class_of_that_error(
    twin: Twin, kind: str, raised: type[Any], status: int
) -> None:
    async def body() -> None:
        with LoopbackServer(
            [streamed([*text_events("Hel", stop=False), error_event(kind)])]
        ) as server:
            client = twin.client(server.url)
            with pytest.raises(raised) as error:
                async for _ in each(await settle(client.messages.create(**ARGUMENTS, stream=True))):
                    pass
            assert (error.value.status_code, error.value.http_status) == (status, 200)
            assert error.value.origin == "stream"
            assert len(server.requests) == 1
            await settle(client.close())

    twin.run(body)


def test_row_02_an_overload_before_anything_else_is_retried(twin: Twin) -> None:
    async def body() -> None:
        overloaded = streamed([error_event("overloaded_error")])
        with LoopbackServer([overloaded, streamed(text_events("Hello"))]) as server:
            client = twin.client(server.url)
            stream = await settle(client.messages.create(**ARGUMENTS, stream=True))
            kinds = [each_event.type async for each_event in each(stream)]
            assert kinds[0] == "message_start"
            assert kinds[-1] == "message_stop"
            assert len(server.requests) == 2
            await settle(client.close())

    twin.run(body)


def test_row_06_unknown_blocks_and_events_are_not_taken_for_the_first_known_one(
    twin: Twin,
) -> None:
    future = {"type": "future_block", "text": "not a text block", "more": {"a": [1]}}

    async def body() -> None:
        events = block_events(future, [])
        events.insert(2, event("future_event", {"type": "future_event", "x": 1}))
        with LoopbackServer([answer(message(future)), streamed(events)]) as server:
            client = twin.client(server.url)
            plain = await settle(client.messages.create(**ARGUMENTS))
            assert isinstance(plain.content[0], Unknown)
            assert not isinstance(plain.content[0], TextBlock)
            assert plain.content[0].tag == "future_block"
            assert plain.to_dict()["content"] == [future]
            async with entered(client.messages.stream(**ARGUMENTS)) as stream:
                seen = [each_event async for each_event in each(stream)]
                final = await settle(stream.get_final_message())
            assert [item.tag for item in seen if isinstance(item, Unknown)] == ["future_event"]
            assert final.to_dict()["content"] == [future]
            await settle(client.close())

    twin.run(body)


def _slowly(events: list[bytes], silence: bytes | None) -> list[Any]:
    first, *rest = events
    steps: list[Any] = [Send(chunked([first], end=False))]
    for _ in range(6):
        steps.append(Pause(0.1))
        if silence is not None:
            steps.append(Send(b"%x\r\n%b\r\n" % (len(silence), silence)))
    body = b"".join(rest)
    return [*steps, Send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))]


def test_row_07_pings_keep_a_stream_alive_and_silence_ends_it(twin: Twin) -> None:
    ping = event("ping", {"type": "ping"})

    async def body() -> None:
        events = text_events("Hello")
        with LoopbackServer([_slowly(events, ping), _slowly(events, None)]) as server:
            client = twin.client(server.url, timeout=Timeout(idle=0.4), max_retries=0)
            async with entered(client.messages.stream(**ARGUMENTS, include_pings=True)) as stream:
                kinds = [
                    item.tag if isinstance(item, Unknown) else item.type
                    async for item in each(stream)
                ]
            assert kinds.count("ping") == 6
            with pytest.raises(APITimeoutError) as error:
                async with entered(client.messages.stream(**ARGUMENTS)) as stream:
                    await settle(stream.until_done())
            assert error.value.limit == "idle"
            assert error.value.partial.id == "msg_1"
            await settle(client.close())

    twin.run(body)


def test_row_07_raw_frames_pings_included_can_be_passed_on(twin: Twin) -> None:
    async def body() -> None:
        events = [*text_events("Hello")]
        events.insert(1, event("ping", {"type": "ping"}))
        with LoopbackServer([streamed(events)]) as server:
            client = twin.client(server.url)
            stream = await settle(client.messages.create(**ARGUMENTS, stream=True))
            names = [frame.event async for frame in each(stream.events())]
            assert names[:2] == ["message_start", "ping"]
            assert names[-1] == "message_stop"
            await settle(client.close())

    twin.run(body)


def test_row_15_tool_input_is_read_once_however_many_pieces_it_comes_in(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsing again at each piece would make the work grow with the square of the input."""
    read: list[int] = []
    loads: Callable[[Any], Any] = codec.loads

    def counting(data: Any) -> Any:
        read.append(len(data))
        return loads(data)

    monkeypatch.setattr(codec, "loads", counting)
    whole = '{"rows": [' + ", ".join(str(number) for number in range(2000)) + "]}"
    pieces = [whole[at : at + 4] for at in range(0, len(whole), 4)]
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]

    async def body() -> None:
        with LoopbackServer([streamed(block_events(TOOL, deltas))]) as server:
            client = twin.client(server.url)
            async with entered(client.messages.stream(**ARGUMENTS)) as stream:
                async for _ in each(stream):
                    pass
                final = await settle(stream.get_final_message())
            assert final.content[0].input == {"rows": list(range(2000))}
            assert sum(read) <= 2 * len(whole)
            await settle(client.close())

    twin.run(body)


def test_row_17_a_stream_that_breaks_later_is_not_paid_twice_and_keeps_what_came(
    twin: Twin,
) -> None:
    async def body() -> None:
        script = [*streamed(text_events("Hel", "lo", stop=False), end=False), Close()]
        with LoopbackServer([script]) as server:
            client = twin.client(server.url)
            with pytest.raises(StreamTruncatedError) as error:
                async with entered(client.messages.stream(**ARGUMENTS)) as stream:
                    async for _ in each(stream.text_stream):
                        pass
            assert error.value.partial.content[0].text == "Hello"
            assert error.value.partial.usage.input_tokens == 10
            assert len(server.requests) == 1
            await settle(client.close())

    twin.run(body)


def test_row_17_connections_are_kept_alive_at_the_tcp_level() -> None:
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in keepalive_options()


@pytest.mark.parametrize("piece", [1, 3, None])
def test_row_30_only_line_breaks_of_the_standard_break_lines(twin: Twin, piece: int | None) -> None:
    text = "a\u2028b\u2029c\x85d"
    events = [
        each_event.replace(b"\\u2028", "\u2028".encode())
        .replace(b"\\u2029", "\u2029".encode())
        .replace(b"\\u0085", "\x85".encode())
        .replace(b"\n", b"\r\n")
        for each_event in text_events(text)
    ]

    async def body() -> None:
        with LoopbackServer([streamed(events, piece=piece)]) as server:
            client = twin.client(server.url)
            async with entered(client.messages.stream(**ARGUMENTS)) as stream:
                assert await settle(stream.get_final_text()) == text
            await settle(client.close())

    twin.run(body)


def test_row_39_usage_of_a_stream_is_cumulative_and_merged_once(twin: Twin) -> None:
    start = {"input_tokens": 5, "cache_read_input_tokens": 20, "output_tokens": 1}
    merged = merge_usage(merge_usage(start, {"output_tokens": 4}), {"output_tokens": 9})
    assert merged == {**start, "output_tokens": 9}
    assert total_input_tokens({**start, "cache_creation_input_tokens": 100}) == 125

    async def body() -> None:
        with LoopbackServer([streamed(text_events("Hello"))]) as server:
            client = twin.client(server.url)
            async with entered(client.messages.stream(**ARGUMENTS)) as stream:
                usage = (await settle(stream.get_final_message())).usage
            assert (usage.input_tokens, usage.output_tokens) == (10, 7)
            await settle(client.close())

    twin.run(body)


def test_row_42_a_cancelled_call_gives_its_connection_back() -> None:
    import httpx

    twin = Twin(asynchronous=True)

    async def body() -> None:
        stall = [*streamed(text_events("Hel", stop=False), end=False), Pause(30)]
        with LoopbackServer([stall, [Pause(30)], answer(message())]) as server:
            limits = httpx.Limits(max_connections=1)
            async with httpx.AsyncClient(limits=limits, trust_env=False) as http_client:
                client = twin.client(server.url, http_client=http_client, timeout=5.0)

                async def follow() -> None:
                    async with client.messages.stream(**ARGUMENTS) as stream:
                        await stream.until_done()

                for call in (follow(), client.messages.create(**ARGUMENTS)):
                    task = asyncio.ensure_future(call)
                    await asyncio.sleep(0.1)
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                reply = await client.messages.create(**ARGUMENTS)
                assert reply.id == "msg_1"

    twin.run(body)
