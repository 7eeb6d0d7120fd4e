"""The intermediate representation: all that the emitters know about the API.

Joins what the parser read (:mod:`.parser`) with what only the bundle says: descriptions, betas,
versions, Python names, retry classes, paging, streams.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, cast

from .load import Bundle
from .lower import (
    JSON,
    METHODS,
    UnrepresentableError,
    component_of,
    is_alias,
    is_free_form,
    lower,
    parse_further,
    strip_null,
)
from .naming import python_name
from .parser import Parsed, ParsedOperation, parse
from .source import pointer
from .types import (
    BetaNeed,
    Component,
    EnumNote,
    Field,
    MapOf,
    Ref,
    Type,
    VersionSpan,
    references,
)

EVENT_STREAM = "text/event-stream"
JSON_LINES = frozenset({"application/jsonl", "application/x-jsonl"})
OPTION_PARAMETERS = {
    "anthropic-version": "api_version",
    "anthropic-beta": "betas",
    "anthropic-workspace-id": "workspace_id",
}
"""Header parameters that every method takes as an option instead of an argument of its own."""


@dataclass(frozen=True)
class Argument:
    """A path, query or header parameter."""

    name: str
    wire_name: str
    location: str
    type: Type
    required: bool
    description: str
    beta: BetaNeed | None = None
    version: VersionSpan | None = None
    enum_notes: dict[str, EnumNote] = dataclass_field(
        default_factory=dict[str, EnumNote], hash=False
    )


@dataclass(frozen=True)
class Answer:
    """What a successful call returns."""

    kind: str
    """``json``, ``binary``, ``jsonl``, ``sse`` or ``none``."""
    type: Type | None = None
    event_type: str | None = None
    """Component of one server-sent event."""
    page_item: str | None = None


@dataclass(frozen=True)
class OperationNode:
    """One method and path."""

    id: str
    operation_id: str
    resource: str
    method_name: str
    method: str
    path: str
    family: str
    """Stem of the spec file the operation stands in."""
    summary: str
    description: str
    arguments: tuple[Argument, ...]
    body: str | None
    """Component of the request body."""
    body_kind: str | None
    body_required: bool
    answer: Answer
    stream_argument: str | None
    pagination: tuple[str, ...]
    betas: tuple[BetaNeed, ...]
    version: VersionSpan | None
    max_bytes: int | None
    max_items: tuple[tuple[str, int], ...]
    """How many items a list among the top-level fields of the body may have."""
    retry: str
    error_codes: tuple[str, ...]
    unavailable_on: tuple[str, ...]
    deprecated: bool


@dataclass(frozen=True)
class ErrorCode:
    """An entry of the registry ``x-error-codes``."""

    code: str
    status: int
    class_name: str
    description: str
    retry: str


@dataclass(frozen=True)
class Representation:
    """The whole API."""

    title: str
    base_url: str
    api_versions: tuple[str, ...]
    """Accepted values of ``anthropic-version``, oldest first."""
    default_api_version: str
    components: dict[str, Component]
    operations: tuple[OperationNode, ...]
    error_codes: tuple[ErrorCode, ...]
    beta_flags: dict[str, dict[str, Any]]
    model_ends: dict[str, dict[str, Any]]
    """Models that go or are gone: when, and what takes their place."""


def build(bundle: Bundle) -> Representation:
    """Build the representation of a bundle.

    Raises :class:`~.parser.ParserError` or :class:`~.lower.UnrepresentableError`; a bundle that
    lint accepts gives neither.
    """
    return _Builder(bundle).run()


def beta_need(value: Any) -> BetaNeed | None:
    """Read an ``x-beta``: a flag, or the long form."""
    match value:
        case None:
            return None
        case str():
            return BetaNeed((value,), value)
        case {"via_beta_namespace": flag}:
            return BetaNeed((flag,), flag, via_beta_namespace=True)
        case _:
            flags = tuple(value["any_of"])
            return BetaNeed(
                flags, value.get("default", flags[0]), tuple(value.get("unless_model", ()))
            )


def version_span(value: dict[str, Any] | None) -> VersionSpan | None:
    """Read an ``x-api-version``."""
    return None if value is None else VersionSpan(value.get("since"), value.get("until"))


def enum_notes(schema: dict[str, Any]) -> dict[str, EnumNote]:
    """Read an ``x-enum``, also behind a nullable or an array."""
    schema, _ = strip_null(schema)
    if schema.get("type") == "array":
        return enum_notes(schema.get("items", {}))
    return {
        value: EnumNote(
            note.get("description", ""),
            beta_need(note.get("x-beta")),
            version_span(note.get("x-api-version")),
            bool(note.get("deprecated")),
        )
        for value, note in schema.get("x-enum", {}).items()
    }


class _Builder:
    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.document = bundle.document
        components = self.document.get("components", {})
        self.schemas: dict[str, dict[str, Any]] = components.get("schemas", {})

    def run(self) -> Representation:
        for needed in ("servers", "x-api-versions"):
            if not self.document.get(needed):
                raise UnrepresentableError(pointer(needed), "the client needs it")
        aliases = frozenset(name for name, schema in self.schemas.items() if is_alias(schema))
        parsed = parse(lower(self.document), aliases)
        sides = self.sides(parsed)
        components = {name: self.component(name, parsed, sides[name]) for name in self.schemas}
        versions = self.document["x-api-versions"]
        return Representation(
            title=self.document["info"]["title"],
            base_url=self.document["servers"][0]["url"],
            api_versions=tuple(
                version
                for version, facts in sorted(versions["versions"].items())
                if facts.get("supported", True)
            ),
            default_api_version=versions["default"],
            components=components,
            operations=tuple(
                sorted(
                    (
                        self.operation(operation, components)
                        for operation in parsed.operations.values()
                    ),
                    key=lambda operation: operation.id,
                )
            ),
            error_codes=tuple(
                ErrorCode(
                    code,
                    facts["status"],
                    facts["class"],
                    facts.get("description", ""),
                    str(facts.get("retry", False)).lower(),
                )
                for code, facts in sorted(self.document.get("x-error-codes", {}).items())
            ),
            beta_flags=self.document.get("x-betas", {}),
            model_ends=self.document.get("x-models", {}),
        )

    def sides(self, parsed: Parsed) -> dict[str, frozenset[str]]:
        """Return on which sides of an exchange each component occurs."""
        # From the schemas, not from what was parsed: a map is a type of its own there.
        mentions = {name: _schema_refs(schema) for name, schema in self.schemas.items()}
        reached: dict[str, set[str]] = {name: set() for name in self.schemas}

        def reach(names: Iterable[str], side: str) -> None:
            todo = list(names)
            while todo:
                name = todo.pop()
                if side not in reached[name]:
                    reached[name].add(side)
                    todo.extend(mentions[name])

        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method not in METHODS:
                    continue
                reach(_schema_refs(self.resolve(operation.get("requestBody", {}))), "request")
                node = parsed.operations[path, method]
                for parameters in (
                    node.path_parameters,
                    node.query_parameters,
                    node.header_parameters,
                ):
                    for parameter in parameters:
                        reach(references(parameter.type), "request")
                for response in operation["responses"].values():
                    reach(_schema_refs(self.resolve(response)), "response")
        # What the API sends is read, as answers are.
        reach(_schema_refs(self.document.get("webhooks", {})), "response")
        return {name: frozenset(found) for name, found in reached.items()}

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow a reference to a shared parameter or response."""
        if "$ref" not in node:
            return node
        target: Any = self.document
        for token in node["$ref"].removeprefix("#/").split("/"):
            target = target[token]
        return self.resolve(target)

    def component(self, name: str, parsed: Parsed, sides: frozenset[str]) -> Component:
        schema = self.schemas[name]
        module = self.bundle.component_files[name].replace("/", ".")
        if name in parsed.aliases:
            return Component(
                name,
                module,
                schema.get("description", ""),
                sides,
                alias=parsed.aliases[name],
                enum_notes=enum_notes(schema),
                beta=beta_need(schema.get("x-beta")),
                version=version_span(schema.get("x-api-version")),
            )
        if not schema.get("properties"):
            # An object with any keys and none of its own is a map under another name.
            inner = parse_further(schema, pointer("components", "schemas", name))
            return Component(name, module, schema.get("description", ""), sides, alias=MapOf(inner))
        order = {wire_name: i for i, wire_name in enumerate(schema.get("required", []))}
        fields: list[Field] = []
        for field in sorted(
            parsed.components[name],
            key=lambda field: (order.get(field.wire_name, len(order)), field.wire_name),
        ):
            part = schema["properties"][field.wire_name]
            fields.append(
                Field(
                    python_name(field.wire_name),
                    field.wire_name,
                    field.type,
                    field.required,
                    part.get("description", ""),
                    beta_need(part.get("x-beta")),
                    version_span(part.get("x-api-version")),
                    enum_notes(part),
                    bool(part.get("deprecated")),
                    {
                        path: VersionSpan(span.get("since"), span.get("until"))
                        for path, span in part.get("x-api-version-within", {}).items()
                    },
                )
            )
        return Component(
            name,
            module,
            schema.get("description", ""),
            sides,
            fields=tuple(fields),
            beta=beta_need(schema.get("x-beta")),
            version=version_span(schema.get("x-api-version")),
            free_form=is_free_form(schema),
        )

    def operation(self, parsed: ParsedOperation, components: dict[str, Component]) -> OperationNode:
        source = self.document["paths"][parsed.path][parsed.method]
        place = self.bundle.locate(pointer("paths", parsed.path, parsed.method))
        body = self.resolve(source.get("requestBody", {}))
        body_kind = body_type = None
        max_items: tuple[tuple[str, int], ...] = ()
        if body:
            body_kind = "json" if JSON in body["content"] else "multipart"
            ((_, media),) = body["content"].items()
            body_type = component_of(media["schema"]["$ref"])
            fields = self.resolve(media["schema"]).get("properties", {})
            max_items = tuple(
                (name, field["maxItems"])
                for name, field in fields.items()
                if field.get("maxItems") is not None
            )
        beta = beta_need(source.get("x-beta"))
        resource, method_name = source["x-resource"], source["x-method"]
        pagination = source.get("x-pagination", [])
        styles = (pagination,) if isinstance(pagination, str) else tuple(pagination)
        return OperationNode(
            id=f"{resource}.{method_name}",
            operation_id=source["operationId"],
            resource=resource,
            method_name=method_name,
            method=parsed.method.upper(),
            path=parsed.path,
            family=python_name(place.file.rsplit("/", 1)[-1].removesuffix(".yaml")),
            summary=source.get("summary", ""),
            description=source.get("description", ""),
            arguments=self.arguments(parsed, source),
            body=body_type,
            body_kind=body_kind,
            body_required=bool(body.get("required")),
            answer=self.answer(parsed, source, components, bool(styles)),
            stream_argument=source.get("x-stream-argument"),
            pagination=styles,
            betas=() if beta is None else (beta,),
            version=version_span(source.get("x-api-version")),
            max_bytes=source.get("x-max-bytes"),
            max_items=max_items,
            retry=source.get("x-retry", "mutating"),
            error_codes=tuple(source.get("x-error-codes", ())),
            unavailable_on=tuple(source.get("x-unavailable-on", ())),
            deprecated=bool(source.get("deprecated")),
        )

    def arguments(self, parsed: ParsedOperation, source: dict[str, Any]) -> tuple[Argument, ...]:
        described = {
            (parameter["in"], parameter["name"]): parameter
            for parameter in map(self.resolve, source.get("parameters", ()))
        }
        arguments: list[Argument] = []
        for location, fields in (
            ("path", parsed.path_parameters),
            ("query", parsed.query_parameters),
            ("header", parsed.header_parameters),
        ):
            for field in fields:
                parameter = described[location, field.wire_name]
                arguments.append(
                    Argument(
                        parameter.get("x-python-name", python_name(field.wire_name)),
                        field.wire_name,
                        location,
                        field.type,
                        field.required,
                        parameter.get("description", ""),
                        beta_need(parameter.get("x-beta")),
                        version_span(parameter.get("x-api-version")),
                        enum_notes(parameter["schema"]),
                    )
                )
        return tuple(arguments)

    def answer(
        self,
        parsed: ParsedOperation,
        source: dict[str, Any],
        components: dict[str, Component],
        paged: bool,
    ) -> Answer:
        content: dict[str, Any] = {}
        for status, response in source["responses"].items():
            if status.startswith("2"):
                content = self.resolve(response).get("content", {})
        event_type: str | None = None
        if EVENT_STREAM in content:
            event_type = component_of(content[EVENT_STREAM]["x-item-schema"]["$ref"])
        if JSON in content:
            page_item = None
            if paged and isinstance(parsed.answer, Ref):
                (data,) = (
                    field
                    for field in components[parsed.answer.name].fields
                    if field.wire_name == "data"
                )
                (page_item,) = references(data.type)
            return Answer("json", parsed.answer, event_type, page_item)
        if event_type is not None:
            return Answer("sse", Ref(event_type), event_type)
        for media_type in JSON_LINES.intersection(content):
            item = content[media_type]["x-item-schema"]["$ref"]
            return Answer("jsonl", Ref(component_of(item)))
        return Answer("binary" if content else "none")


def _schema_refs(node: Any) -> set[str]:
    """Return every component a body or response mentions, examples left aside."""
    found: set[str] = set()
    todo: list[Any] = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            entries = cast("dict[str, Any]", part)
            reference = entries.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/components/schemas/"):
                found.add(component_of(reference))
            # A property may be called "examples".
            todo.extend(entries.get("properties", {}).values())
            todo.extend(
                value for key, value in entries.items() if key not in ("examples", "properties")
            )
        elif part.__class__ is list:
            todo.extend(part)
    return found
