"""Keeps a process on its own machine for a while, for tests: what would leave it is an error.

The guard stands in Python's ``socket`` module. Loopback addresses and local sockets are free;
libraries that speak to the network past that module, such as uvloop, are not seen.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

_METHODS: Final = ("connect", "connect_ex", "sendto", "sendmsg")
_FUNCTIONS: Final = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
_INTERNET: Final = (socket.AF_INET, socket.AF_INET6)


class NetworkBlockedError(RuntimeError):
    """Something tried to leave the machine.

    No ``OSError``, so that no client takes it for a broken connection and tries again.
    """

    def __init__(self, target: str, advice: str = "") -> None:
        super().__init__(f"a test tried to reach {target}{advice}")
        self.target = target
        """Host, and the port if it was known."""
        self.advice = advice

    def __reduce__(self) -> tuple[type[NetworkBlockedError], tuple[str, str]]:
        """Pickle by what it was made from."""
        return type(self), (self.target, self.advice)


class NetworkGuard:
    """Lets nothing leave the machine while it is open: ``with NetworkGuard(): ...``.

    It is in force in all threads of the process. Several can be open at once, as fixtures of
    different scopes are; then each of them has to allow a host.
    """

    def __init__(self, allow: Iterable[str] = (), *, advice: Callable[[str], str] | None = None):
        """Prepare a guard.

        Args:
            allow: Hosts that may be reached, by name or address; ``*`` stands for anything.
            advice: Returns what to add to the message about a host.
        """
        self._allowed = [pattern.lower() for pattern in allow]
        self._resolved: set[str] = set()
        self._advice = advice
        self.blocked: list[NetworkBlockedError] = []
        """What was held back, so that it shows even where the error was swallowed."""

    def __enter__(self) -> Self:
        _Patches.add(self)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _Patches.remove(self)

    def check(self, host: object, port: object = None) -> None:
        """Let a host through or not.

        Raises:
            NetworkBlockedError: it is neither on this machine nor allowed.
        """
        name = _text(host)
        if _is_local(name) or self._allows(name):
            return
        target = name if port is None else f"{name}:{_text(port)}"
        error = NetworkBlockedError(target, self._advice(name) if self._advice else "")
        self.blocked.append(error)
        raise error

    def learn(self, host: object, addresses: Iterable[str]) -> None:
        """Let the addresses of an allowed host through."""
        if self._allows(_text(host)):
            self._resolved.update(addresses)

    def _allows(self, name: str) -> bool:
        return name in self._resolved or any(fnmatch(name, allowed) for allowed in self._allowed)


class _Patches:
    """What stands in for parts of ``socket`` while a guard is open; one set for the process."""

    guards: Final[list[NetworkGuard]] = []
    _lock: Final = threading.RLock()
    _undo: Final[list[Callable[[], None]]] = []

    @classmethod
    def add(cls, guard: NetworkGuard) -> None:
        with cls._lock:
            cls.guards.append(guard)
            if len(cls.guards) == 1:
                cls._install()

    @classmethod
    def remove(cls, guard: NetworkGuard) -> None:
        with cls._lock:
            cls.guards.remove(guard)
            if not cls.guards:
                while cls._undo:
                    cls._undo.pop()()

    @classmethod
    def _install(cls) -> None:
        # The class of today: another tool may have put its own in the place of socket.socket.
        for name in _METHODS:
            if hasattr(socket.socket, name):
                cls._replace(socket.socket, name, _method)
        for name in _FUNCTIONS:
            cls._replace(socket, name, _function)

    @classmethod
    def _replace(cls, owner: Any, name: str, make: Callable[[str, Any], Any]) -> None:
        inherited = name not in vars(owner)
        original = getattr(owner, name)
        ours = make(name, original)
        setattr(owner, name, ours)

        def undo() -> None:
            if owner.__dict__.get(name) is not ours:
                return  # somebody has replaced it since; ours lets everything through by now
            if inherited:
                delattr(owner, name)
            else:
                setattr(owner, name, original)

        cls._undo.append(undo)


def _method(name: str, original: Any) -> Any:
    # In sendto and sendmsg the address is the last argument; the latter may go without.
    def guarded(self: Any, *arguments: Any) -> Any:
        address: Any = arguments[-1] if arguments else None
        given = isinstance(address, tuple) and (name != "sendmsg" or len(arguments) == 4)
        if given and self.family in _INTERNET:
            for guard in list(_Patches.guards):
                guard.check(*cast("tuple[Any, ...]", address)[:2])
        return original(self, *arguments)

    guarded.__name__ = name
    return guarded


def _function(name: str, original: Any) -> Any:
    def guarded(*arguments: Any, **named: Any) -> Any:
        host = arguments[0] if arguments else named.get("host")
        port = arguments[1] if len(arguments) > 1 else named.get("port")
        guards = list(_Patches.guards)
        for guard in guards:
            guard.check(host, port)
        found = original(*arguments, **named)
        if guards:
            for guard in guards:
                guard.learn(host, _addresses(found))
        return found

    guarded.__name__ = name
    return guarded


def _addresses(found: Any) -> list[str]:
    """Return the addresses in what a function of ``socket`` has resolved."""
    if isinstance(found, str):
        return [found]
    if len(found) == 3 and isinstance(found[0], str):  # of gethostbyname_ex and gethostbyaddr
        return list(found[2])
    return [str(entry[4][0]) for entry in found]


def _text(value: object) -> str:
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1").lower()
    return "" if value is None else str(value).lower()


def _is_local(host: str) -> bool:
    """Return whether a name or an address in lower case is this machine's own."""
    name = host.rstrip(".")
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool(address.is_loopback or address.is_unspecified or (mapped and mapped.is_loopback))
