"""The program: reads the command line, runs the command, and says what went wrong."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import redirect_stdout, suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TextIO

from .. import _version
from . import batch, exit_codes, files, message, models
from .arguments import Parser, UsageError, root_epilog
from .output import Output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

NAME = "claude-client"


def argument_parser(program: str = NAME) -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog=program,
        description="The Claude API from the command line.",
        epilog=root_epilog(program),
    )
    parser.add_argument("--version", action="version", version=f"{NAME} {_version.__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )
    for group in (message, models, files, batch):
        group.add_commands(commands)
    return parser


def run_command(
    arguments: Sequence[str],
    *,
    stdin: TextIO | None,
    stdout: TextIO | None,
    stderr: TextIO | None,
    environ: Mapping[str, str] | None,
) -> int:
    """Run one command; see :func:`~..main`."""
    program = _program()
    output = Output(
        _in_utf8(sys.stdout) if stdout is None else stdout,
        _in_utf8(sys.stderr) if stderr is None else stderr,
        program=program,
        as_json="--json" in arguments,
        quiet="--quiet" in arguments,
    )
    try:
        with warnings.catch_warnings():

            def show(message: Warning | str, *_place: Any, **_more: Any) -> None:
                output.warning(str(message))

            warnings.showwarning = show
            code = _run(
                arguments,
                output,
                program=program,
                stdin=sys.stdin if stdin is None else stdin,
                environ=os.environ if environ is None else environ,
            )
        output.stdout.flush()
    except BrokenPipeError:
        _let_go(output.stdout)
        return exit_codes.BROKEN_PIPE
    return code


def _run(
    arguments: Sequence[str],
    output: Output,
    *,
    program: str,
    stdin: TextIO | None,
    environ: Mapping[str, str],
) -> int:
    try:
        with redirect_stdout(output.stdout):
            options = argument_parser(program).parse_args(arguments)
    except SystemExit:
        # Help or the version has been shown; errors raise.
        return exit_codes.OK
    except UsageError as error:
        output.error({"kind": "UsageError", "message": str(error)})
        return exit_codes.USAGE
    from .session import Session

    output.as_json = options.json
    output.quiet = options.quiet
    try:
        with Session(options, output, stdin=stdin, environ=environ) as session:
            code: int = options.run(session, options)
            return code
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - defects are raised again
        return _failed(error, output)


def _failed(error: BaseException, output: Output) -> int:
    from .failures import describe_failure

    described = describe_failure(error)
    if described is None:
        raise error
    code, facts = described
    if partial := getattr(error, "partial_message", None):
        facts["partial"] = partial
    output.error(facts)
    return code


def _program() -> str:
    """Return how this was called: by the name of the command, or as a module."""
    package = __name__.rpartition(".cli.")[0]
    as_module = PurePath(sys.argv[0]).parts[-2:] == (package.rpartition(".")[2], "__main__.py")
    return f"python -m {package}" if as_module else NAME


def _in_utf8(stream: Any) -> TextIO:
    """Return a stream of the process, set to UTF-8; a closed one swallows what is written."""
    if stream is None:
        silent: TextIO = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        return silent
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    text: TextIO = stream
    return text


def _let_go(stream: TextIO) -> None:
    """Make Python's last flush of a pipe that nobody reads succeed."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
