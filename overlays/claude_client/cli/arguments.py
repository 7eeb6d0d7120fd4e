"""Reading the command line: the parser, options that all commands have, and types of values."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any, NoReturn

from . import exit_codes

if TYPE_CHECKING:
    from collections.abc import Callable

    from .session import Session

    Command = Callable[[Session, argparse.Namespace], int]


class UsageError(Exception):
    """The command cannot do what was asked for; the message says why and what to do."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises :class:`UsageError` and shows examples as they stand."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        # An abbreviation would change its meaning when an option is added.
        settings.setdefault("allow_abbrev", False)
        super().__init__(**settings)

    def error(self, message: str) -> NoReturn:
        """Raise, for the message to be shown in the form that was asked for."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def add_command(
    commands: argparse._SubParsersAction[Any],
    name: str,
    run: Command,
    *,
    summary: str,
    example: str,
    about: str = "",
    aliases: tuple[str, ...] = (),
) -> argparse.ArgumentParser:
    """Add a command that calls the API, with the options that all of those have.

    ``{program}`` in the example becomes the name that the program was called by.
    """
    program = str(commands._prog_prefix).partition(" {")[0]
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        aliases=aliases,
        help=summary,
        description=_sentence(summary) + (f"\n\n{about}" if about else ""),
        epilog="example:\n" + _indented(example.replace("{program}", program)),
    )
    parser.set_defaults(run=run)
    add_common(parser)
    return parser


def add_group(
    commands: argparse._SubParsersAction[Any], name: str, *, summary: str
) -> argparse._SubParsersAction[Any]:
    """Add a command that consists of commands, and return where they are added."""
    parser = commands.add_parser(name, help=summary, description=_sentence(summary))
    group: argparse._SubParsersAction[Any] = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )
    return group


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command has."""
    group = parser.add_argument_group("options of all commands")
    group.add_argument(
        "--json",
        action="store_true",
        help="print JSON, one object a line; errors likewise, on standard error",
    )
    group.add_argument(
        "--mock",
        action="store_true",
        help="talk to a mock of the API in this process: no key, no network, no costs",
    )
    group.add_argument(
        "--base-url", metavar="URL", help="where the API is (default: $ANTHROPIC_BASE_URL)"
    )
    group.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help="longest wait for the next sign of life (default: 600, 5 to connect)",
    )
    group.add_argument(
        "--max-retries",
        type=count,
        metavar="N",
        help="attempts after a first one that failed (default: 2)",
    )
    group.add_argument(
        "--beta",
        dest="betas",
        action="append",
        default=[],
        metavar="FLAG",
        help="send this beta flag too, -FLAG leaves one out (as --beta=-FLAG); repeatable",
    )
    group.add_argument(
        "--quiet", action="store_true", help="neither progress nor notes, errors only"
    )
    group.add_argument(
        "--verbose", action="store_true", help="tell more: tokens used, attempts that failed"
    )
    group.add_argument("--debug", action="store_true", help="log every answer of the API")


def seconds(text: str) -> float:
    """Read a time span that is more than nothing."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
    # Not a comparison with infinity: NaN compares false with everything.
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is no time span")
    return value


def count(text: str) -> int:
    """Read a whole number, zero or more."""
    return _whole(text, 0)


def positive(text: str) -> int:
    """Read a whole number, one or more."""
    return _whole(text, 1)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if value < least:
        raise argparse.ArgumentTypeError(f"{text} is less than {least}")
    return value


def number(text: str) -> float:
    """Read a number; its range is for the API to judge."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if value != value or value in (float("inf"), float("-inf")):
        raise argparse.ArgumentTypeError(f"{text} is no number that can be sent")
    return value


def as_text(argument: str) -> str:
    """Return an argument as the UTF-8 text that it is, whatever the locale says.

    Raises:
        UsageError: it is not UTF-8.
    """
    if argument.isascii():
        return argument
    try:
        # Back to the bytes that were given, which a locale other than UTF-8 hides.
        return os.fsencode(argument).decode("utf-8")
    except UnicodeError:
        raise UsageError("an argument is not UTF-8 text") from None


def root_epilog(program: str) -> str:
    """Return what stands below the help of the program."""
    return (
        f"examples:\n"
        f'  {program} message --model claude-sonnet-5-5 "Hello, Claude"\n'
        f"  git diff | {program} message --model claude-sonnet-5-5 Review this change: -\n"
        f"  {program} batch run requests.jsonl -o results.jsonl\n"
        f'  {program} message --mock --model claude-sonnet-5-5 "No key needed"\n\n'
        f"environment:\n"
        f"  ANTHROPIC_API_KEY    API key; there is no option for it, since other users of a\n"
        f"                       machine can see command lines\n"
        f"  ANTHROPIC_AUTH_TOKEN bearer token, instead of a key\n"
        f"  ANTHROPIC_BASE_URL   where the API is\n"
        f"  ANTHROPIC_MODEL      model where --model is not given\n"
        f"  and what the client reads besides: workspace, headers, proxies, logging\n\n"
        f"exit codes:\n{exit_codes.explain()}\n"
    )


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())
