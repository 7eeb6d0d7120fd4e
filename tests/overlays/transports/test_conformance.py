"""What every transport does alike, over real sockets: one test body, run on each of them."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import os
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from both_clients import EVENTS, MESSAGE
from claude_client import RetryPolicy, Timeout, errors
from claude_rest._runtime import pools
from loopback import Close, LoopbackServer, Pause, Reset, Send, chunked, event, response

from .ways import ARGUMENTS, WAYS, create, every_way, pause, settle, texts

if TYPE_CHECKING:
    from .ways import Way

BODY = json.dumps(MESSAGE).encode()
OK = [Send(response(json=MESSAGE, headers={"request-id": "req_1"}))]
STREAM = chunked([event(each["type"], each) for each in EVENTS])
BEGUN = chunked([event(each["type"], each) for each in EVENTS[:4]], end=False)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

asynchronous = pytest.mark.parametrize(
    "way", [each for each in WAYS if each.values[0].asynchronous]
)
on_asyncio = pytest.mark.parametrize(
    "way", [each for each in WAYS if each.values[0].loop in ("asyncio", "uvloop")]
)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


# -- requests and answers ----------------------------------------------------------------------


@every_way
def test_a_request_goes_out_as_it_was_prepared(way: Way) -> None:
    """The same headers on each, none of the library's own but those that HTTP needs."""

    async def body() -> None:
        client = way.client(server.url, default_headers={"x-mine": "1"})
        message = await create(client)
        assert message.content[0].text == "Hello!"
        assert (message.request_id, message._request_id) == ("req_1", "req_1")
        await settle(client.close())

    with LoopbackServer([OK]) as server:
        way.run(body)
        (request,) = server.requests
    names = [name for name, _ in request.headers]
    assert len(names) == len(set(names))
    assert set(names) - {"connection"} == {
        "accept",
        "accept-encoding",
        "anthropic-version",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-api-key",
        "x-mine",
        *(name for name in names if name.startswith("x-stainless")),
    }
    assert request.json() == ARGUMENTS
    assert request.header("content-type") == "application/json"
    assert request.header("accept") == "application/json"
    assert request.header("user-agent").startswith("claude-client/")  # type: ignore[union-attr]


@every_way
def test_events_arrive_one_by_one(way: Way) -> None:
    async def body() -> None:
        client = way.client(server.url)
        assert "".join(await texts(await create(client, stream=True))) == "Hello!"
        assert (await create(client)).id == "msg_1"
        await settle(client.close())
        assert server.connections == 1

    with LoopbackServer([[Send(STREAM, piece=50, pause=0.001)], OK]) as server:
        way.run(body)


@every_way
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_answer(way: Way, encoding: str) -> None:
    packed = gzip.compress(BODY) if encoding == "gzip" else zlib.compress(BODY)
    reply = [Send(response(body=packed, headers={"content-encoding": encoding}))]

    async def body() -> None:
        client = way.client(server.url)
        assert (await create(client)).id == "msg_1"
        assert (await create(client)).id == "msg_1"
        await settle(client.close())

    with LoopbackServer([reply]) as server:
        way.run(body)
        assert server.connections == 1


@every_way
def test_an_answer_that_cannot_be_decompressed(way: Way) -> None:
    reply = [Send(response(body=b"no gzip", headers={"content-encoding": "gzip"}))]

    async def body() -> None:
        client = way.client(server.url)
        with pytest.raises(errors.APIResponseValidationError, match="decompress"):
            await create(client)
        await settle(client.close())

    with LoopbackServer([reply]) as server:
        way.run(body)


@every_way
def test_a_large_upload_has_its_length_and_arrives_whole(way: Way, tmp_path: Any) -> None:
    content = os.urandom(1_500_000)
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    uploaded = {"id": "file_1", "type": "file", "filename": "x.bin"}

    async def body() -> None:
        client = way.client(server.url)
        with suppress(errors.APIResponseValidationError):
            await settle(client.files.upload(file=path))
        large = {**ARGUMENTS, "messages": [{"role": "user", "content": "x" * 1_000_000}]}
        await settle(client.messages.create(**large))
        await settle(client.close())

    with LoopbackServer([[Send(response(json=uploaded))], OK]) as server:
        way.run(body)
        upload, large = server.requests
    assert content in upload.body
    assert int(upload.header("content-length") or 0) == len(upload.body)
    assert upload.header("transfer-encoding") is None
    assert len(large.json()["messages"][0]["content"]) == 1_000_000


@every_way
def test_cookies_are_neither_kept_nor_sent(way: Way) -> None:
    reply = [Send(response(json=MESSAGE, headers={"set-cookie": "a=b; Path=/"}))]

    async def body() -> None:
        client = way.client(server.url)
        await create(client)
        await create(client)
        await settle(client.close())

    with LoopbackServer([reply]) as server:
        way.run(body)
        assert [request.header("cookie") for request in server.requests] == [None, None]


@every_way
def test_long_headers_are_read(way: Way) -> None:
    reply = [Send(response(json=MESSAGE, headers={"x-long": "y" * 20_000}))]

    async def body() -> None:
        client = way.client(server.url)
        assert (await create(client)).id == "msg_1"
        await settle(client.close())

    with LoopbackServer([reply]) as server:
        way.run(body)


@every_way
def test_the_path_is_sent_as_it_was_encoded(way: Way) -> None:
    async def body() -> None:
        client = way.client(server.url)
        with suppress(errors.ClaudeError):
            await settle(client.models.retrieve("a/b c%2Fd+e~ü"))
        await settle(client.close())

    with LoopbackServer([OK]) as server:
        way.run(body)
        assert server.requests[0].target == "/v1/models/a%2Fb%20c%252Fd%2Be~%C3%BC"


# -- redirects ---------------------------------------------------------------------------------


def redirect(location: str, status: int = 307) -> list[Any]:
    return [Send(response(status, headers={"location": location}))]


@every_way
def test_a_redirect_within_the_origin_is_followed(way: Way) -> None:
    async def body() -> None:
        client = way.client(server.url)
        assert (await create(client)).id == "msg_1"
        await settle(client.close())
        assert server.connections == 1

    with LoopbackServer([redirect("/v2/messages?x=1"), OK]) as server:
        way.run(body)
        first, second = server.requests
    assert second.target == "/v2/messages?x=1"
    assert second.body == first.body
    assert second.header("x-api-key") == "k"


@every_way
def test_a_redirect_to_another_origin_is_not(way: Way) -> None:
    async def body() -> None:
        client = way.client(server.url)
        with pytest.raises(errors.RedirectError) as caught:
            await create(client)
        assert caught.value.location_origin == other.url
        await settle(client.close())

    with LoopbackServer([OK]) as other, LoopbackServer([redirect(other.url)]) as server:
        way.run(body)
        assert other.connections == 0


# -- time --------------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize(
    ("reply", "timeout", "limit", "phase"),
    [
        ([Pause(30)], Timeout(9, first_byte=0.1), "first_byte", "headers"),
        ([Pause(30)], Timeout(9, deadline=0.3), "deadline", "headers"),
        ([Send(BEGUN), Pause(30)], Timeout(9, idle=0.1), "idle", "body"),
        ([Send(BEGUN), Pause(30)], Timeout(9, deadline=0.5), "deadline", "body"),
        (
            [Send(response(json=MESSAGE)[:200]), Pause(30)],
            Timeout(9, first_byte=0.05, idle=0.15),
            "idle",
            "body",
        ),
    ],
    ids=["first_byte", "deadline", "idle", "deadline-body", "idle-longer"],
)
def test_limits(way: Way, reply: Any, timeout: Timeout, limit: str, phase: str) -> None:
    streamed = isinstance(reply[0], Send) and reply[0].data == BEGUN

    async def body() -> None:
        client = way.client(server.url, timeout=timeout)
        # So that neither loading the library nor connecting takes a part of the time.
        assert (await create(client, timeout=10)).id == "msg_1"
        with pytest.raises(errors.APITimeoutError) as caught:
            answer = await create(client, **({"stream": True} if streamed else {}))
            await texts(answer)
        error = caught.value
        assert (error.limit, error.phase) == (limit, phase)
        assert error.timeout == getattr(timeout, limit)
        assert (await create(client, timeout=10)).id == "msg_1"
        await settle(client.close())

    with LoopbackServer([OK, reply, OK]) as server:
        way.run(body)
        assert server.wait_until_idle()


@every_way
@pytest.mark.parametrize("limit", ["write", "deadline"])
def test_a_server_that_takes_nothing_in(way: Way, limit: str) -> None:
    large = {**ARGUMENTS, "messages": [{"role": "user", "content": "x" * 24_000_000}]}
    timeout = Timeout(9, **{limit: 0.3})

    async def body() -> None:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = way.client(url, timeout=timeout)
        with pytest.raises(errors.APITimeoutError) as caught:
            await settle(client.messages.create(**large))
        assert (caught.value.limit, caught.value.phase) == (limit, "send")
        await settle(client.close())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        way.run(body)


async def sent_by(way: Way, server: LoopbackServer) -> None:
    """Wait until the server has sent all and closed, and the event loop has had time for it."""
    for _ in range(1000):
        if not server.open_connections:
            break
        await pause(way, 0.01)
    await pause(way, 0.05)


@every_way
def test_only_who_waits_runs_out_of_patience(way: Way) -> None:
    """What whoever reads does between two pieces counts for no limit."""

    async def body() -> None:
        client = way.client(server.url, timeout=Timeout(9, idle=0.3))
        stream = await create(client, stream=True)
        await sent_by(way, server)
        assert await texts(stream) == ["Hel", "lo!"]
        await settle(client.close())

    rest = STREAM[len(BEGUN) :]
    with LoopbackServer([[Send(BEGUN), Pause(0.7), Send(rest), Close()]]) as server:
        way.run(body)


@every_way
def test_waiting_for_a_connection(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is one for all connections, and who waits in vain is told so."""
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 1)

    async def body() -> None:
        client = way.client(server.url)
        stream = await create(client, stream=True)
        with pytest.raises(errors.APITimeoutError) as caught:
            await create(client, timeout=Timeout(9, pool=0.1))
        assert (caught.value.limit, caught.value.phase) == ("pool", "pool")
        await settle(stream.close())
        assert (await create(client)).id == "msg_1"
        await settle(client.close())

    with LoopbackServer([[Send(BEGUN), Pause(30)], OK]) as server:
        way.run(body)


@asynchronous
def test_those_who_wait_are_served_in_order(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 2)

    async def body() -> None:
        import anyio

        client = way.client(server.url)
        finished: list[int] = []

        async def one(number: int) -> None:
            await create(client, extra_headers={"x-number": str(number)})
            finished.append(number)

        async with anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(one, number)
                await anyio.lowlevel.checkpoint()
        assert sorted(finished) == list(range(12))
        await settle(client.close())

    with LoopbackServer([OK]) as server:
        way.run(body)
        assert server.connections <= 2
        assert len(server.requests) == 12


# -- broken connections ------------------------------------------------------------------------


@every_way
def test_nobody_listens(way: Way) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        async def body() -> None:
            client = way.client(url)
            with pytest.raises(errors.APIConnectionError) as caught:
                await create(client)
            assert caught.value.phase == "connect"
            assert not isinstance(caught.value, errors.APITimeoutError)
            await settle(client.close())

        way.run(body)


@every_way
def test_a_host_there_is_not(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    if way.loop in ("uvloop", "trio"):
        pytest.skip("looks addresses up by itself")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    async def body() -> None:
        client = way.client("http://nowhere.invalid")
        with pytest.raises(errors.APIConnectionError) as caught:
            await create(client)
        assert caught.value.phase == "dns"
        await settle(client.close())

    way.run(body)


@every_way
@pytest.mark.parametrize("end", [Close(), Reset()], ids=["closed", "reset"])
@pytest.mark.parametrize(
    ("sent", "phase"),
    [
        (b"", "headers"),
        (response(json=MESSAGE)[:-9], "body"),
        (b"HTTP/1.1 nonsense\r\n", "headers"),
    ],
    ids=["nothing", "a part", "nonsense"],
)
def test_a_connection_that_breaks(way: Way, sent: bytes, phase: str, end: Any) -> None:
    async def body() -> None:
        client = way.client(server.url)
        with pytest.raises(errors.APIConnectionError) as caught:
            await create(client)
        assert caught.value.phase == phase
        assert caught.value.attempts == 1
        assert len(server.requests) == 1
        assert (await create(client)).id == "msg_1"
        await settle(client.close())

    with LoopbackServer([[*([Send(sent)] if sent else []), end], OK]) as server:
        way.run(body)


@every_way
@pytest.mark.parametrize("reads", [True, False], ids=["list", "message"])
def test_nothing_is_sent_twice_by_itself(way: Way, reads: bool) -> None:
    """Not even a GET on a connection that was kept: what is sent again says the retry policy."""

    async def body() -> None:
        client = way.client(server.url)
        await create(client)
        with pytest.raises(errors.APIConnectionError):
            if reads:
                await settle(client.models.retrieve("m"))
            else:
                await create(client)
        assert len(server.requests) == 2
        await settle(client.close())

    with LoopbackServer([OK, [Close()], OK]) as server:
        way.run(body)


@every_way
def test_what_came_before_a_connection_broke_is_given_out(way: Way) -> None:
    """Also to whoever comes for it only after the break."""

    async def body() -> None:
        client = way.client(server.url)
        stream = await create(client, stream=True)
        await sent_by(way, server)
        found: list[str] = []
        with pytest.raises(errors.StreamTruncatedError):
            if way.asynchronous:
                while True:
                    found.append((await anext(stream)).type)
            while True:
                found.append(next(stream).type)
        assert found[-1] == "content_block_delta"
        await settle(client.close())

    first = len(chunked([event(EVENTS[0]["type"], EVENTS[0])], end=False))
    with LoopbackServer(
        [[Send(BEGUN[:first]), Pause(0.1), Send(BEGUN[first:]), Close()]]
    ) as server:
        way.run(body)


@every_way
def test_bytes_after_the_end_are_nobodys_answer(way: Way) -> None:
    forged = response(json={**MESSAGE, "id": "msg_forged"})

    async def body() -> None:
        client = way.client(server.url)
        for _ in range(3):
            assert (await create(client)).id == "msg_1"
            await pause(way, 0.02)
        await settle(client.close())

    together = [Send(response(json=MESSAGE) + forged)]
    late = [Send(response(json=MESSAGE)), Send(forged)]
    for reply in (together, late):
        with LoopbackServer([reply]) as server:
            way.run(body)
            assert server.connections == 3


@every_way
def test_a_connection_that_ended_while_it_was_idle_is_not_used(way: Way) -> None:
    async def body() -> None:
        client = way.client(server.url)
        for _ in range(3):
            assert (await create(client)).id == "msg_1"
            server.wait_until_idle(0.5)
        await settle(client.close())

    with LoopbackServer([[*OK, Close()]]) as server:
        way.run(body)
        assert (server.connections, len(server.requests)) == (3, 3)


# -- connections -------------------------------------------------------------------------------


@every_way
def test_closing_ends_all_connections(way: Way) -> None:
    async def body() -> None:
        client = way.client(server.url)
        stream = await create(client, stream=True)
        await create(client)
        await settle(client.close())
        assert server.wait_until_idle()
        with pytest.raises(errors.ClosedClientError):
            await create(client)
        with suppress(errors.APIConnectionError):
            await texts(stream)
        await settle(stream.close())

    with LoopbackServer([[Send(BEGUN), Pause(30)], OK]) as server:
        way.run(body)


@asynchronous
def test_who_waits_for_a_connection_is_told_of_the_closing(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent by a client that is closed."""
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 1)

    async def body() -> None:
        import anyio

        client = way.client(server.url)
        stream = await create(client, stream=True)
        refused: list[type[Exception]] = []

        async def one() -> None:
            try:
                await create(client)
            except errors.ClaudeError as error:
                refused.append(type(error))

        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(one)
            await pause(way, 0.1)
            await settle(client.close())
            await settle(stream.close())
        assert refused == [errors.ClosedClientError] * 2

    with LoopbackServer([[Send(BEGUN), Pause(30)], OK]) as server:
        way.run(body)
        assert len(server.requests) == 1


@pytest.mark.parametrize("way", [each for each in WAYS if not each.values[0].asynchronous])
def test_threads_that_wait_are_told_of_the_closing(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 1)
    with LoopbackServer([[Send(BEGUN), Pause(30)], OK]) as server:
        client = way.client(server.url)
        stream = client.messages.create(**ARGUMENTS, stream=True)
        with ThreadPoolExecutor(2) as threads:
            waiting = [threads.submit(client.messages.create, **ARGUMENTS) for _ in range(2)]
            time.sleep(0.1)
            client.close()
            stream.close()
            for each in waiting:
                with pytest.raises(errors.ClosedClientError):
                    each.result(timeout=10)
        assert len(server.requests) == 1


@on_asyncio
def test_connections_end_with_their_event_loop(way: Way) -> None:
    async def body() -> None:
        assert (await create(client)).id == "msg_1"

    with LoopbackServer([OK]) as server:
        client = way.client(server.url)
        for _ in range(2):
            way.run(body)
            assert server.wait_until_idle()
        gc.collect()
        assert server.connections == 2


@asynchronous
def test_cancelled_requests_leave_nothing_behind(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any moment: while connecting, sending, waiting and reading; for a place as well."""
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 2)

    async def body() -> None:
        import anyio

        client = way.client(server.url)
        for number in range(60):
            with anyio.move_on_after(0.0003 * number):
                async with anyio.create_task_group() as group:
                    for _ in range(3):
                        group.start_soon(create, client)
        with anyio.fail_after(10):
            for _ in range(3):
                assert (await create(client)).id == "msg_1"
        await settle(client.close())

    with LoopbackServer([[Send(response(json=MESSAGE), piece=60, pause=0.001)]]) as server:
        way.run(body)
        assert server.wait_until_idle()
        gc.collect()


# -- proxies and TLS ---------------------------------------------------------------------------


@every_way
def test_the_proxy_of_the_environment(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        client = way.client("http://api.invalid")
        assert (await create(client)).id == "msg_1"
        await settle(client.close())

    with LoopbackServer([OK]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//user:pass@"))
        way.run(body)
        (request,) = proxy.requests
    assert request.target == "http://api.invalid/v1/messages"
    assert request.header("host") == "api.invalid"
    assert request.header("proxy-authorization") == "Basic dXNlcjpwYXNz"


@every_way
def test_a_host_that_needs_no_proxy(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        client = way.client(server.url)
        assert (await create(client)).id == "msg_1"
        await settle(client.close())

    with LoopbackServer([OK]) as server:
        monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        way.run(body)
        assert len(server.requests) == 1


@every_way
def test_a_proxy_that_is_none(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://:secret@")

    async def body() -> None:
        client = way.client("https://api.invalid")
        with pytest.raises(errors.EnvironmentVariableError) as caught:
            await create(client)
        assert "secret" not in str(caught.value)
        await settle(client.close())

    way.run(body)


@every_way
def test_certificates_that_cannot_be_loaded(
    way: Way, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))

    async def body() -> None:
        client = way.client("https://127.0.0.1:1")
        with pytest.raises(errors.EnvironmentVariableError) as caught:
            await create(client)
        assert caught.value.variable == "SSL_CERT_FILE"
        await settle(client.close())

    way.run(body)


# -- clients of the caller ---------------------------------------------------------------------


@every_way
def test_a_client_of_the_caller(way: Way) -> None:
    """Its own headers go out too, its timeout holds, and it stays open."""

    async def body() -> None:
        given = way.http_client(headers={"x-theirs": "1"})
        client = way.client(server.url, http_client=given)
        assert (await create(client)).id == "msg_1"
        with pytest.raises(errors.APITimeoutError) as caught:
            await create(client, timeout=Timeout(9, first_byte=0.1))
        assert (caught.value.limit, caught.value.phase) == ("first_byte", "headers")
        with pytest.raises(errors.APIConnectionError) as broken:
            await create(client)
        assert broken.value.phase == "headers"
        await settle(client.close())
        assert not (given.closed if way.transport == "aiohttp" else given.is_closed)
        await settle((given.aclose if hasattr(given, "aclose") else given.close)())
        again = way.client(server.url, http_client=given)
        with pytest.raises(errors.ClosedClientError):
            await create(again)

    with LoopbackServer([OK, [Pause(30)], [Close()]]) as server:
        way.run(body)
        assert server.requests[0].header("x-theirs") == "1"
        assert server.requests[0].header("user-agent").startswith("claude-client/")  # type: ignore[union-attr]


@every_way
def test_retries_are_the_same(way: Way) -> None:
    async def body() -> None:
        client = way.client(server.url, retry=RetryPolicy(2, backoff_base=0.001))
        message = await create(client)
        assert message.id == "msg_1"
        await settle(client.close())

    with LoopbackServer([[Send(response(503))], [Send(response(529))], OK]) as server:
        way.run(body)
        assert len(server.requests) == 3
        assert server.connections == 1


@on_asyncio
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_gets_its_own_connections(way: Way) -> None:
    if way.loop == "uvloop":
        pytest.skip("a loop of uvloop does not survive a fork")

    async def body() -> None:
        await create(client)
        assert await asyncio.to_thread(in_child) == 0
        await create(client)
        await settle(client.close())

    def in_child() -> int:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if asyncio.run(create(client)).id == "msg_1" else 2
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    with LoopbackServer([OK]) as server:
        client = way.client(server.url)
        way.run(body)
        assert [request.connection for request in server.requests] == [0, 1, 0]
