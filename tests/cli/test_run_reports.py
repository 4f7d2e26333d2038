"""What `run` prints of a list."""

from __future__ import annotations

from datetime import date

import pytest

from newsletter.cli.run_reports import say_reports
from newsletter.core.errors import StoreError
from newsletter.pipeline.report import RunReport, RunStatus


def test_a_run_that_the_ledger_ended_says_nothing_of_papers(capsys: pytest.CaptureFixture[str]) -> None:
    full = StoreError("the disk is full")
    failed = RunReport(
        list="daily", date=date(2026, 3, 12), status=RunStatus.FAILED, reason=str(full), trouble=full
    )
    say_reports([failed], as_json=False)
    assert capsys.readouterr().out == "daily 2026-03-12: failed (the disk is full)\n"
