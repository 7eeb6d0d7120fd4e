"""Events that :class:`~.streaming.MessageStream` adds to those of the API.

After each delta the stream tells the same thing once more in a handier form, and the events that
end a block or the message carry the finished block or message. What costs time to make, a
snapshot or a decoded block, is made when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from claude_rest._runtime.struct import Unknown
    from claude_rest.models import (
        ContentBlock,
        Message,
        RawContentBlockDeltaEvent,
        RawContentBlockStartEvent,
        RawMessageDeltaEvent,
        RawMessageStartEvent,
        TextCitation,
    )

    from .accumulator import BlockState


class _DerivedEvent:
    __slots__: tuple[str, ...] = ()

    def __repr__(self) -> str:
        fields = ", ".join(
            f"{name}={getattr(self, name)!r}" for name in self.__slots__ if name[:1] != "_"
        )
        return f"{type(self).__name__}({fields})"


class _PieceEvent(_DerivedEvent):
    __slots__ = ("_count", "_pieces", "index")

    index: int
    """Index of the content block."""

    def __init__(self, block: BlockState, field: str) -> None:
        self.index = block.index
        pieces = block.pieces.get(field, _NO_PIECES)
        self._pieces = pieces
        self._count = len(pieces)

    def _joined(self) -> str:
        return "".join(self._pieces[: self._count])


_NO_PIECES: list[str] = []


class TextEvent(_PieceEvent):
    """A piece of text came."""

    __slots__ = ("text",)

    type: Literal["text"] = "text"
    text: str
    """The piece."""

    def __init__(self, block: BlockState, text: str) -> None:
        super().__init__(block, "text")
        self.text = text

    @property
    def snapshot(self) -> str:
        """All text of the block up to and including this piece; linear in its length."""
        return self._joined()


class ThinkingEvent(_PieceEvent):
    """A piece of thinking came."""

    __slots__ = ("thinking",)

    type: Literal["thinking"] = "thinking"
    thinking: str
    """The piece."""

    def __init__(self, block: BlockState, thinking: str) -> None:
        super().__init__(block, "thinking")
        self.thinking = thinking

    @property
    def snapshot(self) -> str:
        """All thinking of the block up to and including this piece; linear in its length."""
        return self._joined()


class InputJSONEvent(_PieceEvent):
    """A piece of a tool's input came: JSON text that is not whole before the block stops."""

    __slots__ = ("_block", "partial_json")

    type: Literal["input_json"] = "input_json"
    partial_json: str
    """The piece."""

    def __init__(self, block: BlockState, partial_json: str) -> None:
        super().__init__(block, "input")
        self.partial_json = partial_json
        self._block = block

    @property
    def snapshot(self) -> Any:
        """What the input amounts to when this is asked, for showing progress.

        Reads only what has come since the last time; the same object grows from event to event,
        so copy it to keep it. See :meth:`~.accumulator.MessageAccumulator.partial_input`.
        """
        return self._block.partial_input()

    @property
    def json_so_far(self) -> str:
        """The text of the input up to and including this piece; linear in its length."""
        return self._joined()


InputJsonEvent = InputJSONEvent
"""The name of :class:`InputJSONEvent` in the official SDK."""


class SignatureEvent(_DerivedEvent):
    """The signature of a thinking block came."""

    __slots__ = ("index", "signature")

    type: Literal["signature"] = "signature"

    def __init__(self, index: int, signature: str) -> None:
        self.index = index
        self.signature = signature


class CitationEvent(_DerivedEvent):
    """A citation came for a text block."""

    __slots__ = ("_citations", "_count", "citation", "index")

    type: Literal["citation"] = "citation"
    index: int
    """Index of the content block."""
    citation: TextCitation

    def __init__(self, block: BlockState, citation: TextCitation) -> None:
        self.index = block.index
        self.citation = citation
        citations: Any = block.data.get("citations")
        self._citations: list[Any] = citations if citations.__class__ is list else []
        self._count = len(self._citations)

    @property
    def snapshot(self) -> list[TextCitation]:
        """All citations of the block up to and including this one; decoded anew each time."""
        from claude_rest.models import decoder

        decode = decoder("TextCitation")
        return [decode(citation) for citation in self._citations[: self._count]]


class CompactionEvent(_DerivedEvent):
    """The content of a compaction block came."""

    __slots__ = ("content", "encrypted_content", "index")

    type: Literal["compaction"] = "compaction"
    content: str | None
    encrypted_content: str | None

    def __init__(self, index: int, content: str | None, encrypted_content: str | None) -> None:
        self.index = index
        self.content = content
        self.encrypted_content = encrypted_content


class ContentBlockStopEvent(_DerivedEvent):
    """A content block is finished. Takes the place of the API's event of the same type."""

    __slots__ = ("_block", "index", "raw")

    type: Literal["content_block_stop"] = "content_block_stop"
    index: int
    raw: Mapping[str, Any]
    """The event as it was sent."""

    def __init__(self, block: BlockState, raw: Mapping[str, Any]) -> None:
        self.index = block.index
        self.raw = raw
        self._block = block

    @property
    def content_block(self) -> ContentBlock:
        """The whole block; decoded anew each time."""
        from claude_rest.models import decoder

        block: ContentBlock = decoder("ContentBlock")(self._block.to_dict())
        return block


class MessageStopEvent(_DerivedEvent):
    """The message is finished. Takes the place of the API's event of the same type."""

    __slots__ = ("_message", "raw")

    type: Literal["message_stop"] = "message_stop"
    raw: Mapping[str, Any]
    """The event as it was sent."""

    def __init__(self, message: Callable[[], Message], raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self._message = message

    @property
    def message(self) -> Message:
        """The whole message; the same object each time."""
        return self._message()


def derived_event(block: BlockState, event: Mapping[str, Any], typed: Any) -> Any:
    """Return the handier form of a ``content_block_delta`` event, None if it has none.

    ``event`` is the event as it was sent, already taken by the accumulator; ``typed`` the decoded
    one.
    """
    delta: Any = event.get("delta")
    if delta.__class__ is not dict:
        return None
    kind = delta.get("type")
    maker = _MAKERS.get(kind) if isinstance(kind, str) else None
    return None if maker is None else maker(block, delta, typed)


def _citation(block: BlockState, delta: Mapping[str, Any], typed: Any) -> Any:
    return CitationEvent(block, typed.delta.citation) if "citation" in delta else None


def _piece(
    event: Callable[[BlockState, str], _PieceEvent], field: str
) -> Callable[[BlockState, Mapping[str, Any], Any], Any]:
    def make(block: BlockState, delta: Mapping[str, Any], _typed: Any) -> Any:
        piece = delta.get(field)
        return event(block, piece) if isinstance(piece, str) else None

    return make


_MAKERS: dict[str, Callable[[BlockState, Mapping[str, Any], Any], Any]] = {
    "text_delta": _piece(TextEvent, "text"),
    "thinking_delta": _piece(ThinkingEvent, "thinking"),
    "input_json_delta": _piece(InputJSONEvent, "partial_json"),
    "citations_delta": _citation,
    "signature_delta": lambda block, delta, _typed: SignatureEvent(
        block.index, delta.get("signature", "")
    ),
    "compaction_delta": lambda block, delta, _typed: CompactionEvent(
        block.index, delta.get("content"), delta.get("encrypted_content")
    ),
}


if TYPE_CHECKING:
    MessageStreamEvent: TypeAlias = (
        RawMessageStartEvent
        | RawMessageDeltaEvent
        | MessageStopEvent
        | RawContentBlockStartEvent
        | RawContentBlockDeltaEvent
        | ContentBlockStopEvent
        | TextEvent
        | InputJSONEvent
        | ThinkingEvent
        | SignatureEvent
        | CitationEvent
        | CompactionEvent
        | Unknown
    )
    """What iterating over a message stream gives."""
else:

    def __getattr__(name: str) -> Any:
        # Made when asked for: it needs the models, and few programs name the type at run time.
        if name != "MessageStreamEvent":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from functools import reduce
        from operator import or_

        from claude_rest._runtime.struct import Unknown
        from claude_rest.models import (
            RawContentBlockDeltaEvent,
            RawContentBlockStartEvent,
            RawMessageDeltaEvent,
            RawMessageStartEvent,
        )

        members: list[Any] = [
            RawMessageStartEvent,
            RawMessageDeltaEvent,
            MessageStopEvent,
            RawContentBlockStartEvent,
            RawContentBlockDeltaEvent,
            ContentBlockStopEvent,
            TextEvent,
            InputJSONEvent,
            ThinkingEvent,
            SignatureEvent,
            CitationEvent,
            CompactionEvent,
            Unknown,
        ]
        value = globals()[name] = reduce(or_, members)
        return value
