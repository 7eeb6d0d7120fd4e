"""Small programs, judged by mypy and by pyright, both in their strictest mode.

A line that ends in ``# error`` must be one where the checker complains; all others must be clean.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import claude_client
import claude_rest

if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
ROOTS = sorted(
    {str(Path(str(package.__file__)).parents[1]) for package in (claude_rest, claude_client)}
)
MARK = "# error"
# Both checkers judge the programs as on the oldest supported version.
PYTHON = "3.10"

Complaint = tuple[str, int, str]


def expected(program: Path) -> set[int]:
    lines = program.read_text("utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith(MARK)}


def assert_as_marked(programs: Iterable[Path], complaints: Iterable[Complaint]) -> None:
    wrong: list[str] = []
    found: dict[str, dict[int, str]] = {}
    for file, line, message in complaints:
        found.setdefault(file, {})[line] = message
    for program in programs:
        marked, reported = expected(program), found.pop(program.name, {})
        wrong += [
            f"{program.name}:{line}: {reported[line]}" for line in sorted(set(reported) - marked)
        ]
        wrong += [f"{program.name}:{line}: no complaint" for line in sorted(marked - set(reported))]
    wrong += [f"{file}: {messages}" for file, messages in found.items()]
    assert not wrong, "\n".join(wrong)


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def mypy(folder: Path) -> list[Complaint]:
    pytest.importorskip("mypy")
    # Installed packages are found through the interpreter, and must not be named again.
    sources = [root for root in ROOTS if "site-packages" not in root]
    settings = folder / "mypy.ini"
    settings.write_text(
        "[mypy]\nstrict = True\nfollow_imports = silent\nexplicit_package_bases = True\n"
        f"python_version = {PYTHON}\nmypy_path = {':'.join(sources)}\n",
        "utf-8",
    )
    cache = Path(__file__).parents[2] / ".mypy_cache" / "programs"
    output = run(
        "mypy",
        f"--config-file={settings}",
        f"--cache-dir={cache}",
        "--no-error-summary",
        "--no-pretty",
        *map(str, PROGRAMS),
        cwd=folder,
    )
    pattern = re.compile(r"^(.+?):(\d+): error: (.*)$", re.MULTILINE)
    return [(Path(file).name, int(line), text) for file, line, text in pattern.findall(output)]


def pyright(folder: Path) -> list[Complaint]:
    pytest.importorskip("pyright")
    # Below the settings: pyright looks at nothing outside their folder.
    (folder / "programs").mkdir()
    for program in PROGRAMS:
        (folder / "programs" / program.name).write_text(program.read_text("utf-8"), "utf-8")
    settings = folder / "pyrightconfig.json"
    settings.write_text(
        json.dumps(
            {
                "include": ["programs"],
                "extraPaths": ROOTS,
                "typeCheckingMode": "strict",
                "pythonVersion": PYTHON,
                # Pages and streams are public through claude_client only.
                "reportPrivateUsage": "none",
                "reportUnnecessaryIsInstance": "none",
                "reportUnnecessaryComparison": "none",
            }
        ),
        "utf-8",
    )
    output = run(
        "pyright",
        f"--project={settings}",
        f"--pythonpath={sys.executable}",
        "--outputjson",
        cwd=folder,
    )
    report = json.loads(output[output.index("{") :])
    assert report["summary"]["filesAnalyzed"] >= len(PROGRAMS)
    return [
        (Path(entry["file"]).name, entry["range"]["start"]["line"] + 1, entry["message"])
        for entry in report["generalDiagnostics"]
        if entry["severity"] == "error"
    ]


@pytest.fixture(scope="module", params=[mypy, pyright], ids=lambda checker: checker.__name__)
def complaints(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[Complaint]:
    """What one checker says about all programs, in one run."""
    found: list[Complaint] = request.param(tmp_path_factory.mktemp("programs"))
    return found


def test_programs_are_judged_as_marked(complaints: list[Complaint]) -> None:
    programs = [program for program in PROGRAMS if program.stem != "names_wrong"]
    assert_as_marked(programs, [found for found in complaints if found[0] != "names_wrong.py"])


def test_names_that_do_not_exist_are_errors(complaints: list[Complaint]) -> None:
    programs = [program for program in PROGRAMS if program.stem == "names_wrong"]
    assert_as_marked(programs, [found for found in complaints if found[0] == "names_wrong.py"])


def test_there_are_programs_of_both_kinds() -> None:
    names = {program.stem for program in PROGRAMS}
    for program in PROGRAMS:
        wrong = program.stem.endswith("_wrong")
        assert bool(expected(program)) is wrong
        assert not wrong or program.stem.removesuffix("_wrong") in names


@pytest.mark.parametrize("change", ["none", "unmarked", "unreported", "elsewhere"])
def test_the_comparison_can_fail(change: str) -> None:
    complaints = [
        (program.name, line, "x") for program in PROGRAMS for line in sorted(expected(program))
    ]
    if change == "none":
        assert_as_marked(PROGRAMS, complaints)
        return
    if change == "unmarked":
        complaints.append((PROGRAMS[0].name, 1, "x"))
    elif change == "unreported":
        complaints.pop()
    else:
        complaints.append(("other.py", 1, "x"))
    with pytest.raises(AssertionError):
        assert_as_marked(PROGRAMS, complaints)
