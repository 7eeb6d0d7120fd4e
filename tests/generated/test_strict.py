"""Strict decoding names each difference between an answer and its schema."""

from __future__ import annotations

import json
import pickle
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_rest import Struct, models
from claude_rest._runtime.errors import ClaudeError
from claude_rest._runtime.strict import StrictDecodingError, check
from claude_rest._runtime.struct import Unknown
from claude_rest.models import (
    MCPToolset,
    Message,
    MessageTokensCount,
    ModelInfo,
    ModelListResponse,
    TextBlock,
    ToolUseBlock,
)
from schema_documents import BUNDLE, MAKER, OBJECTS, RESPONSE_TYPES, SCHEMAS

MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5},
}
MODEL: dict[str, Any] = {
    "type": "model",
    "id": "claude-opus-5-5",
    "created_at": "2026-01-01T00:00:00Z",
    "display_name": "Opus",
    "lifecycle": "active",
}


def problems(cls: type[Struct], data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(StrictDecodingError) as caught:
        cls.from_dict(data, strict=True)
    found = caught.value.problems
    assert len({pointer for pointer, _ in found}) == len(found)
    return dict(found)


def test_what_fits_passes() -> None:
    assert Message.from_dict(MESSAGE, strict=True) == Message.from_dict(MESSAGE)
    assert ModelInfo.from_dict(MODEL, strict=True).id == "claude-opus-5-5"


@pytest.mark.parametrize("name", RESPONSE_TYPES)
def test_documents_made_from_the_schema_pass(name: str) -> None:
    random = Random(name)
    for _ in range(40):
        document = MAKER.valid(name, random)
        known = SCHEMAS[name].get("properties")
        if isinstance(document, dict) and known is not None:
            assert set(document) <= set(known)
        check(models.decoder(name)(json.loads(json.dumps(document))))


def test_every_example_of_a_message_passes() -> None:
    answers = BUNDLE["paths"]["/v1/messages"]["post"]["responses"]["200"]["content"]
    for example in answers["application/json"]["examples"].values():
        check(models.decoder("Message")(example["value"]))


@pytest.mark.parametrize(
    ("changes", "pointer", "words"),
    [
        ({"future": 1}, "/future", "unknown field"),
        ({"a/b~c": 1}, "/a~1b~0c", "unknown field"),
        ({"stop_reason": "teleported"}, "/stop_reason", "unknown value 'teleported'"),
        ({"model": "claude-next"}, "/model", "unknown value 'claude-next'"),
        ({"role": "user"}, "/role", "unknown value 'user'"),
        ({"type": "msg"}, "/type", "unknown value 'msg'"),
        ({"id": 5}, "/id", "expected str, got int"),
        ({"id": None}, "/id", "expected str, got NoneType"),
        ({"stop_sequence": ["x"]}, "/stop_sequence", "got list"),
        ({"content": "text"}, "/content", "got str"),
        ({"content": [{"type": "hologram"}]}, "/content/0", "unknown kind 'hologram'"),
        ({"content": [{}]}, "/content/0", "unknown kind ''"),
        ({"content": [{"type": []}]}, "/content/0", "unknown kind []"),
        ({"content": ["text"]}, "/content/0", "got str"),
        ({"content": [{"type": "text"}]}, "/content/0/text", "required field is missing"),
        ({"content": [{"type": "text", "text": "", "x": 1}]}, "/content/0/x", "unknown field"),
        ({"usage": None}, "/usage", "expected Usage, got NoneType"),
        ({"usage": []}, "/usage", "expected Usage, got list"),
        ({"usage": {"input_tokens": 1}}, "/usage/output_tokens", "required field is missing"),
        (
            {"usage": {"input_tokens": True, "output_tokens": 1}},
            "/usage/input_tokens",
            "expected int, got bool",
        ),
        (
            {"usage": {"input_tokens": 1.5, "output_tokens": 1}},
            "/usage/input_tokens",
            "expected int, got float",
        ),
        (
            {"usage": {"input_tokens": 1, "output_tokens": 1, "iterations": [{"type": "x"}]}},
            "/usage/iterations/0",
            "unknown kind 'x'",
        ),
    ],
)
def test_each_difference_is_named(changes: dict[str, Any], pointer: str, words: str) -> None:
    found = problems(Message, {**MESSAGE, **changes})
    assert list(found) == [pointer]
    assert words in found[pointer]


def test_a_missing_field() -> None:
    without = {name: value for name, value in MESSAGE.items() if name not in ("id", "content")}
    assert problems(Message, without) == {
        "/id": "required field is missing",
        "/content": "required field is missing",
    }


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"created_at": "yesterday"}, "/created_at"),
        ({"created_at": 5}, "/created_at"),
        ({"created_at": None}, "/created_at"),
        ({"retires_at": "2026-01-01"}, "/retires_at"),
        ({"lifecycle": "eternal"}, "/lifecycle"),
        ({"allowed_fallback_models": ["a", 5]}, "/allowed_fallback_models/1"),
        ({"allowed_fallback_models": {"a": 1}}, "/allowed_fallback_models"),
        ({"max_tokens": "many"}, "/max_tokens"),
    ],
)
def test_dates_lists_and_numbers(changes: dict[str, Any], pointer: str) -> None:
    assert list(problems(ModelInfo, {**MODEL, **changes})) == [pointer]


def test_values_of_a_map() -> None:
    toolset = {"type": "mcp_toolset", "mcp_server_name": "s", "configs": {"a/b": {"enabled": 5}}}
    assert list(problems(MCPToolset, toolset)) == ["/configs/a~1b/enabled"]
    assert list(problems(MCPToolset, {**toolset, "configs": {"a": 1}})) == ["/configs/a"]


def test_pages_and_lists() -> None:
    page = {"data": [MODEL, {**MODEL, "x": 1}], "has_more": False, "first_id": "", "last_id": None}
    assert problems(ModelListResponse, page) == {"/data/1/x": "unknown field"}
    with pytest.raises(StrictDecodingError) as caught:
        check([ModelInfo.from_dict(MODEL), ModelInfo.from_dict({**MODEL, "x": 1})])
    assert caught.value.problems == (("/1/x", "unknown field"),)


def test_an_unknown_event() -> None:
    with pytest.raises(StrictDecodingError, match="unknown kind 'warp'"):
        check(Unknown("warp", {"type": "warp"}))


def test_free_form_json_holds_no_differences() -> None:
    anything = {"a": [1, None, {"type": "hologram"}], "": {}}
    deep: Any = 1
    for _ in range(20_000):
        deep = [deep]
    block = {"type": "tool_use", "id": "t", "name": "n", "input": {"any": anything, "deep": deep}}
    check(ToolUseBlock.from_dict(block))


def test_a_wrong_field_is_reported_once_however_deep_it_is() -> None:
    deep: Any = 1
    for _ in range(20_000):
        deep = {"a": [deep]}
    assert list(problems(MessageTokensCount, {"input_tokens": deep})) == ["/input_tokens"]


def test_what_the_error_is() -> None:
    with pytest.raises(StrictDecodingError) as caught:
        Message.from_dict({f"x{number}": 1 for number in range(20)} | MESSAGE, strict=True)
    error = caught.value
    assert isinstance(error, ClaudeError)
    assert isinstance(error, ValueError)
    assert len(error.problems) == 20
    assert "/x0: unknown field" in str(error)
    assert "(and 15 more)" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is StrictDecodingError
    assert again.problems == error.problems
    assert str(again) == str(error)


def test_a_changed_model_can_be_checked() -> None:
    message = Message.from_dict(MESSAGE)
    message.content.append(TextBlock(text=5))  # type: ignore[arg-type]
    with pytest.raises(StrictDecodingError, match="/content/1/text"):
        check(message)


@given(st.sampled_from(OBJECTS), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_document_is_accepted_or_reported(name: str, random: Random) -> None:
    model = models.decoder(name)(MAKER.make(name, random))
    try:
        check(model)
    except StrictDecodingError as error:
        for pointer, words in error.problems:
            assert pointer.startswith("/")
            assert words
    else:
        # Nothing unknown: constructing it by hand gives the same.
        assert not model.extra_fields
