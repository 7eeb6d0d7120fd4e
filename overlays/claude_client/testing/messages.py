"""Made-up messages: an echo of what was asked, cut and counted as a model's answer would be.

What the answer is made of, in this order, each part only when the request asks for it:

- thinking, with ``thinking`` ``enabled`` or ``adaptive``;
- a summary, when a compaction edit sets in, or as the whole answer to ``compaction``;
- calls of server tools with their results, then calls of the caller's tools (``tool_calls`` says
  which tools are called); those end the answer with ``tool_use``;
- text: a value of the schema of ``output_config.format``, else quotes from documents with
  ``citations.enabled``, else what the tools gave back, else the last text of the user.

``pause_turn`` and ``refusal`` never come by themselves; a test that wants them says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from .citations import cited_blocks
from .context_edits import EditedPrompt, edit_prompt, summarize
from .conversation import blocks_of, check_conversation, last_user_text, tool_results
from .exchange import RefusedError
from .json_values import is_object, object_at
from .prompt_cache import CacheUse, PromptCache, has_breakpoints, prompt_blocks
from .samples import sample
from .server_tools import ServerCalls
from .thinking import check_thinking_blocks, full_thinking, sign, thinking_block
from .threads import Threads
from .tokens import count_prompt, count_text, pieces
from .tool_calls import call_block, chosen_tools, is_server_tool

if TYPE_CHECKING:
    from .identifiers import Identifiers
    from .workspace import StoredFile

Body = Mapping[str, Any]
Blocks = list[dict[str, Any]]

_QUOTED: Final = 2_000


def make_message(
    body: Body,
    identifiers: Identifiers,
    *,
    version: str = "",
    models: Sequence[Mapping[str, Any]] = (),
    files: Mapping[str, StoredFile] | None = None,
    cache: PromptCache | None = None,
    threads: Threads | None = None,
    scope: str = "",
    now: float = 0.0,
) -> dict[str, Any]:
    """Return the answer to a valid Messages request body (spec: Message).

    Content and stop reason depend on the body and the files alone, usage on the cache as well.

    Args:
        body: Body that the schema lets through.
        identifiers: Where IDs come from.
        version: API version of the request.
        models: Models that are known, with their capabilities.
        files: Files that the body may refer to, by ID.
        cache: Prompt cache; nothing is cached without one.
        threads: Conversations that are held; none can be continued without them.
        scope: Workspace; each has a cache and threads of its own.
        now: Seconds since 1970.

    Raises:
        RefusedError: 400 for what no schema can forbid, such as an empty conversation; 404 for a
            thread that is not held.
    """
    max_tokens = int(body["max_tokens"])  # JSON may say 64.0
    if max_tokens < 0:
        raise RefusedError(400, "max_tokens: must be at least 0")
    threads = threads or Threads()
    sent = body
    body = threads.whole(sent, scope=scope, now=now)
    try:
        check_request(body, models=models, version=version)
    except RefusedError:
        if body is not sent:
            threads.reopen(sent, scope=scope)
        raise
    edited = edit_prompt(body)
    asked = last_user_text(body).strip()
    calls = ServerCalls(body, asked, identifiers, now)
    content, stop_reason = _content(body, edited, asked, calls, files or {})
    content, stop_sequence = _stopped(content, body.get("stop_sequences") or ())
    if stop_sequence is not None:
        stop_reason = "stop_sequence"
    thought = count_text(full_thinking(asked))
    content, output_tokens, cut = _fitted(content, max_tokens, thought)
    if cut:
        stop_reason, stop_sequence = "max_tokens", None
    total = count_prompt(edited.body)
    use = CacheUse() if cache is None else cache.use(edited.body, scope=scope, now=now)
    usage: dict[str, Any] = {
        **use.usage(total),
        "output_tokens": output_tokens,
        "service_tier": "standard",
        **calls.usage(),
    }
    if content and content[0]["type"] == "thinking":
        usage["output_tokens_details"] = {"thinking_tokens": min(thought, output_tokens)}
    if edited.summary is not None:
        usage["iterations"] = _iterations(usage, edited)
    for name in ("inference_geo", "speed"):
        if body.get(name) is not None:
            usage[name] = body[name]
    message: dict[str, Any] = {
        "id": identifiers.next("msg"),
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": usage,
    }
    if calls.container is not None:
        message["container"] = calls.container
    if edited.applied is not None:
        message["context_management"] = {"applied_edits": edited.applied}
    diagnostics = body.get("diagnostics")
    if cache is not None and is_object(diagnostics):
        reason = cache.diagnose(diagnostics.get("previous_message_id"), body)
        message["diagnostics"] = None if reason is None else {"cache_miss_reason": reason}
        cache.remember(message["id"], body)
    threads.keep(body, message, scope=scope, now=now)
    return message


def count_input(
    body: Body, *, version: str = "", models: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return the answer to a valid token count (spec: MessageTokensCount).

    Raises:
        RefusedError: 400 for what a Messages request with this body would be refused for.
    """
    check_request(body, models=models, version=version)
    edited = edit_prompt(body)
    count: dict[str, Any] = {"input_tokens": count_prompt(edited.body)}
    if edited.applied is not None:
        count["context_management"] = {"original_input_tokens": edited.original_tokens}
    return count


def check_request(body: Body, *, models: Sequence[Mapping[str, Any]], version: str) -> None:
    """Refuse a valid body that the API would not answer.

    Raises:
        RefusedError: 400 with the path of what is wrong.
    """
    check_conversation(body, models=models, version=version)
    check_thinking_blocks(body)
    if has_breakpoints(body):
        prompt_blocks(body)


def _content(
    body: Body,
    edited: EditedPrompt,
    asked: str,
    calls: ServerCalls,
    files: Mapping[str, StoredFile],
) -> tuple[Blocks, str]:
    """Return the blocks of the whole answer and why it ends."""
    if is_object(body.get("compaction")):
        return [summarize(body)], "compaction"
    content: Blocks = []
    if edited.summary is not None:
        content.append(edited.summary)
        if edited.pause:
            return content, "compaction"
    thinking = thinking_block(body, asked)
    if thinking is not None:
        content.append(thinking)
    results = tool_results(body)
    own: Blocks = []
    for tool in chosen_tools(body, asked, answered=bool(results)):
        if is_server_tool(tool):
            calls.run(tool)
        else:
            own.append(call_block(tool, calls.identifiers.next("toolu"), asked))
    content += calls.blocks
    if own:
        return [*content, *own], "tool_use"
    return [*content, *_text(body, asked, calls, files, results)], "end_turn"


def _text(
    body: Body,
    asked: str,
    calls: ServerCalls,
    files: Mapping[str, StoredFile],
    results: Sequence[Body],
) -> Blocks:
    output_format = object_at(body, "output_config").get("format")
    if is_object(output_format):
        text = json.dumps(sample(output_format.get("schema")), ensure_ascii=False)
        return [{"type": "text", "text": text}]
    cited = cited_blocks(body, asked, files)
    if cited:
        return cited
    block: dict[str, Any] = {"type": "text", "text": _echo(asked, results)}
    if calls.citations:
        block["citations"] = calls.citations
    return [block]


def _echo(asked: str, results: Sequence[Body]) -> str:
    if results:
        texts = [
            str(part.get("text") or f"[{part['type']}]")
            for result in results
            for part in blocks_of(result.get("content"))
        ]
        return f"This is the mock API. The tools said: {_short(' '.join(texts))}"
    if not asked:
        return "This is the mock API. There was no text to answer."
    return f"This is the mock API. You said: {_short(asked)}"


def _short(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def _stopped(content: Blocks, sequences: Sequence[str]) -> tuple[Blocks, str | None]:
    """Cut an answer before the stop sequence that comes first in its text; name it, or None."""
    for index, block in enumerate(content):
        if block["type"] != "text":
            continue
        text: str = block["text"]
        found = [(text.find(sequence), sequence) for sequence in sequences if sequence]
        found = [entry for entry in found if entry[0] >= 0]
        if found:
            position, sequence = min(found)
            rest = [{**block, "text": text[:position]}] if position else []
            return [*content[:index], *rest], sequence
    return content, None


def _fitted(content: Blocks, max_tokens: int, thought: int) -> tuple[Blocks, int, bool]:
    """Cut an answer after so many tokens; tell how many it has, and whether it was cut."""
    fitted: Blocks = []
    left = max_tokens
    for block in content:
        kind = block["type"]
        cost = thought if kind == "thinking" else _cost(block)
        if cost <= left:
            fitted.append(block)
            left -= cost
            continue
        if left > 0:
            fitted.append(_cut(block, left))
        return fitted, max_tokens, True
    return fitted, max_tokens - left, False


def _cost(block: Mapping[str, Any]) -> int:
    if "text" in block:
        return count_text(block["text"])
    if "input" in block:
        return count_text(block["name"]) + count_text(json.dumps(block["input"]))
    return 0


def _cut(block: dict[str, Any], tokens: int) -> dict[str, Any]:
    """Return what of a block is there when the limit is reached in the middle of it."""
    if block["type"] == "thinking":
        text = "".join(pieces(block["thinking"])[:tokens])
        return {**block, "thinking": text, "signature": sign(text)}
    if block["type"] == "text":
        return {**block, "text": "".join(pieces(block["text"])[:tokens])}
    return {**block, "input": {}}


def _iterations(usage: Mapping[str, Any], edited: EditedPrompt) -> list[dict[str, Any]]:
    """Return the steps of an answer with a summary in it (spec: IterationsUsage)."""
    summing = {
        "type": "compaction",
        "input_tokens": edited.original_tokens,
        "output_tokens": edited.summary_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }
    names = ("input_tokens", "output_tokens", "cache_creation_input_tokens")
    answering = {name: usage[name] for name in (*names, "cache_read_input_tokens")}
    return [summing] if edited.pause else [summing, {"type": "message", **answering}]
