"""Transports: what a request costs among many, and what a change of httpx can break."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Any

import httpcore
import pytest

import claude_client
from claude_client import AsyncClaude
from exchanges import ARGUMENTS, answer, message
from loopback import LoopbackServer, Pause
from twins import Twin, settle


def test_row_41_a_request_looks_at_no_connection_but_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Counted, not timed: with 60 in flight as many looks for each request as with 3."""
    looks = 0
    for name in ("is_available", "has_expired", "is_idle", "is_closed"):
        look = getattr(httpcore.AsyncHTTPConnection, name)

        def counting(self: Any, look: Any = look) -> Any:
            nonlocal looks
            looks += 1
            return look(self)

        monkeypatch.setattr(httpcore.AsyncHTTPConnection, name, counting)

    async def looks_of_each(at_once: int) -> float:
        nonlocal looks
        async with AsyncClaude(api_key="k", base_url=server.url) as client:
            looks = 0
            await asyncio.gather(*(client.messages.create(**ARGUMENTS) for _ in range(at_once)))
            return looks / at_once

    with LoopbackServer([[Pause(0.1), *answer(message())]]) as server:
        few, many = asyncio.run(looks_of_each(3)), asyncio.run(looks_of_each(60))
    assert many <= few + 1
    assert many < 20


def test_row_46_httpx_is_replaced_by_a_word(twin: Twin) -> None:
    """When the one library breaks, another one does the same."""
    pytest.importorskip("httpx2")

    async def body() -> None:
        with LoopbackServer([answer(message())]) as server:
            for name in ("httpx", "httpx2"):
                client = twin.client(server.url, transport=name)
                assert (await settle(client.messages.create(**ARGUMENTS))).id
                await settle(client.close())

    twin.run(body)


def test_row_46_the_overlays_load_no_http_library_by_name_but_in_one_module() -> None:
    folder = Path(claude_client.__file__).parent
    importing = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if {"aiohttp", "httpcore", "httpx2"} & set(names) and node.col_offset == 0:
                importing.add(path.name)
    assert importing == {"aiohttp_exchange.py"}
