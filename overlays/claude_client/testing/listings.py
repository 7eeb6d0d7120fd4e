"""Pages of lists in every paging style of the spec, with cursors that stay valid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .cursors import DEFAULT_LIMIT, page_between_ids, read_cursor, write_cursor
from .json_values import is_array

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .records import Record

ID_CURSOR: Final = "id-cursor"
_PAGING: Final = frozenset({"limit", "page", "after_id", "before_id", "order"})
_BOUND: Final = re.compile(r"(\w+)\[(gte?|lte?)\]")


def choose_style(styles: Sequence[str], query: Mapping[str, Any]) -> str | None:
    """Return the style of a request among those of its operation; None for no paging at all."""
    if ID_CURSOR in styles and any(query.get(n) is not None for n in ("after_id", "before_id")):
        return ID_CURSOR
    return styles[0] if styles else None


def page_of(
    records: Sequence[Record], style: str | None, query: Mapping[str, Any]
) -> tuple[list[Record], dict[str, Any]]:
    """Return the records of one page, newest first, and the fields that lead to other pages.

    Raises:
        RefusedError: 400 for a cursor that this list never gave out, and for two cursors.
    """
    listed = sorted(records, key=lambda record: record.number, reverse=True)
    limit: int = query.get("limit") or DEFAULT_LIMIT
    if style is None:
        return listed, {}
    if style == ID_CURSOR:
        part, fields = page_between_ids([record.key for record in listed], limit, query)
        return listed[part], fields
    return _by_token(listed, limit, query)


def passes(record: Record, query: Mapping[str, Any], known: Collection[str]) -> bool:
    """Return whether an object is among those that a query asks for.

    Args:
        record: An object of the list.
        query: Arguments of the request.
        known: Names of all arguments that the list takes.
    """
    value = record.value
    if value.get("archived_at") is not None and query.get("include_archived") is not True:
        return "include_archived" not in known
    for name, wanted in query.items():
        if name in _PAGING or wanted is None:
            continue
        bound = _BOUND.fullmatch(name)
        if bound is not None:
            if not _within(value.get(bound[1]), bound[2], wanted):
                return False
            continue
        plain = name.removesuffix("[]")
        choices = wanted if is_array(wanted) else [wanted]
        for key in (plain, plain.removesuffix("s"), plain.removesuffix("es")):
            if isinstance(value.get(key), (str, int, bool)):
                if value[key] not in choices:
                    return False
                break
    return True


def _within(value: Any, bound: str, wanted: Any) -> bool:
    if value is None or type(value) is not type(wanted):
        return value is not None
    if bound.startswith("g"):
        return bool(value > wanted or (bound == "gte" and value == wanted))
    return bool(value < wanted or (bound == "lte" and value == wanted))


def _by_token(
    listed: list[Record], limit: int, query: Mapping[str, Any]
) -> tuple[list[Record], dict[str, Any]]:
    cursor = query.get("page")
    newer: list[Record] = []
    if cursor is None:
        page, older = listed[:limit], listed[limit:]
    else:
        direction, bound = read_cursor(cursor, "after", "before")
        if direction == "after":
            newer = [record for record in listed if record.number >= bound]
            rest = listed[len(newer) :]
            page, older = rest[:limit], rest[limit:]
        else:
            ahead = [record for record in listed if record.number > bound]
            newer, page = ahead[:-limit], ahead[-limit:]
            older = listed[len(ahead) :]
    following = write_cursor("after", page[-1].number) if page and older else None
    preceding = write_cursor("before", page[0].number) if page and newer else None
    return page, {
        "next_page": following,
        "prev_page": preceding,
        "has_more": following is not None,
    }
