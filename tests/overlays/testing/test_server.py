"""The mock as a server: a real process, real sockets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from claude_client.testing import Fault, MockAPI, collapse, serve

from .conftest import KEY, minimal

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADERS = {"x-api-key": KEY, "anthropic-version": "2026-10-21"}
COMMAND = [sys.executable, "-m", "claude_client.testing"]


class Process:
    """A server process and the URL that it printed."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline().strip()
        self.url = self.line.rpartition(" ")[2]

    def stop(self, number: int) -> tuple[int, str]:
        """Send a signal; return exit code and everything else that was printed."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out + err


@pytest.fixture(scope="module")
def server() -> Iterator[Process]:
    running = Process("--seed", "5")
    yield running
    code, printed = running.stop(signal.SIGTERM)
    assert code == 0
    assert printed == ""


@pytest.fixture
def client(server: Process) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=HEADERS, timeout=30) as opened:
        yield opened


def test_prints_its_url(server: Process) -> None:
    assert server.line == f"Mock Claude API on {server.url}"
    assert server.url.startswith("http://127.0.0.1:")


def test_answers(client: httpx.Client) -> None:
    answer = client.post("/v1/messages", json=minimal("Hi"))
    assert answer.status_code == 200
    assert answer.json()["content"][0]["text"].endswith("Hi")
    assert "server" not in answer.headers
    assert client.get("/v1/models?limit=1").json()["has_more"] is True
    assert client.get("/v1/models/a%2Fb").json()["error"]["message"] == "model: a/b"
    for path in ("/", "/v1", "//v1/models", "/v1/models/"):
        assert client.get(path).json()["error"]["type"] == "not_found_error"
    wrong = client.delete("/v1/models")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    head = client.head("/v1/models")
    assert (head.status_code, head.content) == (405, b"")


def test_streams(client: httpx.Client) -> None:
    with client.stream("POST", "/v1/messages", json={**minimal("Hi"), "stream": True}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        text = stream.read().decode()
    whole = client.post("/v1/messages", json=minimal("Hi")).json()
    assert collapse(text)["content"] == whole["content"]


def test_body_over_the_limit_gets_its_answer(client: httpx.Client) -> None:
    answer = client.post("/v1/messages", content=b" " * (33 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "request_too_large"
    chunked = client.post("/v1/messages", content=iter([b" " * (11 * 1024 * 1024)] * 3))
    assert chunked.status_code == 413


def test_big_body(client: httpx.Client) -> None:
    answer = client.post("/v1/messages", json=minimal("word " * 400_000))
    assert answer.status_code == 200
    assert answer.json()["usage"]["input_tokens"] >= 400_000


def test_small_answers_do_not_wait_for_acknowledgements(client: httpx.Client) -> None:
    took: list[float] = []
    for _ in range(40):
        start = time.perf_counter()
        client.post("/v1/messages", json=minimal())
        took.append(time.perf_counter() - start)
    # With Nagle's algorithm on, all but the first few take 40 ms and more; a loaded machine
    # slows some of them too.
    assert sorted(took)[len(took) // 4] < 0.035


def test_many_at_once(client: httpx.Client) -> None:
    ids: list[str] = []

    def ask() -> None:
        ids.extend(client.get("/v1/models").headers["request-id"] for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 160


def test_caller_that_leaves_early_harms_nobody(server: Process, client: httpx.Client) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    assert client.get("/v1/models").status_code == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl(server: Process) -> None:
    body = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": "Hello, Claude"}],
    }
    done = subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--noproxy", "*", "--fail-with-body"),
            f"{server.url}/v1/messages",
            *("--header", f"x-api-key: {KEY}"),
            *("--header", "anthropic-version: 2023-06-01"),
            *("--header", "content-type: application/json"),
            *("--data", json.dumps(body)),
        ],
        capture_output=True,
        check=True,
        timeout=30,
    )
    message = json.loads(done.stdout)
    assert (message["type"], message["stop_reason"]) == ("message", "end_turn")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops_gracefully(number: int) -> None:
    running = Process()
    with httpx.Client(base_url=running.url, headers=HEADERS) as client:
        assert client.get("/v1/models").status_code == 200
        # The connection is still open: an idle client must not hold the server up.
        assert running.stop(number) == (0, "")


def test_options_reach_the_api() -> None:
    running = Process("--strict", "--seed", "9")
    try:
        answer = httpx.get(f"{running.url}/v1/models?colour=red", headers=HEADERS)
        assert answer.status_code == 400
        expected = MockAPI(seed=9)
        assert answer.headers["request-id"] != ""
        with httpx.Client(transport=None, base_url=running.url, headers=HEADERS) as client:
            organization = client.get("/v1/models").headers["anthropic-organization-id"]
        with serve(expected) as other:
            same = httpx.get(f"{other.url}/v1/models", headers=HEADERS)
        assert same.headers["anthropic-organization-id"] == organization
    finally:
        running.stop(signal.SIGTERM)


def test_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--port", str(port)], capture_output=True, text=True, timeout=30
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_help() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert "examples:" in done.stdout
    assert "python -m claude_client.testing --port 4010" in done.stdout
    for name in (field.name for field in fields(Fault)):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "argument --port: 70000 is not a port"),
        (["--port", "x"], "argument --port: 'x' is no whole number"),
        (["--batch-polls", ""], "argument --batch-polls: '' is no whole number"),
        (["--fault", "stauts=529"], "stauts: no such setting of a fault; did you mean status?"),
        (["--fault", "messages.crate: reset"], "did you mean messages.create?"),
        (["--fault", ""], "says nothing that goes wrong"),
        (["--fault", "garbage=false"], "says nothing that goes wrong"),
        (["--batch-polls", "-1"], "argument --batch-polls: -1 is less than 0"),
        (["--rate-limit", "requests=0"], "argument --rate-limit: requests: must be above 0"),
        (["--format", "xml"], "argument --format: invalid choice"),
        (["--nothing"], "unrecognized arguments: --nothing"),
    ],
)
def test_wrong_arguments(arguments: list[str], told: str) -> None:
    failed = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30)
    assert failed.returncode == 2
    assert told in failed.stderr
    assert "Traceback" not in failed.stderr
    assert failed.stdout == ""


def test_name_of_the_command(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from claude_client.testing.__main__ import main

    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/claude-mock", "--help"])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr().out
    assert told.startswith("usage: claude-mock ")
    assert "  claude-mock --port 4010" in told


def test_faults_and_rate_limits() -> None:
    running = Process(
        *("--format", "json", "--rate-limit", "requests=2"),
        *("--fault", "models.retrieve: status=529", "--fault", "models.list: html, times=1"),
    )
    try:
        url = json.loads(running.line)["url"]
        with httpx.Client(base_url=url, headers=HEADERS) as client:
            assert client.get("/v1/models/claude-opus-5-5").status_code == 529
            statuses = [client.get("/v1/models").status_code for _ in range(4)]
        assert statuses == [502, 200, 200, 429]
    finally:
        assert running.stop(signal.SIGTERM) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_open_streams_are_finished(number: int) -> None:
    running = Process("--fault", "messages.create: drip=40/0.2")
    with (
        httpx.Client(base_url=running.url, headers=HEADERS) as client,
        client.stream("POST", "/v1/messages", json={**minimal(), "stream": True}) as stream,
    ):
        chunks = stream.iter_text()
        text = next(chunks)
        running.process.send_signal(number)
        text += "".join(chunks)
    assert "event: message_stop" in text
    assert running.process.communicate(timeout=20) == ("", "")
    assert running.process.returncode == 0


@pytest.mark.parametrize("missing", ["uvicorn", "jsonschema_rs jsonschema"])
def test_missing_extra(missing: str) -> None:
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing.split()})); "
        "from claude_client.testing.__main__ import main; sys.exit(main(['--port', '0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, timeout=30
    )
    assert done.returncode == 2
    assert "claude-client[mock]" in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_in_a_thread() -> None:
    api = MockAPI(seed=2)
    with serve(api) as first, serve(seed=2) as second:
        assert first.api is api
        assert first.url != second.url
        for url in (first.url, second.url):
            assert httpx.get(f"{url}/v1/models", headers=HEADERS).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(first.url)


def test_serve_stops_when_the_test_fails() -> None:
    url = ""
    with pytest.raises(ZeroDivisionError), serve() as running:
        url = running.url
        raise ZeroDivisionError
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_serve_on_a_port_in_use() -> None:
    with (
        serve() as running,
        pytest.raises(OSError),
        serve(port=int(running.url.rpartition(":")[2])),
    ):
        pass
