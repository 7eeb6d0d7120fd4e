"""What the types of an answer promise."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from typing_extensions import assert_type

from claude_rest import UNSET, Unknown, Unset
from claude_rest._runtime.rate_limits import RateLimit, RateLimits
from claude_rest.models import (
    ContentBlock,
    Message,
    MessageTokensCount,
    ModelInfo,
    RawMessageStreamEvent,
    StopReason,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
)
from claude_rest.params import AssistantMessageParam, MessageParam, TextBlockParam


def by_type(message: Message) -> list[str]:
    assert_type(message.content, list[ContentBlock])
    found: list[str] = []
    for block in message.content:
        if block.type == "text":
            assert_type(block, TextBlock)
            found.append(block.text)
        elif block.type == "tool_use":
            assert_type(block, ToolUseBlock)
            assert_type(block.input, dict[str, Any])
            found.append(block.name)
        elif block.type == "thinking" or block.type == "redacted_thinking":
            found.append(block.type)
        elif isinstance(block, Unknown):
            assert_type(block, Unknown)
            assert_type(block.tag, str)
            found.append(str(block.raw["type"]))
    return found


def by_class(block: ContentBlock) -> str:
    if isinstance(block, TextBlock):
        assert_type(block.text, str)
        return block.text
    if isinstance(block, (ThinkingBlock, Unknown)):
        assert_type(block, ThinkingBlock | Unknown)
        return ""
    return block.type


def by_match(block: ContentBlock) -> str:
    match block:
        case TextBlock(text=text):
            assert_type(text, str)
            return text
        case ToolUseBlock(id=identifier, name=name):
            return identifier + name
        case Unknown():
            assert_type(block, Unknown)
            return block.tag
        case _:
            return block.type


def unknown_is_left(block: TextBlock | Unknown) -> str:
    if block.type == "text":
        assert_type(block, TextBlock)
        return block.text
    assert_type(block, Unknown)
    return block.tag


def counts(usage: Usage) -> int:
    assert_type(usage.input_tokens, int)
    assert_type(usage.cache_read_input_tokens, int | None | Unset)
    assert_type(usage.cache_read_input_tokens or 0, int)
    return usage.input_tokens + (usage.cache_read_input_tokens or 0)


def absent_or_null(message: Message) -> str:
    reason = message.stop_reason
    if reason is UNSET:
        return "absent"
    if isinstance(reason, Unset):
        return "absent, too"
    if reason is None:
        return "null"
    return reason.upper()


def reasons(message: Message) -> bool:
    reason: StopReason = "end_turn"
    known = message.stop_reason == "end_turn" or message.stop_reason in ("max_tokens", "refusal")
    return known or message.stop_reason == "a reason of tomorrow" or reason == "tool_use"


def events(event: RawMessageStreamEvent) -> str:
    if event.type == "content_block_delta":
        assert_type(event.index, int)
        if event.delta.type == "text_delta":
            assert_type(event.delta, TextDelta)
            return event.delta.text
        if event.delta.type == "input_json_delta":
            return event.delta.partial_json
    elif event.type == "message_start":
        assert_type(event.message, Message)
    elif event.type == "message_delta":
        return str(event.usage.output_tokens)
    return ""


def dates(info: ModelInfo, count: MessageTokensCount) -> int:
    assert_type(info.created_at, datetime)
    assert_type(info.retires_at, datetime | None | Unset)
    return info.created_at.year + count.input_tokens


def made_by_hand() -> Message:
    return Message(
        id="msg_1",
        model="claude-opus-5-5",
        content=[TextBlock(text="Hello"), ToolUseBlock(id="t", name="f", input={})],
        usage=Usage(input_tokens=1, output_tokens=1),
    )


def decoded(data: dict[str, object]) -> dict[str, Any]:
    message = Message.from_dict(data)
    assert_type(message, Message)
    assert_type(message.to_json(), bytes)
    if message.meta is not None:
        assert_type(message.meta.request_id, str | None)
    assert_type(message.extra_fields, dict[str, Any])
    return message.to_dict()


def where_from(message: Message, info: ModelInfo) -> float:
    assert_type(message.request_id, str | None)
    assert_type(message.organization_id, str | None)
    assert_type(info.rate_limits, RateLimits | None)
    limits = message.rate_limits
    if limits is None or limits.input_tokens is None:
        return limits.retry_after or 0 if limits is not None else 0
    assert_type(limits.requests, RateLimit | None)
    assert_type(limits.input_tokens.remaining, int | None)
    assert_type(limits.input_tokens.reset, datetime | None)
    return limits.input_tokens.seconds_to_reset() or 0


def next_turn(message: Message, turns: list[MessageParam]) -> list[MessageParam]:
    assert_type(message.to_param(), AssistantMessageParam)
    for block in message.content:
        if block.type == "text":
            assert_type(block.to_param(), TextBlockParam)
    return [*turns, message.to_param(), {"role": "user", "content": "Go on"}]
