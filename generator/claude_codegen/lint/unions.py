"""Rules about unions: how a decoder finds the member a value belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..source import pointer
from .grammar import as_array, as_object
from .spec import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .grammar import JsonObject, Node
    from .spec import Spec

_NULL: Final = {"type": "null"}
_BESIDE_ONE_OF: Final = frozenset(
    {"oneOf", "discriminator", "description", "title", "deprecated", "examples", "$comment"}
)


def _unions(spec: Spec) -> Iterator[Node]:
    return (node for node in spec.nodes("schema") if "oneOf" in node.value)


def _without_discriminator(spec: Spec) -> Iterator[Finding]:
    for node in _unions(spec):
        if "discriminator" in node.value:
            continue
        objects = [
            variant for variant in node.value["oneOf"] if "object" in spec.json_kinds(variant)
        ]
        if len(objects) > 1:
            yield Finding(f"{node.pointer}/oneOf", f"{len(objects)} variants are objects")


def _unrepresentable(spec: Spec) -> Iterator[Finding]:
    for node in _unions(spec):
        at = f"{node.pointer}/oneOf"
        variants = node.value["oneOf"]
        others = [variant for variant in variants if variant != _NULL]
        if len(variants) - len(others) > 1:
            yield Finding(at, "null is listed twice")
        if len(variants) < 2 or not others:
            yield Finding(at, "a union has fewer than two variants", "write the schema itself")
        for key in node.value:
            if key not in _BESIDE_ONE_OF and not key.startswith("x-"):
                yield Finding(
                    f"{node.pointer}{pointer(key)}", f"{key} beside oneOf", "move it into a variant"
                )
        if "discriminator" in node.value:
            continue
        taken: dict[str, int] = {}
        for index, variant in enumerate(variants):
            here = f"{at}/{index}"
            kinds = spec.json_kinds(variant)
            if variant.get("type") == "null" and variant != _NULL:
                yield Finding(here, "keywords beside type: 'null'", "write {type: 'null'} alone")
            for kind in sorted(kinds - {"object"}):
                if kind in taken:
                    yield Finding(
                        here, f"variants {taken[kind]} and {index} both accept a JSON {kind}"
                    )
                    break
            for kind in kinds:
                taken.setdefault(kind, index)


def _tag_values(spec: Spec, member: JsonObject, name: str) -> list[str] | None:
    """Return what the tag property of a member can be, None when it is not a set of strings."""
    schema = spec.resolve(as_object(member.get("properties", {}).get(name)) or {})
    variants = [variant for variant in as_array(schema.get("oneOf")) or () if variant != _NULL]
    if len(variants) == 1:
        schema = spec.resolve(variants[0])
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if values is None or schema.get("x-open-enum"):
        return None
    return values if all(isinstance(value, str) for value in values) else None


def _mapping(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        if "discriminator" not in node.value:
            continue
        at = f"{node.pointer}/discriminator"
        variants = [variant for variant in node.value.get("oneOf", []) if variant != _NULL]
        if not variants:
            yield Finding(at, "a discriminator without oneOf", "list the members in oneOf")
            continue
        yield from _members(spec, node, variants)


def _members(spec: Spec, node: Node, variants: list[JsonObject]) -> Iterator[Finding]:
    at = f"{node.pointer}/discriminator"
    discriminator = node.value["discriminator"]
    name, mapping = discriminator["propertyName"], discriminator["mapping"]
    default = discriminator.get("x-default-mapping")
    references: list[str] = []
    for index, variant in enumerate(node.value["oneOf"]):
        here = f"{node.pointer}/oneOf/{index}"
        if variant == _NULL:
            continue
        reference = variant.get("$ref")
        member = spec.resolve(variant)
        if reference is None or "properties" not in member or "$ref" in spec.target(reference):
            yield Finding(here, "a member is not a reference to an object component")
            continue
        title = reference.rpartition("/")[2]
        if reference in references:
            yield Finding(here, f"{title} is a member twice", "remove one")
            continue
        references.append(reference)
        values = _tag_values(spec, member, name)
        if values is None:
            yield Finding(here, f"{title} does not say which values its {name} has")
            continue
        for value in values:
            if value not in mapping:
                yield Finding(
                    f"{at}/mapping", f"{name}: {value} of {title} is missing from the mapping"
                )
            elif mapping[value] != reference:
                other = mapping[value].rpartition("/")[2]
                yield Finding(
                    f"{at}/mapping{pointer(value)}", f"{value} is mapped to {other}, not to {title}"
                )
        for value, target in mapping.items():
            if target == reference and value not in values:
                yield Finding(
                    f"{at}/mapping{pointer(value)}", f"{title} never has the {name} {value}"
                )
        if name not in member.get("required", []) and reference != default:
            yield Finding(here, f"{name} of {title} is optional", f"make {name} required there")
    for value, target in mapping.items():
        if target not in references and all(variant.get("$ref") != target for variant in variants):
            title = target.rpartition("/")[2]
            yield Finding(f"{at}/mapping{pointer(value)}", f"{title} is not a member of the union")
    if default is not None and default not in references:
        yield Finding(f"{at}/x-default-mapping", "the default is not a member of the union")


RULES: Final = (
    Rule(
        "union-without-discriminator",
        "A union of objects has a discriminator.",
        "Without it a decoder has to try one member after the other, and an unknown one raises.",
        "add a discriminator with a full mapping",
        _without_discriminator,
    ),
    Rule(
        "union-unrepresentable",
        "The variants of a union without discriminator differ in their JSON kind.",
        "The decoder goes by object, array, string, number, boolean and null, and nothing else.",
        "join the variants of one kind: values into an enum, objects into a discriminated union",
        _unrepresentable,
    ),
    Rule(
        "discriminator-mapping-incomplete",
        "A discriminator maps every value that its members' tag property can have, and only those.",
        "A member that is not mapped would decode to Unknown, a wrong one to the wrong class.",
        "correct the mapping, or the const or enum of the property",
        _mapping,
    ),
)
