"""Response models: every shape that lint lets through is emitted, decodes and encodes again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from claude_codegen.emit.models import EmitError
from claude_codegen.ir import build
from claude_codegen.lint import lint
from claude_codegen.regenerate import GenerationError, render

from .building import FROM_PATHS, STRING, answer, feature, load_small, text_of
from .conftest import Installer

NULL = {"type": "null"}
MOMENT = {"type": "string", "format": "date-time"}
NOON = "2026-01-02T12:00:00.120Z"
PART = {"type": "object", "description": "P.", "required": ["id"], "properties": {"id": STRING}}
MEMBERS: dict[str, Any] = {
    name: {
        "type": "object",
        "description": "M.",
        "required": ["type"],
        "properties": {"type": {"type": "string", "const": tag}},
    }
    for name, tag in (("A", "a"), ("B", "b"))
}
UNION: dict[str, Any] = {
    "oneOf": [{"$ref": "#/A"}, {"$ref": "#/B"}],
    "discriminator": {"propertyName": "type", "mapping": {"a": "#/A", "b": "#/B"}},
}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def mapping(values: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/{name}"}


def alias(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "L.", **schema}


P = {"id": "1"}
SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    # name: schema of the field, further components, a value; "Part", "A" or a date is in each
    "date": (MOMENT, {}, NOON),
    "dates": (array(MOMENT), {}, [NOON, "not a date", None]),
    "dates by name": (mapping(MOMENT), {}, {"k": NOON}),
    "date or number": ({"oneOf": [MOMENT, {"type": "integer"}]}, {}, NOON),
    "alias of a date": (ref("L"), {"L": alias(MOMENT)}, NOON),
    "alias of a date or null": (ref("L"), {"L": alias({"oneOf": [MOMENT, NULL]})}, NOON),
    "alias of a list": (ref("L"), {"L": alias(array(ref("Part")))}, [P, 1]),
    "alias of a list or null": (
        ref("L"),
        {"L": alias({"oneOf": [array(ref("Part")), NULL]})},
        [P],
    ),
    "nullable array alias": (
        ref("L"),
        {"L": alias({"type": ["array", "null"], "items": ref("Part")})},
        [P],
    ),
    "alias of a map": (ref("L"), {"L": alias(mapping(ref("Part")))}, {"k": P}),
    "alias of an alias": (
        ref("L"),
        {"L": alias({"oneOf": [ref("M"), NULL]}), "M": alias(array(ref("Part")))},
        [P],
    ),
    "alias of an object or null": (ref("L"), {"L": alias({"oneOf": [ref("Part"), NULL]})}, P),
    "list of lists": (array(array(ref("Part"))), {}, [[P], "x"]),
    "list with gaps": (array({"oneOf": [ref("Part"), NULL]}), {}, [P, None]),
    "list of maps": (array(mapping(ref("Part"))), {}, [{"k": P}]),
    "map of lists": (mapping(array(ref("Part"))), {}, {"k": [P]}),
    "map of maps": (mapping(mapping(ref("Part"))), {}, {"k": {"l": P}}),
    "list of an alias": (array(ref("L")), {"L": alias(array(ref("Part")))}, [[P]]),
    "map of an alias": (mapping(ref("L")), {"L": alias(array(ref("Part")))}, {"k": [P]}),
    "text, list or object": (
        {"oneOf": [STRING, array(ref("Part")), ref("Part")]},
        {},
        P,
    ),
    "text or union": ({"oneOf": [STRING, ref("U")]}, {"U": alias(UNION), **MEMBERS}, {"type": "a"}),
    "text, list or union": (
        {"oneOf": [STRING, array(ref("U")), ref("U")]},
        {"U": alias(UNION), **MEMBERS},
        [{"type": "a"}],
    ),
    "alias of text, list or union": (
        ref("L"),
        {
            "L": alias({"oneOf": [STRING, array(ref("U")), ref("U")]}),
            "U": alias(UNION),
            **MEMBERS,
        },
        {"type": "a"},
    ),
    "map of a union": (mapping(ref("U")), {"U": alias(UNION), **MEMBERS}, {"k": {"type": "a"}}),
    "union without a name": (UNION, MEMBERS, {"type": "a"}),
    "union without a name, or null": (
        {**UNION, "oneOf": [*UNION["oneOf"], NULL]},
        MEMBERS,
        {"type": "a"},
    ),
    "union without a name, or text": ({"oneOf": [STRING, UNION]}, MEMBERS, {"type": "a"}),
    "list of a union without a name": (array(UNION), MEMBERS, [{"type": "a"}]),
    "alias of a union or null": (
        ref("L"),
        {"L": alias({**UNION, "oneOf": [*UNION["oneOf"], NULL]}), **MEMBERS},
        {"type": "a"},
    ),
    "recursive alias": (
        ref("L"),
        {"L": alias({"oneOf": [array(ref("L")), ref("Part")]})},
        [[P], P],
    ),
    "aliases in a circle": (
        ref("Q"),
        {
            "Q": alias({"oneOf": [STRING, array(ref("P"))]}),
            "P": alias({"oneOf": [array(ref("Q")), ref("Part")]}),
        },
        [[[P]]],
    ),
}
PLAIN: dict[str, tuple[dict[str, Any], Any]] = {
    "day": ({"type": "string", "format": "date"}, "2026-01-02"),
    "uuid": ({"type": "string", "format": "uuid"}, "00000000-0000-0000-0000-000000000000"),
    "uri": ({"type": "string", "format": "uri"}, "https://example.com"),
    "big integer": ({"type": "integer", "format": "int64"}, 2**53 + 1),
    "double": ({"type": "number", "format": "double"}, 0.5),
    "constant integer": ({"type": "integer", "const": 3}, 3),
    "constant boolean": ({"type": "boolean", "const": True}, True),
    "constant or null": ({"oneOf": [{"type": "string", "const": "q"}, NULL]}, None),
    "integers": ({"type": "integer", "enum": [1, 2]}, 7),
    "enum": ({"type": "string", "enum": ["a", "b"]}, "new"),
    "enums": (array({"type": "string", "enum": ["a", "b"]}), ["a", "new"]),
    "kinds": (
        {"oneOf": [{"type": "boolean"}, {"type": "integer"}, {"type": "string", "enum": ["a"]}]},
        "a",
    ),
    "anything": ({"description": "Anything."}, {"a": [None]}),
    "list of anything": (array({"description": "Anything."}), [1, {}, None]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_decodes_to_models_and_back(
    name: str, tmp_path: Path, installed: Installer
) -> None:
    schema, components, value = SHAPES[name]
    components = {**({"Part": PART} if "#/Part" in str((schema, components)) else {}), **components}
    bundle = load_small(tmp_path, {"x": schema}, components)
    assert {problem.rule for problem in lint(bundle)} <= {"example-missing"}
    package = installed(bundle)
    data = {"type": "thing", "x": value}
    thing = package.models.decoder("Thing")(data)
    assert any(kind in repr(thing.x) for kind in ("Part(", "A(", "Timestamp("))
    assert thing.to_dict() == data
    assert json.loads(thing.to_json()) == data
    assert package.models.Thing.from_dict(data) == thing
    for other in (None, 0, "text", [], {}, [None], {"k": None}, [[1]]):
        odd = {"type": "thing", "x": other}
        assert package.models.decoder("Thing")(odd).to_dict() == odd


def test_plain_values_stay_as_they_are(tmp_path: Path, installed: Installer) -> None:
    fields = {name.replace(" ", "_"): schema for name, (schema, _) in PLAIN.items()}
    bundle = load_small(tmp_path, fields)
    assert {problem.rule for problem in lint(bundle)} <= {"example-missing"}
    data = {"type": "thing", **{n.replace(" ", "_"): value for n, (_, value) in PLAIN.items()}}
    thing = installed(bundle).models.decoder("Thing")(data)
    assert thing.to_dict() == data


def test_unknown_members_fields_and_values_survive(installed: Installer) -> None:
    models = installed(feature("tagged_union")).models
    data = {
        "shape": {"kind": "star", "points": 5},
        "shapes": [{"kind": "box", "new": None}, {"kind": ["x"]}, {}, 3],
        "by_name": {"a": {"kind": "circle", "radius": 1}},
        "later": True,
    }
    thing = models.decoder("Thing")(data)
    assert type(thing.shape).__name__ == "Unknown"
    assert thing.shape.tag == "star"
    assert isinstance(thing.shapes[0], models.Square)
    assert isinstance(thing.by_name["a"], models.Circle)
    assert thing.to_dict() == data


def test_absent_null_and_given_are_three_things(installed: Installer) -> None:
    package = installed(feature("nullable"))
    decode = package.models.decoder("Thing")
    for data in ({}, {"name": None, "owner": None}, {"owner": {"id": "1"}, "kind": None}):
        assert decode(data).to_dict() == data
    assert decode({}).name is package.UNSET
    assert decode({"name": None}).name is None


# attrs: a class whose property is called "from", or like something the class body uses, would not
# compile, or break the fields after it.
def test_names_with_a_meaning_in_python_are_usable(installed: Installer) -> None:
    models = installed(feature("keyword_names")).models
    data = {
        "type": "thing",
        "from": "here",
        "class": "c",
        "meta": "m",
        "max-age": 3,
        "data": {"id": "1"},
        "decoders": {"id": "2"},
        "extra": {"id": "3"},
        "field": "f",
        "unknown": 1,
    }
    thing = models.decoder("Thing")(data)
    assert (thing.from_, thing.class_, thing.max_age, thing.meta_) == ("here", "c", 3, "m")
    assert (thing.data.id, thing.decoders.id, thing.extra.id) == ("1", "2", "3")
    assert thing.meta is None
    assert thing.extra_fields == {"unknown": 1}
    assert thing.to_dict() == data
    made = models.Thing(from_="here", data=models.Part(id="1"))
    assert made.to_dict() == {"type": "thing", "from": "here", "data": {"id": "1"}}


def test_decoders_may_use_the_names_of_fields(tmp_path: Path, installed: Installer) -> None:
    names = ("known", "fill", "len", "list", "dict", "decode_timestamp", "item", "key", "object")
    bundle = load_small(tmp_path, dict.fromkeys(names, MOMENT))
    data = {"type": "thing", **dict.fromkeys(names, NOON), "more": 1}
    assert installed(bundle).models.decoder("Thing")(data).to_dict() == data


# attrs: one class costs about a millisecond, so none is made before it is needed.
def test_no_class_is_made_before_it_is_needed(tmp_path: Path, installed: Installer) -> None:
    package = installed(feature("modules"))
    name, site = package.__name__, Path(str(package.__file__)).parents[1]
    code = f"""
import sys
sys.path.insert(0, {str(site)!r})
import {name}, {name}.models, {name}.params, {name}.operations
assert "attrs" not in sys.modules, "attrs"
from {name}.models import decoder
loaded = lambda: sorted(m for m in sys.modules if m.startswith("{name}.models."))
assert loaded() == [], loaded()
decoder("Point")({{"x": 1}})
assert loaded() == ["{name}.models.shapes", "{name}.models.shapes.points"], loaded()
from {name}.models import Thing
assert "{name}.models.things" in loaded()
assert "{name}.models.shapes.round.round" not in loaded()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=tmp_path)


def test_the_package_of_models_lists_its_names(installed: Installer) -> None:
    models = installed(feature("modules")).models
    assert {"Thing", "Round", "Point", "decoder", "decoders"} <= set(dir(models))
    assert "RoundParam" not in dir(models)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = models.Nothing
    with pytest.raises(KeyError):
        models.decoder("Nothing")


def test_names_that_become_one_function_are_refused(tmp_path: Path) -> None:
    components = {"Tool_20250101": PART, "Tool20250101": PART}
    fields = {"a": ref("Tool_20250101"), "b": ref("Tool20250101")}
    bundle = load_small(tmp_path, fields, components)
    with pytest.raises(GenerationError, match="both become tool_20250101") as caught:
        render(bundle)
    assert isinstance(caught.value.__cause__, EmitError)


def test_an_answer_that_is_no_component_is_refused(tmp_path: Path) -> None:
    things = array({"$ref": FROM_PATHS + "Thing"})
    bundle = load_small(tmp_path, {"x": STRING}, responses=answer(things))
    assert build(bundle)
    with pytest.raises(GenerationError, match=r"things\.create: its JSON answer must be a comp"):
        render(bundle)


def test_descriptions_do_not_leak_into_imports() -> None:
    text = text_of("prose", "models/things.py")
    assert "from datetime import" not in text
    assert "import UNSET, Unset" in text
