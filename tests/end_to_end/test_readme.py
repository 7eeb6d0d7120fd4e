"""Every block of the README and of the pages in docs/ runs."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from claude_client.testing import MockAPI, serve
from claude_client.testing.command import argument_parser
from claude_rest.service import MODEL_ENDS

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$",
    (ROOT / "README.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [
    line.split(" #")[0].strip()
    for language, code in BLOCKS
    if language == "sh"
    for line in code.splitlines()
]


@pytest.fixture(scope="module")
def mock_url() -> Iterator[str]:
    with serve(MockAPI(uploads_downloadable=True)) as server:
        yield server.url


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert {language for language, _ in BLOCKS} == {"python", "sh"}
    assert len(PYTHON) >= 7


def test_python_blocks_run_one_after_the_other(
    mock_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "mock-key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", mock_url)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    # A module of its own, as a script would be: dataclasses look theirs up by name.
    module = ModuleType("readme")
    monkeypatch.setitem(sys.modules, "readme", module)
    namespace: dict[str, Any] = vars(module)
    for code in PYTHON:
        code = code.replace("http://127.0.0.1:4010", mock_url)
        exec(compile(code, "README.md", "exec", dont_inherit=True), namespace)
    for name in ("client", "mocked"):
        namespace[name].close()
    shown = capsys.readouterr().out
    assert "You said: Hello, Claude" in shown
    assert "404 not_found_error req_" in shown
    assert "Kyoto succeeded" in shown
    assert (tmp_path / "unpacked" / "SKILL.md").exists()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_pages_run_and_are_linked(
    page: Path, mock_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "mock-key")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", mock_url)
    for name in ("ANTHROPIC_MODEL", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert {language for language, _ in blocks} <= {"python", "sh"}
    # A module of its own, as a script would be: dataclasses look theirs up by name.
    module = ModuleType(f"page_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    namespace: dict[str, Any] = vars(module)
    for language, code in blocks:
        if language == "python":
            exec(compile(code, page.name, "exec", dont_inherit=True), namespace)
        if language == "sh" and "claude-client" in code:
            run_in_shell(code, tmp_path)
            continue
        for line in code.splitlines() if language == "sh" else ():
            program, *arguments = shlex.split(line)
            assert program in ("claude-mock", "curl")
            if program == "claude-mock":
                # Exits with 2 for anything that it cannot read.
                argument_parser().parse_args(arguments)
    if "client" in namespace:
        namespace["client"].close()
    assert f"(docs/{page.name})" in (ROOT / "README.md").read_text("utf-8")


def run_in_shell(code: str, folder: Path) -> None:
    """Run a block of commands in a folder; it has to succeed, and to say nothing wrong."""
    commands = folder / ".commands"
    commands.mkdir(exist_ok=True)
    program = commands / "claude-client"
    python = shlex.quote(sys.executable)
    program.write_text(f'#!/bin/sh\nexec {python} -m claude_client "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    paths = [str(ROOT / "overlays"), str(ROOT / "generated"), os.environ.get("PYTHONPATH", "")]
    finished = subprocess.run(
        ["sh", "-e", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        },
    )
    assert finished.returncode == 0, (finished.stdout, finished.stderr)
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "overlays" / "claude_client" / "cli").glob("*.py")),
    ],
    ids=lambda path: path.name,
)
def test_examples_name_no_model_that_goes(path: Path) -> None:
    named = set(re.findall(r"claude-[a-z]+-[\d-]*\d", path.read_text("utf-8")))
    assert not named & set(MODEL_ENDS)


def test_client_command(tmp_path: Path) -> None:
    (block,) = (code for language, code in BLOCKS if language == "sh" and "--mock" in code)
    run_in_shell(block, tmp_path)


def test_setup_commands_are_what_ci_and_tox_run() -> None:
    setups = [line for line in SHELL if "tox" in line]
    assert len(setups) == 2
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "python3 -m venv .venv" in ci
    assert "tox" in ci
    tox = configparser.ConfigParser()
    tox.read(ROOT / "tox.ini")
    for line in setups:
        for name in re.findall(r"tox -e (\S+)", line):
            assert f"testenv:{name}" in tox


def test_install_command_names_an_extra_that_exists() -> None:
    (line,) = (line for line in SHELL if line.startswith("pip install"))
    (extra,) = re.findall(r"\[(\w+)\]", line)
    assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_demo_runs() -> None:
    finished = subprocess.run(
        [sys.executable, str(ROOT / "tests/end_to_end/demo.py"), "--no-generate"],
        capture_output=True,
        text=True,
        check=False,
        env=_clean_environment(),
    )
    assert finished.returncode == 0, finished.stderr
    assert "You said: Hello, Claude" in finished.stdout
    assert "DeprecationWarning" not in finished.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="codegen needs Python 3.11")
def test_codegen_commands(tmp_path: Path) -> None:
    for folder in ("spec", "generated"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    commands = [line for line in SHELL if line.startswith("claude-codegen")]
    assert len(commands) == 4
    for line in commands:
        finished = subprocess.run(
            [sys.executable, "-m", "claude_codegen", *line.split()[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, (line, finished.stdout, finished.stderr)
        if "generate" in line:
            assert finished.stdout.startswith("0 written, 0 removed"), finished.stdout
    assert (tmp_path / "openapi.json").stat().st_size > 100_000


def test_server_command() -> None:
    (line,) = (line for line in SHELL if line.startswith("claude-mock"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-m", "claude_client.testing", *line.replace("4010", str(port)).split()[1:]]
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        finally:
            server.terminate()
            deadline = time.monotonic() + 10
            while server.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
    assert server.returncode == 0


def test_vendored_copy_works_under_another_name(mock_url: str, tmp_path: Path) -> None:
    import claude_rest

    package = Path(claude_rest.__file__).parent
    shutil.copytree(
        package, tmp_path / "their_claude", ignore=shutil.ignore_patterns("__pycache__")
    )
    code = (
        "import sys\n"
        "sys.modules['claude_rest'] = None\n"
        "sys.modules['claude_client'] = None\n"
        "from their_claude import Client\n"
        f"with Client(api_key='k', base_url={mock_url!r}) as rest:\n"
        "    print(rest.models.retrieve('claude-sonnet-4-5').type)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert finished.stdout == "model\n", finished.stderr


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
