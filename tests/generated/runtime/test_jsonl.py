"""The JSON Lines decoder."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_rest._runtime.codec import DecodeError
from claude_rest._runtime.errors import EventSizeError
from claude_rest._runtime.jsonl import JSONLDecoder, JSONLine


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


@settings(max_examples=150, deadline=None)
@given(st.lists(VALUES, max_size=12), st.sampled_from([b"\n", b"\r\n"]), st.integers(1, 50))
def test_any_split_gives_the_same_lines(values: list[object], end: bytes, size: int) -> None:
    body = end.join(json.dumps(value, ensure_ascii=False).encode() for value in values)
    assert [json.loads(line.content) for line in decode(body, size)] == values
