"""The registry of error codes has every code that the official Python SDK knows, and no other.

`errors` in `tests/data/api-surface.json.gz` lists them with their status, the SDK's class and the
details beside `error_code` (references to other types are written out); `raises` of an operation
lists the codes that the SDK documents for it.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SURFACE: dict[str, Any] = json.loads(
    gzip.decompress((ROOT / "tests" / "data" / "api-surface.json.gz").read_bytes())
)
SURFACE_CODES: dict[str, dict[str, Any]] = {
    entry["error_code"]: entry for entry in SURFACE["errors"]
}


@pytest.fixture(scope="module")
def registry() -> dict[str, Any]:
    entry_document = (ROOT / "spec" / "openapi.yaml").read_text(encoding="utf-8")
    codes: dict[str, Any] = yaml.safe_load(entry_document)["x-error-codes"]
    return codes


def written(expression: dict[str, Any]) -> str:
    """Write a type of the surface as the registry does."""
    if expression["kind"] == "list":
        return f"array of {written(expression['items'])}"
    return {"int": "integer", "str": "string", "map": "object"}[expression["kind"]]


def test_the_surface_lists_each_code_once() -> None:
    assert len(SURFACE_CODES) == len(SURFACE["errors"]) == 100


def test_the_registry_has_the_codes_of_the_surface(registry: dict[str, Any]) -> None:
    assert set(registry) == set(SURFACE_CODES)


@pytest.mark.parametrize("code", SURFACE_CODES)
def test_entry(code: str, registry: dict[str, Any]) -> None:
    expected, entry = SURFACE_CODES[code], registry[code]
    assert entry["status"] == expected["status"]
    assert entry["class"] == expected["class"].removeprefix("Beta")
    assert entry.get("details", {}) == {
        detail["name"]: written(detail["type"]) for detail in expected["details"]
    }


def test_operations_name_the_codes_that_the_surface_documents_for_them(
    spec_operations: dict[tuple[str, str], dict[str, Any]],
) -> None:
    for operation in SURFACE["operations"]:
        named = spec_operations[operation["method"], operation["path"]]["x-error-codes"]
        missing = set(operation["raises"]) - set(named)
        assert not missing, f"{operation['method']} {operation['path']}: {sorted(missing)}"


@pytest.fixture(scope="module")
def spec_operations() -> dict[tuple[str, str], dict[str, Any]]:
    bundle = json.loads(
        (ROOT / "generated" / "claude_rest" / "_spec" / "openapi.json").read_text(encoding="utf-8")
    )
    return {
        (method.upper(), path): operation
        for path, item in bundle["paths"].items()
        for method, operation in item.items()
    }
