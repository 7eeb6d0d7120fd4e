"""Request bodies against the spec, with errors that begin with the path of the field.

The JSON Schema engine is jsonschema-rs when it is installed, otherwise jsonschema. Both run the
same translated schema and their findings are worded here, so answers do not depend on the engine.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import chain, islice
from typing import Any, Final, NoReturn

from .dialect import FORMATS, Dialect
from .exchange import RefusedError
from .extras import MissingExtraError
from .json_values import is_array, is_object, json_type

_LOOKED_AT: Final = 64
_LISTED: Final = 12
_SHOWN: Final = 40
_DEEPEST: Final = 128
_LONE_SURROGATE_HINT: Final = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a value, as an engine reports it."""

    path: tuple[str | int, ...]
    keyword: str
    expected: Any
    """Value of the keyword; for ``required`` and ``additionalProperties`` the names at fault."""


Check = Callable[[Any], Iterable[Finding]]
"""Yields what is wrong with a decoded value; nothing when it is valid."""


class BodyValidator:
    """Validates values against schemas of one bundle; each schema is compiled once, when needed."""

    def __init__(self, components: Mapping[str, Any], *, strict: bool) -> None:
        self._dialect = Dialect(components, strict=strict)
        self._compile = find_engine()
        self._checks: dict[str, Check] = {}

    def validate(self, key: str, schema: Mapping[str, Any], value: Any) -> None:
        """Check a decoded value; ``key`` names the schema among those of this validator.

        Raises:
            RefusedError: 400 with the path and what is wrong there.
        """
        check = self._checks.get(key)
        if check is None:
            check = self._checks[key] = self._compile(self._dialect.document(schema))
        # The shallowest finding says most: a missing top-level field before a detail of a block.
        findings = sorted(islice(check(value), _LOOKED_AT), key=_urgency)
        if findings:
            raise RefusedError(400, describe(findings[0], value))


def find_engine() -> Callable[[dict[str, Any]], Check]:
    """Return the compiler of the best JSON Schema engine there is.

    Raises:
        MissingExtraError: neither jsonschema-rs nor jsonschema is installed.
    """
    for engine in (_compile_fast, _compile_portable):
        try:
            engine({})
        except ImportError:
            continue
        return engine
    raise MissingExtraError("jsonschema")


def _compile_fast(document: dict[str, Any]) -> Check:
    validator: Any = import_module("jsonschema_rs").Draft202012Validator(document)

    def check(value: Any) -> Iterator[Finding]:
        if validator.is_valid(value):
            return
        for error in validator.iter_errors(value):
            kind = error.kind
            expected: Any = kind.value
            if kind.name == "required":
                expected = [expected]
            yield Finding(tuple(error.instance_path), kind.name, expected)

    return check


def _compile_portable(document: dict[str, Any]) -> Check:
    validator: Any = import_module("jsonschema").Draft202012Validator(document)

    def check(value: Any) -> Iterator[Finding]:
        for error in validator.iter_errors(value):
            keyword: Any = error.validator
            expected: Any = error.validator_value
            instance: Any = error.instance
            if keyword == "required":
                expected = [name for name in expected if name not in instance]
            elif keyword == "additionalProperties":
                declared = error.schema["properties"]
                expected = [name for name in instance if name not in declared]
            yield Finding(tuple(error.absolute_path), str(keyword), expected)

    return check


def _urgency(finding: Finding) -> tuple[int, bool, bool]:
    return len(finding.path), finding.keyword != "type", finding.keyword != "required"


def describe(finding: Finding, root: Any) -> str:
    """Return the message for a finding: dotted path, colon, what is wrong.

    Values of the request are not repeated, except unknown tags and choices.
    """
    path = list(finding.path)
    value = root
    for step in finding.path:
        value = value[step]
    expected = finding.expected
    if finding.keyword in ("required", "additionalProperties"):
        path.append(expected[0])
    return f"{'.'.join(str(step) for step in path) or 'body'}: {_complaint(finding, value)}"


def _complaint(finding: Finding, value: Any) -> str:
    expected = finding.expected
    keyword = finding.keyword
    if keyword == "required":
        return "Field required"
    if keyword == "additionalProperties":
        return "Extra inputs are not permitted"
    if keyword == "type":
        names = [expected] if isinstance(expected, str) else sorted(expected)
        return f"got {json_type(value)}, expected {' or '.join(names)}"
    if keyword in ("enum", "const"):
        choices = [c for c in (expected if keyword == "enum" else [expected]) if c is not None]
        listed = ", ".join(json.dumps(choice) for choice in choices[:_LISTED])
        more = f" or {len(choices) - _LISTED} others" if len(choices) > _LISTED else ""
        got = json.dumps(value[:_SHOWN]) if isinstance(value, str) else json_type(value)
        return f"got {got}, expected {'one of ' if len(choices) > 1 else ''}{listed}{more}"
    if keyword == "pattern" and expected in _FORMATS:
        return f"not a valid {_FORMATS[expected]}"
    wording = _LIMITS.get(keyword)
    return wording.format(expected) if wording else "not valid here"


_FORMATS: Final = {pattern: name for name, pattern in FORMATS.items()}

_LIMITS: Final = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be greater than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "minProperties": "must have at least {} keys",
    "maxProperties": "must have at most {} keys",
    "uniqueItems": "must not have the same entry twice",
    "pattern": "must match {}",
}


def parse_json(body: bytes) -> Any:
    """Decode a request body as strict JSON (RFC 8259).

    Raises:
        RefusedError: 400 when it is not UTF-8, not JSON, nested too deeply, or has half a surrogate
            pair in a string, which no JSON encoder can send back.
    """
    try:
        value = json.loads(
            body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite
        )
        if _LONE_SURROGATE_HINT.search(body):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise RefusedError(400, f"The request body is not valid JSON: {where}") from None
    except UnicodeError:
        raise RefusedError(400, "The request body is not valid JSON: not UTF-8 text") from None
    except RecursionError:
        raise RefusedError(400, "The request body is not valid JSON: nested too deeply") from None
    except ValueError:
        raise RefusedError(
            400, "The request body is not valid JSON: a number is out of range"
        ) from None
    if _deeper_than(value, _DEEPEST):
        raise RefusedError(400, f"The request body is nested more than {_DEEPEST} levels deep")
    return value


def _deeper_than(value: Any, limit: int) -> bool:
    """Return whether arrays and objects sit in each other more than ``limit`` levels deep.

    What comes after this is recursive, the native code of the engines included.
    """
    level = [value] if is_object(value) or is_array(value) else []
    for _ in range(limit):
        inside = chain.from_iterable(node.values() if is_object(node) else node for node in level)
        level = [node for node in inside if is_object(node) or is_array(node)]
        if not level:
            return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    # 1e400 is JSON, but becomes infinity, which is not.
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number
