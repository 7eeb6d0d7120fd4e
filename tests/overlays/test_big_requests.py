"""Images and documents from files in every kind of call, and JSON that is ready."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from both_clients import ARGUMENTS, MESSAGE, OK, BothClients, failure, kit, stream
from both_clients import EVENTS as STREAM_EVENTS
from claude_client import (
    AsyncClaude,
    AsyncMiddleware,
    Claude,
    Middleware,
    RawJSON,
    RequestTooLargeError,
    RetryPolicy,
    UploadError,
    document,
    image,
    logs,
)
from claude_client.calls import is_large
from claude_client.testing import AsyncMockTransport, MockTransport
from loopback import Send, response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["kit"]

CONTENT = os.urandom(700_001)
TEXT = base64.b64encode(CONTENT).decode()
COUNT = [Send(response(json={"input_tokens": 3}))]
BATCH = [
    Send(
        response(
            json={
                "id": "msgbatch_1",
                "type": "message_batch",
                "processing_status": "in_progress",
                "request_counts": {
                    "processing": 1,
                    "succeeded": 0,
                    "errored": 0,
                    "canceled": 0,
                    "expired": 0,
                },
                "created_at": "2026-10-01T00:00:00Z",
                "expires_at": "2026-10-02T00:00:00Z",
            }
        )
    )
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(CONTENT)
    return path


def asking(data: Any, **more: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "image/png", "data": data}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    return {**ARGUMENTS, "messages": [{"role": "user", "content": content}], **more}


def in_a_tool_result(data: Any) -> dict[str, Any]:
    (turn,) = asking(data)["messages"]
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": turn["content"]}
    return {**ARGUMENTS, "messages": [{"role": "user", "content": [result]}]}


def in_a_document(data: Any) -> dict[str, Any]:
    (turn,) = asking(data)["messages"]
    block = {"type": "document", "source": {"type": "content", "content": turn["content"]}}
    return {**ARGUMENTS, "messages": [{"role": "user", "content": [block]}]}


def in_a_batch(data: Any) -> dict[str, Any]:
    calls = (asking(data), in_a_tool_result(data))
    return {"requests": [{"custom_id": f"c{i}", "params": call} for i, call in enumerate(calls)]}


def without_limits(data: Any) -> dict[str, Any]:
    call = asking(data)
    del call["max_tokens"]
    return call


CALLS: dict[str, tuple[str, Callable[[Any], dict[str, Any]], list[Any]]] = {
    "create": ("messages.create", asking, OK),
    "streamed": ("messages.create", lambda data: asking(data, stream=True), stream(STREAM_EVENTS)),
    "tool_result": ("messages.create", in_a_tool_result, OK),
    "document": ("messages.create", in_a_document, OK),
    "count_tokens": ("messages.count_tokens", without_limits, COUNT),
    "batch": ("messages.batches.create", in_a_batch, BATCH),
    "raw": ("with_raw_response.messages.create", asking, OK),
    "extra_body": ("messages.create", lambda data: {**ARGUMENTS, "extra_body": asking(data)}, OK),
    "post": ("post", lambda data: {"path": "/v1/messages", "body": asking(data)}, OK),
}


def method_of(client: Any, name: str) -> Any:
    for part in name.split("."):
        client = getattr(client, part)
    return client


@pytest.mark.parametrize("call", CALLS)
def test_a_file_stands_where_base64_goes(kit: BothClients, call: str, path: Path) -> None:
    name, arguments, reply = CALLS[call]
    client = kit.open(reply)
    with path.open("rb") as file:
        for data in (TEXT, path, file, CONTENT):
            given = arguments(data)
            positional = [given.pop("path")] if "path" in given else []
            result = kit.run(method_of(client, name)(*positional, **given))
            if call == "streamed":
                kit.items(result)
            sent = kit.sent()
            assert sent.header("content-length") == str(len(sent.body))
            assert sent.header("transfer-encoding") is None
            assert sent.header("content-type") == "application/json"
            assert sent.json() == kit.sent(0).json()
        assert file.tell() == 0


def test_every_attempt_sends_the_same(kit: BothClients, path: Path) -> None:
    with path.open("rb") as file:
        for data in (path, file, io.BytesIO(CONTENT), CONTENT):
            replies = [failure(529, "overloaded_error"), failure(500), OK]
            message = kit.create(*replies, **asking(data))
            assert message.content[0].text == "Hello!"
            bodies = [request.body for request in kit.server.requests]
            assert len(bodies) == 3
            assert len(set(bodies)) == 1
            assert json.loads(bodies[0]) == json.loads(json.dumps(asking(TEXT)))


@pytest.mark.parametrize("opened", [False, True])
def test_a_file_that_changes_between_attempts_is_an_error(
    kit: BothClients, path: Path, opened: bool
) -> None:
    policy = RetryPolicy(random=lambda: 0.0, on_retry=lambda _: path.write_bytes(b"x"))
    with path.open("rb") as file, pytest.raises(UploadError, match="changed") as error:
        kit.create(
            failure(529, "overloaded_error"),
            OK,
            settings={"retry": policy},
            **asking(file if opened else path),
        )
    assert "700,001 bytes" in str(error.value)


def test_the_size_is_checked_before_anything_is_read(kit: BothClients, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    with path.open("wb") as file:
        # 32 MB as base64, and the rest of the body.
        file.truncate(24 * 1024 * 1024)
    with pytest.raises(RequestTooLargeError) as error:
        kit.create(**asking(path))
    assert error.value.size > error.value.limit == 32 * 1024 * 1024
    assert kit.server.requests == []
    message = kit.create(**asking(path), check_sizes=False)
    assert message.content


def test_nothing_is_there(kit: BothClients, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        kit.create(**asking(tmp_path / "none.png"))


def test_a_large_call_of_an_asynchronous_client_is_never_joined() -> None:
    seen: list[Any] = []

    class Watch(AsyncMiddleware):
        async def around_attempt(self, attempt: Any, proceed: Any) -> Any:
            seen.append(attempt.request.content)
            return await proceed(attempt)

    async def call(text: str) -> None:
        http = httpx.AsyncClient(transport=AsyncMockTransport())
        async with http, AsyncClaude(api_key="k", http_client=http, middleware=[Watch()]) as client:
            await client.messages.create(
                model="claude-opus-5-5",
                max_tokens=10,
                messages=[{"role": "user", "content": text}],
            )

    asyncio.run(call("Hi"))
    asyncio.run(call("a" * 3_000_000))
    small, large = seen
    assert isinstance(small, bytes)
    assert max(map(len, large.chunks())) < 1_000_000
    assert len(large.read()) == len(large) > 3_000_000


def test_files_are_asked_for_and_read_outside_the_event_loop(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where: set[int] = set()
    monkeypatch.setattr(os, "stat", _noting(os.stat, where))
    monkeypatch.setattr(os, "fstat", _noting(os.fstat, where))

    async def call() -> None:
        http = httpx.AsyncClient(transport=AsyncMockTransport())
        async with http, AsyncClaude(api_key="k", http_client=http) as client:
            await client.messages.create(**asking(TEXT))
            where.clear()
            await client.messages.create(**asking(path))

    asyncio.run(call())
    assert where
    assert threading.get_ident() not in where


def _noting(function: Any, where: set[int]) -> Any:
    def noting(*arguments: Any, **options: Any) -> Any:
        where.add(threading.get_ident())
        return function(*arguments, **options)

    return noting


def test_on_trio(path: Path) -> None:
    trio: Any = pytest.importorskip("trio")
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200, json=MESSAGE)

    async def call() -> None:
        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        async with http, AsyncClaude(api_key="k", http_client=http) as client:
            for data in (path, CONTENT):
                await client.messages.create(**asking(data))

    trio.run(call)
    assert [json.loads(body)["messages"] for body in bodies] == [asking(TEXT)["messages"]] * 2


def test_the_mock_in_the_same_process_reads_it(path: Path) -> None:
    transport = MockTransport()
    with (
        httpx.Client(transport=transport) as http,
        Claude(api_key="k", http_client=http) as client,
    ):
        block = image(path)
        message = client.messages.create(
            model="claude-opus-5-5",
            max_tokens=10,
            messages=[{"role": "user", "content": [block]}],
        )
        assert message.content
        (call,) = transport.api.calls
        assert call.body["messages"][0]["content"][0]["source"]["data"] == TEXT


def test_middleware_sees_a_body_it_can_read(path: Path) -> None:
    seen: list[Any] = []

    class Watch(Middleware):
        def around_attempt(self, attempt: Any, proceed: Any) -> Any:
            request = attempt.request.with_headers({"x-seen": "yes"})
            seen.append(request)
            return proceed(attempt.replace(request=request))

    with (
        httpx.Client(transport=MockTransport()) as http,
        Claude(api_key="k", http_client=http, middleware=[Watch()]) as client,
    ):
        client.messages.create(**asking(path))
    (request,) = seen
    assert json.loads(request.content.read()) == json.loads(json.dumps(asking(TEXT)))
    assert repr(request).endswith(f"{len(request.content)} bytes)")


def test_explain_shows_which_file_and_not_what_is_in_it(kit: BothClients, path: Path) -> None:
    client = kit.open()
    with path.open("rb") as file:
        for data, name in ((path, "cat.png"), (file, "cat.png"), (CONTENT, "bytes")):
            found = client.explain(client.messages.create, **asking(data))
            shown = found.body["messages"][0]["content"][0]["source"]["data"]
            assert shown == f"<700 kB of {name}>"
            assert shown in str(found)
            assert found.size > len(TEXT)
            assert file.tell() == 0


def test_logged_bodies_show_which_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logs._Bodies, "logged", True)
    caplog.set_level(logging.DEBUG, "claude_client")
    with (
        httpx.Client(transport=MockTransport()) as http,
        Claude(api_key="k", http_client=http) as client,
    ):
        client.messages.create(**asking(path))
    assert "<700 kB of cat.png>" in caplog.text
    assert TEXT[:40] not in caplog.text


def test_a_prefix_that_is_ready_goes_out_as_it_is(kit: BothClients) -> None:
    turn = RawJSON.of({"role": "user", "content": [image(CONTENT, media_type="image/png")]})
    system = RawJSON(b'[{"type": "text",  "text": "Be brief."}]')
    client = kit.open()
    messages: list[Any] = [turn, *ARGUMENTS["messages"]]
    kit.run(client.messages.create(**{**ARGUMENTS, "messages": messages, "system": system}))
    sent = kit.sent()
    assert system.data in sent.body
    assert turn.data in sent.body
    assert sent.json()["messages"][0]["content"][0]["source"]["data"] == TEXT
    assert sent.header("content-length") == str(len(sent.body))


def test_iterators_around_files(kit: BothClients, path: Path) -> None:
    (turn,) = asking(path)["messages"]
    turn = {"role": "user", "content": (block for block in turn["content"])}
    kit.create(messages=(each for each in [turn]))
    assert kit.sent().json()["messages"] == asking(TEXT)["messages"]
    with path.open("rb") as file:
        (turn,) = asking(file)["messages"]
        kit.create(messages=[{"role": "user", "content": (b for b in turn["content"])}])
    assert kit.sent().json()["messages"] == asking(TEXT)["messages"]


def test_is_large_with_a_file(path: Path) -> None:
    assert is_large(asking(path))
    assert is_large(asking(io.BytesIO(b"x")))
    assert not is_large(asking(b"x"))
    assert not is_large({"messages": RawJSON(b"[]")})
    assert is_large({"messages": [RawJSON.of("a" * 2_000_000)]})


SIGNATURES = {
    "image/png": b"\x89PNG\r\n\x1a\n....",
    "image/jpeg": b"\xff\xd8\xff\xe0....",
    "image/gif": b"GIF89a....",
    "image/webp": b"RIFF....WEBPVP8 ",
}


@pytest.mark.parametrize("media_type", SIGNATURES)
def test_image_tells_the_media_type_by_the_first_bytes(media_type: str) -> None:
    start = SIGNATURES[media_type]
    file = io.BytesIO(b"..." + start)
    file.seek(3)
    contents: list[Any] = [start, bytearray(start), memoryview(start), file]
    for content in contents:
        block = image(content)
        assert block == {
            "type": "image",
            "source": {"type": "base64", "media_type": media_type, "data": content},
        }
    assert file.tell() == 3


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.png", "image/png"),
        ("a.JPG", "image/jpeg"),
        ("a.b.jpeg", "image/jpeg"),
        ("a.gif", "image/gif"),
        ("a.webp", "image/webp"),
    ],
)
def test_image_tells_the_media_type_by_the_name(name: str, media_type: str, tmp_path: Path) -> None:
    path = tmp_path / name
    block: Any = image(path)
    assert block["source"]["media_type"] == media_type
    assert not path.exists()
    path.write_bytes(b"x")
    with path.open("rb") as file:
        block = image(file)
    assert block["source"]["media_type"] == media_type


def test_image_takes_what_it_is_told(tmp_path: Path) -> None:
    block: Any = image(
        tmp_path / "x.bin", media_type="image/png", cache_control={"type": "ephemeral"}
    )
    assert block["source"]["media_type"] == "image/png"
    assert block["cache_control"] == {"type": "ephemeral"}


def test_image_refuses_what_it_cannot_tell(tmp_path: Path) -> None:
    for content, shown in ((tmp_path / "x.tiff", "x.tiff"), (b"BM", "the content")):
        with pytest.raises(ValueError, match=f"{shown} does not tell what kind of image"):
            image(content)
    wrong: Any
    for wrong in ("x.png", 1, None):
        with pytest.raises(TypeError, match=r"pathlib\.Path"):
            image(wrong)
        with pytest.raises(TypeError, match=r"pathlib\.Path"):
            document(wrong)


def test_document(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    assert document(
        path,
        title="Report",
        context="Of last year",
        citations={"enabled": True},
        cache_control={"type": "ephemeral"},
    ) == {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": path},
        "title": "Report",
        "context": "Of last year",
        "citations": {"enabled": True},
        "cache_control": {"type": "ephemeral"},
    }
    assert set(document(b"%PDF-")) == {"type", "source"}
    with pytest.raises(ValueError, match=r"notes\.txt is no PDF"):
        document(tmp_path / "notes.txt")
