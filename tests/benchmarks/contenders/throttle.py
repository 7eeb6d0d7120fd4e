"""Calls through a transport that answers at once, with a throttle and without.

Arguments: calls of a round, rounds. Result: for each round the CPU seconds of one call, by kind.
"""

import asyncio
import sys
from datetime import datetime, timedelta, timezone
from time import process_time
from typing import Any

import httpx

from claude_client import AsyncClaude, Claude, Throttle

calls, rounds = map(int, sys.argv[1:])
POOLS = {"requests": 4_000_000, "input-tokens": 400_000_000, "output-tokens": 80_000_000}
SOON = datetime.now(timezone.utc) + timedelta(minutes=1)
HEADERS = {"content-type": "application/json", "request-id": "req_1"}
for pool, limit in POOLS.items():
    HEADERS[f"anthropic-ratelimit-{pool}-limit"] = str(limit)
    HEADERS[f"anthropic-ratelimit-{pool}-remaining"] = str(limit - 1000)
    HEADERS[f"anthropic-ratelimit-{pool}-reset"] = SOON.strftime("%Y-%m-%dT%H:%M:%SZ")
MESSAGE = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "text", "text": "Hello!"}],
    "model": "claude-opus-5-5",
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
ARGUMENTS: Any = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello, Claude. " * 20}],
}


def answer(request: httpx.Request) -> httpx.Response:
    """Answer at once."""
    return httpx.Response(200, headers=HEADERS, json=MESSAGE)


def settings(throttled: bool) -> dict[str, Any]:
    """Return the arguments of a client."""
    return {"api_key": "key", "throttle": Throttle() if throttled else None}


def sync_round(throttled: bool) -> float:
    """Return the CPU seconds of a call."""
    connections = httpx.Client(transport=httpx.MockTransport(answer))
    with Claude(http_client=connections, **settings(throttled)) as client:
        client.messages.create(**ARGUMENTS)
        started = process_time()
        for _ in range(calls):
            client.messages.create(**ARGUMENTS)
        return (process_time() - started) / calls


async def async_round(throttled: bool) -> float:
    """Return the CPU seconds of a call."""
    connections = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with AsyncClaude(http_client=connections, **settings(throttled)) as client:
        await client.messages.create(**ARGUMENTS)
        started = process_time()
        for _ in range(calls):
            await client.messages.create(**ARGUMENTS)
        return (process_time() - started) / calls


RESULT: dict[str, list[float]] = {
    f"{kind}_{state}": [] for kind in ("sync", "async") for state in ("on", "off")
}
for _ in range(rounds):
    for throttled in (False, True):
        state = "on" if throttled else "off"
        RESULT[f"sync_{state}"].append(sync_round(throttled))
        RESULT[f"async_{state}"].append(asyncio.run(async_round(throttled)))
