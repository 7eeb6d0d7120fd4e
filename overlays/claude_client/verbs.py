"""Calls to endpoints that have no method of their own: ``client.get``, ``client.post`` and so on.

An operation is made up for the call, which then goes the way of every other one: the same headers,
retries, limits and errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from claude_rest._runtime.errors import PathSegmentError
from claude_rest._runtime.operation import Operation
from claude_rest._runtime.struct import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Unpack

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.multipart import FileInput
    from claude_rest._runtime.stream import AsyncStream, Stream

RetryClass = Literal["safe", "billable", "mutating"]

S = TypeVar("S", bound=Struct)

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
