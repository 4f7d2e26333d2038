"""The bench still runs: what it measures is another matter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import missing, need

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


@pytest.mark.long
def test_the_bench_of_real_servers_prints_ratios_and_rows() -> None:
    need("unshare")
    need("postfix", "/usr/sbin/postfix")
    if os.geteuid() != 0:
        missing("the right to start Postfix, which only root has,")
    command = [sys.executable, "bench/servers.py", "--json", "--rounds", "1", "--readers", "20"]

    done = subprocess.run(
        [*command, "--only", "postfix"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=180
    )

    result = json.loads(done.stdout)
    assert list(result["ratios"]) == ["postfix, clear, not joined", "postfix, starttls, not joined"]
    assert [(row["connection"], row["sender"]) for row in result["rows"]] == [
        ("clear", "joined"),
        ("clear", "not joined"),
        ("starttls", "joined"),
        ("starttls", "not joined"),
    ]
    assert all(row["messages_per_second"] > 0 for row in result["rows"])
