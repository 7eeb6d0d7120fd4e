"""Asks for the same message many times, so many at once.

Arguments: who asks, base URL, how many at once, how many in all, rounds. Who: ``ours:NAME`` with a
transport of that name, ``transport:NAME`` for the transport alone, ``official``,
``official:aiohttp``, or ``aiohttp``, by hand.
Result: CPU seconds of one request, the best of the rounds.
"""

import asyncio
import json
import sys
import time

who, name = (*sys.argv[1].split(":"), "")[:2]
base_url = sys.argv[2]
at_once, count, rounds = (int(argument) for argument in sys.argv[3:6])
ARGUMENTS = {
    "model": "claude-opus-5-5",
    "max_tokens": 1000,
    "messages": [{"role": "user", "content": "Hello, Claude"}],
}
HEADERS = {
    "x-api-key": "sk-ant-api03-none",
    "anthropic-version": "2023-06-01",
    "content-type": "application/json",
}


def asker():
    """Return what asks once, and what ends it."""
    if who == "aiohttp":
        import aiohttp

        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1000))

        async def by_hand() -> str:
            data = json.dumps(ARGUMENTS).encode()
            async with session.post(
                base_url + "/v1/messages", data=data, headers=HEADERS
            ) as response:
                return json.loads(await response.read())["content"][0]["text"]

        return by_hand, session.close
    if who == "official":
        import anthropic

        given = {"http_client": anthropic.DefaultAioHttpClient()} if name else {}
        official = anthropic.AsyncAnthropic(
            # Its 5 seconds to connect are short for a busy machine.
            api_key="k",
            base_url=base_url,
            timeout=600.0,
            **given,
        )

        async def of_official() -> str:
            return (await official.messages.create(**ARGUMENTS)).content[0].text

        return of_official, official.close
    from claude_client import AsyncClaude

    client = AsyncClaude(api_key="k", base_url=base_url, transport=name)
    if who == "ours":

        async def of_ours() -> str:
            return (await client.messages.create(**ARGUMENTS)).content[0].text

        return of_ours, client.close

    from claude_client import Timeout
    from claude_rest._runtime.request import PreparedRequest
    from claude_rest.operations import OPERATIONS

    transport = client._caller.transport
    headers = [*HEADERS.items(), ("accept", "*/*"), ("user-agent", "claude-client")]
    timeout = Timeout()

    async def of_transport() -> str:
        content = json.dumps(ARGUMENTS).encode()
        prepared = PreparedRequest(
            "POST", base_url + "/v1/messages", headers, content, OPERATIONS["messages.create"]
        )
        response = await transport.send(prepared, timeout=timeout, attempt=1)
        return json.loads(await response.read())["content"][0]["text"]

    return of_transport, client.close


async def measure() -> float:
    ask, close = asker()
    left = 0

    async def one_after_the_other() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            assert await ask()

    async def ask_all(number: int) -> None:
        nonlocal left
        left = number
        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))

    await ask_all(at_once + 10)
    costs = []
    for _ in range(rounds):
        start = time.process_time()
        await ask_all(count)
        costs.append((time.process_time() - start) / count)
    await close()
    return min(costs)


RESULT = asyncio.run(measure())
