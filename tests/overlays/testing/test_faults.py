"""Faults as data and text, which one a request gets, and what it does to a body."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from claude_client.testing import Fault, FaultError, MockAPI, parse_fault
from claude_client.testing.faults import parse_fault_rule, split_events

from .conftest import Caller

ASKED = "x-mock-fault"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("status=529", Fault(status=529)),
        (" status = 529 , delay=0.5,times=2, ", Fault(status=529, delay=0.5, times=2)),
        ("reset", Fault(reset=True)),
        ("reset=true, cut_after_bytes=0", Fault(reset=True, cut_after_bytes=0)),
        ("garbage=false, disconnect", Fault(disconnect=True)),
        ("drip=10/0.05", Fault(drip=(10, 0.05))),
        ("stall_after_events=3, ping_every=0.2", Fault(stall_after_events=3, ping_every=0.2)),
        ("error_type=overloaded_error", Fault(error_type="overloaded_error")),
        ("status=400, message=No: a=b", Fault(status=400, message="No: a=b")),
        ("status=429, retry_after=2, should_retry=false", Fault(status=429, retry_after=2, should_retry=False)),
        ("html, label=proxy", Fault(html=True, label="proxy")),
    ],
)  # fmt: skip
def test_text(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty text: says nothing that goes wrong"),
        ("times=2", "times=2: says nothing that goes wrong"),
        ("stauts=529", "stauts: no such setting of a fault; did you mean status?"),
        ("colour=red", "colour: no such setting of a fault; there are status, error_type"),
        ("status=x", "status: x is not a whole number"),
        ("status", "status: nothing is not a whole number"),
        ("status=200", "status: 200 is not from 400 to 599"),
        ("status=500, status=501", "status: given twice"),
        ("delay=-1", "delay: -1.0 is not a number of seconds"),
        ("delay=nan", "delay: nan is not a number of seconds"),
        ("delay=inf", "delay: inf is not a number of seconds"),
        ("delay=soon", "delay: soon is not a number"),
        ("drip=10", "drip: 10 is not bytes/seconds, such as 10/0.05"),
        ("drip=0/1", "drip: a piece has at least 1 byte"),
        ("reset=maybe", "reset: maybe is not true or false"),
        ("status=500, probability=2", "probability: must be from 0 to 1"),
        ("status=500, times=0", "times: must be at least 1"),
        ("cut_after_events=-1", "cut_after_events: must be at least 0"),
        ("stall_after_events=1, ping_every=0", "ping_every: 0.0 is not a number of seconds"),
        ("error_type=odd_error", "error_type: odd_error needs a status; only invalid_request_error"),
    ],
)  # fmt: skip
def test_text_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(FaultError) as raised:
        parse_fault(text)
    assert str(raised.value).startswith(message)


def test_rules() -> None:
    assert parse_fault_rule("messages.create: reset") == ("messages.create", Fault(reset=True))
    assert parse_fault_rule("*: reset") == parse_fault_rule("reset") == ("*", Fault(reset=True))
    fault = Fault(status=400, message="a: b")
    assert parse_fault_rule("status=400, message=a: b") == ("*", fault)
    wanted = r"messages\.crate: no such operation; did you mean messages\.create\?"
    with pytest.raises(FaultError, match=wanted):
        MockAPI(faults=[("messages.crate", fault)])


def statuses(api: MockAPI, count: int, **headers: str | None) -> list[int]:
    call = Caller(api)
    return [call("GET", "/v1/models", headers=headers).status for _ in range(count)]


def test_error_in_the_envelope_of_the_api() -> None:
    fault = Fault(status=429, error_code="ramp_limit_exceeded", retry_after=0.25, should_retry=True)
    call = Caller(MockAPI(faults=[("models.list", fault)]))
    answer = call("GET", "/v1/models")
    assert answer.status == 429
    assert answer.fault == fault
    assert answer.json() == {
        "type": "error",
        "error": {
            "type": "rate_limit_error",
            "message": "This request would exceed a rate limit",
            "details": {"error_code": "ramp_limit_exceeded"},
        },
        "request_id": answer.header("request-id"),
    }
    headers = [answer.header(n) for n in ("retry-after", "retry-after-ms", "x-should-retry")]
    assert headers == ["1", "250", "true"]
    assert call("GET", "/v1/models/claude-opus-5-5").status == 200


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (Fault(status=529), 529, "overloaded_error"),
        (Fault(status=418), 418, "invalid_request_error"),
        (Fault(status=503, error_type="odd_error"), 503, "odd_error"),
        (Fault(error_type="timeout_error"), 504, "timeout_error"),
    ],
)
def test_status_and_type(fault: Fault, status: int, kind: str) -> None:
    answer = Caller(MockAPI(faults=[("*", fault)]))("GET", "/v1/models")
    assert (answer.status, answer.json()["error"]["type"]) == (status, kind)


def test_page_of_a_proxy() -> None:
    answer = Caller(MockAPI(faults=[("*", Fault(html=True))]))("GET", "/v1/models")
    assert (answer.status, answer.header("content-type")) == (502, "text/html; charset=utf-8")
    assert b"<h1>502" in answer.read()


def test_fault_comes_before_the_checks() -> None:
    api = MockAPI(faults=[("*", Fault(status=529))])
    assert Caller(api)("GET", "/v1/models", headers={"x-api-key": None}).status == 529
    assert Caller(api)("GET", "/v1/nothing").status == 404


def test_times() -> None:
    faults = [("*", Fault(status=500, times=2)), ("models.list", Fault(status=529, times=1))]
    assert statuses(MockAPI(faults=faults), 5) == [500, 500, 529, 200, 200]


def test_probability_under_a_seed() -> None:
    faults = [("*", Fault(status=529, probability=0.1))]
    first, again, other = (statuses(MockAPI(seed=s, faults=faults), 300) for s in (1, 1, 2))
    assert first == again != other
    assert 10 <= first.count(529) <= 60
    assert set(first) == {200, 529}
    assert set(statuses(MockAPI(faults=[("*", Fault(status=529, probability=0))]), 20)) == {200}


def test_by_header() -> None:
    api = MockAPI(faults=[("*", Fault(status=500))])
    assert statuses(api, 1, **{ASKED: "status=529"}) == [529]
    assert statuses(api, 3, **{ASKED: "status=529, times=2"}) == [529, 529, 200]
    assert statuses(api, 1, **{ASKED: "status=529, times=2"}) == [200]
    assert statuses(api, 1, **{ASKED: "status=529, times=2, label=b"}) == [529]


def test_header_that_cannot_be_read() -> None:
    answer = Caller(MockAPI())("GET", "/v1/models", headers={ASKED: "stauts=529"})
    assert answer.status == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith("x-mock-fault: stauts: no such setting")


def test_headers_do_not_fill_the_memory() -> None:
    api = MockAPI()
    for number in range(1100):
        statuses(api, 1, **{ASKED: f"status=529, times=1, label={number}"})
    assert len(api._faults._struck_by_text) == 1024


def test_threads_share_the_times() -> None:
    api = MockAPI(faults=[("*", Fault(status=529, times=30))])
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.extend(statuses(api, 20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.count(529) == 30


def test_error_event_in_a_stream() -> None:
    fault = Fault(error_after_events=2, status=529, message="Too much")
    answer = Caller(MockAPI(faults=[("*", fault)])).create(stream=True)
    assert answer.status == 200
    events = list(split_events(answer.read()))
    assert len(events) == 3
    assert events[-1].startswith(
        b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Too much"}'
    )


def test_error_event_of_any_type() -> None:
    fault = Fault(error_after_events=0, error_type="odd_error")
    answer = Caller(MockAPI(faults=[("*", fault)])).create(stream=True)
    assert b'"type":"odd_error"' in answer.read()
    assert Caller(MockAPI(faults=[("*", fault)])).create().status == 200


@pytest.mark.parametrize("streamed", [False, True])
def test_malformed(streamed: bool) -> None:
    body: dict[str, Any] = {"stream": streamed}
    whole = Caller(MockAPI()).create(**body).read()
    answer = Caller(MockAPI(faults=[("*", Fault(malformed=True))])).create(**body)
    assert answer.read() == whole[: len(whole) // 2]
    assert answer.header("content-length") == str(len(whole) // 2)


def test_split_events() -> None:
    wanted = [b"a: 1\n\n", b"b: 2\n\n", b"c"]
    assert list(split_events(b"a: 1\n\nb: 2\n\nc")) == wanted
    assert list(split_events([b"a: 1\n", b"\nb: 2\n\n", b"", b"c"])) == wanted


def test_repr_and_pickle_free_equality() -> None:
    assert Fault(status=529) == Fault(status=529) != Fault(status=500)
    assert "status=529" in repr(Fault(status=529))


@pytest.mark.parametrize("text", ["status=500, retry_after=1e308", "delay=1e300"])
def test_seconds_that_nobody_can_wait_are_refused(text):
    with pytest.raises(FaultError, match="is not a number of seconds"):
        parse_fault(text)


@pytest.mark.parametrize("text", ["garbage=false", "html=false, reset=false, times=2"])
def test_switches_that_are_off_are_no_fault(text):
    with pytest.raises(FaultError, match="says nothing that goes wrong"):
        parse_fault(text)


@pytest.mark.parametrize("text", ["retry_after=2", "should_retry=false"])
def test_what_only_an_error_has_is_no_fault_by_itself(text):
    with pytest.raises(FaultError, match="says nothing that goes wrong"):
        parse_fault(text)
