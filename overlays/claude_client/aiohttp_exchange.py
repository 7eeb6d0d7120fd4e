"""One request over aiohttp: the sessions, the sending, and the answer that is read from it.

Importing this loads aiohttp.
"""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import aiohttp
from anyio import CancelScope, current_time
from yarl import URL

from claude_rest._runtime.errors import (
    ClaudeError,
    ClosedClientError,
    EnvironmentVariableError,
)
from claude_rest._runtime.exchange import DeadlinePassedError, Exchange, Progress
from claude_rest._runtime.places import LoopPlaces
from claude_rest._runtime.pools import (
    MAX_KEEPALIVE_CONNECTIONS,
    LoopPools,
    is_prepared,
    keepalive_options,
    max_connections,
    prepare,
)
from claude_rest._runtime.proxies import proxy_for, proxy_patterns
from claude_rest._runtime.redirects import is_redirect, redirected_url
from claude_rest._runtime.shards import KEEPALIVE_SECONDS
from claude_rest._runtime.threads import off_loop, running_loop
from claude_rest._runtime.timeouts import Timeout
from claude_rest._runtime.tls import tls_context
from claude_rest._runtime.unset import UNSET

from .aiohttp_response import AiohttpResponse, translated
from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from claude_rest._runtime.request import PreparedRequest

# What aiohttp would add of its own accord; the request says all that is to be sent.
_AUTOMATIC = frozenset({"user-agent", "content-type", "accept"})
_ENCODINGS = ("accept-encoding", "gzip, deflate")
# More than this is sent in pieces, so that it shows when none gets through.
_PIECE_BYTES = 64 * 1024
_MAX_HEADER_BYTES = 64 * 1024


class _Attempt:
    """What a request of our own session tells about itself."""

    __slots__ = ("progress", "transport")

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.transport: Any = None

    def abort(self) -> None:
        """Give up the connection, with what is still to be sent; closing would wait for that."""
        if self.transport is not None:
            self.transport.abort()


_attempt: ContextVar[_Attempt | None] = ContextVar("attempt", default=None)


class _StaleError(Exception):
    """A connection from the pool had come to its end, and nothing was sent on it."""


class _Request(aiohttp.ClientRequest):
    """Notes how far it has come, and goes on no connection that has brought bytes by itself."""

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        protocol = conn.protocol
        is_readable = getattr(protocol, "_is_readable", None)
        if is_readable is None:
            protocol._is_readable = _readability(conn.transport)
        elif protocol.should_close or is_readable():
            # The end of the connection may have come, and not been looked at by the loop yet. Or
            # bytes beyond the last answer, which would be taken for the next one.
            # Closing would say goodbye by TLS first, and wait.
            conn.transport.abort()
            raise _StaleError
        attempt = _attempt.get()
        if attempt is not None:
            attempt.progress.phase = "headers"
            attempt.transport = conn.transport
        return await super().send(conn)


class _Connector(aiohttp.TCPConnector):
    """Ends a connection that is not used again at once.

    Closing it would say goodbye by TLS first, and wait for an answer: longer than the event loop
    lasts perhaps, and then the socket would be left open.
    """

    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        if (should_close or protocol.should_close or self.closed) and protocol.transport:
            protocol.transport.abort()
        super()._release(key, protocol, should_close=should_close)


def _readability(transport: Any) -> Callable[[], bool]:
    """Return what tells whether there is anything to be read from a connection."""
    connected = transport.get_extra_info("socket")
    if connected is None:
        return bool
    descriptor = connected.fileno()
    if not hasattr(select, "poll"):
        return lambda: bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return lambda: bool(poll.poll(0))


class _Session:
    """A session of our own, with the places for its requests."""

    __slots__ = ("_patterns", "_proxies", "places", "session")

    def __init__(self, url: str) -> None:
        self._patterns = proxy_patterns()
        self._proxies: dict[str, str | None] = {}
        self.places = LoopPlaces(max_connections())
        options = keepalive_options()

        def connection_socket(address: Any) -> socket.socket:
            family, kind, protocol, _, _ = address
            made = socket.socket(family, kind, protocol)
            for option in options:
                made.setsockopt(*option)
            return made

        self.session = aiohttp.ClientSession(
            connector=_Connector(
                ssl=tls_context(secure=not url.startswith("http://")),
                limit=0,
                keepalive_timeout=KEEPALIVE_SECONDS,
                socket_factory=connection_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            request_class=_Request,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
        )
        # It would send a request again by itself, which is for the retry policy to decide.
        self.session._retry_connection = False

    @property
    def is_closed(self) -> bool:
        return self.session.closed

    def proxy(self, url: str) -> str | None:
        """Return the proxy for a URL."""
        if not self._patterns:
            return None
        origin = url[: url.find("/", 8)] if url.find("/", 8) > 0 else url
        if origin not in self._proxies:
            proxy = proxy_for(origin, self._patterns)
            if proxy is not None and proxy.startswith("socks"):
                scheme = origin.partition(":")[0].upper()
                raise EnvironmentVariableError(
                    f"{scheme}_PROXY or ALL_PROXY", "names a SOCKS proxy, which aiohttp cannot use"
                )
            self._proxies[origin] = proxy
        return self._proxies[origin]

    async def aclose(self) -> None:
        await self.session.close()


class AiohttpSender:
    """Sends requests over aiohttp: one request per :meth:`send` and no retry."""

    __slots__ = ("_given", "_pools", "_timeouts")

    def __init__(self, session: aiohttp.ClientSession | None = None) -> None:
        """Use ``session``, which stays the caller's to close, or sessions made when needed."""
        self._given = session
        self._pools = LoopPools(_Session)
        self._timeouts: dict[tuple[float | None, ...], aiohttp.ClientTimeout] = {}

    async def send(
        self,
        prepared: PreparedRequest,
        *,
        timeout: Any = UNSET,  # noqa: ASYNC109
        attempt: int = 1,
        deadline: float | None = None,
    ) -> AiohttpResponse:
        """Send ``prepared`` and return the response once its headers are here.

        Raises :class:`APIConnectionError`, :class:`APITimeoutError`, :class:`BaseURLError`,
        :class:`ClosedClientError`, :class:`EnvironmentVariableError`, :class:`RedirectError`, and
        :class:`UploadError` for a file that cannot be read.
        """
        if self._pools.is_closed:
            raise ClosedClientError("the client has been closed")
        pool: Any = None
        ours: _Session | None = None
        given = self._given
        if given is not None:
            if given.closed:
                raise ClosedClientError("http_client has been closed")
            if timeout is UNSET:
                timeout = _limits_of(given)
        else:
            pool = self._pools.known(prepared.url)
            if pool is None:
                if running_loop() is None:
                    raise ConfigurationError(
                        'aiohttp runs on asyncio alone; with trio, use transport="httpx"'
                    )
                if not is_prepared(prepared.url, "aiohttp"):
                    url = prepared.url
                    await off_loop(lambda: prepare(url, "aiohttp"))
                pool = self._pools.of(prepared.url)
            ours = pool.client
        exchange = Exchange(prepared, attempt, given=None, timeout=timeout, deadline=deadline)
        # Nobody else may refer to it: it would be closed in the middle of the answer.
        exchange.keeps = pool
        url = prepared.url
        followed = 0
        while True:
            raw = await self._send(prepared, url, exchange, ours)
            if raw.meta.status_code // 100 != 3 or not is_redirect(
                raw.meta.status_code, raw.meta.headers
            ):
                return raw
            async with raw:
                await raw.iter_bytes().finish()
            url = redirected_url(prepared, url, raw.meta, followed=followed)
            followed += 1

    async def _send(
        self, prepared: PreparedRequest, url: str, exchange: Exchange, ours: _Session | None
    ) -> AiohttpResponse:
        progress = exchange.progress
        # Of a session of the caller all that is known is where it failed.
        progress.phase = "pool" if ours is not None else "headers"
        upload: _Upload | None = None
        attempt = _Attempt(progress)
        entered = False
        try:
            left = exchange.left()
            if ours is not None:
                if not ours.places.enter():
                    await ours.places.wait(_least(exchange.limits.pool, left))
                entered = True
                progress.phase = "connect"
                progress.sending_failed = False
            content = prepared.content
            headers = prepared.headers
            data: Any = content
            scope: CancelScope | None = None
            if content is not None and (
                not isinstance(content, bytes) or len(content) > _PIECE_BYTES
            ):
                scope = CancelScope()
                upload = data = _Upload(content, exchange, scope)
                if prepared.header("content-length") is None:
                    headers = [*headers, ("content-length", str(len(content)))]
            names = dict(headers).keys()
            if "accept-encoding" not in names:
                headers = [*headers, _ENCODINGS]
            # Those that are there aiohttp leaves alone, and being told costs it something.
            missing = _AUTOMATIC - names
            session = self._given if ours is None else ours.session
            assert session is not None
            proxy = None if ours is None else ours.proxy(url)
            arguments: dict[str, Any] = {
                "data": data,
                "headers": headers,
                "timeout": self._timeout(exchange.limits, ours),
                "allow_redirects": False,
            }
            if proxy is not None:
                arguments["proxy"] = proxy
            if ours is None:
                arguments["raise_for_status"] = False
            if missing:
                arguments["skip_auto_headers"] = missing
            _attempt.set(attempt)
            target = URL(url, encoded=True) if url.isascii() else URL(url)
            if left is None and scope is None:
                response = await _request(session, prepared.method, target, arguments)
            else:
                response = await _request_in_time(
                    session, prepared.method, target, arguments, exchange, scope, upload
                )
            exchange_response = AiohttpResponse(
                response, exchange, None if ours is None else ours.places
            )
        except BaseException as error:
            if entered and ours is not None:
                ours.places.leave()
            attempt.abort()
            if not isinstance(error, Exception):
                raise
            if upload is not None and upload.failure is not None:
                raise upload.failure from None
            session = self._given if ours is None else ours.session
            if type(error) is RuntimeError and session is not None and session.closed:
                # While this waited for a place, or for the address of the host.
                raise ClosedClientError("the client has been closed") from error
            raise translated(error, exchange, progress.phase) from error
        exchange_response.await_body()
        return exchange_response

    def _timeout(self, limits: Timeout, ours: _Session | None) -> aiohttp.ClientTimeout:
        # One object for all calls that have the same limits.
        key = (limits.connect, limits.pool, limits.first_byte, None if ours is None else 1.0)
        made = self._timeouts.get(key)
        if made is None:
            connect, socket_connect = limits.connect, None
            if ours is None:
                # To aiohttp waiting for a free connection is a part of connecting.
                socket_connect = connect
                both = (limits.connect, limits.pool)
                connect = None if None in both else sum(each or 0.0 for each in both)
            made = aiohttp.ClientTimeout(
                total=None,
                connect=connect,
                sock_connect=socket_connect,
                sock_read=limits.first_byte,
            )
            if len(self._timeouts) > 100:
                self._timeouts.clear()
            self._timeouts[key] = made
        return made

    async def close(self) -> None:
        """Close the sessions of the running loop; sending raises afterwards."""
        await self._pools.close()


async def _request(
    session: aiohttp.ClientSession, method: str, url: URL, arguments: dict[str, Any]
) -> aiohttp.ClientResponse:
    try:
        return await session._request(method, url, **arguments)
    except _StaleError:
        pass
    # As many times as there may be connections that have come to their end.
    for _ in range(MAX_KEEPALIVE_CONNECTIONS):
        with suppress(_StaleError):
            return await session._request(method, url, **arguments)
    return await session._request(method, url, **arguments)


async def _request_in_time(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    arguments: dict[str, Any],
    exchange: Exchange,
    scope: CancelScope | None,
    upload: _Upload | None,
) -> aiohttp.ClientResponse:
    """Send; stop at the deadline, or when no piece of the body gets through any more."""
    scope = scope or CancelScope()
    left = exchange.left()
    if left is not None:
        scope.deadline = current_time() + left
    with scope:
        return await _request(session, method, url, arguments)
    if upload is not None and upload.failure is not None:
        raise upload.failure
    raise DeadlinePassedError(exchange.progress.phase)


class _Upload:
    """A body that goes out in pieces; each may take so long, and no longer."""

    def __init__(self, content: Any, exchange: Exchange, scope: CancelScope) -> None:
        self._content = content
        self._exchange = exchange
        self._scope = scope
        self.failure: BaseException | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        import asyncio

        progress, limit = self._exchange.progress, self._exchange.limits.write
        loop = asyncio.get_running_loop()
        progress.phase = "send"
        progress.sending_failed = True
        content = self._content
        pieces = _slices(content) if isinstance(content, bytes) else content.async_chunks()
        try:
            async for piece in pieces:
                timer = None if limit is None else loop.call_later(limit, self._time_out)
                try:
                    yield piece
                finally:
                    if timer is not None:
                        timer.cancel()
        except ClaudeError as error:
            # A file could not be read. aiohttp would wrap it up.
            self.failure = error
            self._scope.cancel()
            raise
        progress.sending_failed = False
        progress.phase = "headers"

    def _time_out(self) -> None:
        self.failure = translated(DeadlinePassedError("send"), self._exchange, "send")
        self._scope.cancel()


async def _slices(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _PIECE_BYTES):
        yield content[start : start + _PIECE_BYTES]


def _limits_of(session: aiohttp.ClientSession) -> Timeout:
    """Return the limits that a session was given; those of aiohttp itself count as none."""
    given = session.timeout
    if given == aiohttp.ClientTimeout(total=300, sock_connect=30) or given == aiohttp.ClientTimeout(
        total=300
    ):
        return Timeout()
    connect = given.sock_connect if given.sock_connect is not None else given.connect
    return Timeout(
        None,
        connect=connect or None,
        read=given.sock_read or None,
        deadline=given.total or None,
    )


def _least(limit: float | None, left: float | None) -> float | None:
    if limit is None or left is None:
        return limit if left is None else left
    return min(limit, left)
