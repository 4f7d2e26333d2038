"""How many mails a relay is handed in an hour and in a day, and how many more it may be handed now. Pure.

Both are rolling: at any moment the last 60 minutes and the last 24 hours count, whatever a provider's own day is.
So a limit holds for providers that count either way. Mails are counted in slots of five minutes, each of which
counts as a whole until its last moment is past.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from newsletter.core.text import counted

SLOT = timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_MOST_DOUBLINGS = 20  # after a million times as many as on the first day, an address is warm
_ANY_NUMBER = 10**9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """The most mails in an hour and in a day; 0: no limit.

    `warm_up` is the most mails of the first day, after which that number doubles every `warm_up_days` days, up to
    `per_day` if that is set; 0: no warm-up.
    """

    per_hour: int = 0
    per_day: int = 0
    warm_up: int = 0
    warm_up_days: int = 2

    @property
    def is_set(self) -> bool:
        """Return whether there is any limit."""
        return bool(self.per_hour or self.per_day or self.warm_up)


class QuotaOf(NamedTuple):
    """The quota of a relay: its name, the account by which mails are counted, and the limits."""

    relay: str
    account: str
    quota: Quota


class Used(NamedTuple):
    """How many mails were handed over in the slot that begins at a moment (aware, UTC)."""

    slot: datetime
    mails: int


class Room(NamedTuple):
    """How many mails more may go now. If none: when the next may, and which limit it is, in words."""

    left: int
    opens_at: datetime | None = None
    said: str = ""


class _Limit(NamedTuple):
    span: timedelta
    most: int
    words: str
    grows_at: datetime | None = None


def slot_of(now: datetime) -> datetime:
    """Return the beginning of the slot that a moment (aware) is in."""
    return now - (now - _EPOCH) % SLOT


def room(quota: Quota, used: Sequence[Used], begun_at: datetime, now: datetime) -> Room:
    """Return how many mails more a relay may be handed now.

    Args:
        quota: its limits; at least one is set.
        used: what it was handed, by slots; older ones than a day may be among them.
        begun_at: when its warm-up began; without one, any moment.
        now: the present moment. All moments are aware.
    """
    rooms = [_room(limit, used, now) for limit in _limits(quota, begun_at, now)]
    closed = [one for one in rooms if one.opens_at]
    if closed:
        return max(closed, key=lambda one: one.opens_at or now)
    return min(rooms, key=lambda one: one.left, default=Room(_ANY_NUMBER))  # without: it is warm


def _limits(quota: Quota, begun_at: datetime, now: datetime) -> Iterator[_Limit]:
    if quota.per_hour:
        yield _Limit(HOUR, quota.per_hour, "in an hour")
    doubling = quota.warm_up_days * DAY
    doublings = max(0, (now - begun_at) // doubling)
    warm_up = quota.warm_up * 2**doublings if doublings <= _MOST_DOUBLINGS else 0
    if warm_up and (not quota.per_day or warm_up < quota.per_day):
        day = (now - begun_at) // DAY + 1
        yield _Limit(DAY, warm_up, f"on day {day} of the warm-up", begun_at + (doublings + 1) * doubling)
    elif quota.per_day:
        yield _Limit(DAY, quota.per_day, "in 24 hours")


def _room(limit: _Limit, used: Sequence[Used], now: datetime) -> Room:
    counting = sorted(one for one in used if one.mails > 0 and one.slot + SLOT + limit.span > now)
    mails = gone = sum(one.mails for one in counting)
    if mails < limit.most:
        return Room(limit.most - mails)
    opens_at = now
    for one in counting:
        if mails < limit.most:
            break
        mails -= one.mails
        opens_at = one.slot + SLOT + limit.span
    if limit.grows_at:
        opens_at = min(opens_at, limit.grows_at)
    # More went out where the limit was higher then.
    how = "all of them are used" if gone == limit.most else f"{gone:,} went out already"
    return Room(0, opens_at, f"{counted(limit.most, 'mail', 'mails')} {limit.words}, and {how}")
