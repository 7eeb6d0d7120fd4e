"""Checks a bundle: everything the emitters cannot represent faithfully is an error.

``lint`` asks every rule of ``RULES``; each is a row with an id, what it asks for, why, and how to
put a finding right. The modules beside this one hold the rules of one subject each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..problems import Problem
from . import beta_places, examples, names, operations, registries, schemas, structure, unions
from .spec import Finding, Rule, Spec, sides

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..load import Bundle

RULES: Final[dict[str, Rule]] = {
    rule.id: rule
    for table in (
        structure.STRUCTURAL,
        structure.REFERENTIAL,
        structure.RULES,
        names.RULES,
        operations.RULES,
        schemas.RULES,
        unions.RULES,
        registries.RULES,
        beta_places.RULES,
        examples.RULES,
    )
    for rule in table
}
"""Every rule by id, in the order they are asked."""

__all__ = ["RULES", "Finding", "Rule", "Spec", "lint", "sides"]


def lint(bundle: Bundle) -> list[Problem]:
    """Return what is wrong with a bundle, in reading order; an empty list when all is well.

    When the document is not OpenAPI 3.1 in shape, or its references are wrong, that is all that is
    reported: the other rules could only guess.
    """
    spec = Spec(bundle)
    first = (*structure.STRUCTURAL, *structure.REFERENTIAL)
    others = [rule for rule in RULES.values() if rule not in first]
    problems: list[Problem] = []
    for rules in (structure.STRUCTURAL, structure.REFERENTIAL, others):
        problems = _ask(spec, rules)
        if problems:
            break
    return sorted(set(problems), key=Problem.sort_key)


def _ask(spec: Spec, rules: Iterable[Rule]) -> list[Problem]:
    problems: list[Problem] = []
    for rule in rules:
        for finding in rule.check(spec):
            place = finding.place or spec.bundle.locate(finding.pointer)
            problems.append(
                Problem(
                    rule=rule.id,
                    message=finding.message,
                    file=place.file,
                    line=place.line,
                    column=place.column,
                    pointer=finding.pointer,
                    fix=finding.fix or rule.fix,
                )
            )
    return problems
