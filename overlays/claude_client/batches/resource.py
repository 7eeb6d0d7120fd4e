"""``client.messages.batches`` with what no schema can say: waiting, and whole runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from claude_rest._runtime.unset import UNSET
from claude_rest.operations.message_batches import MESSAGES_BATCHES_RESULTS
from claude_rest.resources.messages_batches import AsyncBatches as GeneratedAsyncBatches
from claude_rest.resources.messages_batches import Batches as GeneratedBatches

from .asking import wait_for_batch
from .driving import drive, drive_async
from .results import AsyncBatchResults, BatchResults
from .run import AsyncBatchRun, BatchRun
from .run_settings import SETTLE_SECONDS, BatchSettings
from .runs import RunCore
from .splitting import MAX_BYTES, MAX_REQUESTS
from .waiting import BatchPolling, ProgressReport

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterable, Callable, Iterable

    from typing_extensions import Unpack

    from claude_rest._runtime.caller import CallOptions
    from claude_rest._runtime.unset import Unset
    from claude_rest.models import MessageBatch
    from claude_rest.params import MessageBatchRequestParam

    from ..callers import AsyncOverlayCaller, OverlayCaller
    from .journal import BatchJournal
    from .run_settings import Order
    from .waiting import BatchProgress

    BatchRequests: TypeAlias = Iterable[MessageBatchRequestParam]
    AsyncBatchRequests: TypeAlias = BatchRequests | AsyncIterable[MessageBatchRequestParam]

    class BatchOptions(CallOptions, total=False):
        """Keyword arguments of each request that a run sends."""

        workspace_id: str
        """Value of ``anthropic-workspace-id``, for credentials that reach several workspaces."""


class Batches(GeneratedBatches):
    """Methods of ``client.messages.batches``."""

    _caller: OverlayCaller

    def run(
        self,
        requests: BatchRequests | None = None,
        *,
        journal: str | os.PathLike[str] | BatchJournal | None = None,
        order: Order = "arrival",
        poll: BatchPolling | float | None = None,
        wait_timeout: float | None = None,
        progress: Callable[[BatchProgress], object] | bool | None = None,
        max_requests: int = MAX_REQUESTS,
        max_bytes: int = MAX_BYTES,
        settle_seconds: float = SETTLE_SECONDS,
        user_profile_id: str | Unset = UNSET,
        **options: Unpack[BatchOptions],
    ) -> BatchRun:
        """Run any number of requests as batches, and get a result for each.

        ::

            with client.messages.batches.run(requests, journal="night.journal") as run:
                for result in run:
                    print(result.custom_id, result.result.type)

        Nothing is sent before all requests were read and checked. With a journal, a run that was
        interrupted anywhere goes on where it was when it is run again with the same requests:
        no batch is created, and paid for, twice.

        Args:
            requests: The requests: a list, or anything that yields them. With a journal of which
                every batch was created they may be left out.
            journal: File that remembers what was created; begun if it is not there.
            order: ``"arrival"`` yields results as batches end, ``"request"`` in the order of the
                requests, by way of a temporary file.
            poll: How often to ask whether batches have ended; seconds for a steady rate.
            wait_timeout: Seconds to wait for batches; without it, until they end.
            progress: Is called with how far things are; ``True`` shows a bar on a terminal.
            max_requests: Requests of one batch at most. What a journal began with stays.
            max_bytes: Bytes of one batch at most. What a journal began with stays.
            settle_seconds: How long to look for a batch whose creation was not answered, before
                it counts as not created.
            user_profile_id: See :meth:`create`.

        Raises:
            BatchRequestError: a request is refused, with its index; nothing was sent.
            BatchJournalError: the journal is locked, damaged or of other requests; nothing was
                sent.
            BatchInDoubtError: which batch is the one of this run cannot be told.
            BatchWaitTimeoutError: the batches take longer than ``wait_timeout``.
        """
        settings = BatchSettings(
            policy=self._caller.settings.retry,
            budget=self._caller.settings.retry_budget,
            options=options,
            user_profile_id=user_profile_id,
            max_requests=max_requests,
            max_bytes=max_bytes,
            order=order,
            poll=poll,
            timeout=wait_timeout,
            progress=progress,
            settle_seconds=settle_seconds,
        )
        decode = self._caller._decode_item(MESSAGES_BATCHES_RESULTS.response_type)
        return BatchRun(RunCore(requests, journal, settings), self, decode)

    def wait(
        self,
        message_batch_id: str,
        *,
        poll: BatchPolling | float | None = None,
        wait_timeout: float | None = None,
        progress: Callable[[BatchProgress], object] | bool | None = None,
        **options: Unpack[BatchOptions],
    ) -> MessageBatch:
        """Wait until a batch has ended, and return it.

        Args:
            message_batch_id: ID of the batch.
            poll: See :meth:`run`.
            wait_timeout: Seconds to wait at most.
            progress: See :meth:`run`.

        Raises:
            BatchWaitTimeoutError: it takes longer than ``wait_timeout``.
        """
        report = ProgressReport(progress)
        steps = wait_for_batch(
            message_batch_id,
            poll=BatchPolling.of(poll),
            timeout=wait_timeout,
            report=report,
            options=dict(options),
        )
        try:
            return drive(steps, self)
        finally:
            report.close()

    def iter_results(self, message_batch_id: str, **options: Unpack[BatchOptions]) -> BatchResults:
        """Return the results of a batch that has ended, each once, however the download goes.

        As :meth:`results`, but a download that is interrupted goes on where it was.

        Args:
            message_batch_id: ID of the batch.
        """
        return BatchResults(self, message_batch_id, options)


class AsyncBatches(GeneratedAsyncBatches):
    """Methods of ``client.messages.batches`` on an asynchronous client."""

    _caller: AsyncOverlayCaller

    def run(
        self,
        requests: AsyncBatchRequests | None = None,
        *,
        journal: str | os.PathLike[str] | BatchJournal | None = None,
        order: Order = "arrival",
        poll: BatchPolling | float | None = None,
        wait_timeout: float | None = None,
        progress: Callable[[BatchProgress], object] | bool | None = None,
        max_requests: int = MAX_REQUESTS,
        max_bytes: int = MAX_BYTES,
        settle_seconds: float = SETTLE_SECONDS,
        user_profile_id: str | Unset = UNSET,
        **options: Unpack[BatchOptions],
    ) -> AsyncBatchRun:
        """Run any number of requests as batches, and get a result for each.

        ::

            async with client.messages.batches.run(requests, journal="night.journal") as run:
                async for result in run:
                    print(result.custom_id, result.result.type)

        The arguments, and what it raises, are those of the synchronous client. The requests are
        read in a thread beside the event loop, or awaited where they come from an asynchronous
        iterable.
        """
        settings = BatchSettings(
            policy=self._caller.settings.retry,
            budget=self._caller.settings.retry_budget,
            options=options,
            user_profile_id=user_profile_id,
            max_requests=max_requests,
            max_bytes=max_bytes,
            order=order,
            poll=poll,
            timeout=wait_timeout,
            progress=progress,
            settle_seconds=settle_seconds,
        )
        decode = self._caller._decode_item(MESSAGES_BATCHES_RESULTS.response_type)
        return AsyncBatchRun(RunCore(requests, journal, settings), self, decode)

    async def wait(
        self,
        message_batch_id: str,
        *,
        poll: BatchPolling | float | None = None,
        wait_timeout: float | None = None,
        progress: Callable[[BatchProgress], object] | bool | None = None,
        **options: Unpack[BatchOptions],
    ) -> MessageBatch:
        """Wait until a batch has ended, and return it.

        Args:
            message_batch_id: ID of the batch.
            poll: See :meth:`run`.
            wait_timeout: Seconds to wait at most.
            progress: See :meth:`run`.

        Raises:
            BatchWaitTimeoutError: it takes longer than ``wait_timeout``.
        """
        report = ProgressReport(progress)
        steps = wait_for_batch(
            message_batch_id,
            poll=BatchPolling.of(poll),
            timeout=wait_timeout,
            report=report,
            options=dict(options),
        )
        try:
            return await drive_async(steps, self)
        finally:
            report.close()

    def iter_results(
        self, message_batch_id: str, **options: Unpack[BatchOptions]
    ) -> AsyncBatchResults:
        """Return the results of a batch that has ended, each once, however the download goes.

        As :meth:`results`, but a download that is interrupted goes on where it was.

        Args:
            message_batch_id: ID of the batch.
        """
        return AsyncBatchResults(self, message_batch_id, options)
