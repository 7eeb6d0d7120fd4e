"""The same refusals on the overlay client."""

from __future__ import annotations

from claude_client import AsyncClaude, Claude
from claude_client.types import MessageParam

MODEL = "claude-opus-5-5"
TURNS: list[MessageParam] = [{"role": "user", "content": "Hi"}]


def misspelt_key(client: Claude) -> None:
    client.messages.create(
        model=MODEL,
        max_tokens=1,
        messages=[{"role": "user", "contnt": "Hi"}],  # error
    )


def misspelt_argument(client: Claude) -> None:
    client.messages.create(model=MODEL, max_tokens=1, messages=TURNS, temprature=1)  # error


def misspelt_argument_of_a_stream(client: Claude) -> None:
    client.messages.stream(model=MODEL, max_tokens=1, messages=TURNS, temprature=1)  # error


def missing_argument_of_a_stream(client: Claude) -> None:
    client.messages.stream(model=MODEL, messages=TURNS)  # error


def misspelt_setting() -> object:
    return Claude(apikey="k")  # error


async def not_awaited(client: AsyncClaude) -> object:
    answer = client.messages.create(model=MODEL, max_tokens=1, messages=TURNS)
    return answer.content  # error
