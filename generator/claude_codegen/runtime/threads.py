"""Blocking work beside an event loop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def off_loop(work: Callable[[], T]) -> T:
    """Return what ``work`` returns, called in a thread so that the event loop goes on.

    Under another library than asyncio it is called in place: keep it short.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return work()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    result: T = await asyncio.to_thread(work)
    return result
