"""Event streams: order, the same message as unstreamed, and the builder for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import collapse, message_events, sse

if TYPE_CHECKING:
    from .conftest import Caller

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "Let me see. Yes.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eHg="},
        {
            "type": "text",
            "text": "Line one\nline\u2028two\r\n\N{GRINNING FACE}",
            "citations": [{"type": "char_location", "cited_text": "x"}],
        },
        {"type": "text", "text": ""},
        {
            "type": "tool_use",
            "id": "toolu_1",
            "name": "f",
            "input": {"a": ["\N{SNOWMAN}" * 20], "b": {}},
        },
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
        {"type": "compaction", "content": "Summary", "encrypted_content": "eA=="},
        {"type": "block_of_tomorrow", "x": 1},
    ],
    "stop_reason": "refusal",
    "stop_sequence": None,
    "stop_details": {"type": "refusal"},
    "container": {"id": "container_1", "expires_at": "2026-01-01T00:00:00Z"},
    "context_management": {"applied_edits": []},
    "usage": {"input_tokens": 7, "output_tokens": 40, "service_tier": "standard"},
}


def test_collapse_undoes_sse() -> None:
    assert collapse(sse(MESSAGE)) == MESSAGE
    assert collapse(sse(MESSAGE, pings=False).replace("\n", "\r\n")) == MESSAGE


def test_source_is_left_alone() -> None:
    before = json.dumps(MESSAGE)
    collapse(sse(MESSAGE))
    assert json.dumps(MESSAGE) == before


def test_order_of_events() -> None:
    events = list(message_events(MESSAGE))
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["message_start", "ping"]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == len(MESSAGE["content"])
    start = events[0]["message"]
    assert (start["content"], start["stop_reason"], start["stop_details"]) == ([], None, None)
    assert start["usage"] == {"input_tokens": 7, "output_tokens": 1, "service_tier": "standard"}
    delta = events[-2]
    assert delta["usage"] == {"input_tokens": 7, "output_tokens": 40}
    assert delta["delta"]["stop_reason"] == "refusal"
    open_block: int | None = None
    for event in events:
        if event["type"] == "content_block_start":
            assert open_block is None
            open_block = event["index"]
        elif event["type"].startswith("content_block_"):
            assert event["index"] == open_block
            if event["type"] == "content_block_stop":
                open_block = None


def test_text_comes_in_pieces_and_tool_input_starts_empty() -> None:
    events = list(message_events(MESSAGE))
    opened = {e["index"]: e["content_block"] for e in events if e["type"] == "content_block_start"}
    assert opened[0] == {"type": "thinking", "thinking": "", "signature": ""}
    assert opened[2] == {"type": "text", "text": "", "citations": []}
    assert opened[4]["input"] == {}
    deltas = [e["delta"] for e in events if e["type"] == "content_block_delta" and e["index"] == 4]
    assert deltas[0] == {"type": "input_json_delta", "partial_json": ""}
    assert len(deltas) > 3


def test_wire_form() -> None:
    text = sse(MESSAGE)
    for frame in text.removesuffix("\n\n").split("\n\n"):
        event, data = frame.split("\n")
        assert event.removeprefix("event: ") == json.loads(data.removeprefix("data: "))["type"]
    assert "event: ping" not in sse(MESSAGE, pings=False)


def test_stream_built_by_hand() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    text = sse([*list(message_events(MESSAGE, pings=False))[:2], error])
    assert text.endswith(
        'event: error\ndata: {"type":"error","error":'
        '{"type":"overloaded_error","message":"Overloaded"}}\n\n'
    )


@pytest.mark.parametrize("text", ["", sse([{"type": "message_stop"}])])
def test_collapse_of_no_message(text: str) -> None:
    with pytest.raises(ValueError, match="message_start"):
        collapse(text)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"max_tokens": 2},
        {"max_tokens": 0},
        {"stop_sequences": ["Claude"]},
        {
            "tools": [{"name": "f", "input_schema": {"type": "object", "required": ["a"]}}],
            "tool_choice": {"type": "any"},
        },
    ],
)
def test_streamed_is_what_would_come_unstreamed(call: Caller, body: dict[str, Any]) -> None:
    response = call.create(stream=True, **body)
    assert response.status == 200
    assert (response.header("content-type") or "").startswith("text/event-stream")
    assert response.header("content-length") is None
    assert not isinstance(response.body, bytes)
    streamed = collapse("".join(chunk.decode() for chunk in response.body))
    whole = call.create(stream=False, **body).json()
    for message in (streamed, whole):
        message.pop("id")
        for block in message["content"]:
            block.pop("id", None)
    assert streamed == whole


def test_refused_streams_are_plain_errors(call: Caller) -> None:
    response = call.create(stream=True, max_tokens="x")
    assert response.status == 400
    assert response.json()["type"] == "error"
