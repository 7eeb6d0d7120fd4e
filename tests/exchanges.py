"""Requests and answers of the API that tests of the overlays have in common."""

from __future__ import annotations

from typing import Any

from loopback import Send, chunked, event, response

ARGUMENTS: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}
"""Arguments of ``messages.create``."""


def message(*content: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a message as the API sends it."""
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "content": list(content) or [{"type": "text", "text": "Hello!"}],
        "model": "claude-opus-5-5",
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
        **fields,
    }


def answer(body: object, status: int = 200, **headers: str) -> list[Any]:
    """Return a whole answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [Send(response(status, json=body, headers={"request-id": "req_1", **named}))]


def failure(status: int, kind: str, code: str | None = None, **headers: str) -> list[Any]:
    """Return an error of the API."""
    error: dict[str, Any] = {"type": kind, "message": "Sorry"}
    if code is not None:
        error["details"] = {"error_code": code}
    return answer({"type": "error", "error": error}, status, **headers)


def text_events(*pieces: str, stop: bool = True) -> list[bytes]:
    """Return the events of a streamed message of one text block."""
    return block_events(
        {"type": "text", "text": ""},
        [{"type": "text_delta", "text": piece} for piece in pieces],
        stop=stop,
    )


def block_events(
    block: dict[str, Any], deltas: list[dict[str, Any]], *, stop: bool = True
) -> list[bytes]:
    """Return the events of a streamed message of one block; without ``stop`` only its start."""
    start = message(stop_reason=None, usage={"input_tokens": 10, "output_tokens": 1})
    start["content"] = []
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
    ]
    if stop:
        events += [
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 7},
            },
            {"type": "message_stop"},
        ]
    return [event(each["type"], each) for each in events]


def error_event(kind: str) -> bytes:
    """Return an ``error`` event."""
    return event("error", {"type": "error", "error": {"type": kind, "message": "Sorry"}})


def streamed(events: list[bytes], *, end: bool = True, piece: int | None = None) -> list[Any]:
    """Return a streamed answer; without ``end`` its body is not finished."""
    return [Send(chunked(events, headers={"request-id": "req_1"}, end=end), piece=piece)]
