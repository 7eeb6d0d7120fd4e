"""The mock API behind an httpx client, without a socket.

Usable wherever an httpx client is: ``httpx.Client(transport=MockTransport())``. Whatever the base
URL is, nothing leaves the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from .exchange import MockRequest, MockResponse
from .mock_api import MockAPI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class MockTransport(httpx.BaseTransport):
    """Answers the requests of a sync httpx client from a mock API."""

    def __init__(self, api: MockAPI | None = None) -> None:
        """Use ``api``, or a new mock API with its defaults."""
        self.api = MockAPI() if api is None else api

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request (httpx transport interface)."""
        answer = self.api.handle(_to_mock(request, request.read()))
        if isinstance(answer.body, bytes):
            return _whole(answer, answer.body)
        return httpx.Response(
            answer.status, headers=list(answer.headers), stream=_Stream(answer.body)
        )


class AsyncMockTransport(httpx.AsyncBaseTransport):
    """Answers the requests of an async httpx client from a mock API."""

    def __init__(self, api: MockAPI | None = None) -> None:
        """Use ``api``, or a new mock API with its defaults."""
        self.api = MockAPI() if api is None else api

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request (httpx transport interface)."""
        answer = self.api.handle(_to_mock(request, await request.aread()))
        if isinstance(answer.body, bytes):
            return _whole(answer, answer.body)
        return httpx.Response(
            answer.status, headers=list(answer.headers), stream=_AsyncStream(answer.body)
        )


def _to_mock(request: httpx.Request, body: bytes) -> MockRequest:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
    )
    return MockRequest(request.method, path, query, headers, body)


def _whole(answer: MockResponse, body: bytes) -> httpx.Response:
    return httpx.Response(answer.status, headers=list(answer.headers), content=body)


class _Stream(httpx.SyncByteStream):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks


class _AsyncStream(httpx.AsyncByteStream):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
