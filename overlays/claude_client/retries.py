"""Whether a failed attempt is worth another one, and after how long.

:class:`RetryPolicy` is a plain value that decides and never sleeps: it is given the number of
attempts made, what came of the last one and the time since the first, and answers
:class:`Retry` or :class:`GiveUp`. It works without a client.

What is retried by default; ``docs/retries.md`` has every cell, with the reasons:

===================================== ===== ======== ==========
what came of the attempt              safe  billable mutating
===================================== ===== ======== ==========
``x-should-retry`` of the server      as it says, before all else
error code with a verdict             as it says
certificate of the server not trusted no    no       no
request not sent whole                yes   yes      yes
request sent whole, answer lost       yes   opt-in   no
408, 409, 500, 502, 504, other >= 500 yes   yes      no
429, 529                              yes   yes      yes
503                                   yes   yes      if it says when
===================================== ===== ======== ==========

An error that came as the first event of a stream counts as the status of its kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from claude_rest._runtime.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    causes_of,
)

from .retry_budget import RetryBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from claude_rest._runtime.operation import Operation

__all__ = ["GiveUp", "Outcome", "Retry", "RetryBudget", "RetryEvent", "RetryPolicy"]

RETRYABLE_STATUSES = frozenset({408, 409, 429})
"""Statuses below 500 that are retried for ``safe`` and ``billable`` operations."""

REFUSED_STATUSES = frozenset({429, 529})
"""Statuses by which the server says that it did not start to work.

A 503 says so only together with the time to come back at: gateways make one, too, of a
connection to the server that broke while the server worked.
"""

UNSENT_PHASES = frozenset({"dns", "connect", "tls", "pool", "send"})
"""Phases that an attempt fails in before the request has gone out whole.

No server acts on half a request, so the work cannot have started.
"""


class Outcome:
    """What came of one attempt that failed."""

    __slots__ = (
        "error_code",
        "error_type",
        "headers",
        "kind",
        "origin",
        "phase",
        "status",
        "untrusted",
    )

    kind: Literal["response", "connection", "timeout"]
    status: int | None
    """Status of the response; of an error inside a stream the usual one of its kind."""
    headers: Mapping[str, str]
    """Response headers with names in lower case."""
    error_type: str | None
    error_code: str | None
    phase: str | None
    """How far an attempt without response came; see :data:`UNSENT_PHASES`."""
    origin: Literal["response", "stream"]
    """Whether the error was a whole response or the first event of a stream."""
    untrusted: bool
    """Whether the certificate of the server did not hold: self-signed, expired, of another host."""

    def __init__(
        self,
        kind: Literal["response", "connection", "timeout"],
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        error_type: str | None = None,
        error_code: str | None = None,
        phase: str | None = None,
        origin: Literal["response", "stream"] = "response",
        untrusted: bool = False,
    ) -> None:
        """Describe an attempt; see the attributes."""
        self.kind = kind
        self.status = status
        self.headers = {} if headers is None else headers
        self.error_type = error_type
        self.error_code = error_code
        self.phase = phase
        self.origin = origin
        self.untrusted = untrusted

    @classmethod
    def of(cls, error: BaseException) -> Outcome | None:
        """Describe the attempt that ended in ``error``; None for what is no failed attempt."""
        if isinstance(error, APIError) and error.attempts == 0:
            return None  # Refused before it was sent; sending it again changes nothing.
        if isinstance(error, APIStatusError):
            return cls(
                "response",
                status=error.status_code,
                headers=error.headers,
                error_type=error.type,
                error_code=error.error_code,
                origin=error.origin,
            )
        if isinstance(error, APIConnectionError):
            kind: Literal["connection", "timeout"] = (
                "timeout" if isinstance(error, APITimeoutError) else "connection"
            )
            return cls(kind, phase=error.phase, untrusted=_is_untrusted(error))
        return None

    def __str__(self) -> str:
        if self.kind != "response":
            what = "a timeout" if self.kind == "timeout" else "a lost connection"
            return f"{what} in phase {self.phase}" if self.phase else what
        parts = [
            f"{self.error_type or 'error'} in the stream"
            if self.origin == "stream"
            else f"status {self.status}"
        ]
        if self.error_code:
            parts.append(self.error_code)
        return ", ".join(parts)

    def __repr__(self) -> str:
        return f"Outcome({self.kind!r}, status={self.status!r}, phase={self.phase!r})"


class Retry:
    """Try again after ``wait`` seconds.

    ``asked`` says that the server named the wait.
    """

    __slots__ = ("asked", "reason", "wait")

    def __init__(self, wait: float, reason: str, *, asked: bool = False) -> None:
        """Say how long to wait, and why another attempt makes sense."""
        self.wait = wait
        self.reason = reason
        self.asked = asked

    def __repr__(self) -> str:
        return f"Retry(wait={self.wait!r}, reason={self.reason!r})"


class GiveUp:
    """Raise the error.

    ``asked_wait`` is what the server asked for, in seconds, if it did. ``tell`` says that the
    reason is news to whoever sees the error, and belongs into its message.
    """

    __slots__ = ("asked_wait", "reason", "tell")

    def __init__(self, reason: str, asked_wait: float | None = None, *, tell: bool = False) -> None:
        """Say why there is no other attempt."""
        self.reason = reason
        self.asked_wait = asked_wait
        self.tell = tell

    def __repr__(self) -> str:
        return f"GiveUp({self.reason!r}, asked_wait={self.asked_wait!r})"


Decision: TypeAlias = Retry | GiveUp


class RetryEvent:
    """An attempt failed and another one follows: what ``RetryPolicy.on_retry`` is given."""

    __slots__ = ("attempt", "error", "operation", "reason", "wait")

    operation: str
    """Operation that is retried, for example ``messages.create``."""
    attempt: int
    """Number of the attempt that failed, from 1."""
    wait: float
    """Seconds until the next one."""
    reason: str
    """Why another attempt makes sense, for example ``status 529``."""
    error: APIError
    """What the attempt ended in."""

    def __init__(
        self, operation: str, attempt: int, wait: float, reason: str, error: APIError
    ) -> None:
        """Describe a retry; see the attributes."""
        values: dict[str, Any] = dict(locals())
        del values["self"]
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("RetryEvent is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("RetryEvent is immutable")

    def __repr__(self) -> str:
        return (
            f"RetryEvent({self.operation!r}, attempt={self.attempt}, wait={self.wait:.3f}, "
            f"reason={self.reason!r})"
        )


class RetryPolicy:
    """Decides about retries; immutable, shared freely between clients and threads.

    A subclass that overrides :meth:`judge` changes what is retried, and keeps the waits, the
    limits and the deadline.
    """

    __slots__ = (
        "backoff_base",
        "backoff_max",
        "clock",
        "deadline",
        "max_delay",
        "max_retries",
        "on_retry",
        "random",
        "resend_billable",
    )

    max_retries: int
    backoff_base: float
    backoff_max: float
    max_delay: float
    deadline: float | None
    resend_billable: bool
    on_retry: Callable[[RetryEvent], object] | None
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
        resend_billable: bool = False,
        on_retry: Callable[[RetryEvent], object] | None = None,
        random: Callable[[], float] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Make a policy.

        Args:
            max_retries: Attempts after the first one; 0 turns all retries off, whatever a server
                says.
            backoff_base: Without word from the server the wait is random between 0 and
                ``backoff_base * 2 ** n`` seconds, n being the retries made so far.
            backoff_max: Most seconds that such a wait takes.
            max_delay: Longest wait in seconds that a server may ask for; asked for longer, the
                policy gives up at once.
            deadline: Seconds within which the call as a whole must be over: all attempts, the
                waits between them and reading the answer. The same as ``Timeout.deadline``; of
                the two the shorter holds. No wait is begun that would pass it.
            resend_billable: Whether a call that costs money is sent again when its answer was
                lost after the request had gone out whole. It may be billed twice.
            on_retry: Called with a :class:`RetryEvent` before each wait, in the thread or event
                loop of the call, so it must not block; what it raises ends the call.
            random: Returns a float from 0 up to 1; for tests.
            clock: Returns the wall-clock time in seconds since 1970; for tests.

        Raises ``ValueError`` for figures that make no sense.
        """
        values: dict[str, Any] = dict(locals())
        del values["self"]
        _check(values)
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("RetryPolicy is immutable; see replace()")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("RetryPolicy is immutable; see replace()")

    def replace(self, **changes: Any) -> Self:
        """Return a copy, of the same class, with some arguments of the constructor changed."""
        for name in changes:
            if name not in RetryPolicy.__slots__:
                raise TypeError(f"RetryPolicy has no argument {name!r}")
        _check(changes)
        copy: Self = _restore(type(self), {**self._values(), **changes})
        return copy

    def _values(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in RetryPolicy.__slots__}
        # What a subclass keeps beside them.
        return {**values, **getattr(self, "__dict__", {})}

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__ or not isinstance(other, RetryPolicy):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((self.max_retries, self.backoff_base, self.max_delay, self.deadline))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.max_retries}, max_delay={self.max_delay!r}, "
            f"deadline={self.deadline!r}, resend_billable={self.resend_billable!r})"
        )

    def __reduce__(self) -> Any:
        return (_restore, (type(self), self._values()))

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
        asked = self.asked_wait(outcome.headers)
        over = self._over(attempt, elapsed)
        verdict = self.judge(outcome, "billable" if operation is None else operation.retry)
        if isinstance(verdict, GiveUp):
            # How to have it retried is no news to a call that could not be retried anyway.
            return GiveUp(verdict.reason, asked, tell=verdict.tell and over is None)
        if over is not None:
            return GiveUp(over, asked)
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
        return Retry(wait, verdict, asked=asked is not None)

    def _over(self, attempt: int, elapsed: float) -> str | None:
        """Say why no attempt at all may follow this one; None if one may."""
        if self.max_retries == 0:
            return "retries are off"
        if attempt > self.max_retries:
            return "no retries left"
        if self.deadline is not None and elapsed >= self.deadline:
            return f"the deadline of {self.deadline:g} s has passed"
        return None

    def judge(self, outcome: Outcome, retry_class: str) -> str | GiveUp:
        """Say why an outcome may be retried at all, or :class:`GiveUp`.

        This is the table at the top of this module; override it to change the table.
        ``retry_class`` is that of the operation: ``safe``, ``billable`` or ``mutating``.
        """
        should_retry = outcome.headers.get("x-should-retry")
        if should_retry == "true":
            return "the server said so (x-should-retry)"
        if should_retry == "false":
            return GiveUp("the server said not to (x-should-retry)")
        if outcome.kind != "response":
            return self._judge_silence(outcome, retry_class)
        status = outcome.status or 0
        waits = self.asked_wait(outcome.headers) is not None
        by_code = _verdict_of(outcome.error_code)
        if by_code == "false" and not (status == 429 and waits):
            return GiveUp(f"the error {outcome.error_code} stays")
        by_code_retried = by_code in ("true", "after-wait")
        if retry_class == "mutating":
            # Below 500 the server has refused. Above, it may have failed half-way.
            retryable = (
                (by_code_retried and status < 500)
                or status in REFUSED_STATUSES
                or (status == 503 and (waits or by_code_retried))
            )
        else:
            retryable = by_code_retried or status in RETRYABLE_STATUSES or status >= 500
        if retryable:
            return str(outcome)
        return GiveUp(f"{outcome} is not retried for {retry_class} operations")

    def _judge_silence(self, outcome: Outcome, retry_class: str) -> str | GiveUp:
        """Judge an attempt that has no answer."""
        if outcome.untrusted:
            return GiveUp("the server would show the same certificate again")
        if retry_class == "safe" or outcome.phase in UNSENT_PHASES:
            return str(outcome)
        if retry_class == "mutating":
            return GiveUp("the request was sent whole and may have taken effect", tell=True)
        if self.resend_billable:
            return f"{outcome}, resend_billable"
        return GiveUp(
            "the request was sent whole, so the work may be done and billed; "
            "retry=RetryPolicy(resend_billable=True) sends it again all the same",
            tell=True,
        )

    def asked_wait(self, headers: Mapping[str, str]) -> float | None:
        """Return the seconds a response asks to wait, None if it does not or not sensibly.

        ``retry-after-ms`` comes before ``retry-after``, which holds seconds or an HTTP date
        (RFC 9110 section 10.2.3).
        """
        if "retry-after" not in headers and "retry-after-ms" not in headers:
            return None
        from claude_rest._runtime.error_bodies import parse_retry_after

        return parse_retry_after(headers, None if self.clock is None else self.clock()) or None

    def _fraction(self) -> float:
        if self.random is not None:
            return self.random()
        from random import random

        return random()  # noqa: S311


def _check(figures: Mapping[str, Any]) -> None:
    for name in ("max_retries", "backoff_base", "backoff_max", "max_delay"):
        # Written so that "not a number" does not pass either.
        if not figures.get(name, 0) >= 0:
            what = "counts attempts after the first" if name == "max_retries" else "is in seconds"
            raise ValueError(f"{name} {what}: 0 or more")
    deadline = figures.get("deadline")
    if deadline is not None and not deadline > 0:
        raise ValueError("deadline is in seconds, more than 0, or None for none")


def _is_untrusted(error: APIConnectionError) -> bool:
    """Tell whether it was the check of the server's certificate that failed."""
    if error.phase != "tls":
        return False
    from ssl import SSLCertVerificationError

    return any(isinstance(each, SSLCertVerificationError) for each in causes_of(error))


def _verdict_of(error_code: str | None) -> str | None:
    """Return whether repeating can help, by an error code (spec: ``x-error-codes``)."""
    if error_code is None:
        return None
    from claude_rest.errors import CODE_RETRIES

    return CODE_RETRIES.get(error_code)


def _restore(cls: type[Any], values: dict[str, Any]) -> Any:
    # Not by the constructor, which a subclass may have changed.
    policy = object.__new__(cls)
    for name, value in values.items():
        object.__setattr__(policy, name, value)
    return policy
