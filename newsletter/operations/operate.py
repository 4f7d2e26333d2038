"""What an operator does about deliveries that hang: retry what was deferred, release what is held as uncertain."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from newsletter.core.delivery import Change, DeliveryState
from newsletter.ports import Outbox, Oversight, Place

_AT_A_TIME = 1000  # deliveries that are released in one transaction
_REASON = "by the operator"


async def retry(outbox: Outbox, *, list_name: str | None, day: date | None, now: datetime) -> int:
    """Make deferred deliveries due now, and return how many.

    None of them is withdrawn as late: the operator has asked for them.

    Args:
        outbox: the deliveries.
        list_name: narrows to one list; None: all.
        day: narrows to the issues of one day; None: all.
        now: the present moment, aware.
    """
    return await _hasten(outbox, DeliveryState.DEFERRED, list_name=list_name, day=day, now=now)


async def release(outbox: Outbox, *, as_sent: bool, list_name: str | None, day: date | None, now: datetime) -> int:
    """Queue uncertain deliveries again, to be sent under the same Message-ID, and return how many.

    Args:
        outbox: the deliveries.
        as_sent: they have arrived: count them as sent, and send nothing.
        list_name: narrows to one list; None: all.
        day: narrows to the issues of one day; None: all.
        now: the present moment, aware.
    """
    await _hasten(outbox, DeliveryState.UNCERTAIN, list_name=list_name, day=day, now=now)
    state = DeliveryState.SENT if as_sent else DeliveryState.QUEUED
    uncertain, released = frozenset({DeliveryState.UNCERTAIN}), 0
    while held := await outbox.records(list_name=list_name, day=day, states=uncertain, limit=_AT_A_TIME):
        changes = [
            Change(
                key=record.key,
                state=state,
                at=now,
                attempts=record.attempts,
                relay=record.relay,
                reason=_REASON,
            )
            for record in held
        ]
        done = len(changes) - len(await outbox.record(changes))
        if not done:  # somebody else has released all of them meanwhile
            break
        released += done
    return released


class Decision(StrEnum):
    """What an operator decides about one delivery."""

    RETRY = "retry"  # of a deferred one: try it again now
    GIVE_UP = "give up"  # likewise: send it no more
    AGAIN = "again"  # of an uncertain one: send it again, under the same Message-ID
    AS_SENT = "as sent"  # likewise: it has arrived


_ABOUT = {
    Decision.RETRY: DeliveryState.DEFERRED,
    Decision.GIVE_UP: DeliveryState.DEFERRED,
    Decision.AGAIN: DeliveryState.UNCERTAIN,
    Decision.AS_SENT: DeliveryState.UNCERTAIN,
}
_COMES_TO = {
    Decision.GIVE_UP: DeliveryState.WITHDRAWN,
    Decision.AGAIN: DeliveryState.QUEUED,
    Decision.AS_SENT: DeliveryState.SENT,
}


async def decide(outbox: Outbox, oversight: Oversight, place: Place, decision: Decision, *, now: datetime) -> bool:
    """Do what the operator decides about one delivery; return False, having changed nothing, if it is too late.

    Args:
        outbox: the deliveries.
        oversight: where they are read.
        place: that of the delivery.
        decision: what the operator decides.
        now: the present moment, aware.
    """
    state = _ABOUT[decision]
    before = Place(place.issue_key, place.key - 1)
    found = await oversight.deliveries([state], issue_key=place.issue_key, after=before, limit=1)
    if not found or found[0].place != place:
        return False
    if decision is not Decision.GIVE_UP:
        hastened = await outbox.hasten(place.issue_key, now=now, states=[state], key=place.key)
        if decision is Decision.RETRY:
            return hastened > 0
    record = found[0].record
    change = Change(
        key=place.key,
        state=_COMES_TO[decision],
        at=now,
        attempts=record.attempts,
        relay=record.relay,
        reason=_REASON,
    )
    return not await outbox.record([change])


async def _hasten(
    outbox: Outbox, state: DeliveryState, *, list_name: str | None, day: date | None, now: datetime
) -> int:
    """Make all deliveries that are in a state due now, and return how many."""
    hastened = 0
    for issue_key in await outbox.issues_with(state, list_name=list_name, day=day):
        hastened += await outbox.hasten(issue_key, now=now, states=[state])
    return hastened
