"""Connection pools: how one is made, and how an asynchronous one ends with its event loop."""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from .errors import ClosedClientError
from .proxies import proxy_patterns
from .threads import running_loop
from .timeouts import DEFAULT_CONNECT_TIMEOUT_SECONDS, DEFAULT_TIMEOUT_SECONDS
from .tls import is_loaded, tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from http.cookiejar import CookieJar
    from typing import Final

    import httpx

MAX_CONNECTIONS: Final = 1000
MAX_KEEPALIVE_CONNECTIONS: Final = 100
_KEEPALIVE_IDLE_SECONDS = 60
_KEEPALIVE_INTERVAL_SECONDS = 60
_KEEPALIVE_COUNT = 5


def max_connections() -> int:
    """Return how many connections a pool may have: looked up when one is made."""
    return MAX_CONNECTIONS


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


def _library(name: str) -> Any:
    """Return the HTTP library: httpx, or its twin httpx2."""
    from importlib import import_module

    return import_module(name)


def _no_cookies() -> CookieJar:
    """Return a jar that stays empty: calls are independent, whatever a gateway sets."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _is_secure(url: str) -> bool:
    return not url.startswith("http://")


def _shards(library: Any, kind: type[Any], sharded: type[Any], url: str) -> tuple[Any, Any]:
    """Return a transport that spreads over many of ``kind``, and those for proxies by pattern."""
    from .network import install

    context = tls_context(secure=_is_secure(url))
    socket_options = keepalive_options()

    def transport(proxy: str | None) -> Any:
        def make() -> Any:
            made = kind(
                verify=context,
                limits=library.Limits(
                    max_connections=1, max_keepalive_connections=1, keepalive_expiry=None
                ),
                socket_options=socket_options,
                proxy=None if proxy is None else _proxy(library, proxy),
            )
            install(made, socket_options)
            return made

        return sharded(
            library, make, max_connections=MAX_CONNECTIONS, max_idle=MAX_KEEPALIVE_CONNECTIONS
        )

    mounts = {
        pattern: None if proxy is None else transport(proxy)
        for pattern, proxy in proxy_patterns().items()
    }
    return transport(None), mounts


def _proxy(library: Any, url: str) -> Any:
    # httpx would take certifi's authorities for a proxy with TLS, whatever SSL_CERT_FILE says.
    context = tls_context() if url.lower().startswith("https://") else None
    return library.Proxy(url, ssl_context=context)


def is_prepared(url: str, library: str = "httpx") -> bool:
    """Tell whether making a pool for ``url`` takes no time worth speaking of."""
    import sys

    return _CORES[library] in sys.modules and is_loaded(secure=_is_secure(url))


def prepare(url: str, library: str = "httpx") -> None:
    """Load what a pool for ``url`` needs: the HTTP library and the certificate authorities."""
    _library(library)
    _library(_CORES[library])
    tls_context(secure=_is_secure(url))


_CORES: Final = {"httpx": "httpcore", "httpx2": "httpcore2", "aiohttp": "aiohttp"}


def _client(library: Any, kind: type[Any], transport: Any, mounts: Any) -> Any:
    client = kind(
        transport=transport,
        mounts=mounts,
        # 5 s to connect, 600 s for the rest; requests come with their own.
        timeout=library.Timeout(DEFAULT_TIMEOUT_SECONDS, connect=DEFAULT_CONNECT_TIMEOUT_SECONDS),
        cookies=_no_cookies(),
        follow_redirects=False,
    )
    # Requests have their own, unless the caller removed it: then there is to be none.
    del client.headers["user-agent"]
    return client


def make_http_client(url: str, library: str = "httpx") -> httpx.Client:
    """Make the client that requests to URLs like ``url`` go through by default."""
    module = _library(library)
    from .shards import transport_classes

    sharded = transport_classes(module)[0]
    made: httpx.Client = _client(
        module, module.Client, *_shards(module, module.HTTPTransport, sharded, url)
    )
    return made


def make_async_http_client(url: str, library: str = "httpx") -> httpx.AsyncClient:
    """Make the client that requests to URLs like ``url`` go through by default."""
    module = _library(library)
    from .shards import transport_classes

    sharded = transport_classes(module)[1]
    made: httpx.AsyncClient = _client(
        module, module.AsyncClient, *_shards(module, module.AsyncHTTPTransport, sharded, url)
    )
    return made


class LoopPools:
    """The pools of an asynchronous sender: one per process, event loop and scheme."""

    __slots__ = ("_closed", "_lock", "_make", "_pid", "_pools")

    def __init__(self, make: Callable[[str], Any]) -> None:
        """Make each pool with ``make``, which gets a URL and returns what has ``aclose``."""
        self._make = make
        self._pools: dict[Any, dict[str, LoopPool]] = {}
        self._pid = os.getpid()
        self._closed = False
        self._lock = Lock()

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    def known(self, url: str) -> LoopPool | None:
        """Return the pool that :meth:`of` returned before, if it may still be used."""
        if self._pid != os.getpid() or self._closed:
            return None
        pool = self._pools.get(running_loop(), _NONE).get(url.partition(":")[0])
        return None if pool is None or pool.client.is_closed else pool

    def of(self, url: str) -> LoopPool:
        """Return the pool of the running loop for URLs like ``url``.

        Raises :class:`ClosedClientError`.
        """
        if self._pid != os.getpid():
            # Dropping them would wake their loops, which are those of the parent.
            _inherited.append(self._pools)
            self._pools = {}
            self._lock = Lock()
            self._pid = os.getpid()
        loop = running_loop()
        scheme = url.partition(":")[0]
        with self._lock:
            if self._closed:
                # By another thread, or while this task waited for the certificate authorities.
                raise ClosedClientError("the client has been closed")
            pools = self._pools.get(loop)
            if pools is None:
                # A pool refers to its loop, so loops that are gone would never be freed.
                for known in [known for known in self._pools if _is_closed(known)]:
                    del self._pools[known]
                pools = self._pools[loop] = {}
            pool = pools.get(scheme)
            if pool is None or pool.client.is_closed:
                pool = pools[scheme] = LoopPool(self._make(url))
            return pool

    async def close(self) -> None:
        """Close the pools of the running loop; those of others are closed there, a moment later."""
        self._closed = True
        if self._pid != os.getpid():
            return
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.pop(running_loop(), {}).values():
            await pool.close()


_NONE: dict[str, LoopPool] = {}

# Pools of parent processes, kept so that they are never cleaned up in a child.
_inherited: list[object] = []


def _is_closed(loop: Any) -> bool:
    return loop is not None and bool(loop.is_closed())


class LoopPool:
    """A pool that is closed with its event loop, or when nobody refers to it any more."""

    __slots__ = ("_guard", "client")

    def __init__(self, client: Any) -> None:
        """Watch over ``client``."""
        self.client = client
        self._guard = _close_at_the_end(client)
        # Up to the "yield" there is nothing to wait for. From then on the loop knows it.
        with suppress(StopIteration):
            self._guard.__anext__().send(None)

    async def close(self) -> None:
        """Close the pool."""
        await self._guard.aclose()


async def _close_at_the_end(client: Any) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.aclose()
