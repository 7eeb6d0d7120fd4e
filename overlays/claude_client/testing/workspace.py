"""What a mock API remembers between requests: batches, files and skills."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from .cursors import DEFAULT_LIMIT, page_between_ids, read_cursor, write_cursor
from .exchange import RefusedError
from .prompt_cache import PromptCache
from .records import Records
from .schema_values import Turns
from .threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

STORAGE_BYTES: Final = 4 * 1024**3
"""What files, skills and batches of a mock API may take together unless told otherwise."""

_OBJECT_BYTES: Final = 1024
"""What an object takes beside its content."""


@dataclass
class StoredBatch:
    """A message batch and its requests."""

    number: int
    """Place in the order of creation."""
    id: str
    created_at: str
    expires_at: str
    requests: list[tuple[str, Any]]
    """``custom_id`` and ``params`` of each request; of one that was answered None."""
    flags: frozenset[str]
    version: str
    created: float
    """Seconds since 1970; lifetime and archiving count from here."""
    size: int
    """Bytes of the request that made it."""
    polls: int
    """How often the batch will still say that it is not done."""
    runs: int = 1
    """In how many steps its requests are answered: one for each poll, and the last."""
    cancel_initiated_at: str | None = None
    ended_at: str | None = None
    results: list[bytes] = field(default_factory=list[bytes], repr=False)
    """Lines of the answer, in the order of the requests."""
    counts: Counter[str] = field(default_factory=Counter[str])
    """How many ended in which way."""


@dataclass
class StoredFile:
    """A file and its content."""

    number: int
    id: str
    filename: str
    mime_type: str
    content: bytes = field(repr=False)
    created: float
    downloadable: bool
    expires: float | None = None


@dataclass
class StoredVersion:
    """One version of a skill."""

    number: int
    id: str
    stamp: str
    """Microseconds since 1970, the name of the version in the older shape."""
    directory: str
    name: str
    description: str
    created_at: str
    files: dict[str, bytes] = field(repr=False)
    """Content by path, the top-level folder included."""


@dataclass
class StoredSkill:
    """A skill with its versions, the newest last."""

    number: int
    id: str
    display_name: str
    source: str
    created_at: str
    updated_at: str
    versions: list[StoredVersion] = field(default_factory=list[StoredVersion])


class Workspace:
    """State of one mock API. Hold ``lock`` while reading or changing it."""

    def __init__(self, storage_bytes: int = STORAGE_BYTES) -> None:
        """Start empty; files, skills and batches share ``storage_bytes``."""
        self.storage_bytes = storage_bytes
        self.lock = threading.RLock()
        self.batches: dict[str, StoredBatch] = {}
        self.files: dict[str, StoredFile] = {}
        self.skills: dict[str, StoredSkill] = {}
        self.prompt_cache = PromptCache()
        self.threads = Threads()
        self.seeded = False
        """Whether the skills that Anthropic provides are among them."""
        self.records = Records()
        """Objects of families that have no handlers of their own."""
        self.turns = Turns()
        """Whose turn it is among the members of unions and enums."""
        self._made = 0

    def require_space(self, size: int) -> None:
        """Require room for another object of so many bytes.

        Raises:
            RefusedError: 400, the storage is full.
        """
        sizes = [len(file.content) for file in self.files.values()]
        sizes += [batch.size for batch in self.batches.values()]
        for skill in self.skills.values():
            sizes += [sum(map(len, version.files.values())) for version in skill.versions]
        if sum(sizes) + len(sizes) * _OBJECT_BYTES + size > self.storage_bytes:
            raise RefusedError(
                400,
                f"The storage of {self.storage_bytes:,} bytes is full; delete something first",
                details={"error_code": "storage_quota_exceeded"},
            )

    def next_number(self) -> int:
        """Return the number of the next object."""
        self._made += 1
        return self._made


class Numbered(Protocol):
    """An object of a list."""

    @property
    def number(self) -> int:
        """Place in the order of creation."""
        ...

    @property
    def id(self) -> str:
        """ID of the object."""
        ...


N = TypeVar("N", bound=Numbered)


def page_by_id(
    items: Sequence[N], query: Mapping[str, Any], show: Callable[[N], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return one page, newest first (pagination style id-cursor).

    Raises:
        RefusedError: 400 for two cursors, or one that names nothing in the list.
    """
    listed = sorted(items, key=lambda item: item.number, reverse=True)
    limit: int = query.get("limit", DEFAULT_LIMIT)
    part, fields = page_between_ids([item.id for item in listed], limit, query)
    return {"data": [show(item) for item in listed[part]], **fields}


def page_by_cursor(
    items: Sequence[N], query: Mapping[str, Any], show: Callable[[N], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return one page, newest first (pagination style token-cursor).

    A cursor stays valid when what it points at is deleted.

    Raises:
        RefusedError: 400 for a cursor that was never given out.
    """
    listed = sorted(items, key=lambda item: item.number, reverse=True)
    cursor = query.get("page")
    if cursor is not None:
        _, bound = read_cursor(cursor, "after")
        listed = [item for item in listed if item.number < bound]
    limit: int = query.get("limit") or DEFAULT_LIMIT
    page = listed[:limit]
    more = len(listed) > limit
    return {
        "data": [show(item) for item in page],
        "next_page": write_cursor("after", page[-1].number) if more else None,
    }


def timestamp(seconds: float) -> str:
    """Return a time as answers carry it."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
