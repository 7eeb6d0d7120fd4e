"""``claude-client message`` and ``count``, in process."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from claude_client.cli.content import document_block, file_block, image_block
from claude_client.testing import serve
from claude_client.testing.extras import MissingExtraError
from claude_client.testing.faults import parse_fault_rule
from claude_client.testing.mock_api import MockAPI

from .shell import MODEL, SAID, Terminal, mocked, run

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
ASK = ("message", "--model", MODEL)


@pytest.mark.parametrize(
    ("words", "stdin", "prompt"),
    [
        (("Hello,", "Claude"), b"unread", "Hello, Claude"),
        ((), b"from a pipe\n", "from a pipe"),
        ((), b"\xef\xbb\xbfwith a mark\r\n", "with a mark"),
        (("Look", "at:", "-"), b"this\n", "Look at:\n\nthis"),
        (("-", "Is", "that", "so?"), b"this\n", "this\n\nIs that so?"),
        (("Größe", "日本語"), b"", "Größe 日本語"),
    ],
)
def test_the_prompt_is_the_arguments_or_standard_input(
    words: tuple[str, ...], stdin: bytes, prompt: str
) -> None:
    done = mocked(*ASK, *words, stdin=stdin)
    assert done == (0, f"{SAID}{prompt}\n", "")


def test_all_ways_of_printing_say_the_same() -> None:
    text = mocked(*ASK, "Hi").stdout
    assert mocked(*ASK, "Hi", "--no-stream").stdout == text
    assert mocked(*ASK, "Hi", "--stream").stdout == text
    for options in (("--json",), ("--json", "--no-stream")):
        (message,) = mocked(*ASK, "Hi", *options).objects
        assert message["content"][0]["text"] + "\n" == text
        assert message["stop_reason"] == "end_turn"
    events = mocked(*ASK, "Hi", "--json", "--stream").objects
    assert [events[0]["type"], events[-1]["type"]] == ["message_start", "message_stop"]
    deltas = [each["delta"]["text"] for each in events if each["type"] == "content_block_delta"]
    assert len(deltas) > 1
    assert "".join(deltas) + "\n" == text


def test_arguments_reach_the_request() -> None:
    api = MockAPI()
    with serve(api) as server:
        done = run(
            *("message", "--base-url", server.url, "--max-tokens", "7", "--temperature", "0.5"),
            *("--system", "Be brief.", "--beta", "context-1m-2025-08-07", "--timeout", "30", "Hi"),
            environ={"ANTHROPIC_MODEL": MODEL},
        )
        assert done.code == 2  # no key
        assert "Set ANTHROPIC_API_KEY" in done.stderr
        assert "--mock" in done.stderr
        assert not api.calls


def test_arguments_reach_the_request_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    api = MockAPI()
    with serve(api) as server:
        done = run(
            *("message", "--base-url", server.url, "--max-tokens", "7", "--temperature", "0.5"),
            *("--system", "Be brief.", "--beta", "context-1m-2025-08-07", "--timeout", "30", "Hi"),
            environ={"ANTHROPIC_MODEL": MODEL},
        )
    assert done.code == 0, done.stderr
    call = api.last_call
    body: Any = call.body
    assert body == {
        "model": MODEL,
        "max_tokens": 7,
        "temperature": 0.5,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
    }
    assert "context-1m-2025-08-07" in call.headers["anthropic-beta"]


def test_count() -> None:
    assert mocked("count", "--model", MODEL, "Hi").stdout == "4\n"
    assert mocked("count", "--model", MODEL, "Hi", "--json").objects == [{"input_tokens": 4}]


def test_images_documents_and_files_come_before_the_prompt(tmp_path: Path) -> None:
    image, text, pdf = tmp_path / "a.png", tmp_path / "b.txt", tmp_path / "c.pdf"
    image.write_bytes(PNG)
    text.write_text("Größe", encoding="utf-8")
    pdf.write_bytes(b"%PDF-1.7\n")
    done = mocked(
        *ASK,
        *("--image", str(image), "--image", "https://example.com/x.jpg"),
        *("--document", str(text), "--document", str(pdf)),
        "--json",
        stdin=None,
    )
    assert done.code == 0, done.stderr
    assert done.objects[0]["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
def test_what_an_image_is_say_its_first_bytes(start: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "misnamed.txt"
    path.write_bytes(start)
    assert image_block(path)["source"] == {"type": "base64", "media_type": kind, "data": path}


def test_documents_are_pdf_or_text(tmp_path: Path) -> None:
    for name in ("a.pdf", "a.download"):
        pdf = tmp_path / name
        pdf.write_bytes(b"%PDF-1.7")
        assert document_block(pdf) == {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": pdf},
            "title": name,
        }
    text = tmp_path / "a.md"
    text.write_bytes("\ufeffÄ".encode())
    assert document_block(text)["source"] == {
        "type": "text",
        "media_type": "text/plain",
        "data": "Ä",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="other systems want names in UTF-8")
def test_a_name_that_is_no_text_is_none_of_a_document(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt"))
    path.write_text("text")
    assert document_block(path)["title"] == "\ufffd.txt"
    assert mocked(*ASK, "--document", str(path), "Hi").code == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize(
    ("option", "content"),
    [("--image", PNG), ("--document", b"%PDF-1.7\n"), ("--document", b"text")],
)
def test_a_pipe_is_read_once(
    option: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    api = MockAPI()
    # Sent twice, read once.
    api.on("messages.create").fail(529).reply("Seen")
    with serve(api) as server:
        done = run(*ASK, option, str(pipe), "--base-url", server.url)
    writer.join()
    assert done == (0, "Seen\n", "")
    first, second = (call.body["messages"] for call in api.calls)
    assert first == second
    data = first[0]["content"][0]["source"]["data"]
    assert data == ("text" if content == b"text" else base64.b64encode(content).decode())


def test_an_image_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(PNG)
    os.truncate(large, 40_000_000)
    tracemalloc.start()
    try:
        done = mocked(*ASK, "--image", str(large), "Hi")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.code == 1
    assert "it was not sent" in done.stderr
    assert peak < 40_000_000


@pytest.mark.parametrize(
    ("mime_type", "kind"),
    [
        ("image/png", "image"),
        ("application/pdf", "document"),
        ("text/plain", "document"),
        ("text/csv", "container_upload"),
    ],
)
def test_blocks_of_uploaded_files(mime_type: str, kind: str) -> None:
    block = file_block("file_1", mime_type)
    assert block["type"] == kind
    assert "file_1" in json.dumps(block)


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        ((), None, "no prompt"),
        ((), b" \n", "no prompt"),
        ((), b"\xff\xfe", "standard input is not UTF-8"),
        (("--image", "{text}", "Hi"), b"", "not a PNG, JPEG, GIF or WebP image"),
        (("--document", "{image}", "Hi"), b"", "neither a PDF nor text"),
        (("--image", "no-such-file.png", "Hi"), b"", "no-such-file.png: No such file"),
        (("--max-tokens", "0", "Hi"), b"", "0 is less than 1"),
        (("--max-tokens", "x", "Hi"), b"", "'x' is no whole number"),
        (("--temperature", "nan", "Hi"), b"", "nan is no number that can be sent"),
        (("--timeout", "0", "Hi"), b"", "0 is no time span"),
        (("--timeout", "nan", "Hi"), b"", "nan is no time span"),
        (("--max-retries", "-1", "Hi"), b"", "-1"),
        (("--stream", "--no-stream", "Hi"), b"", "not allowed with"),
        (("--mod", MODEL, "Hi"), b"", "unrecognized arguments"),
        (("--api-key", "secret", "Hi"), b"", "unrecognized arguments"),
        (("--base-url", "nonsense", "Hi"), b"", "the base URL must be"),
    ],
)
def test_mistakes_are_told_in_one_line(
    arguments: tuple[str, ...], stdin: bytes | None, says: str, tmp_path: Path
) -> None:
    places = {"text": tmp_path / "a.txt", "image": tmp_path / "a.bin"}
    places["text"].write_text("text")
    places["image"].write_bytes(PNG)
    filled = [argument.format(**places) for argument in arguments]
    done = mocked(*ASK, *filled, stdin=stdin)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
    assert says in mocked(*ASK, *filled, "--json", stdin=stdin).error["message"]


def test_a_model_has_to_be_named() -> None:
    done = mocked("message", "Hi")
    assert done.code == 2
    assert "ANTHROPIC_MODEL" in done.stderr
    assert mocked("message", "Hi", environ={"ANTHROPIC_MODEL": MODEL}).code == 0
    assert mocked("message", "Hi", environ={"ANTHROPIC_MODEL": " "}).code == 2


def test_errors_of_the_api() -> None:
    done = mocked("message", "--model", "claude-404", "Hi", "--file", "file_nope")
    assert (done.code, done.stdout) == (1, "")
    assert "404 not_found_error" in done.stderr
    assert "Traceback" not in done.stderr
    error = mocked("message", "--model", "claude-404", "Hi", "--file", "file_nope", "--json").error
    assert error["kind"] == "NotFoundError"
    assert error["status_code"] == 404
    assert error["type"] == "not_found_error"
    assert error["request_id"].startswith("req_")


def test_a_stream_that_breaks_keeps_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key")
    with serve(MockAPI(faults=[parse_fault_rule("messages.create: cut_after_events=5")])) as server:
        done = run(*ASK, "--base-url", server.url, "Hi")
        as_json = run(*ASK, "--base-url", server.url, "--json", "Hi")
    assert done.code == 1
    assert done.stdout.startswith("This is")
    assert done.stdout.endswith("\n")
    assert done.stderr.startswith("claude-client: ")
    assert as_json.stdout == ""
    assert as_json.error["partial"]["content"][0]["text"] in SAID


def test_notes_say_why_a_message_has_ended_early_and_what_it_took() -> None:
    done = mocked(*ASK, "--max-tokens", "2", "Hi")
    assert "cut off at 2 tokens" in done.stderr
    assert mocked(*ASK, "--max-tokens", "2", "Hi", "--quiet").stderr == ""
    assert mocked(*ASK, "--max-tokens", "2", "Hi", "--json").stderr == ""
    verbose = mocked(*ASK, "Hi", "--verbose").stderr
    assert "4 input tokens (0 from the cache)" in verbose
    assert "request id req_" in verbose
    debug = mocked(*ASK, "Hi", "--debug").stderr
    assert "messages.create: HTTP 200" in debug


def test_logging_ends_with_the_command() -> None:
    import logging

    logger = logging.getLogger("claude_client")
    before = (logger.level, list(logger.handlers))
    mocked(*ASK, "Hi", "--debug")
    assert (logger.level, list(logger.handlers)) == before


def test_text_on_a_terminal_cannot_steer_it() -> None:
    terminal = Terminal()
    assert mocked(*ASK, "a\x1b[2Jb", stdout=terminal).code == 0
    assert terminal.getvalue() == f"{SAID}a[2Jb\n"
    assert mocked(*ASK, "a\x1b[2Jb").stdout == f"{SAID}a\x1b[2Jb\n"


def test_the_mock_says_which_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**settings: object) -> None:
        raise MissingExtraError("jsonschema")

    monkeypatch.setattr("claude_client.testing.mock_api.MockAPI", missing)
    done = mocked(*ASK, "Hi")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == (
        "claude-client: --mock: jsonschema is not installed; install claude-client[mock]\n"
    )
