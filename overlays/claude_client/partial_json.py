"""Reads JSON that is still being written: what a tool's input amounts to so far.

:class:`PartialJSON` keeps its place between fragments and never reads a character twice, so
asking for the value after each fragment costs no more than reading the whole once. It is for
showing progress. Whether an input is whole, and what it is then, says its content block when it
stops (:mod:`~.accumulator`), never this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from claude_rest._runtime.codec import DecodeError, loads

if TYPE_CHECKING:
    from typing import Final


class PartialJSON:
    """A JSON text that comes in fragments; :attr:`value` is what it says so far.

    - Objects and arrays are there from their opening bracket.
    - A string is there from its opening quote, with the characters that have come. Half an
      escape, and half of a surrogate pair, is left out until the rest of it comes.
    - A number, ``true``, ``false`` and ``null`` are there when a character after them has come:
      ``12`` may become ``123``.
    - A key is there when its value is.

    A text that turns out not to be JSON keeps the value it had, and takes nothing more.
    """

    __slots__ = ("_carry", "_fresh", "_key", "_open", "_state")

    def __init__(self) -> None:
        """Start before the first character."""
        # The start of an escape that the last fragment cut.
        self._carry = ""
        # Pieces of the string, key, number or literal being read, not yet put where they belong.
        self._fresh: list[str] = []
        # The containers that are open, innermost last, around them a list for the value itself.
        self._open: list[Any] = [[]]
        # Where in the innermost one the value goes that is being read: its key or index.
        self._key: Any = None
        self._state = _VALUE

    @property
    def started(self) -> bool:
        """Whether there is a value to show."""
        return bool(self._open[0])

    @property
    def invalid(self) -> bool:
        """Whether the text cannot become JSON any more, whatever follows."""
        return self._state is _INVALID

    @property
    def value(self) -> Any:
        """The value so far, None when none has begun.

        The same object grows from call to call: copy it (``copy.deepcopy``) to keep a moment.
        """
        if self._state is _STRING:
            self._update_string()
        top = self._open[0]
        return top[0] if top else None

    def feed(self, fragment: str) -> None:
        """Take the next piece of the text. Never raises for what it says."""
        text = self._carry + fragment
        self._carry = ""
        position, end = 0, len(text)
        while position < end and self._state is not _INVALID:
            state = self._state
            if state is _STRING or state is _KEY:
                position = self._read_string(text, position)
            elif state is _ATOM:
                stop = _end_of(_ATOM_CHARACTERS, text, position)
                self._fresh.append(text[position:stop])
                position = stop
                if stop < end:
                    self._end_atom()
            else:
                position = _end_of(_SPACE, text, position)
                if position < end:
                    position += self._read_mark(text[position])

    def finish(self) -> Any:
        """Return the whole value. Raises :class:`ValueError` when the text is no whole JSON."""
        if self._state is _ATOM and len(self._open) == 1:
            self._end_atom()
        if self._state is not _DONE:
            raise ValueError("the text is not a whole JSON document")
        return self.value

    def _read_string(self, text: str, position: int) -> int:
        stop = _end_of(_PLAIN, text, position)
        if stop > position:
            self._fresh.append(text[position:stop])
        if stop == len(text):
            return stop
        if text[stop] == '"':
            if self._state is _KEY:
                self._key = "".join(self._fresh)
                self._fresh.clear()
                self._state = _COLON
            else:
                self._update_string()
                self._end_value()
            return stop + 1
        found = _ESCAPE.match(text, stop)
        if found is None:
            return self._wait_or_fail(text, stop)
        short, digits = found.groups()
        if short:
            self._fresh.append(_ESCAPES[short])
            return found.end()
        code = int(digits, 16)
        if 0xD800 <= code < 0xDC00:
            low = _ESCAPE.match(text, stop + 6)
            if low is not None and low[2] and 0xDC00 <= int(low[2], 16) < 0xE000:
                code = 0x10000 + ((code - 0xD800) << 10) + int(low[2], 16) - 0xDC00
                found = low
            elif low is None and _HALF_ESCAPE.fullmatch(text, stop + 6):
                return self._wait_or_fail(text, stop)
        self._fresh.append(chr(code))
        return found.end()

    def _wait_or_fail(self, text: str, start: int) -> int:
        """Keep the escape that begins at ``start`` if the end of the text is all it lacks."""
        position = start + 6 if _ESCAPE.match(text, start) else start
        if _HALF_ESCAPE.fullmatch(text, position):
            self._carry = text[start:]
        else:
            if self._state is _STRING:
                self._update_string()
            self._state = _INVALID
        return len(text)

    def _update_string(self) -> None:
        if not self._fresh:
            return
        more = "".join(self._fresh)
        self._fresh.clear()
        container = self._open[-1]
        text = container[self._key]
        # With no other reference to it CPython makes a string longer in its place; a copy each
        # time would cost as much as the whole string.
        container[self._key] = None
        text += more
        container[self._key] = text

    def _end_atom(self) -> None:
        token = "".join(self._fresh)
        self._fresh.clear()
        try:
            value = loads(token)
        except DecodeError:
            self._state = _INVALID
        else:
            self._place(value)
            self._end_value()

    def _read_mark(self, mark: str) -> int:
        """Take the character that follows between values; return how many were taken."""
        state = self._state
        container = self._open[-1]
        if state is _VALUE or state is _FIRST_ITEM:
            if mark == '"':
                self._place("")
                self._state = _STRING
            elif mark == "{":
                self._enter({}, _FIRST_KEY)
            elif mark == "[":
                self._enter([], _FIRST_ITEM)
            elif mark == "]" and state is _FIRST_ITEM:
                self._leave()
            elif _ATOM_CHARACTERS.fullmatch(mark):
                self._state = _ATOM
                return 0
            else:
                self._state = _INVALID
        elif mark == '"' and state in (_FIRST_KEY, _NEXT_KEY):
            self._state = _KEY
        elif mark == ":" and state is _COLON:
            self._state = _VALUE
        elif mark == "," and state is _AFTER:
            self._state = _VALUE if container.__class__ is list else _NEXT_KEY
        elif (mark == "}" and container.__class__ is dict and state in (_FIRST_KEY, _AFTER)) or (
            mark == "]" and container.__class__ is list and state is _AFTER
        ):
            self._leave()
        else:
            self._state = _INVALID
        return 1

    def _place(self, value: Any) -> None:
        container = self._open[-1]
        if container.__class__ is list:
            self._key = len(container)
            container.append(value)
        else:
            container[self._key] = value

    def _enter(self, container: Any, state: str) -> None:
        self._place(container)
        self._open.append(container)
        self._state = state

    def _leave(self) -> None:
        self._open.pop()
        self._end_value()

    def _end_value(self) -> None:
        self._state = _AFTER if len(self._open) > 1 else _DONE


# What comes next.
_VALUE: Final = "value"
_FIRST_ITEM: Final = "item or ]"
_FIRST_KEY: Final = "key or }"
_NEXT_KEY: Final = "key"
_COLON: Final = "colon"
_AFTER: Final = "comma or end"
_STRING: Final = "rest of a string"
_KEY: Final = "rest of a key"
_ATOM: Final = "rest of a number or literal"
_DONE: Final = "nothing"
_INVALID: Final = "no matter"

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f]*')
_ATOM_CHARACTERS: Final = re.compile(r"[-+.0-9A-Za-z]*")
_ESCAPE: Final = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))')
_HALF_ESCAPE: Final = re.compile(r"(?:\\(?:u[0-9a-fA-F]{0,3})?)?")
_ESCAPES: Final = {
    **{mark: mark for mark in '"\\/'},
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return position if found is None else found.end()
