"""Limits that several processes share through a real Redis, started here where there is one."""

from __future__ import annotations

import asyncio
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from claude_client import (
    AsyncClaude,
    Claude,
    MissingRedisError,
    Throttle,
    ThrottleStoreError,
    ThrottleStoreWarning,
)
from claude_client.testing import AsyncMockTransport, MockAPI, MockTransport, RateLimits, serve
from claude_client.throttle.pools import Grant, Pools, Told
from claude_client.throttle.script import SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterator

ASK: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello"}],
}
BINARY = shutil.which("redis-server")


class RedisServer:
    """A redis-server of its own, on a free port, that keeps nothing."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        assert BINARY is not None
        self._process = subprocess.Popen(
            [BINARY, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("redis-server does not start")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@pytest.fixture
def server() -> Iterator[RedisServer]:
    pytest.importorskip("redis", reason="redis-py is not installed: extra redis")
    if BINARY is None:
        pytest.skip("there is no redis-server here; on Debian, apt-get install redis-server")
    started = RedisServer()
    yield started
    started.stop()


def test_two_clients_share_one_budget(server: RedisServer) -> None:
    api = MockAPI(rate_limits=RateLimits(requests_per_minute=6000, burst_seconds=1))
    throttles = [Throttle(redis=server.url, ramp=1) for _ in range(2)]
    failures: list[Exception] = []

    def work(client: Claude) -> None:
        try:
            for _ in range(6):
                client.messages.create(**ASK)
        except Exception as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    clients = [
        Claude(
            api_key="mock-key",
            http_client=httpx.Client(transport=MockTransport(api)),
            throttle=throttle,
            max_retries=0,
        )
        for throttle in throttles
    ]
    threads = [threading.Thread(target=work, args=(client,)) for client in clients * 12]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    for client, throttle in zip(clients, throttles, strict=True):
        client.close()
        throttle.close()
    assert failures == []
    assert [call.status for call in api.calls] == [200] * 144
    assert throttles[0].snapshot()["sonnet"].pools["requests"].limit == 6000


def test_tasks_of_two_clients_share_one_budget(server: RedisServer) -> None:
    api = MockAPI(rate_limits=RateLimits(requests_per_minute=6000, burst_seconds=1))

    async def body() -> None:
        throttles = [Throttle(redis=server.url, ramp=1) for _ in range(2)]
        clients = [
            AsyncClaude(
                api_key="mock-key",
                http_client=httpx.AsyncClient(transport=AsyncMockTransport(api)),
                throttle=throttle,
                max_retries=0,
            )
            for throttle in throttles
        ]
        tasks = [
            asyncio.create_task(clients[index % 2].messages.create(**ASK)) for index in range(120)
        ]
        await asyncio.sleep(0)
        for task in tasks[::10]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert not [result for result in results if isinstance(result, Exception)]
        for client in clients:
            await client.close()
        for throttle in throttles:
            throttle.close()

    asyncio.run(body())
    assert {call.status for call in api.calls} == {200}


_PROCESS = """
import sys
from claude_client import Claude
url, base_url = sys.argv[1:]
with Claude(api_key="mock-key", base_url=base_url, throttle=url, max_retries=0) as client:
    for _ in range(20):
        client.models.list()
"""


def test_processes_share_one_budget(server: RedisServer) -> None:
    api = MockAPI(rate_limits=RateLimits(requests_per_minute=1200, burst_seconds=1))
    with serve(api) as mock:
        # One request teaches all of them.
        with Claude(api_key="mock-key", base_url=mock.url, throttle=server.url) as client:
            client.models.list()
            assert client.throttle is not None
            client.throttle.close()
        workers = [
            subprocess.Popen([sys.executable, "-c", _PROCESS, server.url, mock.url])
            for _ in range(3)
        ]
        assert [worker.wait(300) for worker in workers] == [0, 0, 0]
    assert [call.status for call in api.calls] == [200] * 61


def test_nothing_secret_gets_there(server: RedisServer) -> None:
    import redis

    throttle = Throttle(redis=server.url)
    with Claude(
        api_key="sk-ant-secret",
        http_client=httpx.Client(transport=MockTransport()),
        throttle=throttle,
    ) as client:
        client.messages.create(**ASK)
    throttle.close()
    with redis.Redis.from_url(server.url) as connection:
        keys = connection.keys("*")
        assert len(keys) == 1
        assert b"secret" not in keys[0]
        assert b"secret" not in connection.get(keys[0])
        assert 0 < connection.ttl(keys[0]) <= 1800


def test_a_redis_that_goes_away_is_done_without_and_told_once(server: RedisServer) -> None:
    throttle = Throttle(redis=server.url)
    with Claude(
        api_key="k", http_client=httpx.Client(transport=MockTransport()), throttle=throttle
    ) as client:
        client.messages.create(**ASK)
        server.stop()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for _ in range(3):
                client.messages.create(**ASK)
    assert [warning.category for warning in told] == [ThrottleStoreWarning]
    assert throttle.snapshot()["sonnet"].known
    throttle.close()


def test_or_is_an_error(server: RedisServer) -> None:
    throttle = Throttle(redis=server.url, on_error="raise")
    server.stop()
    with Claude(
        api_key="k", http_client=httpx.Client(transport=MockTransport()), throttle=throttle
    ) as client:
        with pytest.raises(ThrottleStoreError) as caught:
            client.messages.create(**ASK)
        assert caught.value.__cause__ is not None
    assert throttle.snapshot()["sonnet"].waiting == 0
    throttle.close()


def test_a_redis_that_lost_its_scripts_gets_them_again(server: RedisServer) -> None:
    import redis

    throttle = Throttle(redis=server.url)
    with Claude(
        api_key="k", http_client=httpx.Client(transport=MockTransport()), throttle=throttle
    ) as client:
        client.messages.create(**ASK)
        with redis.Redis.from_url(server.url) as connection:
            connection.script_flush()
        client.messages.create(**ASK)
    throttle.close()


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingRedisError, match=r"claude-client\[redis\]"):
        Throttle(redis="redis://localhost")


def test_the_script_computes_what_python_does(server: RedisServer) -> None:
    """Random courses of events, step by step, in both."""
    import json

    import redis

    with redis.Redis.from_url(server.url) as connection:
        script = connection.register_script(SCRIPT)
        for seed in range(15):

            def ask(todo: dict[str, Any], key: str = f"k{seed}") -> Any:
                text = json.dumps({"ramp": 4, "lane": "", "id": "me", **todo})
                return json.loads(script(keys=[key], args=[text]))

            _compare(random.Random(seed), ask)


def _compare(chance: random.Random, ask: Any) -> None:
    now = 1000.0
    pools = Pools(4, None, now)
    under_way: list[tuple[Grant, Grant]] = []
    answered: list[tuple[Grant, Grant]] = []
    for _ in range(60):
        now += chance.choice([0.0, 0.5, 3.0])
        what = chance.choice(["take", "take", "answer", "finish", "give_back", "lose"])
        reply: dict[str, Any] = {}
        if what == "take":
            size = float(chance.randint(1, 800))
            costs = {"requests": 1.0, "input-tokens": size}
            taken = pools.take([costs], now)
            reply = ask({"op": "take", "now": now, "options": [costs]})
            assert isinstance(taken, Grant) is ("granted" in reply)
            if isinstance(taken, Grant):
                theirs = Grant(costs, reply["marks"], reply["now"])
                assert theirs.marks == pytest.approx(taken.marks)
                under_way.append((taken, theirs))
            else:
                assert reply["seconds"] == pytest.approx(taken.seconds)
                assert (reply["pool"], reply["certain"]) == (taken.pool, taken.certain)
                ask({"op": "leave", "now": now})
        elif what == "answer" and under_way:
            ours, theirs = under_way.pop(chance.randrange(len(under_way)))
            answered.append((ours, theirs))
            told = {
                "requests": Told(600, chance.randint(0, 600), chance.choice([None, 30.0])),
                "input-tokens": Told(9000, 1000 * chance.randint(0, 9), 60.0),
            }
            if chance.random() < 0.3:
                told = {}
            facts = {"teaches": chance.random() < 0.8, "pause": chance.choice([0.0, 0.0, 4.0])}
            pools.answer(ours, told, now, **facts)
            said = {
                name: [part for part in each if part is not None] for name, each in told.items()
            }
            reply = ask({"op": "answer", "now": now, **theirs._asdict(), "told": said, **facts})
        elif what in ("finish", "give_back", "lose") and answered:
            ours, theirs = answered.pop()
            spent = {"input-tokens": float(chance.randint(1, 900))}
            if what == "finish":
                pools.finish(ours, spent, now)
            elif what == "lose":
                pools.lose(ours, now)
            else:
                pools.give_back(ours, now)
            reply = ask({"op": what, "now": now, **theirs._asdict(), "spent": spent})
        if not reply:
            continue
        assert reply["known"] is pools.known
        assert reply["paused"] == pytest.approx(max(pools.paused_until - now, 0))
        for name, pool in pools.pools.items():
            if pool.limit is not None:
                limit, level, capacity = reply["pools"][name]
                assert (limit, capacity) == pytest.approx((pool.limit, pool.capacity))
                if not (what == "take" and reply["paused"]):
                    # Otherwise it was not looked at, and not filled.
                    pool.fill(now)
                    assert level == pytest.approx(pool.level, abs=1e-3)
