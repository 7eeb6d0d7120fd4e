"""The results of a large batch, read line by line: CPU, memory, and growth with the line length."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from loopback import LoopbackServer, Send, response

from .documents import short_message
from .figures import LINEAR_EXPONENT, Figure, growth_exponent, growth_steps
from .processes import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .processes import Setup

SUMMARY = "results of a batch, read over loopback"
RESULTS = 200_000
OFFICIAL_RESULTS = 10_000
CPU_TARGET = 2.6
MEMORY_LIMIT_MB = 8.0
LINE_BYTES = (1_000_000, 2_000_000, 4_000_000, 8_000_000)
WARM_UP = 10


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Measure many short lines, and one line at growing lengths."""
    count = setup.scaled(RESULTS)
    rounds = setup.rounds(3)
    bodies = [_lines(WARM_UP), _lines(count)]
    floor = _measure(setup, ["batch_results_floor.py"], bodies, rounds)[1]
    for name, how in (("results()", "stream"), ("iter_results()", "arrival")):
        ours = _measure(setup, ["batch_results_ours.py", how], bodies, rounds)[1]
        _check(ours["count"] == count, name)
        yield Figure(
            f"{name}, each of {count:,}",
            "µs",
            ours["cpu"] / count * 1e6,
            floor["cpu"] / count * 1e6,
            CPU_TARGET,
        )
        yield Figure(f"{name}, growth of memory", "MB", ours["growth"] / 1e6, limit=MEMORY_LIMIT_MB)
    if setup.official is not None:
        few = setup.scaled(OFFICIAL_RESULTS)
        small = [_lines(WARM_UP), _lines(few)]
        theirs = _measure(setup, ["batch_results_official.py"], small, 1, official=True)[1]
        by_hand = _measure(setup, ["batch_results_floor.py"], small, rounds)[1]
        mine = _measure(setup, ["batch_results_ours.py", "stream"], small, rounds)[1]
        yield Figure(
            f"results(), each of {few:,}",
            "µs",
            mine["cpu"] / few * 1e6,
            by_hand["cpu"] / few * 1e6,
            official=theirs["cpu"] / few * 1e6,
        )
    sizes = [setup.scaled(size) for size in LINE_BYTES]
    long = [_lines(WARM_UP), *(_line(0, "x" * size) for size in sizes)]
    costs = [
        one["cpu"] for one in _measure(setup, ["batch_results_ours.py", "stream"], long, rounds)[1:]
    ]
    yield Figure(
        "one line of growing length",
        "exponent",
        growth_exponent(sizes, costs),
        limit=LINEAR_EXPONENT,
    )
    yield f"one line: {growth_steps(sizes, costs)}"
    yield "minima of CPU time; the floor is iter_bytes() and one parse per line"


def _measure(
    setup: Setup,
    contender: Sequence[str],
    bodies: Sequence[bytes],
    rounds: int,
    *,
    official: bool = False,
) -> list[dict[str, Any]]:
    """Return the least CPU seconds and memory for each body."""
    headers = {"content-type": "application/x-jsonl"}
    with ExitStack() as stack:
        urls: list[str] = []
        for body in bodies:
            server = stack.enter_context(LoopbackServer([]))
            script = [[Send(response(body=body, headers=headers))]]
            if official:
                # It asks for the batch first, which says where the results are.
                batch = {"type": "message_batch", "results_url": f"{server.url}/results"}
                script.insert(0, [Send(response(json=batch))])
            server.script = script
            urls.append(server.url)
        results = [setup.run(*contender, *urls, official=official).result for _ in range(rounds)]
    return [
        {
            "cpu": min(one["cpu"] for one in same),
            "growth": min(one["growth"] for one in same),
            "count": same[0]["count"],
        }
        for same in zip(*results, strict=True)
    ]


def _check(right: bool, name: str) -> None:
    if not right:
        raise MeasurementError(f"{name} got another number of results")


def _lines(count: int) -> bytes:
    return b"".join(_line(number) for number in range(count))


def _line(number: int, text: str | None = None) -> bytes:
    message = short_message()
    if text is not None:
        message["content"][0]["text"] = text
    result = {"type": "succeeded", "message": message}
    line = {"custom_id": f"request-{number}", "result": result}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
