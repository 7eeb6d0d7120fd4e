"""What all tests share: which of them this Python can run."""

from __future__ import annotations

import sys

# The generator and the tools it stands on need Python 3.11; the run time does not.
collect_ignore = ["generator", "spec"] if sys.version_info < (3, 11) else []


def pytest_report_header() -> list[str]:
    """Say what is left out, so that a green run is not read as more than it is."""
    if collect_ignore:
        return [f"left out before Python 3.11: tests/{', tests/'.join(collect_ignore)}"]
    return []
