"""Spans of calls: what is in them, and what is not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from both_clients import ARGUMENTS, EVENTS, MESSAGE, OK, error_event, failure, stream
from claude_client import (
    APIStatusError,
    OverloadedError,
    RateLimitError,
    RetryPolicy,
    StreamTruncatedError,
)
from claude_client.errors import APIConnectionError
from loopback import Reset, Send, response

if TYPE_CHECKING:
    from both_clients import BothClients
    from conftest import Spans

SECRETS = ("Hi", "Hello", "Hel", "lo!", "key-one")


def events(span: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, dict(event.attributes or {})) for event in span.events]


def assert_no_content(span: Any) -> None:
    shown = json.dumps(json.loads(span.to_json()))
    for text in SECRETS:
        assert f'"{text}' not in shown
        assert f"{text}\\" not in shown


def test_a_message_whose_response_is_raw(kit: BothClients, spans: Spans) -> None:
    create = kit.open(**spans.settings(kit)).messages.with_raw_response.create
    assert kit.run(create(**ARGUMENTS)).status_code == 200
    attributes = spans.attributes
    assert attributes["gen_ai.response.id"] == "msg_1"
    assert attributes["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert attributes["gen_ai.usage.input_tokens"] == 3
    assert_no_content(spans.one)


def test_a_message(kit: BothClients, spans: Spans) -> None:
    message = kit.create(settings=spans.settings(kit), temperature=0.5, stop_sequences=["x"])
    assert message.id == "msg_1"
    span = spans.one
    assert (span.name, span.kind) == ("chat claude-opus-5-5", SpanKind.CLIENT)
    assert span.status.status_code is StatusCode.UNSET
    port = int(kit.server.url.rpartition(":")[2])
    assert spans.attributes == {
        "gen_ai.provider.name": "anthropic",
        "gen_ai.system": "anthropic",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "claude-opus-5-5",
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.stop_sequences": ("x",),
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude-opus-5-5",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
        "claude.operation": "messages.create",
        "claude.request_id": "req_ok",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": port,
    }
    assert_no_content(span)


def test_tokens_from_the_cache_count_as_input(kit: BothClients, spans: Spans) -> None:
    usage = {
        "input_tokens": 3,
        "output_tokens": 2,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
    }
    kit.create([Send(response(json={**MESSAGE, "usage": usage}))], settings=spans.settings(kit))
    assert spans.attributes["gen_ai.usage.input_tokens"] == 123
    assert spans.attributes["gen_ai.usage.cache_read.input_tokens"] == 100
    assert spans.attributes["gen_ai.usage.cache_creation.input_tokens"] == 20


def test_each_attempt_is_an_event(kit: BothClients, spans: Spans) -> None:
    # The first was sent whole, so repeating it has to be asked for.
    again = RetryPolicy(random=lambda: 0.0, resend_billable=True)
    settings = {**spans.settings(kit), "retry": again}
    kit.create([Reset()], failure(529, "overloaded_error"), OK, settings=settings)
    found = events(spans.one)
    assert [name for name, _ in found] == ["claude.attempt"] * 3
    first, second, third = (facts for _, facts in found)
    assert (first["number"], second["number"], third["number"]) == (1, 2, 3)
    assert first["error.type"] == "APIConnectionError"
    assert (second["http.response.status_code"], second["claude.request_id"]) == (529, "req_bad")
    assert (third["http.response.status_code"], third["claude.request_id"]) == (200, "req_ok")
    assert spans.attributes["http.request.resend_count"] == 2
    assert spans.attributes["claude.request_id"] == "req_ok"
    assert spans.one.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("replies", "kind", "shown"),
    [
        ([failure(429, "rate_limit_error")] * 3, RateLimitError, "rate_limit_error"),
        ([failure(400, "invalid_request_error")], APIStatusError, "invalid_request_error"),
        ([[Reset()]], APIConnectionError, "APIConnectionError"),
    ],
)
def test_errors(kit: BothClients, spans: Spans, replies: Any, kind: Any, shown: str) -> None:
    with pytest.raises(kind):
        kit.create(*replies, settings=spans.settings(kit))
    assert spans.attributes["error.type"] == shown
    assert spans.one.status.status_code is StatusCode.ERROR
    # The text of an error may quote what was sent.
    assert spans.one.status.description == shown
    assert "exception" not in [name for name, _ in events(spans.one)]


def test_what_is_wrong_before_anything_is_sent(kit: BothClients, spans: Spans) -> None:
    with pytest.raises(TypeError):
        kit.create(settings=spans.settings(kit), nonsense=1)
    assert spans.attributes["error.type"] == "TypeError"
    assert spans.one.events == ()


def test_other_calls(kit: BothClients, spans: Spans) -> None:
    page = {"data": [{"type": "model", "id": "m"}], "has_more": False, "first_id": "m"}
    replies = [
        [Send(response(json={"input_tokens": 12}))],
        [Send(response(json=page))],
    ]
    client = kit.open(*replies, **spans.settings(kit))
    kit.run(client.messages.count_tokens(model="m", messages=ARGUMENTS["messages"]))
    kit.items(kit.run(client.models.list()))
    counted, listed = spans.ended
    assert (counted.name, listed.name) == ("messages.count_tokens", "models.list")
    assert (counted.attributes or {})["gen_ai.usage.input_tokens"] == 12
    assert "gen_ai.operation.name" not in (counted.attributes or {})
    assert (listed.attributes or {})["claude.items"] == 1


def test_batches(kit: BothClients, spans: Spans) -> None:
    line = b'{"custom_id": "a", "result": {"type": "expired"}}\n'
    batch = {"type": "message_batch", "id": "msgbatch_1", "processing_status": "in_progress"}
    lines = response(body=line * 3, headers={"content-type": "application/x-jsonl"})
    client = kit.open([Send(response(json=batch))], [Send(lines)], **spans.settings(kit))
    request = {"custom_id": "a", "params": ARGUMENTS}
    kit.run(client.messages.batches.create(requests=[request, {**request, "custom_id": "b"}]))
    results = kit.run(client.messages.batches.results("msgbatch_1"))
    assert len(spans.ended) == 1
    assert len(kit.items(results)) == 3
    created, read = spans.ended
    assert (created.attributes or {})["claude.items"] == 2
    assert (read.name, (read.attributes or {})["claude.items"]) == ("messages.batches.results", 3)


def test_raw_responses(kit: BothClients, spans: Spans) -> None:
    client = kit.open(**spans.settings(kit))
    raw = kit.run(client.messages.with_raw_response.create(**ARGUMENTS))
    assert raw.parse().id == "msg_1"
    assert spans.attributes["claude.request_id"] == "req_ok"
    assert spans.one.status.status_code is StatusCode.UNSET


# --- streams -------------------------------------------------------------------------------------

OF_THE_STREAM = {
    "gen_ai.request.stream": True,
    "gen_ai.response.id": "msg_1",
    "gen_ai.response.model": "claude-opus-5-5",
    "gen_ai.response.finish_reasons": ("end_turn",),
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 2,
}


def assert_whole_stream(spans: Spans) -> None:
    assert OF_THE_STREAM.items() <= spans.attributes.items()
    assert spans.attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert [name for name, _ in events(spans.one)] == ["claude.attempt", "gen_ai.first_token"]
    assert_no_content(spans.one)


def test_a_stream_of_events(kit: BothClients, spans: Spans) -> None:
    client = kit.open(stream(EVENTS), **spans.settings(kit))
    events_of_it = kit.run(client.messages.create(**ARGUMENTS, stream=True))
    assert spans.ended == []
    assert [event.type for event in kit.items(events_of_it)][-1] == "message_stop"
    assert_whole_stream(spans)


@pytest.mark.parametrize("content", [False, True])
def test_messages_stream_stays_what_it_is(kit: BothClients, spans: Spans, content: bool) -> None:
    client = kit.open(stream(EVENTS), **spans.settings(kit, content=content))
    manager = client.messages.stream(**ARGUMENTS)
    if kit.asynchronous:

        async def read() -> Any:
            async with manager as opened:
                texts = [text async for text in opened.text_stream]
                return texts, await opened.get_final_message(), type(opened).__name__

        texts, message, kind = kit.run(read())
    else:
        with manager as opened:
            texts = list(opened.text_stream)
            message, kind = opened.get_final_message(), type(opened).__name__
    assert kind == ("AsyncMessageStream" if kit.asynchronous else "MessageStream")
    assert texts == ["Hel", "lo!"]
    assert message.content[0].text == "Hello!"
    assert OF_THE_STREAM.items() <= spans.attributes.items()
    if content:
        (answer,) = json.loads(spans.attributes["gen_ai.output.messages"])
        assert answer == {
            "role": "assistant",
            "parts": [{"type": "text", "content": "Hello!"}],
            "finish_reason": "end_turn",
        }
    else:
        assert_whole_stream(spans)


def test_a_stream_that_is_left_ends_when_it_is_closed(kit: BothClients, spans: Spans) -> None:
    client = kit.open(stream(EVENTS), **spans.settings(kit))
    opened = kit.run(client.messages.create(**ARGUMENTS, stream=True))
    kit.run(opened.__anext__() if kit.asynchronous else iter([next(opened)]))
    assert spans.ended == []
    kit.run(opened.close())
    assert spans.attributes["gen_ai.response.id"] == "msg_1"
    assert "gen_ai.response.finish_reasons" not in spans.attributes
    assert spans.one.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("reply", "kind", "shown"),
    [
        (
            stream([*EVENTS[:4], error_event("overloaded_error")]),
            OverloadedError,
            "overloaded_error",
        ),
        (stream(EVENTS[:4], end=False), StreamTruncatedError, "StreamTruncatedError"),
    ],
)
def test_a_stream_that_fails(
    kit: BothClients, spans: Spans, reply: Any, kind: Any, shown: str
) -> None:
    client = kit.open(reply, **spans.settings(kit))
    opened = kit.run(client.messages.create(**ARGUMENTS, stream=True))
    with pytest.raises(kind):
        kit.items(opened)
    assert spans.attributes["error.type"] == shown
    assert spans.attributes["gen_ai.usage.input_tokens"] == 3
    assert spans.one.status.status_code is StatusCode.ERROR


def test_a_message_that_is_streamed_under_the_hood(kit: BothClients, spans: Spans) -> None:
    message = kit.create(stream(EVENTS), settings=spans.settings(kit), max_tokens=60_000)
    assert message.content[0].text == "Hello!"
    assert "gen_ai.request.stream" not in spans.attributes
    assert spans.attributes["gen_ai.usage.output_tokens"] == 2


# --- content -------------------------------------------------------------------------------------

CONVERSATION: list[dict[str, Any]] = [
    {"role": "user", "content": "How warm is it?"},
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "A tool.", "signature": "s"},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bonn"}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "20 degrees"},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
            },
        ],
    },
]
TOOL = {"name": "weather", "description": "Tells it.", "input_schema": {"type": "object"}}


@pytest.mark.parametrize("switch", ["argument", "environment"])
def test_content_on_request(
    kit: BothClients, spans: Spans, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"content": True} if switch == "argument" else {}
    if switch == "environment":
        monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    call = {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "Ulm"}}
    answer = {**MESSAGE, "content": [call], "stop_reason": "tool_use"}
    kit.create(
        [Send(response(json=answer))],
        settings=spans.settings(kit, **options),
        messages=CONVERSATION,
        system=[{"type": "text", "text": "Be brief."}],
        tools=[TOOL],
    )
    found = {
        name.removeprefix("gen_ai."): json.loads(value)
        for name, value in spans.attributes.items()
        if name.endswith((".messages", "_instructions", ".definitions"))
    }
    assert found == {
        "input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "How warm is it?"}]},
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "A tool."},
                    {
                        "type": "tool_call",
                        "id": "toolu_1",
                        "name": "weather",
                        "arguments": {"city": "Bonn"},
                    },
                ],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "type": "tool_call_response",
                        "id": "toolu_1",
                        "response": [{"type": "text", "content": "20 degrees"}],
                    },
                    {"type": "image"},
                ],
            },
        ],
        "system_instructions": [{"type": "text", "content": "Be brief."}],
        "tool.definitions": [TOOL],
        "output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "tool_call",
                        "id": "toolu_2",
                        "name": "weather",
                        "arguments": {"city": "Ulm"},
                    }
                ],
                "finish_reason": "tool_use",
            }
        ],
    }
    assert spans.attributes["gen_ai.response.finish_reasons"] == ("tool_use",)


def test_tool_calls_are_no_secret_only_in_their_reason(kit: BothClients, spans: Spans) -> None:
    kit.create(settings=spans.settings(kit), messages=CONVERSATION, tools=[TOOL])
    shown = spans.one.to_json()
    assert "weather" not in shown
    assert "Bonn" not in shown


# --- context -------------------------------------------------------------------------------------


def test_the_span_is_a_child_of_the_callers(kit: BothClients, spans: Spans) -> None:
    client = kit.open(OK, **spans.settings(kit))
    with spans.provider.get_tracer("app").start_as_current_span("outer") as outer:
        kit.run(client.messages.create(**ARGUMENTS))
        assert trace.get_current_span() is outer
    inner, _ = spans.ended
    assert inner.parent is not None
    assert inner.parent.span_id == outer.get_span_context().span_id


def test_calls_side_by_side_keep_to_their_own(spans: Spans) -> None:
    from both_clients import BothClients

    kit = BothClients(asynchronous=True)
    try:
        client = kit.open(*[failure(529, "overloaded_error")] * 3, *[OK] * 5, **spans.settings(kit))

        async def together() -> None:
            await asyncio.gather(*(client.messages.create(**ARGUMENTS) for _ in range(5)))

        kit.run(together())
    finally:
        kit.close()
    assert len(spans.ended) == 5
    for span in spans.ended:
        numbers = [facts["number"] for _, facts in events(span)]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("propagate", [False, True])
def test_the_context_goes_out_only_when_asked_for(
    kit: BothClients, spans: Spans, propagate: bool
) -> None:
    kit.create(settings=spans.settings(kit, propagate=propagate))
    sent = {name.lower(): value for name, value in dict(kit.sent().headers).items()}
    assert ("traceparent" in sent) is propagate
    if propagate:
        span_id = spans.one.get_span_context().span_id
        assert f"{span_id:016x}" in sent["traceparent"]
