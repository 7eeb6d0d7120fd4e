"""The low-level client: one call, one request, decoded.

Everything it decides is in :class:`ClientCore`, without I/O; :class:`BaseClient` and
:class:`BaseAsyncClient` only send and wait. The generated package subclasses them and says where
its decoders are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    error_from_event,
    error_from_response,
    origin_of,
)
from .request import (
    authorize,
    build_request,
    check_base_url,
    check_headers,
    operation_betas,
    split_userinfo,
    unite_betas,
)
from .send import AsyncSender, Sender
from .unset import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import ClassVar

    import httpx
    from typing_extensions import Self

    from .caller import RequestOptions
    from .errors import APIError
    from .meta import Meta
    from .operation import Operation
    from .page import AsyncPage, AsyncPaginator, Page
    from .request import PreparedRequest
    from .send import AsyncRawResponse, RawResponse
    from .stream import AsyncStream, Stream
    from .timeouts import Timeout
    from .unset import Unset


class ClientCore:
    """Settings of a client, and all that happens to a call before and after the network."""

    DEFAULT_BASE_URL: ClassVar[str]
    DEFAULT_API_VERSION: ClassVar[str]

    base_url: str
    """Base URL of the API, without a slash at the end and without user name and password."""
    api_version: str
    """``anthropic-version`` of calls that do not name another."""
    timeout: float | Timeout | httpx.Timeout | Unset | None
    """Timeout of calls that do not name another, in seconds for each phase."""
    strict: bool
    """Whether a response that its schema does not allow is an error."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        base_url: str | None = None,
        api_version: str | None = None,
        timeout: float | Timeout | httpx.Timeout | Unset | None = UNSET,
        default_headers: Mapping[str, str] | None = None,
        strict: bool = False,
    ) -> None:
        """Check the settings; see :class:`BaseClient` for what they mean."""
        # A password in the URL must end up neither in requests nor in what logs them.
        self.base_url, userinfo = split_userinfo(
            check_base_url(self.DEFAULT_BASE_URL if base_url is None else base_url)
        )
        self.api_version = api_version or self.DEFAULT_API_VERSION
        self.timeout = timeout
        self.strict = strict
        headers = {"user-agent": type(self).__module__.partition(".")[0]}
        if api_key is not None:
            headers["x-api-key"] = api_key
        if auth_token is not None:
            headers["authorization"] = f"Bearer {auth_token}"
        for name, value in (default_headers or {}).items():
            headers[name.lower()] = value
        authorize(headers, userinfo)
        check_headers(headers)
        self._headers = headers

    def _decoder(self, name: str) -> Callable[[Any], Any]:
        """Return what decodes the component ``name``. The generated package overrides this."""
        raise NotImplementedError

    def _code_classes(self) -> Mapping[tuple[int, str], type[Any]]:
        """Return the classes of error codes. The generated package overrides this."""
        return {}

    def _error_class(self, status: int, code: str) -> type[APIStatusError] | None:
        return self._code_classes().get((status, code))

    def _check_strictly(self, result: Any) -> None:
        """Raise when ``result`` holds what its schema does not allow; called with ``strict``."""
        from .strict import check

        check(result)

    @property
    def bar(self) -> Any:
        """What ``progress=True`` shows of a download: its ``begin()`` returns a function.

        Nothing here; ``progress=True`` is refused then.
        """
        return None

    def prepare(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        options: RequestOptions | None = None,
        via_beta: bool = False,
        *,
        streaming: bool | None = None,
    ) -> PreparedRequest:
        """Return the request that a call would send. See ``build_request`` for what it raises."""
        options = options or {}
        given = options.get("betas") or ()
        asked = unite_betas(given)
        needed = operation_betas(operation, arguments, asked=asked, via_beta=via_beta)
        return build_request(
            operation,
            arguments,
            options,
            base_url=self.base_url,
            default_headers=self._headers,
            api_version=self.api_version,
            # With what is taken back: the flag may stand in a header of the client's.
            betas=[*needed, *((given,) if isinstance(given, str) else given)],
            streaming=streaming,
            check_size=options.get("check_sizes", True),
        )

    def _timeout(self, options: RequestOptions) -> Any:
        return options.get("timeout", self.timeout)

    def _status_error(
        self,
        operation: Operation,
        content: bytes,
        meta: Meta,
        unread: APIError | None = None,
    ) -> APIStatusError:
        return error_from_response(
            meta.status_code,
            meta.headers,
            content,
            operation.id,
            meta.attempts,
            self._error_class,
            unread,
        )

    def _load(self, operation: Operation, content: bytes, meta: Meta) -> Any:
        """Return the JSON of a successful answer; an error envelope raises all the same."""
        from .codec import DecodeError, loads

        try:
            data = loads(content)
        except DecodeError as error:
            kind = meta.headers.get("content-type", "no content type")
            from .error_bodies import excerpt

            said = f": {text}" if (text := excerpt(content)) else ""
            raise APIResponseValidationError(
                f"HTTP {meta.status_code} with a body that is not JSON ({kind}){said}",
                status_code=meta.status_code,
                headers=meta.headers,
                content=content,
                operation=operation.id,
                attempts=meta.attempts,
            ) from error
        if (
            data.__class__ is dict
            and data.get("type") == "error"
            and data.get("error").__class__ is dict
        ):
            raise self._envelope_error(operation, content, meta)
        return data

    def _envelope_error(self, operation: Operation, content: bytes, meta: Meta) -> APIStatusError:
        """Return the error of an envelope that came with a status of success."""
        raised = error_from_event(
            content,
            headers=meta.headers,
            http_status=meta.status_code,
            operation_id=operation.id,
            attempt=meta.attempts,
            code_classes=self._error_class,
        )
        raised.origin = "response"
        return raised

    def _decode(self, operation: Operation, content: bytes, meta: Meta) -> Any:
        if operation.response == "raw":
            from .raw_response import RawAnswer

            return RawAnswer(content, meta)
        if operation.response == "none" or (not content and operation.response_type is None):
            return None
        data = self._load(operation, content, meta)
        if operation.response_type is None:
            return data
        if data.__class__ is not dict:
            from .error_bodies import excerpt

            raise APIResponseValidationError(
                f"a JSON object was expected as {operation.response_type}: {excerpt(content)}",
                status_code=meta.status_code,
                headers=meta.headers,
                content=content,
                operation=operation.id,
                attempts=meta.attempts,
            )
        result = self._decoder(operation.response_type)(data)
        if data.get("error").__class__ is dict and "type" not in data:
            # Gateways leave the type out. With a field of the model in it, it is no envelope.
            from .struct import wire_names

            if all(name not in data for _, name in wire_names(result.__class__)):
                raise self._envelope_error(operation, content, meta)
        if self.strict:
            self._check_strictly(result)
        attach_meta(result, meta)
        return result

    def _decode_item(self, name: str | None) -> Callable[[Any], Any]:
        """Return what decodes one event, line or list item; what is no object stays as it came."""
        if name is None:
            return _same
        decode = self._decoder(name)

        def decode_item(value: Any) -> Any:
            return decode(value) if value.__class__ is dict else value

        def decode_strictly(value: Any) -> Any:
            result = decode_item(value)
            self._check_strictly(result)
            return result

        return decode_strictly if self.strict else decode_item

    def _page_parts(
        self, operation: Operation, content: bytes, meta: Meta
    ) -> tuple[dict[str, Any], list[Any]]:
        body = self._load(operation, content, meta)
        # Null stands for an empty list.
        if body.__class__ is dict and "data" not in body and body.get("error").__class__ is dict:
            raise self._envelope_error(operation, content, meta)
        items: Any = (body.get("data") or []) if body.__class__ is dict else None
        if items.__class__ is not list:
            from .error_bodies import excerpt

            raise APIResponseValidationError(
                f"the page has no list of items: {excerpt(content)}",
                status_code=meta.status_code,
                headers=meta.headers,
                content=content,
                operation=operation.id,
                attempts=meta.attempts,
            )
        decode = self._decode_item(operation.page_item)
        return body, [decode(item) for item in items]

    def _no_event_stream(self, operation: Operation, content: bytes, meta: Meta) -> APIError:
        """Return the error of an answer that is no event stream, by what its body says."""
        from .error_bodies import excerpt, parse_error_body

        body: Any = parse_error_body(content).body
        if body.__class__ is dict and body.get("error").__class__ is dict:
            return self._envelope_error(operation, content, meta)
        kind = meta.headers.get("content-type")
        said = f": {text}" if (text := excerpt(content)) else ""
        return APIResponseValidationError(
            f"HTTP {meta.status_code} with {kind} where an event stream was asked for{said}",
            status_code=meta.status_code,
            headers=meta.headers,
            content=content,
            operation=operation.id,
            attempts=meta.attempts,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={origin_of(self.base_url)!r})"


def is_event_stream(meta: Meta) -> bool:
    """Tell whether an answer is an event stream; without a content type it may be one."""
    kind = meta.headers.get("content-type")
    return kind is None or kind.partition(";")[0].strip().lower() == "text/event-stream"


def _same(value: Any) -> Any:
    return value


def attach_meta(result: object, meta: Meta) -> None:
    """Put ``meta`` into the hidden slot of a decoded model; anything else is left alone."""
    # A plain dict, list or scalar has nowhere to put it.
    if hasattr(type(result), "_meta"):
        object.__setattr__(result, "_meta", meta)


class BaseClient(ClientCore):
    """Sends exactly one request per call and decodes its answer. Never retries.

    Safe to share between threads; a fork gets connections of its own.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        base_url: str | None = None,
        api_version: str | None = None,
        timeout: float | Timeout | httpx.Timeout | Unset | None = UNSET,
        default_headers: Mapping[str, str] | None = None,
        http_client: httpx.Client | None = None,
        strict: bool = False,
    ) -> None:
        """Make a client; nothing is sent, read or loaded yet.

        ``api_key`` goes out as ``x-api-key``, ``auth_token`` as a Bearer token; the environment
        is not read. ``timeout`` is in seconds for each phase of a request (unset: 5 to connect,
        600 for the rest, or what ``http_client`` has; the 5 seconds that httpx gives a client by
        default count as unset too, being too short for an answer), or a :class:`Timeout`, whose
        deadline holds for each request and its answer. ``http_client`` is anything built like
        ``httpx.Client`` and stays yours to close. A user name and password in ``base_url`` go
        out as Basic authorization.

        Raises :class:`BaseURLError`, :class:`HeaderValueError`, and ``TypeError`` for an
        ``http_client`` of the other kind.
        """
        super().__init__(
            api_key=api_key,
            auth_token=auth_token,
            base_url=base_url,
            api_version=api_version,
            timeout=timeout,
            default_headers=default_headers,
            strict=strict,
        )
        self._sender = Sender(http_client)

    def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Any:
        """Send one request and return its decoded answer.

        JSON gives a model with ``meta``, ``binary`` a :class:`BinaryResponse`, ``jsonl`` a
        :class:`JSONLStream`, server-sent events a :class:`Stream`. Raises :class:`APIError`.
        """
        prepared = self.prepare(operation, arguments, options, via_beta)
        if prepared.streaming:
            return self._open_stream(prepared, options)
        raw = self._send(prepared, options)
        if operation.response == "binary":
            from .binary import BinaryResponse

            return BinaryResponse(raw)
        if operation.response == "jsonl":
            from .stream import JSONLStream

            return JSONLStream(
                raw.iter_bytes(),
                self._decode_item(operation.response_type),
                meta=raw.meta,
                close=raw.close,
                operation=operation.id,
            )
        return self._decode(operation, raw.read(), raw.meta)

    def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Stream[Any]:
        """Send one request and return the open stream of its answer. Raises :class:`APIError`."""
        prepared = self.prepare(operation, arguments, options, via_beta, streaming=True)
        return self._open_stream(prepared, options)

    def paginate(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Page[Any]:
        """Send one request and return the first page; later ones are fetched when asked for."""
        from .page import Page

        def fetch(following: dict[str, Any]) -> Page[Any]:
            raw = self._send(self.prepare(operation, following, options, via_beta), options)
            body, items = self._page_parts(operation, raw.read(), raw.meta)
            return Page(
                body,
                items,
                styles=operation.pagination,
                arguments=following,
                fetch=fetch,
                operation=operation.id,
                meta=raw.meta,
            )

        return fetch(arguments)

    def _open_stream(self, prepared: PreparedRequest, options: RequestOptions) -> Stream[Any]:
        from .stream import TERMINAL_EVENTS, Stream

        operation = prepared.operation
        raw = self._send(prepared, options)
        if not is_event_stream(raw.meta):
            raise self._no_event_stream(operation, raw.read(), raw.meta)
        try:
            decode = self._decode_item(operation.event_type)
        except BaseException:
            raw.close()
            raise
        return Stream(
            raw.iter_bytes(),
            decode,
            meta=raw.meta,
            close=raw.close,
            terminal=TERMINAL_EVENTS.get(operation.event_type or "", ()),
            operation=operation.id,
            include_pings=options.get("include_pings", False),
            code_classes=self._error_class,
        )

    def _send(self, prepared: PreparedRequest, options: RequestOptions) -> RawResponse:
        raw = self._sender.send(prepared, timeout=self._timeout(options))
        if raw.status_code >= 300:
            unread: APIError | None = None
            try:
                content = raw.read()
            except (APIConnectionError, APIResponseValidationError) as error:
                # The status is known, and says more than that its body cannot be read.
                content, unread = b"", error
            raise self._status_error(prepared.operation, content, raw.meta, unread) from unread
        return raw

    def close(self) -> None:
        """Close the connections. Safe to call more than once; calls raise afterwards."""
        self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class BaseAsyncClient(ClientCore):
    """Asynchronous twin of :class:`BaseClient`; each event loop gets connections of its own."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        base_url: str | None = None,
        api_version: str | None = None,
        timeout: float | Timeout | httpx.Timeout | Unset | None = UNSET,
        default_headers: Mapping[str, str] | None = None,
        http_client: httpx.AsyncClient | None = None,
        strict: bool = False,
    ) -> None:
        """Make a client; see :class:`BaseClient`."""
        super().__init__(
            api_key=api_key,
            auth_token=auth_token,
            base_url=base_url,
            api_version=api_version,
            timeout=timeout,
            default_headers=default_headers,
            strict=strict,
        )
        self._sender = AsyncSender(http_client)

    async def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Any:
        """Send one request and return its decoded answer; see :meth:`BaseClient.call`."""
        if operation.file_fields:
            from .async_files import ready_files

            limit = operation.max_bytes if options.get("check_sizes", True) else None
            arguments = dict(await ready_files(operation, arguments, limit))
        prepared = self.prepare(operation, arguments, options, via_beta)
        if prepared.streaming:
            return await self._open_stream(prepared, options)
        raw = await self._send(prepared, options)
        if operation.response == "binary":
            from .binary import AsyncBinaryResponse

            return AsyncBinaryResponse(raw)
        if operation.response == "jsonl":
            from .stream import AsyncJSONLStream

            return AsyncJSONLStream(
                raw.iter_bytes(),
                self._decode_item(operation.response_type),
                meta=raw.meta,
                close=raw.close,
                operation=operation.id,
            )
        return self._decode(operation, await raw.read(), raw.meta)

    async def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncStream[Any]:
        """Send one request and return the open stream of its answer. Raises :class:`APIError`."""
        prepared = self.prepare(operation, arguments, options, via_beta, streaming=True)
        return await self._open_stream(prepared, options)

    def paginate(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncPaginator[Any]:
        """Return the list: ``await`` it for its first page, or iterate over all its items."""
        from .page import AsyncPage, AsyncPaginator

        async def fetch(following: dict[str, Any]) -> AsyncPage[Any]:
            raw = await self._send(self.prepare(operation, following, options, via_beta), options)
            body, items = self._page_parts(operation, await raw.read(), raw.meta)
            return AsyncPage(
                body,
                items,
                styles=operation.pagination,
                arguments=following,
                fetch=fetch,
                operation=operation.id,
                meta=raw.meta,
            )

        return AsyncPaginator(lambda: fetch(arguments))

    async def _open_stream(
        self, prepared: PreparedRequest, options: RequestOptions
    ) -> AsyncStream[Any]:
        from .stream import TERMINAL_EVENTS, AsyncStream

        operation = prepared.operation
        raw = await self._send(prepared, options)
        if not is_event_stream(raw.meta):
            raise self._no_event_stream(operation, await raw.read(), raw.meta)
        try:
            decode = self._decode_item(operation.event_type)
        except BaseException:
            await raw.close()
            raise
        return AsyncStream(
            raw.iter_bytes(),
            decode,
            meta=raw.meta,
            close=raw.close,
            terminal=TERMINAL_EVENTS.get(operation.event_type or "", ()),
            operation=operation.id,
            include_pings=options.get("include_pings", False),
            code_classes=self._error_class,
        )

    async def _send(self, prepared: PreparedRequest, options: RequestOptions) -> AsyncRawResponse:
        raw = await self._sender.send(prepared, timeout=self._timeout(options))
        if raw.status_code >= 300:
            unread: APIError | None = None
            try:
                content = await raw.read()
            except (APIConnectionError, APIResponseValidationError) as error:
                # The status is known, and says more than that its body cannot be read.
                content, unread = b"", error
            raise self._status_error(prepared.operation, content, raw.meta, unread) from unread
        return raw

    async def close(self) -> None:
        """Close the connections. Safe to call more than once; calls raise afterwards."""
        await self._sender.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
