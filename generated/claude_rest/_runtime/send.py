"""Sends one prepared request over httpx, exactly once, and hands back the open response.

Nothing is created before the first request: neither the connection pool nor, for ``https``, the
TLS context, which all clients of a process share. A pool belongs to one process and one event
loop; after a fork, or on another loop, a fresh one is made. With its loop a pool is closed.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from .errors import (
    APIResponseValidationError,
    BaseURLError,
    ClaudeError,
    ClosedClientError,
    EnvironmentVariableError,
    connection_error_from,
    failed_phase,
    origin_of,
)
from .meta import Meta, ResponseHeaders
from .timeouts import DEFAULT_CONNECT_TIMEOUT_SECONDS, DEFAULT_TIMEOUT_SECONDS
from .unset import UNSET

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Iterable
    from http.cookiejar import CookieJar
    from types import TracebackType
    from typing import Final

    import httpx
    from typing_extensions import Self

    from .errors import Phase
    from .request import PreparedRequest
    from .timeouts import Timeout
    from .unset import Unset


MAX_CONNECTIONS: Final = 1000
MAX_KEEPALIVE_CONNECTIONS: Final = 100
_KEEPALIVE_IDLE_SECONDS = 60
_KEEPALIVE_INTERVAL_SECONDS = 60
_KEEPALIVE_COUNT = 5
# How long the end of a body may take once all that matters of it is here.
_FINISH_SECONDS = 0.02

_tls_contexts: dict[tuple[str | None, ...], ssl.SSLContext] = {}
_tls_lock = Lock()


def _renew_tls_lock() -> None:
    # A thread that held the lock when the process forked does not exist in the child.
    global _tls_lock  # noqa: PLW0603
    _tls_lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_tls_lock)


def tls_context(*, secure: bool = True) -> ssl.SSLContext:
    """Return the TLS context of this process.

    The first secure one takes tens of milliseconds, most of it for reading the certificate
    authorities (``SSL_CERT_FILE``, ``SSL_CERT_DIR``, else certifi's). One for ``http`` only
    (``secure=False``) trusts none, so it is cheap and cannot make an unverified connection.

    Raises :class:`EnvironmentVariableError` when the variable in use names nothing to load.
    """
    key: tuple[str | None, ...] = ()
    if secure:
        key = ("ca", os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    context = _tls_contexts.get(key)
    if context is None:
        with _tls_lock:
            context = _tls_contexts.get(key)
            if context is None:
                if secure:
                    context = _verifying_context()
                else:
                    import ssl

                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                _tls_contexts[key] = context
    return context


def _verifying_context() -> ssl.SSLContext:
    import httpx

    try:
        return httpx.create_ssl_context()
    except OSError as error:
        # Errors of TLS are among these. The order is that in which httpx looks.
        for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            value = os.environ.get(variable)
            if value:
                raise EnvironmentVariableError(
                    variable, f"names {value!r}, which has no certificates to load: {error}"
                ) from error
        raise


def keepalive_options() -> list[tuple[int, int, int]]:
    """Return the socket options that keep an idle connection alive through NATs and proxies."""
    import socket

    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (
        (
            "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE",
            _KEEPALIVE_IDLE_SECONDS,
        ),
        ("TCP_KEEPINTVL", _KEEPALIVE_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", _KEEPALIVE_COUNT),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            options.append((socket.IPPROTO_TCP, option, value))
    return options


def proxy_patterns() -> dict[str, str | None]:
    """Return the proxies of the environment as httpx mount patterns; ``None`` goes direct.

    httpx reads these itself only when it may choose the transport, and the transport is where
    the socket options are.

    Raises :class:`EnvironmentVariableError` for a value that httpx cannot use.
    """
    from urllib.request import getproxies

    proxies = getproxies()
    patterns: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        url = proxies.get(scheme)
        if url:
            url = url if "://" in url else f"http://{url}"
            _check_proxy(url, _variable_name(f"{scheme}_proxy"))
            patterns[f"{scheme}://"] = url
    if not patterns:
        return {}
    for entry in proxies.get("no", "").split(","):
        host = entry.strip()
        if host == "*":
            return {}
        if not host:
            continue
        version = _ip_version(host)
        if "://" in host:
            pattern = host
        elif version == 6:
            pattern = f"all://[{host}]"
        elif version == 4 or host.lower() == "localhost" or _is_bracketed(host):
            pattern = f"all://{host}"
        else:
            # Without a dot in front, the domain itself and all below it.
            pattern = f"all://*{host}"
        _check_direct(pattern, host)
        patterns[pattern] = None
    return patterns


def _variable_name(name: str) -> str:
    """Return the spelling in which a proxy variable is set; the system may have its own."""
    return next((key for key in (name, name.upper()) if os.environ.get(key)), name.upper())


def _check_proxy(url: str, variable: str) -> None:
    from importlib.util import find_spec

    import httpx

    try:
        proxy = httpx.Proxy(url)
        if not proxy.url.host:
            raise ValueError
    except (ValueError, httpx.InvalidURL):
        # The value may have a password in it, and the error of httpx quotes it.
        raise EnvironmentVariableError(
            variable,
            "names no proxy that can be used; expected a URL such as http://proxy.test:3128",
        ) from None
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise EnvironmentVariableError(
            variable, "names a SOCKS proxy, for which httpx needs the package socksio"
        )


def _check_direct(pattern: str, entry: str) -> None:
    import httpx

    try:
        httpx.URL(pattern)
    except httpx.InvalidURL as error:
        raise EnvironmentVariableError(
            _variable_name("no_proxy"), f"has the entry {entry!r}, which is no host: {error}"
        ) from error


def _is_bracketed(host: str) -> bool:
    return host.startswith("[") and _ip_version(host[1:].partition("]")[0]) == 6


def _ip_version(host: str) -> int | None:
    from ipaddress import ip_address

    try:
        return ip_address(host.partition("/")[0]).version
    except ValueError:
        return None


def default_timeout() -> httpx.Timeout:
    """Return the timeouts used unless told otherwise: 5 s to connect, 600 s for the rest."""
    import httpx

    return httpx.Timeout(DEFAULT_TIMEOUT_SECONDS, connect=DEFAULT_CONNECT_TIMEOUT_SECONDS)


def _effective_timeout(client: Any, given: bool, timeout: Any) -> Any:
    """Return the timeout of a request: its own, else that of a client the caller configured."""
    if timeout is not UNSET:
        return timeout
    import httpx

    # The timeout of a client that was given none. Few answers take less than its 5 seconds.
    if given and client.timeout == httpx.Timeout(5.0):
        return default_timeout()
    return client.timeout


def _no_cookies() -> CookieJar:
    """Return a jar that stays empty: calls are independent, whatever a gateway sets."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _transport_options(url: str) -> dict[str, Any]:
    import httpx

    return {
        "verify": tls_context(secure=not url.startswith("http://")),
        "limits": httpx.Limits(
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_KEEPALIVE_CONNECTIONS,
        ),
        "socket_options": keepalive_options(),
    }


def make_http_client(url: str) -> httpx.Client:
    """Make the httpx client that requests to URLs like ``url`` go through by default."""
    import httpx

    options = _transport_options(url)
    return httpx.Client(
        transport=httpx.HTTPTransport(**options),
        mounts={
            pattern: None if proxy is None else httpx.HTTPTransport(**options, proxy=proxy)
            for pattern, proxy in proxy_patterns().items()
        },
        timeout=default_timeout(),
        cookies=_no_cookies(),
        follow_redirects=False,
    )


def make_async_http_client(url: str) -> httpx.AsyncClient:
    """Make the httpx client that requests to URLs like ``url`` go through by default."""
    import httpx

    options = _transport_options(url)
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(**options),
        mounts={
            pattern: None if proxy is None else httpx.AsyncHTTPTransport(**options, proxy=proxy)
            for pattern, proxy in proxy_patterns().items()
        },
        timeout=default_timeout(),
        cookies=_no_cookies(),
        follow_redirects=False,
    )


# Of httpx, then those of the standard library that slip through it now and then. Not all of
# OSError: a hook of the caller may fail to open a file.
_TRANSPORT_ERRORS = frozenset(
    {"TransportError", "ConnectionError", "SSLError", "TimeoutError", "gaierror"}
)


class _Attempt:
    """Facts about one request on its way, for the errors it may end in."""

    __slots__ = ("number", "operation", "origin", "started", "timeout")

    def __init__(self, prepared: PreparedRequest, number: int, timeout: Any) -> None:
        self.operation = prepared.operation.id
        self.origin = origin_of(prepared.url)
        self.number = number
        self.timeout = timeout
        self.started = perf_counter()

    def translate(
        self, error: Exception, waiting_for: Phase, meta: Meta | None = None
    ) -> ClaudeError | None:
        """Return our error for one of the HTTP library, its cause set, or ``None`` for any other.

        Told by class names, so that clients of libraries built like httpx work too.
        """
        if isinstance(error, ClaudeError):
            # Ours already: a file to send could not be read.
            return None
        kinds = {cls.__name__ for cls in type(error).__mro__}
        if kinds & _TRANSPORT_ERRORS:
            return connection_error_from(
                error,
                operation=self.operation,
                url_origin=self.origin,
                attempt=self.number,
                phase=waiting_for,
                timeout=self._limit(failed_phase(error, waiting_for)),
                elapsed=perf_counter() - self.started,
                request_id=None if meta is None else meta.request_id,
            )
        if "DecodingError" in kinds and meta is not None:
            undecodable = APIResponseValidationError(
                f"the body cannot be decompressed: {error}",
                status_code=meta.status_code,
                headers=meta.headers,
                operation=self.operation,
                attempts=self.number,
            )
            undecodable.__cause__ = error
            return undecodable
        if "InvalidURL" in kinds:
            # Without its cause: httpx quotes a part of the URL, which may be one of a password.
            return BaseURLError("the base URL cannot be used: its host or its port is not valid")
        return None

    def _limit(self, phase: Phase) -> float | None:
        name = {"dns": "connect", "connect": "connect", "tls": "connect", "pool": "pool"}.get(
            phase, "write" if phase == "send" else "read"
        )
        limit = getattr(self.timeout, name, self.timeout)
        return float(limit) if isinstance(limit, (int, float)) else None

    def meta(self, response: Any) -> Meta:
        return Meta(
            status_code=response.status_code,
            headers=ResponseHeaders(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in response.headers.raw
            ),
            attempts=self.number,
            elapsed=perf_counter() - self.started,
            http_version=response.http_version,
        )


def _set_finish_timeout(response: httpx.Response) -> bool:
    """Make reads of the rest of a body short; tell whether reading it can be of use.

    Only with HTTP/1 does a connection depend on it. httpcore looks up the timeouts whenever a
    reader begins, so a second reader has this one.
    """
    timeouts: Any = response.request.extensions.get("timeout")
    if (
        "network_stream" not in response.extensions
        or response.http_version not in ("HTTP/1.0", "HTTP/1.1")
        or timeouts.__class__ is not dict
    ):
        return False
    timeouts["read"] = _FINISH_SECONDS
    return True


class BodyChunks:
    """The body of a response in the pieces it arrives in, decompressed."""

    __slots__ = ("_attempt", "_chunks", "_meta", "_response")

    def __init__(self, response: httpx.Response, attempt: _Attempt, meta: Meta) -> None:
        self._response = response
        self._chunks = response.iter_bytes()
        self._attempt = attempt
        self._meta = meta

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception as error:
            translated = self._attempt.translate(error, "body", self._meta)
            if translated is None:
                raise
            raise translated from translated.__cause__

    def finish(self) -> None:
        """Read on if that ends the body at once, so that its connection can be used again.

        Gives up after 20 milliseconds or at the first further piece; to be called when nothing
        in the rest of the body matters, and before the response is closed. Never raises for it.
        """
        response = self._response
        if not response.is_closed and _set_finish_timeout(response):
            # The first reader must live on: it closes the connection when it goes.
            rest = iter(cast("Iterable[bytes]", response.stream))
            with suppress(Exception):
                next(rest, None)


class AsyncBodyChunks:
    """Asynchronous twin of :class:`BodyChunks`."""

    __slots__ = ("_attempt", "_chunks", "_meta", "_response")

    def __init__(self, response: httpx.Response, attempt: _Attempt, meta: Meta) -> None:
        self._response = response
        self._chunks = response.aiter_bytes()
        self._attempt = attempt
        self._meta = meta

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._chunks.__anext__()
        except StopAsyncIteration:
            raise
        except Exception as error:
            translated = self._attempt.translate(error, "body", self._meta)
            if translated is None:
                raise
            raise translated from translated.__cause__

    async def finish(self) -> None:
        """Read on if that ends the body at once; see :meth:`BodyChunks.finish`."""
        response = self._response
        if not response.is_closed and _set_finish_timeout(response):
            rest = cast("AsyncGenerator[bytes, None]", aiter(cast("Any", response.stream)))
            with suppress(Exception):
                await anext(rest, None)
            with suppress(Exception):
                await rest.aclose()


class RawResponse:
    """An answer whose headers are here and whose body is still to be read.

    Read it with :meth:`read` or :meth:`iter_bytes`, and close it, best as a context manager.
    """

    __slots__ = ("_attempt", "_response", "meta")

    meta: Meta
    """Metadata of the response."""

    def __init__(self, response: httpx.Response, attempt: _Attempt) -> None:
        self._response = response
        self._attempt = attempt
        self.meta = attempt.meta(response)

    @property
    def status_code(self) -> int:
        """HTTP status."""
        return self.meta.status_code

    @property
    def headers(self) -> ResponseHeaders:
        """Headers of the response."""
        return self.meta.headers

    @property
    def request_id(self) -> str | None:
        """Id of the request."""
        return self.meta.request_id

    def read(self) -> bytes:
        """Return the whole body, decompressed, and close the response.

        Raises :class:`APIConnectionError` when the connection breaks and
        :class:`APIResponseValidationError` when the body cannot be decompressed.
        """
        try:
            return self._response.read()
        except Exception as error:
            translated = self._attempt.translate(error, "body", self.meta)
            if translated is None:
                raise
            raise translated from translated.__cause__
        finally:
            self.close()

    def iter_bytes(self) -> BodyChunks:
        """Return the body in the pieces it arrives in, decompressed; raises what ``read`` does."""
        return BodyChunks(self._response, self._attempt, self.meta)

    def close(self) -> None:
        """Close the response. Safe to call more than once."""
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Progress:
    """Where httpcore is with a request, as it tells a ``trace`` extension."""

    __slots__ = ("between_steps",)

    def __init__(self) -> None:
        self.between_steps = False

    async def __call__(self, event: str, _info: object) -> None:
        self.between_steps = event.endswith(".complete")


async def _send_cancellably(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send; when the task is cancelled, stop only where httpcore can clean up.

    Cancelled between connecting and sending, it would keep a connection that no request uses or
    ever will, and so one place less in the pool. Nothing is waited for between its steps.
    """
    if _running_loop() is None:
        return await client.send(request, stream=True, follow_redirects=False)
    import asyncio

    progress = _Progress()
    request.extensions["trace"] = progress
    sending = asyncio.ensure_future(client.send(request, stream=True, follow_redirects=False))

    async def abandon() -> None:
        while progress.between_steps and not sending.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
        sending.cancel()
        with suppress(Exception, asyncio.CancelledError):
            response = await sending
            await response.aclose()

    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        await asyncio.shield(asyncio.ensure_future(abandon()))
        raise
    finally:
        # The body needs no watching.
        request.extensions.pop("trace", None)


def _close_uninterrupted(response: httpx.Response) -> None:
    """Make the closing of a response go on when the call that waits for it is cancelled.

    httpcore gives the place in its pool back in several steps. A task cancelled between them
    would take the place with it for good. Other libraries than asyncio shield it already.
    """
    if _running_loop() is None:
        return
    import asyncio

    body: Any = response.stream
    aclose = body.aclose

    async def close_whole() -> None:
        await asyncio.shield(asyncio.ensure_future(aclose()))

    body.aclose = close_whole


class AsyncRawResponse:
    """Asynchronous twin of :class:`RawResponse`."""

    __slots__ = ("_attempt", "_response", "meta")

    meta: Meta
    """Metadata of the response."""

    def __init__(self, response: httpx.Response, attempt: _Attempt) -> None:
        self._response = response
        self._attempt = attempt
        self.meta = attempt.meta(response)

    @property
    def status_code(self) -> int:
        """HTTP status."""
        return self.meta.status_code

    @property
    def headers(self) -> ResponseHeaders:
        """Headers of the response."""
        return self.meta.headers

    @property
    def request_id(self) -> str | None:
        """Id of the request."""
        return self.meta.request_id

    async def read(self) -> bytes:
        """Return the whole body, decompressed, and close the response.

        Raises :class:`APIConnectionError` when the connection breaks and
        :class:`APIResponseValidationError` when the body cannot be decompressed.
        """
        try:
            return await self._response.aread()
        except Exception as error:
            translated = self._attempt.translate(error, "body", self.meta)
            if translated is None:
                raise
            raise translated from translated.__cause__
        finally:
            await self.close()

    def iter_bytes(self) -> AsyncBodyChunks:
        """Return the body in the pieces it arrives in, decompressed; raises what ``read`` does."""
        return AsyncBodyChunks(self._response, self._attempt, self.meta)

    async def close(self) -> None:
        """Close the response. Safe to call more than once."""
        await self._response.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class Sender:
    """Sends requests over httpx: one request per :meth:`send`, no retry, no redirect."""

    __slots__ = ("_closed", "_given", "_lock", "_pid", "_pools")

    def __init__(self, http_client: httpx.Client | None = None) -> None:
        """Use ``http_client``, which stays the caller's to close, or pools made when needed."""
        if hasattr(http_client, "aclose"):
            raise TypeError("http_client is an asynchronous client; use the asynchronous class")
        self._given = http_client
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
    ) -> RawResponse:
        """Send ``prepared`` and return the response once its headers are here, whatever its status.

        ``timeout`` is in seconds for each phase, ``None`` waits forever, ``UNSET`` takes that of
        the given client, else 5 s to connect and 600 s for the rest. A given client that has the
        timeout of httpx itself, 5 s for everything, counts as one without. ``attempt`` counts
        from 1.

        Raises :class:`APIConnectionError`, :class:`APITimeoutError`, :class:`BaseURLError`,
        :class:`ClosedClientError`, :class:`EnvironmentVariableError`, and :class:`UploadError`
        for a file that cannot be read.
        """
        client = self._client(prepared.url)
        limits = _effective_timeout(client, self._given is not None, timeout)
        sent = _Attempt(prepared, attempt, limits)
        content = prepared.content
        try:
            request = client.build_request(
                prepared.method,
                prepared.url,
                headers=prepared.headers,
                content=content
                if content is None or isinstance(content, bytes)
                else content.chunks(),
                timeout=limits,
            )
            response = client.send(request, stream=True, follow_redirects=False)
        except Exception as error:
            translated = sent.translate(error, "headers")
            if translated is None:
                raise
            raise translated from translated.__cause__
        return RawResponse(response, sent)

    def _client(self, url: str) -> httpx.Client:
        if self._closed:
            raise ClosedClientError("the client has been closed")
        if self._given is not None:
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
                client = self._pools.get(scheme)
                if client is None:
                    client = self._pools[scheme] = make_http_client(url)
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

    __slots__ = ("_closed", "_given", "_lock", "_pid", "_pools")

    def __init__(self, http_client: httpx.AsyncClient | None = None) -> None:
        """Use ``http_client``, which stays the caller's to close, or pools made when needed."""
        if http_client is not None and not hasattr(http_client, "aclose"):
            raise TypeError("http_client is a synchronous client; use the synchronous class")
        self._given = http_client
        self._pools: dict[Any, dict[str, _LoopPool]] = {}
        self._pid = os.getpid()
        self._closed = False
        self._lock = Lock()

    async def send(
        self,
        prepared: PreparedRequest,
        *,
        timeout: float | Timeout | httpx.Timeout | Unset | None = UNSET,
        attempt: int = 1,
    ) -> AsyncRawResponse:
        """Send ``prepared``; see :meth:`Sender.send`."""
        client = self._client(prepared.url)
        limits = _effective_timeout(client, self._given is not None, timeout)
        sent = _Attempt(prepared, attempt, limits)
        content = prepared.content
        try:
            request = client.build_request(
                prepared.method,
                prepared.url,
                headers=prepared.headers,
                content=content
                if content is None or isinstance(content, bytes)
                else content.async_chunks(),
                timeout=limits,
            )
            response = await _send_cancellably(client, request)
        except Exception as error:
            translated = sent.translate(error, "headers")
            if translated is None:
                raise
            raise translated from translated.__cause__
        _close_uninterrupted(response)
        return AsyncRawResponse(response, sent)

    def _client(self, url: str) -> httpx.AsyncClient:
        if self._closed:
            raise ClosedClientError("the client has been closed")
        if self._given is not None:
            return self._given
        if self._pid != os.getpid():
            # Dropping them would wake their loops, which are those of the parent.
            _inherited.append(self._pools)
            self._pools = {}
            self._lock = Lock()
            self._pid = os.getpid()
        loop = _running_loop()
        scheme = url.partition(":")[0]
        with self._lock:
            pools = self._pools.get(loop)
            if pools is None:
                # A pool refers to its loop, so loops that are gone would never be freed.
                for known in [known for known in self._pools if _is_closed(known)]:
                    del self._pools[known]
                pools = self._pools[loop] = {}
            pool = pools.get(scheme)
            if pool is None or pool.client.is_closed:
                pool = pools[scheme] = _LoopPool(make_async_http_client(url))
            return pool.client

    async def close(self) -> None:
        """Close the pools of the running loop; sending raises afterwards.

        Those of other loops that still run are closed there, a moment later.
        """
        self._closed = True
        if self._pid != os.getpid():
            return
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.pop(_running_loop(), {}).values():
            await pool.close()


class _LoopPool:
    """A pool that is closed with its event loop, or when nobody refers to it any more."""

    __slots__ = ("_guard", "client")

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self._guard = _close_at_the_end(client)
        # Up to the "yield" there is nothing to wait for. From then on the loop knows it.
        with suppress(StopIteration):
            self._guard.__anext__().send(None)

    async def close(self) -> None:
        await self._guard.aclose()


async def _close_at_the_end(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.aclose()


# Pools of parent processes, kept so that they are never cleaned up in a child.
_inherited: list[object] = []


def _is_closed(loop: Any) -> bool:
    return loop is not None and bool(loop.is_closed())


def _running_loop() -> Any:
    # Under another library than asyncio there is at most one loop that matters: None.
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
