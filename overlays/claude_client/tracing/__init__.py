"""OpenTelemetry spans of calls, with the GenAI attributes: a middleware like any other.

A client traces by itself from the moment the process has a tracer provider, and costs nothing
before that; ``tracing=True`` makes it sure, ``tracing=False`` or ``CLAUDE_CLIENT_TRACING=0`` turns
it off. What people write and models answer is in spans only where that is asked for: with
``TracingMiddleware(content=True)``, or the environment variable of OpenTelemetry for it.

Needs ``opentelemetry-api`` (the extra ``otel``).
"""

from __future__ import annotations

from .middleware import AsyncTracingMiddleware, TracingMiddleware

__all__ = ["AsyncTracingMiddleware", "TracingMiddleware"]
