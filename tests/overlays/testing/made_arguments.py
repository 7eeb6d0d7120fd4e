"""Arguments for every operation of the spec, made from the schemas: enough to send a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing.samples import sample
from claude_rest.spec import load_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

BUNDLE = load_bundle()
MANUAL = b"---\nname: invoice-checker\ndescription: Checks invoices.\n---\n# Steps\n"
"""A file that can be uploaded, and as a skill too."""


def operations() -> Iterator[Any]:
    """Yield each operation with the parameters of its path, as a parameter set of pytest."""
    for item in BUNDLE["paths"].values():
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                operation = dict(item[method])
                shared = item.get("parameters", [])
                operation["parameters"] = [*shared, *operation.get("parameters", [])]
                name = f"{operation['x-resource']}.{operation['x-method']}"
                yield pytest.param(operation, id=name)


def resolved(node: Any) -> Any:
    """Follow the references of a node of the spec."""
    while "$ref" in node:
        target: Any = BUNDLE
        for token in node["$ref"].removeprefix("#/").split("/"):
            target = target[token.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def made_up(schema: Any, name: str) -> Any:
    """Return a value for an argument; lists get an entry, files a name and content."""
    plain = resolved(schema)
    if plain.get("format") == "binary":
        filename = "folder/SKILL.md" if name == "files" else "notes.txt"
        return (filename, MANUAL, "text/plain")
    if plain.get("type") == "array":
        return [made_up(plain["items"], name)]
    return sample({**plain, "components": BUNDLE["components"]}, name=name)


def arguments_of(operation: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments that an operation needs, and those that it can have besides."""
    needed: dict[str, Any] = {}
    possible: dict[str, Any] = {}
    for entry in operation["parameters"]:
        parameter = resolved(entry)
        if parameter["in"] == "header":
            continue
        name = _python_name(parameter, parameter["name"])
        group = needed if parameter.get("required") else possible
        group[name] = made_up(parameter["schema"], name)
    content = resolved(operation.get("requestBody", {})).get("content", {})
    for media in content.values():
        schema = resolved(media["schema"])
        for wire_name, part in schema["properties"].items():
            name = _python_name(part, wire_name)
            group = needed if wire_name in schema.get("required", ()) else possible
            group[name] = made_up(part, name)
    return needed, possible


def examples_of(operation: Any) -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
    """Yield name, arguments and headers of each example that says how it is asked for."""
    arguments: dict[str, dict[str, Any]] = {}
    headers: dict[str, dict[str, str]] = {}
    for entry in operation["parameters"]:
        parameter = resolved(entry)
        python_name = _python_name(parameter, parameter["name"])
        for name, example in parameter.get("examples", {}).items():
            if parameter["in"] != "header":
                arguments.setdefault(name, {})[python_name] = resolved(example)["value"]
    media = resolved(operation.get("requestBody", {})).get("content", {}).get("application/json")
    for name, entry in (media or {}).get("examples", {}).items():
        example = resolved(entry)
        headers[name] = example.get("x-request-headers", {})
        properties = resolved(media["schema"])["properties"]
        arguments.setdefault(name, {}).update(
            {_python_name(properties[key], key): value for key, value in example["value"].items()}
        )
    needed, _ = arguments_of(operation)
    for name, given in arguments.items():
        if needed.keys() <= given.keys():
            yield name, given, headers.get(name, {})


def _python_name(node: Any, wire_name: str) -> str:
    return str(node.get("x-python-name") or wire_name.removesuffix("[]"))


def find(client: Any, operation: Any) -> Any:
    """Return the method of a client for an operation, or None."""
    found = client
    for name in (*operation["x-resource"].split("."), operation["x-method"]):
        found = getattr(found, name, None)
    return found
