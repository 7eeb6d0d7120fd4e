"""Runs ``claude-client`` for tests: in process, or as a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import claude_client
import claude_rest
from claude_client.cli import main

PATHS = [str(Path(package.__file__).parents[1]) for package in (claude_rest, claude_client)]
MODEL = "claude-sonnet-4-5"
SAID = "This is the mock API. You said: "


class Finished(NamedTuple):
    """What a command has left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def objects(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def error(self) -> Any:
        """The one JSON object on standard error."""
        (line,) = self.stderr.splitlines()
        return json.loads(line)["error"]


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


class Pipe:
    """A stream of text over bytes, as those of a process."""

    def __init__(self, data: bytes = b"") -> None:
        self.buffer = io.BytesIO(data)
        self.text = io.TextIOWrapper(self.buffer, encoding="utf-8", write_through=True)


def run(
    *arguments: str,
    stdin: bytes | None = b"",
    environ: dict[str, str] | None = None,
    stdout: Any = None,
    stderr: Any = None,
) -> Finished:
    """Run a command in this process; without ``stdin`` it is a terminal."""
    given: Any = Terminal() if stdin is None else Pipe(stdin).text
    out = Pipe()
    written = io.StringIO() if stderr is None else stderr
    code = main(
        arguments,
        stdin=given,
        stdout=out.text if stdout is None else stdout,
        stderr=written,
        environ=environ or {},
    )
    shown = out.buffer.getvalue().decode() if stdout is None else ""
    return Finished(code, shown, written.getvalue())


def mocked(*arguments: str, **settings: Any) -> Finished:
    """Run a command against the mock in this process."""
    return run(*arguments, "--mock", **settings)


def environment(**changes: str) -> dict[str, str]:
    """Return the environment of a process without settings of the API."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(PATHS), **changes}


def command(*arguments: str) -> list[str]:
    """Return the command line of a process of its own."""
    return [sys.executable, "-m", "claude_client", *arguments]


def execute(*arguments: str, stdin: bytes = b"", **changes: str) -> Finished:
    """Run a command as a process of its own."""
    done = subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        check=False,
        env=environment(**changes),
        timeout=60,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())
