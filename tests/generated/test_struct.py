"""What all response models share."""

from __future__ import annotations

import copy
import pickle
import weakref
from typing import Any

import pytest

from claude_rest import Struct, Unknown, models
from claude_rest._runtime import codec
from claude_rest._runtime.meta import Meta
from claude_rest._runtime.struct import encode, wire_names
from claude_rest._runtime.timestamp import Timestamp
from claude_rest._runtime.unset import UNSET, Unset
from claude_rest.models import (
    FallbackBlock,
    FallbackInfo,
    Message,
    ModelInfo,
    TextBlock,
    ToolUseBlock,
    Usage,
)
from schema_documents import OBJECTS, SCHEMAS

DOCUMENT: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [
        {"type": "text", "text": "Hello", "citations": None},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1, {"b": None}]}},
        {"type": "hologram", "depth": 3},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 5, "warp": 9},
    "future": {"x": 1},
}


def make(**changes: Any) -> Message:
    return Message.from_dict(copy.deepcopy({**DOCUMENT, **changes}))


def with_meta(message: Message) -> Message:
    message._meta = Meta(
        status_code=200,
        headers={"request-id": "req_1", "x-secret": "sk-ant-secret"},
        attempts=2,
        elapsed=1.5,
    )
    return message


# --- equality -----------------------------------------------------------------------------------


def test_equal_when_every_field_is() -> None:
    assert make() == make()
    assert not make() != make()  # noqa: SIM202 - __ne__ is what is tested
    assert make() != make(id="msg_2")
    assert make() != make(stop_reason=None)
    assert make() != make(future={"x": 2})
    assert make() != make(content=[])


def test_absent_null_and_empty_are_three_things() -> None:
    absent = Message.from_dict({})
    assert absent == Message.from_dict({})
    assert absent != Message.from_dict({"id": None})
    assert Message.from_dict({"content": []}) != Message.from_dict({"content": None})


def test_the_class_counts() -> None:
    assert models.decoder("ComputerZoomConfig")({}) != models.decoder("ComputerWaitConfig")({})
    assert make() != DOCUMENT
    assert make() != None  # noqa: E711 - __eq__ is what is tested
    assert (make() == 5) is False
    assert Unknown("x", {"type": "x"}) != TextBlock(text="x")
    assert TextBlock(text="x") != Unknown("x", {"type": "x"})
    assert Unknown("x", {"type": "x"}) == Unknown("x", {"type": "x"})
    assert Unknown("x", {"type": "x"}) != Unknown("x", {"type": "x", "a": 1})


def test_meta_does_not_count() -> None:
    assert make() == with_meta(make())


def test_not_hashable() -> None:
    for value in (make(), Unknown("x", {})):
        with pytest.raises(TypeError, match="unhashable"):
            hash(value)
        with pytest.raises(TypeError):
            _ = {value}  # type: ignore[var-annotated]


# --- repr ---------------------------------------------------------------------------------------


def test_repr_shows_what_is_there() -> None:
    text = repr(make())
    assert text.startswith("Message(type='message', id='msg_1', role='assistant', content=[")
    assert "TextBlock(type='text', text='Hello', citations=None)" in text
    assert "Unknown(type='hologram', raw={'type': 'hologram', 'depth': 3})" in text
    assert "usage=Usage(input_tokens=3, output_tokens=5, warp=9)" in text
    assert text.endswith("future={'x': 1})")
    assert "container" not in text
    assert "UNSET" not in text


def test_repr_hides_meta() -> None:
    text = repr(with_meta(make()))
    assert text == repr(make())
    assert "secret" not in text
    assert "req_1" not in text
    assert "secret" not in repr(with_meta(make()).meta)


# --- copies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol: int) -> None:
    message = with_meta(make())
    again: Message = pickle.loads(pickle.dumps(message, protocol))
    assert again == message
    assert again.to_dict() == DOCUMENT
    assert again.container is UNSET
    assert again.meta is not None
    assert again.meta.request_id == "req_1"
    assert again.meta.attempts == 2


@pytest.mark.parametrize("name", OBJECTS)
def test_every_model_can_be_pickled_and_copied(name: str) -> None:
    fields = SCHEMAS[name].get("properties", {})
    for data in ({}, dict.fromkeys(fields, "2026-01-01T00:00:00Z"), {"future": [1]}):
        model = models.decoder(name)(data)
        for again in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
            assert type(again) is type(model)
            assert again == model
            assert again.to_dict() == data


def test_copy_is_shallow_and_deepcopy_is_not() -> None:
    message = with_meta(make())
    shallow, deep = copy.copy(message), copy.deepcopy(message)
    assert shallow == deep == message
    assert shallow.content is message.content
    assert deep.content is not message.content
    deep.content.clear()
    deep.usage.input_tokens = 0
    deep.extra_fields["future"]["x"] = 5
    assert message.to_dict() == DOCUMENT
    assert deep.meta is not None
    shallow.id = "other"
    assert message.id == "msg_1"


def test_weak_references() -> None:
    message = make()
    assert weakref.ref(message)() is message


def test_unset_is_one_object_everywhere() -> None:
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET
    assert copy.copy(UNSET) is copy.deepcopy([UNSET])[0] is Unset() is UNSET
    assert not UNSET
    assert repr(UNSET) == "UNSET"
    assert (UNSET or 0) == 0


# --- attributes ---------------------------------------------------------------------------------


def test_a_misspelt_attribute_is_an_error() -> None:
    message = make()
    with pytest.raises(AttributeError, match="'Message' object has no attribute 'contents'"):
        _ = message.contents  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        message.contents = []  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = message.future  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="'Unknown' object has no attribute 'text'"):
        _ = Unknown("x", {"type": "x"}).text  # type: ignore[attr-defined]
    assert not hasattr(message, "__dict__")
    assert not hasattr(message, "text")
    assert hasattr(message, "container")


@pytest.mark.parametrize("name", OBJECTS)
def test_every_field_is_an_attribute(name: str) -> None:
    model = models.decoder(name)({})
    fields = SCHEMAS[name].get("properties", {})
    assert {wire_name for _, wire_name in wire_names(type(model))} == set(fields)
    for attribute, wire_name in wire_names(type(model)):
        assert attribute.rstrip("_") == wire_name
        assert getattr(model, attribute) is UNSET
        setattr(model, attribute, 5)
        assert model.to_dict() == {wire_name: 5}
        delattr(model, attribute)
        assert model.to_dict() == {}


def test_a_changed_attribute_is_encoded() -> None:
    message = make()
    message.id = "msg_2"
    message.content.append(TextBlock(text="more"))
    message.usage.output_tokens = 7
    message.stop_sequence = UNSET
    message.container = None
    encoded = message.to_dict()
    assert encoded["id"] == "msg_2"
    assert encoded["content"][-1] == {"type": "text", "text": "more"}
    assert encoded["usage"] == {"input_tokens": 3, "output_tokens": 7, "warp": 9}
    assert "stop_sequence" not in encoded
    assert encoded["container"] is None
    assert codec.loads(message.to_json()) == encoded


def test_meta_is_on_the_outermost_model_only_and_never_sent() -> None:
    message = with_meta(make())
    assert message.meta is not None
    assert message.usage.meta is None
    assert make().meta is None
    assert message.to_dict() == DOCUMENT
    assert codec.loads(message.to_json()) == DOCUMENT
    assert codec.loads(codec.dumps({"m": message})) == {"m": DOCUMENT}


def test_a_field_called_meta_does_not_touch_the_metadata() -> None:
    message = with_meta(make(meta="m", _meta="n", _extra="e", to_dict="t"))
    assert message.meta is not None
    assert message.extra_fields["meta"] == "m"
    assert message.to_dict() == {
        **DOCUMENT,
        "meta": "m",
        "_meta": "n",
        "_extra": "e",
        "to_dict": "t",
    }


def test_extra_fields() -> None:
    assert make().extra_fields == {"future": {"x": 1}}
    assert make().usage.extra_fields == {"warp": 9}
    assert TextBlock(text="x").extra_fields == {}
    assert Unknown("x", {"type": "x"}).extra_fields == {}


# --- constructing -------------------------------------------------------------------------------


def test_construct_by_keyword() -> None:
    message = Message(
        id="msg_1",
        content=[TextBlock(text="Hello", citations=None), ToolUseBlock(id="t", name="f", input={})],
        model="claude-opus-5-5",
        usage=Usage(input_tokens=1, output_tokens=2),
        stop_reason="end_turn",
    )
    assert message.type == "message"
    assert message.role == "assistant"
    assert message.container is UNSET
    assert message.to_dict() == {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "content": [
            {"type": "text", "text": "Hello", "citations": None},
            {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        ],
        "model": "claude-opus-5-5",
        "usage": {"input_tokens": 1, "output_tokens": 2},
        "stop_reason": "end_turn",
    }
    assert message == Message.from_dict(message.to_dict())


def test_construct_wrongly() -> None:
    with pytest.raises(TypeError, match="text"):
        TextBlock()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="txt"):
        TextBlock(text="x", txt="y")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        TextBlock("x")  # type: ignore[misc]


def test_a_field_whose_name_python_reserves() -> None:
    block = FallbackBlock.from_dict({"type": "fallback", "from": {"model": "a"}, "from_": 1})
    assert isinstance(block.from_, FallbackInfo)
    assert block.from_.model == "a"
    assert block.extra_fields == {"from_": 1}
    assert block.to_dict() == {"type": "fallback", "from": {"model": "a"}, "from_": 1}
    made = FallbackBlock(
        from_=FallbackInfo(model="a"),
        to=FallbackInfo(model="b"),
        trigger=UNSET,  # type: ignore[arg-type]
    )
    assert made.to_dict()["from"] == {"model": "a"}
    assert "from_" not in made.to_dict()
    assert dict(wire_names(FallbackBlock))["from_"] == "from"
    assert "from_=FallbackInfo(model='a')" in repr(made)


# --- encoding -----------------------------------------------------------------------------------


def test_to_dict_shares_nothing_with_the_model() -> None:
    message = make()
    encoded = message.to_dict()
    encoded["content"][1]["input"]["a"][1]["b"] = 5
    encoded["content"][2]["depth"] = 5
    encoded["content"].clear()
    encoded["future"]["x"] = 5
    encoded["usage"]["warp"] = 5
    assert message.to_dict() == DOCUMENT


def test_models_within_containers_are_encoded() -> None:
    block = ToolUseBlock(id="t", name="f", input={"a": [TextBlock(text="x")]})
    assert block.to_dict()["input"] == {"a": [{"type": "text", "text": "x"}]}
    assert encode([{"m": TextBlock(text="x")}]) == [{"m": {"type": "text", "text": "x"}}]
    assert encode(5) == 5
    assert encode(None) is None


def test_dates_are_encoded_as_they_were_sent() -> None:
    data = {"created_at": "2026-01-01T00:00:00Z", "retires_at": None, "deprecated_at": "soon"}
    model = ModelInfo.from_dict(data)
    assert isinstance(model.created_at, Timestamp)
    assert model.to_dict() == data


def test_from_dict_of_unknown() -> None:
    data = {"type": "new", "a": 1}
    assert Unknown.from_dict(data) == Unknown("new", data)
    assert Unknown.from_dict({}).tag == ""
    assert isinstance(Unknown.from_dict(data), Struct)


# --- matching -----------------------------------------------------------------------------------


def kind(block: object) -> str:
    match block:
        case TextBlock(text="Hello", citations=None):
            return "greeting"
        case TextBlock(text=text):
            return f"text {text}"
        case ToolUseBlock(name=name, input={"a": [first, *_]}):
            return f"tool {name} {first}"
        case Unknown(tag=tag):
            return f"unknown {tag}"
        case _:
            return "else"


def test_match_by_class() -> None:
    assert [kind(block) for block in make().content] == [
        "greeting",
        "tool f 1",
        "unknown hologram",
    ]
    assert kind(TextBlock(text="x")) == "text x"
    assert kind(make()) == "else"
