"""How far the content of a file has come, and who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    from collections.abc import Callable


class Transfer:
    """How much of a file, or of the files of a form, has been sent or received."""

    __slots__ = ("total", "transferred")

    transferred: int
    """Bytes so far; a retry begins at 0 again."""
    total: int | None
    """Bytes in all; ``None`` where the server did not say."""

    def __init__(self, transferred: int, total: int | None) -> None:
        self.transferred = transferred
        self.total = total

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not Transfer or not isinstance(other, Transfer):
            return NotImplemented
        return (self.transferred, self.total) == (other.transferred, other.total)

    def __hash__(self) -> int:
        return hash((self.transferred, self.total))

    def __repr__(self) -> str:
        return f"Transfer({self.transferred}, {self.total})"


ProgressInput: TypeAlias = Union["Callable[[Transfer], object]", bool, None]
"""What is told of a transfer: a function; ``True`` shows a bar on the terminal.

It is called with 0 bytes first, then after each piece, and has to be quick: an asynchronous client
calls it on its event loop. What it raises ends the transfer, and comes out of the call.
"""


class Teller:
    """Tells one run of a transfer, from its first byte to its last or to where it breaks off."""

    __slots__ = ("_callback", "_total", "_transferred")

    def __init__(self, progress: Any, total: int | None) -> None:
        """Begin to tell ``progress``: a function, or what returns a fresh one by ``begin()``.

        A function that has ``close()`` besides, as that of a bar, is closed at the end. Raises
        ``TypeError`` for anything else; ``True`` means something only to what can draw a bar.
        """
        begin = getattr(progress, "begin", None)
        self._callback: Any = progress if begin is None else begin()
        check_progress(self._callback)
        self._total = total
        self._transferred = 0

    def tell(self, count: int = 0) -> None:
        """Say that ``count`` bytes more are through."""
        self._transferred += count
        self._callback(Transfer(self._transferred, self._total))

    def close(self) -> None:
        """End the telling. Safe to call more than once."""
        close = getattr(self._callback, "close", None)
        if close is not None:
            close()


def check_progress(progress: Any) -> None:
    """Raise ``TypeError`` for what nothing can be told."""
    if progress is True:
        raise TypeError("progress=True needs what draws a bar; pass a function here")
    if not callable(progress) and not hasattr(progress, "begin"):
        raise TypeError(
            f"progress is {type(progress).__name__}; pass a function that takes a Transfer"
        )
