"""The founding document, row by row: what the API overview page states, shown to work.

A row that a later issue brings is a strict expected failure with that reason, so that it cannot
start to work, or stop, unnoticed.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
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
from claude_client.testing import AsyncMockTransport, MockTransport, serve

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


@pytest.mark.xfail(reason="issue 6: admin endpoints", raises=AttributeError)
def test_row_10_workspaces_and_keys(claude: Claude) -> None:
    claude.organization.workspaces.list()  # type: ignore[attr-defined]  # pyright: ignore


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


@pytest.mark.xfail(reason="issue 5: typed rate limits and throttling", raises=AttributeError)
def test_row_16_typed_rate_limits(claude: Claude) -> None:
    message = claude.messages.create(**HELLO)
    assert message.meta is not None
    assert message.meta.rate_limits.requests.remaining >= 0  # type: ignore[attr-defined]  # pyright: ignore


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
    # What came back can be sent as it is, as the next turn's history.
    claude.messages.create(
        model=request["model"],
        max_tokens=16,
        messages=[
            *request["messages"],
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": "Go on."},
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
