"""Text files of a spec as data: YAML with the place of every node, strict JSON, JSON pointers.

YAML is read by the core schema of YAML 1.2 (section 10.3.2). A plain scalar which older readers
take for something else (``yes``, ``2023-06-01``, ``012``, ``1e3``) is refused, and so are aliases,
tags, merge keys, empty values and everything JSON cannot say: a spec must mean the same to every
tool that reads it.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import yaml
from yaml.nodes import MappingNode, ScalarNode, SequenceNode
from yaml.resolver import Resolver

from .problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml import SafeLoader as _BaseLoader
    from yaml.nodes import Node
else:
    try:
        from yaml import CSafeLoader as _BaseLoader
    except ImportError:  # PyYAML without libyaml: slower, same result
        from yaml import SafeLoader as _BaseLoader


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a source file: path relative to the spec's folder, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return ``file:line:column``."""
        return f"{self.file}:{self.line}:{self.column}"


def pointer(*tokens: str | int) -> str:
    """Join tokens to a JSON pointer (RFC 6901 section 3)."""
    return "".join(f"/{escape_token(str(token))}" for token in tokens)


def escape_token(token: str) -> str:
    """Escape one token of a JSON pointer (RFC 6901 section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def unescape_token(token: str) -> str:
    """Undo ``escape_token``."""
    return token.replace("~1", "/").replace("~0", "~")


def split_pointer(text: str) -> list[str]:
    """Split a JSON pointer into its tokens, unescaped."""
    return [unescape_token(token) for token in text.split("/")[1:]]


@dataclass(slots=True)
class ScalarTree:
    """A string, number, boolean or null, and where it stands."""

    value: str | int | float | bool | None
    place: Location


@dataclass(slots=True)
class SequenceTree:
    """A list, and where it starts."""

    items: list[Tree]
    place: Location


@dataclass(slots=True)
class MappingTree:
    """A mapping with the place of each key, and where it starts."""

    items: dict[str, Tree]
    key_places: dict[str, Location]
    place: Location


Tree = ScalarTree | SequenceTree | MappingTree

_PLAIN: Final = "plain"
_QUOTED: Final = "quoted"
_COLLECTION: Final = "collection"


class _Composer(_BaseLoader):
    """Composes nodes whose tag tells only how they were written; types are decided here."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ARG002
        """Return how a node was written, where PyYAML would return the type it guesses."""
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _QUOTED
        return _COLLECTION


_NULL = re.compile(r"~|null|Null|NULL")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_A_JSON_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")

_INDENT = re.compile(r"^[ ?:-]*", re.MULTILINE)

MAX_DEPTH: Final = 200
"""How deep the collections of one file may nest."""

_OLD_READER = Resolver()
_OLD_TYPES: Final = {
    "null": "null",
    "bool": "a boolean",
    "int": "an integer",
    "float": "a number",
    "timestamp": "a date",
    "str": "a string",
    "merge": "a merge key",
    "value": "a default key",
}


def _old_type(text: str) -> str:
    """Return what a YAML 1.1 reader makes of a plain scalar."""
    tag = str(_OLD_READER.resolve(ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]
    return tag.rpartition(":")[2]


class YamlReader:
    """Turns the text of one YAML file into a tree, gathering problems."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._seen: set[int] = set()
        self._aliased = False

    def read(self, content: bytes) -> MappingTree | None:
        """Return the mapping a file holds, None when there is none to work with."""
        text = self._decode(content)
        if text is None:
            return None
        try:
            if _is_deep(text):
                self._report("yaml-syntax", f"more than {MAX_DEPTH} levels deep", 1, 1)
                return None
            loader = _Composer(text)
            try:
                node = loader.get_single_node()
            finally:
                loader.dispose()  # pyright: ignore[reportUnknownMemberType]
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            if error.context == "expected a single document in the stream":
                self._report("yaml-unsupported", "a second document starts here", line, column)
            else:
                what = ", ".join(part for part in (error.context, error.problem) if part)
                self._report("yaml-syntax", what or "not YAML", line, column)
            return None
        except yaml.YAMLError as error:  # a character YAML does not allow
            position = getattr(error, "position", 0)
            line, column = _line_and_column(text, position if isinstance(position, int) else 0)
            reason = getattr(error, "reason", "not YAML")
            self._report("yaml-syntax", f"{reason}", line, column)
            return None
        if not isinstance(node, MappingNode):
            self._report("file-unreadable", "the file is not a YAML mapping", 1, 1)
            return None
        tree = self._convert(node)
        if self._aliased:
            self._report_aliases(text)
        assert isinstance(tree, MappingTree)
        return tree

    def _decode(self, content: bytes) -> str | None:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self._report("file-unreadable", f"not UTF-8: {error.reason}", line, 1)
            return None
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _report(self, rule: str, message: str, line: int, column: int, fix: str = "") -> None:
        self._problems.append(Problem(rule, message, self._file, line, column, "", fix))

    def _report_at(self, rule: str, message: str, place: Location, fix: str) -> None:
        self._report(rule, message, place.line, place.column, fix)

    def _report_aliases(self, text: str) -> None:
        for event in _events(text):
            if isinstance(event, yaml.AliasEvent):
                place = self._mark(event.start_mark)
                self._report_at(
                    "yaml-unsupported",
                    f"the alias *{event.anchor}",
                    place,
                    "make a component of the shared part and refer to it by $ref",
                )

    def _mark(self, mark: Any) -> Location:
        return Location(self._file, mark.line + 1, mark.column + 1)

    def _place(self, node: Node) -> Location:
        return self._mark(node.start_mark)

    def _convert(self, node: Node) -> Tree:
        place = self._place(node)
        if id(node) in self._seen:
            self._aliased = True
            return ScalarTree(None, place)
        self._seen.add(id(node))
        if node.tag not in (_PLAIN, _QUOTED, _COLLECTION):
            self._report_at("yaml-unsupported", f"the tag {node.tag}", place, "remove the tag")
        if isinstance(node, MappingNode):
            return self._convert_mapping(node, place)
        if isinstance(node, SequenceNode):
            return SequenceTree([self._convert(item) for item in node.value], place)
        assert isinstance(node, ScalarNode)
        return ScalarTree(self._scalar(node, place), place)

    def _convert_mapping(self, node: MappingNode, place: Location) -> MappingTree:
        items: dict[str, Tree] = {}
        places: dict[str, Location] = {}
        for key_node, value_node in node.value:
            key_place = self._place(key_node)
            if not isinstance(key_node, ScalarNode):
                self._report_at(
                    "yaml-key-not-string",
                    "a mapping key is a collection",
                    key_place,
                    "use a string",
                )
                continue
            text = str(key_node.value)
            key = self._scalar(key_node, key_place, is_key=True)
            if not isinstance(key, str):
                self._report_at(
                    "yaml-key-not-string",
                    f"the mapping key {text} is not a string",
                    key_place,
                    f"quote it: '{text}'",
                )
                key = text
            value = self._convert(value_node)
            if key in items:
                self._report_at(
                    "yaml-duplicate-key",
                    f"the key {key!r} is already in this mapping, at line {places[key].line}",
                    key_place,
                    "merge the two entries or remove one",
                )
                continue
            items[key] = value
            places[key] = key_place
        return MappingTree(items, places, place)

    def _scalar(
        self, node: ScalarNode, place: Location, *, is_key: bool = False
    ) -> str | int | float | bool | None:
        text = str(node.value)
        if node.tag != _PLAIN:
            return text
        value, new_type = _core_schema(text)
        if text == "":
            self._report_at(
                "yaml-empty-value", "a value is empty", place, "write null or '' or remove the key"
            )
            return None
        if is_key and text == "<<":
            self._report_at("yaml-unsupported", "a merge key", place, "write the keys out")
            return text
        old_type = _old_type(text)
        if _LEADING_ZERO.fullmatch(text):
            self._report_at(
                "yaml-ambiguous",
                f"{text} is octal to some YAML readers and decimal to others",
                place,
                f"quote it ('{text}') or drop the leading zero",
            )
        elif old_type != new_type:
            self._report_at(
                "yaml-ambiguous",
                f"{text} is {_OLD_TYPES.get(old_type, old_type)} to some YAML readers"
                f" and {_OLD_TYPES[new_type]} to others",
                place,
                f"quote it: '{text}'"
                if new_type == "str"
                else "quote it, or write the number with digits on both sides of the point",
            )
        elif isinstance(value, float) and not math.isfinite(value):
            self._report_at(
                "yaml-not-json", f"JSON has no number {text}", place, "use a finite number"
            )
            return None
        return value


def _events(text: str) -> Iterator[yaml.Event]:
    """Yield the parse events of a YAML text. Raises yaml.YAMLError."""
    events: Any = yaml.parse(text, Loader=_Composer)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return iter(events)


def _is_deep(text: str) -> bool:
    """Tell whether collections nest beyond ``MAX_DEPTH``; libyaml's composer overruns its stack.

    Only a text that could nest so deeply is looked at closely, which costs as much as composing.
    Raises yaml.YAMLError.
    """
    indent = max(len(match[0]) for match in _INDENT.finditer(text))
    if text.count("[") + text.count("{") + 2 * indent <= MAX_DEPTH:
        return False
    depth = 0
    for event in _events(text):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return False


def _core_schema(text: str) -> tuple[str | int | float | bool | None, str]:
    """Resolve a plain scalar by the core schema of YAML 1.2; return value and type."""
    if text == "" or _NULL.fullmatch(text):
        return None, "null"
    if _BOOLEAN.fullmatch(text):
        return text.lower() == "true", "bool"
    if _INTEGER.fullmatch(text):
        return int(text, 0 if text[:2] in ("0o", "0x") else 10), "int"
    if _FLOAT.fullmatch(text):
        return float(text), "float"
    if _NOT_A_JSON_NUMBER.fullmatch(text):
        return math.inf, "float"
    return text, "str"


def _line_and_column(text: str, position: int) -> tuple[int, int]:
    """Turn a character position into line and column from 1."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def parse_json(text: str) -> Any:
    """Parse strict JSON: no repeated keys, no NaN or infinities, no lone surrogates.

    Raises ValueError (``json.JSONDecodeError`` where the place is known).
    """

    def no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in pairs:
            if key in result:
                raise ValueError(f"the key {json.dumps(key)} is there twice")
            result[key] = value
        return result

    def no_constants(name: str) -> NoReturn:
        raise ValueError(f"{name} is not JSON")

    def finite(digits: str) -> float:
        number = float(digits)
        if not math.isfinite(number):
            raise ValueError(f"the number {digits} is out of range")
        return number

    value = json.loads(
        text, object_pairs_hook=no_repeats, parse_constant=no_constants, parse_float=finite
    )
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a string has half a surrogate pair in it") from None
    return value


def decode_text(content: bytes) -> str:
    """Decode a text file: UTF-8, without byte order mark, with LF line ends.

    Raises UnicodeDecodeError.
    """
    return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def find_in_json(text: str, path: list[str | int]) -> tuple[int, int]:
    """Return line and column of the value at ``path`` in JSON ``text`` (or of its nearest parent).

    Keys and indexes that are not there end the search at what holds them.
    """
    decoder = json.JSONDecoder()
    blank = re.compile(r"[ \t\r\n]*")

    def skip(position: int) -> int:
        match = blank.match(text, position)
        return match.end() if match else position

    position = skip(0)
    for step in path:
        opening = text[position : position + 1]
        if opening not in ("{", "["):
            break
        cursor = skip(position + 1)
        index = 0
        found = -1
        while cursor < len(text) and text[cursor] not in "}]":
            if opening == "{":
                key, cursor = decoder.raw_decode(text, cursor)
                cursor = skip(skip(cursor) + 1)
            else:
                key = index
            if key == step:
                found = cursor
                break
            _, cursor = decoder.raw_decode(text, cursor)
            cursor = skip(cursor)
            if text[cursor : cursor + 1] == ",":
                cursor = skip(cursor + 1)
            index += 1
        if found < 0:
            break
        position = found
    return _line_and_column(text, position)


def sorted_json(value: Any) -> Any:
    """Return JSON data with every object sorted by key."""
    if isinstance(value, dict):
        return {str(key): sorted_json(item) for key, item in sorted(value.items())}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [sorted_json(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


# --- writing YAML ---------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Writes YAML that every reader takes for the same data, and that this module reads back."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _represent_string(dumper: yaml.SafeDumper, text: str) -> ScalarNode:
    style = None
    if _ODD_BREAK.search(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    elif text == "" or _core_schema(text)[1] != "str" or _old_type(text) != "str":
        style = "'"
    untyped: Any = dumper
    node: ScalarNode = untyped.represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return node


# YAML 1.1 breaks lines at these too; escaped in double quotes they survive every reader.
_ODD_BREAK = re.compile("[\r\x85\u2028\u2029]")

_Dumper.add_representer(str, _represent_string)


def dump_yaml(value: Any) -> str:
    """Return JSON data as YAML, keys sorted, that YAML 1.1 and 1.2 readers take for the same."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=100)
    return str(text)
