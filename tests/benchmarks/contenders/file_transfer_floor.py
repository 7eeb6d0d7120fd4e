"""Sends a file from its path, or writes one to a path, by hand with httpx.

Arguments and result are those of ``file_transfer_ours.py``.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(sys.argv[0]).parent))

import httpx
from transfer_memory import peak, resident

url, what, _, name, size = sys.argv[1:]
path = Path(name)
client = httpx.Client(base_url=url, timeout=600)


def _pieces() -> "Iterator[bytes]":
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


client.post("/v1/files", content=b"warm").json()
before, start = resident(), process_time()
if what == "up":
    length = {"content-length": str(path.stat().st_size)}
    client.post("/v1/files", content=_pieces(), headers=length).json()
else:
    with (
        client.stream("GET", f"/v1/files/file_{size}/content") as response,
        path.open("wb") as file,
    ):
        for chunk in response.iter_bytes():
            file.write(chunk)
RESULT = {
    "growth": peak() - before,
    "cpu": process_time() - start,
    "through": path.stat().st_size,
}
