"""From an operation and its arguments to the bytes that go out. Pure: nothing is sent here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import BaseURLError, HeaderValueError, PathSegmentError, RequestTooLargeError
from .unset import UNSET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .caller import RequestOptions
    from .json_body import JSONBody
    from .multipart import MultipartBody
    from .operation import Operation, Parameter

_HIDDEN_NAMES = (
    "auth(?!or(?!i))|cookie|credential|key(?!board|word)|password|secret|signature|token(?!s)"
)
_BETA = "anthropic-beta"
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ACCEPT = {
    "json": "application/json",
    "none": "application/json",
    "raw": "application/json",
    "sse": "text/event-stream",
    "binary": "application/binary",
    "jsonl": "application/binary",
}


class PreparedRequest:
    """One request, complete: the same bytes go out on every attempt.

    ``repr`` shows neither secret header values nor the body.
    """

    __slots__ = ("content", "headers", "method", "operation", "streaming", "url")

    method: str
    url: str
    headers: list[tuple[str, str]]
    """Names in lower case, each once."""
    content: bytes | JSONBody | MultipartBody | None
    """The body; of a form, and of JSON that is large or has files in it, what its bytes are read
    from when it is sent: ``chunks()``, ``async_chunks()`` and ``read()``. ``len()`` is its size."""
    operation: Operation
    streaming: bool
    """Whether the answer is to come as server-sent events."""

    def __init__(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        content: bytes | JSONBody | MultipartBody | None,
        operation: Operation,
        *,
        streaming: bool = False,
    ) -> None:
        """Make a request; see the attributes."""
        self.method = method
        self.url = url
        self.headers = headers
        self.content = content
        self.operation = operation
        self.streaming = streaming

    def header(self, name: str) -> str | None:
        """Return the value of a header, looked up in any case."""
        name = name.lower()
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def with_headers(self, headers: Mapping[str, str]) -> PreparedRequest:
        """Return a copy with some headers added or replaced.

        Raises :class:`HeaderValueError` for what HTTP forbids.
        """
        merged = dict(self.headers)
        for name, value in headers.items():
            merged[name.lower()] = value
        check_headers(merged)
        return PreparedRequest(
            self.method,
            self.url,
            list(merged.items()),
            self.content,
            self.operation,
            streaming=self.streaming,
        )

    def __repr__(self) -> str:
        size = 0 if self.content is None else len(self.content)
        return (
            f"PreparedRequest({self.method} {visible_url(self.url)}, "
            f"headers={visible_headers(self.headers)}, {size} bytes)"
        )


def build_request(
    operation: Operation,
    arguments: Mapping[str, Any],
    options: RequestOptions,
    *,
    base_url: str,
    default_headers: Mapping[str, str] | None = None,
    default_query: Mapping[str, object] | None = None,
    api_version: str,
    betas: Sequence[str] = (),
    streaming: bool | None = None,
    check_size: bool = True,
    in_pieces: bool = False,
) -> PreparedRequest:
    """Put a request together.

    ``arguments`` are by Python name; ``UNSET`` or missing means not given, ``None`` is null in a
    body and leaves a query or header parameter out. ``betas`` is the whole resolved list:
    ``options["betas"]`` is not read here. ``streaming`` sets the operation's stream argument, by
    default as the arguments have it. ``in_pieces`` lets other threads run while a large body is
    encoded, and sends it in pieces; its bytes are the same.

    Headers are merged without regard to case, later ones win: those of the request itself,
    ``default_headers``, those of ``options`` and the header parameters, ``extra_headers``;
    ``UNSET`` in the last removes one. Only ``anthropic-beta`` is united instead. A user name and
    password in ``base_url`` become Basic authorization where no other credential is among them.

    Raises :class:`PathSegmentError`, :class:`HeaderValueError`, :class:`BaseURLError`,
    :class:`RequestTooLargeError` (unless ``check_size`` is false), ``EncodeError`` for a body
    without a JSON form, ``TypeError`` for an argument that the operation does not have, a
    required one that is missing or a file that is none, and ``OSError`` for a file that is not
    there, of a form or where base64 goes.
    """
    base_url, userinfo = split_userinfo(base_url)
    parameters = {parameter.name: parameter for parameter in operation.parameters}
    path = operation.path
    query: list[tuple[str, object]] = []
    header_arguments: dict[str, str] = {}
    header_betas: Sequence[str] = ()
    fields: dict[str, Any] = {}

    for name, value in arguments.items():
        if value is UNSET:
            continue
        parameter = parameters.get(name)
        if parameter is None:
            wire_name = operation.body_names.get(name, name)
            if wire_name not in operation.body_fields:
                raise TypeError(f"{operation.id} has no argument {name!r}")
            fields[wire_name] = value
        elif parameter.location == "path":
            segment = encode_path_segment(value, operation=operation.id, argument=name)
            path = path.replace(f"{{{parameter.wire_name}}}", segment)
        elif value is not None:
            if parameter.location == "query":
                query.append((parameter.wire_name, _listed(value) if parameter.array else value))
            elif parameter.wire_name.lower() == _BETA:
                header_betas = [str(item) for item in _listed(value)]
            else:
                header_arguments[parameter.wire_name.lower()] = _header_text(parameter, value)

    for parameter in operation.parameters:
        if parameter.location == "path":
            if arguments.get(parameter.name, UNSET) is UNSET:
                raise TypeError(f"{operation.id} needs the argument {parameter.name!r}")
        elif parameter.required and arguments.get(parameter.name, UNSET) in (None, UNSET):
            raise TypeError(f"{operation.id} needs the argument {parameter.name!r}")

    stream_argument = operation.stream_argument
    if streaming is None:
        streaming = operation.response == "sse" or (
            stream_argument is not None and bool(fields.get(stream_argument))
        )
    elif stream_argument is not None and (streaming or stream_argument in fields):
        fields[stream_argument] = streaming

    if check_size and operation.max_items:
        _check_items(operation, {**fields, **(options.get("extra_body") or {})})
    limit = operation.max_bytes if check_size else None
    content = _encode_body(operation, fields, options, in_pieces, limit)
    if content is not None and limit is not None:
        size: int = getattr(content, "file_bytes", len(content))
        if size > limit:
            raise RequestTooLargeError(size, limit, operation=operation.id)

    headers = {
        "accept": _ACCEPT["sse"] if streaming else _ACCEPT[operation.response],
        "anthropic-version": api_version,
    }
    if content is not None:
        headers["content-type"] = "application/json"
    merge_headers(headers, default_headers or {})
    if content is not None and not isinstance(content, bytes):
        headers["content-length"] = str(len(content))
        content_type = getattr(content, "content_type", None)
        if content_type is not None:
            # No other value names the boundary.
            headers["content-type"] = content_type
    explicit_version = options.get("api_version")
    if explicit_version is not None:
        headers["anthropic-version"] = explicit_version
    workspace_id = options.get("workspace_id")
    if workspace_id is not None:
        headers["anthropic-workspace-id"] = workspace_id
    headers.update(header_arguments)

    extra_headers: dict[str, Any] = {
        name.lower(): value for name, value in (options.get("extra_headers") or {}).items()
    }
    extra_betas = extra_headers.pop(_BETA, "")
    united = unite_betas(split_betas(headers.pop(_BETA, "")), betas, header_betas)
    if extra_betas is not UNSET:
        united = unite_betas(united, split_betas(str(extra_betas)))
        if united:
            headers[_BETA] = ",".join(united)
    merge_headers(headers, extra_headers)
    authorize(headers, userinfo)
    check_headers(headers)

    return PreparedRequest(
        operation.method,
        join_url(
            base_url,
            path,
            _merge_query(query, default_query, options.get("extra_query")),
        ),
        list(headers.items()),
        content,
        operation,
        streaming=streaming,
    )


def _encode_body(
    operation: Operation,
    fields: dict[str, Any],
    options: RequestOptions,
    in_pieces: bool,
    limit: int | None,
) -> bytes | JSONBody | MultipartBody | None:
    extra_body = options.get("extra_body")
    if extra_body:
        fields = {**fields, **extra_body}
    progress = options.get("progress")
    if operation.body == "multipart":
        form = _encode_form(operation, fields, limit)
        if progress:
            from .transfer import check_progress

            check_progress(progress)
            form.progress = progress
        return form
    if progress:
        raise TypeError(
            f"{operation.id} sends no files to tell the progress of; the progress of a download "
            "is for write_to_file"
        )
    if operation.body is None and not fields:
        return None
    from .encoded import encode_around

    fields = {name: value for name, value in fields.items() if value is not UNSET}
    encoded = encode_around(fields)
    if encoded is not None:
        return encoded
    if in_pieces:
        from .json_body import json_body

        return json_body(fields, beside_a_loop=True)
    from .codec import encode

    return encode(fields)


def _encode_form(
    operation: Operation, fields: Mapping[str, Any], limit: int | None
) -> MultipartBody:
    """Return a form. Null has no form in it, so such fields are left out like unset ones."""
    from .multipart import FormPart, MultipartBody, file_parts, text_part

    parts: list[FormPart] = []
    for name, value in fields.items():
        if value is None or value is UNSET:
            continue
        if name in operation.file_fields:
            try:
                parts += file_parts(name, value, limit)
            except RequestTooLargeError as error:
                error.operation = operation.id
                raise
        else:
            parts += [text_part(key, _scalar_text(item)) for key, item in _flatten([(name, value)])]
    return MultipartBody(parts)


def encode_path_segment(value: object, *, operation: str, argument: str) -> str:
    """Return ``value`` percent-encoded as one path segment (RFC 3986 section 3.3).

    Raises :class:`PathSegmentError` for an empty value and for one that is, or holds between
    slashes, ``.`` or ``..``: servers and proxies that decode early would leave the path.
    """
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise PathSegmentError(
            f"{operation}: the argument {argument!r} is {type(value).__name__}, not a string"
        )
    text = str(value)
    if not text.strip():
        raise PathSegmentError(f"{operation}: the argument {argument!r} is empty")
    from urllib.parse import quote, unquote

    for form in (text, unquote(text)):
        for piece in form.replace("\\", "/").split("/"):
            # A path parameter behind ";" does not hide a dot segment from every server.
            if piece.partition(";")[0].strip() in (".", ".."):
                raise PathSegmentError(
                    f"{operation}: the argument {argument!r} would change the path: {text!r}"
                )
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise PathSegmentError(
            f"{operation}: the argument {argument!r} is not valid Unicode"
        ) from None


def _listed(value: Any) -> list[Any]:
    # A string is iterable too, and never meant as its characters.
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return [value]
    return list(value)


def _header_text(parameter: Parameter, value: Any) -> str:
    if parameter.array:
        return ",".join(_scalar_text(item) for item in _listed(value))
    return _scalar_text(value)


def _scalar_text(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    text = getattr(value, "wire_text", None)
    if isinstance(text, str):
        return text
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)


def _merge_query(
    query: list[tuple[str, object]],
    default_query: Mapping[str, object] | None,
    extra_query: Mapping[str, object] | None,
) -> str:
    merged: dict[str, object] = dict(default_query or {})
    merged.update(query)
    merged.update(extra_query or {})
    return encode_query(merged)


def encode_query(query: Mapping[str, object]) -> str:
    """Return ``query`` as the part of a URL after ``?``.

    Lists repeat ``name[]``, mappings give ``name[key]``, booleans are ``true`` and ``false``,
    ``None`` and ``UNSET`` are left out, a space is ``%20``. Everything outside the unreserved
    characters of RFC 3986 is percent-encoded, brackets included.
    """
    if not query:
        return ""
    from urllib.parse import quote

    return "&".join(
        f"{quote(name, safe='')}={quote(_scalar_text(value), safe='')}"
        for name, value in _flatten(query.items())
    )


def _flatten(items: Iterable[tuple[str, object]]) -> Iterable[tuple[str, object]]:
    for name, value in items:
        if value is None or value is UNSET:
            continue
        if hasattr(value, "keys") and hasattr(value, "__getitem__"):
            nested: Any = value
            yield from _flatten((f"{name}[{key}]", nested[key]) for key in list(nested))
        elif value.__class__ in (list, tuple, set, frozenset):
            listed = name if name.endswith("[]") else f"{name}[]"
            sequence: Any = value
            yield from _flatten((listed, item) for item in sequence)
        else:
            yield name, value


def check_base_url(url: str) -> str:
    """Return ``url`` without trailing slashes and fragment.

    Raises :class:`BaseURLError` unless it is absolute, with ``http`` or ``https`` and a host. As
    a URL may carry a password, anywhere when it is misspelt, the message shows nothing of it.
    """
    text = url.strip().partition("#")[0]
    problem = _url_problem(text)
    if problem is not None:
        raise BaseURLError(
            "the base URL must be an absolute http:// or https:// URL such as "
            f"https://api.anthropic.com; {problem}"
        )
    start, question_mark, query = text.partition("?")
    return start.rstrip("/") + question_mark + query


def _url_problem(url: str) -> str | None:
    scheme, separator, rest = url.partition("://")
    if not url:
        return "this one is empty"
    if any(character.isspace() or not character.isprintable() for character in url):
        return "this one has white space or control characters in it"
    if not separator or scheme.lower() not in ("http", "https"):
        return "this one begins with neither"
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    name, bracket, port = host.rpartition("]") if host.startswith("[") else ("", "", host)
    if not bracket:
        name, _, port = host.partition(":")
    else:
        port = port.removeprefix(":")
    if not name:
        return "this one has no host"
    # As long as the names of the domain name system may be, which is all that can be looked up.
    if not bracket and not all(0 < len(label) < 64 for label in name.removesuffix(".").split(".")):
        return "a part of the host between two dots is empty or longer than 63 characters"
    if "\\" in host or (port and not (port.isascii() and port.isdigit() and int(port) < 65536)):
        return "the port of this one is no number; percent-encode a password with / ? or # in it"
    return None


def split_userinfo(url: str) -> tuple[str, str]:
    """Return ``url`` without user name and password, and these as they stood in it, or ``""``."""
    scheme, separator, rest = url.partition("://")
    end = min((found for mark in "/?#" if (found := rest.find(mark)) >= 0), default=len(rest))
    userinfo, _, host = rest[:end].rpartition("@")
    return f"{scheme}{separator}{host}{rest[end:]}", userinfo


def _check_items(operation: Operation, fields: Mapping[str, Any]) -> None:
    """Raise for a list that is longer than the API takes, before it is encoded."""
    for name, limit in operation.max_items.items():
        value: Any = fields.get(name)
        # An iterator cannot be counted without using it up.
        if hasattr(value, "__len__") and len(value) > limit:
            raise RequestTooLargeError(len(value), limit, operation=operation.id, field=name)


def visible_url(url: str) -> str:
    """Return ``url`` for people to read: no user name, no password, keys in its query hidden."""
    start, question_mark, query = split_userinfo(url)[0].partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")]
    shown = "&".join(
        f"{name}=[hidden]" if equals and is_secret(name) else f"{name}{equals}{value}"
        for name, equals, value in pairs
    )
    return start + question_mark + shown


def visible_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers for people to read: the values of secret ones are hidden."""
    return {name: "[hidden]" if is_secret(name) else value for name, value in headers}


def is_secret(name: str) -> bool:
    """Tell whether a header, query parameter or field may hold what nobody else should read.

    The one rule for everything that is shown or logged. It goes by parts of names, as every
    gateway has a header of its own for its key.
    """
    import re

    return re.search(_HIDDEN_NAMES, name, re.IGNORECASE) is not None


def authorize(headers: dict[str, str], userinfo: str) -> None:
    """Add Basic authorization (RFC 7617) for the ``userinfo`` of a URL, if there is any.

    Raises :class:`BaseURLError` when ``headers``, by lower-case names, have a credential already:
    which of the two is meant cannot be told.
    """
    if not userinfo:
        return
    for name in ("x-api-key", "authorization"):
        if name in headers:
            raise BaseURLError(
                "the base URL carries a user name or password, and the request has the header "
                f"{name} as well; use only one of the two"
            )
    from base64 import b64encode
    from urllib.parse import unquote

    user, _, password = userinfo.partition(":")
    credentials = f"{unquote(user)}:{unquote(password)}".encode()
    headers["authorization"] = f"Basic {b64encode(credentials).decode()}"


def join_url(base_url: str, path: str, query: str = "") -> str:
    """Return the URL of ``path`` below ``base_url``, whose own path and query are kept."""
    start, _, own_query = base_url.partition("?")
    joined = "&".join(part for part in (own_query, query) if part)
    url = start.rstrip("/") + path
    return f"{url}?{joined}" if joined else url


def merge_headers(headers: dict[str, str], later: Mapping[str, Any]) -> None:
    """Put ``later`` into ``headers`` in place; names lose their case, ``UNSET`` removes.

    ``anthropic-beta`` is united, unless it is removed.
    """
    for name, value in later.items():
        key = name.lower()
        if value is UNSET:
            headers.pop(key, None)
        elif key == _BETA and key in headers:
            # As they are: what ``-flag`` takes back may be added between the two and the request.
            headers[key] = ",".join(
                dict.fromkeys([*split_betas(headers[key]), *split_betas(value)])
            )
        else:
            headers[key] = value


def check_headers(headers: Mapping[str, object]) -> None:
    """Raise :class:`HeaderValueError` for a name or value that HTTP forbids.

    Values are visible ASCII with spaces and tabs inside (RFC 9110 section 5.5); a line break at
    the end of a key read from a file is the usual case. The message does not show the value.
    """
    for name, value in headers.items():
        if not name or not _TOKEN.issuperset(name):
            raise HeaderValueError(f"{name!r} is not a header name")
        if not isinstance(value, str):
            raise HeaderValueError(
                f"the value of the header {name!r} is {type(value).__name__}, not a string"
            )
        if not value.isascii():
            raise HeaderValueError(f"the value of the header {name!r} is not ASCII")
        if not value.isprintable():
            for character in value:
                if not character.isprintable() and character != "\t":
                    raise HeaderValueError(
                        f"the value of the header {name!r} has the control character "
                        f"{character!r} in it"
                    )
        if value != value.strip(" \t"):
            raise HeaderValueError(f"the value of the header {name!r} begins or ends with a space")


def split_betas(value: str) -> list[str]:
    """Return the flags of an ``anthropic-beta`` header."""
    return [flag for part in value.split(",") if (flag := part.strip())]


def unite_betas(*groups: Iterable[str]) -> list[str]:
    """Return the flags of all groups in order, each once; case does not tell two apart.

    ``-flag`` takes back a flag that came before it, and is not sent itself.
    """
    united: dict[str, str] = {}
    for group in groups:
        for text in (group,) if isinstance(group, str) else group:
            for flag in split_betas(text):
                if flag.startswith("-"):
                    united.pop(flag[1:].strip().lower(), None)
                else:
                    united.setdefault(flag.lower(), flag)
    return list(united.values())


def operation_betas(
    operation: Operation,
    arguments: Mapping[str, Any],
    *,
    asked: Iterable[str] = (),
    via_beta: bool = False,
) -> list[str]:
    """Return the flags that ``operation`` itself needs beside those ``asked`` for.

    A rule adds its default flag unless one of its alternatives is there, the model needs none,
    or it holds for ``client.beta`` only and the call came another way.
    """
    present = {flag.lower() for flag in asked}
    model = arguments.get("model")
    needed: list[str] = []
    for rule in operation.betas:
        if rule.via_beta_namespace and not via_beta:
            continue
        if any(flag.lower() in present for flag in rule.any_of):
            continue
        if isinstance(model, str) and model.startswith(rule.unless_model):
            continue
        present.add(rule.default.lower())
        needed.append(rule.default)
    return needed
