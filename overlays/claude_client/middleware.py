"""Code of the caller's that runs around every call and every attempt.

A middleware is any object with one or both of the methods of :class:`Middleware`; a plain
subclass overrides what it needs. The first of a client's middleware is the outermost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.operation import Operation
    from claude_rest._runtime.request import PreparedRequest

    from .transports import AsyncResponse, Response


class CallInfo:
    """One call, before it becomes a request."""

    __slots__ = ("arguments", "operation", "options", "via_beta")

    operation: Operation
    arguments: Mapping[str, Any]
    """Arguments by their Python names."""
    options: RequestOptions
    via_beta: bool

    def __init__(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> None:
        self.operation = operation
        self.arguments = arguments
        self.options = options
        self.via_beta = via_beta

    def __repr__(self) -> str:
        return f"CallInfo({self.operation.id!r})"


class AttemptInfo:
    """One request about to be sent."""

    __slots__ = ("number", "operation", "request")

    operation: Operation
    request: PreparedRequest
    number: int
    """Number of the attempt, from 1."""

    def __init__(self, operation: Operation, request: PreparedRequest, number: int) -> None:
        self.operation = operation
        self.request = request
        self.number = number

    def __repr__(self) -> str:
        return f"AttemptInfo({self.operation.id!r}, number={self.number})"


class Middleware:
    """What runs around the calls of a synchronous client."""

    def around_call(self, call: CallInfo, proceed: Callable[[CallInfo], Any]) -> Any:
        """Return the result of the call, by default that of ``proceed(call)``.

        May change the call, call ``proceed`` not at all or more than once, and raise.
        """
        return proceed(call)

    def around_attempt(
        self, attempt: AttemptInfo, proceed: Callable[[AttemptInfo], Response]
    ) -> Response:
        """Return the response of one attempt, whatever its status; see :meth:`around_call`."""
        return proceed(attempt)


class AsyncMiddleware:
    """Asynchronous twin of :class:`Middleware`."""

    async def around_call(
        self, call: CallInfo, proceed: Callable[[CallInfo], Awaitable[Any]]
    ) -> Any:
        """Return the result of the call; see :meth:`Middleware.around_call`."""
        return await proceed(call)

    async def around_attempt(
        self, attempt: AttemptInfo, proceed: Callable[[AttemptInfo], Awaitable[AsyncResponse]]
    ) -> AsyncResponse:
        """Return the response of one attempt; see :meth:`Middleware.around_attempt`."""
        return await proceed(attempt)
