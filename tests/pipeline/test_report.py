"""A list has one report, however many of its issues were open."""

from __future__ import annotations

from datetime import date

from newsletter.core.errors import RelayError
from newsletter.pipeline.report import RunReport, RunStatus, of_list

MONDAY, TUESDAY = date(2026, 3, 9), date(2026, 3, 10)


def report(name: str, day: date, status: RunStatus, sent: int = 0, trouble: str = "") -> RunReport:
    error = RelayError(trouble) if trouble else None
    return RunReport(list=name, date=day, status=status, sent_now=sent, has_tried=sent > 0, trouble=error)


def test_the_issue_that_stands_worst_is_shown_with_what_all_came_to() -> None:
    fine, left = report("daily", MONDAY, RunStatus.SENT, 3), report("daily", TUESDAY, RunStatus.PARTIAL, 2)
    both = of_list("daily", [fine, left])
    assert (both.date, both.status, both.sent_now, both.has_tried) == (TUESDAY, RunStatus.PARTIAL, 5, True)
    broken = report("daily", TUESDAY, RunStatus.FAILED, trouble="no template")
    assert of_list("daily", [fine, left, broken]).trouble is broken.trouble
    assert of_list("daily", [fine]) == fine


def test_weekly_issues_stand_in_the_report_of_their_list() -> None:
    daily, weekly = report("daily", TUESDAY, RunStatus.SENT, 1), report("daily.weekly", MONDAY, RunStatus.SENT, 2)
    both = of_list("daily", [daily, weekly])
    assert both.editions == (both, weekly)
    alone = of_list("daily", [weekly])
    assert (alone.list, alone.status, alone.weekly) == ("daily", RunStatus.NOT_DUE, weekly)
