"""What goes wrong first for a stranger gives one clear, typed error each."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from claude_client import (
    APIConnectionError,
    Claude,
    ClaudeError,
    InternalServerError,
    MissingCredentialsError,
)
from loopback import LoopbackServer, Send, response

HELLO: Any = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 16,
    "messages": [{"role": "user", "content": "Hello, Claude"}],
}


def test_missing_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    with pytest.raises(MissingCredentialsError) as caught:
        Claude()
    assert isinstance(caught.value, ClaudeError)
    for way_to_give_it in ("api_key", "auth_token", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        assert way_to_give_it in str(caught.value)


def test_unreachable_server() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        Claude(api_key="secret", base_url=f"http://127.0.0.1:{port}", max_retries=0) as client,
        pytest.raises(APIConnectionError) as caught,
    ):
        client.messages.create(**HELLO)
    text = str(caught.value)
    assert f"127.0.0.1:{port}" in text
    assert "messages.create" in text
    assert "connect" in text
    assert "secret" not in text


def test_answer_of_a_gateway_that_is_not_json() -> None:
    page = b"<html><head><title>502</title></head><body>Bad Gateway</body></html>"
    script = [Send(response(502, page, headers={"content-type": "text/html"}))]
    with (
        LoopbackServer([script]) as server,
        Claude(api_key="secret", base_url=server.url, max_retries=0) as client,
        pytest.raises(InternalServerError) as caught,
    ):
        client.messages.create(**HELLO)
    assert caught.value.status_code == 502
    assert "Bad Gateway" in str(caught.value)
    assert "<html>" not in str(caught.value)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="codegen needs Python 3.11")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("openapi: 3.1.0\npaths: {\n", "yaml-syntax"),
        ("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}\n", "openapi-version"),
    ],
)
def test_wrong_spec(tmp_path: Path, text: str, said: str) -> None:
    spec = tmp_path / "spec" / "openapi.yaml"
    spec.parent.mkdir()
    spec.write_text(text, encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "claude_codegen", "generate", str(spec)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode in (1, 3)
    assert f"error {said}:" in finished.stderr
    assert "openapi.yaml:" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "generated").exists()
