"""Sends requests through a throttle: waits, sends, and reads off answers what was used.

Thin twins: what they share is :class:`.throttle.Throttle`.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.errors import APIConnectionError, origin_of

from ..logs import log_request_body
from ..retries import UNSENT_PHASES
from .demand import UsageReader, Used, used_by
from .waiters import ThreadWaiter, async_waiter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from claude_rest._runtime.meta import Meta
    from claude_rest._runtime.request import PreparedRequest

    from ..attempts import Attempts
    from ..calls import Plan
    from ..transports import AsyncResponse, AsyncTransport, Response, Transport
    from .line import Ticket
    from .throttle import Throttle

_IDENTITY = ("x-api-key", "authorization", "anthropic-workspace-id")
_UNKNOWN = Used()


class _Scopes:
    """Tells what the requests of one client share their limits with."""

    __slots__ = ("_last", "_namespace")

    def __init__(self, namespace: str | None) -> None:
        self._namespace = namespace
        self._last: tuple[list[str], str] = ([], "")

    def of(self, prepared: PreparedRequest) -> str:
        if self._namespace is not None:
            return self._namespace
        facts = [value for name, value in prepared.headers if name in _IDENTITY]
        url = prepared.url
        facts.append(url[: url.find("/", 8)])
        last, scope = self._last
        if facts != last:
            scope = fingerprint(prepared)
            self._last = (facts, scope)
        return scope


def fingerprint(prepared: PreparedRequest) -> str:
    """Return a name for credential, workspace and server of a request that gives none away."""
    facts = [origin_of(prepared.url), *(prepared.header(name) or "" for name in _IDENTITY)]
    return sha256("\n".join(facts).encode()).hexdigest()[:20]


class Sending:
    """Sends the requests of one synchronous client."""

    __slots__ = ("_scopes", "throttle")

    def __init__(self, throttle: Throttle) -> None:
        """Let ``throttle`` say when."""
        self.throttle = throttle
        self._scopes = _Scopes(throttle.namespace)

    def send(
        self, transport: Transport, prepared: PreparedRequest, plan: Plan, attempts: Attempts
    ) -> Response:
        """Send once there is room for the request.

        Raises ``ThrottleTimeoutError`` and what ``transport`` raises.
        """
        ticket = self._admit(prepared, plan, attempts.deadline)
        try:
            log_request_body(prepared)
            raw = transport.send(
                prepared, timeout=plan.timeout, attempt=attempts.number, deadline=attempts.deadline
            )
        except BaseException as error:
            self.throttle.lost(ticket, unsent=_is_unsent(error))
            raise
        if self.throttle.answered(ticket, raw.meta):
            return ThrottledResponse(raw, ticket, self.throttle)
        return raw

    def _admit(self, prepared: PreparedRequest, plan: Plan, deadline: float | None) -> Ticket:
        throttle = self.throttle
        ticket = throttle.enter(self._scopes.of(prepared), plan.demand, deadline)
        if ticket.grant is not None:
            return ticket
        waiter = ThreadWaiter()
        ticket.wake = waiter.wake
        try:
            while True:
                shared = throttle.shared_turn(ticket)
                taken = None if shared is None else shared.take(ticket)
                if taken is None:
                    seconds, event = throttle.step(ticket)
                else:
                    seconds, event = throttle.shared_step(ticket, taken)
                if ticket.grant is not None:
                    return ticket
                if event is not None and throttle.on_wait is not None:
                    throttle.on_wait(event)
                waiter.wait(seconds)
        except BaseException:
            throttle.abandon(ticket)
            raise


class AsyncSending:
    """Asynchronous twin of :class:`Sending`."""

    __slots__ = ("_scopes", "throttle")

    def __init__(self, throttle: Throttle) -> None:
        """Let ``throttle`` say when."""
        self.throttle = throttle
        self._scopes = _Scopes(throttle.namespace)

    async def send(
        self, transport: AsyncTransport, prepared: PreparedRequest, plan: Plan, attempts: Attempts
    ) -> AsyncResponse:
        """Send once there is room for the request; see :meth:`Sending.send`."""
        ticket = await self._admit(prepared, plan, attempts.deadline)
        try:
            log_request_body(prepared)
            raw = await transport.send(
                prepared, timeout=plan.timeout, attempt=attempts.number, deadline=attempts.deadline
            )
        except BaseException as error:
            self.throttle.lost(ticket, unsent=_is_unsent(error))
            raise
        if self.throttle.answered(ticket, raw.meta):
            return AsyncThrottledResponse(raw, ticket, self.throttle)
        return raw

    async def _admit(self, prepared: PreparedRequest, plan: Plan, deadline: float | None) -> Ticket:
        throttle = self.throttle
        ticket = throttle.enter(self._scopes.of(prepared), plan.demand, deadline)
        if ticket.grant is not None:
            return ticket
        waiter = async_waiter()
        ticket.wake = waiter.wake
        try:
            while True:
                shared = throttle.shared_turn(ticket)
                taken = None if shared is None else await shared.take_async(ticket)
                if taken is None:
                    seconds, event = throttle.step(ticket)
                else:
                    seconds, event = throttle.shared_step(ticket, taken)
                if ticket.grant is not None:
                    return ticket
                if event is not None and throttle.on_wait is not None:
                    throttle.on_wait(event)
                await waiter.wait(seconds)
        except BaseException:
            throttle.abandon(ticket)
            raise


def _is_unsent(error: BaseException) -> bool:
    return isinstance(error, APIConnectionError) and error.phase in UNSENT_PHASES


class _Watched:
    """What both kinds of response share."""

    __slots__ = ("_raw", "_reader", "_throttle", "_ticket")

    def __init__(self, raw: Any, ticket: Ticket, throttle: Throttle) -> None:
        self._raw = raw
        self._ticket = ticket
        self._throttle = throttle
        self._reader = UsageReader()

    @property
    def meta(self) -> Meta:
        """Metadata of the response."""
        meta: Meta = self._raw.meta
        return meta

    def feed(self, piece: bytes) -> None:
        """Look at a piece of the body."""
        self._reader.feed(piece)

    def complete(self) -> None:
        """Note that the whole body has gone by."""
        self._end(self._reader.used(whole=True))

    def _end(self, used: Used) -> None:
        if not self._ticket.over:
            self._throttle.finished(self._ticket, used)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def __del__(self) -> None:
        if not self._ticket.over:
            self._throttle.drop(self._ticket)


# Not generators: one that is left before its end would have to be closed where it was left.


class _Pieces:
    __slots__ = ("_pieces", "_response")

    def __init__(self, pieces: Iterator[bytes], response: _Watched) -> None:
        self._pieces = pieces
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except StopIteration:
            self._response.complete()
            raise
        self._response.feed(piece)
        return piece

    def finish(self) -> None:
        """Read on if that ends the body at once, so that its connection can be used again."""
        finish = getattr(self._pieces, "finish", None)
        if finish is not None:
            finish()


class _AsyncPieces:
    __slots__ = ("_pieces", "_response")

    def __init__(self, pieces: AsyncIterator[bytes], response: _Watched) -> None:
        self._pieces = pieces
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await self._pieces.__anext__()
        except StopAsyncIteration:
            self._response.complete()
            raise
        self._response.feed(piece)
        return piece

    async def finish(self) -> None:
        """Read on if that ends the body at once, so that its connection can be used again."""
        finish = getattr(self._pieces, "finish", None)
        if finish is not None:
            await finish()

    async def aclose(self) -> None:
        """End the reading; what is below may be generators."""
        aclose = getattr(self._pieces, "aclose", None)
        if aclose is not None:
            await aclose()


class ThrottledResponse(_Watched):
    """A response; tells the throttle what it used when its body has been read."""

    __slots__ = ()

    def read(self) -> bytes:
        """Return the whole body and close the response."""
        used = _UNKNOWN
        try:
            content: bytes = self._raw.read()
            used = used_by(content)
        finally:
            self._end(used)
        return content

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body in the pieces it arrives in."""
        return _Pieces(iter(self._raw.iter_bytes()), self)

    def close(self) -> None:
        """Close the response; safe to call more than once."""
        try:
            self._raw.close()
        finally:
            self._end(self._reader.used(whole=False))


class AsyncThrottledResponse(_Watched):
    """Asynchronous twin of :class:`ThrottledResponse`."""

    __slots__ = ()

    async def read(self) -> bytes:
        """Return the whole body and close the response."""
        used = _UNKNOWN
        try:
            content: bytes = await self._raw.read()
            used = used_by(content)
        finally:
            self._end(used)
        return content

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the body in the pieces it arrives in."""
        return _AsyncPieces(self._raw.iter_bytes().__aiter__(), self)

    async def close(self) -> None:
        """Close the response; safe to call more than once."""
        try:
            await self._raw.close()
        finally:
            self._end(self._reader.used(whole=False))
