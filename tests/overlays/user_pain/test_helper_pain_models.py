"""Complaints about warnings of old models."""

from __future__ import annotations

import warnings
from typing import Any

import httpx
import pytest

import claude_client.deprecations as module
from claude_client import Claude, ModelDeprecationWarning
from claude_client.testing import MockTransport

BODY: dict[str, Any] = {"max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}


def test_row_49_listing_models_warns_of_nothing_and_using_one_warns_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_warned", set())
    monkeypatch.delenv(module.WARNINGS_VARIABLE)
    client = Claude(api_key="k", http_client=httpx.Client(transport=MockTransport()))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        listed = [model.id for model in client.models.list(lifecycle=["deprecated"])]
        client.models.retrieve("claude-sonnet-4-5")
    assert listed is not None

    def use() -> None:
        for _ in range(3):
            client.messages.create(model="claude-sonnet-4-5", **BODY)

    with pytest.warns(ModelDeprecationWarning) as caught:
        use()
    assert len(caught) == 1
    monkeypatch.setattr(module, "_warned", set())
    monkeypatch.setenv(module.WARNINGS_VARIABLE, "0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.messages.create(model="claude-sonnet-4-5", **BODY)
