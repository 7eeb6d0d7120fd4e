"""Requests, results and clients for the tests of batches."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import httpx

from claude_client import AsyncClaude, BatchPolling, Claude, RetryPolicy
from claude_client.testing import AsyncMockTransport, MockAPI, MockTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

FAST = BatchPolling(0.001, 0.01)
AT_ONCE = RetryPolicy(random=lambda: 0.0)


def params(text: str = "Hi") -> dict[str, Any]:
    """Return the body of a message."""
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 10,
        "messages": [{"role": "user", "content": text}],
    }


def make(count: int, name: str = "r") -> list[Any]:
    """Return requests with the names r0, r1 and so on."""
    return [{"custom_id": f"{name}{n}", "params": params(f"Hi {n}")} for n in range(count)]


def names(requests: list[Any]) -> list[str]:
    """Return the names of requests."""
    return [request["custom_id"] for request in requests]


class Lab:
    """A mock API, and clients of one kind for it."""

    def __init__(self, asynchronous: bool) -> None:
        self.asynchronous = asynchronous
        self.api = MockAPI()

    def client(self, **settings: Any) -> Any:
        """Return a client for the mock API."""
        given = {"api_key": "k", "base_url": "http://mock", "retry": AT_ONCE, **settings}
        if self.asynchronous:
            transport = AsyncMockTransport(self.api)
            return AsyncClaude(**given, http_client=httpx.AsyncClient(transport=transport))
        return Claude(**given, http_client=httpx.Client(transport=MockTransport(self.api)))

    def created(self) -> list[str]:
        """Return the names of all requests that were paid, in any batch."""
        with Claude(
            api_key="k",
            base_url="http://mock",
            http_client=httpx.Client(transport=MockTransport(self.api)),
        ) as client:
            found: list[str] = []
            for batch in client.messages.batches.list(limit=1000):
                client.messages.batches.wait(batch.id, poll=FAST)
                found += [item.custom_id for item in client.messages.batches.iter_results(batch.id)]
            return found

    def run(self, body: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a test body on an event loop of its own."""
        asyncio.run(body())


async def settle(value: Any) -> Any:
    """Return ``value``, awaited if it can be."""
    return await value if inspect.isawaitable(value) else value


async def collect(iterable: Any) -> list[Any]:
    """Return the items of an iterable of either kind."""
    if hasattr(iterable, "__aiter__"):
        return [item async for item in iterable]
    return list(iterable)


async def run_all(client: Any, requests: Any, **settings: Any) -> list[str]:
    """Run requests and return the names of the results in the order they come."""
    run = client.messages.batches.run(requests, **{"poll": FAST, **settings})
    return [item.custom_id for item in await collect(run)]
