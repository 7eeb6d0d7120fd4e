"""Types of the standard library that are one JSON string: their ``format`` and how to read them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

STRINGS: dict[type, str | None] = {
    datetime: "date-time",
    date: "date",
    time: "time",
    timedelta: "duration",
    UUID: "uuid",
    Decimal: None,
    IPv4Address: "ipv4",
    IPv6Address: "ipv6",
    Path: None,
    PurePath: None,
}
"""The ``format`` of each type; None where a plain string is all there is to say."""

_DURATION = re.compile(
    r"(?P<sign>[-+])?P(?:(?P<weeks>\d+(?:\.\d+)?)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_FRACTION = re.compile(r"(?<=\d)\.(\d+)")


def read_string(kind: type, text: str) -> Any:
    """Return the value of type ``kind`` that ``text`` stands for. Raises ``ValueError``."""
    return _READERS[kind](text)


def write_duration(value: timedelta) -> str:
    """Return a duration in the form of ISO 8601."""
    sign = "-" if value < timedelta() else ""
    value = abs(value)
    seconds = f"{value.seconds}.{value.microseconds:06d}".rstrip("0").rstrip(".")
    return f"{sign}P{value.days}DT{seconds}S"


def _plain(text: str) -> str:
    # Before Python 3.11 only what isoformat() writes is read: no Z, and 3 or 6 decimal places.
    text = text.strip()
    if text[-1:] in ("Z", "z"):
        text = f"{text[:-1]}+00:00"
    return _FRACTION.sub(lambda match: f".{match[1][:6]:0<6}", text)


def _read_duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(
        match[name] for name in ("weeks", "days", "hours", "minutes", "seconds")
    ):
        raise ValueError(f"no duration such as P1DT2H: {text!r}")
    parts = {
        name: float(number)
        for name, number in match.groupdict().items()
        if name != "sign" and number
    }
    try:
        value = timedelta(**parts)
    except OverflowError as error:
        raise ValueError(str(error)) from error
    return -value if match["sign"] == "-" else value


def _read_decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"no decimal number: {text!r}") from None


_READERS: dict[type, Callable[[str], Any]] = {
    datetime: lambda text: datetime.fromisoformat(_plain(text)),
    date: lambda text: date.fromisoformat(text.strip()),
    time: lambda text: time.fromisoformat(_plain(text)),
    timedelta: _read_duration,
    UUID: UUID,
    Decimal: _read_decimal,
    IPv4Address: IPv4Address,
    IPv6Address: IPv6Address,
    Path: Path,
    PurePath: PurePath,
}
