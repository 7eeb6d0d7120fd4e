"""What the clients offer around and below their resources. Nothing of it is loaded before use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from .resources import AsyncOverlayResources, OverlayResources

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec

    from .explain import Explanation
    from .raw_verbs import (
        AsyncClientWithRawResponse,
        AsyncClientWithStreamingResponse,
        ClientWithRawResponse,
        ClientWithStreamingResponse,
    )
    from .verbs import AsyncVerb, Verb

    P = ParamSpec("P")


class RawCalls(OverlayResources):
    """What a client offers below its resources: HTTP methods, responses, explanations."""

    __slots__ = ()

    @property
    def get(self) -> Verb:
        """Sends GET requests to endpoints without a method; see :class:`Verb`."""
        from .verbs import Verb

        return Verb(self._bound_caller(), "GET")

    @property
    def post(self) -> Verb:
        """Sends POST requests to endpoints without a method; see :class:`Verb`."""
        from .verbs import Verb

        return Verb(self._bound_caller(), "POST")

    @property
    def put(self) -> Verb:
        """Sends PUT requests to endpoints without a method; see :class:`Verb`."""
        from .verbs import Verb

        return Verb(self._bound_caller(), "PUT")

    @property
    def patch(self) -> Verb:
        """Sends PATCH requests to endpoints without a method; see :class:`Verb`."""
        from .verbs import Verb

        return Verb(self._bound_caller(), "PATCH")

    @property
    def delete(self) -> Verb:
        """Sends DELETE requests to endpoints without a method; see :class:`Verb`."""
        from .verbs import Verb

        return Verb(self._bound_caller(), "DELETE")

    @property
    def with_raw_response(self) -> ClientWithRawResponse:
        """The same methods; they return the answer with its headers, for ``parse()`` to decode."""
        from .raw_verbs import ClientWithRawResponse

        return ClientWithRawResponse(self, self._bound_caller())

    @property
    def with_streaming_response(self) -> ClientWithStreamingResponse:
        """The same methods; they return context managers of answers that are not read yet."""
        from .raw_verbs import ClientWithStreamingResponse

        return ClientWithStreamingResponse(self, self._bound_caller())

    @overload
    def explain(
        self, method: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> Explanation: ...

    @overload
    def explain(self, method: str, /, *args: Any, **kwargs: Any) -> Explanation: ...

    def explain(self, method: Any, /, *args: Any, **kwargs: Any) -> Explanation:
        """Tell what a call would send, and why; nothing is sent.

        ``method`` is a method of a client, with its arguments behind it, or a name such as
        ``"messages.create"``, or ``"get"`` for a path::

            print(client.explain(client.messages.create, model=..., max_tokens=..., messages=[...]))

        Raises what the call would raise before anything is sent, except for a body that is too
        large. An iterator or a pipe among the arguments is read, and empty afterwards.
        """
        from .explain import explain

        return explain(self, method, args, kwargs)


class AsyncRawCalls(AsyncOverlayResources):
    """What an asynchronous client offers; see :class:`RawCalls`."""

    __slots__ = ()

    @property
    def get(self) -> AsyncVerb:
        """Sends GET requests to endpoints without a method; see :class:`AsyncVerb`."""
        from .verbs import AsyncVerb

        return AsyncVerb(self._bound_caller(), "GET")

    @property
    def post(self) -> AsyncVerb:
        """Sends POST requests to endpoints without a method; see :class:`AsyncVerb`."""
        from .verbs import AsyncVerb

        return AsyncVerb(self._bound_caller(), "POST")

    @property
    def put(self) -> AsyncVerb:
        """Sends PUT requests to endpoints without a method; see :class:`AsyncVerb`."""
        from .verbs import AsyncVerb

        return AsyncVerb(self._bound_caller(), "PUT")

    @property
    def patch(self) -> AsyncVerb:
        """Sends PATCH requests to endpoints without a method; see :class:`AsyncVerb`."""
        from .verbs import AsyncVerb

        return AsyncVerb(self._bound_caller(), "PATCH")

    @property
    def delete(self) -> AsyncVerb:
        """Sends DELETE requests to endpoints without a method; see :class:`AsyncVerb`."""
        from .verbs import AsyncVerb

        return AsyncVerb(self._bound_caller(), "DELETE")

    @property
    def with_raw_response(self) -> AsyncClientWithRawResponse:
        """The same methods; they return the answer with its headers, for ``parse()`` to decode."""
        from .raw_verbs import AsyncClientWithRawResponse

        return AsyncClientWithRawResponse(self, self._bound_caller())

    @property
    def with_streaming_response(self) -> AsyncClientWithStreamingResponse:
        """The same methods; they return context managers of answers that are not read yet."""
        from .raw_verbs import AsyncClientWithStreamingResponse

        return AsyncClientWithStreamingResponse(self, self._bound_caller())

    @overload
    def explain(
        self, method: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> Explanation: ...

    @overload
    def explain(self, method: str, /, *args: Any, **kwargs: Any) -> Explanation: ...

    def explain(self, method: Any, /, *args: Any, **kwargs: Any) -> Explanation:
        """Tell what a call would send, and why; see :meth:`RawCalls.explain`. Not awaited."""
        from .explain import explain

        return explain(self, method, args, kwargs)
