"""Connection pools: how one is made, and how an asynchronous one ends with its event loop."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .proxies import proxy_patterns
from .timeouts import DEFAULT_CONNECT_TIMEOUT_SECONDS, DEFAULT_TIMEOUT_SECONDS
from .tls import is_loaded, tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from http.cookiejar import CookieJar
    from typing import Final

    import httpx

MAX_CONNECTIONS: Final = 1000
MAX_KEEPALIVE_CONNECTIONS: Final = 100
_KEEPALIVE_IDLE_SECONDS = 60
_KEEPALIVE_INTERVAL_SECONDS = 60
_KEEPALIVE_COUNT = 5


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


def default_timeout() -> httpx.Timeout:
    """Return the timeouts used unless told otherwise: 5 s to connect, 600 s for the rest."""
    import httpx

    return httpx.Timeout(DEFAULT_TIMEOUT_SECONDS, connect=DEFAULT_CONNECT_TIMEOUT_SECONDS)


def _no_cookies() -> CookieJar:
    """Return a jar that stays empty: calls are independent, whatever a gateway sets."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _is_secure(url: str) -> bool:
    return not url.startswith("http://")


def _transport_options(url: str) -> dict[str, Any]:
    import httpx

    return {
        "verify": tls_context(secure=_is_secure(url)),
        "limits": httpx.Limits(
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_KEEPALIVE_CONNECTIONS,
        ),
        "socket_options": keepalive_options(),
    }


def _proxy(url: str) -> httpx.Proxy:
    import httpx

    # httpx would take certifi's authorities for a proxy with TLS, whatever SSL_CERT_FILE says.
    context = tls_context() if url.lower().startswith("https://") else None
    return httpx.Proxy(url, ssl_context=context)


def _mounts(transport: Any, options: dict[str, Any]) -> dict[str, Any]:
    return {
        pattern: None if proxy is None else transport(**options, proxy=_proxy(proxy))
        for pattern, proxy in proxy_patterns().items()
    }


def is_prepared(url: str) -> bool:
    """Tell whether making a pool for ``url`` takes no time worth speaking of."""
    import sys

    return "httpcore" in sys.modules and is_loaded(secure=_is_secure(url))


def prepare(url: str) -> None:
    """Load what a pool for ``url`` needs: the HTTP library and the certificate authorities."""
    from . import network  # noqa: F401  # pyright: ignore[reportUnusedImport]

    tls_context(secure=_is_secure(url))


def make_http_client(url: str) -> httpx.Client:
    """Make the httpx client that requests to URLs like ``url`` go through by default."""
    import httpx

    from .network import install

    options = _transport_options(url)
    transport = httpx.HTTPTransport(**options)
    mounts = _mounts(httpx.HTTPTransport, options)
    for made in (transport, *mounts.values()):
        install(made, options["socket_options"])
    client = httpx.Client(
        transport=transport,
        mounts=mounts,
        timeout=default_timeout(),
        cookies=_no_cookies(),
        follow_redirects=False,
    )
    # Requests have their own, unless the caller removed it: then there is to be none.
    del client.headers["user-agent"]
    return client


def make_async_http_client(url: str) -> httpx.AsyncClient:
    """Make the httpx client that requests to URLs like ``url`` go through by default."""
    import httpx

    from .network import install

    options = _transport_options(url)
    transport = httpx.AsyncHTTPTransport(**options)
    mounts = _mounts(httpx.AsyncHTTPTransport, options)
    for made in (transport, *mounts.values()):
        install(made, options["socket_options"])
    client = httpx.AsyncClient(
        transport=transport,
        mounts=mounts,
        timeout=default_timeout(),
        cookies=_no_cookies(),
        follow_redirects=False,
    )
    # Requests have their own, unless the caller removed it: then there is to be none.
    del client.headers["user-agent"]
    return client


class LoopPool:
    """A pool that is closed with its event loop, or when nobody refers to it any more."""

    __slots__ = ("_guard", "client")

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Watch over ``client``."""
        self.client = client
        self._guard = _close_at_the_end(client)
        # Up to the "yield" there is nothing to wait for. From then on the loop knows it.
        with suppress(StopIteration):
            self._guard.__anext__().send(None)

    async def close(self) -> None:
        """Close the pool."""
        await self._guard.aclose()


async def _close_at_the_end(client: httpx.AsyncClient) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.aclose()
