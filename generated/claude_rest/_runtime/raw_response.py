"""Whole answers with their headers and bytes: what ``with_raw_response`` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import ClaudeError
from .raw_call import (
    OPEN,
    AsyncReadBody,
    Call,
    Facts,
    ReadBody,
    async_opened,
    async_whole,
    charset_of,
    parsed,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from .meta import Meta

T = TypeVar("T")


class RawAnswer:
    """A whole answer before it is decoded: what a call of a ``raw`` operation returns."""

    __slots__ = ("content", "meta")

    content: bytes
    meta: Meta

    def __init__(self, content: bytes, meta: Meta) -> None:
        """Keep the body and the metadata."""
        self.content = content
        self.meta = meta


class _ReadAnswer(Facts, Generic[T]):
    """An answer that is here as a whole, or an open stream of events."""

    __slots__ = ("_content", "_result")

    _content: bytes | None
    _result: T

    @property
    def content(self) -> bytes:
        """The body, decompressed. Raises :class:`ClaudeError` for an open stream of events."""
        if self._content is None:
            raise ClaudeError(
                f"{self._call.operation.id}: the answer is an open stream; parse() returns it"
            )
        return self._content

    def text(self) -> str:
        """Return the body as text, in the encoding it says, or UTF-8."""
        return self.content.decode(charset_of(self.headers), "replace")

    def json(self) -> Any:
        """Return the body as a JSON value. Raises ``DecodeError`` when it is none."""
        from .codec import loads

        return loads(self.content)


class APIResponse(_ReadAnswer[T]):
    """An answer of ``with_raw_response``: what :meth:`parse` returns, and all around it.

    The body has been read, unless it is a stream of events: :meth:`parse` returns that open.
    """

    __slots__ = ()

    @classmethod
    def _of(cls, call: Call, answer: RawAnswer) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._content = call, answer.meta, answer.content
        return response

    @classmethod
    def _of_stream(cls, call: Call, stream: Any) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._content = call, stream.meta, None
        response._result = stream
        return response

    def parse(self) -> T:
        """Return what the method itself would have: a model, a page, a stream.

        Decodes the first time, and returns the same object from then on. Raises what the method
        would have raised for a body that is not what it should be.
        """
        if not hasattr(self, "_result"):
            self._result = parsed(self._call, ReadBody(self.content, self.meta))
        return self._result


class AsyncAPIResponse(_ReadAnswer[T]):
    """Asynchronous twin of :class:`APIResponse`.

    Nothing of it is awaited: there is nothing left to wait for once the call has returned it.
    """

    __slots__ = ()

    @classmethod
    def _of(cls, call: Call, answer: RawAnswer) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._content = call, answer.meta, answer.content
        return response

    @classmethod
    def _of_stream(cls, call: Call, stream: Any) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._content = call, stream.meta, None
        response._result = stream
        return response

    def parse(self) -> T:
        """Return what the method itself would have; see :meth:`APIResponse.parse`."""
        if not hasattr(self, "_result"):
            call, meta = self._call, self.meta
            if call.operation.response in OPEN:
                self._result = async_opened(call, AsyncReadBody(self.content, meta))
            else:
                self._result = async_whole(call, self.content, meta)
        return self._result
