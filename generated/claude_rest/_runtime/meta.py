"""What the headers of a response say about the call: identifiers, status, timing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .rate_limits import RateLimits

# The API's own name first, then what its hosted variants send instead.
_REQUEST_ID_HEADERS = ("request-id", "x-amzn-requestid", "apim-request-id", "x-request-id")


class ResponseHeaders(Mapping[str, str]):
    """Headers of a response: read-only, lower-case names, looked up in any case.

    A header that was sent more than once holds its values joined with ``", "``
    (RFC 9110 section 5.3).
    """

    __slots__ = ("_values",)

    _values: dict[str, str]

    def __init__(self, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        """Take a mapping, or pairs of name and value in the order they were received."""
        values: dict[str, str] = {}
        for name, value in _pairs(headers):
            key = name.lower()
            values[key] = f"{values[key]}, {value}" if key in values else value
        self._values = values

    @classmethod
    def from_bytes(cls, headers: Iterable[tuple[bytes, bytes]]) -> ResponseHeaders:
        """Take pairs as they were received."""
        self = cls.__new__(cls)
        values: dict[str, str] = {}
        self._values = values
        for name, value in headers:
            key = name.decode("latin-1").lower()
            text = value.decode("latin-1")
            values[key] = f"{values[key]}, {text}" if key in values else text
        return self

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __repr__(self) -> str:
        return f"ResponseHeaders({list(self._values)})"

    def __reduce__(self) -> Any:
        return (ResponseHeaders, (dict(self._values),))


def _pairs(headers: Any) -> Iterable[tuple[str, str]]:
    items: Any = getattr(headers, "items", None)
    return cast("Iterable[tuple[str, str]]", headers if items is None else items())


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """Return the id that names a request in support cases, whichever header carries it.

    ``headers`` has lower-case names.
    """
    for name in _REQUEST_ID_HEADERS:
        value = headers.get(name)
        if value:
            return value
    return None


class Meta:
    """Metadata of one response. Never part of equality, ``repr`` or encoding of a result."""

    __slots__ = ("_rate_limits", "attempts", "elapsed", "headers", "http_version", "status_code")

    status_code: int
    """HTTP status."""
    headers: ResponseHeaders
    """All headers of the response."""
    attempts: int
    """Requests sent for this answer, retries included."""
    elapsed: float
    """Seconds from sending the last attempt to the end of its headers."""
    http_version: str
    """``HTTP/1.1`` or ``HTTP/2``."""

    def __init__(
        self,
        *,
        status_code: int,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        attempts: int = 1,
        elapsed: float = 0.0,
        http_version: str = "HTTP/1.1",
    ) -> None:
        """Describe a response; ``elapsed`` is in seconds."""
        self.status_code = status_code
        self.headers = headers if isinstance(headers, ResponseHeaders) else ResponseHeaders(headers)
        self.attempts = attempts
        self.elapsed = elapsed
        self.http_version = http_version

    @property
    def request_id(self) -> str | None:
        """Id of the request (``req_…``); quote it when asking for help."""
        return request_id_of(self.headers)

    @property
    def organization_id(self) -> str | None:
        """Organization that the credential belongs to."""
        return self.headers.get("anthropic-organization-id")

    @property
    def workspace_id(self) -> str | None:
        """Workspace that the request ran in; absent on admin calls."""
        return self.headers.get("anthropic-workspace-id")

    @property
    def rate_limits(self) -> RateLimits:
        """What the response says about rate limits; empty when it says nothing."""
        try:
            return self._rate_limits
        except AttributeError:
            from .rate_limits import parse_rate_limits

            self._rate_limits: RateLimits = parse_rate_limits(self.headers)
            return self._rate_limits

    def __repr__(self) -> str:
        return (
            f"Meta(status_code={self.status_code}, request_id={self.request_id!r}, "
            f"attempts={self.attempts}, elapsed={self.elapsed:.3f})"
        )


class AnswerFacts:
    """What a result shows of the response it came with; ``None`` when it came with none."""

    __slots__ = ()

    @property
    def meta(self) -> Meta | None:
        """Metadata of the response."""
        return None

    @property
    def request_id(self) -> str | None:
        """Id of the request (``req_…``); quote it when asking for help."""
        meta = self.meta
        return None if meta is None else meta.request_id

    @property
    def _request_id(self) -> str | None:
        """The same under the name that the official SDK gives it."""
        meta = self.meta
        return None if meta is None else meta.request_id

    @property
    def organization_id(self) -> str | None:
        """Organization that the credential belongs to."""
        meta = self.meta
        return None if meta is None else meta.organization_id

    @property
    def rate_limits(self) -> RateLimits | None:
        """What the response says about rate limits."""
        meta = self.meta
        return None if meta is None else meta.rate_limits


class ResponseFacts:
    """What a result shows of the response that it reads itself, such as a stream."""

    __slots__ = ()

    meta: Meta
    """Metadata of the response."""

    @property
    def status_code(self) -> int:
        """HTTP status of the response."""
        return self.meta.status_code

    @property
    def headers(self) -> ResponseHeaders:
        """Headers of the response."""
        return self.meta.headers

    @property
    def request_id(self) -> str | None:
        """Id of the request (``req_…``); quote it when asking for help."""
        return self.meta.request_id

    @property
    def _request_id(self) -> str | None:
        """The same under the name that the official SDK gives it."""
        return self.meta.request_id

    @property
    def organization_id(self) -> str | None:
        """Organization that the credential belongs to."""
        return self.meta.organization_id

    @property
    def rate_limits(self) -> RateLimits:
        """What the response says about rate limits; empty when it says nothing."""
        return self.meta.rate_limits
