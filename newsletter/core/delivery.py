"""Deliveries: one issue to one subscriber, with a state that only moves forward.

::

    queued ──▶ sending ──▶ sent
      ▲           ├──────▶ refused          the relay said no for this address
      │           ├──────▶ deferred ──▶ sending …   later, by the retry policy
      │           │           ├──▶ refused  the "no" was in doubt, and turned out to be for this address
      │           │           └──▶ queued   … or to be for all: our own trouble
      │           └──────▶ uncertain        cut off in flight: `hold` keeps it for the operator
      └── resend ─────────────┤             … `resend` queues it again under the same Message-ID
                              └──▶ deferred … after a wait, if the relay has cut it off
    queued, deferred, uncertain ──▶ withdrawn       suppressed, or too late
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import NamedTuple, Protocol

from newsletter.core.address import address_key
from newsletter.core.choice import NOTHING, Choice
from newsletter.core.records import maker

# Deliveries, their outcomes and changes are tuples: a frozen dataclass takes three times as long to make, and each
# message needs half a dozen.


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    WITHDRAWN = "withdrawn"

    __hash__ = str.__hash__  # an Enum's own is made in Python, and is asked for several times a message


# A member that is looked up in its class takes some 0.2 µs (Python 3.11), and each message needs many.
_SENDING, _SENT = DeliveryState.SENDING, DeliveryState.SENT

# A message whose fate nobody knows is handed to a relay so often at most.
MOST_COPIES = 3

# Not sent yet, and to be tried when their time comes.
WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)

FORWARD: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.QUEUED: frozenset({DeliveryState.SENDING, DeliveryState.WITHDRAWN}),
    DeliveryState.SENDING: frozenset(
        {
            DeliveryState.SENT,
            DeliveryState.DEFERRED,
            DeliveryState.REFUSED,
            DeliveryState.UNCERTAIN,
            DeliveryState.QUEUED,  # our own trouble before DATA: nothing was said to the reader's side
        }
    ),
    DeliveryState.DEFERRED: frozenset(
        {
            DeliveryState.SENDING,
            DeliveryState.WITHDRAWN,
            DeliveryState.REFUSED,
            DeliveryState.QUEUED,  # the refusal that it was deferred for was our own trouble
        }
    ),
    DeliveryState.UNCERTAIN: frozenset(
        {
            DeliveryState.QUEUED,
            DeliveryState.DEFERRED,
            DeliveryState.SENT,
            DeliveryState.WITHDRAWN,
        }
    ),
    DeliveryState.SENT: frozenset(),
    DeliveryState.REFUSED: frozenset(),
    # A worker's journal tells of it a moment later: the message was on its way when its reader left.
    DeliveryState.WITHDRAWN: frozenset({DeliveryState.SENT}),
}


class Uncertain(StrEnum):
    """What to do with a delivery that was in flight when a process died."""

    RESEND = "resend"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What closing an issue decides for one subscriber: when it is due, what is in it and under which subject.

    Where `due_at` is None the subscriber gets none, for the `reason`.
    """

    due_at: datetime | None
    choice: Choice = NOTHING
    subject: str = ""
    reason: str = ""


class Addressed(Protocol):
    """Whom a mail goes to, as far as it names them: an `Addressee`, or a whole `Subscriber`."""

    @property
    def email(self) -> str:
        """Return the address."""
        ...

    @property
    def name(self) -> str:
        """Return the name, or nothing."""
        ...


class Addressee(NamedTuple):
    """Address and name of a subscriber, as they were when the issue was closed."""

    email: str
    name: str = ""


class Delivery(NamedTuple):
    """One issue to one subscriber, as claimed from the outbox. Times are aware, UTC.

    `choice` is what the subscriber gets of the issue, `subject` the mail's: as decided when the issue was closed.
    """

    key: int
    issue_key: int
    subscriber_key: int
    subscriber: Addressed
    state: DeliveryState
    due_at: datetime
    attempts: int = 0
    choice: Choice = NOTHING
    subject: str = ""


class Doubt(IntEnum):
    """Whether a refusal may be about us instead of the reader; see `newsletter.core.refusals`."""

    NONE = 0
    SOME = 1
    OURS = 2  # its words are rather about us: our address, our quota, our login


class Outcome(NamedTuple):
    """What became of one attempt: the state it leads to, and what the relay said.

    `dead_address` is set where the relay's answer says that the mailbox does not exist (RFC 3463, 5.1.x).
    """

    state: DeliveryState
    code: int | None = None
    text: str = ""
    relay: str = ""
    dead_address: bool = False
    doubt: Doubt = Doubt.NONE


class Change(NamedTuple):
    """One step of a delivery, to be written to the ledger."""

    key: int
    state: DeliveryState
    at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    code: int | None = None
    text: str = ""
    relay: str = ""
    reason: str = ""
    suppress: bool = False  # never mail the address again


_change = maker(Change)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long a deferred delivery is tried again."""

    max_attempts: int = 12
    give_up_after: timedelta = timedelta(hours=36)
    first_delay: timedelta = timedelta(minutes=2)
    longest_delay: timedelta = timedelta(hours=4)

    def delay(self, attempts: int, jitter: float) -> timedelta:
        """Return the wait after attempt number `attempts` (from 1); `jitter` in [0, 1) spreads it by ±25 %."""
        doubled = self.first_delay * 2.0 ** min(attempts - 1, 20)
        return min(doubled, self.longest_delay) * (0.75 + jitter / 2)


def begun(delivery: Delivery, now: datetime) -> Change:
    """Return the intent, durable before the relay hears of the message."""
    return _change((delivery.key, _SENDING, now, delivery.attempts + 1, None, None, "", "", "", False))


def settled(delivery: Delivery, outcome: Outcome, now: datetime, policy: RetryPolicy, jitter: float) -> Change:
    """Return what an attempt's outcome makes of a delivery.

    `delivery` is as it was claimed, so this was attempt `delivery.attempts + 1`. A deferral that has used up the
    policy's attempts or time becomes a refusal with that reason.
    """
    attempts = delivery.attempts + 1
    state, reason, next_attempt_at = outcome.state, "", None
    if state is _SENT:
        _, code, text, relay, _, _ = outcome
        return _change((delivery.key, state, now, attempts, None, code, text, relay, "", False))
    if state is DeliveryState.DEFERRED:
        next_attempt_at = now + policy.delay(attempts, jitter)
        if attempts >= policy.max_attempts:
            state, reason = DeliveryState.REFUSED, f"given up after {attempts} attempts"
        elif next_attempt_at > delivery.due_at + policy.give_up_after:
            state, reason = DeliveryState.REFUSED, f"given up after {policy.give_up_after}"
        if state is DeliveryState.REFUSED:
            next_attempt_at = None
    suppress = outcome.dead_address and state is DeliveryState.REFUSED
    return Change(
        key=delivery.key,
        state=state,
        at=now,
        attempts=attempts,
        next_attempt_at=next_attempt_at,
        code=outcome.code,
        text=outcome.text,
        relay=outcome.relay,
        reason=reason,
        suppress=suppress,
    )


def resent(delivery: Delivery, cut_off: Change, times: int, policy: RetryPolicy, jitter: float) -> Change | None:
    """Return the step by which a delivery that the relay cut off is sent again, or None if it is left uncertain.

    The reader may have it already, so each time may bring one more copy: it waits as for a 4xx, and few times.

    Args:
        delivery: as it was claimed.
        cut_off: what was recorded of this attempt.
        times: how often it has been uncertain, this time included.
        policy: says how long it waits, and until when.
        jitter: see `RetryPolicy.delay`.
    """
    next_attempt_at = cut_off.at + policy.delay(times, jitter)
    is_spent = times >= MOST_COPIES or cut_off.attempts >= policy.max_attempts
    if is_spent or next_attempt_at > delivery.due_at + policy.give_up_after:
        return None
    return cut_off._replace(state=DeliveryState.DEFERRED, next_attempt_at=next_attempt_at)


def message_id(list_name: str, day: date, email: str, domain: str) -> str:
    """Return the Message-ID (RFC 5322, 3.6.4) of a mail that is no delivery, such as a letter or a test copy."""
    of_day, of_issue = _message_id_of(list_name, day)
    digest = of_issue.copy()
    digest.update(address_key(email).encode())
    return f"<{of_day}.{digest.hexdigest()[:24]}@{domain}>"


@lru_cache(maxsize=8)
def _message_id_of(list_name: str, day: date) -> tuple[str, hashlib._Hash]:
    """Return what the Message-IDs of an issue have in common, and the beginning of their hash."""
    return f"{day:%Y%m%d}", hashlib.sha256(f"{list_name}\n{day}\n".encode())
