"""The span of a call, from its beginning until its answer or stream ends.

Nothing in here may break a call: what goes wrong is logged and forgotten.
"""

from __future__ import annotations

import copy
import functools
import os
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar, cast

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from claude_rest._runtime.codec import loads
from claude_rest._runtime.raw_response import RawAnswer
from claude_rest._runtime.struct import Struct

from .._version import __version__
from ..logs import DEBUG, log
from . import attributes as naming
from .content import answer_content, content_wanted, request_content

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Span, TracerProvider

    from ..accumulator import MessageAccumulator
    from ..middleware import AttemptInfo, CallInfo

F = TypeVar("F", bound="Callable[..., Any]")

_SPAN = contexts.create_key("claude-client-span")
_NAME = __name__.partition(".")[0]


def harmless(method: F) -> F:
    """Make a method return None instead of raising."""

    @functools.wraps(method)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - a call must not fail because of its span
            log(DEBUG, "tracing failed in %s: %s", method.__name__, type(error).__name__)
            return None

    return cast("F", guarded)


class Tracing:
    """Begins spans of calls, and finds the one an attempt belongs to."""

    def __init__(
        self,
        content: bool | None = None,
        propagate: bool = False,
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        """Take the settings of the middleware."""
        self._content = content_wanted(os.environ) if content is None else content
        self._propagate = propagate
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)

    @harmless
    def begin(self, call: CallInfo) -> CallSpan | None:
        """Begin the span of a call and make it the current one."""
        span = self._tracer.start_span(
            naming.span_name(call), kind=SpanKind.CLIENT, attributes=naming.call_attributes(call)
        )
        return CallSpan(call, span, self._content and span.is_recording())

    @harmless
    def current(self) -> CallSpan | None:
        """Return the span of the call that is being made here."""
        return cast("CallSpan | None", contexts.get_value(_SPAN))

    def sending(self, attempt: AttemptInfo, span: CallSpan) -> AttemptInfo:
        """Note where an attempt goes, and give it the context if that is asked for."""
        span.sending(attempt)
        return (self._with_context(attempt) if self._propagate else None) or attempt

    @harmless
    def _with_context(self, attempt: AttemptInfo) -> AttemptInfo | None:
        # Here, since importing it may fail by what the environment says of propagators.
        from opentelemetry.propagate import inject

        headers: dict[str, str] = {}
        inject(headers)
        return attempt.replace(request=attempt.request.with_headers(headers))


class CallSpan:
    """The span of one call."""

    def __init__(self, call: CallInfo, span: Span, content: bool) -> None:
        """Make ``span`` the current one until :meth:`left`."""
        self._span = span
        self._ended = False
        self._chat = naming.is_chat(call)
        self._usage: dict[str, int] = {}
        self._items = 0
        self._started = perf_counter()
        self._accumulator: MessageAccumulator | None = None
        self._content = content and self._chat
        if self._content:
            self._note_request(call)
        here = contexts.set_value(_SPAN, self, trace.set_span_in_context(span))
        self._token = contexts.attach(here)

    @harmless
    def left(self) -> None:
        """Make the span that was current before the current one again."""
        contexts.detach(self._token)

    @harmless
    def _note_request(self, call: CallInfo) -> None:
        self._span.set_attributes(request_content(call.arguments))

    # Attempts

    @harmless
    def sending(self, attempt: AttemptInfo) -> None:
        """Note where an attempt goes."""
        if attempt.number == 1:
            self._span.set_attributes(naming.server_attributes(attempt.request.url))
        else:
            self._span.set_attribute("http.request.resend_count", attempt.number - 1)

    @harmless
    def attempted(self, attempt: AttemptInfo, response: Any) -> None:
        """Note the answer to an attempt."""
        meta = response.meta
        facts: dict[str, Any] = {"http.response.status_code": meta.status_code}
        if meta.request_id is not None:
            facts[naming.REQUEST_ID] = meta.request_id
        self._span.set_attributes(facts)
        self._span.add_event(naming.ATTEMPT, {**facts, "number": attempt.number})

    @harmless
    def attempt_failed(self, attempt: AttemptInfo, error: BaseException) -> None:
        """Note that an attempt brought no answer."""
        facts: dict[str, Any] = {"number": attempt.number, "error.type": naming.error_type(error)}
        self._span.add_event(naming.ATTEMPT, facts)

    # The end

    @harmless
    def failed(self, error: BaseException) -> None:
        """End the span because of an error."""
        kind = naming.error_type(error)
        self._span.set_attribute("error.type", kind)
        # What the server says may quote what people wrote.
        said = str(error) if self._content else kind
        self._span.set_status(Status(StatusCode.ERROR, said))
        self.end()

    def answered(self, result: Any) -> None:
        """Note what came of the call; the span ends with it, or with the stream that it is."""
        if self._span.is_recording():
            if self._follow(result):
                return
            self._note_answer(result)
        self.end()

    @harmless
    def end(self) -> None:
        """End the span, once."""
        if not self._ended:
            self._ended = True
            self._span.end()

    @harmless
    def _note_answer(self, result: Any) -> None:
        if self._chat and isinstance(result, RawAnswer):
            # For with_raw_response: the body has been read, but by nobody decoded yet.
            result = loads(result.content)
        if self._chat and (isinstance(result, Struct) or result.__class__ is dict):
            self._span.set_attributes(naming.message_attributes(result))
            usage = naming.counts(naming.field(result, "usage"))
            self._span.set_attributes(naming.usage_attributes(usage))
            if self._content:
                self._span.set_attributes(answer_content(result))
            return
        data: Any = getattr(result, "data", None)
        if naming.is_list(data):
            self._span.set_attribute(naming.ITEMS, len(data))
        tokens = naming.field(result, "input_tokens")
        if isinstance(tokens, int):
            self._span.set_attribute("gen_ai.usage.input_tokens", tokens)

    # Streams

    @harmless
    def _follow(self, result: Any) -> bool:
        """Follow a stream to its end; of what is none return False."""
        observe = getattr(result, "observe", None)
        if not callable(observe):
            return False
        if self._content:
            from ..accumulator import MessageAccumulator

            self._accumulator = MessageAccumulator()
        observe(self._event if self._chat else self._line, self._stream_ended)
        return True

    def _line(self, _: Any) -> None:
        self._items += 1

    @harmless
    def _event(self, event: Any) -> None:
        kind = naming.field(event, "type")
        if kind == "message_start":
            message = naming.field(event, "message")
            self._span.set_attributes(naming.message_attributes(message))
            self._usage.update(naming.counts(naming.field(message, "usage")))
        elif kind == "content_block_delta":
            if not self._items:
                elapsed = perf_counter() - self._started
                self._span.add_event("gen_ai.first_token")
                self._span.set_attribute(naming.FIRST_CHUNK, elapsed)
            self._items += 1
        elif kind == "message_delta":
            self._span.set_attributes(naming.message_attributes(naming.field(event, "delta")))
            self._usage.update(naming.counts(naming.field(event, "usage")))
        if self._accumulator is not None:
            # A copy: whoever reads the stream may put the message together of the same parts.
            value = event.to_dict() if isinstance(event, Struct) else event
            self._accumulator.add(copy.deepcopy(value))
        if kind == "message_stop":
            # Nothing comes after it, and not everybody reads on.
            self._stream_ended(None)

    @harmless
    def _stream_ended(self, error: BaseException | None) -> None:
        if self._ended:
            return
        if self._chat:
            self._span.set_attributes(naming.usage_attributes(self._usage))
        else:
            self._span.set_attribute(naming.ITEMS, self._items)
        self._note_collected()
        if error is None:
            self.end()
        else:
            self.failed(error)

    @harmless
    def _note_collected(self) -> None:
        if self._accumulator is not None and self._accumulator.started:
            self._span.set_attributes(answer_content(self._accumulator.to_dict()))
