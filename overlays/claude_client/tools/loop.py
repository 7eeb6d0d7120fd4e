"""A conversation with tools as a state machine: what to do next, without doing it.

Ask :meth:`ToolLoop.next_action`; do it; tell what came of it. The state changes only when an
action has succeeded, so one that failed or was cancelled is what comes next again. Every
``tool_use`` gets its ``tool_result``: a turn goes into the history together with the results.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from ..accumulator import InvalidToolInput, total_input_tokens
from ..structured_output.json_kinds import is_object
from .content import result_content
from .errors import ToolError, ToolRunnerLimitError
from .steps import AssistantTurn, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from claude_rest.models import Message

    from .function_tools import RunnableTool

# The reply ended before the model was through; its last call may lack half of its input.
_CUT = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
# Sent back as it is, the API goes on by itself.
_GOES_ON = frozenset({"pause_turn", "compaction"})
LIMITS = frozenset({"max_iterations", "max_total_tokens"})


class Send(NamedTuple):
    """Send a request with these messages; then :meth:`ToolLoop.take_message`."""

    messages: list[Any]


class Run(NamedTuple):
    """Run these calls, or the first of them; then :meth:`ToolLoop.take_result` for each."""

    calls: tuple[ToolCall, ...]


class Give(NamedTuple):
    """Give this step to the caller."""

    step: AssistantTurn | ToolCall | ToolResult


class ToolLoop:
    """The state of one conversation."""

    def __init__(
        self,
        messages: Iterable[Any],
        tools: Mapping[str, RunnableTool],
        *,
        max_iterations: int | None = None,
        max_total_tokens: int | None = None,
    ) -> None:
        """Begin after ``messages``; limits are in requests, and in tokens in and out."""
        self.tools = tools
        self.max_iterations = max_iterations
        self.max_total_tokens = max_total_tokens
        self.iterations = 0
        self.total_tokens = 0
        self.ended_by: str | None = None
        """Why it ended: ``"done"``, ``"stopped"`` or the name of a limit; None before that."""
        self.last_message: Message | None = None
        self._history: list[Any] = list(messages)
        self._appended: list[Any] = []
        self._turn: AssistantTurn | None = None
        self._results: dict[str, ToolResult] = {}
        self._steps: deque[AssistantTurn | ToolCall | ToolResult] = deque()

    @property
    def messages(self) -> list[Any]:
        """The conversation so far, complete at any moment: the API takes it.

        Calls that have not been answered are, with an error that says so.
        """
        messages = list(self._history)
        if self._turn is not None:
            messages += self._turn_messages(self._turn)
        return messages + self._appended

    def append(self, messages: Iterable[Any]) -> None:
        """Add messages behind the current turn and its results; an ended loop goes on."""
        self._appended += messages
        if self.ended_by == "done" and self._appended:
            self.ended_by = None

    def stop(self) -> None:
        """End now: nothing more is run or sent."""
        self._steps.clear()
        if self.ended_by is None:
            self.ended_by = "stopped"

    def next_action(self) -> Send | Run | Give | None:
        """Return what to do next; None at the end."""
        while True:
            if self._steps:
                return Give(self._steps.popleft())
            turn = self._turn
            if turn is not None and self.ended_by is None:
                open_calls = tuple(call for call in turn.calls if call.id not in self._results)
                if open_calls:
                    return Run(open_calls)
                self._history += self._turn_messages(turn)
                self._turn = None
                if turn.is_last and not self._appended:
                    self.ended_by = "done"
            if self.ended_by is None:
                self.ended_by = self._reached_limit()
            if self.ended_by is not None:
                return None
            self._history += self._appended
            self._appended = []
            return Send(list(self._history))

    def take_message(self, message: Message) -> None:
        """Take the reply to a :class:`Send`."""
        self.iterations += 1
        self.last_message = message
        usage = message.usage
        # A gateway may send none.
        self.total_tokens += total_input_tokens(usage) + (usage.output_tokens or 0) if usage else 0
        reason = message.stop_reason
        calls = tuple(
            ToolCall(block, self.tools.get(block.name))
            for block in message.content
            if block.type == "tool_use"
        )
        goes_on = reason not in _CUT and (bool(calls) or reason in _GOES_ON)
        limit = self._reached_limit() if goes_on else None
        offered = calls if goes_on and limit is None else ()
        self._turn = AssistantTurn(message, offered, self.iterations, is_last=not goes_on)
        self._results = {}
        self._steps.append(self._turn)
        self._steps.extend(offered)
        if limit is not None:
            self.ended_by = limit

    def take_result(self, result: ToolResult) -> None:
        """Take the result of one call of a :class:`Run`."""
        self._results[result.call.id] = result
        self._steps.append(result)

    def limit_error(self) -> ToolRunnerLimitError | None:
        """Return the error of a loop that was ended by a limit."""
        if self.ended_by not in LIMITS or self.last_message is None:
            return None
        detail = f"{self.iterations} requests and {self.total_tokens} tokens so far"
        return ToolRunnerLimitError(self.ended_by or "", self.last_message, detail)

    def _reached_limit(self) -> str | None:
        if self.max_iterations is not None and self.iterations >= self.max_iterations:
            return "max_iterations"
        if self.max_total_tokens is not None and self.total_tokens >= self.max_total_tokens:
            return "max_total_tokens"
        return None

    def _turn_messages(self, turn: AssistantTurn) -> list[Any]:
        """Return a turn and the results of its calls as messages."""
        if not turn.message.content:
            # The API takes no empty turn of the assistant.
            return []
        messages: list[Any] = [turn.message.to_param()]
        results: list[Any] = []
        for block in turn.message.content:
            if block.type == "tool_use":
                result = self._results.get(block.id)
                if result is None:
                    call = ToolCall(block, None)
                    why = f"This call was not run{self._why(turn)}."
                    result = ToolResult(call, why, is_error=True)
                results.append(result.to_param())
        if results:
            messages.append({"role": "user", "content": results})
        return messages

    def _why(self, turn: AssistantTurn) -> str:
        reason = turn.message.stop_reason
        return f": the reply was cut off by {reason}" if reason in _CUT else ""


def without_running(call: ToolCall, names: Iterable[str]) -> ToolResult | None:
    """Return the result of a call for which nothing is run; None when its tool is."""
    if call.decided is not None:
        return call.decided
    if call.problem is not None:
        given: Any = call.block.input
        raw = dict(given) if isinstance(given, InvalidToolInput) else given
        return ToolResult(call, f"{call.problem}. It was: {result_content(raw)}", is_error=True)
    if call.tool is None:
        known = ", ".join(sorted(names)) or "none"
        return ToolResult(call, f"There is no tool {call.name!r}. Tools: {known}.", is_error=True)
    return None


def returned(call: ToolCall, value: Any) -> ToolResult:
    """Return the result of a call whose tool has returned; an error if JSON cannot say it."""
    return ToolResult(call, result_content(value))


def raised(call: ToolCall, error: Exception, content: Any = None) -> ToolResult:
    """Return the result of a call whose tool has raised; ``content`` in place of its message."""
    if content is None and isinstance(error, ToolError):
        content = error.content
    elif content is None:
        content = f"{type(error).__name__}: {error}"
    return ToolResult(call, result_content(content), is_error=True, exception=error)


def named_tools(tools: Sequence[Any]) -> tuple[dict[str, RunnableTool], list[Any]]:
    """Return the tools that run here by name, and the definitions of all of them.

    Functions become tools; dicts are definitions of tools that run elsewhere. Raises
    ``ValueError`` when two have the same name.
    """
    runnable: dict[str, RunnableTool] = {}
    definitions: list[Any] = []
    for given in tools:
        if is_object(given):
            definitions.append(given)
            continue
        made = _as_tool(given)
        if made.name in runnable:
            raise ValueError(f"two tools are named {made.name!r}")
        runnable[made.name] = made
        definitions.append(made.to_param())
    return runnable, definitions


def _as_tool(given: Any) -> RunnableTool:
    from .function_tools import tool

    # By what it can do: a tool need not be a subclass.
    if hasattr(given, "to_param"):
        made: RunnableTool = given
        return made
    function: Callable[..., object] = given
    return tool(function)
