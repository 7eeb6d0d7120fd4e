"""Large requests: what is ready is not encoded again, and nothing holds up an event loop."""

from __future__ import annotations

from typing import Any

import pytest

from claude_client import RawJSON
from claude_rest._runtime import codec
from exchanges import ARGUMENTS, answer, message
from loopback import LoopbackServer
from twins import Twin, settle


def test_row_16_a_prefix_is_encoded_once(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    history = [{"role": "user", "content": "x" * 3000}] * 1000
    prefix = RawJSON.of({"role": "user", "content": [{"type": "text", "text": "x" * 3_000_000}]})
    encoded: list[int] = []
    write = codec.dumps_with

    def counting(value: Any, default: Any) -> bytes:
        text = write(value, default)
        encoded.append(len(text))
        return text

    async def body() -> None:
        with LoopbackServer([answer(message())]) as server:
            client = twin.client(server.url)
            monkeypatch.setattr(codec, "dumps_with", counting)
            monkeypatch.setattr("claude_rest._runtime.json_body.dumps_with", counting)
            messages = [prefix, *ARGUMENTS["messages"]]
            await settle(client.messages.create(**{**ARGUMENTS, "messages": messages}))
            assert sum(encoded) < 1000
            assert prefix.data in server.requests[0].body
            await settle(client.messages.create(**{**ARGUMENTS, "messages": history}))
            assert sum(encoded) > 3_000_000
            await settle(client.close())

    twin.run(body)
