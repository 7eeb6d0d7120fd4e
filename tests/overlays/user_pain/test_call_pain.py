"""Calls: what is sent, retried, waited for and said when it fails."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from claude_client import Claude, MissingCredentialsError, RetryPolicy, Timeout
from claude_client.errors import (
    APIConnectionError,
    APITimeoutError,
    ConflictError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
)
from exchanges import ARGUMENTS, answer, failure, message, streamed, text_events
from loopback import Close, LoopbackServer, Pause, Reset, Send
from twins import Twin, each, entered, settle


def test_row_03_what_the_api_takes_can_be_passed(twin: Twin) -> None:
    """``temperature`` is known to an older version of the API, and goes out with that one."""

    async def body() -> None:
        with LoopbackServer([answer(message())]) as server:
            client = twin.client(server.url)
            await settle(
                client.messages.create(**ARGUMENTS, temperature=0.5, extra_body={"new_field": 1})
            )
            sent = server.requests[0]
            assert sent.json()["temperature"] == 0.5
            assert sent.json()["new_field"] == 1
            assert sent.header("anthropic-version") == "2023-06-01"
            with pytest.raises(TypeError, match="temprature"):
                await settle(client.messages.create(**ARGUMENTS, temprature=0.5))
            await settle(client.close())

    twin.run(body)


def test_row_08_a_wait_longer_than_the_limit_is_refused_at_once(twin: Twin) -> None:
    async def body() -> None:
        far = failure(429, "rate_limit_error", retry_after="259200")
        with LoopbackServer([far, answer(message())]) as server:
            client = twin.client(server.url)
            with pytest.raises(RateLimitError, match="259200") as error:
                await settle(client.messages.create(**ARGUMENTS))
            assert error.value.retry_after == 259200.0
            assert len(server.requests) == 1
            await settle(client.close())

    twin.run(body)


def test_row_08_many_that_wait_do_not_come_back_at_once() -> None:
    from claude_client import Outcome, Retry

    waits: set[float] = set()
    outcome = Outcome("response", status=429, headers={"retry-after": "20"})
    for _ in range(20):
        decision = RetryPolicy().decide(1, outcome, 0.0)
        assert isinstance(decision, Retry)
        assert decision.wait >= 20.0
        waits.add(decision.wait)
    assert len(waits) == 20


def test_row_10_beta_flags_are_united_never_overwritten(twin: Twin) -> None:
    async def body() -> None:
        with LoopbackServer([answer(message())]) as server:
            client = twin.client(server.url, default_headers={"anthropic-beta": "a-1"})
            await settle(
                client.messages.create(
                    **ARGUMENTS, betas=["b-1", "a-1"], extra_headers={"anthropic-beta": "c-1"}
                )
            )
            sent = server.requests[0].header("anthropic-beta")
            assert sent is not None
            assert sorted(sent.replace(" ", "").split(",")) == ["a-1", "b-1", "c-1"]
            await settle(client.close())

    twin.run(body)


@pytest.mark.parametrize("max_tokens", [32_000, 128_000])
def test_row_14_a_long_answer_is_not_refused(twin: Twin, max_tokens: int) -> None:
    arguments = {**ARGUMENTS, "max_tokens": max_tokens}

    async def body() -> None:
        with LoopbackServer([streamed(text_events("Hello")), answer(message())]) as server:
            client = twin.client(server.url)
            under_the_hood = await settle(client.messages.create(**arguments))
            plain = await settle(client.messages.create(**arguments, auto_stream=False))
            assert server.requests[0].json()["stream"] is True
            assert "stream" not in server.requests[1].json()
            assert type(under_the_hood) is type(plain)
            assert under_the_hood.content[0].text == "Hello"
            assert under_the_hood.meta.request_id == "req_1"
            await settle(client.close())

    twin.run(body)


def test_row_20_a_failed_connection_says_where_when_and_why(twin: Twin) -> None:
    with LoopbackServer([[Close()]]) as server:
        refused = server.url

    async def body() -> None:
        client = twin.client(refused, max_retries=1, retry=RetryPolicy(1, random=lambda: 0.0))
        with pytest.raises(APIConnectionError) as error:
            await settle(client.messages.create(**ARGUMENTS))
        text = str(error.value)
        assert "messages.create" in text
        assert refused in text
        assert "attempt 2" in text
        assert error.value.phase == "connect"
        assert error.value.__cause__ is not None
        await settle(client.close())

    twin.run(body)


def test_row_20_a_server_without_tls_is_told_from_one_that_is_away(twin: Twin) -> None:
    async def body() -> None:
        with LoopbackServer([answer(message())], answer_unread=True) as server:
            client = twin.client(server.url.replace("http://", "https://"), max_retries=0)
            with pytest.raises(APIConnectionError) as error:
                await settle(client.messages.create(**ARGUMENTS))
            assert error.value.phase == "tls"
            await settle(client.close())

    twin.run(body)


def test_row_28_one_deadline_holds_for_all_attempts(twin: Twin) -> None:
    async def body() -> None:
        busy = [Pause(0.3), *failure(529, "overloaded_error")]
        with LoopbackServer([busy]) as server:
            policy = RetryPolicy(100, backoff_max=0.05)
            client = twin.client(server.url, retry=policy, timeout=Timeout(deadline=60))
            with pytest.raises((APITimeoutError, OverloadedError)) as error:
                # The call's own limits win over the client's.
                await settle(client.messages.create(**ARGUMENTS, timeout=Timeout(deadline=1.0)))
            # Whether it came upon a wait, upon the headers or upon the body of an answer.
            assert "deadline" in str(error.value)
            assert len(server.requests) < 50
            await settle(client.close())

    twin.run(body)


def test_row_29_what_may_have_happened_is_not_repeated(twin: Twin) -> None:
    async def body() -> None:
        with LoopbackServer([[Reset()]]) as server:
            client = twin.client(server.url, retry=RetryPolicy(2, random=lambda: 0.0))
            for count, call in (
                (1, lambda: client.messages.create(**ARGUMENTS)),
                (1, lambda: client.messages.batches.cancel("msgbatch_1")),
                (3, lambda: client.models.retrieve("claude-opus-5-5")),
            ):
                before = len(server.requests)
                with pytest.raises(APIConnectionError):
                    await settle(call())
                assert len(server.requests) - before == count
            await settle(client.close())

    twin.run(body)


def test_row_31_ids_and_limits_are_on_every_result_and_error(twin: Twin) -> None:
    headers = {
        "anthropic_organization_id": "org_1",
        "anthropic_ratelimit_requests_limit": "50",
        "anthropic_ratelimit_requests_remaining": "49",
        "anthropic_ratelimit_requests_reset": "2026-11-22T00:00:00Z",
    }

    async def body() -> None:
        script = [
            answer(message(), **headers),
            answer(message(), **headers),
            failure(404, "not_found_error", **headers),
        ]
        with LoopbackServer(script) as server:
            client = twin.client(server.url)
            first = await settle(client.messages.create(**ARGUMENTS))
            assert first.request_id == "req_1"
            assert first.organization_id == "org_1"
            assert first.rate_limits.requests.remaining == 49
            # It is no part of the value.
            assert first == await settle(client.messages.create(**ARGUMENTS))
            assert "request_id" not in first.to_dict()
            with pytest.raises(NotFoundError) as error:
                await settle(client.messages.create(**ARGUMENTS))
            assert error.value.request_id == "req_1"
            assert error.value.organization_id == "org_1"
            await settle(client.close())

    twin.run(body)


def test_row_33_retries_paging_and_raising_come_with_the_client(twin: Twin) -> None:
    def page(name: str, more: bool) -> list[Any]:
        model = {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": "2026-01-01T00:00:00Z",
        }
        return answer({"data": [model], "has_more": more, "first_id": name, "last_id": name})

    async def body() -> None:
        script = [failure(503, "api_error"), page("a", True), page("b", False)]
        with LoopbackServer(script) as server:
            client = twin.client(server.url, retry=RetryPolicy(2, random=lambda: 0.0))
            assert [model.id async for model in each(client.models.list())] == ["a", "b"]
            assert server.requests[2].target == "/v1/models?after_id=a"
            await settle(client.close())

    twin.run(body)


@pytest.mark.parametrize(
    ("code", "attempts"), [("concurrent_membership_change", 2), ("plugin_name_taken", 1)]
)
def test_row_33_a_conflict_is_repeated_only_where_that_helps(
    twin: Twin, code: str, attempts: int
) -> None:
    async def body() -> None:
        with LoopbackServer([failure(409, "conflict_error", code)]) as server:
            client = twin.client(server.url, retry=RetryPolicy(1, random=lambda: 0.0))
            with pytest.raises(ConflictError):
                await settle(client.models.retrieve("claude-opus-5-5"))
            assert len(server.requests) == attempts
            await settle(client.close())

    twin.run(body)


def test_row_36_logs_and_reprs_hold_neither_prompts_nor_keys(
    twin: Twin, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        with LoopbackServer([answer(message()), streamed(text_events("SECRET-REPLY"))]) as server:
            client = twin.client(server.url, api_key="sk-SECRET-KEY")
            arguments = {**ARGUMENTS, "messages": [{"role": "user", "content": "SECRET-PROMPT"}]}
            with caplog.at_level(logging.DEBUG):
                await settle(client.messages.create(**arguments))
                async with entered(client.messages.stream(**arguments)) as stream:
                    await settle(stream.get_final_message())
            ours = [each_one for each_one in caplog.records if "claude" in each_one.name]
            assert ours
            assert "SECRET" not in caplog.text
            assert all("SECRET" not in str(vars(each_one)) for each_one in ours)
            assert "SECRET" not in repr(client)
            await settle(client.close())

    twin.run(body)


def test_row_44_a_missing_key_is_told_at_construction_with_the_ways_to_give_it() -> None:
    with pytest.raises(MissingCredentialsError) as error:
        Claude()
    for way in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "api_key", "auth_token"):
        assert way in str(error.value)


def test_row_24_results_survive_odd_line_ends_and_are_closed_on_every_path(twin: Twin) -> None:
    lines = [
        b'{"custom_id": "a", "result": {"type": "canceled"}}\r',
        b"\n\r\n\n",
        b'{"custom_id": "b", "result": {"type": "expired"}}\r\n',
    ]

    def results(*extra: bytes) -> list[Any]:
        from loopback import chunked

        headers = {"content-type": "application/x-jsonl"}
        return [Send(chunked([*lines, *extra], headers=headers))]

    async def body() -> None:
        with LoopbackServer([results(), results(b"{broken\n", b"more\n" * 10)]) as server:
            client = twin.client(server.url)
            whole = await settle(client.messages.batches.results("msgbatch_1"))
            assert [line.custom_id async for line in each(whole)] == ["a", "b"]
            broken = await settle(client.messages.batches.results("msgbatch_1"))
            with pytest.raises(Exception, match="line 5"):
                async for _ in each(broken):
                    pass
            assert broken.closed
            await settle(client.close())

    twin.run(body)
