"""Server-sent events from bytes (WHATWG HTML, section 9.2.6), without I/O.

Lines end at LF, CR or CRLF and nowhere else: U+2028, U+0085 and their like are text. All work is
linear in the number of bytes, however they are cut into chunks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import EventSizeError

if TYPE_CHECKING:
    from typing import Final

DEFAULT_MAX_EVENT_BYTES: Final = 256 * 1024 * 1024
"""Size at which an event that has not ended is given up, in bytes."""

_BOM = b"\xef\xbb\xbf"
_MAX_CACHED_NAMES = 256


class ServerSentEvent:
    """One dispatched event."""

    __slots__ = ("data", "event", "id", "retry")

    event: str
    """Type of the event, ``message`` when the stream names none."""
    data: bytes
    """The data lines, joined with LF; UTF-8 by the standard, not checked here."""
    id: str
    """Last event id of the stream so far, empty when there was none."""
    retry: int | None
    """Reconnection time that this event carried, in milliseconds."""

    def __init__(self, event: str, data: bytes, id: str = "", retry: int | None = None) -> None:  # noqa: A002
        """Make an event; see the attributes."""
        self.event = event
        self.data = data
        self.id = id
        self.retry = retry

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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ServerSentEvent):
            return NotImplemented
        return (self.event, self.data, self.id, self.retry) == (
            other.event,
            other.data,
            other.id,
            other.retry,
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"ServerSentEvent(event={self.event!r}, data={self.data!r}, "
            f"id={self.id!r}, retry={self.retry!r})"
        )


class SSEDecoder:
    """Turns chunks of a ``text/event-stream`` body into events.

    Feed chunks as they arrive; an event is returned by the call that brings its blank line. An
    event that the end of the stream cuts off is dropped, as the standard says.
    """

    __slots__ = (
        "_carry_newline",
        "_last_id",
        "_max_event_bytes",
        "_names",
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
        self._names: dict[bytes, str] = {}
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
        names = self._names
        for block in blocks:
            # The form nearly all servers send: one line with the name, one with the data.
            line_end = block.find(b"\n")
            data_start = line_end + 7
            if (
                line_end > 7
                and block[line_end:data_start] == b"\ndata: "
                and block[:7] == b"event: "
                and block.find(b"\n", data_start) < 0
            ):
                name = block[7:line_end]
                events.append(
                    ServerSentEvent(
                        names.get(name) or self._name(name), block[data_start:], self._last_id
                    )
                )
            elif block:
                self._parse(block, events)
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

    def _name(self, name: bytes) -> str:
        text = name.decode("utf-8", "replace")
        if len(self._names) < _MAX_CACHED_NAMES:
            self._names[name] = text
        return text

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
                event = self._name(value)
            elif field == b"id":
                if b"\0" not in value:
                    self._last_id = value.decode("utf-8", "replace")
            elif field == b"retry" and value.isdigit() and len(value) <= 18:
                retry = int(value)
        if data:
            events.append(
                ServerSentEvent(event or "message", b"\n".join(data), self._last_id, retry)
            )
