"""What commands print: text, tables, JSON. The functions are pure, :class:`Output` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TextIO

from ..progress import text_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_KEPT = "\n\t"


def terminal_safe(text: str) -> str:
    """Return text without what would steer a terminal; lines and tabs stay.

    What a model writes, or others have named, may hold such characters.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        for character in text
        if character in _KEPT or not (character < " " or "\x7f" <= character < "\xa0")
    )


def json_line(value: Any) -> str:
    """Return a JSON value on one line; lone surrogates, which UTF-8 lacks, are escaped."""
    import json

    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, separators=(", ", ": "))
    return text


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows below aligned heads; columns of numbers are aligned to the right."""
    kept = list(rows)
    lines = [list(heads), *([_cell(value) for value in row] for row in kept)]
    widths = [max(text_columns(line[index]) for line in lines) for index in range(len(heads))]
    right = [
        bool(kept) and all(isinstance(row[index], int | None) for row in kept)
        for index in range(len(heads))
    ]
    return "\n".join(
        "  ".join(
            _padded(text, width, to_right)
            for text, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: object) -> str:
    text = "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    return terminal_safe(text).replace("\n", " ").replace("\t", " ") or "-"


def _padded(text: str, width: int, to_right: bool) -> str:
    blanks = " " * (width - text_columns(text))
    return blanks + text if to_right else text + blanks


class Output:
    """Writes results to one stream, and everything about them to another."""

    def __init__(
        self, stdout: TextIO, stderr: TextIO, *, program: str, as_json: bool, quiet: bool
    ) -> None:
        """Write results to ``stdout``, errors and notes to ``stderr``."""
        self.stdout = stdout
        self.stderr = stderr
        self.program = program
        self.as_json = as_json
        self.quiet = quiet
        self._on_terminal = stdout.isatty()

    def text(self, text: str) -> None:
        """Write a piece of text as it is, at once."""
        self.stdout.write(terminal_safe(text) if self._on_terminal else text)
        self.stdout.flush()

    def line(self, text: str) -> None:
        """Write a line."""
        self.text(f"{text}\n")

    def json(self, value: Any) -> None:
        """Write a JSON value as one line, at once: a reader may be waiting for it."""
        self.stdout.write(f"{json_line(value)}\n")
        self.stdout.flush()

    def table(
        self, heads: Sequence[str], rows: Sequence[Sequence[object]], *, nothing: str
    ) -> None:
        """Write a table, or a note when it has no rows."""
        if rows:
            self.line(table(heads, rows))
        else:
            self.note(nothing)

    def note(self, text: str) -> None:
        """Say something about the work, to people only."""
        if not self.quiet and not self.as_json:
            self._say(text)

    def warning(self, text: str) -> None:
        """Say something that matters but stops nothing; not in place of JSON."""
        if not self.quiet:
            if self.as_json:
                self._report({"warning": {"message": text}})
            else:
                self._say(f"warning: {text}")

    def error(self, facts: dict[str, Any]) -> None:
        """Say what went wrong; ``facts`` hold at least a ``message``."""
        if self.as_json:
            self._report({"error": facts})
        else:
            self._say(str(facts["message"]))

    def _say(self, text: str) -> None:
        self._report_text(f"{self.program}: {terminal_safe(text)}")

    def _report(self, value: Any) -> None:
        self._report_text(json_line(value))

    def _report_text(self, text: str) -> None:
        try:
            self.stderr.write(f"{text}\n")
            self.stderr.flush()
        except (OSError, ValueError):
            # Nobody listens any more; the exit code still tells.
            return
