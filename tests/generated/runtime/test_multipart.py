"""Forms: what may stand for a file, what is sent for it, and when it is read."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_client.testing.exchange import MockRequest
from claude_client.testing.forms import read_form
from claude_rest import AsyncClient, Client
from claude_rest._runtime.errors import (
    APIConnectionError,
    ContentTooLargeError,
    HeaderValueError,
    RequestTooLargeError,
    UploadError,
)
from claude_rest._runtime.file_contents import CHUNK_BYTES
from claude_rest._runtime.multipart import (
    FormPart,
    MultipartBody,
    file_parts,
    text_part,
)
from claude_rest._runtime.request import build_request
from claude_rest.operations import OPERATIONS
from loopback import LoopbackServer, Reset, Send, response

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = [Send(response(json={"id": "file_1", "type": "file"}))]


def part(value: Any, name: str = "file") -> FormPart:
    (found,) = file_parts(name, value)
    return found


def content(found: FormPart) -> bytes:
    return b"".join(found.chunks())


def fields(server_body: bytes, content_type: str) -> dict[str, Any]:
    request = MockRequest("POST", "/", "", (("content-type", content_type),), server_body)
    return {entry.name: entry for entry in read_form(request)}


# -- bytes of a form ---------------------------------------------------------------------------


def test_the_bytes_of_a_form() -> None:
    body = MultipartBody(
        [
            part(("report.pdf", b"%PDF")),
            *file_parts("files[]", [("skill/SKILL.md", b"a"), ("skill/größe.txt", b"b\r\n")]),
            text_part("expires_in_seconds", "3600"),
        ],
        boundary="limit",
    )
    expected = (
        b"--limit\r\n"
        b'Content-Disposition: form-data; name="file"; filename="report.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%PDF\r\n"
        b"--limit\r\n"
        b'Content-Disposition: form-data; name="files[]"; filename="skill/SKILL.md"\r\n'
        b"Content-Type: text/markdown\r\n\r\na\r\n"
        b"--limit\r\n"
        b'Content-Disposition: form-data; name="files[]"; filename="skill/gr\xc3\xb6\xc3\x9fe.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nb\r\n\r\n"
        b"--limit\r\n"
        b'Content-Disposition: form-data; name="expires_in_seconds"\r\n\r\n3600\r\n'
        b"--limit--\r\n"
    )
    assert body.read() == expected
    assert len(body) == len(expected)
    assert body.file_bytes == 4 + 1 + 3
    assert body.content_type == "multipart/form-data; boundary=limit"


def test_every_form_has_a_boundary_of_its_own() -> None:
    assert MultipartBody([]).boundary != MultipartBody([]).boundary
    assert MultipartBody([])
    assert MultipartBody([], "x").read() == b"--x--\r\n"


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ('a"b.txt', b'filename="a%22b.txt"'),
        ("a\r\nSet-Cookie: x.txt", b'filename="a%0D%0ASet-Cookie: x.txt"'),
        ("a\\b.txt", b'filename="a\\b.txt"'),
        ("100%22.txt", b'filename="100%22.txt"'),
        ("日本.txt", 'filename="日本.txt"'.encode()),
        ("caf\udce9.txt", b'filename="caf\xe9.txt"'),
        ("", b'filename=""'),
    ],
)
def test_file_names_are_escaped(name: str, escaped: bytes) -> None:
    head = part((name, b"")).head()
    assert escaped in head
    assert head.count(b"\r\n") == 3


def test_a_media_type_cannot_add_headers() -> None:
    with pytest.raises(HeaderValueError):
        part(("a", b"", "text/plain\r\nx: y"))
    with pytest.raises(HeaderValueError):
        part(("a", b"", "text/plän"))


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%"), max_size=20)
CONTENTS = st.binary(max_size=100).filter(lambda data: b"--limit" not in data)


@given(st.lists(st.tuples(NAMES, CONTENTS, st.one_of(st.none(), NAMES)), max_size=5))
def test_what_is_sent_is_what_is_read(sent: list[tuple[str, bytes, str | None]]) -> None:
    parts = [
        text_part(f"x{name}", data.decode("latin-1"))
        if filename is None
        else part((filename, data, "a/b"), f"x{name}".replace("[]", ""))
        for name, data, filename in sent
    ]
    body = MultipartBody(parts, "limit")
    text = body.read()
    assert len(text) == len(body)
    headers = (("content-type", body.content_type),)
    found = read_form(MockRequest("POST", "/", "", headers, text))
    assert [(entry.name, entry.filename, entry.content) for entry in found] == [
        (entry.name, entry.filename, content(entry)) for entry in parts
    ]


# -- what may stand for a file -----------------------------------------------------------------


class Pipe(io.RawIOBase):
    """A file that can only be read once."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def read(self, size: int = -1) -> bytes:
        taken = self.rest if size < 0 else self.rest[:size]
        self.rest = self.rest[len(taken) :]
        return taken

    def seekable(self) -> bool:
        return False


def test_kinds_of_content(tmp_path: Path) -> None:
    path = tmp_path / "größe.csv"
    path.write_bytes(b"a,b")
    with path.open("rb") as opened:
        opened.read(2)
        pipe: Any = Pipe(b"once")
        pipe.name = 3
        table: list[tuple[Any, str, str, bytes]] = [
            (b"x", "upload", "application/octet-stream", b"x"),
            (bytearray(b"x"), "upload", "application/octet-stream", b"x"),
            (memoryview(b"xyz")[::2], "upload", "application/octet-stream", b"xz"),
            (path, "größe.csv", "text/csv", b"a,b"),
            (opened, "größe.csv", "text/csv", b"b"),
            (io.BytesIO(b"x"), "upload", "application/octet-stream", b"x"),
            (pipe, "upload", "application/octet-stream", b"once"),
            (("n.json", path), "n.json", "application/json", b"a,b"),
            ((None, path), "größe.csv", "text/csv", b"a,b"),
            ((None, b"x", "a/b"), "upload", "a/b", b"x"),
            (("dir/n.png", b"x", None), "dir/n.png", "image/png", b"x"),
            (("n.tar.gz", b"x"), "n.tar.gz", "application/gzip", b"x"),
            (("n.tar.xz", b"x"), "n.tar.xz", "application/octet-stream", b"x"),
        ]
        for value, filename, media_type, data in table:
            found = part(value)
            assert (found.filename, found.content_type) == (filename, media_type), value
            assert content(found) == data
            assert found.size == len(data)
            # Once more, for a retry.
            assert content(found) == data


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("notes.txt", "pathlib.Path"),
        (("notes.txt", "text"), "pathlib.Path"),
        (5, "int is no file"),
        (None, "NoneType is no file"),
        (("a",), "a tuple is"),
        (("a", b"", "b", {}), "a tuple is"),
        (io.StringIO("text"), "binary mode"),
        ([b"x"], "list is no file"),
    ],
)
def test_what_is_no_file(value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        part(value)


@pytest.mark.parametrize("value", [b"x", ("a", b"x"), (None, b"x"), "x", Path("x"), io.BytesIO()])
def test_one_file_where_several_are_asked_for(value: Any) -> None:
    with pytest.raises(TypeError, match="files takes a list of files"):
        file_parts("files[]", value)


def test_several_files_may_come_in_any_iterable() -> None:
    assert len(file_parts("files[]", ((b"x", b"y")))) == 2
    assert len(file_parts("files[]", (data for data in [b"x"]))) == 1
    assert len(file_parts("files[]", [("a", b"x"), ("b", b"y")])) == 2


def test_paths_that_lead_to_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        part(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        part(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_read_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"data",))
    writer.start()
    found = part(tmp_path / "pipe")
    writer.join()
    assert content(found) == b"data"


# -- when it is read ---------------------------------------------------------------------------


def test_a_file_is_read_in_pieces_when_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(bytes(2 * CHUNK_BYTES + 1))
    body = MultipartBody([part(path)])
    path.write_bytes(b"\1" * (2 * CHUNK_BYTES + 5))
    sizes = [len(chunk) for chunk in body.chunks()]
    assert max(sizes) == CHUNK_BYTES
    assert sum(sizes) == len(body)
    assert b"\0" not in body.read()
    big = MultipartBody([part(bytes(2 * CHUNK_BYTES + 1))])
    assert max(len(chunk) for chunk in big.chunks()) == CHUNK_BYTES


def test_a_file_that_shrinks_or_goes_is_an_error_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"12345")
    body = MultipartBody([part(path)])
    path.write_bytes(b"123")
    with pytest.raises(UploadError, match=r"notes\.txt ended 2 bytes early"):
        body.read()
    path.unlink()
    with pytest.raises(UploadError, match=r"cannot read .*notes\.txt"):
        body.read()
    opened = io.BytesIO(b"abc")
    body = MultipartBody([part(opened)])
    opened.close()
    with pytest.raises(UploadError, match="closed file"):
        body.read()


def test_asynchronous_pieces_are_read_beside_the_event_loop(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    threads: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            threads.append(threading.get_ident())
            return super().read(size)

    async def collected(body: MultipartBody) -> bytes:
        threads.clear()
        return b"".join([chunk async for chunk in body.async_chunks()])

    for parts in ([part(path)], [part(Watched(b"abc"))], [part(b"abc")], [text_part("a", "b")]):
        body = MultipartBody(parts)
        assert asyncio.run(collected(body)) == body.read()
    body = MultipartBody([part(Watched(b"abc"))])
    asyncio.run(collected(body))
    assert threads
    assert threading.get_ident() not in threads


# -- requests ----------------------------------------------------------------------------------


def prepared(operation: str, arguments: dict[str, Any], **options: Any) -> Any:
    return build_request(
        OPERATIONS[operation],
        arguments,
        options,  # type: ignore[arg-type]
        base_url="http://localhost",
        default_headers=options.pop("default_headers", None),
        api_version="2026-10-21",
    )


def test_the_request_of_an_upload() -> None:
    request = prepared(
        "files.upload",
        {"file": ("a.txt", b"x"), "expires_in_seconds": 3600},
        default_headers={"Content-Type": "application/json"},
        extra_body={"flag": True, "list": [1, 2], "map": {"a": None, "b": 1.5}, "gone": None},
    )
    assert request.header("content-type") == request.content.content_type
    assert request.header("content-length") == str(len(request.content))
    assert "bytes" in repr(request)
    found = fields(request.content.read(), request.header("content-type"))
    assert {name: entry.content for name, entry in found.items()} == {
        "file": b"x",
        "expires_in_seconds": b"3600",
        "flag": b"true",
        "list[]": b"2",
        "map[b]": b"1.5",
    }


def test_a_null_field_of_a_form_is_left_out() -> None:
    request = prepared("skills.create", {"files": [("a/SKILL.md", b"")], "display_name": None})
    found = fields(request.content.read(), request.header("content-type"))
    assert list(found) == ["files[]"]


def test_text_is_never_taken_for_a_file() -> None:
    with pytest.raises(TypeError, match=r"pathlib\.Path"):
        prepared("files.upload", {"file": "README.md"})


def test_the_limit_is_about_the_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit = OPERATIONS["skills.create"].max_bytes
    assert limit == 30 * 1024 * 1024
    half = bytes(limit // 2)
    files = [("a/SKILL.md", half), ("a/b", half)]
    assert prepared("skills.create", {"files": files}).content.file_bytes == limit
    with pytest.raises(RequestTooLargeError) as caught:
        prepared("skills.create", {"files": [*files, ("a/c", b"1")]})
    assert isinstance(caught.value, ContentTooLargeError)
    assert (caught.value.size, caught.value.limit) == (limit + 1, limit)
    # A file that is too large is found out without being read.
    huge = tmp_path / "huge"
    with huge.open("wb") as opened:
        opened.truncate(OPERATIONS["files.upload"].max_bytes + 1)  # type: ignore[operator]
    with pytest.raises(RequestTooLargeError):
        prepared("files.upload", {"file": huge})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "a.bin"
    found.write_bytes(os.urandom(3 * CHUNK_BYTES))
    return found


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_an_upload_over_a_socket(path: Path, asynchronous: bool) -> None:
    async def upload(url: str) -> Any:
        async with AsyncClient(api_key="k", base_url=url) as client:
            return await client.files.upload(file=path)

    with LoopbackServer([FILE]) as server:
        if asynchronous:
            found = asyncio.run(upload(server.url))
        else:
            with Client(api_key="k", base_url=server.url) as client:
                found = client.files.upload(file=path)
        (request,) = server.requests
    assert found.id == "file_1"
    assert request.header("transfer-encoding") is None
    assert request.header("content-length") == str(len(request.body))
    sent = fields(request.body, request.header("content-type") or "")
    assert sent["file"].content == path.read_bytes()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_an_upload_that_cannot_be_read_is_no_connection_error(
    path: Path, asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = FormPart.chunks

    def cut(self: FormPart) -> Iterator[bytes]:
        path.write_bytes(b"")
        return original(self)

    monkeypatch.setattr(FormPart, "chunks", cut)

    async def upload(url: str) -> Any:
        async with AsyncClient(api_key="k", base_url=url) as client:
            return await client.files.upload(file=path)

    with LoopbackServer([FILE]) as server, pytest.raises(UploadError, match="early") as caught:
        if asynchronous:
            asyncio.run(upload(server.url))
        else:
            with Client(api_key="k", base_url=server.url) as client:
                client.files.upload(file=path)
    assert not isinstance(caught.value, APIConnectionError)


def test_a_connection_that_breaks_is_one(path: Path) -> None:
    with (
        LoopbackServer([[Reset()]]) as server,
        Client(api_key="k", base_url=server.url) as client,
        pytest.raises(APIConnectionError),
    ):
        client.files.upload(file=path)
