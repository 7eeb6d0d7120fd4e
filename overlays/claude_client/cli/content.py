"""Content blocks of a request from what a command was given: words, images, documents, files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import UsageError, as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .session import Session

_URLS = ("https://", "http://")
STDIN = "-"
_SIGNATURE_BYTES = 12


def image_block(path: Path) -> dict[str, Any]:
    """Return the block of an image, which is read when it is sent.

    Its first bytes say of what kind it is, since names may be wrong.

    Raises:
        UsageError: it is of no kind that the API takes.
        OSError: it cannot be read.
    """
    from ..images_and_documents import image

    start, content = _begun(path)
    try:
        recognized: Any = image(start)
    except ValueError:
        raise UsageError(f"{path}: not a PNG, JPEG, GIF or WebP image") from None
    block: Any = image(content, media_type=recognized["source"]["media_type"])
    return dict(block)


def document_block(path: Path) -> dict[str, Any]:
    """Return the block of a document: a PDF, which is read when it is sent, or text in UTF-8.

    Raises:
        UsageError: it is neither.
        OSError: it cannot be read.
    """
    start, content = _begun(path)
    source: dict[str, Any]
    if start.startswith(b"%PDF-"):
        # document() goes by the name, and this one may have any.
        source = {"type": "base64", "media_type": "application/pdf", "data": content}
    else:
        try:
            data = content if isinstance(content, bytes) else content.read_bytes()
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise UsageError(f"{path}: neither a PDF nor text in UTF-8")
        source = {"type": "text", "media_type": "text/plain", "data": text}
    # Names of files are bytes, and those need not be text.
    title = os.fsencode(path.name).decode("utf-8", "replace")
    return {"type": "document", "source": source, "title": title}


def _begun(path: Path) -> tuple[bytes, bytes | Path]:
    """Return the first bytes of a file, and what to send: the path, or what can be read but once.

    A pipe, such as a shell makes for ``<(command)``, gives its content to who comes first.
    """
    with path.open("rb") as file:
        if path.is_file():
            return file.read(_SIGNATURE_BYTES), path
        data = file.read()
    return data[:_SIGNATURE_BYTES], data


def file_block(file_id: str, mime_type: str) -> dict[str, Any]:
    """Return the block that shows an uploaded file to the model, by the file's type."""
    source = {"type": "file", "file_id": file_id}
    if mime_type.startswith("image/"):
        return {"type": "image", "source": source}
    if mime_type in ("application/pdf", "text/plain"):
        return {"type": "document", "source": source}
    # For code execution only; the API says so where there is none.
    return {"type": "container_upload", "file_id": file_id}


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
            blocks.append(image_block(Path(place)))
    for place in options.documents:
        if place.startswith(_URLS):
            blocks.append({"type": "document", "source": {"type": "url", "url": place}})
        else:
            blocks.append(document_block(Path(place)))
    prompt = prompt_of(session, options.words, needed=not (blocks or options.files))
    for file_id in options.files:
        metadata = session.client.files.retrieve_metadata(file_id)
        blocks.append(file_block(file_id, metadata.mime_type))
    if not blocks:
        return prompt
    if prompt.strip():
        blocks.append({"type": "text", "text": prompt})
    return blocks
