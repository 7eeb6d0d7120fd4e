"""Makes requests wait until the rate limits have room for them, instead of getting a 429.

:mod:`.pools` follows what the server has, :mod:`.demand` estimates what a request takes,
:mod:`.line` keeps the order, :mod:`.throttle` puts them together; nothing of these does I/O.
:mod:`.sending` waits and sends; :mod:`.redis_pools` shares the pools between machines.
"""

from __future__ import annotations

from .errors import (
    MissingRedisError,
    ThrottleStoreError,
    ThrottleStoreWarning,
    ThrottleTimeoutError,
)
from .throttle import Clock, GroupState, PoolState, Throttle, WaitEvent

__all__ = [
    "Clock",
    "GroupState",
    "MissingRedisError",
    "PoolState",
    "Throttle",
    "ThrottleStoreError",
    "ThrottleStoreWarning",
    "ThrottleTimeoutError",
    "WaitEvent",
]
