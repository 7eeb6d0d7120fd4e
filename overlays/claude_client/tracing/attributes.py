"""Attributes of spans, by the semantic conventions for GenAI. Pure, without OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.struct import Struct
from claude_rest._runtime.unset import UNSET

from ..errors import APIStatusError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..middleware import CallInfo

    Attributes = dict[str, Any]

PROVIDER = "anthropic"
OPERATION = "claude.operation"
REQUEST_ID = "claude.request_id"
ITEMS = "claude.items"
ATTEMPT = "claude.attempt"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"

_REQUEST = {
    "model": "gen_ai.request.model",
    "max_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "stop_sequences": "gen_ai.request.stop_sequences",
}
_SCALARS = (str, bool, int, float)


def field(value: Any, name: str) -> Any:
    """Return a field of a JSON object or a model, None where there is none."""
    found: Any = None
    if value.__class__ is dict:
        found = value.get(name)
    elif isinstance(value, Struct):
        found = getattr(value, name, None)
    return None if found is UNSET else found


def is_list(value: object) -> bool:
    """Tell whether a value is a list or a tuple."""
    return isinstance(value, (list, tuple))


def is_chat(call: CallInfo) -> bool:
    """Tell whether a call creates a message."""
    return call.operation.response_type == "Message"


def span_name(call: CallInfo) -> str:
    """Return the name of the span of a call."""
    model = call.arguments.get("model")
    if is_chat(call):
        return f"chat {model}" if isinstance(model, str) else "chat"
    return call.operation.id


def call_attributes(call: CallInfo) -> Attributes:
    """Return what is known of a call before it is sent, without what people wrote."""
    found: Attributes = {
        "gen_ai.provider.name": PROVIDER,
        # The older name of the same, which many backends still read.
        "gen_ai.system": PROVIDER,
        OPERATION: call.operation.id,
    }
    if is_chat(call):
        found["gen_ai.operation.name"] = "chat"
        if call.kind in ("stream", "values"):
            found["gen_ai.request.stream"] = True
    for name, attribute in _REQUEST.items():
        value: Any = call.arguments.get(name)
        if is_list(value):
            value = [each for each in value if isinstance(each, str)]
        elif not isinstance(value, _SCALARS):
            continue
        found[attribute] = value
    requests: Any = call.arguments.get("requests")
    if is_list(requests):
        found[ITEMS] = len(requests)
    return found


def message_attributes(message: Any) -> Attributes:
    """Return what a message, or the part of one that an event brings, says of itself."""
    found: Attributes = {}
    for name, attribute in (("id", "gen_ai.response.id"), ("model", "gen_ai.response.model")):
        value = field(message, name)
        if isinstance(value, str):
            found[attribute] = value
    reason = field(message, "stop_reason")
    if isinstance(reason, str):
        found["gen_ai.response.finish_reasons"] = [reason]
    return found


def usage_attributes(usage: Mapping[str, int]) -> Attributes:
    """Return token counts; those of the input with what came from the cache or went there."""
    found: Attributes = {}
    read = usage.get("cache_read_input_tokens")
    created = usage.get("cache_creation_input_tokens")
    if "input_tokens" in usage:
        total = usage["input_tokens"] + (read or 0) + (created or 0)
        found["gen_ai.usage.input_tokens"] = total
    if "output_tokens" in usage:
        found["gen_ai.usage.output_tokens"] = usage["output_tokens"]
    if read is not None:
        found["gen_ai.usage.cache_read.input_tokens"] = read
    if created is not None:
        found["gen_ai.usage.cache_creation.input_tokens"] = created
    return found


def counts(usage: Any) -> dict[str, int]:
    """Return the token counts of a usage that are there."""
    names = (
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
    )
    found = {name: field(usage, name) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, int)}


def error_type(error: BaseException) -> str:
    """Return what kind of error it is: the API's name for it, else its class."""
    if isinstance(error, APIStatusError) and error.type:
        return error.type
    return type(error).__name__


def server_attributes(url: str) -> Attributes:
    """Return where a request goes."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    found: Attributes = {"server.address": parts.hostname or ""}
    if port is not None:
        found["server.port"] = port
    return found
