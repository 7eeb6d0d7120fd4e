"""Raw and streamed answers, the HTTP methods and explanations keep the types of the methods."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

from claude_client import (
    APIResponse,
    AsyncAPIResponse,
    AsyncBinaryResponse,
    AsyncClaude,
    AsyncPage,
    AsyncStream,
    AsyncStreamedAPIResponse,
    Claude,
    Explanation,
    JSONLStream,
    Page,
    Stream,
    StreamedAPIResponse,
)
from claude_client.types import (
    Message,
    MessageBatch,
    MessageBatchIndividualResponse,
    MessageParam,
    ModelInfo,
    RawMessageStreamEvent,
)
from claude_rest import Client

MODEL = "claude-opus-5-5"
TURNS: list[MessageParam] = [{"role": "user", "content": "Hi"}]


def raw(client: Claude, low: Client, flag: bool) -> None:
    messages = client.messages.with_raw_response
    answer = messages.create(model=MODEL, max_tokens=1, messages=TURNS, betas=["a-1"])
    assert_type(answer, APIResponse[Message])
    assert_type(answer.parse(), Message)
    assert_type(answer.content, bytes)
    assert_type(answer.headers.get("request-id"), str | None)
    on = messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=True)
    assert_type(on.parse(), Stream[RawMessageStreamEvent])
    either = messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=flag)
    assert_type(either.parse(), Message | Stream[RawMessageStreamEvent])
    assert_type(messages.batches.list().parse(), Page[MessageBatch])
    assert_type(
        client.beta.messages.batches.with_raw_response.results("b").parse(),
        JSONLStream[MessageBatchIndividualResponse],
    )
    assert_type(client.with_raw_response.models.list(limit=1).parse(), Page[ModelInfo])
    assert_type(low.models.with_raw_response.retrieve("m"), APIResponse[ModelInfo])


def streamed(client: Claude) -> None:
    messages = client.messages.with_streaming_response
    with messages.create(model=MODEL, max_tokens=1, messages=TURNS) as answer:
        assert_type(answer, StreamedAPIResponse[Message])
        for line in answer.iter_lines():
            assert_type(line, str)
        assert_type(answer.parse(), Message)
    with messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=True) as open_answer:
        assert_type(open_answer.parse(), Stream[RawMessageStreamEvent])
    with client.models.with_streaming_response.list() as listed:
        assert_type(listed.parse(), Page[ModelInfo])


async def asynchronous(client: AsyncClaude) -> None:
    messages = client.messages.with_raw_response
    answer = await messages.create(model=MODEL, max_tokens=1, messages=TURNS)
    assert_type(answer, AsyncAPIResponse[Message])
    assert_type(answer.parse(), Message)
    on = await messages.create(model=MODEL, max_tokens=1, messages=TURNS, stream=True)
    assert_type(on.parse(), AsyncStream[RawMessageStreamEvent])
    listed = await client.models.with_raw_response.list()
    assert_type(listed.parse(), AsyncPage[ModelInfo])
    async with client.files.with_streaming_response.download("f") as opened:
        assert_type(opened, AsyncStreamedAPIResponse[AsyncBinaryResponse])
        assert_type(await opened.parse(), AsyncBinaryResponse)
        async for chunk in opened.iter_bytes():
            assert_type(chunk, bytes)
    async with client.models.with_streaming_response.list() as models:
        assert_type(await models.parse(), AsyncPage[ModelInfo])
    assert_type(await client.get("/v1/models/m", cast_to=ModelInfo), ModelInfo)
    assert_type(await client.post("/v1/x", body={}, stream=True), AsyncStream[Any])
    raw = await client.with_raw_response.get("/v1/models/m", cast_to=ModelInfo)
    assert_type(raw.parse(), ModelInfo)


def verbs(client: Claude) -> None:
    assert_type(client.get("/v1/x", query={"limit": 1}), Any)
    assert_type(client.post("/v1/x", body={"a": 1}, cast_to=Message), Message)
    assert_type(client.put("/v1/x", stream=True), Stream[Any])
    assert_type(client.patch("/v1/x", stream=True, cast_to=Message), Stream[Message])
    assert_type(client.with_raw_response.get("/v1/x", cast_to=Message), APIResponse[Message])
    with client.with_streaming_response.delete("/v1/x", retry="safe", timeout=3) as answer:
        assert_type(answer.read(), bytes)


def explain(client: Claude, other: AsyncClaude) -> None:
    found = client.explain(client.messages.create, model=MODEL, max_tokens=1, messages=TURNS)
    assert_type(found, Explanation)
    assert_type(client.explain("messages.create", model=MODEL), Explanation)
    assert_type(client.explain(client.models.retrieve, "m"), Explanation)
    assert_type(other.explain(other.models.list, limit=1), Explanation)
    assert_type(other.explain(other.get, "/v1/x"), Explanation)
