"""What a call would send, and why: ``client.explain``. Nothing is sent.

The call is made with a caller that carries nothing out, so the method itself checks and names its
arguments; what it hands on is then planned like any other call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from claude_rest._runtime.request import visible_headers, visible_url
from claude_rest._runtime.timeouts import Timeout

from .request_needs import Needs, find_needs, read_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.operation import Operation
    from claude_rest._runtime.request import PreparedRequest

    from .calls import CallCore, Plan

SHOWN_BODY_CHARACTERS = 4000
"""How much of a body ``str()`` of an explanation shows."""

_HIDDEN = "[hidden]"
# Narrower than for headers: a body has max_tokens, the signature of a thought and many keys.
_SECRET_ENDINGS = ("api_key", "authorization", "password", "private_key", "secret", "token")


class Explanation:
    """One request as it would be sent; ``str()`` tells it in words.

    Values of headers that hold secrets are hidden, and so are keys in the query, and in the body
    strings whose names say that they are secret and passwords and keys in URLs.
    """

    __slots__ = (
        "api_version",
        "api_version_reason",
        "betas",
        "body",
        "headers",
        "limit",
        "max_retries",
        "method",
        "operation",
        "retry",
        "size",
        "timeout",
        "url",
    )

    operation: str
    """Resource and method, for example ``messages.create``."""
    method: str
    url: str
    headers: dict[str, str]
    """By lower-case name."""
    body: Any
    """The JSON value of the body, without secrets such as ``authorization_token``; ``<20 MB of
    x.png>`` stands for a file. Of a form, a list of its parts: of files name, type and size."""
    betas: dict[str, tuple[str, ...]]
    """Flags of ``anthropic-beta`` in their order, each with the reasons it is there."""
    api_version: str | None
    """Value of ``anthropic-version``."""
    api_version_reason: str
    retry: str
    """How far repeating the request can do harm: ``safe``, ``billable`` or ``mutating``."""
    max_retries: int
    timeout: Timeout
    """Limits in seconds; ``deadline`` is for all attempts together."""
    size: int
    """Bytes of the body."""
    limit: int | None
    """Bytes that the operation takes: of a body, or of the files of a form."""

    def __repr__(self) -> str:
        return f"Explanation({self.method} {self.url}, {self.size} bytes)"

    def __str__(self) -> str:
        timeout = self.timeout
        limits = {
            name: getattr(timeout, name) for name in ("connect", "first_byte", "idle", "deadline")
        }
        lines = [
            f"{self.method} {self.url}",
            f"operation: {self.operation} ({self.retry}, at most {self.max_retries} retries)",
            f"anthropic-version: {self.api_version} ({self.api_version_reason})",
        ]
        lines += [f"anthropic-beta: {flag} ({'; '.join(why)})" for flag, why in self.betas.items()]
        lines += [
            f"{name}: {value}"
            for name, value in self.headers.items()
            if name not in ("anthropic-beta", "anthropic-version")
        ]
        lines.append(
            "timeout: "
            + ", ".join(
                f"{name} {'none' if value is None else f'{value:g} s'}"
                for name, value in limits.items()
            )
        )
        limit = "" if self.limit is None else f" of at most {self.limit:,}"
        lines.append(f"body: {self.size:,} bytes{limit}")
        if self.body is not None:
            lines.append(_shown(self.body))
        return "\n".join(lines)


def explain(client: Any, method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Explanation:
    """Return what calling ``method`` of ``client`` would send; see ``Claude.explain``."""
    if isinstance(method, str):
        name = method
        for part in name.split("."):
            client = getattr(client, part, None)
        if client is None or not callable(client):
            raise TypeError(f"there is no method {name!r}")
        method = client
    call = _captured(method, args, kwargs)
    operation, arguments, options = call.operation, call.arguments, call.options
    if operation.body == "json":
        # Looked through twice below, and iterators can be read once.
        arguments = {key: read_once(value) for key, value in arguments.items()}
    core: CallCore = call.core
    settings: Any = {**options, "check_sizes": False}
    # An answer that is handed out as it came is never streamed unasked.
    streams = call.streams or (not call.raw and core.streams_unasked(operation, arguments, options))
    plan = core.plan(
        operation, arguments, settings, call.via_beta, streaming=True if streams else None
    )
    return _explanation(core, plan, arguments, options)


def _explanation(
    core: CallCore,
    plan: Plan,
    arguments: Mapping[str, Any],
    options: RequestOptions,
) -> Explanation:
    prepared: PreparedRequest = plan.prepared
    operation = prepared.operation
    found = Explanation()
    found.operation = operation.id
    found.method = prepared.method
    found.url = visible_url(prepared.url)
    found.headers = visible_headers(prepared.headers)
    found.size = 0 if prepared.content is None else len(prepared.content)
    found.limit = operation.max_bytes
    found.body = _body(prepared.content)
    reasons: dict[str, list[str]] = {flag: [] for flag in plan.betas.flags}
    spelling = {flag.lower(): flag for flag in reasons}
    for source in plan.betas.sources:
        if source.sent:
            reasons[spelling[source.flag.lower()]].append(str(source))
    found.betas = {flag: tuple(dict.fromkeys(why)) for flag, why in reasons.items()}
    found.api_version = prepared.header("anthropic-version")
    found.api_version_reason = _version_reason(core, options, _needs(operation, arguments, options))
    found.retry = operation.retry
    found.max_retries = plan.policy.max_retries
    timeout = Timeout.of(plan.timeout)
    deadlines = [limit for limit in (timeout.deadline, plan.policy.deadline) if limit is not None]
    found.timeout = Timeout(
        connect=timeout.connect,
        pool=timeout.pool,
        write=timeout.write,
        first_byte=timeout.first_byte,
        idle=timeout.idle,
        deadline=min(deadlines, default=None),
    )
    return found


def _needs(operation: Operation, arguments: Mapping[str, Any], options: RequestOptions) -> Needs:
    if operation.request_type is None:
        return Needs()
    from claude_rest.operations.beta_rules import BETA_RULES

    names = operation.body_names
    fields = {names.get(name, name): value for name, value in arguments.items()}
    fields.update(options.get("extra_body") or {})
    return find_needs(operation.request_type, fields, BETA_RULES)


def _version_reason(core: CallCore, options: RequestOptions, needs: Needs) -> str:
    headers = {name.lower() for name in options.get("extra_headers") or {}}
    settings = core.settings
    if "anthropic-version" in headers:
        return "extra_headers of the call"
    if options.get("api_version") is not None:
        return "api_version of the call"
    if settings.api_version is not None:
        return "api_version of the client"
    if "anthropic-version" in settings.default_headers:
        return "default_headers of the client"
    if "anthropic-version" in settings.environment_headers:
        return "a header from the environment"
    if needs.versions:
        paths = dict.fromkeys(bound.path for bound in needs.versions)
        return f"the newest that accepts {', '.join(paths)}"
    return "the newest"


def _body(content: Any) -> Any:
    if content is None:
        return None
    if not hasattr(content, "boundary"):
        from claude_rest._runtime.codec import loads

        # Of a file in it, name and size.
        text = content if isinstance(content, bytes) else content.outline()
        return _without_secrets(loads(text))
    return [
        {
            "name": part.name,
            "filename": part.filename,
            "content_type": part.content_type,
            "size": part.size,
        }
        if part.filename is not None
        else {
            "name": part.name,
            "value": _without_secret(part.name, b"".join(part.chunks()).decode()),
        }
        for part in content.parts
    ]


def _without_secrets(body: Any) -> Any:
    """Hide in ``body``, which is changed in place, what nobody else should read."""
    pending = [body]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            for name, field in fields.items():
                if isinstance(field, str):
                    fields[name] = _without_secret(name, field)
                else:
                    pending.append(field)
        elif value.__class__ is list:
            pending.extend(value)
    return body


def _without_secret(name: str, text: str) -> str:
    name = name.lower().replace("-", "_")
    if name.endswith(_SECRET_ENDINGS):
        return _HIDDEN
    return visible_url(text) if name.endswith("url") and "://" in text else text


def _shown(body: Any) -> str:
    import json

    text = json.dumps(body, indent=2, ensure_ascii=False)
    if len(text) <= SHOWN_BODY_CHARACTERS:
        return text
    rest = len(text) - SHOWN_BODY_CHARACTERS
    return f"{text[:SHOWN_BODY_CHARACTERS]}… ({rest:,} more characters)"


class _Captured(BaseException):
    """A call that got as far as its caller. Nothing but this module is to catch it."""

    def __init__(
        self,
        core: Any,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool,
        *,
        streams: bool,
        raw: bool,
    ) -> None:
        super().__init__()
        self.core = core
        self.operation = operation
        self.arguments = arguments
        self.options = options
        self.via_beta = via_beta
        self.streams = streams
        self.raw = raw


class _Capturing:
    """A caller that carries nothing out."""

    __slots__ = ("_core", "_raw")

    def __init__(self, core: Any, *, raw: bool = False) -> None:
        self._core = core
        self._raw = raw

    def call(
        self, operation: Operation, arguments: Any, options: Any, via_beta: bool = False
    ) -> NoReturn:
        raise _Captured(
            self._core, operation, arguments, options, via_beta, streams=False, raw=self._raw
        )

    paginate = call

    def stream(
        self, operation: Operation, arguments: Any, options: Any, via_beta: bool = False
    ) -> NoReturn:
        raise _Captured(
            self._core, operation, arguments, options, via_beta, streams=True, raw=self._raw
        )


def _captured(method: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Captured:
    """Call ``method`` with a caller that only notes what it is asked for."""
    call = _rebound(method)
    name = getattr(method, "__name__", repr(method))
    if name == "stream" and hasattr(method.__self__, "create"):
        # messages.stream sends when its "with" statement runs; its request is that of create.
        kwargs = {**kwargs, "stream": True}
    result: Any = None
    try:
        result = call(*args, **kwargs)
        if hasattr(result, "send"):
            # A coroutine; nothing before its caller waits for anything.
            result.send(None)
    except _Captured as captured:
        return captured
    finally:
        if hasattr(result, "close"):
            result.close()
    raise TypeError(f"{name} sends no request that could be explained")


def _rebound(method: Any) -> Any:
    from claude_rest.client import AsyncResources, Resources

    from .calls import CallCore
    from .verbs import AsyncVerb, Verb

    owner = method if isinstance(method, (Verb, AsyncVerb)) else getattr(method, "__self__", None)
    caller: Any = getattr(owner, "_caller", None)
    # That of with_raw_response wraps the one that knows what would be sent.
    core = getattr(caller, "caller", caller)
    if not isinstance(core, CallCore) or isinstance(owner, (Resources, AsyncResources)):
        raise TypeError(f"{method!r} is no method of a client; pass one such as messages.create")
    if isinstance(owner, (Verb, AsyncVerb)):
        return owner.__class__(_Capturing(core), owner._method)
    name = method.__name__
    resource: Any = owner
    capturing = _Capturing(core, raw=core is not caller)
    bound = resource.__class__(capturing, via_beta=resource._via_beta)
    if name == "stream" and hasattr(bound, "create"):
        name = "create"
    return getattr(bound, name)
