"""Message batches: kept in memory, answered by what answers single messages.

A batch gets on whenever it is asked about: it says ``in_progress`` (``canceling`` once cancelled)
as often as the mock is told to, then ``ended``. Each time a part of its requests is answered, the
last part at the end; what is not answered when it is cancelled is ``canceled``, and what is not
answered a day after its creation is ``expired``. After 29 days its results are gone.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .exchange import JSON_LINES_TYPE, Answer, RefusedError, encode
from .workspace import StoredBatch, page_by_id, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .answers import Call
    from .routing import MockOperation, Router

_DAY_SECONDS: Final = 24 * 60 * 60
_RESULT_SECONDS: Final = 29 * _DAY_SECONDS
_MOST_REQUESTS: Final = 100_000
_AT_ONCE: Final = 50
"""How many requests are answered before others get at the workspace."""
_BREATH_SECONDS: Final = 0.0001
_PIECE_BYTES: Final = 64 * 1024
_UNAVAILABLE: Final = ("cache_hint", "context_hint", "speed", "thread")
"""Fields that Messages takes and batches do not."""


def frame_schema(operation: MockOperation, router: Router) -> dict[str, Any]:
    """Return the schema of a new batch without that of its ``params``, which are checked later."""
    schema = dict(router.resolve(operation.body_schema or {}))
    requests = dict(schema["properties"]["requests"])
    request = dict(router.resolve(requests["items"]))
    request["properties"] = {**request["properties"], "params": {"type": "object"}}
    requests["items"] = request
    schema["properties"] = {**schema["properties"], "requests": {**requests, "minItems": 1}}
    return schema


def create_batch(call: Call, example: Mapping[str, Any] | None) -> Answer:
    """Take in a batch; one that is an example of the spec gets the ID and times of its answer."""
    if len(call.body["requests"]) > _MOST_REQUESTS:
        raise RefusedError(413, f"requests: must have at most {_MOST_REQUESTS:,} entries")
    seen: set[str] = set()
    for index, request in enumerate(call.body["requests"]):
        if request["custom_id"] in seen:
            raise RefusedError(400, f"requests.{index}.custom_id: used twice in this batch")
        seen.add(request["custom_id"])
    call.workspace.require_space(len(call.request.body))
    batch = StoredBatch(
        number=call.workspace.next_number(),
        id=call.identifiers.next("msgbatch") if example is None else example["id"],
        created_at=timestamp(call.now) if example is None else example["created_at"],
        expires_at=timestamp(call.now + _DAY_SECONDS) if example is None else example["expires_at"],
        requests=[(request["custom_id"], request["params"]) for request in call.body["requests"]],
        flags=call.flags,
        version=call.version,
        created=call.now,
        size=len(call.request.body),
        polls=call.batch_polls,
        runs=call.batch_polls + 1,
    )
    call.workspace.batches[batch.id] = batch
    return Answer.of(_show(batch, call))


def list_batches(call: Call) -> Answer:
    """Answer with one page of batches."""
    batches = list(call.workspace.batches.values())
    for batch in batches:
        _expire(batch, call)
    return Answer.of(page_by_id(batches, call.query, lambda batch: _show(batch, call)))


def answer_ahead(call: Call) -> None:
    """Answer most of what retrieving a batch is going to find answered.

    A part at a time: between two of them others get at the workspace, which is not to be locked.
    """
    lock = call.workspace.lock
    while True:
        with lock:
            batch = call.workspace.batches.get(call.path["message_batch_id"])
            if batch is None or not is_long(batch) or call.now >= batch.created + _DAY_SECONDS:
                return
            _run(batch, call, min(len(batch.results) + _AT_ONCE, _goal(batch)))
        # Whoever waits for the lock would not get it otherwise.
        time.sleep(_BREATH_SECONDS)


def is_long(batch: StoredBatch) -> bool:
    """Return whether retrieving a batch takes a while, as many requests are to be answered."""
    return batch.ended_at is None and _goal(batch) - len(batch.results) > _AT_ONCE


def _goal(batch: StoredBatch) -> int:
    """Return how many requests are answered once the batch has been retrieved again."""
    if batch.cancel_initiated_at is not None:
        return len(batch.results)
    return len(batch.requests) * (batch.runs - max(batch.polls, 0)) // batch.runs


def retrieve_batch(call: Call) -> Answer:
    """Tell how far a batch is, and let it get on."""
    batch = _find(call)
    if batch.ended_at is None:
        _run(batch, call, _goal(batch))
        if batch.polls <= 0:
            _give_up(batch, "canceled")
            batch.ended_at = timestamp(call.now)
        else:
            batch.polls -= 1
    return Answer.of(_show(batch, call))


def cancel_batch(call: Call) -> Answer:
    """Cancel a batch; what has been answered until now stays."""
    batch = _find(call)
    if batch.ended_at is not None:
        raise RefusedError(400, f"Batch {batch.id} has ended and cannot be canceled")
    if batch.cancel_initiated_at is None:
        batch.cancel_initiated_at = timestamp(call.now)
    return Answer.of(_show(batch, call))


def delete_batch(call: Call) -> Answer:
    """Remove a batch that has ended."""
    batch = _find(call)
    if batch.ended_at is None:
        raise RefusedError(400, f"Batch {batch.id} has not ended; cancel it first")
    del call.workspace.batches[batch.id]
    return Answer.of({"id": batch.id, "type": "message_batch_deleted"})


def batch_results(call: Call) -> Answer:
    """Answer with one line for each request, in the reverse of the order they came in."""
    batch = _find(call)
    if batch.ended_at is None:
        raise RefusedError(400, f"Batch {batch.id} has not ended; it has no results yet")
    if _is_archived(batch, call):
        raise RefusedError(404, f"The results of batch {batch.id} are no longer available")
    return Answer(_lines(batch.results), JSON_LINES_TYPE)


def _lines(results: list[bytes]) -> Iterator[bytes]:
    """Yield the results, several at once: the way of each piece through a server takes its time."""
    pieces: list[bytes] = []
    size = 0
    for line in reversed(results):
        pieces.append(line)
        size += len(line)
        if size >= _PIECE_BYTES:
            yield b"".join(pieces)
            pieces.clear()
            size = 0
    if pieces:
        yield b"".join(pieces)


def _find(call: Call) -> StoredBatch:
    batch = call.workspace.batches.get(call.path["message_batch_id"])
    if batch is None:
        raise RefusedError(404, f"message batch: {call.path['message_batch_id'][:80]}")
    _expire(batch, call)
    return batch


def _run(batch: StoredBatch, call: Call, count: int) -> None:
    """Answer requests until so many have a result."""
    for place in range(len(batch.results), count):
        custom_id, params = batch.requests[place]
        _enter(batch, custom_id, _result(params, batch, call))
        # Not needed any more, and with many requests most of what the batch takes.
        batch.requests[place] = (custom_id, None)


def _enter(batch: StoredBatch, custom_id: str, result: dict[str, Any]) -> None:
    batch.results.append(encode({"custom_id": custom_id, "result": result}) + b"\n")
    batch.counts[result["type"]] += 1


def _expire(batch: StoredBatch, call: Call) -> None:
    """End a batch that has taken too long."""
    if batch.ended_at is None and call.now >= batch.created + _DAY_SECONDS:
        _give_up(batch, "expired" if batch.cancel_initiated_at is None else "canceled")
        batch.ended_at = batch.expires_at


def _give_up(batch: StoredBatch, kind: str) -> None:
    for custom_id, _ in batch.requests[len(batch.results) :]:
        _enter(batch, custom_id, {"type": kind})


def _is_archived(batch: StoredBatch, call: Call) -> bool:
    return call.now >= batch.created + _RESULT_SECONDS


def _result(params: Any, batch: StoredBatch, call: Call) -> dict[str, Any]:
    """Return what becomes of one request: the answer of Messages, or its error."""
    from .answers import answer

    try:
        single = replace(
            call,
            operation=call.router.operations["messages.create"],
            path={},
            query={},
            body=params,
            flags=batch.flags,
            version=batch.version,
        )
        single.check_body()
        for name in _UNAVAILABLE:
            if params.get(name) is not None:
                raise RefusedError(400, f"{name}: not available in batches")
        if params.get("stream"):
            raise RefusedError(400, "stream: not available in batches")
        if params["max_tokens"] == 0:
            raise RefusedError(400, "max_tokens: must be at least 1 in batches")
        found = answer(single).body
        message = json.loads(found if isinstance(found, bytes) else b"".join(found))
    except RefusedError as refusal:
        return {"type": "errored", "error": refusal.envelope(call.identifiers.next("req"))}
    message["usage"]["service_tier"] = "batch"
    return {"type": "succeeded", "message": message}


def _show(batch: StoredBatch, call: Call) -> dict[str, Any]:
    counts: dict[str, int] = dict.fromkeys(
        ("processing", "succeeded", "errored", "canceled", "expired"), 0
    )
    if batch.ended_at is None:
        # What has been answered shows only when everything has.
        counts["processing"] = len(batch.requests)
    else:
        counts.update(batch.counts)
    status = "in_progress" if batch.cancel_initiated_at is None else "canceling"
    archived = batch.ended_at is not None and _is_archived(batch, call)
    available = batch.ended_at is not None and not archived
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": status if batch.ended_at is None else "ended",
        "request_counts": counts,
        "created_at": batch.created_at,
        "expires_at": batch.expires_at,
        "ended_at": batch.ended_at,
        "cancel_initiated_at": batch.cancel_initiated_at,
        "archived_at": timestamp(batch.created + _RESULT_SECONDS) if archived else None,
        "results_url": _results_url(batch, call) if available else None,
    }


def _results_url(batch: StoredBatch, call: Call) -> str:
    return f"{call.request.origin}/v1/messages/batches/{batch.id}/results"
