"""Bytes beyond an answer: they are never the answer to the next request."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from claude_rest import AsyncClient, Client
from claude_rest._runtime import leftovers
from loopback import LoopbackServer, Send, chunked, event, response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback import Step

CREATE: Any = {"model": "m", "max_tokens": 1, "messages": []}
GOOD = response(json={"id": "msg_1", "type": "message"})
FORGED = response(json={"id": "msg_forged", "type": "message"})
EVENTS = [
    event("message_start", {"type": "message_start"}),
    event("message_stop", {"type": "message_stop"}),
]
EXTRA = {
    "an answer": FORGED,
    "half an answer": FORGED[:30],
    "an empty line": b"\r\n",
    "one byte": b"H",
    "garbage": b"\x00\xff garbage",
}
LIBRARIES = ["ours", "httpx", "httpx2"]


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def http_client(library: str, mode: str) -> Any:
    if library == "ours":
        return None
    module: Any = httpx if library == "httpx" else pytest.importorskip("httpx2")
    return module.Client() if mode == "sync" else module.AsyncClient()


async def done(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def ids(mode: str, url: str, library: str = "ours", calls: int = 3, **more: Any) -> list[str]:
    """Return the ids of the messages that so many calls brought."""

    async def run() -> list[str]:
        given = http_client(library, mode)
        client: Any = (Client if mode == "sync" else AsyncClient)(base_url=url, http_client=given)
        try:
            return [(await done(client.messages.create(**CREATE, **more))).id for _ in range(calls)]
        finally:
            await done(client.close())
            if given is not None:
                await done(given.aclose() if mode == "async" else given.close())

    return asyncio.run(run())


@pytest.mark.parametrize("extra", EXTRA.values(), ids=EXTRA)
def test_what_comes_after_an_answer_is_dropped(mode: str, library: str, extra: bytes) -> None:
    with LoopbackServer([[Send(GOOD + extra)]]) as server:
        assert ids(mode, server.url, library) == ["msg_1"] * 3
        assert [request.connection for request in server.requests] == [0, 1, 2]


def test_a_whole_answer_leaves_its_connection(mode: str, library: str) -> None:
    """So that an answer can be looked behind: connections are not given up for lack of knowledge."""
    with LoopbackServer([[Send(GOOD)]]) as server:
        assert ids(mode, server.url, library) == ["msg_1"] * 3
        assert server.connections == 1


def test_what_comes_after_a_stream(mode: str) -> None:
    async def run() -> None:
        client: Any = (Client if mode == "sync" else AsyncClient)(base_url=server.url)
        stream = await done(client.messages.create(**CREATE, stream=True))
        if mode == "sync":
            assert len(list(stream)) == 2
        else:
            assert len([item async for item in stream]) == 2
        assert (await done(client.messages.create(**CREATE))).id == "msg_1"
        await done(client.close())

    with LoopbackServer([[Send(chunked(EVENTS) + FORGED)], [Send(GOOD)]]) as server:
        asyncio.run(run())
        assert server.connections == 2


def test_what_comes_after_a_redirect(mode: str) -> None:
    redirect = response(307, headers={"location": "/v2/messages", "content-length": "0"})
    with LoopbackServer([[Send(redirect + FORGED)], [Send(GOOD)]]) as server:
        assert ids(mode, server.url, calls=1) == ["msg_1"]
        assert server.connections == 2


def test_what_comes_after_an_error(mode: str) -> None:
    async def run() -> None:
        from claude_rest._runtime.errors import APIStatusError

        client: Any = (Client if mode == "sync" else AsyncClient)(base_url=server.url)
        with pytest.raises(APIStatusError):
            await done(client.messages.create(**CREATE))
        assert (await done(client.messages.create(**CREATE))).id == "msg_1"
        await done(client.close())

    with LoopbackServer([[Send(response(500, json={}) + FORGED)], [Send(GOOD)]]) as server:
        asyncio.run(run())
        assert server.connections == 2


def test_an_answer_as_long_as_a_read(mode: str) -> None:
    """Then what is read stops at its end, and the rest is kept by the libraries below httpcore."""
    body = json.dumps({"id": "msg_1", "type": "message"}).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    size = 64 * 1024
    padding = size - len(head % size) - len(body)
    whole = head % (len(body) + padding) + body + b" " * padding
    assert len(whole) == size
    with LoopbackServer([[Send(whole + FORGED)]]) as server:
        assert ids(mode, server.url, calls=5) == ["msg_1"] * 5
        assert server.connections == 5


def test_in_doubt_a_connection_is_given_up(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another httpcore, that cannot be looked into; a given client is left as it is."""
    monkeypatch.setattr(leftovers, "_PATH", ("elsewhere",))
    with LoopbackServer([[Send(GOOD + FORGED)]]) as server:
        assert ids(mode, server.url) == ["msg_1"] * 3
        assert server.connections == 3
    with LoopbackServer([[Send(GOOD)]]) as server:
        assert ids(mode, server.url, "httpx") == ["msg_1"] * 3
        assert server.connections == 1


def wrapped_in(stream: Any) -> Iterator[Any]:
    while stream is not None:
        yield stream
        names = ("_inner", "_stream", "transport_stream")
        stream = next((found for name in names if (found := getattr(stream, name, None))), None)


def test_the_buffers_of_anyio_are_where_they_are_looked_for() -> None:
    from anyio.streams.tls import TLSStream

    async def run() -> list[Any]:
        client = AsyncClient(base_url=server.url)
        await client.messages.create(**CREATE)
        sharded: Any = client._sender._pools.of(server.url).client._transport
        shard, _ = sharded.book.pick(*sharded.book._idle, 0.0)
        (connection,) = shard._pool.connections
        layers = list(wrapped_in(connection._connection._network_stream))
        await shard.aclose()
        await client.close()
        return layers

    with LoopbackServer([[Send(GOOD)]]) as server:
        socket_stream: Any = asyncio.run(run())[-1]
    queue = socket_stream._protocol.read_queue
    assert not leftovers._holds_bytes(socket_stream)
    queue.append(b"x")
    assert leftovers._holds_bytes(socket_stream)
    assert {"_read_bio", "transport_stream"} <= set(TLSStream.__annotations__)
