"""Kills a run of batches again and again, resumes it, and counts what was paid.

A worker runs ``messages.batches.run`` with a journal against the mock API in another process, and
is killed (SIGKILL) at random points: some at any time, some right after it wrote that it is about
to create a batch, while the answer to that is still held back. At the end one worker may finish.
Then every request must have been paid exactly once, in whichever batch, and have one result.

::

    python tests/end_to_end/kill_and_resume.py --requests 250000 --kills 30 --seed 1
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from claude_client import BatchPolling, Claude

POLLING = BatchPolling(0.1, 1.0)
TIMEOUT = 600.0


def requests(count: int) -> Iterator[Any]:
    """Yield the requests of the run."""
    for number in range(count):
        yield {
            "custom_id": f"request-{number}",
            "params": {
                "model": "claude-opus-5-5",
                "max_tokens": 64,
                "messages": [{"role": "user", "content": f"What is {number} times two?"}],
            },
        }


def work(url: str, folder: Path, options: argparse.Namespace) -> None:
    """Run, or go on, and write the names of all results."""
    with (
        Claude(api_key="mock-key", base_url=url, timeout=TIMEOUT) as client,
        (folder / "results").open("w") as results,
        client.messages.batches.run(
            requests(options.requests),
            journal=folder / "journal",
            max_requests=options.split,
            order=options.order,
            poll=POLLING,
            settle_seconds=options.settle,
        ) as run,
    ):
        for result in run:
            results.write(f"{result.custom_id}\n")
    (folder / "done").touch()


@contextmanager
def server(options: argparse.Namespace) -> Iterator[str]:
    """Run the mock API in a process of its own, and give its address."""
    command = [sys.executable, "-m", "claude_client.testing", "--port", "0", "--format", "json"]
    command += ["--seed", str(options.seed), "--batch-polls", str(options.polls)]
    # The batch is there by then; only the answer is late.
    command += ["--fault", f"messages.batches.create: delay={options.delay}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def start(url: str, folder: Path, options: argparse.Namespace) -> int:
    """Start a worker and return its process ID."""
    # A fork has everything loaded already; nothing here has threads.
    process = os.fork()
    if process:
        return process
    try:
        work(url, folder, options)
    except BaseException:  # noqa: BLE001 - nothing of the parent is to run in the child
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def has_ended(process: int) -> bool:
    """Tell whether a worker is over by itself. Raises ``SystemExit`` if it failed."""
    ended, status = os.waitpid(process, os.WNOHANG)
    if not ended:
        return False
    if status:
        raise SystemExit(f"a worker ended with status {status}")
    return True


def open_intents(folder: Path) -> tuple[int, bool]:
    """Return how many intents the journal has, and whether the last of them has no answer."""
    try:
        lines = (folder / "journal").read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return 0, False
    kinds = [json.loads(line)["type"] for line in lines if line.endswith(b"\n")]
    return kinds.count("intent"), bool(kinds) and kinds[-1] == "intent"


def wait_to_kill(
    process: int, folder: Path, chance: random.Random, options: argparse.Namespace
) -> bool:
    """Wait for the moment to kill a worker; tell whether it is still there then."""
    before, _ = open_intents(folder)
    until = time.monotonic() + chance.uniform(0, options.longest)
    at_intent = chance.random() < 0.5
    while time.monotonic() < until:
        if has_ended(process):
            return False
        if at_intent and open_intents(folder)[0] > before:
            time.sleep(chance.uniform(0, options.delay))
            return not has_ended(process)
        time.sleep(0.002)
    return True


def main() -> int:
    """Kill, resume, count; 0 if every request was paid once and has one result."""
    options = arguments()
    chance = random.Random(options.seed)
    kills = in_doubt = finished = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, server(options) as url:
        folder = Path(name)
        journal, done = folder / "journal", folder / "done"
        while kills < options.kills:
            process = start(url, folder, options)
            if wait_to_kill(process, folder, chance, options):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                kills += 1
                doubtful = open_intents(folder)[1]
                in_doubt += doubtful
                say(began, f"kill {kills}, {'in doubt' if doubtful else 'not in doubt'}")
            else:
                # Done already; another run only reads, and is killed in that.
                finished += 1
            # What a killed worker had sent is read by now.
            paid_batches(url)
        done.unlink(missing_ok=True)
        process = start(url, folder, options)
        _, status = os.waitpid(process, 0)
        if status or not done.exists():
            say(began, f"the last worker ended with status {status}")
            return 1
        say(began, "finished; counting")
        results = Counter((folder / "results").read_text().splitlines())
        paid = paid_requests(url)
        created = journal.read_bytes().count(b'"type":"created"')
    wanted = Counter(request["custom_id"] for request in requests(options.requests))
    report = {
        "requests": options.requests,
        "kills": kills,
        "kills_in_doubt": in_doubt,
        "finished_before": finished,
        "batches": created,
        "paid_once": sum(count == 1 for count in paid.values()),
        "paid_more_often": sum(count > 1 for count in paid.values()),
        "never_paid": len(wanted - paid),
        "results_once": sum(count == 1 for count in results.values()),
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(report))
    return 0 if paid == wanted and results == wanted else 1


def paid_batches(url: str) -> list[str]:
    """Return the IDs of all batches there are."""
    with Claude(api_key="mock-key", base_url=url, timeout=TIMEOUT) as client:
        return [batch.id for batch in client.messages.batches.list(limit=1000)]


def paid_requests(url: str) -> Counter[str]:
    """Return how often each request is in a batch."""
    paid: Counter[str] = Counter()
    for batch_id in paid_batches(url):
        with Claude(api_key="mock-key", base_url=url, timeout=TIMEOUT) as client:
            client.messages.batches.wait(batch_id, poll=POLLING)
            paid.update(item.custom_id for item in client.messages.batches.iter_results(batch_id))
    return paid


def say(began: float, text: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(f"{time.monotonic() - began:7.1f} s  {text}\n")
    sys.stderr.flush()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--requests", type=int, default=250_000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", type=int, default=100_000, help="requests of one batch")
    parser.add_argument("--order", choices=("arrival", "request"), default="arrival")
    parser.add_argument("--polls", type=int, default=1, help="how often a batch is in progress")
    parser.add_argument("--delay", type=float, default=3.0, help="seconds an answer is held back")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds before a kill")
    parser.add_argument("--settle", type=float, default=30.0, help="see messages.batches.run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
