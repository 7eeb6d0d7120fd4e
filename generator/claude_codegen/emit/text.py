"""Text of generated Python: docstrings, names, annotations."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable

from ..types import (
    ListOf,
    Literal,
    MapOf,
    Nullable,
    OneOf,
    Ref,
    Scalar,
    Tagged,
    Type,
)

LINE_LENGTH = 100
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def snake_case(name: str) -> str:
    """Return a class name in lower case: ``MCPToolUseBlock`` → ``mcp_tool_use_block``.

    Digits stay with the word before them, except a date after a word.
    """
    words: list[str] = []
    for word in _WORD.findall(name):
        if words and word.isdigit() and len(word) < 3:
            words[-1] += word
        else:
            words.append(word.lower())
    return "_".join(words)


def constant_case(operation_id: str) -> str:
    """Return ``messages.count_tokens`` as ``MESSAGES_COUNT_TOKENS``."""
    return operation_id.replace(".", "_").upper()


def class_case(name: str) -> str:
    """Return ``count_tokens`` as ``CountTokens``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def prose(text: str) -> str:
    """Return a description as one line per paragraph, Markdown code as reStructuredText."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    joined = "\n\n".join(part for part in paragraphs if part)
    return _CODE.sub(r"``\1``", joined)


def docstring(text: str, indent: int = 0, *, more: str = "") -> str:
    """Return a docstring literal, wrapped for its indentation.

    ``more`` is put after the text as it is (already wrapped). The first line carries the summary,
    so that tools which show one line show a sentence.
    """
    body = prose(text)
    width = LINE_LENGTH - indent
    margin = " " * indent
    paragraphs = body.split("\n\n")
    if not more and len(paragraphs) == 1 and len(body) + 6 <= width:
        return _quoted(body)
    # The summary gets a line of its own when it fits on one.
    head, tail = _first_sentence(paragraphs[0])
    if tail and len(head) + 3 <= width:
        paragraphs[0:1] = [head, tail]
    lines: list[str] = []
    for number, paragraph in enumerate(paragraphs):
        if number:
            lines.append("")
        lines += textwrap.wrap(
            paragraph,
            width - (3 if number == 0 else 0),
            break_long_words=False,
            break_on_hyphens=False,
        )
    if more:
        lines += ["", *more.splitlines()]
    first, *rest = lines
    shown = "\n".join([first, *(f"{margin}{line}" if line else "" for line in rest)])
    return _quoted(f"{shown}\n{margin}")


def _first_sentence(text: str) -> tuple[str, str]:
    found = re.search(r"(?<!e\.g)(?<!i\.e)[.!?](?= +[A-Z`])", text)
    if found is None:
        return text, ""
    return text[: found.end()], text[found.end() :].strip()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    if escaped.endswith('"'):
        escaped = escaped[:-1] + '\\"'
    return f'"""{escaped}"""'


def argument_lines(entries: list[tuple[str, str]], title: str, width: int) -> str:
    """Return an ``Args:`` section for a docstring of ``width`` columns."""
    lines = [f"{title}:"]
    for name, text in entries:
        wrapped = textwrap.wrap(
            f"{name}: {prose(text).replace(chr(10) + chr(10), ' ')}",
            width - 4,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += [f"    {line}" for line in wrapped]
    return "\n".join(lines)


def string(value: object) -> str:
    """Return a Python literal in double quotes; text from the spec enters code only this way."""
    if isinstance(value, str):
        quoted = repr(value)
        if quoted[0] == "'" and '"' not in value:
            return '"' + quoted[1:-1].replace("\\'", "'") + '"'
        return quoted
    return repr(value)


def tuple_of(values: tuple[str, ...]) -> str:
    """Return a tuple of strings as Python."""
    if not values:
        return "()"
    return "(" + ", ".join(map(string, values)) + ("," if len(values) == 1 else "") + ")"


def literal(values: tuple[str | int | bool, ...]) -> str:
    """Return ``Literal[...]``."""
    return f"Literal[{', '.join(map(string, values))}]"


_SCALARS = {
    "str": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "datetime": "datetime",
    "base64": "str",
    "bytes": "bytes",
    "any": "Any",
}


def model_annotation(kind: Type, name: Callable[[str], str] = str) -> str:
    """Return a type as a response model holds it: unions and enums open."""
    match kind:
        case Scalar(scalar):
            return _SCALARS[scalar]
        case Literal(values):
            return literal(values) + (f" | {open_kind(values)}" if len(values) > 1 else "")
        case ListOf(item):
            return f"list[{model_annotation(item, name)}]"
        case MapOf(value):
            return f"dict[str, {model_annotation(value, name)}]"
        case Ref(component):
            return name(component)
        case Nullable(inner):
            return f"{model_annotation(inner, name)} | None"
        case OneOf(variants):
            return " | ".join(dict.fromkeys(model_annotation(part, name) for part in variants))
        case Tagged(order=order):
            return " | ".join([*map(name, order), "Unknown"])


def argument_annotation(kind: Type, name: Callable[[str], str] = str) -> str:
    """Return a type as a parameter takes it: any sequence or mapping will do."""
    match kind:
        case Scalar("datetime"):
            return "datetime | str"
        case Scalar("base64"):
            return "Base64Input"
        case Scalar("bytes"):
            return "FileInput"
        case Scalar(scalar):
            return _SCALARS[scalar]
        case Literal(values, is_open):
            return literal(values) + (f" | {open_kind(values)}" if is_open else "")
        case ListOf(item):
            return f"Sequence[{argument_annotation(item, name)}]"
        case MapOf(value):
            return f"Mapping[str, {argument_annotation(value, name)}]"
        case Ref(component):
            return name(component)
        case Nullable(inner):
            return f"{argument_annotation(inner, name)} | None"
        case OneOf(variants):
            return " | ".join(dict.fromkeys(argument_annotation(part, name) for part in variants))
        case Tagged(order=order):
            return " | ".join(map(name, order))


def open_kind(values: tuple[str | int | bool, ...]) -> str:
    """Return the type of the values that an enum does not list."""
    return "str" if all(isinstance(value, str) for value in values) else "int"


def names_in(source: str) -> set[str]:
    """Return every name that a piece of generated code uses, forward references included.

    Words of docstrings and other strings do not count: an import for one of them would be unused.
    """
    found: set[str] = set()
    todo: list[ast.AST] = [ast.parse(source)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif (isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias") or (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.value.func) == "TypedDict"
        ):
            assert node.value is not None
            found |= _forward_references(node.value)
        todo.extend(ast.iter_child_nodes(node))
    return found


def _forward_references(value: ast.expr) -> set[str]:
    """Return the names in the strings of an alias, or of the types of a functional TypedDict."""
    found: set[str] = set()
    todo: list[ast.AST] = [value]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
            continue
        if isinstance(node, ast.Dict):
            todo.extend(node.values)
        elif isinstance(node, ast.Call):
            todo.extend(node.args[1:])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {
                part.id for part in ast.walk(ast.parse(node.value)) if isinstance(part, ast.Name)
            }
        else:
            todo.extend(ast.iter_child_nodes(node))
    return found
