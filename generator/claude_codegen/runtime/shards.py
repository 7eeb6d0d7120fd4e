"""Many httpx transports of one connection each, behind one.

httpcore looks at every connection of a pool whenever a request begins and whenever one ends, so
that the cost of a request grows with the number of requests beside it. Here each transport of httpx
has one connection, and a request is given one in a few steps however many there are.

What goes wrong in the middle of a request concerns one transport, which is closed and forgotten:
nothing it may have held is missing afterwards. The limits are those of a single pool: so many
connections in all, so many idle ones, each idle for so long; who has to wait is served in order.
"""

from __future__ import annotations

from collections import deque
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import leftovers
from .errors import ClosedClientError
from .limits import Limit
from .places import Places, PlaceTimeout, pass_on, wait_for_place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

KEEPALIVE_SECONDS = 5.0
"""How long a connection stays idle, as in httpx."""

_S = TypeVar("_S")
_W = TypeVar("_W")


class ShardBook(Places[_W], Generic[_S, _W]):
    """Which shard is idle, and who waits for a place. Does nothing by itself; not thread-safe."""

    __slots__ = ("_idle", "expiry", "idle", "max_idle")

    idle: int
    """Shards that wait for a request, each with a connection as a rule."""

    def __init__(self, limit: int, max_idle: int, expiry: float = KEEPALIVE_SECONDS) -> None:
        """Keep to so many connections in all, and so many idle ones for so many seconds."""
        super().__init__(limit)
        self.max_idle = max_idle
        self.expiry = expiry
        self.idle = 0
        # By origin, longest idle first.
        self._idle: dict[object, deque[tuple[float, _S]]] = {}

    def pick(self, origin: object, now: float) -> tuple[_S | None, list[_S]]:
        """Return the shard used last, if one is idle, and those that are to be closed."""
        surplus = self._expired(now)
        shards = self._idle.get(origin)
        if shards:
            self.idle -= 1
            shard = shards.pop()[1]
            if not shards:
                del self._idle[origin]
            return shard, surplus
        # One more connection is to come; those of other origins count too.
        while self.idle and self.active + self.idle > self.limit:
            surplus.append(self._longest_idle())
        return None, surplus

    def keep(self, origin: object, shard: _S, now: float) -> list[_S]:
        """Put a shard back, idle; returns those that are to be closed."""
        self._idle.setdefault(origin, deque()).append((now, shard))
        self.idle += 1
        surplus = self._expired(now)
        while self.idle > self.max_idle:
            surplus.append(self._longest_idle())
        return surplus

    def clear(self) -> list[_S]:
        """Forget all idle shards, and return them to be closed."""
        shards = [shard for several in self._idle.values() for _, shard in several]
        self._idle.clear()
        self.idle = 0
        return shards

    def _expired(self, now: float) -> list[_S]:
        found: list[_S] = []
        for origin in [
            origin for origin, shards in self._idle.items() if now - shards[0][0] > self.expiry
        ]:
            shards = self._idle[origin]
            while shards and now - shards[0][0] > self.expiry:
                found.append(shards.popleft()[1])
                self.idle -= 1
            if not shards:
                del self._idle[origin]
        return found

    def _longest_idle(self) -> _S:
        origin = min(self._idle, key=lambda origin: self._idle[origin][0][0])
        shards = self._idle[origin]
        shard = shards.popleft()[1]
        self.idle -= 1
        if not shards:
            del self._idle[origin]
        return shard


def _origin(request: Any) -> object:
    url = request.url
    return (url.raw_scheme, url.raw_host, url.port)


def _pool_timeout(request: Any) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("pool")
    if isinstance(seconds, Limit):
        # Made when the call began; some of its time may be gone.
        return Limit(seconds.seconds, seconds.deadline)
    return seconds


def _no_place(library: Any, request: Any) -> Exception:
    error: Exception = library.PoolTimeout("no connection became free in time", request=request)
    return error


def transport_classes(library: Any) -> tuple[type[Any], type[Any]]:
    """Return the synchronous and the asynchronous transport for httpx or a library like it."""
    made = _made.get(library.__name__)
    if made is None:
        made = _made.setdefault(library.__name__, _make_classes(library))
    return made


_made: dict[str, tuple[type[Any], type[Any]]] = {}


def _make_classes(library: Any) -> tuple[type[Any], type[Any]]:
    # The base classes are those by which httpx knows a transport and a body.
    body = type("ShardBody", (_Body, library.SyncByteStream), {})
    async_body = type("AsyncShardBody", (_AsyncBody, library.AsyncByteStream), {})
    return (
        type("ShardedTransport", (_Sharded, library.BaseTransport), {"body_class": body}),
        type(
            "AsyncShardedTransport",
            (_AsyncSharded, library.AsyncBaseTransport),
            {"body_class": async_body},
        ),
    )


class _Body:
    """The body of an answer; its shard is free again once this is closed."""

    def __init__(
        self, inner: Any, network_stream: Any, owner: _Sharded, shard: Any, origin: object
    ):
        self._inner = inner
        self._network_stream = network_stream
        self._owner = owner
        self._shard = shard
        self._origin = origin
        self._ended = False
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._inner
        self._ended = True

    def close(self) -> None:
        """Close the answer; its connection is kept if that is all it brought."""
        if self._closed:
            return
        self._closed = True
        whole = False
        try:
            clean = self._ended and leftovers.give_up(self._inner, self._network_stream)
            self._inner.close()
            whole = clean
        finally:
            self._owner.give_back(self._shard, self._origin, whole=whole)


class _Sharded:
    """Spreads requests over transports of one connection each; for any number of threads."""

    body_class: Any = _Body

    def __init__(
        self, library: Any, make: Callable[[], Any], *, max_connections: int, max_idle: int
    ) -> None:
        """Make shards with ``make``, as many as are needed at once."""
        self._library = library
        self._make = make
        self._lock = Lock()
        self.book: ShardBook[Any, Event] = ShardBook(max_connections, max_idle)
        self._busy: set[Any] = set()
        self._closed = False

    def handle_request(self, request: Any) -> Any:
        """Send one request on a connection that is free."""
        origin = _origin(request)
        shard = self._take(origin, request)
        try:
            response = shard.handle_request(request)
        except BaseException:
            self.give_back(shard, origin, whole=False)
            raise
        response.stream = self.body_class(
            response.stream, response.extensions.get("network_stream"), self, shard, origin
        )
        return response

    def _take(self, origin: object, request: Any) -> Any:
        with self._lock:
            waiter = None
            if not self.book.enter():
                waiter = Event()
                self.book.queue(waiter)
        if waiter is not None:
            self._wait(waiter, request)
        shard = None
        try:
            with self._lock:
                shard, surplus = self.book.pick(origin, monotonic())
            for each in surplus:
                each.close()
            if shard is None:
                shard = self._make()
            with self._lock:
                if self._closed:
                    # While this waited: nothing is sent any more.
                    raise ClosedClientError("the client has been closed")
                self._busy.add(shard)
            return shard
        except BaseException:
            self._leave()
            if shard is not None:
                shard.close()
            raise

    def _wait(self, waiter: Event, request: Any) -> None:
        came = False
        try:
            came = waiter.wait(_pool_timeout(request))
        finally:
            if not came:
                with self._lock:
                    queued = self.book.forget(waiter)
                if not queued:
                    self._leave()
        if not came:
            raise _no_place(self._library, request)

    def _leave(self) -> None:
        with self._lock:
            following = self.book.leave()
        if following is not None:
            following.set()

    def give_back(self, shard: Any, origin: object, *, whole: bool) -> None:
        """Take a shard back: to be used again if it is ``whole``, else it is closed."""
        surplus = [shard]
        with self._lock:
            self._busy.discard(shard)
            if whole and not self._closed:
                surplus = self.book.keep(origin, shard, monotonic())
        self._leave()
        for each in surplus:
            each.close()

    def close(self) -> None:
        """Close all connections, those of answers that are being read too."""
        with self._lock:
            self._closed = True
            shards = [*self.book.clear(), *self._busy]
        for shard in shards:
            shard.close()


class _AsyncBody:
    """Asynchronous twin of :class:`_Body`."""

    def __init__(
        self, inner: Any, network_stream: Any, owner: _AsyncSharded, shard: Any, origin: object
    ):
        self._inner = inner
        self._network_stream = network_stream
        self._owner = owner
        self._shard = shard
        self._origin = origin
        self._ended = False
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _AsyncPieces(self, self._inner.__aiter__())

    async def aclose(self) -> None:
        """Close the answer; its connection is kept if that is all it brought."""
        if self._closed:
            return
        self._closed = True
        whole = False
        try:
            clean = self._ended and leftovers.give_up(self._inner, self._network_stream)
            await self._inner.aclose()
            whole = clean
        finally:
            await self._owner.give_back(self._shard, self._origin, whole=whole)


class _AsyncPieces:
    """The pieces of a body, one by one; no generator, which would have to be closed as well."""

    __slots__ = ("_body", "_inner")

    def __init__(self, body: _AsyncBody, inner: AsyncIterator[bytes]) -> None:
        self._body = body
        self._inner = inner

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def aclose(self) -> None:
        """End the reading early, as that of a generator."""
        close = getattr(self._inner, "aclose", None)
        if close is not None:
            await close()

    async def __anext__(self) -> bytes:
        try:
            return await self._inner.__anext__()
        except StopAsyncIteration:
            self._body._ended = True
            raise


class _AsyncSharded:
    """Asynchronous twin of :class:`_Sharded`, for one event loop."""

    body_class: Any = _AsyncBody

    def __init__(
        self, library: Any, make: Callable[[], Any], *, max_connections: int, max_idle: int
    ) -> None:
        """Make shards with ``make``, as many as are needed at once."""
        self._library = library
        self._make = make
        self.book: ShardBook[Any, Any] = ShardBook(max_connections, max_idle)
        self._busy: set[Any] = set()
        self._closed = False

    async def handle_async_request(self, request: Any) -> Any:
        """Send one request on a connection that is free."""
        origin = _origin(request)
        shard = await self._take(origin, request)
        try:
            response = await shard.handle_async_request(request)
        except BaseException:
            await self.give_back(shard, origin, whole=False)
            raise
        response.stream = self.body_class(
            response.stream, response.extensions.get("network_stream"), self, shard, origin
        )
        return response

    async def _take(self, origin: object, request: Any) -> Any:
        if not self.book.enter():
            try:
                await wait_for_place(self.book, _pool_timeout(request))
            except PlaceTimeout as error:
                raise _no_place(self._library, request) from error
        shard = None
        try:
            shard, surplus = self.book.pick(origin, monotonic())
            if surplus:
                await self._close_all(surplus)
            if self._closed:
                # While this waited: nothing is sent any more.
                raise ClosedClientError("the client has been closed")
            if shard is None:
                shard = self._make()
            self._busy.add(shard)
            return shard
        except BaseException:
            pass_on(self.book)
            if shard is not None:
                await self._close_all([shard])
            raise

    async def give_back(self, shard: Any, origin: object, *, whole: bool) -> None:
        """Take a shard back: to be used again if it is ``whole``, else it is closed."""
        self._busy.discard(shard)
        surplus = [shard]
        if whole and not self._closed:
            surplus = self.book.keep(origin, shard, monotonic())
        pass_on(self.book)
        if surplus:
            await self._close_all(surplus)

    async def _close_all(self, shards: list[Any]) -> None:
        from .cancellation import uninterrupted

        async def close() -> None:
            for shard in shards:
                await shard.aclose()

        await uninterrupted(close)

    async def aclose(self) -> None:
        """Close all connections, those of answers that are being read too."""
        self._closed = True
        await self._close_all([*self.book.clear(), *self._busy])
