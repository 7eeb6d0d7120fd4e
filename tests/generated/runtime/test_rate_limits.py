"""Rate limits from the headers of a response."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_rest._runtime.meta import Meta
from claude_rest._runtime.rate_limits import RateLimit, RateLimits, parse_rate_limits

UTC = timezone.utc
RESET = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HEADERS = {
    "anthropic-ratelimit-requests-limit": "1000",
    "anthropic-ratelimit-requests-remaining": "999",
    "anthropic-ratelimit-requests-reset": "2026-11-22T10:00:00Z",
    "Anthropic-RateLimit-Tokens-Limit": "90000",
    "anthropic-ratelimit-input-tokens-remaining": "2000",
    "anthropic-ratelimit-output-tokens-reset": "2026-11-22T11:00:00+01:00",
    "anthropic-priority-input-tokens-limit": "10",
    "anthropic-priority-output-tokens-limit": "11",
    "anthropic-fast-input-tokens-limit": "12",
    "anthropic-fast-output-tokens-limit": "13",
    "anthropic-ratelimit-unified-5h-reset": str(int(RESET.timestamp())),
    "anthropic-organization-id": "org_1",
    "retry-after": "7",
}


def test_every_pool() -> None:
    limits = parse_rate_limits(HEADERS)
    assert limits.requests == RateLimit(1000, 999, RESET)
    assert limits.tokens == RateLimit(limit=90000)
    assert limits.input_tokens == RateLimit(remaining=2000)
    assert limits.output_tokens == RateLimit(reset=RESET)
    assert limits.priority_input_tokens == RateLimit(limit=10)
    assert limits.priority_output_tokens == RateLimit(limit=11)
    assert limits.fast_input_tokens == RateLimit(limit=12)
    assert limits.fast_output_tokens == RateLimit(limit=13)
    # A pool of tomorrow.
    assert limits.pools["unified-5h"] == RateLimit(reset=RESET)
    assert limits.retry_after == 7
    assert len(limits.pools) == 9
    assert "requests=999/1000" in repr(limits)
    assert repr(limits).endswith("retry_after=7.0)")


def test_nothing_said() -> None:
    limits = parse_rate_limits({"content-type": "application/json"})
    assert not limits
    assert limits == RateLimits()
    assert (limits.requests, limits.fast_output_tokens, limits.retry_after) == (None, None, None)
    assert repr(limits) == "RateLimits()"
    assert parse_rate_limits({"retry-after-ms": "1500"}).retry_after == 1.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", ""),
        ("limit", "many"),
        ("limit", "-1"),
        ("limit", "1.5"),
        ("limit", "5, 5"),
        ("limit", "\u0661"),
        ("limit", "9" * 10_000),
        ("remaining", "NaN"),
        ("reset", "soon"),
        ("reset", "2026-11-22"),
        ("reset", "2026-13-22T10:00:00Z"),
        ("reset", "9" * 18),
    ],
)
def test_what_cannot_be_read_counts_as_absent(name: str, value: str) -> None:
    assert not parse_rate_limits({f"anthropic-ratelimit-requests-{name}": value})
    with_other = {f"anthropic-ratelimit-requests-{name}": value, **HEADERS}
    assert parse_rate_limits(with_other) == parse_rate_limits(HEADERS)


@given(
    st.dictionaries(
        st.sampled_from(list(HEADERS))
        | st.from_regex(r"anthropic-[a-z-]{0,20}-(limit|remaining|reset)", fullmatch=True)
        | st.text(),
        st.text() | st.from_regex(r"[0-9T:Z.+-]{0,30}", fullmatch=True),
    )
)
def test_garbage_never_raises(headers: dict[str, str]) -> None:
    limits = parse_rate_limits(headers)
    for pool in limits.pools.values():
        assert pool != RateLimit()
    assert repr(limits)


def test_seconds_to_reset() -> None:
    pool = RateLimit(reset=RESET)
    assert pool.seconds_to_reset(RESET - timedelta(seconds=90)) == 90
    assert pool.seconds_to_reset(RESET + timedelta(seconds=90)) == 0
    assert RateLimit().seconds_to_reset() is None
    assert RateLimit(reset=datetime.now(UTC) + timedelta(hours=1)).seconds_to_reset() == (
        pytest.approx(3600, abs=60)
    )


def test_meta_reads_them_once() -> None:
    meta = Meta(status_code=200, headers=HEADERS)
    assert meta.rate_limits is meta.rate_limits
    assert meta.rate_limits == parse_rate_limits(HEADERS)
    for copy in (Meta(status_code=200, headers=HEADERS), meta):
        again: Meta = pickle.loads(pickle.dumps(copy))
        assert again.rate_limits == meta.rate_limits


def test_not_hashable() -> None:
    with pytest.raises(TypeError):
        hash(RateLimits())
