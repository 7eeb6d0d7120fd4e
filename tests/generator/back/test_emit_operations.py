"""Operation descriptors, beta rules, error classes and facts of the service."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from claude_codegen.emit.beta_rules import beta_rule, beta_rules
from claude_codegen.emit.models import EmitError
from claude_codegen.emit.package import status_class
from claude_codegen.ir import ErrorCode, build
from claude_codegen.types import BetaNeed

from .building import STRING, feature, load_small, text_of
from .conftest import Installer


def test_descriptors_are_listed_without_being_loaded(installed: Installer) -> None:
    package = installed(feature("nested_resources"))
    operations = package.operations.OPERATIONS
    assert list(operations) == [
        *("shops.exchange", "things.parts.legs.retrieve", "things.retrieve"),
    ]
    assert len(operations) == 3
    assert operations["things.parts.legs.retrieve"].id == "things.parts.legs.retrieve"
    assert "nothing.at_all" not in operations
    with pytest.raises(KeyError):
        operations["nothing.at_all"]


def test_a_descriptor_says_where_each_argument_goes(installed: Installer) -> None:
    operation = installed(feature("parameters")).operations.OPERATIONS["things.retrieve"]
    assert {
        parameter.name: (parameter.location, parameter.wire_name, parameter.array)
        for parameter in operation.parameters
    } == {
        "thing_id": ("path", "thing_id", False),
        "part": ("path", "part", False),
        "created_at_gte": ("query", "created_at[gte]", False),
        "colors": ("query", "colors[]", True),
        # Behind a name of its own it is a list all the same.
        "sizes": ("query", "sizes[]", True),
        "deep": ("query", "deep", False),
        "trace": ("header", "X-Trace", False),
        "hints": ("header", "X-Hint", True),
    }
    required = [parameter.name for parameter in operation.parameters if parameter.required]
    assert required == ["thing_id", "part", "deep"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["array", "null"], "items": STRING},
        {"oneOf": [{"type": "array", "items": STRING}, {"type": "null"}]},
        {"oneOf": [STRING, {"type": "array", "items": STRING}]},
    ],
)
def test_a_list_is_a_list_in_every_spelling(
    schema: dict[str, Any], tmp_path: Path, installed: Installer
) -> None:
    parameter = {
        "name": "x[]",
        "in": "query",
        "x-python-name": "x",
        "description": "X.",
        "schema": schema,
    }
    package = installed(load_small(tmp_path, {"y": STRING}, parameters=[parameter]))
    (found,) = package.operations.OPERATIONS["things.create"].parameters
    assert found.array


def test_options_are_no_parameters() -> None:
    # anthropic-version, anthropic-beta and anthropic-workspace-id are options of every method.
    text = text_of("betas_and_versions", "operations/things.py")
    assert "anthropic" not in text
    assert "api_version" not in text_of("betas_and_versions", "resources/things.py")


def test_rules_are_data(installed: Installer) -> None:
    package = installed(feature("betas_and_versions"))
    rules = sys.modules[f"{package.__name__}.operations.beta_rules"].BETA_RULES
    fields = rules["ThingCreateParams"]["fields"]
    assert fields["parts"] == {"items": "PartParam"}
    assert fields["spare"] == {"map": "PartParam"}
    assert fields["heat"] == {"until": "2023-06-01"}
    assert fields["color"]["beta"].default == "colors-2026-01-01"
    assert fields["owner"]["beta"].via_beta_namespace
    # Nothing beta can be reached from there.
    assert "lid" not in fields
    assert "PlainPartParam" not in rules
    assert rules["PartParam"] == {"tag": "type", "members": {"painted": "PaintedPartParam"}}
    service = sys.modules[f"{package.__name__}.service"]
    assert {"shapes-2026-01-01"} == service.SHAPE_SELECTING_BETAS
    assert service.API_VERSIONS == ("2023-06-01", "2026-10-21")
    assert service.DEFAULT_API_VERSION == "2026-10-21"
    assert service.BASE_URL == "https://api.example.com"


def test_rules_are_empty_where_nothing_is_beta(installed: Installer) -> None:
    package = installed(feature("enums"))
    assert sys.modules[f"{package.__name__}.operations.beta_rules"].BETA_RULES == {}
    assert "import BetaRule" not in text_of("enums", "operations/beta_rules.py")


FLAG = "colors-2026-01-01"
BETA_PART = {"type": "object", "description": "P.", "x-beta": FLAG, "properties": {"id": STRING}}
PLAIN_PART = {
    "type": "object",
    "description": "P.",
    "properties": {"deep": {"$ref": "#/Part", "description": "D."}},
}


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ({"$ref": "#/Part"}, '{"x": {"type": "Part"}}'),
        ({"oneOf": [{"$ref": "#/Part"}, {"type": "null"}]}, '{"x": {"type": "Part"}}'),
        ({"type": "array", "items": {"$ref": "#/Part"}}, '{"x": {"items": "Part"}}'),
        (
            {"type": "object", "additionalProperties": {"$ref": "#/Part"}},
            '{"x": {"map": "Part"}}',
        ),
        ({"$ref": "#/Parts"}, '{"x": {"items": "Part"}}'),
        (
            {"oneOf": [STRING, {"type": "array", "items": {"$ref": "#/Part"}}, {"$ref": "#/Part"}]},
            '{"x": {"items": "Part", "type": "Part"}}',
        ),
        ({"$ref": "#/Plain"}, '{"x": {"type": "Plain"}}'),
    ],
)
def test_rules_lead_to_every_beta_part(field: dict[str, Any], rule: str, tmp_path: Path) -> None:
    parts = {"description": "P.", "type": "array", "items": {"$ref": "#/Part"}}
    components = {"Part": BETA_PART, "Plain": PLAIN_PART, "Parts": parts}
    rules = beta_rules(build(load_small(tmp_path, {"x": field}, components)))
    assert rules["ThingCreateParams"] == f'{{"fields": {rule}}}'
    assert rules["Part"] == f'{{"beta": BetaRule("{FLAG}")}}'
    assert "Parts" not in rules


def test_beta_parts_in_lists_of_lists_are_refused(tmp_path: Path) -> None:
    lists = {"type": "array", "items": {"type": "array", "items": {"$ref": "#/Part"}}}
    bundle = load_small(tmp_path, {"x": lists}, {"Part": BETA_PART})
    with pytest.raises(EmitError, match="x: a list of lists cannot be searched"):
        beta_rules(build(bundle))


def test_values_of_a_named_enum_are_found_through_its_users(tmp_path: Path) -> None:
    color = {
        "type": "string",
        "description": "C.",
        "enum": ["red", "blue"],
        "x-enum": {"blue": {"x-beta": FLAG}, "red": {"description": "R."}},
    }
    rules = beta_rules(build(load_small(tmp_path, {"x": {"$ref": "#/Color"}}, {"Color": color})))
    assert rules == {
        "ThingCreateParams": f'{{"fields": {{"x": {{"values": {{"blue": '
        f'{{"beta": BetaRule("{FLAG}")}}}}}}}}}}'
    }


def test_a_rule_as_python() -> None:
    assert beta_rule(BetaNeed(("a",), "a")) == 'BetaRule("a")'
    assert beta_rule(BetaNeed(("a", "b"), "b", ("m",), True)) == (
        'BetaRule("b", any_of=("a", "b"), unless_model=("m",), via_beta_namespace=True)'
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "BadRequestError"),
        (418, "APIStatusError"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailableError"),
        (529, "OverloadedError"),
        (599, "InternalServerError"),
    ],
)
def test_the_class_of_a_code_is_one_of_its_status(status: int, expected: str) -> None:
    assert status_class(ErrorCode("c", status, "C", "", "false")) == expected


def test_error_classes_by_code(installed: Installer) -> None:
    package = installed(feature("error_codes"))
    errors = sys.modules[f"{package.__name__}.errors"]
    runtime = sys.modules[f"{package.__name__}._runtime.errors"]
    broken = errors.CODE_CLASSES[400, "thing_broken"]
    assert broken is errors.ThingBrokenError
    assert issubclass(broken, runtime.BadRequestError)
    assert errors.CODE_RETRIES["too_many_things"] == "after-wait"
    assert errors.CODE_RETRIES["thing_busy"] == "true"
    assert broken.__doc__ == 'The thing is in "pieces".'


def test_a_spec_without_error_codes_is_fine(installed: Installer) -> None:
    package = installed(feature("enums"))
    assert sys.modules[f"{package.__name__}.errors"].CODE_CLASSES == {}
