"""The plugin in a project of somebody else's: a fresh folder and a pytest of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import claude_client
import claude_rest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
PLUGIN = "claude_client.testing.pytest_plugin"
README = (ROOT / "README.md").read_text(encoding="utf-8")

Run = "Callable[..., subprocess.CompletedProcess[str]]"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs pytest over a test module, with the plugin found by its entry point."""
    site = tmp_path / "site"
    metadata = site / "plugin_under_test-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: plugin-under-test\nVersion: 1.0\n"
    )
    (metadata / "entry_points.txt").write_text(f"[pytest11]\nclaude_client = {PLUGIN}\n")
    folder = tmp_path / "project"
    folder.mkdir()

    def run(
        code: str, *arguments: str, ini: str = "", env: Any = None
    ) -> subprocess.CompletedProcess[str]:
        (folder / "test_it.py").write_text(textwrap.dedent(code), encoding="utf-8")
        (folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n", encoding="utf-8")
        packages = [
            str(Path(package.__file__).parents[1]) for package in (claude_client, claude_rest)
        ]
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("ANTHROPIC_", "PYTEST_"))}  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--strict-markers", "--strict-config", "-q", *arguments],
            cwd=folder,
            env={**kept, "PYTHONPATH": os.pathsep.join([str(site), *packages]), **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip

    return run


def passed(finished: subprocess.CompletedProcess[str]) -> int:
    assert finished.returncode == 0, finished.stdout + finished.stderr
    found = re.search(r"(\d+) passed", finished.stdout)
    assert found, finished.stdout
    return int(found[1])


MESSAGE = """
ARGUMENTS = dict(
    model="claude-opus-5-5", max_tokens=99, messages=[{"role": "user", "content": "Hi"}]
)
"""


def test_the_plugin_is_declared() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'[project.entry-points.pytest11]\nclaude_client = "{PLUGIN}"\n' in project


def test_collecting_loads_nothing_of_the_client(run: Any) -> None:
    finished = run(
        """
        import sys

        def pytest_sessionfinish():
            pass

        def test_nothing(request):
            heavy = {"httpx", "claude_rest", "attr", "jsonschema", "jsonschema_rs", "starlette"}
            assert not heavy & set(sys.modules), heavy & set(sys.modules)
            assert request.config.pluginmanager.has_plugin("claude_client")
        """,
        "-p",
        "no:anyio",
        "-p",
        "no:hypothesispytest",
        "-p",
        "no:schemathesis",
    )
    assert passed(finished) == 1


def test_collect_only_loads_nothing_of_the_client(run: Any, tmp_path: Path) -> None:
    (tmp_path / "project" / "conftest.py").write_text(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    ours = {'httpx', 'claude_rest', 'claude_client.client', 'claude_client.testing.mock_api'}\n"
        "    print('LOADED', sorted(ours & set(sys.modules)))\n"
    )
    finished = run(
        "def test_one(claude, async_claude): pass",
        "--collect-only",
        "-p",
        "no:anyio",
        "-p",
        "no:schemathesis",
    )
    assert finished.returncode == 0
    assert "LOADED []" in finished.stdout


def test_clients(run: Any) -> None:
    finished = run(
        MESSAGE
        + """
import asyncio

def test_sync(claude, claude_mock):
    claude_mock.on("messages.create").fail(529).reply("Scripted")
    assert claude.messages.create(**ARGUMENTS).content[0].text == "Scripted"
    assert [call.status for call in claude_mock.calls] == [529, 200]

def test_stream(claude, claude_mock):
    claude_mock.on("messages.create").reply("One two three")
    with claude.messages.stream(**ARGUMENTS) as stream:
        assert "".join(stream.text_stream) == "One two three"

def test_plain_asyncio(async_claude, claude_mock):
    async def main():
        claude_mock.on("messages.create").fail(529).reply("Scripted")
        message = await async_claude.messages.create(**ARGUMENTS)
        async with async_claude.messages.stream(**ARGUMENTS) as stream:
            text = "".join([text async for text in stream.text_stream])
        return message.content[0].text, text
    assert asyncio.run(main()) == ("Scripted", "Scripted")

def test_each_has_its_own(claude_mock):
    assert not claude_mock.calls

import pytest

@pytest.mark.claude_mock(seed=5, strict=True)
def test_settings(claude, claude_mock):
    from claude_client import BadRequestError
    with pytest.raises(BadRequestError, match="Extra inputs"):
        claude.messages.create(**ARGUMENTS, extra_body={"nonsense": 1})

@pytest.mark.anyio
async def test_anyio(async_claude, anyio_backend):
    assert (await async_claude.messages.create(**ARGUMENTS)).content

@pytest.fixture
def anyio_backend():
    return "asyncio"
""",
        "-W",
        "error",
        env={
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:1/elsewhere",
            "ANTHROPIC_AUTH_TOKEN": "real",
            "ANTHROPIC_CUSTOM_HEADERS": "x-api-key: real",
            "ANTHROPIC_API_KEY": "real",
        },
    )
    assert passed(finished) == 6


def test_server(run: Any) -> None:
    finished = run(
        MESSAGE
        + """
import os

def test_own_client(claude_server, claude_mock):
    from claude_client import Claude
    claude_mock.on("messages.create").reply("Over a socket")
    with Claude() as client:
        assert client.messages.create(**ARGUMENTS).content[0].text == "Over a socket"
    assert claude_mock.last_call.headers["host"] in claude_server
    assert os.environ["ANTHROPIC_BASE_URL"] == claude_server

def test_afterwards():
    assert "ANTHROPIC_BASE_URL" not in os.environ
"""
    )
    assert passed(finished) == 2


OUTSIDE = """
import socket
import pytest

def test_outside(claude):
    socket.create_connection(("192.0.2.1", 9), timeout=0.01)
"""


def test_leaving_the_machine_fails_and_says_how_to_allow_it(run: Any) -> None:
    finished = run(OUTSIDE)
    assert finished.returncode == 1
    assert "NetworkBlockedError: a test tried to reach 192.0.2.1:9" in finished.stdout
    assert '@pytest.mark.claude_network("192.0.2.1")' in finished.stdout
    assert "claude_network_allow" in finished.stdout
    assert "1 failed in" in finished.stdout  # and no error at the end besides


def test_leaving_the_machine_fails_even_if_swallowed(run: Any) -> None:
    code = OUTSIDE.replace("socket.create", "with pytest.raises(Exception): socket.create")
    finished = run(code)
    assert finished.returncode == 1
    assert "1 passed, 1 error" in finished.stdout


@pytest.mark.parametrize(
    ("mark", "ini"),
    [
        ("@pytest.mark.claude_network", ""),
        ("@pytest.mark.claude_network('192.0.2.*')", ""),
        ("", "claude_network_allow = example.com 192.0.2.1"),
    ],
)
def test_hosts_can_be_allowed(run: Any, mark: str, ini: str) -> None:
    code = OUTSIDE.replace("def test", f"{mark}\ndef test").replace(
        "socket.create", "with pytest.raises(OSError): socket.create"
    )
    assert passed(run(code, ini=ini)) == 1


def test_without_a_fixture_nothing_is_held_back(run: Any) -> None:
    code = """
    import socket

    def test_guarded(claude_mock):
        assert "connect" in vars(socket.socket)

    def test_free():
        assert "connect" not in vars(socket.socket)
    """
    assert passed(run(code)) == 2


def test_with_xdist(run: Any) -> None:
    pytest.importorskip("xdist")
    code = MESSAGE + (
        "import pytest\n"
        "@pytest.mark.parametrize('number', range(4))\n"
        "def test_it(claude, number):\n"
        "    assert claude.messages.create(**ARGUMENTS).content\n"
    )
    assert passed(run(code, "-n", "2")) == 4


def test_the_example_of_the_readme(run: Any) -> None:
    (code,) = re.findall(r"^```python\n(def test_.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    assert passed(run(code)) >= 1


@pytest.mark.parametrize(
    ("fixture", "missing"),
    [("claude", ("jsonschema", "jsonschema_rs")), ("claude_server", ("uvicorn",))],
)
def test_a_missing_extra_is_told_in_one_line(
    fixture: str, missing: tuple[str, ...], run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run(
        f"""
        import sys

        sys.modules.update(dict.fromkeys({missing!r}))

        def test_it({fixture}):
            pass
        """
    )
    assert done.returncode == 1
    assert f"{missing[0]} is not installed; install claude-client[mock]" in done.stdout
    assert "Traceback" not in done.stdout
    assert "pytest_plugin.py" not in done.stdout
