"""Readers who move to another address: how long they may confirm it, and how often they may ask. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

# The reason for which a former address gets no mail of a list.
MOVED = "moved to another address"

VALID_FOR = timedelta(days=3)
KEPT_FOR = timedelta(days=30)  # what was asked for, after that nothing is left of it

_MOST_OF_READER, _MOST_OF_ADDRESS = 3, 3
_WITHIN = timedelta(days=1)


def end_of(asked_at: datetime) -> datetime:
    """Return until when an address that was asked for may be confirmed."""
    return asked_at + VALID_FOR


def may_ask(of_reader: Iterable[datetime], of_address: Iterable[datetime], *, now: datetime) -> bool:
    """Return whether a mail may go to a new address.

    Anybody who has a reader's mail can ask, for any address. So each reader may ask three times in a day, and to
    each address, whoever asks, three mails go in a day.

    Args:
        of_reader: when the reader asked before, for whatever address.
        of_address: when somebody asked for that address before.
        now: aware, as all of them.
    """
    return all(
        sum(at > now - _WITHIN for at in asked) < most
        for asked, most in ((of_reader, _MOST_OF_READER), (of_address, _MOST_OF_ADDRESS))
    )
