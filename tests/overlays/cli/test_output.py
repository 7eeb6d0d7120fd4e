"""Text, tables and JSON of the command line, as pure functions."""

from __future__ import annotations

import io

import pytest

from claude_client.cli.output import Output, json_line, table, terminal_safe


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b[0m\x07", "[31mred[0m"),
        ("back\rto the start\x7f\x9b2J", "backto the start2J"),
        ("日本語 é 👩\u200d👧", "日本語 é 👩\u200d👧"),
        ("non-breaking\xa0space", "non-breaking\xa0space"),
    ],
)
def test_text_cannot_steer_a_terminal(text: str, safe: str) -> None:
    assert terminal_safe(text) == safe


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({"a": [1, None, "é\n"]}, '{"a": [1, null, "é\\n"]}'),
        ({"a": "\ud83d é"}, '{"a": "\\ud83d \\u00e9"}'),
    ],
)
def test_json_is_one_line(value: object, line: str) -> None:
    assert json_line(value) == line


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], ["NAME  SIZE"]),
        ([("a", 1), ("bb", 12_000)], ["NAME    SIZE", "a          1", "bb    12,000"]),
        ([("a", None), ("b", 3)], ["NAME  SIZE", "a        -", "b        3"]),
        ([("a", "1 kB"), ("", "20 MB")], ["NAME  SIZE", "a     1 kB", "-     20 MB"]),
        ([("日本語", "x")], ["NAME    SIZE", "日本語  x"]),
        ([("a\nb\x1b[2J", "x")], ["NAME     SIZE", "a b[2J   x"]),
    ],
)
def test_tables_are_aligned(rows: list[tuple[object, ...]], lines: list[str]) -> None:
    made = table(("NAME", "SIZE"), rows).splitlines()
    assert [line.split() for line in made] == [line.split() for line in lines]
    if rows != [("a\nb\x1b[2J", "x")]:
        assert made == lines


def test_nobody_listens_on_standard_error() -> None:
    stderr = io.StringIO()
    stderr.close()
    output = Output(io.StringIO(), stderr, program="p", as_json=False, quiet=False)
    output.note("unheard")
    output.error({"message": "unheard"})


def test_notes_are_for_people_and_errors_for_all() -> None:
    for as_json, quiet, expected in (
        (False, False, "p: a note\np: warning: careful\np: wrong\n"),
        (False, True, "p: wrong\n"),
        (True, False, '{"warning": {"message": "careful"}}\n{"error": {"message": "wrong"}}\n'),
        (True, True, '{"error": {"message": "wrong"}}\n'),
    ):
        stderr = io.StringIO()
        output = Output(io.StringIO(), stderr, program="p", as_json=as_json, quiet=quiet)
        output.note("a note")
        output.warning("careful")
        output.error({"message": "wrong"})
        assert stderr.getvalue() == expected
