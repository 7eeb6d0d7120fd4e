"""The operation table says what the spec says."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from claude_rest import errors, models, params
from claude_rest._runtime.caller import RequestOptions
from claude_rest._runtime.operation import BetaRule, Operation, Parameter
from claude_rest.operations import OPERATIONS
from claude_rest.operations.beta_rules import BETA_RULES
from claude_rest.service import (
    API_VERSIONS,
    BASE_URL,
    DEFAULT_API_VERSION,
    MODEL_ENDS,
    REPLACING_BETAS,
    RETIRED_BETAS,
    SHAPE_SELECTING_BETAS,
)
from schema_documents import BUNDLE, SCHEMAS, component_of

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
# Parameters that every operation takes as an option.
OPTIONS = set(RequestOptions.__annotations__)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node and not node["$ref"].startswith("#/components/schemas/"):
        target: Any = BUNDLE
        for token in node["$ref"].removeprefix("#/").split("/"):
            target = target[token.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def schema_of(node: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references and ``null``."""
    while True:
        if "$ref" in node:
            node = SCHEMAS[component_of(node["$ref"])]
        elif [variant for variant in node.get("oneOf", ()) if variant.get("type") != "null"] and (
            len([v for v in node["oneOf"] if v.get("type") != "null"]) == 1
        ):
            node = next(v for v in node["oneOf"] if v.get("type") != "null")
        else:
            return node


def kinds_of(schema: dict[str, Any]) -> list[str]:
    declared = schema.get("type", [])
    return [declared] if isinstance(declared, str) else list(declared)


SPEC: dict[str, tuple[str, str, dict[str, Any], list[dict[str, Any]]]] = {}
for _path, _item in BUNDLE["paths"].items():
    for _method in METHODS:
        if _method in _item:
            _operation = _item[_method]
            SPEC[f"{_operation['x-resource']}.{_operation['x-method']}"] = (
                _path,
                _method.upper(),
                _operation,
                [
                    resolved(parameter)
                    for parameter in (
                        *_item.get("parameters", ()),
                        *_operation.get("parameters", ()),
                    )
                ],
            )


def test_every_operation_of_the_spec_is_in_the_table() -> None:
    assert set(OPERATIONS) == set(SPEC)
    assert len(OPERATIONS) == len(SPEC) == len(list(OPERATIONS))
    assert all(operation.id == key for key, operation in OPERATIONS.items())
    ids = [operation.operation_id for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)
    routes = [(operation.method, operation.path) for operation in OPERATIONS.values()]
    assert len(set(routes)) == len(routes)


def test_an_unknown_operation() -> None:
    assert "messages.destroy" not in OPERATIONS
    with pytest.raises(KeyError, match=r"messages\.destroy"):
        OPERATIONS["messages.destroy"]


@pytest.mark.parametrize("key", SPEC)
def test_route_and_parameters(key: str) -> None:
    path, method, spec, parameters = SPEC[key]
    operation = OPERATIONS[key]
    assert (operation.path, operation.method) == (path, method)
    assert operation.operation_id == spec["operationId"]
    expected = [
        Parameter(
            parameter.get("x-python-name", parameter["name"]),
            parameter["in"],
            wire_name=parameter["name"],
            array="array" in kinds_of(schema_of(parameter["schema"])),
            required=parameter.get("required", False),
        )
        for parameter in parameters
        if not (
            parameter["in"] == "header"
            and parameter.get("x-python-name", parameter["name"]) in OPTIONS
        )
    ]
    assert sorted(operation.parameters, key=repr) == sorted(expected, key=repr)
    for parameter in operation.parameters:
        assert parameter.name.isidentifier()
        if parameter.location == "path":
            assert f"{{{parameter.wire_name}}}" in path
            assert parameter.required
    assert path.count("{") == sum(p.location == "path" for p in operation.parameters)


@pytest.mark.parametrize("key", SPEC)
def test_body(key: str) -> None:
    spec, operation = SPEC[key][2], OPERATIONS[key]
    content = spec.get("requestBody", {}).get("content", {})
    if not content:
        assert (operation.body, operation.body_fields, operation.request_type) == (None, (), None)
        return
    assert operation.body == ("json" if "application/json" in content else "multipart")
    (media,) = content.values()
    component = component_of(media["schema"]["$ref"])
    assert operation.request_type == component
    assert hasattr(params, component)
    assert component in params.__all__
    schema = SCHEMAS[component]
    fields = schema["properties"]
    assert set(operation.body_fields) == set(fields)
    assert len(set(operation.body_fields)) == len(operation.body_fields)
    required = schema.get("required", [])
    assert set(operation.body_fields[: len(required)]) == set(required)
    assert set(operation.body_names.values()) <= set(fields)
    # A list in a form, and nothing else, has another name on the wire than in Python.
    lists = {name.removesuffix("[]"): name for name in fields if name.endswith("[]")}
    assert operation.body_names == lists
    files = {
        name
        for name, field in fields.items()
        if (field.get("items") or field).get("format") == "binary"
    }
    assert set(operation.file_fields) == files
    typed = getattr(params, component)
    assert set(typed.__annotations__) == set(fields)
    # Not __required_keys__: it ignores NotRequired in annotations that are strings.
    optional = {name for name, hint in typed.__annotations__.items() if "NotRequired[" in str(hint)}
    assert set(fields) - optional == set(required)


@pytest.mark.parametrize("key", SPEC)
def test_answer(key: str) -> None:
    spec, operation = SPEC[key][2], OPERATIONS[key]
    content = spec["responses"]["200"].get("content", {})
    if "application/json" in content:
        assert operation.response == "json"
        component = component_of(content["application/json"]["schema"]["$ref"])
        assert operation.response_type == component
        assert models.decoder(component)({}).to_dict() == {}
    if "text/event-stream" in content:
        events = component_of(content["text/event-stream"]["x-item-schema"]["$ref"])
        assert operation.event_type == events
        assert models.decoder(events)({}).to_dict() == {}
        if "application/json" in content:
            assert operation.stream_argument == spec["x-stream-argument"]
            assert operation.stream_argument in operation.body_fields
    else:
        assert operation.event_type is None
        assert operation.stream_argument is None
    assert operation.pagination == tuple(spec.get("x-pagination", ()))
    if operation.pagination:
        assert operation.response_type is not None
        items = SCHEMAS[operation.response_type]["properties"]["data"]["items"]
        assert operation.page_item == component_of(items["$ref"])
        assert models.decoder(operation.page_item)({}).to_dict() == {}
    else:
        assert operation.page_item is None


@pytest.mark.parametrize("key", SPEC)
def test_conduct(key: str) -> None:
    spec, operation = SPEC[key][2], OPERATIONS[key]
    assert operation.retry == spec["x-retry"]
    assert operation.max_bytes == spec.get("x-max-bytes")
    assert operation.max_items == (
        {"requests": 100_000} if operation.id == "messages.batches.create" else {}
    )
    assert operation.unavailable_on == tuple(spec["x-unavailable-on"])
    assert operation.error_codes == tuple(spec["x-error-codes"])
    assert operation.deprecated == spec.get("deprecated", False)
    assert operation.tier in ("ga", "beta")
    assert bool(operation.betas) == ("x-beta" in spec)
    registry = BUNDLE["x-error-codes"]
    for code in operation.error_codes:
        assert code in registry
        entry = registry[code]
        found = errors.CODE_CLASSES[entry["status"], code]
        assert issubclass(found, Exception)
    for rule in operation.betas:
        assert_known(rule)


def test_facts_of_the_service() -> None:
    assert BUNDLE["servers"][0]["url"] == BASE_URL
    versions = BUNDLE["x-api-versions"]
    assert versions["default"] == DEFAULT_API_VERSION
    assert list(API_VERSIONS) == sorted(
        name for name, version in versions["versions"].items() if version.get("supported", True)
    )
    assert API_VERSIONS[-1] == DEFAULT_API_VERSION
    assert {
        flag for flag, beta in BUNDLE["x-betas"].items() if beta.get("selects_shape")
    } == SHAPE_SELECTING_BETAS
    assert {
        flag: (tuple(beta["endpoints"]), tuple(beta["replaces"]))
        for flag, beta in BUNDLE["x-betas"].items()
        if "replaces" in beta
    } == REPLACING_BETAS
    assert {
        flag: beta["status"]
        for flag, beta in BUNDLE["x-betas"].items()
        if beta["status"] == "deprecated"
        or (beta["status"] == "graduated" and not beta.get("selects_shape"))
    } == RETIRED_BETAS
    assert {
        model: (end.get("deprecated_on"), end["retires_on"], end.get("replacement"))
        for model, end in BUNDLE["x-models"].items()
    } == MODEL_ENDS


# --- beta rules ---------------------------------------------------------------------------------


def assert_known(rule: BetaRule) -> None:
    assert rule.default in rule.any_of
    for flag in rule.any_of:
        assert flag in BUNDLE["x-betas"], flag


def stated(beta: Any) -> BetaRule:
    """The rule that an ``x-beta`` of the spec states."""
    if isinstance(beta, str):
        return BetaRule(beta)
    if "via_beta_namespace" in beta:
        return BetaRule(beta["via_beta_namespace"], via_beta_namespace=True)
    return BetaRule(
        beta.get("default", beta.get("any_of", [None])[0]),
        any_of=tuple(beta.get("any_of", ())),
        unless_model=tuple(beta.get("unless_model", ())),
    )


def bounds(node: dict[str, Any]) -> dict[str, Any]:
    """What a node of the spec says about flags and versions, as an entry of the rules."""
    entry: dict[str, Any] = dict(node.get("x-api-version", {}))
    if "x-beta" in node:
        entry["beta"] = stated(node["x-beta"])
    return entry


def ways(schema: dict[str, Any], way: str = "type") -> Iterator[tuple[str, str]]:
    """Objects and unions that a field leads to, and whether through an array or a map."""
    if "$ref" in schema:
        component = component_of(schema["$ref"])
        target = SCHEMAS[component]
        if "properties" in target or "discriminator" in target:
            yield way, component
        else:
            yield from ways(target, way)
    for variant in schema.get("oneOf", ()):
        yield from ways(variant, way)
    if "items" in schema:
        yield from ways(schema["items"], "items")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from ways(schema["additionalProperties"], "map")


def enum_values(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {value: bounds(entry) for value, entry in schema_of(schema).get("x-enum", {}).items()}
    return {value: entry for value, entry in found.items() if entry}


def members(component: str) -> dict[str, str]:
    mapping = SCHEMAS[component]["discriminator"]["mapping"]
    return {tag: component_of(ref) for tag, ref in mapping.items()}


def bound_components() -> set[str]:
    """Components with something beta-only or version-bound in reach."""
    bound: set[str] = set()
    while True:
        more = {
            name
            for name, schema in SCHEMAS.items()
            if name not in bound
            and (
                bounds(schema)
                or any(
                    bounds(field)
                    or "x-api-version-within" in field
                    or enum_values(field)
                    or any(component in bound for _, component in ways(field))
                    for field in schema.get("properties", {}).values()
                )
                or ("discriminator" in schema and bound.intersection(members(name).values()))
            )
        }
        if not more:
            return bound
        bound |= more


def reachable(roots: set[str]) -> set[str]:
    found: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        schema = SCHEMAS[name]
        if "discriminator" in schema:
            todo.extend(members(name).values())
        for field in schema.get("properties", {}).values():
            todo.extend(component for _, component in ways(field))
    return found


ROOTS = {
    operation.request_type
    for operation in OPERATIONS.values()
    if operation.request_type is not None
}
BOUND = bound_components() & reachable(ROOTS)
KEYS = ("beta", "since", "until")
NESTED_BODIES = {
    target
    for schema in SCHEMAS.values()
    for field in schema.get("properties", {}).values()
    for _, target in ways(field)
    if target in ROOTS
}


def test_the_rules_cover_exactly_what_is_bound() -> None:
    assert {name for name in BETA_RULES if "." not in name} == BOUND
    assert len(BOUND) > 10


@pytest.mark.parametrize("component", sorted(BOUND))
def test_rules_of_a_type(component: str) -> None:
    schema, rules = SCHEMAS[component], BETA_RULES[component]
    assert set(rules) <= {*KEYS, "body", "tag", "members", "default", "fields"}
    assert {key: rules[key] for key in KEYS if key in rules} == bounds(schema)
    assert rules.get("body", False) == (component in NESTED_BODIES)
    if "discriminator" in schema:
        discriminator = schema["discriminator"]
        assert rules["tag"] == discriminator["propertyName"]
        assert rules["members"] == {
            tag: member for tag, member in members(component).items() if member in BOUND
        }
        default = discriminator.get("x-default-mapping", schema.get("x-default-mapping"))
        if default is not None and component_of(default) in BOUND:
            assert rules["default"] == component_of(default)
        else:
            assert rules.get("default") is None
    else:
        assert "members" not in rules
    expected: dict[str, dict[str, Any]] = {}
    for name, field in schema.get("properties", {}).items():
        entry = bounds(field)
        values = enum_values(field)
        if values:
            entry["values"] = values
        for way, target in ways(field):
            if "x-api-version-within" in field:
                # Rules of their own for this place: see the next test.
                entry[way] = f"{component}.{name}"
            elif target in BOUND:
                assert entry.get(way, target) == target
                entry[way] = target
        if entry:
            expected[name] = entry
    assert rules.get("fields", {}) == expected


def places_within() -> Iterator[tuple[str, str, dict[str, str]]]:
    for component in BOUND:
        for name, field in SCHEMAS[component].get("properties", {}).items():
            for path, span in field.get("x-api-version-within", {}).items():
                yield f"{component}.{name}", path, span


@pytest.mark.parametrize(("place", "path", "span"), sorted(places_within(), key=str))
def test_rules_of_one_place(place: str, path: str, span: dict[str, str]) -> None:
    rules = BETA_RULES[place]
    for step in path.split("."):
        if "members" in rules:
            following = rules["members"][step]
        else:
            entry = rules["fields"][step]
            following = entry.get("items", entry.get("type"))
        rules = BETA_RULES[following]
    assert rules == span
    # What is beta everywhere is so here too.
    component, _, field = place.partition(".")
    for _, target in ways(SCHEMAS[component]["properties"][field]):
        if target in BOUND:
            assert BETA_RULES[target]["members"].items() <= BETA_RULES[place]["members"].items()


def test_every_flag_is_registered() -> None:
    def walk(node: Any) -> Iterator[BetaRule]:
        if isinstance(node, BetaRule):
            yield node
        elif isinstance(node, dict):
            for value in node.values():
                yield from walk(value)

    rules = list(walk(BETA_RULES))
    assert rules
    for rule in rules:
        assert_known(rule)


# --- records ------------------------------------------------------------------------------------

RECORDS = (
    BetaRule("a-1", any_of=("a-1", "a-2"), unless_model=("m",)),
    Parameter("lifecycle", "query", wire_name="lifecycle[]", array=True),
    OPERATIONS["messages.create"],
    OPERATIONS["models.list"],
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_are_values(record: Any) -> None:
    for again in (pickle.loads(pickle.dumps(record)), copy.copy(record), copy.deepcopy(record)):
        assert again == record
        assert hash(again) == hash(record)
        assert repr(again) == repr(record)
    assert record != 5
    assert {record: 1}[copy.deepcopy(record)] == 1
    name = type(record).__slots__[0]
    with pytest.raises(AttributeError, match="immutable"):
        setattr(record, name, 1)
    with pytest.raises(AttributeError, match="immutable"):
        delattr(record, name)
    with pytest.raises(AttributeError):
        record.surprise = 1


def test_defaults_of_a_record() -> None:
    assert BetaRule("a").any_of == ("a",)
    assert BetaRule("a") == BetaRule("a", any_of=("a",))
    assert BetaRule("a") != BetaRule("b")
    assert Parameter("limit", "query").wire_name == "limit"
    plain = Operation("x.y", operation_id="x_y", method="GET", path="/x")
    assert plain.body_names == {}
    assert plain.retry == "mutating"
    with pytest.raises(TypeError):
        Operation("x.y")  # type: ignore[call-arg]
