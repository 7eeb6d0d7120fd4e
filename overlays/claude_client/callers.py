"""What the methods of a client hand their calls to: each becomes a plan, an answer, a result.

Thin twins: what they share is :class:`.CallCore`, and :mod:`.drivers` does the sending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.client import is_event_stream

from .calls import as_it_is, is_large, warn_of_ending, with_lists
from .drivers import AsyncDriver, Driver, event_loop_runs
from .middleware import CallInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.operation import Operation
    from claude_rest._runtime.page import AsyncPage, AsyncPaginator, Page
    from claude_rest._runtime.stream import AsyncStream, Stream

    from .calls import Plan
    from .transports import AsyncResponse, Response


class OverlayCaller(Driver):
    """What methods of a synchronous client hand their calls to."""

    def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Any:
        """Send the request, retry as the policy says, and return the decoded answer."""
        return self._around(CallInfo(operation, arguments, options, via_beta), self._answer)

    def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Stream[Any]:
        """Send the request and return the open stream of typed events."""

        def opened(call: CallInfo) -> Stream[Any]:
            return self._open_stream(
                self._plan(call, True), self._decode_item(operation.event_type)
            )

        call = CallInfo(operation, arguments, options, via_beta, "stream")
        stream: Stream[Any] = self._around(call, opened)
        return stream

    def stream_values(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Stream[Any]:
        """Send the request and return the open stream of events as JSON values."""

        def opened(call: CallInfo) -> Stream[Any]:
            return self._open_stream(self._plan(call, True), self._event_check(operation))

        call = CallInfo(operation, arguments, options, via_beta, "values")
        stream: Stream[Any] = self._around(call, opened)
        return stream

    def paginate(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Page[Any]:
        """Send the request and return the first page; later ones are fetched when asked for."""
        from claude_rest._runtime.page import Page

        def fetch(following: dict[str, Any]) -> Page[Any]:
            def fetched(call: CallInfo) -> Page[Any]:
                plan = self._plan(call)

                def take(raw: Response) -> Page[Any]:
                    body, items = self._page_parts(operation, self._read(plan, raw), raw.meta)
                    return Page(
                        body,
                        items,
                        styles=operation.pagination,
                        arguments=following,
                        fetch=fetch,
                        operation=operation.id,
                        meta=raw.meta,
                    )

                return self._run(plan, take)

            call = CallInfo(operation, following, options, via_beta, "page")
            page: Page[Any] = self._around(call, fetched)
            return page

        return fetch(arguments)

    def _plan(self, call: CallInfo, streaming: bool | None = None) -> Plan:
        return self.plan(
            call.operation, call.arguments, call.options, call.via_beta, streaming=streaming
        )

    def _answer(self, call: CallInfo) -> Any:
        """Return the decoded answer of a call."""
        operation = call.operation
        if self.streams_unasked(operation, call.arguments, call.options):
            return self._collect(self._plan(call, True))
        plan = self._plan(call)
        if plan.prepared.streaming:
            return self._open_stream(plan, self._decode_item(operation.event_type))
        if operation.response == "binary":
            from claude_rest._runtime.binary import BinaryResponse

            return self._run(plan, lambda raw: BinaryResponse(raw, bar=self.bar))
        if operation.response == "jsonl":
            from claude_rest._runtime.stream import JSONLStream

            decode = self._decode_item(operation.response_type)

            def lines(raw: Response) -> JSONLStream[Any]:
                return JSONLStream(
                    raw.iter_bytes(),
                    decode,
                    meta=raw.meta,
                    close=raw.close,
                    operation=operation.id,
                )

            return self._run(plan, lines)

        def decoded(raw: Response) -> Any:
            return self._decode(operation, self._read(plan, raw), raw.meta)

        return self._run(plan, decoded)

    def _collect(self, plan: Plan) -> Any:
        """Return the message of a call that is streamed unasked.

        Until its first event it is retried like any other call; once the message has begun,
        what goes wrong has the part that came in ``partial``.
        """
        from .streaming import MessageStream

        operation = plan.prepared.operation

        def begun(raw: Response) -> Any:
            if is_event_stream(raw.meta):
                return MessageStream(
                    self._stream_of(plan, raw, as_it_is),
                    operation=operation.id,
                    check=self.message_check(),
                )
            # A gateway that does not stream has answered all the same.
            return self._decode(operation, self._read(plan, raw), raw.meta)

        result = self._run(plan, begun)
        if not isinstance(result, MessageStream):
            return result
        with result:
            return result.get_final_message()

    def _open_stream(self, plan: Plan, decode: Callable[[Any], Any]) -> Stream[Any]:
        return self._run(plan, lambda raw: self._stream_of(plan, raw, decode))

    def _stream_of(self, plan: Plan, raw: Response, decode: Callable[[Any], Any]) -> Stream[Any]:
        """Return the stream of a response, once its first event is here if it must have one."""
        from claude_rest._runtime.stream import TERMINAL_EVENTS, Stream

        operation = plan.prepared.operation
        if not is_event_stream(raw.meta):
            raise self._no_event_stream(operation, self._read(plan, raw), raw.meta)
        terminal = TERMINAL_EVENTS.get(operation.event_type or "", ())
        stream = Stream(
            raw.iter_bytes(),
            decode,
            meta=raw.meta,
            close=raw.close,
            terminal=terminal,
            operation=operation.id,
            include_pings=plan.include_pings,
            code_classes=self._error_class,
        )
        if terminal:
            # What fails before anything has come out of it can still be tried again.
            stream.prime()
        return stream


class AsyncOverlayCaller(AsyncDriver):
    """Asynchronous twin of :class:`OverlayCaller`."""

    async def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Any:
        """Send the request, retry as the policy says, and return the decoded answer."""
        return await self._around(CallInfo(operation, arguments, options, via_beta), self._answer)

    async def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncStream[Any]:
        """Send the request and return the open stream of typed events."""

        async def opened(call: CallInfo) -> AsyncStream[Any]:
            return await self._open_stream(
                await self._plan(call, True), self._decode_item(operation.event_type)
            )

        call = CallInfo(operation, arguments, options, via_beta, "stream")
        stream: AsyncStream[Any] = await self._around(call, opened)
        return stream

    async def stream_values(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncStream[Any]:
        """Send the request and return the open stream of events as JSON values."""

        async def opened(call: CallInfo) -> AsyncStream[Any]:
            return await self._open_stream(
                await self._plan(call, True), self._event_check(operation)
            )

        call = CallInfo(operation, arguments, options, via_beta, "values")
        stream: AsyncStream[Any] = await self._around(call, opened)
        return stream

    def paginate(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncPaginator[Any]:
        """Return the list: ``await`` it for its first page, or iterate over all its items."""
        from claude_rest._runtime.page import AsyncPage, AsyncPaginator

        async def fetch(following: dict[str, Any]) -> AsyncPage[Any]:
            async def fetched(call: CallInfo) -> AsyncPage[Any]:
                plan = await self._plan(call)

                async def take(raw: AsyncResponse) -> AsyncPage[Any]:
                    body, items = self._page_parts(operation, await self._read(plan, raw), raw.meta)
                    return AsyncPage(
                        body,
                        items,
                        styles=operation.pagination,
                        arguments=following,
                        fetch=fetch,
                        operation=operation.id,
                        meta=raw.meta,
                    )

                return await self._run(plan, take)

            call = CallInfo(operation, following, options, via_beta, "page")
            page: AsyncPage[Any] = await self._around(call, fetched)
            return page

        return AsyncPaginator(lambda: fetch(arguments))

    async def _plan(self, call: CallInfo, streaming: bool | None = None) -> Plan:
        """Make the plan; outside the event loop when the body is large."""
        operation = call.operation
        arguments = with_lists(call.arguments, operation.file_fields)
        if operation.file_fields:
            from claude_rest._runtime.async_files import ready_files

            limit = self.file_limit(operation, call.options)
            arguments = await ready_files(operation, arguments, limit)

        def plan(in_pieces: bool) -> Plan:
            return self.plan(
                call.operation,
                arguments,
                call.options,
                call.via_beta,
                streaming=streaming,
                in_pieces=in_pieces,
            )

        if operation.file_fields:
            # Files are looked at, folders walked through, archives opened.
            from claude_rest._runtime.threads import off_loop

            return await off_loop(lambda: plan(True))
        extra = call.options.get("extra_body")
        if (is_large(arguments) or (extra and is_large(extra))) and event_loop_runs():
            from claude_rest._runtime.threads import off_loop

            # Here, where the caller's line is still to be seen.
            warn_of_ending(arguments)
            return await off_loop(lambda: plan(True))
        return plan(False)

    async def _answer(self, call: CallInfo) -> Any:
        """Return the decoded answer of a call."""
        operation = call.operation
        if self.streams_unasked(operation, call.arguments, call.options):
            return await self._collect(await self._plan(call, True))
        plan = await self._plan(call)
        if plan.prepared.streaming:
            return await self._open_stream(plan, self._decode_item(operation.event_type))
        if operation.response == "binary":
            from claude_rest._runtime.binary import AsyncBinaryResponse

            async def download(raw: AsyncResponse) -> AsyncBinaryResponse:
                return AsyncBinaryResponse(raw, bar=self.bar)

            return await self._run(plan, download)
        if operation.response == "jsonl":
            from claude_rest._runtime.stream import AsyncJSONLStream

            decode = self._decode_item(operation.response_type)

            async def lines(raw: AsyncResponse) -> AsyncJSONLStream[Any]:
                return AsyncJSONLStream(
                    raw.iter_bytes(),
                    decode,
                    meta=raw.meta,
                    close=raw.close,
                    operation=operation.id,
                )

            return await self._run(plan, lines)

        async def decoded(raw: AsyncResponse) -> Any:
            return self._decode(operation, await self._read(plan, raw), raw.meta)

        return await self._run(plan, decoded)

    async def _collect(self, plan: Plan) -> Any:
        """Return the message of a call that is streamed unasked.

        Until its first event it is retried like any other call; once the message has begun,
        what goes wrong has the part that came in ``partial``.
        """
        from .streaming import AsyncMessageStream

        operation = plan.prepared.operation

        async def begun(raw: AsyncResponse) -> Any:
            if is_event_stream(raw.meta):
                return AsyncMessageStream(
                    await self._stream_of(plan, raw, as_it_is),
                    operation=operation.id,
                    check=self.message_check(),
                )
            # A gateway that does not stream has answered all the same.
            return self._decode(operation, await self._read(plan, raw), raw.meta)

        result = await self._run(plan, begun)
        if not isinstance(result, AsyncMessageStream):
            return result
        async with result:
            return await result.get_final_message()

    async def _open_stream(self, plan: Plan, decode: Callable[[Any], Any]) -> AsyncStream[Any]:
        return await self._run(plan, lambda raw: self._stream_of(plan, raw, decode))

    async def _stream_of(
        self, plan: Plan, raw: AsyncResponse, decode: Callable[[Any], Any]
    ) -> AsyncStream[Any]:
        """Return the stream of a response, once its first event is here if it must have one."""
        from claude_rest._runtime.stream import TERMINAL_EVENTS, AsyncStream

        operation = plan.prepared.operation
        if not is_event_stream(raw.meta):
            raise self._no_event_stream(operation, await self._read(plan, raw), raw.meta)
        terminal = TERMINAL_EVENTS.get(operation.event_type or "", ())
        stream = AsyncStream(
            raw.iter_bytes(),
            decode,
            meta=raw.meta,
            close=raw.close,
            terminal=terminal,
            operation=operation.id,
            include_pings=plan.include_pings,
            code_classes=self._error_class,
        )
        if terminal:
            # What fails before anything has come out of it can still be tried again.
            await stream.prime()
        return stream
