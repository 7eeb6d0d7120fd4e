"""Thinking blocks: made when a request asks for thinking, and recognised when they come back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256
from itertools import chain
from typing import Any, Final

from .conversation import turns
from .exchange import RefusedError
from .json_values import object_at

Body = Mapping[str, Any]

_MARK: Final = b"mock thinking "
_SHOWN: Final = 60


def thinking_block(body: Body, asked: str) -> dict[str, Any] | None:
    """Return the thinking that comes before an answer, or None when none is asked for.

    With ``display`` ``omitted`` the text is empty; the signature stands for it.
    """
    config = object_at(body, "thinking")
    if config.get("type") not in ("enabled", "adaptive"):
        return None
    text = full_thinking(asked)
    shown = "" if config.get("display") == "omitted" else text
    return {"type": "thinking", "thinking": shown, "signature": sign(shown)}


def full_thinking(asked: str) -> str:
    """Return what the mock thinks about a text, however much of it is shown."""
    words = len(asked.split())
    about = " ".join(asked.split())[:_SHOWN]
    return f"The user wrote {words} words: {about}. I am a mock, so I say them again."


def sign(text: str) -> str:
    """Return the signature of a thinking text."""
    return base64.b64encode(_MARK + sha256(text.encode("utf-8", "replace")).digest()).decode()


def check_thinking_blocks(body: Body) -> None:
    """Require the thinking of the latest assistant turn as the mock gave it.

    Signatures that are not of the mock's making are taken as they are.

    Raises:
        RefusedError: 400 with the path of a block that was changed.
    """
    latest = [blocks for role, blocks in turns(body) if role == "assistant"][-1:]
    for path, block in chain.from_iterable(latest):
        if block["type"] != "thinking":
            continue
        signature = block["signature"]
        if _is_own(signature) and signature != sign(block["thinking"]):
            raise RefusedError(
                400, f"{path}: thinking blocks of the latest assistant message cannot be modified"
            )


def _is_own(signature: str) -> bool:
    try:
        return base64.b64decode(signature, validate=True).startswith(_MARK)
    except (binascii.Error, ValueError):
        return False
