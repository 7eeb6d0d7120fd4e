"""``claude-client batch``: lines of requests, and everything but running them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_client import Claude
from claude_client.cli.arguments import UsageError
from claude_client.cli.batch_lines import read_requests
from claude_client.testing import serve
from claude_client.testing.mock_api import MockAPI
from claude_client.testing.server import RunningServer

from .shell import MODEL, mocked, run

PARAMS = {"model": MODEL, "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}


def line(value: Any) -> bytes:
    """Return a line of JSON."""
    return json.dumps(value).encode() + b"\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A server where batches end at once, and the key for it."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    with serve(MockAPI(batch_polls=0)) as running:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        yield running


def created(*names: str, ended: bool) -> str:
    """Create a batch and return its ID; the mock lets it end when it is asked about."""
    requests: Any = [{"custom_id": name, "params": PARAMS} for name in names]
    with Claude() as client:
        batch_id = client.messages.batches.create(requests=requests).id
        if ended:
            client.messages.batches.retrieve(batch_id)
        return batch_id


def test_lines_become_requests() -> None:
    lines = [
        b"\xef\xbb\xbf" + line({"custom_id": "a", "params": PARAMS}),
        b"\r\n",
        line({"params": PARAMS}).replace(b"\n", b"\r\n"),
        line({"messages": PARAMS["messages"]}),
        line({"messages": PARAMS["messages"], "model": "other", "max_tokens": 3}).strip(),
    ]
    found = list(read_requests(lines, "name", {"model": MODEL, "max_tokens": 10}))
    other = {**PARAMS, "model": "other", "max_tokens": 3}
    assert found == [
        (1, {"custom_id": "a", "params": PARAMS}),
        (3, {"custom_id": "line-3", "params": PARAMS}),
        (4, {"custom_id": "line-4", "params": PARAMS}),
        (5, {"custom_id": "line-5", "params": other}),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no 'model'"),
        (line({**PARAMS, "messages": None})[:-1], None),
        (line({"custom_id": "a"}), "'custom_id' without 'params'"),
        (line({"custom_id": 1, "params": PARAMS}), "'custom_id' is not a string"),
        (line({"custom_id": "a", "params": []}), "'params' is not a JSON object"),
        (line({"custom_id": "a", "params": PARAMS, "method": "POST"}), "'method' beside"),
        (line({"params": {"model": MODEL, "max_tokens": 1}}), "no 'messages'"),
    ],
)
def test_lines_that_are_no_requests(text: bytes, problem: str | None) -> None:
    if problem is None:
        # What stands in the params is for the API to judge.
        assert len(list(read_requests([text], "x.jsonl", {}))) == 1
        return
    with pytest.raises(UsageError) as raised:
        list(read_requests([b"\n", text], "x.jsonl", {}))
    assert str(raised.value).startswith("x.jsonl, line 2: ")
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("content", "says"), [(b"\n", "no requests"), (b"{\n", "line 1: not JSON")]
)
def test_nothing_is_sent_of_a_file_with_a_mistake(
    content: bytes, says: str, tmp_path: Path, server: RunningServer
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(content)
    done = run("batch", "run", str(file))
    assert (done.code, done.stdout) == (2, "")
    assert says in done.stderr
    done = run("batch", "run", "-", stdin=content)
    assert done.code == 2
    assert "standard input" in done.stderr
    assert not server.api.calls
    assert list(tmp_path.iterdir()) == [file]


def test_list_and_status_and_cancel(server: RunningServer) -> None:
    assert run("batch", "list") == (0, "", "claude-client: no batches\n")
    batch_id = created("a", "b", ended=True)
    heads, row = run("batch", "list").stdout.splitlines()
    assert heads.split()[:3] == ["ID", "STATUS", "SUCCEEDED"]
    assert row.startswith(batch_id)
    assert run("batch", "list", "--json").objects[0]["id"] == batch_id
    assert run("batch", "status", batch_id).stdout == f"{batch_id}  ended  2 succeeded\n"
    assert run("batch", "status", batch_id, "--json").objects[0]["type"] == "message_batch"
    other = created("a", ended=False)
    assert run("batch", "results", other).code == 1
    done = run("batch", "cancel", other)
    assert done.code == 0
    assert done.stdout.startswith(f"{other}  cancel")
    assert run("batch", "status", "msgbatch_nope").code == 1


def test_results(server: RunningServer, tmp_path: Path) -> None:
    batch_id = created("a", "b", ended=True)
    done = run("batch", "results", batch_id)
    assert done.code == 0
    assert {each["custom_id"] for each in done.objects} == {"a", "b"}
    target = tmp_path / "results.jsonl"
    target.write_text("old")
    assert run("batch", "results", batch_id, "-o", str(target)) == (0, "", "")
    assert target.read_text(encoding="utf-8") == done.stdout
    assert list(tmp_path.iterdir()) == [target]
    assert run("batch", "results", batch_id, "-o", str(tmp_path / "no" / "x")).code == 2


def test_results_that_break_off_leave_the_file_as_it_was(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = created("a", "b", ended=True)
    target = tmp_path / "results.jsonl"
    target.write_text("old")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-mock-fault: cut_after_bytes=300")
    done = run("batch", "results", batch_id, "-o", str(target), "--max-retries", "0")
    assert done.code == 1
    assert "HTTP" not in done.stderr
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_mock_has_no_batches() -> None:
    assert mocked("batch", "list", "--json") == (0, "", "")
