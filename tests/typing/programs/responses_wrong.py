"""What the types of raw answers, of the HTTP methods and of explanations forbid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claude_client import AsyncClaude, Claude
    from claude_client.types import MessageParam

MODEL = "claude-opus-5-5"
TURNS: list[MessageParam] = [{"role": "user", "content": "Hi"}]


def misspelt_argument(client: Claude) -> None:
    client.models.with_raw_response.list(limitt=1)  # error


def wrong_argument(client: Claude) -> None:
    client.models.with_streaming_response.list(limit="1")  # error


def missing_argument(client: Claude) -> None:
    client.messages.with_raw_response.create(model=MODEL, messages=TURNS)  # error


def not_parsed(client: Claude) -> object:
    answer = client.messages.with_raw_response.create(model=MODEL, max_tokens=1, messages=TURNS)
    return answer.usage  # error


async def not_awaited(client: AsyncClaude) -> object:
    return client.models.with_raw_response.retrieve("m").parse()  # error


def not_entered(client: Claude) -> object:
    return client.models.with_streaming_response.retrieve("m").parse()  # error


def wrong_class(client: Claude) -> None:
    client.get("/v1/x", cast_to=dict)  # error


def wrong_retry(client: Claude) -> None:
    client.post("/v1/x", retry="never")  # error


def explain_wrongly(client: Claude) -> None:
    client.explain(client.models.list, limit="1")  # error


def explain_nothing(client: Claude) -> None:
    client.explain(3)  # error
