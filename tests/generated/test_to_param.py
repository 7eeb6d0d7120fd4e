"""What the API answered goes back into the next request as it came."""

from __future__ import annotations

import copy
import json
import pickle
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_rest import Struct, Unknown, models
from claude_rest._runtime import codec
from claude_rest.models import Message
from schema_documents import MAKER, SCHEMAS, canonical, component_of

BLOCKS = sorted(set(map(component_of, SCHEMAS["ContentBlock"]["discriminator"]["mapping"].values())))
CONTENT: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Hm", "signature": "sig=="},
    {"type": "text", "text": "Hello", "citations": None, "future": [1, None]},
    {"type": "tool_use", "id": "t", "name": "f", "input": {"b": 1, "a": [1.0, None]}},
    {"type": "hologram", "depth": 3},
]


def sent(value: Any) -> Any:
    """What the server reads."""
    return json.loads(codec.dumps(value))


def assert_same(block: Any, document: Any) -> None:
    expected = canonical(document)
    assert canonical(sent(block)) == expected
    if isinstance(block, Struct):
        param = block.to_param()  # type: ignore[attr-defined]
        assert type(param) is dict
        assert canonical(param) == expected
        assert canonical(sent(param)) == expected


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_goes_back_as_it_came(name: str) -> None:
    random = Random(name)  # the name: the same documents in every run
    decode = models.decoder("ContentBlock")
    for number in range(300):
        make = MAKER.valid if number % 2 else MAKER.make
        document = make(name, random)
        assert_same(decode(copy.deepcopy(document)), document)


@given(st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_a_turn_goes_back_as_it_came(random: Random) -> None:
    document = MAKER.make("Message", random)
    message = models.decoder("Message")(copy.deepcopy(document))
    param = message.to_param()
    expected = {name: document[name] for name in ("role", "content") if name in document}
    assert canonical(param) == canonical(expected)
    for again in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):
        assert canonical(again.to_param()) == canonical(expected)
        assert canonical(again.to_dict()) == canonical(document)


def test_a_message_gives_its_turn_and_nothing_else() -> None:
    message = Message.from_dict(
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "model": "claude-opus-5-5",
            "content": CONTENT,
            "usage": {"input_tokens": 1, "output_tokens": 1},
            "stop_reason": "tool_use",
            "future": {"x": 1},
        }
    )
    assert message.to_param() == {"role": "assistant", "content": CONTENT}
    assert list(message.to_param()) == ["role", "content"]
    assert isinstance(message.content[3], Unknown)
    assert [block.to_param() for block in message.content] == CONTENT


def test_models_in_a_request_are_written_as_their_params() -> None:
    message = Message.from_dict({"role": "assistant", "content": copy.deepcopy(CONTENT)})
    by_hand = {"role": message.role, "content": message.content}
    written = codec.dumps([message.to_param(), {"role": "user", "content": "Go on"}])
    assert written == codec.dumps([by_hand, {"role": "user", "content": "Go on"}])


def test_a_param_is_a_copy() -> None:
    message = Message.from_dict({"role": "assistant", "content": copy.deepcopy(CONTENT)})
    param: Any = message.to_param()
    param["content"][2]["input"]["b"] = 2
    param["content"].pop()
    assert message.to_param() == {"role": "assistant", "content": CONTENT}


def test_every_block_has_a_request_type() -> None:
    known = SCHEMAS["ContentBlockParam"]["discriminator"]["mapping"]
    for tag, ref in SCHEMAS["ContentBlock"]["discriminator"]["mapping"].items():
        method = getattr(models, component_of(ref)).to_param
        assert method.__annotations__["return"] == component_of(known[tag])
        assert method.__doc__
    assert Message.to_param.__annotations__["return"] == "AssistantMessageParam"
