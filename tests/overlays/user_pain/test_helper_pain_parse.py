"""Rows of the ranking about structured output."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from both_clients import ARGUMENTS
from claude_client import InvalidOutputError, OutputFormat, find_violations, to_api_schema
from claude_client.structured_output import output_format
from claude_client.testing import MockAPI, serve
from twins import settle

if TYPE_CHECKING:
    from twins import Twin


def test_row_26_fresh_types_are_not_kept() -> None:
    """2,000 types, each used once: their schemas go when they do."""
    gc.collect()
    before = len(output_format._BY_CLASS)
    alive: list[weakref.ref[type]] = []

    def use(number: int) -> None:
        namespace: dict[str, Any] = {}
        # Recursive, so that anything that kept its fields would keep the type.
        exec(
            "from dataclasses import dataclass\n"
            "@dataclass\n"
            "class Fresh:\n"
            "    number: int\n"
            "    inner: 'Fresh | None' = None\n",
            namespace,
        )
        cls = namespace["Fresh"]
        cls.__module__ = __name__
        globals()["Fresh"] = cls
        form: OutputFormat[Any] = OutputFormat(cls)
        assert form.convert({"number": number, "inner": {"number": 1}}).number == number
        assert cls in output_format._BY_CLASS
        alive.append(weakref.ref(cls))

    for number in range(2_000):
        use(number)
    del globals()["Fresh"]
    gc.collect()
    # Some stay for a while in the caches of `typing`, which are bounded.
    assert len(output_format._BY_CLASS) - before < 300
    assert sum(1 for reference in alive if reference() is not None) < 300


def test_row_26_a_schema_is_made_once_for_a_type() -> None:
    class Known:
        __annotations__ = {"a": int}

    import dataclasses

    cls = dataclasses.dataclass(Known)
    first: OutputFormat[Any] = OutputFormat(cls)
    second: OutputFormat[Any] = OutputFormat(cls)
    assert first._schemas is second._schemas


def test_row_45_limits_are_checked_here_and_reported(twin: Twin) -> None:
    schema = {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 0, "maximum": 150}},
        "required": ["age"],
    }
    sent, dropped = to_api_schema(schema)
    assert [(drop.pointer, drop.keyword, drop.value) for drop in dropped] == [
        ("/properties/age", "minimum", 0),
        ("/properties/age", "maximum", 150),
    ]
    assert "minimum" not in sent["properties"]["age"]
    assert find_violations({"age": 151}, schema)[0].pointer == "/age"

    async def body() -> None:
        mock = MockAPI()
        mock.on("messages.create").reply('{"age": 151}').reply('{"age": 15}')
        with serve(mock) as server:
            client = twin.client(server.url)
            with pytest.raises(InvalidOutputError, match="151 is above 150") as caught:
                await settle(client.messages.parse(output_format=schema, **ARGUMENTS))
            assert caught.value.reply.usage.output_tokens
            message = await settle(client.messages.parse(output_format=schema, **ARGUMENTS))
            assert message.parsed_output == {"age": 15}
            await settle(client.close())
        # A limit in the schema would have been a 400.
        config = mock.calls.of("messages.create")[0].body["output_config"]
        assert config["format"]["schema"] == sent

    twin.run(body)
