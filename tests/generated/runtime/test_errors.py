"""Which error an answer becomes, what it says, and that it survives pickling."""

from __future__ import annotations

import copy
import json
import pickle
import socket
import ssl
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from claude_rest._runtime.error_bodies import excerpt, parse_retry_after
from hypothesis import given
from hypothesis import strategies as st

from claude_rest._runtime import errors
from claude_rest._runtime.causes import rebuild_causes
from claude_rest._runtime.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    ClaudeError,
    ConflictError,
    OverloadedError,
    PreconditionFailedError,
    RateLimitError,
    RequestTooLargeError,
    StreamTruncatedError,
    connection_error_from,
    error_class,
    error_from_event,
    error_from_response,
    origin_of,
)
from claude_rest._runtime.meta import Meta, ResponseHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

OFFICIAL = {
    400: "BadRequestError",
    401: "AuthenticationError",
    402: "PaymentRequiredError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "RequestTimeoutError",
    409: "ConflictError",
    412: "PreconditionFailedError",
    413: "ContentTooLargeError",
    418: "APIStatusError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    431: "RequestHeaderFieldsTooLargeError",
    499: "ClientClosedRequestError",
    500: "InternalServerError",
    501: "HTTPNotImplementedError",
    502: "InternalServerError",
    503: "ServiceUnavailableError",
    504: "GatewayTimeoutError",
    520: "InternalServerError",
    529: "OverloadedError",
    302: "APIStatusError",
}


def envelope(kind: str, message: str = "Oh no", **details: object) -> bytes:
    error: dict[str, object] = {"type": kind, "message": message}
    if details:
        error["details"] = details
    return json.dumps({"type": "error", "error": error, "request_id": "req_body"}).encode()


@pytest.mark.parametrize(("status", "name"), OFFICIAL.items())
def test_class_by_status(status: int, name: str) -> None:
    assert error_class(status).__name__ == name
    assert error_from_response(status, {}, b"").status_code == status


@pytest.mark.parametrize(
    ("status", "kind", "name"),
    [
        # The type is more precise than a status that a gateway chose.
        (500, "overloaded_error", "OverloadedError"),
        (400, "rate_limit_error", "RateLimitError"),
        (400, "authentication_error", "AuthenticationError"),
        # These types stand for many statuses, so the status is more precise.
        (412, "invalid_request_error", "PreconditionFailedError"),
        (422, "invalid_request_error", "UnprocessableEntityError"),
        (418, "invalid_request_error", "BadRequestError"),
        (503, "api_error", "ServiceUnavailableError"),
        (529, "api_error", "OverloadedError"),
        (409, "memory_precondition_failed_error", "ConflictError"),
        (408, "timeout_error", "RequestTimeoutError"),
        # An unknown type says nothing.
        (429, "tomorrows_error", "RateLimitError"),
        (418, "tomorrows_error", "APIStatusError"),
        # Inside a stream there is only the type.
        (200, "overloaded_error", "OverloadedError"),
        (200, "rate_limit_error", "RateLimitError"),
        (200, "api_error", "InternalServerError"),
        (200, "timeout_error", "GatewayTimeoutError"),
        (200, "invalid_request_error", "BadRequestError"),
        (200, "memory_precondition_failed_error", "PreconditionFailedError"),
        (200, "ThrottlingException", "RateLimitError"),
        (200, "RESOURCE_EXHAUSTED", "RateLimitError"),
        (200, "tomorrows_error", "APIStatusError"),
    ],
)
def test_class_by_type_and_status(status: int, kind: str, name: str) -> None:
    assert error_class(status, kind).__name__ == name


class NameTakenError(ConflictError):
    """A class as generated from an error code."""


class CompactionUnavailableError(OverloadedError):
    """Another one."""


CODES: dict[tuple[int, str], type[APIStatusError]] = {
    (409, "name_taken"): NameTakenError,
    (529, "compaction_unavailable"): CompactionUnavailableError,
}


def by_code(status: int, code: str) -> type[APIStatusError] | None:
    return CODES.get((status, code))


def test_class_by_code_comes_first() -> None:
    body = envelope("conflict_error", error_code="name_taken", name="x")
    error = error_from_response(409, {}, body, code_classes=by_code)
    assert type(error) is NameTakenError
    assert error.error_code == "name_taken"
    assert error.details == {"error_code": "name_taken", "name": "x"}
    unknown = error_from_response(409, {}, envelope("conflict_error", error_code="new"), None, 1)
    assert type(unknown) is ConflictError
    streamed = error_from_event(
        envelope("overloaded_error", error_code="compaction_unavailable"), code_classes=by_code
    )
    assert type(streamed) is CompactionUnavailableError


def test_envelope_of_the_api() -> None:
    headers = ResponseHeaders(
        {"request-id": "req_header", "anthropic-organization-id": "org_1", "retry-after": "7"}
    )
    body = envelope("rate_limit_error", "Slow down")
    error = error_from_response(429, headers, body, "messages.create", 3)
    assert isinstance(error, RateLimitError)
    assert (error.status_code, error.http_status, error.type) == (429, 429, "rate_limit_error")
    assert (error.message, error.request_id) == ("Slow down", "req_body")
    assert (error.organization_id, error.retry_after) == ("org_1", 7.0)
    assert error.body == json.loads(body)
    assert error.response.headers["Retry-After"] == "7"
    assert error.response.json() == error.body
    assert str(error) == (
        "messages.create: HTTP 429 rate_limit_error: Slow down (request id req_body, attempt 3)"
    )


@pytest.mark.parametrize(
    ("body", "headers", "message", "kind"),
    [
        (b'{"message": "Too big"}', {}, "Too big", None),
        (b'{"Message": "No"}', {}, "No", None),
        (
            b'{"message": "Wait"}',
            {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/"},
            "Wait",
            "ThrottlingException",
        ),
        (
            b'{"__type": "com.amazon#AccessDeniedException", "Message": "No"}',
            {},
            "No",
            "AccessDeniedException",
        ),
        (
            b'{"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}}',
            {},
            "Quota",
            "RESOURCE_EXHAUSTED",
        ),
        (
            b'[{"error": {"code": 400, "message": "Bad", "status": "INVALID_ARGUMENT"}}]',
            {},
            "Bad",
            "INVALID_ARGUMENT",
        ),
        (b'{"error": "plain text"}', {}, "plain text", None),
        (b'{"detail": "Not Found"}', {}, "Not Found", None),
        (b'{"error": {"message": null}}', {}, "{'error': {'message': None}}", None),
        (b"[]", {}, "[]", None),
        (b'{"error": {"type": 5, "message": ["x"], "details": "y"}}', {}, None, None),
    ],
)
def test_bodies_of_gateways(
    body: bytes, headers: dict[str, str], message: str | None, kind: str | None
) -> None:
    error = error_from_response(400, headers, body)
    assert error.type == kind
    assert message is None or error.message == message
    assert error.body == json.loads(body)


def test_html_is_one_readable_line() -> None:
    page = (
        "<html><head><title>502</title><style>p {color: red}</style></head><body>"
        "<script>alert('x')</script><h1>Bad&nbsp;Gateway</h1>\n<p>nginx &amp; co " + "x" * 500
    )
    error = error_from_response(502, {"content-type": "text/html"}, page.encode())
    assert error.message.startswith("the body is not JSON: Bad Gateway nginx & co xxx")
    assert len(error.message) == len("the body is not JSON: ") + 200
    assert error.body == page
    assert type(error).__name__ == "InternalServerError"


@pytest.mark.parametrize("opening", ["<script>", "<head ", "<!--", "<style></script>", "<"])
def test_a_page_that_closes_nothing_is_read_in_linear_time(opening: str) -> None:
    page = opening * (65_000 // len(opening))
    started = time.thread_time()
    excerpt(page.encode())
    # Searching for each end anew takes ten seconds.
    assert time.thread_time() - started < 2


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("a<SCRIPT>x</script >b<!-- > x -->c<style>x</Style>d", "a b c d"),
        ("a<script><!--</script>b<!-- </script> -->c", "a b c"),
        ("a<script>b<style>x</style>c<header>d", "a b c d"),
        ("a<!--b<script>x</script>c", "a<!--b c"),
        ("<\u017fcript>a<script\u017f>b", "a b"),
    ],
)
def test_what_a_browser_does_not_show_is_left_out(page: str, text: str) -> None:
    assert excerpt(page.encode()) == text


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "the body is empty"),
        (b" \r\n", "the body is empty"),
        (b"upstream connect error", "upstream connect error"),
        (b"{not json", "{not json"),
        (b"\xff\xfe\x00\x01", "\N{REPLACEMENT CHARACTER}"),
        (b"{" + b"[" * 100_000, "{[[["),
    ],
)
def test_bodies_that_say_little(body: bytes, part: str) -> None:
    assert part in str(error_from_response(503, {}, body, "messages.create"))


@given(st.integers(300, 999), st.binary(max_size=80), st.binary(max_size=5))
def test_no_body_breaks_it(status: int, body: bytes, prefix: bytes) -> None:
    for content in (body, b'{"error": ' + body + b"}", prefix + envelope("api_error")):
        error = error_from_response(status, {}, content)
        assert error.status_code == status
        assert str(error)


def test_redirect_names_the_origin_only() -> None:
    error = error_from_response(302, {"location": "https://u:p@evil.example/x?token=1"}, b"")
    assert "https://evil.example" in str(error)
    assert "token" not in str(error)
    assert "u:p" not in str(error)


def test_error_in_a_stream_has_the_same_class_as_the_status() -> None:
    error = error_from_event(
        envelope("overloaded_error", "Overloaded"),
        headers={"request-id": "req_header"},
        operation_id="messages.create",
    )
    assert type(error) is OverloadedError
    assert (error.status_code, error.http_status, error.origin) == (529, 200, "stream")
    assert str(error) == (
        "messages.create: overloaded_error in the stream: Overloaded (request id req_body)"
    )
    unknown = error_from_event(envelope("tomorrows_error"))
    assert type(unknown) is APIStatusError
    assert unknown.status_code == 200


@pytest.mark.parametrize("data", [b"", b"not json", b"[]", b"null", b'{"type":"error"}', b"\xff"])
def test_error_event_that_is_malformed(data: bytes) -> None:
    assert isinstance(error_from_event(data), APIStatusError)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "250", "retry-after": "30"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "30"}, 30.0),
        ({"retry-after-ms": "-5", "retry-after": "30"}, 30.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 GMT"}, 30.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:00 GMT"}, None),
        (
            {
                "retry-after": "Sun, 06 Nov 1994 09:00:10 GMT",
                "date": "Sun, 06 Nov 1994 09:00:00 GMT",
            },
            10.0,
        ),
        ({"retry-after": "Sun, 99 Nov 1994 99:49:00 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    # 08:49:37 on that Sunday, the example date of RFC 9110.
    assert parse_retry_after(headers, now=784111777.0) == seconds


@given(st.text(max_size=40))
def test_retry_after_takes_any_text(text: str) -> None:
    value = parse_retry_after({"retry-after": text, "retry-after-ms": text, "date": text})
    assert value is None or value >= 0


def chained(outer: Exception, *causes: Exception) -> Exception:
    current: BaseException = outer
    for cause in causes:
        current.__cause__ = cause
        current = cause
    return outer


@pytest.mark.parametrize(
    ("raised", "phase", "text"),
    [
        (
            chained(httpx.ConnectError("x"), socket.gaierror(-2, "Name or service not known")),
            "dns",
            "could not look up the address of https://api.test: gaierror: [Errno -2] Name or",
        ),
        (
            chained(httpx.ConnectError("x"), ConnectionRefusedError(111, "Connection refused")),
            "connect",
            "could not connect to https://api.test: ConnectionRefusedError: [Errno 111]",
        ),
        (
            chained(httpx.ConnectError("x"), ssl.SSLCertVerificationError("self-signed")),
            "tls",
            "SSL_CERT_FILE",
        ),
        (httpx.WriteError("broken pipe"), "send", "while sending the request"),
        (httpx.ReadError("reset"), "headers", "before an answer came: ReadError: reset"),
        (httpx.RemoteProtocolError(""), "headers", "RemoteProtocolError"),
        (httpx.UnsupportedProtocol("nope"), "connect", "nope"),
    ],
)
def test_connection_errors_tell_phase_and_cause(raised: Exception, phase: str, text: str) -> None:
    error = connection_error_from(
        raised, operation="models.list", url_origin="https://api.test", attempt=2
    )
    assert type(error) is APIConnectionError
    assert error.phase == phase
    assert error.__cause__ is raised
    assert text in str(error)
    assert str(error).startswith("models.list: ")
    assert str(error).endswith("(attempt 2)")


@pytest.mark.parametrize(
    ("raised", "waiting_for", "phase", "text"),
    [
        (httpx.ConnectTimeout(""), "headers", "connect", "after 5 s connecting to https://a.test"),
        (httpx.PoolTimeout(""), "headers", "pool", "waiting for a free connection"),
        (httpx.WriteTimeout(""), "headers", "send", "sending the request"),
        (httpx.ReadTimeout(""), "headers", "headers", "waiting for https://a.test to answer"),
        (httpx.ReadTimeout(""), "body", "body", "waiting for more of the answer"),
    ],
)
def test_timeouts_tell_phase_and_limit(
    raised: Exception, waiting_for: Any, phase: str, text: str
) -> None:
    error = connection_error_from(
        raised, operation="o", url_origin="https://a.test", phase=waiting_for, timeout=5.0
    )
    assert isinstance(error, APITimeoutError)
    assert (error.phase, error.timeout) == (phase, 5.0)
    assert text in str(error)


def test_an_error_of_the_caller_is_not_taken_for_the_cause() -> None:
    def fail() -> None:
        try:
            raise FileNotFoundError("mine")
        except FileNotFoundError:
            raise httpx.RemoteProtocolError("disconnected")  # noqa: B904

    with pytest.raises(httpx.RemoteProtocolError) as caught:
        fail()
    assert "mine" not in str(connection_error_from(caught.value, operation=None, url_origin="x"))


ALL = [
    error_from_response(
        429,
        ResponseHeaders({"request-id": "req_1", "retry-after": "3"}),
        envelope("rate_limit_error", "Slow", error_code="x"),
        "messages.create",
        2,
    ),
    error_from_event(envelope("overloaded_error")),
    RequestTooLargeError(40, 32, operation="messages.create"),
    APIConnectionError("broke", phase="tls", origin="https://a.test", operation="o"),
    APITimeoutError("slow", timeout=3.0, phase="connect"),
    StreamTruncatedError(events_seen=4, partial={"a": 1}, open_blocks=(0, 2), request_id="req_2"),
    APIResponseValidationError("not JSON", headers={"request-id": "req_3"}, content=b"x"),
    errors.PaginationError("loop", operation="models.list"),
    errors.PathSegmentError("empty"),
    errors.HeaderValueError("bad"),
    NameTakenError("taken", status_code=409),
]


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("how", ["pickle", "copy", "deepcopy"])
def test_errors_survive_pickling_and_copying(error: ClaudeError, how: str) -> None:
    ways: dict[str, Callable[[], Any]] = {
        "pickle": lambda: pickle.loads(pickle.dumps(error)),
        "copy": lambda: copy.copy(error),
        "deepcopy": lambda: copy.deepcopy(error),
    }
    copied = ways[how]()
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert copied.args == error.args
    if isinstance(error, APIStatusError) and isinstance(copied, APIStatusError):
        assert copied.response.headers == error.response.headers
        assert copied.response.content == error.response.content
        assert copied.retry_after == error.retry_after
    if isinstance(error, StreamTruncatedError) and isinstance(copied, StreamTruncatedError):
        assert (copied.partial, copied.open_blocks) == ({"a": 1}, (0, 2))


def roundabout(error: ClaudeError) -> list[ClaudeError]:
    return [pickle.loads(pickle.dumps(error)), copy.deepcopy(error), copy.copy(error)]


def with_request(error: httpx.RequestError) -> httpx.RequestError:
    error.request = httpx.Request("POST", "https://a.test", headers={"x-api-key": "sk-secret"})
    return error


def test_causes_survive_and_the_request_does_not() -> None:
    reset = ConnectionResetError(104, "Connection reset by peer")
    raised = chained(with_request(httpx.ReadError("reset")), reset)
    error = connection_error_from(raised, operation="o", url_origin="https://a.test")
    assert b"sk-secret" not in pickle.dumps(error)
    for copied in roundabout(error):
        assert type(copied.__cause__) is httpx.ReadError
        assert str(copied.__cause__) == "reset"
        inner = copied.__cause__.__cause__
        assert isinstance(inner, ConnectionResetError)
        assert inner.errno == 104
    assert copy.copy(error).__cause__ is raised


def test_causes_that_cannot_be_made_again_are_named() -> None:
    class Odd(Exception):
        def __init__(self) -> None:
            super().__init__("odd one", lambda: 1)

        def __str__(self) -> str:
            return "odd one"

    error = APIConnectionError("broke")
    error.__cause__ = Odd()
    for copied in roundabout(error)[:2]:
        assert type(copied.__cause__) is Exception
        assert str(copied.__cause__).endswith("Odd: odd one")
    own = error_from_response(500, {}, b"", "o")
    own.__cause__ = APITimeoutError("slow", phase="body")
    own.__cause__.__cause__ = TimeoutError("really")
    for copied in roundabout(own):
        assert isinstance(copied.__cause__, APITimeoutError)
        assert copied.__cause__.phase == "body"
        assert isinstance(copied.__cause__.__cause__, TimeoutError)


def test_a_class_that_is_no_exception_is_not_called() -> None:
    described = (("subprocess", "Popen", ("true",), ""), ("no.such.module", "X", (), "gone"))
    rebuilt = rebuild_causes(described)
    assert type(rebuilt) is Exception
    assert str(rebuilt) == "Popen"
    assert str(rebuilt.__cause__) == "X: gone"
    assert rebuild_causes(()) is None


def test_a_chain_of_causes_that_never_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    error = APIConnectionError("broke")
    error.__cause__ = first
    assert str(pickle.loads(pickle.dumps(error)).__cause__) == "a"


def test_what_is_known_of_the_call_is_told() -> None:
    error = APIConnectionError("broke", elapsed=1.2345, operation="o")
    assert str(error) == "o: broke (failed after 1.23 s)"
    error.max_attempts = 3
    assert str(error) == "o: broke (attempt 1 of 3, failed after 1.23 s)"
    error.not_retried = "no budget"
    assert str(error) == "o: broke (attempt 1 of 3, failed after 1.23 s); not retried: no budget"
    once = error_from_response(500, {"anthropic-workspace-id": "wrkspc_1"}, b"")
    once.max_attempts = 1
    assert "attempt" not in str(once)
    assert isinstance(once, APIStatusError)
    assert once.workspace_id == "wrkspc_1"


@pytest.mark.parametrize(
    ("error", "name", "status"),
    [
        ({"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED"}, "RateLimitError", 429),
        ({"code": 502, "message": "x"}, "InternalServerError", 502),
        ({"code": 529, "message": "x"}, "OverloadedError", 529),
        # The type of the API's own knows better.
        ({"code": 500, "type": "overloaded_error", "message": "x"}, "OverloadedError", 529),
        ({"code": 7, "message": "x"}, "APIStatusError", 200),
        ({"code": "429", "message": "x"}, "APIStatusError", 200),
        ({"code": True, "message": "x"}, "APIStatusError", 200),
    ],
)
def test_status_in_a_body_stands_in_for_that_of_the_response(
    error: dict[str, object], name: str, status: int
) -> None:
    streamed = error_from_event(json.dumps({"error": error}).encode())
    assert type(streamed).__name__ == name
    assert (streamed.status_code, streamed.http_status) == (status, 200)
    # A status of the response comes first.
    assert error_from_response(503, {}, json.dumps({"error": error}).encode()).http_status == 503


@pytest.mark.parametrize(
    "text",
    [
        "Invalid key sk-ant-api03-SECRET_a-b",
        "Received 'Bearer SECRETSECRET'",
        "bearer SECRET.SECRET=",
    ],
)
def test_credentials_that_a_gateway_quotes_are_not_repeated(text: str) -> None:
    bodies = [text.encode(), envelope("authentication_error", text), f"<p>{text}</p>".encode()]
    for body in bodies:
        for error in (error_from_response(401, {}, body), error_from_event(body)):
            assert "SECRET" not in str(error)
            assert "SECRET" not in repr(error)
            assert "…" in str(error)


def test_attempts_may_be_set_later() -> None:
    error = error_from_response(500, {}, envelope("api_error"), "messages.create")
    assert "attempt" not in str(error)
    error.attempts = 3
    assert str(error).endswith("attempt 3)")


def test_hierarchy() -> None:
    assert issubclass(OverloadedError, errors.InternalServerError)
    assert issubclass(StreamTruncatedError, APIConnectionError)
    assert issubclass(RequestTooLargeError, errors.ContentTooLargeError)
    assert issubclass(errors.PathSegmentError, ValueError)
    for cls in (*errors.STATUS_CLASSES.values(), APIConnectionError, APIResponseValidationError):
        assert issubclass(cls, errors.APIError)
    assert PreconditionFailedError("x").status_code == 412
    assert BadRequestError("x").status_code == 400


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.test/v1?x=1", "https://api.test"),
        ("http://user:secret@host:80/path", "http://host:80"),
        ("https://host?x=@evil", "https://host"),
        ("https://host#@evil", "https://host"),
        ("/relative", "the same host"),
    ],
)
def test_origin_has_no_secrets(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_headers_are_a_read_only_mapping() -> None:
    headers = ResponseHeaders([("Set-Cookie", "a"), ("set-cookie", "b"), ("X", "1")])
    assert headers["SET-COOKIE"] == "a, b"
    assert "x" in headers
    assert dict(headers) == {"set-cookie": "a, b", "x": "1"}
    with pytest.raises(TypeError):
        headers["x"] = "2"  # type: ignore[index]
    assert "secret" not in repr(ResponseHeaders({"set-cookie": "secret"}))
    meta = Meta(status_code=200, headers={"x-amzn-requestid": "aws-1"})
    assert (meta.request_id, meta.workspace_id, meta.organization_id) == ("aws-1", None, None)
    assert pickle.loads(pickle.dumps(meta)).headers == meta.headers


def test_importing_errors_is_light() -> None:
    code = (
        "import sys\n"
        "import claude_rest._runtime.errors\n"
        "heavy = {'httpx', 'ssl', 'json', 'dataclasses', 'email', 'attr', 'attrs', 'asyncio'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        # -S: what site packages load at start is not ours.
        [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("content", "body"),
    [(b"<html>", "<html>"), (b'{"a": 1}', {"a": 1}), (b'{"a":', '{"a":'), (b"", None)],
)
def test_an_answer_that_is_none_has_its_body(content: bytes, body: object) -> None:
    error = errors.APIResponseValidationError(
        "no", headers={"anthropic-organization-id": "org_1"}, content=content
    )
    for one in (error, pickle.loads(pickle.dumps(error))):
        assert (one.body, one.organization_id) == (body, "org_1")


def test_every_error_of_a_call_has_a_body() -> None:
    assert errors.APIConnectionError("no").body is None
