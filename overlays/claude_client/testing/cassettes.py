"""Real exchanges in files, to be read, committed and replayed without a network.

Record once, with a key, and replay ever after::

    http_client = httpx.Client(transport=RecordingTransport(httpx.HTTPTransport(), "hello.json"))
    http_client = httpx.Client(transport=ReplayTransport("hello.json"))

A recording holds the requests' methods, paths, queries and bodies, the versions and beta flags,
and the answers with the headers that say something. JSON stands in it as JSON, event streams as
their lines, anything binary as base64. Keys, cookies, organizations, workspaces and addresses of
people are taken out before anything is written; the client gets its answers as they came.

A replay is strict: a request that is not the next one of the recording is an error that shows
where it differs. Where the recording has a placeholder for something taken out, anything may be.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from .cassette_format import (
    describe_answer,
    describe_request,
    differences,
    pieces,
    short,
    title,
)
from .scrubbing import Scrubber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

_FORMAT: Final = 1
_LISTED: Final = 8


class CassetteError(Exception):
    """A recording that cannot be read, or a request that it does not have.

    No error of httpx, so that no client takes it for a broken connection and tries again.
    """


_Exchange = tuple[httpx.Request, bytes, httpx.Response, bytes, "str | None"]
"""A request and its body, the answer and its body, and why that ended early."""


class _Recorder:
    """Gathers exchanges and writes them; shared by the two recording transports."""

    def __init__(self, path: str | os.PathLike[str], secrets: Iterable[str]) -> None:
        self.path = Path(path)
        self._scrubber = Scrubber(secrets)
        self._taken: dict[int, _Exchange] = {}
        self._shown: dict[int, dict[str, Any]] = {}
        self._count = 0
        self._lock = threading.Lock()

    def start(self, request: httpx.Request, body: bytes) -> Callable[..., None]:
        """Take in a request; the function returned takes in its answer."""
        with self._lock:
            number = self._count
            self._count += 1

        def finish(answer: httpx.Response, content: bytes, broken: str | None = None) -> None:
            with self._lock:
                known = self._scrubber.known
                self._scrubber.learn(request.headers.multi_items())
                self._scrubber.learn(answer.headers.multi_items())
                self._taken[number] = (request, body, answer, content, broken)
                # What an answer has given away may stand in exchanges before it, too.
                stale = self._taken if self._scrubber.known > known else [number]
                for changed in stale:
                    self._shown[changed] = self._describe(*self._taken[changed])
                _write(self.path, [self._shown[key] for key in sorted(self._shown)])

        return finish

    def _describe(
        self,
        request: httpx.Request,
        body: bytes,
        answer: httpx.Response,
        content: bytes,
        broken: str | None,
    ) -> dict[str, Any]:
        return {
            "request": describe_request(request, body, self._scrubber),
            "response": describe_answer(answer, content, broken, self._scrubber),
        }


def _write(path: Path, exchanges: list[dict[str, Any]]) -> None:
    """Write a recording whole or not at all."""
    cassette = {"format": _FORMAT, "exchanges": exchanges}
    try:
        text = json.dumps(cassette, indent=1, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can say
        text = json.dumps(cassette, indent=1).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_bytes(text + b"\n")
    unfinished.replace(path)


class RecordingTransport(httpx.BaseTransport):
    """Sends requests through another transport, and writes down what comes of them."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        path: str | os.PathLike[str],
        *,
        secrets: Iterable[str] = (),
    ) -> None:
        """Record into a file, over what it held.

        Args:
            inner: What sends the requests, such as ``httpx.HTTPTransport()``.
            path: The file; written anew after each exchange.
            secrets: Texts to take out besides what is known to be secret.
        """
        self._inner = inner
        self._recorder = _Recorder(path, secrets)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and record it once its answer was read (httpx transport interface)."""
        finish = self._recorder.start(request, request.read())
        answer = self._inner.handle_request(request)
        assert isinstance(answer.stream, httpx.SyncByteStream)
        stream = _RecordedStream(answer.stream, _Gathered(answer, finish))
        return _with_stream(answer, stream)

    def close(self) -> None:
        """Close the transport inside."""
        self._inner.close()


class AsyncRecordingTransport(httpx.AsyncBaseTransport):
    """Asynchronous twin of :class:`RecordingTransport`."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        path: str | os.PathLike[str],
        *,
        secrets: Iterable[str] = (),
    ) -> None:
        """Record into a file, over what it held; see :class:`RecordingTransport`."""
        self._inner = inner
        self._recorder = _Recorder(path, secrets)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request and record it once its answer was read (httpx transport interface)."""
        finish = self._recorder.start(request, await request.aread())
        answer = await self._inner.handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        stream = _AsyncRecordedStream(answer.stream, _Gathered(answer, finish))
        return _with_stream(answer, stream)

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._inner.aclose()


def _with_stream(
    answer: httpx.Response, stream: httpx.SyncByteStream | httpx.AsyncByteStream
) -> httpx.Response:
    """Return a response that has nothing of its body yet but what comes from a stream."""
    return httpx.Response(
        answer.status_code, headers=answer.headers, stream=stream, extensions=answer.extensions
    )


class _Gathered:
    """The pieces of one answer as they go by."""

    def __init__(self, answer: httpx.Response, finish: Callable[..., None]) -> None:
        self._answer = answer
        self._finish = finish
        self._pieces: list[bytes] = []
        self._done = False

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def end(self, broken: str | None = None) -> None:
        """Hand over what came; the first end counts."""
        if not self._done:
            self._done = True
            self._finish(self._answer, b"".join(self._pieces), broken)


class _RecordedStream(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, gathered: _Gathered) -> None:
        self._inner = inner
        self._gathered = gathered

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._inner:
                self._gathered.add(piece)
                yield piece
        except httpx.TransportError as error:
            self._gathered.end(type(error).__name__)
            raise
        self._gathered.end()

    def close(self) -> None:
        self._gathered.end("closed")
        self._inner.close()


class _AsyncRecordedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, gathered: _Gathered) -> None:
        self._inner = inner
        self._gathered = gathered

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._inner:
                self._gathered.add(piece)
                yield piece
        except httpx.TransportError as error:
            self._gathered.end(type(error).__name__)
            raise
        self._gathered.end()

    async def aclose(self) -> None:
        self._gathered.end("closed")
        await self._inner.aclose()


class Cassette:
    """A recording being replayed; shared by the two replaying transports."""

    def __init__(self, path: str | os.PathLike[str], *, ordered: bool) -> None:
        """Read a recording.

        Raises:
            CassetteError: it cannot be read.
        """
        self._path = path
        self._ordered = ordered
        self._scrubber = Scrubber()
        self._lock = threading.Lock()
        try:
            cassette = json.loads(Path(path).read_bytes())
            if cassette["format"] != _FORMAT:
                raise CassetteError(f"{os.fspath(path)}: format {cassette['format']} is not known")
            self._left: list[dict[str, Any]] = cassette["exchanges"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise CassetteError(f"{os.fspath(path)} is no recording: {error!r}") from error

    @property
    def left(self) -> list[str]:
        """Method and path of what has not been asked for yet."""
        return [title(exchange["request"]) for exchange in self._left]

    def play(self, request: httpx.Request, body: bytes) -> dict[str, Any]:
        """Return the recorded answer to a request.

        Raises:
            CassetteError: the recording does not have it, or not now.
        """
        with self._lock:
            self._scrubber.learn(request.headers.multi_items())
            asked = describe_request(request, body, self._scrubber)
            candidates = self._left[:1] if self._ordered else self._left
            for exchange in candidates:
                if not any(differences(exchange["request"], asked)):
                    self._left.remove(exchange)
                    answer: dict[str, Any] = exchange["response"]
                    return answer
            raise CassetteError(self._complaint(asked, candidates))

    def _complaint(self, asked: dict[str, Any], candidates: list[dict[str, Any]]) -> str:
        where = os.fspath(self._path)
        if not candidates:
            return f"{where}: nothing is left of the recording, but asked was {title(asked)}"
        nearest = min(
            (list(differences(exchange["request"], asked)) for exchange in candidates), key=len
        )
        lines = [
            f"  {place}: recorded {short(was)}, asked {short(now)}" for place, was, now in nearest
        ]
        if len(lines) > _LISTED:
            lines[_LISTED:] = [f"  and {len(lines) - _LISTED} more"]
        which = "the next one" if self._ordered else "any that is left"
        return "\n".join([f"{where}: {title(asked)} is not {which} of the recording:", *lines])


class ReplayTransport(httpx.BaseTransport):
    """Answers requests from a recording, and only those that are in it."""

    def __init__(self, path: str | os.PathLike[str], *, ordered: bool = True) -> None:
        """Replay a file.

        Args:
            path: What a recording transport has written.
            ordered: Requests have to come in the order of the recording; else in any, each once.

        Raises:
            CassetteError: the file is no recording.
        """
        self.cassette = Cassette(path, ordered=ordered)
        """What is being replayed."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request (httpx transport interface)."""
        recorded = self.cassette.play(request, request.read())
        return _answer(recorded, _Replayed(recorded))

    def assert_all_played(self) -> None:
        """Fail if anything of the recording was not asked for.

        Raises:
            AssertionError: says what.
        """
        left = self.cassette.left
        assert not left, f"not asked for: {', '.join(left)}"


class AsyncReplayTransport(httpx.AsyncBaseTransport):
    """Asynchronous twin of :class:`ReplayTransport`."""

    def __init__(self, path: str | os.PathLike[str], *, ordered: bool = True) -> None:
        """Replay a file; see :class:`ReplayTransport`."""
        self.cassette = Cassette(path, ordered=ordered)
        """What is being replayed."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request (httpx transport interface)."""
        recorded = self.cassette.play(request, await request.aread())
        return _answer(recorded, _AsyncReplayed(recorded))

    def assert_all_played(self) -> None:
        """Fail if anything of the recording was not asked for.

        Raises:
            AssertionError: says what.
        """
        left = self.cassette.left
        assert not left, f"not asked for: {', '.join(left)}"


def _answer(
    recorded: dict[str, Any], stream: httpx.SyncByteStream | httpx.AsyncByteStream
) -> httpx.Response:
    headers = [(name, value) for name, value in recorded["headers"]]
    return httpx.Response(recorded["status"], headers=headers, stream=stream)


class _Replayed(httpx.SyncByteStream):
    def __init__(self, recorded: dict[str, Any]) -> None:
        self._recorded = recorded

    def __iter__(self) -> Iterator[bytes]:
        yield from pieces(self._recorded["body"])
        _break(self._recorded)


class _AsyncReplayed(httpx.AsyncByteStream):
    def __init__(self, recorded: dict[str, Any]) -> None:
        self._recorded = recorded

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in pieces(self._recorded["body"]):
            yield piece
        _break(self._recorded)


def _break(recorded: dict[str, Any]) -> None:
    """Fail where the recorded answer did."""
    name = recorded.get("broken")
    if name is None:
        return
    if name == "closed":
        raise CassetteError("the recording has no more of this answer: it was not read to its end")
    kind: Any = getattr(httpx, name, None)
    if not (isinstance(kind, type) and issubclass(kind, httpx.TransportError)):
        kind = httpx.ReadError
    raise kind("recorded: the connection broke here")
