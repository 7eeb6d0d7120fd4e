"""Values made from the response schemas of a bundle: valid by construction, and plausible.

Everything is drawn from the seed and from what the value is for, so the same value comes again
for the same purpose. Where a schema leaves a choice, a union or an enum, the choices take turns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .gates import closed
from .json_values import is_array, is_object, json_type
from .patterns import matching_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .identifiers import Identifiers
    from .schema_facts import Node, SchemaFacts

T = TypeVar("T")

ABSENT: Final[Any] = object()
"""Stands for a value that is not given; null is a value."""

_CREATED: Final = re.compile(r"creat|start|begin|from|since|queued|added|invited|joined")
_AHEAD: Final = re.compile(r"expir|due|until|scheduled|next_")
_NOT_YET: Final = re.compile(
    r"(archiv|delet|cancel|end|complet|finish|expir|revok|resolv|terminat|stopp|fail|redact|sign"
    r"|disabl|reject|accept|decid|process|read|used|paus)\w*_at$|.*_(at|until)$"
)
_STAGE: Final = re.compile(r"(\w+_)?(status|state|lifecycle|stage)")
_OVER: Final = re.compile(
    r"archiv|delet|cancel|terminat|fail|expir|revok|disabl|inactive|error|retired|reject|paus"
)
_DAY_SECONDS: Final = 24 * 60 * 60
_DEPTH: Final = 6
_VALUES: Final = 4_000
_UNTYPED: Final[Mapping[str, Any]] = {}


@dataclass
class Turns:
    """Whose turn it is, by place in the spec; keeps no more places than the spec has."""

    taken: dict[str, int] = field(default_factory=dict[str, int])

    def take(self, place: str) -> int:
        """Return how often this was asked before."""
        turn = self.taken.get(place, 0)
        self.taken[place] = turn + 1
        return turn


@dataclass
class ValueMaker:
    """Makes the values of one answer."""

    facts: SchemaFacts
    identifiers: Identifiers
    turns: Turns
    purpose: str
    """What the values are for; another purpose, other values."""
    created: float
    """When the object was created, in seconds since 1970."""
    now: float
    flags: frozenset[str] = frozenset()
    version: str = ""
    sparse: bool = False
    """Whether optional properties are left out unless they are given."""
    _draws: int = 0
    _left: int = _VALUES

    def value(self, schema: Node, given: Any = ABSENT, *, name: str = "value") -> Any:
        """Return a value for a schema.

        Args:
            schema: Schema of the bundle.
            given: What is known already, an object with some of the properties for instance; used
                wherever it fits.
            name: What a plain string at the top says; below it is the property's name.
        """
        return self._value(schema, given, None, name, 0)

    def identifier(self, schema: Node, component: str | None, name: str) -> str:
        """Return a new ID for a property."""
        prefix = self.facts.prefix(schema, component, name) or name.removesuffix("_id")
        return self.identifiers.of(prefix, f"{self.purpose}:{self._next()}")

    def _value(self, schema: Node, given: Any, component: str | None, name: str, depth: int) -> Any:
        self._left -= 1
        description = schema.get("description")
        node, own = self.facts.resolve(schema)
        if "const" in node:
            return node["const"]
        kinds = self.facts.kinds(node)
        if given is not ABSENT:
            if json_type(given) not in ("object", "array") and self.facts.fits(node, given):
                return given
            if is_object(given) and _is_map(node) and self.facts.fits(node, given):
                return given
        elif "null" in kinds and self._leaves_null(node, name, depth):
            return None
        if "oneOf" in node or "anyOf" in node:
            return self._member(node, given, own or component, name, depth)
        if "enum" in node:
            return self._choice(node, component, name)
        described = node if description is None else {**node, "description": description}
        kind = next((kind for kind in kinds if kind != "null"), "null")
        if len(kinds) > 5:  # any value will do
            kind = "string" if given is ABSENT else json_type(given)
        if kind == "object":
            return self._object(node, given, own or component, name, depth)
        if kind == "array":
            return self._array(node, given, component, name, depth)
        if kind in ("integer", "number"):
            return self._number(node, kind, name)
        if kind == "boolean":
            return not name.startswith(("is_", "has_")) and self._draw() % 2 == 0
        return None if kind == "null" else self._text(node, described, component, name)

    def _leaves_null(self, node: Node, name: str, depth: int) -> bool:
        if self._is_short(depth):
            return True
        if node.get("format") == "date-time":
            return not _CREATED.match(name) and _NOT_YET.match(name) is not None
        return self._draw() % 3 == 0

    def _is_short(self, depth: int) -> bool:
        """Return whether it is time to come to an end, which schemas that recur never do."""
        return depth > _DEPTH or self._left < 0

    def _member(self, node: Node, given: Any, component: str | None, name: str, depth: int) -> Any:
        chosen = None if given is ABSENT else self.facts.member(node, given)
        if chosen is not None:
            return self._value(chosen, given, component, name, depth + 1)
        discriminator = node.get("discriminator")
        if discriminator is None:
            variants: list[Node] = node.get("oneOf") or node.get("anyOf") or []
            open_ones = [v for v in variants if self.facts.kinds(v) != ["null"]] or variants
            variant = (
                min(open_ones, key=self.facts.height)
                if self._is_short(depth)
                else self._pick(open_ones, f"{component}.{name}")
            )
            return self._value(variant, given, component, name, depth + 1)
        mapping: Mapping[str, str] = discriminator["mapping"]
        members: list[tuple[str, Node]] = [(tag, {"$ref": to}) for tag, to in mapping.items()]
        usable = [pair for pair in members if self._is_open(pair[1])] or members
        if self._is_short(depth):
            tag, member = min(usable, key=lambda pair: self.facts.height(pair[1]))
        else:
            tag, member = self._pick(usable, f"{component}.{name}")
        known = dict(given) if is_object(given) else {}
        known[discriminator["propertyName"]] = tag
        return self._value(member, known, component, name, depth + 1)

    def _pick(self, choices: list[T], place: str) -> T:
        """Return the choice whose turn it is."""
        first = self.identifiers.draw(place)
        return choices[(first + self.turns.take(place)) % len(choices)]

    def _choice(self, node: Node, component: str | None, name: str) -> Any:
        choices: list[Any] = [choice for choice in node["enum"] if choice is not None]
        facts: Mapping[str, Node] = node.get("x-enum", {})
        usable = [
            choice
            for choice in choices
            if self._is_open(facts.get(str(choice), _UNTYPED))
            and not facts.get(str(choice), _UNTYPED).get("deprecated")
        ]
        usable = usable or choices or node["enum"]
        if _STAGE.fullmatch(name):
            # What is new, or goes on: the rest of the object tells of no end.
            return next((c for c in usable if not _OVER.search(str(c).lower())), usable[0])
        return self._pick(usable, f"{component}.{name}")

    def _is_open(self, node: Node) -> bool:
        target = self.facts.resolve(node)[0]
        return all(closed(gate, self.flags, self.version, "") is None for gate in (node, target))

    def _object(
        self, node: Node, given: Any, component: str | None, name: str, depth: int
    ) -> dict[str, Any]:
        properties: Mapping[str, Node] = node.get("properties", {})
        required: list[str] = node.get("required", [])
        if isinstance(given, str) and "id" in properties:
            given = {"id": given}  # a reference by ID, answered by the object
        known: Mapping[str, Any] = given if is_object(given) else {}
        made: dict[str, Any] = {}
        for key in dict.fromkeys([*properties, *required]):
            schema = properties.get(key, _UNTYPED)
            value = known.get(key, ABSENT)
            if key not in required and not self._includes(key, schema, value, depth):
                continue
            made[key] = self._value(schema, value, component, key, depth + 1)
        rest = node.get("additionalProperties")
        while len(made) < node.get("minProperties", 0):
            below: Node = rest if is_object(rest) else _UNTYPED
            made[f"key_{len(made) + 1}"] = self._value(below, ABSENT, component, name, depth + 1)
        return made

    def _includes(self, key: str, schema: Node, value: Any, depth: int) -> bool:
        """Return whether an optional property is there."""
        if value is not ABSENT:
            return value is not None or "null" in self.facts.kinds(schema)
        if self.sparse or schema.get("deprecated") or self._is_short(depth):
            return False
        shapes = self.facts.shape_flags(schema)
        if (shapes and self.flags.isdisjoint(shapes)) or not self._is_open(schema):
            return False
        node = self.facts.resolve(schema)[0]
        if node.get("format") == "date-time" and "null" not in self.facts.kinds(node):
            return _CREATED.match(key) is not None or not _NOT_YET.match(key)
        return self._draw() % 4 != 0

    def _array(
        self, node: Node, given: Any, component: str | None, name: str, depth: int
    ) -> list[Any]:
        items: Node = node.get("items", _UNTYPED)
        if is_array(given):
            elements = [
                self._value(items, element, component, name, depth + 1)
                for element in given[: node.get("maxItems")]
                if is_object(element) or is_array(element) or self.facts.fits(items, element)
            ]
        else:
            count = 0 if self._is_short(depth) or self.sparse else 1 + self._draw() % 2
            count = min(max(count, node.get("minItems", 0)), node.get("maxItems", count + 1))
            elements = [
                self._value(items, ABSENT, component, name, depth + 1) for _ in range(count)
            ]
        while len(elements) < node.get("minItems", 0):
            elements.append(self._value(items, ABSENT, component, name, depth + 1))
        if node.get("uniqueItems") or "enum" in self.facts.resolve(items)[0]:
            return list({repr(element): element for element in elements}.values())
        return elements

    def _number(self, node: Node, kind: str, name: str) -> int | float:
        low = node.get("minimum", node.get("exclusiveMinimum", 0))
        high = node.get("maximum", node.get("exclusiveMaximum", max(low, 0) + _usual(name)))
        span = int(high) - int(low)
        number: int | float = int(low) + self._draw() % (max(span, 0) + 1)
        number = 1 if name == "version" and low <= 1 <= high else number
        step = node.get("multipleOf")
        if step:
            number = -(-low // step) * step + step * (
                self._draw() % (int((high - low) // step) + 1)
            )
            number = number if number <= high else -(-low // step) * step
        if number <= node.get("exclusiveMinimum", number - 1):
            number += step or 1
        if number >= node.get("exclusiveMaximum", number + 1):
            number -= step or 1
        if number < low or number > high:
            number = (low + high) / 2
        return int(number) if kind == "integer" else number

    def _text(self, node: Node, described: Node, component: str | None, name: str) -> str:
        form = node.get("format")
        if form is not None:
            written = self._formatted(str(form), name)
            if written is not None:
                return written
        prefix = self.facts.prefix(described, component, name)
        candidates: list[str] = []
        if prefix is not None:
            candidates.append(self.identifiers.of(prefix, f"{self.purpose}:{self._next()}"))
        seen = self.facts.seen.get((component or "", name), ())
        # An address of the real API is not handed out: who follows it may send a key along.
        seen = [text for text in seen if "://" not in text or "://example." in text]
        if seen and prefix is None:
            candidates.append(seen[self._draw() % len(seen)])
        if not candidates:
            candidates.append(self._plain(name))
        pattern = node.get("pattern")
        if isinstance(pattern, str):
            found = matching_text(pattern, self._draw)
            candidates += [] if found is None else [found]
        for text in candidates:
            if self.facts.fits(node, text):
                return text
        return _cut(candidates[-1], node)

    def _plain(self, name: str) -> str:
        """Return a text that tells what it is."""
        number = 1 + self._draw() % 99
        if re.search(r"e?mail", name):
            return f"person{number}@example.com"
        if re.search(r"(^|_)(url|uri|endpoint|href)$", name):
            return f"https://example.com/{name.replace('_', '-')}/{number}"
        if re.search(r"(^|_)model$", name):
            return next(iter(self.facts.seen.get(("Message", "model"), ())), "claude-opus-5-5")
        if re.search(r"(^|_)(mime|media)_type$", name):
            return "text/plain"
        if re.search(r"(^|_)(amount|cost|price)(_|$)", name):
            return f"{number}.50"
        words = re.sub(r"[^A-Za-z0-9]+", " ", name).strip() or "value"
        return f"{words[:1].upper()}{words[1:]} {number}"

    def _formatted(self, form: str, name: str) -> str | None:
        if form == "date-time":
            return self.time_of(name)
        number = self._draw()
        texts = {
            "date": self.time_of(name)[:10],
            "time": "12:00:00Z",
            "duration": "PT1H",
            "uri": f"https://example.com/{name.replace('_', '-')}/{number % 100}",
            "email": f"person{number % 100}@example.com",
            "hostname": "api.example.com",
            "ipv4": f"192.0.2.{number % 255}",
            "ipv6": f"2001:db8::{number % 9_999:x}",
            "uuid": self.identifiers.uuid(f"{self.purpose}:{number}"),
            "byte": "bW9jaw==",
            "binary": "mock",
        }
        return texts.get("uri" if form == "url" else form)

    def time_of(self, name: str) -> str:
        """Return the time that a property of the object tells, in order and close to the clock."""
        at = self.created
        if _AHEAD.search(name):
            at += _DAY_SECONDS
        elif not _CREATED.match(name):
            at = min(at + 60, max(at, self.now))
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=at)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def _draw(self) -> int:
        return self.identifiers.draw(f"{self.purpose}:{self._next()}")

    def _next(self) -> int:
        self._draws += 1
        return self._draws


def _is_map(node: Node) -> bool:
    """Return whether an object's keys are free."""
    return not node.get("properties") and not any(key in node for key in ("oneOf", "anyOf"))


def _usual(name: str) -> int:
    """Return how large a number of this name gets."""
    if "token" in name or "byte" in name or "size" in name:
        return 2_000
    return 20


def _cut(text: str, node: Node) -> str:
    text = text.ljust(node.get("minLength", 0), "x")
    return text[: node.get("maxLength", len(text))]
