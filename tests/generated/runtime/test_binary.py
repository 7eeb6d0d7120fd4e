"""Downloads: read, iterated, written to files, broken off."""

from __future__ import annotations

import asyncio
import inspect
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from claude_rest import AsyncClient, Client
from claude_rest._runtime.errors import APIConnectionError, NotFoundError
from loopback import Close, LoopbackServer, Send, response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DATA = os.urandom(300_000)
WHOLE = [Send(response(body=DATA, headers={"content-type": "image/png", "request-id": "req_1"}))]
CUT = [Send(response(body=DATA, length=len(DATA) + 1)), Close()]


async def done(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def download(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return what downloads from a script and hands the answer to a scenario."""

    def run(script: list[Any], scenario: Callable[[Any], Awaitable[Any]]) -> Any:
        async def main(url: str) -> Any:
            client = request.param(api_key="k", base_url=url)
            try:
                return await scenario(await done(client.files.download("file_1")))
            finally:
                await done(client.close())

        with LoopbackServer([script]) as server:
            result = asyncio.run(main(server.url))
        assert server.requests[0].target == "/v1/files/file_1/content"
        assert server.requests[0].header("accept") == "application/binary"
        return result

    return run


def test_read(download: Callable[..., Any]) -> None:
    async def scenario(answer: Any) -> None:
        assert (answer.status_code, answer.request_id) == (200, "req_1")
        assert answer.headers["content-type"] == "image/png"
        assert "image/png" in repr(answer)
        assert await done(answer.read()) == DATA
        await done(answer.close())

    download(WHOLE, scenario)


def test_iterate(download: Callable[..., Any]) -> None:
    async def scenario(answer: Any) -> None:
        pieces = answer.iter_bytes()
        asynchronous = hasattr(pieces, "__aiter__")
        found = [piece async for piece in pieces] if asynchronous else list(pieces)
        assert len(found) > 1
        assert b"".join(found) == DATA

    download(WHOLE, scenario)


def test_close_early(download: Callable[..., Any]) -> None:
    async def scenario(answer: Any) -> None:
        if hasattr(answer, "__aenter__"):
            async with answer:
                pass
        else:
            with answer:
                pass
        assert answer._body._response.is_closed

    download(WHOLE, scenario)


@pytest.mark.parametrize("existing", [False, True], ids=["new", "replaced"])
def test_write_to_a_path(download: Callable[..., Any], tmp_path: Path, existing: bool) -> None:
    target = tmp_path / "größe.png"
    if existing:
        target.write_bytes(b"old")

    async def scenario(answer: Any) -> None:
        assert await done(answer.write_to_file(str(target) if existing else target)) == len(DATA)

    download(WHOLE, scenario)
    assert target.read_bytes() == DATA
    assert list(tmp_path.iterdir()) == [target]


def test_write_to_an_open_file(download: Callable[..., Any]) -> None:
    target = io.BytesIO()

    async def scenario(answer: Any) -> None:
        await done(answer.write_to_file(target))

    download(WHOLE, scenario)
    assert target.getvalue() == DATA


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs device files")
def test_a_device_is_written_to_and_not_replaced(download: Callable[..., Any]) -> None:
    async def scenario(answer: Any) -> None:
        assert await done(answer.write_to_file("/dev/null")) == len(DATA)

    download(WHOLE, scenario)
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("how", ["read", "write"])
def test_a_broken_download_raises_and_leaves_nothing(
    download: Callable[..., Any], tmp_path: Path, how: str
) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")

    async def scenario(answer: Any) -> None:
        with pytest.raises(APIConnectionError):
            await done(answer.read() if how == "read" else answer.write_to_file(target))

    download(CUT, scenario)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_not_there(download: Callable[..., Any], tmp_path: Path) -> None:
    async def scenario(answer: Any) -> None:
        with pytest.raises(FileNotFoundError):
            await done(answer.write_to_file(tmp_path / "missing" / "a"))
        assert answer._body._response.is_closed

    download(WHOLE, scenario)


def test_a_folder_instead_of_a_file(download: Callable[..., Any], tmp_path: Path) -> None:
    async def scenario(answer: Any) -> None:
        with pytest.raises(OSError, match="irectory"):
            await done(answer.write_to_file(tmp_path))

    download(WHOLE, scenario)
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_raised_by_the_call(download: Callable[..., Any]) -> None:
    body = {"type": "error", "error": {"type": "not_found_error", "message": "gone"}}

    async def scenario(answer: Any) -> None:
        raise AssertionError

    with pytest.raises(NotFoundError):
        download([Send(response(404, json=body))], scenario)
