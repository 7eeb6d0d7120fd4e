"""Whole projects in a temporary folder: a spec, the package generated from it, its lock."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from claude_codegen.cli import main

from .building import BACK, PROJECT

SAMPLE = BACK.parent / "specs" / "notes"
"""A spec with examples, so that it has no findings."""


def copy_sample(folder: Path) -> Path:
    """Copy the sample spec to ``folder/spec`` and return its entry document."""
    shutil.copytree(SAMPLE, folder / "spec")
    entry = folder / "spec" / "openapi.yaml"
    text = entry.read_text("utf-8")
    if "\nservers:" not in text:
        text = text.replace("\npaths:", "\nservers:\n  - url: https://api.example.com\npaths:", 1)
        entry.write_text(text, "utf-8")
    return entry


def copy_real(folder: Path) -> Path:
    shutil.copytree(PROJECT / "spec", folder / "spec")
    return folder / "spec" / "openapi.yaml"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
    path.write_bytes(text.replace(old, new).encode())


def tree(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder, caches of Python left aside."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def times(folder: Path) -> dict[str, int]:
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in sorted(folder.rglob("*"))
    }


class Project:
    """A folder to run commands in."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.spec = root / "spec"
        self.output = root / "generated" / "claude_rest"
        self.lock = root / "generated" / "claude_rest.lock.json"
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error of a command."""
        self._capsys.readouterr()
        code = main([*arguments])
        out, err = self._capsys.readouterr()
        return code, out, err
