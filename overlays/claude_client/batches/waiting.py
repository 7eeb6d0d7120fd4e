"""When to ask again how far batches are, and what the answers come to. Pure."""

from __future__ import annotations

from random import random as _random
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.errors import APIConnectionError, APIStatusError

from ..retries import RETRYABLE_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from claude_rest._runtime.errors import APIError
    from claude_rest.models import MessageBatch

    class ProgressDisplay(Protocol):
        """What shows progress; a ``claude_client.progress.ProgressBar`` is one."""

        def update(self, done: int, total: int | None) -> None:
            """Show how far things are."""

        def close(self) -> None:
            """Leave the terminal as it was."""


class BatchPolling:
    """How often a batch is asked about: soon at first, then ever more rarely."""

    __slots__ = ("factor", "first", "jitter", "longest", "patience", "random")

    first: float
    """Seconds before the first question."""
    longest: float
    """Seconds between two questions at most."""
    factor: float
    """How many times the wait before is the next one."""
    jitter: float
    """Largest part of a wait that chance takes off, so that many programs do not ask at once."""
    patience: float
    """Seconds for which questions may go wrong one after the other before that is an error."""

    def __init__(
        self,
        first: float = 1.5,
        longest: float = 60.0,
        *,
        factor: float = 1.6,
        jitter: float = 0.2,
        patience: float = 3600.0,
        random: Callable[[], float] = _random,
    ) -> None:
        """Set how to poll; see the attributes. Raises ``ValueError`` for what makes no sense."""
        if not (0 < first <= longest and factor >= 1 and 0 <= jitter < 1 and patience >= 0):
            raise ValueError(
                "polling needs 0 < first <= longest, factor >= 1, 0 <= jitter < 1, patience >= 0"
            )
        self.first = first
        self.longest = longest
        self.factor = factor
        self.jitter = jitter
        self.patience = patience
        self.random = random

    @classmethod
    def of(cls, value: BatchPolling | float | None) -> BatchPolling:
        """Return what ``value`` stands for: seconds between questions, or None for the usual."""
        if isinstance(value, BatchPolling):
            return value
        return cls() if value is None else cls(value, value, factor=1)

    def wait(self, questions: int) -> float:
        """Return the seconds before the next question, when so many were asked."""
        # The power of many questions would be beyond any float.
        grown = self.first * self.factor ** min(questions, 64)
        return min(grown, self.longest) * (1 - self.jitter * self.random())


class BatchProgress:
    """How far one or several batches are."""

    __slots__ = ("batches", "canceled", "ended", "errored", "expired", "processing", "succeeded")

    processing: int
    """Requests without a result yet; the API says so of all until a batch has ended."""
    succeeded: int
    errored: int
    canceled: int
    expired: int
    batches: int
    """Number of batches."""
    ended: int
    """Number of batches that have ended."""

    def __init__(self, batches: Iterable[MessageBatch] = ()) -> None:
        """Add up what batches say."""
        self.processing = self.succeeded = self.errored = self.canceled = self.expired = 0
        self.batches = self.ended = 0
        for batch in batches:
            counts = batch.request_counts
            self.processing += counts.processing
            self.succeeded += counts.succeeded
            self.errored += counts.errored
            self.canceled += counts.canceled
            self.expired += counts.expired
            self.batches += 1
            self.ended += batch.processing_status == "ended"

    @property
    def done(self) -> int:
        """Requests that have a result."""
        return self.succeeded + self.errored + self.canceled + self.expired

    @property
    def total(self) -> int:
        """All requests."""
        return self.done + self.processing

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BatchProgress):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)}" for name in self.__slots__)
        return f"BatchProgress({fields})"


class ProgressReport:
    """Tells whoever wants to know; ``True`` stands for a bar on the terminal."""

    def __init__(self, wanted: Callable[[BatchProgress], object] | bool | None) -> None:
        """Take a function, or whether there is to be a bar."""
        self._tell = wanted if callable(wanted) else None
        self._wants_bar = wanted is True
        self._bar: ProgressDisplay | None = None

    def __call__(self, progress: BatchProgress) -> None:
        """Report."""
        if self._tell is not None:
            self._tell(progress)
        elif self._wants_bar:
            if self._bar is None:
                from ..progress import ProgressBar

                self._bar = ProgressBar("batches", unit="requests")
            self._bar.update(progress.done, progress.total)

    def close(self) -> None:
        """Leave the terminal as it was."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()


def request_total(batch: MessageBatch) -> int:
    """Return how many requests a batch has."""
    return BatchProgress([batch]).total


def passes(error: APIError) -> bool:
    """Tell whether asking again later may help."""
    if isinstance(error, APIStatusError):
        return error.status_code >= 500 or error.status_code in RETRYABLE_STATUSES
    return isinstance(error, APIConnectionError) and not _is_for_good(error)


def _is_for_good(error: Any) -> bool:
    from ..retries import Outcome

    outcome = Outcome.of(error)
    return outcome is not None and outcome.untrusted
