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

    __slots__ = ("_lines", "_max_line_bytes", "_parts", "_pending")

    def __init__(self, max_line_bytes: int | None = DEFAULT_MAX_LINE_BYTES) -> None:
        """Start at the beginning of a body; ``max_line_bytes=None`` lifts the bound of a line."""
        self._parts: list[bytes] = []
        self._pending = 0
        self._lines = 0
        self._max_line_bytes = max_line_bytes

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[JSONLine]:
        """Take the next bytes and return the lines that they complete.

        Raises :class:`EventSizeError` when one line passes the size limit.
        """
        return self._number_lines(self.split(chunk))

    def finish(self) -> list[JSONLine]:
        """End the body and return its last line if that had no line end."""
        return self._number_lines(self.rest())

    def split(self, chunk: bytes | bytearray | memoryview) -> list[bytes]:
        """Do what :meth:`feed` does, for a caller that numbers lines and passes over blank ones.

        Returns every line, blank ones too, without LF but with what else ends it.
        """
        if chunk.__class__ is not bytes:
            chunk = bytes(chunk)
        if TYPE_CHECKING:
            assert isinstance(chunk, bytes)
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if lines:
            if self._parts:
                self._parts.append(lines[0])
                lines[0] = b"".join(self._parts)
                self._parts.clear()
                self._pending = 0
            if not self._lines:
                lines[0] = lines[0].removeprefix(_BOM)
            self._lines += len(lines)
        if rest:
            self._parts.append(rest)
            self._pending += len(rest)
            if self._max_line_bytes is not None and self._pending > self._max_line_bytes:
                raise EventSizeError(
                    f"line {self._lines + 1} of the body is larger than "
                    f"{self._max_line_bytes:,} bytes"
                )
        return lines

    def rest(self) -> list[bytes]:
        """Do what :meth:`finish` does; see :meth:`split`."""
        if not self._parts:
            return []
        line = b"".join(self._parts)
        self._parts.clear()
        self._pending = 0
        self._lines += 1
        return [line.removeprefix(_BOM) if self._lines == 1 else line]

    def _number_lines(self, lines: list[bytes]) -> list[JSONLine]:
        first = self._lines - len(lines) + 1
        return [
            JSONLine(number, line.removesuffix(b"\r"))
            for number, line in enumerate(lines, first)
            if line and not line.isspace()
        ]
