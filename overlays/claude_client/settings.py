"""Settings of a client: arguments and environment put together. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from claude_rest._runtime.errors import HeaderValueError
from claude_rest._runtime.request import check_base_url, check_headers, merge_headers, split_betas
from claude_rest._runtime.unset import UNSET, Unset
from claude_rest.service import BASE_URL

from ._version import __version__
from .credentials import (
    Credentials,
    carries_credential,
    new_credentials,
    refuse_pickling,
    refuse_second_credential,
    resolve_credentials,
    without_credentials,
)
from .environment import (
    BASE_URL_VARIABLE,
    TRACING_VARIABLE,
    WEBHOOK_KEY_VARIABLE,
    WORKSPACE_VARIABLE,
    custom_headers,
    setting,
    switched_off,
)
from .retries import RetryBudget, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from claude_rest._runtime.timeouts import Timeout

    from .middleware import AsyncMiddleware, Middleware
    from .throttle import Throttle
    from .webhooks import Secret

USER_AGENT = f"claude-client/{__version__}"


class Settings:
    """What a client was told and found; immutable by convention, shows no secrets."""

    __slots__ = (
        "api_version",
        "auto_stream",
        "base_url",
        "betas",
        "check_sizes",
        "credentials",
        "default_headers",
        "default_query",
        "derive_betas",
        "environment_headers",
        "middleware",
        "retry",
        "retry_budget",
        "strict",
        "throttle",
        "timeout",
        "tracing",
        "webhook_key",
        "workspace_id",
    )

    credentials: Credentials
    base_url: str
    timeout: float | Timeout | httpx.Timeout | Unset | None
    retry: RetryPolicy
    retry_budget: RetryBudget | None
    """Shared with the copies made by :meth:`changed`; ``None``: retries are not rationed."""
    default_headers: dict[str, Any]
    """Headers the caller set, by lower-case name; ``UNSET`` removes one of ours."""
    environment_headers: dict[str, str]
    default_query: dict[str, object]
    betas: tuple[str, ...]
    api_version: str | None
    workspace_id: str | None
    webhook_key: Secret | Sequence[Secret] | None
    strict: bool
    derive_betas: bool
    check_sizes: bool
    auto_stream: bool
    middleware: tuple[Middleware | AsyncMiddleware, ...]
    tracing: bool | None
    """``None``: once the process has set tracing up."""
    throttle: Throttle | None
    """Shared with the copies made by :meth:`changed`; ``None``: requests go out at once."""

    def changed(
        self,
        *,
        api_key: str | Unset | None = UNSET,
        auth_token: str | Unset | None = UNSET,
        base_url: str | Unset | None = UNSET,
        timeout: float | Timeout | httpx.Timeout | Unset | None = UNSET,
        max_retries: int | Unset = UNSET,
        default_headers: Mapping[str, str | Unset] | Unset | None = UNSET,
        default_query: Mapping[str, object] | Unset | None = UNSET,
        betas: Sequence[str] | Unset = UNSET,
        api_version: str | Unset | None = UNSET,
        workspace_id: str | Unset | None = UNSET,
        webhook_key: Secret | Sequence[Secret] | Unset | None = UNSET,
        retry: RetryPolicy | Unset | None = UNSET,
        retry_budget: RetryBudget | Unset | None = UNSET,
        strict: bool | Unset = UNSET,
        derive_betas: bool | Unset = UNSET,
        check_sizes: bool | Unset = UNSET,
        auto_stream: bool | Unset = UNSET,
        middleware: Sequence[Middleware | AsyncMiddleware] | Unset = UNSET,
        tracing: bool | Unset | None = UNSET,
        throttle: Throttle | bool | str | Unset | None = UNSET,
    ) -> Settings:
        """Return a copy with some settings changed; headers and query parameters are added.

        A credential, as an argument or as a header, takes the place of every other one: of the
        credential there is and of all authentication headers, inherited or from the environment.
        Raises :class:`~.errors.CredentialsError` for an empty one, or for two at once.
        """
        copy = Settings()
        for name in self.__slots__:
            setattr(copy, name, getattr(self, name))
        headers = lower_headers(default_headers or {})
        credentials = new_credentials(api_key, auth_token)
        if credentials is not None:
            refuse_second_credential(credentials, headers)
        elif carries_credential(headers):
            credentials = Credentials(source="default_headers")
        if credentials is not None:
            copy.credentials = credentials
            copy.environment_headers = without_credentials(self.environment_headers)
            copy.default_headers = without_credentials(self.default_headers)
        copy.default_headers = {**copy.default_headers, **headers}
        if default_query:
            copy.default_query = {**self.default_query, **default_query}
        if base_url:
            copy.base_url = check_base_url(base_url)
        if not isinstance(timeout, Unset):
            copy.timeout = timeout
        if retry:
            copy.retry = retry
        if not isinstance(max_retries, Unset):
            copy.retry = copy.retry.replace(max_retries=max_retries)
        if not isinstance(retry_budget, Unset):
            copy.retry_budget = retry_budget
        if not isinstance(betas, Unset):
            copy.betas = (betas,) if isinstance(betas, str) else tuple(betas)
        if not isinstance(api_version, Unset):
            copy.api_version = api_version
        if not isinstance(workspace_id, Unset):
            copy.workspace_id = workspace_id
        if not isinstance(webhook_key, Unset):
            copy.webhook_key = webhook_key
        if not isinstance(strict, Unset):
            copy.strict = strict
        if not isinstance(derive_betas, Unset):
            copy.derive_betas = derive_betas
        if not isinstance(check_sizes, Unset):
            copy.check_sizes = check_sizes
        if not isinstance(auto_stream, Unset):
            copy.auto_stream = auto_stream
        if not isinstance(middleware, Unset):
            copy.middleware = tuple(middleware)
        if not isinstance(tracing, Unset):
            copy.tracing = tracing
        if not isinstance(throttle, Unset):
            copy.throttle = _throttle(throttle)
        return copy

    __reduce__ = refuse_pickling

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
    timeout: float | Timeout | httpx.Timeout | Unset | None = UNSET,
    max_retries: int | Unset = UNSET,
    default_headers: Mapping[str, str | Unset] | None = None,
    default_query: Mapping[str, object] | None = None,
    betas: Sequence[str] = (),
    api_version: str | None = None,
    workspace_id: str | None = None,
    webhook_key: Secret | Sequence[Secret] | None = None,
    retry: RetryPolicy | None = None,
    retry_budget: RetryBudget | Unset | None = UNSET,
    strict: bool = False,
    derive_betas: bool = True,
    check_sizes: bool = True,
    auto_stream: bool = True,
    middleware: Sequence[Middleware | AsyncMiddleware] = (),
    tracing: bool | None = None,
    throttle: Throttle | bool | str | None = None,
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
    found.webhook_key = webhook_key or setting(environ, WEBHOOK_KEY_VARIABLE)
    found.timeout = UNSET
    found.retry = RetryPolicy()
    found.retry_budget = RetryBudget() if isinstance(retry_budget, Unset) else retry_budget
    found.default_headers = {}
    found.default_query = {}
    found.betas = ()
    found.api_version = None
    found.strict = strict
    found.derive_betas = derive_betas
    found.check_sizes = check_sizes
    found.auto_stream = auto_stream
    found.middleware = tuple(middleware)
    if tracing is None and switched_off(setting(environ, TRACING_VARIABLE)):
        tracing = False
    found.tracing = tracing
    found.throttle = _throttle(throttle)
    return found.changed(
        api_key=api_key or UNSET,
        auth_token=auth_token or UNSET,
        timeout=timeout,
        max_retries=max_retries,
        default_headers=default_headers,
        default_query=default_query,
        betas=betas,
        api_version=api_version,
        workspace_id=UNSET if workspace_id is None else workspace_id,
        retry=retry,
    )


def _throttle(given: Throttle | bool | str | None) -> Throttle | None:
    if given is None or given is False:
        return None
    from .throttle import Throttle

    return Throttle.of(given)


def lower_headers(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``headers`` by lower-case name; a list of flags for ``anthropic-beta`` is joined.

    Raises ``HeaderValueError`` when that header is neither text, a list or tuple of texts, nor
    ``UNSET``, which removes it; ``None`` is refused as for any other header.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    betas = lowered.get("anthropic-beta", UNSET)
    if isinstance(betas, str) or betas is UNSET:
        return lowered
    flags: list[object] = [*cast("Sequence[object]", betas)] if _is_list(betas) else [betas]
    texts = [flag for flag in flags if isinstance(flag, str)]
    if len(texts) < len(flags):
        raise HeaderValueError(
            "the value of the header 'anthropic-beta' is neither a string nor a list of strings; "
            "UNSET removes the header"
        )
    lowered["anthropic-beta"] = ",".join(texts)
    return lowered


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple))
