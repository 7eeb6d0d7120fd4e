"""Complaints about instrumentation that breaks what it looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from both_clients import ARGUMENTS, EVENTS, stream
from both_clients import kit as kit

if TYPE_CHECKING:
    from both_clients import BothClients


def test_row_38_a_traced_stream_still_has_its_final_message(
    kit: BothClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.delenv("CLAUDE_CLIENT_TRACING", raising=False)
    manager = kit.open(stream(EVENTS)).messages.stream(**ARGUMENTS)

    async def read_async() -> Any:
        async with manager as opened:
            return await opened.get_final_message()

    def read() -> Any:
        with manager as opened:
            return opened.get_final_message()

    message = kit.run(read_async()) if kit.asynchronous else read()
    assert message.content[0].text == "Hello!"
    (span,) = exporter.get_finished_spans()
    assert (span.attributes or {})["gen_ai.usage.output_tokens"] == 2
