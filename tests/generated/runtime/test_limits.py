"""Every limit of ``Timeout``, and the deadline of a whole answer, over real sockets."""

from __future__ import annotations

import asyncio
import pickle
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest

from claude_rest import AsyncClient, Client
from claude_rest._runtime import network, pools
from claude_rest._runtime.errors import APIStatusError, APITimeoutError
from claude_rest._runtime.limits import Limit
from claude_rest._runtime.timeouts import Timeout
from claude_rest.operations import OPERATIONS
from loopback import LoopbackServer, Pause, Send, chunked, event, response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback import Step

both = pytest.mark.parametrize("mode", ["sync", "async"])
MODEL = {"id": "m", "type": "model"}
OK = response(json=MODEL)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"


def retrieve(
    mode: str,
    url: str,
    timeout: Any,
    *,
    given: bool = False,
    deadline: float | None = None,
    size: int = 0,
) -> Any:
    """Send one request by the sender and read its answer."""
    settings: dict[str, Any] = {"api_key": "sk-test", "base_url": url}

    def prepare(client: Any) -> Any:
        if size:
            arguments = {"model": "m", "max_tokens": 1, "messages": [], "system": "x" * size}
            return client.prepare(OPERATIONS["messages.create"], arguments)
        return client.prepare(OPERATIONS["models.retrieve"], {"model_id": "m"})

    async def run() -> Any:
        http_client = httpx.AsyncClient() if given else None
        async with AsyncClient(**settings, http_client=http_client) as client:
            raw = await client._sender.send(prepare(client), timeout=timeout, deadline=deadline)
            result = await raw.read()
        if http_client is not None:
            await http_client.aclose()
        return result

    if mode == "async":
        return asyncio.run(run())
    http_client = httpx.Client() if given else None
    with Client(**settings, http_client=http_client) as client:
        result = client._sender.send(prepare(client), timeout=timeout, deadline=deadline).read()
    if http_client is not None:
        http_client.close()
    return result


@contextmanager
def deaf() -> Iterator[str]:
    """A host that takes no further connection."""
    with socket.socket() as listener, socket.socket() as other:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # The queue of connections that nobody accepts is full with these.
        others = [socket.socket() for _ in range(4)]
        for each in (other, *others):
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for each in others:
            each.close()


@both
@pytest.mark.parametrize(
    ("steps", "limit", "phase"),
    [
        ([Pause(5)], "first_byte", "headers"),
        ([Send(HEAD), Pause(5)], "idle", "body"),
        ([Send(HEAD + b"{"), Pause(5)], "idle", "body"),
    ],
)
def test_what_is_read(mode: str, steps: list[Step], limit: str, phase: str) -> None:
    with LoopbackServer([steps]) as server, pytest.raises(APITimeoutError) as caught:
        retrieve(mode, server.url, Timeout(9.0, **{limit: 0.05}))
    error = caught.value
    assert (error.limit, error.phase, error.timeout) == (limit, phase, 0.05)
    assert f"Timeout({limit}=" in str(error)
    assert "after 0.05 s" in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.limit, copy.timeout, str(copy)) == (limit, 0.05, str(error))


@both
def test_the_limits_of_reading_are_two(mode: str) -> None:
    """A slow start is no slow body, and the other way round."""
    slow_start: list[Step] = [Pause(0.2), Send(OK)]
    slow_body: list[Step] = [Send(OK[:-1]), Pause(0.2), Send(OK[-1:])]
    with LoopbackServer([slow_start, slow_body]) as server:
        retrieve(mode, server.url, Timeout(9.0, idle=0.1))
        retrieve(mode, server.url, Timeout(9.0, first_byte=0.1))


@both
def test_connecting(mode: str) -> None:
    with deaf() as url, pytest.raises(APITimeoutError) as caught:
        retrieve(mode, url, Timeout(9.0, connect=0.1))
    error = caught.value
    assert (error.limit, error.phase, error.timeout) == ("connect", "connect", 0.1)


@both
def test_writing(mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(APITimeoutError) as caught:
            retrieve(mode, url, Timeout(9.0, write=0.1), size=24_000_000)
    error = caught.value
    assert (error.limit, error.phase, error.timeout) == ("write", "send", 0.1)


@both
def test_waiting_for_a_connection(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 1)
    timeout = Timeout(9.0, pool=0.1)
    with LoopbackServer([[Send(HEAD), Pause(5)]]) as server:

        async def run() -> None:
            async with AsyncClient(base_url=server.url) as client:
                prepared = client.prepare(OPERATIONS["models.retrieve"], {"model_id": "m"})
                async with await client._sender.send(prepared):
                    await client.models.retrieve("m", timeout=timeout)

        with pytest.raises(APITimeoutError) as caught:
            if mode == "async":
                asyncio.run(run())
            else:
                with Client(base_url=server.url) as client:
                    prepared = client.prepare(OPERATIONS["models.retrieve"], {"model_id": "m"})
                    with client._sender.send(prepared):
                        client.models.retrieve("m", timeout=timeout)
    assert (caught.value.limit, caught.value.phase) == ("pool", "pool")


DRIPS: dict[str, list[Step]] = {
    "silence": [Pause(60)],
    "headers": [Send(OK, piece=1, pause=0.2)],
    "body": [Send(HEAD), Send(b" " * 1000, piece=1, pause=0.05)],
}


@both
@pytest.mark.parametrize("where", DRIPS)
@pytest.mark.parametrize("how", ["timeout", "deadline", "given"])
def test_deadlines_hold_though_bytes_drip(mode: str, where: str, how: str) -> None:
    if (mode, where, how) == ("sync", "headers", "given"):
        pytest.skip("httpx itself has no such limit, and a given client is left as it is")
    with LoopbackServer([DRIPS[where]]) as server:
        started = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            if how == "deadline":
                # It wins over the number, which is for what the message says.
                retrieve(mode, server.url, Timeout(deadline=99), deadline=started + 0.5)
            else:
                retrieve(mode, server.url, Timeout(deadline=0.5), given=how == "given")
        elapsed = time.monotonic() - started
        assert server.wait_until_idle()
    assert 0.48 < elapsed < 10
    error = caught.value
    assert error.limit == "deadline"
    assert error.timeout == (99 if how == "deadline" else 0.5)
    assert error.phase == ("body" if where == "body" else "headers")
    assert "the deadline" in str(error)


@both
def test_a_deadline_holds_while_connecting_and_writing(mode: str) -> None:
    with deaf() as url, pytest.raises(APITimeoutError) as caught:
        retrieve(mode, url, Timeout(deadline=0.2))
    assert (caught.value.limit, caught.value.phase) == ("deadline", "connect")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def sip() -> None:
            connection, _ = listener.accept()
            with connection:
                while not over.wait(0.2):
                    connection.recv(100_000)

        thread = threading.Thread(target=sip)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            retrieve(mode, url, Timeout(deadline=0.3), size=24_000_000)
        assert time.monotonic() - started < 10
        over.set()
        thread.join()
    assert (caught.value.limit, caught.value.phase) == ("deadline", "send")


@both
def test_a_deadline_that_has_passed_sends_nothing(mode: str) -> None:
    with LoopbackServer([[Send(OK)]]) as server:
        with pytest.raises(APITimeoutError, match="before the request") as caught:
            retrieve(mode, server.url, Timeout(), deadline=time.monotonic() - 1)
        assert server.connections == 0
    assert (caught.value.limit, caught.value.phase) == ("deadline", "connect")


@both
def test_a_deadline_far_away_changes_nothing(mode: str) -> None:
    with LoopbackServer([[Send(OK)], [Pause(5)]]) as server:
        assert retrieve(mode, server.url, Timeout(deadline=9))
        with pytest.raises(APITimeoutError) as caught:
            retrieve(mode, server.url, Timeout(first_byte=0.05, deadline=9))
    assert (caught.value.limit, caught.value.timeout) == ("first_byte", 0.05)


@both
def test_the_deadline_of_a_stream(mode: str) -> None:
    """Pings count against the limit of silence, and not against the deadline."""
    pings = [event("ping", {"type": "ping"})] * 5000
    script: list[Step] = [Send(chunked(pings, end=False), piece=40, pause=0.02)]
    arguments: Any = {"model": "m", "max_tokens": 1, "messages": [], "stream": True}
    timeout = Timeout(deadline=1.0, idle=0.5)

    async def run() -> None:
        async with (
            AsyncClient(base_url=server.url, timeout=timeout) as client,
            await client.messages.create(**arguments) as stream,
        ):
            async for _ in stream:
                pass

    with LoopbackServer([script]) as server:
        started = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            if mode == "async":
                asyncio.run(run())
            else:
                with (
                    Client(base_url=server.url, timeout=timeout) as client,
                    client.messages.create(**arguments) as stream,
                ):
                    list(stream)
        assert time.monotonic() - started < 10
    assert (caught.value.limit, caught.value.phase) == ("deadline", "body")


def test_the_backend_is_in_force() -> None:
    """With the installed httpx: without it, a drip of headers outlives the deadline."""
    made: Any = pools.make_http_client("http://x.invalid")
    shard = made._transport._make()
    assert isinstance(shard, httpx.HTTPTransport)
    assert isinstance(shard._pool._network_backend, network.Backend)  # type: ignore[attr-defined]
    made = pools.make_async_http_client("http://x.invalid")
    shard = made._transport._make()
    assert isinstance(shard._pool._network_backend, network.AsyncBackend)
    assert not network.install(httpx.MockTransport(lambda _: httpx.Response(200)), [])


def test_a_deadline_before_the_handshake_closes_the_connection() -> None:
    """httpcore leaves closing to what failed, and the garbage collector would find the socket."""
    ours, theirs = socket.socketpair()
    backend: Any = httpcore._backends.sync  # type: ignore[attr-defined]
    with theirs:
        stream = network.DeadlineStream(backend.SyncStream(ours), httpcore)
        context: Any = None
        with pytest.raises(httpcore.ConnectTimeout):
            stream.start_tls(context, "x.invalid", Limit(None, time.monotonic() - 1))
        assert ours.fileno() == -1


def test_without_the_backend_the_clock_is_looked_at_between_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network, "install", lambda *_: False)
    with LoopbackServer([DRIPS["body"]]) as server:
        started = time.monotonic()
        with pytest.raises(APITimeoutError) as caught:
            retrieve("sync", server.url, Timeout(deadline=0.2))
        assert time.monotonic() - started < 10
    assert caught.value.limit == "deadline"


def test_each_address_gets_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, float]] = []

    class Deaf(httpcore.NetworkBackend):
        def connect_tcp(self, host: str, port: int, timeout: Any = None, *rest: Any) -> Any:
            asked.append((host, timeout))
            time.sleep(0.05)
            raise httpcore.ConnectTimeout

    found = [(2, 1, 6, "", (address, 80)) for address in ("1.1.1.1", "2.2.2.2", "3.3.3.3")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    backend = network.Backend(Deaf(), [], httpcore)
    with pytest.raises(httpcore.ConnectTimeout):
        backend.connect_tcp("x", 80, Limit(5.0, time.monotonic() + 0.08))
    assert [host for host, _ in asked] == ["1.1.1.1", "2.2.2.2"]
    assert asked[0][1] > asked[1][1]


@both
def test_the_status_is_known_though_its_body_takes_too_long(mode: str) -> None:
    reply = b"HTTP/1.1 529 Overloaded\r\ncontent-length: 99\r\n\r\n{"

    async def run() -> None:
        async with AsyncClient(base_url=server.url, timeout=timeout) as client:
            await client.models.retrieve("m")

    timeout = Timeout(deadline=0.1)
    with (
        LoopbackServer([[Send(reply), Pause(5)]]) as server,
        pytest.raises(APIStatusError, match="529"),
    ):
        if mode == "async":
            asyncio.run(run())
        else:
            with Client(base_url=server.url, timeout=timeout) as client:
                client.models.retrieve("m")


def test_limits_that_make_no_sense() -> None:
    for seconds in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="more than 0"):
            Timeout(seconds)
        with pytest.raises(ValueError, match="deadline"):
            Timeout(deadline=seconds)
    for value in ("5", (5, 60), object()):
        with pytest.raises(TypeError, match=f"not {type(value).__name__}"):
            Timeout.of(value)


@both
def test_infinity_is_no_limit(mode: str) -> None:
    endless = float("inf")
    assert Timeout(endless, deadline=endless) == Timeout(None)
    with LoopbackServer([[Send(response(200, json={"id": "1"}))]]) as server:
        assert retrieve(mode, server.url, endless)
