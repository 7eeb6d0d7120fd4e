"""Runs the contenders, each in a process of its own, and collects what they measured."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
CONTENDERS = HERE / "contenders"
PACKAGES = {
    "claude_client": PROJECT / "overlays",
    "claude_rest": PROJECT / "generated",
    "claude_codegen": PROJECT / "generator",
}

_FIND_OFFICIAL = "import importlib.metadata as m; print(m.version('anthropic'))"
_TIME_LIMIT_SECONDS = 170


class MeasurementError(Exception):
    """Something could not be measured; the message says what and why."""


@dataclass(frozen=True)
class Official:
    """The official SDK, and the interpreter that has it."""

    python: str
    version: str


@dataclass(frozen=True)
class Cost:
    """What a contender cost from the start of its process to the end of its work."""

    cpu: float
    """CPU seconds, the start of the interpreter included."""
    cpu_of_work: float
    """CPU seconds without it."""
    memory: int | None
    """Peak of the resident memory in bytes, where the system tells."""
    modules: tuple[str, ...]
    attrs_classes: tuple[str, ...]
    result: Any
    """What the contender itself says."""


@dataclass(frozen=True)
class Setup:
    """How to measure."""

    folder: Path
    """For what is only needed during the run."""
    quick: bool = False
    """Whether one small round is enough."""
    official: Official | None = None
    environment: dict[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "environment", _environment())

    def rounds(self, count: int) -> int:
        """Return how often to repeat what is usually done ``count`` times."""
        return 1 if self.quick else count

    def scaled(self, size: int) -> int:
        """Return the size of material that usually has ``size``."""
        return max(size // 64, 1) if self.quick else size

    def run(self, contender: str, *arguments: object, official: bool = False) -> Cost:
        """Run a contender: a file name of the folder ``contenders``, or ``-c`` and a statement.

        Raises :class:`MeasurementError` when it fails.
        """
        python, environment = sys.executable, dict(self.environment)
        if official:
            if self.official is None:
                raise MeasurementError("there is no official SDK here")
            python = self.official.python
            environment.pop("PYTHONPATH", None)
        else:
            # Whatever runs from a source tree is compiled to here, like an installed package;
            # the official SDK is installed, and too large to compile again.
            environment["PYTHONPYCACHEPREFIX"] = str(self.folder / "compiled")
        script = contender if contender == "-c" else str(CONTENDERS / contender)
        command = [python, str(CONTENDERS / "probe.py"), script, *map(str, arguments)]
        facts = json.loads(run_command(command, environment))
        return Cost(
            cpu=facts["cpu"],
            cpu_of_work=facts["cpu_of_work"],
            memory=facts["memory"],
            modules=tuple(facts["modules"]),
            attrs_classes=tuple(facts["attrs_classes"]),
            result=facts["result"],
        )

    def interleave(
        self, jobs: Mapping[str, Sequence[object]], rounds: int, *, official: Sequence[str] = ()
    ) -> dict[str, list[Cost]]:
        """Run each job once to warm up, unless ``quick``, and then ``rounds`` times, in turns.

        A job is a contender and its arguments; ``official`` names those of the official SDK.
        """
        costs: dict[str, list[Cost]] = {name: [] for name in jobs}
        for number in range(1 if self.quick else 0, rounds + 1):
            for name, (contender, *arguments) in jobs.items():
                cost = self.run(str(contender), *arguments, official=name in official)
                if number > 0:
                    costs[name].append(cost)
        return costs


def find_official(python: str | None) -> Official | None:
    """Return the official SDK of an interpreter, by default this one; ``None``: not installed.

    Raises :class:`MeasurementError` when ``python`` was named and does not have it.
    """
    environment = _environment()
    environment.pop("PYTHONPATH", None)
    try:
        version = run_command([python or sys.executable, "-c", _FIND_OFFICIAL], environment)
    except MeasurementError as error:
        if python is None:
            return None
        raise MeasurementError(f"{python} has no package anthropic") from error
    return Official(python or sys.executable, version.strip())


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a command in the project's folder and return its output."""
    try:
        finished = subprocess.run(
            command,
            env=dict(environment),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=_TIME_LIMIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MeasurementError(f"{Path(command[0]).name}: {error}") from error
    if finished.returncode != 0:
        shown = " ".join(Path(part).name if "/" in part else part for part in command[1:4])
        told = finished.stderr.strip() or finished.stdout.strip()
        raise MeasurementError(f"{shown} failed with {finished.returncode}: {told[-2000:]}")
    return finished.stdout


def source_roots() -> list[str]:
    """Return the folders that hold this project's packages, unless they are installed."""
    installed = {Path(sysconfig.get_path("purelib")).resolve()}
    installed.update(Path(path).resolve() for path in site.getsitepackages())
    roots: list[str] = []
    for package, source in PACKAGES.items():
        found = find_spec(package)
        root = Path(found.origin).resolve().parent.parent if found and found.origin else source
        if root not in installed and str(root) not in roots:
            roots.append(str(root))
    return roots


def _environment() -> dict[str, str]:
    """Return the environment of a contender: without what makes runs differ."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("ANTHROPIC_", "PYTHON"))
        and not name.upper().endswith("_PROXY")
    }
    environment["PYTHONHASHSEED"] = "0"
    roots = source_roots()
    if roots:
        environment["PYTHONPATH"] = os.pathsep.join(roots)
    return environment
