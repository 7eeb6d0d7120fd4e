"""Whether a failed attempt is worth another one, and after how long.

:class:`RetryPolicy` is a plain value that decides and never sleeps: it is given the number of
attempts made, what came of the last one and the time since the first, and answers
:class:`Retry` or :class:`GiveUp`. It works without a client.

What is retried by default, on top of what ``x-should-retry`` says:

========== ============================= =====================================
class      no response                   status
========== ============================= =====================================
safe       always                        408, 409, 429, 500 and above
billable   always                        408, 409, 429, 500 and above
mutating   only if it never connected    429, 503, 529 (refused before work)
========== ============================= =====================================

An error code of the API that says whether repeating helps comes before the status: with such a
code a 409 of two changes at once is retried and a 429 of a spend limit is not, unless it says how
long to wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from claude_rest._runtime.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    parse_retry_after,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from claude_rest._runtime.operation import Operation

RETRYABLE_STATUSES = frozenset({408, 409, 429})
"""Statuses below 500 that are retried for ``safe`` and ``billable`` operations."""

REFUSED_STATUSES = frozenset({429, 503, 529})
"""Statuses by which the server says that it did not start to work."""

UNSENT_PHASES = frozenset({"dns", "connect", "tls", "pool"})
"""Phases of an attempt before the first byte of the request goes out."""


class Outcome:
    """What came of one attempt that failed."""

    __slots__ = ("error_code", "error_type", "headers", "kind", "phase", "status")

    kind: Literal["response", "connection", "timeout"]
    status: int | None
    headers: Mapping[str, str]
    """Response headers with names in lower case."""
    error_type: str | None
    error_code: str | None
    phase: str | None
    """How far an attempt without response came; see :data:`UNSENT_PHASES`."""

    def __init__(
        self,
        kind: Literal["response", "connection", "timeout"],
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        error_type: str | None = None,
        error_code: str | None = None,
        phase: str | None = None,
    ) -> None:
        self.kind = kind
        self.status = status
        self.headers = {} if headers is None else headers
        self.error_type = error_type
        self.error_code = error_code
        self.phase = phase

    @classmethod
    def of(cls, error: BaseException) -> Outcome | None:
        """Describe the attempt that ended in ``error``; None for what is no failed attempt."""
        if isinstance(error, APIStatusError):
            if error.attempts == 0:
                return None  # Refused before it was sent; sending it again changes nothing.
            return cls(
                "response",
                status=error.status_code,
                headers=error.headers,
                error_type=error.type,
                error_code=error.error_code,
            )
        if isinstance(error, APIConnectionError):
            kind: Literal["connection", "timeout"] = (
                "timeout" if isinstance(error, APITimeoutError) else "connection"
            )
            return cls(kind, phase=error.phase)
        return None

    def __repr__(self) -> str:
        return f"Outcome({self.kind!r}, status={self.status!r}, phase={self.phase!r})"


class Retry:
    """Try again after ``wait`` seconds."""

    __slots__ = ("reason", "wait")

    def __init__(self, wait: float, reason: str) -> None:
        self.wait = wait
        self.reason = reason

    def __repr__(self) -> str:
        return f"Retry(wait={self.wait!r}, reason={self.reason!r})"


class GiveUp:
    """Raise the error.

    ``asked_wait`` is what the server asked for, in seconds, if it did. ``tell`` says that the
    reason is news to whoever sees the error, and belongs into its message.
    """

    __slots__ = ("asked_wait", "reason", "tell")

    def __init__(self, reason: str, asked_wait: float | None = None, *, tell: bool = False) -> None:
        self.reason = reason
        self.asked_wait = asked_wait
        self.tell = tell

    def __repr__(self) -> str:
        return f"GiveUp({self.reason!r}, asked_wait={self.asked_wait!r})"


Decision: TypeAlias = Retry | GiveUp


class RetryPolicy:
    """Decides about retries; immutable, shared freely between clients and threads."""

    __slots__ = (
        "backoff_base",
        "backoff_max",
        "clock",
        "deadline",
        "max_delay",
        "max_retries",
        "random",
    )

    max_retries: int
    backoff_base: float
    backoff_max: float
    max_delay: float
    deadline: float | None
    random: Callable[[], float] | None
    clock: Callable[[], float] | None

    def __init__(
        self,
        max_retries: int = 2,
        *,
        backoff_base: float = 0.5,
        backoff_max: float = 8.0,
        max_delay: float = 60.0,
        deadline: float | None = None,
        random: Callable[[], float] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Make a policy.

        ``max_retries``: attempts after the first one; 0 turns all retries off.
        ``backoff_base``, ``backoff_max``: without word from the server the wait is random
        between 0 and ``backoff_base * 2 ** n`` seconds, at most ``backoff_max``.
        ``max_delay``: longest wait in seconds that a server may ask for; asked for longer, the
        policy gives up at once. ``deadline``: seconds from the start of the first attempt within
        which the last one must start. ``random`` returns a float from 0 up to 1, ``clock`` the
        wall-clock time in seconds since 1970; both exist for tests.
        """
        values: dict[str, Any] = dict(locals())
        del values["self"]
        if max_retries < 0:
            raise ValueError("max_retries counts attempts after the first: 0 or more")
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("RetryPolicy is immutable; see replace()")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("RetryPolicy is immutable; see replace()")

    def replace(self, **changes: Any) -> RetryPolicy:
        """Return a copy with some arguments of the constructor changed."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return RetryPolicy(**{**values, **changes})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RetryPolicy):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((self.max_retries, self.backoff_base, self.max_delay, self.deadline))

    def __repr__(self) -> str:
        return (
            f"RetryPolicy({self.max_retries}, max_delay={self.max_delay!r}, "
            f"deadline={self.deadline!r})"
        )

    def __reduce__(self) -> Any:
        return (_restore, ({name: getattr(self, name) for name in self.__slots__},))

    def decide(
        self,
        attempt: int,
        outcome: Outcome,
        elapsed: float,
        operation: Operation | None = None,
    ) -> Decision:
        """Say what to do after attempt number ``attempt`` (from 1) ended in ``outcome``.

        ``elapsed`` is the number of seconds since the first attempt began. Without an
        ``operation`` the rules of the class ``billable`` hold.
        """
        verdict = self.judge(outcome, "billable" if operation is None else operation.retry)
        if isinstance(verdict, GiveUp):
            return verdict
        asked = self.asked_wait(outcome.headers)
        if attempt > self.max_retries:
            return GiveUp("retries are off" if self.max_retries == 0 else "no retries left", asked)
        if asked is None:
            wait = self._fraction() * min(
                self.backoff_max, self.backoff_base * 2.0 ** min(attempt - 1, 62)
            )
        elif asked > self.max_delay:
            return GiveUp(
                f"the server asked to wait {asked:g} s, more than max_delay={self.max_delay:g} s",
                asked,
                tell=True,
            )
        else:
            # The server's figure is the floor. What is added keeps clients that were refused at
            # the same moment from coming back at the same moment.
            wait = asked + self._fraction() * min(self.backoff_base, 0.25 * asked)
        if self.deadline is not None and elapsed + wait >= self.deadline:
            return GiveUp(
                f"a wait of {wait:.3g} s would pass the deadline of {self.deadline:g} s",
                asked,
                tell=True,
            )
        return Retry(wait, verdict)

    def judge(self, outcome: Outcome, retry_class: str) -> str | GiveUp:
        """Say why an outcome may be retried at all, or :class:`GiveUp`.

        This is the table at the top of this module; override it to change the table.
        """
        should_retry = outcome.headers.get("x-should-retry")
        if should_retry == "true":
            return "the server said so (x-should-retry)"
        if should_retry == "false":
            return GiveUp("the server said not to (x-should-retry)", None)
        if outcome.kind != "response":
            if retry_class == "mutating" and outcome.phase not in UNSENT_PHASES:
                return GiveUp("the request may have taken effect")
            return outcome.kind
        status = outcome.status or 0
        by_code = _verdict_of(outcome.error_code)
        waits = status == 429 and self.asked_wait(outcome.headers) is not None
        if by_code == "false" and not waits:
            return GiveUp(f"the error {outcome.error_code} stays")
        if by_code in ("true", "after-wait") and (retry_class != "mutating" or status < 500):
            return f"status {status}, {outcome.error_code}"
        if retry_class == "mutating":
            retryable = status in REFUSED_STATUSES
        else:
            retryable = status in RETRYABLE_STATUSES or status >= 500
        if retryable:
            return f"status {status}"
        return GiveUp(f"status {status} is not retried for {retry_class} operations")

    def asked_wait(self, headers: Mapping[str, str]) -> float | None:
        """Return the seconds a response asks to wait, None if it does not or not sensibly.

        ``retry-after-ms`` comes before ``retry-after``, which holds seconds or an HTTP date
        (RFC 9110 section 10.2.3).
        """
        if "retry-after" not in headers and "retry-after-ms" not in headers:
            return None
        return parse_retry_after(headers, None if self.clock is None else self.clock()) or None

    def _fraction(self) -> float:
        if self.random is not None:
            return self.random()
        from random import random

        return random()  # noqa: S311


def _verdict_of(error_code: str | None) -> str | None:
    """Return whether repeating can help, by an error code (spec: ``x-error-codes``)."""
    if error_code is None:
        return None
    from claude_rest.errors import CODE_RETRIES

    return CODE_RETRIES.get(error_code)


def _restore(values: dict[str, Any]) -> RetryPolicy:
    return RetryPolicy(**values)
