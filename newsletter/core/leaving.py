"""Readers who leave a list: why, what they may do instead, and how long they may take it back. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Wishes
from newsletter.core.text import one_line

UNDO_FOR = timedelta(days=7)
_PAUSE = timedelta(days=30)
_LONGEST_WHY = 200  # characters


class Instead(StrEnum):
    """What a reader may choose instead of leaving."""

    WEEKLY = "weekly"  # an issue a week
    PAUSE = "pause"  # no mail for a month


# What readers may say with one press, and how it is kept.
WHYS = {"too_many": "too many papers", "not_mine": "not my field", "elsewhere": "I read it elsewhere"}


def may_undo(left_at: datetime, *, now: datetime) -> bool:
    """Return whether who left at a moment may take it back now; both are aware."""
    return now < left_at + UNDO_FOR


def end_of_pause(today: date) -> date:
    """Return the day from which issues come again to a reader who pauses for a month."""
    return today + _PAUSE


def less(wishes: Wishes, instead: Instead, until: date) -> Wishes:
    """Return a reader's wishes when they want less mail instead of leaving; `until` is the end of a pause."""
    if instead is Instead.WEEKLY:
        return wishes._replace(cadence=Cadence.WEEKLY)
    return wishes._replace(paused_until=until)


def why(said: str, words: str) -> str:
    """Return why a reader left as one short line, or nothing if they said nothing.

    Args:
        said: a key of `WHYS`, or anything else.
        words: the reader's own, as they came; they count where `said` is no key.
    """
    return WHYS.get(said) or one_line(words, _LONGEST_WHY)
