"""Python types as schemas, and values of them from JSON."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    Optional,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import attrs
import jsonschema
import pytest
from typing_extensions import NotRequired, Required

from claude_client import OutputFormat, UnsupportedTypeError, find_violations
from claude_client.structured_output.conversion import ConversionError, convert
from claude_client.structured_output.type_schemas import schema_of
from counted_work import LINEAR, growth

T = TypeVar("T")
UserId = NewType("UserId", int)


@dataclass
class Sum:
    kind: Literal["sum"]
    left: Calculation
    right: Calculation


@dataclass
class Product:
    kind: Literal["product"]
    left: Calculation
    right: Calculation


Calculation = Sum | Product | int


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Limits:
    ge: int


@dataclass
class Point:
    """Where.

    Attributes:
        x: To the right.
    """

    x: int
    y: Annotated[int, "Upwards."] = 0
    tags: list[str] = field(default_factory=list)


@dataclass
class Tree:
    name: str
    children: list[Tree] = field(default_factory=list)
    parent: Tree | None = None


@dataclass
class Box(Generic[T]):
    content: T


@attrs.define
class Person:
    name: str
    _age: int = attrs.field(default=3, validator=attrs.validators.ge(0))


class Movie(TypedDict, total=False):
    title: Required[str]
    year: NotRequired[int]


class Pair(NamedTuple):
    first: int
    second: str = "b"


@dataclass
class Strict:
    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("must not be negative")


GOOD: list[tuple[Any, Any, Any]] = [
    (int, 3, 3),
    (int, 3.0, 3),
    (float, 3, 3.0),
    (bool, True, True),
    (None, None, None),
    (Any, {"a": [1]}, {"a": [1]}),
    (str, "x", "x"),
    (UserId, 5, 5),
    (Optional[int], None, None),  # noqa: UP045
    (int | str, "1", "1"),
    (float | int, 1, 1),
    (datetime | str, "2026-01-02", datetime(2026, 1, 2)),  # noqa: DTZ001
    (datetime, "2026-01-02T03:04:05.5Z", datetime(2026, 1, 2, 3, 4, 5, 500000, timezone.utc)),
    (date, "2026-01-02", date(2026, 1, 2)),
    (time, "12:30:00+02:00", time(12, 30, tzinfo=timezone(timedelta(hours=2)))),
    (timedelta, "P1DT2H0.5S", timedelta(days=1, hours=2, seconds=0.5)),
    (UUID, "00000000-0000-4000-8000-000000000000", UUID(int=0x40008000000000000000)),
    (Decimal, "1.10", Decimal("1.10")),
    (IPv4Address, "192.0.2.1", IPv4Address("192.0.2.1")),
    (Path, "a/b", Path("a/b")),
    (Literal["a", 1], 1, 1),
    (Literal["Yes"], "YES", "Yes"),
    (Color, "Red", Color.RED),
    (list[Color], ["red"], [Color.RED]),
    (Sequence[int], [1], [1]),
    (set[int], [1, 1], {1}),
    (frozenset[str], ["a"], frozenset({"a"})),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[int, ...], [1, 2], (1, 2)),
    (Point, {"x": 1}, Point(1)),
    (Point, {"x": 1, "y": 2, "tags": ["a"]}, Point(1, 2, ["a"])),
    (Tree, {"name": "a", "children": [{"name": "b"}]}, Tree("a", [Tree("b")])),
    (Box[Point], {"content": {"x": 1}}, Box(Point(1))),
    (Person, {"name": "a", "age": 4}, Person("a", 4)),
    (Movie, {"title": "a"}, {"title": "a"}),
    (Pair, {"first": 1}, Pair(1)),
    (Annotated[int, "docs"], 1, 1),
    (list[Point | None], [{"x": 1}, None], [Point(1), None]),
    (Person | Point, {"x": 1}, Point(1)),
]


@pytest.mark.parametrize(("hint", "value", "expected"), GOOD)
def test_values_are_converted(hint: Any, value: Any, expected: Any) -> None:
    converted = convert(value, hint)
    assert converted == expected
    assert type(converted) is type(expected)
    schema = schema_of(hint)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert OutputFormat(hint).convert(value) == expected


BAD: list[tuple[Any, Any, str, str]] = [
    (int, True, "", "an integer expected, not a boolean"),
    (int, "1", "", "an integer expected, not a string"),
    (int, 1.5, "", "an integer expected"),
    (bool, 1, "", "true or false"),
    (str, 1, "", "a string expected, not a number"),
    (Point, {"y": 1}, "", "'x' is missing"),
    (Point, {"x": 1, "z": 1}, "/z", "has no place here"),
    (Point, {"x": "a", "tags": [1]}, "/x", "an integer expected"),
    (Color, "green", "", "'green' is none of 'red', 'blue'"),
    (datetime, "soon", "", "soon"),
    (timedelta, "P", "", "no duration"),
    (UUID, "x", "", "badly formed"),
    (Decimal, "x", "", "no decimal"),
    (tuple[int, str], [1], "", "1 items"),
    (list[int], {}, "", "an array expected, not an object"),
    (int | None, "x", "", "an integer expected, not a string or null expected"),
    (Person, {"name": "a", "age": -1}, "", "age"),
    (Strict, {"value": -1}, "", "must not be negative"),
    (Tree, {"name": "a", "children": [{"name": 1}]}, "/children/0/name", "a string expected"),
]


@pytest.mark.parametrize(("hint", "value", "pointer", "message"), BAD)
def test_what_does_not_fit_is_named(hint: Any, value: Any, pointer: str, message: str) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(value, hint)
    assert caught.value.violations[0].pointer == pointer
    assert message in caught.value.violations[0].message


def test_schemas_say_what_the_types_say() -> None:
    assert schema_of(Point) == {
        "description": "Where.",
        "type": "object",
        "properties": {
            "x": {"type": "integer", "description": "To the right."},
            "y": {"type": "integer", "description": "Upwards.", "default": 0},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["x"],
        "additionalProperties": False,
    }
    tree = schema_of(Tree)
    assert tree["$ref"] == "#/$defs/Tree"
    assert tree["$defs"]["Tree"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert schema_of(Movie)["required"] == ["title"]
    both = schema_of(list[Box[int] | Box[str]])
    assert len(both["$defs"]) == 2
    limited = schema_of(Annotated[int, Limits(ge=2)])
    assert limited == {"type": "integer", "minimum": 2}
    assert OutputFormat(Annotated[int, Limits(ge=2)]).dropped[0].keyword == "minimum"


def test_two_classes_of_one_name_stay_two() -> None:
    other = dataclasses.make_dataclass("Point", [("z", int)])
    schema = schema_of(tuple[Point, other])  # type: ignore[valid-type]
    assert set(schema["$defs"]) == {"Point", "Point_2"}


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (complex, "complex cannot be used"),
        (dict[int, str], "names in JSON objects are strings"),
        (Box[complex], "content: complex"),
        (Literal[b"x"], "has no JSON form"),
        (Limits(1), "is no type"),
    ],
)
def test_types_without_json_form_are_refused(hint: Any, message: str) -> None:
    with pytest.raises(UnsupportedTypeError, match=message):
        schema_of(hint)


@pytest.mark.parametrize("hint", [dict[str, int], dict, Mapping[str, Any], Box[dict[str, int]]])
def test_objects_of_any_names_have_a_schema_but_no_format(hint: Any) -> None:
    schema_of(hint)
    with pytest.raises(UnsupportedTypeError, match="not known beforehand"):
        OutputFormat(hint)


def test_pydantic_models_alone_and_inside() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Inner(pydantic.BaseModel):  # type: ignore[name-defined,misc]
        when: date
        count: int = pydantic.Field(ge=1, description="How many.")

    class Outer(pydantic.BaseModel):  # type: ignore[name-defined,misc]
        inner: Inner
        others: list[Inner] = []  # noqa: RUF012

    value = {"inner": {"when": "2026-01-02", "count": 2}}
    form: OutputFormat[Any] = OutputFormat(Outer)
    assert form.convert(value) == Outer(inner=Inner(when=date(2026, 1, 2), count=2))
    assert ("/$defs/Inner/properties/count", "minimum", 1) in [tuple(d) for d in form.dropped]
    many: OutputFormat[Any] = OutputFormat(list[Inner] | None)
    assert many.convert([value["inner"]])[0].count == 2
    with pytest.raises(ConversionError) as caught:
        many.convert([{"when": "2026-01-02", "count": 0}])
    assert caught.value.violations[0].pointer == "/0/count"
    jsonschema.Draft202012Validator.check_schema(many.schema)


def test_dataclasses_of_pydantic_keep_what_their_fields_say() -> None:
    pydantic = pytest.importorskip("pydantic")

    @pydantic.dataclasses.dataclass
    class Score:
        points: int = pydantic.Field(ge=1, description="So far.")
        of: int = pydantic.Field(default=10, alias="outOf")

    form: OutputFormat[Any] = OutputFormat(Score)
    assert form.full_schema == {
        "type": "object",
        "properties": {
            "points": {"type": "integer", "minimum": 1, "description": "So far."},
            "outOf": {"type": "integer", "default": 10},
        },
        "required": ["points"],
        "additionalProperties": False,
    }
    assert form.convert({"points": 3, "outOf": 4}) == Score(points=3, outOf=4)


def test_what_annotated_holds_need_not_have_a_hash() -> None:
    hint = list[Annotated[int, Limits(3)]]
    with pytest.raises(TypeError):
        hash(hint)
    assert schema_of(hint) == {"type": "array", "items": {"type": "integer", "minimum": 3}}
    assert convert([3.0], hint) == [3]
    box = Box[Annotated[int, Limits(3)]]
    assert convert({"content": 4}, box) == Box(4)
    with pytest.raises(ConversionError, match="/content: 1 is below 3"):
        OutputFormat(box).convert({"content": 1})


def test_defaults_that_json_cannot_say_are_left_out() -> None:
    @dataclass
    class Range:
        end: float = float("inf")

    assert schema_of(Range)["properties"] == {"end": {"type": "number"}}


@pytest.mark.parametrize("check", [convert, lambda value, hint: OutputFormat(hint).convert(value)])
def test_unions_within_unions_are_no_exponential_work(check: Any) -> None:
    def steps(levels: int) -> Any:
        value: Any = 1
        for _ in range(levels):
            value = {"kind": "product", "left": value, "right": 2}
        check(1, Calculation)
        return [lambda: check(value, Calculation)]

    assert growth(steps, 2) < 2 * LINEAR


def test_sets_are_no_quadratic_work() -> None:
    form = OutputFormat(set[int])

    def steps(size: int) -> Any:
        numbers = list(range(size))
        return [lambda: form.convert(numbers)]

    assert growth(steps, 200) < 2 * LINEAR


@pytest.mark.parametrize(
    "items", [[1, True, "1", None, [1], {"a": 1}], [{"a": 1, "b": 2}, {"a": 2, "b": 1}], [[], {}]]
)
def test_which_items_are_the_same(items: list[Any]) -> None:
    schema = {"uniqueItems": True}
    assert find_violations(items, schema) == ()
    for item in items:
        assert find_violations([*items, item], schema)[0].message.endswith("is there twice")
    assert find_violations([{"a": 1, "b": 2}, {"b": 2.0, "a": 1}], schema)
