"""Redirects: followed within the origin, and never a credential to another one."""

from __future__ import annotations

import asyncio
import io
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from claude_rest import AsyncClient, Client
from claude_rest._runtime.errors import APIStatusError, RedirectError, error_from_response
from claude_rest._runtime.meta import Meta
from claude_rest._runtime.redirects import MAX_REDIRECTS, redirected_url
from claude_rest._runtime.request import PreparedRequest
from claude_rest.operations import OPERATIONS
from loopback import LoopbackServer, Send, response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

both = pytest.mark.parametrize("mode", ["sync", "async"])
MODEL = [Send(response(json={"id": "m", "type": "model"}))]
MESSAGE = [Send(response(json={"id": "msg_1", "type": "message"}))]


def to(status: int, location: str, body: bytes = b"") -> list[Send]:
    return [Send(response(status, body, headers={"location": location}))]


def perform(mode: str, url: str, call: Callable[[Any], Any]) -> Any:
    async def run() -> Any:
        async with AsyncClient(api_key="sk-test", base_url=url) as client:
            return await call(client)

    if mode == "async":
        return asyncio.run(run())
    with Client(api_key="sk-test", base_url=url) as client:
        return call(client)


def retrieve(client: Any) -> Any:
    return client.models.retrieve("m")


def create(client: Any) -> Any:
    return client.messages.create(model="m", max_tokens=1, messages=[])


@both
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_get_is_followed_within_the_origin(mode: str, status: int) -> None:
    with LoopbackServer([to(status, "/elsewhere?a=b"), to(status, "further"), MODEL]) as server:
        assert perform(mode, server.url, retrieve).id == "m"
    assert [request.target for request in server.requests] == [
        "/v1/models/m",
        "/elsewhere?a=b",
        "/further",
    ]
    for request in server.requests:
        assert (request.method, request.header("x-api-key")) == ("GET", "sk-test")
        assert request.header("host") == server.url.removeprefix("http://")
    # The answers without a body leave the connection as it was.
    assert server.connections == 1


@both
@pytest.mark.parametrize("status", [307, 308])
def test_method_and_body_are_kept(mode: str, status: int) -> None:
    with LoopbackServer([to(status, "/v2", b"moved"), MESSAGE]) as server:
        assert perform(mode, server.url, create).id == "msg_1"
    first, second = server.requests
    assert second.method == "POST"
    assert second.target == "/v2"
    assert first.body == second.body != b""
    assert first.header("content-type") == second.header("content-type")


@both
@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_post_never_becomes_a_get(mode: str, status: int) -> None:
    with LoopbackServer([to(status, "/v2"), MESSAGE]) as server:
        with pytest.raises(RedirectError, match="the POST would become a GET") as caught:
            perform(mode, server.url, create)
        assert len(server.requests) == 1
    assert caught.value.status_code == status
    assert caught.value.location_origin == server.url


@both
@pytest.mark.parametrize("open_file", [True, False])
def test_files_are_read_again(mode: str, open_file: bool, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    file: Any = io.BytesIO(b"--" + content) if open_file else path
    if open_file:
        file.seek(2)
    uploaded = [Send(response(json={"id": "file_1", "type": "file"}))]
    with LoopbackServer([to(307, "/v2/files"), uploaded]) as server:
        perform(mode, server.url, lambda client: client.files.upload(file=file))
    first, second = server.requests
    assert content in first.body
    assert first.body == second.body


@both
def test_another_origin_gets_nothing(mode: str) -> None:
    with LoopbackServer([MODEL]) as other:
        location = f"{other.url.replace('//', '//user:hunter2@')}/x?token=hunter2#hunter2"
        with LoopbackServer([to(307, location)]) as server:
            with pytest.raises(RedirectError) as caught:
                perform(mode, server.url, retrieve)
            assert server.wait_until_idle()
        assert other.connections == 0
    error = caught.value
    assert error.location_origin == other.url
    assert error.status_code == 307
    assert (error.operation, error.attempts) == ("models.retrieve", 1)
    assert f"the redirect to {other.url} was not followed" in str(error)
    assert "base_url" in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.location_origin, str(copy)) == (other.url, str(error))
    assert "hunter2" not in f"{error} {error!r} {vars(error)} {dict(error.headers)}"
    assert "sk-test" not in f"{error} {error!r} {vars(error)}"


@both
def test_a_user_name_in_a_location_does_not_replace_the_credential(mode: str) -> None:
    with LoopbackServer([MODEL]) as server:
        location = f"{server.url.replace('//', '//user:pw@')}/x"
        server.script = [to(307, location), MODEL]
        perform(mode, server.url, retrieve)
    assert server.requests[1].header("authorization") is None
    assert server.requests[1].header("x-api-key") == "sk-test"


@both
def test_a_circle_ends(mode: str) -> None:
    with (
        LoopbackServer([to(307, "/again")]) as server,
        pytest.raises(RedirectError, match=f"after {MAX_REDIRECTS} others"),
    ):
        perform(mode, server.url, retrieve)
    assert len(server.requests) == MAX_REDIRECTS + 1


@both
def test_no_location_is_no_redirect(mode: str) -> None:
    with (
        LoopbackServer([[Send(response(307))]]) as server,
        pytest.raises(APIStatusError) as caught,
    ):
        perform(mode, server.url, retrieve)
    assert type(caught.value) is APIStatusError


BASE = "https://api.test:443/v1/models"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/x", "https://api.test:443/x"),
        ("https://API.test/x?y=1#z", "https://api.test:443/x?y=1"),
        ("//api.test/x", "https://api.test:443/x"),
        ("?page=2", "https://api.test:443/v1/models?page=2"),
        ("http://api.test/x", None),
        ("http://api.test:443/x", None),
        ("https://api.test:444/x", None),
        ("https://api.test.evil.example/x", None),
        ("https://api.test@evil.example/x", None),
        ("//evil.example/x", None),
        ("ftp://api.test/x", None),
        ("javascript:alert(1)", None),
        ("https://api.test:port/x", None),
        ("https://[::1/x", None),
    ],
)
def test_what_counts_as_the_same_origin(location: str, expected: str | None) -> None:
    prepared = PreparedRequest("GET", BASE, [], None, OPERATIONS["models.retrieve"])
    meta = Meta(status_code=302, headers={"location": location})
    if expected is None:
        with pytest.raises(RedirectError):
            redirected_url(prepared, BASE, meta, followed=0)
    else:
        assert redirected_url(prepared, BASE, meta, followed=0) == expected


def test_a_transport_that_leaves_a_redirect_to_its_caller() -> None:
    error = error_from_response(302, {"location": "https://u:p@evil.example/x?token=1"}, b"")
    assert type(error) is APIStatusError
    assert "https://evil.example" in str(error)
