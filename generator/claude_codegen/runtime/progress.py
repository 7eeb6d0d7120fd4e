"""Where httpcore is with a request, as it tells the ``trace`` extension of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import Phase


class Progress:
    """What is known of a request on its way.

    httpcore passes over an error of writing, since an answer may be there all the same. When none
    is, the error of reading it says nothing about the request; this knows that it did not go out
    whole. Under an HTTP library that tells nothing, it stays as it was made.
    """

    __slots__ = ("between_steps", "phase", "sending_failed")

    phase: Phase
    between_steps: bool
    """Whether a cancellation now would come where httpcore does not clean up."""
    sending_failed: bool

    def __init__(self) -> None:
        """Begin before a connection has been found."""
        self.between_steps = False
        self.sending_failed = False
        self.phase = "pool"

    def note(self, event: str, _info: object) -> None:
        """Take in an event: the ``trace`` extension of a synchronous request."""
        step = event.split(".")[1]
        # What it does after a failure is not to be cut short either.
        self.between_steps = event.endswith(".complete") or step == "response_closed"
        if step.startswith("send_"):
            self.phase = "send"
            if event.endswith(".failed"):
                self.sending_failed = True
            elif step == "send_request_headers":
                # The next request, to a proxy perhaps or after a redirect.
                self.sending_failed = False
        elif step == "receive_response_headers":
            self.phase = "send" if self.sending_failed else "headers"
        elif step == "start_tls":
            self.phase = "tls"
        elif step.startswith("connect_"):
            self.phase = "connect"

    async def __call__(self, event: str, info: object) -> None:
        """Take in an event: the ``trace`` extension of an asynchronous request."""
        self.note(event, info)
