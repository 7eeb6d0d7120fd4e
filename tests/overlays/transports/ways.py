"""Every transport on every kind of event loop, behind one face for the tests."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import AsyncClaude, Claude, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ARGUMENTS: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}


@dataclass(frozen=True)
class Way:
    """A transport, and what runs it."""

    transport: str
    loop: str | None
    """``asyncio``, ``uvloop`` or ``trio``; ``None``: no loop, the synchronous client."""

    @property
    def name(self) -> str:
        return f"{self.transport}-{self.loop or 'sync'}"

    @property
    def asynchronous(self) -> bool:
        return self.loop is not None

    def client(self, base_url: str, **settings: Any) -> Any:
        kind: Any = AsyncClaude if self.asynchronous else Claude
        chosen = {} if "http_client" in settings else {"transport": self.transport}
        return kind(
            base_url=base_url,
            **{"api_key": "k", "retry": RetryPolicy(0), "timeout": 10.0, **chosen, **settings},
        )

    def run(self, body: Callable[[], Awaitable[Any]]) -> Any:
        """Run a test that is written with ``await``."""
        if self.loop == "trio":
            import trio

            return trio.run(body)
        if self.loop == "uvloop":
            import uvloop

            return uvloop.run(body())
        return asyncio.run(body())  # type: ignore[arg-type]

    def http_client(self, **options: Any) -> Any:
        """Return a client of the HTTP library, as a caller would configure it."""
        from importlib import import_module

        library = import_module(self.transport)
        if self.transport == "aiohttp":
            return library.ClientSession(**options)
        return (library.AsyncClient if self.asynchronous else library.Client)(**options)


def _ways() -> list[Any]:
    loops = {
        "httpx": [None, "asyncio", "uvloop", "trio"],
        "httpx2": [None, "asyncio"],
        "aiohttp": ["asyncio", "uvloop"],
    }
    found = []
    for transport, several in loops.items():
        for loop in several:
            needed = [transport, *([loop] if loop in ("uvloop", "trio") else [])]
            missing = [name for name in needed if find_spec(name) is None]
            marks = [pytest.mark.skip(reason=f"{each} is not installed") for each in missing]
            if loop == "trio":
                # It tells of generators that httpx leaves in the middle when something fails.
                marks.append(pytest.mark.filterwarnings("ignore:Async generator 'httpx"))
                marks.append(
                    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
                )
            way = Way(transport, loop)
            found.append(pytest.param(way, id=way.name, marks=marks))
    return found


WAYS = _ways()
every_way = pytest.mark.parametrize("way", WAYS)


async def settle(value: Any) -> Any:
    """Return ``value``, awaited if it can be."""
    return await value if inspect.isawaitable(value) else value


async def create(client: Any, **options: Any) -> Any:
    return await settle(client.messages.create(**ARGUMENTS, **options))


async def texts(stream: Any) -> list[str]:
    """Return the texts of an open stream of events."""
    events = [event async for event in stream] if hasattr(stream, "__aiter__") else list(stream)
    return [event.delta.text for event in events if event.type == "content_block_delta"]


async def pause(way: Way, seconds: float) -> None:
    if way.loop == "trio":
        import trio

        await trio.sleep(seconds)
    else:
        await asyncio.sleep(seconds)
