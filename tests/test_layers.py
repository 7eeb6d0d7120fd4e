"""The rules that keep the layers apart, held over the syntax trees of all modules.

Each rule is a function from one module to what is wrong with it, and is shown to fail on a snippet
that breaks it.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "claude_codegen": ROOT / "generator" / "claude_codegen",
    "claude_rest": ROOT / "generated" / "claude_rest",
    "claude_client": ROOT / "overlays" / "claude_client",
}
RUNTIME = PACKAGES["claude_codegen"] / "runtime"

pytestmark = pytest.mark.skipif(
    not all(folder.is_dir() for folder in PACKAGES.values()), reason="needs the source tree"
)

MAY_IMPORT = {
    "claude_codegen": set[str](),
    "claude_rest": set[str](),
    "claude_client": {"claude_rest"},
}
"""Which of the packages each may import, besides itself by relative imports."""

NAMED = {
    "claude_codegen": {"claude_codegen"},
    "claude_rest": {"claude_rest", "claude_client", "claude_codegen"},
    "claude_client": {"claude_client", "claude_rest", "claude_codegen"},
}
"""Names that must not stand in a string of a package, so that a copy works under any name."""

# anyio and httpcore come with httpx, which does its reading and writing through them.
CORE = {"anyio", "attrs", "httpcore", "httpx"}
FAST = {"orjson": "runtime/codec.py", "pybase64": "runtime/base64_content.py"}
"""What the extra ``fast`` brings, and the one module that may use it where it is installed."""
MOCK = {"jsonschema", "jsonschema_rs", "uvicorn"}
CODEGEN = {"datamodel_code_generator", "jinja2", "jsonschema", "openapi_python_client", "yaml"}

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}

LINES = 500
LONG_MODULES = {
    "generator/claude_codegen/runtime/errors.py": (
        "one table of error classes with the official names, and how one is chosen"
    ),
    "generator/claude_codegen/load.py": "joining files into one document is one walk over all kinds of node",
    "generator/claude_codegen/runtime/request.py": "one request from its parts: path, query, headers, body",
    "generator/claude_codegen/runtime/stream.py": "a stream and its asynchronous twin",
    "generator/claude_codegen/runtime/page.py": "a page, the page ahead, and the asynchronous twins",
    "generator/claude_codegen/runtime/client.py": "a client and its asynchronous twin",
    "overlays/claude_client/__init__.py": "three tables with a line for each public name",
}
"""Hand-written modules that are longer, and why they may be."""

STRINGS_MAY_NAME: dict[str, str] = {}
"""Modules whose strings may name a package, and why."""


class Module(NamedTuple):
    package: str
    path: str
    """Relative to the package."""
    source: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)


def modules_of(package: str) -> list[Module]:
    folder = PACKAGES[package]
    return [
        Module(package, path.relative_to(folder).as_posix(), path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.py"))
    ]


def snippet(source: str, package: str = "claude_client", path: str = "x.py") -> Module:
    return Module(package, path, source)


class Import(NamedTuple):
    node: ast.Import | ast.ImportFrom
    name: str
    """Dotted name of what is imported, empty for a relative import."""
    type_checking: bool
    guarded: bool
    """Whether it stands in a ``try`` that handles ``ImportError``."""
    old_python: bool
    """Whether it stands in the ``else`` of ``if sys.version_info >= (3, 11)``."""


def imports(module: Module) -> Iterator[Import]:
    yield from _imports(module.tree, frozenset())


def _imports(node: ast.AST, around: frozenset[str]) -> Iterator[Import]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = ["" if node.level else str(node.module)]
        for name in names:
            yield Import(
                node,
                name,
                "type checking" in around,
                "guarded" in around,
                "old python" in around,
            )
        return
    body: list[ast.stmt] = []
    otherwise: list[ast.stmt] = []
    inside, outside = around, around
    if isinstance(node, ast.If):
        body, otherwise = node.body, node.orelse
        test = ast.unparse(node.test)
        if test in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            inside = around | {"type checking"}
        elif test == "sys.version_info >= (3, 11)":
            outside = around | {"old python"}
    elif isinstance(node, ast.Try):
        body = node.body
        handled = [handler.type for handler in node.handlers if handler.type is not None]
        if any("ImportError" in ast.unparse(kind) for kind in handled):
            inside = around | {"guarded"}
    for child in ast.iter_child_nodes(node):
        if child in body:
            yield from _imports(child, inside)
        elif child in otherwise:
            yield from _imports(child, outside)
        else:
            yield from _imports(child, around)


def top(name: str) -> str:
    return name.partition(".")[0]


# --- the rules ----------------------------------------------------------------------------------


def wrong_direction(module: Module) -> list[str]:
    """Imports against the direction of the layers."""
    forbidden = set(PACKAGES) - {module.package} - MAY_IMPORT[module.package]
    return [
        f"{found.node.lineno}: imports {found.name}"
        for found in imports(module)
        if top(found.name) in forbidden
    ]


def absolute_import_of_itself(module: Module) -> list[str]:
    return [
        f"{found.node.lineno}: {ast.unparse(found.node)} is not relative"
        for found in imports(module)
        if top(found.name) == module.package
    ]


def import_that_cannot_be_rewritten(module: Module) -> list[str]:
    """Imports of another layer that are not ``from package.x import y`` on lines of their own."""
    lines = module.source.splitlines()
    wrong = []
    for found in imports(module):
        node = found.node
        if top(found.name) not in MAY_IMPORT[module.package]:
            continue
        first = lines[node.lineno - 1].strip()
        rest = (
            lines[(node.end_lineno or 0) - 1].encode()[node.end_col_offset or 0 :].decode().strip()
        )
        whole = first.startswith(f"from {found.name} import ") and (not rest or rest[0] == "#")
        if not isinstance(node, ast.ImportFrom) or not whole:
            wrong.append(f"{node.lineno}: {first} is no whole-line 'from … import …'")
    return wrong


def dynamic_import_by_name(module: Module) -> list[str]:
    """``import_module`` and ``__import__`` of a package by its full name."""
    return [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in ("import_module", "__import__")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and top(str(node.args[0].value)) in PACKAGES
    ]


def string_that_names_a_package(module: Module) -> list[str]:
    """Strings that name the package or its neighbours; texts that nothing executes may."""
    tree = module.tree
    texts = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        f"{node.lineno}: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in texts
        and any(name in node.value for name in NAMED[module.package])
    ]


def undeclared_dependency(module: Module) -> list[str]:
    """Third-party packages that a module may not need."""
    wrong = []
    for found in imports(module):
        name = top(found.name)
        if not name or name in sys.stdlib_module_names or name in PACKAGES:
            continue
        if name in FAST:
            allowed = found.guarded and module.path.removeprefix("_") == FAST[name]
        elif name == "typing_extensions":
            allowed = found.type_checking or found.old_python
        elif name in ("aiohttp", "yarl") and module.package == "claude_client":
            # Only the modules that are loaded when it was chosen.
            allowed = found.type_checking or module.path.startswith("aiohttp_")
        elif module.package == "claude_codegen" and not module.path.startswith("runtime/"):
            allowed = name in CODEGEN
        elif name == "opentelemetry" and module.package == "claude_client":
            # The whole of tracing/ is loaded only where that is installed.
            typed = found.type_checking and module.path == "tracing/middleware.py"
            allowed = typed or module.path == "tracing/spans.py"
        elif module.package == "claude_client" and module.path.startswith("testing/"):
            # Only pytest itself imports the plugin.
            plugin = name == "pytest" and module.path == "testing/pytest_plugin.py"
            allowed = plugin or name in CORE | MOCK
        elif name == "redis":
            # An extra: loaded by who shares limits through it.
            allowed = module.path == "throttle/redis_pools.py"
        else:
            allowed = name in CORE
        if not allowed:
            wrong.append(f"{found.node.lineno}: depends on {found.name}")
    return wrong


def name_that_says_nothing(module: Module) -> list[str]:
    parts = Path(module.path).with_suffix("").parts
    return [f"called {part}" for part in parts if part.strip("_") in FORBIDDEN_NAMES]


RULES: dict[Callable[[Module], list[str]], list[Module]] = {
    wrong_direction: [
        snippet("import claude_client", "claude_rest"),
        snippet("def f():\n    from claude_codegen.load import load_spec", "claude_rest"),
        snippet("if TYPE_CHECKING:\n    from claude_codegen import x", "claude_client"),
        snippet("import json, claude_rest.models as m", "claude_codegen"),
        snippet("from claude_client import Claude", "claude_codegen"),
    ],
    absolute_import_of_itself: [
        snippet("from claude_client.betas import x"),
        snippet("import claude_client.betas"),
        snippet("from claude_rest import Client", "claude_rest"),
        snippet("def f():\n    import claude_codegen", "claude_codegen"),
    ],
    import_that_cannot_be_rewritten: [
        snippet("import claude_rest"),
        snippet("import claude_rest.models as models"),
        snippet("x = 1; from claude_rest import models"),
        snippet("if x: from claude_rest import models"),
        snippet("from claude_rest import models; x = 1"),
        snippet("from  claude_rest import models"),
        snippet("from claude_rest import \\\n    models; é = 1"),
    ],
    dynamic_import_by_name: [
        snippet("import_module('claude_rest.models')"),
        snippet("importlib.import_module('claude_client')"),
        snippet("__import__('claude_codegen')"),
    ],
    string_that_names_a_package: [
        snippet("x = 'claude_client.betas'"),
        snippet("def f():\n    return f'{x} of claude_rest'"),
        snippet("x = {'a': ['python -m claude_client']}"),
        snippet("x = 'claude_rest'", "claude_rest"),
        snippet("x = 'claude_codegen'", "claude_codegen"),
    ],
    undeclared_dependency: [
        snippet("import requests"),
        snippet("import orjson"),
        snippet("import orjson", "claude_rest", "_runtime/codec.py"),
        snippet("import pybase64", "claude_rest", "_runtime/base64_content.py"),
        snippet("try:\n    import orjson\nexcept ImportError:\n    pass", "claude_client"),
        snippet(
            "try:\n    x()\nexcept ImportError:\n    import orjson",
            "claude_rest",
            "_runtime/codec.py",
        ),
        snippet("from typing_extensions import Self", "claude_rest"),
        snippet("if TYPE_CHECKING:\n    pass\nelse:\n    from typing_extensions import Self"),
        snippet("if sys.version_info >= (3, 11):\n    from typing_extensions import Self"),
        snippet("import trio", "claude_rest"),
        snippet("import aiohttp", path="transports.py"),
        snippet("def f():\n    import jsonschema"),
        snippet("import uvicorn", "claude_rest"),
        snippet("import httpx", "claude_codegen"),
        snippet("import yaml", "claude_codegen", "runtime/x.py"),
        snippet("import tomli", "claude_codegen"),
        snippet("import pytest", path="testing/mock_api.py"),
    ],
    name_that_says_nothing: [
        snippet("", path="utils.py"),
        snippet("", path="_helpers.py"),
        snippet("", path="common/x.py"),
        snippet("", path="testing/misc.py"),
        snippet("", path="manager.py"),
    ],
}

FINE = [
    snippet(
        '"""Of claude_client, on claude_rest."""\n'
        "from __future__ import annotations\n"
        "import sys\n"
        "from typing import TYPE_CHECKING\n"
        "import httpx\n"
        "from claude_rest import models  # names the package\n"
        "from claude_rest._runtime.struct import (\n    Struct,\n    Unknown,\n)\n"
        "from . import betas\n"
        "from .testing import x\n"
        "if TYPE_CHECKING:\n    from typing_extensions import Unpack\n"
        "def f():\n"
        '    """As claude_client does."""\n'
        "    from claude_rest.params import MessageParam\n"
        "    x = 1\n"
        '    "claude_client, a text after an attribute"\n'
    ),
    snippet("import uvicorn, jsonschema_rs", path="testing/server.py"),
    snippet("import pytest", path="testing/pytest_plugin.py"),
    snippet(
        "try:\n    from orjson import loads\nexcept ImportError:\n    loads = None\n",
        "claude_rest",
        "_runtime/codec.py",
    ),
    snippet("x = 'claude_rest'\nimport yaml", "claude_codegen"),
    snippet(
        "if sys.version_info >= (3, 11):\n    from typing import NotRequired\n"
        "else:\n    from typing_extensions import NotRequired\n",
        "claude_rest",
    ),
    snippet("", path="commonplace.py"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_can_fail(rule: Callable[[Module], list[str]]) -> None:
    for bad in RULES[rule]:
        assert rule(bad), bad


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_can_pass(rule: Callable[[Module], list[str]]) -> None:
    for good in FINE:
        assert not rule(good), good


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rules(rule: Callable[[Module], list[str]], package: str) -> None:
    modules = modules_of(package)
    assert len(modules) > 10
    assert [
        f"{module.package}/{module.path}:{problem}"
        for module in modules
        if rule is not string_that_names_a_package
        or f"{module.package}/{module.path}" not in STRINGS_MAY_NAME
        for problem in rule(module)
    ] == []


def test_exceptions_are_needed() -> None:
    for name in STRINGS_MAY_NAME:
        package, _, path = name.partition("/")
        source = (PACKAGES[package] / path).read_text("utf-8")
        assert string_that_names_a_package(Module(package, path, source)), name


# --- files --------------------------------------------------------------------------------------


def different_files(ours: dict[str, bytes], copied: dict[str, bytes]) -> list[str]:
    """Names of files that are in one of two folders only, or differ."""
    return sorted(name for name in {*ours, *copied} if ours.get(name) != copied.get(name))


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_runtime_is_copied_byte_for_byte() -> None:
    assert different_files({"a": b"1", "b": b"1"}, {"a": b"2", "c": b"1"}) == ["a", "b", "c"]
    ours, copied = files_of(RUNTIME), files_of(PACKAGES["claude_rest"] / "_runtime")
    assert "struct.py" in ours
    assert different_files(ours, copied) == []


def too_long(lines: dict[str, int], allowed: set[str]) -> list[str]:
    """Modules of more than :data:`LINES` lines that are not allowed to be, and idle exceptions."""
    long = {name for name, count in lines.items() if count > LINES}
    return sorted(long ^ allowed)


def test_hand_written_modules_are_short() -> None:
    assert too_long({"a": 501, "b": 500, "c": 900}, {"c", "d"}) == ["a", "d"]
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines())
        for package in ("claude_codegen", "claude_client")
        for path in PACKAGES[package].rglob("*.py")
    }
    assert len(lines) > 30
    assert too_long(lines, set(LONG_MODULES)) == []


def test_every_package_is_typed() -> None:
    for folder in PACKAGES.values():
        assert (folder / "py.typed").is_file()


def unmarked(source: str) -> bool:
    return not source.startswith("# Generated by claude-codegen")


def test_generated_modules_say_so() -> None:
    assert unmarked("x = 1")
    for module in modules_of("claude_rest"):
        if not module.path.startswith("_runtime/"):
            assert not unmarked(module.source), module.path
    for package in ("claude_client", "claude_codegen"):
        for module in modules_of(package):
            assert unmarked(module.source), module.path
