"""Decides what a run of batches does next. No I/O but through steps; see :mod:`.driving`."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.codec import EncodeError, dumps
from claude_rest._runtime.errors import (
    APIError,
    APIStatusError,
    BaseURLError,
    ClosedClientError,
    EnvironmentVariableError,
    HeaderValueError,
)
from claude_rest._runtime.operation import Operation
from claude_rest._runtime.timeouts import Timeout
from claude_rest.operations.message_batches import MESSAGES_BATCHES_CREATE

from ..attempts import Attempts
from ..errors import ApiVersionConflictError, BetaConflictError
from ..logs import INFO, log
from .asking import check_patience
from .doubts import (
    await_candidates,
    choose_candidate,
    find_candidates,
    newest_batch,
    was_refused,
)
from .driving import Call, Sleep, Take, Work
from .errors import BatchError, BatchInDoubtError, BatchJournalError, BatchWaitTimeoutError
from .journal import BatchIntent, BatchJournal
from .splitting import IdsDigest, RequestSplitter
from .spool import RequestSpool
from .waiting import BatchProgress, ProgressReport

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterable, Iterable, Iterator

    from claude_rest.models import MessageBatch
    from claude_rest.params import MessageBatchRequestParam

    from .driving import Steps
    from .run_settings import BatchSettings
    from .splitting import BatchPart

_SPLIT_SECONDS = 0.1
"""For how long requests are read and encoded in one go."""

_FACTS: dict[str, Any] = {
    name: getattr(MESSAGES_BATCHES_CREATE, name) for name in Operation.__slots__
}
# Whether the one before came to be is known by the time that it is tried again.
_FACTS["retry"] = "safe"
_CREATE_ONCE = Operation(**_FACTS)

_UNSENT_ERRORS = (
    ApiVersionConflictError,
    BaseURLError,
    BetaConflictError,
    ClosedClientError,
    EncodeError,
    EnvironmentVariableError,
    HeaderValueError,
)
"""What is raised before anything is sent; after anything else the batch is in doubt."""


class RunPart:
    """One part of a run and how far it is."""

    __slots__ = ("batch", "candidates", "count", "digest", "ids_digest", "index")

    index: int
    count: int
    """Number of requests."""
    digest: str
    ids_digest: str
    batch: MessageBatch | None
    """The batch as it was last seen."""
    candidates: dict[str, MessageBatch]
    """Batches that may be this part, while that is in doubt."""

    def __init__(self, index: int, count: int, digest: str, ids_digest: str) -> None:
        self.index = index
        self.count = count
        self.digest = digest
        self.ids_digest = ids_digest
        self.batch = None
        self.candidates = {}


class RunCore:
    """A run: parts are created once, waited for, and handed to whoever reads their results."""

    parts: list[RunPart]
    journal: BatchJournal

    def __init__(
        self,
        requests: Iterable[MessageBatchRequestParam]
        | AsyncIterable[MessageBatchRequestParam]
        | None,
        journal: str | os.PathLike[str] | BatchJournal | None,
        settings: BatchSettings,
    ) -> None:
        """Take what is to be done; nothing is opened, read or sent yet."""
        self.parts = []
        self.settings = settings
        self._requests = requests
        self._path = journal
        self._journal: BatchJournal | None = None
        self._spool: RequestSpool | None = None
        # Batches that were looked at and are not ours.
        self._foreign: set[str] = set()
        # What was said of batches in this round; and for good, of those that have ended.
        self._heard: dict[str, MessageBatch | None] = {}
        # Names in the results of batches that were looked at.
        self._names: dict[str, IdsDigest] = {}
        self._report = ProgressReport(settings.progress)
        self._deadline: float | None = None
        self._polls = 0
        self._failing_since: float | None = None
        self._is_begun = False
        self._is_submitted = False
        self._is_closed = False

    @property
    def batch_ids(self) -> list[str]:
        """IDs of the batches that are known, by part."""
        known = {} if self._journal is None else self._journal.batch_ids
        return [known[part] for part in sorted(known)]

    @property
    def progress(self) -> BatchProgress:
        """How far the batches are, by what was last heard."""
        progress = BatchProgress([part.batch for part in self.parts if part.batch is not None])
        for part in self.parts:
            if part.batch is None:
                progress.processing += part.count
                progress.batches += 1
        return progress

    def custom_ids(self, part: RunPart) -> Iterable[str]:
        """Return the names of a part in the order of its requests."""
        if self._is_closed:
            raise BatchError(
                "the run is closed, and with it the order of its requests; iterate inside of the "
                "with block"
            )
        assert self._spool is not None
        return self._spool.custom_ids(part.index)

    def batch_id(self, part: RunPart) -> str:
        """Return the ID of a part whose batch is known."""
        return self._opened.batch_ids[part.index]

    def submit(self) -> Steps[None]:
        """Create what has not been created; nothing is sent before the whole input was checked."""
        if self._is_submitted:
            return
        if self._is_begun:
            # To begin anew would create, and pay for, what was created before.
            raise BatchError(
                "this run is creating its batches, or did not come to create them all; make "
                "another run, with the same journal so that nothing is created twice"
            )
        self._is_begun = True
        try:
            yield from self._submit()
        except BaseException:
            self.close()
            raise
        self._is_submitted = True

    def _submit(self) -> Steps[None]:
        yield Work(self._open_journal)
        if self._requests is None:
            yield Work(self._prepare_without_requests)
        else:
            yield from self._prepare()
        journal = self._opened
        for part in self.parts:
            if part.index in journal.batch_ids:
                continue
            intent = journal.in_doubt(part.index)
            if intent is not None:
                log(
                    INFO,
                    "part %d: whether its batch was created is not known; looking for it",
                    part.index,
                    operation=MESSAGES_BATCHES_CREATE.id,
                )
                if (yield from self._look_for(part, intent)):
                    continue
            yield from self._create(part)
        if not journal.complete and len(journal.batch_ids) == len(self.parts):
            yield Work(journal.finish)

    def _open_journal(self) -> None:
        path = self._path
        self._journal = path if isinstance(path, BatchJournal) else BatchJournal(path)

    def _prepare(self) -> Steps[None]:
        """Read, check and encode the input: for a while at a time, so that it can be cancelled."""
        journal = self._opened
        settings = self.settings
        requests: Any = self._requests
        limits = journal.limits or (settings.max_requests, settings.max_bytes)
        extra = settings.options.get("extra_body")
        if extra and journal.limits is None:
            limits = (limits[0], limits[1] - len(dumps(extra)))
        splitter = RequestSplitter(*limits)
        self._spool = RequestSpool()
        if hasattr(requests, "__aiter__"):
            awaited = requests.__aiter__()
            while some := (yield Take(awaited)):
                yield Work(self._split, splitter, iter(some))
        else:
            waiting = iter(requests)
            while not (yield Work(self._split, splitter, waiting)):
                pass
        yield Work(self._keep, splitter.rest())
        journal.check_end(len(self.parts))
        if journal.limits is None:
            yield Work(journal.begin, *limits)

    def _split(self, splitter: RequestSplitter, requests: Iterator[Any]) -> bool:
        """Take requests for a while; tell whether that was all."""
        end = monotonic() + _SPLIT_SECONDS
        for request in requests:
            self._keep(splitter.add(request))
            if monotonic() > end:
                return False
        return True

    def _keep(self, part: BatchPart | None) -> None:
        if part is None:
            return
        assert self._spool is not None
        journal = self._opened
        journal.check(part.index, len(part), part.digest)
        self._spool.keep(part, body=part.index not in journal.batch_ids)
        self.parts.append(RunPart(part.index, len(part), part.digest, part.ids_digest))

    def _prepare_without_requests(self) -> None:
        journal = self._opened
        if journal.path is None:
            raise TypeError("a run takes requests, or the journal of a run that created them all")
        if not journal.complete:
            raise BatchJournalError(
                f"{journal.path}: not all batches of the run were created, so it takes the "
                "requests to go on"
            )
        if self.settings.order == "request":
            raise BatchJournalError(
                f"{journal.path}: results in the order of the requests take the requests"
            )
        self.parts = [
            RunPart(intent.part, intent.count, intent.digest, intent.ids_digest)
            for intent in journal.intents
        ]

    @property
    def _opened(self) -> BatchJournal:
        assert self._journal is not None
        return self._journal

    def _create(self, part: RunPart) -> Steps[None]:
        """Create the batch of a part, and never a second one."""
        settings = self.settings
        journal = self._opened
        assert self._spool is not None
        spool = self._spool
        attempts = Attempts(
            _CREATE_ONCE,
            settings.policy,
            timeout=Timeout.of(settings.options.get("timeout")),
            budget=settings.budget,
        )
        while True:
            newest = yield from newest_batch(settings.reading)
            intent = BatchIntent(
                part.index,
                part.count,
                part.digest,
                part.ids_digest,
                None if newest is None else newest.id,
                None if newest is None else _text_of(newest.created_at),
            )
            requests = yield Work(spool.requests, part.index)
            yield Work(journal.intend, intent)
            try:
                batch: MessageBatch = yield Call(
                    "create",
                    requests=requests,
                    user_profile_id=settings.user_profile_id,
                    max_retries=0,
                    **settings.options,
                )
            except APIError as error:
                if was_refused(error):
                    yield Work(journal.refused, part.index)
                elif (yield from self._look_for(part, intent)):
                    return
                else:
                    yield Work(journal.refused, part.index)
                failed = error
            except _UNSENT_ERRORS:
                yield Work(journal.refused, part.index)
                raise
            else:
                yield Work(journal.created, part.index, batch.id)
                attempts.succeeded()
                part.batch = batch
                return
            del requests
            yield Sleep(attempts.failed(failed))

    def _look_for(self, part: RunPart, intent: BatchIntent) -> Steps[bool]:
        """Look for the batch of an intent; tell whether there are batches that may be it."""
        settings = self.settings
        found = yield from await_candidates(
            intent, self._known, settings.settle_seconds, settings.reading
        )
        part.candidates = {batch.id: batch for batch in found}
        return bool(found)

    @property
    def _known(self) -> set[str]:
        return self._foreign.union(self._opened.batch_ids.values())

    def _decide(self, part: RunPart) -> Steps[None]:
        """Find out which candidate is the batch of a part, once all have ended."""
        journal = self._opened
        intent = journal.in_doubt(part.index)
        assert intent is not None
        # One that was still under way at the first look is to count as well.
        found = yield from find_candidates(intent, self._known, self.settings.reading)
        late = [batch for batch in found if batch.id not in part.candidates]
        if late:
            part.candidates.update((batch.id, batch) for batch in late)
            return
        candidates = list(part.candidates.values())
        gone = [batch.id for batch in candidates if batch.archived_at]
        if gone:
            raise BatchInDoubtError(
                part.index, gone, "the results that would tell are not there any more"
            )
        chosen = yield from choose_candidate(intent, candidates, self._names)
        part.candidates = {}
        if chosen is not None:
            part.batch = chosen
            yield Work(journal.created, part.index, chosen.id)
        else:
            self._foreign.update(batch.id for batch in candidates)
            if not (yield from self._look_for(part, intent)):
                yield from self._create(part)
        if not journal.complete and len(journal.batch_ids) == len(self.parts):
            yield Work(journal.finish)

    def wait(self) -> Steps[None]:
        """Wait until every batch has ended."""
        while not all(_has_ended(part) for part in self.parts):
            yield from self._poll()

    def next_ended(self, unread: list[RunPart]) -> Steps[RunPart | None]:
        """Wait for a part whose results can be read, and take it off ``unread``."""
        while unread:
            looked_at = unread[:1] if self.settings.order == "request" else unread
            for part in looked_at:
                if _has_ended(part):
                    unread.remove(part)
                    return part
            yield from self._poll()
        return None

    def _poll(self) -> Steps[None]:
        """Ask once about every batch that has not ended."""
        settings = self.settings
        if settings.timeout is not None and self._deadline is None:
            self._deadline = monotonic() + settings.timeout
        if self._polls:
            pause = settings.poll.wait(self._polls - 1)
            if self._deadline is not None:
                pause = min(pause, self._deadline - monotonic())
                if pause <= 0:
                    self._time_out()
            yield Sleep(pause)
        self._polls += 1
        self._heard = {
            batch_id: batch
            for batch_id, batch in self._heard.items()
            if batch is not None and batch.processing_status == "ended"
        }
        for part in self.parts:
            if _has_ended(part):
                continue
            if part.index in self._opened.batch_ids:
                part.batch = (yield from self._ask(self.batch_id(part))) or part.batch
            elif (yield from self._candidates_ended(part)):
                yield from self._decide(part)
        self._report(self.progress)

    def _candidates_ended(self, part: RunPart) -> Steps[bool]:
        """Ask about the batches that may be a part; tell whether all of them have ended."""
        for batch_id, seen in list(part.candidates.items()):
            if seen.processing_status != "ended":
                found = yield from self._ask(batch_id)
                if found is not None:
                    part.candidates[batch_id] = found
        return all(batch.processing_status == "ended" for batch in part.candidates.values())

    def _ask(self, batch_id: str) -> Steps[MessageBatch | None]:
        """Return how far a batch is; None if that cannot be had now, but may be later.

        It is asked once in a round: several parts in doubt may have the same candidates.
        """
        if batch_id in self._heard:
            return self._heard[batch_id]
        self._heard[batch_id] = None
        try:
            batch: MessageBatch = yield Call("retrieve", batch_id, **self.settings.reading)
        except APIError as error:
            self._failing_since = check_patience(error, self._failing_since, self.settings.poll)
            return None
        self._failing_since = None
        self._heard[batch_id] = batch
        return batch

    def _time_out(self) -> None:
        known = self._opened.batch_ids
        left = [known[p.index] for p in self.parts if p.index in known and not _has_ended(p)]
        raise BatchWaitTimeoutError(left, self.settings.timeout or 0)

    def cancel(self) -> Steps[None]:
        """Cancel every batch that is known and has not ended."""
        for part in self.parts:
            if part.index not in self._opened.batch_ids or _has_ended(part):
                continue
            batch_id = self.batch_id(part)
            try:
                part.batch = yield Call("cancel", batch_id, **self.settings.reading)
            except APIStatusError as error:
                # 400: it has ended meanwhile.
                if error.status_code != 400:
                    raise

    def close(self) -> None:
        """Let go of the journal and of temporary files."""
        self._is_closed = True
        self._report.close()
        if self._journal is not None:
            self._journal.close()
        if self._spool is not None:
            self._spool.close()


def _has_ended(part: RunPart) -> bool:
    return part.batch is not None and part.batch.processing_status == "ended"


def _text_of(moment: Any) -> str:
    text = getattr(moment, "wire_text", None)
    return text if isinstance(text, str) else str(moment)
