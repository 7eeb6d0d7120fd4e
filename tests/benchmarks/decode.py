"""Decoding: a whole message, and one event of a stream."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .documents import ten_block_message, text_delta
from .figures import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

MESSAGE_SUMMARY = "decoding a message of ten blocks"
EVENT_SUMMARY = "decoding a text delta event"
MESSAGE_TARGET = 2.5
EVENT_TARGET = 4.0


def measure_message(setup: Setup) -> Iterator[Figure | str]:
    """Compare decoding a message with parsing its JSON."""
    for length, sentences in (("short", 3), ("long", 15)):
        message = ten_block_message(sentences)
        yield from _measure(setup, "Message", message, MESSAGE_TARGET, 1000, f"{length} texts, ")


def measure_event(setup: Setup) -> Iterator[Figure | str]:
    """Compare decoding an event with parsing its JSON."""
    yield from _measure(setup, "RawMessageStreamEvent", text_delta(), EVENT_TARGET, 10_000)


def _measure(
    setup: Setup,
    name: str,
    document: dict[str, Any],
    target: float,
    number: int,
    what: str = "",
) -> Iterator[Figure | str]:
    path = setup.folder / f"{name}.json"
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
    rounds, number = setup.rounds(25), setup.scaled(number)
    for parser in ("orjson", "json"):
        if find_spec(parser) is None:
            yield f"with {parser}: skipped, it is not installed (extra fast)"
            continue
        best = setup.run("decode_ours.py", path, name, parser, rounds, number).result
        official: dict[str, float] = {}
        if setup.official is not None:
            official = setup.run(
                "decode_official.py",
                path,
                name,
                parser,
                setup.rounds(5),
                max(number // 10, 1),
                official=True,
            ).result
        yield Figure(
            f"{what}with {parser}",
            "µs",
            best["ours"] * 1e6,
            best["floor"] * 1e6,
            target,
            official=official["official"] * 1e6 if official else None,
            official_floor=official["floor"] * 1e6 if official else None,
        )
    yield f"{what}{path.stat().st_size:,} bytes; minima of {rounds} rounds; the floor is loads alone"
