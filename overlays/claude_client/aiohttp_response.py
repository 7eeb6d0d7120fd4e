"""Answers over aiohttp, and what its errors mean."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from anyio import move_on_after

from claude_rest._runtime.errors import ClaudeError
from claude_rest._runtime.exchange import DeadlinePassedError, unusable_url

if TYPE_CHECKING:
    from typing import Any

    import aiohttp
    from typing_extensions import Self

    from claude_rest._runtime.errors import Phase
    from claude_rest._runtime.exchange import Exchange
    from claude_rest._runtime.meta import Meta, ResponseHeaders
    from claude_rest._runtime.places import LoopPlaces

_FINISH_SECONDS = 0.02

_CONNECTING = frozenset({"ClientConnectorError", "ClientSSLError", "ClientHttpProxyError"})


def translated(
    error: Exception, exchange: Exchange, phase: Phase, meta: Meta | None = None
) -> Exception:
    """Return our error for one of aiohttp, or ``error`` itself if it is of another kind."""
    if isinstance(error, ClaudeError):
        return error
    kinds = {cls.__name__ for cls in type(error).__mro__}
    if "InvalidURL" in kinds:
        return unusable_url()
    if isinstance(error, DeadlinePassedError):
        phase = error.phase
    elif "PlaceTimeout" in kinds:
        phase = "pool"
    elif kinds & _CONNECTING or "ConnectionTimeoutError" in kinds:
        phase = "connect"
    elif meta is not None and "ClientPayloadError" in kinds and _is_undecodable(error):
        return exchange.undecodable(error, meta)
    elif type(error) is RuntimeError and meta is not None:
        # What aiohttp says when the session was closed while the answer was read.
        pass
    elif not kinds & {"ClientError", "TimeoutError", "ConnectionError", "SSLError", "gaierror"}:
        return error
    elif phase in ("pool", "connect") and "TimeoutError" not in kinds:
        phase = "connect"
    return exchange.connection_error(error, phase, meta)


def _is_undecodable(error: BaseException) -> bool:
    seen = 0
    current: BaseException | None = error
    while current is not None and seen < 8:
        if "ContentEncodingError" in type(current).__name__:
            return True
        current = current.__cause__
        seen += 1
    return "decompress" in str(error) or "Can not decode" in str(error)


def limit_silence(connection: Any, seconds: float | None) -> None:
    """Have a connection break after so many seconds from now, or from then on, without a byte."""
    protocol = None if connection is None else connection.protocol
    if protocol is not None:
        protocol.read_timeout = seconds
        protocol.start_timeout()


class AiohttpChunks:
    """The body of a response in the pieces it arrives in, decompressed."""

    __slots__ = ("_exchange", "_meta", "_response")

    def __init__(self, response: aiohttp.ClientResponse, exchange: Exchange, meta: Meta) -> None:
        self._response = response
        self._exchange = exchange
        self._meta = meta

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        content: Any = self._response.content
        if getattr(content, "_buffer", None):
            # What has come is given out, whatever happened to the connection after it.
            arrived: bytes = content._read_nowait(-1)
            return arrived
        try:
            piece = await self._wait()
        except Exception as error:
            raise translated(error, self._exchange, "body", self._meta) from error
        if not piece:
            raise StopAsyncIteration
        return piece

    async def _wait(self) -> bytes:
        connection = self._response.connection
        limit_silence(connection, self._exchange.limits.idle)
        try:
            left = self._exchange.left()
            if left is None:
                return await self._response.content.readany()
            return await self._read_within(left)
        finally:
            # It may be somebody else's by now.
            if self._response.connection is connection:
                limit_silence(connection, None)

    async def _read_within(self, left: float) -> bytes:
        with move_on_after(left):
            return await self._response.content.readany()
        raise DeadlinePassedError("body")

    async def finish(self) -> None:
        """Read on if that ends the body at once, so that its connection can be used again."""
        content = self._response.content
        if content.is_eof() or content.exception() is not None:
            return
        with move_on_after(_FINISH_SECONDS), suppress(Exception):
            await content.readany()

    async def aclose(self) -> None:
        """End the reading; there is nothing to be done for it."""


class AiohttpResponse:
    """An answer whose headers are here and whose body is still to be read."""

    __slots__ = ("_exchange", "_places", "_response", "meta")

    meta: Meta
    """Metadata of the response."""

    def __init__(
        self, response: aiohttp.ClientResponse, exchange: Exchange, places: LoopPlaces | None
    ) -> None:
        self._response = response
        self._exchange = exchange
        self._places = places
        version = response.version
        self.meta = exchange.meta_of(
            response.status,
            response.raw_headers,
            "HTTP/1.1" if version is None else f"HTTP/{version.major}.{version.minor}",
        )

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

    def await_body(self) -> None:
        """Let the rest of the answer take its time as long as nobody waits for it.

        aiohttp reads ahead, and would count the time that whoever reads needs between two pieces.
        """
        limit_silence(self._response.connection, None)

    async def read(self) -> bytes:
        """Return the whole body, decompressed, and close the response."""
        try:
            if self._exchange.deadline is not None:
                return b"".join([chunk async for chunk in self.iter_bytes()])
            try:
                limit_silence(self._response.connection, self._exchange.limits.idle)
                return await self._response.content.read()
            except Exception as error:
                raise translated(error, self._exchange, "body", self.meta) from error
        finally:
            await self.close()

    def iter_bytes(self) -> AiohttpChunks:
        """Return the body in the pieces it arrives in, decompressed; raises what ``read`` does."""
        return AiohttpChunks(self._response, self._exchange, self.meta)

    async def close(self) -> None:
        """Close the response. Safe to call more than once."""
        # Goes back to the pool by itself once it has been read to its end.
        self._response.close()
        places, self._places = self._places, None
        if places is not None:
            places.leave()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
