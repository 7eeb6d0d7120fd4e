"""What each feature of a spec becomes, as files that a template change is reviewed by.

``UPDATE_GOLDEN=1 pytest tests/generator/back/test_golden.py`` rewrites them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from claude_codegen.lint import lint

from .building import BACK, SPECS, feature, generated

GOLDEN = BACK / "golden"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))

FEATURES = {
    "betas_and_versions": (
        "operations/beta_rules.py",
        "operations/things.py",
        "params/things.py",
        "resources/things.py",
        "service.py",
    ),
    "bodies_and_answers": ("operations/things.py", "params/files.py", "resources/files.py"),
    "enums": ("models/things.py", "params/things.py", "resources/things.py"),
    "error_codes": ("errors.py", "operations/things.py"),
    "keyword_names": (
        "models/things.py",
        "operations/things.py",
        "params/things.py",
        "resources/things.py",
    ),
    "maps": ("models/things.py", "params/things.py"),
    "mixed_union": ("models/things.py", "params/things.py"),
    "modules": (
        "__init__.py",
        "models/__init__.py",
        "models/shapes/__init__.py",
        "models/shapes/round/__init__.py",
        "models/shapes/round/round.py",
        "models/things.py",
        "params/__init__.py",
        "params/shapes/round/round.py",
    ),
    "nested_resources": (
        "client.py",
        "operations/__init__.py",
        "raw_responses/__init__.py",
        "raw_responses/shops.py",
        "raw_responses/things.py",
        "raw_responses/things_parts.py",
        "resources/shops.py",
        "resources/things.py",
        "resources/things_parts.py",
    ),
    "nullable": ("models/things.py", "params/things.py"),
    "paging": (
        "operations/things.py",
        "params/__init__.py",
        "raw_responses/things.py",
        "resources/things.py",
    ),
    "parameters": ("operations/things.py", "resources/things.py"),
    "prose": ("models/things.py", "params/things.py", "resources/things.py"),
    "recursion": ("models/things.py", "params/things.py"),
    "streaming": (
        "models/things.py",
        "operations/things.py",
        "raw_responses/things.py",
        "resources/events.py",
        "resources/lines.py",
        "resources/things.py",
    ),
    "tagged_union": ("models/things.py", "params/things.py"),
    "timestamps": ("models/things.py", "params/things.py"),
}
CASES = [(name, path) for name, paths in FEATURES.items() for path in paths]


def golden(name: str, path: str) -> Path:
    # Not ".py": linters and formatters are to leave them alone.
    return GOLDEN / name / f"{path}.txt"


@pytest.mark.parametrize(("name", "path"), CASES, ids=[f"{n}-{p}" for n, p in CASES])
def test_the_generated_file_is_the_golden_one(name: str, path: str) -> None:
    content = generated(name)[path]
    expected = golden(name, path)
    if UPDATE:
        expected.parent.mkdir(parents=True, exist_ok=True)
        expected.write_bytes(content)
    assert content.decode() == expected.read_bytes().decode()


def test_every_golden_file_belongs_to_a_feature() -> None:
    present = {path for path in GOLDEN.rglob("*") if path.is_file()}
    assert present == {golden(name, path) for name, path in CASES}
    assert {path.parent.name for path in SPECS.glob("*/openapi.yaml")} == set(FEATURES)


@pytest.mark.parametrize("name", FEATURES)
def test_the_specs_break_no_rule_but_the_one_that_asks_for_examples(name: str) -> None:
    assert {problem.rule for problem in lint(feature(name))} <= {"example-missing"}
