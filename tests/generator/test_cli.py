from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import claude_codegen
from claude_codegen.cli import COMMANDS, find_spec, main
from claude_codegen.lint import RULES
from claude_codegen.load import LOAD_RULES, load_spec

SAMPLE = Path(__file__).parent / "specs" / "notes"
SPEC = str(SAMPLE / "openapi.yaml")
HERE = {"PYTHONPATH": str(Path(claude_codegen.__file__).parents[1])}
"""Lets a process of its own find the package wherever this one found it."""
BROKEN = (
    "openapi: 3.1.0\ninfo: {title: T, version: '1', description: D.}\npaths: {}\nx-unheard-of: 1\n"
    "servers: [{url: https://api.example.com}]\nx-api-versions:\n  default: '2026-10-21'\n"
    "  versions: {'2026-10-21': {supported: true, summary: The only one.}}\n"
)

Output = pytest.CaptureFixture[str]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "spec" / "openapi.yaml"
    path.parent.mkdir()
    path.write_text(BROKEN, "utf-8")
    return path


def test_lint_of_a_clean_spec(capsys: Output) -> None:
    assert main(["lint", SPEC]) == 0
    assert capsys.readouterr().out == f"{SPEC}: no problems\n"


def test_findings_name_place_rule_pointer_and_fix(
    broken: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(broken.parent.parent)
    assert main(["lint"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        "spec/openapi.yaml:4:1: error extension-unknown:"
        " x-unheard-of is not an extension of this project"
    )
    assert lines[1] == "    at  /x-unheard-of"
    assert lines[2].startswith("    fix use one of x-api-version")
    assert lines[3] == "spec/openapi.yaml: 1 problem"


def test_findings_as_json(broken: Path, capsys: Output) -> None:
    assert main(["lint", str(broken), "--format", "json"]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem["rule"] == "extension-unknown"
    assert (problem["file"], problem["line"], problem["column"]) == ("openapi.yaml", 4, 1)
    assert problem["folder"] == broken.parent.as_posix()
    assert problem["pointer"] == "/x-unheard-of"
    assert problem["fix"]


@pytest.mark.parametrize("command", ["lint", "bundle"])
def test_a_spec_that_cannot_be_read(command: str, broken: Path, capsys: Output) -> None:
    broken.write_text(BROKEN.replace("'1'", "yes"), "utf-8")
    assert main([command, str(broken)]) == 3
    output = capsys.readouterr()
    assert f"{broken.as_posix()}:2:27: error yaml-ambiguous: " in output.out + output.err
    assert main([command, str(broken.parent / "nothing.yaml")]) == 3
    output = capsys.readouterr()
    assert (
        "nothing.yaml:1:1: error file-unreadable: there is no such file" in output.out + output.err
    )


def test_the_rules_are_listed(capsys: Output) -> None:
    assert main(["lint", "--rules"]) == 0
    words = capsys.readouterr().out.splitlines()
    assert {*RULES, *LOAD_RULES} <= set(words)
    assert main(["lint", "--rules", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)["rules"]
    assert [rule["id"] for rule in listed] == [*LOAD_RULES, *RULES]


def test_the_bundle_goes_to_standard_output(capsys: Output) -> None:
    expected = load_spec(SPEC).document
    assert main(["bundle", SPEC]) == 0
    text = capsys.readouterr().out
    assert json.loads(text) == expected
    assert text.endswith("}\n")
    assert main(["bundle", SPEC, "--format", "yaml"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == expected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_bundle_for_which_there_is_no_room() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "claude_codegen", "bundle", SPEC],
            env={**os.environ, **HERE},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "claude-codegen: cannot write standard output: No space left on device\n"


def test_the_bundle_goes_to_a_file(tmp_path: Path, capsys: Output) -> None:
    for name in ("a.json", "b.yaml", "c.txt"):
        assert main(["bundle", SPEC, "-o", str(tmp_path / name)]) == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "c.txt").read_bytes()
    assert load_spec(tmp_path / "b.yaml").document == load_spec(SPEC).document
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.yaml", "c.txt"]
    assert b"\r" not in (tmp_path / "a.json").read_bytes()


def test_a_bundle_that_fails_leaves_the_file_alone(
    broken: Path, tmp_path: Path, capsys: Output
) -> None:
    target = tmp_path / "bundle.json"
    target.write_text("old", "utf-8")
    broken.write_text("paths: [", "utf-8")
    assert main(["bundle", str(broken), "-o", str(target)]) == 3
    assert target.read_text("utf-8") == "old"
    assert main(["bundle", SPEC, "-o", str(tmp_path / "no" / "folder.json")]) == 2
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [[], ["nonsense"], ["lint", "--nonsense"], ["lint", "a", "b"], ["bundle", "--format", "xml"]],
)
def test_wrong_usage(argv: list[str], capsys: Output) -> None:
    assert main(argv) == 2
    assert "usage: claude-codegen" in capsys.readouterr().err


def test_help_lists_the_commands(capsys: Output) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert command.name in text
        assert command.summary in text
    assert "example: claude-codegen" in text


@pytest.mark.parametrize("name", ["lint", "bundle"])
def test_help_of_a_command_has_an_example(name: str, capsys: Output) -> None:
    assert main([name, "--help"]) == 0
    assert f"example: claude-codegen {name}" in capsys.readouterr().out


@pytest.mark.parametrize("module", ["yaml", "jsonschema"])
def test_a_missing_package_is_named(
    module: str, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.split(".")[0] == module or name.startswith("claude_codegen."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    from claude_codegen.cli import main as fresh_main

    assert fresh_main(["lint", "--help"]) == 0
    assert fresh_main(["lint", SPEC]) == 2
    error = capsys.readouterr().err
    assert module in error
    assert "install claude-client[codegen]" in error


def test_help_loads_no_extra_package() -> None:
    code = (
        "import sys; from claude_codegen.cli import main; code = main(['lint', '--help'])\n"
        "extra = {'yaml', 'jsonschema', 'jinja2', 'openapi_python_client'} & set(sys.modules)\n"
        "sys.exit(repr(extra) if extra else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **HERE},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_project_is_found_from_within(
    broken: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inner = broken.parent / "paths" / "deep"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert find_spec(None) == Path("..", "..", "openapi.yaml")
    assert find_spec("other.yaml") == Path("other.yaml")
    outside = tmp_path / "outside"
    outside.mkdir()
    broken.unlink()
    monkeypatch.chdir(outside)
    assert find_spec(None) == Path("spec", "openapi.yaml")


@pytest.mark.parametrize(
    "variant",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONUTF8": "0"},
    ],
)
def test_output_is_the_same_under_any_environment(variant: dict[str, str], tmp_path: Path) -> None:
    def run(*argv: str, **environment: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-m", "claude_codegen", *argv],
            capture_output=True,
            check=True,
            cwd=tmp_path,
            env={**os.environ, **HERE, **environment},
        ).stdout

    for argv in (("bundle", SPEC), ("bundle", SPEC, "--format", "yaml"), ("lint", "--rules")):
        assert run(*argv, **variant) == run(*argv)


def test_a_closed_pipe_ends_quietly() -> None:
    shell = f"{sys.executable} -m claude_codegen lint --rules | head -n 1"
    done = subprocess.run(
        shell,
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **HERE},
    )
    assert done.stderr == ""
