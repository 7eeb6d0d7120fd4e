"""Decoding and encoding returns the same JSON, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_rest import models
from claude_rest._runtime import codec
from claude_rest._runtime.sse import SSEDecoder
from claude_rest._runtime.struct import Struct, Unknown, encode
from schema_documents import (
    BUNDLE,
    MAKER,
    RESPONSE_TYPES,
    SCHEMAS,
    canonical,
    component_of,
    smallest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTS = 1000
SPEC_EXAMPLES = Path(__file__).parents[2] / "spec" / "examples"
BACKENDS = ["orjson", "json"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    use_backend(request.param, monkeypatch)
    return str(request.param)


def use_backend(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.setattr(codec, "_orjson_loads", None)
        monkeypatch.setattr(codec, "_orjson_dumps", None)


def difference(component: str, document: Any) -> str | None:
    """Say how a round trip through the decoder of ``component`` changes ``document``."""
    expected = canonical(document)
    value = codec.loads(expected)
    decoded = models.decoder(component)(value)
    encoded = encode(decoded)
    written = decoded.to_json() if isinstance(decoded, Struct) else codec.dumps(decoded)
    reread = codec.loads(written)
    # In one go: to compare texts costs more than all the rest.
    if canonical([encoded, value, reread]) == f"[{expected}, {expected}, {expected}]":
        return None
    if canonical(encoded) != expected:
        return f"encoded as {encoded!r}"
    if canonical(value) != expected:
        return f"the decoder changed its input to {value!r}"
    return f"written as {written!r}"


def assert_round_trip(component: str, document: Any) -> None:
    if difference(component, document) is not None:
        least = smallest(document, lambda smaller: difference(component, smaller) is not None)
        pytest.fail(f"{component}: {difference(component, least)} instead of {least!r}")


def examples() -> Iterator[tuple[str, str, Any]]:
    """Component, name and document of each answer and webhook among the examples of the spec."""
    for methods in BUNDLE["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                for media_type, media in resolved(response).get("content", {}).items():
                    for name, example in media.get("examples", {}).items():
                        label = f"{operation['operationId']}-{status}-{name}"
                        example = resolved(example)
                        if "x-item-schema" in media:
                            item = component_of(media["x-item-schema"]["$ref"])
                            parse = events if media_type == "text/event-stream" else lines
                            for number, data in enumerate(parse(example["value"])):
                                yield item, f"{label}-{number}", data
                        else:
                            schema = component_of(media["schema"]["$ref"])
                            yield schema, label, example["value"]
    for name, webhook in BUNDLE["webhooks"].items():
        for media in webhook["post"]["requestBody"]["content"].values():
            schema = component_of(media["schema"]["$ref"])
            for label, example in media["examples"].items():
                yield schema, f"webhook-{name}-{label}", example["value"]


def events(text: str) -> list[Any]:
    decoder = SSEDecoder()
    found = decoder.feed(text.encode())
    assert not decoder.finish(), "the example ends inside an event"
    return [json.loads(event.data) for event in found]


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = BUNDLE
        for token in node["$ref"].removeprefix("#/").split("/"):
            target = target[token.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def requests() -> Iterator[tuple[str, Any]]:
    for methods in BUNDLE["paths"].values():
        for operation in methods.values():
            content = operation.get("requestBody", {}).get("content", {})
            for media in content.values():
                for name, example in media.get("examples", {}).items():
                    yield f"{operation['operationId']}-{name}", resolved(example)["value"]


EXAMPLES = {f"{label}-{component}": (component, value) for component, label, value in examples()}
REQUESTS = dict(requests())


@pytest.mark.parametrize("label", EXAMPLES)
def test_an_example_of_an_answer_survives(label: str, backend: str) -> None:
    component, document = EXAMPLES[label]
    assert isinstance(models.decoder(component)(document), Struct)
    assert_round_trip(component, document)


@pytest.mark.parametrize("label", REQUESTS)
def test_an_example_of_a_request_is_written_as_it_is(label: str, backend: str) -> None:
    assert canonical(codec.loads(codec.dumps(REQUESTS[label]))) == canonical(REQUESTS[label])


@pytest.mark.skipif(not SPEC_EXAMPLES.is_dir(), reason="needs the source tree")
def test_every_example_file_is_among_them() -> None:
    used = {canonical(document) for _, document in EXAMPLES.values()}
    used |= {canonical(document) for document in REQUESTS.values()}
    for path in SPEC_EXAMPLES.rglob("*"):
        if path.suffix == ".json":
            assert canonical(json.loads(path.read_text("utf-8"))) in used, path
        elif path.suffix in (".sse", ".jsonl"):
            parse = events if path.suffix == ".sse" else lines
            for item in parse(path.read_text("utf-8")):
                assert canonical(item) in used, path


@pytest.mark.parametrize("component", RESPONSE_TYPES)
def test_a_thousand_documents_of_a_type_survive(
    component: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(component)  # the name: the same documents in every run
    documents = [MAKER.make(component, random) for _ in range(DOCUMENTS)]
    for name in BACKENDS:
        if name == "orjson" and codec.BACKEND != "orjson":
            continue
        with monkeypatch.context() as patch:
            use_backend(name, patch)
            for document in documents:
                assert_round_trip(component, document)


@given(st.sampled_from(RESPONSE_TYPES), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_documents_that_hypothesis_makes_survive(component: str, random: Random) -> None:
    document = MAKER.make(component, random)
    assert difference(component, document) is None, (component, document)


@pytest.mark.parametrize("component", RESPONSE_TYPES)
def test_decoding_twice_gives_equal_models(component: str) -> None:
    random = Random(component)
    decode = models.decoder(component)
    for _ in range(50):
        text = canonical(MAKER.make(component, random))
        first, second = decode(json.loads(text)), decode(json.loads(text))
        assert first == second
        assert not first != second  # noqa: SIM202 - __ne__ is what is tested
        assert decode(encode(first)) == first


def test_what_the_documents_contain() -> None:
    """The maker is worth its thousand documents only if every fault is among them."""
    random = Random(7)
    documents = [MAKER.make("Message", random) for _ in range(DOCUMENTS)]
    messages = [models.decoder("Message")(document) for document in documents]
    blocks = [
        block
        for message in messages
        if isinstance(message.content, list)
        for block in message.content
    ]
    reasons = SCHEMAS["StopReason"]["enum"]
    members = SCHEMAS["ContentBlock"]["discriminator"]["mapping"].values()
    assert {type(block).__name__ for block in blocks} >= set(map(component_of, members))
    assert any(isinstance(block, Unknown) for block in blocks)
    assert any(not isinstance(block, Struct) for block in blocks)
    assert any(message.extra_fields for message in messages)
    assert any("usage" not in document for document in documents)
    assert any(document.get("usage", 0) is None for document in documents)
    assert any(document.get("stop_reason") not in (*reasons, None) for document in documents)
    assert any(document.get("stop_reason", 0) is None for document in documents)
    assert any("\\ud8" in canonical(document) for document in documents)
    assert any(isinstance(document.get("content"), (str, int, dict)) for document in documents)


def test_a_broken_decoder_would_be_noticed() -> None:
    decoders: Any = models.decoders
    original = decoders["TextBlock"]

    def forgetful(data: dict[str, Any]) -> Any:
        return original({name: value for name, value in data.items() if name != "future"})

    document = {"type": "text", "text": "x", "citations": None, "future": [1, {"a": 2}], "more": 1}
    decoders["TextBlock"] = forgetful
    try:
        assert difference("TextBlock", document) is not None
        least = smallest(document, lambda smaller: difference("TextBlock", smaller) is not None)
    finally:
        decoders["TextBlock"] = original
    assert least == {"future": []}
