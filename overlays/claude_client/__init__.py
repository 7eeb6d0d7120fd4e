"""A client for the Claude API.

``from claude_client import Claude`` is where to start; every piece it is made of can be used
without it. Importing this package loads nothing else: each name is loaded when first used.
"""

from __future__ import annotations

from importlib import import_module

# Type checkers take this for typing.TYPE_CHECKING, whose module takes longer to load than this.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from claude_rest._runtime.base64_content import Base64Input as Base64Input
    from claude_rest._runtime.binary import AsyncBinaryResponse as AsyncBinaryResponse
    from claude_rest._runtime.binary import BinaryResponse as BinaryResponse
    from claude_rest._runtime.caller import RequestOptions as RequestOptions
    from claude_rest._runtime.file_contents import SizedChunks as SizedChunks
    from claude_rest._runtime.meta import Meta as Meta
    from claude_rest._runtime.multipart import FileInput as FileInput
    from claude_rest._runtime.operation import BetaSource as BetaSource
    from claude_rest._runtime.page import AsyncPage as AsyncPage
    from claude_rest._runtime.page import AsyncPaginator as AsyncPaginator
    from claude_rest._runtime.page import Page as Page
    from claude_rest._runtime.rate_limits import RateLimit as RateLimit
    from claude_rest._runtime.rate_limits import RateLimits as RateLimits
    from claude_rest._runtime.raw_json import RawJSON as RawJSON
    from claude_rest._runtime.raw_response import APIResponse as APIResponse
    from claude_rest._runtime.raw_response import AsyncAPIResponse as AsyncAPIResponse
    from claude_rest._runtime.sse import ServerSentEvent as ServerSentEvent
    from claude_rest._runtime.sse import SSEDecoder as SSEDecoder
    from claude_rest._runtime.stream import AsyncJSONLStream as AsyncJSONLStream
    from claude_rest._runtime.stream import AsyncStream as AsyncStream
    from claude_rest._runtime.stream import JSONLStream as JSONLStream
    from claude_rest._runtime.stream import Stream as Stream
    from claude_rest._runtime.streamed_response import (
        AsyncStreamedAPIResponse as AsyncStreamedAPIResponse,
    )
    from claude_rest._runtime.streamed_response import StreamedAPIResponse as StreamedAPIResponse
    from claude_rest._runtime.struct import Struct as Struct
    from claude_rest._runtime.struct import Unknown as Unknown
    from claude_rest._runtime.timeouts import Timeout as Timeout
    from claude_rest._runtime.transfer import Transfer as Transfer
    from claude_rest._runtime.unset import UNSET as UNSET
    from claude_rest._runtime.unset import Unset as Unset

    from . import types as types
    from ._version import __version__ as __version__
    from .accumulator import InvalidToolInput as InvalidToolInput
    from .accumulator import MessageAccumulator as MessageAccumulator
    from .accumulator import OpenBlock as OpenBlock
    from .accumulator import merge_usage as merge_usage
    from .accumulator import total_input_tokens as total_input_tokens
    from .api_versions import resolve_api_version as resolve_api_version
    from .attempts import Attempts as Attempts
    from .batches.errors import BatchError as BatchError
    from .batches.errors import BatchInDoubtError as BatchInDoubtError
    from .batches.errors import BatchInputChangedError as BatchInputChangedError
    from .batches.errors import BatchJournalError as BatchJournalError
    from .batches.errors import BatchJournalLockedError as BatchJournalLockedError
    from .batches.errors import BatchRequestError as BatchRequestError
    from .batches.errors import BatchResultsError as BatchResultsError
    from .batches.errors import BatchWaitTimeoutError as BatchWaitTimeoutError
    from .batches.item_errors import BatchItemAuthenticationError as BatchItemAuthenticationError
    from .batches.item_errors import BatchItemBillingError as BatchItemBillingError
    from .batches.item_errors import BatchItemCanceledError as BatchItemCanceledError
    from .batches.item_errors import BatchItemError as BatchItemError
    from .batches.item_errors import BatchItemErroredError as BatchItemErroredError
    from .batches.item_errors import BatchItemExpiredError as BatchItemExpiredError
    from .batches.item_errors import BatchItemInvalidRequestError as BatchItemInvalidRequestError
    from .batches.item_errors import BatchItemNotFoundError as BatchItemNotFoundError
    from .batches.item_errors import BatchItemOverloadedError as BatchItemOverloadedError
    from .batches.item_errors import BatchItemPermissionError as BatchItemPermissionError
    from .batches.item_errors import BatchItemRateLimitError as BatchItemRateLimitError
    from .batches.item_errors import BatchItemServerError as BatchItemServerError
    from .batches.item_errors import BatchItemTimeoutError as BatchItemTimeoutError
    from .batches.item_errors import BatchItemTooLargeError as BatchItemTooLargeError
    from .batches.item_errors import BatchItemUnknownError as BatchItemUnknownError
    from .batches.item_errors import batch_item_error as batch_item_error
    from .batches.item_errors import batch_item_message as batch_item_message
    from .batches.journal import BatchIntent as BatchIntent
    from .batches.journal import BatchJournal as BatchJournal
    from .batches.results import AsyncBatchResults as AsyncBatchResults
    from .batches.results import BatchResults as BatchResults
    from .batches.results import RequestOrder as RequestOrder
    from .batches.run import AsyncBatchRun as AsyncBatchRun
    from .batches.run import BatchRun as BatchRun
    from .batches.splitting import BatchPart as BatchPart
    from .batches.splitting import split_requests as split_requests
    from .batches.waiting import BatchPolling as BatchPolling
    from .batches.waiting import BatchProgress as BatchProgress
    from .betas import DeprecatedBetaWarning as DeprecatedBetaWarning
    from .betas import resolve_betas as resolve_betas
    from .client import AsyncClaude as AsyncClaude
    from .client import Claude as Claude
    from .compatibility import DEFAULT_MAX_RETRIES as DEFAULT_MAX_RETRIES
    from .compatibility import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
    from .compatibility import NOT_GIVEN as NOT_GIVEN
    from .compatibility import NotGiven as NotGiven
    from .compatibility import Omit as Omit
    from .compatibility import not_given as not_given
    from .compatibility import omit as omit
    from .credentials import Credentials as Credentials
    from .credentials import resolve_credentials as resolve_credentials
    from .deprecations import ModelDeprecationWarning as ModelDeprecationWarning
    from .errors import APIConnectionError as APIConnectionError
    from .errors import APIError as APIError
    from .errors import APIResponseValidationError as APIResponseValidationError
    from .errors import APIStatusError as APIStatusError
    from .errors import APITimeoutError as APITimeoutError
    from .errors import ApiVersionConflictError as ApiVersionConflictError
    from .errors import AuthenticationError as AuthenticationError
    from .errors import BadRequestError as BadRequestError
    from .errors import BaseURLError as BaseURLError
    from .errors import BetaConflictError as BetaConflictError
    from .errors import ClaudeError as ClaudeError
    from .errors import ClientClosedRequestError as ClientClosedRequestError
    from .errors import ClosedClientError as ClosedClientError
    from .errors import ConfigurationError as ConfigurationError
    from .errors import ConflictError as ConflictError
    from .errors import ContentTooLargeError as ContentTooLargeError
    from .errors import CredentialsError as CredentialsError
    from .errors import EnvironmentVariableError as EnvironmentVariableError
    from .errors import EventSizeError as EventSizeError
    from .errors import GatewayTimeoutError as GatewayTimeoutError
    from .errors import HeaderValueError as HeaderValueError
    from .errors import HTTPNotImplementedError as HTTPNotImplementedError
    from .errors import InternalServerError as InternalServerError
    from .errors import MissingCredentialsError as MissingCredentialsError
    from .errors import MissingTransportError as MissingTransportError
    from .errors import NotFoundError as NotFoundError
    from .errors import OverloadedError as OverloadedError
    from .errors import PaginationError as PaginationError
    from .errors import PathSegmentError as PathSegmentError
    from .errors import PaymentRequiredError as PaymentRequiredError
    from .errors import PermissionDeniedError as PermissionDeniedError
    from .errors import PreconditionFailedError as PreconditionFailedError
    from .errors import RateLimitError as RateLimitError
    from .errors import RedirectError as RedirectError
    from .errors import RequestHeaderFieldsTooLargeError as RequestHeaderFieldsTooLargeError
    from .errors import RequestTimeoutError as RequestTimeoutError
    from .errors import RequestTooLargeError as RequestTooLargeError
    from .errors import ServiceUnavailableError as ServiceUnavailableError
    from .errors import SkillError as SkillError
    from .errors import SkillLimitError as SkillLimitError
    from .errors import StreamProtocolError as StreamProtocolError
    from .errors import StreamTruncatedError as StreamTruncatedError
    from .errors import UnprocessableEntityError as UnprocessableEntityError
    from .errors import UnsafePathError as UnsafePathError
    from .errors import UploadError as UploadError
    from .explain import Explanation as Explanation
    from .images_and_documents import document as document
    from .images_and_documents import image as image
    from .middleware import AsyncMiddleware as AsyncMiddleware
    from .middleware import AsyncReadyResponse as AsyncReadyResponse
    from .middleware import AttemptInfo as AttemptInfo
    from .middleware import CallInfo as CallInfo
    from .middleware import Middleware as Middleware
    from .middleware import ReadyResponse as ReadyResponse
    from .partial_json import PartialJSON as PartialJSON
    from .progress import ProgressBar as ProgressBar
    from .retries import GiveUp as GiveUp
    from .retries import Outcome as Outcome
    from .retries import Retry as Retry
    from .retries import RetryEvent as RetryEvent
    from .retries import RetryPolicy as RetryPolicy
    from .retry_budget import RetryBudget as RetryBudget
    from .skills import ArchiveLimits as ArchiveLimits
    from .skills import async_unpack_skill as async_unpack_skill
    from .skills import skill_files as skill_files
    from .skills import unpack_skill as unpack_skill
    from .stream_events import CitationEvent as CitationEvent
    from .stream_events import CompactionEvent as CompactionEvent
    from .stream_events import ContentBlockStopEvent as ContentBlockStopEvent
    from .stream_events import InputJSONEvent as InputJSONEvent
    from .stream_events import InputJsonEvent as InputJsonEvent
    from .stream_events import MessageStopEvent as MessageStopEvent
    from .stream_events import MessageStreamEvent as MessageStreamEvent
    from .stream_events import SignatureEvent as SignatureEvent
    from .stream_events import TextEvent as TextEvent
    from .stream_events import ThinkingEvent as ThinkingEvent
    from .streaming import AsyncMessageStream as AsyncMessageStream
    from .streaming import AsyncMessageStreamManager as AsyncMessageStreamManager
    from .streaming import MessageStream as MessageStream
    from .streaming import MessageStreamManager as MessageStreamManager
    from .structured_output.api_schema import ApiSchema as ApiSchema
    from .structured_output.api_schema import Dropped as Dropped
    from .structured_output.api_schema import to_api_schema as to_api_schema
    from .structured_output.errors import InvalidOutputError as InvalidOutputError
    from .structured_output.errors import NoOutputError as NoOutputError
    from .structured_output.errors import OutputNotJSONError as OutputNotJSONError
    from .structured_output.errors import OutputRefusedError as OutputRefusedError
    from .structured_output.errors import OutputTruncatedError as OutputTruncatedError
    from .structured_output.errors import StructuredOutputError as StructuredOutputError
    from .structured_output.output_format import OutputFormat as OutputFormat
    from .structured_output.parsed import ParsedMessage as ParsedMessage
    from .structured_output.schema_check import Violation as Violation
    from .structured_output.schema_check import find_violations as find_violations
    from .structured_output.streams import AsyncParsedMessageStream as AsyncParsedMessageStream
    from .structured_output.streams import (
        AsyncParsedMessageStreamManager as AsyncParsedMessageStreamManager,
    )
    from .structured_output.streams import ParsedMessageStream as ParsedMessageStream
    from .structured_output.streams import ParsedMessageStreamManager as ParsedMessageStreamManager
    from .structured_output.type_facts import UnsupportedTypeError as UnsupportedTypeError
    from .throttle import GroupState as GroupState
    from .throttle import MissingRedisError as MissingRedisError
    from .throttle import PoolState as PoolState
    from .throttle import Throttle as Throttle
    from .throttle import ThrottleStoreError as ThrottleStoreError
    from .throttle import ThrottleStoreWarning as ThrottleStoreWarning
    from .throttle import ThrottleTimeoutError as ThrottleTimeoutError
    from .throttle import WaitEvent as WaitEvent
    from .tools.confined_files import ConfinementError as ConfinementError
    from .tools.errors import InvalidToolArgumentsError as InvalidToolArgumentsError
    from .tools.errors import ToolError as ToolError
    from .tools.errors import ToolRunnerLimitError as ToolRunnerLimitError
    from .tools.function_tools import AsyncFunctionTool as AsyncFunctionTool
    from .tools.function_tools import FunctionTool as FunctionTool
    from .tools.function_tools import RunnableTool as RunnableTool
    from .tools.function_tools import beta_async_tool as beta_async_tool
    from .tools.function_tools import beta_tool as beta_tool
    from .tools.function_tools import tool as tool
    from .tools.local_memory import AsyncLocalFilesystemMemoryTool as AsyncLocalFilesystemMemoryTool
    from .tools.local_memory import (
        BetaAsyncLocalFilesystemMemoryTool as BetaAsyncLocalFilesystemMemoryTool,
    )
    from .tools.local_memory import BetaLocalFilesystemMemoryTool as BetaLocalFilesystemMemoryTool
    from .tools.local_memory import LocalFilesystemMemoryTool as LocalFilesystemMemoryTool
    from .tools.memory import AsyncMemoryTool as AsyncMemoryTool
    from .tools.memory import BetaAbstractMemoryTool as BetaAbstractMemoryTool
    from .tools.memory import BetaAsyncAbstractMemoryTool as BetaAsyncAbstractMemoryTool
    from .tools.memory import MemoryCommand as MemoryCommand
    from .tools.memory import MemoryCreateCommand as MemoryCreateCommand
    from .tools.memory import MemoryDeleteCommand as MemoryDeleteCommand
    from .tools.memory import MemoryInsertCommand as MemoryInsertCommand
    from .tools.memory import MemoryRenameCommand as MemoryRenameCommand
    from .tools.memory import MemoryStrReplaceCommand as MemoryStrReplaceCommand
    from .tools.memory import MemoryTool as MemoryTool
    from .tools.memory import MemoryViewCommand as MemoryViewCommand
    from .tools.runner import AsyncToolRunner as AsyncToolRunner
    from .tools.runner import ToolRunner as ToolRunner
    from .tools.steps import AssistantTurn as AssistantTurn
    from .tools.steps import AsyncTurnStream as AsyncTurnStream
    from .tools.steps import ToolCall as ToolCall
    from .tools.steps import ToolResult as ToolResult
    from .tools.steps import TurnStream as TurnStream
    from .webhooks import WebhookVerificationError as WebhookVerificationError

__all__ = [
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_TIMEOUT",
    "NOT_GIVEN",
    "UNSET",
    "APIConnectionError",
    "APIError",
    "APIResponse",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "ApiSchema",
    "ApiVersionConflictError",
    "ArchiveLimits",
    "AssistantTurn",
    "AsyncAPIResponse",
    "AsyncBatchResults",
    "AsyncBatchRun",
    "AsyncBinaryResponse",
    "AsyncClaude",
    "AsyncFunctionTool",
    "AsyncJSONLStream",
    "AsyncLocalFilesystemMemoryTool",
    "AsyncMemoryTool",
    "AsyncMessageStream",
    "AsyncMessageStreamManager",
    "AsyncMiddleware",
    "AsyncPage",
    "AsyncPaginator",
    "AsyncParsedMessageStream",
    "AsyncParsedMessageStreamManager",
    "AsyncReadyResponse",
    "AsyncStream",
    "AsyncStreamedAPIResponse",
    "AsyncToolRunner",
    "AsyncTurnStream",
    "AttemptInfo",
    "Attempts",
    "AuthenticationError",
    "BadRequestError",
    "Base64Input",
    "BaseURLError",
    "BatchError",
    "BatchInDoubtError",
    "BatchInputChangedError",
    "BatchIntent",
    "BatchItemAuthenticationError",
    "BatchItemBillingError",
    "BatchItemCanceledError",
    "BatchItemError",
    "BatchItemErroredError",
    "BatchItemExpiredError",
    "BatchItemInvalidRequestError",
    "BatchItemNotFoundError",
    "BatchItemOverloadedError",
    "BatchItemPermissionError",
    "BatchItemRateLimitError",
    "BatchItemServerError",
    "BatchItemTimeoutError",
    "BatchItemTooLargeError",
    "BatchItemUnknownError",
    "BatchJournal",
    "BatchJournalError",
    "BatchJournalLockedError",
    "BatchPart",
    "BatchPolling",
    "BatchProgress",
    "BatchRequestError",
    "BatchResults",
    "BatchResultsError",
    "BatchRun",
    "BatchWaitTimeoutError",
    "BetaAbstractMemoryTool",
    "BetaAsyncAbstractMemoryTool",
    "BetaAsyncLocalFilesystemMemoryTool",
    "BetaConflictError",
    "BetaLocalFilesystemMemoryTool",
    "BetaSource",
    "BinaryResponse",
    "CallInfo",
    "CitationEvent",
    "Claude",
    "ClaudeError",
    "ClientClosedRequestError",
    "ClosedClientError",
    "CompactionEvent",
    "ConfigurationError",
    "ConfinementError",
    "ConflictError",
    "ContentBlockStopEvent",
    "ContentTooLargeError",
    "Credentials",
    "CredentialsError",
    "DeprecatedBetaWarning",
    "Dropped",
    "EnvironmentVariableError",
    "EventSizeError",
    "Explanation",
    "FileInput",
    "FunctionTool",
    "GatewayTimeoutError",
    "GiveUp",
    "GroupState",
    "HTTPNotImplementedError",
    "HeaderValueError",
    "InputJSONEvent",
    "InputJsonEvent",
    "InternalServerError",
    "InvalidOutputError",
    "InvalidToolArgumentsError",
    "InvalidToolInput",
    "JSONLStream",
    "LocalFilesystemMemoryTool",
    "MemoryCommand",
    "MemoryCreateCommand",
    "MemoryDeleteCommand",
    "MemoryInsertCommand",
    "MemoryRenameCommand",
    "MemoryStrReplaceCommand",
    "MemoryTool",
    "MemoryViewCommand",
    "MessageAccumulator",
    "MessageStopEvent",
    "MessageStream",
    "MessageStreamEvent",
    "MessageStreamManager",
    "Meta",
    "Middleware",
    "MissingCredentialsError",
    "MissingRedisError",
    "MissingTransportError",
    "ModelDeprecationWarning",
    "NoOutputError",
    "NotFoundError",
    "NotGiven",
    "Omit",
    "OpenBlock",
    "Outcome",
    "OutputFormat",
    "OutputNotJSONError",
    "OutputRefusedError",
    "OutputTruncatedError",
    "OverloadedError",
    "Page",
    "PaginationError",
    "ParsedMessage",
    "ParsedMessageStream",
    "ParsedMessageStreamManager",
    "PartialJSON",
    "PathSegmentError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PoolState",
    "PreconditionFailedError",
    "ProgressBar",
    "RateLimit",
    "RateLimitError",
    "RateLimits",
    "RawJSON",
    "ReadyResponse",
    "RedirectError",
    "RequestHeaderFieldsTooLargeError",
    "RequestOptions",
    "RequestOrder",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "Retry",
    "RetryBudget",
    "RetryEvent",
    "RetryPolicy",
    "RunnableTool",
    "SSEDecoder",
    "ServerSentEvent",
    "ServiceUnavailableError",
    "SignatureEvent",
    "SizedChunks",
    "SkillError",
    "SkillLimitError",
    "Stream",
    "StreamProtocolError",
    "StreamTruncatedError",
    "StreamedAPIResponse",
    "Struct",
    "StructuredOutputError",
    "TextEvent",
    "ThinkingEvent",
    "Throttle",
    "ThrottleStoreError",
    "ThrottleStoreWarning",
    "ThrottleTimeoutError",
    "Timeout",
    "ToolCall",
    "ToolError",
    "ToolResult",
    "ToolRunner",
    "ToolRunnerLimitError",
    "Transfer",
    "TurnStream",
    "Unknown",
    "UnprocessableEntityError",
    "UnsafePathError",
    "Unset",
    "UnsupportedTypeError",
    "UploadError",
    "Violation",
    "WaitEvent",
    "WebhookVerificationError",
    "__version__",
    "async_unpack_skill",
    "batch_item_error",
    "batch_item_message",
    "beta_async_tool",
    "beta_tool",
    "document",
    "find_violations",
    "image",
    "merge_usage",
    "not_given",
    "omit",
    "resolve_api_version",
    "resolve_betas",
    "resolve_credentials",
    "skill_files",
    "split_requests",
    "to_api_schema",
    "tool",
    "total_input_tokens",
    "types",
    "unpack_skill",
]

_EXPORTS = {
    "._version": ("__version__",),
    ".accumulator": (
        "InvalidToolInput",
        "MessageAccumulator",
        "OpenBlock",
        "merge_usage",
        "total_input_tokens",
    ),
    ".api_versions": ("resolve_api_version",),
    ".attempts": ("Attempts",),
    ".batches.errors": (
        "BatchError",
        "BatchInDoubtError",
        "BatchInputChangedError",
        "BatchJournalError",
        "BatchJournalLockedError",
        "BatchRequestError",
        "BatchResultsError",
        "BatchWaitTimeoutError",
    ),
    ".batches.item_errors": (
        "BatchItemAuthenticationError",
        "BatchItemBillingError",
        "BatchItemCanceledError",
        "BatchItemError",
        "BatchItemErroredError",
        "BatchItemExpiredError",
        "BatchItemInvalidRequestError",
        "BatchItemNotFoundError",
        "BatchItemOverloadedError",
        "BatchItemPermissionError",
        "BatchItemRateLimitError",
        "BatchItemServerError",
        "BatchItemTimeoutError",
        "BatchItemTooLargeError",
        "BatchItemUnknownError",
        "batch_item_error",
        "batch_item_message",
    ),
    ".batches.journal": (
        "BatchIntent",
        "BatchJournal",
    ),
    ".batches.results": (
        "AsyncBatchResults",
        "BatchResults",
        "RequestOrder",
    ),
    ".batches.run": (
        "AsyncBatchRun",
        "BatchRun",
    ),
    ".batches.splitting": (
        "BatchPart",
        "split_requests",
    ),
    ".batches.waiting": (
        "BatchPolling",
        "BatchProgress",
    ),
    ".betas": (
        "DeprecatedBetaWarning",
        "resolve_betas",
    ),
    ".client": (
        "AsyncClaude",
        "Claude",
    ),
    ".compatibility": (
        "DEFAULT_MAX_RETRIES",
        "DEFAULT_TIMEOUT",
        "NOT_GIVEN",
        "NotGiven",
        "Omit",
        "not_given",
        "omit",
    ),
    ".credentials": (
        "Credentials",
        "resolve_credentials",
    ),
    ".deprecations": ("ModelDeprecationWarning",),
    ".errors": (
        "APIConnectionError",
        "APIError",
        "APIResponseValidationError",
        "APIStatusError",
        "APITimeoutError",
        "ApiVersionConflictError",
        "AuthenticationError",
        "BadRequestError",
        "BaseURLError",
        "BetaConflictError",
        "ClaudeError",
        "ClientClosedRequestError",
        "ClosedClientError",
        "ConfigurationError",
        "ConflictError",
        "ContentTooLargeError",
        "CredentialsError",
        "EnvironmentVariableError",
        "EventSizeError",
        "GatewayTimeoutError",
        "HTTPNotImplementedError",
        "HeaderValueError",
        "InternalServerError",
        "MissingCredentialsError",
        "MissingTransportError",
        "NotFoundError",
        "OverloadedError",
        "PaginationError",
        "PathSegmentError",
        "PaymentRequiredError",
        "PermissionDeniedError",
        "PreconditionFailedError",
        "RateLimitError",
        "RedirectError",
        "RequestHeaderFieldsTooLargeError",
        "RequestTimeoutError",
        "RequestTooLargeError",
        "ServiceUnavailableError",
        "SkillError",
        "SkillLimitError",
        "StreamProtocolError",
        "StreamTruncatedError",
        "UnprocessableEntityError",
        "UnsafePathError",
        "UploadError",
    ),
    ".explain": ("Explanation",),
    ".images_and_documents": (
        "document",
        "image",
    ),
    ".middleware": (
        "AsyncMiddleware",
        "AsyncReadyResponse",
        "AttemptInfo",
        "CallInfo",
        "Middleware",
        "ReadyResponse",
    ),
    ".partial_json": ("PartialJSON",),
    ".progress": ("ProgressBar",),
    ".retries": (
        "GiveUp",
        "Outcome",
        "Retry",
        "RetryEvent",
        "RetryPolicy",
    ),
    ".retry_budget": ("RetryBudget",),
    ".skills": (
        "ArchiveLimits",
        "async_unpack_skill",
        "skill_files",
        "unpack_skill",
    ),
    ".stream_events": (
        "CitationEvent",
        "CompactionEvent",
        "ContentBlockStopEvent",
        "InputJSONEvent",
        "InputJsonEvent",
        "MessageStopEvent",
        "MessageStreamEvent",
        "SignatureEvent",
        "TextEvent",
        "ThinkingEvent",
    ),
    ".streaming": (
        "AsyncMessageStream",
        "AsyncMessageStreamManager",
        "MessageStream",
        "MessageStreamManager",
    ),
    ".structured_output.api_schema": (
        "ApiSchema",
        "Dropped",
        "to_api_schema",
    ),
    ".structured_output.errors": (
        "InvalidOutputError",
        "NoOutputError",
        "OutputNotJSONError",
        "OutputRefusedError",
        "OutputTruncatedError",
        "StructuredOutputError",
    ),
    ".structured_output.output_format": ("OutputFormat",),
    ".structured_output.parsed": ("ParsedMessage",),
    ".structured_output.schema_check": (
        "Violation",
        "find_violations",
    ),
    ".structured_output.streams": (
        "AsyncParsedMessageStream",
        "AsyncParsedMessageStreamManager",
        "ParsedMessageStream",
        "ParsedMessageStreamManager",
    ),
    ".structured_output.type_facts": ("UnsupportedTypeError",),
    ".throttle": (
        "GroupState",
        "MissingRedisError",
        "PoolState",
        "Throttle",
        "ThrottleStoreError",
        "ThrottleStoreWarning",
        "ThrottleTimeoutError",
        "WaitEvent",
    ),
    ".tools.confined_files": ("ConfinementError",),
    ".tools.errors": (
        "InvalidToolArgumentsError",
        "ToolError",
        "ToolRunnerLimitError",
    ),
    ".tools.function_tools": (
        "AsyncFunctionTool",
        "FunctionTool",
        "RunnableTool",
        "beta_async_tool",
        "beta_tool",
        "tool",
    ),
    ".tools.local_memory": (
        "AsyncLocalFilesystemMemoryTool",
        "BetaAsyncLocalFilesystemMemoryTool",
        "BetaLocalFilesystemMemoryTool",
        "LocalFilesystemMemoryTool",
    ),
    ".tools.memory": (
        "AsyncMemoryTool",
        "BetaAbstractMemoryTool",
        "BetaAsyncAbstractMemoryTool",
        "MemoryCommand",
        "MemoryCreateCommand",
        "MemoryDeleteCommand",
        "MemoryInsertCommand",
        "MemoryRenameCommand",
        "MemoryStrReplaceCommand",
        "MemoryTool",
        "MemoryViewCommand",
    ),
    ".tools.runner": (
        "AsyncToolRunner",
        "ToolRunner",
    ),
    ".tools.steps": (
        "AssistantTurn",
        "AsyncTurnStream",
        "ToolCall",
        "ToolResult",
        "TurnStream",
    ),
    ".webhooks": ("WebhookVerificationError",),
}
"""Where each name comes from, by module of this package."""


_RUNTIME_EXPORTS = {
    ".base64_content": ("Base64Input",),
    ".binary": ("AsyncBinaryResponse", "BinaryResponse"),
    ".caller": ("RequestOptions",),
    ".file_contents": ("SizedChunks",),
    ".meta": ("Meta",),
    ".multipart": ("FileInput",),
    ".operation": ("BetaSource",),
    ".page": ("AsyncPage", "AsyncPaginator", "Page"),
    ".raw_json": ("RawJSON",),
    ".rate_limits": ("RateLimit", "RateLimits"),
    ".raw_response": (
        "APIResponse",
        "AsyncAPIResponse",
    ),
    ".sse": ("SSEDecoder", "ServerSentEvent"),
    ".stream": ("AsyncJSONLStream", "AsyncStream", "JSONLStream", "Stream"),
    ".streamed_response": ("AsyncStreamedAPIResponse", "StreamedAPIResponse"),
    ".struct": ("Struct", "Unknown"),
    ".timeouts": ("Timeout",),
    ".transfer": ("Transfer",),
    ".unset": ("UNSET", "Unset"),
}
"""The same for names of the generated package's run time."""


if not TYPE_CHECKING:
    # Hidden from type checkers: to them it would make any name exist.

    def __getattr__(name: str) -> Any:
        if name in ("types", "errors"):
            return import_module(f".{name}", __name__)
        for module, names in _EXPORTS.items():
            if name in names:
                value = globals()[name] = getattr(import_module(module, __name__), name)
                return value
        for module, names in _RUNTIME_EXPORTS.items():
            if name in names:
                from claude_rest import _runtime

                value = globals()[name] = getattr(import_module(module, _runtime.__name__), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
