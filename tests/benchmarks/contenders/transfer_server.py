"""A server for files, in a process of its own so that its memory is not counted: prints its URL.

An upload is read and thrown away; the answer is its size in ``size_bytes``. A download is zeros, as
many as the id of the file says. The server ends with its standard input.
"""

import json
import socket
import sys
import threading

PIECE = bytes(1 << 16)


def _serve(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as reader:
        while True:
            words = reader.readline().split()
            if not words:
                return
            length = 0
            while (line := reader.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            left = length
            while left:
                left -= len(reader.read(min(left, len(PIECE))))
            if words[0] == b"POST":
                _answer(connection, length)
            else:
                _send(connection, int(words[1].split(b"/")[3].rpartition(b"_")[2]))


def _answer(connection: socket.socket, length: int) -> None:
    body = json.dumps(
        {
            "id": "file_1",
            "type": "file",
            "filename": "a",
            "mime_type": "application/octet-stream",
            "size_bytes": length,
            "created_at": "2026-11-01T00:00:00Z",
            "downloadable": False,
        }
    ).encode()
    head = (
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)


def _send(connection: socket.socket, size: int) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/binary\r\ncontent-length: {size}\r\n\r\n"
    connection.sendall(head.encode())
    while size:
        piece = PIECE[: min(size, len(PIECE))]
        connection.sendall(piece)
        size -= len(piece)


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


listening = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
threading.Thread(target=_accept, args=(listening,), daemon=True).start()
sys.stdin.read()
