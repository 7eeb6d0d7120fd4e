"""A plugin for pytest: the mock API as fixtures, and a guard that keeps tests on the machine.

Installed with the package. Importing it loads nothing but itself; what a fixture needs is loaded
when a test asks for that fixture.

- ``claude_mock``: a mock API of the test's own.
- ``claude``, ``async_claude``: clients of that mock, in process. They retry without waiting.
- ``claude_server``: URL of the mock as a real server, for any other client. Clients that take
  their settings from the environment find it by themselves.
- ``claude_network``: the guard alone. All of the others have it: while one of them is in use,
  whatever tries to leave the machine is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ..client import AsyncClaude, Claude
    from .mock_api import MockAPI
    from .network_guard import NetworkGuard

_NETWORK: Final = "claude_network"
_ALLOW: Final = "claude_network_allow"
_MOCK: Final = "claude_mock"
_KEY: Final = "mock-key"
_BASE_URL: Final = "https://api.anthropic.com"
_ENVIRONMENT: Final = "ANTHROPIC_"
# Absent before pytest 7, which is too old for the fixtures but must not fail over this plugin.
_FAILED: Any = pytest.StashKey[bool]() if hasattr(pytest, "StashKey") else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting of the guard."""
    parser.addini(
        _ALLOW,
        "hosts that tests may reach while the mock Claude API is in use; * for all",
        type="args",
        default=[],
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line(
        "markers",
        f"{_NETWORK}(*hosts): hosts that the test may reach while the mock Claude API is in use, "
        "all of them if none is named",
    )
    config.addinivalue_line(
        "markers", f"{_MOCK}(**settings): settings of the test's mock Claude API, such as seed=1"
    )


# Not wrapper=True, which pluggy knows since 1.2 only: where the package is installed every pytest
# loads this, with tests that have nothing to do with it.
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, None, None]:
    """Remember that a test failed, so that the guard does not say the same once more."""
    yield
    if call.excinfo is not None and _FAILED is not None:
        item.stash[_FAILED] = True


@pytest.fixture
def claude_network(request: pytest.FixtureRequest) -> Iterator[NetworkGuard]:
    """Keep the test on this machine: whatever tries to leave it is an error that names the host.

    Hosts are allowed by the marker ``claude_network`` or the ini option ``claude_network_allow``.
    A try whose error was swallowed makes the test fail at its end.
    """
    from .network_guard import NetworkGuard

    allowed: list[str] = list(request.config.getini(_ALLOW))
    for marker in request.node.iter_markers(_NETWORK):
        allowed += [str(host) for host in marker.args] or ["*"]
    with NetworkGuard(allowed, advice=_advice) as guard:
        yield guard
    if guard.blocked and not request.node.stash.get(_FAILED, False):
        raise guard.blocked[0]


def _advice(host: str) -> str:
    return (
        f" while the mock Claude API is in use. To allow it, mark the test with "
        f'@pytest.mark.{_NETWORK}("{host}") or add the host to {_ALLOW} in the settings of pytest'
    )


@pytest.fixture
def claude_mock(
    request: pytest.FixtureRequest,
    claude_network: NetworkGuard,  # noqa: ARG001, has to be open first
) -> MockAPI:
    """Return a mock API of the test's own; the marker ``claude_mock`` has its settings."""
    from .extras import MissingExtraError
    from .mock_api import MockAPI

    settings: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers(_MOCK))):
        settings.update(marker.kwargs)
    try:
        return MockAPI(**settings)
    except MissingExtraError as error:
        # One line: the way to it is of no interest.
        pytest.fail(f"claude_mock: {error}", pytrace=False)


@pytest.fixture
def claude(claude_mock: MockAPI) -> Iterator[Claude]:
    """Return a client that asks the mock, in process; nothing of the environment reaches it."""
    import httpx

    from ..client import Claude
    from ..retries import RetryPolicy
    from .transports import MockTransport

    with pytest.MonkeyPatch.context() as patch:
        _clean_environment(patch)
        client = Claude(
            api_key=_KEY,
            base_url=_BASE_URL,
            http_client=httpx.Client(transport=MockTransport(claude_mock)),
            retry=RetryPolicy(random=_no_wait),
        )
    with client:
        yield client


@pytest.fixture
def async_claude(claude_mock: MockAPI) -> AsyncClaude:
    """Return an asynchronous client of the mock, for any event loop; it needs no closing."""
    import httpx

    from ..client import AsyncClaude
    from ..retries import RetryPolicy
    from .transports import AsyncMockTransport

    with pytest.MonkeyPatch.context() as patch:
        _clean_environment(patch)
        return AsyncClaude(
            api_key=_KEY,
            base_url=_BASE_URL,
            http_client=httpx.AsyncClient(transport=AsyncMockTransport(claude_mock)),
            retry=RetryPolicy(random=_no_wait),
        )


@pytest.fixture
def claude_server(claude_mock: MockAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the mock and return its URL.

    Until the test ends the environment names this server and a key for it, so that code which
    makes its own client is tested as it is.
    """
    from .extras import MissingExtraError

    try:
        from .server import serve
    except MissingExtraError as error:
        pytest.fail(f"claude_server: {error}", pytrace=False)
    with serve(claude_mock) as server:
        _clean_environment(monkeypatch)
        monkeypatch.setenv(f"{_ENVIRONMENT}BASE_URL", server.url)
        monkeypatch.setenv(f"{_ENVIRONMENT}API_KEY", _KEY)
        yield server.url


def _clean_environment(patch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(_ENVIRONMENT):
            patch.delenv(name)


def _no_wait() -> float:
    return 0.0
