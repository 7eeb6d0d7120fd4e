"""A large image or history in a request: what it costs, and how long an event loop waits."""

from __future__ import annotations

import os
from statistics import median
from typing import TYPE_CHECKING, Any

from .figures import Figure
from .processes import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "a large image or history in a request that goes nowhere"
IMAGE_BYTES = 20_000_000
BODY_BYTES = 28_000_000
CPU_TARGET = 1.0
MEMORY_LIMIT_MB = 4.0
WAIT_LIMIT_MS = 20.0
_SHOWN = {"image": "an image", "blocks": "a history of many texts", "text": "one long text"}


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Compare with one call of the JSON library, which is given the base64 text."""
    size = setup.scaled(IMAGE_BYTES)
    (setup.folder / "x.png").write_bytes(os.urandom(size))

    def job(contender: str, kind: str, size: int) -> tuple[object, ...]:
        return ("big_request.py", contender, kind, size, setup.folder)

    jobs = {name: job(name, "image", size) for name in ("dumps", "by_hand", "ours")}
    loops = {kind: job("ours_async", kind, setup.scaled(BODY_BYTES)) for kind in _SHOWN}
    loops["image"] = job("ours_async", "image", size)
    results = _results(setup, {**jobs, **loops}, 7)
    if setup.official is not None:
        official = {"official": job("official", "image", size)}
        official |= {
            f"official {kind}": ("big_request.py", "official_async", *rest)
            for kind, (_, _, *rest) in loops.items()
        }
        results |= _results(setup, official, 2, official=True)
    sent = {result["sent"] for name in jobs for result in results[name]}
    if len(sent) != 1:
        raise MeasurementError(f"the bodies have {sent} bytes")

    def middle(name: str, fact: str, factor: float) -> float | None:
        found = [result[fact] for result in results.get(name, ())]
        return None if not found or None in found else median(found) * factor

    ours = middle("ours", "cpu", 1e3)
    assert ours is not None
    cpu = middle("official", "cpu", 1e3)
    yield Figure("CPU time", "ms", ours, middle("dumps", "cpu", 1e3), CPU_TARGET, official=cpu)
    yield Figure(
        "CPU time, when the floor makes the base64 text too",
        "ms",
        ours,
        middle("by_hand", "cpu", 1e3),
        CPU_TARGET,
        official=cpu,
    )
    memory = middle("ours", "memory", 1e-6)
    if memory is not None:
        yield Figure(
            "growth of the memory",
            "MB",
            memory,
            middle("dumps", "memory", 1e-6) or None,
            limit=MEMORY_LIMIT_MB,
            official=middle("official", "memory", 1e-6),
        )
    for kind, shown in _SHOWN.items():
        wait = middle(kind, "wait", 1e3)
        assert wait is not None
        yield Figure(
            f"longest wait of the event loop beside {shown}",
            "ms",
            wait,
            limit=WAIT_LIMIT_MS,
            official=middle(f"official {kind}", "wait", 1e3),
        )
    yield (
        f"an image of {size:,} bytes, else {setup.scaled(BODY_BYTES):,} bytes; the floor is one "
        f"call of {results['dumps'][0]['backend']} that is given the base64 text; the official SDK "
        "is given base64 text made for the call"
    )


def _results(
    setup: Setup, jobs: dict[str, tuple[object, ...]], rounds: int, *, official: bool = False
) -> dict[str, list[Any]]:
    costs = setup.interleave(jobs, setup.rounds(rounds), official=tuple(jobs) if official else ())
    return {name: [cost.result for cost in several] for name, several in costs.items()}
