"""Scripted values as answers: what a test leaves out of a reply is filled in here.

A reply to ``messages.create`` may be a text, a content block, a list of both, or as much of a
message as matters. Other operations take JSON objects as they are; a list becomes a page, or the
lines of a JSONL answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from .exchange import (
    BINARY_TYPE,
    EVENT_STREAM_TYPE,
    JSON_LINES_TYPE,
    JSON_TYPE,
    Answer,
    encode,
)
from .json_values import is_array, is_object
from .stream_events import collapse, event_text, message_events
from .tokens import count_prompt, count_text

if TYPE_CHECKING:
    from .identifiers import Identifiers
    from .routing import MockOperation, Router

MESSAGES: Final = "messages.create"
"""The operation whose replies are filled in."""

_MODEL: Final = "claude-opus-5-5"
_CALL_IDS: Final = {
    "tool_use": "toolu",
    "server_tool_use": "srvtoolu",
    "mcp_tool_use": "mcptoolu",
}
"""Prefixes of the IDs of calls that the model makes, by type of block."""


class ReplyError(TypeError):
    """A scripted value that the operation cannot answer with."""


class ReplyMaker:
    """Turns scripted values into the answers of one mock API."""

    def __init__(self, router: Router, identifiers: Identifiers) -> None:
        """Answer in the shapes of ``router``'s spec, with IDs of ``identifiers``."""
        self._router = router
        self._identifiers = identifiers

    def check(self, operation: MockOperation, value: object, *, streamed: bool) -> None:
        """Refuse what cannot become an answer of an operation.

        Raises:
            ReplyError: says what can.
        """
        media = operation.answers
        if streamed and EVENT_STREAM_TYPE.partition(";")[0] not in media:
            raise ReplyError(f"{operation.id} has no event stream to answer with")
        if not streamed:
            self.answer(operation, value, None)

    def answer(self, operation: MockOperation, value: object, body: Any) -> Answer:
        """Return a value as the answer of an operation to a request with a body.

        Raises:
            ReplyError: the operation cannot answer with this.
        """
        if operation.id == MESSAGES and not isinstance(value, bytes):
            message = complete_message(value, body, self._identifiers)
            if _asks_for_stream(operation, body):
                chunks = (event_text(event).encode() for event in message_events(message))
                return Answer(chunks, EVENT_STREAM_TYPE, usage=message["usage"])
            return Answer.of(message)
        media = operation.answers
        if isinstance(value, (str, bytes)):
            raw = value.encode() if isinstance(value, str) else value
            other = next((kind for kind in media if kind != JSON_TYPE), BINARY_TYPE)
            return Answer(raw, JSON_TYPE if JSON_TYPE in media else other, operation.status)
        shown = plain(value)
        if shown is None and not media:
            return Answer(b"", status=operation.status)
        if is_object(shown):
            return replace(Answer.of(shown), status=operation.status)
        if not is_array(shown):
            raise ReplyError(f"{operation.id} cannot answer with {type(value).__name__}")
        if JSON_LINES_TYPE in media:
            return Answer(iter([encode(line) + b"\n" for line in shown]), JSON_LINES_TYPE)
        return Answer.of(self._page(operation, shown))

    def stream(self, operation: MockOperation, events: tuple[Any, ...], body: Any) -> Answer:
        """Answer with events; put together to what they amount to when no stream was asked for.

        Raises:
            ReplyError: they amount to nothing.
        """
        texts = [event_bytes(event) for event in events]
        if operation.stream_argument is None or _asks_for_stream(operation, body):
            return Answer(iter(texts), EVENT_STREAM_TYPE, usage=_usage(texts))
        try:
            return Answer.of(collapse(b"".join(texts).decode()))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            reason = f"the request asks for no stream, and the events are no message: {error!r}"
            raise ReplyError(reason) from error

    def _page(self, operation: MockOperation, items: list[Any]) -> dict[str, Any]:
        """Return items as the only page of a listing, whichever way that one pages."""
        schema = self._router.resolve(operation.answers[JSON_TYPE])
        properties: Mapping[str, Any] = schema.get("properties", {})
        if "data" not in properties:
            raise ReplyError(f"{operation.id} does not answer with a list")
        page: dict[str, Any] = {"data": items}
        ids = [item["id"] for item in items if is_object(item) and "id" in item]
        edges = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
        for name in properties:
            if name != "data":
                page[name] = False if name == "has_more" else edges.get(name)
        return page


def complete_message(value: object, body: Any, identifiers: Identifiers) -> dict[str, Any]:
    """Return a whole message (spec: Message) from as much of it as was given.

    Raises:
        ReplyError: the value is no message, no content and no text.
    """
    given = plain(value)
    if isinstance(given, str) or is_array(given):
        given = {"content": given}
    if not is_object(given):
        raise ReplyError(f"a message cannot be made from {type(value).__name__}")
    if given.get("type", "message") != "message":
        given = {"content": [given]}
    content: Any = given.get("content", [])
    if isinstance(content, str):
        content = [content] if content else []
    if not is_array(content):
        raise ReplyError("content: expected a text or a list of blocks")
    blocks = [_complete_block(block, identifiers) for block in content]
    asked: dict[str, Any] = body if is_object(body) else {}
    called = any(block["type"] == "tool_use" for block in blocks)
    message: dict[str, Any] = {
        "id": given.get("id") or identifiers.next("msg"),
        "type": "message",
        "role": "assistant",
        "model": asked.get("model", _MODEL),
        "content": blocks,
        "stop_reason": "tool_use" if called else "end_turn",
        "stop_sequence": None,
    }
    counted: Any = given.get("usage") or {}
    usage: dict[str, Any] = {
        "input_tokens": _count_input(asked),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": sum(_count_output(block) for block in blocks),
        "service_tier": "standard",
        **counted,
    }
    return {**message, **given, "content": blocks, "usage": usage}


def plain(value: object) -> Any:
    """Return a value as JSON has it: models of any client as dicts, tuples as lists.

    Raises:
        ReplyError: it holds something that JSON does not have.
    """
    if value is None or isinstance(value, (str, int, float)):
        return value
    for name in ("to_dict", "model_dump"):
        dump = getattr(value, name, None)
        if callable(dump):
            return plain(dump())
    if isinstance(value, Mapping):
        entries = cast("Mapping[object, object]", value)
        return {str(key): plain(entry) for key, entry in entries.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [plain(entry) for entry in cast("Iterable[object]", value)]
    raise ReplyError(f"{type(value).__name__} is nothing that JSON has")


def frozen_events(events: object) -> tuple[Any, ...]:
    """Return the events of a stream, ready to be sent more than once.

    Takes events as dicts or models, text and bytes that are sent as they are, or one of the two
    alone.

    Raises:
        ReplyError: it is nothing of that.
    """
    if isinstance(events, (str, bytes)):
        return (events,)
    if isinstance(events, Mapping) or not isinstance(events, Iterable):
        raise ReplyError("events: expected a list of events, or the text of a stream")
    listed = cast("Iterable[object]", events)
    frozen = tuple(event if isinstance(event, (str, bytes)) else plain(event) for event in listed)
    for event in frozen:
        if not isinstance(event, (str, bytes)) and not (is_object(event) and "type" in event):
            raise ReplyError("events: each needs its type")
    return frozen


def event_bytes(event: Any) -> bytes:
    """Return an event of :func:`frozen_events` as it is sent."""
    if isinstance(event, bytes):
        return event
    return (event if isinstance(event, str) else event_text(event)).encode()


def _complete_block(block: Any, identifiers: Identifiers) -> dict[str, Any]:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if not is_object(block) or "type" not in block:
        raise ReplyError("content: each block is a text, or has its type")
    kind = block["type"]
    if kind in _CALL_IDS:
        identifier = block.get("id") or identifiers.next(_CALL_IDS[kind])
        return {"input": {}, **block, "id": identifier}
    if kind == "thinking":
        return {"thinking": "", "signature": "bW9jaw==", **block}
    if kind == "text":
        return {"text": "", **block}
    return dict(block)


def _count_input(body: dict[str, Any]) -> int:
    messages = body.get("messages")
    if not is_array(messages) or not all(is_object(message) for message in messages):
        return 1
    return count_prompt(body)


def _count_output(block: dict[str, Any]) -> int:
    shown = {key: value for key, value in block.items() if key not in ("type", "id", "signature")}
    return sum(
        count_text(value if isinstance(value, str) else json.dumps(value))
        for value in shown.values()
    )


def _usage(events: list[bytes]) -> Any:
    """Return the usage of a stream of a message, for the rate limits; None when it has none."""
    try:
        return collapse(b"".join(events).decode()).get("usage")
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _asks_for_stream(operation: MockOperation, body: Any) -> bool:
    argument = operation.stream_argument
    return argument is not None and is_object(body) and body.get(argument) is True


def known_arguments(operation: MockOperation, router: Router) -> frozenset[str] | None:
    """Return the wire names of an operation's arguments; None when its body takes any."""
    names = {p.name for p in operation.parameters if p.location in ("path", "query")}
    if operation.body_schema is not None:
        fields = _fields(operation.body_schema, router)
        if not fields and operation.body_required:
            return None
        names.update(fields)
    return frozenset(names)


def _fields(schema: Mapping[str, Any], router: Router) -> set[str]:
    node = router.resolve(schema)
    fields: set[str] = set(node.get("properties", {}))
    for keyword in ("allOf", "oneOf", "anyOf"):
        for part in node.get(keyword, ()):
            fields.update(_fields(part, router))
    return fields
