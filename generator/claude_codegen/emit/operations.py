"""Operation descriptors, beta rules, error classes: the API as data."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..ir import OPTION_PARAMETERS, Argument, OperationNode, Representation
from ..types import ListOf, Nullable, OneOf, Ref, Type, holds_files
from .beta_rules import beta_rule, beta_rules, parameter_rules
from .environment import render
from .models import EmitError
from .text import constant_case, docstring, string, tuple_of


def emit_operations(representation: Representation) -> dict[str, str]:
    """Return the files of ``operations/`` by path below the package."""
    families: defaultdict[str, list[OperationNode]] = defaultdict(list)
    for operation in representation.operations:
        families[operation.family].append(operation)
    descriptors = {
        family: [_descriptor(operation, representation) for operation in operations]
        for family, operations in sorted(families.items())
    }
    files = {
        f"operations/{family}.py": render(
            "operations_module.py.jinja",
            family=family,
            doc=docstring(f"Operations of ``spec/paths/{family}.yaml``."),
            operations=descriptors[family],
            betas=any(
                "BetaRule(" in value
                for descriptor in descriptors[family]
                for _, value in descriptor["fields"]
            ),
            parameters=any(
                argument.wire_name not in OPTION_PARAMETERS
                for operation in operations
                for argument in operation.arguments
            ),
        )
        for family, operations in sorted(families.items())
    }
    files["operations/__init__.py"] = render(
        "operations_package.py.jinja",
        operations=[(operation.id, operation.family) for operation in representation.operations],
    )
    rules = sorted(beta_rules(representation).items())
    files["operations/beta_rules.py"] = render(
        "beta_rules.py.jinja", rules=rules, uses_flags=any("BetaRule(" in text for _, text in rules)
    )
    return files


def _descriptor(operation: OperationNode, representation: Representation) -> dict[str, Any]:
    fields: dict[str, str] = {
        "operation_id": string(operation.operation_id),
        "method": string(operation.method),
        "path": string(operation.path),
    }
    parameters = [
        _parameter(argument, _is_list(argument.type, representation))
        for argument in operation.arguments
        if argument.wire_name not in OPTION_PARAMETERS
    ]
    if parameters:
        fields["parameters"] = f"({', '.join(parameters)},)"
    rules = [
        rule
        for argument in operation.arguments
        if (rule := parameter_rules(argument, representation.components)) is not None
    ]
    if rules:
        fields["parameter_rules"] = f"{{{', '.join(rules)}}}"
    if operation.body_kind is not None:
        fields["body"] = string(operation.body_kind)
    if operation.body is not None:
        body = representation.components[operation.body]
        fields["body_fields"] = tuple_of(tuple(field.wire_name for field in body.fields))
        renamed = {
            field.name: field.wire_name for field in body.fields if field.name != field.wire_name
        }
        if renamed:
            fields["body_names"] = repr(renamed)
        files = tuple(field.wire_name for field in body.fields if holds_files(field.type))
        if files:
            fields["file_fields"] = tuple_of(files)
        fields["request_type"] = string(operation.body)
    answer = operation.answer
    if answer.kind != "json":
        fields["response"] = string(answer.kind)
    if answer.type is not None:
        if not isinstance(answer.type, Ref):
            raise EmitError(f"{operation.id}: its JSON answer must be a component")
        fields["response_type"] = string(answer.type.name)
    if answer.page_item is not None:
        fields["page_item"] = string(answer.page_item)
    if operation.pagination:
        fields["pagination"] = tuple_of(operation.pagination)
    if operation.stream_argument is not None:
        fields["stream_argument"] = string(operation.stream_argument)
    if answer.event_type is not None:
        fields["event_type"] = string(answer.event_type)
    if operation.betas:
        fields["betas"] = "(" + ", ".join(map(beta_rule, operation.betas)) + ",)"
        fields["tier"] = '"beta"'
    if operation.version is not None:
        for bound in ("since", "until"):
            version = getattr(operation.version, bound)
            if version is not None:
                fields[bound] = string(version)
    if operation.max_bytes is not None:
        fields["max_bytes"] = f"{operation.max_bytes:_}"
    if operation.max_items:
        items = ", ".join(f"{string(name)}: {limit:_}" for name, limit in operation.max_items)
        fields["max_items"] = f"{{{items}}}"
    fields["retry"] = string(operation.retry)
    if operation.error_codes:
        fields["error_codes"] = tuple_of(operation.error_codes)
    if operation.unavailable_on:
        fields["unavailable_on"] = tuple_of(operation.unavailable_on)
    if operation.deprecated:
        fields["deprecated"] = "True"
    return {
        "constant": constant_case(operation.id),
        "id": operation.id,
        "fields": list(fields.items()),
        "doc": docstring(operation.summary or operation.id),
    }


def _is_list(kind: Type, representation: Representation) -> bool:
    match kind:
        case ListOf():
            return True
        case Nullable(inner):
            return _is_list(inner, representation)
        case OneOf(variants):
            return any(_is_list(variant, representation) for variant in variants)
        case Ref(name):
            alias = representation.components[name].alias
            return alias is not None and _is_list(alias, representation)
        case _:
            return False


def _parameter(argument: Argument, array: bool) -> str:
    parts = [string(argument.name), string(argument.location)]
    if argument.wire_name != argument.name:
        parts.append(f"wire_name={string(argument.wire_name)}")
    if array:
        parts.append("array=True")
    if argument.required:
        parts.append("required=True")
    return f"Parameter({', '.join(parts)})"
