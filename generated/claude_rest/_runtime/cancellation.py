"""Cancelling and ending requests where httpcore can clean up, so that its pool stays whole."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .exchange import DeadlinePassedError
from .leftovers import give_up_leftovers
from .threads import running_loop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator

    from .exchange import Exchange

# What an iterator may give out while it is being ended; what is left comes from buffers.
_MOST_PIECES = 1000
# How often the turn may pass to others before a cancellation is let in nevertheless.
_MOST_TURNS = 20


async def send_cancellably(client: Any, request: Any, exchange: Exchange) -> Any:
    """Send; when the task is cancelled, stop only where httpcore can clean up.

    Cancelled between connecting and sending, it would keep a connection that no request uses or
    ever will, and so one place less in the pool. Nothing is waited for between its steps.

    Raises :class:`DeadlinePassedError`.
    """
    if running_loop() is None:
        return await send_in_time(client, request, exchange)
    left = exchange.left()
    progress = exchange.progress
    request.extensions["trace"] = progress
    import asyncio

    sending = asyncio.ensure_future(_send(client, request))

    async def abandon() -> None:
        while progress.between_steps and not sending.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
        sending.cancel()
        with suppress(Exception, asyncio.CancelledError):
            response = await sending
            await response.aclose()

    try:
        if left is None:
            return await asyncio.shield(sending)
        done, _ = await asyncio.wait((sending,), timeout=left)
        if done:
            return sending.result()
        phase = progress.phase
        await asyncio.shield(asyncio.ensure_future(abandon()))
        raise DeadlinePassedError(phase)
    except asyncio.CancelledError:
        await asyncio.shield(asyncio.ensure_future(abandon()))
        raise
    finally:
        del request.extensions["trace"]


async def send_in_time(client: Any, request: Any, exchange: Exchange) -> Any:
    """Send, wherever a cancellation may come: for pools that clean up after it.

    Raises :class:`DeadlinePassedError`.
    """
    if sys.version_info < (3, 11) and running_loop() is not None:
        # A task does not count its cancellations yet, and anyio takes one that comes together with
        # one of its own, when a connection is made, for that: the task would go on.
        return await send_cancellably(client, request, exchange)
    left = exchange.left()
    progress = exchange.progress
    request.extensions["trace"] = progress
    try:
        if left is None:
            return await _send(client, request)
        from anyio import move_on_after

        with move_on_after(left):
            return await _send(client, request)
        raise DeadlinePassedError(progress.phase)
    finally:
        # The body needs no watching.
        del request.extensions["trace"]


async def _send(client: Any, request: Any) -> Any:
    return await client.send(request, stream=True, follow_redirects=False)


def close_whole(response: Any) -> None:
    """Make the closing of a response give up a connection with leftovers, and go on to its end.

    httpcore gives the place in its pool back in several steps. A task cancelled between them
    would take the place with it for good. Other libraries than asyncio shield it already.

    For the client of a caller, see ``leftovers.close_cleanly``.
    """
    body = response.stream
    close_body = body.aclose
    network_stream = response.extensions.get("network_stream")

    async def close() -> None:
        if network_stream is not None:
            give_up_leftovers(body, network_stream)
        if running_loop() is None:
            await close_body()
        else:
            await uninterrupted(close_body)

    body.aclose = close


async def uninterrupted(work: Callable[[], Awaitable[object]]) -> None:
    """Await ``work``, which goes on to its end even when the task that waits is cancelled."""
    if running_loop() is None:
        from anyio import CancelScope

        with CancelScope(shield=True):
            await work()
        return
    import asyncio

    await asyncio.shield(asyncio.ensure_future(work()))


class Steady:
    """Awaits what it is given, which is cancelled only where it waits for something.

    Giving up a connection, httpcore passes the turn to others a few times without waiting for
    anything. Cancelled there it would never come to the end, and the connection to nobody.
    For asyncio only.
    """

    __slots__ = ("_awaited",)

    def __init__(self, awaited: Awaitable[bytes]) -> None:
        """Wrap ``awaited``."""
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, bytes]:
        from asyncio import CancelledError

        inner: Any = self._awaited.__await__()
        cancelled: CancelledError | None = None
        turns = 0
        try:
            waited = inner.send(None)
            while True:
                if cancelled is not None and (waited is not None or turns > _MOST_TURNS):
                    waited = inner.throw(cancelled)
                    cancelled = None
                    turns = 0
                try:
                    got = yield waited
                except CancelledError as error:
                    if waited is not None:
                        waited = inner.throw(error)
                        continue
                    cancelled = error
                    got = None
                turns += 1
                waited = inner.send(got)
        except GeneratorExit:
            inner.close()
            raise
        except StopIteration as end:
            if cancelled is not None:
                raise cancelled from None
            result: bytes = end.value
            return result
        except (Exception, CancelledError):
            if cancelled is not None:
                raise cancelled from None
            raise


async def end_iteration(pieces: AsyncIterator[bytes]) -> None:
    """End asynchronous generators that lie in each other, without waiting for anything.

    Closing the outermost would leave those below to the garbage collector, which makes a task of
    each that may come after the end of the loop. So it goes on, in a scope that is cancelled: the
    first thing that one of them waits for ends them all.
    """
    from anyio import CancelScope

    async def run() -> None:
        with CancelScope() as scope:
            scope.cancel()
            with suppress(Exception):
                for _ in range(_MOST_PIECES):
                    await pieces.__anext__()

    await uninterrupted(run)
