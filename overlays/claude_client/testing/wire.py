"""The steps in which an answer goes to the client, faults included; whoever sends it takes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from .faults import split_events
from .stream_events import event_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .exchange import MockResponse
    from .faults import Fault

GARBAGE: Final = b"\x16\x03\x01 this is no HTTP \x00\xff\r\n\r\n"
"""What a client gets in place of a response."""
_PING: Final = event_text({"type": "ping"}).encode()


@dataclass(frozen=True)
class Wait:
    """Let time pass."""

    seconds: float | None
    """How much; None waits until the client goes away."""
    endless: bool = False
    """Whether nothing but pings will ever follow."""


class Head(Enum):
    """Send the status and the headers."""

    NOW = "now"


@dataclass(frozen=True)
class Garbage:
    """Send bytes that are no part of an HTTP response."""

    data: bytes


@dataclass(frozen=True)
class Piece:
    """Send a piece of the body."""

    data: bytes


class End(Enum):
    """How it ends; always the last step."""

    COMPLETE = "complete"
    """As HTTP has it."""
    CLOSED = "closed"
    """The connection is closed, without what HTTP has at the end."""
    RESET = "reset"
    """The connection is reset."""


Step: TypeAlias = Wait | Head | Garbage | Piece | End


def steps(answer: MockResponse) -> Iterator[Step]:
    """Yield the steps in which an answer is sent."""
    fault = answer.fault
    if fault is None:
        yield Head.NOW
        for piece in _pieces(answer.body):
            yield Piece(piece)
        yield End.COMPLETE
        return
    if fault.delay:
        yield Wait(fault.delay)
    if fault.garbage:
        yield Garbage(GARBAGE)
        yield End.CLOSED
        return
    cut = fault.cut_after_bytes is not None or fault.cut_after_events is not None
    if fault.disconnect or (fault.reset and not cut):
        yield End.RESET if fault.reset else End.CLOSED
        return
    yield Head.NOW
    yield from _body(answer, fault)


def _body(answer: MockResponse, fault: Fault) -> Iterator[Step]:
    streamed = (answer.header("content-type") or "").startswith("text/event-stream")
    events = split_events(answer.body) if streamed else iter((answer.read(),))
    last = End.RESET if fault.reset else End.CLOSED
    sent = 0
    bytes_left = fault.cut_after_bytes
    first = True
    while True:
        if sent == fault.cut_after_events or bytes_left == 0:
            yield last
            return
        if sent == fault.stall_after_events:
            yield from _stall(fault.ping_every if streamed else None)
        event = next(events, None)
        if event is None:
            yield End.COMPLETE
            return
        sent += 1
        if bytes_left is not None:
            event = event[:bytes_left]
            bytes_left -= len(event)
        for piece in _dripped(event, fault.drip):
            if fault.drip is not None and not first:
                yield Wait(fault.drip[1])
            first = False
            yield Piece(piece)


def _stall(ping_every: float | None) -> Iterator[Step]:
    while True:
        yield Wait(ping_every, endless=True)
        yield Piece(_PING)


def _dripped(data: bytes, drip: tuple[int, float] | None) -> Iterator[bytes]:
    if drip is None:
        yield data
        return
    for start in range(0, len(data), drip[0]):
        yield data[start : start + drip[0]]


def _pieces(body: bytes | Iterable[bytes]) -> Iterable[bytes]:
    return (body,) if isinstance(body, bytes) else body
