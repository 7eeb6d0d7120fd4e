"""Types of the intermediate representation: what a field, a parameter or a component holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal as TypingLiteral

ScalarName = TypingLiteral["str", "int", "float", "bool", "datetime", "base64", "bytes", "any"]


@dataclass(frozen=True)
class Scalar:
    """A string, number, boolean, date or anything at all."""

    name: ScalarName


@dataclass(frozen=True)
class Literal:
    """One or several fixed values; ``open`` means that others of the kind may occur."""

    values: tuple[str | int | bool, ...]
    open: bool = False


@dataclass(frozen=True)
class ListOf:
    """An array."""

    item: Type


@dataclass(frozen=True)
class MapOf:
    """An object with any keys."""

    value: Type


@dataclass(frozen=True)
class Ref:
    """Another component, by name."""

    name: str


@dataclass(frozen=True)
class Nullable:
    """The inner type or ``null``."""

    inner: Type


@dataclass(frozen=True)
class OneOf:
    """One of several types that their JSON kind tells apart."""

    variants: tuple[Type, ...]


@dataclass(frozen=True)
class Tagged:
    """A union of objects told apart by one property."""

    tag: str
    members: tuple[tuple[str, str], ...]
    """Component of each tag value, sorted by tag value."""
    default: str | None = None
    """Component of an object without the property."""
    order: tuple[str, ...] = ()
    """Components in the order the spec lists them."""


Type = Scalar | Literal | ListOf | MapOf | Ref | Nullable | OneOf | Tagged


def walk(root: Type) -> Iterator[Type]:
    """Yield ``root`` and every type inside it; components are named, not entered."""
    yield root
    match root:
        case ListOf(item):
            yield from walk(item)
        case MapOf(value):
            yield from walk(value)
        case Nullable(inner):
            yield from walk(inner)
        case OneOf(variants):
            for variant in variants:
                yield from walk(variant)
        case _:
            return


def holds_files(root: Type) -> bool:
    """Tell whether a value of this type is a file or a list of files."""
    return Scalar("bytes") in walk(root)


def holds_base64(root: Type) -> bool:
    """Tell whether base64 is in a value of this type, for which content may stand in requests."""
    return Scalar("base64") in walk(root)


def references(root: Type) -> Iterator[str]:
    """Yield the name of every component that ``root`` mentions."""
    for part in walk(root):
        if isinstance(part, Ref):
            yield part.name
        elif isinstance(part, Tagged):
            for _, name in part.members:
                yield name
            if part.default is not None:
                yield part.default


@dataclass(frozen=True)
class BetaNeed:
    """Which flag something needs: ``x-beta`` in full."""

    any_of: tuple[str, ...]
    default: str
    unless_model: tuple[str, ...] = ()
    via_beta_namespace: bool = False


@dataclass(frozen=True)
class VersionSpan:
    """Versions that accept something: ``x-api-version``."""

    since: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class EnumNote:
    """What ``x-enum`` says of one value."""

    description: str = ""
    beta: BetaNeed | None = None
    version: VersionSpan | None = None
    deprecated: bool = False


@dataclass(frozen=True)
class Field:
    """One property of an object component."""

    name: str
    """Python attribute."""
    wire_name: str
    type: Type
    required: bool
    description: str = ""
    beta: BetaNeed | None = None
    version: VersionSpan | None = None
    enum_notes: dict[str, EnumNote] = field(default_factory=dict[str, EnumNote], hash=False)
    deprecated: bool = False
    versions_within: dict[str, VersionSpan] = field(
        default_factory=dict[str, VersionSpan], hash=False
    )
    """Bounds that hold for parts of the value in this place only: ``x-api-version-within``."""


@dataclass(frozen=True)
class Component:
    """A named schema: an object with fields, or an alias for another type."""

    name: str
    module: str
    """Dotted module below ``models`` and ``params``, from the spec file it stands in."""
    description: str
    sides: frozenset[str]
    """``request``, ``response`` or both."""
    fields: tuple[Field, ...] = ()
    alias: Type | None = None
    beta: BetaNeed | None = None
    version: VersionSpan | None = None
    enum_notes: dict[str, EnumNote] = field(default_factory=dict[str, EnumNote], hash=False)
    free_form: bool = False
    """An object whose further keys mean something, such as a JSON Schema."""

    @property
    def is_object(self) -> bool:
        """Whether the component has fields of its own."""
        return self.alias is None
