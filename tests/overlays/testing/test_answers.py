"""What accepted requests get: examples of the spec, made-up messages, counts and models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import MockAPI, collapse
from claude_client.testing.samples import sample
from claude_client.testing.tokens import count_text, pieces

from .conftest import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

WEATHER = {
    "name": "get_weather",
    "description": "Weather at a place.",
    "input_schema": {
        "type": "object",
        "properties": {
            "place": {"type": "string"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer", "minimum": 2},
            "note": {"type": "string"},
        },
        "required": ["place", "unit", "days"],
    },
}


def exchanges(
    bundle: dict[str, Any],
) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], Any, Any]]:
    """Yield path, body, headers, JSON answer and event text of every example with a body."""
    for path, item in bundle["paths"].items():
        body = item.get("post", {}).get("requestBody", {}).get("content", {})
        if "application/json" not in body:
            continue
        operation = item["post"]
        requests = body["application/json"]["examples"]
        content = operation["responses"]["200"]["content"]
        answers = content["application/json"].get("examples", {})
        events = content.get("text/event-stream", {}).get("examples", {})
        for name, example in requests.items():
            yield (
                path,
                example["value"],
                example.get("x-request-headers", {}),
                answers.get(name, {}).get("value"),
                events.get(name, {}).get("value"),
            )


def test_every_example_comes_back(call: Caller, bundle: dict[str, Any]) -> None:
    count = 0
    for path, body, headers, answer, events in exchanges(bundle):
        if path.startswith("/v1/organizations/"):
            continue  # made up from the schemas: what is created gets an ID of its own
        response = call("POST", path, body, headers=headers)
        if events is not None:
            assert response.read().decode() == events
        else:
            assert response.json() == answer
        count += 1
    assert count >= 16


def test_every_example_is_the_same_streamed_and_whole(call: Caller, bundle: dict[str, Any]) -> None:
    for path, body, headers, answer, events in exchanges(bundle):
        if path != "/v1/messages":
            continue
        whole = {key: value for key, value in body.items() if key != "stream"}
        streamed = call("POST", path, {**whole, "stream": True}, headers=headers)
        unstreamed = call("POST", path, whole, headers=headers).json()
        assert collapse(streamed.read().decode()) == unstreamed
        assert unstreamed in (answer, collapse(events) if events else None)


def test_the_exchange_of_the_founding_document(call: Caller) -> None:
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": "Hello, Claude"}],
    }
    response = call("POST", "/v1/messages", body, headers={"anthropic-version": "2023-06-01"})
    message = response.json()
    assert response.header("content-type") == "application/json"
    assert response.header("content-length") == str(len(response.read()))
    assert message["type"] == "message"
    assert message["role"] == "assistant"
    assert message["model"].startswith("claude-sonnet-4-5")
    assert message["content"][0]["type"] == "text"
    assert message["stop_reason"] == "end_turn"
    assert message["usage"].keys() >= {"input_tokens", "output_tokens"}


def test_made_message_echoes_the_last_user_text(call: Caller) -> None:
    message = call.create(
        messages=[
            {"role": "user", "content": "First"},
            {"role": "assistant", "content": "Answer"},
            {"role": "user", "content": [{"type": "text", "text": "Second \N{SNOWMAN}"}]},
        ]
    ).json()
    (block,) = message["content"]
    assert block["type"] == "text"
    assert "Second \N{SNOWMAN}" in block["text"]
    assert "First" not in block["text"]
    assert message["id"].startswith("msg_01")
    assert message["model"] == "claude-opus-5-5"
    assert (message["stop_reason"], message["stop_sequence"]) == ("end_turn", None)
    assert message["usage"]["output_tokens"] == count_text(block["text"])


def test_content_depends_on_the_body_alone(call: Caller) -> None:
    first, second = call.create().json(), call.create().json()
    assert first.pop("id") != second.pop("id")
    assert first == second


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_max_tokens_cuts(call: Caller, limit: int) -> None:
    message = call.create(max_tokens=limit).json()
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == limit
    assert len(pieces("".join(block["text"] for block in message["content"]))) == limit


def test_stop_sequence_cuts(call: Caller) -> None:
    body = [{"role": "user", "content": "one STOP two HALT three"}]
    message = call.create(messages=body, stop_sequences=["HALT", "STOP", ""]).json()
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "STOP")
    assert message["content"][0]["text"].endswith("one ")
    message = call.create(messages=body, stop_sequences=["STOP"], max_tokens=2).json()
    assert (message["stop_reason"], message["stop_sequence"]) == ("max_tokens", None)


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}])
def test_forced_tool_is_called_with_an_input_of_its_schema(
    call: Caller, choice: dict[str, str]
) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    message = call.create(tools=[search, WEATHER], tool_choice=choice).json()
    (block,) = message["content"]
    assert message["stop_reason"] == "tool_use"
    assert (block["type"], block["name"]) == ("tool_use", "get_weather")
    assert block["id"].startswith("toolu_01")
    assert block["input"] == {"place": "place", "unit": "celsius", "days": 2}


def test_tools_without_force_and_wrong_force(call: Caller) -> None:
    assert call.create(tools=[WEATHER]).json()["stop_reason"] == "end_turn"
    none = call.create(tools=[WEATHER], tool_choice={"type": "none"}).json()
    assert none["stop_reason"] == "end_turn"
    wrong = call.create(tools=[WEATHER], tool_choice={"type": "tool", "name": "x"})
    assert wrong.json()["error"]["message"].startswith("tool_choice.name: ")
    cut = call.create(tools=[WEATHER], tool_choice={"type": "any"}, max_tokens=2).json()
    assert (cut["stop_reason"], cut["content"][0]["input"]) == ("max_tokens", {})


def test_output_format_gets_a_value_of_its_schema(call: Caller) -> None:
    output_format = {"type": "json_schema", "schema": WEATHER["input_schema"]}
    message = call.create(output_config={"format": output_format}).json()
    assert json.loads(message["content"][0]["text"])["days"] == 2


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "string", "minLength": 8}, "valuexxx"),
        ({"type": ["null", "integer"], "minimum": 5}, 5),
        ({"type": "number", "exclusiveMinimum": 1}, 2),
        ({"type": "integer", "maximum": -4}, -4),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True]),
        ({"anyOf": [{"const": 3}, {"const": 4}]}, 3),
        (
            {
                "allOf": [
                    {"type": "object", "required": ["a"]},
                    {"required": ["b"], "type": "object"},
                ]
            },
            {"a": "a", "b": "b"},
        ),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"enum": ["x"]}}}, "x"),
        ({"$ref": "#"}, None),
        (True, None),
    ],
)
def test_sample(schema: Any, value: Any) -> None:
    assert sample(schema) == value


def test_sample_of_a_schema_without_end_is_cut() -> None:
    node = {
        "type": "object",
        "required": ["l", "r"],
        "properties": {"l": {"$ref": "#"}, "r": {"$ref": "#"}},
    }
    assert len(json.dumps(sample(node))) < 100_000


def test_pieces_join_to_the_text() -> None:
    for text in (
        "",
        " ",
        "a",
        "  two  words ",
        "x" * 50,
        "\u2028\n\t",
        "\N{SNOWMAN} \N{GRINNING FACE}",
    ):
        assert "".join(pieces(text)) == text
        assert count_text(text) == len(pieces(text))


def test_count_grows_with_the_input_and_agrees_with_usage(call: Caller) -> None:
    def count(**body: Any) -> int:
        request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **body}
        response = call("POST", "/v1/messages/count_tokens", request)
        assert response.json().keys() == {"input_tokens"}
        return int(response.json()["input_tokens"])

    image = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": "A" * 9999},
    }
    longer = [{"role": "user", "content": "Hi " * 100}]
    sizes = [
        count(),
        count(system="Be brief."),
        count(system="Be brief.", tools=[WEATHER]),
        count(messages=longer, tools=[WEATHER]),
        count(messages=[{"role": "user", "content": [image]}], tools=[WEATHER]),
    ]
    assert sizes == sorted(set(sizes))
    assert call.create(messages=longer, tools=[WEATHER]).json()["usage"]["input_tokens"] == sizes[3]


def listed(call: Caller, query: str) -> dict[str, Any]:
    response = call("GET", "/v1/models", query=query)
    assert response.status == 200
    page: dict[str, Any] = response.json()
    assert page.keys() == {"data", "has_more", "first_id", "last_id"}
    ids = [model["id"] for model in page["data"]]
    assert (page["first_id"], page["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
    return page


def test_models_page_forwards_and_backwards(call: Caller) -> None:
    everything = [model["id"] for model in listed(call, "limit=1000")["data"]]
    assert len(everything) == len(set(everything)) >= 3
    assert listed(call, "limit=1000")["has_more"] is False
    walked: list[str] = []
    page = listed(call, "limit=2")
    while True:
        walked += [model["id"] for model in page["data"]]
        if not page["has_more"]:
            break
        page = listed(call, f"limit=2&after_id={page['last_id']}")
    assert walked == everything
    back: list[str] = []
    page = listed(call, f"limit=2&before_id={everything[-1]}")
    while True:
        back = [model["id"] for model in page["data"]] + back
        if not page["has_more"]:
            break
        page = listed(call, f"limit=2&before_id={page['first_id']}")
    assert back == everything[:-1]
    assert listed(call, f"after_id={everything[-1]}")["data"] == []
    assert listed(call, f"before_id={everything[0]}")["has_more"] is False


def test_models_are_newest_first_and_filtered(call: Caller) -> None:
    models = listed(call, "limit=1000")["data"]
    created = [model["created_at"] for model in models]
    assert created == sorted(created, reverse=True)
    assert {model["lifecycle"] for model in models} <= {"active", "deprecated"}
    for stage in ("active", "deprecated", "retired"):
        page = listed(call, f"lifecycle%5B%5D={stage}&limit=1000")
        assert {model["lifecycle"] for model in page["data"]} <= {stage}
    both = listed(call, "lifecycle[]=active&lifecycle[]=deprecated&limit=1000")
    assert both["data"] == models


@pytest.mark.parametrize(
    ("query", "name"), [("after_id=x", "after_id"), ("before_id=x&after_id=y", "before_id")]
)
def test_wrong_cursors(call: Caller, query: str, name: str) -> None:
    response = call("GET", "/v1/models", query=query)
    assert response.status == 400
    assert response.json()["error"]["message"].startswith(f"{name}: ")


def test_a_model_by_id_by_alias_and_not_at_all(call: Caller) -> None:
    for model in listed(call, "limit=1000")["data"]:
        assert call("GET", f"/v1/models/{model['id']}").json() == model
    assert call("GET", "/v1/models/claude-sonnet-4-5").json()["id"].startswith("claude-sonnet-4-5-")
    missing = call("GET", "/v1/models/no%20such%2Fmodel")
    assert missing.status == 404
    assert missing.json()["error"] == {"type": "not_found_error", "message": "model: no such/model"}


def test_operation_without_handler_answers_its_example(bundle: dict[str, Any]) -> None:
    operation = {
        "x-resource": "things",
        "x-method": "list",
        "responses": {
            "200": {"content": {"application/json": {"examples": {"a": {"value": {"b": 1}}}}}}
        },
    }
    bare = {**operation, "x-method": "other", "responses": {}}
    caller = Caller(MockAPI({**bundle, "paths": {"/v1/things": {"get": operation, "post": bare}}}))
    assert caller("GET", "/v1/things").json() == {"b": 1}
    assert caller("POST", "/v1/things").status == 501
