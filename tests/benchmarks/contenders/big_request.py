"""Sends one large request to nowhere. Arguments: contender, what the body is, its bytes, a folder.

Contenders: ``ours``, ``ours_async``, ``official``, ``official_async``; ``dumps``, which is one call
of the JSON library with base64 text that is there already, and ``by_hand``, which makes that text
first. Bodies: ``image`` (a file), ``blocks`` (a history of texts), ``text`` (one string). Result:
CPU seconds, growth of the memory in bytes (``None`` where the system does not tell), bytes sent, and
the longest time between two ticks of the event loop in seconds.
"""

import asyncio
import base64
import gc
import json
import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

contender, kind, folder = sys.argv[1], sys.argv[2], Path(sys.argv[4])
size = int(sys.argv[3])
BLOCK_BYTES = 140_000
MESSAGE = json.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [{"type": "text", "text": "A cat."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
).encode()
image = folder / "x.png"


def of_text(text: str) -> dict[str, Any]:
    """Return the arguments of a call with one text."""
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}],
    }


def arguments() -> dict[str, Any]:
    """Return the arguments of the large call."""
    if kind == "text":
        return of_text("a" * size)
    call = of_text("What is it?")
    content: list[Any] = call["messages"][0]["content"]
    if kind == "blocks":
        block = {"type": "text", "text": "a" * BLOCK_BYTES}
        content += [dict(block) for _ in range(max(size // BLOCK_BYTES, 1))]
    else:
        data: Any = image
        if contender not in ("ours", "ours_async"):
            # As users do, and as no other contender could.
            data = base64.b64encode(image.read_bytes()).decode()
        source = {"type": "base64", "media_type": "image/png", "data": data}
        content.append({"type": "image", "source": source})
    return call


def status(name: str) -> "int | None":
    """Return a line of what Linux says of this process, in bytes."""
    try:
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


sent = 0


def http_client(httpx: Any, asynchronous: bool) -> Any:
    """Return an HTTP client that takes every body and answers with a message."""

    def answer(request: Any) -> Any:
        headers = {"content-type": "application/json", "request-id": "req_1"}
        return httpx.Response(200, headers=headers, content=MESSAGE, request=request)

    class Sink(httpx.BaseTransport):  # type: ignore[misc, unused-ignore]
        def handle_request(self, request: Any) -> Any:
            global sent
            sent = sum(len(chunk) for chunk in request.stream)
            return answer(request)

    class AsyncSink(httpx.AsyncBaseTransport):  # type: ignore[misc, unused-ignore]
        async def handle_async_request(self, request: Any) -> Any:
            global sent
            sent = 0
            async for chunk in request.stream:
                sent += len(chunk)
            return answer(request)

    if asynchronous:
        return httpx.AsyncClient(transport=AsyncSink())
    return httpx.Client(transport=Sink())


def make_client() -> Any:
    """Return the client of the contender."""
    asynchronous = contender.endswith("_async")
    if contender.startswith("ours"):
        import claude_client

        client_class = claude_client.AsyncClaude if asynchronous else claude_client.Claude
        return client_class(
            api_key="sk-ant-api03-none",
            http_client=http_client(import_module("httpx"), asynchronous),
        )
    anthropic = import_module("anthropic")
    client_class = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
    try:
        http = http_client(import_module("httpx2"), asynchronous)
        return client_class(api_key="sk-ant-api03-none", http_client=http)
    except (ImportError, TypeError):
        http = http_client(import_module("httpx"), asynchronous)
        return client_class(api_key="sk-ant-api03-none", http_client=http)


async def with_ticks(client: Any) -> float:
    """Make the call beside a loop that ticks, and return the longest time between two ticks."""
    # Whatever is loaded and made by a first call.
    await client.messages.create(**of_text("a" * 2_000_000))
    call = arguments()
    gc.collect()
    longest = 0.0
    task = asyncio.create_task(client.messages.create(**call))
    last = perf_counter()
    while not task.done():
        await asyncio.sleep(0)
        now = perf_counter()
        longest, last = max(longest, now - last), now
    await task
    return longest


RESULT: dict[str, Any] = {}
if contender.endswith("_async"):
    RESULT["wait"] = asyncio.run(with_ticks(make_client()))
elif contender in ("dumps", "by_hand"):
    from claude_rest._runtime.codec import BACKEND, dumps

    RESULT["backend"] = BACKEND
    dumps(of_text("Hi"))
    call: Any = arguments() if contender == "dumps" else None
    gc.collect()
    before, started = status("VmRSS"), process_time()
    sent = len(dumps(call or arguments()))
    RESULT["cpu"] = process_time() - started
    peak = status("VmHWM")
    RESULT["memory"] = None if before is None or peak is None else peak - before
else:
    client = make_client()
    client.messages.create(**of_text("a" * 1000))
    client.messages.create(**of_text("a" * 1000))
    gc.collect()
    before, started = status("VmRSS"), process_time()
    client.messages.create(**arguments())
    RESULT["cpu"] = process_time() - started
    peak = status("VmHWM")
    RESULT["memory"] = None if before is None or peak is None else max(peak - before, 0)
RESULT["sent"] = sent
