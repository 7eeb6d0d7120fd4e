"""The SSE decoder: the rules of the standard, any chunking, linear time."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from claude_rest._runtime.errors import EventSizeError
from claude_rest._runtime.sse import ServerSentEvent, SSEDecoder
from counted_work import LINEAR, growth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def decode(body: bytes, size: int | None = None) -> list[ServerSentEvent]:
    decoder = SSEDecoder()
    step = size or max(len(body), 1)
    return [
        event
        for start in range(0, len(body), step)
        for event in decoder.feed(body[start : start + step])
    ]


def reference(body: bytes) -> list[ServerSentEvent]:
    """Follow WHATWG HTML section 9.2.6 character by character, without a thought for speed."""
    if body.startswith(b"\xef\xbb\xbf"):
        body = body[3:]
    lines: list[bytes] = []
    line = bytearray()
    position = 0
    while position < len(body):
        byte = body[position]
        if byte in (10, 13):
            if byte == 13 and body[position + 1 : position + 2] == b"\n":
                position += 1
            lines.append(bytes(line))
            line.clear()
        else:
            line.append(byte)
        position += 1

    events: list[ServerSentEvent] = []
    event_type, data, last_id, retry = "", bytearray(), "", None
    for text in lines:
        if not text:
            if data:
                content = bytes(data[:-1]) if data.endswith(b"\n") else bytes(data)
                events.append(ServerSentEvent(event_type or "message", content, last_id, retry))
            event_type, data, retry = "", bytearray(), None
            continue
        if text.startswith(b":"):
            continue
        name, colon, value = text.partition(b":")
        if colon and value.startswith(b" "):
            value = value[1:]
        if name == b"event":
            event_type = value.decode("utf-8", "replace")
        elif name == b"data":
            data += value + b"\n"
        elif name == b"id":
            if b"\0" not in value:
                last_id = value.decode("utf-8", "replace")
        elif name == b"retry" and value and all(48 <= byte <= 57 for byte in value):
            retry = int(value)
    return events


TWO = b'event: a\ndata: {"x":1}\n\nevent: b\ndata: {"y":2}\n\n'


def test_common_form() -> None:
    assert decode(TWO) == [ServerSentEvent("a", b'{"x":1}'), ServerSentEvent("b", b'{"y":2}')]


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, None])
def test_line_ends_and_splits(line_end: bytes, size: int | None) -> None:
    body = TWO.replace(b"\n", line_end)
    assert decode(body, size) == decode(TWO)


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"data: x\n\n", [ServerSentEvent("message", b"x")]),
        (b"data\n\n", [ServerSentEvent("message", b"")]),
        (b"data:\ndata:\n\n", [ServerSentEvent("message", b"\n")]),
        (b"data: a\ndata:  b\n\n", [ServerSentEvent("message", b"a\n b")]),
        (b"event: x\n\ndata: y\n\n", [ServerSentEvent("message", b"y")]),
        (b": comment\n\nevent: x\n: c\ndata: y\n\n", [ServerSentEvent("x", b"y")]),
        (b"data: cut off\n", []),
        (b"data: cut off", []),
        (b"Data: x\nother: y\n\n", []),
        (b"\xef\xbb\xbfdata: x\n\n", [ServerSentEvent("message", b"x")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\n", []),
        (b"event: \xff\ndata: x\n\n", [ServerSentEvent("\N{REPLACEMENT CHARACTER}", b"x")]),
        (b"\n\n\n\ndata: x\n\n\n\n", [ServerSentEvent("message", b"x")]),
    ],
)
@pytest.mark.parametrize("size", [1, None])
def test_rules(body: bytes, events: list[ServerSentEvent], size: int | None) -> None:
    assert decode(body, size) == events


def test_id_lasts_until_the_next_one_and_refuses_nul() -> None:
    body = b"id: 7\ndata: a\n\ndata: b\n\nid: 8\0\ndata: c\n\nid\ndata: d\n\n"
    assert [event.id for event in decode(body)] == ["7", "7", "7", ""]


def test_last_id_counts_without_data() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"id: 9\n\n") == []
    assert decoder.last_event_id == "9"


def test_retry_takes_digits_only() -> None:
    body = b"retry: 10\ndata: a\n\nretry: 1x\ndata: b\n\nretry: -1\ndata: c\n\nretry:\ndata: d\n\n"
    assert [event.retry for event in decode(body)] == [10, None, None, None]


@pytest.mark.parametrize("text", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\0"])
def test_only_cr_and_lf_end_lines(text: str) -> None:
    data = f'{{"text": "a{text}b"}}'
    (event,) = decode(f"event: e\ndata: {data}\n\n".encode(), 1)
    assert event.text == data


def test_multibyte_characters_split_anywhere() -> None:
    body = "event: e\ndata: h\u00e9llo \N{SNOWMAN} \N{SLIGHTLY SMILING FACE}\n\n".encode()
    assert [event.text for event in decode(body, 1)] == [
        "h\u00e9llo \N{SNOWMAN} \N{SLIGHTLY SMILING FACE}"
    ]


def test_finish_tells_whether_an_event_was_cut_off() -> None:
    for body, cut in ((TWO, False), (TWO + b": bye\n", False), (TWO + b"event: c\n", True)):
        decoder = SSEDecoder()
        assert len(decoder.feed(body)) == 2
        assert decoder.finish() is cut


def test_takes_any_bytes_like_chunk() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(bytearray(b"data: x\n")) == []
    assert decoder.feed(memoryview(b"\n")) == [ServerSentEvent("message", b"x")]
    assert decoder.feed(b"") == []


def test_size_limit() -> None:
    decoder = SSEDecoder(max_event_bytes=100)
    with pytest.raises(EventSizeError, match="larger than 100 bytes"):
        for _ in range(20):
            decoder.feed(b"data: 0123456789")
    # What is over does not count towards the next event.
    bounded = SSEDecoder(max_event_bytes=100)
    for _ in range(20):
        assert len(bounded.feed(b"data: 0123456789\n\ndata: 01234567")) >= 1
        assert len(bounded.feed(b"\n\n")) == 1
    with pytest.raises(EventSizeError):
        for _ in range(200):
            bounded.feed(b":\n")
    unlimited = SSEDecoder(max_event_bytes=None)
    for _ in range(20):
        unlimited.feed(b"data: 0123456789")
    assert unlimited.pending_bytes == 320


def test_encode_gives_the_event_back() -> None:
    event = ServerSentEvent("e", b"a\nb", "5", 10)
    assert decode(event.encode()) == [event]
    assert event.json is not None
    assert decode(b'data: {"a": [1]}\n\n')[0].json() == {"a": [1]}


PIECES = st.sampled_from(
    [
        b"\n", b"\r", b"\r\n", b"\n\n", b":", b" ", b"data", b"data: x", b"event", b"event: y",
        b"id", b"id: z", b"retry: 5", b"\xef\xbb\xbf", b"\0", b"\xff", b"\xe2\x80\xa8", b"x",
        b"event: message_stop\ndata: {}\n\n", b"event:  \ndata: \n\n", b": comment",
    ]
)  # fmt: skip
BODIES = st.lists(PIECES | st.binary(max_size=4), max_size=40).map(b"".join)


LINE_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
FIELDS = st.sampled_from([b"data", b"event", b"id", b"retry", b"", b"other", b"\xef\xbb\xbfdata"])
CONTENT = st.text("a \t:\u2028\u2029\x85\x0b\x1c\0\U0001f600", max_size=6).map(
    lambda text: text.encode()
) | st.sampled_from([b"", b"7", b"message_stop", b'{"type": "ping"}', b"\xff"])


@st.composite
def structured_bodies(draw: st.DrawFn) -> bytes:
    """Draw what looks like a stream: events of fields, each line with an end of its own."""
    parts = [draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))]
    for _ in range(draw(st.integers(0, 6))):
        for _ in range(draw(st.integers(0, 4))):
            field, colon = draw(FIELDS), draw(st.sampled_from([b":", b": ", b": ", b""]))
            parts += [field, colon, draw(CONTENT) if colon else b"", draw(LINE_ENDS)]
        parts.append(draw(LINE_ENDS))
    return b"".join(parts)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BODIES | structured_bodies() | st.binary(max_size=60), st.lists(st.integers(0, 999)))
@example(b"data: x\r\n\r\n", [8, 9, 10])
@example(b"\xef\xbb", [])
@example(b"\xef\xbb\xbfdata: x\n\r", [1, 2])
def test_agrees_with_the_reference_for_any_split(body: bytes, places: list[int]) -> None:
    expected = reference(body)
    assert decode(body) == expected
    assert decode(body, 1) == expected
    decoder = SSEDecoder()
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    events = [event for start, end in pairwise(edges) for event in decoder.feed(body[start:end])]
    assert events == expected
    assert decoder.pending_bytes <= len(body)


EVENT = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0}\n\n'
LONG_LINE, LINES = b"x" * 1000, b"x" * 990 + b"\ndata: y\r"


def feeding(chunks: Iterable[bytes]) -> Iterator[Callable[[], object]]:
    decoder = SSEDecoder()
    for chunk in chunks:
        yield partial(decoder.feed, chunk)


@pytest.mark.parametrize("line", [LONG_LINE, LINES], ids=["one line", "lines"])
@pytest.mark.parametrize("size", [10, 700])
def test_one_big_event_takes_linear_work(line: bytes, size: int) -> None:
    def steps(chunks: int) -> Iterator[Callable[[], object]]:
        text = (line * (chunks * size // len(line) + 1))[: chunks * size]
        body = b"event: e\ndata: " + text + b"\n\n"
        return feeding(body[start : start + size] for start in range(0, len(body), size))

    assert growth(steps, 400) < LINEAR


@pytest.mark.parametrize("size", [1, 17, 1400, 10**9])
def test_many_small_events_take_linear_work(size: int) -> None:
    def steps(events: int) -> Iterator[Callable[[], object]]:
        body = EVENT * events
        return feeding(body[start : start + size] for start in range(0, len(body), size))

    assert growth(steps, 20 if size == 1 else 300) < LINEAR


def test_the_count_notices_a_buffer_that_is_joined_again_and_again() -> None:
    def steps(chunks: int) -> Iterator[Callable[[], object]]:
        held = [b""]

        def feed() -> None:
            held[0] = held[0] + LONG_LINE

        for _ in range(chunks):
            yield feed

    assert growth(steps, 100) > 4 * LINEAR
