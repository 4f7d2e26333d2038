"""How deliveries begin when an issue is closed, and what becomes of each, step by step. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from newsletter.core.choice import Choice
from newsletter.core.delivery import FORWARD, WAITING, Change, DeliveryState, Planned, Uncertain
from newsletter.core.errors import NoReaderError
from newsletter.core.issue import Issue
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.core.text import one_line

# The reason of a withdrawal where the address is suppressed; its text then says why. It is counted by this reason.
SUPPRESSED = "suppressed"
CUT_OFF = "cut off in flight"
NOT_YET_SENT = (DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.UNCERTAIN)
NOT_BROUGHT = (DeliveryState.WITHDRAWN, DeliveryState.REFUSED)
OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)

# Holds deliveries that were begun without a claim: no living worker has this name, so they can be recovered.
NOBODY = "nobody"

_LONGEST_TEXT = 1000


class Standing(NamedTuple):
    """Where a delivery stands, as far as its next step depends on it.

    `due_at` is as the store keeps it: it only ever goes back there.
    """

    state: DeliveryState | str
    due_at: Any
    attempts: int = 0
    claimed_by: str | None = None


class Step(NamedTuple):
    """The new values of a delivery's row; those that differ from one delivery to the next stand first.

    With `due_at`, which doesn't change, it is where the delivery stands then: see `Standing`.
    """

    key: int
    updated_at: datetime
    text: str
    ready_at: Any  # as `Standing.due_at`, or a datetime
    next_attempt_at: datetime | None
    state: DeliveryState
    attempts: int
    relay: str
    code: int | None
    reason: str
    claimed_by: str | None
    due_at: Any


class Opening(NamedTuple):
    """What the row of a delivery begins with: queued with a choice and its subject, or withdrawn with a reason."""

    email: str
    name: str
    state: str
    due_at: datetime
    ready_at: datetime | None
    reason: str
    text: str
    updated_at: datetime
    choice: Choice | None
    subject: str


# Decides for a subscriber, given the keys of listings that issues of the same list brought them before.
Plan: TypeAlias = Callable[[Subscriber, frozenset[int]], Planned]


class Bar(NamedTuple):
    """Why a subscriber gets no mail: the reason of the withdrawal, and what is known of it in words."""

    reason: str
    text: str = ""


REMOVED = Bar("removed from the list")
PAUSED = Bar("the reader pauses")
OTHER_DAY = Bar("not one of the reader's days")
CANCELLED = Bar("the issue was cancelled")
# With this begins the reason of what was withdrawn because its issue's deadline had passed.
TOO_LATE = "too late"
# With this begins the reason of what was withdrawn as its reader wants the list's other edition.
OTHER_EDITION = "wants a "


@dataclass(frozen=True, slots=True)
class Walk:
    """What changes lead to: the steps taken, in order, and what was left out and why."""

    steps: list[Step] = field(default_factory=list)
    suppress: list[Change] = field(default_factory=list)
    left_out: list[tuple[Change, str]] = field(default_factory=list)


def walk(
    standings: Mapping[int, Standing | Step],
    changes: Iterable[Change],
    worker: str | None = None,
    *,
    noted: bool = False,
) -> Walk:
    """Apply changes in their order; a delivery may take several steps at once.

    Args:
        standings: where the deliveries stand now, by key; the last step that was taken says it, too.
        changes: the steps; one that is not forward (`core.delivery.FORWARD`) is left out.
        worker: whose attempts they tell of, if it is a worker's: then one of a delivery that is in other hands by
            now is left out, too. None: they hold whoever has the delivery.
        noted: whether the store has let the worker begin each delivery before, and only its rows did not say so
            yet. Then what was withdrawn meanwhile was in flight, and goes on.
    """
    done = Walk()
    now: dict[int, Standing | Step] = {**standings}
    for change in changes:
        standing = now.get(change.key)
        if standing is None:
            done.left_out.append((change, "there is no such delivery"))
        elif noted and standing.state == DeliveryState.WITHDRAWN and _begins(standing, change):
            now[change.key] = step = _step(standing, change)._replace(claimed_by=worker)
            done.steps.append(step)
        elif change.state not in FORWARD[standing.state]:  # type: ignore[index]  # a DeliveryState is its text
            done.left_out.append((change, f"it is {standing.state}"))
        elif worker is not None and not _is_of(worker, standing, change):
            by = standing.claimed_by or "nobody"
            reason = f"it is {standing.state}, after attempt {standing.attempts}, held by {by}"
            done.left_out.append((change, reason))
        else:
            now[change.key] = step = _step(standing, change)
            done.steps.append(step)
            if change.suppress:
                done.suppress.append(change)
    return done


def _is_of(worker: str, standing: Standing | Step, change: Change) -> bool:
    """Return whether a delivery stands where a worker's attempt began it or left it.

    A worker that was taken for dead may wake up, and tell of attempts after which others have gone on.
    """
    if change.state is DeliveryState.SENDING:
        return standing.claimed_by == worker and _begins(standing, change)
    # What is queued again because of our own trouble counts as an attempt less.
    is_that_attempt = standing.attempts == change.attempts + (change.state is DeliveryState.QUEUED)
    if standing.state == DeliveryState.SENDING:
        return is_that_attempt and standing.claimed_by == worker
    return is_that_attempt and standing.claimed_by in {None, worker}


def _begins(standing: Standing | Step, change: Change) -> bool:
    """Return whether a change is the intent of the next attempt."""
    return change.state is DeliveryState.SENDING and standing.attempts + 1 == change.attempts


def _step(standing: Standing | Step, change: Change) -> Step:
    begins, waits = change.state is DeliveryState.SENDING, change.state in WAITING
    is_attempt = begins or standing.state == DeliveryState.SENDING
    # What was deferred and turned out to be our own trouble is no attempt after all.
    is_attempt |= standing.state == DeliveryState.DEFERRED and change.state is DeliveryState.QUEUED
    is_attempt |= standing.state == DeliveryState.WITHDRAWN  # it was on its way all the same
    # By place, in the order of the fields: names take twice as long, and each message takes two steps.
    return Step(
        change.key,
        change.at,
        kept(change.text),
        (change.next_attempt_at or standing.due_at) if waits else None,
        change.next_attempt_at if waits else None,
        change.state,
        change.attempts if is_attempt else standing.attempts,
        change.relay,
        change.code,
        kept(change.reason),
        (standing.claimed_by or NOBODY) if begins else None,
        standing.due_at,
    )


@lru_cache(maxsize=32)  # many relays say the same of each message
def kept(text: str) -> str:
    """Return what a relay said or an operator wrote as the store keeps it."""
    return one_line(text, _LONGEST_TEXT) if text else ""


def cut_off(in_flight: Iterable[tuple[int, int]], policy: Uncertain, now: datetime) -> list[Change]:
    """Return the steps of deliveries that were in flight when their worker died.

    Args:
        in_flight: pairs of a delivery's key and its attempts, the one that was cut off included.
        policy: under `hold` they stay uncertain, under `resend` they are queued again.
        now: when they were found.
    """
    steps = []
    for key, attempts in in_flight:
        steps.append(Change(key=key, state=DeliveryState.UNCERTAIN, at=now, attempts=attempts, reason=CUT_OFF))
        if policy is Uncertain.RESEND:
            steps.append(Change(key=key, state=DeliveryState.QUEUED, at=now, reason=CUT_OFF))
    return steps


def withdrawal(key: int, bar: Bar, now: datetime) -> Change:
    """Return the step of a delivery that will not be made."""
    return Change(key=key, state=DeliveryState.WITHDRAWN, at=now, reason=bar.reason, text=bar.text)


def of_nobody(change: Change) -> Change:
    """Return the step of a delivery in flight while its reader was erased: without what names the address."""
    return change._replace(text="", suppress=False)


def dead_address(change: Change) -> str:
    """Return the reason for which an address is suppressed: what the relay said of it."""
    return " ".join(part for part in (str(change.code or ""), kept(change.text) or change.reason) if part)


def barred(status: SubscriberStatus, suppression: str | None) -> Bar | None:
    """Return why a subscriber gets no mail; None if nothing bars them from it.

    Args:
        status: the subscriber's own.
        suppression: the reason of a suppression of the address, if there is one.
    """
    if suppression is not None:
        return Bar(SUPPRESSED, suppression)
    if status is SubscriberStatus.UNSUBSCRIBED:
        return Bar(SUPPRESSED, "unsubscribed")
    return REMOVED if status is SubscriberStatus.REMOVED else None


def opening(
    subscriber: Subscriber, suppression: str | None, had: frozenset[int], plan: Plan, now: datetime
) -> Opening:
    """Return how a subscriber's delivery of an issue begins.

    Args:
        subscriber: who is to get it.
        suppression: the reason of a suppression of the address, if there is one.
        had: the keys of listings that issues of the same list brought the subscriber before.
        plan: decides for the subscriber, given what they had before.
        now: when the issue is closed.
    """
    bar = barred(subscriber.status, suppression)
    planned = Planned(due_at=None, reason=bar.reason) if bar else plan(subscriber, had)
    queued = planned.due_at is not None
    return Opening(
        email=subscriber.email,
        name=subscriber.name,
        state=(DeliveryState.QUEUED if queued else DeliveryState.WITHDRAWN).value,
        due_at=planned.due_at or now,
        ready_at=planned.due_at,
        reason="" if queued else planned.reason,
        text=kept(bar.text) if bar else "",
        updated_at=now,
        choice=planned.choice if queued else None,
        subject=planned.subject,
    )


def require_reader(issue: Issue, reasons: Counter[str]) -> None:
    """Find out whether anybody is to get an issue.

    Args:
        issue: the issue.
        reasons: how many of its deliveries begin with each reason; those that are queued have none.

    Raises:
        NoReaderError: nobody is; says why.
    """
    if reasons[""]:
        return
    if not reasons.total():
        raise NoReaderError(f"nobody to send it to: list {issue.masthead.readers_of} has no subscribers")
    [(reason, count)] = reasons.most_common(1)
    raise NoReaderError(
        f"nobody to send it to: no subscriber is to get it ({count} of {reasons.total()}: {reason})",
        suppressed=reasons[SUPPRESSED],
    )
