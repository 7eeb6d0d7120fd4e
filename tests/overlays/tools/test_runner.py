"""The tool runner against the mock API, which refuses a history with calls left unanswered."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from both_clients import ARGUMENTS
from claude_client import (
    AssistantTurn,
    AsyncTurnStream,
    Claude,
    ToolCall,
    ToolError,
    ToolResult,
    ToolRunnerLimitError,
    TurnStream,
    tool,
)
from claude_client.testing import MockAPI, serve
from twins import Twin, each, settle

NO_WAIT: dict[str, Any] = {"max_retries": 0}


def call(name: str, identifier: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identifier, "name": name, "input": given}


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def fail() -> str:
    """Fail."""
    raise LookupError("nothing there")


@tool
def refuse() -> str:
    """Refuse."""
    raise ToolError([{"type": "text", "text": "not today"}])


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Twin:
    return Twin(request.param == "async")


@pytest.fixture
def mock() -> MockAPI:
    return MockAPI()


def run(twin: Twin, mock: MockAPI, body: Any, **arguments: Any) -> None:
    """Run ``body`` with a runner, whose history the API takes at the end."""

    async def whole() -> None:
        with serve(mock) as server:
            client = twin.client(server.url, **NO_WAIT)
            runner = client.messages.tool_runner(**{**ARGUMENTS, "tools": [add], **arguments})
            await body(runner)
            history = [*runner.messages, {"role": "user", "content": "Thanks"}]
            await settle(client.messages.create(**{**ARGUMENTS, "messages": history}))
            await settle(client.close())

    twin.run(whole)


def sent(mock: MockAPI, index: int) -> Any:
    return mock.calls.of("messages.create")[index].body["messages"]


async def steps_of(runner: Any) -> list[Any]:
    return [step async for step in each(runner)]


@pytest.mark.parametrize("stream", [False, True])
def test_steps_in_their_order(twin: Twin, mock: MockAPI, stream: bool) -> None:
    calls = [call("add", "toolu_1", a=1, b=2), call("add", "toolu_2", a=3, b=4)]
    mock.on("messages.create").reply(calls).reply("3 and 7").reply("Bye")

    async def body(runner: Any) -> None:
        steps = await steps_of(runner)
        start = ["turn_stream"] if stream else []
        assert [step.type for step in steps] == [
            *start,
            "assistant_turn",
            "tool_call",
            "tool_call",
            "tool_result",
            "tool_result",
            *start,
            "assistant_turn",
        ]
        assert [s.content for s in steps if isinstance(s, ToolResult)] == ["3", "7"]
        turns = [s for s in steps if isinstance(s, AssistantTurn)]
        assert [turn.is_last for turn in turns] == [False, True]
        assert runner.ended_by == "done"
        assert runner.iterations == 2
        assert runner.total_tokens > 0
        assert (await settle(runner.until_done())).content[0].text == "3 and 7"

    run(twin, mock, body, stream=stream)
    results = sent(mock, 1)[-1]["content"]
    assert [block["tool_use_id"] for block in results] == ["toolu_1", "toolu_2"]


def test_a_stream_is_read_as_far_as_one_likes(twin: Twin, mock: MockAPI) -> None:
    mock.on("messages.create").reply(["Adding", call("add", "toolu_1", a=1, b=2)]).reply("Three")
    texts: list[str] = []

    async def body(runner: Any) -> None:
        async for step in each(runner):
            if isinstance(step, (TurnStream, AsyncTurnStream)):
                assert step.number == runner.iterations + 1
                async for text in each(step.stream.text_stream):
                    texts.append(text)
                    break

    run(twin, mock, body, stream=True)
    assert len(texts) >= 2


def test_calls_can_be_changed_denied_and_answered(twin: Twin, mock: MockAPI) -> None:
    calls = [call("add", f"toolu_{n}", a=n, b=0) for n in range(4)]
    mock.on("messages.create").reply(calls).reply("Done")

    async def body(runner: Any) -> None:
        async for step in each(runner):
            if isinstance(step, ToolCall):
                match step.id:
                    case "toolu_0":
                        step.arguments["b"] = 40
                    case "toolu_1":
                        step.deny("Not allowed.")
                    case "toolu_2":
                        step.answer({"sum": 2})
                    case _:
                        step.deny()
                        step.approve()
            elif isinstance(step, ToolResult) and step.call.id == "toolu_3":
                step.content = "three"

    run(twin, mock, body)
    assistant, results = sent(mock, 1)[-2:]
    # What the model said stays as it said it.
    assert assistant["content"][0]["input"] == {"a": 0, "b": 0}
    assert [(r["content"], r.get("is_error", False)) for r in results["content"]] == [
        ("40", False),
        ("Not allowed.", True),
        ('{"sum":2}', False),
        ("three", False),
    ]


def test_what_goes_wrong_is_told_to_the_model(twin: Twin, mock: MockAPI) -> None:
    mock.on("messages.create").reply(
        [
            call("fail", "toolu_1"),
            call("refuse", "toolu_2"),
            call("add", "toolu_3", a="x", b=1),
            call("nothing", "toolu_4"),
        ]
    ).reply("Sorry")
    seen: list[str] = []

    def note(step: ToolCall, error: Exception) -> str | None:
        seen.append(f"{step.name}: {error}")
        return "It broke." if step.name == "fail" else None

    async def body(runner: Any) -> None:
        results = [s for s in await steps_of(runner) if isinstance(s, ToolResult)]
        assert all(result.is_error for result in results)
        assert isinstance(results[0].exception, LookupError)

    run(twin, mock, body, tools=[add, fail, refuse], on_tool_error=note)
    contents = [block["content"] for block in sent(mock, 1)[-1]["content"]]
    assert contents[0] == "It broke."
    assert contents[1] == [{"type": "text", "text": "not today"}]
    assert "/a: an integer expected" in contents[2]
    assert contents[3] == "There is no tool 'nothing'. Tools: add, fail, refuse."
    assert sorted(text.partition(":")[0] for text in seen) == ["add", "fail", "refuse"]


def test_exceptions_that_are_let_through_lose_nothing(twin: Twin, mock: MockAPI) -> None:
    mock.on("messages.create").reply([call("flaky", "toolu_1")]).reply("Done")
    tries: list[int] = []

    def flaky() -> str:
        """Fail once."""
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("lost")
        return "now"

    async def body(runner: Any) -> None:
        with pytest.raises(ConnectionError, match="lost"):
            await settle(runner.until_done())
        assert runner.ended_by is None
        assert runner.messages[-1]["content"][0]["is_error"] is True
        # The next step tries again.
        assert (await settle(runner.until_done())).content[0].text == "Done"

    run(twin, mock, body, tools=[flaky], raise_on=OSError)
    assert len(tries) == 2
    assert sent(mock, 1)[-1]["content"][0]["content"] == "now"


def test_a_request_that_failed_is_sent_again_by_the_next_step(twin: Twin, mock: MockAPI) -> None:
    mock.on("messages.create").reply([call("add", "toolu_1", a=1, b=1)]).fail(500).reply("Two")

    async def body(runner: Any) -> None:
        with pytest.raises(Exception, match="500"):
            await settle(runner.until_done())
        assert (await settle(runner.until_done())).content[0].text == "Two"

    run(twin, mock, body)


def test_turns_that_are_paused_or_compacted_go_on(twin: Twin, mock: MockAPI) -> None:
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    mock.on("messages.create").reply({"content": [search], "stop_reason": "pause_turn"}).reply("Ok")

    async def body(runner: Any) -> None:
        assert (await settle(runner.until_done())).content[0].text == "Ok"

    run(twin, mock, body)
    assert sent(mock, 1)[-1] == {"role": "assistant", "content": [search]}


def test_compaction_blocks_stay_in_the_history(twin: Twin, mock: MockAPI) -> None:
    edit = {
        "type": "compact_20260112",
        "pause_after_compaction": True,
        "trigger": {"type": "input_tokens", "value": 50_000},
    }
    block = {"type": "compaction", "content": "We said hi."}
    mock.on("messages.create").reply({"content": [block], "stop_reason": "compaction"}).reply("Ok")

    async def body(runner: Any) -> None:
        assert (await settle(runner.until_done())).content[0].text == "Ok"

    run(twin, mock, body, context_management={"edits": [edit]}, betas=["compact-2026-01-12"])
    assert sent(mock, 1)[-1]["content"] == [block]


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
def test_calls_of_a_reply_that_was_cut_off_are_not_run(
    twin: Twin, mock: MockAPI, reason: str
) -> None:
    mock.on("messages.create").reply(
        {"content": [call("add", "toolu_1")], "stop_reason": reason}
    ).reply("Bye")

    async def body(runner: Any) -> None:
        steps = await steps_of(runner)
        assert [step.type for step in steps] == ["assistant_turn"]
        assert (await settle(runner.until_done())).stop_reason == reason
        (result,) = runner.messages[-1]["content"]
        assert f"cut off by {reason}" in result["content"]

    run(twin, mock, body)


def test_limits(twin: Twin, mock: MockAPI) -> None:
    mock.on("messages.create", tools=lambda given: bool(given)).reply(
        [call("add", "toolu_1", a=1, b=1)]
    )

    async def body(runner: Any) -> None:
        with pytest.raises(ToolRunnerLimitError, match="max_iterations: 3 requests") as caught:
            await settle(runner.until_done())
        assert caught.value.reply.stop_reason == "tool_use"
        assert runner.ended_by == "max_iterations"

    run(twin, mock, body, max_iterations=3)


def test_a_limit_of_tokens(twin: Twin, mock: MockAPI) -> None:
    mock.on("messages.create", tools=lambda given: bool(given)).reply(
        [call("add", "toolu_1", a=1, b=1)]
    )

    async def body(runner: Any) -> None:
        with pytest.raises(ToolRunnerLimitError, match="max_total_tokens"):
            await settle(runner.until_done())
        assert runner.iterations == 1

    run(twin, mock, body, max_total_tokens=1)


def test_stopping_and_going_on(twin: Twin, mock: MockAPI) -> None:
    mock.on("messages.create").reply([call("add", "toolu_1", a=1, b=1)]).reply("Two").reply("More")

    async def stopped(runner: Any) -> None:
        async for step in each(runner):
            if isinstance(step, ToolCall):
                runner.stop()
        assert runner.ended_by == "stopped"
        assert (await settle(runner.until_done())).stop_reason == "tool_use"

    run(twin, mock, stopped)
    mock.reset()
    mock.on("messages.create").reply([call("add", "toolu_1", a=1, b=1)]).reply("Two").reply("More")

    async def appended(runner: Any) -> None:
        async for step in each(runner):
            if isinstance(step, AssistantTurn) and step.is_last and runner.iterations == 2:
                runner.append_messages({"role": "user", "content": "And now?"})
                runner.update_arguments(max_tokens=7)
        assert runner.last_message.content[0].text == "More"
        with pytest.raises(TypeError, match="cannot be changed"):
            runner.update_arguments(tools=[])

    run(twin, mock, appended)
    assert sent(mock, 2)[-1] == {"role": "user", "content": "And now?"}
    assert mock.calls.of("messages.create")[2].body["max_tokens"] == 7


def test_closing_in_the_middle_of_a_stream(twin: Twin, mock: MockAPI) -> None:
    async def body(runner: Any) -> None:
        async for step in each(runner):
            assert step.type == "turn_stream"
            await settle(runner.close())
            assert step.stream.closed
        await settle(runner.close())

    run(twin, mock, body, stream=True)


def test_definitions_beside_tools_are_answered_by_the_caller(twin: Twin, mock: MockAPI) -> None:
    mock.on("messages.create").reply([call("ask_human", "toolu_1")]).reply("Thanks")
    definition = {"name": "ask_human", "input_schema": {"type": "object"}}

    async def body(runner: Any) -> None:
        async for step in each(runner):
            if isinstance(step, ToolCall):
                assert step.tool is None
                step.answer("Yes")

    run(twin, mock, body, tools=[definition])
    assert sent(mock, 1)[-1]["content"][0]["content"] == "Yes"


def test_input_that_is_no_json(twin: Twin, mock: MockAPI) -> None:
    events: list[Any] = [
        {"type": "message_start", "message": {**_empty(), "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": call("add", "toolu_1")},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": '{"a": 1'},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {"output_tokens": 2},
        },
        {"type": "message_stop"},
    ]
    mock.on("messages.create").reply_stream(events).reply("Sorry")

    async def body(runner: Any) -> None:
        results = [s for s in await steps_of(runner) if isinstance(s, ToolResult)]
        assert results[0].is_error
        assert "INVALID_JSON" in str(results[0].content)

    run(twin, mock, body, stream=True)


def _empty() -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 1},
    }


def test_calls_of_one_turn_run_side_by_side() -> None:
    """Each waits until another has begun; with more than two at once they would be too many."""
    twin, mock = Twin(True), MockAPI()
    mock.on("messages.create").reply([call("meet", f"toolu_{n}", n=n) for n in range(6)]).reply(
        "Ok"
    )
    running: list[int] = []
    most: list[int] = []
    begun = asyncio.Event()

    async def meet(n: int) -> int:
        """Wait for another."""
        running.append(n)
        most.append(len(running))
        if len(running) == 2:
            begun.set()
        await begun.wait()
        running.remove(n)
        return n

    async def body(runner: Any) -> None:
        results = [s for s in await steps_of(runner) if isinstance(s, ToolResult)]
        assert [result.content for result in results] == [str(n) for n in range(6)]

    run(twin, mock, body, tools=[meet], max_concurrency=2)
    assert max(most) == 2


def test_threads_run_calls_side_by_side() -> None:
    import threading

    twin, mock = Twin(False), MockAPI()
    mock.on("messages.create").reply([call("meet", f"toolu_{n}") for n in range(2)]).reply("Ok")
    barrier = threading.Barrier(2, timeout=60)

    def meet() -> str:
        """Wait for the other."""
        barrier.wait()
        return "met"

    async def body(runner: Any) -> None:
        results = [s for s in await steps_of(runner) if isinstance(s, ToolResult)]
        assert [result.content for result in results] == ["met", "met"]

    run(twin, mock, body, tools=[meet], max_concurrency=2)


def test_cancelled_while_tools_run() -> None:
    twin, mock = Twin(True), MockAPI()
    mock.on("messages.create").reply([call("quick", "toolu_1"), call("slow", "toolu_2")]).reply(
        "Ok"
    )
    started, done = asyncio.Event(), asyncio.Event()
    count: list[str] = []

    async def quick() -> str:
        """Be quick."""
        count.append("quick")
        done.set()
        return "here"

    async def slow() -> str:
        """Be slow, the first time."""
        count.append("slow")
        if count.count("slow") == 1:
            started.set()
            await asyncio.Event().wait()
        return "at last"

    async def body(runner: Any) -> None:
        task = asyncio.ensure_future(runner.until_done())
        await started.wait()
        await done.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # What was done is not done again, what was not is.
        assert (await runner.until_done()).content[0].text == "Ok"

    run(twin, mock, body, tools=[quick, slow])
    assert sorted(count) == ["quick", "slow", "slow"]


@pytest.mark.parametrize("reason", ["cancelled", "another call raised"])
def test_a_thread_that_goes_on_is_not_begun_again(reason: str) -> None:
    twin, mock = Twin(True), MockAPI()
    calls = [call("pay", "toolu_1", amount=3), call("check", "toolu_2")]
    mock.on("messages.create").reply(calls).reply("Ok")
    begun, go_on = threading.Event(), threading.Event()
    paid: list[int] = []

    def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        begun.set()
        assert go_on.wait(30)
        return "paid"

    async def check() -> str:
        """Check."""
        if not go_on.is_set():
            await asyncio.to_thread(begun.wait)
            if reason != "cancelled":
                raise OSError("not now")
            task.cancel()
            await asyncio.Event().wait()
        return "fine"

    async def body(runner: Any) -> None:
        nonlocal task
        task = asyncio.ensure_future(runner.until_done())
        with pytest.raises(asyncio.CancelledError if reason == "cancelled" else OSError):
            await task
        go_on.set()
        assert (await runner.until_done()).content[0].text == "Ok"

    task: Any = None
    run(twin, mock, body, tools=[pay, check], raise_on=OSError)
    assert paid == [3]
    assert [block["content"] for block in sent(mock, 1)[-1]["content"]] == ["paid", "fine"]


def test_what_a_runner_refuses() -> None:
    client = Claude(api_key="k")

    async def later() -> None: ...

    with pytest.raises(TypeError, match="use AsyncClaude"):
        client.messages.tool_runner(**ARGUMENTS, tools=[later])
    with pytest.raises(ValueError, match="two tools are named 'add'"):
        client.messages.tool_runner(**ARGUMENTS, tools=[add, add])
    with pytest.raises(TypeError, match="needs messages"):
        client.messages.tool_runner(model="m", max_tokens=1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="max_concurrency"):
        client.messages.tool_runner(**ARGUMENTS, max_concurrency=0)
    with pytest.raises(ValueError, match="max_iterations"):
        client.messages.tool_runner(**ARGUMENTS, max_iterations=0)
    wrong: Any = ["OSError"]
    with pytest.raises(TypeError, match="raise_on takes classes"):
        client.messages.tool_runner(**ARGUMENTS, raise_on=wrong)


def test_text_that_is_none_does_not_end_the_conversation(
    twin: Twin, mock: MockAPI, caplog: pytest.LogCaptureFixture
) -> None:
    """Names of files can hold what JSON cannot: the request, and all after it, were refused."""
    # The traceback in the log holds it too, which the reports of pytest-xdist cannot carry.
    caplog.set_level("CRITICAL", "claude_client")

    def names() -> str:
        """List names."""
        return "a\udcff, \ud83d\ude00"

    def missing() -> str:
        """Miss one."""
        raise FileNotFoundError("a\udcff")

    calls = [call("names", "toolu_1"), call("missing", "toolu_2")]
    mock.on("messages.create").reply(calls).reply("Ok")

    async def body(runner: Any) -> None:
        await settle(runner.until_done())

    run(twin, mock, body, tools=[names, missing])
    contents = [block["content"] for block in sent(mock, 1)[-1]["content"]]
    assert contents == ["a\ufffd, \U0001f600", "FileNotFoundError: a\ufffd"]


def test_arguments_are_those_of_create() -> None:
    """The type of the arguments is written by hand, and must not fall behind the spec."""
    import ast
    from pathlib import Path

    import claude_client.tools.arguments as written
    from claude_client.types import MessageCreateParams

    tree = ast.parse(Path(written.__file__).read_text("utf-8"))
    (cls,) = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    here = {
        node.target.id: ast.unparse(node.annotation)
        for node in cls.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    source = Path(__import__("sys").modules[MessageCreateParams.__module__].__file__ or "")
    (there,) = (
        node
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and node.name == "MessageCreateParams"
    )
    for node in there.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
            if name not in ("stream", "tools"):
                assert here[name] == ast.unparse(node.annotation), name
