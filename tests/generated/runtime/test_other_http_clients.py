"""``http_client=``: anything built like a client of httpx, told by what it does."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from claude_rest import AsyncClient, Client
from claude_rest._runtime.errors import APIConnectionError, APITimeoutError, RedirectError
from claude_rest._runtime.limits import effective_limits
from claude_rest._runtime.timeouts import Timeout
from claude_rest._runtime.unset import UNSET
from loopback import Close, LoopbackServer, Pause, Send, chunked, event, response

CREATE: Any = {"model": "m", "max_tokens": 1, "messages": []}
MESSAGE = {"id": "msg_1", "type": "message"}
EVENTS = [
    event("message_start", {"type": "message_start"}),
    event("message_stop", {"type": "message_stop"}),
]
both = pytest.mark.parametrize("mode", ["sync", "async"])


class _Wrapped:
    """A client of no library we know: the attributes that are used, and no more."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.build_request = inner.build_request
        self.send = inner.send
        if hasattr(inner, "aclose"):
            self.aclose = inner.aclose
        else:
            self.close = inner.close


def libraries() -> list[Any]:
    return [
        pytest.param(lambda **settings: httpx.Client(**settings), id="httpx"),
        pytest.param(lambda **settings: _Wrapped(httpx.Client(**settings)), id="wrapped"),
        pytest.param("httpx2", id="httpx2"),
    ]


def made(library: Any, mode: str, **settings: Any) -> Any:
    name = "Client" if mode == "sync" else "AsyncClient"
    if library == "httpx2":
        return getattr(pytest.importorskip("httpx2"), name)(**settings)
    client = getattr(httpx, name)(**settings)
    return _Wrapped(client) if isinstance(library(), _Wrapped) else client


def perform(mode: str, http_client: Any, url: str, how: str = "call", **options: Any) -> Any:
    async def run() -> Any:
        try:
            async with AsyncClient(base_url=url, http_client=http_client) as client:
                if how == "stream":
                    async with await client.messages.create(
                        **CREATE, **options, stream=True
                    ) as stream:
                        return [item async for item in stream]
                for _ in range(2):
                    result = await client.messages.create(**CREATE, **options)
                return result
        finally:
            await http_client.aclose()

    if mode == "async":
        return asyncio.run(run())
    try:
        with Client(base_url=url, http_client=http_client) as client:
            if how == "stream":
                with client.messages.create(**CREATE, **options, stream=True) as stream:
                    return list(stream)
            for _ in range(2):
                result = client.messages.create(**CREATE, **options)
            return result
    finally:
        http_client.close()


@both
@pytest.mark.parametrize("library", libraries())
def test_answers_and_streams(mode: str, library: Any) -> None:
    with LoopbackServer([[Send(response(json=MESSAGE))]]) as server:
        assert perform(mode, made(library, mode), server.url).id == "msg_1"
        assert server.connections == 1
    with LoopbackServer([[Send(chunked(EVENTS))]]) as server:
        assert len(perform(mode, made(library, mode), server.url, "stream")) == 2
    with (
        LoopbackServer([[Send(chunked(EVENTS[:1], end=False)), Pause(5)]]) as server,
        pytest.raises(APITimeoutError) as caught,
    ):
        perform(mode, made(library, mode), server.url, "stream", timeout=0.05)
    assert (caught.value.limit, caught.value.phase) == ("idle", "body")


@both
@pytest.mark.parametrize("library", libraries())
def test_errors_are_ours(mode: str, library: Any) -> None:
    with LoopbackServer([[Close()]]) as server, pytest.raises(APIConnectionError):
        perform(mode, made(library, mode), server.url)
    redirect = response(307, headers={"location": "http://127.0.0.1:1/x"})
    with LoopbackServer([[Send(redirect)]]) as server, pytest.raises(RedirectError):
        perform(mode, made(library, mode, follow_redirects=True), server.url)
    with LoopbackServer([[Pause(5)]]) as server, pytest.raises(APITimeoutError) as caught:
        perform(mode, made(library, mode), server.url, timeout=Timeout(deadline=0.1))
    assert caught.value.limit == "deadline"


@both
@pytest.mark.parametrize("library", ["httpx2"])
def test_its_own_timeout_holds(mode: str, library: str) -> None:
    with LoopbackServer([[Pause(5)]]) as server, pytest.raises(APITimeoutError) as caught:
        perform(mode, made(library, mode, timeout=0.05), server.url)
    assert (caught.value.limit, caught.value.timeout) == ("first_byte", 0.05)


def test_a_mock_transport_of_httpx2() -> None:
    httpx2 = pytest.importorskip("httpx2")
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=MESSAGE))
    given: Any = httpx2.Client(transport=transport)
    assert perform("sync", given, "http://x.invalid").id == "msg_1"


def limits_like(**values: float | None) -> Any:
    return SimpleNamespace(timeout=SimpleNamespace(**values))


@pytest.mark.parametrize(
    ("given", "timeout", "expected"),
    [
        (None, UNSET, Timeout()),
        (None, 7, Timeout(7)),
        (None, None, Timeout(None)),
        (limits_like(connect=5.0, read=5.0, write=5.0, pool=5.0), UNSET, Timeout()),
        (limits_like(connect=5.0, read=6.0, write=5.0, pool=5.0), UNSET, Timeout(5.0, read=6.0)),
        (limits_like(connect=5.0, read=5.0, write=5.0, pool=5.0), 5.0, Timeout(5.0)),
        (SimpleNamespace(timeout=3), UNSET, Timeout(3)),
        (SimpleNamespace(timeout=None), UNSET, Timeout(None)),
        (SimpleNamespace(), UNSET, Timeout()),
    ],
)
def test_whose_limits_hold(given: Any, timeout: Any, expected: Timeout) -> None:
    assert effective_limits(given, timeout) == expected
