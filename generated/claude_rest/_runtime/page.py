"""Paging through lists: pages, their items, and the page ahead.

Names, where one could be taken for another:

- ``limit`` is an argument of the call: how many items the server puts into a page. ``max_items``
  is how many items an iteration gives out in all.
- ``next_page`` is a field of the answer: the cursor of the page after this one, if the list has
  such cursors. :meth:`Page.get_next_page` fetches that page, whatever the list goes by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .cursors import CURSORS, PageInfo, next_arguments, previous_arguments
from .errors import PaginationError
from .meta import AnswerFacts

if TYPE_CHECKING:
    import asyncio
    import threading
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Generator,
        Iterator,
        Mapping,
    )

    from .meta import Meta

T = TypeVar("T")


class _PageState(AnswerFacts, Generic[T]):
    """What sync and async pages share: the items, and where the next page is."""

    __slots__ = (
        "_arguments",
        "_backward",
        "_depth",
        "_meta",
        "_operation",
        "_seen",
        "_styles",
        "body",
        "data",
    )

    data: list[T]
    """Items of this page."""
    body: dict[str, Any]
    """The page as the server sent it."""

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
        self._meta = meta
        self._styles = styles
        self._arguments = arguments
        self._operation = operation
        # Cursor -> how many pages into the list it leads, shared by all pages of one walk.
        # Fetching the same next page again is fine; the same cursor further on is a loop.
        self._seen: dict[tuple[str, str], int] = {}
        self._depth = 0
        self._backward = False
        for name in CURSORS:
            cursor = arguments.get(name)
            if isinstance(cursor, str):
                self._seen[name, cursor] = 0

    @property
    def meta(self) -> Meta | None:
        """Metadata of the response that brought this page."""
        return self._meta

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
        """Cursor of the next page, in lists paged by cursor; pass it as ``page`` to resume.

        The field of that name in the answer. :meth:`get_next_page` fetches the page itself.
        """
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
        """Arguments of the call that fetches the next page, ``None`` at the end.

        Keep them to resume later: ``client.models.list(**arguments)``. Raises
        :class:`PaginationError` when there is more and the page does not say where.
        """
        try:
            return next_arguments(self._styles, self._arguments, self.body)
        except PaginationError as error:
            error.operation = self._operation
            error.request_id = self.request_id
            raise

    @property
    def previous_arguments(self) -> dict[str, Any] | None:
        """Arguments of the call that fetches the page before; see :meth:`has_previous_page`."""
        return previous_arguments(self._styles, self._arguments, self.body)

    def has_next_page(self) -> bool:
        """Tell whether there is a next page. An empty page may have one.

        Raises what :attr:`next_arguments` does.
        """
        return self.next_arguments is not None

    def next_page_info(self) -> PageInfo | None:
        """Tell where the next page is, ``None`` at the end.

        Raises what :attr:`next_arguments` does.
        """
        following = self.next_arguments
        return None if following is None else PageInfo(following)

    def has_previous_page(self) -> bool:
        """Tell whether this page says where the one before is; only ``prev_page`` does."""
        return self.previous_arguments is not None

    def _step(self, *, backward: bool = False) -> dict[str, Any]:
        """Return the arguments for the page after this one or before it, and note its cursor."""
        following = self.previous_arguments if backward else self.next_arguments
        if following is None:
            what = "previous" if backward else "next"
            raise self._error(f"there is no {what} page; has_{what}_page() tells")
        for name in CURSORS:
            if name in following and backward == self._backward:
                key = (name, str(following[name]))
                if self._seen.setdefault(key, self._depth + 1) != self._depth + 1:
                    raise self._error(
                        f"the server gave the cursor {name}={key[1]!r} a second time, so the "
                        "list would never end"
                    )
        return following

    def _lead_to(self, page: _PageState[T], *, backward: bool = False) -> None:
        """Let ``page`` go on with this page's walk; one that turns round begins anew."""
        if backward == self._backward:
            page._seen = self._seen
            page._depth = self._depth + 1
        page._backward = backward

    def _error(self, message: str) -> PaginationError:
        return PaginationError(message, operation=self._operation, request_id=self.request_id)

    def _leads_on(self) -> bool:
        """Tell whether asking for the next page is worth while; its errors are for later."""
        try:
            return self.has_next_page()
        except PaginationError:
            return False

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

    def get_previous_page(self) -> Page[T]:
        """Fetch the page before, in lists that can be paged both ways.

        Raises :class:`PaginationError` when there is none, or when the server repeats a cursor.
        """
        page = self._fetch(self._step(backward=True))
        self._lead_to(page, backward=True)
        return page

    def pages(self, *, prefetch: bool = False) -> Generator[Page[T], None, None]:
        """Yield this page and all after it; each is fetched when it is asked for.

        With ``prefetch`` the next page, never more than one, is fetched in a thread of its own
        while this one is worked on. What goes wrong with it is raised when its turn comes; when
        the iteration ends before, its answer is dropped.
        """
        return self._walk(None, prefetch)

    def items(
        self, max_items: int | None = None, *, prefetch: bool = False
    ) -> Generator[T, None, None]:
        """Yield the items of this page and of all after it, at most ``max_items``.

        No page is fetched that the limit makes needless, with ``prefetch`` neither; see
        :meth:`pages` for that.
        """
        left = max_items
        if left is not None and left <= 0:
            return
        for page in self._walk(left, prefetch):
            yield from page.data if left is None else page.data[:left]
            if left is not None:
                left -= len(page.data)

    def _walk(self, max_items: int | None, prefetch: bool) -> Generator[Page[T], None, None]:
        page = self
        left = max_items
        while True:
            if left is not None:
                left -= len(page.data)
                if left <= 0:
                    yield page
                    return
            ahead = _Ahead(page) if prefetch and page._leads_on() else None
            yield page
            if not page.has_next_page():
                return
            page = page.get_next_page() if ahead is None else ahead.result()

    iter_pages = pages
    iter_items = items

    def __iter__(self) -> Iterator[T]:
        return self.items()


class _Ahead(Generic[T]):
    """The page after one, being fetched in a thread.

    The thread ends with its request. Nobody waits for it when the page is not wanted any more:
    leaving a loop must not take as long as an answer.
    """

    __slots__ = ("_error", "_found", "_page", "_thread")

    def __init__(self, page: Page[T]) -> None:
        import contextvars
        import threading

        self._page = page
        self._found: Page[T] | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread = threading.Thread(
            target=contextvars.copy_context().run,
            args=(self._run,),
            name="next-page",
            daemon=True,
        )
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found = self._page.get_next_page()
        except BaseException as error:  # noqa: BLE001 - it is raised where the page is wanted
            self._error = error

    def result(self) -> Page[T]:
        """Wait for the page and return it, or raise what its fetching raised."""
        self._thread.join()
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                # The traceback holds this frame, and with it the error.
                del error
        # A fork in between takes the thread away.
        return self._page.get_next_page() if self._found is None else self._found


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

    async def get_previous_page(self) -> AsyncPage[T]:
        """Fetch the page before, in lists that can be paged both ways.

        Raises :class:`PaginationError` when there is none, or when the server repeats a cursor.
        """
        page = await self._fetch(self._step(backward=True))
        self._lead_to(page, backward=True)
        return page

    def pages(self, *, prefetch: bool = False) -> AsyncGenerator[AsyncPage[T], None]:
        """Yield this page and all after it; each is fetched when it is asked for.

        With ``prefetch`` the next page, never more than one, is fetched by a task of its own
        while this one is worked on. What goes wrong with it is raised when its turn comes; when
        the iteration is closed before, the task is cancelled and awaited. It has no effect under
        other event loops than asyncio's.
        """
        return self._walk(None, prefetch)

    async def items(
        self, max_items: int | None = None, *, prefetch: bool = False
    ) -> AsyncGenerator[T, None]:
        """Yield the items of this page and of all after it, at most ``max_items``.

        No page is fetched that the limit makes needless, with ``prefetch`` neither; see
        :meth:`pages` for that.
        """
        left = max_items
        if left is not None and left <= 0:
            return
        walk = self._walk(left, prefetch)
        try:
            async for page in walk:
                for item in page.data if left is None else page.data[:left]:
                    yield item
                if left is not None:
                    left -= len(page.data)
        finally:
            await walk.aclose()

    async def _walk(
        self, max_items: int | None, prefetch: bool
    ) -> AsyncGenerator[AsyncPage[T], None]:
        page = self
        left = max_items
        ahead: asyncio.Task[AsyncPage[T]] | None = None
        try:
            while True:
                if left is not None:
                    left -= len(page.data)
                    if left <= 0:
                        yield page
                        return
                ahead = _task_of(page) if prefetch and page._leads_on() else None
                yield page
                if not page.has_next_page():
                    return
                page = await (page.get_next_page() if ahead is None else ahead)
        finally:
            if ahead is not None:
                await _give_up(ahead)

    iter_pages = pages
    iter_items = items

    def __aiter__(self) -> AsyncIterator[T]:
        return self.items()


def _task_of(page: AsyncPage[T]) -> asyncio.Task[AsyncPage[T]] | None:
    """Return a task that fetches the page after ``page``, ``None`` where asyncio does not run."""
    import asyncio

    try:
        return asyncio.get_running_loop().create_task(page.get_next_page())
    except RuntimeError:
        return None


async def _give_up(task: asyncio.Task[Any]) -> None:
    """End a task; what it raises concerns nobody any more."""
    import asyncio

    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()


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

    async def pages(self, *, prefetch: bool = False) -> AsyncGenerator[AsyncPage[T], None]:
        """Yield every page; each is fetched when it is asked for. See :meth:`AsyncPage.pages`."""
        first = await self._fetch_first()
        pages = first.pages(prefetch=prefetch)
        try:
            async for page in pages:
                yield page
        finally:
            await pages.aclose()

    async def items(
        self, max_items: int | None = None, *, prefetch: bool = False
    ) -> AsyncGenerator[T, None]:
        """Yield the items of all pages, at most ``max_items``. See :meth:`AsyncPage.items`."""
        if max_items is not None and max_items <= 0:
            return
        first = await self._fetch_first()
        items = first.items(max_items, prefetch=prefetch)
        try:
            async for item in items:
                yield item
        finally:
            await items.aclose()

    iter_pages = pages
    iter_items = items

    def __aiter__(self) -> AsyncIterator[T]:
        return self.items()
