"""Turn a spec into the generated package on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .emit import emit
from .ir import build
from .load import Bundle
from .lock import Lock, LockError, digest, make_lock, read_lock


@dataclass(frozen=True)
class Outcome:
    """What a run changed on disk, by path below the package."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    kept: tuple[str, ...]
    """Files that should have gone but are not as they were written: somebody edited them."""


def render(bundle: Bundle) -> tuple[dict[str, bytes], Lock]:
    """Return every file of the package and the lock that belongs to them."""
    files = emit(build(bundle), bundle)
    return files, make_lock(bundle.sources, files)


def write(files: dict[str, bytes], lock: Lock, output: Path, lock_file: Path) -> Outcome:
    """Bring a package on disk to the given content, touching only what differs.

    All new content is written beside its target first and moved over it at the end, so that a run
    that fails early changes nothing. A file that is no longer generated is removed only when it
    is still what an earlier run wrote; other files in the folder are left alone.
    """
    try:
        earlier = read_lock(lock_file).outputs
    except LockError:
        earlier = {}
    written: list[str] = []
    staged: list[tuple[Path, Path]] = []
    try:
        for path, content in files.items():
            target = output / path
            if target.is_file() and target.read_bytes() == content:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.new")
            temporary.write_bytes(content)
            staged.append((temporary, target))
            written.append(path)
        for temporary, target in staged:
            os.replace(temporary, target)
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
    removed: list[str] = []
    kept: list[str] = []
    for path in sorted(set(earlier) - set(files)):
        target = output / path
        if not target.is_file():
            continue
        if digest(target.read_bytes()) == earlier[path]:
            target.unlink()
            removed.append(path)
            _remove_empty(target.parent, output)
        else:
            kept.append(path)
    text = lock.to_json()
    if not lock_file.is_file() or lock_file.read_text(encoding="utf-8") != text:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock_file.write_text(text, encoding="utf-8", newline="\n")
    return Outcome(tuple(written), tuple(removed), len(files) - len(written), tuple(kept))


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root and not any(
        part for part in folder.iterdir() if part.name != "__pycache__"
    ):
        for cached in (folder / "__pycache__").glob("*"):
            cached.unlink()
        if (folder / "__pycache__").is_dir():
            (folder / "__pycache__").rmdir()
        folder.rmdir()
        folder = folder.parent
