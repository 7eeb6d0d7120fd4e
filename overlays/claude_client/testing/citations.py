"""Passages of the documents of a request, cited as a model would cite them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .conversation import blocks_of, user_blocks
from .json_values import is_object

if TYPE_CHECKING:
    from .workspace import StoredFile

Block = Mapping[str, Any]

_SENTENCE: Final = re.compile(r"[^.!?\n]*[.!?\n]+\s*|[^.!?\n]+$")
_MOST: Final = 4
_SEARCHED: Final = 20_000


@dataclass(frozen=True)
class _Passage:
    start: int
    text: str


def cited_blocks(
    body: Mapping[str, Any], asked: str, files: Mapping[str, StoredFile]
) -> list[dict[str, Any]]:
    """Return text blocks that quote the documents with ``citations.enabled``, one for each.

    Quoted is the sentence that shares most words with the question. Documents whose text the mock
    cannot read (PDF, pictures) are cited by their first page.
    """
    cited: list[dict[str, Any]] = []
    for citation in _citations(body, asked, files):
        if len(cited) == _MOST:
            break
        text = citation["cited_text"].strip() or "the document"
        cited.append({"type": "text", "text": text, "citations": [citation]})
    if not cited:
        return []
    return [{"type": "text", "text": "This is the mock API. The sources say: "}, *cited]


def _citations(
    body: Mapping[str, Any], asked: str, files: Mapping[str, StoredFile]
) -> Iterator[dict[str, Any]]:
    documents = results = -1
    for block in user_blocks(body):
        kind = block["type"]
        documents += kind == "document"
        results += kind == "search_result"
        config = block.get("citations")
        if not (is_object(config) and config.get("enabled")):
            continue
        if kind == "document":
            yield _from_document(block, documents, asked, files)
        elif kind == "search_result":
            texts = [part["text"] for part in block["content"]]
            place, text = _best_text(texts, asked)
            yield {
                "type": "search_result_location",
                "cited_text": text,
                "source": block["source"],
                "title": block.get("title"),
                "search_result_index": results,
                "start_block_index": place,
                "end_block_index": place + 1,
            }


def _from_document(
    block: Block, index: int, asked: str, files: Mapping[str, StoredFile]
) -> dict[str, Any]:
    source = block["source"]
    file_id = source.get("file_id")
    named = {
        "document_index": index,
        "document_title": block.get("title"),
        "file_id": file_id,
    }
    if source["type"] == "content":
        parts = blocks_of(source["content"])
        place, text = _best_text([str(part.get("text", "")) for part in parts], asked)
        return {
            "type": "content_block_location",
            "cited_text": text,
            "start_block_index": place,
            "end_block_index": place + 1,
            **named,
        }
    text = source["data"] if source["type"] == "text" else _text_of_file(files.get(file_id))
    if text:
        passage = _best(text, asked)
        return {
            "type": "char_location",
            "cited_text": passage.text,
            "start_char_index": passage.start,
            "end_char_index": passage.start + len(passage.text),
            **named,
        }
    return {
        "type": "page_location",
        "cited_text": "The first page of the document.",
        "start_page_number": 1,
        "end_page_number": 2,
        **named,
    }


def _text_of_file(file: StoredFile | None) -> str:
    if file is None or not file.mime_type.startswith("text/"):
        return ""
    return file.content.decode("utf-8", "replace")


def _best(text: str, asked: str) -> _Passage:
    """Return the sentence that shares most words with a question; the first of several."""
    wanted = _words(asked)
    passages = [_Passage(m.start(), m[0]) for m in _SENTENCE.finditer(text[:_SEARCHED])]
    told = [passage for passage in passages if passage.text.strip()]
    if not told:
        return _Passage(0, text[:_SEARCHED])
    return max(told, key=lambda passage: len(_words(passage.text) & wanted))


def _best_text(texts: list[str], asked: str) -> tuple[int, str]:
    """Return place and text of the entry that shares most words with a question."""
    wanted = _words(asked)
    places = range(len(texts))
    place = max(places, key=lambda at: len(_words(texts[at]) & wanted), default=0)
    return place, texts[place] if texts else ""


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{3,}", text[:_SEARCHED].lower()))
