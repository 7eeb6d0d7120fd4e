"""The callers behind ``with_raw_response`` and ``with_streaming_response``.

Both send like every other call, with its retries, flags and errors, and differ in what they hand
back. The methods are those of the resource itself, bound to a caller that wraps the one there is,
a :class:`~.client.ClientCore`: :class:`RawCaller` reads the body and leaves it undecoded,
:class:`StreamingCaller` does not read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .raw_call import Call
from .raw_response import APIResponse, AsyncAPIResponse
from .streamed_response import (
    AsyncStreamedAPIResponse,
    AsyncStreamedResponseManager,
    StreamedAPIResponse,
    StreamedResponseManager,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .binary import AsyncBinaryResponse, BinaryResponse
    from .caller import RequestOptions
    from .operation import Operation
    from .page import AsyncPage, AsyncPaginator

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


class RawCaller:
    """A caller that hands back answers undecoded."""

    __slots__ = ("caller",)

    def __init__(self, caller: Any) -> None:
        """Send by ``caller``, a :class:`~.client.ClientCore` that carries calls out."""
        self.caller = caller

    def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> APIResponse[Any]:
        """Send the request and return its answer."""
        call = Call(self.caller, operation, arguments, options, via_beta)
        if operation.response == "sse":
            return self.stream(operation, arguments, options, via_beta)
        return APIResponse[Any]._of(call, self.caller.call(*call.raw()))

    paginate = call

    def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> APIResponse[Any]:
        """Send the request and return its answer, which holds an open stream."""
        call = Call(self.caller, operation, arguments, options, via_beta)
        stream = self.caller.stream(operation, arguments, options, via_beta)
        return APIResponse[Any]._of_stream(call, stream)


class AsyncRawCaller:
    """Asynchronous twin of :class:`RawCaller`."""

    __slots__ = ("caller",)

    def __init__(self, caller: Any) -> None:
        """Send by ``caller``, a :class:`~.client.ClientCore` that carries calls out."""
        self.caller = caller

    async def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncAPIResponse[Any]:
        """Send the request and return its answer."""
        call = Call(self.caller, operation, arguments, options, via_beta)
        if operation.response == "sse":
            return await self.stream(operation, arguments, options, via_beta)
        return AsyncAPIResponse[Any]._of(call, await self.caller.call(*call.raw()))

    paginate = call

    async def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncAPIResponse[Any]:
        """Send the request and return its answer, which holds an open stream."""
        call = Call(self.caller, operation, arguments, options, via_beta)
        stream = await self.caller.stream(operation, arguments, options, via_beta)
        return AsyncAPIResponse[Any]._of_stream(call, stream)


class StreamingCaller:
    """A caller that hands back answers unread."""

    __slots__ = ("caller",)

    def __init__(self, caller: Any) -> None:
        """Send by ``caller``, a :class:`~.client.ClientCore` that carries calls out."""
        self.caller = caller

    def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> StreamedAPIResponse[Any]:
        """Send the request and return its answer."""
        return self._open(
            Call(self.caller, operation, arguments, options, via_beta), operation.response == "sse"
        )

    paginate = call

    def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> StreamedAPIResponse[Any]:
        """Send the request for a stream of events and return its answer."""
        return self._open(Call(self.caller, operation, arguments, options, via_beta), True)

    def _open(self, call: Call, streaming: bool) -> StreamedAPIResponse[Any]:
        answer: BinaryResponse = self.caller.call(*call.unread(streaming=streaming))
        return StreamedAPIResponse[Any]._of(call, answer._body, streaming=streaming)


class AsyncStreamingCaller:
    """Asynchronous twin of :class:`StreamingCaller`."""

    __slots__ = ("caller",)

    def __init__(self, caller: Any) -> None:
        """Send by ``caller``, a :class:`~.client.ClientCore` that carries calls out."""
        self.caller = caller

    async def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncStreamedAPIResponse[Any]:
        """Send the request and return its answer."""
        return await self._open(
            Call(self.caller, operation, arguments, options, via_beta), operation.response == "sse"
        )

    paginate = call

    async def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncStreamedAPIResponse[Any]:
        """Send the request for a stream of events and return its answer."""
        return await self._open(Call(self.caller, operation, arguments, options, via_beta), True)

    async def _open(self, call: Call, streaming: bool) -> AsyncStreamedAPIResponse[Any]:
        answer: AsyncBinaryResponse = await self.caller.call(*call.unread(streaming=streaming))
        return AsyncStreamedAPIResponse[Any]._of(call, answer._body, streaming=streaming)


def rebound(resource: R, caller_class: Callable[[Any], Any]) -> R:
    """Return ``resource`` with its caller wrapped."""
    of_any_class: Any = resource
    bound: R = of_any_class.__class__(
        caller_class(of_any_class._caller), via_beta=of_any_class._via_beta
    )
    return bound


# The methods below are those of a rebound resource: only their types say what comes back now.


def raw_method(method: Callable[P, T]) -> Callable[P, APIResponse[T]]:
    """Return a method of a resource bound to :class:`RawCaller`, with the type it has there."""
    typed: Any = method
    return typed  # type: ignore[no-any-return]


def async_raw_method(
    method: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, AsyncAPIResponse[T]]]:
    """Return a method of a resource bound to :class:`AsyncRawCaller`; see :func:`raw_method`."""
    typed: Any = method
    return typed  # type: ignore[no-any-return]


def async_raw_list(
    method: Callable[P, AsyncPaginator[T]],
) -> Callable[P, Coroutine[Any, Any, AsyncAPIResponse[AsyncPage[T]]]]:
    """Return a method that lists; awaited, it gives the answer that holds the first page."""
    typed: Any = method
    return typed  # type: ignore[no-any-return]


def streamed_method(method: Callable[P, T]) -> Callable[P, StreamedResponseManager[T]]:
    """Return a method of a resource bound to :class:`StreamingCaller`; ``with`` calls it."""

    def streamed(*args: P.args, **kwargs: P.kwargs) -> StreamedResponseManager[T]:
        return StreamedResponseManager(lambda: method(*args, **kwargs))

    return streamed


def async_streamed_method(
    method: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, AsyncStreamedResponseManager[T]]:
    """Return a method of a resource bound to :class:`AsyncStreamingCaller`."""

    def streamed(*args: P.args, **kwargs: P.kwargs) -> AsyncStreamedResponseManager[T]:
        return AsyncStreamedResponseManager(lambda: method(*args, **kwargs))

    return streamed


def async_streamed_list(
    method: Callable[P, AsyncPaginator[T]],
) -> Callable[P, AsyncStreamedResponseManager[AsyncPage[T]]]:
    """Return a method that lists, bound to :class:`AsyncStreamingCaller`."""

    def streamed(*args: P.args, **kwargs: P.kwargs) -> AsyncStreamedResponseManager[AsyncPage[T]]:
        return AsyncStreamedResponseManager(lambda: method(*args, **kwargs))

    return streamed
