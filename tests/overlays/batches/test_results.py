"""Reading results to their end, whatever happens on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from claude_client import (
    APIConnectionError,
    APIResponseValidationError,
    BatchResultsError,
    NotFoundError,
    RequestOrder,
)
from claude_client.batches.results import MAX_INTERRUPTIONS
from loopback import Close, LoopbackServer, Send, chunked, response
from twins import Twin, each, entered, settle

HEADERS = {"content-type": "application/x-jsonl"}


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Twin:
    return Twin(request.param == "async")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    from claude_client import BatchPolling
    from claude_client.batches import results

    monkeypatch.setattr(results, "_SOON", BatchPolling(0.001, 0.01))


def line(name: str) -> bytes:
    return json.dumps({"custom_id": name, "result": {"type": "canceled"}}).encode() + b"\n"


def whole(*lines: bytes) -> list[Any]:
    return [Send(chunked(lines, headers=HEADERS))]


def cut(*lines: bytes) -> list[Any]:
    return [Send(chunked(lines, headers=HEADERS, end=False)), Close()]


async def read(twin: Twin, server: LoopbackServer) -> list[str]:
    client = twin.client(server.url, max_retries=0)
    try:
        async with entered(client.messages.batches.iter_results("msgbatch_1")) as results:
            return [item.custom_id async for item in each(results)]
    finally:
        await settle(client.close())


def test_an_interrupted_download_goes_on_in_any_order(twin: Twin) -> None:
    async def body() -> None:
        replies = [
            cut(line("a"), line("b")),
            cut(line("c"), line("a"), line("b")[:-9]),
            whole(b"\r\n", line("b"), line("d"), b"\n", line("a"), line("c")),
        ]
        with LoopbackServer(replies) as server:
            assert await read(twin, server) == ["a", "b", "c", "d"]
            assert len(server.requests) == 3

    twin.run(body)


def test_a_body_that_ends_inside_a_line_is_read_again(twin: Twin) -> None:
    async def body() -> None:
        replies = [whole(line("a"), line("b")[:10]), whole(line("a"), line("b")[:-1])]
        with LoopbackServer(replies) as server:
            assert await read(twin, server) == ["a", "b"]

    twin.run(body)


def test_a_download_without_progress_is_given_up(twin: Twin) -> None:
    async def body() -> None:
        with LoopbackServer([cut(line("a"))]) as server:
            with pytest.raises(APIConnectionError):
                await read(twin, server)
            # The one that brought a result, five without, and the one that was too much.
            assert len(server.requests) == 1 + MAX_INTERRUPTIONS

    twin.run(body)


def test_a_broken_line_says_which_and_what_is_in_it(twin: Twin) -> None:
    async def body() -> None:
        broken = b'{"custom_id": "request-7", "result": {oh}}\n'
        with LoopbackServer([whole(line("a"), b"\n", broken, line("c"))]) as server:
            with pytest.raises(APIResponseValidationError, match=r"line 3.*request-7"):
                await read(twin, server)
            assert len(server.requests) == 1

    twin.run(body)


def test_leaving_early_closes_the_response(twin: Twin) -> None:
    async def body() -> None:
        lines = [line(f"r{number}") for number in range(50_000)]
        with LoopbackServer([whole(*lines), [Send(response(404, json={}))]]) as server:
            client = twin.client(server.url)
            async with entered(client.messages.batches.iter_results("msgbatch_1")) as results:
                async for item in each(results):
                    assert item.custom_id == "r0"
                    break
            assert server.wait_until_idle(20)
            with pytest.raises(NotFoundError):
                async for _ in each(client.messages.batches.iter_results("msgbatch_2")):
                    pass
            await settle(client.close())

    twin.run(body)


def test_lines_come_out_in_the_order_of_the_requests() -> None:
    wanted = [f"r{number}" for number in range(1000)]
    order = RequestOrder(iter(wanted), "msgbatch_1")
    for number, name in enumerate(reversed(wanted), 1):
        order.take(line(name), number)
        order.take(b"\r", number)
        order.take(line(name), number)
    assert len(order) == 1000
    assert [json.loads(text)["custom_id"] for text in order] == wanted
    order.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (line("b"), "'b', which is no request"),
        (b"{broken", "line 7 is no result"),
        (b"{}", "line 7 is no result"),
        (b"[]", "line 7 is no result"),
        (b'{"custom_id": []}', "line 7 is no result"),
    ],
)
def test_lines_that_belong_to_no_request_are_refused(text: bytes, said: str) -> None:
    order = RequestOrder(["a"], "msgbatch_1")
    with pytest.raises(BatchResultsError, match=said):
        order.take(text, 7)
    with pytest.raises(BatchResultsError, match="none for its request 0"):
        list(order)
    order.close()
