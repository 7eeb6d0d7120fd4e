"""The call that an answer belongs to: how it is sent, what it tells, how its body is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from .binary import AsyncOpenBody, OpenBody
    from .caller import RequestOptions
    from .meta import Meta, ResponseHeaders
    from .operation import Operation
    from .page import AsyncPage, Page

_ACCEPT = {
    "binary": "application/binary",
    "jsonl": "application/binary",
    "sse": "text/event-stream",
}


class Call:
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


class Facts:
    """What every answer tells, whatever is in it."""

    __slots__ = ("__weakref__", "_call", "_url", "meta")

    _call: Call
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


def charset_of(headers: Mapping[str, str]) -> str:
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


class ReadBody:
    """A body that has been read, for what reads one."""

    __slots__ = ("_content", "meta")

    meta: Meta

    def __init__(self, content: bytes, meta: Meta) -> None:
        self._content = content
        self.meta = meta

    def read(self) -> bytes:
        """Return all of it."""
        return self._content

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield it, in one piece."""
        yield self._content

    def close(self) -> None:
        """Do nothing: nothing is open."""


class AsyncReadBody:
    """Asynchronous twin of :class:`ReadBody`."""

    __slots__ = ("_content", "meta")

    meta: Meta

    def __init__(self, content: bytes, meta: Meta) -> None:
        self._content = content
        self.meta = meta

    async def read(self) -> bytes:
        """Return all of it."""
        return self._content

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield it, in one piece."""
        yield self._content

    async def close(self) -> None:
        """Do nothing: nothing is open."""


OPEN = frozenset(("binary", "jsonl"))
"""Answers whose result reads the body itself."""


def parsed(call: Call, body: OpenBody) -> Any:
    """Return what the method would have returned for ``body``, which may be unread."""
    kind = call.operation.response
    if kind == "binary":
        from .binary import BinaryResponse

        return BinaryResponse(body, bar=call.core.bar)
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


def async_opened(call: Call, body: AsyncOpenBody) -> Any:
    """Return the result that reads ``body`` itself, of an answer among :data:`OPEN`."""
    if call.operation.response == "binary":
        from .binary import AsyncBinaryResponse

        return AsyncBinaryResponse(body, bar=call.core.bar)
    from .stream import AsyncJSONLStream

    return call.lines(AsyncJSONLStream, body)


def async_whole(call: Call, content: bytes, meta: Meta) -> Any:
    """Return the result of any other answer: decoded, or a page."""
    if not call.operation.pagination:
        return call.whole(content, meta)
    from .page import AsyncPage

    async def fetch(following: dict[str, Any]) -> AsyncPage[Any]:
        page: AsyncPage[Any] = await call.core.paginate(
            call.operation, following, call.options, call.via_beta
        )
        return page

    return call.page(AsyncPage, fetch, content, meta)
