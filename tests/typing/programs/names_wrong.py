"""Names that do not exist are errors, although the packages load theirs lazily."""

from __future__ import annotations

import claude_client
import claude_rest
from claude_client import types
from claude_client.types import BetaTextBlock  # error
from claude_rest import models, params
from claude_rest.models import BetaUsage  # error
from claude_rest.params import BetaMessageParam  # error

__all__ = ["BetaMessageParam", "BetaTextBlock", "BetaUsage"]


def attributes() -> None:
    print(models.BetaMessage)  # error
    print(params.MesageParam)  # error
    print(claude_rest.Clent)  # error
    print(claude_client.Anthropic)  # error
    print(types.BetaMessage)  # error
