"""Rules about names: what becomes a module, a class, an attribute or an argument."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING, Final

from ..naming import (
    LOCAL_NAMES,
    OPERATION_MODULES,
    OPTION_NAMES,
    RESERVED_CLASSES,
    is_python_name,
    python_name,
)
from ..source import pointer, split_pointer
from .spec import Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .grammar import JsonObject
    from .spec import OperationNode, Spec

MAX_CLASSES: Final = 15
"""Response classes in one module: attrs copies the module's namespace into each class."""

WORKSPACE_HEADER: Final = "anthropic-workspace-id"

OPTION_HEADERS: Final = frozenset({"anthropic-version", "anthropic-beta", WORKSPACE_HEADER})
"""Header parameters that every method takes as an option instead of an argument."""


def _class_name(spec: Spec) -> Iterator[Finding]:
    for name in spec.schemas:
        at = pointer("components", "schemas", name)
        if not re.fullmatch(r"[A-Z][A-Za-z0-9_]*", name) or name.endswith("_"):
            yield Finding(at, f"{name!r} cannot be a class name")
        elif name in RESERVED_CLASSES:
            yield Finding(at, f"{name} is a name the generated modules use themselves")
    for section in spec.component_sections:
        for name in spec.component_sections[section]:
            if section != "schemas" and not re.fullmatch(r"[A-Za-z0-9._-]+", name):
                yield Finding(
                    pointer("components", section, name), f"{name!r} is no component name"
                )


def _module_collision(spec: Spec) -> Iterator[Finding]:
    classes: dict[str, str] = {}
    modules: dict[str, str] = {}
    for name in sorted(spec.schemas):
        at = pointer("components", "schemas", name)
        other = classes.setdefault(name.replace("_", "").casefold(), name)
        if other != name:
            yield Finding(at, f"{name} and {other} differ in nothing but case and underscores")
        file = spec.bundle.component_files.get(name, "")
        parts = file.split("/")
        for part in parts:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", part) or keyword.iskeyword(part):
                yield Finding(
                    at,
                    f"{part!r} in the path of its file cannot be a Python module",
                    "use lower-case letters, digits and underscores, and no keyword",
                )
                break
        else:
            rival = modules.setdefault(file.casefold(), file)
            package = next(
                (f for f in spec.bundle.component_files.values() if f.startswith(f"{file}/")), ""
            )
            if rival != file:
                yield Finding(at, f"the files {file} and {rival} become one module")
            elif package:
                yield Finding(at, f"{file} becomes a module and a package, because of {package}")


def _title_collision(spec: Spec) -> Iterator[Finding]:
    titles: dict[str, str] = {}
    for node in spec.nodes("schema"):
        title = node.value.get("title")
        if title is not None:
            first = titles.setdefault(title.casefold(), node.pointer)
            if first != node.pointer:
                yield Finding(f"{node.pointer}/title", f"the title {title!r} is taken by {first}")


def _property_collision(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("schema"):
        names: dict[str, str] = {}
        for wire in sorted(node.value.get("properties", {})):
            at = f"{node.pointer}/properties{pointer(wire)}"
            name = python_name(wire)
            other = names.setdefault(name, wire)
            if other != wire:
                yield Finding(at, f"{wire!r} and {other!r} both become {name}")
            elif name.startswith("_"):
                yield Finding(at, f"{wire!r} would become {name}, which is private in Python")


def _module_too_large(spec: Spec) -> Iterator[Finding]:
    by_file: dict[str, list[str]] = {}
    for name in sorted(spec.schemas):
        if "properties" in spec.schemas[name] and not name.endswith(("Param", "Params")):
            by_file.setdefault(spec.bundle.component_files.get(name, ""), []).append(name)
    for file, names in sorted(by_file.items()):
        if len(names) > MAX_CLASSES:
            yield Finding(
                pointer("components", "schemas", names[MAX_CLASSES]),
                f"{file} has {len(names)} classes, more than {MAX_CLASSES}",
            )


def _operation_id(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        name = operation.value.get("operationId", "")
        if not name:
            yield Finding(operation.pointer, f"{operation.name} has no operationId")
        elif not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            yield Finding(
                f"{operation.pointer}/operationId",
                f"{name!r} is not snake_case",
                "write resource and method in snake_case: messages_create",
            )


def _operation_id_duplicate(spec: Spec) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for operation in spec.operations:
        name = operation.value.get("operationId")
        if name is not None and seen.setdefault(name, operation.name) != operation.name:
            yield Finding(f"{operation.pointer}/operationId", f"{name} is already {seen[name]}")


def _resource_missing(spec: Spec) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for operation in spec.operations:
        for key in ("x-resource", "x-method"):
            if not operation.value.get(key):
                yield Finding(operation.pointer, f"{operation.name} has no {key}")
        resource = operation.value.get("x-resource", "")
        method = operation.value.get("x-method", "")
        if not resource or not method:
            continue
        bad = [part for part in (*resource.split("."), method) if not is_python_name(part)]
        if bad:
            yield Finding(
                f"{operation.pointer}/x-resource",
                f"{bad[0]!r} cannot be a Python attribute",
                "use identifiers, joined by dots: messages.batches",
            )
        full = f"{resource}.{method}"
        if seen.setdefault(full, operation.name) != operation.name:
            yield Finding(f"{operation.pointer}/x-method", f"{full} is already {seen[full]}")
    for operation in spec.operations:
        full = f"{operation.value.get('x-resource')}.{operation.value.get('x-method')}"
        for other in spec.operations:
            resource = other.value.get("x-resource", "")
            if resource == full or resource.startswith(f"{full}."):
                yield Finding(f"{operation.pointer}/x-method", f"{full} is a method and a resource")
                break


def _argument_name(parameter: JsonObject) -> str:
    return str(parameter.get("x-python-name", parameter["name"]))


def _parameter_name(spec: Spec) -> Iterator[Finding]:
    for node in spec.nodes("parameter"):
        # Headers of a webhook are read, nobody passes them.
        if "$ref" in node.value or node.pointer.startswith("/webhooks/"):
            continue
        name = _argument_name(node.value)
        if not is_python_name(name):
            key = "x-python-name" if "x-python-name" in node.value else "name"
            yield Finding(f"{node.pointer}/{key}", f"{name!r} cannot be a Python argument")
    for node in spec.nodes("schema"):
        if "x-python-name" in node.value:
            yield Finding(
                f"{node.pointer}/x-python-name",
                "properties keep their wire names",
                "remove it: only parameters can be renamed",
            )


def _argument_collision(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        taken: dict[str, str] = dict.fromkeys(OPTION_NAMES, "an option of every method")
        if not any(p["name"].lower() == WORKSPACE_HEADER for _, p in spec.parameters(operation)):
            # Operations on workspaces name them in arguments: nothing else could be meant there.
            del taken["workspace_id"]
        taken |= dict.fromkeys(LOCAL_NAMES, "a name of the method's own")
        for at, parameter in spec.parameters(operation):
            if parameter["name"].lower() in OPTION_HEADERS:
                continue
            name = _argument_name(parameter)
            what = f"the {parameter['in']} parameter {parameter['name']}"
            if name in taken:
                yield Finding(at, f"{name} of {operation.name} is already {taken[name]}")
            taken.setdefault(name, what)
        yield from _body_collision(spec, operation, taken)


def _body_collision(
    spec: Spec, operation: OperationNode, taken: dict[str, str]
) -> Iterator[Finding]:
    schema = spec.body_schema(operation)
    for wire in schema.get("properties", {}):
        name = python_name(wire)
        if name in taken:
            at, _ = spec.request_media(operation)
            yield Finding(at, f"the body field {wire} of {operation.name} is already {taken[name]}")


def _path_parameters(spec: Spec) -> Iterator[Finding]:
    templates: dict[str, str] = {}
    for path in spec.document.get("paths", {}):
        at = pointer("paths", path)
        shape = re.sub(r"\{[^}]*\}", "{}", path)
        if templates.setdefault(shape, path) != path:
            yield Finding(at, f"{path} and {templates[shape]} match the same URLs")
        if not path.startswith("/") or "?" in path or "#" in path:
            yield Finding(at, "a path starts with / and has neither query nor fragment")
    for operation in spec.operations:
        named = re.findall(r"\{([^}]*)\}", operation.path)
        declared: list[str] = []
        for at, parameter in spec.parameters(operation):
            if parameter["in"] != "path":
                continue
            declared.append(parameter["name"])
            if parameter["name"] not in named:
                yield Finding(f"{at}/name", f"{operation.path} has no {{{parameter['name']}}}")
            if parameter.get("required") is not True:
                yield Finding(at, f"the path parameter {parameter['name']} is not required: true")
        for name in named:
            if name not in declared:
                yield Finding(operation.pointer, f"{{{name}}} is not declared as a path parameter")
        if len(set(named)) != len(named):
            yield Finding(operation.pointer, "a path parameter stands in the path twice")


def _parameter_duplicate(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        seen: set[tuple[str, str]] = set()
        for at, parameter in spec.parameters(operation):
            name = parameter["name"]
            key = (parameter["in"], name.lower() if parameter["in"] == "header" else name)
            if key in seen:
                place = (
                    at if at.startswith(operation.pointer) else f"{operation.pointer}/parameters"
                )
                yield Finding(place, f"{name} ({parameter['in']}) is listed twice")
            seen.add(key)


def _generated_module(spec: Spec) -> Iterator[Finding]:
    files: set[str] = set()
    resources: dict[str, str] = {}
    for operation in spec.operations:
        file = spec.bundle.locate(operation.pointer).file
        family = python_name(file.rpartition("/")[2].removesuffix(".yaml"))
        if family in OPERATION_MODULES and file not in files:
            yield Finding(
                operation.pointer,
                f"the operations of {file} would replace the module {family}",
                "rename the file",
            )
        files.add(file)
        name = operation.value.get("x-resource", "")
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            resource = ".".join(parts[:end])
            other = resources.setdefault(resource.replace(".", "_"), resource)
            if other != resource:
                yield Finding(
                    f"{operation.pointer}/x-resource",
                    f"the resources {resource} and {other} become one module",
                    "rename one of the two",
                )


def _schema_file(spec: Spec) -> Iterator[Finding]:
    for name in spec.schemas:
        at = pointer("components", "schemas", name)
        file = spec.bundle.locate(at).file
        if split_pointer(f"/{file}")[0] != "schemas":
            yield Finding(at, f"{name} is defined in {file}")


RULES: Final = (
    Rule(
        "class-name-invalid",
        "Schema components are named like classes, and not like names the generated code uses.",
        "The name becomes a class.",
        "use CamelCase of letters and digits",
        _class_name,
    ),
    Rule(
        "schema-file",
        "Schemas are defined in files below schemas/.",
        "The file decides the module of the generated class.",
        "move it into a file below schemas/",
        _schema_file,
    ),
    Rule(
        "module-collision",
        "Names of classes and of schema files differ in more than case and underscores.",
        "On many file systems URLSource and UrlSource are one file, and tools drop underscores.",
        "rename one of the two",
        _module_collision,
    ),
    Rule(
        "module-too-large",
        f"A schema file defines at most {MAX_CLASSES} response classes.",
        "attrs copies the module's namespace into each class; big modules cost time and memory.",
        "split the file by what travels together",
        _module_too_large,
    ),
    Rule(
        "generated-module-collision",
        "Files of operations and resources become modules of their own.",
        "One module would silently replace the other.",
        "rename the file or the resource",
        _generated_module,
    ),
    Rule(
        "title-collision",
        "No two schemas have the same title.",
        "Parsers name classes by title, and the second one is dropped.",
        "remove the titles: components are named by their key",
        _title_collision,
    ),
    Rule(
        "property-name-collision",
        "The properties of an object have different, public Python names.",
        "Two wire names on one attribute lose one of the values.",
        "a clash on the wire needs a mapping in the generator: raise it there",
        _property_collision,
    ),
    Rule(
        "operation-id-missing",
        "Every operation has an operationId in snake_case.",
        "It names the operation in the generated tables, in examples and in errors.",
        "add operationId: resource_method",
        _operation_id,
    ),
    Rule(
        "operation-id-duplicate",
        "No two operations have the same operationId.",
        "The second one would replace the first.",
        "rename one of the two",
        _operation_id_duplicate,
    ),
    Rule(
        "x-resource-missing",
        "Every operation has x-resource and x-method, and the pair is its own.",
        "They say where the method sits on the client.",
        "add x-resource and x-method, with the names of the official SDK",
        _resource_missing,
    ),
    Rule(
        "parameter-name-invalid",
        "The Python name of every parameter is an identifier and no keyword.",
        "It becomes an argument.",
        "add x-python-name",
        _parameter_name,
    ),
    Rule(
        "argument-name-collision",
        "Parameters, body fields, options and what a method uses itself have different names.",
        "They share the argument list of one method and the variables in it.",
        "rename the parameter with x-python-name",
        _argument_collision,
    ),
    Rule(
        "parameter-duplicate",
        "An operation lists each parameter once.",
        "Two parameters of one name and place cannot both be sent.",
        "remove one",
        _parameter_duplicate,
    ),
    Rule(
        "path-parameter-mismatch",
        "Path templates and declared path parameters agree, and no two paths match the same URLs.",
        "A template without its parameter is sent with the braces in it.",
        "declare each {name} of the path as a required path parameter, and no others",
        _path_parameters,
    ),
)
