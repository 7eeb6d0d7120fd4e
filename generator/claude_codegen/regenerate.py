"""Turn a spec into the generated package on disk."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from .emit import emit
from .emit.formatting import FormattingError
from .emit.models import EmitError
from .emit.typed_dicts import TypedDictError
from .ir import build
from .load import Bundle
from .lock import Lock, LockError, digest, make_lock, read_lock
from .lower import UnrepresentableError
from .parser import ParserError


@dataclass(frozen=True)
class Outcome:
    """What a run changed on disk, by path below the package."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    kept: tuple[str, ...]
    """Files that should have gone but are not as they were written: somebody edited them."""


class GenerationError(Exception):
    """A spec without findings that the generator cannot express all the same.

    The message says where and why: lint lacks a rule, or the generator a case.
    """


def render(bundle: Bundle) -> tuple[dict[str, bytes], Lock]:
    """Return every file of the package and the lock that belongs to them.

    Raises :class:`GenerationError`.
    """
    try:
        files = emit(build(bundle), bundle)
    except (
        EmitError,
        FormattingError,
        ParserError,
        TypedDictError,
        UnrepresentableError,
    ) as error:
        raise GenerationError(f"{type(error).__name__}: {error}") from error
    return files, make_lock(bundle.sources, files)


def write(files: dict[str, bytes], lock: Lock, output: Path, lock_file: Path) -> Outcome:
    """Bring a package on disk to the given content, touching only what differs.

    All new content is written to a folder beside the package first and moved over at the end, so
    that a run that fails early changes nothing. A file that is no longer generated is removed only
    when it is still what an earlier run wrote; other files in the folder are left alone.
    """
    try:
        earlier = read_lock(lock_file).outputs
    except LockError:
        earlier = {}
    written = [
        path
        for path, content in files.items()
        if not (output / path).is_file() or (output / path).read_bytes() != content
    ]
    if written:
        output.parent.mkdir(parents=True, exist_ok=True)
        # Beside the package, so that moving stays within one file system.
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as folder:
            staged = [(Path(folder, str(number)), path) for number, path in enumerate(written)]
            for temporary, path in staged:
                temporary.write_bytes(files[path])
            for temporary, path in staged:
                (output / path).parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(output / path)
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
    content = lock.to_json().encode()
    if not lock_file.is_file() or lock_file.read_bytes() != content:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock_file.write_bytes(content)
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
