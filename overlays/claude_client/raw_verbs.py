"""The resources and HTTP methods of ``with_raw_response`` and ``with_streaming_response``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from claude_rest._runtime.raw_callers import (
    AsyncRawCaller,
    AsyncStreamingCaller,
    RawCaller,
    StreamingCaller,
    async_streamed_method,
    streamed_method,
)
from claude_rest._runtime.struct import Struct
from claude_rest.raw_responses import (
    AsyncResourcesWithRawResponse,
    AsyncResourcesWithStreamingResponse,
    ResourcesWithRawResponse,
    ResourcesWithStreamingResponse,
)

from .verbs import AsyncVerb, Verb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal, Protocol, overload

    from typing_extensions import Unpack

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.multipart import FileInput
    from claude_rest._runtime.raw_response import APIResponse, AsyncAPIResponse
    from claude_rest._runtime.stream import AsyncStream, Stream
    from claude_rest._runtime.streamed_response import (
        AsyncStreamedResponseManager,
        StreamedResponseManager,
    )
    from claude_rest.client import AsyncResources, Resources

    from .verbs import RetryClass

S = TypeVar("S", bound=Struct)

if TYPE_CHECKING:
    # Written out: mypy loses the type variable of an overload when it goes through a ParamSpec.

    class VerbArguments(RequestOptions, total=False):
        """What the HTTP methods take besides a path; see :meth:`Verb.__call__`."""

        body: Mapping[str, Any] | Struct | None
        query: Mapping[str, object] | None
        files: Mapping[str, FileInput | list[FileInput]] | None
        retry: RetryClass | None

    class RawVerb(Protocol):
        """An HTTP method of ``client.with_raw_response``."""

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: None = None,
            stream: bool = False,
            **arguments: Unpack[VerbArguments],
        ) -> APIResponse[Any]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[False] = False,
            **arguments: Unpack[VerbArguments],
        ) -> APIResponse[S]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[True],
            **arguments: Unpack[VerbArguments],
        ) -> APIResponse[Stream[S]]: ...

    class AsyncRawVerb(Protocol):
        """Asynchronous twin of :class:`RawVerb`."""

        @overload
        async def __call__(
            self,
            path: str,
            *,
            cast_to: None = None,
            stream: bool = False,
            **arguments: Unpack[VerbArguments],
        ) -> AsyncAPIResponse[Any]: ...

        @overload
        async def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[False] = False,
            **arguments: Unpack[VerbArguments],
        ) -> AsyncAPIResponse[S]: ...

        @overload
        async def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[True],
            **arguments: Unpack[VerbArguments],
        ) -> AsyncAPIResponse[AsyncStream[S]]: ...

    class StreamedVerb(Protocol):
        """An HTTP method of ``client.with_streaming_response``."""

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: None = None,
            stream: bool = False,
            **arguments: Unpack[VerbArguments],
        ) -> StreamedResponseManager[Any]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[False] = False,
            **arguments: Unpack[VerbArguments],
        ) -> StreamedResponseManager[S]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[True],
            **arguments: Unpack[VerbArguments],
        ) -> StreamedResponseManager[Stream[S]]: ...

    class AsyncStreamedVerb(Protocol):
        """Asynchronous twin of :class:`StreamedVerb`."""

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: None = None,
            stream: bool = False,
            **arguments: Unpack[VerbArguments],
        ) -> AsyncStreamedResponseManager[Any]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[False] = False,
            **arguments: Unpack[VerbArguments],
        ) -> AsyncStreamedResponseManager[S]: ...

        @overload
        def __call__(
            self,
            path: str,
            *,
            cast_to: type[S],
            stream: Literal[True],
            **arguments: Unpack[VerbArguments],
        ) -> AsyncStreamedResponseManager[AsyncStream[S]]: ...


class ClientWithRawResponse(ResourcesWithRawResponse):
    """``client.with_raw_response``: every resource, and the HTTP methods."""

    def __init__(self, resources: Resources, caller: Any) -> None:
        """Take the resources, and what carries the calls out."""
        super().__init__(resources)
        bound = RawCaller(caller)

        def verb(method: str) -> Any:
            return Verb(bound, method)

        self.get: RawVerb = verb("GET")
        self.post: RawVerb = verb("POST")
        self.put: RawVerb = verb("PUT")
        self.patch: RawVerb = verb("PATCH")
        self.delete: RawVerb = verb("DELETE")


class ClientWithStreamingResponse(ResourcesWithStreamingResponse):
    """``client.with_streaming_response``: every resource, and the HTTP methods."""

    def __init__(self, resources: Resources, caller: Any) -> None:
        """Take the resources, and what carries the calls out."""
        super().__init__(resources)
        bound = StreamingCaller(caller)

        def verb(method: str) -> Any:
            sent: Any = Verb(bound, method)
            return streamed_method(sent)

        self.get: StreamedVerb = verb("GET")
        self.post: StreamedVerb = verb("POST")
        self.put: StreamedVerb = verb("PUT")
        self.patch: StreamedVerb = verb("PATCH")
        self.delete: StreamedVerb = verb("DELETE")


class AsyncClientWithRawResponse(AsyncResourcesWithRawResponse):
    """``client.with_raw_response``: every resource, and the HTTP methods."""

    def __init__(self, resources: AsyncResources, caller: Any) -> None:
        """Take the resources, and what carries the calls out."""
        super().__init__(resources)
        bound = AsyncRawCaller(caller)

        def verb(method: str) -> Any:
            return AsyncVerb(bound, method)

        self.get: AsyncRawVerb = verb("GET")
        self.post: AsyncRawVerb = verb("POST")
        self.put: AsyncRawVerb = verb("PUT")
        self.patch: AsyncRawVerb = verb("PATCH")
        self.delete: AsyncRawVerb = verb("DELETE")


class AsyncClientWithStreamingResponse(AsyncResourcesWithStreamingResponse):
    """``client.with_streaming_response``: every resource, and the HTTP methods."""

    def __init__(self, resources: AsyncResources, caller: Any) -> None:
        """Take the resources, and what carries the calls out."""
        super().__init__(resources)
        bound = AsyncStreamingCaller(caller)

        def verb(method: str) -> Any:
            sent: Any = AsyncVerb(bound, method)
            return async_streamed_method(sent)

        self.get: AsyncStreamedVerb = verb("GET")
        self.post: AsyncStreamedVerb = verb("POST")
        self.put: AsyncStreamedVerb = verb("PUT")
        self.patch: AsyncStreamedVerb = verb("PATCH")
        self.delete: AsyncStreamedVerb = verb("DELETE")
