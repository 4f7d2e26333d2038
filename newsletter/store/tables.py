"""The tables, one definition for both engines. Migrations build them; a test holds the two together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.core.choice import TextKind
from newsletter.core.delivery import DeliveryState
from newsletter.core.halt import Halt
from newsletter.core.issue import IssueListing
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Cadence
from newsletter.core.rendering import Rendering
from newsletter.core.subscriber import Origin, SubscriberStatus
from newsletter.core.suppression import SuppressedBy
from newsletter.core.terms import Terms
from newsletter.core.topics import TopicsMode
from newsletter.ports import SlowDownKind
from newsletter.store.column_types import Compressed, Frozen, Moment
from newsletter.store.column_types import Exact as _Exact
from newsletter.store.column_types import Key as _Key
from newsletter.store.column_types import one_of as _one_of


def _reference(name: str, to: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(to), nullable=False, **options)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _moment(name: str, *, nullable: bool = False, index: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, Moment, nullable=nullable, index=index)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

listings = sa.Table(
    "listings",
    metadata,
    sa.Column("key", _Key, primary_key=True),
    sa.Column("record", Frozen(Listing), nullable=False),
    _moment("first_seen_at"),
    _moment("updated_at"),
    sqlite_autoincrement=True,  # a number is never given again: drafts and issues hold on to it
)

# Everything that a listing is known by. A title or URL may lead to several listings that stronger ids tell apart.
listing_ids = sa.Table(
    "listing_ids",
    metadata,
    sa.Column("identity", _Exact, primary_key=True),
    _reference("listing_key", "listings.key", primary_key=True, index=True),
)

# The keys of listings that were merged into others: mails that are sent still name them.
merged_listings = sa.Table(
    "merged_listings",
    metadata,
    sa.Column("former_key", sa.BigInteger, primary_key=True, autoincrement=False),
    _reference("listing_key", "listings.key", index=True),
)

sightings = sa.Table(
    "sightings",
    metadata,
    sa.Column("key", _Key, primary_key=True),
    _reference("listing_key", "listings.key", index=True),
    _text("source"),
    sa.Column("listed_on", sa.Date, nullable=False),
    _moment("seen_at"),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("upvotes", sa.Integer),
    sa.Column("comments", sa.Integer),
    sa.Column("stars", sa.Integer),
    sa.Index(None, "source", "listed_on", "listing_key"),
)

# What was found at the URLs of papers' pictures; each is asked for once. `kind` and `refusal` may be empty.
pictures = sa.Table(
    "pictures",
    metadata,
    sa.Column("url", _Exact, primary_key=True),
    _text("kind"),
    sa.Column("width", sa.BigInteger),  # pixels
    sa.Column("height", sa.BigInteger),
    sa.Column("size", sa.BigInteger),  # bytes
    _text("refusal"),  # why no mail shows it
    _moment("checked_at"),
)

# What reading a page came to, by the day that the page is for.
readings = sa.Table(
    "readings",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    _moment("attempted_at", nullable=True),  # when it was last tried
    _moment("read_at", nullable=True, index=True),  # when it last answered
    sa.Column("listings", sa.Integer),  # … and with how many
    sa.Column("settled", sa.Boolean, nullable=False),
    _text("error"),  # of the last try; empty if it went well
)

issues = sa.Table(
    "issues",
    metadata,
    sa.Column("key", _Key, primary_key=True),
    _text("list"),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    _text("subject"),
    _moment("frozen_at"),
    sa.Column("terms", Frozen(Terms), nullable=False),
    sa.Column("candidates", sa.Integer, nullable=False),
    sa.Column("closing_by", sa.Text),  # the worker that is still planning its deliveries; NULL: it is closed
    # Of all its deliveries, or of those that are written so far. It stays: deliveries come with the closing alone.
    sa.Column("delivery_count", sa.Integer),
    sa.Column(
        "was_missed", sa.Boolean
    ),  # whether a reader missed it, see `newsletter.core.missed`; NULL: nobody did
    sa.Column("was_late", sa.Boolean),  # whether some of it was withdrawn as too late; NULL: nothing was
    sa.Column("halt", _one_of(Halt)),  # why nothing more of it is sent; NULL: it goes out
    _moment("halted_at", nullable=True),
    sa.Column("paused_seconds", sa.BigInteger),  # how long it was paused before, in all; NULL: never
    sa.Column("is_tidied", sa.Boolean),  # whether the details of its deliveries were removed; NULL: no
    sa.Column("is_forgotten", sa.Boolean),  # … and the deliveries: `delivery_count` is of those sent; NULL: no
    sa.UniqueConstraint("list", "day"),
    sa.UniqueConstraint("list", "number"),
    sqlite_autoincrement=True,
)

# While an issue is being closed, nobody but who closes it knows of it: every query of issues has this condition.
IS_CLOSED = issues.c.closing_by.is_(None)

# `listing_key` follows when listings are merged; the frozen record beside it never changes.
issue_listings = sa.Table(
    "issue_listings",
    metadata,
    _reference("issue_key", "issues.key", primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    _reference("listing_key", "listings.key", index=True),
    sa.Column("record", Frozen(IssueListing), nullable=False),
)

# What was chosen from an issue, once for all readers who got the same. `number` counts those of the issue from 1.
choices = sa.Table(
    "choices",
    metadata,
    _reference("issue_key", "issues.key", primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _text("chosen"),  # JSON: see `newsletter.store.choices`
    _text("subject"),
)

# The mail of an issue as it was rendered when it was closed: in the language of its list, under no name, and in
# those of readers. Issues that older versions closed get theirs when it is first needed.
renderings = sa.Table(
    "renderings",
    metadata,
    _reference("issue_key", "issues.key", primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),
    sa.Column("body", Compressed(Rendering), nullable=False),
)

subscribers = sa.Table(
    "subscribers",
    metadata,
    sa.Column("key", _Key, primary_key=True),
    _text("list"),
    sa.Column("address_key", _Exact, nullable=False),
    _text("email"),
    _text("name"),
    _text("topics"),  # a JSON array
    sa.Column("follows", sa.Text, nullable=False, server_default="[]"),  # a JSON array
    sa.Column("cadence", _one_of(Cadence)),
    sa.Column("hour", sa.Text),
    sa.Column("timezone", sa.Text),
    sa.Column("topics_mode", _one_of(TopicsMode)),
    _text("interest"),
    sa.Column("examples", sa.Text, nullable=False, server_default="[]"),  # a JSON array
    sa.Column("text", _one_of(TextKind), nullable=False, server_default=TextKind.SUMMARY),
    sa.Column("days", sa.Text),  # such as `mon,thu`
    sa.Column("language", sa.Text),
    sa.Column("paused_until", sa.Text),  # a date (ISO 8601)
    # Since when the wishes are the reader's own, whatever a file says; NULL: those that the file, or whoever
    # added them, stated.
    _moment("own_wishes_since", nullable=True),
    sa.Column("status", _one_of(SubscriberStatus), nullable=False),
    sa.Column("origin", _one_of(Origin), nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    sa.UniqueConstraint("list", "address_key"),
    sa.Index(None, "address_key"),
    sa.Index(None, "list", "cadence"),
    sa.Index("ix_subscribers_in_order", "list", "key"),  # by which an issue is closed, page by page
    sqlite_autoincrement=True,  # unsubscribe links hold on to the number
)

# What readers said of papers in their mails: more like this one, or less. It goes when its subscriber goes.
feedback = sa.Table(
    "feedback",
    metadata,
    _reference("subscriber_key", "subscribers.key", primary_key=True),
    _reference("listing_key", "listings.key", primary_key=True, index=True),
    sa.Column("liked", sa.Boolean, nullable=False),
    _moment("at"),
)

# Papers that readers gave as examples and no source showed, as arXiv says them; NULL: it knows none of this id.
looked_up_papers = sa.Table(
    "looked_up_papers",
    metadata,
    sa.Column("arxiv_id", _Exact, primary_key=True),
    sa.Column("record", Frozen(Listing)),
    _moment("looked_up_at"),
)

EVERY_LIST = "*"

# Addresses, and whole domains: `@example.org` (`core.suppression`).
suppressions = sa.Table(
    "suppressions",
    metadata,
    sa.Column("address_key", _Exact, primary_key=True),
    sa.Column("list", sa.Text, primary_key=True),  # or EVERY_LIST
    _text("reason"),
    _moment("since"),
    sa.Column("evidence", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("made_by", _one_of(SuppressedBy), nullable=False, server_default=SuppressedBy.OPERATOR),
)

# Addresses that a relay called dead. What is not `held` yet is decided at the end of the run.
dead_addresses = sa.Table(
    "dead_addresses",
    metadata,
    sa.Column("address_key", _Exact, primary_key=True),
    sa.Column("domain", _Exact, nullable=False, index=True),
    _reference("issue_key", "issues.key"),
    _moment("since"),
    _text("reason"),
    sa.Column("called_by", _one_of(SuppressedBy), nullable=False, server_default=SuppressedBy.RELAY),
    sa.Column("held", sa.Boolean, nullable=False),
)

# One row: which ledger this is, and how far it has come; see `newsletter.pipeline.high_water`.
ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("mark", sa.BigInteger, nullable=False),
    _moment("copied_at", nullable=True),  # set in a backup alone: when it was made
    _moment("assumed_until", nullable=True),  # until then all that was due counts as sent (`core.restoring`)
    _moment("backed_up_at", nullable=True),
    sa.Column("backed_up_to", sa.Text),
    _moment("tidied_at", nullable=True),  # when what is not needed any more was removed last
    sa.Column("key_id", sa.Text),  # which secret signs links on all machines (`AddressHashes.key_ids`)
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("key", _Key, primary_key=True),
    _reference("issue_key", "issues.key"),
    _reference("subscriber_key", "subscribers.key"),
    _text("email"),  # as it was when the issue was closed
    sa.Column("name", sa.Text),  # so, too; NULL where a version closed it that kept no name
    # The number of a choice of the issue; NULL where nothing was chosen, as the delivery began as withdrawn. No
    # foreign key: SQLite would check it for each of a million rows, and could not add it to tables that are there.
    sa.Column("choice", sa.Integer),
    sa.Column("state", _one_of(DeliveryState), nullable=False),
    _moment("due_at"),
    # When it may be claimed; empty while a worker holds it and when nothing is left to do. This is what makes
    # claiming from a million quick: the indexes hold what is ready, and nothing else.
    _moment("ready_at", nullable=True),
    _moment("next_attempt_at", nullable=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    _text("relay"),
    sa.Column("code", sa.Integer),
    _text("text"),
    _text("reason"),
    sa.Column("claimed_by", sa.Text),
    _moment("updated_at"),
    sa.UniqueConstraint("subscriber_key", "issue_key"),
)

_is_ready = deliveries.c.ready_at.is_not(None)
_is_held = deliveries.c.claimed_by.is_not(None)
# SQLite takes an index for a query that has the same words in it, so this must not become a parameter.
IS_NOT_QUEUED = deliveries.c.state != sa.literal_column(f"'{DeliveryState.QUEUED.value}'")
_has_language = subscribers.c.language.is_not(None)
_has_examples = subscribers.c.examples != "[]"
_PARTIAL = {
    sa.Index(None, subscribers.c.list, subscribers.c.language, sqlite_where=_has_language): _has_language,
    sa.Index(None, subscribers.c.list, subscribers.c.key, sqlite_where=_has_examples): _has_examples,
    sa.Index(
        None, deliveries.c.issue_key, deliveries.c.ready_at, deliveries.c.key, sqlite_where=_is_ready
    ): _is_ready,
    sa.Index(None, deliveries.c.claimed_by, sqlite_where=_is_held): _is_held,
    # With the key, an issue's deliveries in a state are found in the order of their keys, some at a time. Millions
    # begin as queued: these are in the index of what is ready, and would cost as much again here.
    sa.Index(
        None, deliveries.c.issue_key, deliveries.c.state, deliveries.c.key, sqlite_where=IS_NOT_QUEUED
    ): IS_NOT_QUEUED,
}


def complete_for_postgresql() -> None:
    """Give partial indexes their conditions in PostgreSQL, too.

    That loads its dialect with all its drivers, which a program on SQLite need not do.
    """
    for index, condition in _PARTIAL.items():
        index.kwargs["postgresql_where"] = condition


# What holds mail up for a while, so that a restart doesn't forget it. The table kept its name of revision 0002.
slow_downs = sa.Table(
    "hindrances",
    metadata,
    sa.Column("kind", _one_of(SlowDownKind), primary_key=True),
    sa.Column("name", _Exact, primary_key=True),
    _moment("since"),
    _moment("until", nullable=True),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("given_up", sa.Boolean, nullable=False),
    _text("reason"),
    _moment("forgotten_at"),
)

# What became of lists' slots, beyond their issues.
slots = sa.Table(
    "slots",
    metadata,
    sa.Column("list", _Exact, primary_key=True),
    _moment("first_seen_at"),
    sa.Column("in_vain_on", sa.Date),
)

# What the files of a list were when its subscribers were last brought into line with them (`ports.SeenFiles`).
# There is no row where that must be done anew, whatever the files are.
list_files = sa.Table(
    "list_files",
    metadata,
    sa.Column("list", _Exact, primary_key=True),
    _text("definition"),  # a digest of what the list file says of its members
    _text("stamp"),  # size and times of the members file
    _text("digest"),  # of the members file's content
    sa.Column("members", sa.Integer, nullable=False),  # how many the files name
    sa.Column("examples", sa.Text, nullable=False, server_default="{}"),  # what the BibTeX files were, as JSON
    _moment("synced_at"),
)

# Files of lists that wait for the operator's word, as they name many subscribers no longer (`ports.HeldFiles`).
held_files = sa.Table(
    "held_files",
    metadata,
    sa.Column("list", _Exact, primary_key=True),
    _text("definition"),
    _text("stamp"),
    _text("digest"),
    sa.Column("members", sa.Integer, nullable=False),
    sa.Column("examples", sa.Text, nullable=False),
    sa.Column("removed", sa.Integer, nullable=False),
    sa.Column("present", sa.Integer, nullable=False),
    _moment("since"),
)

# Only ever added to: what happened to a delivery, step by step.
delivery_events = sa.Table(
    "delivery_events",
    metadata,
    sa.Column("key", _Key, primary_key=True),
    _reference("delivery_key", "deliveries.key", index=True),
    _moment("at"),
    sa.Column("state", _one_of(DeliveryState), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    _text("relay"),
    sa.Column("code", sa.Integer),
    _text("text"),
    _text("reason"),
)

# PostgreSQL would look up, lock and write to a subscriber for each of millions of deliveries, which takes longer
# than the rest. Subscribers are never deleted, and whoever deletes deliveries or a half issue deletes what belongs
# to them first. SQLite's checks cost next to nothing, and tell of a mistake.
for _constraint in (*deliveries.foreign_key_constraints, *delivery_events.foreign_key_constraints):
    _constraint.ddl_if(dialect="sqlite")
