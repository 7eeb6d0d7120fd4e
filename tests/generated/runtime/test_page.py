"""Paging: where the next page is, iteration over items and pages, loops of the server."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextvars import ContextVar
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_rest._runtime.errors import PaginationError
from claude_rest._runtime.meta import Meta
from claude_rest._runtime.cursors import next_arguments
from claude_rest._runtime.page import AsyncPage, AsyncPaginator, Page
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
        (ID, {"data": [], "has_more": True, "last_id": None}),
        (REPORT, {"data": [1], "has_more": True, "next_page": None}),
        (FILES, {"data": [1], "has_more": True, "next_page": None}),
    ],
)
def test_more_without_a_cursor_is_an_error(styles: tuple[str, ...], body: dict[str, Any]) -> None:
    with pytest.raises(PaginationError, match="there is more, but gives no"):
        next_arguments(styles, {}, body)

    def fetch(following: dict[str, Any]) -> Page[Any]:
        raise AssertionError

    page = Page(
        body, list(body["data"]), styles=styles, arguments={}, fetch=fetch, operation="x.list"
    )
    assert repr(page) == f"Page({len(page.data)} items, has_next_page=unknown)"
    items = iter(page)
    assert [next(items) for _ in page.data] == page.data
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
        # An empty page is the end unless it says otherwise.
        (ID, {}, ids(more=None), None),
        (ID, {}, ids(more=False), None),
        (ID, {}, {"data": [], "has_more": True, "last_id": "b"}, {"after_id": "b"}),
        (ID, {"before_id": "m"}, {"data": [], "has_more": True, "first_id": "k"}, {"before_id": "k"}),
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


# --- names ----------------------------------------------------------------------------------------


def test_names_of_the_official_sdk() -> None:
    page = Server(TOKEN, three_pages).fetch({"limit": 2, "order": UNSET})
    info = page.next_page_info()
    assert info is not None
    assert (info.params, info.arguments) == ({"page": "p1"}, {"limit": 2, "page": "p1"})
    assert repr(info) == "PageInfo({'page': 'p1'})"
    assert [page.data for page in page.iter_pages()] == [page.data for page in page.pages()]
    assert list(page.iter_items(3)) == list(page.items(max_items=3)) == ITEMS[:3]
    last = page.get_next_page().get_next_page()
    assert last.next_page_info() is None
    assert (page.next_page, last.next_page) == ("p1", None)


def test_each_page_has_its_own_request_id() -> None:
    pages = list(Server(TOKEN, three_pages).fetch({}).pages(prefetch=True))
    assert [page.request_id for page in pages] == ["req_1", "req_2", "req_3"]
    assert [page._request_id for page in pages] == ["req_1", "req_2", "req_3"]
    assert pages[0].organization_id is None
    assert not pages[0].rate_limits
    bare = Page({"data": []}, [], styles=TOKEN, arguments={}, fetch=lambda _: bare)
    assert (bare.meta, bare.request_id, bare.organization_id, bare.rate_limits) == (None,) * 4


def test_both_ways() -> None:
    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        number = int(arguments.get("page", "p0")[1:])
        return {
            "data": [{"id": str(number)}],
            "next_page": f"p{number + 1}" if number < 2 else None,
            "prev_page": f"p{number - 1}" if number > 0 else None,
        }

    server = Server(TWO_WAY, answer)
    last = list(server.fetch({"limit": 1}).pages())[-1]
    middle = last.get_previous_page()
    first = middle.get_previous_page()
    assert (middle.data, first.data) == (["1"], ["0"])
    assert server.calls[-1] == {"limit": 1, "page": "p0"}
    assert not first.has_previous_page()
    with pytest.raises(PaginationError, match="no previous page"):
        first.get_previous_page()
    assert list(first) == ["0", "1", "2"]

    async def run() -> list[str]:
        page = await (await server.fetch_async({"page": "p2"})).get_previous_page()
        return [item async for item in page]

    assert asyncio.run(run()) == ["1", "2"]


def test_a_loop_backwards_is_an_error() -> None:
    page = Server(TWO_WAY, lambda _: {"data": [], "next_page": None, "prev_page": "x"}).fetch({})
    with pytest.raises(PaginationError, match="page='x' a second time"):
        for _ in range(3):
            page = page.get_previous_page()


# --- prefetch -------------------------------------------------------------------------------------


class Gate:
    """A server whose pages after the first wait until they are let through."""

    def __init__(self) -> None:
        self.server = Server(TOKEN, three_pages)
        self.open = threading.Event()
        self.running = 0
        self.most = 0
        self.threads: set[threading.Thread] = set()

    def fetch(self, arguments: dict[str, Any]) -> Page[str]:
        self.running += 1
        self.most = max(self.most, self.running)
        self.threads.add(threading.current_thread())
        if "page" in arguments:
            assert self.open.wait(10)
        self.running -= 1
        return Page(fetch=self.fetch, **self.server.settings(arguments))


def test_a_page_is_fetched_while_the_one_before_is_worked_on() -> None:
    gate = Gate()
    threads = threading.active_count()
    page = gate.fetch({})
    items = page.items(prefetch=True)
    assert threading.active_count() == threads
    # Given out at once, although the next page hangs.
    assert [next(items), next(items)] == ITEMS[:2]
    gate.open.set()
    assert list(items) == ITEMS[2:]
    assert gate.most == 1
    assert len(gate.server.calls) == 3
    assert threading.active_count() == threads


def test_never_more_than_one_page_ahead() -> None:
    server = Server(TOKEN, three_pages)
    pages = server.fetch({}).pages(prefetch=True)
    next(pages)
    sleep(0.05)
    assert len(server.calls) == 2
    next(pages)
    sleep(0.05)
    assert len(server.calls) == 3


@pytest.mark.parametrize(("max_items", "calls"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (99, 3)])
def test_prefetch_fetches_no_needless_page(max_items: int, calls: int) -> None:
    server = Server(TOKEN, three_pages)
    assert list(server.fetch({}).items(max_items, prefetch=True)) == ITEMS[:max_items]
    assert len(server.calls) == calls

    async def run() -> list[str]:
        page = await server.fetch_async({})
        found = [item async for item in page.items(max_items, prefetch=True)]
        await asyncio.sleep(0.01)
        return found

    server.calls.clear()
    assert asyncio.run(run()) == ITEMS[:max_items]
    assert len(server.calls) == calls


def test_leaving_early_waits_for_nothing() -> None:
    gate = Gate()
    for item in gate.fetch({}).items(prefetch=True):
        assert item == "0a"
        break
    gate.open.set()
    for thread in gate.threads - {threading.current_thread()}:
        thread.join(10)
        assert not thread.is_alive()


def broken_second_page(arguments: dict[str, Any]) -> dict[str, Any]:
    if arguments.get("page") == "p1":
        raise ConnectionError("lost")
    return three_pages(arguments)


def test_an_error_ahead_comes_when_its_page_is_reached() -> None:
    server = Server(TOKEN, broken_second_page)
    items = server.fetch({}).items(prefetch=True)
    assert [next(items), next(items)] == ITEMS[:2]
    with pytest.raises(ConnectionError, match="lost"):
        next(items)
    # Nobody reaches it, nobody hears of it.
    assert list(server.fetch({}).items(2, prefetch=True)) == ITEMS[:2]

    async def run() -> None:
        page = await server.fetch_async({})
        items = page.items(prefetch=True)
        assert [await anext(items), await anext(items)] == ITEMS[:2]
        with pytest.raises(ConnectionError, match="lost"):
            await anext(items)
        pages = page.pages(prefetch=True)
        await anext(pages)
        await asyncio.sleep(0.01)
        await pages.aclose()

    asyncio.run(run())


def test_more_without_a_cursor_is_an_error_with_prefetch_too() -> None:
    server = Server(ID, lambda _: {"data": [{"id": "a"}], "has_more": True, "last_id": None})
    items = server.fetch({}).items(prefetch=True)
    assert next(items) == "a"
    with pytest.raises(PaginationError):
        next(items)


def test_context_variables_reach_the_thread() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="none")
    found: list[str] = []

    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        found.append(variable.get())
        return three_pages(arguments)

    page = Server(TOKEN, answer).fetch({})
    variable.set("mine")
    assert list(page.items(prefetch=True)) == ITEMS
    assert found == ["none", "mine", "mine"]


@pytest.mark.parametrize("how", ["close", "break", "cancel", "paginator"])
def test_the_task_of_an_abandoned_page_is_gone(how: str) -> None:
    ended: list[str] = []

    async def run() -> None:
        server = Server(TOKEN, three_pages)

        async def fetch(arguments: dict[str, Any]) -> AsyncPage[str]:
            if "page" in arguments:
                try:
                    await asyncio.sleep(10)
                finally:
                    ended.append("ended")
            return AsyncPage(fetch=fetch, **server.settings(arguments))

        first = await fetch({})
        if how == "close":
            items = first.items(prefetch=True)
            assert await anext(items) == "0a"
            await asyncio.sleep(0)
            await items.aclose()
        elif how == "paginator":
            items = AsyncPaginator(lambda: fetch({})).items(prefetch=True)
            assert await anext(items) == "0a"
            await asyncio.sleep(0)
            await items.aclose()
        elif how == "break":
            async for _ in first.items(prefetch=True):
                await asyncio.sleep(0)
                break
            gc.collect()
            # The event loop ends what was collected when it gets to it.
            for _ in range(500):
                if ended and asyncio.all_tasks() == {asyncio.current_task()}:
                    break
                await asyncio.sleep(0.01)
        else:

            async def read() -> None:
                async for _ in first.items(prefetch=True):
                    pass

            reader = asyncio.ensure_future(read())
            await asyncio.sleep(0.01)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
        assert ended == ["ended"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_prefetch_is_left_out_under_another_event_loop() -> None:
    server = Server(TOKEN, three_pages)

    async def fetch(arguments: dict[str, Any]) -> AsyncPage[str]:
        return AsyncPage(fetch=fetch, **server.settings(arguments))

    async def run() -> list[str]:
        page = await fetch({})
        return [item async for item in page.items(prefetch=True)]

    # Driven by hand: no loop runs, and nothing in it waits.
    with pytest.raises(StopIteration) as done:
        run().send(None)
    assert done.value.value == ITEMS


# --- every style ----------------------------------------------------------------------------------


def answer_in(style: str, sizes: list[int]) -> tuple[Server, dict[str, Any], list[str]]:
    """Return a server of pages of these sizes, how to start, and all items in order."""
    pages = [[f"{number}-{item}" for item in range(size)] for number, size in enumerate(sizes)]
    if style in ("id-cursor", "backward"):
        # Lists paged by id have no empty pages but the last.
        pages = [page for page in pages if page]
    pages = pages or [[]]
    last = len(pages) - 1

    def answer(arguments: dict[str, Any]) -> dict[str, Any]:
        if style in ("id-cursor", "backward"):
            cursor = arguments.get("before_id" if style == "backward" else "after_id", "start")
            number = 0 if cursor == "start" else int(cursor.partition("-")[0]) + 1
            found = [int(page[0].partition("-")[0]) if page else 0 for page in pages]
            place = 0 if cursor == "start" else found.index(number - 1) + 1
            return ids(*pages[place], more=place < last)
        number = int(arguments.get("page", "0"))
        following = None if number == last else str(number + 1)
        body: dict[str, Any] = {"data": [{"id": name} for name in pages[number]]}
        body["next_page"] = following
        if style == "report-cursor":
            body["has_more"] = number < last
        if style == "two-way-cursor":
            body["prev_page"] = str(number - 1) if number else None
        return body

    styles = ("id-cursor",) if style == "backward" else (style,)
    start = {"before_id": "start"} if style == "backward" else {}
    return Server(styles, answer), start, [item for page in pages for item in page]


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.integers(0, 4), max_size=7),
    st.sampled_from(
        ["id-cursor", "backward", "token-cursor", "two-way-cursor", "report-cursor"],
    ),
    st.none() | st.integers(0, 12),
    st.booleans(),
)
def test_every_item_once_and_in_order(
    sizes: list[int], style: str, max_items: int | None, prefetch: bool
) -> None:
    server, start, expected = answer_in(style, sizes)
    wanted = expected[:max_items]
    assert list(server.fetch(start).items(max_items, prefetch=prefetch)) == wanted
    calls = server.calls[:]
    by_page = [page.data for page in server.fetch(start).pages(prefetch=prefetch)]
    assert [item for data in by_page for item in data] == expected

    async def run() -> list[str]:
        listing = AsyncPaginator(lambda: server.fetch_async(start))
        found = [item async for item in listing.items(max_items, prefetch=prefetch)]
        pages = [page.data async for page in listing.pages(prefetch=prefetch)]
        assert pages == by_page
        return found

    server.calls.clear()
    assert asyncio.run(run()) == wanted
    if max_items != 0:
        assert server.calls[: len(calls)] == calls
