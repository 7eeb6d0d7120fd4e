"""A message with the value it holds: a :class:`ParsedMessage` is a message in every way."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from claude_rest._runtime.struct import wire_names
from claude_rest.models import Message

from .errors import NoOutputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from .output_format import OutputFormat

T = TypeVar("T")

_NONE: Any = object()


class ParsedMessage(Message, Generic[T]):
    """The reply of ``messages.parse``: a message whose text is JSON, and the value it stands for.

    The value is beside the fields: encoding, ``to_param()``, ``repr`` and equality do not see it,
    and it equals the message without it.
    """

    __slots__ = ("_parsed",)

    _parsed: Any

    @property
    def parsed_output(self) -> T:
        """The value.

        Raises :class:`~.errors.NoOutputError` when there is none yet because the reply calls tools
        or is paused: see :attr:`has_output`.
        """
        value: T = getattr(self, "_parsed", _NONE)
        if value is _NONE:
            raise NoOutputError(self)
        return value

    @property
    def has_output(self) -> bool:
        """Whether there is a value; it is not there yet when tools are called."""
        return getattr(self, "_parsed", _NONE) is not _NONE

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, strict: bool = False) -> Self:
        """Decode a message; it has no value, as JSON does not say of which type it would be."""
        parsed: Self = _with_fields(cls, Message.from_dict(data, strict=strict))
        return parsed

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]


def parse_message(message: Message, output_format: OutputFormat[T]) -> ParsedMessage[T]:
    """Return ``message`` with its value.

    Raises :class:`~.errors.StructuredOutputError` when it holds none, unless it is to be continued
    first, as when it calls tools.
    """
    parsed: ParsedMessage[T] = _with_fields(ParsedMessage, message)
    with contextlib.suppress(NoOutputError):
        parsed._parsed = output_format.parse(message)
    return parsed


def _with_fields(cls: Any, message: Message) -> Any:
    """Return an object of another class with all fields of a message, and what it was sent with."""
    new = object.__new__(cls)
    for name in (*(attribute for attribute, _ in wire_names(Message)), "_extra", "_meta"):
        # Through the slots: what was absent has to stay so.
        slot = getattr(Message, name)
        try:
            value = slot.__get__(message, Message)
        except AttributeError:
            continue
        slot.__set__(new, value)
    return new
