"""Cutting requests into batches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import BatchRequestError, Claude, split_requests
from claude_client.batches import splitting
from claude_rest._runtime.codec import dumps
from claude_rest.spec import load_bundle

from .making import make, names, params

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_the_limits_are_those_of_the_spec() -> None:
    bundle = load_bundle()
    schemas = bundle["components"]["schemas"]
    name = schemas["MessageBatchRequestParam"]["properties"]["custom_id"]
    assert f"^{splitting.CUSTOM_ID.pattern}$" == name["pattern"]
    assert (
        schemas["MessageBatchCreateParams"]["properties"]["requests"]["maxItems"]
        == splitting.MAX_REQUESTS
    )
    create = bundle["paths"]["/v1/messages/batches"]["post"]
    assert (
        create["requestBody"].get("x-max-bytes", create.get("x-max-bytes")) == splitting.MAX_BYTES
    )


@pytest.mark.parametrize(
    ("count", "limit", "sizes"),
    [(0, 10, []), (1, 10, [1]), (10, 10, [10]), (11, 10, [10, 1]), (25, 10, [10, 10, 5])],
)
def test_parts_are_as_large_as_the_limit(count: int, limit: int, sizes: list[int]) -> None:
    requests = make(count)
    parts = list(split_requests(iter(requests), max_requests=limit))
    assert [len(part) for part in parts] == sizes
    assert [part.first for part in parts] == [limit * n for n in range(len(sizes))]
    assert [part.index for part in parts] == list(range(len(sizes)))
    assert [request for part in parts for request in part.requests] == requests
    assert [name for part in parts for name in part.custom_ids] == names(requests)


@pytest.mark.parametrize("spare", [0, 1])
def test_bytes_count_as_they_are_sent(spare: int) -> None:
    requests = make(4)
    for request in requests:
        request["params"]["messages"][0]["content"] = "żółw 🐢"
    whole = len(dumps({"requests": requests}))
    parts = list(split_requests(requests, max_bytes=whole - 1 + spare))
    assert [len(part) for part in parts] == [4] if spare else [3, 1]
    for part in parts:
        body = part.requests.body_of("requests")
        assert body == dumps({"requests": list(part.requests)})
        assert len(body or b"") == part.requests.size <= whole - 1 + spare


def test_requests_are_read_as_parts_are_asked_for() -> None:
    read: list[int] = []

    def source() -> Iterator[Any]:
        for number in range(9):
            read.append(number)
            yield {"custom_id": f"r{number}", "params": params()}

    parts = split_requests(source(), max_requests=3)
    assert not read
    next(parts)
    assert read == [0, 1, 2, 3]
    assert sum(len(part) for part in parts) == 6


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"params": {}}, "has no custom_id"),
        ({"custom_id": "x"}, "has no params"),
        ({"custom_id": "", "params": {}}, "1 to 64"),
        ({"custom_id": "a b", "params": {}}, "1 to 64"),
        ({"custom_id": "a\n", "params": {}}, "1 to 64"),
        ({"custom_id": "é", "params": {}}, "1 to 64"),
        ({"custom_id": "x" * 65, "params": {}}, "1 to 64"),
        ({"custom_id": 7, "params": {}}, "int, not a string"),
        ({"custom_id": None, "params": {}}, "NoneType, not a string"),
        ({"custom_id": "r1", "params": {}}, "request 1 has the same custom_id"),
        ({"custom_id": "x", "params": {"n": float("nan")}}, "JSON"),
        ({"custom_id": "x", "params": {"n": "y" * 5000}}, "has room for"),
        ("text", "is str, not an object"),
        (None, "is NoneType, not an object"),
    ],
)
def test_a_bad_request_is_named(bad: Any, said: str) -> None:
    requests = [*make(5), bad, *make(2, "s")]
    with pytest.raises(BatchRequestError, match=said) as error:
        list(split_requests(requests, max_bytes=4000, max_requests=2))
    assert error.value.index == 5
    assert "request 5" in str(error.value)
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize("limits", [{"max_requests": 0}, {"max_requests": 100_001}])
def test_limits_that_the_api_lacks_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="max_requests"):
        split_requests([], **limits)
    with pytest.raises(ValueError, match="max_bytes"):
        split_requests([], max_bytes=256 * 1024 * 1024 + 1)


def test_digests_tell_requests_apart_and_sets_of_names_alike() -> None:
    first, again = (next(split_requests(make(5))) for _ in range(2))
    turned = next(split_requests(make(5)[::-1]))
    other = next(split_requests([{**request, "params": params("?")} for request in make(5)]))
    assert first.digest == again.digest
    assert len({first.digest, turned.digest, other.digest}) == 3
    assert first.ids_digest == turned.ids_digest == other.ids_digest
    assert first.ids_digest != next(split_requests(make(4))).ids_digest


def test_parts_are_sent_as_they_are() -> None:
    part = next(split_requests(make(3)))
    with Claude(api_key="k") as client:
        explained = client.explain("messages.batches.create", requests=part.requests)
        plain = client.explain("messages.batches.create", requests=make(3))
    assert str(explained) == str(plain)
    assert json.loads(part.requests.text()) == make(3)
