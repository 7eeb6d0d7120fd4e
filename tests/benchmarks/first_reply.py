"""The whole process: from its start to the first decoded reply."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from loopback import LoopbackServer, Send, response

from .documents import short_message
from .figures import Figure
from .processes import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "from process start to the first decoded reply, over loopback"
TARGET = 1.3
ATTRS_CLASSES_LIMIT = 39
EXPECTED = short_message()["content"][0]["text"]


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Compare CPU time, memory and modules with those of the same done by hand."""
    with LoopbackServer([[Send(response(json=short_message()))]]) as server:
        jobs: dict[str, tuple[object, ...]] = {
            "bare": ("-c", "pass"),
            "floor": ("first_reply_floor.py", server.url, "no"),
            "certificates": ("first_reply_floor.py", server.url, "yes"),
            "ours": ("first_reply_ours.py", server.url),
        }
        costs = setup.interleave(jobs, setup.rounds(11))
        if setup.official is not None:
            official = {"official": ("first_reply_official.py", server.url)}
            costs |= setup.interleave(official, setup.rounds(2), official=("official",))
    for name, several in costs.items():
        if name != "bare" and any(cost.result != EXPECTED for cost in several):
            raise MeasurementError(f"{name} got another reply")

    cpu = {name: median(c.cpu for c in several) * 1e3 for name, several in costs.items()}
    yield Figure("CPU time", "ms", cpu["ours"], cpu["floor"], TARGET, official=cpu.get("official"))
    yield Figure(
        "CPU time, when the floor too reads the certificates it does not need",
        "ms",
        cpu["ours"],
        cpu["certificates"],
    )
    memory = {
        name: median(c.memory for c in several if c.memory is not None) / 1e6
        for name, several in costs.items()
        if any(c.memory for c in several)
    }
    if "ours" in memory:
        yield Figure(
            "peak memory",
            "MB",
            memory["ours"],
            memory["floor"],
            TARGET,
            official=memory.get("official"),
        )
    modules = {name: len(several[0].modules) for name, several in costs.items()}
    yield Figure(
        "modules imported",
        "modules",
        modules["ours"],
        modules["floor"],
        official=modules.get("official"),
    )
    yield Figure(
        "attrs classes created",
        "classes",
        # Those that httpx loads with it, of an installed trio for example, the floor has too.
        len(set(costs["ours"][0].attrs_classes) - set(costs["floor"][0].attrs_classes)),
        limit=ATTRS_CLASSES_LIMIT,
    )
    yield (
        f"medians; the floor reads no certificates, as ours reads none for http://; an "
        f"interpreter alone takes {cpu['bare']:.0f} ms"
    )
