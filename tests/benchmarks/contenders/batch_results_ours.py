"""Reads results of batches. Arguments: how (stream, arrival), then as ``batch_results_floor.py``."""

import sys
from contextlib import suppress
from time import process_time

from claude_client import Claude


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


how, *urls = sys.argv[1:]
RESULT = []
for url in urls:
    client = Claude(api_key="sk-ant-api03-none", base_url=url, timeout=600)
    _reset_peak()
    before = _peak()
    start = process_time()
    count = 0
    if how == "stream":
        for result in client.messages.batches.results("msgbatch_1"):
            if result.result.type == "succeeded":
                count += 1
    else:
        with client.messages.batches.iter_results("msgbatch_1") as results:
            for item in results:
                if item.result.type == "succeeded":
                    count += 1
    cpu = process_time() - start
    client.close()
    RESULT.append({"cpu": cpu, "count": count, "growth": _peak() - before})
