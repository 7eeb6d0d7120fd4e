"""Paging: where the next page is, iteration over items and pages, loops of the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_rest._runtime.errors import PaginationError
from claude_rest._runtime.meta import Meta
from claude_rest._runtime.page import AsyncPage, AsyncPaginator, Page, next_arguments
from claude_rest._runtime.unset import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable

ID = ("id-cursor",)
TOKEN = ("token-cursor",)
TWO_WAY = ("two-way-cursor",)
REPORT = ("report-cursor",)
FILES = ("token-cursor", "id-cursor")


def ids(*names: str, more: bool | None = True) -> dict[str, Any]:
    body: dict[str, Any] = {
        "data": [{"id": name} for name in names],
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }
    if more is not None:
        body["has_more"] = more
    return body


@pytest.mark.parametrize(
    ("styles", "body"),
    [
        (ID, {"data": [1], "has_more": True, "last_id": None}),
        (ID, {"data": [1], "has_more": True, "last_id": ""}),
        (REPORT, {"data": [1], "has_more": True, "next_page": None}),
        (FILES, {"data": [1], "has_more": True, "next_page": None}),
    ],
)
def test_more_without_a_cursor_is_an_error(styles: tuple[str, ...], body: dict[str, Any]) -> None:
    with pytest.raises(PaginationError, match="there is more, but gives no"):
        next_arguments(styles, {}, body)

    def fetch(following: dict[str, Any]) -> Page[Any]:
        raise AssertionError

    page = Page(body, [1], styles=styles, arguments={}, fetch=fetch, operation="x.list")
    assert repr(page) == "Page(1 items, has_next_page=unknown)"
    items = iter(page)
    assert next(items) == 1
    with pytest.raises(PaginationError) as caught:
        next(items)
    assert caught.value.operation == "x.list"


@pytest.mark.parametrize(
    ("styles", "arguments", "body", "following"),
    [
        (ID, {"limit": 2}, ids("a", "b"), {"limit": 2, "after_id": "b"}),
        (ID, {"limit": 2, "after_id": "b"}, ids("c"), {"limit": 2, "after_id": "c"}),
        (ID, {"before_id": "m"}, ids("k", "l"), {"before_id": "k"}),
        (ID, {"before_id": UNSET, "after_id": None}, ids("a"), {"after_id": "a"}),
        (ID, {}, ids("a", more=False), None),
        (ID, {}, ids("a", more=None), {"after_id": "a"}),
        (ID, {}, ids(), None),
        (ID, {}, {}, None),
        (TOKEN, {"limit": 5}, {"data": [1], "next_page": "p2"}, {"limit": 5, "page": "p2"}),
        (TOKEN, {"page": "p2"}, {"data": [], "next_page": "p3"}, {"page": "p3"}),
        (TOKEN, {}, {"data": [1], "next_page": None}, None),
        (TOKEN, {}, {"data": [1], "next_page": ""}, None),
        (TOKEN, {}, {"data": [1]}, None),
        (TWO_WAY, {}, {"data": [1], "next_page": "n", "prev_page": "p"}, {"page": "n"}),
        (TWO_WAY, {"page": "n"}, {"data": [1], "next_page": None, "prev_page": "p"}, None),
        (REPORT, {}, {"data": [], "has_more": True, "next_page": "r"}, {"page": "r"}),
        (REPORT, {}, {"data": [1], "has_more": False, "next_page": "r"}, None),
        # A flag chooses the style of this one; the fields of the page tell which.
        (FILES, {}, {"data": [1], "next_page": "t"}, {"page": "t"}),
        (FILES, {}, {"data": [1], "next_page": None}, None),
        (FILES, {}, ids("a", "b"), {"after_id": "b"}),
        ((), {}, {"data": [1], "next_page": "t", "has_more": True, "last_id": "x"}, None),
    ],
)
def test_next_arguments(
    styles: tuple[str, ...],
    arguments: dict[str, Any],
    body: dict[str, Any],
    following: dict[str, Any] | None,
) -> None:
    before = dict(arguments)
    assert next_arguments(styles, arguments, body) == following
    assert arguments == before


class Server:
    """Answers list calls from a function of the arguments, and counts them."""

    def __init__(self, styles: tuple[str, ...], answer: Callable[[dict[str, Any]], Any]) -> None:
        self.styles = styles
        self.answer = answer
        self.calls: list[dict[str, Any]] = []

    def settings(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(arguments)
        body = self.answer(arguments)
        return {
            "body": body,
            "data": [item["id"] for item in body["data"]],
            "styles": self.styles,
            "arguments": arguments,
            "operation": "things.list",
            "meta": Meta(status_code=200, headers={"request-id": f"req_{len(self.calls)}"}),
        }

    def fetch(self, arguments: dict[str, Any]) -> Page[str]:
        return Page(fetch=self.fetch, **self.settings(arguments))

    async def fetch_async(self, arguments: dict[str, Any]) -> AsyncPage[str]:
        await asyncio.sleep(0)
        return AsyncPage(fetch=self.fetch_async, **self.settings(arguments))


def three_pages(arguments: dict[str, Any]) -> dict[str, Any]:
    number = int(arguments.get("page", "p0")[1:])
    following = f"p{number + 1}" if number < 2 else None
    return {"data": [{"id": f"{number}{letter}"} for letter in "ab"], "next_page": following}


ITEMS = ["0a", "0b", "1a", "1b", "2a", "2b"]


def test_iterates_over_items_pages_and_one_by_one() -> None:
    server = Server(TOKEN, three_pages)
    page = server.fetch({"limit": 2})
    assert list(page) == ITEMS
    assert [page.data for page in page.iter_pages()] == [ITEMS[:2], ITEMS[2:4], ITEMS[4:]]
    second = page.get_next_page()
    assert (second.data, second.request_id, second.next_page) == (["1a", "1b"], "req_6", "p2")
    assert second.has_next_page()
    third = second.get_next_page()
    assert not third.has_next_page()
    with pytest.raises(PaginationError, match="no next page"):
        third.get_next_page()
    assert server.calls[-1] == {"limit": 2, "page": "p2"}
    # Pages may be fetched again.
    assert page.get_next_page().data == second.data
    assert list(second) == ITEMS[2:]


@pytest.mark.parametrize(
    ("max_items", "calls"), [(0, 1), (1, 1), (2, 1), (3, 2), (6, 3), (99, 3), (None, 3), (-1, 1)]
)
def test_max_items_fetches_no_needless_page(max_items: int | None, calls: int) -> None:
    server = Server(TOKEN, three_pages)
    expected = ITEMS if max_items is None else ITEMS[: max(max_items, 0)]
    assert list(server.fetch({}).iter_items(max_items)) == expected
    assert len(server.calls) == calls

    async def run() -> list[str]:
        page = await server.fetch_async({})
        return [item async for item in page.iter_items(max_items)]

    server.calls.clear()
    assert asyncio.run(run()) == expected
    assert len(server.calls) == calls


def test_resumes_from_the_arguments_of_a_page() -> None:
    server = Server(TOKEN, three_pages)
    saved = server.fetch({"limit": 2}).next_arguments
    assert saved == {"limit": 2, "page": "p1"}
    assert list(server.fetch(saved)) == ITEMS[2:]


def test_backwards_by_id() -> None:
    names = [f"{number:02}" for number in range(10)]

    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        end = names.index(arguments["before_id"])
        chosen = names[max(end - 3, 0) : end]
        return ids(*chosen, more=end > 3)

    page = Server(ID, answer).fetch({"before_id": "09", "limit": 3})
    assert [item for page in page.iter_pages() for item in reversed(page.data)] == [
        *reversed(names[:9])
    ]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_loop_of_cursors_is_an_error(length: int) -> None:
    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        number = int(arguments.get("page", "p0")[1:])
        return {"data": [{"id": "x"}], "next_page": f"p{number % length + 1}"}

    server = Server(TOKEN, answer)
    with pytest.raises(PaginationError, match=r"things\.list: .*page='p1' a second time") as caught:
        list(server.fetch({}))
    assert caught.value.request_id is not None
    assert len(server.calls) == length + 1

    async def run() -> list[str]:
        return [item async for item in await server.fetch_async({})]

    with pytest.raises(PaginationError):
        asyncio.run(run())

    page = server.fetch({})
    with pytest.raises(PaginationError):
        while page.has_next_page():
            page = page.get_next_page()


def test_the_cursor_it_began_with_counts() -> None:
    server = Server(TOKEN, lambda arguments: {"data": [], "next_page": "mine"})
    with pytest.raises(PaginationError, match="mine"):
        list(server.fetch({"page": "mine"}))


def test_async_paginator() -> None:
    server = Server(TOKEN, three_pages)

    async def run() -> None:
        listing = AsyncPaginator(lambda: server.fetch_async({"limit": 2}))
        assert server.calls == []
        assert (await listing).data == ITEMS[:2]
        assert [item async for item in listing] == ITEMS
        assert [page.data async for page in listing.iter_pages()][2] == ITEMS[4:]
        assert [item async for item in listing.iter_items(3)] == ITEMS[:3]
        assert [item async for item in listing.iter_items(0)] == []
        first = await listing
        second = await first.get_next_page()
        assert [item async for item in second] == ITEMS[2:]

    asyncio.run(run())


def test_facts_of_a_page() -> None:
    page = Server(ID, lambda arguments: ids("a", "b", more=False)).fetch({})
    assert (page.has_more, page.first_id, page.last_id) == (False, "a", "b")
    assert (page.next_page, page.prev_page) == (None, None)
    assert page.body["data"] == [{"id": "a"}, {"id": "b"}]
    assert repr(page) == "Page(2 items, has_next_page=False)"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=8), st.sampled_from([TOKEN, REPORT, TWO_WAY]))
def test_each_item_comes_once_whatever_the_sizes(sizes: list[int], styles: tuple[str, ...]) -> None:
    pages: list[list[dict[str, str]]] = [
        [{"id": f"{number}-{item}"} for item in range(size)] for number, size in enumerate(sizes)
    ] or [[]]

    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        number = int(arguments.get("page", "0"))
        last = number == len(pages) - 1
        following = None if last else str(number + 1)
        return {"data": pages[number], "next_page": following, "has_more": not last}

    expected = [item["id"] for page in pages for item in page]
    server = Server(styles, answer)
    assert list(server.fetch({})) == expected

    async def run() -> list[str]:
        return [item async for item in await server.fetch_async({})]

    assert asyncio.run(run()) == expected
