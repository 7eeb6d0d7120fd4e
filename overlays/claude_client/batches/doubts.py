"""What became of a batch whose creation was not answered; the reasoning is in :mod:`.journal`.

No I/O: generators that yield steps, see :mod:`.driving`.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.errors import APIConnectionError, APIStatusError
from claude_rest._runtime.timestamp import Timestamp

from ..retries import UNSENT_PHASES, Outcome
from .driving import Call, ReadNames, Sleep
from .errors import BatchInDoubtError
from .splitting import IdsDigest
from .waiting import request_total

if TYPE_CHECKING:
    from collections.abc import Container

    from claude_rest._runtime.errors import APIError
    from claude_rest.models import MessageBatch

    from .driving import Steps
    from .journal import BatchIntent

PAGE = 100
_FIRST_LOOK = 0.5
_LONGEST_LOOK = 10.0


def was_refused(error: APIError) -> bool:
    """Tell whether an attempt that failed certainly created nothing.

    A server that says what is wrong with the request, or that it has no room, has created nothing.
    Any other status may come from a gateway that lost the server's answer.
    """
    if isinstance(error, APIStatusError):
        status = error.http_status
        return error.attempts == 0 or status == 529 or (300 <= status < 500 and status != 408)
    if isinstance(error, APIConnectionError):
        outcome = Outcome.of(error)
        return outcome is not None and (outcome.untrusted or outcome.phase in UNSENT_PHASES)
    return False


def newest_batch(options: Any) -> Steps[MessageBatch | None]:
    """Return the newest batch of the workspace, or None if there is none."""
    page = yield Call("list", limit=1, **options)
    newest: MessageBatch | None = page.data[0] if page.data else None
    return newest


def find_candidates(
    intent: BatchIntent, known: Container[str], options: Any
) -> Steps[list[MessageBatch]]:
    """Return the batches that came after an intent, are not ``known``, and have its size."""
    found: list[MessageBatch] = []
    last: str | None = None
    while True:
        cursor = {} if last is None else {"after_id": last}
        page = yield Call("list", limit=PAGE, **cursor, **options)
        for batch in page.data:
            if _is_older(batch, intent):
                return found
            if batch.id not in known and request_total(batch) == intent.count:
                found.append(batch)
        if not page.data or not page.has_more:
            return found
        last = page.data[-1].id


def _is_older(batch: MessageBatch, intent: BatchIntent) -> bool:
    """Tell whether a batch was there before the intent."""
    if batch.id == intent.newest_id:
        return True
    if intent.newest_created_at is None:
        return False
    # Where the newest one has been deleted since. Both times are the server's.
    return batch.created_at < Timestamp.parse(intent.newest_created_at)


def await_candidates(
    intent: BatchIntent, known: Container[str], seconds: float, options: Any
) -> Steps[list[MessageBatch]]:
    """Look for candidates until there are some, for so long at most.

    What was sent whole before its answer was lost may take the server a while.
    """
    end = monotonic() + seconds
    pause = _FIRST_LOOK
    while True:
        left = end - monotonic()
        found = yield from find_candidates(intent, known, options)
        # The last look is one that began after the time was over.
        if found or left <= 0:
            return found
        yield Sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_LOOK)


def choose_candidate(
    intent: BatchIntent, candidates: list[MessageBatch], read: dict[str, IdsDigest]
) -> Steps[MessageBatch | None]:
    """Return the one of several ended batches that has the names of an intent.

    ``read`` keeps the names of batches, as several intents may have the same candidates.

    Raises :class:`BatchInDoubtError` when results are gone, or several batches fit.
    """
    fitting: list[MessageBatch] = []
    for batch in candidates:
        if batch.id not in read:
            names = IdsDigest()
            try:
                yield ReadNames(batch.id, names.add)
            except APIStatusError as error:
                if error.status_code not in (400, 404):
                    raise
                raise BatchInDoubtError(
                    intent.part, [batch.id], "the results that would tell are not there any more"
                ) from error
            read[batch.id] = names
        found = read[batch.id]
        if (found.count, found.value) == (intent.count, intent.ids_digest):
            fitting.append(batch)
    if len(fitting) > 1:
        raise BatchInDoubtError(
            intent.part,
            [batch.id for batch in fitting],
            "several batches have the names of its requests",
        )
    return fitting[0] if fitting else None
