"""The objects that a call is about: finding, making, changing and showing them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .exchange import RefusedError
from .json_values import is_object
from .records import Collection, Record
from .schema_values import ValueMaker

if TYPE_CHECKING:
    from collections.abc import Collection as Names
    from collections.abc import Iterator, Mapping

    from .answers import Call
    from .families import Family
    from .schema_facts import Node

_LISTED: Final = 5
"""How many objects a list begins with."""
_APART_SECONDS: Final = 60 * 60
_UNDOING: Final = re.compile(r"un(?=[a-z]{4})|resume$|enable$|restore$|reactivate$")


@dataclass
class KeptObjects:
    """The objects of the families that a call has to do with."""

    call: Call
    handled: Names[str]
    """Operations that have a handler, whose objects are not known here."""

    def require_parents(self) -> None:
        """Require the objects that the path goes through, the last one excepted.

        Raises:
            RefusedError: 404 when one of them is not there.
        """
        segments = self.call.operation.segments
        for place in range(2, len(segments)):
            if segments[place - 1].startswith("{"):
                family = self.call.router.families.at("/".join(segments[: place - 1]))
                if family is not None and not self.is_foreign(family):
                    self.find(family)

    def is_foreign(self, family: Family) -> bool:
        """Return whether a handler keeps the objects of a family."""
        return any(operation.id in self.handled for operation in family.operations)

    def find(self, family: Family, *, made: bool = False) -> tuple[Collection, Record]:
        """Return the object that the path names.

        Args:
            family: Family of the object.
            made: Whether an object that is not there comes to be.

        Raises:
            RefusedError: 404 when it is not there.
        """
        collection = self.collection(family)
        key = self.call.path[family.argument]
        record = collection.records.get(key)
        if record is None and (made or (family.list is None and family.create is None)):
            # Where nothing tells which objects there are, every ID leads to one.
            record = self.make(family, collection, key, self.call.now)
        if record is None:
            noun = family.argument.removesuffix("_id").replace("_", " ")
            raise RefusedError(404, f"{noun}: {key[:80]}")
        return collection, record

    def collection(self, family: Family) -> Collection:
        """Return the collection that the path leads to, with its first objects."""
        path = self.filled(family.path)
        collection = self.call.workspace.records.find(path)
        if collection is not None:
            return collection
        collection = self.open(path)
        if family.list is None and family.create is None:
            return collection
        now = self.call.now
        found = [(_seconds(value, now), value) for value in self._examples(family)]
        made = range(_LISTED - len(found), 0, -1)
        found += [(now - age * _APART_SECONDS, dict[str, Any]()) for age in made]
        for created, value in sorted(found, key=lambda pair: pair[0]):
            if not value:
                self.make(family, collection, None, created)
                continue
            number = self.call.workspace.next_number()
            key = self.key(family, value, str(number))
            self.keep(collection, Record(key, number, created, dict(value)))
        return collection

    def open(self, path: str) -> Collection:
        """Return a new, empty collection at a path."""
        return self.call.workspace.records.open(path)

    def add(
        self, family: Family, collection: Collection, value: Any, schema: Node, number: int
    ) -> None:
        """Keep a new object, given as an answer shows it, in the form that can be retrieved."""
        item = self.call.router.families.item_schema(family) or schema
        if item != schema:
            value = self.maker(f"{collection.path}#{number}!", sparse=True).value(item, value)
        if is_object(value):
            key = self.key(family, value, str(number))
            self.keep(collection, Record(key, number, self.call.now, value))

    def keep(self, collection: Collection, record: Record) -> None:
        """Put a record into a collection, in place of one with its key."""
        self.call.workspace.records.keep(collection, record)

    def _examples(self, family: Family) -> Iterator[dict[str, Any]]:
        """Yield the objects of a family that the examples of the spec show."""
        item = self.call.router.families.item_schema(family)
        parents = {n: v for n, v in self.call.path.items() if f"{{{n}}}" in family.path}
        seen: set[str] = set()
        for operation in (family.retrieve, family.list):
            for example in () if operation is None else operation.examples:
                said = example.arguments
                if any(said.get(name, value) != value for name, value in parents.items()):
                    continue  # shows what is below another object
                answer = example.answer
                shown = answer.get("data", []) if operation is family.list else [answer]
                for value in shown if is_object(answer) else ():
                    key = self.key(family, value, repr(value))
                    fits = item is not None and self.call.router.facts.fits(item, value)
                    if key not in seen and fits:
                        seen.add(key)
                        yield value

    def make(
        self, family: Family, collection: Collection, key: str | None, created: float
    ) -> Record:
        """Put a made-up object into a collection."""
        call = self.call
        number = call.workspace.next_number()
        place = f"{collection.path}#{len(collection.records) if key is None else key}"
        schema = call.router.families.item_schema(family) or {}
        maker = self.maker(place, created=created)
        given: dict[str, Any] = {n: v for n, v in call.path.items() if f"{{{n}}}" in family.path}
        name = self._key_name(family)
        if name is not None:
            node, component = self.properties(schema)
            if key is not None:
                given[name] = key
            elif "integer" in call.router.facts.kinds(node[name]):
                given[name] = 1 + len(collection.records)
            elif "const" not in node[name]:
                given[name] = maker.identifier(node[name], component, name)
        value = maker.value(schema, given)
        if key is None:
            key = self.key(family, value, str(number))
        record = Record(key, number, created, value)
        if is_object(value):
            self.keep(collection, record)
        return record

    def change(
        self, collection: Collection, record: Record, family: Family, changes: Mapping[str, Any]
    ) -> None:
        """Change an object; maps are merged, and null takes a key out of them."""
        schema = self.call.router.families.item_schema(family) or {}
        properties = self.properties(schema)[0]
        value = dict(record.value)
        for name, change in changes.items():
            if name not in properties or (name == self._key_name(family)):
                continue
            before = value.get(name)
            if is_object(before) and is_object(change):
                merged = {**before, **change}
                value[name] = {k: v for k, v in merged.items() if k not in change or v is not None}
            elif change is None and "null" not in self.call.router.facts.kinds(properties[name]):
                value.pop(name, None)
            else:
                value[name] = change
        if properties.get("updated_at", {}).get("format") == "date-time":
            value["updated_at"] = self.maker("", created=self.call.now).time_of("updated_at")
        if isinstance(value.get("version"), int):
            value["version"] += 1
        maker = self.maker(f"{collection.path}/{record.key}+", sparse=True, created=record.created)
        record.value = maker.value(schema, value)
        self.keep(collection, record)

    def effects(self, verb: str, record: Record, schema: Node) -> dict[str, Any]:
        """Return what an action such as ``archive`` sets: a time and a status of its name."""
        undoing = _UNDOING.match(verb)
        stem = (verb.removeprefix("un") if undoing else verb).rstrip("e")[:6]
        effects: dict[str, Any] = {}
        for name, node in self.properties(schema)[0].items():
            target = self.call.router.facts.resolve(node)[0]
            if name.endswith("_at") and (
                name.startswith(stem) or (undoing and name in record.value)
            ):
                if undoing and re.match(r"creat|updat", name):
                    continue
                moment = self.maker("", created=self.call.now).time_of(name)
                effects[name] = None if undoing else moment
            elif "enum" in target and re.fullmatch(r"(\w+_)?(status|state)", name):
                if undoing:
                    maker = self.maker("", sparse=True)
                    effects[name] = maker.value(target, name=name)
                    continue
                named = [c for c in target["enum"] if isinstance(c, str) and c.startswith(stem)]
                effects.update({name: named[0]} if named else {})
        return effects

    def shaped(self, family: Family, record: Record, schema: Node) -> Any:
        """Return an object as a schema shows it, which may be less than is kept of it."""
        if schema == self.call.router.families.item_schema(family):
            return record.value
        purpose = f"{self.filled(family.path)}/{record.key}"
        maker = self.maker(purpose, sparse=True, created=record.created)
        return maker.value(schema, record.value)

    def key(self, family: Family, value: Mapping[str, Any], fallback: str) -> str:
        """Return what a path calls an object."""
        name = self._key_name(family)
        return fallback if name is None else str(value.get(name, fallback))

    def _key_name(self, family: Family) -> str | None:
        """Return the property by which the path names an object."""
        properties = self.properties(self.call.router.families.item_schema(family) or {})[0]
        argument = family.argument
        names = ("id", argument, argument.rpartition("_")[2], argument.removesuffix("_id"))
        return next((name for name in names if name and name in properties), None)

    def properties(self, schema: Node) -> tuple[Mapping[str, Node], str | None]:
        """Return the properties of an object; of a union, those of its first member."""
        facts = self.call.router.facts
        node, component = facts.resolve(schema)
        while "properties" not in node:
            variants = [v for v in node.get("oneOf", ()) if facts.kinds(v) != ["null"]]
            if not variants:
                return {}, component
            node, component = facts.resolve(variants[0])
        return node["properties"], component

    def filled(self, template: str) -> str:
        """Return a path with the arguments of the call in it."""
        return re.sub(r"\{(\w+)\}", lambda m: quote(self.call.path[m[1]], safe=""), template)

    def maker(
        self, purpose: str, *, sparse: bool = False, created: float | None = None
    ) -> ValueMaker:
        """Return a maker of values; see there for the arguments."""
        call = self.call
        return ValueMaker(
            call.router.facts,
            call.identifiers,
            call.workspace.turns,
            purpose,
            call.now if created is None else created,
            call.now,
            call.flags,
            call.version,
            sparse,
        )


def _seconds(value: Mapping[str, Any], fallback: float) -> float:
    """Return when an object of an example was created."""
    try:
        return datetime.fromisoformat(str(value["created_at"]).replace("Z", "+00:00")).timestamp()
    except (KeyError, ValueError):
        return fallback
