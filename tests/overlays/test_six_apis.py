"""The six founding APIs against the mock over loopback HTTP, with either client."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import io
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import AsyncClaude, Claude, RequestOptions, types
from claude_client.errors import (
    BadRequestError,
    FileNotDownloadableError,  # type: ignore[attr-defined]
    NotFoundError,
)
from claude_client.testing import MockAPI, serve
from claude_rest.params import MessageCreateParams
from loopback import LoopbackServer, Send, response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

SURFACE = Path(__file__).parents[1] / "data" / "api-surface.json.gz"
HELLO: Any = {
    "model": "claude-opus-5-5",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "Hello"}],
}
MANUAL = b"---\nname: invoice-checker\ndescription: Checks invoices.\n---\n"
BYTES = bytes(range(256)) * 5000
FILES_FLAG = "files-api-2025-04-14"
SKILLS_FLAG = "skills-2025-10-02"

CLIENTS = [pytest.param(Claude, id="sync"), pytest.param(AsyncClaude, id="async")]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(MockAPI(uploads_downloadable=True)) as server:
        yield server.url


async def done(value: Any) -> Any:
    """Return what a method of either client returns in the end."""
    return await value if inspect.isawaitable(value) else value


async def everything(value: Any) -> list[Any]:
    """Return all items of a list or stream of either client."""
    if hasattr(value, "__aiter__"):
        return [item async for item in value]
    return list(value)


def run(client_class: Any, url: str, scenario: Callable[[Any], Awaitable[None]]) -> None:
    async def main() -> None:
        client = client_class(api_key="test-key", base_url=url, max_retries=0)
        try:
            await scenario(client)
        finally:
            await done(client.close())

    asyncio.run(main())


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize("beta", [False, True], ids=["stable", "beta"])
def test_messages_counting_and_models(client_class: Any, url: str, beta: bool) -> None:
    async def scenario(client: Any) -> None:
        api = client.beta if beta else client
        message = await done(api.messages.create(**HELLO))
        assert isinstance(message, types.Message)
        events = await everything(await done(api.messages.create(**HELLO, stream=True)))
        assert events[-1].type == "message_stop"
        async with _entered(api.messages.stream(**HELLO)) as stream:
            final = await done(stream.get_final_message())
        assert final.content == message.content
        count = await done(
            api.messages.count_tokens(model=HELLO["model"], messages=HELLO["messages"])
        )
        assert count.input_tokens == message.usage.input_tokens
        models = await everything(api.models.list(limit=2))
        assert len(models) > 2
        assert await done(api.models.retrieve(models[0].id)) == models[0]

    run(client_class, url, scenario)


class _entered:
    """Enters the context manager of either client."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager

    async def __aenter__(self) -> Any:
        if hasattr(self.manager, "__aenter__"):
            return await self.manager.__aenter__()
        return self.manager.__enter__()

    async def __aexit__(self, *facts: Any) -> None:
        if hasattr(self.manager, "__aexit__"):
            await self.manager.__aexit__(*facts)
        else:
            self.manager.__exit__(*facts)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_message_batches(client_class: Any, url: str) -> None:
    async def scenario(client: Any) -> None:
        batches = client.messages.batches
        requests: Any = (
            {"custom_id": f"r{i}", "params": {**HELLO, **more}}
            for i, more in enumerate([{}, {"max_tokens": -1}, {"thread": {"type": "create"}}])
        )
        flag = "message-threads-2026-08-12"
        created = await done(batches.create(requests=requests, betas=[flag]))
        assert isinstance(created, types.MessageBatch)
        assert created.processing_status == "in_progress"
        assert created.created_at.year >= 2024
        assert created.meta.request_id.startswith("req_")
        with pytest.raises(BadRequestError, match="has not ended"):
            await done(batches.results(created.id))
        while (batch := await done(batches.retrieve(created.id))).processing_status != "ended":
            pass
        assert batch.request_counts.to_dict() == {
            "processing": 0,
            "succeeded": 1,
            "errored": 2,
            "canceled": 0,
            "expired": 0,
        }
        stream = await done(batches.results(created.id))
        assert stream.request_id
        lines = await everything(stream)
        assert stream.closed
        assert all(isinstance(line, types.MessageBatchIndividualResponse) for line in lines)
        found = {line.custom_id: line.result for line in lines}
        assert isinstance(found["r0"], types.MessageBatchSucceededResult)
        assert isinstance(found["r0"].message, types.Message)
        assert found["r0"].message.usage.service_tier == "batch"
        assert isinstance(found["r1"], types.MessageBatchErroredResult)
        assert isinstance(found["r1"].error, types.ErrorResponse)
        assert isinstance(found["r1"].error.error, types.InvalidRequestErrorObject)
        async with _entered(await done(batches.results(created.id))) as partly:
            pass
        assert partly.closed

        other = await done(
            client.beta.messages.batches.create(
                requests=[{"custom_id": "a", "params": HELLO}], user_profile_id="uprof_1"
            )
        )
        canceling = await done(batches.cancel(other.id))
        assert canceling.processing_status == "canceling"
        pages = await done(batches.list(limit=1))
        assert [entry.id for entry in pages.data] == [other.id]
        assert pages.has_next_page()
        ids = [entry.id for entry in await everything(batches.list(limit=1))]
        assert ids[:2] == [other.id, created.id]
        before = await done(batches.list(before_id=created.id))
        assert other.id in [entry.id for entry in before.data]
        after = await done(batches.list(after_id=other.id))
        assert after.data[0].id == created.id
        gone = await done(batches.delete(created.id))
        assert isinstance(gone, types.DeletedMessageBatch)
        with pytest.raises(NotFoundError):
            await done(batches.results(created.id))

    run(client_class, url, scenario)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_files(client_class: Any, url: str, tmp_path: Path) -> None:
    path = tmp_path / "größe.bin"
    path.write_bytes(BYTES)

    async def scenario(client: Any) -> None:
        files = client.files
        uploaded = await done(files.upload(file=path, expires_in_seconds=3600))
        assert isinstance(uploaded, types.FileMetadata)
        assert (uploaded.filename, uploaded.size_bytes) == ("größe.bin", len(BYTES))
        assert uploaded.expires_at is not None
        with path.open("rb") as opened:
            opened.seek(256)
            second = await done(client.beta.files.upload(file=("folder/b.csv", opened)))
        assert (second.filename, second.mime_type) == ("b.csv", "text/csv")
        assert second.size_bytes == len(BYTES) - 256
        third = await done(files.upload(file=("c", b"text", "text/x-own")))
        assert third.mime_type == "text/x-own"
        assert await done(files.retrieve_metadata(uploaded.id)) == uploaded

        assert await done((await done(files.download(uploaded.id))).read()) == BYTES
        chunks = await everything((await done(files.download(uploaded.id))).iter_bytes())
        assert b"".join(chunks) == BYTES
        answer = await done(files.download(uploaded.id))
        assert answer.headers["content-type"] == "application/binary"
        target = tmp_path / f"{client_class.__name__}.bin"
        assert await done(answer.write_to_file(target)) == len(BYTES)
        assert target.read_bytes() == BYTES

        page = await done(files.list(limit=2))
        assert [entry.id for entry in page.data] == [third.id, second.id]
        assert page.next_page is not None
        resumed = await done(files.list(limit=2, page=page.next_page))
        assert resumed.data[0].id == uploaded.id
        ids = [entry.id for entry in await everything(files.list(limit=2))]
        assert ids[:3] == [third.id, second.id, uploaded.id]
        picked = await done(files.list(ids=[uploaded.id, third.id]))
        assert {entry.id for entry in picked.data} == {uploaded.id, third.id}
        gone = await done(files.delete(uploaded.id))
        assert isinstance(gone, types.DeletedFile)
        with pytest.raises(NotFoundError):
            await done(files.retrieve_metadata(uploaded.id))
        with pytest.raises(NotFoundError):
            await done(files.download(uploaded.id))

    run(client_class, url, scenario)
    assert sorted(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize("client_class", CLIENTS)
def test_the_older_shape_of_files(client_class: Any) -> None:
    async def scenario(client: Any) -> None:
        made = [(await done(client.files.upload(file=b"x"))).id for _ in range(5)]
        older = {"betas": [FILES_FLAG]}
        page = await done(client.files.list(limit=2, **older))
        assert page.has_more
        assert page.last_id == made[3]
        ids = [entry.id for entry in await everything(client.files.list(limit=2, **older))]
        assert ids == made[::-1]
        back = await done(client.files.list(limit=2, before_id=made[0], **older))
        assert [entry.id for entry in back.data] == [made[2], made[1]]
        assert await everything(client.files.list(scope_id="sesn_1", **older)) == []
        with pytest.raises(FileNotDownloadableError):
            await done(client.files.download(made[0]))

    with serve() as server:
        run(client_class, server.url, scenario)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_skills(client_class: Any, url: str, tmp_path: Path) -> None:
    (tmp_path / "SKILL.md").write_bytes(MANUAL)

    async def scenario(client: Any) -> None:
        skills = client.skills
        created = await done(
            skills.create(
                files=[
                    ("checker/SKILL.md", tmp_path / "SKILL.md"),
                    ("checker/rules/tax.bin", BYTES),
                ],
                display_name="Rechnungsprüfung",
            )
        )
        assert isinstance(created, types.Skill)
        assert created.display_name == "Rechnungsprüfung"
        assert created.source.type == "custom"
        versions = skills.versions
        first = await done(versions.retrieve(created.id, "latest"))
        assert isinstance(first, types.SkillVersion)
        assert first.id == created.latest_version_id
        archive = await done((await done(versions.download(created.id, first.id))).read())
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            assert opened.read("checker/rules/tax.bin") == BYTES
            assert opened.read("checker/SKILL.md") == MANUAL
        second = await done(
            client.beta.skills.versions.create(created.id, files=[("checker.zip", archive)])
        )
        assert (second.name, second.description) == ("invoice-checker", "Checks invoices.")
        listed = await everything(versions.list(created.id, limit=1))
        assert [version.id for version in listed] == [second.id, first.id]
        assert (await done(skills.retrieve(created.id))).latest_version_id == second.id
        own = await everything(skills.list(source="custom"))
        assert created.id in [skill.id for skill in own]
        provided = await everything(skills.list(source="anthropic", limit=1))
        assert {skill.id for skill in provided} == {"pptx", "xlsx", "docx", "pdf"}
        assert (await done(versions.delete(created.id, first.id))).type == "skill_version_deleted"
        assert (await done(skills.delete(created.id))).type == "skill_deleted"
        with pytest.raises(NotFoundError):
            await done(skills.retrieve(created.id))

    run(client_class, url, scenario)


@pytest.mark.parametrize("client_class", CLIENTS)
def test_the_older_shape_of_skills(client_class: Any) -> None:
    async def scenario(client: Any) -> None:
        older = {"betas": [SKILLS_FLAG]}
        made = []
        for number in range(3):
            files = [("checker/SKILL.md", MANUAL)]
            title = f"Checker {number}"
            made.append(await done(client.skills.create(files=files, display_title=title, **older)))
        assert [skill.display_title for skill in made] == ["Checker 0", "Checker 1", "Checker 2"]
        assert not made[0].display_name
        stamp = made[0].latest_version
        version = await done(client.skills.versions.retrieve(made[0].id, stamp, **older))
        assert (version.version, version.directory) == (stamp, "checker")
        page = await done(client.skills.list(limit=2, **older))
        assert page.has_more
        ids = [skill.id for skill in await everything(client.skills.list(limit=2, **older))]
        assert ids[:3] == [skill.id for skill in reversed(made)]
        with pytest.raises(BadRequestError):
            await done(client.skills.delete(made[0].id, **older))
        await done(client.skills.versions.delete(made[0].id, stamp, **older))
        await done(client.skills.delete(made[0].id, **older))

    with serve() as server:
        run(client_class, server.url, scenario)


def test_a_plain_string_as_source_survives() -> None:
    skill = types.Skill.from_dict({"id": "skill_1", "type": "skill", "source": "custom"})
    assert skill.to_dict()["source"] == "custom"


# -- what goes over the wire -------------------------------------------------------------------


@pytest.mark.parametrize("client_class", CLIENTS)
def test_results_are_fetched_by_path(client_class: Any) -> None:
    """The credential goes to the base URL whatever ``results_url`` says."""
    line = json.dumps({"custom_id": "a", "result": {"type": "expired"}}).encode()
    headers = {"content-type": "application/x-jsonl"}
    with LoopbackServer([[Send(response(body=line, headers=headers))]]) as server:

        async def scenario(client: Any) -> None:
            (found,) = await everything(await done(client.messages.batches.results("msgbatch_1")))
            assert isinstance(found.result, types.MessageBatchExpiredResult)

        run(client_class, server.url, scenario)
        (request,) = server.requests
        assert request.target == "/v1/messages/batches/msgbatch_1/results"
        assert request.header("accept") == "application/binary"


@pytest.mark.parametrize("client_class", CLIENTS)
def test_shape_selecting_flags_are_never_derived(client_class: Any) -> None:
    empty = [Send(response(json={"data": [], "has_more": False}))]
    with LoopbackServer([empty] * 3) as server:

        async def scenario(client: Any) -> None:
            await done(client.beta.files.list(scope_id="sesn_1", after_id="file_1"))
            await done(client.beta.skills.list())
            await done(client.beta.files.list(betas=[FILES_FLAG]))

        run(client_class, server.url, scenario)
        flags = [request.header("anthropic-beta") for request in server.requests]
        assert flags == [None, None, FILES_FLAG]


@pytest.mark.parametrize("client_class", CLIENTS)
def test_flags_of_batch_items_are_derived(client_class: Any) -> None:
    answer = {"id": "msgbatch_1", "type": "message_batch"}
    with LoopbackServer([[Send(response(json=answer))]]) as server:

        async def scenario(client: Any) -> None:
            edits: Any = {"edits": [{"type": "clear_tool_uses_20250919"}]}
            await done(
                client.messages.batches.create(
                    requests=[
                        {"custom_id": "a", "params": HELLO},
                        {"custom_id": "b", "params": {**HELLO, "context_management": edits}},
                        {"custom_id": "c", "params": {**HELLO, "temperature": 0.5}},
                    ]
                )
            )

        run(client_class, server.url, scenario)
        (request,) = server.requests
        assert request.header("anthropic-beta") == "context-management-2025-06-27"
        assert request.header("anthropic-version") == "2023-06-01"


# -- every method and argument -----------------------------------------------------------------


def surface() -> list[Any]:
    operations: list[Any] = json.loads(gzip.decompress(SURFACE.read_bytes()))["operations"]
    return operations


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize("entry", surface(), ids=lambda entry: str(entry["sdk_method"]))
def test_every_method_takes_every_argument(client_class: Any, entry: Any) -> None:
    place: Any = client_class(api_key="k")
    for name in entry["sdk_method"].split(".")[1:]:
        place = getattr(place, name)
    parameters = inspect.signature(place).parameters
    names = {argument["name"] for argument in entry["path_params"]}
    for kind in ("query_params", "header_params", "body_params"):
        names |= {argument.get("python_name", argument["name"]) for argument in entry[kind]}
    assert names <= parameters.keys() | RequestOptions.__annotations__.keys()
    for argument in entry["path_params"]:
        assert parameters[argument["name"]].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


@pytest.mark.parametrize("client_class", CLIENTS)
@pytest.mark.parametrize("entry", surface(), ids=lambda entry: str(entry["sdk_method"]))
def test_what_is_required_is_required(client_class: Any, entry: Any) -> None:
    """No more and no less than the API asks for; the rest can be left out."""
    place: Any = client_class(api_key="k")
    for name in entry["sdk_method"].split(".")[1:]:
        place = getattr(place, name)
    required = {argument["name"] for argument in entry["path_params"]}
    for kind in ("query_params", "header_params", "body_params"):
        required |= {
            argument.get("python_name", argument["name"])
            for argument in entry[kind]
            if argument["required"]
        }
    assert required == {
        name
        for name, parameter in inspect.signature(place).parameters.items()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }


@pytest.mark.parametrize("entry", surface(), ids=lambda entry: str(entry["sdk_method"]))
def test_both_clients_take_the_same(entry: Any) -> None:
    signatures = []
    for place in (Claude(api_key="k"), AsyncClaude(api_key="k")):
        found: Any = place
        for name in entry["sdk_method"].split(".")[1:]:
            found = getattr(found, name)
        parameters = inspect.signature(found).parameters.values()
        signatures.append([(each.name, each.kind, each.default) for each in parameters])
    assert signatures[0] == signatures[1]


@pytest.mark.parametrize("client_class", CLIENTS)
def test_stream_takes_what_create_takes(client_class: Any) -> None:
    """Its arguments are declared as those of the params, and ``user_profile_id`` beside them."""
    create = inspect.signature(client_class(api_key="k").messages.create).parameters
    assert (
        create.keys() - {"options", "stream", "user_profile_id"}
        <= MessageCreateParams.__annotations__.keys()
    )
