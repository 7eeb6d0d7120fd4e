"""The official SDK as an independent client of the mock, and as a second opinion on requests.

First the SDK talks to the mock as a server, with its strict validation of every response. Then it
and this client make the same calls, and what they send is compared.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import json
import os
import warnings
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from claude_client import AsyncClaude, Claude
from claude_client.testing import MockAPI, MockRequest, serve
from claude_client.testing.forms import read_form
from claude_client.testing.validation import BodyValidator
from loopback import LoopbackServer, Send, response

from .made_arguments import BUNDLE, MANUAL, arguments_of, examples_of, find, operations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

anthropic: Any = pytest.importorskip(
    "anthropic", reason="the official SDK is not installed", exc_type=ImportError
)

MODEL = "claude-opus-5-5"
HELLO: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 2_000,
    "messages": [{"role": "user", "content": "Hello, Claude"}],
}
WEATHER = {
    "name": "get_weather",
    "description": "Weather at a place.",
    "input_schema": {
        "type": "object",
        "properties": {"place": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["place"],
    },
}
NOTES = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "It rains. The sun shines."},
    "title": "Notes",
    "citations": {"enabled": True},
}
LONG = "Never forget any of these words. " * 200
ASKED: dict[str, dict[str, Any]] = {
    "text": {},
    "cut": {"max_tokens": 3},
    "nothing": {"max_tokens": 0},
    "stopped": {"stop_sequences": ["Claude"]},
    "forced_tool": {"tools": [WEATHER], "tool_choice": {"type": "any"}},
    "named_tool": {
        "tools": [WEATHER],
        "messages": [{"role": "user", "content": "What is the weather?"}],
    },
    "thinking": {"thinking": {"type": "adaptive"}},
    "hidden_thinking": {"thinking": {"type": "adaptive", "display": "omitted"}},
    "thinking_and_tool": {
        "thinking": {"type": "adaptive"},
        "tools": [WEATHER],
        "messages": [{"role": "user", "content": 'get_weather {"place": "Oslo", "days": 2}'}],
    },
    "citations": {
        "messages": [
            {"role": "user", "content": [NOTES, {"type": "text", "text": "Does the sun shine?"}]}
        ]
    },
    "structured": {
        "output_config": {
            "format": {
                "type": "json_schema",
                "schema": {**WEATHER["input_schema"], "additionalProperties": False},  # type: ignore[dict-item]
            }
        }
    },
    "cached": {
        "system": [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}],
        "diagnostics": {"previous_message_id": None},
    },
    "geo": {"inference_geo": "us", "service_tier": "standard_only"},
    "web_search": {
        "tools": [{"type": "web_search_20250305", "name": "web_search"}],
        "messages": [{"role": "user", "content": "Search the web for bridges"}],
    },
    "web_fetch": {
        "tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}],
        "messages": [{"role": "user", "content": "web_fetch https://example.com/a"}],
    },
    "code_execution": {
        "tools": [{"type": "code_execution_20250825", "name": "code_execution"}],
        "messages": [{"role": "user", "content": "Use code execution"}],
    },
    "older_code_execution": {
        "tools": [{"type": "code_execution_20250522", "name": "code_execution"}],
        "messages": [{"role": "user", "content": "Use code execution"}],
    },
    "tool_search": {
        "tools": [
            {"type": "tool_search_tool_bm25", "name": "tool_search_tool_bm25"},
            {**WEATHER, "defer_loading": True},
        ],
        "tool_choice": {"type": "tool", "name": "tool_search_tool_bm25"},
    },
}
"""Bodies for as many kinds of answers as the mock makes up, by what they show."""
ASKED_WITH_FLAGS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "context_management": (
        ["context-management-2025-06-27"],
        {"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}},
    ),
    "compaction": (["compact-2026-09-04"], {"compaction": {"type": "summarize"}}),
    "mcp": (
        ["mcp-client-2025-11-20"],
        {
            "mcp_servers": [{"type": "url", "name": "files", "url": "https://mcp.example.com/"}],
            "tools": [{"type": "mcp_toolset", "mcp_server_name": "files"}],
            "messages": [{"role": "user", "content": "List my files"}],
        },
    ),
    "advisor": (
        ["advisor-tool-2026-03-01"],
        {
            "tools": [{"type": "advisor_20260301", "name": "advisor", "model": MODEL}],
            "messages": [{"role": "user", "content": "Ask the advisor"}],
        },
    ),
}
MADE_UP = ("id", "tool_use_id", "parsed_output")
"""Keys that differ between two equal answers, or that only the SDK has."""
BYTES = bytes(range(256)) * 64

CLIENTS = [
    pytest.param(anthropic.Anthropic, id="sync"),
    pytest.param(anthropic.AsyncAnthropic, id="async"),
]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    # A clock that stands still: times in answers are the same in every one.
    with serve(MockAPI(uploads_downloadable=True, clock=lambda: 1_790_000_000.0)) as server:
        yield server.url


async def done(value: Any) -> Any:
    """Return what a method of either client returns in the end."""
    return await value if inspect.isawaitable(value) else value


async def everything(value: Any) -> list[Any]:
    """Return all items of a list or stream of either client."""
    value = await done(value)
    if hasattr(value, "__aiter__"):
        return [item async for item in value]
    return list(value)


def talk(client_class: Any, url: str, scenario: Callable[[Any], Awaitable[None]]) -> None:
    """Run a scenario with a client of the SDK that validates every response."""

    async def main() -> None:
        client = client_class(
            api_key="test-key", base_url=url, max_retries=0, _strict_response_validation=True
        )
        try:
            await scenario(client)
        finally:
            await done(client.close())

    asyncio.run(main())


def comparable(message: Any) -> Any:
    """Return a message as JSON, without the IDs and what the SDK adds when it parses."""
    value = message if isinstance(message, dict) else message.to_dict(mode="json")
    parts = [value, value.get("container") or {}, *value["content"]]
    kept = [{k: v for k, v in part.items() if k not in MADE_UP} for part in parts]
    return without_nulls({**kept[0], "container": kept[1], "content": kept[2:]})


def without_nulls(value: Any) -> Any:
    """Return JSON without what is null; the SDK adds nulls where a field is absent."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


# -- the SDK talks to the mock -----------------------------------------------------------------


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize("name", ASKED)
def test_messages_whole_counted_and_streamed(client_class: Any, url: str, name: str) -> None:
    body = {**HELLO, **ASKED[name]}

    async def scenario(client: Any) -> None:
        # The first call fills the cache, so that the others all read it.
        await done(client.messages.create(**body))
        whole = await done(client.messages.create(**body))
        countable = {
            key: value
            for key, value in body.items()
            if key in inspect.signature(client.messages.count_tokens).parameters
        }
        count = await done(client.messages.count_tokens(**countable))
        usage = whole.usage
        cached = usage.cache_creation_input_tokens + usage.cache_read_input_tokens
        assert count.input_tokens == usage.input_tokens + cached
        events = await everything(client.messages.create(**body, stream=True))
        assert events[0].type == "message_start"
        assert events[-1].type == "message_stop"
        arguments = {key: value for key, value in body.items() if key != "stream"}
        if client_class is anthropic.AsyncAnthropic:
            async with client.messages.stream(**arguments) as stream:
                final = await stream.get_final_message()
        else:
            with client.messages.stream(**arguments) as stream:
                final = stream.get_final_message()
        assert comparable(final) == comparable(whole)

    talk(client_class, url, scenario)


@pytest.mark.parametrize("name", ASKED_WITH_FLAGS)
def test_beta_messages_whole_and_streamed(url: str, name: str) -> None:
    betas, more = ASKED_WITH_FLAGS[name]
    body = {**HELLO, **more, "betas": betas}

    async def scenario(client: Any) -> None:
        whole = client.beta.messages.create(**body)
        with client.beta.messages.stream(**body) as stream:
            final = stream.get_final_message()
        assert comparable(final) == comparable(whole)

    talk(anthropic.Anthropic, url, scenario)


def test_a_tool_runs_until_the_model_answers(url: str) -> None:
    """The SDK's own loop: call, run, send the result, read the answer."""
    told: list[str] = []

    @anthropic.beta_tool
    def get_weather(place: str) -> str:
        """Weather at a place.

        Args:
            place: Where.
        """
        told.append(place)
        return f"Rain in {place}"

    async def scenario(client: Any) -> None:
        asked = 'Call get_weather with {"place": "Oslo"}'
        runner = client.beta.messages.tool_runner(
            model=MODEL,
            max_tokens=500,
            tools=[get_weather],
            messages=[{"role": "user", "content": asked}],
            thinking={"type": "adaptive"},
        )
        final = runner.until_done()
        assert told == ["Oslo"]
        assert final.stop_reason == "end_turn"
        assert "Rain in Oslo" in final.content[-1].text

    talk(anthropic.Anthropic, url, scenario)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_batches(client_class: Any, url: str) -> None:
    requests = [
        {"custom_id": "one", "params": HELLO},
        {"custom_id": "two", "params": {**HELLO, **ASKED["forced_tool"]}},
        {"custom_id": "bad", "params": {"model": MODEL}},
    ]

    async def scenario(client: Any) -> None:
        made = await done(client.messages.batches.create(requests=requests))
        assert made.processing_status == "in_progress"
        while made.processing_status != "ended":
            made = await done(client.messages.batches.retrieve(made.id))
        assert (made.request_counts.succeeded, made.request_counts.errored) == (2, 1)
        results = await everything(client.messages.batches.results(made.id))
        found = {entry.custom_id: entry.result for entry in results}
        alone = await done(client.messages.create(**HELLO))
        message = comparable(found["one"].message)
        message["usage"]["service_tier"] = "standard"
        assert message == comparable(alone)
        assert found["bad"].error.error.type == "invalid_request_error"
        second = await done(client.messages.batches.create(requests=requests[:1]))
        canceled = await done(client.messages.batches.cancel(second.id))
        assert canceled.processing_status == "canceling"
        listed = await everything(client.messages.batches.list(limit=1))
        assert [batch.id for batch in listed][:2] == [second.id, made.id]
        deleted = await done(client.messages.batches.delete(made.id))
        assert deleted.id == made.id

    talk(client_class, url, scenario)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_files(client_class: Any, url: str) -> None:
    async def scenario(client: Any) -> None:
        made = [
            await done(
                client.files.upload(file=(f"{number}.bin", BYTES, "application/octet-stream"))
            )
            for number in range(3)
        ]
        assert await done(client.files.retrieve_metadata(made[0].id)) == made[0]
        content = await done(client.files.download(made[0].id))
        assert await done(content.read()) == BYTES
        listed = await everything(client.files.list(limit=2))
        assert [file.id for file in listed][:3] == [file.id for file in reversed(made)]
        picked = await everything(client.files.list(ids=[made[1].id]))
        assert picked == [made[1]]
        for file in made:
            assert (await done(client.files.delete(file.id))).type == "file_deleted"

    talk(client_class, url, scenario)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_skills(client_class: Any, url: str) -> None:
    files = [("checker/SKILL.md", MANUAL), ("checker/rules.txt", b"\x00rules")]

    async def scenario(client: Any) -> None:
        skill = await done(client.skills.create(files=files, display_name="Checker"))
        assert await done(client.skills.retrieve(skill.id)) == skill
        second = await done(client.skills.versions.create(skill.id, files=files[:1]))
        latest = await done(client.skills.versions.retrieve("latest", skill_id=skill.id))
        assert latest == second
        versions = await everything(client.skills.versions.list(skill.id, limit=1))
        assert [version.id for version in versions] == [second.id, skill.latest_version_id]
        archive = await done(
            client.beta.skills.versions.download(skill.latest_version_id, skill_id=skill.id)
        )
        with zipfile.ZipFile(io.BytesIO(await done(archive.read()))) as opened:
            assert {name: opened.read(name) for name in opened.namelist()} == dict(files)
        listed = await everything(client.skills.list(limit=2))
        assert skill.id in [entry.id for entry in listed]
        assert {"pptx", "docx"} <= {entry.id for entry in listed}
        await done(client.skills.versions.delete(skill.latest_version_id, skill_id=skill.id))
        await done(client.skills.delete(skill.id))

    talk(client_class, url, scenario)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_models_and_paging_both_ways(client_class: Any, url: str) -> None:
    async def scenario(client: Any) -> None:
        forwards = await everything(client.models.list(limit=2))
        assert len(forwards) >= 4
        backwards = await everything(client.models.list(limit=2, before_id=forwards[-1].id))
        assert {model.id for model in backwards} == {model.id for model in forwards[:-1]}
        for model in forwards:
            assert await done(client.models.retrieve(model.id)) == model

    talk(client_class, url, scenario)


def test_refusals_are_the_errors_of_the_sdk(url: str) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(anthropic.BadRequestError) as caught:
            client.messages.create(**{**HELLO, "messages": []})
        assert caught.value.type == "invalid_request_error"
        assert caught.value.request_id.startswith("req_")
        with pytest.raises(anthropic.NotFoundError):
            client.files.retrieve_metadata("file_none")

    talk(anthropic.Anthropic, url, scenario)


def test_a_thread_is_continued_and_begun_again() -> None:
    """The SDK's own helper: it sends what is new, and everything when the thread is gone."""
    now = [1_790_000_000.0]
    api = MockAPI(clock=lambda: now[0])

    async def scenario(client: Any) -> None:
        thread = client.beta.messages.thread(model=MODEL, max_tokens=200, system="Be brief.")
        sizes = []
        for word in ("One", "Two", "Three"):
            reply = thread.send({"role": "user", "content": word})
            assert reply.content[0].text.endswith(word)
            sizes.append(reply.usage.input_tokens)
            now[0] += 200
        now[0] += 300
        reply = thread.send({"role": "user", "content": "Four"})
        assert [*sizes, reply.usage.input_tokens] == sorted({*sizes, reply.usage.input_tokens})

    with serve(api) as server:
        talk(anthropic.Anthropic, server.url, scenario)


@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
@pytest.mark.parametrize("operation", list(operations()))
def test_every_example_of_the_spec_is_what_the_sdk_expects(url: str, operation: Any) -> None:
    """The examples come back from the mock, and the SDK's types take them."""
    asked = list(examples_of(operation))
    if not asked or "x-pagination" in operation:
        pytest.skip("no example says how it is asked for, or a listing that needs entries")

    async def scenario(client: Any) -> None:
        for name, arguments, headers in asked:
            stable = find(client, operation)
            method = find(client.beta, operation)
            given = dict(arguments)
            if "anthropic-beta" in headers:
                given["betas"] = headers["anthropic-beta"].split(",")
            elif stable is not None and given.keys() <= accepted(stable):
                method = stable
            assert method is not None, name
            more = {key: value for key, value in headers.items() if key != "anthropic-beta"}
            answer = method(**given, extra_headers=more)
            if given.get("stream") or hasattr(answer, "has_next_page"):
                list(answer)

    talk(anthropic.Anthropic, url, scenario)


# -- both clients send the same ----------------------------------------------------------------

NOT_COMPARED = {
    "stream": "the answer is no stream here",
}
"""Arguments that are left out, and why."""


def accepted(method: Any) -> set[str]:
    return set(inspect.signature(method).parameters)


def called(method: Any, arguments: dict[str, Any], server: LoopbackServer) -> MockRequest:
    """Call a method and return the last request that it sent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        method(**arguments)
    sent = server.requests[-1]
    url = urlsplit(sent.target)
    return MockRequest(sent.method, url.path, url.query, tuple(sent.headers), sent.body)


def described(request: MockRequest) -> dict[str, Any]:
    """Return what of a request has to be the same, whoever sends it."""
    content_type = (request.header("content-type") or "").partition(";")[0]
    body: Any = None
    if content_type == "multipart/form-data":
        body = [
            (part.name, part.filename, part.content_type, part.content)
            for part in read_form(request)
        ]
        body.sort(key=repr)
    elif request.body:
        body = json.loads(request.body)
    headers = ("anthropic-version", "anthropic-workspace-id", "anthropic-user-profile-id")
    return {
        "method": request.method,
        "path": request.path,
        "query": sorted(parse_qsl(request.query, keep_blank_values=True)),
        "headers": {name: request.header(name) for name in headers},
        "content_type": content_type if body is not None else None,
        "body": body,
    }


def flags(request: MockRequest) -> set[str]:
    """Return the beta flags of a request, without those that have no effect any more."""
    sent = {flag for flag in (request.header("anthropic-beta") or "").split(",") if flag}
    known = BUNDLE["x-betas"]
    return {
        flag
        for flag in sent
        if known[flag]["status"] == "active" or known[flag].get("selects_shape")
    }


@pytest.fixture(scope="module")
def recorder() -> Iterator[LoopbackServer]:
    with LoopbackServer([]) as server:
        results = f"{server.url}/v1/messages/batches/message_batch_id/results"
        answer = {"id": "id", "results_url": results}
        server.script = [[Send(response(json=answer))]]
        yield server


@pytest.mark.parametrize("amount", ["needed", "many"])
@pytest.mark.parametrize("namespace", ["stable", "beta"])
@pytest.mark.parametrize("operation", list(operations()))
def test_both_clients_send_the_same(
    recorder: LoopbackServer,
    operation: Any,
    namespace: str,
    amount: str,
) -> None:
    settings = {"base_url": recorder.url, "max_retries": 0, "timeout": 20}
    with (
        anthropic.Anthropic(api_key="key", **settings) as theirs,
        Claude(api_key="key", **settings) as ours,
    ):
        sides = (theirs, ours) if namespace == "stable" else (theirs.beta, ours.beta)
        their_method, our_method = (find(side, operation) for side in sides)
        if their_method is None:
            pytest.skip("the official SDK does not have it here")
        needed, possible = arguments_of(operation)
        arguments = needed
        if amount == "many":
            both = accepted(their_method) & accepted(our_method) - NOT_COMPARED.keys()
            chosen = {name: value for name, value in possible.items() if name in both}
            arguments = {**needed, **chosen}
            if "workspace_id" in accepted(their_method):
                # Methods of the organization take none, unless it is an argument of their own.
                arguments["workspace_id"] = "wrkspc_01a"
            if "user_profile_id" in both:
                arguments["user_profile_id"] = "uprof_01a"
        their_request = called(their_method, arguments, recorder)
        our_request = called(our_method, arguments, recorder)
    assert described(our_request) == described(their_request)
    assert flags(their_request) <= flags(our_request)


def test_the_comparison_covers_every_operation() -> None:
    """Every operation of the spec is one of the SDK's, in one of the two namespaces."""
    client = anthropic.Anthropic(api_key="key")
    for parameters in operations():
        (operation,) = parameters.values
        assert find(client, operation) or find(client.beta, operation), parameters.id


def test_both_clients_read_the_same(url: str) -> None:
    """One server, the same calls: what both clients return says the same."""

    async def scenario(client: Any) -> None:
        async with AsyncClaude(api_key="key", base_url=url) as ours:
            for name in ("text", "thinking_and_tool", "citations", "web_search"):
                body = {**HELLO, **ASKED[name]}
                theirs = await client.messages.create(**body)
                mine = await ours.messages.create(**body)
                assert comparable(mine.to_dict()) == comparable(theirs)
            theirs = [model.id for model in await everything(client.models.list(limit=2))]
            assert [m.id for m in await everything(ours.models.list(limit=2))] == theirs

    talk(anthropic.AsyncAnthropic, url, scenario)


@pytest.mark.parametrize("name", [*ASKED, *ASKED_WITH_FLAGS])
def test_made_messages_are_what_the_spec_says(name: str) -> None:
    """Nothing in an answer that the spec does not know, and nothing in another shape."""
    betas, more = ASKED_WITH_FLAGS.get(name) or ([], ASKED.get(name, {}))
    headers = (("x-api-key", "k"), ("anthropic-version", "2026-10-21"))
    if betas:
        headers += (("anthropic-beta", ",".join(betas)),)
    validator = BodyValidator(BUNDLE["components"]["schemas"], strict=True)
    body = json.dumps({**HELLO, **more}).encode()
    response = MockAPI().handle(MockRequest("POST", "/v1/messages", "", headers, body))
    assert response.status == 200
    validator.validate("message", {"$ref": "#/components/schemas/Message"}, response.json())
    streamed = json.dumps({**HELLO, **more, "stream": True}).encode()
    events = MockAPI().handle(MockRequest("POST", "/v1/messages", "", headers, streamed))
    for line in events.read().decode().split("\n"):
        if line.startswith("data:") and '"type":"ping"' not in line:
            event = {"$ref": "#/components/schemas/RawMessageStreamEvent"}
            validator.validate("event", event, json.loads(line[5:]))
