"""Where the spec takes base64, and that the client encodes content in exactly these places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from claude_codegen.load import load_spec
from claude_rest import params
from claude_rest._runtime.codec import EncodeError, dumps

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    bundle = load_spec(ROOT / "spec" / "openapi.yaml").document
    found: dict[str, Any] = bundle["components"]["schemas"]
    return found


def is_base64_source(schema: dict[str, Any]) -> bool:
    return bool(schema.get("properties", {}).get("type", {}).get("const") == "base64")


def test_base64_is_the_data_of_a_base64_source(schemas: dict[str, Any]) -> None:
    places = {
        (name, field)
        for name, schema in schemas.items()
        for field, part in schema.get("properties", {}).items()
        if "contentEncoding" in part
    }
    wanted = {
        (name, "data")
        for name, schema in schemas.items()
        if is_base64_source(schema) and name in params.__all__
    }
    assert places == wanted
    assert places == {("Base64ImageSourceParam", "data"), ("Base64PDFSourceParam", "data")}


def test_that_is_where_the_client_encodes(schemas: dict[str, Any]) -> None:
    for name in ("Base64ImageSourceParam", "Base64PDFSourceParam"):
        fields = schemas[name]["properties"]
        source = {field: part.get("const", "x") for field, part in fields.items()}
        assert dumps({**source, "data": b"abc"}) == dumps({**source, "data": "YWJj"})
        with pytest.raises(EncodeError):
            dumps({**source, "media_type": b"abc"})
