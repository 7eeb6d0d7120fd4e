"""Everything that happens to a call before and after the network. No I/O.

:class:`CallCore` turns a call into a :class:`Plan`: the request, how long it may take, how it is
retried. The drivers in :mod:`.callers` only send, wait and read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.caller import RequestOptions
from claude_rest._runtime.client import ClientCore
from claude_rest._runtime.encoded import EncodedItems
from claude_rest._runtime.errors import APIStatusError
from claude_rest._runtime.raw_json import RawJSON
from claude_rest._runtime.request import build_request, split_betas
from claude_rest._runtime.struct import Struct, Unknown, wire_names
from claude_rest._runtime.unset import UNSET
from claude_rest.service import (
    API_VERSIONS,
    BASE_URL,
    DEFAULT_API_VERSION,
    MODEL_ENDS,
    REPLACING_BETAS,
    RETIRED_BETAS,
    SHAPE_SELECTING_BETAS,
)

from .credentials import (
    bearer_betas,
    carries_credential,
    refuse_pickling,
    without_credentials,
)
from .settings import lower_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from claude_rest._runtime.caller import CallOptions
    from claude_rest._runtime.errors import APIError
    from claude_rest._runtime.operation import Operation
    from claude_rest._runtime.request import PreparedRequest

    from .betas import Betas
    from .retries import RetryPolicy
    from .settings import Settings
    from .throttle.demand import Demand

LARGE_BYTES = 1_000_000
"""Estimated size from which an asynchronous client prepares a request outside its event loop."""

LARGE_PARTS = 10_000
"""Number of JSON values in a body from which on it counts as large, whatever they hold."""

_PART_BYTES = 16

LONG_SECONDS = 600.0
"""Expected time from which on a message takes long: many networks cut what is idle so long."""

TOKENS_PER_HOUR = 128_000
"""Pace at which the API may write, for expecting how long a message takes."""


class Plan:
    """One call, ready to be sent."""

    __slots__ = ("betas", "demand", "options", "policy", "prepared", "timeout")

    prepared: PreparedRequest
    betas: Betas
    """The beta flags of the request and where they come from."""
    options: RequestOptions
    timeout: Any
    """Seconds, a ``Timeout`` or ``httpx.Timeout``, ``None`` for none, ``UNSET`` for the
    transport's own."""
    policy: RetryPolicy
    demand: Any
    """The :class:`~.throttle.demand.Demand` of the call; ``None`` without a throttle."""

    def __init__(
        self,
        prepared: PreparedRequest,
        betas: Betas,
        options: RequestOptions,
        timeout: Any,
        policy: RetryPolicy,
        demand: Any = None,
    ) -> None:
        self.prepared = prepared
        self.betas = betas
        self.options = options
        self.timeout = timeout
        self.policy = policy
        self.demand = demand

    @property
    def include_pings(self) -> bool:
        """Whether pings of a stream come out."""
        return self.options.get("include_pings", False)


class CallCore(ClientCore):
    """Plans calls by the settings of a client."""

    DEFAULT_BASE_URL = BASE_URL
    DEFAULT_API_VERSION = DEFAULT_API_VERSION

    settings: Settings

    def __init__(self, settings: Settings) -> None:
        """Take the settings. Raises ``HeaderValueError`` for headers that HTTP forbids."""
        headers, header_betas, header_version = settings.request_headers()
        self._explicit_version = settings.api_version or header_version
        super().__init__(
            base_url=settings.base_url,
            api_version=self._explicit_version,
            timeout=settings.timeout,
            default_headers=headers,
            strict=settings.strict,
        )
        if "user-agent" not in headers:
            # Removed by the caller, so that of the low-level client is not to go out either.
            del self._headers["user-agent"]
        self.settings = settings
        self._client_betas = (*settings.betas, *header_betas)

    # It holds the headers of every request.
    __reduce__ = refuse_pickling

    @property
    def bar(self) -> Any:
        """What ``progress=True`` shows of a download."""
        from .uploads import TransferBar

        return TransferBar("download")

    def _decoder(self, name: str) -> Callable[[Any], Any]:
        from claude_rest.models import decoder

        return decoder(name)

    def _code_classes(self) -> Mapping[tuple[int, str], type[APIStatusError]]:
        from claude_rest.errors import CODE_CLASSES

        return CODE_CLASSES

    def _event_check(self, operation: Operation) -> Callable[[Any], Any]:
        """Return what gives back an event as it is; ``strict``, once its schema allows it."""
        if not self.strict:
            return as_it_is
        decode = self._decode_item(operation.event_type)

        def checked(value: Any) -> Any:
            decode(value)
            return value

        return checked

    def streams_unasked(
        self, operation: Operation, arguments: Mapping[str, Any], options: RequestOptions
    ) -> bool:
        """Tell whether the answer of a call is to be streamed and put together under the hood.

        That is so for a message that :func:`takes_long`, unless the caller said something about
        ``stream`` or turned ``auto_stream`` off. Nothing is refused either way.
        """
        name = operation.stream_argument
        if name is None or operation.response_type != "Message":
            return False
        fields: Mapping[str, Any] = {**arguments, **(options.get("extra_body") or {})}
        return (
            fields.get(name, UNSET) is UNSET
            and takes_long(fields)
            and bool(_given(options, "auto_stream", self.settings.auto_stream))
        )

    def file_limit(self, operation: Operation, options: RequestOptions) -> int | None:
        """Return how many bytes the files of a call may have; ``None`` for any number."""
        check_sizes = options.get("check_sizes", UNSET)
        if check_sizes is UNSET:
            check_sizes = self.settings.check_sizes
        return operation.max_bytes if check_sizes else None

    def message_check(self) -> Callable[[Any], None] | None:
        """Return what raises for a message that its schema does not allow, if ``strict``."""
        return self._check_strictly if self.strict else None

    def plan(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        options: RequestOptions,
        via_beta: bool = False,
        *,
        streaming: bool | None = None,
        in_pieces: bool = False,
    ) -> Plan:
        """Make the plan of a call; ``in_pieces`` is for a thread beside an event loop.

        Raises ``TypeError`` for an option that does not exist,
        :class:`~.errors.ApiVersionConflictError`, :class:`~.errors.BetaConflictError`, and what
        ``build_request`` raises.
        """
        given = checked_options(operation, options)
        extra_headers = given.get("extra_headers")
        if extra_headers:
            given["extra_headers"] = lower_headers(extra_headers)
        arguments = with_lists(arguments, operation.file_fields)
        max_retries = given.get("max_retries")
        policy = self.settings.retry
        if operation.file_fields:
            from .uploads import prepare_upload

            limit = self.file_limit(operation, given)
            arguments, given = prepare_upload(operation, arguments, given, limit)
        prepared, betas = self._build(operation, arguments, given, via_beta, streaming, in_pieces)
        demand: Demand | None = None
        if self.settings.throttle is not None:
            from .throttle.demand import Demand

            fields = _body_fields(operation, arguments, given.get("extra_body"))
            demand = Demand.of(operation, fields, prepared.content)
        return Plan(
            prepared,
            betas,
            given,
            given.get("timeout", self.timeout),
            policy if max_retries is None else policy.replace(max_retries=max_retries),
            demand,
        )

    def prepare(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        options: RequestOptions | None = None,
        via_beta: bool = False,
        *,
        streaming: bool | None = None,
    ) -> PreparedRequest:
        """Return the request that a call would send; see :meth:`plan` for what it raises."""
        return self.plan(
            operation, arguments, options or {}, via_beta, streaming=streaming
        ).prepared

    def _build(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        options: RequestOptions,
        via_beta: bool,
        streaming: bool | None,
        in_pieces: bool,
    ) -> tuple[PreparedRequest, Betas]:
        from .api_versions import resolve_api_version
        from .betas import trace_betas, warn_of_retired
        from .request_needs import Needs, add_parameter_needs, find_needs, read_once

        needs = Needs()
        rules: Mapping[str, Mapping[str, Any]] = {}
        if operation.request_type is not None:
            from claude_rest.operations.beta_rules import BETA_RULES

            rules = BETA_RULES
            extra_body = options.get("extra_body")
            fields = _body_fields(operation, arguments, extra_body)
            needs = find_needs(operation.request_type, fields, rules)
            if needs.unread:
                # Iterators are looked through before they are encoded, but can be read once.
                arguments = {name: read_once(value) for name, value in arguments.items()}
                if extra_body:
                    extra_body = {name: read_once(value) for name, value in extra_body.items()}
                    options = {**options, "extra_body": extra_body}
                fields = _body_fields(operation, arguments, extra_body)
                needs = find_needs(operation.request_type, fields, rules)
            warn_of_ending(fields)
        if operation.parameter_rules:
            add_parameter_needs(needs, operation, arguments)
        extra_headers = options.get("extra_headers") or {}
        headers: Mapping[str, str] = self._headers
        credential_betas = self.settings.credentials.betas
        if carries_credential(extra_headers):
            # The credential of a call takes the place of the client's, in whichever header.
            headers = without_credentials(headers)
            credential_betas = bearer_betas(extra_headers.get("authorization"))
        header_betas = extra_headers.get("anthropic-beta") or ""
        if header_betas:
            # Settled here with all the others; a ``-flag`` in it is not to be sent.
            rest = {k: v for k, v in extra_headers.items() if k != "anthropic-beta"}
            options = {**options, "extra_headers": rest}
        model = arguments.get("model")
        betas = trace_betas(
            operation,
            needs,
            credential_betas=credential_betas,
            client_betas=self._client_betas,
            call_betas=options.get("betas") or (),
            header_betas=split_betas(header_betas),
            via_beta=via_beta,
            model=model if isinstance(model, str) else None,
            never_derived=SHAPE_SELECTING_BETAS,
            derive=options.get("derive_betas", self.settings.derive_betas),
            replacing=REPLACING_BETAS,
        )
        warn_of_retired(betas.asked(), RETIRED_BETAS)
        version = resolve_api_version(
            operation,
            arguments,
            rules=rules,
            versions=API_VERSIONS,
            explicit=options.get("api_version")
            or extra_headers.get("anthropic-version")
            or self._explicit_version,
            needs=needs,
        )
        prepared = build_request(
            operation,
            arguments,
            options,
            base_url=self.base_url,
            default_headers=headers,
            default_query=self.settings.default_query,
            api_version=version,
            betas=betas.flags,
            streaming=streaming,
            check_size=options.get("check_sizes", self.settings.check_sizes),
            in_pieces=in_pieces,
        )
        return prepared, betas

    def _explain(self, plan: Plan, error: APIError) -> None:
        """Make an error about a beta flag say where that flag comes from, or what asks for it."""
        if isinstance(error, APIStatusError) and error.status_code in (400, 404):
            from .betas import explain_beta_error

            explain_beta_error(error, plan.betas)


def warn_of_ending(fields: Mapping[str, Any]) -> None:
    """Warn of models that go or are gone, in a request or in the requests of a batch."""
    model = fields.get("model")
    found = {model} if isinstance(model, str) and model in MODEL_ENDS else set[str]()
    requests: Any = fields.get("requests")
    if requests.__class__ is list or requests.__class__ is tuple:
        for request in requests:
            params: Any = request.get("params") if request.__class__ is dict else None
            model = params.get("model") if params.__class__ is dict else None
            if isinstance(model, str) and model in MODEL_ENDS:
                found.add(model)
    if found:
        from .deprecations import warn_of_models

        warn_of_models(sorted(found))


def takes_long(arguments: Mapping[str, Any]) -> bool:
    """Guess whether a message may take longer than :data:`LONG_SECONDS` to be written whole.

    By ``max_tokens`` alone: at :data:`TOKENS_PER_HOUR`, that is so for more than 21,333.
    """
    limit = arguments.get("max_tokens")
    if not isinstance(limit, (int, float)):
        return False
    return 3600.0 * limit / TOKENS_PER_HOUR > LONG_SECONDS


def _given(options: RequestOptions, name: str, default: Any) -> Any:
    value = options.get(name, UNSET)
    return default if value is UNSET else value


def checked_options(operation: Operation, options: CallOptions) -> RequestOptions:
    """Return the options that were given.

    Raises ``TypeError`` for one that does not exist: a misspelt argument would end up there.
    """
    known = RequestOptions.__annotations__
    for name in options:
        if name not in known:
            raise TypeError(f"{operation.id}() got an unexpected keyword argument {name!r}")
    given: Any = {name: value for name, value in options.items() if value is not UNSET}
    return given  # type: ignore[no-any-return]


def as_it_is(value: Any) -> Any:
    """Return ``value``: what decodes nothing."""
    return value


def with_lists(arguments: Mapping[str, Any], files: Container[str] = ()) -> Mapping[str, Any]:
    """Turn iterators into lists: they are looked through before they are encoded.

    Not those among ``files``, each of which is one file, too large perhaps for memory.
    """
    if any(_is_iterator(value) for value in arguments.values()):
        return {
            name: list(value) if _is_iterator(value) and name not in files else value
            for name, value in arguments.items()
        }
    return arguments


def _is_iterator(value: Any) -> bool:
    # An open file is one too, over its lines; it is to be sent as it is.
    return hasattr(value, "__next__") and not hasattr(value, "read")


def _body_fields(
    operation: Operation, arguments: Mapping[str, Any], extra_body: Mapping[str, object] | None
) -> Mapping[str, Any]:
    """Return the arguments by wire name, with what ``extra_body`` puts over them."""
    if operation.body_names:
        names = operation.body_names
        arguments = {names.get(name, name): value for name, value in arguments.items()}
    return {**arguments, **extra_body} if extra_body else arguments


def is_large(arguments: Mapping[str, Any], limit: int = LARGE_BYTES) -> bool:
    """Guess whether the body will have more than ``limit`` bytes, very many parts, or a file.

    Looks at every value, however deep, until the answer is clear: after at most
    :data:`LARGE_PARTS` of them, which takes about a millisecond.
    """
    size = 0
    parts = len(arguments)
    pending: list[Any] = list(arguments.values())
    while pending:
        value = pending.pop()
        kind = value.__class__
        inside: Any = ()
        if kind is str or kind is bytes:
            size += len(value)
        elif kind is list or kind is tuple:
            inside = value
        elif kind is dict or issubclass(kind, dict):
            inside = value.values()
            size += _PART_BYTES * len(inside)
        elif isinstance(value, Struct):
            inside = _struct_values(value)
            # Fields that are not there cost time too, as encoding the model will.
            parts += 4 * len(wire_names(kind))
        elif kind is EncodedItems:
            # Encoded, but to be looked through.
            size += value.size
        elif kind is int or kind is float or kind is bool or value is None:
            size += _PART_BYTES
        elif isinstance(value, str):
            size += len(value)
        elif hasattr(value, "read") or hasattr(value, "__fspath__"):
            # Whatever its size: to ask for that, and to read it, may take long.
            return True
        else:
            size += len(value) if isinstance(value, RawJSON) else _PART_BYTES
        # Before they are copied: a list may be of any length.
        parts += len(inside)
        if size > limit or parts > LARGE_PARTS:
            return True
        pending.extend(inside)
    return False


def _struct_values(model: Struct) -> list[Any]:
    """Return what a response model holds, without encoding it."""
    if isinstance(model, Unknown):
        return [model.raw]
    values = [getattr(model, name, UNSET) for name, _ in wire_names(model.__class__)]
    return [*(value for value in values if value is not UNSET), *model.extra_fields.values()]
