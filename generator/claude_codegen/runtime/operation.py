"""Operations of the API as data: what every layer reads instead of code of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Record:
    """An immutable record made of its slots; compares, prints and hashes by value."""

    __slots__: tuple[str, ...] = ()

    def _fill(self, values: dict[str, Any]) -> None:
        for name in self.__slots__:
            object.__setattr__(self, name, values[name])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__ or not isinstance(other, _Record):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(tuple(repr(value) for value in self._values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> Any:
        return (_rebuild, (type(self), {name: getattr(self, name) for name in self.__slots__}))


def _rebuild(cls: type[Any], values: dict[str, Any]) -> Any:
    return cls(**values)


class Parameter(_Record):
    """One path, query or header parameter of an operation."""

    __slots__ = ("array", "location", "name", "required", "wire_name")

    name: str
    wire_name: str
    location: Literal["path", "query", "header"]
    array: bool
    required: bool

    def __init__(
        self,
        name: str,
        location: Literal["path", "query", "header"],
        *,
        wire_name: str | None = None,
        array: bool = False,
        required: bool = False,
    ) -> None:
        """Describe a parameter; ``wire_name`` is the argument's name unless given."""
        self._fill(
            {
                "name": name,
                "location": location,
                "wire_name": name if wire_name is None else wire_name,
                "array": array,
                "required": required,
            }
        )


class BetaRule(_Record):
    """Which ``anthropic-beta`` flag something needs (spec: ``x-beta``)."""

    __slots__ = ("any_of", "default", "unless_model", "via_beta_namespace")

    any_of: tuple[str, ...]
    default: str
    unless_model: tuple[str, ...]
    via_beta_namespace: bool

    def __init__(
        self,
        default: str,
        *,
        any_of: tuple[str, ...] = (),
        unless_model: tuple[str, ...] = (),
        via_beta_namespace: bool = False,
    ) -> None:
        """Describe a rule: ``default`` is sent unless a flag of ``any_of`` is there already.

        ``unless_model`` lists model id prefixes that need no flag; ``via_beta_namespace`` holds
        for calls through ``client.beta`` only.
        """
        self._fill(
            {
                "default": default,
                "any_of": any_of or (default,),
                "unless_model": unless_model,
                "via_beta_namespace": via_beta_namespace,
            }
        )


class BetaSource(_Record):
    """One reason why a flag stands in ``anthropic-beta``, or why it should."""

    __slots__ = ("flag", "origin", "path", "sent")

    flag: str
    origin: Literal["operation", "argument", "credential", "client", "call", "header"]
    """Who asked: operation, argument or credential need it; client, call or a header named it."""
    path: str | None
    """Argument that needs the flag, for example ``messages[2].content[0]``."""
    sent: bool
    """Whether the flag was sent; one that is needed may have been left out on purpose."""

    def __init__(
        self,
        flag: str,
        origin: Literal["operation", "argument", "credential", "client", "call", "header"],
        path: str | None = None,
        *,
        sent: bool = True,
    ) -> None:
        """Name a flag and who asked for it."""
        self._fill({"flag": flag, "origin": origin, "path": path, "sent": sent})

    def __str__(self) -> str:
        return _ORIGINS[self.origin].format(self.path)


_ORIGINS = {
    "operation": "the operation",
    "argument": "argument {}",
    "credential": "the credential",
    "client": "betas of the client",
    "call": "betas of the call",
    "header": "a header of the caller",
}


class Operation(_Record):
    """One method and path of the API, with everything a caller needs to know about it."""

    __slots__ = (
        "betas",
        "body",
        "body_fields",
        "body_names",
        "deprecated",
        "error_codes",
        "event_type",
        "file_fields",
        "id",
        "max_bytes",
        "max_items",
        "method",
        "operation_id",
        "page_item",
        "pagination",
        "parameter_rules",
        "parameters",
        "path",
        "request_type",
        "response",
        "response_type",
        "retry",
        "since",
        "stream_argument",
        "tier",
        "unavailable_on",
        "until",
    )

    id: str
    """Resource and method as in Python, for example ``messages.create``."""
    operation_id: str
    """``operationId`` of the spec."""
    method: str
    path: str
    """Path template, for example ``/v1/models/{model_id}``."""
    parameters: tuple[Parameter, ...]
    parameter_rules: Mapping[str, Mapping[str, Any]]
    """Parameters that need a flag or a version, by argument; in the form of the beta rules."""
    body: Literal["json", "multipart"] | None
    body_fields: tuple[str, ...]
    """Top-level fields of the body, by wire name."""
    body_names: Mapping[str, str]
    """Arguments whose name differs from the wire name of their body field."""
    file_fields: tuple[str, ...]
    """Those of them that are files; a name that ends in ``[]`` takes several."""
    request_type: str | None
    """Component of the body, the key into the beta rules."""
    response: Literal["json", "binary", "jsonl", "sse", "none", "raw"]
    """What the body of an answer is; ``raw`` is never in the spec, and means: left undecoded."""
    response_type: str | None
    """Component of the answer, or of one line of a JSONL answer."""
    page_item: str | None
    pagination: tuple[str, ...]
    """Paging styles the operation may answer in; the page decides by the fields it finds."""
    stream_argument: str | None
    """Body field that turns the JSON answer into server-sent events."""
    event_type: str | None
    """Component of one server-sent event."""
    betas: tuple[BetaRule, ...]
    since: str | None
    """First ``anthropic-version`` that has the operation."""
    until: str | None
    """Last ``anthropic-version`` that has the operation."""
    max_bytes: int | None
    """Largest request body the API takes, in bytes; of a form, largest size of its files."""
    max_items: Mapping[str, int]
    """How many items a list among the top-level fields of the body may have, by wire name."""
    retry: Literal["safe", "billable", "mutating"]
    error_codes: tuple[str, ...]
    unavailable_on: tuple[str, ...]
    """Platforms that lack the operation."""
    tier: Literal["ga", "beta"]
    deprecated: bool

    def __init__(
        self,
        id: str,  # noqa: A002
        *,
        operation_id: str,
        method: str,
        path: str,
        parameters: tuple[Parameter, ...] = (),
        parameter_rules: Mapping[str, Mapping[str, Any]] | None = None,
        body: Literal["json", "multipart"] | None = None,
        body_fields: tuple[str, ...] = (),
        body_names: Mapping[str, str] | None = None,
        file_fields: tuple[str, ...] = (),
        request_type: str | None = None,
        response: Literal["json", "binary", "jsonl", "sse", "none", "raw"] = "json",
        response_type: str | None = None,
        page_item: str | None = None,
        pagination: tuple[str, ...] = (),
        stream_argument: str | None = None,
        event_type: str | None = None,
        betas: tuple[BetaRule, ...] = (),
        since: str | None = None,
        until: str | None = None,
        max_bytes: int | None = None,
        max_items: Mapping[str, int] | None = None,
        retry: Literal["safe", "billable", "mutating"] = "mutating",
        error_codes: tuple[str, ...] = (),
        unavailable_on: tuple[str, ...] = (),
        tier: Literal["ga", "beta"] = "ga",
        deprecated: bool = False,
    ) -> None:
        """Describe an operation; see the attributes for what each field means."""
        values = dict(locals())
        del values["self"]
        values["body_names"] = body_names or {}
        values["max_items"] = max_items or {}
        values["parameter_rules"] = parameter_rules or {}
        self._fill(values)

    def replace(self, **changes: Any) -> Operation:
        """Return a copy with some arguments of the constructor changed."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return Operation(**{**values, **changes})
