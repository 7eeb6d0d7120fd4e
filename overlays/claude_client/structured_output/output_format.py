"""What a reply has to look like, made from a Python type or a JSON Schema; and reading it.

Schemas are kept by class, weakly: they are plain JSON and do not keep the class alive.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeGuard, TypeVar
from weakref import WeakKeyDictionary

from claude_rest._runtime.codec import loads

from .api_schema import ApiSchema, Dropped, plain_copy, to_api_schema
from .conversion import ConversionError, convert
from .errors import (
    InvalidOutputError,
    NoOutputError,
    OutputNotJSONError,
    OutputRefusedError,
    OutputTruncatedError,
)
from .json_kinds import is_object
from .schema_check import Violation, find_violations, resolved
from .type_facts import UnsupportedTypeError, type_name
from .type_schemas import schema_of

if TYPE_CHECKING:
    from claude_rest.models import Message


T = TypeVar("T")

_LONG_NUMBER = re.compile("[0-9]{19}")
_TO_BE_CONTINUED = frozenset({"tool_use", "pause_turn", "compaction"})
_TRUNCATED = frozenset({"max_tokens", "model_context_window_exceeded"})


class _Schemas(NamedTuple):
    full: dict[str, Any]
    api: ApiSchema


_BY_CLASS: WeakKeyDictionary[type, _Schemas] = WeakKeyDictionary()


class OutputFormat(Generic[T]):
    """A Python type, or a JSON Schema, as the format of replies.

    Made from a dataclass, attrs class, TypedDict, NamedTuple, pydantic model, enum, any type that
    can be the field of one, or a dict that is a JSON Schema.
    """

    __slots__ = ("_schemas", "type")

    type: Any
    """What it was made from."""

    def __init__(self, type: Any) -> None:  # noqa: A002
        """Raises :class:`~.type_facts.UnsupportedTypeError` for what the API cannot be asked."""
        self.type = type
        self._schemas = _schemas_of(type)

    @classmethod
    def of(cls, given: Any) -> OutputFormat[Any]:
        """Return ``given`` if it is a format already, else the format that it stands for."""
        form: OutputFormat[Any] = given if issubclass(type(given), OutputFormat) else cls(given)
        return form

    @property
    def schema(self) -> dict[str, Any]:
        """The schema as the API takes it."""
        return plain_copy(self._schemas.api.schema)  # type: ignore[no-any-return]

    @property
    def full_schema(self) -> dict[str, Any]:
        """The whole schema; replies are checked against it."""
        return plain_copy(self._schemas.full)  # type: ignore[no-any-return]

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """What the API is not told, and is only checked here."""
        return self._schemas.api.dropped

    def to_param(self) -> dict[str, Any]:
        """Return ``output_config.format`` of a request."""
        return {"type": "json_schema", "schema": self.schema}

    def convert(self, value: Any) -> T:
        """Return the value that a JSON value stands for, checked against the whole schema.

        Raises :class:`~.conversion.ConversionError`.
        """
        if isinstance(self.type, Mapping):
            violations = find_violations(value, self._schemas.full)
            if violations:
                raise ConversionError(violations)
            unchanged: T = value
            return unchanged
        converted: T = convert(value, self.type)
        try:
            everything = find_violations(value, self._schemas.full)
        except RecursionError:
            raise ConversionError([Violation("", "type", "nested too deeply")]) from None
        # A set takes what is there twice as there once.
        violations = tuple(found for found in everything if found.keyword != "uniqueItems")
        if violations:
            raise ConversionError(violations)
        return converted

    def parse(self, message: Message) -> T:
        """Return what a reply says as a value.

        Raises:
            NoOutputError: it calls tools or is paused, and says nothing yet.
            OutputRefusedError: the model refused.
            OutputTruncatedError: it ends before its JSON does.
            OutputNotJSONError: its text is no JSON.
            InvalidOutputError: its value does not fit the type.
        """
        reason = message.stop_reason
        if reason == "refusal":
            raise OutputRefusedError(message)
        texts = [block.text for block in message.content if block.type == "text"]
        try:
            value = _json_of(texts)
        except ValueError as error:
            if reason in _TRUNCATED:
                raise OutputTruncatedError(message) from None
            if reason in _TO_BE_CONTINUED:
                raise NoOutputError(message) from None
            raise OutputNotJSONError(message, str(error)) from None
        try:
            return self.convert(value)
        except ConversionError as error:
            if reason in _TRUNCATED:
                raise OutputTruncatedError(message) from error
            if reason in _TO_BE_CONTINUED:
                raise NoOutputError(message) from None
            raise InvalidOutputError(message, error.violations) from error

    def __repr__(self) -> str:
        return f"OutputFormat({type_name(self.type)})"


def output_arguments(arguments: Mapping[str, Any], output_format: OutputFormat[Any]) -> Any:
    """Return the arguments of a request with the format in them.

    Raises ``TypeError`` when they have a format of their own.
    """
    given = arguments.get("output_config")
    config: dict[str, Any] = {**given} if _is_mapping(given) else {}
    if config.get("format") is not None:
        raise TypeError("output_format and output_config['format'] cannot both be given")
    return {**arguments, "output_config": {**config, "format": output_format.to_param()}}


def _schemas_of(hint: Any) -> _Schemas:
    if _is_mapping(hint):
        schema: Any = hint
        if schema.get("type") == "json_schema" and isinstance(schema.get("schema"), Mapping):
            # What output_config.format would be.
            schema = schema["schema"]
        full = plain_copy(dict(schema))
        return _Schemas(full, to_api_schema(full))
    if not isinstance(hint, type):
        return _made(hint)
    try:
        found = _BY_CLASS.get(hint)
    except TypeError:
        # list[int] calls itself a type, and is none that can be referred to weakly on all versions.
        return _made(hint)
    if found is None:
        found = _made(hint)
        if type(hint) is not type(list[int]):
            _BY_CLASS[hint] = found
    return found


def _made(hint: Any) -> _Schemas:
    full = schema_of(hint)
    api = to_api_schema(full)
    require_closed_objects(type_name(hint), api)
    return _Schemas(full, api)


def _json_of(texts: list[str]) -> Any:
    """Return the JSON value of a reply: its last text, or all of them in one."""
    texts = [text for text in texts if text.strip()]
    if not texts:
        raise ValueError("there is no text")
    try:
        return _exact(texts[-1])
    except ValueError:
        if len(texts) == 1:
            raise
    return _exact("".join(texts))


def _exact(text: str) -> Any:
    """Decode JSON without rounding integers beyond 64 bits, as the fast decoder does."""
    if _LONG_NUMBER.search(text) is not None:
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(text)
    return loads(text)


def _is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def require_closed_objects(name: str, api: ApiSchema) -> None:
    """Raise :class:`~.type_facts.UnsupportedTypeError` if a schema has objects of any names.

    The API would only let them be empty. Objects with further names beside known ones pass.
    """
    for drop in api.dropped:
        if drop.keyword == "additionalProperties" and not _at(api.schema, drop.pointer).get(
            "properties"
        ):
            raise UnsupportedTypeError(
                f"{name}, at {drop.pointer or '/'} of its schema: the API has no format for "
                "objects whose names are not known beforehand, such as dict[str, int]. Use a "
                "list of objects that have the name as a field."
            )


def _at(schema: dict[str, Any], pointer: str) -> dict[str, Any]:
    found = resolved(f"#{pointer}", schema)
    return found if is_object(found) else {}
