"""What a request costs when many are in flight at once, over each transport."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING

from .documents import short_message
from .figures import Figure
from .processes import CONTENDERS, MeasurementError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "one of many requests at once, over each transport"
AT_ONCE = (1, 50, 500)
REQUESTS = 600
OFFICIAL_TARGET = 1.0
"""Largest wanted ratio of the default transport to the official SDK."""
BY_HAND_TARGET = 1.15
"""Largest wanted ratio of the transport over aiohttp to aiohttp by hand."""
SECONDS = 0.02
"""How long an answer takes, so that requests overlap."""


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Compare with the official SDK as it comes, and with aiohttp by hand."""
    aiohttp = find_spec("aiohttp") is not None
    body = setup.folder / "concurrency_answer.json"
    body.write_text(json.dumps(short_message()))
    command = [sys.executable, str(CONTENDERS / "concurrency_server.py"), str(body)]
    for at_once in AT_ONCE[:: 2 if setup.quick else 1]:
        # One after the other there is nothing to overlap.
        wait = "0" if at_once == 1 else str(SECONDS)
        with subprocess.Popen([*command, wait], stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
                yield from _at_once(setup, url, at_once, aiohttp=aiohttp)
            finally:
                server.terminate()
    if not aiohttp:
        yield "aiohttp: skipped, it is not installed"
    yield (
        "CPU time of the process of the caller for one request; the floor of the default transport "
        "is the official SDK as it comes, which is no floor but what it is held against"
    )


def _at_once(setup: Setup, url: str, at_once: int, *, aiohttp: bool) -> Iterator[Figure | str]:
    count = max(setup.scaled(REQUESTS), 2 * at_once if not setup.quick else at_once // 5, 10)
    load = (url, at_once, count, setup.rounds(3))
    jobs: dict[str, tuple[object, ...]] = {"ours": ("concurrency_load.py", "ours:httpx", *load)}
    if find_spec("httpx2") is not None:
        jobs["httpx2"] = ("concurrency_load.py", "ours:httpx2", *load)
    if aiohttp:
        jobs["by hand"] = ("concurrency_load.py", "aiohttp", *load)
        jobs["transport"] = ("concurrency_load.py", "transport:aiohttp", *load)
        jobs["aiohttp"] = ("concurrency_load.py", "ours:aiohttp", *load)
    official: tuple[str, ...] = ()
    if setup.official is not None:
        official = ("official",)
        jobs["official"] = ("concurrency_load.py", "official", *load)
    costs = setup.interleave(jobs, setup.rounds(2), official=official)
    cpu = {name: median(cost.result for cost in several) for name, several in costs.items()}
    if min(cpu.values()) <= 0:
        raise MeasurementError("too few requests to tell what one costs")
    ms = {name: seconds * 1e3 for name, seconds in cpu.items()}
    who = f"{at_once} at once"
    yield Figure(
        f"{who}, the default against the official SDK",
        "ms",
        ms["ours"],
        ms.get("official"),
        OFFICIAL_TARGET,
    )
    if "httpx2" in ms:
        yield Figure(f"{who}, httpx2 against the default", "ms", ms["httpx2"], ms["ours"])
    if aiohttp:
        yield Figure(
            f"{who}, the transport over aiohttp against aiohttp by hand",
            "ms",
            ms["transport"],
            ms["by hand"],
            BY_HAND_TARGET,
        )
        yield Figure(
            f"{who}, a whole call over aiohttp against aiohttp by hand",
            "ms",
            ms["aiohttp"],
            ms["by hand"],
        )
        yield Figure(
            f"{who}, a whole call over aiohttp against one over httpx",
            "ms",
            ms["aiohttp"],
            ms["ours"],
        )
