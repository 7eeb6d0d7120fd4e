"""What a Python type is made of: fields of classes, members of unions, what annotations add.

Shared by the schema of a type and by the conversion of values to it. Nothing about a user's class
is kept: a cache that held its fields would keep the class alive through them.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import sys
import types
import typing
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from typing_extensions import TypeIs

MISSING: Any = dataclasses.MISSING
"""Stands for the default of a field that has none."""


class UnsupportedTypeError(TypeError):
    """A type that has no JSON form, or none that the API takes."""


class Field(NamedTuple):
    """One field of a class whose values are JSON objects."""

    name: str
    """Name in JSON, and of the argument of the constructor."""
    type: Any
    required: bool
    default: Any
    """``MISSING`` when there is none, or when it is made anew for each object."""
    description: str | None


class Unwrapped(NamedTuple):
    """A type without ``Annotated``, ``NewType``, ``Required`` and type aliases around it."""

    type: Any
    metadata: tuple[Any, ...]
    """What ``Annotated`` had beside it, innermost first."""


def unwrap(hint: Any) -> Unwrapped:
    """Take off what does not change which values a type has."""
    metadata: tuple[Any, ...] = ()
    while True:
        origin = typing.get_origin(hint)
        if origin is Annotated:
            hint, *rest = typing.get_args(hint)
            metadata = (*rest, *metadata)
        elif _is_qualifier(origin):
            (hint,) = typing.get_args(hint)
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        elif type(origin).__name__ == "TypeAliasType":
            values = dict(zip(origin.__type_params__, typing.get_args(hint), strict=False))
            hint = substituted(origin.__value__, values)
        elif isinstance(hint, TypeVar):
            hint = hint.__bound__ or Any
        else:
            return Unwrapped(type(None) if hint is None else hint, metadata)


def _is_qualifier(origin: Any) -> bool:
    # By name: typing and typing_extensions each have their own.
    name = getattr(origin, "_name", None) or getattr(origin, "__name__", None)
    return name in ("Required", "NotRequired", "ReadOnly", "Final", "ClassVar") and (
        getattr(origin, "__module__", "") in ("typing", "typing_extensions")
    )


def key_of(hint: Any) -> Any:
    """Return what a type can be looked up by; what stands in ``Annotated`` need not have a hash."""
    try:
        hash(hint)
    except TypeError:
        return repr(hint)
    return hint


def union_members(hint: Any) -> tuple[Any, ...]:
    """Return the members of a union, empty for any other type."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return typing.get_args(hint)
    return ()


def literal_values(hint: Any) -> tuple[Any, ...] | None:
    """Return the values of a ``Literal``; None for any other type."""
    return typing.get_args(hint) if typing.get_origin(hint) is Literal else None


def is_enum(hint: Any) -> TypeIs[type[enum.Enum]]:
    """Return whether a type is an enum."""
    return isinstance(hint, type) and issubclass(hint, enum.Enum)


def pydantic_model(hint: Any) -> Any:
    """Return ``hint`` when it is a pydantic model class; pydantic is never imported for this."""
    pydantic = sys.modules.get("pydantic")
    base = getattr(pydantic, "BaseModel", None)
    if base is not None and isinstance(hint, type) and issubclass(hint, base):
        if not hasattr(hint, "model_json_schema"):
            raise UnsupportedTypeError(f"{hint.__qualname__}: pydantic 2 or later is needed")
        return hint
    return None


def is_typed_dict(cls: Any) -> bool:
    """Return whether a class is a TypedDict, of typing or typing_extensions."""
    is_dict = isinstance(cls, type) and issubclass(cls, dict)
    return is_dict and hasattr(cast("object", cls), "__total__")


def is_named_tuple(cls: Any) -> bool:
    """Return whether a class is a NamedTuple with annotated fields."""
    is_tuple = isinstance(cls, type) and issubclass(cls, tuple)
    return is_tuple and hasattr(cast("object", cls), "_field_defaults")


def class_fields(hint: Any) -> tuple[type, list[Field]] | None:
    """Return the class behind a type and its fields; None when its values are no objects.

    Knows dataclasses, attrs classes, TypedDicts and NamedTuples, generic ones with their
    arguments filled in.
    """
    origin = typing.get_origin(hint)
    cls: Any = origin if isinstance(origin, type) else hint
    if not inspect.isclass(cls):
        return None
    if "__dataclass_fields__" in dir(cls):
        fields = _dataclass_fields(cls)
    elif "__attrs_attrs__" in dir(cls):
        fields = _attrs_fields(cls)
    elif is_typed_dict(cls):
        fields = _typed_dict_fields(cls)
    elif is_named_tuple(cls):
        fields = _named_tuple_fields(cls)
    else:
        return None
    if origin is not None:
        parameters = getattr(origin, "__parameters__", ())
        values = dict(zip(parameters, typing.get_args(hint), strict=False))
        fields = [field._replace(type=substituted(field.type, values)) for field in fields]
    return cls, fields


def substituted(hint: Any, values: Mapping[Any, Any]) -> Any:
    """Return a type with its variables replaced."""
    if isinstance(hint, TypeVar):
        return values.get(hint, hint)
    parameters = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type):
        return hint
    return hint[tuple(values.get(parameter, parameter) for parameter in parameters)]


def type_hints(owner: Any) -> dict[str, Any]:
    """Return the annotations of a class or function, evaluated.

    Raises :class:`UnsupportedTypeError` when a name in them cannot be found: one of a class that
    is local to a function, most often.
    """
    try:
        return typing.get_type_hints(owner, include_extras=True)
    except NameError as error:
        name = getattr(owner, "__qualname__", owner)
        raise UnsupportedTypeError(
            f"{name}: {error}. Annotations that are strings can only name what their module has."
        ) from error


def described_by(metadata: Iterable[Any]) -> str | None:
    """Return the description that ``Annotated`` holds: a string, or what has one."""
    found: str | None = None
    for entry in metadata:
        if isinstance(entry, str):
            found = entry
        else:
            # typing_extensions.Doc, and Field of pydantic.
            for name in ("documentation", "description"):
                text = getattr(entry, name, None)
                if isinstance(text, str):
                    found = text
    return found


def own_docstring(cls: type) -> str | None:
    """Return the docstring that somebody wrote for a class."""
    text = cls.__dict__.get("__doc__")
    if not isinstance(text, str) or not text.strip():
        return None
    if text.startswith((f"{cls.__name__}(", "An enumeration.")):
        # Made by dataclass, NamedTuple or Enum.
        return None
    return inspect.cleandoc(text)


def type_name(hint: Any) -> str:
    """Return how a type is written."""
    if isinstance(hint, type) and not typing.get_args(hint):
        return "None" if hint is type(None) else hint.__name__
    return str(hint).replace("typing.", "")


def _field(name: str, hint: Any, default: Any, required: bool, text: Any = None) -> Field:
    metadata = unwrap(hint).metadata
    description = text if isinstance(text, str) else described_by(metadata)
    return Field(name, hint, required, default, description)


def _dataclass_fields(cls: type) -> list[Field]:
    hints = type_hints(cls)
    # In a dataclass of pydantic a default may be what says all about the field.
    said = getattr(cls, "__pydantic_fields__", {})
    return [
        _pydantic_field(field.name, said[field.name])
        if field.name in said
        else _field(
            field.name,
            hints.get(field.name, Any),
            field.default,
            field.default is MISSING and field.default_factory is MISSING,
            field.metadata.get("description"),
        )
        for field in dataclasses.fields(cls)
        if field.init
    ]


def _pydantic_field(name: str, info: Any) -> Field:
    hint = info.annotation
    for entry in info.metadata:
        hint = Annotated[hint, entry]
    alias = info.validation_alias
    return _field(
        alias if isinstance(alias, str) else name,
        hint,
        MISSING if info.is_required() else info.default,
        info.is_required(),
        info.description,
    )


def _attrs_fields(cls: Any) -> list[Field]:
    hints = type_hints(cls)
    fields: list[Field] = []
    for attribute in cls.__attrs_attrs__:
        if attribute.init:
            default = attribute.default
            required = getattr(default, "name", None) == "NOTHING"
            # A factory makes a new value each time.
            fixed = MISSING if required or hasattr(default, "takes_self") else default
            fields.append(
                _field(
                    attribute.alias or attribute.name.lstrip("_"),
                    hints.get(attribute.name, Any),
                    fixed,
                    required,
                    attribute.metadata.get("description"),
                )
            )
    return fields


def _typed_dict_fields(cls: Any) -> list[Field]:
    hints = type_hints(cls)
    fields: list[Field] = []
    for name, hint in hints.items():
        required = name in cls.__required_keys__
        # In a module with string annotations the class could not look into them.
        for outer in _qualifiers(hint):
            required = outer == "Required" if outer in ("Required", "NotRequired") else required
        fields.append(_field(name, hint, MISSING, required))
    return fields


def _qualifiers(hint: Any) -> list[str]:
    found: list[str] = []
    while True:
        origin = typing.get_origin(hint)
        if origin is Annotated:
            hint = typing.get_args(hint)[0]
        elif _is_qualifier(origin):
            found.append(getattr(origin, "_name", None) or origin.__name__)
            (hint,) = typing.get_args(hint)
        else:
            return found


def _named_tuple_fields(cls: Any) -> list[Field]:
    hints = type_hints(cls)
    defaults = cls._field_defaults
    return [
        _field(name, hints.get(name, Any), defaults.get(name, MISSING), name not in defaults)
        for name in cls._fields
    ]
