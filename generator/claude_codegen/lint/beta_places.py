"""Rules about where betas and API versions are stated: only what a walk over a request can find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..source import pointer, split_pointer
from .grammar import as_array, as_object
from .spec import Finding, Rule, owner, sides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .grammar import JsonObject
    from .spec import Spec

BOUNDS: Final = ("x-beta", "x-api-version")
_NULL: Final = {"type": "null"}
_SCHEMAS: Final = "#/components/schemas/"


def _is_component(at: str) -> bool:
    return at.startswith("/components/schemas/") and len(split_pointer(at)) == 3


def _is_property(at: str) -> bool:
    tokens = split_pointer(at)
    return at.startswith("/components/schemas/") and len(tokens) == 5 and tokens[3] == "properties"


def _is_found(spec: Spec, name: str) -> bool:
    """Tell whether rules can be kept for a component: an object or a union of objects."""
    schema = spec.schemas[name]
    return "properties" in schema or "discriminator" in schema


def _unreachable(spec: Spec) -> Iterator[Finding]:
    request = {name for name, found in sides(spec.document).items() if "request" in found}
    for node in spec.nodes("schema"):
        for key in BOUNDS:
            if key not in node.value:
                continue
            at = f"{node.pointer}/{key}"
            if not _is_component(node.pointer) and not _is_property(node.pointer):
                yield Finding(at, f"{key} inside a schema has no effect")
            elif _is_component(node.pointer):
                name = split_pointer(node.pointer)[2]
                if name in request and not _is_found(spec, name):
                    yield Finding(at, f"{name} is neither an object nor a union of objects")
    for node in spec.nodes("enum-note"):
        schema = node.pointer.rpartition("/x-enum/")[0]
        if any(key in node.value for key in BOUNDS) and not _holds_values(spec, schema):
            yield Finding(node.pointer, "the values of this enum are not looked at here")
    bound = _bound(spec)
    for name in sorted(request & bound):
        for field, schema in spec.schemas[name].get("properties", {}).items():
            at = pointer("components", "schemas", name, "properties", field)
            yield from _ways(spec, schema, at, bound, 0)


def _holds_values(spec: Spec, at: str) -> bool:
    """Tell whether an enum is a whole value or one element of an array, apart from null."""
    tokens = split_pointer(at)
    inside = 0
    while tokens:
        here = pointer(*tokens)
        if _is_component(here) or _is_property(here) or tokens[-1] == "schema":
            return inside < 2
        if tokens[-1] == "items":
            inside += 1
            del tokens[-1]
        elif len(tokens) > 1 and tokens[-2] == "oneOf":
            del tokens[-2:]
            union = as_object(spec.target(f"#{pointer(*tokens)}")) or {}
            others = [part for part in as_array(union.get("oneOf")) or () if part != _NULL]
            if len(others) > 1:
                return False
        else:
            return False
    return False


def _bound(spec: Spec) -> set[str]:
    """Return the schema components that are bound to a flag or version, or lead to one that is."""
    users: dict[str, set[str]] = {}
    for at, reference in spec.walk.references:
        if at.startswith("/components/schemas/"):
            users.setdefault(reference, set()).add(owner(at))
    pending = [
        owner(node.pointer)
        for node in spec.nodes("schema", "enum-note")
        if node.pointer.startswith("/components/schemas/")
        and any(key in node.value for key in (*BOUNDS, "x-api-version-within"))
    ]
    found: set[str] = set()
    while pending:
        component = pending.pop()
        if component not in found:
            found.add(component)
            pending.extend(users.get(component, ()))
    return {split_pointer(component[1:])[2] for component in found}


def _ways(
    spec: Spec, schema: JsonObject, at: str, bound: set[str], depth: int
) -> Iterator[Finding]:
    """Yield where a walk could not follow a field to what is bound; ``depth`` counts arrays."""
    reference = str(schema.get("$ref", ""))
    if reference:
        name = reference.removeprefix(_SCHEMAS)
        if name in bound and depth > 1:
            yield Finding(at, f"{name} in a list of lists needs a flag or a version")
        elif name in bound and not _is_found(spec, name):
            # What an alias stands for is looked at in the place of the alias.
            yield from _ways(spec, spec.schemas[name], at, bound, depth)
        return
    mapping = schema.get("discriminator", {}).get("mapping", {})
    members = {str(target).removeprefix(_SCHEMAS) for target in mapping.values()}
    if members & bound:
        yield Finding(at, f"{min(members & bound)} in an unnamed union needs a flag or a version")
        return
    for variant in as_array(schema.get("oneOf")) or ():
        yield from _ways(spec, variant, at, bound, depth)
    for key in ("items", "additionalProperties"):
        inner = as_object(schema.get(key))
        if inner is not None:
            yield from _ways(spec, inner, at, bound, depth + 1)


def _place_unknown(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        places: JsonObject = node.value.get("x-api-version-within", {})
        if places and not _is_property(node.pointer):
            yield Finding(
                f"{node.pointer}/x-api-version-within", "this is not a property of a component"
            )
            continue
        for path in places:
            at = f"{node.pointer}/x-api-version-within{pointer(path)}"
            found = _targets(spec, node.value)
            for step in path.split("."):
                steps = [_step(spec, target, step) for target in found]
                following = [schema for schema in steps if schema is not None]
                if not following:
                    yield Finding(at, f"{step} is neither a tag nor a property there")
                    break
                found = [inner for schema in following for inner in _targets(spec, schema)]


def _targets(
    spec: Spec, schema: JsonObject, seen: frozenset[str] = frozenset()
) -> list[JsonObject]:
    """Return the objects and unions of objects that a value is, or an element of it."""
    reference = str(schema.get("$ref", ""))
    if reference in seen:
        return []
    if reference:
        seen |= {reference}
        schema = spec.resolve(schema)
    if "properties" in schema or "discriminator" in schema:
        return [schema]
    inside = [*(as_array(schema.get("oneOf")) or ())]
    for key in ("items", "additionalProperties"):
        inner = as_object(schema.get(key))
        if inner is not None:
            inside.append(inner)
    return [target for part in inside for target in _targets(spec, part, seen)]


def _step(spec: Spec, target: JsonObject, step: str) -> JsonObject | None:
    if "discriminator" in target:
        reference = target["discriminator"]["mapping"].get(step)
        return None if reference is None else as_object(spec.target(str(reference)))
    return as_object(target.get("properties", {}).get(step))


RULES: Final = (
    Rule(
        "beta-unreachable",
        "What needs a flag or a version stands where a walk over a request can find it.",
        "Its flag would silently not be sent.",
        "put it on a property, an x-enum entry or an object component; name unions and inner lists",
        _unreachable,
    ),
    Rule(
        "api-version-place-unknown",
        "Paths of x-api-version-within lead through tags and properties that are there.",
        "A bound with a misspelt path never applies.",
        "write tags of unions and names of properties in turn, joined by dots",
        _place_unknown,
    ),
)
