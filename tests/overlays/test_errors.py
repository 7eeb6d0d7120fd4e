"""The errors module: one hierarchy, everything picklable, code classes on demand."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import httpx
import pytest

import claude_client
from claude_client import errors
from claude_client.errors import (
    APIStatusError,
    ApiVersionConflictError,
    BadRequestError,
    ClaudeError,
    ConfigurationError,
    CredentialsError,
    MissingCredentialsError,
    StreamProtocolError,
)
from claude_rest import errors as generated_errors
from claude_rest._runtime import errors as runtime_errors

OFFICIAL = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "InternalServerError",
    "NotFoundError",
    "OverloadedError",
    "PermissionDeniedError",
    "RateLimitError",
    "ServiceUnavailableError",
    "UnprocessableEntityError",
]


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_a_claude_error(name: str) -> None:
    cls = getattr(errors, name)
    assert issubclass(cls, ClaudeError)
    assert getattr(claude_client, name) is cls
    assert cls.__doc__


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_names(name: str) -> None:
    assert name in errors.__all__


def test_no_public_error_of_the_run_time_is_missing() -> None:
    public = {
        name
        for name, value in vars(runtime_errors).items()
        if isinstance(value, type) and issubclass(value, ClaudeError)
    }
    assert public <= set(errors.__all__)


def test_classes_of_error_codes_are_found_by_name() -> None:
    cls = errors.ToolNameConflictError
    assert issubclass(cls, BadRequestError)
    with pytest.raises(AttributeError, match="NoSuchError"):
        _ = errors.NoSuchError


def test_kinds() -> None:
    assert issubclass(MissingCredentialsError, CredentialsError)
    assert issubclass(CredentialsError, ConfigurationError)
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(ApiVersionConflictError, ValueError)
    assert not issubclass(StreamProtocolError, APIStatusError)


@pytest.mark.parametrize(
    "error",
    [
        MissingCredentialsError([("argument api_key", "not set")]),
        ApiVersionConflictError("messages.create", {"temperature": ("2023-06-01",), "x": ()}),
        StreamProtocolError("message_stop came before message_start", request_id="req_1"),
        ConfigurationError("x"),
    ],
)
def test_errors_survive_pickling(error: ClaudeError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def every_class() -> list[type[ClaudeError]]:
    """Return every class of error there is, those of single error codes included."""
    found: dict[str, type[ClaudeError]] = {}
    for module in (errors, runtime_errors, generated_errors):
        for name in dir(module):
            value = getattr(module, name)
            if isinstance(value, type) and issubclass(value, ClaudeError):
                found[name] = value
    return list(found.values())


def example_of(cls: type[Any]) -> ClaudeError:
    """Return an error of this class; by its constructor, where that takes a message alone."""
    made: ClaudeError
    try:
        made = cls("it broke")
    except (TypeError, ValueError):
        made = cls.__new__(cls, "it broke")
    return made


@pytest.mark.parametrize("cls", every_class(), ids=lambda cls: cls.__name__)
def test_every_class_survives_pickling_and_copying(cls: type[ClaudeError]) -> None:
    error = example_of(cls)
    error.__cause__ = OSError(104, "reset")
    if isinstance(error, errors.APIError):
        error.max_attempts = 3
        error.not_retried = "why ever"
    for copied in (
        pickle.loads(pickle.dumps(error)),
        copy.copy(error),
        copy.deepcopy(error),
    ):
        assert type(copied) is cls
        assert copied.args == error.args
        assert vars(copied).keys() == vars(error).keys()
        assert isinstance(copied.__cause__, OSError)
        assert copied.__cause__.args == (104, "reset")
        if "message" in vars(error) or not isinstance(error, errors.APIError):
            assert str(copied) == str(error)


SECRET = "hunter2-SECRET"


def texts_of(error: BaseException) -> list[str]:
    """Return whatever may end up in a log or another process."""
    found = [str(error), repr(error), repr(vars(error)), repr(pickle.dumps(error))]
    cause = error.__cause__
    return found if cause is None else [*found, str(cause), repr(cause)]


def refuse(request: httpx.Request) -> httpx.Response:
    if request.headers.get("x-fault") == "connect":
        raise httpx.ConnectError("refused", request=request)
    if request.headers.get("x-fault") == "timeout":
        raise httpx.ReadTimeout("slow", request=request)
    if request.headers.get("x-fault") == "redirect":
        location = f"https://u:{SECRET}@elsewhere.test/?key={SECRET}"
        return httpx.Response(302, headers={"location": location})
    if request.headers.get("x-fault") == "html":
        return httpx.Response(200, text="<p>Hello</p>")
    return httpx.Response(400, json={"error": {"type": "invalid_request_error", "message": "no"}})


@pytest.mark.parametrize("fault", ["connect", "timeout", "redirect", "html", "status"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("credential", ["key", "userinfo"])
def test_no_error_shows_a_secret(fault: str, asynchronous: bool, credential: str) -> None:
    transport = httpx.MockTransport(refuse)
    headers: dict[str, Any] = {"x-fault": fault, "x-gateway-key": SECRET}
    settings: Any = {
        "default_headers": headers,
        "default_query": {"token": SECRET},
        "max_retries": 0,
    }
    if credential == "key":
        settings["api_key"] = f"sk-ant-{SECRET}"
        settings["base_url"] = "https://api.test"
    else:
        headers["x-api-key"] = claude_client.UNSET
        settings["base_url"] = f"https://user:{SECRET}@api.test"
    arguments: Any = {
        "model": "claude-opus-5-5",
        "max_tokens": 10,
        "messages": [{"role": "user", "content": SECRET}],
    }

    async def call() -> None:
        async with claude_client.AsyncClaude(
            **settings, http_client=httpx.AsyncClient(transport=transport)
        ) as client:
            await client.messages.create(**arguments)

    with pytest.raises(ClaudeError) as caught:
        if asynchronous:
            asyncio.run(call())
        else:
            claude_client.Claude(
                **settings, http_client=httpx.Client(transport=transport)
            ).messages.create(**arguments)
    # What the server itself sent is kept as it came, in its own place.
    error = caught.value
    if fault == "redirect":
        assert SECRET not in str(error) + repr(error)
    else:
        for text in texts_of(error):
            assert SECRET not in text
    assert isinstance(error, errors.APIError)
    assert str(error).startswith("messages.create: ")


def test_a_missing_key_names_the_ways_to_give_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MissingCredentialsError) as caught:
        claude_client.Claude()
    for way in ("ANTHROPIC_API_KEY", "api_key=", "auth_token="):
        assert way in str(caught.value)
