"""Nothing is left behind: no socket, thread or task, whatever happens to calls and streams.

These go over real sockets to a server that misbehaves; see ``faults``.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import AsyncClaude, Claude, Timeout, errors
from claude_rest._runtime import pools
from loopback import Close, Pause, Reset, Send

from .faults.calls import (
    CLIENTS,
    RETRY,
    WAYS,
    arguments,
    done,
    entered,
    holdings,
    other_tasks,
    settled,
)
from .faults.fault_server import FaultServer
from .faults.fault_table import PING, TEXT, Answer, error_body, failed, success

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = Answer("json")
EVENTS = Answer("events")
CALLS = 200

# What can come of a call, by turns: one error in two.
MIXED: list[list[Any]] = [
    success(JSON),
    failed(400, error_body("invalid_request_error")),
    success(JSON),
    [Send(JSON.head(content_length=9999)), Reset()],
    success(EVENTS),
    [Send(EVENTS.head() + b"".join(EVENTS.parts[:4])), Close()],
    success(JSON),
    [Close()],
    [Send(EVENTS.with_length())],
    [Send(JSON.with_length(JSON.body[:-5]))],
]


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client_class(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 1)


def ways_to_leave(stream: bool) -> Iterator[Any]:
    names = list(WAYS)[1:] if stream else list(WAYS)[:1]
    while True:
        yield from (WAYS[name] for name in names)


def test_many_calls_with_mixed_failures(client_class: Any) -> None:
    """A client that lives on holds what it held after its first calls, and nothing once closed."""
    with FaultServer([]) as server:
        before = holdings()
        plain, streaming = ways_to_leave(False), ways_to_leave(True)

        async def call(client: Any, number: int) -> bool:
            server.play([MIXED[number % len(MIXED)]])
            events = number % len(MIXED) in (4, 5, 8)
            try:
                await next(streaming if events else plain)(client)
            except errors.APIError:
                return False
            return True

        async def scenario() -> None:
            client = client_class(
                api_key="k", base_url=server.url, retry=RETRY, timeout=Timeout(10, deadline=10)
            )
            for number in range(len(MIXED)):
                await call(client, number)
            # Ends with a success whose connection is kept, as all rounds do.
            assert await call(client, 0)
            open_then = holdings()
            succeeded = [await call(client, number) for number in range(CALLS)]
            assert succeeded.count(True) == CALLS // 2
            assert await call(client, 0)
            assert settled(open_then) == open_then
            await done(client.close())
            assert await other_tasks() == []

        asyncio.run(scenario())
        assert server.wait_until_idle()
        assert settled(before) == before


def test_clients_come_and_go(client_class: Any) -> None:
    with FaultServer([success(JSON)]) as server:
        before = holdings()

        async def scenario() -> None:
            for _ in range(20):
                client = client_class(api_key="k", base_url=server.url)
                assert await WAYS["create"](client) == TEXT
                await done(client.close())

        asyncio.run(scenario())
        assert server.wait_until_idle()
        assert settled(before) == before


@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize("way", WAYS)
def test_cancelling_at_every_await(way: str) -> None:
    """Cancelled after one turn of the event loop, after two, and so on to the end of the call.

    The pool has one connection, so a call that takes its place along makes the next one wait.
    """
    answer = JSON if way == "create" else EVENTS
    slowly = [Send(answer.in_chunks(), piece=200, pause=0.001)]
    with FaultServer([slowly]) as server:
        before = holdings()

        async def scenario() -> None:
            client = AsyncClaude(
                api_key="k", base_url=server.url, timeout=Timeout(10, deadline=10), max_retries=0
            )
            turns = 0
            while True:
                call = asyncio.ensure_future(WAYS[way](client))
                for _ in range(turns):
                    await asyncio.sleep(0)
                if call.done():
                    assert call.result() == TEXT
                    break
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                # Every turn of the first ones, in which most is decided, then fewer.
                turns += 1 if turns < 60 else turns // 4
                if turns % 7 == 0:
                    assert await WAYS[way](client) == TEXT
            assert await WAYS[way](client) == TEXT
            await client.close()
            assert await other_tasks() == []

        asyncio.run(scenario())
        assert server.wait_until_idle()
        assert settled(before) == before


@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", ["no answer", "headers", "body"])
def test_cancelling_a_call_that_waits(way: str, where: str) -> None:
    answer = JSON if way == "create" else EVENTS
    stalls: dict[str, list[Any]] = {
        "no answer": [Pause(60)],
        "headers": [Send(answer.head()[:-2]), Pause(60)],
        "body": [Send(answer.head(content_length=9999) + answer.up_to(b"Gr")), Pause(60)],
    }
    with FaultServer([stalls[where]]) as server:
        before = holdings()

        async def scenario() -> None:
            client = AsyncClaude(api_key="k", base_url=server.url, timeout=Timeout(10, deadline=10))
            call = asyncio.ensure_future(WAYS[way](client))
            while not server.requests:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.02)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            server.play([success(answer)])
            assert await WAYS[way](client) == TEXT
            await client.close()
            assert await other_tasks() == []

        asyncio.run(scenario())
        assert server.wait_until_idle()
        assert settled(before) == before


# -- streams that nobody reads to the end ------------------------------------------------------

# An answer that begins and does not end.
BEGINNING: list[Any] = [Send(EVENTS.head() + b"".join(EVENTS.parts[:4]) + PING), Pause(60)]


async def first_item(stream: Any) -> Any:
    if hasattr(stream, "__anext__"):
        return await stream.__anext__()
    return next(iter(stream))


@pytest.mark.usefixtures("_one_connection")
@pytest.mark.parametrize("raw", [True, False], ids=["create", "stream"])
@pytest.mark.parametrize("end", ["close", "with", "exception"])
def test_a_stream_that_is_left_early(client_class: Any, raw: bool, end: str) -> None:
    with FaultServer([BEGINNING]) as server:
        before = holdings()

        async def scenario() -> None:
            client = client_class(
                api_key="k", base_url=server.url, timeout=Timeout(10, deadline=10)
            )
            if raw:
                opened = await done(client.messages.create(**arguments(), stream=True))
            else:
                opened = client.messages.stream(**arguments())
            if end == "close" and raw:
                await first_item(opened)
                await done(opened.close())
                assert opened.closed
            elif end == "exception":
                with pytest.raises(KeyError):
                    async with entered(opened) as stream:
                        await first_item(stream)
                        raise KeyError
            else:
                async with entered(opened) as stream:
                    await first_item(stream)
                    if end == "close":
                        await done(stream.close())
            server.play([success(EVENTS)])
            assert await WAYS["stream"](client) == TEXT
            await done(client.close())
            assert await other_tasks() == []

        asyncio.run(scenario())
        assert server.wait_until_idle()
        assert settled(before) == before


@pytest.mark.usefixtures("_one_connection")
def test_a_stream_that_is_dropped(client_class: Any) -> None:
    """What the garbage collector finds is freed; nothing talks to the network for it."""
    with FaultServer([BEGINNING]) as server:
        before = holdings()

        async def scenario() -> None:
            client = client_class(api_key="k", base_url=server.url, timeout=10)
            stream = await done(client.messages.create(**arguments(), stream=True))
            await first_item(stream)
            del stream
            gc.collect()
            await other_tasks()
            server.play([success(EVENTS)])
            await done(client.close())

        with warnings.catch_warnings():
            # A socket that is left to the collector is reported as what it is.
            warnings.simplefilter("ignore", ResourceWarning)
            asyncio.run(scenario())
            gc.collect()
        assert server.wait_until_idle()
        assert settled(before) == before


def test_nothing_runs_when_an_object_is_freed() -> None:
    """No ``__del__`` anywhere: the collector may run it in any thread and on any event loop."""
    import claude_client
    from claude_rest._runtime import binary, stream

    classes = [
        thing
        for module in (claude_client, stream, binary, pools)
        for name in dir(module)
        if inspect.isclass(thing := getattr(module, name))
    ]
    assert {Claude, AsyncClaude, stream.Stream, stream.AsyncStream} <= set(classes)
    assert [thing for thing in classes if hasattr(thing, "__del__")] == []
