"""What moves prepared bytes: a small protocol, its implementation over httpx, and the choice.

A transport sends one request once. It does not retry, follows a redirect only within the origin,
and looks after its own connections: a pool belongs to one process and, when asynchronous, to one
event loop.

Which one a client uses is said by its argument ``transport``, else by the environment, and is
httpx without either. What happens to be installed decides nothing: whoever traces or mocks httpx
would see nothing any more once another library came along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .environment import TRANSPORT_VARIABLE, setting
from .errors import ConfigurationError, MissingTransportError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from typing import Literal, Protocol

    import aiohttp
    import httpx

    from claude_rest._runtime.meta import Meta
    from claude_rest._runtime.request import PreparedRequest
    from claude_rest._runtime.send import AsyncSender, Sender

    TransportName = Literal["httpx", "httpx2"]
    """Transports of either client, by the library each is over."""
    AsyncTransportName = Literal["httpx", "httpx2", "aiohttp"]

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

    __slots__ = ("_http_client", "_library", "_made")

    def __init__(
        self, http_client: httpx.Client | None = None, *, library: TransportName = "httpx"
    ) -> None:
        """Use ``http_client``, which stays yours to close, or pools made when needed.

        Anything built like ``httpx.Client`` will do, such as a client of httpx2. Its own
        timeouts hold for calls that have none, unless they are the 5 seconds of httpx itself.
        ``library`` is what pools are made with: httpx, or httpx2, which is the same under another
        name.

        Raises :class:`MissingTransportError`.
        """
        _refuse_other_kind(http_client, asynchronous=False)
        _require(library)
        self._library = library
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
            sender = self._made.setdefault(
                "sender", Sender(self._http_client, library=self._library)
            )
        return sender


class AsyncHTTPXTransport:
    """Asynchronous twin of :class:`HTTPXTransport`."""

    __slots__ = ("_http_client", "_library", "_made")

    def __init__(
        self, http_client: httpx.AsyncClient | None = None, *, library: TransportName = "httpx"
    ) -> None:
        """Use ``http_client``, which stays yours to close, or pools made when needed."""
        _refuse_other_kind(http_client, asynchronous=True)
        _require(library)
        self._library = library
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
            sender = self._made.setdefault(
                "sender", AsyncSender(self._http_client, library=self._library)
            )
        return sender


def choose_transport(
    transport: Transport | TransportName | None,
    http_client: Any,
    environ: Mapping[str, str],
) -> Transport:
    """Return the transport of a client, from its arguments and the environment.

    ``CLAUDE_CLIENT_TRANSPORT=aiohttp`` is for asynchronous clients, and passed over here.

    Raises :class:`ConfigurationError` for a name there is not, :class:`MissingTransportError` for
    one whose package is not installed, and ``TypeError`` for a transport beside an HTTP client.
    """
    if not (transport is None or isinstance(transport, str)):
        _refuse_both(http_client)
        return transport
    if http_client is not None:
        if transport is not None:
            _refuse_both(http_client)
        return HTTPXTransport(http_client)
    if transport is None:
        named = _named_in(environ)
        return HTTPXTransport(library="httpx2" if named == "httpx2" else "httpx")
    _check_name(transport, "transport", _NAMES)
    return HTTPXTransport(library=transport)


def choose_async_transport(
    transport: AsyncTransport | AsyncTransportName | None,
    http_client: Any,
    environ: Mapping[str, str],
) -> AsyncTransport:
    """Return the transport of an asynchronous client; see :func:`choose_transport`."""
    if not (transport is None or isinstance(transport, str)):
        _refuse_both(http_client)
        return transport
    if http_client is not None:
        if transport is not None:
            _refuse_both(http_client)
        if _is_session(http_client):
            return _over_aiohttp(http_client)
        return AsyncHTTPXTransport(http_client)
    if transport is None:
        transport = _named_in(environ)
    else:
        _check_name(transport, "transport", _ASYNC_NAMES)
    if transport == "aiohttp":
        return _over_aiohttp(None)
    return AsyncHTTPXTransport(library="httpx2" if transport == "httpx2" else "httpx")


_NAMES = ("httpx", "httpx2")
_ASYNC_NAMES = (*_NAMES, "aiohttp")


def _named_in(environ: Mapping[str, str]) -> Any:
    name = setting(environ, TRANSPORT_VARIABLE)
    if name is None:
        return "httpx"
    _check_name(name, TRANSPORT_VARIABLE, _ASYNC_NAMES)
    return name


def _check_name(name: str, source: str, names: tuple[str, ...]) -> None:
    if name not in names:
        advice = "; aiohttp has no synchronous side, use AsyncClaude" if name == "aiohttp" else ""
        raise ConfigurationError(
            f"{source} is {name!r}, which names no transport; there are {', '.join(names)}{advice}"
        )


def _over_aiohttp(session: aiohttp.ClientSession | None) -> AsyncTransport:
    if session is None:
        _require("aiohttp")
    from .aiohttp_transport import AiohttpTransport

    return AiohttpTransport(session)


def _require(library: str) -> None:
    """Raise at construction, with what to install, rather than at the first request."""
    if library == "httpx":
        return
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise MissingTransportError(library)


def _is_session(http_client: object) -> bool:
    """Tell a session of aiohttp, without loading aiohttp."""
    return any(
        cls.__name__ == "ClientSession" and cls.__module__.partition(".")[0] == "aiohttp"
        for cls in type(http_client).__mro__
    )


def _refuse_both(http_client: object) -> None:
    if http_client is not None:
        raise TypeError("pass http_client or transport, not both")


def _refuse_other_kind(http_client: object, *, asynchronous: bool) -> None:
    """Raise at construction rather than at the first request."""
    if not asynchronous and _is_session(http_client):
        raise TypeError("http_client is a session of aiohttp, which is for AsyncClaude")
    if http_client is not None and hasattr(http_client, "aclose") is not asynchronous:
        given, other = ("a synchronous", "Async") if asynchronous else ("an asynchronous", "")
        raise TypeError(
            f"http_client is {given} client; pass an httpx.{other}Client, or use the other class"
        )
