"""Where the credential of a client comes from, and which headers it becomes.

Pure: the environment is an argument. Order: what the caller passes, then ``ANTHROPIC_API_KEY``,
then ``ANTHROPIC_AUTH_TOKEN``, then an authentication header in ``ANTHROPIC_CUSTOM_HEADERS``; an
empty value counts as none. API keys travel in ``x-api-key``, tokens in ``Authorization: Bearer``
(RFC 6750 section 2.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_rest._runtime.unset import Unset

from .environment import CUSTOM_HEADERS_VARIABLE, custom_headers
from .errors import CredentialsError, MissingCredentialsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, NoReturn

API_KEY_VARIABLE = "ANTHROPIC_API_KEY"
AUTH_TOKEN_VARIABLE = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105

OAUTH_TOKEN_PREFIX = "sk-ant-oat01-"  # noqa: S105
OAUTH_BETA = "oauth-2025-04-20"

AUTHENTICATION_HEADERS = ("authorization", "x-api-key")
"""Headers that prove who sends a request, in lower case."""


def refuse_pickling(self: object) -> NoReturn:
    """Raise ``TypeError``: a pickle would hold the credential. Used as ``__reduce__``."""
    raise TypeError(
        f"{type(self).__name__} holds a credential and cannot be pickled; make the client where "
        "it is used, for example once in each process. with_options() copies a client."
    )


class Credentials:
    """One API key or one bearer token, or neither; prints without the secret."""

    __slots__ = ("api_key", "auth_token", "source")

    api_key: str | None
    auth_token: str | None
    source: str
    """Where it was found, for example ``"argument api_key"`` or ``"ANTHROPIC_API_KEY"``."""

    def __init__(
        self, *, api_key: str | None = None, auth_token: str | None = None, source: str = "argument"
    ) -> None:
        self.api_key = api_key
        self.auth_token = auth_token
        self.source = source

    @property
    def headers(self) -> dict[str, str]:
        """The headers that carry the credential."""
        if self.api_key is not None:
            return {"x-api-key": self.api_key}
        if self.auth_token is not None:
            return {"authorization": f"Bearer {self.auth_token}"}
        return {}

    @property
    def betas(self) -> tuple[str, ...]:
        """Beta flags without which the API refuses this kind of credential."""
        return bearer_betas(self.headers.get("authorization"))

    __reduce__ = refuse_pickling

    def __repr__(self) -> str:
        if self.api_key is not None:
            return f"Credentials(api_key='...', source={self.source!r})"
        if self.auth_token is not None:
            return f"Credentials(auth_token='...', source={self.source!r})"
        return "Credentials()"


def resolve_credentials(
    *,
    api_key: str | None,
    auth_token: str | None,
    environ: Mapping[str, str],
    own_headers: Iterable[str] = (),
) -> Credentials:
    """Find the credential of a client.

    ``own_headers`` are names of headers that the caller sets, or removes, on every request: when
    one of them is an authentication header the caller looks after authentication, and the
    environment is not consulted. Raises :class:`~.errors.CredentialsError` for two arguments at
    once or a value no header can carry, :class:`~.errors.MissingCredentialsError` when nothing
    is found.
    """
    if api_key and auth_token:
        raise CredentialsError(
            "both api_key and auth_token were given; pass one of them, the other would be ignored"
        )
    if api_key:
        return Credentials(api_key=_checked(api_key, "api_key"), source="argument api_key")
    if auth_token:
        return Credentials(
            auth_token=_checked(auth_token, "auth_token"), source="argument auth_token"
        )
    if any(name.lower() in AUTHENTICATION_HEADERS for name in own_headers):
        return Credentials(source="default_headers")
    value = environ.get(API_KEY_VARIABLE)
    if value:
        return Credentials(api_key=_checked(value, API_KEY_VARIABLE), source=API_KEY_VARIABLE)
    value = environ.get(AUTH_TOKEN_VARIABLE)
    if value:
        return Credentials(
            auth_token=_checked(value, AUTH_TOKEN_VARIABLE), source=AUTH_TOKEN_VARIABLE
        )
    if carries_credential(custom_headers(environ)):
        return Credentials(source=CUSTOM_HEADERS_VARIABLE)
    raise MissingCredentialsError(
        (
            ("argument api_key", _state(api_key)),
            ("argument auth_token", _state(auth_token)),
            (f"environment variable {API_KEY_VARIABLE}", _state(environ.get(API_KEY_VARIABLE))),
            (
                f"environment variable {AUTH_TOKEN_VARIABLE}",
                _state(environ.get(AUTH_TOKEN_VARIABLE)),
            ),
            (
                f"authentication header in {CUSTOM_HEADERS_VARIABLE}",
                "not set",
            ),
        )
    )


def new_credentials(
    api_key: str | Unset | None, auth_token: str | Unset | None
) -> Credentials | None:
    """Return the credential that replaces the one there is; None when neither was given.

    ``UNSET`` stands for not given. Raises :class:`~.errors.CredentialsError` for both, and for
    an empty value or ``None`` alone: falling back to the credential of somebody else would be
    worse than any error.
    """
    if isinstance(api_key, Unset) and isinstance(auth_token, Unset):
        return None
    if not api_key and not auth_token:
        names = [
            name
            for name, value in (("api_key", api_key), ("auth_token", auth_token))
            if not isinstance(value, Unset)
        ]
        raise CredentialsError(
            f"{' and '.join(names)} given, but empty; leave it out to keep the credential there "
            "is, or remove that with default_headers={'x-api-key': UNSET, 'authorization': UNSET}"
        )
    return resolve_credentials(api_key=api_key or None, auth_token=auth_token or None, environ={})


def bearer_betas(authorization: object) -> tuple[str, ...]:
    """Return the flags without which the API refuses the token of an ``authorization`` header."""
    if isinstance(authorization, str) and authorization.startswith(f"Bearer {OAUTH_TOKEN_PREFIX}"):
        return (OAUTH_BETA,)
    return ()


def carries_credential(headers: Mapping[str, Any]) -> bool:
    """Tell whether one of ``headers``, by lower-case name, is an authentication header."""
    return any(
        isinstance(value := headers.get(name), str) and bool(value)
        for name in AUTHENTICATION_HEADERS
    )


def without_credentials(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``headers``, by lower-case name, without what says who sends a request."""
    return {name: value for name, value in headers.items() if name not in AUTHENTICATION_HEADERS}


def refuse_second_credential(credentials: Credentials, headers: Mapping[str, Any]) -> None:
    """Raise :class:`~.errors.CredentialsError` when ``headers`` hold another credential."""
    for name in AUTHENTICATION_HEADERS:
        value = headers.get(name)
        if isinstance(value, str) and value != credentials.headers.get(name):
            raise CredentialsError(
                f"both {credentials.source.removeprefix('argument ')} and the header {name!r} in "
                "default_headers were given; pass one of them. To send both headers, put both "
                "into default_headers."
            )


def _state(value: str | None) -> str:
    return "not set" if value is None else "empty"


def _checked(value: str, source: str) -> str:
    """Drop blanks around a credential, as files and shells leave them; refuse what is inside."""
    value = value.strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise CredentialsError(
            f"the credential in {source} is blank or holds a space, a control character or a "
            "character outside ASCII, which no credential of this API does; its value is not "
            "shown here"
        )
    return value
