"""Webhooks of the API: is a request that came in really from there, and what does it say.

They are signed as the Standard Webhooks specification says. Nothing here needs a client or does
I/O::

    from claude_client.webhooks import WebhookVerificationError, unwrap

    try:
        event = unwrap(request.body, request.headers, secret)
    except WebhookVerificationError as error:
        return 400  # error.reason
    if event.data.type == "session.idled": ...

Take the body as it came, not JSON that was parsed and written again. An event may come twice and
late: keep ``event.id`` for a while to know it again.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import TYPE_CHECKING, Any, cast

from .environment import WEBHOOK_KEY_VARIABLE
from .errors import ClaudeError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Literal, TypeAlias

    from claude_rest.models import WebhookEvent

    Secret: TypeAlias = str | bytes
    """A signing secret as the Console shows it, ``whsec_…``; or the bytes of the key."""
    Headers: TypeAlias = Mapping[str, str] | Mapping[bytes, bytes] | Iterable[tuple[Any, Any]]
    Reason: TypeAlias = Literal[
        "header_missing",
        "header_malformed",
        "timestamp_too_old",
        "timestamp_too_new",
        "signature_mismatch",
        "payload_malformed",
    ]

TOLERANCE = 300.0
"""Seconds by which the timestamp of a webhook may be off."""

_ID, _TIMESTAMP, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_PREFIX = "whsec_"
_VERSION = b"v1,"
_MAX_DIGITS = 15


class WebhookVerificationError(ClaudeError, ValueError):
    """A request is no webhook of the API, or nobody can tell; answer it with status 400.

    Neither secrets nor signatures are in it.
    """

    reason: Reason
    """What is wrong, for metrics and alarms."""

    def __init__(self, message: str, reason: Reason) -> None:
        """Say what is wrong."""
        super().__init__(message)
        self.reason = reason


def verify(
    body: str | bytes,
    headers: Headers,
    secret: Secret | Sequence[Secret],
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> None:
    """Raise :class:`WebhookVerificationError` unless a body was signed with the secret, just now.

    Args:
        body: The body as it came.
        headers: Headers of the request, of whatever spelling: a mapping, or pairs as ASGI has
            them, of text or bytes.
        secret: The signing secret, or several while one takes the place of another; any may fit.
        tolerance: Seconds that the timestamp may lie in the past or in the future.
        now: The time to compare it with, in seconds since 1970; by default the clock's.

    Raises:
        WebhookVerificationError: It is not signed so; ``reason`` says what is wrong.
        ConfigurationError: The secret is none.
    """
    keys = _keys(secret)
    content = _content(body)
    found = _headers(headers)
    identifier = _only(found, _ID)
    timestamp = _only(found, _TIMESTAMP)
    signatures = b" ".join(_given(found, _SIGNATURE)).split()
    _check_time(timestamp, tolerance, now)
    matches = False
    for key in keys:
        expected = _VERSION + _signature(key, identifier, timestamp, content)
        for signature in signatures:
            # All of them, so that the time tells nothing of which one was close.
            matches |= compare_digest(signature, expected)
    if not matches:
        raise WebhookVerificationError(
            f"none of the {len(signatures)} signatures fits: the secret is another, or the body "
            "was changed",
            "signature_mismatch",
        )


def unwrap(
    body: str | bytes,
    headers: Headers,
    secret: Secret | Sequence[Secret],
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> WebhookEvent:
    """Verify a webhook and return its event; see :func:`verify`.

    ``event.data`` tells by ``type`` what has happened; of a type that this version does not know
    it is an ``Unknown`` with everything that came.
    """
    verify(body, headers, secret, tolerance, now)
    return parse_unverified(body)


def parse_unverified(body: str | bytes) -> WebhookEvent:
    """Return the event of a body that was verified before, or never left your own hands.

    Raises :class:`WebhookVerificationError` for what is no event.
    """
    from claude_rest._runtime.codec import DecodeError, loads
    from claude_rest.models import decoder

    try:
        value = loads(_content(body))
    except DecodeError as error:
        raise WebhookVerificationError("the body is not JSON", "payload_malformed") from error
    if value.__class__ is not dict:
        raise WebhookVerificationError("the body is no JSON object", "payload_malformed")
    event: WebhookEvent = decoder("WebhookEvent")(value)
    return event


def sign(
    body: str | bytes,
    secret: Secret | Sequence[Secret],
    *,
    id: str = "whe_test",  # noqa: A002 - as the header calls it
    timestamp: float | None = None,
) -> dict[str, str]:
    """Return the headers with which the API would send a body: for tests.

    Several secrets give several signatures, as while one takes the place of another.
    """
    from time import time

    sent = str(int(time() if timestamp is None else timestamp))
    content = _content(body)
    signatures = [
        _VERSION + _signature(key, id.encode(), sent.encode(), content) for key in _keys(secret)
    ]
    return {_ID: id, _TIMESTAMP: sent, _SIGNATURE: b" ".join(signatures).decode()}


class Webhooks:
    """``client.webhooks``: verifies with the signing secret of the client. Sends nothing.

    The same on both clients, and never awaited.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: Secret | Sequence[Secret] | None) -> None:
        """Take the signing secret of the client, if it has one."""
        self._secret = secret

    def unwrap(
        self,
        payload: str | bytes,
        *,
        headers: Headers,
        key: Secret | Sequence[Secret] | None = None,
        tolerance: float = TOLERANCE,
    ) -> WebhookEvent:
        """Verify a webhook and return its event; see :func:`.webhooks.unwrap`.

        ``key`` is the signing secret; by default the client's ``webhook_key``, which comes from
        ``ANTHROPIC_WEBHOOK_SIGNING_KEY`` unless it is given.

        Raises :class:`WebhookVerificationError`, and ``ConfigurationError`` without a secret.
        """
        secret = self._secret if key is None else key
        if secret is None:
            raise ConfigurationError(
                "no signing secret to verify a webhook with: pass key=..., or webhook_key=... to "
                f"the client, or set {WEBHOOK_KEY_VARIABLE}"
            )
        return unwrap(payload, headers, secret, tolerance)

    def parse_unverified(self, payload: str | bytes) -> WebhookEvent:
        """Return the event of a body without verifying it; see :func:`parse_unverified`."""
        return parse_unverified(payload)

    def __repr__(self) -> str:
        return f"Webhooks({'without a secret' if self._secret is None else 'with a secret'})"


def _keys(secret: Secret | Sequence[Secret]) -> list[bytes]:
    """Return the key of each secret. Text may hold several, between commas or white space."""
    secrets: list[Any] = [secret] if isinstance(secret, (str, bytes)) else list(secret)
    keys: list[bytes] = []
    for each in secrets:
        if isinstance(each, bytes):
            is_text = each.startswith(_PREFIX.encode())
            keys.append(_key(each.decode("latin-1")) if is_text else each)
        elif isinstance(each, str):
            keys += [_key(text) for text in each.replace(",", " ").split()]
        else:
            raise ConfigurationError(
                f"a signing secret is text or bytes, not {type(each).__name__}"
            )
    if not keys or not all(keys):
        raise ConfigurationError("the signing secret is empty")
    return keys


def _key(text: str) -> bytes:
    encoded = text.removeprefix(_PREFIX)
    try:
        return b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        # Without the cause: it could show a part of it.
        raise ConfigurationError(
            "the signing secret is no base64 text, with or without whsec_ before it"
        ) from None


def _signature(key: bytes, identifier: bytes, timestamp: bytes, content: bytes) -> bytes:
    return b64encode(hmac_digest(key, b".".join((identifier, timestamp, content)), "sha256"))


def _content(body: str | bytes) -> bytes:
    if isinstance(body, str):
        try:
            return body.encode()
        except UnicodeEncodeError:
            raise WebhookVerificationError(
                "the body is no Unicode text; pass the bytes that came", "payload_malformed"
            ) from None
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"a body is text or bytes as it came, not {type(body).__name__}")
    return bytes(body)


def _headers(headers: Headers) -> dict[str, list[object]]:
    """Return all values of the three headers, by lower-case name."""
    found: dict[str, list[object]] = {}
    pairs: Any = cast("Any", headers)
    pairs = pairs.items() if hasattr(pairs, "items") else pairs
    for name, value in pairs:
        if isinstance(name, (bytes, bytearray)):
            name = bytes(name).decode("latin-1")  # noqa: PLW2901 - the same name as text
        if isinstance(name, str) and (lowered := name.lower()) in (_ID, _TIMESTAMP, _SIGNATURE):
            # Some frameworks have a list of values for each name.
            is_several = isinstance(value, (list, tuple))
            values: list[object] = [*cast("Iterable[object]", value)] if is_several else [value]
            found.setdefault(lowered, []).extend(values)
    return found


def _given(headers: dict[str, list[object]], name: str) -> list[bytes]:
    """Return the values of a header. Raises if there is none, or one that is none."""
    values: list[bytes] = []
    for value in headers.get(name, ()):
        if isinstance(value, str):
            try:
                values.append(value.strip().encode())
            except UnicodeEncodeError:
                raise _malformed(name) from None
        elif isinstance(value, (bytes, bytearray)):
            values.append(bytes(value).strip())
        else:
            raise _malformed(name)
    if not any(values):
        raise WebhookVerificationError(f"the header {name} is missing", "header_missing")
    return values


def _only(headers: dict[str, list[object]], name: str) -> bytes:
    values = set(_given(headers, name))
    if len(values) > 1:
        raise _malformed(name)
    return values.pop()


def _malformed(name: str) -> WebhookVerificationError:
    return WebhookVerificationError(f"the header {name} makes no sense", "header_malformed")


def _check_time(timestamp: bytes, tolerance: float, now: float | None) -> None:
    from time import time

    if not timestamp.isdigit() or len(timestamp) > _MAX_DIGITS:
        raise _malformed(_TIMESTAMP)
    age = (time() if now is None else now) - int(timestamp)
    if not age <= tolerance:  # Not a number allows nothing.
        raise WebhookVerificationError(
            f"the webhook is {age:.0f} s old, and {tolerance:g} s are allowed", "timestamp_too_old"
        )
    if not age >= -tolerance:
        raise WebhookVerificationError(
            f"the webhook is from {-age:.0f} s in the future, and {tolerance:g} s are allowed",
            "timestamp_too_new",
        )
