"""Server-sent events from bytes (WHATWG HTML, section 9.2.6), without I/O.

Lines end at LF, CR or CRLF and nowhere else: U+2028, U+0085 and their like are text. All work is
linear in the number of bytes, however they are cut into chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .errors import EventSizeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

DEFAULT_MAX_EVENT_BYTES: Final = 256 * 1024 * 1024
"""Size at which an event that has not ended is given up, in bytes."""

_BOM = b"\xef\xbb\xbf"
_MAX_CACHED_NAMES = 256


class ServerSentEvent(NamedTuple):
    """One dispatched event."""

    event: str
    """Type of the event, ``message`` when the stream names none."""
    data: bytes
    """The data lines, joined with LF; UTF-8 by the standard, not checked here."""
    id: str = ""
    """Last event id of the stream so far, empty when there was none."""
    retry: int | None = None
    """Reconnection time that this event carried, in milliseconds."""

    @property
    def text(self) -> str:
        """The data as text; bytes that are not UTF-8 become U+FFFD."""
        return self.data.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the data decoded as JSON. Raises ``DecodeError`` when it is not JSON."""
        from .codec import loads

        return loads(self.data)

    def encode(self) -> bytes:
        """Return the event as it stands in a stream, with the blank line that ends it."""
        parts = [b"event: %b\n" % self.event.encode()]
        if self.id:
            parts.append(b"id: %b\n" % self.id.encode())
        if self.retry is not None:
            parts.append(b"retry: %d\n" % self.retry)
        parts.extend(b"data: %b\n" % line for line in self.data.split(b"\n"))
        parts.append(b"\n")
        return b"".join(parts)


# Half the cost of calling the class; getattr() because the plain attribute has no full type.
_new_event = cast("Callable[..., ServerSentEvent]", getattr(tuple, "__new__"))  # noqa: B009


class SSEDecoder:
    """Turns chunks of a ``text/event-stream`` body into events.

    Feed chunks as they arrive; an event is returned by the call that brings its blank line. An
    event that the end of the stream cuts off is dropped, as the standard says.
    """

    __slots__ = (
        "_carry_newline",
        "_heads",
        "_last_id",
        "_max_event_bytes",
        "_parts",
        "_pending",
        "_skip_newline",
        "_start",
    )

    def __init__(self, max_event_bytes: int | None = DEFAULT_MAX_EVENT_BYTES) -> None:
        """Start at the beginning of a stream.

        ``max_event_bytes`` bounds the memory that one unfinished event may take; ``None`` lifts
        the bound.
        """
        # First bytes of the stream while they may still turn out to be a byte order mark.
        self._start: bytes | None = b""
        # A CR ended the last chunk and counted as a line end, so an LF that follows is part of it.
        self._skip_newline = False
        # An LF ended the last chunk. It is held back and put in front of the next one, so that
        # only new bytes need to be searched for a blank line.
        self._carry_newline = False
        # The event that has not ended yet, as received; joined once.
        self._parts: list[bytes] = []
        self._pending = 0
        self._last_id = ""
        # Event types by the line that names them; a stream has a handful.
        self._heads: dict[bytes, str] = {}
        self._max_event_bytes = max_event_bytes

    @property
    def pending_bytes(self) -> int:
        """Bytes held of an event that has not ended."""
        return self._pending + self._carry_newline

    @property
    def last_event_id(self) -> str:
        """Id to send as ``Last-Event-ID`` when reconnecting; empty when there was none."""
        return self._last_id

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[ServerSentEvent]:
        """Take the next bytes of the body and return the events that they complete.

        Raises :class:`EventSizeError` when one event passes the size limit.
        """
        if chunk.__class__ is not bytes:
            chunk = bytes(chunk)
        if TYPE_CHECKING:
            assert isinstance(chunk, bytes)
        if self._start is not None:
            chunk = self._strip_byte_order_mark(chunk)
        if not chunk:
            return []
        if self._skip_newline:
            self._skip_newline = False
            if chunk[0] == 10:
                chunk = chunk[1:]
                if not chunk:
                    return []
        if b"\r" in chunk:
            self._skip_newline = chunk[-1] == 13
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._carry_newline:
            self._carry_newline = False
            chunk = b"\n" + chunk

        end = chunk.rfind(b"\n\n")
        if end < 0:
            self._hold(chunk)
            return []

        blocks = chunk[:end].split(b"\n\n")
        if self._parts:
            self._parts.append(blocks[0])
            blocks[0] = b"".join(self._parts)
            self._parts.clear()
            self._pending = 0
        if end + 2 < len(chunk):
            self._hold(chunk[end + 2 :])

        events: list[ServerSentEvent] = []
        heads = self._heads
        last_id = self._last_id
        for block in blocks:
            # The form nearly all servers send: one line with the name, one with the data.
            head, _, data = block.partition(b"\ndata: ")
            event = heads.get(head)
            if event is None:
                event = self._event_of(head)
            if event and b"\n" not in data and len(head) < len(block):
                events.append(_new_event(ServerSentEvent, (event, data, last_id, None)))
            elif block:
                self._parse(block, events)
                last_id = self._last_id
        return events

    def finish(self) -> bool:
        """End the stream; return whether an event was cut off.

        Comments and blank lines at the end of a stream cut nothing off.
        """
        rest = b"".join(self._parts)
        if self._start:
            rest = self._start
        self._start = None
        self._parts.clear()
        self._pending = 0
        self._carry_newline = False
        return any(line and line[0] != 58 for line in rest.split(b"\n"))

    def _strip_byte_order_mark(self, chunk: bytes) -> bytes:
        start = (self._start or b"") + chunk
        if len(start) < 3 and _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        return start[3:] if start.startswith(_BOM) else start

    def _hold(self, chunk: bytes) -> None:
        if chunk[-1] == 10:
            self._carry_newline = True
            chunk = chunk[:-1]
            if not chunk:
                return
        self._parts.append(chunk)
        self._pending += len(chunk)
        if self._max_event_bytes is not None and self._pending > self._max_event_bytes:
            raise EventSizeError(
                f"an event of the stream is larger than {self._max_event_bytes:,} bytes"
            )

    def _event_of(self, head: bytes) -> str:
        # The event type when "head" is the line that names it and nothing else.
        if not head.startswith(b"event: ") or len(head) == 7 or b"\n" in head:
            return ""
        event = head[7:].decode("utf-8", "replace")
        if len(self._heads) < _MAX_CACHED_NAMES and len(head) < 100:
            self._heads[head] = event
        return event

    def _parse(self, block: bytes, events: list[ServerSentEvent]) -> None:
        # A block has no blank line inside; at its ends it may have one, which dispatches nothing.
        event = ""
        data: list[bytes] = []
        retry: int | None = None
        for line in block.split(b"\n"):
            field, _, value = line.partition(b":")
            if value[:1] == b" ":
                value = value[1:]
            if field == b"data":
                data.append(value)
            elif field == b"event":
                event = value.decode("utf-8", "replace")
            elif field == b"id":
                if b"\0" not in value:
                    self._last_id = value.decode("utf-8", "replace")
            elif field == b"retry" and value.isdigit() and len(value) <= 18:
                retry = int(value)
        if data:
            events.append(
                ServerSentEvent(event or "message", b"\n".join(data), self._last_id, retry)
            )
