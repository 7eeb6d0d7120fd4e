"""What the tests of user pain share: no environment, and both twins."""

from __future__ import annotations

import os

import pytest

from twins import Twin


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what would configure a client."""
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Twin:
    """Return each kind of client in turn."""
    return Twin(request.param == "async")
