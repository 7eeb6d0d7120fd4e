"""The mock API as an HTTP server, on Starlette and uvicorn."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

from .exchange import MockRequest, MockResponse
from .extras import MissingExtraError
from .mock_api import MockAPI

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import Response, StreamingResponse
    from starlette.routing import Mount
except ImportError as error:
    raise MissingExtraError(error.name or "starlette") from error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
    from types import FrameType

    from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK: Final = "127.0.0.1"

_GRACE_SECONDS: Final = 3
_QUEUED: Final = 2048
_LOOK_SECONDS: Final = 0.1
_OWN_THREAD_BYTES: Final = 128 * 1024
"""Bodies from this size on are handled in a thread, so that they hold nobody else up."""


def application(api: MockAPI, ready: Callable[[], None] | None = None) -> ASGIApp:
    """Return an ASGI application that answers from a mock API; ``ready`` is called at its start."""

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncGenerator[None, None]:
        if ready is not None:
            ready()
        yield

    return Starlette(routes=[Mount("/", app=_Endpoint(api))], lifespan=lifespan)


class _Endpoint:
    """Turns ASGI into ``MockRequest`` and ``MockResponse`` into ASGI."""

    def __init__(self, api: MockAPI) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = scope.get("raw_path", b"").decode("latin-1") or request.url.path
        try:
            body, cut = await _read(request, self._api.body_limit(request.method, path))
        except ClientDisconnect:
            return
        asked = MockRequest(
            request.method,
            path,
            scope["query_string"].decode("latin-1"),
            tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]),
            body,
            cut,
        )
        if len(body) < _OWN_THREAD_BYTES:
            answer = self._api.handle(asked)
        else:
            answer = await run_in_threadpool(self._api.handle, asked)
        await _respond(answer, request.method)(scope, receive, send)


def _respond(answer: MockResponse, method: str) -> Response:
    response: Response
    if isinstance(answer.body, bytes):
        response = Response(b"" if method == "HEAD" else answer.body, answer.status)
    else:
        response = StreamingResponse(_drip(answer.body), answer.status)
    # Set whole: the mock's headers are complete, and Starlette would only add to them.
    response.raw_headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in answer.headers]
    return response


async def _drip(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)


async def _read(request: Request, limit: int) -> tuple[bytes, bool]:
    """Return the body up to the limit, and whether there was more.

    The rest is read and dropped: a client that is cut off while it still sends may never see the
    answer.
    """
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            parts.append(chunk)
    return b"".join(parts), size > limit


class RunningServer:
    """A mock API that accepts connections."""

    def __init__(self, api: MockAPI, url: str) -> None:
        self.api = api
        """What answers."""
        self.url = url
        """Base URL for a client, such as ``http://127.0.0.1:4010``."""


@contextmanager
def serve(
    api: MockAPI | None = None,
    *,
    host: str = LOOPBACK,
    port: int = 0,
    seed: int = 0,
    strict: bool = False,
) -> Generator[RunningServer, None, None]:
    """Run a mock API in a thread for as long as the ``with`` block lasts.

    Args:
        api: What answers; a new ``MockAPI(seed=seed, strict=strict)`` unless given.
        host: Address to bind; only this machine unless told otherwise.
        port: Port to bind; 0 takes a free one.
        seed: See ``MockAPI``.
        strict: See ``MockAPI``.

    Raises:
        OSError: the address cannot be bound.
    """
    api = MockAPI(seed=seed, strict=strict) if api is None else api
    ready = threading.Event()
    with _listen(host, port) as listener:
        server = _server(api, ready.set)
        thread = threading.Thread(
            target=server.run, args=([listener],), name="mock-claude-api", daemon=True
        )
        thread.start()
        while not ready.wait(_LOOK_SECONDS):
            if not thread.is_alive():
                raise RuntimeError("the mock API did not start")
        try:
            yield RunningServer(api, _url(host, listener))
        finally:
            server.should_exit = True
            thread.join()


def run(api: MockAPI, *, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM, then end open connections and return.

    Args:
        api: What answers.
        host: Address to bind.
        port: Port to bind; 0 takes a free one.
        announce: Called with the URL once connections are accepted.

    Raises:
        OSError: the address cannot be bound.
    """
    with _listen(host, port) as listener:
        server = _server(api, lambda: announce(_url(host, listener)))

        def stop(_signal: int, _frame: FrameType | None) -> None:
            server.should_exit = True

        # uvicorn raises the signals it caught again when it is done; they must find a handler
        # that does not end the process.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        server.run(sockets=[listener])


def _server(api: MockAPI, ready: Callable[[], None]) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            application(api, ready),
            access_log=False,
            lifespan="on",
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ws="none",
        )
    )


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket on which connections queue up from now on until the server runs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only on sockets that name the protocol; with it, every
    # second small write waits some 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option lets two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_QUEUED)
    except OSError:
        listener.close()
        raise
    return listener


def _url(host: str, listener: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"
