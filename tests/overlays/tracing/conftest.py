"""Spans that tests look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from both_clients import kit as kit
from claude_client.tracing import AsyncTracingMiddleware, TracingMiddleware

if TYPE_CHECKING:
    from both_clients import BothClients


class Spans:
    """A tracer provider, and the spans that have ended."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def ended(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    @property
    def one(self) -> ReadableSpan:
        """The only span."""
        (span,) = self.ended
        return span

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the only span."""
        return dict(self.one.attributes or {})

    def middleware(self, kit: BothClients, **options: Any) -> Any:
        kind = AsyncTracingMiddleware if kit.asynchronous else TracingMiddleware
        return kind(tracer_provider=self.provider, **options)

    def settings(self, kit: BothClients, **options: Any) -> dict[str, Any]:
        """Return settings of a client that traces here."""
        return {"middleware": [self.middleware(kit, **options)]}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    monkeypatch.delenv("CLAUDE_CLIENT_TRACING", raising=False)
    monkeypatch.delenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", raising=False)
    return Spans()


@pytest.fixture
def process_provider(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> Spans:
    """The same, set up for the whole process."""
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans.provider)
    return spans
