"""Schemas as the API takes them, what is dropped, and the check of what was."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_client import Dropped, find_violations, to_api_schema

CASES: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, Any]]]] = [
    ({"type": "string"}, {"type": "string"}, []),
    (
        {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."},
        {"type": "integer", "description": "How many.\n\n(minimum: 1; maximum: 9)"},
        [("", "minimum", 1), ("", "maximum", 9)],
    ),
    (
        {"type": "object", "properties": {"a/b": {"type": "string", "pattern": "^x"}}},
        {
            "type": "object",
            "properties": {"a/b": {"type": "string", "description": "(pattern: ^x)"}},
            "additionalProperties": False,
        },
        [("/properties/a~1b", "pattern", "^x")],
    ),
    (
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "object", "additionalProperties": False},
        [("", "additionalProperties", {"type": "integer"})],
    ),
    (
        {"oneOf": [{"type": "string"}, {"type": "null"}], "discriminator": {"propertyName": "x"}},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        [
            ("", "oneOf", [{"type": "string"}, {"type": "null"}]),
            ("", "discriminator", {"propertyName": "x"}),
        ],
    ),
    (
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        [],
    ),
    (
        {"type": "array", "minItems": 3},
        {"type": "array", "minItems": 1, "description": "(minItems: 3)"},
        [("", "minItems", 3)],
    ),
    (
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "string"}], "items": False},
        {"type": "array", "items": {"type": "string"}},
        [
            ("", "prefixItems", [{"type": "string"}, {"type": "string"}]),
            ("", "items", False),
        ],
    ),
    (
        {"type": "string", "format": "uuid"},
        {"type": "string", "format": "uuid"},
        [],
    ),
    (
        {"type": "string", "format": "color"},
        {"type": "string", "description": "(format: color)"},
        [("", "format", "color")],
    ),
    (
        {"$ref": "#/$defs/A", "description": "x", "$defs": {"A": {"type": "null"}}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"type": "null"}}},
        [("", "description", "x")],
    ),
    (
        {"enum": [1, {"a": 1}]},
        {"description": '(enum: [1,{"a":1}])'},
        [("", "enum", [1, {"a": 1}])],
    ),
    # Names of properties are no keywords.
    (
        {"properties": {"minimum": {"type": "integer"}}, "required": ["minimum"]},
        {
            "properties": {"minimum": {"type": "integer"}},
            "required": ["minimum"],
            "additionalProperties": False,
        },
        [],
    ),
]


@pytest.mark.parametrize(("schema", "expected", "dropped"), CASES)
def test_what_becomes_of_a_schema(
    schema: dict[str, Any], expected: dict[str, Any], dropped: list[tuple[str, str, Any]]
) -> None:
    api = to_api_schema(schema)
    assert api.schema == expected
    assert list(api.dropped) == [Dropped(*drop) for drop in dropped]


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False)
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=4,
)
_KEYWORDS = [
    "type",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
    "$defs",
    "properties",
    "items",
    "prefixItems",
    "required",
    "format",
    "additionalProperties",
    "minItems",
    "maxItems",
    "minimum",
    "pattern",
    "description",
    "title",
    "default",
    "not",
    "if",
    "uniqueItems",
    "$schema",
    "examples",
    "patternProperties",
]


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.dictionaries(st.text(max_size=2), inner, max_size=2)
    listed = st.lists(inner, max_size=2)
    special = {
        "type": st.sampled_from(["object", "array", "string", "integer", ["string", "null"]]),
        "properties": named,
        "$defs": named,
        "items": inner,
        "anyOf": listed,
        "oneOf": listed,
        "allOf": listed,
        "prefixItems": listed,
        "minItems": st.integers(0, 3),
        "description": st.text(max_size=3),
        "$ref": st.just("#/$defs/a"),
    }
    # Well-formed most of the time, and anything at all now and then.
    return st.fixed_dictionaries(
        {}, optional={key: special.get(key, _VALUES) | _VALUES for key in _KEYWORDS}
    )


SCHEMAS = _grown(st.recursive(st.booleans() | st.just({}), _grown, max_leaves=6))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS)
def test_the_transform_is_pure_and_idempotent(schema: dict[str, Any]) -> None:
    before = copy.deepcopy(schema)
    api = to_api_schema(schema)
    assert schema == before
    again = to_api_schema(api.schema)
    assert again.schema == api.schema
    assert again.dropped == ()
    _scribble(api.schema)
    _scribble([drop.value for drop in api.dropped])
    assert schema == before


def _scribble(value: Any) -> None:
    """Change everything that can be."""
    if isinstance(value, dict):
        for item in value.values():
            _scribble(item)
        value["scribble"] = 1
    elif isinstance(value, list):
        for item in value:
            _scribble(item)
        value.append("scribble")


_CHECKED = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["object", "array", "string", "integer", "number", "null"]),
        "minimum": st.integers(-3, 3),
        "exclusiveMaximum": st.integers(-3, 3),
        "multipleOf": st.integers(1, 3),
        "minLength": st.integers(0, 3),
        "maxItems": st.integers(0, 2),
        "uniqueItems": st.booleans(),
        "minProperties": st.integers(0, 2),
        "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
        "not": st.sampled_from([{"type": "null"}, {"minimum": 2}]),
        "const": _VALUES,
    },
)
_NESTED = st.recursive(
    _CHECKED,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "contains": inner,
            "propertyNames": st.sampled_from([{"maxLength": 1}, True]),
            "dependentRequired": st.just({"a": ["b"]}),
            "if": inner,
            "then": inner,
            "else": inner,
        },
    ),
    max_leaves=5,
)
_DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-4, 4) | st.sampled_from(["", "abc", "x y", "ä"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "cc"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(_NESTED, _DATA)
def test_the_check_agrees_with_jsonschema(schema: dict[str, Any], value: Any) -> None:
    valid = jsonschema.Draft202012Validator(schema).is_valid(value)
    # Case of strings is the one thing in which it is more lenient; there is none in the data.
    assert (not find_violations(value, schema)) is valid


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "integer", "minimum": 1}, 0, [("", "minimum")]),
        ({"properties": {"a": {"maxLength": 1}}}, {"a": "xy"}, [("/a", "maxLength")]),
        ({"items": {"pattern": "^a"}}, ["ab", "b"], [("/1", "pattern")]),
        ({"enum": ["Red"]}, "red", []),
        ({"multipleOf": 0.1}, 0.3, []),
        ({"pattern": "(?<x"}, "anything", []),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"type": "null"}}}, 1, [("", "type")]),
        ({"$ref": "#"}, {"a": 1}, []),
        (
            {"anyOf": [{"type": "null"}, {"properties": {"a": {"minimum": 2}}}]},
            {"a": 1},
            [("/a", "minimum")],
        ),
    ],
)
def test_what_the_check_says(schema: Any, value: Any, expected: list[tuple[str, str]]) -> None:
    assert [(v.pointer, v.keyword) for v in find_violations(value, schema)] == expected
