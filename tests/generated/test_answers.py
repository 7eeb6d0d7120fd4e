"""What results show of the response they came with."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from claude_rest import Struct, models
from claude_rest._runtime.binary import AsyncBinaryResponse, BinaryResponse
from claude_rest._runtime.client import attach_meta
from claude_rest._runtime.meta import AnswerFacts, Meta, ResponseFacts
from claude_rest._runtime.stream import AsyncJSONLStream, AsyncStream, JSONLStream, Stream
from claude_rest._runtime.struct import Answer, model
from claude_rest._runtime.unset import UNSET, Unset
from claude_rest.models import ErrorResponse, Message, MessageBatchIndividualResponse, TextBlock
from schema_documents import BUNDLE, OBJECTS, component_of

META = Meta(
    status_code=200,
    headers={
        "request-id": "req_1",
        "anthropic-organization-id": "org_1",
        "anthropic-ratelimit-requests-remaining": "9",
    },
)
MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Hello", "citations": None}],
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


def whole_answers() -> set[str]:
    return {
        component_of(media["schema"]["$ref"])
        for methods in BUNDLE["paths"].values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        if status.startswith("2")
        for kind, media in response.get("content", {}).items()
        if kind == "application/json"
    }


def test_models_that_are_whole_answers() -> None:
    answers = {name for name in OBJECTS if issubclass(getattr(models, name), Answer)}
    assert answers == whole_answers()
    assert {"Message", "ModelInfo", "FileMetadata", "MessageTokensCount"} <= answers


@pytest.mark.parametrize("name", sorted(whole_answers()))
def test_an_answer_shows_where_it_came_from(name: str) -> None:
    plain, answer = models.decoder(name)({"future": 1}), models.decoder(name)({"future": 1})
    assert (plain.meta, plain.request_id, plain._request_id) == (None, None, None)
    assert (plain.organization_id, plain.rate_limits) == (None, None)
    attach_meta(answer, META)
    assert (answer.request_id, answer._request_id, answer.organization_id) == (
        "req_1",
        "req_1",
        "org_1",
    )
    assert answer.rate_limits.requests.remaining == 9
    assert answer == plain
    assert repr(answer) == repr(plain)
    assert answer.to_dict() == {"future": 1}
    for again in (
        pickle.loads(pickle.dumps(answer)),
        copy.copy(answer),
        copy.deepcopy(answer),
    ):
        assert again == plain
        assert again.to_dict() == {"future": 1}
        assert again.request_id == "req_1"
        assert again.rate_limits == answer.rate_limits


def test_a_part_has_none_of_it() -> None:
    result = MessageBatchIndividualResponse.from_dict(
        {"custom_id": "a", "result": {"type": "succeeded", "message": MESSAGE}}
    )
    assert result.result.type == "succeeded"
    message = result.result.message
    assert isinstance(message, Message)
    assert (message.request_id, message.organization_id, message.rate_limits) == (None,) * 3
    assert not hasattr(TextBlock(text="x"), "request_id")


def test_a_field_of_the_wire_comes_first() -> None:
    error = ErrorResponse.from_dict({"type": "error", "request_id": "req_body"})
    attach_meta(error, META)
    assert error.request_id == "req_body"
    assert not isinstance(error, Answer)

    @model
    class Report(Answer):
        rate_limits: str | Unset = UNSET  # type: ignore[assignment]  # pyright: ignore

    report = Report(rate_limits="from the body")
    attach_meta(report, META)
    assert report.rate_limits == "from the body"
    assert report.request_id == "req_1"
    assert report.to_dict() == {"rate_limits": "from the body"}
    assert Report().rate_limits is UNSET


@pytest.mark.parametrize(
    "kind",
    [Stream, AsyncStream, JSONLStream, AsyncJSONLStream, BinaryResponse, AsyncBinaryResponse],
)
def test_open_answers_show_it_too(kind: Any) -> None:
    class Body:
        meta = META

    if issubclass(kind, (BinaryResponse, AsyncBinaryResponse)):
        answer = kind(Body())
    else:
        answer = kind(iter([]), lambda value: value, meta=META)
    assert isinstance(answer, ResponseFacts)
    assert (answer.request_id, answer._request_id) == ("req_1", "req_1")
    assert answer.organization_id == "org_1"
    assert answer.rate_limits.requests is not None
    assert answer.status_code == 200


def test_struct_has_the_meta_slot() -> None:
    assert AnswerFacts().request_id is None
    assert issubclass(Answer, Struct)
    # No class has a dict of its own.
    assert not hasattr(Message.from_dict(MESSAGE), "__dict__")
