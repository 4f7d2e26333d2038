"""The bench that kills, stops and crashes a cluster still runs, with few readers, and nobody is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import Server
from tests.services import need

ROOT = Path(__file__).parents[2]
READERS = 400


@pytest.mark.long
def test_workers_that_are_killed_stopped_and_lose_their_database_lose_nobody(postgres: Server) -> None:
    need("cc")
    command = [sys.executable, "bench/crash_cluster.py", "--json", "--policy", "resend", "--workers", "2"]
    few = ["--deliveries", str(READERS), "--connections", "2", "--answer-after", "20"]
    blows = ["--kill-every", "1", "--kills", "1", "--stop-for", "1"]

    done = subprocess.run([*command, *few, *blows], cwd=ROOT, check=False, capture_output=True, text=True)

    assert done.stdout, done.stderr
    [row] = json.loads(done.stdout)["rows"]
    assert row["states"] == {"sent": READERS}
    assert (row["lost"], row["wrong_copies"]) == (0, 0)
    assert {blow["what"] for blow in row["blows"]} >= {"SIGKILL", "crash of the database"}
