"""Answers with their headers and bytes: ``with_raw_response`` and ``with_streaming_response``.

Both send like every other call, with its retries, flags and errors, and differ in what they hand
back. The methods are those of the resource itself, bound to a caller that wraps the one there is,
a :class:`~.client.ClientCore`: :class:`RawCaller` reads the body and leaves it undecoded,
:class:`StreamingCaller` does not read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from .errors import ClaudeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from .binary import AsyncBinaryResponse, AsyncOpenBody, BinaryResponse, OpenBody
    from .caller import RequestOptions
    from .meta import Meta, ResponseHeaders
    from .operation import Operation
    from .page import AsyncPage, AsyncPaginator, Page

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")

_ACCEPT = {
    "binary": "application/binary",
    "jsonl": "application/binary",
    "sse": "text/event-stream",
}


class RawAnswer:
    """A whole answer before it is decoded: what a call of a ``raw`` operation returns."""

    __slots__ = ("content", "meta")

    content: bytes
    meta: Meta

    def __init__(self, content: bytes, meta: Meta) -> None:
        """Keep the body and the metadata."""
        self.content = content
        self.meta = meta


class _Call:
    """The call that an answer belongs to, and what decodes it."""

    __slots__ = ("arguments", "core", "operation", "options", "via_beta")

    def __init__(
        self,
        core: Any,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool,
    ) -> None:
        self.core = core
        self.operation = operation
        self.arguments = arguments
        self.options = options
        self.via_beta = via_beta

    def raw(self) -> tuple[Any, ...]:
        """Return the arguments of a call that reads the answer and leaves it undecoded."""
        return self._sent_as("raw", self.operation.response)

    def unread(self, *, streaming: bool) -> tuple[Any, ...]:
        """Return the arguments of a call that leaves the answer unread."""
        return self._sent_as("binary", "sse" if streaming else self.operation.response)

    def _sent_as(self, response: Any, expected: str) -> tuple[Any, ...]:
        # Without its stream argument an operation is never sent as a stream of events: what the
        # caller gets is the answer of the server, in one piece.
        operation = self.operation.replace(response=response, stream_argument=None)
        options: Any = dict(self.options)
        if self.operation.stream_argument is not None:
            options["auto_stream"] = False
        headers: dict[str, Any] = options.get("extra_headers") or {}
        if not any(name.lower() == "accept" for name in headers):
            accept = _ACCEPT.get(expected, "application/json")
            options["extra_headers"] = {"accept": accept, **headers}
        return operation, self.arguments, options, self.via_beta

    def url(self) -> str:
        """Return where the request went."""
        from .request import visible_url

        # Without its body, which is of no account here and may be large.
        operation = self.operation.replace(
            body=None, body_fields=(), request_type=None, stream_argument=None, betas=()
        )
        names = {parameter.name for parameter in operation.parameters}
        arguments = {name: value for name, value in self.arguments.items() if name in names}
        options: Any = {**self.options, "extra_body": None}
        request = self.core.prepare(operation, arguments, options, self.via_beta)
        return visible_url(request.url)

    def whole(self, content: bytes, meta: Meta) -> Any:
        """Return a JSON answer decoded."""
        return self.core._decode(self.operation, content, meta)

    def page(self, page_class: Any, fetch: Any, content: bytes, meta: Meta) -> Any:
        """Return an answer as a page."""
        operation = self.operation
        body, items = self.core._page_parts(operation, content, meta)
        return page_class(
            body,
            items,
            styles=operation.pagination,
            arguments=self.arguments,
            fetch=fetch,
            operation=operation.id,
            meta=meta,
        )

    def lines(self, stream_class: Any, body: Any) -> Any:
        """Return an answer as a stream of lines."""
        return stream_class(
            body.iter_bytes(),
            self.core._decode_item(self.operation.response_type),
            meta=body.meta,
            close=body.close,
            operation=self.operation.id,
        )

    def events(self, stream_class: Any, body: Any) -> Any:
        """Return an answer as a stream of events."""
        from .stream import TERMINAL_EVENTS

        operation = self.operation
        more: Any = {"include_pings": True} if self.options.get("include_pings") else {}
        return stream_class(
            body.iter_bytes(),
            self.core._decode_item(operation.event_type),
            meta=body.meta,
            close=body.close,
            terminal=TERMINAL_EVENTS.get(operation.event_type or "", ()),
            operation=operation.id,
            code_classes=self.core._error_class,
            **more,
        )


class _Facts:
    """What every answer tells, whatever is in it."""

    __slots__ = ("__weakref__", "_call", "_url", "meta")

    _call: _Call
    _url: str
    meta: Meta
    """Metadata of the response, rate limits and timing included."""

    @property
    def headers(self) -> ResponseHeaders:
        """Headers of the response."""
        return self.meta.headers

    @property
    def status_code(self) -> int:
        """HTTP status."""
        return self.meta.status_code

    @property
    def request_id(self) -> str | None:
        """Id of the request; quote it when asking for help."""
        return self.meta.request_id

    @property
    def http_version(self) -> str:
        """``HTTP/1.1`` or ``HTTP/2``."""
        return self.meta.http_version

    @property
    def elapsed(self) -> float:
        """Seconds from sending the last attempt to the end of its headers."""
        return self.meta.elapsed

    @property
    def retries_taken(self) -> int:
        """Attempts that failed before this answer came."""
        return self.meta.attempts - 1

    @property
    def method(self) -> str:
        """Method of the request."""
        return self._call.operation.method

    @property
    def url(self) -> str:
        """Where the request went. Without user name and password; keys in its query are hidden."""
        if not hasattr(self, "_url"):
            self._url = self._call.url()
        return self._url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._call.operation.id}, {self.meta!r})"


class _ReadAnswer(_Facts, Generic[T]):
    """An answer that is here as a whole, or an open stream of events."""

    __slots__ = ("_content", "_result")

    _content: bytes | None
    _result: T

    @property
    def content(self) -> bytes:
        """The body, decompressed. Raises :class:`ClaudeError` for an open stream of events."""
        if self._content is None:
            raise ClaudeError(
                f"{self._call.operation.id}: the answer is an open stream; parse() returns it"
            )
        return self._content

    def text(self) -> str:
        """Return the body as text, in the encoding it says, or UTF-8."""
        return self.content.decode(_charset(self.headers), "replace")

    def json(self) -> Any:
        """Return the body as a JSON value. Raises ``DecodeError`` when it is none."""
        from .codec import loads

        return loads(self.content)


class APIResponse(_ReadAnswer[T]):
    """An answer of ``with_raw_response``: what :meth:`parse` returns, and all around it.

    The body has been read, unless it is a stream of events: :meth:`parse` returns that open.
    """

    __slots__ = ()

    @classmethod
    def _of(cls, call: _Call, answer: RawAnswer) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._content = call, answer.meta, answer.content
        return response

    @classmethod
    def _of_stream(cls, call: _Call, stream: Any) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._content = call, stream.meta, None
        response._result = stream
        return response

    def parse(self) -> T:
        """Return what the method itself would have: a model, a page, a stream.

        Decodes the first time, and returns the same object from then on. Raises what the method
        would have raised for a body that is not what it should be.
        """
        if not hasattr(self, "_result"):
            self._result = _parsed(self._call, _ReadBody(self.content, self.meta))
        return self._result


class AsyncAPIResponse(_ReadAnswer[T]):
    """Asynchronous twin of :class:`APIResponse`.

    Nothing of it is awaited: there is nothing left to wait for once the call has returned it.
    """

    __slots__ = ()

    @classmethod
    def _of(cls, call: _Call, answer: RawAnswer) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._content = call, answer.meta, answer.content
        return response

    @classmethod
    def _of_stream(cls, call: _Call, stream: Any) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._content = call, stream.meta, None
        response._result = stream
        return response

    def parse(self) -> T:
        """Return what the method itself would have; see :meth:`APIResponse.parse`."""
        if not hasattr(self, "_result"):
            call, meta = self._call, self.meta
            if call.operation.response in _OPEN:
                self._result = _async_opened(call, _AsyncReadBody(self.content, meta))
            else:
                self._result = _async_whole(call, self.content, meta)
        return self._result


class _ReadBody:
    """A body that has been read, for what reads one."""

    __slots__ = ("_content", "meta")

    meta: Meta

    def __init__(self, content: bytes, meta: Meta) -> None:
        self._content = content
        self.meta = meta

    def read(self) -> bytes:
        return self._content

    def iter_bytes(self) -> Iterator[bytes]:
        yield self._content

    def close(self) -> None:
        pass


class _AsyncReadBody:
    """Asynchronous twin of :class:`_ReadBody`."""

    __slots__ = ("_content", "meta")

    meta: Meta

    def __init__(self, content: bytes, meta: Meta) -> None:
        self._content = content
        self.meta = meta

    async def read(self) -> bytes:
        return self._content

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        yield self._content

    async def close(self) -> None:
        pass


_OPEN = frozenset(("binary", "jsonl"))
"""Answers whose result reads the body itself."""


def _parsed(call: _Call, body: OpenBody) -> Any:
    """Return what the method would have returned for ``body``, which may be unread."""
    kind = call.operation.response
    if kind == "binary":
        from .binary import BinaryResponse

        return BinaryResponse(body)
    if kind == "jsonl":
        from .stream import JSONLStream

        return call.lines(JSONLStream, body)
    content = body.read()
    if not call.operation.pagination:
        return call.whole(content, body.meta)
    from .page import Page

    def fetch(following: dict[str, Any]) -> Page[Any]:
        page: Page[Any] = call.core.paginate(call.operation, following, call.options, call.via_beta)
        return page

    return call.page(Page, fetch, content, body.meta)


def _async_opened(call: _Call, body: AsyncOpenBody) -> Any:
    if call.operation.response == "binary":
        from .binary import AsyncBinaryResponse

        return AsyncBinaryResponse(body)
    from .stream import AsyncJSONLStream

    return call.lines(AsyncJSONLStream, body)


def _async_whole(call: _Call, content: bytes, meta: Meta) -> Any:
    if not call.operation.pagination:
        return call.whole(content, meta)
    from .page import AsyncPage

    async def fetch(following: dict[str, Any]) -> AsyncPage[Any]:
        page: AsyncPage[Any] = await call.core.paginate(
            call.operation, following, call.options, call.via_beta
        )
        return page

    return call.page(AsyncPage, fetch, content, meta)


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
        call = _Call(self.caller, operation, arguments, options, via_beta)
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
        call = _Call(self.caller, operation, arguments, options, via_beta)
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
        call = _Call(self.caller, operation, arguments, options, via_beta)
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
        call = _Call(self.caller, operation, arguments, options, via_beta)
        stream = await self.caller.stream(operation, arguments, options, via_beta)
        return AsyncAPIResponse[Any]._of_stream(call, stream)


class _LineSplitter:
    """Makes lines of pieces of text. They end at LF, CR or CRLF, and nowhere else."""

    __slots__ = ("_decoder", "_pending")

    def __init__(self, charset: str) -> None:
        from codecs import getincrementaldecoder
        from io import IncrementalNewlineDecoder

        # Turns every line end into LF, also one that two pieces share.
        self._decoder = IncrementalNewlineDecoder(
            getincrementaldecoder(charset)("replace"), translate=True
        )
        self._pending: list[str] = []

    def feed(self, chunk: bytes, *, final: bool = False) -> list[str]:
        # Typed as taking text, which is what it takes when nothing stands between it and a file.
        data: Any = chunk
        lines = self._decoder.decode(data, final).split("\n")
        self._pending.append(lines[0])
        if len(lines) > 1:
            lines[0] = "".join(self._pending)
            self._pending = [lines.pop()]
            return lines
        return []

    def finish(self) -> list[str]:
        lines = self.feed(b"", final=True)
        rest = "".join(self._pending)
        return [*lines, rest] if rest else lines


def _charset(headers: Mapping[str, str]) -> str:
    """Return the encoding that a content type names, else UTF-8."""
    for parameter in headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            import codecs

            charset = value.strip(" \t\"'")
            try:
                # Some codecs make bytes of bytes; they are no encodings of text.
                codecs.lookup(charset)
                b"x".decode(charset, "replace")
            except (LookupError, ValueError):
                break
            return charset
    return "utf-8"


class _UnreadAnswer(_Facts, Generic[T]):
    """An answer whose body is read when it is asked for, once."""

    __slots__ = ("_content", "_result", "_started", "_streaming")

    _content: bytes
    _result: T
    _started: bool
    _streaming: bool

    def _start(self) -> None:
        if self._started:
            raise ClaudeError(
                f"{self._call.operation.id}: the body has been read already, or is being read"
            )
        self._started = True


class StreamedAPIResponse(_UnreadAnswer[T]):
    """An answer of ``with_streaming_response``: the headers are here, the body is not read yet.

    It can be read once: in pieces, or as a whole, which is then kept. Reading raises
    :class:`APIConnectionError` when the connection breaks.
    """

    __slots__ = ("_body",)

    _body: OpenBody

    @classmethod
    def _of(cls, call: _Call, body: OpenBody, *, streaming: bool) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._body = call, body.meta, body
        response._started, response._streaming = False, streaming
        return response

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body in the pieces it arrives in, decompressed."""
        content = getattr(self, "_content", None)
        if content is not None:
            yield content
            return
        self._start()
        try:
            yield from self._body.iter_bytes()
        finally:
            self.close()

    def iter_text(self) -> Iterator[str]:
        """Yield the body as text, in pieces; a character is never cut."""
        from codecs import getincrementaldecoder

        decoder = getincrementaldecoder(_charset(self.headers))("replace")
        for chunk in self.iter_bytes():
            if text := decoder.decode(chunk):
                yield text
        if text := decoder.decode(b"", True):
            yield text

    def iter_lines(self) -> Iterator[str]:
        """Yield the body line by line, without line ends: LF, CR or CRLF."""
        splitter = _LineSplitter(_charset(self.headers))
        for chunk in self.iter_bytes():
            yield from splitter.feed(chunk)
        yield from splitter.finish()

    def read(self) -> bytes:
        """Return the whole body, and keep it."""
        if not hasattr(self, "_content"):
            self._start()
            self._content = self._body.read()
        return self._content

    def text(self) -> str:
        """Read the body and return it as text."""
        return self.read().decode(_charset(self.headers), "replace")

    def json(self) -> Any:
        """Read the body and return it as a JSON value. Raises ``DecodeError`` when it is none."""
        from .codec import loads

        return loads(self.read())

    def parse(self) -> T:
        """Return what the method itself would have; see :meth:`APIResponse.parse`.

        What is read piece by piece, such as a stream of events or a file, is open then, and ends
        with the ``with`` block.
        """
        if not hasattr(self, "_result"):
            self._result = self._parsed()
        return self._result

    def _parsed(self) -> Any:
        call = self._call
        body: Any = self._body
        if hasattr(self, "_content"):
            body = _ReadBody(self._content, self.meta)
        elif self._streaming or call.operation.response in _OPEN:
            self._start()
        else:
            body = _ReadBody(self.read(), self.meta)
        if not self._streaming:
            return _parsed(call, body)
        from .client import is_event_stream
        from .stream import Stream

        if not is_event_stream(self.meta):
            raise call.core._no_event_stream(call.operation, body.read(), self.meta)
        return call.events(Stream, body)

    def close(self) -> None:
        """Close the answer, read or not. Safe to call more than once."""
        self._body.close()


class AsyncStreamedAPIResponse(_UnreadAnswer[T]):
    """Asynchronous twin of :class:`StreamedAPIResponse`; what reads the body is awaited."""

    __slots__ = ("_body",)

    _body: AsyncOpenBody

    @classmethod
    def _of(cls, call: _Call, body: AsyncOpenBody, *, streaming: bool) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._body = call, body.meta, body
        response._started, response._streaming = False, streaming
        return response

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the body in the pieces it arrives in, decompressed."""
        content = getattr(self, "_content", None)
        if content is not None:
            yield content
            return
        self._start()
        try:
            async for chunk in self._body.iter_bytes():
                yield chunk
        finally:
            await self.close()

    async def iter_text(self) -> AsyncIterator[str]:
        """Yield the body as text, in pieces; a character is never cut."""
        from codecs import getincrementaldecoder

        decoder = getincrementaldecoder(_charset(self.headers))("replace")
        async for chunk in self.iter_bytes():
            if text := decoder.decode(chunk):
                yield text
        if text := decoder.decode(b"", True):
            yield text

    async def iter_lines(self) -> AsyncIterator[str]:
        """Yield the body line by line, without line ends: LF, CR or CRLF."""
        splitter = _LineSplitter(_charset(self.headers))
        async for chunk in self.iter_bytes():
            for line in splitter.feed(chunk):
                yield line
        for line in splitter.finish():
            yield line

    async def read(self) -> bytes:
        """Return the whole body, and keep it."""
        if not hasattr(self, "_content"):
            self._start()
            self._content = await self._body.read()
        return self._content

    async def text(self) -> str:
        """Read the body and return it as text."""
        return (await self.read()).decode(_charset(self.headers), "replace")

    async def json(self) -> Any:
        """Read the body and return it as a JSON value. Raises ``DecodeError`` when it is none."""
        from .codec import loads

        return loads(await self.read())

    async def parse(self) -> T:
        """Return what the method itself would have; see :meth:`StreamedAPIResponse.parse`."""
        if not hasattr(self, "_result"):
            self._result = await self._parsed()
        return self._result

    async def _parsed(self) -> Any:
        call = self._call
        is_open = self._streaming or call.operation.response in _OPEN
        if not is_open:
            return _async_whole(call, await self.read(), self.meta)
        body: Any = self._body
        if hasattr(self, "_content"):
            body = _AsyncReadBody(self._content, self.meta)
        else:
            self._start()
        if not self._streaming:
            return _async_opened(call, body)
        from .client import is_event_stream
        from .stream import AsyncStream

        if not is_event_stream(self.meta):
            raise call.core._no_event_stream(call.operation, await body.read(), self.meta)
        return call.events(AsyncStream, body)

    async def close(self) -> None:
        """Close the answer, read or not. Safe to call more than once."""
        await self._body.close()


class StreamedResponseManager(Generic[T]):
    """What ``with_streaming_response`` returns: the ``with`` statement sends, and closes."""

    __slots__ = ("__weakref__", "_response", "_send")

    _response: StreamedAPIResponse[T]

    def __init__(self, send: Callable[[], Any]) -> None:
        """Take what sends the request and returns its answer."""
        self._send = send

    def __enter__(self) -> StreamedAPIResponse[T]:
        self._response = self._send()
        return self._response

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._response.close()


class AsyncStreamedResponseManager(Generic[T]):
    """Asynchronous twin of :class:`StreamedResponseManager`."""

    __slots__ = ("__weakref__", "_response", "_send")

    _response: AsyncStreamedAPIResponse[T]

    def __init__(self, send: Callable[[], Any]) -> None:
        """Take what sends the request and, awaited, returns its answer."""
        self._send = send

    async def __aenter__(self) -> AsyncStreamedAPIResponse[T]:
        self._response = await self._send()
        return self._response

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._response.close()


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
            _Call(self.caller, operation, arguments, options, via_beta), operation.response == "sse"
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
        return self._open(_Call(self.caller, operation, arguments, options, via_beta), True)

    def _open(self, call: _Call, streaming: bool) -> StreamedAPIResponse[Any]:
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
            _Call(self.caller, operation, arguments, options, via_beta), operation.response == "sse"
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
        return await self._open(_Call(self.caller, operation, arguments, options, via_beta), True)

    async def _open(self, call: _Call, streaming: bool) -> AsyncStreamedAPIResponse[Any]:
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
