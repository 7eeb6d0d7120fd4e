"""What the API looks at before it reads the body: credentials, version and beta flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .exchange import MockRequest, RefusedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from .routing import MockOperation


def check_credentials(request: MockRequest) -> None:
    """Require an API key or a bearer token; any value will do.

    Raises:
        RefusedError: 401, without repeating what was sent.
    """
    if request.header("x-api-key"):
        return
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise RefusedError(401, "x-api-key: a key in this header or a bearer token is required")


def check_version(request: MockRequest, known: Collection[str] | None) -> str:
    """Return the API version of a request.

    Raises:
        RefusedError: 400 when the header is missing, unknown, or there are several; None knows
            every version.
    """
    version = request.header("anthropic-version")
    if not version:
        raise RefusedError(400, "anthropic-version: header is required")
    if known is not None and version not in known:
        raise RefusedError(400, f'anthropic-version: "{version[:80]}" is not a valid version')
    return version


def check_flags(request: MockRequest, known: Collection[str] | None) -> frozenset[str]:
    """Return the beta flags of a request.

    Raises:
        RefusedError: 400 for flags that are not known; None knows every flag.
    """
    header = request.header("anthropic-beta") or ""
    flags = [flag for part in header.split(",") if (flag := part.strip())]
    unknown = [flag for flag in flags if known is not None and flag not in known]
    if unknown:
        listed = ", ".join(f"`{flag[:80]}`" for flag in unknown[:10])
        raise RefusedError(400, f"Unexpected value(s) {listed} for the `anthropic-beta` header")
    return frozenset(flags)


def check_operation_flag(operation: MockOperation, flags: frozenset[str]) -> None:
    """Hide an operation from callers that lack its beta flag.

    Raises:
        RefusedError: 404, as for a path that does not exist.
    """
    if operation.betas and flags.isdisjoint(operation.betas):
        raise RefusedError(404, "Not found")
