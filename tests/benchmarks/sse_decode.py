"""Server-sent events from bytes: one huge event, and many small ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .documents import PIECE_BYTES, sse_event, text_delta
from .figures import LINEAR_EXPONENT, Figure, growth_exponent, growth_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "decoding server-sent events from pieces of bytes"
LARGEST_BYTES = 8_000_000
SMALL_EVENTS = 20_000
READ_BYTES = 65_536
"""What one read from a fast connection brings."""


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Measure one event at growing sizes, and many small ones in pieces of several sizes."""
    sizes = [setup.scaled(LARGEST_BYTES) // part for part in (8, 4, 2, 1)]
    bodies: list[tuple[str, int]] = []
    for size in sizes:
        path = setup.folder / f"one_event_of_{size}.sse"
        delta = {"type": "input_json_delta", "partial_json": "a" * size}
        path.write_bytes(sse_event({"type": "content_block_delta", "index": 0, "delta": delta}))
        bodies.append((str(path), PIECE_BYTES))
    event = sse_event(text_delta())
    path = setup.folder / "small_events.sse"
    path.write_bytes(event * setup.scaled(SMALL_EVENTS))
    bodies += [(str(path), size) for size in (PIECE_BYTES, READ_BYTES, len(event))]
    arguments = [part for body in bodies for part in body]
    results = setup.run("sse_ours.py", setup.rounds(7), *arguments).result
    # The one huge event takes the official decoder seconds.
    theirs: list[dict[str, float]] = [{} for _ in bodies]
    if setup.official is not None:
        last = len(sizes) - 1
        theirs[last:] = setup.run(
            "sse_official.py", 1, *arguments[2 * last :], official=True
        ).result

    ours = [result["ours"] for result in results]
    official = [their["official"] if their else None for their in theirs]
    index = len(sizes) - 1
    theirs_at_last = official[index]
    yield Figure(
        f"one event of {sizes[-1]:,} bytes in pieces of {PIECE_BYTES:,}",
        "ms",
        ours[index] * 1e3,
        results[index]["floor"] * 1e3,
        official=None if theirs_at_last is None else theirs_at_last * 1e3,
    )
    yield Figure(
        "the same, growth",
        "exponent",
        growth_exponent(sizes, ours[: len(sizes)]),
        limit=LINEAR_EXPONENT,
    )
    yield f"one event: {growth_steps(sizes, ours[: len(sizes)])}"
    for name, result, their in zip(
        (f"pieces of {PIECE_BYTES:,} bytes", f"pieces of {READ_BYTES:,} bytes", "one per piece"),
        results[len(sizes) :],
        official[len(sizes) :],
        strict=True,
    ):
        count = result["events"]
        yield Figure(
            f"each of {count:,} small events, {name}",
            "µs",
            result["ours"] / count * 1e6,
            result["floor"] / count * 1e6,
            official=None if their is None else their / count * 1e6,
        )
    yield "minima of CPU time; the floor joins all pieces and splits them at blank lines"
