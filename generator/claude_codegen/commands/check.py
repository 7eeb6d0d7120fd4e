"""``claude-codegen check``: is the generated client what the spec generates? Changes nothing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ..cli import EXIT_CLEAN, EXIT_FOUND, EXIT_UNREADABLE, find_spec, report
from ..lock import INPUT_KINDS, Drift, LockError, files_below, find_drift, read_lock
from ..problems import SpecError
from ..project import find_output, lock_path

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from ..load import Bundle


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
        help="package to check (default: generated/claude_rest of the project)",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="generate in memory and compare every byte, instead of comparing hashes",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print findings"
    )


def run(arguments: argparse.Namespace) -> int:
    """Check. 0: no drift; 1: drift, or (with ``--full``) findings in the spec; 3: unreadable."""
    spec = find_spec(arguments.spec)
    output = find_output(arguments.output, spec)
    compared = 0
    try:
        lock = read_lock(lock_path(output))
        drift = find_drift(lock, spec.parent, output)
        compared = len(lock.outputs)
    except LockError as error:
        drift = [Drift("lock", lock_path(output).name, str(error), "claude-codegen generate")]
    except OSError as error:
        print(f"cannot compare: {error}", file=sys.stderr)
        return EXIT_UNREADABLE
    if arguments.full:
        from ..load import load_spec

        try:
            bundle = load_spec(spec)
        except SpecError as error:
            report(error.problems, spec)
            return EXIT_UNREADABLE
        found = _compare(bundle, spec, output)
        if found is None:
            return EXIT_FOUND
        known = {item.path for item in drift if item.kind not in INPUT_KINDS}
        drift += [item for item in found[0] if item.path not in known]
        compared = found[1]
    _print(drift, compared, arguments.format, full=arguments.full)
    return EXIT_FOUND if drift else EXIT_CLEAN


def _compare(bundle: Bundle, spec: Path, output: Path) -> tuple[list[Drift], int] | None:
    """Generate in memory and compare with the folder, byte for byte and file for file.

    Reports why to standard error and returns ``None`` when there is nothing to compare with.
    """
    from ..lint import lint
    from ..regenerate import GenerationError, render

    problems = lint(bundle)
    if problems:
        report(problems, spec)
        return None
    try:
        files, lock = render(bundle)
    except GenerationError as error:
        print(
            f"{spec.as_posix()}: the generator cannot express this spec: {error}", file=sys.stderr
        )
        return None
    fix = "claude-codegen generate"
    drift: list[Drift] = []
    for path, content in files.items():
        target = output / path
        if not target.is_file():
            drift.append(Drift("missing", path, "the spec generates a file that is missing", fix))
        elif target.read_bytes() != content:
            drift.append(Drift("stale", path, "the spec generates other content", fix))
    drift += [
        Drift(
            "untracked",
            path,
            "the spec does not generate this file",
            f"move {(output / path).as_posix()} elsewhere, or remove it",
        )
        for path in files_below(output)
        if path not in files
    ]
    try:
        if read_lock(lock_path(output)) != lock:
            drift.append(Drift("lock", lock_path(output).name, "the lock is out of date", fix))
    except LockError as error:
        drift.append(Drift("lock", lock_path(output).name, str(error), fix))
    return drift, len(files)


def _print(drift: list[Drift], compared: int, form: str, *, full: bool) -> None:
    if form == "json":
        found = [
            {
                "kind": item.kind,
                "path": item.path,
                "message": item.message,
                "fix": item.fix,
                "details": item.details,
            }
            for item in drift
        ]
        print(json.dumps({"drift": found, "files_compared": compared}, indent=2))
        return
    for item in drift:
        print(f"{item.path}: {item.kind}: {item.message}")
        for detail in item.details[1:]:
            print(f"    also {detail}")
        print(f"    fix {item.fix}")
    how = "regenerated and compared" if full else "compared with the lock"
    count = len(drift)
    print(f"{compared} files {how}: {count or 'no'} finding{'' if count == 1 else 's'}")
