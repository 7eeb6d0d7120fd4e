"""A mock API per test and a short way to ask it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import MockAPI, MockRequest, MockResponse
from claude_rest.spec import load_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "sk-ant-api03-a-key-that-must-not-show"


class Caller:
    """Asks a mock API with the headers every request needs."""

    def __init__(self, api: MockAPI) -> None:
        self.api = api

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = "",
        headers: Mapping[str, str | None] | None = None,
    ) -> MockResponse:
        """Send one request; a header of None is left out, a body of bytes is sent as it is."""
        lines: dict[str, str | None] = {
            "x-api-key": KEY,
            "anthropic-version": "2026-10-21",
            "content-type": "application/json",
            **(headers or {}),
        }
        sent = tuple((name, value) for name, value in lines.items() if value is not None)
        if not isinstance(body, bytes):
            body = b"" if body is None else json.dumps(body).encode()
        return self.api.handle(MockRequest(method, path, query, sent, body))

    def create(
        self, headers: Mapping[str, str | None] | None = None, /, **body: Any
    ) -> MockResponse:
        """Create a message; what the body does not say is filled in."""
        return self("POST", "/v1/messages", {**minimal(), **body}, headers=headers)


def minimal(text: str = "Hello, Claude") -> dict[str, Any]:
    """Return a body for ``messages.create`` that no example of the spec has."""
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
    }


@pytest.fixture(scope="session")
def bundle() -> dict[str, Any]:
    return load_bundle()


@pytest.fixture
def api() -> MockAPI:
    return MockAPI(clock=lambda: 1_790_000_000.0)


@pytest.fixture
def call(api: MockAPI) -> Caller:
    return Caller(api)


@pytest.fixture
def strict_call() -> Caller:
    return Caller(MockAPI(strict=True))
