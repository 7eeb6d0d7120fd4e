"""Paging through lists: where the next page is, and the pages themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import PaginationError
from .unset import UNSET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping

    from .meta import Meta

T = TypeVar("T")

_CURSORS = ("after_id", "before_id", "page")


def next_arguments(
    styles: tuple[str, ...], arguments: Mapping[str, Any], body: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Return the arguments of the call for the page after ``body``, or ``None`` at the end.

    ``styles`` are those the operation may answer in (spec: ``x-pagination``); which one this page
    has is told by its fields. All arguments but the cursor stay as they are.

    - ``token-cursor``, ``two-way-cursor``: ends when ``next_page`` is null or absent. An empty
      page with a cursor is not the end.
    - ``report-cursor``: the same, and ends when ``has_more`` is false.
    - ``id-cursor``: ends when ``has_more`` is false or ``data`` is empty. A call that began with
      ``before_id`` goes on towards the newer end, by the first id of each page.

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
        if body.get("has_more") is False or not body.get("data"):
            return None
        backward = arguments.get("before_id", UNSET) not in (None, UNSET)
        name = "first_id" if backward else "last_id"
        cursor = body.get(name)
        if cursor is None or cursor == "":
            _check_end(body, name)
            return None
        return _with_cursor(arguments, "before_id" if backward else "after_id", cursor)
    return None


def _check_end(body: Mapping[str, Any], name: str) -> None:
    if body.get("has_more") is True:
        raise PaginationError(f"the server says that there is more, but gives no {name} to go on")


def _with_cursor(arguments: Mapping[str, Any], name: str, cursor: object) -> dict[str, Any]:
    following = {key: value for key, value in arguments.items() if key not in _CURSORS}
    following[name] = cursor
    return following


class _PageState(Generic[T]):
    """What sync and async pages share: the items, and where the next page is."""

    __slots__ = ("_arguments", "_depth", "_operation", "_seen", "_styles", "body", "data", "meta")

    data: list[T]
    """Items of this page."""
    body: dict[str, Any]
    """The page as the server sent it."""
    meta: Meta | None
    """Metadata of the response that brought this page."""

    def __init__(
        self,
        body: dict[str, Any],
        data: list[T],
        *,
        styles: tuple[str, ...],
        arguments: Mapping[str, Any],
        operation: str | None = None,
        meta: Meta | None = None,
    ) -> None:
        self.body = body
        self.data = data
        self.meta = meta
        self._styles = styles
        self._arguments = arguments
        self._operation = operation
        # Cursor -> how many pages into the list it leads, shared by all pages of one walk.
        # Fetching the same next page again is fine; the same cursor further on is a loop.
        self._seen: dict[tuple[str, str], int] = {}
        self._depth = 0
        for name in _CURSORS:
            cursor = arguments.get(name)
            if isinstance(cursor, str):
                self._seen[name, cursor] = 0

    @property
    def request_id(self) -> str | None:
        """Id of the request that brought this page."""
        return None if self.meta is None else self.meta.request_id

    @property
    def has_more(self) -> bool | None:
        """``has_more`` as sent; :meth:`has_next_page` holds for every paging style."""
        value = self.body.get("has_more")
        return value if isinstance(value, bool) else None

    @property
    def first_id(self) -> str | None:
        """Id of the first item, in lists paged by id."""
        return self._text("first_id")

    @property
    def last_id(self) -> str | None:
        """Id of the last item, in lists paged by id."""
        return self._text("last_id")

    @property
    def next_page(self) -> str | None:
        """Cursor of the next page, in lists paged by cursor; pass it as ``page`` to resume."""
        return self._text("next_page")

    @property
    def prev_page(self) -> str | None:
        """Cursor of the page before, in lists that can be paged both ways."""
        return self._text("prev_page")

    def _text(self, name: str) -> str | None:
        value = self.body.get(name)
        return value if isinstance(value, str) else None

    @property
    def next_arguments(self) -> dict[str, Any] | None:
        """Arguments of the call that fetches the next page; keep them to resume later.

        Raises :class:`PaginationError` when there is more and the page does not say where.
        """
        try:
            return next_arguments(self._styles, self._arguments, self.body)
        except PaginationError as error:
            error.operation = self._operation
            error.request_id = self.request_id
            raise

    def has_next_page(self) -> bool:
        """Tell whether there is a next page. An empty page may have one.

        Raises what :attr:`next_arguments` does.
        """
        return self.next_arguments is not None

    def _step(self) -> dict[str, Any]:
        following = self.next_arguments
        if following is None:
            raise PaginationError(
                "there is no next page; has_next_page() tells",
                operation=self._operation,
                request_id=self.request_id,
            )
        for name in _CURSORS:
            if name in following:
                key = (name, str(following[name]))
                if self._seen.setdefault(key, self._depth + 1) != self._depth + 1:
                    raise PaginationError(
                        f"the server gave the cursor {name}={key[1]!r} a second time, so the "
                        "list would never end",
                        operation=self._operation,
                        request_id=self.request_id,
                    )
        return following

    def _lead_to(self, page: _PageState[T]) -> None:
        page._seen = self._seen
        page._depth = self._depth + 1

    def __repr__(self) -> str:
        try:
            more: object = self.has_next_page()
        except PaginationError:
            more = "unknown"
        return f"{type(self).__name__}({len(self.data)} items, has_next_page={more})"


class Page(_PageState[T]):
    """One page of a list. Iterating over it gives the items of this page and of all after it."""

    __slots__ = ("_fetch",)

    def __init__(
        self,
        body: dict[str, Any],
        data: list[T],
        *,
        styles: tuple[str, ...],
        arguments: Mapping[str, Any],
        fetch: Callable[[dict[str, Any]], Page[T]],
        operation: str | None = None,
        meta: Meta | None = None,
    ) -> None:
        """Make a page.

        ``data`` holds the decoded items of ``body``; ``fetch`` sends the same call with other
        arguments.
        """
        super().__init__(
            body, data, styles=styles, arguments=arguments, operation=operation, meta=meta
        )
        self._fetch = fetch

    def get_next_page(self) -> Page[T]:
        """Fetch the next page.

        Raises :class:`PaginationError` when there is none, or when the server repeats a cursor.
        """
        page = self._fetch(self._step())
        self._lead_to(page)
        return page

    def iter_pages(self) -> Iterator[Page[T]]:
        """Yield this page and all after it; each is fetched when it is asked for."""
        page = self
        yield page
        while page.has_next_page():
            page = page.get_next_page()
            yield page

    def iter_items(self, max_items: int | None = None) -> Iterator[T]:
        """Yield the items of this page and of all after it, at most ``max_items``.

        No page is fetched that the limit makes needless.
        """
        if max_items is not None and max_items <= 0:
            return
        left = max_items
        for page in self.iter_pages():
            for item in page.data:
                yield item
                if left is not None:
                    left -= 1
                    if left == 0:
                        return

    def __iter__(self) -> Iterator[T]:
        return self.iter_items()


class AsyncPage(_PageState[T]):
    """Asynchronous twin of :class:`Page`."""

    __slots__ = ("_fetch",)

    def __init__(
        self,
        body: dict[str, Any],
        data: list[T],
        *,
        styles: tuple[str, ...],
        arguments: Mapping[str, Any],
        fetch: Callable[[dict[str, Any]], Awaitable[AsyncPage[T]]],
        operation: str | None = None,
        meta: Meta | None = None,
    ) -> None:
        """Make a page.

        ``data`` holds the decoded items of ``body``; ``fetch`` sends the same call with other
        arguments.
        """
        super().__init__(
            body, data, styles=styles, arguments=arguments, operation=operation, meta=meta
        )
        self._fetch = fetch

    async def get_next_page(self) -> AsyncPage[T]:
        """Fetch the next page.

        Raises :class:`PaginationError` when there is none, or when the server repeats a cursor.
        """
        page = await self._fetch(self._step())
        self._lead_to(page)
        return page

    async def iter_pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Yield this page and all after it; each is fetched when it is asked for."""
        page = self
        yield page
        while page.has_next_page():
            page = await page.get_next_page()
            yield page

    async def iter_items(self, max_items: int | None = None) -> AsyncIterator[T]:
        """Yield the items of this page and of all after it, at most ``max_items``.

        No page is fetched that the limit makes needless.
        """
        if max_items is not None and max_items <= 0:
            return
        left = max_items
        async for page in self.iter_pages():
            for item in page.data:
                yield item
                if left is not None:
                    left -= 1
                    if left == 0:
                        return

    def __aiter__(self) -> AsyncIterator[T]:
        return self.iter_items()


class AsyncPaginator(Generic[T]):
    """A list that has not been asked for yet.

    ``await`` it for the first page, or iterate over it with ``async for`` for all items. Each of
    these fetches anew.
    """

    __slots__ = ("_fetch_first",)

    def __init__(self, fetch_first: Callable[[], Awaitable[AsyncPage[T]]]) -> None:
        """Take what fetches the first page."""
        self._fetch_first = fetch_first

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:
        return self._fetch_first().__await__()

    async def iter_pages(self) -> AsyncIterator[AsyncPage[T]]:
        """Yield every page; each is fetched when it is asked for."""
        first = await self._fetch_first()
        async for page in first.iter_pages():
            yield page

    async def iter_items(self, max_items: int | None = None) -> AsyncIterator[T]:
        """Yield the items of all pages, at most ``max_items``."""
        if max_items is not None and max_items <= 0:
            return
        first = await self._fetch_first()
        async for item in first.iter_items(max_items):
            yield item

    def __aiter__(self) -> AsyncIterator[T]:
        return self.iter_items()
