"""Recordings hold no secret, and replay what was recorded and nothing else."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_client import AsyncClaude, Claude, NotFoundError, RetryPolicy
from claude_client.testing import (
    AsyncMockTransport,
    AsyncRecordingTransport,
    AsyncReplayTransport,
    CassetteError,
    MockAPI,
    MockTransport,
    RecordingTransport,
    ReplayTransport,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-ant-api03-Rk2_x-very-secret-AA"
ORGANIZATION = "5f1c7f1e-6d0a-4f4e-9d69-0a4f5c1c9b11"
WORKSPACE = "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ"
EMAIL = "jane.doe+x@corp.example.com"
COOKIE = "c0ffee-cookie-value"
TOKEN = "opaque-mcp-token-42"
MINE = "Project Nightjar"
SECRETS = [KEY, ORGANIZATION, WORKSPACE, EMAIL, COOKIE]

ARGUMENTS: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}


class Scripted(httpx.BaseTransport):
    """Answers every request with the same pieces."""

    def __init__(self, pieces: list[bytes], headers: dict[str, str] | None = None, status: int = 200):  # fmt: skip
        self.pieces = pieces
        self.headers = headers or {}
        self.status = status

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self.status, headers=self.headers, stream=Pieces(self.pieces))


class Pieces(httpx.SyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if piece == b"<break>":
                raise httpx.ReadError("broken")
            yield piece


def record(
    path: Path,
    pieces: list[bytes],
    *,
    headers: dict[str, str] | None = None,
    secrets: tuple[str, ...] = (),
    **request: Any,
) -> tuple[bytes, str]:
    """Return what the client got, and the text of the recording."""
    transport = RecordingTransport(Scripted(pieces, headers), path, secrets=secrets)
    with httpx.Client(transport=transport, base_url="https://api.anthropic.com") as client:
        method = "POST" if set(request) & {"json", "content", "files"} else "GET"
        content = client.request(method, request.pop("url", "/v1/x"), **request).content
    return content, path.read_text("utf-8")


def replay(path: Path, **request: Any) -> httpx.Response:
    with httpx.Client(transport=ReplayTransport(path), base_url="https://other.example") as client:
        method = "POST" if set(request) & {"json", "content", "files"} else "GET"
        return client.request(method, request.pop("url", "/v1/x"), **request)


# --- no secret survives -------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [*SECRETS, "Bearer " + KEY])
def test_what_headers_say_is_taken_out_everywhere(tmp_path: Path, secret: str) -> None:
    headers = {
        "anthropic-organization-id": ORGANIZATION,
        "anthropic-workspace-id": WORKSPACE,
        "set-cookie": f"session={COOKIE}; Path=/",
        "content-type": "application/json",
        "location": f"https://x.example/?to={EMAIL}",
        "server": KEY,
    }
    body = json.dumps({"a": [f"x{secret}y", {secret: 1}]}).encode()
    got, text = record(
        tmp_path / "a.json", [body], headers=headers, json={"note": secret},
        url=httpx.URL(f"/v1/x/{secret}", params={"q": secret, secret: "1"}),
    )  # fmt: skip
    assert got == body
    for hidden in SECRETS:
        assert hidden not in text


def test_request_headers_are_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    transport = RecordingTransport(Scripted([b"{}"], {"content-type": "application/json"}), path)
    with httpx.Client(transport=transport) as client:
        client.post(
            "https://api.anthropic.com/v1/x",
            headers={
                "authorization": f"Bearer {TOKEN}",
                "cookie": f"a={COOKIE}",
                "user-agent": "jane",
                "anthropic-version": "2026-10-21",
                "anthropic-beta": "b, a",
            },
            content=f"the token {TOKEN} and the cookie {COOKIE}",
        )
    text = path.read_text()
    assert not any(word in text for word in (TOKEN, COOKIE, "jane"))
    (exchange,) = json.loads(text)["exchanges"]
    assert exchange["request"]["headers"] == {
        "anthropic-beta": "a, b",
        "anthropic-version": "2026-10-21",
    }


@pytest.mark.parametrize(
    "field",
    ["authorization_token", "api_key", "apiKey", "password", "client_secret", "token",
     "organization_id", "org_id", "account_uuid", "email", "partial_key_hint", "access_token"],
)  # fmt: skip
def test_fields_are_taken_out_by_their_names(tmp_path: Path, field: str) -> None:
    body = json.dumps({"a": {field: "xyzzy-1234"}, "input_tokens": 7, "next_page": "page_1"})
    _, text = record(tmp_path / "a.json", [body.encode()], headers={"content-type": "application/json"}, json={field: "xyzzy-1234"})  # fmt: skip
    assert "xyzzy" not in text
    assert json.loads(text)["exchanges"][0]["response"]["body"]["json"]["input_tokens"] == 7


@pytest.mark.parametrize(
    "secret",
    ["ghp_0123456789abcdefghij", "AKIAIOSFODNN7EXAMPLE", "xoxb-1234567890-abc", "ya29.a0AfH6SMBxyz",
     "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4", "org_01AbCdEfGh", "Bearer abcdefgh12345"],
)  # fmt: skip
def test_tokens_of_other_services_are_taken_out(tmp_path: Path, secret: str) -> None:
    _, text = record(tmp_path / "a.json", [f"see {secret}!".encode()])
    assert secret.removeprefix("Bearer ") not in text


def test_escapes_hide_nothing(tmp_path: Path) -> None:
    body = b'{"a": "\\u0073k-ant-api03-hidden-1", "b": "jane\\u0040corp.example.com"}'
    _, text = record(tmp_path / "a.json", [body], headers={"content-type": "application/json"})
    assert "hidden-1" not in text
    assert "corp.example" not in text


def test_texts_of_ones_own_and_binary_bodies(tmp_path: Path) -> None:
    content = b"\xff\x00" + KEY.encode() + b"\x00" + MINE.encode()
    path = tmp_path / "a.json"
    got, _ = record(path, [content], secrets=(MINE,), content=content)
    assert got == content
    import base64

    (exchange,) = json.loads(path.read_text())["exchanges"]
    for side in ("request", "response"):
        kept = base64.b64decode(exchange[side]["body"]["base64"])
        assert kept.startswith(b"\xff\x00")
        assert KEY.encode() not in kept
        assert MINE.encode() not in kept


def test_compressed_answers_are_looked_into(tmp_path: Path) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    body = json.dumps({"key": KEY, "word": "fine"}).encode()
    path = tmp_path / "a.json"
    _, text = record(path, [gzip.compress(body)], headers=headers)
    assert KEY not in text
    assert replay(path).json()["word"] == "fine"


def test_what_is_learned_late_is_taken_out_of_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    scripted = Scripted([ORGANIZATION.encode()])
    with httpx.Client(transport=RecordingTransport(scripted, path)) as client:
        client.get("https://api.anthropic.com/v1/x")
        assert ORGANIZATION in path.read_text()
        scripted.headers = {"anthropic-organization-id": ORGANIZATION}
        client.get("https://api.anthropic.com/v1/x")
    assert ORGANIZATION not in path.read_text()


def test_forms(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files = {"file": (f"{EMAIL}.txt", f"Key: {KEY}".encode(), "text/plain"), "blob": ("b", b"\xff")}
    _, text = record(path, [b"ok"], files=files, data={"api_key": "xyzzy", "n": "1"})
    assert not any(word in text for word in (KEY, EMAIL, "xyzzy"))
    form = json.loads(text)["exchanges"][0]["request"]["body"]["form"]
    assert [part["name"] for part in form] == ["api_key", "n", "file", "blob"]
    assert form[3]["base64"] == "/w=="
    replay(path, files=files, data={"api_key": "other", "n": "1"})
    with pytest.raises(CassetteError, match="/body/form/1/text/0: recorded \"1\", asked \"2\""):  # fmt: skip
        replay(path, files=files, data={"api_key": "xyzzy", "n": "2"})


def cut(text: Any, places: list[int]) -> list[Any]:
    bounds = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[one:other] for one, other in pairwise(bounds)]


CUTS = st.lists(st.integers(0, 1000), max_size=8)


def merged(text: str, field: str) -> str:
    """Return what the deltas in the text of a recording say together."""
    lines = json.loads(text)["exchanges"][0]["response"]["body"]["sse"]
    events = [json.loads(line[5:]) for line in lines if line.startswith("data:")]
    return "".join(event["delta"][field] for event in events)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    secrets=st.lists(st.sampled_from(SECRETS), min_size=1, max_size=4),
    words=st.lists(st.sampled_from(["", " ", "So ", "\u2028", "\n", "é😀 ", '"', "\\ "]), min_size=5, max_size=5),
    kind=st.sampled_from(["text", "thinking", "partial_json"]),
    deltas=CUTS,
    chunks=CUTS,
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
)  # fmt: skip
def test_no_secret_survives_in_a_stream_however_it_is_cut(
    tmp_path: Path,
    secrets: list[str],
    words: list[str],
    kind: str,
    deltas: list[int],
    chunks: list[int],
    ending: str,
) -> None:
    text = " ".join(f"{word} {secret}" for word, secret in zip(words, secrets, strict=False))
    whole = json.dumps({"note": text}, ensure_ascii=len(deltas) % 2 == 0) if kind == "partial_json" else text  # fmt: skip
    name = "input_json_delta" if kind == "partial_json" else f"{kind}_delta"
    stream = ""
    for part in cut(whole, deltas):
        event = {"type": "content_block_delta", "index": 0, "delta": {"type": name, kind: part}}
        stream += f"event: content_block_delta{ending}data: {json.dumps(event, ensure_ascii=False)}{ending}{ending}"  # fmt: skip
    raw = stream.encode()
    headers = {
        "content-type": "text/event-stream; charset=utf-8",
        "anthropic-organization-id": ORGANIZATION,
        "set-cookie": f"s={COOKIE}",
    }
    path = tmp_path / "a.json"
    got, recorded = record(path, cut(raw, chunks), headers=headers)
    assert got == raw
    together = "" if ending == "\r" else merged(recorded.replace("\\r", ""), kind)
    for secret in secrets:
        assert secret not in recorded
        assert secret not in together
    if kind == "partial_json" and together:
        assert "note" in json.loads(together)
    replayed = replay(path).content.decode()
    assert replayed.count("data:") == stream.count("data:")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    value=st.recursive(
        st.text(max_size=5) | st.sampled_from(SECRETS) | st.integers() | st.none() | st.booleans(),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(SECRETS), inner, max_size=3),
        max_leaves=8,
    ),
    chunks=CUTS,
    lines=st.booleans(),
)  # fmt: skip
def test_no_secret_survives_in_json_however_it_is_cut(
    tmp_path: Path, value: Any, chunks: list[int], lines: bool
) -> None:
    body = json.dumps({"v": value}).encode()
    kind = "application/json"
    if lines:
        body, kind = (body + b"\n") * 2, "application/x-jsonl"
    headers = {
        "content-type": kind,
        "anthropic-organization-id": ORGANIZATION,
        "set-cookie": f"s={COOKIE}",
    }
    path = tmp_path / "a.json"
    got, recorded = record(path, cut(body, chunks), headers=headers, json={"v": value})
    assert got == body
    assert not any(secret in recorded for secret in SECRETS)
    replayed = replay(path, json={"v": value})
    first = json.loads(replayed.content.split(b"\n")[0])
    if not any(secret in json.dumps(value) for secret in SECRETS):
        assert first == {"v": value}


def test_scrubbing_twice_is_scrubbing_once() -> None:
    from claude_client.testing.scrubbing import PLACEHOLDERS, Scrubber

    scrubber = Scrubber()
    for placeholder in PLACEHOLDERS:
        assert scrubber.text(placeholder) == placeholder
    for name in ("email", "api_key", "organization_id", "workspace_id"):
        once = scrubber.field(name, "abc-defgh")
        assert scrubber.field(name, once) == once


# --- what was recorded is replayed --------------------------------------------------------------


def session(client: Any) -> list[Any]:
    """Use a client in every way that answers come."""
    got: list[Any] = [client.messages.create(**ARGUMENTS).to_dict()]
    with client.messages.stream(**ARGUMENTS) as stream:
        got += [list(stream.text_stream), stream.get_final_message().to_dict()]
    batch = client.messages.batches.create(requests=[{"custom_id": "1", "params": ARGUMENTS}])
    while client.messages.batches.retrieve(batch.id).processing_status != "ended":
        pass
    got.append([line.to_dict() for line in client.messages.batches.results(batch.id)])
    file = client.files.upload(file=("a.bin", b"\x00\xff\r\n--x", "application/octet-stream"))
    got += [file.to_dict(), client.files.download(file.id).read()]
    try:
        client.models.retrieve("no such")
    except NotFoundError as error:
        got += [error.status_code, error.message, error.request_id]
    return got


@pytest.fixture
def mock() -> Iterator[Any]:
    with serve(MockAPI(uploads_downloadable=True)) as server:
        yield server


def claude(transport: Any, url: str) -> Claude:
    return Claude(
        api_key=KEY,
        base_url=url,
        http_client=httpx.Client(transport=transport),
        retry=RetryPolicy(random=lambda: 0.0),
    )


def test_a_session_over_a_socket(tmp_path: Path, mock: Any) -> None:
    path = tmp_path / "folder" / "session.json"
    recording = RecordingTransport(httpx.HTTPTransport(), path)
    try:
        recorded = session(claude(recording, mock.url))
    finally:
        recording.close()
    replaying = ReplayTransport(path)
    replayed = session(claude(replaying, "https://api.anthropic.com"))
    assert json.dumps(replayed, default=repr) == json.dumps(recorded, default=repr)
    replaying.assert_all_played()
    assert KEY not in path.read_text()
    kinds = {next(iter(e["response"]["body"])) for e in json.loads(path.read_text())["exchanges"]}
    assert kinds == {"json", "sse", "jsonl", "base64"}


def test_a_session_of_an_asynchronous_client(tmp_path: Path, mock: Any) -> None:
    async def use(transport: Any, url: str) -> list[Any]:
        async with (
            httpx.AsyncClient(transport=transport) as http_client,
            AsyncClaude(api_key=KEY, base_url=url, http_client=http_client) as client,
        ):
            got: list[Any] = [(await client.messages.create(**ARGUMENTS)).to_dict()]
            async with client.messages.stream(**ARGUMENTS) as stream:
                got.append([text async for text in stream.text_stream])
            file = await client.files.upload(file=("a.bin", b"\x00\xff"))
            got.append(await (await client.files.download(file.id)).read())
            return got

    path = tmp_path / "a.json"
    inner = httpx.AsyncHTTPTransport()
    recorded = asyncio.run(use(AsyncRecordingTransport(inner, path), mock.url))
    replaying = AsyncReplayTransport(path)
    assert asyncio.run(use(replaying, "https://api.anthropic.com")) == recorded
    replaying.assert_all_played()


def test_answers_that_were_read_already_are_recorded_too(tmp_path: Path) -> None:
    class Whole(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json={"a": 1}, extensions={"http_version": b"HTTP/1.1"})

    path = tmp_path / "a.json"
    with httpx.Client(transport=RecordingTransport(Whole(), path)) as client:
        answer = client.get("https://x.example/v1/x")
        assert answer.json() == {"a": 1}
        assert answer.http_version == "HTTP/1.1"
    assert replay(path).json() == {"a": 1}


def test_streams_are_replayed_event_by_event(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    claude_ = claude(RecordingTransport(MockTransport(), path), "https://api.anthropic.com")
    with claude_.messages.stream(**ARGUMENTS) as stream:
        stream.get_final_message()
    body = {**ARGUMENTS, "stream": True}
    with (
        httpx.Client(transport=ReplayTransport(path)) as client,
        client.stream(
            "POST",
            "https://api.anthropic.com/v1/messages",
            json=body,
            headers={"anthropic-version": "2026-10-21"},
        ) as answer,
    ):
        pieces = []
        for piece in answer.iter_raw():
            pieces.append(piece)
            if b"message_stop" in piece:
                break
    assert len(pieces) > 5
    assert all(piece.endswith(b"\n\n") and piece.count(b"data:") == 1 for piece in pieces)


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "\r\n\r\n", "\n\n: comment"])
def test_streams_are_replayed_to_the_byte(tmp_path: Path, ending: str) -> None:
    stream = f'event: ping\ndata: {{"type": "ping",  "x":1}}\n\ndata: x\r\ndata: y{ending}'.encode()
    path = tmp_path / "a.json"
    record(path, [stream], headers={"content-type": "text/event-stream"})
    assert replay(path).content == stream


def test_an_answer_that_broke_breaks_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(httpx.ReadError, match="broken"):
        record(path, [b"data: 1\n\n", b"<break>"], headers={"content-type": "text/event-stream"})
    with (
        httpx.Client(transport=ReplayTransport(path)) as client,
        client.stream("GET", "https://x.example/v1/x") as answer,
    ):
        chunks = answer.iter_raw()
        assert next(chunks) == b"data: 1\n\n"
        with pytest.raises(httpx.ReadError, match="recorded"):
            next(chunks)


def test_an_answer_that_was_left_early(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    scripted = Scripted([b"data: 1\n\n", b"data: 2\n\n"], {"content-type": "text/event-stream"})
    with (
        httpx.Client(transport=RecordingTransport(scripted, path)) as client,
        client.stream("GET", "https://x.example/v1/x") as answer,
    ):
        next(answer.iter_raw())
    with pytest.raises(CassetteError, match="no more of this answer"):
        replay(path)


# --- replays are strict -------------------------------------------------------------------------


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A recording of three exchanges."""
    path = tmp_path / "three.json"
    answers = iter([b'{"n": 1}', b'{"n": 2}', b'{"n": 3}'])
    scripted = Scripted([], {"content-type": "application/json"})

    class EachTime(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            scripted.pieces = [next(answers)]
            return scripted.handle_request(request)

    with httpx.Client(transport=RecordingTransport(EachTime(), path)) as client:
        for n in (1, 2, 3):
            client.post("https://x.example/v1/x", params={"q": "a"}, json={"n": n, "m": {"a": [n]}})
    return path


def ask(client: httpx.Client, n: Any, url: str = "/v1/x?q=a", **other: Any) -> Any:
    return client.post(f"https://x.example{url}", json={"n": n, "m": {"a": [n]}}, **other).json()


def test_the_order_of_the_recording(three: Path) -> None:
    transport = ReplayTransport(three)
    with httpx.Client(transport=transport) as client:
        assert ask(client, 1) == {"n": 1}
        with pytest.raises(CassetteError) as caught:
            ask(client, 3)
        assert "POST /v1/x is not the next one of the recording:" in str(caught.value)
        assert "  /body/json/n: recorded 2, asked 3\n  /body/json/m/a/0: recorded 2, asked 3" in str(caught.value)  # fmt: skip
        with pytest.raises(AssertionError, match="not asked for: POST /v1/x, POST /v1/x"):
            transport.assert_all_played()
        assert [ask(client, 2), ask(client, 3)] == [{"n": 2}, {"n": 3}]
        transport.assert_all_played()
        with pytest.raises(CassetteError, match="nothing is left"):
            ask(client, 3)


def test_any_order_on_request(three: Path) -> None:
    transport = ReplayTransport(three, ordered=False)
    with httpx.Client(transport=transport) as client:
        assert [ask(client, n)["n"] for n in (3, 1, 2)] == [3, 1, 2]
        with pytest.raises(CassetteError):
            ask(client, 1)
    transport.assert_all_played()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"url": "/v1/y?q=a"}, "/path"),
        ({"url": "/v1/x?q=b"}, "/query/0/1"),
        ({"url": "/v1/x"}, "/query: recorded"),
        ({"headers": {"anthropic-beta": "new"}}, "/headers/anthropic-beta: recorded nothing"),
        ({"n": True}, "/body/json/n"),
        ({"n": "1"}, "/body/json/n"),
        ({"n": None}, "/body/json/n"),
    ],
)
def test_differences_are_shown(three: Path, change: dict[str, Any], place: str) -> None:
    with (
        httpx.Client(transport=ReplayTransport(three)) as client,
        pytest.raises(CassetteError, match=re.escape(place)),
    ):
        ask(client, **{"n": 1, **change})


def test_volatile_headers_do_not_count(three: Path) -> None:
    with httpx.Client(transport=ReplayTransport(three)) as client:
        assert ask(client, 1, headers={"user-agent": "x", "x-stainless-retry-count": "2"})


def test_the_client_does_not_try_again(three: Path) -> None:
    client = claude(ReplayTransport(three), "https://api.anthropic.com")
    with pytest.raises(CassetteError):
        client.messages.create(**ARGUMENTS)


def test_anything_may_stand_where_something_was_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    record(path, [b"ok"], headers={"anthropic-organization-id": ORGANIZATION}, json={"a": f"<{ORGANIZATION}>", "api_key": "a"})  # fmt: skip
    other = ORGANIZATION.replace("5", "6")
    assert replay(path, json={"a": f"<{other}>", "api_key": "other"}).content == b"ok"
    with pytest.raises(CassetteError, match="/body/json/a"):
        replay(path, json={"a": f"[{other}]", "api_key": "other"})


def test_names_that_were_taken_out_are_told_apart_by_their_values(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    headers = {"anthropic-organization-id": ORGANIZATION, "set-cookie": f"s={COOKIE}"}
    record(path, [b"ok"], headers=headers, json={COOKIE: 1, ORGANIZATION: [2], "x": 3})
    assert replay(path, json={ORGANIZATION: [2], "x": 3, COOKIE: 1}).content == b"ok"
    with pytest.raises(CassetteError, match="asked 4"):
        replay(path, json={ORGANIZATION: [2], "x": 3, COOKIE: 4})


@pytest.mark.parametrize("content", [b"", b"[]", b'{"format": 2, "exchanges": []}', b'{"format": 1}'])  # fmt: skip
def test_files_that_are_no_recordings(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(CassetteError, match=r"a\.json"):
        ReplayTransport(path)
    with pytest.raises(CassetteError):
        AsyncReplayTransport(tmp_path / "missing.json")


def test_the_transport_inside_is_closed(tmp_path: Path) -> None:
    closed: list[str] = []

    class Inner(MockTransport):
        def close(self) -> None:
            closed.append("sync")

    class AsyncInner(AsyncMockTransport):
        async def aclose(self) -> None:
            closed.append("async")

    with httpx.Client(transport=RecordingTransport(Inner(), tmp_path / "a.json")):
        pass

    async def main() -> None:
        async with httpx.AsyncClient(
            transport=AsyncRecordingTransport(AsyncInner(), tmp_path / "b.json")
        ):
            pass

    asyncio.run(main())
    assert closed == ["sync", "async"]


def test_secrets_in_urls_and_urlencoded_forms_are_taken_out(tmp_path):
    path = tmp_path / "token.json"
    answer = {"next": "https://a.example/cb?code=1&access_token=hush-access&to=joe%40corp.example"}

    def respond(_request: httpx.Request) -> httpx.Response:
        headers = {"location": "https://a.example/?token=hush-location"}
        return httpx.Response(200, headers=headers, json=answer)

    form = {"grant_type": "x y", "client_secret": "hush-client", "email": "ann@corp.example"}
    with httpx.Client(transport=RecordingTransport(httpx.MockTransport(respond), path)) as client:
        client.post("https://api.example/token", data=form)
    text = path.read_text()
    for secret in ("hush", "joe", "ann"):
        assert secret not in text
    assert "grant_type=x+y&client_secret=[hidden]" in text
    assert "?code=1&access_token=[hidden]" in text
    with httpx.Client(transport=ReplayTransport(path)) as client:
        client.post("https://api.example/token", data={**form, "client_secret": "another"})
