"""The tables that hold data of persons: what each tells of a person, and what erasing that person does to it.

This is the one place to which a table is added. A test finds those that are missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from newsletter.core.choice import TextKind
from newsletter.core.subscriber import SubscriberStatus
from newsletter.store.inbound_tables import inbound_events
from newsletter.store.moving_tables import address_changes, leavings
from newsletter.store.notice_tables import notices
from newsletter.store.signup_tables import signup_mails, signups
from newsletter.store.tables import (
    EVERY_LIST,
    IS_CLOSED,
    choices,
    dead_addresses,
    deliveries,
    delivery_events,
    feedback,
    issues,
    listings,
    subscribers,
    suppressions,
)


class Person(NamedTuple):
    """An address with its domain, or parameters for them, and the numbers and lists of its subscribers."""

    address_key: str | sa.BindParameter[str]
    domain: str | sa.BindParameter[str]
    subscriber_keys: tuple[int, ...] | sa.Select[tuple[int]]
    lists: tuple[str, ...] = ()


_ADDRESS, _DOMAIN = sa.bindparam("address_key", type_=sa.Text), sa.bindparam("domain", type_=sa.Text)

# Whoever has the address of the parameters: what is told of anybody is asked by the same queries.
SOMEBODY = Person(_ADDRESS, _DOMAIN, sa.select(subscribers.c.key).where(subscribers.c.address_key == _ADDRESS))


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """A table that holds data of persons.

    Attributes:
        table: the table.
        heading: what its rows are called where they are shown; empty if other rows tell them.
        told: the query for what is told of a person.
        theirs: which of its rows are erased with a person.
        blank: what the columns of these rows become; without it, the rows are deleted.
    """

    table: sa.Table
    theirs: Callable[[Person], sa.ColumnElement[bool]]
    heading: str = ""
    told: Callable[[Person], sa.Select[Any]] | None = None
    blank: dict[str, Any] | None = None

    def erasing(self, person: Person) -> sa.Update | sa.Delete:
        """Return the statement that erases a person's data from the table."""
        if self.blank is None:
            return sa.delete(self.table).where(self.theirs(person))
        return sa.update(self.table).where(self.theirs(person)).values(self.blank)


def _of_address(column: sa.Column[str]) -> Callable[[Person], sa.ColumnElement[bool]]:
    return lambda person: column == person.address_key


def _of_subscribers(column: sa.Column[int]) -> Callable[[Person], sa.ColumnElement[bool]]:
    return lambda person: column.in_(person.subscriber_keys)


def _of_deliveries(column: sa.Column[int]) -> Callable[[Person], sa.ColumnElement[bool]]:
    theirs = _of_subscribers(deliveries.c.subscriber_key)
    return lambda person: column.in_(sa.select(deliveries.c.key).where(theirs(person)))


def _any_of(key: sa.Column[int], *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition that a row meets one of several, each of which has an index.

    PostgreSQL would read the whole table for `OR` with a query in it.
    """
    return key.in_(sa.union(*(sa.select(key).where(one) for one in conditions)))


def _suppressions(person: Person) -> sa.Select[Any]:
    """Return the query for what suppresses a person, the suppressions of their domain among it."""
    columns = ("reason", "since", "evidence")
    return (
        sa.select(
            suppressions.c.address_key.label("address"),
            sa.func.nullif(suppressions.c.list, EVERY_LIST).label("list"),
            *(suppressions.c[name] for name in columns),
            suppressions.c.made_by.label("by"),
        )
        .where(suppressions.c.address_key.in_([person.address_key, person.domain]))
        .order_by(suppressions.c.since.desc())
    )


def _called_dead(person: Person) -> sa.Select[Any]:
    columns = (dead_addresses.c.since, dead_addresses.c.reason, dead_addresses.c.held)
    return sa.select(*columns).where(dead_addresses.c.address_key == person.address_key)


def _feedback(person: Person) -> sa.Select[Any]:
    return (
        sa.select(subscribers.c.list, feedback.c.at, feedback.c.liked, listings.c.record.label("paper"))
        .join(subscribers, subscribers.c.key == feedback.c.subscriber_key)
        .join(listings, listings.c.key == feedback.c.listing_key)
        .where(feedback.c.subscriber_key.in_(person.subscriber_keys))
        .order_by(feedback.c.at.desc(), feedback.c.listing_key)
    )


def _deliveries(person: Person) -> sa.Select[Any]:
    own = ("email", "name", "state", "due_at", "attempts", "updated_at", "relay", "code", "text", "reason")
    chosen = sa.and_(choices.c.issue_key == deliveries.c.issue_key, choices.c.number == deliveries.c.choice)
    return (
        sa.select(
            issues.c.list,
            issues.c.day,
            sa.func.coalesce(sa.func.nullif(choices.c.subject, ""), issues.c.subject).label("subject"),
            *(deliveries.c[name] for name in own),
        )
        .join(issues, issues.c.key == deliveries.c.issue_key)
        .outerjoin(choices, chosen)
        .where(deliveries.c.subscriber_key.in_(person.subscriber_keys), IS_CLOSED)
        .order_by(issues.c.day.desc(), issues.c.key.desc())
    )


def _delivery_steps(person: Person) -> sa.Select[Any]:
    own = ("at", "state", "attempt", "relay", "code", "text", "reason")
    return (
        sa.select(issues.c.list, issues.c.day, *(delivery_events.c[name] for name in own))
        .join(deliveries, deliveries.c.key == delivery_events.c.delivery_key)
        .join(issues, issues.c.key == deliveries.c.issue_key)
        .where(deliveries.c.subscriber_key.in_(person.subscriber_keys))
        .order_by(delivery_events.c.at.desc(), delivery_events.c.key.desc())
    )


def _leavings(person: Person) -> sa.Select[Any]:
    return (
        sa.select(subscribers.c.list, leavings.c.at)
        .join(subscribers, subscribers.c.key == leavings.c.subscriber_key)
        .where(leavings.c.subscriber_key.in_(person.subscriber_keys))
        .order_by(leavings.c.at.desc())
    )


def _of_changes(person: Person) -> sa.ColumnElement[bool]:
    """Return the condition that a change of address is of a person, or goes to their address, or from it."""
    return _any_of(
        address_changes.c.key,
        address_changes.c.subscriber_key.in_(person.subscriber_keys),
        address_changes.c.address_key == person.address_key,
        sa.func.lower(address_changes.c.former_email) == person.address_key,
    )


def _address_changes(person: Person) -> sa.Select[Any]:
    own = ("email", "asked_at", "mailed_at", "is_open", "former_email", "told_at")
    return (
        sa.select(subscribers.c.list, *(address_changes.c[name] for name in own))
        .join(subscribers, subscribers.c.key == address_changes.c.subscriber_key)
        .where(_of_changes(person))
        .order_by(address_changes.c.asked_at.desc())
    )


def _sign_ups(person: Person) -> sa.Select[Any]:
    own = ("list", "email", "name", "topics", "cadence", "client", "state", "asked_at", "mailed_at", "reminded_at")
    columns = [signups.c[name] for name in (*own, "confirmed_at", "wants_latest")]
    return sa.select(*columns).where(signups.c.address_key == person.address_key)


def _sign_up_mails(person: Person) -> sa.Select[Any]:
    theirs = signup_mails.c.address_key == person.address_key
    return sa.select(signup_mails.c.at).where(theirs).order_by(signup_mails.c.at.desc())


def _of_events(person: Person) -> sa.ColumnElement[bool]:
    """Return the condition that what came back is about a person or a delivery to them."""
    of_deliveries = _of_deliveries(inbound_events.c.delivery_key)
    return _any_of(
        inbound_events.c.key, inbound_events.c.subscriber_key.in_(person.subscriber_keys), of_deliveries(person)
    )


def _inbound_events(person: Person) -> sa.Select[Any]:
    own = ("at", "kind", "found_by", "outcome", "status", "text")
    theirs = sa.select(*(inbound_events.c[name] for name in own)).where(_of_events(person))
    return theirs.order_by(inbound_events.c.at.desc(), inbound_events.c.key.desc())


def _notices(person: Person) -> sa.Select[Any]:
    own = ("at", "kind", "receiver", "state")
    theirs = sa.select(*(notices.c[name] for name in own)).where(
        notices.c.subscriber_key.in_(person.subscriber_keys)
    )
    return theirs.order_by(notices.c.at.desc(), notices.c.key.desc())


# In the order in which they are told and erased. Deliveries stay, for the counts of their issues; what was chosen
# for the person is nobody's then.
PERSONAL_TABLES = (
    PersonalTable(
        table=suppressions,
        theirs=_of_address(suppressions.c.address_key),
        heading="suppressions",
        told=_suppressions,
    ),
    PersonalTable(
        table=dead_addresses,
        theirs=_of_address(dead_addresses.c.address_key),
        heading="called_dead",
        told=_called_dead,
    ),
    PersonalTable(
        table=feedback, theirs=_of_subscribers(feedback.c.subscriber_key), heading="feedback", told=_feedback
    ),
    PersonalTable(
        table=deliveries,
        theirs=_of_subscribers(deliveries.c.subscriber_key),
        heading="deliveries",
        told=_deliveries,
        blank={"email": "", "name": "", "text": "", "choice": None},
    ),
    PersonalTable(
        table=delivery_events,
        theirs=_of_deliveries(delivery_events.c.delivery_key),
        heading="delivery_steps",
        told=_delivery_steps,
        blank={"text": ""},
    ),
    PersonalTable(
        table=leavings, theirs=_of_subscribers(leavings.c.subscriber_key), heading="leavings", told=_leavings
    ),
    PersonalTable(table=address_changes, theirs=_of_changes, heading="address_changes", told=_address_changes),
    PersonalTable(table=signups, theirs=_of_address(signups.c.address_key), heading="sign_ups", told=_sign_ups),
    PersonalTable(
        table=signup_mails,
        theirs=_of_address(signup_mails.c.address_key),
        heading="sign_up_mails",
        told=_sign_up_mails,
    ),
    PersonalTable(
        table=inbound_events, theirs=_of_events, heading="inbound_events", told=_inbound_events, blank={"text": ""}
    ),
    PersonalTable(
        table=notices, theirs=_of_subscribers(notices.c.subscriber_key), heading="notices", told=_notices
    ),
    # `Subscribers.records` tells lists and wishes. A row without an address is nobody (`erased.IS_SOMEBODY`).
    PersonalTable(
        table=subscribers,
        theirs=_of_subscribers(subscribers.c.key),
        blank={
            "address_key": sa.literal("erased:") + sa.cast(subscribers.c.key, sa.Text),
            **dict.fromkeys(("email", "name", "interest"), ""),
            **dict.fromkeys(("topics", "follows", "examples"), "[]"),
            **dict.fromkeys(("cadence", "hour", "timezone", "topics_mode", "days", "language")),
            **dict.fromkeys(("paused_until", "own_wishes_since")),
            "text": TextKind.SUMMARY,
            "status": SubscriberStatus.REMOVED,
        },
    ),
)
