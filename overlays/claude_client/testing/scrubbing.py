"""Takes out of recordings what nobody should find in them: keys, accounts, addresses of people.

What is found by its form, by the name of its field or because a header said it, is replaced by a
placeholder of the same form, everywhere: in headers, paths, queries and bodies, and in streams
where a value is spread over several events. Scrubbing twice is the same as scrubbing once.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, unquote, unquote_plus

from claude_rest._runtime.request import is_secret

from .calls import HIDDEN
from .json_values import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

KEY: Final = "sk-ant-scrubbed"
ORGANIZATION: Final = "00000000-0000-0000-0000-000000000000"
WORKSPACE: Final = "wrkspc_scrubbed"
ACCOUNT: Final = "org_scrubbed"
EMAIL: Final = "scrubbed@example.invalid"

PLACEHOLDERS: Final = (HIDDEN, KEY, ORGANIZATION, WORKSPACE, ACCOUNT, EMAIL)
"""What stands for values that were taken out."""

_FORMS: Final = (
    (re.compile(r"sk-ant-[\w-]+"), KEY),
    (re.compile(r"wrkspc_\w+"), WORKSPACE),
    (
        re.compile(r"(?<=account_)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        ORGANIZATION,
    ),
    (re.compile(r"\borg_\w+|\borg-[0-9A-Za-z]{8,}"), ACCOUNT),
    (re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+"), EMAIL),
    (re.compile(r"(?i)[\w.+-]+%40[\w-]+(?:\.[\w-]+)+"), EMAIL),  # as URLs and forms have it
    # Tokens of other services, as tool servers and clouds want them.
    (
        re.compile(
            r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abeoprs]-[\w-]{10,}|ya29\.[\w-]{10,}"
            r"|(?:AKIA|ASIA)[0-9A-Z]{16}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+)"
        ),
        HIDDEN,
    ),
    (re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]{8,}"), HIDDEN),
)
"""What shows by its form."""
_HIDDEN_FIELD: Final = re.compile(
    r"(?i)(?:^|_)(?:password|passwd|secret|client_secret|api_?key|access_key|private_key"
    r"|(?:partial_)?key_hint|(?:access|refresh|auth|authorization|bearer|session|id|security)_token"
    r"|authorization|cookie|credentials?)$|^token$"
)
_ACCOUNT_FIELD: Final = re.compile(
    r"(?i)^(?:organi[sz]ation|org|account)_?(?:uu)?id$|^(?:anthropic-)?organi[sz]ation-id$"
)
_EMAIL_FIELD: Final = re.compile(r"(?i)(?:^|_)e?mail(?:_?address)?$")
_WORKSPACE_FIELD: Final = re.compile(r"(?i)^(?:anthropic-)?workspace[-_]?(?:uu)?id$")
_URL_ARGUMENT: Final = re.compile(
    r"(?i)([?&#](?:[\w-]*_)?(?:password|passwd|secret|api_?key|access_key|private_key|token"
    r"|authorization|cookie|credentials?|signature|assertion)=)[^&#\s\"'<>\\]+"
)
"""A secret in the query of a URL, wherever that stands in a text."""
_LINE_END: Final = re.compile(r"(\r\n|\r|\n)")
_COOKIES: Final = frozenset({"cookie", "set-cookie"})
_SHORTEST: Final = 8
"""Values that headers give away are looked for elsewhere if they are at least so long."""


class Scrubber:
    """Replaces what is secret; learns from each header what else to look for."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Look for ``secrets`` besides what is known to be secret."""
        self._known: dict[str, str] = {secret: HIDDEN for secret in secrets if secret}

    @property
    def known(self) -> int:
        """How many values are looked for by themselves; grows with what is learned."""
        return len(self._known)

    def learn(self, headers: Iterable[tuple[str, str]]) -> None:
        """Look from now on for the values of headers that are secret."""
        for line, value in headers:
            name = line.lower()
            if name in _COOKIES:
                # Set-Cookie has attributes behind its value; those are no secrets.
                parts = value.split(";")[: 1 if name == "set-cookie" else None]
                for part in parts:
                    self._add(part.partition("=")[2].strip().strip('"'), HIDDEN)
            elif is_secret(name):
                self._add(value.strip(), KEY)
                self._add(value.strip().rpartition(" ")[2], KEY)
            elif name == "anthropic-organization-id":
                self._add(value.strip(), ORGANIZATION)
            elif name == "anthropic-workspace-id":
                self._add(value.strip(), WORKSPACE)

    def _add(self, value: str, placeholder: str) -> None:
        if len(value) >= _SHORTEST and value not in PLACEHOLDERS:
            self._known.setdefault(value, placeholder)

    def text(self, text: str) -> str:
        """Return a text without what is secret."""
        return self.parts([text])[0]

    def raw(self, content: bytes) -> bytes:
        """Return bytes of any kind without what is secret and plain in them."""
        try:
            return self.text(content.decode()).encode()
        except UnicodeError:
            return self.text(content.decode("latin-1")).encode("latin-1")

    def value(self, value: Any, name: str = "") -> Any:
        """Return a JSON value without what is secret; ``name`` is the field that it is in."""
        if isinstance(value, str):
            return self.field(name, value)
        if is_array(value):
            return [self.value(element, name) for element in value]
        if is_object(value):
            return {self.text(key): self.value(entry, key) for key, entry in value.items()}
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        secret = _HIDDEN_FIELD.search(name) or _ACCOUNT_FIELD.search(name)
        return 0 if is_number and secret else value

    def field(self, name: str, text: str) -> str:
        """Return the text of a field, which may be secret because of its name."""
        if text and _HIDDEN_FIELD.search(name):
            return HIDDEN
        clean = self.text(text)
        if not clean or clean in PLACEHOLDERS:
            return clean
        if _ACCOUNT_FIELD.search(name):
            return ORGANIZATION
        if _WORKSPACE_FIELD.search(name):
            return WORKSPACE if clean.startswith("wrkspc") or "-" in clean else clean
        return EMAIL if _EMAIL_FIELD.search(name) else clean

    def header(self, name: str, value: str) -> str:
        """Return the value of a header without what is secret."""
        return HIDDEN if is_secret(name) else self.field(name, value)

    def path(self, path: str) -> str:
        """Return a path, percent-encoded, without what is secret."""
        clean = self.text(unquote(path))
        return path if clean == unquote(path) else quote(clean)

    def query(self, query: str) -> list[list[str]]:
        """Return the names and values of a query, without what is secret."""
        pairs = parse_qsl(query, keep_blank_values=True)
        return [[self.text(name), self.field(name, value)] for name, value in pairs]

    def arguments(self, text: str) -> str:
        """Return a body of ``application/x-www-form-urlencoded`` without what is secret."""
        shown: list[str] = []
        for argument in text.split("&"):
            name, equals, value = argument.partition("=")
            given = unquote_plus(value)
            clean = self.field(unquote_plus(name), given)
            shown.append(f"{self.text(name)}{equals}{value if clean == given else clean}")
        return "&".join(shown)

    def event_stream(self, text: str) -> str:
        """Return an event stream without what is secret in an event, or in several together."""
        lines = _LINE_END.split(text)  # every other one is what ends the line before
        events: list[tuple[int, Any]] = []
        for number in range(0, len(lines), 2):
            line = lines[number]
            if line.startswith("data:"):
                try:
                    events.append((number, json.loads(line[5:])))
                    continue
                except (ValueError, RecursionError):
                    pass
            lines[number] = self.text(line)
        originals = [json.dumps(data) for _, data in events]
        self._scrub_deltas([data for _, data in events])
        for (number, data), original in zip(events, originals, strict=True):
            clean = self.value(data)
            if json.dumps(clean) != original:
                shown = json.dumps(clean, ensure_ascii=False, separators=(",", ":"))
                lines[number] = f"data: {shown}"
        return "".join(lines)

    def _scrub_deltas(self, events: Iterable[Any]) -> None:
        """Scrub the texts of deltas that belong together as the one text that they are."""
        groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for event in events:
            delta = event.get("delta") if is_object(event) else None
            if not is_object(delta):
                continue
            for name, value in delta.items():
                if isinstance(value, str) and name != "type":
                    place = (*map(str, (event.get("type"), event.get("index"))), name)
                    groups.setdefault(place, []).append(delta)
        for (*_, name), deltas in groups.items():
            parts: list[str] = [delta[name] for delta in deltas]
            clean = self.parts(parts, is_json="json" in name)
            for delta, part in zip(deltas, clean, strict=True):
                delta[name] = part

    def parts(self, parts: Sequence[str], *, is_json: bool = False) -> list[str]:
        """Return the parts of a text without what is secret in the whole.

        A placeholder stands where the secret began; the rest of the text stays in its part. JSON
        that hides a secret behind escapes is written anew, all of it in the first part.
        """
        clean = list(parts)
        for pattern, placeholder in self._patterns():
            clean = _replace_in_parts(clean, pattern, placeholder)
        if is_json:
            try:
                given = json.loads("".join(parts))
            except (ValueError, RecursionError):
                return clean
            wanted = self.value(given)
            if _loaded("".join(clean)) != wanted:
                text = json.dumps(wanted, ensure_ascii=False)
                clean = [text, *("" for _ in parts[1:])]
        return clean

    def _patterns(self) -> Iterator[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]:
        if self._known:
            longest_first = sorted(self._known, key=len, reverse=True)
            pattern = re.compile("|".join(map(re.escape, longest_first)))
            yield pattern, lambda match: self._known[match[0]]
        for form, placeholder in _FORMS:
            yield form, _always(placeholder)
        yield _URL_ARGUMENT, lambda match: match[1] + HIDDEN


def _always(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _match: text


def _replace_in_parts(
    parts: Sequence[str], pattern: re.Pattern[str], replacement: Callable[[re.Match[str]], str]
) -> list[str]:
    """Replace every match in the joined parts; what replaces it goes where the match begins."""
    whole = "".join(parts)
    ends = list(accumulate(map(len, parts)))
    clean: list[list[str]] = [[] for _ in parts]
    position = 0

    def keep(until: int) -> None:
        """Copy the text from the position on, each piece into its part."""
        nonlocal position
        while position < until:
            number = bisect_right(ends, position)
            stop = min(until, ends[number])
            clean[number].append(whole[position:stop])
            position = stop

    for match in pattern.finditer(whole):
        keep(match.start())
        clean[bisect_right(ends, match.start())].append(replacement(match))
        position = match.end()
    keep(len(whole))
    return ["".join(pieces) for pieces in clean]


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
