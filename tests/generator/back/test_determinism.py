"""Same inputs, same bytes: whatever the machine, its settings and the order of keys."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from claude_codegen.load import load_spec
from claude_codegen.regenerate import render

from .building import PROJECT, generated_from_the_real_spec
from .projects import copy_sample, tree

SURROUNDINGS: dict[str, dict[str, str]] = {
    "C": {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "UTC", "PYTHONUTF8": "0"},
    "far away": {"PYTHONHASHSEED": "4242", "LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Chatham"},
    "no site": {"PYTHONHASHSEED": "7", "LC_ALL": "POSIX", "TZ": "Asia/Kolkata", "COLUMNS": "20"},
}


def generate(entry: Path, output: Path, cwd: Path, **surroundings: str) -> dict[str, str]:
    """Generate in a process of its own; return the hash of every file, lock included."""
    finished = subprocess.run(
        [sys.executable, "-m", "claude_codegen", "generate", str(entry), "-o", str(output)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": search_path(), **surroundings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return tree(output.parent)


def search_path() -> str:
    return os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)


@pytest.fixture(scope="session")
def sample_tree(sample_project: Path) -> dict[str, str]:
    return tree(sample_project / "generated")


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_surroundings_do_not_matter(name: str, tmp_path: Path, sample_tree: dict[str, str]) -> None:
    entry = copy_sample(tmp_path / "elsewhere" / name)
    cwd = Path(tmp_path.anchor) if name == "C" else tmp_path
    output = tmp_path / "out" / "claude_rest"
    assert generate(entry, output, cwd, **SURROUNDINGS[name]) == sample_tree


def test_surroundings_do_not_matter_for_the_real_spec(tmp_path: Path) -> None:
    entry = PROJECT / "spec" / "openapi.yaml"
    output = tmp_path / "out" / "claude_rest"
    found = generate(entry, output, tmp_path, PYTHONHASHSEED="99", LC_ALL="C", TZ="Asia/Tokyo")
    files, lock = generated_from_the_real_spec()
    for path, content in files.items():
        assert (output / path).read_bytes() == content, path
    assert (tmp_path / "out/claude_rest.lock.json").read_text("utf-8") == lock.to_json()
    assert len(found) == len(files) + 1


@pytest.mark.parametrize("python", ["python3.11", "python3.12", "python3.13"])
def test_the_version_of_python_does_not_matter(
    python: str, tmp_path: Path, sample_tree: dict[str, str]
) -> None:
    program = shutil.which(python)
    if program is None or Path(program).resolve() == Path(sys.executable).resolve():
        pytest.skip(f"there is no other {python}")
    imports = "import attrs, datamodel_code_generator, jinja2, openapi_python_client, ruff, yaml"
    if subprocess.run([program, "-c", imports], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} lacks the tools")
    entry = copy_sample(tmp_path / "elsewhere")
    found = subprocess.run(
        [program, "-m", "claude_codegen", "generate", str(entry), "-o", "out/claude_rest"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "generator")},
        check=False,
    )
    assert found.returncode == 0
    assert tree(tmp_path / "out") == sample_tree


def shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: shuffled(value[key], order) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, order) for item in value]
    return value


@pytest.mark.parametrize("spec", ["sample", "real"])
def test_the_order_of_keys_does_not_matter(spec: str, tmp_path: Path, sample_project: Path) -> None:
    source = sample_project / "spec" if spec == "sample" else PROJECT / "spec"
    shutil.copytree(source, tmp_path / "spec")
    order = random.Random(spec)
    for path in (tmp_path / "spec").rglob("*.yaml"):
        content = shuffled(yaml.safe_load(path.read_text("utf-8")), order)
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
    if spec == "sample":
        expected: Mapping[str, bytes] = render(load_spec(source / "openapi.yaml"))[0]
    else:
        expected = generated_from_the_real_spec()[0]
    files, _ = render(load_spec(tmp_path / "spec" / "openapi.yaml"))
    assert list(files) == list(expected)
    for path, content in files.items():
        assert content == expected[path], path


def test_line_ends_do_not_matter(tmp_path: Path, sample_project: Path) -> None:
    shutil.copytree(sample_project / "spec", tmp_path / "spec")
    for path in (tmp_path / "spec").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    expected = render(load_spec(sample_project / "spec" / "openapi.yaml"))
    assert render(load_spec(tmp_path / "spec" / "openapi.yaml")) == expected


def test_a_second_run_in_the_same_process_gives_the_same() -> None:
    bundle = load_spec(PROJECT / "tests/generator/back/specs/recursion/openapi.yaml")
    assert render(bundle) == render(bundle)
