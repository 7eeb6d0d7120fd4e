"""Wrong uses of what calls return."""

from __future__ import annotations

from claude_rest import AsyncClient, Client
from claude_rest.params import MessageParam

MODEL = "claude-opus-5-5"
TURNS: list[MessageParam] = [{"role": "user", "content": "Hi"}]


def stream_is_no_message(client: Client) -> object:
    on = client.messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=True)
    return on.content  # error


def message_is_no_stream(client: Client) -> None:
    for _ in client.messages.create(model=MODEL, max_tokens=1, messages=TURNS):  # error
        pass


def either_is_neither(client: Client, flag: bool) -> object:
    either = client.messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=flag)
    return either.content  # error


async def not_awaited(client: AsyncClient) -> object:
    answer = client.messages.create(model=MODEL, max_tokens=1, messages=TURNS)
    return answer.content  # error


async def wrong_loop(client: AsyncClient) -> None:
    for _ in client.models.list():  # error
        pass


def page_of_models(client: Client) -> str:
    for model in client.models.list():
        return model.name  # error
    return ""


def no_such_resource(client: Client) -> object:
    return client.mesages  # error


def misspelt_setting() -> object:
    return Client(apikey="k")  # error
