"""Where the next page of a list is, and the one before: all paging styles in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import PaginationError
from .unset import UNSET

if TYPE_CHECKING:
    from collections.abc import Mapping

CURSORS = ("after_id", "before_id", "page")


def next_arguments(
    styles: tuple[str, ...], arguments: Mapping[str, Any], body: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the arguments of the call for the page after ``body``, or ``None`` at the end.

    ``styles`` are those the operation may answer in (spec: ``x-pagination``); which one this page
    has is told by its fields. All arguments but the cursor stay as they are.

    - ``token-cursor``, ``two-way-cursor``: ends when ``next_page`` is null or absent. An empty
      page with a cursor is not the end.
    - ``report-cursor``: the same, and ends when ``has_more`` is false.
    - ``id-cursor``: ends when ``has_more`` is false, or ``data`` is empty and ``has_more`` is not
      true. A call that began with ``before_id`` goes on towards the newer end, by the first id of
      each page.

    Raises :class:`PaginationError` when ``has_more`` is true and the cursor is null: taking that
    for the end would lose items without a word.
    """
    if any(style != "id-cursor" for style in styles) and "next_page" in body:
        cursor = body["next_page"]
        if cursor is None or cursor == "":
            _check_end(body, "next_page")
            return None
        if "report-cursor" in styles and body.get("has_more") is False:
            return None
        return _with_cursor(arguments, "page", cursor)
    if "id-cursor" in styles:
        more = body.get("has_more")
        if more is False or (more is not True and not body.get("data")):
            return None
        backward = arguments.get("before_id", UNSET) not in (None, UNSET)
        name = "first_id" if backward else "last_id"
        cursor = body.get(name)
        if cursor is None or cursor == "":
            _check_end(body, name)
            return None
        return _with_cursor(arguments, "before_id" if backward else "after_id", cursor)
    return None


def previous_arguments(
    styles: tuple[str, ...], arguments: Mapping[str, Any], body: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the arguments of the call for the page before ``body``, or ``None`` if there is none.

    Only pages of a ``two-way-cursor`` say where the one before is (``prev_page``). A list paged
    by id goes backwards from the start: call it with ``before_id``.
    """
    cursor = body.get("prev_page") if "two-way-cursor" in styles else None
    if cursor is None or cursor == "":
        return None
    return _with_cursor(arguments, "page", cursor)


def _check_end(body: Mapping[str, Any], name: str) -> None:
    if body.get("has_more") is True:
        raise PaginationError(f"the server says that there is more, but gives no {name} to go on")


def _with_cursor(arguments: Mapping[str, Any], name: str, cursor: object) -> dict[str, Any]:
    following = {
        key: value for key, value in arguments.items() if key not in CURSORS and value is not UNSET
    }
    following[name] = cursor
    return following


class PageInfo:
    """Where the next page is: what :meth:`Page.next_page_info` returns."""

    __slots__ = ("arguments", "params")

    params: dict[str, Any]
    """The cursor alone, as it goes into the query: ``{"after_id": "…"}`` or ``{"page": "…"}``."""
    arguments: dict[str, Any]
    """All arguments of the call; the same as :attr:`Page.next_arguments`."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        """Take the arguments of the call for the page."""
        self.arguments = arguments
        self.params = {name: arguments[name] for name in CURSORS if name in arguments}

    def __repr__(self) -> str:
        return f"PageInfo({self.params})"
