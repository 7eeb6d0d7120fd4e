"""How long a call may take, by phase and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .unset import UNSET, Unset

if TYPE_CHECKING:
    from typing import Final

    from typing_extensions import Self

DEFAULT_TIMEOUT_SECONDS: Final = 600.0
DEFAULT_CONNECT_TIMEOUT_SECONDS: Final = 5.0
_FOREVER: Final = float("inf")


class Timeout:
    """Limits in seconds; ``None`` and infinity wait forever. Immutable, compares by value."""

    __slots__ = ("connect", "deadline", "first_byte", "idle", "pool", "write")

    connect: float | None
    """To open a connection, TLS included."""
    pool: float | None
    """To wait for a free connection."""
    write: float | None
    """To get rid of one piece of the request."""
    first_byte: float | None
    """From the end of the request to the answer's status and headers."""
    idle: float | None
    """Between two pieces of the answer. Any byte counts, so a ping of a stream does too."""
    deadline: float | None
    """For the whole call: all attempts, the waits between them, and reading the answer.

    It holds to the moment however the bytes trickle in, but for looking up the address of a host
    by a synchronous client. With an HTTP client of your own, a synchronous one, the clock is
    looked at between pieces of the answer."""

    def __init__(
        self,
        timeout: float | Unset | None = UNSET,
        *,
        connect: float | Unset | None = UNSET,
        pool: float | Unset | None = UNSET,
        write: float | Unset | None = UNSET,
        read: float | Unset | None = UNSET,
        first_byte: float | Unset | None = UNSET,
        idle: float | Unset | None = UNSET,
        deadline: float | None = None,
    ) -> None:
        """Set limits.

        ``timeout`` holds for each phase that is not named; without it that is 5 s to connect and
        600 s for each other phase. ``read`` stands for ``first_byte`` and ``idle`` together.
        There is no ``deadline`` unless one is given.
        """
        rest = DEFAULT_TIMEOUT_SECONDS if isinstance(timeout, Unset) else timeout
        first = DEFAULT_CONNECT_TIMEOUT_SECONDS if isinstance(timeout, Unset) else timeout
        reading = rest if isinstance(read, Unset) else read
        values = {
            "connect": first if isinstance(connect, Unset) else connect,
            "pool": rest if isinstance(pool, Unset) else pool,
            "write": rest if isinstance(write, Unset) else write,
            "first_byte": reading if isinstance(first_byte, Unset) else first_byte,
            "idle": reading if isinstance(idle, Unset) else idle,
            "deadline": deadline,
        }
        for name, value in values.items():
            # Written so that "not a number" does not pass either.
            if value is not None and not value > 0:
                raise ValueError(f"{name} is in seconds, more than 0, or None for no limit")
            # A socket takes no infinity.
            object.__setattr__(self, name, None if value == _FOREVER else value)

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return ``value`` as limits: a number, ``None``, ``UNSET``, or an ``httpx.Timeout``.

        Raises ``TypeError`` for anything else.
        """
        if isinstance(value, cls):
            return value
        if value is UNSET or value is None or isinstance(value, (int, float)):
            return cls(value)
        try:
            return cls(connect=value.connect, pool=value.pool, write=value.write, read=value.read)
        except AttributeError:
            raise TypeError(
                "timeout is a number of seconds, None, a Timeout or an httpx.Timeout, not "
                f"{type(value).__name__}"
            ) from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Timeout is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("Timeout is immutable")

    def _values(self) -> tuple[float | None, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Timeout):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"Timeout({fields})"

    def __reduce__(self) -> Any:
        return (_restore, ({name: getattr(self, name) for name in self.__slots__},))


def _restore(values: dict[str, Any]) -> Timeout:
    return Timeout(**values)
