"""``claude-client files``, against one server for all commands of a test."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_client.cli.files import safe_name
from claude_client.testing import serve
from claude_client.testing.mock_api import MockAPI

from .shell import Finished, mocked, run

Files = Callable[..., Finished]


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """Run a command of ``files`` against a server that keeps what is uploaded."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    with serve(MockAPI(uploads_downloadable=True)) as server:
        yield lambda *arguments, **settings: run(
            "files", *arguments, "--base-url", server.url, **settings
        )


def uploaded(files: Files, path: Path) -> str:
    """Upload a file and return its ID."""
    done = files("upload", str(path), "--json")
    assert done.code == 0, done.stderr
    (file,) = done.objects
    file_id: str = file["id"]
    return file_id


def test_up_and_down_and_away(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * 100
    (tmp_path / "a.bin").write_bytes(content)
    (tmp_path / "b.txt").write_text("b")
    done = files("upload", str(tmp_path / "a.bin"), str(tmp_path / "b.txt"))
    assert done.code == 0, done.stderr
    assert done.stderr == ""
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    assert [line[1:] for line in lines] == [["a.bin", "25.6 kB"], ["b.txt", "1 B"]]
    first, second = lines[0][0], lines[1][0]

    shown = files("list").stdout.splitlines()
    assert shown[0].split() == ["ID", "NAME", "TYPE", "SIZE", "CREATED"]
    assert {line.split()[0] for line in shown[1:]} == {first, second}
    assert len(files("list", "--limit", "1", "--json").objects) == 1

    target = tmp_path / "down"
    done = files("download", first, "-o", str(target))
    assert done == (0, f"{target}  25.6 kB\n", "")
    assert target.read_bytes() == content
    target.write_bytes(b"old")
    (facts,) = files("download", first, "-o", str(target), "--json").objects
    assert facts == {"id": first, "path": str(target), "size_bytes": len(content)}
    assert target.read_bytes() == content
    assert files("download", second, "-o", "-").stdout == "b"

    # Without a target it is the file's own name, and no file is replaced that way.
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert files("download", first).stdout == "a.bin  25.6 kB\n"
    done = files("download", first)
    assert done.code == 2
    assert "a.bin is there already" in done.stderr
    assert files("download", second, "-o", str(here)).code == 0
    assert sorted(path.name for path in here.iterdir()) == ["a.bin", "b.txt"]

    assert files("delete", first, second).stdout == f"{first}  deleted\n{second}  deleted\n"
    done = files("list")
    assert done == (0, "", "claude-client: no files\n")
    assert files("list", "--json") == (0, "", "")


def test_standard_input_needs_a_name(files: Files) -> None:
    (file,) = files("upload", "-", "--name", "n.txt", "--json", stdin=b"abc").objects
    assert (file["filename"], file["size_bytes"]) == ("n.txt", 3)
    done = files("upload", "-")
    assert done.code == 2
    assert "--name" in done.stderr


def test_a_file_gets_another_name(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    (file,) = files("upload", str(tmp_path / "a"), "--name", "b.txt", "--json").objects
    assert file["filename"] == "b.txt"
    assert files("upload", "x", "y", "--name", "z").code == 2


def test_nothing_is_uploaded_when_one_cannot_be_read(files: Files, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    done = files("upload", str(tmp_path / "a"), str(tmp_path / "b"))
    assert (done.code, done.stdout) == (2, "")
    assert f"{tmp_path / 'b'}: No such file or directory" in done.stderr
    assert files("list").stdout == ""
    assert files("upload", str(tmp_path)).code == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_uploaded_as_it_comes(files: Files, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"from a pipe",))
    writer.start()
    done = files("upload", str(pipe), "--json")
    writer.join()
    assert done.code == 0, done.stderr
    assert done.objects[0]["size_bytes"] == 11


def test_a_download_that_fails_leaves_nothing(files: Files, tmp_path: Path) -> None:
    done = files("download", "file_nope", "-o", str(tmp_path / "x"))
    assert done.code == 1
    assert "404" in done.stderr
    done = files("download", "..", "-o", str(tmp_path / "x"))
    assert done.code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("chart.png", "chart.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system.ini", "system.ini"),
        ("/", ""),
        ("..", ""),
        (".bashrc", "bashrc"),
        ("a\x1b[2J\nb:c.txt", "a[2Jbc.txt"),
        ("Größe 日本.txt", "Größe 日本.txt"),
    ],
)
def test_names_of_others_stay_in_the_folder(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_an_uploaded_file_is_shown_to_the_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    api = MockAPI()
    with serve(api) as server:
        (tmp_path / "a.txt").write_text("text")
        at = ("--base-url", server.url)
        file_id = uploaded(lambda *words: run("files", *words, *at), tmp_path / "a.txt")
        done = run("message", "--model", "claude-sonnet-4-5", "--file", file_id, "Hi", *at)
    assert done.code == 0, done.stderr
    body: Any = api.last_call.body
    assert body["messages"][0]["content"] == [
        {"type": "document", "source": {"type": "file", "file_id": file_id}},
        {"type": "text", "text": "Hi"},
    ]


def test_models() -> None:
    lines = mocked("models").stdout.splitlines()
    assert lines[0].split("  ")[0] == "ID"
    assert any(line.startswith("claude-sonnet-4-5-20250929 ") for line in lines)
    assert len(mocked("models", "--json").objects) == len(lines) - 1
    (model,) = mocked("models", "claude-sonnet-4-5", "--json").objects
    assert model["display_name"] == "Claude Sonnet 4.5"
    assert mocked("models", "claude-sonnet-4-5", "nope").code == 1
