"""Puts a message together from the events of its stream.

:class:`MessageAccumulator` is pure and needs no client: feed it events, as dicts from any source
or as the typed events of a stream, and ask for the message. Its work is linear in the size of
what it is fed: pieces of text and JSON are kept in lists and joined when a block stops or when
somebody asks. Events and deltas of a type it does not know change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.struct import Struct
from claude_rest._runtime.unset import UNSET

from .errors import StreamProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from claude_rest.models import Message

    from .partial_json import PartialJSON

INVALID_INPUT_KEY = "INVALID_JSON"
"""The one key of :class:`InvalidToolInput`."""


class InvalidToolInput(dict[str, Any]):
    """Input of a tool call that did not become a JSON object, for example cut at ``max_tokens``.

    It stands where the input would and is never repaired: a dict with the single key
    ``INVALID_JSON`` that holds the text as it came. That is the form in which the API wants to
    see such input again, so the message can be sent back as it is, followed by a ``tool_result``
    with ``is_error``. Test ``isinstance(block.input, InvalidToolInput)`` before running a tool.
    """

    __slots__ = ("reason",)

    reason: str
    """What is wrong with the text."""

    def __init__(self, raw: str, reason: str) -> None:
        super().__init__({INVALID_INPUT_KEY: raw})
        self.reason = reason

    @property
    def raw(self) -> str:
        """The text of the input as the model wrote it."""
        text: str = self[INVALID_INPUT_KEY]
        return text

    def __reduce__(self) -> Any:
        return (InvalidToolInput, (self.raw, self.reason))


class OpenBlock:
    """A content block that had not stopped when a stream ended."""

    __slots__ = ("index", "text", "type")

    index: int
    type: str
    text: str
    """What had come of its text, thinking or tool input."""

    def __init__(self, index: int, type: str, text: str) -> None:  # noqa: A002
        self.index = index
        self.type = type
        self.text = text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OpenBlock):
            return NotImplemented
        return (self.index, self.type, self.text) == (other.index, other.type, other.text)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"OpenBlock(index={self.index}, type={self.type!r}, {len(self.text)} characters)"


class BlockState:
    """A content block under construction: what it started with, and the pieces that came."""

    __slots__ = ("_parser", "_read", "data", "index", "open", "pieces")

    index: int
    data: dict[str, Any]
    pieces: dict[str, list[str]]
    """Pieces by field; a list only ever grows, so its length marks a moment."""
    open: bool

    def __init__(self, index: int, data: dict[str, Any], *, is_open: bool) -> None:
        self.index = index
        self.data = data
        self.pieces = {}
        self.open = is_open
        # Made when somebody asks for unfinished input; how many of its pieces were read.
        self._parser: PartialJSON | None = None
        self._read = 0

    def append(self, field: str, piece: object) -> None:
        """Add a piece to a text field; anything but text adds nothing."""
        if not isinstance(piece, str):
            return
        pieces = self.pieces.get(field)
        if pieces is None:
            start = self.data.get(field)
            pieces = self.pieces[field] = [start] if isinstance(start, str) else []
        pieces.append(piece)

    def stop(self) -> None:
        """Join the pieces and read the tool input, once."""
        self.open = False
        for field, pieces in self.pieces.items():
            text = "".join(pieces)
            if field != "input":
                self.data[field] = text
            elif text.strip():
                self.data[field] = parse_tool_input(text)
        self.pieces = {}
        self._parser = None

    def partial_input(self) -> Any:
        """Return the tool input so far; see :meth:`MessageAccumulator.partial_input`."""
        pieces = self.pieces.get("input")
        if not pieces:
            return self.data.get("input")
        parser = self._parser
        if parser is None:
            from .partial_json import PartialJSON

            parser = self._parser = PartialJSON()
            self._read = 0
        while self._read < len(pieces):
            parser.feed(pieces[self._read])
            self._read += 1
        return parser.value if parser.started else {}

    def to_dict(self) -> dict[str, Any]:
        """Return the block so far. Tool input stays what it was until the block stops."""
        data = dict(self.data)
        for field, pieces in self.pieces.items():
            if field != "input":
                data[field] = "".join(pieces)
        citations: Any = data.get("citations")
        if citations.__class__ is list:
            data["citations"] = list(citations)
        return data


class MessageAccumulator:
    """Builds one message; see the module for what it takes and costs."""

    __slots__ = ("_blocks", "_complete", "_message", "_usage")

    def __init__(self) -> None:
        self._message: dict[str, Any] | None = None
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, BlockState] = {}
        self._complete = False

    @property
    def started(self) -> bool:
        """Whether ``message_start`` has come."""
        return self._message is not None

    @property
    def complete(self) -> bool:
        """Whether ``message_stop`` has come: only then is the message whole."""
        return self._complete

    @property
    def usage(self) -> dict[str, Any]:
        """Token counts so far, merged as :func:`merge_usage` does."""
        return dict(self._usage)

    @property
    def open_blocks(self) -> tuple[OpenBlock, ...]:
        """The content blocks that have started and not stopped."""
        return tuple(
            OpenBlock(
                block.index,
                str(block.data.get("type", "")),
                "".join(piece for pieces in block.pieces.values() for piece in pieces),
            )
            for block in self._blocks.values()
            if block.open
        )

    def partial_input(self, index: int) -> Any:
        """Return what the input of a tool call amounts to so far, for showing progress.

        Follows the rules of :class:`~.partial_json.PartialJSON`, and reads only what has come
        since it was asked last: the same object grows from call to call. Never act on it: it is
        whole when its block has stopped, and is the final input from then on. None when there is
        no such block, or one without input.
        """
        block = self._blocks.get(index)
        return None if block is None else block.partial_input()

    def add(self, event: Any) -> BlockState | None:
        """Take the next event; return the state of the content block it is about, if any.

        Raises :class:`~.errors.StreamProtocolError` when the order of events makes no sense.
        """
        if event.__class__ is dict:
            kind, get = event.get("type"), event.get
            if kind == "content_block_delta":
                return self._add_delta(get("index"), get("delta"))
        else:
            kind = getattr(event, "type", None)
            if kind == "content_block_delta":
                return self._add_delta(event.index, event.delta)
            if kind not in _HANDLED:
                return None
            event = event.to_dict()
            get = event.get
        if kind == "content_block_stop":
            block = self._block(get("index"), "content_block_stop")
            block.stop()
            return block
        if kind == "content_block_start":
            return self._start_block(get("index"), get("content_block"))
        if kind == "message_delta":
            self._change_message(event)
        elif kind == "message_start":
            self._start_message(get("message"))
        elif kind == "message_stop":
            self._started("message_stop")
            for block in self._blocks.values():
                if block.open:
                    block.stop()
            self._complete = True
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return the message so far as the JSON object the API would have sent.

        Costs time linear in the message, each time. Raises
        :class:`~.errors.StreamProtocolError` before ``message_start``.
        """
        message = dict(self._started("a request for the message"))
        message["content"] = [self._blocks[index].to_dict() for index in sorted(self._blocks)]
        message["usage"] = dict(self._usage)
        return message

    def message(self) -> Message:
        """Return the message so far as a model; see :meth:`to_dict`."""
        from claude_rest.models import decoder

        message: Message = decoder("Message")(self.to_dict())
        return message

    def text(self) -> str:
        """Return the text of all text blocks so far, joined."""
        return "".join(
            text
            for index in sorted(self._blocks)
            if self._blocks[index].data.get("type") == "text"
            and isinstance(text := self._blocks[index].to_dict().get("text"), str)
        )

    def _started(self, what: str) -> dict[str, Any]:
        if self._message is None:
            raise StreamProtocolError(f"{what} came before message_start")
        return self._message

    def _unfinished(self, what: str) -> dict[str, Any]:
        if self._complete:
            raise StreamProtocolError(f"{what} came after message_stop")
        return self._started(what)

    def _block(self, index: object, what: str) -> BlockState:
        block = self._blocks.get(index) if isinstance(index, int) else None
        if block is None:
            self._started(what)
            raise StreamProtocolError(f"{what} for content block {index!r}, which never started")
        if not block.open:
            raise StreamProtocolError(f"{what} for content block {index!r} after its stop")
        return block

    def _start_message(self, message: Any) -> None:
        if self._message is not None:
            raise StreamProtocolError("a second message_start came in one stream")
        if message.__class__ is not dict:
            raise StreamProtocolError("message_start came without a message")
        self._message = dict(message)
        usage = message.get("usage")
        self._usage = dict(usage) if usage.__class__ is dict else {}
        content = message.get("content")
        # Empty as the API sends it; a gateway may have put whole blocks here.
        if content.__class__ is list:
            for index, data in enumerate(content):
                if data.__class__ is not dict:
                    raise StreamProtocolError(f"content block {index} in message_start is no block")
                self._blocks[index] = BlockState(index, dict(data), is_open=False)

    def _start_block(self, index: Any, data: Any) -> BlockState:
        message = self._unfinished("content_block_start")
        if index.__class__ is not int or data.__class__ is not dict:
            raise StreamProtocolError("content_block_start came without an index or a block")
        if index in self._blocks:
            # Also one that message_start held: taking the second would lose the first.
            raise StreamProtocolError(f"content block {index} started twice")
        data = dict(data)
        if data.get("citations").__class__ is list:
            data["citations"] = list(data["citations"])
        block = self._blocks[index] = BlockState(index, data, is_open=True)
        if data.get("type") == "fallback":
            # Another model has taken over; the whole message is under its name.
            target = data.get("to")
            model = target.get("model") if target.__class__ is dict else None
            if isinstance(model, str):
                message["model"] = model
        return block

    def _add_delta(self, index: object, delta: Any) -> BlockState:
        block = self._block(index, "content_block_delta")
        if delta.__class__ is dict:
            kind = delta.get("type")
            if kind == "text_delta":
                block.append("text", delta.get("text"))
            elif kind == "input_json_delta":
                block.append("input", delta.get("partial_json"))
            elif kind == "thinking_delta":
                block.append("thinking", delta.get("thinking"))
            else:
                _apply_rare_delta(block, kind, delta)
        elif isinstance(delta, Struct):
            typed: Any = delta
            kind = typed.type
            if kind == "text_delta":
                block.append("text", typed.text)
            elif kind == "input_json_delta":
                block.append("input", typed.partial_json)
            elif kind == "thinking_delta":
                block.append("thinking", typed.thinking)
            elif kind in _RARE_DELTAS:
                _apply_rare_delta(block, kind, typed.to_dict())
        return block

    def _change_message(self, event: Mapping[str, Any]) -> None:
        message = self._unfinished("message_delta")
        delta: Any = event.get("delta")
        if delta.__class__ is dict:
            for name, value in delta.items():
                if name != "container" or value is not None:
                    message[name] = value
        usage: Any = event.get("usage")
        if usage.__class__ is dict:
            self._usage = merge_usage(self._usage, usage)
        for name, value in event.items():
            # context_management, input_transformations, and what has no name yet.
            if value is not None and name not in _MESSAGE_DELTA_FIELDS:
                message[name] = value


def merge_usage(
    usage: Mapping[str, Any] | Struct, delta: Mapping[str, Any] | Struct
) -> dict[str, Any]:
    """Return ``usage`` brought up to date by the ``usage`` of a ``message_delta`` event.

    All counts are totals since the start of the message, so they replace and never add. A field
    does when the event holds a value for it; what ``message_start`` said survives where the event
    says nothing. Takes models and dicts alike, and changes neither.
    """
    news = {
        name: value
        for name, value in _fields_of(delta).items()
        if value is not None and value is not UNSET
    }
    return {**_fields_of(usage), **news}


def total_input_tokens(usage: Mapping[str, Any] | Struct) -> int:
    """Return all input tokens of a message: fresh ones, cache writes and cache reads."""
    fields = _fields_of(usage)
    return sum(
        fields.get(name) or 0
        for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    )


def _fields_of(usage: Mapping[str, Any] | Struct) -> Mapping[str, Any]:
    return usage.to_dict() if isinstance(usage, Struct) else usage


def parse_tool_input(text: str) -> dict[str, Any]:
    """Read the whole text of a tool input; not a JSON object: :class:`InvalidToolInput`."""
    from claude_rest._runtime.codec import loads

    try:
        value = loads(text)
    except ValueError as error:
        return InvalidToolInput(text, str(error))
    if value.__class__ is dict:
        parsed: dict[str, Any] = value
        return parsed
    return InvalidToolInput(text, f"a JSON object was expected, not {type(value).__name__}")


_HANDLED = frozenset(
    {"content_block_start", "content_block_stop", "message_start", "message_delta", "message_stop"}
)
_MESSAGE_DELTA_FIELDS = frozenset({"type", "delta", "usage"})
_RARE_DELTAS = frozenset({"citations_delta", "signature_delta", "compaction_delta"})


def _apply_rare_delta(block: BlockState, kind: object, delta: Mapping[str, Any]) -> None:
    data = block.data
    if kind == "signature_delta":
        if "signature" in delta:
            data["signature"] = delta["signature"]
    elif kind == "citations_delta":
        citation = delta.get("citation")
        if citation is not None:
            citations: Any = data.get("citations")
            if citations.__class__ is not list:
                citations = data["citations"] = []
            citations.append(citation)
    elif kind == "compaction_delta":
        for name in ("content", "encrypted_content"):
            if name in delta:
                data[name] = delta[name]
