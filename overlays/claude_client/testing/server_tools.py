"""Calls of tools that the API runs by itself: the call, its result and what it counts as.

Nothing leaves the machine: searches find pages of ``example.com``, commands print what they were.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .json_values import object_at
from .workspace import timestamp

if TYPE_CHECKING:
    from .identifiers import Identifiers

Tool = Mapping[str, Any]
Blocks = list[dict[str, Any]]

_URL: Final = re.compile(r"https?://[^\s<>\"')]+")
_QUERY: Final = 200
_CONTAINER_SECONDS: Final = 30 * 60


@dataclass
class ServerCalls:
    """What the server tools of one answer did."""

    body: Mapping[str, Any]
    asked: str
    """Last text of the user."""
    identifiers: Identifiers
    now: float
    blocks: Blocks = field(default_factory=list[dict[str, Any]])
    citations: Blocks = field(default_factory=list[dict[str, Any]])
    """Citations for the text that follows."""
    searches: int = 0
    fetches: int = 0
    container: dict[str, Any] | None = None

    def run(self, tool: Tool) -> None:
        """Call a tool."""
        kind = str(tool["type"])
        for start, call in _CALLS.items():
            if kind.startswith(start):
                call(self, tool)

    def usage(self) -> dict[str, Any]:
        """Return the part of the usage that is about server tools."""
        if not self.searches and not self.fetches:
            return {}
        counts = {"web_search_requests": self.searches, "web_fetch_requests": self.fetches}
        return {"server_tool_use": counts}

    def add(self, name: str, arguments: Mapping[str, Any], result: str, content: Any) -> None:
        """Add a call and its result."""
        identifier = self.identifiers.next("srvtoolu")
        self.blocks += [
            {"type": "server_tool_use", "id": identifier, "name": name, "input": dict(arguments)},
            {"type": result, "tool_use_id": identifier, "content": content},
        ]


def _search(calls: ServerCalls, tool: Tool) -> None:
    query = " ".join(calls.asked.split())[:_QUERY]
    domains = tool.get("allowed_domains") or ["example.com", "example.org"]
    pages = [
        {
            "type": "web_search_result",
            "url": f"https://{domain}/mock-result-{number}",
            "title": f"Mock result {number}",
            "encrypted_content": f"bW9jay1yZXN1bHQt{number}",
            "page_age": None,
        }
        for number, domain in enumerate(domains[:2], 1)
    ]
    calls.searches += 1
    calls.add("web_search", {"query": query}, "web_search_tool_result", pages)
    if pages:
        calls.citations.append(
            {
                "type": "web_search_result_location",
                "url": pages[0]["url"],
                "title": pages[0]["title"],
                "cited_text": f"A page about: {query[:100]}",
                "encrypted_index": "bW9jay1pbmRleA==",
            }
        )


def _fetch(calls: ServerCalls, _tool: Tool) -> None:
    found = _URL.search(calls.asked)
    url = found[0].rstrip(".,;") if found else "https://example.com/"
    text = {"type": "text", "media_type": "text/plain", "data": f"The mock's copy of {url}"}
    page = {
        "type": "web_fetch_result",
        "url": url,
        "content": {"type": "document", "source": text, "title": "Mock page"},
        "retrieved_at": timestamp(calls.now),
    }
    calls.fetches += 1
    calls.add("web_fetch", {"url": url}, "web_fetch_tool_result", page)


def _execute(calls: ServerCalls, tool: Tool) -> None:
    output: dict[str, Any] = {"stdout": "mock\n", "stderr": "", "return_code": 0, "content": []}
    if tool["type"] == "code_execution_20250522":
        result = {"type": "code_execution_result", **output}
        arguments = {"code": "print('mock')"}
        calls.add("code_execution", arguments, "code_execution_tool_result", result)
    else:
        result = {"type": "bash_code_execution_result", **output}
        arguments = {"command": "echo mock"}
        calls.add("bash_code_execution", arguments, "bash_code_execution_tool_result", result)
    given = calls.body.get("container")
    identifier = given if isinstance(given, str) else object_at(calls.body, "container").get("id")
    calls.container = {
        "id": identifier or calls.identifiers.next("container"),
        "expires_at": timestamp(calls.now + _CONTAINER_SECONDS),
    }


def _find_tools(calls: ServerCalls, tool: Tool) -> None:
    deferred = [
        {"type": "tool_reference", "tool_name": other["name"]}
        for other in calls.body.get("tools") or ()
        if other.get("defer_loading") and "name" in other
    ]
    regex = "regex" in str(tool["type"])
    arguments = {"pattern": ".*"} if regex else {"query": calls.asked[:_QUERY]}
    found = {"type": "tool_search_tool_search_result", "tool_references": deferred[:5]}
    calls.add(str(tool["name"]), arguments, "tool_search_tool_result", found)


def _advise(calls: ServerCalls, _tool: Tool) -> None:
    advice = {"type": "advisor_result", "text": "Advice of the mock API: go on."}
    calls.add("advisor", {}, "advisor_tool_result", advice)


def _call_mcp(calls: ServerCalls, tool: Tool) -> None:
    identifier = calls.identifiers.next("mcptoolu")
    called: dict[str, Any] = {
        "type": "mcp_tool_use",
        "id": identifier,
        "name": next(iter(object_at(tool, "configs")), "mock_tool"),
        "server_name": tool["mcp_server_name"],
        "input": {},
    }
    text = {"type": "text", "text": "Result of the mock API."}
    result = {
        "type": "mcp_tool_result",
        "tool_use_id": identifier,
        "is_error": False,
        "content": [text],
    }
    calls.blocks += [called, result]


_CALLS: Final[Mapping[str, Callable[[ServerCalls, Tool], None]]] = {
    "advisor_": _advise,
    "code_execution_": _execute,
    "mcp_toolset": _call_mcp,
    "tool_search_tool_": _find_tools,
    "web_fetch_": _fetch,
    "web_search_": _search,
}
"""What each server tool does, by how its type begins."""
