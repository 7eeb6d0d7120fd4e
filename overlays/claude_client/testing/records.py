"""Objects that families of the spec keep between requests, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from .exchange import encode

MAX_COLLECTIONS: Final = 1_000
MAX_RECORDS: Final = 10_000
MAX_BYTES: Final = 64 * 1024 * 1024


@dataclass
class Record:
    """One object."""

    key: str
    """What the path calls it."""
    number: int
    """Place in the order of creation."""
    created: float
    """When it was created, in seconds since 1970."""
    value: dict[str, Any] = field(repr=False)
    size: int = 0


@dataclass
class Collection:
    """The objects of one family under one parent, in the order of creation."""

    path: str
    """Path with its arguments filled in."""
    records: dict[str, Record] = field(default_factory=dict[str, Record])


class Records:
    """All collections of a mock. The oldest objects make room for new ones."""

    def __init__(
        self,
        *,
        max_collections: int = MAX_COLLECTIONS,
        max_records: int = MAX_RECORDS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._collections: OrderedDict[str, Collection] = OrderedDict()
        self._max_collections = max_collections
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._ages: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._ages)

    def find(self, path: str) -> Collection | None:
        """Return the collection at a path, if it was opened."""
        collection = self._collections.get(path)
        if collection is not None:
            self._collections.move_to_end(path)
        return collection

    def open(self, path: str) -> Collection:
        """Return a new, empty collection at a path; the one used least may have to go for it."""
        collection = self._collections[path] = Collection(path)
        while len(self._collections) > self._max_collections:
            self._close(next(iter(self._collections)))
        return collection

    def keep(self, collection: Collection, record: Record) -> None:
        """Put a record into a collection, in place of one with its key, and make room for it."""
        if record.key in collection.records:
            self._bytes -= collection.records[record.key].size
        record.size = len(encode(record.value))
        collection.records[record.key] = record
        place = (collection.path, record.key)
        self._ages[place] = record.number
        self._bytes += record.size
        while len(self._ages) > self._max_records or self._bytes > self._max_bytes:
            oldest = next(iter(self._ages))
            if oldest == place:
                break
            self._drop(*oldest)

    def remove(self, collection: Collection, record: Record) -> None:
        """Take a record out, and everything below its path."""
        self._drop(collection.path, record.key)
        below = f"{collection.path}/{record.key}/"
        for path in [path for path in self._collections if path.startswith(below)]:
            self._close(path)

    def _drop(self, path: str, key: str) -> None:
        del self._ages[path, key]
        collection = self._collections.get(path)
        if collection is not None:
            self._bytes -= collection.records.pop(key).size

    def _close(self, path: str) -> None:
        for key in list(self._collections[path].records):
            self._drop(path, key)
        del self._collections[path]
