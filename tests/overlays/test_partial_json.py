"""The incremental reader of unfinished JSON, against one that is slow and plainly right."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from claude_client.partial_json import PartialJSON
from claude_rest._runtime.codec import DecodeError, loads
from counted_work import LINEAR, growth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOTHING = object()
HIGH_SURROGATE_AT_END = re.compile(r"(?<!\\)(?:\\\\)*\\u[dD][89abAB][0-9a-fA-F]{2}$")

MAY_GO_ON = re.compile(r"[-+.0-9a-zA-Z]$")


def reference(prefix: str) -> Any:
    """Drop characters from the end until what is left, with its brackets closed, is JSON."""
    for cut in range(len(prefix), -1, -1):
        text = prefix[:cut]
        closers: list[str] = []
        in_string = escaped = False
        for character in text:
            if in_string:
                if escaped:
                    escaped = False
                elif character == "\\":
                    escaped = True
                elif character == '"':
                    in_string = False
            elif character == '"':
                in_string = True
            elif character in "{[":
                closers.append("}" if character == "{" else "]")
            elif character in "}]" and closers:
                closers.pop()
        if in_string:
            if HIGH_SURROGATE_AT_END.search(text):
                continue
            text += '"'
        elif MAY_GO_ON.search(text) and (cut == len(prefix) or MAY_GO_ON.search(prefix[cut])):
            continue
        try:
            return loads(text + "".join(reversed(closers)))
        except DecodeError:
            continue
    return NOTHING


def shown(parser: PartialJSON) -> Any:
    return parser.value if parser.started else NOTHING


def read(*fragments: str) -> PartialJSON:
    parser = PartialJSON()
    for fragment in fragments:
        parser.feed(fragment)
    return parser


TEXT = st.text(st.characters() | st.sampled_from('"\\/\n\u2028\U0001f600'), max_size=6)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    return json.dumps(
        draw(VALUES),
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 0, 2])),
    )


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.integers(0, 999), max_size=8)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents(), CUTS, st.booleans())
@example(r'"\ud83d\ude00\ud83d"', [1], False)
@example(r'{"a\"b": "\\", "\u00e9": "\ud83d x \ud83d\n"}', [], True)
def test_a_whole_text_gives_what_json_gives(text: str, places: list[int], look: bool) -> None:
    parser = PartialJSON()
    for fragment in cut(text, places):
        parser.feed(fragment)
        if look:
            assert not parser.invalid
            _ = parser.value
    assert parser.finish() == json.loads(text)
    assert not parser.invalid


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
@example(r'{"a": "\ud83d\ude00", "b": [1, -2.5e3, true], "c": "\ud83d", "\\": "\\ud83d"}')
def test_every_prefix_gives_what_it_says_so_far(text: str) -> None:
    grown = PartialJSON()
    for end in range(len(text)):
        expected = reference(text[:end])
        assert shown(read(text[:end])) == expected
        assert shown(grown) == expected
        grown.feed(text[end])
    assert grown.finish() == json.loads(text)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text('{}[]",:\\u0dDeE1-. tfalsn\n', max_size=30), CUTS)
def test_agrees_with_json_on_what_is_json(text: str, places: list[int]) -> None:
    parser = read(*cut(text, places))
    _ = parser.value
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError, match="not a whole JSON document"):
            parser.finish()
    else:
        assert parser.finish() == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", NOTHING),
        (" ", NOTHING),
        ("tru", NOTHING),
        ("12", NOTHING),
        ("{", {}),
        ('{"ke', {}),
        ('{"key"', {}),
        ('{"key":', {}),
        ('{"key": "', {"key": ""}),
        ('{"key": "va', {"key": "va"}),
        ('{"key": "va\\', {"key": "va"}),
        ('{"key": "va\\u00', {"key": "va"}),
        ('{"key": "va\\ud83d', {"key": "va"}),
        ('{"key": "va\\ud83d\\ude0', {"key": "va"}),
        ('{"key": "va\\ud83d\\n', {"key": "va\ud83d\n"}),
        ('{"key": 12', {}),
        ('{"key": 12,', {"key": 12}),
        ('{"key": true', {}),
        ('{"key": true ', {"key": True}),
        ("[1, 2", [1]),
        ("[[1], [", [[1], []]),
        ('{"a": 1, "a": "x', {"a": "x"}),
    ],
)
def test_rules_of_what_is_half(text: str, value: Any) -> None:
    for parser in (read(text), read(*text)):
        assert shown(parser) == value
        assert not parser.invalid


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1} x', {"a": 1}),
        ('{"a": 1, }, "b": 2', {"a": 1}),
        ('{"a": "x\n", "b": 2', {"a": "x"}),
        (r'{"a": "x\q", "b": 2', {"a": "x"}),
        (r'{"a": "x\u00zz", "b": 2', {"a": "x"}),
        ('{"a": tru, "b": 2', {}),
        ('{"a": 01, "b": 2', {}),
        ("[1}", [1]),
        ("]", NOTHING),
        ("oops {", NOTHING),
    ],
)
def test_what_is_no_json_keeps_what_there_was(text: str, value: Any) -> None:
    for parser in (read(text), read(*text)):
        assert parser.invalid
        assert shown(parser) == value
        with pytest.raises(ValueError, match="not a whole"):
            parser.finish()


DOCUMENTS: dict[str, Callable[[int], str]] = {
    "one long string": lambda size: '{"code": "%s"}' % ("x" * 24 * size),
    "escapes": lambda size: '{"code": "%s"}' % (r"\n\ud83d\ude00\u00e9\"" * size),
    "many items": lambda size: json.dumps({"items": list(range(size * 5))}),
    "deep": lambda size: "[" * 20 * size,
    "one long number": lambda size: "[" + "1" * 20 * size,
    "one long key": lambda size: '{"' + "k" * 20 * size,
}


@pytest.mark.parametrize("ask", [False, True], ids=["", "asking each time"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_work_is_linear(name: str, ask: bool) -> None:
    if ask and sys.gettrace() is not None:
        pytest.skip("a traced interpreter copies each string that it makes longer")

    def steps(size: int) -> Iterator[Callable[[], object]]:
        text = DOCUMENTS[name](size)
        parser = PartialJSON()

        def feed(fragment: str) -> None:
            parser.feed(fragment)
            assert not ask or parser.value is not None

        for start in range(0, len(text), 24):
            yield partial(feed, text[start : start + 24])

    assert growth(steps, 150, calls=not ask) < LINEAR


def test_the_value_is_one_object_that_grows() -> None:
    parser = read('{"lines": ["a')
    value = parser.value
    parser.feed('b", "c')
    assert parser.value is value
    assert value == {"lines": ["ab", "c"]}
