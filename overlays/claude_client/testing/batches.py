"""Message batches: kept in memory, answered by what answers single messages.

A batch runs the moment it is asked about for the last time before its end: it says
``in_progress`` (``canceling`` once cancelled) as often as the mock is told to, then ``ended``.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .exchange import JSON_LINES_TYPE, Answer, RefusedError, encode
from .workspace import StoredBatch, page_by_id, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .answers import Call
    from .routing import MockOperation, Router

_DAY_SECONDS: Final = 24 * 60 * 60
_LOOPBACK: Final = re.compile(r"(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?")
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
    seen: set[str] = set()
    for index, request in enumerate(call.body["requests"]):
        if request["custom_id"] in seen:
            raise RefusedError(400, f"requests.{index}.custom_id: used twice in this batch")
        seen.add(request["custom_id"])
    batch = StoredBatch(
        number=call.workspace.next_number(),
        id=call.identifiers.next("msgbatch") if example is None else example["id"],
        created_at=timestamp(call.now) if example is None else example["created_at"],
        expires_at=timestamp(call.now + _DAY_SECONDS) if example is None else example["expires_at"],
        requests=[(request["custom_id"], request["params"]) for request in call.body["requests"]],
        flags=call.flags,
        version=call.version,
        polls=call.batch_polls,
    )
    call.workspace.batches[batch.id] = batch
    return Answer.of(_show(batch, call))


def list_batches(call: Call) -> Answer:
    """Answer with one page of batches."""
    batches = list(call.workspace.batches.values())
    return Answer.of(page_by_id(batches, call.query, lambda batch: _show(batch, call)))


def retrieve_batch(call: Call) -> Answer:
    """Tell how far a batch is, and let it get on."""
    batch = _find(call)
    if batch.ended_at is None:
        if batch.polls <= 0:
            _end(batch, call)
        batch.polls -= 1
    return Answer.of(_show(batch, call))


def cancel_batch(call: Call) -> Answer:
    """Cancel a batch; none of its requests has been answered yet."""
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
    return Answer(_lines(batch.results), JSON_LINES_TYPE)


def _lines(results: list[dict[str, Any]]) -> Iterator[bytes]:
    for result in reversed(results):
        yield encode(result) + b"\n"


def _find(call: Call) -> StoredBatch:
    batch = call.workspace.batches.get(call.path["message_batch_id"])
    if batch is None:
        raise RefusedError(404, f"message batch: {call.path['message_batch_id'][:80]}")
    return batch


def _end(batch: StoredBatch, call: Call) -> None:
    for custom_id, params in batch.requests:
        if batch.cancel_initiated_at is not None:
            result: dict[str, Any] = {"type": "canceled"}
        else:
            result = _result(params, batch, call)
        batch.results.append({"custom_id": custom_id, "result": result})
    batch.ended_at = timestamp(call.now)


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
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    if batch.ended_at is None:
        counts["processing"] = len(batch.requests)
    for result in batch.results:
        counts[result["result"]["type"]] += 1
    status = "in_progress" if batch.cancel_initiated_at is None else "canceling"
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": status if batch.ended_at is None else "ended",
        "request_counts": counts,
        "created_at": batch.created_at,
        "expires_at": batch.expires_at,
        "ended_at": batch.ended_at,
        "cancel_initiated_at": batch.cancel_initiated_at,
        "archived_at": None,
        "results_url": None if batch.ended_at is None else _results_url(batch, call),
    }


def _results_url(batch: StoredBatch, call: Call) -> str:
    host = call.request.header("host") or "api.anthropic.com"
    scheme = "http" if _LOOPBACK.fullmatch(host) else "https"
    return f"{scheme}://{host}/v1/messages/batches/{batch.id}/results"
