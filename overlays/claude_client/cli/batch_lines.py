"""Requests of a batch from the lines of a file. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from claude_rest._runtime.codec import DecodeError, loads

from .arguments import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_requests(
    lines: Iterable[bytes], name: str, defaults: Mapping[str, Any]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield a request, and the number of its line, for each line that is not blank.

    A line is an object of ``custom_id`` and ``params``, or the params alone. Without an ID of its
    own a request gets one from the number of its line, ``line-1`` for the first: the same each
    time the file is read.

    Args:
        lines: Lines of JSON.
        name: What to call the file in messages.
        defaults: Params of requests that do not have them.

    Raises:
        UsageError: a line is no request; the message has its number.
    """
    for line_number, line in enumerate(lines, start=1):
        text = line.strip()
        if line_number == 1:
            text = text.removeprefix(_BYTE_ORDER_MARK)
        if text:
            try:
                yield line_number, _request(text, line_number, defaults)
            except ValueError as error:
                raise UsageError(f"{name}, line {line_number}: {error}") from None


def _request(text: bytes, line_number: int, defaults: Mapping[str, Any]) -> dict[str, Any]:
    try:
        value: Any = loads(text)
    except DecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    fields = cast("dict[str, Any]", value)
    custom_id: Any = f"line-{line_number}"
    params: Any = fields
    if "params" in fields:
        unknown = sorted(set(fields) - {"custom_id", "params"})
        if unknown:
            raise ValueError(f"{unknown[0]!r} beside 'custom_id' and 'params'")
        custom_id = fields.get("custom_id", custom_id)
        params = fields["params"]
        if not isinstance(params, dict):
            raise ValueError("'params' is not a JSON object")
    elif "custom_id" in fields:
        raise ValueError("'custom_id' without 'params'")
    if not isinstance(custom_id, str):
        raise ValueError("'custom_id' is not a string")
    whole: dict[str, Any] = {**defaults, **cast("dict[str, Any]", params)}
    missing = [each for each in ("model", "max_tokens", "messages") if each not in whole]
    if missing:
        raise ValueError(f"no {missing[0]!r}")
    return {"custom_id": custom_id, "params": whole}
