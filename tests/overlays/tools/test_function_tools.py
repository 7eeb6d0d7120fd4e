"""Tools made from functions: their definitions, and calls with what the model gives."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import pytest

from claude_client import (
    AsyncFunctionTool,
    FunctionTool,
    InvalidToolArgumentsError,
    UnsupportedTypeError,
    beta_async_tool,
    beta_tool,
    tool,
)
from claude_client.structured_output.docstrings import parse_docstring
from claude_client.tools.content import result_content

GOOGLE = """Tell the weather.

    It is right most of the time.

    Args:
        city (str): Where, such
            as Paris: the city.
        unit: C or F.

    Returns:
        Text.
    """
NUMPY = """Tell the weather.

    It is right most of the time.

    Parameters
    ----------
    city : str
        Where, such
        as Paris: the city.
    unit : {"C", "F"}, optional
        C or F.

    Returns
    -------
    str
        Text.
    """
SPHINX = """Tell the weather.

    It is right most of the time.

    :param str city: Where, such
        as Paris: the city.
    :param unit: C or F.
    :type unit: str
    :returns: Text.
    """


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_docstrings_of_each_convention(text: str) -> None:
    said = parse_docstring(text)
    assert said.description == "Tell the weather.\n\nIt is right most of the time."
    assert said.parameters == {"city": "Where, such as Paris: the city.", "unit": "C or F."}


def test_docstrings_that_are_only_text() -> None:
    assert parse_docstring(None) == ("", {})
    assert parse_docstring("Note: this is no section.").description == "Note: this is no section."


@dataclass
class Place:
    name: str


@tool
def forecast(
    place: Place,
    day: date,
    unit: Literal["C", "F"] = "C",
    hours: Annotated[int, "How long."] = 24,
    label: str | None = None,
) -> str:
    """Tell the weather.

    Args:
        place: Where.
    """
    assert isinstance(place, Place)
    assert isinstance(day, date)
    return f"{place.name} {day:%d.%m.} {unit} {hours} {label}"


def test_a_definition_from_signature_and_docstring() -> None:
    assert isinstance(forecast, FunctionTool)
    assert forecast.__name__ == "forecast"
    assert forecast.to_param() == {
        "name": "forecast",
        "description": "Tell the weather.",
        "input_schema": {
            "type": "object",
            "properties": {
                "place": {"$ref": "#/$defs/Place", "description": "Where."},
                "day": {"type": "string", "format": "date"},
                "unit": {"type": "string", "enum": ["C", "F"], "default": "C"},
                "hours": {"type": "integer", "description": "How long.", "default": 24},
                "label": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            },
            "required": ["place", "day"],
            "additionalProperties": False,
            "$defs": {
                "Place": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}},
                    "required": ["name"],
                    "additionalProperties": False,
                }
            },
        },
    }


def test_arguments_are_converted() -> None:
    given = {"place": {"name": "Rome"}, "day": "2026-02-01", "unit": "f"}
    assert forecast.call(given) == "Rome 01.02. F 24 None"
    # And the function stays a function.
    assert forecast(Place("Rome"), date(2026, 2, 1)) == "Rome 01.02. C 24 None"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"day": "2026-02-01"}, "'place' is missing"),
        ({"place": {"name": 1}, "day": "2026-02-01"}, "/place/name: a string expected"),
        ({"place": {"name": "a"}, "day": "x"}, "/day"),
        ({"place": {"name": "a"}, "day": "2026-02-01", "hour": 1}, "/hour: has no place here"),
    ],
)
def test_wrong_arguments_are_told_to_the_model(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidToolArgumentsError, match=message) as caught:
        forecast.call(given)
    assert "invalid arguments for forecast" in caught.value.content


def test_settings_replace_what_the_function_says() -> None:
    @tool(
        name="add_up",
        description="Adds.",
        strict=True,
        cache_control={"type": "ephemeral"},
        input_examples=[{"a": 1}],
    )
    def add(a: Annotated[int, "One."], /, b: int = 1) -> int:
        return a + b

    param: Any = add.to_param()
    assert param["name"] == "add_up"
    assert param["description"] == "Adds."
    assert param["strict"] is True
    assert param["cache_control"] == {"type": "ephemeral"}
    assert add.call({"a": 2}) == 3
    with pytest.raises(TypeError, match="no settings nmae"):
        tool(add, nmae="x")  # type: ignore[call-overload]


def test_a_schema_of_ones_own_is_checked() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 2}}}

    @tool(input_schema=schema)
    def half(n: int) -> float:
        return n / 2

    assert half.input_schema == schema
    with pytest.raises(InvalidToolArgumentsError, match="below 2"):
        half.call({"n": 1})


def test_strict_schemas_keep_to_what_the_api_takes() -> None:
    @tool(strict=True)
    def pick(ids: tuple[int, int]) -> str:
        return str(ids)

    inner = pick.input_schema["properties"]["ids"]
    assert "prefixItems" not in inner
    with pytest.raises(InvalidToolArgumentsError):
        pick.call({"ids": [1]})
    with pytest.raises(UnsupportedTypeError):

        @tool(strict=True)
        def count(words: dict[str, int]) -> None: ...


def test_further_arguments_by_name() -> None:
    @tool
    def note(text: str, **facts: int) -> str:
        return f"{text} {facts}"

    assert note.call({"text": "a", "x": 1}) == "a {'x': 1}"
    with pytest.raises(InvalidToolArgumentsError):
        note.call({"text": "a", "x": "y"})


def test_functions_of_all_kinds() -> None:
    class Counter:
        """Counts."""

        def __init__(self) -> None:
            self.count = 0

        def more(self, by: int) -> int:
            """Count on."""
            self.count += by
            return self.count

        def __call__(self, by: int) -> int:
            return self.more(by)

    counter = Counter()
    assert tool(counter.more).call({"by": 2}) == 2
    named: Any = tool(functools.partial(counter.more, by=3))
    assert named.name == "more"
    assert named.call({}) == 5
    # What was bound is the program's: the model neither reads nor changes it.
    assert named.input_schema["properties"] == {}
    with pytest.raises(InvalidToolArgumentsError):
        named.call({"by": 4})
    called: Any = tool(counter, name="counter")
    assert called.description == "Counts."
    assert called.call({"by": 1}) == 6
    with pytest.raises(UnsupportedTypeError, match="bound method"):
        tool(Counter.more)
    with pytest.raises(UnsupportedTypeError, match="by name only"):
        tool(lambda *args: args, name="x")
    with pytest.raises(ValueError, match="cannot be named"):
        tool(lambda: None)


def test_arguments_that_are_left_out_or_there_twice() -> None:
    def between(low: int = 1, high: int = 9, /) -> str:
        """Choose."""
        return f"{low}-{high}"

    assert tool(between).call({"high": 5}) == "1-5"
    assert tool(between).call({}) == "1-9"

    def count(names: set[str]) -> int:
        """Count."""
        return len(names)

    assert tool(count).call({"names": ["a", "b", "a"]}) == 2
    schema = {"properties": {"names": {"type": "array", "uniqueItems": True}}}
    with pytest.raises(InvalidToolArgumentsError, match="item 2 is there twice"):
        tool(count, input_schema=schema).call({"names": ["a", "b", "a"]})


def test_coroutine_functions() -> None:
    @beta_async_tool
    async def wait(seconds: timedelta) -> float:
        """Wait."""
        return seconds.total_seconds()

    assert isinstance(wait, AsyncFunctionTool)
    assert asyncio.run(wait.call({"seconds": "PT1M"})) == 60.0
    assert asyncio.run(wait(timedelta(seconds=1))) == 1.0
    assert beta_tool is tool


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("text", "text"),
        (None, ""),
        (3, "3"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (Place("Rome"), '{"name":"Rome"}'),
        ([Place("Rome")], '[{"name":"Rome"}]'),
        (date(2026, 1, 2), '"2026-01-02"'),
        ({"b", "a"}, '["a","b"]'),
        (timedelta(hours=1), '"P0DT3600S"'),
        ({"type": "text", "text": "x"}, [{"type": "text", "text": "x"}]),
        ([{"type": "text", "text": "x"}], [{"type": "text", "text": "x"}]),
        ({"type": "weather"}, '{"type":"weather"}'),
        ([], "[]"),
    ],
)
def test_results_become_content(value: Any, content: Any) -> None:
    assert result_content(value) == content


def test_results_without_json_form() -> None:
    for value in (object(), Place, {"a": object()}):
        with pytest.raises(TypeError, match="no JSON form"):
            result_content(value)
