"""Where a page of a list begins and ends, and the cursors that lead there."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from .exchange import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_LIMIT: Final = 20
_START: Final = "page_"


def page_between_ids(
    keys: Sequence[str], limit: int, query: Mapping[str, Any]
) -> tuple[slice, dict[str, Any]]:
    """Return which part of a list is the page, and its fields (pagination style id-cursor).

    Args:
        keys: IDs of the whole list, in its order.
        limit: Most entries of a page.
        query: Arguments of the request.

    Raises:
        RefusedError: 400 for two cursors, or one that names nothing in the list.
    """
    after, before = query.get("after_id"), query.get("before_id")
    if after is not None and before is not None:
        raise RefusedError(400, "before_id: not together with after_id")
    places = {key: place for place, key in enumerate(keys)}
    for name, cursor in (("after_id", after), ("before_id", before)):
        if cursor is not None and cursor not in places:
            raise RefusedError(400, f"{name}: nothing in the list has this ID")
    if before is not None:
        end = places[before]
        start = max(0, end - limit)
        more = start > 0
    else:
        start = 0 if after is None else places[after] + 1
        end = start + limit
        more = end < len(keys)
    page = keys[start:end]
    first, last = (page[0], page[-1]) if page else (None, None)
    return slice(start, end), {"has_more": more, "first_id": first, "last_id": last}


def write_cursor(direction: str, number: int) -> str:
    """Return the cursor to what comes ``after`` or ``before`` the object of a number."""
    return _START + base64.urlsafe_b64encode(f"{direction}:{number}".encode()).decode().rstrip("=")


def read_cursor(cursor: str, *directions: str) -> tuple[str, int]:
    """Return direction and number of a cursor that leads one of the ``directions``.

    Raises:
        RefusedError: 400 for a cursor that was never given out.
    """
    text = cursor.removeprefix(_START)
    try:
        decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        direction, _, number = decoded.decode("ascii").partition(":")
        if cursor.startswith(_START) and direction in directions:
            return direction, int(number)
    except (binascii.Error, ValueError):
        pass
    raise RefusedError(400, "page: not a cursor of this list")
