"""Errors of single requests."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import claude_client
from claude_client import (
    BatchItemError,
    BatchItemErroredError,
    batch_item_error,
    batch_item_message,
)
from claude_client.types import MessageBatchIndividualResponse


def item(result: Any) -> MessageBatchIndividualResponse:
    return MessageBatchIndividualResponse.from_dict({"custom_id": "mine", "result": result})


@pytest.mark.parametrize(
    ("kind", "name", "api_name", "retryable"),
    [
        ("invalid_request_error", "InvalidRequest", "BadRequestError", False),
        ("authentication_error", "Authentication", "AuthenticationError", False),
        ("billing_error", "Billing", "PaymentRequiredError", False),
        ("permission_error", "Permission", "PermissionDeniedError", False),
        ("not_found_error", "NotFound", "NotFoundError", False),
        ("request_too_large", "TooLarge", "ContentTooLargeError", False),
        ("rate_limit_error", "RateLimit", "RateLimitError", True),
        ("timeout_error", "Timeout", "GatewayTimeoutError", True),
        ("overloaded_error", "Overloaded", "OverloadedError", True),
        ("api_error", "Server", "InternalServerError", True),
        ("new_error", "Errored", "APIStatusError", True),
    ],
)
def test_an_error_has_the_class_of_its_type(
    kind: str, name: str, api_name: str, retryable: bool
) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "Sorry"}, "request_id": "req_9"}
    error = batch_item_error(item({"type": "errored", "error": body}), batch_id="msgbatch_1")
    assert isinstance(error, BatchItemErroredError)
    assert type(error) is getattr(claude_client, f"BatchItem{name}Error")
    assert type(error.error) is getattr(claude_client, api_name)
    assert (error.type, error.request_id, error.retryable) == (kind, "req_9", retryable)
    assert (error.custom_id, error.batch_id) == ("mine", "msgbatch_1")
    assert str(error) == f"request 'mine' of msgbatch_1: {kind}: Sorry"
    assert error.__cause__ is error.error
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.custom_id) == (type(error), str(error), "mine")


@pytest.mark.parametrize(
    ("result", "name", "retryable"),
    [
        ({"type": "canceled"}, "Canceled", True),
        ({"type": "expired"}, "Expired", True),
        ({"type": "evaporated"}, "Unknown", False),
        ({"type": "errored"}, "Errored", True),
        ({"type": "errored", "error": None}, "Errored", True),
        ({"type": "errored", "error": "text"}, "Errored", True),
    ],
)
def test_other_ends_have_classes_too(result: Any, name: str, retryable: bool) -> None:
    with pytest.raises(BatchItemError, match="'mine'") as raised:
        batch_item_message(item(result))
    assert type(raised.value) is getattr(claude_client, f"BatchItem{name}Error")
    assert raised.value.retryable is retryable


def test_a_message_is_no_error() -> None:
    done = item({"type": "succeeded", "message": {"id": "msg_1", "type": "message"}})
    assert batch_item_error(done) is None
    assert batch_item_message(done).id == "msg_1"
