"""The same promises on the overlay client."""

from __future__ import annotations

from typing_extensions import assert_type

from claude_client import UNSET, AsyncClaude, Claude, Page, Stream, Unknown
from claude_client.types import Message, MessageParam, ModelInfo, RawMessageStreamEvent, TextBlock

MODEL = "claude-opus-5-5"
TURNS: list[MessageParam] = [{"role": "user", "content": "Hi"}]


def create(client: Claude, flag: bool) -> str:
    message = client.messages.create(
        model=MODEL, max_tokens=1, messages=TURNS, betas=["a-1"], timeout=5, max_retries=1
    )
    assert_type(message, Message)
    on = client.messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=True)
    assert_type(on, Stream[RawMessageStreamEvent])
    either = client.beta.messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=flag)
    assert_type(either, Message | Stream[RawMessageStreamEvent])
    assert_type(client.models.list(), Page[ModelInfo])
    if message.container is UNSET:
        return ""
    block = message.content[0]
    if block.type == "text":
        assert_type(block, TextBlock)
        return block.text
    return block.tag if isinstance(block, Unknown) else block.type


def stream(client: Claude) -> str:
    with client.messages.stream(
        model=MODEL, max_tokens=1, messages=[{"role": "user", "content": "Hi"}], betas=["a-1"]
    ) as events:
        for text in events.text_stream:
            assert_type(text, str)
        assert_type(events.get_final_message(), Message)
        return events.get_final_text()


async def stream_async(client: AsyncClaude) -> str:
    async with client.messages.stream(model=MODEL, max_tokens=1, messages=TURNS) as events:
        async for text in events.text_stream:
            assert_type(text, str)
        assert_type(await events.get_final_message(), Message)
    message = await client.messages.create(model=MODEL, max_tokens=1, messages=TURNS)
    assert_type(message, Message)
    async for model in client.models.list():
        assert_type(model, ModelInfo)
    return await events.get_final_text()


def clients() -> Claude:
    with Claude(api_key="k", betas=["a-1"]) as client:
        return client.with_options(max_retries=5)
