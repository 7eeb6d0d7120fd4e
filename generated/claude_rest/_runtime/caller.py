"""The seam between generated methods and what carries them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from .operation import Operation
    from .page import AsyncPaginator, Page
    from .stream import AsyncStream, Stream
    from .timeouts import Timeout
    from .transfer import ProgressInput
    from .unset import Unset


class CallOptions(TypedDict, total=False):
    """Keyword arguments that say how a call is made, whatever it sends."""

    betas: Sequence[str]
    """Flags to add to ``anthropic-beta``. Where flags are derived, ``-flag`` takes one out, and
    ``extra_headers={"anthropic-beta": UNSET}`` all of them."""
    api_version: str
    """Value of ``anthropic-version``; else the newest one that accepts the arguments."""
    timeout: float | Timeout | httpx.Timeout | None
    """Seconds for each phase of an attempt, or limits by phase; ``None`` waits forever."""
    max_retries: int
    """Attempts after the first one; the low-level client never retries."""
    extra_headers: Mapping[str, str | Unset]
    """Headers that win over all others; ``UNSET`` removes one."""
    extra_query: Mapping[str, object]
    """Query parameters to add."""
    extra_body: Mapping[str, object]
    """Fields to add to the body, over what the arguments say."""
    check_sizes: bool
    """Whether a body larger than the operation takes is refused unsent; true unless set."""
    include_pings: bool
    """Whether pings of a stream come out, as ``Unknown("ping", …)``; false unless set."""
    derive_betas: bool
    """Whether the operation and arguments that need a beta flag add it; true unless set. The
    low-level client adds those of the operation, always."""
    auto_stream: bool
    """Whether a message that may take long is streamed under the hood; the low-level client
    never does."""


class OptionsBesideWorkspace(CallOptions, total=False):
    """Options of a method that has an argument ``workspace_id`` of its own."""

    progress: ProgressInput
    """What is told how much of the files of a request is sent: a function that takes a
    ``Transfer``; ``True`` shows a bar on the terminal, where there is what draws one."""
    check_paths: bool
    """Whether files of a skill whose paths lead out of its folder, such as ``../x``, are refused
    unsent; true unless set. The low-level client never looks."""


class RequestOptions(OptionsBesideWorkspace, total=False):
    """Keyword arguments that every method takes besides its own."""

    workspace_id: str
    """Value of ``anthropic-workspace-id``, for credentials that reach several workspaces."""


class Caller(Protocol):
    """Carries out operations; the low-level client is one, the overlay client another.

    ``arguments`` maps argument names to values: missing or ``UNSET`` means not given, ``None``
    an explicit null. ``via_beta`` tells that the call came through ``client.beta``.
    """

    def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool,
    ) -> Any:
        """Send the request and return the decoded answer."""
        ...

    def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool,
    ) -> Stream[Any]:
        """Send the request and return the open stream of its answer."""
        ...

    def paginate(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool,
    ) -> Page[Any]:
        """Send the request and return the first page."""
        ...


class AsyncCaller(Protocol):
    """Asynchronous twin of :class:`Caller`."""

    async def call(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool,
    ) -> Any:
        """Send the request and return the decoded answer."""
        ...

    async def stream(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool,
    ) -> AsyncStream[Any]:
        """Send the request and return the open stream of its answer."""
        ...

    def paginate(
        self,
        operation: Operation,
        arguments: dict[str, Any],
        options: RequestOptions,
        via_beta: bool,
    ) -> AsyncPaginator[Any]:
        """Return what awaits to the first page and iterates over the items of all."""
        ...
