"""Encodes a large body in a thread while a loop ticks: in one piece, and in pieces.

Arguments: bytes of the body, bytes of a block in it, rounds. Result: medians of the longest wait
between two ticks and of the CPU seconds of encoding, in seconds.
"""

import asyncio
import sys
from statistics import median
from time import perf_counter, thread_time
from typing import Any

from claude_rest._runtime import codec
from claude_rest._runtime.json_body import json_body

size, block_size, rounds = map(int, sys.argv[1:])
block = {"type": "text", "text": "a" * block_size}
blocks = [dict(block) for _ in range(max(size // block_size, 1))]
fields = {
    "model": "m",
    "max_tokens": 1,
    "messages": [{"role": "user", "content": blocks[start::2]} for start in range(2)],
}


def in_pieces(fields: Any) -> Any:
    """Encode as an asynchronous client does."""
    return json_body(fields, beside_a_loop=True)


ENCODERS: dict[str, Any] = {"whole": codec.dumps, "pieces": in_pieces}
if codec.dumps(fields) != json_body(fields).read():
    raise SystemExit("the bytes are others")


async def longest_wait(encode: Any) -> tuple[float, float]:
    """Return the longest time between two ticks of the loop, and what encoding took."""

    def work() -> float:
        started = thread_time()
        encode(fields)
        return thread_time() - started

    task = asyncio.create_task(asyncio.to_thread(work))
    longest = 0.0
    last = perf_counter()
    while not task.done():
        await asyncio.sleep(0.0005)
        now = perf_counter()
        longest = max(longest, now - last)
        last = now
    return longest, await task


found: dict[str, list[tuple[float, float]]] = {name: [] for name in ENCODERS}
for _ in range(rounds):
    for name, encode in ENCODERS.items():
        found[name].append(asyncio.run(longest_wait(encode)))
RESULT: dict[str, Any] = {"backend": codec.BACKEND}
for name, several in found.items():
    RESULT[name] = median(wait for wait, _ in several)
    RESULT[f"{name}_cpu"] = median(cost for _, cost in several)
