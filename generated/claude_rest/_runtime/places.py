"""Places for requests, so many and no more; who has to wait for one is served in order."""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, TypeVar

_W = TypeVar("_W")


class Places(Generic[_W]):
    """So many places for requests, and who waits for one. Does nothing by itself."""

    __slots__ = ("_waiting", "active", "limit")

    active: int
    """Requests that have a place."""

    def __init__(self, limit: int) -> None:
        """Have ``limit`` places."""
        self.limit = limit
        self.active = 0
        self._waiting: deque[_W] = deque()

    def enter(self) -> bool:
        """Take a place, if there is one."""
        if self.active >= self.limit:
            return False
        self.active += 1
        return True

    def queue(self, waiter: _W) -> None:
        """Line up for the next place."""
        self._waiting.append(waiter)

    def forget(self, waiter: _W) -> bool:
        """Leave the queue; tells whether it was still in it, or else has a place by now."""
        try:
            self._waiting.remove(waiter)
        except ValueError:
            return False
        return True

    def leave(self) -> _W | None:
        """Give up a place, or give it to who waits longest, and return that one."""
        if self._waiting:
            return self._waiting.popleft()
        self.active -= 1
        return None


class PlaceTimeout(TimeoutError):  # noqa: N818
    """No place became free in time."""


async def wait_for_place(places: Places[Any], seconds: float | None) -> None:
    """Wait for the next place, behind those who wait already; it is taken on return.

    Raises :class:`PlaceTimeout`.
    """
    from anyio import Event as AnyEvent
    from anyio import move_on_after

    waiter = AnyEvent()
    places.queue(waiter)
    came = False
    try:
        with move_on_after(seconds):
            await waiter.wait()
            came = True
    finally:
        if not came and not places.forget(waiter):
            pass_on(places)
    if not came:
        raise PlaceTimeout("no connection became free in time")


def pass_on(places: Places[Any]) -> None:
    """Give up a place, and wake who gets it."""
    following = places.leave()
    if following is not None:
        following.set()


class LoopPlaces:
    """Places for requests of one event loop."""

    __slots__ = ("_places",)

    def __init__(self, limit: int) -> None:
        """Have ``limit`` places."""
        self._places: Places[Any] = Places(limit)

    @property
    def active(self) -> int:
        """Requests that have a place."""
        return self._places.active

    def enter(self) -> bool:
        """Take a place, if there is one."""
        return self._places.enter()

    async def wait(self, seconds: float | None) -> None:
        """Wait for a place; raises :class:`PlaceTimeout`."""
        await wait_for_place(self._places, seconds)

    def leave(self) -> None:
        """Give up a place."""
        pass_on(self._places)
