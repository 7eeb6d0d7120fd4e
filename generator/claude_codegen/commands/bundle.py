"""``claude-codegen bundle``: writes the spec as one document, always the same for the same spec."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cli import EXIT_CLEAN, EXIT_UNREADABLE, UsageError, find_spec, report
from ..problems import SpecError

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "spec",
        nargs="?",
        metavar="SPEC",
        help="entry document (default: spec/openapi.yaml of the project)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (default: stdout)")
    parser.add_argument(
        "--format",
        choices=("json", "yaml"),
        help="what to write (default: by the suffix of FILE, else json)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the bundle. 0: written; 2: it cannot be; 3: the spec cannot be read."""
    from ..load import load_spec

    spec = find_spec(arguments.spec)
    try:
        bundle = load_spec(spec)
    except SpecError as error:
        report(error.problems, spec)
        return EXIT_UNREADABLE
    output: str | None = arguments.output
    form: str | None = arguments.format
    if form is None:
        form = "yaml" if output and output.endswith((".yaml", ".yml")) else "json"
    content = render_bundle(bundle.document, form).encode()
    if output is None or output == "-":
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise UsageError(f"cannot write standard output: {error.strerror}") from error
        return EXIT_CLEAN
    try:
        _replace(Path(output), content)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from error
    return EXIT_CLEAN


def render_bundle(document: dict[str, Any], form: str) -> str:
    """Return a bundled document as text; ``form`` is ``json`` or ``yaml``."""
    if form == "json":
        return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    from ..source import dump_yaml

    return dump_yaml(document)


def _replace(path: Path, content: bytes) -> None:
    """Write a file in one step, so that a reader never sees half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
