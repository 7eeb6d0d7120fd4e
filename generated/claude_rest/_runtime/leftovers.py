"""Bytes beyond the end of an answer: nobody asked for them, so their connection is given up.

HTTP/1.1 marks no boundary between one answer and the next, and httpcore takes what it has read
beyond an answer for the beginning of the next one. A server that announces a length too short, or
a gateway that can be brought to send two answers, would so answer a later request of somebody
else. Requests are never sent ahead here, so whatever there is when an answer ends is foreign.

What is still in the socket httpcore notices by itself. What has been read already lies in buffers
that are private to it and to the libraries below. This looks into those of httpx 0.28 with httpcore
1.0, of httpx2, of anyio and of trio; a test per buffer says whether that works.
"""

from __future__ import annotations

from typing import Any

# From the body that httpx gives to the state of its connection, which h11 keeps.
_PATH = ("_stream", "_httpcore_stream", "_stream", "_connection", "_h11_state")
_NOTHING = (b"", False)


def give_up_leftovers(body: Any, network_stream: Any) -> bool:
    """Have httpcore close the connection of an answer, if that holds more than the answer.

    To be called just before ``body`` is closed, which is when a connection becomes free for the
    next request. Returns whether that could be found out.
    """
    return give_up(getattr(body, _PATH[0], None), network_stream)


def give_up(stream: Any, network_stream: Any) -> bool:
    """Do the same for ``stream``, what a transport of httpx gives as the body."""
    state: Any = stream
    for name in _PATH[1:]:
        state = getattr(state, name, None)
    try:
        if state.trailing_data != _NOTHING or _holds_bytes(network_stream):
            # Only a connection whose request and answer both went well is kept.
            state.send_failed()
    except AttributeError:
        return False
    return True


def close_cleanly(response: Any) -> None:
    """Make the closing of a response give up a connection that holds leftovers.

    For the client of a caller: it may speak other protocols, and keeps a connection that cannot be
    looked into.
    """
    network_stream = response.extensions.get("network_stream")
    if network_stream is None:
        return
    body = response.stream
    close_body = body.close

    def close() -> None:
        give_up_leftovers(body, network_stream)
        close_body()

    body.close = close


def _holds_bytes(stream: Any) -> bool:
    """Tell whether a network stream, or one that it wraps, has bytes that were not read from it."""
    while stream is not None:
        # What TLS is still to decrypt: of anyio, then of trio and of TLS within TLS.
        for name in ("_read_bio", "_incoming"):
            if getattr(getattr(stream, name, None), "pending", 0):
                return True
        # Pieces that came faster than anyio was asked for them.
        if getattr(getattr(stream, "_protocol", None), "read_queue", None):
            return True
        for name in ("_inner", "_stream", "transport_stream"):
            inner = getattr(stream, name, None)
            if inner is not None:
                break
        stream = inner
    return False
