"""What stands between httpcore and its sockets: deadlines, and options for every connection.

httpcore hands the timeouts of a request unchanged to each read and write. So a :class:`Limit`,
a number that also knows when the call must be over, arrives here, where each read can be given no
more than what is left: a server that sends one byte at a time cannot stretch it. Proxied
connections get the socket options here, which httpcore leaves out for them.

A connection of asyncio is written to in pieces, so that it shows when it breaks between them.

httpcore is that of httpx or its twin that httpx2 stands on; what is raised here is of the same one.
"""

from __future__ import annotations

import socket
import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

from .limits import Limit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

# A peer that takes in little at a time makes one write many; so much is one write here.
_WRITE_BYTES = 16 * 1024
_ASYNC_WRITE_BYTES = 64 * 1024


def _left(timeout: float | None, expired: type[Exception]) -> float | None:
    """Return the seconds that a step may take now; raises ``expired`` when there are none."""
    if not isinstance(timeout, Limit):
        return timeout
    left = timeout.deadline - monotonic()
    if left <= 0:
        raise expired("the deadline has passed")
    return left if timeout.seconds is None else min(left, timeout.seconds)


class DeadlineStream:
    """A connection whose reads and writes end with the deadline of the request."""

    __slots__ = ("_core", "_inner")

    def __init__(self, inner: Any, core: Any) -> None:
        """Wrap ``inner``, a network stream of the module ``core``."""
        self._inner = inner
        self._core = core

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, or the next bytes to come."""
        if timeout.__class__ is Limit:
            timeout = _left(timeout, self._core.ReadTimeout)
        data: bytes = self._inner.read(max_bytes, timeout)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of ``buffer``."""
        if timeout.__class__ is not Limit:
            self._inner.write(buffer, timeout)
            return
        for start in range(0, len(buffer), _WRITE_BYTES):
            piece = buffer[start : start + _WRITE_BYTES]
            self._inner.write(piece, _left(timeout, self._core.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> DeadlineStream:
        """Return the connection with TLS on it."""
        try:
            left = _left(timeout, self._core.ConnectTimeout)
        except self._core.ConnectTimeout:
            # As start_tls itself does when it fails: httpcore leaves it to that.
            self.close()
            raise
        return DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, left), self._core)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for, such as the socket."""
        return self._inner.get_extra_info(info)


class Backend:
    """Opens connections that keep deadlines and have the socket options."""

    def __init__(self, inner: Any, options: Iterable[Any], core: Any) -> None:
        """Wrap ``inner`` of ``core``; ``options`` are for connections that come without any."""
        self._inner = inner
        self._core = core
        self._options = list(options)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Any:
        """Open a connection. Looking up ``host`` cannot be cut short."""
        if socket_options is None:
            socket_options = self._options
        if timeout.__class__ is not Limit:
            return DeadlineStream(
                self._inner.connect_tcp(host, port, timeout, local_address, socket_options),
                self._core,
            )
        # Each address would get the whole time again, so one is tried after the other here.
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise self._core.ConnectError(error) from error
        failure: Exception = self._core.ConnectError(f"no address for {host}")
        for address in dict.fromkeys(str(entry[4][0]) for entry in found):
            left = _left(timeout, self._core.ConnectTimeout)
            try:
                return DeadlineStream(
                    self._inner.connect_tcp(address, port, left, local_address, socket_options),
                    self._core,
                )
            except (self._core.ConnectError, self._core.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Any:
        """Open a connection to a socket of this machine."""
        left = _left(timeout, self._core.ConnectTimeout)
        return DeadlineStream(
            self._inner.connect_unix_socket(path, left, socket_options), self._core
        )

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._inner.sleep(seconds)


class PiecewiseStream:
    """A connection that is written to in pieces, and so notices when it breaks in between.

    asyncio does not tell the write that a connection broke in, but the one after it. Were a large
    request one write, it would look as if it had been sent whole.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: Any) -> None:
        """Wrap ``inner``."""
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, or the next bytes to come."""
        data: bytes = await self._inner.read(max_bytes, timeout)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of ``buffer``; ``timeout`` is for each piece."""
        size = len(buffer)
        if size <= _ASYNC_WRITE_BYTES:
            await self._inner.write(buffer, timeout)
            return
        for start in range(0, size, _ASYNC_WRITE_BYTES):
            await self._inner.write(buffer[start : start + _ASYNC_WRITE_BYTES], timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> PiecewiseStream:
        """Return the connection with TLS on it."""
        try:
            inner = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except Exception:
            raise
        except BaseException:
            # Cancelled in the handshake: httpcore closes what fails, and this is no failure.
            from .cancellation import uninterrupted

            await uninterrupted(self._inner.aclose)
            raise
        return PiecewiseStream(inner)

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for, such as the socket."""
        return self._inner.get_extra_info(info)


class AsyncBackend:
    """Opens connections that have the socket options; tasks are cancelled at their deadline."""

    def __init__(self, inner: Any, options: Iterable[Any], core: Any) -> None:
        """Wrap ``inner`` of ``core``; ``options`` are for connections that come without any."""
        self._inner = inner
        self._core = core
        self._options = list(options)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Any:
        """Open a connection."""
        if socket_options is None:
            socket_options = self._options
        return PiecewiseStream(
            await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        )

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Any:
        """Open a connection to a socket of this machine."""
        return PiecewiseStream(await self._inner.connect_unix_socket(path, timeout, socket_options))

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)


def install(transport: Any, options: Iterable[Any]) -> bool:
    """Put a backend of this module below a transport of httpx; tell whether that was possible.

    httpx has no argument for it, so this reaches for what it keeps to itself, and leaves the
    transport as it is when that has changed. Deadlines are then checked between pieces only, and
    a large request that broke off may count as sent whole.
    """
    pool: Any = getattr(transport, "_pool", None)
    inner: Any = getattr(pool, "_network_backend", None)
    core = sys.modules.get(type(pool).__module__.partition(".")[0])
    if inner is None or core is None:
        return False
    if isinstance(inner, getattr(core, "NetworkBackend", ())):
        pool._network_backend = Backend(inner, options, core)
    elif isinstance(inner, getattr(core, "AsyncNetworkBackend", ())):
        pool._network_backend = AsyncBackend(inner, options, core)
    else:
        return False
    return True
