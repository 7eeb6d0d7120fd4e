"""How a transport is chosen: by argument, by the environment, by a client of the caller."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import pytest

from claude_client import AsyncClaude, Claude, ConfigurationError, MissingTransportError
from claude_client.aiohttp_transport import AiohttpTransport
from claude_client.transports import AsyncHTTPXTransport, HTTPXTransport
from claude_rest._runtime.proxies import proxy_for


def chosen(client: Any) -> Any:
    return client._caller.transport


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLAUDE_CLIENT_TRANSPORT", raising=False)


def test_the_default_is_httpx_whatever_is_installed() -> None:
    assert chosen(Claude(api_key="k"))._library == "httpx"
    assert isinstance(chosen(AsyncClaude(api_key="k")), AsyncHTTPXTransport)
    assert chosen(AsyncClaude(api_key="k"))._library == "httpx"


def test_by_name_and_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("httpx2")
    pytest.importorskip("aiohttp")
    assert chosen(Claude(api_key="k", transport="httpx2"))._library == "httpx2"
    assert isinstance(chosen(AsyncClaude(api_key="k", transport="aiohttp")), AiohttpTransport)
    monkeypatch.setenv("CLAUDE_CLIENT_TRANSPORT", "httpx2")
    assert chosen(Claude(api_key="k"))._library == "httpx2"
    assert chosen(AsyncClaude(api_key="k", transport="httpx"))._library == "httpx"
    monkeypatch.setenv("CLAUDE_CLIENT_TRANSPORT", "aiohttp")
    assert isinstance(chosen(AsyncClaude(api_key="k")), AiohttpTransport)
    # It has no synchronous side.
    assert isinstance(chosen(Claude(api_key="k")), HTTPXTransport)


def test_a_name_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong: Any = "requests"
    with pytest.raises(ConfigurationError, match="httpx, httpx2, aiohttp"):
        AsyncClaude(api_key="k", transport=wrong)
    wrong = "aiohttp"
    with pytest.raises(ConfigurationError, match="AsyncClaude"):
        Claude(api_key="k", transport=wrong)
    monkeypatch.setenv("CLAUDE_CLIENT_TRANSPORT", "requests")
    with pytest.raises(ConfigurationError, match="CLAUDE_CLIENT_TRANSPORT"):
        Claude(api_key="k")


@pytest.mark.parametrize("name", ["httpx2", "aiohttp"])
def test_a_package_that_is_missing(name: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingTransportError, match=rf"claude-client\[{name}\]") as caught:
        AsyncClaude(api_key="k", transport=name)
    assert caught.value.extra == name
    assert isinstance(caught.value, ConfigurationError)
    assert isinstance(caught.value, ImportError)


def test_a_transport_beside_a_client() -> None:
    import httpx

    with httpx.Client() as given, pytest.raises(TypeError, match="not both"):
        Claude(api_key="k", http_client=given, transport="httpx")


def test_choosing_loads_nothing() -> None:
    before = set(sys.modules)
    AsyncClaude(api_key="k", transport="httpx2")
    AsyncClaude(api_key="k", transport="aiohttp")
    added = {name.partition(".")[0] for name in set(sys.modules) - before}
    assert not {"aiohttp", "httpx2", "httpcore2", "yarl"} & added


PATTERNS = {
    "http://": "http://a",
    "all://": "http://b",
    "all://*.sub.test": None,
    "all://*plain.test": None,
    "all://127.0.0.1": None,
    "all://[::1]": None,
    "https://ported.test:8443": None,
}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://x.test/v1", "http://a"),
        ("https://x.test", "http://b"),
        ("https://a.sub.test", None),
        ("https://sub.test", "http://b"),
        ("https://plain.test", None),
        ("https://a.plain.test", None),
        ("https://complain.test", "http://b"),
        ("http://127.0.0.1:80", None),
        ("http://[::1]:9", None),
        ("https://ported.test:8443", None),
        ("https://ported.test", "http://b"),
    ],
)
def test_the_proxy_is_the_one_that_httpx_would_take(url: str, proxy: str | None) -> None:
    import httpx
    from httpx._utils import URLPattern

    assert proxy_for(url, PATTERNS) == proxy
    match = next(
        pattern for pattern in sorted(map(URLPattern, PATTERNS)) if pattern.matches(httpx.URL(url))
    )
    assert PATTERNS[match.pattern] == proxy


def test_aiohttp_on_another_loop() -> None:
    """Said so, with what to use instead."""
    pytest.importorskip("aiohttp")
    trio = pytest.importorskip("trio")

    async def body() -> None:
        client = AsyncClaude(api_key="k", base_url="http://127.0.0.1:9", transport="aiohttp")
        with pytest.raises(ConfigurationError, match="with trio, use"):
            await client.messages.create(
                model="claude-opus-5-5", max_tokens=1, messages=[{"role": "user", "content": "Hi"}]
            )
        await client.close()

    trio.run(body)
