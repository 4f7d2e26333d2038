"""The bench of whole commands still runs, and what it counts is right: what it measures is another matter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import need

ROOT = Path(__file__).parents[2]
READERS = 40

# A figure that each step has beside its cost.
START = {
    "python -c pass": "cpu_s",
    "--version": "cpu_s",
    "--help": "cpu_s",
    "status, 10 readers": "cpu_s",
}
STEPS = {
    "run, first": "lock_closing_s",
    "run, nothing to do": "wall_s",
    "run, one row changed": "lock_s",
    "serve, idle": "healthz_p99_ms",
    "serve, an issue is closed": "healthz_p99_ms",
    "serve, an issue is sent": "lock_s",
    "serve, all told": "sent",
    "status": "rss_mb",
    "issues list": "rss_mb",
    "deliveries list": "rss_mb",
}


@pytest.mark.long
def test_the_bench_at_scale_measures_each_step_on_sqlite() -> None:
    need("cc")
    command = [sys.executable, "bench/scale.py", "--json", "--readers", str(READERS), "--database", "sqlite"]
    done = subprocess.run(
        [*command, "--idle", "1", "--rounds", "1"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    result = json.loads(done.stdout)
    assert "sqlite, status, wall_s" in result["ratios"]
    rows, steps = {row["step"]: row for row in result["rows"]}, START | STEPS

    assert {step: steps[step] in row for step, row in rows.items()} == dict.fromkeys(steps, True)
    assert rows["run, first"]["sent"] == READERS
    assert READERS * 3 // 4 <= rows["serve, all told"]["sent"] <= READERS
    assert rows["run, first"]["lock_closing_s"] > 0
