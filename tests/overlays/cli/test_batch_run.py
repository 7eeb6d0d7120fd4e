"""``claude-client batch run``: from a file to results, again after an interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_client import Claude
from claude_client.testing import serve
from claude_client.testing.mock_api import MockAPI
from claude_client.testing.server import RunningServer

from .shell import MODEL, command, environment, mocked, run

FILL = ("--model", MODEL, "--max-tokens", "10")
PATIENCE = 60


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A server where batches take a while, and the key for it."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    with serve(MockAPI(batch_polls=2)) as running:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.url)
        yield running


@pytest.fixture
def requests(tmp_path: Path) -> Path:
    """A file of three requests, with and without IDs."""
    path = tmp_path / "requests.jsonl"
    turns = [{"messages": [{"role": "user", "content": f"Number {n}"}]} for n in range(3)]
    lines = [turns[0], {"custom_id": "mine", "params": turns[1]}, turns[2]]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    return path


def created(server: RunningServer) -> int:
    """Return how many batches were created."""
    return sum(call.operation == "messages.batches.create" for call in server.api.calls)


def test_it_runs_on_the_mock(requests: Path) -> None:
    done = mocked("batch", "run", str(requests), *FILL, "--order", "request", "--poll", "0.01")
    assert done.code == 0, done.stderr
    assert [each["custom_id"] for each in done.objects] == ["line-1", "mine", "line-3"]
    texts = [each["result"]["message"]["content"][0]["text"] for each in done.objects]
    assert [text[-1] for text in texts] == ["0", "1", "2"]
    assert "3 requests succeeded, 0 did not" in done.stderr
    assert Path(f"{requests}.journal").exists()


def test_the_same_command_again_pays_for_nothing(server: RunningServer, requests: Path) -> None:
    target = requests.with_name("results.jsonl")
    words = ("batch", "run", str(requests), *FILL, "-o", str(target), "--poll", "0.01")
    assert run(*words).code == 0
    first = target.read_text()
    target.unlink()
    assert run(*words, "--quiet") == (0, "", "")
    assert sorted(target.read_text().splitlines()) == sorted(first.splitlines())
    assert created(server) == 1
    # Another file with the same journal is a mistake, and so is a journal that is none.
    requests.write_text(requests.read_text().replace("Number 0", "Number 9"))
    done = run(*words)
    assert done.code == 2
    assert "Traceback" not in done.stderr
    done = run(*words[:-2], "--poll", "0.01", "--journal", str(target))
    assert done.code == 2
    assert created(server) == 1
    assert run(*words, "--no-journal").code == 0
    assert created(server) == 2


def test_standard_input_and_a_journal_elsewhere(server: RunningServer, requests: Path) -> None:
    journal = requests.with_name("j")
    words = ("batch", "run", "-", *FILL, "--poll", "0.01", "--json")
    done = run(*words, "--journal", str(journal), stdin=requests.read_bytes())
    assert done.code == 0
    assert len(done.objects) == 3
    assert done.stderr == ""
    assert sorted(path.name for path in requests.parent.iterdir()) == ["j", "requests.jsonl"]


def test_requests_that_fail_show_in_the_exit_code(server: RunningServer, requests: Path) -> None:
    bad = {"params": {"model": MODEL, "max_tokens": -1, "messages": []}}
    with requests.open("a") as file:
        file.write(f"{json.dumps(bad)}\n")
    done = run("batch", "run", str(requests), *FILL, "--poll", "0.01")
    assert done.code == 3, done.stderr
    assert {each["result"]["type"] for each in done.objects} == {"succeeded", "errored"}
    assert "3 requests succeeded, 1 did not" in done.stderr


def test_a_request_that_cannot_go_into_a_batch_is_told_by_its_line(
    server: RunningServer, requests: Path
) -> None:
    again = requests.read_text().splitlines()[1]
    requests.write_text(requests.read_text() + f"\n\n{again}\n")
    done = run("batch", "run", str(requests), *FILL)
    assert done.code == 2
    assert "requests.jsonl, line 6: " in done.stderr
    assert "mine" in done.stderr
    assert created(server) == 0


def test_status_can_wait(server: RunningServer, requests: Path) -> None:
    with Claude() as client:
        batch = client.messages.batches.create(
            requests=[
                {
                    "custom_id": "a",
                    "params": {
                        "model": MODEL,
                        "max_tokens": 5,
                        "messages": [{"role": "user", "content": "Hi"}],
                    },
                }
            ]
        )
    done = run("batch", "status", batch.id, "--wait", "--poll", "0.01")
    assert done == (0, f"{batch.id}  ended  1 succeeded\n", "")


def test_settle_needs_a_journal_and_a_doubt(tmp_path: Path, requests: Path) -> None:
    done = run("batch", "settle", str(tmp_path / "none"), "0")
    assert done.code == 2
    assert "no such journal" in done.stderr
    assert mocked("batch", "run", str(requests), *FILL, "--poll", "0.01").code == 0
    done = run("batch", "settle", f"{requests}.journal", "0", "--json")
    assert done.code == 2
    assert "not in doubt" in done.error["message"]


@pytest.mark.parametrize("target", ["no-such-folder/results.jsonl", "folder", ""])
def test_what_cannot_be_written_is_not_paid_for(
    target: str, server: RunningServer, requests: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(requests.parent)
    Path("folder").mkdir()
    done = run("batch", "run", str(requests), *FILL, "--no-journal", "-o", target)
    assert done.code == 2
    assert created(server) == 0


def test_nothing_is_written_over_what_is_read(server: RunningServer, requests: Path) -> None:
    text = requests.read_text().rstrip("\n")
    requests.write_text(text)
    link = requests.with_name("link")
    link.symlink_to(requests)
    journal = f"{requests}.journal"
    for options in (
        ("-o", str(link), "--no-journal"),
        ("-o", journal),
        ("--journal", str(link)),
        ("--journal", "j", "-o", "./j"),
    ):
        done = run("batch", "run", str(requests), *FILL, *options)
        assert done.code == 2
        assert "are the same file" in done.stderr
    assert requests.read_text() == text
    assert sorted(path.name for path in requests.parent.iterdir()) == ["link", "requests.jsonl"]
    assert created(server) == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_requests_from_a_pipe_are_read_once(server: RunningServer, requests: Path) -> None:
    pipe = requests.with_name("pipe")
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(requests.read_bytes(),))
    writer.start()
    done = run("batch", "run", str(pipe), *FILL, "--poll", "0.01")
    writer.join()
    assert done.code == 0, done.stderr
    assert len(done.objects) == 3
    # Nobody could run it again.
    assert "journal" not in done.stderr
    assert sorted(path.name for path in requests.parent.iterdir()) == ["pipe", "requests.jsonl"]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_goes_on_after_an_interruption(
    number: signal.Signals, requests: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = requests.with_name("results.jsonl")
    words = ("batch", "run", str(requests), *FILL, "-o", str(target))
    # So many that the interruption comes long before the end, and few enough to ask them through.
    with serve(MockAPI(batch_polls=300)) as server:
        env = environment(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url)
        process = subprocess.Popen(
            command(*words, "--poll", "0.05"), stderr=subprocess.PIPE, env=env
        )
        with process:
            wait_for(lambda: sum("retrieve" in call.operation for call in server.api.calls) > 1)
            process.send_signal(number)
            _, said = process.communicate(timeout=PATIENCE)
        assert b"Traceback" not in said
        assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
        assert not target.exists()
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        done = run(*words, "--poll", "0.001")
        assert done.code == 0, done.stderr
        assert len(target.read_text().splitlines()) == 3
        assert created(server) == 1


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
def test_a_terminal_shows_how_far_it_is(server: RunningServer, requests: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command("batch", "run", str(requests), *FILL, "--poll", "0.2"),
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=follower,
        env=environment(
            ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=server.url, TERM="xterm", COLUMNS="80"
        ),
    )
    with process:
        os.close(follower)
        output, _ = process.communicate(timeout=PATIENCE)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert process.returncode == 0
    assert len(output.splitlines()) == 3
    assert "\rbatch  " in shown
    assert "of 3 requests" in shown
    # The line is blank again before the last word.
    assert shown.split("\r")[-3].strip() == "" or "succeeded" in shown.split("\r")[-2]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()
