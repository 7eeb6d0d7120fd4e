"""Runs the mock API as a server: see ``--help``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted, be it before the server is there; see :mod:`.command`.

    Returns:
        0 after SIGINT or SIGTERM, 1 when the address cannot be bound, 2 for wrong arguments or
        a missing extra.
    """
    try:
        from .command import run_command

        return run_command(arguments)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
