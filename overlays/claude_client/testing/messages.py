"""Made-up messages: an echo of what was asked, cut and counted as a model's answer would be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from .exchange import RefusedError
from .json_values import is_object
from .samples import sample
from .tokens import count_prompt, count_text, pieces

if TYPE_CHECKING:
    from .identifiers import Identifiers

Body = Mapping[str, Any]

_SERVER_TOOLS: Final = (
    "advisor_",
    "code_execution_",
    "mcp_toolset",
    "tool_search_tool_",
    "web_fetch_",
    "web_search_",
)
"""How the types of tools begin that the API runs by itself."""
_QUOTED: Final = 2_000


def make_message(body: Body, identifiers: Identifiers) -> dict[str, Any]:
    """Return the answer to a valid Messages request body (spec: Message).

    ``tool_choice`` ``any`` and ``tool`` get a tool call with an input made from the tool's schema,
    an output format gets a value of its schema, everything else a sentence with the last text of
    the user in it. Content, usage and stop reason depend on the body alone.

    Raises:
        RefusedError: 400 for an empty conversation, a negative limit, or a forced tool that the
            request does not have.
    """
    check_conversation(body)
    max_tokens = int(body["max_tokens"])  # JSON may say 64.0
    if max_tokens < 0:
        raise RefusedError(400, "max_tokens: must be at least 0")
    tool = _forced_tool(body)
    stop_reason = "end_turn"
    stop_sequence: str | None = None
    content: list[dict[str, Any]] = []
    if tool is not None:
        made = sample(tool.get("input_schema", {}))
        arguments = made if is_object(made) else {}
        output_tokens = count_text(tool["name"]) + count_text(json.dumps(arguments))
        stop_reason = "tool_use"
        if output_tokens > max_tokens:
            arguments, output_tokens, stop_reason = {}, max_tokens, "max_tokens"
        if max_tokens > 0:
            identifier = identifiers.next("toolu")
            block = {"type": "tool_use", "id": identifier, "name": tool["name"], "input": arguments}
            content.append(block)
    else:
        text, stop_sequence = _stopped(_reply(body), body.get("stop_sequences") or ())
        written = pieces(text)
        if stop_sequence is not None:
            stop_reason = "stop_sequence"
        if len(written) > max_tokens:
            stop_reason, stop_sequence, written = "max_tokens", None, written[:max_tokens]
        output_tokens = len(written)
        if written:
            content.append({"type": "text", "text": "".join(written)})
    return {
        "id": identifiers.next("msg"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": {
            "input_tokens": count_prompt(body),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
            "service_tier": "standard",
        },
    }


def check_conversation(body: Body) -> None:
    """Require at least one message.

    Raises:
        RefusedError: 400 without any.
    """
    if not body["messages"]:
        raise RefusedError(400, "messages: at least one message is required")


def _forced_tool(body: Body) -> Mapping[str, Any] | None:
    """Return the tool that ``tool_choice`` makes the model call, or None."""
    choice: Body = body.get("tool_choice") or {}
    if choice.get("type") not in ("any", "tool"):
        return None
    tools: list[Mapping[str, Any]] = body.get("tools") or []
    if not tools:
        raise RefusedError(400, "tool_choice: only together with tools")
    if choice["type"] == "tool":
        for tool in tools:
            if tool.get("name") == choice["name"]:
                return tool
        raise RefusedError(400, "tool_choice.name: no tool of the request has this name")
    callable_ones = [
        tool
        for tool in tools
        if "name" in tool and not str(tool.get("type") or "").startswith(_SERVER_TOOLS)
    ]
    return callable_ones[0] if callable_ones else None


def _reply(body: Body) -> str:
    config: Body = body.get("output_config") or {}
    output_format = config.get("format")
    if is_object(output_format):
        return json.dumps(sample(output_format.get("schema")), ensure_ascii=False)
    asked = last_user_text(body).strip()
    if not asked:
        return "This is the mock API. There was no text to answer."
    quoted = asked if len(asked) <= _QUOTED else f"{asked[:_QUOTED]}…"
    return f"This is the mock API. You said: {quoted}"


def last_user_text(body: Body) -> str:
    """Return the text of the last user message that has any, blocks joined by line breaks."""
    for message in reversed(body["messages"]):
        if message["role"] == "user":
            text = _text_of(message["content"])
            if text.strip():
                return text
    return ""


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block["type"] == "text")


def _stopped(text: str, sequences: tuple[str, ...] | list[str]) -> tuple[str, str | None]:
    """Cut text before the stop sequence that comes first; name it, or None."""
    found = [(text.find(sequence), sequence) for sequence in sequences if sequence]
    found = [entry for entry in found if entry[0] >= 0]
    if not found:
        return text, None
    position, sequence = min(found)
    return text[:position], sequence
