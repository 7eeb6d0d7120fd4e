"""One call, one deadline: for all its attempts, the waits between them, and reading the answer."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx as httpx  # Loading it must not take from the deadline of the first test.
import pytest

from both_clients import ARGUMENTS, EVENTS, MESSAGE, OK, failure, stream
from both_clients import kit as kit
from claude_client import (
    APITimeoutError,
    AsyncClaude,
    InternalServerError,
    OverloadedError,
    Timeout,
)
from loopback import LoopbackServer, Pause, Send, chunked, event, response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from both_clients import BothClients

SOON = Timeout(30, deadline=1.0)
LATER = Timeout(30, deadline=2.5)
SLOW_HEADERS = [Pause(20), *OK]
SLOW_BODY = [Send(response(json=MESSAGE)[:-5]), Pause(20)]


@pytest.fixture
def at_once() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 15


def slow_stream(events: list[dict[str, Any]]) -> list[Any]:
    return [Send(chunked([event(data["type"], data) for data in events], end=False)), Pause(20)]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("reply", [SLOW_HEADERS, SLOW_BODY], ids=["headers", "body"])
@pytest.mark.parametrize("where", ["client", "call"])
def test_waiting_for_the_answer(kit: BothClients, reply: list[Any], where: str) -> None:
    with pytest.raises(APITimeoutError) as caught:
        if where == "client":
            kit.create(reply, settings={"timeout": SOON})
        else:
            kit.create(reply, settings={"timeout": Timeout(30, deadline=25)}, timeout=SOON)
    assert caught.value.limit == "deadline"
    assert (caught.value.attempts, len(kit.server.requests)) == (1, 1)


@pytest.mark.usefixtures("at_once")
def test_all_attempts_share_it(kit: BothClients) -> None:
    with pytest.raises(APITimeoutError) as caught:
        kit.create(failure(500), failure(500), SLOW_HEADERS, timeout=LATER, max_retries=9)
    assert caught.value.attempts == len(kit.server.requests) == 3


@pytest.mark.usefixtures("at_once")
def test_an_error_whose_body_it_cuts_short_says_so(kit: BothClients) -> None:
    head, _, body = response(529, json={"type": "error"}).partition(b"\r\n\r\n")
    begun = [Send(head + b"\r\n\r\n" + body[:3]), Pause(20)]
    with pytest.raises(OverloadedError) as caught:
        kit.create(begun, timeout=SOON)
    assert "the body could not be read: timed out after 1 s, the deadline," in str(caught.value)
    assert isinstance(caught.value.__cause__, APITimeoutError)


@pytest.mark.usefixtures("at_once")
def test_no_wait_passes_it(kit: BothClients) -> None:
    with pytest.raises(InternalServerError, match="deadline") as caught:
        kit.create(failure(500, retry_after="20"), timeout=SOON)
    assert caught.value.attempts == len(kit.server.requests) == 1


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("arrived", [0, 4])
def test_reading_a_stream(kit: BothClients, arrived: int) -> None:
    client = kit.open(slow_stream(EVENTS[:arrived]))
    with pytest.raises(APITimeoutError) as caught:
        kit.items(kit.run(client.messages.create(**ARGUMENTS, stream=True, timeout=SOON)))
    assert caught.value.limit == "deadline"
    assert len(kit.server.requests) == 1


@pytest.mark.usefixtures("at_once")
def test_a_message_streamed_unasked(kit: BothClients) -> None:
    with pytest.raises(APITimeoutError) as caught:
        kit.create(slow_stream(EVENTS[:4]), max_tokens=64_000, timeout=SOON)
    assert caught.value.limit == "deadline"
    assert caught.value.partial.content[0].text == "Hel"


def test_each_page_has_its_own(kit: BothClients) -> None:
    def page(id_: str, more: bool) -> list[Any]:
        model = {
            "type": "model",
            "id": id_,
            "display_name": "M",
            "created_at": "2026-01-01T00:00:00Z",
        }
        body = {"data": [model], "has_more": more, "first_id": id_, "last_id": id_}
        return [Pause(0.6), Send(response(json=body))]

    client = kit.open(page("a", True), page("b", True), page("c", False))
    models = kit.items(client.models.list(timeout=Timeout(30, deadline=1.6)))
    assert [model.id for model in models] == ["a", "b", "c"]


def test_in_time(kit: BothClients) -> None:
    limit = Timeout(deadline=20)
    assert kit.create(failure(500), OK, timeout=limit).to_dict() == MESSAGE
    client = kit.open(stream(EVENTS))
    assert len(kit.items(kit.run(client.messages.create(**ARGUMENTS, stream=True)))) == 7


@pytest.mark.usefixtures("at_once")
def test_a_wait_can_be_cancelled() -> None:
    async def call() -> None:
        with LoopbackServer([failure(529, retry_after="30")]) as server:
            async with AsyncClaude(api_key="k", base_url=server.url) as client:
                task = asyncio.create_task(client.messages.create(**ARGUMENTS))
                await asyncio.sleep(0.3)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert len(server.requests) == 1

    asyncio.run(call())


@pytest.mark.usefixtures("at_once")
def test_a_wait_can_be_interrupted(kit: BothClients, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    if kit.asynchronous:
        monkeypatch.setattr(asyncio, "sleep", interrupt)
    else:
        monkeypatch.setattr(time, "sleep", interrupt)
    client = kit.open(failure(529, retry_after="30"), OK)
    with pytest.raises(KeyboardInterrupt):
        kit.run(client.messages.create(**ARGUMENTS))
