"""Errors of single requests of a batch, typed like those of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claude_rest._runtime.codec import dumps
from claude_rest._runtime.errors import APIStatusError, error_from_event

from .errors import BatchError

if TYPE_CHECKING:
    from claude_rest.models import Message, MessageBatchIndividualResponse


class BatchItemError(BatchError):
    """A request of a batch has no message; the class says why."""

    custom_id: str
    """Name of the request."""
    batch_id: str | None
    """The batch it was in, where that is known."""
    retryable: bool = True
    """Whether the same request may succeed when it is handed in again."""

    def __init__(self, custom_id: str, problem: str, *, batch_id: str | None = None) -> None:
        """Name the request and say what became of it."""
        of = "" if batch_id is None else f" of {batch_id}"
        super().__init__(f"request {custom_id!r}{of}: {problem}")
        self.custom_id = custom_id
        self.batch_id = batch_id


class BatchItemCanceledError(BatchItemError):
    """The batch was cancelled before the request ran; it was not billed."""


class BatchItemExpiredError(BatchItemError):
    """The batch came to its end, after 24 hours, before the request ran; it was not billed."""


class BatchItemUnknownError(BatchItemError):
    """The request ended in a way that this version does not know."""

    retryable = False


class BatchItemErroredError(BatchItemError):
    """The request failed; it was not billed."""

    error: APIStatusError
    """What sending the request on its own would have raised."""

    def __init__(
        self, custom_id: str, error: APIStatusError, *, batch_id: str | None = None
    ) -> None:
        """Name the request and its error."""
        super().__init__(custom_id, f"{error.type or 'error'}: {error.message}", batch_id=batch_id)
        self.error = error
        self.__cause__ = error

    @property
    def type(self) -> str | None:
        """``error.type`` as sent, for example ``overloaded_error``."""
        return self.error.type

    @property
    def request_id(self) -> str | None:
        """Id under which the API handled the request."""
        return self.error.request_id


class BatchItemInvalidRequestError(BatchItemErroredError):
    """The request is not valid; it has to be put right first."""

    retryable = False


class BatchItemAuthenticationError(BatchItemErroredError):
    """The credential of the batch no longer held when the request ran."""

    retryable = False


class BatchItemBillingError(BatchItemErroredError):
    """Billing stood in the way."""

    retryable = False


class BatchItemPermissionError(BatchItemErroredError):
    """The credential may not do what the request asks for."""

    retryable = False


class BatchItemNotFoundError(BatchItemErroredError):
    """Something the request names, such as its model, is not there."""

    retryable = False


class BatchItemTooLargeError(BatchItemErroredError):
    """The request is too large."""

    retryable = False


class BatchItemRateLimitError(BatchItemErroredError):
    """A limit was reached."""


class BatchItemTimeoutError(BatchItemErroredError):
    """The request took too long."""


class BatchItemOverloadedError(BatchItemErroredError):
    """The API had no room for the request."""


class BatchItemServerError(BatchItemErroredError):
    """The API failed."""


_BY_TYPE: dict[str | None, type[BatchItemErroredError]] = {
    "api_error": BatchItemServerError,
    "authentication_error": BatchItemAuthenticationError,
    "billing_error": BatchItemBillingError,
    "invalid_request_error": BatchItemInvalidRequestError,
    "not_found_error": BatchItemNotFoundError,
    "overloaded_error": BatchItemOverloadedError,
    "permission_error": BatchItemPermissionError,
    "rate_limit_error": BatchItemRateLimitError,
    "request_too_large": BatchItemTooLargeError,
    "timeout_error": BatchItemTimeoutError,
}


def batch_item_error(
    item: MessageBatchIndividualResponse, *, batch_id: str | None = None
) -> BatchItemError | None:
    """Return the error of a result, or None if the request succeeded."""
    result: Any = item.result
    kind = getattr(result, "type", None)
    if kind == "succeeded":
        return None
    if kind == "canceled":
        problem = "canceled before it ran"
        return BatchItemCanceledError(item.custom_id, problem, batch_id=batch_id)
    if kind == "expired":
        problem = "expired before it ran"
        return BatchItemExpiredError(item.custom_id, problem, batch_id=batch_id)
    if kind != "errored":
        problem = f"ended as {kind!r}, which this version does not know"
        return BatchItemUnknownError(item.custom_id, problem, batch_id=batch_id)
    body = result.to_dict().get("error")
    error = error_from_event(dumps(body), headers={}, http_status=200)
    # It came in a line of the results, and is worded like an answer of its own.
    error.origin = "response"
    error.http_status = error.status_code
    chosen = _BY_TYPE.get(error.type, BatchItemErroredError)
    return chosen(item.custom_id, error, batch_id=batch_id)


def batch_item_message(
    item: MessageBatchIndividualResponse, *, batch_id: str | None = None
) -> Message:
    """Return the message of a result. Raises :class:`BatchItemError` if there is none."""
    error = batch_item_error(item, batch_id=batch_id)
    if error is not None:
        raise error
    result: Any = item.result
    message: Message = result.message
    return message
