"""Settings of a client: arguments and environment put together. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.request import check_base_url, check_headers, merge_headers, split_betas
from claude_rest._runtime.unset import UNSET, Unset
from claude_rest.service import BASE_URL

from ._version import __version__
from .credentials import resolve_credentials
from .environment import BASE_URL_VARIABLE, WORKSPACE_VARIABLE, custom_headers, setting
from .retries import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from .credentials import Credentials

USER_AGENT = f"claude-client/{__version__}"


class Settings:
    """What a client was told and found; immutable by convention, shows no secrets."""

    __slots__ = (
        "api_version",
        "base_url",
        "betas",
        "credentials",
        "default_headers",
        "default_query",
        "environment_headers",
        "retry",
        "strict",
        "timeout",
        "workspace_id",
    )

    credentials: Credentials
    base_url: str
    timeout: float | httpx.Timeout | Unset | None
    retry: RetryPolicy
    default_headers: dict[str, Any]
    """Headers the caller set, by lower-case name; ``UNSET`` removes one of ours."""
    environment_headers: dict[str, str]
    default_query: dict[str, object]
    betas: tuple[str, ...]
    api_version: str | None
    workspace_id: str | None
    strict: bool

    def changed(
        self,
        *,
        api_key: str | Unset | None = UNSET,
        auth_token: str | Unset | None = UNSET,
        base_url: str | Unset | None = UNSET,
        timeout: float | httpx.Timeout | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        default_headers: Mapping[str, str | Unset] | Unset | None = UNSET,
        default_query: Mapping[str, object] | Unset | None = UNSET,
        betas: Sequence[str] | Unset = UNSET,
        api_version: str | Unset | None = UNSET,
        workspace_id: str | Unset | None = UNSET,
        retry: RetryPolicy | Unset | None = UNSET,
        strict: bool | Unset = UNSET,
    ) -> Settings:
        """Return a copy with some settings changed; headers and query parameters are added."""
        copy = Settings()
        for name in self.__slots__:
            setattr(copy, name, getattr(self, name))
        if default_headers:
            copy.default_headers = {**self.default_headers, **_lower(default_headers)}
        if default_query:
            copy.default_query = {**self.default_query, **default_query}
        if api_key or auth_token:
            copy.credentials = resolve_credentials(
                api_key=api_key or None, auth_token=auth_token or None, environ={}
            )
        if base_url:
            copy.base_url = check_base_url(base_url)
        if not isinstance(timeout, Unset):
            copy.timeout = timeout
        if retry:
            copy.retry = retry
        if not isinstance(max_retries, Unset):
            copy.retry = copy.retry.replace(max_retries=max_retries)
        if not isinstance(betas, Unset):
            copy.betas = (betas,) if isinstance(betas, str) else tuple(betas)
        if not isinstance(api_version, Unset):
            copy.api_version = api_version
        if not isinstance(workspace_id, Unset):
            copy.workspace_id = workspace_id
        if not isinstance(strict, Unset):
            copy.strict = strict
        return copy

    def request_headers(self) -> tuple[dict[str, str], list[str], str | None]:
        """Return the headers of every request, with the flags and the version taken out.

        Later sources win: our own, ``ANTHROPIC_CUSTOM_HEADERS``, ``default_headers``. Raises
        ``HeaderValueError`` for what HTTP forbids.
        """
        headers = {"user-agent": USER_AGENT, **self.credentials.headers}
        if self.workspace_id is not None:
            headers["anthropic-workspace-id"] = self.workspace_id
        merge_headers(headers, self.environment_headers)
        merge_headers(headers, self.default_headers)
        betas = split_betas(headers.pop("anthropic-beta", ""))
        version = headers.pop("anthropic-version", None)
        check_headers(headers)
        return headers, betas, version


def resolve_settings(
    environ: Mapping[str, str],
    *,
    api_key: str | None = None,
    auth_token: str | None = None,
    base_url: str | None = None,
    timeout: float | httpx.Timeout | Unset | None = UNSET,
    max_retries: int | Unset = UNSET,
    default_headers: Mapping[str, str | Unset] | None = None,
    default_query: Mapping[str, object] | None = None,
    betas: Sequence[str] = (),
    api_version: str | None = None,
    workspace_id: str | None = None,
    retry: RetryPolicy | None = None,
    strict: bool = False,
) -> Settings:
    """Put the arguments of a client and its environment together; arguments win.

    Raises :class:`~.errors.CredentialsError`, :class:`~.errors.MissingCredentialsError`,
    :class:`~.errors.ConfigurationError` and ``BaseURLError``.
    """
    found = Settings()
    found.credentials = resolve_credentials(
        api_key=api_key,
        auth_token=auth_token,
        environ=environ,
        own_headers=default_headers or (),
    )
    found.base_url = check_base_url(base_url or setting(environ, BASE_URL_VARIABLE) or BASE_URL)
    found.environment_headers = custom_headers(environ)
    found.workspace_id = setting(environ, WORKSPACE_VARIABLE)
    found.timeout = UNSET
    found.retry = RetryPolicy()
    found.default_headers = {}
    found.default_query = {}
    found.betas = ()
    found.api_version = None
    found.strict = strict
    return found.changed(
        timeout=timeout,
        max_retries=max_retries,
        default_headers=default_headers,
        default_query=default_query,
        betas=betas,
        api_version=api_version,
        workspace_id=UNSET if workspace_id is None else workspace_id,
        retry=retry,
    )


def _lower(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in headers.items()}
