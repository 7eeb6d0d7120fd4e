"""A run of batches that is killed again and again; ``tox -e kill`` does it at full size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
def test_every_request_is_paid_once_however_often_the_run_dies() -> None:
    script = Path(__file__).with_name("kill_and_resume.py")
    options = {"requests": 600, "split": 20, "kills": 30, "delay": 0.1, "longest": 0.4}
    command = [sys.executable, str(script), "--settle", "2", "--seed", "7"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")
    }
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, env=environment
    )
    assert done.returncode == 0, done.stderr + done.stdout
    report = json.loads(done.stdout)
    assert (report["kills"], report["paid_once"], report["results_once"]) == (30, 600, 600)
    assert report["kills_in_doubt"] > 0
