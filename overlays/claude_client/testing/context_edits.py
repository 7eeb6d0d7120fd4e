"""Edits of a long conversation before it is answered: cleared tool uses and thinking, summaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .conversation import blocks_of
from .json_values import is_array, is_object, object_at
from .thinking import sign
from .tokens import count_prompt, count_text

Body = Mapping[str, Any]

_PLACEHOLDER: Final = "[cleared]"
_CLEAR_AT_TOKENS: Final = 100_000
_KEPT_TOOL_USES: Final = 3
_COMPACT_AT_TOKENS: Final = 150_000
_THINKING: Final = ("thinking", "redacted_thinking")


@dataclass(frozen=True)
class EditedPrompt:
    """A request body after the edits that it asks for."""

    body: Body
    """Body whose messages are what the model sees."""
    original_tokens: int
    applied: list[dict[str, Any]] | None = None
    """Edits that removed something (spec: AppliedEdit); None when none were asked for."""
    summary: dict[str, Any] | None = None
    """``compaction`` block with which the answer begins."""
    pause: bool = False
    """Whether the answer ends after the summary."""
    summary_tokens: int = field(default=0)
    """Tokens of the summary."""


def edit_prompt(body: Body) -> EditedPrompt:
    """Apply the edits of ``context_management``, in order.

    What stands before the last summary of an earlier answer is not part of the prompt.
    """
    config = body.get("context_management")
    body = _after_summary(body)
    original = count_prompt(body)
    if not is_object(config):
        return EditedPrompt(body, original)
    applied: list[dict[str, Any]] = []
    summary: dict[str, Any] | None = None
    pause = False
    for edit in config.get("edits") or ():
        if edit["type"] == "compact_20260112":
            if count_prompt(body) >= _value(edit.get("trigger"), _COMPACT_AT_TOKENS):
                summary = summarize(body)
                pause = bool(edit.get("pause_after_compaction"))
            continue
        shorter, done = _EDITS[edit["type"]](body, edit)
        if done is not None:
            done["cleared_input_tokens"] = count_prompt(body) - count_prompt(shorter)
            if done["cleared_input_tokens"] >= _value(edit.get("clear_at_least"), 0):
                body = shorter
                applied.append(done)
    tokens = count_text(summary["content"]) if summary else 0
    return EditedPrompt(body, original, applied, summary, pause, tokens)


def summarize(body: Body) -> dict[str, Any]:
    """Return a ``compaction`` block that stands for the messages of a body."""
    count = len(body["messages"])
    first = next(
        (b["text"] for m in body["messages"] for b in blocks_of(m.get("content")) if "text" in b),
        "",
    )
    text = f"Summary by the mock API of {count} messages that began with: {first[:200]}"
    return {"type": "compaction", "content": text, "signature": sign(text)}


def _after_summary(body: Body) -> Body:
    messages: list[Any] = body["messages"]
    for place in range(len(messages) - 1, -1, -1):
        blocks = blocks_of(messages[place].get("content"))
        for index in range(len(blocks) - 1, -1, -1):
            if blocks[index]["type"] == "compaction" and blocks[index].get("content"):
                kept = {**messages[place], "content": blocks[index:]}
                return {**body, "messages": [kept, *messages[place + 1 :]]}
    return body


def _clear_tool_uses(body: Body, edit: Body) -> tuple[Body, dict[str, Any] | None]:
    excluded = edit.get("exclude_tools") or ()
    uses = [
        block
        for message in body["messages"]
        for block in blocks_of(message.get("content"))
        if block["type"] == "tool_use" and block["name"] not in excluded
    ]
    trigger = object_at(edit, "trigger")
    size = len(uses) if trigger.get("type") == "tool_uses" else count_prompt(body)
    if size < _value(trigger, _CLEAR_AT_TOKENS):
        return body, None
    keep = max(0, _value(edit.get("keep"), _KEPT_TOOL_USES))
    old = {block["id"]: block["name"] for block in uses[: max(0, len(uses) - keep)]}
    if not old:
        return body, None
    inputs = edit.get("clear_tool_inputs")

    def cleared(block: Any) -> Any:
        if block["type"] == "tool_result" and block["tool_use_id"] in old:
            return {**block, "content": _PLACEHOLDER}
        if block["type"] == "tool_use" and block["id"] in old:
            name = block["name"]
            if inputs is True or (is_array(inputs) and name in inputs):
                return {**block, "input": {}}
        return block

    done = {"type": edit["type"], "cleared_tool_uses": len(old)}
    return _mapped(body, lambda blocks: [cleared(block) for block in blocks]), done


def _clear_thinking(body: Body, edit: Body) -> tuple[Body, dict[str, Any] | None]:
    keep = edit.get("keep")
    if keep == "all" or (is_object(keep) and keep["type"] == "all"):
        return body, None
    thinking = [
        place
        for place, message in enumerate(body["messages"])
        if any(block["type"] in _THINKING for block in blocks_of(message.get("content")))
    ]
    old = thinking[: max(0, len(thinking) - max(1, _value(keep, 1)))]
    if not old:
        return body, None
    messages = list(body["messages"])
    for place in old:
        blocks = [b for b in blocks_of(messages[place]["content"]) if b["type"] not in _THINKING]
        messages[place] = {**messages[place], "content": blocks}
    return {**body, "messages": messages}, {
        "type": edit["type"],
        "cleared_thinking_turns": len(old),
    }


_EDITS: Final[Mapping[str, Callable[[Body, Body], tuple[Body, dict[str, Any] | None]]]] = {
    "clear_thinking_20251015": _clear_thinking,
    "clear_tool_uses_20250919": _clear_tool_uses,
}


def _mapped(body: Body, change: Callable[[list[Any]], list[Any]]) -> Body:
    messages = [
        {**message, "content": change(message["content"])}
        if is_array(message.get("content"))
        else message
        for message in body["messages"]
    ]
    return {**body, "messages": messages}


def _value(setting: Any, fallback: int) -> int:
    return int(setting["value"]) if is_object(setting) and "value" in setting else fallback
