"""The SSE decoder: the rules of the standard, any chunking, linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from claude_rest._runtime.errors import EventSizeError
from claude_rest._runtime.sse import ServerSentEvent, SSEDecoder


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


@settings(max_examples=400, deadline=None)
@given(BODIES, st.data())
@example(b"data: x\r\n\r\n", None)
@example(b"\xef\xbb", None)
def test_agrees_with_the_reference_for_any_split(body: bytes, draw: st.DataObject | None) -> None:
    expected = reference(body)
    assert decode(body) == expected
    assert decode(body, 1) == expected
    if draw is not None:
        cuts = sorted(draw.draw(st.lists(st.integers(0, len(body)), max_size=8)))
        decoder = SSEDecoder()
        events = [
            event
            for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)
            for event in decoder.feed(body[start:end])
        ]
        assert events == expected


def seconds(action: object, *arguments: object) -> float:
    assert callable(action)
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        action(*arguments)
        best = min(best, time.process_time() - started)
    return best


@pytest.mark.parametrize(
    "line", [b"x" * 1399 + b"\ndata: ", b"x" * 1400], ids=["lines", "one line"]
)
def test_one_big_event_takes_linear_time(line: bytes) -> None:
    def body(megabytes: int) -> bytes:
        return b"event: e\ndata: " + line * (megabytes * 700) + b"\n\n"

    small, large = body(1), body(8)
    assert seconds(decode, large, 1400) < 30 * max(seconds(decode, small, 1400), 0.002)


def test_many_small_events_take_linear_time() -> None:
    event = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0}\n\n'
    small, large = event * 2_000, event * 16_000
    for size in (None, 1400):
        assert seconds(decode, large, size) < 30 * max(seconds(decode, small, size), 0.002)
