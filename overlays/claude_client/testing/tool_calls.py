"""Which tools a made-up answer calls, and with which input.

The rule, simple enough to plan a test with:

- ``tool_choice`` ``any`` calls the tools that the last text of the user names, or else the first
  one; ``tool`` calls that one; ``none`` calls none.
- Otherwise a tool is called when the last text of the user names it: by its name, or by the words
  of its name (``get_weather`` by "weather": common verbs such as ``get`` may be missing). Once the
  user's turn holds the result of a tool, the answer is text.
- Several named tools are called side by side, and one twice when the text says "in parallel",
  unless ``disable_parallel_tool_use`` is set.
- The input is the JSON object in the user's text if it has the properties that the tool requires
  and no unknown ones; else the first of the tool's ``input_examples``; else made from its schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .exchange import RefusedError
from .json_values import is_array, is_object, object_at
from .samples import sample

Tool = Mapping[str, Any]
Body = Mapping[str, Any]

TEXT_ONLY_CHOICES: Final = ("auto", "none")
"""``tool_choice`` types that force no call."""

_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_VERBS: Final = re.compile(
    "a|add|call|create|do|fetch|find|get|list|look|lookup|make|new|query|read|run|search|set|show"
    "|the|tool|up|update|use"
)
"""Words that say too little to name a tool alone, and that a text may leave out."""
_MOST_STRICT: Final = 20

_SERVER_TOOLS: Final = (
    "advisor_",
    "code_execution_",
    "mcp_toolset",
    "tool_search_tool_",
    "web_fetch_",
    "web_search_",
)
"""How the types of tools begin that the API runs by itself."""
_KNOWN_INPUTS: Final[tuple[tuple[str, Mapping[str, Any]], ...]] = (
    ("bash_", {"command": "echo hello"}),
    ("computer_20", {"action": "screenshot"}),
    ("memory_", {"command": "view", "path": "/memories"}),
    ("text_editor_", {"command": "view", "path": "/README.md"}),
)
"""Inputs of the tools whose schemas only the model knows, by how their types begin."""
_TOOLSETS: Final = (("browser_toolset_", "screenshot"), ("computer_toolset_", "screenshot"))
"""Toolsets that the caller runs, and the tool of each that is called."""


def is_server_tool(tool: Tool) -> bool:
    """Return whether the API runs a tool by itself."""
    return str(tool.get("type") or "").startswith(_SERVER_TOOLS)


def tool_name(tool: Tool) -> str:
    """Return what a tool is called by; toolsets have no name of their own."""
    name = tool.get("name") or tool.get("mcp_server_name")
    return str(name or re.sub(r"_toolset_\d+$", "", str(tool.get("type"))))


def check_tools(body: Body) -> None:
    """Require tools with names of their own, and a choice among them.

    Raises:
        RefusedError: 400 with the path of what is wrong.
    """
    tools: list[Tool] = body.get("tools") or []
    seen: set[str] = set()
    for index, tool in enumerate(tools):
        name = tool.get("name")
        if name is None:
            continue
        if not _TOOL_NAME.fullmatch(name):
            raise RefusedError(400, f"tools.{index}.name: must match {_TOOL_NAME.pattern}")
        if name in seen:
            raise RefusedError(
                400,
                f"tools.{index}.name: used by another tool",
                details={"error_code": "tool_name_conflict"},
            )
        seen.add(name)
    if sum(1 for tool in tools if tool.get("strict")) > _MOST_STRICT:
        raise RefusedError(400, f"tools: at most {_MOST_STRICT} can be strict")
    choice = object_at(body, "tool_choice")
    if choice.get("type", "auto") in TEXT_ONLY_CHOICES:
        return
    if not tools:
        raise RefusedError(400, "tool_choice: only together with tools")
    if choice["type"] == "tool" and choice["name"] not in seen:
        raise RefusedError(400, "tool_choice.name: no tool of the request has this name")


def chosen_tools(body: Body, asked: str, *, answered: bool) -> list[Tool]:
    """Return the tools to call, in the order of the request; see the top of this module.

    Args:
        body: Valid body with tools that ``check_tools`` lets through.
        asked: Last text of the user.
        answered: Whether the user's turn holds results of tools.
    """
    tools: list[Tool] = body.get("tools") or []
    choice = object_at(body, "tool_choice")
    kind = choice.get("type", "auto")
    if kind == "none" or not tools:
        return []
    if kind == "tool":
        return [tool for tool in tools if tool.get("name") == choice["name"]][:1]
    named = [tool for tool in tools if names(asked, tool)]
    if kind == "any":
        ready = [tool for tool in tools if not is_server_tool(tool)] or tools
        named = named or ready[:1]
    elif answered:
        return []
    if choice.get("disable_parallel_tool_use"):
        return named[:1]
    if len(named) == 1 and re.search(r"\bparallel\b", asked, re.IGNORECASE):
        return named * 2
    return named


def names(text: str, tool: Tool) -> bool:
    """Return whether a text names a tool: by its name, or by what it is about."""
    name = tool_name(tool)
    if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE):
        return True
    said = {_stem(word) for word in _WORD.findall(text)}
    words = {word.lower() for word in _WORD.findall(name)}
    wanted = {word for word in words if not _VERBS.fullmatch(word)} or words
    return {_stem(word) for word in wanted} <= said


def _stem(word: str) -> str:
    word = word.lower()
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def tool_input(tool: Tool, asked: str) -> dict[str, Any]:
    """Return the input that a tool is called with; see the top of this module."""
    schema = tool.get("input_schema")
    if not is_object(schema):
        kind = str(tool.get("type") or "")
        known = [given for start, given in _KNOWN_INPUTS if kind.startswith(start)]
        return dict(known[0]) if known else {}
    for given in _objects(asked):
        if _fits(given, schema):
            return given
    examples = tool.get("input_examples")
    if is_array(examples) and examples and is_object(examples[0]):
        return examples[0]
    made = sample(schema)
    return made if is_object(made) else {}


def call_block(tool: Tool, identifier: str, asked: str) -> dict[str, Any]:
    """Return the ``tool_use`` block that calls a tool of the caller's."""
    kind = str(tool.get("type") or "")
    for start, name in _TOOLSETS:
        if kind.startswith(start):
            toolset = start.removesuffix("_toolset_")
            empty: dict[str, Any] = {}
            block = {"type": "tool_use", "id": identifier, "name": name, "input": empty}
            return {**block, "toolset_name": toolset}
    given = tool_input(tool, asked)
    return {"type": "tool_use", "id": identifier, "name": tool["name"], "input": given}


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that stand in a text."""
    decoder = json.JSONDecoder()
    start = text.find("{")
    for _ in range(8):
        if start < 0:
            return
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            if is_object(value):
                yield value
        start = text.find("{", end)


def _fits(given: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties")
    required = schema.get("required")
    known = properties if is_object(properties) else {}
    needed = required if is_array(required) else []
    return bool(given) and given.keys() <= known.keys() and all(name in given for name in needed)
