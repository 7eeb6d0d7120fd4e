"""``python -m`` with the name of this package: the same as the command ``claude-client``."""

from __future__ import annotations

import sys

from .cli import run

if __name__ == "__main__":
    sys.exit(run())
