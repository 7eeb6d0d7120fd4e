"""Reads the results of a batch to their end: an interrupted download goes on where it was.

Results come in any order, and nothing says that the order is the same next time. So what was given
out is remembered by name, eight bytes for each, and passed over in the next download.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.codec import DecodeError, loads
from claude_rest._runtime.errors import APIConnectionError, StreamTruncatedError
from claude_rest._runtime.jsonl import JSONLDecoder

from ..logs import INFO, log
from .driving import pause, pause_async
from .errors import BatchResultsError
from .waiting import BatchPolling, passes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from claude_rest.models import MessageBatchIndividualResponse

    from .resource import AsyncBatches, Batches

MAX_INTERRUPTIONS = 5
"""How many downloads in a row may break off without a single new result."""

_OPERATION = "messages.batches.results"
_SOON = BatchPolling(0.5, 30.0, factor=2.0)


class Downloads:
    """Counts the downloads of one batch's results, and knows which results were given out."""

    __slots__ = ("_failures", "_known", "given")

    given: array[int]
    """Hashes of the names that were given out; they mean something only in this process."""

    def __init__(self) -> None:
        """Start with the first download."""
        self.given = array("q")
        self._known = 0
        self._failures = 0

    def broken(self, error: APIConnectionError) -> float:
        """Return how long to wait before the next download, or raise ``error``."""
        if len(self.given) > self._known:
            self._failures = 0
        self._known = len(self.given)
        self._failures += 1
        if self._failures > MAX_INTERRUPTIONS or not passes(error):
            raise error
        wait = _SOON.wait(self._failures - 1)
        log(
            INFO,
            "%s: interrupted after %d results, going on in %.1f s: %s",
            _OPERATION,
            self._known,
            wait,
            error,
            operation=_OPERATION,
            reason=str(error),
            wait=wait,
        )
        return wait

    def passed(self) -> set[int]:
        """Return the names to pass over in a new download."""
        return set(self.given)


class BatchResults:
    """Results of one batch in the order they arrive; a context manager and an iterator.

    Leaving the ``with`` block closes the response. So does the end of the results, and an error.
    """

    def __init__(self, batches: Batches, batch_id: str, options: Any = None) -> None:
        """Prepare to read; nothing is sent before the first result is asked for."""
        self.batch_id = batch_id
        self._items = self._read(batches, options or {})

    def _read(
        self, batches: Batches, options: Any
    ) -> Generator[MessageBatchIndividualResponse, None, None]:
        downloads = Downloads()
        note = downloads.given.append
        while True:
            passed = downloads.passed()
            try:
                with batches.results(self.batch_id, **options) as stream:
                    for item in stream:
                        name = hash(item.custom_id)
                        if name not in passed:
                            note(name)
                            yield item
                return
            except APIConnectionError as error:
                wait = downloads.broken(error)
            pause(wait)

    def __iter__(self) -> Generator[MessageBatchIndividualResponse, None, None]:
        # The generator itself: every result would pay for another call.
        return self._items

    def __next__(self) -> MessageBatchIndividualResponse:
        return next(self._items)

    def close(self) -> None:
        """Close the response. Safe to call more than once."""
        self._items.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncBatchResults:
    """Asynchronous twin of :class:`BatchResults`."""

    def __init__(self, batches: AsyncBatches, batch_id: str, options: Any = None) -> None:
        """Prepare to read; nothing is sent before the first result is asked for."""
        self.batch_id = batch_id
        self._items = self._read(batches, options or {})

    async def _read(
        self, batches: AsyncBatches, options: Any
    ) -> AsyncGenerator[MessageBatchIndividualResponse, None]:
        downloads = Downloads()
        note = downloads.given.append
        while True:
            passed = downloads.passed()
            try:
                async with await batches.results(self.batch_id, **options) as stream:
                    async for item in stream:
                        name = hash(item.custom_id)
                        if name not in passed:
                            note(name)
                            yield item
                return
            except APIConnectionError as error:
                wait = downloads.broken(error)
            await pause_async(wait)

    def __aiter__(self) -> AsyncGenerator[MessageBatchIndividualResponse, None]:
        return self._items

    async def __anext__(self) -> MessageBatchIndividualResponse:
        return await self._items.__anext__()

    async def close(self) -> None:
        """Close the response. Safe to call more than once."""
        await self._items.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class RequestOrder:
    """Puts results into the order of their requests, on disk.

    Lines go into a temporary file as they come; in memory is about 30 bytes for each request.
    """

    def __init__(self, custom_ids: Iterable[str], batch_id: str) -> None:
        """Take the names in the wanted order."""
        names = array("q", map(hash, custom_ids))
        # Two names share 64 bits once in billions of batches.
        self._places = array("L", sorted(range(len(names)), key=names.__getitem__))
        self._names = array("q", (names[place] for place in self._places))
        self._starts = array("q", [-1]) * len(names)
        self._sizes = array("Q", [0]) * len(names)
        self._batch_id = batch_id
        self._file = TemporaryFile()  # noqa: SIM115 - closed by close()
        self._end = 0
        self.downloads = Downloads()

    def __len__(self) -> int:
        return len(self._starts)

    def take(self, line: bytes, number: int) -> None:
        """Keep a line, the ``number``-th of its download; one that is there already is passed over.

        Raises :class:`BatchResultsError` for one that belongs to no request.
        """
        if not line or line.isspace():
            return
        try:
            custom_id = loads(line)["custom_id"]
            name = hash(custom_id)
        except (DecodeError, KeyError, TypeError) as error:
            raise BatchResultsError(
                self._batch_id, f"line {number} is no result ({error!r}): {line[:200]!r}"
            ) from error
        found = bisect_left(self._names, name)
        if found == len(self._names) or self._names[found] != name:
            raise BatchResultsError(
                self._batch_id, f"line {number} is of {custom_id!r}, which is no request of it"
            )
        place = self._places[found]
        if self._starts[place] < 0:
            self._file.write(line)
            self._starts[place] = self._end
            self._sizes[place] = len(line)
            self._end += len(line)
            self.downloads.given.append(name)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines in the order of the requests.

        Raises :class:`BatchResultsError` where one is missing.
        """
        for place, start in enumerate(self._starts):
            if start < 0:
                raise BatchResultsError(self._batch_id, f"there is none for its request {place}")
            self._file.seek(start)
            yield self._file.read(self._sizes[place])

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


class _Lines:
    """Gives the lines of one download to whoever takes them."""

    def __init__(self, take: Callable[[bytes, int], None]) -> None:
        self._take = take
        self._decoder = JSONLDecoder()
        self._number = 0

    def feed(self, chunk: bytes) -> None:
        for line in self._decoder.split(chunk):
            self._number += 1
            self._take(line, self._number)

    def end(self) -> None:
        for line in self._decoder.rest():
            self._number += 1
            try:
                loads(line)
            except DecodeError as error:
                raise StreamTruncatedError(
                    f"the body ended in the middle of line {self._number}",
                    events_seen=self._number - 1,
                    operation=_OPERATION,
                ) from error
            self._take(line, self._number)


def fetch_lines(batches: Batches, batch_id: str, order: RequestOrder, options: Any) -> None:
    """Download all results of a batch, however often that is interrupted."""
    while True:
        lines = _Lines(order.take)
        try:
            with batches.with_streaming_response.results(batch_id, **options) as response:
                for chunk in response.iter_bytes():
                    lines.feed(chunk)
                lines.end()
        except APIConnectionError as error:
            wait = order.downloads.broken(error)
        else:
            return
        pause(wait)


async def fetch_lines_async(
    batches: AsyncBatches, batch_id: str, order: RequestOrder, options: Any
) -> None:
    """Asynchronous twin of :func:`fetch_lines`."""
    while True:
        lines = _Lines(order.take)
        try:
            async with batches.with_streaming_response.results(batch_id, **options) as response:
                async for chunk in response.iter_bytes():
                    lines.feed(chunk)
                lines.end()
        except APIConnectionError as error:
            wait = order.downloads.broken(error)
        else:
            return
        await pause_async(wait)
