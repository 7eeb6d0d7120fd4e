"""What the server answers in the benchmarks, and what is decoded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE_BYTES = 1400
"""What one TCP segment carries over the internet, about."""

TOOL_INPUT_PIECE = 24
"""Characters of a tool input in one delta."""

TOOL_INPUT_DELTAS = 43_690
"""Deltas of a tool input of 1 MB."""


def short_message() -> dict[str, Any]:
    """Return the answer to a short question."""
    return _message([{"type": "text", "text": "Hello! How can I help you today?"}])


def ten_block_message(sentences: int = 3) -> dict[str, Any]:
    """Return an answer with ten content blocks of the kinds that agents see most.

    Text blocks have that many sentences, and a tool call writes as many.
    """
    sentence = "Some text of a usual length, more or less a sentence or two of it. "
    citation = {
        "type": "char_location",
        "cited_text": sentence,
        "document_index": 0,
        "document_title": "Report",
        "start_char_index": 0,
        "end_char_index": len(sentence),
        "file_id": None,
    }
    return _message(
        [
            {
                "type": "thinking",
                "thinking": sentence * 4 * sentences,
                "signature": "EqQBCgIYAhIM" * 16,
            },
            *({"type": "text", "text": sentence * sentences, "citations": None} for _ in range(4)),
            {"type": "text", "text": sentence, "citations": [citation]},
            *(
                {
                    "type": "tool_use",
                    "id": f"toolu_01A09q90qw90lq917835lq{number}",
                    "name": "add_note",
                    "input": {"title": "Weather", "number": number, "text": sentence * sentences},
                    "caller": {"type": "direct"},
                }
                for number in range(3)
            ),
            {
                "type": "server_tool_use",
                "id": "srvtoolu_01WYG3ziw53XMcoyKL4XcZmE",
                "name": "web_search",
                "input": {"query": "weather in Paris"},
                "caller": {"type": "direct"},
            },
        ]
    )


def text_delta() -> dict[str, Any]:
    """Return the event that most streams consist of."""
    return {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": " world of words"},
    }


def tool_input_stream(deltas: int) -> Iterator[bytes]:
    """Yield the events of a message whose only block is a tool call with a long input."""
    text = _tool_input(deltas * TOOL_INPUT_PIECE)
    block = {"type": "tool_use", "id": "toolu_01", "name": "write_file", "input": {}}
    message = {**_message([]), "stop_reason": None}
    yield sse_event({"type": "message_start", "message": message})
    yield sse_event({"type": "content_block_start", "index": 0, "content_block": block})
    for start in range(0, len(text), TOOL_INPUT_PIECE):
        delta = {"type": "input_json_delta", "partial_json": text[start : start + TOOL_INPUT_PIECE]}
        yield sse_event({"type": "content_block_delta", "index": 0, "delta": delta})
    yield sse_event({"type": "content_block_stop", "index": 0})
    change = {"stop_reason": "tool_use", "stop_sequence": None}
    yield sse_event({"type": "message_delta", "delta": change, "usage": {"output_tokens": deltas}})
    yield sse_event({"type": "message_stop"})


def _tool_input(length: int) -> str:
    """Return a JSON object of that length: many small records, and text for the rest."""
    record = {
        "path": "src/package/module.py",
        "line": 100,
        "changes": ["add", "remove"],
        "ok": True,
    }
    row = json.dumps(record, separators=(",", ":"))
    count = (length - len('{"records":[],"rest":""}')) // (len(row) + 1)
    start = '{"records":[' + ",".join([row] * count) + '],"rest":"'
    return start + "x" * (length - len(start) - 2) + '"}'


def sse_event(data: dict[str, Any]) -> bytes:
    """Return an event as the API writes it."""
    text = json.dumps(data, separators=(",", ":"))
    return f"event: {data['type']}\ndata: {text}\n\n".encode()


def in_pieces(body: bytes, size: int = PIECE_BYTES) -> Iterator[bytes]:
    """Cut a body into pieces."""
    return (body[start : start + size] for start in range(0, len(body), size))


def _message(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 2095,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 503,
            "service_tier": "standard",
        },
    }
