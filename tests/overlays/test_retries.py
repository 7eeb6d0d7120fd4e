"""The retry policy, cell by cell, without a client and without sleeping."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_client.errors import (
    APIConnectionError,
    APITimeoutError,
    OverloadedError,
    RequestTooLargeError,
)
from claude_client.retries import GiveUp, Outcome, Retry, RetryPolicy
from claude_rest._runtime.operation import Operation
from claude_rest.errors import CODE_RETRIES


def operation(retry: Any) -> Operation:
    return Operation("x.y", operation_id="x_y", method="POST", path="/", retry=retry)


def status(code: int, **headers: str) -> Outcome:
    return Outcome(
        "response",
        status=code,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def wait_of(policy: RetryPolicy, outcome: Outcome, attempt: int = 1) -> float:
    decision = policy.decide(attempt, outcome, 0.0)
    assert isinstance(decision, Retry), decision
    return decision.wait


FIRST = RetryPolicy(random=lambda: 0.0)
LAST = RetryPolicy(9, random=lambda: 1.0, clock=lambda: 1_000_000_000.0)

SENT = Outcome("connection", phase="headers")
UNSENT = Outcome("connection", phase="connect")
SLOW = Outcome("timeout", phase="headers")

ALWAYS = ("safe", "billable", "mutating")
TABLE = [
    (UNSENT, ALWAYS),
    (Outcome("connection", phase="dns"), ALWAYS),
    (Outcome("connection", phase="tls"), ALWAYS),
    (Outcome("timeout", phase="pool"), ALWAYS),
    (SENT, ("safe", "billable")),
    (Outcome("connection"), ("safe", "billable")),
    (SLOW, ("safe", "billable")),
    (status(400), ()),
    (status(401), ()),
    (status(404), ()),
    (status(408), ("safe", "billable")),
    (status(409), ("safe", "billable")),
    (status(413), ()),
    (status(422), ()),
    (status(429), ALWAYS),
    (status(500), ("safe", "billable")),
    (status(502), ("safe", "billable")),
    (status(503), ALWAYS),
    (status(529), ALWAYS),
    (status(302), ()),
    (status(400, x_should_retry="true"), ALWAYS),
    (status(529, x_should_retry="false"), ()),
    (status(529, x_should_retry="perhaps"), ALWAYS),
]


@pytest.mark.parametrize("retry_class", ALWAYS)
@pytest.mark.parametrize(("outcome", "classes"), TABLE)
def test_table(outcome: Outcome, classes: tuple[str, ...], retry_class: str) -> None:
    decision = FIRST.decide(1, outcome, 0.0, operation(retry_class))
    assert isinstance(decision, Retry) == (retry_class in classes), decision


def coded(code: int, error_code: str, **headers: str) -> Outcome:
    outcome = status(code, **headers)
    outcome.error_code = error_code
    return outcome


@pytest.mark.parametrize(
    ("outcome", "classes"),
    [
        (coded(429, "enforced_spend_limit_reached"), ()),
        (coded(429, "contract_spend_limit_reached"), ()),
        (coded(429, "contract_spend_limit_reached", retry_after="2"), ALWAYS),
        (coded(429, "contract_spend_limit_reached", retry_after="soon"), ()),
        (coded(429, "ramp_limit_exceeded"), ALWAYS),
        (coded(409, "thread_continue_in_flight"), ()),
        (coded(409, "thread_continue_in_flight", x_should_retry="true"), ALWAYS),
        (coded(408, "request_body_timeout"), ALWAYS),
        (coded(400, "request_body_timeout"), ALWAYS),
        (coded(400, "request_body_timeout", x_should_retry="false"), ()),
        (coded(500, "cmek_key_unreachable"), ("safe", "billable")),
        (coded(503, "cmek_key_unreachable"), ALWAYS),
        (coded(409, "code_of_the_future"), ("safe", "billable")),
    ],
)
@pytest.mark.parametrize("retry_class", ALWAYS)
def test_error_codes_come_before_the_status(
    outcome: Outcome, classes: tuple[str, ...], retry_class: str
) -> None:
    decision = FIRST.decide(1, outcome, 0.0, operation(retry_class))
    assert isinstance(decision, Retry) == (retry_class in classes), decision


def test_every_verdict_of_an_error_code_is_followed() -> None:
    for code, verdict in CODE_RETRIES.items():
        decision = FIRST.decide(1, coded(409, code), 0.0, operation("mutating"))
        assert isinstance(decision, Retry) == (verdict != "false"), code


@pytest.mark.parametrize("outcome", [outcome for outcome, _ in TABLE])
def test_zero_turns_everything_off(outcome: Outcome) -> None:
    assert isinstance(RetryPolicy(0).decide(1, outcome, 0.0), GiveUp)


def test_attempts_are_counted_from_one() -> None:
    assert isinstance(FIRST.decide(2, status(500), 0.0), Retry)
    assert isinstance(FIRST.decide(3, status(500), 0.0), GiveUp)


def test_backoff_is_full_jitter() -> None:
    assert [wait_of(LAST, status(500), attempt) for attempt in range(1, 8)] == [
        0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0,
    ]  # fmt: skip
    assert wait_of(FIRST, status(500)) == 0.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3"}, 3.0),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "250", "retry_after": "3"}, 0.25),
        ({"retry_after_ms": "soon", "retry_after": "3"}, 3.0),
        ({"retry_after": "Sun, 09 Sep 2001 01:46:50 GMT"}, 10.0),
        ({"retry_after": "60"}, 60.0),
    ],
)
def test_the_servers_wait_is_a_floor_with_some_jitter(
    headers: dict[str, str], seconds: float
) -> None:
    policy = RetryPolicy(random=lambda: 0.0, clock=lambda: 1_000_000_000.0)
    assert wait_of(policy, status(429, **headers)) == pytest.approx(seconds)
    assert seconds < wait_of(LAST, status(429, **headers)) <= seconds + 0.5


@pytest.mark.parametrize("text", ["", "x", "-5", "0", "nan", "Sun, 09 Sep 2001 01:46:30 GMT"])
def test_useless_waits_fall_back_to_backoff(text: str) -> None:
    assert wait_of(LAST, status(429, retry_after=text)) == 0.5


def test_a_longer_wait_than_the_cap_gives_up_at_once_and_says_how_long() -> None:
    decision = RetryPolicy().decide(1, status(429, retry_after="259200"), 0.0)
    assert isinstance(decision, GiveUp)
    assert decision.asked_wait == 259200.0
    assert "259200 s" in decision.reason
    assert isinstance(
        RetryPolicy(max_delay=1e6).decide(1, status(429, retry_after="259200"), 0), Retry
    )


OUTCOMES = st.one_of(
    st.sampled_from([SENT, UNSENT, SLOW]),
    st.builds(
        lambda code, header: status(code, **header),
        st.integers(100, 599),
        st.dictionaries(
            st.sampled_from(["retry_after", "retry_after_ms", "x_should_retry"]),
            st.one_of(st.floats().map(str), st.sampled_from(["true", "false", "", "1e400", "x"])),
        ),
    ),
)


@given(
    OUTCOMES,
    st.integers(1, 100),
    st.floats(0, 1e6),
    st.floats(0.01, 1e6),
    st.floats(0, 1),
    st.sampled_from(ALWAYS),
)
def test_never_waits_past_the_deadline(
    outcome: Outcome, attempt: int, elapsed: float, deadline: float, random: float, retry: str
) -> None:
    policy = RetryPolicy(200, deadline=deadline, random=lambda: random)
    decision = policy.decide(attempt, outcome, elapsed, operation(retry))
    if isinstance(decision, Retry):
        assert decision.wait >= 0
        assert elapsed + decision.wait < deadline
        assert decision.wait <= policy.max_delay + policy.backoff_max


def test_outcomes_of_errors() -> None:
    overloaded = Outcome.of(
        OverloadedError("x", http_status=200, origin="stream", type="overloaded_error")
    )
    assert overloaded is not None
    assert (overloaded.kind, overloaded.status) == ("response", 529)
    timeout = Outcome.of(APITimeoutError(phase="connect"))
    assert timeout is not None
    assert (timeout.kind, timeout.phase) == ("timeout", "connect")
    connection = Outcome.of(APIConnectionError())
    assert connection is not None
    assert connection.kind == "connection"
    assert Outcome.of(RequestTooLargeError(2, 1)) is None
    assert Outcome.of(ValueError()) is None


def test_policy_is_a_value() -> None:
    policy = RetryPolicy(4, deadline=3.0)
    assert policy == RetryPolicy(4, deadline=3.0) != RetryPolicy(4)
    assert hash(policy) == hash(RetryPolicy(4, deadline=3.0))
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert policy.replace(max_retries=1) == RetryPolicy(1, deadline=3.0)
    with pytest.raises(AttributeError):
        policy.max_retries = 3
    with pytest.raises(ValueError, match="max_retries"):
        RetryPolicy(-1)
