"""What was asked of a mock API, for tests to look at; credentials are masked.

A log is bounded twice: by how many calls it keeps, and by how many bytes those have.
The contents of uploaded files are not kept at all.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, overload
from urllib.parse import parse_qsl

from claude_rest._runtime.request import is_secret

from .exchange import MockRequest, RefusedError
from .forms import read_form
from .json_values import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDDEN: Final = "[hidden]"
"""What stands for a value that is not shown."""

_KEPT_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True)
class RecordedFile:
    """A file of a form, without its content."""

    name: str
    """File name as sent, folders included."""
    size: int
    """Bytes."""
    content_type: str | None = None


@dataclass
class RecordedCall:
    """One request to a mock API, and what became of it.

    ``repr`` leaves out headers and body, because they may hold what a report should not show.
    """

    number: int
    """Place in the order of arrival, from 0."""
    operation: str | None
    """Resource and method, such as ``messages.create``; None for a path the API does not have."""
    method: str
    path: str
    """Path of the URL, still percent-encoded."""
    path_arguments: Mapping[str, str]
    """Decoded parts of the path by the names that the spec gives them."""
    query: Mapping[str, str | list[str]]
    """Query by wire name as text; several values of one name as a list."""
    headers: Mapping[str, str] = field(repr=False)
    """Headers by lower-case name; credentials show as ``[hidden]``."""
    content: bytes = field(repr=False)
    """The body as sent; empty for a form, whose files are not kept."""
    form: Mapping[str, Any] | None = field(default=None, repr=False)
    request_id: str = ""
    """Value of the ``request-id`` header of the answer."""
    status: int | None = None
    """HTTP status of the answer; None until there is one."""
    scripted: bool = False
    """Whether a script decided what to answer."""

    @cached_property
    def body(self) -> Any:
        """The decoded JSON body; of a form its fields, files as :class:`RecordedFile`.

        Several fields of one name are a list. None without a body; text when it is not JSON.
        """
        if self.form is not None:
            return self.form
        if not self.content:
            return None
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return self.content.decode("utf-8", "replace")

    @property
    def betas(self) -> list[str]:
        """Beta flags in the order sent."""
        header = self.headers.get("anthropic-beta", "")
        return [flag for part in header.split(",") if (flag := part.strip())]

    @property
    def version(self) -> str | None:
        """Value of the ``anthropic-version`` header."""
        return self.headers.get("anthropic-version")

    @property
    def arguments(self) -> dict[str, Any]:
        """Path arguments, query and the fields of the body together, by wire name."""
        body = self.body
        fields = body if is_object(body) else {}
        return {**fields, **self.query, **self.path_arguments}


class CallLog(Sequence[RecordedCall]):
    """The last calls in the order they came; compares equal to a list of the same calls."""

    def __init__(self, keep: int) -> None:
        """Keep the last ``keep`` calls; with 0, none."""
        self._calls: deque[RecordedCall] = deque()
        self._keep = keep
        self._bytes = 0
        self._count = 0
        self._lock = threading.Lock()

    @property
    def total(self) -> int:
        """How many calls there were, those that are no longer kept included."""
        return self._count

    def of(self, operation: str) -> list[RecordedCall]:
        """Return the calls of one operation, such as ``messages.create``."""
        return [call for call in self if call.operation == operation]

    def record(
        self,
        request: MockRequest,
        operation: str | None,
        path_arguments: Mapping[str, str],
        request_id: str,
    ) -> RecordedCall:
        """Enter a request; its status is for the caller to fill in."""
        form = _form(request)
        call = RecordedCall(
            number=0,
            operation=operation,
            method=request.method,
            path=request.path,
            path_arguments=dict(path_arguments),
            query=_query(request.query),
            headers=masked(request.headers),
            content=request.body if form is None else b"",
            form=form,
            request_id=request_id,
        )
        with self._lock:
            call.number = self._count
            self._count += 1
            self._calls.append(call)
            self._bytes += _size(call)
            while len(self._calls) > self._keep or (
                self._bytes > _KEPT_BYTES and len(self._calls) > 1
            ):
                self._bytes -= _size(self._calls.popleft())
        return call

    def clear(self) -> None:
        """Forget every call."""
        with self._lock:
            self._calls.clear()
            self._bytes = self._count = 0

    @overload
    def __getitem__(self, index: int) -> RecordedCall: ...
    @overload
    def __getitem__(self, index: slice) -> list[RecordedCall]: ...
    def __getitem__(self, index: int | slice) -> RecordedCall | list[RecordedCall]:
        with self._lock:
            return list(self._calls)[index] if isinstance(index, slice) else self._calls[index]

    def __iter__(self) -> Iterator[RecordedCall]:
        with self._lock:
            return iter(list(self._calls))

    def __len__(self) -> int:
        return len(self._calls)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, CallLog):
            return list(self) == list(other)
        return list(self) == other if is_array(other) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"


def _size(call: RecordedCall) -> int:
    """Return about how many characters a call keeps: every part of it is as long as one likes."""
    texts = len(call.path) * 2 + sum(len(k) + len(v) for k, v in call.headers.items())
    named = (call.query, call.form or {})
    return len(call.content) + texts + sum(_length(v) for part in named for v in part.values())


def _length(value: Any) -> int:
    if is_array(value):
        return sum(map(_length, value))
    return len(value.name if isinstance(value, RecordedFile) else value)


def masked(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return headers by lower-case name, lines of one name joined, credentials hidden.

    Of an ``authorization`` the scheme still shows.
    """
    shown: dict[str, str] = {}
    for line, value in headers:
        name = line.lower()
        kept = value
        if is_secret(name):
            scheme, space, _ = value.partition(" ")
            kept = f"{scheme} {HIDDEN}" if space and scheme.isalpha() else HIDDEN
        shown[name] = f"{shown[name]}, {kept}" if name in shown else kept
    return shown


def _query(text: str) -> dict[str, str | list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return {name: given[0] if len(given) == 1 else given for name, given in values.items()}


def _form(request: MockRequest) -> dict[str, Any] | None:
    """Return the fields of a form, or None for a body that is none or cannot be read."""
    declared = request.header("content-type") or ""
    if not declared.lower().startswith("multipart/form-data"):
        return None
    try:
        parts = read_form(request)
    except RefusedError:
        return {}
    fields: dict[str, list[Any]] = {}
    for part in parts:
        value: Any = part.content.decode("utf-8", "replace")
        if part.filename is not None:
            value = RecordedFile(part.filename, len(part.content), part.content_type)
        fields.setdefault(part.name, []).append(value)
    return {name: given[0] if len(given) == 1 else given for name, given in fields.items()}
