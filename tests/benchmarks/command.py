"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import (
    batch_results,
    big_requests,
    concurrency,
    construct,
    decode,
    file_transfer,
    first_reply,
    generate,
    heartbeat,
    import_time,
    mock_server,
    sse_decode,
    throttle,
    tool_input_stream,
)
from .figures import Figure, Report
from .processes import MeasurementError, Setup, find_official

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .processes import Official

EXIT_CLEAN = 0
EXIT_NOT_MEASURED = 1
EXIT_USAGE = 2


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: ``measure`` yields figures, and notes as text."""

    summary: str
    measure: Callable[[Setup], Iterator[Figure | str]]
    has_official_part: bool = True


BENCHMARKS = {
    "first_reply": Benchmark(first_reply.SUMMARY, first_reply.measure),
    "import_time": Benchmark(import_time.SUMMARY, import_time.measure),
    "construct": Benchmark(construct.SUMMARY, construct.measure),
    "decode_message": Benchmark(decode.MESSAGE_SUMMARY, decode.measure_message),
    "decode_event": Benchmark(decode.EVENT_SUMMARY, decode.measure_event),
    "tool_input_stream": Benchmark(tool_input_stream.SUMMARY, tool_input_stream.measure),
    "sse_decode": Benchmark(sse_decode.SUMMARY, sse_decode.measure),
    "file_transfer": Benchmark(file_transfer.SUMMARY, file_transfer.measure),
    "batch_results": Benchmark(batch_results.SUMMARY, batch_results.measure),
    "heartbeat": Benchmark(heartbeat.SUMMARY, heartbeat.measure, has_official_part=False),
    "big_requests": Benchmark(big_requests.SUMMARY, big_requests.measure),
    "throttle": Benchmark(throttle.SUMMARY, throttle.measure, has_official_part=False),
    "concurrency": Benchmark(concurrency.SUMMARY, concurrency.measure),
    "mock_server": Benchmark(mock_server.SUMMARY, mock_server.measure, has_official_part=False),
    "generate": Benchmark(generate.SUMMARY, generate.measure, has_official_part=False),
}

_EXAMPLE = """\
example:
  python tests/benchmarks decode_message decode_event --no-official

Every figure stands beside the same work by hand (the floor) and, where the package anthropic is
installed, by the official SDK. Exit code 0, whatever the figures are; 1 when something could not
be measured; 2 for wrong usage.
"""


def run_benchmark(name: str, setup: Setup) -> Report:
    """Run one benchmark; a failure is told in the report."""
    benchmark = BENCHMARKS[name]
    report = Report(name, benchmark.summary)
    try:
        for found in benchmark.measure(setup):
            if isinstance(found, Figure):
                report.figures.append(found)
            else:
                report.notes.append(found)
    except MeasurementError as error:
        report.error = str(error)
    if setup.official is None and benchmark.has_official_part:
        report.notes.append("official SDK: skipped")
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are asked for and print their reports."""
    parser = _parser()
    given = parser.parse_args(arguments)
    for name in given.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    try:
        official = None if given.no_official else find_official(given.official_python)
    except MeasurementError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    text = given.format == "text"
    if text:
        print(_heading(official, asked=not given.no_official), flush=True)
    reports: list[Report] = []
    with tempfile.TemporaryDirectory(prefix="claude-client-benchmarks-") as folder:
        setup = Setup(Path(folder), quick=given.quick, official=official)
        for name in given.names or BENCHMARKS:
            report = run_benchmark(name, setup)
            reports.append(report)
            if text:
                print(f"\n{report.render()}", flush=True)
    if text:
        print(f"\n{_closing(reports)}")
    else:
        facts = {
            "python": platform.python_version(),
            "official": None if official is None else official.version,
            "benchmarks": [report.to_dict() for report in reports],
        }
        print(json.dumps(facts, indent=2))
    return EXIT_NOT_MEASURED if any(report.error for report in reports) else EXIT_CLEAN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python tests/benchmarks",
        description="Measure this project against work by hand and the official SDK.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"what to run: {', '.join(BENCHMARKS)} (default: all)",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="how to print the figures"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one round of small sizes; shows that everything runs, the figures mean little",
    )
    parser.add_argument("--no-official", action="store_true", help="leave the official SDK out")
    parser.add_argument(
        "--official-python",
        metavar="PATH",
        help="an interpreter that has the official SDK (default: this one)",
    )
    return parser


def _heading(official: Official | None, *, asked: bool) -> str:
    lines = [f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"]
    if official is not None:
        lines.append(f"official SDK {official.version}")
    elif asked:
        lines.append("official SDK: skipped, the package anthropic is not installed")
    return "; ".join(lines)


def _closing(reports: Sequence[Report]) -> str:
    verdicts = [(r.name, f) for r in reports for f in r.figures if f.verdict]
    missed = [f"{name}: {figure.name}" for name, figure in verdicts if figure.verdict == "MISSED"]
    failed = [report.name for report in reports if report.error is not None]
    lines = [f"{len(verdicts) - len(missed)} of {len(verdicts)} targets met"]
    lines += [f"MISSED {name}" for name in missed]
    lines += [f"NOT MEASURED {name}" for name in failed]
    return "\n".join(lines)
