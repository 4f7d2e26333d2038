"""What bringing a list's subscribers into line with its files changes, in counts and person by person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from newsletter.core.newsletter_list import WEEKDAYS
from newsletter.core.subscriber import Member

# More than this share of those whom the files named before is not removed at once without the operator's word: a
# members file may be cut off or be another list's. A single person may always go.
_MOST_REMOVED = 0.2

LEFT = "unsubscribed"  # the reason of a reader who left by themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCounts:
    """How many subscribers a sync with a list's files adds, changes, brings back, removes, and leaves as they are.

    Whom the files name and who came by another way, or has left, counts as unchanged; so does who is `keeping` own
    wishes that differ from the files. `present` are those whom the files named until now; it is counted only where
    somebody is removed.
    """

    added: int = 0
    changed: int = 0
    reactivated: int = 0
    removed: int = 0
    unchanged: int = 0
    keeping: int = 0
    present: int = field(default=0, compare=False)

    @property
    def differ(self) -> bool:
        """Return whether anything is to be done."""
        return bool(self.added or self.changed or self.reactivated or self.removed)

    @property
    def removes_many(self) -> bool:
        """Return whether so many are removed at once that the operator is to be asked first."""
        return self.removed > 1 and self.removed > _MOST_REMOVED * self.present


class ChangeKind(StrEnum):
    """What becomes of one person in a sync; in the order in which a plan shows them."""

    ADD = "add"
    CHANGE = "change"
    REACTIVATE = "reactivate"
    REMOVE = "remove"
    KEEPS = "keeps own wishes"  # they differ from what the files say
    STAYS_OUT = "stays out"  # the files name them, and they get no mail


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """What becomes of one person in a sync, and why, in words."""

    kind: ChangeKind
    email: str
    reason: str


class Barred(NamedTuple):
    """Why an address gets no mail of a list, and since when."""

    reason: str
    since: datetime

    def __str__(self) -> str:
        """Return that in words: `unsubscribed 2026-04-01`."""
        return f"{self.reason} {self.since:%F}"


def changed_wishes(old: Member, new: Member) -> str:
    """Return in words how a member differs: `name: '' → 'Ann'; topics: agents → agents, vision`."""
    return "; ".join(
        f"{field}: {_shown(before)} → {_shown(after)}"
        for field, before, after in zip(Member._fields, old, new, strict=True)
        if before != after
    )


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        value = tuple(WEEKDAYS[one] if isinstance(one, int) else one for one in value)
        return ", ".join(map(str, value)) or "none"
    if value is None:
        return "the list's"
    return str(value) if isinstance(value, StrEnum) or not isinstance(value, str) else repr(value)
