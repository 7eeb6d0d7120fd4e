"""Response models: attrs classes and their straight-line decoders."""

from __future__ import annotations

from dataclasses import dataclass

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
    walk,
)
from .answers import ANSWER_FACTS, answers_of, params_of
from .environment import render
from .modules import Module, import_lines, modules_of, packages_of, relative
from .text import (
    docstring,
    literal,
    model_annotation,
    names_in,
    open_kind,
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
    for package in packages_of(modules):
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


_DECODER_NAMES = frozenset(
    {
        "data",
        "decode_timestamp",
        "decoders",
        "dict",
        "extra",
        "fill",
        "frozenset",
        "item",
        "key",
        "len",
        "list",
        "more",
        "object",
        "str",
        "type",
    }
)
"""Names that a decoder uses itself."""


def _local(field: Field) -> str:
    """Return the variable that holds a field's raw value in its decoder."""
    return f"{field.name}_" if field.name in _DECODER_NAMES else field.name


class _Emitter:
    def __init__(self, representation: Representation) -> None:
        self.components = representation.components
        self.answers = answers_of(representation)
        self.params = params_of(representation, self.answers)
        # Aliases can lead to each other in circles: add them until nothing changes.
        self._decoded = {name for name, part in self.components.items() if part.is_object}
        while more := {
            name
            for name, part in self.components.items()
            if name not in self._decoded
            and part.alias is not None
            and self.needs_decoding(part.alias)
        }:
            self._decoded |= more
        self.unions: dict[str, str] = {}

    def module(self, module: Module) -> str:
        here = module.name
        self.unions = {}
        functions: dict[str, str] = {}
        for component in module.components:
            function = snake_case(component.name)
            other = functions.setdefault(function, component.name)
            if other != component.name:
                raise EmitError(f"{here}: {component.name} and {other} both become {function}")
        blocks = [
            self.object_block(component, here)
            if component.is_object
            else self.alias_block(component, here)
            for component in module.components
        ]
        blocks += [f"{name} = {union}" for union, name in self.unions.items()]
        body = "\n\n\n".join(blocks)
        aliases = [part.alias for part in module.components if part.alias is not None]
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
            # Aliases are evaluated at import, annotations of classes are not.
            dates_at_import=any(
                part == Scalar("datetime") for alias in aliases for part in walk(alias)
            ),
            models=relative(here, "__init__").removesuffix("__init__") or ".",
            runtime="." * (module.depth + 1) + "_runtime",
            type_imports=import_lines(module, mentioned, self.components),
            param_imports=self.param_imports(module),
        )

    def param_imports(self, module: Module) -> list[str]:
        params = "." * (module.depth + 1) + "params"
        takers = {
            self.params[component.name].component
            for component in module.components
            if component.name in self.params
        }
        modules = sorted({taker.module for taker in takers})
        return [
            f"from {params}.{name} import "
            + ", ".join(sorted(taker.name for taker in takers if taker.module == name))
            for name in modules
        ]

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
            base="Answer" if component.name in self.answers else "Struct",
            attributes=[self.attribute(field, component) for field in component.fields],
            param=self.params.get(component.name),
            function=function,
            create=f"_new_{snake_case(component.name)}",
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
                if field.required and self.needs_decoding(field.type)
                for line in self.store(field, here)
            ],
            optional=[
                (string(field.wire_name), self.optional(field, here))
                for field in component.fields
                if not field.required
            ],
            count=sum(field.required for field in component.fields),
        )

    def attribute(self, field: Field, component: Component) -> _Attribute:
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
            default = f"_field({f'default={default}, ' if default else ''}{metadata})"
        declaration = f"{field.name}: {annotation}" + (f" = {default}" if default else "")
        if field.name in ANSWER_FACTS and component.name in self.answers:
            # What the server sends hides what the headers say.
            declaration += "  # type: ignore[assignment]"
        notes = prose(field.description)
        if field.beta is not None:
            flags = " or ".join(f"``{flag}``" for flag in field.beta.any_of)
            notes = f"{notes}\n\nBeta: {flags}.".strip()
        return _Attribute(declaration, docstring(notes, 4) if notes else "")

    def load(self, field: Field) -> str:
        target = _local(field) if self.needs_decoding(field.type) else f"self.{field.name}"
        return f"{target} = data[{string(field.wire_name)}]"

    def store(self, field: Field, here: str) -> list[str]:
        """Return the lines that decode what the variable of a field holds."""
        value = _local(field)
        union = self.union_here(field.type, here)
        if union is None:
            return [f"self.{field.name} = {self.decode(field.type, value, here)}"]
        tag, name = union
        # What TaggedUnion.decode does, without a call of it for each object.
        return [
            "try:",
            f"    self.{field.name} = {name}.ready[{value}[{string(tag)}]]({value})",
            "except (KeyError, TypeError):",
            f"    self.{field.name} = {name}.decode_carefully({value})",
        ]

    def union_here(self, kind: Type, here: str) -> tuple[str, str] | None:
        """Return tag and variable of the union that ``kind`` is, if this module has it."""
        match kind:
            case Nullable(inner):
                return self.union_here(inner, here)
            case Tagged(tag=tag):
                return tag, self.hoisted(kind)
            case Ref(name):
                alias = self.components[name].alias
                if isinstance(alias, Tagged) and self.components[name].module == here:
                    return alias.tag, f"_union_{snake_case(name)}"
                return None
            case _:
                return None

    def optional(self, field: Field, here: str) -> list[str]:
        get = f"data[{string(field.wire_name)}]"
        if not self.needs_decoding(field.type):
            return [f"self.{field.name} = {get}"]
        return [f"{_local(field)} = {get}", *self.store(field, here)]

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
        parts = self.alias_parts(alias)
        if len(parts) > 1:
            return f"Union[{', '.join(parts)}]"
        match alias:
            case ListOf(item):
                return f"list[{self.quoted(item)}]"
            case MapOf(value):
                return f"dict[str, {self.quoted(value)}]"
            case _:
                return parts[0]

    def alias_parts(self, alias: Type) -> list[str]:
        match alias:
            case Nullable(inner):
                return [*self.alias_parts(inner), "None"]
            case Tagged(order=order):
                return [*map(string, order), "Unknown"]
            case OneOf(variants):
                return [part for variant in variants for part in self.alias_parts(variant)]
            case Literal(values) if len(values) > 1:
                return [literal(values), open_kind(values)]
            case _:
                return [self.quoted(alias)]

    def quoted(self, kind: Type) -> str:
        annotation = model_annotation(kind)
        return string(annotation) if any(True for _ in references(kind)) else annotation

    def alias_decoder(self, component: Component, alias: Type, here: str) -> str:
        if not self.decodes(component.name):
            return ""
        function = f"_decode_{snake_case(component.name)}"
        if isinstance(alias, Tagged):
            union = f"_union_{snake_case(component.name)}"
            return f"{union} = {self.union(alias)}\n{function} = {union}.decode"
        lines = [f"def {function}(value: Any) -> Any:"]
        for condition, decoded in self.branches(alias, "value", here):
            if condition is None:
                lines.append(f"    return {decoded}")
                break
            lines += [f"    if {condition}:", f"        return {decoded}"]
        else:
            lines.append("    return value")
        return "\n".join(lines)

    @staticmethod
    def union(kind: Tagged) -> str:
        """Return what decodes a discriminated union."""
        members = ", ".join(f"{string(tag)}: {string(name)}" for tag, name in kind.members)
        default = "" if kind.default is None else f", {string(kind.default)}"
        return f"TaggedUnion({string(kind.tag)}, {{{members},}}, decoders{default})"

    # -- decoding --------------------------------------------------------------------------

    def decodes(self, name: str) -> bool:
        """Whether a component has a decoder: objects, and aliases that lead to one."""
        return name in self._decoded

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

    def kinds(self, kind: Type, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """Return the Python types of the JSON values that decoding ``kind`` turns into others."""
        if not self.needs_decoding(kind):
            return frozenset()
        match kind:
            case Scalar():
                return frozenset({"str"})
            case ListOf():
                return frozenset({"list"})
            case MapOf() | Tagged():
                return frozenset({"dict"})
            case Nullable(inner):
                return self.kinds(inner, seen)
            case OneOf(variants):
                return frozenset[str]().union(*(self.kinds(part, seen) for part in variants))
            case Ref(name):
                alias = self.components[name].alias
                if alias is None:
                    return frozenset({"dict"})
                return self.kinds(alias, seen | {name}) if name not in seen else frozenset()
            case Literal():
                return frozenset()

    def branches(self, kind: Type, value: str, here: str) -> list[tuple[str | None, str]]:
        """Return how to decode ``value``: conditions, each with the expression that applies.

        What meets no condition stays as it came; ``None`` stands for "always".
        """
        match kind:
            case Nullable(inner):
                return self.branches(inner, value, here)
            case OneOf(variants):
                decoded = [part for part in variants if self.needs_decoding(part)]
                if len(decoded) == 1:
                    return self.branches(decoded[0], value, here)
                return [
                    (self.condition(part, value), self.decode(part, value, here, known=True))
                    for part in decoded
                ]
            case Scalar() | Tagged():
                return [(None, self.decode(kind, value, here, known=True))]
            case Ref(name) if self.components[name].alias is not None:
                return [(None, self.decode(kind, value, here, known=True))]
            case _:
                return [(self.condition(kind, value), self.decode(kind, value, here, known=True))]

    def condition(self, kind: Type, value: str) -> str:
        kinds = sorted(self.kinds(kind))
        if len(kinds) == 1:
            return f"{value}.__class__ is {kinds[0]}"
        return f"{value}.__class__ in ({', '.join(kinds)})"

    def decode(self, kind: Type, value: str, here: str, *, known: bool = False) -> str:
        """Return an expression that decodes ``value``; anything malformed stays as it came.

        ``known`` tells that the caller has checked for a list or an object already.
        """
        if not known:
            expression = ""
            for condition, decoded in self.branches(kind, value, here):
                if condition is None:
                    return expression + decoded
                expression += f"{decoded} if {condition} else "
            return expression + value
        match kind:
            case Scalar("datetime"):
                return f"decode_timestamp({value})"
            case Ref(name):
                return f"{self.decoder(name, here)}({value})"
            case Tagged():
                return f"{self.hoisted(kind)}.decode({value})"
            case ListOf(Ref(name)) if self.is_plain(name):
                return f"decoders.lists[{string(name)}]({value})"
            case ListOf(item):
                return f"[{self.decode(item, 'item', here)} for item in {value}]"
            case MapOf(Ref(name)) if self.is_plain(name):
                return f"decoders.decode_map({string(name)}, {value})"
            case MapOf(part):
                return (
                    f"{{key: {self.decode(part, 'item', here)} for key, item in {value}.items()}}"
                )
            case _:
                return self.decode(kind, value, here)

    def is_plain(self, name: str) -> bool:
        """Whether a component is an object or a union of objects, and nothing else."""
        component = self.components[name]
        return component.is_object or isinstance(component.alias, Tagged)

    def hoisted(self, kind: Tagged) -> str:
        """Return the variable of a union that has no name, made once for the module."""
        union = self.union(kind)
        if union not in self.unions:
            self.unions[union] = f"_union_{len(self.unions) + 1}"
        return self.unions[union]

    def decoder(self, name: str, here: str) -> str:
        if self.components[name].module == here:
            return f"_decode_{snake_case(name)}"
        return f"decoders[{string(name)}]"
