"""client.explain: what a call would send and why, without sending it."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import AsyncClaude, Claude, RetryPolicy, Timeout
from claude_client.errors import PathSegmentError
from claude_rest import Client
from loopback import LoopbackServer, Send, response

if TYPE_CHECKING:
    from pathlib import Path

HELLO: Any = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}
CLIENTS = [pytest.param(Claude, id="sync"), pytest.param(AsyncClaude, id="async")]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)


def make(client_class: Any, **settings: Any) -> Any:
    # Nothing listens on this port: a request would fail.
    return client_class(api_key="sk-hush", base_url="http://127.0.0.1:9", **settings)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_a_message(client_class: Any) -> None:
    client = make(client_class)
    found = client.explain(client.messages.create, **HELLO)
    assert (found.operation, found.method) == ("messages.create", "POST")
    assert found.url == "http://127.0.0.1:9/v1/messages"
    assert found.body == HELLO
    assert (found.api_version, found.api_version_reason) == ("2026-10-21", "the newest")
    assert found.betas == {}
    assert (found.retry, found.max_retries) == ("billable", 2)
    assert found.timeout == Timeout()
    assert found.limit == 32 * 1024 * 1024
    assert found.headers["x-api-key"] == "[hidden]"
    text = str(found)
    assert "sk-hush" not in text + repr(found)
    for part in ("POST http://127.0.0.1:9/v1/messages", "billable", "2026-10-21 (the newest)"):
        assert part in text
    assert client.explain("messages.create", **HELLO).body == HELLO


def test_it_explains_what_is_sent() -> None:
    given: Any = {**HELLO, "speed": "fast", "extra_headers": {"X-Mine": "1"}, "betas": ["a-1"]}
    message = {"type": "message", "id": "m", "role": "assistant", "content": []}
    with (
        LoopbackServer([[Send(response(json=message))]]) as script,
        Claude(api_key="k", base_url=script.url) as client,
    ):
        found = client.explain(client.messages.create, **given)
        assert script.requests == []
        client.messages.create(**given)
        (sent,) = script.requests
    assert found.body == sent.json()
    assert found.size == len(sent.body)
    for name, value in found.headers.items():
        assert sent.header(name) == ("k" if name == "x-api-key" else value)
    assert ",".join(found.betas) == sent.header("anthropic-beta")


@pytest.mark.parametrize("client_class", CLIENTS)
def test_every_flag_has_its_reasons(client_class: Any) -> None:
    client = make(client_class, betas=["client-1"], default_headers={"anthropic-beta": "head-1"})
    found = client.explain(
        client.beta.messages.create,
        **HELLO,
        thread={"type": "create"},
        betas=["call-1", "client-1"],
        extra_headers={"Anthropic-Beta": "extra-1"},
    )
    reasons = dict(found.betas)
    (thread,) = [flag for flag in reasons if flag.startswith("message-threads")]
    assert "argument thread" in reasons.pop(thread)
    assert reasons == {
        "client-1": ("betas of the client", "betas of the call"),
        "head-1": ("betas of the client",),
        "call-1": ("betas of the call",),
        "extra-1": ("a header of the caller",),
    }
    assert all(why for why in found.betas.values())
    assert f"{thread} (argument thread" in str(found)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_flags_of_credentials(client_class: Any) -> None:
    client = client_class(auth_token="sk-ant-oat01-x", base_url="http://127.0.0.1:9")
    found = client.explain("models.list")
    assert found.betas == {"oauth-2025-04-20": ("the credential",)}
    assert found.headers["authorization"] == "[hidden]"


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize(
    ("settings", "given", "version", "reason"),
    [
        ({}, {"temperature": 1.0}, "2023-06-01", "the newest that accepts temperature"),
        ({"api_version": "2023-06-01"}, {}, "2023-06-01", "api_version of the client"),
        ({}, {"api_version": "2023-06-01"}, "2023-06-01", "api_version of the call"),
        (
            {"default_headers": {"Anthropic-Version": "2023-06-01"}},
            {},
            "2023-06-01",
            "default_headers of the client",
        ),
        (
            {},
            {"extra_headers": {"Anthropic-Version": "x"}},
            "x",
            "extra_headers of the call",
        ),
    ],
)
def test_the_version_has_its_reason(
    client_class: Any, settings: Any, given: Any, version: str, reason: str
) -> None:
    client = make(client_class, **settings)
    found = client.explain(client.messages.create, **HELLO, **given)
    assert (found.api_version, found.api_version_reason) == (version, reason)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_limits_in_time_and_size(client_class: Any) -> None:
    client = make(client_class, retry=RetryPolicy(5, deadline=40), timeout=3)
    found = client.explain(client.models.list)
    assert (found.max_retries, found.retry, found.timeout.deadline) == (5, "safe", 40)
    assert found.timeout.connect == found.timeout.idle == 3
    found = client.explain(client.models.list, timeout=Timeout(deadline=7), max_retries=0)
    assert (found.max_retries, found.timeout.deadline) == (0, 7)
    assert "deadline 7 s" in str(found)
    assert (found.size, found.body, found.limit) == (0, None, None)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_files_are_told_by_their_size(client_class: Any, tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(b"xyz" * 1000)
    client = make(client_class)
    opened = io.BytesIO(b"abc")
    for file, name, size in ((path, "big.bin", 3000), (("a.txt", opened), "a.txt", 3)):
        found = client.explain(client.beta.files.upload, file=file)
        assert found.size > size
        (part,) = found.body
        assert (part["name"], part["filename"], part["size"]) == ("file", name, size)
        assert "xyzxyz" not in str(found)
    assert opened.read() == b"abc"


@pytest.mark.parametrize("client_class", CLIENTS)
def test_all_kinds_of_methods(client_class: Any) -> None:
    client = make(client_class)

    def url(*args: Any, **kwargs: Any) -> str:
        return str(client.explain(*args, **kwargs).url).removeprefix("http://127.0.0.1:9")

    assert url(client.beta.models.list, limit=3) == "/v1/models?limit=3"
    assert url(client.messages.batches.results, "b1") == "/v1/messages/batches/b1/results"
    assert url("beta.messages.batches.cancel", "b1") == "/v1/messages/batches/b1/cancel"
    assert url(client.models.with_raw_response.retrieve, "m") == "/v1/models/m"
    assert url(client.get, "v1/x", query={"api_key": "hush"}) == "/v1/x?api_key=[hidden]"
    assert url("delete", "v1/x") == "/v1/x"
    streamed = client.explain(client.messages.stream, **HELLO)
    assert streamed.body == {**HELLO, "stream": True}
    assert streamed.headers["accept"] == "text/event-stream"
    assert client.explain(client.messages.create, **HELLO, stream=True).body == streamed.body
    # Iterators are read; what was found among them is explained all the same.
    turns = iter(HELLO["messages"])
    assert client.explain("messages.create", **{**HELLO, "messages": turns}).body == HELLO


@pytest.mark.parametrize("client_class", CLIENTS)
def test_what_cannot_be_explained(client_class: Any) -> None:
    client = make(client_class)
    low = Client(api_key="k", base_url="http://127.0.0.1:9")
    for method in (client.with_options, len, low.models.list, client.close):
        with pytest.raises(TypeError, match="no method of a client"):
            client.explain(method)
    for name in ("messages.crate", "messages", "", "message.create"):
        with pytest.raises(TypeError, match="no method"):
            client.explain(name)
    with pytest.raises(TypeError, match="max_tokens"):
        client.explain("messages.create", model="m", messages=[])
    with pytest.raises(TypeError, match="tiemout"):
        client.explain("messages.create", **HELLO, tiemout=1)
    with pytest.raises(PathSegmentError):
        client.explain(client.models.retrieve, "..")


def test_a_long_body_is_cut() -> None:
    client = make(Claude)
    long = [{"role": "user", "content": "x" * 10_000}]
    text = str(client.explain("messages.create", **{**HELLO, "messages": long}))
    assert len(text) < 6000
    assert "more characters" in text


@pytest.mark.parametrize("client_class", CLIENTS)
def test_secrets_of_the_body_are_hidden(client_class: Any) -> None:
    client = make(client_class)
    server = {
        "type": "url",
        "url": "https://user:hush@mcp.example/sse?api_key=hush&page=1",
        "name": "n",
        "authorization_token": "hush",
    }
    thought = {"type": "thinking", "thinking": "…", "signature": "seen"}
    params = {
        **HELLO,
        "messages": [*HELLO["messages"], {"role": "assistant", "content": [thought]}],
        "mcp_servers": [server],
    }
    found = client.explain(
        client.beta.messages.batches.create, requests=[{"custom_id": "a", "params": params}]
    )
    assert "hush" not in str(found)
    shown = found.body["requests"][0]["params"]
    assert shown["mcp_servers"] == [
        {
            **server,
            "url": "https://mcp.example/sse?api_key=[hidden]&page=1",
            "authorization_token": "[hidden]",
        }
    ]
    assert shown["messages"] == params["messages"]
    assert shown["max_tokens"] == 100
    assert server["authorization_token"] == "hush"


@pytest.mark.parametrize("client_class", CLIENTS)
def test_raw_answers_are_not_streamed_unasked(client_class: Any) -> None:
    client = make(client_class)
    long = {**HELLO, "max_tokens": 64_000}
    assert client.explain(client.messages.create, **long).body["stream"] is True
    raw = client.messages.with_raw_response
    assert "stream" not in client.explain(raw.create, **long).body
    assert client.explain(raw.create, **long, stream=True).body["stream"] is True
