"""One request on its way: its limits, and the facts that errors and metadata are made of."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from .errors import (
    APIResponseValidationError,
    APITimeoutError,
    BaseURLError,
    ClaudeError,
    connection_error_from,
    failed_phase,
    limit_of,
    origin_of,
)
from .limits import effective_limits, http_timeouts, limited
from .meta import Meta, ResponseHeaders

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from .errors import APIConnectionError, Phase
    from .request import PreparedRequest

# Of httpx, then those of the standard library that slip through it now and then. Not all of
# OSError: a hook of the caller may fail to open a file.
_TRANSPORT_ERRORS: Final = frozenset(
    {"TransportError", "ConnectionError", "SSLError", "TimeoutError", "gaierror"}
)

# A timer may go off a little early.
_CLOCK_SECONDS: Final = 0.005


class Progress:
    """What is known of a request on its way.

    httpcore passes over an error of writing, since an answer may be there all the same. When none
    is, the error of reading it says nothing about the request; this knows that it did not go out
    whole. Under an HTTP library that tells nothing, it stays as it was made.
    """

    __slots__ = ("between_steps", "phase", "sending_failed")

    phase: Phase
    between_steps: bool
    """Whether a cancellation now would come where httpcore does not clean up."""
    sending_failed: bool

    def __init__(self) -> None:
        """Begin before a connection has been found."""
        self.between_steps = False
        self.sending_failed = False
        self.phase = "pool"

    def note(self, event: str, _info: object) -> None:
        """Take in an event: the ``trace`` extension of a synchronous request."""
        step = event.split(".")[1]
        # What it does after a failure is not to be cut short either.
        self.between_steps = event.endswith(".complete") or step == "response_closed"
        if step.startswith("send_"):
            self.phase = "send"
            if event.endswith(".failed"):
                self.sending_failed = True
            elif step == "send_request_headers":
                # The next request, to a proxy perhaps or after a redirect.
                self.sending_failed = False
        elif step == "receive_response_headers":
            self.phase = "send" if self.sending_failed else "headers"
        elif step == "start_tls":
            self.phase = "tls"
        elif step.startswith("connect_"):
            self.phase = "connect"

    async def __call__(self, event: str, info: object) -> None:
        """Take in an event: the ``trace`` extension of an asynchronous request."""
        self.note(event, info)


class DeadlinePassedError(TimeoutError):
    """The deadline came; ``phase`` is what it came upon."""

    phase: Phase

    def __init__(self, phase: Phase) -> None:
        """Name what was being waited for."""
        super().__init__("the deadline has passed")
        self.phase = phase


class Exchange:
    """One request on its way."""

    __slots__ = (
        "_url",
        "allowed",
        "attempt",
        "deadline",
        "keeps",
        "limits",
        "operation",
        "progress",
        "started",
        "timeouts",
    )

    deadline: float | None
    """When all must be over, by ``time.monotonic()``."""
    allowed: float | None
    """Seconds that the deadline stands for."""
    timeouts: dict[str, float | None]
    """The ``timeout`` extension of the request, looked up anew by each reader of its answer."""
    progress: Progress
    """How far the request that was sent last has come; for its ``trace`` extension."""
    keeps: object
    """What must live as long as the answer is being read."""

    def __init__(
        self,
        prepared: PreparedRequest,
        attempt: int,
        *,
        given: Any,
        timeout: Any,
        deadline: float | None,
    ) -> None:
        """Begin an attempt; ``given`` is the HTTP client of the caller, ``None`` for ours.

        Raises :class:`APITimeoutError` when the deadline has passed already.
        """
        self.operation = prepared.operation.id
        self._url = prepared.url
        self.attempt = attempt
        self.started = monotonic()
        self.limits = effective_limits(given, timeout)
        self.allowed = self.limits.deadline
        if deadline is None and self.allowed is not None:
            deadline = self.started + self.allowed
        self.deadline = deadline
        if deadline is not None:
            if self.allowed is None:
                self.allowed = max(deadline - self.started, 0.0)
            if deadline <= self.started:
                raise APITimeoutError(
                    f"the deadline passed before the request to {self.origin} was sent",
                    timeout=self.allowed,
                    limit="deadline",
                    phase="connect",
                    origin=self.origin,
                    elapsed=0.0,
                    operation=self.operation,
                    attempts=attempt,
                )
        self.timeouts = http_timeouts(self.limits, deadline)
        self.keeps = None
        self.progress = Progress()

    @property
    def origin(self) -> str:
        """Scheme, host and port of the request: what errors may say of its URL."""
        return origin_of(self._url)

    def await_headers(self) -> None:
        """Make what reads from now on wait as long as it may for the headers of an answer."""
        self.timeouts["read"] = limited(self.limits.first_byte, self.deadline)

    def await_body(self) -> None:
        """Make what reads from now on wait as long as it may between two pieces of the body."""
        self.timeouts["read"] = limited(self.limits.idle, self.deadline)

    def left(self) -> float | None:
        """Return the seconds until the deadline, 0 when it has passed."""
        return None if self.deadline is None else max(self.deadline - monotonic(), 0.0)

    def is_over(self) -> bool:
        """Tell whether the deadline has passed."""
        return self.deadline is not None and monotonic() >= self.deadline - _CLOCK_SECONDS

    def translate(
        self, error: BaseException, waiting_for: Phase, meta: Meta | None = None
    ) -> ClaudeError | None:
        """Return our error for one of the HTTP library, its cause set, or ``None`` for any other.

        Told by class names, so that clients of libraries built like httpx work too.
        """
        if isinstance(error, ClaudeError):
            # Ours already: a file to send could not be read.
            return None
        kinds = {cls.__name__ for cls in type(error).__mro__}
        if kinds & _TRANSPORT_ERRORS:
            phase = failed_phase(
                error, error.phase if isinstance(error, DeadlinePassedError) else waiting_for
            )
            return self.connection_error(error, phase, meta)
        if "DecodingError" in kinds and meta is not None:
            return self.undecodable(error, meta)
        if "InvalidURL" in kinds:
            return unusable_url()
        return None

    def connection_error(
        self, error: BaseException, phase: Phase, meta: Meta | None = None
    ) -> APIConnectionError:
        """Return our error for one that ended the exchange in ``phase``; it becomes the cause."""
        limit = "deadline" if self.is_over() else limit_of(phase)
        if phase == "headers" and self.progress.sending_failed:
            phase = "send"
        return connection_error_from(
            error,
            operation=self.operation,
            url_origin=self.origin,
            attempt=self.attempt,
            phase=phase,
            timeout=self.allowed if limit == "deadline" else getattr(self.limits, limit),
            limit=limit,
            elapsed=monotonic() - self.started,
            request_id=None if meta is None else meta.request_id,
        )

    def undecodable(self, error: BaseException, meta: Meta) -> APIResponseValidationError:
        """Return our error for a body that cannot be decompressed; ``error`` becomes its cause."""
        made = APIResponseValidationError(
            f"the body cannot be decompressed: {error}",
            status_code=meta.status_code,
            headers=meta.headers,
            operation=self.operation,
            attempts=self.attempt,
        )
        made.__cause__ = error
        return made

    def meta(self, response: Any) -> Meta:
        """Return the metadata of the answer."""
        return self.meta_of(response.status_code, response.headers.raw, response.http_version)

    def meta_of(
        self, status: int, headers: Iterable[tuple[bytes, bytes]], http_version: str
    ) -> Meta:
        """Return the metadata of an answer from its parts."""
        return Meta(
            status_code=status,
            headers=ResponseHeaders.from_bytes(headers),
            attempts=self.attempt,
            elapsed=monotonic() - self.started,
            http_version=http_version,
        )


def unusable_url() -> BaseURLError:
    """Return the error for a base URL that the HTTP library refuses."""
    # Without its cause: httpx quotes a part of the URL, which may be one of a password.
    return BaseURLError("the base URL cannot be used: its host or its port is not valid")
