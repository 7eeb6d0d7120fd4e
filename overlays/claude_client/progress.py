"""A progress bar for terminals: one line on standard error that is gone when the work is done.

Nothing is written where nobody looks: in a pipe, in a file, on a terminal that cannot go back in
its line. :func:`format_progress` is pure and makes the line; :class:`ProgressBar` decides when to
draw it. Both need nothing else of this package.
"""

from __future__ import annotations

import os
import sys
import time
import unicodedata
from collections import deque
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

REDRAW_SECONDS = 0.1
"""Time between two drawings; eyes need no more, and terminals are slow."""

RATE_SECONDS = 10.0
"""The rate is what was done in about so much time before now."""

FALLBACK_WIDTH = 80
WIDEST_BAR = 30
NARROWEST_BAR = 6


def format_amount(amount: float, unit: str = "") -> str:
    """Return an amount with its unit; bytes (``unit="B"``) in the multiple that reads best."""
    if unit != "B":
        # Few a second need a decimal, many do not.
        number = f"{amount:,.1f}" if amount < 10 and amount != int(amount) else f"{amount:,.0f}"
        return f"{number} {unit}".rstrip()
    if amount < 1000:
        return f"{amount:.0f} B"
    for multiple in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        # What would be rounded to 1000.0 belongs to the next multiple.
        if amount < 999.95 or multiple == "TB":
            return f"{amount:,.1f} {multiple}"
    raise AssertionError("the last multiple takes everything")


def format_duration(seconds: float) -> str:
    """Return a time span as a clock shows it: ``0:07``, ``12:03``, ``3:00:12``, ``2d 4h``."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24}d {hours % 24}h"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def format_progress(
    label: str,
    done: int,
    total: int | None = None,
    *,
    unit: str = "",
    rate: float | None = None,
    width: int = FALLBACK_WIDTH,
) -> str:
    """Return one line of at most ``width`` columns.

    What does not fit is left out, the least important first: the bar, the time that is left, the
    rate, the amounts.

    Args:
        label: What is going on. Control characters in it are replaced: it may be a file name.
        done: How much is done.
        total: How much there is; None when nobody knows.
        unit: What is counted; ``"B"`` for bytes.
        rate: How much is done in a second; None when that is not known yet.
        width: Columns of the terminal.
    """
    share = f"{min(100 * done // total, 100):3d}%" if total else ""
    amounts = format_amount(done, unit)
    if total:
        amounts = f"{format_amount(done, unit)} of {format_amount(total, unit)}"
    speed = f"{format_amount(rate, unit)}/s" if rate else ""
    left = (
        f"{format_duration((total - done) / rate)} left" if rate and total and done < total else ""
    )
    parts = [part for part in (share, amounts, speed, left) if part]
    label = _shortened(_printable(label), max(width // 2, 1))
    while parts and text_columns("  ".join([label, *parts])) > width:
        parts.pop()
    if not parts:
        return _shortened(label, width)
    room = min(width - text_columns("  ".join([label, *parts])) - len("  []"), WIDEST_BAR)
    if share and room >= NARROWEST_BAR:
        assert total is not None
        filled = min(room * done // total, room)
        parts.insert(1, f"[{'#' * filled}{'.' * (room - filled)}]")
    return "  ".join([label, *parts])


def _printable(text: str) -> str:
    """Return text that cannot steer the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def text_columns(text: str) -> int:
    """Return how many columns a terminal takes for a text."""
    if text.isascii():
        return len(text)
    return sum(_column_count(character) for character in text)


def _column_count(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _shortened(text: str, width: int) -> str:
    """Return a text cut to so many columns, with a mark where it was cut."""
    if text_columns(text) <= width:
        return text
    kept: list[str] = []
    room = width - 1
    for character in text:
        room -= _column_count(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + "~"


class ProgressBar:
    """Shows how far something is, on a terminal; does nothing elsewhere.

    ::

        with ProgressBar("cities.csv", unit="B") as bar:
            for piece in pieces:
                ...
                bar.update(sent, total)

    It is drawn on ``stream`` (standard error) when that is a terminal that can go back in its
    line, not more than ten times a second, and taken away by :meth:`close`. It never raises: what
    it reports on is more important than the report.
    """

    def __init__(
        self,
        label: str,
        *,
        unit: str = "",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Draw nothing yet; see :func:`format_progress` for ``label`` and ``unit``.

        Args:
            label: What is going on.
            unit: What is counted; ``"B"`` for bytes.
            stream: Where to draw; standard error by default.
            clock: Tells the time in seconds.
        """
        self.label = label
        self.unit = unit
        # None in programs without a console.
        self._stream: TextIO | None = sys.stderr if stream is None else stream
        self._clock = clock
        self._samples: deque[tuple[float, int]] = deque()
        self._drawn_at: float | None = None
        self._drawn_columns = 0
        if not _can_draw(self._stream):
            self._stream = None

    @property
    def visible(self) -> bool:
        """Whether anything will be drawn."""
        return self._stream is not None

    def update(self, done: int, total: int | None = None) -> None:
        """Say how much is done, of how much; draw it if it is time to.

        ``done`` may go back, as when an upload starts again.
        """
        if self._stream is None:
            return
        now = self._clock()
        finished = total is not None and done >= total
        if (
            self._drawn_at is not None
            and now - self._drawn_at < REDRAW_SECONDS
            and not (finished and self._samples[-1][1] != done)
        ):
            return
        rate = self._rate(now, done)
        line = format_progress(
            self.label, done, total, unit=self.unit, rate=rate, width=self._width()
        )
        self._drawn_at = now
        self._draw(line)

    def clear(self) -> None:
        """Take the bar off the line, for something else to be written; the next update draws it."""
        if self._stream is not None and self._drawn_columns:
            self._draw("")
            self._drawn_at = None

    def close(self) -> None:
        """Take the bar off the line and draw no more. Safe to call more than once."""
        self.clear()
        self._stream = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _rate(self, now: float, done: int) -> float | None:
        samples = self._samples
        if samples and done < samples[-1][1]:
            samples.clear()
        samples.append((now, done))
        # One sample from before the window is kept: progress may be rarer than the window is long.
        while len(samples) > 2 and samples[1][0] <= now - RATE_SECONDS:
            samples.popleft()
        since, done_then = samples[0]
        return (done - done_then) / (now - since) if now > since and done > done_then else None

    def _width(self) -> int:
        try:
            assert self._stream is not None
            columns = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        # The last column stays free: some terminals go to the next line after it.
        return (columns or FALLBACK_WIDTH) - 1

    def _draw(self, line: str) -> None:
        """Write over what is drawn, with spaces where the new line is shorter."""
        columns = text_columns(line)
        blanks = max(self._drawn_columns - columns, 0)
        text = f"\r{line}{' ' * blanks}" + ("" if line else "\r")
        self._drawn_columns = columns
        try:
            assert self._stream is not None
            encoding = getattr(self._stream, "encoding", None) or "utf-8"
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError):
            # The terminal has gone away.
            self._stream = None


def _can_draw(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:
        # The stream is closed.
        return False
