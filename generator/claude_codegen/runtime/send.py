"""Sends one prepared request over httpx, exactly once, and hands back the open response.

Nothing is created before the first request: neither the connection pool nor, for ``https``, the
TLS context, which all clients of a process share. A pool belongs to one process and one event
loop; after a fork, or on another loop, a fresh one is made.
"""

from __future__ import annotations

import os
import sys
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .errors import (
    APIResponseValidationError,
    BaseURLError,
    ClaudeError,
    ClosedClientError,
    connection_error_from,
    failed_phase,
    origin_of,
)
from .meta import Meta, ResponseHeaders
from .unset import UNSET

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType
    from typing import Final

    import httpx
    from typing_extensions import Self

    from .errors import Phase
    from .request import PreparedRequest
    from .unset import Unset

DEFAULT_TIMEOUT_SECONDS: Final = 600.0
DEFAULT_CONNECT_TIMEOUT_SECONDS: Final = 5.0
MAX_CONNECTIONS: Final = 1000
MAX_KEEPALIVE_CONNECTIONS: Final = 100
_KEEPALIVE_IDLE_SECONDS = 60
_KEEPALIVE_INTERVAL_SECONDS = 60
_KEEPALIVE_COUNT = 5

_tls_contexts: dict[tuple[str | None, ...], ssl.SSLContext] = {}
_tls_lock = Lock()


def tls_context(*, secure: bool = True) -> ssl.SSLContext:
    """Return the TLS context of this process.

    The first secure one takes tens of milliseconds, most of it for reading the certificate
    authorities (``SSL_CERT_FILE``, ``SSL_CERT_DIR``, else certifi's). One for ``http`` only
    (``secure=False``) trusts none, so it is cheap and cannot make an unverified connection.
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
                    import httpx

                    context = httpx.create_ssl_context()
                else:
                    import ssl

                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                _tls_contexts[key] = context
    return context


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
    """
    from urllib.request import getproxies

    proxies = getproxies()
    patterns: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        url = proxies.get(scheme)
        if url:
            patterns[f"{scheme}://"] = url if "://" in url else f"http://{url}"
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
            patterns[host] = None
        elif version == 6:
            patterns[f"all://[{host}]"] = None
        elif version == 4 or host.lower() == "localhost":
            patterns[f"all://{host}"] = None
        else:
            # Without a dot in front, the domain itself and all below it.
            patterns[f"all://*{host}"] = None
    return patterns


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
        """Return our error for one of the HTTP library, or ``None`` for any other.

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
            return APIResponseValidationError(
                f"the body cannot be decompressed: {error}",
                status_code=meta.status_code,
                headers=meta.headers,
                operation=self.operation,
                attempts=self.number,
            )
        if "InvalidURL" in kinds:
            return BaseURLError(f"the base URL cannot be used: {error}")
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
            raise translated from error
        finally:
            self.close()

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body in the pieces it arrives in, decompressed; raises what ``read`` does."""
        try:
            yield from self._response.iter_bytes()
        except Exception as error:
            translated = self._attempt.translate(error, "body", self.meta)
            if translated is None:
                raise
            raise translated from error

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
            raise translated from error
        finally:
            await self.close()

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the body in the pieces it arrives in, decompressed; raises what ``read`` does."""
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except Exception as error:
            translated = self._attempt.translate(error, "body", self.meta)
            if translated is None:
                raise
            raise translated from error

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

    __slots__ = ("_closed", "_given", "_pid", "_pools")

    def __init__(self, http_client: httpx.Client | None = None) -> None:
        """Use ``http_client``, which stays the caller's to close, or pools made when needed."""
        if hasattr(http_client, "aclose"):
            raise TypeError("http_client is an asynchronous client; use the asynchronous class")
        self._given = http_client
        # Pools by scheme: an http pool needs no certificate authorities.
        self._pools: dict[str, httpx.Client] = {}
        self._pid = os.getpid()
        self._closed = False

    def send(
        self,
        prepared: PreparedRequest,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        attempt: int = 1,
    ) -> RawResponse:
        """Send ``prepared`` and return the response once its headers are here, whatever its status.

        ``timeout`` is in seconds for each phase, ``None`` waits forever, ``UNSET`` takes that of
        the given client, else 5 s to connect and 600 s for the rest. ``attempt`` counts from 1.

        Raises :class:`APIConnectionError`, :class:`APITimeoutError`, :class:`BaseURLError`,
        :class:`ClosedClientError`, :class:`UploadError` for a file that cannot be read.
        """
        client = self._client(prepared.url)
        arguments: dict[str, Any] = {} if timeout is UNSET else {"timeout": timeout}
        sent = _Attempt(prepared, attempt, client.timeout if timeout is UNSET else timeout)
        content = prepared.content
        try:
            request = client.build_request(
                prepared.method,
                prepared.url,
                headers=prepared.headers,
                content=content
                if content is None or isinstance(content, bytes)
                else content.chunks(),
                **arguments,
            )
            response = client.send(request, stream=True, follow_redirects=False)
        except Exception as error:
            translated = sent.translate(error, "headers")
            if translated is None:
                raise
            raise translated from error
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
            self._pid = os.getpid()
        scheme = url.partition(":")[0]
        client = self._pools.get(scheme)
        if client is None:
            # Two threads may get here at once; one of the two pools is then never used.
            client = self._pools.setdefault(scheme, make_http_client(url))
        return client

    def close(self) -> None:
        """Close the pools made here. Safe to call more than once; sending raises afterwards."""
        self._closed = True
        pools, self._pools = self._pools, {}
        if self._pid == os.getpid():
            for client in pools.values():
                client.close()


class AsyncSender:
    """Asynchronous twin of :class:`Sender`; makes pools of its own for each event loop."""

    __slots__ = ("_closed", "_given", "_pid", "_pools")

    def __init__(self, http_client: httpx.AsyncClient | None = None) -> None:
        """Use ``http_client``, which stays the caller's to close, or pools made when needed."""
        if http_client is not None and not hasattr(http_client, "aclose"):
            raise TypeError("http_client is a synchronous client; use the synchronous class")
        self._given = http_client
        self._pools: dict[Any, dict[str, httpx.AsyncClient]] = {}
        self._pid = os.getpid()
        self._closed = False

    async def send(
        self,
        prepared: PreparedRequest,
        *,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        attempt: int = 1,
    ) -> AsyncRawResponse:
        """Send ``prepared``; see :meth:`Sender.send`."""
        client = self._client(prepared.url)
        arguments: dict[str, Any] = {} if timeout is UNSET else {"timeout": timeout}
        sent = _Attempt(prepared, attempt, client.timeout if timeout is UNSET else timeout)
        content = prepared.content
        try:
            request = client.build_request(
                prepared.method,
                prepared.url,
                headers=prepared.headers,
                content=content
                if content is None or isinstance(content, bytes)
                else content.async_chunks(),
                **arguments,
            )
            response = await client.send(request, stream=True, follow_redirects=False)
        except Exception as error:
            translated = sent.translate(error, "headers")
            if translated is None:
                raise
            raise translated from error
        return AsyncRawResponse(response, sent)

    def _client(self, url: str) -> httpx.AsyncClient:
        if self._closed:
            raise ClosedClientError("the client has been closed")
        if self._given is not None:
            return self._given
        if self._pid != os.getpid():
            self._pools = {}
            self._pid = os.getpid()
        loop = _running_loop()
        pools = self._pools.get(loop)
        if pools is None:
            # A pool refers to its loop, so loops that are gone would never be freed.
            self._pools = {
                known: value
                for known, value in self._pools.items()
                if known is None or not known.is_closed()
            }
            pools = self._pools.setdefault(loop, {})
        scheme = url.partition(":")[0]
        client = pools.get(scheme)
        if client is None:
            client = pools.setdefault(scheme, make_async_http_client(url))
        return client

    async def close(self) -> None:
        """Close the pools of the running loop and let go of all others; sending raises then."""
        self._closed = True
        pools, self._pools = self._pools, {}
        if self._pid == os.getpid():
            for client in pools.get(_running_loop(), {}).values():
                await client.aclose()


def _running_loop() -> Any:
    # Under another library than asyncio there is at most one loop that matters: None.
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
