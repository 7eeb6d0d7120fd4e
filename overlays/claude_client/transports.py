"""What moves prepared bytes: a small protocol, and its implementation over httpx.

A transport sends one request once. It does not retry, follows a redirect only within the origin,
and looks after its own connections: a pool belongs to one process and, when asynchronous, to one
event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Protocol

    import httpx

    from claude_rest._runtime.meta import Meta
    from claude_rest._runtime.request import PreparedRequest
    from claude_rest._runtime.send import AsyncSender, Sender

    class Response(Protocol):
        """An answer whose headers are here and whose body is still to be read."""

        @property
        def meta(self) -> Meta:
            """Metadata of the response."""
            ...

        def read(self) -> bytes:
            """Return the whole body and close the response."""
            ...

        def iter_bytes(self) -> Iterator[bytes]:
            """Yield the body in the pieces it arrives in."""
            ...

        def close(self) -> None:
            """Close the response; safe to call more than once."""
            ...

    class AsyncResponse(Protocol):
        """Asynchronous twin of :class:`Response`."""

        @property
        def meta(self) -> Meta:
            """Metadata of the response."""
            ...

        async def read(self) -> bytes:
            """Return the whole body and close the response."""
            ...

        def iter_bytes(self) -> AsyncIterator[bytes]:
            """Yield the body in the pieces it arrives in."""
            ...

        async def close(self) -> None:
            """Close the response; safe to call more than once."""
            ...

    class Transport(Protocol):
        """Sends prepared requests."""

        def send(
            self,
            prepared: PreparedRequest,
            *,
            timeout: Any,
            attempt: int,
            deadline: float | None = None,
        ) -> Response:
            """Send once; return when the headers of the answer are here, whatever its status.

            ``timeout`` is anything that ``Timeout.of`` takes, or ``UNSET`` for the transport's
            own. ``attempt`` counts from 1 and goes into metadata and errors. ``deadline`` is when
            all must be over, reading the body included, by ``time.monotonic()``; it comes first,
            and the one in ``timeout`` counts only without it.

            Raises ``APIConnectionError``, ``APITimeoutError`` and ``RedirectError``, never an
            error of the HTTP library.
            """
            ...

        def close(self) -> None:
            """Close all connections; safe to call more than once."""
            ...

    class AsyncTransport(Protocol):
        """Asynchronous twin of :class:`Transport`."""

        async def send(
            self,
            prepared: PreparedRequest,
            *,
            timeout: Any,
            attempt: int,
            deadline: float | None = None,
        ) -> AsyncResponse:
            """Send once; see :meth:`Transport.send`."""
            ...

        async def close(self) -> None:
            """Close all connections; safe to call more than once."""
            ...


class HTTPXTransport:
    """Sends over httpx. Loads it, and makes a pool, with the first request."""

    __slots__ = ("_http_client", "_made")

    def __init__(self, http_client: httpx.Client | None = None) -> None:
        """Use ``http_client``, which stays yours to close, or pools made when needed.

        Anything built like ``httpx.Client`` will do, such as a client of httpx2. Its own
        timeouts hold for calls that have none, unless they are the 5 seconds of httpx itself.
        """
        _refuse_other_kind(http_client, asynchronous=False)
        self._http_client = http_client
        self._made: dict[str, Sender] = {}

    def send(
        self,
        prepared: PreparedRequest,
        *,
        timeout: Any,
        attempt: int,
        deadline: float | None = None,
    ) -> Response:
        """Send once; see :meth:`Transport.send`.

        The look-up of a host's address cannot be cut short by a deadline, and neither can what
        a given client reads: there the clock is looked at between two pieces of the answer.
        """
        return self._loaded().send(prepared, timeout=timeout, attempt=attempt, deadline=deadline)

    def close(self) -> None:
        """Close the pools made here; requests raise ``ClosedClientError`` afterwards."""
        self._loaded().close()

    def _loaded(self) -> Sender:
        sender = self._made.get("sender")
        if sender is None:
            from claude_rest._runtime.send import Sender

            # One step, so that threads that come first at once end up with the same one.
            sender = self._made.setdefault("sender", Sender(self._http_client))
        return sender


class AsyncHTTPXTransport:
    """Asynchronous twin of :class:`HTTPXTransport`."""

    __slots__ = ("_http_client", "_made")

    def __init__(self, http_client: httpx.AsyncClient | None = None) -> None:
        """Use ``http_client``, which stays yours to close, or pools made when needed."""
        _refuse_other_kind(http_client, asynchronous=True)
        self._http_client = http_client
        self._made: dict[str, AsyncSender] = {}

    async def send(
        self,
        prepared: PreparedRequest,
        *,
        timeout: Any,
        attempt: int,
        deadline: float | None = None,
    ) -> AsyncResponse:
        """Send once; see :meth:`Transport.send`."""
        return await self._loaded().send(
            prepared, timeout=timeout, attempt=attempt, deadline=deadline
        )

    async def close(self) -> None:
        """Close the pools made here; requests raise ``ClosedClientError`` afterwards."""
        await self._loaded().close()

    def _loaded(self) -> AsyncSender:
        sender = self._made.get("sender")
        if sender is None:
            from claude_rest._runtime.send import AsyncSender

            # One step, so that threads that come first at once end up with the same one.
            sender = self._made.setdefault("sender", AsyncSender(self._http_client))
        return sender


def _refuse_other_kind(http_client: object, *, asynchronous: bool) -> None:
    """Raise at construction rather than at the first request."""
    if http_client is not None and hasattr(http_client, "aclose") is not asynchronous:
        given, other = ("a synchronous", "Async") if asynchronous else ("an asynchronous", "")
        raise TypeError(
            f"http_client is {given} client; pass an httpx.{other}Client, or use the other class"
        )
