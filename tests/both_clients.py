"""Says the same thing to Claude and AsyncClaude, against a script over loopback.

An asynchronous client lives in an event loop of the kit's, so that a test reads the same for
both: ``kit.run(client.messages.create(...))``. Import the fixture ``kit`` to get one of each::

    from both_clients import kit as kit
"""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import AsyncClaude, Claude, RetryPolicy
from loopback import Close, LoopbackServer, Send, chunked, event, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARGUMENTS: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}
MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "text", "text": "Hello!"}],
    "model": "claude-opus-5-5",
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
EVENTS: list[dict[str, Any]] = [
    {
        "type": "message_start",
        "message": {
            **MESSAGE,
            "content": [],
            "stop_reason": None,
            "usage": {"input_tokens": 3, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo!"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 2},
    },
    {"type": "message_stop"},
]
"""The events of ``MESSAGE``."""

OK = [Send(response(json=MESSAGE, headers={"request-id": "req_ok"}))]
AT_ONCE = RetryPolicy(random=lambda: 0.0)


def failure(status: int, kind: str = "api_error", **headers: str) -> list[Any]:
    """Return a reply that is an error of the API."""
    body = {"type": "error", "error": {"type": kind, "message": "Sorry"}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [Send(response(status, json=body, headers={"request-id": "req_bad", **named}))]


def stream(events: list[dict[str, Any]], *, end: bool = True, request_id: str = "req_ok") -> Any:
    """Return a reply that is a stream of events; without ``end`` it is cut off after them."""
    parts = [event(data["type"], data) for data in events]
    data = chunked(parts, headers={"request-id": request_id}, end=end)
    return [Send(data), *([] if end else [Close()])]


def error_event(kind: str) -> dict[str, Any]:
    """Return an event that says that the stream has failed."""
    return {"type": "error", "error": {"type": kind, "message": "Sorry"}}


class BothClients:
    """Makes calls against a script, with either client; remembers the server."""

    def __init__(self, asynchronous: bool) -> None:
        """Use ``AsyncClaude`` if ``asynchronous``, else ``Claude``."""
        self.asynchronous = asynchronous
        self.server: LoopbackServer
        self._loop = asyncio.new_event_loop() if asynchronous else None
        self._closers: list[Callable[[], object]] = []

    @property
    def client_class(self) -> type[Any]:
        """The class of client."""
        return AsyncClaude if self.asynchronous else Claude

    def open(self, *replies: list[Any], **settings: Any) -> Any:
        """Start a server with a script and return a client for it."""
        server = self.server = LoopbackServer(replies or [OK])
        self._closers.append(server.close)
        given = {"api_key": "key-one", "retry": AT_ONCE, "base_url": server.url, **settings}
        client = self.client_class(**given)
        self._closers.append(lambda: self.run(client.close()))
        return client

    def run(self, result: Any) -> Any:
        """Return ``result``, awaited if it is to be."""
        if not inspect.isawaitable(result):
            return result
        assert self._loop is not None

        async def waiting() -> Any:
            return await result

        return self._loop.run_until_complete(waiting())

    def create(self, *replies: list[Any], settings: Any = None, **arguments: Any) -> Any:
        """Create a message and return it, or raise what the call raises."""
        client = self.open(*replies, **(settings or {}))
        return self.run(client.messages.create(**{**ARGUMENTS, **arguments}))

    def items(self, iterable: Any) -> list[Any]:
        """Return everything that comes out of a stream or a list."""
        if not self.asynchronous:
            return list(iterable)

        async def collect() -> list[Any]:
            return [item async for item in iterable]

        return self.run(collect())  # type: ignore[no-any-return]

    def sent(self, index: int = -1) -> Any:
        """Return a request that the server has read."""
        return self.server.requests[index]

    def close(self) -> None:
        """Close clients and servers."""
        while self._closers:
            self._closers.pop()()
        if self._loop is not None:
            self._loop.close()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def kit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[BothClients]:
    """Both clients in turn, with nothing of the API in the environment."""
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)
    both = BothClients(request.param)
    yield both
    both.close()
