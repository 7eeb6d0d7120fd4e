"""Resources with methods that no schema can describe, on top of the generated ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from claude_rest._runtime.kept import kept_property
from claude_rest.client import AsyncResources, Resources
from claude_rest.resources.messages import AsyncMessages as GeneratedAsyncMessages
from claude_rest.resources.messages import Messages as GeneratedMessages

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import NotRequired, Unpack

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.stream import AsyncStream, Stream
    from claude_rest._runtime.unset import Unset
    from claude_rest.models import Message
    from claude_rest.params import MessageCreateParams

    from .batches.resource import AsyncBatches, Batches
    from .callers import AsyncOverlayCaller, OverlayCaller
    from .skills.resources import AsyncSkills, Skills
    from .streaming import (
        AsyncMessageStream,
        AsyncMessageStreamManager,
        MessageStream,
        MessageStreamManager,
    )
    from .structured_output.output_format import OutputFormat
    from .structured_output.parsed import ParsedMessage
    from .structured_output.streams import (
        AsyncParsedMessageStreamManager,
        ParsedMessageStreamManager,
    )
    from .tools.arguments import ToolRunnerArguments
    from .tools.runner import AsyncToolRunner, ToolRunner
    from .webhooks import Webhooks

    class MessageStreamArguments(MessageCreateParams, RequestOptions):
        """Arguments of ``messages.stream``: those of ``messages.create``."""

        user_profile_id: NotRequired[str | Unset]


T = TypeVar("T")


class Messages(GeneratedMessages):
    """Methods of ``client.messages``."""

    _caller: OverlayCaller

    @kept_property
    def batches(self) -> Batches:
        """``client.messages.batches``."""
        from .batches.resource import Batches

        return Batches(self._caller, via_beta=self._via_beta)

    @overload
    def parse(
        self,
        *,
        output_format: type[T] | OutputFormat[T],
        **arguments: Unpack[MessageStreamArguments],
    ) -> ParsedMessage[T]: ...

    @overload
    def parse(
        self, *, output_format: Any, **arguments: Unpack[MessageStreamArguments]
    ) -> ParsedMessage[Any]: ...

    def parse(
        self, *, output_format: Any, **arguments: Unpack[MessageStreamArguments]
    ) -> ParsedMessage[Any]:
        """Create a message whose text is a value of a Python type, and read it.

        Takes the arguments of :meth:`create` and::

            message = client.messages.parse(output_format=Recipe, model=..., ...)
            message.parsed_output.title

        Args:
            output_format: Dataclass, attrs class, TypedDict, NamedTuple, pydantic model, enum,
                ``list[...]`` or ``... | ...`` of these, or a dict that is a JSON Schema.
            arguments: Arguments of the request.

        Raises:
            StructuredOutputError: the reply is no such value; ``reply`` has it all the same.
            UnsupportedTypeError: the API cannot be asked for such values.
        """
        from .structured_output.output_format import OutputFormat, output_arguments
        from .structured_output.parsed import parse_message

        if arguments.get("stream"):
            raise TypeError(
                "messages.parse does not stream; use messages.stream(output_format=...)"
            )
        form = OutputFormat.of(output_format)
        create: Any = self.create
        message: Message = create(**output_arguments(arguments, form))
        return parse_message(message, form)

    @overload
    def stream(self, **arguments: Unpack[MessageStreamArguments]) -> MessageStreamManager: ...

    @overload
    def stream(
        self,
        *,
        output_format: type[T] | OutputFormat[T],
        **arguments: Unpack[MessageStreamArguments],
    ) -> ParsedMessageStreamManager[T]: ...

    # Unions, Literals and JSON Schemas are no types to a type checker.
    @overload
    def stream(
        self, *, output_format: Any, **arguments: Unpack[MessageStreamArguments]
    ) -> ParsedMessageStreamManager[Any]: ...

    def stream(
        self, *, output_format: Any = None, **arguments: Unpack[MessageStreamArguments]
    ) -> MessageStreamManager:
        """Create a message and follow it as it is written.

        Takes the arguments of :meth:`create`. The request is sent by the ``with`` statement::

            with client.messages.stream(model=..., max_tokens=..., messages=[...]) as stream:
                for text in stream.text_stream:
                    print(text, end="", flush=True)
            message = stream.get_final_message()

        With ``output_format``, as :meth:`parse` takes it, the final message is a
        :class:`~.structured_output.parsed.ParsedMessage`.
        """
        from .streaming import MessageStream, MessageStreamManager

        if output_format is not None:
            return self._parsed_stream(output_format, dict(arguments))
        return MessageStreamManager(lambda: self._open_stream(dict(arguments), MessageStream))

    def tool_runner(self, **arguments: Unpack[ToolRunnerArguments]) -> ToolRunner:
        """Create messages, running the tools that the model calls, until it calls no more.

        Takes the arguments of :meth:`create`, with functions or tools made by
        :func:`~.tools.function_tools.tool` among ``tools``; the request is sent when the runner is
        asked for its first step::

            runner = client.messages.tool_runner(tools=[get_weather], model=..., ...)
            for step in runner:
                if step.type == "tool_call" and step.name == "delete_file":
                    step.deny("Not without asking.")
            message = runner.last_message

        or just ``runner.until_done()``. See :class:`~.tools.arguments.ToolRunnerArguments` for
        the limits and hooks.
        """
        from .tools.runner import ToolRunner

        return ToolRunner(self, dict(arguments))

    def _parsed_stream(
        self, output_format: Any, arguments: dict[str, Any]
    ) -> ParsedMessageStreamManager[Any]:
        from .structured_output.output_format import OutputFormat, output_arguments
        from .structured_output.streams import ParsedMessageStream, ParsedMessageStreamManager

        form = OutputFormat.of(output_format)
        given = output_arguments(arguments, form)
        make = partial(ParsedMessageStream, output_format=form)
        return ParsedMessageStreamManager(lambda: self._open_stream(given, make))

    def _open_stream(
        self, arguments: dict[str, Any], make: Callable[..., MessageStream]
    ) -> MessageStream:
        values = _Values(self._caller)
        create: Any = GeneratedMessages(values, via_beta=self._via_beta).create
        stream: Stream[Any] = create(**{**arguments, "stream": True})
        check = self._caller.message_check()
        return make(stream, operation="messages.stream", check=check)


class AsyncMessages(GeneratedAsyncMessages):
    """Methods of ``client.messages`` on an asynchronous client."""

    _caller: AsyncOverlayCaller

    @kept_property
    def batches(self) -> AsyncBatches:
        """``client.messages.batches``."""
        from .batches.resource import AsyncBatches

        return AsyncBatches(self._caller, via_beta=self._via_beta)

    @overload
    async def parse(
        self,
        *,
        output_format: type[T] | OutputFormat[T],
        **arguments: Unpack[MessageStreamArguments],
    ) -> ParsedMessage[T]: ...

    @overload
    async def parse(
        self, *, output_format: Any, **arguments: Unpack[MessageStreamArguments]
    ) -> ParsedMessage[Any]: ...

    async def parse(
        self, *, output_format: Any, **arguments: Unpack[MessageStreamArguments]
    ) -> ParsedMessage[Any]:
        """Create a message whose text is a value of a Python type, and read it.

        Takes the arguments of :meth:`create` and::

            message = await client.messages.parse(output_format=Recipe, model=..., ...)
            message.parsed_output.title

        Args:
            output_format: Dataclass, attrs class, TypedDict, NamedTuple, pydantic model, enum,
                ``list[...]`` or ``... | ...`` of these, or a dict that is a JSON Schema.
            arguments: Arguments of the request.

        Raises:
            StructuredOutputError: the reply is no such value; ``reply`` has it all the same.
            UnsupportedTypeError: the API cannot be asked for such values.
        """
        from .structured_output.output_format import OutputFormat, output_arguments
        from .structured_output.parsed import parse_message

        if arguments.get("stream"):
            raise TypeError(
                "messages.parse does not stream; use messages.stream(output_format=...)"
            )
        form = OutputFormat.of(output_format)
        create: Any = self.create
        message: Message = await create(**output_arguments(arguments, form))
        return parse_message(message, form)

    @overload
    def stream(self, **arguments: Unpack[MessageStreamArguments]) -> AsyncMessageStreamManager: ...

    @overload
    def stream(
        self,
        *,
        output_format: type[T] | OutputFormat[T],
        **arguments: Unpack[MessageStreamArguments],
    ) -> AsyncParsedMessageStreamManager[T]: ...

    # Unions, Literals and JSON Schemas are no types to a type checker.
    @overload
    def stream(
        self, *, output_format: Any, **arguments: Unpack[MessageStreamArguments]
    ) -> AsyncParsedMessageStreamManager[Any]: ...

    def stream(
        self, *, output_format: Any = None, **arguments: Unpack[MessageStreamArguments]
    ) -> AsyncMessageStreamManager:
        """Create a message and follow it as it is written.

        Takes the arguments of :meth:`create`. The request is sent by the ``async with``
        statement::

            async with client.messages.stream(model=..., max_tokens=..., messages=[...]) as stream:
                async for text in stream.text_stream:
                    print(text, end="", flush=True)
            message = await stream.get_final_message()

        With ``output_format``, as :meth:`parse` takes it, the final message is a
        :class:`~.structured_output.parsed.ParsedMessage`.
        """
        from .streaming import AsyncMessageStream, AsyncMessageStreamManager

        if output_format is not None:
            return self._parsed_stream(output_format, dict(arguments))
        return AsyncMessageStreamManager(
            lambda: self._open_stream(dict(arguments), AsyncMessageStream)
        )

    def tool_runner(self, **arguments: Unpack[ToolRunnerArguments]) -> AsyncToolRunner:
        """Create messages, running the tools that the model calls, until it calls no more.

        Takes the arguments of :meth:`create`, with functions or tools made by
        :func:`~.tools.function_tools.tool` among ``tools``; the request is sent when the runner is
        asked for its first step::

            runner = client.messages.tool_runner(tools=[get_weather], model=..., ...)
            async for step in runner:
                if step.type == "tool_call" and step.name == "delete_file":
                    step.deny("Not without asking.")
            message = runner.last_message

        or just ``await runner.until_done()``. See
        :class:`~.tools.arguments.ToolRunnerArguments` for the limits and hooks.
        """
        from .tools.runner import AsyncToolRunner

        return AsyncToolRunner(self, dict(arguments))

    def _parsed_stream(
        self, output_format: Any, arguments: dict[str, Any]
    ) -> AsyncParsedMessageStreamManager[Any]:
        from .structured_output.output_format import OutputFormat, output_arguments
        from .structured_output.streams import (
            AsyncParsedMessageStream,
            AsyncParsedMessageStreamManager,
        )

        form = OutputFormat.of(output_format)
        given = output_arguments(arguments, form)
        make = partial(AsyncParsedMessageStream, output_format=form)
        return AsyncParsedMessageStreamManager(lambda: self._open_stream(given, make))

    async def _open_stream(
        self, arguments: dict[str, Any], make: Callable[..., AsyncMessageStream]
    ) -> AsyncMessageStream:
        values = _AsyncValues(self._caller)
        create: Any = GeneratedAsyncMessages(values, via_beta=self._via_beta).create
        stream: AsyncStream[Any] = await create(**{**arguments, "stream": True})
        check = self._caller.message_check()
        return make(stream, operation="messages.stream", check=check)


class _Values:
    """A caller whose streams hold events as JSON values.

    The generated method checks and names the arguments; only what comes back differs.
    """

    __slots__ = ("call", "paginate", "stream")

    def __init__(self, caller: OverlayCaller) -> None:
        self.call = caller.call
        self.stream = caller.stream_values
        self.paginate = caller.paginate


class _AsyncValues:
    """Asynchronous twin of :class:`_Values`."""

    __slots__ = ("call", "paginate", "stream")

    def __init__(self, caller: AsyncOverlayCaller) -> None:
        self.call = caller.call
        self.stream = caller.stream_values
        self.paginate = caller.paginate


class OverlayResources(Resources):
    """Every top-level resource, with the overlays' own where there is one."""

    def _bound_caller(self) -> OverlayCaller:
        """Return what carries the calls out."""
        raise NotImplementedError

    @kept_property
    def messages(self) -> Messages:
        """``client.messages``."""
        return Messages(self._bound_caller(), via_beta=self._via_beta)

    @kept_property
    def webhooks(self) -> Webhooks:
        """``client.webhooks``: verifies what the API sends by itself."""
        from .webhooks import Webhooks

        return Webhooks(self._bound_caller().settings.webhook_key)

    @kept_property
    def skills(self) -> Skills:
        """``client.skills``."""
        from .skills.resources import Skills

        return Skills(self._bound_caller(), via_beta=self._via_beta)


class Beta(OverlayResources):
    """``client.beta``: the same resources; their requests carry what the beta namespace sends."""

    _via_beta: ClassVar[bool] = True

    def __init__(self, caller: OverlayCaller) -> None:
        """Bind the resources to ``caller``."""
        self._caller = caller

    def _bound_caller(self) -> OverlayCaller:
        return self._caller


class AsyncOverlayResources(AsyncResources):
    """Every top-level resource, with the overlays' own where there is one."""

    def _bound_caller(self) -> AsyncOverlayCaller:
        """Return what carries the calls out."""
        raise NotImplementedError

    @kept_property
    def messages(self) -> AsyncMessages:
        """``client.messages``."""
        return AsyncMessages(self._bound_caller(), via_beta=self._via_beta)

    @kept_property
    def webhooks(self) -> Webhooks:
        """``client.webhooks``: verifies what the API sends by itself. Not awaited."""
        from .webhooks import Webhooks

        return Webhooks(self._bound_caller().settings.webhook_key)

    @kept_property
    def skills(self) -> AsyncSkills:
        """``client.skills``."""
        from .skills.resources import AsyncSkills

        return AsyncSkills(self._bound_caller(), via_beta=self._via_beta)


class AsyncBeta(AsyncOverlayResources):
    """``client.beta``: the same resources; their requests carry what the beta namespace sends."""

    _via_beta: ClassVar[bool] = True

    def __init__(self, caller: AsyncOverlayCaller) -> None:
        """Bind the resources to ``caller``."""
        self._caller = caller

    def _bound_caller(self) -> AsyncOverlayCaller:
        return self._caller
