"""openapi-python-client's parser behind its one door."""

from __future__ import annotations

import ast
import copy
from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from openapi_python_client.parser import openapi

import claude_codegen
from claude_codegen.load import load_spec
from claude_codegen.lower import Lowered, is_alias, lower
from claude_codegen.parser import Parsed, ParserError, parse
from claude_codegen.types import ListOf, Literal, Nullable, Ref, Scalar, Tagged

from .building import JSON, PROJECT, SPECS, STRING, feature


def parsed(name: str) -> Parsed:
    document = feature(name).document
    return parse(lower(document), alias_names(document))


def alias_names(document: dict[str, Any]) -> frozenset[str]:
    schemas = document["components"]["schemas"]
    return frozenset(name for name, schema in schemas.items() if is_alias(schema))


def test_fields_come_back_with_their_types() -> None:
    found = parsed("nullable")
    fields = {field.wire_name: field for field in found.components["Thing"]}
    assert fields["name"].type == Nullable(Scalar("str"))
    assert fields["owner"].type == Nullable(Ref("Owner"))
    assert fields["owners"].type == ListOf(Nullable(Ref("Owner")))
    assert fields["heirs"].type == Ref("Heirs")
    assert fields["kind"].type == Nullable(Literal(("wood",)))
    assert [name for name, field in fields.items() if field.required] == ["name", "owner", "tags"]
    assert found.aliases["Heirs"] == Nullable(ListOf(Ref("Owner")))


def test_wire_names_are_not_respelt() -> None:
    # openapi-python-client would call them type_, from_ and max_age.
    names = {field.wire_name for field in parsed("keyword_names").components["Thing"]}
    assert names >= {"type", "from", "class", "max-age", "meta"}


def test_operations_come_back_by_path_and_method() -> None:
    found = parsed("parameters").operations["/v1/things/{thing_id}/parts/{part}", "get"]
    assert [field.wire_name for field in found.path_parameters] == ["thing_id", "part"]
    assert {field.wire_name: field.type for field in found.query_parameters} == {
        "created_at[gte]": Scalar("datetime"),
        "colors[]": ListOf(Scalar("str")),
        "sizes[]": Ref("Sizes"),
        "deep": Scalar("bool"),
    }
    assert {field.wire_name: field.type for field in found.header_parameters} == {
        "X-Trace": Scalar("str"),
        "X-Hint": ListOf(Scalar("str")),
    }
    assert found.body is None
    assert found.answer == Ref("Part")
    created = parsed("tagged_union").operations["/v1/things", "post"]
    assert created.body == Ref("ThingCreateParams")


def test_a_union_keeps_its_order_and_its_mapping() -> None:
    assert parsed("tagged_union").aliases["Shape"] == Tagged(
        "kind",
        (("box", "Square"), ("circle", "Circle"), ("square", "Square")),
        None,
        ("Square", "Circle"),
    )


# -- nothing is dropped in silence ---------------------------------------------------------------


def broken(change: dict[str, Any]) -> Lowered:
    lowered = lower(feature("parameters").document)
    path = "/v1/things/{thing_id}/parts/{part}"
    lowered.document["paths"][path]["get"].update(change)
    return lowered


def test_an_operation_that_the_parser_drops_is_an_error() -> None:
    header = {"name": "X-List", "in": "header", "schema": {"type": "array", "items": STRING}}
    with pytest.raises(ParserError, match="not allowed in header"):
        parse(broken({"parameters": [header]}), frozenset({"Sizes"}))


def test_an_answer_that_the_parser_omits_is_an_error() -> None:
    content = {"application/jsonl": {"schema": STRING}}
    with pytest.raises(ParserError, match="omitted"):
        parse(
            broken({"responses": {"200": {"description": "", "content": content}}}),
            frozenset({"Sizes"}),
        )


def test_an_operation_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    original = openapi.EndpointCollection.from_data

    def losing(**arguments: Any) -> Any:
        collections, schemas, parameters = original(**arguments)
        for collection in collections.values():
            collection.endpoints.clear()
        return collections, schemas, parameters

    monkeypatch.setattr(openapi.EndpointCollection, "from_data", losing)
    lowered = lower(feature("parameters").document)
    with pytest.raises(ParserError, match="returned 0 of 1 operations"):
        parse(lowered, frozenset({"Sizes"}))


def test_a_component_that_is_not_there_is_an_error() -> None:
    lowered = lower(feature("parameters").document)
    lowered.components["C9999"] = "Lost"
    with pytest.raises(ParserError, match="2 of 3 components; missing: Lost"):
        parse(lowered, frozenset({"Sizes"}))


def test_a_component_that_the_parser_removes_is_an_error() -> None:
    lowered = lower(feature("tagged_union").document)
    schemas = lowered.document["components"]["schemas"]
    schemas["C0001"] = {"type": "object", "properties": {"x": {"$ref": "other.yaml#/X"}}}
    with pytest.raises(ParserError, match="Remote references"):
        parse(lowered, frozenset({"Shape", "ShapeParam"}))


def test_a_document_that_the_parser_refuses_is_an_error() -> None:
    lowered = lower(feature("parameters").document)
    lowered.document["openapi"] = "2.0"
    with pytest.raises(ParserError):
        parse(lowered, frozenset({"Sizes"}))


def test_a_type_that_lowering_should_have_moved_is_an_error() -> None:
    lowered = lower(feature("timestamps").document)
    schemas = lowered.document["components"]["schemas"]
    for name, component in lowered.components.items():
        if component == "Thing":
            schemas[name]["properties"]["day"] = {"type": "string", "format": "date"}
    with pytest.raises(ParserError, match="properties/day: the parser read DateProperty here"):
        parse(lowered, frozenset({"Moment"}))


# -- the deep copy -------------------------------------------------------------------------------


def test_the_deep_copy_is_put_back() -> None:
    # openapi-python-client copies every endpoint deeply, once per parameter, body and answer.
    before = vars(openapi)["deepcopy"]
    assert before is copy.deepcopy
    parsed("parameters")
    assert vars(openapi)["deepcopy"] is copy.deepcopy
    with pytest.raises(ParserError):
        parse(broken({"parameters": [{"name": "h", "in": "nowhere"}]}), frozenset({"Sizes"}))
    assert vars(openapi)["deepcopy"] is copy.deepcopy


@contextmanager
def real_deep_copies() -> Generator[None, None, None]:
    assert vars(openapi)["deepcopy"] is copy.deepcopy
    yield


@pytest.mark.parametrize(
    "spec",
    [
        SPECS / "parameters" / "openapi.yaml",
        SPECS / "betas_and_versions" / "openapi.yaml",
        PROJECT / "spec" / "openapi.yaml",
    ],
    ids=["parameters", "betas_and_versions", "the real spec"],
)
def test_the_shallow_copy_changes_no_result(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = load_spec(spec).document
    lowered, aliases = lower(document), alias_names(document)
    shallow = parse(lowered, aliases)
    monkeypatch.setattr("claude_codegen.parser._shallow_endpoint_copies", real_deep_copies)
    assert parse(lowered, aliases) == shallow
    assert len(shallow.operations) == sum(len(item) for item in document["paths"].values())


# -- one door ------------------------------------------------------------------------------------


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize(
    ("package", "modules"),
    [
        ("openapi_python_client", ["parser.py"]),
        ("datamodel_code_generator", ["emit/typed_dicts.py"]),
        ("jinja2", ["emit/environment.py"]),
    ],
)
def test_each_tool_is_imported_in_one_module(package: str, modules: list[str]) -> None:
    root = Path(claude_codegen.__file__).parent
    assert [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*.py"))
        if package in imports_of(path)
    ] == modules


def test_the_tools_are_pinned() -> None:
    import tomllib

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    pins = {part.split(";")[0].strip() for part in project["optional-dependencies"]["codegen"]}
    for name in ("openapi-python-client", "datamodel-code-generator", "ruff", "jinja2"):
        assert any(pin.startswith(f"{name}==") for pin in pins), name
    assert requires("openapi-python-client")


def test_json_is_the_only_body_that_the_parser_sees() -> None:
    lowered = lower(feature("bodies_and_answers").document)
    for item in lowered.document["paths"].values():
        for operation in item.values():
            body = operation.get("requestBody", {"content": {JSON: {}}})
            assert list(body["content"]) == [JSON]
