"""The JSON Schema of a Python type."""

from __future__ import annotations

import collections.abc
import enum
import typing
from math import isfinite
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.struct import Struct

from .api_schema import plain_copy
from .docstrings import parse_docstring
from .json_kinds import is_array, is_object, is_sequence
from .scalars import STRINGS
from .type_facts import (
    MISSING,
    UnsupportedTypeError,
    class_fields,
    described_by,
    is_enum,
    key_of,
    literal_values,
    own_docstring,
    pydantic_model,
    type_name,
    union_members,
    unwrap,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .type_facts import Field

_SIMPLE: dict[Any, dict[str, Any]] = {
    Any: {},
    object: {},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    int: {"type": "integer"},
    str: {"type": "string"},
    type(None): {"type": "null"},
}
LISTS = frozenset(
    {
        list,
        collections.abc.Collection,
        collections.abc.Iterable,
        collections.abc.MutableSequence,
        collections.abc.Sequence,
    }
)
"""Types that a JSON array is a list for."""
SETS = frozenset({set, frozenset, collections.abc.Set, collections.abc.MutableSet})
MAPPINGS = frozenset({dict, collections.abc.Mapping, collections.abc.MutableMapping})
REFERENCE = "#/$defs/"

# What annotated-types, pydantic and others call a constraint, and what JSON Schema does: for
# numbers, strings, arrays and objects where they differ.
_NUMBER_LIMITS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_LENGTHS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


def schema_of(hint: Any) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a Python type.

    Classes are in ``$defs`` and referred to, except the outermost one if it is not recursive.
    Raises :class:`~.type_facts.UnsupportedTypeError`, with the way to the part that has no schema.
    """
    builder = SchemaBuilder()
    schema = builder.schema(hint)
    return builder.whole(schema)


class SchemaBuilder:
    """Makes schemas of several types that share their definitions."""

    def __init__(self) -> None:
        self.definitions: dict[str, dict[str, Any]] = {}
        self._names: dict[Any, str] = {}
        self._referred: dict[str, int] = {}

    def whole(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return ``schema`` with the definitions it refers to."""
        definitions = dict(self.definitions)
        reference = schema.get("$ref", "")
        name = reference.removeprefix(REFERENCE)
        if len(schema) == 1 and name in definitions and self._referred.get(name) == 1:
            schema = definitions.pop(name)
        return {**schema, "$defs": definitions} if definitions else schema

    def schema(self, hint: Any, path: str = "") -> dict[str, Any]:
        """Return the schema of a type; of a class, a reference to its definition."""
        plain = unwrap(hint)
        schema = self._unannotated(plain.type, path)
        return _annotated(schema, plain.metadata) if plain.metadata else schema

    def field(self, field: Field, path: str) -> dict[str, Any]:
        """Return the schema of a field with its description and default."""
        schema = self.schema(field.type, f"{path}.{field.name}" if path else field.name)
        added: dict[str, Any] = {}
        if field.description:
            added["description"] = field.description
        default = json_default(field.default)
        if default is not MISSING:
            added["default"] = default
        return {**schema, **added} if added else schema

    def object(self, fields: Iterable[Field], path: str = "") -> dict[str, Any]:
        """Return the schema of objects with exactly these fields."""
        fields = list(fields)
        return {
            "type": "object",
            "properties": {field.name: self.field(field, path) for field in fields},
            "required": [field.name for field in fields if field.required],
            "additionalProperties": False,
        }

    def _unannotated(self, hint: Any, path: str) -> dict[str, Any]:
        try:
            simple = _SIMPLE.get(hint)
        except TypeError:
            simple = None
        if simple is not None:
            return dict(simple)
        if type(hint) is type and hint in STRINGS:
            form = STRINGS[hint]
            return {"type": "string"} if form is None else {"type": "string", "format": form}
        literals = literal_values(hint)
        if literals is not None:
            return _choice([v.value if isinstance(v, enum.Enum) else v for v in literals], path)
        members = union_members(hint)
        if members:
            return self._union(members, path)
        if is_enum(hint):
            return self._named(hint, lambda: _choice([m.value for m in hint], path, hint))
        if pydantic_model(hint) is not None:
            return self._pydantic(hint)
        found = None if isinstance(hint, type) and issubclass(hint, Struct) else class_fields(hint)
        if found is not None:
            cls, fields = found
            said = parse_docstring(own_docstring(cls))

            def build() -> dict[str, Any]:
                schema = self.object(
                    [
                        field._replace(
                            description=field.description or said.parameters.get(field.name)
                        )
                        for field in fields
                    ],
                    path or cls.__name__,
                )
                return {"description": said.description, **schema} if said.description else schema

            return self._named(hint, build)
        return self._container(hint, path)

    def _union(self, members: Iterable[Any], path: str) -> dict[str, Any]:
        schemas: list[dict[str, Any]] = []
        for member in members:
            schema = self.schema(member, path)
            if schema not in schemas:
                schemas.append(schema)
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def _container(self, hint: Any, path: str) -> dict[str, Any]:
        origin = typing.get_origin(hint) or hint
        arguments = typing.get_args(hint)
        if not isinstance(origin, type):
            raise _unsupported(hint, path, "it is no type")
        if origin in LISTS or origin in SETS:
            schema: dict[str, Any] = {"type": "array"}
            if arguments:
                schema["items"] = self.schema(arguments[0], f"{path}[]")
            if origin in SETS:
                schema["uniqueItems"] = True
            return schema
        if origin is tuple:
            return self._tuple(arguments, path)
        if origin in MAPPINGS:
            schema = {"type": "object", "additionalProperties": True}
            if arguments:
                key = unwrap(arguments[0]).type
                if key not in (str, Any) and literal_values(key) is None and not is_enum(key):
                    raise _unsupported(hint, path, "names in JSON objects are strings")
                values = self.schema(arguments[1], f"{path}{{}}")
                schema["additionalProperties"] = values or True
            return schema
        raise _unsupported(hint, path, "it has no JSON form")

    def _tuple(self, arguments: tuple[Any, ...], path: str) -> dict[str, Any]:
        if not arguments:
            return {"type": "array"}
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", "items": self.schema(arguments[0], f"{path}[]")}
        if arguments == ((),):
            arguments = ()
        places = [self.schema(part, f"{path}[{at}]") for at, part in enumerate(arguments)]
        return {
            "type": "array",
            "prefixItems": places,
            "items": False,
            "minItems": len(places),
            "maxItems": len(places),
        }

    def _named(self, hint: Any, build: typing.Callable[[], dict[str, Any]]) -> dict[str, Any]:
        key = key_of(hint)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = self._free_name(hint)
            # Taken while it is built, so that a class that holds itself ends.
            self.definitions[name] = {}
            self.definitions[name] = build()
        self._referred[name] = self._referred.get(name, 0) + 1
        return {"$ref": f"{REFERENCE}{name}"}

    def _free_name(self, key: Any) -> str:
        plain = "".join(c if c.isalnum() or c == "_" else "_" for c in type_name(key))
        name, number = plain, 1
        while name in self.definitions:
            number += 1
            name = f"{plain}_{number}"
        return name

    def _pydantic(self, model: Any) -> dict[str, Any]:
        if model in self._names:
            return self._named(model, dict)
        schema: dict[str, Any] = plain_copy(model.model_json_schema(mode="validation"))
        inner = schema.pop("$defs", {})
        renamed: dict[str, str] = {}
        for name, definition in inner.items():
            new = name
            while new in self.definitions and self.definitions[new] != definition:
                new += "_2"
            renamed[f"{REFERENCE}{name}"] = f"{REFERENCE}{new}"
            self.definitions[new] = definition
            # Named by pydantic, perhaps from elsewhere: it stays a definition.
            self._referred[new] = self._referred.get(new, 0) + 2
        if any(old != new for old, new in renamed.items()):
            for reference in renamed.values():
                name = reference.removeprefix(REFERENCE)
                self.definitions[name] = _renamed(self.definitions[name], renamed)
            schema = _renamed(schema, renamed)
        if "$ref" in schema:
            # Recursive: pydantic has made a definition of it already.
            return schema
        return self._named(model, lambda: schema)


def json_default(default: Any) -> Any:
    """Return a default as JSON; ``MISSING`` when there is none that JSON can say."""
    if isinstance(default, enum.Enum):
        default = default.value
    if isinstance(default, float) and not isfinite(default):
        return MISSING
    return default if default is None or isinstance(default, (bool, int, float, str)) else MISSING


def _choice(values: list[Any], path: str, cls: type | None = None) -> dict[str, Any]:
    for value in values:
        if value is not None and not isinstance(value, (bool, int, float, str)):
            raise UnsupportedTypeError(f"{path or 'the type'}: {value!r} has no JSON form")
    schema: dict[str, Any] = {}
    description = None if cls is None else own_docstring(cls)
    if description:
        schema["description"] = description
    kinds: set[Any] = {type(value) for value in values}
    for kind, name in ((str, "string"), (bool, "boolean"), (int, "integer")):
        if kinds == {kind}:
            schema["type"] = name
    return {**schema, "enum": values}


def _annotated(schema: dict[str, Any], metadata: tuple[Any, ...]) -> dict[str, Any]:
    """Return a schema with what stands in ``Annotated`` beside its type."""
    added: dict[str, Any] = {}
    _add_constraints(added, metadata, str(schema.get("type")))
    description = described_by(metadata)
    if description:
        added["description"] = description
    return {**schema, **added}


def _add_constraints(added: dict[str, Any], metadata: Iterable[Any], kind: str) -> None:
    for entry in metadata:
        if isinstance(entry, (str, type)):
            continue
        for name, keyword in _NUMBER_LIMITS.items():
            limit = getattr(entry, name, None)
            if isinstance(limit, (int, float)):
                added[keyword] = limit
        shortest, longest = _LENGTHS.get(kind, ("", ""))
        for name, keyword in (("min_length", shortest), ("max_length", longest)):
            limit = getattr(entry, name, None)
            if isinstance(limit, int) and keyword:
                added[keyword] = limit
        pattern = getattr(entry, "pattern", None)
        if isinstance(pattern, str) and kind == "string":
            added["pattern"] = pattern
        inner = getattr(entry, "metadata", None)
        if is_sequence(inner):
            _add_constraints(added, inner, kind)


def _renamed(value: Any, references: dict[str, str]) -> Any:
    if is_object(value):
        return {
            key: references.get(item, item)
            if key == "$ref" and isinstance(item, str)
            else _renamed(item, references)
            for key, item in value.items()
        }
    return [_renamed(item, references) for item in value] if is_array(value) else value


def _unsupported(hint: Any, path: str, why: str) -> UnsupportedTypeError:
    return UnsupportedTypeError(f"{path or 'the type'}: {type_name(hint)} cannot be used: {why}")
