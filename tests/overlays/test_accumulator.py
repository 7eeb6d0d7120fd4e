"""The message accumulator: pure, linear, and right about every kind of delta."""

from __future__ import annotations

import json
import pickle
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_client.accumulator import (
    InvalidToolInput,
    MessageAccumulator,
    OpenBlock,
    merge_usage,
    total_input_tokens,
)
from claude_client.errors import StreamProtocolError
from claude_rest.models import Message, ToolUseBlock, Usage, decoder
from counted_work import LINEAR, growth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Event = dict[str, Any]

START: Event = {
    "type": "message_start",
    "message": {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "content": [],
        "model": "claude-opus-5-5",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5},
        "container": {"id": "c_1", "expires_at": "2026-11-22T00:00:00Z"},
    },
}
PREFILLED: Event = {
    **START,
    "message": {**START["message"], "content": [{"type": "text", "text": "Here already"}]},
}
STOP: Event = {"type": "message_stop"}


def block(index: int, data: Event, *deltas: Event) -> list[Event]:
    return [
        {"type": "content_block_start", "index": index, "content_block": data},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def accumulate(*events: Event) -> MessageAccumulator:
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.add(event)
    return accumulator


def content_of(*events: Event) -> Any:
    return accumulate(START, *events).to_dict()["content"]


def text(piece: str) -> Event:
    return {"type": "text_delta", "text": piece}


def tool_json(piece: str) -> Event:
    return {"type": "input_json_delta", "partial_json": piece}


TOOL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}

CASES: dict[str, tuple[list[Event], Event]] = {
    "text": (
        block(0, {"type": "text", "text": ""}, text("Hel"), text("lo")),
        {"type": "text", "text": "Hello"},
    ),
    "text that starts with some": (
        block(0, {"type": "text", "text": "He"}, text("llo")),
        {"type": "text", "text": "Hello"},
    ),
    "citations where there were none": (
        block(
            0,
            {"type": "text", "text": "", "citations": None},
            {"type": "citations_delta", "citation": {"type": "char_location", "n": 1}},
            text("x"),
            {"type": "citations_delta", "citation": {"type": "char_location", "n": 2}},
        ),
        {
            "type": "text",
            "text": "x",
            "citations": [{"type": "char_location", "n": 1}, {"type": "char_location", "n": 2}],
        },
    ),
    "citations after some": (
        block(
            0,
            {"type": "text", "text": "", "citations": [{"n": 0}]},
            {"type": "citations_delta", "citation": {"n": 1}},
        ),
        {"type": "text", "text": "", "citations": [{"n": 0}, {"n": 1}]},
    ),
    "tool input": (
        block(0, TOOL, tool_json(""), tool_json('{"a": [1'), tool_json(", 2]}")),
        {**TOOL, "input": {"a": [1, 2]}},
    ),
    "tool without input": (block(0, TOOL, tool_json("")), TOOL),
    "tool whose input came whole": (
        block(0, {**TOOL, "input": {"a": 1}}),
        {**TOOL, "input": {"a": 1}},
    ),
    "server tool": (
        block(0, {**TOOL, "type": "server_tool_use"}, tool_json('{"query": "x"}')),
        {**TOOL, "type": "server_tool_use", "input": {"query": "x"}},
    ),
    "thinking": (
        block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "a"},
            {"type": "thinking_delta", "thinking": "b", "estimated_tokens": 3},
            {"type": "signature_delta", "signature": "first"},
            {"type": "signature_delta", "signature": "last"},
        ),
        {"type": "thinking", "thinking": "ab", "signature": "last"},
    ),
    "thinking that is not shown": (
        block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "signature_delta", "signature": "s"},
        ),
        {"type": "thinking", "thinking": "", "signature": "s"},
    ),
    "compaction": (
        block(
            0,
            {"type": "compaction", "content": None, "encrypted_content": None},
            {"type": "compaction_delta", "content": "sum", "encrypted_content": "e1"},
            {"type": "compaction_delta", "content": "summary", "encrypted_content": "e2"},
        ),
        {"type": "compaction", "content": "summary", "encrypted_content": "e2"},
    ),
    "a block that is complete from the start": (
        block(0, {"type": "redacted_thinking", "data": "xyz"}),
        {"type": "redacted_thinking", "data": "xyz"},
    ),
    "unknown block and delta": (
        block(0, {"type": "hologram", "beams": [1]}, {"type": "beam_delta", "beam": 2}),
        {"type": "hologram", "beams": [1]},
    ),
    "an unknown block with text deltas": (
        block(0, {"type": "hologram"}, text("a"), text("b")),
        {"type": "hologram", "text": "ab"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_blocks(name: str) -> None:
    events, expected = CASES[name]
    assert content_of(*events, STOP) == [expected]


@pytest.mark.parametrize("name", CASES)
def test_typed_events_give_the_same_as_dicts(name: str) -> None:
    events, expected = CASES[name]
    decode = decoder("RawMessageStreamEvent")
    accumulator = MessageAccumulator()
    for event in (START, *events, STOP):
        accumulator.add(decode(json.loads(json.dumps(event))))
    assert accumulator.to_dict()["content"] == [expected]
    assert accumulator.complete


@pytest.mark.parametrize("name", CASES)
def test_events_are_not_changed(name: str) -> None:
    events = json.loads(json.dumps([START, *CASES[name][0], STOP]))
    accumulator = accumulate(*events)
    accumulator.message()
    assert events == [START, *CASES[name][0], STOP]


def message_delta(usage: Event | None = None, /, **delta: Any) -> Event:
    return {"type": "message_delta", "delta": delta, "usage": usage or {"output_tokens": 2}}


def test_message_delta_changes_the_message() -> None:
    message = accumulate(
        START,
        {
            **message_delta(
                {"output_tokens": 7, "input_tokens": None},
                stop_reason="refusal",
                stop_sequence=None,
                stop_details={"type": "refusal"},
                container=None,
                new_field=[1],
            ),
            "context_management": {"applied_edits": []},
        },
        STOP,
    ).to_dict()
    assert message["stop_reason"] == "refusal"
    assert message["stop_details"] == {"type": "refusal"}
    assert message["container"] == START["message"]["container"]
    assert message["new_field"] == [1]
    assert message["context_management"] == {"applied_edits": []}
    assert message["usage"] == {
        "input_tokens": 10,
        "output_tokens": 7,
        "cache_read_input_tokens": 5,
    }


def test_event_fields_that_are_null_or_absent_keep_what_there_is() -> None:
    start = {**START, "message": {**START["message"], "input_transformations": [{"type": "x"}]}}
    events = (
        {**message_delta(container={"id": "c_2"}), "input_transformations": None},
        message_delta(stop_reason="end_turn"),
    )
    message = accumulate(start, *events, STOP).to_dict()
    assert message["input_transformations"] == [{"type": "x"}]
    assert message["container"] == {"id": "c_2"}
    changed = accumulate(start, {**message_delta(), "input_transformations": []}, STOP).to_dict()
    assert changed["input_transformations"] == []


@pytest.mark.parametrize(
    ("usage", "delta", "expected"),
    [
        ({"output_tokens": 1}, {"output_tokens": 5}, {"output_tokens": 5}),
        ({"output_tokens": 9}, {"output_tokens": 5}, {"output_tokens": 5}),
        ({"output_tokens": 1}, {"output_tokens": 0}, {"output_tokens": 0}),
        ({"input_tokens": 3}, {"output_tokens": 5}, {"input_tokens": 3, "output_tokens": 5}),
        ({"input_tokens": 3}, {"input_tokens": None}, {"input_tokens": 3}),
        ({"input_tokens": 3}, {"input_tokens": 0}, {"input_tokens": 0}),
        ({}, {"server_tool_use": {"web_search_requests": 1}}, {"server_tool_use": {"web_search_requests": 1}}),
        ({"speed": "fast"}, {"iterations": []}, {"speed": "fast", "iterations": []}),
    ],
)  # fmt: skip
def test_merge_usage(usage: Event, delta: Event, expected: Event) -> None:
    before = dict(usage)
    assert merge_usage(usage, delta) == expected
    assert usage == before


def test_usage_may_be_models() -> None:
    decode = decoder("Usage")
    start = decode({"input_tokens": 3, "output_tokens": 1, "cache_read_input_tokens": 40})
    assert isinstance(start, Usage)
    merged = merge_usage(start, {"output_tokens": 9, "input_tokens": None})
    assert merged == {"input_tokens": 3, "output_tokens": 9, "cache_read_input_tokens": 40}
    assert total_input_tokens(start) == total_input_tokens(merged) == 43
    raw = decoder("RawMessageStreamEvent")(
        {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 5}}
    )
    assert merge_usage(start, raw.usage)["output_tokens"] == 5


def test_every_usage_field_is_a_total_that_replaces() -> None:
    """Several message_delta events come; whatever a later one holds is the total so far."""
    first = {
        "output_tokens": 5,
        "input_tokens": 11,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 0,
        "server_tool_use": {"web_search_requests": 1},
        "output_tokens_details": {"thinking_tokens": 3},
        "iterations": [{"type": "message", "output_tokens": 5}],
        "fallback_credit": {"token": "t"},
        "new_count": 1,
    }
    second = {
        **dict.fromkeys(first),
        "output_tokens": 8,
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        "iterations": [{"type": "compaction", "output_tokens": 5}, {"type": "message"}],
    }
    accumulator = accumulate(START, message_delta(first))
    assert accumulator.usage == first
    accumulator.add(message_delta(second, stop_reason="end_turn"))
    assert accumulator.usage == {
        **first,
        "output_tokens": 8,
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
        "iterations": [{"type": "compaction", "output_tokens": 5}, {"type": "message"}],
    }
    assert total_input_tokens(accumulator.usage) == 13
    accumulator.add(STOP)
    assert accumulator.message().usage.to_dict() == accumulator.usage


WHOLE_BLOCKS: list[Event] = [
    {"type": "redacted_thinking", "data": "x"},
    {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "n", "a": None}]},
    {"type": "code_execution_tool_result", "tool_use_id": "s", "content": {"type": "n"}},
    {"type": "container_upload", "file_id": "file_1"},
    {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}},
    {"type": "nobody_knows", "deep": [{"x": [1]}]},
]


@pytest.mark.parametrize("data", WHOLE_BLOCKS, ids=lambda data: str(data["type"]))
def test_blocks_that_come_whole_stay_as_they_are(data: Event) -> None:
    accumulator = accumulate(START, *block(0, data), STOP)
    assert accumulator.to_dict()["content"] == [data]
    assert accumulator.message().to_dict()["content"] == [data]


@pytest.mark.parametrize("kind", ["tool_use", "server_tool_use", "mcp_tool_use"])
def test_every_kind_of_tool_call_gathers_its_input(kind: str) -> None:
    data = {**TOOL, "type": kind, "caller": {"type": "direct"}, "server_name": "s"}
    pieces = [tool_json(""), tool_json('{"q":'), tool_json(' "x"}')]
    assert content_of(*block(0, data, *pieces), STOP) == [{**data, "input": {"q": "x"}}]


@pytest.mark.parametrize(
    "reason",
    [
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "compaction",
        "a_new_reason",
    ],
)
def test_every_stop_reason_passes(reason: str) -> None:
    details = {"type": "refusal", "category": "x", "explanation": None}
    delta = message_delta(stop_reason=reason, stop_sequence="###", stop_details=details)
    message = accumulate(START, delta, STOP).message().to_dict()
    assert message["stop_reason"] == reason
    assert (message["stop_sequence"], message["stop_details"]) == ("###", details)


def test_what_nobody_knows_in_a_message_delta_reaches_the_message() -> None:
    delta = {
        **message_delta(stop_reason="end_turn", mood="calm"),
        "context_management": {"applied_edits": [{"type": "clear_tool_uses_20250919"}]},
        "input_transformations": [{"type": "x"}],
        "aura": {"colour": "blue"},
        "nothing": None,
    }
    decode = decoder("RawMessageStreamEvent")
    for event in (delta, decode(json.loads(json.dumps(delta)))):
        message = accumulate(START, event, STOP).message().to_dict()
        assert message["mood"] == "calm"
        assert message["aura"] == {"colour": "blue"}
        assert message["context_management"] == delta["context_management"]
        assert message["input_transformations"] == [{"type": "x"}]
        assert "nothing" not in message
        assert message["type"] == "message"


def test_total_input_tokens() -> None:
    assert total_input_tokens({"input_tokens": 3, "cache_creation_input_tokens": None}) == 3
    assert (
        total_input_tokens(
            {"input_tokens": 1, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 300}
        )
        == 321
    )


def test_fallback_block_switches_the_model() -> None:
    fallback = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "claude-sonnet-5"}}
    message = accumulate(START, *block(0, fallback), STOP).to_dict()
    assert message["model"] == "claude-sonnet-5"
    assert START["message"]["model"] == "claude-opus-5-5"


def test_unknown_events_and_pings_change_nothing() -> None:
    events = [
        {"type": "ping"},
        START,
        {"type": "ping"},
        {"type": "future_event", "index": 0},
        *block(0, {"type": "text", "text": "x"}),
        STOP,
        {"type": "afterthought"},
    ]
    assert accumulate(*events).text() == "x"
    for junk in ([], "x", None, 3, {}):
        assert accumulate(START, junk, STOP).complete  # type: ignore[arg-type]


INVALID = [
    ('{"path": "/data", "recur', "half an object"),
    ('{"a": 1} x', "something after it"),
    ("[1, 2]", "an array"),
    ('"text"', "a string"),
    ("nope", "no JSON"),
]


@pytest.mark.parametrize("raw", [raw for raw, _ in INVALID], ids=[name for _, name in INVALID])
def test_invalid_tool_input_is_kept_as_text_and_never_repaired(raw: str) -> None:
    accumulator = accumulate(START, *block(0, TOOL, *(tool_json(piece) for piece in raw)), STOP)
    tool = accumulator.message().content[0]
    assert isinstance(tool, ToolUseBlock)
    assert isinstance(tool.input, InvalidToolInput)
    assert tool.input.raw == raw
    assert tool.input.reason
    # The form in which it may be sent back.
    assert json.loads(tool.to_json())["input"] == {"INVALID_JSON": raw}
    copy = pickle.loads(pickle.dumps(tool.input))
    assert (copy, copy.reason) == (tool.input, tool.input.reason)


def test_tool_input_is_not_shown_before_its_block_stops() -> None:
    events = block(0, TOOL, tool_json('{"a": 1}'))
    accumulator = accumulate(START, *events[:-1])
    assert accumulator.to_dict()["content"] == [TOOL]
    assert accumulator.open_blocks == (OpenBlock(0, "tool_use", '{"a": 1}'),)
    accumulator.add(events[-1])
    assert accumulator.to_dict()["content"] == [{**TOOL, "input": {"a": 1}}]
    assert accumulator.open_blocks == ()


def test_message_stop_ends_blocks_that_were_left_open() -> None:
    events = block(0, TOOL, tool_json('{"a": 1}'))[:-1]
    accumulator = accumulate(START, *events, STOP)
    assert accumulator.to_dict()["content"] == [{**TOOL, "input": {"a": 1}}]
    assert accumulator.open_blocks == ()


def test_blocks_may_overlap_and_come_in_any_order() -> None:
    first = block(0, {"type": "text", "text": ""}, text("a"), text("b"))
    second = block(1, {"type": "text", "text": ""}, text("c"), text("d"))
    mixed = [event for pair in zip(second, first, strict=True) for event in pair]
    assert [part["text"] for part in content_of(*mixed, STOP)] == ["ab", "cd"]


@pytest.mark.parametrize(
    "events",
    [
        [STOP],
        [message_delta()],
        block(0, TOOL),
        [START, START],
        [{"type": "message_start"}],
        [START, {"type": "content_block_start", "index": 0}],
        [START, {"type": "content_block_start", "content_block": TOOL}],
        [START, *block(0, TOOL)[:1], *block(0, TOOL)[:1]],
        [START, {"type": "content_block_delta", "index": 3, "delta": text("x")}],
        [START, {"type": "content_block_delta", "index": None, "delta": text("x")}],
        [START, {"type": "content_block_stop", "index": 0}],
        [START, *block(0, TOOL), block(0, TOOL, text("x"))[1]],
        [START, *block(0, TOOL), *block(0, TOOL)],
        [PREFILLED, *block(0, TOOL)],
        [{**PREFILLED, "message": {**PREFILLED["message"], "content": ["text"]}}],
        [START, STOP, *block(0, TOOL)],
        [START, *block(0, TOOL), STOP, block(0, TOOL, text("x"))[1]],
        [START, *block(0, TOOL)[:1], STOP, block(0, TOOL)[-1]],
        [START, STOP, message_delta(stop_reason="end_turn")],
    ],
)
def test_an_order_that_makes_no_sense_is_an_error(events: list[Event]) -> None:
    with pytest.raises(StreamProtocolError):
        accumulate(*events)


def test_blocks_of_message_start_stay() -> None:
    content = accumulate(PREFILLED, *block(1, {"type": "text", "text": "b"}), STOP, STOP)
    assert [part["text"] for part in content.to_dict()["content"]] == ["Here already", "b"]


def test_no_message_before_its_start() -> None:
    accumulator = MessageAccumulator()
    assert not accumulator.started
    with pytest.raises(StreamProtocolError):
        accumulator.message()


def test_message_is_a_model() -> None:
    accumulator = accumulate(START, *CASES["text"][0], message_delta(stop_reason="end_turn"), STOP)
    message = accumulator.message()
    assert isinstance(message, Message)
    assert message.stop_reason == "end_turn"
    assert message.to_dict() == accumulator.to_dict()


def reference(events: list[Event]) -> Event:
    """Accumulate as naively as possible: strings are added up, JSON is read at the end."""
    message: Event = {}
    inputs: dict[int, str] = {}
    for event in json.loads(json.dumps(events)):
        kind = event["type"]
        if kind == "message_start":
            message = event["message"]
        elif kind == "content_block_start":
            message["content"].append(event["content_block"])
        elif kind == "content_block_delta":
            target, delta = message["content"][event["index"]], event["delta"]
            if delta["type"] == "text_delta":
                target["text"] += delta["text"]
            elif delta["type"] == "thinking_delta":
                target["thinking"] += delta["thinking"]
            elif delta["type"] == "signature_delta":
                target["signature"] = delta["signature"]
            elif delta["type"] == "input_json_delta":
                inputs[event["index"]] = inputs.get(event["index"], "") + delta["partial_json"]
            elif delta["type"] == "citations_delta":
                target["citations"] = [*(target.get("citations") or []), delta["citation"]]
        elif kind == "content_block_stop":
            if inputs.get(event["index"]):
                message["content"][event["index"]]["input"] = json.loads(inputs[event["index"]])
        elif kind == "message_delta":
            message.update(event["delta"])
            message["usage"].update(event["usage"])
    return message


@st.composite
def pieces(draw: st.DrawFn, whole: str) -> list[str]:
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    events: list[Event] = [START]
    for index in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["text", "thinking", "tool"]))
        if kind == "text":
            deltas = [text(piece) for piece in draw(pieces(draw(st.text(max_size=20))))]
            if draw(st.booleans()):
                deltas.append({"type": "citations_delta", "citation": {"n": index}})
            events += block(index, {"type": "text", "text": ""}, *deltas)
        elif kind == "thinking":
            deltas = [
                {"type": "thinking_delta", "thinking": piece}
                for piece in draw(pieces(draw(st.text(max_size=20))))
            ]
            deltas.append({"type": "signature_delta", "signature": "s"})
            events += block(index, {"type": "thinking", "thinking": "", "signature": ""}, *deltas)
        else:
            value = draw(st.dictionaries(st.text(max_size=3), VALUES, max_size=3))
            ascii_only = draw(st.booleans())
            whole = json.dumps(value, ensure_ascii=ascii_only)
            events += block(index, TOOL, *(tool_json(piece) for piece in draw(pieces(whole))))
    events += [
        message_delta({"output_tokens": draw(st.integers(0, 9))}, stop_reason="end_turn"),
        STOP,
    ]
    return events


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(streams(), st.booleans())
def test_equals_a_slow_reference_however_the_stream_is_cut(
    events: list[Event], look_on_the_way: bool
) -> None:
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.add(event)
        if look_on_the_way and accumulator.started:
            accumulator.to_dict()
    assert accumulator.to_dict() == reference(events)


def test_unfinished_input_can_be_asked_for() -> None:
    events = block(0, TOOL, tool_json('{"path": "/da'), tool_json('ta", "n": 1'), tool_json("2}"))
    accumulator = accumulate(START, events[0])
    assert accumulator.partial_input(0) == {}
    seen = []
    for event in events[1:-1]:
        accumulator.add(event)
        seen.append(json.dumps(accumulator.partial_input(0)))
        assert accumulator.to_dict()["content"] == [TOOL]
    assert [json.loads(text) for text in seen] == [
        {"path": "/da"},
        {"path": "/data"},
        {"path": "/data", "n": 12},
    ]
    shown = accumulator.partial_input(0)
    accumulator.add(events[-1])
    final = accumulator.partial_input(0)
    assert final == {"path": "/data", "n": 12}
    assert final is not shown
    assert accumulator.to_dict()["content"][0]["input"] is final
    assert accumulator.partial_input(1) is None
    assert accumulate(START, *block(0, {"type": "text", "text": ""})).partial_input(0) is None


def test_unfinished_input_that_is_no_json_shows_what_was_right() -> None:
    events = block(0, TOOL, tool_json(" "), tool_json('{"a": 1, oops'), tool_json('"b": 2}'))
    accumulator = accumulate(START, *events[:2])
    assert accumulator.partial_input(0) == {}
    for event in events[2:-1]:
        accumulator.add(event)
        assert accumulator.partial_input(0) == {"a": 1}
    accumulator.add(events[-1])
    assert isinstance(accumulator.partial_input(0), InvalidToolInput)


def text_stream(size: int) -> list[Event]:
    return block(0, {"type": "text", "text": ""}, *[text("x" * 24)] * size)


def thinking_stream(size: int) -> list[Event]:
    delta = {"type": "thinking_delta", "thinking": "x" * 24}
    return block(0, {"type": "thinking", "thinking": "", "signature": ""}, *[delta] * size)


def tool_stream(size: int) -> list[Event]:
    whole = json.dumps({"code": "x" * (24 * size)})
    return block(0, TOOL, *(tool_json(whole[at : at + 24]) for at in range(0, len(whole), 24)))


def citation_stream(size: int) -> list[Event]:
    delta = {"type": "citations_delta", "citation": {"n": 1}}
    return block(0, {"type": "text", "text": "", "citations": None}, *[delta] * size)


def many_blocks(size: int) -> list[Event]:
    return [
        event
        for index in range(size)
        for event in block(index, {"type": "text", "text": ""}, text("a"))
    ]


@pytest.mark.parametrize("ask", [False, True], ids=["", "asking each time"])
@pytest.mark.parametrize(
    "stream", [text_stream, thinking_stream, tool_stream, citation_stream, many_blocks]
)
def test_work_is_linear(stream: Callable[[int], list[Event]], ask: bool) -> None:
    if ask and sys.gettrace() is not None:
        pytest.skip("a traced interpreter copies each string that it makes longer")
    accumulate(START, STOP).message()

    def steps(size: int) -> Iterator[Callable[[], object]]:
        accumulator = MessageAccumulator()

        def add(event: Event) -> None:
            block = accumulator.add(event)
            if ask and block is not None:
                accumulator.partial_input(block.index)
                assert accumulator.usage

        for event in [START, *stream(size), message_delta(), STOP]:
            yield partial(add, event)
        yield accumulator.message

    assert growth(steps, 200, calls=not ask) < LINEAR
