"""Requests made of plain dictionaries."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import assert_type

from claude_rest import Client
from claude_rest.models import Message, MessageTokensCount, ToolUseBlock
from claude_rest.params import (
    MessageParam,
    TextBlockParam,
    ToolParam,
    ToolResultBlockParam,
    ToolUnionParam,
)


def founding_document(client: Client) -> Message:
    return client.messages.create(
        model="claude-opus-5-5",
        max_tokens=1024,
        messages=[{"role": "user", "content": "Hello, Claude"}],
    )


def everything(client: Client) -> Message:
    return client.messages.create(
        model="a-model-of-tomorrow",
        max_tokens=1024,
        system=[
            {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}},
        ],
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {
                        "type": "image",
                        "source": {"type": "url", "url": "https://example.com/x.png"},
                    },
                    {
                        "type": "document",
                        "source": {
                            "type": "base64",
                            "media_type": "application/pdf",
                            "data": "JVBERi0=",
                        },
                    },
                ],
            },
            {"role": "assistant", "content": "It is"},
        ],
        tools=[
            {
                "name": "get_weather",
                "description": "Tells the weather.",
                "input_schema": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}},
                    "required": ["city"],
                },
            },
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
        ],
        tool_choice={"type": "tool", "name": "get_weather"},
        thinking={"type": "adaptive"},
        metadata={"user_id": "u_1"},
        stop_sequences=("END",),
        temperature=1,
        betas=["context-management-2025-06-27"],
        timeout=30.0,
        max_retries=0,
        extra_headers={"x-trace": "1"},
        extra_query={"a": 1},
        extra_body={"future": {"x": 1}},
        workspace_id="wrkspc_1",
        api_version="2023-06-01",
    )


def result_of(call: ToolUseBlock) -> ToolResultBlockParam:
    return {"type": "tool_result", "tool_use_id": call.id, "content": "Sunny"}


def conversation(client: Client) -> Message:
    messages: list[MessageParam] = [{"role": "user", "content": "What is the weather?"}]
    message = founding_document(client)
    messages.append({"role": "assistant", "content": message.content})
    for block in message.content:
        if block.type == "tool_use":
            messages.append({"role": "user", "content": [result_of(block)]})
            break
    return client.messages.create(model=message.model, max_tokens=10, messages=messages)


def parts_made_elsewhere(client: Client, tools: Sequence[ToolUnionParam]) -> MessageTokensCount:
    text: TextBlockParam = {"type": "text", "text": "Hello"}
    tool: ToolParam = {"name": "f", "input_schema": {"type": "object"}}
    turn: MessageParam = {"role": "user", "content": [text]}
    count = client.messages.count_tokens(
        model="claude-opus-5-5", messages=[turn], tools=[tool, *tools], system=[text]
    )
    assert_type(count, MessageTokensCount)
    return count


def null_where_it_means_something(client: Client) -> Message:
    return client.messages.create(
        model="claude-opus-5-5",
        max_tokens=1,
        messages=[{"role": "user", "content": "Hi"}],
        inference_geo=None,
        container=None,
    )
