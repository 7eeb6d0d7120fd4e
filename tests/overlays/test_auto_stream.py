"""Messages that may take long are streamed under the hood, and come back as the same message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from both_clients import ARGUMENTS, EVENTS, MESSAGE, OK, error_event, failure, stream
from both_clients import kit as kit
from claude_client import AsyncClaude, Claude, MessageAccumulator
from claude_client.calls import takes_long
from claude_client.errors import (
    APIResponseValidationError,
    OverloadedError,
    RateLimitError,
    StreamTruncatedError,
)
from claude_rest import UNSET
from claude_rest._runtime.strict import StrictDecodingError
from claude_rest.models import Message
from loopback import LoopbackServer, Pause, Reset, Send, chunked, event, response

if TYPE_CHECKING:
    from both_clients import BothClients

LONG = 64_000


@pytest.mark.parametrize(
    ("arguments", "long"),
    [
        ({}, False),
        ({"max_tokens": 100}, False),
        ({"max_tokens": 21_333}, False),
        ({"max_tokens": 21_334}, True),
        ({"max_tokens": 128_000.0}, True),
        ({"max_tokens": UNSET}, False),
        ({"max_tokens": None}, False),
        ({"max_tokens": "many"}, False),
    ],
)
def test_takes_long(arguments: Any, long: bool) -> None:
    assert takes_long(arguments) is long


def test_the_same_message_as_the_plain_call(kit: BothClients) -> None:
    plain = kit.create()
    assert kit.sent().json() == ARGUMENTS
    message = kit.create(stream(EVENTS), max_tokens=LONG)
    assert kit.sent().json() == {**ARGUMENTS, "max_tokens": LONG, "stream": True}
    assert kit.sent().header("accept") == "text/event-stream"
    assert message == plain
    assert type(message) is type(plain) is Message
    assert message.to_dict() == MESSAGE
    assert (message.meta.request_id, message.meta.attempts) == ("req_ok", 1)


def test_what_nobody_knows_yet_survives(kit: BothClients) -> None:
    block = {"type": "hologram", "depth": 3}
    start = {"type": "message_start", "message": {**EVENTS[0]["message"], "mood": "good"}}
    events = [
        start,
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_stop", "index": 0},
        *EVENTS[-2:],
    ]
    message = kit.create(stream(events), max_tokens=LONG)
    assert message.to_dict() == {**MESSAGE, "content": [block], "mood": "good"}


@pytest.mark.parametrize(
    ("settings", "arguments", "streamed"),
    [
        ({}, {}, False),
        ({}, {"max_tokens": LONG}, True),
        ({"auto_stream": False}, {"max_tokens": LONG}, False),
        ({"auto_stream": False}, {"max_tokens": LONG, "auto_stream": True}, True),
        ({}, {"max_tokens": LONG, "auto_stream": False}, False),
        ({}, {"max_tokens": LONG, "stream": False}, False),
        ({}, {"max_tokens": LONG, "stream": UNSET}, True),
        ({}, {"extra_body": {"max_tokens": LONG}}, True),
        ({}, {"max_tokens": LONG, "extra_body": {"stream": False}}, False),
    ],
)
def test_when(kit: BothClients, settings: Any, arguments: Any, streamed: bool) -> None:
    reply = stream(EVENTS) if streamed else OK
    message = kit.create(reply, settings=settings, **arguments)
    assert message.to_dict() == MESSAGE
    assert kit.sent().json().get("stream", False) is streamed


def test_only_messages(kit: BothClients) -> None:
    client = kit.open([Send(response(json={"input_tokens": 7}))])
    counted = kit.run(
        client.messages.count_tokens(model="m", messages=[], extra_body={"max_tokens": LONG})
    )
    assert counted.input_tokens == 7
    assert "stream" not in kit.sent().json()


@pytest.mark.parametrize("kind", ["overloaded_error", "rate_limit_error"])
def test_failing_first_events_are_retried(kit: BothClients, kind: str) -> None:
    message = kit.create(stream([error_event(kind)]), stream(EVENTS), max_tokens=LONG)
    assert message.to_dict() == MESSAGE
    assert message.meta.attempts == len(kit.server.requests) == 2
    message = kit.create(failure(529), stream(EVENTS), max_tokens=LONG)
    assert message.meta.attempts == 2


def test_attempts_run_out(kit: BothClients) -> None:
    with pytest.raises(RateLimitError) as caught:
        kit.create(stream([error_event("rate_limit_error")]), max_tokens=LONG)
    assert caught.value.attempts == len(kit.server.requests) == 3


@pytest.mark.parametrize("way", ["end", "close", "reset"])
def test_a_cut_is_an_error_with_what_had_come(kit: BothClients, way: str) -> None:
    part = EVENTS[:5]
    reply = stream(part, end=way == "end")
    if way == "reset":
        reply = [*stream(part, end=False)[:1], Reset()]
    with pytest.raises(StreamTruncatedError) as caught:
        kit.create(reply, max_tokens=LONG)
    error = caught.value
    assert len(kit.server.requests) == 1
    assert error.operation == "messages.create"
    assert error.request_id == "req_ok"
    if way != "reset":
        assert error.partial.content[0].text == "Hello!"
        assert error.open_blocks == (0,)


def test_an_error_in_the_middle(kit: BothClients) -> None:
    with pytest.raises(OverloadedError) as caught:
        kit.create(stream([*EVENTS[:4], error_event("overloaded_error")]), max_tokens=LONG)
    assert caught.value.partial.content[0].text == "Hel"
    assert len(kit.server.requests) == 1


def test_a_gateway_that_does_not_stream(kit: BothClients) -> None:
    assert kit.create(OK, max_tokens=LONG).to_dict() == MESSAGE
    page = [Send(response(200, b"<html>", headers={"content-type": "text/html"}))]
    with pytest.raises(APIResponseValidationError, match="html"):
        kit.create(page, max_tokens=LONG)


def test_strict_checks_the_message(kit: BothClients) -> None:
    wrong = [{**EVENTS[0], "message": {**EVENTS[0]["message"], "role": "nobody"}}, *EVENTS[1:]]
    assert kit.create(stream(wrong), max_tokens=LONG).role == "nobody"
    with pytest.raises(StrictDecodingError):
        kit.create(stream(wrong), max_tokens=LONG, settings={"strict": True})
    strictly = kit.create(stream(EVENTS), max_tokens=LONG, settings={"strict": True})
    assert strictly.to_dict() == MESSAGE


def test_the_connection_is_used_again(kit: BothClients) -> None:
    client = kit.open(stream(EVENTS), OK)
    for limit in (LONG, 100):
        message = kit.run(client.messages.create(**{**ARGUMENTS, "max_tokens": limit}))
        assert message.to_dict() == MESSAGE
    assert kit.server.connections == 1


def test_an_interrupt_closes_the_response(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: object, event: object) -> None:
        raise KeyboardInterrupt

    part = event("message_start", EVENTS[0])
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    with LoopbackServer([[Send(head + part)], OK]) as server:
        client = Claude(api_key="k", base_url=server.url)
        with monkeypatch.context() as patched:
            patched.setattr(MessageAccumulator, "add", interrupt)
            with pytest.raises(KeyboardInterrupt):
                client.messages.create(**{**ARGUMENTS, "max_tokens": LONG})
        assert client.messages.create(**ARGUMENTS).to_dict() == MESSAGE
        client.close()


def test_cancelling_gives_the_connection_back() -> None:
    async def call() -> None:
        parts = [event(data["type"], data) for data in EVENTS[:4]]
        slow = [Send(chunked(parts, end=False)), Pause(20)]
        http_client = httpx.AsyncClient(limits=httpx.Limits(max_connections=1), timeout=5)
        with LoopbackServer([slow, slow, OK]) as server:
            async with (
                http_client,
                AsyncClaude(api_key="k", base_url=server.url, http_client=http_client) as client,
            ):
                for options in ({"max_tokens": LONG}, {"stream": True}):
                    arguments: Any = {**ARGUMENTS, **options}
                    with pytest.raises(asyncio.TimeoutError):
                        await asyncio.wait_for(read(client, arguments), 0.5)
                message = await client.messages.create(**ARGUMENTS)
                assert message.to_dict() == MESSAGE

    async def read(client: AsyncClaude, arguments: Any) -> None:
        result = await client.messages.create(**arguments)
        async with result:
            async for _ in result:
                pass

    asyncio.run(call())
