"""Streams messages with a tool input by hand; arguments and result as ``tool_stream_ours.py``."""

import json
import sys
from time import process_time
from typing import Any

import httpx

loads: Any
try:
    from orjson import loads
except ImportError:
    from json import loads

_, *urls = sys.argv[1:]
RESULT = []


def _length(given: object) -> int:
    return len(json.dumps(given, separators=(",", ":")))


for url in urls:
    client = httpx.Client(verify=False, timeout=600)
    start = process_time()
    pieces = []
    with client.stream("POST", f"{url}/v1/messages", content=b"{}") as response:
        rest = b""
        for chunk in response.iter_bytes():
            *blocks, rest = (rest + chunk).split(b"\n\n")
            for block in blocks:
                event = loads(block[block.index(b"data: ") + 6 :])
                if event["type"] == "content_block_delta":
                    pieces.append(event["delta"]["partial_json"])
    given = loads("".join(pieces))
    cpu = process_time() - start
    client.close()
    RESULT.append({"cpu": cpu, "length": _length(given)})
