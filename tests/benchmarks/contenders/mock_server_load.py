"""Asks a server the same thing again and again, over several connections at once.

Arguments: number of requests, file with the body of the request, command that starts the server.
Result: CPU seconds that the server takes for one request, its start not counted, and requests per
second as the caller sees them.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

CONNECTIONS = 16

count = int(sys.argv[1])
body = Path(sys.argv[2]).read_bytes()
command = sys.argv[3:]
REQUEST = (
    b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: any\r\n"
    b"anthropic-version: 2026-10-21\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(body), body)
)


async def ask(port: int, left: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while left[0] > 0:
        left[0] -= 1
        writer.write(REQUEST)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(f"the server answered {head[:200]!r}")
        _, found, length = head.partition(b"content-length:")
        if found:
            await reader.readexactly(int(length.partition(b"\r\n")[0]))
        else:
            await reader.readuntil(b"\r\n0\r\n\r\n")
    writer.close()


async def ask_all(port: int, requests: int) -> None:
    left = [requests]
    await asyncio.gather(*(ask(port, left) for _ in range(CONNECTIONS)))


def cost(requests: int) -> tuple[float, float]:
    """Return CPU seconds of a server process from start to end, and seconds of the requests."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline().rpartition(":")[2])
    start = time.perf_counter()
    asyncio.run(ask_all(port, requests))
    took = time.perf_counter() - start
    server.terminate()
    _, status, usage = os.wait4(server.pid, 0)
    server.returncode = os.waitstatus_to_exitcode(status)
    server.stdout.close()
    return usage.ru_utime + usage.ru_stime, took


few, _ = cost(count // 4)
many, took = cost(count)
# On a busy machine the start of a server can cost more than a few requests.
RESULT = {"cpu": max(many - few, 1e-6) / (count - count // 4), "rate": count / took}
