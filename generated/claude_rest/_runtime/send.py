"""Sends one prepared request over httpx, exactly once, and hands back the open response.

Nothing is created before the first request: neither the connection pool nor, for ``https``, the
TLS context, which all clients of a process share. A pool belongs to one process and one event
loop; after a fork, or on another loop, a fresh one is made. With its loop a pool is closed.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, Any

from .errors import ClosedClientError
from .exchange import Exchange
from .leftovers import close_cleanly
from .pools import LoopPools, is_prepared, make_async_http_client, make_http_client, prepare
from .responses import (
    AsyncBodyChunks,
    AsyncRawResponse,
    BodyChunks,
    RawResponse,
)
from .unset import UNSET

if TYPE_CHECKING:
    import httpx

    from .request import PreparedRequest
    from .timeouts import Timeout
    from .unset import Unset

__all__ = [
    "AsyncBodyChunks",
    "AsyncRawResponse",
    "AsyncSender",
    "BodyChunks",
    "RawResponse",
    "Sender",
]


def _leads_elsewhere(response: httpx.Response) -> bool:
    if response.status_code // 100 != 3:
        return False
    from .redirects import is_redirect

    return is_redirect(response.status_code, response.headers)


def _refuse_closed(given: Any) -> None:
    # httpx raises a plain RuntimeError; not all that is built like it can tell.
    if getattr(given, "is_closed", False) is True:
        raise ClosedClientError("http_client has been closed")


class Sender:
    """Sends requests over httpx: one request per :meth:`send` and no retry.

    A redirect to the same origin is followed, and none to another.
    """

    __slots__ = ("_closed", "_given", "_library", "_lock", "_pid", "_pools")

    def __init__(self, http_client: httpx.Client | None = None, *, library: str = "httpx") -> None:
        """Use ``http_client``, which stays the caller's to close, or pools made when needed.

        Anything built like ``httpx.Client`` will do, a client of httpx2 for example. ``library``
        is what the pools are made with: httpx or httpx2.
        """
        if hasattr(http_client, "aclose"):
            raise TypeError("http_client is an asynchronous client; use the asynchronous class")
        self._given = http_client
        self._library = library
        # Pools by scheme: an http pool needs no certificate authorities.
        self._pools: dict[str, httpx.Client] = {}
        self._pid = os.getpid()
        self._closed = False
        self._lock = Lock()

    def send(
        self,
        prepared: PreparedRequest,
        *,
        timeout: float | Timeout | httpx.Timeout | Unset | None = UNSET,
        attempt: int = 1,
        deadline: float | None = None,
    ) -> RawResponse:
        """Send ``prepared`` and return the response once its headers are here, whatever its status.

        ``timeout`` is in seconds for each phase, ``None`` waits forever, ``UNSET`` takes that of
        the given client, else 5 s to connect and 600 s for the rest. A given client that has the
        timeout of httpx itself, 5 s for everything, counts as one without. ``attempt`` counts
        from 1.

        ``deadline`` is when all must be over, reading the body included, by ``time.monotonic()``;
        without it the deadline of ``timeout`` counts from now. Looking up the address of a host
        cannot be cut short here, and with a given client a server that sends its answer byte by
        byte can stretch the headers past it, or one piece of the body.

        Raises :class:`APIConnectionError`, :class:`APITimeoutError`, :class:`BaseURLError`,
        :class:`ClosedClientError`, :class:`EnvironmentVariableError`, :class:`RedirectError`, and
        :class:`UploadError` for a file that cannot be read.
        """
        client = self._client(prepared.url)
        exchange = Exchange(
            prepared, attempt, given=self._given, timeout=timeout, deadline=deadline
        )
        url = prepared.url
        followed = 0
        while True:
            content = prepared.content
            try:
                request = client.build_request(
                    prepared.method,
                    url,
                    headers=prepared.headers,
                    content=content
                    if content is None or isinstance(content, bytes)
                    else content.chunks(),
                    extensions={"timeout": exchange.timeouts, "trace": exchange.progress.note},
                )
                response = client.send(request, stream=True, follow_redirects=False)
                # The body needs no watching.
                request.extensions.pop("trace", None)
            except Exception as error:
                translated = exchange.translate(error, "headers")
                if translated is None:
                    if type(error) is RuntimeError and self._closed:
                        # By another thread, just now.
                        raise ClosedClientError("the client has been closed") from error
                    raise
                raise translated from translated.__cause__
            if self._given is not None:
                close_cleanly(response)
            if not _leads_elsewhere(response):
                exchange.await_body()
                return RawResponse(response, exchange)
            with RawResponse(response, exchange) as raw:
                raw.iter_bytes().finish()
            exchange.await_headers()
            from .redirects import redirected_url

            url = redirected_url(prepared, url, raw.meta, followed=followed)
            followed += 1

    def _client(self, url: str) -> httpx.Client:
        if self._closed:
            raise ClosedClientError("the client has been closed")
        if self._given is not None:
            _refuse_closed(self._given)
            return self._given
        if self._pid != os.getpid():
            # Sockets inherited through a fork belong to the parent: not used, and not closed in
            # a way that the server would notice.
            self._pools = {}
            self._lock = Lock()
            self._pid = os.getpid()
        scheme = url.partition(":")[0]
        client = self._pools.get(scheme)
        if client is None:
            with self._lock:
                if self._closed:
                    # By another thread, just now: it would close no pool made after it.
                    raise ClosedClientError("the client has been closed")
                client = self._pools.get(scheme)
                if client is None:
                    client = self._pools[scheme] = make_http_client(url, self._library)
        return client

    def close(self) -> None:
        """Close the pools made here. Safe to call more than once; sending raises afterwards."""
        self._closed = True
        if self._pid != os.getpid():
            return
        with self._lock:
            pools, self._pools = self._pools, {}
        for client in pools.values():
            client.close()


class AsyncSender:
    """Asynchronous twin of :class:`Sender`; makes pools of its own for each event loop.

    A pool is closed when its loop ends, by what closes asynchronous generators then:
    ``asyncio.run`` and its like, but not a bare ``loop.close()``.
    """

    __slots__ = ("_given", "_library", "_pools")

    def __init__(
        self, http_client: httpx.AsyncClient | None = None, *, library: str = "httpx"
    ) -> None:
        """Use ``http_client``, which stays the caller's to close, or pools made when needed."""
        if http_client is not None and not hasattr(http_client, "aclose"):
            raise TypeError("http_client is a synchronous client; use the synchronous class")
        self._given = http_client
        self._library = library
        self._pools = LoopPools(lambda url: make_async_http_client(url, library))

    async def send(
        self,
        prepared: PreparedRequest,
        *,
        timeout: float | Timeout | httpx.Timeout | Unset | None = UNSET,
        attempt: int = 1,
        deadline: float | None = None,
    ) -> AsyncRawResponse:
        """Send ``prepared``; see :meth:`Sender.send`. The deadline holds for everything here."""
        from .cancellation import close_whole, send_cancellably, send_in_time

        if self._pools.is_closed:
            raise ClosedClientError("the client has been closed")
        pool = None
        if self._given is not None:
            _refuse_closed(self._given)
        else:
            pool = self._pools.known(prepared.url)
            if pool is None:
                if not is_prepared(prepared.url, self._library):
                    # Certificate authorities take tens of milliseconds to read, the first time.
                    url = prepared.url
                    from .threads import off_loop

                    await off_loop(lambda: prepare(url, self._library))
                pool = self._pools.of(prepared.url)
        client: Any = self._given if pool is None else pool.client
        exchange = Exchange(
            prepared, attempt, given=self._given, timeout=timeout, deadline=deadline
        )
        # Nobody else may refer to it: it would be closed in the middle of the answer.
        exchange.keeps = pool
        url = prepared.url
        followed = 0
        while True:
            content = prepared.content
            try:
                request = client.build_request(
                    prepared.method,
                    url,
                    headers=prepared.headers,
                    content=content
                    if content is None or isinstance(content, bytes)
                    else content.async_chunks(),
                    extensions={"timeout": exchange.timeouts},
                )
                if pool is None:
                    response = await send_cancellably(client, request, exchange)
                else:
                    response = await send_in_time(client, request, exchange)
            except Exception as error:
                translated = exchange.translate(error, "headers")
                if translated is None:
                    raise
                raise translated from translated.__cause__
            if pool is None:
                close_whole(response)
            if not _leads_elsewhere(response):
                exchange.await_body()
                return AsyncRawResponse(response, exchange)
            async with AsyncRawResponse(response, exchange) as raw:
                await raw.iter_bytes().finish()
            from .redirects import redirected_url

            url = redirected_url(prepared, url, raw.meta, followed=followed)
            followed += 1

    async def close(self) -> None:
        """Close the pools of the running loop; sending raises afterwards.

        Those of other loops that still run are closed there, a moment later.
        """
        await self._pools.close()
