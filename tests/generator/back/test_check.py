"""``check``: every way in which the package can differ from its spec, and nothing else."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from claude_codegen import lock as locks
from claude_codegen.lock import LOCK_VERSION, Lock, LockError, digest, read_lock

from .projects import Project, edit, times, tree


def findings(project: Project, *arguments: str) -> tuple[int, set[tuple[str, str]]]:
    """Return exit code and the kind and path of each finding."""
    code, out, _ = project.run("check", "--format", "json", *arguments)
    found = json.loads(out)["drift"]
    assert all(item["message"] and item["fix"] for item in found)
    return code, {(item["kind"], item["path"]) for item in found}


def test_all_is_well(project: Project) -> None:
    code, out, err = project.run("check")
    assert (code, err) == (0, "")
    count = len(tree(project.output))
    assert out == f"{count} files compared with the lock: no findings\n"
    code, out, err = project.run("check", "--full")
    assert (code, err) == (0, "")
    assert out == f"{count} files regenerated and compared: no findings\n"


def test_a_changed_spec(project: Project) -> None:
    edit(project.spec / "schemas/notes/notes.yaml", "description: A colour.", "description: Hue.")
    assert findings(project) == (1, {("spec-changed", "schemas/notes/notes.yaml")})
    code, found = findings(project, "--full")
    assert code == 1
    assert found == {
        ("spec-changed", "schemas/notes/notes.yaml"),
        ("stale", "_spec/openapi.json"),
        ("stale", "models/notes/notes.py"),
        ("stale", "params/notes/notes.py"),
        ("lock", "claude_rest.lock.json"),
    }


def test_several_changed_files_of_a_spec_are_one_finding(project: Project) -> None:
    edit(project.spec / "schemas/notes/notes.yaml", "description: A colour.", "description: Hue.")
    edit(project.spec / "openapi.yaml", "title: Notes", "title: More notes")
    (project.spec / "schemas/new.yaml").write_text("New:\n  type: string\n", "utf-8")
    (project.spec / "examples/notes_list/page.response.json").unlink()
    code, out, _ = project.run("check")
    assert code == 1
    assert out.count("spec-changed") == 1
    assert "    also openapi.yaml\n" in out
    assert "    also schemas/new.yaml\n" in out
    assert "examples/notes_list/page.response.json: spec-changed" in out
    assert "    fix claude-codegen generate\n" in out


@pytest.mark.parametrize("name", ["README.md", ".DS_Store", "notes.txt", "schemas/.notes.yaml.swp"])
def test_files_that_are_not_of_the_spec_do_not_matter(name: str, project: Project) -> None:
    (project.spec / name).write_text("x", "utf-8")
    assert findings(project) == (0, set())


def test_a_changed_generator(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    now = locks.generator_digests()
    assert {"lower.py", "emit/templates/model_class.py.jinja", "runtime/struct.py"} <= set(now)
    monkeypatch.setattr(locks, "generator_digests", lambda: {**now, "lower.py": "0"})
    assert findings(project) == (1, {("generator-changed", "lower.py")})


def test_another_version_of_a_tool(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    now = locks.tool_versions()
    assert set(now) == {"datamodel-code-generator", "jinja2", "openapi-python-client", "ruff"}
    monkeypatch.setattr(locks, "tool_versions", lambda: {**now, "ruff": "0.0.1"})
    code, out, _ = project.run("check")
    assert code == 1
    assert f"ruff 0.0.1 is installed, {now['ruff']} wrote the package" in out
    assert f"fix pip install ruff=={now['ruff']}" in out


def test_tools_that_are_not_installed_do_not_matter(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A reviewer can check a tree without the extra "codegen".
    missing = dict.fromkeys(locks.TOOLS, "none")
    monkeypatch.setattr(locks, "tool_versions", lambda: missing)
    assert findings(project) == (0, set())


def test_an_edited_a_missing_and_an_untracked_file(project: Project) -> None:
    with (project.output / "client.py").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    (project.output / "service.py").unlink()
    (project.output / "models" / "mine.py").write_text("", "utf-8")
    expected = {
        ("edited", "client.py"),
        ("missing", "service.py"),
        ("untracked", "models/mine.py"),
    }
    assert findings(project) == (1, expected)
    assert findings(project, "--full") == (1, expected)
    _, out, _ = project.run("check")
    assert "fix move generated/claude_rest/models/mine.py elsewhere, or remove it" in out


def test_a_missing_package(project: Project) -> None:
    project.output.rename(project.root / "away")
    code, found = findings(project)
    assert code == 1
    assert {kind for kind, _ in found} == {"missing"}


def test_line_ends_and_caches_do_not_matter(project: Project) -> None:
    for path in [project.output / "client.py", project.spec / "openapi.yaml"]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    cache = project.output / "__pycache__"
    cache.mkdir()
    (cache / "client.cpython-311.pyc").write_bytes(b"x")
    assert findings(project) == (0, set())


def reseal(path: Path, change: dict[str, Any]) -> None:
    """Change a lock and seal it again, as only somebody who means it would."""
    data = {**json.loads(path.read_text("utf-8")), **change}
    data.pop("seal")
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    data["seal"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(data), "utf-8")


def test_a_missing_lock(project: Project) -> None:
    project.lock.unlink()
    code, out, _ = project.run("check")
    assert code == 1
    assert "claude_rest.lock.json: lock: there is no lock file" in out
    assert findings(project, "--full") == (1, {("lock", "claude_rest.lock.json")})


def test_a_lock_that_was_changed(project: Project) -> None:
    text = project.lock.read_text("utf-8")
    outputs = json.loads(text)["outputs"]
    (project.output / "client.py").write_text("# mine\n", "utf-8")
    mine = digest(b"# mine\n")
    project.lock.write_text(text.replace(outputs["client.py"], mine), "utf-8")
    code, out, _ = project.run("check")
    assert code == 1
    assert "was changed after claude-codegen wrote it" in out


def test_a_lock_that_was_changed_and_sealed_again(project: Project) -> None:
    # No hash can tell; regenerating does, which is why CI runs it.
    outputs = json.loads(project.lock.read_text("utf-8"))["outputs"]
    (project.output / "client.py").write_text("# mine\n", "utf-8")
    reseal(project.lock, {"outputs": {**outputs, "client.py": digest(b"# mine\n")}})
    assert findings(project) == (0, set())
    assert findings(project, "--full") == (
        1,
        {("stale", "client.py"), ("lock", "claude_rest.lock.json")},
    )


def test_a_stale_root_is_found_though_the_generator_changed_a_file_of_that_name(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = json.loads(project.lock.read_text("utf-8"))["outputs"]
    (project.output / "__init__.py").write_text("# mine\n", "utf-8")
    reseal(project.lock, {"outputs": {**outputs, "__init__.py": digest(b"# mine\n")}})
    now = locks.generator_digests()
    monkeypatch.setattr(locks, "generator_digests", lambda: {**now, "__init__.py": "0"})
    _, found = findings(project, "--full")
    assert ("generator-changed", "__init__.py") in found
    assert ("stale", "__init__.py") in found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<<<<<<< ours", "cannot be read"),
        ("[]", "another version"),
        (json.dumps({"lock_version": LOCK_VERSION + 1}), "another version"),
        (json.dumps({"lock_version": LOCK_VERSION}), "was changed"),
        ("\udcff", "cannot be read"),
    ],
)
def test_a_lock_that_cannot_be_used(content: str, message: str, project: Project) -> None:
    project.lock.write_bytes(content.encode("utf-8", "surrogateescape"))
    code, out, _ = project.run("check")
    assert code == 1
    assert "claude_rest.lock.json: lock: " in out
    assert message in out
    # Generating mends it, and removes nothing that it cannot know to be its own.
    assert project.run("generate")[0] == 0
    assert findings(project) == (0, set())


def test_a_spec_that_cannot_be_read(project: Project) -> None:
    (project.spec / "paths/notes.yaml").write_text("notes: [\n", "utf-8")
    # Hashes can be compared all the same; regenerating needs the spec.
    assert findings(project) == (1, {("spec-changed", "paths/notes.yaml")})
    code, _, err = project.run("check", "--full")
    assert code == 3
    assert "paths/notes.yaml:" in err


def test_a_spec_that_is_not_there(project: Project) -> None:
    code, _, err = project.run("check", "--full", "spec/nothing.yaml")
    assert code == 3
    assert "nothing.yaml" in err


def test_a_spec_with_findings(project: Project) -> None:
    edit(project.spec / "paths/notes.yaml", "x-retry: mutating", "x-retry: never")
    code, _, err = project.run("check", "--full")
    assert code == 1
    assert "error retry-class-unknown" in err


@pytest.mark.parametrize("arguments", [(), ("--full",)])
def test_check_changes_nothing(arguments: tuple[str, ...], project: Project) -> None:
    edit(project.spec / "schemas/notes/notes.yaml", "description: A colour.", "description: Hue.")
    (project.output / "client.py").write_text("# mine\n", "utf-8")
    (project.output / "service.py").unlink()
    before, stamps = tree(project.root), times(project.root)
    assert project.run("check", *arguments)[0] == 1
    assert tree(project.root) == before
    assert times(project.root) == stamps


def test_another_package_and_another_spec_can_be_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = "project/spec/openapi.yaml"
    assert project.run("check", spec)[0] == 0
    assert project.run("check", spec, "-o", "elsewhere/client")[0] == 1
    assert project.run("generate", spec, "-o", "elsewhere/client")[0] == 0
    assert project.run("check", spec, "-o", "elsewhere/client")[0] == 0
    assert (tmp_path / "elsewhere" / "client.lock.json").is_file()


def test_a_lock_can_be_read_back(project: Project) -> None:
    lock = read_lock(project.lock)
    assert lock.to_json() == project.lock.read_text("utf-8")
    assert set(lock.outputs) == set(tree(project.output))
    assert "openapi.yaml" in lock.spec
    assert "/" not in str(Path("x")) or all("\\" not in path for path in lock.outputs)
    with pytest.raises(LockError, match="no lock file"):
        read_lock(project.root / "none.json")
    assert isinstance(lock, Lock)
