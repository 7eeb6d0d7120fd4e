"""One test body for both twins: written with ``await``, run against either client.

::

    async def body() -> None:
        client = twin.client(server.url)
        message = await settle(client.messages.create(**ARGUMENTS))
        async for event in each(stream): ...

    twin.run(body)
"""

from __future__ import annotations

import asyncio
import inspect
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from claude_client import AsyncClaude, Claude

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["Twin", "each", "entered", "settle"]


class Twin:
    """Makes clients of one kind and runs what uses them."""

    def __init__(self, asynchronous: bool) -> None:
        self.asynchronous = asynchronous

    def client(self, base_url: str, **settings: Any) -> Any:
        """Return a client of this kind for ``base_url``."""
        kind: Any = AsyncClaude if self.asynchronous else Claude
        return kind(base_url=base_url, **{"api_key": "mock-key", **settings})

    def run(self, body: Callable[[], Awaitable[None]]) -> None:
        """Run ``body`` on an event loop of its own."""

        async def whole() -> None:
            await body()

        asyncio.run(whole())


async def settle(value: Any) -> Any:
    """Return ``value``, awaited if it can be."""
    return await value if inspect.isawaitable(value) else value


async def each(values: Any) -> AsyncIterator[Any]:
    """Yield the items of an iterable of either kind."""
    if hasattr(values, "__aiter__"):
        async for value in values:
            yield value
    else:
        for value in values:
            yield value


@asynccontextmanager
async def entered(manager: Any) -> AsyncIterator[Any]:
    """Enter a context manager of either kind."""
    if hasattr(manager, "__aenter__"):
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value
