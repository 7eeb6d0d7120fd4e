"""What goes wrong in a throttle."""

from __future__ import annotations

from claude_rest._runtime.errors import APITimeoutError, ClaudeError


class ThrottleTimeoutError(APITimeoutError):
    """The rate limits have no room for a request in time; it was not sent.

    Not tried again: the time that the call or the throttle allows is over.
    """

    group: str
    """Whose limits: a model class such as ``"opus"``, or a resource such as ``"files"``."""
    pool: str | None
    """What is short, such as ``"input-tokens"``."""
    wait: float | None
    """How many seconds more it would have taken, if that is known."""

    def __init__(
        self,
        *,
        group: str,
        pool: str | None = None,
        wait: float | None = None,
        max_wait: float | None = None,
        operation: str | None = None,
    ) -> None:
        """Make an error; see the attributes."""
        short = f": {pool.replace('-', ' ')} are used up" if pool else ""
        more = "" if wait is None else f", {wait:.3g} s more are needed"
        super().__init__(
            f"the rate limits of {group} leave no room for the request in time{short}{more}",
            timeout=max_wait,
            operation=operation,
            attempts=0,
        )
        self.group = group
        self.pool = pool
        self.wait = wait


class ThrottleStoreError(ClaudeError):
    """The Redis that limits are shared through does not answer; ``__cause__`` says why."""


class MissingRedisError(ClaudeError, ImportError):
    """Limits are to be shared through Redis, and redis-py is not installed."""


class ThrottleStoreWarning(RuntimeWarning):
    """Redis does not answer: this process follows the limits for itself."""
