"""JSON Lines from bytes, without I/O and linear in the number of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import EventSizeError

if TYPE_CHECKING:
    from typing import Final

DEFAULT_MAX_LINE_BYTES: Final = 256 * 1024 * 1024
"""Size at which a line that has not ended is given up, in bytes."""

_BOM = b"\xef\xbb\xbf"


class JSONLine:
    """One line that is not blank."""

    __slots__ = ("content", "number")

    content: bytes
    """The line without its end."""
    number: int
    """Its place in the body, from 1; blank lines count."""

    def __init__(self, number: int, content: bytes) -> None:
        """Make a line; see the attributes."""
        self.number = number
        self.content = content

    def json(self) -> Any:
        """Return the line decoded. Raises ``DecodeError`` naming the line when it is not JSON."""
        from .codec import DecodeError, loads

        try:
            return loads(self.content)
        except DecodeError as error:
            raise DecodeError(f"line {self.number}: {error}") from error

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, JSONLine):
            return NotImplemented
        return (self.number, self.content) == (other.number, other.content)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"JSONLine({self.number}, {self.content!r})"


class JSONLDecoder:
    """Turns chunks of a JSON Lines body into lines.

    Lines end at LF or CRLF; blank ones are skipped; the last one needs no end.
    """

    __slots__ = ("_max_line_bytes", "_number", "_parts", "_pending")

    def __init__(self, max_line_bytes: int | None = DEFAULT_MAX_LINE_BYTES) -> None:
        """Start at the beginning of a body; ``max_line_bytes=None`` lifts the bound of a line."""
        self._parts: list[bytes] = []
        self._pending = 0
        self._number = 0
        self._max_line_bytes = max_line_bytes

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[JSONLine]:
        """Take the next bytes and return the lines that they complete.

        Raises :class:`EventSizeError` when one line passes the size limit.
        """
        if chunk.__class__ is not bytes:
            chunk = bytes(chunk)
        if TYPE_CHECKING:
            assert isinstance(chunk, bytes)
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if lines and self._parts:
            self._parts.append(lines[0])
            lines[0] = b"".join(self._parts)
            self._parts.clear()
            self._pending = 0
        if rest:
            self._parts.append(rest)
            self._pending += len(rest)
            if self._max_line_bytes is not None and self._pending > self._max_line_bytes:
                raise EventSizeError(
                    f"line {self._number + len(lines) + 1} of the body is larger than "
                    f"{self._max_line_bytes:,} bytes"
                )
        return self._number_lines(lines)

    def finish(self) -> list[JSONLine]:
        """End the body and return its last line if that had no line end."""
        lines = [b"".join(self._parts)] if self._parts else []
        self._parts.clear()
        self._pending = 0
        return self._number_lines(lines)

    def _number_lines(self, lines: list[bytes]) -> list[JSONLine]:
        numbered: list[JSONLine] = []
        for line in lines:
            content = line.removesuffix(b"\r")
            if self._number == 0:
                content = content.removeprefix(_BOM)
            self._number += 1
            if content and not content.isspace():
                numbered.append(JSONLine(self._number, content))
        return numbered
