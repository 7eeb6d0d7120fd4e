"""Whole runs against the mock API, interrupted and resumed."""

from __future__ import annotations

import asyncio
import gc
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import (
    APIConnectionError,
    BatchError,
    BatchInDoubtError,
    BatchInputChangedError,
    BatchJournal,
    BatchJournalError,
    BatchJournalLockedError,
    BatchPolling,
    BatchProgress,
    BatchRequestError,
    BatchResultsError,
    BatchWaitTimeoutError,
    NotFoundError,
)
from claude_client.batches.driving import in_thread
from claude_client.testing import Fault

from .making import FAST, Lab, collect, make, names, run_all, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

SPLIT: dict[str, Any] = {"max_requests": 10, "settle_seconds": 0}


class Interruption(BaseException):
    """Stands for the death of the process."""


def interrupted(lab: Lab, monkeypatch: pytest.MonkeyPatch, *, after: bool, number: int) -> None:
    """Let the ``number``-th creation end in an interruption, before or after it was carried out."""
    handle = lab.api.handle
    seen = [0]

    def handled(request: Any) -> Any:
        if request.method == "POST" and request.path == "/v1/messages/batches":
            seen[0] += 1
            if seen[0] == number:
                if after:
                    handle(request)
                raise Interruption
        return handle(request)

    monkeypatch.setattr(lab.api, "handle", handled)


def answered(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any], times: int = 1
) -> None:
    """Let the answer to the first creation that succeeds be another one."""
    handle = lab.api.handle
    left = [times]

    def handled(request: Any) -> Any:
        answer = handle(request)
        if request.method == "POST" and request.path == "/v1/messages/batches" and left[0]:
            left[0] -= 1
            return change(answer)
        return answer

    monkeypatch.setattr(lab.api, "handle", handled)


def creations(lab: Lab) -> int:
    return len(lab.api.calls.of("messages.batches.create"))


@pytest.mark.parametrize("order", ["arrival", "request"])
@pytest.mark.parametrize("count", [0, 1, 10, 25])
def test_every_request_has_a_result(lab: Lab, order: str, count: int) -> None:
    async def body() -> None:
        client = lab.client()
        requests = make(count)
        found = await run_all(client, iter(requests), order=order, **SPLIT)
        assert sorted(found) == sorted(names(requests))
        if order == "request":
            assert found == names(requests)
        assert creations(lab) == -(-count // 10)
        await settle(client.close())

    lab.run(body)


def test_requests_that_are_awaited(lab: Lab, tmp_path: Path) -> None:
    async def awaited() -> AsyncIterator[Any]:
        for request in make(150):
            yield request

    async def body() -> None:
        client = lab.client()
        given: dict[str, Any] = {"max_requests": 100, "journal": tmp_path / "j"}
        if not lab.asynchronous:
            with pytest.raises(TypeError, match="needs an asynchronous client"):
                await run_all(client, awaited())
            client.close()
            return
        for _ in range(2):
            found = await run_all(client, awaited(), order="request", **given)
            assert found == names(make(150))
        assert creations(lab) == 2
        await client.close()

    lab.run(body)


def test_content_of_files_goes_into_requests(lab: Lab, tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.write_bytes(b"\x89PNG" + bytes(1_000_000))

    def requests() -> list[Any]:
        found = make(3)
        for request in found:
            source = {"type": "base64", "media_type": "image/png", "data": image}
            content = [{"type": "image", "source": source}]
            request["params"]["messages"] = [{"role": "user", "content": content}]
        return found

    async def body() -> None:
        client = lab.client()
        for _ in range(2):
            found = await run_all(client, requests(), journal=tmp_path / "j", order="request")
            assert found == ["r0", "r1", "r2"]
        image.write_bytes(b"another")
        with pytest.raises(BatchInputChangedError):
            await run_all(client, requests(), journal=tmp_path / "j")
        image.unlink()
        with pytest.raises(BatchRequestError, match=r"request 0 .*a\.png") as missing:
            await run_all(client, requests())
        assert isinstance(missing.value.__cause__, FileNotFoundError)
        assert creations(lab) == 1
        await settle(client.close())

    lab.run(body)


def test_a_run_that_failed_is_not_begun_anew(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        client = lab.client()
        run = client.messages.batches.run(make(25), poll=FAST, **SPLIT)
        with monkeypatch.context() as patched:
            interrupted(lab, patched, after=False, number=2)
            with pytest.raises(Interruption):
                await settle(run.submit())
        for again in (run.submit, lambda: collect(run)):
            with pytest.raises(BatchError, match="make another run"):
                await settle(again())
        assert creations(lab) == 1
        await settle(client.close())

    lab.run(body)


def test_tasks_that_iterate_over_one_run_create_it_once(lab: Lab) -> None:
    async def body() -> None:
        client = lab.client()
        run = client.messages.batches.run(make(25), poll=FAST, **SPLIT)
        if lab.asynchronous:
            found = await asyncio.gather(collect(run), collect(run), return_exceptions=True)
            assert isinstance(found[1], BatchError)
            assert len(found[0]) == 25  # type: ignore[arg-type]
        else:
            assert len(await collect(run)) == 25
        assert creations(lab) == 3
        await settle(client.close())

    lab.run(body)


def test_the_order_of_requests_is_gone_with_the_run(lab: Lab) -> None:
    async def body() -> None:
        client = lab.client()
        run = client.messages.batches.run(make(5), poll=FAST, order="request")
        assert len(await collect(run)) == 5
        with pytest.raises(BatchError, match="closed"):
            await collect(run)
        await settle(client.close())

    lab.run(body)


def test_a_run_without_block_locks_its_journal_no_longer_than_it_lives(
    lab: Lab, tmp_path: Path
) -> None:
    async def body() -> None:
        client = lab.client()
        await settle(client.messages.batches.run(make(5), poll=FAST, journal=tmp_path / "j").wait())
        gc.collect()
        assert len(await run_all(client, make(5), journal=tmp_path / "j")) == 5
        assert creations(lab) == 1
        await settle(client.close())

    lab.run(body)


def test_a_run_takes_requests_or_a_journal(lab: Lab) -> None:
    async def body() -> None:
        client = lab.client()
        with pytest.raises(TypeError, match="takes requests"):
            await run_all(client, None)
        await settle(client.close())

    lab.run(body)


def test_work_in_a_thread_is_waited_for_when_its_task_is_cancelled() -> None:
    begun, let_go, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert let_go.wait(60)
        ended.set()

    async def body() -> None:
        task = asyncio.ensure_future(in_thread(work))
        await asyncio.to_thread(begun.wait, 60)
        for _ in range(2):
            task.cancel()
            for _ in range(10):
                await asyncio.sleep(0)
        assert not task.done()
        let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(body())


@pytest.mark.parametrize("order", ["arrival", "request"])
def test_a_finished_journal_gives_the_results_again_for_nothing(
    lab: Lab, tmp_path: Path, order: str
) -> None:
    async def body() -> None:
        client = lab.client()
        for _ in range(2):
            found = await run_all(client, make(25), journal=tmp_path / "j", order=order, **SPLIT)
            assert sorted(found) == sorted(names(make(25)))
        without = await run_all(client, None, journal=tmp_path / "j")
        assert sorted(without) == sorted(names(make(25)))
        assert creations(lab) == 3
        with pytest.raises(BatchJournalError, match="order of the requests"):
            await run_all(client, None, journal=tmp_path / "j", order="request")
        await settle(client.close())

    lab.run(body)


@pytest.mark.parametrize("after", [False, True], ids=["not created", "created"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_run_that_died_while_creating_goes_on(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool, number: int
) -> None:
    async def body() -> None:
        client = lab.client()
        with monkeypatch.context() as patched:
            interrupted(lab, patched, after=after, number=number)
            with pytest.raises(Interruption):
                await run_all(client, make(25), journal=tmp_path / "j", **SPLIT)
        with BatchJournal(tmp_path / "j") as journal:
            assert journal.in_doubt(number - 1) is not None
            assert len(journal.batch_ids) == number - 1
        # Somebody else's batches of the same size, some of them with some of the names.
        for other in (make(10, "other"), make(5) + make(5, "x"), make(5, "y")):
            await settle(client.messages.batches.create(requests=other))
        found = await run_all(client, make(25), journal=tmp_path / "j", order="request", **SPLIT)
        assert found == names(make(25))
        mine = [name for name in lab.created() if name[0] == "r"]
        assert sorted(mine) == sorted(names(make(25)) + names(make(5)))
        await settle(client.close())

    lab.run(body)


def test_batches_that_nothing_tells_apart_are_left_to_a_person(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        client = lab.client()
        with monkeypatch.context() as patched:
            interrupted(lab, patched, after=True, number=1)
            with pytest.raises(Interruption):
                await run_all(client, make(5), journal=tmp_path / "j", **SPLIT)
        twin = await settle(client.messages.batches.create(requests=make(5)))
        with pytest.raises(BatchInDoubtError, match="settle") as error:
            await run_all(client, make(5), journal=tmp_path / "j", **SPLIT)
        assert error.value.part == 0
        assert twin.id in error.value.batch_ids
        assert len(error.value.batch_ids) == 2
        BatchJournal.settle(tmp_path / "j", 0, error.value.batch_ids[0])
        assert len(await run_all(client, make(5), journal=tmp_path / "j", **SPLIT)) == 5
        assert creations(lab) == 2
        await settle(client.close())

    lab.run(body)


@pytest.mark.parametrize(
    "how", ["disconnect", "reset", "garbage", "cut", "504", "500", "not json", "408"]
)
def test_an_answer_that_is_lost_is_not_paid_twice(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    faults = {
        "disconnect": Fault(disconnect=True),
        "reset": Fault(reset=True),
        "garbage": Fault(garbage=True),
        "cut": Fault(cut_after_bytes=20),
    }

    async def body() -> None:
        client = lab.client()
        if how in faults:
            lab.api.on("messages.batches.create").fault(faults[how]).once()
        elif how == "not json":
            answered(lab, monkeypatch, lambda answer: replace(answer, body=b"<html>"))
        else:
            answered(lab, monkeypatch, lambda answer: replace(answer, status=int(how), body=b"{}"))
        found = await run_all(client, make(25), **SPLIT)
        assert sorted(found) == sorted(names(make(25)))
        assert sorted(lab.created()) == sorted(names(make(25)))
        await settle(client.close())

    lab.run(body)


@pytest.mark.parametrize("status", [429, 529, 503, 500, 504])
def test_what_was_refused_is_tried_again(lab: Lab, status: int) -> None:
    async def body() -> None:
        client = lab.client()
        lab.api.on("messages.batches.create").fail(status).fail(status).once()
        found = await run_all(client, make(25), **SPLIT)
        assert len(found) == 25
        assert sorted(lab.created()) == sorted(names(make(25)))
        await settle(client.close())

    lab.run(body)


def test_what_cannot_be_created_ends_the_run(lab: Lab, tmp_path: Path) -> None:
    async def body() -> None:
        client = lab.client()
        lab.api.on("messages.batches.create").fail(404).once()
        with pytest.raises(NotFoundError):
            await run_all(client, make(5), journal=tmp_path / "j", **SPLIT)
        with BatchJournal(tmp_path / "j") as journal:
            assert journal.in_doubt(0) is None
        lab.api.on("messages.batches.create").fault(Fault(disconnect=True))
        lab.api.on("messages.batches.list").fail(404)
        with pytest.raises(NotFoundError):
            await run_all(client, make(5), journal=tmp_path / "j", max_retries=0, **SPLIT)
        with pytest.raises(TypeError, match="no_option"):
            client.messages.batches.run(make(1), no_option=1)
        with pytest.raises(ValueError, match="order"):
            client.messages.batches.run(make(1), order="up")
        await settle(client.close())

    lab.run(body)


def test_nothing_is_sent_of_an_input_with_a_mistake(lab: Lab, tmp_path: Path) -> None:
    async def body() -> None:
        client = lab.client()
        with pytest.raises(BatchRequestError) as error:
            await run_all(client, iter([*make(25), *make(1)]), journal=tmp_path / "j", **SPLIT)
        assert error.value.index == 25
        assert len(lab.api.calls) == 0
        assert len(await run_all(client, make(25), journal=tmp_path / "j", **SPLIT)) == 25
        calls = len(lab.api.calls)
        for changed in (make(26), make(24), make(25)[::-1], make(25, "s"), []):
            with pytest.raises(BatchInputChangedError, match="same requests"):
                await run_all(client, changed, journal=tmp_path / "j", **SPLIT)
        assert len(lab.api.calls) == calls
        await settle(client.close())

    lab.run(body)


def test_the_limits_of_a_journal_stay(lab: Lab, tmp_path: Path) -> None:
    async def body() -> None:
        client = lab.client()
        for limit in (10, 20):
            run = client.messages.batches.run(
                make(25), journal=tmp_path / "j", poll=FAST, max_requests=limit
            )
            assert len(await settle(run.wait())) == 3
            await settle(run.close())
        assert creations(lab) == 3
        await settle(client.close())

    lab.run(body)


def test_two_runs_do_not_share_a_journal(lab: Lab, tmp_path: Path) -> None:
    async def body() -> None:
        client = lab.client()
        run = client.messages.batches.run(make(1), journal=tmp_path / "j", poll=FAST)
        await settle(run.submit())
        with pytest.raises(BatchJournalLockedError):
            await run_all(client, make(1), journal=tmp_path / "j")
        await settle(run.close())
        assert await run_all(client, make(1), journal=tmp_path / "j") == ["r0"]
        await settle(client.close())

    lab.run(body)


def test_leaving_early_cancels_nothing(lab: Lab, tmp_path: Path) -> None:
    async def body() -> None:
        client = lab.client()
        run = client.messages.batches.run(make(25), journal=tmp_path / "j", poll=FAST, **SPLIT)
        if lab.asynchronous:
            async with run:
                iterator = run.__aiter__()
                await iterator.__anext__()
                await iterator.aclose()
        else:
            with run:
                iterator = iter(run)
                next(iterator)
                iterator.close()
        assert len(run.batch_ids) == 3
        assert not lab.api.calls.of("messages.batches.cancel")
        assert len(await run_all(client, make(25), journal=tmp_path / "j")) == 25
        assert creations(lab) == 3
        await settle(client.close())

    lab.run(body)


def test_cancelling_keeps_what_was_answered(lab: Lab) -> None:
    async def body() -> None:
        client = lab.client()
        run = client.messages.batches.run(make(25), poll=FAST, **SPLIT)
        await settle(run.submit())
        await settle(run.cancel())
        items = await collect(run)
        assert len(items) == 25
        assert {item.result.type for item in items} == {"canceled"}
        await settle(run.cancel())
        assert run.progress.canceled == run.progress.total == 25
        await settle(client.close())

    lab.run(body)


def test_progress_counts_all_parts(lab: Lab) -> None:
    seen: list[BatchProgress] = []

    async def body() -> None:
        client = lab.client()
        await run_all(client, make(25), progress=seen.append, **SPLIT)
        assert {each.total for each in seen} == {25}
        assert seen[0].done == 0
        assert (seen[-1].succeeded, seen[-1].ended, seen[-1].batches) == (25, 3, 3)
        await settle(client.close())

    lab.run(body)


def test_the_wait_can_be_limited(lab: Lab, tmp_path: Path) -> None:
    async def body() -> None:
        client = lab.client()
        with pytest.raises(BatchWaitTimeoutError) as error:
            await run_all(client, make(25), journal=tmp_path / "j", poll=9, wait_timeout=0, **SPLIT)
        assert len(error.value.batch_ids) == 3
        assert len(await run_all(client, make(25), journal=tmp_path / "j")) == 25
        await settle(client.close())

    lab.run(body)


def test_a_task_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    lab = Lab(True)

    async def body() -> None:
        client = lab.client()
        waiting = run_all(client, make(25), journal=tmp_path / "j", poll=60, **SPLIT)
        task = asyncio.ensure_future(waiting)
        while not lab.api.calls.of("messages.batches.retrieve"):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(await run_all(client, make(25), journal=tmp_path / "j")) == 25
        assert creations(lab) == 3
        await client.close()

    lab.run(body)


def test_a_failing_poll_does_not_end_a_run(lab: Lab) -> None:
    async def body() -> None:
        client = lab.client(max_retries=0)
        lab.api.on("messages.batches.retrieve").fail(529).fail(500).once()
        assert len(await run_all(client, make(25), **SPLIT)) == 25
        impatient = BatchPolling(0.001, 0.01, patience=0)
        lab.api.on("messages.batches.retrieve").fail(529)
        with pytest.raises(Exception, match="529"):
            await run_all(client, make(5), poll=impatient)
        await settle(client.close())

    lab.run(body)


@pytest.mark.parametrize("order", ["arrival", "request"])
def test_results_that_are_missing_are_noticed(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    async def body() -> None:
        client = lab.client()
        other = await settle(client.messages.batches.create(requests=make(4)))
        with monkeypatch.context() as patched:
            interrupted(lab, patched, after=False, number=1)
            with pytest.raises(Interruption):
                await run_all(client, make(5), journal=tmp_path / "j", **SPLIT)
        # A person who is wrong about it.
        BatchJournal.settle(tmp_path / "j", 0, other.id)
        with pytest.raises(BatchResultsError, match=other.id):
            await run_all(client, make(5), journal=tmp_path / "j", order=order)
        await settle(client.close())

    lab.run(body)


def test_a_connection_that_never_comes_about_is_no_doubt(lab: Lab, tmp_path: Path) -> None:
    import httpx

    from claude_client import AsyncClaude, Claude

    def refuse(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            raise httpx.ConnectError("refused", request=request)
        data = {"data": [], "has_more": False, "first_id": None, "last_id": None}
        return httpx.Response(200, json=data)

    async def body() -> None:
        transport = httpx.MockTransport(refuse)
        settings: dict[str, Any] = {"api_key": "k", "max_retries": 0, "base_url": "http://mock"}
        client: Any
        if lab.asynchronous:
            client = AsyncClaude(**settings, http_client=httpx.AsyncClient(transport=transport))
        else:
            client = Claude(**settings, http_client=httpx.Client(transport=transport))
        with pytest.raises(APIConnectionError):
            await run_all(client, make(5), journal=tmp_path / "j")
        with BatchJournal(tmp_path / "j") as journal:
            assert journal.in_doubt(0) is None
            assert len(journal.intents) == 1
        await settle(client.close())

    lab.run(body)
