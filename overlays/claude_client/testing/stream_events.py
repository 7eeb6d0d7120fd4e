"""Event streams from messages and back, for the mock and for tests that need a stream.

Pure functions over decoded JSON. Order and meaning of the events: Messages streaming, events
``message_start`` to ``message_stop``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from .tokens import pieces

Event = dict[str, Any]

_JSON_PIECE: Final = 12
_PING_EVERY: Final = 16
_JSON_INPUT: Final = ("tool_use", "server_tool_use", "mcp_tool_use")
_DELTA_USAGE: Final = (
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "output_tokens",
    "output_tokens_details",
    "server_tool_use",
    "iterations",
    "fallback_credit",
)
"""Parts of the usage that ``message_delta`` repeats (spec: MessageDeltaUsage)."""
_LATE_USAGE: Final = ("output_tokens_details", "server_tool_use", "iterations")
"""Parts of the usage that only ``message_delta`` has, because the answer decides them."""
_LATE: Final = ("context_management", "input_transformations")
"""Fields of a message that come on the ``message_delta`` event itself."""
_FINAL: Final = ("stop_reason", "stop_sequence", "stop_details")


def sse(source: Mapping[str, Any] | Iterable[Mapping[str, Any]], *, pings: bool = True) -> str:
    """Return the text of an event stream.

    Args:
        source: A Message as decoded JSON, which is cut into events as the API would; or the
            events themselves, each with its ``type``, to build a stream by hand.
        pings: Whether a message's stream has a ``ping`` after ``message_start`` and every few
            events.
    """
    if isinstance(source, Mapping):
        message = cast("Mapping[str, Any]", source)
        return "".join(event_text(event) for event in message_events(message, pings=pings))
    return "".join(event_text(event) for event in source)


def event_text(event: Mapping[str, Any]) -> str:
    """Return one event as it stands in the stream, the empty line after it included."""
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event['type']}\ndata: {data}\n\n"


def message_events(message: Mapping[str, Any], *, pings: bool = True) -> Iterator[Event]:
    """Yield the events in which the API would stream a message.

    With ``pings`` a ``ping`` comes second, and then after every few other events.
    """
    for number, event in enumerate(_events(message), 1):
        yield event
        if pings and number % _PING_EVERY == 1 and event["type"] != "message_stop":
            yield {"type": "ping"}


def _events(message: Mapping[str, Any]) -> Iterator[Event]:
    usage: dict[str, Any] = dict(message["usage"])
    output_tokens: int = usage["output_tokens"]
    late = {key: message[key] for key in _LATE if key in message}
    start = {key: value for key, value in message.items() if key not in late}
    counted = {key: value for key, value in usage.items() if key not in _LATE_USAGE}
    start.update(content=[], usage={**counted, "output_tokens": min(1, output_tokens)})
    start.update({key: None for key in (*_FINAL, "container") if key in message})
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(message["content"]):
        opened, deltas = _take_apart(block)
        yield {"type": "content_block_start", "index": index, "content_block": opened}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {key: message.get(key) for key in ("stop_reason", "stop_sequence")}
    delta.update({key: message[key] for key in ("stop_details", "container") if key in message})
    totals = {key: usage[key] for key in _DELTA_USAGE if key in usage}
    yield {"type": "message_delta", "delta": delta, "usage": totals, **late}
    yield {"type": "message_stop"}


def _take_apart(block: Mapping[str, Any]) -> tuple[Event, list[Event]]:
    """Return a block as ``content_block_start`` has it, and the deltas that complete it."""
    opened = copy.deepcopy(dict(block))
    deltas: list[Event] = []
    kind = block["type"]
    if kind == "text":
        opened["text"] = ""
        deltas += [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
        if block.get("citations"):
            opened["citations"] = []
            deltas += [
                {"type": "citations_delta", "citation": entry} for entry in block["citations"]
            ]
    elif kind in _JSON_INPUT:
        opened["input"] = {}
        text = json.dumps(block["input"], ensure_ascii=False) if block["input"] else ""
        parts = ["", *(text[i : i + _JSON_PIECE] for i in range(0, len(text), _JSON_PIECE))]
        deltas += [{"type": "input_json_delta", "partial_json": part} for part in parts]
    elif kind == "thinking":
        opened.update(thinking="", signature="")
        deltas += [
            {"type": "thinking_delta", "thinking": part} for part in pieces(block["thinking"])
        ]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    elif kind == "compaction":
        content = {key: block[key] for key in ("content", "encrypted_content") if key in block}
        opened.update(dict.fromkeys(content))
        deltas.append({"type": "compaction_delta", **content})
    return opened, deltas


def collapse(text: str) -> dict[str, Any]:
    """Return the message that the text of a whole event stream amounts to.

    For well-formed streams, such as those of ``sse`` and the spec's examples; not a decoder for
    what comes from a network.

    Raises:
        ValueError: the stream has no ``message_start`` or an event is not JSON.
    """
    message: dict[str, Any] = {}
    inputs: dict[int, list[str]] = {}
    # Not splitlines(): text may hold U+2028 and others, which end no line in an event stream.
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.startswith("data:"):
            continue
        event: Event = json.loads(line[5:])
        kind = event["type"]
        if kind == "message_start":
            message = copy.deepcopy(event["message"])
        elif not message:
            raise ValueError(f"stream begins with {kind}, not with message_start")
        elif kind == "content_block_start":
            message["content"].append(copy.deepcopy(event["content_block"]))
        elif kind == "content_block_delta":
            delta = event["delta"]
            if delta["type"] == "input_json_delta":
                inputs.setdefault(event["index"], []).append(delta["partial_json"])
            else:
                _apply(message["content"][event["index"]], delta)
        elif kind == "message_delta":
            message.update(
                {key: value for key, value in event["delta"].items() if value is not None}
            )
            message["usage"].update(event["usage"])
            message.update({key: event[key] for key in _LATE if key in event})
    for index, parts in inputs.items():
        joined = "".join(parts)
        message["content"][index]["input"] = json.loads(joined) if joined else {}
    if not message:
        raise ValueError("stream has no message_start")
    return message


def _apply(block: dict[str, Any], delta: Event) -> None:
    kind = delta["type"]
    if kind == "text_delta":
        block["text"] += delta["text"]
    elif kind == "thinking_delta":
        block["thinking"] += delta["thinking"]
    elif kind == "signature_delta":
        block["signature"] = delta["signature"]
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta["citation"]]
    elif kind == "compaction_delta":
        block.update({key: value for key, value in delta.items() if key != "type"})
