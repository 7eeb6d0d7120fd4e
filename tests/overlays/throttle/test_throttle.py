"""Both clients with a throttle, against the mock's buckets: no 429, in order, and in time."""

from __future__ import annotations

import asyncio
import os
import threading
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from claude_client import (
    APIConnectionError,
    APITimeoutError,
    AsyncClaude,
    Claude,
    RateLimitError,
    Throttle,
    ThrottleTimeoutError,
    Timeout,
    WaitEvent,
)
from claude_client.testing import AsyncMockTransport, Fault, MockAPI, MockTransport, RateLimits
from claude_client.transports import AsyncHTTPXTransport, HTTPXTransport
from throttle_clocks import FastClock, HandClock, LoopClock, VirtualLoop

MODEL = "claude-sonnet-4-5"


def ask(index: int = 0, **more: Any) -> dict[str, Any]:
    text = "Tell me about it. " * (1 + index % 9)
    return {
        "model": MODEL,
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


def statuses(api: MockAPI) -> list[int | None]:
    return [call.status for call in api.calls]


class Virtual:
    """An event loop without real time, with a mock API on the same clock."""

    def __init__(self, server: RateLimits | None = None, **settings: Any) -> None:
        self.loop = VirtualLoop()
        self.clock = LoopClock(self.loop.time)
        faults = settings.pop("faults", ())
        self.api = MockAPI(
            rate_limits=server, clock=self.clock.date, keep_calls=5000, faults=faults
        )
        self.throttle = settings.pop("throttle", None) or Throttle(clock=self.clock, **settings)

    def run(self, body: Any, **settings: Any) -> Any:
        async def whole() -> Any:
            connections = httpx.AsyncClient(transport=AsyncMockTransport(self.api))
            given = {"api_key": "mock-key", "max_retries": 0, "throttle": self.throttle, **settings}
            async with AsyncClaude(http_client=connections, **given) as client:
                return await body(client)

        try:
            return self.loop.run_until_complete(whole())
        finally:
            self.loop.close()


LIMITS = {
    "requests": RateLimits(requests_per_minute=100),
    "one a second": RateLimits(requests_per_minute=60, burst_seconds=1),
    "output": RateLimits(output_tokens_per_minute=2000),
    "all": RateLimits(
        requests_per_minute=300, input_tokens_per_minute=4000, output_tokens_per_minute=3000
    ),
    "priority": RateLimits(
        requests_per_minute=300,
        input_tokens_per_minute=9000,
        output_tokens_per_minute=9000,
        priority_input_tokens_per_minute=2000,
        priority_output_tokens_per_minute=2000,
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_500_tasks_without_a_429(name: str) -> None:
    # Where one request a second is all, even two at once at the very beginning are too many.
    virtual = Virtual(LIMITS[name], ramp=1 if name == "one a second" else 4)

    async def body(client: AsyncClaude) -> None:
        await asyncio.gather(*(client.messages.create(**ask(index)) for index in range(500)))

    virtual.run(body)
    assert statuses(virtual.api) == [200] * 500
    (state,) = virtual.throttle.snapshot().values()
    assert (state.waiting, state.under_way) == (0, 0)


def test_the_pace_is_that_of_the_limits() -> None:
    virtual = Virtual(RateLimits(requests_per_minute=100))

    async def body(client: AsyncClaude) -> None:
        await asyncio.gather(*(client.messages.create(**ask()) for _ in range(500)))

    virtual.run(body)
    # 100 at once and 400 at 100 a minute.
    assert 239 <= virtual.loop.time() <= 250


def test_tokens_are_used_up_to_the_limit() -> None:
    virtual = Virtual(RateLimits(output_tokens_per_minute=2000))

    async def body(client: AsyncClaude) -> int:
        answers = [client.messages.create(**ask(max_tokens=64_000)) for _ in range(500)]
        return sum(answer.usage.output_tokens for answer in await asyncio.gather(*answers))

    used = virtual.run(body)
    fastest = 60 * (used - 2000) / 2000
    assert fastest - 1 <= virtual.loop.time() <= 1.1 * fastest + 10


def test_500_threads_without_a_429() -> None:
    clock = FastClock(120)
    api = MockAPI(
        rate_limits=RateLimits(requests_per_minute=600, input_tokens_per_minute=12_000),
        clock=clock.date,
        keep_calls=5000,
    )
    connections = httpx.Client(transport=MockTransport(api))
    failures: list[Exception] = []
    with Claude(
        api_key="mock-key", http_client=connections, max_retries=0, throttle=Throttle(clock=clock)
    ) as client:

        def work(index: int) -> None:
            try:
                client.messages.create(**ask(index))
            except Exception as error:  # noqa: BLE001 - told by the test
                failures.append(error)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(500)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
    assert failures == []
    assert statuses(api) == [200] * 500


def test_trio() -> None:
    trio = pytest.importorskip("trio")
    testing = pytest.importorskip("trio.testing")
    mock_clock = testing.MockClock(autojump_threshold=0)
    clock = LoopClock(mock_clock.current_time)
    api = MockAPI(rate_limits=RateLimits(requests_per_minute=60), clock=clock.date)

    async def whole() -> None:
        connections = httpx.AsyncClient(transport=AsyncMockTransport(api))
        async with (
            AsyncClaude(
                api_key="mock-key",
                http_client=connections,
                max_retries=0,
                throttle=Throttle(clock=clock),
            ) as client,
            trio.open_nursery() as nursery,
        ):
            for _ in range(100):
                nursery.start_soon(lambda: client.messages.create(**ask()))
            await trio.sleep(0.5)
            nursery.start_soon(give_up, client)

    async def give_up(client: AsyncClaude) -> None:
        with trio.move_on_after(5) as scope:
            await client.messages.create(**ask())
        assert scope.cancelled_caught

    trio.run(whole, clock=mock_clock)
    assert statuses(api) == [200] * 100


def test_streams_count_what_they_used() -> None:
    virtual = Virtual(RateLimits(output_tokens_per_minute=2000, input_tokens_per_minute=2000))

    async def one(client: AsyncClaude, index: int) -> None:
        async with client.messages.stream(**ask(index)) as stream:
            if index % 5:
                await stream.get_final_message()

    async def body(client: AsyncClaude) -> None:
        await asyncio.gather(*(one(client, index) for index in range(100)))

    virtual.run(body)
    assert statuses(virtual.api) == [200] * 100
    pools = virtual.throttle._groups.popitem()[1].pools
    assert pools.under_way == 0
    for pool in pools.pools.values():
        assert pool.granted == pytest.approx(pool.settled)


class Pieces:
    """The body of an answer; notes what else is asked of it."""

    def __init__(self, chunks: Any, noted: list[str]) -> None:
        self.chunks = chunks
        self.noted = noted

    def __getattr__(self, name: str) -> Any:
        self.noted.append(name)
        return getattr(self.chunks, name)

    def __iter__(self) -> Any:
        return self

    def __aiter__(self) -> Any:
        return self

    def __next__(self) -> bytes:
        return next(self.chunks)

    async def __anext__(self) -> bytes:
        return await self.chunks.__anext__()


class Watched:
    """A transport around another; notes how the bodies of its answers are ended."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.noted: list[str] = []

    def send(self, *arguments: Any, **more: Any) -> Any:
        return self.watch(self.inner.send(*arguments, **more))

    def watch(self, raw: Any) -> Any:
        def iter_bytes() -> Pieces:
            return Pieces(raw.iter_bytes(), self.noted)

        return SimpleNamespace(meta=raw.meta, close=raw.close, iter_bytes=iter_bytes)

    def close(self) -> Any:
        return self.inner.close()


class AsyncWatched(Watched):
    async def send(self, *arguments: Any, **more: Any) -> Any:
        return self.watch(await self.inner.send(*arguments, **more))


def test_the_body_of_a_stream_is_ended_as_without_a_throttle() -> None:
    """Read to its end, so that the connection can be used again; no generator is left."""
    limits = {"sonnet": {"requests": 1000.0}}
    api = MockAPI()
    connections = httpx.Client(transport=MockTransport(api))
    watched = Watched(HTTPXTransport(connections))
    with Claude(api_key="mock-key", transport=watched, throttle=Throttle(limits)) as client:
        list(client.messages.create(**ask(), stream=True))
    assert watched.noted == ["finish"]

    async def body() -> None:
        connections = httpx.AsyncClient(transport=AsyncMockTransport(api))
        watched = AsyncWatched(AsyncHTTPXTransport(connections))
        given: Any = {"transport": watched, "throttle": Throttle(limits)}
        async with AsyncClaude(api_key="mock-key", **given) as client:
            async for _ in await client.messages.create(**ask(), stream=True):
                pass
        assert watched.noted == ["finish", "aclose"]

    asyncio.run(body())


@pytest.mark.parametrize("max_tokens", [0, 1])
def test_a_request_that_is_to_write_nothing_reads_all_the_same(max_tokens: int) -> None:
    """Also where a Priority Tier shows up in the answer."""
    headers = {
        "anthropic-priority-input-tokens-limit": "100000",
        "anthropic-priority-input-tokens-remaining": "90000",
    }
    body = {"usage": {"input_tokens": 9, "output_tokens": max_tokens}}
    connections = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, json=body))
    )
    throttle = Throttle({"sonnet": {"requests": 1000.0, "input_tokens": 50_000.0}})
    with Claude(api_key="k", http_client=connections, throttle=throttle) as client:
        client.messages.create(**{**ask(), "max_tokens": max_tokens})
    state = throttle.snapshot()["sonnet"]
    assert state.under_way == 0
    assert state.pools["priority-input-tokens"].available <= 90_000


def test_first_come_first_served_whatever_they_need() -> None:
    virtual = Virtual(
        RateLimits(input_tokens_per_minute=3000), limits={"sonnet": {"input_tokens": 3000}}
    )
    order: list[str] = []

    async def one(client: AsyncClaude, name: str, size: int) -> None:
        await client.messages.create(**ask(messages=[{"role": "user", "content": "word " * size}]))
        order.append(name)

    async def body(client: AsyncClaude) -> None:
        await client.messages.create(**ask())
        tasks = []
        sizes = [1500, 2000, *[5] * 20]
        for index, size in enumerate(sizes):
            tasks.append(asyncio.create_task(one(client, str(index), size)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    virtual.run(body)
    assert order == [str(index) for index in range(22)]
    assert set(statuses(virtual.api)) == {200}


def test_those_who_leave_leave_no_hole() -> None:
    virtual = Virtual(RateLimits(requests_per_minute=10), limits={"sonnet": {"requests": 10}})

    async def body(client: AsyncClaude) -> None:
        tasks = [asyncio.create_task(client.messages.create(**ask())) for _ in range(40)]
        await asyncio.sleep(1)
        for task in tasks[10:30]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(task.cancelled() for task in tasks) == 20

    virtual.run(body)
    assert statuses(virtual.api) == [200] * 20
    assert virtual.loop.time() < 62
    (state,) = virtual.throttle.snapshot().values()
    assert (state.waiting, state.under_way) == (0, 0)


def test_a_task_cancelled_just_when_its_turn_came_gives_it_back() -> None:
    virtual = Virtual(RateLimits(requests_per_minute=1), limits={"sonnet": {"requests": 1}})

    async def body(client: AsyncClaude) -> None:
        await client.messages.create(**ask())
        tasks = [asyncio.create_task(client.messages.create(**ask())) for _ in range(3)]
        for task in tasks[:2]:
            virtual.loop.call_at(60.0, task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not tasks[2].cancelled()

    virtual.run(body)
    assert set(statuses(virtual.api)) == {200}


def test_a_429_pauses_everybody() -> None:
    faults = [("messages.create", Fault(status=429, retry_after=30, times=1))]
    virtual = Virtual(RateLimits(requests_per_minute=1000), faults=faults)
    times: list[float] = []

    async def body(client: AsyncClaude) -> None:
        async def one() -> None:
            await client.messages.create(**ask())
            times.append(virtual.loop.time())

        with pytest.raises(RateLimitError):
            await client.messages.create(**ask())
        assert virtual.throttle.snapshot()["sonnet"].paused_for == 30
        await asyncio.gather(*(one() for _ in range(20)))

    virtual.run(body)
    assert min(times) >= 30


def test_every_attempt_waits() -> None:
    faults = [("messages.create", Fault(status=429, retry_after=2, times=2))]
    virtual = Virtual(RateLimits(requests_per_minute=1000), faults=faults)

    async def body(client: AsyncClaude) -> None:
        await client.messages.create(**ask())

    virtual.run(body, max_retries=3)
    assert statuses(virtual.api) == [429, 429, 200]
    (state,) = virtual.throttle.snapshot().values()
    assert (state.waiting, state.under_way) == (0, 0)


def test_operations_have_limits_of_their_own() -> None:
    virtual = Virtual(RateLimits(requests_per_minute=2))

    async def body(client: AsyncClaude) -> None:
        for _ in range(2):
            await client.messages.create(**ask())
            await client.messages.create(**ask(model="claude-opus-5-5"))
            await client.models.list()
            await client.messages.count_tokens(model=MODEL, messages=ask()["messages"])
        assert virtual.loop.time() < 5

    virtual.run(body)
    assert set(virtual.throttle.snapshot()) == {"sonnet", "opus", "models", "messages.count_tokens"}


@pytest.mark.parametrize("by", ["max_wait", "deadline"])
def test_no_longer_than_allowed(by: str) -> None:
    limits = RateLimits(requests_per_minute=1)
    virtual = Virtual(
        limits, limits={"sonnet": {"requests": 1}}, max_wait=10.0 if by == "max_wait" else None
    )

    async def body(client: AsyncClaude) -> None:
        await client.messages.create(**ask())
        timeout = Timeout(deadline=10.0) if by == "deadline" else None
        with pytest.raises(ThrottleTimeoutError) as caught:
            await client.messages.create(**ask(timeout=timeout))
        error = caught.value
        assert isinstance(error, APITimeoutError)
        assert (error.group, error.pool, error.attempts) == ("sonnet", "requests", 0)
        assert error.wait is not None
        assert error.operation == "messages.create"
        assert "requests are used up" in str(error)
        # Nobody could have made it shorter, so it was not waited for.
        assert virtual.loop.time() < 1

    virtual.run(body, max_retries=5)
    assert statuses(virtual.api) == [200]


def test_on_wait_is_told_once_and_may_refuse() -> None:
    events: list[WaitEvent] = []

    def on_wait(event: WaitEvent) -> None:
        events.append(event)
        if len(events) > 3:
            raise LookupError("no")

    virtual = Virtual(
        RateLimits(requests_per_minute=1), limits={"sonnet": {"requests": 1}}, on_wait=on_wait
    )

    async def body(client: AsyncClaude) -> None:
        tasks = [asyncio.create_task(client.messages.create(**ask())) for _ in range(5)]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[4], LookupError)

    virtual.run(body)
    assert len(events) == 4
    assert events[0].pool == "requests"
    assert events[0].seconds == pytest.approx(60, abs=1)
    assert (events[1].seconds, events[1].before) == (None, 1)
    assert events[2].before == 2
    (state,) = virtual.throttle.snapshot().values()
    assert state.waiting == 0


def test_fast_mode_does_not_wait_for_ordinary_requests() -> None:
    limits = RateLimits(input_tokens_per_minute=2000, fast_input_tokens_per_minute=2000)
    virtual = Virtual(limits, limits={"opus": {"input_tokens": 2000, "fast_input_tokens": 2000}})
    done: list[str] = []

    async def body(client: AsyncClaude) -> None:
        async def one(name: str, **more: Any) -> None:
            text = "word " * 1200
            given = ask(messages=[{"role": "user", "content": text}], model="claude-opus-5-5")
            await client.beta.messages.create(**given, **more)
            done.append(name)

        await asyncio.gather(*(one("slow") for _ in range(3)), one("fast", speed="fast"))

    virtual.run(body)
    assert done.index("fast") < 2


def test_a_lost_connection_is_over() -> None:
    virtual = Virtual(faults=[("messages.create", Fault(disconnect=True))])

    async def body(client: AsyncClaude) -> None:
        for _ in range(3):
            with pytest.raises(APIConnectionError):
                await client.messages.create(**ask())

    virtual.run(body)
    (state,) = virtual.throttle.snapshot().values()
    assert state.under_way == 0


def test_what_nobody_reads_is_over_once_it_is_gone() -> None:
    virtual = Virtual(RateLimits(output_tokens_per_minute=2000))

    async def body(client: AsyncClaude) -> None:
        throttle = virtual.throttle
        raw = await client.with_streaming_response.messages.create(**ask()).__aenter__()
        assert throttle.snapshot()["sonnet"].under_way == 1
        await raw.close()
        assert throttle.snapshot()["sonnet"].under_way == 0

    virtual.run(body)


def test_clients_share_it_and_copies_may_leave() -> None:
    throttle = Throttle()
    client = Claude(api_key="k", throttle=throttle)
    assert client.with_options(max_retries=1).throttle is throttle
    assert client.with_options(throttle=None).throttle is None
    assert client.with_options(throttle=False).throttle is None
    assert Claude(api_key="k", throttle=True).throttle is not None
    assert Claude(api_key="k").throttle is None


@pytest.mark.parametrize("shared", [False, True])
def test_credentials_have_limits_of_their_own_unless_named(shared: bool) -> None:
    throttle = Throttle(namespace="all" if shared else None)
    for key in ("one", "two"):
        connections = httpx.Client(transport=MockTransport())
        with Claude(api_key=key, http_client=connections, throttle=throttle) as client:
            client.models.list()
    assert len(throttle.snapshot()) == (1 if shared else 2)
    assert "one" not in repr(throttle.snapshot())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limits": {"opus": {"requsts": 1}}}, "requsts"),
        ({"limits": {"opus": {"requests": 0}}}, "above 0"),
        ({"ramp": 0}, "ramp"),
        ({"max_wait": -1}, "max_wait"),
        ({"on_error": "no"}, "on_error"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Throttle(**settings)


def test_something_else_as_throttle() -> None:
    with pytest.raises(TypeError, match="throttle is True"):
        Claude(api_key="k", throttle=5)  # type: ignore[arg-type]


def test_snapshot_reads_well() -> None:
    throttle = Throttle({"sonnet": {"requests": 50, "input-tokens": 1000}})
    connections = httpx.Client(transport=MockTransport())
    with Claude(api_key="k", http_client=connections, throttle=throttle) as client:
        client.messages.create(**ask())
    state = throttle.snapshot()["sonnet"]
    assert state.known
    assert state.pools["requests"].limit > 50
    assert state.pools["requests"].available <= state.pools["requests"].capacity
    assert repr(throttle) == "Throttle(sonnet)"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_forgets_who_waited() -> None:
    clock = HandClock()
    throttle = Throttle({"sonnet": {"requests": 1}}, clock=clock)
    from claude_client.throttle.demand import Demand

    demand = Demand("messages.create", "sonnet")
    assert throttle.enter("", demand, None).grant is not None
    waiting = throttle.enter("", demand, None)
    assert waiting.grant is None
    throttle._process = -1
    clock.seconds = 61.0
    throttle._lock.acquire()
    assert throttle.enter("", demand, None).grant is not None
