"""Runs a conversation with tools to its end, step by step.

:class:`ToolRunner` and :class:`AsyncToolRunner` are thin twins around :class:`~.loop.ToolLoop`:
they send the requests and run the tools. A step that fails raises and is tried again by the next
one, so a runner survives a lost connection as it does an exception that is let through.
"""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

from ..structured_output.json_kinds import is_sequence
from .errors import ToolError
from .loop import Give, Run, ToolLoop, named_tools, raised, returned, without_running
from .steps import AsyncTurnStream, TurnStream

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from claude_rest.models import Message
    from claude_rest.params import MessageParam

    from ..resources import AsyncMessages, Messages
    from .loop import Send as _Send
    from .steps import AsyncStep, Step, ToolCall, ToolResult

DEFAULT_MAX_ITERATIONS = 100
"""Requests after which a runner stops unless told otherwise."""

_log = logging.getLogger(__name__.rpartition(".tools")[0])


class _RunnerBase:
    """What both runners show."""

    _loop: ToolLoop
    _raise_on: tuple[type[Exception], ...]

    def __init__(self, arguments: dict[str, Any]) -> None:
        """Take the arguments of ``tool_runner``."""
        arguments = dict(arguments)
        if arguments.get("messages") is None:
            raise TypeError("tool_runner needs messages=[...]")
        tools, definitions = named_tools(arguments.pop("tools", ()))
        raise_on = arguments.pop("raise_on", ())
        self._raise_on = tuple(raise_on) if is_sequence(raise_on) else (raise_on,)
        if not all(isinstance(kind, type) for kind in self._raise_on):
            raise TypeError(f"raise_on takes classes of exceptions, not {raise_on!r}")
        self._on_tool_error: Callable[[ToolCall, Exception], Any] | None = arguments.pop(
            "on_tool_error", None
        )
        self._max_concurrency: int | None = arguments.pop("max_concurrency", None)
        if self._max_concurrency is not None and self._max_concurrency < 1:
            raise ValueError("max_concurrency must be at least 1")
        max_iterations = arguments.pop("max_iterations", DEFAULT_MAX_ITERATIONS)
        if max_iterations is not None and max_iterations < 1:
            raise ValueError("max_iterations must be at least 1")
        self._streaming: bool = bool(arguments.pop("stream", False))
        self._loop = ToolLoop(
            arguments.pop("messages"),
            tools,
            max_iterations=max_iterations,
            max_total_tokens=arguments.pop("max_total_tokens", None),
        )
        if definitions:
            arguments["tools"] = definitions
        self._arguments = arguments

    @property
    def messages(self) -> list[MessageParam]:
        """The conversation so far, complete at any moment: it can be sent as it is.

        Calls that have not been answered have a result that says so.
        """
        return self._loop.messages

    @property
    def last_message(self) -> Message | None:
        """The last reply; None before the first."""
        return self._loop.last_message

    @property
    def ended_by(self) -> str | None:
        """Why the runner ended; None before that.

        ``"done"``: the model stopped calling tools, see its ``stop_reason``. ``"stopped"``: by
        :meth:`stop`. ``"max_iterations"`` or ``"max_total_tokens"``: at that limit.
        """
        return self._loop.ended_by

    @property
    def iterations(self) -> int:
        """Replies so far."""
        return self._loop.iterations

    @property
    def total_tokens(self) -> int:
        """Tokens of all requests so far, in and out."""
        return self._loop.total_tokens

    def append_messages(self, *messages: MessageParam | Message) -> None:
        """Say something behind the current turn and its results; the next request has it."""
        self._loop.append(
            message if isinstance(message, dict) else message.to_param() for message in messages
        )

    def update_arguments(self, **arguments: Any) -> None:
        """Change arguments of the requests to come, such as ``tool_choice`` or ``max_tokens``.

        Messages are added by :meth:`append_messages`; tools stay.
        """
        fixed = arguments.keys() & {"messages", "tools", "stream"}
        if fixed:
            raise TypeError(f"{', '.join(sorted(fixed))} cannot be changed")
        self._arguments.update(arguments)

    def stop(self) -> None:
        """End after the current step: nothing more is run or sent."""
        self._loop.stop()

    def _final(self) -> Message:
        error = self._loop.limit_error()
        if error is not None:
            raise error
        if self._loop.last_message is None:
            raise RuntimeError("the runner was stopped before the first reply")
        return self._loop.last_message

    def _lets_through(self, error: Exception) -> bool:
        return isinstance(error, self._raise_on) and not isinstance(error, ToolError)

    def _note(self, call: ToolCall, error: Exception) -> None:
        if not isinstance(error, ToolError):
            _log.warning("tool %s raised %s", call.name, type(error).__name__, exc_info=error)


class ToolRunner(_RunnerBase):
    """Iterate over it for the steps, or call :meth:`until_done`."""

    def __init__(self, resource: Messages, arguments: dict[str, Any]) -> None:
        """Send by ``resource``; ``arguments`` are those of ``tool_runner``."""
        super().__init__(arguments)
        for tool in self._loop.tools.values():
            if inspect.iscoroutinefunction(tool.call):
                raise TypeError(f"tool {tool.name!r} is asynchronous; use AsyncClaude")
        self._resource = resource
        self._open: TurnStream | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Step:
        loop = self._loop
        while True:
            if self._open is not None:
                self._finish_stream(self._open)
            action = loop.next_action()
            if action is None:
                raise StopIteration
            if isinstance(action, Give):
                return action.step
            if isinstance(action, Run):
                self._run(action.calls)
            elif self._streaming:
                return self._start_stream(action)
            else:
                create: Any = self._resource.create
                loop.take_message(create(**self._arguments, messages=action.messages))

    def until_done(self) -> Message:
        """Go on to the end and return the last message.

        Raises :class:`~.errors.ToolRunnerLimitError` when a limit came first.
        """
        for _ in self:
            pass
        return self._final()

    def close(self) -> None:
        """End now; a stream that is open is closed. Safe to call more than once."""
        self.stop()
        stream, self._open = self._open, None
        if stream is not None:
            stream.stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _start_stream(self, action: _Send) -> TurnStream:
        stream: Any = self._resource.stream
        opened = stream(**self._arguments, messages=action.messages).__enter__()
        self._open = TurnStream(opened, self._loop.iterations + 1)
        return self._open

    def _finish_stream(self, turn: TurnStream) -> None:
        self._open = None
        with turn.stream as stream:
            if self._loop.ended_by is None:
                self._loop.take_message(stream.get_final_message())

    def _run(self, calls: tuple[ToolCall, ...]) -> None:
        concurrency = self._max_concurrency or 1
        if concurrency == 1 or len(calls) == 1:
            self._loop.take_result(self._result(calls[0]))
            return
        from concurrent.futures import ThreadPoolExecutor
        from contextvars import copy_context

        with ThreadPoolExecutor(concurrency) as pool:
            running = [pool.submit(copy_context().run, self._result, call) for call in calls]
        failure: BaseException | None = None
        for future in running:
            error = future.exception()
            if error is None:
                self._loop.take_result(future.result())
            failure = failure or error
        if failure is not None:
            raise failure

    def _result(self, call: ToolCall) -> ToolResult:
        ready = without_running(call, self._loop.tools)
        if ready is not None or call.tool is None:
            assert ready is not None
            return ready
        try:
            return returned(call, call.tool.call(call.arguments))
        except Exception as error:
            if self._lets_through(error):
                raise
            self._note(call, error)
            hook = self._on_tool_error
            said = None if hook is None else hook(call, error)
            return raised(call, error, said)


class AsyncToolRunner(_RunnerBase):
    """Asynchronous twin of :class:`ToolRunner`.

    Calls of one turn run side by side, at most ``max_concurrency`` of them (8); plain functions
    run in threads.
    """

    def __init__(self, resource: AsyncMessages, arguments: dict[str, Any]) -> None:
        """Send by ``resource``; ``arguments`` are those of ``tool_runner``."""
        super().__init__(arguments)
        self._resource = resource
        self._open: AsyncTurnStream | None = None
        self._threads: dict[ToolCall, _InThread] = {}

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AsyncStep:
        loop = self._loop
        while True:
            if self._open is not None:
                await self._finish_stream(self._open)
            action = loop.next_action()
            if action is None:
                raise StopAsyncIteration
            if isinstance(action, Give):
                return action.step
            if isinstance(action, Run):
                await self._run(action.calls)
            elif self._streaming:
                return await self._start_stream(action)
            else:
                create: Any = self._resource.create
                loop.take_message(await create(**self._arguments, messages=action.messages))

    async def until_done(self) -> Message:
        """Go on to the end and return the last message.

        Raises :class:`~.errors.ToolRunnerLimitError` when a limit came first.
        """
        async for _ in self:
            pass
        return self._final()

    async def close(self) -> None:
        """End now; a stream that is open is closed. Safe to call more than once."""
        self.stop()
        stream, self._open = self._open, None
        if stream is not None:
            await stream.stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _start_stream(self, action: _Send) -> AsyncTurnStream:
        stream: Any = self._resource.stream
        opened = await stream(**self._arguments, messages=action.messages).__aenter__()
        self._open = AsyncTurnStream(opened, self._loop.iterations + 1)
        return self._open

    async def _finish_stream(self, turn: AsyncTurnStream) -> None:
        self._open = None
        async with turn.stream as stream:
            if self._loop.ended_by is None:
                self._loop.take_message(await stream.get_final_message())

    async def _run(self, calls: tuple[ToolCall, ...]) -> None:
        if len(calls) == 1:
            self._loop.take_result(await self._result(calls[0]))
            return
        import anyio

        results: dict[str, ToolResult] = {}
        failures: list[Exception] = []
        places = anyio.CapacityLimiter(self._max_concurrency or 8)
        try:
            async with anyio.create_task_group() as group:

                async def run(call: ToolCall) -> None:
                    try:
                        async with places:
                            results[call.id] = await self._result(call)
                    except Exception as error:  # noqa: BLE001 - raised below, by itself
                        failures.append(error)
                        group.cancel_scope.cancel()

                for call in calls:
                    group.start_soon(run, call)
        finally:
            # Also when cancelled: what has been done is not done again.
            for call in calls:
                if call.id in results:
                    self._loop.take_result(results[call.id])
        if failures:
            raise failures[0]

    async def _result(self, call: ToolCall) -> ToolResult:
        ready = without_running(call, self._loop.tools)
        if ready is not None or call.tool is None:
            assert ready is not None
            return ready
        try:
            return returned(call, await self._called(call, call.tool))
        except Exception as error:
            if self._lets_through(error):
                raise
            self._note(call, error)
            hook = self._on_tool_error
            said = None if hook is None else hook(call, error)
            if inspect.isawaitable(said):
                said = await said
            return raised(call, error, said)

    async def _called(self, call: ToolCall, tool: Any) -> Any:
        if inspect.iscoroutinefunction(tool.call):
            return await tool.call(call.arguments)
        from anyio import to_thread

        thread = self._threads.get(call)
        if thread is not None and thread.goes_on_with(call.arguments):
            work = thread.wait
        else:
            thread = self._threads[call] = _InThread(tool, call.arguments)
            work = thread.run
        try:
            value = await to_thread.run_sync(work, abandon_on_cancel=True)
        except Exception:
            del self._threads[call]
            raise
        del self._threads[call]
        return await value if inspect.isawaitable(value) else value


class _InThread:
    """A plain function in a thread, which nothing stops: it goes on when its call is cancelled.

    The next attempt waits for it instead of doing twice what it does.
    """

    def __init__(self, tool: Any, arguments: dict[str, Any]) -> None:
        from concurrent.futures import Future

        self._call = tool.call
        self._arguments = dict(arguments)
        self._future: Future[Any] = Future()

    def wait(self) -> Any:
        """Return what comes of it, in another thread."""
        return self._future.result()

    def run(self) -> Any:
        """Call the function, unless this has been given up before the thread came to it."""
        if self._future.set_running_or_notify_cancel():
            try:
                self._future.set_result(self._call(self._arguments))
            except BaseException as error:  # noqa: BLE001 - raised below
                self._future.set_exception(error)
        return self.wait()

    def goes_on_with(self, arguments: dict[str, Any]) -> bool:
        """Return whether it has begun, with these arguments; if it has not it never will."""
        return not self._future.cancel() and self._arguments == arguments
