"""Keeps the encoded parts of a run on disk until they are sent."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import TYPE_CHECKING
from weakref import finalize

from claude_rest._runtime.encoded import EncodedItems

from .splitting import FIELD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .splitting import BatchPart

_COPY_BYTES = 1 << 20


class RequestSpool:
    """Bodies and names of parts, in a temporary file that is gone when the process is."""

    def __init__(self) -> None:
        """Start empty."""
        self._file = TemporaryFile()  # noqa: SIM115 - closed by close()
        self._finalizer = finalize(self, self._file.close)
        self._bodies: dict[int, tuple[int, int, Sequence[int]]] = {}
        self._names: dict[int, tuple[int, int]] = {}
        self._end = 0

    def keep(self, part: BatchPart, *, body: bool) -> None:
        """Keep the names of a part, and its body if it is still to be sent."""
        self._names[part.index] = self._append("\n".join(part.custom_ids).encode())
        if body:
            text = part.requests.body_of(FIELD) or b""
            self._bodies[part.index] = (*self._append(text), part.requests.ends)

    def requests(self, part: int) -> EncodedItems:
        """Return the requests of a part, ready to be sent."""
        start, size, ends = self._bodies[part]
        self._file.seek(start)
        return EncodedItems(FIELD, self._file.read(size), ends)

    def custom_ids(self, part: int) -> Iterator[str]:
        """Yield the names of a part in the order of its requests."""
        start, size = self._names[part]
        end = start + size
        rest = b""
        while start < end:
            self._file.seek(start)
            piece = self._file.read(min(_COPY_BYTES, end - start))
            start += len(piece)
            *names, rest = (rest + piece).split(b"\n")
            yield from (name.decode() for name in names)
        if rest:
            yield rest.decode()

    def close(self) -> None:
        """Remove the file."""
        self._finalizer()

    def _append(self, text: bytes) -> tuple[int, int]:
        self._file.seek(self._end)
        self._file.write(text)
        start, self._end = self._end, self._end + len(text)
        return start, len(text)
