"""Dates of responses: a ``datetime`` that remembers how the server wrote it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

# RFC 3339 section 5.6; ``datetime.fromisoformat`` takes more, and not the same in all versions.
_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))", re.ASCII
)


class Timestamp(datetime):
    """An RFC 3339 date and time; encodes to exactly the text it was decoded from."""

    _text: str

    @classmethod
    def parse(cls, text: str) -> Timestamp:
        """Read an RFC 3339 date-time. Raises ``ValueError`` for anything else."""
        found = _DATE_TIME.fullmatch(text)
        if found is None:
            raise ValueError(f"not an RFC 3339 date-time: {text!r}")
        day, clock, fraction, offset = found.groups(default="")
        # Digits beyond microseconds are kept in the text only.
        microseconds = fraction[:6].ljust(6, "0")
        stamp = cls.fromisoformat(f"{day}T{clock}.{microseconds}{offset or '+00:00'}")
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
    if value.__class__ is str:
        try:
            return Timestamp.parse(value)
        except ValueError:
            return value
    return value
