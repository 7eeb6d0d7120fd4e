"""Request types by datamodel-code-generator: TypedDicts and aliases, read back as plain data.

The tool decides the annotations; this package decides the layout. It reads the bundled document,
not the lowered one: it follows references and constants well. Three things are prepared for it:

- open enums become "one of these or any string";
- discriminators are left out (a mapping alone gives it no literals; the constants of the members
  do), and so are titles, examples and limits, which would rename or constrain types;
- a component with free-form keys is not shown to it as such: it would become an empty TypedDict
  that rejects every key. Here it is an alias of ``Mapping[str, Any]``.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType, OpenAPIScope
from datamodel_code_generator.format import PythonVersion
from datamodel_code_generator.parser import LiteralType

from ..lower import component_of
from ..types import Component

_KEPT = frozenset(
    {
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "enum",
        "items",
        "oneOf",
        "properties",
        "required",
        "type",
    }
)


class TypedDictError(Exception):
    """datamodel-code-generator returned something else than it was asked for."""


@dataclass(frozen=True)
class Key:
    """A key of a TypedDict."""

    name: str
    annotation: str
    required: bool


@dataclass(frozen=True)
class RequestType:
    """A component on the request side: a TypedDict with keys, or an alias."""

    keys: tuple[Key, ...] = ()
    alias: ast.expr | None = None


def request_types(
    document: dict[str, Any], components: dict[str, Component]
) -> dict[str, RequestType]:
    """Return every component that occurs in requests, by name.

    Raises :class:`TypedDictError` when a component is missing from the tool's output.
    """
    names = sorted(name for name, part in components.items() if "request" in part.sides)
    if not names:
        return {}  # the tool fails when there is nothing to do
    schemas = document["components"]["schemas"]
    free_form = {name for name in names if _is_free_form(schemas[name])}
    # The tool spells some names its own way (it drops underscores), so it gets neutral ones.
    stand_ins = {name: f"C{number:04}" for number, name in enumerate(names, 1)}
    place_holder: dict[str, Any] = {"type": "array", "items": {}}
    source: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "requests", "version": "0"},
        "paths": {},
        "components": {
            "schemas": {
                stand_ins[name]: place_holder
                if name in free_form
                else _prepared(schemas[name], stand_ins)
                for name in names
            }
        },
    }
    restored = _Renaming({stand_in: name for name, stand_in in stand_ins.items()})
    found = _read(restored.visit(ast.parse(_generate(source))))
    mapping = ast.parse("Mapping[str, Any]", mode="eval").body
    found |= {name: RequestType(alias=mapping) for name in free_form}
    missing = [name for name in names if name not in found]
    surplus = sorted(set(found) - set(names))
    if missing or surplus:
        raise TypedDictError(
            f"datamodel-code-generator left out {missing or 'nothing'} "
            f"and added {surplus or 'nothing'}"
        )
    return found


def _is_free_form(schema: dict[str, Any]) -> bool:
    if schema.get("type") != "object":
        return False
    return schema.get("additionalProperties", "properties" not in schema) is True


class _Renaming(ast.NodeTransformer):
    """Puts the components' own names back."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.name = self.names.get(node.name, node.name)
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        # An alias that leads back to itself is written as a string.
        if not isinstance(node.value, str):
            return node
        expression: ast.expr = self.visit(ast.parse(node.value, mode="eval").body)
        return expression

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if ast.unparse(node.value) != "Literal":
            self.generic_visit(node)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.Dict:
        # The keys of a functional TypedDict are no names.
        node.values = [self.visit(value) for value in node.values]
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        node.args[1:] = [self.visit(argument) for argument in node.args[1:]]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        return node


def _prepared(schema: dict[str, Any], stand_ins: dict[str, str]) -> dict[str, Any]:
    """Return a schema with only what decides a type."""
    kept: dict[str, Any] = {}
    if schema.get("format") == "binary":
        kept["format"] = "binary"
    for key, value in schema.items():
        if key not in _KEPT:
            continue
        if key == "properties":
            kept[key] = {name: _prepared(part, stand_ins) for name, part in value.items()}
        elif key in ("oneOf", "anyOf"):
            kept[key] = [_prepared(part, stand_ins) for part in value]
        elif key in ("items", "additionalProperties"):
            kept[key] = value if value.__class__ is bool else _prepared(value, stand_ins)
        elif key == "$ref":
            kept[key] = f"#/components/schemas/{stand_ins[component_of(value)]}"
        else:
            kept[key] = value
    if "enum" in kept and schema.get("x-open-enum"):
        kind = kept.pop("type", "string")
        return {"anyOf": [{"type": kind, **kept}, {"type": kind}]}
    return kept


def _generate(source: dict[str, Any]) -> str:
    # Every option that changes names or types is set: defaults change between minor versions.
    code = generate(
        source,
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.TypingTypedDict,
        target_python_version=PythonVersion.PY_311,
        openapi_scopes=[OpenAPIScope.Schemas],
        additional_imports=[],
        allow_extra_fields=False,
        capitalise_enum_members=False,
        collapse_root_models=False,
        custom_file_header="",
        disable_appending_item_suffix=True,
        disable_timestamp=True,
        enum_field_as_literal=LiteralType.All,
        field_constraints=False,
        formatters=[],
        keep_model_order=False,
        parent_scoped_naming=False,
        reuse_model=False,
        snake_case_field=False,
        strict_nullable=True,
        use_annotated=False,
        use_closed_typed_dict=False,
        use_double_quotes=True,
        use_field_description=False,
        use_generic_container_types=True,
        use_object_type=False,
        use_one_literal_as_default=False,
        use_schema_description=False,
        use_standard_collections=True,
        use_title_as_name=False,
        use_total_false_for_typed_dict=False,
        use_type_alias=False,
        use_type_checking_imports=False,
        use_union_operator=True,
        use_unique_items_as_set=False,
    )
    if not isinstance(code, str):
        raise TypedDictError("datamodel-code-generator returned no single module")
    return code


def _read(module: ast.Module) -> dict[str, RequestType]:
    found: dict[str, RequestType] = {}
    for statement in module.body:
        match statement:
            case ast.ClassDef(name=name, body=body):
                keys = tuple(
                    _key(part.target.id, part.annotation)
                    for part in body
                    if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
                )
                found[name] = RequestType(keys)
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="TypedDict"), args=[_, ast.Dict() as items]),
            ):
                found[name] = RequestType(
                    tuple(
                        _key(str(key.value), value)
                        for key, value in zip(items.keys, items.values, strict=True)
                        if isinstance(key, ast.Constant)
                    )
                )
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = RequestType(alias=value)
            case ast.Import() | ast.ImportFrom() | ast.Expr():
                continue
            case _:
                raise TypedDictError(f"cannot read {ast.unparse(statement)[:80]!r}")
    return found


def _key(name: str, annotation: ast.expr) -> Key:
    required = True
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "NotRequired":
        annotation, required = annotation.slice, False
    return Key(name, ast.unparse(annotation), required)
