"""What an archive says of itself, and what of it is believed."""

from __future__ import annotations

import pickle
from stat import S_IFBLK, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_client import ArchiveLimits, UnsafePathError
from claude_client.errors import SkillError, SkillLimitError
from claude_client.skills import Member, check_members
from claude_client.skills.members import top_folder

LIMITS = ArchiveLimits(max_bytes=1000, max_files=5, max_ratio=10)


def test_what_is_let_through() -> None:
    members = [
        Member("a/", 0, 0, S_IFDIR | 0o755),
        Member("a/SKILL.md", 900, 90, S_IFREG | 0o644),
        Member("a/b/run.sh", 100, 10, S_IFREG | 0o4755, 0x800, 8),
        Member("a/c", 0, 0),
    ]
    assert check_members(members, LIMITS) == [
        ("a",),
        ("a", "SKILL.md"),
        ("a", "b", "run.sh"),
        ("a", "c"),
    ]


@pytest.mark.parametrize(
    "members",
    [
        [Member("../x", 1, 1)],
        [Member("a", 1, 1, S_IFLNK | 0o777)],
        [Member("a", 1, 1, S_IFBLK)],
        [Member("a", 1, 1, S_IFIFO)],
        [Member("a", 0, 0, S_IFDIR)],
        [Member("a/", 0, 0, S_IFREG)],
        [Member("a/", 5, 5)],
        [Member("a", 1, 1), Member("a", 1, 1)],
        [Member("a/B", 1, 1), Member("A/b", 1, 1)],
        [Member("é", 1, 1), Member("e\u0301", 1, 1)],
        [Member("a", 1, 1), Member("a/b", 1, 1)],
        [Member("a/b", 1, 1), Member("A", 1, 1)],
        [Member("a", 1, 1), Member("A/", 0, 0)],
    ],
)
def test_what_could_be_written_elsewhere(members: list[Member]) -> None:
    with pytest.raises(UnsafePathError):
        check_members(members, LIMITS)


@pytest.mark.parametrize(
    ("members", "unit"),
    [
        ([Member(str(n), 0, 0) for n in range(6)], "files"),
        ([Member("a", 1001, 1)], "bytes"),
        ([Member("a", 600, 1), Member("b", 401, 1)], "bytes"),
        ([Member("a", -1, 1)], "bytes"),
    ],
)
def test_more_than_is_allowed(members: list[Member], unit: str) -> None:
    with pytest.raises(SkillLimitError) as caught:
        check_members(members, LIMITS)
    assert caught.value.unit == unit
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.unit, copy.limit) == (unit, caught.value.limit)


def test_a_bomb_by_its_ratio() -> None:
    large = ArchiveLimits(max_ratio=10)
    member = Member("a", 2 * 1024 * 1024, 1000)
    with pytest.raises(SkillLimitError, match="times"):
        check_members([member], large, archive_bytes=200_000)
    assert check_members([member], large, archive_bytes=210_000)
    # What is small does no harm, however well it is packed.
    assert check_members([Member("a", 1_000_000, 1000)], large, archive_bytes=1000)


@pytest.mark.parametrize("member", [Member("a", 1, 1, 0, 0x1), Member("a", 1, 1, 0, 0, 14)])
def test_what_cannot_be_unpacked(member: Member) -> None:
    with pytest.raises(SkillError):
        check_members([member], LIMITS)


NAMES = st.text(st.sampled_from("aAéE\u0301/.\\"), max_size=6)


@given(st.lists(st.builds(Member, NAMES, st.integers(-1, 400), st.just(1)), max_size=7))
def test_no_two_members_share_a_place(members: list[Member]) -> None:
    try:
        paths = check_members(members, LIMITS)
    except (UnsafePathError, SkillError):
        return
    assert sum(member.size for member in members) <= LIMITS.max_bytes
    assert len(paths) == len(members) <= LIMITS.max_files
    files = [
        path for path, member in zip(paths, members, strict=True) if not member.path.endswith("/")
    ]
    assert len({"/".join(path).casefold() for path in files}) == len(files)
    for file in files:
        assert not any(other != file and other[: len(file)] == file for other in paths)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([("SKILL.md",), ("a", "b")], None),
        ([("x", "SKILL.md"), ("x", "a", "b")], "x"),
        ([("SKILL.md",), ("x", "SKILL.md")], None),
    ],
)
def test_top_folder(paths: list[tuple[str, ...]], expected: str | None) -> None:
    assert top_folder(paths, "it") == expected


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ([], "no SKILL.md"),
        ([("a",)], "no SKILL.md"),
        ([("x", "y", "SKILL.md")], "no SKILL.md"),
        ([("x", "SKILL.md"), ("README",)], "beside the folder"),
        ([("skill.md",)], "name of skill.md must be"),
        ([("x", "Skill.md")], "name of x/Skill.md must be"),
    ],
)
def test_no_skill(paths: list[tuple[str, ...]], message: str) -> None:
    with pytest.raises(SkillError, match=message):
        top_folder(paths, "it")
