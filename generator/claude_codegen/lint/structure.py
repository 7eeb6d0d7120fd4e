"""Rules about the document as such: its version, its shape, what it leaves unused or unsaid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..source import pointer, split_pointer
from .grammar import GRAMMAR, REFERABLE, as_object
from .spec import Finding, Rule, owner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .spec import Spec

_SAID_ELSEWHERE: Final = {
    ("schema", "allOf"): "write the properties of all parts into one schema",
    ("schema", "not"): "describe the exclusion in words",
    ("schema", "patternProperties"): "use additionalProperties",
    ("schema", "prefixItems"): "use items",
    ("schema", "$defs"): "make each definition a component",
    ("schema", "example"): "use examples, a list",
    ("path-item", "parameters"): "list the parameters in each operation",
    ("parameter", "content"): "use schema",
    ("parameter", "example"): "use examples",
    ("media-type", "example"): "use examples",
}


def _openapi_version(spec: Spec) -> Iterator[Finding]:
    version = spec.document.get("openapi")
    if not isinstance(version, str) or not re.fullmatch(r"3\.1\.\d+", version):
        yield Finding("/openapi" if version is not None else "", f"the version is {version!r}")


def _structure(spec: Spec) -> Iterator[Finding]:
    for at, message in spec.walk.misshapen:
        yield Finding(at, message)


def _keyword_unsupported(spec: Spec) -> Iterator[Finding]:
    for at, kind, key in spec.walk.unsupported:
        if key == "$ref":
            fix = f"a {kind} cannot be a reference: write it out"
        else:
            fix = _SAID_ELSEWHERE.get((kind, key), f"a {kind} has: {', '.join(GRAMMAR[kind])}")
        yield Finding(at, f"{key} in a {kind} has no effect on the generated code", fix)


def _reference_kind(spec: Spec) -> Iterator[Finding]:
    kinds = {node.pointer: node.kind for node in spec.walk.nodes}
    for at, reference in spec.walk.references:
        wanted = REFERABLE[kinds[at]]
        tokens = split_pointer(reference.partition("#")[2])
        if tokens[:1] != ["components"] or tokens[1:2] != [wanted] or len(tokens) != 3:
            yield Finding(
                f"{at}/$ref", f"{reference} is not one of the {wanted}", f"refer to {wanted}"
            )
        elif spec.target(reference) is None:
            yield Finding(f"{at}/$ref", f"{reference} is not there")


def _reference_cycle(spec: Spec) -> Iterator[Finding]:
    for section, components in spec.component_sections.items():
        for name in components:
            start = f"#{pointer('components', section, name)}"
            if start in _same_value(spec, start):
                yield Finding(start[1:], f"{name} is defined by nothing but itself")


def _same_value(spec: Spec, start: str) -> set[str]:
    """Return the components that describe the very value ``start`` does.

    An array or a property in between makes a circle finite, so only ``$ref`` and ``oneOf`` count.
    """
    pending, seen = [start], set[str]()
    while pending:
        component = as_object(spec.target(pending.pop())) or {}
        for part in (component, *component.get("oneOf", [])):
            target = part.get("$ref")
            if isinstance(target, str) and target not in seen:
                seen.add(target)
                pending.append(target)
    return seen


def _unused_component(spec: Spec) -> Iterator[Finding]:
    edges: dict[str, set[str]] = {}
    pending: list[str] = []
    for at, reference in spec.walk.references:
        if at.startswith("/components/"):
            edges.setdefault(owner(at), set()).add(reference)
        else:
            pending.append(reference)
    used: set[str] = set()
    while pending:
        reference = pending.pop()
        if reference not in used:
            used.add(reference)
            pending.extend(edges.get(reference, ()))
    for scheme in _named_schemes(spec):
        used.add("#" + pointer("components", "securitySchemes", scheme))
    for section, components in spec.component_sections.items():
        for name in components:
            at = pointer("components", section, name)
            if f"#{at}" not in used:
                yield Finding(at, f"no operation reaches {name}")


def _named_schemes(spec: Spec) -> Iterator[str]:
    nodes = [spec.document, *(operation.value for operation in spec.operations)]
    for node in nodes:
        for requirement in node.get("security", []):
            yield from as_object(requirement) or ()


def _unused_file(spec: Spec) -> Iterator[Finding]:
    for name, place in sorted(spec.bundle.unreferenced.items()):
        yield Finding("", f"nothing refers to {name}", place=place)


_TODO = re.compile(r"\b(TODO|FIXME|XXX|TBD|lorem ipsum)\b", re.IGNORECASE)


def _todo_text(spec: Spec) -> Iterator[Finding]:
    for node in spec.walk.nodes:
        for key in ("title", "summary", "description"):
            text = node.value.get(key)
            if isinstance(text, str) and _is_unfinished(text):
                yield Finding(f"{node.pointer}/{key}", "the text is still to be written")


def _is_unfinished(text: str) -> bool:
    match = _TODO.search(text)
    # "xxx" and "tbd" in lower case may be part of a sample value; "todo" is a word of its own.
    return match is not None and (match[0].isupper() or match[0].lower().startswith("lorem"))


_DESCRIBED: Final = {
    "info": "the API",
    "tag": "the tag",
    "operation": "the operation",
    "webhook-request": "the webhook",
    "parameter": "the parameter",
    "response": "the response",
    "header": "the header",
    "security-scheme": "the security scheme",
}


def _description_missing(spec: Spec) -> Iterator[Finding]:
    for node in spec.walk.nodes:
        is_component = node.kind == "schema" and split_pointer(node.pointer)[:-1] == [
            "components",
            "schemas",
        ]
        if (node.kind not in _DESCRIBED and not is_component) or "$ref" in node.value:
            continue
        if not str(node.value.get("description", "")).strip():
            what = _DESCRIBED.get(node.kind, "the component")
            yield Finding(node.pointer, f"{what} has no description")


SELF_EXPLANATORY: Final = frozenset(
    {
        "created_at",
        "data",
        "display_name",
        "enabled",
        "error",
        "has_more",
        "id",
        "media_type",
        "message",
        "model",
        "name",
        "role",
        "status",
        "supported",
        "text",
        "title",
        "type",
        "updated_at",
        "url",
    }
)
"""Properties whose name says everything, together with the description of the object."""


def _property_description_missing(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        tokens = split_pointer(node.pointer)
        if len(tokens) < 2 or tokens[-2] != "properties" or tokens[-1] in SELF_EXPLANATORY:
            continue
        if not str(node.value.get("description", "")).strip():
            yield Finding(node.pointer, f"the property {tokens[-1]} has no description")


def _tag_unknown(spec: Spec) -> Iterator[Finding]:
    known = [tag["name"] for tag in spec.document.get("tags", [])]
    for operation in spec.operations:
        for index, tag in enumerate(operation.value.get("tags", [])):
            if tag not in known:
                yield Finding(f"{operation.pointer}/tags/{index}", f"the tag {tag} is not declared")


def _service(spec: Spec) -> Iterator[Finding]:
    if not spec.document.get("servers"):
        yield Finding(
            "", "no server is named", "add servers: with the url that requests go to by default"
        )
    if not spec.document.get("x-api-versions"):
        yield Finding(
            "", "no API version is named", "add x-api-versions: with a default and versions"
        )


STRUCTURAL: Final = (
    Rule(
        "openapi-version",
        "The document is OpenAPI 3.1.",
        "3.0 and 3.2 mean other things by the same keywords.",
        "write openapi: 3.1.0",
        _openapi_version,
    ),
    Rule(
        "structure",
        "Every object has the keys it needs, each with a value of the right type.",
        "The later stages rely on the shape of the document.",
        "see the OpenAPI 3.1 specification for the object in question",
        _structure,
    ),
)
"""Rules about shape. While one of them is broken, no other rule is asked."""

REFERENTIAL: Final = (
    Rule(
        "ref-kind",
        "A reference leads to a component of the kind that stands there.",
        "A schema in the place of a parameter would be read as an empty parameter.",
        "refer to a component of the right kind",
        _reference_kind,
    ),
    Rule(
        "ref-cycle",
        "No schema is defined by nothing but itself.",
        "Such a schema describes no value, and a decoder for it never ends.",
        "break the circle with a schema of its own",
        _reference_cycle,
    ),
)
"""Rules about references, asked next: all others follow references and rely on them."""

RULES: Final = (
    Rule(
        "keyword-unsupported",
        "Only keywords that the emitters can express are used.",
        "A keyword that is silently dropped promises something the client does not do.",
        "remove the keyword",
        _keyword_unsupported,
    ),
    Rule(
        "unused-component",
        "Every component is reached by an operation or a webhook.",
        "Unused types end up in the client as dead code and go stale unnoticed.",
        "refer to it from an operation or remove it",
        _unused_component,
    ),
    Rule(
        "unused-file",
        "Every YAML file and every path item in it is part of the document.",
        "An edit in a forgotten file changes nothing.",
        "refer to it from openapi.yaml or remove it",
        _unused_file,
    ),
    Rule(
        "todo-text",
        "No text is a placeholder.",
        "Descriptions become docstrings that users read.",
        "write the text",
        _todo_text,
    ),
    Rule(
        "description-missing",
        "Operations, parameters, responses, headers, tags and components have descriptions.",
        "They become the reference and the docstrings of the client.",
        "add a description: what it does, units, limits, what error comes of misuse",
        _description_missing,
    ),
    Rule(
        "property-description-missing",
        "Properties have descriptions unless the name says everything.",
        "A reader of the generated class has nothing else to go by.",
        "add a description",
        _property_description_missing,
    ),
    Rule(
        "tag-unknown",
        "Tags of operations are declared at the root.",
        "The tag groups the operation in the reference.",
        "declare the tag with a description, or correct its name",
        _tag_unknown,
    ),
    Rule(
        "service-missing",
        "The document names a server and the registry of API versions.",
        "The client needs a base URL and a value of the version header.",
        "add servers and x-api-versions to openapi.yaml",
        _service,
    ),
)
