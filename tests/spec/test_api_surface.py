"""The spec covers the API surface that the official Python SDK encodes.

`tests/data/api-surface.json.gz` holds that surface for the families messages, messages/count_tokens,
messages/batches, models, files, skills, and of the organization's workspaces (with their members),
API keys and spend limits, stable and beta: operations with their parameters, and every type they and
webhooks reach (structure only: names, required, nullable, types). Its type expressions have a
`kind`: str, int, float, bool, any, datetime, file, literal (`values`, `open`), list (`items`), map
(`values`), union (`variants`), ref (`name`) or page (`page`, `items`), each perhaps `nullable`.

The SDK has each type twice, `Message` and `BetaMessage`; the spec has it once. So stable and beta
types are merged under the spec's component name before they are compared, and whatever the two
sides name differently but mean alike (aliases, unions written in place) is expanded first. Nothing
in the surface may be missing from the spec, and what the spec has beyond it is listed here.
"""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from claude_codegen.load import load_spec

ROOT = Path(__file__).resolve().parents[2]
SURFACE_FILE = ROOT / "tests" / "data" / "api-surface.json.gz"

# Objects whose component is not simply the SDK's class name without `Beta`.
COMPONENT_NAMES = {
    # Two classes of the SDK for one thing: stable and beta call it differently.
    "BetaCitationSearchResultLocation": "CitationsSearchResultLocation",
    "BetaCitationConfig": "CitationsConfig",
    "BetaRequestDocumentBlockParam": "DocumentBlockParam",
    "BetaResponseToolInputSchema": "ToolInputSchema",
    # The SDK calls the response side `…ConfigParam` and the request side `…ConfigParamParam`.
    "BetaCitationsConfigParam": "ToolCitationsConfig",
    "BetaCitationsConfigParamParam": "CitationsConfigParam",
    "BetaMCPToolParam": "MCPTool",
    "BetaMCPToolParamParam": "MCPToolParam",
    # Classes without a name of their own beside the module's.
    "raw_message_delta_event.Delta": "RawMessageDeltaEventDelta",
    "beta.beta_raw_message_delta_event.Delta": "RawMessageDeltaEventDelta",
    "tool_param.InputSchemaTyped": "ToolInputSchemaParam",
    "beta.beta_tool_param.InputSchemaTyped": "ToolInputSchemaParam",
    "messages.batch_create_params.Request": "MessageBatchRequestParam",
    "beta.messages.batch_create_params.Request": "MessageBatchRequestParam",
    # The SDK calls the body's type after the method that takes it alone.
    "message_create_params.MessageCreateParamsNonStreaming": "MessageCreateParams",
    "beta.message_create_params.MessageCreateParamsNonStreaming": "MessageCreateParams",
}

# Bodies of other operations that the SDK mixes with headers and options; each is compared once, as
# the body of its own operation.
BODIES = frozenset({"MessageCreateParams"})

# Classes of the SDK that are pages: the pagination style and the fields of the body beside `data`.
PAGES = {
    "SyncPage": ("id-cursor", {"has_more": "bool", "first_id": "str?", "last_id": "str?"}),
    "SyncPageCursor": ("token-cursor", {"next_page": "str?"}),
}

# What may differ, with the reason; `*` stands for any operation. An entry without effect has to go.
EXPECTED = {
    "* header parameter anthropic-version: not in the surface": (
        "the SDK sends it from a constant; here it is a parameter like the others"
    ),
    "* header parameter anthropic-beta: not in the surface": (
        "most methods of the organization take no flags in the SDK; here every method does"
    ),
    "APIKey.workspace_id: not in the surface": "answered up to version 2023-06-01",
    '* header parameter anthropic-beta[]: value "oauth-2025-04-20" is not in the surface': (
        "goes with OAuth tokens; the SDK's credentials code sends it without naming it in the type"
    ),
    '* header parameter anthropic-beta[]: value "oidc-federation-2026-04-01" is not in the surface': (
        "goes with token exchange; the SDK's credentials code sends it without naming it in the type"
    ),
    "POST /v1/messages body.temperature: not in the surface": "taken up to version 2023-06-01",
    "POST /v1/messages body.top_k: not in the surface": "taken up to version 2023-06-01",
    "POST /v1/messages body.top_p: not in the surface": "taken up to version 2023-06-01",
    **dict.fromkeys(
        (
            "GET /v1/files query parameter after_id: not in the surface",
            "GET /v1/files query parameter before_id: not in the surface",
        ),
        "the list in the shape of files-api-2025-04-14 is paged by them; the SDK knows today's only",
    ),
    **dict.fromkeys(
        (
            "POST /v1/skills body.display_title: not in the surface",
            "Skill.display_title: not in the surface",
            "Skill.latest_version: not in the surface",
            "SkillVersion.directory: not in the surface",
            "SkillVersion.version: not in the surface",
        ),
        "part of the shape of skills-2025-10-02; the SDK knows today's only",
    ),
    **{
        f"{kind}ErrorObject.details: not in the surface": (
            "sent with error codes; the SDK reads it from the raw body"
        )
        for kind in (
            "API",
            "Authentication",
            "Billing",
            "GatewayTimeout",
            "InvalidRequest",
            "NotFound",
            "Overloaded",
            "Permission",
            "RateLimit",
        )
    },
    **{
        f"ErrorResponse.error: member {kind}ErrorObject is not in the surface": (
            "the SDK has the status and its exception, but no type for the body"
        )
        for kind in ("Conflict", "RequestTooLarge")
    },
    "SystemMessageParam.content: required in the surface": (
        "only the stable shape requires it; with beta properties a system message may lack it"
    ),
    "ToolParam.input_schema: type map is missing": (
        "the component ToolInputSchemaParam takes further keywords, so it covers the map"
    ),
}


@dataclass(frozen=True)
class Form:
    """A type with names and nesting of unions taken away: the alternatives a value may have."""

    nullable: bool = False
    scalars: frozenset[str] = frozenset()
    literals: frozenset[str] = frozenset()
    open: bool = False
    objects: frozenset[str] = frozenset()
    items: Form | None = None
    values: Form | None = None

    def __or__(self, other: Form) -> Form:
        return Form(
            nullable=self.nullable or other.nullable,
            scalars=self.scalars | other.scalars,
            literals=self.literals | other.literals,
            open=self.open or other.open,
            objects=self.objects | other.objects,
            items=_either(self.items, other.items),
            values=_either(self.values, other.values),
        )


def _either(one: Form | None, other: Form | None) -> Form | None:
    if one is None or other is None:
        return one or other
    return one | other


def _literals(values: list[Any]) -> Form:
    if sorted(map(str, values)) == ["False", "True"]:
        return Form(scalars=frozenset({"bool"}))
    return Form(literals=frozenset(json.dumps(value) for value in values))


def _form_differences(at: str, expected: Form, actual: Form) -> Iterator[str]:
    """Every way in which two types differ, nullability of the outermost value left to the caller."""
    for name in ("scalars", "literals", "objects"):
        wanted: frozenset[str] = getattr(expected, name)
        found: frozenset[str] = getattr(actual, name)
        word = {"scalars": "type", "literals": "value", "objects": "member"}[name]
        yield from (f"{at}: {word} {entry} is missing" for entry in sorted(wanted - found))
        yield from (
            f"{at}: {word} {entry} is not in the surface" for entry in sorted(found - wanted)
        )
    if expected.open != actual.open:
        yield f"{at}: the set of values should be {'open' if expected.open else 'closed'}"
    for name, suffix in (("items", "[]"), ("values", "{}")):
        wanted_part: Form | None = getattr(expected, name)
        found_part: Form | None = getattr(actual, name)
        if wanted_part is None and found_part is None:
            continue
        if found_part is None:
            yield f"{at}: type {'list' if suffix == '[]' else 'map'} is missing"
        elif wanted_part is None:
            yield f"{at}: type {'list' if suffix == '[]' else 'map'} is not in the surface"
        else:
            if wanted_part.nullable != found_part.nullable:
                yield f"{at}{suffix}: null should be {'allowed' if wanted_part.nullable else 'refused'}"
            yield from _form_differences(at + suffix, wanted_part, found_part)


@dataclass(frozen=True)
class Member:
    """A property, a body field or a parameter, as the surface demands it."""

    form: Form
    required: bool
    # Response fields that the SDK declares `X | None = None`: absent, null, or both may occur.
    optional_or_nullable: bool = False

    def __or__(self, other: Member) -> Member:
        return Member(
            form=self.form | other.form,
            required=self.required and other.required,
            optional_or_nullable=self.optional_or_nullable or other.optional_or_nullable,
        )


Fields = dict[str, Member]


@dataclass
class Surface:
    """The recorded surface, with stable and beta types merged under the spec's names."""

    document: dict[str, Any]
    components: dict[str, Fields] = field(default_factory=dict[str, Fields])

    def __post_init__(self) -> None:
        shapes: dict[str, dict[bool, list[Fields]]] = {}
        for name, declared in self.document["types"].items():
            if declared["def"] == "object" and component_name(name) not in BODIES:
                stable = "ga" in declared["namespaces"]
                shapes.setdefault(component_name(name), {}).setdefault(stable, []).append(
                    self.fields(declared["fields"])
                )
        for component, by_stability in shapes.items():
            self.components[component] = merge(
                by_stability.get(True, []), by_stability.get(False, [])
            )

    def fields(self, declared: list[dict[str, Any]]) -> Fields:
        return {entry["name"]: self.member(entry) for entry in declared}

    def member(self, declared: dict[str, Any]) -> Member:
        form = self.form(declared["type"])
        return Member(
            form=replace(form, nullable=form.nullable or declared["nullable"]),
            required=declared["required"],
            optional_or_nullable=declared.get("presence") == "optional_or_nullable",
        )

    def form(self, expression: dict[str, Any]) -> Form:
        match expression["kind"]:
            case "ref":
                target = self.document["types"][expression["name"]]
                if target["def"] == "alias":
                    form = self.form(target["type"])
                else:
                    form = Form(objects=frozenset({component_name(expression["name"])}))
            case "list":
                form = Form(items=self.form(expression["items"]))
            case "map":
                form = Form(values=self.form(expression["values"]))
            case "union":
                form = Form()
                for variant in expression["variants"]:
                    form |= self.form(variant)
            case "literal":
                form = replace(_literals(expression["values"]), open=bool(expression.get("open")))
            case "null":
                form = Form(nullable=True)
            case scalar:
                form = Form(scalars=frozenset({scalar}))
        return replace(form, nullable=form.nullable or bool(expression.get("nullable")))

    def operations(self) -> dict[str, list[dict[str, Any]]]:
        """Operations by method and path, the stable one first."""
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in sorted(
            self.document["operations"], key=lambda entry: entry["namespace"] != "ga"
        ):
            found.setdefault(f"{entry['method']} {entry['path']}", []).append(entry)
        return found


def component_name(sdk_name: str) -> str:
    """The spec's name of an object type: one family of types, so no `Beta` and no module."""
    if sdk_name in COMPONENT_NAMES:
        return COMPONENT_NAMES[sdk_name]
    return sdk_name.rpartition(".")[2].removeprefix("Beta")


def merge(stable: list[Fields], beta: list[Fields]) -> Fields:
    """One set of fields out of both shapes; the stable shape alone decides what is required."""
    merged: Fields = {}
    for fields in [*stable, *beta]:
        for name, member in fields.items():
            merged[name] = merged[name] | member if name in merged else member
    deciding = stable or beta
    return {
        name: replace(member, required=all(f.get(name, _ABSENT).required for f in deciding))
        for name, member in merged.items()
    }


_ABSENT = Member(form=Form(), required=False)


@dataclass(frozen=True)
class Spec:
    """The bundled spec, read in the surface's terms."""

    document: dict[str, Any]

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self.document
            for token in node["$ref"].removeprefix("#/").split("/"):
                target = target.get(token.replace("~1", "/").replace("~0", "~")) or {}
            node = target
        return node

    def form(self, schema: dict[str, Any]) -> Form:
        if "$ref" in schema:
            target = self.resolve(schema)
            if target.get("type") == "object":
                return Form(objects=frozenset({schema["$ref"].rpartition("/")[2]}))
            return self.form(target)
        if "oneOf" in schema:
            form = Form()
            for variant in schema["oneOf"]:
                form |= self.form(variant)
            return form
        types = schema.get("type", [])
        if isinstance(types, str):
            types = [types]
        nullable = "null" in types
        if "const" in schema:
            return replace(_literals([schema["const"]]), nullable=nullable)
        if "enum" in schema:
            is_open = schema.get("x-open-enum") is True
            return replace(_literals(schema["enum"]), open=is_open, nullable=nullable)
        if not types:
            return Form(scalars=frozenset({"any"}))
        form = Form(nullable=nullable)
        for name in types:
            match name:
                case "null":
                    pass
                case "array":
                    form |= Form(items=self.form(schema["items"]))
                case "object":
                    values = schema.get("additionalProperties", True)
                    form |= Form(values=self.form({} if values is True else values))
                case "string" if schema.get("format") in _FORMATS:
                    form |= Form(scalars=frozenset({_FORMATS[schema["format"]]}))
                case _:
                    form |= Form(scalars=frozenset({_SCALARS[name]}))
        return form


_FORMATS = {"date-time": "datetime", "binary": "file"}
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


def differences(surface: Surface, document: dict[str, Any]) -> list[str]:
    """Everything in which the bundled spec differs from the surface; empty when they agree."""
    spec = Spec(document)
    found: list[str] = []
    reached: list[str] = []
    for key, entries in surface.operations().items():
        found += _operation_differences(key, entries, surface, spec, reached)
    for webhook in document.get("webhooks", {}).values():
        for media in webhook["post"]["requestBody"]["content"].values():
            reached += sorted(spec.form(media["schema"]).objects - set(reached))
    # Operations and webhooks come first, then whatever objects their types name; `reached` grows
    # meanwhile.
    for component in reached:
        schema = document["components"]["schemas"].get(component)
        fields = surface.components.get(component)
        if schema is None:
            found.append(f"{component}: the component is missing")
        elif fields is not None:
            found += _object_differences(component, fields, schema, spec, reached)
    return found


def _operation_differences(
    key: str, entries: list[dict[str, Any]], surface: Surface, spec: Spec, reached: list[str]
) -> Iterator[str]:
    method, _, path = key.partition(" ")
    operation = spec.document["paths"].get(path, {}).get(method.lower())
    if operation is None:
        yield f"{key}: the operation is missing"
        return
    # What the SDK has in its beta namespace only stands with the others here.
    method = re.sub(r"^client\.(beta\.)?", "", entries[0]["sdk_method"])
    resource, _, name = method.rpartition(".")
    if (operation.get("x-resource"), operation.get("x-method")) != (resource, name):
        yield f"{key}: should be the method {name} of {resource}"
    yield from _parameter_differences(key, entries, surface, spec, operation, reached)

    by_stability: dict[bool, list[Fields]] = {True: [], False: []}
    for entry in entries:
        by_stability[entry["namespace"] == "ga"].append(surface.fields(entry["body_params"]))
    body = merge(by_stability[True], by_stability[False])
    media = operation.get("requestBody", {}).get("content", {})
    kinds = {entry["request_content_type"] for entry in entries} - {None}
    if set(media) != (kinds or ({"application/json"} if body else set())):
        yield f"{key} body: media type {', '.join(sorted(media)) or 'none'}"
    content = next(iter(media.values()), {})
    if body or content:
        schema = spec.resolve(content.get("schema", {}))
        if "multipart/form-data" in media:
            schema = _with_argument_names(schema)
        yield from _object_differences(f"{key} body", body, schema, spec, reached)

    answers = spec.resolve(operation["responses"]["200"]).get("content", {})
    kinds = {kind for entry in entries for kind in entry["response"]["kinds"]}
    for kind, media_type, place, schema_key in (
        ("json", "application/json", "type", "schema"),
        ("sse", "text/event-stream", "stream_type", "x-item-schema"),
        ("jsonl", "application/x-jsonl", "type", "x-item-schema"),
        ("binary", "application/binary", "type", "schema"),
    ):
        at = f"{key} {kind} response"
        schema = answers.get(media_type, {}).get(schema_key)
        if (schema is not None) != (kind in kinds):
            yield f"{at}: {'missing' if kind in kinds else 'not in the surface'}"
            continue
        if schema is None or kind == "binary":
            continue
        for expression in [entry["response"][place] for entry in entries]:
            if expression["kind"] == "page":
                yield from _page_differences(at, expression, surface, spec, operation, schema)
                reached += sorted(surface.form(expression["items"]).objects - set(reached))
        expected = Form()
        for entry in entries:
            if entry["response"][place]["kind"] != "page":
                expected |= surface.form(entry["response"][place])
        if expected != Form():
            yield from _form_differences(at, expected, spec.form(schema))
            reached += sorted(_named(expected) - set(reached))


def _with_argument_names(form: dict[str, Any]) -> dict[str, Any]:
    """Name lists as the SDK does: its argument `files` is the field `files[]` of the form."""
    return {
        **form,
        "required": [name.removesuffix("[]") for name in form.get("required", [])],
        "properties": {
            name.removesuffix("[]"): schema for name, schema in form["properties"].items()
        },
    }


def _page_differences(
    at: str,
    expression: dict[str, Any],
    surface: Surface,
    spec: Spec,
    operation: dict[str, Any],
    schema: dict[str, Any],
) -> Iterator[str]:
    style, fields = PAGES[expression["page"]]
    if style not in operation.get("x-pagination", []):
        yield f"{at}: x-pagination lacks {style}"
    properties = spec.resolve(schema).get("properties", {})
    expected = {"data": Form(items=surface.form(expression["items"]))}
    for name, kind in fields.items():
        scalar = frozenset({kind.rstrip("?")})
        expected[name] = Form(scalars=scalar, nullable=kind.endswith("?"))
    for name, form in expected.items():
        if name not in properties:
            yield f"{at}.{name}: missing"
        else:
            yield from _form_differences(f"{at}.{name}", form, spec.form(properties[name]))


def _parameter_differences(
    key: str,
    entries: list[dict[str, Any]],
    surface: Surface,
    spec: Spec,
    operation: dict[str, Any],
    reached: list[str],
) -> Iterator[str]:
    actual = {
        (parameter["in"], parameter["name"]): parameter
        for parameter in map(spec.resolve, operation.get("parameters", []))
    }
    expected: dict[tuple[str, str], tuple[str, Member]] = {}
    for entry in entries:
        for place in ("path", "query", "header"):
            for declared in entry[f"{place}_params"]:
                wire_name = declared.get("wire_name", declared["name"])
                python_name = declared.get("python_name", declared["name"])
                member = surface.member(declared)
                if (place, wire_name) in expected:
                    member |= expected[place, wire_name][1]
                expected[place, wire_name] = (python_name, member)
    for (place, name), (python_name, member) in expected.items():
        at = f"{key} {place} parameter {name}"
        parameter = actual.get((place, name))
        if parameter is None:
            yield f"{at}: missing"
            continue
        if parameter.get("x-python-name", name) != python_name:
            yield f"{at}: should be {python_name} in Python"
        if bool(parameter.get("required")) != member.required:
            yield f"{at}: {'required' if member.required else 'optional'} in the surface"
        yield from _form_differences(at, member.form, spec.form(parameter["schema"]))
        reached += sorted(_named(member.form) - set(reached))
    for place, name in actual.keys() - expected.keys():
        yield f"{key} {place} parameter {name}: not in the surface"


def _object_differences(
    at: str, fields: Fields, schema: dict[str, Any], spec: Spec, reached: list[str]
) -> Iterator[str]:
    properties: dict[str, Any] = schema.get("properties", {})
    required = set(schema.get("required", []))
    for name, member in fields.items():
        here = f"{at}.{name}"
        reached += sorted(_named(member.form) - set(reached))
        if name not in properties:
            yield f"{here}: missing"
            continue
        form = spec.form(properties[name])
        if member.optional_or_nullable:
            if name in required and not form.nullable:
                yield f"{here}: optional or null in the surface"
        else:
            if (name in required) != member.required:
                yield f"{here}: {'required' if member.required else 'optional'} in the surface"
            if form.nullable != member.form.nullable:
                yield f"{here}: null should be {'allowed' if member.form.nullable else 'refused'}"
        yield from _form_differences(here, member.form, form)
    for name in sorted(properties.keys() - fields.keys()):
        yield f"{at}.{name}: not in the surface"


def _named(form: Form | None) -> frozenset[str]:
    """Names of all objects a type mentions, at any depth."""
    if form is None:
        return frozenset()
    return form.objects | _named(form.items) | _named(form.values)


@pytest.fixture(scope="module")
def surface() -> Surface:
    return Surface(json.loads(gzip.decompress(SURFACE_FILE.read_bytes())))


@pytest.fixture(scope="module")
def bundle() -> dict[str, Any]:
    return load_spec(ROOT / "spec" / "openapi.yaml").document


def unexpected(found: list[str]) -> list[str]:
    return sorted(entry for entry in found if _pattern(entry) not in EXPECTED)


def _pattern(difference: str) -> str:
    if difference in EXPECTED:
        return difference
    return re.sub(r"^[A-Z]+ /\S+", "*", difference)


def test_the_spec_agrees_with_the_surface(surface: Surface, bundle: dict[str, Any]) -> None:
    assert unexpected(differences(surface, bundle)) == []


def test_every_expected_difference_occurs(surface: Surface, bundle: dict[str, Any]) -> None:
    occurring = {_pattern(entry) for entry in differences(surface, bundle)}
    assert EXPECTED.keys() - occurring == set()


def _component(document: dict[str, Any], name: str) -> dict[str, Any]:
    schema: dict[str, Any] = document["components"]["schemas"][name]
    return schema


def _drop_member(union: dict[str, Any], component: str) -> None:
    """Take one object out of a union, as somebody would: from `oneOf` and from the mapping."""
    reference = f"#/components/schemas/{component}"
    union["oneOf"] = [variant for variant in union["oneOf"] if variant != {"$ref": reference}]
    mapping: dict[str, str] = union["discriminator"]["mapping"]
    for tag in [tag for tag, target in mapping.items() if target == reference]:
        del mapping[tag]


def _drop_property(document: dict[str, Any], component: str, name: str) -> None:
    del _component(document, component)["properties"][name]


def _drop_required(document: dict[str, Any], component: str, name: str) -> None:
    _component(document, component)["required"].remove(name)


def _drop_value(document: dict[str, Any], component: str, value: str) -> None:
    _component(document, component)["enum"].remove(value)


def _drop_parameter(document: dict[str, Any], path: str, name: str) -> None:
    parameters: list[dict[str, Any]] = document["paths"][path]["get"]["parameters"]
    parameters[:] = [
        entry for entry in parameters if name not in (entry.get("name"), entry.get("$ref"))
    ]


def _set(document: dict[str, Any], component: str, name: str, schema: dict[str, Any]) -> None:
    _component(document, component)["properties"][name] = schema


def _rename_media(holder: dict[str, Any]) -> None:
    (media,) = holder["content"].values()
    holder["content"] = {"application/json": media}


Mutation = Callable[[dict[str, Any]], object]

MUTATIONS: list[tuple[str, Mutation, str]] = [
    (
        "property of a response",
        lambda d: _drop_property(d, "TextBlock", "citations"),
        "TextBlock.citations: missing",
    ),
    (
        "property of a request type",
        lambda d: _drop_property(d, "ImageBlockParam", "cache_control"),
        "ImageBlockParam.cache_control: missing",
    ),
    (
        "beta property",
        lambda d: _drop_property(d, "MCPToolsetParam", "tools"),
        "MCPToolsetParam.tools: missing",
    ),
    (
        "body field",
        lambda d: _drop_property(d, "MessageCreateParams", "thread"),
        "POST /v1/messages body.thread: missing",
    ),
    (
        "page field",
        lambda d: _drop_property(d, "ModelListResponse", "first_id"),
        "GET /v1/models json response.first_id: missing",
    ),
    (
        "enum value",
        lambda d: _drop_value(d, "StopReason", "pause_turn"),
        'Message.stop_reason: value "pause_turn" is missing',
    ),
    (
        "enum value in a list",
        lambda d: _drop_value(d, "AllowedCaller", "direct"),
        'WebSearchTool20260318Param.allowed_callers[]: value "direct" is missing',
    ),
    (
        "union member of a response",
        lambda d: _drop_member(_component(d, "ContentBlock"), "ThinkingBlock"),
        "Message.content[]: member ThinkingBlock is missing",
    ),
    (
        "union member of a request",
        lambda d: _drop_member(_component(d, "ToolUnionParam"), "MemoryTool20250818Param"),
        "POST /v1/messages body.tools[]: member MemoryTool20250818Param is missing",
    ),
    (
        "event of a stream",
        lambda d: _drop_member(_component(d, "RawMessageStreamEvent"), "RawMessageStopEvent"),
        "POST /v1/messages sse response: member RawMessageStopEvent is missing",
    ),
    (
        "array variant of a mixed union",
        lambda d: _set(d, "UserMessageParam", "content", {"type": "string"}),
        "UserMessageParam.content: type list is missing",
    ),
    (
        "query parameter",
        lambda d: _drop_parameter(d, "/v1/models", "lifecycle[]"),
        "GET /v1/models query parameter lifecycle[]: missing",
    ),
    (
        "header parameter",
        lambda d: _drop_parameter(d, "/v1/models", "#/components/parameters/WorkspaceId"),
        "GET /v1/models header parameter anthropic-workspace-id: missing",
    ),
    (
        "path parameter",
        lambda d: _drop_parameter(d, "/v1/models/{model_id}", "model_id"),
        "GET /v1/models/{model_id} path parameter model_id: missing",
    ),
    (
        "field of a form",
        lambda d: _drop_property(d, "SkillCreateParams", "files[]"),
        "POST /v1/skills body.files: missing",
    ),
    (
        "file of a form",
        lambda d: _set(d, "FileUploadParams", "file", {"type": "string"}),
        "POST /v1/files body.file: type file is missing",
    ),
    (
        "media type of a body",
        lambda d: _rename_media(d["paths"]["/v1/files"]["post"]["requestBody"]),
        "POST /v1/files body: media type application/json",
    ),
    (
        "item of a JSONL answer",
        lambda d: _drop_member(_component(d, "MessageBatchResult"), "MessageBatchExpiredResult"),
        "MessageBatchIndividualResponse.result: member MessageBatchExpiredResult is missing",
    ),
    (
        "binary answer",
        lambda d: _rename_media(
            d["paths"]["/v1/files/{file_id}/content"]["get"]["responses"]["200"]
        ),
        "GET /v1/files/{file_id}/content binary response: missing",
    ),
    (
        "member of a scope",
        lambda d: _drop_member(_component(d, "SpendLimitScope"), "SpendLimitUserScope"),
        "SpendLimit.scope: member SpendLimitUserScope is missing",
    ),
    (
        "operation",
        lambda d: d["paths"].pop("/v1/messages/count_tokens"),
        "POST /v1/messages/count_tokens: the operation is missing",
    ),
    (
        "stream of an operation",
        lambda d: d["paths"]["/v1/messages"]["post"]["responses"]["200"]["content"].pop(
            "text/event-stream"
        ),
        "POST /v1/messages sse response: missing",
    ),
    (
        "required",
        lambda d: _drop_required(d, "Usage", "input_tokens"),
        "Usage.input_tokens: required in the surface",
    ),
    (
        "type",
        lambda d: _set(d, "Usage", "output_tokens", {"type": "number"}),
        "Usage.output_tokens: type int is missing",
    ),
    (
        "null",
        lambda d: _set(d, "UserLocationParam", "city", {"type": "string"}),
        "UserLocationParam.city: null should be allowed",
    ),
    (
        "open set of values",
        lambda d: _component(d, "AnthropicBeta").pop("x-open-enum"),
        "GET /v1/models header parameter anthropic-beta[]: the set of values should be open",
    ),
    (
        "unknown property",
        lambda d: _set(d, "TextBlock", "txet", {"type": "string"}),
        "TextBlock.txet: not in the surface",
    ),
]


@pytest.mark.parametrize(
    ("mutate", "difference"),
    [pytest.param(mutate, difference, id=name) for name, mutate, difference in MUTATIONS],
)
def test_a_change_of_the_spec_is_noticed(
    surface: Surface, bundle: dict[str, Any], mutate: Mutation, difference: str
) -> None:
    changed = copy.deepcopy(bundle)
    mutate(changed)
    assert difference in unexpected(differences(surface, changed))


def test_every_property_is_compared(surface: Surface, bundle: dict[str, Any]) -> None:
    """No property of any component can go unnoticed: each is taken out once."""
    spec = Spec(bundle)
    for component, fields in surface.components.items():
        schema = _component(bundle, component)
        for name in fields:
            rest = {key: value for key, value in schema["properties"].items() if key != name}
            found = _object_differences(component, fields, {**schema, "properties": rest}, spec, [])
            assert f"{component}.{name}: missing" in found


def test_every_type_of_the_surface_is_reached(surface: Surface, bundle: dict[str, Any]) -> None:
    changed = copy.deepcopy(bundle)
    for component in surface.components:
        # Still an object, so that whatever mentions it goes on to it; its properties are gone.
        changed["components"]["schemas"][component]["properties"] = {}
    found = differences(surface, changed)
    empty = {name for name, fields in surface.components.items() if not fields}
    assert {entry.partition(".")[0] for entry in found} >= surface.components.keys() - empty
