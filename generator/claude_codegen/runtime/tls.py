"""The TLS contexts of this process, which all clients share."""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING

from .errors import EnvironmentVariableError

if TYPE_CHECKING:
    import ssl

_contexts: dict[tuple[str | None, ...], ssl.SSLContext] = {}
_lock = Lock()


def _renew_lock() -> None:
    # A thread that held the lock when the process forked does not exist in the child.
    global _lock  # noqa: PLW0603
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def _key(secure: bool) -> tuple[str | None, ...]:
    if not secure:
        return ()
    return ("ca", os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


def is_loaded(*, secure: bool = True) -> bool:
    """Tell whether :func:`tls_context` returns without reading anything."""
    return _key(secure) in _contexts


def tls_context(*, secure: bool = True) -> ssl.SSLContext:
    """Return the TLS context of this process.

    The first secure one takes tens of milliseconds, most of it for reading the certificate
    authorities (``SSL_CERT_FILE``, ``SSL_CERT_DIR``, else certifi's). One for ``http`` only
    (``secure=False``) trusts none, so it is cheap and cannot make an unverified connection.

    Raises :class:`EnvironmentVariableError` when the variable in use names nothing to load.
    """
    key = _key(secure)
    context = _contexts.get(key)
    if context is None:
        with _lock:
            context = _contexts.get(key)
            if context is None:
                if secure:
                    context = _verifying_context()
                else:
                    import ssl

                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                _contexts[key] = context
    return context


def _verifying_context() -> ssl.SSLContext:
    import httpx

    try:
        context = httpx.create_ssl_context()
    except OSError as error:
        # Errors of TLS are among these. The order is that in which httpx looks.
        for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            value = os.environ.get(variable)
            if value:
                raise EnvironmentVariableError(
                    variable, f"names {value!r}, which has no certificates to load: {error}"
                ) from error
        raise
    # httpcore says so on every connection, aiohttp on none.
    context.set_alpn_protocols(["http/1.1"])
    return context
