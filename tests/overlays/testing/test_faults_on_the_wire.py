"""What our clients make of each fault: over a real socket and in process, sync and async."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from both_clients import ARGUMENTS, AT_ONCE
from both_clients import kit as kit
from claude_client import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APITimeoutError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
    StreamTruncatedError,
    Timeout,
)
from claude_client.testing import AsyncMockTransport, Fault, MockAPI, MockTransport, serve
from claude_client.testing.wire import GARBAGE

from .conftest import KEY, minimal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from both_clients import BothClients

HEADERS = {"x-api-key": KEY, "anthropic-version": "2026-10-21"}
SECONDS = 0.15


@pytest.fixture(params=["socket", "in process"])
def open_client(kit: BothClients, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a function from an API to a client of it, a real server between them or not."""
    closers: list[Any] = []

    def opening(api: MockAPI, **settings: Any) -> Any:
        if request.param == "socket":
            running = serve(api)
            settings["base_url"] = running.__enter__().url
            closers.append(lambda: running.__exit__(None, None, None))
        elif kit.asynchronous:
            outer: Any = httpx.AsyncClient(transport=AsyncMockTransport(api))
            settings["http_client"] = outer
            closers.append(lambda: kit.run(outer.aclose()))
        else:
            settings["http_client"] = httpx.Client(transport=MockTransport(api))
            closers.append(settings["http_client"].close)
        client = kit.client_class(**{"api_key": KEY, "retry": AT_ONCE, **settings})
        closers.append(lambda: kit.run(client.close()))
        return client

    yield opening
    for close in reversed(closers):
        close()


class Case(NamedTuple):
    """A fault, and what a call makes of it."""

    fault: Fault
    error: type[APIError]
    phase: str | None = None
    attempts: int = 1
    limit: str | None = None
    status: int | None = None


CREATED = {
    "status": Case(Fault(status=529), OverloadedError, attempts=3, status=529),
    "error type": Case(Fault(error_type="rate_limit_error"), RateLimitError, None, 3, status=429),
    "must not retry": Case(Fault(status=529, should_retry=False), OverloadedError, status=529),
    "page of a proxy": Case(Fault(html=True), InternalServerError, attempts=3, status=502),
    "delay": Case(Fault(delay=30), APITimeoutError, "headers", limit="first_byte"),
    "reset": Case(Fault(reset=True), APIConnectionError, "headers"),
    "disconnect": Case(Fault(disconnect=True), APIConnectionError, "headers"),
    "garbage": Case(Fault(garbage=True), APIConnectionError, "headers"),
    "cut": Case(Fault(cut_after_bytes=20), APIConnectionError, "body"),
    "cut before the body": Case(Fault(cut_after_events=0), APIConnectionError, "body"),
    "reset in the body": Case(Fault(cut_after_bytes=20, reset=True), APIConnectionError, "body"),
    "stall": Case(Fault(stall_after_events=0), APITimeoutError, "body", limit="idle"),
    "malformed": Case(Fault(malformed=True), APIResponseValidationError, status=200),
    "broken error": Case(
        Fault(status=529, cut_after_bytes=9), OverloadedError, attempts=3, status=529
    ),
}
"""Creating a message is billable: what may have reached the API is not sent again."""

STREAMED = {
    "status": Case(Fault(status=529), OverloadedError, attempts=3, status=529),
    "disconnect": Case(Fault(disconnect=True), APIConnectionError, "headers"),
    "cut after events": Case(Fault(cut_after_events=3), StreamTruncatedError, "body"),
    "cut after bytes": Case(Fault(cut_after_bytes=500), StreamTruncatedError, "body"),
    "reset": Case(Fault(cut_after_events=3, reset=True), StreamTruncatedError, "body"),
    "stall": Case(Fault(stall_after_events=3), APITimeoutError, "body", limit="idle"),
    "stall with pings": Case(
        Fault(stall_after_events=3, ping_every=0.02), APITimeoutError, "body", limit="deadline"
    ),
    "slower than the idle limit": Case(
        Fault(drip=(200, 30)), APITimeoutError, "body", limit="idle"
    ),
    "error event": Case(Fault(error_after_events=3), OverloadedError, status=529),
    "error event at once": Case(
        Fault(error_after_events=0, status=529), OverloadedError, attempts=3, status=529
    ),
    "malformed": Case(Fault(malformed=True), StreamTruncatedError, "body"),
}


def limits(case: Case) -> Timeout:
    if case.limit == "deadline":
        return Timeout(30, deadline=0.5)
    return Timeout(SECONDS if case.limit else 30)


def check(case: Case, error: Any) -> None:
    assert type(error) is case.error
    assert error.attempts == case.attempts
    assert getattr(error, "phase", None) == case.phase
    if case.limit is not None:
        assert error.limit == case.limit
    if case.status is not None:
        assert error.status_code == case.status


@pytest.mark.parametrize("name", CREATED)
def test_create(name: str, kit: BothClients, open_client: Any) -> None:
    case = CREATED[name]
    client = open_client(MockAPI(faults=[("messages.create", case.fault)]), timeout=limits(case))

    with pytest.raises(APIError) as raised:
        kit.run(client.messages.create(**ARGUMENTS))

    check(case, raised.value)


@pytest.mark.parametrize("name", STREAMED)
def test_stream(name: str, kit: BothClients, open_client: Any) -> None:
    case = STREAMED[name]
    client = open_client(MockAPI(faults=[("messages.create", case.fault)]), timeout=limits(case))

    with pytest.raises(APIError) as raised:
        kit.items(kit.run(client.messages.create(**ARGUMENTS, stream=True)))

    check(case, raised.value)
    if isinstance(raised.value, StreamTruncatedError) and case.fault.cut_after_events:
        # A ping may be among the three, which is not handed out.
        assert re.search("after [23] events", str(raised.value))


@pytest.mark.parametrize(
    "fault", [Fault(reset=True), Fault(disconnect=True), Fault(garbage=True), Fault(delay=30)]
)
def test_safe_calls_are_sent_again(fault: Fault, kit: BothClients, open_client: Any) -> None:
    client = open_client(MockAPI(faults=[("models.retrieve", fault)]), timeout=Timeout(SECONDS))

    with pytest.raises(APIConnectionError) as raised:
        kit.run(client.models.retrieve("claude-opus-5-5"))

    assert (raised.value.attempts, raised.value.phase) == (3, "headers")


def test_gets_through_when_the_fault_is_over(kit: BothClients, open_client: Any) -> None:
    faults = [("*", Fault(status=529, times=1)), ("*", Fault(reset=True, times=1))]
    client = open_client(MockAPI(faults=faults))
    answer = kit.run(client.models.retrieve("claude-opus-5-5"))
    assert answer.id == "claude-opus-5-5"


@pytest.mark.parametrize("fault", [Fault(drip=(30, 0.01)), Fault(delay=0.1)])
def test_slow_answers_arrive(fault: Fault, kit: BothClients, open_client: Any) -> None:
    client = open_client(MockAPI(faults=[("*", fault)]), timeout=Timeout(5))
    start = time.monotonic()
    answer = kit.run(client.messages.create(**ARGUMENTS))
    assert answer.stop_reason == "end_turn"
    assert time.monotonic() - start > 0.09
    streamed = kit.items(kit.run(client.messages.create(**ARGUMENTS, stream=True)))
    assert streamed[-1].type == "message_stop"


def test_fault_asked_for_by_header(kit: BothClients, open_client: Any) -> None:
    client = open_client(MockAPI())
    with pytest.raises(StreamTruncatedError):
        kit.items(
            kit.run(
                client.messages.create(
                    **ARGUMENTS, stream=True, extra_headers={"x-mock-fault": "cut_after_events=3"}
                )
            )
        )
    assert kit.run(client.messages.create(**ARGUMENTS)).stop_reason == "end_turn"


def raw(url: str, fault: str, *, streamed: bool = False) -> tuple[bytes, bool]:
    """Return all bytes that the server answers with, and whether a reset ended them."""
    host, _, port = url.removeprefix("http://").partition(":")
    body = json.dumps({**minimal(), "stream": streamed}).encode()
    head = (
        f"POST /v1/messages HTTP/1.1\r\nhost: {host}\r\nx-api-key: {KEY}\r\n"
        f"anthropic-version: 2026-10-21\r\nx-mock-fault: {fault}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    received = b""
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        try:
            while data := connection.recv(65_536):
                received += data
        except ConnectionResetError:
            return received, True
    return received, False


def test_bytes_on_the_socket() -> None:
    with serve() as server:
        assert raw(server.url, "garbage") == (GARBAGE, False)
        assert raw(server.url, "disconnect") == (b"", False)
        assert raw(server.url, "reset") == (b"", True)
        received, was_reset = raw(server.url, "cut_after_bytes=7, reset")
        assert was_reset
        head, _, body = received.partition(b"\r\n\r\n")
        assert len(body) == 7
        assert b"content-length: " in head
        received, was_reset = raw(server.url, "cut_after_events=2", streamed=True)
        assert not was_reset
        assert received.count(b"event: ") == 2
        assert not received.endswith(b"0\r\n\r\n")


def test_connection_is_kept_where_the_fault_leaves_it_whole() -> None:
    with serve() as server, httpx.Client(base_url=server.url, headers=HEADERS) as client:
        used: list[Any] = []
        for fault in ("status=529", "delay=0.01", "drip=100/0.001", "html"):
            with client.stream(
                "POST", "/v1/messages", json=minimal(), headers={"x-mock-fault": fault}
            ) as answer:
                answer.read()
                used.append(answer.extensions["network_stream"].get_extra_info("client_addr"))
        assert len(set(used)) == 1


def test_stalls_do_not_outlive_client_or_server() -> None:
    api = MockAPI(faults=[("*", Fault(stall_after_events=1))])
    left: list[BaseException] = []

    def stay(url: str) -> None:
        try:
            httpx.post(f"{url}/v1/messages", json={**minimal(), "stream": True}, headers=HEADERS)
        except httpx.TransportError as error:
            left.append(error)

    with serve(api) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{server.url}/v1/messages",
                json={**minimal(), "stream": True},
                headers=HEADERS,
                timeout=0.1,
            )
        staying = threading.Thread(target=stay, args=[server.url])
        staying.start()
        deadline = time.monotonic() + 60
        while len(api.calls) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)  # for the first event to leave
        start = time.monotonic()
    assert time.monotonic() - start < 20
    staying.join()
    assert [type(error) for error in left] == [httpx.RemoteProtocolError]


def test_client_that_resets_while_the_server_waits_harms_nobody() -> None:
    with serve() as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(
                b"GET /v1/models HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\n"
                b"anthropic-version: 2026-10-21\r\nx-mock-fault: delay=30\r\n\r\n"
            )
            time.sleep(0.05)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert httpx.get(f"{server.url}/v1/models", headers=HEADERS).status_code == 200
