"""The low-level client over real sockets: one request per call, and what each fault becomes."""

from __future__ import annotations

import asyncio
import gc
import gzip
import inspect
import os
import pickle
import socket
import ssl
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from claude_rest._runtime import pools, proxies, send, tls
from claude_rest._runtime.client import BaseAsyncClient, BaseClient
from claude_rest._runtime.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BaseURLError,
    ClosedClientError,
    EnvironmentVariableError,
    HeaderValueError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
    RequestTooLargeError,
    StreamTruncatedError,
)
from claude_rest._runtime.operation import BetaRule, Operation, Parameter
from claude_rest._runtime.page import AsyncPage, Page
from claude_rest._runtime.stream import AsyncStream, Stream
from claude_rest._runtime.struct import Struct
from claude_rest._runtime.unset import UNSET
from loopback import Close, LoopbackServer, Pause, Reset, Send, chunked, event, response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from loopback import Step

CREATE = Operation(
    "messages.create",
    operation_id="messages_create",
    method="POST",
    path="/v1/messages",
    body="json",
    body_fields=("model", "stream"),
    response_type="Thing",
    stream_argument="stream",
    event_type="RawMessageStreamEvent",
    max_bytes=10_000,
    betas=(BetaRule("needed-1"), BetaRule("namespace-1", via_beta_namespace=True)),
)
RETRIEVE = Operation(
    "models.retrieve",
    operation_id="models_retrieve",
    method="GET",
    path="/v1/models/{model_id}",
    parameters=(Parameter("model_id", "path", required=True),),
    response_type="Thing",
)
LIST = Operation(
    "models.list",
    operation_id="models_list",
    method="GET",
    path="/v1/models",
    parameters=(Parameter("after_id", "query"), Parameter("limit", "query")),
    response_type="Page",
    page_item="Thing",
    pagination=("id-cursor",),
)
RESULTS = Operation(
    "batches.results",
    operation_id="batches_results",
    method="GET",
    path="/v1/results",
    response="jsonl",
    response_type="Thing",
)
CONTENT = Operation(
    "files.content", operation_id="files_content", method="GET", path="/v1/x", response="binary"
)
DELETE = Operation(
    "files.delete", operation_id="files_delete", method="DELETE", path="/v1/x", response="none"
)


class Thing(Struct):
    __slots__ = ("raw",)

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing) and self.raw == other.raw

    __hash__ = None


class Shell:
    DEFAULT_BASE_URL = "https://api.invalid"
    DEFAULT_API_VERSION = "2026-10-21"

    def _decoder(self, name: str) -> Callable[[Any], Any]:
        assert name in ("Thing", "RawMessageStreamEvent")
        return Thing

    def _code_classes(self) -> dict[tuple[int, str], type[APIStatusError]]:
        return {(529, "compaction_unavailable"): CompactionError}


class CompactionError(OverloadedError):
    pass


class Client(Shell, BaseClient):
    pass


class AsyncClient(Shell, BaseAsyncClient):
    pass


CREATED = {"id": "msg_1", "type": "message"}


def perform(
    mode: str,
    server: LoopbackServer | str,
    operation: Operation = CREATE,
    arguments: dict[str, Any] | None = None,
    options: Any = None,
    *,
    how: str = "call",
    via_beta: bool = False,
    **settings: Any,
) -> Any:
    """Make one call with a fresh client; read streams and pages whole; close everything."""
    url = server if isinstance(server, str) else server.url
    settings = {"api_key": "sk-test", "base_url": url, "timeout": 5.0, **settings}
    given = ({"model": "m"} if operation is CREATE else {}) if arguments is None else arguments
    if operation is RETRIEVE and arguments is None:
        given = {"model_id": "m"}

    async def run() -> Any:
        async with AsyncClient(**settings) as client:
            result = getattr(client, how)(operation, given, options or {}, via_beta)
            if how == "paginate":
                return [item async for item in result]
            result = await result
            if isinstance(result, AsyncStream):
                async with result:
                    return [item async for item in result]
            return result

    if mode == "async":
        return asyncio.run(run())
    with Client(**settings) as client:
        result = getattr(client, how)(operation, given, options or {}, via_beta)
        if isinstance(result, Page):
            return list(result)
        if isinstance(result, Stream):
            with result:
                return list(result)
        return result


both = pytest.mark.parametrize("mode", ["sync", "async"])
OK = [Send(response(json=CREATED))]


@both
def test_flags_that_are_taken_back_are_not_sent(mode: str) -> None:
    with LoopbackServer([OK]) as server:
        perform(
            mode,
            server,
            options={"betas": ["-Needed-1", "asked-1", "-client-1"]},
            default_headers={"anthropic-beta": "client-1,client-2"},
        )
        assert server.wait_until_idle()
    assert server.requests[0].header("anthropic-beta") == "client-2,asked-1"


@both
def test_one_call_is_one_request(mode: str) -> None:
    headers = {"Request-Id": "req_1", "anthropic-organization-id": "org_1", "x-a": "1"}
    with LoopbackServer([[Send(response(json=CREATED, headers=headers))]]) as server:
        result = perform(
            mode,
            server,
            options={"betas": ["asked-1", "NEEDED-1"], "extra_headers": {"anthropic-beta": "x-1"}},
            default_headers={"X-Default": "d", "anthropic-beta": "client-1"},
        )
        assert server.wait_until_idle()
    assert result == Thing(CREATED)
    meta = result.meta
    assert (meta.request_id, meta.organization_id, meta.status_code) == ("req_1", "org_1", 200)
    assert (meta.attempts, meta.http_version, meta.headers["X-A"]) == (1, "HTTP/1.1", "1")
    assert 0 < meta.elapsed < 5
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/v1/messages")
    assert request.json() == {"model": "m"}
    assert request.header("x-api-key") == "sk-test"
    assert request.header("authorization") is None
    assert request.header("anthropic-version") == "2026-10-21"
    assert request.header("anthropic-beta") == "client-1,asked-1,NEEDED-1,x-1"
    assert request.header("content-type") == "application/json"
    assert request.header("accept") == "application/json"
    assert request.header("x-default") == "d"
    assert request.header("content-length") == str(len(request.body))
    names = [name for name, _ in request.headers]
    assert len(names) == len(set(names))


@both
def test_tokens_versions_and_the_beta_namespace(mode: str) -> None:
    with LoopbackServer([OK]) as server:
        perform(mode, server, via_beta=True, api_key=None, auth_token="tok", api_version="v1")
    (request,) = server.requests
    assert request.header("authorization") == "Bearer tok"
    assert request.header("x-api-key") is None
    assert request.header("anthropic-version") == "v1"
    assert request.header("anthropic-beta") == "needed-1,namespace-1"


@both
def test_get_has_no_body(mode: str) -> None:
    with LoopbackServer([OK]) as server:
        perform(mode, server, RETRIEVE, {"model_id": "a b/c"})
    (request,) = server.requests
    assert (request.method, request.target, request.body) == ("GET", "/v1/models/a%20b%2Fc", b"")
    assert request.header("content-type") is None


EVENTS = [
    event("message_start", {"type": "message_start"}),
    event("ping", {"type": "ping"}),
    event("message_stop", {"type": "message_stop"}),
]


@both
@pytest.mark.parametrize("how", ["call", "stream"])
@pytest.mark.parametrize("piece", [1, None])
def test_streams(mode: str, how: str, piece: int | None) -> None:
    with LoopbackServer([[Send(chunked(EVENTS), piece=piece)]]) as server:
        arguments = {"model": "m", "stream": True} if how == "call" else {"model": "m"}
        events = perform(mode, server, arguments=arguments, how=how)
        assert server.wait_until_idle()
    assert [item.raw["type"] for item in events] == ["message_start", "message_stop"]
    (request,) = server.requests
    assert request.json() == {"model": "m", "stream": True}
    assert request.header("accept") == "text/event-stream"


@both
@pytest.mark.parametrize("late", [0.0, 0.004])
@pytest.mark.parametrize("given", [False, True])
def test_a_stream_gives_its_connection_back(mode: str, late: float, given: bool) -> None:
    """Also when the end of the body comes a little after the last event."""

    async def run() -> None:
        http_client = httpx.AsyncClient() if given else None
        async with AsyncClient(base_url=server.url, http_client=http_client) as client:
            for _ in range(3):
                stream = await client.stream(CREATE, {"model": "m"}, {})
                assert len([item async for item in stream]) == 2
        if http_client is not None:
            await http_client.aclose()

    script: list[Step] = [Send(chunked(EVENTS, end=False)), Pause(late), Send(b"0\r\n\r\n")]
    with LoopbackServer([script]) as server:
        if mode == "async":
            asyncio.run(run())
        else:
            http_client = httpx.Client() if given else None
            with Client(base_url=server.url, http_client=http_client) as client:
                for _ in range(3):
                    assert len(list(client.stream(CREATE, {"model": "m"}, {}))) == 2
            if http_client is not None:
                http_client.close()
    assert server.connections == 1


@both
@pytest.mark.parametrize("after", [b"", b"5\r\n: hi\n\r\n", b"garbage"])
def test_a_stream_ends_with_its_last_event(mode: str, after: bytes) -> None:
    """Though the server leaves the connection open, or sends on."""
    script: list[Step] = [Send(chunked(EVENTS, end=False) + after), Pause(60)]
    with LoopbackServer([script]) as server:
        started = time.monotonic()
        events = perform(mode, server, how="stream")
        assert time.monotonic() - started < 20
        assert [item.raw["type"] for item in events] == ["message_start", "message_stop"]
        assert server.wait_until_idle()


def test_a_stream_read_to_its_end_gives_its_connection_back() -> None:
    with LoopbackServer([[Send(chunked(EVENTS))]]) as server, Client(base_url=server.url) as client:
        for _ in range(3):
            list(client.stream(CREATE, {"model": "m"}, {}))
        assert server.connections == 1


@both
def test_pages(mode: str) -> None:
    first = {"data": [{"id": "a"}, {"id": "b"}], "has_more": True, "last_id": "b"}
    second = {"data": [{"id": "c"}], "has_more": False, "last_id": "c"}
    script = [[Send(response(json=first))], [Send(response(json=second))]]
    with LoopbackServer(script) as server:
        items = perform(mode, server, LIST, {"limit": 2}, how="paginate")
    assert [item.raw["id"] for item in items] == ["a", "b", "c"]
    assert [request.target for request in server.requests] == [
        "/v1/models?limit=2",
        "/v1/models?limit=2&after_id=b",
    ]
    assert server.connections == 1


@both
def test_other_kinds_of_answers(mode: str) -> None:
    script = [
        [Send(response(body=b'{"a":1}\n{"b":2}'))],
        [Send(response(body=b"\x00\x01"))],
        [Send(response(204))],
    ]

    def run_sync(client: Client) -> list[Any]:
        rows = [thing.raw for thing in client.call(RESULTS, {}, {})]
        with client.call(CONTENT, {}, {}) as content:
            return [*rows, content.read(), client.call(DELETE, {}, {})]

    async def run() -> list[Any]:
        async with AsyncClient(base_url=server.url) as client:
            rows = [thing.raw async for thing in await client.call(RESULTS, {}, {})]
            async with await client.call(CONTENT, {}, {}) as content:
                return [*rows, await content.read(), await client.call(DELETE, {}, {})]

    with LoopbackServer(script) as server:
        if mode == "sync":
            with Client(base_url=server.url) as client:
                results = run_sync(client)
        else:
            results = asyncio.run(run())
    assert results == [{"a": 1}, {"b": 2}, b"\x00\x01", None]
    assert server.requests[0].header("accept") == "application/binary"


def envelope(kind: str, message: str = "Oh no", **details: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, "details": details}}


@both
@pytest.mark.parametrize("how", ["call", "stream"])
@pytest.mark.parametrize(
    ("reply", "cls", "text"),
    [
        (response(401, json=envelope("authentication_error")), AuthenticationError, "HTTP 401"),
        (
            response(429, json=envelope("rate_limit_error"), headers={"retry-after": "9"}),
            RateLimitError,
            "rate_limit_error: Oh no",
        ),
        (
            response(529, json=envelope("overloaded_error", error_code="compaction_unavailable")),
            CompactionError,
            "overloaded_error/compaction_unavailable",
        ),
        (
            response(502, b"<html><h1>502 Bad Gateway</h1></html>"),
            InternalServerError,
            "HTTP 502: the body is not JSON: 502 Bad Gateway",
        ),
        (response(503), InternalServerError, "the body is empty"),
        (
            response(
                500, gzip.compress(b'{"message": "zipped"}'), headers={"content-encoding": "gzip"}
            ),
            InternalServerError,
            "HTTP 500: zipped",
        ),
        (response(300), APIStatusError, "HTTP 300: the body is empty"),
        (b"HTTP/1.1 529 Overloaded\r\ncontent-length: 99\r\n\r\n{", OverloadedError, "the body could not be read"),
        (response(529, b"no gzip", headers={"content-encoding": "gzip"}), OverloadedError, "the body could not be read"),
    ],
)
def test_error_statuses(
    mode: str, how: str, reply: bytes, cls: type[APIStatusError], text: str
) -> None:
    with LoopbackServer([[Send(reply), Close()]]) as server:
        with pytest.raises(cls) as caught:
            perform(mode, server, how=how)
        assert server.wait_until_idle()
    error = caught.value
    assert type(error).__name__ in (cls.__name__, "ServiceUnavailableError")
    assert text in str(error)
    assert str(error).startswith("messages.create: ")
    assert (error.operation, error.attempts) == ("messages.create", 1)
    assert "sk-test" not in str(error) + repr(error.__dict__)
    assert len(server.requests) == 1


@both
@pytest.mark.parametrize(
    ("reply", "cls", "text"),
    [
        (response(200, b"<html>Log in</html>", headers={"content-type": "text/html"}),
         APIResponseValidationError, "not JSON (text/html): Log in"),
        (response(200), APIResponseValidationError, "not JSON (no content type)"),
        (response(200, b'{"id": '), APIResponseValidationError, 'type): {"id":'),
        (response(200, b"xx", headers={"content-encoding": "gzip"}),
         APIResponseValidationError, "cannot be decompressed"),
        (response(200, json=envelope("overloaded_error")), OverloadedError, "Oh no"),
        (response(200, json={"error": envelope("overloaded_error")["error"]}),
         OverloadedError, "Oh no"),
        (response(200, json=[CREATED]), APIResponseValidationError, "object was expected as Thing"),
        (response(200, json="x"), APIResponseValidationError, "object was expected as Thing"),
        (response(200, b"null"), APIResponseValidationError, "object was expected as Thing"),
    ],
)  # fmt: skip
def test_success_that_is_none(mode: str, reply: bytes, cls: type[APIError], text: str) -> None:
    with LoopbackServer([[Send(reply)]]) as server:
        with pytest.raises(cls) as caught:
            perform(mode, server)
        assert server.wait_until_idle()
    assert text in str(caught.value)


@both
def test_a_stream_of_another_type_is_an_error(mode: str) -> None:
    reply = response(200, b"<html>Log in</html>", headers={"content-type": "text/html"})
    with LoopbackServer([[Send(reply)]]) as server:
        with pytest.raises(APIResponseValidationError, match="text/html where an event stream"):
            perform(mode, server, how="stream")
        assert server.wait_until_idle()


@both
@pytest.mark.parametrize("named", [True, False])
def test_an_error_envelope_instead_of_a_stream(mode: str, named: bool) -> None:
    body = envelope("overloaded_error")
    if not named:
        del body["type"]
    with LoopbackServer([[Send(response(200, json=body))]]) as server:
        with pytest.raises(OverloadedError, match="HTTP 200 overloaded_error: Oh no") as caught:
            perform(mode, server, arguments={"model": "m", "stream": True})
        assert server.wait_until_idle()
    assert caught.value.response.json() == body


@both
def test_an_error_envelope_instead_of_a_page(mode: str) -> None:
    body = {"error": {"type": "overloaded_error"}}
    with (
        LoopbackServer([[Send(response(json=body))]]) as server,
        pytest.raises(OverloadedError),
    ):
        perform(mode, server, LIST, how="paginate")


def test_a_model_with_an_error_field_is_no_envelope() -> None:
    from claude_rest.models import decoder

    class Typed(Client):
        def _decoder(self, name: str) -> Callable[[Any], Any]:
            return decoder("ModelInfo")

    body = {"id": "m", "error": {"type": "x"}}
    with (
        LoopbackServer([[Send(response(json=body))]]) as server,
        Typed(base_url=server.url) as client,
    ):
        assert client.call(RETRIEVE, {"model_id": "m"}, {}).id == "m"


@both
def test_a_page_without_items_list(mode: str) -> None:
    for body in ({"data": "x"}, [1], {"data": {"a": 1}}):
        with (
            LoopbackServer([[Send(response(json=body))]]) as server,
            pytest.raises(APIResponseValidationError, match="no list of items"),
        ):
            perform(mode, server, LIST, how="paginate")


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"


@both
@pytest.mark.parametrize(
    ("steps", "phase"),
    [
        ([Close()], "headers"),
        ([Reset()], "headers"),
        ([Send(b"HTTP/1.1 200 OK\r\nx:"), Close()], "headers"),
        ([Send(b"HTTP/1.1 200 OK\r\nx:"), Reset()], "headers"),
        ([Send(b"garbage\r\n\r\n"), Close()], "headers"),
        ([Send(b"\x16\x03\x01\x00\xff" * 10), Close()], "headers"),
        ([Send(HEAD + b'{"id'), Close()], "body"),
        ([Send(HEAD + b'{"id'), Pause(0.02), Reset()], "body"),
        ([Send(chunked([b'{"id": "x"'], end=False)), Close()], "body"),
        ([Send(HEAD.replace(b"content-length: 100", b"transfer-encoding: chunked") + b"zz\r\n"),
          Close()], "body"),
    ],
)  # fmt: skip
def test_broken_connections(mode: str, steps: Sequence[Step], phase: str) -> None:
    with LoopbackServer([steps]) as server:
        with pytest.raises(APIConnectionError) as caught:
            perform(mode, server)
        assert server.wait_until_idle()
    error = caught.value
    assert type(error) is APIConnectionError
    assert error.phase == phase
    assert error.origin == server.url
    assert error.__cause__ is not None
    assert error.elapsed is not None
    assert str(error).startswith(f"messages.create: the connection to {server.url} broke")
    assert len(server.requests) == 1


@both
def test_reset_before_the_request_is_read(mode: str) -> None:
    with (
        LoopbackServer([[Reset()]], answer_unread=True) as server,
        pytest.raises(APIConnectionError) as caught,
    ):
        perform(mode, server)
    # The reset may come as early as the connection.
    assert caught.value.phase in ("connect", "send", "headers")


@both
def test_connection_refused(mode: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(APIConnectionError) as caught:
            perform(mode, url)
    assert caught.value.phase == "connect"
    assert f"could not connect to {url}" in str(caught.value)
    assert "refused" in str(caught.value).lower() or "failed" in str(caught.value)


@both
def test_unknown_host(mode: str) -> None:
    with pytest.raises(APIConnectionError) as caught:
        perform(mode, "http://no-such-host.invalid")
    assert caught.value.phase == "dns"
    assert "could not look up the address of http://no-such-host.invalid" in str(caught.value)


@both
def test_tls_with_a_server_that_has_none(mode: str) -> None:
    with (
        LoopbackServer([[Send(b"plain text\r\n"), Close()]], answer_unread=True) as server,
        pytest.raises(APIConnectionError) as caught,
    ):
        perform(mode, server.url.replace("http://", "https://"))
    assert caught.value.phase == "tls"
    assert "SSL_CERT_FILE" in str(caught.value)


@both
@pytest.mark.parametrize(
    ("steps", "phase"), [([Pause(60)], "headers"), ([Send(HEAD + b"{"), Pause(60)], "body")]
)
@pytest.mark.parametrize("where", ["client", "call"])
def test_timeouts(mode: str, steps: Sequence[Step], phase: str, where: str) -> None:
    slow = httpx.Timeout(5, read=0.05)
    with LoopbackServer([steps]) as server:
        started = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            perform(
                mode,
                server,
                options={"timeout": slow} if where == "call" else {},
                timeout=slow if where == "client" else 60,
            )
        assert time.monotonic() - started < 20
    error = caught.value
    assert (error.phase, error.timeout) == (phase, 0.05)
    assert "timed out after 0.05 s" in str(error)


@both
@pytest.mark.parametrize(
    "steps",
    [
        [Send(chunked(EVENTS[:2])), Close()],
        [Send(chunked(EVENTS[:2], end=False)), Close()],
        [Send(chunked(EVENTS[:2], end=False)), Pause(0.02), Reset()],
        [Send(chunked([EVENTS[0], EVENTS[2][:-3]])), Close()],
        [Send(chunked(EVENTS[:1], end=False) + b"zz\r\n"), Close()],
    ],
)
def test_streams_that_are_cut_off(mode: str, steps: Sequence[Step]) -> None:
    with LoopbackServer([steps]) as server:
        with pytest.raises(StreamTruncatedError) as caught:
            perform(mode, server, how="stream")
        assert server.wait_until_idle()
    assert caught.value.events_seen == 1
    assert len(server.requests) == 1


@both
def test_a_stream_that_stalls_times_out(mode: str) -> None:
    with (
        LoopbackServer([[Send(chunked(EVENTS[:1], end=False)), Pause(5)]]) as server,
        pytest.raises(APITimeoutError) as caught,
    ):
        perform(mode, server, how="stream", timeout=0.05)
    assert caught.value.phase == "body"


def test_leaving_an_async_stream_early_closes_its_connection() -> None:
    async def run() -> None:
        async with AsyncClient(base_url=server.url) as client:
            async with await client.stream(CREATE, {"model": "m"}, {}) as stream:
                await stream.__anext__()
                assert server.open_connections == 1
            assert await asyncio.to_thread(server.wait_until_idle)

    endless: list[Step] = [Send(chunked(EVENTS[:2] * 50, end=False)), Pause(5)]
    with LoopbackServer([endless]) as server:
        asyncio.run(run())
        gc.collect()


def test_leaving_a_stream_early_closes_its_connection() -> None:
    endless: list[Step] = [Send(chunked(EVENTS[:2] * 50, end=False)), Pause(5)]
    with LoopbackServer([endless]) as server, Client(base_url=server.url) as client:
        with client.stream(CREATE, {"model": "m"}, {}) as stream:
            next(stream)
            assert server.open_connections == 1
        assert server.wait_until_idle()


def test_too_large_is_not_sent() -> None:
    with LoopbackServer([OK]) as server, pytest.raises(RequestTooLargeError):
        perform("sync", server, arguments={"model": "x" * 10_000})
    assert server.requests == []


def test_bad_settings() -> None:
    with pytest.raises(BaseURLError):
        Client(base_url="localhost:80")
    with pytest.raises(HeaderValueError, match="'x-api-key'") as caught:
        Client(api_key="sk-secret\n")
    assert "sk-secret" not in str(caught.value)
    with pytest.raises(BaseURLError, match="port"):
        perform("sync", "http://localhost:notaport")
    with httpx.Client() as wrong, pytest.raises(TypeError, match="synchronous"):
        perform("async", "http://x.invalid", http_client=wrong)
    with pytest.raises(TypeError, match="asynchronous"):
        perform("sync", "http://x.invalid", http_client=httpx.AsyncClient())


def test_repr_shows_no_secret() -> None:
    client = Client(base_url="http://user:pw@host/path?key=k")
    assert repr(client) == "Client(base_url='http://host')"
    assert client.base_url == "http://host/path?key=k"
    with pytest.raises(BaseURLError, match="x-api-key"):
        Client(api_key="sk-1", base_url="http://user:pw@host")


@both
def test_a_password_in_the_base_url_is_sent_and_not_logged(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with LoopbackServer([OK]) as server:
        url = server.url.replace("//", "//user:hunter2@")
        perform(mode, url, api_key=None)
    assert server.requests[0].header("authorization") == "Basic dXNlcjpodW50ZXIy"
    assert "hunter2" not in caplog.text
    assert "httpx" in {record.name for record in caplog.records}


@both
def test_a_given_client_that_is_closed_says_so(mode: str) -> None:
    async def run() -> None:
        given = httpx.AsyncClient()
        await given.aclose()
        await AsyncClient(http_client=given).call(CREATE, {"model": "m"}, {})

    with pytest.raises(ClosedClientError, match="http_client"):
        if mode == "async":
            asyncio.run(run())
        else:
            closed = httpx.Client()
            closed.close()
            Client(http_client=closed).call(CREATE, {"model": "m"}, {})


@both
def test_no_pool_is_made_once_the_client_is_closed(mode: str) -> None:
    # Closed by another thread between the first look and the lock.
    class ClosesFirst:
        def __enter__(self) -> None:
            owner._closed = True

        def __exit__(self, *_: object) -> None:
            pass

    sender: Any = send.AsyncSender() if mode == "async" else send.Sender()
    owner = sender._pools if mode == "async" else sender
    owner._lock = ClosesFirst()
    with pytest.raises(ClosedClientError):
        (owner.of if mode == "async" else sender._client)("http://a.test")
    assert not owner._pools


@both
def test_a_closed_client_says_so(mode: str) -> None:
    async def run() -> None:
        client = AsyncClient()
        await client.close()
        await client.close()
        await client.call(CREATE, {"model": "m"}, {})

    with pytest.raises(ClosedClientError):
        if mode == "async":
            asyncio.run(run())
        else:
            client = Client()
            client.close()
            client.close()
            client.call(CREATE, {"model": "m"}, {})


@both
def test_a_given_http_client_is_used_and_left_open(mode: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=CREATED, headers={"request-id": "req_9"})

    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(answer)
    if mode == "sync":
        with httpx.Client(transport=transport, timeout=7, headers={"x-mine": "1"}) as given:
            result = perform(mode, "http://x.invalid", http_client=given, timeout=UNSET)
            assert not given.is_closed
    else:
        given_async = httpx.AsyncClient(transport=transport, timeout=7, headers={"x-mine": "1"})
        result = perform(mode, "http://x.invalid", http_client=given_async, timeout=UNSET)
        assert not given_async.is_closed
        asyncio.run(given_async.aclose())
    assert result.meta.request_id == "req_9"
    assert seen[0].headers["x-mine"] == "1"
    assert seen[0].extensions["timeout"]["read"] == 7


@both
@pytest.mark.parametrize(
    ("settings", "timeout", "expected"),
    [
        ({}, UNSET, (5.0, 600.0)),
        ({"timeout": 5.0}, UNSET, (5.0, 600.0)),
        ({"timeout": 6.0}, UNSET, (6.0, 6.0)),
        ({"timeout": None}, UNSET, (None, None)),
        ({}, 5.0, (5.0, 5.0)),
        ({}, None, (None, None)),
    ],
)
def test_the_timeout_of_httpx_itself_is_not_used(
    mode: str, settings: dict[str, Any], timeout: Any, expected: tuple[float | None, ...]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        limits = request.extensions["timeout"]
        assert (limits["connect"], limits["read"]) == expected
        return httpx.Response(200, json=CREATED)

    transport: Any = httpx.MockTransport(answer)
    given: Any = (httpx.Client if mode == "sync" else httpx.AsyncClient)(
        transport=transport, **settings
    )
    perform(mode, "http://x.invalid", http_client=given, timeout=timeout)


@both
def test_no_cookies_are_kept(mode: str) -> None:
    reply = [Send(response(json=CREATED, headers={"set-cookie": "a=b; Path=/"}))]

    async def run() -> None:
        async with AsyncClient(base_url=server.url) as client:
            for _ in range(2):
                await client.call(CREATE, {"model": "m"}, {})

    with LoopbackServer([reply]) as server:
        if mode == "async":
            asyncio.run(run())
        else:
            with Client(base_url=server.url) as client:
                for _ in range(2):
                    client.call(CREATE, {"model": "m"}, {})
    assert [request.header("cookie") for request in server.requests] == [None, None]


@both
@pytest.mark.parametrize("mine", [ZeroDivisionError(), FileNotFoundError(), RuntimeError()])
def test_errors_of_others_pass_untouched(mode: str, mine: Exception) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise mine

    transport = httpx.MockTransport(answer)
    given: Any = (
        httpx.Client(transport=transport)
        if mode == "sync"
        else httpx.AsyncClient(transport=transport)
    )
    with pytest.raises(type(mine)):
        perform(mode, "http://x.invalid", http_client=given)


def test_no_io_and_no_pool_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*arguments: Any, **named: Any) -> Any:
        raise AssertionError

    for name in ("prepare", "make_http_client", "make_async_http_client"):
        monkeypatch.setattr(send, name, forbidden)
    client = Client(api_key="x")
    client.prepare(CREATE, {"model": "m"})
    with client:
        pass


def test_plain_http_reads_no_certificate_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_contexts", {})

    def forbidden(*arguments: Any, **named: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", forbidden)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", forbidden)
    with LoopbackServer([OK]) as server:
        for mode in ("sync", "async"):
            perform(mode, server)


def test_tls_contexts_are_shared_and_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts: list[ssl.SSLContext] = []
    threads = [
        threading.Thread(target=lambda: contexts.append(tls.tls_context())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(contexts)) == 1
    for context in (contexts[0], tls.tls_context(secure=False)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
    assert tls.tls_context(secure=False).cert_store_stats()["x509_ca"] == 0
    monkeypatch.setenv("SSL_CERT_FILE", send_certificates())
    assert tls.tls_context() is not contexts[0]


def send_certificates() -> str:
    import certifi

    return certifi.where()


def test_connections_are_kept_alive_by_tcp() -> None:
    options = pools.keepalive_options()
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options
    with LoopbackServer([OK]) as server, Client(base_url=server.url) as client:
        raw = client._send(client.prepare(CREATE, {"model": "m"}), {})
        stream = raw._response.extensions["network_stream"]
        connection = stream.get_extra_info("socket")
        for level, option, value in options:
            assert connection.getsockopt(level, option) == value
        raw.close()


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def proxy_free(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"http_proxy": "http://p:1"},
        {"https_proxy": "p:1", "no_proxy": "localhost, .internal,corp.test,10.0.0.1,::1"},
        {"all_proxy": "http://p:1", "no_proxy": "http://only.test,127.0.0.1:80"},
        {"https_proxy": "http://p:1", "no_proxy": "a,*"},
    ],
)
def test_proxies_are_those_of_httpx(
    proxy_free: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        proxy_free.setenv(name, value)
    with httpx.Client() as plain, pools.make_http_client("https://api.test") as ours:
        expected = {str(key.pattern): value is None for key, value in plain._mounts.items()}
        assert {str(key.pattern): value is None for key, value in ours._mounts.items()} == expected


@both
def test_a_proxy_of_the_environment_is_used(mode: str, proxy_free: pytest.MonkeyPatch) -> None:
    with LoopbackServer([OK]) as proxy:
        proxy_free.setenv("http_proxy", proxy.url)
        assert perform(mode, "http://api.invalid") == Thing(CREATED)
    assert proxy.requests[0].target == "http://api.invalid/v1/messages"


def test_an_ipv6_address_in_brackets_goes_direct(proxy_free: pytest.MonkeyPatch) -> None:
    proxy_free.setenv("all_proxy", "http://p:1")
    proxy_free.setenv("no_proxy", "[::1],[::2]:80")
    assert proxies.proxy_patterns() == {
        "all://": "http://p:1",
        "all://[::1]": None,
        "all://[::2]:80": None,
    }
    pools.make_http_client("http://x.invalid").close()


@both
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "http://user:hunter2@host:port"),
        ("https_proxy", "ftp://hunter2"),
        ("ALL_PROXY", "http://"),
        ("HTTP_PROXY", "http://u:hunter2@"),
        ("NO_PROXY", "[::1"),
        ("no_proxy", "a:b"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ],
)
def test_environment_variables_that_cannot_be_used(
    mode: str, variable: str, value: str, proxy_free: pytest.MonkeyPatch
) -> None:
    if variable.lower() == "no_proxy":
        proxy_free.setenv("http_proxy", "http://p:1")
    proxy_free.setenv(variable, value)
    with pytest.raises(EnvironmentVariableError) as caught:
        perform(mode, "https://x.invalid")
    assert caught.value.variable == variable
    assert str(caught.value).startswith(variable)
    assert "hunter2" not in str(caught.value)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.variable, str(copy)) == (variable, str(caught.value))


def test_each_event_loop_gets_its_own_connections() -> None:
    with LoopbackServer([OK]) as server:
        client = AsyncClient(base_url=server.url)

        async def call_twice() -> None:
            for _ in range(2):
                await client.call(CREATE, {"model": "m"}, {})

        for _ in range(3):
            asyncio.run(call_twice())
            # The connections end with their loop.
            assert server.wait_until_idle()
        # Loops that are gone are forgotten.
        assert len(client._sender._pools._pools) == 1
        asyncio.run(client.close())
    assert len(server.requests) == 6
    assert server.connections == 3
    # Anything left open would warn here and now.
    gc.collect()


def test_closing_reaches_the_pools_of_other_loops() -> None:
    with LoopbackServer([OK]) as server:
        client = AsyncClient(base_url=server.url)
        called, stop = threading.Event(), threading.Event()

        async def stay() -> None:
            await client.call(CREATE, {"model": "m"}, {})
            called.set()
            await asyncio.to_thread(stop.wait)

        thread = threading.Thread(target=asyncio.run, args=(stay(),))
        thread.start()
        assert called.wait(5)
        asyncio.run(client.close())
        assert server.wait_until_idle()
        stop.set()
        thread.join()
    gc.collect()


def test_a_forgotten_async_client_closes_its_connections() -> None:
    async def run() -> None:
        client = AsyncClient(base_url=server.url)
        await client.call(CREATE, {"model": "m"}, {})
        del client
        gc.collect()
        assert await asyncio.to_thread(server.wait_until_idle)

    with LoopbackServer([OK]) as server:
        asyncio.run(run())


def test_threads_with_loops_of_their_own_share_a_client() -> None:
    problems: list[object] = []

    def work() -> None:
        async def run() -> None:
            barrier.wait()
            for _ in range(2):
                await client.call(CREATE, {"model": "m"}, {})
            if asyncio.get_running_loop() not in client._sender._pools._pools:
                problems.append("forgotten")

        try:
            asyncio.run(run())
        except Exception as error:  # noqa: BLE001
            problems.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with LoopbackServer([OK]) as server:
            for _ in range(5):
                client = AsyncClient(base_url=server.url)
                barrier = threading.Barrier(12)
                threads = [threading.Thread(target=work) for _ in range(12)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert problems == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_gets_its_own_connections() -> None:
    with LoopbackServer([OK]) as server, Client(base_url=server.url) as client:
        client.call(CREATE, {"model": "m"}, {})
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if client.call(CREATE, {"model": "m"}, {}) == Thing(CREATED) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        client.call(CREATE, {"model": "m"}, {})
        assert [request.connection for request in server.requests] == [0, 1, 0]


def test_threads_share_a_client() -> None:
    with LoopbackServer([OK]) as server, Client(base_url=server.url) as client:
        results: list[Any] = []
        threads = [
            threading.Thread(target=lambda: results.append(client.call(CREATE, {"model": "m"}, {})))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [Thing(CREATED)] * 8


def test_cancelling_a_call_leaves_the_pool_usable() -> None:
    async def run() -> None:
        async with AsyncClient(base_url=server.url) as client:
            task = asyncio.create_task(client.call(CREATE, {"model": "m"}, {}))
            await asyncio.to_thread(server.wait_for_request)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await client.call(CREATE, {"model": "m"}, {}) == Thing(CREATED)

    with LoopbackServer([[Pause(0.2), *OK], OK]) as server:
        asyncio.run(run())


@pytest.mark.parametrize("given", [False, True])
def test_cancelling_anywhere_leaks_no_connection(
    given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 2)

    async def run() -> None:
        http_client = (
            httpx.AsyncClient(limits=httpx.Limits(max_connections=2), timeout=2) if given else None
        )
        async with AsyncClient(base_url=server.url, http_client=http_client) as client:
            used = http_client or client._sender._pools.of(server.url).client
            transport: Any = used._transport
            for number in range(150):
                task = asyncio.create_task(client.call(CREATE, {"model": "m"}, {}))
                # The whole answer takes about 10 ms: most of these land near its end.
                await asyncio.sleep(0.006 + 0.00005 * number)
                for _ in range(number % 9):
                    await asyncio.sleep(0)
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await asyncio.sleep(0.05)
            if given:
                assert transport._pool._requests == []
                assert all(connection.is_idle() for connection in transport._pool.connections)
            else:
                assert transport.book.active == 0
            result = await client.call(CREATE, {"model": "m"}, {"timeout": 2.0})
            assert result == Thing(CREATED)
        if http_client is not None:
            await http_client.aclose()

    with LoopbackServer([[Send(response(json=CREATED), piece=30, pause=0.002)]]) as server:
        asyncio.run(run())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_does_not_inherit_a_held_tls_lock() -> None:
    with tls._lock:
        child = os.fork()
        if child == 0:
            os._exit(0 if tls._lock.acquire(timeout=1) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_twins_have_the_same_methods_and_arguments() -> None:
    for sync, other in (
        (BaseClient, BaseAsyncClient),
        (send.Sender, send.AsyncSender),
        (send.RawResponse, send.AsyncRawResponse),
        (Page, AsyncPage),
    ):
        public = {name for name in dir(sync) if not name.startswith("_")}
        assert public == {name for name in dir(other) if not name.startswith("_")}
        for name in (*public, "__init__"):
            if inspect.isfunction(getattr(sync, name)):
                assert [*inspect.signature(getattr(sync, name)).parameters] == [
                    *inspect.signature(getattr(other, name)).parameters
                ]
