"""Modules of the generated package: where components live and how they import each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..types import Component


@dataclass
class Module:
    """A module to be written: its dotted name below ``models`` or ``params``, and its types."""

    name: str
    components: list[Component] = field(default_factory=list[Component])

    @property
    def depth(self) -> int:
        """How many dots lead from the module to the package it is in."""
        return self.name.count(".") + 1

    @property
    def path(self) -> str:
        """File below the package, with forward slashes."""
        return self.name.replace(".", "/") + ".py"

    @property
    def source(self) -> str:
        """The spec file the types come from."""
        return f"spec/schemas/{self.name.replace('.', '/')}.yaml"


def packages_of(modules: list[Module]) -> list[str]:
    """Return every folder that the modules lie in, such as ``messages`` or ``messages/beta``."""
    found: set[str] = set()
    for module in modules:
        parts = module.path.split("/")[:-1]
        found.update("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    return sorted(found)


def modules_of(components: dict[str, Component], side: str) -> list[Module]:
    """Group the components of one side (``request`` or ``response``) by module, both sorted."""
    modules: dict[str, Module] = {}
    for name in sorted(components):
        component = components[name]
        if side in component.sides:
            modules.setdefault(component.module, Module(component.module)).components.append(
                component
            )
    return [modules[name] for name in sorted(modules)]


def import_lines(module: Module, names: Iterable[str], components: dict[str, Component]) -> str:
    """Return relative imports of components that live in other modules."""
    by_module: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        if components[name].module != module.name:
            by_module[components[name].module].append(name)
    lines = [
        f"from {relative(module.name, target)} import {', '.join(sorted(found))}"
        for target, found in sorted(by_module.items())
    ]
    return "\n".join(lines)


def relative(source: str, target: str) -> str:
    """Return the relative module path from one module of a package to another."""
    here, there = source.split(".")[:-1], target.split(".")
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    return "." * (len(here) - shared + 1) + ".".join(there[shared:])
