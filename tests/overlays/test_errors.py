"""The errors module: one hierarchy, everything picklable, code classes on demand."""

from __future__ import annotations

import pickle

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
