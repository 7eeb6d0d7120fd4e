"""Misuse of structured output and of tools that type checkers must report."""

from __future__ import annotations

from dataclasses import dataclass

from claude_client import Claude, ToolCall, tool
from claude_client.types import MessageParam

MODEL = "claude-opus-5-5"
TURNS: list[MessageParam] = [{"role": "user", "content": "Hi"}]


@dataclass
class Recipe:
    title: str


@tool
def look(city: str) -> str:
    """Look."""
    return city


def misuse(client: Claude) -> None:
    message = client.messages.parse(output_format=Recipe, model=MODEL, max_tokens=1, messages=TURNS)
    print(message.parsed_output.name)  # error
    look(3)  # error
    runner = client.messages.tool_runner(tools=[look], model=MODEL, max_tokens=1, messages=TURNS)
    for step in runner:
        step.deny()  # error
        if isinstance(step, ToolCall):
            step.arguments = None  # error
    client.messages.tool_runner(
        tools=[look],
        model=MODEL,
        max_tokens=1,
        messages=TURNS,
        max_iterations="3",  # error
    )
