"""Runs the mock API as a server: see ``--help``."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from .extras import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRAM = f"python -m {__package__}"
_EXAMPLE = f"""\
example:
  {_PROGRAM} --port 4010
  curl http://127.0.0.1:4010/v1/messages \\
    --header "x-api-key: any" --header "anthropic-version: 2026-10-21" \\
    --header "content-type: application/json" \\
    --data '{{"model": "claude-opus-5-5", "max_tokens": 64,
             "messages": [{{"role": "user", "content": "Hello"}}]}}'
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted.

    Returns:
        0 after SIGINT or SIGTERM, 1 when the address cannot be bound, 2 for wrong arguments or
        a missing extra.
    """
    options = _parser().parse_args(arguments)
    try:
        from .mock_api import MockAPI
        from .server import run

        api = MockAPI(
            seed=options.seed,
            strict=options.strict,
            batch_polls=options.batch_polls,
            uploads_downloadable=options.uploads_downloadable,
        )
    except MissingExtraError as error:
        sys.stderr.write(f"{_PROGRAM}: {error}\n")
        return 2
    try:
        run(api, host=options.host, port=options.port, announce=_announce)
    except OSError as error:
        place = f"{options.host}:{options.port}"
        reason = error.strerror or error
        sys.stderr.write(f"{_PROGRAM}: cannot listen on {place}: {reason}\n")
        return 1
    return 0


def _announce(url: str) -> None:
    sys.stdout.write(f"Mock Claude API on {url}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="An offline Claude API. Takes any key, checks requests against the spec.",
        epilog=_EXAMPLE,
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
        help="decides the IDs that are made up (default: %(default)s)",
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse fields that the spec does not know"
    )
    parser.add_argument(
        "--batch-polls",
        type=int,
        default=1,
        metavar="N",
        help="how often a batch says in_progress before it has ended (default: %(default)s)",
    )
    parser.add_argument(
        "--uploads-downloadable",
        action="store_true",
        help="let uploaded files be downloaded, which the API refuses",
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is not a port")
    return port


if __name__ == "__main__":
    sys.exit(main())
