"""Every fault of the table, over real sockets, with either client and by every way to call.

However a call ends: it ends in time, with the error that says what happened, after as many
requests as the retry rules allow, and it leaves nothing behind. Nothing means: no socket, no
thread and no task, and the one connection that its pool may have is free again, which the next
call shows.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import Timeout, errors
from claude_rest._runtime import pools

from .calls import CLIENTS, RETRY, WAYS, done, holdings, other_tasks, settled
from .fault_server import FaultServer
from .fault_table import FAULTS, TEXT, Answer, success

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .calls import Way
    from .fault_table import Ending, Fault

DEADLINE = 10.0
SLACK = 10.0


def rows() -> Iterator[Any]:
    for fault in FAULTS:
        for way in WAYS:
            ending = fault.create if way == "create" else fault.stream
            if ending is None:
                continue
            for name, client_class in CLIENTS.items():
                # The ways to stream differ above the transport, so one is enough for the others.
                if way == "create(stream=True)" and name not in ("sync", "async"):
                    continue
                expected = ending
                if name == "async-aiohttp" and fault.over_aiohttp is not None:
                    expected = fault.over_aiohttp
                yield pytest.param(
                    client_class, fault, way, expected, id=f"{fault.name}-{way}-{name}"
                )


def limits(fault: Fault) -> Timeout:
    return Timeout(DEADLINE, **{"deadline": DEADLINE, **fault.limits})


async def end_of(client: Any, way: Way, fault: Fault) -> errors.APIError | None:
    """Return the error that a call ends in; ``None`` when it brings the right answer."""
    try:
        text = await way(client, fault.prompt, timeout=limits(fault))
    except errors.APIError as error:
        return error
    assert text == TEXT
    return None


def check(error: Any, ending: Ending) -> None:
    if error is not None and ending.error is None:
        raise error
    assert type(error).__name__ == (ending.error or "NoneType"), repr(error)
    if error is None:
        return
    assert error.attempts == ending.requests
    assert str(error).startswith("messages.create: ")
    if ending.phase is not None:
        assert error.phase in ending.phase
        assert error.phase == ending.phase or isinstance(ending.phase, tuple)
    if ending.limit is not None:
        assert error.limit == ending.limit
    if ending.status is not None:
        assert error.status_code == ending.status


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a pool have one connection: a call that leaves it taken makes the next wait in vain."""
    monkeypatch.setattr(pools, "MAX_CONNECTIONS", 1)


@pytest.mark.parametrize(("client_class", "fault", "way", "ending"), list(rows()))
def test_fault(client_class: Any, fault: Fault, way: str, ending: Ending) -> None:
    answer = Answer("json" if way == "create" else "events")
    with FaultServer([fault.reply(answer)]) as server:
        before = holdings()
        errors_seen = []

        async def scenario() -> None:
            client = client_class(api_key="k", base_url=server.url, retry=RETRY)
            started = time.monotonic()
            error = await end_of(client, WAYS[way], fault)
            took = time.monotonic() - started
            errors_seen.append(error)
            assert took < fault.limits.get("deadline", DEADLINE) + SLACK
            check(error, ending)
            assert len(server.requests) == ending.requests
            server.play([success(answer)])
            assert await WAYS[way](client, timeout=DEADLINE) == TEXT
            await done(client.close())
            assert await other_tasks() == []

        asyncio.run(scenario())
        assert server.wait_until_idle()
        # The error is still there, and with it all that it refers to.
        assert settled(before) == before
