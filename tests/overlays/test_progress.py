"""The progress bar: its line as a pure function, and when it is drawn."""

from __future__ import annotations

import io

import pytest

from claude_client import ProgressBar
from claude_client.progress import format_amount, format_duration, format_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        super().isatty()  # raises once this is closed
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        (0, "B", "0 B"),
        (999, "B", "999 B"),
        (1_000, "B", "1.0 kB"),
        (999_949, "B", "999.9 kB"),
        (999_950, "B", "1.0 MB"),
        (12_345_678, "B", "12.3 MB"),
        (2_000_000_000, "B", "2.0 GB"),
        (5e15, "B", "5,000.0 TB"),
        (0, "", "0"),
        (12_345, "requests", "12,345 requests"),
        (0.25, "requests", "0.2 requests"),
        (3.0, "requests", "3 requests"),
        (12.6, "requests", "13 requests"),
    ],
)
def test_amounts(amount: float, unit: str, text: str) -> None:
    assert format_amount(amount, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (7.9, "0:07"),
        (723, "12:03"),
        (10_812, "3:00:12"),
        (86_399, "23:59:59"),
        (187_200, "2d 4h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("done", "total", "rate", "width", "line"),
    [
        (
            25_000_000,
            100_000_000,
            5e6,
            80,
            "a.pdf   25%  [#####..................]  25.0 MB of 100.0 MB  5.0 MB/s  0:15 left",
        ),
        (25_000_000, 100_000_000, 5e6, 58, "a.pdf   25%  25.0 MB of 100.0 MB  5.0 MB/s  0:15 left"),
        (25_000_000, 100_000_000, 5e6, 41, "a.pdf   25%  25.0 MB of 100.0 MB"),
        (25_000_000, 100_000_000, 5e6, 12, "a.pdf   25%"),
        (25_000_000, 100_000_000, 5e6, 8, "a.p~"),
        (25_000_000, 100_000_000, 5e6, 3, "~"),
        (25_000_000, None, 5e6, 80, "a.pdf  25.0 MB  5.0 MB/s"),
        (0, None, None, 80, "a.pdf  0 B"),
        (0, 0, None, 80, "a.pdf  0 B"),
        (0, 10, None, 40, "a.pdf    0%  [............]  0 B of 10 B"),
        (10, 10, 5.0, 40, "a.pdf  100%  10 B of 10 B  5 B/s"),
        (12, 10, None, 40, "a.pdf  100%  [###########]  12 B of 10 B"),
    ],
)
def test_lines(done: int, total: int | None, rate: float | None, width: int, line: str) -> None:
    made = format_progress("a.pdf", done, total, unit="B", rate=rate, width=width)
    assert made == line
    assert len(made) <= width


def test_labels_take_at_most_half_of_the_line() -> None:
    assert format_progress("x" * 50, 1, unit="B", width=20) == "xxxxxxxxx~  1 B"
    # Each of these characters takes two columns.
    assert format_progress("日本語日本語", 1, unit="B", width=20) == "日本語日~  1 B"


def test_labels_cannot_steer_the_terminal() -> None:
    assert format_progress("a\x1b]0;title\x07\r\nb", 1) == "a?]0;title???b  1"


def test_it_is_drawn_over_itself_and_taken_away() -> None:
    terminal = Terminal()
    with ProgressBar("up", unit="B", stream=terminal, clock=Clock()) as bar:
        assert bar.visible
        assert terminal.getvalue() == ""
        bar.update(0)
        bar.clear()
        bar.update(5)
    assert terminal.getvalue() == "\rup  0 B\r       \r\rup  5 B\r       \r"
    bar.update(6)
    bar.close()
    assert terminal.getvalue().endswith("\rup  5 B\r       \r")


def test_it_is_not_drawn_more_often_than_eyes_can_see() -> None:
    terminal, clock = Terminal(), Clock()
    bar = ProgressBar("up", stream=terminal, clock=clock)
    for done in range(1_000):
        clock.now += 0.001
        bar.update(done, 1_000)
    assert 9 <= terminal.getvalue().count("\r") <= 11
    drawn = terminal.getvalue()
    bar.update(1_000, 1_000)
    bar.update(1_000, 1_000)
    assert terminal.getvalue().count("\r") == drawn.count("\r") + 1
    assert "100%" in terminal.getvalue()


def test_the_rate_is_that_of_the_last_seconds_and_survives_a_new_start() -> None:
    terminal, clock = Terminal(), Clock()
    bar = ProgressBar("up", unit="B", stream=terminal, clock=clock)
    # What was there at the beginning, as when work is taken up again, was not done just now.
    bar.update(1_000_000, 2_000_000)
    clock.now += 1
    bar.update(1_000_500, 2_000_000)
    assert "  500 B/s" in terminal.getvalue()
    for _ in range(20):
        clock.now += 1
        bar.update(1_000_500 + int(clock.now) * 100, 2_000_000)
    assert terminal.getvalue().rpartition("\r")[2].count("  100 B/s") == 1
    clock.now += 1
    bar.update(10, 2_000_000)
    assert "B/s" not in terminal.getvalue().rpartition("\r")[2]
    clock.now += 1
    bar.update(40, 2_000_000)
    assert "  30 B/s" in terminal.getvalue().rpartition("\r")[2]


@pytest.mark.parametrize("what", ["pipe", "dumb", "closed", "none"])
def test_nothing_is_written_where_nobody_looks(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stream: io.StringIO = io.StringIO() if what == "pipe" else Terminal()
    if what == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    if what == "closed":
        stream.close()
    if what == "none":
        monkeypatch.setattr("sys.stderr", None)
    with ProgressBar("up", stream=None if what == "none" else stream) as bar:
        assert not bar.visible
        bar.update(1, 2)
        bar.clear()
    if what != "closed":
        assert stream.getvalue() == ""


def test_a_terminal_that_goes_away_disturbs_nobody() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise OSError("gone")

    bar = ProgressBar("up", stream=Gone())
    bar.update(1, 2)
    assert not bar.visible
    bar.update(2, 2)
    bar.close()


def test_characters_that_the_terminal_does_not_have_are_replaced() -> None:
    class Ascii(Terminal):
        encoding = "ascii"

    terminal = Ascii()
    ProgressBar("Größe", stream=terminal).update(1)
    assert terminal.getvalue() == "\rGr??e  1"
