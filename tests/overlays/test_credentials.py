"""Where credentials come from and what they become."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from claude_client.credentials import Credentials, new_credentials, resolve_credentials
from claude_client.errors import ClaudeError, CredentialsError, MissingCredentialsError
from claude_rest._runtime.unset import UNSET


def find(
    *,
    key: str | None = None,
    token: str | None = None,
    headers: tuple[str, ...] = (),
    **environ: str,
) -> Credentials:
    return resolve_credentials(api_key=key, auth_token=token, environ=environ, own_headers=headers)


@pytest.mark.parametrize(
    ("found", "headers", "source"),
    [
        (lambda: find(key="k"), {"x-api-key": "k"}, "argument api_key"),
        (lambda: find(token="t"), {"authorization": "Bearer t"}, "argument auth_token"),
        (lambda: find(key="k", ANTHROPIC_API_KEY="e"), {"x-api-key": "k"}, "argument api_key"),
        (
            lambda: find(token="t", ANTHROPIC_API_KEY="e"),
            {"authorization": "Bearer t"},
            "argument auth_token",
        ),
        (lambda: find(ANTHROPIC_API_KEY="e"), {"x-api-key": "e"}, "ANTHROPIC_API_KEY"),
        (
            lambda: find(ANTHROPIC_AUTH_TOKEN="e"),
            {"authorization": "Bearer e"},
            "ANTHROPIC_AUTH_TOKEN",
        ),
        (
            lambda: find(ANTHROPIC_API_KEY="e", ANTHROPIC_AUTH_TOKEN="f"),
            {"x-api-key": "e"},
            "ANTHROPIC_API_KEY",
        ),
        (
            lambda: find(key="", token="", ANTHROPIC_API_KEY="", ANTHROPIC_AUTH_TOKEN="f"),
            {"authorization": "Bearer f"},
            "ANTHROPIC_AUTH_TOKEN",
        ),
        (lambda: find(key=" k\n"), {"x-api-key": "k"}, "argument api_key"),
        (lambda: find(headers=("X-Api-Key",), ANTHROPIC_API_KEY="e"), {}, "default_headers"),
        (lambda: find(headers=("Authorization",)), {}, "default_headers"),
        (
            lambda: find(ANTHROPIC_CUSTOM_HEADERS="X-A: 1\nAuthorization: Bearer g"),
            {},
            "ANTHROPIC_CUSTOM_HEADERS",
        ),
        (
            lambda: find(ANTHROPIC_API_KEY="e", ANTHROPIC_CUSTOM_HEADERS="Authorization: Bearer g"),
            {"x-api-key": "e"},
            "ANTHROPIC_API_KEY",
        ),
    ],
)
def test_resolution_order(found, headers, source) -> None:  # type: ignore[no-untyped-def]
    credentials = found()
    assert credentials.headers == headers
    assert credentials.source == source


def test_oauth_tokens_bring_their_flag() -> None:
    assert find(token="sk-ant-oat01-x").betas == ("oauth-2025-04-20",)
    assert find(token="other").betas == ()
    assert find(key="sk-ant-api03-x").betas == ()


def test_missing_credentials_tell_where_was_looked() -> None:
    with pytest.raises(MissingCredentialsError) as caught:
        find(ANTHROPIC_API_KEY="")
    error = caught.value
    assert isinstance(error, ClaudeError)
    assert error.sources == (
        ("argument api_key", "not set"),
        ("argument auth_token", "not set"),
        ("environment variable ANTHROPIC_API_KEY", "empty"),
        ("environment variable ANTHROPIC_AUTH_TOKEN", "not set"),
        ("authentication header in ANTHROPIC_CUSTOM_HEADERS", "not set"),
    )
    for hint in ("ANTHROPIC_API_KEY (empty)", "ANTHROPIC_AUTH_TOKEN", "api_key=", "auth_token="):
        assert hint in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.sources) == (str(error), error.sources)


def test_two_arguments_are_an_error() -> None:
    with pytest.raises(CredentialsError, match="both api_key and auth_token"):
        find(key="k", token="t")


@pytest.mark.parametrize("bad", ["se\ncret", "se cret", "sécret", "se\x00cret", "  "])
def test_unsendable_credentials_are_refused_without_being_shown(bad: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        find(ANTHROPIC_API_KEY=bad)
    assert "cret" not in str(caught.value)
    assert "ANTHROPIC_API_KEY" in str(caught.value)


@pytest.mark.parametrize(("key", "token"), [("", UNSET), (None, UNSET), (UNSET, ""), (None, None)])
def test_an_empty_new_credential_is_refused(key: Any, token: Any) -> None:
    with pytest.raises(CredentialsError, match="empty"):
        new_credentials(key, token)


def test_a_new_credential_of_the_other_kind() -> None:
    assert new_credentials(UNSET, UNSET) is None
    credentials = new_credentials(None, "t")
    assert credentials is not None
    assert credentials.headers == {"authorization": "Bearer t"}


def test_a_credential_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="credential") as caught:
        pickle.dumps(Credentials(api_key="secret"))
    assert "secret" not in str(caught.value)


def test_repr_shows_no_secret() -> None:
    for credentials in (find(key="secret"), find(token="secret"), Credentials()):
        assert "secret" not in repr(credentials)
