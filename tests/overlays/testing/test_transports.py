"""The mock under httpx clients, sync and async."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from claude_client.testing import AsyncMockTransport, MockAPI, MockTransport, collapse

from .conftest import minimal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HEADERS = {"x-api-key": "k", "anthropic-version": "2026-10-21"}
BASE = "https://api.anthropic.com"


def test_sync() -> None:
    with httpx.Client(transport=MockTransport(), base_url=BASE, headers=HEADERS) as client:
        answer = client.post("/v1/messages", json=minimal("Hi"))
        assert answer.status_code == 200
        assert answer.json()["content"][0]["text"].endswith("Hi")
        assert answer.headers["request-id"].startswith("req_")
        assert int(answer.headers["content-length"]) == len(answer.content)
        models = client.get("/v1/models", params={"limit": 1, "lifecycle[]": ["active", "retired"]})
        assert len(models.json()["data"]) == 1
        assert client.get("/v1/models/a%2Fb").json()["error"]["message"] == "model: a/b"
        with client.stream(
            "POST", "/v1/messages", json={**minimal("Hi"), "stream": True}
        ) as stream:
            chunks = list(stream.iter_raw())
    assert len(chunks) > 5
    assert collapse(b"".join(chunks).decode())["content"] == answer.json()["content"]


def test_async() -> None:
    async def session() -> tuple[httpx.Response, list[bytes], httpx.Response]:
        async def body() -> AsyncIterator[bytes]:
            yield json.dumps(minimal("Hi")).encode()

        transport = AsyncMockTransport(MockAPI(seed=3))
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=HEADERS) as client:
            answer = await client.post("/v1/messages", content=body())
            wanted = {**minimal("Hi"), "stream": True}
            async with client.stream("POST", "/v1/messages", json=wanted) as stream:
                chunks = [chunk async for chunk in stream.aiter_raw()]
            return answer, chunks, await client.get("/v1/nothing")

    answer, chunks, missing = asyncio.run(session())
    assert len(chunks) > 5
    assert collapse(b"".join(chunks).decode())["content"] == answer.json()["content"]
    assert missing.status_code == 404


def test_stream_may_be_left_early() -> None:
    with (
        httpx.Client(transport=MockTransport(), base_url=BASE, headers=HEADERS) as client,
        client.stream("POST", "/v1/messages", json={**minimal(), "stream": True}) as stream,
    ):
        assert next(stream.iter_lines()) == "event: message_start"


def test_transports_share_an_api() -> None:
    api = MockAPI()
    first, second = (
        httpx.Client(transport=MockTransport(api), base_url=BASE, headers=HEADERS) for _ in "ab"
    )
    with first, second:
        ids = [client.get("/v1/models").headers["request-id"] for client in (first, second)]
    assert ids[0] != ids[1]


def test_import_is_light() -> None:
    code = (
        "import sys, claude_client.testing as t; "
        "heavy = {'httpx', 'uvicorn', 'jsonschema', 'jsonschema_rs', 'dataclasses'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules); "
        "assert set(t.__all__) <= set(dir(t)); t.sse; "
        "assert not {'httpx', 'uvicorn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_name() -> None:
    import claude_client.testing as package

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing  # type: ignore[attr-defined]
