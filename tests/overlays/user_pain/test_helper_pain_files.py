"""Files: large ones are streamed, and sent again from their beginning."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

from exchanges import answer, failure
from loopback import LoopbackServer
from twins import Twin, settle

if TYPE_CHECKING:
    from pathlib import Path

STORED = {"id": "file_1", "type": "file"}


def test_row_43_a_file_named_by_its_path_is_streamed_and_rewound(
    twin: Twin, tmp_path: Path
) -> None:
    """How memory grows is measured by ``tests/overlays/test_files.py``, in another process."""
    path = tmp_path / "large.bin"
    content = bytes(range(256)) * (5 * 4096)
    path.write_bytes(content)

    async def body() -> None:
        replies = [failure(429, "rate_limit_error", retry_after="0"), answer(STORED)]
        with LoopbackServer(replies) as server:
            client = twin.client(server.url)
            await settle(client.files.upload(file=path))
            assert len(server.requests) == 2
            for request in server.requests:
                assert request.header("transfer-encoding") is None
                assert request.header("content-length") == str(len(request.body))
                assert content in request.body
            await settle(client.close())

    twin.run(body)


def test_row_43_nothing_of_it_is_held_in_memory(twin: Twin, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    client = twin.client("http://127.0.0.1:9")
    caller = client._caller
    from claude_rest.operations import OPERATIONS

    prepared = caller.prepare(OPERATIONS["files.upload"], {"file": path})
    tracemalloc.start()
    try:
        sent = sum(map(len, prepared.content.chunks()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent == len(prepared.content) > 64 * 1024 * 1024
    assert peak < 8 * 1024 * 1024
