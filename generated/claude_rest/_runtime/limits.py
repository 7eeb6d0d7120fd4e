"""The limits of one request, in the form that httpx passes on to what reads and writes."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from .timeouts import Timeout
from .unset import UNSET

if TYPE_CHECKING:
    from typing import Final

    from typing_extensions import Self

_DEFAULT: Final = Timeout()
# The timeout of an httpx client that was given none. Few answers take less than its 5 seconds.
_OF_HTTPX: Final = Timeout(5.0)
# Waiting for no time at all means something else to a socket.
_LEAST_SECONDS: Final = 0.001


class Limit(float):
    """Seconds that a step may take: its own limit, or what the deadline leaves if that is less.

    As a number it is that of the moment when it was made. What knows this class can ask anew.
    """

    __slots__ = ("deadline", "seconds")

    deadline: float
    """When all must be over, by ``time.monotonic()``."""
    seconds: float | None
    """The limit of the step itself."""

    def __new__(cls, seconds: float | None, deadline: float) -> Self:
        """Make a limit of a step and a deadline."""
        left = max(deadline - monotonic(), _LEAST_SECONDS)
        self = super().__new__(cls, left if seconds is None else min(seconds, left))
        self.seconds = seconds
        self.deadline = deadline
        return self


def limited(seconds: float | None, deadline: float | None) -> float | None:
    """Return ``seconds``, cut down to a deadline if there is one."""
    return seconds if deadline is None else Limit(seconds, deadline)


def http_timeouts(limits: Timeout, deadline: float | None) -> dict[str, float | None]:
    """Return limits as the ``timeout`` extension of a request; its reads are for the headers."""
    return {
        "connect": limited(limits.connect, deadline),
        "pool": limited(limits.pool, deadline),
        "write": limited(limits.write, deadline),
        "read": limited(limits.first_byte, deadline),
    }


def effective_limits(given: Any, timeout: Any) -> Timeout:
    """Return the limits of a request: its own, else those of a client the caller configured."""
    if timeout is not UNSET:
        return Timeout.of(timeout)
    if given is None:
        return _DEFAULT
    theirs = Timeout.of(getattr(given, "timeout", UNSET))
    return _DEFAULT if theirs == _OF_HTTPX else theirs
