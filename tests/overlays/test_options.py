"""Options of a call and settings of a client that change what is sent or what comes out."""

from __future__ import annotations

import pickle
import time
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

import claude_client
from both_clients import ARGUMENTS, EVENTS, MESSAGE, OK, error_event, failure, stream
from both_clients import kit as kit
from claude_client import (
    UNSET,
    APIResponseValidationError,
    Claude,
    OverloadedError,
    RateLimitError,
    RequestTooLargeError,
    StreamTruncatedError,
    Timeout,
    Unset,
)
from claude_client.callers import OverlayCaller
from claude_rest import AsyncClient, Client
from claude_rest._runtime.operation import Operation
from loopback import Close, Send, chunked, response

if TYPE_CHECKING:
    from both_clients import BothClients

TOKEN = "sk-ant-oat01-token"


@pytest.mark.parametrize(
    ("settings", "headers", "sent"),
    [
        ({}, {"Authorization": "Bearer T"}, (None, "Bearer T", None)),
        ({}, {"X-Api-Key": "B"}, ("B", None, None)),
        ({}, {"x-api-key": UNSET}, (None, None, None)),
        ({}, {"authorization": UNSET}, ("key-one", None, None)),
        ({}, {"x-api-key": "B", "authorization": "Bearer T"}, ("B", "Bearer T", None)),
        ({}, {"Authorization": f"Bearer {TOKEN}"}, (None, f"Bearer {TOKEN}", "oauth-2025-04-20")),
        ({"api_key": None, "auth_token": TOKEN}, {"x-api-key": "B"}, ("B", None, None)),
        (
            {"api_key": None, "auth_token": TOKEN},
            {"x-other": "1"},
            (None, f"Bearer {TOKEN}", "oauth-2025-04-20"),
        ),
        (
            {"api_key": None, "default_headers": {"authorization": "Bearer D"}},
            {"x-api-key": "B"},
            ("B", None, None),
        ),
    ],
)
def test_the_credential_of_a_call_replaces_the_clients(
    kit: BothClients, settings: Any, headers: Any, sent: Any
) -> None:
    kit.create(settings=settings, extra_headers=headers)
    names = ("x-api-key", "authorization", "anthropic-beta")
    assert tuple(kit.sent().header(name) for name in names) == sent


def test_sizes(kit: BothClients, monkeypatch: pytest.MonkeyPatch) -> None:
    from claude_rest.operations.messages import MESSAGES_CREATE

    def small(operation: Operation) -> Operation:
        values = {name: getattr(operation, name) for name in operation.__slots__}
        return Operation(**{**values, "max_bytes": 20})

    monkeypatch.setattr("claude_rest.resources.messages.MESSAGES_CREATE", small(MESSAGES_CREATE))
    with pytest.raises(RequestTooLargeError):
        kit.create()
    assert not kit.server.requests
    assert kit.create(check_sizes=False).to_dict() == MESSAGE
    assert kit.create(settings={"check_sizes": False}).to_dict() == MESSAGE
    with pytest.raises(RequestTooLargeError):
        kit.create(settings={"check_sizes": False}, check_sizes=True)
    low: Any = (AsyncClient if kit.asynchronous else Client)(base_url=kit.server.url, api_key="k")
    with pytest.raises(RequestTooLargeError):
        kit.run(low.messages.create(**ARGUMENTS))
    assert kit.run(low.messages.create(**ARGUMENTS, check_sizes=False)).to_dict() == MESSAGE
    kit.run(low.close())


def test_too_many_requests_of_a_batch(kit: BothClients) -> None:
    client = kit.open()
    requests = [{"custom_id": "a", "params": {}}] * 100_001
    for given in (requests, iter(requests)):
        with pytest.raises(RequestTooLargeError, match="'requests' has 100,001 items") as caught:
            kit.run(client.messages.batches.create(requests=given))
        error = caught.value
        assert (error.size, error.limit, error.field) == (100_001, 100_000, "requests")
        assert (error.sent, error.attempts, error.status_code) == (False, 0, 413)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert not kit.server.requests


@pytest.mark.parametrize("where", ["client", "call"])
def test_the_user_agent_can_be_removed(kit: BothClients, where: str) -> None:
    gone: Any = {"User-Agent": UNSET}
    if where == "client":
        kit.create(settings={"default_headers": gone})
    else:
        kit.create(extra_headers=gone)
    assert kit.sent().header("user-agent") is None


def test_pings(kit: BothClients) -> None:
    client = kit.open(stream(EVENTS))
    low: Any = (AsyncClient if kit.asynchronous else Client)(base_url=kit.server.url, api_key="k")

    def kinds(**options: Any) -> list[list[str]]:
        manager = client.messages.stream(**ARGUMENTS, **options)
        opened = [
            kit.run(low.messages.create(**ARGUMENTS, stream=True, **options)),
            kit.run(client.messages.create(**ARGUMENTS, stream=True, **options)),
            kit.run(manager.__aenter__() if kit.asynchronous else manager.__enter__()),
        ]
        return [[event.type for event in kit.items(each)] for each in opened]

    for found in kinds(include_pings=True):
        assert found.count("ping") == 1
        assert found[2] == "ping"
    for found in (*kinds(), *kinds(include_pings=False)):
        assert "ping" not in found
    kit.run(low.close())


@pytest.mark.parametrize(
    "script",
    [
        [stream([error_event("overloaded_error")])],
        [stream([{"type": "ping"}, error_event("rate_limit_error")])],
        [stream([error_event("api_error")]), failure(529)],
    ],
)
@pytest.mark.parametrize("way", ["create", "stream"])
def test_a_first_event_that_is_an_error_is_retried(
    kit: BothClients, script: list[Any], way: str
) -> None:
    client = kit.open(*script, stream(EVENTS))
    if way == "create":
        opened = kit.run(client.messages.create(**ARGUMENTS, stream=True))
    else:
        manager = client.messages.stream(**ARGUMENTS)
        opened = kit.run(manager.__aenter__() if kit.asynchronous else manager.__enter__())
    assert kit.items(opened)[-1].type == "message_stop"
    assert opened.meta.attempts == len(kit.server.requests) == len(script) + 1


def test_first_events_are_judged_like_statuses(kit: BothClients) -> None:
    client = kit.open(stream([error_event("overloaded_error")]))
    with pytest.raises(OverloadedError) as caught:
        kit.run(client.messages.create(**ARGUMENTS, stream=True))
    assert caught.value.attempts == len(kit.server.requests) == 3
    assert caught.value.status_code == 529
    client = kit.open(stream([error_event("invalid_request_error")]))
    with pytest.raises(claude_client.BadRequestError) as refused:
        kit.run(client.messages.create(**ARGUMENTS, stream=True))
    assert refused.value.attempts == len(kit.server.requests) == 1


def test_later_events_are_not_retried(kit: BothClients) -> None:
    client = kit.open(stream([*EVENTS[:4], error_event("rate_limit_error")]))
    opened = kit.run(client.messages.create(**ARGUMENTS, stream=True))
    with pytest.raises(RateLimitError):
        kit.items(opened)
    assert opened.closed
    assert len(kit.server.requests) == 1
    manager = client.messages.stream(**ARGUMENTS)
    messages = kit.run(manager.__aenter__() if kit.asynchronous else manager.__enter__())
    with pytest.raises(RateLimitError) as caught:
        kit.run(messages.get_final_message())
    assert caught.value.partial.usage.input_tokens == 3
    assert caught.value.partial.content[0].text == "Hel"


def test_an_error_behind_a_success_is_judged_like_its_status(kit: BothClients) -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Sorry"}}
    message = kit.create([Send(response(200, json=body))], OK)
    assert message.meta.attempts == 2


@pytest.mark.parametrize(
    "reply",
    [
        stream([error_event("invalid_request_error")]),
        stream([], end=False),
        [Send(chunked([b"event: message_start\ndata: {\n\n"], end=False)), Close()],
        [Send(response(200, b"<html>", headers={"content-type": "text/html"}))],
        [Send(response(200, b"[1]", headers={"content-type": "application/json"}))],
    ],
    ids=["error", "nothing", "no JSON", "page", "list"],
)
@pytest.mark.parametrize("limit", [100, 64_000])
@pytest.mark.parametrize("streaming", [False, True])
def test_every_path_closes_its_response(
    kit: BothClients, reply: list[Any], limit: int, streaming: bool
) -> None:
    client = kit.open(reply, max_retries=0)
    held: list[Any] = []
    send = client._caller.transport.send

    def sending(prepared: Any, **given: Any) -> Any:
        if not kit.asynchronous:
            held.append(send(prepared, **given))
            return held[-1]

        async def awaiting() -> Any:
            held.append(await send(prepared, **given))
            return held[-1]

        return awaiting()

    with (
        mock.patch.object(type(client._caller.transport), "send", staticmethod(sending)),
        pytest.raises((claude_client.APIError, APIResponseValidationError, StreamTruncatedError)),
    ):
        arguments = {**ARGUMENTS, "max_tokens": limit, **({"stream": True} if streaming else {})}
        kit.run(client.messages.create(**arguments))
    (raw,) = held
    assert raw._response.is_closed


def test_names_of_the_official_sdk() -> None:
    assert claude_client.omit is claude_client.NOT_GIVEN is claude_client.not_given is UNSET
    assert claude_client.Omit is claude_client.NotGiven is Unset
    assert Timeout() == claude_client.DEFAULT_TIMEOUT
    assert Claude(api_key="k").max_retries == claude_client.DEFAULT_MAX_RETRIES == 2


def test_credentials_can_be_read_and_are_not_shown(kit: BothClients) -> None:
    client = kit.client_class(api_key="sk-ant-SECRET")
    assert (client.api_key, client.auth_token) == ("sk-ant-SECRET", None)
    other = client.with_options(auth_token="SECRET-token")
    assert (other.api_key, other.auth_token) == (None, "SECRET-token")
    assert "SECRET" not in repr(client) + repr(other) + repr(vars(client))


def test_every_resource_can_be_replaced(kit: BothClients) -> None:
    client = kit.client_class(api_key="k")
    for resource, name in (
        (client.models, "list"),
        (client.files, "list"),
        (client.messages.batches, "create"),
        (client.beta.models, "retrieve"),
        (client.skills.versions, "list"),
    ):
        with mock.patch.object(resource, name, mock.Mock(return_value="made up")):
            assert getattr(resource, name)() == "made up"
    with mock.patch.object(client.models, "list") as replaced:
        assert client.models.list is replaced
        assert client.beta.models.list is not replaced
        assert client.with_options().models.list is not replaced
    with mock.patch.object(client, "models") as models:
        assert client.models is models
    with mock.patch.object(client.beta, "messages") as messages:
        assert client.beta.messages is messages
    assert client.models.list is not replaced
    assert type(client.models).__name__.endswith("Models")


def test_making_and_copying_clients_is_cheap() -> None:
    """The best of several rounds, with room for a busy machine."""

    def best(act: Any, times: int) -> float:
        found = []
        for _ in range(20):
            started = time.perf_counter()
            for _ in range(times):
                act()
            found.append((time.perf_counter() - started) / times)
        return min(found)

    client = Claude(api_key="k")
    assert best(lambda: Claude(api_key="k"), 20) < 0.001
    assert best(lambda: client.with_options(timeout=5, max_retries=1), 50) < 0.0002
    assert isinstance(client._caller, OverlayCaller)
