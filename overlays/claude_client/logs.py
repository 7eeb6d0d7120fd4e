"""What this package writes to its one logger, ``claude_client``.

A record says what happened to a call. Its facts are attributes of the record as well as in its
text: ``operation``, ``attempt``, ``request_id``; of an answer ``status``, ``elapsed`` in seconds
and ``bytes_sent``; of a failed attempt ``reason`` and ``wait``. Attempts that failed are INFO,
every answer is DEBUG. Records hold no bodies and no values of headers.

Two variables of the environment turn it on without code. ``ANTHROPIC_LOG=debug`` or ``info`` sets
the level and, where nobody has configured a handler yet, writes to standard error. Beside
``ANTHROPIC_LOG=debug``, and only there, ``ANTHROPIC_LOG_BODIES=1`` adds requests and whole answers
with their bodies, which hold what users write; credentials are masked in them too, while the
events of a stream and the contents of files are left out.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.request import is_secret

from .environment import setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_rest._runtime.meta import Meta
    from claude_rest._runtime.request import PreparedRequest

LEVEL_VARIABLE = "ANTHROPIC_LOG"
BODIES_VARIABLE = "ANTHROPIC_LOG_BODIES"

DEBUG = 10
INFO = 20

_LEVELS = {"debug": DEBUG, "info": INFO}
_LOGGER = __name__.rpartition(".")[0]
_HIDDEN = "[hidden]"
# Fields with a string, among them the credentials of MCP servers, and keys of the API wherever
# they stand. Names are kept short, so that no text takes longer than its length.
_SECRETS = (
    r'("([^"\\]{1,100})"\s*:\s*)"(?:[^"\\]|\\.)*"',
    r"sk-ant-[\w-]+",
)


class _Bodies:
    """Whether bodies are logged; set once, with the first client that finds it asked for."""

    logged = False
    set_up = False


def set_up_logging(environ: Mapping[str, str]) -> None:
    """Do what ``ANTHROPIC_LOG`` and ``ANTHROPIC_LOG_BODIES`` ask for, once in a process.

    Anything else than ``debug`` or ``info`` asks for nothing. A level that the logger has already
    stays, and so do handlers, on it or on the root logger.
    """
    if _Bodies.set_up:
        return
    level = _LEVELS.get((setting(environ, LEVEL_VARIABLE) or "").lower())
    if level is None:
        return
    _Bodies.set_up = True
    import logging

    logger = logging.getLogger(_LOGGER)
    if logger.level == logging.NOTSET:
        logger.setLevel(level)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
    wanted = (setting(environ, BODIES_VARIABLE) or "").lower()
    _Bodies.logged = level == DEBUG and wanted in ("1", "true", "yes", "on")


def log(level: int, message: str, *values: object, **facts: object) -> None:
    """Write to this package's logger, if logging is in use at all.

    ``facts`` become attributes of the record. Neither they nor ``values`` may hold a body or the
    value of a header.
    """
    logging = sys.modules.get("logging")
    if logging is None:
        return
    logger = logging.getLogger(_LOGGER)
    if logger.isEnabledFor(level):
        logger.log(level, message, *values, extra=facts)


def log_answer(prepared: PreparedRequest, meta: Meta) -> None:
    """Log that an answer came, whatever its status."""
    if "logging" not in sys.modules:
        return
    content = prepared.content
    size = 0 if content is None else len(content)
    log(
        DEBUG,
        "%s: HTTP %d in %.3f s, request id %s, attempt %d, %d bytes sent",
        prepared.operation.id,
        meta.status_code,
        meta.elapsed,
        meta.request_id,
        meta.attempts,
        size,
        operation=prepared.operation.id,
        status=meta.status_code,
        elapsed=meta.elapsed,
        request_id=meta.request_id,
        attempt=meta.attempts,
        bytes_sent=size,
    )


def log_request_body(prepared: PreparedRequest) -> None:
    """Log a request with its body, if bodies are asked for."""
    if _Bodies.logged:
        content: Any = prepared.content
        if content is None or isinstance(content, bytes):
            body = content or b""
        else:
            body = b"(a form)" if hasattr(content, "boundary") else content.outline()
        log(DEBUG, "%r: %s", prepared, masked(body, prepared), operation=prepared.operation.id)


def log_answer_body(prepared: PreparedRequest, content: bytes, meta: Meta) -> None:
    """Log the body of an answer that was read whole, if bodies are asked for."""
    if _Bodies.logged:
        log(
            DEBUG,
            "%s: HTTP %d: %s",
            prepared.operation.id,
            meta.status_code,
            masked(content, prepared),
            operation=prepared.operation.id,
            status=meta.status_code,
            request_id=meta.request_id,
        )


def masked(body: bytes, prepared: PreparedRequest) -> str:
    """Return a body as text, without the credential of its request and others that show."""
    import re

    text = body.decode("utf-8", "replace")
    for name, value in prepared.headers:
        if is_secret(name):
            for secret in (value, value.rpartition(" ")[2]):
                if len(secret) >= 4:
                    text = text.replace(secret, _HIDDEN)
    field, key = _SECRETS
    text = re.sub(field, _hide_value, text)
    return re.sub(key, _HIDDEN, text)


def _hide_value(match: Any) -> str:
    return f'{match[1]}"{_HIDDEN}"' if is_secret(match[2]) else str(match[0])
