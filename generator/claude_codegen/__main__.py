"""``python -m claude_codegen``: the same as the command ``claude-codegen``."""

from __future__ import annotations

import sys

from .cli import main


def run() -> int:
    """Run the command with the arguments of the process and return its exit code."""
    return main()


if __name__ == "__main__":
    sys.exit(run())
