"""The files of an uploaded skill: paths, ``SKILL.md`` and what its head says."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .exchange import RefusedError

if TYPE_CHECKING:
    from .forms import FormField

_NAME: Final = re.compile(r"[a-z0-9-]{1,64}")
_LONGEST_DESCRIPTION: Final = 1_024
_ARCHIVE: Final = b"PK\x03\x04"


@dataclass(frozen=True)
class SkillUpload:
    """A skill as it was uploaded."""

    directory: str
    """Top-level folder."""
    name: str
    description: str
    files: dict[str, bytes] = field(repr=False)
    """Content by path, the top-level folder included."""


def read_upload(form: list[FormField], max_bytes: int) -> SkillUpload:
    """Return the skill in the parts ``files[]`` of a form: an archive, or one part per file.

    Raises:
        RefusedError: 413 when the files are too large together, 400 when they are no skill.
    """
    sent = [
        (part.filename, part.content)
        for part in form
        if part.name == "files[]" and part.filename is not None
    ]
    if len(sent) == 1 and sent[0][1].startswith(_ARCHIVE):
        files = _unpack(sent[0][1], max_bytes)
    else:
        files = dict(sent)
    if sum(map(len, files.values())) > max_bytes:
        raise _too_large(max_bytes)
    for path in files:
        steps = path.split("/")
        if "\\" in path or len(steps) < 2 or any(step in ("", ".", "..") for step in steps):
            raise RefusedError(400, f"files: {path[:80]!r} is not a path in a top-level folder")
    folders = {path.partition("/")[0] for path in files}
    if len(folders) != 1:
        raise RefusedError(400, "files: all files must be in one top-level folder")
    (directory,) = folders
    manual = files.get(f"{directory}/SKILL.md")
    if manual is None:
        raise RefusedError(400, "files: SKILL.md must be at the root of the top-level folder")
    head = _front_matter(manual)
    name, description = head.get("name", ""), head.get("description", "")
    if not _NAME.fullmatch(name):
        raise RefusedError(
            400, "SKILL.md: name must have 1 to 64 lower-case letters, digits and hyphens"
        )
    if not 1 <= len(description) <= _LONGEST_DESCRIPTION:
        raise RefusedError(400, "SKILL.md: description must have 1 to 1,024 characters")
    return SkillUpload(directory, name, description, files)


def _unpack(archive: bytes, max_bytes: int) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            # Judged before it is unpacked: a small archive can hold very much.
            if sum(entry.file_size for entry in entries) > max_bytes:
                raise _too_large(max_bytes)
            return {entry.filename: opened.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise RefusedError(400, "files: the archive cannot be unpacked") from error


def _too_large(max_bytes: int) -> RefusedError:
    return RefusedError(413, f"The files exceed the maximum size of {max_bytes:,} bytes together")


def _front_matter(manual: bytes) -> dict[str, str]:
    """Read the plain ``key: value`` lines of a head; the mock needs no more of YAML."""
    lines = manual.decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        raise RefusedError(400, "SKILL.md: must begin with front matter between lines of ---")
    head: dict[str, str] = {}
    for line in lines[1:]:
        if line.strip() == "---":
            return head
        key, separator, value = line.partition(":")
        if separator and not line.startswith((" ", "#")):
            head[key.strip()] = value.strip().strip("\"'")
    raise RefusedError(400, "SKILL.md: the front matter has no end")
