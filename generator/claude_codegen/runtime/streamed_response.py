"""Answers whose body is not read yet: what ``with_streaming_response`` gives."""

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
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from .binary import AsyncOpenBody, OpenBody

T = TypeVar("T")


class _LineSplitter:
    """Makes lines of pieces of text. They end at LF, CR or CRLF, and nowhere else."""

    __slots__ = ("_decoder", "_pending")

    def __init__(self, charset: str) -> None:
        from codecs import getincrementaldecoder
        from io import IncrementalNewlineDecoder

        # Turns every line end into LF, also one that two pieces share.
        self._decoder = IncrementalNewlineDecoder(
            getincrementaldecoder(charset)("replace"), translate=True
        )
        self._pending: list[str] = []

    def feed(self, chunk: bytes, *, final: bool = False) -> list[str]:
        # Typed as taking text, which is what it takes when nothing stands between it and a file.
        data: Any = chunk
        lines = self._decoder.decode(data, final).split("\n")
        self._pending.append(lines[0])
        if len(lines) > 1:
            lines[0] = "".join(self._pending)
            self._pending = [lines.pop()]
            return lines
        return []

    def finish(self) -> list[str]:
        lines = self.feed(b"", final=True)
        rest = "".join(self._pending)
        return [*lines, rest] if rest else lines


class _UnreadAnswer(Facts, Generic[T]):
    """An answer whose body is read when it is asked for, once."""

    __slots__ = ("_content", "_result", "_started", "_streaming")

    _content: bytes
    _result: T
    _started: bool
    _streaming: bool

    def _start(self) -> None:
        if self._started:
            raise ClaudeError(
                f"{self._call.operation.id}: the body has been read already, or is being read"
            )
        self._started = True


class StreamedAPIResponse(_UnreadAnswer[T]):
    """An answer of ``with_streaming_response``: the headers are here, the body is not read yet.

    It can be read once: in pieces, or as a whole, which is then kept. Reading raises
    :class:`APIConnectionError` when the connection breaks.
    """

    __slots__ = ("_body",)

    _body: OpenBody

    @classmethod
    def _of(cls, call: Call, body: OpenBody, *, streaming: bool) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._body = call, body.meta, body
        response._started, response._streaming = False, streaming
        return response

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body in the pieces it arrives in, decompressed."""
        content = getattr(self, "_content", None)
        if content is not None:
            yield content
            return
        self._start()
        try:
            yield from self._body.iter_bytes()
        finally:
            self.close()

    def iter_text(self) -> Iterator[str]:
        """Yield the body as text, in pieces; a character is never cut."""
        from codecs import getincrementaldecoder

        decoder = getincrementaldecoder(charset_of(self.headers))("replace")
        for chunk in self.iter_bytes():
            if text := decoder.decode(chunk):
                yield text
        if text := decoder.decode(b"", True):
            yield text

    def iter_lines(self) -> Iterator[str]:
        """Yield the body line by line, without line ends: LF, CR or CRLF."""
        splitter = _LineSplitter(charset_of(self.headers))
        for chunk in self.iter_bytes():
            yield from splitter.feed(chunk)
        yield from splitter.finish()

    def read(self) -> bytes:
        """Return the whole body, and keep it."""
        if not hasattr(self, "_content"):
            self._start()
            self._content = self._body.read()
        return self._content

    def text(self) -> str:
        """Read the body and return it as text."""
        return self.read().decode(charset_of(self.headers), "replace")

    def json(self) -> Any:
        """Read the body and return it as a JSON value. Raises ``DecodeError`` when it is none."""
        from .codec import loads

        return loads(self.read())

    def parse(self) -> T:
        """Return what the method itself would have; see :meth:`APIResponse.parse`.

        What is read piece by piece, such as a stream of events or a file, is open then, and ends
        with the ``with`` block.
        """
        if not hasattr(self, "_result"):
            self._result = self._parsed()
        return self._result

    def _parsed(self) -> Any:
        call = self._call
        body: Any = self._body
        if hasattr(self, "_content"):
            body = ReadBody(self._content, self.meta)
        elif self._streaming or call.operation.response in OPEN:
            self._start()
        else:
            body = ReadBody(self.read(), self.meta)
        if not self._streaming:
            return parsed(call, body)
        from .client import is_event_stream
        from .stream import Stream

        if not is_event_stream(self.meta):
            raise call.core._no_event_stream(call.operation, body.read(), self.meta)
        return call.events(Stream, body)

    def close(self) -> None:
        """Close the answer, read or not. Safe to call more than once."""
        self._body.close()


class AsyncStreamedAPIResponse(_UnreadAnswer[T]):
    """Asynchronous twin of :class:`StreamedAPIResponse`; what reads the body is awaited."""

    __slots__ = ("_body",)

    _body: AsyncOpenBody

    @classmethod
    def _of(cls, call: Call, body: AsyncOpenBody, *, streaming: bool) -> Self:
        response = cls.__new__(cls)
        response._call, response.meta, response._body = call, body.meta, body
        response._started, response._streaming = False, streaming
        return response

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the body in the pieces it arrives in, decompressed."""
        content = getattr(self, "_content", None)
        if content is not None:
            yield content
            return
        self._start()
        try:
            async for chunk in self._body.iter_bytes():
                yield chunk
        finally:
            await self.close()

    async def iter_text(self) -> AsyncIterator[str]:
        """Yield the body as text, in pieces; a character is never cut."""
        from codecs import getincrementaldecoder

        decoder = getincrementaldecoder(charset_of(self.headers))("replace")
        async for chunk in self.iter_bytes():
            if text := decoder.decode(chunk):
                yield text
        if text := decoder.decode(b"", True):
            yield text

    async def iter_lines(self) -> AsyncIterator[str]:
        """Yield the body line by line, without line ends: LF, CR or CRLF."""
        splitter = _LineSplitter(charset_of(self.headers))
        async for chunk in self.iter_bytes():
            for line in splitter.feed(chunk):
                yield line
        for line in splitter.finish():
            yield line

    async def read(self) -> bytes:
        """Return the whole body, and keep it."""
        if not hasattr(self, "_content"):
            self._start()
            self._content = await self._body.read()
        return self._content

    async def text(self) -> str:
        """Read the body and return it as text."""
        return (await self.read()).decode(charset_of(self.headers), "replace")

    async def json(self) -> Any:
        """Read the body and return it as a JSON value. Raises ``DecodeError`` when it is none."""
        from .codec import loads

        return loads(await self.read())

    async def parse(self) -> T:
        """Return what the method itself would have; see :meth:`StreamedAPIResponse.parse`."""
        if not hasattr(self, "_result"):
            self._result = await self._parsed()
        return self._result

    async def _parsed(self) -> Any:
        call = self._call
        is_open = self._streaming or call.operation.response in OPEN
        if not is_open:
            return async_whole(call, await self.read(), self.meta)
        body: Any = self._body
        if hasattr(self, "_content"):
            body = AsyncReadBody(self._content, self.meta)
        else:
            self._start()
        if not self._streaming:
            return async_opened(call, body)
        from .client import is_event_stream
        from .stream import AsyncStream

        if not is_event_stream(self.meta):
            raise call.core._no_event_stream(call.operation, await body.read(), self.meta)
        return call.events(AsyncStream, body)

    async def close(self) -> None:
        """Close the answer, read or not. Safe to call more than once."""
        await self._body.close()


class StreamedResponseManager(Generic[T]):
    """What ``with_streaming_response`` returns: the ``with`` statement sends, and closes."""

    __slots__ = ("__weakref__", "_response", "_send")

    _response: StreamedAPIResponse[T]

    def __init__(self, send: Callable[[], Any]) -> None:
        """Take what sends the request and returns its answer."""
        self._send = send

    def __enter__(self) -> StreamedAPIResponse[T]:
        self._response = self._send()
        return self._response

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._response.close()


class AsyncStreamedResponseManager(Generic[T]):
    """Asynchronous twin of :class:`StreamedResponseManager`."""

    __slots__ = ("__weakref__", "_response", "_send")

    _response: AsyncStreamedAPIResponse[T]

    def __init__(self, send: Callable[[], Any]) -> None:
        """Take what sends the request and, awaited, returns its answer."""
        self._send = send

    async def __aenter__(self) -> AsyncStreamedAPIResponse[T]:
        self._response = await self._send()
        return self._response

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._response.close()
