"""Which operations work on the same objects, told by the paths alone.

``POST /v1/things`` makes what ``GET /v1/things`` lists, and ``GET``, ``POST`` and ``DELETE
/v1/things/{id}`` and ``POST /v1/things/{id}/archive`` work on one of them. A path such as
``/v1/things/settings`` that is read and written at the same place is an object of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .routing import MockOperation, Router

_JSON: Final = "application/json"
_WRITING: Final = ("POST", "PUT", "PATCH")

RoleName = Literal[
    "list", "append", "create", "retrieve", "update", "delete", "act", "settings", "other"
]


@dataclass
class Family:
    """Objects of one kind and what can be done with them."""

    path: str
    """Path template of the collection, or of the one object that there is."""
    argument: str = ""
    """Path argument that names one object; empty when objects cannot be addressed."""
    list: MockOperation | None = None
    create: MockOperation | None = None
    retrieve: MockOperation | None = None
    update: MockOperation | None = None
    delete: MockOperation | None = None

    @property
    def operations(self) -> tuple[MockOperation, ...]:
        """Operations on the collection and on its objects, without actions."""
        every = (self.retrieve, self.list, self.create, self.update, self.delete)
        return tuple(operation for operation in every if operation is not None)


@dataclass(frozen=True)
class Role:
    """What an operation does."""

    name: RoleName
    family: Family | None
    """Family it works on; of ``other``, the family of the object its path is below."""


class Families:
    """The families of a bundle, and the role of each operation in one."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._families: dict[str, Family] = {}
        self._roles: dict[str, Role] = {}
        every = list(router.operations.values())
        bases = {_parent(o.path) for o in every if _is_argument(o.segments[-1])}
        bases |= {o.path for o in every if o.method == "GET" and self.listed(o) is not None}
        for operation in every:
            self._enter(operation, bases)
        for operation in every:
            if operation.id not in self._roles:
                self._roles[operation.id] = self._apart(operation)

    def role(self, operation: MockOperation) -> Role:
        """Return what an operation does."""
        return self._roles[operation.id]

    def at(self, path: str) -> Family | None:
        """Return the family whose collection has this path template."""
        return self._families.get(path)

    def schema(self, operation: MockOperation | None) -> Mapping[str, Any] | None:
        """Return the schema of an operation's JSON answer."""
        return None if operation is None else operation.answers.get(_JSON) or None

    def item_schema(self, family: Family) -> Mapping[str, Any] | None:
        """Return the schema of one object of a family."""
        if self.schema(family.retrieve) is not None:
            return self.schema(family.retrieve)
        if family.list is not None:
            return self.listed(family.list)
        return self.schema(family.create) or self.schema(family.update)

    def listed(self, operation: MockOperation) -> Mapping[str, Any] | None:
        """Return the schema of the items of a list; None when the answer is no list."""
        schema = self.schema(operation)
        node: Mapping[str, Any] = {} if schema is None else self._router.resolve(schema)
        data = self._router.resolve(node.get("properties", {}).get("data", {}))
        items: Mapping[str, Any] | None = data.get("items")
        return items if data.get("type") == "array" else None

    def _enter(self, operation: MockOperation, bases: set[str]) -> None:
        path, method = operation.path, operation.method
        if _is_argument(operation.segments[-1]):
            family = self._family(_parent(path))
            family.argument = operation.segments[-1][1:-1]
            if method == "GET":
                family.retrieve = operation
                self._roles[operation.id] = Role("retrieve", family)
            elif method == "DELETE":
                family.delete = operation
                self._roles[operation.id] = Role("delete", family)
            elif method in _WRITING:
                family.update = operation
                self._roles[operation.id] = Role("update", family)
        elif path in bases and method == "GET" and self.listed(operation) is not None:
            family = self._family(path)
            family.list = operation
            self._roles[operation.id] = Role("list", family)
        elif path in bases and method == "POST" and self.schema(operation) is not None:
            family = self._family(path)
            if self.listed(operation) is not None:
                self._roles[operation.id] = Role("append", family)
                return
            family.create = operation
            self._roles[operation.id] = Role("create", family)

    def _apart(self, operation: MockOperation) -> Role:
        """Return the role of an operation that is neither on a collection nor on an object."""
        above = _parent(operation.path)
        if _is_argument(above.rpartition("/")[2]):
            family = self._families.get(_parent(above))
            if operation.method == "POST" and family is not None:
                kind = self.item_schema(family)
                same = kind is not None and kind == self.schema(operation)
                return Role("act" if same else "other", family)
        reading = self._at(operation.path, ("GET",))
        writing = self._at(operation.path, _WRITING)
        if reading is not None and writing is not None and self.schema(reading) is not None:
            family = self._family(operation.path)
            family.retrieve, family.update = reading, writing
            return Role("settings", family)
        segments = list(operation.segments)
        while segments:
            if _is_argument(segments.pop()) and segments:
                family = self._families.get("/".join(segments))
                if family is not None:
                    return Role("other", family)
        return Role("other", None)

    def _at(self, path: str, methods: tuple[str, ...]) -> MockOperation | None:
        every = self._router.operations.values()
        return next((o for o in every if o.path == path and o.method in methods), None)

    def _family(self, path: str) -> Family:
        return self._families.setdefault(path, Family(path))


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _is_argument(segment: str) -> bool:
    return segment.startswith("{")
