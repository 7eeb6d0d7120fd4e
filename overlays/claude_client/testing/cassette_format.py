"""How exchanges look in a recording: readable JSON, without what is secret."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, Final

import httpx

from .exchange import MockRequest, RefusedError
from .forms import read_form
from .json_values import is_array, is_object
from .scrubbing import PLACEHOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scrubbing import Scrubber

_REQUEST_HEADERS: Final = ("anthropic-beta", "anthropic-version")
"""Headers of a request that decide about its answer; all others are left out."""
_ANSWER_HEADERS: Final = re.compile(
    r"anthropic-.*|content-type|request-id|x-request-id|retry-after(-ms)?|x-should-retry|location"
    r"|content-disposition|allow"
)
_SHOWN: Final = 120
_COMMA: Final = re.compile(r"\s*,\s*")
_EVENT: Final = re.compile(r"(?s).*?(?:\r\n|\n|\r)(?:\r\n|\n|\r)|.+")
_PLACEHOLDER: Final = re.compile("|".join(re.escape(text) for text in PLACEHOLDERS))


def describe_request(request: httpx.Request, body: bytes, scrubber: Scrubber) -> dict[str, Any]:
    """Return what a recording says about a request."""
    raw_path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = {
        name: ", ".join(sorted(_COMMA.split(scrubber.text(request.headers[name]))))
        for name in _REQUEST_HEADERS
        if name in request.headers
    }
    content_type = request.headers.get("content-type", "")
    described: dict[str, Any] = {
        "method": request.method,
        "path": scrubber.path(raw_path),
        "query": scrubber.query(query),
        "headers": headers,
    }
    if body:
        described["body"] = _show_body(body, content_type, scrubber)
    return described


def describe_answer(
    answer: httpx.Response, content: bytes, broken: str | None, scrubber: Scrubber
) -> dict[str, Any]:
    """Return what a recording says about an answer; ``broken`` is why it ended early."""
    headers = [
        [name, scrubber.header(name, value)]
        for name, value in answer.headers.multi_items()
        if _ANSWER_HEADERS.fullmatch(name)
    ]
    content_type = answer.headers.get("content-type", "")
    described: dict[str, Any] = {
        "status": answer.status_code,
        "headers": headers,
        "body": _show_body(_decoded(answer, content), content_type, scrubber),
    }
    if broken is not None:
        described["broken"] = broken
    return described


def _show_body(content: bytes, content_type: str, scrubber: Scrubber) -> dict[str, Any]:
    """Return a body as a recording has it, scrubbed: one key says what it is."""
    kind = content_type.partition(";")[0].strip().lower()
    if not content:
        return {"text": [""]}
    if kind == "multipart/form-data":
        form = _show_form(content, content_type, scrubber)
        if form is not None:
            return {"form": form}
    try:
        text = content.decode()
    except UnicodeError:
        return {"base64": _base64(scrubber.raw(content))}
    if kind == "text/event-stream":
        return {"sse": scrubber.event_stream(text).split("\n")}
    if kind in ("application/json", ""):
        try:
            return {"json": scrubber.value(json.loads(text))}
        except (ValueError, RecursionError):
            pass
    if kind == "application/x-www-form-urlencoded":
        return {"text": [scrubber.arguments(text)]}
    lines = _json_lines(text)
    if lines is not None:
        return {"jsonl": [scrubber.value(line) for line in lines]}
    if "\0" in text:
        return {"base64": _base64(scrubber.raw(content))}
    return {"text": scrubber.text(text).split("\n")}


def _json_lines(text: str) -> list[Any] | None:
    """Return the values of a text that is JSONL through and through, or None."""
    if not (text.startswith("{") and text.endswith("}\n")):
        return None
    try:
        lines = [json.loads(line) for line in text[:-1].split("\n")]
    except (ValueError, RecursionError):
        return None
    return lines if all(is_object(line) for line in lines) else None


def _show_form(
    content: bytes, content_type: str, scrubber: Scrubber
) -> list[dict[str, Any]] | None:
    request = MockRequest("POST", "", headers=(("content-type", content_type),), body=content)
    try:
        parts = read_form(request)
    except RefusedError:
        return None
    form: list[dict[str, Any]] = []
    for part in parts:
        shown: dict[str, Any] = {"name": scrubber.text(part.name)}
        if part.filename is not None:
            shown["filename"] = scrubber.text(part.filename)
        if part.content_type is not None:
            shown["content_type"] = part.content_type
        body = _show_body(part.content, "text/plain", scrubber)
        if "text" in body and part.filename is None:
            body = {"text": [scrubber.field(part.name, "\n".join(body["text"]))]}
        form.append({**shown, **body})
    return form


def _decoded(answer: httpx.Response, content: bytes) -> bytes:
    """Return a body without its content coding; what is cut off is kept as far as it goes."""
    if "content-encoding" not in answer.headers:
        return content
    coding = {"content-encoding": answer.headers["content-encoding"]}
    try:
        return httpx.Response(200, headers=coding, content=content).content
    except httpx.DecodingError:
        return b""  # better nothing than what cannot be looked into


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def pieces(body: dict[str, Any]) -> Iterator[bytes]:
    """Yield a recorded body: an event stream event by event, JSONL line by line."""
    if "sse" in body:
        for event in _EVENT.findall("\n".join(body["sse"])):
            yield event.encode()
    elif "jsonl" in body:
        for line in body["jsonl"]:
            yield _compact(line) + b"\n"
    elif "json" in body:
        yield _compact(body["json"])
    elif "base64" in body:
        yield base64.b64decode(body["base64"])
    else:
        yield "\n".join(body["text"]).encode()


def _compact(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(value, separators=(",", ":")).encode()


def title(request: dict[str, Any]) -> str:
    """Return method and path of a recorded request."""
    return f"{request['method']} {request['path']}"


def differences(recorded: Any, asked: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield where a request differs from a recorded one: JSON pointer, recorded, asked."""
    if is_object(recorded) and is_object(asked):
        names = {key: key for key in recorded if key in asked}
        others = [key for key in asked if key not in names]
        for key in (key for key in recorded if key not in asked):
            # Of several names that a placeholder may stand for, the one with the same value.
            matches = [other for other in others if _same(key, other)]
            matches.sort(key=lambda other: any(differences(recorded[key], asked[other])))
            if matches:
                others.remove(matches[0])
                names[key] = matches[0]
        for key in recorded:
            now = asked[names[key]] if key in names else ...
            yield from differences(recorded[key], now, f"{place}/{_token(key)}")
        for key in others:
            yield f"{place}/{_token(key)}", ..., asked[key]
    elif is_array(recorded) and is_array(asked) and len(recorded) == len(asked):
        for number, (one, other) in enumerate(zip(recorded, asked, strict=True)):
            yield from differences(one, other, f"{place}/{number}")
    elif not _same(recorded, asked):
        yield place, recorded, asked


def _token(key: str) -> str:
    """Return a key as JSON pointers have it."""
    return key.replace("~", "~0").replace("/", "~1")


def _same(recorded: Any, asked: Any) -> bool:
    if isinstance(recorded, str) and isinstance(asked, str):
        if recorded == asked:
            return True
        # Where something was taken out, anything may be.
        fixed = _PLACEHOLDER.split(recorded)
        wanted = ".+".join(re.escape(text) for text in fixed)
        return len(fixed) > 1 and re.fullmatch(wanted, asked, re.DOTALL) is not None
    return bool(recorded == asked) and isinstance(recorded, bool) == isinstance(asked, bool)


def short(value: Any) -> str:
    """Return a JSON value as text, cut where it gets long; ``...`` stands for none."""
    if value is ...:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
