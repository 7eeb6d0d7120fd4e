"""What can go wrong with batches as a whole; for single requests see :mod:`.item_errors`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ClaudeError

if TYPE_CHECKING:
    from collections.abc import Sequence


class BatchError(ClaudeError):
    """Base of what goes wrong with a batch, beside the errors of the API and the connection."""


class BatchRequestError(BatchError, ValueError):
    """A request cannot go into a batch; nothing of the input was sent."""

    index: int
    """Place of the request in the input, from 0."""
    custom_id: object
    """Its ``custom_id``, whatever that is; None where there is none."""

    def __init__(self, index: int, custom_id: object, problem: str) -> None:
        """Name the request and say what is wrong with it."""
        named = "" if custom_id is None else f" (custom_id {_short(custom_id)})"
        super().__init__(f"request {index}{named}: {problem}")
        self.index = index
        self.custom_id = custom_id


class BatchJournalError(BatchError):
    """The journal of a run cannot be used as it is; nothing was sent."""


class BatchJournalLockedError(BatchJournalError):
    """Another process, or another run of this one, uses the journal."""


class BatchInputChangedError(BatchJournalError, ValueError):
    """The requests are not those that the journal was begun with."""

    part: int
    """First part that differs, from 0."""

    def __init__(self, part: int, problem: str) -> None:
        """Name the part and say how it differs."""
        super().__init__(
            f"part {part} of the journal: {problem}. Pass the same requests in the same order as "
            "in the run that began the journal, or use another journal for other requests."
        )
        self.part = part


class BatchInDoubtError(BatchError):
    """Whether a batch was created cannot be told; creating it again might be paid twice.

    Look at the batches named in ``batch_ids``. Then say what holds with
    :meth:`BatchJournal.settle`, and run again.
    """

    part: int
    """Part of the run, from 0."""
    batch_ids: tuple[str, ...]
    """Batches that may be the one."""

    def __init__(self, part: int, batch_ids: Sequence[str], problem: str) -> None:
        """Name the part, the batches that may be it, and what stands in the way."""
        super().__init__(
            f"part {part}: {problem}: {', '.join(batch_ids)}. Find out which of these batches is "
            f"the one of this run, and say so with BatchJournal.settle(path, {part}, batch_id), "
            "or with None for the ID if none of them is; then run again with the same journal."
        )
        self.part = part
        self.batch_ids = tuple(batch_ids)


class BatchWaitTimeoutError(BatchError, TimeoutError):
    """Batches did not end in the time given; they go on, and can be waited for again."""

    batch_ids: tuple[str, ...]
    """Batches that have not ended."""
    timeout: float
    """Seconds that were waited at most."""

    def __init__(self, batch_ids: Sequence[str], timeout: float) -> None:
        """Name the batches that have not ended."""
        shown = ", ".join(batch_ids[:3]) + (", …" if len(batch_ids) > 3 else "")
        super().__init__(f"not ended after {timeout:g} s: {shown}; the batches go on")
        self.batch_ids = tuple(batch_ids)
        self.timeout = timeout


class BatchResultsError(BatchError):
    """The results of a batch are not those of its requests."""

    batch_id: str

    def __init__(self, batch_id: str, problem: str) -> None:
        """Name the batch and say what is wrong."""
        super().__init__(f"results of {batch_id}: {problem}")
        self.batch_id = batch_id


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
