"""Message threads: conversations that the mock holds, so that a request brings only what is new."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .exchange import RefusedError
from .json_values import object_at

Body = Mapping[str, Any]

_SECONDS: Final = 300.0
_KEPT: Final = 1_000
_FIXED: Final = ("model", "system", "tools")


@dataclass
class _Thread:
    body: Body
    """The whole conversation as one request, the last reply included."""
    ends: float
    continued: bool = False


class Threads:
    """Conversations by workspace and ID of their last reply; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: OrderedDict[tuple[str, str], _Thread] = OrderedDict()

    def whole(self, body: Body, *, scope: str, now: float) -> Body:
        """Return the request that a body amounts to; itself unless it continues a thread.

        Raises:
            RefusedError: 404 when the thread is not there (any more), 400 when it was continued
                already or the body gives again what the thread holds.
        """
        thread = object_at(body, "thread")
        if thread.get("type") != "continue":
            return body
        for name in ("system", "tools"):
            if body.get(name) is not None:
                raise _refused(
                    f"{name}: held by the thread; leave it out", "thread_unsupported_request", name
                )
        previous = str(thread["previous_message_id"])
        with self._lock:
            found = self._threads.get((scope, previous))
            if found is None or found.ends <= now:
                raise RefusedError(
                    404,
                    f"thread: nothing is held for {previous[:80]}",
                    details={"error_code": "thread_not_found"},
                )
            if found.continued:
                raise _refused(
                    "thread: this reply was continued already", "thread_already_continued"
                )
            if body["model"] != found.body["model"]:
                raise _refused("model: not that of the thread", "thread_fingerprint_mismatch")
            found.continued = True
        held = {name: found.body[name] for name in _FIXED if name in found.body}
        return {**body, **held, "messages": [*found.body["messages"], *body["messages"]]}

    def reopen(self, body: Body, *, scope: str) -> None:
        """Let a thread be continued again, because the request that did it was refused."""
        previous = object_at(body, "thread").get("previous_message_id")
        with self._lock:
            found = self._threads.get((scope, str(previous)))
            if found is not None:
                found.continued = False

    def keep(self, whole: Body, reply: Mapping[str, Any], *, scope: str, now: float) -> None:
        """Hold a conversation with its new reply, if the request asks for a thread."""
        if not object_at(whole, "thread"):
            return
        answer = {"role": "assistant", "content": reply["content"]}
        body = {**whole, "messages": [*whole["messages"], answer]}
        with self._lock:
            self._threads[scope, reply["id"]] = _Thread(body, now + _SECONDS)
            while len(self._threads) > _KEPT:
                self._threads.popitem(last=False)


def _refused(message: str, code: str, *unsupported: str) -> RefusedError:
    details: dict[str, Any] = {"error_code": code}
    if unsupported:
        details["unsupported"] = list(unsupported)
    return RefusedError(400, message, details=details)
