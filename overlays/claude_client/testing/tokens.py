"""A simple, deterministic stand-in for a tokenizer: counts grow with the text, never shrink."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from .json_values import is_array, is_object

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIECE: Final = re.compile(r"\S{1,6}\s*|\s+")

TOKENS_PER_MESSAGE: Final = 3
TOKENS_PER_IMAGE: Final = 1_500
BYTES_PER_DOCUMENT_TOKEN: Final = 24
"""Base64 documents are mostly fonts and images, so they count far less than text of their size."""

_PROMPT_PARTS: Final = ("system", "tools", "output_config", "mcp_servers")


def pieces(text: str) -> list[str]:
    """Split text into what counts as one token each; joined they are the text again."""
    return _PIECE.findall(text)


def count_text(text: str) -> int:
    """Return how many tokens a text is."""
    return sum(1 for _ in _PIECE.finditer(text))


def count_prompt(body: Mapping[str, Any]) -> int:
    """Estimate the input tokens of a Messages request body."""
    total = sum(count_value(body[part]) for part in _PROMPT_PARTS if part in body)
    for message in body["messages"]:
        total += TOKENS_PER_MESSAGE + count_value(message.get("content"))
    return total


def count_value(value: Any) -> int:
    """Return how many tokens a part of a request body is; breakpoints of the cache are none."""
    if isinstance(value, str):
        return count_text(value)
    if is_array(value):
        return sum(count_value(element) for element in value)
    if is_object(value):
        if value.get("type") == "base64":
            data = value.get("data")
            size = len(data) if isinstance(data, str) else 0
            is_image = str(value.get("media_type", "")).startswith("image/")
            return TOKENS_PER_IMAGE if is_image else 1 + size // BYTES_PER_DOCUMENT_TOKEN
        return sum(
            1 + count_value(element) for key, element in value.items() if key != "cache_control"
        )
    return 0 if value is None else count_text(json.dumps(value))
