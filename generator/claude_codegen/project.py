"""Where the parts of a project are: the generated package belongs to a spec, its lock to it."""

from __future__ import annotations

import os
from pathlib import Path

OUTPUT_IN_PROJECT = Path("generated", "claude_rest")


def find_output(argument: str | None, spec: Path) -> Path:
    """Return the package to write: ``argument``, or the one of the project the spec is in."""
    if argument is not None:
        return Path(argument)
    return Path(os.path.relpath(spec.resolve().parent.parent / OUTPUT_IN_PROJECT))


def lock_path(output: Path) -> Path:
    """Return the lock file of a package: beside it, named after it."""
    return output.with_name(f"{output.name}.lock.json")
