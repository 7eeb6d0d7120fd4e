"""Decodes one document often, with the official SDK; arguments and result as ``decode_ours.py``.

The SDK parses with the standard library whatever else is installed; ``parser`` is the floor's.
"""

import json
import sys
from importlib import import_module
from pathlib import Path
from time import process_time
from timeit import Timer
from typing import Any

path, name, parser, rounds, number = sys.argv[1:]
construct_type: Any = import_module("anthropic._models").construct_type
kind: Any = getattr(import_module("anthropic.types"), name)
parse: Any = import_module(parser).loads

text = Path(path).read_bytes()
contenders = {
    "floor": lambda: parse(text),
    "official": lambda: construct_type(type_=kind, value=json.loads(text)),
}
timers = {name: Timer(work, timer=process_time) for name, work in contenders.items()}
RESULT = {name: float("inf") for name in timers}
for _ in range(int(rounds)):
    for name, timer in timers.items():
        RESULT[name] = min(RESULT[name], timer.timeit(int(number)) / int(number))
