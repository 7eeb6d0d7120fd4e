"""Response models: attrs classes and their straight-line decoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..ir import Representation
from ..types import (
    Component,
    Field,
    ListOf,
    Literal,
    MapOf,
    Nullable,
    OneOf,
    Ref,
    Scalar,
    Tagged,
    Type,
    references,
)
from .environment import render
from .modules import Module, import_lines, modules_of, relative
from .text import (
    docstring,
    literal,
    model_annotation,
    names_in,
    prose,
    snake_case,
    string,
    tuple_of,
)


class EmitError(Exception):
    """A type that lint let through has no generated form."""


def emit_models(representation: Representation) -> dict[str, str]:
    """Return the files of ``models/`` by path below the package."""
    emitter = _Emitter(representation)
    modules = modules_of(representation.components, "response")
    files = {f"models/{module.path}": emitter.module(module) for module in modules}
    packages = sorted({module.path.split("/")[0] for module in modules if module.depth > 1})
    for package in packages:
        files[f"models/{package}/__init__.py"] = render(
            "subpackage.py.jinja", doc=docstring(f"Response models of the {package} family.")
        )
    names = {component.name: module.name for module in modules for component in module.components}
    files["models/__init__.py"] = render(
        "models_package.py.jinja",
        modules=sorted(names.items()),
        imports=_typing_imports(names),
    )
    return files


def _typing_imports(names: dict[str, str]) -> list[str]:
    return [
        f"from .{module} import {name} as {name}"
        for name, module in sorted(names.items(), key=lambda item: (item[1], item[0]))
    ]


@dataclass(frozen=True)
class _Attribute:
    declaration: str
    doc: str


def _local(field: Field) -> str:
    """Return the variable that holds a field's raw value in its decoder."""
    return f"{field.name}_" if field.name in ("data", "decoders") else field.name


class _Emitter:
    def __init__(self, representation: Representation) -> None:
        self.components = representation.components
        self._decoded: dict[str, bool] = {}

    def module(self, module: Module) -> str:
        here = module.name
        blocks = [
            self.object_block(component, here)
            if component.is_object
            else self.alias_block(component, here)
            for component in module.components
        ]
        body = "\n\n\n".join(blocks)
        decoders = {
            component.name: f"_decode_{snake_case(component.name)}"
            for component in module.components
            if self.decodes(component.name)
        }
        own = {component.name for component in module.components}
        mentioned = {
            name
            for component in module.components
            for name in self.mentions(component)
            if name not in own
        }
        return render(
            "model_module.py.jinja",
            source=module.source,
            doc=docstring(f"Response models of ``{module.source}``."),
            body=body,
            decoders=sorted(decoders.items()),
            used=names_in(body),
            models=relative(here, "__init__").removesuffix("__init__") or ".",
            runtime="." * (module.depth + 1) + "_runtime",
            type_imports=import_lines(module, mentioned, self.components),
        )

    def mentions(self, component: Component) -> set[str]:
        types = (
            [field.type for field in component.fields]
            if component.alias is None
            else [component.alias]
        )
        return {name for kind in types for name in references(kind)}

    # -- objects ---------------------------------------------------------------------------

    def object_block(self, component: Component, here: str) -> str:
        function = f"_decode_{snake_case(component.name)}"
        return render(
            "model_class.py.jinja",
            name=component.name,
            doc=docstring(component.description or component.name, 4),
            attributes=[self.attribute(field) for field in component.fields],
            function=function,
            required=[field for field in component.fields if field.required],
            keys=f"_{snake_case(component.name).upper()}_KEYS",
            key_list=", ".join(string(field.wire_name) for field in component.fields),
            required_list=tuple_of(
                tuple(field.wire_name for field in component.fields if field.required)
            ),
            loads=[self.load(field) for field in component.fields if field.required],
            decodes=[
                line
                for field in component.fields
                if field.required and (line := self.store(field, here)) is not None
            ],
            optional=[
                (string(field.wire_name), self.optional(field, here))
                for field in component.fields
                if not field.required
            ],
            count=sum(field.required for field in component.fields),
        )

    def attribute(self, field: Field) -> _Attribute:
        annotation = model_annotation(field.type)
        metadata = (
            f'metadata={{"wire_name": {string(field.wire_name)}}}'
            if field.name != field.wire_name
            else ""
        )
        default = ""
        if not field.required:
            annotation, default = f"{annotation} | Unset", "UNSET"
        elif isinstance(field.type, Literal) and len(field.type.values) == 1:
            default = string(field.type.values[0])
        if metadata:
            default = f"field({f'default={default}, ' if default else ''}{metadata})"
        declaration = f"{field.name}: {annotation}" + (f" = {default}" if default else "")
        notes = prose(field.description)
        if field.beta is not None:
            flags = " or ".join(f"``{flag}``" for flag in field.beta.any_of)
            notes = f"{notes}\n\nBeta: {flags}.".strip()
        return _Attribute(declaration, docstring(notes, 4) if notes else "")

    def load(self, field: Field) -> str:
        target = _local(field) if self.needs_decoding(field.type) else f"self.{field.name}"
        return f"{target} = data[{string(field.wire_name)}]"

    def store(self, field: Field, here: str) -> str | None:
        if not self.needs_decoding(field.type):
            return None
        return f"self.{field.name} = {self.decode(field.type, _local(field), here)}"

    def optional(self, field: Field, here: str) -> list[str]:
        get = f"data[{string(field.wire_name)}]"
        if not self.needs_decoding(field.type):
            return [f"self.{field.name} = {get}"]
        return [
            f"{_local(field)} = {get}",
            f"self.{field.name} = {self.decode(field.type, _local(field), here)}",
        ]

    # -- aliases ---------------------------------------------------------------------------

    def alias_block(self, component: Component, here: str) -> str:
        alias = component.alias
        assert alias is not None
        return render(
            "model_alias.py.jinja",
            name=component.name,
            value=self.alias_value(alias),
            doc=docstring(component.description or component.name),
            decoder=self.alias_decoder(component, alias, here),
        )

    def alias_value(self, alias: Type) -> str:
        """Return an alias as a typing object: importable names only as forward references."""
        match alias:
            case Tagged(order=order):
                members = ", ".join(string(name) for name in order)
                return f"Union[{members}, Unknown]"
            case OneOf(variants):
                parts = ", ".join(self.quoted(part) for part in variants)
                return f"Union[{parts}]"
            case Literal(values) if len(values) > 1 and all(isinstance(v, str) for v in values):
                return f"Union[{literal(values)}, str]"
            case _:
                return self.quoted(alias, quote_all=False)

    def quoted(self, kind: Type, *, quote_all: bool = True) -> str:
        annotation = model_annotation(kind)
        if any(True for _ in references(kind)):
            if not quote_all and isinstance(kind, ListOf):
                return f"list[{self.quoted(kind.item)}]"
            if not quote_all and isinstance(kind, MapOf):
                return f"dict[str, {self.quoted(kind.value)}]"
            return string(annotation)
        return annotation

    def alias_decoder(self, component: Component, alias: Type, here: str) -> str:
        if not self.decodes(component.name):
            return ""
        function = f"_decode_{snake_case(component.name)}"
        if isinstance(alias, Tagged):
            members = ", ".join(f"{string(tag)}: {string(name)}" for tag, name in alias.members)
            default = "" if alias.default is None else f", {string(alias.default)}"
            return (
                f"{function} = TaggedUnion({string(alias.tag)}, {{{members},}}, "
                f"decoders{default}).decode"
            )
        lines = [f"def {function}(value: Any) -> Any:"]
        variants = alias.variants if isinstance(alias, OneOf) else (alias,)
        for variant in variants:
            match variant:
                case ListOf():
                    kind = "list"
                case MapOf() | Tagged():
                    kind = "dict"
                case Ref(name) if self.components[name].is_object:
                    kind = "dict"
                case _:
                    continue
            if self.needs_decoding(variant):
                lines += [
                    f"    if value.__class__ is {kind}:",
                    f"        return {self.decode(variant, 'value', here, known=True)}",
                ]
        lines.append("    return value")
        return "\n".join(lines)

    # -- decoding --------------------------------------------------------------------------

    def decodes(self, name: str) -> bool:
        """Whether a component has a decoder: objects, and aliases that lead to one."""
        component = self.components[name]
        if component.is_object:
            return True
        if name not in self._decoded:
            self._decoded[name] = False  # a cycle of aliases only cannot hold anything
            assert component.alias is not None
            self._decoded[name] = self.needs_decoding(component.alias)
        return self._decoded[name]

    def needs_decoding(self, kind: Type) -> bool:
        match kind:
            case Scalar(name):
                return name == "datetime"
            case Literal():
                return False
            case ListOf(item):
                return self.needs_decoding(item)
            case MapOf(value):
                return self.needs_decoding(value)
            case Ref(name):
                return self.decodes(name)
            case Nullable(inner):
                return self.needs_decoding(inner)
            case OneOf(variants):
                return any(map(self.needs_decoding, variants))
            case Tagged():
                return True

    def decode(self, kind: Type, value: str, here: str, *, known: bool = False) -> str:
        """Return an expression that decodes ``value``; anything malformed stays as it came.

        ``known`` tells that the caller has checked for a list or an object already.
        """
        match kind:
            case Nullable(inner):
                return self.decode(inner, value, here, known=known)
            case Scalar("datetime"):
                return f"decode_timestamp({value})"
            case Ref(name) if self.components[name].is_object:
                call = f"{self.decoder(name, here)}({value})"
                return call if known else f"{call} if {value}.__class__ is dict else {value}"
            case Ref(name):
                return f"{self.decoder(name, here)}({value})"
            case ListOf(Ref(name)):
                call = f"decoders.decode_list({string(name)}, {value})"
                return call if known else f"{call} if {value}.__class__ is list else {value}"
            case MapOf(Ref(name)):
                call = f"decoders.decode_map({string(name)}, {value})"
                return call if known else f"{call} if {value}.__class__ is dict else {value}"
            case OneOf(variants):
                decoded = [part for part in variants if self.needs_decoding(part)]
                if len(decoded) == 1:
                    return self.decode(decoded[0], value, here)
        raise EmitError(f"{here}: {kind} needs a component of its own to be decoded")

    def decoder(self, name: str, here: str) -> str:
        if self.components[name].module == here:
            return f"_decode_{snake_case(name)}"
        return f"decoders[{string(name)}]"
