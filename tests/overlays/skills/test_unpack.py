"""Archives that come back: unpacked whole, or not at all."""

from __future__ import annotations

import asyncio
import io
import os
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from both_clients import kit as kit
from claude_client import ArchiveLimits, UnsafePathError, async_unpack_skill, unpack_skill
from claude_client.errors import APIConnectionError, SkillError, SkillLimitError
from claude_client.skills import unpack
from loopback import Close, Send, response

from .archives import LINK, MANUAL, packed, skill

if TYPE_CHECKING:
    from both_clients import BothClients


def tree(root: Path) -> dict[str, bytes | None]:
    """Return what is in a folder: contents of files by path, None for a folder."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(root.rglob("*"))
    }


@pytest.mark.parametrize("how", ["path", "text", "bytes", "file", "async"])
def test_unpack(how: str, tmp_path: Path) -> None:
    data = skill(
        ("my-skill/", b""),
        ("my-skill/empty/", b""),
        ("my-skill/scripts/run.sh", b"#!/bin/sh"),
        modes={
            "my-skill/": 0o040755,
            "my-skill/empty/": 0o040755,
            "my-skill/scripts/run.sh": 0o104755,
        },
    )
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    given_archive: Any = {"path": path, "text": str(path), "bytes": data, "file": io.BytesIO(data)}
    target = tmp_path / "out"
    if how == "async":
        found = asyncio.run(async_unpack_skill(data, target))
    else:
        found = unpack_skill(given_archive[how], str(target))
    assert found == target
    assert tree(target) == {
        "SKILL.md": MANUAL,
        "empty": None,
        "scripts": None,
        "scripts/run.sh": b"#!/bin/sh",
    }
    if os.name == "posix":
        assert (target / "scripts/run.sh").stat().st_mode & 0o7100 == 0o100
        assert (target / "SKILL.md").stat().st_mode & 0o111 == 0
        assert target.stat().st_mode == (target / "scripts").stat().st_mode


def test_without_a_top_folder(tmp_path: Path) -> None:
    unpack_skill(packed([("SKILL.md", MANUAL), ("a/b", b"b")]), tmp_path / "out")
    assert tree(tmp_path / "out") == {"SKILL.md": MANUAL, "a": None, "a/b": b"b"}


def cut_name() -> bytes:
    return skill(("my-skill/aXb", b"")).replace(b"my-skill/aXb", b"my-skill/a\0b")


def encrypted() -> bytes:
    data = bytearray(skill())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


def lying(size: int) -> bytes:
    """Return an archive whose member says that it is smaller than it is."""
    data = bytearray(skill(("my-skill/big", bytes(100_000))))
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(data)


def overlapping() -> bytes:
    """Return an archive whose members all point to the content of one."""
    files = [("my-skill/SKILL.md", MANUAL), ("my-skill/a", bytes(900_000))]
    data = bytearray(packed(files))
    directory = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    second = data.index(b"PK\x01\x02", directory + 1)
    entry = bytes(data[second:end])
    more = b"".join(
        entry.replace(b"my-skill/a", b"my-skill/%c" % letter) for letter in range(98, 123)
    )
    tail = bytearray(data[end:])
    count = 2 + 25
    tail[8:12] = struct.pack("<HH", count, count)
    tail[12:16] = struct.pack("<I", end - directory + len(more))
    return bytes(data[:end]) + more + bytes(tail)


def zip64() -> bytes:
    data = skill()
    end = data.index(b"PK\x05\x06")
    record = b"PK\x06\x06" + struct.pack("<Q", 44) + bytes(44)
    return data[:end] + record + b"PK\x06\x07" + bytes(16) + data[end:]


def long_directory() -> bytes:
    data = bytearray(skill())
    end = data.index(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 1 << 30)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (skill(("../x", b"")), UnsafePathError),
        (skill(("my-skill/../../x", b"")), UnsafePathError),
        (skill(("/x", b"")), UnsafePathError),
        (skill(("my-skill/..\\x", b"")), UnsafePathError),
        (skill(("C:\\x", b"")), UnsafePathError),
        (skill(("my-skill/link", b"/etc"), modes={"my-skill/link": LINK}), UnsafePathError),
        (
            skill(
                ("my-skill/link", b"/tmp"),
                ("my-skill/link/x", b""),
                modes={"my-skill/link": LINK},
            ),
            UnsafePathError,
        ),
        (skill(("my-skill/tty", b""), modes={"my-skill/tty": 0o020666}), UnsafePathError),
        (skill(("my-skill/skill.MD", b"")), UnsafePathError),
        (skill(("my-skill/a", b""), ("my-skill/a/b", b"")), UnsafePathError),
        (cut_name(), UnsafePathError),
        (encrypted(), SkillError),
        (lying(10), SkillError),
        (lying(31 * 1024 * 1024), SkillLimitError),
        (zip64(), SkillError),
        (long_directory(), SkillLimitError),
        (overlapping(), (SkillError, UnsafePathError)),
        (skill(("my-skill/bomb", bytes(31 * 1024 * 1024))), SkillLimitError),
        (skill(("my-skill/bomb", bytes(29 * 1024 * 1024))), SkillLimitError),
        (packed([("my-skill/a", b"")]), SkillError),
        (packed([]), SkillError),
        (skill()[:-30], SkillError),
        (b"", SkillError),
        (b"<html>", SkillError),
    ],
)
def test_what_is_not_unpacked(data: bytes, error: Any, tmp_path: Path) -> None:
    target = tmp_path / "in" / "out"
    target.parent.mkdir()
    with pytest.raises(error):
        unpack_skill(data, target)
    with pytest.raises(error):
        asyncio.run(async_unpack_skill(data, target))
    assert tree(tmp_path) == {"in": None}


def test_content_that_does_not_match_its_checksum(tmp_path: Path) -> None:
    data = packed([("SKILL.md", MANUAL)], method=zipfile.ZIP_STORED)
    assert zlib.crc32(MANUAL)
    with pytest.raises(SkillError, match="CRC"):
        unpack_skill(data.replace(b"Do things", b"Do thingz"), tmp_path / "out")
    assert tree(tmp_path) == {}


def test_limits_of_the_caller(tmp_path: Path) -> None:
    data = skill(("my-skill/a", b"a" * 1000))
    for limits in (ArchiveLimits(max_files=1), ArchiveLimits(max_bytes=1000)):
        with pytest.raises(SkillLimitError):
            unpack_skill(data, tmp_path / "out", limits=limits)
    bomb = skill(("my-skill/bomb", bytes(29 * 1024 * 1024)))
    unpack_skill(bomb, tmp_path / "out", limits=ArchiveLimits(max_ratio=2000))
    assert (tmp_path / "out/bomb").stat().st_size == 29 * 1024 * 1024


def test_what_is_there_stays(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    unpack_skill(skill(), target)
    before = tree(tmp_path)
    with pytest.raises(FileExistsError):
        unpack_skill(skill(("my-skill/new", b"")), target)
    with pytest.raises(FileExistsError):
        asyncio.run(async_unpack_skill(skill(("my-skill/new", b"")), target))
    assert tree(tmp_path) == before
    with pytest.raises(UnsafePathError):
        unpack_skill(skill(("../new", b"")), target, replace=True)
    assert tree(tmp_path) == before
    unpack_skill(packed([("SKILL.md", b"new")]), target, replace=True)
    assert tree(tmp_path) == {"out": None, "out/SKILL.md": b"new"}
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(FileExistsError):
        unpack_skill(skill(), tmp_path / "link")
    unpack_skill(skill(), tmp_path / "link", replace=True)
    assert not (tmp_path / "link").is_symlink()
    assert tree(target) == {"SKILL.md": b"new"}


def test_what_goes_wrong_while_writing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "out"
    unpack_skill(skill(), target)
    before = tree(tmp_path)
    monkeypatch.setattr(unpack, "_write", full)
    with pytest.raises(OSError, match="No space"):
        unpack_skill(skill(), target, replace=True)
    assert tree(tmp_path) == before
    with pytest.raises(FileNotFoundError):
        unpack_skill(skill(), tmp_path / "missing" / "out")


@given(st.data())
@settings(suppress_health_check=list(HealthCheck), deadline=None)
def test_a_damaged_archive_is_an_error_of_ours(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(skill(("my-skill/a/b", b"b" * 50)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    target = tmp_path / "out"
    try:
        unpack_skill(bytes(content), target, replace=True)
    except (SkillError, UnsafePathError):
        pass
    else:
        assert (target / "SKILL.md").is_file()
    assert {path.name for path in tmp_path.iterdir()} <= {"out"}


NAMES = st.lists(
    st.sampled_from(["..", ".", "", "a", "A", "skill.md", "\\", "C:", "b\0", "é", "nul"]),
    min_size=1,
    max_size=4,
).map("/".join)


@given(st.lists(NAMES, max_size=4, unique=True))
@settings(suppress_health_check=list(HealthCheck), deadline=None)
def test_nothing_is_written_elsewhere(tmp_path: Path, names: list[str]) -> None:
    root = tmp_path / "deep" / "deeper"
    root.mkdir(parents=True, exist_ok=True)
    files = [("my-skill/SKILL.md", MANUAL), *((f"my-skill/{name}", b"x") for name in names)]
    with suppress(SkillError, UnsafePathError):
        unpack_skill(packed(files), root / "out", replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in root.parent.iterdir()] == ["deeper"]
    assert {path.name for path in root.iterdir()} <= {"out"}


# -- answers -----------------------------------------------------------------------------------


def unpacked(kit: BothClients, answer: Any, target: Path) -> Any:
    if kit.asynchronous:
        return kit.run(async_unpack_skill(answer, target))
    return unpack_skill(answer, target)


def test_the_answer_of_a_download(kit: BothClients, tmp_path: Path) -> None:
    client = kit.open([Send(response(body=skill()))])
    answer = kit.run(client.skills.versions.download("skill_1", "latest"))
    assert unpacked(kit, answer, tmp_path / "out") == tmp_path / "out"
    assert tree(tmp_path / "out") == {"SKILL.md": MANUAL}


def test_a_download_that_is_too_large_or_breaks_off(kit: BothClients, tmp_path: Path) -> None:
    client = kit.open([Send(response(body=bytes(40 * 1024 * 1024)))])
    answer = kit.run(client.skills.versions.download("skill_1", "latest"))
    with pytest.raises(SkillLimitError):
        unpacked(kit, answer, tmp_path / "out")
    client = kit.open([Send(response(body=skill(), length=100_000)), Close()])
    answer = kit.run(client.skills.versions.download("skill_1", "latest"))
    with pytest.raises(APIConnectionError):
        unpacked(kit, answer, tmp_path / "out")
    assert tree(tmp_path) == {}
