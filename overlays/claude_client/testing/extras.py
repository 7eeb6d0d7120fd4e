"""Says which extra to install when a library of the mock is missing."""

from __future__ import annotations

EXTRA = "claude-client[mock]"
"""What to give to pip for the mock's dependencies."""


class MissingExtraError(ImportError):
    """A library is missing that the extra ``mock`` brings."""

    def __init__(self, library: str) -> None:
        super().__init__(f"{library} is not installed; install {EXTRA}", name=library)
        self.library = library
        """Import name of what is missing."""

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str]]:
        """Pickle by the library's name."""
        return type(self), (self.library,)
