"""Batches, files and skills of the mock API: what it keeps, shows and refuses."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from claude_client.testing import MockAPI

from .conftest import Caller, minimal

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES_FLAG = {"anthropic-beta": "files-api-2025-04-14"}
SKILLS_FLAG = {"anthropic-beta": "skills-2025-10-02"}
MANUAL = b"---\nname: invoice-checker\ndescription: Checks invoices.\n---\n# Steps\n"
Part = tuple[str, "str | None", "str | bytes"]


def form(*parts: Part) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a form, written here independently of the client."""
    body = b""
    for name, filename, content in parts:
        extra = "" if filename is None else f'; filename="{filename}"\r\nContent-Type: text/plain'
        head = f'--limit\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
        body += head.encode() + (content if isinstance(content, bytes) else content.encode())
        body += b"\r\n"
    return body + b"--limit--\r\n", {"content-type": "multipart/form-data; boundary=limit"}


def post(call: Caller, path: str, *parts: Part, headers: dict[str, str] | None = None) -> Any:
    body, own = form(*parts)
    return call("POST", path, body, headers={**own, **(headers or {})})


def upload(call: Caller, name: str = "notes.txt", content: bytes = b"Hello", **fields: str) -> Any:
    more: list[Part] = [(key, None, value) for key, value in fields.items()]
    return post(call, "/v1/files", ("file", name, content), *more)


def batch(*params: Any) -> dict[str, Any]:
    return {"requests": [{"custom_id": f"r{i}", "params": p} for i, p in enumerate(params)]}


def ended(call: Caller, created: Any) -> Any:
    path = f"/v1/messages/batches/{created['id']}"
    call("GET", path)
    return call("GET", path).json()


def results(call: Caller, created: Any) -> dict[str, Any]:
    response = call("GET", f"/v1/messages/batches/{created['id']}/results")
    assert response.status == 200
    assert response.header("content-type") == "application/x-jsonl"
    lines = [json.loads(line) for line in response.read().splitlines()]
    return {line["custom_id"]: line["result"] for line in lines}


def error(response: Any) -> tuple[int, str, str]:
    body = response.json()
    return response.status, body["error"]["type"], body["error"]["message"]


# -- batches -----------------------------------------------------------------------------------


def test_a_batch_runs_and_answers_like_messages(call: Caller) -> None:
    created = call("POST", "/v1/messages/batches", batch(minimal("One"), minimal("Two"))).json()
    assert re.fullmatch(r"msgbatch_01\w+", created["id"])
    assert created["processing_status"] == "in_progress"
    assert created["request_counts"]["processing"] == 2
    assert created["results_url"] is None
    path = f"/v1/messages/batches/{created['id']}"
    assert error(call("GET", f"{path}/results"))[0] == 400
    assert call("GET", path).json()["processing_status"] == "in_progress"
    done = call("GET", path, headers={"host": "127.0.0.1:4010"}).json()
    assert done["processing_status"] == "ended"
    assert done["ended_at"]
    assert done["request_counts"] == {
        "processing": 0,
        "succeeded": 2,
        "errored": 0,
        "canceled": 0,
        "expired": 0,
    }
    assert done["results_url"] == f"http://127.0.0.1:4010{path}/results"
    found = results(call, created)
    assert list(found) == ["r1", "r0"]
    for name, text in (("r0", "One"), ("r1", "Two")):
        message = found[name]["message"]
        alone = call.create(messages=[{"role": "user", "content": text}]).json()
        assert message["content"] == alone["content"]
        assert message["usage"] == {**alone["usage"], "service_tier": "batch"}


def test_what_is_wrong_inside_a_request_is_its_own_result(call: Caller) -> None:
    beta = {"context_management": {"edits": []}}
    created = call(
        "POST",
        "/v1/messages/batches",
        batch(
            minimal(),
            {"model": "claude-opus-5-5"},
            {**minimal(), "stream": True},
            {**minimal(), "max_tokens": 0},
            {**minimal(), "temperature": 1.0},
            {**minimal(), **beta},
            {},
        ),
    )
    assert created.status == 200
    done = ended(call, created.json())
    assert done["request_counts"]["errored"] == 6
    found = results(call, done)
    assert found["r0"]["type"] == "succeeded"
    for name in ("r1", "r2", "r3", "r4", "r5", "r6"):
        envelope = found[name]["error"]
        assert envelope["type"] == "error"
        assert envelope["error"]["type"] == "invalid_request_error"
        assert envelope["request_id"].startswith("req_")
    assert found["r1"]["error"]["error"]["message"] == "max_tokens: Field required"
    assert "temperature" in found["r4"]["error"]["error"]["message"]
    flag = {"anthropic-beta": "context-management-2025-06-27"}
    created = call(
        "POST", "/v1/messages/batches", batch({**minimal(), **beta}), headers=flag
    ).json()
    ended(call, created)
    assert results(call, created)["r0"]["type"] == "succeeded"


@pytest.mark.parametrize(
    ("requests", "where"),
    [
        ([], "requests"),
        ([{"params": {}}], "requests.0.custom_id"),
        ([{"custom_id": "a b", "params": {}}], "requests.0.custom_id"),
        ([{"custom_id": "x" * 65, "params": {}}], "requests.0.custom_id"),
        ([{"custom_id": "a", "params": []}], "requests.0.params"),
        (
            [{"custom_id": "a", "params": {}}, {"custom_id": "a", "params": {}}],
            "requests.1.custom_id",
        ),
    ],
)
def test_the_frame_of_a_batch_is_checked_at_once(call: Caller, requests: Any, where: str) -> None:
    status, kind, message = error(call("POST", "/v1/messages/batches", {"requests": requests}))
    assert (status, kind) == (400, "invalid_request_error")
    assert message.startswith(f"{where}: ")


def test_cancelling_and_deleting(call: Caller) -> None:
    created = call("POST", "/v1/messages/batches", batch(minimal())).json()
    path = f"/v1/messages/batches/{created['id']}"
    assert error(call("DELETE", path))[0] == 400
    canceled = call("POST", f"{path}/cancel").json()
    assert canceled["processing_status"] == "canceling"
    assert canceled["cancel_initiated_at"]
    assert ended(call, created)["request_counts"]["canceled"] == 1
    assert results(call, created) == {"r0": {"type": "canceled"}}
    assert error(call("POST", f"{path}/cancel"))[0] == 400
    assert call("DELETE", path).json() == {"id": created["id"], "type": "message_batch_deleted"}
    assert error(call("GET", path))[:2] == (404, "not_found_error")


def test_what_was_answered_before_a_cancellation_stays() -> None:
    call = Caller(MockAPI(batch_polls=3))
    created = call("POST", "/v1/messages/batches", batch(*[minimal()] * 8)).json()
    path = f"/v1/messages/batches/{created['id']}"
    for _ in range(2):
        shown = call("GET", path).json()
        assert shown["request_counts"]["processing"] == 8
    assert call("POST", f"{path}/cancel").json()["processing_status"] == "canceling"
    assert call("GET", path).json()["processing_status"] == "canceling"
    done = call("GET", path).json()
    assert done["processing_status"] == "ended"
    counts = done["request_counts"]
    assert (counts["succeeded"], counts["canceled"], counts["processing"]) == (4, 4, 0)
    kinds = [results(call, created)[f"r{number}"]["type"] for number in range(8)]
    assert kinds == ["succeeded"] * 4 + ["canceled"] * 4


def test_batches_expire_and_lose_their_results() -> None:
    now = [1_790_000_000.0]
    call = Caller(MockAPI(clock=lambda: now[0], batch_polls=3))
    created = call("POST", "/v1/messages/batches", batch(minimal(), minimal())).json()
    path = f"/v1/messages/batches/{created['id']}"
    for _ in range(2):
        call("GET", path)
    now[0] += 24 * 3600
    (done,) = call("GET", "/v1/messages/batches").json()["data"]
    assert done["processing_status"] == "ended"
    assert (done["request_counts"]["succeeded"], done["request_counts"]["expired"]) == (1, 1)
    assert done["ended_at"] == created["expires_at"]
    assert results(call, created)["r1"] == {"type": "expired"}
    now[0] += 28 * 24 * 3600
    late = call("GET", path).json()
    assert late["results_url"] is None
    assert late["archived_at"] is not None
    assert error(call("GET", f"{path}/results"))[:2] == (404, "not_found_error")


def test_the_number_of_polls_can_be_chosen() -> None:
    call = Caller(MockAPI(batch_polls=0))
    created = call("POST", "/v1/messages/batches", batch(minimal())).json()
    shown = call("GET", f"/v1/messages/batches/{created['id']}").json()
    assert shown["processing_status"] == "ended"
    with pytest.raises(ValueError, match="batch_polls: -1 is less than 0"):
        MockAPI(batch_polls=-1)


def test_the_example_of_a_batch_keeps_its_id(call: Caller, bundle: dict[str, Any]) -> None:
    operation = bundle["paths"]["/v1/messages/batches"]["post"]
    content = operation["requestBody"]["content"]["application/json"]
    body = content["examples"]["two_requests"]["value"]
    first = call("POST", "/v1/messages/batches", body).json()
    answer = operation["responses"]["200"]["content"]["application/json"]["examples"]
    assert first == answer["two_requests"]["value"]
    assert set(results(call, ended(call, first))) == {"capital-of-france", "capital-of-japan"}
    assert call("POST", "/v1/messages/batches", body).json()["id"] != first["id"]


def test_batches_are_paged_by_id_both_ways(call: Caller) -> None:
    made = [call("POST", "/v1/messages/batches", batch(minimal())).json()["id"] for _ in range(5)]
    first = call("GET", "/v1/messages/batches", query="limit=2").json()
    assert [entry["id"] for entry in first["data"]] == made[:2:-1]
    assert first["has_more"]
    assert (first["first_id"], first["last_id"]) == (made[4], made[3])
    second = call("GET", "/v1/messages/batches", query=f"limit=3&after_id={made[3]}").json()
    assert [entry["id"] for entry in second["data"]] == made[2::-1]
    assert not second["has_more"]
    back = call("GET", "/v1/messages/batches", query=f"limit=2&before_id={made[0]}").json()
    assert [entry["id"] for entry in back["data"]] == [made[2], made[1]]
    assert back["has_more"]
    assert error(call("GET", "/v1/messages/batches", query="after_id=nonsense"))[0] == 400


# -- examples ----------------------------------------------------------------------------------


def addressed_examples(bundle: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    """Yield method, path, media type and answer of each example that a path alone addresses."""
    for template, item in bundle["paths"].items():
        for method, operation in item.items():
            if "requestBody" in operation:
                continue
            parameters = [p for p in operation["parameters"] if p.get("in") in ("path", "query")]
            for media_type, media in operation["responses"]["200"]["content"].items():
                for name, example in media.get("examples", {}).items():
                    path, query = template, False
                    for parameter in parameters:
                        value = parameter.get("examples", {}).get(name, {}).get("value")
                        query |= parameter["in"] == "query" and value is not None
                        path = path.replace(f"{{{parameter['name']}}}", str(value))
                    if "{" in template and not query:
                        yield method.upper(), path, media_type, example["value"]


def test_examples_are_found_by_their_path(call: Caller, bundle: dict[str, Any]) -> None:
    count = 0
    for method, path, media_type, value in addressed_examples(bundle):
        if path.startswith("/v1/organizations/"):
            continue  # kept objects, which the examples change, archive and delete in turn
        response = call(method, path)
        if media_type == "application/json":
            if path != "/v1/skills/pptx":
                assert response.json() == value, path
        else:
            assert response.read().decode() == value
        count += 1
    assert count >= 12


def test_examples_send_nobody_to_the_real_api(call: Caller, bundle: dict[str, Any]) -> None:
    count = 0
    for method, path, media_type, value in addressed_examples(bundle):
        if media_type == "application/json" and "results_url" in value:
            shown = call(method, path, headers={"host": "localhost:4010"}).json()["results_url"]
            assert shown is None or shown.startswith("http://localhost:4010/v1/")
            count += shown is not None
    assert count


# -- files -------------------------------------------------------------------------------------


def test_a_file_is_stored(call: Caller) -> None:
    created = upload(call, "docs/notes.txt", b"\x00\xff--limit", expires_in_seconds="3600").json()
    assert created["filename"] == "notes.txt"
    assert (created["mime_type"], created["size_bytes"]) == ("text/plain", 9)
    assert created["downloadable"] is False
    assert created["expires_at"] > created["created_at"]
    path = f"/v1/files/{created['id']}"
    assert call("GET", path).json() == created
    refused = call("GET", f"{path}/content")
    assert error(refused)[0] == 400
    assert refused.json()["error"]["details"] == {"error_code": "file_not_downloadable"}
    assert call("DELETE", path).json() == {"id": created["id"], "type": "file_deleted"}
    assert error(call("GET", path))[0] == 404


def test_uploads_can_be_made_downloadable() -> None:
    call = Caller(MockAPI(uploads_downloadable=True))
    content = bytes(range(256)) * 3 + b"--limit--\r\n--limi\r\n\r"
    created = upload(call, "a.bin", content).json()
    response = call("GET", f"/v1/files/{created['id']}/content")
    assert response.read() == content
    assert response.header("content-type") == "application/binary"


def test_files_expire() -> None:
    now = [1_790_000_000.0]
    call = Caller(MockAPI(clock=lambda: now[0]))
    created = upload(call, expires_in_seconds="3600").json()
    now[0] += 3600
    response = call("GET", f"/v1/files/{created['id']}")
    assert response.json()["error"]["details"] == {"error_code": "file_expired"}
    assert call("GET", "/v1/files").json()["data"] == []


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "file: "),
        ([("file", None, "text")], "file: "),
        ([("file", "a.txt", "x"), ("expires_in_seconds", None, "60")], "expires_in_seconds: "),
        ([("file", "a.txt", "x"), ("expires_in_seconds", None, "soon")], "expires_in_seconds: "),
        ([("file", "a?.txt", "x")], "file: "),
        ([("file", "a" * 256, "x")], "file: "),
    ],
)
def test_uploads_that_are_refused(call: Caller, parts: list[Part], message: str) -> None:
    status, _, said = error(post(call, "/v1/files", *parts))
    assert status == 400
    assert said.startswith(message)


def test_a_file_without_a_name_gets_one(call: Caller) -> None:
    assert upload(call, "").json()["filename"] == "unnamed.txt"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"--limit\r\n", "multipart/form-data"),
        (
            b"--limit\r\nContent-Disposition: form-data; name=file",
            "multipart/form-data; boundary=limit",
        ),
        (b"--limit\r\n\r\nx\r\n--limit--", "multipart/form-data; boundary=limit"),
        (b"", "multipart/form-data; boundary=limit"),
    ],
)
def test_bodies_that_are_no_form(call: Caller, body: bytes, content_type: str) -> None:
    assert call("POST", "/v1/files", body, headers={"content-type": content_type}).status == 400


def test_files_are_paged_by_cursor(call: Caller) -> None:
    made = [upload(call, f"{i}.txt").json()["id"] for i in range(5)]
    first = call("GET", "/v1/files", query="limit=2").json()
    assert [entry["id"] for entry in first["data"]] == [made[4], made[3]]
    assert first.keys() == {"data", "next_page"}
    call("DELETE", f"/v1/files/{made[3]}")
    second = call("GET", "/v1/files", query=f"limit=2&page={first['next_page']}").json()
    assert [entry["id"] for entry in second["data"]] == [made[2], made[1]]
    last = call("GET", "/v1/files", query=f"limit=2&page={second['next_page']}").json()
    assert [entry["id"] for entry in last["data"]] == [made[0]]
    assert last["next_page"] is None
    assert error(call("GET", "/v1/files", query="page=nonsense"))[0] == 400
    picked = call("GET", "/v1/files", query=f"ids[]={made[0]}&ids[]={made[2]}&ids[]=none").json()
    assert {entry["id"] for entry in picked["data"]} == {made[0], made[2]}
    assert error(call("GET", "/v1/files", query=f"ids[]={made[0]}&limit=2"))[0] == 400


def test_the_older_shape_of_files(call: Caller) -> None:
    made = [upload(call, f"{i}.txt").json()["id"] for i in range(3)]
    page = call("GET", "/v1/files", query="limit=2", headers=FILES_FLAG).json()
    assert page.keys() == {"data", "has_more", "first_id", "last_id"}
    assert page["has_more"]
    assert page["last_id"] == made[1]
    query = f"limit=2&after_id={made[1]}"
    assert not call("GET", "/v1/files", query=query, headers=FILES_FLAG).json()["has_more"]
    assert "expires_at" not in call("GET", f"/v1/files/{made[0]}", headers=FILES_FLAG).json()
    assert call("GET", "/v1/files", query="scope_id=s", headers=FILES_FLAG).json()["data"] == []


# -- skills ------------------------------------------------------------------------------------


def create_skill(call: Caller, *more: Part, headers: dict[str, str] | None = None) -> Any:
    parts: list[Part] = [
        ("files[]", "checker/SKILL.md", MANUAL),
        ("files[]", "checker/rules/a.txt", b"\x00rules"),
        *more,
    ]
    return post(call, "/v1/skills", *parts, headers=headers)


def test_a_skill_and_its_versions(call: Caller) -> None:
    skill = create_skill(call, ("display_name", None, "Checker")).json()
    assert (skill["display_name"], skill["source"]) == ("Checker", {"type": "custom"})
    path = f"/v1/skills/{skill['id']}"
    second = post(call, f"{path}/versions", ("files[]", "checker/SKILL.md", MANUAL)).json()
    assert second["id"] != skill["latest_version_id"]
    assert (second["name"], second["description"]) == ("invoice-checker", "Checks invoices.")
    assert call("GET", path).json()["latest_version_id"] == second["id"]
    assert call("GET", f"{path}/versions/latest").json() == second
    page = call("GET", f"{path}/versions", query="limit=1").json()
    assert [entry["id"] for entry in page["data"]] == [second["id"]]
    rest = call("GET", f"{path}/versions", query=f"limit=1&page={page['next_page']}").json()
    assert [entry["id"] for entry in rest["data"]] == [skill["latest_version_id"]]
    assert rest["next_page"] is None
    first = f"{path}/versions/{skill['latest_version_id']}"
    archive = call("GET", f"{first}/content").read()
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == {
            "checker/SKILL.md": MANUAL,
            "checker/rules/a.txt": b"\x00rules",
        }
    assert call("GET", f"{first}/content").read() == archive
    copy = post(call, "/v1/skills", ("files[]", "checker.zip", archive)).json()
    again = call("GET", f"/v1/skills/{copy['id']}/versions/latest/content").read()
    assert again == archive
    assert call("DELETE", first).json() == {
        "id": skill["latest_version_id"],
        "type": "skill_version_deleted",
    }
    assert error(call("DELETE", f"{path}/versions/latest"))[0] == 400
    assert call("DELETE", path).json() == {"id": skill["id"], "type": "skill_deleted"}
    assert error(call("GET", f"{path}/versions"))[0] == 404


def test_the_skills_of_anthropic_are_listed(call: Caller) -> None:
    own = create_skill(call).json()
    everything = call("GET", "/v1/skills").json()["data"]
    assert {entry["id"] for entry in everything} == {own["id"], "pptx", "xlsx", "docx", "pdf"}
    provided = call("GET", "/v1/skills", query="source=anthropic&limit=3").json()
    assert len(provided["data"]) == 3
    assert provided["next_page"]
    assert call("GET", "/v1/skills/pptx/versions/latest").json()["skill_id"] == "pptx"
    assert error(call("DELETE", "/v1/skills/pptx"))[0] == 403


def test_the_older_shape_of_skills(call: Caller) -> None:
    skill = create_skill(call, ("display_title", None, "Checker"), headers=SKILLS_FLAG).json()
    assert skill["display_title"] == "Checker"
    assert skill["latest_version"].isdigit()
    assert not skill.keys() & {"display_name", "latest_version_id"}
    path = f"/v1/skills/{skill['id']}"
    version = f"{path}/versions/{skill['latest_version']}"
    shown = call("GET", version, headers=SKILLS_FLAG).json()
    assert (shown["version"], shown["directory"]) == (skill["latest_version"], "checker")
    page = call("GET", "/v1/skills", query="limit=1", headers=SKILLS_FLAG).json()
    assert page["has_more"]
    assert error(call("DELETE", path, headers=SKILLS_FLAG))[0] == 400
    assert call("DELETE", version, headers=SKILLS_FLAG).json()["id"] == skill["latest_version"]
    assert call("DELETE", path, headers=SKILLS_FLAG).status == 200


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"SKILL.md": MANUAL},
        {"a/SKILL.md": MANUAL, "b/x.txt": b""},
        {"a/sub/SKILL.md": MANUAL},
        {"a/SKILL.md": MANUAL, "a/../x": b""},
        {"a/SKILL.md": b"no head"},
        {"a/SKILL.md": b"---\nname: x\n"},
        {"a/SKILL.md": b"---\nname: Not Allowed\ndescription: d\n---\n"},
        {"a/SKILL.md": b"---\nname: fine\n---\n"},
        {"a.zip": b"PK\x03\x04 no archive"},
    ],
)
def test_files_that_are_no_skill(call: Caller, files: dict[str, bytes]) -> None:
    parts: list[Part] = [("files[]", name, content) for name, content in files.items()]
    assert error(post(call, "/v1/skills", *parts))[:2] == (400, "invalid_request_error")


def test_a_skill_that_unpacks_to_too_much(call: Caller) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/SKILL.md", MANUAL)
        archive.writestr("a/zeros", bytes(30 * 1024 * 1024))
    packed = buffer.getvalue()
    assert len(packed) < 1024 * 1024
    assert error(post(call, "/v1/skills", ("files[]", "a.zip", packed)))[:2] == (
        413,
        "request_too_large",
    )


def test_two_mocks_share_nothing() -> None:
    one, other = Caller(MockAPI()), Caller(MockAPI())
    created = upload(one).json()
    assert other("GET", f"/v1/files/{created['id']}").status == 404


def test_files_skills_and_batches_share_a_storage_that_can_be_full() -> None:
    call = Caller(MockAPI(storage_bytes=10_000))
    first = upload(call, content=b"x" * 8_000).json()
    full = upload(call, content=b"x" * 8_000)
    assert full.status == 400
    assert full.json()["error"]["details"] == {"error_code": "storage_quota_exceeded"}
    requests = batch(*[minimal("x" * 200)] * 10)
    refused = call("POST", "/v1/messages/batches", requests)
    assert refused.status == 400
    assert refused.json()["error"]["details"] == {"error_code": "storage_quota_exceeded"}
    assert call("DELETE", f"/v1/files/{first['id']}").status == 200
    assert upload(call, content=b"x" * 8_000).status == 200
