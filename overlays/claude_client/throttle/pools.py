"""Pools of requests and tokens as the server keeps them, followed from this side. Pure.

A pool is a token bucket: it holds up to ``capacity`` and gains ``limit / 60`` a second. What is in
it can only be estimated here. Every figure is kept on the safe side: as long as nobody else draws
on a pool, its ``level`` here is never above what the server has. All times are seconds of one
clock that the caller reads; :mod:`.script` does the same arithmetic inside of Redis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REQUESTS = "requests"
ASSUMED_LIMIT = 60.0
"""Requests a minute as long as nothing is known; less than what any account has."""
ROUNDING = 500.0
"""By how much a number of tokens in a header may be off: they are rounded to thousands."""
_PRIORITY = "priority-"
_TINY = 1e-6
"""So much more is waited for: what floating-point sums may be off by."""
_CAUTION = 1 - 1e-9
"""What a pool gains is taken for less by a little, so that these sums are never above the
server's."""


class Told(NamedTuple):
    """What the headers of one answer say about one pool."""

    limit: float
    """A minute's worth."""
    remaining: float
    full_in: float | None = None
    """Seconds until it is full, by the server's clock."""


class Shortage(NamedTuple):
    """Why a request cannot go yet."""

    seconds: float
    """How long it takes until it could, if nothing else happens."""
    pool: str
    """The pool that lasts longest to fill; empty while the server asked to wait."""
    certain: bool
    """Whether no request under way can make it shorter when its answer comes."""


class Grant(NamedTuple):
    """What a request has taken out of which pools."""

    costs: Mapping[str, float]
    marks: Mapping[str, float]
    """How much had been settled of each pool by then."""
    at: float


class Pool:
    """One pool. Without a limit it is unknown, or there is none: all the same it is counted."""

    __slots__ = ("assumed", "capacity", "filled", "granted", "level", "limit", "settled")

    def __init__(self, now: float) -> None:
        """Make a pool of which nothing is known."""
        self.limit: float | None = None
        self.capacity = 0.0
        self.level = 0.0
        self.filled = now
        self.assumed = False
        """Whether the limit is a guess that the first answer replaces."""
        self.granted = 0.0
        """All that was ever taken."""
        self.settled = 0.0
        """As much of it as answers have accounted for. The rest is under way."""

    def assume(self, limit: float, capacity: float, *, guess: bool) -> None:
        """Take the pool for full, with this limit."""
        self.limit = limit
        self.capacity = self.level = capacity
        self.assumed = guess

    def fill(self, now: float) -> None:
        """Bring the level up to date."""
        if self.limit is not None and now > self.filled:
            gained = (now - self.filled) * self.limit / 60 * _CAUTION
            self.level = min(self.capacity, self.level + gained)
        self.filled = max(now, self.filled)

    def seconds_to(self, cost: float) -> float:
        """Return how long it takes until there is enough.

        What a pool can never hold has enough in a full one: the estimate may be too high, and
        if it is not, the server will say so.
        """
        if self.limit is None:
            return 0.0
        missing = min(cost, self.capacity) - self.level
        return 0.0 if missing <= 0 else (missing + _TINY) * 60 / self.limit

    def charge(self, cost: float) -> float:
        """Take ``cost`` out, and return how much had been settled."""
        self.level -= cost
        self.granted += cost
        return self.settled

    def correct(self, cost: float, used: float) -> None:
        """Account for a request that was charged ``cost`` and has used ``used``."""
        self.granted += used - cost
        self.settled += used
        self.level = min(self.capacity, self.level + cost - used)

    def learn(self, told: Told, own: float, mark: float, sent: float, now: float) -> None:
        """Take in what an answer says.

        ``own`` is what of the request itself is certain to be missing from ``remaining``. Of the
        requests under way the server may have counted any or none. So there is at least what the
        answer says, less all that was not settled when its request was sent; and at most what it
        says and what has flowed in since then, less all that is still under way: that is
        corrected by its own answer.
        """
        rate = told.limit / 60
        exact = own or (told.remaining % 1000 and told.remaining != told.limit)
        slack = 0.0 if exact else ROUNDING
        least = told.remaining - slack - (self.granted - mark) + own
        most = told.remaining + slack + rate * (now - sent) - (self.granted - self.settled)
        # A date in a header has whole seconds, and two of them were subtracted.
        room = told.limit if told.full_in is None else rate * (told.full_in - 2) + told.remaining
        room = min(told.limit, max(room - slack, told.remaining - slack + own, 1.0))
        known = self.limit is not None and not self.assumed
        if known and told.limit == self.limit:
            self.capacity = max(self.capacity, room)
            self.level = min(max(self.level, least), max(most, least), self.capacity)
        else:
            self.limit, self.capacity, self.assumed = told.limit, room, False
            self.level = min(max(self.level, least), max(most, least)) if known else least
            self.level = min(self.level, self.capacity)


class Pools:
    """The pools that a model class or a resource draws on."""

    __slots__ = ("known", "paused_until", "pools", "under_way")

    def __init__(self, ramp: int, limits: Mapping[str, float] | None, now: float) -> None:
        """Begin with given limits, or with a guess that lets ``ramp`` requests through at once."""
        self.pools: dict[str, Pool] = {}
        self.known = limits is not None
        """Whether limits were given, or an answer has told them."""
        self.paused_until = now
        self.under_way = 0
        if limits is None:
            self._pool(REQUESTS, now).assume(ASSUMED_LIMIT, float(ramp), guess=True)
        for name, limit in (limits or {}).items():
            self._pool(name, now).assume(limit, limit, guess=False)

    def _pool(self, name: str, now: float) -> Pool:
        pool = self.pools.get(name)
        if pool is None:
            pool = self.pools[name] = Pool(now)
        return pool

    def take(self, options: Iterable[Mapping[str, float]], now: float) -> Grant | Shortage:
        """Take the first of the costs that there is enough for, or say how long that takes."""
        pause = self.paused_until - now
        if pause > _TINY:
            return Shortage(pause, "", certain=True)
        shortest: Shortage | None = None
        for costs in options:
            shortage = self._shortage(costs, now)
            if shortage is None:
                self.under_way += 1
                marks = {name: self.pools[name].charge(cost) for name, cost in costs.items()}
                return Grant(costs, marks, now)
            if shortest is None or shortage.seconds < shortest.seconds:
                shortest = shortage
        assert shortest is not None
        return shortest

    def _shortage(self, costs: Mapping[str, float], now: float) -> Shortage | None:
        longest, scarce, busy = 0.0, "", False
        for name, cost in costs.items():
            pool = self._pool(name, now)
            if pool.limit is None:
                if name.startswith(_PRIORITY):
                    return Shortage(float("inf"), name, certain=False)
                continue
            pool.fill(now)
            busy = busy or pool.assumed or pool.granted - pool.settled > _TINY
            seconds = pool.seconds_to(cost)
            if seconds > longest:
                longest, scarce = seconds, name
        return Shortage(longest, scarce, certain=not busy) if longest else None

    def answer(
        self,
        grant: Grant,
        told: Mapping[str, Told],
        now: float,
        *,
        teaches: bool = True,
        pause: float = 0.0,
    ) -> None:
        """Take in the head of an answer: what it says of the pools, and what it asks to wait.

        ``teaches`` is false for errors, of which many are made before limits are looked at: then
        nothing follows from a header that is missing.
        """
        if pause > 0:
            self.paused_until = max(self.paused_until, now + pause)
        for name, cost in grant.costs.items():
            pool = self._pool(name, now)
            pool.fill(now)
            own = 0.0
            if name == REQUESTS:
                pool.settled += cost
                own = cost
            said = told.get(name)
            if said is not None:
                self.known = True
                pool.learn(said, own, grant.marks.get(name, pool.settled), grant.at, now)
        requests = self._pool(REQUESTS, now)
        if teaches:
            self.known = True
            if requests.assumed:
                # Nobody limits requests here: a platform without these headers.
                requests.limit, requests.assumed = None, False
        elif pause > 0 and REQUESTS not in told:
            requests.level = min(requests.level, 0.0)

    def finish(self, grant: Grant, used: Mapping[str, float | None], now: float) -> None:
        """Account for what a request has used; what is unknown or missing, as estimated."""
        self.under_way -= 1
        for name, cost in grant.costs.items():
            if name != REQUESTS:
                pool = self._pool(name, now)
                pool.fill(now)
                spent = used.get(name)
                pool.correct(cost, cost if spent is None else spent)

    def give_back(self, grant: Grant, now: float) -> None:
        """Undo a grant whose request never left."""
        self.under_way -= 1
        for name, cost in grant.costs.items():
            pool = self._pool(name, now)
            pool.fill(now)
            pool.correct(cost, 0.0)

    def lose(self, grant: Grant, now: float) -> None:
        """Account for a request without an answer: the server may have counted all of it."""
        self.under_way -= 1
        for name, cost in grant.costs.items():
            self._pool(name, now).correct(cost, cost)

    def move(self, grant: Grant, costs: Mapping[str, float], now: float) -> Grant:
        """Charge a request to other pools than was thought."""
        marks = dict(grant.marks)
        for name, cost in grant.costs.items():
            if name not in costs:
                pool = self.pools[name]
                pool.fill(now)
                pool.correct(cost, 0.0)
                del marks[name]
        for name, cost in costs.items():
            if name not in grant.costs:
                pool = self._pool(name, now)
                pool.fill(now)
                marks[name] = pool.charge(cost)
        return Grant(costs, marks, grant.at)

    def forget_under_way(self) -> None:
        """Take all that is under way for answered: those who wait for it are gone."""
        self.under_way = 0
        for pool in self.pools.values():
            pool.settled = pool.granted
