"""The mock API as a server: what a request costs it."""

from __future__ import annotations

import json
import os
import sys
from statistics import median
from typing import TYPE_CHECKING

from claude_client.testing import MockAPI, MockRequest

from .figures import Figure
from .processes import CONTENDERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "answering messages as a server"
LIMIT_MS = 0.5
"""Thousands of requests per second on one core begin at two."""
REQUESTS = 3_200
LEAST_REQUESTS = 400
BODY = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello, Claude, and all who read this"}],
}
HEADERS = (("x-api-key", "any"), ("anthropic-version", "2026-10-21"))


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Compare the mock with a server that sends the same bytes without looking at anything."""
    if not hasattr(os, "wait4"):
        yield "skipped: this system does not tell what one child process cost"
        return
    for name, streamed, limit in (("a message", False, LIMIT_MS), ("a stream", True, None)):
        body = json.dumps({**BODY, "stream": streamed}).encode()
        request = setup.folder / f"request_{streamed}.json"
        request.write_bytes(body)
        answer = MockAPI().handle(MockRequest("POST", "/v1/messages", "", HEADERS, body)).body
        pieces = setup.folder / f"answer_{streamed}"
        pieces.write_bytes(answer if isinstance(answer, bytes) else b"\n---\n".join(answer))
        # Fewer requests than this cost less than two starts of a server differ by.
        count = max(setup.scaled(REQUESTS), LEAST_REQUESTS)
        load = ("mock_server_load.py", count, request, sys.executable)
        jobs: dict[str, tuple[object, ...]] = {
            "ours": (*load, "-m", "claude_client.testing", "--port", "0"),
            "floor": (*load, CONTENDERS / "mock_server_floor.py", pieces),
        }
        costs = setup.interleave(jobs, setup.rounds(3))
        cpu = {
            key: median(cost.result["cpu"] for cost in several) for key, several in costs.items()
        }
        yield Figure(name, "ms", cpu["ours"] * 1e3, cpu["floor"] * 1e3, limit=limit)
        rate = max(cost.result["rate"] for cost in costs["ours"])
        seconds = (
            f"{1 / cpu['ours']:,.0f} a second on one core" if cpu["ours"] else "too few to tell"
        )
        yield f"{name}: {seconds}, {rate:,.0f} a second as the caller saw them"
    yield "CPU time of the server process for one request; the floor is uvicorn with a fixed answer"
