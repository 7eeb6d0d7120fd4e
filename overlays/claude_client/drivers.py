"""Drives calls: sends, waits, tries again, with the middleware around it. Thin twins."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
)
from claude_rest._runtime.timeouts import Timeout

from .attempts import Attempts
from .calls import CallCore, with_lists
from .logs import log_answer, log_answer_body, log_request_body
from .middleware import AttemptInfo, Layers, check_response, closable, nested, superseded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeVar

    from claude_rest._runtime.request import PreparedRequest

    from .calls import Plan
    from .middleware import CallInfo
    from .settings import Settings
    from .throttle.sending import AsyncSending, Sending
    from .transports import AsyncResponse, AsyncTransport, Response, Transport

    T = TypeVar("T")


class Driver(CallCore):
    """Carries plans out over a synchronous transport."""

    def __init__(self, settings: Settings, transport: Transport) -> None:
        """Send by ``transport``. Raises ``TypeError`` for asynchronous middleware."""
        super().__init__(settings)
        self.transport = transport
        self._layers = traced_layers(settings, asynchronous=False)
        self._sending: Sending | None = None
        if settings.throttle is not None:
            from .throttle.sending import Sending

            self._sending = Sending(settings.throttle)

    def _run(self, plan: Plan, take: Callable[[Response], T]) -> T:
        """Send until ``take`` has made something of an answer of success.

        What ``take`` raises while it reads is retried too, as far as the policy allows.
        """
        attempts = _attempts(self.settings, plan)
        while True:
            try:
                raw = self._attempt(plan, attempts)
                try:
                    result = take(raw)
                except BaseException:
                    raw.close()
                    raise
            except APIError as error:
                self._explain(plan, error)
                wait = attempts.failed(error)
            else:
                attempts.succeeded()
                return result
            self._wait(wait)

    def _attempt(self, plan: Plan, attempts: Attempts) -> Response:
        """Send once, and return an answer of success unread; any other raises."""
        prepared = plan.prepared
        if self._layers.attempt:
            attempt = AttemptInfo(prepared.operation, prepared, attempts.number)
            raw = self._around_attempt(attempt, plan, attempts)
        else:
            raw = self._send(prepared, plan, attempts)
        if raw.meta.status_code < 300:
            return raw
        unread: APIError | None = None
        try:
            content = self._read(plan, raw)
        except (APIConnectionError, APIResponseValidationError) as error:
            # The status is known, and says more than that its body cannot be read.
            content, unread = b"", error
        raise self._status_error(prepared.operation, content, raw.meta, unread) from unread

    def _send(self, prepared: PreparedRequest, plan: Plan, attempts: Attempts) -> Response:
        if self._sending is not None:
            raw = self._sending.send(self.transport, prepared, plan, attempts)
        else:
            log_request_body(prepared)
            raw = self.transport.send(
                prepared, timeout=plan.timeout, attempt=attempts.number, deadline=attempts.deadline
            )
        log_answer(prepared, raw.meta)
        return raw

    def _read(self, plan: Plan, raw: Response) -> bytes:
        content = raw.read()
        log_answer_body(plan.prepared, content, raw.meta)
        return content

    def _around(self, call: CallInfo, act: Callable[[CallInfo], Any]) -> Any:
        """Return what ``act`` makes of a call, with the middleware around it."""
        if self._layers.untraced and tracing_began():
            self._layers = traced_layers(self.settings, asynchronous=False)
        layers = self._layers.call
        if not layers:
            return act(call)
        opened: list[Any] = []

        def innermost(call: CallInfo) -> Any:
            result = act(call)
            if closable(result):
                opened.append(result)
            return result

        try:
            # Arguments that can be read once are read here: a layer may try the call again.
            arguments = with_lists(call.arguments, call.operation.file_fields)
            if call.operation.file_fields:
                from .uploads import hold_files

                arguments = hold_files(
                    call.operation, arguments, self.file_limit(call.operation, call.options)
                )
            call = call.replace(arguments=arguments)
            result = nested(layers, innermost)(call)
        except BaseException:
            for each in opened:
                each.close()
            raise
        for each in superseded(opened, result):
            each.close()
        return result

    def _around_attempt(self, attempt: AttemptInfo, plan: Plan, attempts: Attempts) -> Response:
        opened: list[Response] = []

        def innermost(attempt: AttemptInfo) -> Response:
            raw = self._send(attempt.request, plan, attempts)
            opened.append(raw)
            return raw

        try:
            response: Response = nested(self._layers.attempt, innermost)(attempt)
            check_response(response)
        except BaseException:
            for each in opened:
                each.close()
            raise
        for each in superseded(opened, response):
            each.close()
        return response

    def _wait(self, seconds: float) -> None:
        from time import sleep

        sleep(seconds)

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()


class AsyncDriver(CallCore):
    """Asynchronous twin of :class:`Driver`."""

    def __init__(self, settings: Settings, transport: AsyncTransport) -> None:
        """Send by ``transport``. Raises ``TypeError`` for synchronous middleware."""
        super().__init__(settings)
        self.transport = transport
        self._layers = traced_layers(settings, asynchronous=True)
        self._sending: AsyncSending | None = None
        if settings.throttle is not None:
            from .throttle.sending import AsyncSending

            self._sending = AsyncSending(settings.throttle)

    async def _run(self, plan: Plan, take: Callable[[AsyncResponse], Awaitable[T]]) -> T:
        """Send until ``take`` has made something of an answer of success.

        What ``take`` raises while it reads is retried too, as far as the policy allows.
        """
        attempts = _attempts(self.settings, plan)
        while True:
            try:
                raw = await self._attempt(plan, attempts)
                try:
                    result = await take(raw)
                except BaseException:
                    await raw.close()
                    raise
            except APIError as error:
                self._explain(plan, error)
                wait = attempts.failed(error)
            else:
                attempts.succeeded()
                return result
            await self._wait(wait)

    async def _attempt(self, plan: Plan, attempts: Attempts) -> AsyncResponse:
        """Send once, and return an answer of success unread; any other raises."""
        prepared = plan.prepared
        if self._layers.attempt:
            attempt = AttemptInfo(prepared.operation, prepared, attempts.number)
            raw = await self._around_attempt(attempt, plan, attempts)
        else:
            raw = await self._send(prepared, plan, attempts)
        if raw.meta.status_code < 300:
            return raw
        unread: APIError | None = None
        try:
            content = await self._read(plan, raw)
        except (APIConnectionError, APIResponseValidationError) as error:
            # The status is known, and says more than that its body cannot be read.
            content, unread = b"", error
        raise self._status_error(prepared.operation, content, raw.meta, unread) from unread

    async def _send(
        self, prepared: PreparedRequest, plan: Plan, attempts: Attempts
    ) -> AsyncResponse:
        if self._sending is not None:
            raw = await self._sending.send(self.transport, prepared, plan, attempts)
        else:
            log_request_body(prepared)
            raw = await self.transport.send(
                prepared, timeout=plan.timeout, attempt=attempts.number, deadline=attempts.deadline
            )
        log_answer(prepared, raw.meta)
        return raw

    async def _read(self, plan: Plan, raw: AsyncResponse) -> bytes:
        content = await raw.read()
        log_answer_body(plan.prepared, content, raw.meta)
        return content

    async def _around(self, call: CallInfo, act: Callable[[CallInfo], Awaitable[Any]]) -> Any:
        """Return what ``act`` makes of a call, with the middleware around it."""
        if self._layers.untraced and tracing_began():
            self._layers = traced_layers(self.settings, asynchronous=True)
        layers = self._layers.call
        if not layers:
            return await act(call)
        opened: list[Any] = []

        async def innermost(call: CallInfo) -> Any:
            result = await act(call)
            if closable(result):
                opened.append(result)
            return result

        try:
            # Arguments that can be read once are read here: a layer may try the call again.
            arguments = with_lists(call.arguments, call.operation.file_fields)
            if call.operation.file_fields:
                from claude_rest._runtime.async_files import ready_files

                arguments = await ready_files(
                    call.operation, arguments, self.file_limit(call.operation, call.options)
                )
            call = call.replace(arguments=arguments)
            result = await nested(layers, innermost)(call)
        except BaseException:
            for each in opened:
                await each.close()
            raise
        for each in superseded(opened, result):
            await each.close()
        return result

    async def _around_attempt(
        self, attempt: AttemptInfo, plan: Plan, attempts: Attempts
    ) -> AsyncResponse:
        opened: list[AsyncResponse] = []

        async def innermost(attempt: AttemptInfo) -> AsyncResponse:
            raw = await self._send(attempt.request, plan, attempts)
            opened.append(raw)
            return raw

        try:
            response: AsyncResponse = await nested(self._layers.attempt, innermost)(attempt)
            check_response(response)
        except BaseException:
            for each in opened:
                await each.close()
            raise
        for each in superseded(opened, response):
            await each.close()
        return response

    async def _wait(self, seconds: float) -> None:
        if asyncio_runs():
            import asyncio

            await asyncio.sleep(seconds)
        else:
            # Another library's loop, such as trio's, which httpx runs on by way of anyio.
            import anyio

            await anyio.sleep(seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()


def traced_layers(settings: Settings, *, asynchronous: bool) -> Layers:
    """Return the middleware of a client, around it what traces if that is wanted.

    Where it is left open, that is so once the process has set tracing up; until then the layers
    say that they are ``untraced``.
    """
    middleware: Sequence[Any] = settings.middleware
    wanted = settings.tracing
    if wanted or (wanted is None and tracing_began()):
        from .tracing.switch import with_tracing

        wanted = True
        try:
            middleware = with_tracing(middleware, asynchronous=asynchronous)
        except Exception:
            # Nobody asked for it, so it is not to be in the way either.
            if settings.tracing:
                raise
    layers = Layers(middleware, asynchronous=asynchronous)
    layers.untraced = wanted is None
    return layers


def tracing_began() -> bool:
    """Tell whether the process has set OpenTelemetry's tracing up; at next to no cost if not."""
    if "opentelemetry.trace" not in sys.modules:
        return False
    from .tracing.switch import is_set_up

    return is_set_up()


def _attempts(settings: Settings, plan: Plan) -> Attempts:
    return Attempts(
        plan.prepared.operation,
        plan.policy,
        timeout=Timeout.of(plan.timeout),
        budget=settings.retry_budget,
        content=plan.prepared.content,
    )


def event_loop_runs() -> bool:
    """Tell whether an event loop runs here, of asyncio or of trio."""
    if asyncio_runs():
        return True
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def asyncio_runs() -> bool:
    """Tell whether the event loop that runs here is one of asyncio."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
