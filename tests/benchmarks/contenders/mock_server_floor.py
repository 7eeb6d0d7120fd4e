"""Serves a fixed answer with uvicorn: what a mock server costs that looks at nothing.

Argument: the file whose parts, with a line of dashes in between, are the pieces of the answer.
"""

import asyncio
import signal
import socket
import sys
from pathlib import Path

import uvicorn

PIECES = Path(sys.argv[1]).read_bytes().split(b"\n---\n")
HEADERS = [(b"content-type", b"application/json")]
if len(PIECES) == 1:
    HEADERS.append((b"content-length", str(len(PIECES[0])).encode()))


async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    for piece in PIECES[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": PIECES[-1]})


server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
signal.signal(signal.SIGTERM, lambda *_: None)
with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server.run(sockets=[listener])
