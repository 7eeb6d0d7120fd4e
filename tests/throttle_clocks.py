"""Clocks for tests of the throttle: time that passes when everybody waits, and hasty time."""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import Any

from claude_client.throttle import Clock

EPOCH = 1_800_000_000.0


class HandClock(Clock):
    """Goes forward when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def date(self) -> float:
        return EPOCH + self.now()


class LoopClock(HandClock):
    """The time of an event loop, ``loop.time()``."""

    def __init__(self, time_of: Any) -> None:
        self._time_of = time_of

    def now(self) -> float:
        return float(self._time_of())


class FastClock(HandClock):
    """Real time, so many times as fast."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._began = time.monotonic()

    def now(self) -> float:
        return (time.monotonic() - self._began) * self.speed

    def real(self, seconds: float) -> float:
        return seconds / self.speed


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that does not sleep: when nothing is left to do its clock jumps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(_NoSleep(self))

    def time(self) -> float:
        return self.seconds


class _NoSleep(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout > 0:
            self._loop.seconds += timeout
            timeout = 0
        return super().select(timeout)
