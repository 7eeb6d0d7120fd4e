"""What the server says went wrong and when to come back: bodies of errors, ``retry-after``. Pure.

Bodies come from the API, from the clouds that host it and from any gateway in between, so nothing
in them is taken for granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

MAX_EXCERPT_CHARACTERS: Final = 200
"""How much of a body that is not an error envelope a message quotes, in characters."""

_MAX_SCANNED_BYTES = 64 * 1024


class ErrorBody:
    """What an error body says, whoever wrote it."""

    __slots__ = ("body", "details", "error_code", "message", "request_id", "status", "type")

    def __init__(
        self,
        body: object,
        message: str | None,
        type: str | None = None,  # noqa: A002
        error_code: str | None = None,
        details: dict[str, Any] | None = None,
        request_id: str | None = None,
        status: int | None = None,
    ) -> None:
        """Hold the parts; ``message`` is ``None`` where the body says nothing.

        ``status`` is an HTTP status that stands in the body itself.
        """
        self.body = body
        self.message = message
        self.type = type
        self.error_code = error_code
        self.details = details
        self.request_id = request_id
        self.status = status


def parse_error_body(content: bytes, headers: Mapping[str, str] | None = None) -> ErrorBody:
    """Read an error body: the API's envelope, AWS's, Google's, other JSON, HTML, text or nothing.

    ``headers`` has lower-case names. Never raises.
    """
    from .codec import loads

    stripped = content.strip()
    if not stripped:
        return ErrorBody(None, None)
    if stripped[:1] in (b"{", b"["):
        try:
            data = loads(content)
        except ValueError:
            pass
        else:
            return _parse_error_json(data, headers or {})
    text = content.decode("utf-8", "replace")
    return ErrorBody(text, excerpt(content) or None)


def _parse_error_json(data: Any, headers: Mapping[str, str]) -> ErrorBody:
    # Google wraps the envelope of a streaming call into a list.
    envelope = _object(data[0] if data.__class__ is list and data else data)
    if envelope is None:
        return ErrorBody(data, shorten(str(data)))
    error = _object(envelope.get("error"))
    source = envelope if error is None else error
    details = _object(source.get("details"))
    error_code = _text(details.get("error_code")) if details else None

    kind: str | None
    if error is not None:
        # Anthropic and most others name it type, Google status.
        kind = _text(error.get("type")) or _text(error.get("status"))
    else:
        # AWS: in the body, or in a header as "Name:http://…"; a namespace may stand before "#".
        aws = _text(envelope.get("__type")) or headers.get("x-amzn-errortype", "")
        kind = aws.split(":", 1)[0].rsplit("#", 1)[-1] or None

    message = next(
        (
            text
            for candidate in (
                source.get("message"),
                envelope.get("error"),
                envelope.get("message"),
                envelope.get("Message"),
                envelope.get("detail"),
                envelope.get("error_description"),
            )
            if (text := _text(candidate)) is not None and text.strip()
        ),
        None,
    )
    if message is None:
        message = shorten(str(data))
    request_id = _text(envelope.get("request_id"))
    status = _status(source.get("code"))
    return ErrorBody(data, message, kind, error_code, details, request_id, status)


def _status(code: object) -> int | None:
    """Return ``error.code``, by Google and gateways after its example, if it is a status."""
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    return code if 400 <= code <= 599 else None


def _object(value: Any) -> dict[str, Any] | None:
    return value if value.__class__ is dict else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def without_keys(text: str) -> str:
    """Return ``text`` with credentials taken out, which gateways quote when they refuse them."""
    if "sk-ant-" in text or "earer " in text:
        import re

        text = re.sub(r"sk-ant-[\w-]+", "sk-ant-…", text)
        text = re.sub(r"\b([Bb]earer )[\w.~+/=-]{8,}", r"\1…", text)
    return text


def excerpt(content: bytes) -> str:
    """Return the start of a body as one line of readable text, without markup."""
    text = content[:_MAX_SCANNED_BYTES].decode("utf-8", "replace")
    if "<" in text:
        import re

        text = re.sub(r"<[^<>]*>", " ", _without_unseen(text))
        if "&" in text:
            from html import unescape

            text = unescape(text)
    text = "".join(character if character.isprintable() else " " for character in text)
    return shorten(" ".join(text.split()))


def _without_unseen(text: str) -> str:
    """Return a page without what a browser does not show: scripts, styles, comments, its head.

    Looks for the end of each kind once more only where one was found before, so a page that
    opens thousands and closes none takes no longer than any other.
    """
    import re

    ascii_only = re.IGNORECASE | re.ASCII
    seen: list[str] = []
    position = 0
    endless: set[str] = set()
    for opening in re.finditer(r"<(script|style|head)\b|<!--", text, ascii_only):
        kind = (opening[1] or "").lower()
        if opening.start() < position or kind in endless:
            continue
        end = re.compile(rf"</{kind}\s*>" if kind else "-->", ascii_only)
        closing = end.search(text, opening.end())
        if closing is None:
            endless.add(kind)
            continue
        seen.append(text[position : opening.start()])
        position = closing.end()
    return " ".join((*seen, text[position:]))


def shorten(text: str) -> str:
    """Return ``text``, cut to the length that a message quotes."""
    if len(text) <= MAX_EXCERPT_CHARACTERS:
        return text
    return text[: MAX_EXCERPT_CHARACTERS - 1] + "…"


def parse_retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Return the seconds that the server asks to wait, or ``None`` when it asks nothing usable.

    Reads ``retry-after-ms``, then ``retry-after`` as seconds or as a date (RFC 9110 section
    10.2.3). A date counts from the ``date`` header of the same response, so that a wrong local
    clock does no harm; ``now`` (seconds since the epoch) stands in where that is missing.
    Negative values, dates in the past and anything unreadable give ``None``.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is not None:
        return seconds
    then = _date(value)
    if then is None:
        return None
    start = _date(headers.get("date"))
    if start is None:
        start = now
    if start is None:
        from time import time

        start = time()
    return then - start if then >= start else None


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _date(text: str | None) -> float | None:
    if text is None:
        return None
    from datetime import timezone
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        # A zone of -0000 leaves it out; HTTP dates are always GMT.
        return (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
