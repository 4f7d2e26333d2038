"""The operator's word that no more of an issue is sent: paused until it is resumed, or cancelled for good. Pure.

::

    (goes out) ──pause──▶ paused ──resume──▶ (goes out)
        └────────cancel────┴──▶ cancelled

What is cancelled is withdrawn from its readers, so it was not brought to them: its papers are theirs to choose
from in the next issue (`core.missed`). Of what is uncertain nobody knows whether it arrived, so it stays
uncertain, and its papers count as brought.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.core.errors import UsageError


class Halt(StrEnum):
    """Why nothing more of an issue is sent."""

    PAUSED = "paused"
    CANCELLED = "cancelled"


class Order(StrEnum):
    """What the operator says of an issue."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltState:
    """Whether an issue is halted, and how.

    Attributes:
        halt: why nothing more is sent; None: it goes out.
        since: when that was said (aware, UTC); None: it goes out.
        paused_for: how long it was paused before, in all. Nothing becomes too late by a pause.
    """

    halt: Halt | None = None
    since: datetime | None = None
    paused_for: timedelta = timedelta()


GOES_OUT = HaltState()


def obeyed(state: HaltState, order: Order, now: datetime) -> HaltState:
    """Return what an order makes of an issue. What is so already stays as it is.

    Args:
        state: of the issue.
        order: what the operator says.
        now: aware, UTC.

    Raises:
        UsageError: the issue is cancelled, which is for good.
    """
    if state.halt is Halt.CANCELLED:
        if order is Order.CANCEL:
            return state
        raise UsageError(f"it is cancelled since {state.since:%Y-%m-%d %H:%M} UTC, which is for good")
    paused_for = state.paused_for
    if state.halt is Halt.PAUSED and state.since is not None:
        if order is Order.PAUSE:
            return state
        paused_for += max(now - state.since, timedelta())
    if order is Order.RESUME:
        return HaltState(paused_for=paused_for)
    return HaltState(halt=_HALTS[order], since=now, paused_for=paused_for)


_HALTS = {Order.PAUSE: Halt.PAUSED, Order.CANCEL: Halt.CANCELLED}
