"""Typed sync and async resources: the methods people call."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from ..ir import OPTION_PARAMETERS, OperationNode, Representation
from ..types import Type, references
from .environment import render
from .text import (
    LINE_LENGTH,
    argument_annotation,
    argument_lines,
    class_case,
    constant_case,
    docstring,
    model_annotation,
    names_in,
)

_WRAPPERS = {"binary": "BinaryResponse", "jsonl": "JSONLStream[{}]"}
"""Classes of answers that are read after the call; asynchronous ones have ``Async`` in front."""


_TWINS = {"": "", "Async": " on an asynchronous client"}
_RESPONSE_ATTRIBUTES = {"with_raw_response": "raw", "with_streaming_response": "streamed"}


@dataclass(frozen=True)
class _Argument:
    name: str
    annotation: str
    required: bool
    positional: bool
    description: str

    @property
    def declaration(self) -> str:
        """The argument as it stands in a signature."""
        if self.required:
            return f"{self.name}: {self.annotation}"
        return f"{self.name}: {self.annotation} | Unset = UNSET"


@dataclass(frozen=True)
class Resource:
    """A node of the client's tree of resources."""

    name: str
    """Dotted path on the client, for example ``messages.batches``."""
    operations: tuple[OperationNode, ...]
    children: tuple[str, ...]

    @property
    def module(self) -> str:
        """Module below ``resources``."""
        return self.name.replace(".", "_")

    @property
    def attribute(self) -> str:
        """Attribute on the parent."""
        return self.name.rsplit(".", 1)[-1]

    @property
    def class_name(self) -> str:
        """Class of the sync twin; the async one has ``Async`` before it."""
        return class_case(self.attribute)


def resource_tree(representation: Representation) -> dict[str, Resource]:
    """Return every resource by dotted path, with its children."""
    operations: defaultdict[str, list[OperationNode]] = defaultdict(list)
    for operation in representation.operations:
        parts = operation.resource.split(".")
        for end in range(1, len(parts)):
            operations.setdefault(".".join(parts[:end]), [])
        operations[operation.resource].append(operation)
    return {
        name: Resource(
            name,
            tuple(operations[name]),
            tuple(sorted(child for child in operations if child.rpartition(".")[0] == name)),
        )
        for name in sorted(operations)
    }


def emit_resources(representation: Representation) -> dict[str, str]:
    """Return the files of ``resources/`` and the client shells by path below the package."""
    tree = resource_tree(representation)
    emitter = _Emitter(representation, tree)
    files = {f"resources/{node.module}.py": emitter.module(node) for node in tree.values()}
    roots = [node for name, node in tree.items() if "." not in name]
    files.update(
        (f"raw_responses/{node.module}.py", emitter.raw_responses(node)) for node in tree.values()
    )
    files["resources/__init__.py"] = render("resources_package.py.jinja", roots=roots)
    files["raw_responses/__init__.py"] = render("raw_responses_package.py.jinja", roots=roots)
    files["client.py"] = render("client.py.jinja", roots=roots)
    return files


class _Emitter:
    def __init__(self, representation: Representation, tree: dict[str, Resource]) -> None:
        self.components = representation.components
        self.tree = tree
        self.both_sides: set[str] = set()

    def module(self, resource: Resource) -> str:
        params, models = self.imports(resource.operations)
        methods = [self.method(operation) for operation in resource.operations]
        children = [self.tree[name] for name in resource.children]
        body = render(
            "resource_classes.py.jinja",
            resource=resource,
            methods=methods,
            children=children,
            doc=docstring(f"Methods of ``client.{resource.name}``.", 4),
            async_doc=docstring(
                f"Methods of ``client.{resource.name}`` on an asynchronous client.", 4
            ),
        )
        used = names_in(body)
        return render(
            "resource_module.py.jinja",
            body=body,
            resource=resource,
            doc=docstring(f"``client.{resource.name}``."),
            used=used,
            operations=self.operation_imports(resource.operations),
            params=params,
            models=models,
            children=children,
            pages=any(operation.pagination for operation in resource.operations),
        )

    def raw_responses(self, resource: Resource) -> str:
        """Return the classes behind ``with_raw_response`` and ``with_streaming_response``."""
        wrappers = {
            operation.method_name: _response_wrappers(operation)
            for operation in resource.operations
        }
        used = {name for names in wrappers.values() for name in names.values()}
        if used:
            used.add("rebound")
            used |= {f"{prefix}{kind}Caller" for prefix in _TWINS for kind in ("Raw", "Streaming")}
        path = f"client.{resource.name}"
        return render(
            "raw_responses_module.py.jinja",
            resource=resource,
            wrappers=wrappers,
            children=[self.tree[name] for name in resource.children],
            used=sorted(used),
            doc=docstring(f"``{path}.with_raw_response`` and ``{path}.with_streaming_response``."),
            docs={
                f"{prefix}{attribute}": docstring(f"Methods of ``{path}.{attribute}``{where}.", 4)
                for prefix, where in _TWINS.items()
                for attribute in _RESPONSE_ATTRIBUTES
            },
        )

    @staticmethod
    def operation_imports(operations: tuple[OperationNode, ...]) -> list[tuple[str, list[str]]]:
        by_family: defaultdict[str, list[str]] = defaultdict(list)
        for operation in operations:
            by_family[operation.family].append(constant_case(operation.id))
        return sorted((family, sorted(names)) for family, names in by_family.items())

    def imports(self, operations: tuple[OperationNode, ...]) -> tuple[list[str], list[str]]:
        """Return import lines of the request and response types of the signatures."""
        params: set[str] = set()
        models: set[str] = set()
        for operation in operations:
            for argument in operation.arguments:
                if argument.wire_name not in OPTION_PARAMETERS:
                    params |= set(references(argument.type))
            if operation.body is not None:
                for field in self.components[operation.body].fields:
                    params |= set(references(field.type))
            answer = operation.answer
            if answer.page_item is not None:
                models.add(answer.page_item)
            elif answer.type is not None:
                models |= set(references(answer.type))
            if answer.event_type is not None:
                models.add(answer.event_type)
        # A type of both sides is two types: the model is imported, the other one called by module.
        self.both_sides = params & models
        lines = self.import_lines("params", params - models)
        if self.both_sides:
            lines.append("from .. import params")
        return lines, self.import_lines("models", models)

    def import_lines(self, package: str, names: set[str]) -> list[str]:
        by_module: defaultdict[str, list[str]] = defaultdict(list)
        for name in names:
            by_module[self.components[name].module].append(name)
        return [
            f"from ..{package}.{module} import {', '.join(sorted(found))}"
            for module, found in sorted(by_module.items())
        ]

    def method(self, operation: OperationNode) -> dict[str, Any]:
        arguments = self.arguments(operation)
        answer = operation.answer
        returns = "None" if answer.type is None else model_annotation(answer.type)
        if answer.kind in _WRAPPERS:
            returns = _WRAPPERS[answer.kind].format(returns)
        entries = [(argument.name, argument.description) for argument in arguments]
        described = [entry for entry in entries if entry[1].strip()]
        more = argument_lines(described, "Args", LINE_LENGTH - 8) if described else ""
        text = "\n\n".join(
            part for part in (_sentence(operation.summary), operation.description) if part.strip()
        )
        kind = "call"
        if operation.pagination:
            kind = "paginate"
        elif answer.kind == "sse":
            kind = "stream"
        elif answer.kind in _WRAPPERS:
            kind = "open"
        return {
            "name": operation.method_name,
            "constant": constant_case(operation.id),
            "positional": [argument for argument in arguments if argument.positional],
            "keyword": [argument for argument in arguments if not argument.positional],
            "plain": [
                argument
                for argument in arguments
                if not argument.positional and argument.name != operation.stream_argument
            ],
            "arguments": arguments,
            "options": _options(arguments),
            "returns": returns,
            "item": answer.page_item,
            "event": answer.event_type,
            "stream_argument": operation.stream_argument,
            "kind": kind,
            "doc": docstring(text or operation.id, 8, more=more),
            "short_doc": docstring(_sentence(operation.summary) or operation.id, 8),
        }

    def arguments(self, operation: OperationNode) -> list[_Argument]:
        arguments = [
            _Argument(
                argument.name,
                self.annotation(argument.type),
                argument.required,
                argument.location == "path",
                argument.description,
            )
            for argument in operation.arguments
            if argument.wire_name not in OPTION_PARAMETERS
        ]
        if operation.body is not None:
            for field in self.components[operation.body].fields:
                notes = field.description
                if field.beta is not None:
                    notes += " Beta."
                arguments.append(
                    _Argument(
                        field.name,
                        self.annotation(field.type),
                        field.required and operation.body_required,
                        positional=False,
                        description=notes,
                    )
                )
        return sorted(
            arguments, key=lambda argument: (not argument.positional, not argument.required)
        )

    def annotation(self, kind: Type) -> str:
        return argument_annotation(
            kind, lambda name: f"params.{name}" if name in self.both_sides else name
        )


def _options(arguments: list[_Argument]) -> str:
    """Return the class of a method's options; none of them may share the name of an argument."""
    own = any(argument.name == "workspace_id" for argument in arguments)
    return "OptionsBesideWorkspace" if own else "RequestOptions"


def _response_wrappers(operation: OperationNode) -> dict[str, str]:
    """Return what makes of a method that of an attribute, by twin and attribute."""
    kind = "list" if operation.pagination else "method"
    wrappers: dict[str, str] = {}
    for attribute, name in _RESPONSE_ATTRIBUTES.items():
        wrappers[attribute] = f"{name}_method"
        wrappers[f"Async{attribute}"] = f"async_{name}_{kind}"
    return wrappers


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else text + "."
