"""How a call waits until its turn comes: a thread, a task of asyncio, a task of another loop.

Each has ``wait(seconds)``, which ends when the time is over or ``wake()`` was called since the
last wait, whichever thread that came from.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock
from typing import TYPE_CHECKING, Any

from ..drivers import asyncio_runs

if TYPE_CHECKING:
    from typing import Protocol

    class AsyncWaiter(Protocol):
        """Waits in an event loop."""

        def wake(self) -> None:
            """End the wait."""
            ...

        async def wait(self, seconds: float | None) -> None:
            """Wait so long at most; ``None``: until woken."""
            ...


class ThreadWaiter:
    """Waits in a thread."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        """Make one, not woken."""
        self._lock = allocate_lock()
        self._lock.acquire()

    def wake(self) -> None:
        """End the wait."""
        try:
            self._lock.release()
        except RuntimeError:
            # Woken before, and has not looked since.
            return

    def wait(self, seconds: float | None) -> None:
        """Wait so long at most; ``None``: until woken."""
        self._lock.acquire(timeout=-1 if seconds is None else min(seconds, _LONGEST))


_LONGEST = 1e6
"""Seconds; clocks of the system take no more. Whoever wakes looks again anyway."""


def async_waiter() -> AsyncWaiter:
    """Return what waits in the event loop that runs here."""
    return _AsyncioWaiter() if asyncio_runs() else _LoopWaiter()


class _AsyncioWaiter:
    __slots__ = ("_future", "_loop", "_woken")

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._future: Any = None
        self._woken = False

    def wake(self) -> None:
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._ring)
        except RuntimeError:
            # The loop is closed, and with it the task is gone.
            return

    def _ring(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float | None) -> None:
        if not self._woken:
            self._future = self._loop.create_future()
            timer = None
            if seconds is not None:
                timer = self._loop.call_later(min(seconds, _LONGEST), self._ring)
            try:
                await self._future
            finally:
                if timer is not None:
                    timer.cancel()
                self._future = None
        # Cleared before the caller looks at the pools: what wakes it later is not missed.
        self._woken = False


class _LoopWaiter:
    """Waits in a loop of another library, which httpx runs on by way of anyio: trio's."""

    __slots__ = ("_event", "_loop", "_woken")

    def __init__(self) -> None:
        self._loop: Any = sys.modules["trio"].lowlevel.current_trio_token()
        self._event: Any = None
        self._woken = False

    def wake(self) -> None:
        self._woken = True
        trio: Any = sys.modules["trio"]
        try:
            self._loop.run_sync_soon(self._ring)
        except trio.RunFinishedError:
            return

    def _ring(self) -> None:
        if self._event is not None:
            self._event.set()

    async def wait(self, seconds: float | None) -> None:
        import anyio

        if not self._woken:
            self._event = anyio.Event()
            with anyio.move_on_after(None if seconds is None else min(seconds, _LONGEST)):
                await self._event.wait()
            self._event = None
        self._woken = False
