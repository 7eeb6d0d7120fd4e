"""The API's rate limits: token buckets by model class, their headers, and the 429 of an empty one.

A bucket holds what may be used in a minute and refills all the time. Requests that make a message
draw on the buckets of the class of their model (opus, sonnet, …), for input and output tokens too;
all others only on the requests of their resource.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from difflib import get_close_matches
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any, Final

from .exchange import RefusedError
from .json_values import is_object
from .tokens import count_prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .routing import MockOperation

_CLASS: Final = re.compile(r"claude-(?:[0-9.]+-)*([a-z]+)")
_PER_MINUTE: Final = "_per_minute"
_GROUPS: Final = 256
"""How many model classes and resources are remembered; a name may be anything."""
_ALL_REQUESTS: Final = "requests"
_ALL_TOKENS: Final = "tokens"
_OWN_PREFIX: Final = ("fast-", "priority-")
"""Pools whose headers have no ``ratelimit`` in their names."""


class RateLimitsError(ValueError):
    """A rate limit that cannot be: text that cannot be read, or a value out of bounds."""


@dataclass(frozen=True)
class RateLimits:
    """How much each model class may be used in a minute; None is no limit.

    Raises:
        RateLimitsError: a value is not above 0.
    """

    requests_per_minute: float | None = None
    """Requests, of each model class and of each resource that takes no tokens."""
    input_tokens_per_minute: float | None = None
    """Input tokens, those written to the cache included, those read from it not."""
    output_tokens_per_minute: float | None = None
    """Output tokens as they come; ``max_tokens`` does not count."""
    tokens_per_minute: float | None = None
    """Input and output tokens together, as a workspace may be limited."""
    fast_input_tokens_per_minute: float | None = None
    """Input tokens of requests with ``speed`` ``fast``, instead of the ordinary ones."""
    fast_output_tokens_per_minute: float | None = None
    """Output tokens of requests with ``speed`` ``fast``, instead of the ordinary ones."""
    priority_input_tokens_per_minute: float | None = None
    """Input tokens of the Priority Tier, used first unless ``service_tier`` forbids it."""
    priority_output_tokens_per_minute: float | None = None
    """Output tokens of the Priority Tier, used first unless ``service_tier`` forbids it."""
    burst_seconds: float = 60.0
    """How many seconds' worth a full bucket holds: 1 enforces 60 a minute as 1 a second."""
    model_classes: Mapping[str, RateLimits] = field(default_factory=dict[str, "RateLimits"])
    """Other limits for some classes, such as ``{"fable": RateLimits(…)}``."""

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            value: float | None = getattr(self, name)
            if value is not None and not (isfinite(value) and value > 0):
                raise RateLimitsError(f"{name.removesuffix(_PER_MINUTE)}: must be above 0")

    def pools(self) -> dict[str, float]:
        """Return the limit of each pool that has one, by its name in the headers."""
        given = {
            name.removesuffix(_PER_MINUTE).replace("_", "-"): getattr(self, name)
            for name in _NUMBERS
            if name.endswith(_PER_MINUTE)
        }
        return {name: limit for name, limit in given.items() if limit is not None}


_NUMBERS: Final = tuple(each.name for each in fields(RateLimits) if each.name != "model_classes")
_SETTINGS: Final = {name.removesuffix(_PER_MINUTE): name for name in _NUMBERS}


def parse_rate_limits(text: str) -> RateLimits:
    """Read limits per minute such as ``requests=50, input_tokens=30000``.

    The names are the attributes of :class:`RateLimits` without ``_per_minute``.

    Raises:
        RateLimitsError: says what cannot be read.
    """
    given: dict[str, Any] = {}
    for setting in text.split(","):
        if not setting.strip():
            continue
        name, _, value = (part.strip() for part in setting.partition("="))
        attribute = _SETTINGS.get(name)
        if attribute is None:
            near = get_close_matches(name, _SETTINGS, 1)
            advice = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(_SETTINGS)}"
            raise RateLimitsError(f"{name[:80]}: no such rate limit{advice}")
        if attribute in given:
            raise RateLimitsError(f"{name}: given twice")
        try:
            given[attribute] = float(value)
        except ValueError:
            said = value[:80] or "nothing"
            raise RateLimitsError(f"{name}: {said} is not a number") from None
    limits = RateLimits(**given)
    if not limits.pools():
        raise RateLimitsError(f"{text.strip()[:80] or 'an empty text'}: limits nothing")
    return limits


@dataclass
class _Bucket:
    limit: float
    """A minute's worth."""
    capacity: float
    level: float
    filled: float
    """When the level was brought up to date."""

    def fill(self, now: float) -> None:
        gained = max(0.0, now - self.filled) * self.limit / 60
        self.level = min(self.capacity, self.level + gained)
        self.filled = now

    def seconds_to(self, level: float) -> float:
        return max(0.0, level - self.level) * 60 / self.limit


class RateLimiter:
    """Admits requests as long as their buckets last. Safe to share between threads."""

    def __init__(self, limits: RateLimits, clock: Callable[[], float]) -> None:
        """Start with full buckets; ``clock`` returns seconds since 1970."""
        self._limits = limits
        self._clock = clock
        self._groups: OrderedDict[str, dict[str, _Bucket]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, operation: MockOperation, body: Any) -> Admission:
        """Take a request and the tokens of its prompt out of the buckets.

        Raises:
            RefusedError: 429, there is not enough; nothing has been taken.
        """
        now = self._clock()
        # What can be streamed is what a model writes.
        model = body.get("model") if is_object(body) and operation.stream_argument else None
        if not isinstance(model, str):
            resource = operation.id.rpartition(".")[0]
            with self._lock:
                buckets = self._buckets(resource, self._limits, now)
                requests = {k: b for k, b in buckets.items() if k == _ALL_REQUESTS}
                return self._take(requests, {_ALL_REQUESTS: 1}, f"of {resource}", "", now)
        found = _CLASS.match(model)
        kind = found[1] if found else model[:64].lower()
        limits = self._limits.model_classes.get(kind, self._limits)
        prompt = count_prompt(body)
        with self._lock:
            buckets = self._buckets(f"model {kind}", limits, now)
            prefix = _prefix(body, buckets, prompt)
            seen = {
                name: bucket
                for name, bucket in buckets.items()
                if not name.startswith(_OWN_PREFIX) or (prefix and name.startswith(prefix))
            }
            needed = {
                _ALL_REQUESTS: 1,
                _ALL_TOKENS: prompt,
                f"{prefix}input-tokens": prompt,
                # How long the answer will be nobody knows yet, so anything left is enough.
                f"{prefix}output-tokens": 0,
            }
            return self._take(seen, needed, f"for the model class {kind}", prefix, now)

    def settle(self, admission: Admission, usage: Mapping[str, Any] | None) -> None:
        """Take what an answer used instead of what was expected; see ``Admission.settle``."""
        used = usage or {}
        spent_in = int(used.get("input_tokens") or 0)
        spent_in += int(used.get("cache_creation_input_tokens") or 0)
        spent_out = int(used.get("output_tokens") or 0)
        corrections = {
            f"{admission.prefix}input-tokens": spent_in,
            f"{admission.prefix}output-tokens": spent_out,
            _ALL_TOKENS: spent_in + spent_out,
        }
        with self._lock:
            for name, spent in corrections.items():
                bucket = admission.buckets.get(name)
                if bucket is not None:
                    level = bucket.level + admission.taken.get(name, 0) - spent
                    bucket.level = min(bucket.capacity, level)
            admission.levels = _levels(admission.buckets)

    def _buckets(self, group: str, limits: RateLimits, now: float) -> dict[str, _Bucket]:
        """Return the buckets of a model class or resource, filled up to now."""
        buckets = self._groups.get(group)
        if buckets is None:
            share = limits.burst_seconds / 60
            buckets = self._groups[group] = {
                name: _Bucket(limit, limit * share, limit * share, now)
                for name, limit in limits.pools().items()
            }
            if len(self._groups) > _GROUPS:
                self._groups.popitem(last=False)
        self._groups.move_to_end(group)
        for bucket in buckets.values():
            bucket.fill(now)
        return buckets

    def _take(
        self,
        buckets: dict[str, _Bucket],
        needed: Mapping[str, float],
        whose: str,
        prefix: str,
        now: float,
    ) -> Admission:
        wanted = {name: count for name, count in needed.items() if name in buckets}
        waits = {name: buckets[name].seconds_to(max(n, 1)) for name, n in wanted.items()}
        empty = max(waits, key=lambda name: waits[name], default="")
        if waits and waits[empty] > 0:
            seen = Admission(self, buckets, {}, _levels(buckets), prefix, now)
            limit = buckets[empty].limit
            told = f"of {limit:,.10g} {empty.replace('-', ' ')} per minute {whose}"
            headers = seen.headers()
            if wanted[empty] <= buckets[empty].capacity:
                headers.append(("retry-after", str(max(1, ceil(waits[empty])))))
            # Without the header there is no point in asking again: it can never be enough.
            message = f"This request would exceed the rate limit {told}"
            raise RefusedError(429, message, headers=tuple(headers))
        for name, count in wanted.items():
            buckets[name].level -= count
        return Admission(self, buckets, wanted, _levels(buckets), prefix, now)


@dataclass
class Admission:
    """What a request took from which buckets."""

    limiter: RateLimiter
    buckets: dict[str, _Bucket]
    """Those that the request can see, by their names in the headers."""
    taken: Mapping[str, float]
    levels: dict[str, float]
    """What was left in them after that."""
    prefix: str
    """``fast-`` or ``priority-`` when the tokens came from those pools."""
    now: float

    def settle(self, usage: Mapping[str, Any] | None) -> list[tuple[str, str]]:
        """Correct the tokens taken to those used, and return the headers about the limits."""
        self.limiter.settle(self, usage)
        return self.headers()

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers about the limits."""
        facts = {
            name: (bucket.limit, self.levels[name], bucket.seconds_to(bucket.capacity))
            for name, bucket in self.buckets.items()
        }
        both = [facts[name] for name in ("input-tokens", "output-tokens") if name in facts]
        if len(both) > 1 and _ALL_TOKENS not in facts:
            # Without a limit of its own it tells of both together.
            limits, levels, waits = zip(*both, strict=True)
            facts[_ALL_TOKENS] = (sum(limits), sum(levels), max(waits))
        return [
            header
            for name, (limit, level, wait) in facts.items()
            for header in _headers(name, limit, level, self.now + wait)
        ]


def _prefix(body: Mapping[str, Any], buckets: Mapping[str, _Bucket], prompt: int) -> str:
    """Return which pools the tokens of a request come from."""
    if body.get("speed") == "fast" and any(name.startswith("fast-") for name in buckets):
        return "fast-"
    given_in = buckets.get("priority-input-tokens")
    given_out = buckets.get("priority-output-tokens")
    if (given_in is None and given_out is None) or body.get("service_tier") == "standard_only":
        return ""
    enough = given_in is None or given_in.level >= max(prompt, 1)
    return "priority-" if enough and (given_out is None or given_out.level >= 1) else ""


def _levels(buckets: Mapping[str, _Bucket]) -> dict[str, float]:
    return {name: bucket.level for name, bucket in buckets.items()}


def _headers(name: str, limit: float, level: float, full: float) -> list[tuple[str, str]]:
    remaining = max(0, int(level))
    if name.endswith(_ALL_TOKENS):
        remaining = min(int(limit), round(remaining, -3))
    reset = datetime.fromtimestamp(ceil(full), timezone.utc)
    prefix = "anthropic" if name.startswith(_OWN_PREFIX) else "anthropic-ratelimit"
    return [
        (f"{prefix}-{name}-limit", str(int(limit))),
        (f"{prefix}-{name}-remaining", str(remaining)),
        (f"{prefix}-{name}-reset", reset.strftime("%Y-%m-%dT%H:%M:%SZ")),
    ]
