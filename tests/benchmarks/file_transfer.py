"""Large files up from a path and down to a path: memory must not grow with their size."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .figures import Figure
from .processes import CONTENDERS, MeasurementError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "400 MB up from a path, 200 MB down to a path, over loopback"
SIZES = {"up": 400_000_000, "down": 200_000_000}
GROWTH_LIMIT_MB = 8.0
"""Largest growth of the resident memory, in MB."""


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Measure both ways with both clients, beside the same by hand and the official SDK."""
    with transfer_server() as url:
        for what, full in SIZES.items():
            size = setup.scaled(full)
            floor = transfer(setup, "file_transfer_floor.py", url, what, "sync", size)
            official = None
            if setup.official is not None:
                official = transfer(setup, "file_transfer_official.py", url, what, "sync", size)
            for kind in ("sync", "async"):
                ours = transfer(setup, "file_transfer_ours.py", url, what, kind, size)
                title = f"{size / 1e6:,.0f} MB {what}, {kind}"
                yield Figure(
                    f"{title}: growth of memory",
                    "MB",
                    ours["growth"] / 1e6,
                    floor["growth"] / 1e6,
                    limit=GROWTH_LIMIT_MB,
                    official=None if official is None else official["growth"] / 1e6,
                )
                yield Figure(
                    f"{title}: CPU time",
                    "ms",
                    ours["cpu"] * 1e3,
                    floor["cpu"] * 1e3,
                    official=None if official is None else official["cpu"] * 1e3,
                )
    yield "growth: the peak of resident memory above what it was before; the floor is httpx, sync"


def transfer(
    setup: Setup, contender: str, url: str, what: str, kind: str, size: int
) -> dict[str, float]:
    """Run one contender. Raises :class:`MeasurementError` unless all bytes have gone through."""
    path = setup.folder / "transferred.bin"
    with path.open("wb") as file:
        file.truncate(size if what == "up" else 0)
    official = contender.endswith("_official.py")
    result: dict[str, float] = setup.run(
        contender, url, what, kind, path, size, official=official
    ).result
    if result["through"] != size or path.stat().st_size != size:
        raise MeasurementError(f"{contender} moved {result['through']} bytes instead of {size}")
    return result


@contextmanager
def transfer_server() -> Iterator[str]:
    """Run the server of files in a process of its own, and yield its URL."""
    with subprocess.Popen(
        [sys.executable, str(CONTENDERS / "transfer_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(10)
