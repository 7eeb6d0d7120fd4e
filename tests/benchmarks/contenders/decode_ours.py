"""Decodes one document often: the JSON parser alone (floor), and with this project's decoder.

Arguments: file, decoder, JSON parser (``orjson`` or ``json``), rounds, calls per round.
Result: best CPU seconds per call of each.
"""

import sys
from pathlib import Path
from time import process_time
from timeit import Timer
from typing import Any

path, name, parser, rounds, number = sys.argv[1:]
if parser == "json":
    sys.modules["orjson"] = None  # type: ignore[assignment]

from claude_rest._runtime import codec  # noqa: E402
from claude_rest.models import decoder  # noqa: E402

if parser != codec.BACKEND:
    raise SystemExit(f"the decoder works with {codec.BACKEND}, not with {parser}")

parse: Any
if parser == "json":
    from json import loads as parse
else:
    from orjson import loads as parse

text = Path(path).read_bytes()
decode = decoder(name)
contenders = {
    "floor": lambda: parse(text),
    "ours": lambda: decode(codec.loads(text)),
}
if contenders["ours"]().to_dict() != contenders["floor"]():
    raise SystemExit("the decoded document is another one")
timers = {name: Timer(work, timer=process_time) for name, work in contenders.items()}
RESULT = {name: float("inf") for name in timers}
for _ in range(int(rounds)):
    for name, timer in timers.items():
        RESULT[name] = min(RESULT[name], timer.timeit(int(number)) / int(number))
