"""Remembers on disk which batches of a run were created, so that nothing is paid twice.

**What is hard about it.** Between sending a batch and writing down the ID that comes back, the
process may die. The API knows no idempotency key, names no batch by anything that we could choose,
and shows of a running batch only how many requests it has. So before a batch is sent, an *intent*
is written and synced to the disk: how many requests, a digest of them and one of their names, and
which batch of the workspace was the newest at that moment. An intent that a later run finds without
an ID is *in doubt*, and decided in this order (:mod:`.doubts`):

1. Batches are listed, newest first, down to the one that was the newest before the intent; the
   server's order alone counts, no clock of this machine. Only a batch that this journal does not
   know and that has exactly as many requests can be ours.
2. If there is none, it is looked for again until a time to settle has passed: a request that had
   gone out whole when the process died may still be under way. Only then is the batch created.
3. If there are some, it takes their results to tell, because a batch that runs does not say what is
   in it: the run goes on with everything else, and once a candidate has ended the names in its
   results are held against the digest of ours. One that has them all, each once, is ours. If none
   has them, step 1 is taken again, and then the batch is created.
4. If several have them, or results are gone, nothing can tell them apart:
   :class:`~.errors.BatchInDoubtError` names them, and :meth:`BatchJournal.settle` takes the answer.

An answer that is lost while the process lives (a time-out, a 504 of a gateway) leaves the same
doubt and is decided in the same way, so creating a batch is never simply tried again.

What this cannot tell apart: somebody else in the same workspace created, after our intent, a batch
of exactly the same names, and ours did not come to be. Give the requests of programs that run side
by side different names, or different workspaces.

**What is in it.** Lines of JSON, appended and synced one by one, never rewritten: ``run`` (limits
of the parts), then for each part ``intent``, and ``created`` or ``refused`` (certainly not
created); ``complete`` once all parts are there. A crash may tear the last line, which then counts
as not written: it is cut off by the next run. The file is locked while a run uses it.
"""

from __future__ import annotations

import os
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any
from weakref import finalize

from claude_rest._runtime.codec import DecodeError, dumps, loads

from .errors import BatchInputChangedError, BatchJournalError, BatchJournalLockedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

FORMAT = 1

_BEGINNING = b'{"type":"run",'
"""How every journal begins."""


class BatchIntent:
    """What was to be created as one part of a run."""

    __slots__ = ("count", "digest", "ids_digest", "newest_created_at", "newest_id", "part")

    part: int
    count: int
    """Number of requests."""
    digest: str
    """SHA-256 of the requests as sent."""
    ids_digest: str
    """Stands for the set of names."""
    newest_id: str | None
    """The newest batch of the workspace before this one; None if there was none."""
    newest_created_at: str | None
    """When that was created, as the server says it."""

    def __init__(
        self,
        part: int,
        count: int,
        digest: str,
        ids_digest: str,
        newest_id: str | None = None,
        newest_created_at: str | None = None,
    ) -> None:
        """Describe a part; see the attributes."""
        self.part = part
        self.count = count
        self.digest = digest
        self.ids_digest = ids_digest
        self.newest_id = newest_id
        self.newest_created_at = newest_created_at


class BatchJournal:
    """The journal of one run; without a path it is kept in memory only.

    Use it as a context manager, or :meth:`close` it: the file is locked until then.
    """

    limits: tuple[int, int] | None
    """Requests and bytes of a part at most, as the run began; None in a new journal."""
    intents: list[BatchIntent]
    """The last intent of each part."""
    batch_ids: dict[int, str]
    """ID of the batch of each part that was created."""
    complete: bool
    """Whether every part was created."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Open the journal, a new one if there is none at ``path``.

        Raises :class:`BatchJournalLockedError`, :class:`BatchJournalError` for a file that is no
        journal or was damaged before its last line, and ``OSError``.
        """
        self.path = None if path is None else Path(path)
        self.limits = None
        self.intents = []
        self.batch_ids = {}
        self.complete = False
        # Parts whose last intent certainly came to nothing.
        self._refused: set[int] = set()
        self._file: int | None = None
        self._finalizer: Callable[[], object] | None = None
        if self.path is not None:
            self._open(self.path)

    def _open(self, path: Path) -> None:
        is_new = not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        # Whoever forgets to close it, after waiting for a run alone, is not locked out for ever.
        self._finalizer = finalize(self, os.close, self._file)
        try:
            _lock(self._file, path)
            text = _read_all(self._file)
            end = text.rfind(b"\n") + 1
            for number, record in _records(path, text[:end]):
                self._take(path, number, record)
            if end < len(text):
                if not end and not _BEGINNING.startswith(text[: len(_BEGINNING)]):
                    raise BatchJournalError(f"{path}: this is no journal")
                # Torn by a crash: whoever wrote it had not gone on from there.
                os.ftruncate(self._file, end)
                os.fsync(self._file)
            os.lseek(self._file, 0, os.SEEK_END)
            if is_new:
                _sync_folder(path.parent)
        except BaseException:
            self.close()
            raise

    def _take(self, path: Path, number: int, record: dict[str, Any]) -> None:
        """Apply a line that was read."""
        try:
            if (record["type"] == "run") != (number == 1):
                raise ValueError("the line does not belong there")
            self._apply(record)
        except (KeyError, TypeError, ValueError) as error:
            raise BatchJournalError(
                f"{path}, line {number}: not a line of a journal ({error!r})"
            ) from error

    def _apply(self, record: dict[str, Any]) -> None:
        kind = record["type"]
        if kind == "run":
            if record["format"] != FORMAT:
                raise ValueError(f"format {record['format']!r} is not known")
            self.limits = (int(record["max_requests"]), int(record["max_bytes"]))
        elif kind == "intent":
            part = int(record["part"])
            if part > len(self.intents):
                raise ValueError(f"part {part} before part {len(self.intents)}")
            intent = BatchIntent(
                part,
                int(record["count"]),
                record["digest"],
                record["ids_digest"],
                record["newest_id"],
                record["newest_created_at"],
            )
            self.intents[part:] = [intent]
            self._refused.discard(part)
        elif kind == "created":
            self.batch_ids[int(record["part"])] = str(record["batch_id"])
        elif kind == "refused":
            self._refused.add(int(record["part"]))
        elif kind == "complete":
            self.complete = True
        # Lines of a later version that say more are no hindrance.

    def in_doubt(self, part: int) -> BatchIntent | None:
        """Return the intent of a part that may or may not have been created."""
        if part >= len(self.intents) or part in self.batch_ids or part in self._refused:
            return None
        return self.intents[part]

    def check(self, part: int, count: int, digest: str) -> None:
        """Hold a part of the input against what the journal says of it.

        Raises :class:`BatchInputChangedError`.
        """
        if part >= len(self.intents):
            if self.complete:
                raise BatchInputChangedError(part, "the run had fewer requests than the input")
            return
        intent = self.intents[part]
        if intent.count != count:
            raise BatchInputChangedError(
                part, f"it had {intent.count:,} requests, and now has {count:,}"
            )
        if intent.digest != digest:
            raise BatchInputChangedError(part, f"its {count:,} requests are other ones now")

    def check_end(self, parts: int) -> None:
        """Hold the number of parts against the journal. Raises :class:`BatchInputChangedError`."""
        if parts < len(self.intents):
            raise BatchInputChangedError(parts, "the input has no requests for it any more")

    def begin(self, max_requests: int, max_bytes: int) -> None:
        """Write down how the input is split."""
        self._write(
            {
                "type": "run",
                "format": FORMAT,
                "max_requests": max_requests,
                "max_bytes": max_bytes,
            }
        )

    def intend(self, intent: BatchIntent) -> None:
        """Write down that a batch is about to be created."""
        self._write(
            {
                "type": "intent",
                **{name: getattr(intent, name) for name in BatchIntent.__slots__},
                "at": time(),
            }
        )

    def created(self, part: int, batch_id: str) -> None:
        """Write down the batch that a part became."""
        self._write({"type": "created", "part": part, "batch_id": batch_id})

    def refused(self, part: int) -> None:
        """Write down that the last intent of a part certainly came to nothing."""
        self._write({"type": "refused", "part": part})

    def finish(self) -> None:
        """Write down that every part was created."""
        self._write({"type": "complete", "parts": len(self.intents)})

    def _write(self, record: dict[str, Any]) -> None:
        if self._file is not None:
            pending = memoryview(dumps(record) + b"\n")
            while pending:
                pending = pending[os.write(self._file, pending) :]
            os.fsync(self._file)
        elif self.path is not None:
            raise BatchJournalError(f"{self.path}: the journal is closed")
        self._apply(record)

    @staticmethod
    def settle(path: str | os.PathLike[str], part: int, batch_id: str | None) -> None:
        """Say which batch a part in doubt became; ``None``: none, so that it is created again.

        Raises :class:`BatchJournalError` if the part is not in doubt.
        """
        with BatchJournal(path) as journal:
            if journal.in_doubt(part) is None:
                raise BatchJournalError(f"{path}: part {part} is not in doubt")
            if batch_id is None:
                journal.refused(part)
            else:
                journal.created(part, batch_id)

    def close(self) -> None:
        """Close the file, which others may use from then on. Safe to call more than once."""
        self._file = None
        if self._finalizer is not None:
            self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _records(path: Path, text: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.splitlines(), 1):
        try:
            record = loads(line)
        except DecodeError as error:
            raise BatchJournalError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(record, dict):
            raise BatchJournalError(f"{path}, line {number}: not an object")
        yield number, record  # pyright: ignore[reportUnknownVariableType]


def _read_all(file: int) -> bytes:
    pieces: list[bytes] = []
    while piece := os.read(file, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def _lock(file: int, path: Path) -> None:
    """Lock a file for as long as it is open, or until the process ends."""
    try:
        if os.name == "nt":
            import msvcrt

            # Far beyond its end, so that it can still be read and written.
            os.lseek(file, 1 << 40, os.SEEK_SET)
            windows: Any = msvcrt
            windows.locking(file, windows.LK_NBLCK, 1)
            os.lseek(file, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BatchJournalLockedError(f"{path}: another run uses this journal") from error


def _sync_folder(folder: Path) -> None:
    """Make sure that a new file is still there after a power failure."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
