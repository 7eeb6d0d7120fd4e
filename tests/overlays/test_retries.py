"""The retry policy, cell by cell, without a client and without sleeping."""

from __future__ import annotations

import math
import os
import pickle
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_client.attempts import Attempts
from claude_client.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    OverloadedError,
    RequestTooLargeError,
    StreamTruncatedError,
)
from claude_client.retries import GiveUp, Outcome, Retry, RetryEvent, RetryPolicy
from claude_client.retry_budget import RetryBudget
from claude_client.settings import resolve_settings
from claude_rest._runtime.errors import error_from_event
from claude_rest._runtime.operation import Operation
from claude_rest._runtime.timeouts import Timeout
from claude_rest.errors import CODE_RETRIES


def operation(retry: Any) -> Operation:
    return Operation("x.y", operation_id="x_y", method="POST", path="/", retry=retry)


def status(code: int, **headers: str) -> Outcome:
    return Outcome(
        "response",
        status=code,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def coded(code: int, error_code: str, **headers: str) -> Outcome:
    outcome = status(code, **headers)
    outcome.error_code = error_code
    return outcome


def lost(phase: str | None) -> list[Outcome]:
    return [Outcome("connection", phase=phase), Outcome("timeout", phase=phase)]


def untrusted() -> Outcome:
    error = APIConnectionError(phase="tls")
    # As httpx and httpcore chain them.
    error.__cause__ = OSError("of the HTTP library")
    error.__cause__.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
    (outcome,) = of(error)
    return outcome


def streamed(kind: str) -> list[Outcome]:
    return of(error_from_event(b'{"error":{"type":"%s","message":"x"}}' % kind.encode()))


def of(error: BaseException) -> list[Outcome]:
    outcome = Outcome.of(error)
    assert outcome is not None
    return [outcome]


def wait_of(policy: RetryPolicy, outcome: Outcome, attempt: int = 1) -> float:
    decision = policy.decide(attempt, outcome, 0.0)
    assert isinstance(decision, Retry), decision
    return decision.wait


FIRST = RetryPolicy(random=lambda: 0.0)
LAST = RetryPolicy(9, random=lambda: 1.0, clock=lambda: 1_000_000_000.0)
RESEND = FIRST.replace(resend_billable=True)

CLASSES = ("safe", "billable", "mutating")
ALL = ("yes", "yes", "yes")
NONE = ("no", "no", "no")
NOT_MUTATING = ("yes", "yes", "no")
OPT_IN = ("yes", "opt-in", "no")

# The table of docs/retries.md, row by row: what it says, what that is, and the three cells.
TABLE: list[tuple[str, list[Outcome], tuple[str, str, str]]] = [
    (
        "`x-should-retry: true`",
        [
            status(400, x_should_retry="true"),
            coded(409, "tool_name_conflict", x_should_retry="true"),
        ],
        ALL,
    ),
    (
        "`x-should-retry: false`",
        [
            status(529, x_should_retry="false"),
            coded(503, "cmek_key_unreachable", x_should_retry="false"),
            status(429, x_should_retry="false", retry_after="1"),
        ],
        NONE,
    ),
    ("certificate of the server not trusted", [untrusted()], NONE),
    ("no answer, phase dns", lost("dns"), ALL),
    ("no answer, phase connect", lost("connect"), ALL),
    ("no answer, phase tls", lost("tls"), ALL),
    ("no answer, phase pool", lost("pool"), ALL),
    ("no answer, phase send", lost("send"), ALL),
    ("no answer, phase headers", lost("headers"), OPT_IN),
    ("no answer, phase body", lost("body"), OPT_IN),
    ("no answer, phase unknown", lost(None), OPT_IN),
    ("stream lost before its first event", of(StreamTruncatedError()), OPT_IN),
    (
        "error code that stays, e.g. 409 `plugin_name_taken`",
        [coded(409, "plugin_name_taken"), coded(503, "plugin_name_taken")],
        NONE,
    ),
    (
        "429 with a code that stays, without `retry-after`",
        [
            coded(429, "enforced_spend_limit_reached"),
            coded(429, "contract_spend_limit_reached", retry_after="soon"),
            coded(429, "contract_spend_limit_reached", retry_after="0"),
        ],
        NONE,
    ),
    (
        "429 with a code that stays, with `retry-after`",
        [coded(429, "contract_spend_limit_reached", retry_after="2")],
        ALL,
    ),
    (
        "error code that passes, below 500, e.g. 409 `concurrent_membership_change`",
        [
            coded(409, "concurrent_membership_change"),
            coded(400, "request_body_timeout"),
            coded(408, "request_body_timeout"),
            coded(429, "ramp_limit_exceeded"),
            coded(429, "ramp_limit_exceeded", retry_after="2"),
        ],
        ALL,
    ),
    (
        "error code that passes, 503 or 529",
        [coded(503, "cmek_key_unreachable"), coded(529, "compaction_unavailable")],
        ALL,
    ),
    (
        "error code that passes, other 500 and above",
        [coded(500, "cmek_key_unreachable")],
        NOT_MUTATING,
    ),
    ("408", [status(408)], NOT_MUTATING),
    ("409", [status(409), coded(409, "code_of_the_future")], NOT_MUTATING),
    ("429", [status(429), status(429, x_should_retry="perhaps")], ALL),
    ("500", [status(500)], NOT_MUTATING),
    ("502", [status(502)], NOT_MUTATING),
    ("503 without `retry-after`", [status(503)], NOT_MUTATING),
    ("503 with `retry-after`", [status(503, retry_after="1")], ALL),
    ("504", [status(504)], NOT_MUTATING),
    ("529", [status(529), status(529, x_should_retry="perhaps")], ALL),
    ("other 500 and above", [status(501), status(520), status(599)], NOT_MUTATING),
    (
        "any other status: redirects, 400, 401, 403, 404, 413, 422 …",
        [status(code) for code in (302, 307, 400, 401, 402, 403, 404, 412, 413, 418, 422, 499)],
        NONE,
    ),
    ("first event of a stream: `overloaded_error`", streamed("overloaded_error"), ALL),
    ("first event of a stream: `rate_limit_error`", streamed("rate_limit_error"), ALL),
    ("first event of a stream: `api_error`", streamed("api_error"), NOT_MUTATING),
    ("first event of a stream: `timeout_error`", streamed("timeout_error"), NOT_MUTATING),
    ("first event of a stream: `invalid_request_error`", streamed("invalid_request_error"), NONE),
    ("first event of a stream: a type nobody knows", streamed("tomorrows_error"), NONE),
]
CELLS = [
    pytest.param(outcome, retry_class, cell, id=f"{row}-{outcome.kind}-{outcome}-{retry_class}")
    for row, outcomes, cells in TABLE
    for outcome in outcomes
    for retry_class, cell in zip(CLASSES, cells, strict=True)
]


@pytest.mark.parametrize(("outcome", "retry_class", "cell"), CELLS)
def test_table(outcome: Outcome, retry_class: str, cell: str) -> None:
    decision = FIRST.decide(1, outcome, 0.0, operation(retry_class))
    assert isinstance(decision, Retry) == (cell == "yes"), decision
    again = RESEND.decide(1, outcome, 0.0, operation(retry_class))
    assert isinstance(again, Retry) == (cell != "no"), again


def test_the_documented_table_is_the_tested_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "retries.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    documented = [line for line in lines if line.startswith("| ")][1:]
    assert documented == [f"| {row} | {' | '.join(cells)} |" for row, _, cells in TABLE]


def test_every_verdict_of_an_error_code_is_followed() -> None:
    for code, verdict in CODE_RETRIES.items():
        decision = FIRST.decide(1, coded(409, code), 0.0, operation("mutating"))
        assert isinstance(decision, Retry) == (verdict != "false"), code


@pytest.mark.parametrize(("outcome", "retry_class", "cell"), CELLS)
def test_zero_turns_everything_off(outcome: Outcome, retry_class: str, cell: str) -> None:
    policy = RetryPolicy(0, resend_billable=True)
    decision = policy.decide(1, outcome, 0.0, operation(retry_class))
    assert isinstance(decision, GiveUp)
    assert not decision.tell


def test_without_an_operation_it_may_cost_money() -> None:
    assert isinstance(FIRST.decide(1, lost("headers")[0], 0.0), GiveUp)
    assert isinstance(RESEND.decide(1, lost("headers")[0], 0.0), Retry)


def test_a_lost_answer_tells_how_to_opt_in() -> None:
    decision = FIRST.decide(1, lost("headers")[1], 0.0, operation("billable"))
    assert isinstance(decision, GiveUp)
    assert decision.tell
    assert "RetryPolicy(resend_billable=True)" in decision.reason
    # To a call without retries left, or time, that would be no help.
    for policy, attempt in ((FIRST, 3), (FIRST.replace(deadline=0.1), 1)):
        decision = policy.decide(attempt, lost("headers")[1], 0.2, operation("billable"))
        assert isinstance(decision, GiveUp)
        assert not decision.tell


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


HEADER_VALUES = st.one_of(
    st.floats().map(str),
    st.text("0123456789 .,:;-+eExXGMTSunov\u0663\xa0\0", max_size=20),
    st.sampled_from(
        ["true", "false", "", "1e400", "-1", "Sun, 09 Sep 2001 01:46:50 GMT", "9" * 400, "\u0663"]
    ),
)
OUTCOMES = st.one_of(
    st.builds(
        Outcome,
        st.sampled_from(["connection", "timeout"]),
        phase=st.sampled_from(["dns", "connect", "tls", "pool", "send", "headers", "body", None]),
    ),
    st.builds(
        Outcome,
        st.just("response"),
        status=st.integers(0, 999),
        headers=st.dictionaries(
            st.sampled_from(["retry-after", "retry-after-ms", "x-should-retry", "date"]),
            HEADER_VALUES,
        ),
        error_code=st.one_of(st.none(), st.sampled_from([*CODE_RETRIES, "new"])),
        origin=st.sampled_from(["response", "stream"]),
    ),
)
SECONDS = st.floats(0, 1e9)
POLICIES = st.builds(
    RetryPolicy,
    st.integers(0, 200),
    backoff_base=SECONDS,
    backoff_max=SECONDS,
    max_delay=st.one_of(SECONDS, st.just(math.inf)),
    deadline=st.one_of(st.none(), st.floats(1e-6, 1e9)),
    resend_billable=st.booleans(),
    random=st.floats(0, 1, exclude_max=True).map(lambda value: lambda: value),
)


@given(POLICIES, OUTCOMES, st.integers(1, 5000), SECONDS, st.sampled_from(CLASSES))
def test_never_waits_past_the_deadline(
    policy: RetryPolicy, outcome: Outcome, attempt: int, elapsed: float, retry_class: str
) -> None:
    decision = policy.decide(attempt, outcome, elapsed, operation(retry_class))
    if isinstance(decision, GiveUp):
        assert decision.reason
        return
    assert attempt <= policy.max_retries
    assert 0 <= decision.wait < math.inf
    if policy.deadline is not None:
        assert elapsed + decision.wait < policy.deadline
    assert decision.wait <= max(policy.backoff_max, policy.max_delay + policy.backoff_base)
    asked = policy.asked_wait(outcome.headers)
    assert decision.asked == (asked is not None)
    # A date in the header may come closer between the two readings.
    assert asked is None or decision.wait >= asked - 1


def test_outcomes_of_errors() -> None:
    [overloaded] = of(
        OverloadedError("x", http_status=200, origin="stream", type="overloaded_error")
    )
    assert (overloaded.kind, overloaded.status, overloaded.origin) == ("response", 529, "stream")
    assert str(overloaded) == "overloaded_error in the stream"
    [timeout] = of(APITimeoutError(phase="connect"))
    assert (timeout.kind, timeout.phase) == ("timeout", "connect")
    assert str(timeout) == "a timeout in phase connect"
    [connection] = of(APIConnectionError())
    assert connection.kind == "connection"
    assert str(connection) == "a lost connection"
    assert Outcome.of(RequestTooLargeError(2, 1)) is None
    assert Outcome.of(ValueError()) is None


def test_policy_is_a_value() -> None:
    policy = RetryPolicy(4, deadline=3.0)
    assert policy == RetryPolicy(4, deadline=3.0) != RetryPolicy(4)
    assert hash(policy) == hash(RetryPolicy(4, deadline=3.0))
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert policy.replace(max_retries=1) == RetryPolicy(1, deadline=3.0)
    assert RetryPolicy(resend_billable=True) != RetryPolicy()
    with pytest.raises(AttributeError):
        policy.max_retries = 3
    with pytest.raises(AttributeError):
        del policy.max_retries
    with pytest.raises(TypeError, match="max_attempts"):
        policy.replace(max_attempts=1)


@pytest.mark.parametrize(
    "figures",
    [
        {"max_retries": -1},
        {"backoff_base": -0.1},
        {"backoff_max": math.nan},
        {"max_delay": -1},
        {"deadline": 0},
        {"deadline": math.nan},
    ],
)
def test_figures_that_make_no_sense(figures: dict[str, Any]) -> None:
    [name] = figures
    with pytest.raises(ValueError, match=name):
        RetryPolicy(**figures)
    with pytest.raises(ValueError, match=name):
        RetryPolicy().replace(**figures)


class Teapots(RetryPolicy):
    """A policy of a user's own."""

    def __init__(self, status_code: int) -> None:
        super().__init__(1, random=lambda: 0.0)
        object.__setattr__(self, "status_code", status_code)

    def judge(self, outcome: Outcome, retry_class: str) -> str | GiveUp:
        if outcome.status == self.status_code:  # type: ignore[attr-defined]
            return "tea is ready soon"
        return super().judge(outcome, retry_class)


def test_a_subclass_stays_one() -> None:
    policy = Teapots(418)
    assert wait_of(policy, status(418)) == 0.0
    replaced = policy.replace(max_retries=5)
    assert type(replaced) is Teapots
    assert replaced != policy
    assert replaced.replace(max_retries=1) == policy != RetryPolicy(1)
    assert wait_of(replaced, status(418), 5) == 0.0
    assert isinstance(replaced.decide(1, status(404), 0.0), GiveUp)
    assert isinstance(policy.replace(max_retries=0).decide(1, status(418), 0.0), GiveUp)


def attempts(policy: RetryPolicy = FIRST, retry: str = "billable", **changes: Any) -> Attempts:
    given: dict[str, Any] = {"timeout": Timeout(), "budget": None, **changes}
    return Attempts(operation(retry), policy, **given)


def test_attempts_complete_the_error() -> None:
    call = attempts()
    first, second, third = (OverloadedError("busy") for _ in range(3))
    assert (call.number, call.failed(first)) == (1, 0.0)
    assert (call.number, call.failed(second)) == (2, 0.0)
    with pytest.raises(OverloadedError) as caught:
        call.failed(third)
    assert caught.value is third
    assert [error.attempts for error in (first, second, third)] == [1, 2, 3]
    assert str(third) == "x.y: HTTP 529: busy (attempt 3 of 3)"


def test_what_was_not_sent_is_no_attempt() -> None:
    error = RequestTooLargeError(2, 1)
    with pytest.raises(RequestTooLargeError):
        attempts().failed(error)
    assert error.attempts == 0
    assert "attempt" not in str(error)


def test_an_error_tells_why_it_was_not_retried() -> None:
    with pytest.raises(APITimeoutError) as caught:
        attempts().failed(APITimeoutError("slow", phase="headers"))
    assert str(caught.value) == (
        "x.y: slow (attempt 1 of 3); not retried: the request was sent whole, so the work may be "
        "done and billed; retry=RetryPolicy(resend_billable=True) sends it again all the same"
    )
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    # Nobody has to be told that what is wrong stays wrong.
    with pytest.raises(APIStatusError) as refused:
        attempts().failed(APIStatusError("no", status_code=400))
    assert "not retried" not in str(refused.value)


@pytest.mark.parametrize(
    ("limit", "deadline", "expected"),
    [
        (None, None, None),
        (5.0, None, 5.0),
        (None, 5.0, 5.0),
        (3.0, 5.0, 3.0),
        (5.0, 3.0, 3.0),
        (None, float("inf"), None),
        (3.0, float("inf"), 3.0),
    ],
)
def test_of_two_deadlines_the_shorter_holds(
    limit: float | None,
    deadline: float | None,
    expected: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("claude_client.attempts.monotonic", lambda: now)
    policy = RetryPolicy(9, deadline=deadline)
    call = attempts(policy, timeout=Timeout(deadline=limit))
    assert call.deadline == (None if expected is None else now + expected)
    wait = OverloadedError("busy", headers={"retry-after": "4"})
    if expected is None or expected > 4.5:
        assert call.failed(wait) >= 4
    else:
        with pytest.raises(OverloadedError, match="deadline of 3 s"):
            call.failed(wait)
    now += 60
    if expected is not None:
        with pytest.raises(OverloadedError) as caught:
            call.failed(OverloadedError("busy"))
        assert caught.value.not_retried is None


def test_the_hook_sees_every_retry() -> None:
    events: list[RetryEvent] = []
    call = attempts(FIRST.replace(on_retry=events.append))
    errors = [OverloadedError("busy", headers={"retry-after": "2"}), OverloadedError("busy")]
    for error in errors:
        call.failed(error)
    with pytest.raises(OverloadedError):
        call.failed(OverloadedError("busy"))
    seen = [(event.operation, event.attempt, event.wait, event.reason) for event in events]
    assert seen == [("x.y", 1, 2.0, "status 529"), ("x.y", 2, 0.0, "status 529")]
    assert [event.error for event in events] == errors
    assert errors[0].attempts == 1
    with pytest.raises(AttributeError):
        events[0].wait = 3.0
    assert "attempt=1" in repr(events[0])


def test_what_the_hook_raises_ends_the_call() -> None:
    def stop(event: RetryEvent) -> None:
        raise KeyError(event.attempt)

    with pytest.raises(KeyError, match="1"):
        attempts(FIRST.replace(on_retry=stop)).failed(OverloadedError("busy"))


def test_budget_of_an_outage() -> None:
    budget = RetryBudget()
    retries = 0
    for _ in range(1000):
        call = attempts(budget=budget)
        with pytest.raises(OverloadedError):
            for _ in range(3):
                call.failed(OverloadedError("busy"))
        retries += call.number - 1
    assert retries == 100
    assert budget.tokens == 0
    with pytest.raises(OverloadedError, match=r"not retried: .*retry budget is used up"):
        attempts(budget=budget).failed(OverloadedError("busy"))
    for _ in range(5):
        attempts(budget=budget).succeeded()
    call = attempts(budget=budget)
    call.failed(OverloadedError("busy"))
    # A success of a later attempt gives back what that attempt cost.
    call.succeeded()
    assert budget.tokens == 5


def test_a_wait_that_the_server_named_is_cheap() -> None:
    budget = RetryBudget(10)
    attempts(budget=budget).failed(OverloadedError("busy", headers={"retry-after": "2"}))
    assert budget.tokens == 9
    attempts(budget=budget).failed(OverloadedError("busy"))
    assert budget.tokens == 4
    with pytest.raises(OverloadedError) as caught:
        attempts(budget=budget).failed(OverloadedError("busy"))
    assert caught.value.attempts == 1
    assert repr(budget) == "RetryBudget(4 of 10)"


def test_what_is_not_retried_costs_nothing() -> None:
    budget = RetryBudget()
    with pytest.raises(APIStatusError):
        attempts(budget=budget).failed(APIStatusError("no", status_code=400))
    with pytest.raises(OverloadedError):
        attempts(RetryPolicy(0), budget=budget).failed(OverloadedError("busy"))
    attempts(budget=budget).succeeded()
    assert budget.tokens == budget.capacity


def test_budget_in_threads() -> None:
    budget = RetryBudget(10_000, cost=1)
    taken: list[int] = []

    def work() -> None:
        count = sum(budget.spend(Retry(0.0, "x")) is not None for _ in range(4000))
        taken.append(count)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(taken), budget.tokens) == (10_000, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_budget_after_a_fork() -> None:
    budget = RetryBudget()
    with budget._own_lock():  # As by a thread that is not there in the child.
        child = os.fork()
        if child == 0:
            os._exit(7 if budget.spend(Retry(0.0, "x")) == 5 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_budget_figures() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        RetryBudget(cost=-1)
    assert RetryBudget(0).spend(Retry(0.0, "x")) is None
    copy = pickle.loads(pickle.dumps(RetryBudget(7, gain=2)))
    assert (copy.capacity, copy.tokens, copy.gain) == (7, 7, 2)


def test_copies_of_a_client_share_the_budget() -> None:
    settings = resolve_settings({}, api_key="k")
    assert isinstance(settings.retry_budget, RetryBudget)
    assert settings.changed(max_retries=4).retry_budget is settings.retry_budget
    assert resolve_settings({}, api_key="k").retry_budget is not settings.retry_budget
    assert settings.changed(retry_budget=None).retry_budget is None
    own = RetryBudget(3)
    assert resolve_settings({}, api_key="k", retry_budget=own).retry_budget is own
