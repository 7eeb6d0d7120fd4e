"""What becomes of the parts of a pool when something goes wrong in between."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import httpx
import pytest

from claude_rest._runtime.shards import transport_classes


class Shard:
    """A transport of one connection; ``gate`` is what its closing waits for."""

    def __init__(self, gate: asyncio.Event | None = None) -> None:
        self.closed = False
        self.gate = gate

    async def aclose(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        self.closed = True


def test_cancelled_while_others_are_closed_it_keeps_no_connection() -> None:
    """Neither its place nor the idle connection that was to be used goes missing."""

    async def body() -> None:
        gate = asyncio.Event()
        chosen, surplus = Shard(), Shard(gate)
        sharded: Any = transport_classes(httpx)[1](
            httpx, Shard, max_connections=2, max_idle=2
        )
        request = httpx.Request("GET", "http://one.invalid/")
        sharded.book.keep((b"http", b"one.invalid", None), chosen, monotonic())
        # Idle for too long, so that it is closed when the other is picked.
        sharded.book.keep((b"http", b"two.invalid", None), surplus, monotonic() - 100)
        task = asyncio.create_task(sharded.handle_async_request(request))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert chosen.closed
        assert surplus.closed
        assert (sharded.book.active, len(sharded._busy)) == (0, 0)

    asyncio.run(body())
