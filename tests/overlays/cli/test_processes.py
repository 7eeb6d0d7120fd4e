"""``claude-client`` as a process: signals, pipes, terminals, locales, and what it loads."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_client.testing import serve
from claude_client.testing.faults import parse_fault_rule
from claude_client.testing.mock_api import MockAPI
from claude_client.testing.server import RunningServer

from .shell import MODEL, SAID, command, environment, execute

ASK = ("message", "--model", MODEL)
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and terminals of POSIX")
PATIENCE = 60


@pytest.fixture
def stalling() -> Iterator[RunningServer]:
    """A server whose messages stop in the middle."""
    fault = parse_fault_rule("messages.create: stall_after_events=5")
    with serve(MockAPI(faults=[fault])) as server:
        yield server


def test_exit_codes() -> None:
    done = execute(*ASK, "--mock", "Hi")
    assert done == (0, f"{SAID}Hi\n", "")
    done = execute("models", "nope", "--mock")
    assert done.code == 1
    assert done.stderr.startswith("python -m claude_client: models.retrieve: HTTP 404")
    done = execute(*ASK, "Hi")
    assert done.code == 2
    assert "ANTHROPIC_API_KEY" in done.stderr
    done = execute()
    assert done.code == 2
    assert "COMMAND" in done.stderr
    assert "Traceback" not in done.stderr
    # A connection that is refused.
    done = execute(
        *ASK, "Hi", "--base-url", "http://127.0.0.1:9", "--max-retries=0", ANTHROPIC_API_KEY="k"
    )
    assert done.code == 1
    assert done.stderr.count("\n") == 1


def test_help_loads_no_client_and_shows_examples_and_exit_codes() -> None:
    code = (
        "import sys\n"
        "from claude_client.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "heavy = {'attr', 'httpx', 'json', 'ssl', 'asyncio', 'claude_client.client'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert not any(name.startswith('claude_rest') for name in sys.modules)\n"
        "sys.exit(code)\n"
    )
    for words in ((), ("message",), ("files", "upload"), ("batch", "run")):
        done = subprocess.run(
            [sys.executable, "-c", code, *words, "--help"],
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        )
        assert done.returncode == 0, done.stderr
        assert "example" in done.stdout
        if not words:
            assert "exit codes:" in done.stdout
            assert "ANTHROPIC_API_KEY" in done.stdout
    assert execute("--version").stdout.startswith("claude-client ")


def test_output_is_utf_8_whatever_the_locale() -> None:
    for settings in (
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ):
        assert execute(*ASK, "--mock", "日本 é", **settings).stdout == f"{SAID}日本 é\n"
        done = execute(*ASK, "--mock", stdin="日本 é".encode(), **settings)
        assert done.stdout == f"{SAID}日本 é\n"


@POSIX
def test_an_argument_that_is_no_text() -> None:
    done = subprocess.run(
        [os.fsencode(each) for each in command(*ASK, "--mock")] + [b"\xff\xfe"],
        capture_output=True,
        check=False,
        env=environment(),
    )
    assert done.returncode == 2
    assert b"not UTF-8" in done.stderr


@POSIX
@pytest.mark.parametrize("words", [("models", "--json"), (*ASK, "Hi")])
def test_a_reader_that_goes_away_is_no_error(words: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            command(*words, "--mock"),
            stdout=pipe,
            stderr=subprocess.PIPE,
            check=False,
            env=environment(),
        )
    assert (done.returncode, done.stderr) == (141, b"")


@POSIX
def test_closed_streams() -> None:
    line = " ".join(command("models", "--mock"))
    done = subprocess.run(
        ["sh", "-c", f"{line} >&- 2>&- <&-"], capture_output=True, check=False, env=environment()
    )
    assert done.returncode == 0


@POSIX
@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupt_keeps_what_has_come(stalling: RunningServer, as_json: bool) -> None:
    words = [*ASK, "Hi", "--base-url", stalling.url, *(["--json"] if as_json else [])]
    process = subprocess.Popen(
        command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(ANTHROPIC_API_KEY="k"),
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        if as_json:
            # Nothing is printed that would tell when it waits.
            _wait_for(lambda: len(stalling.api.calls) == 1)
            time.sleep(0.5)
            begun = b""
        else:
            begun = os.read(process.stdout.fileno(), 100)
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    text = (begun + rest).decode()
    assert b"Traceback" not in said
    if as_json:
        assert text == ""
        assert b'"interrupted"' in said
    else:
        assert text.startswith("This")
        assert text.endswith("\n")
        assert said == b"python -m claude_client: interrupted\n"


@POSIX
@pytest.mark.parametrize("module", ["claude_client", "claude_client.testing"])
def test_an_interrupt_while_modules_load_shows_no_traceback(module: str, tmp_path: Path) -> None:
    # Stands in for a module of the standard library that takes long to load.
    (tmp_path / "argparse.py").write_text(
        "import sys, time\nprint('loading', flush=True)\ntime.sleep(60)\n"
    )
    env = environment()
    env["PYTHONPATH"] = os.pathsep.join([str(tmp_path), env["PYTHONPATH"]])
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert said == b""
    assert process.returncode == (130 if module == "claude_client" else 0)


@POSIX
def test_text_is_shown_on_a_terminal_as_it_comes(stalling: RunningServer) -> None:
    import pty

    leader, follower = pty.openpty()
    process = subprocess.Popen(
        command(*ASK, "Hi", "--base-url", stalling.url),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment(ANTHROPIC_API_KEY="k"),
    )
    with process:
        os.close(follower)
        # The stream has stopped, and goes on never: what is here has come at once.
        assert _read_until(leader, b"This") == b"This"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 130
    os.close(leader)


def _read_until(descriptor: int, wanted: bytes) -> bytes:
    """Return what is shown on a terminal, up to what is waited for."""
    shown = b""
    deadline = time.monotonic() + PATIENCE
    while wanted not in shown and time.monotonic() < deadline:
        if select.select([descriptor], [], [], 0.1)[0]:
            shown += os.read(descriptor, 100)
    return shown[: shown.find(wanted) + len(wanted)]


def _wait_for(condition) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
