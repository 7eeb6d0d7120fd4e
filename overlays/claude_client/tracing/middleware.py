"""The middleware: thin twins around :class:`~.spans.Tracing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..middleware import AsyncMiddleware, Middleware

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from opentelemetry.trace import TracerProvider

    from ..middleware import AttemptInfo, CallInfo
    from ..transports import AsyncResponse, Response
    from .spans import Tracing


class _Traces:
    """What both kinds are made with."""

    _tracing: Tracing

    def __init__(
        self,
        *,
        content: bool | None = None,
        propagate: bool = False,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        """Trace.

        Args:
            content: Whether messages, system prompts, tools and answers go into spans. By default
                only if ``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`` asks for it.
            propagate: Whether requests carry the context (``traceparent``). Off, since the API is
                another party.
            tracer_provider: Where spans go, by default the provider of the process.

        Raises:
            ConfigurationError: ``opentelemetry-api`` is not installed.
        """
        try:
            from .spans import Tracing
        except ImportError as error:
            raise ConfigurationError(
                "tracing needs opentelemetry-api: pip install 'claude-client[otel]'"
            ) from error
        self._tracing = Tracing(content, propagate, tracer_provider)


class TracingMiddleware(_Traces, Middleware):
    """Makes a span of every call of a synchronous client. It never changes what a call does."""

    def around_call(self, call: CallInfo, proceed: Callable[[CallInfo], Any]) -> Any:
        """Make a span around a call; that of a stream ends with the stream."""
        span = self._tracing.begin(call)
        if span is None:
            return proceed(call)
        try:
            result = proceed(call)
        except BaseException as error:
            span.left()
            span.failed(error)
            raise
        span.left()
        span.answered(result)
        return result

    def around_attempt(
        self, attempt: AttemptInfo, proceed: Callable[[AttemptInfo], Response]
    ) -> Response:
        """Note an attempt in the span of its call."""
        span = self._tracing.current()
        if span is None:
            return proceed(attempt)
        attempt = self._tracing.sending(attempt, span)
        try:
            response = proceed(attempt)
        except BaseException as error:
            span.attempt_failed(attempt, error)
            raise
        span.attempted(attempt, response)
        return response


class AsyncTracingMiddleware(_Traces, AsyncMiddleware):
    """Asynchronous twin of :class:`TracingMiddleware`."""

    async def around_call(
        self, call: CallInfo, proceed: Callable[[CallInfo], Awaitable[Any]]
    ) -> Any:
        """Make a span around a call; that of a stream ends with the stream."""
        span = self._tracing.begin(call)
        if span is None:
            return await proceed(call)
        try:
            result = await proceed(call)
        except BaseException as error:
            span.left()
            span.failed(error)
            raise
        span.left()
        span.answered(result)
        return result

    async def around_attempt(
        self, attempt: AttemptInfo, proceed: Callable[[AttemptInfo], Awaitable[AsyncResponse]]
    ) -> AsyncResponse:
        """Note an attempt in the span of its call."""
        span = self._tracing.current()
        if span is None:
            return await proceed(attempt)
        attempt = self._tracing.sending(attempt, span)
        try:
            response = await proceed(attempt)
        except BaseException as error:
            span.attempt_failed(attempt, error)
            raise
        span.attempted(attempt, response)
        return response
