"""Rewrite the bundle into what openapi-python-client's parser reads correctly.

Everything that parser would drop, merge or misread is taken out and kept in side tables, keyed by
JSON pointer into the bundle, for :mod:`.ir` to join again:

- discriminated and mixed unions, enums (open or closed), nullable types, free-form maps and
  references to components that are not objects: replaced by "any value";
- array headers, server-sent events, JSONL and binary answers, error answers: removed;
- component names: replaced by ``C0001`` and so on, so that neither titles nor names that fold to
  one module (``URLSource``, ``UrlSource``) can collide there.

The result holds objects, arrays, scalars, constants and references to objects only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from .source import pointer, split_pointer
from .types import ListOf, Literal, MapOf, Nullable, OneOf, Ref, Scalar, Tagged, Type

JSON = "application/json"
PARSED_FORMATS = frozenset({"binary", "date-time"})
"""Formats with a Python type of their own; text of any other format stays text."""


class UnrepresentableError(Exception):
    """A schema that no emitter can express; lint reports the same with its rule."""

    def __init__(self, pointer: str, reason: str) -> None:
        """Name the place and what is wrong there."""
        super().__init__(f"{pointer}: {reason}")
        self.pointer = pointer
        self.reason = reason


@dataclass
class Lowered:
    """The parser's input and what was kept from it."""

    document: dict[str, Any]
    components: dict[str, str] = field(default_factory=dict[str, str])
    """Component name by its name in :attr:`document`."""
    operations: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Path and method of each operation by its id in :attr:`document`."""
    types: dict[str, Type] = field(default_factory=dict[str, Type])
    """What stands at a pointer where :attr:`document` says "any value"."""
    parameters: dict[tuple[str, str, str, str], str] = field(
        default_factory=dict[tuple[str, str, str, str], str]
    )
    """Pointer to the schema of each parameter, by path, method, location and name."""
    nullable: set[str] = field(default_factory=set[str])
    """Pointers at which ``null`` is allowed too."""


def lower(document: dict[str, Any]) -> Lowered:
    """Lower a bundled document. Raises :class:`UnrepresentableError`."""
    return _Lowering(document).run()


def is_alias(schema: dict[str, Any]) -> bool:
    """Whether a component is another name for a type instead of an object with fields."""
    return "properties" not in schema and schema.get("type") != "object"


def is_free_form(schema: dict[str, Any]) -> bool:
    """Whether any further key of an object means something, as in a JSON Schema."""
    return schema.get("type") == "object" and schema.get("additionalProperties") is True


def strip_null(schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return the schema without its ``null`` and whether there was one."""
    kinds: Any = schema.get("type")
    if kinds.__class__ is list and "null" in kinds:
        names = [kind for kind in kinds if kind != "null"]
        return {**schema, "type": names[0] if len(names) == 1 else names}, True
    for key in ("oneOf", "anyOf"):
        variants = schema.get(key)
        if variants is not None and {"type": "null"} in variants:
            rest = [variant for variant in variants if variant != {"type": "null"}]
            without = {name: value for name, value in schema.items() if name != key}
            return ({**without, **rest[0]} if len(rest) == 1 else {**without, key: rest}), True
    return schema, False


def component_of(reference: str) -> str:
    """Return the component name of ``#/components/schemas/Name``."""
    return reference.rsplit("/", 1)[-1]


def parse_type(schema: dict[str, Any], at: str) -> Type:
    """Read a schema of the bundle as a type. Raises :class:`UnrepresentableError`."""
    schema, nullable = strip_null(schema)
    if nullable:
        return Nullable(parse_type(schema, at))
    if "$ref" in schema:
        return Ref(component_of(schema["$ref"]))
    if "const" in schema:
        return Literal((schema["const"],))
    if "enum" in schema:
        return Literal(tuple(schema["enum"]), open=bool(schema.get("x-open-enum")))
    variants = schema.get("oneOf", schema.get("anyOf"))
    if variants is not None:
        return _parse_union(schema, variants, at)
    match schema.get("type"):
        case "array":
            return ListOf(parse_type(schema.get("items", {}), at + "/items"))
        case "object":
            if "properties" in schema:
                raise UnrepresentableError(at, "an object with properties must be a component")
            return MapOf(parse_further(schema, at))
        case "string":
            if schema.get("contentEncoding") == "base64":
                return Scalar("base64")
            match schema.get("format"):
                case "date-time":
                    return Scalar("datetime")
                case "binary":
                    return Scalar("bytes")
                case _:
                    return Scalar("str")
        case "integer":
            return Scalar("int")
        case "number":
            return Scalar("float")
        case "boolean":
            return Scalar("bool")
        case None:
            return Scalar("any")
        case other:
            raise UnrepresentableError(at, f"type {other!r} has no Python form here")


def parse_further(schema: dict[str, Any], at: str) -> Type:
    """Return what the keys hold that an object does not declare."""
    value: Any = schema.get("additionalProperties", True)
    if not isinstance(value, dict):
        return Scalar("any")
    return parse_type(cast("dict[str, Any]", value), at + "/additionalProperties")


def _parse_union(schema: dict[str, Any], variants: list[dict[str, Any]], at: str) -> Type:
    discriminator = schema.get("discriminator")
    if discriminator is not None:
        default = discriminator.get("x-default-mapping")
        return Tagged(
            discriminator["propertyName"],
            tuple(
                sorted(
                    (tag, component_of(reference))
                    for tag, reference in discriminator["mapping"].items()
                )
            ),
            None if default is None else component_of(default),
            tuple(component_of(variant["$ref"]) for variant in variants),
        )
    return OneOf(
        tuple(parse_type(variant, f"{at}/oneOf/{i}") for i, variant in enumerate(variants))
    )


class _Lowering:
    def __init__(self, document: dict[str, Any]) -> None:
        self.source = document
        self.schemas: dict[str, dict[str, Any]] = document.get("components", {}).get("schemas", {})
        self.lowered_names = {
            name: f"C{number:04}" for number, name in enumerate(sorted(self.schemas), 1)
        }
        self.result = Lowered(
            {}, components={lowered: name for name, lowered in self.lowered_names.items()}
        )

    def run(self) -> Lowered:
        self.result.document = {
            "openapi": "3.1.0",
            "info": {"title": "lowered", "version": "0"},
            "paths": self.paths(),
            "components": {
                "schemas": {
                    self.lowered_names[name]: self.component(name) for name in sorted(self.schemas)
                }
            },
        }
        return self.result

    def component(self, name: str) -> dict[str, Any]:
        schema = self.schemas[name]
        at = pointer("components", "schemas", name)
        if is_alias(schema):
            # One field holds the alias, so that the parser sees and counts every component.
            value = self.schema(
                {
                    key: part
                    for key, part in schema.items()
                    if key != "description" and (not key.startswith("x-") or key == "x-open-enum")
                },
                at,
            )
            return {"type": "object", "required": ["value"], "properties": {"value": value}}
        properties = {
            wire_name: self.schema(part, f"{at}/properties{pointer(wire_name)}")
            for wire_name, part in schema.get("properties", {}).items()
        }
        return {
            "type": "object",
            "required": [name for name in schema.get("required", []) if name in properties],
            "properties": properties,
        }

    def schema(self, schema: dict[str, Any], at: str) -> dict[str, Any]:
        """Lower one schema, moving what the parser cannot read into the side tables."""
        schema, nullable = strip_null(schema)
        if nullable:
            self.result.nullable.add(at)
        if "$ref" in schema:
            name = component_of(schema["$ref"])
            if name not in self.schemas:
                raise UnrepresentableError(at, f"no component {name}")
            if is_alias(self.schemas[name]):
                return self.moved(Ref(name), at)
            return {"$ref": f"#/components/schemas/{self.lowered_names[name]}"}
        if "enum" in schema or "oneOf" in schema or "anyOf" in schema:
            return self.moved(parse_type(schema, at), at)
        if schema.get("type") == "object" or "contentEncoding" in schema:
            return self.moved(parse_type(schema, at), at)
        if schema.get("type") == "array":
            return {"type": "array", "items": self.schema(schema.get("items", {}), at + "/items")}
        if isinstance(schema.get("type"), list):
            raise UnrepresentableError(at, f"type {schema['type']!r} has no Python form here")
        kept: dict[str, Any] = {key: schema[key] for key in ("type", "const") if key in schema}
        if schema.get("format") in PARSED_FORMATS:
            kept["format"] = schema["format"]
        return kept

    def moved(self, moved: Type, at: str) -> dict[str, Any]:
        self.result.types[at] = moved
        return {}

    def paths(self) -> dict[str, Any]:
        paths: dict[str, Any] = {}
        for path, item in sorted(self.source.get("paths", {}).items()):
            for method, operation in sorted(item.items()):
                if method not in METHODS:
                    continue
                operation_id = f"op{len(self.result.operations) + 1:04}"
                self.result.operations[operation_id] = (path, method)
                paths.setdefault(path, {})[method] = self.operation(
                    operation_id, operation, (path, method)
                )
        return paths

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow a reference to a shared body or answer."""
        while "$ref" in node:
            target: Any = self.source
            for token in split_pointer(node["$ref"].removeprefix("#")):
                target = target[token]
            node = target
        return node

    def operation(
        self, operation_id: str, operation: dict[str, Any], key: tuple[str, str]
    ) -> dict[str, Any]:
        at = pointer("paths", *key)
        parameters: list[dict[str, Any]] = []
        for number, listed in enumerate(operation.get("parameters", [])):
            parameter = self.resolve(listed)
            shared = listed.get("$ref")
            place = f"{at}/parameters/{number}" if shared is None else shared.removeprefix("#")
            place += "/schema"
            self.result.parameters[(*key, parameter["in"], parameter["name"])] = place
            lowered = self.schema(parameter["schema"], place)
            if parameter["in"] == "header" and lowered.get("type") == "array":
                lowered = self.moved(parse_type(parameter["schema"], place), place)
            parameters.append(
                {
                    "name": parameter["name"],
                    "in": parameter["in"],
                    "required": parameter.get("required", False),
                    "schema": lowered or {"type": "string"},
                }
            )
        lowered_operation: dict[str, Any] = {
            "operationId": operation_id,
            "tags": ["operations"],
            "parameters": parameters,
            "responses": {},
        }
        body = self.resolve(operation.get("requestBody", {}))
        if JSON in body.get("content", {}):
            schema = self.schema(body["content"][JSON]["schema"], f"{at}/requestBody")
            lowered_operation["requestBody"] = {
                "required": body.get("required", False),
                "content": {JSON: {"schema": schema}},
            }
        for status, response in operation["responses"].items():
            media = self.resolve(response).get("content", {}).get(JSON)
            if status.startswith("2") and media is not None:
                lowered_operation["responses"][status] = {
                    "description": "",
                    "content": {
                        JSON: {"schema": self.schema(media["schema"], f"{at}/responses/{status}")}
                    },
                }
        return lowered_operation


METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
