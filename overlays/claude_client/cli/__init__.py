"""The command ``claude-client``: the API from a shell.

:func:`main` takes its arguments and streams, and returns the exit code, so that it can be called
in process as well. Every group of commands is a module here that loads the client only once its
arguments have been read; ``--help`` loads none of it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

__all__ = ["main", "run"]

_INTERRUPTED = 130


def main(
    arguments: Sequence[str] | None = None,
    *,
    stdin: TextIO | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: What stands after the name of the command; those of the process by default.
        stdin: Read where a command says so, as UTF-8; that of the process by default.
        stdout: Where results go; likewise.
        stderr: Where errors, notes and progress go; likewise.
        environ: Where settings of the commands are looked up; that of the process by default. The
            client itself reads its credential from the environment of the process.
    """
    try:
        from .program import run_command

        return run_command(
            sys.argv[1:] if arguments is None else arguments,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            environ=environ,
        )
    except KeyboardInterrupt:
        # While modules were loading, or for a second time while the first was being answered.
        return _INTERRUPTED


def run() -> int:
    """Run the command with the arguments of the process, which ends with what this returns."""
    return main()
