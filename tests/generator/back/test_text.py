"""Text of generated Python: docstrings, literals, names, annotations."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_codegen.emit.modules import Module, packages_of, relative
from claude_codegen.emit.text import (
    argument_annotation,
    argument_lines,
    class_case,
    constant_case,
    docstring,
    literal,
    model_annotation,
    names_in,
    prose,
    snake_case,
    string,
    tuple_of,
)
from claude_codegen.types import ListOf, Literal, MapOf, Nullable, OneOf, Ref, Scalar, Tagged

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0")
    | st.sampled_from(['"', "'", "\\", "`", "\n", " ", "."]),
    max_size=300,
)


@given(TEXTS, st.sampled_from([0, 4, 8]))
@settings(deadline=None, max_examples=300)
def test_any_text_is_a_docstring(text: str, indent: int) -> None:
    margin = " " * indent
    source = f"{'if 1:' if indent else ''}\n{margin}{docstring(text, indent)}\n{margin}pass\n"
    tree = ast.parse(source)
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    shown = next(value for value in values if isinstance(value, str))
    assert shown.split() == prose(text).split()


@given(TEXTS)
@settings(deadline=None)
def test_any_text_is_a_literal(text: str) -> None:
    assert ast.literal_eval(string(text)) == text
    assert ast.literal_eval(tuple_of((text,))) == (text,)
    assert "\n" not in string(text)


def test_docstrings_put_the_summary_on_the_first_line() -> None:
    long = "First things first. " + "Then there is more to say about it, " * 4
    lines = docstring(long, 4).splitlines()
    assert lines[0] == '"""First things first.'
    assert lines[1] == ""
    assert lines[-1] == '    """'
    assert all(len(line) <= 100 for line in lines)
    assert docstring("Short.") == '"""Short."""'
    assert docstring('Says "so"') == '"""Says "so\\""""'
    assert docstring("") == '""""""'


def test_docstrings_end_in_their_arguments() -> None:
    more = argument_lines([("name", "What it is called."), ("to", "`x`")], "Args", 40)
    assert docstring("Does.", 4, more=more) == (
        '"""Does.\n\n    Args:\n        name: What it is called.\n        to: ``x``\n    """'
    )


def test_abbreviations_do_not_end_a_summary() -> None:
    text = (
        "Takes a word, e.g. Red or `blue`, of any length that seems fit to whoever is calling it."
    )
    assert docstring(text, 4).splitlines()[0].startswith('"""Takes a word, e.g. Red or')


def test_markdown_code_becomes_restructured_text() -> None:
    assert prose("a `b` and ``c``\nd\n\n e ") == "a ``b`` and ``c`` d\n\ne"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Message", "message"),
        ("MCPToolUseBlock", "mcp_tool_use_block"),
        ("URLSource", "url_source"),
        ("Base64PDFSource", "base64_pdf_source"),
        ("WebSearchTool_20250305", "web_search_tool_20250305"),
        ("WebSearchTool20250305", "web_search_tool_20250305"),
    ],
)
def test_class_names_in_lower_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def test_other_cases() -> None:
    assert constant_case("messages.count_tokens") == "MESSAGES_COUNT_TOKENS"
    assert class_case("count_tokens") == "CountTokens"
    assert tuple_of(()) == "()"
    assert tuple_of(("a", "b")) == '("a", "b")'
    assert literal(("a", 1, True)) == 'Literal["a", 1, True]'
    assert string('"') == "'\"'"
    assert string("it's") == '"it\'s"'


@pytest.mark.parametrize(
    ("kind", "model", "argument"),
    [
        (Scalar("any"), "Any", "Any"),
        (Scalar("datetime"), "datetime", "datetime | str"),
        (Literal(("a",)), 'Literal["a"]', 'Literal["a"]'),
        (Literal(("a", "b")), 'Literal["a", "b"] | str', 'Literal["a", "b"]'),
        (Literal(("a", "b"), open=True), 'Literal["a", "b"] | str', 'Literal["a", "b"] | str'),
        (Literal((1, 2)), "Literal[1, 2] | int", "Literal[1, 2]"),
        (ListOf(Ref("A")), "list[A]", "Sequence[A]"),
        (MapOf(Scalar("str")), "dict[str, str]", "Mapping[str, str]"),
        (Nullable(Scalar("int")), "int | None", "int | None"),
        (OneOf((Scalar("str"), Scalar("str"), Ref("A"))), "str | A", "str | A"),
        (Tagged("t", (("a", "A"),), None, ("B", "A")), "B | A | Unknown", "B | A"),
    ],
)
def test_annotations(kind: object, model: str, argument: str) -> None:
    assert model_annotation(kind) == model  # type: ignore[arg-type]
    assert argument_annotation(kind) == argument  # type: ignore[arg-type]


def test_names_of_a_piece_of_code() -> None:
    source = '''
"""Any Literal here is a word."""
X: TypeAlias = Union["list[A]", None]
Y = TypedDict("Y", {"Key": "NotRequired[B]", "k": "Literal['Word']"})
KEYS = frozenset({"C"})
class D(Base):
    """Says
    Mapping."""
    decoders: E | Unset = UNSET
'''
    assert names_in(source) == {
        *("TypeAlias", "Union", "list", "A", "TypedDict", "NotRequired", "B", "Literal"),
        *("frozenset", "Base", "E", "Unset", "UNSET"),
    }


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("things", "parts", ".parts"),
        ("shapes.round", "shapes.points", ".points"),
        ("shapes.round", "things", "..things"),
        ("things", "shapes.round", ".shapes.round"),
        ("shapes.round.round", "shapes.points", "..points"),
        ("shapes.points", "shapes.round.round", ".round.round"),
        ("a.b", "c.d", "..c.d"),
    ],
)
def test_relative_imports(source: str, target: str, expected: str) -> None:
    assert relative(source, target) == expected


def test_every_folder_of_modules_is_a_package() -> None:
    assert packages_of([Module("a.b.c"), Module("a.d"), Module("e")]) == ["a", "a/b"]
