"""A long tool input through ``messages.stream()``: its cost must grow as its size."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from loopback import LoopbackServer, Send, chunked

from .documents import TOOL_INPUT_DELTAS, TOOL_INPUT_PIECE, in_pieces, tool_input_stream
from .figures import LINEAR_EXPONENT, Figure, growth_exponent, growth_steps
from .processes import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .processes import Setup

SUMMARY = "a tool input of 1 MB in 43,690 deltas through messages.stream(), over loopback"
FRACTIONS = (8, 4, 2, 1)
OFFICIAL_DELTAS = (1000, 2000, 4000)
WARM_UP_DELTAS = 10


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Measure at growing sizes, and compare the largest with the same done by hand."""
    sizes = [setup.scaled(TOOL_INPUT_DELTAS) // part for part in FRACTIONS]
    rounds = setup.rounds(3)
    events = _measure(setup, "tool_stream_ours.py", "events", sizes, rounds)
    partial = _measure(setup, "tool_stream_ours.py", "partial", sizes, rounds)
    final = _measure(setup, "tool_stream_ours.py", "final", sizes, rounds)
    floor = _measure(setup, "tool_stream_floor.py", "-", sizes, rounds)
    for name, costs in (
        ("every event read", events),
        ("the input so far asked for at each", partial),
        ("only the final message read", final),
    ):
        yield Figure(f"{name}, {sizes[-1]:,} deltas", "ms", costs[-1] * 1e3, floor[-1] * 1e3)
        yield Figure(
            f"{name}, growth",
            "exponent",
            growth_exponent(sizes, costs),
            limit=LINEAR_EXPONENT,
        )
        yield f"{name}: {growth_steps(sizes, costs)}"
    yield f"floor: {growth_steps(sizes, floor)}"
    if setup.official is not None:
        few = [setup.scaled(size) for size in OFFICIAL_DELTAS]
        theirs = _measure(setup, "tool_stream_official.py", "events", few, 1, official=True)
        ours = _measure(setup, "tool_stream_ours.py", "events", few, rounds)
        yield Figure(
            f"every event read, {few[-1]:,} deltas", "ms", ours[-1] * 1e3, official=theirs[-1] * 1e3
        )
        yield f"official: {growth_steps(few, theirs)}"
    yield "minima of CPU time; the floor splits, parses each event, joins and parses the input"


def _measure(
    setup: Setup,
    contender: str,
    how: str,
    sizes: Sequence[int],
    rounds: int,
    *,
    official: bool = False,
) -> list[float]:
    """Return the least CPU seconds for each size."""
    lengths = [size * TOOL_INPUT_PIECE for size in (WARM_UP_DELTAS, *sizes)]
    with ExitStack() as stack:
        urls = [
            stack.enter_context(LoopbackServer([[Send(_body(size))]])).url
            for size in (WARM_UP_DELTAS, *sizes)
        ]
        results = [
            setup.run(contender, how, *urls, official=official).result for _ in range(rounds)
        ]
    for result in results:
        if [one["length"] for one in result] != lengths:
            raise MeasurementError(f"{contender} got another tool input")
    return [
        min(costs) for costs in zip(*([one["cpu"] for one in r[1:]] for r in results), strict=True)
    ]


def _body(deltas: int) -> bytes:
    return chunked(in_pieces(b"".join(tool_input_stream(deltas))))
