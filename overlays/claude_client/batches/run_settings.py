"""How a run of batches is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from claude_rest.operations.message_batches import MESSAGES_BATCHES_CREATE

from ..calls import checked_options
from .waiting import BatchPolling

if TYPE_CHECKING:
    from collections.abc import Callable

    from claude_rest._runtime.caller import CallOptions

    from ..retries import RetryPolicy
    from ..retry_budget import RetryBudget
    from .waiting import BatchProgress

Order = Literal["arrival", "request"]

SETTLE_SECONDS = 60.0
"""How long a batch whose creation was not answered is looked for before it is created again."""


class BatchSettings:
    """How a run is carried out."""

    __slots__ = (
        "budget",
        "max_bytes",
        "max_requests",
        "options",
        "order",
        "policy",
        "poll",
        "progress",
        "settle_seconds",
        "timeout",
        "user_profile_id",
    )

    def __init__(
        self,
        *,
        policy: RetryPolicy,
        budget: RetryBudget | None,
        options: CallOptions,
        user_profile_id: Any,
        max_requests: int,
        max_bytes: int,
        order: Order,
        poll: BatchPolling | float | None,
        timeout: float | None,
        progress: Callable[[BatchProgress], object] | bool | None,
        settle_seconds: float,
    ) -> None:
        """Take the settings.

        Raises ``ValueError`` for an order that there is not, ``TypeError`` for such an option.
        """
        if order not in ("arrival", "request"):
            raise ValueError(f"order must be 'arrival' or 'request', not {order!r}")
        given: dict[str, Any] = {**checked_options(MESSAGES_BATCHES_CREATE, options)}
        retries = given.pop("max_retries", None)
        self.policy = policy if retries is None else policy.replace(max_retries=retries)
        self.budget = budget
        self.options = given
        self.user_profile_id = user_profile_id
        self.max_requests = max_requests
        self.max_bytes = max_bytes
        self.order = order
        self.poll = BatchPolling.of(poll)
        self.timeout = timeout
        self.progress = progress
        self.settle_seconds = settle_seconds

    @property
    def reading(self) -> dict[str, Any]:
        """Options of the calls that create nothing."""
        mine = ("betas", "extra_body")
        return {name: value for name, value in self.options.items() if name not in mine}
