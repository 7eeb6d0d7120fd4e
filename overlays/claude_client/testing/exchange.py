"""What goes into the mock API and what comes out of it, free of any HTTP library."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .faults import Fault

JSON_TYPE: Final = "application/json"
EVENT_STREAM_TYPE: Final = "text/event-stream; charset=utf-8"
JSON_LINES_TYPE: Final = "application/x-jsonl"
BINARY_TYPE: Final = "application/binary"

NO_CONTENT: Final = 204
"""Status of answers that have neither a body nor headers about one."""
_LOOPBACK: Final = re.compile(r"(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?")

ERROR_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""``error.type`` by status; other 4xx are ``invalid_request_error``, other 5xx ``api_error``."""


@dataclass(frozen=True)
class MockRequest:
    """One request as it came over the wire.

    ``repr`` leaves out headers and body, because they hold credentials and prompts.
    """

    method: str
    """Upper-case HTTP method."""
    path: str
    """Path of the URL, still percent-encoded, without the query."""
    query: str = ""
    """Query of the URL, still encoded, without the question mark."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Header lines in the order sent; names in any case."""
    body: bytes = field(default=b"", repr=False)
    """The whole body."""
    body_cut: bool = False
    """True when the body went on after ``body``, which is over the size limit already."""

    def header(self, name: str) -> str | None:
        """Return the value of a header, several lines joined by a comma (RFC 9110 section 5.3)."""
        wanted = name.lower()
        values = [value.strip() for key, value in self.headers if key.lower() == wanted]
        return ", ".join(values) if values else None

    @property
    def origin(self) -> str:
        """Where the request went, as far as its headers say: scheme and host."""
        host = self.header("host") or "api.anthropic.com"
        return f"{'http' if _LOOPBACK.fullmatch(host) else 'https'}://{host}"


@dataclass(frozen=True)
class MockResponse:
    """One answer of the mock API."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """Header lines, names in lower case."""
    body: bytes | Iterator[bytes] = field(repr=False)
    """The whole body, or its pieces; an iterator can be read once."""
    fault: Fault | None = None
    """What goes wrong on the way to the client, for whoever carries the answer there."""

    def header(self, name: str) -> str | None:
        """Return the value of a header, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), None)

    def read(self) -> bytes:
        """Return the body in one piece; uses up an iterator."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)

    def json(self) -> Any:
        """Return the decoded JSON body; uses up an iterator."""
        return json.loads(self.read())


@dataclass(frozen=True)
class Answer:
    """What an operation answers, before the headers that every response has are added."""

    body: bytes | Iterator[bytes]
    content_type: str = JSON_TYPE
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    usage: Mapping[str, Any] | None = None
    """Tokens that the answer took, for the rate-limit headers; None when it took none."""

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Answer:
        """Answer with a JSON object."""
        return cls(encode(value), usage=value.get("usage"))


class RefusedError(Exception):
    """The API refuses the request; turned into its error envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        error_type: str | None = None,
    ) -> None:
        super().__init__(status, message)
        self._type = error_type
        self.status = status
        self.message = message
        self.details = details
        self.headers = headers

    @property
    def type(self) -> str:
        """``error.type``: the one given, or the one that belongs to the status."""
        if self._type is not None:
            return self._type
        fallback = "api_error" if self.status >= 500 else "invalid_request_error"
        return ERROR_TYPES.get(self.status, fallback)

    def envelope(self, request_id: str) -> dict[str, Any]:
        """Return the body of the error response (spec: schemas/errors, ErrorResponse)."""
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.details is not None:
            error["details"] = dict(self.details)
        return {"type": "error", "error": error, "request_id": request_id}


def encode(value: object) -> bytes:
    """Return a JSON value as compact UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
