"""Nothing that JSON can say crashes decoding, and what is unknown stays as it came."""

from __future__ import annotations

import json
import math
import sys
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_rest import models
from claude_rest._runtime import codec
from claude_rest._runtime.codec import DecodeError
from claude_rest._runtime.struct import Struct, Unknown, encode
from claude_rest._runtime.unset import UNSET
from claude_rest.models import (
    Message,
    ModelInfo,
    RawMessageStartEvent,
    ResponseTool,
    TextBlock,
)
from schema_documents import OBJECTS, RESPONSE_TYPES, SCHEMAS, UNIONS, canonical, is_enum

TEXT = st.text(st.characters(codec="utf-8") | st.characters(categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | TEXT


def tags(union: str) -> dict[str, str]:
    mapping: dict[str, str] = SCHEMAS[union]["discriminator"]["mapping"]
    return mapping


def anything(names: list[str]) -> st.SearchStrategy[Any]:
    """Any JSON, with the words of the API in the places where they have a meaning."""
    words = st.sampled_from(names) | TEXT
    return st.recursive(
        SCALARS | words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
        max_leaves=12,
    )


WORDS = sorted(
    {tag for union in UNIONS for tag in tags(union)}
    | {field for name in OBJECTS for field in SCHEMAS[name].get("properties", ())}
)
ANYTHING = anything(WORDS)


@given(ANYTHING)
@settings(max_examples=150, deadline=None)
def test_every_union_takes_any_value(value: Any) -> None:
    before = canonical(value)
    for name in RESPONSE_TYPES:
        if name in OBJECTS:
            continue
        decoded = models.decoder(name)(value)
        assert canonical(encode(decoded)) == before, name
        repr(decoded)


@given(st.dictionaries(st.sampled_from(WORDS) | TEXT, ANYTHING, max_size=5))
@settings(max_examples=60, deadline=None)
def test_every_model_takes_any_object(value: dict[str, Any]) -> None:
    before = canonical(value)
    for name in OBJECTS:
        decoded = models.decoder(name)(value)
        assert isinstance(decoded, Struct)
        assert canonical(decoded.to_dict()) == before, name
        repr(decoded)


@given(st.sampled_from(OBJECTS), st.data())
@settings(max_examples=300, deadline=None)
def test_every_field_takes_any_value(name: str, data: st.DataObject) -> None:
    fields = list(SCHEMAS[name].get("properties", {"x": {}}))
    value = data.draw(st.dictionaries(st.sampled_from(fields), ANYTHING))
    assert canonical(models.decoder(name)(value).to_dict()) == canonical(value)


# --- union members ------------------------------------------------------------------------------


@pytest.mark.parametrize("union", UNIONS)
def test_each_tag_gives_its_member(union: str) -> None:
    decode = models.decoder(union)
    for tag, ref in tags(union).items():
        name = SCHEMAS[union]["discriminator"]["propertyName"]
        decoded = decode({name: tag})
        assert type(decoded) is getattr(models, ref.rpartition("/")[2])
        assert getattr(decoded, name) == tag


@pytest.mark.parametrize("union", UNIONS)
def test_an_unknown_member_is_kept_whole(union: str) -> None:
    name = SCHEMAS[union]["discriminator"]["propertyName"]
    raw = {name: "hologram", "depth": 3, "parts": [{"type": "text"}], "none": None}
    decoded = models.decoder(union)(raw)
    assert type(decoded) is Unknown
    assert decoded.raw is raw
    assert decoded.type == decoded.tag == "hologram"
    assert decoded.to_dict() == raw


@pytest.mark.parametrize("union", UNIONS)
@pytest.mark.parametrize(
    "tag", [[], {}, [["text"]], {"a": {}}, 1, 0, -1.5, True, False, math.nan, "", "TEXT", "text "]
)
def test_a_tag_that_is_no_tag(union: str, tag: Any) -> None:
    raw = {SCHEMAS[union]["discriminator"]["propertyName"]: tag, "text": "x"}
    decoded = models.decoder(union)(raw)
    assert type(decoded) is Unknown
    assert decoded.raw is raw
    assert decoded.tag is tag


@pytest.mark.parametrize("union", UNIONS)
def test_without_a_tag(union: str) -> None:
    discriminator = SCHEMAS[union]["discriminator"]
    default = discriminator.get("x-default-mapping")
    for raw in ({}, {"a": 1}, {discriminator["propertyName"]: None}):
        decoded = models.decoder(union)(raw)
        assert encode(decoded) == raw
        if default is None:
            assert type(decoded) is Unknown
            assert decoded.raw is raw
        else:
            assert type(decoded).__name__ == default.rpartition("/")[2]


def test_a_union_with_a_default_member() -> None:
    tool = models.decoder("ResponseToolUnion")({"name": "n", "input_schema": {"type": "object"}})
    assert isinstance(tool, ResponseTool)
    assert tool.type is UNSET
    assert models.decoder("ResponseToolUnion")({"type": None, "name": "n"}).type is None


@pytest.mark.parametrize("union", UNIONS)
@pytest.mark.parametrize("value", [None, True, 0, -1.5, "text", "", [], [[]], [{"type": "text"}]])
def test_what_is_no_object_stays_as_it_is(union: str, value: Any) -> None:
    assert models.decoder(union)(value) is value


def test_unknown_tags_are_not_remembered() -> None:
    union = models.decoder("ContentBlock")
    blocks = models.decoders
    union({"type": "hologram"})
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(100):
            union({"type": f"{number}" * 100_000})
            blocks.lists["ContentBlock"]([{"type": f"-{number}" * 100_000}])
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1_000_000


@pytest.mark.parametrize(
    "odd",
    [None, 5, "text", [], {}, {"type": []}, {"type": {}}, {"type": None}, {"type": 1}, {"text": 1}],
)
def test_one_odd_element_leaves_its_neighbours_alone(odd: Any) -> None:
    text = {"type": "text", "text": "x"}
    message = Message.from_dict({"content": [text, odd, text]})
    first, middle, last = message.content
    assert isinstance(first, TextBlock)
    assert isinstance(last, TextBlock)
    assert encode(middle) == odd
    assert message.to_dict() == {"content": [text, odd, text]}


# --- values -------------------------------------------------------------------------------------


def test_unknown_enum_values_stay() -> None:
    message = Message.from_dict({"stop_reason": "teleported", "model": "claude-next"})
    assert message.stop_reason == "teleported"
    assert message.model == "claude-next"


def test_enums_have_no_decoder() -> None:
    for name in models.__all__:
        if name in SCHEMAS and is_enum(name):
            with pytest.raises(KeyError, match=name):
                models.decoder(name)
    with pytest.raises(KeyError, match="Hologram"):
        models.decoder("Hologram")


def test_absent_and_null_stay_apart() -> None:
    absent = Message.from_dict({})
    null = Message.from_dict({"id": None, "stop_reason": None, "content": None, "x": None})
    assert absent.id is UNSET
    assert absent.content is UNSET
    assert absent.stop_reason is UNSET
    assert null.id is None
    assert null.content is None
    assert null.stop_reason is None
    assert absent.to_dict() == {}
    assert null.to_dict() == {"id": None, "stop_reason": None, "content": None, "x": None}
    assert absent != null


@pytest.mark.parametrize("value", ["text", 5, True, [], {}, None, [1, None], 1.5])
def test_a_field_of_another_type_is_kept(value: Any) -> None:
    for field in ("content", "usage", "container", "input_transformations", "id"):
        message = Message.from_dict({field: value})
        assert message.to_dict() == {field: value}
    for field in ("created_at", "retires_at", "capabilities", "allowed_fallback_models"):
        assert ModelInfo.from_dict({field: value}).to_dict() == {field: value}


def test_the_decoded_object_is_not_tied_to_its_input() -> None:
    data = {"type": "message", "future": 1}
    message = Message.from_dict(data)
    data["type"] = "changed"
    data["future"] = 2
    assert message.to_dict() == {"type": "message", "future": 1}


# --- documents ----------------------------------------------------------------------------------


@pytest.fixture(params=["orjson", "json"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.setattr(codec, "_orjson_loads", None)
        monkeypatch.setattr(codec, "_orjson_dumps", None)
    return str(request.param)


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("levels", [100_000, 5_000_000])
def test_too_deep_a_document_is_refused(backend: str, opening: str, levels: int) -> None:
    for text in (nested(levels, opening), opening * levels):
        with pytest.raises(DecodeError):
            codec.loads(text)
        with pytest.raises(DecodeError):
            codec.loads(text.encode())


def nested(levels: int, opening: str) -> str:
    return opening * levels + "1" + ("}" if opening.startswith("{") else "]") * levels


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("levels", [200, 490, 700, 900])
def test_a_deep_document_survives(backend: str, opening: str, levels: int) -> None:
    deep = nested(levels, opening)
    for text in (
        '{"type":"tool_use","input":{"deep":' + deep + "}}",
        '{"new":' + deep + ',"type":"tool_use"}',
        '{"deep":' + deep + ',"type":"new"}',
    ):
        block = models.decoder("ContentBlock")(codec.loads(text))
        assert canonical(block.to_dict()) == canonical(json.loads(text))


def test_a_deep_document_is_written(backend: str) -> None:
    text = '{"input":{"deep":' + nested(800, "[") + '},"type":"tool_use"}'
    block = models.decoder("ContentBlock")(codec.loads(text))
    assert canonical(codec.loads(block.to_json())) == canonical(json.loads(text))


def test_what_only_other_parsers_write(backend: str) -> None:
    value = codec.loads('{"a": NaN, "b": Infinity, "c": -Infinity, "d": 1e400, "e": -1e400}')
    assert math.isnan(value["a"])
    assert value["b"] == value["d"] == math.inf
    assert value["c"] == value["e"] == -math.inf
    block = models.decoder("ContentBlock")({"type": "tool_use", "input": value})
    assert math.isnan(block.input["a"])


@pytest.mark.parametrize("digits", [20, 100, 4300, 4301, 20_000])
def test_integers_beyond_64_bits(backend: str, digits: int) -> None:
    text = "9" * digits
    value = codec.loads(f'{{"n": [{text}, -{text}]}}')["n"][0]
    if isinstance(value, int):
        assert digits <= 4300 or not hasattr(sys, "get_int_max_str_digits")
        assert value == 10**digits - 1
    else:
        assert value == float(text)


@pytest.mark.parametrize(
    "number", [0, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), -(2**53) - 1]
)
def test_integers_within_64_bits_are_exact(backend: str, number: int) -> None:
    usage = models.decoder("Usage")(codec.loads(b'{"input_tokens": %d}' % number))
    assert usage.input_tokens == number
    assert type(usage.input_tokens) is int
    assert codec.loads(usage.to_json()) == {"input_tokens": number}


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800", "\x00", "\u2028", "\ufeff"])
def test_any_text(backend: str, text: str) -> None:
    document = json.dumps({"type": "text", "text": text, text: text}).encode()
    block = models.decoder("ContentBlock")(codec.loads(document))
    assert block.text == text
    assert block.extra_fields == {text: text}
    assert codec.loads(block.to_json()) == {"type": "text", "text": text, text: text}


def test_the_last_of_equal_keys_wins(backend: str) -> None:
    text = '{"type": "text", "text": "a", "text": "b", "x": 1, "x": 2}'
    block = models.decoder("ContentBlock")(codec.loads(text))
    assert block.to_dict() == {"type": "text", "text": "b", "x": 2}


@given(ANYTHING)
@settings(max_examples=100, deadline=None)
def test_both_libraries_read_the_same(value: Any) -> None:
    text = json.dumps(value)
    assert canonical(codec.loads(text)) == canonical(codec.loads(text.encode()))


@given(st.binary(max_size=40) | st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_bytes_that_are_no_json_give_one_kind_of_error(data: bytes | str) -> None:
    with suppress(DecodeError):
        codec.loads(data)


def test_a_stream_event_within_an_event() -> None:
    event = models.decoder("RawMessageStreamEvent")(
        {"type": "message_start", "message": {"content": [{"type": "new"}], "usage": 5}}
    )
    assert isinstance(event, RawMessageStartEvent)
    assert isinstance(event.message.content[0], Unknown)
    assert event.message.usage == 5
