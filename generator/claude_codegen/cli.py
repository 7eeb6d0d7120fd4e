"""The command line ``claude-codegen``: finds the command, imports it, turns failures into codes.

Commands live in the modules of :mod:`.commands` and are imported when they are asked for, so that
``--help`` works, and the runtime package can be installed, without the packages that generating
takes. A command module has ``configure(parser)``, which declares its arguments, and
``run(arguments)``, which does the work and returns the exit code.

Exit codes: 0 all is well, 1 something was found, 2 wrong usage or missing packages, 3 the spec
cannot be read.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from .problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .problems import Problem

EXIT_CLEAN: Final = 0
EXIT_FOUND: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNREADABLE: Final = 3

SPEC_IN_PROJECT: Final = Path("spec", "openapi.yaml")
INSTALL_HINT: Final = "install claude-client[codegen] on Python 3.11 or later"


class UsageError(Exception):
    """The command was asked for something it cannot do; the message says what."""


class CommandModule(Protocol):
    """What a module in :mod:`.commands` offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do the work and return the exit code."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the command table."""

    name: str
    module: str
    """Module below this package."""
    summary: str
    example: str


COMMANDS: Final = (
    Command(
        "lint",
        "commands.lint",
        "Check the spec for everything the generator cannot represent.",
        "claude-codegen lint spec/openapi.yaml --format json",
    ),
    Command(
        "bundle",
        "commands.bundle",
        "Write the spec as one document.",
        "claude-codegen bundle -o openapi.json",
    ),
    Command(
        "generate",
        "commands.generate",
        "Generate the client from the spec.",
        "claude-codegen generate",
    ),
    Command(
        "check",
        "commands.check",
        "Check that the generated client is what the spec generates.",
        "claude-codegen check --full",
    ),
)
"""Every command; a new one is a row here and a module beside the others."""


def find_spec(argument: str | None) -> Path:
    """Return the entry document: ``argument``, or the project's own.

    The project is the nearest folder, from the working directory upwards, that has
    ``spec/openapi.yaml`` in it; without one the path in the working directory is returned.
    """
    if argument is not None:
        return Path(argument)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / SPEC_IN_PROJECT).is_file():
            return Path(os.path.relpath(folder / SPEC_IN_PROJECT, here))
    return SPEC_IN_PROJECT


def report(problems: Iterable[Problem], spec: Path) -> None:
    """Print problems to standard error, with paths as seen from the working directory."""
    folder = spec.parent.as_posix()
    for problem in problems:
        print(problem.render(folder), file=sys.stderr)


def _parser(chosen: Command | None) -> argparse.ArgumentParser:
    """Return the parser; only the chosen command's module is imported."""
    parser = argparse.ArgumentParser(
        prog="claude-codegen",
        description="Generates the Claude API client from its OpenAPI description.",
        epilog=f"example: {COMMANDS[0].example}",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.name,
            help=command.summary,
            description=command.summary,
            epilog=f"example: {command.example}",
        )
        if command is chosen:
            _module(command).configure(subparser)
    return parser


def _module(command: Command) -> CommandModule:
    module = importlib.import_module(f".{command.module}", __package__)
    return cast("CommandModule", module)


def _choose(argv: Sequence[str]) -> Command | None:
    word = next((word for word in argv if not word.startswith("-")), None)
    return next((command for command in COMMANDS if command.name == word), None)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        # Findings may quote any character; a terminal that lacks one must not end the program.
        with contextlib.suppress(AttributeError, ValueError):
            cast("_Reconfigurable", stream).reconfigure(errors="backslashreplace")
    try:
        chosen = _choose(words)
        arguments = _parser(chosen).parse_args(words)
        assert chosen is not None
        code = _module(chosen).run(arguments)
        # Here, where a reader that has gone is met with, and not when the interpreter ends.
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse: --help and usage errors
        return stop.code if isinstance(stop.code, int) else EXIT_USAGE
    except UsageError as error:
        print(f"claude-codegen: {error}", file=sys.stderr)
        return EXIT_USAGE
    except ModuleNotFoundError as error:
        print(f"claude-codegen: no module named {error.name}: {INSTALL_HINT}", file=sys.stderr)
        return EXIT_USAGE
    except SpecError as error:
        for problem in error.problems:
            print(problem.render(), file=sys.stderr)
        return EXIT_UNREADABLE
    except BrokenPipeError:  # the reader of a pipe has seen enough
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FOUND
    except KeyboardInterrupt:
        return 130


class _Reconfigurable(Protocol):
    def reconfigure(self, *, errors: str) -> None: ...
