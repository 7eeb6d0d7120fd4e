"""Regenerating: what a run writes, removes and leaves alone."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from claude_codegen.load import load_spec
from claude_codegen.lock import files_below, read_lock
from claude_codegen.regenerate import Outcome, render, write

from .building import feature, generated, generated_from_the_real_spec, load_small
from .projects import Project, copy_real, edit, times, tree

SPEC_COPY = "_spec/openapi.json"


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with the real spec and the package generated from it."""
    root = tmp_path_factory.mktemp("real")
    files, lock = generated_from_the_real_spec()
    write(dict(files), lock, root / "generated" / "claude_rest", root / "generated" / "lock.json")
    return root


SHOE_SIZE = "    shoe_size:\n      type: integer\n      description: How big the shoes are.\n"


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param(
            "schemas/messages/text.yaml",
            "description: Text written by the model.",
            "description: Text the model wrote.",
            {"models/messages/text.py"},
            id="a description",
        ),
        pytest.param(
            "schemas/messages/requests.yaml",
            "enum: [auto, standard_only]",
            "enum: [auto, standard_only, spare_only]",
            {"params/messages/requests.py", "resources/messages.py"},
            id="an enum value of a request",
        ),
        pytest.param(
            "schemas/messages/message.yaml",
            "    - pause_turn\n",
            "    - pause_turn\n    - bored\n",
            {"models/messages/message.py"},
            id="an enum value of an answer",
        ),
        pytest.param(
            "schemas/messages/requests.yaml",
            "    service_tier:\n",
            f"{SHOE_SIZE}    service_tier:\n",
            {"operations/messages.py", "params/messages/requests.py", "resources/messages.py"},
            id="a property",
        ),
    ],
)
def test_an_edit_of_the_real_spec_changes_the_files_it_should(
    file: str, old: str, new: str, expected: set[str], real: Path, tmp_path: Path
) -> None:
    entry = copy_real(tmp_path)
    output, lock_file = tmp_path / "generated" / "claude_rest", tmp_path / "generated" / "lock.json"
    shutil.copytree(real / "generated", tmp_path / "generated")
    before = tree(tmp_path / "generated")
    edit(entry.parent / file, old, new)

    outcome = write(*render(load_spec(entry)), output, lock_file)

    after = tree(tmp_path / "generated")
    changed = {path for path in before if before[path] != after.get(path)}
    assert set(after) == set(before)
    assert changed == {"lock.json", *(f"claude_rest/{path}" for path in (*expected, SPEC_COPY))}
    assert set(outcome.written) == {*expected, SPEC_COPY}
    assert outcome.removed == outcome.kept == ()
    earlier, now = read_lock(real / "generated" / "lock.json"), read_lock(lock_file)
    assert {path for path in now.spec if now.spec[path] != earlier.spec[path]} == {file}
    assert earlier.generator == now.generator


def test_an_unchanged_run_writes_nothing(project: Project) -> None:
    before = times(project.root)
    code, out, err = project.run("generate")
    assert (code, err) == (0, "")
    assert out.startswith("0 written, 0 removed, ")
    assert times(project.root) == before


def test_the_outcome_as_json(project: Project) -> None:
    edit(project.spec / "schemas/notes/notes.yaml", "description: A colour.", "description: Hue.")
    code, out, _ = project.run("generate", "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found["written"] == [SPEC_COPY, "models/notes/notes.py", "params/notes/notes.py"]
    assert (found["removed"], found["kept"]) == ([], [])
    assert found["unchanged"] > 30


SMALL = {"type": "object", "description": "O.", "properties": {"id": {"type": "string"}}}


def two_runs(folder: Path, between: str = "") -> tuple[Path, Outcome]:
    """Generate with a schema in a file of its own, then without it."""
    output, lock = folder / "site" / "pkg", folder / "site" / "pkg.lock.json"
    write(dict(generated("modules")), render(feature("modules"))[1], output, lock)
    orphan = output / "models" / "shapes" / "round" / "round.py"
    assert orphan.is_file()
    if between:
        orphan.write_text(between, "utf-8")
    bundle = load_small(folder / "small", {"x": {"$ref": "#/Other"}}, {"Other": SMALL})
    return output, write(*render(bundle), output, lock)


def test_a_removed_schema_takes_its_file_and_empty_folders_with_it(tmp_path: Path) -> None:
    output, outcome = two_runs(tmp_path)
    assert "models/shapes/round/round.py" in outcome.removed
    assert not (output / "models" / "shapes").exists()
    assert not (output / "params" / "shapes").exists()
    assert outcome.kept == ()
    assert set(read_lock(tmp_path / "site" / "pkg.lock.json").outputs) == set(files_below(output))


def test_a_removed_schemas_file_is_kept_when_somebody_edited_it(tmp_path: Path) -> None:
    output, outcome = two_runs(tmp_path, between="# mine\n")
    assert outcome.kept == ("models/shapes/round/round.py",)
    assert (output / "models/shapes/round/round.py").read_text("utf-8") == "# mine\n"
    assert not (output / "models/shapes/round/__init__.py").exists()


def test_a_kept_file_is_told(project: Project) -> None:
    orphan = project.output / "params" / "notes" / "requests.py"
    orphan.write_text("# mine\n", "utf-8")
    requests = project.spec / "schemas" / "notes" / "requests.yaml"
    requests.rename(requests.with_name("asked.yaml"))
    edit(project.spec / "paths/notes.yaml", "notes/requests.yaml", "notes/asked.yaml")
    code, out, err = project.run("generate")
    assert (code, err) == (0, "")
    assert "kept    params/notes/requests.py: no longer generated, but edited by hand" in out
    assert "wrote   params/notes/asked.py" in out
    assert orphan.read_text("utf-8") == "# mine\n"
    code, out, _ = project.run("check")
    assert code == 1
    assert "params/notes/requests.py: untracked" in out


def test_a_hand_written_file_is_left_alone(project: Project) -> None:
    extra = project.output / "models" / "extra.py"
    extra.write_text("# mine\n", "utf-8")
    code, out, _ = project.run("generate")
    assert code == 0
    assert out.startswith("0 written, 0 removed")
    assert extra.read_text("utf-8") == "# mine\n"
    code, out, _ = project.run("check")
    assert code == 1
    assert "models/extra.py: untracked" in out


def test_an_edited_or_missing_file_comes_back(project: Project) -> None:
    before = tree(project.output)
    (project.output / "client.py").write_text("# mine\n", "utf-8")
    (project.output / "service.py").unlink()
    code, out, _ = project.run("generate")
    assert code == 0
    assert "wrote   client.py\nwrote   service.py\n" in out
    assert tree(project.output) == before


def test_findings_stop_a_run_before_it_writes(project: Project) -> None:
    before = times(project.root)
    edit(project.spec / "paths/notes.yaml", "x-retry: mutating", "x-retry: never")
    edited = times(project.root)
    code, out, err = project.run("generate")
    assert code == 1
    assert out == ""
    assert "error retry-class-unknown" in err
    assert err.endswith("nothing was written\n")
    assert times(project.root) == edited
    assert before.keys() == edited.keys()


def test_a_spec_that_cannot_be_read_stops_a_run(project: Project) -> None:
    (project.spec / "paths/notes.yaml").write_text("notes: [\n", "utf-8")
    before = times(project.root)
    code, _, err = project.run("generate")
    assert code == 3
    assert "paths/notes.yaml:" in err
    assert times(project.root) == before


def test_what_the_generator_cannot_express_is_told_without_a_traceback(project: Project) -> None:
    # One place bound by two statements; rules about places look at each alone.
    edit(
        project.spec / "schemas/notes/requests.yaml",
        "    content:\n",
        "    content:\n      x-api-version-within:\n        link.url: {until: '2023-06-01'}\n",
    )
    edit(
        project.spec / "schemas/notes/notes.yaml",
        "    url:\n",
        "    url:\n      x-api-version: {until: '2023-06-01'}\n",
    )
    before = times(project.root)
    for command in (("generate",), ("check", "--full")):
        code, _, err = project.run(*command)
        assert code == 1
        assert "the generator cannot express this spec: EmitError: NoteCreateParams.content" in err
    assert times(project.root) == before


@pytest.mark.parametrize("stage", ["build", "format_python", "write_bytes"])
def test_a_crash_in_the_middle_leaves_the_old_tree(
    stage: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(project.spec / "schemas/notes/notes.yaml", "description: A colour.", "description: Hue.")
    edit(
        project.spec / "schemas/notes/notes.yaml", "description: Some text.", "description: Words."
    )
    before = tree(project.root / "generated")
    original = Path.write_bytes
    written: list[Path] = []

    def crash(*_: object, **__: object) -> None:
        raise MemoryError(stage)

    def crash_at_the_second(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) == 2:
            raise MemoryError(stage)
        return original(path, content)

    if stage == "build":
        monkeypatch.setattr("claude_codegen.regenerate.build", crash)
    elif stage == "format_python":
        monkeypatch.setattr("claude_codegen.emit.format_python", crash)
    else:
        monkeypatch.setattr(Path, "write_bytes", crash_at_the_second)
    with pytest.raises(MemoryError, match=stage):
        project.run("generate")
    monkeypatch.undo()
    assert tree(project.root / "generated") == before
    assert not list((project.root / "generated").rglob(".*"))


def test_a_failing_formatter_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from claude_codegen.emit.formatting import FormattingError, format_python

    with pytest.raises(FormattingError, match=r"models/bad\.py"):
        format_python({"models/bad.py": "def :\n"})
    assert format_python({"a.py": "x = ( 1 )\n", "b.json": "{ }"}) == {
        "a.py": "x = 1\n",
        "b.json": "{ }",
    }


def test_the_formatter_follows_no_configuration_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from claude_codegen.emit.formatting import format_python

    (tmp_path / "ruff.toml").write_text("line-length = 20\n", "utf-8")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    line = 'value = some_function("an argument", "another argument")\n'
    assert format_python({"a.py": line})["a.py"] == line


# The package works under any name: its imports are relative and no string names it.
def test_a_package_under_another_name_sends_and_decodes(tmp_path: Path) -> None:
    name = "some_other_name"
    site = tmp_path / "vendored"
    write(
        dict(generated("streaming")),
        render(feature("streaming"))[1],
        site / "deep" / name,
        site / "lock.json",
    )
    (site / "deep" / "__init__.py").write_text("", "utf-8")
    code = f"""
import json, sys
sys.path.insert(0, {str(site)!r})
import httpx
from deep.{name} import Client
from deep.{name}.models import Thing
from deep.{name}.operations import OPERATIONS
from deep.{name}.spec import load_bundle

def answer(request):
    sent = json.loads(request.content)
    assert sent == {{"name": "n"}}, sent
    assert request.url == "https://api.example.com/v1/things", request.url
    return httpx.Response(200, json={{"id": "t1", "new": 1}})

client = Client(api_key="k", http_client=httpx.Client(transport=httpx.MockTransport(answer)))
thing = client.things.create(name="n")
assert isinstance(thing, Thing) and thing.id == "t1", thing
assert thing.to_dict() == {{"id": "t1", "new": 1}}
assert list(OPERATIONS) == ["events.watch", "lines.read", "things.create"]
assert OPERATIONS["things.create"].path == "/v1/things"
assert load_bundle()["info"]["title"] == "Streaming"
loaded = sorted(m for m in sys.modules if "claude" in m)
assert loaded == [], loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_no_generated_file_names_its_package() -> None:
    for path, content in generated("streaming").items():
        if path.endswith(".py") and not path.startswith("_runtime/"):
            lines = [line for line in content.decode().splitlines() if "claude_" in line]
            # Docstrings may show how the package is imported where it was not renamed.
            assert all("import claude_" not in line for line in lines if "``" not in line), path


def test_the_runtime_is_copied_as_it_is() -> None:
    folder = Path(str(importlib.import_module("claude_codegen").__file__)).parent / "runtime"
    copied = {
        path.removeprefix("_runtime/"): content
        for path, content in generated("enums").items()
        if path.startswith("_runtime/")
    }
    assert copied == {
        path.name: path.read_bytes().replace(b"\r\n", b"\n") for path in folder.glob("*.py")
    }
