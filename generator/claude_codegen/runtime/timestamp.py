"""Dates of responses: a ``datetime`` that remembers how the server wrote it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

_FRACTION = re.compile(r"(\.\d+)")


class Timestamp(datetime):
    """An RFC 3339 date and time; encodes to exactly the text it was decoded from."""

    _text: str

    @classmethod
    def parse(cls, text: str) -> Timestamp:
        """Read an RFC 3339 date-time. Raises ``ValueError`` for anything else."""
        # datetime.fromisoformat before Python 3.11 knows neither "Z" nor other than 3 or 6 digits.
        plain = _FRACTION.sub(lambda found: found[0][:7].ljust(7, "0"), text, count=1)
        if plain[-1:] in ("Z", "z"):
            plain = plain[:-1] + "+00:00"
        stamp = cls.fromisoformat(plain)
        stamp._text = text
        return stamp

    @property
    def wire_text(self) -> str:
        """The text as sent, or RFC 3339 for a value made by arithmetic."""
        try:
            return self._text
        except AttributeError:
            return self.isoformat()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return (_restore, (self.isoformat(), self.wire_text))


def _restore(iso: str, text: str) -> Timestamp:
    stamp = Timestamp.fromisoformat(iso)
    stamp._text = text
    return stamp


def decode_timestamp(value: Any) -> Any:
    """Return a :class:`Timestamp`; what is not an RFC 3339 date-time stays as it came."""
    if value.__class__ is str and "-" in value and ":" in value:
        try:
            return Timestamp.parse(value)
        except ValueError:
            return value
    return value
