"""``python tests/benchmarks``: runs the benchmarks and prints their ratios."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # Python puts this folder on the path; the package is one above, beside the loopback server.
    here = Path(__file__).resolve().parent
    sys.path[:] = [str(here.parent), *(path for path in sys.path if Path(path).resolve() != here)]

    from benchmarks.command import main

    sys.exit(main())
