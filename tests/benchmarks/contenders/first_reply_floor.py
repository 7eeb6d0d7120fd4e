"""First reply by hand. Arguments: base URL, and whether httpx reads its certificates (yes, no)."""

import sys
from typing import Any

import httpx

dumps: Any
loads: Any
try:
    from orjson import dumps, loads
except ImportError:
    from json import dumps, loads

client = httpx.Client(verify=sys.argv[2] == "yes", timeout=600)
response = client.post(
    f"{sys.argv[1]}/v1/messages",
    headers={
        "x-api-key": "sk-ant-api03-none",
        "anthropic-version": "2023-06-01",
        "content-type": "application/json",
    },
    content=dumps(
        {
            "model": "claude-opus-5-5",
            "max_tokens": 1000,
            "messages": [{"role": "user", "content": "Hello, Claude"}],
        }
    ),
)
response.raise_for_status()
RESULT = loads(response.content)["content"][0]["text"]
