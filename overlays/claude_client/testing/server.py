"""The mock API as an HTTP server, on uvicorn."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from .endpoint import TRANSPORT, Endpoint
from .extras import MissingExtraError
from .mock_api import MockAPI

try:
    import uvicorn
    from uvicorn.protocols.http.auto import AutoHTTPProtocol
except ImportError as error:
    raise MissingExtraError("uvicorn") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

LOOPBACK: Final = "127.0.0.1"

_GRACE_SECONDS: Final = 3
_QUEUED: Final = 2048
_LOOK_SECONDS: Final = 0.1


def _connection(**arguments: Any) -> Any:
    """Return what uvicorn makes for a connection; the application can get at the transport."""
    connection: Any = AutoHTTPProtocol(**arguments)
    connection_made: Callable[[asyncio.Transport], None] = connection.connection_made

    def connected(transport: asyncio.Transport) -> None:
        connection_made(transport)
        # A copy of this becomes the state of each scope.
        connection.app_state = {**connection.app_state, TRANSPORT: transport}

    connection.connection_made = connected
    return connection


class _Server(uvicorn.Server):  # type: ignore[misc]  # a class of Any to mypy
    """A server that ends what would wait forever when it stops."""

    def __init__(self, api: MockAPI, ready: Callable[[], None]) -> None:
        self._stopping = asyncio.Event()
        super().__init__(
            uvicorn.Config(
                Endpoint(api, self._stopping, ready),
                access_log=False,
                http=cast("Any", _connection),
                lifespan="on",
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                ws="none",
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)


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
        server = _Server(api, ready.set)
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
        server = _Server(api, lambda: announce(_url(host, listener)))

        def stop(_signal: int, _frame: FrameType | None) -> None:
            server.should_exit = True

        # uvicorn raises the signals it caught again when it is done; they must find a handler
        # that does not end the process.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        server.run(sockets=[listener])


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
