"""Mistakes in requests that type checkers find."""

from __future__ import annotations

from claude_rest import Client
from claude_rest.models import Message
from claude_rest.params import CacheControlEphemeralParam, MessageParam, TextBlockParam, ToolParam

MODEL = "claude-opus-5-5"
TURN: MessageParam = {"role": "user", "content": "Hi"}


def key_of_a_message(client: Client) -> None:
    client.messages.create(
        model=MODEL,
        max_tokens=1,
        messages=[{"role": "user", "contnt": "Hi"}],  # error
    )


def role(client: Client) -> None:
    client.messages.create(
        model=MODEL,
        max_tokens=1,
        messages=[{"role": "robot", "content": "Hi"}],  # error
    )


def block_type(client: Client) -> None:
    client.messages.create(
        model=MODEL,
        max_tokens=1,
        messages=[{"role": "user", "content": [{"type": "txt", "text": "Hi"}]}],  # error
    )


def key_of_a_block() -> TextBlockParam:
    return {"type": "text", "txt": "Hi"}  # error


def extra_key_of_a_block() -> TextBlockParam:
    return {"type": "text", "text": "Hi", "colour": "red"}  # error


def missing_key() -> ToolParam:
    return {"name": "f"}  # error


def value_of_an_enum() -> CacheControlEphemeralParam:
    return {"type": "ephemeral", "ttl": "5 minutes"}  # error


def misspelt_argument(client: Client) -> None:
    client.messages.create(model=MODEL, max_tokens=1, messages=[TURN], temprature=1)  # error


def wrong_argument(client: Client) -> None:
    client.messages.create(model=MODEL, max_tokens="1", messages=[TURN])  # error


def missing_argument(client: Client) -> None:
    client.messages.create(model=MODEL, messages=[TURN])  # error


def by_position(client: Client) -> None:
    client.messages.create(MODEL, 1, [TURN])  # error


def null_where_it_means_nothing(client: Client) -> None:
    client.messages.create(model=MODEL, max_tokens=1, messages=[TURN], tools=None)  # error


def wrong_option(client: Client) -> None:
    client.messages.create(model=MODEL, max_tokens=1, messages=[TURN], timeout="5")  # error


def wrong_value_of_an_option(client: Client) -> None:
    client.models.retrieve("m", betas=[1])  # error


def enum_argument(client: Client) -> None:
    client.models.list(lifecycle=["asleep"])  # error


def enum_of_the_service_tier(client: Client) -> None:
    client.messages.create(model=MODEL, max_tokens=1, messages=[TURN], service_tier="best")  # error


def model_as_a_message(message: Message) -> MessageParam:
    return {"role": "user", "content": message}  # error
