"""Carries out the steps that the deciding parts ask for. Thin twins; all I/O of a run is here.

What decides is a generator: it yields a step, gets what came of it, or has the error thrown in, and
returns its result. So the sync and the async client share every decision.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..drivers import asyncio_runs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator

    from .resource import AsyncBatches, Batches

    R = TypeVar("R")

    Steps: TypeAlias = Generator["Step", Any, R]
    """Yields steps and returns a result."""


_ITEMS_AT_ONCE = 64
"""How many are handed on at a time: to go into a thread takes its time."""


class Call:
    """Calls a method of ``client.messages.batches``; what comes back is awaited if it has to be."""

    __slots__ = ("arguments", "method", "options")

    def __init__(self, method: str, *arguments: Any, **options: Any) -> None:
        """Name the method and what it is called with."""
        self.method = method
        self.arguments = arguments
        self.options = options

    def on(self, batches: Any) -> Any:
        """Make the call."""
        return getattr(batches, self.method)(*self.arguments, **self.options)


class Work:
    """Does what takes a while on this machine; beside an event loop, not in it."""

    __slots__ = ("_act", "_arguments")

    def __init__(self, act: Callable[..., Any], *arguments: Any) -> None:
        """Take what to do."""
        self._act = act
        self._arguments = arguments

    def do(self) -> Any:
        """Do it."""
        return self._act(*self._arguments)


class Take:
    """Takes some items from an asynchronous iterator, none at its end; on an event loop only."""

    __slots__ = ("iterator",)

    def __init__(self, iterator: AsyncIterator[Any]) -> None:
        """Take the iterator."""
        self.iterator = iterator

    async def some(self) -> list[Any]:
        """Return what comes next."""
        found: list[Any] = []
        async for item in self.iterator:
            found.append(item)
            if len(found) == _ITEMS_AT_ONCE:
                break
        return found


class Sleep:
    """Waits."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        """Take the time."""
        self.seconds = seconds


class ReadNames:
    """Reads the ``custom_id`` of every result of a batch that has ended."""

    __slots__ = ("batch_id", "take")

    def __init__(self, batch_id: str, take: Callable[[str], object]) -> None:
        """Take the batch, and what gets each name."""
        self.batch_id = batch_id
        self.take = take


Step = Call | Work | Take | Sleep | ReadNames


def drive(steps: Steps[R], batches: Batches) -> R:
    """Carry out steps for a synchronous client."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as done:
            result: R = done.value
            return result
        answer = error = None
        try:
            if isinstance(step, Call):
                answer = step.on(batches)
            elif isinstance(step, Work):
                answer = step.do()
            elif isinstance(step, Sleep):
                pause(step.seconds)
            elif isinstance(step, Take):
                raise TypeError("an asynchronous iterable needs an asynchronous client")
            else:
                with batches.iter_results(step.batch_id) as results:
                    for item in results:
                        step.take(item.custom_id)
        except BaseException as raised:  # noqa: BLE001 - whoever decides gets it
            error = raised


async def drive_async(steps: Steps[R], batches: AsyncBatches) -> R:
    """Asynchronous twin of :func:`drive`."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            step = steps.send(answer) if error is None else steps.throw(error)
        except StopIteration as done:
            result: R = done.value
            return result
        answer = error = None
        try:
            if isinstance(step, Call):
                answer = await step.on(batches)
            elif isinstance(step, Work):
                answer = await in_thread(step.do)
            elif isinstance(step, Sleep):
                await pause_async(step.seconds)
            elif isinstance(step, Take):
                answer = await step.some()
            else:
                async with batches.iter_results(step.batch_id) as results:
                    async for item in results:
                        step.take(item.custom_id)
        except BaseException as raised:  # noqa: BLE001 - whoever decides gets it
            error = raised


def pause(seconds: float) -> None:
    """Wait."""
    from time import sleep

    sleep(seconds)


async def pause_async(seconds: float) -> None:
    """Wait on whichever event loop runs."""
    if asyncio_runs():
        import asyncio

        await asyncio.sleep(seconds)
    else:
        import anyio

        await anyio.sleep(seconds)


async def in_thread(act: Callable[..., Any], *arguments: Any) -> Any:
    """Do something beside the event loop, whichever runs.

    It is waited for even when this task is cancelled: what writes a journal must not go on after
    the journal was closed.
    """
    import anyio
    import anyio.to_thread

    working = partial(anyio.to_thread.run_sync, act, *arguments, abandon_on_cancel=False)
    if not asyncio_runs():
        return await working()
    import asyncio

    # A scope of anyio holds back its own cancellation, but not that of a task of asyncio.
    with anyio.CancelScope(shield=True):
        task = asyncio.ensure_future(working())
        cancelled: asyncio.CancelledError | None = None
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            task.exception()
            raise cancelled
        return task.result()
