"""What the retries of one client may cost together. Pure but for its lock."""

from __future__ import annotations

import os
from _thread import allocate_lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .retries import Retry


class RetryBudget:
    """Tokens that the retries of one client share, against retry storms.

    While the service is well, hardly any call needs a retry and the budget is full. In an outage
    every call would need all of its retries, and the service, on its knees, would get three times
    its usual load. So a retry costs tokens and a call that succeeds gives some back, and without
    tokens there are no retries: the first attempts go on and find out when the service is back.

    The figures are those of the AWS SDKs' standard retry mode, which serve them under much the
    same load: 100 retries in a row without any success, then one for each five calls that
    succeed. A retry after a wait that the server named costs only 1: it comes when the server
    wants it. There is no clock in this, so nothing refills while a client is idle.

    Safe between threads and across a fork; copies of a client by ``with_options`` share it.
    """

    __slots__ = ("_lock", "_process", "_tokens", "asked_cost", "capacity", "cost", "gain")

    capacity: int
    cost: int
    asked_cost: int
    gain: int

    def __init__(
        self, capacity: int = 500, *, cost: int = 5, asked_cost: int = 1, gain: int = 1
    ) -> None:
        """Make a full budget.

        Args:
            capacity: Most tokens there can be.
            cost: Tokens of a retry.
            asked_cost: Tokens of a retry after a wait that the server named.
            gain: Tokens that a call gives back when it succeeds at the first attempt. One that
                succeeds at a later attempt gives back what that attempt cost.

        Raises ``ValueError`` for a figure below 0.
        """
        if min(capacity, cost, asked_cost, gain) < 0:
            raise ValueError("the figures of a budget are 0 or more")
        self.capacity = capacity
        self.cost = cost
        self.asked_cost = asked_cost
        self.gain = gain
        self._tokens = capacity
        self._process = os.getpid()
        self._lock = allocate_lock()

    def _own_lock(self) -> Any:
        if self._process != os.getpid():
            # After a fork: a thread that is not here any more may have held it.
            self._lock = allocate_lock()
            self._process = os.getpid()
        return self._lock

    @property
    def tokens(self) -> int:
        """Tokens there are."""
        return self._tokens

    def spend(self, decision: Retry) -> int | None:
        """Take the tokens of a retry and return their number, None if there are too few."""
        cost = self.asked_cost if decision.asked else self.cost
        with self._own_lock():
            if cost > self._tokens:
                return None
            self._tokens -= cost
        return cost

    def give_back(self, spent: int | None = None) -> None:
        """Note a success: of a retry that cost ``spent``, or, with None, of a first attempt."""
        gained = self.gain if spent is None else spent
        with self._own_lock():
            self._tokens = min(self.capacity, self._tokens + gained)

    def __repr__(self) -> str:
        return f"RetryBudget({self._tokens} of {self.capacity})"

    def __reduce__(self) -> Any:
        # Another process has calls, and a budget, of its own: a full one.
        return (_new_budget, (self.capacity, self.cost, self.asked_cost, self.gain))


def _new_budget(capacity: int, cost: int, asked_cost: int, gain: int) -> RetryBudget:
    return RetryBudget(capacity, cost=cost, asked_cost=asked_cost, gain=gain)
