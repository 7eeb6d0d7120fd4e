"""Bodies and queries against the spec: which path the message names, on both engines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import MissingExtraError, MockAPI, validation
from claude_client.testing.dialect import Dialect

from .conftest import Caller, minimal

if TYPE_CHECKING:
    from collections.abc import Mapping


def user(content: object) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


WRONG_BODIES: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": "many"}, "max_tokens: got string, expected integer"),
    ({"max_tokens": None}, "max_tokens: got null, expected integer"),
    ({"max_tokens": -1}, "max_tokens: must be at least"),
    ({"messages": []}, "messages: "),
    ({"messages": "Hello"}, "messages: got string, expected array"),
    ({"messages": user(3)}, "messages.0.content: got integer, expected array or string"),
    ({"messages": ["Hello"]}, "messages.0: got string, expected object"),
    ({"messages": [{"content": "Hello"}]}, "messages.0.role: Field required"),
    (
        {"messages": [{"role": "robot", "content": "x"}]},
        'messages.0.role: got "robot", expected one',
    ),
    ({"messages": user([{"type": "text"}])}, "messages.0.content.0.text: Field required"),
    ({"messages": user([{"text": "x"}])}, "messages.0.content.0.type: Field required"),
    (
        {"messages": user([{"type": "txt", "text": "x"}])},
        'messages.0.content.0.type: got "txt", expected one of "advisor_tool_result", ',
    ),
    (
        {"messages": user([{"type": "image", "source": {"type": "base64", "data": "AA=="}}])},
        "messages.0.content.0.source.media_type: Field required",
    ),
    (
        {"messages": user([{"type": "tool_result", "content": "x"}])},
        "messages.0.content.0.tool_use_id: Field required",
    ),
    ({"system": [{"type": "text", "text": 3}]}, "system.0.text: got integer, expected string"),
    ({"system": 3}, "system: got integer, expected array or string"),
    ({"tools": [{"name": "x"}]}, "tools.0.input_schema: Field required"),
    ({"tools": [{"type": "custom", "name": "x"}]}, "tools.0.input_schema: Field required"),
    ({"tools": [{"type": None, "name": "x"}]}, "tools.0.input_schema: Field required"),
    ({"tools": [{"type": "bash_20250124"}]}, "tools.0.name: Field required"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice.name: Field required"),
    ({"tool_choice": {"type": "any"}}, "tool_choice: only together with tools"),
    ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens: Field required"),
    (
        {"cache_control": {"type": "ephemeral", "ttl": "2h"}},
        'cache_control.ttl: got "2h", expected',
    ),
    ({"stream": "yes"}, "stream: got string, expected boolean"),
]


CALLERS: dict[str, Caller] = {}
"""By engine; what was compiled for one test serves the others."""


@pytest.fixture(params=["jsonschema_rs", "jsonschema"])
def on_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A caller whose API validates with one of the engines."""
    pytest.importorskip(request.param)
    name = "_compile_fast" if request.param == "jsonschema_rs" else "_compile_portable"
    compiler = getattr(validation, name)
    monkeypatch.setattr(validation, "find_engine", lambda: compiler)
    if request.param not in CALLERS:
        from claude_rest.spec import load_bundle

        CALLERS[request.param] = Caller(MockAPI(load_bundle()))
    return CALLERS[request.param]


@pytest.mark.parametrize(("change", "message"), WRONG_BODIES)
def test_message_begins_with_the_path(
    on_engine: Caller, change: dict[str, Any], message: str
) -> None:
    response = on_engine.create(**change)
    error = response.json()["error"]
    assert (response.status, error["type"]) == (400, "invalid_request_error")
    assert error["message"].startswith(message)
    assert len(error["message"]) < 500


@pytest.mark.parametrize("missing", ["model", "max_tokens", "messages"])
def test_missing_field(on_engine: Caller, missing: str) -> None:
    body = minimal()
    del body[missing]
    response = on_engine("POST", "/v1/messages", body)
    assert response.json()["error"]["message"] == f"{missing}: Field required"


@pytest.mark.parametrize(
    "change",
    [
        {"model": "a-model-of-tomorrow"},
        {"system": "Be brief."},
        {"system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]},
        {"cache_control": None},
        {"tools": [{"name": "x", "input_schema": {"type": "object"}}]},
        {"tools": [{"type": "custom", "name": "x", "input_schema": {"type": "object", "a": [1]}}]},
        {"tools": [{"type": "bash_20250124", "name": "bash"}]},
        {"thinking": {"type": "adaptive"}},
        {"max_tokens": 64.0},
        {"a_field_of_tomorrow": [1, {"x": None}]},
        {"messages": [*user("x"), {"role": "assistant", "content": "y", "z": 1}, *user("x")]},
    ],
)
def test_accepted(on_engine: Caller, change: dict[str, Any]) -> None:
    assert on_engine.create(**change).status == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The request body is not valid JSON: line 1 column 1"),
        (b"{", "The request body is not valid JSON: line 1 column 2"),
        (b"\xff", "The request body is not valid JSON: not UTF-8 text"),
        (b'{"model": "\\ud800"}', "The request body is not valid JSON: not UTF-8 text"),
        (b'{"model": NaN}', "The request body is not valid JSON: a number is out of range"),
        (b'{"model": 1e400}', "The request body is not valid JSON: a number is out of range"),
        (b'{"model": ' + b"9" * 5000 + b"}", "The request body is not valid JSON: a number is out"),
        (b"[" * 100_000, "The request body is not valid JSON: nested too deeply"),
        (b"[" * 300 + b"]" * 300, "The request body is nested more than 128 levels deep"),
        (b"[]", "body: got array, expected object"),
        (b"null", "body: got null, expected object"),
    ],
    ids=lambda value: str(value[:24]),
)
def test_body_that_is_no_json_object(on_engine: Caller, body: bytes, message: str) -> None:
    response = on_engine("POST", "/v1/messages", body)
    error = response.json()["error"]
    assert (response.status, error["type"]) == (400, "invalid_request_error")
    assert error["message"].startswith(message)


def test_astral_characters_survive(call: Caller) -> None:
    escaped = (
        b'{"model":"m","max_tokens":99,"messages":[{"role":"user","content":"\\ud83d\\ude00"}]}'
    )
    response = call("POST", "/v1/messages", escaped)
    assert response.json()["content"][0]["text"].endswith("\N{GRINNING FACE}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a_field_of_tomorrow": 1}, "a_field_of_tomorrow: Extra inputs are not permitted"),
        (
            {"messages": user([{"type": "text", "text": "x", "colour": "red"}])},
            "messages.0.content.0.colour: Extra inputs are not permitted",
        ),
        ({"metadata": {"user": "x"}}, "metadata.user: Extra inputs are not permitted"),
    ],
)
def test_strict_refuses_unknown_fields(
    strict_call: Caller, change: dict[str, Any], message: str
) -> None:
    assert strict_call.create(**change).json()["error"]["message"] == message


def test_strict_takes_free_form_objects_and_the_examples(
    strict_call: Caller, bundle: dict[str, Any]
) -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string"}}, "x-mine": 1}
    assert strict_call.create(tools=[{"name": "x", "input_schema": schema}]).status == 200
    media = bundle["paths"]["/v1/messages"]["post"]["requestBody"]["content"]["application/json"]
    for example in media["examples"].values():
        headers = example.get("x-request-headers", {})
        response = strict_call("POST", "/v1/messages", example["value"], headers=headers)
        assert response.status == 200, response.read()


@pytest.mark.parametrize(
    ("change", "flag", "path"),
    [
        ({"context_management": {}}, "context-management-2025-06-27", "context_management"),
        ({"mcp_servers": []}, "mcp-client-2025-04-04", "mcp_servers"),
        ({"speed": "fast", "model": "claude-opus-4-8"}, "fast-mode-2026-02-01", "speed"),
        (
            {"thinking": {"type": "adaptive", "display": "updates"}},
            "thinking-display-updates-2026-08-18",
            "thinking.display",
        ),
        (
            {
                "messages": [
                    *user("x"),
                    {"role": "system", "content": "y", "clear_at": "next_user_message"},
                ]
            },
            "mid-conversation-system-clear-at-2026-08-21",
            "messages.1.clear_at",
        ),
    ],
)
def test_beta_arguments_need_their_flag(
    call: Caller, change: dict[str, Any], flag: str, path: str
) -> None:
    response = call.create(**change)
    assert response.status == 400
    assert response.json()["error"]["message"].startswith(f"{path}: only with the beta flag `")
    assert call.create({"anthropic-beta": flag}, **change).status == 200


def test_beta_argument_of_null_counts_as_absent(call: Caller) -> None:
    assert call.create(context_management=None).status == 200


def test_model_that_has_the_feature_without_the_flag(call: Caller) -> None:
    assert call.create(speed="fast", model="claude-opus-5-5").status == 200


@pytest.mark.parametrize(
    ("argument", "value"), [("temperature", 1.0), ("top_p", 0.5), ("top_k", 3)]
)
def test_arguments_that_an_api_version_dropped(call: Caller, argument: str, value: float) -> None:
    refused = call.create(**{argument: value})
    assert refused.status == 400
    assert refused.json()["error"]["message"].startswith(f"{argument}: ")
    assert call.create({"anthropic-version": "2023-06-01"}, **{argument: value}).status == 200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit: must be at least 1"),
        ("limit=1001", "limit: must be at most 1000"),
        ("limit=ten", "limit: got string, expected integer"),
        ("limit=", "limit: got string, expected integer"),
        ("lifecycle[]=young", 'lifecycle[].0: got "young", expected one of'),
        ("lifecycle%5B%5D=active&lifecycle[]=gone", 'lifecycle[].1: got "gone", expected one of'),
    ],
)
def test_query_is_checked(call: Caller, query: str, message: str) -> None:
    response = call("GET", "/v1/models", query=query)
    assert response.status == 400
    assert response.json()["error"]["message"].startswith(message)


def test_unknown_query_parameters(call: Caller, strict_call: Caller) -> None:
    assert call("GET", "/v1/models", query="colour=red").status == 200
    assert strict_call("GET", "/v1/models", query="beta=true").status == 200
    assert strict_call("GET", "/v1/models", query="colour=red").status == 400


def test_without_an_engine_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, bundle: dict[str, Any]
) -> None:
    def nothing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(validation, "import_module", nothing)
    with pytest.raises(MissingExtraError, match=r"claude-client\[mock\]"):
        MockAPI(bundle)


def test_scalar_variants_of_one_type() -> None:
    components: Mapping[str, Any] = {
        "Mixed": {
            "oneOf": [
                {"const": "auto"},
                {"type": "string", "maxLength": 2},
                {"type": "array", "items": {"type": "integer"}},
                {"type": "null"},
            ]
        }
    }
    schema = {"$ref": "#/components/schemas/Mixed"}
    document = Dialect(components, strict=False).document(schema)
    check = validation.find_engine()(document)
    for good in ("auto", "ab", [1], None):
        assert not list(check(good))
    wrong: list[Any] = ["abc", ["x"], 3, {}]
    for bad in wrong:
        assert list(check(bad))


def test_cost_of_a_long_conversation_is_linear(call: Caller) -> None:
    def seconds(turns: int) -> float:
        messages = user([{"type": "text", "text": "x"}]) * turns
        took: list[float] = []
        for _ in range(3):
            start = time.process_time()
            assert call.create(messages=messages).status == 200
            took.append(time.process_time() - start)
        return min(took)

    seconds(1)  # compiles the schema
    assert seconds(20_000) < 15 * seconds(4_000)
