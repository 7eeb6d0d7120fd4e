"""Nothing leaves the machine while a guard is open, and everything is as before afterwards."""

from __future__ import annotations

import asyncio
import pickle
import re
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import NetworkBlockedError, NetworkGuard
from claude_client.testing.network_guard import _is_local

if TYPE_CHECKING:
    from collections.abc import Callable

REMOTE = ("192.0.2.1", 443)
"""An address for documentation (RFC 5737), which nobody has."""


@pytest.fixture(autouse=True)
def no_network_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let names resolve without asking anybody."""
    original = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **named: Any) -> list[Any]:
        if host in ("127.0.0.1", "localhost"):
            return original(host, port, *args, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def udp() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def in_event_loop() -> None:
    async def connect() -> None:
        await asyncio.open_connection("api.example.com", 443)

    asyncio.run(connect())


def by_socket(name: str, *arguments: Any) -> None:
    with udp() as one:
        getattr(one, name)(*arguments)


@pytest.mark.parametrize(
    ("reach", "target"),
    [
        (lambda: socket.create_connection(("api.example.com", 443)), "api.example.com:443"),
        (lambda: socket.create_connection(REMOTE), "192.0.2.1:443"),
        (lambda: socket.getaddrinfo(b"API.example.com", 443), "api.example.com:443"),
        (lambda: socket.getaddrinfo(host="x.org", port="https"), "x.org:https"),
        (lambda: socket.gethostbyname("x.org"), "x.org"),
        (lambda: socket.gethostbyname_ex("x.org"), "x.org"),
        (lambda: by_socket("connect", REMOTE), "192.0.2.1:443"),
        (lambda: by_socket("connect_ex", REMOTE), "192.0.2.1:443"),
        (lambda: by_socket("sendto", b"x", REMOTE), "192.0.2.1:443"),
        (lambda: by_socket("sendto", b"x", 0, REMOTE), "192.0.2.1:443"),
        (lambda: by_socket("sendmsg", [b"x"], (), 0, REMOTE), "192.0.2.1:443"),
        (in_event_loop, "api.example.com:443"),
    ],
)
def test_what_leaves_the_machine_is_an_error(reach: Callable[[], object], target: str) -> None:
    guard = NetworkGuard(advice=lambda host: f", which is {host}")
    with guard, pytest.raises(NetworkBlockedError) as caught:
        reach()
    assert caught.value.target == target
    assert str(caught.value).startswith(f"a test tried to reach {target}, which is ")
    assert target in {error.target for error in guard.blocked}


def test_other_threads_are_held_back_too() -> None:
    with NetworkGuard() as guard:
        thread = threading.Thread(target=lambda: by_socket("connect", REMOTE), daemon=True)
        hook, threading.excepthook = threading.excepthook, lambda arguments: None
        try:
            thread.start()
            thread.join()
        finally:
            threading.excepthook = hook
    assert [error.target for error in guard.blocked] == ["192.0.2.1:443"]


def test_the_machine_itself_is_free() -> None:
    with (
        NetworkGuard() as guard,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(("127.0.0.1", server.getsockname()[1])),
        udp() as one,
    ):
        one.sendto(b"x", server.getsockname())
        one.connect(server.getsockname())
        one.sendmsg([b"x"])
        left, right = socket.socketpair()
        left.sendall(b"x")
        assert right.recv(1) == b"x"
        left.close()
        right.close()
        socket.getaddrinfo("localhost", 80)
        asyncio.run(asyncio.sleep(0))
    assert not guard.blocked


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("app.localhost.", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("::1%lo", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_what_is_local(host: str, local: bool) -> None:
    assert _is_local(host) == local


def test_allowed_hosts_and_the_addresses_they_have() -> None:
    with NetworkGuard(["*.example.com", "10.0.0.1"]) as guard:
        guard.check("10.0.0.1")
        with pytest.raises(NetworkBlockedError):
            guard.check("192.0.2.7")
        socket.getaddrinfo("api.example.com", 443)
        guard.check("192.0.2.7")
        with pytest.raises(NetworkBlockedError):
            guard.check("example.org")
    with NetworkGuard("*") as guard:
        guard.check("anything.example.org")


def test_everything_is_as_before_afterwards() -> None:
    before = (socket.getaddrinfo, socket.gethostbyname, dict(vars(socket.socket)))
    with NetworkGuard():
        with NetworkGuard():
            assert socket.getaddrinfo is not before[0]
        assert socket.getaddrinfo is not before[0]
        assert "connect" in vars(socket.socket)
    assert (socket.getaddrinfo, socket.gethostbyname, dict(vars(socket.socket))) == before


def test_what_another_tool_put_in_its_place_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    with NetworkGuard():
        monkeypatch.setattr(socket, "gethostbyname", len)
    assert socket.gethostbyname is len  # type: ignore[comparison-overlap]


def test_the_error_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(NetworkBlockedError("x:1", " now")))
    assert (error.target, str(error)) == ("x:1", "a test tried to reach x:1 now")


def test_looking_a_name_up_by_address_is_held_back():
    with NetworkGuard() as guard, pytest.raises(NetworkBlockedError, match=re.escape("8.8.8.8")):
        socket.gethostbyaddr("8.8.8.8")
    assert len(guard.blocked) == 1
