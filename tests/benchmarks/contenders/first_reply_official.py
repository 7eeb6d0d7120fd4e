"""First reply with the official SDK. Argument: base URL."""

import sys
from importlib import import_module
from typing import Any

anthropic: Any = import_module("anthropic")

client = anthropic.Anthropic(api_key="sk-ant-api03-none", base_url=sys.argv[1])
message = client.messages.create(
    model="claude-opus-5-5",
    max_tokens=1000,
    messages=[{"role": "user", "content": "Hello, Claude"}],
)
RESULT = message.content[0].text
