"""What the tests of the back half share: small specs, packages made from them, the tools raw."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import openapi
from openapi_python_client.parser.errors import GeneratorError

from claude_codegen.load import Bundle, load_spec
from claude_codegen.lock import Lock
from claude_codegen.regenerate import render, write

BACK = Path(__file__).parent
SPECS = BACK / "specs"
PROJECT = BACK.parents[2]

JSON = "application/json"
STRING: dict[str, Any] = {"type": "string"}
REF = "#/components/schemas/"


@cache
def feature(name: str) -> Bundle:
    return load_spec(SPECS / name / "openapi.yaml")


@cache
def generated(name: str) -> Mapping[str, bytes]:
    return render(feature(name))[0]


@cache
def generated_from_the_real_spec() -> tuple[Mapping[str, bytes], Lock]:
    return render(load_spec(PROJECT / "spec" / "openapi.yaml"))


def text_of(name: str, path: str) -> str:
    return generated(name)[path].decode()


def load_small(
    folder: Path,
    fields: Mapping[str, Any],
    components: Mapping[str, Any] | None = None,
    **operation: Any,
) -> Bundle:
    """Load a spec with ``Thing`` in its answers and ``ThingCreateParams`` in its requests.

    Both have ``fields``; ``operation`` replaces parts of the one operation there is.
    """
    described = {name: {"description": "F.", **field} for name, field in fields.items()}
    tagged = {"type": {"type": "string", "const": "thing"}, **described}
    files: dict[str, Any] = {
        "openapi.yaml": {
            "openapi": "3.1.0",
            "info": {"title": "T", "version": "1", "description": "D."},
            "servers": [{"url": "https://api.example.com"}],
            "tags": [{"name": "T", "description": "T."}],
            "paths": {"/v1/things": {"$ref": "paths/things.yaml#/things"}},
            "x-api-versions": {
                "default": "2023-06-01",
                "versions": {"2023-06-01": {"supported": True, "summary": "S."}},
            },
        },
        "paths/things.yaml": {
            "things": {
                "post": {
                    "operationId": "things_create",
                    "summary": "Make",
                    "description": "Makes a thing.",
                    "tags": ["T"],
                    "x-resource": "things",
                    "x-method": "create",
                    "x-max-bytes": 1000,
                    "x-retry": "mutating",
                    "requestBody": {
                        "required": True,
                        "content": {JSON: {"schema": {"$ref": FROM_PATHS + "ThingCreateParams"}}},
                    },
                    "responses": answer({"$ref": FROM_PATHS + "Thing"}),
                    **operation,
                }
            }
        },
        "schemas/things.yaml": {
            "Thing": {
                "type": "object",
                "description": "A thing.",
                "required": ["type"],
                "properties": tagged,
            },
            "ThingCreateParams": {
                "type": "object",
                "description": "A thing to make.",
                "properties": described,
            },
            **(components or {}),
        },
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # JSON is YAML, and names no anchors where two parts are one object.
        path.write_text(json.dumps(content), "utf-8")
    return load_spec(folder / "openapi.yaml")


FROM_PATHS = "../schemas/things.yaml#/"


def answer(schema: Mapping[str, Any], media_type: str = JSON, **more: Any) -> dict[str, Any]:
    return {"200": {"description": "D.", "content": {media_type: {"schema": schema, **more}}}}


def install(bundle: Bundle, folder: Path, name: str) -> ModuleType:
    """Write the package of a spec as ``name`` below ``folder`` and import it."""
    files, lock = render(bundle)
    write(dict(files), lock, folder / name, folder / f"{name}.lock.json")
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        package = importlib.import_module(name)
        for path in files:
            if path.endswith(".py"):
                importlib.import_module(
                    f"{name}.{path[:-3]}".replace("/", ".").removesuffix(".__init__")
                )
    finally:
        sys.path.remove(str(folder))
    return package


def forget(name: str) -> None:
    for module in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
        del sys.modules[module]


def read_by_tool(
    schemas: Mapping[str, Any] | None = None, **operation: Any
) -> openapi.GeneratorData:
    """Return what openapi-python-client reads from a document that nobody lowered."""
    paths = {}
    if operation:
        responses = {"responses": answer(STRING)}
        paths = {"/v1/things": {"get": {"operationId": "things", **responses, **operation}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas or {}},
    }
    config = Config.from_sources(
        ConfigFile(literal_enums=True), MetaType("none"), "raw", "utf-8", False, None
    )
    data = openapi.GeneratorData.from_dict(document, config=config)
    assert not isinstance(data, GeneratorError), data
    return data


def complaints(data: openapi.GeneratorData) -> str:
    """Return everything the tool reports, as one text."""
    found = [f"{error.header} {error.detail}" for error in data.errors]
    for collection in data.endpoint_collections_by_tag.values():
        found += [f"{error.header} {error.detail}" for error in collection.parse_errors]
    return "\n".join(found)


def endpoints(data: openapi.GeneratorData) -> list[openapi.Endpoint]:
    return [
        endpoint
        for collection in data.endpoint_collections_by_tag.values()
        for endpoint in collection.endpoints
    ]


def tool_template(name: str) -> str:
    """Return a template of openapi-python-client; this project uses none of them."""
    folder = Path(openapi.__file__).parents[1] / "templates"
    return (folder / name).read_text("utf-8")
