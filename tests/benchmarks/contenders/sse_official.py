"""Decodes bodies of server-sent events with the official SDK; see ``sse_ours.py``."""

import sys
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

decoder_class: Any = import_module("anthropic._streaming").SSEDecoder

rounds = int(sys.argv[1])
RESULT = []
for path, size in zip(sys.argv[2::2], map(int, sys.argv[3::2]), strict=True):
    body = Path(path).read_bytes()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    best = float("inf")
    count = 0
    for _ in range(rounds):
        start = process_time()
        count = sum(1 for _ in decoder_class().iter_bytes(iter(pieces)))
        best = min(best, process_time() - start)
    RESULT.append({"official": best, "events": count})
