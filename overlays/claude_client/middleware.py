"""Code of the caller's that runs around every call and every attempt.

A middleware is any object with one or both of the methods of :class:`Middleware`; a plain
subclass overrides what it needs. The first of a client's middleware is the outermost. A call is
one answer: a list is one call for each of its pages. What ``proceed`` has returned and nobody
hands on, because a later try took its place or something raised, is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from typing_extensions import Self

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.meta import Meta
    from claude_rest._runtime.operation import Operation
    from claude_rest._runtime.request import PreparedRequest

    from .transports import AsyncResponse, Response

    ResultKind: TypeAlias = Literal["answer", "stream", "values", "page", "raw"]


class CallInfo:
    """One call, before it becomes a request. Immutable by convention: see :meth:`replace`."""

    __slots__ = ("arguments", "kind", "operation", "options", "via_beta")

    operation: Operation
    arguments: Mapping[str, Any]
    """Arguments by their Python names; ``UNSET`` or missing means not given."""
    options: RequestOptions
    via_beta: bool
    kind: ResultKind
    """What comes of it: the decoded answer, a stream of typed events, one of events as JSON
    values (``messages.stream``, which puts the message together itself), a page, or an answer
    that is not decoded."""

    def __init__(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
        kind: ResultKind = "answer",
    ) -> None:
        self.operation = operation
        self.arguments = arguments
        self.options = options
        self.via_beta = via_beta
        self.kind = kind

    def replace(
        self,
        *,
        arguments: Mapping[str, Any] | None = None,
        options: RequestOptions | None = None,
    ) -> Self:
        """Return a copy with other arguments or options, to be given to ``proceed``."""
        return type(self)(
            self.operation,
            self.arguments if arguments is None else arguments,
            self.options if options is None else options,
            self.via_beta,
            self.kind,
        )

    def __repr__(self) -> str:
        return f"CallInfo({self.operation.id!r}, kind={self.kind!r})"


class AttemptInfo:
    """One request about to be sent. Immutable by convention: see :meth:`replace`.

    The request has the credential in it; its ``repr`` shows neither that nor the body.
    """

    __slots__ = ("number", "operation", "request")

    operation: Operation
    request: PreparedRequest
    number: int
    """Number of the attempt, from 1."""

    def __init__(self, operation: Operation, request: PreparedRequest, number: int) -> None:
        self.operation = operation
        self.request = request
        self.number = number

    def replace(self, *, request: PreparedRequest) -> Self:
        """Return a copy with another request, such as ``request.with_headers({...})``."""
        return type(self)(self.operation, request, self.number)

    def __repr__(self) -> str:
        return f"AttemptInfo({self.operation.id!r}, number={self.number}, {self.request!r})"


class Middleware:
    """What runs around the calls of a synchronous client."""

    def around_call(self, call: CallInfo, proceed: Callable[[CallInfo], Any]) -> Any:
        """Return the result of the call, by default that of ``proceed(call)``.

        May change the call, call ``proceed`` not at all or more than once, and raise. Retries of
        the client happen inside ``proceed``. A stream is returned before it is read.
        """
        return proceed(call)

    def around_attempt(
        self, attempt: AttemptInfo, proceed: Callable[[AttemptInfo], Response]
    ) -> Response:
        """Return the response of one attempt, whatever its status; see :meth:`around_call`.

        ``proceed`` raises ``APIConnectionError`` when no response came. To answer without
        sending, or to look at a body and pass it on, return a :class:`ReadyResponse`. An
        ``APIError`` raised here is judged by the retry policy, anything else ends the call.
        """
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


class _Ready:
    __slots__ = ("content", "meta")

    meta: Meta
    content: bytes

    def __init__(
        self,
        content: bytes,
        meta: Meta | None = None,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Make a response of ``content``.

        ``meta`` is that of a response whose place it takes; without one, ``status_code`` and
        ``headers`` say what it is, which is JSON unless there is a ``content-type``.
        """
        if meta is None:
            from claude_rest._runtime.meta import Meta, ResponseHeaders

            named = {name.lower(): value for name, value in (headers or {}).items()}
            named.setdefault("content-type", "application/json")
            meta = Meta(status_code=status_code, headers=ResponseHeaders(named.items()))
        self.content = content
        self.meta = meta

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.content)} bytes, {self.meta!r})"


class ReadyResponse(_Ready):
    """A response whose body is here already, for a middleware that answers itself."""

    __slots__ = ()

    def read(self) -> bytes:
        """Return the body."""
        return self.content

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body in one piece."""
        yield self.content

    def close(self) -> None:
        """Do nothing: there is no connection."""


class AsyncReadyResponse(_Ready):
    """Asynchronous twin of :class:`ReadyResponse`."""

    __slots__ = ()

    async def read(self) -> bytes:
        """Return the body."""
        return self.content

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the body in one piece."""
        yield self.content

    async def close(self) -> None:
        """Do nothing: there is no connection."""


class Layers:
    """The methods of a client's middleware, those of the outermost first."""

    __slots__ = ("attempt", "call", "untraced")

    call: tuple[Any, ...]
    attempt: tuple[Any, ...]
    untraced: bool
    """Whether tracing comes around them once the process has set it up."""

    def __init__(self, middleware: Sequence[object], *, asynchronous: bool) -> None:
        """Raise ``TypeError`` for a middleware that is none, or one of the other kind."""
        base: type[Any] = AsyncMiddleware if asynchronous else Middleware
        self.untraced = False
        for each in middleware:
            _check(each, asynchronous)
        self.call = _methods(middleware, "around_call", base)
        self.attempt = _methods(middleware, "around_attempt", base)


def nested(layers: Sequence[Any], innermost: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return ``innermost`` with ``layers`` around it."""
    proceed = innermost
    for layer in reversed(layers):
        proceed = _around(layer, proceed)
    return proceed


def _around(layer: Any, proceed: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def around(info: Any) -> Any:
        return layer(info, proceed)

    return around


def superseded(opened: Sequence[Any], result: object) -> list[Any]:
    """Return what was opened and is not part of ``result``, which may wrap the last of them."""
    if any(each is result for each in opened):
        return [each for each in opened if each is not result]
    return list(opened if isinstance(result, _Ready) else opened[:-1])


def closable(result: object) -> bool:
    """Tell whether a result holds a response open, as streams and downloads do."""
    # Of the class: a model may have a field of this name.
    return callable(getattr(type(result), "close", None))


def check_response(response: Any) -> None:
    """Raise ``TypeError`` for what a middleware returned instead of a response."""
    if not hasattr(response, "meta"):
        raise TypeError(
            f"around_attempt of a middleware returned {type(response).__name__}, not a response"
        )


def _methods(middleware: Sequence[object], name: str, base: type[Any]) -> tuple[Any, ...]:
    inherited = getattr(base, name)
    return tuple(
        getattr(each, name)
        for each in middleware
        if hasattr(each, name) and getattr(type(each), name, None) is not inherited
    )


def _check(middleware: object, asynchronous: bool) -> None:
    methods = [
        method
        for name in ("around_call", "around_attempt")
        if (method := getattr(middleware, name, None)) is not None
    ]
    shown = type(middleware).__name__
    if isinstance(middleware, type):
        raise TypeError(f"the class {middleware.__name__} is no middleware; pass an instance of it")
    if not methods:
        raise TypeError(f"{shown} is no middleware: it has neither around_call nor around_attempt")
    if any(_is_asynchronous(method) is not asynchronous for method in methods):
        given, wanted, other = (
            ("synchronous", "async def", "AsyncClaude")
            if asynchronous
            else ("asynchronous", "plain", "Claude")
        )
        raise TypeError(
            f"{shown} is a middleware with {given} methods; {other} takes those with {wanted} ones"
        )


def _is_asynchronous(method: Any) -> bool:
    from inspect import iscoroutinefunction

    # An object that is called, such as a decorator that is a class, tells by its own method.
    return iscoroutinefunction(method) or iscoroutinefunction(type(method).__call__)
