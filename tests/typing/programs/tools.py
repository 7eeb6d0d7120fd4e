"""Structured output and tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from typing_extensions import TypedDict, assert_type

from claude_client import (
    AssistantTurn,
    AsyncClaude,
    AsyncFunctionTool,
    AsyncTurnStream,
    Claude,
    FunctionTool,
    OutputFormat,
    ParsedMessage,
    ToolCall,
    ToolResult,
    TurnStream,
    tool,
)
from claude_client.types import Message, MessageParam

MODEL = "claude-opus-5-5"
TURNS: list[MessageParam] = [{"role": "user", "content": "Hi"}]


@dataclass
class Recipe:
    title: str


class Note(TypedDict):
    text: str


@tool
def look(city: str, days: int = 1) -> str:
    """Look."""
    return city * days


@tool(strict=True, name="wait_for")
async def wait(seconds: float) -> int:
    """Wait."""
    return int(seconds)


def parse(client: Claude) -> None:
    message = client.messages.parse(
        output_format=Recipe, model=MODEL, max_tokens=1, messages=TURNS, betas=["a-1"]
    )
    assert_type(message, ParsedMessage[Recipe])
    assert_type(message.parsed_output, Recipe)
    assert_type(message.parsed_output.title, str)
    same: Message = message
    print(same.id)
    many = client.messages.parse(
        output_format=list[Note], model=MODEL, max_tokens=1, messages=TURNS
    )
    assert_type(many.parsed_output, list[Note])
    form: OutputFormat[Recipe | Note] = OutputFormat(Recipe | Note)
    either = client.messages.parse(output_format=form, model=MODEL, max_tokens=1, messages=TURNS)
    assert_type(either.parsed_output, Recipe | Note)
    free = client.messages.parse(
        output_format={"type": "object"}, model=MODEL, max_tokens=1, messages=TURNS
    )
    assert_type(free.parsed_output, Any)
    with client.messages.stream(
        output_format=Recipe, model=MODEL, max_tokens=1, messages=TURNS
    ) as stream:
        assert_type(stream.get_final_message().parsed_output, Recipe)


async def parse_async(client: AsyncClaude) -> None:
    message = await client.messages.parse(
        output_format=Recipe, model=MODEL, max_tokens=1, messages=TURNS
    )
    assert_type(message.parsed_output, Recipe)
    async with client.messages.stream(
        output_format=Recipe, model=MODEL, max_tokens=1, messages=TURNS
    ) as stream:
        assert_type((await stream.get_final_message()).parsed_output, Recipe)


def functions() -> None:
    assert_type(look("Rome", days=2), str)
    assert_type(look.call({"city": "Rome"}), str)
    plain: FunctionTool[..., str] = look
    later: AsyncFunctionTool[..., int] = wait
    print(plain.name, later.name)


def run(client: Claude) -> Message:
    runner = client.messages.tool_runner(
        tools=[look, {"type": "web_search_20250305", "name": "web_search"}],
        model=MODEL,
        max_tokens=1,
        messages=TURNS,
        max_iterations=3,
    )
    for step in runner:
        if step.type == "tool_call":
            assert_type(step, ToolCall)
            step.deny()
        elif step.type == "tool_result":
            assert_type(step, ToolResult)
        elif step.type == "assistant_turn":
            assert_type(step, AssistantTurn)
            assert_type(step.message, Message)
        else:
            assert_type(step, TurnStream)
            for text in step.stream.text_stream:
                assert_type(text, str)
    return runner.until_done()


async def run_async(client: AsyncClaude) -> Message:
    runner = client.messages.tool_runner(
        tools=[look, wait], model=MODEL, max_tokens=1, messages=TURNS, raise_on=OSError
    )
    async for step in runner:
        if isinstance(step, ToolCall):
            step.answer("Yes")
        elif isinstance(step, AsyncTurnStream):
            async for text in step.stream.text_stream:
                assert_type(text, str)
    return await runner.until_done()
