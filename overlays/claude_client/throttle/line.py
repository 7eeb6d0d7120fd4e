"""The lines that calls wait in: first come, first served, whatever a call needs. Pure.

Only the first of a line looks at the pools. So a big request that has to wait long is not passed
by small ones, and one that goes away leaves its place to the next.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from .demand import Estimates
from .pools import Pools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .demand import Demand
    from .pools import Grant
    from .throttle import PoolState

PRIORITY_INPUT = "priority-input-tokens"


class Ticket:
    """One request: it waits in a line, then is under way, then is over."""

    __slots__ = ("demand", "grant", "group", "number", "over", "shared", "told", "until", "wake")

    demand: Demand
    group: Group
    until: float | None
    """When waiting ends in an error."""
    grant: Grant | None
    """What it took; None while it waits."""
    over: bool
    """Whether it has been accounted for."""
    shared: bool
    """Whether what it took came from pools that several processes share."""
    told: bool
    """Whether ``on_wait`` has been called."""
    number: int | None
    """Its name in shared pools, once it has asked there."""
    wake: Callable[[], None] | None
    """Makes it look again; may be called from any thread."""

    def __init__(self, demand: Demand, group: Group, until: float | None) -> None:
        """Make a ticket for the end of a line."""
        self.demand = demand
        self.group = group
        self.until = until
        self.grant = None
        self.over = False
        self.shared = False
        self.told = False
        self.number = None
        self.wake = None


class Line:
    """Tickets in the order they came."""

    __slots__ = ("_tickets",)

    def __init__(self) -> None:
        """Make an empty line."""
        # Ordered: the first is found, and any one removed, in no time.
        self._tickets: OrderedDict[int, Ticket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tickets)

    @property
    def first(self) -> Ticket | None:
        """Whose turn it is."""
        for ticket in self._tickets.values():
            return ticket
        return None

    def join(self, ticket: Ticket) -> None:
        """Put a ticket at the end."""
        self._tickets[id(ticket)] = ticket

    def leave(self, ticket: Ticket) -> Ticket | None:
        """Take a ticket out, and return the one whose turn it is now, if it was not before."""
        first = self.first
        self._tickets.pop(id(ticket), None)
        return self.first if first is ticket else None


class Group:
    """What falls under the same limits: pools, lines and what was learned."""

    __slots__ = ("estimates", "lines", "name", "pools", "scope", "seen")

    def __init__(
        self, name: str, scope: str, ramp: int, limits: Mapping[str, float] | None, now: float
    ) -> None:
        """Make a group; see :class:`.pools.Pools`."""
        self.name = name
        self.scope = scope
        """What shares its limits."""
        self.seen: dict[str, PoolState] = {}
        """What shared pools were last seen to hold."""
        self.pools = Pools(ramp, limits, now)
        self.lines: dict[str, Line] = {}
        self.estimates = Estimates()

    def line(self, ticket: Ticket) -> Line:
        """Return the line of a ticket."""
        lane = ticket.demand.lane
        line = self.lines.get(lane)
        if line is None:
            line = self.lines[lane] = Line()
        return line

    def options(self, demand: Demand) -> list[dict[str, float]]:
        """Return the costs of a call by pool, in order of preference."""
        pool = self.pools.pools.get(PRIORITY_INPUT)
        return demand.options(self.estimates, priority=pool is not None and pool.limit is not None)

    def firsts(self) -> list[Ticket]:
        """Return whose turn it is, in each line."""
        return [line.first for line in self.lines.values() if line.first is not None]

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self.lines.values()))
