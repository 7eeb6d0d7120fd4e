"""Middleware: what it sees, what it may change, and what is closed behind it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from both_clients import ARGUMENTS, EVENTS, MESSAGE, OK, error_event, failure, stream
from both_clients import kit as kit
from claude_client import (
    APIConnectionError,
    APIError,
    AsyncClaude,
    AsyncMiddleware,
    AsyncReadyResponse,
    Claude,
    Middleware,
    RateLimitError,
    ReadyResponse,
)
from claude_rest._runtime.codec import dumps
from loopback import Reset, Send, response

if TYPE_CHECKING:
    from collections.abc import Callable

    from both_clients import BothClients


def layer(
    kit: BothClients,
    *,
    call: Callable[[Any], Any] | None = None,
    attempt: Callable[[Any], Any] | None = None,
    result: Callable[[Any], Any] | None = None,
    answer: Callable[[Any], Any] | None = None,
) -> Any:
    """Return a middleware of the kit's kind that changes what goes in and what comes out."""

    def same(value: Any) -> Any:
        return value

    change_call, change_attempt = call or same, attempt or same
    change_result, change_answer = result or same, answer or same

    class Sync(Middleware):
        def around_call(self, call: Any, proceed: Any) -> Any:
            return change_result(proceed(change_call(call)))

        def around_attempt(self, attempt: Any, proceed: Any) -> Any:
            return change_answer(proceed(change_attempt(attempt)))

    class Async(AsyncMiddleware):
        async def around_call(self, call: Any, proceed: Any) -> Any:
            return change_result(await proceed(change_call(call)))

        async def around_attempt(self, attempt: Any, proceed: Any) -> Any:
            return change_answer(await proceed(change_attempt(attempt)))

    return Async() if kit.asynchronous else Sync()


def scripted(kit: BothClients, name: str, script: Callable[[Any], Any]) -> Any:
    """Return a middleware of the kit's kind with one method, told by a generator.

    The generator yields what to proceed with, is sent what came of it, and returns the result.
    """

    class Sync:
        def around(self, info: Any, proceed: Any) -> Any:
            steps = script(info)
            try:
                asked = next(steps)
                while True:
                    try:
                        result = proceed(asked)
                    except APIError as error:
                        asked = steps.throw(error)
                    else:
                        asked = steps.send(result)
            except StopIteration as stop:
                return stop.value

    class Async:
        async def around(self, info: Any, proceed: Any) -> Any:
            steps = script(info)
            try:
                asked = next(steps)
                while True:
                    try:
                        result = await proceed(asked)
                    except APIError as error:
                        asked = steps.throw(error)
                    else:
                        asked = steps.send(result)
            except StopIteration as stop:
                return stop.value

    cls: Any = Async if kit.asynchronous else Sync
    return type("Scripted", (), {name: cls.around})()


def test_order_and_what_is_seen(kit: BothClients) -> None:
    seen: list[Any] = []

    def named(name: str) -> Any:
        def note(what: str) -> Callable[[Any], Any]:
            def noting(value: Any) -> Any:
                seen.append(f"{name} {what}")
                return value

            return noting

        return layer(
            kit,
            call=note("call"),
            result=note("result"),
            attempt=note("attempt"),
            answer=note("answer"),
        )

    kit.create(failure(529), OK, settings={"middleware": [named("outer"), named("inner")]})
    attempt = ["outer attempt", "inner attempt", "inner answer", "outer answer"]
    assert seen == [
        "outer call",
        "inner call",
        *attempt,
        *attempt,
        "inner result",
        "outer result",
    ]


def test_a_call_and_its_attempts(kit: BothClients) -> None:
    calls: list[Any] = []
    attempts: list[Any] = []
    statuses: list[int] = []

    def answered(raw: Any) -> Any:
        statuses.append(raw.meta.status_code)
        return raw

    watching = layer(
        kit,
        call=lambda call: calls.append(call) or call,
        attempt=lambda attempt: attempts.append(attempt) or attempt,
        answer=answered,
    )
    kit.create(
        failure(500),
        OK,
        settings={"middleware": [watching], "api_key": "sk-ant-SECRET"},
        timeout=7,
    )
    (call,) = calls
    assert (call.operation.id, call.kind, call.via_beta) == ("messages.create", "answer", False)
    assert call.arguments["model"] == ARGUMENTS["model"]
    assert call.options == {"timeout": 7}
    assert [attempt.number for attempt in attempts] == [1, 2]
    assert statuses == [500, 200]
    assert attempts[0].request.header("x-api-key") == "sk-ant-SECRET"
    for shown in (repr(call), repr(attempts[0]), repr(attempts[0].request)):
        assert "SECRET" not in shown
        assert "Hi" not in shown


def test_changed_calls_are_what_is_sent(kit: BothClients) -> None:
    def cheaper(call: Any) -> Any:
        return call.replace(
            arguments={**call.arguments, "max_tokens": 5},
            options={**call.options, "betas": ["b-1"], "extra_headers": {"x-tag": "t"}},
        )

    def tagged(attempt: Any) -> Any:
        return attempt.replace(request=attempt.request.with_headers({"x-try": str(attempt.number)}))

    client = kit.open(failure(500), OK, middleware=[layer(kit, call=cheaper, attempt=tagged)])
    kit.run(client.messages.create(**ARGUMENTS))
    assert [request.header("x-try") for request in kit.server.requests] == ["1", "2"]
    sent = kit.sent()
    assert sent.json()["max_tokens"] == 5
    assert (sent.header("anthropic-beta"), sent.header("x-tag")) == ("b-1", "t")


def test_every_kind_of_call_goes_through(kit: BothClients) -> None:
    kinds: list[str] = []

    def note(call: Any) -> Any:
        kinds.append(call.kind)
        return call

    def page(last: bool) -> list[Any]:
        id_ = "b" if last else "a"
        model = {
            "type": "model",
            "id": id_,
            "display_name": "M",
            "created_at": "2026-01-01T00:00:00Z",
        }
        body = {"data": [model], "has_more": not last, "first_id": id_, "last_id": id_}
        return [Send(response(json=body))]

    client = kit.open(
        stream(EVENTS), stream(EVENTS), page(False), page(True), middleware=[layer(kit, call=note)]
    )
    opened = kit.run(client.messages.create(**ARGUMENTS, stream=True))
    assert len(kit.items(opened)) == 7
    manager = client.messages.stream(**ARGUMENTS)
    messages = kit.run(manager.__aenter__() if kit.asynchronous else manager.__enter__())
    assert kit.run(messages.get_final_message()).to_dict() == MESSAGE
    assert [model.id for model in kit.items(client.models.list())] == ["a", "b"]
    assert kinds == ["stream", "values", "page", "page"]


def test_answering_without_sending(kit: BothClients) -> None:
    ready = AsyncReadyResponse if kit.asynchronous else ReadyResponse
    body = dumps(MESSAGE)

    def cached(attempt: Any) -> Any:
        return ready(body, headers={"request-id": "req_cached"})
        yield

    client = kit.open(OK, middleware=[scripted(kit, "around_attempt", cached)])
    message = kit.run(client.messages.create(**ARGUMENTS))
    assert message.to_dict() == MESSAGE
    assert message.meta.request_id == "req_cached"

    def never(call: Any) -> Any:
        return "nothing sent"
        yield

    client = client.with_options(middleware=[scripted(kit, "around_call", never)])
    assert kit.run(client.messages.create(**ARGUMENTS)) == "nothing sent"
    assert not kit.server.requests

    def refused(attempt: Any) -> Any:
        error = {"type": "error", "error": {"type": "rate_limit_error", "message": "Local"}}
        return ready(dumps(error), status_code=429)
        yield

    client = client.with_options(middleware=[scripted(kit, "around_attempt", refused)])
    with pytest.raises(RateLimitError) as caught:
        kit.run(client.messages.create(**ARGUMENTS))
    assert caught.value.attempts == 3


def test_trying_again(kit: BothClients) -> None:
    def again(info: Any) -> Any:
        first = yield info
        second = yield info
        return second if first.meta.status_code == 429 else first

    attempt = scripted(kit, "around_attempt", again)
    message = kit.create(failure(429), OK, settings={"middleware": [attempt], "max_retries": 0})
    assert message.to_dict() == MESSAGE
    assert (message.meta.attempts, len(kit.server.requests)) == (1, 2)

    def fallback(info: Any) -> Any:
        try:
            return (yield info)
        except RateLimitError:
            changed = info.replace(arguments={**info.arguments, "model": "other"})
            return (yield changed)

    call = scripted(kit, "around_call", fallback)
    words = iter([{"role": "user", "content": "Hi"}])
    message = kit.create(
        failure(429), OK, settings={"middleware": [call], "max_retries": 0}, messages=words
    )
    assert message.to_dict() == MESSAGE
    assert kit.sent().json() == {**ARGUMENTS, "model": "other"}


def test_its_errors(kit: BothClients) -> None:
    tried: list[int] = []

    def unreachable(attempt: Any) -> Any:
        tried.append(attempt.number)
        raise APIConnectionError("made up", phase="connect")

    with pytest.raises(APIConnectionError, match="made up") as caught:
        kit.create(settings={"middleware": [layer(kit, attempt=unreachable)]})
    assert (caught.value.attempts, tried) == (3, [1, 2, 3])

    def broken(attempt: Any) -> Any:
        raise LookupError("a bug")

    with pytest.raises(LookupError, match="a bug"):
        kit.create(settings={"middleware": [layer(kit, attempt=broken)]})
    assert not kit.server.requests
    with pytest.raises(TypeError, match="NoneType, not a response"):
        kit.create(settings={"middleware": [layer(kit, answer=lambda _: None)]})
    with pytest.raises(APIConnectionError):
        kit.create([Reset()], settings={"middleware": [layer(kit)], "max_retries": 0})


@pytest.mark.parametrize("where", ["answer", "result"])
def test_what_it_drops_is_closed(kit: BothClients, where: str) -> None:
    """The connection of a response that nobody reads is not kept from the pool."""
    held: list[Any] = []

    def raising(value: Any) -> Any:
        held.append(value)
        raise LookupError("a bug")

    watching = layer(kit, answer=raising) if where == "answer" else layer(kit, result=raising)
    client = kit.open(stream(EVENTS), middleware=[watching])
    with pytest.raises(LookupError):
        kit.run(client.messages.create(**ARGUMENTS, stream=True))
    (value,) = held
    assert value.closed if where == "result" else value._response.is_closed


def test_a_superseded_stream_is_closed(kit: BothClients) -> None:
    opened: list[Any] = []

    def twice(info: Any) -> Any:
        opened[:] = [(yield info), (yield info)]
        return opened[-1]

    client = kit.open(stream(EVENTS), middleware=[scripted(kit, "around_call", twice)])
    result = kit.run(client.messages.create(**ARGUMENTS, stream=True))
    assert result is opened[1]
    assert [each.closed for each in opened] == [True, False]
    assert len(kit.items(result)) == 7

    opened.clear()

    def first(info: Any) -> Any:
        opened[:] = [(yield info), (yield info)]
        return opened[0]

    client = kit.open(stream(EVENTS), middleware=[scripted(kit, "around_call", first)])
    result = kit.run(client.messages.create(**ARGUMENTS, stream=True))
    assert [each.closed for each in opened] == [False, True]
    assert len(kit.items(result)) == 7


def test_first_events_are_retried_inside(kit: BothClients) -> None:
    numbers: list[int] = []

    def note(attempt: Any) -> Any:
        numbers.append(attempt.number)
        return attempt

    script = (stream([error_event("overloaded_error")]), stream(EVENTS))
    client = kit.open(*script, middleware=[layer(kit, attempt=note)])
    assert len(kit.items(kit.run(client.messages.create(**ARGUMENTS, stream=True)))) == 7
    assert numbers == [1, 2]


def test_an_object_that_is_called_is_of_the_kind_of_its_method(kit: BothClients) -> None:
    class Asynchronous:
        async def __call__(self, info: Any, proceed: Any) -> Any:
            return await proceed(info)

    class Synchronous:
        def __call__(self, info: Any, proceed: Any) -> Any:
            return proceed(info)

    right, wrong = (
        (Asynchronous(), Synchronous()) if kit.asynchronous else (Synchronous(), Asynchronous())
    )
    client = kit.open(OK, middleware=[SimpleNamespace(around_call=right)])
    assert kit.run(client.messages.create(**ARGUMENTS)).id == MESSAGE["id"]
    with pytest.raises(TypeError, match="synchronous methods"):
        kit.client_class(api_key="k", middleware=[SimpleNamespace(around_call=wrong)])


def test_the_wrong_kind_is_refused_at_construction(kit: BothClients) -> None:
    make = kit.client_class
    wrong: Any = Middleware() if kit.asynchronous else AsyncMiddleware()
    with pytest.raises(TypeError, match="synchronous methods"):
        make(api_key="k", middleware=[wrong])
    client = make(api_key="k")
    with pytest.raises(TypeError, match="synchronous methods"):
        client.with_options(middleware=[wrong])
    with pytest.raises(TypeError, match="neither around_call"):
        make(api_key="k", middleware=[object()])
    with pytest.raises(TypeError, match="instance"):
        make(api_key="k", middleware=[AsyncMiddleware if kit.asynchronous else Middleware])


def test_a_half_converted_middleware_is_refused() -> None:
    class Half(AsyncMiddleware):
        def around_call(self, call: Any, proceed: Any) -> Any:
            return proceed(call)

    with pytest.raises(TypeError, match="Half"):
        AsyncClaude(api_key="k", middleware=[Half()])


def test_with_options_replaces_it(kit: BothClients) -> None:
    seen: list[str] = []
    noting = layer(kit, call=lambda call: seen.append("seen") or call)
    client = kit.open(OK, middleware=[noting])
    kit.run(client.with_options(timeout=5).messages.create(**ARGUMENTS))
    kit.run(client.with_options(middleware=[]).messages.create(**ARGUMENTS))
    assert seen == ["seen"]


def test_it_may_wait_in_an_event_loop() -> None:
    class Slow(AsyncMiddleware):
        async def around_attempt(self, attempt: Any, proceed: Any) -> Any:
            await asyncio.sleep(10)
            return await proceed(attempt)

    async def call() -> None:
        async with AsyncClaude(api_key="k", middleware=[Slow()]) as client:
            await asyncio.wait_for(client.messages.create(**ARGUMENTS), 0.05)

    with pytest.raises((TimeoutError, asyncio.TimeoutError)):
        asyncio.run(call())


def test_plain_objects_will_do() -> None:
    class Counting:
        calls = 0

        def around_call(self, call: Any, proceed: Any) -> Any:
            self.calls += 1
            return ReadyResponse(b"")

    counting: Any = Counting()
    with Claude(api_key="k", middleware=[counting]) as client:
        client.messages.create(**ARGUMENTS)
    assert counting.calls == 1
