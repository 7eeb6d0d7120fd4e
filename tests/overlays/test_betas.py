"""The beta flags and the API version of a request, from hand-made rules."""

from __future__ import annotations

import json
import operator
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_client import Claude
from claude_client.betas import find_needs, read_once, resolve_api_version, resolve_betas
from claude_client.errors import ApiVersionConflictError
from claude_rest._runtime.codec import EncodeError
from claude_rest._runtime.operation import BetaRule, Operation
from claude_rest._runtime.struct import Unknown
from claude_rest._runtime.unset import UNSET
from claude_rest.models import decoder
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
