from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from claude_codegen.cli import main
from claude_codegen.load import Bundle

from .building import forget, install
from .projects import Project, copy_sample

Installer = Callable[[Bundle], ModuleType]


@pytest.fixture
def installed(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Installer]:
    """Install the package of a bundle under a name that no other test uses."""
    names: list[str] = []

    def installer(bundle: Bundle) -> ModuleType:
        name = f"package_{abs(hash((request.node.nodeid, len(names)))):x}"
        names.append(name)
        return install(bundle, tmp_path / "site", name)

    yield installer
    for name in names:
        forget(name)


@pytest.fixture(scope="session")
def sample_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the sample once; tests copy it."""
    root = tmp_path_factory.mktemp("sample")
    entry = copy_sample(root)
    assert main(["generate", str(entry)]) == 0
    return root


@pytest.fixture
def project(
    sample_project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Project:
    """Return a project that was just generated, with the working directory in it."""
    root = tmp_path / "project"
    shutil.copytree(sample_project, root)
    monkeypatch.chdir(root)
    return Project(root, capsys)
