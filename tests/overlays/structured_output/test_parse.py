"""``messages.parse`` and ``messages.stream(output_format=…)`` on both clients."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from both_clients import ARGUMENTS, MESSAGE
from both_clients import kit as kit
from claude_client import (
    InvalidOutputError,
    NoOutputError,
    OutputFormat,
    OutputNotJSONError,
    OutputRefusedError,
    OutputTruncatedError,
    ParsedMessage,
    StructuredOutputError,
)
from claude_client.testing import MockAPI, serve
from claude_client.types import Message
from loopback import Send, response
from twins import Twin, each, entered, settle


@dataclass
class Recipe:
    """A dish."""

    title: str
    minutes: int = 5


class Note(TypedDict):
    text: str


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Twin:
    return Twin(request.param == "async")


def answer(**changes: Any) -> list[Any]:
    return [Send(response(json={**MESSAGE, **changes}, headers={"request-id": "req_ok"}))]


def text(value: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": value}]


def parsed(kit: Any, output_format: Any, **changes: Any) -> Any:
    client = kit.open(answer(**changes))
    return kit.run(client.messages.parse(output_format=output_format, **ARGUMENTS))


def test_the_mock_answers_by_the_schema(twin: Twin) -> None:
    async def body() -> None:
        mock = MockAPI()
        with serve(mock) as server:
            client = twin.client(server.url)
            message = await settle(client.messages.parse(output_format=Recipe, **ARGUMENTS))
            assert message.parsed_output == Recipe("title")
            assert message.request_id
            async with entered(client.messages.stream(output_format=Note, **ARGUMENTS)) as stream:
                shown = "".join([piece async for piece in each(stream.text_stream)])
                final = await settle(stream.get_final_message())
                assert await settle(stream.get_final_message()) is final
            assert shown == '{"text": "text"}'
            assert final.parsed_output == {"text": "text"}
            # What came goes back as it is.
            again = [
                *ARGUMENTS["messages"],
                message.to_param(),
                {"role": "user", "content": "Another one"},
            ]
            await settle(
                client.messages.parse(
                    output_format=list[Recipe], **{**ARGUMENTS, "messages": again}
                )
            )
            sent = mock.calls.of("messages.create")[0].body["output_config"]
            assert sent == {"format": OutputFormat(Recipe).to_param()}
            await settle(client.close())

    twin.run(body)


def test_a_parsed_message_is_a_message(kit: Any) -> None:
    content = text('{"title": "Soup", "minutes": 7}')
    message = parsed(kit, Recipe, content=content, unknown_field={"a": 1})
    assert isinstance(message, ParsedMessage)
    assert isinstance(message, Message)
    assert message.has_output
    assert message.parsed_output == Recipe("Soup", 7)
    wire = {**MESSAGE, "content": content, "unknown_field": {"a": 1}}
    assert message.to_dict() == wire
    assert message.to_param() == {"role": "assistant", "content": content}
    assert "parsed" not in repr(message)
    plain = Message.from_dict(wire)
    assert message == plain
    assert plain == message
    assert plain.request_id is None
    assert message.request_id == "req_ok"
    assert pickle.loads(pickle.dumps(message)).parsed_output == Recipe("Soup", 7)
    assert copy.deepcopy(message).parsed_output == Recipe("Soup", 7)
    decoded = ParsedMessage.from_dict(wire)
    assert decoded == message
    assert not decoded.has_output


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"content": text("I will not."), "stop_reason": "refusal"}, OutputRefusedError, "refused"),
        (
            {"content": text('{"title": "So'), "stop_reason": "max_tokens"},
            OutputTruncatedError,
            "cut off by max_tokens after 2 output tokens",
        ),
        ({"content": text("42"), "stop_reason": "max_tokens"}, OutputTruncatedError, "cut off"),
        ({"content": text("Soup!")}, OutputNotJSONError, "no JSON"),
        ({"content": []}, OutputNotJSONError, "there is no text"),
        ({"content": text('{"title": 1}')}, InvalidOutputError, "/title: a string expected"),
        ({"content": text('{"minutes": 1}')}, InvalidOutputError, "'title' is missing"),
    ],
)
def test_failures_are_typed_and_hold_the_reply(
    kit: Any, changes: dict[str, Any], kind: type[StructuredOutputError], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        parsed(kit, Recipe, **changes)
    assert caught.value.reply.id == MESSAGE["id"]
    assert "req_ok" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.reply == caught.value.reply


@dataclass
class Picky:
    size: int

    def __post_init__(self) -> None:
        assert self.size, "too small"
        {1: "one"}[self.size]


@dataclass
class Nested:
    inner: Nested | None = None


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (Picky, '{"size": 0}', "/: too small"),
        (Picky, '{"size": 2}', "/: 2"),
        (Nested, '{"inner": ' * 900 + "null" + "}" * 900, "nested too deeply"),
    ],
)
def test_no_value_takes_the_reply_with_it(kit: Any, hint: Any, value: str, message: str) -> None:
    """Whatever a class raises: the reply was paid for."""
    with pytest.raises(InvalidOutputError, match=message) as caught:
        parsed(kit, hint, content=text(value))
    assert caught.value.reply.id == MESSAGE["id"]


def test_integers_of_any_size_are_exact(kit: Any) -> None:
    message = parsed(kit, list[int], content=text("[12345678901234567890123, 9007199254740993]"))
    assert message.parsed_output == [12345678901234567890123, 9007199254740993]


def test_a_reply_that_calls_tools_has_no_value_yet(kit: Any) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
    message = parsed(kit, Recipe, content=[call], stop_reason="tool_use")
    assert not message.has_output
    with pytest.raises(NoOutputError, match="tool_use"):
        _ = message.parsed_output
    assert message.content[0].name == "look"


def test_text_before_the_value_and_values_in_pieces(kit: Any) -> None:
    content = [*text("Let me see."), *text('{"title": "A"}')]
    assert parsed(kit, Recipe, content=content).parsed_output == Recipe("A")
    halves = [*text('{"title":'), *text(' "A"}')]
    assert parsed(kit, Recipe, content=halves).parsed_output == Recipe("A")


def test_dropped_constraints_are_checked_here(kit: Any) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 3}}}
    assert parsed(kit, schema, content=text('{"n": 3}')).parsed_output == {"n": 3}
    with pytest.raises(InvalidOutputError, match="/n: 4 is above 3"):
        parsed(kit, schema, content=text('{"n": 4}'))
    wrapped = {"type": "json_schema", "schema": schema}
    assert OutputFormat(wrapped).schema == OutputFormat(schema).schema


def test_arguments_that_contradict_each_other(kit: Any) -> None:
    client = kit.open()
    with pytest.raises(TypeError, match="cannot both be given"):
        kit.run(
            client.messages.parse(
                output_format=Recipe, **ARGUMENTS, output_config={"format": {"type": "json_schema"}}
            )
        )
    with pytest.raises(TypeError, match="does not stream"):
        kit.run(client.messages.parse(output_format=Recipe, **ARGUMENTS, stream=True))


def test_other_output_settings_stay(kit: Any) -> None:
    client = kit.open(answer(content=text('{"title": "A"}')))
    kit.run(
        client.messages.parse(output_format=Recipe, **ARGUMENTS, output_config={"effort": "low"})
    )
    sent = kit.sent().json()["output_config"]
    assert sent["effort"] == "low"
    assert sent["format"]["schema"]["required"] == ["title"]


def test_a_bad_value_at_the_end_of_a_stream(twin: Twin) -> None:
    async def body() -> None:
        mock = MockAPI()
        mock.on("messages.create").reply("No soup.")
        with serve(mock) as server:
            client = twin.client(server.url)
            async with entered(client.messages.stream(output_format=Recipe, **ARGUMENTS)) as stream:
                events = [event async for event in each(stream)]
                assert events[-1].type == "message_stop"
                with pytest.raises(OutputNotJSONError) as caught:
                    await settle(stream.get_final_message())
            assert caught.value.reply.content[0].text == "No soup."
            await settle(client.close())

    twin.run(body)
