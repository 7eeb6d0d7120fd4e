"""A JSON Schema as the API takes it for replies and strict tools, and what had to be left out.

The API compiles such a schema into a grammar, and answers 400 to what a grammar cannot say.
:func:`to_api_schema` takes that out and tells what it was, so that it can still be checked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from claude_rest._runtime.codec import dumps

from .json_kinds import is_object, is_sequence

if TYPE_CHECKING:
    from collections.abc import Mapping

STRING_FORMATS = frozenset(
    {
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "time",
        "uri",
        "uuid",
    }
)
"""Values of ``format`` that the API knows."""

_AS_IT_IS = frozenset({"const", "default", "description", "enum", "required", "title", "type"})
_SCHEMAS_BY_NAME = frozenset({"$defs", "definitions", "properties"})
_LISTS_OF_SCHEMAS = frozenset({"allOf", "anyOf"})
_SAYS_NOTHING = frozenset(
    {
        "$anchor",
        "$comment",
        "$id",
        "$schema",
        "$vocabulary",
        "additionalItems",
        "additionalProperties",
        "discriminator",
        "items",
        "oneOf",
        "prefixItems",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
"""Keywords that do not help the model when they are put into the description."""


class Dropped(NamedTuple):
    """A keyword that :func:`to_api_schema` left out or made weaker."""

    pointer: str
    """JSON pointer (RFC 6901) of the schema that it stood in; empty for the whole one."""
    keyword: str
    value: Any
    """Its value as it was."""


class ApiSchema(NamedTuple):
    """What :func:`to_api_schema` returns; unpacks into the two."""

    schema: dict[str, Any]
    dropped: tuple[Dropped, ...]


def to_api_schema(schema: Mapping[str, Any]) -> ApiSchema:
    """Return ``schema`` as ``output_config.format`` and strict tools take it.

    Objects get ``additionalProperties: false``, ``oneOf`` becomes ``anyOf``, ``prefixItems`` an
    ``items`` that takes any of them, and keywords that the API refuses, such as ``minimum`` or
    ``pattern``, move into the description, where the model still reads them. All of these are in
    ``dropped`` with their values. What stands beside a ``$ref`` is dropped. Recursive schemas stay
    recursive.

    Pure: ``schema`` is not changed, and the result shares nothing with it. Applied to its own
    result it returns the same schema and drops nothing.
    """
    dropped: list[Dropped] = []
    return ApiSchema(_object(schema, "", dropped), tuple(dropped))


def pointer_token(name: object) -> str:
    """Return one step of a JSON pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")


def plain_copy(value: Any) -> Any:
    """Return a JSON value that shares nothing with the original."""
    if is_object(value):
        return {key: plain_copy(item) for key, item in value.items()}
    if is_sequence(value):
        return [plain_copy(item) for item in value]
    return value


def _schema(schema: Any, pointer: str, dropped: list[Dropped]) -> Any:
    """Return one place of a schema; ``true`` and ``false`` are schemas too."""
    return _object(schema, pointer, dropped) if is_object(schema) else plain_copy(schema)


def _object(schema: Mapping[str, Any], pointer: str, dropped: list[Dropped]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    left_out: list[Dropped] = []

    def drop(keyword: str) -> None:
        left_out.append(Dropped(pointer, keyword, plain_copy(schema[keyword])))

    refers = isinstance(schema.get("$ref"), str)
    for keyword, value in schema.items():
        place = f"{pointer}/{pointer_token(keyword)}"
        if keyword in _SCHEMAS_BY_NAME and is_object(value):
            if refers and keyword == "properties":
                drop(keyword)
            else:
                result[keyword] = {
                    name: _schema(part, f"{place}/{pointer_token(name)}", dropped)
                    for name, part in value.items()
                }
        elif keyword == "$ref" and refers:
            result[keyword] = value
        elif refers:
            drop(keyword)
        elif keyword in _LISTS_OF_SCHEMAS and is_sequence(value):
            result[keyword] = _each(value, place, dropped)
        elif not _keep(keyword, value, schema, place, result, dropped):
            drop(keyword)
    if not refers:
        if _is_object_schema(schema):
            result["additionalProperties"] = False
        description = _description(result.get("description"), left_out)
        if description is not None:
            result["description"] = description
    dropped.extend(left_out)
    return result


def _keep(
    keyword: str,
    value: Any,
    schema: Mapping[str, Any],
    place: str,
    result: dict[str, Any],
    dropped: list[Dropped],
) -> bool:
    """Put into ``result`` what stays of a keyword, and return whether that is all of it."""
    if keyword == "enum":
        if is_sequence(value) and any(isinstance(v, (dict, list)) for v in value):
            return False
        result[keyword] = plain_copy(value)
        return True
    if keyword == "const" and isinstance(value, (dict, list)):
        return False
    if keyword in _AS_IT_IS:
        result[keyword] = plain_copy(value)
        return True
    if keyword == "items":
        if is_object(value) and "prefixItems" not in schema:
            result[keyword] = _object(value, place, dropped)
            return True
        return False
    if keyword == "prefixItems":
        if is_sequence(value) and value:
            places = _each(value, place, dropped)
            rest = schema.get("items")
            if is_object(rest):
                places.append(_object(rest, f"{place.removesuffix(keyword)}items", dropped))
            different: list[Any] = []
            for part in places:
                if part not in different:
                    different.append(part)
            alone = len(different) == 1 and is_object(different[0])
            result["items"] = different[0] if alone else {"anyOf": different}
        return False
    if keyword == "oneOf":
        if "anyOf" not in schema and is_sequence(value):
            result["anyOf"] = _each(value, place, dropped)
        return False
    if keyword == "additionalProperties":
        # Set where it belongs, whatever it was.
        if value is False:
            result[keyword] = False
        return value is False
    if keyword == "format":
        if isinstance(value, str) and value in STRING_FORMATS:
            result[keyword] = value
            return True
        return False
    if keyword == "minItems":
        if isinstance(value, (int, float)) and value >= 1:
            result[keyword] = 1
            return bool(value == 1)
        result[keyword] = 0
        return bool(value == 0)
    return False


def _each(values: Any, place: str, dropped: list[Dropped]) -> list[Any]:
    return [_schema(value, f"{place}/{index}", dropped) for index, value in enumerate(values)]


def _is_object_schema(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    if kind == "object" or (is_sequence(kind) and "object" in kind):
        return True
    return kind is None and is_object(schema.get("properties"))


def _description(description: Any, left_out: list[Dropped]) -> str | None:
    """Return the description with what the schema no longer says; None when it stays as it is."""
    said = [
        f"{drop.keyword}: {_shown(drop.value)}"
        for drop in left_out
        if drop.keyword not in _SAYS_NOTHING
    ]
    if not said:
        return None
    rules = f"({'; '.join(said)})"
    return f"{description}\n\n{rules}" if isinstance(description, str) and description else rules


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return dumps(value).decode()
    except (TypeError, ValueError):
        return str(value)
