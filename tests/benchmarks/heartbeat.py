"""How long an event loop waits while a large body is encoded in a thread beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "the event loop beside the encoding of a large body"
BODY_BYTES = 28_000_000
BLOCK_BYTES = 140_000
"""Of one block: a page as a picture, about. A single huge string would not be split."""


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Compare the longest wait of a loop with that beside encoding in one piece."""
    size = setup.scaled(BODY_BYTES)
    result = setup.run("heartbeat.py", size, BLOCK_BYTES, setup.rounds(7)).result
    yield Figure("longest wait of the loop", "ms", result["pieces"] * 1e3, result["whole"] * 1e3)
    yield Figure("encoding itself", "ms", result["pieces_cpu"] * 1e3, result["whole_cpu"] * 1e3)
    yield (
        f"{size:,} bytes; the floor is encoding in one piece; medians of the rounds, with "
        f"{result['backend']}"
    )
