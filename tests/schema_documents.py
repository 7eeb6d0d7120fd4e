"""JSON documents made from the schemas of the bundle, faithful in the main and wrong in places.

A maker takes any ``random.Random``: a seeded one makes a thousand documents fast, hypothesis' own
(``st.randoms()``) makes documents that shrink.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from claude_rest import models
from claude_rest.spec import load_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Make = Callable[["Source"], Any]

BUNDLE = load_bundle()
SCHEMAS: dict[str, Any] = BUNDLE["components"]["schemas"]
PREFIX = "#/components/schemas/"

TEXTS = (
    "",
    "a",
    "text",
    "message",
    "hologram",
    "line\nbreak\r\n\u2028\u2029\x85",
    "nul\x00 and \x1f \x7f",
    '"quoted" \\ /',
    "ünïcödé",
    "日本語",
    "\U0001f600\U0010ffff\ufffe\uffff",
    "2026-01-01T00:00:00Z",
    "null",
    "1e400",
)
SURROGATES = ("\ud800", "x\udfffy", "\udc00\ud800", "\ud83d!")
DATES = (
    "2026-01-01T00:00:00Z",
    "2026-02-28T23:59:59.999999999Z",
    "1970-01-01T00:00:00+00:00",
    "2025-06-30t12:30:00.5z",
    "2025-06-30T12:30:00.123-11:45",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.9999999-23:59",
    "2026-13-01T00:00:00Z",
    "2026-01-01",
    "2026-12-31T23:59:60Z",
    "2026-01-01T00:00:00.\u0661Z",
    "-:",
)
INTEGERS = (0, 1, -1, 255, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1)
NUMBERS = (0.0, -0.0, 0.5, 1e-320, 1.7976931348623157e308, -1e16, 3.141592653589793, 1)
# Names that mean something in Python or in a model, where an unknown field may be called so.
NAMES = (
    "",
    "future",
    "from",
    "from_",
    "class",
    "self",
    "meta",
    "_meta",
    "_extra",
    "extra_fields",
    "to_dict",
    "type_",
    "raw",
    "tag",
    "__class__",
    "__dict__",
    "wire_text",
    "a/b~c",
    "ключ",
)


class Source:
    """Choices of one document."""

    def __init__(self, random: Random, *, faulty: bool, surrogates: bool) -> None:
        self.random = random
        self.faulty = faulty
        self.texts = TEXTS + SURROGATES if surrogates else TEXTS
        self.names = NAMES + SURROGATES if surrogates else NAMES
        self.depth = 0

    def sometimes(self, chance: float) -> bool:
        return self.random.random() < chance

    def wrong(self, chance: float) -> bool:
        return self.faulty and self.random.random() < chance

    def one_of(self, values: Any) -> Any:
        return values[int(self.random.random() * len(values))]

    def text(self) -> str:
        if self.sometimes(0.1):
            joined = "".join(
                chr(int(self.random.random() * 0x10FFFF)) for _ in range(self.count(4))
            )
            if not joined.isprintable():
                joined = joined.encode("utf-8", "replace").decode("utf-8")
            return joined + self.one_of(self.texts)
        return str(self.one_of(self.texts))

    def integer(self) -> int:
        if self.sometimes(0.3):
            return self.random.getrandbits(64) - (2**63 if self.sometimes(0.5) else 0)
        return int(self.one_of(INTEGERS))

    def count(self, most: int) -> int:
        return int(self.random.random() * (most + 1))

    def anything(self, depth: int = 2) -> Any:
        """Any JSON value."""
        kind = self.count(7 if depth else 5)
        if kind == 0:
            return None
        if kind == 1:
            return self.sometimes(0.5)
        if kind == 2:
            return self.integer()
        if kind == 3:
            return float(self.one_of(NUMBERS))
        if kind <= 5:
            return self.text()
        if kind == 6:
            return [self.anything(depth - 1) for _ in range(self.count(2))]
        return self.free_form(depth - 1)

    def free_form(self, depth: int = 2) -> dict[str, Any]:
        made = {self.name(): self.anything(depth) for _ in range(self.count(2))}
        if self.sometimes(0.2):
            made["type"] = self.text()
        return made

    def name(self) -> str:
        return str(self.one_of(self.names)) if self.sometimes(0.7) else self.text()


def component_of(ref: str) -> str:
    return ref.removeprefix(PREFIX)


class Maker:
    """Makes documents of any component; schemas are compiled to functions once."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self._compiled: dict[str, Make] = {}

    def make(self, component: str, random: Random) -> Any:
        """One document: mostly as the schema says, in three of four cases with faults in it."""
        source = Source(random, faulty=random.random() < 0.75, surrogates=random.random() < 0.15)
        return self._component(component)(source)

    def valid(self, component: str, random: Random) -> Any:
        """One document that fits its schema."""
        return self._component(component)(Source(random, faulty=False, surrogates=False))

    def _component(self, name: str) -> Make:
        make = self._compiled.get(name)
        if make is None:
            make = self._compiled[name] = self._compile(self._schemas[name])
        return make

    def _compile(self, schema: dict[str, Any]) -> Make:
        if "$ref" in schema:
            name = component_of(schema["$ref"])
            return lambda source: self._component(name)(source)
        if "discriminator" in schema:
            return self._union(schema)
        if "oneOf" in schema:
            variants = [self._compile(variant) for variant in schema["oneOf"]]
            return lambda source: source.one_of(variants)(source)
        if "const" in schema:
            constant = schema["const"]
            return lambda source: source.anything(0) if source.wrong(0.03) else constant
        if isinstance(schema.get("type"), list):
            kinds = [self._compile({**schema, "type": kind}) for kind in schema["type"]]
            return lambda source: source.one_of(kinds)(source)
        if schema.get("type") == "null":
            return lambda source: None
        if "enum" in schema:
            values = [value for value in schema["enum"] if value is not None]
            return lambda source: source.text() if source.wrong(0.15) else source.one_of(values)
        compiled: dict[str, Callable[[dict[str, Any]], Make]] = {
            "object": self._object,
            "array": self._array,
        }
        if schema.get("type") in compiled:
            return compiled[schema["type"]](schema)
        if schema.get("format") == "date-time":
            return lambda source: source.one_of(DATES if source.faulty else DATES[:5])
        scalars: dict[Any, Make] = {
            "string": Source.text,
            "integer": Source.integer,
            "number": lambda source: source.one_of(NUMBERS),
            "boolean": lambda source: source.sometimes(0.5),
        }
        return scalars[schema.get("type")]

    def _union(self, schema: dict[str, Any]) -> Make:
        tag = schema["discriminator"]["propertyName"]
        mapping = {
            value: component_of(ref) for value, ref in schema["discriminator"]["mapping"].items()
        }
        tags = list(mapping)

        def make(source: Source) -> Any:
            chosen = source.one_of(tags)
            member = self._component(mapping[chosen])(source)
            if source.wrong(0.08):
                return {**source.free_form(), tag: source.text()}
            if source.wrong(0.03):
                return source.anything()
            if isinstance(member, dict):
                # Where several tags share a member, or its tag is optional.
                if tag in member and not source.wrong(0.02):
                    member[tag] = chosen
                elif source.wrong(0.5):
                    member[tag] = source.anything()
            return member

        return make

    def _array(self, schema: dict[str, Any]) -> Make:
        item = self._compile(schema["items"])

        def make(source: Source) -> Any:
            source.depth += 1
            made = [
                source.anything() if source.wrong(0.05) else item(source)
                for _ in range(source.count(3 if source.depth < 4 else 1))
            ]
            source.depth -= 1
            return made

        return make

    def _object(self, schema: dict[str, Any]) -> Make:
        more = schema.get("additionalProperties")
        properties = schema.get("properties")
        if properties is None:
            if isinstance(more, dict):
                value = self._compile(more)
                return lambda source: {source.name(): value(source) for _ in range(source.count(3))}
            return Source.free_form
        required = frozenset(schema.get("required", ()))
        fields = [
            (name, name in required, self._compile(field)) for name, field in properties.items()
        ]

        def make(source: Source) -> Any:
            source.depth += 1
            sometimes, wrong = source.sometimes, source.wrong
            likely = 0.5 if source.depth < 4 else 0.2
            made: dict[str, Any] = {}
            for name, needed, field in fields:
                if not needed and not sometimes(likely):
                    continue
                if wrong(0.08):
                    fault = source.count(2)
                    if fault == 1:
                        made[name] = None
                    elif fault == 2:
                        made[name] = source.anything()
                else:
                    made[name] = field(source)
            if wrong(0.15):
                made.update(source.free_form(1))
            source.depth -= 1
            return made

        return make


MAKER = Maker(SCHEMAS)


def is_enum(name: str) -> bool:
    return "enum" in SCHEMAS[name]


RESPONSE_TYPES = tuple(
    sorted(name for name in models.__all__ if name in SCHEMAS and not is_enum(name))
)
"""Components with a decoder: objects, unions of objects and arrays."""

UNIONS = tuple(name for name in RESPONSE_TYPES if "discriminator" in SCHEMAS[name])
OBJECTS = tuple(name for name in RESPONSE_TYPES if SCHEMAS[name].get("type") == "object")


def canonical(value: Any) -> str:
    """Text that two JSON values share only when they are the same JSON: 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)


def smallest(document: Any, fails: Callable[[Any], bool]) -> Any:
    """Take parts out of ``document`` for as long as it still ``fails``."""
    progress = True
    while progress:
        progress = False
        for candidate in _smaller(document):
            if fails(candidate):
                document, progress = candidate, True
                break
    return document


def _smaller(value: Any) -> Any:
    if isinstance(value, dict):
        for name, item in value.items():
            yield {key: kept for key, kept in value.items() if key != name}
            for less in _smaller(item):
                yield {**value, name: less}
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield value[:number] + value[number + 1 :]
            for less in _smaller(item):
                yield [*value[:number], less, *value[number + 1 :]]
