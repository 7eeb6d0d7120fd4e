"""What a throttle costs a call that does not have to wait."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from .figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "a call through a throttle that lets it pass at once"
TARGET = 1.15
"""Of the CPU time of the same call without."""


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Compare calls with a throttle and without, in turn, in one process."""
    calls = setup.scaled(200)
    result = setup.run("throttle.py", calls, setup.rounds(7)).result
    for kind in ("sync", "async"):
        yield Figure(
            f"{kind} call",
            "ms",
            median(result[f"{kind}_on"]) * 1e3,
            median(result[f"{kind}_off"]) * 1e3,
            target=TARGET,
        )
    yield (
        f"{calls:,} calls a round; CPU time with an answer that has all headers about limits, "
        "from a transport that does nothing; the floor is the same without a throttle"
    )
