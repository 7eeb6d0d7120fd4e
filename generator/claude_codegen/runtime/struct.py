"""What all generated response models share: encoding, equality, unknown members, lazy decoders."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from .meta import AnswerFacts
from .unset import UNSET

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable, Mapping
    from typing import Literal

    from attrs import field as _field
    from typing_extensions import Self, dataclass_transform

    from .meta import Meta

    class _OtherTag(enum.Enum):
        OTHER = "other"

else:

    def dataclass_transform(**_: Any) -> Callable[[Any], Any]:  # noqa: D103 - known to editors
        return lambda decorated: decorated

    _field = None

S = TypeVar("S")

_WIRE_NAMES: dict[type, tuple[tuple[str, str], ...]] = {}


class Struct:
    """Base of all response models.

    A model keeps what it does not know: fields the schema lacks are held and sent back by
    :meth:`to_dict`, so decoding and encoding returns the same JSON. Equality, ``repr`` and
    encoding ignore :attr:`meta`.
    """

    __slots__ = ("__weakref__", "_extra", "_meta")

    _extra: dict[str, Any]
    _meta: Meta

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # A decoder assigns what the server sent and nothing else, so that absent fields cost
            # nothing; an empty slot reads as UNSET.
            if any(name == attribute for attribute, _ in wire_names(self.__class__)):
                return UNSET
            raise AttributeError(f"{self.__class__.__name__!r} object has no attribute {name!r}")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, strict: bool = False) -> Self:
        """Decode one JSON object.

        Unknown fields, enum values and union members are kept; a field of an unexpected type is
        kept as it came. With ``strict=True`` all of these raise
        :class:`~.strict.StrictDecodingError`, which lists each with its JSON pointer.
        """
        model: Self = sys.modules[cls.__module__].DECODERS[cls.__name__](dict(data))
        if strict:
            from .strict import check

            check(model)
        return model

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object this model came from, or would be sent as.

        Absent fields are left out, explicit nulls stay. Values of free-form fields are copied as
        far as they consist of dicts and lists.
        """
        encoded: dict[str, Any] = {}
        for attribute, wire_name in wire_names(self.__class__):
            value = getattr(self, attribute, UNSET)
            if value is not UNSET:
                encoded[wire_name] = encode(value)
        extra = self.extra_fields
        if extra:
            encoded.update((name, encode(value)) for name, value in extra.items())
        return encoded

    def _part(self, *attributes: str) -> dict[str, Any]:
        """Return the JSON object of some of the fields; those that are absent stay so."""
        return {
            wire_name: encode(value)
            for attribute, wire_name in wire_names(self.__class__)
            if attribute in attributes and (value := getattr(self, attribute, UNSET)) is not UNSET
        }

    def to_json(self) -> bytes:
        """Return :meth:`to_dict` as UTF-8 JSON without white space."""
        from .codec import dumps

        return dumps(self.to_dict())

    @property
    def meta(self) -> Meta | None:
        """Metadata of the response this model is the body of; ``None`` on nested models."""
        return getattr(self, "_meta", None)

    @property
    def extra_fields(self) -> dict[str, Any]:
        """Fields the server sent that this version's schema does not know."""
        # Read through the slot: __getattr__ would walk the fields first.
        try:
            fields: dict[str, Any] = object.__getattribute__(self, "_extra")
        except AttributeError:
            return {}
        return fields

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other.__class__ is not self.__class__ or not isinstance(other, Struct):
            return NotImplemented
        return self.extra_fields == other.extra_fields and all(
            getattr(self, name, UNSET) == getattr(other, name, UNSET)
            for name, _ in wire_names(self.__class__)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = [
            f"{name}={value!r}"
            for name, _ in wire_names(self.__class__)
            if (value := getattr(self, name, UNSET)) is not UNSET
        ]
        fields.extend(f"{name}={value!r}" for name, value in self.extra_fields.items())
        return f"{self.__class__.__name__}({', '.join(fields)})"


class Answer(Struct, AnswerFacts):
    """Base of the models that are the whole answer of some operation.

    Where such a model is part of another answer, as a message is of a batch result, there is no
    response of its own: its ``meta``, ``request_id`` and so on are ``None``. A field of the wire
    with one of these names hides what comes from the response; ``meta`` has it all the same.
    """

    __slots__ = ()


class Unknown(Struct):
    """An object of a union whose tag this version of the schema does not know.

    ``type`` is the tag as the server sent it. For type checkers it is a literal that equals no
    tag of the API, so that comparing ``.type`` narrows a union to its known member; read
    :attr:`tag` where a plain string is wanted.
    """

    __slots__ = ("raw", "type")

    if TYPE_CHECKING:
        type: Literal[_OtherTag.OTHER]
    raw: dict[str, Any]

    def __init__(self, type: str, raw: dict[str, Any]) -> None:  # noqa: A002
        object.__setattr__(self, "type", type)
        self.raw = raw

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, strict: bool = False) -> Unknown:  # noqa: ARG003
        """Wrap ``data``; the tag is its ``type``. ``strict`` is accepted and has no effect."""
        return cls(data.get("type", ""), dict(data))

    @property
    def tag(self) -> str:
        """The discriminator value as sent, for example ``"hologram_block"``."""
        tag: str = self.__getattribute__("type")
        return tag

    def to_dict(self) -> dict[str, Any]:
        """Return the object as the server sent it, copied as the fields of a model are."""
        copied: dict[str, Any] = encode(self.raw)
        return copied

    def to_param(self) -> Any:
        """Return the object as the server sent it, to go back into a request."""
        return self.to_dict()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Unknown):
            return NotImplemented
        return self.raw == other.raw

    __hash__ = None

    def __repr__(self) -> str:
        return f"Unknown(type={self.type!r}, raw={self.raw!r})"


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(_field,))
def model(cls: type[S]) -> type[S]:
    """Make ``cls`` an attrs class with slots and keyword arguments.

    Equality, ``repr`` and pickling come from :class:`Struct` once instead of being compiled for
    each class: that is most of the cost of creating one.
    """
    from attrs import define

    return define(kw_only=True, eq=False, repr=False, getstate_setstate=False, weakref_slot=False)(
        cls
    )


def wire_names(cls: type) -> tuple[tuple[str, str], ...]:
    """Return ``(attribute, wire name)`` of each field of a model, in order of declaration."""
    try:
        return _WIRE_NAMES[cls]
    except KeyError:
        names = tuple(
            (attribute.name, attribute.metadata.get("wire_name", attribute.name))
            for attribute in getattr(cls, "__attrs_attrs__", ())
        )
        _WIRE_NAMES[cls] = names
        return names


def encode(value: Any) -> Any:
    """Return ``value`` with every model in it as the JSON object it stands for."""
    if isinstance(value, Struct):
        return value.to_dict()
    if value.__class__ is list or value.__class__ is dict:
        try:
            return _encode_container(value)
        except RecursionError:
            # No typed field nests this deep: it is free-form JSON, shared as it is.
            return value
    text = getattr(value, "wire_text", None)
    return value if text is None else text


def _encode_container(value: Any) -> Any:
    if value.__class__ is list:
        return [_encode_container(item) for item in value]
    if value.__class__ is dict:
        return {name: _encode_container(item) for name, item in value.items()}
    if isinstance(value, Struct):
        return value.to_dict()
    text = getattr(value, "wire_text", None)
    return value if text is None else text


def extra(data: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Return the fields of ``data`` that are not ``known``."""
    return {name: value for name, value in data.items() if name not in known}


def fill(data: dict[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    """Return ``data`` with :data:`UNSET` for each required field the server left out."""
    return {**dict.fromkeys(required, UNSET), **data}


class Decoders(dict[str, "Callable[[Any], Any]"]):
    """Decoders by component name; a module is imported when one of its types is first needed.

    Creating a model class costs far more than decoding with it, so a program pays only for the
    types it meets.
    """

    lists: _ListDecoders
    """Decoders of lists by the component of their items; what is no object stays as it came."""

    def __init__(self, modules: Mapping[str, str], package: str) -> None:
        """Take the module of each component, relative to ``package``."""
        super().__init__()
        self._modules = modules
        self._package = package
        self.lists = _ListDecoders(self)

    def __missing__(self, name: str) -> Callable[[Any], Any]:
        module = import_module(f".{self._modules[name]}", self._package)
        decode: Callable[[Any], Any] | None = module.DECODERS.get(name)
        if decode is None:
            # An enum: its values are plain strings.
            raise KeyError(name)
        self.update(module.DECODERS)
        return decode

    def decode_map(self, name: str, values: dict[str, Any]) -> dict[str, Any]:
        """Decode each object among the values of a map; anything else stays as it came."""
        decode = self[name]
        return {
            key: decode(value) if type(value) is dict else value for key, value in values.items()
        }


class _ListDecoders(dict[str, "Callable[[list[Any]], list[Any]]"]):
    def __init__(self, decoders: Decoders) -> None:
        super().__init__()
        self._decoders = decoders

    def __missing__(self, name: str) -> Callable[[list[Any]], list[Any]]:
        decode_list = self[name] = _list_decoder(self._decoders[name])
        return decode_list


def _list_decoder(decode: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    of_union: Callable[[list[Any]], list[Any]] | None = getattr(decode, "decode_list", None)
    if of_union is not None:
        return of_union

    def decode_list(values: list[Any]) -> list[Any]:
        return [decode(value) if type(value) is dict else value for value in values]

    return decode_list


class TaggedUnion:
    """Decoder of a union of objects told apart by one property: one dict lookup per object."""

    __slots__ = ("_decoders", "_default", "_members", "_tag", "decode", "ready")

    decode: Callable[[Any], Any]
    """Decode one member; an unknown tag gives :class:`Unknown`, a non-object itself."""

    ready: dict[Any, Callable[[Any], Any]]
    """Decoders of the tags met so far, for callers that go to :meth:`decode_carefully` without."""

    def __init__(
        self,
        tag: str,
        members: Mapping[str, str],
        decoders: Decoders,
        default: str | None = None,
    ) -> None:
        """Take the tag property and the component of each tag value.

        ``default`` is the member that an object is whose tag is absent or null.
        """
        self._tag = tag
        self._members = members
        self._decoders = decoders
        self._default = default
        ready: dict[Any, Callable[[Any], Any]] = {}
        self.ready = ready

        def decode(value: Any) -> Any:
            try:
                return ready[value[tag]](value)
            except (KeyError, TypeError):
                # No object, no usable tag, or a tag not met before. An error of a member's own
                # decoder comes up again there.
                return self.decode_carefully(value)

        def decode_list(values: list[Any]) -> list[Any]:
            try:
                return [ready[value[tag]](value) for value in values]
            except (KeyError, TypeError):
                return [decode(value) for value in values]

        self.decode = decode
        decode.decode_list = decode_list  # type: ignore[attr-defined]

    def decode_carefully(self, value: Any) -> Any:
        """Decode what may have no tag, one not met before, or be no object."""
        if value.__class__ is not dict:
            return value
        tag = value.get(self._tag)
        if tag is None:
            name = self._default
        else:
            name = self._members.get(tag) if isinstance(tag, str) else None
        if name is None:
            # Not remembered: the number of unknown tags a server can send has no bound.
            return Unknown(value.get(self._tag, ""), value)
        decode = self.ready[tag] = self._decoders[name]
        return decode(value)
