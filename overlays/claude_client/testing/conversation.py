"""What the messages of a request say, and what the API refuses about them.

The schema has been checked already; here is what no schema can say: which blocks belong together,
and what a model takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from .exchange import RefusedError
from .json_values import is_array, is_object, object_at
from .models import find_model
from .tool_calls import TEXT_ONLY_CHOICES, check_tools

Body = Mapping[str, Any]
Block = Mapping[str, Any]

_MOST_MESSAGES: Final = 100_000
_NO_PREFILL_SINCE: Final = (4, 6)
_DOCUMENTS_REFUSED_IN: Final = "2026-10-21"
_SNAPSHOT: Final = re.compile(r"-\d{8}$")
_LEAST_BUDGET: Final = 1_024


def blocks_of(content: Any) -> list[Block]:
    """Return the content of a message as blocks; a text becomes one."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return content if is_array(content) else []


def turns(body: Body) -> list[tuple[str, list[tuple[str, Block]]]]:
    """Return role and blocks of each turn; neighbouring messages of one role make one.

    Each block comes with its path. Messages of the role ``system`` belong to no turn.
    """
    found: list[tuple[str, list[tuple[str, Block]]]] = []
    for index, message in enumerate(body["messages"]):
        role = message["role"]
        if role == "system":
            continue
        if not found or found[-1][0] != role:
            found.append((role, []))
        found[-1][1].extend(
            (f"messages.{index}.content.{place}", block)
            for place, block in enumerate(blocks_of(message.get("content")))
        )
    return found


def last_user_text(body: Body) -> str:
    """Return the text of the last user message that has any, blocks joined by line breaks."""
    for message in reversed(body["messages"]):
        if message["role"] == "user":
            texts = [b["text"] for b in blocks_of(message["content"]) if b["type"] == "text"]
            text = "\n".join(texts)
            if text.strip():
                return text
    return ""


def tool_results(body: Body) -> list[Block]:
    """Return the results of tools in the last turn, if it is the user's."""
    found = turns(body)
    if not found or found[-1][0] != "user":
        return []
    return [block for _, block in found[-1][1] if block["type"] == "tool_result"]


def user_blocks(body: Body) -> Iterator[Block]:
    """Yield the blocks of user messages, those inside of tool results among them, in order."""
    for message in body["messages"]:
        if message["role"] == "user":
            for block in blocks_of(message["content"]):
                yield block
                if block["type"] == "tool_result":
                    yield from blocks_of(block.get("content"))


def generation(model: str) -> tuple[int, int] | None:
    """Return the generation of a model by its name, such as (4, 5); None if the name has none."""
    numbers = [
        int(number) for number in re.findall(r"-(\d{1,2})(?![\d.])", _SNAPSHOT.sub("", model))
    ]
    if not model.startswith("claude-") or not numbers:
        return None
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def check_conversation(
    body: Body, *, models: Sequence[Mapping[str, Any]] = (), version: str = ""
) -> None:
    """Require messages and settings that a model can be asked with.

    Args:
        body: Valid body of a Messages request or a token count.
        models: What the mock knows about models. A model that it does not know, and whose name
            tells no generation, takes everything.
        version: API version of the request.

    Raises:
        RefusedError: 400 with the path of what is wrong.
    """
    if not body["messages"]:
        raise RefusedError(400, "messages: at least one message is required")
    if len(body["messages"]) > _MOST_MESSAGES:
        raise RefusedError(400, f"messages: must have at most {_MOST_MESSAGES:,} entries")
    check_tools(body)
    _check_thinking(body, models)
    _check_combinations(body)
    found = turns(body)
    _check_results(found)
    _check_prefill(body, found)
    if version >= _DOCUMENTS_REFUSED_IN:
        _check_current_version(found)


def _check_thinking(body: Body, models: Sequence[Mapping[str, Any]]) -> None:
    config = object_at(body, "thinking")
    kind = config.get("type")
    if kind is None:
        return
    if not _takes_thinking(kind, body["model"], models):
        raise RefusedError(400, f"thinking.type: {body['model'][:80]} does not support {kind!r}")
    if kind == "enabled":
        budget = config["budget_tokens"]
        if budget < _LEAST_BUDGET:
            raise RefusedError(400, f"thinking.budget_tokens: must be at least {_LEAST_BUDGET}")
        limit = body.get("max_tokens")
        if limit is not None and limit <= budget:
            raise RefusedError(400, "max_tokens: must be greater than thinking.budget_tokens")
        choice = object_at(body, "tool_choice")
        if choice.get("type", "auto") not in TEXT_ONLY_CHOICES:
            raise RefusedError(400, "tool_choice: thinking cannot be enabled when a tool is forced")


def _takes_thinking(kind: str, model: str, models: Sequence[Mapping[str, Any]]) -> bool:
    try:
        capabilities: Any = find_model(list(models), model).get("capabilities") or {}
        return bool(capabilities["thinking"]["types"][kind]["supported"])
    except (RefusedError, KeyError):
        made = generation(model)
    if made is None:
        return True
    if kind == "enabled":
        return made < (4, 7)
    if kind == "adaptive":
        return made > (4, 5)
    return kind != "disabled" or not re.match(r"claude-(fable|mythos)-", model)


def _check_combinations(body: Body) -> None:
    for one, other in (
        ("compaction", "context_management"),
        ("fallback_credit_token", "fallbacks"),
    ):
        if body.get(one) is not None and body.get(other) is not None:
            raise RefusedError(400, f"{one}: not together with {other}")
    if _output_format(body) is not None:
        for block in user_blocks(body):
            if is_object(block.get("citations")) and block["citations"].get("enabled"):
                raise RefusedError(400, "output_config.format: not together with citations")


def _output_format(body: Body) -> Any:
    return object_at(body, "output_config").get("format")


def _check_results(found: list[tuple[str, list[tuple[str, Block]]]]) -> None:
    """Require one result for each call of a tool, in the turn after it."""
    open_calls: dict[str, str] = {}
    for role, blocks in found:
        if role == "user":
            answered: set[str] = set()
            for path, block in blocks:
                if block["type"] != "tool_result":
                    continue
                call = block["tool_use_id"]
                if call not in open_calls:
                    raise RefusedError(
                        400, f"{path}.tool_use_id: no tool_use of the turn before has this ID"
                    )
                if call in answered:
                    raise RefusedError(400, f"{path}.tool_use_id: has a tool_result already")
                answered.add(call)
            _require_answers(open_calls, answered)
            open_calls = {}
        else:
            for path, block in blocks:
                if block["type"] == "tool_use":
                    if block["id"] in open_calls:
                        raise RefusedError(400, f"{path}.id: used twice")
                    open_calls[block["id"]] = path
    _require_answers(open_calls, set())


def _require_answers(open_calls: Mapping[str, str], answered: set[str]) -> None:
    for identifier, path in open_calls.items():
        if identifier not in answered:
            raise RefusedError(400, f"{path}: tool_use without a tool_result in the next message")


def _check_prefill(body: Body, found: list[tuple[str, list[tuple[str, Block]]]]) -> None:
    """Refuse to go on from a text of the caller's; a paused turn may be sent back."""
    if not found or found[-1][0] != "assistant":
        return
    blocks = found[-1][1]
    if blocks and blocks[-1][1]["type"] != "text":
        return
    if any(block["type"] == "server_tool_use" for _, block in blocks):
        return
    made = generation(body["model"])
    if made is not None and made >= _NO_PREFILL_SINCE:
        raise RefusedError(400, "messages: this model takes no prefill; end with a user message")
    if _output_format(body) is not None:
        raise RefusedError(400, "output_config.format: not together with a prefill")


def _check_current_version(found: list[tuple[str, list[tuple[str, Block]]]]) -> None:
    for role, blocks in found:
        for path, block in blocks:
            if role == "assistant" and block["type"] == "document":
                raise RefusedError(400, f"{path}: documents belong in messages of the user")
            if role != "user":
                continue
            inner = [(path, block)]
            if block["type"] == "search_result":
                inner = [(f"{path}.content.{i}", b) for i, b in enumerate(block["content"])]
            for where, text in inner:
                if text["type"] == "text" and text.get("citations"):
                    raise RefusedError(400, f"{where}.citations: only in messages of the assistant")
