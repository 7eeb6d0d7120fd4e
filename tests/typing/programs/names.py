"""Names that the lazy packages offer."""

from __future__ import annotations

from typing_extensions import assert_type

import claude_client
import claude_rest
from claude_client import types
from claude_rest import models, params


def through_modules(data: dict[str, object]) -> models.Message:
    turn: params.MessageParam = {"role": "user", "content": "Hi"}
    again: types.MessageParam = turn
    assert_type(types.Message.from_dict(data), models.Message)
    assert_type(claude_rest.UNSET, claude_client.Unset)
    return models.Message.from_dict({**data, "n": len(again["content"])})
