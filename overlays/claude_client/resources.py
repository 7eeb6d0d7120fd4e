"""Resources with methods that no schema can describe, on top of the generated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from claude_rest._runtime.kept import kept_property
from claude_rest.client import AsyncResources, Resources
from claude_rest.resources.messages import AsyncMessages as GeneratedAsyncMessages
from claude_rest.resources.messages import Messages as GeneratedMessages

if TYPE_CHECKING:
    from typing_extensions import NotRequired, Unpack

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.stream import AsyncStream, Stream
    from claude_rest._runtime.unset import Unset
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
    from .webhooks import Webhooks

    class MessageStreamArguments(MessageCreateParams, RequestOptions):
        """Arguments of ``messages.stream``: those of ``messages.create``."""

        user_profile_id: NotRequired[str | Unset]


class Messages(GeneratedMessages):
    """Methods of ``client.messages``."""

    _caller: OverlayCaller

    @kept_property
    def batches(self) -> Batches:
        """``client.messages.batches``."""
        from .batches.resource import Batches

        return Batches(self._caller, via_beta=self._via_beta)

    def stream(self, **arguments: Unpack[MessageStreamArguments]) -> MessageStreamManager:
        """Create a message and follow it as it is written.

        Takes the arguments of :meth:`create`. The request is sent by the ``with`` statement::

            with client.messages.stream(model=..., max_tokens=..., messages=[...]) as stream:
                for text in stream.text_stream:
                    print(text, end="", flush=True)
            message = stream.get_final_message()
        """
        from .streaming import MessageStream, MessageStreamManager

        def open_stream() -> MessageStream:
            values = _Values(self._caller)
            given: Any = {**arguments, "stream": True}
            create: Any = GeneratedMessages(values, via_beta=self._via_beta).create
            stream: Stream[Any] = create(**given)
            check = self._caller.message_check()
            return MessageStream(stream, operation="messages.stream", check=check)

        return MessageStreamManager(open_stream)


class AsyncMessages(GeneratedAsyncMessages):
    """Methods of ``client.messages`` on an asynchronous client."""

    _caller: AsyncOverlayCaller

    @kept_property
    def batches(self) -> AsyncBatches:
        """``client.messages.batches``."""
        from .batches.resource import AsyncBatches

        return AsyncBatches(self._caller, via_beta=self._via_beta)

    def stream(self, **arguments: Unpack[MessageStreamArguments]) -> AsyncMessageStreamManager:
        """Create a message and follow it as it is written.

        Takes the arguments of :meth:`create`. The request is sent by the ``async with``
        statement::

            async with client.messages.stream(model=..., max_tokens=..., messages=[...]) as stream:
                async for text in stream.text_stream:
                    print(text, end="", flush=True)
            message = await stream.get_final_message()
        """
        from .streaming import AsyncMessageStream, AsyncMessageStreamManager

        async def open_stream() -> AsyncMessageStream:
            values = _AsyncValues(self._caller)
            given: Any = {**arguments, "stream": True}
            create: Any = GeneratedAsyncMessages(values, via_beta=self._via_beta).create
            stream: AsyncStream[Any] = await create(**given)
            check = self._caller.message_check()
            return AsyncMessageStream(stream, operation="messages.stream", check=check)

        return AsyncMessageStreamManager(open_stream)


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
