"""After a backup is restored: what it does not know may have happened nevertheless. Pure.

The operator says until when all that was due counts as sent. Then no reader gets anything a second time, and some
may miss what did not go out: deliveries that were open count as sent, hours that passed have had their issue, and
papers that were listed until then have been in one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime

from newsletter.core.calendar import last_slot
from newsletter.core.delivery import WAITING, Change, DeliveryState
from newsletter.core.listing import Candidate, Entry
from newsletter.core.newsletter_list import NewsletterList

ASSUMED = "counts as sent: it was open in the backup that was restored"


def counted_as_sent(key: int, state: DeliveryState, attempts: int, now: datetime) -> list[Change]:
    """Return the steps of a delivery that may have been made after the backup.

    Args:
        key: the delivery's.
        state: how it stands in the backup; it is open there, or uncertain.
        attempts: how often it was tried until then.
        now: when this is decided; aware.
    """
    sent = Change(key=key, state=DeliveryState.SENT, at=now, attempts=attempts, reason=ASSUMED)
    return [sent._replace(state=DeliveryState.SENDING), sent] if state in WAITING else [sent]


def last_day_sent(list_: NewsletterList, assumed_until: datetime | None) -> date | None:
    """Return the day up to which what was listed counts as sent: that of the last issue that may have gone out.

    None: nothing is assumed, or the list had no hour in the week before.
    """
    slot = None if assumed_until is None else last_slot(list_, assumed_until)
    return None if slot is None else slot.day


def without(candidates: Iterable[Candidate], brought: Collection[int]) -> list[Candidate]:
    """Return the candidates but those that earlier issues may have brought to anybody, by their keys."""
    return [one for one in candidates if one.key not in brought]


def dated_before(entries: Iterable[Entry], until: date) -> tuple[Entry, ...]:
    """Return what a feed shows at its first reading after the restoration, each on the day that it may have had.

    Nobody knows since when it shows an entry. Its own date tells; without one it counts as listed on `until`.
    """
    return tuple(
        entry
        if entry.listing.published_on is not None
        else replace(entry, sighting=replace(entry.sighting, listed_on=min(entry.sighting.listed_on, until)))
        for entry in entries
    )
