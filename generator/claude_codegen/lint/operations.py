"""Rules about operations: bodies, answers, parameters and how calls behave."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..source import pointer, split_pointer
from .grammar import as_array
from .spec import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .grammar import JsonObject
    from .spec import Spec

JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
JSON_LINES: Final = ("application/jsonl", "application/x-jsonl")
BINARY: Final = ("application/binary", "application/octet-stream", "*/*")
FORM: Final = "multipart/form-data"
REQUEST_MEDIA: Final = (JSON, FORM)
RESPONSE_MEDIA: Final = (JSON, EVENT_STREAM, *JSON_LINES, *BINARY)

PAGINATION_STYLES: Final = ("id-cursor", "token-cursor", "two-way-cursor", "report-cursor")
RETRY_CLASSES: Final = ("safe", "billable", "mutating")
PLATFORMS: Final = (
    "aws",
    "bedrock",
    "bedrock-mantle",
    "vertex",
    "google-cloud",
    "foundry",
)


def _response_without_schema(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        answers = spec.success_responses(operation)
        at = f"{operation.pointer}/responses"
        if len(answers) != 1:
            yield Finding(at, f"{operation.name} has {len(answers)} successful answers, not one")
        for status, here, response in answers:
            content = response.get("content", {})
            if not content and status != "204":
                yield Finding(here, f"status {status} has no content", "add content, or use 204")
            if content and status == "204":
                yield Finding(f"{here}/content", "status 204 has content")
    for node in spec.nodes("media-type"):
        if "schema" not in node.value:
            yield Finding(node.pointer, "a media type has no schema")


def _answer_form(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        for _, here, response in spec.success_responses(operation):
            schema = response.get("content", {}).get(JSON, {}).get("schema")
            if schema is not None and "$ref" not in schema:
                yield Finding(
                    f"{here}/content{pointer(JSON)}/schema", "a JSON answer is not a component"
                )


def _status(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        for status in operation.value["responses"]:
            if not re.fullmatch(r"[1-5]\d\d", status):
                yield Finding(
                    f"{operation.pointer}/responses{pointer(status)}", f"the status {status}"
                )
            elif status[0] in "13":
                yield Finding(
                    f"{operation.pointer}/responses{pointer(status)}",
                    f"the status {status} is handled below the client",
                )


def _media_type(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        at, request = spec.request_media(operation)
        if len(request) > 1:
            yield Finding(at, "a request body has several media types")
        for name in request:
            if name not in REQUEST_MEDIA:
                yield Finding(at + pointer(name), f"the request media type {name}")
        for _, here, response in spec.success_responses(operation):
            content = response.get("content", {})
            kinds = {_body_kind(name) for name in content}
            for name in content:
                if name not in RESPONSE_MEDIA:
                    yield Finding(
                        f"{here}/content{pointer(name)}", f"the response media type {name}"
                    )
            if len(content) > 1 and kinds != {"json", "sse"}:
                yield Finding(
                    f"{here}/content",
                    f"an answer is {' or '.join(sorted(content))}",
                    f"an answer has one media type, or {JSON} and {EVENT_STREAM}",
                )
    for node in spec.nodes("response"):
        status = node.pointer.rpartition("/")[2]
        if not node.pointer.startswith("/paths/") or status.startswith("2"):
            continue
        value, here = spec.resolve_at(node.value, node.pointer)
        for name in value.get("content", {}):
            if name != JSON:
                yield Finding(f"{here}/content{pointer(name)}", f"an error answer is {name}")


def _body_kind(media_type: str) -> str:
    if media_type == JSON:
        return "json"
    if media_type == EVENT_STREAM:
        return "sse"
    return "jsonl" if media_type in JSON_LINES else "binary"


def _body_form(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        at, content = spec.request_media(operation)
        for name, media in content.items():
            schema = media.get("schema", {})
            if "$ref" not in schema or "properties" not in spec.resolve(schema):
                yield Finding(
                    f"{at}{pointer(name)}/schema", "a request body is not an object component"
                )
        if content and operation.method in ("get", "delete"):
            yield Finding(at, f"{operation.method.upper()} with a request body", "use POST")


def _form_field(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        _, content = spec.request_media(operation)
        schema: JsonObject = content.get(FORM, {}).get("schema", {})
        at, _, component = schema.get("$ref", "#").removeprefix("#").rpartition("/")
        for name, field in spec.resolve(schema).get("properties", {}).items():
            here = f"{at}/{component}/properties{pointer(name)}"
            kinds = spec.json_kinds(field) - {"null"}
            inner: JsonObject = field.get("items", {})
            if "object" in kinds or (inner and spec.json_kinds(inner) & {"object", "array"}):
                yield Finding(here, f"the field {name} of a form holds objects or lists of lists")
            elif ("array" in kinds) != name.endswith("[]") or len(kinds & {"array", "string"}) > 1:
                yield Finding(
                    here, f"the field {name} of a form", "a list, and only a list, is name[]"
                )


def _file_misplaced(spec: Spec) -> Iterator[Finding]:
    forms: set[str] = set()
    for operation in spec.operations:
        reference = spec.request_media(operation)[1].get(FORM, {}).get("schema", {}).get("$ref")
        if reference is not None:
            forms.add(reference.removeprefix("#"))
    for at, reference in spec.walk.references:
        if reference.removeprefix("#") in forms and not at.endswith(f"{pointer(FORM)}/schema"):
            name = reference.rpartition("/")[2]
            yield Finding(
                f"{at}/$ref",
                f"{name} is a form, and stands where none can be",
                "make a component of its own for this place",
            )
    for node in spec.nodes("schema"):
        if node.value.get("format") != "binary":
            continue
        tokens = split_pointer(node.pointer)
        field = tokens[:-1] if tokens[-1] == "items" else tokens
        in_form = len(field) == 5 and field[3] == "properties" and pointer(*field[:3]) in forms
        if not in_form and not (tokens[-1] == "schema" and tokens[-2] in BINARY):
            yield Finding(f"{node.pointer}/format", "a file where none can be")


def _parameter_style(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("parameter"):
        if "$ref" in node.value:
            continue
        place, name = node.value["in"], node.value["name"]
        kinds = spec.json_kinds(node.value["schema"]) - {"null"}
        style, explode = node.value.get("style"), node.value.get("explode")
        if place not in ("path", "query", "header"):
            yield Finding(f"{node.pointer}/in", f"a parameter in {place}")
        elif "object" in kinds:
            yield Finding(f"{node.pointer}/schema", f"the parameter {name} is an object")
        elif "array" in kinds:
            if place == "path":
                yield Finding(f"{node.pointer}/schema", f"the path parameter {name} is a list")
            elif place == "header" and (style, explode) != ("simple", False):
                yield Finding(
                    node.pointer, f"the list header {name}", "write style: simple, explode: false"
                )
            elif place == "query" and (
                (style, explode) != ("form", True) or not name.endswith("[]")
            ):
                yield Finding(
                    node.pointer,
                    f"the list parameter {name}",
                    "name it name[], with style: form, explode: true and x-python-name: name",
                )
        elif style is not None or explode is not None:
            yield Finding(
                node.pointer,
                f"style or explode of the parameter {name}, which is no list",
                "remove them",
            )


def _pagination(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        if "x-pagination" not in operation.value:
            continue
        at = f"{operation.pointer}/x-pagination"
        value = operation.value["x-pagination"]
        styles = [value] if isinstance(value, str) else value
        for style in styles:
            if style not in PAGINATION_STYLES:
                yield Finding(at, f"the pagination style {style}")
        for _, _, response in spec.success_responses(operation):
            for media in response.get("content", {}).values():
                data = spec.resolve(media.get("schema", {})).get("properties", {}).get("data", {})
                if spec.json_kinds(data) != frozenset({"array"}):
                    yield Finding(at, "the answer has no array named data")
                elif "$ref" not in spec.resolve(data).get("items", {}):
                    yield Finding(
                        at,
                        "the items of data are not a component",
                        "make the items a component and refer to it",
                    )


def _retry(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        value = operation.value.get("x-retry")
        if value is None:
            yield Finding(operation.pointer, f"{operation.name} has no x-retry")
        elif value not in RETRY_CLASSES:
            yield Finding(f"{operation.pointer}/x-retry", f"the retry class {value}")


def _platform(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        for index, name in enumerate(operation.value.get("x-unavailable-on", [])):
            if name not in PLATFORMS:
                yield Finding(
                    f"{operation.pointer}/x-unavailable-on/{index}", f"the platform {name}"
                )


def _max_bytes(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        if "x-max-bytes" not in operation.value:
            if "requestBody" in operation.value:
                yield Finding(operation.pointer, f"{operation.name} has a body and no x-max-bytes")
        elif operation.value["x-max-bytes"] <= 0 or "requestBody" not in operation.value:
            yield Finding(
                f"{operation.pointer}/x-max-bytes", "x-max-bytes without a body, or not above 0"
            )


def _stream_argument(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        kinds = {
            _body_kind(name)
            for _, _, response in spec.success_responses(operation)
            for name in response.get("content", {})
        }
        name = operation.value.get("x-stream-argument")
        if name is None:
            if {"json", "sse"} <= kinds:
                yield Finding(operation.pointer, f"nothing says what makes {operation.name} stream")
            continue
        at = f"{operation.pointer}/x-stream-argument"
        properties = spec.body_schema(operation).get("properties", {})
        if name not in properties:
            yield Finding(at, f"{name} is not a field of the request body")
        elif spec.json_kinds(properties[name]) - {"null"} != frozenset({"boolean"}):
            yield Finding(at, f"{name} is not a boolean")
        if not {"json", "sse"} <= kinds:
            yield Finding(at, f"the answer is not both {JSON} and {EVENT_STREAM}")


def _item_schema(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("media-type"):
        name = node.pointer.rpartition("/")[2].replace("~1", "/")
        has_items = name == EVENT_STREAM or name in JSON_LINES
        item: JsonObject | None = node.value.get("x-item-schema")
        if has_items and (item is None or "$ref" not in item):
            yield Finding(node.pointer, f"{name} does not name the component of its items")
        elif not has_items and item is not None:
            yield Finding(f"{node.pointer}/x-item-schema", f"{name} has no items")
        schema = node.value.get("schema", {})
        if has_items and (as_array(schema.get("type")) or schema.get("type") != "string"):
            yield Finding(
                f"{node.pointer}/schema" if "schema" in node.value else node.pointer,
                f"the schema of {name} is not a string",
                "write schema: {type: string}; x-item-schema describes the items",
            )


RULES: Final = (
    Rule(
        "response-without-schema",
        "An operation has one successful answer, with a schema unless its status is 204.",
        "The method needs one return type.",
        "keep one 2xx status and describe its content",
        _response_without_schema,
    ),
    Rule(
        "json-answer-form",
        "A JSON answer is a reference to a component.",
        "It becomes the return type of the method, which needs a name.",
        "make it a component and refer to it",
        _answer_form,
    ),
    Rule(
        "status-unsupported",
        "Answers are listed by status: three digits, 2xx, 4xx or 5xx (529 included).",
        "Error classes and the mock go by single statuses; default and 4XX say too little.",
        "list the statuses one by one",
        _status,
    ),
    Rule(
        "media-type-unsupported",
        "Media types are among those the client can send and decode.",
        "Other bodies would be dropped from the generated client.",
        f"requests: {', '.join(REQUEST_MEDIA)}; answers: {', '.join(RESPONSE_MEDIA)};"
        f" errors: {JSON}",
        _media_type,
    ),
    Rule(
        "request-body-form",
        "A request body is an object component.",
        "Its fields become the arguments of the method.",
        "make the body a component with properties and refer to it",
        _body_form,
    ),
    Rule(
        "form-field",
        "Fields of a form are scalars and files, or lists of these, and lists are named name[].",
        "A form has no nesting; a list is sent as one part for each item.",
        "flatten the field, or name the list name[]",
        _form_field,
    ),
    Rule(
        "file-misplaced",
        "The format binary stands on fields of forms and on binary answers.",
        "JSON has no bytes.",
        f"move the field into a {FORM} body, or use format: byte for base64",
        _file_misplaced,
    ),
    Rule(
        "parameter-style",
        "Parameters are scalars, or lists in the one style their place has.",
        "Other styles would be sent wrongly.",
        "use a scalar, or a list in a query or header parameter",
        _parameter_style,
    ),
    Rule(
        "pagination-style-unknown",
        "x-pagination names known styles, on operations that answer with a list named data.",
        "The pager finds the next page by the style's fields.",
        f"use {', '.join(PAGINATION_STYLES)}",
        _pagination,
    ),
    Rule(
        "retry-class-unknown",
        "Every operation has an x-retry that the retry policy knows.",
        "Whether a failed call may be repeated is not to be guessed.",
        f"use {', '.join(RETRY_CLASSES)}",
        _retry,
    ),
    Rule(
        "platform-unknown",
        "x-unavailable-on names known platforms.",
        "A misspelt platform would be offered an operation it lacks.",
        f"use {', '.join(PLATFORMS)}",
        _platform,
    ),
    Rule(
        "max-bytes-missing",
        "Operations with a body, and only those, have an x-max-bytes above 0.",
        "A body over the limit is refused before it is sent.",
        "add x-max-bytes: 33554432, or the limit of the endpoint",
        _max_bytes,
    ),
    Rule(
        "stream-argument",
        "x-stream-argument names the boolean body field that turns a JSON answer into events.",
        "The method's overloads and its decoder depend on it.",
        "name a boolean field of the body, and describe both answers",
        _stream_argument,
    ),
    Rule(
        "item-schema",
        "Event streams and JSON lines, and only those, have an x-item-schema with a $ref.",
        "Items are decoded one by one as a component.",
        "add x-item-schema beside schema, with a reference to the items' component",
        _item_schema,
    ),
)
