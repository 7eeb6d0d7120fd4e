"""What openapi-python-client cannot read, and what lowering makes of it.

Each trap is shown on the raw document first: when a new version of the tool reads it well, that
half of the test fails and tells that the lowering is no longer needed.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from openapi_python_client.parser.properties import UnionProperty
from openapi_python_client.parser.properties.const import ConstProperty

from claude_codegen.lint import lint
from claude_codegen.load import load_spec
from claude_codegen.lower import (
    UnrepresentableError,
    is_alias,
    is_free_form,
    lower,
    parse_type,
    strip_null,
)
from claude_codegen.parser import wire
from claude_codegen.problems import SpecError
from claude_codegen.types import (
    ListOf,
    Literal,
    MapOf,
    Nullable,
    OneOf,
    Ref,
    Scalar,
    Tagged,
)

from .building import (
    JSON,
    REF,
    STRING,
    answer,
    complaints,
    endpoints,
    feature,
    generated,
    load_small,
    read_by_tool,
    text_of,
    tool_template,
)

SHAPES: dict[str, Any] = {
    "Circle": {"type": "object", "properties": {"kind": {"type": "string", "const": "circle"}}},
    "Square": {"type": "object", "properties": {"kind": {"type": "string", "const": "square"}}},
}


def lowered_operation(name: str, path: str, method: str) -> dict[str, Any]:
    operation: dict[str, Any] = lower(feature(name).document).document["paths"][path][method]
    return operation


def lowered_properties(name: str, component: str) -> dict[str, Any]:
    lowered = lower(feature(name).document)
    (key,) = [key for key, value in lowered.components.items() if value == component]
    properties: dict[str, Any] = lowered.document["components"]["schemas"][key]["properties"]
    return properties


# -- openapi-python-client -----------------------------------------------------------------------


def test_array_header_parameters_would_drop_the_endpoint() -> None:
    header = {"name": "X-Hint", "in": "header", "schema": {"type": "array", "items": STRING}}
    raw = read_by_tool(parameters=[header])
    assert endpoints(raw) == []
    assert "not allowed in header" in complaints(raw)

    path = "/v1/things/{thing_id}/parts/{part}"
    lowered = lowered_operation("parameters", path, "get")
    (hint,) = [part for part in lowered["parameters"] if part["name"] == "X-Hint"]
    assert hint["schema"] == {"type": "string"}
    side = lower(feature("parameters").document)
    place = side.parameters[path, "get", "header", "X-Hint"]
    assert side.types[place] == ListOf(Scalar("str"))
    assert 'Parameter("hints", "header", wire_name="X-Hint", array=True)' in text_of(
        "parameters", "operations/things.py"
    )


@pytest.mark.parametrize("media_type", ["application/jsonl", "application/binary", "*/*"])
def test_jsonl_and_binary_answers_would_be_omitted(media_type: str) -> None:
    raw = read_by_tool(responses=answer({"type": "string", "format": "binary"}, media_type))
    assert [endpoint.responses.patterns for endpoint in endpoints(raw)] == [[]]
    assert "omitted" in complaints(raw)


def test_jsonl_and_binary_answers_are_kept_beside_the_parser() -> None:
    assert lowered_operation("streaming", "/v1/lines", "get")["responses"] == {}
    assert 'response="jsonl"' in text_of("streaming", "operations/things.py")
    assert lowered_operation("bodies_and_answers", "/v1/files/{file_id}", "get")["responses"] == {}
    operations = text_of("bodies_and_answers", "operations/things.py")
    assert 'response="binary"' in operations
    assert 'response="none"' in operations


@pytest.mark.parametrize("media_type", ["application/jsonl", "application/binary", "*/*"])
def test_other_request_bodies_would_drop_the_endpoint_and_are_refused_by_lint(
    media_type: str, tmp_path: Path
) -> None:
    raw = read_by_tool(requestBody={"content": {media_type: {"schema": STRING}}})
    assert endpoints(raw) == []
    assert "Unsupported content type" in complaints(raw)

    body = {"required": True, "content": {media_type: {"schema": STRING}}}
    assert "media-type-unsupported" in {
        problem.rule for problem in lint(load_small(tmp_path, {"x": STRING}, requestBody=body))
    }


def test_multipart_bodies_would_get_one_fixed_boundary_and_are_only_described() -> None:
    assert "boundary=+++" in tool_template("endpoint_module.py.jinja")

    assert "requestBody" not in lowered_operation("bodies_and_answers", "/v1/files", "post")
    operations = text_of("bodies_and_answers", "operations/things.py")
    assert 'body="multipart"' in operations
    assert 'request_type="FileUploadParams"' in operations
    assert not any(
        b"boundary=+++" in content for content in generated("bodies_and_answers").values()
    )


def test_recursive_aliases_would_be_removed_with_all_that_refers_to_them() -> None:
    tree = {"oneOf": [STRING, {"type": "array", "items": {"$ref": REF + "Tree"}}]}
    holder = {"type": "object", "properties": {"tree": {"$ref": REF + "Tree"}}}
    raw = read_by_tool({"Tree": tree, "Holder": holder})
    assert list(raw.models) == []
    assert "removal" in complaints(raw)

    assert lowered_properties("recursion", "Thing")["tree"] == {}
    assert "tree: Tree\n" in text_of("recursion", "models/things.py")


def test_references_to_other_files_would_remove_the_schema_and_are_joined_before() -> None:
    holder = {"type": "object", "properties": {"thing": {"$ref": "things.yaml#/Thing"}}}
    raw = read_by_tool({"Holder": holder})
    assert list(raw.models) == []
    assert "Remote references" in complaints(raw)

    properties = lowered_properties("modules", "Thing")
    assert properties["round"]["$ref"].startswith(REF)


def test_equal_titles_would_collide_and_are_left_out(tmp_path: Path) -> None:
    titled = {"title": "Same", "type": "object", "properties": {"a": STRING}}
    raw = read_by_tool({"One": titled, "Two": titled})
    assert "duplicate models" in complaints(raw)
    assert len(list(raw.models)) == 1

    parts = {
        name: {"title": "Same", "type": "object", "description": "O.", "properties": {"id": STRING}}
        for name in ("One", "Two")
    }
    fields = {"one": {"$ref": "#/One"}, "two": {"$ref": "#/Two"}}
    bundle = load_small(tmp_path, fields, parts)
    assert "title" not in str(lower(bundle.document).document["components"])
    assert "title-collision" in {problem.rule for problem in lint(bundle)}


def test_names_that_differ_in_case_would_share_a_file_and_are_refused(tmp_path: Path) -> None:
    source = {"type": "object", "properties": {"a": STRING}}
    raw = read_by_tool({"URLSource": source, "UrlSource": source})
    assert {model.class_info.module_name for model in raw.models} == {"url_source"}

    parts = {
        name: {"type": "object", "description": "O.", "properties": {"id": STRING}}
        for name in ("URLSource", "UrlSource")
    }
    fields = {"one": {"$ref": "#/URLSource"}, "two": {"$ref": "#/UrlSource"}}
    bundle = load_small(tmp_path, fields, parts)
    lowered = lower(bundle.document)
    assert len(set(lowered.components)) == 4
    assert set(lowered.components.values()) >= {"URLSource", "UrlSource"}
    assert "module-collision" in {problem.rule for problem in lint(bundle)}


def test_discriminators_would_be_ignored_and_become_one_lookup() -> None:
    union = {
        "oneOf": [{"$ref": REF + name} for name in SHAPES],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"circle": REF + "Circle", "square": REF + "Square"},
        },
    }
    holder = {"type": "object", "properties": {"shape": union}}
    raw = read_by_tool({**SHAPES, "Holder": holder})
    (shape,) = (
        next(m for m in raw.models if m.class_info.name == "Holder").optional_properties or []
    )
    assert isinstance(shape, UnionProperty)
    assert not any("discriminator" in name or "mapping" in name for name in dir(shape))
    # It would try one member after the other, and raise when none fits.
    template = tool_template("property_templates/union_property.py.jinja")
    assert "except (TypeError" in template
    assert "raise TypeError()" in template

    assert lowered_properties("tagged_union", "Thing")["shape"] == {}
    models = text_of("tagged_union", "models/things.py")
    assert '_union_shape = TaggedUnion(\n    "kind"' in models
    assert '"box": "Square"' in models


def test_of_several_constants_only_the_first_would_be_decoded() -> None:
    mixed = {"anyOf": [STRING, {"const": "few"}, {"const": "many"}]}
    raw = read_by_tool({"Holder": {"type": "object", "properties": {"amount": mixed}}})
    (amount,) = next(iter(raw.models)).optional_properties or []
    assert isinstance(amount, UnionProperty)
    assert sum(isinstance(part, ConstProperty) for part in amount.inner_properties) == 2
    # Every constant gets a check that raises, outside of the template's chain of attempts.
    assert "raise ValueError" in tool_template("property_templates/const_property.py.jinja")

    assert parse_type(mixed, "") == OneOf((Scalar("str"), Literal(("few",)), Literal(("many",))))
    assert lowered_properties("mixed_union", "Thing")["amount"] == {}
    assert "amount: int | Literal" in text_of("mixed_union", "models/things.py")


def test_an_unknown_value_of_an_enum_would_raise_and_is_kept() -> None:
    raw = read_by_tool(
        {
            "Holder": {
                "type": "object",
                "required": ["color"],
                "properties": {"color": {"type": "string", "enum": ["red", "blue"]}},
            }
        }
    )
    assert [enum.values for enum in raw.enums] == [{"red", "blue"}]
    assert 'raise TypeError(f"Unexpected value' in tool_template("literal_enum.py.jinja")

    assert lowered_properties("enums", "Thing")["state"] == {}
    models = text_of("enums", "models/things.py")
    assert 'state: Literal["on", "off"] | str | Unset = UNSET' in models
    assert "raise" not in models


def test_properties_beside_an_all_of_would_be_lost_and_are_refused(tmp_path: Path) -> None:
    sibling = {"allOf": [{"$ref": REF + "Circle"}], "properties": {"more": STRING}}
    raw = read_by_tool({**SHAPES, "Holder": {"type": "object", "properties": {"shape": sibling}}})
    assert complaints(raw) == ""
    assert not any(
        wire(part.name) == "more"
        for model in raw.models
        for part in model.optional_properties or []
    )

    part = {"type": "object", "description": "P.", "properties": {"id": STRING}}
    field = {"allOf": [{"$ref": "#/Part"}], "type": "object", "properties": {"more": STRING}}
    found = lint(load_small(tmp_path, {"x": field}, {"Part": part}))
    assert "all-of" in {problem.rule for problem in found}


def test_status_529_would_not_be_an_http_status_and_error_answers_are_left_out() -> None:
    assert "HTTPStatus(response.status_code)" in tool_template("endpoint_module.py.jinja")
    with pytest.raises(ValueError, match="529 is not a valid HTTPStatus"):
        __import__("http").HTTPStatus(529)

    document = copy.deepcopy(feature("error_codes").document)
    responses = document["paths"]["/v1/things"]["post"]["responses"]
    responses["529"] = {"description": "Busy.", "content": responses["200"]["content"]}
    lowered = lower(document).document["paths"]["/v1/things"]["post"]
    assert list(lowered["responses"]) == ["200"]
    assert "class ThingBusyError(OverloadedError)" in text_of("error_codes", "errors.py")


def test_server_sent_events_after_json_would_be_ignored_and_are_a_second_overload() -> None:
    both = answer(STRING)
    both["200"]["content"]["text/event-stream"] = {"schema": STRING}
    raw = read_by_tool(responses=both)
    (endpoint,) = endpoints(raw)
    assert len(endpoint.responses.patterns) == 1
    assert complaints(raw) == ""

    lowered = lowered_operation("streaming", "/v1/things", "post")
    assert list(lowered["responses"]["200"]["content"]) == [JSON]
    resource = text_of("streaming", "resources/things.py")
    assert "stream: Literal[True]" in resource
    assert ") -> Stream[ThingEvent]:" in resource
    assert ") -> Thing | Stream[ThingEvent]:" in resource


def test_a_query_in_the_path_would_be_erased_and_is_refused(tmp_path: Path) -> None:
    # The tool hands its params= to httpx, which replaces the query that is in the URL already.
    assert '"params": params' in tool_template("endpoint_module.py.jinja")

    load_small(tmp_path, {"x": STRING})
    entry = tmp_path / "openapi.yaml"
    entry.write_text(
        entry.read_text("utf-8").replace("/v1/things", "/v1/things?beta=true"), "utf-8"
    )
    assert "path-parameter-mismatch" in {problem.rule for problem in lint(load_spec(entry))}


def test_type_would_be_renamed_and_is_not() -> None:
    raw = read_by_tool({"Holder": {"type": "object", "properties": {"type": STRING}}})
    (field,) = next(iter(raw.models)).optional_properties or []
    assert (field.python_name, wire(field.name)) == ("type_", "type")

    models = text_of("keyword_names", "models/things.py")
    assert '    type: Literal["thing"] = "thing"' in models
    assert "type_" not in models


def test_dates_without_a_time_would_become_other_types_and_stay_text() -> None:
    day = {"type": "string", "format": "date"}
    raw = read_by_tool({"Holder": {"type": "object", "properties": {"day": day}}})
    (field,) = next(iter(raw.models)).optional_properties or []
    assert type(field).__name__ == "DateProperty"

    assert lowered_properties("timestamps", "Thing")["day"] == {"type": "string"}
    assert "day: str | Unset" in text_of("timestamps", "models/things.py")


# -- the lowering itself -------------------------------------------------------------------------


def test_every_component_and_operation_is_in_the_lowered_document() -> None:
    for name in ("betas_and_versions", "recursion", "bodies_and_answers"):
        document = feature(name).document
        lowered = lower(document)
        assert sorted(lowered.components.values()) == sorted(document["components"]["schemas"])
        assert sorted(lowered.operations.values()) == sorted(
            (path, method) for path, item in document["paths"].items() for method in item
        )


def test_lowering_leaves_the_bundle_as_it_is() -> None:
    document = feature("mixed_union").document
    before = copy.deepcopy(document)
    lower(document)
    assert document == before


def test_shared_bodies_answers_and_parameters_are_followed() -> None:
    lowered = lowered_operation("bodies_and_answers", "/v1/files/{file_id}/rename", "post")
    assert lowered["requestBody"]["content"][JSON]["schema"]["$ref"].startswith(REF)
    assert lowered["responses"]["200"]["content"][JSON]["schema"]["$ref"].startswith(REF)
    assert [part["name"] for part in lowered["parameters"]] == ["file_id"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, Scalar("any")),
        ({"type": "string", "format": "uri"}, Scalar("str")),
        ({"type": "string", "format": "date-time"}, Scalar("datetime")),
        ({"type": "string", "format": "binary"}, Scalar("bytes")),
        ({"type": "string", "contentEncoding": "base64"}, Scalar("base64")),
        ({"type": "integer"}, Scalar("int")),
        ({"type": "number"}, Scalar("float")),
        ({"type": "boolean"}, Scalar("bool")),
        ({"type": ["string", "null"]}, Nullable(Scalar("str"))),
        ({"type": ["null", "array"], "items": STRING}, Nullable(ListOf(Scalar("str")))),
        ({"oneOf": [{"$ref": REF + "A"}, {"type": "null"}]}, Nullable(Ref("A"))),
        ({"const": True, "type": "boolean"}, Literal((True,))),
        ({"type": "integer", "enum": [1, 2]}, Literal((1, 2))),
        ({"type": "string", "enum": ["a"], "x-open-enum": True}, Literal(("a",), open=True)),
        ({"type": "object"}, MapOf(Scalar("any"))),
        ({"type": "object", "additionalProperties": True}, MapOf(Scalar("any"))),
        ({"type": "object", "additionalProperties": STRING}, MapOf(Scalar("str"))),
        ({"oneOf": [STRING, {"type": "integer"}]}, OneOf((Scalar("str"), Scalar("int")))),
        (
            {
                "oneOf": [{"$ref": REF + "B"}, {"$ref": REF + "A"}],
                "discriminator": {
                    "propertyName": "t",
                    "mapping": {"b": REF + "B", "a": REF + "A"},
                    "x-default-mapping": REF + "A",
                },
            },
            Tagged("t", (("a", "A"), ("b", "B")), "A", ("B", "A")),
        ),
    ],
)
def test_schemas_are_read_as_types(schema: dict[str, Any], expected: object) -> None:
    assert parse_type(schema, "/x") == expected


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"type": "object", "properties": {"a": STRING}}, "/x"),
        ({"type": ["string", "integer"]}, "/x"),
        ({"type": "array", "items": {"type": "tuple"}}, "/x/items"),
        ({"type": "object", "additionalProperties": {"type": "tuple"}}, "/x/additionalProperties"),
        ({"oneOf": [STRING, {"type": "tuple"}]}, "/x/oneOf/1"),
    ],
)
def test_what_has_no_form_is_refused_with_its_pointer(schema: dict[str, Any], where: str) -> None:
    with pytest.raises(UnrepresentableError) as caught:
        parse_type(schema, "/x")
    assert caught.value.pointer == where
    assert str(caught.value).startswith(f"{where}: ")


def test_a_reference_to_nothing_is_refused() -> None:
    document = {"components": {"schemas": {"A": {"properties": {"b": {"$ref": REF + "B"}}}}}}
    with pytest.raises(UnrepresentableError, match="/components/schemas/A/properties/b: no compon"):
        lower(document)


def test_null_is_taken_out_of_a_schema() -> None:
    assert strip_null(STRING) == (STRING, False)
    assert strip_null({"type": ["null", "string"], "x": 1}) == ({"type": "string", "x": 1}, True)
    three = {"oneOf": [STRING, {"type": "integer"}, {"type": "null"}]}
    assert strip_null(three) == ({"oneOf": [STRING, {"type": "integer"}]}, True)


def test_objects_aliases_and_free_form_objects_are_told_apart() -> None:
    assert not is_alias({"type": "object", "additionalProperties": True})
    assert not is_alias({"type": "object", "properties": {}})
    assert is_alias({"type": "array", "items": STRING})
    assert is_alias({"oneOf": []})
    assert is_free_form({"type": "object", "additionalProperties": True})
    assert not is_free_form({"type": "object", "additionalProperties": STRING})


def test_external_files_are_refused_where_they_lead_out_of_the_spec(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="ref-outside-spec"):
        load_small(tmp_path, {"x": {"$ref": "../../other.yaml#/Thing"}})
