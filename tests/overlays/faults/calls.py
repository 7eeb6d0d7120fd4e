"""The ways to call, the same for both clients, and what a process holds on to."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from contextlib import asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claude_client import AsyncClaude, Claude, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    Way = Callable[..., Awaitable[str]]

CLIENTS: Mapping[str, Any] = {
    "sync": Claude,
    "async": AsyncClaude,
    **(
        {
            "sync-httpx2": partial(Claude, transport="httpx2"),
            "async-httpx2": partial(AsyncClaude, transport="httpx2"),
        }
        if find_spec("httpx2")
        else {}
    ),
    **(
        {"async-aiohttp": partial(AsyncClaude, transport="aiohttp")} if find_spec("aiohttp") else {}
    ),
}
"""Both clients, over each transport that is installed."""

RETRY = RetryPolicy(2, backoff_base=0.001)
"""Two retries, next to no wait."""


def arguments(prompt: str = "Hello") -> dict[str, Any]:
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": prompt}],
    }


async def done(value: Any) -> Any:
    """Return what a method of either client returns in the end."""
    return await value if inspect.isawaitable(value) else value


async def everything(value: Any) -> list[Any]:
    """Return all items of a list or stream of either client."""
    if hasattr(value, "__aiter__"):
        return [item async for item in value]
    return list(value)


@asynccontextmanager
async def entered(manager: Any) -> AsyncIterator[Any]:
    """Enter the context manager of either client."""
    if hasattr(manager, "__aenter__"):
        async with manager as inside:
            yield inside
    else:
        with manager as inside:
            yield inside


async def create(client: Any, prompt: str = "Hello", **options: Any) -> str:
    message = await done(client.messages.create(**arguments(prompt), **options))
    return "".join(block.text for block in message.content)


async def create_stream(client: Any, prompt: str = "Hello", **options: Any) -> str:
    stream = await done(client.messages.create(**arguments(prompt), stream=True, **options))
    return "".join(
        event.delta.text
        for event in await everything(stream)
        if event.type == "content_block_delta"
    )


async def message_stream(client: Any, prompt: str = "Hello", **options: Any) -> str:
    async with entered(client.messages.stream(**arguments(prompt), **options)) as stream:
        message = await done(stream.get_final_message())
    return "".join(block.text for block in message.content)


WAYS: Mapping[str, Way] = {
    "create": create,
    "create(stream=True)": create_stream,
    "stream": message_stream,
}


async def other_tasks(seconds: float = 5.0) -> list[Any]:
    """Return the tasks that do not end by themselves."""
    end = time.monotonic() + seconds
    while True:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if not tasks or time.monotonic() > end:
            return tasks
        await asyncio.sleep(0.001)


def holdings() -> tuple[int, int]:
    """Return how many file descriptors and how many threads this process has."""
    return sum(1 for _ in Path("/dev/fd").iterdir()), threading.active_count()


def settled(expected: tuple[int, int], seconds: float = 5.0) -> tuple[int, int]:
    """Return what was expected once no more than that is held, or what is held when time is up.

    Less is no leak: the garbage collector may have freed what an earlier test left.
    """
    end = time.monotonic() + seconds
    while any(now > then for now, then in zip(holdings(), expected, strict=True)):
        if time.monotonic() > end:
            return holdings()
        time.sleep(0.005)
    return expected
