"""Which models are whole answers, and which can go back into a request."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir import Representation
from ..types import Component, Literal, OneOf, Ref, Tagged, references

ANSWER_FACTS = frozenset({"request_id", "organization_id", "rate_limits"})
"""What an answer shows of its response; a field of that name comes first."""


@dataclass(frozen=True)
class Param:
    """The request type that takes back what a model holds."""

    component: Component
    fields: tuple[str, ...] | None
    """Attributes that it takes; ``None`` for all, and what the schema does not know."""


def answers_of(representation: Representation) -> frozenset[str]:
    """Return the objects that are the whole answer of some operation."""
    components = representation.components
    pending = [
        name
        for operation in representation.operations
        if operation.answer.kind == "json" and operation.answer.type is not None
        for name in references(operation.answer.type)
    ]
    found: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            alias = components[name].alias
            pending += references(alias) if isinstance(alias, (Ref, Tagged, OneOf)) else ()
    return frozenset(name for name in found if components[name].is_object)


def params_of(representation: Representation, answers: frozenset[str]) -> dict[str, Param]:
    """Return the request type of each model that can go back into a request.

    Two kinds of models can. The members of a union ``X`` become those of ``XParam`` with the same
    tags, when these have all of their fields. An answer ``X`` becomes ``XParam``, or its member
    with the answer's tag, and that takes the fields that the two have in common.
    """
    components = representation.components
    found: dict[str, Param] = {}
    for name in sorted(components):
        response, request = components[name], components.get(f"{name}Param")
        if request is None:
            continue
        if isinstance(response.alias, Tagged) and isinstance(request.alias, Tagged):
            takers = dict(request.alias.members)
            pairs = [
                (components[member], components[takers[tag]])
                for tag, member in response.alias.members
                if tag in takers and takers[tag] != member
            ]
            if all(_wire_names(member) <= _wire_names(taker) for member, taker in pairs):
                for member, taker in pairs:
                    found.setdefault(member.name, Param(taker, None))
        elif name in answers:
            whole = _taker(response, request, components)
            if whole is not None:
                known = _wire_names(whole)
                shared = tuple(field.name for field in response.fields if field.wire_name in known)
                found[name] = Param(whole, shared)
    return found


def _taker(
    response: Component, request: Component, components: dict[str, Component]
) -> Component | None:
    """Return the object that an answer becomes; of a union, the member with the answer's tag."""
    if not isinstance(request.alias, Tagged):
        return request if request.is_object else None
    for field in response.fields:
        if field.wire_name == request.alias.tag and isinstance(field.type, Literal):
            tags = [tag for tag, _ in request.alias.members if (tag,) == field.type.values]
            return components[dict(request.alias.members)[tags[0]]] if tags else None
    return None


def _wire_names(component: Component) -> frozenset[str]:
    return frozenset(field.wire_name for field in component.fields)
