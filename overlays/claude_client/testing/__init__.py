"""An offline Claude API to test against: in process, or as a server.

In process, under any code that talks httpx::

    http_client = httpx.Client(transport=MockTransport())

As a server, for any client in any language: ``claude-mock --port 4010`` (or ``python -m`` and the
name of this package), or in a test ``with serve() as server: ...``. What it answers follows the
bundled spec: requests are checked the way the API checks them, the spec's examples come back to the
requests they belong to, everything else gets a made-up answer that is the same for the same seed.
What shall go wrong is said with ``Fault``, how much may be used with ``RateLimits``. It needs the
extra ``mock``. Nothing is loaded before the first of these names is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .calls import CallLog, RecordedCall, RecordedFile
    from .cassettes import (
        AsyncRecordingTransport,
        AsyncReplayTransport,
        CassetteError,
        RecordingTransport,
        ReplayTransport,
    )
    from .exchange import MockRequest, MockResponse
    from .extras import MissingExtraError
    from .faults import Fault, FaultError, parse_fault
    from .mock_api import MockAPI
    from .network_guard import NetworkBlockedError, NetworkGuard
    from .rate_limits import RateLimits, RateLimitsError, parse_rate_limits
    from .replies import ReplyError
    from .scripting import Expectation, Failure, Reply, ScriptError, StreamReply
    from .server import RunningServer, serve
    from .stream_events import collapse, message_events, sse
    from .transports import AsyncMockTransport, MockTransport

__all__ = [
    "AsyncMockTransport",
    "AsyncRecordingTransport",
    "AsyncReplayTransport",
    "CallLog",
    "CassetteError",
    "Expectation",
    "Failure",
    "Fault",
    "FaultError",
    "MissingExtraError",
    "MockAPI",
    "MockRequest",
    "MockResponse",
    "MockTransport",
    "NetworkBlockedError",
    "NetworkGuard",
    "RateLimits",
    "RateLimitsError",
    "RecordedCall",
    "RecordedFile",
    "RecordingTransport",
    "ReplayTransport",
    "Reply",
    "ReplyError",
    "RunningServer",
    "ScriptError",
    "StreamReply",
    "collapse",
    "message_events",
    "parse_fault",
    "parse_rate_limits",
    "serve",
    "sse",
]

_HOMES = {
    "AsyncMockTransport": ".transports",
    "AsyncRecordingTransport": ".cassettes",
    "AsyncReplayTransport": ".cassettes",
    "CallLog": ".calls",
    "CassetteError": ".cassettes",
    "Expectation": ".scripting",
    "Failure": ".scripting",
    "Fault": ".faults",
    "FaultError": ".faults",
    "MissingExtraError": ".extras",
    "MockAPI": ".mock_api",
    "MockRequest": ".exchange",
    "MockResponse": ".exchange",
    "MockTransport": ".transports",
    "NetworkBlockedError": ".network_guard",
    "NetworkGuard": ".network_guard",
    "RecordedCall": ".calls",
    "RecordedFile": ".calls",
    "RecordingTransport": ".cassettes",
    "ReplayTransport": ".cassettes",
    "Reply": ".scripting",
    "ReplyError": ".replies",
    "RateLimits": ".rate_limits",
    "RateLimitsError": ".rate_limits",
    "RunningServer": ".server",
    "ScriptError": ".scripting",
    "StreamReply": ".scripting",
    "collapse": ".stream_events",
    "message_events": ".stream_events",
    "parse_fault": ".faults",
    "parse_rate_limits": ".rate_limits",
    "serve": ".server",
    "sse": ".stream_events",
}


if not TYPE_CHECKING:
    # Hidden from type checkers: to them it would make any name exist.

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(home, __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
