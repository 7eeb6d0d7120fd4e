"""What can go wrong between a request and the end of its answer, and what has to come of it.

A :class:`Fault` says by which bytes an answer is spoilt, and how a call then ends: with which
error, after how many requests. Each row is run against ``messages.create``, against
``messages.create(stream=True)`` and against ``messages.stream``, by both clients.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from loopback import Close, Pause, Reset, Send, event

from .fault_server import Forever, HangUp, Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .fault_server import Step

TEXT = "Grüße 🌍"

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": TEXT}],
    "model": "claude-opus-5-5",
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "output_tokens": 4},
}

PING = b'event: ping\ndata: {"type": "ping"}\n\n'


def _event(kind: str, **fields: Any) -> bytes:
    # Not escaped, so that there are characters of several bytes to cut in two.
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()


def _delta(text: str) -> bytes:
    return _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


EVENTS: tuple[bytes, ...] = (
    _event("message_start", message={**MESSAGE, "content": [], "stop_reason": None}),
    _event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    PING,
    _delta(TEXT[:3]),
    _delta(TEXT[3:]),
    _event("content_block_stop", index=0),
    _event(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"output_tokens": 4},
    ),
    _event("message_stop"),
)


class Answer:
    """What a server without fault would send."""

    def __init__(self, kind: Literal["json", "events"]) -> None:
        """Make the answer to a call that asks for JSON, or for a stream of events."""
        self.parts: tuple[bytes, ...] = (
            (json.dumps(MESSAGE, ensure_ascii=False).encode(),) if kind == "json" else EVENTS
        )
        self.body = b"".join(self.parts)
        self.content_type = "application/json" if kind == "json" else "text/event-stream"

    def head(self, status: str = "HTTP/1.1 200 OK", **headers: object) -> bytes:
        """Return status line and headers; underscores of header names become hyphens."""
        fields = {"content_type": self.content_type, "request_id": "req_1", **headers}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        return "\r\n".join([status, *lines, "", ""]).encode("latin-1")

    def with_length(
        self, body: bytes | None = None, *, off_by: int = 0, **headers: object
    ) -> bytes:
        """Return head and body; ``off_by`` bytes are added to the length that is announced."""
        body = self.body if body is None else body
        return self.head(content_length=len(body) + off_by, **headers) + body

    def in_chunks(self, *, size: int | None = None, last: bool = True) -> bytes:
        """Return the answer in chunked encoding: in chunks of ``size`` bytes, else one per part."""
        parts = self.parts
        if size is not None:
            parts = tuple(self.body[i : i + size] for i in range(0, len(self.body), size))
        data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        return self.head(transfer_encoding="chunked") + data + (b"0\r\n\r\n" if last else b"")

    def up_to(self, mark: bytes, extra: int = 0) -> bytes:
        """Return the body up to ``mark`` and ``extra`` bytes of it."""
        return self.body[: self.body.index(mark) + extra]


@dataclass(frozen=True)
class Ending:
    """How a call ends."""

    error: str | None = None
    """Exact class of the error; ``None``: it succeeds."""
    phase: str | tuple[str, ...] | None = None
    requests: int = 1
    """Requests that the server sees."""
    limit: str | None = None
    """Which limit a timeout passed."""
    status: int | None = None


@dataclass(frozen=True)
class Fault:
    """One row."""

    name: str
    reply: Callable[[Answer], list[Step]]
    """The spoilt reply, from what would be the right one. Played for each request of the call."""
    create: Ending | None
    """How ``messages.create`` ends; ``None``: the row says nothing about it."""
    stream: Ending | None
    """How a stream ends, whichever way it was opened."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Arguments of ``Timeout`` beside a generous deadline."""
    prompt: str = "Hello"
    over_aiohttp: Ending | None = None
    """How a call ends over aiohttp, where that differs: its parser takes a packet as a whole, and
    what is wrong behind the headers hides the headers."""


def error_body(kind: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": "No."}}).encode()


def failed(status: int, body: bytes, content_type: str = "application/json") -> list[Step]:
    """Return the reply of an error status."""
    return [
        Send(
            Answer("json").with_length(
                body, status=f"HTTP/1.1 {status} Status", content_type=content_type
            )
        )
    ]


def success(answer: Answer) -> list[Step]:
    return [Send(answer.in_chunks())]


def cut(data: bytes) -> list[Step]:
    return [Send(data), Close()]


SUCCESS = Ending()
NO_ANSWER = Ending("APIConnectionError", "headers")
CUT_BODY = Ending("APIConnectionError", "body")
TRUNCATED = Ending("StreamTruncatedError", "body")
INVALID = Ending("APIResponseValidationError")
OUT_OF_TIME_HEADERS = Ending("APITimeoutError", "headers", limit="deadline")
OUT_OF_TIME_BODY = Ending("APITimeoutError", "body", limit="deadline")
IDLE = Ending("APITimeoutError", "body", limit="idle")

# A limit that runs out in a test, and how often something comes that must, or must not, renew it.
# The gap is a small part of it, so that a busy machine does not decide.
SHORT = 0.2
IDLE_LIMIT = 0.5
GAP = 0.03

FAULTS: tuple[Fault, ...] = (
    # -- no answer ---------------------------------------------------------------------------
    Fault("reset before headers", lambda _: [Reset()], NO_ANSWER, NO_ANSWER),
    Fault("closed before headers", lambda _: [Close()], NO_ANSWER, NO_ANSWER),
    Fault(
        "silence",
        lambda _: [Pause(60)],
        Ending("APITimeoutError", "headers", limit="first_byte"),
        Ending("APITimeoutError", "headers", limit="first_byte"),
        {"first_byte": SHORT},
    ),
    Fault(
        "silence up to the deadline",
        lambda _: [Pause(60)],
        OUT_OF_TIME_HEADERS,
        OUT_OF_TIME_HEADERS,
        {"deadline": SHORT},
    ),
    # -- headers -----------------------------------------------------------------------------
    Fault("reset in headers", lambda good: [Send(good.head()[:40]), Reset()], NO_ANSWER, NO_ANSWER),
    Fault("cut in headers", lambda good: cut(good.head()[:40]), NO_ANSWER, NO_ANSWER),
    Fault(
        "garbage status line", lambda _: cut(b"\x16\x03\x01 no HTTP\r\n\r\n"), NO_ANSWER, NO_ANSWER
    ),
    Fault("binary garbage", lambda _: cut(bytes(range(256)) * 4), NO_ANSWER, NO_ANSWER),
    Fault("another protocol", lambda _: cut(b"220 mail.test ESMTP\r\n"), NO_ANSWER, NO_ANSWER),
    Fault(
        "headers without end",
        lambda good: [Send(good.head()[:-2]), Forever(b"x-filler: " + b"y" * 4000 + b"\r\n")],
        NO_ANSWER,
        NO_ANSWER,
    ),
    Fault(
        "one header without end",
        lambda good: [Send(good.head()[:-2] + b"x-filler: "), Forever(b"y" * 4000)],
        NO_ANSWER,
        NO_ANSWER,
    ),
    Fault(
        "headers a byte at a time",
        lambda good: [Send(good.head()[:-2]), Forever(b"x", pause=GAP)],
        OUT_OF_TIME_HEADERS,
        OUT_OF_TIME_HEADERS,
        {"deadline": SHORT},
    ),
    Fault(
        "two lengths", lambda good: cut(good.with_length(Content_Length=3)), NO_ANSWER, NO_ANSWER
    ),
    # -- interim answers: no faults, but seldom seen ---------------------------------------------
    Fault(
        "100 continue",
        lambda good: [Send(b"HTTP/1.1 100 Continue\r\n\r\n"), *success(good)],
        SUCCESS,
        SUCCESS,
    ),
    Fault(
        "103 early hints",
        lambda good: [Send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"), *success(good)],
        SUCCESS,
        SUCCESS,
    ),
    # -- the body breaks off ---------------------------------------------------------------------
    Fault(
        "reset after headers",
        lambda good: [Send(good.head(content_length=999)), Reset()],
        CUT_BODY,
        TRUNCATED,
    ),
    Fault(
        "closed after headers", lambda good: cut(good.head(content_length=999)), CUT_BODY, TRUNCATED
    ),
    Fault(
        "reset in the body",
        lambda good: [Send(good.head(content_length=99999) + good.up_to(b"text", 9)), Reset()],
        CUT_BODY,
        TRUNCATED,
    ),
    Fault(
        "cut in the middle of an event",
        lambda good: cut(good.head(content_length=99999) + good.up_to(b"Gr")),
        CUT_BODY,
        TRUNCATED,
    ),
    Fault(
        "cut in the middle of a character",
        lambda good: cut(good.head(content_length=99999) + good.up_to("ü".encode(), 1)),
        CUT_BODY,
        TRUNCATED,
    ),
    Fault(
        "cut between two events",
        lambda good: cut(
            good.head(transfer_encoding="chunked")
            + b"%x\r\n%b\r\n" % (len(good.parts[0]), good.parts[0])
        ),
        CUT_BODY,
        TRUNCATED,
    ),
    Fault(
        "cut in the middle of a chunk",
        lambda good: cut(good.in_chunks()[:-60]),
        CUT_BODY,
        TRUNCATED,
    ),
    Fault(
        "cut in the size of a chunk",
        lambda good: cut(good.head(transfer_encoding="chunked") + b"4"),
        CUT_BODY,
        TRUNCATED,
    ),
    Fault(
        "a chunk size that is none",
        lambda good: cut(good.head(transfer_encoding="chunked") + b"zz\r\nabc\r\n"),
        CUT_BODY,
        TRUNCATED,
        over_aiohttp=Ending("APIConnectionError", "headers"),
    ),
    # After message_stop nothing that happens to the connection matters.
    Fault("last chunk missing", lambda good: cut(good.in_chunks(last=False)), CUT_BODY, SUCCESS),
    Fault("length too long", lambda good: cut(good.with_length(off_by=7)), CUT_BODY, SUCCESS),
    Fault(
        "length too short",
        lambda good: [Send(good.with_length(off_by=-7))],
        INVALID,
        TRUNCATED,
        over_aiohttp=Ending("APIConnectionError", "headers"),
    ),
    Fault(
        "closed in order in the middle",
        lambda good: cut(good.head(connection="close") + good.up_to(b"Gr", 1)),
        INVALID,
        TRUNCATED,
    ),
    # -- the body takes its time -----------------------------------------------------------------
    Fault(
        "body a byte at a time",
        lambda good: [Send(good.head(content_length=99999)), Forever(b" ", pause=GAP)],
        OUT_OF_TIME_BODY,
        OUT_OF_TIME_BODY,
        {"deadline": SHORT},
    ),
    Fault(
        "stall in the body",
        lambda good: [Send(good.head(content_length=99999) + good.up_to(b"Gr")), Pause(60)],
        IDLE,
        IDLE,
        {"idle": SHORT},
    ),
    Fault(
        "stall between two events",
        lambda good: [Send(good.head() + b"".join(good.parts[:4])), Pause(60)],
        None,
        IDLE,
        {"idle": SHORT},
    ),
    Fault(
        "pings without end",
        lambda good: [Send(good.head() + good.parts[0]), Forever(PING, pause=GAP)],
        None,
        OUT_OF_TIME_BODY,
        {"deadline": IDLE_LIMIT, "idle": SHORT},
    ),
    Fault(
        "pings keep it alive",
        lambda good: [
            Send(good.head() + good.parts[0]),
            Send(PING * 24, piece=len(PING), pause=GAP),
            Send(b"".join(good.parts[1:])),
            Close(),
        ],
        None,
        SUCCESS,
        {"idle": IDLE_LIMIT},
    ),
    # -- unusual, and still right ----------------------------------------------------------------
    Fault("a byte per packet", lambda good: [Send(good.with_length(), piece=1)], SUCCESS, SUCCESS),
    Fault("a byte per chunk", lambda good: [Send(good.in_chunks(size=1))], SUCCESS, SUCCESS),
    Fault(
        "HTTP/1.0, ended by closing",
        lambda good: cut(good.head("HTTP/1.0 200 OK") + good.body),
        SUCCESS,
        SUCCESS,
    ),
    Fault(
        "compressed",
        lambda good: [Send(good.with_length(gzip.compress(good.body), content_encoding="gzip"))],
        SUCCESS,
        SUCCESS,
    ),
    Fault(
        "something after the end",
        # Were it read as the answer to the next request, a gateway could put words into its mouth.
        lambda good: [
            Send(good.with_length() + good.with_length(good.body.replace("ü".encode(), b"Forged")))
        ],
        SUCCESS,
        SUCCESS,
    ),
    # -- a body that is something else -----------------------------------------------------------
    Fault(
        "garbage that claims to be compressed",
        lambda good: [Send(good.with_length(b"no gzip", content_encoding="gzip"))],
        INVALID,
        INVALID,
    ),
    Fault(
        "compressed, and cut",
        lambda good: [
            Send(good.with_length(gzip.compress(good.body)[:-40], content_encoding="gzip"))
        ],
        INVALID,
        TRUNCATED,
    ),
    Fault("empty", lambda good: [Send(good.with_length(b""))], INVALID, TRUNCATED),
    Fault("204", lambda _: [Send(b"HTTP/1.1 204 No Content\r\n\r\n")], INVALID, TRUNCATED),
    Fault(
        "truncated JSON", lambda good: [Send(good.with_length(good.body[:-9]))], INVALID, TRUNCATED
    ),
    Fault(
        "JSON of another shape",
        lambda good: [Send(good.with_length(b"[1, 2]"))],
        INVALID,
        TRUNCATED,
    ),
    Fault(
        "a page instead of an answer",
        lambda good: [Send(good.with_length(b"<html>Log in</html>", content_type="text/html"))],
        INVALID,
        INVALID,
    ),
    Fault(
        "an event that is no JSON",
        lambda good: [Send(good.with_length(good.parts[0] + b"event: x\ndata: {\n\n"))],
        None,
        INVALID,
    ),
    # -- errors of the server and of what stands before it ---------------------------------------
    Fault(
        "502 as HTML",
        lambda _: failed(502, b"<html>Bad Gateway</html>", "text/html"),
        Ending("InternalServerError", requests=3, status=502),
        Ending("InternalServerError", requests=3, status=502),
    ),
    Fault(
        "529",
        lambda _: failed(529, error_body("overloaded_error")),
        Ending("OverloadedError", requests=3, status=529),
        Ending("OverloadedError", requests=3, status=529),
    ),
    Fault(
        "400 whose body breaks off",
        lambda good: cut(good.head("HTTP/1.1 400 Bad Request", content_length=99) + b'{"type'),
        Ending("BadRequestError", status=400),
        Ending("BadRequestError", status=400),
    ),
    Fault(
        "529 whose body claims to be compressed",
        lambda good: [
            Send(
                good.head("HTTP/1.1 529 Overloaded", content_length=7, content_encoding="gzip")
                + b"no gzip"
            )
        ],
        Ending("OverloadedError", requests=3, status=529),
        Ending("OverloadedError", requests=3, status=529),
    ),
    Fault(
        "413 before the body is read",
        lambda _: [Unread(), *failed(413, error_body("request_too_large")), HangUp()],
        Ending("ContentTooLargeError", status=413),
        Ending("ContentTooLargeError", status=413),
        prompt="x" * 12_000_000,
    ),
    Fault(
        "reset while sending",
        lambda _: [Unread(), Reset()],
        Ending("APIConnectionError", "send", requests=3),
        Ending("APIConnectionError", "send", requests=3),
        prompt="x" * 12_000_000,
    ),
    Fault(
        "nothing read",
        lambda _: [Unread(), Pause(2 * SHORT), HangUp()],
        Ending("APITimeoutError", "send", limit="deadline"),
        Ending("APITimeoutError", "send", limit="deadline"),
        {"deadline": SHORT},
        prompt="x" * 12_000_000,
    ),
    Fault(
        "error as first event",
        lambda good: [
            Send(good.with_length(event("error", json.loads(error_body("overloaded_error")))))
        ],
        None,
        Ending("OverloadedError", requests=3, status=529),
    ),
    Fault(
        "error after a ping",
        lambda good: [
            Send(
                good.with_length(PING + event("error", json.loads(error_body("overloaded_error"))))
            )
        ],
        None,
        Ending("OverloadedError", requests=3, status=529),
    ),
    Fault(
        "error after text",
        lambda good: [
            Send(
                good.with_length(
                    b"".join(good.parts[:4])
                    + event("error", json.loads(error_body("overloaded_error")))
                )
            )
        ],
        None,
        Ending("OverloadedError", status=529),
    ),
)
