"""Paths in skills: what can lead elsewhere is refused, on every system."""

from __future__ import annotations

import ntpath
import pickle
import posixpath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claude_client import UnsafePathError
from claude_client.skills import check_path, is_junk
from claude_client.skills.paths import LONGEST_PATH, LONGEST_STEP, same_file_key

UNSAFE = [
    "",
    "..",
    ".",
    "../x",
    "a/../b",
    "a/..",
    "/etc/passwd",
    "//host/share",
    "a//b",
    "a/",
    "./a",
    "C:/x",
    "C:x",
    "c:\\x",
    "..\\x",
    "a\\..\\b",
    "\\\\host\\share",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a/... ",
    "a/ ",
    "a:stream",
    "a\u202egpj.exe",
    "caf\udce9",
    "a" * (LONGEST_STEP + 1),
    "é" * (LONGEST_STEP // 2 + 1),
    "/".join(["a" * 100] * 11),
    'a"b',
    "a*b",
]


@pytest.mark.parametrize("path", UNSAFE)
def test_unsafe(path: str) -> None:
    with pytest.raises(UnsafePathError) as caught:
        check_path(path)
    assert caught.value.path == path
    assert len(str(caught.value)) < 400
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.path, copy.problem, str(copy)) == (path, caught.value.problem, str(caught.value))


@pytest.mark.parametrize("path", ["nul", "a/CON.txt", "aux .md", "com1", "a./b", "b "])
def test_unsafe_on_windows(path: str) -> None:
    assert check_path(path)
    with pytest.raises(UnsafePathError):
        check_path(path, on_windows=True)


@pytest.mark.parametrize(
    "path", ["SKILL.md", "my-skill/größe/日本.txt", "a/.env", "..a/b..c", "a b/c", "console/nulls"]
)
def test_safe(path: str) -> None:
    assert check_path(path, on_windows=True) == tuple(path.split("/"))


PIECES = st.sampled_from(
    ["..", ".", "", "a", "B", "/", "\\", "C:", ":", "nul", " ", "\0", "\n", "é", "~", "..."]
)
NAMES = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=8).map("".join))


@given(NAMES, st.booleans())
@example("a/ ./b", False)
def test_what_is_let_through_stays_inside(path: str, on_windows: bool) -> None:
    try:
        steps = check_path(path, on_windows=on_windows)
    except UnsafePathError:
        return
    assert "/".join(steps) == path
    assert len(path.encode()) <= LONGEST_PATH
    for rules, root in ((posixpath, "/target"), (ntpath, "C:\\target")):
        joined = rules.normpath(rules.join(root, *steps))
        assert joined.startswith(root + rules.sep)
        assert rules.relpath(joined, root).replace(rules.sep, "/") == path
        assert not rules.isabs(path)
        assert rules.splitdrive(path)[0] == ""


def test_junk() -> None:
    assert is_junk(("a", ".git", "config"))
    assert is_junk(("__MACOSX", "a"))
    assert is_junk(("._SKILL.md",))
    assert not is_junk((".env",))
    assert not is_junk(("gitignore", ".github"))
    assert is_junk(("a.pyc",), ["*.pyc"])


def test_the_same_file_by_another_name() -> None:
    assert same_file_key(("A", "größe")) == same_file_key(("a", "gro\u0308sse"))
    assert same_file_key(("a",)) != same_file_key(("b",))
