"""The command ``claude-mock``: its arguments, and what it prints."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .extras import MissingExtraError
from .faults import FaultError, parse_fault_rule
from .rate_limits import parse_rate_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_EXAMPLES = """\
examples:
  {program} --port 4010
  curl http://127.0.0.1:4010/v1/messages \\
    --header "x-api-key: any" --header "anthropic-version: 2026-10-21" \\
    --header "content-type: application/json" \\
    --data '{{"model": "claude-opus-5-5", "max_tokens": 64,
             "messages": [{{"role": "user", "content": "Hello"}}]}}'

  {program} --fault "messages.create: status=529, probability=0.1" --fault "delay=0.2" --seed 7
  {program} --rate-limit "requests=50, input_tokens=30000, output_tokens=8000"
  {program} --port 0 --format json        prints {{"url": "http://127.0.0.1:49152"}}

faults, joined by commas: status, error_type, error_code, message, retry_after, should_retry, html,
error_after_events, malformed, delay, drip=BYTES/SECONDS, cut_after_bytes, cut_after_events,
stall_after_events, ping_every, disconnect, reset, garbage; and when: probability, times, label.
A request asks for a fault of its own with the header "x-mock-fault: cut_after_events=3".

exit codes: 0 after SIGINT or SIGTERM, 1 when the address cannot be bound, 2 for wrong usage or a
missing extra.
"""


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted.

    Returns:
        0 after SIGINT or SIGTERM, 1 when the address cannot be bound, 2 for wrong arguments or
        a missing extra.
    """
    parser = argument_parser()
    options = parser.parse_args(arguments)
    try:
        from .mock_api import MockAPI
        from .server import run

        api = MockAPI(
            seed=options.seed,
            strict=options.strict,
            batch_polls=options.batch_polls,
            uploads_downloadable=options.uploads_downloadable,
            faults=options.fault,
            rate_limits=options.rate_limit,
        )
    except MissingExtraError as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 2
    except FaultError as error:
        parser.error(f"argument --fault: {error}")
    try:
        announce = _announce_as_json if options.format == "json" else _announce
        run(api, host=options.host, port=options.port, announce=announce)
    except OSError as error:
        place = f"{options.host}:{options.port}"
        reason = error.strerror or error
        sys.stderr.write(f"{parser.prog}: cannot listen on {place}: {reason}\n")
        return 1
    return 0


def _announce(url: str) -> None:
    sys.stdout.write(f"Mock Claude API on {url}\n")
    sys.stdout.flush()


def _announce_as_json(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


def _program() -> str:
    """Return how this was called: by the name of the command, or as a module."""
    name = Path(sys.argv[0]).name
    return name if name.startswith("claude-mock") else f"python -m {__package__}"


def argument_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    program = _program()
    parser = argparse.ArgumentParser(
        prog=program,
        description="An offline Claude API. Takes any key, checks requests against the spec.",
        epilog=_EXAMPLES.format(program=program),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to bind (default: %(default)s, this machine only)",
    )
    parser.add_argument(
        "--port", type=_port, default=4010, help="port; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="decides the IDs that are made up, and when faults strike (default: %(default)s)",
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse fields that the spec does not know"
    )
    parser.add_argument(
        "--batch-polls",
        type=_count,
        default=1,
        metavar="N",
        help="how often a batch says in_progress before it has ended (default: %(default)s)",
    )
    parser.add_argument(
        "--uploads-downloadable",
        action="store_true",
        help="let uploaded files be downloaded, which the API refuses",
    )
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="[OPERATION:] FAULT",
        help="what goes wrong, for all operations or one; may be given several times, the first "
        "that strikes counts",
    )
    parser.add_argument(
        "--rate-limit",
        type=_rate_limits,
        metavar="LIMITS",
        help="what may be used in a minute, by model class: requests, input_tokens, "
        "output_tokens, tokens, fast_* and priority_*; burst_seconds for smaller buckets",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="how to print the URL (default: %(default)s)",
    )
    return parser


def _fault(text: str) -> Any:
    return _read(parse_fault_rule, text)


def _rate_limits(text: str) -> Any:
    return _read(parse_rate_limits, text)


def _read(parse: Callable[[str], object], text: str) -> object:
    try:
        return parse(text)
    except ValueError as error:
        # argparse would leave out what the error says.
        raise argparse.ArgumentTypeError(str(error)) from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        # argparse would name the function that reads it.
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None


def _count(text: str) -> int:
    count = _whole(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"{count} is less than 0")
    return count


def _port(text: str) -> int:
    port = _whole(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is not a port")
    return port
