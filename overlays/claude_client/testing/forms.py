"""Bodies of ``multipart/form-data`` (RFC 7578), taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .exchange import MockRequest, RefusedError
from .parameters import typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .routing import MockOperation, Router

_BOUNDARY: Final = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r';\s*([a-z]+)="([^"]*)"', re.IGNORECASE)


@dataclass(frozen=True)
class FormField:
    """One part of a form; ``repr`` leaves out what it holds."""

    name: str
    filename: str | None
    """None for a field that is no file; folders are still in front."""
    content_type: str | None
    content: bytes = field(repr=False)


def read_form(request: MockRequest) -> list[FormField]:
    """Return the fields of a form in the order sent.

    Raises:
        RefusedError: 400 when the body is no form, or one that is cut off.
    """
    declared = request.header("content-type") or ""
    boundary = _BOUNDARY.search(declared)
    if not declared.lower().startswith("multipart/form-data") or boundary is None:
        raise RefusedError(400, "content-type: multipart/form-data with a boundary is required")
    delimiter = b"--" + (boundary[1] or boundary[2]).encode()
    # The line break before a delimiter belongs to it.
    _, *parts = (b"\r\n" + request.body).split(b"\r\n" + delimiter)
    if not parts or not parts[-1].startswith(b"--"):
        raise RefusedError(400, "The form ends before its closing boundary")
    return [_read_field(part) for part in parts[:-1]]


def _read_field(part: bytes) -> FormField:
    head, separator, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        raise RefusedError(400, "A field of the form has no headers")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    attributes = {
        name.lower(): _unescape(value)
        for name, value in _ATTRIBUTE.findall(headers.get("content-disposition", ""))
    }
    if "name" not in attributes:
        raise RefusedError(400, "A field of the form has no name")
    return FormField(
        attributes["name"], attributes.get("filename"), headers.get("content-type"), content
    )


def _unescape(text: str) -> str:
    for escape, character in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
        text = text.replace(escape, character)
    return text


def form_values(
    operation: MockOperation, router: Router, fields: list[FormField]
) -> dict[str, Any]:
    """Return a form as the object that its schema describes, a file by its name.

    A file where none is expected, and text where a file is, do not count as given.
    """
    schema = router.resolve(operation.body_schema or {})
    properties: Mapping[str, Any] = schema.get("properties", {})
    values: dict[str, Any] = {}
    for part in fields:
        declared = router.resolve(properties.get(part.name, {}))
        listed = declared.get("type") == "array"
        item = router.resolve(declared.get("items", {})) if listed else declared
        if (item.get("format") == "binary") != (part.filename is not None):
            continue
        value: Any = part.filename
        if value is None:
            value = typed(part.content.decode("utf-8", "replace"), item)
        if listed:
            values.setdefault(part.name, []).append(value)
        else:
            values[part.name] = value
    return values
