"""Whether a JSON value fits a JSON Schema, by the keywords that people use for data.

Small on purpose: it checks replies and tool inputs, which the API has bound to most of the schema
already, against what it could not take. Keywords it does not know pass, as do ``format``
(conversion to the Python type checks those that matter) and ``$ref`` to other documents.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from .api_schema import pointer_token
from .json_kinds import is_array, is_object, is_sequence, json_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sized

_ABSENT: Any = object()
_DEEPEST = 200


class Violation(NamedTuple):
    """One place where a value is not what it has to be."""

    pointer: str
    """JSON pointer (RFC 6901) into the value; empty for the whole."""
    keyword: str
    """Keyword of the schema that is not met; ``"type"`` also for what no type can be made of."""
    message: str


def find_violations(value: Any, schema: Mapping[str, Any]) -> tuple[Violation, ...]:
    """Return where ``value`` breaks ``schema``; empty when it fits.

    Strings of an ``enum`` or ``const`` are compared without regard to case: the API promises no
    more.
    """
    return tuple(_violations(value, schema, "", _Root(schema, {}), 0))


class _Root(NamedTuple):
    """The whole schema, and what was found at places that were looked at before."""

    schema: Mapping[str, Any]
    known: dict[tuple[str, int, int], tuple[Violation, ...]]


def _violations(value: Any, schema: Any, at: str, root: _Root, depth: int) -> Iterable[Violation]:
    if not (is_object(value) or is_array(value)) or not is_object(schema):
        return _found_at(value, schema, at, root, depth)
    # Alternatives lead to the same parts again: without this the work doubles with every level.
    key = (at, id(value), id(schema))
    if key not in root.known:
        root.known[key] = tuple(_found_at(value, schema, at, root, depth))
    return root.known[key]


def _found_at(value: Any, schema: Any, at: str, root: _Root, depth: int) -> Iterator[Violation]:
    if schema is False:
        yield Violation(at, "false", "nothing is allowed here")
    if not is_object(schema) or depth > _DEEPEST:
        return
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target = resolved(reference, root.schema)
        if target is not None:
            yield from _violations(value, target, at, root, depth + 1)
    for keyword, limit in schema.items():
        check = _CHECKS.get(keyword)
        if check is not None:
            complaint = check(value, limit)
            if complaint:
                yield Violation(at, keyword, complaint)
    yield from _combined(value, schema, at, root, depth)
    if is_object(value):
        yield from _in_object(value, schema, at, root, depth)
    elif is_array(value):
        yield from _in_array(value, schema, at, root, depth)


def _combined(
    value: Any, schema: dict[str, Any], at: str, root: _Root, depth: int
) -> Iterator[Violation]:
    for part in _list(schema.get("allOf")):
        yield from _violations(value, part, at, root, depth + 1)
    for keyword in ("anyOf", "oneOf"):
        parts = _list(schema.get(keyword))
        if not parts:
            continue
        found = [tuple(_violations(value, part, at, root, depth + 1)) for part in parts]
        fitting = sum(1 for problems in found if not problems)
        if not fitting:
            # The one that came furthest is the one that was meant.
            closest = max(found, key=lambda problems: max(len(p.pointer) for p in problems))
            if max(len(problem.pointer) for problem in closest) > len(at) or len(parts) == 1:
                yield from closest
            else:
                messages = " or ".join(dict.fromkeys(problems[0].message for problems in found))
                yield Violation(at, keyword, messages)
        elif keyword == "oneOf" and fitting > 1:
            yield Violation(at, keyword, f"fits {fitting} of the alternatives, not just one")
    refused = schema.get("not", _ABSENT)
    if refused is not _ABSENT and not any(_violations(value, refused, at, root, depth + 1)):
        yield Violation(at, "not", "has a form that is ruled out")
    if "if" in schema:
        branch = "else" if any(_violations(value, schema["if"], at, root, depth + 1)) else "then"
        yield from _violations(value, schema.get(branch, True), at, root, depth + 1)


def _in_object(
    value: dict[str, Any], schema: dict[str, Any], at: str, root: _Root, depth: int
) -> Iterator[Violation]:
    properties = _dict(schema.get("properties"))
    patterns = _dict(schema.get("patternProperties"))
    for name in _list(schema.get("required")):
        if name not in value:
            yield Violation(at, "required", f"{name!r} is missing")
    for name, others in _dict(schema.get("dependentRequired")).items():
        if name in value:
            for other in _list(others):
                if other not in value:
                    message = f"{other!r} is missing beside {name!r}"
                    yield Violation(at, "dependentRequired", message)
    others = schema.get("additionalProperties", True)
    for name, item in value.items():
        place = f"{at}/{pointer_token(name)}"
        known = name in properties
        if known:
            yield from _violations(item, properties[name], place, root, depth + 1)
        for pattern, part in patterns.items():
            if _found(pattern, name):
                known = True
                yield from _violations(item, part, place, root, depth + 1)
        if not known and others is False:
            yield Violation(place, "additionalProperties", "has no place here")
        elif not known:
            yield from _violations(item, others, place, root, depth + 1)
        if "propertyNames" in schema:
            yield from _violations(name, schema["propertyNames"], place, root, depth + 1)


def _in_array(
    value: list[Any], schema: dict[str, Any], at: str, root: _Root, depth: int
) -> Iterator[Violation]:
    first = _list(schema.get("prefixItems"))
    rest = schema.get("items", True)
    for index, item in enumerate(value):
        part = first[index] if index < len(first) else rest
        yield from _violations(item, part, f"{at}/{index}", root, depth + 1)
    if "contains" in schema:
        part = schema["contains"]
        count = sum(not any(_violations(item, part, at, root, depth + 1)) for item in value)
        least = schema.get("minContains", 1)
        if count < least:
            yield Violation(at, "contains", f"{least} of the items must fit `contains`")
        if count > schema.get("maxContains", count):
            yield Violation(at, "contains", "too many items fit `contains`")


def resolved(reference: str, root: Mapping[str, Any]) -> Any:
    """Return what a ``$ref`` within a document points at; None when there is no such place."""
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        return None
    found: Any = root
    for token in reference[2:].split("/"):
        name = token.replace("~1", "/").replace("~0", "~")
        if is_object(found) and name in found:
            found = found[name]
        elif is_array(found) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _list(value: Any) -> list[Any]:
    return list(value) if is_sequence(value) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if is_object(value) else {}


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        # Another dialect than Python's.
        return None


def _found(pattern: Any, text: str) -> bool:
    compiled = _compiled(pattern) if isinstance(pattern, str) else None
    return compiled is None or compiled.search(text) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: dict[Any, Callable[[Any], bool]] = {
    "array": is_array,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == value // 1,
    "null": lambda value: value is None,
    "number": _is_number,
    "object": is_object,
    "string": lambda value: isinstance(value, str),
}


def _type(value: Any, kinds: Any) -> str | None:
    names: list[Any] = list(kinds) if is_sequence(kinds) else [kinds]
    if any(name not in _TYPES or _TYPES[name](value) for name in names):
        return None
    return f"{' or '.join(map(str, names))} expected, not {json_name(value)}"


def same_json(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal: ``true`` is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if is_array(one) and is_sequence(other):
        return len(one) == len(other) and all(map(same_json, one, other))
    if is_object(one) and is_object(other):
        return one.keys() == other.keys() and all(same_json(one[k], other[k]) for k in one)
    return bool(one == other)


def _enum(value: Any, choices: Any) -> str | None:
    choices = _list(choices)
    for choice in choices:
        if same_json(value, choice):
            return None
        both = isinstance(value, str) and isinstance(choice, str)
        if both and value.casefold() == choice.casefold():
            return None
    return f"{value!r} is none of {', '.join(map(repr, choices))}"


def _multiple(value: Any, step: Any) -> str | None:
    if not _is_number(value) or not _is_number(step) or not step:
        return None
    try:
        left = Decimal(str(value)) % Decimal(str(step))
    except ArithmeticError:
        return None
    return f"{value} is no multiple of {step}" if left else None


def _bound(
    broken: Callable[[Any, Any], bool], message: str, measure: Callable[[Any], Any]
) -> Callable[[Any, Any], str | None]:
    def check(value: Any, limit: Any) -> str | None:
        measured = measure(value)
        if measured is None or not _is_number(limit) or not broken(measured, limit):
            return None
        return message.format(measured=measured, limit=limit)

    return check


def _number(value: Any) -> Any:
    return value if _is_number(value) else None


def _length_of(kind: type[Sized]) -> Callable[[Any], int | None]:
    return lambda value: len(value) if isinstance(value, kind) else None


def _unique(value: Any, wanted: Any) -> str | None:
    if wanted is True and is_array(value):
        seen: set[Any] = set()
        for index, item in enumerate(value):
            key = _identity(item)
            if key in seen:
                return f"item {index} is there twice"
            seen.add(key)
    return None


def _identity(value: Any) -> Any:
    """Return what is equal for equal JSON values only, and can be put into a set."""
    if isinstance(value, bool):
        return (bool, value)
    if is_array(value):
        return (list, tuple(map(_identity, value)))
    if is_object(value):
        return (dict, frozenset((name, _identity(item)) for name, item in value.items()))
    return value


def _pattern(value: Any, pattern: Any) -> str | None:
    if isinstance(value, str) and not _found(pattern, value):
        return f"{value!r} does not match {pattern}"
    return None


_CHECKS: dict[str, Callable[[Any, Any], str | None]] = {
    "type": _type,
    "const": lambda value, only: _enum(value, [only]),
    "enum": _enum,
    "minimum": _bound(lambda a, b: a < b, "{measured} is below {limit}", _number),
    "maximum": _bound(lambda a, b: a > b, "{measured} is above {limit}", _number),
    "exclusiveMinimum": _bound(lambda a, b: a <= b, "{measured} is not above {limit}", _number),
    "exclusiveMaximum": _bound(lambda a, b: a >= b, "{measured} is not below {limit}", _number),
    "multipleOf": _multiple,
    "minLength": _bound(
        lambda a, b: a < b, "{measured} characters, fewer than {limit}", _length_of(str)
    ),
    "maxLength": _bound(
        lambda a, b: a > b, "{measured} characters, more than {limit}", _length_of(str)
    ),
    "pattern": _pattern,
    "minItems": _bound(
        lambda a, b: a < b, "{measured} items, fewer than {limit}", _length_of(list)
    ),
    "maxItems": _bound(lambda a, b: a > b, "{measured} items, more than {limit}", _length_of(list)),
    "uniqueItems": _unique,
    "minProperties": _bound(
        lambda a, b: a < b, "{measured} properties, fewer than {limit}", _length_of(dict)
    ),
    "maxProperties": _bound(
        lambda a, b: a > b, "{measured} properties, more than {limit}", _length_of(dict)
    ),
}
