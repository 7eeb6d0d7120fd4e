"""Answers made from the spec: valid for every operation, plausible, and with a memory."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from jsonschema import Draft202012Validator

from claude_client.testing import MockAPI, answers
from claude_client.testing.patterns import matching_text
from claude_client.testing.records import Record, Records
from claude_client.testing.schema_values import Turns, ValueMaker
from claude_rest.spec import load_bundle

from .conftest import Caller
from .families_spec import FLAG
from .families_spec import bundle as families_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from claude_client.testing import MockResponse
    from claude_client.testing.routing import MockOperation

NOW = 1_790_000_000.0
FLAGGED = {"anthropic-beta": FLAG}
FORM = b'--b\r\ncontent-disposition: form-data; name="%s"; filename="a/SKILL.md"\r\n\r\nhi\r\n--b--\r\n'


class Families(Caller):
    """Asks a mock of the families spec, flag included."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(MockAPI(families_bundle(), seed=seed, clock=lambda: NOW))

    def json(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        response = self(method, path, body, query=urlencode(query), headers=FLAGGED)
        assert response.status == 200, response.read()
        return response.json()

    def status(self, method: str, path: str, body: Any = None, **query: Any) -> int:
        return self(method, path, body, query=urlencode(query), headers=FLAGGED).status


@pytest.fixture
def families() -> Families:
    return Families()


# Every operation.


def requests(api: MockAPI, operation: MockOperation, turn: int) -> tuple[str, bytes, str]:
    """Return path, body and media type of a valid request."""
    router = api._contract.router
    path = ""
    for segment in operation.segments[1:]:
        if not segment.startswith("{"):
            path += f"/{segment}"
            continue
        template = "/".join(operation.segments[: path.count("/") + 1])
        family = router.families.at(template)
        name = "thing_01"
        if family is not None and family.list is not None:
            data = ask(api, "GET", path).json()["data"]
            key = "id" if "id" in data[0] else segment[1:-1]
            name = data[turn % len(data)][key]
        path += f"/{name}"
    if operation.form:
        properties = router.resolve(operation.body_schema or {})["properties"]
        files = [n for n, p in properties.items() if "binary" in json.dumps(p)]
        return path, FORM % files[0].encode(), "multipart/form-data; boundary=b"
    if operation.body_schema is None:
        return path, b"", "application/json"
    maker = ValueMaker(
        router.facts,
        api._identifiers,
        Turns({"": turn}),
        f"{operation.id}{turn}",
        NOW,
        NOW,
        frozenset(flags(api)),
        "2026-10-21",
    )
    return path, json.dumps(maker.value(operation.body_schema)).encode(), "application/json"


def flags(api: MockAPI) -> list[str]:
    shapes = api._contract.router.facts._shapes
    return [flag for flag in api._contract.flags or () if flag not in shapes]


def ask(
    api: MockAPI, method: str, path: str, body: bytes = b"", media: str = "application/json"
) -> MockResponse:
    headers = {"anthropic-beta": ",".join(flags(api)), "content-type": media}
    return Caller(api)(method, path, body, headers=headers)


def values_of(response: MockResponse, operation: MockOperation) -> tuple[list[Any], Any]:
    """Return the JSON values of an answer, and the schema that each has to follow."""
    media = (response.header("content-type") or "").partition(";")[0]
    if media == "application/json":
        return [response.json()], operation.answers[media]
    if media == "text/event-stream":
        lines = response.read().decode().splitlines()
        events = [json.loads(line[6:]) for line in lines if line[:6] == "data: "]
        # Pings are in every stream, and in no union of events.
        return [event for event in events if event["type"] != "ping"], operation.items
    if media == "application/x-jsonl":
        return [json.loads(line) for line in response.read().splitlines()], operation.items
    return [], {}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("made", ["the spec", "the spec without handlers", "families"])
def test_answers_are_valid_against_the_spec(
    made: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = families_bundle() if made == "families" else load_bundle()
    if made == "the spec without handlers":
        for name, value in (("HANDLERS", {}), ("STATEFUL_HANDLERS", {}), ("_HANDLED", ())):
            monkeypatch.setattr(answers, name, value)
    api = MockAPI(bundle, seed=seed, clock=lambda: NOW)
    handled = answers._HANDLED
    answered: set[str] = set()
    for operation in api._contract.router.operations.values():
        if made == "the spec" and operation.id in answers.STATEFUL_HANDLERS:
            continue
        schemas: dict[int, Draft202012Validator] = {}
        for turn in range(3):
            path, body, media = requests(api, operation, turn)
            response = ask(api, operation.method, path, body, media)
            if response.status == 404 and "thing_01" in path:
                continue
            if response.status == 400 and operation.id in handled:
                continue  # valid against the schema, but a handler knows more
            assert response.status == operation.status, (operation.id, response.read())
            answered.add(operation.id)
            values, schema = values_of(response, operation)
            if id(schema) not in schemas:
                document = {**(schema or {}), "components": bundle["components"]}
                schemas[id(schema)] = Draft202012Validator(document)
            for value in values:
                wrong = next(schemas[id(schema)].iter_errors(value), None)
                assert wrong is None, (operation.id, list(wrong.absolute_path), wrong.message)
    assert len(answered) >= (2 if made == "the spec" else 18)


def test_same_seed_same_answers_and_another_seed_others() -> None:
    def transcript(seed: int) -> list[bytes]:
        families = Families(seed)
        seen = [families("GET", "/v1/agents").read(), families("GET", "/v1/report").read()]
        agent = families("POST", "/v1/agents", {"name": "a", "model": "m"})
        return [*seen, agent.read(), families("GET", "/v1/work/stats").read()]

    assert transcript(1) == transcript(1)
    assert all(one != other for one, other in zip(transcript(1), transcript(2), strict=True))


def test_every_member_of_a_union_and_of_an_enum_has_its_turn(families: Families) -> None:
    events = [
        event["type"]
        for number in range(2)
        for event in families.json("GET", f"/v1/sessions/{session(families)}/events")["data"]
    ]
    assert set(events) == {"user.message", "agent.message", "session.idle"}
    roles = {user["role"] for user in families.json("GET", "/v1/users")["data"]}
    assert roles == {"user", "developer", "admin"}


# What values look like.


def test_values_are_plausible(families: Families) -> None:
    agents = families.json("GET", "/v1/agents")["data"]
    assert len({agent["id"] for agent in agents}) == len(agents) == 5
    created = [datetime.fromisoformat(a["created_at"].replace("Z", "+00:00")) for a in agents]
    assert created == sorted(created, reverse=True)
    for agent, at in zip(agents, created, strict=True):
        assert re.fullmatch(r"agent_01\w{22}", agent["id"])
        assert 0 <= NOW - at.timestamp() < 24 * 60 * 60
        assert agent["updated_at"] >= agent["created_at"]
        assert agent["archived_at"] is None
        assert agent["status"] == "active"
        assert "older" not in agent
        assert "preview" not in agent
    assert {agent["description"] is None for agent in agents} == {True, False}
    for user in families.json("GET", "/v1/users")["data"]:
        assert re.fullmatch(r"user_[0-9A-Za-z]{24}", user["id"])
        assert "@" in user["email"]
    for bucket in families.json("GET", "/v1/report")["data"]:
        assert bucket["starting_at"] < bucket["ending_at"]


def test_what_the_request_says_comes_back(families: Families) -> None:
    body = {
        "name": "Nora",
        "model": "claude-opus-5-5",
        "metadata": {"team": "blue"},
        "tools": [{"type": "custom", "name": "look_up", "schema": {"type": "object"}}],
    }
    agent = families.json("POST", "/v1/agents", body)
    assert agent["name"] == "Nora"
    assert agent["model"]["id"] == "claude-opus-5-5"
    assert (agent["metadata"], agent["tools"]) == (body["metadata"], body["tools"])
    member = families.json(
        "POST", "/v1/workspaces/wrkspc_1/members", {"user_id": "user_1", "role": "admin"}
    )
    assert (member["workspace_id"], member["user_id"]) == ("wrkspc_1", "user_1")


def test_an_upload_is_told_of(families: Families) -> None:
    form = {"content-type": "multipart/form-data; boundary=b"}
    response = families("POST", "/v1/uploads", FORM % b"file", headers=form)
    upload = response.json()
    assert response.status == 201
    assert (upload["filename"], upload["size_bytes"]) == ("a/SKILL.md", 2)
    assert families.json("GET", f"/v1/uploads/{upload['id']}") == upload


@pytest.mark.parametrize(
    "pattern",
    [
        r"^msg_[A-Za-z0-9]{24}$",
        r"^[a-z][a-z0-9_-]{0,62}$",
        r"^(GET|POST) /\d{3}\.?$",
        r"[^a-c]\w+\s",
        r"^sk-ant-.{4,}",
    ],
)
def test_text_of_a_pattern(pattern: str) -> None:
    numbers = iter(range(1_000))
    text = matching_text(pattern, lambda: next(numbers) * 7919)
    assert text is not None
    assert re.search(pattern, text)


def test_pattern_that_is_beyond_it() -> None:
    assert matching_text(r"(a)(?=b)", lambda: 0) is None


# Objects that come, change and go.


def create(families: Families, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = families.json(
        "POST", "/v1/agents", {"name": "a", "model": "m", "metadata": {"kept": "1"}, **body}
    )
    return made


def session(families: Families) -> str:
    return str(families.json("POST", "/v1/sessions", {"agent_id": "agent_1"})["id"])


def test_an_object_lives_and_dies(families: Families) -> None:
    agent = create(families)
    path = f"/v1/agents/{agent['id']}"
    assert families.json("GET", path) == agent
    assert families.json("GET", "/v1/agents")["data"][0] == agent
    changed = families.json("POST", path, {"name": "b", "metadata": {"more": "2"}})
    assert changed["name"] == "b"
    assert changed["metadata"] == {"kept": "1", "more": "2"}
    assert changed["version"] == agent["version"] + 1
    assert changed["created_at"] == agent["created_at"]
    assert families.json("GET", path) == changed
    deleted = families.json("DELETE", path)
    assert deleted == {"id": agent["id"], "type": "agent_deleted", "deleted": True}
    assert [families.status(m, path) for m in ("GET", "DELETE")] == [404, 404]
    assert families.status("POST", f"{path}/archive") == 404
    assert families.status("GET", f"{path}/export") == 404
    listed = families.json("GET", "/v1/agents")["data"]
    assert agent["id"] not in [other["id"] for other in listed]


def test_actions_set_what_they_are_named_after(families: Families) -> None:
    path = f"/v1/agents/{create(families)['id']}"
    archived = families.json("POST", f"{path}/archive")
    assert (archived["status"], archived["archived_at"] is None) == ("archived", False)
    assert families.json("GET", path) == archived
    ids = [agent["id"] for agent in families.json("GET", "/v1/agents")["data"]]
    assert archived["id"] not in ids
    everything = families.json("GET", "/v1/agents", include_archived="true")["data"]
    assert archived in everything
    back = families.json("POST", f"{path}/unarchive")
    assert (back["status"], back["archived_at"]) == ("active", None)
    assert families.json("POST", f"{path}/pause")["status"] == "paused"


def test_answer_without_content(families: Families) -> None:
    user = families.json("GET", "/v1/users")["data"][0]
    response = families("DELETE", f"/v1/users/{user['id']}")
    assert (response.status, response.read()) == (204, b"")
    assert response.header("content-type") is response.header("content-length") is None
    assert families.status("GET", f"/v1/users/{user['id']}") == 404


def test_what_only_creating_shows(families: Families) -> None:
    made = families.json("POST", "/v1/webhooks", {"url": "https://example.com/"})
    kept = families.json("GET", f"/v1/webhooks/{made['id']}")
    assert made.pop("signing_secret").startswith("whsec_")
    assert kept == made


def test_settings_are_one_object(families: Families) -> None:
    first = families.json("GET", "/v1/settings")
    assert families.json("GET", "/v1/settings") == first
    changed = families.json("POST", "/v1/settings", {"note": "x", "enabled": not first["enabled"]})
    assert changed == {**first, "note": "x", "enabled": not first["enabled"]}
    assert families.json("GET", "/v1/settings") == changed


def test_objects_are_below_their_parents(families: Families) -> None:
    first, second = session(families), session(families)
    events = families.json("GET", f"/v1/sessions/{first}/events")
    assert events == families.json("GET", f"/v1/sessions/{first}/events")
    assert events != families.json("GET", f"/v1/sessions/{second}/events")
    assert families.status("GET", "/v1/sessions/sesn_none/events") == 404
    assert families.status("GET", "/v1/sessions/sesn_none/events/stream") == 404


def test_what_is_sent_is_listed(families: Families) -> None:
    path = f"/v1/sessions/{session(families)}/events"
    events = [{"type": "user.message", "text": text} for text in ("one", "two")]
    sent = families.json("POST", path, {"events": events})["data"]
    assert [event["text"] for event in sent] == ["one", "two"]
    assert families.json("GET", path)["data"][:2] == sent[::-1]


def test_versions_are_those_of_the_object(families: Families) -> None:
    agent = create(families)
    versions = families.json("GET", f"/v1/agents/{agent['id']}/versions")["data"]
    assert versions == [agent]


def test_examples_of_the_spec_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HANDLERS", {}), ("STATEFUL_HANDLERS", {}), ("_HANDLED", ())):
        monkeypatch.setattr(answers, name, value)
    call = Caller(MockAPI())
    operations = load_bundle()["paths"]["/v1/files/{file_id}"]["get"]
    shown = operations["responses"]["200"]["content"]["application/json"]["examples"]
    for example in shown.values():
        response = call("GET", f"/v1/files/{example['value']['id']}")
        assert response.json() == example["value"]


# Lists.


def walk(families: Families, path: str, start: dict[str, Any], name: str) -> Iterator[Any]:
    query: dict[str, Any] = {"limit": 2, **start}
    while True:
        page = families.json("GET", path, **query)
        assert len(page["data"]) <= 2
        yield page
        cursor = page["next_page"] if name == "page" else page["has_more"] and page["last_id"]
        if not cursor:
            return
        query = {"limit": 2, name: cursor}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/agents", "page"),
        ("/v1/sessions", "page"),
        ("/v1/report", "page"),
        ("/v1/users", "after_id"),
        ("/v1/workspaces/wrkspc_1/members", "after_id"),
    ],
)
def test_every_style_pages_to_the_end(families: Families, path: str, name: str) -> None:
    everything = families.json("GET", path)["data"]
    pages = list(walk(families, path, {}, name))
    assert [item for page in pages for item in page["data"]] == everything
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    if "has_more" in pages[0]:
        assert [page["has_more"] for page in pages] == [True, True, False]


def test_paging_backwards(families: Families) -> None:
    everything = families.json("GET", "/v1/sessions")["data"]
    pages = list(walk(families, "/v1/sessions", {}, "page"))
    assert pages[0]["prev_page"] is None
    back = families.json("GET", "/v1/sessions", limit=2, page=pages[2]["prev_page"])
    assert back["data"] == everything[2:4]
    first = families.json("GET", "/v1/sessions", limit=2, page=back["prev_page"])
    assert (first["data"], first["prev_page"]) == (everything[:2], None)
    assert families.json("GET", "/v1/sessions", limit=2, page=first["next_page"]) == pages[1]
    users = families.json("GET", "/v1/users")["data"]
    page = families.json("GET", "/v1/users", limit=2, before_id=users[3]["id"])
    assert (page["data"], page["has_more"]) == (users[1:3], True)


def test_a_cursor_outlives_what_it_points_at(families: Families) -> None:
    everything = families.json("GET", "/v1/agents")["data"]
    cursor = families.json("GET", "/v1/agents", limit=2)["next_page"]
    families.json("DELETE", f"/v1/agents/{everything[1]['id']}")
    create(families)
    page = families.json("GET", "/v1/agents", limit=2, page=cursor)
    assert page["data"] == everything[2:4]


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/v1/agents", {"page": "page_x"}, "page"),
        ("/v1/agents", {"limit": 0}, "limit"),
        ("/v1/agents", {"limit": "many"}, "limit"),
        ("/v1/agents", {"created_at[gte]": "yesterday"}, "created_at[gte]"),
        ("/v1/users", {"after_id": "user_x"}, "after_id"),
        ("/v1/users", {"after_id": "a", "before_id": "b"}, "before_id"),
    ],
)
def test_wrong_queries(families: Families, path: str, query: dict[str, Any], name: str) -> None:
    response = families("GET", path, query=urlencode(query))
    assert response.status == 400
    assert response.json()["error"]["message"].startswith(f"{name}: ")


def test_filters(families: Families) -> None:
    agents = families.json("GET", "/v1/agents")["data"]
    families.json("POST", f"/v1/agents/{agents[0]['id']}/pause")
    paused = families.json("GET", "/v1/agents", **{"status[]": "paused"})["data"]
    assert [agent["id"] for agent in paused] == [agents[0]["id"]]
    since = {"created_at[gte]": agents[2]["created_at"]}
    newer = families.json("GET", "/v1/agents", **since)["data"]
    assert [agent["id"] for agent in newer] == [agent["id"] for agent in agents[:3]]


# Streams and refusals.


def test_a_stream_has_an_event_of_each_kind(families: Families) -> None:
    path = f"/v1/sessions/{session(families)}"
    response = families("GET", f"{path}/events/stream")
    assert (response.header("content-type") or "").startswith("text/event-stream")
    events = response.read().decode().split("\n\n")
    names = [event.splitlines()[0] for event in events if event]
    assert names == [
        "event: user.message",
        "event: agent.message",
        "event: session.idle",
    ]
    lines = families("GET", f"{path}/log")
    assert lines.header("content-type") == "application/x-jsonl"
    assert {json.loads(line)["type"] for line in lines.read().splitlines()} == {"user.message"}


def test_bytes_are_the_same_every_time(families: Families) -> None:
    path = f"/v1/agents/{create(families)['id']}/export"
    first, second = families("GET", path), families("GET", path)
    assert first.header("content-type") == "application/octet-stream"
    assert first.read() == second.read() != b""


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        ({"model": "m"}, {}, "name: Field required"),
        ({"name": "", "model": "m"}, {}, "name: must have at least 1"),
        (
            {"name": "a", "model": "m", "tools": [{"type": "mcp", "server_url": "x"}]},
            {},
            "tools.0.server_url: not a valid uri",
        ),
        ({"name": "a", "model": "m"}, {"anthropic-profile": "x"}, "anthropic-profile: "),
        ({"name": "a", "model": "m"}, {"anthropic-version": None}, "anthropic-version: "),
    ],
)
def test_refusals_name_the_place(
    families: Families, body: Any, headers: dict[str, str | None], message: str
) -> None:
    response = families("POST", "/v1/agents", body, headers=headers)
    assert response.status == 400
    assert response.json()["error"]["message"].startswith(message)


def test_an_operation_behind_a_flag_is_hidden(families: Families) -> None:
    assert families("GET", "/v1/sessions").status == 404
    assert families("PUT", "/v1/agents").status == 405


def test_unknown_fields_are_refused_only_when_asked() -> None:
    body = {"name": "a", "model": "m", "colour": "blue"}
    assert Families()("POST", "/v1/agents", body).status == 200
    strict = Caller(MockAPI(families_bundle(), strict=True))
    refused = strict("POST", "/v1/agents", body)
    assert refused.status == 400
    assert refused.json()["error"]["message"] == "colour: Extra inputs are not permitted"


# Memory.


def test_memory_is_bounded() -> None:
    records = Records(max_collections=2, max_records=4, max_bytes=200)
    first = records.open("/a")
    for number in range(10):
        records.keep(first, Record(str(number), number, 0.0, {"n": number}))
    assert list(first.records) == ["6", "7", "8", "9"]
    records.keep(first, Record("large", 11, 0.0, {"n": "x" * 190}))
    assert list(first.records) == ["large"]
    records.keep(first, Record("large", 11, 0.0, {"n": "x"}))
    second = records.open("/a/large/b")
    records.keep(second, Record("child", 12, 0.0, {}))
    records.remove(first, first.records["large"])
    assert records.find("/a/large/b") is None
    assert len(records) == 0
    for name in "cde":
        records.open(f"/{name}")
    assert [records.find(f"/{name}") is None for name in "acde"] == [True, True, False, False]
