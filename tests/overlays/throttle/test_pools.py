"""The pools: what they grant, what they learn, and that they never think there is too much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_client.throttle.pools import ASSUMED_LIMIT, Grant, Pool, Pools, Shortage, Told

REQUEST = [{"requests": 1.0}]


def granted(taken: Grant | Shortage) -> Grant:
    assert isinstance(taken, Grant)
    return taken


def short(taken: Grant | Shortage) -> Shortage:
    assert isinstance(taken, Shortage)
    return taken


def test_nothing_known_lets_a_few_through_and_then_one_a_second() -> None:
    pools = Pools(3, None, 0.0)
    for _ in range(3):
        granted(pools.take(REQUEST, 0.0))
    wait = short(pools.take(REQUEST, 0.0))
    assert wait.seconds == pytest.approx(60 / ASSUMED_LIMIT, abs=1e-3)
    assert not wait.certain
    granted(pools.take(REQUEST, wait.seconds))


def test_an_answer_without_headers_means_that_nobody_limits() -> None:
    pools = Pools(1, None, 0.0)
    grant = granted(pools.take(REQUEST, 0.0))
    pools.answer(grant, {}, 0.0)
    assert pools.known
    for _ in range(1000):
        granted(pools.take(REQUEST, 0.0))


def test_an_error_without_headers_teaches_nothing() -> None:
    pools = Pools(1, None, 0.0)
    grant = granted(pools.take(REQUEST, 0.0))
    pools.answer(grant, {}, 0.0, teaches=False)
    assert not pools.known
    short(pools.take(REQUEST, 0.0))


def test_the_first_answer_says_how_much_there_is() -> None:
    pools = Pools(4, None, 0.0)
    grants = [granted(pools.take(REQUEST, 0.0)) for _ in range(4)]
    # The server may have counted one of the four, or all.
    pools.answer(grants[0], {"requests": Told(50, 30)}, 0.0)
    assert pools.pools["requests"].level == 27
    pools.answer(grants[1], {"requests": Told(50, 30)}, 0.0)
    for grant in grants[2:]:
        pools.answer(grant, {"requests": Told(50, 30)}, 0.0)
    assert pools.pools["requests"].level <= 30


def test_what_others_take_is_seen() -> None:
    pools = Pools(1, {"requests": 50.0}, 0.0)
    grant = granted(pools.take(REQUEST, 0.0))
    pools.answer(grant, {"requests": Told(50, 5)}, 0.0)
    assert pools.pools["requests"].level == 5


def test_limits_that_change_are_followed() -> None:
    pools = Pools(1, {"requests": 50.0}, 0.0)
    grant = granted(pools.take(REQUEST, 0.0))
    pools.answer(grant, {"requests": Told(10, 9)}, 0.0)
    assert pools.pools["requests"].limit == 10
    assert pools.pools["requests"].level == 9


def test_a_pause_holds_for_all_and_is_certain() -> None:
    pools = Pools(1, {"requests": 50.0}, 0.0)
    grant = granted(pools.take(REQUEST, 0.0))
    pools.answer(grant, {}, 0.0, teaches=False, pause=7.0)
    wait = short(pools.take(REQUEST, 2.0))
    assert (wait.seconds, wait.pool, wait.certain) == (5.0, "", True)
    granted(pools.take(REQUEST, 7.0))


def test_a_request_larger_than_the_pool_goes_when_it_is_full() -> None:
    pools = Pools(1, {"input-tokens": 100.0}, 0.0)
    granted(pools.take([{"input-tokens": 1.0}], 0.0))
    wait = short(pools.take([{"input-tokens": 500.0}], 0.0))
    assert wait.seconds == pytest.approx(0.6, abs=1e-3)
    granted(pools.take([{"input-tokens": 500.0}], 1.0))
    assert pools.pools["input-tokens"].level == pytest.approx(-400)


def test_usage_corrects_the_estimate() -> None:
    pools = Pools(1, {"output-tokens": 100.0}, 0.0)
    grant = granted(pools.take([{"output-tokens": 90.0}], 0.0))
    pools.finish(grant, {"output-tokens": 20.0}, 0.0)
    assert pools.pools["output-tokens"].level == 80
    pool = pools.pools["output-tokens"]
    assert pool.granted == pool.settled == 20


def test_what_was_not_sent_is_given_back() -> None:
    pools = Pools(1, {"requests": 2.0, "input-tokens": 100.0}, 0.0)
    grant = granted(pools.take([{"requests": 1.0, "input-tokens": 90.0}], 0.0))
    pools.give_back(grant, 0.0)
    assert pools.pools["requests"].level == 2
    assert pools.pools["input-tokens"].level == 100


def test_what_may_have_been_counted_is_not_given_back() -> None:
    pools = Pools(1, {"requests": 2.0}, 0.0)
    grant = granted(pools.take(REQUEST, 0.0))
    pools.lose(grant, 0.0)
    assert pools.pools["requests"].level == 1
    assert pools.pools["requests"].granted == pools.pools["requests"].settled


@pytest.mark.parametrize(
    ("told", "capacity"),
    [
        (Told(60, 59, 1.0), 60),  # a full minute's worth was there
        (Told(60, 0, 1.0), 1),  # enforced as one a second
        (Told(60, 0, 2.0), 1),
        (Told(60, 10, 50.0), 58),  # fills for 50 s, of which the dates may be 2 off
        (Told(60, 10, None), 60),  # unsaid: the usual
        (Told(60, 10, -500.0), 11),  # clocks disagree: what was seen is certain
        (Told(60, 10, 5000.0), 60),
    ],
)
def test_how_much_fits_into_a_pool(told: Told, capacity: float) -> None:
    pool = Pool(0.0)
    pool.granted, mark = 1.0, 0.0
    pool.settled = 1.0
    pool.learn(told, 1.0, mark, 0.0, 0.0)
    assert pool.capacity == capacity


@pytest.mark.parametrize(
    ("remaining", "level"),
    [(3000, 2500), (2999, 2999), (0, -500), (5000, 4500), (4750, 4750)],
)
def test_tokens_are_rounded_to_thousands(remaining: float, level: float) -> None:
    pool = Pool(0.0)
    pool.learn(Told(10_000, remaining), 0.0, 0.0, 0.0, 0.0)
    assert pool.level == level


def test_priority_pools_are_used_first_when_they_are_known() -> None:
    options = [{"priority-input-tokens": 10.0}, {"input-tokens": 10.0}]
    pools = Pools(1, {"input-tokens": 100.0}, 0.0)
    grant = granted(pools.take(options, 0.0))
    assert "input-tokens" in grant.costs
    moved = pools.move(grant, options[0], 0.0)
    pools.answer(moved, {"priority-input-tokens": Told(1200, 700)}, 0.0)
    assert pools.pools["input-tokens"].level == 100
    assert "priority-input-tokens" in granted(pools.take(options, 0.0)).costs
    pools.pools["priority-input-tokens"].level = 5.0
    assert "input-tokens" in granted(pools.take(options, 0.0)).costs


@dataclass
class Server:
    """A bucket as the API has it, exact; refuses as the API does."""

    limit: float
    burst: float
    tokens: bool
    level: float = 0.0
    at: float = 0.0
    refused: int = 0
    refill: float = field(init=False)

    def __post_init__(self) -> None:
        self.capacity = self.limit * self.burst / 60
        self.level = self.capacity
        self.refill = self.limit / 60

    def receive(self, cost: float, now: float) -> Told:
        self.level = min(self.capacity, self.level + (now - self.at) * self.refill)
        self.at = now
        if self.level < min(cost, self.capacity):
            self.refused += 1
        self.level -= cost
        remaining: float = max(0, int(self.level))
        if self.tokens:
            remaining = min(int(self.limit), round(remaining, -3))
        return Told(self.limit, remaining, (self.capacity - self.level) / self.refill + 1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "take", "arrive", "answer", "finish", "abandon", "tick"]),
        st.floats(0, 20),
        st.integers(0, 1000),
    ),
    min_size=1,
    max_size=120,
)


@settings(max_examples=300, deadline=None)
@given(
    steps=STEPS,
    limit=st.integers(60, 5000),
    burst=st.floats(1, 60),
    tokens=st.booleans(),
    given_limits=st.booleans(),
)
def test_never_grants_more_than_the_server_has(
    steps: list[tuple[str, float, int]], limit: int, burst: float, tokens: bool, given_limits: bool
) -> None:
    """However late and in whatever order answers come back."""
    name = "input-tokens" if tokens else "requests"
    server = Server(limit, burst if not given_limits else 60.0, tokens)
    # An answer has been seen, or the limits are given; the ramp before that is a guess.
    pools = Pools(1, {name: float(limit)} if given_limits else None, 0.0)
    now = 0.0
    if not given_limits:
        first = granted(pools.take([{name: 1.0}], now))
        pools.answer(first, {name: server.receive(1.0, now)}, now)
        pools.finish(first, {name: 1.0}, now)
    on_the_way: list[Any] = []
    at_the_server: list[Any] = []
    answered: list[Any] = []
    for what, seconds, number in steps:
        if what == "tick":
            # The way takes no time that counts beside a minute; what comes back may take any.
            while on_the_way:
                grant, used = on_the_way.pop()
                at_the_server.append((grant, used, server.receive(used, now)))
            now += seconds
        elif what == "take":
            cost = float(1 + number % 100) if tokens else 1.0
            taken = pools.take([{name: cost}], now)
            if isinstance(taken, Grant):
                # What is used is not more than was estimated.
                used = float(1 + number % int(cost))
                on_the_way.append((taken, used))
        elif what == "arrive" and on_the_way:
            grant, used = on_the_way.pop(number % len(on_the_way))
            at_the_server.append((grant, used, server.receive(used, now)))
        elif what == "answer" and at_the_server:
            grant, used, told = at_the_server.pop(number % len(at_the_server))
            pools.answer(grant, {name: told}, now)
            answered.append((grant, used))
        elif what == "finish" and answered:
            grant, used = answered.pop(number % len(answered))
            pools.finish(grant, {name: used}, now)
        elif what == "abandon" and on_the_way:
            grant, _ = on_the_way.pop(number % len(on_the_way))
            pools.give_back(grant, now)
    for _, used in on_the_way:
        server.receive(used, now)
    assert server.refused == 0


@settings(max_examples=200, deadline=None)
@given(
    costs=st.lists(st.floats(0.1, 30), min_size=1, max_size=40),
    waits=st.lists(st.floats(0, 3), min_size=1, max_size=40),
    limit=st.floats(30, 600),
)
def test_in_any_window_a_pool_grants_no_more_than_it_holds_and_gains(
    costs: list[float], waits: list[float], limit: float
) -> None:
    pools = Pools(1, {"requests": limit}, 0.0)
    now = 0.0
    grants: list[tuple[float, float]] = []
    for index, cost in enumerate(costs):
        taken = pools.take([{"requests": cost}], now)
        if isinstance(taken, Grant):
            grants.append((now, cost))
        now += waits[index % len(waits)]
    for start, (began, _) in enumerate(grants):
        total = 0.0
        for at, cost in grants[start:]:
            total += cost
            assert total <= limit + (at - began) * limit / 60 + 1e-3


@settings(max_examples=100, deadline=None)
@given(cost=st.floats(0.1, 500), spent=st.floats(0, 100))
def test_what_a_shortage_says_is_enough_to_wait(cost: float, spent: float) -> None:
    pools = Pools(1, {"requests": 100.0}, 0.0)
    if spent:
        granted(pools.take([{"requests": spent}], 0.0))
    taken = pools.take([{"requests": cost}], 0.0)
    if isinstance(taken, Shortage):
        granted(pools.take([{"requests": cost}], taken.seconds))
