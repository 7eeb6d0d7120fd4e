"""What can go wrong on purpose: faults as data, how they are written as text, and when they strike.

A fault is given in Python (``MockAPI(faults=[("messages.create", Fault(status=529))])``), on the
command line (``--fault "messages.create: status=529, probability=0.1"``) or by the request itself,
from a client in any language (header ``x-mock-fault: cut_after_events=3``).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, fields
from difflib import get_close_matches
from random import Random
from typing import TYPE_CHECKING, Any, Final

from .exchange import ERROR_TYPES, JSON_TYPE, Answer, RefusedError, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

FAULT_HEADER: Final = "x-mock-fault"
"""Request header whose value is the text of a fault for this one request."""
EVERY_OPERATION: Final = "*"
"""Stands for all operations in a rule."""

_HTML_TYPE: Final = "text/html; charset=utf-8"
_HTML: Final = "<html><head><title>{0}</title></head><body><h1>{0} Sorry</h1></body></html>\n"
_MESSAGES: Final[Mapping[str, str]] = {
    "overloaded_error": "Overloaded",
    "rate_limit_error": "This request would exceed a rate limit",
    "timeout_error": "The request took too long",
    "api_error": "Internal server error",
}
_REMEMBERED: Final = 1024


class FaultError(ValueError):
    """A fault that cannot be: unreadable text, a value out of bounds, no such operation."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with an answer. Faults that do not exclude each other can be combined.

    Where several say when the body ends, the first one to be reached wins. An answer that is no
    event stream counts as one event.

    Raises:
        FaultError: a value is out of bounds.
    """

    status: int | None = None
    """Answer with an error of this status, 400 to 599, in the API's envelope."""
    error_type: str | None = None
    """``error.type`` of the error; that of the status unless given. Without a status, the status
    that the type belongs to."""
    error_code: str | None = None
    """``error.details.error_code`` of the error."""
    message: str | None = None
    """``error.message`` of the error."""
    retry_after: float | None = None
    """Seconds in the header ``retry-after`` of the error, and finer in ``retry-after-ms``."""
    should_retry: bool | None = None
    """Value of the header ``x-should-retry`` of the error."""
    html: bool = False
    """The error is a page of HTML, as a proxy in between sends it; status 502 unless given."""
    error_after_events: int | None = None
    """The stream breaks off after so many events with an ``error`` event: an ``overloaded_error``
    unless ``error_type`` or ``status`` say otherwise."""
    malformed: bool = False
    """The second half of the body is missing, although everything says that it is complete."""
    delay: float = 0.0
    """Seconds before anything is answered."""
    drip: tuple[int, float] | None = None
    """Send the body in pieces of so many bytes, with so many seconds between them."""
    cut_after_bytes: int | None = None
    """Close the connection after so many bytes of the body."""
    cut_after_events: int | None = None
    """Close the connection after so many events of the stream."""
    stall_after_events: int | None = None
    """Send nothing more after so many events, and keep the connection open."""
    ping_every: float | None = None
    """Seconds between the ``ping`` events of a stall; no pings unless given."""
    disconnect: bool = False
    """Close the connection without an answer."""
    reset: bool = False
    """Break the connection off with a TCP reset: in place of an answer, or where it is cut."""
    garbage: bool = False
    """Answer with bytes that are no HTTP."""
    probability: float = 1.0
    """How likely the fault is to strike, 0 to 1."""
    times: int | None = None
    """How often the fault strikes at most. Of a fault in a header: in all requests whose header
    has this very text."""
    label: str = ""
    """Anything that tells this fault from others, so that its ``times`` are counted apart."""

    def __post_init__(self) -> None:
        if self.status is not None and not 400 <= self.status <= 599:
            raise FaultError(f"status: {self.status} is not from 400 to 599")
        if self.status is None and self.error_type is not None and self.error_after_events is None:
            known = [kind for kind in _STATUSES if kind in ERROR_TYPES.values()]
            if self.error_type not in _STATUSES:
                raise FaultError(
                    f"error_type: {self.error_type} needs a status; only {', '.join(known)} "
                    "have one of their own"
                )
        for name in _COUNTS:
            count: int | None = getattr(self, name)
            least = 1 if name == "times" else 0
            if count is not None and count < least:
                raise FaultError(f"{name}: must be at least {least}")
        for name in ("delay", "retry_after", "ping_every"):
            _check_seconds(name, getattr(self, name), more_than_0=name == "ping_every")
        if self.drip is not None:
            if self.drip[0] < 1:
                raise FaultError("drip: a piece has at least 1 byte")
            _check_seconds("drip", self.drip[1])
        if not 0 <= self.probability <= 1:
            raise FaultError("probability: must be from 0 to 1")

    @property
    def refuses(self) -> bool:
        """Whether the answer is an error instead of what the request would have got."""
        whole = self.error_after_events is None
        return self.html or (whole and (self.status is not None or self.error_type is not None))

    @property
    def on_the_wire(self) -> bool:
        """Whether the fault is about how the answer gets to the client."""
        return bool(
            self.delay
            or self.drip
            or self.disconnect
            or self.reset
            or self.garbage
            or self.stall_after_events is not None
            or self.cut_after_bytes is not None
            or self.cut_after_events is not None
        )

    def answer(self, request_id: str) -> Answer | None:
        """Return the error that a request gets, or None when its answer is not replaced."""
        if not self.refuses:
            return None
        headers: list[tuple[str, str]] = []
        if self.retry_after is not None:
            headers.append(("retry-after", str(-int(-self.retry_after // 1))))
            headers.append(("retry-after-ms", str(round(self.retry_after * 1000))))
        if self.should_retry is not None:
            headers.append(("x-should-retry", str(self.should_retry).lower()))
        if self.html:
            status = self.status or 502
            return Answer(_HTML.format(status).encode(), _HTML_TYPE, status, tuple(headers))
        refusal = self._refusal()
        body = encode(refusal.envelope(request_id))
        return Answer(body, JSON_TYPE, refusal.status, tuple(headers))

    def spoil(self, answer: Answer, request_id: str) -> Answer:
        """Return an answer with what is wrong in its body, the wire aside."""
        body = answer.body
        if self.error_after_events is not None and answer.content_type.startswith("text/event"):
            error = encode(self._refusal().envelope(request_id)).decode()
            last = f"event: error\ndata: {error}\n\n".encode()
            body = _then(split_events(body), self.error_after_events, last)
        if self.malformed:
            whole = body if isinstance(body, bytes) else b"".join(body)
            body = whole[: len(whole) // 2]
        if body is answer.body:
            return answer
        return Answer(body, answer.content_type, answer.status, answer.headers, answer.usage)

    def _refusal(self) -> RefusedError:
        status = self.status or _STATUSES.get(self.error_type or "overloaded_error", 500)
        details = None if self.error_code is None else {"error_code": self.error_code}
        refusal = RefusedError(status, "", details=details, error_type=self.error_type)
        refusal.message = self.message or _MESSAGES.get(refusal.type, "This fault was asked for")
        return refusal


_STATUSES: Final = {kind: status for status, kind in ERROR_TYPES.items()}
_COUNTS: Final = (
    "error_after_events",
    "cut_after_bytes",
    "cut_after_events",
    "stall_after_events",
    "times",
)
_EFFECTLESS: Final = {
    "probability",
    "times",
    "label",
    "ping_every",
    "error_code",
    "message",
    "retry_after",
    "should_retry",
}
_LONGEST_SECONDS: Final = 10_000_000
"""More than any sleep of an event loop takes everywhere, and than any client waits."""


def parse_fault(text: str) -> Fault:
    """Read a fault such as ``status=529, delay=0.5, times=2`` or ``cut_after_events=3, reset``.

    The names are the attributes of :class:`Fault`. A name alone means true; a drip is written as
    bytes and seconds, ``drip=10/0.05``. A comma cannot be part of a value.

    Raises:
        FaultError: says what cannot be read.
    """
    given: dict[str, Any] = {}
    for setting in text.split(","):
        if not setting.strip():
            continue
        name, equals, value = (part.strip() for part in setting.partition("="))
        reader = _READERS.get(name)
        if reader is None:
            near = get_close_matches(name, _READERS, 1)
            advice = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(_READERS)}"
            raise FaultError(f"{name[:80]}: no such setting of a fault{advice}")
        if name in given:
            raise FaultError(f"{name}: given twice")
        try:
            given[name] = reader(value if equals else None)
        except ValueError:
            wanted = _WANTED[reader]
            raise FaultError(f"{name}: {value[:80] or 'nothing'} is not {wanted}") from None
    # A switch that is off is the same as none.
    if all(name in _EFFECTLESS or value is False for name, value in given.items()):
        raise FaultError(f"{text.strip()[:80] or 'an empty text'}: says nothing that goes wrong")
    return Fault(**given)


def parse_fault_rule(text: str) -> tuple[str, Fault]:
    """Read a fault and which operation it is for: ``messages.create: status=529``.

    Without an operation, or with ``*``, it is for all.

    Raises:
        FaultError: says what cannot be read.
    """
    head, colon, rest = text.partition(":")
    if not colon or "=" in head:
        return EVERY_OPERATION, parse_fault(text)
    return head.strip(), parse_fault(rest)


class FaultPlan:
    """Decides which fault a request gets: its own, or the first rule that strikes.

    Safe to share between threads. The same seed decides alike in the same order of requests.
    """

    def __init__(
        self, rules: Iterable[tuple[str, Fault]] = (), *, seed: int, operations: Collection[str]
    ) -> None:
        """Take the rules in their order.

        Args:
            rules: Operation ID or ``*``, and its fault.
            seed: Decides when faults with a probability strike.
            operations: IDs that there are.

        Raises:
            FaultError: a rule names another operation.
        """
        self._rules = tuple(rules)
        for operation, _ in self._rules:
            if operation != EVERY_OPERATION and operation not in operations:
                near = get_close_matches(operation, operations, 1)
                advice = f"; did you mean {near[0]}?" if near else ""
                raise FaultError(f"{operation[:80]}: no such operation{advice}")
        self._struck = [0] * len(self._rules)
        self._struck_by_text: OrderedDict[str, int] = OrderedDict()
        self._random = Random(f"{seed}:faults")  # noqa: S311, a fault is no secret
        self._lock = threading.Lock()

    def pick(self, operation: str, header: str | None = None) -> Fault | None:
        """Return the fault of a request, counted as having struck, or None.

        Args:
            operation: ID of the operation asked for.
            header: Value of the request's ``x-mock-fault``.

        Raises:
            RefusedError: 400, the header cannot be read.
        """
        if header is not None:
            return self._asked_for(header)
        if not self._rules:
            return None
        with self._lock:
            for number, (where, fault) in enumerate(self._rules):
                if where in (EVERY_OPERATION, operation) and self._strikes(
                    fault, self._struck[number]
                ):
                    self._struck[number] += 1
                    return fault
        return None

    def _asked_for(self, header: str) -> Fault | None:
        try:
            fault = parse_fault(header)
        except FaultError as error:
            raise RefusedError(400, f"{FAULT_HEADER}: {error}") from None
        with self._lock:
            struck = self._struck_by_text.pop(header, 0)
            strikes = self._strikes(fault, struck)
            if fault.times is not None:
                self._struck_by_text[header] = struck + strikes
                if len(self._struck_by_text) > _REMEMBERED:
                    self._struck_by_text.popitem(last=False)
        return fault if strikes else None

    def _strikes(self, fault: Fault, struck: int) -> bool:
        if fault.times is not None and struck >= fault.times:
            return False
        return fault.probability >= 1 or self._random.random() < fault.probability


def split_events(body: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """Yield an event stream event by event, each with the empty line that ends it."""
    rest = b""
    for chunk in (body,) if isinstance(body, bytes) else body:
        *events, rest = (rest + chunk).split(b"\n\n")
        for event in events:
            yield event + b"\n\n"
    if rest:
        yield rest


def _then(events: Iterator[bytes], count: int, last: bytes) -> Iterator[bytes]:
    for _, event in zip(range(count), events, strict=False):
        yield event
    yield last


def _check_seconds(name: str, seconds: float | None, *, more_than_0: bool = False) -> None:
    if seconds is None:
        return
    if not 0 <= seconds <= _LONGEST_SECONDS or (more_than_0 and not seconds):
        raise FaultError(f"{name}: {seconds} is not a number of seconds")


def _flag(text: str | None) -> bool:
    value = {None: True, "true": True, "false": False}.get(text)
    if value is None:
        raise ValueError(text)
    return value


def _count(text: str | None) -> int:
    return int(text or "")


def _number(text: str | None) -> float:
    return float(text or "")


def _text(text: str | None) -> str:
    if not text:
        raise ValueError(text)
    return text


def _drip(text: str | None) -> tuple[int, float]:
    size, _, seconds = (text or "").partition("/")
    return int(size), float(seconds)


_WANTED: Final[Mapping[Callable[[str | None], object], str]] = {
    _flag: "true or false",
    _count: "a whole number",
    _number: "a number",
    _text: "a text",
    _drip: "bytes/seconds, such as 10/0.05",
}
_BY_TYPE: Final[Mapping[str, Callable[[str | None], object]]] = {
    "bool": _flag,
    "int": _count,
    "float": _number,
    "str": _text,
    "tuple[int, float]": _drip,
}
_READERS: Final[Mapping[str, Callable[[str | None], object]]] = {
    field.name: _BY_TYPE[str(field.type).removesuffix(" | None")] for field in fields(Fault)
}
