"""Faults before and between requests: no server, TLS, redirects, connections kept alive; retries."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import RetryPolicy, Timeout, errors
from claude_rest._runtime import pools
from loopback import Close, Reset, Send

from .calls import CLIENTS, RETRY, WAYS, done, everything, holdings, other_tasks, settled
from .certificates import self_signed
from .fault_server import FaultServer
from .fault_table import TEXT, Answer, error_body, failed, success

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

JSON = Answer("json")
EVENTS = Answer("events")
LIMITS = Timeout(10, deadline=10)
MODELS = b'{"data": [], "has_more": false, "first_id": null, "last_id": null}'

# Tests that do not hold yet, by name, and why.
PENDING: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _pending(request: pytest.FixtureRequest) -> None:
    reason = PENDING.get(request.node.originalname)
    if reason is not None:
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 1)


def _is_enough(way: str, name: str) -> bool:
    """Tell whether to run a way to call: they differ above the transport, for the most part."""
    return name in ("sync", "async") or way != "create(stream=True)"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    both = [
        pytest.param(client_class, way, id=f"{name}-{way}")
        for name, client_class in CLIENTS.items()
        for way in WAYS
        if _is_enough(way, name)
    ]
    if {"client_class", "way"} <= set(metafunc.fixturenames):
        metafunc.parametrize(("client_class", "way"), both)
    elif "client_class" in metafunc.fixturenames:
        metafunc.parametrize("client_class", CLIENTS.values(), ids=CLIENTS)


def answer_to(way: str) -> Answer:
    return JSON if way == "create" else EVENTS


def run(
    client_class: Any, url: str, scenario: Callable[[Any], Awaitable[None]], **options: Any
) -> None:
    """Run a scenario with a client, which leaves neither tasks nor threads nor sockets behind."""
    before = holdings()

    async def main() -> None:
        client = client_class(
            api_key="k", base_url=url, **{"retry": RETRY, "timeout": LIMITS, **options}
        )
        try:
            await scenario(client)
        finally:
            await done(client.close())
        assert await other_tasks() == []

    asyncio.run(main())
    assert settled(before) == before


# -- no server ---------------------------------------------------------------------------------


def test_connection_refused(client_class: Any, way: str) -> None:
    with FaultServer([[Close()]]) as server:
        url = server.url

    async def scenario(client: Any) -> None:
        with pytest.raises(errors.APIConnectionError) as caught:
            await WAYS[way](client)
        assert type(caught.value) is errors.APIConnectionError
        assert caught.value.phase == "connect"
        # Nothing was sent, so every retry is free.
        assert caught.value.attempts == 3

    run(client_class, url, scenario)


# -- TLS ---------------------------------------------------------------------------------------


class Certificate:
    """A self-signed certificate in files."""

    def __init__(self, folder: Path, host: str) -> None:
        self.path = folder / f"{host}.pem"
        key = folder / f"{host}.key"
        for path, text in zip((self.path, key), self_signed(host), strict=True):
            path.write_text(text)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.path, key)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture(scope="module")
def certificate_of_another(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"), "other.test")


def test_tls_with_a_trusted_certificate(
    client_class: Any, way: str, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    with FaultServer([success(answer_to(way))], tls=certificate.context) as server:

        async def scenario(client: Any) -> None:
            assert await WAYS[way](client) == TEXT
            assert await WAYS[way](client) == TEXT

        run(client_class, server.url, scenario)
        assert server.connections == 1


def test_something_after_the_end_with_tls(
    client_class: Any, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the answer is the end of a record, so the rest is not even decrypted yet."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    record = 16 * 1024
    padding = record - len(JSON.with_length(JSON.body + b" " * record)) + record
    whole = JSON.with_length(JSON.body + b" " * padding)
    assert len(whole) == record
    forged = JSON.with_length(JSON.body.replace("ü".encode(), b"Forged"))
    with FaultServer([[Send(whole + forged)]], tls=certificate.context) as server:

        async def scenario(client: Any) -> None:
            for _ in range(5):
                assert await WAYS["create"](client) == TEXT

        run(client_class, server.url, scenario)
        assert server.connections == 5


def tls_fails(client_class: Any, way: str, server: FaultServer, url: str) -> errors.APIError:
    seen: list[Any] = []

    async def scenario(client: Any) -> None:
        with pytest.raises(errors.APIConnectionError) as caught:
            await WAYS[way](client)
        seen.append(caught.value)

    run(client_class, url, scenario)
    assert server.requests == []
    assert server.connections == seen[0].attempts
    return seen[0]  # type: ignore[no-any-return]


def test_self_signed_certificate(client_class: Any, way: str, certificate: Certificate) -> None:
    with FaultServer([success(JSON)], tls=certificate.context) as server:
        error: Any = tls_fails(client_class, way, server, server.url)
        assert (error.phase, error.attempts) == ("tls", 1)
        assert "certificate" in str(error).lower()
        assert "SSL_CERT_FILE" in str(error)


def test_certificate_of_another_host(
    client_class: Any,
    way: str,
    certificate_of_another: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate_of_another.path))
    with FaultServer([success(JSON)], tls=certificate_of_another.context) as server:
        error: Any = tls_fails(client_class, way, server, server.url)
        assert (error.phase, error.attempts) == ("tls", 1)
        assert "127.0.0.1" in str(error)


def test_https_to_a_server_without_tls(client_class: Any, way: str) -> None:
    with FaultServer([[Close()]]) as server:
        url = server.url.replace("http:", "https:")

        async def scenario(client: Any) -> None:
            with pytest.raises(errors.APIConnectionError) as caught:
                await WAYS[way](client, timeout=Timeout(0.15, deadline=5))
            # It may take the first bytes of TLS for the beginning of a request, and wait.
            assert caught.value.phase in ("tls", "connect")
            assert server.connections == caught.value.attempts

        run(client_class, url, scenario)


def test_http_to_a_server_with_tls(client_class: Any, way: str, certificate: Certificate) -> None:
    with FaultServer([success(JSON)], tls=certificate.context) as server:
        url = server.url.replace("https:", "http:")
        error: Any = tls_fails(client_class, way, server, url)
        assert error.phase in ("send", "headers")


# -- redirects ---------------------------------------------------------------------------------


def redirect(location: str, status: int = 307) -> list[Any]:
    head = JSON.head(f"HTTP/1.1 {status} Elsewhere", location=location, content_length=0)
    return [Send(head)]


@pytest.mark.parametrize("status", [307, 308])
def test_redirect_to_the_same_origin(client_class: Any, way: str, status: int) -> None:
    script = [redirect("/v2/messages?x=1", status), success(answer_to(way))]
    with FaultServer(script) as server:

        async def scenario(client: Any) -> None:
            assert await WAYS[way](client) == TEXT

        run(client_class, server.url, scenario)
        first, second = server.requests
        assert (second.method, second.target) == ("POST", "/v2/messages?x=1")
        assert second.body == first.body
        assert second.header("x-api-key") == "k"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_to_another_origin(client_class: Any, way: str, status: int) -> None:
    """The other server is one port away, and hears nothing at all."""
    with FaultServer([success(answer_to(way))]) as other:
        location = f"http://user:secret@127.0.0.1:{other.port}/v1/messages?token=secret"
        with FaultServer([redirect(location, status)]) as server:

            async def scenario(client: Any) -> None:
                with pytest.raises(errors.RedirectError) as caught:
                    await WAYS[way](client)
                error = caught.value
                assert error.status_code == status
                assert error.location_origin == f"http://127.0.0.1:{other.port}"
                assert "secret" not in f"{error!s}{error!r}{error.headers}"

            run(client_class, server.url, scenario)
            assert len(server.requests) == 1
        assert other.connections == 0


def test_redirect_to_http(
    client_class: Any, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    with FaultServer([success(JSON)]) as other:
        script = [redirect(f"{other.url}/v1/messages")]
        with FaultServer(script, tls=certificate.context) as server:

            async def scenario(client: Any) -> None:
                with pytest.raises(errors.RedirectError):
                    await WAYS["create"](client)

            run(client_class, server.url, scenario)
        assert other.connections == 0


def test_redirects_in_a_circle(client_class: Any) -> None:
    with FaultServer([redirect("/v1/messages")]) as server:

        async def scenario(client: Any) -> None:
            with pytest.raises(errors.RedirectError):
                await WAYS["create"](client)

        run(client_class, server.url, scenario)
        assert 2 <= len(server.requests) <= 21


def test_redirect_of_a_list(client_class: Any) -> None:
    """Nothing is lost when a GET becomes a GET."""
    script = [redirect("/elsewhere", 302), [Send(JSON.with_length(MODELS))]]
    with FaultServer(script) as server:

        async def scenario(client: Any) -> None:
            assert await everything(client.models.list()) == []

        run(client_class, server.url, scenario)
        assert [request.target for request in server.requests] == ["/v1/models", "/elsewhere"]


# -- connections kept alive --------------------------------------------------------------------


def test_a_connection_serves_many_calls(client_class: Any, way: str) -> None:
    with FaultServer([success(answer_to(way))]) as server:

        async def scenario(client: Any) -> None:
            for _ in range(3):
                assert await WAYS[way](client) == TEXT

        run(client_class, server.url, scenario)
        assert server.connections == 1


@pytest.mark.parametrize("ends", [Close(), Reset()], ids=["closed", "reset"])
def test_a_connection_that_ends_between_two_calls(client_class: Any, way: str, ends: Any) -> None:
    with FaultServer([[*success(answer_to(way)), ends]]) as server:

        async def scenario(client: Any) -> None:
            for _ in range(3):
                assert await WAYS[way](client) == TEXT
                # The server has ended it before the next call; the client has only to look.
                await asyncio.to_thread(server.wait_until_idle, 0.5)

        run(client_class, server.url, scenario)
        assert (len(server.requests), server.connections) == (3, 3)


def test_a_connection_that_ends_with_the_next_request(client_class: Any) -> None:
    """The oldest race of HTTP: the request is on its way when the server closes.

    Nobody knows whether it was worked on. A list is asked for again, a message is not.
    """
    models = [Send(JSON.with_length(MODELS))]
    with FaultServer([models, [Close()], models]) as server:

        async def scenario(client: Any) -> None:
            await everything(client.models.list())
            assert await everything(client.models.list()) == []
            assert len(server.requests) == 3
            server.play([success(JSON), [Close()], success(JSON)])
            assert await WAYS["create"](client) == TEXT
            with pytest.raises(errors.APIConnectionError):
                await WAYS["create"](client)
            assert len(server.requests) == 5
            assert await WAYS["create"](client) == TEXT

        run(client_class, server.url, scenario)


# -- retries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_what_passes_is_retried(client_class: Any, way: str, status: int) -> None:
    trouble = failed(status, error_body("api_error"))
    with FaultServer([trouble, trouble, success(answer_to(way))]) as server:

        async def scenario(client: Any) -> None:
            assert await WAYS[way](client) == TEXT

        run(client_class, server.url, scenario)
        assert len(server.requests) == 3
        assert len({request.body for request in server.requests}) == 1


@pytest.mark.parametrize("lost", [Close(), Reset()], ids=["closed", "reset"])
def test_a_lost_answer_is_asked_for_again_on_request(
    client_class: Any, way: str, lost: Any
) -> None:
    policy = RetryPolicy(2, backoff_base=0.001, resend_billable=True)
    with FaultServer([[lost], [lost], success(answer_to(way))]) as server:

        async def scenario(client: Any) -> None:
            assert await WAYS[way](client) == TEXT

        run(client_class, server.url, scenario, retry=policy)
        assert len(server.requests) == 3


def test_an_error_as_first_event_is_retried(client_class: Any) -> None:
    error = [
        Send(EVENTS.with_length(b"event: error\ndata: " + error_body("overloaded_error") + b"\n\n"))
    ]
    with FaultServer([error, error, success(EVENTS)]) as server:

        async def scenario(client: Any) -> None:
            assert await WAYS["stream"](client) == TEXT

        run(client_class, server.url, scenario)
        assert len(server.requests) == 3


def test_a_storm_of_529_is_not_multiplied(client_class: Any) -> None:
    """Calls go on failing; retries run out, since the client has a budget for them."""
    with FaultServer([failed(529, error_body("overloaded_error"))]) as server:

        async def scenario(client: Any) -> None:
            for _ in range(150):
                with pytest.raises(errors.OverloadedError):
                    await WAYS["create"](client)
            assert len(server.requests) < 2 * 150
            # The service is back: nothing has to be waited for.
            server.play([success(JSON)])
            assert await WAYS["create"](client) == TEXT

        run(client_class, server.url, scenario)


def test_retries_end_with_the_deadline(client_class: Any, way: str) -> None:
    policy = RetryPolicy(1000, backoff_base=0.01)
    with FaultServer([failed(529, error_body("overloaded_error"))]) as server:

        async def scenario(client: Any) -> None:
            with pytest.raises((errors.OverloadedError, errors.APITimeoutError)):
                await WAYS[way](client, timeout=Timeout(10, deadline=0.3))
            assert 1 < len(server.requests) < 1000

        run(client_class, server.url, scenario, retry=policy)
