"""Which of a reader's issues were missed, and by which others that is made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.core.missed import Withheld, missed_of
from newsletter.core.steps import CANCELLED, OTHER_DAY, OTHER_EDITION, TOO_LATE

MONDAY = datetime(2026, 3, 9, 8, tzinfo=UTC)
WEEKLY = f"{OTHER_EDITION}weekly issue, this one is daily"
BY_NOW = f"{TOO_LATE}: it could not be delivered within 36 hours"


def issue(day: int, reason: str = "", *, changed: int | None = None) -> Withheld:
    """Return an issue of a day, counted from Monday; without a reason the reader got it."""
    closed_at = MONDAY + timedelta(days=day)
    changed_at = closed_at if changed is None else MONDAY + timedelta(days=changed)
    return Withheld(day, closed_at, was_brought=not reason, reason=reason, changed_at=changed_at)


@pytest.mark.parametrize(
    ("issues", "missed"),
    [
        ([issue(0)], set()),
        ([issue(0, OTHER_DAY.reason), issue(1, OTHER_DAY.reason)], {0, 1}),
        ([issue(0, OTHER_DAY.reason), issue(1)], set()),
        ([issue(0), issue(1, CANCELLED.reason)], {1}),
        ([issue(0, "removed from the list")], set()),
        ([issue(0, WEEKLY), issue(1, WEEKLY)], {0, 1}),
        ([issue(0, WEEKLY, changed=3), issue(0)], set()),
        ([issue(0, BY_NOW, changed=2), issue(1), issue(2)], {0}),
        ([issue(0, BY_NOW, changed=2), issue(1), issue(2), issue(3)], set()),
        ([issue(0, BY_NOW, changed=2), issue(1, BY_NOW, changed=3), issue(2), issue(3)], {1}),
    ],
)
def test_an_issue_makes_up_for_those_that_were_known_to_be_missed(
    issues: list[Withheld], missed: set[int]
) -> None:
    assert missed_of(issues) == missed
