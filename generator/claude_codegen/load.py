"""Reads a spec of several YAML files into one document, and remembers where everything stood.

``load_spec`` is the only stage that touches the file system. It reads the entry document, every
component file beside it (see ``SECTION_OF``), the path items the entry document refers to, and
the examples; it joins them into one OpenAPI document whose mappings are sorted by key, so that
the order in which people write things never changes what is generated.
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import unquote

from .problems import Problem, SpecError
from .source import (
    Location,
    MappingTree,
    ScalarTree,
    SequenceTree,
    Tree,
    YamlReader,
    decode_text,
    parse_json,
    pointer,
    sorted_json,
    split_pointer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION_OF: Final = {
    "schemas": "schemas",
    "parameters": "parameters",
    "responses": "responses",
    "response_headers": "headers",
    "request_bodies": "requestBodies",
    "security_schemes": "securitySchemes",
}
"""Component section by file role: the first folder, or the stem of a file beside the entry."""

EXAMPLES_FOLDER: Final = "examples"
"""Folder of the files that ``externalValue`` names."""

LOAD_RULES: Final = {
    "file-unreadable": "A file is missing, unreadable, not UTF-8 or not a YAML mapping.",
    "yaml-syntax": "The text is not YAML.",
    "yaml-duplicate-key": "A mapping has a key twice.",
    "yaml-key-not-string": "A mapping key is not a string.",
    "yaml-ambiguous": "YAML 1.1 and YAML 1.2 read a plain value differently.",
    "yaml-empty-value": "A key has no value.",
    "yaml-unsupported": "An alias, a tag, a merge key or several documents in one file.",
    "yaml-not-json": "A value that JSON cannot say (infinity, not-a-number).",
    "ref-form": "A `$ref` or mapping value that does not name a component.",
    "ref-missing": "A `$ref`, mapping value or `externalValue` that leads nowhere.",
    "ref-outside-spec": "A `$ref` or `externalValue` that leaves the folder of the spec.",
    "ref-remote": "A `$ref` or `externalValue` with a URL.",
    "component-name-clash": "Two definitions share one component name.",
    "example-unreadable": "An example file is not UTF-8 text or not strict JSON.",
}
"""Rule ids of the problems ``load_spec`` raises, each with its summary."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A spec as one document, with the way back to its sources."""

    document: dict[str, Any]
    """The OpenAPI document: only JSON types, mappings sorted by key, refs local."""
    locations: dict[str, Location]
    """Source place by JSON pointer into ``document``, for every node but the insides of examples.

    A mapping entry is where its key is."""
    component_files: dict[str, str]
    """Schema file of each schema component, without ``schemas/`` and suffix: ``messages/text``."""
    sources: dict[str, bytes]
    """Every file that was read, as it is on disk, by path relative to the spec's folder."""
    example_files: tuple[str, ...]
    """Every file in the examples folder, referenced or not."""
    examples: dict[str, str]
    """File behind an inlined ``externalValue``, by JSON pointer of the Example Object."""
    unreferenced: dict[str, Location]
    """Path items nobody refers to and YAML files nobody reads, by a name for messages."""
    root: Path = field(default_factory=Path)
    """Folder of the entry document."""

    def locate(self, pointer: str) -> Location:
        """Return the place of ``pointer``, or of the nearest enclosing node that has one."""
        while pointer not in self.locations:
            pointer = pointer.rpartition("/")[0]
        return self.locations[pointer]


# --- files ----------------------------------------------------------------------------------


class _Files:
    """Reads files below the spec's folder, each once, by path relative to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources: dict[str, bytes] = {}
        # Names are compared with this listing and not left to the file system, so that a
        # reference in the wrong case fails everywhere, not only on Linux.
        self.names = frozenset(_list_files(root))

    def read(self, name: str) -> bytes:
        """Return the content of ``name``; raises OSError."""
        if name not in self.sources:
            self.sources[name] = (self.root / name).read_bytes()
        return self.sources[name]


def _list_files(root: Path) -> Iterator[str]:
    inside = root.resolve()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        # A symbolic link that leads out of the folder is not part of the spec.
        if not hidden and path.is_file() and path.resolve().is_relative_to(inside):
            yield name


def _role(name: str) -> str | None:
    """Return the component section that a file defines, None for every other file."""
    folder, _, rest = name.partition("/")
    if not name.endswith(".yaml"):
        return None
    if rest:
        return SECTION_OF.get(folder)
    return SECTION_OF.get(name.removesuffix(".yaml"))


# --- joining --------------------------------------------------------------------------------

_Kind = Literal["object", "names", "examples", "example", "data", "mapping"]

# What the children of these keywords are, where the parent is an OpenAPI or schema object.
# Everything not listed is an object again; keywords starting with x- are data.
_CHILD_KIND: Final[dict[str, _Kind]] = {
    "properties": "names",
    "patternProperties": "names",
    "dependentSchemas": "names",
    "$defs": "names",
    "responses": "names",
    "headers": "names",
    "content": "names",
    "encoding": "names",
    "callbacks": "names",
    "links": "names",
    "variables": "names",
    "examples": "examples",
    "mapping": "mapping",
    "example": "data",
    "value": "data",
    "const": "data",
    "enum": "data",
    "default": "data",
    "security": "data",
    "required": "data",
    "scopes": "data",
    "x-item-schema": "object",
    "x-default-mapping": "mapping",
}


@dataclass(frozen=True, slots=True)
class _Component:
    section: str
    name: str
    tree: Tree
    place: Location

    @property
    def ref(self) -> str:
        return "#" + pointer("components", self.section, self.name)


class _Linker:
    """Joins the files of a spec into one document."""

    def __init__(self, files: _Files, entry: str, problems: list[Problem]) -> None:
        self._files = files
        self._entry = entry
        self._problems = problems
        self._trees: dict[str, MappingTree | None] = {}
        self._targets: dict[tuple[str, tuple[str, ...]], _Component] = {}
        self._components: dict[str, dict[str, _Component]] = {}
        self._used_path_items: set[tuple[str, str]] = set()
        self.locations: dict[str, Location] = {}
        self.examples: dict[str, str] = {}
        self.unreferenced: dict[str, Location] = {}

    # Reading

    def tree(self, name: str) -> MappingTree | None:
        """Return the tree of a YAML file, None when it cannot be read (reported once)."""
        if name not in self._trees:
            try:
                content = self._files.read(name)
            except OSError as error:
                self._problems.append(
                    Problem("file-unreadable", error.strerror or str(error), name)
                )
                self._trees[name] = None
            else:
                self._trees[name] = YamlReader(name, self._problems).read(content)
        return self._trees[name]

    def _problem(self, rule: str, message: str, place: Location, fix: str, at: str = "") -> None:
        self._problems.append(Problem(rule, message, place.file, place.line, place.column, at, fix))

    # Components

    def gather(self) -> None:
        """Register the components of the component files and of the entry document."""
        for name in sorted(self._files.names):
            section = _role(name)
            if section is None or name == self._entry:
                continue
            tree = self.tree(name)
            if tree is not None:
                for key, value in tree.items.items():
                    place = tree.key_places[key]
                    self._register(name, (key,), _Component(section, key, value, place))
        root = self.tree(self._entry)
        sections = root.items.get("components") if root is not None else None
        if not isinstance(sections, MappingTree):
            return
        for section, entries in sections.items.items():
            if section.startswith("x-") or not isinstance(entries, MappingTree):
                continue
            for key, value in entries.items.items():
                tokens = ("components", section, key)
                component = _Component(section, key, value, entries.key_places[key])
                if not self._is_listing(component):
                    self._register(self._entry, tokens, component)

    def _is_listing(self, component: _Component) -> bool:
        """Tell whether an entry only lists a component file's definition under its own name."""
        tree = component.tree
        if not isinstance(tree, MappingTree) or list(tree.items) != ["$ref"]:
            return False
        ref = tree.items["$ref"]
        if not isinstance(ref, ScalarTree) or not isinstance(ref.value, str):
            return False
        file, _, fragment = ref.value.partition("#")
        if not file:
            return False
        key = (_join(self._entry, file), tuple(split_pointer(fragment)))
        target = self._targets.get(key)
        if target is None or (target.section, target.name) != (component.section, component.name):
            return False
        self._targets[self._entry, ("components", component.section, component.name)] = target
        return True

    def _register(self, file: str, tokens: tuple[str, ...], component: _Component) -> None:
        known = self._components.setdefault(component.section, {})
        other = known.get(component.name)
        if other is not None:
            self._problem(
                "component-name-clash",
                f"{component.name} is already defined at {other.place.file}:{other.place.line}",
                component.place,
                "rename one of the two, or use one for both where they are equal",
                pointer("components", component.section, component.name),
            )
            return
        known[component.name] = component
        self._targets[file, tokens] = component

    # Building

    def build(self) -> dict[str, Any]:
        """Return the joined document."""
        root = self.tree(self._entry)
        if root is None:
            return {}
        document: dict[str, Any] = {}
        self.locations[""] = root.place
        for key in root.items:
            if key in ("components", "paths", "webhooks"):
                continue
            at = pointer(key)
            self.locations[at] = root.key_places[key]
            document[key] = self._child(root, key, "object", self._entry, at)
        for key in ("paths", "webhooks"):
            if key in root.items:
                self.locations[pointer(key)] = root.key_places[key]
                document[key] = self._path_items(root.items[key], pointer(key))
        sections: dict[str, Any] = {}
        for section, components in sorted(self._components.items()):
            at = pointer("components", section)
            sections[section] = {}
            for name, component in sorted(components.items()):
                here = at + pointer(name)
                self.locations[here] = component.place
                self.locations.setdefault(at, component.place)
                sections[section][name] = self._value(
                    component.tree, "object", component.place.file, here
                )
        if "components" in root.items or sections:
            self.locations["/components"] = root.key_places.get("components", root.place)
            document["components"] = sections
        self._note_unreferenced()
        return dict(sorted(document.items()))

    def _note_unreferenced(self) -> None:
        for name in sorted(self._files.names):
            if name.startswith("paths/") and name.endswith(".yaml"):
                tree = self.tree(name)
                for key in tree.items if tree is not None else ():
                    if (name, key) not in self._used_path_items and tree is not None:
                        self.unreferenced[f"{name}#/{key}"] = tree.key_places[key]
            elif (
                name.endswith((".yaml", ".yml"))
                and name not in self._trees
                and not name.startswith(f"{EXAMPLES_FOLDER}/")
            ):
                self.unreferenced[name] = Location(name, 1, 1)

    def _path_items(self, tree: Tree, at: str) -> Any:
        if not isinstance(tree, MappingTree):
            return self._value(tree, "object", self._entry, at)
        result: dict[str, Any] = {}
        for path in sorted(tree.items):
            here = at + pointer(path)
            item = tree.items[path]
            place = tree.key_places[path]
            file = self._entry
            seen: set[tuple[str, str]] = set()
            while isinstance(item, MappingTree) and "$ref" in item.items:
                found = self._follow(item, file, here)
                if found is None:
                    item = MappingTree({}, {}, place)
                    break
                file, key, place, item = found
                if (file, key) in seen:
                    self._problem("ref-missing", f"the path item {key} refers to itself", place, "")
                    item = MappingTree({}, {}, place)
                    break
                seen.add((file, key))
                self._used_path_items.add((file, key))
            self.locations[here] = place
            result[path] = self._value(item, "object", file, here)
        return result

    def _follow(
        self, item: MappingTree, file: str, at: str
    ) -> tuple[str, str, Location, Tree] | None:
        """Follow the ``$ref`` of a path item to where it is written."""
        ref = item.items["$ref"]
        if len(item.items) > 1:
            other = next(key for key in item.items if key != "$ref")
            self._problem(
                "ref-form",
                f"{other} beside the $ref of a path item",
                item.key_places[other],
                "move it into the path item",
                at,
            )
        if not isinstance(ref, ScalarTree) or not isinstance(ref.value, str):
            self._problem("ref-form", "a $ref is not a string", ref.place, "write a string", at)
            return None
        target = self._resolve_file(ref.value, file, ref.place, at)
        if target is None:
            return None
        name, tokens = target
        tree = self.tree(name)
        if tree is None:
            return None
        if len(tokens) != 1 or tokens[0] not in tree.items:
            self._problem(
                "ref-missing",
                f"{name} has no path item {'/'.join(tokens) or '(the fragment is empty)'}",
                ref.place,
                f"refer to one of its top-level keys: {', '.join(sorted(tree.items))}",
                at,
            )
            return None
        return name, tokens[0], tree.key_places[tokens[0]], tree.items[tokens[0]]

    def _value(self, tree: Tree, kind: _Kind, file: str, at: str) -> Any:
        """Return the JSON value of a tree, with references rewritten; records places."""
        if isinstance(tree, ScalarTree):
            if kind == "mapping":
                return self._reference(tree, file, at)
            return tree.value
        if isinstance(tree, SequenceTree):
            inner: _Kind = "data" if kind == "examples" else kind
            result: list[Any] = []
            for index, item in enumerate(tree.items):
                here = f"{at}/{index}"
                self.locations[here] = item.place
                result.append(self._value(item, inner, file, here))
            return result
        if kind == "example" and "externalValue" in tree.items:
            return self._example(tree, file, at)
        result_map: dict[str, Any] = {}
        for key in sorted(tree.items):
            here = at + pointer(key)
            self.locations[here] = tree.key_places[key]
            if key == "$ref" and kind in ("object", "example"):
                result_map[key] = self._reference(tree.items[key], file, here)
            else:
                result_map[key] = self._child(tree, key, kind, file, here)
        return result_map

    def _child(self, tree: MappingTree, key: str, kind: _Kind, file: str, at: str) -> Any:
        child: _Kind
        if kind in ("data", "mapping"):
            child = kind
        elif kind == "names":
            child = "object"
        elif kind == "examples":
            child = "example"
        elif key.startswith("x-"):
            child = _CHILD_KIND.get(key, "data")
        else:
            child = _CHILD_KIND.get(key, "object")
        return self._value(tree.items[key], child, file, at)

    def _reference(self, tree: Tree, file: str, at: str) -> str:
        if not isinstance(tree, ScalarTree) or not isinstance(tree.value, str):
            self._problem("ref-form", "a reference is not a string", tree.place, "write a string")
            return ""
        text = tree.value
        if not at.endswith("/$ref") and re.fullmatch(r"[A-Za-z0-9_-]+", text):
            component = self._components.get("schemas", {}).get(text)
            if component is None:
                self._problem("ref-missing", f"no schema is named {text}", tree.place, "", at)
                return ""
            return component.ref
        target = self._resolve_file(text, file, tree.place, at)
        if target is None:
            return ""
        name, tokens = target
        component = self._targets.get((name, tokens))
        if component is None:
            self._report_no_component(name, tokens, tree.place, at)
            return ""
        return component.ref

    def _report_no_component(
        self, name: str, tokens: tuple[str, ...], place: Location, at: str
    ) -> None:
        if name != self._entry and _role(name) is None:
            self._problem(
                "ref-form",
                f"{name} does not define components",
                place,
                f"move the target into one of: {', '.join(sorted(SECTION_OF))}",
                at,
            )
        elif name != self._entry and len(tokens) != 1:
            self._problem(
                "ref-form",
                f"#{pointer(*tokens)} is not a component of {name}",
                place,
                "a reference ends in #/ComponentName: make the part a component of its own",
                at,
            )
        elif self.tree(name) is not None:
            self._problem(
                "ref-missing",
                f"{name} has no {pointer(*tokens) or 'component there'}",
                place,
                "correct the name, or define it",
                at,
            )

    def _resolve_file(
        self, text: str, file: str, place: Location, at: str
    ) -> tuple[str, tuple[str, ...]] | None:
        """Return file and pointer tokens of a reference, None when it leads nowhere."""
        path, _, fragment = text.partition("#")
        name = self._resolve_path(path, file, place, at) if path else file
        if name is None:
            return None
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            self._problem(
                "ref-form",
                f"the fragment #{fragment} is not a JSON pointer",
                place,
                f"write #/{fragment}",
                at,
            )
            return None
        return name, tuple(split_pointer(fragment))

    def _resolve_path(self, path: str, file: str, place: Location, at: str) -> str | None:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", path):
            self._problem(
                "ref-remote",
                f"{path} is not a file of the spec",
                place,
                "copy it into the spec",
                at,
            )
            return None
        path = unquote(path)
        name = _join(file, path)
        if path.startswith("/") or "\\" in path or "\0" in path or name.startswith("../"):
            self._problem(
                "ref-outside-spec",
                f"{path} leads out of the spec's folder",
                place,
                "write a relative path with forward slashes that stays inside",
                at,
            )
            return None
        if name not in self._files.names:
            self._problem(
                "ref-missing",
                f"there is no file {name}",
                place,
                "correct the path (relative to the file it stands in; case counts)",
                at,
            )
            return None
        return name

    # Examples

    def _example(self, tree: MappingTree, file: str, at: str) -> dict[str, Any]:
        external = tree.items["externalValue"]
        value: Any = None
        if "value" in tree.items:
            self._problem(
                "ref-form", "value beside externalValue", tree.key_places["value"], "keep one", at
            )
        if not isinstance(external, ScalarTree) or not isinstance(external.value, str):
            self._problem(
                "ref-form", "externalValue is not a string", external.place, "write a path", at
            )
        else:
            name = self._resolve_path(external.value, file, external.place, at)
            if name is not None:
                self.examples[at] = name
                value = self._example_content(name)
        result: dict[str, Any] = {"value": value}
        for key in tree.items:
            here = at + pointer(key)
            if key not in ("externalValue", "value"):
                self.locations[here] = tree.key_places[key]
                result[key] = self._child(tree, key, "object", file, here)
        self.locations[f"{at}/value"] = tree.key_places["externalValue"]
        return dict(sorted(result.items()))

    def _example_content(self, name: str) -> Any:
        try:
            text = decode_text(self._files.read(name))
        except OSError as error:
            self._problems.append(Problem("file-unreadable", error.strerror or str(error), name))
            return None
        except UnicodeDecodeError as error:
            self._problems.append(Problem("example-unreadable", f"not UTF-8: {error.reason}", name))
            return None
        if not name.endswith(".json"):
            return text
        try:
            return sorted_json(parse_json(text))
        except (ValueError, RecursionError) as error:
            line, column, what = 1, 1, str(error) or "nested too deeply"
            if isinstance(error, json.JSONDecodeError):
                line, column, what = error.lineno, error.colno, error.msg
            self._problems.append(
                Problem(
                    "example-unreadable", f"not JSON: {what}", name, line, column, "", "write JSON"
                )
            )
            return None


def _join(file: str, path: str) -> str:
    """Resolve ``path`` against the folder of ``file``."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path))


def load_spec(path: str | Path) -> Bundle:
    """Read the spec whose entry document is ``path``.

    Raises SpecError with every problem found; rule ids are those of ``LOAD_RULES``.
    """
    entry = Path(path)
    problems: list[Problem] = []
    if not entry.is_file():
        reason = "is a folder" if entry.is_dir() else "there is no such file"
        raise SpecError([Problem("file-unreadable", reason, entry.name)])
    files = _Files(entry.parent)
    linker = _Linker(files, entry.name, problems)
    linker.gather()
    document = linker.build()
    if problems:
        raise SpecError(problems)
    return Bundle(
        document=document,
        locations=linker.locations,
        component_files={
            name: linker.locations[pointer("components", "schemas", name)]
            .file.removeprefix("schemas/")
            .removesuffix(".yaml")
            for name in document.get("components", {}).get("schemas", {})
        },
        sources=dict(sorted(files.sources.items())),
        example_files=tuple(
            sorted(name for name in files.names if name.startswith(f"{EXAMPLES_FOLDER}/"))
        ),
        examples=linker.examples,
        unreferenced=linker.unreferenced,
        root=entry.parent,
    )
