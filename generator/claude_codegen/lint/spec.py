"""A bundle as the rules see it: operations, components, every schema, and who refers to whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ..source import split_pointer
from .grammar import METHODS, JsonObject, Node, as_array, as_object, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..load import Bundle
    from ..source import Location

_KIND_OF_TYPE: Final[dict[str, str]] = {"integer": "number"}
ALL_KINDS: Final = frozenset({"object", "array", "string", "number", "boolean", "null"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: where, what, and a fix of its own if it is not the rule's."""

    pointer: str
    message: str
    fix: str = ""
    place: Location | None = None
    """The source place, when ``pointer`` does not lead to it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: ``check`` yields what breaks it."""

    id: str
    summary: str
    """What the rule asks for, in one sentence."""
    why: str
    """What goes wrong without it."""
    fix: str
    check: Callable[[Spec], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class OperationNode:
    """One operation and where it is."""

    path: str
    method: str
    pointer: str
    value: JsonObject

    @property
    def name(self) -> str:
        """Method and path, for messages."""
        return f"{self.method.upper()} {self.path}"


class Spec:
    """A bundled document, indexed. Rules but the structural ones may rely on its shape."""

    def __init__(self, bundle: Bundle) -> None:
        """Walk over the document once."""
        self.bundle = bundle
        self.document: JsonObject = bundle.document
        self.walk = walk(self.document)

    def nodes(self, *kinds: str) -> Iterator[Node]:
        """Yield every object of the given kinds, references included."""
        return (node for node in self.walk.nodes if node.kind in kinds)

    @cached_property
    def component_sections(self) -> dict[str, JsonObject]:
        """Sections of the components, by name."""
        sections = as_object(self.document.get("components")) or {}
        return {name: section for name in sections if (section := as_object(sections[name]))}

    @cached_property
    def schemas(self) -> dict[str, JsonObject]:
        """Schema components by name."""
        schemas: dict[str, JsonObject] = self.component_sections.get("schemas", {})
        return schemas

    @cached_property
    def operations(self) -> list[OperationNode]:
        """Every operation, by path and method."""
        return [
            OperationNode(split_pointer(node.pointer)[1], method, node.pointer, node.value)
            for node in self.nodes("operation")
            if (method := split_pointer(node.pointer)[2]) in METHODS
        ]

    @cached_property
    def betas(self) -> JsonObject:
        """The registry of beta flags."""
        return as_object(self.document.get("x-betas")) or {}

    @cached_property
    def error_codes(self) -> JsonObject:
        """The registry of error codes."""
        return as_object(self.document.get("x-error-codes")) or {}

    @cached_property
    def models(self) -> JsonObject:
        """The registry of models that go or are gone."""
        return as_object(self.document.get("x-models")) or {}

    @cached_property
    def api_versions(self) -> tuple[str, ...]:
        """Every known API version."""
        registry = as_object(self.document.get("x-api-versions")) or {}
        return tuple(as_object(registry.get("versions")) or ())

    def target(self, reference: str) -> Any:
        """Return what a local reference leads to, None when it leads nowhere."""
        value: Any = self.document
        for token in split_pointer(reference.partition("#")[2]):
            entries = as_object(value)
            if entries is None or token not in entries:
                return None
            value = entries[token]
        return value

    def resolve(self, node: JsonObject) -> JsonObject:
        """Follow ``$ref`` until an object without one; a circle or a dead end gives ``{}``."""
        seen: set[str] = set()
        while "$ref" in node:
            reference = node["$ref"]
            if reference in seen:
                return {}
            seen.add(reference)
            node = as_object(self.target(reference)) or {}
        return node

    def resolve_at(self, node: JsonObject, pointer: str) -> tuple[JsonObject, str]:
        """Like ``resolve``, with the pointer of the result."""
        while "$ref" in node and node["$ref"] != f"#{pointer}":
            pointer = str(node["$ref"]).partition("#")[2]
            node = as_object(self.target(f"#{pointer}")) or {}
        return node, pointer

    def parameters(self, operation: OperationNode) -> list[tuple[str, JsonObject]]:
        """Return pointer and value of each parameter of an operation, references followed."""
        result: list[tuple[str, JsonObject]] = []
        for index, parameter in enumerate(operation.value.get("parameters", [])):
            value, at = self.resolve_at(parameter, f"{operation.pointer}/parameters/{index}")
            result.append((at, value))
        return result

    def request_media(self, operation: OperationNode) -> tuple[str, JsonObject]:
        """Return pointer and entries of the request body's content; empty without a body."""
        body = operation.value.get("requestBody")
        if body is None:
            return operation.pointer, {}
        value, at = self.resolve_at(body, f"{operation.pointer}/requestBody")
        return f"{at}/content", value.get("content", {})

    def success_responses(self, operation: OperationNode) -> list[tuple[str, str, JsonObject]]:
        """Return status, pointer and value of each answer with a 2xx status."""
        result: list[tuple[str, str, JsonObject]] = []
        for status, response in operation.value["responses"].items():
            if status.startswith("2"):
                at = f"{operation.pointer}/responses/{status}"
                value, at = self.resolve_at(response, at)
                result.append((status, at, value))
        return result

    def body_schema(self, operation: OperationNode) -> JsonObject:
        """Return the object schema of the request body, ``{}`` without one."""
        _, content = self.request_media(operation)
        for media in content.values():
            return self.resolve(media.get("schema", {}))
        return {}

    def json_kinds(self, schema: JsonObject, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """Return the JSON kinds of the values a schema accepts; integers count as numbers."""
        if "$ref" in schema:
            reference = schema["$ref"]
            target = as_object(self.target(reference))
            if target is None or reference in seen:
                return frozenset()
            return self.json_kinds(target, seen | {reference})
        if "const" in schema:
            return frozenset({_kind_of_value(schema["const"])})
        if "enum" in schema:
            return frozenset(_kind_of_value(value) for value in schema["enum"])
        variants = as_array(schema.get("oneOf"))
        if variants is not None:
            kinds = [self.json_kinds(variant, seen) for variant in variants]
            return frozenset[str]().union(*kinds)
        declared: Any = schema.get("type")
        if declared is None:
            return ALL_KINDS
        names: list[str] = as_array(declared) or [declared]
        return frozenset(_KIND_OF_TYPE.get(name, name) for name in names)


def _kind_of_value(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if value is None:
        return "null"
    return "array" if isinstance(value, list) else "object"


def sides(document: JsonObject) -> dict[str, set[str]]:
    """Tell for each schema component whether requests, responses or both can reach it.

    The values are subsets of ``{"request", "response"}``; parameters count as requests, and what
    webhooks bring as responses. A component nobody refers to has an empty set.
    """
    return _sides(document, walk(document).references)


def _sides(document: JsonObject, references: list[tuple[str, str]]) -> dict[str, set[str]]:
    edges: dict[str, list[str]] = {}
    starts: dict[str, list[str]] = {"request": [], "response": []}
    for at, reference in references:
        tokens = split_pointer(at)
        if tokens[0] == "components":
            edges.setdefault(owner(at), []).append(reference)
        elif tokens[0] == "paths" and len(tokens) > 3:
            starts["response" if tokens[3] == "responses" else "request"].append(reference)
        elif tokens[0] == "webhooks":
            # What the API sends is read, as answers are.
            starts["response"].append(reference)
    components = as_object(document.get("components")) or {}
    result: dict[str, set[str]] = {name: set() for name in components.get("schemas", {})}
    for side, pending in starts.items():
        seen: set[str] = set()
        while pending:
            reference = pending.pop()
            if reference in seen:
                continue
            seen.add(reference)
            pending.extend(edges.get(reference, ()))
            tokens = split_pointer(reference.partition("#")[2])
            if tokens[:2] == ["components", "schemas"] and tokens[2] in result:
                result[tokens[2]].add(side)
    return result


def owner(pointer: str) -> str:
    """Return the reference to the component that ``pointer`` is inside of."""
    return "#" + "/".join(pointer.split("/")[:4])
