"""Decodes bodies of server-sent events: with this project, and by one split (floor).

Arguments: rounds, then for each body its file and the size of the pieces it comes in.
Result: for each body the best CPU seconds of each, and the number of events.
"""

import sys
from pathlib import Path
from time import process_time

from claude_rest._runtime.sse import SSEDecoder


def floor(pieces: list[bytes]) -> int:
    events = []
    for block in b"".join(pieces).split(b"\n\n"):
        if block:
            head, _, data = block.partition(b"\n")
            events.append((head[7:], data[6:]))
    return len(events)


def ours(pieces: list[bytes]) -> int:
    decoder = SSEDecoder()
    count = 0
    for piece in pieces:
        count += len(decoder.feed(piece))
    return count


rounds = int(sys.argv[1])
RESULT = []
for path, size in zip(sys.argv[2::2], map(int, sys.argv[3::2]), strict=True):
    body = Path(path).read_bytes()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    best = {"floor": float("inf"), "ours": float("inf")}
    count = floor(pieces)
    for _ in range(rounds):
        for name, work in (("floor", floor), ("ours", ours)):
            start = process_time()
            found = work(pieces)
            best[name] = min(best[name], process_time() - start)
            if found != count:
                raise SystemExit(f"{name} found {found} events instead of {count}")
    RESULT.append({**best, "events": count})
