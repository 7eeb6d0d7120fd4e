"""Carries calls out: sends, retries, reads, decodes. Thin twins around :class:`.CallCore`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.client import is_event_stream
from claude_rest._runtime.errors import APIConnectionError, APIError
from claude_rest._runtime.timeouts import Timeout

from .attempts import Attempts
from .calls import CallCore, is_large, log_answer, with_lists

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.operation import Operation
    from claude_rest._runtime.page import AsyncPage, AsyncPaginator, Page
    from claude_rest._runtime.stream import AsyncStream, Stream

    from .calls import Plan
    from .settings import Settings
    from .transports import AsyncResponse, AsyncTransport, Response, Transport


class OverlayCaller(CallCore):
    """What methods of a synchronous client hand their calls to."""

    def __init__(self, settings: Settings, transport: Transport) -> None:
        """Send by ``transport``."""
        super().__init__(settings)
        self.transport = transport

    def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Any:
        """Send the request, retry as the policy says, and return the decoded answer."""
        plan = self.plan(operation, arguments, options, via_beta)
        if plan.prepared.streaming:
            return self._open_stream(plan, self._decode_item(operation.event_type))
        if operation.response == "binary":
            from claude_rest._runtime.binary import BinaryResponse

            return BinaryResponse(self._send(plan))
        if operation.response == "jsonl":
            from claude_rest._runtime.stream import JSONLStream

            raw = self._send(plan)
            return JSONLStream(
                raw.iter_bytes(),
                self._decode_item(operation.response_type),
                meta=raw.meta,
                close=raw.close,
                operation=operation.id,
            )
        content, meta = self._fetch(plan)
        return self._decode(operation, content, meta)

    def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Stream[Any]:
        """Send the request and return the open stream of typed events."""
        plan = self.plan(operation, arguments, options, via_beta, streaming=True)
        return self._open_stream(plan, self._decode_item(operation.event_type))

    def stream_values(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Stream[Any]:
        """Send the request and return the open stream of events as JSON values."""
        plan = self.plan(operation, arguments, options, via_beta, streaming=True)
        return self._open_stream(plan, self._event_check(operation))

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
            plan = self.plan(operation, following, options, via_beta)
            content, meta = self._fetch(plan)
            body, items = self._page_parts(operation, content, meta)
            return Page(
                body,
                items,
                styles=operation.pagination,
                arguments=following,
                fetch=fetch,
                operation=operation.id,
                meta=meta,
            )

        return fetch(arguments)

    def _open_stream(self, plan: Plan, decode: Callable[[Any], Any]) -> Stream[Any]:
        from claude_rest._runtime.stream import TERMINAL_EVENTS, Stream

        operation = plan.prepared.operation
        raw = self._send(plan)
        if not is_event_stream(raw.meta):
            raise self._no_event_stream(operation, raw.read(), raw.meta)
        return Stream(
            raw.iter_bytes(),
            decode,
            meta=raw.meta,
            close=raw.close,
            terminal=TERMINAL_EVENTS.get(operation.event_type or "", ()),
            operation=operation.id,
            code_classes=self._error_class,
        )

    def _fetch(self, plan: Plan) -> tuple[bytes, Any]:
        """Send until a whole answer of success is here; a body that breaks off is retried too."""
        attempts = _attempts(self.settings, plan)
        while True:
            try:
                raw = self._attempt(plan, attempts.number)
                content = raw.read()
            except APIError as error:
                wait = attempts.failed(error)
            else:
                attempts.succeeded()
                return content, raw.meta
            self._wait(wait)

    def _send(self, plan: Plan) -> Response:
        """Send until an answer of success begins, and return it unread."""
        attempts = _attempts(self.settings, plan)
        while True:
            try:
                raw = self._attempt(plan, attempts.number)
            except APIError as error:
                wait = attempts.failed(error)
            else:
                attempts.succeeded()
                return raw
            self._wait(wait)

    def _attempt(self, plan: Plan, number: int) -> Response:
        raw = self.transport.send(plan.prepared, timeout=plan.timeout, attempt=number)
        log_answer(plan, raw.meta)
        if raw.meta.status_code < 300:
            return raw
        broken: APIConnectionError | None = None
        try:
            content = raw.read()
        except APIConnectionError as error:
            # The status is known, and says more than that its body broke off.
            content, broken = b"", error
        raise self._status_error(plan.prepared.operation, content, raw.meta) from broken

    def _wait(self, seconds: float) -> None:
        from time import sleep

        sleep(seconds)

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()


class AsyncOverlayCaller(CallCore):
    """Asynchronous twin of :class:`OverlayCaller`."""

    def __init__(self, settings: Settings, transport: AsyncTransport) -> None:
        """Send by ``transport``."""
        super().__init__(settings)
        self.transport = transport

    async def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> Any:
        """Send the request, retry as the policy says, and return the decoded answer."""
        plan = await self._plan(operation, arguments, options, via_beta)
        if plan.prepared.streaming:
            return await self._open_stream(plan, self._decode_item(operation.event_type))
        if operation.response == "binary":
            from claude_rest._runtime.binary import AsyncBinaryResponse

            return AsyncBinaryResponse(await self._send(plan))
        if operation.response == "jsonl":
            from claude_rest._runtime.stream import AsyncJSONLStream

            raw = await self._send(plan)
            return AsyncJSONLStream(
                raw.iter_bytes(),
                self._decode_item(operation.response_type),
                meta=raw.meta,
                close=raw.close,
                operation=operation.id,
            )
        content, meta = await self._fetch(plan)
        return self._decode(operation, content, meta)

    async def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncStream[Any]:
        """Send the request and return the open stream of typed events."""
        plan = await self._plan(operation, arguments, options, via_beta, streaming=True)
        return await self._open_stream(plan, self._decode_item(operation.event_type))

    async def stream_values(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
    ) -> AsyncStream[Any]:
        """Send the request and return the open stream of events as JSON values."""
        plan = await self._plan(operation, arguments, options, via_beta, streaming=True)
        return await self._open_stream(plan, self._event_check(operation))

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
            plan = await self._plan(operation, following, options, via_beta)
            content, meta = await self._fetch(plan)
            body, items = self._page_parts(operation, content, meta)
            return AsyncPage(
                body,
                items,
                styles=operation.pagination,
                arguments=following,
                fetch=fetch,
                operation=operation.id,
                meta=meta,
            )

        return AsyncPaginator(lambda: fetch(arguments))

    async def _plan(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        options: RequestOptions,
        via_beta: bool,
        *,
        streaming: bool | None = None,
    ) -> Plan:
        """Make the plan; outside the event loop when the body is large."""
        asyncio = sys.modules.get("asyncio")
        arguments = with_lists(arguments)
        if asyncio is not None and is_large(arguments) and _asyncio_runs():

            def plan() -> Plan:
                return self.plan(operation, arguments, options, via_beta, streaming=streaming)

            planned: Plan = await asyncio.to_thread(plan)
            return planned
        return self.plan(operation, arguments, options, via_beta, streaming=streaming)

    async def _open_stream(self, plan: Plan, decode: Callable[[Any], Any]) -> AsyncStream[Any]:
        from claude_rest._runtime.stream import TERMINAL_EVENTS, AsyncStream

        operation = plan.prepared.operation
        raw = await self._send(plan)
        if not is_event_stream(raw.meta):
            raise self._no_event_stream(operation, await raw.read(), raw.meta)
        return AsyncStream(
            raw.iter_bytes(),
            decode,
            meta=raw.meta,
            close=raw.close,
            terminal=TERMINAL_EVENTS.get(operation.event_type or "", ()),
            operation=operation.id,
            code_classes=self._error_class,
        )

    async def _fetch(self, plan: Plan) -> tuple[bytes, Any]:
        """Send until a whole answer of success is here; a body that breaks off is retried too."""
        attempts = _attempts(self.settings, plan)
        while True:
            try:
                raw = await self._attempt(plan, attempts.number)
                content = await raw.read()
            except APIError as error:
                wait = attempts.failed(error)
            else:
                attempts.succeeded()
                return content, raw.meta
            await self._wait(wait)

    async def _send(self, plan: Plan) -> AsyncResponse:
        """Send until an answer of success begins, and return it unread."""
        attempts = _attempts(self.settings, plan)
        while True:
            try:
                raw = await self._attempt(plan, attempts.number)
            except APIError as error:
                wait = attempts.failed(error)
            else:
                attempts.succeeded()
                return raw
            await self._wait(wait)

    async def _attempt(self, plan: Plan, number: int) -> AsyncResponse:
        raw = await self.transport.send(plan.prepared, timeout=plan.timeout, attempt=number)
        log_answer(plan, raw.meta)
        if raw.meta.status_code < 300:
            return raw
        broken: APIConnectionError | None = None
        try:
            content = await raw.read()
        except APIConnectionError as error:
            # The status is known, and says more than that its body broke off.
            content, broken = b"", error
        raise self._status_error(plan.prepared.operation, content, raw.meta) from broken

    async def _wait(self, seconds: float) -> None:
        if _asyncio_runs():
            import asyncio

            await asyncio.sleep(seconds)
        else:
            # Another library's loop, such as trio's, which httpx runs on by way of anyio.
            import anyio

            await anyio.sleep(seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()


def _attempts(settings: Settings, plan: Plan) -> Attempts:
    return Attempts(
        plan.prepared.operation,
        plan.policy,
        timeout=Timeout.of(plan.timeout),
        budget=settings.retry_budget,
    )


def _asyncio_runs() -> bool:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
