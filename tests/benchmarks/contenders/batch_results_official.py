"""Reads results of batches with the official SDK; arguments and result as in the floor."""

import sys
from contextlib import suppress
from importlib import import_module
from time import process_time
from typing import Any

anthropic: Any = import_module("anthropic")


def _reset_peak() -> None:
    # Makes the peak the memory of now on Linux; what was loaded and freed before is no growth.
    with suppress(OSError), open("/proc/self/clear_refs", "w", encoding="ascii") as peak:  # noqa: PTH123
        peak.write("5")


def _peak() -> int:
    with suppress(OSError), open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0  # Elsewhere it is not known.


RESULT = []
for url in sys.argv[1:]:
    client = anthropic.Anthropic(api_key="sk-ant-api03-none", base_url=url, timeout=600)
    _reset_peak()
    before = _peak()
    start = process_time()
    count = 0
    for result in client.messages.batches.results("msgbatch_1"):
        if result.result.type == "succeeded":
            count += 1
    cpu = process_time() - start
    client.close()
    RESULT.append({"cpu": cpu, "count": count, "growth": _peak() - before})
