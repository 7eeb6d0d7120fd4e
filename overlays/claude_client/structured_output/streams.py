"""Streams whose final message holds a value: ``messages.stream(output_format=…)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..streaming import (
    AsyncMessageStream,
    AsyncMessageStreamManager,
    MessageStream,
    MessageStreamManager,
)
from .parsed import ParsedMessage, parse_message

if TYPE_CHECKING:
    from .output_format import OutputFormat

T = TypeVar("T")


class ParsedMessageStream(MessageStream, Generic[T]):
    """A stream whose final message is a :class:`~.parsed.ParsedMessage`."""

    __slots__ = ("_format", "_parsed")

    def __init__(self, *arguments: Any, output_format: OutputFormat[T], **options: Any) -> None:
        """Take what a stream takes, and the format of the reply."""
        super().__init__(*arguments, **options)
        self._format = output_format
        self._parsed: ParsedMessage[T] | None = None

    def get_final_message(self) -> ParsedMessage[T]:
        """Read to the end and return the message with its value, the same object each time.

        Raises :class:`~.errors.StructuredOutputError` when there is no such value.
        """
        message = super().get_final_message()
        if self._parsed is None:
            self._parsed = parse_message(message, self._format)
        return self._parsed


class AsyncParsedMessageStream(AsyncMessageStream, Generic[T]):
    """Asynchronous twin of :class:`ParsedMessageStream`."""

    __slots__ = ("_format", "_parsed")

    def __init__(self, *arguments: Any, output_format: OutputFormat[T], **options: Any) -> None:
        """Take what a stream takes, and the format of the reply."""
        super().__init__(*arguments, **options)
        self._format = output_format
        self._parsed: ParsedMessage[T] | None = None

    async def get_final_message(self) -> ParsedMessage[T]:
        """Read to the end and return the message with its value, the same object each time.

        Raises :class:`~.errors.StructuredOutputError` when there is no such value.
        """
        message = await super().get_final_message()
        if self._parsed is None:
            self._parsed = parse_message(message, self._format)
        return self._parsed


class ParsedMessageStreamManager(MessageStreamManager, Generic[T]):
    """Sends the request when entered."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __enter__(self) -> ParsedMessageStream[T]: ...


class AsyncParsedMessageStreamManager(AsyncMessageStreamManager, Generic[T]):
    """Asynchronous twin of :class:`ParsedMessageStreamManager`."""

    __slots__ = ()

    if TYPE_CHECKING:

        async def __aenter__(self) -> AsyncParsedMessageStream[T]: ...
