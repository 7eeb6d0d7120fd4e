"""JSON in and out, with either library."""

from __future__ import annotations

import json
import math
from collections import OrderedDict, UserDict, deque, namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_rest._runtime import codec
from claude_rest._runtime.codec import DecodeError, EncodeError, dumps, loads
from claude_rest._runtime.json_body import json_body
from claude_rest._runtime.struct import Unknown
from claude_rest._runtime.timestamp import Timestamp
from claude_rest._runtime.unset import UNSET
from claude_rest.models import TextBlock
from schema_documents import canonical

HUGE = 10**30
LONE = "\ud800"


@pytest.fixture(params=["orjson", "json"], autouse=True)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.setattr(codec, "_orjson_loads", None)
        monkeypatch.setattr(codec, "_orjson_dumps", None)
    return str(request.param)


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, bytes.decode])
@pytest.mark.parametrize("text", [b'{"a":[1,"\xc3\xa9"]}', b'"\\ud800"', b" 1e400 ", b"NaN"])
def test_reads_from_any_kind_of_text(kind: Any, text: bytes) -> None:
    value = loads(kind(text))
    assert canonical(value) == canonical(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b'{"a" 1}',
        b"nul",
        b"01",
        b"1 2",
        b'"\n"',
        b'"\xff"',
        b'"\xc3',
        b"<html>502 Bad Gateway</html>",
        b"\x00",
        "",
        "\ufeff1",
        "[" * 200_000,
    ],
)
def test_what_is_no_json(text: bytes | str) -> None:
    with pytest.raises(DecodeError) as caught:
        loads(text)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value)


def test_the_error_does_not_repeat_the_document() -> None:
    with pytest.raises(DecodeError) as caught:
        loads(b'{"api_key": "sk-ant-secret"')
    assert "secret" not in str(caught.value)


def test_backend_is_named(backend: str) -> None:
    assert codec.BACKEND in ("orjson", "json")


# --- writing ------------------------------------------------------------------------------------


class Color(Enum):
    RED = "red"
    ONE = 1


class Size(str, Enum):
    BIG = "big"


class Number(IntEnum):
    TWO = 2


class Real(float):
    pass


class Text(str):
    __slots__ = ()


Point = namedtuple("Point", "x y")

UTC = timezone.utc


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (2**64 - 1, "18446744073709551615"),
        (-(2**63), "-9223372036854775808"),
        (HUGE, "1" + "0" * 30),
        (0.1, "0.1"),
        (Real(0.5), "0.5"),
        ("é\u2028\U0001f600", '"é\u2028\U0001f600"'),
        (Text("x"), '"x"'),
        ('"\\\n\x00', '"\\"\\\\\\n\\u0000"'),
        ((1, 2), "[1,2]"),
        (Point(1, 2), "[1,2]"),
        (range(3), "[0,1,2]"),
        (deque([1]), "[1]"),
        ({"a": 1}.values(), "[1]"),
        (frozenset([1]), "[1]"),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (MappingProxyType({"a": (1,)}), '{"a":[1]}'),
        (UserDict({"a": {"b": 1}}), '{"a":{"b":1}}'),
        ({1: "a", None: "b", 2.5: "c"}, '{"1":"a","null":"b","2.5":"c"}'),
        (Color.RED, '"red"'),
        (Color.ONE, "1"),
        (Size.BIG, '"big"'),
        (Number.TWO, "2"),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), '"2026-01-02T03:04:05+00:00"'),
        (datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC), '"2026-01-02T03:04:05.000060+00:00"'),
        (
            datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=-9, minutes=-30))),
            '"2026-01-02T00:00:00-09:30"',
        ),
        (date(2026, 1, 2), '"2026-01-02"'),
        (time(3, 4), '"03:04:00"'),
        (Timestamp.parse("2026-01-01T00:00:00.5Z"), '"2026-01-01T00:00:00.5Z"'),
        (TextBlock(text="x"), '{"type":"text","text":"x"}'),
        (Unknown("new", {"type": "new", "a": [1]}), '{"type":"new","a":[1]}'),
        ([{"m": (TextBlock(text="x"),)}], '[{"m":[{"type":"text","text":"x"}]}]'),
    ],
)
def test_writes(value: Any, text: str) -> None:
    assert dumps(value) == text.encode()
    # Next to what makes orjson give up, too.
    assert json.loads(dumps([value, HUGE]))[0] == json.loads(text)
    assert json.loads(dumps([value, LONE]))[0] == json.loads(text)
    assert json.loads(dumps([value, None]))[0] == json.loads(text)


def numbers() -> Iterator[Any]:
    yield 1
    yield (inner for inner in (2, 3))


@pytest.mark.parametrize("beside", [0, None, HUGE, LONE, {1: 2}])
def test_an_iterator_is_written_whole(beside: Any) -> None:
    assert loads(dumps({"a": numbers(), "b": beside, "c": iter([4])}))["a"] == [1, [2, 3]]
    assert loads(dumps({"b": beside, "c": map(str, [4])}))["c"] == ["4"]


def test_one_iterator_in_two_places() -> None:
    shared = numbers()
    assert loads(dumps([shared, shared])) == [[1, [2, 3]], [1, [2, 3]]]


def test_what_an_iterator_raises_goes_through() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise FileNotFoundError("data.csv")

    with pytest.raises(FileNotFoundError, match=r"data\.csv"):
        dumps({"a": broken()})

    def mistyped() -> Iterator[int]:
        yield 1
        raise TypeError("wrong")

    with pytest.raises(EncodeError, match="wrong"):
        dumps({"a": mistyped()})


@dataclass
class Record:
    x: int = 1


def circle() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


def deep() -> list[Any]:
    inner: list[Any] = []
    for _ in range(100_000):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (UNSET, "UNSET stands inside a request body; leave the key out"),
        ({"a": UNSET}, "UNSET"),
        (b"x", "have no JSON form but as the data of a source"),
        (bytearray(b"x"), "base64"),
        (memoryview(b"x"), "base64"),
        (object(), "object has no JSON form"),
        (Record(), "Record has no JSON form"),
        (len, "builtin_function_or_method has no JSON form"),
        (1j, "complex"),
        ({(1, 2): 3}, "cannot be sent as JSON"),
        ({b"a": 3}, "cannot be sent as JSON"),
        (math.nan, "cannot be sent as JSON"),
        (math.inf, "cannot be sent as JSON"),
        ({"temperature": -math.inf}, "cannot be sent as JSON"),
        ([1, math.nan], "cannot be sent as JSON"),
        ([math.nan], "cannot be sent as JSON"),
        ([None, Real("nan")], "cannot be sent as JSON"),
        (circle(), "cannot be sent as JSON"),
        (deep(), "cannot be sent as JSON"),
    ],
    ids=range(19),
)
def test_refuses(value: Any, words: str) -> None:
    with pytest.raises(EncodeError, match=words) as caught:
        dumps(value)
    assert isinstance(caught.value, TypeError)


def test_a_number_from_an_iterator_is_refused_too() -> None:
    with pytest.raises(EncodeError):
        dumps({"a": (value for value in [math.nan])})


class Odd(Enum):
    NAN = math.nan


@pytest.mark.parametrize("padding", ["", "x" * 2 * codec.NAN_SCAN_BYTES], ids=["small", "large"])
@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        -math.inf,
        Real("nan"),
        [[{"a": (1, math.inf)}]],
        {"a": {"b": [None, math.nan]}},
        OrderedDict(a=math.nan),
        UserDict({"a": [math.nan]}),
        (value for value in [{"a": math.nan}]),
        deque([math.nan]),
        Odd.NAN,
        TextBlock.from_dict({"type": "text", "text": "x", "future": {"a": [math.nan]}}),
        [Unknown("new", {"type": "new", "a": math.inf})],
    ],
    ids=range(12),
)
def test_a_number_json_lacks_never_becomes_null(value: Any, padding: str) -> None:
    if isinstance(value, Iterator):
        value = (item for item in [{"a": math.nan}])
    with pytest.raises(EncodeError, match="cannot be sent as JSON"):
        dumps({"model": padding, "messages": [value]})


@pytest.mark.parametrize("padding", ["", "x" * 2 * codec.NAN_SCAN_BYTES], ids=["small", "large"])
def test_null_is_written_by_the_fast_library(
    padding: str, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend == "orjson":
        monkeypatch.setattr(json, "dumps", None)
    block = TextBlock.from_dict({"type": "text", "text": padding, "citations": None})
    value = {"a": [None, 1, 0.5, True, block, (None,)], "b": None, "c": ":null", "d": Size.BIG}
    plain = {**value, "a": [None, 1, 0.5, True, block.to_dict(), [None]]}
    assert loads(dumps(value)) == plain


@pytest.mark.parametrize(
    "text", [LONE, "\udfff\ud800", "é" + LONE, '"\\' + LONE, "\U0001f600\udc00", "\\ud800" + LONE]
)
def test_lone_surrogates_are_escaped(text: str) -> None:
    encoded = dumps({"é" + text: [text]})
    assert encoded.decode("utf-8")
    assert json.loads(encoded) == {"é" + text: [text]}


def test_text_that_says_null_is_no_reason_to_slow_down(backend: str) -> None:
    assert dumps({"a": ":null", "b": ["null,null"]}) == b'{"a":":null","b":["null,null"]}'
    assert dumps({"a": None, "b": [None, None]}) == b'{"a":null,"b":[null,null]}'


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=["L", "Cs", "Cc", "S", "Z"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_reads_the_same(value: Any) -> None:
    # Two halves of a pair that stand together are one character in JSON.
    value = json.loads(json.dumps(value))
    assert canonical(loads(dumps(value))) == canonical(value)
    assert canonical(json.loads(dumps(value))) == canonical(value)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.just("é"),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abcé"), inner),
    max_leaves=12,
)
"""What either library writes by itself: where one falls back, it does so for the piece alone."""


@given(st.dictionaries(st.sampled_from(["messages", "system", "tools"]), PLAIN))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_are_the_same_bytes(fields: dict[str, Any]) -> None:
    assert json_body(fields).read() == dumps(fields)


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [[]],
        ({"role": "user"},),
        [{"role": "user", "content": [{"type": "text", "text": "\u00e9 null"}, None, 1.5]}],
        [{"role": "user", "content": [TextBlock.from_dict({"type": "text", "text": "t"})]}],
        [{1: [2], None: {}}, {LONE: [LONE]}, {}],
        [{"params": {"messages": [{"content": [[[[1]]]]}], "system": [{}]}}],
        [OrderedDict(a=[1]), deque([1, 2]), Unknown("x", {"type": "x"})],
    ],
)
def test_pieces_of_a_request_are_the_same_bytes(messages: Any) -> None:
    fields = {"model": "m", "messages": messages, "tools": [{"name": "t", "enum": []}]}
    assert json_body(fields).read() == dumps(fields)


def test_one_iterator_in_two_pieces() -> None:
    shared = numbers()
    fields = {"messages": [{"content": [shared]}, {"content": [shared]}]}
    text = json_body(fields).read()
    assert json.loads(text)["messages"][0] == json.loads(text)["messages"][1]


def test_pieces_refuse_what_has_no_json_form() -> None:
    for wrong in (math.nan, UNSET, b"x", object()):
        with pytest.raises(EncodeError):
            json_body({"messages": [{"content": [{"x": wrong}]}]})


def test_nothing_secret_in_errors() -> None:
    with pytest.raises(EncodeError) as caught:
        dumps({"api_key": "sk-ant-secret", "x": object()})
    assert "secret" not in str(caught.value)
