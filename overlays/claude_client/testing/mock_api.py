"""The mock API itself: a request in, a response out, no network and no clock of its own."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from .answers import Call, answer
from .batches import frame_schema, is_long
from .calls import CallLog
from .checks import check_credentials, check_flags, check_operation_flag, check_version
from .exchange import (
    JSON_TYPE,
    NO_CONTENT,
    Answer,
    MockRequest,
    MockResponse,
    RefusedError,
    encode,
)
from .faults import FAULT_HEADER, Fault, FaultPlan
from .forms import form_values, read_form
from .gates import Gatekeeper
from .identifiers import Identifiers, rate_limit_headers
from .parameters import ParameterReader
from .rate_limits import RateLimiter
from .replies import ReplyMaker
from .routing import Router
from .scripting import Expectation, Failure, Reply, Script, StreamReply
from .validation import BodyValidator, parse_json
from .workspace import STORAGE_BYTES, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .calls import RecordedCall
    from .forms import FormField
    from .rate_limits import Admission, RateLimits
    from .routing import MockOperation

_CHECKED_LATER: Final = "messages.batches.create"
"""Operation whose requests are checked one by one, when they run."""
_LARGE_BYTES: Final = 128 * 1024
"""Bodies from this size on take long."""
_WORKSPACE: Final = re.compile(r"wrkspc_[0-9A-Za-z]{1,64}")


class MockAPI:
    """An offline Claude API, driven by the spec.

    Safe to share between threads. Batches, files and skills are kept in memory as long as the
    instance lives. Two instances with one seed give the same answers to the same requests in the
    same order; only times follow the clock.

    A test says with :meth:`on` what it wants answered, and finds in :attr:`calls` what was asked.
    """

    calls: CallLog
    """The last calls in the order they came."""

    def __init__(
        self,
        bundle: Mapping[str, Any] | None = None,
        *,
        seed: int = 0,
        strict: bool = False,
        clock: Callable[[], float] = time.time,
        batch_polls: int = 1,
        uploads_downloadable: bool = False,
        faults: Iterable[tuple[str, Fault]] = (),
        keep_calls: int = 10_000,
        storage_bytes: int = STORAGE_BYTES,
        rate_limits: RateLimits | None = None,
    ) -> None:
        """Prepare to answer.

        Args:
            bundle: Bundled spec to answer from; the one this package was generated from unless
                given.
            seed: Decides the IDs that are made up.
            strict: Refuse fields and query parameters that the spec does not know.
            clock: Seconds since 1970, for the times of objects and of the rate limits.
            batch_polls: How often a batch says ``in_progress`` when it is retrieved, before it
                has ended.
            uploads_downloadable: Let uploaded files be downloaded, which the API refuses: there
                only what tools have made can be.
            faults: What goes wrong, by operation ID or ``*`` for all; of several that a request
                could get the first one strikes. A request that asks for a fault by its header
                ``x-mock-fault`` gets that one.
            keep_calls: How many of the last calls ``calls`` keeps.
            storage_bytes: How much files, skills and batches may take together; over that an
                upload gets the API's ``storage_quota_exceeded``.
            rate_limits: What may be used in a minute; unlimited unless given, with headers that
                tell of full buckets.

        Raises:
            FaultError: a fault is for an operation that there is not.
            MissingExtraError: the extra ``mock`` is not installed.
            ValueError: ``batch_polls`` is negative.
        """
        if batch_polls < 0:
            raise ValueError(f"batch_polls: {batch_polls} is less than 0")
        self._contract = _bundled(strict) if bundle is None else _Contract(bundle, strict)
        self._seed = seed
        self._clock = clock
        self._batch_polls = batch_polls
        self._uploads_downloadable = uploads_downloadable
        self._rules = tuple(faults)
        self._keep_calls = keep_calls
        self._storage_bytes = storage_bytes
        self._rate_limits = rate_limits
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened and everything scripted, as if new."""
        router = self._contract.router
        self._identifiers = Identifiers(self._seed)
        self._workspace = Workspace(self._storage_bytes)
        self._faults = FaultPlan(self._rules, seed=self._seed, operations=router.operations.keys())
        self._maker = ReplyMaker(router, self._identifiers)
        self._script = Script(router, self._maker, self._seed)
        self.calls = CallLog(self._keep_calls)
        limits = self._rate_limits
        self._limiter = None if limits is None else RateLimiter(limits, self._clock)

    @property
    def operations(self) -> list[str]:
        """IDs of the operations there are, such as ``messages.create``."""
        return sorted(self._contract.router.operations)

    @property
    def last_call(self) -> RecordedCall:
        """The last call; there must have been one."""
        return self.calls[-1]

    def on(
        self,
        operation: str,
        predicate: Callable[[RecordedCall], object] | None = None,
        /,
        **matching: object,
    ) -> Expectation:
        """Say what calls of an operation get, in place of their normal answer.

        ``mock.on("messages.create", model="claude-opus-5-5").reply("Hello!")``: what follows says
        what they get, and several of it are what one call after the other gets.

        Args:
            operation: ID of the operation, one of ``operations``; ``*`` for all of them.
            predicate: Gets a call and decides whether it is meant.
            **matching: Arguments of the operation that a call must have, in path, query or body,
                by wire name or as Python spells it. A dict agrees with one that has more in it, a
                compiled pattern with a text, a function decides. ``betas`` are flags that must be
                there.

        Raises:
            ScriptError: there is no such operation, or it has no such argument.
        """
        return self._script.on(operation, predicate, matching)

    def assert_all_called(self) -> None:
        """Fail if anything of the script has not happened.

        Raises:
            AssertionError: says what is left.
        """
        self._script.assert_all_called()

    def handle(self, request: MockRequest) -> MockResponse:
        """Answer one request; refusals are responses, not exceptions."""
        request_id = self._identifiers.next("req")
        headers = [
            ("request-id", request_id),
            ("anthropic-organization-id", self._identifiers.organization),
        ]
        found: tuple[MockOperation, Mapping[str, str]] | RefusedError
        try:
            found = self._contract.router.match(request.method, request.path)
        except RefusedError as refusal:
            found = refusal
        name, path = (None, {}) if isinstance(found, RefusedError) else (found[0].id, found[1])
        recorded = self.calls.record(request, name, path, request_id)
        turn = _Turn(request, recorded, headers)
        try:
            if isinstance(found, RefusedError):
                raise found
            # Faults that come by themselves go first, so that they use up nothing of a script.
            turn.fault = self._faults.pick(found[0].id, request.header(FAULT_HEADER))
            reply = None if turn.fault is None else turn.fault.answer(request_id)
            if reply is None:
                reply = self._answer(turn, *found)
        except RefusedError as refusal:
            reply = Answer(
                encode(refusal.envelope(request_id)), JSON_TYPE, refusal.status, refusal.headers
            )
        if turn.fault is not None:
            reply = turn.fault.spoil(reply, request_id)
        recorded.status = reply.status
        if turn.admission is not None:
            headers += turn.admission.settle(reply.usage)
        elif self._limiter is None:
            headers += rate_limit_headers(self._clock(), reply.usage)
        own = {line for line, _ in reply.headers}
        headers = [*(line for line in headers if line[0] not in own), *reply.headers]
        if reply.status == NO_CONTENT:
            return MockResponse(reply.status, tuple(headers), b"", turn.fault)
        headers.insert(0, ("content-type", reply.content_type))
        if isinstance(reply.body, bytes):
            headers.append(("content-length", str(len(reply.body))))
        else:
            headers.append(("cache-control", "no-cache"))
        return MockResponse(reply.status, tuple(headers), reply.body, turn.fault)

    def _answer(self, turn: _Turn, operation: MockOperation, path: Mapping[str, str]) -> Answer:
        """Return the answer that the script or the API has.

        A scripted error comes whatever was asked, a scripted reply only for requests that the API
        would accept.
        """
        expectation, step = self._script.take(turn.recorded)
        turn.recorded.scripted = step is not None
        if isinstance(step, Failure):
            raise step.refusal()
        fault = step if isinstance(step, Fault) else getattr(step, "fault", None)
        if fault is not None:
            turn.fault = fault
            refused = fault.answer(turn.recorded.request_id)
            if refused is not None:
                return refused
        if not isinstance(step, (Reply, StreamReply)):
            return answer(self._accept(turn, operation, path))
        body = turn.recorded.body
        if expectation is None or expectation.checked:
            body = self._accept(turn, operation, path).body
        if isinstance(step, StreamReply):
            made = self._maker.stream(operation, step.events, body)
        else:
            made = self._maker.answer(operation, step.value, body)
        extra = tuple((line.lower(), value) for line, value in step.headers.items())
        return replace(made, headers=made.headers + extra)

    def _accept(self, turn: _Turn, operation: MockOperation, path: Mapping[str, str]) -> Call:
        """Let a request in, as far as it is valid and the rate limits allow it."""
        call = self._admit(turn.request, operation, path, turn.headers)
        if self._limiter is not None:
            turn.admission = self._limiter.admit(operation, call.body)
        return call

    def takes_long(self, request: MockRequest) -> bool:
        """Return whether answering may hold an event loop up, so that it is done in a thread."""
        if len(request.body) >= _LARGE_BYTES:
            return True
        batch = self._workspace.batches.get(request.path.rpartition("/")[2])
        return batch is not None and is_long(batch)

    def body_limit(self, method: str, path: str) -> int:
        """Return the most bytes of body that a request may have; a server reads no more."""
        return self._contract.router.body_limit(method, path)

    def _admit(
        self,
        request: MockRequest,
        operation: MockOperation,
        path: Mapping[str, str],
        headers: list[tuple[str, str]],
    ) -> Call:
        """Check a request in the API's order; add the workspace header once the caller is known."""
        contract = self._contract
        check_credentials(request)
        workspace = request.header("anthropic-workspace-id") or ""
        if not _WORKSPACE.fullmatch(workspace):
            workspace = self._identifiers.workspace
        headers.append(("anthropic-workspace-id", workspace))
        version = check_version(request, contract.versions)
        flags = check_flags(request, contract.flags)
        check_operation_flag(operation, flags)
        if request.body_cut or len(request.body) > operation.body_limit:
            raise _too_large(operation)
        contract.parameters.check_head(operation, path, request)
        query = contract.parameters.read(operation, request.query)
        body: Any = None
        form: list[FormField] = []
        given = operation.body_schema is not None and (
            bool(request.body) or operation.body_required
        )
        if given:
            _refuse_compression(request)
            if operation.form:
                form = read_form(request)
                if sum(len(part.content) for part in form) > operation.max_bytes:
                    raise _too_large(operation)
                body = form_values(operation, contract.router, form)
            else:
                body = parse_json(request.body)
        call = Call(
            request,
            operation,
            contract.router,
            self._identifiers,
            path,
            query,
            body,
            workspace=self._workspace,
            now=self._clock(),
            check=contract.check,
            form=form,
            flags=flags,
            version=version,
            batch_polls=self._batch_polls,
            uploads_downloadable=self._uploads_downloadable,
        )
        if given:
            call.check_body()
        return call


@dataclass
class _Turn:
    """One request on its way to an answer."""

    request: MockRequest
    recorded: RecordedCall
    headers: list[tuple[str, str]]
    """Headers of the answer so far."""
    fault: Fault | None = None
    """What goes wrong with the answer."""
    admission: Admission | None = None
    """What the rate limits have set aside for the request."""


class _Contract:
    """What a bundle says, ready to be applied; has no state that answers depend on."""

    def __init__(self, bundle: Mapping[str, Any], strict: bool) -> None:
        components: Mapping[str, Any] = bundle.get("components", {}).get("schemas", {})
        self.router = Router(bundle)
        self.validator = BodyValidator(components, strict=strict)
        self.gatekeeper = Gatekeeper(components)
        self.parameters = ParameterReader(self.router, self.validator, strict=strict)
        versions: Mapping[str, Any] | None = bundle.get("x-api-versions", {}).get("versions")
        self.versions = None if versions is None else frozenset(versions)
        flags: Mapping[str, Any] | None = bundle.get("x-betas")
        self.flags = None if flags is None else frozenset(flags)

    def check(self, call: Call) -> None:
        """Hold the body of a call against schema, flags and version; see ``Call.check_body``."""
        operation = call.operation
        schema = operation.body_schema
        if schema is None:
            return
        if operation.id == _CHECKED_LATER:
            self.validator.validate(operation.id, frame_schema(operation, self.router), call.body)
            return
        self.validator.validate(operation.id, schema, call.body)
        self.gatekeeper.check(schema, call.body, flags=call.flags, version=call.version)


@lru_cache(maxsize=2)
def _bundled(strict: bool) -> _Contract:
    """Return the contract of the spec that comes with the package, prepared once per process."""
    from claude_rest.spec import load_bundle

    return _Contract(load_bundle(), strict)


def _too_large(operation: MockOperation) -> RefusedError:
    limit = f"{operation.max_bytes:,} bytes"
    return RefusedError(413, f"Request exceeds the maximum size of {limit}")


def _refuse_compression(request: MockRequest) -> None:
    encoding = request.header("content-encoding") or "identity"
    if encoding.lower() != "identity":
        raise RefusedError(
            400,
            "content-encoding: the mock reads only bodies that are not compressed",
            details={"error_code": "request_body_encoding_unsupported"},
        )
