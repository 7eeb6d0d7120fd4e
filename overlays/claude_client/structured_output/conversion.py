"""JSON values become values of Python types.

Exact where it matters: no string becomes a number, ``true`` is not 1, objects have the fields of
their class and no others. Lenient where the API is: a string that differs from a member of an enum
or ``Literal`` in case only is taken for it.
"""

from __future__ import annotations

import enum
import typing
from typing import TYPE_CHECKING, Any, NamedTuple

from claude_rest._runtime.codec import dumps
from claude_rest._runtime.struct import Struct

from .api_schema import pointer_token
from .json_kinds import json_name
from .scalars import STRINGS, read_string
from .schema_check import Violation, same_json
from .type_facts import (
    Field,
    UnsupportedTypeError,
    class_fields,
    is_enum,
    is_typed_dict,
    key_of,
    literal_values,
    pydantic_model,
    type_name,
    union_members,
    unwrap,
)
from .type_schemas import LISTS, MAPPINGS, SETS

if TYPE_CHECKING:
    from collections.abc import Iterable


class ConversionError(ValueError):
    """A JSON value is none of a type."""

    violations: tuple[Violation, ...]

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__(show_violations(self.violations))


def show_violations(violations: Iterable[Violation]) -> str:
    """Return what is wrong in one line."""
    return "; ".join(f"{found.pointer or '/'}: {found.message}" for found in violations)


def convert(value: Any, hint: Any) -> Any:
    """Return the value of type ``hint`` that a JSON value stands for.

    Raises :class:`ConversionError`, and :class:`~.type_facts.UnsupportedTypeError` for a type that
    has no JSON form.
    """
    try:
        return Converter().convert(value, hint, "")
    except RecursionError:
        raise ConversionError([Violation("", "type", "nested too deeply")]) from None


class Converter:
    """Converts the parts of one value, and only one; looks up the fields of each class once."""

    def __init__(self) -> None:
        self._classes: dict[Any, tuple[type, list[Field]] | None] = {}
        self._objects: dict[tuple[str, Any], Any] = {}

    def convert(self, value: Any, hint: Any, at: str) -> Any:
        """Return the value that stands at the JSON pointer ``at``."""
        hint = unwrap(hint).type
        if hint is Any or hint is object:
            return value
        if type(hint) is type and hint in _CHECKED:
            return _checked(value, hint, at)
        if type(hint) is type and hint in STRINGS:
            return _read(value, hint, at)
        literals = literal_values(hint)
        if literals is not None:
            return _chosen(value, [(_plain(choice), choice) for choice in literals], at)
        members = union_members(hint)
        if members:
            return self._member(value, members, at)
        if is_enum(hint):
            return _chosen(value, [(member.value, member) for member in hint], at)
        model = pydantic_model(hint)
        if model is not None:
            return _validated(value, model, at)
        key = key_of(hint)
        if key not in self._classes:
            is_model = isinstance(hint, type) and issubclass(hint, Struct)
            self._classes[key] = None if is_model else class_fields(hint)
        found = self._classes[key]
        if found is None:
            return self._container(value, hint, at)
        # Members of a union have fields of the same types: each place is converted to each type
        # once, or the work would double with every level.
        result = self._objects.get((at, key))
        if result is None:
            try:
                result = self._object(value, *found, at)
            except ConversionError as error:
                result = error
            self._objects[at, key] = result
        if isinstance(result, ConversionError):
            raise ConversionError(result.violations)
        return result

    def fields(self, value: Any, fields: Iterable[Field], at: str) -> dict[str, Any]:
        """Return the converted fields of an object by name; those left out stay so."""
        given = _require(value, dict, "an object", at)
        problems: list[Violation] = []
        converted: dict[str, Any] = {}
        known: set[str] = set()
        for field in fields:
            known.add(field.name)
            if field.name in given:
                try:
                    converted[field.name] = self.convert(
                        given[field.name], field.type, f"{at}/{pointer_token(field.name)}"
                    )
                except ConversionError as error:
                    problems += error.violations
            elif field.required:
                problems.append(Violation(at, "required", f"{field.name!r} is missing"))
        problems += [
            Violation(f"{at}/{pointer_token(name)}", "additionalProperties", "has no place here")
            for name in given
            if name not in known
        ]
        if problems:
            raise ConversionError(problems)
        return converted

    def _object(self, value: Any, cls: Any, fields: list[Field], at: str) -> Any:
        converted = self.fields(value, fields, at)
        if is_typed_dict(cls):
            return converted
        try:
            return cls(**converted)
        except Exception as error:
            # From __post_init__, a validator or a converter of the class: whatever it is, the
            # value is none of the class, and the reply must not be lost with it.
            message = str(error) or type(error).__name__
            raise ConversionError([Violation(at, "type", message)]) from error

    def _member(self, value: Any, members: tuple[Any, ...], at: str) -> Any:
        plain = [unwrap(member).type for member in members]
        if type(value) in plain and not isinstance(value, (str, list, dict)):
            # 1 stays an int where a float comes first.
            return value
        problems: list[tuple[Violation, ...]] = []
        for member in members:
            try:
                return self.convert(value, member, at)
            except ConversionError as error:
                problems.append(error.violations)
        # The member that came furthest is the one that was meant.
        closest = max(problems, key=lambda found: max(len(p.pointer) for p in found))
        if max(len(problem.pointer) for problem in closest) > len(at):
            raise ConversionError(closest)
        messages = " or ".join(dict.fromkeys(found[0].message for found in problems))
        raise ConversionError([Violation(at, "anyOf", messages)])

    def _container(self, value: Any, hint: Any, at: str) -> Any:
        origin = typing.get_origin(hint) or hint
        arguments = typing.get_args(hint)
        if origin in LISTS or origin in SETS:
            items = self._items(value, arguments[0] if arguments else Any, at)
            if origin in LISTS:
                return items
            try:
                return frozenset(items) if origin is frozenset else set(items)
            except TypeError as error:
                raise UnsupportedTypeError(f"{type_name(hint)}: {error}") from error
        if origin is tuple:
            return self._tuple(value, arguments, at)
        if origin in MAPPINGS:
            given = _require(value, dict, "an object", at)
            key, item = arguments or (Any, Any)
            return {
                self.convert(name, key, at): self.convert(part, item, f"{at}/{pointer_token(name)}")
                for name, part in given.items()
            }
        raise UnsupportedTypeError(f"{type_name(hint)} cannot be used: it has no JSON form")

    def _items(self, value: Any, item: Any, at: str) -> list[Any]:
        given: list[Any] = _require(value, list, "an array", at)
        if item is Any:
            return given
        return [self.convert(part, item, f"{at}/{index}") for index, part in enumerate(given)]

    def _tuple(self, value: Any, arguments: tuple[Any, ...], at: str) -> tuple[Any, ...]:
        if not arguments or (len(arguments) == 2 and arguments[1] is Ellipsis):
            return tuple(self._items(value, arguments[0] if arguments else Any, at))
        given = _require(value, list, "an array", at)
        places = () if arguments == ((),) else arguments
        if len(given) != len(places):
            message = f"{len(given)} items, where there must be {len(places)}"
            raise ConversionError([Violation(at, "prefixItems", message)])
        return tuple(
            self.convert(part, place, f"{at}/{index}")
            for index, (part, place) in enumerate(zip(given, places, strict=True))
        )


class _Kind(NamedTuple):
    name: str
    types: tuple[type, ...]


_CHECKED: dict[Any, _Kind] = {
    bool: _Kind("true or false", (bool,)),
    float: _Kind("a number", (int, float)),
    int: _Kind("an integer", (int, float)),
    str: _Kind("a string", (str,)),
    type(None): _Kind("null", (type(None),)),
}


def _checked(value: Any, hint: Any, at: str) -> Any:
    kind = _CHECKED[hint]
    fits = isinstance(value, kind.types) and (hint is bool or not isinstance(value, bool))
    if fits and hint is int and isinstance(value, float):
        # JSON has one kind of number: 3.0 is the integer 3.
        fits = value.is_integer()
    if not fits:
        raise _unlike(value, kind.name, at)
    if hint is int or hint is float:
        try:
            return hint(value)
        except OverflowError as error:
            raise ConversionError([Violation(at, "type", str(error))]) from error
    return value


def _read(value: Any, hint: Any, at: str) -> Any:
    if not isinstance(value, str):
        raise _unlike(value, "a string", at)
    try:
        return read_string(hint, value)
    except ValueError as error:
        raise ConversionError([Violation(at, "format", str(error))]) from error


def _plain(choice: Any) -> Any:
    return choice.value if isinstance(choice, enum.Enum) else choice


def _chosen(value: Any, choices: list[tuple[Any, Any]], at: str) -> Any:
    for plain, choice in choices:
        if same_json(value, plain):
            return choice
    if isinstance(value, str):
        alike = [
            choice
            for plain, choice in choices
            if isinstance(plain, str) and plain.casefold() == value.casefold()
        ]
        if len(alike) == 1:
            return alike[0]
    message = f"{value!r} is none of {', '.join(repr(plain) for plain, _ in choices)}"
    raise ConversionError([Violation(at, "enum", message)])


def _validated(value: Any, model: Any, at: str) -> Any:
    try:
        # From JSON, not from Python values: strict models read dates there.
        return model.model_validate_json(dumps(value))
    except Exception as error:
        found = getattr(error, "errors", None)
        if not callable(found):
            message = str(error) or type(error).__name__
            raise ConversionError([Violation(at, "type", message)]) from error
        details: Any = found(include_url=False, include_context=False)
        raise ConversionError(
            Violation(
                at + "".join(f"/{pointer_token(step)}" for step in detail["loc"]),
                str(detail["type"]),
                str(detail["msg"]),
            )
            for detail in details
        ) from error


def _require(value: Any, kind: type, name: str, at: str) -> Any:
    if not isinstance(value, kind):
        raise _unlike(value, name, at)
    return value


def _unlike(value: Any, name: str, at: str) -> ConversionError:
    return ConversionError([Violation(at, "type", f"{name} expected, not {json_name(value)}")])
