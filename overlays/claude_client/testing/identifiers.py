"""IDs and headers of answers: made up, but the same for the same seed and order of requests."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LENGTH: Final = 22

REQUESTS_PER_MINUTE: Final = 1_000
INPUT_TOKENS_PER_MINUTE: Final = 2_000_000
OUTPUT_TOKENS_PER_MINUTE: Final = 400_000
"""Limits of the lowest usage tier (rate limits, tier Start)."""


class Identifiers:
    """Makes IDs; two instances with one seed make the same ones in the same order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made: dict[str, int] = {}
        self._lock = threading.Lock()
        digest = sha256(f"{seed}:organization".encode()).digest()
        self.organization: str = str(uuid.UUID(bytes=digest[:16], version=4))
        """Value of ``anthropic-organization-id``."""
        self.workspace: str = f"wrkspc_01{self._letters('workspace')}"
        """Value of ``anthropic-workspace-id`` for requests that name none."""

    def next(self, prefix: str) -> str:
        """Return a new ID such as ``msg_01…``; each prefix counts by itself."""
        with self._lock:
            number = self._made.get(prefix, 0)
            self._made[prefix] = number + 1
        return f"{prefix}_01{self._letters(f'{prefix}:{number}')}"

    def of(self, prefix: str, purpose: str) -> str:
        """Return the ID for a purpose: the same one whenever it is asked for."""
        return f"{prefix}_01{self._letters(purpose)}"

    def uuid(self, purpose: str) -> str:
        """Return the UUID for a purpose."""
        return str(uuid.UUID(int=self.draw(purpose) >> 128, version=4))

    def draw(self, purpose: str) -> int:
        """Return a number of 256 bits that depends on the seed and the purpose alone."""
        return int.from_bytes(sha256(f"{self._seed}:{purpose}".encode()).digest(), "big")

    def _letters(self, purpose: str) -> str:
        number = self.draw(purpose)
        letters: list[str] = []
        for _ in range(_LENGTH):
            number, index = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[index])
        return "".join(letters)


def rate_limit_headers(now: float, usage: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return the rate-limit headers of a response.

    The mock limits nobody: every request finds full buckets.

    Args:
        now: Seconds since 1970.
        usage: Tokens the request took; None for operations that take none, which get only the
            headers about requests.
    """
    headers = _bucket("requests", REQUESTS_PER_MINUTE, REQUESTS_PER_MINUTE - 1, now)
    if usage is not None:
        spent_in = usage.get("input_tokens", 0)
        spent_out = usage.get("output_tokens", 0)
        left_in = _thousands(INPUT_TOKENS_PER_MINUTE - spent_in)
        left_out = _thousands(OUTPUT_TOKENS_PER_MINUTE - spent_out)
        headers += _bucket("input-tokens", INPUT_TOKENS_PER_MINUTE, left_in, now)
        headers += _bucket("output-tokens", OUTPUT_TOKENS_PER_MINUTE, left_out, now)
        both = INPUT_TOKENS_PER_MINUTE + OUTPUT_TOKENS_PER_MINUTE
        headers += _bucket("tokens", both, left_in + left_out, now)
    return headers


def _bucket(name: str, limit: int, remaining: int, now: float) -> list[tuple[str, str]]:
    # A bucket of a minute's worth refills at limit/60 a second.
    wait = 60 * (limit - remaining) / limit
    reset = datetime.fromtimestamp(int(now + wait) + 1, timezone.utc)
    prefix = f"anthropic-ratelimit-{name}"
    return [
        (f"{prefix}-limit", str(limit)),
        (f"{prefix}-remaining", str(remaining)),
        (f"{prefix}-reset", reset.strftime("%Y-%m-%dT%H:%M:%SZ")),
    ]


def _thousands(tokens: int) -> int:
    return max(0, round(tokens, -3))
