"""The throttle: makes requests wait until the limits have room for them."""

from __future__ import annotations

import os
from _thread import allocate_lock
from collections import deque
from time import monotonic, time
from typing import TYPE_CHECKING, Any, NamedTuple

from ..logs import INFO, log
from .demand import NOTHING, Used, with_prefix
from .errors import ThrottleTimeoutError
from .headers import header_names, told_by
from .line import PRIORITY_INPUT, Group, Ticket
from .pools import Grant, Shortage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from claude_rest._runtime.meta import Meta

    from .demand import Demand
    from .redis_pools import RedisPools

_POOLS = (
    "requests",
    "tokens",
    "input_tokens",
    "output_tokens",
    "fast_input_tokens",
    "fast_output_tokens",
    "priority_input_tokens",
    "priority_output_tokens",
)
_EVERY = "*"
_RATE_LIMITED = 429
_FULL = 0.95
"""Share of a minute's worth from which a pool is taken to hold all of it: numbers are rounded."""


class Clock:
    """The clocks that a throttle reads; tests have others."""

    def now(self) -> float:
        """Return seconds of a clock that only goes forward."""
        return monotonic()

    def date(self) -> float:
        """Return seconds since 1970."""
        return time()

    def real(self, seconds: float) -> float:
        """Return how long to wait, in real seconds, for so many seconds of this clock."""
        return seconds


class WaitEvent(NamedTuple):
    """A request begins to wait."""

    operation: str
    group: str
    """Whose limits: a model class such as ``"opus"``, or a resource such as ``"files"``."""
    pool: str | None
    """What is short, such as ``"input-tokens"``; ``None``: the server asked to wait, or others
    are before it."""
    seconds: float | None
    """How long it takes if nothing else happens; ``None`` while others are before it."""
    before: int
    """How many are before it in the line."""


class PoolState(NamedTuple):
    """What the throttle believes about one pool."""

    limit: float
    """A minute's worth."""
    available: float
    """What may be taken now; below 0 after requests took more than was estimated."""
    capacity: float
    """The most that there can be at once."""


class GroupState(NamedTuple):
    """What the throttle believes about the limits of one model class or resource."""

    pools: dict[str, PoolState]
    """By the names in the headers, such as ``"input-tokens"``; without those not limited."""
    waiting: int
    under_way: int
    """Requests sent from here whose answers have not ended."""
    paused_for: float
    """Seconds that the server still wants nothing."""
    known: bool
    """Whether limits were given, or an answer has told them."""


class Throttle:
    """Lets requests through as the rate limits allow, in the order they came.

    What the limits are is read off every answer. Until the first one only a few requests go
    through. Safe to share between clients, threads, event loops, and across a fork.
    """

    def __init__(
        self,
        limits: Mapping[str, Mapping[str, float]] | None = None,
        *,
        ramp: int = 4,
        max_wait: float | None = None,
        on_wait: Callable[[WaitEvent], object] | None = None,
        redis: Any = None,
        on_error: Literal["local", "raise"] = "local",
        namespace: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make a throttle.

        Args:
            limits: What is known beforehand: a minute's worth by model class or resource, such as
                ``{"opus": {"requests": 1000, "input_tokens": 2_000_000}, "files": {"requests":
                500}}``; ``"*"`` stands for all others. Answers correct it.
            ramp: How many requests go through at once while nothing is known; then one a second.
            max_wait: Most seconds a request may wait here; ``ThrottleTimeoutError`` after that.
                The deadline of a call holds in any case.
            on_wait: Called when a request begins to wait; what it raises ends the call.
            redis: URL of a Redis through which processes and machines share their limits, or a
                client of redis-py. Extra ``redis``.
            on_error: Without Redis, go on with limits of this process after one warning
                (``"local"``), or raise ``ThrottleStoreError`` (``"raise"``).
            namespace: What shares limits. Default: what has the same credential, workspace and
                server. Different keys of one organization share theirs with the same name here.
            clock: For tests.

        Raises:
            ValueError: a figure out of bounds, or a limit that there is not.
            MissingRedisError: ``redis`` is a URL and the extra is not installed.
        """
        self._limits = {name: _checked(name, given) for name, given in (limits or {}).items()}
        if ramp < 1:
            raise ValueError("ramp is 1 or more")
        if max_wait is not None and not max_wait >= 0:
            raise ValueError("max_wait is 0 or more seconds")
        if on_error not in ("local", "raise"):
            raise ValueError("on_error is 'local' or 'raise'")
        self.ramp = ramp
        self.max_wait = max_wait
        self.on_wait = on_wait
        self.namespace = namespace
        self._clock = Clock() if clock is None else clock
        self._groups: dict[tuple[str, str], Group] = {}
        self._dropped: deque[Ticket] = deque()
        self._process = os.getpid()
        self._lock = allocate_lock()
        self._shared: RedisPools | None = None
        if redis is not None:
            from .redis_pools import RedisPools

            self._shared = RedisPools(redis, on_error, self._wake_group, self._limits_of, ramp)

    @classmethod
    def of(cls, given: Throttle | bool | str | None) -> Throttle | None:
        """Return what ``Claude(throttle=...)`` stands for: ``True``, a URL of Redis, or itself."""
        if given is None or given is False:
            return None
        if given is True:
            return cls()
        if isinstance(given, str):
            return cls(redis=given)
        if not isinstance(given, cls):
            raise TypeError(
                f"throttle is True, a Throttle or the URL of a Redis, not {type(given).__name__}"
            )
        return given

    def snapshot(self) -> dict[str, GroupState]:
        """Return what is believed of the limits, by model class or resource.

        Where clients of several credentials share this throttle, a name that both have is
        followed by ``@`` and the namespace.
        """
        found: dict[str, GroupState] = {}
        with self._locked():
            now = self._clock.now()
            for (scope, name), group in self._groups.items():
                state = _state(group, now)
                found[f"{name}@{scope}" if name in found else name] = state
        return found

    def close(self) -> None:
        """Close the connections to Redis, if there are any; they open again when needed."""
        if self._shared is not None:
            self._shared.close()

    def __repr__(self) -> str:
        where = "" if self._shared is None else ", shared"
        return f"Throttle({', '.join(name for _, name in self._groups)}{where})"

    # What the drivers call. Everything below is short and never waits, but for calls of Redis.

    def enter(self, scope: str, demand: Demand, deadline: float | None) -> Ticket:
        """Take a ticket, which has its grant at once if nobody waits and there is enough.

        ``deadline`` is by ``time.monotonic()``.
        """
        with self._locked():
            now = self._clock.now()
            group = self._group(scope, demand.group, now)
            ticket = Ticket(demand, group, self._until(deadline, now))
            line = group.line(ticket)
            if self._shared is None and not line:
                taken = group.pools.take(group.options(demand), now)
                if isinstance(taken, Grant):
                    ticket.grant = taken
                    return ticket
            line.join(ticket)
            ticket.shared = self._shared is not None
        return ticket

    def step(self, ticket: Ticket) -> tuple[float | None, WaitEvent | None]:
        """Let a ticket through if it can be; else return how long to wait, and what to tell.

        Seconds are real ones; ``None`` means until woken.

        Raises:
            ThrottleTimeoutError: it cannot be in time.
        """
        with self._locked():
            now = self._clock.now()
            group = ticket.group
            if group.line(ticket).first is not ticket:
                return self._patience(ticket, None, now)
            if self._shared is not None and self._shared.is_up(monotonic()):
                # Its turn has come only now.
                return 0.0, None
            taken = group.pools.take(group.options(ticket.demand), now)
            if isinstance(taken, Grant):
                ticket.shared = False
                group.seen = {}
                return self._granted(ticket, taken)
            return self._patience(ticket, taken, now)

    def shared_turn(self, ticket: Ticket) -> RedisPools | None:
        """Return the pools to ask for a ticket; ``None`` when it is for :meth:`step`."""
        shared = self._shared
        if shared is None:
            return None
        if not shared.is_up(monotonic()):
            shared.warn()
            return None
        with self._locked():
            return shared if ticket.group.line(ticket).first is ticket else None

    def shared_step(
        self, ticket: Ticket, taken: Grant | Shortage
    ) -> tuple[float | None, WaitEvent | None]:
        """Do what the shared pools said; see :meth:`step`."""
        with self._locked():
            if isinstance(taken, Grant):
                ticket.shared = True
                ticket.group.pools.under_way += 1
                return self._granted(ticket, taken)
            return self._patience(ticket, taken, self._clock.now())

    def _granted(self, ticket: Ticket, grant: Grant) -> tuple[None, None]:
        ticket.grant = grant
        following = ticket.group.line(ticket).leave(ticket)
        if following is not None and following.wake is not None:
            following.wake()
        return None, None

    def _patience(
        self, ticket: Ticket, shortage: Shortage | None, now: float
    ) -> tuple[float | None, WaitEvent | None]:
        due = None if shortage is None else shortage.seconds
        if ticket.until is not None:
            left = ticket.until - now
            if left <= 0 or (shortage is not None and shortage.certain and shortage.seconds > left):
                raise self._too_late(ticket, shortage)
            due = left if due is None else min(due, left)
        event: WaitEvent | None = None
        if not ticket.told:
            ticket.told = True
            event = self._event(ticket, shortage)
        if due is None or due == float("inf"):
            return None, event
        return self._clock.real(due), event

    def _event(self, ticket: Ticket, shortage: Shortage | None) -> WaitEvent:
        demand = ticket.demand
        seconds = None if shortage is None else shortage.seconds
        before = 0 if shortage is not None else len(ticket.group.line(ticket)) - 1
        log(
            INFO,
            "%s: waits for the limits of %s, %d before it",
            demand.operation,
            demand.group,
            before,
            operation=demand.operation,
            group=demand.group,
            wait=seconds,
        )
        pool = None if shortage is None else shortage.pool or None
        return WaitEvent(demand.operation, demand.group, pool, seconds, before)

    def _too_late(self, ticket: Ticket, shortage: Shortage | None) -> ThrottleTimeoutError:
        demand = ticket.demand
        return ThrottleTimeoutError(
            group=demand.group,
            pool=None if shortage is None else shortage.pool or None,
            wait=None if shortage is None else shortage.seconds,
            max_wait=self.max_wait,
            operation=demand.operation,
        )

    def abandon(self, ticket: Ticket) -> None:
        """Take out a ticket whose call has ended before its request was sent."""
        with self._locked():
            if ticket.grant is not None:
                self._over(ticket, "give_back")
                return
            following = ticket.group.line(ticket).leave(ticket)
            if following is not None and following.wake is not None:
                following.wake()
        if self._shared is not None:
            self._shared.leave(ticket)

    def answered(self, ticket: Ticket, meta: Meta) -> bool:
        """Take in the head of an answer; tell whether what it used is still to come."""
        headers = meta.headers
        failed = meta.status_code >= 300
        pause = 0.0
        if meta.status_code == _RATE_LIMITED:
            pause = meta.rate_limits.retry_after or 0.0
        with self._locked():
            group, grant = ticket.group, ticket.grant
            assert grant is not None
            now = self._clock.now()
            grant = ticket.grant = self._rehomed(ticket, grant, headers, now)
            pools = group.pools.pools
            full = {
                name: pool.limit
                for name, pool in pools.items()
                if pool.limit is not None and pool.capacity >= _FULL * pool.limit
            }
            told = told_by(headers, grant.costs, full, self._clock.date())
            if ticket.shared and self._shared is not None:
                self._shared.answer(ticket, told, teaches=not failed, pause=pause)
            else:
                group.pools.answer(grant, told, now, teaches=not failed, pause=pause)
            if failed or not ticket.demand.takes_tokens:
                self._over(ticket, "finish", NOTHING)
                return False
            self._wake(group)
            return True

    def _rehomed(
        self, ticket: Ticket, grant: Grant, headers: Mapping[str, str], now: float
    ) -> Grant:
        """Return the grant on the pools that a request turned out to draw on."""
        if not ticket.demand.priority or ticket.shared:
            return grant
        priority = header_names(PRIORITY_INPUT)[0] in headers
        if priority is (PRIORITY_INPUT in grant.costs):
            return grant
        costs = with_prefix(grant.costs, "priority-" if priority else "")
        return ticket.group.pools.move(grant, costs, now)

    def finished(self, ticket: Ticket, used: Used) -> None:
        """Account for what an answer used. Only the first time counts."""
        with self._locked():
            self._over(ticket, "finish", used)

    def lost(self, ticket: Ticket, *, unsent: bool) -> None:
        """Account for a request without an answer."""
        with self._locked():
            self._over(ticket, "give_back" if unsent else "lose")

    def drop(self, ticket: Ticket) -> None:
        """Account later for an answer that nobody reads any more; safe inside of a finalizer."""
        self._dropped.append(ticket)

    def _over(self, ticket: Ticket, how: str, used: Used | None = None) -> None:
        grant = ticket.grant
        if ticket.over or grant is None:
            return
        ticket.over = True
        group = ticket.group
        spent: dict[str, float | None] | None = None
        if used is not None:
            spent = used.by_pool(grant.costs)
            if used is not NOTHING:
                group.estimates.learn(ticket.demand, used)
        if ticket.shared and self._shared is not None:
            group.pools.under_way -= 1
            self._shared.over(ticket, how, spent)
            return
        now = self._clock.now()
        if how == "finish":
            group.pools.finish(grant, spent or {}, now)
        elif how == "give_back":
            group.pools.give_back(grant, now)
        else:
            group.pools.lose(grant, now)
        self._wake(group)

    def _wake(self, group: Group) -> None:
        """Let those whose turn it is look again."""
        for ticket in group.firsts():
            if ticket.wake is not None:
                ticket.wake()

    def _wake_group(self, group: Group) -> None:
        with self._locked():
            self._wake(group)

    def _until(self, deadline: float | None, now: float) -> float | None:
        until = None if self.max_wait is None else now + self.max_wait
        if deadline is not None:
            left = now + deadline - monotonic()
            until = left if until is None else min(until, left)
        return until

    def _group(self, scope: str, name: str, now: float) -> Group:
        group = self._groups.get((scope, name))
        if group is None:
            limits = self._limits_of(name)
            group = self._groups[scope, name] = Group(name, scope, self.ramp, limits, now)
        return group

    def _limits_of(self, group: str) -> dict[str, float] | None:
        return self._limits.get(group, self._limits.get(_EVERY))

    def _locked(self) -> Any:
        """Return the lock, after what cannot be done while it is held elsewhere."""
        if self._process != os.getpid():
            # After a fork: those who wait, and who held the lock, are not here any more.
            self._process = os.getpid()
            self._lock = allocate_lock()
            self._dropped.clear()
            for group in self._groups.values():
                group.lines.clear()
                group.pools.forget_under_way()
            if self._shared is not None:
                self._shared.forked()
        while self._dropped:
            try:
                ticket = self._dropped.popleft()
            except IndexError:
                break
            with self._lock:
                self._over(ticket, "lose")
        return self._lock


def _checked(group: str, given: Mapping[str, float]) -> dict[str, float]:
    limits: dict[str, float] = {}
    for name, limit in given.items():
        if name.replace("-", "_") not in _POOLS:
            raise ValueError(
                f"limits of {group!r}: {name!r} is none; there are {', '.join(_POOLS)}"
            )
        if not limit > 0:
            raise ValueError(f"limits of {group!r}: {name} must be above 0")
        limits[name.replace("_", "-")] = float(limit)
    return limits


def _state(group: Group, now: float) -> GroupState:
    pools: dict[str, PoolState] = {}
    for name, pool in group.pools.pools.items():
        pool.fill(now)
        if pool.limit is not None:
            pools[name] = PoolState(pool.limit, pool.level, pool.capacity)
    return GroupState(
        group.seen or pools,
        group.waiting,
        group.pools.under_way,
        max(group.pools.paused_until - now, 0.0),
        group.pools.known,
    )
