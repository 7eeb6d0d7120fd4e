"""Claude and AsyncClaude over loopback: what goes out, what is retried, what comes back."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import pickle
import sys
import threading
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx
import pytest

from claude_client import (
    AsyncClaude,
    Claude,
    InvalidToolInput,
    RetryBudget,
    RetryEvent,
    RetryPolicy,
)
from claude_client.callers import AsyncOverlayCaller, OverlayCaller
from claude_client.calls import LARGE_PARTS, CallCore, is_large
from claude_client.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APITimeoutError,
    BadRequestError,
    BaseURLError,
    ClosedClientError,
    ConfigurationError,
    CredentialsError,
    HeaderValueError,
    InternalServerError,
    MissingCredentialsError,
    OverloadedError,
    PathSegmentError,
    RateLimitError,
)
from claude_client.resources import AsyncMessages, Messages
from claude_rest import UNSET, Unknown
from claude_rest.models import decoder
from loopback import Close, LoopbackServer, Pause, Reset, Send, chunked, response

if TYPE_CHECKING:
    from collections.abc import Callable

ARGUMENTS: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}
MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "text", "text": "Hello!"}],
    "model": "claude-opus-5-5",
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
OK = [Send(response(json=MESSAGE, headers={"request-id": "req_ok"}))]
AT_ONCE = RetryPolicy(random=lambda: 0.0)


def failure(status: int, kind: str = "api_error", **headers: str) -> list[Any]:
    body = {"type": "error", "error": {"type": kind, "message": "Sorry"}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [Send(response(status, json=body, headers={"request-id": "req_bad", **named}))]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)


class Kit:
    """Makes calls against a script, with either client; remembers the server."""

    def __init__(self, asynchronous: bool) -> None:
        self.asynchronous = asynchronous
        self.server: LoopbackServer

    def client_class(self) -> type[Claude | AsyncClaude]:
        return AsyncClaude if self.asynchronous else Claude

    def create(self, *replies: list[Any], settings: Any = None, **arguments: Any) -> Any:
        """Create a message and return it, or raise what the call raises."""
        return self.run(
            lambda client: client.messages.create(**{**ARGUMENTS, **arguments}),
            *(replies or (OK,)),
            settings=settings,
        )

    def run(self, act: Callable[[Any], Any], *replies: list[Any], settings: Any = None) -> Any:
        with LoopbackServer(replies) as self.server:
            given = {"api_key": "key-1", "retry": AT_ONCE, "base_url": self.server.url}
            given.update(settings or {})
            if not self.asynchronous:
                with Claude(**given) as client:
                    return act(client)

            async def acting() -> Any:
                async with AsyncClaude(**given) as client:
                    return await act(client)

            return asyncio.run(acting())

    def sent(self, index: int = -1) -> Any:
        return self.server.requests[index]


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def kit(request: pytest.FixtureRequest) -> Kit:
    return Kit(request.param)


def test_the_request_and_its_answer(kit: Kit) -> None:
    message = kit.create()
    sent = kit.sent()
    assert (sent.method, sent.target) == ("POST", "/v1/messages")
    assert sent.json() == ARGUMENTS
    assert sent.header("x-api-key") == "key-1"
    assert sent.header("authorization") is None
    assert sent.header("anthropic-version") == "2026-10-21"
    assert sent.header("content-type") == sent.header("accept") == "application/json"
    assert sent.header("user-agent").startswith("claude-client/")
    assert sent.header("anthropic-beta") is None
    assert not [name for name, _ in sent.headers if name.startswith("x-stainless")]
    assert message.to_dict() == MESSAGE
    assert message.content[0].text == "Hello!"
    assert (message.meta.request_id, message.meta.attempts) == ("req_ok", 1)


def test_bearer_tokens(kit: Kit) -> None:
    kit.create(settings={"api_key": None, "auth_token": "sk-ant-oat01-x"})
    assert kit.sent().header("authorization") == "Bearer sk-ant-oat01-x"
    assert kit.sent().header("x-api-key") is None
    assert kit.sent().header("anthropic-beta") == "oauth-2025-04-20"


def test_count_tokens_and_models(kit: Kit) -> None:
    counted = kit.run(
        lambda client: client.messages.count_tokens(model="m", messages=[]),
        [Send(response(json={"input_tokens": 7}))],
    )
    assert counted.input_tokens == 7
    assert kit.sent().target == "/v1/messages/count_tokens"
    model = {
        "type": "model",
        "id": "a/b",
        "display_name": "A",
        "created_at": "2026-01-01T00:00:00Z",
    }
    retrieved = kit.run(lambda client: client.models.retrieve("a/b"), [Send(response(json=model))])
    assert retrieved.id == "a/b"
    assert kit.sent().target == "/v1/models/a%2Fb"
    assert kit.sent().body == b""
    assert kit.sent().header("content-type") is None
    with pytest.raises(PathSegmentError):
        kit.run(lambda client: client.models.retrieve(".."), OK)


def page(*ids: str, more: bool) -> list[Any]:
    models = [
        {"type": "model", "id": id_, "display_name": id_, "created_at": "2026-01-01T00:00:00Z"}
        for id_ in ids
    ]
    first, last = (ids[0], ids[-1]) if ids else (None, None)
    body = {"data": models, "has_more": more, "first_id": first, "last_id": last}
    return [Send(response(json=body, headers={"request-id": f"req_{first}"}))]


def test_paging(kit: Kit) -> None:
    def collect(client: Any) -> Any:
        if kit.asynchronous:

            async def collecting() -> list[str]:
                return [model.id async for model in client.models.list(limit=2)]

            return collecting()
        return [model.id for model in client.models.list(limit=2)]

    # Each page is retried on its own.
    script = (page("a", "b", more=True), failure(529), page("c", more=False))
    assert kit.run(collect, *script) == ["a", "b", "c"]
    assert [request.target for request in kit.server.requests] == [
        "/v1/models?limit=2",
        "/v1/models?limit=2&after_id=b",
        "/v1/models?limit=2&after_id=b",
    ]
    first = kit.run(lambda client: client.models.list(), page("a", more=False))
    assert first.meta.request_id == "req_a"


@pytest.mark.parametrize(
    "fault",
    [
        failure(408),
        failure(409, "conflict_error"),
        failure(429, "rate_limit_error"),
        failure(500),
        failure(529, "overloaded_error"),
        failure(400, x_should_retry="true"),
        [Send(response(502, b"<html>Bad gateway</html>", headers={"content-type": "text/html"}))],
    ],
    ids=lambda fault: "",
)
def test_transient_faults_are_retried(kit: Kit, fault: list[Any]) -> None:
    message = kit.create(fault, OK)
    assert message.meta.attempts == 2
    assert len(kit.server.requests) == 2
    assert kit.sent(0).body == kit.sent(1).body


LOST_ANSWERS: list[list[Any]] = [
    [Reset()],
    [Close()],
    [Send(response(json=MESSAGE)[:-10]), Close()],
    [Send(chunked([b"{"], headers={"content-type": "application/json"}, end=False)), Reset()],
]


@pytest.mark.parametrize("fault", LOST_ANSWERS, ids=lambda fault: "")
def test_what_may_be_billed_already_is_sent_again_on_request_only(
    kit: Kit, fault: list[Any]
) -> None:
    with pytest.raises(APIConnectionError, match="resend_billable=True") as caught:
        kit.create(fault)
    assert caught.value.attempts == len(kit.server.requests) == 1
    message = kit.create(fault, OK, settings={"retry": AT_ONCE.replace(resend_billable=True)})
    assert message.meta.attempts == 2
    assert kit.sent(0).body == kit.sent(1).body


@pytest.mark.parametrize("fault", LOST_ANSWERS, ids=lambda fault: "")
def test_what_costs_nothing_is_sent_again(kit: Kit, fault: list[Any]) -> None:
    models = kit.run(lambda client: client.models.list(), fault, page("a", more=False))
    assert models.meta.attempts == 2


def test_three_attempts_then_the_error(kit: Kit) -> None:
    with pytest.raises(OverloadedError) as caught:
        kit.create(failure(529, "overloaded_error"))
    assert caught.value.attempts == len(kit.server.requests) == 3
    assert caught.value.request_id == "req_bad"
    assert "messages.create" in str(caught.value)
    assert "attempt 3" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "options", "attempts"),
    [
        ({"max_retries": 0}, {}, 1),
        ({"max_retries": 4}, {}, 5),
        ({"retry": RetryPolicy(1, random=lambda: 0.0)}, {}, 2),
        ({"max_retries": 4}, {"max_retries": 1}, 2),
        ({}, {"max_retries": 0}, 1),
    ],
)
def test_number_of_retries(kit: Kit, settings: Any, options: Any, attempts: int) -> None:
    with pytest.raises(InternalServerError):
        kit.create(failure(500), settings=settings, **options)
    assert len(kit.server.requests) == attempts


@pytest.mark.parametrize(
    "fault", [failure(400), failure(401), failure(404), failure(529, x_should_retry="false")]
)
def test_what_will_not_get_better_is_not_retried(kit: Kit, fault: list[Any]) -> None:
    with pytest.raises(Exception, match="Sorry"):
        kit.create(fault)
    assert len(kit.server.requests) == 1


def test_a_long_wait_is_not_waited_for(kit: Kit) -> None:
    with pytest.raises(RateLimitError) as caught:
        kit.create(failure(429, "rate_limit_error", retry_after="259200"))
    assert caught.value.retry_after == 259200
    assert "not retried" in str(caught.value)
    assert "259200 s" in str(caught.value)
    assert len(kit.server.requests) == 1


def test_the_server_is_waited_for(kit: Kit) -> None:
    message = kit.create(failure(429, "rate_limit_error", retry_after_ms="20"), OK)
    assert message.meta.attempts == 2


def test_no_retry_past_the_deadline(kit: Kit) -> None:
    with pytest.raises(RateLimitError, match="deadline of 1 s"):
        kit.create(
            failure(429, "rate_limit_error", retry_after="5"),
            settings={"retry": RetryPolicy(deadline=1.0)},
        )


def test_the_hook_of_the_policy_is_called_before_each_wait(kit: Kit) -> None:
    events: list[RetryEvent] = []
    kit.create(
        failure(529, "overloaded_error"),
        failure(500),
        OK,
        settings={"retry": AT_ONCE.replace(on_retry=events.append)},
    )
    assert [(event.operation, event.attempt, event.reason) for event in events] == [
        ("messages.create", 1, "status 529"),
        ("messages.create", 2, "status 500"),
    ]
    assert isinstance(events[0].error, OverloadedError)


def test_retries_of_a_client_and_its_copies_are_rationed(kit: Kit) -> None:
    budget = RetryBudget(10)
    with pytest.raises(OverloadedError):
        kit.create(failure(529), settings={"retry_budget": budget, "retry": AT_ONCE})
    assert (len(kit.server.requests), budget.tokens) == (3, 0)

    def copied(client: Any) -> Any:
        return client.with_options(max_retries=7).messages.create(**ARGUMENTS)

    with pytest.raises(OverloadedError, match="retry budget is used up"):
        kit.run(copied, failure(529), settings={"retry_budget": budget})
    assert len(kit.server.requests) == 1
    for _ in range(5):
        kit.create(settings={"retry_budget": budget})
    assert budget.tokens == 5
    assert kit.create(failure(529), OK, settings={"retry_budget": budget, "retry": AT_ONCE})
    assert budget.tokens == 5
    with pytest.raises(OverloadedError):
        kit.create(failure(529), settings={"retry_budget": None, "retry": AT_ONCE})
    assert len(kit.server.requests) == 3


def test_unreachable_server(kit: Kit) -> None:
    with pytest.raises(APIConnectionError) as caught:
        kit.create(settings={"base_url": "http://127.0.0.1:1"})
    error = caught.value
    assert (error.attempts, error.phase) == (3, "connect")
    assert "127.0.0.1:1" in str(error)
    assert isinstance(error.__cause__, httpx.ConnectError)


def test_timeouts_of_client_and_call(kit: Kit) -> None:
    for settings, options in (({"timeout": 0.05}, {}), ({"timeout": 60}, {"timeout": 0.05})):
        with pytest.raises(APITimeoutError) as caught:
            kit.create([Pause(5)], settings={**settings, "max_retries": 0}, **options)
        assert caught.value.timeout == 0.05


def test_a_gateway_page_is_one_clear_error(kit: Kit) -> None:
    html = b"<html><head><title>x</title></head><body>Bad <b>gateway</b></body></html>"
    with pytest.raises(InternalServerError) as caught:
        kit.create(
            [Send(response(502, html, headers={"content-type": "text/html"}))],
            settings={"max_retries": 0},
        )
    assert "502" in str(caught.value)
    assert "Bad gateway" in str(caught.value)
    with pytest.raises(APIResponseValidationError, match="not JSON"):
        kit.create([Send(response(200, html, headers={"content-type": "text/html"}))])
    assert len(kit.server.requests) == 1


def test_error_classes_by_code(kit: Kit) -> None:
    body = {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "Two tools have one name",
            "details": {"error_code": "tool_name_conflict"},
        },
    }
    with pytest.raises(BadRequestError) as caught:
        kit.create([Send(response(400, json=body))])
    assert type(caught.value).__name__ == "ToolNameConflictError"


def test_large_max_tokens_are_sent(kit: Kit) -> None:
    kit.create(max_tokens=1_000_000)
    assert kit.sent().json()["max_tokens"] == 1_000_000


@pytest.mark.parametrize(
    ("settings", "arguments", "expected"),
    [
        ({}, {}, "2026-10-21"),
        ({}, {"temperature": 0.5}, "2023-06-01"),
        ({}, {"extra_body": {"top_k": 1}}, "2023-06-01"),
        ({"api_version": "2026-10-21"}, {"temperature": 0.5}, "2026-10-21"),
        ({"api_version": "2023-06-01"}, {}, "2023-06-01"),
        ({"api_version": "2023-06-01"}, {"api_version": "2026-10-21"}, "2026-10-21"),
        ({"default_headers": {"Anthropic-Version": "2023-06-01"}}, {}, "2023-06-01"),
        ({}, {"extra_headers": {"Anthropic-Version": "2099-01-01"}}, "2099-01-01"),
    ],
)
def test_api_version(kit: Kit, settings: Any, arguments: Any, expected: str) -> None:
    kit.create(settings=settings, **arguments)
    assert [value for name, value in kit.sent().headers if name == "anthropic-version"] == [
        expected
    ]


def betas_of(request: Any) -> list[str] | None:
    values = [value for name, value in request.headers if name == "anthropic-beta"]
    assert len(values) <= 1
    return values[0].split(",") if values else None


@pytest.mark.parametrize(
    ("settings", "arguments", "expected"),
    [
        ({}, {"thread": {"type": "create"}}, ["message-threads-2026-08-12"]),
        ({}, {"extra_body": {"thread": {"type": "create"}}}, ["message-threads-2026-08-12"]),
        (
            {"betas": ["client-1"], "default_headers": {"Anthropic-Beta": "header-1, Client-1"}},
            {
                "betas": ["call-1"],
                "extra_headers": {"anthropic-beta": "extra-1,call-1"},
                "thread": {"type": "create"},
            },
            ["message-threads-2026-08-12", "client-1", "header-1", "call-1", "extra-1"],
        ),
        ({}, {"mcp_servers": [], "betas": ["mcp-client-2025-04-04"]}, ["mcp-client-2025-04-04"]),
        ({"betas": ["a"]}, {"extra_headers": {"anthropic-beta": UNSET}}, None),
        ({"betas": ["a"]}, {"extra_headers": {"Anthropic-Beta": ["b", "A,c"]}}, ["a", "b", "c"]),
        ({}, {"extra_headers": {"anthropic-beta": ("b",)}}, ["b"]),
        ({"betas": ["a"]}, {"extra_headers": {"anthropic-beta": []}}, ["a"]),
        ({"default_headers": {"Anthropic-Beta": ["a", "b"]}}, {"betas": ["c"]}, ["a", "b", "c"]),
    ],
)
@pytest.mark.filterwarnings("ignore::claude_client.DeprecatedBetaWarning")
def test_betas(kit: Kit, settings: Any, arguments: Any, expected: list[str] | None) -> None:
    kit.create(settings=settings, **arguments)
    assert betas_of(kit.sent()) == expected


@pytest.mark.parametrize("value", [None, 1, ["a", None], {"a": 1}])
def test_flags_that_are_no_text_are_refused(kit: Kit, value: Any) -> None:
    with pytest.raises(HeaderValueError, match="anthropic-beta"):
        kit.create(extra_headers={"Anthropic-Beta": value})
    assert kit.server.requests == []
    with pytest.raises(HeaderValueError, match="anthropic-beta"):
        kit.client_class()(api_key="k", default_headers={"anthropic-beta": value})


def test_beta_namespace_takes_the_same_calls(kit: Kit) -> None:
    message = kit.run(lambda client: client.beta.messages.create(**ARGUMENTS), OK)
    assert message.to_dict() == MESSAGE
    assert kit.sent().target == "/v1/messages"


def test_options_of_a_call(kit: Kit) -> None:
    kit.create(
        settings={"default_query": {"a": 1}, "default_headers": {"X-One": "1", "X-Two": "2"}},
        workspace_id="wrkspc_1",
        user_profile_id="prof_1",
        extra_headers={"x-two": "two", "x-one": UNSET},
        extra_query={"b": [1, 2]},
        extra_body={"future": True, "max_tokens": 7},
    )
    sent = kit.sent()
    assert sent.target == "/v1/messages?a=1&b%5B%5D=1&b%5B%5D=2"
    assert sent.header("anthropic-workspace-id") == "wrkspc_1"
    assert sent.header("anthropic-user-profile-id") == "prof_1"
    assert (sent.header("x-one"), sent.header("x-two")) == (None, "two")
    assert sent.json() == {**ARGUMENTS, "future": True, "max_tokens": 7}


@pytest.mark.parametrize("name", ["temprature", "beta", "header"])
def test_a_misspelt_argument_is_refused_and_nothing_is_sent(kit: Kit, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        kit.create(**{name: 1})
    assert kit.server.requests == []


def test_answers_go_back_as_they_are(kit: Kit) -> None:
    def converse(client: Any) -> Any:
        if not kit.asynchronous:
            first = client.messages.create(**ARGUMENTS)
            history = [*ARGUMENTS["messages"], {"role": first.role, "content": first.content}]
            return client.messages.create(**{**ARGUMENTS, "messages": history})

        async def conversing() -> Any:
            first = await client.messages.create(**ARGUMENTS)
            history = [*ARGUMENTS["messages"], {"role": first.role, "content": first.content}]
            return await client.messages.create(**{**ARGUMENTS, "messages": history})

        return conversing()

    content = [
        {"type": "text", "text": "x", "citations": None, "new_field": {"a": [1]}},
        {"type": "hologram", "beams": 3},
        {"type": "compaction", "content": "sum", "encrypted_content": "enc"},
    ]
    kit.run(converse, [Send(response(json={**MESSAGE, "content": content}))], OK)
    assert kit.sent().json()["messages"][1] == {"role": "assistant", "content": content}
    # What a block of an earlier answer needs is found in models as in dicts.
    assert betas_of(kit.sent()) == ["compact-2026-09-04"]


def test_iterators_are_read_once(kit: Kit) -> None:
    messages = (message for message in ARGUMENTS["messages"])
    kit.create(failure(500), OK, messages=messages)
    assert kit.sent(0).json() == kit.sent(1).json() == ARGUMENTS


def test_environment(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer([OK]) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "from-env\n")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{server.url}/gateway/")
        monkeypatch.setenv("ANTHROPIC_WORKSPACE_ID", "wrkspc_env")
        monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Team: red\n\nX-Other: a: b\n")
        kit.server = server
        if kit.asynchronous:

            async def call() -> None:
                async with AsyncClaude(default_headers={"x-other": "mine"}) as client:
                    await client.messages.create(**ARGUMENTS)

            asyncio.run(call())
        else:
            with Claude(default_headers={"x-other": "mine"}) as client:
                client.messages.create(**ARGUMENTS)
        sent = kit.sent()
    assert sent.target == "/gateway/v1/messages"
    assert sent.header("x-api-key") == "from-env"
    assert sent.header("anthropic-workspace-id") == "wrkspc_env"
    assert (sent.header("x-team"), sent.header("x-other")) == ("red", "mine")


def test_wrong_settings_are_refused_at_construction(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = kit.client_class()
    with pytest.raises(MissingCredentialsError, match="ANTHROPIC_API_KEY"):
        make()
    with pytest.raises(BaseURLError):
        make(api_key="k", base_url="api.example.com")
    with pytest.raises(HeaderValueError):
        make(api_key="k", default_headers={"x-a": "line\nbreak"})
    wrong: Any = httpx.Client() if kit.asynchronous else httpx.AsyncClient()
    with pytest.raises(TypeError, match="httpx"):
        make(api_key="k", http_client=wrong)
    with pytest.raises(TypeError, match="not both"):
        make(api_key="k", http_client=make_http_client(kit), transport=wrong)
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "ok: 1\nsecret without a name")
    with pytest.raises(ConfigurationError, match="line 2") as caught:
        make(api_key="k")
    assert "secret" not in str(caught.value)


def make_http_client(kit: Kit, **options: Any) -> Any:
    return (httpx.AsyncClient if kit.asynchronous else httpx.Client)(**options)


def test_a_gateway_that_authenticates_itself(kit: Kit) -> None:
    kit.create(settings={"api_key": None, "default_headers": {"x-api-key": UNSET}})
    assert kit.sent().header("x-api-key") is kit.sent().header("authorization") is None


AUTHORIZED = {"Authorization": "Bearer G"}


@pytest.mark.parametrize(
    ("settings", "changes", "sent"),
    [
        ({"api_key": "A"}, {"api_key": "B"}, ("B", None)),
        ({"api_key": "A"}, {"auth_token": "T"}, (None, "Bearer T")),
        ({"api_key": "A"}, {"api_key": None, "auth_token": "T"}, (None, "Bearer T")),
        ({"api_key": "A"}, {"timeout": 1}, ("A", None)),
        ({"default_headers": {"X-Api-Key": "A"}}, {"api_key": "B"}, ("B", None)),
        ({"default_headers": {"x-api-key": UNSET}}, {"api_key": "B"}, ("B", None)),
        ({"default_headers": AUTHORIZED}, {"auth_token": "T"}, (None, "Bearer T")),
        ({"default_headers": AUTHORIZED}, {"api_key": "B"}, ("B", None)),
        ({"default_headers": AUTHORIZED}, {"default_headers": {"x-a": "1"}}, (None, "Bearer G")),
        ({"api_key": "A"}, {"default_headers": AUTHORIZED}, (None, "Bearer G")),
        ({"api_key": "A"}, {"default_headers": {"X-Api-Key": UNSET}}, (None, None)),
        ({"api_key": "A", "default_headers": {"x-api-key": "A"}}, {}, ("A", None)),
        ({"default_headers": {**AUTHORIZED, "x-api-key": "A"}}, {}, ("A", "Bearer G")),
    ],
)
@pytest.mark.parametrize("environment", [False, True])
def test_the_credential_given_last_is_the_one_sent(
    kit: Kit,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    changes: Any,
    sent: Any,
    environment: bool,
) -> None:
    if environment and settings.get("default_headers") != {"x-api-key": UNSET}:
        monkeypatch.setenv("ANTHROPIC_API_KEY", "ENV")
        monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-api-key: ENVK\nAuthorization: ENVA")
    client = kit.client_class()(**settings).with_options(**changes)
    headers, _, _ = client._settings.request_headers()
    assert (headers.get("x-api-key"), headers.get("authorization")) == sent
    assert "ENV" not in repr(client)


@pytest.mark.parametrize("changes", [{"api_key": ""}, {"api_key": None}, {"auth_token": ""}])
def test_an_empty_credential_never_falls_back_to_the_parents(kit: Kit, changes: Any) -> None:
    client = kit.client_class()(api_key="PARENT")
    with pytest.raises(CredentialsError, match="empty"):
        client.with_options(**changes)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"api_key": "A", "default_headers": AUTHORIZED}, ("api_key", "authorization")),
        ({"api_key": "A", "default_headers": {"X-Api-Key": "B"}}, ("api_key", "x-api-key")),
        ({"auth_token": "T", "default_headers": {"x-api-key": "B"}}, ("auth_token", "x-api-key")),
        ({"auth_token": "T", "default_headers": AUTHORIZED}, ("auth_token", "authorization")),
    ],
)
def test_two_credentials_in_one_call_are_refused(kit: Kit, given: Any, names: Any) -> None:
    for act in (kit.client_class(), kit.client_class()(api_key="k").with_options):
        with pytest.raises(CredentialsError) as caught:
            act(**given)
        assert all(name in str(caught.value) for name in names)
        assert "Bearer" not in str(caught.value)


def test_the_environments_headers_may_authenticate(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "Authorization: Bearer GW")
    kit.create(settings={"api_key": None})
    assert kit.sent().header("authorization") == "Bearer GW"
    kit.create(settings={"api_key": "ARG"})
    assert kit.sent().header("authorization") is None
    assert kit.sent().header("x-api-key") == "ARG"


def test_clients_are_not_pickled(kit: Kit) -> None:
    client = kit.client_class()(api_key="sk-secret")
    for value in (client, client._settings, client._caller, client.messages, client.beta):
        with pytest.raises(TypeError, match="holds a credential") as caught:
            pickle.dumps(value)
        assert "sk-secret" not in str(caught.value)


def test_a_method_can_be_replaced_in_tests(kit: Kit) -> None:
    client = kit.client_class()(api_key="k")
    for messages in (client.messages, client.beta.messages):
        with mock.patch.object(messages, "create", mock.Mock(return_value="made up")):
            assert messages.create(**ARGUMENTS) == "made up"
    with mock.patch.object(client.messages, "create") as create:
        assert client.messages.create is create
    assert client.messages.create is not create
    with mock.patch.object(client.beta.messages, "stream", return_value="made up"):
        assert client.beta.messages.stream(**ARGUMENTS) == "made up"
    assert client.with_options().messages is not client.messages
    assert client.beta.messages is not client.messages


def test_nothing_shows_a_secret(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    secret = "sk-ant-api03-SECRET"
    with caplog.at_level(logging.DEBUG):
        kit.create(
            failure(500, "overloaded_error"),
            OK,
            settings={"api_key": secret},
            messages=[{"role": "user", "content": "private words"}],
        )
    ours = [record for record in caplog.records if record.name == "claude_client"]
    assert any("req_ok" in record.getMessage() for record in ours)
    assert any("attempt 1 failed" in record.getMessage() for record in ours)
    for text in (
        *(record.getMessage() for record in ours),
        repr(kit.client_class()(api_key=secret)),
    ):
        assert "SECRET" not in text
        assert "private" not in text


def test_a_client_that_is_given_stays_open(kit: Kit) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=MESSAGE)

    given = make_http_client(kit, transport=httpx.MockTransport(answer))
    kit.create(settings={"http_client": given})
    assert not given.is_closed
    if kit.asynchronous:
        asyncio.run(given.aclose())
    else:
        given.close()


def test_a_closed_client_says_so() -> None:
    client = Claude(api_key="k")
    client.close()
    client.close()
    with pytest.raises(ClosedClientError):
        client.messages.create(**ARGUMENTS)


def test_with_options_shares_connections() -> None:
    with LoopbackServer([OK]) as server:
        with Claude(api_key="k", base_url=server.url, default_headers={"x-a": "1"}) as client:
            client.messages.create(**ARGUMENTS)
            changed = client.with_options(
                timeout=5, max_retries=7, default_headers={"X-B": "2"}, betas=["b"], api_key="other"
            )
            changed.messages.create(**ARGUMENTS)
            assert (changed.timeout, changed.max_retries) == (5, 7)
            assert (client.timeout, client.max_retries) == (UNSET, 2)
        assert server.connections == 1
        sent = server.requests[1]
        assert (sent.header("x-a"), sent.header("x-b")) == ("1", "2")
        assert (sent.header("anthropic-beta"), sent.header("x-api-key")) == ("b", "other")
        assert server.requests[0].header("x-b") is None


def test_leaving_a_copy_leaves_the_connections_open(kit: Kit) -> None:
    def sync(client: Any) -> None:
        with client.with_options(timeout=5).with_options(max_retries=1) as changed:
            changed.messages.create(**ARGUMENTS)
        changed.messages.create(**ARGUMENTS)
        client.messages.create(**ARGUMENTS)
        client.close()
        with pytest.raises(ClosedClientError):
            changed.messages.create(**ARGUMENTS)

    async def asynchronous(client: Any) -> None:
        async with client.with_options(timeout=5).with_options(max_retries=1) as changed:
            await changed.messages.create(**ARGUMENTS)
        await changed.messages.create(**ARGUMENTS)
        await client.messages.create(**ARGUMENTS)
        await client.close()
        with pytest.raises(ClosedClientError):
            await changed.messages.create(**ARGUMENTS)

    kit.run(asynchronous if kit.asynchronous else sync, OK)
    assert (kit.server.connections, len(kit.server.requests)) == (1, 3)


def test_a_copy_with_a_transport_of_its_own_closes_it() -> None:
    closed: list[str] = []

    class Closing:
        def close(self) -> None:
            closed.append("closed")

    transport: Any = Closing()
    with Claude(api_key="k") as client:
        with client.with_options(transport=transport).with_options(timeout=1):
            pass
        assert closed == []
        with client.with_options(transport=transport):
            pass
        assert closed == ["closed"]


def test_one_client_on_several_event_loops() -> None:
    with LoopbackServer([OK]) as server:
        client = AsyncClaude(api_key="k", base_url=server.url)

        async def call(last: bool) -> str:
            message = await client.messages.create(**ARGUMENTS)
            if last:
                await client.close()
            else:
                # What a loop leaves open, its own end should close.
                pools = client._caller.transport._loaded()._pools._pools  # type: ignore[attr-defined]
                for pool in list(pools.values())[-1].values():
                    await pool.close()
            return str(message.id)

        assert asyncio.run(call(last=False)) == asyncio.run(call(last=True)) == "msg_1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_one_client_on_both_sides_of_a_fork() -> None:
    with (
        LoopbackServer([OK]) as server,
        Claude(api_key="k", base_url=server.url, max_retries=0) as client,
    ):
        client.messages.create(**ARGUMENTS)
        child = os.fork()
        if child == 0:
            try:
                client.messages.create(**ARGUMENTS)
                os._exit(0)
            except BaseException:  # noqa: BLE001
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        client.messages.create(**ARGUMENTS)
        assert [request.connection for request in server.requests] == [0, 1, 0]


def test_large_requests_are_prepared_off_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    plan = CallCore.plan

    def spy(self: CallCore, *arguments: Any, **options: Any) -> Any:
        threads.append(threading.get_ident())
        return plan(self, *arguments, **options)

    monkeypatch.setattr(CallCore, "plan", spy)
    kit = Kit(asynchronous=True)
    kit.create()
    history = [{"role": "user", "content": [{"type": "text", "text": "x" * 500}] * 10}] * 300
    kit.create(messages=history)
    here = threading.get_ident()
    assert [thread == here for thread in threads] == [True, False]
    assert kit.sent().json()["messages"] == history


@pytest.mark.parametrize(
    ("value", "large"),
    [
        ("x" * 99, False),
        ("x" * 101, True),
        ([{"a": "x" * 20}] * 10, True),
        ([{"a": "x" * 20}] * 10_000, True),
        (["x"] * 50, False),
        (range(10), False),
        (None, False),
        ([{"role": "user", "content": [{"source": {"data": "x" * 101}}]}], True),
        ([{"content": [{"content": [{"source": {"data": b"x" * 101}}]}]}], True),
        ([[[[[[[["x" * 101]]]]]]]], True),
        (["x", "x" * 30] * 5, True),
        (["x" * 30, "x"] * 5, True),
        (["x"] * 40 + ["x" * 70], True),
        ([Unknown("a", {"text": "x" * 101})], True),
        (decoder("Message")({"content": [{"type": "text", "text": "x" * 101}]}), True),
        (decoder("Message")({"new": "x" * 101}), True),
        (InvalidToolInput("x" * 101, ""), True),
        (type("Text", (str,), {})("x" * 101), True),
    ],
)
def test_is_large(value: Any, large: bool) -> None:
    assert is_large({"messages": value}, limit=100) is large


@pytest.mark.parametrize(
    "value",
    [
        [[]] * 10_000_000,
        [{"role": "user", "content": [{"type": "text", "text": "x"}]}] * 1_000_000,
        {"schema": dict.fromkeys(map(str, range(100_000)), 1)},
        [{"role": "user", "content": "x" * 200}] * 3_000,
        [{"role": "user", "content": []}] * 4_000,
    ],
    ids=["many", "history", "dict", "just below", "just above"],
)
def test_is_large_looks_at_a_bounded_number_of_parts(value: Any) -> None:
    steps = 0

    def count(*_: Any) -> Any:
        nonlocal steps
        steps += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        is_large({"messages": value})
    finally:
        sys.settrace(before)
    # Lines executed, a dozen for each part.
    assert steps < 12 * LARGE_PARTS


def test_is_large_ends_on_a_cycle() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert is_large({"messages": cycle})


def test_twins_have_the_same_signatures() -> None:
    pairs: list[tuple[type, type]] = [
        (Claude, AsyncClaude),
        (OverlayCaller, AsyncOverlayCaller),
        (Messages, AsyncMessages),
    ]
    for sync, asynchronous in pairs:
        names = {name for name in dir(sync) if not name.startswith("__")}
        assert names == {name for name in dir(asynchronous) if not name.startswith("__")}
        for name in [*names, "__init__"]:
            value = getattr(sync, name)
            if inspect.isfunction(value):
                assert parameters(value) == parameters(getattr(asynchronous, name)), (sync, name)


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [
        (parameter.name, parameter.kind, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
    ]
