"""Operation descriptors, beta rules, error classes: the API as data."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..ir import OPTION_PARAMETERS, Argument, OperationNode, Representation
from ..types import (
    BetaNeed,
    Component,
    Field,
    ListOf,
    MapOf,
    Nullable,
    OneOf,
    Ref,
    Tagged,
    Type,
    holds_files,
    references,
)
from .environment import render
from .models import EmitError
from .text import constant_case, docstring, string, tuple_of


def emit_operations(representation: Representation) -> dict[str, str]:
    """Return the files of ``operations/`` by path below the package."""
    families: defaultdict[str, list[OperationNode]] = defaultdict(list)
    for operation in representation.operations:
        families[operation.family].append(operation)
    files = {
        f"operations/{family}.py": render(
            "operations_module.py.jinja",
            family=family,
            doc=docstring(f"Operations of ``spec/paths/{family}.yaml``."),
            operations=[_descriptor(operation, representation) for operation in operations],
            betas=any(operation.betas for operation in operations),
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
    if operation.max_bytes is not None:
        fields["max_bytes"] = f"{operation.max_bytes:_}"
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


def beta_rule(need: BetaNeed) -> str:
    """Return a rule as Python."""
    parts = [string(need.default)]
    if need.any_of != (need.default,):
        parts.append(f"any_of={tuple_of(need.any_of)}")
    if need.unless_model:
        parts.append(f"unless_model={tuple_of(need.unless_model)}")
    if need.via_beta_namespace:
        parts.append("via_beta_namespace=True")
    return f"BetaRule({', '.join(parts)})"


def beta_rules(representation: Representation) -> dict[str, str]:
    """Return the rules of each request type from which something beta or versioned is reached."""
    return _BetaRules(representation.components).run()


class _BetaRules:
    def __init__(self, components: dict[str, Component]) -> None:
        self.components = {
            name: part for name, part in components.items() if "request" in part.sides
        }
        self.interesting = self.reach()

    def run(self) -> dict[str, str]:
        return {
            name: self.type_rules(self.components[name])
            for name in sorted(self.interesting)
            if not self.is_transparent(self.components[name])
        }

    def reach(self) -> set[str]:
        """Return the types that are beta or versioned themselves, or lead to one that is."""
        found = {name for name, part in self.components.items() if self.marked(part)}
        while True:
            more = {
                name
                for name, part in self.components.items()
                if name not in found
                and any(target in found for kind in self.kinds(part) for target in references(kind))
            }
            if not more:
                return found
            found |= more

    @staticmethod
    def kinds(component: Component) -> list[Type]:
        if component.alias is not None:
            return [component.alias]
        return [field.type for field in component.fields]

    def marked(self, component: Component) -> bool:
        if component.beta is not None or self.values(component.enum_notes):
            return True
        return any(
            field.beta is not None or field.version is not None or self.values(field.enum_notes)
            for field in component.fields
        )

    def is_transparent(self, component: Component) -> bool:
        """Whether rules refer to what an alias stands for instead of to the alias."""
        return component.alias is not None and not isinstance(component.alias, Tagged)

    def values(self, notes: dict[str, Any]) -> str:
        entries: list[str] = []
        for value, note in sorted(notes.items()):
            facts: list[str] = []
            if note.beta is not None:
                facts.append(f'"beta": {beta_rule(note.beta)}')
            if note.version is not None:
                facts += self.span(note.version)
            if facts:
                entries.append(f"{string(value)}: {{{', '.join(facts)}}}")
        return ", ".join(entries)

    @staticmethod
    def span(version: Any) -> list[str]:
        facts: list[str] = []
        if version.since is not None:
            facts.append(f'"since": {string(version.since)}')
        if version.until is not None:
            facts.append(f'"until": {string(version.until)}')
        return facts

    def type_rules(self, component: Component) -> str:
        entries: list[str] = []
        if component.beta is not None:
            entries.append(f'"beta": {beta_rule(component.beta)}')
        if isinstance(component.alias, Tagged):
            members = ", ".join(
                f"{string(tag)}: {string(name)}"
                for tag, name in component.alias.members
                if name in self.interesting
            )
            entries.append(f'"tag": {string(component.alias.tag)}')
            default = component.alias.default
            if default in self.interesting:
                entries.append(f'"default": {string(default)}')
            entries.append(f'"members": {{{members}}}')
        fields = [
            f"{string(field.wire_name)}: {{{', '.join(facts)}}}"
            for field in component.fields
            if (facts := self.field_rules(field))
        ]
        if fields:
            entries.append(f'"fields": {{{", ".join(fields)}}}')
        return "{" + ", ".join(entries) + "}"

    def field_rules(self, field: Field) -> list[str]:
        facts: list[str] = []
        if field.beta is not None:
            facts.append(f'"beta": {beta_rule(field.beta)}')
        if field.version is not None:
            facts += self.span(field.version)
        notes = dict(field.enum_notes)
        for name in references(field.type):
            notes |= self.components[name].enum_notes
        values = self.values(notes)
        if values:
            facts.append(f'"values": {{{values}}}')
        for key, name in sorted(self.targets(field.type, field.wire_name).items()):
            facts.append(f'"{key}": {string(name)}')
        return facts

    def targets(self, kind: Type, place: str) -> dict[str, str]:
        """Return where a walk goes on below a field: into the value, its items or its values."""
        match kind:
            case Nullable(inner):
                return self.targets(inner, place)
            case Ref(name) if name in self.interesting:
                component = self.components[name]
                if self.is_transparent(component) and component.alias is not None:
                    return self.targets(component.alias, place)
                return {"type": name}
            case ListOf(item):
                return {
                    {"type": "items"}.get(key, ""): name
                    for key, name in self.targets(item, place).items()
                    if self.flat(key, place)
                }
            case MapOf(value):
                return {
                    {"type": "map"}.get(key, ""): name
                    for key, name in self.targets(value, place).items()
                    if self.flat(key, place)
                }
            case OneOf(variants):
                found: dict[str, str] = {}
                for variant in variants:
                    found |= self.targets(variant, place)
                return found
            case Tagged(members=members) if any(name in self.interesting for _, name in members):
                raise EmitError(f"{place}: a union with beta members must be a component")
            case _:
                return {}

    @staticmethod
    def flat(key: str, place: str) -> bool:
        if key != "type":
            raise EmitError(f"{place}: a list of lists cannot be searched for beta parts")
        return True
