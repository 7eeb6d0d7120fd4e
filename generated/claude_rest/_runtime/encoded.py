"""Values of a body that are JSON already: what has been encoded once is not encoded again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from collections.abc import Iterator


class EncodedItems(Sequence[Any]):
    """A list of JSON values, encoded, for one field of a request body.

    Whoever iterates gets each value decoded for the occasion, so that a list of any length takes
    little more memory than its text.
    """

    __slots__ = ("_document", "_ends", "_field", "_start")

    def __init__(self, field: str, document: bytes, ends: Sequence[int]) -> None:
        """Take the whole body: an object with the one field ``field``, and no white space.

        ``ends`` has, for each item, the position in ``document`` where it ends.
        """
        self._field = field
        self._document = document
        self._ends = ends
        self._start = len(field) + len('{"":[')

    @property
    def size(self) -> int:
        """Bytes of the whole body."""
        return len(self._document)

    @property
    def ends(self) -> Sequence[int]:
        """Where in the body each item ends."""
        return self._ends

    def body_of(self, field: str) -> bytes | None:
        """Return the body that has nothing but this list under ``field``."""
        return self._document if field == self._field else None

    def text(self) -> bytes:
        """Return the list alone as JSON."""
        return self._document[self._start - 1 : -1]

    def item_text(self, index: int) -> bytes:
        """Return one value as JSON; ``index`` counts from 0."""
        start = self._ends[index - 1] + 1 if index else self._start
        return self._document[start : self._ends[index]]

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        from .codec import loads

        places = range(len(self._ends))[index]
        if isinstance(places, range):
            return [loads(self.item_text(place)) for place in places]
        return loads(self.item_text(places))

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self._ends)))

    def __repr__(self) -> str:
        return f"EncodedItems({self._field!r}, {len(self)} items, {self.size} bytes)"


def encode_around(fields: dict[str, Any]) -> bytes | None:
    """Return a body some of whose fields are encoded already; None when none of them is."""
    if not any(value.__class__ is EncodedItems for value in fields.values()):
        return None
    if len(fields) == 1:
        for name, value in fields.items():
            whole: bytes | None = value.body_of(name)
            if whole is not None:
                return whole
    from .codec import dumps

    parts: list[bytes] = []
    for name, value in fields.items():
        parts += (b"," if parts else b"{", dumps(name), b":")
        parts.append(value.text() if value.__class__ is EncodedItems else dumps(value))
    return b"".join((*parts, b"}"))
