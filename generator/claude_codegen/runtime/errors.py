"""Every error the client raises, and the rules that choose one for an answer of the server.

The rules are pure functions: :func:`error_class` picks a class, :mod:`.error_bodies` reads the
envelopes of the API and of the gateways in front of it, :func:`error_from_response` and
:func:`error_from_event` put the two together. Importing this module loads nothing else of weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .meta import ResponseHeaders, request_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import ClassVar, Final, Literal, TypedDict

    from typing_extensions import Unpack

    from .error_bodies import ErrorBody
    from .operation import BetaSource

    Phase = Literal["dns", "connect", "tls", "pool", "send", "headers", "body"]
    LimitName = Literal["connect", "pool", "write", "first_byte", "idle", "deadline"]
    CodeClasses = Callable[[int, str], "type[APIStatusError] | None"]

    class _StatusFacts(TypedDict, total=False):
        http_status: int | None
        headers: Mapping[str, str] | None
        content: bytes
        request_id: str | None
        operation: str | None
        attempts: int


class ClaudeError(Exception):
    """Base of every error raised here."""

    def __reduce__(self) -> Any:
        # The default would call the constructor with the message alone, and lose the cause.
        causes: tuple[Any, ...] = ()
        if self.__cause__ is not None:
            from .causes import describe_causes

            causes = describe_causes(self)
        return (_restore, (type(self), self.args, causes), self.__dict__)

    def __copy__(self) -> Any:
        copy = _restore(type(self), self.args)
        copy.__dict__.update(self.__dict__)
        # The very same one: in this process it may hold whatever it holds.
        copy.__cause__ = self.__cause__
        copy.__suppress_context__ = self.__suppress_context__
        return copy


def _restore(
    cls: type[ClaudeError], args: tuple[Any, ...], causes: tuple[Any, ...] = ()
) -> ClaudeError:
    error = cls.__new__(cls, *args)
    if causes:
        from .causes import rebuild_causes

        error.__cause__ = rebuild_causes(causes)
    return error


class PathSegmentError(ClaudeError, ValueError):
    """An argument that becomes part of the path is empty or would change the path."""


class HeaderValueError(ClaudeError, ValueError):
    """A header name or value holds what HTTP forbids; the message never shows the value."""


class BaseURLError(ClaudeError, ValueError):
    """The base URL is not an absolute http or https URL."""


class EnvironmentVariableError(ClaudeError, ValueError):
    """An environment variable that the connection depends on has a value that cannot be used.

    Proxies and certificate authorities are read with the first request, so that is when this is
    raised. Values that may hold a password are not shown.
    """

    variable: str
    """Name of the variable, for example ``HTTPS_PROXY``."""

    def __init__(self, variable: str, problem: str) -> None:
        """Name the variable and say what is wrong with it."""
        super().__init__(f"{variable} {problem}")
        self.variable = variable


class ClosedClientError(ClaudeError, RuntimeError):
    """The client was used after ``close()``."""


class UploadError(ClaudeError):
    """A file could not be read while it was being sent, or its size is not what was announced."""


class APIError(ClaudeError):
    """Base of everything that can go wrong in a call."""

    message: str
    """What happened, without the details that :meth:`__str__` adds."""
    operation: str | None
    """Operation that failed, for example ``messages.create``."""
    attempts: int
    """Requests sent so far, the failed one included."""
    max_attempts: int | None = None
    """Requests that the call might have sent, where whoever sent them knows."""
    not_retried: str | None = None
    """Why the call stopped here, where that is not plain from the error itself."""
    request_id: str | None
    """Id of the request, when an answer came."""
    body: object = None
    """The body of the answer that failed, decoded when it is JSON, else its text."""
    partial: Any = None
    """What a stream had added up to when it failed; filled in by whoever accumulates it."""

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        attempts: int = 1,
        request_id: str | None = None,
    ) -> None:
        """Make an error; see the attributes."""
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.attempts = attempts
        self.request_id = request_id

    def __str__(self) -> str:
        prefix = f"{self.operation}: " if self.operation else ""
        facts = self._facts()
        suffix = f" ({', '.join(facts)})" if facts else ""
        if self.not_retried:
            suffix += f"; not retried: {self.not_retried}"
        return f"{prefix}{self._summary()}{suffix}"

    def _summary(self) -> str:
        return self.message

    def _facts(self) -> list[str]:
        facts: list[str] = []
        if self.request_id:
            facts.append(f"request id {self.request_id}")
        most = self.max_attempts or 1
        if self.attempts > 1 or (self.attempts == 1 and most > 1):
            of = f" of {most}" if most >= self.attempts else ""
            facts.append(f"attempt {self.attempts}{of}")
        return facts


class ResponseSnapshot:
    """What is kept of the response an error was made from."""

    __slots__ = ("content", "headers", "status_code")

    status_code: int
    headers: ResponseHeaders
    content: bytes
    """The body, decompressed; in a stream the data of the error event."""

    def __init__(self, status_code: int, headers: ResponseHeaders, content: bytes) -> None:
        """Keep these parts of a response."""
        self.status_code = status_code
        self.headers = headers
        self.content = content

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become U+FFFD."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body decoded. Raises ``DecodeError`` when it is not JSON."""
        from .codec import loads

        return loads(self.content)

    def __repr__(self) -> str:
        return f"ResponseSnapshot({self.status_code}, {len(self.content)} bytes)"


class APIStatusError(APIError):
    """The server answered with an error, by its status or inside a stream.

    The class follows the kind of error: an overload raises :class:`OverloadedError` whether it
    came as HTTP 529 or as an event of a stream that began with HTTP 200.
    """

    usual_status: ClassVar[int | None] = None
    """Status this kind of error has when it comes as an HTTP status."""

    status_code: int
    """HTTP status if that is an error, else the usual status of this class."""
    http_status: int
    """Status line of the response: 200 for an error inside a stream."""
    origin: Literal["response", "stream"]
    """Whether the error was a whole response or an event of a stream."""
    type: str | None
    """``error.type`` as sent, for example ``overloaded_error``."""
    error_code: str | None
    """``error.details.error_code`` as sent; refines the type."""
    details: dict[str, Any]
    """``error.details`` as sent, empty when there were none."""
    body: object
    """The body: decoded when it is JSON, else its text; ``None`` when empty."""
    response: ResponseSnapshot
    """Status, headers and bytes the error was made from."""
    organization_id: str | None
    """Organization that the credential belongs to."""
    workspace_id: str | None
    """Workspace that the request ran in; absent where the server did not get that far."""
    retry_after: float | None
    """Seconds the server asks to wait before the next attempt."""
    betas: tuple[BetaSource, ...] = ()
    """Where the flags that the error is about come from; the low-level client does not tell."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        http_status: int | None = None,
        origin: Literal["response", "stream"] = "response",
        type: str | None = None,  # noqa: A002
        error_code: str | None = None,
        details: dict[str, Any] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        request_id: str | None = None,
        retry_after: float | None = None,
        operation: str | None = None,
        attempts: int = 1,
    ) -> None:
        """Make an error; see the attributes. ``headers`` and ``content`` become ``response``."""
        response_headers = (
            headers if isinstance(headers, ResponseHeaders) else ResponseHeaders(headers or {})
        )
        super().__init__(
            message,
            operation=operation,
            attempts=attempts,
            request_id=request_id or request_id_of(response_headers),
        )
        if status_code is None:
            if http_status is not None and (http_status >= 300 or self.usual_status is None):
                status_code = http_status
            else:
                status_code = self.usual_status or 0
        self.status_code = status_code
        self.http_status = status_code if http_status is None else http_status
        self.origin = origin
        self.type = type
        self.error_code = error_code
        self.details = details or {}
        self.body = body
        self.response = ResponseSnapshot(self.http_status, response_headers, content)
        self.organization_id = response_headers.get("anthropic-organization-id")
        self.workspace_id = response_headers.get("anthropic-workspace-id")
        self.retry_after = retry_after

    @property
    def headers(self) -> ResponseHeaders:
        """Headers of the response."""
        return self.response.headers

    def _summary(self) -> str:
        kind = self.type or ""
        if self.error_code:
            kind = f"{kind}/{self.error_code}" if kind else self.error_code
        if self.origin == "stream":
            where = f"{kind or 'error'} in the stream"
        else:
            where = f"HTTP {self.http_status}{f' {kind}' if kind else ''}"
        return f"{where}: {self.message}"


class RedirectError(APIStatusError):
    """3xx: the server sent the request elsewhere, and it was not sent there.

    Only a redirect to the same scheme, host and port is followed, so that no credential gets to
    another server; and none that would make a GET of another method.
    """

    location_origin: str | None
    """Scheme, host and port that the redirect leads to, ``None`` when that cannot be told."""

    def __init__(
        self, message: str, *, location_origin: str | None = None, **facts: Unpack[_StatusFacts]
    ) -> None:
        """Make an error; see the attributes."""
        super().__init__(message, **facts)
        self.location_origin = location_origin


class BadRequestError(APIStatusError):
    """400: the request is not valid."""

    usual_status = 400


class AuthenticationError(APIStatusError):
    """401: the credential is missing, wrong, revoked or expired."""

    usual_status = 401


class PaymentRequiredError(APIStatusError):
    """402: billing stands in the way."""

    usual_status = 402


class PermissionDeniedError(APIStatusError):
    """403: the credential may not do this."""

    usual_status = 403


class NotFoundError(APIStatusError):
    """404: no such path, id or model, or a beta path without its beta flag."""

    usual_status = 404


class RequestTimeoutError(APIStatusError):
    """408: the server gave up waiting for the request."""

    usual_status = 408


class ConflictError(APIStatusError):
    """409: a concurrent change or a name that is taken."""

    usual_status = 409


class PreconditionFailedError(APIStatusError):
    """412: the resource is no longer in the state that the request expects."""

    usual_status = 412


class ContentTooLargeError(APIStatusError):
    """413: the request is larger than the endpoint takes."""

    usual_status = 413


class RequestTooLargeError(ContentTooLargeError):
    """The body is larger than the operation takes; raised before anything is sent."""

    sent: ClassVar[bool] = False
    size: int
    """Bytes of the body; of a form, those of its files. With ``field``, how many items it has."""
    limit: int
    """How many the operation takes."""
    field: str | None
    """The field of the body that has too many items; ``None`` when the body has too many bytes."""

    def __init__(
        self, size: int, limit: int, *, operation: str | None = None, field: str | None = None
    ) -> None:
        """Name the size of the body and the limit, in bytes, or in items of ``field``."""
        what, unit = ("the body", "bytes") if field is None else (f"{field!r}", "items")
        super().__init__(
            f"{what} has {size:,} {unit}, {size - limit:,} more than the {limit:,} that this "
            "operation takes; it was not sent",
            status_code=413,
            type="request_too_large",
            operation=operation,
            attempts=0,
        )
        self.size = size
        self.limit = limit
        self.field = field

    def _summary(self) -> str:
        return self.message


class UnprocessableEntityError(APIStatusError):
    """422: well-formed, but not acceptable."""

    usual_status = 422


class RateLimitError(APIStatusError):
    """429: too many requests or tokens, or a spend limit was reached."""

    usual_status = 429


class RequestHeaderFieldsTooLargeError(APIStatusError):
    """431: the headers are larger than the server takes."""

    usual_status = 431


class ClientClosedRequestError(APIStatusError):
    """499: a proxy saw the connection of the client close."""

    usual_status = 499


class InternalServerError(APIStatusError):
    """500 and above: the server failed."""

    usual_status = 500


class HTTPNotImplementedError(InternalServerError):
    """501: the server does not know how to do this."""

    usual_status = 501


class ServiceUnavailableError(InternalServerError):
    """503: the service, or something it needs, is away for now."""

    usual_status = 503


class GatewayTimeoutError(InternalServerError):
    """504: the request took too long; stream it or put it into a batch."""

    usual_status = 504


class OverloadedError(InternalServerError):
    """529: the whole service has more to do than it can."""

    usual_status = 529


class APIResponseValidationError(APIError):
    """The server answered with success, and with a body that is not what the operation returns."""

    response: ResponseSnapshot
    """Status, headers and bytes of the answer."""
    organization_id: str | None
    """Organization that the credential belongs to."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        operation: str | None = None,
        attempts: int = 1,
    ) -> None:
        """Make an error; see the attributes."""
        response_headers = (
            headers if isinstance(headers, ResponseHeaders) else ResponseHeaders(headers or {})
        )
        super().__init__(
            message,
            operation=operation,
            attempts=attempts,
            request_id=request_id_of(response_headers),
        )
        self.response = ResponseSnapshot(status_code, response_headers, content)
        self.organization_id = response_headers.get("anthropic-organization-id")
        if content:
            try:
                self.body = self.response.json()
            except ValueError:
                self.body = self.response.text

    @property
    def status_code(self) -> int:
        """Status of the answer."""
        return self.response.status_code

    @property
    def headers(self) -> ResponseHeaders:
        """Headers of the answer."""
        return self.response.headers


class EventSizeError(APIError, ValueError):
    """A streamed event or line grew past the size limit."""


class PaginationError(APIError):
    """A list cannot be paged on.

    The server gave a cursor that it had given before, or none although it says there is more.
    """


class APIConnectionError(APIError):
    """No answer, or only part of one. ``__cause__`` has the error of the HTTP library."""

    phase: Phase | None
    """How far the attempt came. From ``send`` on the server may have done the work."""
    origin: str | None
    """Scheme, host and port that the request was for."""
    elapsed: float | None
    """Seconds the attempt took."""

    def __init__(
        self,
        message: str = "the connection failed",
        *,
        phase: Phase | None = None,
        origin: str | None = None,
        elapsed: float | None = None,
        operation: str | None = None,
        attempts: int = 1,
        request_id: str | None = None,
    ) -> None:
        """Make an error; see the attributes."""
        super().__init__(message, operation=operation, attempts=attempts, request_id=request_id)
        self.phase = phase
        self.origin = origin
        self.elapsed = elapsed

    def _facts(self) -> list[str]:
        facts = super()._facts()
        if self.elapsed is not None:
            facts.append(f"failed after {self.elapsed:.3g} s")
        return facts


class APITimeoutError(APIConnectionError):
    """A limit of :class:`Timeout` ran out: that of a phase, or the deadline of the whole call."""

    timeout: float | None
    """The limit that ran out, in seconds."""
    limit: LimitName | None
    """Its name in :class:`Timeout`: ``connect``, ``pool``, ``write``, ``first_byte``, ``idle`` or
    ``deadline``."""

    def __init__(
        self,
        message: str = "the request timed out",
        *,
        timeout: float | None = None,
        limit: LimitName | None = None,
        phase: Phase | None = None,
        origin: str | None = None,
        elapsed: float | None = None,
        operation: str | None = None,
        attempts: int = 1,
        request_id: str | None = None,
    ) -> None:
        """Make an error; see the attributes."""
        super().__init__(
            message,
            phase=phase,
            origin=origin,
            elapsed=elapsed,
            operation=operation,
            attempts=attempts,
            request_id=request_id,
        )
        self.timeout = timeout
        self.limit = limit


class StreamTruncatedError(APIConnectionError):
    """A stream ended before its final event: what was received is not the whole answer."""

    events_seen: int
    """Events received, pings not counted."""
    open_blocks: tuple[int, ...]
    """Indexes of the content blocks that had begun and not ended; filled in likewise."""

    def __init__(
        self,
        message: str = "the stream ended before its final event",
        *,
        events_seen: int = 0,
        partial: Any = None,
        open_blocks: tuple[int, ...] = (),
        origin: str | None = None,
        elapsed: float | None = None,
        operation: str | None = None,
        attempts: int = 1,
        request_id: str | None = None,
    ) -> None:
        """Make an error; see the attributes."""
        super().__init__(
            message,
            phase="body",
            origin=origin,
            elapsed=elapsed,
            operation=operation,
            attempts=attempts,
            request_id=request_id,
        )
        self.events_seen = events_seen
        self.partial = partial
        self.open_blocks = open_blocks


STATUS_CLASSES: Final[Mapping[int, type[APIStatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: RequestTimeoutError,
    409: ConflictError,
    412: PreconditionFailedError,
    413: ContentTooLargeError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    431: RequestHeaderFieldsTooLargeError,
    499: ClientClosedRequestError,
    501: HTTPNotImplementedError,
    503: ServiceUnavailableError,
    504: GatewayTimeoutError,
    529: OverloadedError,
}
"""Class of each status that has one of its own; other statuses from 500 on are
:class:`InternalServerError`, all others plain :class:`APIStatusError`."""

TYPE_CLASSES: Final[Mapping[str, tuple[type[APIStatusError], bool]]] = {
    # The second value tells whether the type says more than an error status beside it.
    # invalid_request_error is also the type of 4xx that have none of their own, api_error that
    # of all 5xx, so with these the status decides.
    "invalid_request_error": (BadRequestError, False),
    "authentication_error": (AuthenticationError, True),
    "billing_error": (PaymentRequiredError, True),
    "permission_error": (PermissionDeniedError, True),
    "not_found_error": (NotFoundError, True),
    "conflict_error": (ConflictError, True),
    "request_too_large": (ContentTooLargeError, True),
    "rate_limit_error": (RateLimitError, True),
    "api_error": (InternalServerError, False),
    "timeout_error": (GatewayTimeoutError, False),
    "overloaded_error": (OverloadedError, True),
    "memory_path_conflict_error": (ConflictError, False),
    "memory_precondition_failed_error": (PreconditionFailedError, False),
    # Google Cloud (google.rpc.Code).
    "INVALID_ARGUMENT": (BadRequestError, False),
    "FAILED_PRECONDITION": (BadRequestError, False),
    "OUT_OF_RANGE": (BadRequestError, False),
    "UNAUTHENTICATED": (AuthenticationError, False),
    "PERMISSION_DENIED": (PermissionDeniedError, False),
    "NOT_FOUND": (NotFoundError, False),
    "ABORTED": (ConflictError, False),
    "ALREADY_EXISTS": (ConflictError, False),
    "RESOURCE_EXHAUSTED": (RateLimitError, False),
    "CANCELLED": (ClientClosedRequestError, False),
    "UNKNOWN": (InternalServerError, False),
    "INTERNAL": (InternalServerError, False),
    "DATA_LOSS": (InternalServerError, False),
    "UNIMPLEMENTED": (HTTPNotImplementedError, False),
    "UNAVAILABLE": (ServiceUnavailableError, False),
    "DEADLINE_EXCEEDED": (GatewayTimeoutError, False),
    # Amazon Bedrock (exception names).
    "ValidationException": (BadRequestError, False),
    "AccessDeniedException": (PermissionDeniedError, False),
    "ResourceNotFoundException": (NotFoundError, False),
    "ConflictException": (ConflictError, False),
    "ThrottlingException": (RateLimitError, False),
    "ModelNotReadyException": (RateLimitError, False),
    "ModelTimeoutException": (RequestTimeoutError, False),
    "InternalServerException": (InternalServerError, False),
    "ModelErrorException": (InternalServerError, False),
    "ModelStreamErrorException": (InternalServerError, False),
    "ServiceUnavailableException": (ServiceUnavailableError, False),
}
"""Class of each error type, and whether it wins over the status of the response."""


def error_class(
    status: int,
    type: str | None = None,  # noqa: A002
    code: str | None = None,
    code_classes: CodeClasses | None = None,
) -> type[APIStatusError]:
    """Choose the class of an error: by its code, else its type, else its status.

    ``code_classes`` looks up the class of a status and an error code, the generated ones for
    example. For an error inside a stream ``status`` is the 200 that the stream began with; a
    code is then looked up by the usual status of the type.
    """
    by_type, decisive = TYPE_CLASSES.get(type or "", (None, False))
    by_status = STATUS_CLASSES.get(status)
    if by_status is None and status >= 500:
        by_status = InternalServerError
    chosen = by_type if by_type is not None and (decisive or status < 400) else by_status
    # A status without a class of its own, such as 418, with a type that is not decisive.
    chosen = chosen or by_type or APIStatusError
    if code is not None and code_classes is not None:
        for candidate in (status, chosen.usual_status):
            if candidate is not None:
                narrower = code_classes(candidate, code)
                if narrower is not None:
                    return narrower
    return chosen


def _class_and_status(
    status: int, parsed: ErrorBody, code_classes: CodeClasses | None
) -> tuple[type[APIStatusError], int | None]:
    """Choose the class; the status beside it where the body names one and the response none."""
    named = parsed.status if status < 400 else None
    cls = error_class(named or status, parsed.type, parsed.error_code, code_classes)
    _, decisive = TYPE_CLASSES.get(parsed.type or "", (None, False))
    return cls, None if decisive else named


def error_from_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    operation_id: str | None = None,
    attempt: int = 1,
    code_classes: CodeClasses | None = None,
    unread: APIError | None = None,
) -> APIStatusError:
    """Make the error of a response whose status, or whose body, says that the call failed.

    ``headers`` has lower-case names, ``body`` is decompressed. ``attempt`` counts from 1.
    ``unread`` is why the body could not be read, its connection broken or its time over for
    example; the status is known all the same, and says more.
    """
    from .error_bodies import parse_error_body, parse_retry_after, without_keys

    parsed = parse_error_body(body, headers)
    cls, status_code = _class_and_status(status, parsed, code_classes)
    message = parsed.message
    if message is None:
        message = "the body is empty"
        if unread is not None:
            message = f"the body could not be read: {unread.message}"
        if 300 <= status < 400 and "location" in headers:
            message = f"the redirect to {origin_of(headers['location'])} was not followed"
    elif isinstance(parsed.body, str):
        message = f"the body is not JSON: {message}"
    return cls(
        without_keys(message),
        status_code=status_code,
        http_status=status,
        type=parsed.type,
        error_code=parsed.error_code,
        details=parsed.details,
        body=parsed.body,
        headers=headers,
        content=body,
        request_id=parsed.request_id,
        retry_after=parse_retry_after(headers),
        operation=operation_id,
        attempts=attempt,
    )


def error_from_event(
    data: bytes,
    *,
    headers: Mapping[str, str] | None = None,
    http_status: int = 200,
    operation_id: str | None = None,
    attempt: int = 1,
    code_classes: CodeClasses | None = None,
) -> APIStatusError:
    """Make the error that an ``error`` event of a stream stands for.

    The class is that of the same error as an HTTP status, and so is ``status_code``; an error
    type nobody knows gives a plain :class:`APIStatusError` with the status of the stream.
    """
    from .error_bodies import parse_error_body, parse_retry_after, without_keys

    parsed = parse_error_body(data)
    cls, status_code = _class_and_status(http_status, parsed, code_classes)
    message = parsed.message or "the event is empty"
    if isinstance(parsed.body, str):
        message = f"the event is not JSON: {message}"
    return cls(
        without_keys(message),
        status_code=status_code,
        http_status=http_status,
        origin="stream",
        type=parsed.type,
        error_code=parsed.error_code,
        details=parsed.details,
        body=parsed.body,
        headers=headers,
        content=data,
        request_id=parsed.request_id,
        retry_after=parse_retry_after(headers or {}),
        operation=operation_id,
        attempts=attempt,
    )


def origin_of(url: str) -> str:
    """Return scheme, host and port of ``url``, without credentials, path and query."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "the same host"
    authority = rest
    for delimiter in "/?#\\":
        authority = authority.partition(delimiter)[0]
    return f"{scheme}://{authority.rpartition('@')[2]}"


_TIMEOUT_PHASES: Final[Mapping[str, Phase]] = {
    "ConnectTimeout": "connect",
    "PoolTimeout": "pool",
    "WriteTimeout": "send",
}

_ERROR_PHASES: Final[Mapping[str, Phase]] = {
    "ConnectError": "connect",
    "ProxyError": "connect",
    "UnsupportedProtocol": "connect",
    "LocalProtocolError": "send",
    "WriteError": "send",
}

_PHASE_TEXTS: Final[Mapping[Phase, str]] = {
    "dns": "could not look up the address of {origin}",
    "connect": "could not connect to {origin}",
    "tls": "the TLS handshake with {origin} failed",
    "pool": "no free connection to {origin}",
    "send": "the connection to {origin} broke while sending the request",
    "headers": "the connection to {origin} broke before an answer came",
    "body": "the connection to {origin} broke in the middle of the answer",
}

_TIMEOUT_TEXTS: Final[Mapping[Phase, str]] = {
    "dns": "looking up the address of {origin}",
    "connect": "connecting to {origin}",
    "tls": "the TLS handshake with {origin}",
    "pool": "waiting for a free connection to {origin}",
    "send": "sending the request to {origin}",
    "headers": "waiting for {origin} to answer",
    "body": "waiting for more of the answer of {origin}",
}

_PHASE_LIMITS: Final[Mapping[Phase, LimitName]] = {
    "dns": "connect",
    "connect": "connect",
    "tls": "connect",
    "pool": "pool",
    "send": "write",
    "headers": "first_byte",
    "body": "idle",
}

_TLS_ADVICE = (
    "; if a proxy or gateway signs with its own certificate authority, name its file in "
    "SSL_CERT_FILE or pass an HTTP client that trusts it"
)


def limit_of(phase: Phase) -> LimitName:
    """Return the limit of :class:`Timeout` that holds for a phase."""
    return _PHASE_LIMITS[phase]


def failed_phase(error: BaseException, waiting_for: Phase) -> Phase:
    """Tell how far an attempt came, from the error of the HTTP library.

    ``waiting_for`` (``headers`` or ``body``) is what was being read when it was raised.
    """
    name = type(error).__name__
    phase = _TIMEOUT_PHASES.get(name) or _ERROR_PHASES.get(name) or waiting_for
    if phase == "connect":
        for cause in causes_of(error):
            kinds = {cls.__name__ for cls in type(cause).__mro__}
            if "SSLError" in kinds:
                return "tls"
            if "gaierror" in kinds:
                return "dns"
    return phase


_WRAPPERS = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "ReadError",
        "ReadTimeout",
        "WriteError",
        "WriteTimeout",
    }
)


def causes_of(error: BaseException) -> list[BaseException]:
    """Return ``error``, its cause, the cause of that and so on, as HTTP libraries chain them."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        # A failed connection to several addresses is an exception group.
        group: tuple[BaseException, ...] = getattr(current, "exceptions", ())
        following = current.__cause__ or (group[0] if group else None)
        if following is None and type(current).__name__ in _WRAPPERS:
            # httpcore raises these again "from None". No other context is looked at: it may be
            # an error of the caller, handled while the call was made.
            following = current.__context__
        current = following
    return chain


def _root_text(error: BaseException) -> str:
    for cause in reversed(causes_of(error)):
        text = str(cause).strip()
        if text:
            from .error_bodies import shorten

            return shorten(f"{type(cause).__name__}: {text}")
    return type(error).__name__


def connection_error_from(
    error: BaseException,
    *,
    operation: str | None,
    url_origin: str,
    attempt: int = 1,
    phase: Phase = "headers",
    timeout: float | None = None,
    limit: LimitName | None = None,
    elapsed: float | None = None,
    request_id: str | None = None,
) -> APIConnectionError:
    """Make the error for one that the HTTP library raised, which becomes its cause.

    ``phase`` is what was being waited for (``headers`` or ``body``); where the class of ``error``
    tells a phase, that one wins. ``timeout`` is what ran out if this is about time, in seconds,
    and ``limit`` its name where that is not the limit of the phase.
    """
    phase = failed_phase(error, phase)
    made: APIConnectionError
    if any(cls.__name__ in ("TimeoutException", "TimeoutError") for cls in type(error).__mro__):
        limit = limit or limit_of(phase)
        doing = _TIMEOUT_TEXTS[phase].format(origin=url_origin)
        after = "" if timeout is None else f" after {timeout:g} s"
        if limit == "deadline":
            after += ", the deadline,"
        made = APITimeoutError(
            f"timed out{after} {doing}; timeout=Timeout({limit}=...) allows another time",
            timeout=timeout,
            limit=limit,
            phase=phase,
            origin=url_origin,
            elapsed=elapsed,
            operation=operation,
            attempts=attempt,
            request_id=request_id,
        )
    else:
        advice = _TLS_ADVICE if phase == "tls" else ""
        made = APIConnectionError(
            f"{_PHASE_TEXTS[phase].format(origin=url_origin)}: {_root_text(error)}{advice}",
            phase=phase,
            origin=url_origin,
            elapsed=elapsed,
            operation=operation,
            attempts=attempt,
            request_id=request_id,
        )
    made.__cause__ = error
    return made
