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

from claude_codegen.load import load_spec

ROOT = Path(__file__).resolve().parents[2]
SURFACE: dict[str, Any] = json.loads(
    gzip.decompress((ROOT / "tests" / "data" / "api-surface.json.gz").read_bytes())
)
SURFACE_CODES: dict[str, dict[str, Any]] = {
    entry["error_code"]: entry for entry in SURFACE["errors"]
}


@pytest.fixture(scope="module")
def bundle() -> dict[str, Any]:
    return load_spec(ROOT / "spec" / "openapi.yaml").document


@pytest.fixture(scope="module")
def registry(bundle: dict[str, Any]) -> dict[str, Any]:
    codes: dict[str, Any] = bundle["x-error-codes"]
    return codes


def written(expression: dict[str, Any]) -> str:
    """Write a type of the surface as the registry does."""
    if expression["kind"] == "list":
        return f"array of {written(expression['items'])}"
    names = {"int": "integer", "str": "string", "literal": "string", "map": "object"}
    return names[expression["kind"]]


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
    bundle: dict[str, Any],
) -> None:
    for expected in SURFACE["operations"]:
        operation = bundle["paths"][expected["path"]][expected["method"].lower()]
        missing = set(expected["raises"]) - set(operation["x-error-codes"])
        assert not missing, operation["operationId"]
