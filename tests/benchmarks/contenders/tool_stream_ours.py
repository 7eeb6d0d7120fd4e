"""Streams messages with a tool input. Arguments: what to do (events, partial, final), base URLs.

Result: for each URL the CPU seconds and the length of the tool input as JSON.
"""

import json
import sys
from time import process_time

from claude_client import Claude

how, *urls = sys.argv[1:]
RESULT = []


def _length(given: object) -> int:
    return len(json.dumps(given, separators=(",", ":")))


for url in urls:
    client = Claude(api_key="sk-ant-api03-none", base_url=url)
    start = process_time()
    with client.messages.stream(
        model="claude-opus-5-5",
        max_tokens=1000,
        messages=[{"role": "user", "content": "Hello, Claude"}],
    ) as stream:
        if how == "events":
            for _ in stream:
                pass
        elif how == "partial":
            for event in stream:
                if event.type == "input_json":
                    assert event.snapshot is not None
        message = stream.get_final_message()
    cpu = process_time() - start
    client.close()
    block = message.content[0]
    given = block.input if block.type == "tool_use" else {}
    RESULT.append({"cpu": cpu, "length": _length(given)})
