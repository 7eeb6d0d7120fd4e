"""What all tests share: which of them this Python can run, and which need not run on each."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The generator and the tools it stands on need Python 3.11; the run time does not.
collect_ignore = ["generator", "spec"] if sys.version_info < (3, 11) else []

TESTS = Path(__file__).parent

ONCE = (
    # They judge files, other programs or other implementations, whichever Python runs them, or
    # look for rare values at length.
    "benchmarks",
    "end_to_end/test_kill_and_resume.py",
    "end_to_end/test_readme.py",
    "generated/test_round_trip.py",
    "generator/back",
    "spec",
    "typing",
    "overlays/testing/test_independent_mock.py",
    "overlays/testing/test_official_sdk.py",
    "overlays/testing/test_schemathesis.py",
    "test_layers.py",
)
"""Tests with the marker ``once``, which tox leaves out on all but one Python."""

# How long an example takes depends on what else the machine does.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# Examples name models that have gone since they were written, and a warning fails a test. Tests of
# these warnings turn them on again.
os.environ["CLAUDE_CLIENT_MODEL_WARNINGS"] = "0"


def pytest_report_header() -> list[str]:
    """Say what is left out, so that a green run is not read as more than it is."""
    if collect_ignore:
        return [f"left out before Python 3.11: tests/{', tests/'.join(collect_ignore)}"]
    return []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what need not run on each Python."""
    for item in items:
        place = item.path.relative_to(TESTS).as_posix()
        if place.startswith(ONCE):
            item.add_marker("once")
