"""JSON that is ready: encoded once, sent as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # To type checkers it is a value of any type, as it may stand for each.
    from typing import Any as _AnyValue
else:
    _AnyValue = object


class RawJSON(_AnyValue):  # type: ignore[misc, unused-ignore]
    """JSON text that goes into a body as it is, such as a long prefix that every request has.

    It may stand wherever a body has a value. Nothing looks inside: beta flags that something in it
    needs are not derived, so name them in ``betas``.
    """

    __slots__ = ("data",)

    data: bytes
    """UTF-8."""

    def __init__(self, data: bytes | bytearray | memoryview | str, *, check: bool = True) -> None:
        """Take JSON text. Raises ``ValueError`` when it is none, unless ``check`` is false."""
        self.data = data.encode() if isinstance(data, str) else bytes(data)
        if check:
            from .codec import loads

            loads(self.data)

    @classmethod
    def of(cls, value: Any) -> RawJSON:
        """Encode ``value`` once, to be sent more than once; what may be in it is as in a body."""
        from .codec import dumps

        return cls(dumps(value), check=False)

    def __len__(self) -> int:
        """Bytes of the text."""
        return len(self.data)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RawJSON) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"RawJSON({len(self.data)} bytes)"
