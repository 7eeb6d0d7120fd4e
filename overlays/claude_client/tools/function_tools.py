"""Tools made from functions: name, description and schema come from what the function says.

The docstring describes the tool and its parameters (Google, NumPy and reStructuredText styles),
annotations give their types, defaults make them optional. Arguments are checked and converted
before the function sees them.
"""

from __future__ import annotations

import functools
import inspect
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from ..structured_output.api_schema import plain_copy, to_api_schema
from ..structured_output.conversion import ConversionError, Converter
from ..structured_output.docstrings import parse_docstring
from ..structured_output.output_format import require_closed_objects
from ..structured_output.schema_check import find_violations
from ..structured_output.type_facts import (
    MISSING,
    Field,
    UnsupportedTypeError,
    described_by,
    type_hints,
    unwrap,
)
from ..structured_output.type_schemas import SchemaBuilder
from .errors import InvalidToolArgumentsError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from typing_extensions import TypedDict, Unpack

    from claude_rest.params import CacheControlEphemeralParam, ToolUnionParam

    class ToolFields(TypedDict, total=False):
        """Fields of a tool's definition that a function cannot say."""

        allowed_callers: list[Any]
        cache_control: CacheControlEphemeralParam | None
        defer_loading: bool
        eager_input_streaming: bool | None
        input_examples: list[Mapping[str, Any]]

    class ToolSettings(ToolFields, total=False):
        """What may be given beside the function."""

        name: str
        description: str
        strict: bool
        input_schema: Mapping[str, Any]


P = ParamSpec("P")
R = TypeVar("R")

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_POSITIONAL = inspect.Parameter.POSITIONAL_ONLY


class RunnableTool(ABC):
    """A tool that runs here. Subclass it for tools whose definitions no function gives."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the model calls the tool by."""

    @abstractmethod
    def to_param(self) -> ToolUnionParam:
        """Return the definition that goes into ``tools`` of a request."""

    @abstractmethod
    def call(self, arguments: Mapping[str, Any]) -> Any:
        """Run the tool; a coroutine function on tools for asynchronous clients.

        Returns text, content blocks or anything that JSON can say. What it raises is told to the
        model; :class:`~.errors.ToolError` says it in its own words.
        """

    def to_dict(self) -> ToolUnionParam:
        """Return :meth:`to_param`, under the name that the official SDK gives it."""
        return self.to_param()


class _FunctionTool(RunnableTool):
    """What both kinds of function tools share."""

    def __init__(self, function: Callable[..., Any], **settings: Any) -> None:
        self._function = function
        functools.update_wrapper(cast("Any", self), function, updated=())
        plain = _innermost(function)
        said = parse_docstring(plain.__doc__)
        self._name: str = settings.pop("name", None) or getattr(plain, "__name__", "")
        if not _NAME.fullmatch(self._name):
            raise ValueError(
                f"a tool cannot be named {self._name!r}: pass name=..., {_NAME.pattern}"
            )
        self.description: str = settings.pop("description", None) or said.description
        self._strict: bool | None = settings.pop("strict", None)
        given: Mapping[str, Any] | None = settings.pop("input_schema", None)
        self._fields, self._rest, self._positional = _parameters(function, said.parameters)
        self._schema_is_given = given is not None
        self._schema: dict[str, Any]
        if given is not None:
            self._schema = plain_copy(dict(given))
        else:
            builder = SchemaBuilder()
            schema = builder.object(self._fields)
            if self._rest is not None:
                rest = builder.schema(self._rest)
                schema["additionalProperties"] = rest or True
            self._schema = builder.whole(schema)
        self._api_schema = self._schema
        if self._strict:
            api = to_api_schema(self._schema)
            require_closed_objects(self._name, api)
            self._api_schema = api.schema
        self._settings: dict[str, Any] = settings

    @property
    def name(self) -> str:
        """What the model calls the tool by."""
        return self._name

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments as the API gets it."""
        return plain_copy(self._api_schema)  # type: ignore[no-any-return]

    def to_param(self) -> ToolUnionParam:
        """Return the definition that goes into ``tools`` of a request."""
        param: dict[str, Any] = {"name": self._name, "input_schema": self.input_schema}
        if self.description:
            param["description"] = self.description
        if self._strict is not None:
            param["strict"] = self._strict
        return cast("ToolUnionParam", {**param, **plain_copy(self._settings)})

    def bind(self, arguments: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments converted to the annotated types, for a call of the function.

        Raises :class:`~.errors.InvalidToolArgumentsError`.
        """
        given = dict(arguments)
        converter = Converter()
        known = {field.name for field in self._fields}
        rest = {} if self._rest is None else {k: v for k, v in given.items() if k not in known}
        own = {name: value for name, value in given.items() if name not in rest}
        try:
            converted = converter.fields(own, self._fields, "")
            for name, value in rest.items():
                converted[name] = converter.convert(value, self._rest, f"/{name}")
        except ConversionError as error:
            raise InvalidToolArgumentsError(self._name, error.violations) from error
        violations = tuple(
            found
            for found in find_violations(given, self._schema)
            # A set takes what is there twice as there once.
            if self._schema_is_given or found.keyword != "uniqueItems"
        )
        if violations:
            raise InvalidToolArgumentsError(self._name, violations)
        # One that was left out may stand before one that was not.
        defaults = {field.name: field.default for field in self._fields}
        positional = [converted.pop(name, defaults[name]) for name in self._positional]
        return positional, converted

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name})"


class FunctionTool(_FunctionTool, Generic[P, R]):
    """A tool made of a function; still callable as the function."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself."""
        result: R = self._function(*args, **kwargs)
        return result

    def call(self, arguments: Mapping[str, Any]) -> R:
        """Run the function with arguments as the model gives them.

        Raises :class:`~.errors.InvalidToolArgumentsError`, and what the function raises.
        """
        positional, named = self.bind(arguments)
        result: R = self._function(*positional, **named)
        return result


class AsyncFunctionTool(_FunctionTool, Generic[P, R]):
    """A tool made of a coroutine function; still callable as the function."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself."""
        result: R = await self._function(*args, **kwargs)
        return result

    async def call(self, arguments: Mapping[str, Any]) -> R:
        """Run the function with arguments as the model gives them.

        Raises :class:`~.errors.InvalidToolArgumentsError`, and what the function raises.
        """
        positional, named = self.bind(arguments)
        result: R = await self._function(*positional, **named)
        return result


class _MakesTool(Protocol):
    # A coroutine function is a function too: the first overload that fits is meant.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> AsyncFunctionTool[P, R]: ...

    @overload
    def __call__(self, function: Callable[P, R], /) -> FunctionTool[P, R]: ...


@overload
def tool(  # type: ignore[overload-overlap]
    function: Callable[P, Coroutine[Any, Any, R]], /, **settings: Unpack[ToolSettings]
) -> AsyncFunctionTool[P, R]: ...


@overload
def tool(function: Callable[P, R], /, **settings: Unpack[ToolSettings]) -> FunctionTool[P, R]: ...


@overload
def tool(**settings: Unpack[ToolSettings]) -> _MakesTool: ...


def tool(function: Any = None, /, **settings: Any) -> Any:
    """Make a tool of a function, plain or ``async``; with or without settings, as a decorator too.

    ::

        @tool
        def get_weather(city: str, unit: Literal["C", "F"] = "C") -> str:
            "Tell the weather of a city now."

    Args:
        function: What to make a tool of. Every parameter must be one that has a name.
        settings: ``name`` and ``description`` in place of the function's own, ``strict``, a whole
            ``input_schema``, and other fields of the definition, such as ``cache_control``.

    Raises:
        UnsupportedTypeError: the type of a parameter has no JSON Schema.
    """
    unknown = settings.keys() - _SETTINGS
    if unknown:
        raise TypeError(f"a tool has no settings {', '.join(sorted(unknown))}")

    def make(function: Callable[..., Any]) -> Any:
        kind: Any = AsyncFunctionTool if _is_async(function) else FunctionTool
        return kind(function, **settings)

    return make if function is None else make(function)


beta_tool = tool
"""The name of the official SDK."""
beta_async_tool = tool
"""The name of the official SDK; :func:`tool` takes both kinds of functions."""

_SETTINGS = frozenset(
    {
        "allowed_callers",
        "cache_control",
        "defer_loading",
        "description",
        "eager_input_streaming",
        "input_examples",
        "input_schema",
        "name",
        "strict",
    }
)


def _innermost(function: Any) -> Any:
    """Return what has the name, docstring and annotations of a callable."""
    plain = _without_partial(function)
    if inspect.isroutine(plain) or inspect.isclass(plain):
        return plain
    # An object that can be called: its class often says nothing about it, the method does.
    method: Any = plain.__call__
    return method if method.__doc__ else plain


def _without_partial(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = cast("Any", function).func
    return function


def _bound_names(function: Any) -> set[str]:
    """Return the names that ``partial`` has given values to: the program's, not the model's.

    To ``inspect`` they are defaults, which the model would read and could change.
    """
    names: set[str] = set()
    while isinstance(function, functools.partial):
        partial = cast("Any", function)
        names.update(partial.keywords)
        function = partial.func
    return names


def _is_async(function: Any) -> bool:
    plain = _without_partial(function)
    called = plain if inspect.isroutine(plain) else plain.__call__
    return inspect.iscoroutinefunction(called)


def _parameters(
    function: Callable[..., Any], said: Mapping[str, str]
) -> tuple[list[Field], Any, list[str]]:
    """Return the named parameters, the type of any others, and which have to go by position."""
    plain = _without_partial(function)
    if not inspect.isroutine(plain):
        plain = plain.__call__
    hints = type_hints(plain)
    fields: list[Field] = []
    rest: Any = None
    positional: list[str] = []
    bound = _bound_names(function)
    for name, parameter in inspect.signature(function).parameters.items():
        if name in bound:
            continue
        hint = hints.get(name, Any)
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            raise UnsupportedTypeError(f"*{name}: the model gives arguments by name only")
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            rest = hint
            continue
        if name in ("self", "cls") and not fields and name not in hints:
            raise UnsupportedTypeError("make the tool of the bound method: tool(object.method)")
        if parameter.kind is _POSITIONAL:
            positional.append(name)
        required = parameter.default is inspect.Parameter.empty
        default = MISSING if required else parameter.default
        description = described_by(unwrap(hint).metadata) or said.get(name)
        fields.append(Field(name, hint, required, default, description))
    return fields, rest, positional
