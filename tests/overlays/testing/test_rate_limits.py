"""Token buckets, their headers, and the 429 when one is empty."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from claude_client import AsyncClaude, RateLimitError, RetryPolicy
from claude_client.testing import (
    AsyncMockTransport,
    MockAPI,
    MockResponse,
    RateLimits,
    RateLimitsError,
    parse_rate_limits,
)
from claude_rest._runtime.rate_limits import parse_rate_limits as read_headers

from .conftest import KEY, Caller, minimal

START = 1_790_000_000.0


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def limited(clock: Clock, **limits: Any) -> Caller:
    return Caller(MockAPI(clock=clock, rate_limits=RateLimits(**limits)))


def pool(answer: MockResponse, name: str) -> tuple[int | None, int | None, float | None]:
    """Return limit and remaining of a pool, and the seconds until it is full."""
    found = read_headers(dict(answer.headers)).pools[name]
    reset = None if found.reset is None else found.reset.timestamp() - START
    return found.limit, found.remaining, reset


def test_off_by_default(clock: Clock) -> None:
    call = Caller(MockAPI(clock=clock))
    assert {call.create().status for _ in range(5)} == {200}
    assert pool(call.create(), "requests") == (1000, 999, 1.0)


def test_requests(clock: Clock) -> None:
    call = limited(clock, requests_per_minute=3)
    assert [pool(call.create(), "requests") for _ in range(3)] == [
        (3, 2, 20),
        (3, 1, 40),
        (3, 0, 60),
    ]
    refused = call.create()
    assert refused.status == 429
    assert refused.header("retry-after") == "20"
    assert pool(refused, "requests") == (3, 0, 60)
    error = refused.json()["error"]
    assert error["type"] == "rate_limit_error"
    assert "limit of 3 requests per minute for the model class opus" in error["message"]
    clock.now += 19.9
    assert call.create().header("retry-after") == "1"
    clock.now += 0.2
    assert call.create().status == 200
    assert call.create().status == 429
    clock.now += 3600
    assert pool(call.create(), "requests")[1] == 2


def test_clock_that_goes_back(clock: Clock) -> None:
    call = limited(clock, requests_per_minute=2)
    call.create()
    clock.now -= 500
    assert [call.create().status for _ in range(2)] == [200, 429]


def test_burst(clock: Clock) -> None:
    call = limited(clock, requests_per_minute=60, burst_seconds=1)
    assert [call.create().status for _ in range(2)] == [200, 429]
    clock.now += 1
    assert call.create().status == 200


def test_each_model_class_and_resource_by_itself(clock: Clock) -> None:
    call = limited(clock, requests_per_minute=1, model_classes={"fable": RateLimits()})
    for model in ("claude-opus-5-5", "claude-sonnet-4-5-20250929", "claude-3-5-haiku-20241022"):
        assert [call.create(model=model).status for _ in range(2)] == [200, 429]
    assert call.create(model="claude-opus-5").status == 429
    assert [call.create(model="claude-fable-5").status for _ in range(3)] == [200, 200, 200]
    assert call.create(model="something else").status == 200
    assert call("GET", "/v1/models").status == 200
    assert call("GET", "/v1/models/claude-opus-5-5").status == 429
    counted = {name: value for name, value in minimal().items() if name != "max_tokens"}
    assert call("POST", "/v1/messages/count_tokens", counted).status == 200


def test_tokens(clock: Clock) -> None:
    call = limited(clock, input_tokens_per_minute=30_000, output_tokens_per_minute=6_000)
    text = "word " * 9_000
    first = call.create(**minimal(text))
    usage = first.json()["usage"]
    assert pool(first, "input-tokens")[:2] == (30_000, round(30_000 - usage["input_tokens"], -3))
    assert pool(first, "output-tokens")[:2] == (6_000, round(6_000 - usage["output_tokens"], -3))
    assert pool(first, "tokens")[0] == 36_000
    assert "requests" not in read_headers(dict(first.headers)).pools
    statuses = [call.create(**minimal(text)).status for _ in range(5)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    refused = call.create(**minimal(text))
    assert "30,000 input tokens per minute" in refused.json()["error"]["message"]
    wait = refused.header("retry-after")
    assert wait is not None
    clock.now += int(wait)
    assert call.create(**minimal(text)).status == 200


def test_output_tokens_as_they_come(clock: Clock) -> None:
    call = limited(clock, output_tokens_per_minute=100)
    assert call.create(max_tokens=64_000).status == 200
    assert call.create(**minimal("word " * 300)).status == 200
    # The answer was longer than what was left: the bucket owes, and pays first.
    refused = call.create()
    assert refused.status == 429
    assert int(refused.header("retry-after") or 0) > 60


def test_both_kinds_of_token_together(clock: Clock) -> None:
    call = limited(clock, tokens_per_minute=5_000)
    answer = call.create(**minimal("word " * 2_000))
    usage = answer.json()["usage"]
    left = 5_000 - usage["input_tokens"] - usage["output_tokens"]
    assert pool(answer, "tokens")[:2] == (5_000, round(left, -3))


def test_streams_count_too(clock: Clock) -> None:
    call = limited(clock, output_tokens_per_minute=5)
    assert call.create(stream=True).status == 200
    assert call.create(stream=True).status == 429


def test_request_that_can_never_pass(clock: Clock) -> None:
    call = limited(clock, input_tokens_per_minute=100)
    refused = call.create(**minimal("word " * 500))
    assert refused.status == 429
    assert refused.header("retry-after") is None


def test_refused_requests_take_nothing(clock: Clock) -> None:
    call = limited(clock, requests_per_minute=1)
    assert call.create(max_tokens="many").status == 400
    assert call.create().status == 200
    for _ in range(3):
        assert call.create().status == 429
    clock.now += 60
    assert call.create().status == 200


def test_fast_mode_has_its_own_pools(clock: Clock) -> None:
    call = limited(
        clock,
        input_tokens_per_minute=20_000,
        output_tokens_per_minute=20_000,
        fast_input_tokens_per_minute=10_000,
        fast_output_tokens_per_minute=5,
    )
    answer = call.create(speed="fast")
    assert answer.status == 200
    assert pool(answer, "fast-input-tokens")[:2] == (10_000, 10_000)
    assert answer.header("anthropic-fast-output-tokens-remaining") == "0"
    assert pool(answer, "output-tokens")[1] == 20_000
    assert call.create(speed="fast").status == 429
    ordinary = call.create()
    assert ordinary.status == 200
    assert ordinary.header("anthropic-fast-input-tokens-limit") is None


def test_priority_is_used_first(clock: Clock) -> None:
    call = limited(clock, output_tokens_per_minute=9_000, priority_output_tokens_per_minute=5)
    first, second = call.create(), call.create()
    assert first.header("anthropic-priority-output-tokens-limit") == "5"
    assert pool(first, "output-tokens")[2] == 0
    assert second.header("anthropic-priority-output-tokens-limit") is None
    assert (pool(second, "output-tokens")[2] or 0) > 0
    clock.now += 600
    spared = call.create(service_tier="standard_only")
    assert spared.header("anthropic-priority-output-tokens-limit") is None


def test_models_do_not_fill_the_memory(clock: Clock) -> None:
    call = limited(clock, requests_per_minute=1)
    for number in range(300):
        call.create(model=f"m{number}")
    limiter = call.api._limiter
    assert limiter is not None
    assert len(limiter._groups) == 256


def test_text() -> None:
    assert parse_rate_limits(" requests=50, input_tokens=30000,burst_seconds=1") == RateLimits(
        requests_per_minute=50, input_tokens_per_minute=30_000, burst_seconds=1
    )
    assert parse_rate_limits("fast_output_tokens=1e3").pools() == {"fast-output-tokens": 1000}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty text: limits nothing"),
        ("burst_seconds=3", "burst_seconds=3: limits nothing"),
        ("request=5", "request: no such rate limit; did you mean requests?"),
        ("colour=5", "colour: no such rate limit; there are requests, input_tokens"),
        ("requests", "requests: nothing is not a number"),
        ("requests=many", "requests: many is not a number"),
        ("requests=0", "requests: must be above 0"),
        ("requests=inf", "requests: must be above 0"),
        ("requests=1, requests=2", "requests: given twice"),
    ],
)
def test_text_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(RateLimitsError) as raised:
        parse_rate_limits(text)
    assert str(raised.value).startswith(message)


def test_our_client_reads_the_limits() -> None:
    async def session() -> RateLimitError:
        api = MockAPI(rate_limits=RateLimits(requests_per_minute=1))
        async with (
            httpx.AsyncClient(transport=AsyncMockTransport(api)) as inner,
            AsyncClaude(api_key=KEY, http_client=inner, max_retries=0) as client,
        ):
            await client.messages.create(**minimal())
            with pytest.raises(RateLimitError) as raised:
                await client.messages.create(**minimal())
            return raised.value

    error = asyncio.run(session())
    assert error.retry_after == 60


def test_many_at_once_get_no_more_than_the_limit() -> None:
    api = MockAPI(rate_limits=RateLimits(requests_per_minute=6_000, burst_seconds=0.5))

    async def session() -> list[object]:
        async with (
            httpx.AsyncClient(transport=AsyncMockTransport(api)) as inner,
            AsyncClaude(api_key=KEY, http_client=inner, retry=RetryPolicy(max_retries=0)) as client,
        ):
            asked = (client.messages.create(**minimal()) for _ in range(300))
            return await asyncio.gather(*asked, return_exceptions=True)

    start = time.monotonic()
    results = asyncio.run(session())
    took = time.monotonic() - start
    passed = sum(not isinstance(result, Exception) for result in results)
    assert {type(r) for r in results if isinstance(r, Exception)} <= {RateLimitError}
    assert 50 <= passed <= 52 + 100 * took
