"""JSON bodies with files in them: the bytes are those of the same body with base64 text."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_rest._runtime import base64_content, codec, json_body
from claude_rest._runtime.base64_content import BLOCK_BYTES, Base64Content, shown_size
from claude_rest._runtime.codec import EncodeError, dumps, encode
from claude_rest._runtime.errors import UploadError
from claude_rest._runtime.json_body import CHUNK_BYTES, JSONBody
from claude_rest._runtime.raw_json import RawJSON
from claude_rest.models import TextBlock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def source(data: Any) -> dict[str, Any]:
    return {"type": "base64", "media_type": "image/png", "data": data}


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Unread(io.BytesIO):
    """Cannot be rewound."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: Any) -> int:
        raise OSError("no")


@pytest.fixture(params=["orjson", "json"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "json":
        monkeypatch.setattr(codec, "_orjson_dumps", None)
        monkeypatch.setattr(codec, "_orjson_loads", None)
    return str(request.param)


@pytest.fixture(params=["pybase64", "binascii"])
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    if name == "binascii":
        monkeypatch.setattr(base64_content, "encode_block", base64.b64encode)
    return name


CONTENT = st.binary(max_size=40)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.text(max_size=20),
    st.builds(lambda data: ("file", data), CONTENT),
    st.builds(lambda data: ("raw", data), st.lists(st.integers(0, 9), max_size=3)),
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["a", "é", "data", "content", "source"]), inner),
    ),
    max_leaves=12,
)
KINDS: list[Callable[[bytes], Any]] = [bytes, bytearray, memoryview, io.BytesIO, Unread]


def spelt(value: Any, draw: Any) -> tuple[Any, Any]:
    """Return a value with files in it, and the same with text."""
    if isinstance(value, tuple):
        what, content = value
        if what == "raw":
            return RawJSON(json.dumps(content, separators=(",", ":"))), content
        kind = draw(st.sampled_from(KINDS))
        return source(kind(content)), source(text_of(content))
    if isinstance(value, list):
        pairs = [spelt(item, draw) for item in value]
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if isinstance(value, dict):
        pairs_of = {name: spelt(item, draw) for name, item in value.items()}
        return (
            {name: pair[0] for name, pair in pairs_of.items()},
            {name: pair[1] for name, pair in pairs_of.items()},
        )
    return value, value


@given(document=DOCUMENTS, data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_bytes_are_those_of_the_same_body_with_text(
    document: Any, data: st.DataObject, backend: str
) -> None:
    given_value, expected = spelt({"messages": document}, data.draw)
    # In one piece where it can be, and always in pieces.
    for made in (encode(given_value), json_body.json_body(given_value)):
        body = made if isinstance(made, bytes) else made.read()
        if isinstance(made, JSONBody):
            assert len(made) == len(body)
            if not any(isinstance(source, Unread) for source in _files(given_value)):
                assert made.read() == body
        assert body == dumps(expected)
        if any(isinstance(each, Unread) for each in _files(given_value)):
            # Read to its end by now.
            break


def _files(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [file for item in value.values() for file in _files(item)]
    if isinstance(value, list):
        return [file for item in value for file in _files(item)]
    return [value]


@pytest.mark.parametrize(
    "size", [0, 1, 2, 3, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 2]
)
def test_sizes_around_a_block(tmp_path: Path, size: int, encoder: str) -> None:
    content = os.urandom(size)
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with path.open("rb") as file:
        for value in (path, file, content, io.BytesIO(content)):
            made = Base64Content(value)
            for _ in range(2):
                text = b"".join(made.chunks())
                assert text == base64.b64encode(content)
                assert len(made) == len(text)
        assert file.tell() == 0


def test_an_open_file_is_read_from_where_it_stands_and_left_there(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"head" + b"abc")
    with path.open("rb") as file:
        file.seek(4)
        for _ in range(2):
            assert b"".join(Base64Content(file).chunks()) == base64.b64encode(b"abc")
            assert file.tell() == 4


def test_one_open_file_in_two_bodies_at_a_time() -> None:
    content = os.urandom(2 * BLOCK_BYTES + 5)
    file = io.BytesIO(content)
    first, second = Base64Content(file), Base64Content(file)
    pairs = list(zip(first.chunks(), second.chunks(), strict=True))
    assert b"".join(pair[0] for pair in pairs) == base64.b64encode(content)
    assert b"".join(pair[1] for pair in pairs) == base64.b64encode(content)


def test_a_short_read_is_filled_up() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size, 100) if size is not None and size > 0 else size)

    content = os.urandom(1001)
    assert b"".join(Base64Content(Slow(content)).chunks()) == base64.b64encode(content)


@pytest.mark.parametrize("now", [0, 10, 99, 101, 2 * BLOCK_BYTES])
def test_a_file_that_changed_its_size_is_refused(tmp_path: Path, now: int) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(bytes(100))
    with path.open("rb") as file:
        bodies = [json_body.json_body(source(value)) for value in (path, file)]
        for body in bodies:
            body.read()
        path.write_bytes(bytes(now))
        for body in bodies:
            with pytest.raises(UploadError, match="x.png changed while it was sent: it had 100"):
                body.read()


def test_a_file_that_changes_while_it_is_read_is_refused() -> None:
    for change in (-1, 1):
        file = io.BytesIO(bytes(3 * BLOCK_BYTES))
        chunks = Base64Content(file).chunks()
        next(chunks)
        file.truncate(3 * BLOCK_BYTES - 1)
        if change == 1:
            file.seek(0)
            file.write(bytes(3 * BLOCK_BYTES + 1))
        with pytest.raises(UploadError, match="changed"):
            list(chunks)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    with pytest.raises(FileNotFoundError):
        encode(source(path))
    with pytest.raises(IsADirectoryError):
        encode(source(tmp_path))
    path.write_bytes(b"abc")
    body = encode(source(path))
    closed = path.open("rb")
    other = encode(source(closed))
    closed.close()
    path.unlink()
    assert isinstance(body, JSONBody)
    assert isinstance(other, JSONBody)
    with pytest.raises(UploadError, match="No such file"):
        body.read()
    with pytest.raises(UploadError, match="closed file"):
        other.read()
    with pytest.raises(EncodeError, match="binary mode"):
        encode(source(io.StringIO("text")))


MISPLACED: list[Callable[[Any], Any]] = [
    lambda file: {"type": "text", "text": file},
    lambda file: {"source": {"type": "text", "media_type": "text/plain", "data": file}},
    lambda file: {"source": file},
    lambda file: [file],
    lambda file: {"type": "base64", "data": [file]},
    lambda file: {"type": "base64", "data": {"data": file}},
    lambda file: {"data": file, "inner": source("")},
    lambda file: file,
]


@pytest.mark.parametrize("place", MISPLACED)
@pytest.mark.parametrize("around", [0, 5])
def test_a_file_where_no_base64_goes_is_refused(
    place: Callable[[Any], Any], around: int, backend: str, tmp_path: Path
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("x")
    for file, name in ((path, "notes.txt"), (b"x", "bytes"), (io.BytesIO(b"x"), "bytes")):
        value = place(file)
        for _ in range(around):
            value = {"messages": [value]}
        with pytest.raises(EncodeError, match=f"{name} cannot stand here"):
            encode(value)
        with pytest.raises(EncodeError, match=f"{name} cannot stand here"):
            json_body.json_body(value)


def test_files_inside_of_what_is_no_plain_json(backend: str) -> None:
    shared = iter([1, 2])
    block = OrderedDict(source=source(b"abc"), type="image")
    value = {"a": (block,), "b": [TextBlock.from_dict({"type": "text", "text": "t"})], "c": shared}
    body = encode(value)
    assert isinstance(body, JSONBody)
    assert json.loads(body.read()) == {
        "a": [{"source": source("YWJj"), "type": "image"}],
        "b": [{"type": "text", "text": "t"}],
        "c": [1, 2],
    }


def test_a_file_beside_much_text(backend: str) -> None:
    """Deep inside of a batch, and beside strings that are split."""
    long = "é\U0001f600\"\n" * 400_000
    value = {
        "requests": [
            {"params": {"messages": [{"content": [{"text": long}, {"source": source(data)}]}]}}
            for data in (b"abc", io.BytesIO(b"abc"))
        ]
    }
    expected = json.loads(json.dumps(value, default=lambda _: "YWJj"))
    body = encode(value)
    assert isinstance(body, JSONBody)
    assert body.read() == dumps(expected) == json_body.json_body(expected).read()
    assert max(map(len, body.chunks())) <= CHUNK_BYTES


def test_no_piece_is_large_and_few_are_small() -> None:
    blocks = [{"type": "text", "text": "a" * 100} for _ in range(20_000)]
    value = {"messages": [{"content": blocks}], "system": "s" * 5_000_000}
    body = json_body.json_body(value)
    sizes = [len(chunk) for chunk in body.chunks()]
    assert sum(sizes) == len(body)
    assert max(sizes) <= CHUNK_BYTES
    assert len(sizes) < 40
    assert body.read() == dumps(value)


def test_much_text_nested_too_deeply_is_refused() -> None:
    deep: Any = ["a" * 2_000_000]
    for _ in range(5000):
        deep = [deep]
    circle: list[Any] = ["a" * 2_000_000]
    circle.append(circle)
    for value in (deep, circle):
        with pytest.raises(EncodeError, match="nested too deep|cannot be sent"):
            json_body.json_body({"messages": value})


def test_lone_surrogates_of_a_split_string() -> None:
    text = "\ud83d\ude00" * 1_200_001
    assert json_body.json_body({"a": text}).read() == dumps({"a": text})


def test_in_tasks_the_same_bytes_come(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(os.urandom(2_000_000))
    for data in (path, path.read_bytes(), "text"):
        body = json_body.json_body({"x": "a" * 3_000_000, "y": source(data)})

        async def collected(body: JSONBody = body) -> bytes:
            return b"".join([chunk async for chunk in body.async_chunks()])

        assert asyncio.run(collected()) == body.read()


def test_others_run_between_two_pieces() -> None:
    body = json_body.json_body(source(bytes(10 * BLOCK_BYTES)))

    async def run() -> tuple[int, int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        chunks = [chunk async for chunk in body.async_chunks()]
        ticking.cancel()
        return len(chunks), ticks

    chunks, ticks = asyncio.run(run())
    assert ticks >= chunks >= 10


def test_what_is_shown_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / 'a"b.png'
    path.write_bytes(bytes(20_000_000))
    body = encode({"source": source(path)})
    assert isinstance(body, JSONBody)
    assert json.loads(body.outline())["source"]["data"] == '<20 MB of a"b.png>'
    assert repr(body) == f"JSONBody({len(body)} bytes, 1 files)"
    assert repr(Base64Content(b"abc")) == "<3 bytes of bytes>"
    assert [shown_size(n) for n in (999, 1500, 999_400, 999_600, 2_345_678, 10**9)] == [
        "999 bytes",
        "1.5 kB",
        "999 kB",
        "1 MB",
        "2.35 MB",
        "1,000 MB",
    ]


def test_raw_json_goes_out_as_it_is(backend: str) -> None:
    raw = RawJSON(b'[ {"a": 1e2} ]')
    assert encode({"messages": raw, "x": [1, raw]}) == (
        b'{"messages":[ {"a": 1e2} ],"x":[1,[ {"a": 1e2} ]]}'
    )
    assert dumps(raw) == b'[ {"a": 1e2} ]'
    assert RawJSON.of({"a": [1]}) == RawJSON('{"a":[1]}')
    assert hash(RawJSON("1")) == hash(RawJSON(b"1"))
    assert len(RawJSON("123")) == 3
    assert RawJSON.of(source(b"abc")).data == dumps(source("YWJj"))
    assert repr(raw) == "RawJSON(14 bytes)"


def test_raw_json_is_checked_unless_told_otherwise() -> None:
    with pytest.raises(ValueError, match="column"):
        RawJSON(b"{")
    assert RawJSON(b"{", check=False).data == b"{"


def test_long_raw_json_is_not_copied() -> None:
    raw = RawJSON.of("a" * 3_000_000)
    body = encode({"messages": [raw]})
    assert isinstance(body, JSONBody)
    assert any(part is raw.data for part in body.parts)
    assert body.read() == b'{"messages":[' + raw.data + b"]}"
