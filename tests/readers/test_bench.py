"""The bench of `subscribers plan` and `apply` still runs: what it measures is another matter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_the_bench_of_subscribers_measures_each_step() -> None:
    command = [sys.executable, "bench/subscribers.py", "--json", "--readers", "40"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    result = json.loads(done.stdout)
    assert [row["step"].removeprefix("subscribers ") for row in result["rows"]] == [
        "plan",
        "apply",
        "plan, nothing to do",
        "plan, one row changed",
        "apply, one row changed",
    ]
    assert "sqlite, subscribers plan, wall_s" in result["ratios"]
