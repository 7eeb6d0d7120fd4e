"""Made-up messages: tools, thinking, citations, caching, context edits, and what is refused."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import MockAPI, collapse
from claude_client.testing.conversation import generation
from claude_client.testing.prompt_cache import PromptCache, least_prefix
from claude_client.testing.tokens import count_text, pieces
from claude_client.testing.tool_calls import names

from .conftest import Caller, minimal
from .test_workspace import upload

if TYPE_CHECKING:
    from collections.abc import Mapping

WEATHER = {
    "name": "get_weather",
    "input_schema": {
        "type": "object",
        "properties": {"place": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["place"],
    },
}
STOCKS = {"name": "stock_price", "input_schema": {"type": "object"}}
CONTEXT = {"anthropic-beta": "context-management-2025-06-27"}
LONG = "Never forget any of these words. " * 200


def user(*content: Any) -> dict[str, Any]:
    """Return a message of the user: a text, or blocks."""
    plain = len(content) == 1 and isinstance(content[0], str)
    return {"role": "user", "content": content[0] if plain else [block(part) for part in content]}


def assistant(*content: Any) -> dict[str, Any]:
    return {**user(*content), "role": "assistant"}


def block(part: Any) -> Any:
    return {"type": "text", "text": part} if isinstance(part, str) else part


def tool_use(identifier: str, name: str = "get_weather") -> dict[str, Any]:
    return {"type": "tool_use", "id": identifier, "name": name, "input": {"place": "Oslo"}}


def tool_result(identifier: str, text: str = "Rain", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": identifier, "content": text, **more}


def refused(response: Any) -> str:
    """Return the message of a 400."""
    assert response.status == 400
    return str(response.json()["error"]["message"])


def asked(call: Caller, text: str, **body: Any) -> Any:
    response = call.create(messages=[user(text)], **body)
    assert response.status == 200, response.json()
    return response.json()


# -- tools -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("Hello, Claude", []),
        ("What is the weather in Oslo?", ["get_weather"]),
        ("Use get_weather.", ["get_weather"]),
        ("GET_WEATHER", ["get_weather"]),
        ("my_get_weather_2", ["get_weather"]),
        ("the weathercock", []),
        ("Stock prices, please", ["stock_price"]),
        ("price", []),
        ("stock price and weather", ["get_weather", "stock_price"]),
        ("the weather, twice in parallel", ["get_weather", "get_weather"]),
    ],
)
def test_tools_are_called_when_the_text_names_them(
    call: Caller, text: str, called: list[str]
) -> None:
    message = asked(call, text, tools=[WEATHER, STOCKS])
    assert [b["name"] for b in message["content"] if b["type"] == "tool_use"] == called
    assert message["stop_reason"] == ("tool_use" if called else "end_turn")
    ids = [b["id"] for b in message["content"] if b["type"] == "tool_use"]
    assert len(set(ids)) == len(ids)


def test_names_of_several_spellings() -> None:
    assert names("look up the order", {"name": "lookupOrder"})
    assert names("Run it", {"name": "run"})
    assert not names("Walk it", {"name": "run"})


@pytest.mark.parametrize("kind", ["auto", "any"])
def test_parallel_calls_can_be_switched_off(call: Caller, kind: str) -> None:
    choice = {"type": kind, "disable_parallel_tool_use": True}
    text = "stock price and weather in parallel"
    message = asked(call, text, tools=[WEATHER, STOCKS], tool_choice=choice)
    assert [b["name"] for b in message["content"]] == ["get_weather"]


def test_forced_tools_and_none(call: Caller) -> None:
    any_tool = asked(call, "stock price", tools=[WEATHER, STOCKS], tool_choice={"type": "any"})
    assert any_tool["content"][0]["name"] == "stock_price"
    none = asked(call, "weather", tools=[WEATHER], tool_choice={"type": "none"})
    assert none["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ('weather {"place": "Oslo", "days": 2}', {"place": "Oslo", "days": 2}),
        ('weather {not JSON} {"place": "Bergen"}', {"place": "Bergen"}),
        ('weather {"days": 2}', {"place": "place"}),
        ('weather {"place": "Oslo", "other": 1}', {"place": "place"}),
        ("weather {", {"place": "place"}),
    ],
)
def test_the_input_can_be_in_the_text(call: Caller, text: str, given: Any) -> None:
    assert asked(call, text, tools=[WEATHER])["content"][0]["input"] == given


def test_the_input_can_be_an_example_of_the_tool(call: Caller) -> None:
    tool = {**WEATHER, "input_examples": [{"place": "Tromsø"}]}
    assert asked(call, "weather", tools=[tool])["content"][0]["input"] == {"place": "Tromsø"}


def test_after_a_result_the_answer_is_text(call: Caller) -> None:
    messages = [
        user("What is the weather?"),
        assistant(tool_use("toolu_1")),
        user(tool_result("toolu_1")),
    ]
    message = call.create(messages=messages, tools=[WEATHER]).json()
    (text,) = message["content"]
    assert message["stop_reason"] == "end_turn"
    assert text["text"].endswith("The tools said: Rain")


@pytest.mark.parametrize(
    ("tool", "name", "given"),
    [
        ({"type": "bash_20250124", "name": "bash"}, "bash", {"command": "echo hello"}),
        (
            {"type": "memory_20250818", "name": "memory"},
            "memory",
            {"command": "view", "path": "/memories"},
        ),
    ],
)
def test_tools_of_the_caller_that_the_model_knows(
    call: Caller, tool: Any, name: str, given: Any
) -> None:
    (found,) = asked(call, "x", tools=[tool], tool_choice={"type": "any"})["content"]
    assert (found["name"], found["input"]) == (name, given)


def test_a_toolset_of_the_caller(call: Caller) -> None:
    tool = {"type": "computer_toolset_20260801"}
    (found,) = asked(call, "Use the computer", tools=[tool])["content"]
    assert (found["name"], found["toolset_name"]) == ("screenshot", "computer")


def test_server_tools_run_at_once(call: Caller) -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.test"]}
    fetch = {"type": "web_fetch_20250910", "name": "web_fetch"}
    message = asked(call, "Search the web, then web_fetch https://b.test/c.", tools=[search, fetch])
    kinds = [b["type"] for b in message["content"]]
    assert kinds == [
        "server_tool_use",
        "web_search_tool_result",
        "server_tool_use",
        "web_fetch_tool_result",
        "text",
    ]
    used, pages, fetched, page, text = message["content"]
    assert used["id"] == pages["tool_use_id"]
    assert pages["content"][0]["url"].startswith("https://a.test/")
    assert fetched["input"] == {"url": "https://b.test/c"}
    assert page["content"]["url"] == "https://b.test/c"
    assert text["citations"][0]["type"] == "web_search_result_location"
    assert message["stop_reason"] == "end_turn"
    assert message["usage"]["server_tool_use"] == {
        "web_search_requests": 1,
        "web_fetch_requests": 1,
    }


def test_code_execution_names_its_container(call: Caller) -> None:
    tool = {"type": "code_execution_20250825", "name": "code_execution"}
    first = asked(call, "Use code execution", tools=[tool])["container"]
    assert first["id"].startswith("container_01")
    again = asked(call, "Use code execution", tools=[tool], container=first["id"])
    assert again["container"]["id"] == first["id"]


def test_server_and_own_tools_together(call: Caller) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    message = asked(call, "Search the web for weather", tools=[search, WEATHER])
    assert [b["type"] for b in message["content"]][-1] == "tool_use"
    assert message["stop_reason"] == "tool_use"


# -- thinking, citations, structured output ----------------------------------------------------


@pytest.mark.parametrize(
    "thinking", [{"type": "adaptive"}, {"type": "adaptive", "display": "omitted"}]
)
def test_thinking_comes_first_and_is_counted(call: Caller, thinking: Any) -> None:
    message = asked(call, "Hello", thinking=thinking)
    first, text = message["content"]
    assert first["type"] == "thinking"
    assert bool(first["thinking"]) == (thinking.get("display") != "omitted")
    assert first["signature"]
    usage = message["usage"]
    thought = usage["output_tokens_details"]["thinking_tokens"]
    assert thought > 0
    assert usage["output_tokens"] == thought + count_text(text["text"])
    streamed = call.create(messages=[user("Hello")], thinking=thinking, stream=True)
    text = streamed.read().decode()
    assert ("thinking_delta" in text) == bool(first["thinking"])
    assert collapse(text)["content"] == message["content"]


def test_thinking_can_take_the_whole_limit(call: Caller) -> None:
    message = asked(call, "Hello", thinking={"type": "adaptive"}, max_tokens=3)
    (only,) = message["content"]
    assert (only["type"], message["stop_reason"]) == ("thinking", "max_tokens")
    assert len(pieces(only["thinking"])) == 3
    assert message["usage"]["output_tokens"] == 3


def test_changed_thinking_is_refused(call: Caller) -> None:
    thinking = {"type": "adaptive"}
    first = asked(call, "weather", thinking=thinking, tools=[WEATHER])
    use = first["content"][-1]["id"]

    def send(blocks: list[Any]) -> Any:
        messages = [
            user("weather"),
            {"role": "assistant", "content": blocks},
            user(tool_result(use)),
        ]
        return call.create(messages=messages, thinking=thinking, tools=[WEATHER])

    assert send(first["content"]).status == 200
    changed = [{**first["content"][0], "thinking": "Something else"}, *first["content"][1:]]
    assert "cannot be modified" in refused(send(changed))
    foreign = [{"type": "thinking", "thinking": "x", "signature": "c2ln"}, *first["content"][1:]]
    assert send(foreign).status == 200


@pytest.mark.parametrize(
    ("model", "thinking", "works"),
    [
        ("claude-opus-5-5", {"type": "enabled", "budget_tokens": 1024}, False),
        ("claude-opus-5-5", {"type": "disabled"}, False),
        ("claude-haiku-5-5", {"type": "disabled"}, True),
        ("claude-sonnet-4-5", {"type": "enabled", "budget_tokens": 1024}, True),
        ("claude-sonnet-4-5", {"type": "enabled", "budget_tokens": 1023}, False),
        ("claude-sonnet-4-5", {"type": "enabled", "budget_tokens": 2000}, False),
        ("claude-sonnet-4-5", {"type": "adaptive"}, False),
        ("claude-opus-4-7", {"type": "enabled", "budget_tokens": 1024}, False),
        ("claude-opus-4-6", {"type": "adaptive"}, True),
        ("claude-mythos-5", {"type": "disabled"}, False),
        ("claude-of-tomorrow", {"type": "enabled", "budget_tokens": 1024}, True),
    ],
)
def test_models_take_only_some_kinds_of_thinking(
    call: Caller, model: str, thinking: Any, works: bool
) -> None:
    response = call.create(model=model, thinking=thinking, max_tokens=2000)
    assert response.status == (200 if works else 400), response.json()


def test_forced_tools_do_not_go_with_enabled_thinking(call: Caller) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    body = {"model": "claude-sonnet-4-5", "max_tokens": 2000, "thinking": thinking}
    response = call.create(**body, tools=[WEATHER], tool_choice={"type": "any"})
    assert refused(response).startswith("tool_choice: ")


def document(text: str, **more: Any) -> dict[str, Any]:
    source = {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "document", "source": source, "citations": {"enabled": True}, **more}


def test_documents_are_cited(call: Caller) -> None:
    text = "It rains in Bergen. The sun shines in Oslo! Snow falls."
    plain = {**document("Not this."), "citations": None}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="}
    parts = {"type": "content", "content": [block("One."), block("The sun in Oslo.")]}
    found = {
        "type": "search_result",
        "source": "https://a.test/",
        "title": "A",
        "content": [block("Nothing."), block("Oslo has sun.")],
        "citations": {"enabled": True},
    }
    content = [
        plain,
        document(text, title="Notes"),
        document("", source=pdf),
        document("", source=parts),
        found,
        "Where does the sun shine, Oslo?",
    ]
    message = call.create(messages=[user(*content)]).json()
    cited = [b["citations"][0] for b in message["content"] if b.get("citations")]
    assert cited[0] == {
        "type": "char_location",
        "cited_text": "The sun shines in Oslo! ",
        "document_index": 1,
        "document_title": "Notes",
        "start_char_index": 20,
        "end_char_index": 44,
        "file_id": None,
    }
    assert text[20:44] == cited[0]["cited_text"]
    assert (cited[1]["type"], cited[1]["document_index"]) == ("page_location", 2)
    assert (cited[2]["type"], cited[2]["start_block_index"]) == ("content_block_location", 1)
    assert (cited[3]["type"], cited[3]["search_result_index"]) == ("search_result_location", 0)
    streamed = call.create(messages=[user(*content)], stream=True).read().decode()
    assert "citations_delta" in streamed
    assert collapse(streamed)["content"] == message["content"]


def test_an_uploaded_file_is_cited(call: Caller) -> None:
    file_id = upload(call, "a.txt", b"The first sentence. The second one.").json()["id"]
    source = {"type": "file", "file_id": file_id}
    message = call.create(messages=[user(document("", source=source), "Which is second?")]).json()
    (citation,) = message["content"][1]["citations"]
    assert (citation["cited_text"], citation["file_id"]) == ("The second one.", file_id)


def test_output_formats_go_with_neither_citations_nor_prefill(call: Caller) -> None:
    config = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    cited = call.create(messages=[user(document("A."), "B?")], output_config=config)
    assert "citations" in refused(cited)
    old = {"model": "claude-sonnet-4-5", "output_config": config}
    assert "prefill" in refused(call.create(messages=[user("A"), assistant("{")], **old))


def test_what_is_asked_for_is_told(call: Caller) -> None:
    usage = asked(call, "Hi", inference_geo="us", speed="fast")["usage"]
    assert (usage["inference_geo"], usage["speed"]) == ("us", "fast")
    usage = asked(call, "Hi", service_tier="standard_only")["usage"]
    assert usage["service_tier"] == "standard"
    assert not usage.keys() & {"inference_geo", "speed", "output_tokens_details"}


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "where"),
    [
        ([user("x"), user(tool_result("toolu_1"))], "messages.1.content.0.tool_use_id"),
        ([user("x"), assistant(tool_use("toolu_1")), user("y")], "messages.1.content.0"),
        ([user("x"), assistant(tool_use("toolu_1"))], "messages.1.content.0"),
        (
            [
                user("x"),
                assistant(tool_use("toolu_1")),
                user(tool_result("toolu_1"), tool_result("toolu_1")),
            ],
            "messages.2.content.1.tool_use_id",
        ),
        ([user("x"), assistant(tool_use("a"), tool_use("a"))], "messages.1.content.1.id"),
        ([user("x"), assistant("Here is: ")], "messages"),
        ([user("x"), assistant(document("A.")), user("y")], "messages.1.content.0"),
    ],
)
def test_turns_that_do_not_fit(call: Caller, messages: Any, where: str) -> None:
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        body = {**minimal(), "messages": messages}
        if path.endswith("tokens"):
            del body["max_tokens"]
        assert refused(call("POST", path, body)).startswith(f"{where}: ")


def test_results_may_come_in_several_messages(call: Caller) -> None:
    messages = [
        user("x"),
        assistant("I look."),
        assistant(tool_use("a"), tool_use("b")),
        user(tool_result("b")),
        user(tool_result("a"), "And?"),
    ]
    assert call.create(messages=messages).status == 200


def test_prefill_depends_on_the_model(call: Caller) -> None:
    messages = [user("x"), assistant("Here is")]
    assert call.create(messages=messages, model="claude-sonnet-4-5").status == 200
    assert call.create(messages=messages, model="my-own-model").status == 200
    assert "prefill" in refused(call.create(messages=messages, model="claude-opus-4-6"))


def test_a_paused_turn_is_sent_back(call: Caller) -> None:
    used = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    messages = [user("x"), assistant("I search.", used)]
    assert call.create(messages=messages).status == 200


def test_the_version_decides_about_documents_and_citations(call: Caller) -> None:
    older = {"anthropic-version": "2023-06-01"}
    messages = [user("x"), assistant(document("A.")), user("y")]
    assert call.create(older, messages=messages).status == 200
    location = {
        "type": "char_location",
        "cited_text": "A",
        "document_index": 0,
        "document_title": None,
        "start_char_index": 0,
        "end_char_index": 1,
    }
    messages = [user({**block("A"), "citations": [location]})]
    assert call.create(older, messages=messages).status == 200
    assert refused(call.create(messages=messages)).startswith("messages.0.content.0.citations")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"tools": [WEATHER, WEATHER]}, "tools.1.name: used by another tool"),
        ({"tools": [{**WEATHER, "name": "no spaces"}]}, "tools.0.name: must match"),
        ({"tool_choice": {"type": "any"}}, "tool_choice: only together with tools"),
    ],
)
def test_tools_that_are_refused(call: Caller, body: Any, message: str) -> None:
    assert refused(call.create(**body)).startswith(message)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-5-5", (5, 5)),
        ("claude-opus-4-20250514", (4, 0)),
        ("claude-3-5-sonnet-20241022", (3, 5)),
        ("claude-sonnet-5", (5, 0)),
        ("claude-mythos-preview", None),
        ("other-4-5", None),
    ],
)
def test_generation(model: str, expected: Any) -> None:
    assert generation(model) == expected


# -- prompt cache ------------------------------------------------------------------------------


def marked(text: str, ttl: str | None = None) -> dict[str, Any]:
    control = {"type": "ephemeral", **({"ttl": ttl} if ttl else {})}
    return {**block(text), "cache_control": control}


def cache_counts(message: Mapping[str, Any]) -> tuple[int, int]:
    usage = message["usage"]
    created = usage["cache_creation"]
    total = created["ephemeral_5m_input_tokens"] + created["ephemeral_1h_input_tokens"]
    assert usage["cache_creation_input_tokens"] == total
    return usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]


def test_the_second_identical_prefix_is_read() -> None:
    now = [1_790_000_000.0]
    call = Caller(MockAPI(clock=lambda: now[0]))
    system = [marked(LONG)]
    first = asked(call, "One", system=system)
    created, read = cache_counts(first)
    assert created > 1000
    assert read == 0
    count = {"model": "claude-opus-5-5", "system": system, "messages": [user("One")]}
    total = call("POST", "/v1/messages/count_tokens", count).json()["input_tokens"]
    assert first["usage"]["input_tokens"] + created == total
    second = asked(call, "Another question", system=system)
    assert cache_counts(second) == (0, created)
    now[0] += 299
    assert cache_counts(asked(call, "One", system=system)) == (0, created)
    now[0] += 299  # each use starts the lifetime anew
    assert cache_counts(asked(call, "One", system=system)) == (0, created)
    now[0] += 300
    assert cache_counts(asked(call, "One", system=system)) == (created, 0)
    assert cache_counts(asked(call, "One", system=system, model="claude-opus-5")) == (created, 0)
    other = call.create({"anthropic-workspace-id": "wrkspc_01other"}, system=system).json()
    assert cache_counts(other) == (created, 0)
    changed = asked(call, "One", system=system, tools=[WEATHER])
    assert cache_counts(changed)[1] == 0


def test_a_growing_conversation_reads_what_came_before(call: Caller) -> None:
    messages = [user(LONG)]
    control = {"type": "ephemeral", "ttl": "1h"}
    sizes = []
    for turn in range(3):
        message = call.create(messages=messages, cache_control=control).json()
        sizes.append(cache_counts(message))
        assert message["usage"]["input_tokens"] == 0
        assert message["usage"]["cache_creation"]["ephemeral_5m_input_tokens"] == 0
        messages = [*messages, assistant("Answer"), user(f"Question {turn}")]
    assert sizes[0][1] == 0
    assert sizes[1][1] == sizes[0][0]
    assert sizes[2][1] == sizes[1][0] + sizes[1][1]


def test_short_prompts_are_not_cached(call: Caller) -> None:
    for _ in range(2):
        assert cache_counts(asked(call, "One", system=[marked("Short.")])) == (0, 0)
    assert least_prefix("claude-opus-5-5") < least_prefix("claude-haiku-4-5")


def test_breakpoints_are_few_and_in_order(call: Caller) -> None:
    four = [marked(str(number)) for number in range(4)]
    assert call.create(system=four).status == 200
    assert refused(call.create(system=[*four, marked("5")])).startswith("cache_control: ")
    automatic = {"type": "ephemeral"}
    assert refused(call.create(system=four, cache_control=automatic)).startswith("cache_control")
    mixed = [marked("a"), marked("b", "1h")]
    assert "ttl" in refused(call.create(system=mixed))
    assert call.create(system=mixed[::-1]).status == 200


def test_both_lifetimes_are_told_apart(call: Caller) -> None:
    message = asked(call, "Hi", system=[marked(LONG, "1h"), marked(LONG + "More")])
    created = message["usage"]["cache_creation"]
    assert created["ephemeral_1h_input_tokens"] > 1000
    assert created["ephemeral_5m_input_tokens"] > 1000


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from claude_client.testing import prompt_cache

    monkeypatch.setattr(prompt_cache, "_KEPT", 3)
    cache = PromptCache()
    for number in range(6):
        cache.use({**minimal(), "system": [marked(f"{number} {LONG}")]}, scope="", now=0.0)
    last = {**minimal(), "system": [marked(f"5 {LONG}")]}
    first = {**minimal(), "system": [marked(f"0 {LONG}")]}
    assert cache.use(last, scope="", now=1.0).read > 0
    assert cache.use(first, scope="", now=1.0).read == 0


def test_diagnostics_say_why_the_cache_missed(call: Caller) -> None:
    def diagnosed(previous: str | None, **body: Any) -> Any:
        diagnostics = {"previous_message_id": previous}
        return call.create(diagnostics=diagnostics, **body).json()

    first = diagnosed(None, system="S")
    assert first["diagnostics"] is None

    def reason(previous: str, **body: Any) -> Any:
        found = diagnosed(previous, **body)["diagnostics"]
        return found and found["cache_miss_reason"]["type"]

    longer = [*minimal()["messages"], assistant("A"), user("B")]
    assert reason(first["id"], system="S", messages=longer) is None
    assert reason(first["id"], system="T") == "system_changed"
    assert reason(first["id"], system="S", tools=[WEATHER]) == "tools_changed"
    assert reason(first["id"], system="S", model="claude-haiku-5-5") == "model_changed"
    assert reason(first["id"], system="S", messages=[user("Other")]) == "messages_changed"
    assert reason("msg_none", system="S") == "previous_message_not_found"


# -- context edits -----------------------------------------------------------------------------


def history(turns: int) -> list[dict[str, Any]]:
    """Return a conversation with a long tool result and thinking in each turn."""
    messages = [user("x")]
    for number in range(turns):
        thought = {"type": "thinking", "thinking": "Hm " * 50, "signature": "c2ln"}
        messages += [
            assistant(thought, tool_use(f"t{number}")),
            user(tool_result(f"t{number}", LONG)),
        ]
    return messages


def test_old_tool_results_are_cleared(call: Caller) -> None:
    edit = {
        "type": "clear_tool_uses_20250919",
        "trigger": {"type": "input_tokens", "value": 2_000},
        "keep": {"type": "tool_uses", "value": 1},
    }
    body = {"messages": history(3), "context_management": {"edits": [edit]}}
    message = call.create(CONTEXT, **body).json()
    (applied,) = message["context_management"]["applied_edits"]
    assert (applied["type"], applied["cleared_tool_uses"]) == (edit["type"], 2)
    assert applied["cleared_input_tokens"] > 2_000
    count = call(
        "POST", "/v1/messages/count_tokens", {"model": "claude-opus-5-5", **body}, headers=CONTEXT
    ).json()
    assert count["input_tokens"] == message["usage"]["input_tokens"]
    original = count["context_management"]["original_input_tokens"]
    assert original == count["input_tokens"] + applied["cleared_input_tokens"]
    for change in (
        {"trigger": {"type": "tool_uses", "value": 4}},
        {"clear_at_least": {"type": "input_tokens", "value": 1_000_000}},
        {"exclude_tools": ["get_weather"]},
        {"keep": {"type": "tool_uses", "value": 3}},
    ):
        body["context_management"] = {"edits": [{**edit, **change}]}
        untouched = call.create(CONTEXT, **body).json()
        assert untouched["context_management"] == {"applied_edits": []}


def test_old_thinking_is_cleared(call: Caller) -> None:
    def send(**keep: Any) -> Any:
        edits = [{"type": "clear_thinking_20251015", **keep}]
        body = {"messages": history(3), "context_management": {"edits": edits}}
        return call.create(CONTEXT, **body).json()["context_management"]["applied_edits"]

    (applied,) = send()
    assert applied["cleared_thinking_turns"] == 2
    assert send(keep={"type": "thinking_turns", "value": 2})[0]["cleared_thinking_turns"] == 1
    assert send(keep="all") == send(keep={"type": "all"}) == []


def test_nothing_is_told_about_edits_that_were_not_asked_for(call: Caller) -> None:
    message = asked(call, "Hi")
    assert not message.keys() & {"context_management", "container", "diagnostics", "stop_details"}


def test_a_long_conversation_is_compacted(call: Caller) -> None:
    flag = {"anthropic-beta": "compact-2026-01-12"}
    edit: dict[str, Any] = {
        "type": "compact_20260112",
        "trigger": {"type": "input_tokens", "value": 2_000},
    }
    body = {"messages": [user(LONG), assistant("A"), user(LONG)]}
    message = call.create(flag, **body, context_management={"edits": [edit]}).json()
    summary, text = message["content"]
    assert (summary["type"], text["type"]) == ("compaction", "text")
    steps = [step["type"] for step in message["usage"]["iterations"]]
    assert steps == ["compaction", "message"]
    streamed = call.create(flag, **body, context_management={"edits": [edit]}, stream=True)
    assert collapse(streamed.read().decode())["content"] == message["content"]
    edit["pause_after_compaction"] = True
    paused = call.create(flag, **body, context_management={"edits": [edit]}).json()
    assert paused["stop_reason"] == "compaction"
    assert [b["type"] for b in paused["content"]] == ["compaction"]
    # Sent back, the summary stands for everything before it, so nothing is left to sum up.
    body["messages"] += [{"role": "assistant", "content": paused["content"]}, user("Go on")]
    again = call.create(flag, **body, context_management={"edits": [edit]}).json()
    assert [b["type"] for b in again["content"]] == ["text"]
    assert again["usage"]["input_tokens"] < 100


def test_compaction_on_request(call: Caller) -> None:
    flags = {"anthropic-beta": "compact-2026-09-04,context-management-2025-06-27"}
    message = call.create(flags, compaction={"type": "summarize"}).json()
    assert [b["type"] for b in message["content"]] == ["compaction"]
    assert message["stop_reason"] == "compaction"
    both = call.create(flags, compaction={"type": "summarize"}, context_management={"edits": []})
    assert "not together" in refused(both)


# -- threads -----------------------------------------------------------------------------------


def test_a_thread_holds_the_conversation() -> None:
    now = [1_790_000_000.0]
    call = Caller(MockAPI(clock=lambda: now[0]))
    flag = {"anthropic-beta": "message-threads-2026-08-12"}

    def go_on(previous: str, *messages: Any, **body: Any) -> Any:
        thread = {"type": "continue", "previous_message_id": previous}
        return call.create(flag, thread=thread, messages=list(messages), **body)

    def code(response: Any) -> tuple[int, str]:
        return response.status, response.json()["error"]["details"]["error_code"]

    first = call.create(
        flag, thread={"type": "create"}, system="S", tools=[WEATHER], messages=[user("weather")]
    ).json()
    identifier = first["content"][0]["id"]
    # What does not fit the conversation is refused, and leaves the thread as it was.
    assert refused(go_on(first["id"], user("No result")))
    second = go_on(first["id"], user(tool_result(identifier, "Rain in Oslo"))).json()
    assert "Rain in Oslo" in second["content"][0]["text"]
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]
    assert code(go_on(first["id"], user("x"))) == (400, "thread_already_continued")
    other = go_on(second["id"], user("x"), model="claude-haiku-5-5")
    assert code(other) == (400, "thread_fingerprint_mismatch")
    assert code(go_on(second["id"], user("x"), system="T")) == (400, "thread_unsupported_request")
    assert code(go_on("msg_none", user("x"))) == (404, "thread_not_found")
    now[0] += 300
    assert code(go_on(second["id"], user("x"))) == (404, "thread_not_found")


# -- streams -----------------------------------------------------------------------------------


def test_pings_are_all_over_a_long_stream(call: Caller) -> None:
    text = call.create(messages=[user("word " * 200)], stream=True).read().decode()
    kinds = [json.loads(line[5:])["type"] for line in text.split("\n") if line.startswith("data:")]
    assert kinds.count("ping") > 5
    assert kinds[-1] == "message_stop"
    places = [place for place, kind in enumerate(kinds) if kind == "ping"]
    assert all(later - earlier < 20 for earlier, later in pairwise(places))


def test_what_the_answer_decides_is_not_in_its_start(call: Caller) -> None:
    tool = {"type": "code_execution_20250825", "name": "code_execution"}
    search = {"type": "web_search_20250305", "name": "web_search"}
    body = {
        "tools": [tool, search],
        "thinking": {"type": "adaptive"},
        "messages": [user("Use code execution, then search the web")],
    }
    text = call.create(**body, stream=True).read().decode()
    first = json.loads(text.split("\n")[1].removeprefix("data:"))["message"]
    assert first["container"] is None
    assert not first["usage"].keys() & {"output_tokens_details", "server_tool_use"}
    whole = call.create(**body).json()
    streamed = collapse(text)
    assert streamed["usage"] == whole["usage"]
    assert streamed["container"]["expires_at"] == whole["container"]["expires_at"]
