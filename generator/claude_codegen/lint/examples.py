"""Rules about examples: they are what the mock API answers and what the tests decode."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..source import Location, decode_text, find_in_json, parse_json, pointer
from .grammar import as_object
from .operations import EVENT_STREAM, JSON, JSON_LINES
from .spec import Finding, Rule
from .validation import SampleValidator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .grammar import JsonObject
    from .spec import OperationNode, Spec

SKIPPED_EVENTS: Final = ("ping", "error")
"""Server-sent events that are no items: their data is not checked against the item schema."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """One value of an example file: where it is in the document and in the file."""

    pointer: str
    schema: JsonObject
    value: Any
    place: Callable[[tuple[str | int, ...]], Location]


def _unreferenced(spec: Spec) -> Iterator[Finding]:
    used = set(spec.bundle.examples.values())
    for name in spec.bundle.example_files:
        if name not in used and not name.endswith(".md"):
            yield Finding("", f"nothing refers to {name}", place=Location(name, 1, 1))


def _missing(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        at, content = spec.request_media(operation)
        for name, media in content.items():
            if name == JSON and not media.get("examples"):
                yield Finding(at + pointer(name), f"{operation.name} has no example request")
        for _, here, response in spec.success_responses(operation):
            for name, media in response.get("content", {}).items():
                wanted = name in (JSON, EVENT_STREAM, *JSON_LINES)
                if wanted and not media.get("examples"):
                    yield Finding(
                        f"{here}/content{pointer(name)}",
                        f"{operation.name} has no example answer in {name}",
                    )
    for node in spec.nodes("response"):
        if "$ref" in node.value or node.pointer.rpartition("/")[2].startswith("2"):
            continue
        for name, media in node.value.get("content", {}).items():
            if not media.get("examples"):
                yield Finding(
                    f"{node.pointer}/content{pointer(name)}", "an error answer has no example"
                )


def _unpaired(spec: Spec) -> Iterator[Finding]:
    for operation in spec.operations:
        at, content = spec.request_media(operation)
        requests: dict[str, str] = {}
        for name, media in content.items():
            for example in media.get("examples", {}):
                requests[example] = f"{at}{pointer(name)}/examples{pointer(example)}"
        if not requests:
            continue
        answers: dict[str, tuple[str, str]] = {}
        for _, here, response in spec.success_responses(operation):
            for name, media in response.get("content", {}).items():
                for example in media.get("examples", {}):
                    place = f"{here}/content{pointer(name)}/examples{pointer(example)}"
                    if example in answers:
                        yield Finding(place, f"{example} has two answers")
                    answers[example] = (name, place)
        for example, place in requests.items():
            if example not in answers:
                yield Finding(place, f"the request {example} has no answer")
        for example, (_, place) in answers.items():
            if example not in requests:
                yield Finding(place, f"the answer {example} has no request")
        yield from _wrong_kind(spec, operation, requests, answers)


def _wrong_kind(
    spec: Spec,
    operation: OperationNode,
    requests: dict[str, str],
    answers: dict[str, tuple[str, str]],
) -> Iterator[Finding]:
    argument = operation.value.get("x-stream-argument")
    if argument is None:
        return
    for example, place in requests.items():
        body = as_object(spec.target(f"#{place}/value")) or {}
        media = answers.get(example, ("", ""))[0]
        if media and (body.get(argument) is True) != (media == EVENT_STREAM):
            yield Finding(
                f"{place}/value",
                f"{argument} of the request {example} does not go with an answer in {media}",
                f"an answer in {EVENT_STREAM} belongs to a request with {argument}: true",
            )


def _invalid(spec: Spec) -> Iterator[Finding]:
    validator = SampleValidator(spec)
    for node in spec.nodes("media-type", "parameter", "header"):
        if "$ref" in node.value:
            continue
        media_type = node.pointer.rpartition("/")[2].replace("~1", "/")
        for name, example in node.value.get("examples", {}).items():
            at = f"{node.pointer}/examples{pointer(name)}"
            if "value" not in example:
                continue
            if node.kind == "media-type" and media_type in (EVENT_STREAM, *JSON_LINES):
                item = node.value.get("x-item-schema", {})
                parse = _events if media_type == EVENT_STREAM else _lines
                for part in parse(spec, at, item, example["value"]):
                    yield from _check(validator, part)
            elif "schema" in node.value:
                place = partial(_place_in_example, spec, at)
                sample = _Sample(f"{at}/value", node.value["schema"], example["value"], place)
                yield from _check(validator, sample)
    for node in spec.nodes("schema"):
        for index, value in enumerate(node.value.get("examples", [])):
            at = f"{node.pointer}/examples/{index}"
            sample = _Sample(at, node.value, value, partial(_place_in_document, spec, at))
            yield from _check(validator, sample)


def _check(validator: SampleValidator, sample: _Sample | Finding) -> Iterator[Finding]:
    if isinstance(sample, Finding):
        yield sample
        return
    for mismatch in validator.check(sample.schema, sample.value):
        yield Finding(
            f"{sample.pointer}{pointer(*mismatch.path)}",
            mismatch.message,
            place=sample.place(mismatch.path),
        )


def _place_in_document(spec: Spec, at: str, path: tuple[str | int, ...]) -> Location:
    return spec.bundle.locate(f"{at}{pointer(*path)}")


def _place_in_example(spec: Spec, at: str, path: tuple[str | int, ...]) -> Location:
    """Return the place of a part of an example: in its file, or in the document."""
    file = spec.bundle.examples.get(at)
    if file is None:
        return _place_in_document(spec, f"{at}/value", path)
    line, column = find_in_json(decode_text(spec.bundle.sources[file]), list(path))
    return Location(file, line, column)


def _place_in_line(spec: Spec, at: str, line: int, _: tuple[str | int, ...]) -> Location:
    """Return the line of a line-based example, whatever is wrong in it."""
    file = spec.bundle.examples.get(at)
    if file is None:
        return spec.bundle.locate(f"{at}/value")
    return Location(file, line, 1)


def _events(spec: Spec, at: str, item: JsonObject, text: object) -> Iterator[_Sample | Finding]:
    """Yield the data of each server-sent event, and what is wrong with their framing."""
    if not isinstance(text, str):
        yield Finding(f"{at}/value", "the example is not a text")
        return
    name, data, start = "", list[str](), 1
    if text and not text.endswith("\n\n"):
        place = _place_in_line(spec, at, text.count("\n") + 1, ())
        yield Finding(f"{at}/value", "the last event does not end in an empty line", place=place)
    for number, line in enumerate(text.split("\n"), 1):
        key, _, rest = line.partition(":")
        rest = rest.removeprefix(" ")
        if not line:
            if data:
                yield from _event(spec, at, item, name, "\n".join(data), start)
            name, data = "", []
        elif key == "event":
            name = rest
        elif key == "data":
            start = start if data else number
            data.append(rest)
        elif key not in ("", "id", "retry"):
            place = _place_in_line(spec, at, number, ())
            yield Finding(f"{at}/value", f"{key!r} is no field of an event", place=place)


def _event(
    spec: Spec, at: str, item: JsonObject, name: str, data: str, line: int
) -> Iterator[_Sample | Finding]:
    place = partial(_place_in_line, spec, at, line)
    try:
        value = parse_json(data)
    except (ValueError, RecursionError) as error:
        yield Finding(f"{at}/value", f"the data is not JSON: {error}", place=place(()))
        return
    kind = (as_object(value) or {}).get("type")
    if kind != name:
        yield Finding(
            f"{at}/value", f"the event {name!r} has data of type {kind!r}", place=place(())
        )
    if name not in SKIPPED_EVENTS:
        yield _Sample(f"{at}/value", item, value, place)


def _lines(spec: Spec, at: str, item: JsonObject, text: object) -> Iterator[_Sample | Finding]:
    """Yield the value of each line of a JSONL example."""
    if not isinstance(text, str):
        yield Finding(f"{at}/value", "the example is not a text")
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = partial(_place_in_line, spec, at, number)
        try:
            yield _Sample(f"{at}/value", item, parse_json(line), place)
        except (ValueError, RecursionError) as error:
            yield Finding(f"{at}/value", f"the line is not JSON: {error}", place=place(()))


def _error_status(spec: Spec) -> Iterator[Finding]:
    """Check that example errors carry codes of the registry."""
    for node in spec.nodes("media-type"):
        for name, example in node.value.get("examples", {}).items():
            error = as_object((as_object(example.get("value")) or {}).get("error")) or {}
            code = (as_object(error.get("details")) or {}).get("error_code")
            if isinstance(code, str) and spec.error_codes and code not in spec.error_codes:
                at = f"{node.pointer}/examples{pointer(name)}"
                place = _place_in_example(spec, at, ("error", "details", "error_code"))
                yield Finding(
                    f"{at}/value", f"the code {code} is not in x-error-codes", place=place
                )


RULES: Final = (
    Rule(
        "example-missing",
        "Every JSON, SSE or JSONL body has an example.",
        "The mock API answers with examples; without one it has nothing to say.",
        "add examples with an externalValue below examples/",
        _missing,
    ),
    Rule(
        "example-unreferenced",
        "Every file in examples/ is the externalValue of an example.",
        "A file nobody refers to is neither validated nor served.",
        "refer to it or remove it",
        _unreferenced,
    ),
    Rule(
        "example-unpaired",
        "Requests and successful answers have examples under the same names, of matching kind.",
        "The mock API answers an example request with the answer of that name.",
        "add the missing half, or rename one",
        _unpaired,
    ),
    Rule(
        "example-invalid",
        "Examples are valid against their schemas, without properties the schemas do not have.",
        "They are shown to users as what the API takes and says.",
        "correct the example or the schema",
        _invalid,
    ),
    Rule(
        "example-error-code",
        "Error codes in examples are in x-error-codes.",
        "The example would raise another class than the text promises.",
        "correct the code, or add it to x-error-codes",
        _error_status,
    ),
)
