"""Making a client."""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING

from .figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "making a client"
LIMIT_MS = 1.0
KEY = json.dumps({"api_key": "sk-ant-api03-none"})


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Compare making a client with making one of the HTTP library."""
    count = setup.scaled(640)
    rounds = setup.rounds(3)
    jobs: dict[str, tuple[object, ...]] = {
        "ours": ("construct.py", "claude_client", "Claude", count, KEY),
        "floor": ("construct.py", "httpx", "Client", 5, "{}"),
    }
    costs = setup.interleave(jobs, rounds)
    if setup.official is not None:
        official = {"official": ("construct.py", "anthropic", "Anthropic", 5, KEY)}
        costs |= setup.interleave(official, setup.rounds(1), official=("official",))
    for name, part, limit in (
        ("the first client of a process", "first", None),
        ("a later client", "later", LIMIT_MS),
    ):
        times = {
            key: median(cost.result[part] for cost in several) * 1e3
            for key, several in costs.items()
        }
        yield Figure(
            name,
            "ms",
            times["ours"],
            times["floor"],
            limit=limit,
            official=times.get("official"),
        )
    yield "CPU time, imports before it not counted; the floor is httpx.Client()"
