"""First reply with this project. Argument: base URL."""

import sys

from claude_client import Claude

client = Claude(api_key="sk-ant-api03-none", base_url=sys.argv[1])
message = client.messages.create(
    model="claude-opus-5-5",
    max_tokens=1000,
    messages=[{"role": "user", "content": "Hello, Claude"}],
)
block = message.content[0]
RESULT = block.text if block.type == "text" else None
