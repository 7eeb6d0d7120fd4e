"""What a request is expected to take, and what an answer says it took."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from claude_client.throttle.demand import (
    TOKENS_PER_IMAGE,
    Demand,
    Estimates,
    Ratio,
    UsageReader,
    Used,
    estimate_input,
    limits_group,
    model_class,
    used_by,
)
from claude_rest._runtime.codec import dumps
from claude_rest._runtime.json_body import json_body
from claude_rest.operations.files import FILES_LIST
from claude_rest.operations.message_batches import MESSAGES_BATCHES_CREATE
from claude_rest.operations.messages import MESSAGES_COUNT_TOKENS, MESSAGES_CREATE


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("claude-opus-5-5", "opus"),
        ("claude-3-5-sonnet-20241022", "sonnet"),
        ("claude-sonnet-4@20250514", "sonnet"),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", "opus"),
        ("claude-fable-1", "fable"),
        ("My-Deployment", "my-deployment"),
    ],
)
def test_models_of_one_family_share_their_limits(model: str, name: str) -> None:
    assert model_class(model) == name


@pytest.mark.parametrize(
    ("operation", "model", "group"),
    [
        (MESSAGES_CREATE, "claude-opus-5-5", "opus"),
        (MESSAGES_COUNT_TOKENS, "claude-opus-5-5", "messages.count_tokens"),
        (MESSAGES_BATCHES_CREATE, None, "messages.batches"),
        (FILES_LIST, None, "files"),
    ],
)
def test_every_operation_has_its_limits(operation: Any, model: str | None, group: str) -> None:
    assert limits_group(operation, model) == group


def source(data: Any, kind: str = "image/png", data_first: bool = False) -> dict[str, Any]:
    fields = {"type": "base64", "media_type": kind, "data": data}
    return dict(reversed(fields.items())) if data_first else fields


def image(size: int, kind: str = "image/png", data_first: bool = False) -> dict[str, Any]:
    return {"type": "image", "source": source("A" * size, kind, data_first)}


@pytest.mark.parametrize("data_first", [False, True])
def test_images_count_as_what_they_show(data_first: bool) -> None:
    body = json.dumps({"content": [image(400_000, data_first=data_first)] * 2}).encode()
    assert 2 * TOKENS_PER_IMAGE <= estimate_input(body) < 2 * TOKENS_PER_IMAGE + 200


def test_documents_count_by_their_size() -> None:
    body = json.dumps(image(240_000, "application/pdf")).encode()
    assert 10_000 <= estimate_input(body) < 10_200


def test_text_counts_by_its_bytes() -> None:
    assert estimate_input(b"x" * 4000) == 1001
    assert estimate_input(None) == 0


LONG_BASE64 = base64.b64encode(bytes(1_800_000)).decode()


@pytest.mark.parametrize(
    ("given", "encoded"),
    [
        ({"content": "Hello, Claude. " * 200_000}, None),
        ({"content": [{"type": "text", "text": "Hello. " * 9_000}] * 60}, None),
        ({"content": [source(LONG_BASE64)] * 2}, None),
        ({"content": [source(LONG_BASE64, data_first=True)] * 2}, None),
        ({"content": [source(LONG_BASE64, "application/pdf"), {"text": "x" * 900_000}]}, None),
        ({"content": [source(bytes(90_000))] * 9}, {"content": [source("A" * 120_000)] * 9}),
        (
            {"content": [source(bytes(900_000), "application/pdf", data_first=True)] * 2},
            {"content": [source("A" * 1_200_000, "application/pdf", data_first=True)] * 2},
        ),
    ],
)
def test_a_body_in_pieces_counts_as_in_one(given: Any, encoded: Any) -> None:
    """Asynchronous clients send large bodies in pieces, and both send files so."""
    body = json_body(given)
    assert len(body.parts) > 1
    assert estimate_input(body) == estimate_input(dumps(encoded or given))


def test_costs_are_by_pool() -> None:
    demand = Demand.of(MESSAGES_CREATE, {"model": "claude-opus-5-5", "max_tokens": 100}, b"x" * 396)
    (priority, ordinary) = demand.options(Estimates())
    assert ordinary == {"requests": 1, "input-tokens": 120, "output-tokens": 100, "tokens": 220}
    assert set(priority) == {
        "requests",
        "priority-input-tokens",
        "priority-output-tokens",
        "tokens",
    }


def test_fast_mode_has_pools_of_its_own() -> None:
    fields = {"model": "claude-opus-5-5", "max_tokens": 100, "speed": "fast"}
    demand = Demand.of(MESSAGES_CREATE, fields, b"")
    (costs,) = demand.options(Estimates())
    assert "fast-input-tokens" in costs
    assert "input-tokens" not in costs
    assert demand.lane == "fast"


def test_standard_only_leaves_the_priority_pools_alone() -> None:
    fields = {"model": "claude-opus-5-5", "max_tokens": 100, "service_tier": "standard_only"}
    assert len(Demand.of(MESSAGES_CREATE, fields, b"").options(Estimates())) == 1


def test_operations_without_a_model_take_requests_only() -> None:
    assert Demand.of(FILES_LIST, {}, None).options(Estimates()) == [{"requests": 1.0}]


def test_estimates_learn_and_stay_careful() -> None:
    ratio = Ratio(1.0)
    for _ in range(50):
        ratio.learn(10, 100)
    assert ratio.factor(100) == pytest.approx(0.1, abs=0.01)
    ratio.learn(100, 100)
    assert ratio.factor(100) > 0.3
    ratio.learn(5, 0)


def test_small_requests_say_little_about_a_large_one() -> None:
    ratio = Ratio(1.2)
    ratio.learn(10, 40)
    assert ratio.factor(40) == 0.5
    assert ratio.factor(80) == pytest.approx(0.85)
    assert ratio.factor(40_000) == pytest.approx(1.2, abs=0.01)


def test_estimates_are_learned_in_both_directions() -> None:
    estimates = Estimates()
    demand = Demand("messages.create", "opus", input=100, output=1000)
    estimates.learn(demand, Used(50, None))
    assert estimates.input.mean == 0.5
    assert estimates.output.mean == 1.0


WHOLE = {
    "content": [{"type": "text", "text": 'He wrote {"usage": {"input_tokens": 7}}'}],
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 5,
        "cache_read_input_tokens": 1000,
        "output_tokens": 3,
        "iterations": [{"input_tokens": 1, "output_tokens": 1}],
    },
}


def test_usage_of_a_whole_answer() -> None:
    for text in (json.dumps(WHOLE), json.dumps(WHOLE, separators=(",", ":"))):
        used = used_by(text.encode())
        assert (used.input, used.output) == (15, 3)


def test_usage_of_something_else() -> None:
    used = used_by(b'{"id": "x"}')
    assert (used.input, used.output) == (None, None)
    assert used.by_pool({"requests": 1, "input-tokens": 4, "output-tokens": 5, "tokens": 9}) == {
        "input-tokens": 4,
        "output-tokens": 5,
        "tokens": 9,
    }


def stream(deltas: int) -> bytes:
    events = [
        'data: {"type":"message_start","message":{"usage":{"input_tokens":10,"output_tokens":1}}}',
        *['data: {"type":"content_block_delta","delta":{"text":"some words"}}'] * deltas,
        'data: {"type":"message_delta","delta":{},"usage":{"output_tokens":42}}',
        'data: {"type":"message_stop"}',
    ]
    return "\n\n".join(events).encode()


@pytest.mark.parametrize("size", [1, 7, 1000, 5000, 10**6])
@pytest.mark.parametrize("deltas", [0, 500])
def test_usage_of_a_stream_in_pieces(size: int, deltas: int) -> None:
    reader = UsageReader()
    content = stream(deltas)
    for start in range(0, len(content), size):
        reader.feed(content[start : start + size])
    used = reader.used(whole=False)
    assert (used.input, used.output) == (10, 42)


def test_usage_of_a_stream_read_at_once() -> None:
    used = used_by(stream(500))
    assert (used.input, used.output) == (10, 42)


def test_usage_of_a_stream_that_was_cut() -> None:
    reader = UsageReader()
    reader.feed(stream(500)[:1000])
    used = reader.used(whole=False)
    assert (used.input, used.output) == (10, None)
