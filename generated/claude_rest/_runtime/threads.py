"""Blocking work beside an event loop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def running_loop() -> Any:
    """Return the running loop of asyncio; ``None`` under another library, or outside of any."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def off_loop(work: Callable[[], T]) -> T:
    """Return what ``work`` returns, called in a thread so that the event loop goes on."""
    result: T
    if running_loop() is None:
        # Another library's loop, such as trio's, which httpx runs on by way of anyio.
        from anyio.to_thread import run_sync

        result = await run_sync(work)
        return result
    import asyncio

    result = await asyncio.to_thread(work)
    return result


async def let_others_run() -> None:
    """Give way to the other tasks of the event loop once."""
    if running_loop() is None:
        from anyio.lowlevel import checkpoint

        await checkpoint()
        return
    import asyncio

    await asyncio.sleep(0)
