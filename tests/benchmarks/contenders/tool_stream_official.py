"""Streams messages with a tool input; arguments and result as ``tool_stream_ours.py``."""

import json
import sys
from importlib import import_module
from time import process_time
from typing import Any

anthropic: Any = import_module("anthropic")

how, *urls = sys.argv[1:]
RESULT = []


def _length(given: object) -> int:
    return len(json.dumps(given, separators=(",", ":")))


for url in urls:
    client = anthropic.Anthropic(api_key="sk-ant-api03-none", base_url=url)
    start = process_time()
    with client.messages.stream(
        model="claude-opus-5-5",
        max_tokens=1000,
        messages=[{"role": "user", "content": "Hello, Claude"}],
    ) as stream:
        if how == "events":
            for _ in stream:
                pass
        message = stream.get_final_message()
    cpu = process_time() - start
    client.close()
    RESULT.append({"cpu": cpu, "length": _length(message.content[0].input)})
