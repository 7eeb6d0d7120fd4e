"""Connections that are kept: who they belong to, what is set on them, and what cancelling leaves."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from claude_rest import AsyncClient, Client
from claude_rest._runtime import pools, tls
from claude_rest._runtime.errors import APIConnectionError
from loopback import LoopbackServer, Reset, Send, chunked, event, response

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from loopback import Step

both = pytest.mark.parametrize("mode", ["sync", "async"])
CREATE: Any = {"model": "m", "max_tokens": 1, "messages": []}
OK: list[Step] = [Send(response(json={"id": "msg_1", "type": "message"}))]
EVENTS = [
    event("message_start", {"type": "message_start"}),
    *[event("ping", {"type": "ping"})] * 3,
    *[event("content_block_stop", {"type": "content_block_stop", "index": 0})] * 3,
    event("message_stop", {"type": "message_stop"}),
]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def proxy_free(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def pool_of(client: Any) -> Any:
    return client._transport


def idle_shards(sharded: Any) -> list[Any]:
    return [shard for shards in sharded.book._idle.values() for _, shard in shards]


def is_clean(pool: Any) -> bool:
    # A closed one is replaced when its shard gets the next request.
    connections = [each for shard in idle_shards(pool) for each in shard._pool.connections]
    return (
        pool.book.active == 0
        and not pool._busy
        and not any(shard._pool._requests for shard in idle_shards(pool))
        and all(each.is_idle() or each.is_closed() for each in connections)
    )


def test_a_stream_keeps_its_client_alive() -> None:
    with LoopbackServer([[Send(chunked(EVENTS), piece=20, pause=0.001)]]) as server:
        with warnings.catch_warnings():
            # The client is never closed, and its connection stays in the pool.
            warnings.simplefilter("ignore", ResourceWarning)
            seen = 0
            for _ in Client(base_url=server.url).messages.create(**CREATE, stream=True):
                gc.collect()
                seen += 1
            gc.collect()
        assert seen == 5
        assert server.wait_until_idle()


def test_an_async_stream_keeps_its_client_alive() -> None:
    async def run() -> int:
        seen = 0
        client = AsyncClient(base_url=server.url)
        stream = await client.messages.create(**CREATE, stream=True)
        del client
        async for _ in stream:
            gc.collect()
            await asyncio.sleep(0)
            seen += 1
        return seen

    with LoopbackServer([[Send(chunked(EVENTS), piece=20, pause=0.001)]]) as server:
        assert asyncio.run(run()) == 5
        assert server.wait_until_idle()


def test_nothing_here_finalizes() -> None:
    """What the garbage collector calls must do no I/O; sockets warn by themselves."""
    from pathlib import Path

    import claude_rest._runtime

    folder = Path(claude_rest._runtime.__file__).parent
    assert [path.name for path in folder.glob("*.py") if "__del__" in path.read_text("utf-8")] == []


@both
def test_proxied_connections_are_kept_alive_too(mode: str, proxy_free: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with AsyncClient(base_url="http://api.invalid") as client:
            await client.messages.create(**CREATE)
            http_client: Any = client._sender._pools.of("http://api.invalid").client
            check(http_client)

    def check(http_client: Any) -> None:
        (mounted,) = http_client._mounts.values()
        (shard,) = idle_shards(mounted)
        (connection,) = shard._pool.connections
        stream = connection._connection._connection._network_stream
        connected = stream.get_extra_info("socket")
        for level, option, value in pools.keepalive_options():
            assert connected.getsockopt(level, option) == value

    with LoopbackServer([OK]) as proxy:
        proxy_free.setenv("http_proxy", proxy.url)
        if mode == "async":
            asyncio.run(run())
        else:
            with Client(base_url="http://api.invalid") as client:
                client.messages.create(**CREATE)
                check(client._sender._client("http://api.invalid"))


def test_a_proxy_with_tls_is_checked_with_the_same_authorities(
    proxy_free: pytest.MonkeyPatch,
) -> None:
    proxy_free.setenv("https_proxy", "https://proxy.invalid:3129")
    with pools.make_http_client("https://api.invalid") as made:
        (mounted,) = made._mounts.values()
        pool: Any = mounted._make()._pool  # type: ignore[union-attr]  # pyright: ignore
        assert pool._proxy_ssl_context is tls.tls_context()
        assert pool._ssl_context is tls.tls_context()


def test_the_first_call_reads_authorities_beside_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Several first calls at once read them once; the loop goes on meanwhile."""
    loaded: list[threading.Thread] = []

    def slowly() -> ssl.SSLContext:
        loaded.append(threading.current_thread())
        time.sleep(0.2)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr(tls, "_contexts", {})
    monkeypatch.setattr(tls, "_verifying_context", slowly)

    async def run() -> float:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"https://127.0.0.1:{unused.getsockname()[1]}"
            longest = 0.0
            async with AsyncClient(base_url=url) as client:
                calls = [asyncio.ensure_future(client.messages.create(**CREATE)) for _ in range(3)]
                while not all(call.done() for call in calls):
                    before = time.monotonic()
                    await asyncio.sleep(0.001)
                    longest = max(longest, time.monotonic() - before)
                for call in calls:
                    assert isinstance(call.exception(), APIConnectionError)
            return longest

    assert asyncio.run(run()) < 0.15
    assert len(loaded) == 1
    assert loaded[0] is not threading.main_thread()


CANCELLED: dict[str, list[list[Step]]] = {
    "answer": [[Send(response(json={"id": "msg_1"}), piece=40, pause=0.0005)]],
    "stream": [[Send(chunked(EVENTS), piece=120, pause=0.0005)]],
    "broken": [[Send(response(json={"id": "msg_1"})[:-3]), Reset()]],
}


@pytest.mark.parametrize("kind", CANCELLED)
@pytest.mark.parametrize("how", ["cancel", "cancel twice", "anyio"])
def test_cancelling_at_every_await_leaves_the_pool_clean(
    kind: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so and so many turns of the loop, from the first to the last of a call."""
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 2)

    async def call(client: Any) -> None:
        if kind == "stream":
            async with await client.messages.create(**CREATE, stream=True) as stream:
                async for _ in stream:
                    pass
        else:
            await client.messages.create(**CREATE)

    async def cancelled_after(turns: int, work: Awaitable[None]) -> bool:
        """Tell whether it was over before."""
        import anyio

        if how == "anyio":
            with anyio.CancelScope() as scope:

                async def cancel() -> None:
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    scope.cancel()

                other = asyncio.ensure_future(cancel())
                with suppress(APIConnectionError):
                    await work
                over = not other.done()
                other.cancel()
                return over
            return False
        task = asyncio.ensure_future(work)
        for _ in range(turns):
            await asyncio.sleep(0)
        over = task.done()
        task.cancel()
        if how == "cancel twice":
            await asyncio.sleep(0)
            task.cancel()
        with suppress(asyncio.CancelledError, APIConnectionError):
            await task
        return over

    async def run() -> None:
        async with AsyncClient(base_url=server.url, timeout=2.0) as client:
            pool = pool_of(client._sender._pools.of(server.url).client)
            turns = step = 0
            while not await cancelled_after(turns, call(client)):
                step += 1
                # Every turn near the start, where most happens; fewer while bytes are awaited.
                turns += 1 + step // 60
                for _ in range(200):
                    if is_clean(pool):
                        break
                    await asyncio.sleep(0.001)
                else:
                    raise AssertionError((turns, repr(pool)))
                if step > 400:
                    break
            assert step > 10
            with suppress(APIConnectionError):
                await asyncio.wait_for(call(client), 2)

    with LoopbackServer(CANCELLED[kind]) as server:
        asyncio.run(run())
        gc.collect()


def test_cancelling_an_upload_leaves_the_pool_clean(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 2)
    path = tmp_path / "x.bin"
    path.write_bytes(bytes(8_000_000))

    async def run() -> None:
        async with AsyncClient(base_url=server.url, timeout=2.0) as client:
            pool = pool_of(client._sender._pools.of(server.url).client)
            for number in range(40):
                task = asyncio.ensure_future(client.files.upload(file=path))
                await asyncio.sleep(0.0007 * number)
                task.cancel()
                with suppress(asyncio.CancelledError, APIConnectionError):
                    await task
            await asyncio.sleep(0.05)
            assert is_clean(pool)

    with LoopbackServer([OK]) as server:
        asyncio.run(run())
        gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_gets_its_own_asynchronous_connections() -> None:
    with LoopbackServer([OK]) as server:
        client = AsyncClient(base_url=server.url)

        async def run() -> None:
            await client.messages.create(**CREATE)
            child = await asyncio.to_thread(_forked_call, client)
            assert child == 0
            await client.messages.create(**CREATE)
            await client.close()

        asyncio.run(run())
        assert [request.connection for request in server.requests] == [0, 1, 0]


def _forked_call(client: AsyncClient) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            answer = asyncio.run(client.messages.create(**CREATE))
            code = 0 if answer.id == "msg_1" else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_program_that_closes_nothing_ends_quietly() -> None:
    program = """
import asyncio, sys
from claude_rest import AsyncClient, Client
create = dict(model="m", max_tokens=1, messages=[], stream=True)
for _ in Client(base_url=sys.argv[1]).messages.create(**create):
    pass
client = AsyncClient(base_url=sys.argv[1])
async def run(early):
    async for _ in await client.messages.create(**create):
        if early:
            break
asyncio.run(run(False))
asyncio.run(run(True))
"""
    with LoopbackServer([[Send(chunked(EVENTS))]]) as server:
        done = subprocess.run(
            [sys.executable, "-c", program, server.url],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert (done.returncode, done.stderr) == (0, "")
