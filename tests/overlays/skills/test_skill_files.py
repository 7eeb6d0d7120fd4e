"""Folders and archives as skills: what is uploaded of them, and what is refused."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from both_clients import kit as kit
from claude_client import RequestTooLargeError, UnsafePathError, skill_files
from claude_client.errors import SkillError, SkillLimitError, UploadError
from claude_client.skills import folders, skill_parts
from claude_client.testing import serve
from claude_client.testing.exchange import MockRequest
from claude_client.testing.forms import read_form
from claude_rest._runtime.multipart import MultipartBody, file_parts
from loopback import Send, response
from twins import Twin, settle

from .archives import LINK, MANUAL, packed, skill

if TYPE_CHECKING:
    from both_clients import BothClients

SKILL = [Send(response(json={"id": "skill_1", "type": "skill"}))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "my-skill"
    for name in (
        "SKILL.md",
        "scripts/run.py",
        "scripts/__pycache__/run.pyc",
        ".git/HEAD",
        ".DS_Store",
        "scripts/._run.py",
        ".env",
        "Größe.txt",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MANUAL if name == "SKILL.md" else name.encode())
    return root


def named(parts: list[Any]) -> dict[str, bytes]:
    """Return what is sent, by the name it is sent under."""
    found = {}
    for part in file_parts("files[]", parts):
        assert part.filename is not None
        found[part.filename] = b"".join(part.chunks())
        assert len(found[part.filename]) == part.size
    return found


def test_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {
        "my-skill/.env": b".env",
        "my-skill/Größe.txt": "Größe.txt".encode(),
        "my-skill/SKILL.md": MANUAL,
        "my-skill/scripts/run.py": b"scripts/run.py",
    }
    assert named(skill_files(folder)) == expected
    assert list(named(skill_files(str(folder) + "/"))) == list(expected)
    monkeypatch.chdir(folder)
    assert named(skill_files(".")) == expected
    assert named(skill_files(folder, leave_out=[".*", "__pycache__", "*.py"])) == {
        name: data for name, data in expected.items() if not name.endswith((".env", ".py"))
    }


def test_nothing_is_read_before_it_is_sent(folder: Path) -> None:
    parts = skill_files(folder)
    (folder / "scripts/run.py").write_bytes(b"SCRIPTS/RUN.PY")
    assert named(parts)["my-skill/scripts/run.py"] == b"SCRIPTS/RUN.PY"
    (folder / "scripts/run.py").unlink()
    with pytest.raises(UploadError, match=r"run\.py"):
        named(parts)


def test_no_skill(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(SkillError, match=r"no SKILL\.md at its root"):
        skill_files(folder.parent)
    with pytest.raises(SkillError, match=r"no SKILL\.md"):
        skill_files(folder / "scripts")
    with pytest.raises(FileNotFoundError):
        skill_files(tmp_path / "missing")
    with pytest.raises(SkillError, match="neither a folder nor a ZIP archive"):
        skill_files(folder / "SKILL.md")
    with pytest.raises(SkillError, match=r"cannot be unpacked|no ZIP"):
        (tmp_path / "cut.zip").write_bytes(skill()[:100])
        skill_files(tmp_path / "cut.zip")


def test_links(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_bytes(b"key")
    inside = folder / "manual.md"
    inside.symlink_to("SKILL.md")
    (folder / "again").symlink_to("scripts")
    found = named(skill_files(folder))
    assert found["my-skill/manual.md"] == MANUAL
    assert found["my-skill/again/run.py"] == b"scripts/run.py"
    (folder / "scripts/around").symlink_to("..")
    with pytest.raises(UnsafePathError, match=r"around.*folder that it is in"):
        skill_files(folder)
    (folder / "scripts/around").unlink()
    for target in ("../../secret/key", str(secret), "../..", "../../my-skill-2"):
        link = folder / "scripts/link"
        (tmp_path / "my-skill-2").mkdir(exist_ok=True)
        link.symlink_to(target)
        with pytest.raises(UnsafePathError, match="leads out"):
            skill_files(folder)
        link.unlink()
    (folder / "key").symlink_to(secret / "key")
    assert named(skill_files(folder, check_paths=False))["my-skill/key"] == b"key"
    # The folder itself may be one.
    (folder / "key").unlink()
    (tmp_path / "other").symlink_to(folder)
    assert "other/SKILL.md" in named(skill_files(tmp_path / "other"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(SkillError, match="pipe is neither"):
        skill_files(folder)


def test_names_that_cannot_be_files_everywhere(folder: Path) -> None:
    (folder / "a\\b").write_bytes(b"")
    with pytest.raises(UnsafePathError):
        skill_files(folder)
    assert "my-skill/a\\b" in named(skill_files(folder, check_paths=False))


def test_too_much(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "large").open("wb") as file:
        file.truncate(30 * 1024 * 1024)
    with pytest.raises(RequestTooLargeError) as caught:
        skill_files(folder)
    assert caught.value.limit == 30 * 1024 * 1024 < caught.value.size
    assert len(skill_files(folder, max_bytes=None)) == 5
    # An archive counts by what is in it.
    archive = tmp_path / "a.zip"
    archive.write_bytes(skill(("my-skill/large", bytes(30 * 1024 * 1024))))
    assert archive.stat().st_size < 100_000
    with pytest.raises(RequestTooLargeError):
        skill_files(archive)
    assert len(skill_files(archive, max_bytes=None)) == 1
    monkeypatch.setattr(folders, "MAX_FILES", 3)
    with pytest.raises(SkillLimitError):
        skill_files(folder)


# -- archives ----------------------------------------------------------------------------------


def test_an_archive_goes_out_as_it_is(tmp_path: Path) -> None:
    data = skill(("my-skill/a/b", b"b"), ("my-skill/c/", b""))
    path = tmp_path / "Skill 1.zip"
    path.write_bytes(data)
    assert named(skill_files(path)) == {"Skill 1.zip": data}
    with path.open("rb") as opened:
        assert named(skill_parts(opened)) == {"Skill 1.zip": data}
        opened.seek(0)
        assert named(skill_parts([("n.zip", opened)])) == {"n.zip": data}
    for given in (data, bytearray(data), io.BytesIO(data), [data], [(None, data)]):
        assert list(named(skill_parts(given)).values()) == [data]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([("SKILL.md", MANUAL), ("a/b", b"b")], {"pack/SKILL.md": MANUAL, "pack/a/b": b"b"}),
        (
            [("s/SKILL.md", MANUAL), ("__MACOSX/s/._SKILL.md", b"x"), ("s/.DS_Store", b"x")],
            {"s/SKILL.md": MANUAL},
        ),
    ],
)
def test_an_archive_that_is_no_skill_as_it_is_goes_out_file_by_file(
    files: list[tuple[str, bytes]], expected: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(packed(files))
    parts = skill_files(path)
    assert named(parts) == expected
    # Once more, for a retry.
    assert named(parts) == expected
    path.write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(UploadError, match="cannot read"):
        named(parts)


@pytest.mark.parametrize(
    "data",
    [
        skill(("../x", b"")),
        skill(("my-skill/../../x", b"")),
        skill(("/etc/x", b"")),
        skill(("my-skill/a", b"/etc/passwd"), modes={"my-skill/a": LINK}),
    ],
)
def test_an_unsafe_archive(data: bytes) -> None:
    with pytest.raises(UnsafePathError):
        skill_parts(data)


def test_an_archive_that_is_none() -> None:
    with pytest.raises(SkillError):
        skill_parts(b"no archive")
    with pytest.raises(SkillError):
        skill_parts(b"PK\x03\x04 and nothing more")
    with pytest.raises(SkillError, match=r"no SKILL\.md"):
        skill_parts(packed([("a/b", b"")]))


# -- lists of files ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\x", "C:x", "a\nb"])
def test_unsafe_names_are_refused_unsent(kit: BothClients, name: str) -> None:
    client = kit.open(SKILL)
    files: Any = [("a/SKILL.md", MANUAL), (name, b"x")]
    for create in (
        client.skills.create,
        client.skills.with_raw_response.create,
        client.beta.skills.create,
        lambda **given: client.skills.versions.create("skill_1", **given),
    ):
        with pytest.raises(UnsafePathError) as caught:
            kit.run(create(files=files))
        assert caught.value.path == name
    assert kit.server.requests == []
    kit.run(client.skills.create(files=files, check_paths=False))
    assert len(kit.server.requests) == 1


def test_a_list_is_sent_as_it_is(kit: BothClients, tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    path.write_bytes(b"b")
    client = kit.open(SKILL)
    kit.run(client.skills.create(files=iter([("a/SKILL.md", MANUAL), ("a/b.txt", path)])))
    kit.run(client.skills.create(files=("a/SKILL.md", MANUAL)))
    bodies = []
    for sent in kit.server.requests:
        headers = (("content-type", sent.header("content-type") or ""),)
        form = read_form(MockRequest("POST", "/", "", headers, sent.body))
        bodies.append([(part.name, part.filename, part.content) for part in form])
    assert bodies == [
        [("files[]", "a/SKILL.md", MANUAL), ("files[]", "a/b.txt", b"b")],
        [("files[]", "a/SKILL.md", MANUAL)],
    ]


def test_sizes_are_checked_for_the_operation(kit: BothClients, folder: Path) -> None:
    with (folder / "large").open("wb") as file:
        file.truncate(30 * 1024 * 1024)
    client = kit.open(SKILL)
    with pytest.raises(RequestTooLargeError, match="not sent") as caught:
        kit.run(client.skills.create(files=folder))
    assert caught.value.operation == "skills.create"
    assert kit.server.requests == []
    kit.run(client.skills.create(files=folder, check_sizes=False))


# -- the whole way -----------------------------------------------------------------------------


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_against_the_mock_api(asynchronous: bool, folder: Path, tmp_path: Path) -> None:
    from claude_client import async_unpack_skill, unpack_skill

    twin = Twin(asynchronous)
    archive = tmp_path / "pack.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(folder / "SKILL.md", "SKILL.md")
        opened.writestr("__MACOSX/x", b"")

    async def body() -> None:
        with serve() as server:
            client = twin.client(server.url)
            told: list[Any] = []
            created = await settle(client.skills.create(files=folder, progress=told.append))
            assert told[-1].transferred == told[-1].total > len(MANUAL)
            await settle(client.skills.versions.create(created.id, files=archive))
            download = client.skills.versions.download
            for version, name in ((created.latest_version_id, "one"), ("latest", "two")):
                answer = await settle(download(created.id, version))
                if asynchronous:
                    await async_unpack_skill(answer, tmp_path / name)
                else:
                    unpack_skill(answer, tmp_path / name)
            await settle(client.close())

    twin.run(body)
    one = {
        path.relative_to(tmp_path / "one").as_posix()
        for path in (tmp_path / "one").rglob("*")
        if path.is_file()
    }
    assert one == {".env", "Größe.txt", "SKILL.md", "scripts/run.py"}
    assert [path.name for path in (tmp_path / "two").iterdir()] == ["SKILL.md"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "my-skill",
        "one",
        "pack.zip",
        "two",
    ]


def test_a_form_of_a_folder_has_a_size(folder: Path) -> None:
    body = MultipartBody(file_parts("files[]", skill_files(folder)))
    assert len(body.read()) == len(body)
