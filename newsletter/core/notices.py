"""Notices: what webhooks and channels are told, and when one that was not taken is sent again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# After each failure, until the next try: those of Standard Webhooks ("Deliverability and reliability"), which ends
# after three days.
FOR_THREE_DAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# A post of the morning's papers is no news in the evening.
FOR_SIX_HOURS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=3, minutes=30),
)
# How long one try may take, with all around it. Whose time is over died, or hangs.
LEASE = timedelta(minutes=3)
# Notices are kept so long, whatever became of them.
KEPT_FOR = timedelta(days=14)

POST = "post"  # the kind of a notice that is no event: the post of an issue


class NoticeState(StrEnum):
    """How a notice stands."""

    PENDING = "pending"  # what it tells of has not happened yet
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one receiver is told.

    Attributes:
        key: its number in the ledger.
        id: of what it tells; the same for all who are told, and in each try.
        receiver: who is told, by the name in the ledger.
        kind: the type of an event, or `POST`.
        at: when it happened; aware, UTC.
        data: what is told, as JSON.
        issue_key: the issue that it is about, if any.
        subscriber_key: the subscriber that it is about, if any.
        attempts: how often it was tried, this try counted.
        was_cut_off: whether an earlier try did not end: it may have been taken.
    """

    key: int
    id: str
    receiver: str
    kind: str
    at: datetime
    data: str
    issue_key: int | None
    subscriber_key: int | None
    attempts: int
    was_cut_off: bool = False


def next_try(
    pauses: Sequence[timedelta], attempts: int, *, now: datetime, wait: timedelta = timedelta()
) -> datetime | None:
    """Return when a notice that failed is tried again, or None: it is given up.

    Args:
        pauses: after each try, until the next.
        attempts: how often it was tried.
        now: aware.
        wait: what the receiver asked for; it counts if it is longer than the pause, and for a day at most. A
            notice is given up if it is longer than all pauses together.
    """
    wait = min(wait, timedelta(days=1))
    if attempts > len(pauses) or wait > sum(pauses, timedelta()):
        return None
    return now + max(pauses[max(attempts, 1) - 1], wait)
