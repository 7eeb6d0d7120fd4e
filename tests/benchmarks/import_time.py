"""What an import costs before anything is done with it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from .figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "importing, without the start of the interpreter"
TARGET = 1.15


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Compare the imports of this project with that of the HTTP library."""
    jobs = {
        "floor": ("-c", "import httpx"),
        "package": ("-c", "import claude_client"),
        "class": ("-c", "from claude_client import Claude"),
        "types": ("-c", "from claude_client.types import Message, MessageParam"),
    }
    costs = setup.interleave(jobs, setup.rounds(9))
    if setup.official is not None:
        official = {
            "official package": ("-c", "import anthropic"),
            "official types": ("-c", "from anthropic.types import Message, MessageParam"),
        }
        costs |= setup.interleave(official, setup.rounds(2), official=tuple(official))
    cpu = {name: median(c.cpu_of_work for c in several) * 1e3 for name, several in costs.items()}
    for name, job, rival in (
        ("import claude_client", "package", "official package"),
        ("from claude_client import Claude", "class", "official package"),
        ("from claude_client.types import Message, MessageParam", "types", "official types"),
    ):
        yield Figure(name, "ms", cpu[job], cpu["floor"], TARGET, official=cpu.get(rival))
    yield "medians of CPU time; the floor is import httpx"
