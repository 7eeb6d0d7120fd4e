"""Settings of a client that the environment holds, apart from credentials. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE_URL_VARIABLE = "ANTHROPIC_BASE_URL"
CUSTOM_HEADERS_VARIABLE = "ANTHROPIC_CUSTOM_HEADERS"
TRACING_VARIABLE = "CLAUDE_CLIENT_TRACING"
WEBHOOK_KEY_VARIABLE = "ANTHROPIC_WEBHOOK_SIGNING_KEY"
WORKSPACE_VARIABLE = "ANTHROPIC_WORKSPACE_ID"
TRANSPORT_VARIABLE = "CLAUDE_CLIENT_TRANSPORT"


def setting(environ: Mapping[str, str], name: str) -> str | None:
    """Return the value of a variable, None when it is unset, empty or blank."""
    return environ.get(name, "").strip() or None


def switched_off(value: str | None) -> bool:
    """Tell whether the value of a variable says no: ``0``, ``off``, ``false`` or ``no``."""
    return (value or "").lower() in ("0", "off", "false", "no")


def custom_headers(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of ``ANTHROPIC_CUSTOM_HEADERS``: one ``Name: value`` per line.

    Raises :class:`~.errors.ConfigurationError` for a line without a name; the message does not
    show the line, which may hold a secret.
    """
    headers: dict[str, str] = {}
    lines = environ.get(CUSTOM_HEADERS_VARIABLE, "").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ConfigurationError(
                f"line {number} of {CUSTOM_HEADERS_VARIABLE} is not of the form 'Name: value'"
            )
        headers[name.strip().lower()] = value.strip()
    return headers
