"""The prompt cache: which part of a prompt was sent before, and what a breakpoint stores.

Breakpoints, their limit, the order of lifetimes, the look-back and the least size are those of the
API; what a token is, is the mock's own measure.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from .exchange import RefusedError
from .json_values import is_array, is_object
from .tokens import TOKENS_PER_MESSAGE, count_value

Body = Mapping[str, Any]

_MOST_BREAKPOINTS: Final = 4
_LOOK_BACK: Final = 20
_LIFETIMES: Final = {"5m": 300.0, "1h": 3600.0}
_LEAST: Final = (
    (re.compile(r"claude-(opus|fable|mythos)-5"), 512),
    (re.compile(r"claude-(opus-4-7|mythos-preview)"), 2_048),
    (re.compile(r"claude-(opus-4-[56]|haiku-4-5)"), 4_096),
)
_LEAST_OTHERWISE: Final = 1_024
_KEPT: Final = 10_000
_REMEMBERED: Final = 1_000


_REASONS: Final = {
    "frame": "model_changed",
    "tools": "tools_changed",
    "system": "system_changed",
    "messages": "messages_changed",
}
"""What a difference in each part of the prompt is called, in the order they are compared."""

_Outline = dict[str, list[tuple[bytes, int]]]
"""Fingerprint and tokens of each piece of a prompt, by part."""


@dataclass(frozen=True)
class PromptBlock:
    """A piece of the prompt, in the order tools, system, messages."""

    value: Any
    """What it is, without its breakpoint."""
    tokens: int
    part: str
    """``frame``, ``tools``, ``system`` or ``messages``."""
    role: str = ""
    """Role of the message that begins with it."""
    lifetime: str | None = None
    """``5m`` or ``1h`` when there is a breakpoint after it."""

    def digest(self) -> bytes:
        """Return a fingerprint of what it is."""
        text = json.dumps([self.role, self.value], sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).digest()


@dataclass(frozen=True)
class CacheUse:
    """Tokens of one prompt by what the cache did with them."""

    read: int = 0
    written: Mapping[str, int] | None = None
    """By lifetime."""

    def usage(self, total: int) -> dict[str, Any]:
        """Return the input counts of a usage object (spec: Usage)."""
        written = self.written or {}
        created = sum(written.values())
        return {
            "input_tokens": total - self.read - created,
            "cache_creation_input_tokens": created,
            "cache_read_input_tokens": self.read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": written.get("5m", 0),
                "ephemeral_1h_input_tokens": written.get("1h", 0),
            },
        }


class PromptCache:
    """What one mock API has cached; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        self._requests: OrderedDict[str, _Outline] = OrderedDict()

    def use(self, body: Body, *, scope: str, now: float) -> CacheUse:
        """Read the longest stored prefix of a prompt, and store up to its breakpoints.

        Args:
            body: Valid body of a Messages request.
            scope: Workspace; each has a cache of its own.
            now: Seconds since 1970.
        """
        if not has_breakpoints(body):
            return CacheUse()
        blocks = prompt_blocks(body)
        marks = [place for place, block in enumerate(blocks) if block.lifetime is not None]
        if not marks:
            return CacheUse()
        keys, sums = _prefixes(blocks, scope)
        least = least_prefix(str(body["model"]))
        written: dict[str, int] = {}
        with self._lock:
            stored = self._longest(marks, keys, now)
            done = 0 if stored is None else sums[stored]
            read = done
            for mark in marks:
                lifetime = blocks[mark].lifetime or "5m"
                if sums[mark] < least or (stored is not None and mark <= stored):
                    continue
                written[lifetime] = written.get(lifetime, 0) + sums[mark] - done
                done = sums[mark]
                self._store(keys[mark], _LIFETIMES[lifetime], now)
        return CacheUse(read, written)

    def remember(self, message_id: str, body: Body) -> None:
        """Keep what a request was, for the ``diagnostics`` of later ones."""
        with self._lock:
            self._requests[message_id] = _outline(body)
            while len(self._requests) > _REMEMBERED:
                self._requests.popitem(last=False)

    def diagnose(self, previous: str | None, body: Body) -> dict[str, Any] | None:
        """Return the first difference from an earlier request (spec: CacheMissReason), or None."""
        if previous is None:
            return None
        with self._lock:
            before = self._requests.get(previous)
        if before is None:
            return {"type": "previous_message_not_found"}
        after = _outline(body)
        missed = sum(tokens for blocks in before.values() for _, tokens in blocks)
        for part, reason in _REASONS.items():
            old = before.get(part, [])
            new = after.get(part, [])
            # A longer conversation that begins the same way is no difference.
            if old != (new[: len(old)] if part == "messages" else new):
                return {"type": reason, "cache_missed_input_tokens": missed}
        return None

    def _longest(self, marks: list[int], keys: list[bytes], now: float) -> int | None:
        for mark in reversed(marks):
            for place in range(mark, max(-1, mark - _LOOK_BACK), -1):
                ends, lifetime = self._entries.get(keys[place], (0.0, 0.0))
                if ends > now:
                    self._store(keys[place], lifetime, now)
                    return place
        return None

    def _store(self, key: bytes, lifetime: float, now: float) -> None:
        self._entries[key] = (now + lifetime, lifetime)
        self._entries.move_to_end(key)
        while len(self._entries) > _KEPT:
            self._entries.popitem(last=False)


def least_prefix(model: str) -> int:
    """Return how many tokens a prefix needs to be cached for a model."""
    return next((least for known, least in _LEAST if known.match(model)), _LEAST_OTHERWISE)


def prompt_blocks(body: Body) -> list[PromptBlock]:
    """Return a prompt in pieces; their tokens together are those of the whole.

    Raises:
        RefusedError: 400 for too many breakpoints, or lifetimes in the wrong order.
    """
    blocks = list(_blocks(body))
    automatic = body.get("cache_control")
    if is_object(automatic):
        markable = [i for i, block in enumerate(blocks) if _markable(block)]
        if markable and blocks[markable[-1]].lifetime is None:
            last = blocks[markable[-1]]
            blocks[markable[-1]] = replace(last, lifetime=automatic.get("ttl") or "5m")
    lifetimes = [block.lifetime for block in blocks if block.lifetime is not None]
    if len(lifetimes) > _MOST_BREAKPOINTS:
        raise RefusedError(
            400, f"cache_control: at most {_MOST_BREAKPOINTS} breakpoints, got {len(lifetimes)}"
        )
    if "5m" in lifetimes and "1h" in lifetimes[lifetimes.index("5m") :]:
        raise RefusedError(400, "cache_control: a ttl of 1h must not come after one of 5m")
    return blocks


def has_breakpoints(body: Body) -> bool:
    """Return whether anything of a prompt is to be cached."""
    if is_object(body.get("cache_control")):
        return True
    lists = [body.get("tools"), body.get("system")]
    lists += [message.get("content") for message in body["messages"]]
    return any(
        is_object(element) and is_object(element.get("cache_control"))
        for elements in lists
        if is_array(elements)
        for element in elements
    )


def _blocks(body: Body) -> Iterator[PromptBlock]:
    frame = {key: body.get(key) for key in ("output_config", "mcp_servers")}
    tokens = sum(count_value(value) for value in frame.values())
    shape = {"model": body["model"], "speed": body.get("speed") or "standard", **frame}
    yield PromptBlock(shape, tokens, "frame")
    for part in ("tools", "system"):
        value = body.get(part)
        for element in value if is_array(value) else ([] if value is None else [value]):
            yield _block(element, part)
    for message in body["messages"]:
        content = message.get("content")
        elements: Sequence[Any] = content if is_array(content) else [content]
        first = _block(elements[0] if elements else None, "messages")
        overhead = TOKENS_PER_MESSAGE
        yield replace(first, tokens=first.tokens + overhead, role=str(message["role"]))
        for element in elements[1:]:
            yield _block(element, "messages")


def _block(element: Any, part: str) -> PromptBlock:
    tokens = count_value(element)
    if isinstance(element, str):
        # Text and the one block that it stands for are the same prompt.
        return PromptBlock({"type": "text", "text": element}, tokens, part)
    if not is_object(element):
        return PromptBlock(element, tokens, part)
    control = element.get("cache_control")
    lifetime = (control.get("ttl") or "5m") if is_object(control) else None
    rest = {key: value for key, value in element.items() if key != "cache_control"}
    return PromptBlock(rest, tokens, part, lifetime=lifetime)


def _markable(block: PromptBlock) -> bool:
    if block.part == "frame" or not is_object(block.value):
        return False
    return block.value.get("type") not in ("thinking", "redacted_thinking")


def _prefixes(blocks: list[PromptBlock], scope: str) -> tuple[list[bytes], list[int]]:
    """Return a fingerprint and the tokens of the prompt up to each piece."""
    keys: list[bytes] = []
    sums: list[int] = []
    key, total = sha256(scope.encode()).digest(), 0
    for block in blocks:
        key = sha256(key + block.digest()).digest()
        total += block.tokens
        keys.append(key)
        sums.append(total)
    return keys, sums


def _outline(body: Body) -> _Outline:
    parts: _Outline = {}
    for block in _blocks(body):
        parts.setdefault(block.part, []).append((block.digest(), block.tokens))
    return parts
