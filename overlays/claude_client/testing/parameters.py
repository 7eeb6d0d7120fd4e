"""Parameters in path, query and headers: from text to the types of the spec."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from .exchange import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .exchange import MockRequest
    from .routing import MockOperation, Parameter, Router
    from .validation import BodyValidator

_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_TOLERATED: Final = frozenset({"beta"})
"""Sent by older clients as ``?beta=true``; has no effect."""


_CHECKED_APART: Final = frozenset({"anthropic-version", "anthropic-beta"})
"""Headers with rules of their own; those of HTTP itself are no parameters in OpenAPI either."""
_HTTP: Final = frozenset({"accept", "authorization", "content-type"})


class ParameterReader:
    """Reads and checks the parameters of one bundle's operations."""

    def __init__(self, router: Router, validator: BodyValidator, *, strict: bool) -> None:
        self._router = router
        self._validator = validator
        self._strict = strict

    def check_head(
        self, operation: MockOperation, path: Mapping[str, str], request: MockRequest
    ) -> None:
        """Hold path arguments and headers against the spec.

        Raises:
            RefusedError: 400 with the parameter's name and what is wrong with it.
        """
        for parameter in operation.parameters:
            name = parameter.name.lower()
            if parameter.location == "path":
                text = path.get(parameter.name)
            elif parameter.location == "header" and name not in _CHECKED_APART | _HTTP:
                text = request.header(name)
            else:
                continue
            if text is not None:
                schema = self._router.resolve(parameter.schema)
                value: Any = typed(text, schema)
                if "array" in _kinds(schema):
                    element = self._router.resolve(schema.get("items", {}))
                    value = [typed(part.strip(), element) for part in text.split(",")]
                self._check(operation, parameter, value)
            elif parameter.required:
                raise RefusedError(400, f"{parameter.name}: header is required")

    def _check(self, operation: MockOperation, parameter: Parameter, value: Any) -> None:
        # Wrapped in an object, so that the message begins with the parameter's name.
        wrapper = {"type": "object", "properties": {parameter.name: parameter.schema}}
        key = f"{operation.id}?{parameter.location}:{parameter.name}"
        self._validator.validate(key, wrapper, {parameter.name: value})

    def read(self, operation: MockOperation, query: str) -> dict[str, Any]:
        """Return the query arguments of a request by wire name, checked against the spec.

        An array parameter takes every value of its name; of another one the last value counts.

        Raises:
            RefusedError: 400 with the parameter's name and what is wrong with it.
        """
        declared = {p.name: p for p in operation.parameters if p.location == "query"}
        arguments: dict[str, Any] = {}
        for name, text in parse_qsl(query, keep_blank_values=True):
            parameter = declared.get(name)
            if parameter is None:
                if self._strict and name not in _TOLERATED:
                    raise RefusedError(400, f"{name[:80]}: Extra inputs are not permitted")
                continue
            schema = self._router.resolve(parameter.schema)
            if "array" in _kinds(schema):
                element = typed(text, self._router.resolve(schema.get("items", {})))
                arguments.setdefault(name, []).append(element)
            else:
                arguments[name] = typed(text, schema)
        for name, parameter in declared.items():
            if name in arguments:
                self._check(operation, parameter, arguments[name])
            elif parameter.required:
                raise RefusedError(400, f"{name}: Field required")
        return arguments


def _kinds(schema: Mapping[str, Any]) -> tuple[str, ...]:
    declared = schema.get("type")
    return (declared,) if isinstance(declared, str) else tuple(declared or ())


def typed(text: str, schema: Mapping[str, Any]) -> Any:
    """Read a value as its schema says; text that does not fit stays text and fails validation."""
    kinds = _kinds(schema)
    if "integer" in kinds and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in kinds:
        try:
            return float(text)
        except ValueError:
            return text
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text
