"""What a test tells a mock API to answer: ``mock.on("messages.create").reply("Hello!")``.

An expectation is for the calls of one operation that match, and has a sequence of steps. Each
call takes the next step; the last one repeats, unless the expectation is for ``once``. Of several
expectations that match a call the newest that has a step left is taken, so that a test can
overrule what a fixture has set up. Calls for which nothing is left get their normal answer.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

from .exchange import ERROR_TYPES, RefusedError
from .faults import EVERY_OPERATION, Fault
from .json_values import is_array, is_object
from .parameters import typed
from .replies import ReplyMaker, frozen_events, known_arguments, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from .calls import RecordedCall
    from .routing import MockOperation, Router

_BETAS: Final = "betas"
_MISSING: Final = object()


class ScriptError(ValueError):
    """A script that cannot be: no such operation or argument, an error that is none."""


@dataclass(frozen=True)
class Reply:
    """Answers with a value; see :meth:`Expectation.reply`."""

    value: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: Fault | None = None


@dataclass(frozen=True)
class StreamReply:
    """Answers with events; see :meth:`Expectation.reply_stream`."""

    events: tuple[Any, ...] = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: Fault | None = None


@dataclass(frozen=True)
class Failure:
    """Answers with an error; see :meth:`Expectation.fail`."""

    status: int
    error_type: str | None = None
    error_code: str | None = None
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if not 400 <= self.status <= 599:
            raise ScriptError(f"status: {self.status} is no error")

    def refusal(self) -> RefusedError:
        """Return the error to raise in place of an answer."""
        details = None if self.error_code is None else {"error_code": self.error_code}
        kind = self.error_type or ERROR_TYPES.get(self.status, "")
        return RefusedError(
            self.status,
            self.message or kind.removesuffix("_error").replace("_", " ").capitalize() or "Error",
            details=details,
            headers=tuple((name.lower(), value) for name, value in self.headers.items()),
            error_type=self.error_type,
        )


@dataclass(frozen=True)
class Called:
    """Answers with what a function makes of the call; see :meth:`Expectation.call`."""

    function: Callable[[RecordedCall], object]


Step = Reply | StreamReply | Failure | Fault | Called
"""What one call gets."""


class Expectation:
    """What the calls of an operation that match get; made by ``mock.on``."""

    def __init__(self, script: Script, operation: str, matches: Callable[[RecordedCall], bool]):
        self._script = script
        self._operation = operation
        self._matches = matches
        self._steps: list[Step] = []
        self._next = 0
        self._struck = 0
        self._repeats = True
        self.checked = True
        """Whether the request must be one that the spec allows."""
        self.count = 0
        """How many calls it had."""
        self.last_call: RecordedCall | None = None
        """The last call it had."""

    def reply(
        self,
        value: object,
        *,
        headers: Mapping[str, str] | None = None,
        fault: Fault | None = None,
    ) -> Self:
        """Answer with a value.

        Args:
            value: A dict or a model. For ``messages.create`` a text, a content block, a list of
                both, or any part of a message: the rest is filled in, and it is streamed when
                the request asks for a stream. For operations that list, a list of items.
            headers: Headers of the response beside the usual ones.
            fault: What goes wrong with this answer.

        Raises:
            ReplyError: the operation cannot answer with this.
        """
        self._script.check_reply(self._operation, value, streamed=False)
        return self._then(Reply(value, dict(headers or {}), fault))

    def reply_text(self, text: str) -> Self:
        """Answer with a message of one text, or with a text as the whole body."""
        return self.reply(text)

    def reply_stream(
        self,
        events: object,
        *,
        headers: Mapping[str, str] | None = None,
        fault: Fault | None = None,
    ) -> Self:
        """Answer with exactly these events.

        Args:
            events: Dicts or models with their ``type``, text and bytes that are sent as they
                are, or the whole text of a stream. A request that asks for no stream gets the
                message they amount to.
            headers: Headers of the response beside the usual ones.
            fault: What goes wrong with this answer.

        Raises:
            ReplyError: these are no events, or the operation does not stream.
        """
        self._script.check_reply(self._operation, events, streamed=True)
        return self._then(StreamReply(frozen_events(events), dict(headers or {}), fault))

    def fail(
        self,
        status: int,
        *,
        error_type: str | None = None,
        error_code: str | None = None,
        message: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Answer with an error in the API's envelope.

        Args:
            status: 400 to 599.
            error_type: ``error.type``; the one that belongs to the status unless given.
            error_code: ``error.details.error_code``.
            message: ``error.message``.
            headers: Headers of the response, such as ``{"retry-after": "3"}``.

        Raises:
            ScriptError: the status is no error.
        """
        return self._then(Failure(status, error_type, error_code, message, dict(headers or {})))

    def fault(self, fault: Fault) -> Self:
        """Let something go wrong; with ``times`` that often before the next step."""
        return self._then(fault)

    def call(self, function: Callable[[RecordedCall], object]) -> Self:
        """Ask a function for the answer.

        It gets the call and returns what ``reply`` takes, a ``Failure``, ``StreamReply`` or
        ``Fault``, or None for the normal answer. What it raises goes to whoever called the mock
        in process; a server answers with status 500.
        """
        return self._then(Called(function))

    def once(self) -> Self:
        """Give every step once; calls after the last one go on to other expectations."""
        self._repeats = False
        return self

    def unchecked(self) -> Self:
        """Answer requests that the spec does not allow, too."""
        self.checked = False
        return self

    def assert_called(self) -> None:
        """Fail if a step has not been reached yet.

        Raises:
            AssertionError: says what is left.
        """
        left = self.left
        assert left is None, left

    @property
    def left(self) -> str | None:
        """What has not happened yet, in words; None when every step had a call."""
        if not self.count:
            return f"{self._operation}: no call"
        if self._next < len(self._steps):
            left = ", ".join(repr(step) for step in self._steps[self._next :])
            return f"{self._operation}: calls: {self.count}, left: {left}"
        return None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._operation!r}, {self._steps!r}, count={self.count})"

    def _then(self, step: Step) -> Self:
        with self._script.lock:
            self._steps.append(step)
        return self

    def take(self, call: RecordedCall) -> tuple[bool, Step | None]:
        """Return whether this is for a call, and its step; None lets the call go on as it is.

        Under the lock of the script.
        """
        if not self._has_step or not self._matches(call):
            return False, None
        self.count += 1
        self.last_call = call
        if not self._steps:
            return True, None
        step = self._steps[min(self._next, len(self._steps) - 1)]
        if isinstance(step, Fault):
            if not self._script.strikes(step):
                return True, None
            self._struck += 1
            if self._struck < (step.times or 1):
                return True, step
        self._next, self._struck = self._next + 1, 0
        return True, step

    @property
    def _has_step(self) -> bool:
        if self._next < len(self._steps) or not self._steps:
            return True
        last = self._steps[-1]
        return self._repeats and not (isinstance(last, Fault) and last.times is not None)


class Script:
    """The expectations of one mock API. Safe to share between threads."""

    def __init__(self, router: Router, maker: ReplyMaker, seed: int) -> None:
        self._router = router
        self._maker = maker
        self._random = Random(f"{seed}:script")  # noqa: S311, a fault is no secret
        self._expectations: list[Expectation] = []
        self.lock = threading.RLock()

    def on(
        self,
        operation: str,
        predicate: Callable[[RecordedCall], object] | None,
        matching: Mapping[str, object],
    ) -> Expectation:
        """Add an expectation; see ``MockAPI.on``."""
        operations = self._router.operations
        if operation != EVERY_OPERATION and operation not in operations:
            near = get_close_matches(operation, operations, 3, 0.5)
            advice = f"did you mean {' or '.join(near)}?" if near else "see MockAPI.operations"
            raise ScriptError(f"{operation}: no such operation; {advice}")
        matcher = _Matcher(operations.get(operation), operation, predicate, matching, self._router)
        expectation = Expectation(self, operation, matcher)
        with self.lock:
            self._expectations.append(expectation)
        return expectation

    def take(self, call: RecordedCall) -> tuple[Expectation | None, Step | None]:
        """Return whose turn it is with a call, and the step; functions have been asked."""
        with self.lock:
            for expectation in reversed(self._expectations):
                taken, step = expectation.take(call)
                if taken:
                    break
            else:
                return None, None
        if isinstance(step, Called):
            result = step.function(call)
            if result is None or isinstance(result, (Reply, StreamReply, Failure, Fault)):
                return expectation, result
            return expectation, Reply(result)
        return expectation, step

    def strikes(self, fault: Fault) -> bool:
        """Return whether a fault strikes this time."""
        return fault.probability >= 1 or self._random.random() < fault.probability

    def check_reply(self, operation: str, value: object, *, streamed: bool) -> None:
        """Refuse a reply that the operation cannot give; those to any operation are not known."""
        known = self._router.operations.get(operation)
        if known is not None:
            self._maker.check(known, value, streamed=streamed)

    def assert_all_called(self) -> None:
        """Fail if anything of the script has not happened.

        Raises:
            AssertionError: says what is left.
        """
        with self.lock:
            left = [words for entry in self._expectations if (words := entry.left) is not None]
        assert not left, "not everything of the script happened:\n  " + "\n  ".join(left)

    def clear(self) -> None:
        """Forget every expectation."""
        with self.lock:
            self._expectations.clear()


class _Matcher:
    """Whether a call is one that an expectation is for."""

    def __init__(
        self,
        operation: MockOperation | None,
        name: str,
        predicate: Callable[[RecordedCall], object] | None,
        matching: Mapping[str, object],
        router: Router,
    ) -> None:
        self._name = name
        self._predicate = predicate
        self._betas = _listed(matching.get(_BETAS))
        self._query: dict[str, Mapping[str, Any]] = {}
        wanted = {key: value for key, value in matching.items() if key != _BETAS}
        if operation is None:
            self._wanted: dict[str, Any] = wanted
            return
        known = known_arguments(operation, router)
        python_names = {_python_name(name): name for name in known or ()}
        self._wanted = {python_names.get(key, key): value for key, value in wanted.items()}
        if known is not None:
            for key in self._wanted.keys() - known:
                near = get_close_matches(key, known, 3, 0.5)
                advice = f"did you mean {' or '.join(near)}?" if near else f"it has {sorted(known)}"
                raise ScriptError(f"{operation.id}: no argument {key!r}; {advice}")
        for parameter in operation.parameters:
            if parameter.location == "query":
                self._query[parameter.name] = router.resolve(parameter.schema)

    def __call__(self, call: RecordedCall) -> bool:
        if self._name not in (EVERY_OPERATION, call.operation):
            return False
        if not self._betas <= set(call.betas):
            return False
        if self._wanted:
            arguments = call.arguments
            for name, wanted in self._wanted.items():
                given = arguments.get(name, _MISSING)
                schema = self._query.get(name)
                if schema is not None and isinstance(given, str):
                    given = typed(given, schema)
                if not agrees(wanted, given):
                    return False
        return self._predicate is None or bool(self._predicate(call))


def agrees(wanted: Any, given: Any) -> bool:
    """Return whether a value of a call is as wanted.

    A dict agrees with one that has these entries and maybe more, a list with one of the same
    length, a pattern with a text it is found in, a type with its instances, a function decides by
    itself, and None agrees with what is not given.
    """
    if given is _MISSING:
        return wanted is None
    if isinstance(wanted, re.Pattern):
        pattern = cast("re.Pattern[str]", wanted)
        return isinstance(given, str) and pattern.search(given) is not None
    if isinstance(wanted, type):
        return isinstance(given, wanted)
    if callable(wanted):
        return bool(wanted(given))
    if isinstance(wanted, Mapping):
        entries = cast("Mapping[str, Any]", wanted)
        return is_object(given) and all(
            agrees(value, given.get(key, _MISSING)) for key, value in entries.items()
        )
    if isinstance(wanted, (list, tuple)):
        elements = list(cast("Sequence[Any]", wanted))
        return (
            is_array(given)
            and len(given) == len(elements)
            and all(agrees(one, other) for one, other in zip(elements, given, strict=True))
        )
    if hasattr(wanted, "to_dict"):
        return agrees(plain(wanted), given)
    return bool(wanted == given) and isinstance(wanted, bool) == isinstance(given, bool)


def _listed(value: object) -> set[str]:
    if value is None:
        return set()
    return {value} if isinstance(value, str) else {str(flag) for flag in plain(value)}


def _python_name(wire: str) -> str:
    """Return the name under which Python code passes an argument: ``created_at[gte]`` as a word."""
    return re.sub(r"\W+", "_", wire).strip("_")
