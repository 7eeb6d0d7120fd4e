"""The proxies that the environment names, read the way httpx reads them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .errors import EnvironmentVariableError

if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_patterns() -> dict[str, str | None]:
    """Return the proxies of the environment as httpx mount patterns; ``None`` goes direct.

    httpx reads these itself only when it may choose the transport, and the transport is where
    the socket options are.

    Raises :class:`EnvironmentVariableError` for a value that httpx cannot use.
    """
    from urllib.request import getproxies

    proxies = getproxies()
    patterns: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        url = proxies.get(scheme)
        if url:
            url = url if "://" in url else f"http://{url}"
            _check_proxy(url, _variable_name(f"{scheme}_proxy"))
            patterns[f"{scheme}://"] = url
    if not patterns:
        return {}
    for entry in proxies.get("no", "").split(","):
        host = entry.strip()
        if host == "*":
            return {}
        if not host:
            continue
        version = _ip_version(host)
        if "://" in host:
            pattern = host
        elif version == 6:
            pattern = f"all://[{host}]"
        elif version == 4 or host.lower() == "localhost" or _is_bracketed(host):
            pattern = f"all://{host}"
        else:
            # Without a dot in front, the domain itself and all below it.
            pattern = f"all://*{host}"
        _check_direct(pattern, host)
        patterns[pattern] = None
    return patterns


def _variable_name(name: str) -> str:
    """Return the spelling in which a proxy variable is set; the system may have its own."""
    return next((key for key in (name, name.upper()) if os.environ.get(key)), name.upper())


def _check_proxy(url: str, variable: str) -> None:
    from importlib.util import find_spec

    import httpx

    try:
        proxy = httpx.Proxy(url)
        if not proxy.url.host:
            raise ValueError
    except (ValueError, httpx.InvalidURL):
        # The value may have a password in it, and the error of httpx quotes it.
        raise EnvironmentVariableError(
            variable,
            "names no proxy that can be used; expected a URL such as http://proxy.test:3128",
        ) from None
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise EnvironmentVariableError(
            variable, "names a SOCKS proxy, for which httpx needs the package socksio"
        )


def _check_direct(pattern: str, entry: str) -> None:
    import httpx

    try:
        httpx.URL(pattern)
    except httpx.InvalidURL as error:
        raise EnvironmentVariableError(
            _variable_name("no_proxy"), f"has the entry {entry!r}, which is no host: {error}"
        ) from error


def _is_bracketed(host: str) -> bool:
    return host.startswith("[") and _ip_version(host[1:].partition("]")[0]) == 6


def _ip_version(host: str) -> int | None:
    from ipaddress import ip_address

    try:
        return ip_address(host.partition("/")[0]).version
    except ValueError:
        return None


def proxy_for(url: str, patterns: Mapping[str, str | None]) -> str | None:
    """Return the proxy for ``url`` as httpx picks it from ``patterns``; ``None``: go direct."""
    from urllib.parse import urlsplit

    target = urlsplit(url)
    # The most specific first: with a port, with the longest host, with a scheme.
    found: list[tuple[tuple[bool, int, bool], str | None]] = []
    for pattern, proxy in patterns.items():
        parts = urlsplit(pattern)
        host = parts.hostname or ""
        if (
            parts.scheme in ("all", target.scheme)
            and parts.port in (None, target.port or _DEFAULT_PORTS.get(target.scheme))
            and _matches(host, target.hostname or "")
        ):
            found.append(((parts.port is None, -len(host), parts.scheme == "all"), proxy))
    return min(found, key=lambda entry: entry[0])[1] if found else None


_DEFAULT_PORTS = {"http": 80, "https": 443}


def _matches(pattern: str, host: str) -> bool:
    if not pattern.startswith("*"):
        return pattern in ("", host)
    domain = pattern[1:]
    return host.endswith(domain if domain.startswith(".") else f".{domain}") or host == domain
