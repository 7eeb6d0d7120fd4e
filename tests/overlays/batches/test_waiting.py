"""When batches are asked about, and what the answers come to."""

from __future__ import annotations

from typing import Any

import pytest

from claude_client import (
    APIConnectionError,
    BadRequestError,
    BatchPolling,
    BatchProgress,
    BatchWaitTimeoutError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
)
from claude_client.batches.waiting import passes

from .making import AT_ONCE, FAST, Lab, make, settle


def test_waits_grow_to_the_longest() -> None:
    polling = BatchPolling(1, 60, factor=2, jitter=0.5, random=lambda: 0.0)
    assert [polling.wait(n) for n in (0, 1, 2, 5, 6, 10_000)] == [1, 2, 4, 32, 60, 60]
    shaken = BatchPolling(1, 60, factor=2, jitter=0.5, random=lambda: 1.0)
    assert [shaken.wait(n) for n in (0, 10)] == [0.5, 30]
    steady = BatchPolling.of(7)
    assert {steady.wait(n) > 5.5 and steady.wait(n) <= 7 for n in range(9)} == {True}
    assert BatchPolling.of(None).first < 2
    assert BatchPolling.of(polling) is polling


@pytest.mark.parametrize(
    "bad", [{"first": 0}, {"first": 9, "longest": 1}, {"factor": 0.5}, {"jitter": 1}]
)
def test_waits_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="polling"):
        BatchPolling(**bad)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (OverloadedError("x"), True),
        (RateLimitError("x"), True),
        (APIConnectionError("x"), True),
        (NotFoundError("x"), False),
        (BadRequestError("x"), False),
    ],
)
def test_some_failures_pass(error: Any, answer: bool) -> None:
    assert passes(error) is answer


def test_waiting_for_a_batch_tells_how_far_it_is(lab: Lab) -> None:
    seen: list[BatchProgress] = []

    async def body() -> None:
        client = lab.client()
        batch = await settle(client.messages.batches.create(requests=make(3)))
        ended = await settle(
            client.messages.batches.wait(batch.id, poll=FAST, progress=seen.append)
        )
        assert ended.processing_status == "ended"
        assert [(each.processing, each.succeeded, each.ended) for each in seen] == [
            (3, 0, 0),
            (0, 3, 1),
        ]
        assert seen[1].done == seen[1].total == 3
        await settle(client.close())

    lab.run(body)


def test_a_failing_server_is_asked_again(lab: Lab) -> None:
    async def body() -> None:
        client = lab.client(max_retries=0)
        batch = await settle(client.messages.batches.create(requests=make(1)))
        lab.api.on("messages.batches.retrieve").fail(529).fail(500).once()
        ended = await settle(client.messages.batches.wait(batch.id, poll=FAST))
        assert ended.processing_status == "ended"
        with pytest.raises(NotFoundError):
            await settle(client.messages.batches.wait("msgbatch_none", poll=FAST))
        impatient = BatchPolling(0.001, 0.01, patience=0)
        lab.api.on("messages.batches.retrieve").fail(529)
        with pytest.raises(OverloadedError):
            await settle(client.messages.batches.wait(batch.id, poll=impatient))
        await settle(client.close())

    lab.run(body)


def test_a_wait_ends_when_its_time_is_over(lab: Lab) -> None:
    async def body() -> None:
        client = lab.client(retry=AT_ONCE)
        batch = await settle(client.messages.batches.create(requests=make(1)))
        with pytest.raises(BatchWaitTimeoutError, match="go on") as error:
            await settle(client.messages.batches.wait(batch.id, poll=9, wait_timeout=0))
        assert error.value.batch_ids == (batch.id,)
        assert isinstance(error.value, TimeoutError)
        await settle(client.close())

    lab.run(body)


def test_a_bar_is_asked_for_by_true(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    async def body() -> None:
        client = lab.client()
        batch = await settle(client.messages.batches.create(requests=make(1)))
        await settle(client.messages.batches.wait(batch.id, poll=FAST, progress=True))
        await settle(client.close())

    lab.run(body)
    # It is not a terminal.
    assert capsys.readouterr().err == ""
