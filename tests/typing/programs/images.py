"""What may stand where base64 goes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import BinaryIO

from typing_extensions import assert_type

from claude_client import Base64Input, Claude, RawJSON, document, image
from claude_client.types import (
    Base64ImageSourceParam,
    Base64PDFSourceParam,
    DocumentBlockParam,
    ImageBlockParam,
    MessageParam,
)

MODEL = "claude-opus-5-5"


def sources(path: Path, file: BinaryIO, content: bytes) -> list[Base64ImageSourceParam]:
    with path.open("rb") as opened:
        return [
            {"type": "base64", "media_type": "image/png", "data": "YWJj"},
            {"type": "base64", "media_type": "image/png", "data": path},
            {"type": "base64", "media_type": "image/png", "data": file},
            {"type": "base64", "media_type": "image/png", "data": opened},
            {"type": "base64", "media_type": "image/png", "data": io.BytesIO(content)},
            {"type": "base64", "media_type": "image/png", "data": content},
            {"type": "base64", "media_type": "image/png", "data": bytearray(content)},
            {"type": "base64", "media_type": "image/png", "data": memoryview(content)},
        ]


def pdf(data: Base64Input) -> Base64PDFSourceParam:
    return {"type": "base64", "media_type": "application/pdf", "data": data}


def blocks(client: Claude, path: Path) -> None:
    assert_type(image(path), ImageBlockParam)
    assert_type(document(b"%PDF-", title="Report"), DocumentBlockParam)
    turn: MessageParam = {
        "role": "user",
        "content": [
            image(path, media_type="image/png"),
            document(path, cache_control={"type": "ephemeral"}),
            {
                "type": "tool_result",
                "tool_use_id": "toolu_1",
                "content": [{"type": "image", "source": sources(path, io.BytesIO(), b"")[0]}],
            },
        ],
    }
    client.messages.create(model=MODEL, max_tokens=1, messages=[turn])
    client.messages.batches.create(
        requests=[
            {"custom_id": "a", "params": {"model": MODEL, "max_tokens": 1, "messages": [turn]}}
        ]
    )


def ready(client: Claude) -> int:
    prefix = RawJSON.of({"role": "user", "content": "Hi"})
    client.messages.create(
        model=MODEL,
        max_tokens=1,
        messages=[prefix, {"role": "user", "content": "Hi"}],
        system=RawJSON(b'"Be brief."'),
    )
    return len(prefix.data)
