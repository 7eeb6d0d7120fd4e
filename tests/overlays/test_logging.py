"""What is logged, what is not, and how the environment turns it on."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from both_clients import ARGUMENTS, OK, failure
from both_clients import kit as kit
from claude_client import logs
from loopback import LoopbackServer

if TYPE_CHECKING:
    from both_clients import BothClients

SECRET = "sk-ant-api03-SECRET"
ARGUMENTS_WITH_TOKEN: dict[str, Any] = {
    **ARGUMENTS,
    "messages": [{"role": "user", "content": "private words"}],
    "mcp_servers": [
        {"type": "url", "name": "m", "url": "https://m.test", "authorization_token": 'tok"en'}
    ],
}


@pytest.fixture(autouse=True)
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test be the first in its process, and take back what it sets up."""
    monkeypatch.setattr(logs._Bodies, "set_up", False)
    monkeypatch.setattr(logs._Bodies, "logged", False)
    logger = logging.getLogger("claude_client")
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    monkeypatch.setattr(logger, "handlers", [])
    logging.getLogger().manager._clear_cache()  # type: ignore[attr-defined]


def records(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.name == "claude_client"]


def test_records_have_facts(kit: BothClients, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        kit.create(failure(529), OK, settings={"api_key": SECRET})
    refused, retried, answered = records(caplog)
    assert refused.operation == retried.operation == answered.operation == "messages.create"
    assert [record.attempt for record in (refused, retried, answered)] == [1, 1, 2]
    assert [record.levelname for record in (refused, retried, answered)] == [
        "DEBUG",
        "INFO",
        "DEBUG",
    ]
    assert (refused.status, answered.status) == (529, 200)
    assert (refused.request_id, answered.request_id) == ("req_bad", "req_ok")
    assert retried.wait == 0
    assert answered.elapsed > 0
    assert answered.bytes_sent == len(kit.sent().body)
    assert "HTTP 200" in answered.getMessage()


def test_neither_bodies_nor_secrets(kit: BothClients, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        kit.create(failure(500), OK, settings={"api_key": SECRET}, **ARGUMENTS_WITH_TOKEN)
    shown = "\n".join(str(vars(record)) for record in records(caplog))
    assert shown
    for word in ("SECRET", "private", "Hello", "tok"):
        assert word not in shown


@pytest.mark.parametrize(
    ("level", "bodies", "logged"),
    [("debug", "1", True), ("info", "1", False), ("debug", "0", False), (None, "1", False)],
)
def test_bodies_only_when_asked_for_twice(
    kit: BothClients,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    level: str | None,
    bodies: str,
    logged: bool,
) -> None:
    if level is not None:
        monkeypatch.setenv("ANTHROPIC_LOG", level)
    monkeypatch.setenv("ANTHROPIC_LOG_BODIES", bodies)
    caplog.set_level(logging.DEBUG, "root")
    kit.create(failure(500), OK, settings={"api_key": SECRET}, **ARGUMENTS_WITH_TOKEN)
    shown = "\n".join(record.getMessage() for record in records(caplog))
    assert ("private words" in shown) is logged
    assert ("Hello!" in shown) is logged
    assert ("Sorry" in shown) is logged
    assert "SECRET" not in shown
    assert "tok" not in shown.replace("_token", "").replace("_tokens", "")


def test_secrets_in_bodies_are_masked(kit: BothClients) -> None:
    client = kit.open(auth_token="a-bearer-token", api_key=None)
    prepared = client._caller.prepare(
        *_create(), {"extra_headers": {"x-api-key": "key-of-the-call"}}
    )
    for body in (
        b'{"note": "a key-of-the-call here"}',
        b'{"text": "my key is sk-ant-api03-abc_DEF-1"}',
        b'{"Access_Token" : "quoted \\" value", "input_tokens": 7}',
        b'{"client_secret":"x","password":"y"}',
        b'{"Ocp-Apim-Subscription-Key": "x", "cookie": "y"}',
    ):
        shown = logs.masked(body, prepared)
        assert "[hidden]" in shown
        for word in ("key-of-the-call", "api03", "quoted", "value", '"x"', '"y"'):
            assert word not in shown
    assert logs.masked(b'{"input_tokens": 7, "text": "max_tokens"}', prepared).count("hidden") == 0
    harmless = b'{"author": "x", "keywords": "y", "text": "\\"token\\": \\"z\\""}'
    assert logs.masked(harmless, prepared) == harmless.decode()
    assert logs.masked(b"\xff", prepared)


def test_the_key_of_a_gateway_is_masked_in_bodies(kit: BothClients) -> None:
    client = kit.open(api_key="k")
    prepared = client._caller.prepare(
        *_create(), {"extra_headers": {"X-Gateway-Key": "key-of-the-gateway"}}
    )
    assert "of-the-gateway" not in logs.masked(b'{"error": "bad key-of-the-gateway"}', prepared)
    assert "of-the-gateway" not in repr(prepared)


def test_long_texts_with_many_quotes_are_masked_in_linear_time(kit: BothClients) -> None:
    client = kit.open(api_key="k")
    prepared = client._caller.prepare(*_create())
    text = b'{"text": "' + b'\\"a\\": ' * 200_000 + b'"}'
    assert logs.masked(text, prepared) == text.decode()


def _create() -> tuple[Any, dict[str, Any]]:
    from claude_rest.operations.messages import MESSAGES_CREATE

    return MESSAGES_CREATE, ARGUMENTS


def test_a_level_and_handlers_of_the_users_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("claude_client")
    logger.level = logging.WARNING
    own = logging.NullHandler()
    logger.handlers = [own]
    logs.set_up_logging({"ANTHROPIC_LOG": "debug"})
    assert (logger.level, logger.handlers) == (logging.WARNING, [own])


def test_other_values_ask_for_nothing() -> None:
    for value in ("", "  ", "loud", "0"):
        logs.set_up_logging({"ANTHROPIC_LOG": value})
        assert logging.getLogger("claude_client").level == logging.NOTSET


@pytest.mark.parametrize("value", ["debug", " INFO "])
def test_a_program_without_logging_of_its_own(value: str) -> None:
    """The handler is added once, and writes to standard error."""
    server = LoopbackServer([failure(529), OK])
    script = f"""if True:
        import sys
        sys.path[:0] = {sys.path!r}
        from claude_client import Claude, RetryPolicy
        for _ in range(2):
            client = Claude(
                api_key="k", base_url={server.url!r}, retry=RetryPolicy(random=lambda: 0.0)
            )
        client.messages.create(model="m", max_tokens=1, messages=[])
        client.close()
        import logging
        assert len(logging.getLogger("claude_client").handlers) == 1
        """
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"ANTHROPIC_LOG": value},
        capture_output=True,
        text=True,
        check=False,
    )
    server.close()
    assert done.returncode == 0, done.stderr
    assert "attempt 1 failed" in done.stderr
    assert ("HTTP 200" in done.stderr) is (value == "debug")
