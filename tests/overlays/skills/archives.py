"""Archives for the tests, good ones and such as nobody should unpack."""

from __future__ import annotations

import io
import zipfile
from stat import S_IFLNK, S_IFREG
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MANUAL = b"---\nname: my-skill\ndescription: Does things.\n---\nDo things.\n"


def packed(
    files: Iterable[tuple[str, bytes]],
    *,
    modes: dict[str, int] | None = None,
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Return an archive with these members, whatever they are called."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files:
            info = zipfile.ZipInfo("placeholder")
            # Past the constructor, which would repair a name.
            info.filename = name
            info.external_attr = (modes or {}).get(name, S_IFREG | 0o644) << 16
            archive.writestr(info, data, method)
    return buffer.getvalue()


def skill(*files: tuple[str, bytes], modes: dict[str, int] | None = None) -> bytes:
    """Return the archive of a skill with some more files in it."""
    return packed([("my-skill/SKILL.md", MANUAL), *files], modes=modes)


LINK = S_IFLNK | 0o777
