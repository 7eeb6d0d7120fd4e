"""What is refused before the body counts, in the API's order, and what every response carries."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import MockAPI, MockRequest

if TYPE_CHECKING:
    from .conftest import Caller

CREATE = ("POST", "/v1/messages")
LIST = ("GET", "/v1/models")


@pytest.mark.parametrize(
    ("target", "headers", "status", "kind", "message"),
    [
        (("GET", "/v1/nothing"), {}, 404, "not_found_error", "Not found"),
        (("GET", "/v1/models/"), {}, 404, "not_found_error", "Not found"),
        (("GET", "/"), {}, 404, "not_found_error", "Not found"),
        (("GET", "/v1/messages"), {}, 405, "invalid_request_error", "Method Not Allowed"),
        (LIST, {"x-api-key": None}, 401, "authentication_error", "x-api-key: "),
        (LIST, {"x-api-key": ""}, 401, "authentication_error", "x-api-key: "),
        (
            LIST,
            {"x-api-key": None, "authorization": "Basic eDp5"},
            401,
            "authentication_error",
            "x-api-key: ",
        ),
        (
            LIST,
            {"anthropic-version": None},
            400,
            "invalid_request_error",
            "anthropic-version: header is required",
        ),
        (
            LIST,
            {"anthropic-version": "2024-01-01"},
            400,
            "invalid_request_error",
            'anthropic-version: "2024-01-01" is not a valid version',
        ),
        (
            LIST,
            {"anthropic-version": "2023-06-01, 2023-06-01"},
            400,
            "invalid_request_error",
            'anthropic-version: "2023-06-01, 2023-06-01" is not a valid version',
        ),
        (
            LIST,
            {"anthropic-beta": "oauth-2025-04-20, no-such-flag"},
            400,
            "invalid_request_error",
            "Unexpected value(s) `no-such-flag` for the `anthropic-beta` header",
        ),
    ],
)
def test_refused_by_its_head(
    call: Caller,
    target: tuple[str, str],
    headers: dict[str, str | None],
    status: int,
    kind: str,
    message: str,
) -> None:
    response = call(*target, headers=headers)
    body = response.json()
    assert response.status == status
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    assert body["error"]["message"].startswith(message)
    assert body["request_id"] == response.header("request-id")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "any"},
        {"x-api-key": None, "authorization": "Bearer any"},
        {"x-api-key": None, "Authorization": "bearer any"},
        {"anthropic-version": "2023-06-01"},
        {"anthropic-beta": "files-api-2025-04-14,prompt-caching-2024-07-31"},
        {"anthropic-beta": ""},
    ],
)
def test_admitted(call: Caller, headers: dict[str, str | None]) -> None:
    assert call(*LIST, headers=headers).status == 200


def test_checks_come_in_the_order_of_the_api(call: Caller) -> None:
    wrong: dict[str, str | None] = {
        "x-api-key": None,
        "anthropic-version": None,
        "anthropic-beta": "no-such-flag",
    }
    statuses: list[tuple[int, str]] = []
    for repair in (
        {},
        {"x-api-key": "k"},
        {"anthropic-version": "2026-10-21"},
        {"anthropic-beta": ""},
    ):
        wrong.update(repair)
        response = call(*CREATE, b"not JSON", headers=wrong)
        statuses.append((response.status, response.json()["error"]["message"].split()[0]))
    assert statuses == [
        (401, "x-api-key:"),
        (400, "anthropic-version:"),
        (400, "Unexpected"),
        (400, "The"),
    ]
    assert call("POST", "/v1/nothing", headers={"x-api-key": None}).status == 404


def test_two_version_headers_are_one_wrong_value(api: MockAPI) -> None:
    headers = (("x-api-key", "k"), *[("Anthropic-Version", "2026-10-21")] * 2)
    response = api.handle(MockRequest("GET", "/v1/models", headers=headers))
    assert response.status == 400
    assert "2026-10-21, 2026-10-21" in response.json()["error"]["message"]


def test_operation_behind_a_flag_is_not_there_without_it(bundle: dict[str, Any]) -> None:
    hidden: dict[str, Any] = {
        **bundle,
        "paths": {
            "/v1/dreams": {
                "get": {
                    "x-resource": "dreams",
                    "x-method": "list",
                    "x-beta": "dreaming-2026-04-21",
                    "responses": {
                        "200": {
                            "content": {
                                "application/json": {"examples": {"a": {"value": {"data": []}}}}
                            }
                        }
                    },
                }
            }
        },
    }
    api = MockAPI(hidden)
    headers = (("x-api-key", "k"), ("anthropic-version", "2026-10-21"))
    flagged = (*headers, ("anthropic-beta", "dreaming-2026-04-21"))
    without = api.handle(MockRequest("GET", "/v1/dreams", headers=headers))
    assert (without.status, without.json()["error"]["type"]) == (404, "not_found_error")
    assert api.handle(MockRequest("GET", "/v1/dreams", headers=flagged)).json() == {"data": []}


def test_body_over_the_limit(api: MockAPI, call: Caller) -> None:
    limit = api.body_limit(*CREATE)
    assert limit == 32 * 1024 * 1024
    response = call(*CREATE, b" " * (limit + 1))
    assert response.status == 413
    assert response.json()["error"]["type"] == "request_too_large"
    cut = MockRequest(
        *CREATE,
        headers=(("x-api-key", "k"), ("anthropic-version", "2026-10-21")),
        body=b"{}",
        body_cut=True,
    )
    assert api.handle(cut).status == 413
    assert api.body_limit("POST", "/v1/nothing") == 0


def test_compressed_body_is_refused_by_its_code(call: Caller) -> None:
    response = call(*CREATE, b"\x1f\x8b", headers={"content-encoding": "gzip"})
    assert response.status == 400
    assert response.json()["error"]["details"] == {
        "error_code": "request_body_encoding_unsupported"
    }


def test_headers_of_every_response(call: Caller) -> None:
    for response in (call(*LIST), call.create(), call.create(stream=True), call("GET", "/v1/x")):
        names = [name for name, _ in response.headers]
        assert len(names) == len(set(names))
        assert all(name == name.lower() for name in names)
        assert re.fullmatch(r"req_01\w{22}", response.header("Request-Id") or "")
        assert re.fullmatch(r"[0-9a-f-]{36}", response.header("anthropic-organization-id") or "")
        assert response.header("content-type")
        assert response.header("anthropic-ratelimit-requests-limit") == "1000"
        reset = response.header("anthropic-ratelimit-requests-reset") or ""
        assert datetime.fromisoformat(reset.replace("Z", "+00:00")).timestamp() > 0


def test_token_limits_only_where_tokens_are_used(call: Caller) -> None:
    kinds = ("input-tokens", "output-tokens", "tokens")
    names = {
        f"anthropic-ratelimit-{k}-{part}" for k in kinds for part in ("limit", "remaining", "reset")
    }
    assert names <= dict(call.create().headers).keys()
    assert names <= dict(call.create(stream=True).headers).keys()
    assert names.isdisjoint(dict(call(*LIST).headers))


def test_workspace_header(call: Caller) -> None:
    own = call(*LIST).header("anthropic-workspace-id") or ""
    assert own.startswith("wrkspc_01")
    named = call(*LIST, headers={"anthropic-workspace-id": "wrkspc_01abc"})
    assert named.header("anthropic-workspace-id") == "wrkspc_01abc"
    assert call(*LIST, headers={"x-api-key": None}).header("anthropic-workspace-id") is None


def test_same_seed_same_answers() -> None:
    def transcript(seed: int) -> list[tuple[tuple[tuple[str, str], ...], bytes]]:
        api = MockAPI(seed=seed, clock=lambda: 0.0)
        headers = (("x-api-key", "k"), ("anthropic-version", "2026-10-21"))
        body = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}'
        requests = [
            MockRequest(*CREATE, headers=headers, body=body),
            MockRequest(*CREATE, headers=headers, body=body[:-1] + b',"stream":true}'),
            MockRequest(*LIST, headers=headers),
            MockRequest("GET", "/v1/x"),
        ]
        return [(answer.headers, answer.read()) for answer in map(api.handle, requests)]

    assert transcript(1) == transcript(1)
    assert transcript(1) != transcript(2)
    ids = [dict(headers)["request-id"] for headers, _ in transcript(1)]
    assert len(set(ids)) == len(ids)


def test_secrets_stay_out(call: Caller) -> None:
    secret = "sk-ant-secret"
    for headers in (
        {"x-api-key": secret},
        {"x-api-key": None, "authorization": f"Basic {secret}"},
        {"x-api-key": None, "authorization": f"Bearer {secret}"},
    ):
        for response in (
            call("POST", "/v1/messages", {"metadata": secret}, headers=headers),
            call.create(headers, max_tokens=secret),
            call.create(headers),
        ):
            seen = repr(response) + response.read().decode() + repr(response.headers)
            assert secret not in seen
    request = MockRequest("GET", "/", "", (("x-api-key", secret),), secret.encode())
    assert secret not in repr(request)
