"""Asks about one batch until it has ended; failures that pass are borne. No I/O of its own."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.errors import APIError

from ..logs import INFO, log
from .driving import Call, Sleep
from .errors import BatchWaitTimeoutError
from .waiting import BatchPolling, BatchProgress, ProgressReport, passes

if TYPE_CHECKING:
    from claude_rest.models import MessageBatch

    from .driving import Steps


def wait_for_batch(
    batch_id: str,
    *,
    poll: BatchPolling,
    timeout: float | None,
    report: ProgressReport,
    options: dict[str, Any],
) -> Steps[MessageBatch]:
    """Wait for one batch to end, and return it."""
    deadline = None if timeout is None else monotonic() + timeout
    failing_since: float | None = None
    polls = 0
    while True:
        try:
            batch: MessageBatch = yield Call("retrieve", batch_id, **options)
        except APIError as error:
            failing_since = check_patience(error, failing_since, poll)
        else:
            failing_since = None
            report(BatchProgress([batch]))
            if batch.processing_status == "ended":
                return batch
        pause = poll.wait(polls)
        polls += 1
        if deadline is not None:
            pause = min(pause, deadline - monotonic())
            if pause <= 0:
                raise BatchWaitTimeoutError([batch_id], timeout or 0)
        yield Sleep(pause)


def check_patience(error: APIError, since: float | None, poll: BatchPolling) -> float:
    """Return since when asking has failed, or raise an error that is not going to pass."""
    now = monotonic()
    since = now if since is None else since
    if not passes(error) or now - since > poll.patience:
        raise error
    log(INFO, "asking about a batch failed, will ask again: %s", error, reason=str(error))
    return since
