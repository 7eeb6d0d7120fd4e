"""``claude-codegen lint``: checks the spec and says what is wrong, where, and how to fix it."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from ..cli import EXIT_CLEAN, EXIT_FOUND, EXIT_UNREADABLE, find_spec
from ..problems import SpecError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from ..problems import Problem


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "spec",
        nargs="?",
        metavar="SPEC",
        help="entry document (default: spec/openapi.yaml of the project)",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print findings"
    )
    parser.add_argument("--rules", action="store_true", help="list the rules and stop")


def run(arguments: argparse.Namespace) -> int:
    """Print findings to standard output. 0: none, 1: some, 3: the spec cannot be read."""
    if arguments.rules:
        _print_rules(arguments.format)
        return EXIT_CLEAN
    from ..lint import lint
    from ..load import load_spec

    spec = find_spec(arguments.spec)
    try:
        problems: Sequence[Problem] = lint(load_spec(spec))
        code = EXIT_FOUND if problems else EXIT_CLEAN
    except SpecError as error:
        problems, code = error.problems, EXIT_UNREADABLE
    _print_problems(problems, spec, arguments.format)
    return code


def _print_problems(problems: Sequence[Problem], spec: Path, form: str) -> None:
    folder = spec.parent.as_posix()
    if form == "json":
        found = [{**problem.as_dict(), "folder": folder} for problem in problems]
        print(json.dumps({"problems": found}, indent=2, ensure_ascii=False))
        return
    for problem in problems:
        print(problem.render(folder))
    count = len(problems)
    print(f"{spec.as_posix()}: {count or 'no'} problem{'' if count == 1 else 's'}")


def _print_rules(form: str) -> None:
    from ..lint import RULES
    from ..load import LOAD_RULES

    if form == "json":
        rules = [{"id": name, "summary": text} for name, text in LOAD_RULES.items()]
        rules += [
            {"id": rule.id, "summary": rule.summary, "why": rule.why, "fix": rule.fix}
            for rule in RULES.values()
        ]
        print(json.dumps({"rules": rules}, indent=2, ensure_ascii=False))
        return
    print("While reading:\n")
    for name, text in LOAD_RULES.items():
        print(f"{name}\n{textwrap.indent(text, '    ')}\n")
    print("While checking:\n")
    for rule in RULES.values():
        text = "\n".join(
            textwrap.fill(part, 96, initial_indent="    ", subsequent_indent="    ")
            for part in (rule.summary, f"Why: {rule.why}", f"Fix: {rule.fix}")
        )
        print(f"{rule.id}\n{text}\n")
