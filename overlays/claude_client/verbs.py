"""Calls to endpoints that have no method of their own: ``client.get``, ``client.post`` and so on.

An operation is made up for the call, which then goes the way of every other one: the same headers,
retries, limits and errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from claude_rest._runtime.errors import PathSegmentError
from claude_rest._runtime.operation import Operation
from claude_rest._runtime.raw_response import (
    AsyncRawCaller,
    AsyncStreamingCaller,
    RawCaller,
    StreamingCaller,
    async_streamed_method,
    streamed_method,
)
from claude_rest._runtime.struct import Struct
from claude_rest.raw_responses import (
    AsyncResourcesWithRawResponse,
    AsyncResourcesWithStreamingResponse,
    ResourcesWithRawResponse,
    ResourcesWithStreamingResponse,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from typing_extensions import Unpack

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.multipart import FileInput
    from claude_rest._runtime.raw_response import (
        APIResponse,
        AsyncAPIResponse,
        AsyncStreamedResponseManager,
        StreamedResponseManager,
    )
    from claude_rest._runtime.stream import AsyncStream, Stream
    from claude_rest.client import AsyncResources, Resources

RetryClass = Literal["safe", "billable", "mutating"]

S = TypeVar("S", bound=Struct)

if TYPE_CHECKING:
    # Written out: mypy loses the type variable of an overload when it goes through a ParamSpec.

    class VerbArguments(RequestOptions, total=False):
        """What the HTTP methods take besides a path; see :meth:`Verb.__call__`."""

        body: Mapping[str, Any] | Struct | None
        query: Mapping[str, object] | None
        files: Mapping[str, FileInput | list[FileInput]] | None
        retry: RetryClass | None

    class RawVerb(Protocol):
        """An HTTP method of ``client.with_raw_response``."""

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: None = None,
            stream: bool = False,
            **arguments: Unpack[VerbArguments],
        ) -> APIResponse[Any]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[False] = False,
            **arguments: Unpack[VerbArguments],
        ) -> APIResponse[S]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[True],
            **arguments: Unpack[VerbArguments],
        ) -> APIResponse[Stream[S]]: ...

    class AsyncRawVerb(Protocol):
        """Asynchronous twin of :class:`RawVerb`."""

        @overload
        async def __call__(
            self,
            path: str,
            *,
            cast_to: None = None,
            stream: bool = False,
            **arguments: Unpack[VerbArguments],
        ) -> AsyncAPIResponse[Any]: ...

        @overload
        async def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[False] = False,
            **arguments: Unpack[VerbArguments],
        ) -> AsyncAPIResponse[S]: ...

        @overload
        async def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[True],
            **arguments: Unpack[VerbArguments],
        ) -> AsyncAPIResponse[AsyncStream[S]]: ...

    class StreamedVerb(Protocol):
        """An HTTP method of ``client.with_streaming_response``."""

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: None = None,
            stream: bool = False,
            **arguments: Unpack[VerbArguments],
        ) -> StreamedResponseManager[Any]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[False] = False,
            **arguments: Unpack[VerbArguments],
        ) -> StreamedResponseManager[S]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[True],
            **arguments: Unpack[VerbArguments],
        ) -> StreamedResponseManager[Stream[S]]: ...

    class AsyncStreamedVerb(Protocol):
        """Asynchronous twin of :class:`StreamedVerb`."""

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: None = None,
            stream: bool = False,
            **arguments: Unpack[VerbArguments],
        ) -> AsyncStreamedResponseManager[Any]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[False] = False,
            **arguments: Unpack[VerbArguments],
        ) -> AsyncStreamedResponseManager[S]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[True],
            **arguments: Unpack[VerbArguments],
        ) -> AsyncStreamedResponseManager[AsyncStream[S]]: ...


_KEPT = "/%:@!$&'()*+,;="


def checked_path(path: str) -> str:
    """Return ``path`` as it is sent, below the base URL.

    What is percent-encoded stays so, other characters are encoded. Raises
    :class:`~.errors.PathSegmentError` for what is no path below the base URL: credentials go
    nowhere else.
    """
    from urllib.parse import quote, unquote

    problem: str | None = None
    if not path.strip("/"):
        problem = "is empty"
    elif "://" in path or path.startswith("//"):
        problem = "is a URL; only paths below the base URL can be asked for"
    elif "?" in path or "#" in path:
        problem = "has a query or a fragment in it; pass parameters as query="
    elif not path.isprintable() or path != path.strip():
        problem = "has control characters in it, or spaces around it"
    else:
        text, decoded = path, unquote(path)
        while decoded != text:
            text, decoded = decoded, unquote(decoded)
        # What is encoded once more than once is decoded as often by some server on the way.
        pieces = text.replace("\\", "/").split("/")
        if any(piece.partition(";")[0].strip() in (".", "..") for piece in pieces):
            problem = "has a part . or .. in it"
        elif text.startswith("//") or "\\" in path or not text.isprintable():
            problem = "has characters in it that change where it leads"
    if problem is not None:
        raise PathSegmentError(f"the path {path!r} {problem}")
    return quote(path if path.startswith("/") else f"/{path}", safe=_KEPT)


def ad_hoc_operation(
    method: str,
    path: str,
    *,
    body: Mapping[str, Any] | Struct | None = None,
    files: Mapping[str, FileInput | list[FileInput]] | None = None,
    cast_to: type[Struct] | None = None,
    stream: bool = False,
    retry: RetryClass | None = None,
) -> tuple[Operation, dict[str, Any]]:
    """Return an operation for one call, and its arguments.

    Raises :class:`~.errors.PathSegmentError`, and ``TypeError`` for a body that is no object and
    for a type that is none of this API's.
    """
    path = checked_path(path)
    if method == "GET" and (body is not None or files):
        raise TypeError("a GET request has no body; pass parameters as query=")
    fields: Any = body.to_dict() if isinstance(body, Struct) else body
    if fields is not None and not hasattr(fields, "keys"):
        raise TypeError(f"body is {type(body).__name__}, where a JSON object is expected")
    arguments: dict[str, Any] = {**(fields or {}), **(files or {})}
    kind: Literal["json", "multipart"] | None = None if fields is None else "json"
    if retry is None:
        retry = "safe" if method == "GET" else "mutating"
    component = None if cast_to is None else _component(cast_to)
    operation = Operation(
        f"{method} {path}",
        operation_id=f"{method} {path}",
        method=method,
        path=path,
        body="multipart" if files else kind,
        body_fields=tuple(arguments),
        file_fields=tuple(files or ()),
        response="sse" if stream else "json",
        response_type=None if stream else component,
        event_type=component if stream else None,
        retry=retry,
    )
    return operation, arguments


def _component(cast_to: Any) -> str:
    from claude_rest import models

    name = getattr(cast_to, "__name__", "")
    if name not in models.__all__ or getattr(models, name) is not cast_to:
        raise TypeError(f"cast_to is {cast_to!r}, which is no response model of the API")
    return str(name)


class _Verb:
    """An HTTP method of a client."""

    __slots__ = ("_caller", "_method")

    _method: str

    def __init__(self, caller: Any, method: str) -> None:
        self._caller = caller
        self._method = method

    @property
    def __name__(self) -> str:
        return self._method.lower()

    def _called(
        self,
        path: str,
        query: Mapping[str, object] | None,
        options: RequestOptions,
        **facts: Any,
    ) -> Any:
        operation, arguments = ad_hoc_operation(self._method, path, **facts)
        if query:
            given: Any = {**query, **(options.get("extra_query") or {})}
            options = {**options, "extra_query": given}
        send = self._caller.stream if facts["stream"] else self._caller.call
        return send(operation, arguments, options, False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._method})"


class Verb(_Verb):
    """One of ``client.get``, ``client.post``, ``client.put``, ``client.patch``, ``client.delete``.

    For endpoints that have no method of their own; for all others, that is the better choice.
    """

    __slots__ = ()

    @overload
    def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: None = None,
        stream: Literal[False] = False,
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> Any: ...

    @overload
    def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: type[S],
        stream: Literal[False] = False,
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> S: ...

    @overload
    def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: None = None,
        stream: Literal[True],
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> Stream[Any]: ...

    @overload
    def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: type[S],
        stream: Literal[True],
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> Stream[S]: ...

    def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: type[Struct] | None = None,
        stream: bool = False,
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> Any:
        """Send a request and return the JSON value of its answer, ``None`` for an empty one.

        Args:
            path: Path below the base URL, such as ``/v1/things/thing_1``. Never a whole URL.
            body: Fields of the JSON body; with ``files``, of the form.
            query: Query parameters.
            files: Files of a form, by field; a name that ends in ``[]`` takes a list.
            cast_to: Response model of ``claude_client.types`` to decode the answer, or each event
                of a stream, into.
            stream: Whether the answer is a stream of events. What asks the endpoint for one, such
                as a field ``stream``, belongs into ``body``.
            retry: How far repeating the request can do harm. Default: ``safe`` for GET, else
                ``mutating``, which repeats only what the server refused or never got.
            options: See ``RequestOptions``.
        """
        return self._called(
            path,
            query,
            options,
            body=body,
            files=files,
            cast_to=cast_to,
            stream=stream,
            retry=retry,
        )


class AsyncVerb(_Verb):
    """Asynchronous twin of :class:`Verb`."""

    __slots__ = ()

    @overload
    async def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: None = None,
        stream: Literal[False] = False,
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> Any: ...

    @overload
    async def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: type[S],
        stream: Literal[False] = False,
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> S: ...

    @overload
    async def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: None = None,
        stream: Literal[True],
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncStream[Any]: ...

    @overload
    async def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: type[S],
        stream: Literal[True],
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> AsyncStream[S]: ...

    async def __call__(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | Struct | None = None,
        query: Mapping[str, object] | None = None,
        files: Mapping[str, FileInput | list[FileInput]] | None = None,
        cast_to: type[Struct] | None = None,
        stream: bool = False,
        retry: RetryClass | None = None,
        **options: Unpack[RequestOptions],
    ) -> Any:
        """Send a request; see :meth:`Verb.__call__`."""
        return await self._called(
            path,
            query,
            options,
            body=body,
            files=files,
            cast_to=cast_to,
            stream=stream,
            retry=retry,
        )


class ClientWithRawResponse(ResourcesWithRawResponse):
    """``client.with_raw_response``: every resource, and the HTTP methods."""

    def __init__(self, resources: Resources, caller: Any) -> None:
        """Take the resources, and what carries the calls out."""
        super().__init__(resources)
        bound = RawCaller(caller)

        def verb(method: str) -> Any:
            return Verb(bound, method)

        self.get: RawVerb = verb("GET")
        self.post: RawVerb = verb("POST")
        self.put: RawVerb = verb("PUT")
        self.patch: RawVerb = verb("PATCH")
        self.delete: RawVerb = verb("DELETE")


class ClientWithStreamingResponse(ResourcesWithStreamingResponse):
    """``client.with_streaming_response``: every resource, and the HTTP methods."""

    def __init__(self, resources: Resources, caller: Any) -> None:
        """Take the resources, and what carries the calls out."""
        super().__init__(resources)
        bound = StreamingCaller(caller)

        def verb(method: str) -> Any:
            sent: Any = Verb(bound, method)
            return streamed_method(sent)

        self.get: StreamedVerb = verb("GET")
        self.post: StreamedVerb = verb("POST")
        self.put: StreamedVerb = verb("PUT")
        self.patch: StreamedVerb = verb("PATCH")
        self.delete: StreamedVerb = verb("DELETE")


class AsyncClientWithRawResponse(AsyncResourcesWithRawResponse):
    """``client.with_raw_response``: every resource, and the HTTP methods."""

    def __init__(self, resources: AsyncResources, caller: Any) -> None:
        """Take the resources, and what carries the calls out."""
        super().__init__(resources)
        bound = AsyncRawCaller(caller)

        def verb(method: str) -> Any:
            return AsyncVerb(bound, method)

        self.get: AsyncRawVerb = verb("GET")
        self.post: AsyncRawVerb = verb("POST")
        self.put: AsyncRawVerb = verb("PUT")
        self.patch: AsyncRawVerb = verb("PATCH")
        self.delete: AsyncRawVerb = verb("DELETE")


class AsyncClientWithStreamingResponse(AsyncResourcesWithStreamingResponse):
    """``client.with_streaming_response``: every resource, and the HTTP methods."""

    def __init__(self, resources: AsyncResources, caller: Any) -> None:
        """Take the resources, and what carries the calls out."""
        super().__init__(resources)
        bound = AsyncStreamingCaller(caller)

        def verb(method: str) -> Any:
            sent: Any = AsyncVerb(bound, method)
            return async_streamed_method(sent)

        self.get: AsyncStreamedVerb = verb("GET")
        self.post: AsyncStreamedVerb = verb("POST")
        self.put: AsyncStreamedVerb = verb("PUT")
        self.patch: AsyncStreamedVerb = verb("PATCH")
        self.delete: AsyncStreamedVerb = verb("DELETE")
