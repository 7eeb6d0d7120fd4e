"""Every error this client raises.

Errors of the API, of the connection and of requests that cannot be sent come from the generated
client's run time and are the same classes there and here. This module adds those of the overlays,
and looks up the classes of single error codes when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BaseURLError,
    ClaudeError,
    ClientClosedRequestError,
    ClosedClientError,
    ConflictError,
    ContentTooLargeError,
    EnvironmentVariableError,
    EventSizeError,
    GatewayTimeoutError,
    HeaderValueError,
    HTTPNotImplementedError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PaginationError,
    PathSegmentError,
    PaymentRequiredError,
    PermissionDeniedError,
    PreconditionFailedError,
    RateLimitError,
    RedirectError,
    RequestHeaderFieldsTooLargeError,
    RequestTimeoutError,
    RequestTooLargeError,
    ServiceUnavailableError,
    StreamTruncatedError,
    UnprocessableEntityError,
    UploadError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from claude_rest.errors import *  # noqa: F403

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "ApiVersionConflictError",
    "AuthenticationError",
    "BadRequestError",
    "BaseURLError",
    "BetaConflictError",
    "ClaudeError",
    "ClientClosedRequestError",
    "ClosedClientError",
    "ConfigurationError",
    "ConflictError",
    "ContentTooLargeError",
    "CredentialsError",
    "EnvironmentVariableError",
    "EventSizeError",
    "GatewayTimeoutError",
    "HTTPNotImplementedError",
    "HeaderValueError",
    "InternalServerError",
    "MissingCredentialsError",
    "MissingTransportError",
    "NotFoundError",
    "OverloadedError",
    "PaginationError",
    "PathSegmentError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PreconditionFailedError",
    "RateLimitError",
    "RedirectError",
    "RequestHeaderFieldsTooLargeError",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "ServiceUnavailableError",
    "SkillError",
    "SkillLimitError",
    "StreamProtocolError",
    "StreamTruncatedError",
    "UnprocessableEntityError",
    "UnsafePathError",
    "UploadError",
]


class ConfigurationError(ClaudeError, ValueError):
    """The client was set up with something that cannot work."""


class CredentialsError(ConfigurationError):
    """The credential is ambiguous or cannot be sent; its value is never shown."""


class MissingCredentialsError(CredentialsError):
    """No credential was found."""

    sources: tuple[tuple[str, str], ...]
    """Where was looked, and what was there: ``"not set"`` or ``"empty"``."""

    def __init__(self, sources: Sequence[tuple[str, str]]) -> None:
        """Name the places that were looked at, in order."""
        looked_at = ", ".join(f"{source} ({state})" for source, state in sources)
        super().__init__(
            f"no credential found. Looked at: {looked_at}. Set ANTHROPIC_API_KEY, or pass "
            "api_key=... or auth_token=...; to send requests without a credential of this "
            "client, for example through a gateway that adds one, pass "
            "default_headers={'x-api-key': UNSET}."
        )
        self.sources = tuple(sources)


class MissingTransportError(ConfigurationError, ImportError):
    """The HTTP library that was chosen is not installed."""

    extra: str
    """The extra of this package that installs it."""

    def __init__(self, library: str) -> None:
        """Name the library, which is also the name of the extra."""
        super().__init__(
            f"the transport {library!r} needs the package {library}, which is not installed: "
            f"pip install 'claude-client[{library}]'"
        )
        self.extra = library


class ApiVersionConflictError(ClaudeError, ValueError):
    """No API version accepts all arguments of a call; nothing was sent."""

    operation: str
    arguments: dict[str, tuple[str, ...]]
    """Each argument that some versions refuse, with the versions that accept it."""

    def __init__(self, operation: str, arguments: Mapping[str, tuple[str, ...]]) -> None:
        """Name the operation, and the versions that accept each argument."""
        each = "; ".join(
            f"{path} needs {' or '.join(versions)}" if versions else f"{path} is in none"
            for path, versions in arguments.items()
        )
        super().__init__(
            f"{operation}: no API version accepts these arguments together: {each}. Leave one "
            "out, or pass api_version=... to let the server decide."
        )
        self.operation = operation
        self.arguments = dict(arguments)


class StreamProtocolError(APIError):
    """The events of a stream come in an order that makes no sense."""


class BetaConflictError(ClaudeError, ValueError):
    """Requests of one batch need beta flags that exclude each other; nothing was sent."""

    operation: str
    arguments: dict[str, str]
    """The arguments that need them, each with its flag."""

    def __init__(self, operation: str, arguments: Mapping[str, str]) -> None:
        """Name the operation, and the flag that each argument needs."""
        each = " and ".join(f"{path} needs {flag}" for path, flag in arguments.items())
        super().__init__(
            f"{operation}: no anthropic-beta header suits these together: {each}. Put them into "
            "different batches, or name the flag to send in betas=[...]."
        )
        self.operation = operation
        self.arguments = dict(arguments)


class SkillError(ClaudeError, ValueError):
    """Files that are no skill: no ``SKILL.md`` at their root, or an archive that is broken."""


class SkillLimitError(SkillError):
    """There is more in an archive or a folder than was allowed."""

    unit: str
    limit: float

    def __init__(self, unit: str, limit: float) -> None:
        """Say how many of what were allowed."""
        super().__init__(f"there are more than {limit:,} {unit} in the skill")
        self.unit = unit
        self.limit = limit


class UnsafePathError(ClaudeError, ValueError):
    """The path of a file of a skill leads out of its folder, or cannot be a file everywhere."""

    path: str
    problem: str

    def __init__(self, path: str, problem: str) -> None:
        """Say what is wrong with a path."""
        super().__init__(f"the path {path[:200]!r} {problem}")
        self.path = path
        self.problem = problem


if not TYPE_CHECKING:
    # Hidden from type checkers: to them it would make any name exist.

    def __getattr__(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        from claude_rest import errors as generated

        try:
            return getattr(generated, name)
        except AttributeError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
