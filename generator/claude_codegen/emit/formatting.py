"""Format generated Python with the pinned ruff, whatever configuration surrounds it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from .text import LINE_LENGTH


class FormattingError(Exception):
    """The formatter refused a generated file: a template wrote something that is not Python."""


def format_python(files: dict[str, str]) -> dict[str, str]:
    """Return the files with every ``.py`` among them sorted and formatted."""
    with tempfile.TemporaryDirectory(prefix="claude-codegen-") as folder:
        root = Path(folder)
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        common = ["--isolated", "--no-cache", "--quiet", "--line-length", str(LINE_LENGTH)]
        _ruff(["check", *common, "--select", "I,UP034", "--fix", "--target-version", "py310"], root)
        _ruff(["format", *common, "--target-version", "py310"], root)
        return {path: (root / path).read_bytes().decode() for path in files}


def _ruff(arguments: list[str], folder: Path) -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise FormattingError((finished.stdout + finished.stderr).strip())
