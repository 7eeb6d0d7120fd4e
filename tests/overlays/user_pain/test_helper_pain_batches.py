"""Batches: what their users complain about beyond a single call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from claude_client import BatchItemInvalidRequestError, BatchPolling, batch_item_message
from claude_client.batches import results
from loopback import Close, LoopbackServer, Send, chunked
from twins import each, entered, settle

if TYPE_CHECKING:
    from twins import Twin


def test_row_24_a_download_goes_on_by_custom_id_and_errors_are_typed(
    twin: Twin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "_SOON", BatchPolling(0.001, 0.01))
    first = b'{"custom_id": "a", "result": {"type": "expired"}}\r\n'
    second = (
        b'{"custom_id": "b", "result": {"type": "errored", "error": {"type": "error", "error": '
        b'{"type": "invalid_request_error", "message": "max_tokens: too large"}}}}\n'
    )

    async def body() -> None:
        broken = [Send(chunked([first, second[:30]], end=False)), Close()]
        with LoopbackServer([broken, [Send(chunked([second, b"\r\n", first]))]]) as server:
            client = twin.client(server.url)
            async with entered(client.messages.batches.iter_results("msgbatch_1")) as found:
                items = [item async for item in each(found)]
            assert [item.custom_id for item in items] == ["a", "b"]
            with pytest.raises(BatchItemInvalidRequestError, match=r"'b'.*max_tokens") as error:
                batch_item_message(items[1])
            assert error.value.custom_id == "b"
            assert not error.value.retryable
            await settle(client.close())

    twin.run(body)
