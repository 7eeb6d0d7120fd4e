"""What the types of an answer refuse."""

from __future__ import annotations

from claude_rest.models import ContentBlock, Message, RawMessageStreamEvent, TextBlock, Usage


def without_narrowing(block: ContentBlock) -> str:
    return block.text  # error


def misspelt(message: Message) -> object:
    return message.contents  # error


def wrong_member(block: ContentBlock) -> object:
    if block.type == "text":
        return block.input  # error
    return None


def unknown_is_left(block: ContentBlock) -> str:
    if block.type == "text":
        return block.text
    return block.name  # error


def may_be_absent(usage: Usage) -> int:
    return usage.input_tokens + usage.cache_read_input_tokens  # error


def missing_field() -> TextBlock:
    return TextBlock()  # error


def misspelt_field() -> TextBlock:
    return TextBlock(text="x", txt="y")  # error


def wrong_value() -> TextBlock:
    return TextBlock(text=5)  # error


def by_position() -> TextBlock:
    return TextBlock("x")  # error


def event_without_narrowing(event: RawMessageStreamEvent) -> object:
    return event.delta  # error
