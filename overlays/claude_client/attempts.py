"""Counts the attempts of one call. No I/O: the drivers send, wait and read."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from .logs import INFO, log
from .retries import GiveUp, Outcome, RetryEvent

if TYPE_CHECKING:
    from claude_rest._runtime.errors import APIError
    from claude_rest._runtime.operation import Operation
    from claude_rest._runtime.timeouts import Timeout

    from .retries import Decision, RetryBudget, RetryPolicy


class Attempts:
    """Counts the attempts of one call, and decides what follows a failed one."""

    __slots__ = (
        "_budget",
        "_content",
        "_operation",
        "_policy",
        "_spent",
        "_started",
        "deadline",
        "number",
    )

    number: int
    """Number of the attempt under way, from 1."""
    deadline: float | None
    """When the call as a whole must be over, by ``time.monotonic()``.

    The earlier of what ``Timeout.deadline`` and ``RetryPolicy.deadline`` say, both counted from
    here.
    """

    def __init__(
        self,
        operation: Operation,
        policy: RetryPolicy,
        *,
        timeout: Timeout,
        budget: RetryBudget | None,
        content: Any = None,
    ) -> None:
        """Begin a call: the clock of its deadline runs from now.

        ``content`` is the body of the request. One with a true ``spent`` cannot be sent again.
        """
        self._content = content
        self._operation = operation
        limit = timeout.deadline
        if limit is not None and (policy.deadline is None or limit < policy.deadline):
            # So that the policy begins no wait that would pass it.
            policy = policy.replace(deadline=limit)
        self._policy = policy
        self._budget = budget
        self._spent: int | None = None
        self._started = monotonic()
        seconds = policy.deadline
        # A socket takes no infinity.
        self.deadline = (
            None if seconds is None or seconds == float("inf") else self._started + seconds
        )
        self.number = 1

    def failed(self, error: APIError) -> float:
        """Return how long to wait before the next attempt, in seconds, or raise ``error``.

        Either way the error learns of the call that it ended an attempt of. Calls ``on_retry``
        of the policy, and lets out what that raises.
        """
        operation = self._operation.id
        if error.operation is None:
            error.operation = operation
        outcome = Outcome.of(error)
        # An attempt refused before it was sent is none.
        error.attempts = self.number - 1 if error.attempts == 0 else self.number
        error.max_attempts = self._policy.max_retries + 1
        if outcome is None:
            raise error
        decision = self._decide(outcome)
        if isinstance(decision, GiveUp):
            log(
                INFO,
                "%s failed after %d attempts: %s",
                operation,
                self.number,
                decision.reason,
                operation=operation,
                attempt=self.number,
                reason=decision.reason,
                request_id=error.request_id,
            )
            if decision.tell:
                error.not_retried = decision.reason
            raise error
        log(
            INFO,
            "%s: attempt %d failed, %s; next in %.3f s",
            operation,
            self.number,
            decision.reason,
            decision.wait,
            operation=operation,
            attempt=self.number,
            reason=decision.reason,
            wait=decision.wait,
            request_id=error.request_id,
        )
        on_retry = self._policy.on_retry
        if on_retry is not None:
            on_retry(RetryEvent(operation, self.number, decision.wait, decision.reason, error))
        self.number += 1
        return decision.wait

    def _decide(self, outcome: Outcome) -> Decision:
        elapsed = monotonic() - self._started
        decision = self._policy.decide(self.number, outcome, elapsed, self._operation)
        if not isinstance(decision, GiveUp) and getattr(self._content, "spent", False):
            return GiveUp(
                "the file comes from an iterator, which has been read and cannot be read again",
                self._policy.asked_wait(outcome.headers),
                tell=True,
            )
        if self._budget is None or isinstance(decision, GiveUp):
            return decision
        self._spent = self._budget.spend(decision)
        if self._spent is not None:
            return decision
        return GiveUp(
            "too many calls of this client fail, its retry budget is used up",
            self._policy.asked_wait(outcome.headers),
            tell=True,
        )

    def succeeded(self) -> None:
        """Note that the attempt under way brought the answer."""
        if self._budget is not None:
            self._budget.give_back(self._spent)
