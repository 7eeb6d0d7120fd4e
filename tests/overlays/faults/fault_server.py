"""A server that misbehaves by the book: one script of replies, played over real sockets.

It has the steps of ``loopback`` and a few more, speaks TLS when given a context, and runs on one
thread whatever it serves, so that a test can count the threads and sockets of the client. The
script says what happens to each request in turn; its last reply is repeated::

    with FaultServer([[Send(head), Reset()], [Send(whole)]]) as server:
        ...
    assert len(server.requests) == 2
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loopback import Close, Pause, RecordedRequest, Reset, Send

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self


@dataclass(frozen=True)
class Unread:
    """As first step: what follows is sent before the body of the request has been read."""


@dataclass(frozen=True)
class HangUp:
    """Ends its side of the connection, and reads on until the client ends the other one."""


@dataclass(frozen=True)
class Forever:
    """Sends ``data`` again and again, ``pause`` seconds apart, until the client goes away."""

    data: bytes
    pause: float = 0.0


Step = Send | Pause | Close | Reset | Unread | HangUp | Forever

# Small, so that an unread body soon fills the buffers and holds up the client.
_BUFFER = 16 * 1024

# After so many seconds everything is closed: a client that would wait forever fails, not hangs.
_LIFETIME = 60.0


class _GoneError(Exception):
    """The client closed the connection."""


class FaultServer:
    """Plays ``script``, one reply per request on whichever connection it comes."""

    def __init__(
        self, script: Sequence[Sequence[Step]], *, tls: ssl.SSLContext | None = None
    ) -> None:
        """Listen on a port of the loopback interface."""
        self.requests: list[RecordedRequest] = []
        self.connections = 0
        """Connections accepted so far, those whose TLS handshake failed included."""
        self._script = list(script)
        self._tls = tls
        self._connected: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._serving = self._loop.create_task(self._serve_all())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    def play(self, script: Sequence[Sequence[Step]]) -> None:
        """Go on with another script, from its first reply."""
        self._script = list(script)

    def wait_until_idle(self, seconds: float = 5.0) -> bool:
        """Wait until every connection is closed; tell whether that happened in time."""
        end = time.monotonic() + seconds
        while self._connected and time.monotonic() < end:
            time.sleep(0.002)
        return not self._connected

    def close(self) -> None:
        """Stop serving and close every connection. Safe to call more than once."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._serving)
        finally:
            self._listener.close()
            self._loop.close()

    async def _serve_all(self) -> None:
        # Not by sock_accept: cancelled as a connection comes, it would lose its socket.
        self._loop.add_reader(self._listener, self._accept)
        try:
            await asyncio.sleep(_LIFETIME)
        finally:
            self._loop.remove_reader(self._listener)
            connected = list(self._connected)
            for task in connected:
                task.cancel()
            await asyncio.gather(*connected, return_exceptions=True)
            # What was cancelled in a handshake is closed a turn later.
            await asyncio.sleep(0)

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            # It went away again before it was accepted.
            return
        accepted.setblocking(False)
        task = self._loop.create_task(self._serve(accepted, self.connections))
        self._connected.add(task)

        def end(task: asyncio.Task[None]) -> None:
            self._connected.discard(task)
            # A task that was cancelled before it began has not done so.
            accepted.close()

        task.add_done_callback(end)
        self.connections += 1

    async def _serve(self, accepted: socket.socket, number: int) -> None:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = asyncio.StreamReader(_BUFFER, self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: protocol, accepted, ssl=self._tls
            )
        except OSError:
            # No handshake came about, which is what some tests are for.
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        try:
            while await self._exchange(reader, writer, number):
                pass
        except (OSError, EOFError, _GoneError, asyncio.LimitOverrunError):
            # The client went away, or spoke something else than HTTP.
            pass
        finally:
            transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> bool:
        """Read a request and carry out its reply; tell whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = [
            (name.lower(), value.strip())
            for name, _, value in (line.partition(":") for line in lines[1:-2])
        ]
        request = RecordedRequest(method, target, headers, b"", number)
        self.requests.append(request)
        steps: Sequence[Any] = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if not (steps and isinstance(steps[0], Unread)):
            request.body = await reader.readexactly(int(request.header("content-length") or 0))
        for step in steps:
            if not await self._carry_out(step, reader, writer):
                return False
        # A connection whose request was not read to its end has nothing sensible to come.
        return not (steps and isinstance(steps[0], Unread))

    async def _carry_out(
        self, step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if isinstance(step, Send):
            size = step.piece or len(step.data)
            for start in range(0, len(step.data), size):
                await self._send(step.data[start : start + size], writer)
                if step.pause:
                    await self._pause(step.pause, reader)
        elif isinstance(step, Forever):
            while True:
                await self._send(step.data, writer)
                await self._pause(step.pause, reader)
        elif isinstance(step, Pause):
            await self._pause(step.seconds, reader)
        elif isinstance(step, HangUp):
            writer.write_eof()
            while await reader.read(1 << 16):
                pass
            return False
        elif isinstance(step, Close):
            writer.close()
            await writer.wait_closed()
            return False
        elif isinstance(step, Reset):
            # Closing with a linger time of zero seconds sends a reset.
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        return True

    async def _send(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    async def _pause(self, seconds: float, reader: asyncio.StreamReader) -> None:
        """Wait; ends early, with an error, when the client closes the connection."""
        end = self._loop.time() + seconds
        while True:
            left = end - self._loop.time()
            await asyncio.sleep(max(0.0, min(left, 0.01)))
            if reader.at_eof() or reader.exception() is not None:
                raise _GoneError
            if left <= 0:
                return
