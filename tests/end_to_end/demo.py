"""The main job in one go: regenerate, ask, stream, count, list.

Without ``ANTHROPIC_API_KEY`` it talks to the mock API, which it starts itself; with the key it
talks to the real one, and the same calls cost a few tokens.

example: python tests/end_to_end/demo.py
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from claude_client import Claude

PROJECT = Path(__file__).resolve().parents[2]
MODEL = "claude-sonnet-5-5"


def main() -> int:
    """Run every step; a failing one ends the run with its error."""
    parser = argparse.ArgumentParser(
        description="Regenerate the client, then send the first request, stream, count and list.",
        epilog="example: ANTHROPIC_API_KEY=... python tests/end_to_end/demo.py --model claude-haiku-5-5",
    )
    parser.add_argument("--model", default=MODEL, help=f"model to ask (default: {MODEL})")
    parser.add_argument(
        "--no-generate", action="store_true", help="skip regenerating (needs the extra codegen)"
    )
    arguments = parser.parse_args()
    if not arguments.no_generate:
        step("Regenerate from spec/ (nothing new is written on a clean checkout)")
        subprocess.run(
            [sys.executable, "-m", "claude_codegen", "generate"], cwd=PROJECT, check=True
        )
    with client() as claude:
        run(claude, arguments.model)
    return 0


@contextlib.contextmanager
def client() -> Iterator[Claude]:
    """Yield a client of the real API if there is a key, else of a mock API started for it."""
    if os.environ.get("ANTHROPIC_API_KEY"):
        step("ANTHROPIC_API_KEY is set: talking to the real API")
        with Claude() as claude:
            yield claude
        return
    from claude_client.testing import serve

    with serve() as server, Claude(api_key="mock-key", base_url=server.url) as claude:
        step(f"No ANTHROPIC_API_KEY: talking to the mock API on {server.url}")
        yield claude


def run(claude: Claude, model: str) -> None:
    """Make the five calls."""
    step("Ask")
    message = claude.messages.create(
        model=model,
        max_tokens=1024,
        messages=[{"role": "user", "content": "Hello, Claude"}],
    )
    for block in message.content:
        if block.type == "text":
            print(block.text)
    request_id = message.meta.request_id if message.meta else None
    print(f"[{message.stop_reason}, {message.usage.output_tokens} tokens, {request_id}]")

    step("Stream")
    with claude.messages.stream(
        model=model,
        max_tokens=1024,
        messages=[{"role": "user", "content": "Say something in a few words."}],
    ) as stream:
        for text in stream.text_stream:
            print(text, end="", flush=True)
        print(f"\n[{stream.get_final_message().stop_reason}]")

    step("Count tokens")
    count = claude.messages.count_tokens(
        model=model, messages=[{"role": "user", "content": "Hello, Claude"}]
    )
    print(f"{count.input_tokens} input tokens")

    step("List models")
    for info in claude.models.list(limit=20):
        print(f"{info.id:32} {info.display_name}")


def step(title: str) -> None:
    """Print a heading."""
    print(f"\n== {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
