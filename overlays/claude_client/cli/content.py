"""Content blocks of a request from what a command was given: words, images, documents, files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import UsageError, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .session import Session

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_URLS = ("https://", "http://")
STDIN = "-"


def image_block(name: str, data: bytes) -> dict[str, Any]:
    """Return the block of an image; its first bytes say of what kind it is.

    Raises:
        UsageError: it is of no kind that the API takes.
    """
    kind = next((kind for start, kind in _IMAGES if data.startswith(start)), None)
    if kind is None and data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    if kind is None:
        raise UsageError(f"{name}: not a PNG, JPEG, GIF or WebP image")
    return {"type": "image", "source": _in_base64(kind, data)}


def document_block(name: str, data: bytes) -> dict[str, Any]:
    """Return the block of a document: a PDF, or text in UTF-8.

    Raises:
        UsageError: it is neither.
    """
    if data.startswith(b"%PDF-"):
        source = _in_base64("application/pdf", data)
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise UsageError(f"{name}: neither a PDF nor text in UTF-8")
        source = {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "document", "source": source, "title": Path(name).name}


def file_block(file_id: str, mime_type: str) -> dict[str, Any]:
    """Return the block that shows an uploaded file to the model, by the file's type."""
    source = {"type": "file", "file_id": file_id}
    if mime_type.startswith("image/"):
        return {"type": "image", "source": source}
    if mime_type in ("application/pdf", "text/plain"):
        return {"type": "document", "source": source}
    # For code execution only; the API says so where there is none.
    return {"type": "container_upload", "file_id": file_id}


def _in_base64(media_type: str, data: bytes) -> dict[str, Any]:
    from base64 import b64encode

    return {"type": "base64", "media_type": media_type, "data": b64encode(data).decode("ascii")}


def prompt_of(session: Session, words: Sequence[str], *, needed: bool) -> str:
    """Return the prompt: the words, with the standard input where one of them is ``-``.

    Without words it is the standard input, unless that is a terminal.

    Raises:
        UsageError: there is no prompt though one is ``needed``, or it is not text.
    """
    if words:
        parts: list[str] = []
        said: list[str] = []
        for word in words:
            if word == STDIN:
                parts += [" ".join(said), session.read_stdin_text().strip("\r\n")]
                said = []
            else:
                said.append(as_text(word))
        parts.append(" ".join(said))
        prompt = "\n\n".join(part for part in parts if part)
    else:
        prompt = "" if session.stdin_is_terminal else session.read_stdin_text().rstrip("\r\n")
    if needed and not prompt.strip():
        raise UsageError("no prompt: give it as arguments, or on standard input")
    return prompt


def user_content(session: Session) -> str | list[dict[str, Any]]:
    """Return the content of the user's turn: images, documents and files before the prompt.

    Raises:
        UsageError: something is not what it is given as, or there is nothing at all.
        OSError: a file cannot be read.
    """
    options = session.options
    blocks: list[dict[str, Any]] = []
    for place in options.images:
        if place.startswith(_URLS):
            blocks.append({"type": "image", "source": {"type": "url", "url": place}})
        else:
            blocks.append(image_block(place, Path(place).read_bytes()))
    for place in options.documents:
        if place.startswith(_URLS):
            blocks.append({"type": "document", "source": {"type": "url", "url": place}})
        else:
            blocks.append(document_block(place, Path(place).read_bytes()))
    prompt = prompt_of(session, options.words, needed=not (blocks or options.files))
    for file_id in options.files:
        metadata = session.client.files.retrieve_metadata(file_id)
        blocks.append(file_block(file_id, metadata.mime_type))
    if not blocks:
        return prompt
    if prompt.strip():
        blocks.append({"type": "text", "text": prompt})
    return blocks
