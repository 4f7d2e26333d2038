"""The bench still runs: what it measures is another matter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.services import need

ROOT = Path(__file__).parents[2]


def test_the_bench_prints_ratios_and_rows() -> None:
    need("cc")
    command = [sys.executable, "bench/deliver.py", "--json", "--rounds", "1", "--scale", "0.02"]

    done = subprocess.run(
        [*command, "--only", "newsletter", "smtplib"], cwd=ROOT, check=True, capture_output=True, text=True
    )

    result = json.loads(done.stdout)
    assert list(result["ratios"]) == ["smtplib"]
    assert [row["contender"] for row in result["rows"]] == ["newsletter", "smtplib"]
    assert all(row["messages_per_second"] > 0 for row in result["rows"])
