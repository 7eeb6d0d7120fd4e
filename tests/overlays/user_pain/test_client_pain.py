"""Clients: what they load, share, reuse and let other code see."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import subprocess
import sys
import warnings
from importlib import metadata
from typing import Any

import httpx
import pytest

from claude_client import AsyncClaude, AsyncMiddleware, Middleware
from claude_client.errors import EnvironmentVariableError
from claude_client.testing import AsyncMockTransport, MockTransport
from claude_rest._runtime.strict import StrictDecodingError
from exchanges import ARGUMENTS, answer, message, streamed, text_events
from loopback import LoopbackServer
from twins import Twin, each, entered, settle


def test_row_04_what_patches_httpx_sees_our_requests(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tools such as respx, pytest-httpx and vcrpy replace these two methods."""
    seen: list[str] = []

    def handle(_: Any, request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200, json=message())

    async def handle_async(transport: Any, request: httpx.Request) -> httpx.Response:
        return handle(transport, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handle_async)

    async def body() -> None:
        client = twin.client("http://api.example.test")
        assert (await settle(client.messages.create(**ARGUMENTS))).id == "msg_1"
        assert seen == ["/v1/messages"]
        await settle(client.close())

    twin.run(body)


def _in_a_fresh_interpreter(code: str) -> Any:
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(run.stdout.splitlines()[-1])


def test_row_05_the_import_loads_next_to_nothing() -> None:
    loaded = _in_a_fresh_interpreter(
        "import sys, json; before = set(sys.modules); import claude_client; "
        "claude_client.Claude(api_key='k'); print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    assert not {"httpx", "attrs", "attr", "ssl", "pydantic", "orjson"} & set(loaded)
    assert len([name for name in loaded if name.startswith("claude_rest.models")]) == 0
    assert len(loaded) < 100


def test_row_09_there_is_one_family_of_types(twin: Twin) -> None:
    async def body() -> None:
        with LoopbackServer([answer(message())]) as server:
            client = twin.client(server.url)
            stable = await settle(client.messages.create(**ARGUMENTS))
            beta = await settle(client.beta.messages.create(**ARGUMENTS, betas=["x-1"]))
            assert type(stable) is type(beta)
            assert stable == beta
            await settle(client.close())

    twin.run(body)


def test_row_11_an_answer_goes_back_as_it_came(twin: Twin) -> None:
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln", "new": None},
        {"type": "text", "text": "Hello", "citations": None},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1.5}, "x": [1]},
    ]

    async def body() -> None:
        with LoopbackServer([answer(message(*content))]) as server:
            client = twin.client(server.url)
            reply = await settle(client.messages.create(**ARGUMENTS))
            assert reply.to_param() == {"role": "assistant", "content": content}
            history = [*ARGUMENTS["messages"], reply.to_param()]
            await settle(client.messages.create(**{**ARGUMENTS, "messages": history}))
            assert server.requests[1].json()["messages"][1]["content"] == content
            await settle(client.close())

    twin.run(body)


def test_row_12_encoding_an_answer_warns_about_nothing(twin: Twin) -> None:
    async def body() -> None:
        with LoopbackServer([answer(message({"type": "future_block", "n": 1}))]) as server:
            client = twin.client(server.url)
            reply = await settle(client.messages.create(**ARGUMENTS))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert reply.to_dict() == message({"type": "future_block", "n": 1})
            await settle(client.close())

    twin.run(body)


def test_row_13_the_core_needs_httpx_attrs_and_nothing_compiled() -> None:
    requires = metadata.requires("claude-client") or []
    core = {re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in requires if "extra ==" not in line}
    assert core <= {"httpx", "attrs", "typing-extensions"}


def test_row_16_a_large_history_is_prepared_outside_the_event_loop() -> None:
    """The dicts go to the encoder as they are; what takes time leaves the loop free."""
    import threading

    where: set[int] = set()

    from claude_client.calls import CallCore

    plan = CallCore.plan

    def watched(self: Any, *arguments: Any, **options: Any) -> Any:
        where.add(threading.get_ident())
        return plan(self, *arguments, **options)

    async def body() -> None:
        history = [{"role": "user", "content": [{"type": "text", "text": "x" * 200}]}] * 20_000
        with LoopbackServer([answer(message())]) as server:
            client = AsyncClaude(base_url=server.url, api_key="mock-key")
            await client.messages.create(**{**ARGUMENTS, "messages": history})
            await client.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CallCore, "plan", watched)
        asyncio.run(body())
    assert where
    assert threading.get_ident() not in where


def test_row_18_a_client_that_is_forgotten_does_no_io() -> None:
    assert not hasattr(AsyncClaude, "__del__")
    kept: list[Any] = []

    async def forget() -> None:
        client = AsyncClaude(base_url=server.url, api_key="mock-key")
        await client.messages.create(**ARGUMENTS)
        kept.append(client)

    with LoopbackServer([answer(message())]) as server:
        asyncio.run(forget())
        # Its loop is gone by now. An error in a finalizer would fail this test.
        kept.clear()
        gc.collect()


def test_row_19_one_client_serves_several_event_loops() -> None:
    with LoopbackServer([answer(message())]) as server:
        client = AsyncClaude(base_url=server.url, api_key="mock-key", timeout=5.0)

        async def call() -> None:
            assert (await client.messages.create(**ARGUMENTS)).id == "msg_1"

        for _ in range(3):
            asyncio.run(call())
    assert len(server.requests) == 3


def test_row_25_clients_are_cheap_and_with_options_shares_the_connection(twin: Twin) -> None:
    loaded = _in_a_fresh_interpreter(
        "import sys, json; from claude_client import AsyncClaude, Claude; "
        "[Claude(api_key='k') for _ in range(50)]; AsyncClaude(api_key='k'); "
        "print(json.dumps('ssl' in sys.modules))"
    )
    assert loaded is False

    async def body() -> None:
        with LoopbackServer([answer(message())]) as server:
            client = twin.client(server.url)
            for copy in (client, client.with_options(max_retries=0), client.copy(timeout=9.0)):
                await settle(copy.messages.create(**ARGUMENTS))
            assert server.connections == 1
            await settle(client.close())

    twin.run(body)


def test_row_27_certificate_variables_are_honoured_and_explained(
    twin: Twin, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    empty = tmp_path / "none.pem"
    empty.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(empty))

    async def body() -> None:
        client = twin.client("https://127.0.0.1:9", max_retries=0)
        with pytest.raises(EnvironmentVariableError, match="SSL_CERT_FILE"):
            await settle(client.messages.create(**ARGUMENTS))
        await settle(client.close())

    twin.run(body)


def test_row_34_an_answer_that_breaks_its_schema_is_no_crash(twin: Twin) -> None:
    odd = message(usage={"input_tokens": "many", "output_tokens": None}, stop_reason=7)

    async def body() -> None:
        with LoopbackServer([answer(odd)]) as server:
            client = twin.client(server.url)
            reply = await settle(client.messages.create(**ARGUMENTS))
            assert reply.to_dict() == odd
            with pytest.raises(StrictDecodingError):
                await settle(client.with_options(strict=True).messages.create(**ARGUMENTS))
            await settle(client.close())

    twin.run(body)


def test_row_37_a_mock_comes_with_the_client(twin: Twin) -> None:
    async def body() -> None:
        http_client: Any = (
            httpx.AsyncClient(transport=AsyncMockTransport())
            if twin.asynchronous
            else httpx.Client(transport=MockTransport())
        )
        client = twin.client("http://mock.test", http_client=http_client)
        async with entered(client.messages.stream(**ARGUMENTS)) as stream:
            streamed_text = await settle(stream.get_final_text())
        assert streamed_text
        await settle(http_client.aclose() if twin.asynchronous else http_client.close())

    twin.run(body)


def test_row_38_what_observes_calls_leaves_the_stream_whole(twin: Twin) -> None:
    seen: list[str] = []

    class Observer(Middleware):
        def around_call(self, call: Any, proceed: Any) -> Any:
            seen.append(f"call {call.operation.id}")
            return proceed(call)

        def around_attempt(self, attempt: Any, proceed: Any) -> Any:
            response = proceed(attempt)
            seen.append(f"attempt {attempt.number}: {response.meta.status_code}")
            return response

    class AsyncObserver(AsyncMiddleware):
        async def around_call(self, call: Any, proceed: Any) -> Any:
            seen.append(f"call {call.operation.id}")
            return await proceed(call)

        async def around_attempt(self, attempt: Any, proceed: Any) -> Any:
            response = await proceed(attempt)
            seen.append(f"attempt {attempt.number}: {response.meta.status_code}")
            return response

    async def body() -> None:
        with LoopbackServer([streamed(text_events("Hello"))]) as server:
            observer: Any = AsyncObserver() if twin.asynchronous else Observer()
            client = twin.client(server.url, middleware=[observer])
            async with entered(client.messages.stream(**ARGUMENTS)) as stream:
                async for _ in each(stream.text_stream):
                    pass
                assert (await settle(stream.get_final_message())).content[0].text == "Hello"
            assert seen == ["call messages.create", "attempt 1: 200"]
            await settle(client.close())

    twin.run(body)
