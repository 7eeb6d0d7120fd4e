"""Sends a file from its path, or writes one to a path.

Arguments: base URL, what to do (up, down), sync or async, the path, bytes of the file. Result: the
bytes by which the resident memory grew at its peak, CPU seconds, the bytes that went through.
"""

import asyncio
import sys
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(sys.argv[0]).parent))

from transfer_memory import peak, resident

from claude_client import AsyncClaude, Claude

url, what, kind, name, size = sys.argv[1:]
path = Path(name)


def _sync() -> "dict[str, float]":
    client = Claude(api_key="sk-ant-api03-none", base_url=url)
    client.files.upload(file=b"warm")
    client.files.download("file_100000").write_to_file(path.with_suffix(".warm"))
    before, start = resident(), process_time()
    if what == "up":
        client.files.upload(file=path)
        through = path.stat().st_size
    else:
        through = client.files.download(f"file_{size}").write_to_file(path)
    return {"growth": peak() - before, "cpu": process_time() - start, "through": through}


async def _async() -> "dict[str, float]":
    client = AsyncClaude(api_key="sk-ant-api03-none", base_url=url)
    await client.files.upload(file=b"warm")
    answer = await client.files.download("file_100000")
    await answer.write_to_file(path.with_suffix(".warm"))
    before, start = resident(), process_time()
    if what == "up":
        await client.files.upload(file=path)
        through = int(size)
    else:
        answer = await client.files.download(f"file_{size}")
        through = await answer.write_to_file(path)
    return {"growth": peak() - before, "cpu": process_time() - start, "through": through}


RESULT = _sync() if kind == "sync" else asyncio.run(_async())
