"""Files: stored in memory, byte for byte, in today's shape and in the older one."""

from __future__ import annotations

import re
from mimetypes import guess_extension
from typing import TYPE_CHECKING, Any, Final

from .exchange import BINARY_TYPE, Answer, RefusedError
from .workspace import StoredFile, page_by_cursor, page_by_id, timestamp

if TYPE_CHECKING:
    from .answers import Call

OLDER_SHAPE: Final = "files-api-2025-04-14"
"""Beta flag that selects the older shape."""

_FORBIDDEN: Final = re.compile(r'[<>:"|?*\x00-\x1f]')
_LONGEST_NAME: Final = 255


def upload_file(call: Call) -> Answer:
    """Store a file (spec: FileUploadParams)."""
    (part,) = [part for part in call.form if part.name == "file" and part.filename is not None][:1]
    mime_type = (part.content_type or "application/octet-stream").partition(";")[0].strip().lower()
    expires_in: int | None = call.body.get("expires_in_seconds")
    call.workspace.require_space(len(part.content))
    file = StoredFile(
        number=call.workspace.next_number(),
        id=call.identifiers.next("file"),
        filename=_name(part.filename or "", mime_type),
        mime_type=mime_type,
        content=part.content,
        created=call.now,
        downloadable=call.uploads_downloadable,
        expires=None if expires_in is None else call.now + expires_in,
    )
    call.workspace.files[file.id] = file
    return Answer.of(_show(file, call))


def list_files(call: Call) -> Answer:
    """Answer with one page of files, or with those whose IDs are asked for."""
    files = [file for file in call.workspace.files.values() if not _is_expired(file, call)]
    if OLDER_SHAPE in call.flags:
        if call.query.get("scope_id") is not None:
            files = []  # uploads belong to the workspace, never to a session
        return Answer.of(page_by_id(files, call.query, lambda file: _show(file, call)))
    query = dict(call.query)
    wanted = query.pop("ids[]", None)
    if wanted is not None:
        if query.get("page") is not None or "limit" in query:
            raise RefusedError(400, "ids: not together with page or limit")
        files = [file for file in files if file.id in wanted]
        query["limit"] = max(1, len(files))
    return Answer.of(page_by_cursor(files, query, lambda file: _show(file, call)))


def retrieve_file(call: Call) -> Answer:
    """Answer with what is known about a file."""
    return Answer.of(_show(_find(call), call))


def download_file(call: Call) -> Answer:
    """Answer with the bytes of a file; only what tools made, unless the mock is told otherwise."""
    file = _find(call)
    if not file.downloadable:
        raise RefusedError(
            400,
            f"File {file.id} was uploaded and cannot be downloaded",
            details={"error_code": "file_not_downloadable"},
        )
    return Answer(file.content, BINARY_TYPE)


def delete_file(call: Call) -> Answer:
    """Remove a file."""
    file = _find(call)
    del call.workspace.files[file.id]
    return Answer.of({"id": file.id, "type": "file_deleted"})


def _find(call: Call) -> StoredFile:
    file = call.workspace.files.get(call.path["file_id"])
    if file is None:
        raise RefusedError(404, f"file: {call.path['file_id'][:80]}")
    if _is_expired(file, call):
        raise RefusedError(
            404, f"File {file.id} has expired", details={"error_code": "file_expired"}
        )
    return file


def _is_expired(file: StoredFile, call: Call) -> bool:
    return file.expires is not None and call.now >= file.expires


def _name(sent: str, mime_type: str) -> str:
    """Return the name a file is stored under: folders dropped, an empty one made up."""
    name = sent.replace("\\", "/").rpartition("/")[2]
    if not name:
        name = "unnamed" + (guess_extension(mime_type) or "")
    if len(name) > _LONGEST_NAME or _FORBIDDEN.search(name):
        raise RefusedError(400, "file: the file name is longer than 255 characters or not allowed")
    return name


def _show(file: StoredFile, call: Call) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": file.id,
        "type": "file",
        "filename": file.filename,
        "mime_type": file.mime_type,
        "size_bytes": len(file.content),
        "created_at": timestamp(file.created),
        "downloadable": file.downloadable,
    }
    if OLDER_SHAPE not in call.flags:
        shown["expires_at"] = None if file.expires is None else timestamp(file.expires)
    return shown
