"""Request types: TypedDicts for bodies and what stands in them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from ..ir import Representation
from ..types import Component, Tagged, holds_base64, holds_files, references
from .environment import render
from .modules import Module, import_lines, modules_of, packages_of
from .text import argument_annotation, docstring, names_in, prose, string
from .typed_dicts import RequestType, request_types


@dataclass(frozen=True)
class _KeyLine:
    name: str
    annotation: str
    doc: str


def emit_params(representation: Representation, document: dict[str, Any]) -> dict[str, str]:
    """Return the files of ``params/`` by path below the package."""
    types = request_types(document, representation.components)
    emitter = _Emitter(representation.components, types)
    modules = modules_of(representation.components, "request")
    files = {f"params/{module.path}": emitter.module(module) for module in modules}
    for package in packages_of(modules):
        files[f"params/{package}/__init__.py"] = render(
            "subpackage.py.jinja", doc=docstring(f"Request types of the {package} family.")
        )
    names = {part.name: module.name for module in modules for part in module.components}
    files["params/__init__.py"] = render(
        "params_package.py.jinja",
        modules=sorted(names.items()),
        imports=[
            f"from .{module} import {name} as {name}"
            for name, module in sorted(names.items(), key=lambda item: (item[1], item[0]))
        ],
    )
    return files


def accepted_model(component: Component, components: dict[str, Component]) -> str | None:
    """Return the response union that may stand where a request union is asked for.

    ``ContentBlockParam`` takes what a message's ``content`` holds, so that a reply can be sent
    back as it came.
    """
    if not isinstance(component.alias, Tagged) or not component.name.endswith("Param"):
        return None
    twin = components.get(component.name.removesuffix("Param"))
    if twin is None or not isinstance(twin.alias, Tagged) or "response" not in twin.sides:
        return None
    return twin.name


class _Emitter:
    def __init__(self, components: dict[str, Component], types: dict[str, RequestType]) -> None:
        self.components = components
        self.types = types

    def module(self, module: Module) -> str:
        own = {part.name for part in module.components}
        # Classes first: an alias is evaluated where it stands.
        ordered = sorted(module.components, key=lambda part: (part.alias is not None, part.name))
        body = "\n\n\n".join(self.block(part) for part in ordered)
        mentioned = {
            name for part in module.components for name in self.mentions(part) if name not in own
        }
        twins = sorted(
            {
                twin
                for part in module.components
                if (twin := accepted_model(part, self.components)) is not None
            }
        )
        models = [
            f"from {'.' * (module.depth + 1)}models.{self.components[twin].module} import {twin}"
            for twin in twins
        ]
        used = names_in(body)
        runtime = "." * (module.depth + 1) + "_runtime"
        homes = {"Base64Input": "base64_content", "FileInput": "multipart"}
        files = [
            f"from {runtime}.{home} import {name}" for name, home in homes.items() if name in used
        ]
        return render(
            "params_module.py.jinja",
            source=module.source,
            doc=docstring(f"Request types of ``{module.source}``."),
            body=body,
            used=used,
            type_imports="\n".join(
                [*files, import_lines(module, mentioned, self.components), *models]
            ),
        )

    def mentions(self, component: Component) -> set[str]:
        kinds = (
            [field.type for field in component.fields]
            if component.alias is None
            else [component.alias]
        )
        if self.types[component.name].alias is not None and component.alias is None:
            return set()
        return {name for kind in kinds for name in references(kind)}

    def block(self, component: Component) -> str:
        request_type = self.types[component.name]
        if request_type.alias is not None:
            value = self.alias(component, request_type.alias)
            return (
                f"{component.name}: TypeAlias = {value}\n"
                f"{docstring(component.description or component.name)}"
            )
        described = {field.wire_name: field for field in component.fields}
        order = {field.wire_name: i for i, field in enumerate(component.fields)}
        lines: list[_KeyLine] = []
        for key in sorted(request_type.keys, key=lambda key: order[key.name]):
            field = described[key.name]
            # The tool knows no files: to it they are text like any other.
            annotation = (
                argument_annotation(field.type)
                if holds_files(field.type) or holds_base64(field.type)
                else key.annotation
            )
            if not key.required:
                annotation = f"NotRequired[{annotation}]"
            notes = prose(field.description)
            if field.beta is not None:
                flags = " or ".join(f"``{flag}``" for flag in field.beta.any_of)
                notes = f"{notes}\n\nBeta: {flags}.".strip()
            if field.version is not None and field.version.until is not None:
                notes = f"{notes}\n\nUp to ``anthropic-version`` {field.version.until}.".strip()
            lines.append(_KeyLine(key.name, annotation, notes))
        return render(
            "typed_dict.py.jinja",
            name=component.name,
            doc=docstring(component.description or component.name, 4),
            call_doc=docstring(component.description or component.name),
            keys=lines,
            functional=any(field.name != field.wire_name for field in component.fields),
        )

    def alias(self, component: Component, value: ast.expr) -> str:
        """Return an alias as a typing object whose names are forward references."""
        parts = _union_parts(value)
        twin = accepted_model(component, self.components)
        quoted = [self.part(part) for part in parts]
        if twin is not None:
            quoted.append(string(twin))
        return quoted[0] if len(quoted) == 1 else f"Union[{', '.join(quoted)}]"

    def part(self, part: ast.expr) -> str:
        text = ast.unparse(part)
        names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
        if names & set(self.components):
            return string(text)
        return text


def _union_parts(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return [*_union_parts(value.left), *_union_parts(value.right)]
    return [value]
