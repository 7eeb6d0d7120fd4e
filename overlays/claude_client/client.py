"""The clients: :class:`Claude` and its asynchronous twin :class:`AsyncClaude`.

Making one does no I/O and loads no HTTP library; the first request does. Both may be shared:
``Claude`` between threads, ``AsyncClaude`` between event loops, either across a fork.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from claude_rest._runtime.errors import origin_of
from claude_rest._runtime.kept import kept_property
from claude_rest._runtime.request import split_userinfo
from claude_rest._runtime.unset import UNSET

from .callers import AsyncOverlayCaller, OverlayCaller
from .credentials import refuse_pickling
from .logs import set_up_logging
from .raw_calls import AsyncRawCalls, RawCalls
from .resources import AsyncBeta, Beta
from .settings import resolve_settings
from .transports import choose_async_transport, choose_transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    import aiohttp
    import httpx
    from typing_extensions import Self

    from claude_rest._runtime.timeouts import Timeout
    from claude_rest._runtime.unset import Unset

    from .middleware import AsyncMiddleware, Middleware
    from .retries import RetryBudget, RetryPolicy
    from .settings import Settings
    from .throttle import Throttle
    from .transports import AsyncTransport, AsyncTransportName, Transport, TransportName
    from .webhooks import Secret


class _ClientFacts:
    """What both clients tell about themselves."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def _settings(self) -> Settings: ...

    @property
    def api_key(self) -> str | None:
        """The API key this client sends, None if it has another credential or none."""
        return self._settings.credentials.api_key

    @property
    def auth_token(self) -> str | None:
        """The bearer token this client sends, None if it has another credential or none."""
        return self._settings.credentials.auth_token

    @property
    def base_url(self) -> str:
        """Base URL of the API, without user name, password and a slash at the end."""
        return split_userinfo(self._settings.base_url)[0]

    @property
    def api_version(self) -> str | None:
        """``anthropic-version`` of every call; ``None``: the newest that accepts the arguments."""
        return self._settings.api_version

    @property
    def timeout(self) -> float | Timeout | httpx.Timeout | Unset | None:
        """Timeout of calls that name none; ``UNSET``: 5 s to connect, 600 s for the rest."""
        return self._settings.timeout

    @property
    def webhook_key(self) -> Secret | Sequence[Secret] | None:
        """Signing secret that ``webhooks`` verifies with."""
        return self._settings.webhook_key

    @property
    def retry(self) -> RetryPolicy:
        """The retry policy of calls that do not change it."""
        return self._settings.retry

    @property
    def retry_budget(self) -> RetryBudget | None:
        """What the retries of all calls of this client and its copies share."""
        return self._settings.retry_budget

    @property
    def throttle(self) -> Throttle | None:
        """What makes requests wait for the rate limits, shared with the copies of this client."""
        return self._settings.throttle

    @property
    def max_retries(self) -> int:
        """Attempts after the first one."""
        return self._settings.retry.max_retries

    __reduce__ = refuse_pickling

    def __repr__(self) -> str:
        # The base URL may carry a password, so only its origin is shown.
        return (
            f"{type(self).__name__}(base_url={origin_of(self.base_url)!r}, "
            f"credentials={self._settings.credentials!r})"
        )


class Claude(_ClientFacts, RawCalls):
    """Client of the Claude API."""

    # No __slots__: tests replace resources, and resources are kept.
    _caller: OverlayCaller
    _owns_connections: bool

    def __init__(
        self,
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
        http_client: httpx.Client | None = None,
        transport: Transport | TransportName | None = None,
        retry: RetryPolicy | None = None,
        retry_budget: RetryBudget | Unset | None = UNSET,
        strict: bool = False,
        derive_betas: bool = True,
        check_sizes: bool = True,
        auto_stream: bool = True,
        middleware: Sequence[Middleware] = (),
        tracing: bool | None = None,
        throttle: Throttle | bool | str | None = None,
    ) -> None:
        """Make a client. Whatever is not given comes from the environment, if it is there.

        Args:
            api_key: API key, sent as ``x-api-key``. Else ``ANTHROPIC_API_KEY``.
            auth_token: Bearer token, instead of an API key. Else ``ANTHROPIC_AUTH_TOKEN``.
            base_url: Where the API is. Else ``ANTHROPIC_BASE_URL``, else the public one.
            timeout: Seconds for each phase of an attempt, a :class:`Timeout` or ``httpx.Timeout``,
                or ``None`` to wait forever. Default: 5 s to connect, 600 s for each other phase.
                ``Timeout(deadline=...)`` limits each call in all: its attempts, the waits
                between them, and reading the answer.
            max_retries: Attempts after the first one, 2 by default; 0 turns retries off.
            default_headers: Headers of every request, over ``ANTHROPIC_CUSTOM_HEADERS``;
                ``UNSET`` removes one that would be sent. An authentication header here is the
                credential: with ``api_key`` or ``auth_token`` beside it there would be two.
            default_query: Query parameters of every request.
            betas: Flags of every request, beside those that calls need and ask for; ``-flag``
                leaves one out.
            api_version: ``anthropic-version`` of every request. Default: the newest that accepts
                the arguments of the call.
            workspace_id: Workspace, for credentials that reach several. Else
                ``ANTHROPIC_WORKSPACE_ID``.
            webhook_key: Signing secret that ``webhooks`` verifies with, or several. Else
                ``ANTHROPIC_WEBHOOK_SIGNING_KEY``.
            http_client: A client of httpx or httpx2 with proxies, certificates or limits of your
                own, or for :class:`AsyncClaude` a session of aiohttp; it stays yours to close.
            transport: The library that moves requests: ``"httpx"``, ``"httpx2"``, or for
                :class:`AsyncClaude` ``"aiohttp"``; or an object that does, instead of
                ``http_client``. Else ``CLAUDE_CLIENT_TRANSPORT``, else httpx.
            retry: Retry policy; ``max_retries`` wins over its own figure.
            retry_budget: What the retries of all calls share, by default one of its own for each
                client and its copies; ``None`` lets every call retry as its policy says.
            strict: Whether an answer that its schema does not allow is an error.
            derive_betas: Whether operations and arguments that need a beta flag add it.
            check_sizes: Whether a body larger than its operation takes is refused unsent.
            auto_stream: Whether a message that may take more than 10 minutes to be written,
                by its ``max_tokens``, is streamed under the hood, so that no idle connection is
                cut; the answer is the same. Not where ``stream`` is given.
            middleware: What runs around every call and every attempt, see :class:`Middleware`;
                the first is outermost.
            tracing: Whether calls make OpenTelemetry spans. By default they do from when the
                process has a tracer provider, unless ``CLAUDE_CLIENT_TRACING=0``.
            throttle: What makes requests wait until the rate limits have room for them:
                ``True``, a :class:`Throttle`, or the URL of a Redis to share the limits through.

        Raises:
            MissingCredentialsError: No credential was found; the message says where was looked.
            CredentialsError: Two credentials, or one that cannot be sent.
            BaseURLError: The base URL is none.
            MissingTransportError: The library of the transport is not installed.
        """
        set_up_logging(os.environ)
        settings = resolve_settings(
            os.environ,
            api_key=api_key,
            auth_token=auth_token,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            default_query=default_query,
            betas=betas,
            api_version=api_version,
            workspace_id=workspace_id,
            webhook_key=webhook_key,
            retry=retry,
            retry_budget=retry_budget,
            strict=strict,
            derive_betas=derive_betas,
            check_sizes=check_sizes,
            auto_stream=auto_stream,
            middleware=middleware,
            tracing=tracing,
            throttle=throttle,
        )
        self._caller = OverlayCaller(settings, choose_transport(transport, http_client, os.environ))
        self._owns_connections = True

    def _bound_caller(self) -> OverlayCaller:
        return self._caller

    @property
    def _settings(self) -> Settings:
        return self._caller.settings

    @kept_property
    def beta(self) -> Beta:
        """The same resources through the beta namespace."""
        return Beta(self._caller)

    def with_options(
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
        http_client: httpx.Client | None = None,
        transport: Transport | TransportName | None = None,
        retry: RetryPolicy | Unset | None = UNSET,
        retry_budget: RetryBudget | Unset | None = UNSET,
        strict: bool | Unset = UNSET,
        derive_betas: bool | Unset = UNSET,
        check_sizes: bool | Unset = UNSET,
        auto_stream: bool | Unset = UNSET,
        middleware: Sequence[Middleware] | Unset = UNSET,
        tracing: bool | Unset | None = UNSET,
        throttle: Throttle | bool | str | Unset | None = UNSET,
    ) -> Self:
        """Return a client with some settings changed, on the same connections.

        Headers and query parameters are added to those there are; everything else is replaced.
        The connections stay those of this client: closing the new one, or leaving a ``with``
        block of it, leaves them open, and closing this one closes them for both. With
        ``http_client`` or ``transport`` the new one has, and closes, connections of its own.

        A credential takes the place of the one there is, and of authentication headers; an
        empty one, such as ``api_key=None``, raises ``CredentialsError``.
        """
        settings = self._settings.changed(
            api_key=api_key,
            auth_token=auth_token,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            default_query=default_query,
            betas=betas,
            api_version=api_version,
            workspace_id=workspace_id,
            webhook_key=webhook_key,
            retry=retry,
            retry_budget=retry_budget,
            strict=strict,
            derive_betas=derive_betas,
            check_sizes=check_sizes,
            auto_stream=auto_stream,
            middleware=middleware,
            tracing=tracing,
            throttle=throttle,
        )
        shared = http_client is None and transport is None
        copy = self.__class__.__new__(self.__class__)
        copy._caller = OverlayCaller(
            settings,
            self._caller.transport
            if shared
            else choose_transport(transport, http_client, os.environ),
        )
        copy._owns_connections = not shared
        return copy

    copy = with_options

    def close(self) -> None:
        """Close the connections. Safe to call more than once; calls raise afterwards.

        Does nothing to connections that :meth:`with_options` shares.
        """
        if self._owns_connections:
            self._caller.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClaude(_ClientFacts, AsyncRawCalls):
    """Asynchronous client of the Claude API; see :class:`Claude`."""

    # No __slots__: tests replace resources, and resources are kept.
    _caller: AsyncOverlayCaller
    _owns_connections: bool

    def __init__(
        self,
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
        http_client: httpx.AsyncClient | aiohttp.ClientSession | None = None,
        transport: AsyncTransport | AsyncTransportName | None = None,
        retry: RetryPolicy | None = None,
        retry_budget: RetryBudget | Unset | None = UNSET,
        strict: bool = False,
        derive_betas: bool = True,
        check_sizes: bool = True,
        auto_stream: bool = True,
        middleware: Sequence[AsyncMiddleware] = (),
        tracing: bool | None = None,
        throttle: Throttle | bool | str | None = None,
    ) -> None:
        """Make a client; see :class:`Claude`."""
        set_up_logging(os.environ)
        settings = resolve_settings(
            os.environ,
            api_key=api_key,
            auth_token=auth_token,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            default_query=default_query,
            betas=betas,
            api_version=api_version,
            workspace_id=workspace_id,
            webhook_key=webhook_key,
            retry=retry,
            retry_budget=retry_budget,
            strict=strict,
            derive_betas=derive_betas,
            check_sizes=check_sizes,
            auto_stream=auto_stream,
            middleware=middleware,
            tracing=tracing,
            throttle=throttle,
        )
        self._caller = AsyncOverlayCaller(
            settings, choose_async_transport(transport, http_client, os.environ)
        )
        self._owns_connections = True

    def _bound_caller(self) -> AsyncOverlayCaller:
        return self._caller

    @property
    def _settings(self) -> Settings:
        return self._caller.settings

    @kept_property
    def beta(self) -> AsyncBeta:
        """The same resources through the beta namespace."""
        return AsyncBeta(self._caller)

    def with_options(
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
        http_client: httpx.AsyncClient | aiohttp.ClientSession | None = None,
        transport: AsyncTransport | AsyncTransportName | None = None,
        retry: RetryPolicy | Unset | None = UNSET,
        retry_budget: RetryBudget | Unset | None = UNSET,
        strict: bool | Unset = UNSET,
        derive_betas: bool | Unset = UNSET,
        check_sizes: bool | Unset = UNSET,
        auto_stream: bool | Unset = UNSET,
        middleware: Sequence[AsyncMiddleware] | Unset = UNSET,
        tracing: bool | Unset | None = UNSET,
        throttle: Throttle | bool | str | Unset | None = UNSET,
    ) -> Self:
        """Return a client with some settings changed; see :meth:`Claude.with_options`."""
        settings = self._settings.changed(
            api_key=api_key,
            auth_token=auth_token,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            default_headers=default_headers,
            default_query=default_query,
            betas=betas,
            api_version=api_version,
            workspace_id=workspace_id,
            webhook_key=webhook_key,
            retry=retry,
            retry_budget=retry_budget,
            strict=strict,
            derive_betas=derive_betas,
            check_sizes=check_sizes,
            auto_stream=auto_stream,
            middleware=middleware,
            tracing=tracing,
            throttle=throttle,
        )
        shared = http_client is None and transport is None
        copy = self.__class__.__new__(self.__class__)
        copy._caller = AsyncOverlayCaller(
            settings,
            self._caller.transport
            if shared
            else choose_async_transport(transport, http_client, os.environ),
        )
        copy._owns_connections = not shared
        return copy

    copy = with_options

    async def close(self) -> None:
        """Close the connections. Safe to call more than once; calls raise afterwards.

        Does nothing to connections that :meth:`with_options` shares.
        """
        if self._owns_connections:
            await self._caller.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
