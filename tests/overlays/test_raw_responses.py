"""with_raw_response and with_streaming_response of both clients and both layers."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import AsyncClaude, Claude, RetryPolicy
from claude_client.errors import (
    APIConnectionError,
    APIResponseValidationError,
    BadRequestError,
    ClaudeError,
    OverloadedError,
)
from claude_client.testing import MockAPI, serve
from claude_client.types import Message
from claude_rest import AsyncClient, Client
from loopback import Close, LoopbackServer, Send, event, response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HELLO: Any = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}
MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "text", "text": "Hello!"}],
    "model": "claude-opus-5-5",
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
OK = [Send(response(json=MESSAGE, headers={"request-id": "req_ok"}))]
BUSY = [
    Send(
        response(529, json={"type": "error", "error": {"type": "overloaded_error", "message": ""}})
    )
]
CUT = [Send(response(json=MESSAGE)[:-10]), Close()]
FILES_FLAG = "files-api-2025-04-14"

CLASSES = [Claude, AsyncClaude, Client, AsyncClient]
OVERLAYS = CLASSES[:2]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)


async def done(value: Any) -> Any:
    """Return what a method of either client returns in the end."""
    return await value if inspect.isawaitable(value) else value


async def everything(value: Any) -> list[Any]:
    if hasattr(value, "__aiter__"):
        return [item async for item in value]
    return list(value)


class entered:
    """Enters the context manager of either client."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager

    async def __aenter__(self) -> Any:
        if hasattr(self.manager, "__aenter__"):
            return await self.manager.__aenter__()
        return self.manager.__enter__()

    async def __aexit__(self, *facts: object) -> None:
        leave = getattr(self.manager, "__aexit__", None) or self.manager.__exit__
        await done(leave(*facts))


def run(
    client_class: Any,
    act: Callable[[Any], Awaitable[Any]],
    *replies: Any,
    mock: bool = False,
    **settings: Any,
) -> Any:
    async def main(url: str) -> Any:
        if client_class in OVERLAYS:
            settings.setdefault("retry", RetryPolicy(random=lambda: 0.0))
        client = client_class(api_key="key-1", base_url=url, **settings)
        try:
            return await act(client)
        finally:
            await done(client.close())

    if mock:
        with serve(MockAPI(uploads_downloadable=True)) as server:
            return asyncio.run(main(server.url))
    with LoopbackServer(replies) as script:
        result = asyncio.run(main(script.url))
        assert len(script.requests) == len(replies)
        return result


def is_async(client_class: Any) -> bool:
    return client_class in (AsyncClaude, AsyncClient)


@pytest.mark.parametrize("client_class", CLASSES)
def test_the_answer_and_all_around_it(client_class: Any) -> None:
    async def act(client: Any) -> Any:
        return await done(client.messages.with_raw_response.create(**HELLO))

    answer = run(client_class, act, OK)
    assert type(answer).__name__ == ("Async" if is_async(client_class) else "") + "APIResponse"
    assert (answer.status_code, answer.request_id, answer.retries_taken) == (200, "req_ok", 0)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.meta.request_id == "req_ok"
    assert (answer.method, answer.http_version) == ("POST", "HTTP/1.1")
    assert answer.url.endswith("/v1/messages")
    assert 0 < answer.elapsed < 60
    assert answer.json() == json.loads(answer.content) == json.loads(answer.text()) == MESSAGE
    message = answer.parse()
    assert isinstance(message, Message)
    assert message.to_dict() == MESSAGE
    assert message.meta is answer.meta
    assert answer.parse() is message
    assert "req_ok" in repr(answer)
    assert "Hello" not in repr(answer)


@pytest.mark.parametrize("client_class", CLASSES)
def test_what_goes_out_is_what_the_method_sends(client_class: Any) -> None:
    more: Any = {**HELLO, "betas": ["a-1"], "extra_headers": {"x-mine": "1"}}

    async def act(client: Any) -> None:
        await done(client.messages.create(**more))
        await done(client.messages.with_raw_response.create(**more))
        async with entered(client.messages.with_streaming_response.create(**more)) as answer:
            await done(answer.read())

    with LoopbackServer([OK, OK, OK]) as script:

        async def main() -> None:
            client = client_class(api_key="key-1", base_url=script.url)
            await act(client)
            await done(client.close())

        asyncio.run(main())
        plain, raw, streamed = script.requests
    for other in (raw, streamed):
        assert (other.method, other.target, other.body) == (plain.method, plain.target, plain.body)
        assert sorted(other.headers) == sorted(plain.headers)


@pytest.mark.parametrize("client_class", OVERLAYS)
def test_retries_are_those_of_the_call(client_class: Any) -> None:
    async def raw(client: Any) -> Any:
        return await done(client.messages.with_raw_response.create(**HELLO))

    async def streamed(client: Any) -> Any:
        async with entered(client.messages.with_streaming_response.create(**HELLO)) as answer:
            assert (await done(answer.parse())).id == "msg_1"
            return answer

    assert run(client_class, raw, BUSY, OK).retries_taken == 1
    assert run(client_class, streamed, BUSY, OK).retries_taken == 1

    async def counted(client: Any) -> Any:
        arguments = {name: value for name, value in HELLO.items() if name != "max_tokens"}
        return await done(client.messages.with_raw_response.count_tokens(**arguments))

    # A body that breaks off is fetched again where the body is part of the call and costs nothing.
    assert run(client_class, counted, CUT, OK).retries_taken == 1
    with pytest.raises(APIConnectionError):
        run(client_class, raw, CUT)
    with pytest.raises(APIConnectionError):
        run(client_class, streamed, CUT)


@pytest.mark.parametrize("client_class", OVERLAYS)
@pytest.mark.parametrize("attribute", ["with_raw_response", "with_streaming_response"])
def test_errors_raise_as_always(client_class: Any, attribute: str) -> None:
    async def act(client: Any) -> None:
        result = getattr(client.messages, attribute).create(**HELLO, max_retries=1)
        if attribute == "with_raw_response":
            await done(result)
        else:
            async with entered(result):
                pytest.fail("entered")

    with pytest.raises(OverloadedError) as caught:
        run(client_class, act, BUSY, BUSY)
    assert caught.value.attempts == 2


@pytest.mark.parametrize("client_class", CLASSES)
def test_bodies_that_cannot_be_decoded_raise_when_they_are(client_class: Any) -> None:
    async def act(client: Any) -> Any:
        return await done(client.messages.with_raw_response.create(**HELLO))

    answer = run(client_class, act, [Send(response(body=b"<html>"))])
    assert (answer.text(), answer.content) == ("<html>", b"<html>")
    with pytest.raises(ValueError, match=r"JSON|char|unexpected"):
        answer.json()
    with pytest.raises(APIResponseValidationError, match="not JSON"):
        answer.parse()
    odd = {**MESSAGE, "role": 5}
    lenient = run(client_class, act, [Send(response(json=odd))])
    assert lenient.parse().role == 5
    strict = run(client_class, act, [Send(response(json=odd))], strict=True)
    assert strict.json() == odd
    with pytest.raises(ClaudeError, match="/role"):
        strict.parse()
    envelope = {"type": "error", "error": {"type": "invalid_request_error", "message": "No"}}
    refused = run(client_class, act, [Send(response(json=envelope))])
    with pytest.raises(BadRequestError, match="No"):
        refused.parse()


@pytest.mark.parametrize("client_class", CLASSES)
@pytest.mark.parametrize("beta", [False, True])
def test_streams_of_events(client_class: Any, beta: bool) -> None:
    async def act(client: Any) -> None:
        messages = (client.beta if beta else client).messages
        answer = await done(messages.with_raw_response.create(**HELLO, stream=True))
        assert answer.headers["content-type"].startswith("text/event-stream")
        with pytest.raises(ClaudeError, match=r"parse\(\)"):
            _ = answer.content
        stream = answer.parse()
        assert stream is answer.parse()
        assert (await everything(stream))[-1].type == "message_stop"

        opened = messages.with_streaming_response.create(**HELLO, stream=True)
        async with entered(opened) as answer:
            lines = await everything(answer.iter_lines())
        assert lines[0] == "event: message_start"
        assert lines[-2:] == ['data: {"type":"message_stop"}', ""]
        async with entered(messages.with_streaming_response.create(**HELLO, stream=True)) as answer:
            assert (await everything(await done(answer.parse())))[-1].type == "message_stop"

    run(client_class, act, mock=True)


@pytest.mark.parametrize("client_class", CLASSES)
def test_lists_give_their_first_page(client_class: Any) -> None:
    async def act(client: Any) -> None:
        answer = await done(client.models.with_raw_response.list(limit=2))
        page = answer.parse()
        assert answer.url.endswith("/v1/models?limit=2")
        assert len(page.data) == 2
        assert page.meta is answer.meta
        models = await everything(page)
        assert len(models) > 2
        async with entered(client.models.with_streaming_response.list(limit=2)) as opened:
            assert await everything(await done(opened.parse())) == models
        for batches in (
            client.messages.batches.with_raw_response,
            client.messages.with_raw_response.batches,
            client.beta.messages.batches.with_raw_response,
            client.with_raw_response.messages.batches,
        ):
            assert (await done(batches.list())).parse().data == []

    run(client_class, act, mock=True)


@pytest.mark.parametrize("client_class", CLASSES)
def test_files_and_lines(client_class: Any) -> None:
    content = bytes(range(256)) * 500
    batch = [{"custom_id": "r1", "params": HELLO}]

    async def act(client: Any) -> None:
        files = client.beta.files
        uploaded = await done(
            files.with_raw_response.upload(file=("a.bin", content), betas=[FILES_FLAG])
        )
        name = uploaded.parse().id
        download = await done(files.with_raw_response.download(name, betas=[FILES_FLAG]))
        assert download.content == content
        assert await done(download.parse().read()) == content
        opened = files.with_streaming_response.download(name, betas=[FILES_FLAG])
        async with entered(opened) as answer:
            assert b"".join(await everything(answer.iter_bytes())) == content
            with pytest.raises(ClaudeError, match="read already"):
                await everything(answer.iter_bytes())
        opened = files.with_streaming_response.download(name, betas=[FILES_FLAG])
        async with entered(opened) as answer:
            assert await done((await done(answer.parse())).read()) == content

        batches = client.messages.batches
        created = await done(batches.create(requests=batch))
        while (await done(batches.retrieve(created.id))).processing_status != "ended":
            pass
        raw = await done(batches.with_raw_response.results(created.id))
        assert json.loads(raw.text())["custom_id"] == "r1"
        assert [line.custom_id for line in await everything(raw.parse())] == ["r1"]
        async with entered(batches.with_streaming_response.results(created.id)) as answer:
            lines = await everything(await done(answer.parse()))
        assert [line.custom_id for line in lines] == ["r1"]

    run(client_class, act, mock=True)


@pytest.mark.parametrize("client_class", CLASSES)
@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
def test_text_and_lines_are_cut_nowhere_else(client_class: Any, piece: int) -> None:
    text = "a\r\nbä\u2028c\rd\n\n€\x85e"
    body = response(body=text.encode(), headers={"content-type": "text/plain"})

    async def act(client: Any) -> None:
        for read in ("iter_lines", "iter_text", "text"):
            manager = client.messages.with_streaming_response.create(**HELLO)
            async with entered(manager) as answer:
                found = getattr(answer, read)()
                found = await (everything(found) if read != "text" else done(found))
            if read == "iter_lines":
                assert found == ["a", "bä\u2028c", "d", "", "€\x85e"]
            else:
                assert "".join(found) == text

    run(client_class, act, *[[Send(body, piece=piece)]] * 3)


@pytest.mark.parametrize("client_class", CLASSES)
@pytest.mark.parametrize(
    ("kind", "charset"),
    [
        ("text/plain; charset=latin-1", "latin-1"),
        ("text/plain; charset=rot13", "utf-8"),
        ("text/plain; charset=nonsense", "utf-8"),
        ("text/plain", "utf-8"),
    ],
)
def test_the_encoding_is_the_one_that_is_named(client_class: Any, kind: str, charset: str) -> None:
    body = response(body="ä".encode(charset), headers={"content-type": kind})

    async def act(client: Any) -> Any:
        return await done(client.messages.with_raw_response.create(**HELLO))

    assert run(client_class, act, [Send(body)]).text() == "ä"


@pytest.mark.parametrize("client_class", CLASSES)
def test_a_streamed_answer_is_read_once_and_closed(client_class: Any) -> None:
    async def act(client: Any) -> None:
        async with entered(client.messages.with_streaming_response.create(**HELLO)) as answer:
            content = await done(answer.read())
            assert await done(answer.read()) is content
            assert await done(answer.json()) == MESSAGE
            assert b"".join(await everything(answer.iter_bytes())) == content
            message = await done(answer.parse())
            assert message.to_dict() == MESSAGE
            assert await done(answer.parse()) is message
            await done(answer.close())
        async with entered(client.messages.with_streaming_response.create(**HELLO)) as answer:
            assert answer.status_code == 200
        with pytest.raises(Exception, match=r"closed|read"):
            await done(answer.read())

    run(client_class, act, OK, OK)


@pytest.mark.parametrize("client_class", CLASSES)
def test_an_answer_that_is_no_stream_of_events_is_refused(client_class: Any) -> None:
    async def act(client: Any) -> None:
        manager = client.messages.with_streaming_response.create(**HELLO, stream=True)
        async with entered(manager) as answer:
            await done(answer.parse())

    with pytest.raises(APIResponseValidationError, match="event stream"):
        run(client_class, act, OK)


@pytest.mark.parametrize("client_class", OVERLAYS)
def test_pings_come_out_when_asked_for(client_class: Any) -> None:
    body = event("ping", {"type": "ping"}) + event("message_stop", {"type": "message_stop"})
    reply = [Send(response(body=body, headers={"content-type": "text/event-stream"}))]

    async def act(client: Any) -> list[Any]:
        manager = client.messages.with_streaming_response.create(
            **HELLO, stream=True, include_pings=True
        )
        async with entered(manager) as answer:
            return await everything(await done(answer.parse()))

    assert [found.type for found in run(client_class, act, reply)] == ["ping", "message_stop"]


@pytest.mark.parametrize("client_class", OVERLAYS)
def test_the_url_shows_no_secrets(client_class: Any) -> None:
    async def act(client: Any) -> None:
        client = client.with_options(default_query={"api-key": "hush", "region": "eu"})
        answer = await done(client.models.with_raw_response.retrieve("a b"))
        assert answer.url.endswith("/v1/models/a%20b?api-key=[hidden]&region=eu")

    reply = [Send(response(json={"id": "a b", "type": "model"}))]
    run(client_class, act, reply)


def test_nothing_of_it_is_loaded_unless_used() -> None:
    program = (
        "import sys\n"
        "from claude_client import Claude\n"
        "client = Claude(api_key='k')\n"
        "client.messages.batches, client.beta.files\n"
        "for name in ('claude_client.verbs', 'claude_client.explain',\n"
        "             'claude_rest._runtime.raw_callers', 'claude_rest.raw_responses'):\n"
        "    assert name not in sys.modules, name\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
