"""Whether a client traces: what it was told, and whether the process has set tracing up."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_set_up() -> bool:
    """Tell whether the process has a tracer provider, without loading OpenTelemetry."""
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return False
    try:
        provider = trace.get_tracer_provider()
        return not isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider))
    except Exception:  # noqa: BLE001 - half imported, or a provider that cannot be loaded
        return False


def with_tracing(middleware: Sequence[Any], *, asynchronous: bool) -> tuple[Any, ...]:
    """Return the middleware with one that traces around them, if none of them does.

    Raises :class:`~..errors.ConfigurationError` when ``opentelemetry-api`` is not installed.
    """
    from .middleware import AsyncTracingMiddleware, TracingMiddleware

    if any(isinstance(each, (TracingMiddleware, AsyncTracingMiddleware)) for each in middleware):
        return tuple(middleware)
    kind = AsyncTracingMiddleware if asynchronous else TracingMiddleware
    return (kind(), *middleware)
