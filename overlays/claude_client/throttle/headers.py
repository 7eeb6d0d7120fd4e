"""What the head of an answer tells the throttle. Pure; reads only the headers it needs."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from claude_rest._runtime.rate_limits import read_date

from .pools import Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OWN_PREFIX = ("fast-", "priority-")
"""Pools whose headers have no ``ratelimit`` in their names."""
_MOST_DIGITS = 15


def told_by(
    headers: Mapping[str, str], names: Iterable[str], full: Mapping[str, float], date: float
) -> dict[str, Told]:
    """Return what the headers say about some pools.

    Args:
        headers: By lower-case name.
        names: The pools.
        full: Of those that are known to be able to hold a whole minute's worth, the limit: that
            saves the reading of dates.
        date: Seconds since 1970 on this machine, for answers without a date of their own.
    """
    found: dict[str, Told] = {}
    for name in names:
        limit_header, remaining_header, reset_header = header_names(name)
        limit = _count(headers.get(limit_header))
        remaining = _count(headers.get(remaining_header)) if limit else None
        if not limit or remaining is None:
            continue
        full_in = None
        if full.get(name) != limit:
            reset = read_date(headers.get(reset_header) or "")
            if reset is not None:
                full_in = reset.timestamp() - _server_time(headers, date)
        found[name] = Told(limit, remaining, full_in)
    return found


@lru_cache(maxsize=64)
def header_names(pool: str) -> tuple[str, str, str]:
    """Return the headers of a pool: limit, remaining, reset."""
    kind = "anthropic" if pool.startswith(_OWN_PREFIX) else "anthropic-ratelimit"
    return (f"{kind}-{pool}-limit", f"{kind}-{pool}-remaining", f"{kind}-{pool}-reset")


def _count(text: str | None) -> float | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        return None
    return float(text)


def _server_time(headers: Mapping[str, str], date: float) -> float:
    """Return the time on the server's clock, as near as the answer tells."""
    text = headers.get("date")
    if text:
        from email.utils import parsedate_to_datetime

        try:
            parsed: datetime = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return date
        return parsed.replace(tzinfo=parsed.tzinfo or timezone.utc).timestamp()
    return date
