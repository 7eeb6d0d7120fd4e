"""The mock API as an ASGI application: requests off the wire, answers and their faults onto it."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from typing import TYPE_CHECKING, Any, Final

from .exchange import MockRequest, MockResponse
from .wire import End, Garbage, Head, Piece, Wait, steps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import TypeAlias

    from .mock_api import MockAPI

    Message: TypeAlias = MutableMapping[str, Any]
    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]

TRANSPORT: Final = "mock_transport"
"""Where the state of a scope holds the asyncio transport, which faults reach for."""

_LOOK_SECONDS: Final = 0.01
# Closing with a linger time of zero seconds sends a reset; Windows has shorts there.
_NO_LINGER: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Endpoint:
    """Answers ASGI requests from a mock API."""

    def __init__(
        self, api: MockAPI, stopping: asyncio.Event, ready: Callable[[], None] | None = None
    ) -> None:
        """Prepare to answer.

        Args:
            api: What answers.
            stopping: Set when the server ends: stalls are then cut, and no more time is let pass.
            ready: Called when the server has started.
        """
        self._api = api
        self._stopping = stopping
        self._ready = ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the life of the server (ASGI interface)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self._ready is not None:
                    self._ready()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        read = await _read(receive, self._api.body_limit(method, path))
        if read is None:
            return
        body, cut = read
        request = MockRequest(
            method,
            path,
            scope["query_string"].decode("latin-1"),
            tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]),
            body,
            cut,
        )
        if self._api.takes_long(request):
            # So that it holds nobody else up.
            answer = await asyncio.to_thread(self._api.handle, request)
        else:
            answer = self._api.handle(request)
        if answer.fault is not None and answer.fault.on_the_wire:
            await _Spoiled(answer, scope, send).send_until(_gone(receive), self._stopping)
            return
        await send(_head(answer))
        if isinstance(answer.body, bytes):
            await send({"type": "http.response.body", "body": answer.body})
            return
        for chunk in answer.body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})


class _Spoiled:
    """Sends an answer with a fault."""

    def __init__(self, answer: MockResponse, scope: Scope, send: Send) -> None:
        self._answer = answer
        self._send = send
        self._transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)

    async def send_until(self, gone: Awaitable[None], stopping: asyncio.Event) -> None:
        """Take the steps until the last one, or until the client has gone."""
        leaving = asyncio.ensure_future(gone)
        stopped = asyncio.ensure_future(stopping.wait())
        try:
            for step in steps(self._answer):
                if leaving.done():
                    return
                if isinstance(step, Wait):
                    await asyncio.wait(
                        {leaving, stopped},
                        timeout=step.seconds,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    if stopped.done() and step.endless:
                        await self._end(End.CLOSED)
                        break
                elif step is Head.NOW:
                    await self._send(_head(self._answer))
                elif isinstance(step, Piece):
                    message = {"type": "http.response.body", "body": step.data, "more_body": True}
                    await self._send(message)
                    await asyncio.sleep(0)
                elif step is End.COMPLETE:
                    await self._send({"type": "http.response.body", "body": b""})
                    return
                elif isinstance(step, Garbage):
                    self._connection().write(step.data)
                else:
                    await self._end(step)
            # Whoever runs the application would answer by itself before the connection is gone.
            await leaving
        finally:
            leaving.cancel()
            stopped.cancel()

    async def _end(self, how: End) -> None:
        connection = self._connection()
        if how is not End.RESET:
            connection.close()
            return
        # A reset drops what has not been sent yet, and asyncio tells only protocols when it has.
        while connection.get_write_buffer_size() and not connection.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        if not connection.is_closing():
            underneath = connection.get_extra_info("socket")
            underneath.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            connection.abort()

    def _connection(self) -> asyncio.Transport:
        if self._transport is None:
            raise ConnectionAbortedError("this server does not give its connections away")
        return self._transport


def _head(answer: MockResponse) -> Message:
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in answer.headers]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def _read(receive: Receive, limit: int) -> tuple[bytes, bool] | None:
    """Return the body up to the limit, and whether there was more; None if the client leaves.

    The rest is read and dropped: a client that is cut off while it still sends may never see the
    answer.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= limit:
            parts.append(chunk)
        if not message.get("more_body", False):
            return b"".join(parts), size > limit


async def _gone(receive: Receive) -> None:
    """Wait until the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
