"""Functions that are told what happens on a stream."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from claude_rest._runtime.errors import APIStatusError, StreamTruncatedError
from claude_rest._runtime.meta import Meta
from claude_rest._runtime.stream import AsyncJSONLStream, AsyncStream, JSONLStream, Stream

META = Meta(status_code=200)
EVENTS = [b'event: a\ndata: {"type": "a"}\n\n', b'event: end\ndata: {"type": "end"}\n\n']
ERROR = b'event: error\ndata: {"type": "error", "error": {"type": "api_error", "message": "x"}}\n\n'


async def chunks_of(chunks: list[bytes]) -> Any:
    for chunk in chunks:
        yield chunk


class Told:
    """Observes a stream of either kind, and reads it."""

    def __init__(self, chunks: list[bytes], asynchronous: bool, lines: bool = False) -> None:
        self.items: list[Any] = []
        self.ends: list[BaseException | None] = []
        options: Any = {"meta": META}
        if not lines:
            options["terminal"] = ("end",)
        if asynchronous:
            kind: Any = AsyncJSONLStream if lines else AsyncStream
            self.stream = kind(chunks_of(chunks), lambda value: value, **options)
        else:
            kind = JSONLStream if lines else Stream
            self.stream = kind(iter(chunks), lambda value: value, **options)
        self.asynchronous = asynchronous
        self.stream.observe(self.items.append, self.ends.append)

    def read(self, count: int = 100) -> list[Any]:
        async def read() -> list[Any]:
            found: list[Any] = []
            while len(found) < count:
                try:
                    found.append(await self.stream.__anext__())
                except StopAsyncIteration:
                    break
            return found

        if self.asynchronous:
            return asyncio.run(read())
        return [value for _, value in zip(range(count), self.stream)]

    def close(self) -> None:
        if self.asynchronous:
            asyncio.run(self.stream.close())
        else:
            self.stream.close()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def asynchronous(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_values_and_the_end_are_told_once(asynchronous: bool) -> None:
    told = Told(EVENTS, asynchronous)
    also: list[Any] = []
    told.stream.observe(on_item=also.append)
    found = told.read()
    told.close()
    assert found == told.items == also == [{"type": "a"}, {"type": "end"}]
    assert told.ends == [None]


def test_lines_too(asynchronous: bool) -> None:
    told = Told([b'{"n": 1}\n{"n": 2}'], asynchronous, lines=True)
    assert told.read() == told.items == [{"n": 1}, {"n": 2}]
    assert told.ends == [None]


@pytest.mark.parametrize(
    ("last", "kind"), [([], StreamTruncatedError), ([ERROR], APIStatusError)], ids=["cut", "error"]
)
def test_the_error_that_ends_it_is_told(asynchronous: bool, last: list[bytes], kind: Any) -> None:
    told = Told([EVENTS[0], *last], asynchronous)
    with pytest.raises(kind) as caught:
        told.read()
    assert told.items == [{"type": "a"}]
    assert told.ends == [caught.value]


def test_closing_early_is_an_end_too(asynchronous: bool) -> None:
    told = Told(EVENTS, asynchronous)
    assert len(told.read(0)) == 0
    told.close()
    assert (told.items, told.ends) == ([], [None])
    late: list[Any] = []
    told.stream.observe(on_end=late.append)
    assert late == [None]


def test_the_end_is_told_although_closing_fails() -> None:
    def fail() -> None:
        raise OSError("no")

    ends: list[Any] = []
    stream: Stream[Any] = Stream(iter(EVENTS), lambda value: value, meta=META, close=fail)
    stream.observe(on_end=ends.append)
    with pytest.raises(OSError, match="no"):
        stream.close()
    assert ends == [None]
