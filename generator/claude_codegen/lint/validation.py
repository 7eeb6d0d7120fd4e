"""Checks sample data against the schemas of a bundle, by JSON Schema 2020-12.

Stricter than a receiver may be: properties that a schema does not list are refused (in a sample
they are misprints), and so are unknown tags of a discriminated union. To name the member that
failed, and not only the union, unions are rewritten as chains of ``if`` and ``then`` first.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from ..source import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .grammar import JsonObject
    from .spec import Spec

MAX_PROBLEMS: Final = 5
"""Problems reported per sample; the rest mostly follow from the first."""

_MAX_MESSAGE: Final = 240
_ANNOTATIONS: Final = ("description", "title", "examples", "discriminator", "deprecated")
_NULL: Final = {"type": "null"}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where a sample departs from its schema, and how."""

    path: tuple[str | int, ...]
    message: str


class _Checker(Protocol):
    def __call__(self, value: object) -> Iterator[Mismatch]: ...


class SampleValidator:
    """Validates samples against schemas of one spec."""

    def __init__(self, spec: Spec) -> None:
        """Prepare the components; schemas are compiled when first needed."""
        self._spec = spec
        self._references = {f"#{pointer('components', 'schemas', name)}" for name in spec.schemas}
        self._components: JsonObject = {
            name: self._rewrite(schema) for name, schema in spec.schemas.items()
        }
        self._checkers: dict[str, _Checker] = {}

    def check(self, schema: JsonObject, value: object) -> list[Mismatch]:
        """Return at most ``MAX_PROBLEMS`` mismatches.

        Raises ModuleNotFoundError when jsonschema is not installed.
        """
        key = json.dumps(schema, sort_keys=True)
        if key not in self._checkers:
            self._checkers[key] = _compile(
                {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "components": {"schemas": self._components},
                    "allOf": [self._rewrite(schema)],
                }
            )
        found: list[Mismatch] = []
        for mismatch in self._checkers[key](value):
            found.append(mismatch)
            if len(found) == MAX_PROBLEMS:
                break
        return found

    def _rewrite(self, schema: JsonObject) -> JsonObject:
        result: JsonObject = {}
        for key, value in schema.items():
            if key in _ANNOTATIONS or key.startswith("x-") or key == "oneOf":
                continue
            if key == "properties":
                result[key] = {name: self._rewrite(part) for name, part in value.items()}
            elif key in ("items", "additionalProperties") and isinstance(value, dict):
                result[key] = self._rewrite(cast("JsonObject", value))
            elif key == "enum" and schema.get("x-open-enum"):
                continue
            else:
                result[key] = value
        if "properties" in schema:
            result.setdefault("additionalProperties", False)
        if "oneOf" in schema:
            result.update(self._rewrite_union(schema))
        return result

    def _rewrite_union(self, schema: JsonObject) -> JsonObject:
        variants = [variant for variant in schema["oneOf"] if variant != _NULL]
        if "discriminator" in schema:
            rewritten = self._rewrite_tagged(schema["discriminator"])
        elif len(variants) == 1:
            rewritten = self._rewrite(variants[0])
        else:
            rewritten = self._rewrite_mixed(variants)
        if len(variants) == len(schema["oneOf"]):
            return rewritten
        return {"if": _NULL, "else": rewritten}

    def _rewrite_tagged(self, discriminator: JsonObject) -> JsonObject:
        name = discriminator["propertyName"]
        # What is mapped to no component is another rule's business.
        mapping = {
            tag: reference
            for tag, reference in discriminator["mapping"].items()
            if reference in self._references
        }
        default = discriminator.get("x-default-mapping")
        known: list[Any] = sorted(mapping)
        branches: list[JsonObject] = [
            {
                "if": {"properties": {name: {"const": tag}}, "required": [name]},
                "then": {"$ref": reference},
            }
            for tag, reference in sorted(mapping.items())
        ]
        if default not in self._references:
            return {
                "type": "object",
                "required": [name],
                "properties": {name: {"enum": known}},
                "allOf": branches,
            }
        # Without the property, or with null in it, the value is the default member.
        branches.append(
            {
                "if": {"properties": {name: _NULL}},
                "then": {"$ref": default},
            }
        )
        return {
            "type": "object",
            "properties": {name: {"enum": [*known, None]}},
            "allOf": branches,
        }

    def _rewrite_mixed(self, variants: list[JsonObject]) -> JsonObject:
        branches: list[JsonObject] = []
        allowed: set[str] = set()
        for variant in variants:
            kinds = sorted(self._spec.json_kinds(variant))
            allowed.update(kinds)
            branches.append({"if": {"type": kinds}, "then": self._rewrite(variant)})
        return {"type": sorted(allowed), "allOf": branches}


def _compile(schema: JsonObject) -> _Checker:
    library: Any = importlib.import_module("jsonschema")
    formats = library.FormatChecker(formats=())
    formats.checks("date-time", ValueError)(_is_date_time)
    validator = library.Draft202012Validator(schema, format_checker=formats)

    def check(value: object) -> Iterator[Mismatch]:
        for error in validator.iter_errors(value):
            yield Mismatch(tuple(error.absolute_path), _shorten(str(error.message)))

    return check


def _is_date_time(value: object) -> bool:
    """Tell whether a string is a date and time with an offset (RFC 3339 section 5.6)."""
    if not isinstance(value, str):
        return True
    return "T" in value and datetime.fromisoformat(value).tzinfo is not None


def _shorten(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"
