"""When a client traces, and that it never gets into the way."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from both_clients import ARGUMENTS, EVENTS, OK, stream
from claude_client import AsyncClaude, Claude
from claude_client.errors import ConfigurationError
from claude_client.tracing import spans as spans_module

if TYPE_CHECKING:
    from both_clients import BothClients
    from conftest import Spans


def test_nothing_is_traced_without_a_provider(kit: BothClients, spans: Spans) -> None:
    client = kit.open()
    kit.run(client.messages.create(**ARGUMENTS))
    assert client._caller._layers.call == ()
    assert client._caller._layers.untraced


def test_from_when_the_process_has_a_provider(
    kit: BothClients, spans: Spans, request: pytest.FixtureRequest
) -> None:
    client = kit.open(OK, OK)
    kit.run(client.messages.create(**ARGUMENTS))
    request.getfixturevalue("process_provider")
    kit.run(client.messages.create(**ARGUMENTS))
    assert spans.one.name == "chat claude-opus-5-5"


@pytest.mark.usefixtures("process_provider")
@pytest.mark.parametrize("how", ["argument", "environment", "with_options"])
def test_off(kit: BothClients, spans: Spans, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "environment":
        monkeypatch.setenv("CLAUDE_CLIENT_TRACING", "0")
    client = kit.open(**({"tracing": False} if how == "argument" else {}))
    if how == "with_options":
        client = client.with_options(tracing=False)
    kit.run(client.messages.create(**ARGUMENTS))
    assert spans.ended == []


@pytest.mark.usefixtures("process_provider")
def test_on_and_a_middleware_of_ones_own_make_one_span(kit: BothClients, spans: Spans) -> None:
    client = kit.open(OK, tracing=True, **spans.settings(kit))
    kit.run(client.messages.create(**ARGUMENTS))
    assert len(spans.ended) == 1
    assert len(client._caller._layers.call) == 1


@pytest.mark.usefixtures("process_provider")
def test_on_is_outermost(kit: BothClients, spans: Spans) -> None:
    client = kit.open(OK, tracing=True)
    kit.run(client.messages.create(**ARGUMENTS))
    assert spans.attributes["claude.operation"] == "messages.create"


@pytest.mark.parametrize("kind", [Claude, AsyncClaude])
def test_without_opentelemetry_asking_for_it_is_an_error(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "claude_client.tracing.spans", None)
    with pytest.raises(ConfigurationError, match="opentelemetry-api"):
        kind(api_key="k", tracing=True)
    kind(api_key="k")


def test_a_process_without_opentelemetry_loads_nothing_of_it() -> None:
    code = (
        "import sys; from claude_client import Claude; import httpx\n"
        "from claude_client.testing import MockTransport\n"
        "client = Claude(api_key='k', http_client=httpx.Client(transport=MockTransport()))\n"
        "client.messages.create(model='m', max_tokens=1, messages=[{'role': 'user', 'content': 'x'}])\n"
        "print([n for n in sys.modules if n.startswith(('opentelemetry', 'claude_client.tracing'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Broken:
    """A span or a tracer of which nothing works."""

    def __getattr__(self, name: str) -> Any:
        def broken(*_: Any, **__: Any) -> Any:
            if name == "is_recording":
                return True
            raise RuntimeError("broken")

        return broken


class HalfBroken(Broken):
    """A tracer whose spans do not work."""

    def start_span(self, *_: Any, **__: Any) -> Any:
        return Broken()


@pytest.mark.parametrize("tracer", [Broken(), HalfBroken()])
def test_tracing_that_fails_breaks_no_call(kit: BothClients, spans: Spans, tracer: Any) -> None:
    settings = spans.settings(kit, content=True, propagate=True)
    settings["middleware"][0]._tracing._tracer = tracer
    client = kit.open(OK, stream(EVENTS), **settings)
    assert kit.run(client.messages.create(**ARGUMENTS)).id == "msg_1"
    opened = kit.run(client.messages.create(**ARGUMENTS, stream=True))
    assert len(kit.items(opened)) == len(EVENTS) - 1


@pytest.mark.usefixtures("process_provider")
def test_tracing_that_cannot_begin_by_itself_is_left(
    kit: BothClients, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise ValueError("no")

    monkeypatch.setattr(spans_module.Tracing, "__init__", fail)
    client = kit.open(OK, OK)
    for _ in range(2):
        kit.run(client.messages.create(**ARGUMENTS))
    assert spans.ended == []
