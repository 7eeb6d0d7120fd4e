"""Answers whose headers are here and whose bodies are still to be read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from .exchange import DeadlinePassedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    import httpx
    from typing_extensions import Self

    from .exchange import Exchange
    from .meta import Meta, ResponseHeaders

# How long the end of a body may take once all that matters of it is here.
_FINISH_SECONDS = 0.02


def _can_be_finished(response: httpx.Response) -> bool:
    """Tell whether reading the rest of a body can be of use: only HTTP/1 depends on it."""
    return (
        not response.is_closed
        and "network_stream" in response.extensions
        and response.http_version in ("HTTP/1.0", "HTTP/1.1")
    )


class BodyChunks:
    """The body of a response in the pieces it arrives in, decompressed."""

    __slots__ = ("_chunks", "_exchange", "_meta", "_response")

    def __init__(self, response: httpx.Response, exchange: Exchange, meta: Meta) -> None:
        self._response = response
        self._chunks = response.iter_bytes()
        self._exchange = exchange
        self._meta = meta

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            if self._exchange.deadline is not None and self._exchange.is_over():
                raise DeadlinePassedError("body")
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception as error:
            translated = self._exchange.translate(error, "body", self._meta)
            if translated is None:
                raise
            raise translated from translated.__cause__

    def finish(self) -> None:
        """Read on if that ends the body at once, so that its connection can be used again.

        Gives up after 20 milliseconds or at the first further piece; to be called when nothing
        in the rest of the body matters, and before the response is closed. Never raises for it.
        """
        response = self._response
        timeouts = self._exchange.timeouts
        if _can_be_finished(response) and response.request.extensions.get("timeout") is timeouts:
            # httpcore looks up the timeouts whenever a reader begins, so a second has this one.
            timeouts["read"] = _FINISH_SECONDS
            # The first reader must live on: it closes the connection when it goes.
            rest = iter(cast("Iterable[bytes]", response.stream))
            with suppress(Exception):
                next(rest, None)


class AsyncBodyChunks:
    """Asynchronous twin of :class:`BodyChunks`."""

    __slots__ = ("_begun", "_chunks", "_exchange", "_meta", "_over", "_response", "_steady")

    def __init__(self, response: httpx.Response, exchange: Exchange, meta: Meta) -> None:
        self._response = response
        self._chunks = response.aiter_bytes()
        self._exchange = exchange
        self._meta = meta
        self._steady: Callable[[Any], Awaitable[bytes]] | None = None
        from .threads import running_loop

        # Pools made here clean up wherever a cancellation comes.
        if exchange.keeps is None and running_loop() is not None:
            from .cancellation import Steady

            self._steady = Steady
        self._begun = False
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._begun = True
        try:
            left = self._exchange.left()
            if left is None:
                return await self._next()
            return await self._next_within(left)
        except BaseException as error:
            # An iterator that something was raised through has ended; a cancellation may have
            # come just after the next piece, and trying to end it once more does no harm.
            self._over = isinstance(error, Exception) and not isinstance(error, DeadlinePassedError)
            if isinstance(error, StopAsyncIteration) or not isinstance(error, Exception):
                raise
            translated = self._exchange.translate(error, "body", self._meta)
            if translated is None:
                raise
            raise translated from translated.__cause__

    def _next(self) -> Awaitable[bytes]:
        step = self._chunks.__anext__()
        return step if self._steady is None else self._steady(step)

    async def _next_within(self, left: float) -> bytes:
        from anyio import move_on_after

        with move_on_after(left):
            return await self._next()
        raise DeadlinePassedError("body")

    async def finish(self) -> None:
        """Read on if that ends the body at once; see :meth:`BodyChunks.finish`."""
        if not self._over and _can_be_finished(self._response):
            from anyio import move_on_after

            # This very reader, and not a second one: it would be left in the middle for ever.
            with move_on_after(_FINISH_SECONDS), suppress(Exception):
                await anext(self)

    async def aclose(self) -> None:
        """End the reading, wherever it is; to be called before the response is closed."""
        if self._begun and not self._over:
            self._over = True
            from .cancellation import end_iteration

            await end_iteration(self._chunks)


class RawResponse:
    """An answer whose headers are here and whose body is still to be read.

    Read it with :meth:`read` or :meth:`iter_bytes`, and close it, best as a context manager.
    """

    __slots__ = ("_exchange", "_response", "meta")

    meta: Meta
    """Metadata of the response."""

    def __init__(self, response: httpx.Response, exchange: Exchange) -> None:
        self._response = response
        self._exchange = exchange
        self.meta = exchange.meta(response)

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
            return b"".join(self.iter_bytes())
        finally:
            self.close()

    def iter_bytes(self) -> BodyChunks:
        """Return the body in the pieces it arrives in, decompressed; raises what ``read`` does."""
        return BodyChunks(self._response, self._exchange, self.meta)

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

    __slots__ = ("_chunks", "_exchange", "_response", "meta")

    meta: Meta
    """Metadata of the response."""

    def __init__(self, response: httpx.Response, exchange: Exchange) -> None:
        self._response = response
        self._chunks: AsyncBodyChunks | None = None
        self._exchange = exchange
        self.meta = exchange.meta(response)

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
            return b"".join([chunk async for chunk in self.iter_bytes()])
        finally:
            await self.close()

    def iter_bytes(self) -> AsyncBodyChunks:
        """Return the body in the pieces it arrives in, decompressed; raises what ``read`` does."""
        self._chunks = AsyncBodyChunks(self._response, self._exchange, self.meta)
        return self._chunks

    async def close(self) -> None:
        """Close the response. Safe to call more than once."""
        try:
            if self._chunks is not None:
                await self._chunks.aclose()
        finally:
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
