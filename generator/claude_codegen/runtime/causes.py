"""The causes of an error in a form that may travel to another process.

An exception of an HTTP library holds the request, and with it the credential; others hold sockets
or cannot be made again at all. So of each cause only the class and plain arguments are kept.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from typing import Final

Cause: TypeAlias = tuple[str, str, tuple[Any, ...], str]
"""Module and name of the class, its arguments, and what the exception said."""

MAX_CAUSES: Final = 8
_PLAIN = (str, bytes, int, float, bool, type(None))


def describe_causes(error: BaseException) -> tuple[Cause | BaseException, ...]:
    """Return the causes of ``error``, nearest first; one that can travel by itself ends them."""
    from .errors import ClaudeError

    found: list[Cause | BaseException] = []
    cause = error.__cause__
    while cause is not None and len(found) < MAX_CAUSES:
        if isinstance(cause, ClaudeError):
            found.append(cause)
            break
        kind = type(cause)
        arguments: tuple[Any, ...] = cause.args
        if not all(isinstance(argument, _PLAIN) for argument in arguments):
            arguments = (str(cause),)
        found.append((kind.__module__, kind.__qualname__, arguments, str(cause)))
        cause = cause.__cause__
    return tuple(found)


def rebuild_causes(described: tuple[Cause | BaseException, ...]) -> BaseException | None:
    """Return the nearest of the described causes, with the others as its causes in turn.

    In place of one whose class is not there, or takes other arguments, an ``Exception`` names it.
    """
    outer: BaseException | None = None
    for each in reversed(described):
        rebuilt = each if isinstance(each, BaseException) else _rebuild(*each)
        if outer is not None:
            rebuilt.__cause__ = outer
        outer = rebuilt
    return outer


def _rebuild(module: str, name: str, arguments: tuple[Any, ...], text: str) -> BaseException:
    made: BaseException | None
    try:
        __import__(module)
        kind: Any = sys.modules[module]
        for part in name.split("."):
            kind = getattr(kind, part)
        made = kind(*arguments) if issubclass(kind, BaseException) else None
    except (ImportError, AttributeError, TypeError, ValueError, LookupError):
        made = None
    if isinstance(made, BaseException) and str(made) == text:
        return made
    return Exception(f"{name}: {text}" if text else name)
