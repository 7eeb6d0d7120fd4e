"""What calls return on the low-level clients."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

from claude_rest import AsyncClient, Client
from claude_rest._runtime.page import AsyncPage, Page
from claude_rest._runtime.rate_limits import RateLimits
from claude_rest._runtime.stream import AsyncStream, Stream
from claude_rest.models import Message, MessageTokensCount, ModelInfo, RawMessageStreamEvent
from claude_rest.params import MessageParam

MODEL = "claude-opus-5-5"
TURNS: list[MessageParam] = [{"role": "user", "content": "Hi"}]


def create(client: Client, flag: bool) -> None:
    plain = client.messages.create(model=MODEL, max_tokens=1, messages=TURNS)
    assert_type(plain, Message)
    off = client.messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=False)
    assert_type(off, Message)
    on = client.messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=True)
    assert_type(on, Stream[RawMessageStreamEvent])
    either = client.messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=flag)
    assert_type(either, Message | Stream[RawMessageStreamEvent])
    assert_type(on.rate_limits, RateLimits)
    assert_type(on.organization_id, str | None)
    with on as events:
        for event in events:
            assert_type(event, RawMessageStreamEvent)
    beta = client.beta.messages.create(model=MODEL, max_tokens=1, messages=TURNS)
    assert_type(beta, Message)


async def create_async(client: AsyncClient, flag: bool) -> None:
    plain = await client.messages.create(model=MODEL, max_tokens=1, messages=TURNS)
    assert_type(plain, Message)
    on = await client.messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=True)
    assert_type(on, AsyncStream[RawMessageStreamEvent])
    either = await client.messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=flag)
    assert_type(either, Message | AsyncStream[RawMessageStreamEvent])
    async with on as events:
        async for event in events:
            assert_type(event, RawMessageStreamEvent)
    count = await client.messages.count_tokens(model=MODEL, messages=TURNS)
    assert_type(count, MessageTokensCount)
    beta = await client.beta.messages.create(model=MODEL, max_tokens=1, messages=TURNS)
    assert_type(beta, Message)


def pages(client: Client) -> list[str]:
    page = client.models.list(limit=20, lifecycle=["active", "retired"])
    assert_type(page, Page[ModelInfo])
    assert_type(page.data, list[ModelInfo])
    for model in page:
        assert_type(model, ModelInfo)
    for each in page.iter_pages():
        assert_type(each, Page[ModelInfo])
    if page.has_next_page():
        assert_type(page.get_next_page(), Page[ModelInfo])
    for each in page.pages(prefetch=True):
        assert_type(each, Page[ModelInfo])
    for model in page.items(max_items=5, prefetch=True):
        assert_type(model, ModelInfo)
    for model in page.iter_items(5):
        assert_type(model, ModelInfo)
    assert_type(page.request_id, str | None)
    assert_type(page.next_page, str | None)
    assert_type(page.next_arguments, dict[str, Any] | None)
    assert_type(client.models.retrieve("m"), ModelInfo)
    return [model.id for model in client.models.list()]


async def pages_async(client: AsyncClient) -> list[str]:
    page = await client.models.list()
    assert_type(page, AsyncPage[ModelInfo])
    async for model in page:
        assert_type(model, ModelInfo)
    async for model in client.models.list():
        assert_type(model, ModelInfo)
    async for each in page.iter_pages():
        assert_type(each, AsyncPage[ModelInfo])
    async for each in page.pages(prefetch=True):
        assert_type(each, AsyncPage[ModelInfo])
    async for model in page.items(max_items=5, prefetch=True):
        assert_type(model, ModelInfo)
    async for model in client.models.list().iter_items(5):
        assert_type(model, ModelInfo)
    async for each in client.models.list().pages(prefetch=True):
        assert_type(each, AsyncPage[ModelInfo])
    assert_type(await page.get_next_page(), AsyncPage[ModelInfo])
    assert_type(await client.models.retrieve("m"), ModelInfo)
    return [model.id async for model in client.models.list()]


def clients() -> None:
    with Client(api_key="k", base_url="http://localhost", timeout=5) as client:
        assert_type(client, Client)
