"""What tests tell the mock to answer, and what they find out about the calls."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import (
    CallLog,
    Failure,
    Fault,
    MockAPI,
    MockRequest,
    RecordedFile,
    ReplyError,
    ScriptError,
    StreamReply,
    collapse,
    message_events,
)
from claude_rest import models

from .conftest import KEY, Caller, minimal

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOL = {"type": "tool_use", "name": "get_weather", "input": {"city": "Paris"}}


def text(answer: Any) -> str:
    return answer.json()["content"][0]["text"]  # type: ignore[no-any-return]


# --- replies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "content", "stop_reason"),
    [
        ("Hello!", [{"type": "text", "text": "Hello!"}], "end_turn"),
        ("", [], "end_turn"),
        (["a", {"type": "text", "text": "b"}], [{"type": "text", "text": t} for t in "ab"], "end_turn"),
        ({"content": "Hi"}, [{"type": "text", "text": "Hi"}], "end_turn"),
        ({"content": "Hi", "stop_reason": "max_tokens"}, [{"type": "text", "text": "Hi"}], "max_tokens"),
        ({**TOOL, "id": "toolu_1"}, [{**TOOL, "id": "toolu_1"}], "tool_use"),
        (
            [{"type": "thinking", "thinking": "Hm"}],
            [{"type": "thinking", "thinking": "Hm", "signature": "bW9jaw=="}],
            "end_turn",
        ),
        ([{"type": "future_block", "x": 1}], [{"type": "future_block", "x": 1}], "end_turn"),
    ],
)  # fmt: skip
def test_a_message_is_filled_in(
    call: Caller, value: Any, content: list[Any], stop_reason: str
) -> None:
    call.api.on("messages.create").reply(value)
    message = call.create(model="claude-haiku-4-5").json()
    assert message["content"] == content
    assert message["stop_reason"] == stop_reason
    assert message["model"] == "claude-haiku-4-5"
    assert message["id"].startswith("msg_")
    assert message["usage"]["input_tokens"] > 0
    assert bool(message["usage"]["output_tokens"]) == bool(content)
    assert isinstance(models.Message.from_dict(message), models.Message)


def test_what_is_given_stays(call: Caller) -> None:
    given = {"id": "msg_x", "model": "m", "content": "Hi", "usage": {"output_tokens": 7}, "new": 1}
    call.api.on("messages.create").reply(given)
    message = call.create().json()
    assert [message[name] for name in ("id", "model", "new")] == ["msg_x", "m", 1]
    assert message["usage"]["output_tokens"] == 7
    assert message["usage"]["input_tokens"] > 0


def test_a_reply_is_streamed_when_the_request_streams(call: Caller) -> None:
    call.api.on("messages.create").reply(["Let me look.", TOOL])
    whole = call.create().json()
    stream = call.create(stream=True)
    assert stream.header("content-type") == "text/event-stream; charset=utf-8"
    streamed = collapse(stream.read().decode())
    assert [block["type"] for block in streamed["content"]] == ["text", "tool_use"]
    assert streamed["content"][1]["input"] == {"city": "Paris"}
    assert streamed["stop_reason"] == whole["stop_reason"] == "tool_use"


def test_models_are_replies_and_so_are_objects_with_a_dump(call: Caller) -> None:
    whole = call.create().json()
    message = models.Message.from_dict(whole)

    class Dumping:
        def model_dump(self) -> dict[str, Any]:
            return {"content": "dumped"}

    call.api.on("messages.create").reply(message).reply(Dumping())
    assert call.create().json() == whole
    assert text(call.create()) == "dumped"


def test_events_go_out_as_they_are(call: Caller) -> None:
    message = {**call.create().json(), "content": [{"type": "text", "text": "From events"}]}
    events = list(message_events(message))
    call.api.on("messages.create").reply_stream(iter(events))
    body = call.create(stream=True).read().decode()
    assert [
        json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: ")
    ] == events
    assert text(call.create()) == "From events"


def test_events_may_be_text_and_need_not_end(call: Caller) -> None:
    raw = "event: message_start\ndata: {}\n\n"
    call.api.on("messages.create").reply_stream([raw, b"garbage", {"type": "ping"}])
    assert call.create(stream=True).read().decode() == f'{raw}garbageevent: ping\ndata: {{"type":"ping"}}\n\n'  # fmt: skip
    with pytest.raises(ReplyError, match="asks for no stream"):
        call.create()


def test_other_operations(call: Caller) -> None:
    api = call.api
    api.on("models.retrieve").reply({"id": "m", "type": "model"})
    api.on("models.list").reply([{"id": "a"}, {"id": "b"}])
    api.on("files.download").reply(b"\x00\xff")
    api.on("messages.batches.results").reply([{"custom_id": "1"}, {"custom_id": "2"}])
    assert call("GET", "/v1/models/x").json() == {"id": "m", "type": "model"}
    page = call("GET", "/v1/models").json()
    assert page["data"] == [{"id": "a"}, {"id": "b"}]
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("a", "b", False)
    download = call("GET", "/v1/files/file_1/content")
    assert download.read() == b"\x00\xff"
    assert download.header("content-type") != "application/json"
    lines = call("GET", "/v1/messages/batches/msgbatch_1/results")
    assert lines.read() == b'{"custom_id":"1"}\n{"custom_id":"2"}\n'


@pytest.mark.parametrize(
    ("operation", "value"),
    [
        ("messages.create", 3),
        ("messages.create", [{"text": "no type"}]),
        ("messages.create", {"content": 3}),
        ("models.retrieve", [1]),
        ("models.retrieve", None),
        ("models.retrieve", {"a": object()}),
    ],
)
def test_replies_that_cannot_be_are_refused_at_once(
    api: MockAPI, operation: str, value: Any
) -> None:
    with pytest.raises(ReplyError):
        api.on(operation).reply(value)


def test_streams_that_cannot_be_are_refused_at_once(api: MockAPI) -> None:
    with pytest.raises(ReplyError, match="no event stream"):
        api.on("models.list").reply_stream([{"type": "ping"}])
    for events in ({"type": "ping"}, 3, [{"no": "type"}]):
        with pytest.raises(ReplyError, match="events"):
            api.on("messages.create").reply_stream(events)


def test_headers_are_added_and_replaced(call: Caller) -> None:
    call.api.on("messages.create").reply("x", headers={"Request-Id": "req_mine", "x-new": "1"})
    answer = call.create()
    assert [value for name, value in answer.headers if name == "request-id"] == ["req_mine"]
    assert answer.header("x-new") == "1"


def test_replies_only_to_what_the_api_would_accept(call: Caller) -> None:
    call.api.on("messages.create").reply("x")
    assert call.create(max_tokens="many").status == 400
    assert call.create({"x-api-key": None}).status == 401
    call.api.on("messages.create").unchecked().reply("unchecked")
    assert text(call.create(max_tokens="many")) == "unchecked"


# --- order --------------------------------------------------------------------------------------


def test_a_sequence_and_its_last_step_repeats(call: Caller) -> None:
    call.api.on("messages.create").reply("a").fail(529).reply("b")
    assert text(call.create()) == "a"
    assert call.create().status == 529
    assert [text(call.create()) for _ in range(3)] == ["b"] * 3


def test_once(call: Caller) -> None:
    call.api.on("messages.create").reply("a").reply("b").once()
    assert [text(call.create()) for _ in range(2)] == ["a", "b"]
    assert "mock API" in text(call.create())


def test_the_newest_that_has_something_left_is_taken(call: Caller) -> None:
    call.api.on("messages.create").reply("old")
    call.api.on("messages.create").reply("new").once()
    assert [text(call.create()) for _ in range(3)] == ["new", "old", "old"]


def test_others_get_their_normal_answer(call: Caller) -> None:
    call.api.on("messages.create", model="claude-haiku-4-5").reply("scripted")
    assert "mock API" in text(call.create(model="claude-opus-5-5"))
    assert call("GET", "/v1/models").json()["data"]
    assert text(call.create(model="claude-haiku-4-5")) == "scripted"
    assert [entry.scripted for entry in call.api.calls] == [False, False, True]


def test_reset_forgets_everything(call: Caller) -> None:
    call.api.on("messages.create").reply("scripted")
    first = call.create()
    call.api.reset()
    assert not call.api.calls
    second = call.create()
    assert "mock API" in text(second)
    assert second.header("request-id") == first.header("request-id")


# --- matching -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matching", "found"),
    [
        ({"max_tokens": 1000}, True),
        ({"max_tokens": 1}, False),
        ({"max_tokens": lambda n: n > 10}, True),
        ({"model": re.compile("opus")}, True),
        ({"model": re.compile("haiku")}, False),
        ({"model": str}, True),
        ({"messages": [{"role": "user"}]}, True),
        ({"messages": [{"role": "assistant"}]}, False),
        ({"messages": []}, False),
        ({"messages": ({"content": re.compile("Claude")},)}, True),
        ({"metadata": None}, True),
        ({"metadata": {"user_id": "x"}}, False),
        ({"stream": False}, False),
        ({"betas": ["files-api-2025-04-14"]}, False),
    ],
)
def test_matching(call: Caller, matching: dict[str, Any], found: bool) -> None:
    expectation = call.api.on("messages.create", **matching)
    call.create()
    assert expectation.count == found
    assert (expectation.last_call is not None) == found


def test_matching_of_path_query_and_flags(call: Caller) -> None:
    mine = call.api.on("models.retrieve", model_id="a/b")
    listed = call.api.on("models.list", limit=2, lifecycle=["active"])
    flagged = call.api.on("models.list", betas="files-api-2025-04-14")
    call("GET", "/v1/models/a%2Fb")
    call("GET", "/v1/models", query="limit=2&lifecycle[]=active")
    call("GET", "/v1/models", headers={"anthropic-beta": "files-api-2025-04-14"})
    assert (mine.count, listed.count, flagged.count) == (1, 0, 1)


def test_a_predicate_gets_the_call(call: Caller) -> None:
    expectation = call.api.on("messages.create", lambda sent: sent.body["max_tokens"] == 1000)
    call.create()
    call.create(max_tokens=1)
    assert expectation.count == 1


def test_every_operation(call: Caller) -> None:
    call.api.on("*").fail(503)
    assert call.create().status == 503
    assert call("GET", "/v1/models").status == 503
    assert call("GET", "/v1/nothing").status == 404


def test_names_that_do_not_exist(api: MockAPI) -> None:
    with pytest.raises(ScriptError, match=r"message\.create: no such operation; did you mean messages\.create"):  # fmt: skip
        api.on("message.create")
    with pytest.raises(ScriptError, match=r"see MockAPI\.operations"):
        api.on("zzzzzzzz")
    assert "messages.create" in api.operations
    with pytest.raises(ScriptError, match="no argument 'modle'; did you mean model"):
        api.on("messages.create", modle="x")


# --- functions, errors and faults ---------------------------------------------------------------


def test_functions(call: Caller) -> None:
    def answer(sent: Any) -> object:
        return {
            1: f"{sent.operation} for {sent.body['model']}",
            2: Failure(429, headers={"Retry-After": "7"}),
            3: StreamReply(tuple(message_events(call.create(max_tokens=1000).json()))),
            4: Fault(status=500),
            5: None,
        }[sent.body["max_tokens"]]

    call.api.on("messages.create", max_tokens=lambda n: n < 10).call(answer)
    assert text(call.create(max_tokens=1)) == "messages.create for claude-opus-5-5"
    refused = call.create(max_tokens=2)
    assert (refused.status, refused.header("retry-after")) == (429, "7")
    assert "mock API" in text(call.create(max_tokens=3))
    assert call.create(max_tokens=4).status == 500
    assert "This" in text(call.create(max_tokens=5))


def test_what_a_function_raises_reaches_the_test(call: Caller) -> None:
    def answer(sent: Any) -> object:
        assert sent.body["max_tokens"] == 1, "wrong number"
        return "fine"

    call.api.on("messages.create").call(answer)
    with pytest.raises(AssertionError, match="wrong number"):
        call.create()


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        ({"status": 529}, 529, {"type": "overloaded_error", "message": "Overloaded"}),
        ({"status": 429}, 429, {"type": "rate_limit_error", "message": "Rate limit"}),
        ({"status": 418}, 418, {"type": "invalid_request_error", "message": "Error"}),
        (
            {"status": 400, "error_type": "x", "error_code": "y", "message": "z"},
            400,
            {"type": "x", "message": "z", "details": {"error_code": "y"}},
        ),
    ],
)
def test_errors(
    call: Caller, arguments: dict[str, Any], status: int, error: Mapping[str, Any]
) -> None:
    call.api.on("messages.create").fail(**arguments)
    answer = call("POST", "/v1/messages", b"not even JSON")
    assert answer.status == status
    envelope = answer.json()
    assert envelope["error"] == error
    assert envelope["request_id"] == answer.header("request-id")


def test_an_error_has_a_status_of_errors(api: MockAPI) -> None:
    with pytest.raises(ScriptError, match="200 is no error"):
        api.on("messages.create").fail(200)


def test_faults(call: Caller) -> None:
    call.api.on("messages.create").fault(Fault(status=529, times=2)).reply(
        "a", fault=Fault(delay=1)
    )
    assert [call.create().status for _ in range(2)] == [529, 529]
    third = call.create()
    assert text(third) == "a"
    assert third.fault == Fault(delay=1)


def test_a_fault_that_struck_often_enough_is_over(call: Caller) -> None:
    call.api.on("messages.create").fault(Fault(status=529, times=1))
    assert [call.create().status for _ in range(3)] == [529, 200, 200]


def test_a_fault_of_a_probability_is_the_same_for_the_same_seed() -> None:
    def statuses() -> list[int]:
        call = Caller(MockAPI(seed=4))
        call.api.on("messages.create").fault(Fault(status=529, probability=0.5))
        return [call.create().status for _ in range(20)]

    assert statuses() == statuses()
    assert set(statuses()) == {200, 529}


def test_faults_of_the_plan_use_up_nothing_of_a_script() -> None:
    call = Caller(MockAPI(faults=[("messages.create", Fault(status=529, times=1))]))
    call.api.on("messages.create").reply("a").once()
    assert call.create().status == 529
    assert text(call.create()) == "a"


# --- leftovers ----------------------------------------------------------------------------------


def test_leftovers(call: Caller) -> None:
    api = call.api
    api.assert_all_called()
    first = api.on("messages.create").reply("secret prompt").fail(529)
    api.on("models.list")
    with pytest.raises(AssertionError) as caught:
        api.assert_all_called()
    assert "messages.create: no call" in str(caught.value)
    assert "models.list: no call" in str(caught.value)
    call.create()
    call("GET", "/v1/models")
    with pytest.raises(AssertionError, match=r"calls: 1, left: Failure\(status=529") as caught:
        first.assert_called()
    assert "secret" not in str(caught.value)
    call.create()
    api.assert_all_called()


# --- calls --------------------------------------------------------------------------------------


def test_calls_tell_what_was_sent(call: Caller) -> None:
    answer = call("GET", "/v1/models/a%2Fb", query="limit=2&x=1&x=2", headers={"Cookie": "c=1"})
    (sent,) = call.api.calls
    assert sent is call.api.last_call
    assert (sent.number, sent.operation, sent.method) == (0, "models.retrieve", "GET")
    assert (sent.path, sent.path_arguments) == ("/v1/models/a%2Fb", {"model_id": "a/b"})
    assert sent.query == {"limit": "2", "x": ["1", "2"]}
    assert sent.headers["x-api-key"] == sent.headers["cookie"] == "[hidden]"
    assert sent.version == "2026-10-21"
    assert sent.body is None
    assert (sent.status, sent.request_id) == (answer.status, answer.header("request-id"))


def test_calls_with_bodies_flags_and_unknown_paths(call: Caller) -> None:
    call.create({"anthropic-beta": "a, b", "authorization": f"Bearer {KEY}"}, stream=True)
    call("POST", "/v1/nothing", b"{no json")
    first, second = call.api.calls
    assert first.body == {**minimal(), "stream": True}
    assert first.betas == ["a", "b"]
    assert first.headers["authorization"] == "Bearer [hidden]"
    assert (second.operation, second.body, second.status) == (None, "{no json", 404)
    assert call.api.calls.of("messages.create") == [first]
    assert call.api.calls[:1] == [first]
    for shown in (repr(first), repr(call.api.calls), str(first.headers)):
        assert KEY not in shown
    assert "Hello, Claude" not in repr(first)


def test_calls_show_the_files_of_a_form_without_content(call: Caller) -> None:
    lines = ["--b", 'Content-Disposition: form-data; name="file"; filename="a/b.txt"',
             "Content-Type: text/plain", "", "12345", "--b",
             'Content-Disposition: form-data; name="expires_in_seconds"', "", "3600", "--b--", ""]  # fmt: skip
    headers = {"content-type": "multipart/form-data; boundary=b"}
    call("POST", "/v1/files", "\r\n".join(lines).encode(), headers=headers)
    sent = call.api.last_call
    assert sent.status == 200
    file = RecordedFile("a/b.txt", 5, "text/plain")
    assert sent.body == {"file": file, "expires_in_seconds": "3600"}
    assert sent.content == b""
    call("POST", "/v1/files", b"--b no form", headers=headers)
    assert call.api.last_call.body == {}


@pytest.mark.parametrize("name", ["X-Goog-Api-Key", "X-Amz-Security-Token", "Set-Cookie", "x-secret-thing"])  # fmt: skip
def test_credentials_are_masked_whatever_their_header(call: Caller, name: str) -> None:
    call("GET", "/v1/models", headers={name: "very-secret"})
    assert call.api.last_call.headers[name.lower()] == "[hidden]"


def test_calls_are_bounded() -> None:
    call = Caller(MockAPI(keep_calls=3))
    for number in range(5):
        call("GET", f"/v1/models/{number}")
    assert [sent.number for sent in call.api.calls] == [2, 3, 4]
    assert call.api.calls.total == 5
    none = Caller(MockAPI(keep_calls=0))
    none.api.on("messages.create", model=str).reply("still scripted")
    assert text(none.create()) == "still scripted"
    assert list(none.api.calls) == []


def test_calls_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claude_client.testing.calls._KEPT_BYTES", 1000)
    call = Caller(MockAPI())
    for _ in range(5):
        call.api.handle(MockRequest("POST", "/v1/messages", body=b"x" * 400))
    assert len(call.api.calls) == 2
    call.api.handle(MockRequest("POST", "/v1/messages", body=b"x" * 4000))
    assert len(call.api.calls) == 1


def test_texts_of_forms_and_long_queries_count_towards_what_calls_keep():
    log = CallLog(keep=1000)
    text = b"x" * 1024 * 1024
    form = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + text + b"\r\n--b--\r\n"
    headers = (("content-type", "multipart/form-data; boundary=b"),)
    for _ in range(80):
        log.record(MockRequest("POST", "/v1/files", headers=headers, body=form), None, {}, "req")
    assert len(log) < 70
    for _ in range(80):
        log.record(MockRequest("GET", "/v1/files", f"a={text.decode()}"), None, {}, "req")
    assert len(log) < 70
