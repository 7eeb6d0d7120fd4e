"""Rules about single schemas: what the emitters can express as a Python type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..source import pointer, split_pointer
from .grammar import as_array, as_object
from .spec import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .grammar import JsonObject
    from .spec import Spec

FORMATS: Final = {
    "date-time": "string",
    "date": "string",
    "uri": "string",
    "email": "string",
    "uuid": "string",
    "byte": "string",
    "binary": "string",
    "int32": "integer",
    "int64": "integer",
    "float": "number",
    "double": "number",
}
"""Formats a spec may use, and the type each belongs to."""

_BESIDE_REFERENCE: Final = ("description", "deprecated", "$comment")

_BELONGS_TO: Final = {
    "properties": "object",
    "required": "object",
    "additionalProperties": "object",
    "minProperties": "object",
    "maxProperties": "object",
    "items": "array",
    "minItems": "array",
    "maxItems": "array",
    "uniqueItems": "array",
    "pattern": "string",
    "minLength": "string",
    "maxLength": "string",
    "contentMediaType": "string",
    "contentEncoding": "string",
}


def _types(schema: JsonObject) -> list[str]:
    """Return the declared types, without ``null``."""
    declared = schema.get("type", [])
    names: list[str] = as_array(declared) or ([declared] if isinstance(declared, str) else [])
    return [name for name in names if name != "null"]


def _all_of(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        if "allOf" in node.value:
            yield Finding(f"{node.pointer}/allOf", "allOf is not merged by the generator")


def _any_of(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        if "anyOf" in node.value:
            yield Finding(f"{node.pointer}/anyOf", "a union is written with anyOf")


def _nullable(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        if "nullable" in node.value:
            yield Finding(f"{node.pointer}/nullable", "nullable is a keyword of OpenAPI 3.0")


def _exclusive_boolean(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        for key in ("exclusiveMinimum", "exclusiveMaximum"):
            value = node.value.get(key, 0)
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield Finding(f"{node.pointer}/{key}", f"{key} is not a number")


def _default(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        if "default" in node.value:
            yield Finding(f"{node.pointer}/default", "the client never sends a default by itself")


def _enum(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        if "enum" not in node.value:
            continue
        at = f"{node.pointer}/enum"
        values = node.value["enum"]
        types = _types(node.value)
        if not values:
            yield Finding(at, "an enum has no values")
        if node.value.get("type") != (types[0] if types else None):
            yield Finding(at, "the type of an enum is a list")
        elif types not in (["string"], ["integer"]):
            yield Finding(at, "an enum is neither of strings nor of integers")
        else:
            for index, value in enumerate(values):
                if not _is_of_type(value, types[0]):
                    yield Finding(f"{at}/{index}", f"{value!r} is not of type {types[0]}")
                elif value in values[:index]:
                    yield Finding(f"{at}/{index}", f"{value!r} is in the enum twice")


def _is_of_type(value: object, name: str) -> bool:
    if name == "string":
        return isinstance(value, str)
    if name == "boolean":
        return isinstance(value, bool)
    return name == "integer" and isinstance(value, int) and not isinstance(value, bool)


def _constant(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        if "const" not in node.value:
            continue
        value, declared = node.value["const"], node.value.get("type")
        if not isinstance(declared, str) or not _is_of_type(value, declared):
            yield Finding(f"{node.pointer}/const", f"{value!r} with type {declared!r}")
        elif "enum" in node.value:
            yield Finding(f"{node.pointer}/enum", "enum beside const")


def _enum_annotation(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        values = [str(value) for value in node.value.get("enum", [])]
        for key in node.value.get("x-enum", {}):
            if key not in values:
                yield Finding(
                    f"{node.pointer}/x-enum{pointer(key)}", f"{key} is not a value of the enum"
                )
        if "x-open-enum" in node.value and "enum" not in node.value:
            yield Finding(f"{node.pointer}/x-open-enum", "x-open-enum without an enum")


def _format(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        name = node.value.get("format")
        if name is None:
            continue
        at = f"{node.pointer}/format"
        if name not in FORMATS:
            yield Finding(at, f"the format {name} is unknown")
        elif _types(node.value) != [FORMATS[name]]:
            yield Finding(at, f"the format {name} belongs to type {FORMATS[name]}")


def _type_list(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        declared = as_array(node.value.get("type"))
        if declared is not None and (
            len(declared) != 2 or len(set(declared)) != 2 or "null" not in declared
        ):
            yield Finding(f"{node.pointer}/type", f"the type list {declared}")


def _type_missing(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        types = _types(node.value)
        for key, wanted in _BELONGS_TO.items():
            if key in node.value and types != [wanted]:
                yield Finding(f"{node.pointer}/{key}", f"{key} without type {wanted}")
        if types == ["array"] and "items" not in node.value:
            yield Finding(node.pointer, "an array does not say what its items are")
        if types == ["object"] and not {"properties", "additionalProperties"} & set(node.value):
            yield Finding(
                node.pointer,
                "an object says nothing about its properties",
                "add properties, or additionalProperties: true for a free-form object",
            )


def _required_unknown(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        for index, name in enumerate(node.value.get("required", [])):
            if name not in node.value.get("properties", {}):
                yield Finding(f"{node.pointer}/required/{index}", f"{name} is not a property")


def _typed_additional(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        extra = as_object(node.value.get("additionalProperties"))
        if extra is not None and node.value.get("properties"):
            yield Finding(
                f"{node.pointer}/additionalProperties", "typed further properties beside properties"
            )


def _inline_object(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        if "properties" not in node.value:
            continue
        tokens = split_pointer(node.pointer)
        if tokens[:-1] != ["components", "schemas"]:
            yield Finding(node.pointer, "an object with properties has no name")
        elif node.value.get("type") != "object":
            yield Finding(f"{node.pointer}/properties", "a component with properties is nullable")


def _reference_siblings(spec: Spec) -> Iterator[Finding]:
    for node in spec.walk.nodes:
        if "$ref" not in node.value:
            continue
        for key in node.value:
            fine = key == "$ref" or (
                node.kind == "schema" and (key in _BESIDE_REFERENCE or key.startswith("x-"))
            )
            if not fine:
                yield Finding(f"{node.pointer}{pointer(key)}", f"{key} beside $ref")


def _empty(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        keys = {key for key in node.value if not key.startswith("x-")}
        if not keys:
            yield Finding(node.pointer, "a schema says nothing")


RULES: Final = (
    Rule(
        "all-of",
        "allOf is not used.",
        "Parsers lose properties beside an allOf with one reference, and merging hides conflicts.",
        "write the properties of all parts into one schema",
        _all_of,
    ),
    Rule(
        "any-of",
        "Unions are written with oneOf.",
        "Variants are told apart by a discriminator or their JSON kind, so exactly one fits.",
        "write oneOf",
        _any_of,
    ),
    Rule(
        "nullable-3.0",
        "The keyword nullable of OpenAPI 3.0 is not used.",
        "OpenAPI 3.1 ignores it, so the value would not be nullable.",
        "write type: [string, 'null'], or oneOf with {type: 'null'}",
        _nullable,
    ),
    Rule(
        "exclusive-boolean-3.0",
        "exclusiveMinimum and exclusiveMaximum are numbers.",
        "The boolean form of OpenAPI 3.0 means nothing in 3.1.",
        "write the limit itself",
        _exclusive_boolean,
    ),
    Rule(
        "default-unsupported",
        "Schemas have no default.",
        "Absent and given are different requests; the client sends only what the caller gave.",
        "state the default in the description",
        _default,
    ),
    Rule(
        "enum-not-scalar",
        "An enum lists different strings, or different integers, of its declared type.",
        "It becomes a Literal; null and mixed types cannot be told from a misprint.",
        "list values of one type; make it nullable with oneOf",
        _enum,
    ),
    Rule(
        "const-type-mismatch",
        "A const is a string, integer or boolean and its type says so.",
        "It becomes a Literal and the key of decoder tables.",
        "declare the matching type beside the const",
        _constant,
    ),
    Rule(
        "enum-annotation-unknown-value",
        "x-enum describes values of the enum beside it.",
        "A note about a value that is not there is a misprint of one that is.",
        "correct the key, or add the value to the enum",
        _enum_annotation,
    ),
    Rule(
        "format-unknown",
        "A format is one the emitters know, with the type it belongs to.",
        "An unknown format is dropped silently.",
        f"use one of {', '.join(FORMATS)}, or describe the format in words",
        _format,
    ),
    Rule(
        "type-list",
        "A list of types is one type and 'null'.",
        "Other lists are unions that hide which keyword belongs to which type.",
        "write oneOf with one schema per type",
        _type_list,
    ),
    Rule(
        "type-missing",
        "Keywords stand beside the type they belong to, and objects and arrays say what they hold.",
        "Without its type a keyword constrains nothing, and the value becomes Any.",
        "add the type, or remove the keyword",
        _type_missing,
    ),
    Rule(
        "required-unknown",
        "Required properties are declared.",
        "The class would lack a field that every value has.",
        "declare the property, or correct its name",
        _required_unknown,
    ),
    Rule(
        "additional-properties-typed-with-properties",
        "Properties are not mixed with typed further properties.",
        "Neither TypedDict nor a class can say that all other keys have one type.",
        "write additionalProperties: true, or move the map into a property",
        _typed_additional,
    ),
    Rule(
        "inline-object",
        "An object with properties is a component, and a component with properties not nullable.",
        "It becomes a class and needs a name; null belongs to the place where it is used.",
        "make it a component and refer to it",
        _inline_object,
    ),
    Rule(
        "ref-siblings",
        "Beside $ref there are only a description, deprecated and extensions.",
        "Parsers ignore the rest.",
        "move the keyword into the component, or make a component of its own",
        _reference_siblings,
    ),
    Rule(
        "schema-empty",
        "A schema for any value says so in its description.",
        "An empty schema is mostly a forgotten one.",
        "add the type, or a description of what may stand there",
        _empty,
    ),
)
