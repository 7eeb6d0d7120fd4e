"""Dates: read as ``datetime``, written as they came."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_rest._runtime.struct import encode
from claude_rest._runtime.timestamp import Timestamp, decode_timestamp

UTC = timezone.utc


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02t03:04:05z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02 03:04:05+00:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.5Z", datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.06Z", datetime(2026, 1, 2, 3, 4, 5, 60_000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456Z", datetime(2026, 1, 2, 3, 4, 5, 123_456, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123_456, tzinfo=UTC)),
        (
            "2026-01-02T03:04:05-09:30",
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(-timedelta(hours=9, minutes=30))),
        ),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
        ("1970-01-01T00:00:00+00:00", datetime.fromtimestamp(0, UTC)),
    ],
)
def test_read_and_written_back(text: str, meaning: datetime) -> None:
    stamp = decode_timestamp(text)
    assert isinstance(stamp, Timestamp)
    assert stamp == meaning
    assert stamp.utcoffset() == meaning.utcoffset()
    assert stamp.wire_text == text
    assert encode(stamp) == text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2026-01-02",
        "03:04:05",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:30:00Z",
        "2026-12-31T23:59:60Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05 Z",
        "2026-01-02T03:04:05+99:00",
        "10000-01-01T00:00:00Z",
        "-2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.\u0661Z",
        "\u0662026-01-02T03:04:05Z",
        "2026-01-02\ud80003:04:05Zx",
        "2026-01-02T03:04:05\x00Z",
        "-:",
        ":-Z",
        None,
        5,
        1.5,
        True,
        [],
        {},
        ["2026-01-02T03:04:05Z"],
    ],
)
def test_what_is_no_date_stays_as_it_came(value: object) -> None:
    decoded = decode_timestamp(value)
    assert decoded is value
    if isinstance(value, str):
        with pytest.raises(ValueError):
            Timestamp.parse(value)


@given(st.text(st.sampled_from("0123456789-+:.,TZtz W\ud800é")) | st.text())
def test_any_text_survives(text: str) -> None:
    assert encode(decode_timestamp(text)) == text


@given(st.datetimes(timezones=st.timezones() | st.none()))
def test_every_datetime_survives(moment: datetime) -> None:
    text = moment.isoformat()
    stamp = decode_timestamp(text)
    assert encode(stamp) == text
    if isinstance(stamp, Timestamp):
        assert stamp.replace(tzinfo=None) == moment.replace(tzinfo=None)
        assert stamp.utcoffset() == moment.utcoffset()


def test_copies_keep_the_text() -> None:
    stamp = Timestamp.parse("2026-01-02T03:04:05.5Z")
    for again in (
        copy.copy(stamp),
        copy.deepcopy(stamp),
        *(pickle.loads(pickle.dumps(stamp, n)) for n in range(2, pickle.HIGHEST_PROTOCOL + 1)),
    ):
        assert type(again) is Timestamp
        assert again == stamp
        assert again.wire_text == stamp.wire_text


def test_a_computed_date_is_written_anew() -> None:
    stamp = Timestamp.parse("2026-01-02T03:04:05.50Z")
    for changed, text in (
        (stamp + timedelta(days=1), "2026-01-03T03:04:05.500000+00:00"),
        (stamp.replace(microsecond=0), "2026-01-02T03:04:05+00:00"),
        (stamp.astimezone(timezone(timedelta(hours=1))), "2026-01-02T04:04:05.500000+01:00"),
    ):
        assert isinstance(changed, Timestamp)
        assert changed.wire_text == encode(changed) == text
        assert pickle.loads(pickle.dumps(changed)).wire_text == text
    assert stamp - Timestamp.parse("2026-01-02T03:04:05Z") == timedelta(seconds=0.5)


def test_equal_moments_are_equal() -> None:
    assert Timestamp.parse("2026-01-02T03:04:05Z") == Timestamp.parse("2026-01-02T04:04:05+01:00")
    assert hash(Timestamp.parse("2026-01-02T03:04:05Z")) == hash(
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    )
