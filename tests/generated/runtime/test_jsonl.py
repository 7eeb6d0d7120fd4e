"""The JSON Lines decoder."""

from __future__ import annotations

import json
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from claude_rest._runtime.codec import DecodeError
from claude_rest._runtime.errors import EventSizeError
from claude_rest._runtime.jsonl import JSONLDecoder, JSONLine
from counted_work import LINEAR, growth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def decode(body: bytes, size: int | None = None) -> list[JSONLine]:
    decoder = JSONLDecoder()
    step = size or max(len(body), 1)
    lines = [
        line
        for start in range(0, len(body), step)
        for line in decoder.feed(body[start : start + step])
    ]
    return lines + decoder.finish()


@pytest.mark.parametrize("size", [1, 2, 5, None])
def test_line_ends_blank_lines_and_numbers(size: int | None) -> None:
    body = b'{"a":1}\r\n\r\n \t\n{"b":2}\n\n{"c":3}'
    assert decode(body, size) == [
        JSONLine(1, b'{"a":1}'),
        JSONLine(4, b'{"b":2}'),
        JSONLine(6, b'{"c":3}'),
    ]


def test_separators_of_other_kinds_are_text() -> None:
    body = '{"a":"\u2028\u0085"}\n'.encode()
    assert [line.json() for line in decode(body, 1)] == [{"a": "\u2028\u0085"}]


def test_byte_order_mark_is_dropped() -> None:
    assert decode(b"\xef\xbb\xbf{}\n{}", 1) == [JSONLine(1, b"{}"), JSONLine(2, b"{}")]


def test_bad_line_is_named() -> None:
    lines = decode(b"{}\n{oops\n[1]\n")
    assert lines[0].json() == {}
    with pytest.raises(DecodeError, match="line 2"):
        lines[1].json()
    assert lines[2].json() == [1]


def test_size_limit() -> None:
    decoder = JSONLDecoder(max_line_bytes=100)
    decoder.feed(b"{}\n")
    with pytest.raises(EventSizeError, match="line 2 of the body is larger than 100 bytes"):
        for _ in range(20):
            decoder.feed(b"0123456789")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def reference(body: bytes) -> list[JSONLine]:
    """Split byte by byte, without a thought for speed."""
    lines, line = [], b""
    for position in range(len(body)):
        if body[position : position + 1] == b"\n":
            lines.append(line)
            line = b""
        else:
            line += body[position : position + 1]
    lines.append(line)
    lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
    return [
        JSONLine(number, line.removesuffix(b"\r"))
        for number, line in enumerate(lines, 1)
        if line.strip(b" \t\r\x0b\x0c")
    ]


BODIES = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"\r", b" ", b"\t", b"{}", b'{"a":', b"1}", b"\xef\xbb\xbf"])
    | st.binary(max_size=3),
    max_size=25,
).map(b"".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BODIES, st.lists(st.integers(0, 999)))
@example(b'{"a": 1}\r\n{"b": 2}\r', [9])
def test_agrees_with_the_reference_for_any_split_of_any_bytes(
    body: bytes, places: list[int]
) -> None:
    expected = reference(body)
    assert decode(body) == decode(body, 1) == expected
    decoder = JSONLDecoder()
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    lines = [line for start, end in pairwise(edges) for line in decoder.feed(body[start:end])]
    assert lines + decoder.finish() == expected


@pytest.mark.parametrize("line", [b'{"custom_id": "x"}\r\n', b"x" * 1000], ids=["many", "one"])
@pytest.mark.parametrize("size", [7, 300])
def test_work_is_linear(line: bytes, size: int) -> None:
    def steps(chunks: int) -> Iterator[Callable[[], object]]:
        body = (line * (chunks * size // len(line) + 1))[: chunks * size]
        decoder = JSONLDecoder()
        for start in range(0, len(body), size):
            yield partial(decoder.feed, body[start : start + size])
        yield decoder.finish

    assert growth(steps, 400) < LINEAR


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(VALUES, max_size=12), st.sampled_from([b"\n", b"\r\n"]), st.integers(1, 50))
def test_any_split_gives_the_same_lines(values: list[object], end: bytes, size: int) -> None:
    body = end.join(json.dumps(value, ensure_ascii=False).encode() for value in values)
    assert [json.loads(line.content) for line in decode(body, size)] == values
