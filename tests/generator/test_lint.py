from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from claude_codegen.lint import RULES, lint, sides
from claude_codegen.load import load_spec
from claude_codegen.problems import Problem

from .lint_cases import CASES, NOTES, PATHS, SCHEMAS, Case, Edit

SAMPLE = Path(__file__).parent / "specs" / "notes"


def edited(folder: Path, edits: tuple[Edit, ...]) -> Path:
    shutil.copytree(SAMPLE, folder, dirs_exist_ok=True)
    for name, old, new in edits:
        path = folder / name
        text = path.read_text("utf-8") if path.exists() else ""
        assert old in text, f"{old!r} is not in {name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new, 1) if old else text + new, "utf-8")
    return folder / "openapi.yaml"


def problems_of(folder: Path, *edits: Edit) -> list[Problem]:
    return lint(load_spec(edited(folder, edits)))


def line_of(folder: Path, name: str, text: str) -> int:
    content = (folder / name).read_text("utf-8")
    return content[: content.index(text) + len(text)].count("\n") + 1


def test_the_sample_spec_breaks_no_rule(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == []


def test_every_rule_has_a_case() -> None:
    assert [case.rule for case in CASES] == list(RULES)


def test_every_rule_explains_itself() -> None:
    for rule in RULES.values():
        for text in (rule.summary, rule.why):
            assert not text[0].islower() or text.startswith(("x-", "allOf", "exclusive", "attrs"))
            assert text.endswith(".")
        assert rule.fix


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_broken_rule_is_reported_with_its_place(case: Case, tmp_path: Path) -> None:
    found = problems_of(tmp_path, *case.broken)
    name, text = case.where
    place = (name, line_of(tmp_path, name, text))
    assert (case.rule, case.pointer, place) in {
        (problem.rule, problem.pointer, (problem.file, problem.line)) for problem in found
    }, found
    assert {problem.rule for problem in found} <= {case.rule, *case.also}
    assert all(problem.fix and problem.message for problem in found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_near_miss_is_not_reported(case: Case, tmp_path: Path) -> None:
    assert problems_of(tmp_path, *case.fine) == []
