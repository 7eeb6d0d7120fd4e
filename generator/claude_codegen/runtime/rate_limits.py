"""What the headers of a response say about rate limits.

A response names each pool of requests or tokens with three headers, for example
``anthropic-ratelimit-input-tokens-limit``, ``-remaining`` and ``-reset``. All of them are optional:
batches and some platforms send none, and a request sees the pools that it draws on.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from .error_bodies import parse_retry_after
from .timestamp import Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# What is not prefixed with "ratelimit" has pools of its own: priority and fast.
_HEADER = re.compile(r"anthropic-(?:ratelimit-)?([a-z0-9-]+)-(limit|remaining|reset)")
_DIGITS = re.compile(r"[0-9]{1,18}")


class RateLimit(NamedTuple):
    """One pool of requests or tokens, as it was when the response was sent."""

    limit: int | None = None
    """Size of the pool."""
    remaining: int | None = None
    """What is left in it; tokens are rounded to the nearest thousand."""
    reset: datetime | None = None
    """When the pool will be full again. It fills continuously, so some of it is there before."""

    def seconds_to_reset(self, now: datetime | None = None) -> float | None:
        """Return the seconds until the pool is full, never below 0; ``None`` if that is unknown.

        ``now`` is a date with a time zone; by default the time on this machine's clock.
        """
        if self.reset is None:
            return None
        return max((self.reset - (now or datetime.now(timezone.utc))).total_seconds(), 0.0)


class RateLimits:
    """The rate limits that one response tells of. False when it tells of none."""

    __slots__ = ("pools", "retry_after")

    pools: dict[str, RateLimit]
    """Each pool by its name in the headers, for example ``"input-tokens"``.

    Pools that this version has no attribute for are among them.
    """
    retry_after: float | None
    """Seconds the server asks to wait before the next attempt (some errors only)."""

    def __init__(
        self, pools: Mapping[str, RateLimit] | None = None, retry_after: float | None = None
    ) -> None:
        """Describe the pools; see the attributes."""
        self.pools = dict(pools or {})
        self.retry_after = retry_after

    @property
    def requests(self) -> RateLimit | None:
        """Requests."""
        return self.pools.get("requests")

    @property
    def tokens(self) -> RateLimit | None:
        """The most restrictive token limit in force, such as that of a workspace."""
        return self.pools.get("tokens")

    @property
    def input_tokens(self) -> RateLimit | None:
        """Input tokens."""
        return self.pools.get("input-tokens")

    @property
    def output_tokens(self) -> RateLimit | None:
        """Output tokens."""
        return self.pools.get("output-tokens")

    @property
    def priority_input_tokens(self) -> RateLimit | None:
        """Input tokens of the Priority Tier."""
        return self.pools.get("priority-input-tokens")

    @property
    def priority_output_tokens(self) -> RateLimit | None:
        """Output tokens of the Priority Tier."""
        return self.pools.get("priority-output-tokens")

    @property
    def fast_input_tokens(self) -> RateLimit | None:
        """Input tokens of fast mode, which has a pool of its own."""
        return self.pools.get("fast-input-tokens")

    @property
    def fast_output_tokens(self) -> RateLimit | None:
        """Output tokens of fast mode, which has a pool of its own."""
        return self.pools.get("fast-output-tokens")

    def __bool__(self) -> bool:
        return bool(self.pools) or self.retry_after is not None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RateLimits):
            return NotImplemented
        return (self.pools, self.retry_after) == (other.pools, other.retry_after)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = [
            f"{name.replace('-', '_')}={pool.remaining}/{pool.limit}"
            for name, pool in self.pools.items()
        ]
        if self.retry_after is not None:
            fields.append(f"retry_after={self.retry_after}")
        return f"RateLimits({', '.join(fields)})"


def parse_rate_limits(headers: Mapping[str, str]) -> RateLimits:
    """Return what ``headers`` say about rate limits.

    Names are compared in lower case. A value that cannot be read counts as absent, and so does a
    pool without any value that can.
    """
    found: dict[str, dict[str, Any]] = {}
    folded: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        if key.startswith("anthropic-"):
            match = _HEADER.fullmatch(key)
            if match is not None:
                pool, what = match.groups()
                read = read_date(value) if what == "reset" else _count(value)
                if read is not None:
                    found.setdefault(pool, {})[what] = read
        elif key in ("retry-after", "retry-after-ms", "date"):
            folded[key] = value
    pools = {pool: RateLimit(**values) for pool, values in found.items()}
    return RateLimits(pools, parse_retry_after(folded))


def _count(text: str) -> int | None:
    stripped = text.strip()
    return int(stripped) if _DIGITS.fullmatch(stripped) else None


def read_date(text: str) -> datetime | None:
    """Read an RFC 3339 date-time, or seconds since 1970."""
    stripped = text.strip()
    try:
        if _DIGITS.fullmatch(stripped):
            return datetime.fromtimestamp(int(stripped), timezone.utc)
        return Timestamp.parse(stripped)
    except (ValueError, OverflowError, OSError):
        return None
