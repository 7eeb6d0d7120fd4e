"""Cuts requests into batches that the API takes. Pure: nothing is sent, nothing is written.

Every request is encoded once; the size that counts is that of the real body. What comes out is
ready to be sent: ``client.messages.batches.create(requests=part.requests)`` encodes nothing again.
"""

from __future__ import annotations

import re
from array import array
from hashlib import blake2b, sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.codec import EncodeError, encode
from claude_rest._runtime.encoded import EncodedItems
from claude_rest._runtime.errors import UploadError
from claude_rest.operations.message_batches import MESSAGES_BATCHES_CREATE

from .errors import BatchRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from claude_rest.params import MessageBatchRequestParam

FIELD = "requests"
"""Field of the body that holds the requests."""

MAX_REQUESTS: int = MESSAGES_BATCHES_CREATE.max_items[FIELD]
MAX_BYTES: int = MESSAGES_BATCHES_CREATE.max_bytes or 0

CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
"""What a ``custom_id`` looks like; a test holds it against the spec."""

_HEAD = b'{"requests":['
_TAIL = b"]}"
_ID_BYTES = 16
_ID_SPACE = 1 << (8 * _ID_BYTES)


class BatchPart:
    """Requests that make one batch."""

    __slots__ = ("custom_ids", "digest", "first", "ids_digest", "index", "requests")

    index: int
    """Which part it is, from 0."""
    first: int
    """Place of its first request in the input, from 0."""
    requests: EncodedItems
    """The requests, encoded; iterating decodes them one by one."""
    custom_ids: list[str]
    """Their names, in the same order."""
    digest: str
    """SHA-256 of the requests as they are sent."""
    ids_digest: str
    """Stands for the set of ``custom_ids``, in whatever order; see :class:`IdsDigest`."""

    def __init__(
        self,
        index: int,
        first: int,
        requests: EncodedItems,
        custom_ids: list[str],
        digest: str,
        ids_digest: str,
    ) -> None:
        """Make a part; see the attributes."""
        self.index = index
        self.first = first
        self.requests = requests
        self.custom_ids = custom_ids
        self.digest = digest
        self.ids_digest = ids_digest

    def __len__(self) -> int:
        return len(self.custom_ids)

    def __repr__(self) -> str:
        return f"BatchPart({self.index}, {len(self)} requests, {self.requests.size} bytes)"


class IdsDigest:
    """Adds names up to a value that does not depend on their order."""

    __slots__ = ("_sum", "count")

    def __init__(self) -> None:
        """Start with no names."""
        self._sum = 0
        self.count = 0

    def add(self, custom_id: str) -> None:
        """Add a name."""
        hashed = blake2b(custom_id.encode("utf-8", "surrogatepass"), digest_size=_ID_BYTES)
        self._sum += int.from_bytes(hashed.digest(), "big")
        self.count += 1

    @property
    def value(self) -> str:
        """What stands for the names so far."""
        return f"{self._sum % _ID_SPACE:0{2 * _ID_BYTES}x}"


def split_requests(
    requests: Iterable[MessageBatchRequestParam],
    *,
    max_requests: int = MAX_REQUESTS,
    max_bytes: int = MAX_BYTES,
) -> Iterator[BatchPart]:
    """Yield the requests in as few batches as their order allows.

    ``requests`` may be any iterable, a generator too; no more than one part is held at a time,
    beside the names that were used, about 100 bytes for each request.

    Raises :class:`BatchRequestError` for a request without ``params``, with a bad ``custom_id``
    or one that came before, one that has no JSON form, names a file that cannot be read or is too
    large for any batch; and ``ValueError`` for limits that the API does not have.
    """
    return _parts(requests, RequestSplitter(max_requests, max_bytes))


def _parts(
    requests: Iterable[MessageBatchRequestParam], splitter: RequestSplitter
) -> Iterator[BatchPart]:
    for request in requests:
        part = splitter.add(request)
        if part is not None:
            yield part
    part = splitter.rest()
    if part is not None:
        yield part


class RequestSplitter:
    """Does what :func:`split_requests` does, for whoever hands requests in one by one."""

    def __init__(self, max_requests: int, max_bytes: int) -> None:
        """Take the limits of a part."""
        if not 0 < max_requests <= MAX_REQUESTS:
            raise ValueError(f"max_requests must be 1 to {MAX_REQUESTS:,}, not {max_requests!r}")
        if not 0 < max_bytes <= MAX_BYTES:
            raise ValueError(f"max_bytes must be 1 to {MAX_BYTES:,}, not {max_bytes!r}")
        self._max_requests = max_requests
        self._room = max_bytes - len(_HEAD) - len(_TAIL)
        self._places: dict[str, int] = {}
        self._part = _OpenPart(0, 0)

    def add(self, request: Any) -> BatchPart | None:
        """Take the next request; return the part that had no room for it, if there is one."""
        index = len(self._places)
        custom_id = check_request(index, request)
        before = self._places.setdefault(custom_id, index)
        if before != index:
            raise BatchRequestError(index, custom_id, f"request {before} has the same custom_id")
        text = self._encoded(index, custom_id, request)
        full: BatchPart | None = None
        part = self._part
        if len(part.custom_ids) == self._max_requests or part.size + len(text) + 1 > self._room:
            full = part.close()
            part = self._part = _OpenPart(part.index + 1, index)
        part.add(custom_id, text)
        return full

    def rest(self) -> BatchPart | None:
        """Return the last part; None if there were no requests."""
        return self._part.close() if self._part.custom_ids else None

    def _encoded(self, index: int, custom_id: str, request: Any) -> bytes:
        try:
            text = encode(request)
            if len(text) > self._room:
                raise BatchRequestError(
                    index,
                    custom_id,
                    f"takes {len(text):,} bytes, and a batch has room for {self._room:,}",
                )
            # Files in it are read now: nothing else says that they are the same in the next run.
            return text if isinstance(text, bytes) else text.read()
        except (EncodeError, OSError, UploadError) as error:
            raise BatchRequestError(index, custom_id, str(error)) from error


class _OpenPart:
    """A part that is being filled."""

    def __init__(self, index: int, first: int) -> None:
        self.index = index
        self.custom_ids: list[str] = []
        self.size = 0
        self._first = first
        # Gives its bytes away without copying them.
        self._body = BytesIO()
        self._body.write(_HEAD)
        self._ends = array("Q")
        self._digest = sha256()
        self._ids = IdsDigest()

    def add(self, custom_id: str, text: bytes) -> None:
        if self.custom_ids:
            self._body.write(b",")
            self.size += 1
        self._body.write(text)
        self.size += len(text)
        self.custom_ids.append(custom_id)
        self._ends.append(len(_HEAD) + self.size)
        self._digest.update(text)
        self._digest.update(b"\n")
        self._ids.add(custom_id)

    def close(self) -> BatchPart:
        self._body.write(_TAIL)
        return BatchPart(
            self.index,
            self._first,
            EncodedItems(FIELD, self._body.getvalue(), self._ends),
            self.custom_ids,
            self._digest.hexdigest(),
            self._ids.value,
        )


def check_request(index: int, request: Any) -> str:
    """Return the ``custom_id`` of a request. Raises :class:`BatchRequestError`."""
    if not hasattr(request, "keys") or not hasattr(request, "__getitem__"):
        raise BatchRequestError(
            index, None, f"is {type(request).__name__}, not an object with custom_id and params"
        )
    names = request.keys()
    if "custom_id" not in names:
        raise BatchRequestError(index, None, "has no custom_id")
    custom_id = request["custom_id"]
    if not isinstance(custom_id, str):
        raise BatchRequestError(
            index, custom_id, f"its custom_id is {type(custom_id).__name__}, not a string"
        )
    if not CUSTOM_ID.fullmatch(custom_id):
        raise BatchRequestError(
            index, custom_id, "a custom_id has 1 to 64 letters of a to z, digits, _ and -"
        )
    if "params" not in names:
        raise BatchRequestError(index, custom_id, "has no params")
    return custom_id
