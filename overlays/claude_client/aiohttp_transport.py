"""The transport over aiohttp, for programs on asyncio that have much in flight at once.

It behaves as the one over httpx: the same headers go out, the same errors with the same phases
come back, redirects stay within the origin, the proxies of the environment are read by the same
rules. What differs is the cost.

Loads aiohttp with the first request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

    from claude_rest._runtime.request import PreparedRequest

    from .aiohttp_exchange import AiohttpSender
    from .transports import AsyncResponse


class AiohttpTransport:
    """Sends over aiohttp. Loads it, and makes a session, with the first request.

    For asyncio, with its own loop or that of uvloop; there is no synchronous twin.
    """

    __slots__ = ("_made", "_session")

    def __init__(self, session: aiohttp.ClientSession | None = None) -> None:
        """Use ``session``, which stays yours to close, or sessions made when needed.

        The timeout of yours holds for calls that have none, unless it is that of aiohttp itself.
        """
        self._session = session
        self._made: dict[str, AiohttpSender] = {}

    async def send(
        self,
        prepared: PreparedRequest,
        *,
        timeout: Any,
        attempt: int,
        deadline: float | None = None,
    ) -> AsyncResponse:
        """Send once; see :meth:`Transport.send`."""
        return await self._loaded().send(
            prepared, timeout=timeout, attempt=attempt, deadline=deadline
        )

    async def close(self) -> None:
        """Close the sessions made here; requests raise ``ClosedClientError`` afterwards."""
        await self._loaded().close()

    def _loaded(self) -> AiohttpSender:
        sender = self._made.get("sender")
        if sender is None:
            from .aiohttp_exchange import AiohttpSender

            # One step, so that threads that come first at once end up with the same one.
            sender = self._made.setdefault("sender", AiohttpSender(self._session))
        return sender
