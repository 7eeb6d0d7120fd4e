"""Whether to follow a redirect. Credentials never leave the origin that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import RedirectError, origin_of
from .meta import ResponseHeaders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from .meta import Meta
    from .request import PreparedRequest

MAX_REDIRECTS: Final = 5
"""How many redirects of one request are followed."""

_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def is_redirect(status: int, headers: Mapping[str, str]) -> bool:
    """Tell whether an answer sends the request elsewhere."""
    return status in _STATUSES and "location" in headers


def redirected_url(
    prepared: PreparedRequest,
    url: str,
    meta: Meta,
    *,
    followed: int,
) -> str:
    """Return the URL that a redirect leads to from ``url``.

    ``meta`` is that of the redirect, ``followed`` is how many came before. Raises
    :class:`RedirectError` for one that leads to another scheme, host or port, is one too many,
    or would make another method of the request.
    """
    from urllib.parse import urljoin, urlsplit, urlunsplit

    status = meta.status_code
    location = meta.headers["location"]
    target: str | None = None
    problem = "its location is not a URL"
    try:
        absolute = urljoin(url, location)
        parts = urlsplit(absolute)
        target = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        is_same = _origin(absolute) == _origin(prepared.url)
    except ValueError:
        target = None
    else:
        if not is_same:
            problem = (
                "it leads to another origin, to which neither the request nor its credential is "
                "sent; if that is where the API is, set base_url to it"
            )
        elif status not in (307, 308) and prepared.method not in ("GET", "HEAD"):
            problem = f"with HTTP {status} the {prepared.method} would become a GET"
        elif followed >= MAX_REDIRECTS:
            problem = f"it came after {followed} others"
        else:
            # Without a user name and password, which would take the place of the credential.
            return urlunsplit((parts.scheme, _host(prepared.url), parts.path, parts.query, ""))
    raise RedirectError(
        f"the redirect to {target or 'a location'} was not followed: {problem}",
        location_origin=target,
        http_status=status,
        # The rest of the location may be as secret as the credential.
        headers=ResponseHeaders({**meta.headers, "location": target or ""}),
        operation=prepared.operation.id,
        attempts=meta.attempts,
    )


def _host(url: str) -> str:
    return origin_of(url).partition("://")[2]


def _origin(url: str) -> tuple[str, str | None, int | None]:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return (scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(scheme))
