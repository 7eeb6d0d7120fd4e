"""Mistakes in images and documents that type checkers find."""

from __future__ import annotations

from pathlib import Path

from claude_client import document, image
from claude_client.types import Base64ImageSourceParam, TextBlockParam


def number() -> Base64ImageSourceParam:
    return {"type": "base64", "media_type": "image/png", "data": 1}  # error


def text_file(path: Path) -> Base64ImageSourceParam:
    with path.open() as file:
        return {"type": "base64", "media_type": "image/png", "data": file}  # error


def kind_of_image(path: Path) -> Base64ImageSourceParam:
    return {"type": "base64", "media_type": "image/tiff", "data": path}  # error


def file_as_text(path: Path) -> TextBlockParam:
    return {"type": "text", "text": path}  # error


def name_of_a_file() -> object:
    return image("x.png")  # error


def name_of_a_document() -> object:
    return document("x.pdf")  # error


def media_type(path: Path) -> object:
    return image(path, media_type="image/tiff")  # error
