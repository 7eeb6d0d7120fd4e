"""Where beta-only and version-bound parts sit in requests, as the table that callers walk by."""

from __future__ import annotations

from typing import Any

from ..ir import Argument, Representation
from ..types import (
    BetaNeed,
    Component,
    EnumNote,
    Field,
    ListOf,
    MapOf,
    Nullable,
    OneOf,
    Ref,
    Tagged,
    Type,
    VersionSpan,
    references,
)
from .models import EmitError
from .text import string, tuple_of


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


def version_span(version: VersionSpan | None) -> list[str]:
    """Return the entries ``since`` and ``until`` of a rule."""
    facts: list[str] = []
    if version is not None and version.since is not None:
        facts.append(f'"since": {string(version.since)}')
    if version is not None and version.until is not None:
        facts.append(f'"until": {string(version.until)}')
    return facts


def beta_rules(representation: Representation) -> dict[str, str]:
    """Return the rules of each request type from which something beta or versioned is reached.

    A bound that holds in one place only (``x-api-version-within``) makes rules of their own for
    the types on the way there, named by that place: ``UserMessageParam.content.text``.
    """
    return _BetaRules(representation).run()


def parameter_rules(argument: Argument, components: dict[str, Component]) -> str | None:
    """Return the rule of a path, query or header parameter, None when it needs nothing."""
    facts = _own_facts(argument.beta, argument.version)
    notes = dict(argument.enum_notes)
    for name in _named(argument.type, components):
        notes |= components[name].enum_notes
    values = _values(notes)
    if values:
        facts.append(f'"values": {{{values}}}')
    return f"{string(argument.name)}: {{{', '.join(facts)}}}" if facts else None


def _own_facts(beta: BetaNeed | None, version: VersionSpan | None) -> list[str]:
    facts = [] if beta is None else [f'"beta": {beta_rule(beta)}']
    return facts + version_span(version)


def _values(notes: dict[str, EnumNote]) -> str:
    entries = [
        f"{string(value)}: {{{', '.join(facts)}}}"
        for value, note in sorted(notes.items())
        if (facts := _own_facts(note.beta, note.version))
    ]
    return ", ".join(entries)


def _is_transparent(component: Component) -> bool:
    """Whether rules refer to what an alias stands for instead of to the alias."""
    return component.alias is not None and not isinstance(component.alias, Tagged)


def _named(kind: Type, components: dict[str, Component]) -> list[str]:
    """Return the components a type mentions, and those behind an alias that is no union."""
    found: list[str] = []
    pending = list(references(kind))
    while pending:
        name = pending.pop(0)
        if name not in found:
            found.append(name)
            alias = components[name].alias
            if alias is not None and _is_transparent(components[name]):
                pending.extend(references(alias))
    return found


Places = dict[str, Any]
"""Bounds by place: a tag or a property leads on, ``""`` holds the bound of the place itself."""


def _places(versions: dict[str, VersionSpan]) -> Places:
    tree: Places = {}
    for path, span in sorted(versions.items()):
        node = tree
        for step in path.split("."):
            node = node.setdefault(step, {})
        node[""] = span
    return tree


class _BetaRules:
    def __init__(self, representation: Representation) -> None:
        self.components = {
            name: part
            for name, part in representation.components.items()
            if "request" in part.sides
        }
        bodies = {operation.body for operation in representation.operations}
        self.nested_bodies = {
            name
            for part in self.components.values()
            for kind in self.kinds(part)
            for name in references(kind)
            if name in bodies
        }
        self.interesting = self.reach()
        self.special: dict[str, str] = {}

    def run(self) -> dict[str, str]:
        rules = {
            name: self.type_rules(self.components[name], name)
            for name in sorted(self.interesting)
            if not _is_transparent(self.components[name])
        }
        return rules | self.special

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
        if component.beta is not None or component.version is not None:
            return True
        return bool(_values(component.enum_notes)) or any(
            field.beta is not None
            or field.version is not None
            or field.versions_within
            or _values(field.enum_notes)
            for field in component.fields
        )

    def type_rules(self, component: Component, key: str, places: Places | None = None) -> str:
        """Return the rules of a type under ``key``; ``places`` bound parts of it only there."""
        places = places or {}
        span: VersionSpan | None = places.get("")
        if span is not None and component.version is not None:
            raise EmitError(f"{key}: bound to versions by its place and by its type")
        entries = _own_facts(component.beta, span or component.version)
        if component.name in self.nested_bodies and key == component.name:
            entries.append('"body": True')
        if isinstance(component.alias, Tagged):
            entries += self.union_rules(component.alias, key, places)
        fields = [
            f"{string(field.wire_name)}: {{{', '.join(facts)}}}"
            for field in component.fields
            if (facts := self.field_rules(field, key, places.get(field.wire_name)))
        ]
        if fields:
            entries.append(f'"fields": {{{", ".join(fields)}}}')
        return "{" + ", ".join(entries) + "}"

    def union_rules(self, union: Tagged, key: str, places: Places) -> list[str]:
        named = {tag: name for tag, name in union.members if name in self.interesting}
        for tag, name in union.members:
            if tag in places:
                named[tag] = self.rules_within(name, f"{key}.{tag}", places[tag])
        if not named and union.default not in self.interesting:
            return []
        members = ", ".join(f"{string(tag)}: {string(named[tag])}" for tag in sorted(named))
        entries = [f'"tag": {string(union.tag)}']
        if union.default in self.interesting:
            entries.append(f'"default": {string(union.default)}')
        return [*entries, f'"members": {{{members}}}']

    def rules_within(self, name: str, key: str, places: Places) -> str:
        """Make the rules that a type has in one place; return their key."""
        if key not in self.special:
            self.special[key] = ""
            self.special[key] = self.type_rules(self.components[name], key, places)
        return key

    def field_rules(self, field: Field, key: str, places: Places | None) -> list[str]:
        within = dict(places or {})
        own: VersionSpan | None = None
        if "" in within and not self.holds_items(field.type):
            own = within.pop("")
        for step, node in _places(field.versions_within).items():
            if step in within:
                raise EmitError(f"{key}.{field.wire_name}: {step} is bound to versions twice")
            within[step] = node
        if own is not None and field.version is not None:
            raise EmitError(f"{key}.{field.wire_name}: bound to versions twice")
        facts = _own_facts(field.beta, own or field.version)
        notes = dict(field.enum_notes)
        for name in _named(field.type, self.components):
            notes |= self.components[name].enum_notes
        values = _values(notes)
        if values:
            facts.append(f'"values": {{{values}}}')
        place = f"{key}.{field.wire_name}"
        for way, name in sorted(self.targets(field.type, place, within).items()):
            facts.append(f'"{way}": {string(name)}')
        return facts

    def holds_items(self, kind: Type) -> bool:
        match kind:
            case ListOf():
                return True
            case Nullable(inner):
                return self.holds_items(inner)
            case OneOf(variants):
                return any(self.holds_items(variant) for variant in variants)
            case Ref(name):
                alias = self.components[name].alias
                return alias is not None and self.holds_items(alias)
            case _:
                return False

    def targets(self, kind: Type, place: str, within: Places) -> dict[str, str]:
        """Return where a walk goes on below a field: into the value, its items or its values."""
        match kind:
            case Nullable(inner):
                return self.targets(inner, place, within)
            case Ref(name) if within or name in self.interesting:
                component = self.components[name]
                if component.alias is not None and _is_transparent(component):
                    return self.targets(component.alias, place, within)
                if within:
                    return {"type": self.rules_within(name, place, within)}
                return {"type": name}
            case ListOf(item):
                return {
                    {"type": "items"}.get(way, ""): name
                    for way, name in self.targets(item, place, within).items()
                    if self.flat(way, place)
                }
            case MapOf(value):
                return {
                    {"type": "map"}.get(way, ""): name
                    for way, name in self.targets(value, place, within).items()
                    if self.flat(way, place)
                }
            case OneOf(variants):
                found: dict[str, str] = {}
                for variant in variants:
                    found |= self.targets(variant, place, within)
                return found
            case Tagged(members=members) if any(name in self.interesting for _, name in members):
                raise EmitError(f"{place}: a union with beta members must be a component")
            case _:
                return {}

    @staticmethod
    def flat(way: str, place: str) -> bool:
        if way != "type":
            raise EmitError(f"{place}: a list of lists cannot be searched for beta parts")
        return True
