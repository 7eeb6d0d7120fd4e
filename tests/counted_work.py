"""Counts what a piece of code does instead of timing it, so that load decides no test.

The work of a step is the memory it allocates at its peak, in bytes, and its calls, where a method
of a string or bytes weighs as much as that is long. Both show what costs too much in practice:
joining or copying a buffer, and searching it, again and again.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SIZED = (str, bytes, bytearray)


def work_of(steps: Iterable[Callable[[], object]], *, calls: bool = True) -> int:
    """Carry the steps out one after the other and return what all of them cost.

    ``calls=False`` counts memory alone: watching calls makes the interpreter leave out what it
    does better when nobody watches, such as making a string longer in its place.
    """
    total = 0

    def count(_frame: object, event: str, argument: Any) -> None:
        nonlocal total
        if event == "call":
            total += 1
        elif event == "c_call":
            owner = getattr(argument, "__self__", None)
            total += 1 + (len(owner) if isinstance(owner, _SIZED) else 0)

    previous = sys.getprofile()
    collecting = gc.isenabled()
    gc.disable()
    tracemalloc.start()
    try:
        for step in steps:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            if calls:
                sys.setprofile(count)
            try:
                step()
            finally:
                sys.setprofile(previous)
            total += max(tracemalloc.get_traced_memory()[1] - before, 0)
    finally:
        tracemalloc.stop()
        if collecting:
            gc.enable()
    return total


def growth(
    steps: Callable[[int], Iterable[Callable[[], object]]], size: int, *, calls: bool = True
) -> float:
    """Return how many times the work of ``size`` eight times as much of it takes."""
    work_of(steps(size), calls=calls)
    return work_of(steps(size * 8), calls=calls) / work_of(steps(size), calls=calls)


LINEAR = 10
"""Growth that counts as linear: a little more than eight, for containers that double."""
