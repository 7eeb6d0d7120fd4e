"""An HTTP server on the loopback interface that answers with scripted bytes, faults included.

A script is a list of replies, one per request; a reply is a list of steps, so a test says exactly
what goes over the wire and when::

    with LoopbackServer([[Send(response(json={"ok": True}))]]) as server:
        httpx.get(server.url)
    assert server.requests[0].method == "GET"
"""

from __future__ import annotations

import json as json_module
import select
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self


@dataclass(frozen=True)
class Send:
    """Sends ``data``, whole or in pieces of ``piece`` bytes with ``pause`` seconds between them."""

    data: bytes
    piece: int | None = None
    pause: float = 0.0


@dataclass(frozen=True)
class Pause:
    """Waits, or until the server is closed."""

    seconds: float


@dataclass(frozen=True)
class Close:
    """Closes the connection in order: the client reads an end of file."""


@dataclass(frozen=True)
class Reset:
    """Closes the connection with a TCP reset."""


Step = Send | Pause | Close | Reset


@dataclass
class RecordedRequest:
    """One request as the server read it."""

    method: str
    target: str
    """Path and query as sent."""
    headers: list[tuple[str, str]]
    """Names in lower case, in the order they were sent."""
    body: bytes
    connection: int
    """Which connection it came on, from 0."""

    def header(self, name: str) -> str | None:
        """Return the first value of a header."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    def json(self) -> Any:
        """Return the body decoded."""
        return json_module.loads(self.body)


def response(
    status: int = 200,
    body: bytes = b"",
    *,
    json: object = None,
    headers: Mapping[str, str] | None = None,
    reason: str = "Reason",
    length: int | None = None,
) -> bytes:
    """Return a whole response; ``length`` lies about the length of the body."""
    fields = {name.lower(): value for name, value in (headers or {}).items()}
    if json is not None:
        body = json_module.dumps(json).encode()
        fields.setdefault("content-type", "application/json")
    fields.setdefault("content-length", str(len(body) if length is None else length))
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {fields[name]}" for name in fields)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(
    parts: Iterable[bytes],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    end: bool = True,
) -> bytes:
    """Return a response in HTTP chunks; without ``end`` the last chunk is missing."""
    fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    fields.update({name.lower(): value for name, value in (headers or {}).items()})
    lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {fields[name]}" for name in fields)]
    data = "\r\n".join([*lines, "", ""]).encode("latin-1")
    data += b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part)
    return data + (b"0\r\n\r\n" if end else b"")


def event(name: str, data: object) -> bytes:
    """Return one server-sent event with ``data`` as JSON."""
    return f"event: {name}\ndata: {json_module.dumps(data)}\n\n".encode()


@dataclass
class LoopbackServer:
    """Serves ``script``, one reply per request on any connection; the last one is repeated.

    With ``answer_unread`` a connection is answered before anything is read from it.
    """

    script: Sequence[Sequence[Step]]
    answer_unread: bool = False
    requests: list[RecordedRequest] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._replies = 0
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        # A blocking accept would not notice that the listener is closed.
        self._listener.settimeout(0.02)
        self._start(self._accept)

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        """Connections that neither side has closed yet."""
        with self._lock:
            return len(self._sockets)

    def wait_until_idle(self, seconds: float = 2.0) -> bool:
        """Wait until every connection is closed; tell whether that happened in time."""
        deadline = time.monotonic() + seconds
        while self.open_connections:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def wait_for_request(self, seconds: float = 2.0) -> bool:
        """Wait until a request has been read; tell whether that happened in time."""
        deadline = time.monotonic() + seconds
        while not self.requests:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def close(self) -> None:
        """Stop serving and close every connection."""
        self._closing.set()
        self._listener.close()
        with self._lock:
            sockets = list(self._sockets)
        for connection in sockets:
            _shut_down(connection)
        for thread in self._threads:
            thread.join(timeout=2)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, target: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets.add(connection)
                number = self.connections
                self.connections += 1
            self._start(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        received = bytearray()
        try:
            while not self._closing.is_set():
                if not self.answer_unread:
                    request = _read_request(connection, received, number)
                    if request is None:
                        return
                    with self._lock:
                        self.requests.append(request)
                if not self._reply(connection):
                    return
        except (OSError, ValueError):
            # The client went away, or sent no HTTP; what it did is the test's business.
            pass
        finally:
            with self._lock:
                self._sockets.discard(connection)
            connection.close()

    def _reply(self, connection: socket.socket) -> bool:
        """Carry out the next reply; tell whether the connection goes on."""
        with self._lock:
            steps = self.script[min(self._replies, len(self.script) - 1)]
            self._replies += 1
        for step in steps:
            if isinstance(step, Pause):
                self._pause(connection, step.seconds)
            elif isinstance(step, Close):
                return False
            elif isinstance(step, Reset):
                # Closing with a linger time of zero seconds sends a reset.
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return False
            elif step.piece is None:
                connection.sendall(step.data)
            else:
                for start in range(0, len(step.data), step.piece):
                    connection.sendall(step.data[start : start + step.piece])
                    if step.pause:
                        self._pause(connection, step.pause)
        return True

    def _pause(self, connection: socket.socket, seconds: float) -> None:
        """Wait; ends early, with an error, when the client closes the connection."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self._closing.is_set():
            readable, _, _ = select.select([connection], [], [], min(left, 0.02))
            if readable and not connection.recv(1, socket.MSG_PEEK):
                raise ConnectionAbortedError
            if readable:
                # The next request is waiting already.
                self._closing.wait(min(left, 0.02))


def _shut_down(connection: socket.socket) -> None:
    # Wakes the thread that reads from it; the peer may have gone already.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _receive(connection: socket.socket, received: bytearray) -> bool:
    data = connection.recv(1 << 16)
    received += data
    return bool(data)


def _read_request(
    connection: socket.socket, received: bytearray, number: int
) -> RecordedRequest | None:
    """Read one request; ``received`` keeps what came after it. ``None`` at the end of the input."""
    while (end := received.find(b"\r\n\r\n")) < 0:
        if not _receive(connection, received):
            return None
    lines = bytes(received[:end]).decode("latin-1").split("\r\n")
    del received[: end + 4]
    method, target, _ = lines[0].split(" ", 2)
    headers = [
        (name.lower(), value.strip())
        for name, _, value in (line.partition(":") for line in lines[1:])
    ]
    length = int(next((value for name, value in headers if name == "content-length"), 0))
    while len(received) < length:
        if not _receive(connection, received):
            return None
    body = bytes(received[:length])
    del received[:length]
    return RecordedRequest(method, target, headers, body, number)
