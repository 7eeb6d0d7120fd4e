"""Content blocks made of files: what they are is told by their names or first bytes."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from typing import IO

    from claude_rest.params import (
        CacheControlEphemeralParam,
        CitationsConfigParam,
        DocumentBlockParam,
        ImageBlockParam,
    )

    Content: TypeAlias = bytes | bytearray | memoryview | os.PathLike[str] | IO[bytes]
    ImageType: TypeAlias = Literal["image/jpeg", "image/png", "image/gif", "image/webp"]

_BY_ENDING: dict[str, ImageType] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
_SIGNATURE_BYTES = 12


def image(
    content: Content,
    *,
    media_type: ImageType | None = None,
    cache_control: CacheControlEphemeralParam | None = None,
) -> ImageBlockParam:
    """Return a block with an image that is read and encoded when it is sent.

    ``content`` is a path (``pathlib.Path``; a string is none), an open binary file or the bytes of
    the image. Without ``media_type`` the ending of the name decides or, where there is no name,
    the first bytes. Raises ``ValueError`` when neither tells, ``TypeError`` for anything else.
    """
    _require_content(content)
    if media_type is None:
        name = _name(content)
        media_type = _BY_ENDING.get(_ending(name)) if name else _by_signature(_start(content))
        if media_type is None:
            raise ValueError(
                f"{name or 'the content'} does not tell what kind of image it is; pass media_type="
            )
    block: ImageBlockParam = {
        "type": "image",
        "source": {"type": "base64", "media_type": media_type, "data": content},
    }
    if cache_control is not None:
        block["cache_control"] = cache_control
    return block


def document(
    content: Content,
    *,
    title: str | None = None,
    context: str | None = None,
    citations: CitationsConfigParam | None = None,
    cache_control: CacheControlEphemeralParam | None = None,
) -> DocumentBlockParam:
    """Return a block with a PDF that is read and encoded when it is sent; see :func:`image`.

    Raises ``ValueError`` for a name that does not end in ``.pdf``: the API takes no other kind of
    file as base64. The text of a file goes into a source of type ``text``.
    """
    _require_content(content)
    name = _name(content)
    if name and _ending(name) != ".pdf":
        raise ValueError(
            f"{name} is no PDF; send a text as "
            '{"type": "text", "media_type": "text/plain", "data": path.read_text()}'
        )
    block: DocumentBlockParam = {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": content},
    }
    if title is not None:
        block["title"] = title
    if context is not None:
        block["context"] = context
    if citations is not None:
        block["citations"] = citations
    if cache_control is not None:
        block["cache_control"] = cache_control
    return block


def _require_content(content: Any) -> None:
    if isinstance(content, str):
        raise TypeError(
            "a string may be a path or base64; pass pathlib.Path(...) for the file there"
        )
    if not (
        isinstance(content, (bytes, bytearray, memoryview))
        or hasattr(content, "__fspath__")
        or hasattr(content, "read")
    ):
        raise TypeError(
            f"{type(content).__name__} is no file; pass a pathlib.Path, a file opened in binary "
            "mode, or bytes"
        )


def _name(content: Any) -> str:
    name = content if hasattr(content, "__fspath__") else getattr(content, "name", None)
    if name is None or isinstance(name, int):
        return ""
    return PurePath(os.fsdecode(name)).name


def _ending(name: str) -> str:
    return PurePath(name).suffix.lower()


def _start(content: Any) -> bytes:
    if not hasattr(content, "read"):
        return bytes(content[:_SIGNATURE_BYTES])
    if not content.seekable():
        return b""
    position = content.tell()
    start = content.read(_SIGNATURE_BYTES)
    content.seek(position)
    return bytes(start)


def _by_signature(start: bytes) -> ImageType | None:
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "image/webp"
    return None
