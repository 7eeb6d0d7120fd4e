"""Answers of operations that nobody wrote a handler for: made from the spec, with memory.

What an operation does is told by its path (see ``families``). What a family created can be
retrieved, listed, updated, archived and deleted; a list begins with the objects of the spec's
examples and a few that are made up.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .exchange import EVENT_STREAM_TYPE, JSON_TYPE, NO_CONTENT, Answer, RefusedError, encode
from .json_values import is_array, is_object
from .listings import choose_style, page_of
from .records import Collection, Record
from .schema_values import ValueMaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Collection as Names

    from .answers import Call
    from .families import Family
    from .routing import Example
    from .schema_facts import Node

_EVENT_STREAM: Final = "text/event-stream"
_ANY_TYPE: Final = "*/*"
_LISTED: Final = 5
"""How many objects a list begins with."""
_LINES: Final = 4
_BINARY_BYTES: Final = 512
_APART_SECONDS: Final = 60 * 60
_PAGING: Final = frozenset({"limit", "page", "after_id", "before_id", "order"})
_BOUND: Final = re.compile(r"(\w+)\[(gte?|lte?)\]")
_UNDOING: Final = re.compile(r"un(?=[a-z]{4})|resume$|enable$|restore$|reactivate$")


def made_answer(call: Call, handled: Names[str]) -> Answer:
    """Return the answer to a call from its schemas and from what earlier calls left.

    Args:
        call: An accepted request.
        handled: Operations that have a handler, whose objects are not known here.

    Raises:
        RefusedError: 404 for an object that is not there, 400 for a wrong cursor, 501 when the
            spec does not say what the answer looks like.
    """
    with call.workspace.lock:
        return _MadeAnswer(call, handled).answer()


@dataclass
class _MadeAnswer:
    call: Call
    handled: Names[str]

    def answer(self) -> Answer:
        call = self.call
        operation = call.operation
        role = call.router.families.role(operation)
        self._require_parents()
        if not operation.answers:
            return self._without_schema()
        schema = operation.answers.get(JSON_TYPE)
        streamed = _EVENT_STREAM in operation.answers and (schema is None or _asks_for_stream(call))
        if streamed or schema is None:
            return self._stream() if operation.items is not None else self._binary()
        steps: Mapping[str, Callable[[Family, Node], Any]] = {
            "list": self._list,
            "append": self._append,
            "create": self._create,
            "retrieve": self._retrieve,
            "update": self._update,
            "delete": self._delete,
            "act": self._act,
            "settings": self._settings,
        }
        step = steps.get(role.name)
        if role.family is None or step is None or self._is_foreign(role.family):
            return self._json(self._other(schema))
        if not schema:
            return self._without_schema()
        return self._json(step(role.family, schema))

    def _json(self, value: Any) -> Answer:
        return Answer(encode(value), status=self.call.operation.status)

    def _without_schema(self) -> Answer:
        """Answer with an example, or with nothing where the spec says that there is no content."""
        operation = self.call.operation
        for example in operation.examples:
            if example.answer is not None:
                return self._json(example.answer)
        role = self.call.router.families.role(operation)
        if operation.status != NO_CONTENT or operation.answers:
            raise RefusedError(501, f"the mock has no answer for {operation.id}")
        if role.family is not None and not self._is_foreign(role.family):
            if role.name == "delete":
                collection, record = self._find(role.family)
                self.call.workspace.records.remove(collection, record)
            elif role.name in ("retrieve", "update"):
                self._find(role.family)
        return Answer(b"", status=NO_CONTENT)

    # What each role does.

    def _list(self, family: Family, schema: Node) -> Any:
        call = self.call
        collection = self._collection(family)
        records = [record for record in collection.records.values() if self._passes(record)]
        above = self._above(family)
        if not family.argument and above is not None:
            records = [above]  # versions of the object, of which only the newest is kept
        style = choose_style(call.operation.pagination, call.query)
        try:
            page, fields = page_of(records, style, call.query)
        except RefusedError:
            example = self._example_of_arguments()
            if example is None:
                raise
            return example.answer
        node = call.router.facts.resolve(schema)[0]
        properties: Mapping[str, Node] = node.get("properties", {})
        required: Sequence[str] = node.get("required", ())
        known = {
            name: value
            for name, value in fields.items()
            if name in properties
            and (name != "has_more" or name in required or style in ("id-cursor", "report-cursor"))
        }
        maker = self._maker(f"{collection.path}?", sparse=True)
        answer = maker.value(schema, {**known, "data": []})
        items = call.router.families.listed(call.operation) or {}
        answer["data"] = [self._shaped(family, record, items) for record in page]
        return answer

    def _above(self, family: Family) -> Record | None:
        """Return the object that a list is below, if its items are objects of the same kind."""
        families = self.call.router.families
        parent = families.at(family.path.rpartition("/")[0].rpartition("/")[0])
        if parent is None or self._is_foreign(parent):
            return None
        same = families.item_schema(parent) == families.item_schema(family)
        return self._find(parent)[1] if same else None

    def _append(self, family: Family, schema: Node) -> Any:
        """Add what the request lists, such as events, and answer with what was added."""
        call = self.call
        collection = self._collection(family)
        lists = [value for value in _fields(call.body).values() if is_array(value)]
        sent: list[Any] = lists[0] if lists else []
        items = call.router.families.item_schema(family) or {}
        shown = call.router.families.listed(call.operation) or {}
        added: list[Any] = []
        for given in sent:
            number = call.workspace.next_number()
            maker = self._maker(f"{collection.path}#{number}")
            value = maker.value(shown, {**call.path, **_fields(given)})
            kept = value if items == shown else self._maker("", sparse=True).value(items, value)
            if is_object(kept):
                key = self._key(family, kept, str(number))
                self._keep(collection, Record(key, number, call.now, kept))
            added.append(value)
        answer = self._maker(f"{collection.path}+", sparse=True).value(schema, {"data": []})
        return {**answer, "data": added}

    def _create(self, family: Family, schema: Node) -> Any:
        call = self.call
        collection = self._collection(family)
        given = {**call.path, **_form_facts(call), **_fields(call.body)}
        number = call.workspace.next_number()
        value: Any = None
        for example in call.operation.examples:
            if call.body is not None and example.request == call.body:
                value = example.answer
        if is_object(value) and self._key(family, value, "") in collection.records:
            value = None  # given out already; the second one gets an ID of its own
        if value is None:
            value = self._maker(f"{collection.path}#{number}").value(schema, given)
        item = call.router.families.item_schema(family) or schema
        purpose = f"{collection.path}#{number}!"
        kept = value if item == schema else self._maker(purpose, sparse=True).value(item, value)
        if is_object(kept):
            key = self._key(family, kept, str(number))
            self._keep(collection, Record(key, number, call.now, kept))
        return value

    def _retrieve(self, family: Family, schema: Node) -> Any:
        return self._shaped(family, self._find(family)[1], schema)

    def _update(self, family: Family, schema: Node) -> Any:
        collection, record = self._find(family, made=self.call.operation.method == "PUT")
        self._change(collection, record, family, _fields(self.call.body))
        return self._shaped(family, record, schema)

    def _act(self, family: Family, schema: Node) -> Any:
        collection, record = self._find(family)
        verb = self.call.operation.segments[-1]
        changes = {**_fields(self.call.body), **self._effects(verb, record, schema)}
        self._change(collection, record, family, changes)
        return self._shaped(family, record, schema)

    def _delete(self, family: Family, schema: Node) -> Any:
        collection, record = self._find(family)
        self.call.workspace.records.remove(collection, record)
        known = {**record.value, **self.call.path, "id": record.key, "deleted": True}
        item = self.call.router.families.item_schema(family)
        maker = self._maker(f"{collection.path}/{record.key}-")
        return maker.value(schema, record.value if item == schema else known)

    def _settings(self, family: Family, schema: Node) -> Any:
        path = self._filled(family.path)
        collection = self.call.workspace.records.find(path) or self._open(path)
        record = collection.records.get("")
        if record is None:
            record = self._make(family, collection, "", self.call.now)
        if self.call.operation.method != "GET":
            self._change(collection, record, family, _fields(self.call.body))
        return self._shaped(family, record, schema)

    def _other(self, schema: Node) -> Any:
        call = self.call
        example = self._example_of_arguments() if call.body is None else None
        if example is not None and example.answer is not None:
            return example.answer
        if not schema:
            return self._without_schema()
        given = {**call.path, **_fields(call.body)}
        turn = call.workspace.turns.take(call.operation.id)
        return self._maker(f"{call.operation.id}:{turn}").value(schema, given)

    # Streams and bytes.

    def _stream(self) -> Answer:
        operation = self.call.operation
        example = self._example_of_arguments() if self.call.body is None else None
        if _EVENT_STREAM in operation.answers:
            if example is not None and example.events is not None:
                return Answer(_pieces(example.events, "\n\n"), EVENT_STREAM_TYPE)
            return Answer(self._events(), EVENT_STREAM_TYPE, operation.status)
        media_type = next(iter(operation.answers))
        if example is not None and example.lines is not None:
            return Answer(example.lines.encode(), media_type)
        lines = [json.dumps(value, ensure_ascii=False) + "\n" for value in self._items()]
        return Answer("".join(lines).encode(), media_type, operation.status)

    def _events(self) -> Iterator[bytes]:
        """Return the events, made before the first is sent: the state may change meanwhile."""
        events: list[bytes] = []
        for value in self._items():
            kind = value.get("type") if is_object(value) else None
            name = f"event: {kind}\n" if isinstance(kind, str) else ""
            events.append(f"{name}data: {json.dumps(value, ensure_ascii=False)}\n\n".encode())
        return iter(events)

    def _items(self) -> Iterator[Any]:
        """Yield one item of each kind, what ends a stream last; a few when there is one kind."""
        call = self.call
        schema = call.operation.items or {}
        turn = call.workspace.turns.take(call.operation.id)
        maker = self._maker(f"{call.operation.id}:{turn}")
        discriminator = call.router.facts.resolve(schema)[0].get("discriminator")
        if discriminator is None:
            for _ in range(_LINES):
                yield maker.value(schema, dict(call.path))
            return
        tag: str = discriminator["propertyName"]
        last = self._last_tags(tag)
        for kind in sorted(discriminator["mapping"], key=lambda kind: kind in last):
            yield maker.value(schema, {**call.path, tag: kind})

    def _last_tags(self, tag: str) -> set[str]:
        """Return what ends a stream, according to the examples and to the client."""
        from claude_rest._runtime.stream import TERMINAL_EVENTS

        name = str((self.call.operation.items or {}).get("$ref", "")).rpartition("/")[2]
        last = set(TERMINAL_EVENTS.get(name, ()))
        for example in self.call.operation.examples:
            data = [line[5:] for line in (example.events or "").splitlines() if line[:5] == "data:"]
            if data:
                last.add(json.loads(data[-1]).get(tag, ""))
        return last

    def _binary(self) -> Answer:
        operation = self.call.operation
        media_type = next(iter(operation.answers))
        purpose = f"{operation.id}:{self._filled(operation.path)}"
        content = b"".join(
            self.call.identifiers.draw(f"{purpose}:{block}").to_bytes(32, "big")
            for block in range(_BINARY_BYTES // 32)
        )
        if media_type == _ANY_TYPE:
            media_type = "application/octet-stream"
        return Answer(content, media_type, operation.status)

    # Finding and keeping objects.

    def _require_parents(self) -> None:
        """Require the objects that the path goes through, the last one excepted.

        Raises:
            RefusedError: 404 when one of them is not there.
        """
        segments = self.call.operation.segments
        for place in range(2, len(segments)):
            if segments[place - 1].startswith("{"):
                family = self.call.router.families.at("/".join(segments[: place - 1]))
                if family is not None and not self._is_foreign(family):
                    self._find(family)

    def _is_foreign(self, family: Family) -> bool:
        return any(operation.id in self.handled for operation in family.operations)

    def _find(self, family: Family, *, made: bool = False) -> tuple[Collection, Record]:
        """Return the object that the path names.

        Args:
            family: Family of the object.
            made: Whether an object that is not there comes to be.

        Raises:
            RefusedError: 404 when it is not there.
        """
        collection = self._collection(family)
        key = self.call.path[family.argument]
        record = collection.records.get(key)
        if record is None and (made or (family.list is None and family.create is None)):
            # Where nothing tells which objects there are, every ID leads to one.
            record = self._make(family, collection, key, self.call.now)
        if record is None:
            noun = family.argument.removesuffix("_id").replace("_", " ")
            raise RefusedError(404, f"{noun}: {key[:80]}")
        return collection, record

    def _collection(self, family: Family) -> Collection:
        """Return the collection that the path leads to, with its first objects."""
        path = self._filled(family.path)
        collection = self.call.workspace.records.find(path)
        if collection is not None:
            return collection
        collection = self._open(path)
        if family.list is None and family.create is None:
            return collection
        now = self.call.now
        found = [(_seconds(value, now), value) for value in self._examples(family)]
        made = range(_LISTED - len(found), 0, -1)
        found += [(now - age * _APART_SECONDS, dict[str, Any]()) for age in made]
        for created, value in sorted(found, key=lambda pair: pair[0]):
            if not value:
                self._make(family, collection, None, created)
                continue
            number = self.call.workspace.next_number()
            key = self._key(family, value, str(number))
            self._keep(collection, Record(key, number, created, dict(value)))
        return collection

    def _open(self, path: str) -> Collection:
        return self.call.workspace.records.open(path)

    def _keep(self, collection: Collection, record: Record) -> None:
        self.call.workspace.records.keep(collection, record)

    def _examples(self, family: Family) -> Iterator[dict[str, Any]]:
        """Yield the objects of a family that the examples of the spec show."""
        item = self.call.router.families.item_schema(family)
        seen: set[str] = set()
        for operation in (family.retrieve, family.list):
            for example in () if operation is None else operation.examples:
                said = {name: example.arguments.get(name) for name in self.call.path}
                if any(v not in (None, self.call.path[n]) for n, v in said.items()) and (
                    f"{{{family.argument}}}" not in self.call.operation.segments
                    or len(self.call.path) > 1
                ):
                    continue
                answer = example.answer
                shown = answer.get("data", []) if operation is family.list else [answer]
                for value in shown if is_object(answer) else ():
                    key = self._key(family, value, repr(value))
                    fits = item is not None and self.call.router.facts.fits(item, value)
                    if key not in seen and fits:
                        seen.add(key)
                        yield value

    def _make(
        self, family: Family, collection: Collection, key: str | None, created: float
    ) -> Record:
        """Put a made-up object into a collection."""
        call = self.call
        number = call.workspace.next_number()
        place = f"{collection.path}#{len(collection.records) if key is None else key}"
        schema = call.router.families.item_schema(family) or {}
        maker = self._maker(place, created=created)
        given: dict[str, Any] = {n: v for n, v in call.path.items() if f"{{{n}}}" in family.path}
        name = self._key_name(family)
        if name is not None:
            node, component = self._properties(schema)
            if key is not None:
                given[name] = key
            elif "integer" in call.router.facts.kinds(node[name]):
                given[name] = 1 + len(collection.records)
            elif "const" not in node[name]:
                given[name] = maker.identifier(node[name], component, name)
        value = maker.value(schema, given)
        if key is None:
            key = self._key(family, value, str(number))
        record = Record(key, number, created, value)
        if is_object(value):
            self._keep(collection, record)
        return record

    def _change(
        self, collection: Collection, record: Record, family: Family, changes: Mapping[str, Any]
    ) -> None:
        """Change an object; maps are merged, and null takes a key out of them."""
        schema = self.call.router.families.item_schema(family) or {}
        properties = self._properties(schema)[0]
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
            value["updated_at"] = self._maker("", created=self.call.now).time_of("updated_at")
        if isinstance(value.get("version"), int):
            value["version"] += 1
        maker = self._maker(f"{collection.path}/{record.key}+", sparse=True, created=record.created)
        record.value = maker.value(schema, value)
        self._keep(collection, record)

    def _effects(self, verb: str, record: Record, schema: Node) -> dict[str, Any]:
        """Return what an action such as ``archive`` sets: a time and a status of its name."""
        undoing = _UNDOING.match(verb)
        stem = (verb.removeprefix("un") if undoing else verb).rstrip("e")[:6]
        effects: dict[str, Any] = {}
        for name, node in self._properties(schema)[0].items():
            target = self.call.router.facts.resolve(node)[0]
            if name.endswith("_at") and (
                name.startswith(stem) or (undoing and name in record.value)
            ):
                if undoing and re.match(r"creat|updat", name):
                    continue
                moment = self._maker("", created=self.call.now).time_of(name)
                effects[name] = None if undoing else moment
            elif "enum" in target and re.fullmatch(r"(\w+_)?(status|state)", name):
                if undoing:
                    maker = self._maker("", sparse=True)
                    effects[name] = maker.value(target, name=name)
                    continue
                named = [c for c in target["enum"] if isinstance(c, str) and c.startswith(stem)]
                effects.update({name: named[0]} if named else {})
        return effects

    def _shaped(self, family: Family, record: Record, schema: Node) -> Any:
        """Return an object as a schema shows it, which may be less than is kept of it."""
        if schema == self.call.router.families.item_schema(family):
            return record.value
        purpose = f"{self._filled(family.path)}/{record.key}"
        maker = self._maker(purpose, sparse=True, created=record.created)
        return maker.value(schema, record.value)

    def _key(self, family: Family, value: Mapping[str, Any], fallback: str) -> str:
        name = self._key_name(family)
        return fallback if name is None else str(value.get(name, fallback))

    def _key_name(self, family: Family) -> str | None:
        """Return the property by which the path names an object."""
        properties = self._properties(self.call.router.families.item_schema(family) or {})[0]
        argument = family.argument
        names = ("id", argument, argument.rpartition("_")[2], argument.removesuffix("_id"))
        return next((name for name in names if name and name in properties), None)

    def _properties(self, schema: Node) -> tuple[Mapping[str, Node], str | None]:
        """Return the properties of an object; of a union, those of its first member."""
        facts = self.call.router.facts
        node, component = facts.resolve(schema)
        while "properties" not in node:
            variants = [v for v in node.get("oneOf", ()) if facts.kinds(v) != ["null"]]
            if not variants:
                return {}, component
            node, component = facts.resolve(variants[0])
        return node["properties"], component

    def _passes(self, record: Record) -> bool:
        """Return whether an object is among those that the query asks for."""
        value, query = record.value, self.call.query
        if value.get("archived_at") is not None and query.get("include_archived") is not True:
            return "include_archived" not in self._query_names()
        for name, wanted in query.items():
            if name in _PAGING or wanted is None:
                continue
            bound = _BOUND.fullmatch(name)
            if bound is not None:
                if not _within(value.get(bound[1]), bound[2], wanted):
                    return False
                continue
            plain = name.removesuffix("[]")
            choices = wanted if is_array(wanted) else [wanted]
            for key in (plain, plain.removesuffix("s"), plain.removesuffix("es")):
                if isinstance(value.get(key), (str, int, bool)):
                    if value[key] not in choices:
                        return False
                    break
        return True

    def _query_names(self) -> set[str]:
        return {p.name for p in self.call.operation.parameters if p.location == "query"}

    def _example_of_arguments(self) -> Example | None:
        """Return the example whose path and query arguments are those of the call."""
        given = {**self.call.path, **self.call.query}
        for example in self.call.operation.examples:
            names = {p.name for p in self.call.operation.parameters if p.location != "header"}
            said = {n: v for n, v in example.arguments.items() if n in names}
            if said == given:
                return example
        return None

    def _filled(self, template: str) -> str:
        """Return a path with the arguments of the call in it."""
        return re.sub(r"\{(\w+)\}", lambda m: quote(self.call.path[m[1]], safe=""), template)

    def _maker(
        self, purpose: str, *, sparse: bool = False, created: float | None = None
    ) -> ValueMaker:
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


def _asks_for_stream(call: Call) -> bool:
    argument = call.operation.stream_argument
    return argument is not None and is_object(call.body) and call.body.get(argument) is True


def _fields(body: Any) -> dict[str, Any]:
    return dict(body) if is_object(body) else {}


def _form_facts(call: Call) -> dict[str, Any]:
    """Return what is known of an uploaded file."""
    file = next((part for part in call.form if part.filename is not None), None)
    if file is None:
        return {}
    return {
        "filename": file.filename,
        "mime_type": file.content_type or "application/octet-stream",
        "size_bytes": len(file.content),
    }


def _seconds(value: Mapping[str, Any], fallback: float) -> float:
    """Return when an object of an example was created."""
    try:
        return datetime.fromisoformat(str(value["created_at"]).replace("Z", "+00:00")).timestamp()
    except (KeyError, ValueError):
        return fallback


def _within(value: Any, bound: str, wanted: Any) -> bool:
    if value is None or type(value) is not type(wanted):
        return value is not None
    if bound.startswith("g"):
        return bool(value > wanted or (bound == "gte" and value == wanted))
    return bool(value < wanted or (bound == "lte" and value == wanted))


def _pieces(text: str, separator: str) -> Iterator[bytes]:
    for piece in text.split(separator):
        if piece.strip():
            yield f"{piece}{separator}".encode()
