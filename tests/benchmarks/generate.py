"""The generator: writing the client from the spec, and checking that it is up to date."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING

from .figures import Figure
from .processes import PROJECT, run_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Setup

SUMMARY = "claude-codegen on the whole spec, into a folder of its own"
GENERATE_SECONDS = 15.0
CHECK_SECONDS = 3.0
NEEDED = ("datamodel_code_generator", "jinja2", "jsonschema", "openapi_python_client", "yaml")


def measure(setup: Setup) -> Iterator[Figure | str]:
    """Time both commands by the clock."""
    missing = [package for package in NEEDED if find_spec(package) is None]
    if missing or sys.version_info < (3, 11):
        yield "skipped: it takes Python 3.11 and claude-client[codegen]"
        return
    spec = str(PROJECT / "spec" / "openapi.yaml")
    output = setup.folder / "generated" / "claude_rest"
    environment = {**setup.environment, "PYTHONPYCACHEPREFIX": str(setup.folder / "compiled")}

    def seconds(*arguments: str) -> float:
        command = [sys.executable, "-m", "claude_codegen", *arguments, "-o", str(output)]
        start = perf_counter()
        run_command(command, environment)
        return perf_counter() - start

    rounds = setup.rounds(2)
    yield Figure("generate, all files new", "s", seconds("generate", spec), limit=GENERATE_SECONDS)
    if not setup.quick:
        again = min(seconds("generate", spec) for _ in range(rounds))
        yield Figure("generate, nothing new", "s", again, limit=GENERATE_SECONDS)
    check = min(seconds("check", spec) for _ in range(rounds))
    yield Figure("check", "s", check, limit=CHECK_SECONDS)
