"""What people wrote and models answered, in the form the GenAI conventions give it. Pure.

Files and images never go into spans: only that they were there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .attributes import field, is_list

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""OpenTelemetry's own variable: ``true``, ``span_only`` or ``span_and_event``."""

_YES = ("1", "true", "yes", "on", "span_only", "span_and_event")


def content_wanted(environ: Mapping[str, str]) -> bool:
    """Tell whether the environment asks for content in spans."""
    return environ.get(CONTENT_VARIABLE, "").strip().lower() in _YES


def request_content(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes that hold what a call sends."""
    found: dict[str, Any] = {}
    messages: Any = arguments.get("messages")
    if is_list(messages):
        found["gen_ai.input.messages"] = [
            {"role": field(message, "role"), "parts": parts(field(message, "content"))}
            for message in messages
        ]
    system: Any = arguments.get("system")
    if isinstance(system, str) or is_list(system):
        found["gen_ai.system_instructions"] = parts(system)
    tools: Any = arguments.get("tools")
    if is_list(tools):
        found["gen_ai.tool.definitions"] = [_tool(tool) for tool in tools]
    return {name: _json(value) for name, value in found.items()}


def answer_content(message: Any) -> dict[str, str]:
    """Return the attribute that holds what a message says."""
    answer = {
        "role": field(message, "role"),
        "parts": parts(field(message, "content")),
        "finish_reason": field(message, "stop_reason"),
    }
    return {"gen_ai.output.messages": _json([answer])}


def parts(content: Any) -> list[dict[str, Any]]:
    """Return the parts that content amounts to."""
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    return [_part(block) for block in content] if is_list(content) else []


def _part(block: Any) -> dict[str, Any]:
    kind = field(block, "type")
    if kind == "text":
        return {"type": "text", "content": field(block, "text")}
    if kind == "thinking":
        return {"type": "reasoning", "content": field(block, "thinking")}
    if isinstance(kind, str) and kind.endswith("tool_use"):
        return {
            "type": "tool_call",
            "id": field(block, "id"),
            "name": field(block, "name"),
            "arguments": _plain(field(block, "input")),
        }
    if kind == "tool_result":
        return {
            "type": "tool_call_response",
            "id": field(block, "tool_use_id"),
            "response": parts(field(block, "content")),
        }
    return {"type": kind if isinstance(kind, str) else "unknown"}


def _tool(tool: Any) -> dict[str, Any]:
    names = ("type", "name", "description", "input_schema")
    found = {name: _plain(field(tool, name)) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    to_dict = getattr(value, "to_dict", None)
    return to_dict() if to_dict is not None else value


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, default=str)
