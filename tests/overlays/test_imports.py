"""What the overlays import, when, and how."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import claude_client
from claude_client import types
from claude_rest import models, params

ROOT = Path(claude_client.__file__).parent
OWN = sorted(path for path in ROOT.glob("*.py"))
HEAVY = (
    "attr",
    "attrs",
    "httpx",
    "httpcore",
    "ssl",
    "asyncio",
    "dataclasses",
    "inspect",
    "logging",
)


def modules_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after ``code``."""
    script = f"import sys\n{code}\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    paths = [str(ROOT.parent), str(Path(models.__file__).parents[2])]
    # Without site packages' .pth files, which may load anything; their folder stays importable.
    prelude = f"import sys; sys.path[:0] = {paths + [entry for entry in sys.path if entry]!r}\n"
    done = subprocess.run(
        [sys.executable, "-S", "-c", prelude + script], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_else() -> None:
    before = modules_after("import __future__, importlib")
    loaded = modules_after("import claude_client") - before
    assert loaded == {"claude_client"}


def test_a_client_loads_neither_models_nor_an_http_library() -> None:
    loaded = modules_after(
        "from claude_client import Claude, AsyncClaude\nClaude(api_key='k'); AsyncClaude(api_key='k')"
    )
    assert not loaded.intersection(HEAVY)
    assert "claude_rest.models" not in loaded
    assert "claude_rest.params" not in loaded


def test_classes_of_error_codes_are_made_when_one_is_needed() -> None:
    assert "claude_rest.errors" not in modules_after("import claude_client.errors")
    assert "claude_rest.errors" in modules_after(
        "from claude_client.errors import ScanPendingError"
    )


def test_every_piece_works_without_a_client() -> None:
    for code in (
        "from claude_client import RetryPolicy; RetryPolicy()",
        "from claude_client import MessageAccumulator; MessageAccumulator()",
        "from claude_client import SSEDecoder; SSEDecoder()",
        "from claude_client import resolve_betas, resolve_credentials",
        "from claude_client import errors, UNSET, Unknown",
        "from claude_client.webhooks import sign, verify; verify('', sign('', 'YWJj'), 'YWJj')",
    ):
        loaded = modules_after(code)
        assert not loaded.intersection(HEAVY), code
        assert "claude_client.client" not in loaded, code


def test_exports_are_those_that_type_checkers_see() -> None:
    tree = ast.parse((ROOT / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {
        alias.asname
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert typed == set(claude_client.__all__)
    for name in claude_client.__all__:
        assert getattr(claude_client, name) is not None
    assert set(claude_client.__all__) <= set(dir(claude_client))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = claude_client.nonsense  # type: ignore[attr-defined]


def test_types_hold_models_and_params() -> None:
    assert types.Message is models.Message
    assert types.MessageCreateParams is params.MessageCreateParams
    assert {"Message", "MessageCreateParams"} <= set(dir(types))
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = types.Nonsense  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_import_style(path: Path) -> None:
    """Imports name the generated package in from-imports only, this package never."""
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                assert alias.name.partition(".")[0] not in ("claude_rest", "claude_client")
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert (node.module or "").partition(".")[0] not in ("claude_client", "claude_codegen")
        elif isinstance(node, ast.Constant) and not _is_prose(node.value):
            assert "claude_client" not in str(node.value)
            assert "claude_rest" not in str(node.value)
    # The package itself has a line for each public name.
    assert path.name == "__init__.py" or len(source.splitlines()) < 500


def _is_prose(value: object) -> bool:
    return isinstance(value, str) and ("\n" in value or value.endswith("."))
