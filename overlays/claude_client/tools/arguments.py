"""Arguments of ``messages.tool_runner``, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import NotRequired

    from claude_rest._runtime.caller import RequestOptions
    from claude_rest._runtime.unset import Unset
    from claude_rest.params import (
        BillingPolicyParam,
        CacheControlEphemeralParam,
        CompactionConfigParam,
        ContextManagementConfigParam,
        DiagnosticsParam,
        FallbackCreditToken,
        FallbacksParam,
        MessageContainerParam,
        MessageParam,
        MessageThreadParam,
        MetadataParam,
        Model,
        OutputConfigParam,
        RequestMCPServerURLDefinitionParam,
        TextBlockParam,
        ThinkingConfigParam,
        ToolChoiceParam,
        ToolUnionParam,
    )

    from .function_tools import RunnableTool
    from .steps import ToolCall

    class ToolRunnerArguments(RequestOptions):
        """Those of ``messages.create``, and what the loop is to do."""

        # A TypedDict cannot leave out fields of another: all but `stream` and `tools` are those
        # of MessageCreateParams, which a test holds.
        max_tokens: int
        messages: Sequence[MessageParam]
        model: Model
        billing_policy: NotRequired[BillingPolicyParam | None]
        cache_control: NotRequired[CacheControlEphemeralParam | None]
        compaction: NotRequired[CompactionConfigParam | None]
        container: NotRequired[MessageContainerParam | None]
        context_management: NotRequired[ContextManagementConfigParam | None]
        diagnostics: NotRequired[DiagnosticsParam | None]
        fallback_credit_token: NotRequired[FallbackCreditToken | None]
        fallbacks: NotRequired[FallbacksParam | None]
        inference_geo: NotRequired[str | None]
        mcp_servers: NotRequired[Sequence[RequestMCPServerURLDefinitionParam]]
        metadata: NotRequired[MetadataParam]
        output_config: NotRequired[OutputConfigParam]
        service_tier: NotRequired[Literal["auto", "standard_only"]]
        speed: NotRequired[Literal["standard", "fast"] | None]
        stop_sequences: NotRequired[Sequence[str]]
        system: NotRequired[str | Sequence[TextBlockParam]]
        temperature: NotRequired[float]
        thinking: NotRequired[ThinkingConfigParam]
        thread: NotRequired[MessageThreadParam | None]
        tool_choice: NotRequired[ToolChoiceParam]
        top_k: NotRequired[int]
        top_p: NotRequired[float]
        user_profile_id: NotRequired[str | Unset]
        tools: NotRequired[Sequence[RunnableTool | Callable[..., Any] | ToolUnionParam]]
        """Tools made by ``tool``, functions to make tools of, and definitions of others."""
        stream: NotRequired[bool]
        """Whether turns are streamed: each begins with a step that has the stream."""
        max_iterations: NotRequired[int | None]
        """Most requests to send; 100 unless given, None for no limit."""
        max_total_tokens: NotRequired[int | None]
        """Tokens, in and out, after which no further request is sent; it may be exceeded by one."""
        max_concurrency: NotRequired[int]
        """Most calls of one turn to run side by side.

        8 in a runner of an asynchronous client; 1 in others, which take threads for more.
        """
        raise_on: NotRequired[type[Exception] | tuple[type[Exception], ...]]
        """Exceptions of tools to let through; the model is told about all others."""
        on_tool_error: NotRequired[Callable[[ToolCall, Exception], Any]]
        """Called with each exception the model is told about; returns what it is told, or None.

        A coroutine function will do in a runner of an asynchronous client.
        """
