"""The memory tool: its commands, its texts, and that nothing outside its folder is touched."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from both_clients import ARGUMENTS
from claude_client import (
    AsyncLocalFilesystemMemoryTool,
    AsyncMemoryTool,
    BetaAbstractMemoryTool,
    InvalidToolArgumentsError,
    LocalFilesystemMemoryTool,
    MemoryCreateCommand,
    MemoryTool,
    ToolError,
)
from claude_client.testing import MockAPI, serve
from claude_client.tools.confined_files import SUPPORTED, ConfinementError, confined_parts
from twins import Twin, settle

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="this system cannot confine files")


class Memory:
    """Either tool, called in the same way."""

    def __init__(self, tool: Any) -> None:
        self.tool = tool
        self.root: Path = tool.memory_root

    def __call__(self, command: str, **given: Any) -> str:
        result: Any = self.tool.call({"command": command, **given})
        if isinstance(self.tool, AsyncMemoryTool):
            result = asyncio.run(settle(result))
        assert isinstance(result, str)
        return result

    def refusal(self, command: str, **given: Any) -> str:
        with pytest.raises(ToolError) as caught:
            self(command, **given)
        return str(caught.value.content)


@pytest.fixture(params=[LocalFilesystemMemoryTool, AsyncLocalFilesystemMemoryTool])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Memory:
    return Memory(request.param(tmp_path / "base"))


def test_the_commands_and_their_texts(memory: Memory) -> None:
    path = "/memories/notes/a.txt"
    assert memory("create", path=path, file_text="one\ntwo\nthree\n") == (
        f"File created successfully at: {path}"
    )
    assert memory.refusal("create", path=path, file_text="x") == f"File {path} already exists"
    assert memory("view", path=path) == (
        f"Here's the content of {path} with line numbers:\n"
        "     1\tone\n     2\ttwo\n     3\tthree\n     4\t"
    )
    assert memory("view", path=path, view_range=[2, 2]).endswith("\n     2\ttwo")
    assert memory("view", path=path, view_range=[3, -1]).endswith("     3\tthree\n     4\t")
    assert memory("str_replace", path=path, old_str="two", new_str="2") == (
        "The memory file has been edited. Here is the snippet showing the change (with line "
        "numbers):\n     1\tone\n     2\t2\n     3\tthree\n     4\t"
    )
    assert memory("insert", path=path, insert_line=0, insert_text="zero\n") == (
        f"The file {path} has been edited."
    )
    assert (memory.root / "notes" / "a.txt").read_text() == "zero\none\n2\nthree\n"
    listing = memory("view", path="/memories").splitlines()
    assert listing[0] == (
        "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items:"
    )
    assert [line.split("\t")[1] for line in listing[1:]] == [
        "/memories",
        "/memories/notes/",
        path,
    ]
    assert listing[-1].startswith("17B\t")
    assert memory("rename", old_path=path, new_path="/memories/b/c.txt") == (
        f"Successfully renamed {path} to /memories/b/c.txt"
    )
    assert memory("delete", path="/memories/b") == "Successfully deleted /memories/b"
    assert not (memory.root / "b").exists()


def test_errors_and_their_texts(memory: Memory) -> None:
    memory("create", path="/memories/a", file_text="x y x\nx")
    missing = "The path /memories/no does not exist. Please provide a valid path."
    assert memory.refusal("view", path="/memories/no") == missing
    assert memory.refusal("view", path="/memories/a/b") == (
        "The path /memories/a/b does not exist. Please provide a valid path."
    )
    assert memory.refusal("str_replace", path="/memories/no", old_str="a") == missing
    assert memory.refusal("str_replace", path="/memories/a", old_str="q", new_str="") == (
        "No replacement was performed, old_str `q` did not appear verbatim in /memories/a."
    )
    assert memory.refusal("str_replace", path="/memories/a", old_str="x", new_str="") == (
        "No replacement was performed. Multiple occurrences of old_str `x` in lines: 1, 1, 2. "
        "Please ensure it is unique"
    )
    assert memory.refusal("insert", path="/memories/a", insert_line=3, insert_text="") == (
        "Invalid `insert_line` parameter: 3. It should be within the range [0, 2]."
    )
    assert memory.refusal("delete", path="/memories/no") == "The path /memories/no does not exist"
    assert memory.refusal("delete", path="/memories") == (
        "Cannot delete the /memories directory itself"
    )
    assert memory.refusal("rename", old_path="/memories", new_path="/memories/b") == (
        "Cannot rename the /memories directory itself"
    )
    assert memory.refusal("rename", old_path="/memories/no", new_path="/memories/b") == (
        "The path /memories/no does not exist"
    )
    memory("create", path="/memories/b", file_text="")
    assert memory.refusal("rename", old_path="/memories/a", new_path="/memories/b") == (
        "The destination /memories/b already exists"
    )
    assert memory.refusal("insert", path="/memories", insert_line=0, insert_text="") == (
        "The path /memories is not a file."
    )
    assert memory.refusal("format", path="/memories") == "Unknown command: format"
    with pytest.raises(InvalidToolArgumentsError, match="'path' is missing"):
        memory("view")


OUTSIDE = [
    "/etc/passwd",
    "/memories/../secret",
    "/memories/a/../../secret",
    "/memories/%2e%2e/secret",
    "/memories/%252e%252e/secret",
    "/memories/..%2fsecret",
    "/memories/%2Fetc",
    "/memories/..\\secret",
    "/memories/a\x00b",
    "/memories/C:",
    "/memories//a/./b",
    "/memoriesx",
    "memories/a",
    "",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_paths_that_lead_out_are_refused(memory: Memory, path: str) -> None:
    (memory.root.parent / "secret").write_text("secret")
    for command, given_ in (
        ("view", {"path": path}),
        ("create", {"path": path, "file_text": "x"}),
        ("str_replace", {"path": path, "old_str": "secret", "new_str": "x"}),
        ("insert", {"path": path, "insert_line": 0, "insert_text": "x"}),
        ("delete", {"path": path}),
        ("rename", {"old_path": path, "new_path": "/memories/x"}),
        ("rename", {"old_path": "/memories/x", "new_path": path}),
    ):
        said = memory.refusal(command, **given_)
        assert "escape" in said or "must start with" in said
    assert (memory.root.parent / "secret").read_text() == "secret"
    assert list(memory.root.iterdir()) == []


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["..", "%2e", "%25", "/", "a", ".", "\\", "memories", ""]), max_size=6)
)
def test_whatever_is_let_through_stays_inside(pieces: list[str]) -> None:
    path = "/memories/" + "".join(pieces)
    try:
        names = confined_parts(path, "/memories")
    except ConfinementError:
        return
    inside = Path("/root/memories")
    assert Path(os.path.normpath(inside.joinpath(*names))).is_relative_to(inside)


def test_links_and_other_files_are_refused(memory: Memory, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("key")
    memory("create", path="/memories/real", file_text="real")
    (memory.root / "folder").symlink_to(secret)
    (memory.root / "file").symlink_to(secret / "key")
    (memory.root / "dangling").symlink_to(tmp_path / "new")
    os.mkfifo(memory.root / "pipe")
    for path in ("folder", "folder/key", "file", "dangling", "pipe"):
        path = f"/memories/{path}"
        for command, given_ in (
            ("view", {"path": path}),
            ("create", {"path": path, "file_text": "x"}),
            ("create", {"path": f"{path}/x", "file_text": "x"}),
            ("str_replace", {"path": path, "old_str": "key", "new_str": "x"}),
            ("rename", {"old_path": path, "new_path": "/memories/x"}),
            ("rename", {"old_path": "/memories/real", "new_path": path}),
        ):
            said = memory.refusal(command, **given_)
            assert str(tmp_path) not in said
    listing = memory("view", path="/memories")
    assert "real" in listing
    assert "folder" not in listing
    memory("delete", path="/memories/folder")
    memory.tool.clear_all_memory() if not isinstance(memory.tool, AsyncMemoryTool) else asyncio.run(
        memory.tool.clear_all_memory()
    )
    assert list(memory.root.iterdir()) == []
    assert (secret / "key").read_text() == "key"
    assert not (tmp_path / "new").exists()


def test_a_root_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "memories").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfinementError):
        LocalFilesystemMemoryTool(tmp_path)


def test_a_folder_that_turns_into_a_link_leads_nowhere(tmp_path: Path) -> None:
    """Another process swaps a folder for a link, over and over, while files are written."""
    tool = LocalFilesystemMemoryTool(tmp_path / "base")
    outside = tmp_path / "outside"
    outside.mkdir()
    folder, link = tool.memory_root / "f", tool.memory_root.parent / "link"
    done = threading.Event()

    def swap() -> None:
        aside = tool.memory_root.parent / "aside"
        try:
            while not done.is_set():
                folder.rename(aside)
                link.rename(folder)
                folder.rename(link)
                aside.rename(folder)
        except OSError:
            # The tool has made the folder anew in the moment in which there was none.
            pass

    thread = threading.Thread(target=swap)
    for number in range(300):
        if number % 30 == 0:
            # Each time from the beginning, however the last one ended.
            done.set()
            if number:
                thread.join()
            for path in (folder, link, tool.memory_root.parent / "aside"):
                if path.is_symlink():
                    path.unlink()
                elif path.exists():
                    shutil.rmtree(path)
            folder.mkdir()
            link.symlink_to(outside)
            done.clear()
            thread = threading.Thread(target=swap)
            thread.start()
        with suppress(ToolError):
            tool.call({"command": "create", "path": f"/memories/f/{number}", "file_text": "x"})
    done.set()
    thread.join()
    assert list(outside.iterdir()) == []


def test_sizes_are_limited(tmp_path: Path) -> None:
    memory = Memory(LocalFilesystemMemoryTool(tmp_path, max_file_bytes=10, max_total_bytes=25))
    assert "10 bytes" in memory.refusal("create", path="/memories/a", file_text="x" * 11)
    memory("create", path="/memories/a", file_text="x" * 10)
    assert "10 bytes" in memory.refusal(
        "insert", path="/memories/a", insert_line=0, insert_text="y"
    )
    memory("create", path="/memories/.b", file_text="x" * 10)
    assert "together" in memory.refusal("create", path="/memories/c", file_text="x" * 10)
    (memory.root / "big").write_text("x" * 20)
    assert "larger than 10" in memory.refusal("view", path="/memories/big")
    (memory.root / "big").write_bytes(b"\xff")
    assert "is no text" in memory.refusal("view", path="/memories/big")


def test_files_are_their_owners_and_nothing_is_left_behind(memory: Memory) -> None:
    memory("create", path="/memories/a/b", file_text="x")
    memory("str_replace", path="/memories/a/b", old_str="x", new_str="y")
    assert (memory.root / "a" / "b").stat().st_mode & 0o777 == 0o600
    assert (memory.root / "a").stat().st_mode & 0o077 == 0
    assert [path.name for path in (memory.root / "a").iterdir()] == ["b"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_in_a_conversation(asynchronous: bool, tmp_path: Path) -> None:
    twin, mock = Twin(asynchronous), MockAPI()
    kind = AsyncLocalFilesystemMemoryTool if asynchronous else LocalFilesystemMemoryTool

    async def body() -> None:
        with serve(mock) as server:
            client = twin.client(server.url)
            runner = client.messages.tool_runner(
                **{**ARGUMENTS, "messages": [{"role": "user", "content": "Look at your memory"}]},
                tools=[kind(tmp_path, cache_control={"type": "ephemeral"})],
            )
            message = await settle(runner.until_done())
            assert "Here're the files and directories" in message.content[0].text
            await settle(client.close())

    twin.run(body)
    (definition,) = mock.calls.of("messages.create")[0].body["tools"]
    assert definition == {
        "type": "memory_20250818",
        "name": "memory",
        "cache_control": {"type": "ephemeral"},
    }


def test_a_memory_of_ones_own() -> None:
    class Notes(BetaAbstractMemoryTool):
        def view(self, command: Any) -> str:
            return f"view {command.path} {command.view_range}"

        def create(self, command: Any) -> str:
            return f"create {command.file_text}"

        def str_replace(self, command: Any) -> str:
            return command.old_str + command.new_str

        def insert(self, command: Any) -> str:
            return command.insert_text * command.insert_line

        def delete(self, command: Any) -> str:
            raise ToolError("never")

        def rename(self, command: Any) -> str:
            return command.new_path

    assert BetaAbstractMemoryTool is MemoryTool
    notes = Notes()
    assert notes.call({"command": "view", "path": "/memories"}) == "view /memories None"
    assert notes.call({"command": "str_replace", "path": "/x", "old_str": "a"}) == "a"
    with pytest.raises(ToolError, match="never"):
        notes.call({"command": "delete", "path": "/x"})
    with pytest.raises(NotImplementedError):
        notes.clear_all_memory()
    with pytest.raises(TypeError):
        MemoryTool()  # type: ignore[abstract]


def test_no_name_escapes_the_limit(memory: Memory) -> None:
    """Neither names of temporary files nor folders within folders hide anything."""
    memory.tool = type(memory.tool)(memory.tool.base_path, max_total_bytes=100)
    memory("create", path="/memories/.tmp-1", file_text="x" * 90)
    full = memory.refusal("create", path="/memories/.tmp-2", file_text="x" * 90)
    assert "All files together" in full
    deepest = "/memories" + "/d" * 32
    assert "32 names" in memory.refusal("create", path=f"{deepest}/f", file_text="x")
    memory("create", path=deepest, file_text="x")
    assert "32 names" in memory.refusal("rename", old_path="/memories/d", new_path="/memories/e/d")
    memory("rename", old_path="/memories/d", new_path="/memories/e")
    memory("delete", path="/memories/e")
    # Less is allowed even where there is too much.
    memory.tool = type(memory.tool)(memory.tool.base_path, max_total_bytes=50)
    memory("str_replace", path="/memories/.tmp-1", old_str="x" * 90, new_str="y" * 60)
    assert "together" in memory.refusal(
        "str_replace", path="/memories/.tmp-1", old_str="y" * 60, new_str="y" * 61
    )


def test_replacing_counts_what_is_replaced(memory: Memory) -> None:
    memory.tool = type(memory.tool)(memory.tool.base_path, max_total_bytes=100)
    memory("create", path="/memories/a", file_text="x" * 60)
    memory("insert", path="/memories/a", insert_line=0, insert_text="y" * 30)


def test_a_text_that_is_everywhere_is_listed_in_part(memory: Memory) -> None:
    memory("create", path="/memories/a", file_text="a\n" * 400_000)
    refusal = memory.refusal("str_replace", path="/memories/a", old_str="a", new_str="b")
    assert "in lines: 1, 2, 3, " in refusal
    assert "99, 100 and more. Please" in refusal


def test_the_folder_is_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    memory = Memory(LocalFilesystemMemoryTool("base"))
    memory("create", path="/memories/a", file_text="x")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert memory("view", path="/memories/a").endswith("\tx")


def test_methods_can_be_overridden(tmp_path: Path) -> None:
    """The asynchronous tool went past them."""

    class ReadOnly(LocalFilesystemMemoryTool):
        def create(self, command: MemoryCreateCommand) -> str:
            raise ToolError("read only")

    class AsyncReadOnly(AsyncLocalFilesystemMemoryTool):
        async def create(self, command: MemoryCreateCommand) -> str:
            raise ToolError("read only")

    for kind in (ReadOnly, AsyncReadOnly):
        memory = Memory(kind(tmp_path))
        assert memory.refusal("create", path="/memories/a", file_text="x") == "read only"
