"""The founding document, row by row: what the API overview page states, shown to work.

A row that a later issue brings is a strict expected failure with that reason, so that it cannot
start to work, or stop, unnoticed.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from claude_client import (
    APIStatusError,
    AsyncClaude,
    AuthenticationError,
    BadRequestError,
    Claude,
    ContentTooLargeError,
    MissingCredentialsError,
    NotFoundError,
    RateLimitError,
)
from claude_client.testing import (
    AsyncMockTransport,
    MockAPI,
    MockRequest,
    MockResponse,
    MockTransport,
    serve,
)

EXAMPLES = Path(__file__).parents[2] / "spec" / "examples"
HELLO: Any = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Hello, Claude"}],
}


class Recorder(httpx.BaseTransport):
    """Passes requests on to the mock API and keeps them."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self.answers = list(answers)
        self.mock = MockTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        if self.answers:
            return self.answers.pop(0)
        return self.mock.handle_request(request)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "ANTHROPIC_WORKSPACE_ID",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def claude(recorder: Recorder) -> Iterator[Claude]:
    with (
        httpx.Client(transport=recorder) as http_client,
        Claude(api_key="test-key", http_client=http_client, max_retries=0) as client,
    ):
        yield client


def example(name: str) -> Any:
    return json.loads((EXAMPLES / name).read_text(encoding="utf-8"))


def sent(recorder: Recorder) -> Any:
    return json.loads(recorder.requests[-1].content)


def test_row_01_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Claude(api_key="k").base_url == "https://api.anthropic.com"
    assert Claude(api_key="k", base_url="http://localhost:1/").base_url == "http://localhost:1"
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://localhost:2")
    assert Claude(api_key="k").base_url == "http://localhost:2"


@pytest.mark.parametrize(
    "name",
    [
        "founding_document",
        "tool_use",
        "thinking",
        "image_input",
        "document_citations",
        "structured_output",
        "web_search",
    ],
)
def test_row_02_messages(claude: Claude, recorder: Recorder, name: str) -> None:
    request = example(f"messages_create/{name}.request.json")
    message = claude.messages.create(**request)
    assert sent(recorder) == request
    assert message.to_dict() == example(f"messages_create/{name}.response.json")
    with claude.messages.stream(**request) as stream:
        streamed = stream.get_final_message()
    assert streamed.content == message.content
    assert streamed.stop_reason == message.stop_reason


def test_row_03_message_batches(claude: Claude, recorder: Recorder) -> None:
    request = example("messages_batches_create/two_requests.request.json")
    created = claude.messages.batches.create(**request)
    assert sent(recorder) == request
    assert created.to_dict() == example("messages_batches_create/two_requests.response.json")
    assert [batch.id for batch in claude.messages.batches.list()] == [created.id]
    while (batch := claude.messages.batches.retrieve(created.id)).processing_status != "ended":
        pass
    assert batch.request_counts.succeeded == 2
    with claude.messages.batches.results(created.id) as results:
        answers = {line.custom_id: line.result for line in results}
    assert answers.keys() == {"capital-of-france", "capital-of-japan"}
    assert all(answer.type == "succeeded" for answer in answers.values())
    other = claude.messages.batches.create(**request)
    assert claude.messages.batches.cancel(other.id).processing_status == "canceling"
    assert claude.messages.batches.delete(created.id).type == "message_batch_deleted"


def test_row_04_token_counting(claude: Claude) -> None:
    count = claude.messages.count_tokens(
        model="claude-sonnet-4-5", messages=[{"role": "user", "content": "Hello, Claude"}]
    )
    assert count.input_tokens > 0


def test_row_05_models(claude: Claude) -> None:
    page = claude.models.list(limit=2)
    assert len(page.data) == 2
    assert page.has_next_page()
    ids = [model.id for model in claude.models.list(limit=2)]
    assert len(ids) == len(set(ids)) > 2
    assert claude.models.retrieve(ids[0]).id == ids[0]
    with pytest.raises(NotFoundError):
        claude.models.retrieve("no-such-model")


def test_row_06_files(claude: Claude, recorder: Recorder, tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"%PDF-1.7")
    uploaded = claude.files.upload(file=report)
    assert (uploaded.filename, uploaded.mime_type) == ("report.pdf", "application/pdf")
    assert recorder.requests[-1].headers["content-type"].startswith("multipart/form-data")
    assert [file.id for file in claude.files.list()] == [uploaded.id]
    assert claude.files.retrieve_metadata(uploaded.id) == uploaded
    block: Any = {"type": "document", "source": {"type": "file", "file_id": uploaded.id}}
    claude.messages.create(
        model="claude-sonnet-4-5", max_tokens=9, messages=[{"role": "user", "content": [block]}]
    )
    assert "anthropic-beta" not in recorder.requests[-1].headers
    with pytest.raises(BadRequestError) as caught:
        claude.files.download(uploaded.id)
    assert caught.value.error_code == "file_not_downloadable"
    recorder.answers.append(httpx.Response(200, content=b"made by a tool"))
    assert claude.files.download(uploaded.id).read() == b"made by a tool"
    assert claude.files.delete(uploaded.id).type == "file_deleted"


def test_row_07_skills(claude: Claude) -> None:
    manual = b"---\nname: greeter\ndescription: Greets people.\n---\nSay hello.\n"
    skill = claude.skills.create(files=[("greeter/SKILL.md", manual)], display_name="Greeter")
    assert skill.id in [found.id for found in claude.skills.list(source="custom")]
    assert claude.skills.retrieve("pptx").source.type == "anthropic"
    second = claude.skills.versions.create(skill.id, files=[("greeter/SKILL.md", manual)])
    assert [version.id for version in claude.skills.versions.list(skill.id)] == [
        second.id,
        skill.latest_version_id,
    ]
    assert claude.skills.versions.retrieve(skill.id, "latest").name == "greeter"
    assert claude.skills.versions.download(skill.id, second.id).read().startswith(b"PK")
    claude.skills.versions.delete(skill.id, second.id)
    assert claude.skills.delete(skill.id).type == "skill_deleted"


def test_row_08_beta_headers(claude: Claude, recorder: Recorder) -> None:
    request = example("messages_create/context_management.request.json")
    claude.messages.create(**request)
    derived = recorder.requests[-1].headers["anthropic-beta"].split(",")
    assert "context-management-2025-06-27" in derived
    claude.messages.create(**HELLO, betas=["interleaved-thinking-2025-05-14"])
    assert recorder.requests[-1].headers["anthropic-beta"] == "interleaved-thinking-2025-05-14"
    claude.messages.create(**HELLO)
    assert "anthropic-beta" not in recorder.requests[-1].headers


def test_row_09_headers(claude: Claude, recorder: Recorder) -> None:
    claude.messages.create(**HELLO)
    headers = recorder.requests[-1].headers
    assert headers["x-api-key"] == "test-key"
    assert headers["content-type"] == "application/json"
    assert headers["anthropic-version"] == "2026-10-21"
    claude.messages.create(**HELLO, api_version="2023-06-01")
    assert recorder.requests[-1].headers["anthropic-version"] == "2023-06-01"
    claude.messages.create(**HELLO, temperature=0.5)
    assert recorder.requests[-1].headers["anthropic-version"] == "2023-06-01"
    with (
        httpx.Client(transport=recorder) as http_client,
        Claude(auth_token="test-token", http_client=http_client) as bearer,
    ):
        bearer.messages.create(**HELLO)
    headers = recorder.requests[-1].headers
    assert headers["authorization"] == "Bearer test-token"
    assert "x-api-key" not in headers


def test_row_10_workspace_header(claude: Claude, recorder: Recorder) -> None:
    claude.messages.create(**HELLO, workspace_id="wrkspc_01")
    assert recorder.requests[-1].headers["anthropic-workspace-id"] == "wrkspc_01"


def test_row_10_workspaces_and_keys(claude: Claude, recorder: Recorder) -> None:
    claude.organization.workspaces.list()
    assert recorder.requests[-1].url.path == "/v1/organizations/workspaces"
    claude.organization.api_keys.list(workspace_id="wrkspc_01")
    request = recorder.requests[-1]
    assert (request.url.path, request.url.query) == (
        "/v1/organizations/api_keys",
        b"workspace_id=wrkspc_01",
    )
    assert "anthropic-workspace-id" not in request.headers


def test_row_11_sdk_benefits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    busy = httpx.Response(
        529,
        json={"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    )
    recorder = Recorder(busy)
    with (
        httpx.Client(transport=recorder) as http_client,
        Claude(api_key="k", http_client=http_client, timeout=30) as client,
    ):
        message = client.messages.create(**HELLO, timeout=5)
        assert message.content[0].type == "text"
        assert len(recorder.requests) == 2
        assert recorder.requests[-1].extensions["timeout"]["read"] == 5
        with client.messages.stream(**HELLO) as stream:
            assert "".join(stream.text_stream) == stream.get_final_text()
    with pytest.raises(MissingCredentialsError, match="ANTHROPIC_API_KEY"):
        Claude()


def test_row_12_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "mock-key")
    with serve() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        client = Claude()
        message = client.messages.create(
            model="claude-sonnet-4-5",
            max_tokens=1024,
            messages=[{"role": "user", "content": "Hello, Claude"}],
        )
        assert message.to_dict() == example("messages_create/founding_document.response.json")
        client.close()

        async def asynchronously() -> tuple[Any, str]:
            async with AsyncClaude() as claude:
                reply = await claude.messages.create(**HELLO)
                text = ""
                async for event in await claude.messages.create(**HELLO, stream=True):
                    if event.type == "content_block_delta" and event.delta.type == "text_delta":
                        text += event.delta.text
                return reply, text

        reply, text = asyncio.run(asynchronously())
    assert reply == message
    assert [text] == [block["text"] for block in message.to_dict()["content"]]


@pytest.mark.xfail(reason="issue 8: platforms", raises=ImportError)
def test_row_13_platforms() -> None:
    from claude_client import ClaudeBedrock  # type: ignore[attr-defined]  # noqa: F401


def test_row_14_size_limits(claude: Claude, recorder: Recorder) -> None:
    oversized = "x" * (32 * 1024 * 1024)
    with pytest.raises(ContentTooLargeError, match=r"messages\.create"):
        claude.messages.create(
            model="claude-sonnet-4-5",
            max_tokens=1,
            messages=[{"role": "user", "content": oversized}],
        )
    assert recorder.requests == []
    recorder.answers.append(httpx.Response(413, text="<html>Request Entity Too Large</html>"))
    with pytest.raises(ContentTooLargeError):
        claude.messages.create(**HELLO)


def test_row_14_size_limits_of_batches_and_files(
    claude: Claude, recorder: Recorder, tmp_path: Path
) -> None:
    text = "x" * (16 * 1024 * 1024)
    params: Any = {**HELLO, "messages": [{"role": "user", "content": text}]}
    with pytest.raises(ContentTooLargeError, match=r"messages\.batches\.create.*268,435,456"):
        claude.messages.batches.create(
            requests=[{"custom_id": f"r{i}", "params": params} for i in range(17)]
        )
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as file:
        file.truncate(500 * 1024 * 1024 + 1)
    with pytest.raises(ContentTooLargeError, match=r"files\.upload.*524,288,000"):
        claude.files.upload(file=huge)
    with pytest.raises(ContentTooLargeError, match=r"skills\.create.*31,457,280"):
        claude.skills.create(files=[("huge/huge.bin", huge)])
    assert recorder.requests == []


def test_row_15_response_headers(claude: Claude) -> None:
    message = claude.messages.create(**HELLO)
    assert message.meta is not None
    assert message.meta.request_id is not None
    assert message.meta.request_id.startswith("req_")
    assert message.meta.organization_id
    with claude.messages.stream(**HELLO) as stream:
        assert stream.request_id
    assert claude.models.list().request_id
    with pytest.raises(NotFoundError) as caught:
        claude.models.retrieve("no-such-model")
    assert caught.value.request_id
    assert caught.value.organization_id


def test_row_16_rate_limits(recorder: Recorder, claude: Claude) -> None:
    message = claude.messages.create(**HELLO)
    assert message.meta is not None
    assert int(message.meta.headers["anthropic-ratelimit-requests-limit"]) > 0
    recorder.answers.append(
        httpx.Response(
            429,
            headers={"retry-after": "7"},
            json={"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down"}},
        )
    )
    with pytest.raises(RateLimitError) as caught:
        claude.messages.create(**HELLO)
    assert caught.value.retry_after == 7


def test_row_16_typed_rate_limits(claude: Claude) -> None:
    message = claude.messages.create(**HELLO)
    assert message.meta is not None
    remaining = message.meta.rate_limits.requests.remaining
    assert remaining is not None
    assert remaining >= 0


def test_row_17_priority_tier(claude: Claude, recorder: Recorder) -> None:
    message = claude.messages.create(**HELLO, service_tier="auto")
    assert sent(recorder)["service_tier"] == "auto"
    assert message.usage.service_tier == "standard"


def test_row_18_regions(claude: Claude, recorder: Recorder) -> None:
    claude.messages.create(**HELLO, inference_geo="us")
    assert sent(recorder)["inference_geo"] == "us"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_row_19_curl_example() -> None:
    with serve() as server:
        finished = subprocess.run(
            [
                "curl",
                "--silent",
                "--show-error",
                f"{server.url}/v1/messages",
                *("--header", "x-api-key: mock-key"),
                *("--header", "anthropic-version: 2023-06-01"),
                *("--header", "content-type: application/json"),
                *("--data", json.dumps(HELLO)),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    message = json.loads(finished.stdout)
    assert {"id", "type", "role", "content", "model", "stop_reason", "usage"} <= set(message)
    assert message == example("messages_create/founding_document.response.json")


@pytest.mark.parametrize("name", ["prompt_caching", "image_input", "tool_use"])
def test_row_20_features(claude: Claude, recorder: Recorder, name: str) -> None:
    request = example(f"messages_create/{name}.request.json")
    message = claude.messages.create(**request)
    assert message.to_dict() == example(f"messages_create/{name}.response.json")
    # What came back can be sent as it is, as the next turn's history; each call of a tool with its
    # result, as the API requires.
    calls = [block["id"] for block in message.to_dict()["content"] if block["type"] == "tool_use"]
    results: Any = [{"type": "tool_result", "tool_use_id": call, "content": "1"} for call in calls]
    claude.messages.create(
        model=request["model"],
        max_tokens=16,
        messages=[
            *request["messages"],
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": results or "Go on."},
        ],
    )
    assert sent(recorder)["messages"][-2]["content"] == message.to_dict()["content"]


def test_errors_are_typed() -> None:
    answer = httpx.Response(401, json={"type": "error", "error": {"type": "authentication_error"}})
    with (
        httpx.Client(transport=Recorder(answer)) as http_client,
        Claude(api_key="secret-key", http_client=http_client) as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.messages.create(**HELLO)
    assert isinstance(caught.value, APIStatusError)
    assert "secret-key" not in f"{caught.value!r}{caught.value}"


def test_async_twin_over_the_mock_transport() -> None:
    async def ask() -> str:
        async with (
            httpx.AsyncClient(transport=AsyncMockTransport()) as http_client,
            AsyncClaude(api_key="k", http_client=http_client) as client,
            client.messages.stream(**HELLO) as stream,
        ):
            return await stream.get_final_text()

    assert asyncio.run(ask()) == "Hello! How can I help you today?"


# -- by both clients, over loopback HTTP -------------------------------------------------------
# One scenario serves both clients: it awaits what an asynchronous one returns, and takes what a
# synchronous one returns as it is.

CLIENTS: dict[str, Any] = {"sync": Claude, "async": AsyncClaude}
KEY = "test-key"


class KeepingAPI(MockAPI):
    """A mock API that keeps the requests it was asked."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.requests: list[MockRequest] = []

    def handle(self, request: MockRequest) -> MockResponse:
        self.requests.append(request)
        return super().handle(request)

    def header(self, name: str) -> str | None:
        return self.requests[-1].header(name)

    def json(self) -> Any:
        return json.loads(self.requests[-1].body)


async def done(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def everything(value: Any) -> list[Any]:
    if hasattr(value, "__aiter__"):
        return [item async for item in value]
    return list(value)


@asynccontextmanager
async def entered(manager: Any) -> AsyncIterator[Any]:
    if hasattr(manager, "__aenter__"):
        async with manager as inside:
            yield inside
    else:
        with manager as inside:
            yield inside


class OverHTTP:
    """Runs scenarios with a client of either kind and a server of their own."""

    def __init__(self, client_class: Any) -> None:
        self.client_class = client_class
        self.api = KeepingAPI(uploads_downloadable=True)

    def __call__(self, scenario: Callable[[Any], Awaitable[None]], **options: Any) -> None:
        async def main(url: str) -> None:
            client = self.client_class(
                **{"api_key": KEY, "base_url": url, "max_retries": 0, **options}
            )
            try:
                await scenario(client)
            finally:
                await done(client.close())

        with serve(self.api) as server:
            asyncio.run(main(server.url))


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def over_http(request: pytest.FixtureRequest) -> OverHTTP:
    return OverHTTP(request.param)


def test_row_01_base_url_over_http(over_http: OverHTTP, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        client = over_http.client_class(api_key=KEY)
        await done(client.messages.create(**HELLO))
        await done(client.close())

    with serve(over_http.api) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{server.url}/")
        asyncio.run(main())
    (request,) = over_http.api.requests
    assert (request.method, request.path) == ("POST", "/v1/messages")


@pytest.mark.parametrize(
    "name",
    [
        "tool_use",
        "thinking",
        "image_input",
        "document_citations",
        "structured_output",
        "web_search",
        "prompt_caching",
    ],
)
def test_row_02_messages_over_http(over_http: OverHTTP, name: str) -> None:
    request = example(f"messages_create/{name}.request.json")

    async def scenario(claude: Any) -> None:
        message = await done(claude.messages.create(**request))
        assert over_http.api.json() == request
        assert message.to_dict() == example(f"messages_create/{name}.response.json")
        events = await everything(await done(claude.messages.create(**request, stream=True)))
        assert over_http.api.json() == {**request, "stream": True}
        assert (events[0].type, events[-1].type) == ("message_start", "message_stop")
        async with entered(claude.messages.stream(**request)) as stream:
            streamed = await done(stream.get_final_message())
        assert streamed.content == message.content
        assert streamed.stop_reason == message.stop_reason

    over_http(scenario)


@pytest.mark.parametrize("name", ["founding_document", "thinking", "tool_use"])
def test_row_02_streams_of_the_examples_over_http(over_http: OverHTTP, name: str) -> None:
    request = example(f"messages_create/{name}_stream.request.json")
    lines = (EXAMPLES / f"messages_create/{name}_stream.sse").read_text(encoding="utf-8")
    data = [json.loads(line[6:]) for line in lines.splitlines() if line.startswith("data: ")]

    async def scenario(claude: Any) -> None:
        arguments = {key: value for key, value in request.items() if key != "stream"}
        events = await everything(await done(claude.messages.create(**arguments, stream=True)))
        sent = [event for event in data if event["type"] != "ping"]
        assert [event.to_dict() for event in events] == sent

    over_http(scenario)


def test_row_03_message_batches_over_http(over_http: OverHTTP) -> None:
    async def scenario(claude: Any) -> None:
        batches = claude.messages.batches
        request = example("messages_batches_create/two_requests.request.json")
        created = await done(batches.create(**request))
        assert over_http.api.json() == request
        assert [batch.id for batch in await everything(batches.list())] == [created.id]
        while (await done(batches.retrieve(created.id))).processing_status != "ended":
            pass
        lines = await everything(await done(batches.results(created.id)))
        assert {line.custom_id for line in lines} == {"capital-of-france", "capital-of-japan"}
        # Half price, as the page says: what they used is marked so.
        assert {line.result.message.usage.service_tier for line in lines} == {"batch"}
        other = await done(batches.create(**request))
        assert (await done(batches.cancel(other.id))).processing_status == "canceling"
        assert (await done(batches.delete(created.id))).type == "message_batch_deleted"

    over_http(scenario)


def test_row_04_and_05_counting_and_models_over_http(over_http: OverHTTP) -> None:
    async def scenario(claude: Any) -> None:
        count = await done(
            claude.messages.count_tokens(model=HELLO["model"], messages=HELLO["messages"])
        )
        assert over_http.api.requests[-1].path == "/v1/messages/count_tokens"
        assert count.input_tokens > 0
        page = await done(claude.models.list(limit=2))
        assert len(page.data) == 2
        models = await everything(claude.models.list(limit=2))
        assert len(models) > 2
        assert await done(claude.models.retrieve(models[-1].id)) == models[-1]

    over_http(scenario)


def test_row_06_files_over_http(over_http: OverHTTP, tmp_path: Path) -> None:
    report = tmp_path / "report.pdf"
    report.write_bytes(b"%PDF-1.7")

    async def scenario(claude: Any) -> None:
        uploaded = await done(claude.files.upload(file=report))
        assert [file.id for file in await everything(claude.files.list())] == [uploaded.id]
        assert await done(claude.files.retrieve_metadata(uploaded.id)) == uploaded
        download = await done(claude.files.download(uploaded.id))
        assert await done(download.read()) == b"%PDF-1.7"
        older = await done(claude.files.list(betas=["files-api-2025-04-14"]))
        assert over_http.api.header("anthropic-beta") == "files-api-2025-04-14"
        assert older.last_id == uploaded.id
        assert (await done(claude.files.delete(uploaded.id))).type == "file_deleted"

    over_http(scenario)


def test_row_07_skills_over_http(over_http: OverHTTP) -> None:
    files = [("greeter/SKILL.md", b"---\nname: greeter\ndescription: Greets people.\n---\nHi.\n")]

    async def scenario(claude: Any) -> None:
        skills = claude.skills
        skill = await done(skills.create(files=files, display_name="Greeter"))
        assert skill.id in [found.id for found in await everything(skills.list(source="custom"))]
        assert await done(skills.retrieve(skill.id)) == skill
        second = await done(skills.versions.create(skill.id, files=files))
        versions = await everything(skills.versions.list(skill.id))
        assert [version.id for version in versions] == [second.id, skill.latest_version_id]
        archive = await done(skills.versions.download(skill.id, second.id))
        assert (await done(archive.read())).startswith(b"PK")
        older = {"betas": ["skills-2025-10-02"]}
        titled = await done(skills.create(files=files, display_title="Older", **older))
        assert titled.display_title == "Older"
        await done(skills.versions.delete(skill.id, second.id))
        assert (await done(skills.delete(skill.id))).type == "skill_deleted"

    over_http(scenario)


def test_row_08_beta_headers_over_http(over_http: OverHTTP) -> None:
    request = example("messages_create/context_management.request.json")

    async def scenario(claude: Any) -> None:
        await done(claude.messages.create(**request))
        assert over_http.api.header("anthropic-beta") == "context-management-2025-06-27"
        by_hand = "interleaved-thinking-2025-05-14"
        await done(claude.messages.create(**request, betas=[by_hand]))
        flags = (over_http.api.header("anthropic-beta") or "").split(",")
        assert set(flags) == {"context-management-2025-06-27", by_hand}
        await done(claude.messages.create(**HELLO))
        assert over_http.api.header("anthropic-beta") is None

    over_http(scenario)


def test_row_09_headers_over_http(over_http: OverHTTP) -> None:
    async def scenario(claude: Any) -> None:
        for call in (
            lambda: claude.messages.create(**HELLO),
            lambda: claude.messages.create(**HELLO, stream=True),
            lambda: claude.messages.count_tokens(model=HELLO["model"], messages=HELLO["messages"]),
        ):
            answer = await done(call())
            assert over_http.api.header("x-api-key") == KEY
            assert over_http.api.header("content-type") == "application/json"
            assert over_http.api.header("anthropic-version") == "2026-10-21"
            if hasattr(answer, "close"):
                await done(answer.close())
        await done(claude.messages.create(**HELLO, api_version="2023-06-01"))
        assert over_http.api.header("anthropic-version") == "2023-06-01"

    over_http(scenario)


def test_row_10_workspaces_over_http(over_http: OverHTTP) -> None:
    async def scenario(claude: Any) -> None:
        await done(claude.messages.create(**HELLO))
        assert over_http.api.header("anthropic-workspace-id") == "wrkspc_client"
        await done(claude.messages.create(**HELLO, workspace_id="wrkspc_call"))
        assert over_http.api.header("anthropic-workspace-id") == "wrkspc_call"

    over_http(scenario, workspace_id="wrkspc_client")


def test_row_10_workspaces_can_be_managed_over_http(over_http: OverHTTP) -> None:
    async def scenario(claude: Any) -> None:
        workspaces = claude.organization.workspaces
        created = await done(workspaces.create(name="Evaluation", tags={"team": "support"}))
        assert over_http.api.json() == {"name": "Evaluation", "tags": {"team": "support"}}
        assert (created.name, created.archived_at) == ("Evaluation", None)
        assert created.id in {found.id for found in await everything(workspaces.list())}
        renamed = await done(workspaces.update(created.id, name="Support"))
        assert (await done(workspaces.retrieve(created.id))).name == renamed.name == "Support"

        members = workspaces.members
        added = await done(
            members.add(created.id, user_id="user_01", workspace_role="workspace_user")
        )
        assert (added.workspace_id, added.user_id) == (created.id, "user_01")
        promoted = await done(
            members.update(created.id, "user_01", workspace_role="workspace_admin")
        )
        assert promoted == await done(members.retrieve(created.id, "user_01"))
        assert "user_01" in {
            member.user_id for member in await everything(members.list(created.id))
        }
        removed = await done(members.remove(created.id, "user_01"))
        assert removed.type == "workspace_member_deleted"
        with pytest.raises(NotFoundError):
            await done(members.retrieve(created.id, "user_01"))

        archived = await done(workspaces.archive(created.id))
        assert archived.archived_at is not None

    over_http(scenario)


def test_row_10_keys_over_http(over_http: OverHTTP) -> None:
    async def scenario(claude: Any) -> None:
        keys = claude.organization.api_keys
        key, *_ = await everything(keys.list(status="active"))
        assert (key.type, key.status) == ("api_key", "active")
        assert (await done(keys.update(key.id, status="inactive"))).status == "inactive"
        assert (await done(keys.retrieve(key.id))).status == "inactive"

    over_http(scenario)


def test_row_10_spending_over_http(over_http: OverHTTP) -> None:
    async def scenario(claude: Any) -> None:
        limits = claude.organization.spend_limits
        scope = {"type": "workspace", "workspace_id": "wrkspc_01"}
        limit = await done(limits.set(amount="50000", scope=scope, period="monthly"))
        assert (limit.amount, limit.scope.to_dict()) == ("50000", scope)
        assert await done(limits.retrieve(limit.id)) == limit
        assert limit.id in {found.id for found in await everything(limits.list())}
        flags = over_http.api.header("anthropic-beta")
        assert flags == "spend-limit-reads-2026-09-26"
        in_force, *_ = await everything(limits.effective.list())
        assert in_force.period_to_date_spend is not None
        assert (await done(limits.delete(limit.id))).type == "spend_limit_deleted"
        with pytest.raises(NotFoundError):
            await done(limits.retrieve(limit.id))

    over_http(scenario)


def test_row_11_errors_timeouts_and_connections_over_http(over_http: OverHTTP) -> None:
    async def scenario(claude: Any) -> None:
        with pytest.raises(BadRequestError) as caught:
            await done(claude.messages.create(**{**HELLO, "max_tokens": -1}))
        assert caught.value.type == "invalid_request_error"
        impatient = claude.with_options(timeout=5)
        assert (await done(impatient.messages.create(**HELLO))).role == "assistant"

    over_http(scenario)


def test_row_12_the_call_over_http(over_http: OverHTTP, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        client = over_http.client_class()
        message = await done(
            client.messages.create(
                model="claude-sonnet-4-5",
                max_tokens=1024,
                messages=[{"role": "user", "content": "Hello, Claude"}],
            )
        )
        assert message.to_dict() == example("messages_create/founding_document.response.json")
        await done(client.close())

    monkeypatch.setenv("ANTHROPIC_API_KEY", "from-the-environment")
    with serve(over_http.api) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        asyncio.run(main())
    assert over_http.api.header("x-api-key") == "from-the-environment"


def test_row_14_size_limits_over_http(over_http: OverHTTP, tmp_path: Path) -> None:
    huge = tmp_path / "huge.bin"
    with huge.open("wb") as file:
        file.truncate(500 * 1024 * 1024 + 1)
    long: Any = [{"role": "user", "content": "x" * (32 * 1024 * 1024)}]

    async def scenario(claude: Any) -> None:
        with pytest.raises(ContentTooLargeError, match="33,554,432"):
            await done(claude.messages.create(**{**HELLO, "messages": long}))
        with pytest.raises(ContentTooLargeError, match="524,288,000"):
            await done(claude.files.upload(file=huge))
        assert over_http.api.requests == []
        # Switched off, it is the server that refuses, with the same class.
        with pytest.raises(ContentTooLargeError) as caught:
            await done(claude.messages.create(**{**HELLO, "messages": long}, check_sizes=False))
        assert caught.value.type == "request_too_large"

    over_http(scenario)


def test_row_15_response_headers_over_http(over_http: OverHTTP) -> None:
    """On result, stream, list of lines, page, download and error."""

    async def scenario(claude: Any) -> None:
        batch = await done(
            claude.messages.batches.create(requests=[{"custom_id": "a", "params": HELLO}])
        )
        while (await done(claude.messages.batches.retrieve(batch.id))).processing_status != "ended":
            pass
        file = await done(claude.files.upload(file=("a.txt", b"text")))
        answers = [
            await done(claude.messages.create(**HELLO)),
            await done(claude.messages.create(**HELLO, stream=True)),
            await done(claude.messages.batches.results(batch.id)),
            await done(claude.models.list()),
            await done(claude.files.download(file.id)),
        ]
        for answer in answers:
            assert answer.meta.request_id.startswith("req_")
            assert answer.meta.organization_id
        assert len({answer.meta.request_id for answer in answers}) == len(answers)
        for opened in (answers[1], answers[2], answers[4]):
            await done(opened.close())
        async with entered(claude.messages.stream(**HELLO)) as stream:
            final = await done(stream.get_final_message())
            assert stream.request_id.startswith("req_")
        assert final.meta.request_id == stream.request_id
        assert final.meta.organization_id
        with pytest.raises(NotFoundError) as caught:
            await done(claude.models.retrieve("no-such-model"))
        assert caught.value.request_id.startswith("req_")
        assert caught.value.organization_id

    over_http(scenario)


def test_row_17_and_18_tier_and_region_over_http(over_http: OverHTTP) -> None:
    async def scenario(claude: Any) -> None:
        chosen = {"service_tier": "standard_only", "inference_geo": "us"}
        message = await done(claude.messages.create(**HELLO, **chosen))
        assert {name: over_http.api.json()[name] for name in chosen} == chosen
        assert message.usage.service_tier == "standard"
        async with entered(claude.messages.stream(**HELLO, **chosen)) as stream:
            streamed = await done(stream.get_final_message())
        assert {name: over_http.api.json()[name] for name in chosen} == chosen
        assert streamed.usage.service_tier == "standard"

    over_http(scenario)


def test_row_19_the_curl_example_over_http(over_http: OverHTTP) -> None:
    """What the client sends and gets is what curl does; see the other test of this row."""

    async def scenario(claude: Any) -> None:
        message = await done(claude.messages.create(**HELLO))
        request = over_http.api.requests[-1]
        assert (request.method, request.path, request.query) == ("POST", "/v1/messages", "")
        assert over_http.api.json() == HELLO
        assert over_http.api.header("anthropic-version") == "2023-06-01"
        answer = message.to_dict()
        assert answer == example("messages_create/founding_document.response.json")
        fields = ("id", "type", "role", "content", "model", "stop_reason", "usage")
        assert all(getattr(message, name) is not None for name in fields)

    over_http(scenario, api_version="2023-06-01")
