"""Warnings of models that go or are gone."""

from __future__ import annotations

import asyncio
import pickle
import threading
import warnings
from typing import Any

import pytest

import claude_client.deprecations as module
from claude_client import AsyncClaude, Claude, ModelDeprecationWarning, calls
from claude_client.deprecations import WARNINGS_VARIABLE, model_warning
from claude_client.testing import AsyncMockTransport, MockTransport
from claude_rest.service import MODEL_ENDS

MODEL = "claude-sonnet-4-5"
BODY: dict[str, Any] = {"max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}
KEY = {"api_key": "mock-key"}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_warned", set())
    monkeypatch.delenv(WARNINGS_VARIABLE, raising=False)


def sync_client() -> Claude:
    import httpx

    return Claude(http_client=httpx.Client(transport=MockTransport()), **KEY)


def async_client() -> AsyncClaude:
    import httpx

    return AsyncClaude(http_client=httpx.AsyncClient(transport=AsyncMockTransport()), **KEY)


def test_the_text_says_when_and_what_instead() -> None:
    assert str(model_warning(MODEL, "2026-11-29")) == (
        "the model claude-sonnet-4-5 is deprecated and will be retired on 2026-11-30; "
        "use claude-sonnet-5-5 instead"
    )
    assert str(model_warning(MODEL, "2026-11-30")) == (
        "the model claude-sonnet-4-5 was retired on 2026-11-30: the API knows it no more; "
        "use claude-sonnet-5-5 instead"
    )
    found = model_warning("claude-2.1")
    assert "was retired on 2025-07-21" in str(found)
    assert (found.model, found.retires_on, found.deprecated_on) == (
        "claude-2.1",
        "2025-07-21",
        None,
    )
    assert found.replacement == "claude-sonnet-5-5"


def test_days_that_are_known_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODEL_ENDS, "note-1", ("2026-01-01", "2026-12-31", None))
    assert str(model_warning("note-1", "2026-06-01")) == (
        "the model note-1 is deprecated since 2026-01-01 and will be retired on 2026-12-31"
    )


def test_the_warning_survives_pickling() -> None:
    found = model_warning(MODEL)
    again = pickle.loads(pickle.dumps(found))
    assert (str(again), again.model, again.replacement) == (
        str(found),
        found.model,
        found.replacement,
    )


def test_everyone_sees_it() -> None:
    # Python hides DeprecationWarning outside of __main__.
    assert not issubclass(ModelDeprecationWarning, DeprecationWarning)


def test_once_per_model_at_the_line_of_the_caller() -> None:
    client = sync_client()

    def use() -> None:
        client.messages.create(model=MODEL, **BODY)
        client.messages.create(model=MODEL, **BODY)
        client.messages.count_tokens(model="claude-2.1", messages=BODY["messages"])
        with client.messages.stream(model="claude-2.1", **BODY) as stream:
            stream.get_final_message()

    with pytest.warns(ModelDeprecationWarning) as caught:
        use()
    assert [warning.message.model for warning in caught] == [MODEL, "claude-2.1"]  # type: ignore[union-attr]
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("large", [False, True])
def test_an_awaited_call_blames_the_line_that_awaits(
    monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr(calls.is_large, "__defaults__", (1,))

    async def main() -> None:
        await async_client().messages.create(model=MODEL, **BODY)

    with pytest.warns(ModelDeprecationWarning) as caught:
        asyncio.run(main())
    assert [warning.filename for warning in caught] == [__file__]
    assert caught[0].lineno == main.__code__.co_firstlineno + 1


def test_a_task_blames_the_line_that_runs_the_loop() -> None:
    async def main() -> None:
        client = async_client()
        await asyncio.gather(client.messages.create(model=MODEL, **BODY))

    with pytest.warns(ModelDeprecationWarning) as caught:
        asyncio.run(main())
    assert [warning.filename for warning in caught] == [__file__]


def test_a_thread_warns_too() -> None:
    client = sync_client()

    def use() -> None:
        thread = threading.Thread(
            target=client.messages.create, kwargs={"model": MODEL, **BODY}, daemon=True
        )
        thread.start()
        thread.join(30)

    with pytest.warns(ModelDeprecationWarning):
        use()


def test_requests_of_a_batch_count() -> None:
    client = sync_client()
    requests = [
        {"custom_id": str(number), "params": {"model": model, **BODY}}
        for number, model in enumerate([MODEL, "claude-opus-5-5", "claude-2.0", MODEL])
    ]
    with pytest.warns(ModelDeprecationWarning) as caught:
        client.messages.batches.create(requests=requests)  # type: ignore[arg-type]
    assert [warning.message.model for warning in caught] == ["claude-2.0", MODEL]  # type: ignore[union-attr]


def test_where_warnings_are_errors_each_call_is_one() -> None:
    client = sync_client()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ModelDeprecationWarning)
        for _ in range(2):
            with pytest.raises(ModelDeprecationWarning):
                client.messages.create(model=MODEL, **BODY)


@pytest.mark.parametrize("value", ["0", "off", " FALSE "])
def test_the_environment_switches_it_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(WARNINGS_VARIABLE, value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sync_client().messages.create(model=MODEL, **BODY)


def test_a_filter_switches_it_off() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore", ModelDeprecationWarning)
        sync_client().messages.create(model=MODEL, **BODY)
    assert caught == []


def test_other_models_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client = sync_client()
        client.messages.create(model="claude-opus-5-5", **BODY)
        client.messages.create(model="claude-opus-4-5", **BODY)
