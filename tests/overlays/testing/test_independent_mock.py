"""This client against a mock of other people's making, which knows only the bundled spec.

``steady`` (npm package ``@stdy/cli``) checks each request against the spec, refuses what does not
fit, and answers with the spec's examples. So the spec is read by a tool that shares no code with
this project, and the client's requests and answers are held against that reading.

It runs where ``steady`` is installed or in npm's cache; nothing is downloaded unless the variable
``CLAUDE_CLIENT_TESTS_DOWNLOAD`` is set. Prism (``@stoplight/prism-cli`` 5.14.2) was tried by hand
with the same bundle: it answers too, but ends itself when a request leaves out an optional header
that is a list, as ``anthropic-beta`` is.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import APIStatusError, Claude

from .made_arguments import BUNDLE, arguments_of, find, operations, resolved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = "@stdy/cli@0.22.2"
DOWNLOAD = "CLAUDE_CLIENT_TESTS_DOWNLOAD"
START_SECONDS = 60.0


def command() -> list[str]:
    """Return how to start steady, or skip the tests."""
    installed = shutil.which("steady")
    if installed is not None:
        return [installed]
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("neither steady nor npx is installed")
    start = [npx, *([] if os.environ.get(DOWNLOAD) else ["--offline"]), "--yes", PACKAGE]
    if subprocess.run([*start, "--version"], capture_output=True).returncode != 0:
        pytest.skip(f"npm has no {PACKAGE} in its cache; set {DOWNLOAD}=1 to let it download")
    return start


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    start = command()
    bundle: Path = tmp_path_factory.mktemp("bundle") / "openapi.json"
    bundle.write_text(json.dumps(BUNDLE))
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-color", str(bundle)]
    log = bundle.with_name("log.txt")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*start, *options], stdout=output, stderr=output, start_new_session=True
        )
    until = time.monotonic() + START_SECONDS
    try:
        while "Ready" not in log.read_text():
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"steady did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        # npx runs steady as a child: both are in the session that was started for them.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


@pytest.fixture
def client(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Claude]:
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)
    with Claude(api_key="test-key", base_url=url, max_retries=0, timeout=30) as opened:
        yield opened


def success(operation: Any) -> Any:
    """Return the content of an operation's answer by media type."""
    return resolved(operation["responses"]["200"]).get("content", {})


@pytest.mark.parametrize("amount", ["needed", "many"])
@pytest.mark.parametrize("operation", list(operations()))
def test_every_operation_is_understood(client: Claude, operation: Any, amount: str) -> None:
    needed, possible = arguments_of(operation)
    arguments = dict(needed)
    if amount == "many":
        arguments.update(possible)
        arguments.pop("stream", None)
    answer = find(client, operation)(**arguments)
    media = success(operation)
    if "application/json" in media:
        value = answer.to_dict() if hasattr(answer, "to_dict") else answer
        assert value
    elif "application/x-jsonl" in media:
        assert answer is not None
    else:
        assert isinstance(answer.read(), bytes)


def test_a_request_that_does_not_fit_is_refused(client: Claude) -> None:
    """The other mock does check: what it lets through, the spec lets through."""
    with pytest.raises(APIStatusError) as caught:
        client.messages.create(model="claude-opus-5-5", max_tokens="many", messages=[])  # type: ignore[arg-type]
    assert caught.value.status_code == 400


def test_answers_are_read(client: Claude) -> None:
    assert client.models.retrieve("claude-opus-5-5").type == "model"
    message = client.messages.create(
        model="claude-opus-5-5", max_tokens=10, messages=[{"role": "user", "content": "Hi"}]
    )
    assert message.role == "assistant"
    assert message.usage.output_tokens > 0
    assert client.messages.batches.list().data[0].type == "message_batch"
