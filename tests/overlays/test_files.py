"""Files up and down: from what, to where, how often, and who is told. Each with both clients."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from benchmarks.file_transfer import transfer, transfer_server
from benchmarks.processes import Setup
from both_clients import failure
from both_clients import kit as kit
from claude_client import RequestTooLargeError, SizedChunks, Transfer, UploadError
from claude_client.errors import APIConnectionError, OverloadedError
from claude_client.testing.exchange import MockRequest
from claude_client.testing.forms import read_form
from claude_rest import Client
from claude_rest._runtime import file_contents
from claude_rest._runtime.async_files import opened as opened_file
from claude_rest._runtime.file_contents import CHUNK_BYTES
from claude_rest.operations import OPERATIONS
from loopback import Close, Send, response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from both_clients import BothClients

FILE: dict[str, Any] = {"id": "file_1", "type": "file", "filename": "a"}
STORED = [Send(response(json=FILE))]
PIECES = [b"one ", b"", b"two ", bytes(CHUNK_BYTES), b"three"]
WHOLE = b"".join(PIECES)


def sent_file(kit: BothClients, index: int = -1) -> Any:
    """Return the file of a form that the server has read."""
    sent = kit.sent(index)
    assert sent.header("transfer-encoding") is None
    assert sent.header("content-length") == str(len(sent.body))
    headers = (("content-type", sent.header("content-type")),)
    (file,) = read_form(MockRequest("POST", "/", "", headers, sent.body))
    return file


def generated(pieces: Iterable[Any] = PIECES) -> Iterator[Any]:
    yield from pieces


async def awaited(pieces: Iterable[Any] = PIECES) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


class Repeatable:
    """Gives the same pieces to everybody who asks."""

    def __iter__(self) -> Iterator[bytes]:
        return generated()


class AwaitedPipe:
    """An asynchronous file that cannot be wound back, as a web framework hands over."""

    name = "folder/report.csv"

    def __init__(self, data: bytes = WHOLE) -> None:
        self._rest = data

    async def read(self, size: int) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


# -- what may stand for a file -----------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["path", "bytes", "file", "generator", "iterable", "sized", "pipe"]
)
def test_uploads_are_the_same_bytes_on_every_attempt(
    kit: BothClients, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "größe.csv"
    path.write_bytes(WHOLE)
    reading, writing = os.pipe()
    os.write(writing, b"from a pipe")
    os.close(writing)
    with path.open("rb") as opened, os.fdopen(reading, "rb") as pipe:
        given: Any = {
            "path": path,
            "bytes": WHOLE,
            "file": opened,
            "generator": generated(),
            "iterable": Repeatable(),
            "sized": SizedChunks(Repeatable(), len(WHOLE)),
            "pipe": pipe,
        }[kind]
        client = kit.open(
            failure(429, "rate_limit_error"), failure(429, "rate_limit_error"), STORED
        )
        assert kit.run(client.files.upload(file=("n.csv", given))).id == "file_1"
    assert len(kit.server.requests) == 3
    for index in range(3):
        file = sent_file(kit, index)
        assert (file.filename, file.content_type) == ("n.csv", "text/csv")
        assert file.content == (b"from a pipe" if kind == "pipe" else WHOLE)


@pytest.mark.parametrize("kind", ["generator", "pipe", "file", "sized"])
def test_what_an_event_loop_reads(kit: BothClients, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"--" + WHOLE)

    async def upload() -> Any:
        async with await anyio.open_file(path, "rb") as opened:
            await opened.read(2)
            given: Any = {
                "generator": (None, awaited()),
                "pipe": AwaitedPipe(),
                "file": opened,
                "sized": ("report.csv", SizedChunks(awaited(), len(WHOLE))),
            }[kind]
            if kit.asynchronous:
                return await client.files.upload(file=given)
            return client.files.upload(file=given)

    client = kit.open(*([] if kind == "sized" else [failure(429, "rate_limit_error")]), STORED)
    if not kit.asynchronous:
        expected: Any = UploadError if kind == "sized" else TypeError
        with pytest.raises(expected, match="asynchronous client"):
            anyio.run(upload)
        return
    assert kit.run(upload()).id == "file_1"
    for index in range(len(kit.server.requests)):
        file = sent_file(kit, index)
        assert file.content == WHOLE
        assert file.filename == ("upload" if kind == "generator" else "report.csv")


def test_an_awaited_file_is_wound_back(kit: BothClients, tmp_path: Path) -> None:
    if not kit.asynchronous:
        pytest.skip("needs an event loop")
    path = tmp_path / "report.csv"
    path.write_bytes(WHOLE)
    client = kit.open(failure(429, "rate_limit_error"), STORED)

    async def upload() -> None:
        async with await anyio.open_file(path, "rb") as opened:
            await client.files.upload(file=opened)

    kit.run(upload())
    assert [sent_file(kit, index).content == WHOLE for index in range(2)] == [True, True]


@pytest.mark.parametrize("kind", ["file", "awaited file"])
def test_an_open_file_is_sent_again_by_the_next_call(
    kit: BothClients, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(b"--" + WHOLE)
    client = kit.open(STORED, STORED)

    async def upload_twice() -> None:
        async with await anyio.open_file(path, "rb") as opened:
            await opened.read(2)
            for _ in range(2):
                await client.files.upload(file=opened)
            assert await opened.tell() == 2

    if kind == "awaited file":
        if not kit.asynchronous:
            pytest.skip("needs an event loop")
        kit.run(upload_twice())
    else:
        with path.open("rb") as opened:
            opened.read(2)
            for _ in range(2):
                kit.run(client.files.upload(file=opened))
            assert opened.tell() == 2
    assert [sent_file(kit, index).content == WHOLE for index in range(2)] == [True, True]


def test_one_open_file_in_two_uploads_at_a_time() -> None:
    file = io.BytesIO(WHOLE)
    first, second = (file_contents.OpenFile(file) for _ in range(2))
    pieces = zip(first.chunks(), second.chunks(), strict=True)
    assert [b"".join(both) for both in zip(*pieces, strict=True)] == [WHOLE, WHOLE]


def test_one_awaited_file_in_two_uploads_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_bytes(WHOLE)

    async def read(file: Any, whole: list[bytes]) -> None:
        content: Any = await opened_file(file)
        whole.append(b"".join([piece async for piece in content.async_chunks()]))

    async def body() -> None:
        whole: list[bytes] = []
        async with await anyio.open_file(path, "rb") as file, anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(read, file, whole)
        assert [one == WHOLE for one in whole] == [True] * 4

    anyio.run(body)


@pytest.mark.parametrize(
    ("pieces", "error"),
    [([b"a", "text"], TypeError), ([b"a", None], TypeError), ([b"a", 5], TypeError)],
)
def test_only_bytes_make_a_file(kit: BothClients, pieces: list[Any], error: Any) -> None:
    client = kit.open(STORED)
    with pytest.raises(error, match="bytes"):
        kit.run(client.files.upload(file=generated(pieces)))
    if kit.asynchronous:
        with pytest.raises(error, match="bytes"):
            kit.run(client.files.upload(file=awaited(pieces)))
    assert kit.server.requests == []


def test_an_iterator_that_never_ends_is_refused_at_the_limit(
    kit: BothClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = OPERATIONS["files.upload"].max_bytes
    assert limit is not None
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        piece = bytes(64 * CHUNK_BYTES)
        while True:
            taken += len(piece)
            yield piece

    class Nowhere(io.BytesIO):
        def write(self, data: Any) -> int:
            return len(data)

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", lambda max_size: Nowhere())
    client = kit.open(STORED)
    with pytest.raises(RequestTooLargeError, match=r"files\.upload|takes") as caught:
        kit.run(client.files.upload(file=endless()))
    assert caught.value.limit == limit < taken <= limit + 64 * CHUNK_BYTES
    assert kit.server.requests == []


def test_what_an_iterator_raises_comes_out(kit: BothClients) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise LookupError("mine")

    client = kit.open(STORED)
    with pytest.raises(LookupError, match="mine"):
        kit.run(client.files.upload(file=broken()))
    with pytest.raises(LookupError, match="mine"):
        kit.run(client.files.upload(file=SizedChunks(broken(), 5)))
    assert [request.body for request in kit.server.requests] == []


def test_a_spool_closes_its_file() -> None:
    content = file_contents.put_aside(generated(), None)
    spool: Any = content
    file = spool._file
    assert b"".join(content.chunks()) == WHOLE
    assert not file.closed
    del content, spool
    assert file.closed


# -- promised sizes ----------------------------------------------------------------------------


def test_an_iterator_that_has_begun_is_not_sent_again(kit: BothClients) -> None:
    client = kit.open(failure(529, "overloaded_error", retry_after="0"), STORED)
    with pytest.raises(OverloadedError, match="iterator, which has been read") as caught:
        kit.run(client.files.upload(file=SizedChunks(generated(), len(WHOLE))))
    assert caught.value.attempts == 1
    assert len(kit.server.requests) == 1
    if kit.asynchronous:
        client = kit.open(failure(529, "overloaded_error", retry_after="0"), STORED)
        with pytest.raises(OverloadedError, match="iterator, which has been read"):
            kit.run(client.files.upload(file=SizedChunks(awaited(), len(WHOLE))))


def test_an_iterator_that_has_not_begun_is(kit: BothClients) -> None:
    """Nothing was taken from it when the server could not be reached."""
    client = kit.open(STORED)
    dead = client.with_options(base_url="http://127.0.0.1:9", max_retries=1)
    chunks = SizedChunks(generated(), len(WHOLE))
    with pytest.raises(APIConnectionError) as caught:
        kit.run(dead.files.upload(file=chunks))
    assert caught.value.attempts == 2
    kit.run(client.files.upload(file=chunks))
    assert sent_file(kit).content == WHOLE


@pytest.mark.parametrize(("size", "problem"), [(3, "more than the 3 bytes"), (9**9, "early")])
def test_a_promise_that_is_not_kept(kit: BothClients, size: int, problem: str) -> None:
    client = kit.open(STORED)
    given = SizedChunks([b"abc", b"defg"], size)
    with pytest.raises(UploadError, match=problem):
        kit.run(client.files.upload(file=given, check_sizes=False))


def test_an_iterator_is_not_read_twice_by_itself() -> None:
    chunks = SizedChunks(generated([b"a"]), 1)
    assert not chunks.spent
    assert b"".join(chunks.chunks()) == b"a"
    assert chunks.spent
    with pytest.raises(UploadError, match="cannot be sent again"):
        next(chunks.chunks())


# -- middleware --------------------------------------------------------------------------------


def test_middleware_may_make_the_call_again(kit: BothClients) -> None:
    class Twice:
        def around_call(self, call: Any, proceed: Any) -> Any:
            proceed(call)
            return proceed(call)

    class AsyncTwice:
        async def around_call(self, call: Any, proceed: Any) -> Any:
            await proceed(call)
            return await proceed(call)

    layer = AsyncTwice() if kit.asynchronous else Twice()
    client = kit.open(STORED, middleware=[layer])
    kit.run(client.files.upload(file=generated()))
    assert [sent_file(kit, index).content == WHOLE for index in range(2)] == [True, True]


# -- progress ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["path", "generator", "sized"])
def test_progress_of_an_upload(kit: BothClients, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(WHOLE)
    given: Any = {
        "path": path,
        "generator": generated(),
        "sized": SizedChunks(Repeatable(), len(WHOLE)),
    }[kind]
    told: list[Transfer] = []
    client = kit.open(failure(429, "rate_limit_error"), STORED)
    kit.run(client.files.upload(file=given, progress=told.append))
    assert {transfer.total for transfer in told} == {len(WHOLE)}
    counts = [transfer.transferred for transfer in told]
    # From the beginning again with the second attempt.
    second = counts.index(0, 1)
    for run in (counts[:second], counts[second:]):
        assert run[0] == 0
        assert run == sorted(run)
        assert run[-1] == len(WHOLE)
    assert repr(told[0]) == f"Transfer(0, {len(WHOLE)})"
    assert told[0] == Transfer(0, len(WHOLE))


@pytest.mark.parametrize("encoded", [False, True])
def test_progress_of_a_download(kit: BothClients, encoded: bool, tmp_path: Path) -> None:
    import gzip

    headers = {"content-encoding": "gzip"} if encoded else {}
    body = gzip.compress(WHOLE) if encoded else WHOLE
    client = kit.open([Send(response(body=body, headers=headers))])
    told: list[Transfer] = []
    answer = kit.run(client.files.download("file_1"))
    assert answer.size == (None if encoded else len(WHOLE))
    assert kit.run(answer.write_to_file(tmp_path / "a", progress=told.append)) == len(WHOLE)
    assert (tmp_path / "a").read_bytes() == WHOLE
    assert told[0].transferred == 0
    assert told[-1].transferred == len(WHOLE)
    assert {transfer.total for transfer in told} == {None if encoded else len(WHOLE)}


def test_what_progress_raises_ends_the_transfer(kit: BothClients, tmp_path: Path) -> None:
    def stop(transfer: Transfer) -> None:
        if transfer.transferred:
            raise LookupError("stopped")

    client = kit.open([Send(response(body=WHOLE))])
    with pytest.raises(LookupError, match="stopped"):
        kit.run(client.files.upload(file=WHOLE, progress=stop))
    answer = kit.run(client.files.download("file_1"))
    with pytest.raises(LookupError, match="stopped"):
        kit.run(answer.write_to_file(tmp_path / "a", progress=stop))
    assert list(tmp_path.iterdir()) == []


def test_progress_true_shows_a_bar(
    kit: BothClients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars: list[Any] = []

    class Bar:
        def __init__(self, label: str, *, unit: str = "") -> None:
            self.label, self.unit = label, unit
            self.updates: list[tuple[int, int | None]] = []
            self.closed = False
            bars.append(self)

        def update(self, done: int, total: int | None) -> None:
            self.updates.append((done, total))

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr("claude_client.progress.ProgressBar", Bar)
    path = tmp_path / "report.pdf"
    path.write_bytes(WHOLE)
    client = kit.open(failure(429, "rate_limit_error"), STORED, [Send(response(body=WHOLE))])
    kit.run(client.files.upload(file=path, progress=True))
    assert [bar.label for bar in bars] == ["report.pdf", "report.pdf"]
    answer = kit.run(client.files.download("file_1"))
    kit.run(answer.write_to_file(tmp_path / "b", progress=True))
    assert len(bars) == 3
    for bar in bars:
        assert bar.unit == "B"
        assert bar.closed
        assert bar.updates[0] == (0, len(WHOLE))
        assert bar.updates[-1] == (len(WHOLE), len(WHOLE))


def test_progress_where_there_is_none(kit: BothClients) -> None:
    client = kit.open(STORED)
    with pytest.raises(TypeError, match="write_to_file"):
        kit.run(client.files.download("file_1", progress=print))
    with pytest.raises(TypeError, match="takes a Transfer"):
        kit.run(client.files.upload(file=b"a", progress=5))
    kit.run(client.files.upload(file=b"a", progress=None))
    kit.run(client.files.upload(file=b"a", progress=False))


# -- downloads ---------------------------------------------------------------------------------


def test_a_download_into_an_awaited_file(kit: BothClients, tmp_path: Path) -> None:
    client = kit.open([Send(response(body=WHOLE))])
    answer = kit.run(client.files.download("file_1"))
    if not kit.asynchronous:
        answer.close()
        return

    async def write() -> int:
        async with await anyio.open_file(tmp_path / "a", "wb") as file:
            return int(await answer.write_to_file(file))

    assert kit.run(write()) == len(WHOLE)
    assert (tmp_path / "a").read_bytes() == WHOLE


def test_a_download_that_breaks_leaves_the_bar_closed_and_no_file(
    kit: BothClients, tmp_path: Path
) -> None:
    closed: list[bool] = []

    class Watching:
        def __call__(self, transfer: Transfer) -> None: ...

        def close(self) -> None:
            closed.append(True)

    client = kit.open([Send(response(body=WHOLE, length=len(WHOLE) + 1)), Close()])
    answer = kit.run(client.files.download("file_1"))
    with pytest.raises(APIConnectionError):
        kit.run(answer.write_to_file(tmp_path / "a", progress=Watching()))
    assert closed == [True]
    assert list(tmp_path.iterdir()) == []


# -- memory ------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs to know its memory")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("what", ["up", "down"])
def test_memory_does_not_grow_with_the_file(what: str, kind: str, tmp_path: Path) -> None:
    size = 64 * 1024 * 1024
    with transfer_server() as url:
        result = transfer(Setup(tmp_path), "file_transfer_ours.py", url, what, kind, size)
    assert result["growth"] < size / 4


def test_the_spool_of_an_iterator_is_on_disk_when_it_is_large() -> None:
    content: Any = file_contents.put_aside(generated([bytes(CHUNK_BYTES)] * 3), None)
    assert content._file._rolled
    assert content.size == 3 * CHUNK_BYTES
    small: Any = file_contents.put_aside(generated([b"a"]), None)
    assert not small._file._rolled


def test_the_low_level_client_draws_no_bar() -> None:
    with (
        Client(api_key="k", base_url="http://127.0.0.1:9") as client,
        pytest.raises(TypeError, match="draws a bar"),
    ):
        client.files.upload(file=b"a", progress=True)
