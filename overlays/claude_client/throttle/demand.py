"""What a request will probably take out of which pools, before it is sent. Pure.

Estimates are rough on purpose, and cheap: bytes are counted, nothing is tokenized. What answers
say was used teaches by how much they are off.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.json_body import JSONBody

from .pools import REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from claude_rest._runtime.base64_content import Base64Content
    from claude_rest._runtime.operation import Operation

BYTES_PER_TOKEN = 4
"""Of JSON in English, about, its braces and names included."""
BYTES_PER_DOCUMENT_TOKEN = 24
"""Of documents in base64, which are mostly fonts and images."""
TOKENS_PER_IMAGE = 1_600
"""What a large image takes; those that are larger are scaled down."""
TOKENS_UNSAID = 1_024
"""Output tokens expected of a request whose ``max_tokens`` cannot be read."""

_MODEL_CLASS = re.compile(r"claude-(?:[0-9.]+-)*([a-z]+)")
_MESSAGES = "/v1/messages"
_BASE64 = b'"base64"'
_DATA = re.compile(rb'"data"\s*:\s*"')
_IMAGE = b'"image/'
_LONG_DATA = 256
_BESIDE = 120

INPUT, OUTPUT, BOTH = "input-tokens", "output-tokens", "tokens"


def model_class(model: str) -> str:
    """Return the class of a model, all models of which share their limits.

    That is its family, whatever platform and version stand around it: ``"opus"`` for
    ``claude-opus-5-5``, for ``claude-3-opus-20240229`` and for ``us.anthropic.claude-opus-4-v1:0``.
    A name of another form is a class of its own.
    """
    found = _MODEL_CLASS.search(model)
    return found[1] if found else model.lower()


def limits_group(operation: Operation, model: object) -> str:
    """Return the name of the limits that an operation falls under.

    For what a model writes, the class of the model; for the rest the resource, since each has
    limits of its own, and token counting has them too.
    """
    if _writes(operation) and isinstance(model, str):
        return model_class(model)
    name = operation.id.removeprefix("beta.")
    resource, _, method = name.rpartition(".")
    return resource if resource and method != "count_tokens" else name


def _writes(operation: Operation) -> bool:
    """Tell whether a model writes the answer, also where the path was given by hand."""
    return operation.stream_argument is not None or operation.path == _MESSAGES


def estimate_input(content: Any) -> int:
    """Estimate the input tokens of an encoded body, bytes or one that is sent in pieces.

    What is in base64 counts as what it shows, whether it was base64 already or is a file that
    becomes base64 while it is sent.
    """
    if not content:
        return 0
    if isinstance(content, (bytes, bytearray)):
        return _tokens((content,))
    if isinstance(content, JSONBody):
        return _tokens(content.parts)
    return len(content) // BYTES_PER_TOKEN


def _tokens(parts: Sequence[bytes | bytearray | Base64Content]) -> int:
    texts = [part for part in parts if isinstance(part, (bytes, bytearray))]
    size = sum(map(len, texts))
    if len(texts) == len(parts) and all(text.find(_BASE64) < 0 for text in texts):
        return size // BYTES_PER_TOKEN + 1
    tokens = 0
    for text_bytes, shown_bytes, is_image in _long_data(parts):
        size -= text_bytes
        tokens += TOKENS_PER_IMAGE if is_image else shown_bytes // BYTES_PER_DOCUMENT_TOKEN
    return tokens + size // BYTES_PER_TOKEN + 1


def _long_data(
    parts: Sequence[bytes | bytearray | Base64Content],
) -> Iterator[tuple[int, int, bool]]:
    """Yield long base64: how much of it is in the text, how much in all, whether it is an image.

    A string may begin in one part and end in another, with a file in between.
    """
    # Where no string is open: the end of the text so far, in which one may begin.
    rest: bytes | bytearray = b""
    # What stands before the string that is open, which tells its media type.
    before: bytes | bytearray | None = None
    in_text = in_files = 0
    for part in parts:
        if not isinstance(part, (bytes, bytearray)):
            in_files += len(part)
            continue
        text = rest + part if rest else part
        position = 0
        while True:
            if before is None:
                match = _DATA.search(text, position)
                if match is None:
                    rest = text[max(position, len(text) - _BESIDE) :]
                    break
                before = text[max(position, match.start() - _BESIDE) : match.start()]
                position = match.end()
                in_text = in_files = 0
            end = text.find(b'"', position)
            if end < 0:
                in_text += len(text) - position
                rest = b""
                break
            in_text += end - position
            if in_text + in_files >= _LONG_DATA:
                # The media type stands beside it, before or after.
                is_image = _IMAGE in before or _IMAGE in text[end : end + _BESIDE]
                yield in_text, in_text + in_files, is_image
            before, position = None, end


class Demand:
    """What one call asks for, as far as its arguments say."""

    __slots__ = ("fast", "group", "input", "operation", "output", "priority")

    operation: str
    group: str
    """Name of the limits it falls under."""
    input: int
    """Estimated input tokens before what was learned; 0 for operations that take none."""
    output: int
    """``max_tokens``; 0 for operations that write none."""
    fast: bool
    """Whether the pools of fast mode are meant."""
    priority: bool
    """Whether the pools of the Priority Tier may be used."""

    def __init__(
        self,
        operation: str,
        group: str,
        *,
        input: int = 0,  # noqa: A002
        output: int = 0,
        fast: bool = False,
        priority: bool = False,
    ) -> None:
        """Describe a call; see the attributes."""
        self.operation = operation
        self.group = group
        self.input = input
        self.output = output
        self.fast = fast
        self.priority = priority

    @classmethod
    def of(cls, operation: Operation, fields: Mapping[str, Any], content: Any) -> Demand:
        """Read the demand of a call off the fields of its body and the encoded body."""
        model = fields.get("model")
        group = limits_group(operation, model)
        if not (_writes(operation) and isinstance(model, str)):
            return cls(operation.id, group)
        limit = fields.get("max_tokens")
        return cls(
            operation.id,
            group,
            input=estimate_input(content),
            output=int(limit) if isinstance(limit, (int, float)) else TOKENS_UNSAID,
            fast=fields.get("speed") == "fast",
            priority=fields.get("service_tier") != "standard_only",
        )

    @property
    def takes_tokens(self) -> bool:
        """Whether a model reads or writes something; it reads also where it is to write nothing."""
        return bool(self.input or self.output)

    @property
    def lane(self) -> str:
        """Calls of one lane wait in one line."""
        return "fast" if self.fast else ""

    def options(self, off: Estimates, *, priority: bool = True) -> list[dict[str, float]]:
        """Return the costs by pool, in order of preference.

        ``priority`` is false where there is no Priority Tier, as far as is known.
        """
        if not self.takes_tokens:
            return [{REQUESTS: 1.0}]
        read = max(self.input * off.input.factor(self.input), 1.0)
        written = max(self.output * off.output.factor(self.output), 1.0)
        if self.fast:
            return [_costs("fast-", read, written)]
        ordinary = _costs("", read, written)
        if priority and self.priority:
            return [_costs("priority-", read, written), ordinary]
        return [ordinary]


def _costs(prefix: str, read: float, written: float) -> dict[str, float]:
    return {REQUESTS: 1.0, prefix + INPUT: read, prefix + OUTPUT: written, BOTH: read + written}


def with_prefix(costs: Mapping[str, float], prefix: str) -> dict[str, float]:
    """Return the same costs of the pools with another prefix."""
    read = next(cost for name, cost in costs.items() if name.endswith(INPUT))
    written = next(cost for name, cost in costs.items() if name.endswith(OUTPUT))
    return _costs(prefix, read, written)


class Ratio:
    """How much was used of what was estimated: a mean that forgets, and what it strays by."""

    __slots__ = ("first", "mean", "size", "stray")

    _GAIN = 0.1

    def __init__(self, first: float) -> None:
        """Begin with a guess."""
        self.first = self.mean = first
        self.stray = 0.0
        self.size = 0.0
        """Of the estimates of late, all together."""

    def learn(self, used: float, estimated: float) -> None:
        """Take in what one answer used."""
        if estimated <= 0:
            return
        ratio = used / estimated
        if not self.size:
            self.mean, self.stray, self.size = ratio, ratio / 2, estimated
            return
        self.size += estimated - self._GAIN * self.size
        off = ratio - self.mean
        self.mean += self._GAIN * off
        self.stray += self._GAIN * (abs(off) - self.stray)

    def factor(self, estimated: float) -> float:
        """Return what to multiply an estimate with, so that it is rarely too low.

        What is larger than all that was learned from, together, may be of another kind: the
        first guess counts the more for it, the larger it is.
        """
        learned = self.mean + 2 * self.stray
        if estimated <= self.size:
            return learned
        share = self.size / estimated
        return learned * share + max(self.first, learned) * (1 - share)


class Estimates:
    """By how much the estimates of one group are off."""

    __slots__ = ("input", "output")

    def __init__(self) -> None:
        """Begin with what holds for most."""
        self.input = Ratio(1.2)
        self.output = Ratio(1.0)

    def learn(self, demand: Demand, used: Used) -> None:
        """Take in what an answer used."""
        if used.input is not None:
            self.input.learn(used.input, demand.input)
        if used.output is not None:
            self.output.learn(used.output, demand.output)


class Used:
    """Tokens that an answer has used, as the limits count them; ``None`` is not known."""

    __slots__ = ("input", "output")

    def __init__(self, read: int | None = None, written: int | None = None) -> None:
        """Say how many were read and written."""
        self.input = read
        self.output = written

    def by_pool(self, costs: Mapping[str, float]) -> dict[str, float | None]:
        """Return what to charge instead of ``costs``."""
        found: dict[str, float | None] = {}
        for name, cost in costs.items():
            if name == BOTH:
                continue
            if name.endswith(INPUT):
                found[name] = cost if self.input is None else self.input
            elif name.endswith(OUTPUT):
                found[name] = cost if self.output is None else self.output
        if BOTH in costs:
            found[BOTH] = sum(cost for cost in found.values() if cost is not None)
        return found


NOTHING = Used(0, 0)
"""Of an answer that is an error: it cost no tokens."""

_HEAD = 4096
_COUNT = re.compile(
    rb'"(input_tokens|cache_creation_input_tokens|output_tokens)"\s*:\s*([0-9]{1,12})'
)
_USAGE = b'"usage"'
_LAST_EVENT = b'"message_stop"'


class UsageReader:
    """Finds the usage in the bytes of an answer that go by, without decoding them.

    Looks at the first 4 KB, where the first event of a stream stands, and at the last, where the
    answer and its last events have their ``usage``.
    """

    __slots__ = ("_head", "_tail")

    def __init__(self) -> None:
        """Begin with nothing."""
        self._head = b""
        self._tail = b""

    def feed(self, piece: bytes) -> None:
        """Take in the next bytes."""
        if len(self._head) < _HEAD:
            self._head += piece[: _HEAD - len(self._head)]
        self._tail = piece[-_HEAD:] if len(piece) >= _HEAD else (self._tail + piece)[-_HEAD:]

    def used(self, *, whole: bool) -> Used:
        """Return what was found; of a part of a stream only what was read is certain."""
        counts = usage_counts(self._head, self._head.find(_USAGE))
        if whole or _LAST_EVENT in self._tail:
            counts.update(usage_counts(self._tail))
        else:
            counts.pop("output_tokens", None)
        return _used(counts)


def used_by(content: bytes) -> Used:
    """Return what a whole answer says it used; a stream of events, that was read at once, too."""
    used = _used(usage_counts(content))
    if used.input is None:
        reader = UsageReader()
        reader.feed(content)
        return reader.used(whole=True)
    return used


def usage_counts(content: bytes, start: int | None = None) -> dict[str, int]:
    """Return the counts of the last ``usage`` in an answer, or of the one at ``start``.

    The answer's own comes after its content, and in a text of the model the quotes are escaped.
    """
    if start is None:
        start = content.rfind(_USAGE)
    counts: dict[str, int] = {}
    if start >= 0:
        for name, digits in _COUNT.findall(content, start):
            # What comes first is the sum; parts of it may follow.
            counts.setdefault(name.decode(), int(digits))
    return counts


def _used(counts: Mapping[str, int]) -> Used:
    read = counts.get("input_tokens")
    if read is not None:
        # What is read from the cache does not count.
        read += counts.get("cache_creation_input_tokens", 0)
    return Used(read, counts.get("output_tokens"))
