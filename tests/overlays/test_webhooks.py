"""Webhooks: signatures, and the events they carry."""

from __future__ import annotations

import base64
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_client import AsyncClaude, Claude, Unknown, WebhookVerificationError, types
from claude_client.errors import ConfigurationError
from claude_client.webhooks import parse_unverified, sign, unwrap, verify

# The example of the Standard Webhooks specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
NOW = 1614265330
OTHER = "whsec_" + base64.b64encode(b"another key of 32 bytes, made up").decode()
EVENT = {
    "type": "event",
    "id": "whe_1",
    "created_at": "2026-11-20T10:00:00Z",
    "data": {
        "type": "session.thread_idled",
        "id": "sesn_1",
        "organization_id": "org_1",
        "workspace_id": "wrkspc_1",
        "session_thread_id": "thr_1",
    },
}


def changed(**headers: Any) -> dict[str, Any]:
    """Return the headers of the example with others in their place; None leaves one out."""
    found = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {name: value for name, value in found.items() if value is not None}


def reason(headers: Any, body: Any = BODY, secret: Any = SECRET, **options: Any) -> str:
    with pytest.raises(WebhookVerificationError) as caught:
        verify(body, headers, secret, **{"now": NOW, **options})
    for hidden in ("MfKQ9r8", "g0hM9SsE"):
        assert hidden not in repr(caught.value) + str(caught.value)
    return caught.value.reason


SIGNATURE = HEADERS["webhook-signature"]


@pytest.mark.parametrize(
    ("body", "headers", "secret"),
    [
        pytest.param(BODY, HEADERS, SECRET, id="text"),
        pytest.param(BODY.encode(), HEADERS, SECRET, id="bytes"),
        pytest.param(bytearray(BODY.encode()), HEADERS, SECRET, id="bytearray"),
        pytest.param(BODY, HEADERS, SECRET.removeprefix("whsec_"), id="no-prefix"),
        pytest.param(BODY, HEADERS, f"\n{SECRET} ", id="space-around"),
        pytest.param(BODY, HEADERS, SECRET.encode(), id="secret-as-bytes"),
        pytest.param(BODY, HEADERS, base64.b64decode(SECRET[6:]), id="key"),
        pytest.param(BODY, HEADERS, [OTHER, SECRET], id="several-secrets"),
        pytest.param(BODY, HEADERS, f"{OTHER}, {SECRET}", id="several-secrets-in-one-text"),
        pytest.param(BODY, {k.title(): v for k, v in HEADERS.items()}, SECRET, id="title-case"),
        pytest.param(BODY, {k.upper(): v for k, v in HEADERS.items()}, SECRET, id="upper-case"),
        pytest.param(BODY, [*HEADERS.items(), ("a", "b")], SECRET, id="pairs"),
        pytest.param(
            BODY, [(k.encode(), v.encode()) for k, v in HEADERS.items()], SECRET, id="asgi"
        ),
        pytest.param(BODY, {k: [v] for k, v in HEADERS.items()}, SECRET, id="lists"),
        pytest.param(
            BODY, changed(webhook_signature=f"v1,AAAA v2,x {SIGNATURE}"), SECRET, id="last-of-three"
        ),
        pytest.param(
            BODY, [*HEADERS.items(), ("webhook-signature", "v1,AAAA")], SECRET, id="header-twice"
        ),
    ],
)
def test_what_is_signed_is_accepted(body: Any, headers: Any, secret: Any) -> None:
    verify(body, headers, secret, now=NOW)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (changed(webhook_id=None), "header_missing"),
        (changed(webhook_timestamp=None), "header_missing"),
        (changed(webhook_signature=None), "header_missing"),
        (changed(webhook_signature=" "), "header_missing"),
        ({}, "header_missing"),
        (changed(webhook_timestamp="soon"), "header_malformed"),
        (changed(webhook_timestamp="-1614265330"), "header_malformed"),
        (changed(webhook_timestamp="1614265330.0"), "header_malformed"),
        (changed(webhook_timestamp="١٦١٤٢٦٥٣٣٠"), "header_malformed"),
        (changed(webhook_timestamp="9" * 5000), "header_malformed"),
        (changed(webhook_timestamp=1614265330), "header_malformed"),
        (changed(webhook_id="\ud800"), "header_malformed"),
        ([*HEADERS.items(), ("webhook-id", "another")], "header_malformed"),
        (changed(webhook_id="another"), "signature_mismatch"),
        (changed(webhook_timestamp=str(NOW + 1)), "signature_mismatch"),
        (changed(webhook_signature=SIGNATURE[:-1]), "signature_mismatch"),
        (changed(webhook_signature=SIGNATURE.replace("v1", "v1a")), "signature_mismatch"),
        (changed(webhook_signature=SIGNATURE[3:]), "signature_mismatch"),
        (changed(webhook_signature="v1,"), "signature_mismatch"),
        (changed(webhook_signature="v1,ü"), "signature_mismatch"),
    ],
)
def test_what_is_not_is_refused_with_a_reason(headers: Any, expected: str) -> None:
    assert reason(headers) == expected


def test_another_body_or_secret_does_not_fit() -> None:
    assert reason(HEADERS, BODY + " ") == "signature_mismatch"
    assert reason(HEADERS, secret=OTHER) == "signature_mismatch"
    assert reason(HEADERS, "\ud800") == "payload_malformed"
    with pytest.raises(TypeError, match="dict"):
        verify({}, HEADERS, SECRET)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (300, None),
        (-300, None),
        (301, "timestamp_too_old"),
        (-301, "timestamp_too_new"),
        (10**9, "timestamp_too_old"),
    ],
)
def test_five_minutes_either_way(offset: int, expected: str | None) -> None:
    if expected is None:
        verify(BODY, HEADERS, SECRET, now=NOW + offset)
    else:
        assert reason(HEADERS, now=NOW + offset) == expected
    verify(BODY, HEADERS, SECRET, now=NOW + offset, tolerance=float("inf"))
    # The time of the request is not looked up when it is given, and is when it is not.
    assert reason(HEADERS, now=None) == "timestamp_too_old"
    with pytest.raises(WebhookVerificationError):
        verify(BODY, HEADERS, SECRET, now=NOW + offset, tolerance=float("nan"))


@pytest.mark.parametrize("secret", ["", " ", b"", [], "whsec_", "whsec_%%%", "ß", [None], 3.5])
def test_a_secret_that_is_none_is_said_so_without_showing_it(secret: Any) -> None:
    if secret == 3.5:
        secret = [3.5]
    with pytest.raises(ConfigurationError) as caught:
        verify(BODY, HEADERS, secret, now=NOW)
    assert "%%%" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_signing_makes_what_verifying_takes() -> None:
    headers = sign(BODY, SECRET, id=HEADERS["webhook-id"], timestamp=NOW)
    assert headers == HEADERS
    verify(BODY, sign(BODY, SECRET), SECRET)
    rotating = sign(BODY, [OTHER, SECRET])
    verify(BODY, rotating, SECRET)
    verify(BODY, rotating, OTHER)


@given(
    headers=st.dictionaries(
        st.sampled_from([*HEADERS, "Webhook-Id", "other"]),
        st.one_of(
            st.text(), st.binary(), st.none(), st.integers(), st.lists(st.text(), max_size=3)
        ),
    ),
    keep=st.sets(st.sampled_from(sorted(HEADERS))),
    body=st.one_of(st.text(), st.binary()),
)
def test_garbage_gives_the_one_error(headers: Any, keep: set[str], body: Any) -> None:
    garbage = {**headers, **{name: HEADERS[name] for name in keep}}
    for value in (garbage, list(garbage.items())):
        with pytest.raises(WebhookVerificationError):
            unwrap(body, value, SECRET, now=NOW)


def test_the_error_survives_pickling() -> None:
    error = WebhookVerificationError("no", "header_missing")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.reason) == ("no", "header_missing")


# --- events --------------------------------------------------------------------------------------


def test_the_event_is_typed() -> None:
    body = json.dumps(EVENT)
    event = unwrap(body, sign(body, SECRET), SECRET)
    assert isinstance(event, types.WebhookEvent)
    assert event.id == "whe_1"
    assert event.created_at.year == 2026
    assert isinstance(event.data, types.WebhookSessionThreadIdledEventData)
    assert event.data.session_thread_id == "thr_1"
    assert event.to_dict() == EVENT


def test_an_event_of_tomorrow_is_passed_through() -> None:
    data = {"type": "planet.aligned", "id": "planet_1", "moons": [1, 2]}
    body = json.dumps({**EVENT, "data": data, "more": True})
    event = unwrap(body, sign(body, SECRET), SECRET)
    assert isinstance(event.data, Unknown)
    assert (event.data.type, event.data.raw) == ("planet.aligned", data)
    assert event.to_dict()["more"] is True


@pytest.mark.parametrize("body", ["", "no", "[]", "null", '"text"'])
def test_what_is_signed_and_no_event(body: str) -> None:
    with pytest.raises(WebhookVerificationError) as caught:
        unwrap(body, sign(body, SECRET), SECRET)
    assert caught.value.reason == "payload_malformed"


def test_verifying_comes_before_decoding() -> None:
    assert reason(HEADERS, "no JSON") == "signature_mismatch"
    assert parse_unverified(json.dumps(EVENT)).id == "whe_1"


# --- clients -------------------------------------------------------------------------------------


@pytest.fixture(params=[Claude, AsyncClaude])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("ANTHROPIC_WEBHOOK_SIGNING_KEY", raising=False)
    return request.param


def test_clients_verify_with_their_own_secret(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps(EVENT)
    headers = sign(body, SECRET)
    with pytest.raises(ConfigurationError, match="ANTHROPIC_WEBHOOK_SIGNING_KEY"):
        kind(api_key="k").webhooks.unwrap(body, headers=headers)
    assert kind(api_key="k").webhooks.unwrap(body, headers=headers, key=SECRET).id == "whe_1"
    given = kind(api_key="k", webhook_key=SECRET)
    for client in (given, given.beta, given.with_options(max_retries=0)):
        assert client.webhooks.unwrap(body, headers=headers).id == "whe_1"
        assert client.webhooks.parse_unverified(body).id == "whe_1"
    monkeypatch.setenv("ANTHROPIC_WEBHOOK_SIGNING_KEY", f"{OTHER} {SECRET}\n")
    client = kind(api_key="k")
    assert client.webhooks.unwrap(body.encode(), headers=headers).id == "whe_1"
    with pytest.raises(WebhookVerificationError):
        client.with_options(webhook_key=OTHER).webhooks.unwrap(body, headers=headers)
    late = sign(body, SECRET, timestamp=0)
    assert client.webhooks.unwrap(body, headers=late, tolerance=float("inf")).id == "whe_1"


def test_nothing_shows_the_secret(kind: Any) -> None:
    client = kind(api_key="k", webhook_key=SECRET)
    assert client.webhook_key == SECRET
    assert SECRET[6:] not in repr(client) + repr(client.webhooks)
    assert repr(kind(api_key="k").webhooks) == "Webhooks(without a secret)"
