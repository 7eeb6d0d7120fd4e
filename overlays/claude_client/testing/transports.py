"""The mock API behind an httpx client, without a socket.

Usable wherever an httpx client is: ``httpx.Client(transport=MockTransport())``. Whatever the base
URL is, nothing leaves the process. Faults on the way raise what they raise on a real connection,
after the time they take there.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
import httpx

from .exchange import MockRequest, MockResponse
from .mock_api import MockAPI
from .wire import End, Garbage, Head, Piece, Step, Wait, steps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class MockTransport(httpx.BaseTransport):
    """Answers the requests of a sync httpx client from a mock API."""

    def __init__(self, api: MockAPI | None = None) -> None:
        """Use ``api``, or a new mock API with its defaults."""
        self.api = MockAPI() if api is None else api

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request (httpx transport interface).

        Raises:
            httpx.TransportError: what the fault of the answer raises on a connection.
        """
        answer = self.api.handle(_to_mock(request, request.read()))
        if answer.fault is None or not answer.fault.on_the_wire:
            if isinstance(answer.body, bytes):
                return _whole(answer, answer.body)
            return _streamed(answer, _Stream(answer.body))
        course = _Course(request, answer)
        for step in course:
            if step is Head.NOW:
                break
            if isinstance(step, Wait):
                _sleep(course, step)
        return _streamed(answer, _FaultyStream(course))


class AsyncMockTransport(httpx.AsyncBaseTransport):
    """Answers the requests of an async httpx client from a mock API."""

    def __init__(self, api: MockAPI | None = None) -> None:
        """Use ``api``, or a new mock API with its defaults."""
        self.api = MockAPI() if api is None else api

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request (httpx transport interface).

        Raises:
            httpx.TransportError: what the fault of the answer raises on a connection.
        """
        answer = self.api.handle(_to_mock(request, await request.aread()))
        if answer.fault is None or not answer.fault.on_the_wire:
            if isinstance(answer.body, bytes):
                return _whole(answer, answer.body)
            return _streamed(answer, _AsyncStream(answer.body))
        course = _Course(request, answer)
        for step in course:
            if step is Head.NOW:
                break
            if isinstance(step, Wait):
                await _async_sleep(course, step)
        return _streamed(answer, _AsyncFaultyStream(course))


class _Course:
    """The steps of an answer up to the one that ends it; an end that is a fault raises.

    Sync and async callers share it: they only differ in how they wait.
    """

    def __init__(self, request: httpx.Request, answer: MockResponse) -> None:
        self._request = request
        self._answer = answer
        self._steps = steps(answer)
        self._begun = False
        self._received = 0

    def __iter__(self) -> Iterator[Step]:
        return self

    def __next__(self) -> Step:
        """Return the next step to take.

        Raises:
            StopIteration: the answer is complete.
            httpx.TransportError: the connection has come to an end of another kind.
        """
        step = next(self._steps)
        if step is End.COMPLETE:
            raise StopIteration
        if step is End.RESET:
            raise httpx.ReadError("[Errno 104] Connection reset by peer", request=self._request)
        if step is End.CLOSED:
            raise httpx.RemoteProtocolError(self._closed(), request=self._request)
        if isinstance(step, Garbage):
            said = f"illegal status line: {bytearray(step.data.splitlines()[0])!r}"
            raise httpx.RemoteProtocolError(said, request=self._request)
        if step is Head.NOW:
            self._begun = True
        elif isinstance(step, Piece):
            self._received += len(step.data)
        return step

    def patience(self, step: Wait) -> tuple[float | None, bool]:
        """Return how many seconds to sleep for a step, and whether the client gives up then."""
        # Looked up each time, since a client may change it between the headers and the body.
        timeouts: dict[str, Any] = self._request.extensions.get("timeout", {})
        limit: float | None = timeouts.get("read")
        if limit is None or (step.seconds is not None and step.seconds < limit):
            return step.seconds, False
        return float(limit), True

    def give_up(self) -> NoReturn:
        """Raise what httpx raises when nothing comes."""
        raise httpx.ReadTimeout("timed out", request=self._request)

    def _closed(self) -> str:
        if not self._begun:
            return "Server disconnected without sending a response."
        told = "peer closed connection without sending complete message body "
        length = self._answer.header("content-length")
        if length is None:
            return f"{told}(incomplete chunked read)"
        return f"{told}(received {self._received} bytes, expected {length})"


def _sleep(course: _Course, step: Wait) -> None:
    seconds, gives_up = course.patience(step)
    while seconds is None:
        time.sleep(_FOREVER)
    time.sleep(seconds)
    if gives_up:
        course.give_up()


async def _async_sleep(course: _Course, step: Wait) -> None:
    seconds, gives_up = course.patience(step)
    if seconds is None:
        await anyio.sleep_forever()
    else:
        await anyio.sleep(seconds)
    if gives_up:
        course.give_up()


_FOREVER = 3600.0


def _to_mock(request: httpx.Request, body: bytes) -> MockRequest:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
    )
    return MockRequest(request.method, path, query, headers, body)


def _whole(answer: MockResponse, body: bytes) -> httpx.Response:
    return httpx.Response(answer.status, headers=list(answer.headers), content=body)


def _streamed(
    answer: MockResponse, stream: httpx.SyncByteStream | httpx.AsyncByteStream
) -> httpx.Response:
    return httpx.Response(answer.status, headers=list(answer.headers), stream=stream)


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


class _FaultyStream(httpx.SyncByteStream):
    def __init__(self, course: _Course) -> None:
        self._course = course

    def __iter__(self) -> Iterator[bytes]:
        for step in self._course:
            if isinstance(step, Piece):
                yield step.data
            elif isinstance(step, Wait):
                _sleep(self._course, step)


class _AsyncFaultyStream(httpx.AsyncByteStream):
    def __init__(self, course: _Course) -> None:
        self._course = course

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._course:
            if isinstance(step, Piece):
                yield step.data
            elif isinstance(step, Wait):
                await _async_sleep(self._course, step)
