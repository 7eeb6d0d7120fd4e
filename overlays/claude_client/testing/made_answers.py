"""Answers of operations that nobody wrote a handler for: made from the spec, with memory.

What an operation does is told by its path (see ``families``). What a family created can be
retrieved, listed, updated, archived and deleted; a list begins with the objects of the spec's
examples and a few that are made up.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from .exchange import EVENT_STREAM_TYPE, JSON_TYPE, NO_CONTENT, Answer, RefusedError, encode
from .json_values import is_array, is_object
from .kept_objects import KeptObjects
from .listings import choose_style, page_of, passes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Collection as Names

    from .answers import Call
    from .families import Family
    from .records import Record
    from .routing import Example
    from .schema_facts import Node

_EVENT_STREAM: Final = "text/event-stream"
_ANY_TYPE: Final = "*/*"
_LINES: Final = 4
_BINARY_BYTES: Final = 512


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


class _MadeAnswer:
    def __init__(self, call: Call, handled: Names[str]) -> None:
        self.call = call
        self._objects = KeptObjects(call, handled)

    def answer(self) -> Answer:
        call = self.call
        operation = call.operation
        role = call.router.families.role(operation)
        self._objects.require_parents()
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
        if role.family is None or step is None or self._objects.is_foreign(role.family):
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
        if role.family is not None and not self._objects.is_foreign(role.family):
            if role.name == "delete":
                collection, record = self._objects.find(role.family)
                self.call.workspace.records.remove(collection, record)
            elif role.name in ("retrieve", "update"):
                self._objects.find(role.family)
        return Answer(b"", status=NO_CONTENT)

    # What each role does.

    def _list(self, family: Family, schema: Node) -> Any:
        call = self.call
        collection = self._objects.collection(family)
        names = {p.name for p in call.operation.parameters if p.location == "query"}
        records = [
            record for record in collection.records.values() if passes(record, call.query, names)
        ]
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
        maker = self._objects.maker(f"{collection.path}?", sparse=True)
        answer = maker.value(schema, {**known, "data": []})
        items = call.router.families.listed(call.operation) or {}
        answer["data"] = [self._objects.shaped(family, record, items) for record in page]
        return answer

    def _above(self, family: Family) -> Record | None:
        """Return the object that a list is below, if its items are objects of the same kind."""
        families = self.call.router.families
        parent = families.at(family.path.rpartition("/")[0].rpartition("/")[0])
        if parent is None or self._objects.is_foreign(parent):
            return None
        same = families.item_schema(parent) == families.item_schema(family)
        return self._objects.find(parent)[1] if same else None

    def _append(self, family: Family, schema: Node) -> Any:
        """Add what the request lists, such as events, and answer with what was added."""
        call = self.call
        collection = self._objects.collection(family)
        lists = [value for value in _fields(call.body).values() if is_array(value)]
        sent: list[Any] = lists[0] if lists else []
        shown = call.router.families.listed(call.operation) or {}
        added: list[Any] = []
        for given in sent:
            number = call.workspace.next_number()
            maker = self._objects.maker(f"{collection.path}#{number}")
            value = maker.value(shown, {**call.path, **_fields(given)})
            self._objects.add(family, collection, value, shown, number)
            added.append(value)
        answer = self._objects.maker(f"{collection.path}+", sparse=True).value(schema, {"data": []})
        return {**answer, "data": added}

    def _create(self, family: Family, schema: Node) -> Any:
        call = self.call
        collection = self._objects.collection(family)
        given = {**call.path, **_form_facts(call), **_fields(call.body)}
        number = call.workspace.next_number()
        value: Any = None
        for example in call.operation.examples:
            if call.body is not None and example.request == call.body:
                value = example.answer
        if is_object(value) and self._objects.key(family, value, "") in collection.records:
            value = None  # given out already; the second one gets an ID of its own
        if value is None:
            value = self._objects.maker(f"{collection.path}#{number}").value(schema, given)
        self._objects.add(family, collection, value, schema, number)
        return value

    def _retrieve(self, family: Family, schema: Node) -> Any:
        return self._objects.shaped(family, self._objects.find(family)[1], schema)

    def _update(self, family: Family, schema: Node) -> Any:
        collection, record = self._objects.find(family, made=self.call.operation.method == "PUT")
        self._objects.change(collection, record, family, _fields(self.call.body))
        return self._objects.shaped(family, record, schema)

    def _act(self, family: Family, schema: Node) -> Any:
        collection, record = self._objects.find(family)
        verb = self.call.operation.segments[-1]
        changes = {**_fields(self.call.body), **self._objects.effects(verb, record, schema)}
        self._objects.change(collection, record, family, changes)
        return self._objects.shaped(family, record, schema)

    def _delete(self, family: Family, schema: Node) -> Any:
        collection, record = self._objects.find(family)
        self.call.workspace.records.remove(collection, record)
        known = {**record.value, **self.call.path, "id": record.key, "deleted": True}
        item = self.call.router.families.item_schema(family)
        maker = self._objects.maker(f"{collection.path}/{record.key}-")
        return maker.value(schema, record.value if item == schema else known)

    def _settings(self, family: Family, schema: Node) -> Any:
        path = self._objects.filled(family.path)
        collection = self.call.workspace.records.find(path) or self._objects.open(path)
        record = collection.records.get("")
        if record is None:
            record = self._objects.make(family, collection, "", self.call.now)
        if self.call.operation.method != "GET":
            self._objects.change(collection, record, family, _fields(self.call.body))
        return self._objects.shaped(family, record, schema)

    def _other(self, schema: Node) -> Any:
        call = self.call
        example = self._example_of_arguments() if call.body is None else None
        if example is not None and example.answer is not None:
            return example.answer
        if not schema:
            return self._without_schema()
        given = {**call.path, **_fields(call.body)}
        turn = call.workspace.turns.take(call.operation.id)
        return self._objects.maker(f"{call.operation.id}:{turn}").value(schema, given)

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
        maker = self._objects.maker(f"{call.operation.id}:{turn}")
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
        purpose = f"{operation.id}:{self._objects.filled(operation.path)}"
        content = b"".join(
            self.call.identifiers.draw(f"{purpose}:{block}").to_bytes(32, "big")
            for block in range(_BINARY_BYTES // 32)
        )
        if media_type == _ANY_TYPE:
            media_type = "application/octet-stream"
        return Answer(content, media_type, operation.status)

    def _example_of_arguments(self) -> Example | None:
        """Return the example whose path and query arguments are those of the call."""
        given = {**self.call.path, **self.call.query}
        for example in self.call.operation.examples:
            names = {p.name for p in self.call.operation.parameters if p.location != "header"}
            said = {n: v for n, v in example.arguments.items() if n in names}
            if said == given:
                return example
        return None


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


def _pieces(text: str, separator: str) -> Iterator[bytes]:
    for piece in text.split(separator):
        if piece.strip():
            yield f"{piece}{separator}".encode()
