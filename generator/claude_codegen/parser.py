"""openapi-python-client's parser over the lowered document; the only module that imports it.

The package is pinned with ``==``: its parser is internal to it. What leaves this module is plain
data in this package's own terms.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import openapi
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.properties import AnyProperty, ModelProperty
from openapi_python_client.parser.properties.boolean import BooleanProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.datetime import DateTimeProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.float import FloatProperty
from openapi_python_client.parser.properties.int import IntProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.string import StringProperty

from .lower import Lowered
from .source import pointer
from .types import ListOf, Literal, Nullable, Ref, Scalar, ScalarName, Type


class ParserError(Exception):
    """The parser refused or dropped something that the lowered document holds."""


@dataclass(frozen=True)
class ParsedField:
    """A property or parameter as the parser read it."""

    wire_name: str
    type: Type
    required: bool


@dataclass(frozen=True)
class ParsedOperation:
    """An endpoint as the parser read it."""

    path: str
    method: str
    path_parameters: tuple[ParsedField, ...]
    query_parameters: tuple[ParsedField, ...]
    header_parameters: tuple[ParsedField, ...]
    body: Type | None
    answer: Type | None


@dataclass(frozen=True)
class Parsed:
    """Every component and operation of the document, by name and by ``(path, method)``."""

    components: dict[str, tuple[ParsedField, ...]]
    aliases: dict[str, Type]
    operations: dict[tuple[str, str], ParsedOperation]


_SCALARS: tuple[tuple[type[Any], ScalarName], ...] = (
    (DateTimeProperty, "datetime"),
    (FileProperty, "bytes"),
    (StringProperty, "str"),
    (IntProperty, "int"),
    (FloatProperty, "float"),
    (BooleanProperty, "bool"),
    (AnyProperty, "any"),
)


def parse(lowered: Lowered, aliases: frozenset[str]) -> Parsed:
    """Parse a lowered document and put the side tables back in.

    ``aliases`` names the components that are not objects. Raises :class:`ParserError` when the
    parser reports anything, or when it returns fewer components or operations than it was given.
    """
    config = Config.from_sources(
        ConfigFile(literal_enums=True), MetaType("none"), "lowered", "utf-8", False, None
    )
    with _shallow_endpoint_copies():
        data = openapi.GeneratorData.from_dict(lowered.document, config=config)
    if isinstance(data, GeneratorError):
        raise ParserError(f"{data.header}: {data.detail}")
    return _Join(lowered, data, aliases).run()


@contextmanager
def _shallow_endpoint_copies() -> Generator[None, None, None]:
    """Replace the parser's deep copy of a whole endpoint per parameter and response.

    It copies every schema an endpoint reaches, most of the run time on a large document; only
    the endpoint's own lists change afterwards.
    """

    def copy_endpoint(endpoint: openapi.Endpoint) -> openapi.Endpoint:
        copied = copy.copy(endpoint)
        for name, value in vars(endpoint).items():
            if value.__class__ in (list, set):
                setattr(copied, name, copy.copy(value))
        copied.responses = copy.copy(endpoint.responses)
        copied.responses.patterns = list(endpoint.responses.patterns)
        return copied

    module: Any = openapi
    original = module.deepcopy
    module.deepcopy = copy_endpoint
    try:
        yield
    finally:
        module.deepcopy = original


class _Join:
    def __init__(
        self, lowered: Lowered, data: openapi.GeneratorData, aliases: frozenset[str]
    ) -> None:
        self.lowered = lowered
        self.data = data
        self.alias_names = aliases

    def run(self) -> Parsed:
        complaints = [str(error.detail) for error in self.data.errors]
        for collection in self.data.endpoint_collections_by_tag.values():
            complaints += [f"{error.header} {error.detail}" for error in collection.parse_errors]
        if complaints:
            raise ParserError("; ".join(complaints))
        models = {str(model.class_info.name): model for model in self.data.models}
        missing = sorted(set(self.lowered.components) - set(models))
        if missing or len(models) != len(self.lowered.components):
            names = [self.lowered.components[name] for name in missing]
            raise ParserError(
                f"the parser returned {len(models)} of {len(self.lowered.components)} components; "
                f"missing: {', '.join(names) or 'none'}"
            )
        components: dict[str, tuple[ParsedField, ...]] = {}
        aliases: dict[str, Type] = {}
        for lowered_name, name in self.lowered.components.items():
            model = models[lowered_name]
            at = pointer("components", "schemas", name)
            properties = [*(model.required_properties or []), *(model.optional_properties or [])]
            if name in self.alias_names:
                aliases[name] = self.type_of(properties[0], at)
            else:
                components[name] = tuple(
                    self.field(part, f"{at}/properties{pointer(wire(part.name))}")
                    for part in properties
                )
        operations = dict(self.operations())
        if len(operations) != len(self.lowered.operations):
            raise ParserError(
                f"the parser returned {len(operations)} of {len(self.lowered.operations)} "
                "operations"
            )
        return Parsed(components, aliases, operations)

    def operations(self) -> Iterator[tuple[tuple[str, str], ParsedOperation]]:
        for collection in self.data.endpoint_collections_by_tag.values():
            for endpoint in collection.endpoints:
                path, method = self.lowered.operations[str(endpoint.name)]
                at = pointer("paths", path, method)
                places = self.parameter_places(path, method)
                parameters = (
                    endpoint.path_parameters,
                    endpoint.query_parameters,
                    endpoint.header_parameters,
                )
                in_path, in_query, in_header = (
                    tuple(self.field(part, places[location, wire(part.name)]) for part in parts)
                    for location, parts in zip(("path", "query", "header"), parameters, strict=True)
                )
                answers = [
                    self.type_of(response.prop, f"{at}/responses/{response.status_code.pattern}")
                    for response in endpoint.responses.patterns
                ]
                bodies = [self.type_of(body.prop, f"{at}/requestBody") for body in endpoint.bodies]
                yield (
                    (path, method),
                    ParsedOperation(
                        path,
                        method,
                        in_path,
                        in_query,
                        in_header,
                        body=bodies[0] if bodies else None,
                        answer=answers[0] if answers else None,
                    ),
                )

    def parameter_places(self, path: str, method: str) -> dict[tuple[str, str], str]:
        return {
            (location, name): place
            for (of_path, of_method, location, name), place in self.lowered.parameters.items()
            if (of_path, of_method) == (path, method)
        }

    def field(self, part: Any, at: str) -> ParsedField:
        return ParsedField(wire(part.name), self.type_of(part, at), bool(part.required))

    def type_of(self, part: Any, at: str) -> Type:
        """Return the type of a parsed property, with what lowering took out put back."""
        moved = self.lowered.types.get(at)
        if moved is not None:
            inner: Type = moved
        elif isinstance(part, ConstProperty):
            inner = Literal((part.value.raw_value,))
        elif isinstance(part, ListProperty):
            inner = ListOf(self.type_of(part.inner_property, at + "/items"))
        elif isinstance(part, ModelProperty):
            inner = Ref(self.lowered.components[str(part.class_info.name)])
        else:
            for kind, name in _SCALARS:
                if isinstance(part, kind):
                    inner = Scalar(name)
                    break
            else:
                raise ParserError(f"{at}: the parser read {type(part).__name__} here")
        return Nullable(inner) if at in self.lowered.nullable else inner


def wire(name: Any) -> str:
    """Return the text of one of the parser's guarded strings."""
    value = getattr(name, "get_untrusted_value", None)
    return str(name) if value is None else str(value())
