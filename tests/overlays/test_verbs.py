"""client.get, post, put, patch and delete: calls to endpoints without a method."""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import AsyncClaude, Claude, RetryPolicy
from claude_client.errors import APIConnectionError, InternalServerError, PathSegmentError
from claude_client.types import Message, ModelInfo
from claude_client.verbs import ad_hoc_operation, checked_path
from loopback import Close, LoopbackServer, Send, event, response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ANSWER = [Send(response(json={"id": "thing_1", "more": [1]}, headers={"request-id": "req_1"}))]
BROKEN = [
    Send(response(500, json={"type": "error", "error": {"type": "api_error", "message": "No"}}))
]
CLIENTS = [pytest.param(Claude, id="sync"), pytest.param(AsyncClaude, id="async")]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)


async def done(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def run(client_class: Any, act: Callable[[Any], Awaitable[Any]], *replies: Any) -> Any:
    """Return what ``act`` does, and the requests that it sent."""
    with LoopbackServer(replies) as script:

        async def main() -> Any:
            client = client_class(
                api_key="key-1",
                base_url=script.url + "/base",
                betas=["client-1"],
                retry=RetryPolicy(random=lambda: 0.0),
            )
            try:
                return await act(client)
            finally:
                await done(client.close())

        result = asyncio.run(main())
        return result, script.requests


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
def test_json_in_and_out(client_class: Any, verb: str) -> None:
    more: Any = {} if verb == "get" else {"body": {"name": "x", "none": None}}

    async def act(client: Any) -> Any:
        return await done(
            getattr(client, verb)("/v1/things/a b", query={"limit": 2}, betas=["call-1"], **more)
        )

    result, (sent,) = run(client_class, act, ANSWER)
    assert result == {"id": "thing_1", "more": [1]}
    assert (sent.method, sent.target) == (verb.upper(), "/base/v1/things/a%20b?limit=2")
    assert sent.header("anthropic-beta") == "client-1,call-1"
    assert sent.header("x-api-key") == "key-1"
    assert sent.header("anthropic-version") == "2026-10-21"
    if verb == "get":
        assert sent.body == b""
        assert sent.header("content-type") is None
    else:
        assert sent.json() == {"name": "x", "none": None}


@pytest.mark.parametrize("client_class", CLIENTS)
def test_models_forms_and_empty_answers(client_class: Any) -> None:
    async def act(client: Any) -> list[Any]:
        model = await done(client.get("v1/models/m", cast_to=ModelInfo))
        nothing = await done(client.delete("v1/models/m"))
        await done(client.post("/v1/up", body={"a": 1}, files={"file": ("x.txt", b"abc")}))
        await done(client.post("/v1/empty", body={}))
        await done(client.post("/v1/none"))
        return [model, nothing]

    replies = [
        [Send(response(json={"id": "m", "type": "model"}))],
        [Send(response(204))],
        ANSWER,
        ANSWER,
        ANSWER,
    ]
    (model, nothing), sent = run(client_class, act, *replies)
    assert isinstance(model, ModelInfo)
    assert model.id == "m"
    assert model.meta is not None
    assert nothing is None
    assert sent[2].header("content-type").startswith("multipart/form-data")
    assert b'filename="x.txt"' in sent[2].body
    assert b'name="a"' in sent[2].body
    assert (sent[3].body, sent[4].body) == (b"{}", b"")


@pytest.mark.parametrize("client_class", CLIENTS)
def test_streams(client_class: Any) -> None:
    body = event("thing", {"type": "thing", "n": 1}) + event("other", {"n": 2})
    reply = [Send(response(body=body, headers={"content-type": "text/event-stream"}))]

    async def act(client: Any) -> list[Any]:
        stream = await done(client.post("/v1/things", body={"stream": True}, stream=True))
        if hasattr(stream, "__aiter__"):
            return [found async for found in stream]
        return list(stream)

    events, (sent,) = run(client_class, act, reply)
    assert events == [{"type": "thing", "n": 1}, {"n": 2}]
    assert sent.header("accept") == "text/event-stream"


@pytest.mark.parametrize("client_class", CLIENTS)
def test_answers_with_their_response(client_class: Any) -> None:
    async def act(client: Any) -> Any:
        raw = client.with_raw_response
        answer = await done(raw.post("/v1/things", body={"a": 1}, query={"token": "hush"}))
        assert answer.parse() == {"id": "thing_1", "more": [1]}
        assert (answer.request_id, answer.method) == ("req_1", "POST")
        assert answer.url.endswith("/base/v1/things?token=[hidden]")
        manager: Any = client.with_streaming_response.get("/v1/things")
        if hasattr(manager, "__aenter__"):
            async with manager as opened:
                return await opened.json()
        with manager as opened:
            return opened.json()

    result, _ = run(client_class, act, ANSWER, ANSWER)
    assert result == {"id": "thing_1", "more": [1]}


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize(
    ("verb", "retry", "requests"),
    [
        ("get", None, 2),
        ("post", None, 1),
        ("delete", None, 1),
        ("post", "safe", 2),
        ("put", "billable", 2),
        ("get", "mutating", 1),
    ],
)
def test_retries_by_method(client_class: Any, verb: str, retry: Any, requests: int) -> None:
    async def act(client: Any) -> Any:
        try:
            return await done(getattr(client, verb)("/v1/things", retry=retry))
        except (InternalServerError, APIConnectionError) as error:
            return error

    for failure in (BROKEN, [Close()]):
        result, sent = run(client_class, act, failure, ANSWER)
        # An answer that got lost may have been paid for.
        repeated = requests == 2 and (failure is BROKEN or retry != "billable")
        assert len(sent) == 1 + repeated
        assert isinstance(result, dict) is repeated


@pytest.mark.parametrize("client_class", CLIENTS)
def test_errors_name_the_call(client_class: Any) -> None:
    async def act(client: Any) -> Any:
        return await done(client.post("/v1/things"))

    with pytest.raises(InternalServerError, match="POST /v1/things"):
        run(client_class, act, BROKEN)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "https://evil.test/v1",
        "HTTP://evil.test",
        "//evil.test/v1",
        "/%2f/evil.test",
        "/%2F%2Fevil.test",
        "\\\\evil.test",
        "/v1\\things",
        "/v1/../admin",
        "..",
        "v1/..",
        "/v1/./things",
        "/v1/%2e%2e/admin",
        "/v1/%2E./admin",
        "/v1/%252e%252e/admin",
        "/v1/..%2fadmin",
        "/v1/..;x/admin",
        "/v1/%5c..%5cadmin",
        "/v1/things?a=b",
        "/v1/things#a",
        "/v1/things\n",
        " /v1/things",
        "/v1/a\r\nx: y",
        "/v1/%0d%0ax",
        "@evil.test/x://",
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(PathSegmentError):
        checked_path(path)
    client = Claude(api_key="k", base_url="http://127.0.0.1:9")
    with pytest.raises(PathSegmentError):
        client.get(path)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("v1/things", "/v1/things"),
        ("/v1/things/", "/v1/things/"),
        ("/v1/a b/ä", "/v1/a%20b/%C3%A4"),
        ("/v1/a%20b", "/v1/a%20b"),
        ("/v1/{x}", "/v1/%7Bx%7D"),
        ("/v1/things:run", "/v1/things:run"),
        ("/v1/a..b/...", "/v1/a..b/..."),
        ("@evil.test", "/@evil.test"),
    ],
)
def test_other_paths_are_encoded(path: str, sent: str) -> None:
    assert checked_path(path) == sent


def test_what_makes_no_request_is_refused() -> None:
    client: Any = Claude(api_key="k", base_url="http://127.0.0.1:9")
    with pytest.raises(TypeError, match="GET request has no body"):
        client.get("/v1/x", body={})
    with pytest.raises(TypeError, match="JSON object"):
        client.post("/v1/x", body=[1])
    with pytest.raises(TypeError, match="cast_to"):
        client.post("/v1/x", cast_to=dict)
    with pytest.raises(TypeError, match="tiemout"):
        client.post("/v1/x", tiemout=3)


def test_a_model_may_be_the_body() -> None:
    message = Message.from_dict({"id": "m", "type": "message", "role": "assistant"})
    operation, arguments = ad_hoc_operation("POST", "/v1/x", body=message)
    assert arguments == message.to_dict()
    assert operation.body_fields == tuple(arguments)
    assert operation.retry == "mutating"
    assert repr(Claude(api_key="k").get) == "Verb(GET)"
