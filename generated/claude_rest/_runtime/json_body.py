"""JSON bodies that are never in memory as a whole: made in pieces, and sent in pieces.

A body is made this way when something in it is not to be copied, a file or JSON that is ready, and
when it is large and an event loop runs beside. Its size is known before anything is sent.
"""

from __future__ import annotations

import os
from itertools import islice
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar

from .base64_content import Base64Content
from .codec import Default, EncodeError, dumps_with, loads
from .raw_json import RawJSON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from typing import Final

T = TypeVar("T")

CHUNK_BYTES: Final = 512 * 1024
"""How much is handed on at a time, in bytes."""

_CHUNKS_AT_ONCE = 6
"""How many are read in one go beside an event loop: to go into a thread takes its time."""
_TEXT_CHARACTERS = 1 << 20
"""Of a longer string only so much is encoded in one call, which keeps all other threads waiting."""
_PIECE_DEPTH = 4
"""As deep as the blocks of a message in a request: fields, messages, message, content."""
_WORK_SECONDS = 0.001
_PAUSE_SECONDS = 0.00005
_VISITED_PARTS = 20_000
_INDEX_DIGITS = 8


class JSONBody:
    """A JSON body ready to be sent, as often as need be: the same bytes each time."""

    __slots__ = ("_size", "parts")

    parts: tuple[bytes | Base64Content, ...]
    """Text as it goes out, and content that becomes base64."""

    def __init__(
        self, pieces: Iterable[bytes | Base64Content], *, beside_a_loop: bool = False
    ) -> None:
        """Take the pieces of one JSON text; small ones are put together."""
        self.parts = tuple(_gathered(_with_pauses(pieces) if beside_a_loop else pieces))
        self._size = sum(map(len, self.parts))

    @property
    def files(self) -> list[Base64Content]:
        """The parts that become base64, in their order."""
        return [part for part in self.parts if isinstance(part, Base64Content)]

    def __len__(self) -> int:
        """Bytes of the whole body."""
        return self._size

    def __bool__(self) -> bool:
        return True

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces.

        Raises :class:`UploadError` for a file that cannot be read or has changed its size.
        """
        for part in self.parts:
            if isinstance(part, Base64Content):
                yield from part.chunks()
            elif len(part) <= CHUNK_BYTES:
                yield part
            else:
                view = memoryview(part)
                for start in range(0, len(part), CHUNK_BYTES):
                    yield bytes(view[start : start + CHUNK_BYTES])

    async def async_chunks(self) -> AsyncIterator[bytes]:
        """Yield the same. Files are read in threads, and other tasks run between two pieces."""
        from .threads import let_others_run, off_loop

        chunks = self.chunks()
        if all(file.in_memory for file in self.files):
            for chunk in chunks:
                yield chunk
                await let_others_run()
            return
        while some := await off_loop(lambda: list(islice(chunks, _CHUNKS_AT_ONCE))):
            for chunk in some:
                yield chunk

    def read(self) -> bytes:
        """Return the whole body."""
        return b"".join(self.chunks())

    def outline(self) -> bytes:
        """Return the body with a note such as ``<20 MB of x.png>`` in the place of each file."""
        from .codec import dumps

        return b"".join(
            dumps(repr(part))[1:-1] if isinstance(part, Base64Content) else part
            for part in self.parts
        )

    def __repr__(self) -> str:
        return f"JSONBody({self._size} bytes, {len(self.files)} files)"


def _with_pauses(pieces: Iterable[T]) -> Iterator[T]:
    """Yield ``pieces`` with pauses: other threads are let in after milliseconds otherwise."""
    worked_since = monotonic()
    for piece in pieces:
        yield piece
        if monotonic() - worked_since > _WORK_SECONDS:
            sleep(_PAUSE_SECONDS)
            worked_since = monotonic()


def _gathered(pieces: Iterable[bytes | Base64Content]) -> Iterator[bytes | Base64Content]:
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        if isinstance(piece, bytes) and size + len(piece) <= CHUNK_BYTES:
            small.append(piece)
            size += len(piece)
            continue
        if small:
            yield b"".join(small)
        small, size = [], 0
        if isinstance(piece, bytes) and len(piece) < CHUNK_BYTES:
            small, size = [piece], len(piece)
        else:
            yield piece
    if small:
        yield b"".join(small)


def json_body(
    value: Any, default: Default | None = None, *, beside_a_loop: bool = False
) -> JSONBody:
    """Encode ``value`` in pieces, so that other threads get to run meanwhile.

    One call of the JSON library keeps all of them waiting, an event loop among them, for some
    milliseconds per megabyte. So lists, and the lists inside of their items, such as the messages
    of a request and the blocks of a message, are encoded item by item, and long strings part by
    part. The bytes are those of :func:`.codec.dumps`, unless the fast library refuses a part: then
    the standard library writes that piece alone instead of all, numbers in its own way.

    ``default`` is that of an attempt to do it in one piece, which may have read iterators;
    ``beside_a_loop`` adds pauses for the event loop that runs in another thread.
    Raises ``EncodeError``, also for a file that stands where no base64 goes; ``OSError`` and
    ``TypeError`` as :class:`.Base64Content` does.
    """
    if default is None:
        default = Default()
    inserted = _Inserted()
    default.insert = inserted.place_holder
    pieces = _pieces(value, default, inserted, _PIECE_DEPTH, base64=False)
    try:
        return JSONBody(pieces, beside_a_loop=beside_a_loop)
    except RecursionError as error:
        raise EncodeError("cannot be sent as JSON: nested too deeply, or in itself") from error


def _pieces(
    value: Any, default: Default, inserted: _Inserted, depth: int, *, base64: bool
) -> Iterator[bytes | Base64Content]:
    """Yield the pieces of ``value``; ``base64`` says whether it stands where base64 goes."""
    kind = value.__class__
    if kind is str and len(value) > _TEXT_CHARACTERS:
        mark = b'"'
        for start in range(0, len(value), _TEXT_CHARACTERS):
            yield mark + dumps_with(value[start : start + _TEXT_CHARACTERS], default)[1:-1]
            mark = b""
        yield b'"'
    elif kind is list and value and (depth or _is_heavy(value)):
        mark = b"["
        for item in value:
            yield mark
            yield from _pieces(item, default, inserted, max(depth - 1, 0), base64=False)
            mark = b","
        yield b"]"
    elif kind is dict and ((depth and _splits(value)) or _is_heavy(value)) and _is_plain(value):
        mark = b"{"
        for name, item in value.items():
            yield mark + dumps_with(name, default) + b":"
            yield from _pieces(
                item,
                default,
                inserted,
                max(depth - 1, 0),
                base64=name == _CONTENT and value.get(_KIND) == _BASE64,
            )
            mark = b","
        yield b"}"
    else:
        text = dumps_with(value, default)
        if inserted and inserted.mark in text:
            yield from inserted.pieces(text, base64=base64)
        else:
            yield text


def _splits(value: dict[Any, Any]) -> bool:
    """Tell whether a list or an object is in an object."""
    return any(item.__class__ in (list, dict) for item in value.values())


def _is_plain(value: dict[Any, Any]) -> bool:
    return all(name.__class__ is str for name in value)


def _is_heavy(value: Any) -> bool:
    """Tell whether there is so much text in a list or an object that it had better be split."""
    left = _TEXT_CHARACTERS
    parts = 0
    pending = [value]
    while pending and parts < _VISITED_PARTS:
        value = pending.pop()
        inside: Any = value.values() if value.__class__ is dict else value
        for item in inside:
            kind = item.__class__
            if kind is str:
                left -= len(item)
            elif kind is dict or kind is list:
                pending.append(item)
        parts += len(inside)
        if left < 0:
            return True
    return False


# The one place where this API takes base64: {"type": "base64", "data": …}.
_KIND, _BASE64, _CONTENT = "type", "base64", "data"


class _Inserted:
    """What is put into a body beside the JSON library, which sees short strings in its place."""

    __slots__ = ("_known", "_sources", "mark")

    mark: bytes
    """How each place holder begins; nobody can have it in a text of theirs."""

    def __init__(self) -> None:
        self.mark = b'"' + os.urandom(16).hex().encode()
        self._sources: list[RawJSON | Base64Content] = []
        self._known: dict[int, tuple[Any, str]] = {}

    def __bool__(self) -> bool:
        return bool(self._sources)

    def place_holder(self, value: Any) -> str:
        """Return what stands for ``value``; the same again when the library starts over."""
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        self._sources.append(value if isinstance(value, RawJSON) else Base64Content(value))
        text = f"{self.mark[1:].decode()}{len(self._sources) - 1:0{_INDEX_DIGITS}}"
        self._known[id(value)] = (value, text)
        return text

    def pieces(self, text: bytes, *, base64: bool) -> Iterator[bytes | Base64Content]:
        """Yield ``text`` with what the place holders stand for."""
        before, *others = text.split(self.mark)
        sources = [self._sources[int(other[:_INDEX_DIGITS])] for other in others]
        if any(isinstance(source, Base64Content) for source in sources):
            self._check_places(loads(text), base64)
        for source, other in zip(sources, others, strict=True):
            # Each place holder is a string, whose closing quote follows.
            after = other[_INDEX_DIGITS + 1 :]
            if isinstance(source, RawJSON):
                yield before
                yield source.data
                before = after
            else:
                yield before + b'"'
                yield source
                before = b'"' + after
        yield before

    def _check_places(self, value: Any, base64: bool) -> None:
        """Raise for a file where no base64 goes: the API would take it for something else."""
        mark = self.mark[1:].decode()
        pending = [(value, base64)]
        while pending:
            value, base64 = pending.pop()
            if value.__class__ is dict:
                is_source = value.get(_KIND) == _BASE64
                pending += [(item, is_source and name == _CONTENT) for name, item in value.items()]
            elif value.__class__ is list:
                pending += [(item, False) for item in value]
            elif value.__class__ is str and not base64 and value.startswith(mark):
                source = self._sources[int(value[len(mark) :])]
                if isinstance(source, Base64Content):
                    raise EncodeError(misplaced(source))


def misplaced(source: Base64Content) -> str:
    """Say what is wrong with content that stands where no base64 goes."""
    what = source.name or "a file or bytes"
    return (
        f"{what} cannot stand here: files and bytes have no JSON form but as the data of a source "
        'with "type": "base64". Read or encode it first, for example with path.read_text()'
    )
