"""Building a request: path, query, headers, body, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_rest._runtime.errors import (
    BaseURLError,
    ContentTooLargeError,
    HeaderValueError,
    PathSegmentError,
    RequestTooLargeError,
)
from claude_rest._runtime.operation import BetaRule, Operation, Parameter
from claude_rest._runtime.request import (
    PreparedRequest,
    build_request,
    check_base_url,
    encode_query,
    is_secret,
    operation_betas,
    unite_betas,
    visible_headers,
)
from claude_rest._runtime.unset import UNSET

CREATE = Operation(
    "messages.create",
    operation_id="messages_create",
    method="POST",
    path="/v1/messages",
    parameters=(Parameter("user_profile_id", "header", wire_name="anthropic-user-profile-id"),),
    body="json",
    body_fields=("model", "messages", "stream", "from", "temperature"),
    body_names={"from_": "from"},
    response_type="Message",
    stream_argument="stream",
    event_type="RawMessageStreamEvent",
    max_bytes=1000,
)
LIST = Operation(
    "things.list",
    operation_id="things_list",
    method="GET",
    path="/v1/things/{thing_id}/parts",
    parameters=(
        Parameter("thing_id", "path", required=True),
        Parameter("limit", "query"),
        Parameter("created_at_gte", "query", wire_name="created_at[gte]"),
        Parameter("ids", "query", wire_name="ids[]", array=True),
        Parameter("verbose", "query"),
        Parameter("tags", "header", wire_name="x-tags", array=True),
    ),
    response_type="ThingList",
)
CANCEL = Operation(
    "things.cancel",
    operation_id="things_cancel",
    method="POST",
    path="/v1/things/{thing_id}/cancel",
    parameters=(Parameter("thing_id", "path", required=True),),
)


def build(
    operation: Operation = CREATE,
    arguments: dict[str, Any] | None = None,
    options: Any = None,
    **settings: Any,
) -> PreparedRequest:
    settings.setdefault("base_url", "https://api.test")
    settings.setdefault("api_version", "2026-10-21")
    given: Any = options or {}
    return build_request(operation, arguments or {}, given, **settings)


def body_of(request: PreparedRequest) -> Any:
    assert request.content is not None
    return json.loads(request.content)


def query_of(request: PreparedRequest) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(request.url).query, keep_blank_values=True)


def test_minimal_post() -> None:
    request = build(arguments={"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
    assert (request.method, request.url) == ("POST", "https://api.test/v1/messages")
    assert request.headers == [
        ("accept", "application/json"),
        ("anthropic-version", "2026-10-21"),
        ("content-type", "application/json"),
    ]
    assert body_of(request) == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert request.streaming is False


def test_unset_is_left_out_and_none_is_null() -> None:
    arguments = {"model": UNSET, "temperature": None, "from_": 1, "user_profile_id": None}
    request = build(arguments=arguments)
    assert body_of(request) == {"temperature": None, "from": 1}
    assert request.header("anthropic-user-profile-id") is None


def test_unknown_and_missing_arguments() -> None:
    with pytest.raises(TypeError, match=r"messages\.create has no argument 'modle'"):
        build(arguments={"modle": "x"})
    with pytest.raises(TypeError, match=r"things\.cancel needs the argument 'thing_id'"):
        build(CANCEL)


def test_no_body_unless_there_is_something_to_send() -> None:
    request = build(CANCEL, {"thing_id": "t"})
    assert request.content is None
    assert request.header("content-type") is None
    assert body_of(build(CREATE)) == {}
    assert body_of(build(CANCEL, {"thing_id": "t"}, {"extra_body": {"a": 1}})) == {"a": 1}


def test_extra_body_wins_and_is_shallow() -> None:
    options = {"extra_body": {"model": {"b": 2}, "future": True, "temperature": UNSET}}
    arguments = {"model": {"a": 1}, "temperature": 1}
    assert body_of(build(arguments=arguments, options=options)) == {
        "model": {"b": 2},
        "future": True,
    }


@pytest.mark.parametrize(
    ("arguments", "streaming", "accept", "field"),
    [
        ({}, None, "application/json", None),
        ({"stream": True}, None, "text/event-stream", True),
        ({"stream": False}, None, "application/json", False),
        ({}, True, "text/event-stream", True),
        ({"stream": True}, False, "application/json", False),
    ],
)
def test_streaming(
    arguments: dict[str, Any], streaming: bool | None, accept: str, field: bool | None
) -> None:
    request = build(arguments=arguments, streaming=streaming)
    assert request.header("Accept") == accept
    assert body_of(request).get("stream") is field
    assert request.streaming is (accept == "text/event-stream")


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("claude-opus-5", "claude-opus-5"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("ümlaut", "%C3%BCmlaut"),
        ("{thing_id}", "%7Bthing_id%7D"),
        ("...", "..."),
        ("a..b", "a..b"),
        ("a;b", "a%3Bb"),
        (17, "17"),
    ],
)
def test_path_segments_are_encoded(value: object, encoded: str) -> None:
    request = build(CANCEL, {"thing_id": value})
    assert request.url == f"https://api.test/v1/things/{encoded}/cancel"
    # Nor does the HTTP library read it in another way.
    assert httpx.URL(request.url).raw_path.decode() == f"/v1/things/{encoded}/cancel"


@pytest.mark.parametrize(
    "value",
    [
        "", " ", ".", "..", "../x", "a/../b", "..\\x", "..;", "..;/x", "%2e%2e", "%2E", "a%2f..",
        " .. ", None, True, 1.5, b"x", ["a"], "\ud800",
    ],
)  # fmt: skip
def test_path_segments_that_are_refused(value: object) -> None:
    with pytest.raises(PathSegmentError, match=r"things\.cancel: the argument 'thing_id'"):
        build(CANCEL, {"thing_id": value})


@given(st.text(min_size=1))
def test_a_path_argument_is_always_one_segment(value: str) -> None:
    try:
        request = build(CANCEL, {"thing_id": value})
    except PathSegmentError:
        return
    path = httpx.URL(request.url).raw_path.decode()
    before, after = "/v1/things/", "/cancel"
    assert path.startswith(before)
    assert path.endswith(after)
    middle = path[len(before) : -len(after)]
    assert "/" not in middle
    assert unquote(middle) == value


def test_query() -> None:
    when = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)
    arguments = {
        "thing_id": "t",
        "ids": ["a", "b c"],
        "limit": 5,
        "verbose": True,
        "created_at_gte": when,
    }
    request = build(LIST, arguments)
    assert query_of(request) == [
        ("ids[]", "a"),
        ("ids[]", "b c"),
        ("limit", "5"),
        ("verbose", "true"),
        ("created_at[gte]", "2026-01-02T03:04:05+00:00"),
    ]
    assert "b%20c" in request.url


@pytest.mark.parametrize("value", ["one", ("one",), {"one"}, iter(["one"])])
def test_one_value_for_a_list(value: object) -> None:
    assert query_of(build(LIST, {"thing_id": "t", "ids": value})) == [("ids[]", "one")]


def test_query_leaves_out_none_and_merges_extras() -> None:
    request = build(
        LIST,
        {"thing_id": "t", "limit": None, "verbose": False},
        {
            "extra_query": {
                "verbose": True,
                "list": [1, None],
                "map": {"a": {"b": 1}},
                "gone": UNSET,
            }
        },
        default_query={"gone": 1, "kept": "&="},
    )
    assert query_of(request) == [
        ("kept", "&="),
        ("verbose", "true"),
        ("list[]", "1"),
        ("map[a][b]", "1"),
    ]


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5))
def test_query_comes_back_as_it_went(query: dict[str, str]) -> None:
    valid = {k: v for k, v in query.items() if not any("\ud800" <= c <= "\udfff" for c in k + v)}
    assert dict(parse_qsl(encode_query(valid), keep_blank_values=True)) == valid


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://api.test/", "https://api.test/v1/messages"),
        ("https://gw.test/anthropic/", "https://gw.test/anthropic/v1/messages"),
        ("https://gw.test/a?key=1", "https://gw.test/a/v1/messages?key=1&x=2"),
        (" http://localhost:8080 ", "http://localhost:8080/v1/messages"),
        ("HTTPS://Api.test", "HTTPS://Api.test/v1/messages"),
        ("http://[::1]:80/#f", "http://[::1]:80/v1/messages"),
    ],
)
def test_base_url(base: str, url: str) -> None:
    extra = {"extra_query": {"x": 2}} if "x=2" in url else {}
    assert build(base_url=check_base_url(base), options=extra).url == url


@pytest.mark.parametrize(
    "base", ["", "api.test", "//api.test", "ftp://x", "https://", "https:///v1", "https://a b",
             "https://:80", "https://a..b", "https://.a", f"https://{64 * 'a'}.test/v1",
             "http://h\n"]
)  # fmt: skip
def test_base_url_that_is_refused(base: str) -> None:
    if base == "http://h\n":
        assert check_base_url(base) == "http://h"
        return
    with pytest.raises(BaseURLError, match="absolute"):
        check_base_url(base)


def test_base_url_error_shows_no_password() -> None:
    with pytest.raises(BaseURLError) as caught:
        check_base_url("htps://user:secret@host")
    assert "secret" not in str(caught.value)


def test_headers_later_wins_without_regard_to_case() -> None:
    request = build(
        arguments={"user_profile_id": "up_1"},
        options={
            "workspace_id": "wrkspc_1",
            "extra_headers": {"X-B": "call", "ACCEPT": "x/y", "x-gone": UNSET},
        },
        default_headers={"x-a": "client", "x-b": "client", "X-Gone": "1", "Accept": "z"},
    )
    assert dict(request.headers) == {
        "accept": "x/y",
        "anthropic-version": "2026-10-21",
        "content-type": "application/json",
        "x-a": "client",
        "x-b": "call",
        "anthropic-workspace-id": "wrkspc_1",
        "anthropic-user-profile-id": "up_1",
    }
    assert len({name for name, _ in request.headers}) == len(request.headers)


@pytest.mark.parametrize(
    ("options", "default", "version"),
    [
        ({}, {}, "2026-10-21"),
        ({}, {"Anthropic-Version": "2023-06-01"}, "2023-06-01"),
        ({"api_version": "2023-01-01"}, {"Anthropic-Version": "2023-06-01"}, "2023-01-01"),
        ({"extra_headers": {"anthropic-version": "x"}}, {}, "x"),
        ({"extra_headers": {"anthropic-version": UNSET}}, {}, None),
    ],
)
def test_api_version(options: Any, default: dict[str, str], version: str | None) -> None:
    assert build(options=options, default_headers=default).header("anthropic-version") == version


@pytest.mark.parametrize(
    ("betas", "default", "extra", "header"),
    [
        ((), None, None, None),
        (("a-1", "b-1"), None, None, "a-1,b-1"),
        (("a-1",), "d-1, A-1", None, "d-1,A-1"),
        (("a-1",), "d-1", "e-1,a-1 ,,d-1", "d-1,a-1,e-1"),
        ((), None, "e-1", "e-1"),
        (("a-1",), "d-1", UNSET, None),
        (("-D-1", "a-1"), "d-1", None, "a-1"),
        (("a-1, -a-1",), None, None, None),
        (("-a-1", "a-1"), None, "- d-1", "a-1"),
        (("a-1",), "d-1", "-a-1", "d-1"),
    ],
)
def test_betas_are_united(
    betas: tuple[str, ...], default: str | None, extra: Any, header: str | None
) -> None:
    request = build(
        betas=betas,
        default_headers={} if default is None else {"Anthropic-Beta": default},
        options={} if extra is None else {"extra_headers": {"ANTHROPIC-BETA": extra}},
    )
    assert request.header("anthropic-beta") == header


@given(st.lists(st.lists(st.sampled_from(["a", "A", "b", "c", "C"]))))
def test_uniting_betas_is_idempotent_and_keeps_the_order(groups: list[list[str]]) -> None:
    united = unite_betas(*groups)
    assert unite_betas(united, *groups) == united
    flat = [flag.lower() for group in groups for flag in group]
    assert [flag.lower() for flag in united] == sorted(set(flat), key=flat.index)


def test_header_array() -> None:
    request = build(LIST, {"thing_id": "t", "tags": ["a", True]})
    assert request.header("x-tags") == "a,true"


@pytest.mark.parametrize(
    "value", ["a\r\nb", "a\n", "a\0b", " a", "a ", "caf\u00e9", "\x7f", 5, None]
)
def test_header_values_that_are_refused(value: Any) -> None:
    with pytest.raises(HeaderValueError, match="'x-api-key'") as caught:
        build(options={"extra_headers": {"X-Api-Key": value}})
    assert "caf" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\n", "\u00fc"])
def test_header_names_that_are_refused(name: str) -> None:
    with pytest.raises(HeaderValueError, match="is not a header name"):
        build(options={"extra_headers": {name: "x"}})


def test_size_limit_is_checked_before_sending() -> None:
    with pytest.raises(RequestTooLargeError, match=r"more than the 1,000") as caught:
        build(arguments={"model": "x" * 1000})
    assert isinstance(caught.value, ContentTooLargeError)
    assert (caught.value.sent, caught.value.limit, caught.value.size) == (False, 1000, 1012)
    assert build(arguments={"model": "x" * 1000}, check_size=False).content is not None
    assert build(arguments={"model": "x" * 988}).content is not None


def test_repr_hides_secrets() -> None:
    request = build(
        base_url="https://api.test",
        options={"extra_headers": {"X-API-Key": "sk-1", "authorization": "Bearer sk-2"}},
        default_headers={"Cookie": "sk-3", "Proxy-Authorization": "sk-4"},
        arguments={"model": "prompt"},
    )
    text = repr(request)
    assert "POST https://api.test/v1/messages" in text
    for secret in ("sk-", "prompt"):
        assert secret not in text


@pytest.mark.parametrize(
    "name",
    [
        "x-gateway-key",
        "Ocp-Apim-Subscription-Key",
        "x-goog-api-key",
        "api-key",
        "X-API-Key",
        "Cookie",
        "authorization",
        "Proxy-Authorization",
        "x-amz-security-token",
        "x-client-secret",
        "x-hub-signature",
        "x-auth",
    ],
)
def test_values_of_secret_names_are_hidden(name: str) -> None:
    assert is_secret(name)
    request = build(
        base_url=f"https://api.test?{name}=hunter2", options={"extra_headers": {name: "hunter2"}}
    )
    assert "hunter2" not in repr(request)
    assert visible_headers(request.headers)[name.lower()] == "[hidden]"


@pytest.mark.parametrize("name", ["max_tokens", "anthropic-ratelimit-tokens-limit", "anthropic-beta", "x-author", "x-authored-by", "keywords", "accept"])
def test_values_of_other_names_are_shown(name: str) -> None:
    assert not is_secret(name)


def test_userinfo_becomes_basic_authorization() -> None:
    request = build(base_url="https://us%40er:hunt:er2@api.test/p?q=a@b", arguments={"model": "m"})
    assert request.url == "https://api.test/p/v1/messages?q=a@b"
    # us@er:hunt:er2
    assert request.header("authorization") == "Basic dXNAZXI6aHVudDplcjI="
    assert "hunt" not in repr(request)
    assert build(base_url="https://@api.test").header("authorization") is None


@pytest.mark.parametrize("name", ["X-API-Key", "Authorization"])
def test_userinfo_beside_another_credential_is_refused(name: str) -> None:
    with pytest.raises(BaseURLError) as caught:
        build(base_url="https://user:hunter2@api.test", default_headers={name: "sk-1"})
    assert name.lower() in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "sk-secret@host",
        "sk-secret://host",
        "https://user:sk-secret/x@host",
        "https://user:sk-secret#x@host",
        "https://user:sk-secret?x@host",
        "https://user:sk secret@host",
        "https://u:sk-secret@",
        "https://u:sk-secret@host:65536",
        "https://u:sk-secret@host:80a",
        "https://[::1]:sk-secret",
        "https://host\\sk-secret",
    ],
)
def test_errors_show_nothing_of_a_base_url(url: str) -> None:
    with pytest.raises(BaseURLError) as caught:
        check_base_url(url)
    assert "sk" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[::1]:80", "http://[::1]", "http://h:65535", "http://h:"])
def test_ports_and_addresses_in_base_urls(url: str) -> None:
    assert check_base_url(url) == url


def test_with_headers() -> None:
    request = build().with_headers({"X-Attempt": "2", "Accept": "y"})
    assert (request.header("x-attempt"), request.header("accept")) == ("2", "y")
    with pytest.raises(HeaderValueError):
        request.with_headers({"a": "\n"})


def test_operation_betas() -> None:
    operation = Operation(
        "agents.list",
        operation_id="agents_list",
        method="GET",
        path="/v1/agents",
        betas=(
            BetaRule("managed-agents-1", any_of=("managed-agents-1", "agent-memory-1")),
            BetaRule("fast-1", unless_model=("claude-opus-5-5",)),
            BetaRule("profiles-1", via_beta_namespace=True),
        ),
    )
    assert operation_betas(operation, {}) == ["managed-agents-1", "fast-1"]
    assert (
        operation_betas(operation, {"model": "claude-opus-5-5-x"}, asked=["AGENT-memory-1"]) == []
    )
    assert operation_betas(operation, {}, via_beta=True)[-1] == "profiles-1"


def test_no_header_list_becomes_part_of_another_request() -> None:
    # httpx must send exactly these headers, besides its own.
    request = build(arguments={"model": "m"})
    built = httpx.Request(
        request.method, request.url, headers=request.headers, content=request.content
    )
    assert built.headers["content-length"] == str(len(request.content or b""))
    assert built.read() == request.content
