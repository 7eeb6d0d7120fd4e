"""Streams messages with a tool input; arguments and result as ``tool_stream_ours.py``."""

import sys
from importlib import import_module
from time import process_time
from typing import Any

anthropic: Any = import_module("anthropic")

how, *urls = sys.argv[1:]
RESULT = []
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
    RESULT.append({"cpu": cpu, "length": len(message.content[0].input["text"])})
