"""The command ``batch``: run, list, status, results, cancel."""

from __future__ import annotations

import os
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import exit_codes
from .arguments import UsageError, add_command, add_group, count, positive, seconds
from .content import STDIN
from .output import json_line
from .session import MODEL_VARIABLE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Generator, Iterator

    from ..progress import ProgressBar
    from .session import Session

_COUNTS = ("succeeded", "errored", "canceled", "expired", "processing")
_EXAMPLE_ID = "msgbatch_013Zva2CMHLNnXjNJJKqJ2EF"


def add_commands(commands: argparse._SubParsersAction[Any]) -> None:
    """Add what this module does to the program."""
    group = add_group(commands, "batch", summary="run many messages at half the price")
    _add_run(group)
    listing = add_command(
        group, "list", list_batches, summary="list batches, newest first", example="{program} list"
    )
    listing.add_argument("--limit", type=positive, metavar="N", help="list at most so many")
    status = add_command(
        group,
        "status",
        show_status,
        summary="show how far a batch is",
        example=f"{{program}} status {_EXAMPLE_ID} --wait",
    )
    status.add_argument("--wait", action="store_true", help="wait until the batch has ended")
    _add_poll(status)
    cancel = add_command(
        group,
        "cancel",
        cancel_batch,
        summary="cancel what has not been answered yet of a batch",
        example=f"{{program}} cancel {_EXAMPLE_ID}",
    )
    for parser in (status, cancel):
        parser.add_argument("batch_id", metavar="ID", help="ID of the batch")
    results = add_command(
        group,
        "results",
        print_results,
        summary="write the results of a batch that has ended, as JSON lines",
        example=f"{{program}} results {_EXAMPLE_ID} -o results.jsonl",
    )
    results.add_argument("batch_id", metavar="ID", help="ID of the batch")
    _add_output(results)
    settle = add_command(
        group,
        "settle",
        settle_part,
        summary="tell a journal which batch one of its parts has become",
        about=(
            "For the rare case that 'run' could not find out, and said so. Sends nothing; to go\n"
            "on, run the batch again."
        ),
        example=f"{{program}} settle requests.jsonl.journal 0 {_EXAMPLE_ID}",
    )
    settle.add_argument("journal", metavar="JOURNAL", help="the journal of the run")
    settle.add_argument("part", type=count, metavar="PART", help="number of the part")
    settle.add_argument(
        "batch_id", nargs="?", metavar="ID", help="its batch (default: none, it was not created)"
    )


def _add_run(group: argparse._SubParsersAction[Any]) -> None:
    run = add_command(
        group,
        "run",
        run_batch,
        summary="send the requests of a file as batches and write their results",
        about=(
            "Each line of the file is a JSON object: the arguments of a message, or\n"
            '{"custom_id": ..., "params": {...}}. Results are JSON lines. What has been sent is\n'
            "noted in a journal; the same command goes on where an earlier one was interrupted, "
            "and\npays for nothing twice."
        ),
        example=(
            "{program} run requests.jsonl -o results.jsonl\n"
            "{program} run prompts.jsonl --model claude-sonnet-5-5 --max-tokens 500"
        ),
    )
    run.add_argument("requests", metavar="FILE", help="requests, one a line; - is stdin")
    _add_output(run)
    journal = run.add_mutually_exclusive_group()
    journal.add_argument(
        "--journal",
        metavar="PATH",
        help="where to note what was sent (default: FILE.journal; nowhere if FILE is a pipe)",
    )
    journal.add_argument(
        "--no-journal", action="store_true", help="note nothing; nothing can be resumed"
    )
    run.add_argument("--model", help="model of requests that name none (default: $ANTHROPIC_MODEL)")
    run.add_argument(
        "--max-tokens",
        type=positive,
        metavar="N",
        help="most tokens to write, of requests that say nothing about it",
    )
    run.add_argument(
        "--order",
        choices=("arrival", "request"),
        default="arrival",
        help="write results as they arrive, or in the order of the requests (default: arrival)",
    )
    _add_poll(run)


def _add_poll(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--poll",
        type=seconds,
        metavar="SECONDS",
        help="ask at this rate whether a batch has ended (default: soon, then up to once a minute)",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="file for the results; appears when it is complete (default: standard output)",
    )


def run_batch(session: Session, options: argparse.Namespace) -> int:
    """Send requests as batches, wait for them, and write the results."""
    from ..batches.errors import BatchInDoubtError, BatchRequestError

    _check_places(options)
    requests = _Requests(session, options)
    journal: str | None = None
    if not options.no_journal:
        journal = options.journal
        # What comes from a pipe does not come again.
        if journal is None and requests.is_file:
            journal = f"{options.requests}.journal"
    if journal:
        session.output.note(f"journal: {journal}; if interrupted, run the same command again")
    batches = session.client.messages.batches
    succeeded = failed = 0
    try:
        with session.bar("batch", unit="requests") as bar:
            running = batches.run(
                requests.again(),  # type: ignore[arg-type]
                journal=journal,
                order=options.order,
                poll=options.poll,
                progress=_reporting(bar),
            )
            # First the file: what cannot be written should not be paid for.
            with _writer(session, options.output) as write, running as results:
                for result in results:
                    # Both may be the same terminal.
                    bar.clear()
                    if result.result.type == "succeeded":
                        succeeded += 1
                    else:
                        failed += 1
                    write(result.to_dict())
    except BatchInDoubtError as error:
        if journal:
            session.output.note(f"say which with: batch settle {journal} {error.part} [ID]")
        raise
    except BatchRequestError as error:
        line_number = requests.line_of(error.index)
        raise UsageError(f"{requests.name}, line {line_number}: {error}") from error
    session.output.note(f"{succeeded:,} requests succeeded, {failed:,} did not")
    return exit_codes.PARTLY_FAILED if failed else exit_codes.OK


def _check_places(options: argparse.Namespace) -> None:
    """Refuse to write over what is read.

    Raises:
        UsageError: two of the requests, the journal and the results are one file.
    """
    named = [("FILE", options.requests), ("--journal", options.journal)]
    if options.journal is None and not options.no_journal:
        named[1] = ("the journal", f"{options.requests}.journal")
    named.append(("--output", options.output))
    seen: dict[str, str] = {}
    for what, name in named:
        if name in (None, STDIN):
            continue
        place = os.path.realpath(name)
        if place in seen and not _is_special(Path(name)):
            raise UsageError(f"{seen[place]} and {what} are the same file: {name}")
        seen.setdefault(place, what)


def _is_special(path: Path) -> bool:
    """Whether a path leads to a device or a pipe, which can be neither replaced nor read twice."""
    return path.exists() and not path.is_file()


def _reporting(bar: ProgressBar) -> Callable[[Any], object] | None:
    """Return what moves a bar, where there is one to be seen."""
    if not bar.visible:
        return None
    return lambda progress: bar.update(progress.total - progress.processing, progress.total)


class _Requests:
    """The requests of a file or of the standard input, read as often as they are needed.

    A file is read twice, so that a mistake in its last line is found before the first is sent.
    """

    def __init__(self, session: Session, options: argparse.Namespace) -> None:
        """Look at all of them.

        Raises:
            UsageError: a line is no request, or there is none.
        """
        self.name: str = options.requests
        self._typed: list[bytes] | None = None
        if self.name == STDIN:
            self.name = "standard input"
            self._typed = session.read_stdin().splitlines()
        elif _is_special(Path(self.name)):
            # Such as a shell makes for <(command).
            self._typed = Path(self.name).read_bytes().splitlines()
        self._defaults: dict[str, Any] = {}
        if model := options.model or session.environ.get(MODEL_VARIABLE, "").strip():
            self._defaults["model"] = model
        if options.max_tokens is not None:
            self._defaults["max_tokens"] = options.max_tokens
        count = sum(1 for _ in self.again())
        if not count:
            raise UsageError(f"{self.name}: no requests")

    @property
    def is_file(self) -> bool:
        """Whether they will be there another time."""
        return self._typed is None

    def again(self) -> Iterator[dict[str, Any]]:
        """Yield the requests from the first on."""
        return (request for _, request in self._numbered())

    def line_of(self, index: int) -> int | None:
        """Return the number of the line of a request, by its place among them."""
        numbers = (line_number for line_number, _ in self._numbered())
        return next(islice(numbers, index, None), None)

    def _numbered(self) -> Iterator[tuple[int, dict[str, Any]]]:
        from .batch_lines import read_requests

        if self._typed is not None:
            yield from read_requests(self._typed, self.name, self._defaults)
        else:
            with Path(self.name).open("rb") as file:
                yield from read_requests(file, self.name, self._defaults)


def list_batches(session: Session, options: argparse.Namespace) -> int:
    """Print batches."""
    found = session.client.messages.batches.list(limit=min(options.limit or 1000, 1000))
    rows: list[tuple[object, ...]] = []
    for batch in found.items(options.limit):
        if options.json:
            session.output.json(batch.to_dict())
            continue
        counts = [getattr(batch.request_counts, name) for name in _COUNTS]
        created = str(batch.created_at)[:16]
        rows.append((batch.id, batch.processing_status, *counts, created))
    if not options.json:
        heads = ("ID", "STATUS", *(name.upper() for name in _COUNTS), "CREATED")
        session.output.table(heads, rows, nothing="no batches")
    return exit_codes.OK


def show_status(session: Session, options: argparse.Namespace) -> int:
    """Print how far a batch is."""
    batches = session.client.messages.batches
    if options.wait:
        with session.bar("batch", unit="requests") as bar:
            batch = batches.wait(options.batch_id, poll=options.poll, progress=_reporting(bar))
    else:
        batch = batches.retrieve(options.batch_id)
    _print_batch(session, batch)
    return exit_codes.OK


def cancel_batch(session: Session, options: argparse.Namespace) -> int:
    """Cancel a batch, and print how far it is."""
    _print_batch(session, session.client.messages.batches.cancel(options.batch_id))
    return exit_codes.OK


def _print_batch(session: Session, batch: Any) -> None:
    if session.output.as_json:
        session.output.json(batch.to_dict())
        return
    counts = [
        f"{count:,} {name}" for name in _COUNTS if (count := getattr(batch.request_counts, name))
    ]
    session.output.line(f"{batch.id}  {batch.processing_status}  {', '.join(counts)}".rstrip())


def print_results(session: Session, options: argparse.Namespace) -> int:
    """Write the results of one batch."""
    failed = 0
    with (
        session.client.messages.batches.iter_results(options.batch_id) as results,
        _writer(session, options.output) as write,
    ):
        for result in results:
            failed += result.result.type != "succeeded"
            write(result.to_dict())
    return exit_codes.PARTLY_FAILED if failed else exit_codes.OK


def settle_part(session: Session, options: argparse.Namespace) -> int:
    """Write into a journal what has become of a part."""
    from ..batches.journal import BatchJournal

    if not Path(options.journal).is_file():
        raise UsageError(f"{options.journal}: no such journal")
    BatchJournal.settle(options.journal, options.part, options.batch_id)
    session.output.note(f"{options.journal}: part {options.part} is settled; run it again")
    return exit_codes.OK


@contextmanager
def _writer(session: Session, target: str | None) -> Generator[Callable[[Any], object], None, None]:
    """Give a function that writes a JSON value as a line, to a file that appears at the end.

    Without a target, or with ``-``, the lines go to standard output as they come.
    """
    if target in (None, STDIN):
        yield session.output.json
        return
    path = Path(str(target))
    special = _is_special(path)
    temporary = path if special else path.with_name(f"{path.name}.{os.urandom(4).hex()}.part")
    with temporary.open("w" if special else "x", encoding="utf-8") as file:
        try:
            yield lambda value: file.write(f"{json_line(value)}\n")
            file.close()
            if not special:
                temporary.replace(path)
        except BaseException:
            if not special:
                temporary.unlink()
            raise
