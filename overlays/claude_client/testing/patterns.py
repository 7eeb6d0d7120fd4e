"""Texts that match a regular expression of a schema."""

from __future__ import annotations

import re
import string
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EXTRA_REPEATS: Final = 8
_PRINTABLE: Final = string.ascii_lowercase + string.digits + string.ascii_uppercase + "-_ .:/"
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.ascii_lowercase + string.digits,
    "CATEGORY_SPACE": " ",
}


def matching_text(pattern: str, draw: Callable[[], int]) -> str | None:
    """Return a text that a pattern finds a match in, or None when none was found.

    Knows what specs use: literals, classes, groups, alternatives, repeats and anchors.
    """
    try:
        text = "".join(_pieces(_parsed(pattern), draw))
        return text if re.search(pattern, text) else None
    except (re.error, NotImplementedError, ValueError, IndexError):
        return None


@lru_cache(maxsize=256)
def _parsed(pattern: str) -> Any:
    # The parser of the standard library; its name before Python 3.11 was sre_parse.
    try:
        parser: Any = import_module("re._parser")
    except ImportError:
        parser = import_module("sre_parse")
    return parser.parse(pattern)


def _pieces(tokens: Any, draw: Callable[[], int]) -> Iterator[str]:
    for kind, argument in tokens:
        name = str(kind)
        if name == "LITERAL":
            yield chr(argument)
        elif name == "NOT_LITERAL":
            yield next(letter for letter in _PRINTABLE if ord(letter) != argument)
        elif name == "ANY":
            yield _PRINTABLE[draw() % 36]
        elif name == "IN":
            choices = _class(argument)
            yield choices[draw() % len(choices)]
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inside = argument
            for _ in range(least + draw() % (min(int(most) - least, _EXTRA_REPEATS) + 1)):
                yield from _pieces(inside, draw)
        elif name == "SUBPATTERN":
            yield from _pieces(argument[-1], draw)
        elif name == "BRANCH":
            branches = argument[1]
            yield from _pieces(branches[draw() % len(branches)], draw)
        elif name != "AT":
            raise NotImplementedError(name)


def _class(parts: Any) -> str:
    """Return the characters of a class such as ``[a-z0-9]``."""
    negated = False
    letters = ""
    for kind, argument in parts:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            letters += chr(argument)
        elif name == "RANGE":
            low, high = argument
            letters += "".join(chr(code) for code in range(low, min(high, low + 127) + 1))
        elif name == "CATEGORY":
            letters += _CATEGORIES[str(argument)]
        else:
            raise NotImplementedError(name)
    return "".join(letter for letter in _PRINTABLE if letter not in letters) if negated else letters
