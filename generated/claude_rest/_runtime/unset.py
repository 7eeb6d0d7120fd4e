"""The value of what is not there, so that an absent field and an explicit ``null`` stay apart."""

from __future__ import annotations

from typing import Final, Literal, final


@final
class Unset:
    """Type of :data:`UNSET`; falsy, so ``value or default`` reads naturally.

    A response field holds :data:`UNSET` when the server left it out and ``None`` when it sent
    ``null``. As an argument it means "not given", while ``None`` sends ``null``.
    """

    __slots__ = ()
    _instance: Unset | None = None

    def __new__(cls) -> Unset:
        """Return the one instance there is."""
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        # Pickled and copied by name, so identity survives both.
        return "UNSET"

    def __copy__(self) -> Unset:
        return self

    def __deepcopy__(self, memo: object) -> Unset:
        return self


UNSET: Final = Unset()
"""The single :class:`Unset` value."""
