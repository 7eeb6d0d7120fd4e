"""Every benchmark runs, and what can be counted stays within its bounds. No test looks at a time."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.command import BENCHMARKS, EXIT_CLEAN, main, run_benchmark
from benchmarks.documents import in_pieces, short_message, sse_event, tool_input_stream
from benchmarks.figures import Figure, growth_exponent
from benchmarks.first_reply import ATTRS_CLASSES_LIMIT
from benchmarks.processes import MeasurementError, Setup, find_official
from claude_client import Claude
from claude_rest._runtime import codec, sse
from loopback import LoopbackServer, Send, chunked, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.processes import Cost

MODULES_LIMIT = 75
"""Modules that a first reply may import beyond those of the same reply by hand."""

_NO_IO = """
import sys
from claude_client import AsyncClaude, Claude

def make():
    for kind in (Claude, AsyncClaude):
        kind(api_key="sk-ant-api03-none").messages

make()
events = []
def watch(event, arguments):
    if event.partition(".")[0] in ("open", "socket", "os", "ssl", "subprocess", "import"):
        events.append(event)
sys.addaudithook(watch)
make()
RESULT = list(events)
"""


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    return Setup(tmp_path_factory.mktemp("benchmarks"), quick=True)


@pytest.fixture(scope="module")
def first_reply(setup: Setup) -> Iterator[dict[str, Cost]]:
    with LoopbackServer([[Send(response(json=short_message()))]]) as server:
        yield {
            "floor": setup.run("first_reply_floor.py", server.url, "no"),
            "ours": setup.run("first_reply_ours.py", server.url),
        }


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name == "generate")) for name in BENCHMARKS],
)
def test_benchmark_runs(name: str, setup: Setup) -> None:
    report = run_benchmark(name, setup)

    assert report.error is None
    skipped = any(note.startswith("skipped") for note in report.notes)
    assert skipped or report.figures
    for figure in report.figures:
        assert math.isfinite(figure.ours)
        assert figure.floor is None or figure.floor > 0
        assert figure.name in figure.render()


def test_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["sse_decode", "--quick", "--no-official", "--format", "json"])

    assert code == EXIT_CLEAN
    facts = json.loads(capsys.readouterr().out)
    (benchmark,) = facts["benchmarks"]
    assert benchmark["name"] == "sse_decode"
    assert facts["official"] is None
    assert "official SDK: skipped" in benchmark["notes"]


def test_command_names_the_benchmarks_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["decode_massage"])

    assert exit_.value.code == 2
    assert "decode_message" in capsys.readouterr().err


def test_failed_contender_is_told(setup: Setup) -> None:
    with pytest.raises(MeasurementError, match="no such message"):
        setup.run("-c", "raise SystemExit('no such message')")


def test_missing_official_sdk_is_told_when_asked_for() -> None:
    with pytest.raises(MeasurementError, match="missing-python"):
        find_official("missing-python")


def test_verdicts() -> None:
    assert Figure("a", "ms", 1.2, 1.0, 1.3).verdict == "within target"
    assert Figure("a", "ms", 1.4, 1.0, 1.3).verdict == "MISSED"
    assert Figure("a", "ms", 1.4, limit=1.0).verdict == "MISSED"
    assert Figure("a", "ms", 1.4, 1.0).verdict == ""
    assert Figure("a", "ms", 1.0, 1.0, official=9.0).official_ratio == 9.0


def test_growth_exponent() -> None:
    sizes = [1, 2, 4, 8]

    assert growth_exponent(sizes, [3 * size for size in sizes]) == pytest.approx(1)
    assert growth_exponent(sizes, [3 * size**2 for size in sizes]) == pytest.approx(2)


def test_first_reply_creates_few_attrs_classes(first_reply: dict[str, Cost]) -> None:
    # An installed trio, which httpx loads, has some of its own.
    others = set(first_reply["floor"].attrs_classes)
    created = [name for name in first_reply["ours"].attrs_classes if name not in others]

    assert "claude_rest.models.messages.message.Message" in created
    # httpx loads trio where it is installed, which brings classes of its own.
    created = tuple(name for name in created if not name.startswith(("trio.", "outcome.")))
    assert len(created) <= ATTRS_CLASSES_LIMIT, created


def test_first_reply_imports_few_modules(first_reply: dict[str, Cost]) -> None:
    added = set(first_reply["ours"].modules) - set(first_reply["floor"].modules)

    assert len(added) <= MODULES_LIMIT, sorted(added)
    assert not any(name.startswith("claude_codegen") for name in added)
    assert not any(name.startswith("claude_rest.params") for name in added)


def test_import_loads_nothing_heavy(setup: Setup) -> None:
    before = set(setup.run("-c", "pass").modules)
    package = set(setup.run("-c", "import claude_client").modules) - before
    client = set(setup.run("-c", "from claude_client import Claude").modules) - before

    packages = {name.partition(".")[0] for name in package}
    assert packages <= {"__future__", "claude_client", "importlib", "warnings"}
    assert client.isdisjoint({"attr", "attrs", "httpx", "ssl", "asyncio", "socket", "inspect"})


def test_making_a_client_does_no_io(setup: Setup) -> None:
    cost = setup.run("-c", _NO_IO)

    assert cost.result == []
    assert not {"httpx", "ssl", "socket"} & set(cost.modules)


def test_tool_input_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    loads = codec.loads

    def counting(text: Any) -> Any:
        parsed.append(len(text))
        return loads(text)

    from claude_rest._runtime import stream

    monkeypatch.setattr(codec, "loads", counting)
    monkeypatch.setattr(stream, "loads", counting)
    deltas = 300
    body = b"".join(tool_input_stream(deltas))
    _stream_message(body)

    events = body.count(b"\n\n")
    # Each event once, the first one also before it is given out, and the input once.
    assert len(parsed) == events + 2
    assert sum(parsed) < len(body) + parsed[0] + deltas * 24 + 1


def test_work_of_a_tool_input_stream_is_linear() -> None:
    def work(deltas: int) -> int:
        body = b"".join(tool_input_stream(deltas))
        return _calls(lambda: _stream_message(body))

    work(10)
    few, more, many = (work(deltas) for deltas in (200, 400, 800))

    # Reading from the socket adds a few calls more or less.
    assert (many - more) / (more - few) == pytest.approx(2, rel=0.15)


def test_work_of_sse_decoding_is_linear() -> None:
    def work(size: int) -> int:
        text = {"type": "text_delta", "text": "a" * size}
        body = sse_event({"type": "content_block_delta", "index": 0, "delta": text})
        decoder = sse.SSEDecoder()
        pieces = list(in_pieces(body, 100))
        found: list[Any] = []
        calls = _calls(lambda: found.extend(e for piece in pieces for e in decoder.feed(piece)))
        assert len(found) == 1
        return calls

    work(100)
    few, more, many = (work(size) for size in (10_000, 20_000, 40_000))

    assert (many - more) / (more - few) == pytest.approx(2, rel=0.01)


def _stream_message(body: bytes) -> None:
    with (
        LoopbackServer([[Send(chunked(in_pieces(body)))]]) as server,
        Claude(api_key="sk-ant-api03-none", base_url=server.url) as client,
        client.messages.stream(
            model="claude-opus-5-5",
            max_tokens=1000,
            messages=[{"role": "user", "content": "Hello, Claude"}],
        ) as stream,
    ):
        for _ in stream:
            pass
        assert stream.get_final_message().content


def _calls(work: Callable[[], object]) -> int:
    """Count the function calls that ``work`` makes on this thread, those into C included."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
