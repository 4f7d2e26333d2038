"""Refusals in doubt: is it the reader whom a relay does not take, or us?

A relay's "no, by policy" (550 5.7.1, 554 after the data) may be about this reader, whom it has on a list of its
own, or about us: our address, our quota, the message. What happens with other readers tells:

- a message that was handed over after the answer goes through: it was about the reader;
- one reader after another is refused and nothing goes through: it is about us.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from newsletter.core.delivery import DeliveryState, Doubt

# This many different readers refused in a row, with nothing accepted in between: the refusals are about us.
# Fewer are enough where its words are about us; else a list may have that many readers whom it doesn't take.
_PATIENCE, _LITTLE_PATIENCE = 20, 5
_SEVERAL = 2

_WHAT_DIFFERS = re.compile(r"[^\s<>]{1,320}@[^\s<>]{1,320}|[0-9a-f]*\d[0-9a-f]*", re.IGNORECASE)


def answer_key(code: int | None, text: str) -> str:
    """Return what two answers have in common that say the same of different readers."""
    return f"{code} {' '.join(_WHAT_DIFFERS.sub('', text).split())}"


def is_about_us(doubts: Collection[Doubt], *, in_flight: int) -> bool:
    """Return whether refusals of different readers, one after the other, are about us.

    Args:
        doubts: of each reader who was refused since a message went through last.
        in_flight: how many messages may have been on their way when the first of them was refused.
    """
    ours = sum(doubt is Doubt.OURS for doubt in doubts)
    return len(doubts) >= _PATIENCE + in_flight or ours >= _LITTLE_PATIENCE + in_flight


def at_the_end(doubt: Doubt, *, readers: int, taken: bool, taken_before: bool) -> DeliveryState:
    """Return what becomes of a delivery whose refusal is in doubt still when nothing is left to send.

    Args:
        doubt: how much the refusal sounds like ours.
        readers: how many readers are refused in doubt.
        taken: the relay took messages in this run.
        taken_before: an earlier run brought the same issue to others.
    """
    if taken and doubt is Doubt.SOME:
        return DeliveryState.REFUSED
    if taken or taken_before or readers < _SEVERAL:
        return DeliveryState.DEFERRED  # nobody can tell: asked again later, as often as the retry policy allows
    return DeliveryState.QUEUED
