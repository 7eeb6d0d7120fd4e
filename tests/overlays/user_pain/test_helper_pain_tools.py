"""Rows of the ranking about tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from both_clients import ARGUMENTS
from claude_client import ToolCall, ToolResult, tool
from claude_client.testing import MockAPI, serve
from twins import each, settle

if TYPE_CHECKING:
    from twins import Twin


def test_row_50_a_caller_approves_observes_and_handles_errors(twin: Twin) -> None:
    deleted: list[str] = []

    @tool
    def delete(path: str) -> str:
        """Delete a file."""
        deleted.append(path)
        if path == "missing":
            raise FileNotFoundError(path)
        return "gone"

    async def body() -> None:
        mock = MockAPI()
        calls = [
            {"type": "tool_use", "id": f"toolu_{n}", "name": "delete", "input": {"path": path}}
            for n, path in enumerate(["a", "precious", "missing"])
        ]
        mock.on("messages.create").reply(calls).reply("Done")
        with serve(mock) as server:
            client = twin.client(server.url)
            runner = client.messages.tool_runner(tools=[delete], **ARGUMENTS)
            observed: list[str] = []
            async for step in each(runner):
                if isinstance(step, ToolCall) and step.arguments["path"] == "precious":
                    step.deny("Keep it.")
                elif isinstance(step, ToolResult):
                    observed.append(f"{step.content} {type(step.exception).__name__}")
                    if step.exception is not None:
                        step.content = "There is no such file."
            await settle(client.close())
        assert observed == [
            "gone NoneType",
            "Keep it. NoneType",
            "FileNotFoundError: missing FileNotFoundError",
        ]
        assert sorted(deleted) == ["a", "missing"]
        results = mock.calls.of("messages.create")[1].body["messages"][-1]["content"]
        assert results[2]["content"] == "There is no such file."
        assert [result.get("is_error", False) for result in results] == [False, True, True]

    twin.run(body)
