"""Jobs: what workers are asked to do, and which comes first. Pure.

A job of an issue names no deliveries: it is leave to deliver up to `CHUNK` of those that are due. Which ones, the
ledger decides when they are claimed. So a job may be lost, doubled or done twice, and no mail is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

CHUNK = 2000  # deliveries that one job of an issue delivers at most

# Of a small issue, so many jobs are written for so few deliveries that several workers share it.
_SHARE = 500
_MOST_SHARES = 16

# The most jobs of one issue that are asked for at a time, but when it is closed: more than all workers take until
# they are counted again.
MOST_AT_ONCE = 1000


class Queue(StrEnum):
    """Jobs of one kind."""

    MAILS = "mails"  # letters to single persons
    ISSUES = "issues"  # chunks of issues


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkJob:
    """Leave to deliver a chunk of an issue.

    Attributes:
        issue_key: the issue's.
        at: from when on (aware); None: now.
        priority: the job with the highest is taken first.
    """

    issue_key: int
    at: datetime | None
    priority: int


MAILS_PRIORITY = 100  # a person waits for it


def priority_of(deliveries: int) -> int:
    """Return the priority of an issue's jobs, by how many deliveries are left: small issues go first.

    It is below `MAILS_PRIORITY`, and the same for issues of about the same size, which go out side by side.
    """
    return -chunks_for(deliveries).bit_length()


def chunks_for(deliveries: int) -> int:
    """Return how many jobs are written to deliver so many: as many as it takes, and more of a small issue."""
    some = max(deliveries, 0)
    return max(-(-some // CHUNK), min(-(-some // _SHARE), _MOST_SHARES))


def jobs_of_closed(issue_key: int, due: Sequence[tuple[datetime, int]], *, now: datetime) -> list[ChunkJob]:
    """Return the jobs of an issue that was just closed.

    Args:
        issue_key: the issue's.
        due: at which moments deliveries are due, and how many at each.
        now: aware.
    """
    priority = priority_of(sum(count for _, count in due))
    return [
        ChunkJob(issue_key=issue_key, at=moment if moment > now else None, priority=priority)
        for moment, count in due
        for _ in range(chunks_for(count))
    ]


def lacking(issue_key: int, due: int, live: int) -> list[ChunkJob]:
    """Return the jobs that are to be added, where `due` deliveries are due and `live` jobs may be taken now."""
    wanted = min(chunks_for(due), MOST_AT_ONCE)
    job = ChunkJob(issue_key=issue_key, at=None, priority=priority_of(due))
    return [job] * max(wanted - live, 0)
