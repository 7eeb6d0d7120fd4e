"""``claude-codegen generate``: writes the client from the spec, touching only what differs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ..cli import EXIT_CLEAN, EXIT_FOUND, EXIT_UNREADABLE, find_spec, report
from ..problems import SpecError
from ..project import find_output, lock_path

if TYPE_CHECKING:
    import argparse

    from ..regenerate import Outcome


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "spec",
        nargs="?",
        metavar="SPEC",
        help="entry document (default: spec/openapi.yaml of the project)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        help="package to write (default: generated/claude_rest of the project)",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print the outcome"
    )


def run(arguments: argparse.Namespace) -> int:
    """Generate. 0: written; 1: the spec has findings, nothing was written; 3: unreadable."""
    from ..lint import lint
    from ..load import load_spec
    from ..regenerate import GenerationError, render, write

    spec = find_spec(arguments.spec)
    output = find_output(arguments.output, spec)
    try:
        bundle = load_spec(spec)
    except SpecError as error:
        report(error.problems, spec)
        return EXIT_UNREADABLE
    problems = lint(bundle)
    if problems:
        report(problems, spec)
        print("nothing was written", file=sys.stderr)
        return EXIT_FOUND
    try:
        files, lock = render(bundle)
    except GenerationError as error:
        print(
            f"{spec.as_posix()}: the generator cannot express this spec: {error}", file=sys.stderr
        )
        print("nothing was written", file=sys.stderr)
        return EXIT_FOUND
    outcome = write(files, lock, output, lock_path(output))
    _print(outcome, arguments.format)
    return EXIT_CLEAN


def _print(outcome: Outcome, form: str) -> None:
    if form == "json":
        facts = {
            "written": outcome.written,
            "removed": outcome.removed,
            "kept": outcome.kept,
            "unchanged": outcome.unchanged,
        }
        print(json.dumps(facts, indent=2))
        return
    for path in outcome.written:
        print(f"wrote   {path}")
    for path in outcome.removed:
        print(f"removed {path}")
    for path in outcome.kept:
        print(f"kept    {path}: no longer generated, but edited by hand; remove it yourself")
    print(
        f"{len(outcome.written)} written, {len(outcome.removed)} removed, "
        f"{outcome.unchanged} unchanged"
    )
