"""What is remembered of a run, and survives whatever happens to the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from claude_client import (
    BatchInputChangedError,
    BatchIntent,
    BatchJournal,
    BatchJournalError,
    BatchJournalLockedError,
)

if TYPE_CHECKING:
    from pathlib import Path


def intent(part: int, digest: str = "d") -> BatchIntent:
    return BatchIntent(part, 3, digest, "names", "msgbatch_0", "2026-01-01T00:00:00Z")


def filled(path: Path) -> None:
    with BatchJournal(path) as journal:
        journal.begin(100, 1000)
        journal.intend(intent(0))
        journal.created(0, "msgbatch_1")
        journal.intend(intent(1))
        journal.refused(1)
        journal.intend(intent(1))


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    filled(tmp_path / "j")
    with BatchJournal(tmp_path / "j") as journal:
        assert journal.limits == (100, 1000)
        assert journal.batch_ids == {0: "msgbatch_1"}
        assert journal.in_doubt(0) is None
        doubt = journal.in_doubt(1)
        assert doubt is not None
        assert (doubt.count, doubt.newest_id) == (3, "msgbatch_0")
        assert journal.in_doubt(2) is None
        assert not journal.complete
        journal.created(1, "msgbatch_2")
        journal.finish()
    with BatchJournal(tmp_path / "j") as journal:
        assert journal.complete
        assert journal.batch_ids == {0: "msgbatch_1", 1: "msgbatch_2"}


def test_every_cut_leaves_a_journal_of_what_came_before(tmp_path: Path) -> None:
    filled(tmp_path / "whole")
    text = (tmp_path / "whole").read_bytes()
    path = tmp_path / "cut"
    for length in range(len(text)):
        path.write_bytes(text[:length])
        with BatchJournal(path) as journal:
            if journal.limits is not None:
                journal.intend(intent(len(journal.intents)))
        lines = path.read_bytes().splitlines()
        assert all(json.loads(line) for line in lines)
        kept = text[:length].count(b"\n")
        assert len(lines) == kept + (kept > 0)


@pytest.mark.parametrize(
    "text",
    [
        b"no journal\n",
        b"[]\n",
        b'{"type": "intent"}\n',
        b'{"type": "run", "format": 2, "max_requests": 1, "max_bytes": 1}\n',
        b'{"type": "run", "format": 1}\n',
        b'{"type":"run","format":1,"max_requests":1,"max_bytes":1}\n{broken\n{"type":"x"}\n',
        b'{"type":"run","format":1,"max_requests":1,"max_bytes":1}\n{"type":"created"}\n',
    ],
)
def test_what_is_no_journal_is_left_alone(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(text)
    with pytest.raises(BatchJournalError, match="line"):
        BatchJournal(path)
    assert path.read_bytes() == text
    # And it is not locked by the attempt.
    with pytest.raises(BatchJournalError, match="line"):
        BatchJournal(path)


def test_lines_of_later_versions_are_passed_over(tmp_path: Path) -> None:
    filled(tmp_path / "j")
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"type":"remark","text":"hello"}\n')
    with BatchJournal(tmp_path / "j") as journal:
        assert journal.batch_ids == {0: "msgbatch_1"}


def test_one_run_has_it_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "j"
    code = (
        "import sys\nfrom claude_client import *\n"
        "try: BatchJournal(sys.argv[1])\n"
        "except BatchJournalLockedError: print('locked')"
    )
    with BatchJournal(path):
        with pytest.raises(BatchJournalLockedError, match="another run"):
            BatchJournal(path)
        command = [sys.executable, "-c", code, str(path)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert done.stdout.strip() == "locked"
    BatchJournal(path).close()


def test_other_requests_are_refused(tmp_path: Path) -> None:
    filled(tmp_path / "j")
    with BatchJournal(tmp_path / "j") as journal:
        journal.check(0, 3, "d")
        with pytest.raises(BatchInputChangedError, match="other ones") as error:
            journal.check(0, 3, "e")
        assert error.value.part == 0
        with pytest.raises(BatchInputChangedError, match="had 3 requests, and now has 4"):
            journal.check(1, 4, "d")
        journal.check(2, 3, "new")
        journal.check_end(2)
        with pytest.raises(BatchInputChangedError, match="no requests for it"):
            journal.check_end(1)
        journal.created(1, "msgbatch_2")
        journal.finish()
        with pytest.raises(BatchInputChangedError, match="fewer requests"):
            journal.check(2, 3, "new")


@pytest.mark.parametrize("chosen", ["msgbatch_9", None])
def test_a_doubt_can_be_settled_by_hand(tmp_path: Path, chosen: str | None) -> None:
    filled(tmp_path / "j")
    BatchJournal.settle(tmp_path / "j", 1, chosen)
    with BatchJournal(tmp_path / "j") as journal:
        assert journal.in_doubt(1) is None
        assert journal.batch_ids.get(1) == chosen
    for part in (0, 1, 2):
        with pytest.raises(BatchJournalError, match="not in doubt"):
            BatchJournal.settle(tmp_path / "j", part, None)


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    journal = BatchJournal(tmp_path / "j")
    journal.close()
    journal.close()
    with pytest.raises(BatchJournalError, match="closed"):
        journal.begin(1, 1)
    memory: Any = BatchJournal()
    memory.begin(1, 1)
    assert memory.limits == (1, 1)


@pytest.mark.parametrize("text", [b'[{"custom_id": "a"}]', b"x", b'{"type":"batch"}', b"\x00" * 99])
def test_a_file_of_one_line_that_is_no_journal_is_left_alone(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "requests.json"
    path.write_bytes(text)
    with pytest.raises(BatchJournalError, match="no journal"):
        BatchJournal(path)
    assert path.read_bytes() == text
