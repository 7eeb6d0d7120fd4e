"""What a docstring says about a function and its parameters, or about a class and its fields.

Reads the three conventions people use: Google (``Args:``), NumPy (``Parameters`` underlined) and
reStructuredText (``:param name:``). Anything else is part of the description.
"""

from __future__ import annotations

import inspect
import re
from typing import NamedTuple

_PARAMETERS = frozenset(
    {"args", "arguments", "attributes", "keyword args", "keyword arguments", "other parameters",
     "parameters", "params"}
)  # fmt: skip
_OTHER_SECTIONS = frozenset(
    {"example", "examples", "note", "notes", "raises", "references", "return", "returns",
     "see also", "todo", "warns", "warnings", "yield", "yields"}
)  # fmt: skip
_GOOGLE_ITEM = re.compile(r"(\*{0,2}\w+)\s*(?:\(([^)]*)\))?\s*:(?:\s+|$)(.*)")
_NUMPY_ITEM = re.compile(r"(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?")
_REST_ITEM = re.compile(r":(?P<kind>\w+)(?:\s+(?P<words>[^:]*))?:(?P<text>.*)", re.DOTALL)
_REST_PARAMETERS = frozenset({"param", "parameter", "arg", "argument", "key", "keyword", "ivar"})
_REST_OTHERS = frozenset(
    {"raise", "raises", "except", "exception", "return", "returns", "rtype", "type", "yield",
     "yields", "vartype"}
)  # fmt: skip


class Docstring(NamedTuple):
    """What was found."""

    description: str
    """Everything before the first section, without the indentation; may be empty."""
    parameters: dict[str, str]
    """Description of each parameter, in one line."""


def parse_docstring(text: str | None) -> Docstring:
    """Take a docstring apart."""
    lines = inspect.cleandoc(text or "").splitlines()
    description: list[str] = []
    parameters: dict[str, str] = {}
    at = 0
    in_description = True
    while at < len(lines):
        line = lines[at]
        name = line.strip().rstrip(":").lower()
        following = lines[at + 1] if at + 1 < len(lines) else ""
        underlined = re.fullmatch(r"-{3,}|={3,}", following.strip()) is not None
        google = line.endswith(":") and not line[:1].isspace()
        if (google or underlined) and name in _PARAMETERS | _OTHER_SECTIONS:
            in_description = False
            start = at + (2 if underlined else 1)
            at = _section_end(lines, start, underlined)
            if name in _PARAMETERS:
                read = _numpy_items if underlined else _google_items
                parameters.update(read(lines[start:at]))
            continue
        field = _REST_ITEM.match(line)
        if field is not None and field["kind"] in _REST_PARAMETERS | _REST_OTHERS:
            in_description = False
            at, said = _rest_item(lines, at)
            words = (field["words"] or "").split()
            if field["kind"] in _REST_PARAMETERS and words:
                parameters[words[-1].lstrip("*")] = said
            continue
        if in_description:
            description.append(line)
        at += 1
    return Docstring("\n".join(description).strip(), {k: v for k, v in parameters.items() if v})


def _section_end(lines: list[str], start: int, underlined: bool) -> int:
    """Return where a section ends: at the next one, or where the indentation does."""
    at = start
    while at < len(lines):
        line = lines[at]
        if line.strip() and not line[0].isspace():
            if not underlined:
                return at
            following = lines[at + 1].strip() if at + 1 < len(lines) else ""
            if re.fullmatch(r"-{3,}|={3,}", following):
                return at
        at += 1
    return at


def _google_items(lines: list[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    margin = min((_indent(line) for line in lines if line.strip()), default=0)
    current: list[str] = []
    for line in lines:
        item = _GOOGLE_ITEM.match(line.strip()) if _indent(line) == margin else None
        if item is not None:
            current = found[item[1].lstrip("*")] = [item[3]]
        else:
            current.append(line)
    return {name: _joined(said) for name, said in found.items()}


def _numpy_items(lines: list[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        item = _NUMPY_ITEM.fullmatch(line.strip()) if line.strip() and not _indent(line) else None
        if item is not None:
            current = []
            for name in item[1].split(","):
                found[name.strip().lstrip("*")] = current
        else:
            current.append(line)
    return {name: _joined(said) for name, said in found.items()}


def _rest_item(lines: list[str], at: int) -> tuple[int, str]:
    match = _REST_ITEM.match(lines[at])
    said = [match["text"] if match else ""]
    at += 1
    while at < len(lines) and (not lines[at].strip() or lines[at][0].isspace()):
        said.append(lines[at])
        at += 1
    return at, _joined(said)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
