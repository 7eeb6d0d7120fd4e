"""``messages.batches.run``: the sync and the async face of a run. Thin twins over :mod:`.runs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.codec import loads

from .driving import drive, drive_async, in_thread
from .errors import BatchResultsError
from .results import (
    AsyncBatchResults,
    BatchResults,
    RequestOrder,
    fetch_lines,
    fetch_lines_async,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from types import TracebackType

    from typing_extensions import Self

    from claude_rest.models import MessageBatch, MessageBatchIndividualResponse

    from .resource import AsyncBatches, Batches
    from .runs import RunCore, RunPart
    from .waiting import BatchProgress


class _RunFacts:
    """What both faces tell of a run."""

    _core: RunCore

    @property
    def batch_ids(self) -> list[str]:
        """IDs of the batches created so far, in the order of the requests."""
        return self._core.batch_ids

    @property
    def batches(self) -> list[MessageBatch]:
        """The batches as they were last seen, in the order of the requests."""
        return [part.batch for part in self._core.parts if part.batch is not None]

    @property
    def progress(self) -> BatchProgress:
        """How far the run is, by what the API last said."""
        return self._core.progress

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._core.progress!r})"


class BatchRun(_RunFacts):
    """Requests that run as batches; made by ``client.messages.batches.run``.

    Entering the ``with`` block checks the whole input and creates the batches. Iterating waits for
    them and yields a result for every request. Leaving the block early closes what is open here;
    the batches go on and are paid for, and a run with the same journal finds them again. Only
    :meth:`cancel` cancels them.
    """

    def __init__(self, core: RunCore, batches: Batches, decode: Callable[[Any], Any]) -> None:
        """Face a run; ``decode`` makes a result of a JSON value."""
        self._core = core
        self._batches = batches
        self._decode = decode
        self._is_entered = False

    def submit(self) -> None:
        """Create the batches that have not been created. Entering the block does this."""
        drive(self._core.submit(), self._batches)

    def wait(self) -> list[MessageBatch]:
        """Wait until every batch has ended, and return them in the order of the requests."""
        self.submit()
        drive(self._core.wait(), self._batches)
        return self.batches

    def cancel(self) -> None:
        """Cancel the batches that have not ended; what has been answered by then stays."""
        drive(self._core.cancel(), self._batches)

    def close(self) -> None:
        """Let go of the journal and of temporary files. Cancels nothing."""
        self._core.close()

    def __iter__(self) -> Generator[MessageBatchIndividualResponse, None, None]:
        self.submit()
        try:
            unread = list(self._core.parts)
            while (part := drive(self._core.next_ended(unread), self._batches)) is not None:
                if self._core.settings.order == "request":
                    yield from self._in_order(part)
                else:
                    yield from self._as_they_come(part)
        finally:
            if not self._is_entered:
                self.close()

    def _as_they_come(self, part: RunPart) -> Generator[MessageBatchIndividualResponse, None, None]:
        count = 0
        batch_id = self._core.batch_id(part)
        with BatchResults(self._batches, batch_id, self._core.settings.reading) as results:
            for item in results:
                count += 1
                yield item
        check_count(part, batch_id, count)

    def _in_order(self, part: RunPart) -> Generator[MessageBatchIndividualResponse, None, None]:
        batch_id = self._core.batch_id(part)
        order = RequestOrder(self._core.custom_ids(part), batch_id)
        try:
            fetch_lines(self._batches, batch_id, order, self._core.settings.reading)
            for line in order:
                yield self._decode(loads(line))
        finally:
            order.close()

    def __enter__(self) -> Self:
        self.submit()
        self._is_entered = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_entered = False
        self.close()


class AsyncBatchRun(_RunFacts):
    """Asynchronous twin of :class:`BatchRun`.

    Cancelling the task that waits cancels no batch: run again with the same journal.
    """

    def __init__(self, core: RunCore, batches: AsyncBatches, decode: Callable[[Any], Any]) -> None:
        """Face a run; ``decode`` makes a result of a JSON value."""
        self._core = core
        self._batches = batches
        self._decode = decode
        self._is_entered = False

    async def submit(self) -> None:
        """Create the batches that have not been created. Entering the block does this."""
        await drive_async(self._core.submit(), self._batches)

    async def wait(self) -> list[MessageBatch]:
        """Wait until every batch has ended, and return them in the order of the requests."""
        await self.submit()
        await drive_async(self._core.wait(), self._batches)
        return self.batches

    async def cancel(self) -> None:
        """Cancel the batches that have not ended; what has been answered by then stays."""
        await drive_async(self._core.cancel(), self._batches)

    async def close(self) -> None:
        """Let go of the journal and of temporary files. Cancels nothing."""
        self._core.close()

    async def __aiter__(self) -> AsyncGenerator[MessageBatchIndividualResponse, None]:
        await self.submit()
        try:
            unread = list(self._core.parts)
            while (
                part := await drive_async(self._core.next_ended(unread), self._batches)
            ) is not None:
                if self._core.settings.order == "request":
                    results = self._in_order(part)
                else:
                    results = self._as_they_come(part)
                try:
                    async for item in results:
                        yield item
                finally:
                    await results.aclose()
        finally:
            if not self._is_entered:
                await self.close()

    async def _as_they_come(
        self, part: RunPart
    ) -> AsyncGenerator[MessageBatchIndividualResponse, None]:
        count = 0
        batch_id = self._core.batch_id(part)
        async with AsyncBatchResults(
            self._batches, batch_id, self._core.settings.reading
        ) as results:
            async for item in results:
                count += 1
                yield item
        check_count(part, batch_id, count)

    async def _in_order(
        self, part: RunPart
    ) -> AsyncGenerator[MessageBatchIndividualResponse, None]:
        batch_id = self._core.batch_id(part)
        order: RequestOrder = await in_thread(RequestOrder, self._core.custom_ids(part), batch_id)
        try:
            await fetch_lines_async(self._batches, batch_id, order, self._core.settings.reading)
            for line in order:
                yield self._decode(loads(line))
        finally:
            order.close()

    async def __aenter__(self) -> Self:
        await self.submit()
        self._is_entered = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_entered = False
        await self.close()


def check_count(part: RunPart, batch_id: str, count: int) -> None:
    """Raise :class:`BatchResultsError` if a batch gave more or fewer results than requests."""
    if count != part.count:
        raise BatchResultsError(
            batch_id, f"there are {count:,}, and {part.count:,} requests were handed in"
        )
