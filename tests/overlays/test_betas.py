"""The beta flags and the API version of a request, from hand-made rules."""

from __future__ import annotations

import asyncio
import json
import operator
import pickle
import threading
import warnings
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_client import AsyncClaude, CallInfo, Claude, DeprecatedBetaWarning, request_needs
from claude_client import betas as betas_module
from claude_client.api_versions import resolve_api_version
from claude_client.betas import (
    Betas,
    beta_sources,
    explain_beta_error,
    resolve_betas,
    trace_betas,
    warn_of_retired,
)
from claude_client.errors import (
    APIStatusError,
    ApiVersionConflictError,
    BadRequestError,
    BetaConflictError,
    NotFoundError,
)
from claude_client.request_needs import MAX_PLACES, add_parameter_needs, find_needs, read_once
from claude_client.testing import AsyncMockTransport, MockTransport
from claude_rest._runtime.codec import EncodeError
from claude_rest._runtime.operation import BetaRule, BetaSource, Operation
from claude_rest._runtime.struct import Unknown
from claude_rest._runtime.unset import UNSET
from claude_rest.models import decoder
from claude_rest.operations.beta_rules import BETA_RULES
from claude_rest.operations.message_batches import MESSAGES_BATCHES_CREATE
from claude_rest.operations.messages import MESSAGES_CREATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

THREADS = BetaRule("threads-1")
MCP = BetaRule("mcp-2", any_of=("mcp-1", "mcp-2", "mcp-3"))
FAST = BetaRule("fast-1", unless_model=("claude-new",))
PROFILES = BetaRule("profiles-1", via_beta_namespace=True)
COMPACT = BetaRule("compact-2", any_of=("compact-1", "compact-2"))
COMPACT_NEW = BetaRule("compact-2")

SPEED = {"values": {"fast": {"beta": FAST}}}
RULES: dict[str, Any] = {
    "Request": {
        "fields": {
            "thread": {"beta": THREADS},
            "mcp_servers": {"beta": MCP},
            "speed": SPEED,
            "modes": {"values": {"odd": {"beta": BetaRule("odd-1")}}},
            "temperature": {"until": "2"},
            "role_system": {"since": "3"},
            "messages": {"items": "Turn"},
            "fallbacks": {"items": "Fallback"},
            "labels": {"map": "Label"},
            "config": {"type": "Config"},
            "compact_any": {"beta": COMPACT},
            "compact_new": {"beta": COMPACT_NEW},
        }
    },
    "Turn": {"fields": {"content": {"items": "Block", "type": "Block"}}},
    "Block": {
        "tag": "type",
        "default": "Plain",
        "members": {"plain": "Plain", "compaction": "Compaction", "result": "Result"},
    },
    "Plain": {"fields": {"scale": {"since": "2", "until": "2"}}},
    "Compaction": {"beta": COMPACT, "fields": {}},
    "Result": {"fields": {"content": {"items": "Block"}}},
    "Fallback": {"fields": {"speed": SPEED}},
    "Label": {"fields": {"secret": {"beta": BetaRule("labels-1")}}},
    "Config": {"fields": {"next": {"type": "Config"}, "budget": {"beta": BetaRule("budget-1")}}},
}


class Word(Enum):
    COMPACTION = "compaction"
    FAST = "fast"
    ODD = "odd"


class OnlyIterable:
    """As lazy as it gets: neither a length nor an index."""

    def __init__(self, *items: Any) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)


def operation(*betas: BetaRule) -> Operation:
    return Operation(
        "things.create",
        operation_id="things_create",
        method="POST",
        path="/v1/things",
        request_type="Request",
        betas=betas,
    )


def resolve(arguments: dict[str, Any], *betas: BetaRule, **given: Any) -> tuple[str, ...]:
    return resolve_betas(operation(*betas), arguments, rules=RULES, **given)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ()),
        ({"thread": UNSET}, ()),
        ({"thread": {"type": "create"}}, ("threads-1",)),
        # An explicit null is sent, but uses nothing.
        ({"thread": None}, ()),
        ({"config": {"budget": None}}, ()),
        ({"labels": {"a": None}, "messages": [None]}, ()),
        ({"speed": Word.FAST}, ("fast-1",)),
        ({"modes": [Word.ODD]}, ("odd-1",)),
        ({"messages": [{"content": [{"type": Word.COMPACTION}]}]}, ("compact-2",)),
        ({"speed": "standard"}, ()),
        ({"speed": "fast"}, ("fast-1",)),
        ({"modes": ["even", "odd"]}, ("odd-1",)),
        ({"messages": [{"content": "text"}]}, ()),
        ({"messages": [{"content": [{"type": "plain"}, {"type": "compaction"}]}]}, ("compact-2",)),
        ({"messages": ({"content": {"type": "compaction"}},)}, ("compact-2",)),
        ({"messages": [{"content": [{"type": "new", "secret": 1}]}]}, ()),
        ({"messages": [{"content": [{"type": ["odd"]}]}]}, ()),
        (
            {"messages": [{"content": [{"type": "result", "content": [{"type": "compaction"}]}]}]},
            ("compact-2",),
        ),
        (
            {"messages": [{"content": [Unknown("compaction", {"type": "compaction"})]}]},
            ("compact-2",),
        ),
        ({"labels": {"a": {}, "b": {"secret": 1}}}, ("labels-1",)),
        ({"fallbacks": [{"model": "claude-new-1", "speed": "fast"}]}, ()),
        ({"fallbacks": [{"model": "claude-old", "speed": "fast"}]}, ("fast-1",)),
        ({"fallbacks": "default"}, ()),
        # In the order of the rules, whatever the order of the arguments.
        ({"mcp_servers": [], "thread": {}}, ("threads-1", "mcp-2")),
        # What leaves no choice satisfies what does, wherever it stands.
        ({"compact_any": 1, "compact_new": 1}, ("compact-2",)),
        ("nonsense", ()),
        ({"messages": 1, "labels": [1], "config": "x"}, ()),
    ],
)
def test_arguments_bring_their_flags(arguments: Any, expected: tuple[str, ...]) -> None:
    assert resolve(arguments) == expected


def test_unless_model_matches_by_prefix() -> None:
    assert resolve({"speed": "fast"}, model="claude-new-2026") == ()
    assert resolve({"speed": "fast"}, model="claude-old") == ("fast-1",)


def test_sources_are_united_in_order() -> None:
    betas = resolve(
        {"thread": {}},
        BetaRule("op-1"),
        client_betas=["client-1", " Both-1 "],
        call_betas=["both-1", "call-1,call-2"],
        header_betas="header-1, client-1",
    )
    assert betas == (
        "op-1",
        "threads-1",
        "client-1",
        "Both-1",
        "call-1",
        "call-2",
        "header-1",
    )


@pytest.mark.parametrize("source", ["client_betas", "call_betas", "header_betas"])
def test_an_alternative_that_is_asked_for_replaces_the_default(source: str) -> None:
    assert resolve({"mcp_servers": []}, **{source: ["MCP-1"]}) == ("MCP-1",)


def test_an_operation_rule_is_satisfied_the_same_way() -> None:
    assert resolve({}, MCP, call_betas=["mcp-3"]) == ("mcp-3",)


def test_rules_of_the_beta_namespace() -> None:
    assert resolve({}, PROFILES) == ()
    assert resolve({}, PROFILES, via_beta=True) == ("profiles-1",)


def test_needs_say_where_they_stand() -> None:
    needs = find_needs(
        "Request",
        {
            "messages": [{"content": "x"}, {"content": [{"type": "compaction"}]}],
            "labels": {"a": {"secret": 1}},
        },
        RULES,
    )
    assert [need.path for need in needs.betas] == ["messages[1].content[0]", "labels.a.secret"]


def test_deep_nesting_needs_no_recursion() -> None:
    config: dict[str, Any] = {"budget": 1}
    for _ in range(50_000):
        config = {"next": config}
    assert resolve({"config": config}) == ("budget-1",)


def test_iterators_are_not_used_up() -> None:
    blocks = iter([{"type": "compaction"}])
    assert resolve({"messages": [{"content": blocks}]}) == ()
    assert next(blocks) == {"type": "compaction"}


MCP_USE = {"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": "s", "input": {}}


class Kind(Enum):
    MCP_USE = "mcp_tool_use"


@pytest.mark.parametrize(
    "lazily",
    [
        lambda *items: list(items),
        lambda *items: tuple(items),
        lambda *items: iter(items),
        lambda *items: (item for item in items),
        lambda *items: dict(enumerate(items)).values(),
        OnlyIterable,
    ],
    ids=["list", "tuple", "iterator", "generator", "view", "iterable"],
)
@pytest.mark.parametrize("where", ["arguments", "extra_body"])
def test_every_kind_of_iterable_is_walked_and_then_sent(
    lazily: Callable[..., Any], where: str
) -> None:
    block = {**MCP_USE, "type": Kind.MCP_USE}
    result = {"type": "tool_result", "tool_use_id": "t", "content": lazily({"type": "text"})}
    messages = lazily(
        {"role": "user", "content": lazily(result, {"type": "text", "text": "x"})},
        {"role": "assistant", "content": lazily(block)},
    )
    body: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": []}
    options: Any = {"extra_body": {"messages": messages}} if where == "extra_body" else {}
    if where == "arguments":
        body["messages"] = messages
    prepared = Claude(api_key="k")._caller.prepare(MESSAGES_CREATE, body, options)
    assert prepared.header("anthropic-beta") == "mcp-client-2025-11-20"
    assert prepared.content is not None
    sent = json.loads(prepared.content)["messages"]
    assert sent[0]["content"][0]["content"] == [{"type": "text"}]
    assert sent[1] == {"role": "assistant", "content": [MCP_USE]}


def test_models_are_walked_like_dicts() -> None:
    message = decoder("Message")({"role": "assistant", "content": [MCP_USE]})
    body = {"model": "m", "max_tokens": 1, "messages": (item for item in [message])}
    prepared = Claude(api_key="k")._caller.prepare(MESSAGES_CREATE, body)
    assert prepared.header("anthropic-beta") == "mcp-client-2025-11-20"


def test_an_explicit_null_lowers_no_version() -> None:
    caller = Claude(api_key="k")._caller
    body: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": []}
    plain = caller.prepare(MESSAGES_CREATE, body)
    nulls = {"temperature": None, "thread": None, "context_management": None, "speed": None}
    prepared = caller.prepare(MESSAGES_CREATE, {**body, **nulls})
    assert prepared.header("anthropic-version") == plain.header("anthropic-version")
    assert prepared.header("anthropic-beta") is None
    assert version({"temperature": None}) == version({})


def test_read_once_changes_nothing_in_place() -> None:
    value = {"a": [1, iter([2])], "b": "text", "c": OnlyIterable(iter("xy"), Word.ODD)}
    lists = value["a"]
    assert read_once(value) == {"a": [1, [2]], "b": "text", "c": [["x", "y"], Word.ODD]}
    assert value["a"] is lists
    assert read_once(MappingProxyType({"a": iter([1])})) == {"a": [1]}
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    with pytest.raises(EncodeError, match="deep"):
        read_once(deep)
    binary = [b"x", bytearray(b"x"), memoryview(b"x")]
    assert all(map(operator.is_, read_once(binary), binary))


FLAGS = st.lists(
    st.sampled_from(["a-1", "A-1", "b-1", "mcp-1", "mcp-2", "threads-1", "fast-1", "x,y"]),
    max_size=6,
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "thread": st.none(),
        "mcp_servers": st.just([]),
        "speed": st.sampled_from(["fast", "standard"]),
        "compact_any": st.just(1),
        "compact_new": st.just(1),
    },
)


@given(ARGUMENTS, FLAGS, FLAGS, FLAGS)
def test_union_is_idempotent_and_keeps_order(
    arguments: dict[str, Any], client: list[str], call: list[str], header: list[str]
) -> None:
    given_flags = {"client_betas": client, "call_betas": call, "header_betas": header}
    betas = resolve(arguments, **given_flags)
    names = [flag.lower() for flag in betas]
    assert len(set(names)) == len(names)
    asked = [flag for text in (*client, *call, *header) for flag in text.split(",")]
    # Nothing asked for is lost, and the first mention keeps its place.
    in_order = list(dict.fromkeys(flag.lower() for flag in asked))
    assert [name for name in names if name in in_order] == in_order
    assert resolve(arguments, client_betas=betas) == betas
    assert resolve(arguments, **{**given_flags, "header_betas": [*header, *betas]}) is not None
    again = resolve(arguments, call_betas=betas)
    assert again == betas


def version(arguments: dict[str, Any], explicit: str | None = None) -> str:
    return resolve_api_version(
        operation(), arguments, rules=RULES, versions=("1", "2", "3"), explicit=explicit
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "3"),
        ({"temperature": 0.5}, "2"),
        ({"temperature": UNSET}, "3"),
        ({"role_system": True}, "3"),
        ({"messages": [{"content": [{"scale": 1}]}]}, "2"),
    ],
)
def test_newest_version_that_accepts_the_arguments(arguments: Any, expected: str) -> None:
    assert version(arguments) == expected


def test_explicit_version_wins_unseen() -> None:
    assert version({"temperature": 1, "role_system": 1}, explicit="9") == "9"


def test_version_conflict_names_the_arguments() -> None:
    with pytest.raises(ApiVersionConflictError) as caught:
        version({"temperature": 1, "role_system": 1})
    assert caught.value.arguments == {"temperature": ("2", "1"), "role_system": ("3",)}
    assert "temperature needs 2 or 1" in str(caught.value)
    assert "things.create" in str(caught.value)


def test_the_operation_and_its_parameters_have_versions_too() -> None:
    old = Operation(
        "things.list",
        operation_id="things_list",
        method="GET",
        path="/v1/things",
        until="2",
        parameter_rules={"order": {"values": {"odd": {"beta": BetaRule("odd-1")}}, "since": "2"}},
    )
    needs = find_needs(None, {}, {})
    add_parameter_needs(needs, old, {"order": "odd"})
    assert [need.path for need in needs.betas] == ["order"]
    chosen = resolve_api_version(old, {}, rules={}, versions=("1", "2", "3"), needs=needs)
    assert chosen == "2"
    with pytest.raises(ApiVersionConflictError) as caught:
        resolve_api_version(old, {}, rules={}, versions=("1", "3"), needs=needs)
    assert caught.value.arguments == {"the operation": ("1",), "order": ("3",)}


WITH_REMOVALS = st.lists(
    st.sampled_from(["a-1", "-a-1", "threads-1", "-Threads-1", "old-1", "new-1", "-new-1"]),
    max_size=6,
)


@given(ARGUMENTS, WITH_REMOVALS, WITH_REMOVALS, st.booleans())
def test_the_last_word_on_a_flag_counts(
    arguments: dict[str, Any], client: list[str], call: list[str], derive: bool
) -> None:
    replacing = {"new-1": (("/v1/things",), ("old-1",))}
    given_flags: dict[str, Any] = {"replacing": replacing, "derive": derive}
    rules = (BetaRule("old-1"), BetaRule("threads-1"))
    betas = resolve(arguments, *rules, client_betas=client, call_betas=call, **given_flags)
    names = [flag.lower() for flag in betas]
    assert len(set(names)) == len(names)
    last = {flag.lower().lstrip("-"): not flag.startswith("-") for flag in (*client, *call)}
    for name, wanted in last.items():
        assert (name in names) == wanted
    if not derive:
        assert set(names) <= set(last)
    removals = [f"-{name}" for name, wanted in last.items() if not wanted]
    again = resolve(arguments, *rules, call_betas=[*betas, *removals], **given_flags)
    assert again == betas


# --- what only one place in the conversation makes a version matter ------------------------------

DOCUMENT_SOURCE = {"type": "text", "media_type": "text/plain", "data": "x"}
CITATION = {
    "type": "char_location",
    "cited_text": "x",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 1,
}
CITED = {"type": "text", "text": "x", "citations": [{"type": "char_location"}]}
UNCITED: dict[str, Any] = {"type": "text", "text": "x", "citations": []}
DOCUMENT = {"type": "document", "source": {"type": "text", "data": "x"}}


def search_result(*blocks: Any) -> dict[str, Any]:
    return {"type": "search_result", "content": list(blocks), "citations": {"enabled": True}}


@pytest.mark.parametrize(
    ("role", "content", "path"),
    [
        ("assistant", [DOCUMENT], "messages[0].content[0]"),
        ("user", [DOCUMENT], None),
        ("user", [UNCITED, CITED], "messages[0].content[1].citations[0]"),
        ("assistant", [CITED], None),
        ("user", [UNCITED], None),
        ("user", [{"type": "text", "text": "x", "citations": None}], None),
        ("user", [search_result(CITED)], "messages[0].content[0].content[0].citations[0]"),
        ("user", [search_result(UNCITED)], None),
        (
            "user",
            [{"type": "tool_result", "tool_use_id": "t", "content": [search_result(CITED)]}],
            "messages[0].content[0].content[0].content[0].citations[0]",
        ),
        ("user", [{"type": "tool_result", "tool_use_id": "t", "content": [DOCUMENT]}], None),
        ("assistant", [{"type": "web_fetch_tool_result", "content": {"content": DOCUMENT}}], None),
        ("user", "text", None),
    ],
)
def test_versions_by_place(role: str, content: Any, path: str | None) -> None:
    body = {"model": "m", "max_tokens": 1, "messages": [{"role": role, "content": content}]}
    needs = find_needs("MessageCreateParams", body, BETA_RULES)
    assert [bound.path for bound in needs.versions] == ([] if path is None else [path])
    prepared = Claude(api_key="k")._caller.prepare(MESSAGES_CREATE, body)
    expected = "2026-10-21" if path is None else "2023-06-01"
    assert prepared.header("anthropic-version") == expected
    explicit = Claude(api_key="k")._caller.prepare(
        MESSAGES_CREATE, body, {"api_version": "2026-10-21"}
    )
    assert explicit.header("anthropic-version") == "2026-10-21"


def test_what_is_beta_is_so_where_versions_go_by_place() -> None:
    body = {"messages": [{"role": "user", "content": [CITED, MCP_USE]}]}
    needs = find_needs("MessageCreateParams", body, BETA_RULES)
    assert [need.path for need in needs.betas] == ["messages[0].content[1]"]
    assert len(needs.versions) == 1


def test_places_of_one_reason_are_kept_only_up_to_a_limit() -> None:
    turns = [{"content": [{"type": "compaction"}, {"type": "plain", "scale": 1}]}] * 1000
    needs = find_needs("Request", {"messages": turns}, RULES)
    assert len(needs.betas) == len(needs.versions) == MAX_PLACES


# --- leaving flags out ---------------------------------------------------------------------------


def test_nothing_is_derived_on_request() -> None:
    given_flags = {"client_betas": ["a"], "call_betas": ["b"], "header_betas": ["c"]}
    assert resolve({"thread": {}}, THREADS, derive=False, **given_flags) == ("a", "b", "c")
    body = {"model": "m", "max_tokens": 1, "messages": [], "thread": {"type": "create"}}
    client = Claude(api_key="k", derive_betas=False, betas=["a"])
    assert client._caller.prepare(MESSAGES_CREATE, body).header("anthropic-beta") == "a"
    derived = client._caller.prepare(MESSAGES_CREATE, body, {"derive_betas": True})
    assert derived.header("anthropic-beta") == "message-threads-2026-08-12,a"
    off = Claude(api_key="k")._caller.prepare(MESSAGES_CREATE, body, {"derive_betas": False})
    assert off.header("anthropic-beta") is None


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"call_betas": ["-threads-1"]}, ()),
        ({"client_betas": ["-Threads-1"]}, ()),
        ({"client_betas": ["a", "b"], "call_betas": ["-a"]}, ("threads-1", "b")),
        ({"call_betas": ["a,-a, b"]}, ("threads-1", "b")),
        # The last word counts.
        ({"client_betas": ["-threads-1"], "call_betas": ["threads-1"]}, ("threads-1",)),
        ({"client_betas": ["a"], "header_betas": ["- a"]}, ("threads-1",)),
        ({"call_betas": ["-other"]}, ("threads-1",)),
    ],
)
def test_a_flag_can_be_left_out(flags: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert resolve({"thread": {}}, **flags) == expected


def test_a_flag_left_out_does_not_satisfy_other_rules() -> None:
    arguments = {"compact_any": 1, "compact_new": 1}
    assert resolve(arguments, call_betas=["-compact-2"]) == ()


def test_a_removal_in_a_header_is_not_sent() -> None:
    body = {"model": "m", "max_tokens": 1, "messages": [], "thread": {"type": "create"}}
    header = {"Anthropic-Beta": "x-1, -message-threads-2026-08-12"}
    prepared = Claude(api_key="k")._caller.prepare(MESSAGES_CREATE, body, {"extra_headers": header})
    assert prepared.header("anthropic-beta") == "x-1"


# --- flags that take the place of others ---------------------------------------------------------

REPLACING = {"new-1": (("/v1/things/**",), ("old-1",))}
OLD, NEW = BetaRule("old-1"), BetaRule("new-1")


@pytest.mark.parametrize(
    ("rules", "flags", "expected"),
    [
        ((OLD, NEW), {}, ("new-1",)),
        ((OLD,), {"call_betas": ["NEW-1"]}, ("NEW-1",)),
        # What the caller named stays; the server decides.
        ((NEW,), {"client_betas": ["old-1"]}, ("new-1", "old-1")),
        ((), {"client_betas": ["old-1", "new-1"]}, ("old-1", "new-1")),
        ((OLD,), {}, ("old-1",)),
        ((OLD, NEW), {"call_betas": ["-new-1"]}, ("old-1",)),
    ],
)
def test_a_replaced_flag_is_not_derived(
    rules: tuple[BetaRule, ...], flags: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert resolve({}, *rules, replacing=REPLACING, **flags) == expected


def test_a_flag_replaces_on_its_own_paths_only() -> None:
    elsewhere = {"new-1": (("/v1/thing", "/v1/th/**"), ("old-1",))}
    assert resolve({}, OLD, NEW, replacing=elsewhere) == ("old-1", "new-1")


BATCH_RULES: dict[str, Any] = {
    "Batch": {"fields": {"requests": {"items": "Item"}}},
    "Item": {"fields": {"params": {"type": "Body"}}},
    "Body": {
        "body": True,
        "fields": {
            "old": {"beta": OLD, "until": "1"},
            "new": {"beta": NEW, "since": "2"},
            "either": {"beta": BetaRule("old-1", any_of=("old-1", "new-1"))},
            "speed": SPEED,
            "nested": {"type": "Nested"},
        },
    },
    "Nested": {"fields": {"speed": SPEED}},
}
BATCH = Operation(
    "batches.create",
    operation_id="batches_create",
    method="POST",
    path="/v1/things",
    request_type="Batch",
)


def batch(*items: dict[str, Any]) -> dict[str, Any]:
    return {"requests": [{"params": item} for item in items]}


def test_requests_of_a_batch_share_one_header() -> None:
    def flags(*items: dict[str, Any], **asked: Any) -> tuple[str, ...]:
        return resolve_betas(BATCH, batch(*items), rules=BATCH_RULES, replacing=REPLACING, **asked)

    assert flags({"old": 1}, {"old": 1}) == ("old-1",)
    assert flags({"either": 1}, {"new": 1}) == ("new-1",)
    # In one request, the newer one takes the place of the older one.
    assert flags({"old": 1, "new": 1}) == ("new-1",)
    with pytest.raises(BetaConflictError) as caught:
        flags({}, {"old": 1}, {"new": 1})
    assert caught.value.arguments == {
        "requests[1].params.old": "old-1",
        "requests[2].params.new": "new-1",
    }
    assert pickle.loads(pickle.dumps(caught.value)).arguments == caught.value.arguments
    # Settled by the caller.
    assert flags({"old": 1}, {"new": 1}, call_betas=["new-1"]) == ("new-1",)


def test_requests_of_a_batch_share_one_version() -> None:
    with pytest.raises(ApiVersionConflictError) as caught:
        resolve_api_version(
            BATCH, batch({}, {"old": 1}, {"new": 1}), rules=BATCH_RULES, versions=("1", "2")
        )
    assert caught.value.arguments == {
        "requests[1].params.old": ("1",),
        "requests[2].params.new": ("2",),
    }


def test_the_nearest_model_decides() -> None:
    items = [
        {"model": "claude-new-1", "speed": "fast", "nested": {"speed": "fast"}},
        {"model": "claude-old", "nested": {"speed": "fast"}},
    ]
    assert resolve_betas(BATCH, batch(items[0]), rules=BATCH_RULES) == ()
    assert resolve_betas(BATCH, batch(*items), rules=BATCH_RULES) == ("fast-1",)


def test_requests_of_a_real_batch_are_looked_through() -> None:
    params = {"model": "m", "max_tokens": 1, "messages": []}
    requests = [
        {"custom_id": "a", "params": params},
        {"custom_id": "b", "params": {**params, "mcp_servers": [{}], "temperature": 1}},
    ]
    plan = Claude(api_key="k")._caller.plan(MESSAGES_BATCHES_CREATE, {"requests": requests}, {})
    assert plan.prepared.header("anthropic-version") == "2023-06-01"
    assert plan.betas.sources == (
        BetaSource("mcp-client-2025-11-20", "argument", "requests[1].params.mcp_servers"),
    )


# --- where flags come from, and errors about them ------------------------------------------------


def trace(arguments: dict[str, Any], *rules: BetaRule, **given: Any) -> Betas:
    what = operation(*rules)
    return trace_betas(what, find_needs("Request", arguments, RULES), **given)


def test_every_flag_has_its_sources() -> None:
    betas = trace(
        {"thread": {}, "mcp_servers": []},
        NEW,
        client_betas=["a", "threads-1"],
        call_betas=["A"],
        header_betas=["h", "-mcp-2"],
    )
    assert betas.flags == ("new-1", "a", "threads-1", "h")
    assert [(source.flag, str(source), source.sent) for source in betas.sources] == [
        ("new-1", "the operation", True),
        ("a", "betas of the client", True),
        ("A", "betas of the call", True),
        ("threads-1", "betas of the client", True),
        ("threads-1", "argument thread", True),
        ("h", "a header of the caller", True),
        ("mcp-2", "argument mcp_servers", False),
    ]
    assert betas.asked() == ["a", "A", "threads-1", "h"]


def refusal(message: str, status: int = 400, **given: Any) -> APIStatusError:
    cls = {400: BadRequestError, 404: NotFoundError}.get(status, APIStatusError)
    kind = "not_found_error" if status == 404 else "invalid_request_error"
    return cls(message, http_status=status, **{"type": kind, **given})


@pytest.mark.parametrize(
    "wording",
    [
        "Unexpected value(s) `Threads-1` for the `anthropic-beta` header.",
        "Unsupported beta header: threads-1",
    ],
)
def test_an_error_about_a_flag_says_where_it_comes_from(wording: str) -> None:
    betas = trace({"thread": {}}, NEW, call_betas=["threads-1"], client_betas=["threads"])
    error = refusal(wording)
    explain_beta_error(error, betas)
    assert {(source.origin, source.path) for source in error.betas} == {
        ("call", None),
        ("argument", "thread"),
    }
    assert wording in str(error)
    assert "sent because of betas of the call, argument thread" in str(error)
    assert pickle.loads(pickle.dumps(error)).betas == error.betas


@pytest.mark.parametrize(
    "error",
    [
        refusal("messages: too long"),
        refusal("use threads-12 or xthreads-1"),
        refusal("threads-1", 404),
        refusal("threads-1", 429),
        refusal("threads-1", type="billing_error"),
    ],
)
def test_other_errors_are_left_alone(error: APIStatusError) -> None:
    before = str(error)
    explain_beta_error(error, trace({"thread": {}}))
    assert error.betas == ()
    assert str(error) == before


def test_a_flag_that_was_left_out_is_named() -> None:
    error = refusal("thread: only with the beta flag `threads-1`")
    explain_beta_error(error, trace({"thread": {}}, derive=False))
    assert "threads-1, needed because of argument thread, was not sent" in str(error)
    missing = refusal("Not found", 404)
    explain_beta_error(missing, trace({}, NEW, call_betas=["-new-1"]))
    assert missing.betas == (BetaSource("new-1", "operation", sent=False),)
    assert "new-1, needed because of the operation, was not sent" in str(missing)


def test_an_organization_outside_the_beta_sees_all_flags() -> None:
    error = refusal("no access", error_code="organization_not_enrolled_in_beta")
    assert [source.flag for source in beta_sources(error, trace({"thread": {}}))] == ["threads-1"]


def test_many_places_are_summed_up() -> None:
    turns = [{"content": [{"type": "compaction"}]}] * 5
    error = refusal("compact-2")
    explain_beta_error(error, trace({"messages": turns}))
    assert len(error.betas) == 5
    assert "messages[2].content[0] and 2 more" in str(error)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_errors_of_a_server_are_explained(asynchronous: bool) -> None:
    turn = {"role": "user", "content": "x"}
    body: Any = {"model": "claude-opus-5-5", "max_tokens": 5, "messages": [turn]}
    settings: Any = {"api_key": "k", "betas": ["made-up-2026-01-01"]}
    with pytest.raises(BadRequestError) as caught:
        if asynchronous:
            mocked = httpx.AsyncClient(transport=AsyncMockTransport())
            asyncio.run(AsyncClaude(http_client=mocked, **settings).messages.create(**body))
        else:
            mock = httpx.Client(transport=MockTransport())
            Claude(http_client=mock, **settings).messages.create(**body)
    assert caught.value.betas == (BetaSource("made-up-2026-01-01", "client"),)
    assert "because of betas of the client" in str(caught.value)


# --- retired flags -------------------------------------------------------------------------------

RETIRED = {"gone-1": "graduated", "old-1": "deprecated"}


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(betas_module, "_warned", set())
    monkeypatch.delenv(betas_module.WARNINGS_VARIABLE, raising=False)


@pytest.mark.usefixtures("fresh")
def test_retired_flags_warn_once() -> None:
    with pytest.warns(DeprecatedBetaWarning) as caught:
        warn_of_retired(["Gone-1", "old-1", "fine-1", "gone-1"], RETIRED)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_retired(["gone-1"], RETIRED)
    texts = [str(warning.message) for warning in caught]
    assert texts == [
        "the beta flag gone-1 has no effect any more: what it unlocked is there without it",
        "the beta flag old-1 is deprecated: something newer took over",
    ]


@pytest.mark.usefixtures("fresh")
def test_warnings_blame_the_caller_and_spare_derived_flags() -> None:
    body = {"model": "m", "max_tokens": 1, "messages": [], "tools": [{"type": "bash_20241022"}]}
    caller = Claude(api_key="k")._caller
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecatedBetaWarning)
        prepared = caller.prepare(MESSAGES_CREATE, body)
        assert prepared.header("anthropic-beta") == "computer-use-2024-10-22"
        for _ in range(2):
            with pytest.raises(DeprecatedBetaWarning):
                caller.prepare(MESSAGES_CREATE, body, {"betas": ["pdfs-2024-09-25"]})
    with pytest.warns(DeprecatedBetaWarning) as caught:
        caller.prepare(MESSAGES_CREATE, body, {"betas": ["pdfs-2024-09-25"]})
    assert caught[0].filename == __file__


@pytest.mark.usefixtures("fresh")
def test_warnings_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(betas_module.WARNINGS_VARIABLE, "OFF")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_retired(["gone-1"], RETIRED)


# --- big histories -------------------------------------------------------------------------------


def test_a_big_history_is_walked_outside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [{"type": "text", "text": "x"}] * 10
    body = {"messages": [{"role": "user", "content": blocks} for _ in range(5_000)]}
    threads: list[int] = []

    def find(*arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return find_needs(*arguments)

    monkeypatch.setattr(request_needs, "find_needs", find)
    caller = AsyncClaude(api_key="k")._caller

    async def plan(arguments: dict[str, Any]) -> None:
        await caller._plan(CallInfo(MESSAGES_CREATE, arguments, {}))

    asyncio.run(plan(body))
    asyncio.run(plan({"messages": body["messages"][:10]}))
    assert len(threads) == 2
    # What is small is not worth a thread.
    assert threads[0] != threads[1] == threading.get_ident()


@pytest.mark.parametrize(
    ("role", "block", "where"),
    [
        ("assistant", {"type": "document", "source": DOCUMENT_SOURCE}, "messages.1.content.0"),
        (
            "user",
            {"type": "text", "text": "x", "citations": [CITATION]},
            "messages.1.content.0.cit",
        ),
        ("user", {"type": "text", "text": "x", "citations": []}, None),
        ("assistant", {"type": "text", "text": "x", "citations": [CITATION]}, None),
        ("user", {"type": "document", "source": DOCUMENT_SOURCE}, None),
    ],
)
def test_the_mock_refuses_what_the_version_refuses(
    role: str, block: Any, where: str | None
) -> None:
    """What the client avoids by choosing a version is an error when the caller insists."""
    client = Claude(api_key="k", http_client=httpx.Client(transport=MockTransport()))
    turns: Any = [{"role": "user", "content": "x"}, {"role": role, "content": [block]}]
    if role == "assistant":
        turns.append({"role": "user", "content": "x"})
    body: Any = {"model": "claude-opus-5-5", "max_tokens": 5, "messages": turns}
    client.messages.create(**body)
    if where is None:
        client.messages.create(**body, api_version="2026-10-21")
    else:
        with pytest.raises(BadRequestError, match=where):
            client.messages.create(**body, api_version="2026-10-21")
