"""The lock file: from what, and with what, the generated package was written.

It lets ``check`` answer without generating: hashes of the spec, of the generator and of every file
written, and the versions of the tools whose output is in them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LOCK_VERSION = 1
TOOLS = ("datamodel-code-generator", "jinja2", "openapi-python-client", "ruff")
"""Packages whose version decides what is written."""
GENERATOR = Path(__file__).parent
INPUT_KINDS = frozenset({"spec-changed", "generator-changed", "tool-changed"})
"""Kinds of drift whose path is not one below the package."""


class LockError(Exception):
    """The lock file cannot be read, or is not what ``generate`` wrote."""


@dataclass(frozen=True)
class Lock:
    """What ``generate`` had and what it wrote: SHA-256 by path, with forward slashes."""

    spec: dict[str, str]
    generator: dict[str, str]
    tools: dict[str, str]
    outputs: dict[str, str]

    def to_json(self) -> str:
        """Return the file's text; ``seal`` hashes the rest of it."""
        content = self._content()
        return json.dumps({**content, "seal": _seal(content)}, indent=1, sort_keys=True) + "\n"

    def _content(self) -> dict[str, Any]:
        return {
            "lock_version": LOCK_VERSION,
            "spec": self.spec,
            "generator": self.generator,
            "tools": self.tools,
            "outputs": self.outputs,
        }


@dataclass(frozen=True)
class Drift:
    """One way in which the tree differs from what its lock says."""

    kind: str
    """``spec-changed``, ``generator-changed``, ``tool-changed``, ``edited``, ``missing``,
    ``untracked`` or ``stale``."""
    path: str
    message: str
    fix: str
    details: tuple[str, ...] = field(default=())


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file, line ends as LF so that a checkout setting cannot matter."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def read_lock(path: Path) -> Lock:
    """Read a lock file. Raises :class:`LockError`."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LockError(f"there is no lock file {path}") from None
    except (OSError, ValueError) as error:
        raise LockError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict) or data.get("lock_version") != LOCK_VERSION:
        raise LockError(f"{path} was written by another version of claude-codegen")
    if data.pop("seal", None) != _seal(data):
        raise LockError(f"{path} was changed after claude-codegen wrote it")
    return Lock(data["spec"], data["generator"], data["tools"], data["outputs"])


def make_lock(sources: Mapping[str, bytes], outputs: Mapping[str, bytes]) -> Lock:
    """Describe this run: the spec files read and the files to be written, by path."""
    return Lock(
        spec={path: digest(content) for path, content in sorted(sources.items())},
        generator=generator_digests(),
        tools=tool_versions(),
        outputs={path: digest(content) for path, content in sorted(outputs.items())},
    )


def generator_digests() -> dict[str, str]:
    """Hash every file of this package: modules, templates and the runtime it copies."""
    return {
        path.relative_to(GENERATOR).as_posix(): digest(path.read_bytes())
        for path in sorted(GENERATOR.rglob("*"))
        if path.suffix in (".py", ".jinja")
    }


def tool_versions() -> dict[str, str]:
    """Return the installed version of each tool, ``none`` where one is missing."""
    found: dict[str, str] = {}
    for name in TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def files_below(folder: Path) -> Iterator[str]:
    """Yield every file below a folder by relative path, caches of Python left aside."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix()


def find_drift(lock: Lock, spec: Path, output: Path) -> list[Drift]:
    """Compare a lock with the tree: ``spec`` is the folder of the spec, ``output`` the package.

    Reads files and writes none.
    """
    regenerate = "claude-codegen generate"
    drift = _inputs(
        "spec-changed",
        "the spec changed since the last generate",
        regenerate,
        lock.spec,
        {
            path: digest((spec / path).read_bytes())
            for path in files_below(spec)
            if path in lock.spec or _may_be_read(path)
        },
    )
    drift += _inputs(
        "generator-changed",
        "the generator changed since the last generate",
        regenerate,
        lock.generator,
        generator_digests(),
    )
    for name, used in lock.tools.items():
        installed = tool_versions().get(name, "none")
        if installed not in (used, "none"):
            drift.append(
                Drift(
                    "tool-changed",
                    name,
                    f"{name} {installed} is installed, {used} wrote the package",
                    f"pip install {name}=={used}",
                )
            )
    present = set(files_below(output)) if output.is_dir() else set[str]()
    for path, expected in lock.outputs.items():
        if path not in present:
            drift.append(Drift("missing", path, "a generated file is missing", regenerate))
        elif digest((output / path).read_bytes()) != expected:
            drift.append(Drift("edited", path, "a generated file was edited by hand", regenerate))
    drift += [
        Drift(
            "untracked",
            path,
            "a file among the generated ones was not generated",
            f"move {(output / path).as_posix()} elsewhere, or remove it",
        )
        for path in sorted(present - set(lock.outputs))
    ]
    return drift


def _may_be_read(path: str) -> bool:
    """Whether a file in the spec's folder that was not read before could be part of the spec."""
    if path.endswith(".md") or any(part.startswith(".") for part in path.split("/")):
        return False
    return path.endswith((".yaml", ".yml")) or path.startswith("examples/")


def _inputs(
    kind: str,
    message: str,
    fix: str,
    before: Mapping[str, str],
    now: Mapping[str, str],
) -> list[Drift]:
    changed = sorted(path for path in {*before, *now} if before.get(path) != now.get(path))
    return [Drift(kind, changed[0], message, fix, tuple(changed))] if changed else []


def _seal(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
