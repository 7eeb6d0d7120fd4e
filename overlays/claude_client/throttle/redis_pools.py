"""Pools that several processes and machines share through Redis. Needs the extra ``redis``.

Only one call of each line asks at a time, and waits for the reply; what answers say goes out in
the background, in order.
"""

from __future__ import annotations

import json
import warnings
from _thread import allocate_lock
from collections import deque
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from .errors import MissingRedisError, ThrottleStoreError, ThrottleStoreWarning
from .pools import Grant, Shortage
from .script import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from .line import Group, Ticket
    from .pools import Told

_TIMEOUT = 1.0
"""Seconds that Redis has for a reply."""
_DOWN_FOR = 5.0
"""Seconds until a Redis that did not answer is tried again."""
_ASK_AGAIN = 1.0
"""Most seconds between two questions of one who waits: others may have changed everything."""


class RedisPools:
    """The pools of :mod:`.pools`, kept in Redis."""

    def __init__(
        self,
        redis: Any,
        on_error: Literal["local", "raise"],
        wake: Callable[[Group], None],
        limits_of: Callable[[str], Mapping[str, float] | None],
        ramp: int,
    ) -> None:
        """Use the Redis at a URL, or a synchronous client of redis-py.

        Raises:
            MissingRedisError: redis-py is not installed.
            ValueError: the URL is none of Redis.
        """
        self._client = _connected(redis) if isinstance(redis, str) else redis
        self._owned = isinstance(redis, str)
        self._on_error = on_error
        self._wake = wake
        self._limits_of = limits_of
        self._ramp = ramp
        self._sha: str | None = None
        self._down_until = float("-inf")
        self._warned = False
        self._problem: Exception | None = None
        self._numbers = count()
        self.forked()

    def forked(self) -> None:
        """Begin anew in the child of a fork: its threads are gone."""
        from uuid import uuid4

        self._me = uuid4().hex[:12]
        self._lock = allocate_lock()
        self._reports: deque[tuple[Group, dict[str, Any]]] = deque()
        self._reporting = False

    def is_up(self, now: float) -> bool:
        """Tell whether Redis is to be asked, by ``time.monotonic()``."""
        return now >= self._down_until

    def warn(self) -> None:
        """Warn, once, if Redis did not answer in the background."""
        if self._problem is not None:
            self._tell(self._problem)

    def take(self, ticket: Ticket) -> Grant | Shortage | None:
        """Ask for what a ticket needs; ``None`` when Redis does not answer.

        Raises:
            ThrottleStoreError: it does not answer, and that is to be an error.
        """
        options = ticket.demand.options(ticket.group.estimates)
        todo = {**self._todo("take", ticket), "options": options}
        try:
            reply = self._ask(ticket.group, todo)
        except Exception as error:  # noqa: BLE001 - whatever redis-py raises
            self._failed(error)
            return None
        _note(ticket.group, reply)
        granted = reply.get("granted")
        if granted is not None:
            return Grant(options[granted - 1], reply["marks"], reply["now"])
        # Only as long as the place in the line is kept.
        seconds = min(reply["seconds"], _ASK_AGAIN)
        certain = reply["certain"] and seconds == reply["seconds"]
        return Shortage(seconds, reply["pool"], certain=certain)

    async def take_async(self, ticket: Ticket) -> Grant | Shortage | None:
        """Ask in a thread beside the event loop; see :meth:`take`."""
        import anyio.to_thread

        lock = allocate_lock()
        gone = False
        taken: Grant | Shortage | None = None

        def ask() -> None:
            nonlocal taken
            taken = self.take(ticket)
            with lock:
                if gone and isinstance(taken, Grant):
                    self._give_back(ticket, taken)

        try:
            # A limiter of its own: other threads of the program may be busy for long.
            await anyio.to_thread.run_sync(ask, limiter=anyio.CapacityLimiter(1))
        except BaseException:
            with lock:
                gone = True
                if isinstance(taken, Grant):
                    self._give_back(ticket, taken)
            raise
        return taken

    def answer(
        self, ticket: Ticket, told: Mapping[str, Told], *, teaches: bool, pause: float
    ) -> None:
        """Report the head of an answer; see :meth:`.pools.Pools.answer`."""
        grant = ticket.grant
        assert grant is not None
        said = {name: [part for part in each if part is not None] for name, each in told.items()}
        todo = {
            **self._todo("answer", ticket),
            **_charged(grant),
            "told": said,
            "teaches": teaches,
            "pause": pause,
        }
        self._report(ticket.group, todo)

    def over(self, ticket: Ticket, how: str, spent: Mapping[str, float | None] | None) -> None:
        """Report the end of a request: ``finish``, ``give_back`` or ``lose``."""
        grant = ticket.grant
        assert grant is not None
        known = {name: used for name, used in (spent or {}).items() if used is not None}
        self._report(ticket.group, {**self._todo(how, ticket), **_charged(grant), "spent": known})

    def leave(self, ticket: Ticket) -> None:
        """Report that a ticket does not wait any more."""
        if ticket.number is not None:
            self._report(ticket.group, self._todo("leave", ticket))

    def close(self) -> None:
        """Close the connections, if they are ours."""
        if self._owned:
            self._client.close()

    def _give_back(self, ticket: Ticket, grant: Grant) -> None:
        todo = {**self._todo("give_back", ticket), **_charged(grant)}
        self._report(ticket.group, todo)

    def _todo(self, op: str, ticket: Ticket) -> dict[str, Any]:
        if ticket.number is None:
            ticket.number = next(self._numbers)
        todo: dict[str, Any] = {
            "op": op,
            "id": f"{self._me}:{ticket.number}",
            "lane": ticket.demand.lane,
            "ramp": self._ramp,
        }
        limits = self._limits_of(ticket.group.name)
        if limits is not None:
            todo["limits"] = limits
        return todo

    def _ask(self, group: Group, todo: Mapping[str, Any]) -> dict[str, Any]:
        key = f"claude-throttle:{{{group.scope}}}:{group.name}"
        text = json.dumps(todo)
        if self._sha is not None:
            try:
                reply: dict[str, Any] = json.loads(self._client.evalsha(self._sha, 1, key, text))
                return reply
            except Exception as error:
                if type(error).__name__ != "NoScriptError":
                    raise
        self._sha = self._client.script_load(SCRIPT)
        again: dict[str, Any] = json.loads(self._client.evalsha(self._sha, 1, key, text))
        return again

    def _report(self, group: Group, todo: dict[str, Any]) -> None:
        with self._lock:
            self._reports.append((group, todo))
            if self._reporting:
                return
            self._reporting = True
        from threading import Thread

        Thread(target=self._send_reports, name="claude-throttle-reports", daemon=True).start()

    def _send_reports(self) -> None:
        while True:
            with self._lock:
                if not self._reports:
                    self._reporting = False
                    return
                group, todo = self._reports.popleft()
            if monotonic() < self._down_until:
                continue
            try:
                _note(group, self._ask(group, todo))
            except Exception as error:  # noqa: BLE001 - whatever redis-py raises
                if self._on_error == "local":
                    # Whoever asks next says so: a warning may be an error, and this is no place.
                    self._problem = error
                    self._down_until = monotonic() + _DOWN_FOR
            self._wake(group)

    def _failed(self, error: Exception) -> None:
        if self._on_error == "raise":
            raise ThrottleStoreError(
                "the Redis that rate limits are shared through does not answer"
            ) from error
        self._problem = error
        self._down_until = monotonic() + _DOWN_FOR
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        if self._warned:
            return
        self._warned = True
        warnings.warn(
            f"the Redis that rate limits are shared through does not answer "
            f"({type(error).__name__}); this process follows them for itself meanwhile",
            ThrottleStoreWarning,
            stacklevel=2,
        )


def _connected(url: str) -> Any:
    try:
        import redis
    except ImportError:
        raise MissingRedisError(
            "sharing rate limits through Redis needs redis-py: pip install 'claude-client[redis]'"
        ) from None
    # Partly typed: what it takes depends on the URL.
    make = cast("Any", redis.Redis.from_url)  # pyright: ignore[reportUnknownMemberType]
    return make(url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT)


def _charged(grant: Grant) -> dict[str, Any]:
    return {"costs": dict(grant.costs), "marks": dict(grant.marks), "at": grant.at}


def _note(group: Group, reply: Mapping[str, Any]) -> None:
    """Remember what the pools were seen to hold, for snapshots."""
    from .throttle import PoolState

    group.seen = {name: PoolState(*each) for name, each in reply["pools"].items()}
    group.pools.known = reply["known"]
