"""The operations of a bundled spec, and which of them a request is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from .exchange import RefusedError
from .json_values import is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .families import Families
    from .schema_facts import SchemaFacts

STANDARD_MAX_BYTES: Final = 32 * 1024 * 1024
"""Body limit of operations for which the spec gives none (api overview: standard endpoints)."""

_FRAMING_BYTES: Final = 1024 * 1024

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Example:
    """One example of an operation, request and answers joined by their name in the spec."""

    name: str
    request: Any
    """Decoded JSON body; None when the operation takes none."""
    answer: Any = None
    """Decoded JSON answer, or None."""
    events: str | None = None
    """Text of the event stream, or None."""
    lines: str | None = None
    """Text of the JSONL answer, or None."""
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Path and query arguments of the exchange by wire name, those that the spec gives."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path, query or header parameter."""

    name: str
    """Name on the wire, such as ``lifecycle[]``."""
    location: str
    required: bool
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MockOperation:
    """What the mock needs to know about one operation of the spec."""

    id: str
    """Resource and method, such as ``messages.create``."""
    method: str
    path: str
    segments: tuple[str, ...]
    """Parts of the path; ``{name}`` for a parameter."""
    parameters: tuple[Parameter, ...]
    body_schema: Mapping[str, Any] | None
    body_required: bool
    form: bool
    """Whether the body is a form instead of JSON."""
    max_bytes: int
    """Largest body in bytes; of a form, largest size of its files."""
    betas: tuple[str, ...]
    """Flags of which one must be sent; empty when the operation is open to all."""
    stream_argument: str | None
    """Body property that asks for an event stream."""
    examples: tuple[Example, ...]
    status: int = 200
    """Status of a successful answer."""
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Any])
    """Schema of a successful answer by media type; empty when there is no content."""
    items: Mapping[str, Any] | None = None
    """Schema of one event or line, for answers that are streams of them."""
    pagination: tuple[str, ...] = ()
    """Paging styles of the answer."""

    @property
    def body_limit(self) -> int:
        """How many bytes of body to read: a form has some around its files."""
        return self.max_bytes + (_FRAMING_BYTES if self.form else 0)


class Router:
    """Finds the operation for a method and path; knows all operations of a bundle."""

    def __init__(self, bundle: Mapping[str, Any]) -> None:
        self._bundle = bundle
        self.operations: dict[str, MockOperation] = {}
        """Operations by ``MockOperation.id``."""
        for path, item in bundle["paths"].items():
            for method in _METHODS:
                if method in item:
                    operation = self._operation(path, method, item)
                    self.operations[operation.id] = operation
        self._by_length: dict[int, list[MockOperation]] = {}
        # Literal segments win over parameters: /v1/models/latest before /v1/models/{model_id}.
        for operation in sorted(
            self.operations.values(), key=lambda o: [part.startswith("{") for part in o.segments]
        ):
            self._by_length.setdefault(len(operation.segments), []).append(operation)

    def match(self, method: str, path: str) -> tuple[MockOperation, dict[str, str]]:
        """Return the operation and the decoded path arguments.

        Raises:
            RefusedError: 404 for an unknown path, 405 for a method the path does not take.
        """
        parts = path.split("/")
        allowed: list[str] = []
        for operation in self._by_length.get(len(parts), ()):
            arguments = _match(operation.segments, parts)
            if arguments is None:
                continue
            if operation.method == method:
                return operation, arguments
            allowed.append(operation.method)
        if allowed:
            raise RefusedError(405, "Method Not Allowed", headers=(("allow", ", ".join(allowed)),))
        raise RefusedError(404, "Not found")

    @cached_property
    def facts(self) -> SchemaFacts:
        """What the bundle's schemas say about plausible values; gathered when first needed."""
        from .schema_facts import SchemaFacts

        components = self._bundle.get("components", {}).get("schemas", {})
        return SchemaFacts(self, components, self._bundle.get("x-betas", {}))

    @cached_property
    def families(self) -> Families:
        """Which operations work on the same objects; gathered when first needed."""
        from .families import Families

        return Families(self)

    def body_limit(self, method: str, path: str) -> int:
        """Return how many bytes of body a reader has to keep for this method and path."""
        try:
            return self.match(method, path)[0].body_limit
        except RefusedError:
            return 0

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """Follow the ``$ref`` of a node, if it has one, to what it means."""
        while "$ref" in node:
            target: Any = self._bundle
            for token in str(node["$ref"]).removeprefix("#/").split("/"):
                target = target[unquote(token).replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> MockOperation:
        raw = item[method]
        body = self.resolve(raw.get("requestBody", {}))
        content: Mapping[str, Any] = body.get("content", {})
        form = content.get("multipart/form-data")
        media: Mapping[str, Any] = content.get("application/json", {}) if form is None else form
        parameters = [
            self.resolve(p) for p in [*item.get("parameters", ()), *raw.get("parameters", ())]
        ]
        status, answers = self._success(raw)
        streams = [media["x-item-schema"] for media in answers.values() if "x-item-schema" in media]
        return MockOperation(
            id=f"{raw.get('x-resource', '')}.{raw.get('x-method', raw.get('operationId', ''))}",
            method=method.upper(),
            path=path,
            segments=tuple(path.split("/")),
            parameters=tuple(
                Parameter(p["name"], p["in"], p.get("required", False), p.get("schema", {}))
                for p in parameters
                if p["in"] in ("path", "query", "header")
            ),
            body_schema=media.get("schema"),
            body_required=body.get("required", False),
            form=form is not None,
            max_bytes=raw.get("x-max-bytes", STANDARD_MAX_BYTES),
            betas=required_flags(raw.get("x-beta")),
            stream_argument=raw.get("x-stream-argument"),
            examples=self._examples(raw, media, parameters),
            status=status,
            answers={name: answer.get("schema", {}) for name, answer in answers.items()},
            items=streams[0] if streams else None,
            pagination=tuple(raw.get("x-pagination", ())),
        )

    def _success(self, raw: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
        """Return the status of a successful answer and its media types."""
        for status, response in raw.get("responses", {}).items():
            if status.startswith("2"):
                return int(status), self.resolve(response).get("content", {})
        return 200, {}

    def _examples(
        self,
        raw: Mapping[str, Any],
        request_media: Mapping[str, Any],
        parameters: list[Mapping[str, Any]],
    ) -> tuple[Example, ...]:
        requests = self._values(request_media)
        answers: dict[str, Any] = {}
        events: dict[str, Any] = {}
        lines: dict[str, Any] = {}
        for status, response in raw.get("responses", {}).items():
            if status.startswith("2"):
                content = self.resolve(response).get("content", {})
                answers.update(self._values(content.get("application/json", {})))
                events.update(self._values(content.get("text/event-stream", {})))
                lines.update(self._values(content.get("application/x-jsonl", {})))
        arguments: dict[str, dict[str, Any]] = {}
        for parameter in parameters:
            for name, value in self._values(parameter).items():
                arguments.setdefault(name, {})[parameter["name"]] = value
        names = list(dict.fromkeys([*answers, *events, *lines]))
        return tuple(
            Example(
                name,
                requests.get(name),
                answers.get(name),
                events.get(name),
                lines.get(name),
                arguments.get(name, {}),
            )
            for name in names
        )

    def _values(self, media: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self.resolve(example).get("value")
            for name, example in media.get("examples", {}).items()
        }


def required_flags(rule: object) -> tuple[str, ...]:
    """Return the flags of an ``x-beta`` rule, any of which opens the gate.

    Empty for no rule, and for ``via_beta_namespace``, which is about the client and not the API.
    """
    if isinstance(rule, str):
        return (rule,)
    if is_object(rule):
        return tuple(rule.get("any_of", ()))
    return ()


def _match(segments: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    arguments: dict[str, str] = {}
    for segment, part in zip(segments, parts, strict=True):
        if segment.startswith("{"):
            if not part:
                return None
            arguments[segment[1:-1]] = unquote(part)
        elif segment != part:
            return None
    return arguments
