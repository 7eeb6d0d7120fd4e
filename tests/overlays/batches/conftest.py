"""What the tests of batches share."""

from __future__ import annotations

import pytest

from .making import Lab


@pytest.fixture(params=["sync", "async"])
def lab(request: pytest.FixtureRequest) -> Lab:
    """Return a mock API with each kind of client in turn."""
    return Lab(request.param == "async")
