"""The subset of OpenAPI 3.1 that a spec may use, and one walk over a document by it.

``GRAMMAR`` says which keys an object of each kind may have and what stands there. The walk yields
every object of a known kind, every reference and every departure from the grammar, so that no
rule has to guess whether a mapping is a schema or an example that looks like one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, cast

from ..source import pointer as join

JsonObject = dict[str, Any]

_SCALARS: Final = {
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int,),
}

# A shape is a scalar of _SCALARS, "any", "strings" (array of strings; "strings?": or one string), a
# kind of this table, "schema?" (schema or boolean), "type" (of a schema), or "map:" or "list:" and
# a shape.
GRAMMAR: Final[dict[str, dict[str, str]]] = {
    "root": {
        "openapi": "string",
        "info": "info",
        "jsonSchemaDialect": "string",
        "servers": "list:server",
        "security": "list:any",
        "tags": "list:tag",
        "paths": "map:path-item",
        "webhooks": "map:webhook",
        "components": "components",
        "externalDocs": "any",
        "x-betas": "map:beta-flag",
        "x-api-versions": "api-versions",
        "x-error-codes": "map:error-code",
        "x-models": "map:model-end",
    },
    "info": {
        "title": "string",
        "summary": "string",
        "description": "string",
        "termsOfService": "string",
        "contact": "any",
        "license": "any",
        "version": "string",
    },
    "server": {"url": "string", "description": "string", "variables": "any"},
    "tag": {"name": "string", "description": "string", "externalDocs": "any"},
    "components": {
        "schemas": "map:schema",
        "parameters": "map:parameter",
        "responses": "map:response",
        "headers": "map:header",
        "requestBodies": "map:request-body",
        "securitySchemes": "map:security-scheme",
    },
    "security-scheme": {
        "type": "string",
        "description": "string",
        "name": "string",
        "in": "string",
        "scheme": "string",
        "bearerFormat": "string",
        "flows": "any",
        "openIdConnectUrl": "string",
    },
    "path-item": {
        "summary": "string",
        "description": "string",
        "get": "operation",
        "put": "operation",
        "post": "operation",
        "patch": "operation",
        "delete": "operation",
    },
    "webhook": {"summary": "string", "description": "string", "post": "webhook-request"},
    "webhook-request": {
        "summary": "string",
        "description": "string",
        "parameters": "list:parameter",
        "requestBody": "request-body",
        "responses": "map:response",
    },
    "operation": {
        "operationId": "string",
        "summary": "string",
        "description": "string",
        "tags": "strings",
        "deprecated": "boolean",
        "parameters": "list:parameter",
        "requestBody": "request-body",
        "responses": "map:response",
        "security": "list:any",
        "externalDocs": "any",
        "x-resource": "string",
        "x-method": "string",
        "x-pagination": "strings?",
        "x-max-bytes": "integer",
        "x-retry": "string",
        "x-error-codes": "strings",
        "x-unavailable-on": "strings",
        "x-stream-argument": "string",
        "x-beta": "any",
        "x-api-version": "version-range",
    },
    "parameter": {
        "name": "string",
        "in": "string",
        "description": "string",
        "required": "boolean",
        "deprecated": "boolean",
        "style": "string",
        "explode": "boolean",
        "schema": "schema",
        "examples": "map:example",
        "x-python-name": "string",
        "x-beta": "any",
        "x-api-version": "version-range",
    },
    "request-body": {
        "description": "string",
        "required": "boolean",
        "content": "map:media-type",
    },
    "response": {
        "description": "string",
        "headers": "map:header",
        "content": "map:media-type",
    },
    "header": {
        "description": "string",
        "required": "boolean",
        "deprecated": "boolean",
        "schema": "schema",
        "examples": "map:example",
    },
    "media-type": {
        "schema": "schema",
        "examples": "map:example",
        "encoding": "any",
        "x-item-schema": "schema",
    },
    "example": {
        "summary": "string",
        "description": "string",
        "value": "any",
        "x-request-headers": "map:string",
    },
    "discriminator": {
        "propertyName": "string",
        "mapping": "map:string",
        "x-default-mapping": "string",
    },
    "schema": {
        "type": "type",
        "title": "string",
        "description": "string",
        "deprecated": "boolean",
        "properties": "map:schema",
        "required": "strings",
        "additionalProperties": "schema?",
        "items": "schema",
        "oneOf": "list:schema",
        "anyOf": "list:schema",
        "allOf": "list:schema",
        "discriminator": "discriminator",
        "enum": "list:any",
        "const": "any",
        "default": "any",
        "nullable": "any",
        "format": "string",
        "pattern": "string",
        "minLength": "integer",
        "maxLength": "integer",
        "minimum": "number",
        "maximum": "number",
        "exclusiveMinimum": "any",
        "exclusiveMaximum": "any",
        "multipleOf": "number",
        "minItems": "integer",
        "maxItems": "integer",
        "uniqueItems": "boolean",
        "minProperties": "integer",
        "maxProperties": "integer",
        "contentMediaType": "string",
        "contentEncoding": "string",
        "readOnly": "boolean",
        "writeOnly": "boolean",
        "examples": "list:any",
        "$comment": "string",
        "x-beta": "any",
        "x-api-version": "version-range",
        "x-api-version-within": "map:version-range",
        "x-enum": "map:enum-note",
        "x-open-enum": "boolean",
        "x-python-name": "string",
    },
    "enum-note": {
        "description": "string",
        "deprecated": "boolean",
        "x-beta": "any",
        "x-api-version": "version-range",
    },
    "version-range": {"since": "string", "until": "string"},
    "beta-flag": {
        "summary": "string",
        "status": "string",
        "endpoints": "strings",
        "replaces": "strings",
        "selects_shape": "boolean",
    },
    "api-versions": {"default": "string", "versions": "map:api-version"},
    "api-version": {"supported": "boolean", "summary": "string"},
    "model-end": {"deprecated_on": "string", "retires_on": "string", "replacement": "string"},
    "error-code": {
        "status": "integer",
        "class": "string",
        "description": "string",
        "retry": "any",
        "details": "map:string",
    },
}

REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "root": ("openapi", "info", "paths"),
    "info": ("title", "version"),
    "server": ("url",),
    "tag": ("name",),
    "operation": ("responses",),
    "webhook": ("post",),
    "webhook-request": ("requestBody", "responses"),
    "parameter": ("name", "in", "schema"),
    "request-body": ("content",),
    "header": ("schema",),
    "example": ("value",),
    "discriminator": ("propertyName", "mapping"),
    "beta-flag": ("summary", "status", "endpoints"),
    "api-versions": ("default", "versions"),
    "api-version": ("supported", "summary"),
    "model-end": ("retires_on",),
    "error-code": ("status", "class", "description", "retry"),
}

REFERABLE: Final = {
    "schema": "schemas",
    "parameter": "parameters",
    "response": "responses",
    "header": "headers",
    "request-body": "requestBodies",
}
"""Component section that a ``$ref`` in an object of each kind has to lead into."""

TYPES: Final = ("string", "integer", "number", "boolean", "array", "object", "null")
METHODS: Final = ("delete", "get", "patch", "post", "put")


@dataclass(frozen=True, slots=True)
class Node:
    """An object of a known kind and where it is in the document."""

    kind: str
    pointer: str
    value: JsonObject


@dataclass(slots=True)
class Walk:
    """What one walk over a document found."""

    nodes: list[Node] = field(default_factory=list[Node])
    references: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Pointer of each object with a ``$ref``, and the reference."""
    misshapen: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Pointer and message where a value has the wrong type or lacks a required key."""
    unsupported: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """Pointer, kind and key of everything outside the grammar that is no extension."""
    extensions: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """Pointer, kind and key of every ``x-`` key outside the grammar."""


def as_object(value: object) -> JsonObject | None:
    """Return ``value`` as a JSON object, None when it is something else."""
    return cast("JsonObject", value) if isinstance(value, dict) else None


def as_array(value: object) -> list[Any] | None:
    """Return ``value`` as a JSON array, None when it is something else."""
    return cast("list[Any]", value) if isinstance(value, list) else None  # type: ignore[redundant-cast]


def walk(document: JsonObject) -> Walk:
    """Walk over a bundled document by the grammar."""
    result = Walk()
    _visit(document, "root", "", result)
    return result


def _visit(value: object, shape: str, at: str, result: Walk) -> None:
    prefix, _, inner = shape.partition(":")
    if prefix == "map":
        _visit_map(value, inner, at, result)
    elif prefix == "list":
        items = as_array(value)
        if items is None:
            result.misshapen.append((at, "this is not a list"))
        for index, item in enumerate(items or ()):
            _visit(item, inner, f"{at}/{index}", result)
    elif shape in ("strings", "strings?"):
        items = [value] if isinstance(value, str) and shape == "strings?" else as_array(value)
        if items is None or not all(isinstance(item, str) for item in items):
            result.misshapen.append((at, "this is not a list of strings"))
        elif len(set(items)) != len(items):
            result.misshapen.append((at, "an entry is in this list twice"))
    elif shape in _SCALARS:
        wanted = _SCALARS[shape]
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            result.misshapen.append((at, f"this is not a {shape}"))
    elif shape == "type":
        _visit_type(value, at, result)
    elif shape == "schema?":
        if not isinstance(value, bool):
            _visit(value, "schema", at, result)
    elif shape != "any":
        _visit_object(value, shape, at, result)


def _visit_map(value: object, inner: str, at: str, result: Walk) -> None:
    entries = as_object(value)
    if entries is None:
        result.misshapen.append((at, "this is not a mapping"))
    for key, item in (entries or {}).items():
        _visit(item, inner, at + join(key), result)


def _visit_type(value: object, at: str, result: Walk) -> None:
    names = as_array(value)
    names = [value] if names is None else names
    if not names or not all(isinstance(name, str) and name in TYPES for name in names):
        result.misshapen.append((at, f"a type is one of {', '.join(TYPES)}, or a list of them"))


def _visit_object(value: object, kind: str, at: str, result: Walk) -> None:
    node = as_object(value)
    if node is None:
        result.misshapen.append((at, f"this is not a {kind} (a mapping)"))
        return
    result.nodes.append(Node(kind, at, node))
    is_reference = "$ref" in node and kind in REFERABLE
    if is_reference:
        if isinstance(node["$ref"], str):
            result.references.append((at, node["$ref"]))
        else:
            result.misshapen.append((at + "/$ref", "this is not a string"))
    else:
        for key in REQUIRED.get(kind, ()):
            if key not in node:
                result.misshapen.append((at, f"{key} is missing from this {kind}"))
    keys = GRAMMAR[kind]
    for key, item in node.items():
        here = at + join(key)
        if key in keys:
            _visit(item, keys[key], here, result)
        elif key.startswith("x-"):
            result.extensions.append((here, kind, key))
        elif not (key == "$ref" and is_reference):
            result.unsupported.append((here, kind, key))
