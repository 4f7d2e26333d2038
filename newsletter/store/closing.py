"""Closing an issue page by page: no transaction is longer than a page of readers, however many there are.

Readers who are alike are planned once, and the database writes their deliveries (`newsletter.store.alike`).

The issue's row is written first, with the name of the worker that closes it. As long as the row bears a name, the
issue does not exist for anybody else (`tables.IS_CLOSED`). Each page of readers is planned outside of any
transaction and written in one of its own; the last one removes the name. If the worker dies before, whoever closes
an issue of the list next throws away what it left, and begins anew (`newsletter.store.half_issues`).

Readers may come, change and leave meanwhile, and files may be synced: each reader is planned as they are when
their page is read. Deliveries that are written already are withdrawn as those of closed issues are, and who leaves
between the reading and the writing of their page is found out when the delivery is claimed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.errors import StaleDraftError, StoreError
from newsletter.core.examples import with_examples
from newsletter.core.issue import Draft, Issue
from newsletter.core.missed import REASONS
from newsletter.core.rendering import Rendering
from newsletter.core.steps import Plan, opening, require_reader
from newsletter.core.subscriber import Subscriber
from newsletter.store.alike import BeginsAlike, Begun, Page, ReadersAlike
from newsletter.store.barring import SUPPRESSION
from newsletter.store.bulk import among, in_chunks, insert, rows, run
from newsletter.store.choices import Brought, NumberedChoices
from newsletter.store.engine import Database
from newsletter.store.enqueueing import enqueue
from newsletter.store.events import note_closed
from newsletter.store.examples import KnownExamples
from newsletter.store.feedback import Opinions
from newsletter.store.half_issues import HalfIssues, closing_of, half_issue, write_on
from newsletter.store.missed import Missed
from newsletter.store.statements import ADD_CHOICES
from newsletter.store.subscriber_rows import COLUMNS, subscriber_of
from newsletter.store.tables import IS_CLOSED, issue_listings, issues, renderings, subscribers
from newsletter.store.workers import Workers

# Readers are written this many at a time. To write them holds SQLite's write lock for some 10 ms; in PostgreSQL
# nobody waits for it, and larger pages take less time for each reader, but some 10 MB for each 10,000 readers.
PAGE_OF_SQLITE, PAGE_OF_POSTGRESQL = 1000, 20_000

# So many pages are written at once. Sessions of PostgreSQL do not wait for each other; SQLite has one writer.
_WRITERS_OF_POSTGRESQL = 2

# What is known of so many readers is read at once, before they are planned.
_READ_AT_ONCE = 500

# Of these, so many are planned before the event loop does something else: some 10 ms.
_IN_A_ROW = 50

# How many groups of readers are remembered, some 500 bytes each. Beyond it one is planned again.
_GROUPS_KEPT = 50_000

# Each closing holds a session of PostgreSQL, of which a process has only a few. There is more than one, so that
# small lists need not wait for one with a million readers.
_AT_ONCE = 4


class _Reader(NamedTuple):
    """A subscriber, with why the address is suppressed, and what earlier issues brought them."""

    subscriber: Subscriber
    suppression: str | None
    had: frozenset[int]


@dataclass(slots=True, kw_only=True)
class _Closing:
    """An issue that this process is closing, and how far it has come."""

    issue: Issue
    worker: str
    brought: Brought
    missed: Missed
    readers: ReadersAlike
    numbered: NumberedChoices
    opinions: Opinions = field(default_factory=Opinions)
    examples: KnownExamples = field(default_factory=KnownExamples)
    known: dict[bytes, BeginsAlike] = field(default_factory=dict)  # by a digest of what tells the readers
    reasons: Counter[str] = field(default_factory=Counter)  # how many deliveries begin with each; queued: none
    after: int = 0  # the key of the last reader who is planned


class IssueCloser:
    """Closes issues, one after the other of those that have the same readers."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database = database
        self._workers = workers
        self._others = HalfIssues(database, workers)
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def close(
        self,
        draft: Draft,
        subject: str,
        plan: Plan,
        *,
        now: datetime,
        rendered: Mapping[str, Rendering],
        needs_reader: bool,
        all_differ: bool,
    ) -> Issue | None:
        """Close an issue, as `newsletter.ports.Issues.freeze` says.

        None: the list has an issue of that day, or somebody else was closing one for the same readers and has been
        waited for. Look again whether there is one.

        Raises:
            StaleDraftError: as there; also if a listing was merged into another since the draft was made.
            NoReaderError: as there.
            StoreError: the ledger cannot be read or written, or somebody else who closes an issue for the same
                readers does not go on.
        """
        async with self._places, self._workers.register("closing") as worker:
            closing = await self._begin(draft, subject, rendered, worker, now, all_differ=all_differ)
            if closing is None:
                await self._others.until_none(draft.masthead, worker)
                return None
            try:
                await self._plan(closing, plan, now, needs_reader=needs_reader)
            except Exception:
                with suppress(StoreError):  # then the next closing does it
                    await self._others.throw_away(closing.issue.key, worker)
                raise
            return closing.issue

    async def _begin(
        self,
        draft: Draft,
        subject: str,
        rendered: Mapping[str, Rendering],
        worker: str,
        now: datetime,
        *,
        all_differ: bool,
    ) -> _Closing | None:
        """Write the issue without its deliveries; None if the day has one, or one of the list is being closed."""
        async with self._database.write() as connection:
            # Both editions of a list begin one after the other, so that neither overlooks the other.
            await self._database.alone(connection, closing_of(draft.masthead.readers_of))
            if await half_issue(connection, draft.masthead) is not None:
                return None
            if await _is_made(connection, draft):
                return None
            issue = await _add(connection, draft, subject, worker, now)
            await _add_listings(connection, issue)
            made = [{"issue_key": issue.key, "language": tag, "body": body} for tag, body in rendered.items()]
            if made:
                await connection.execute(sa.insert(renderings), made)
            # Not later: a listing may be merged into another at any moment, and is then known by another key.
            brought = await Brought.before(connection, issue)
            missed = await Missed.before(connection, issue)
        readers = ReadersAlike(issue, brought, missed, all_differ=all_differ)
        numbered = NumberedChoices(issue.key)
        return _Closing(
            issue=issue, worker=worker, brought=brought, missed=missed, readers=readers, numbered=numbered
        )

    async def _plan(self, closing: _Closing, plan: Plan, now: datetime, *, needs_reader: bool) -> None:
        """Write a delivery for each of the issue's subscribers; who was removed gets none. Then it is closed."""
        most = _WRITERS_OF_POSTGRESQL if self._database.is_postgresql else 1
        writing: set[asyncio.Task[None]] = set()
        try:
            # While pages are written, the next one is planned.
            while (planned := await self._next_page(closing, plan, now)) is not None:
                await _until_at_most(writing, most - 1)
                writing.add(asyncio.create_task(self._write(closing, *planned)))
            await _until_at_most(writing, 0)
        finally:
            for one in writing:
                one.cancel()
            await asyncio.gather(*writing, return_exceptions=True)
        if needs_reader:
            require_reader(closing.issue, closing.reasons)
        was_missed = any(closing.reasons[reason] for reason in REASONS)
        async with self._database.write() as connection:
            await _write_on(connection, closing, closing_by=None, was_missed=was_missed or None)
            await note_closed(connection, self._database.listeners, closing.issue)
            await enqueue(connection, self._database.jobs, closing.issue.key, now=now)

    async def _next_page(self, closing: _Closing, plan: Plan, now: datetime) -> tuple[Page, list[Begun]] | None:
        """Return the next readers and how their deliveries begin; None: there are no more.

        All of it is read from one state of the database. Else the one reader who is planned for a group could have
        left it meanwhile, and all others would get what became of that one.
        """
        size = PAGE_OF_POSTGRESQL if self._database.is_postgresql else PAGE_OF_SQLITE
        async with self._database.read() as connection:
            page = await closing.readers.page(connection, closing.after, size)
            if page is None:
                return None
            closing.after = page.until
            return page, await _planned(connection, closing, page, plan, now)

    async def _write(self, closing: _Closing, page: Page, begin: Sequence[Begun]) -> None:
        """Write the deliveries of a page of readers, and the choices that are new with it."""
        chosen = closing.numbered.take_new()
        async with self._database.write(durable=False) as connection:
            await _require_ours(connection, closing)
            if chosen:
                await run(connection, ADD_CHOICES, chosen=rows(chosen))
            await closing.readers.add(connection, page, begin)
            written = sum(alike.number for _, alike in begin)
            # Not earlier, since nobody else can change the issue's row from here on: neither another page's
            # transaction, nor whoever throws the issue away. These find all of the page, or it is not written.
            await _write_on(connection, closing, delivery_count=issues.c.delivery_count + written)


async def _until_at_most(writing: set[asyncio.Task[None]], number: int) -> None:
    """Wait until no more than a number of tasks are at work; raise what one of them raises."""
    while len(writing) > number:
        done, _ = await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            one.result()
            writing.discard(one)


_NOTHING: frozenset[int] = frozenset()

_READERS = sa.select(subscribers.c.key, SUPPRESSION, *COLUMNS)


def _digest(told_by: str) -> bytes:
    """Return what readers who are alike are remembered by; they may have said much."""
    return blake2b(told_by.encode(), digest_size=16).digest()


async def _planned(
    connection: AsyncConnection, closing: _Closing, page: Page, plan: Plan, now: datetime
) -> list[Begun]:
    """Return how the deliveries of groups of readers begin; those that are not known are planned."""
    known, groups = closing.known, [(_digest(group.told_by), group) for group in page.groups]
    begin = [(known[digest], group) for digest, group in groups if digest in known]
    unknown = [(digest, group) for digest, group in groups if digest not in known]
    for some in in_chunks(unknown, _READ_AT_ONCE):
        readers = await _readers(connection, closing, [group.one for _, group in some])
        for few in in_chunks(some, _IN_A_ROW):
            for digest, group in few:
                begins = _begins(closing, readers[group.one], plan, now)
                begin.append((begins, group))
                if not group.is_one_reader:
                    known[digest] = begins
            await asyncio.sleep(0)
    if len(known) > _GROUPS_KEPT:
        known.clear()
    for begins, group in begin:
        closing.reasons[begins.reason] += group.number
    return begin


async def _readers(connection: AsyncConnection, closing: _Closing, keys: Sequence[int]) -> dict[int, _Reader]:
    """Return what the ledger knows of readers, by their keys."""
    issue = closing.issue
    page = (await connection.execute(_READERS.where(among(connection, subscribers.c.key, keys)))).all()
    known = [(key, subscriber_of(values), suppression) for key, suppression, *values in page]
    getting = {key for key, reader, _ in known if issue.terms.suits(reader.cadence)}
    had = await closing.brought.to(connection, getting)
    missed = await closing.missed.by(connection, getting)
    said = await closing.opinions.of(connection, getting)
    given = {key: reader.examples for key, reader, _ in known if reader.examples and key in getting}
    examples = await closing.examples.of(connection, given) if given else {}
    readers = {}
    for key, reader, suppression in known:
        more: dict[str, Any] = {}
        if key in said or key in examples:
            more["opinions"] = with_examples(said.get(key, ()), examples.get(key, ()))
        if missed.get(key):
            more["missed"] = missed[key]
        informed = replace(reader, **more) if more else reader
        readers[key] = _Reader(informed, suppression, had.get(key, _NOTHING))
    return readers


async def _is_made(connection: AsyncConnection, draft: Draft) -> bool:
    """Return whether the draft's list has a closed issue of its day."""
    same_day = sa.and_(issues.c.list == draft.masthead.list, issues.c.day == draft.day)
    return await connection.scalar(sa.select(issues.c.key).where(same_day, IS_CLOSED)) is not None


async def _add(connection: AsyncConnection, draft: Draft, subject: str, worker: str, now: datetime) -> Issue:
    """Write the issue's own row.

    Raises:
        StaleDraftError: the list has an issue of another day under the draft's number.
    """
    statement = (
        insert(connection, issues)
        .values(
            list=draft.masthead.list,
            day=draft.day,
            number=draft.number,
            subject=subject,
            frozen_at=now,
            terms=draft.terms,
            candidates=draft.candidates,
            closing_by=worker,
            delivery_count=0,
        )
        .on_conflict_do_nothing()
        .returning(issues.c.key)
    )
    key = await connection.scalar(statement)
    if key is None:
        raise StaleDraftError(f"{draft.masthead.list} {draft.day}: issue {draft.number} is of another day")
    return draft.closed(key, subject, now)


async def _add_listings(connection: AsyncConnection, issue: Issue) -> None:
    added: list[dict[str, Any]] = [
        {"issue_key": issue.key, "rank": listing.rank, "listing_key": listing.key, "record": listing}
        for listing in issue.listings
    ]
    if not added:
        return
    try:
        await connection.execute(sa.insert(issue_listings), added)
    except IntegrityError as error:
        raise StaleDraftError(f"{issue.list} {issue.day}: a listing has been merged into another") from error


def _begins(closing: _Closing, reader: _Reader, plan: Plan, now: datetime) -> BeginsAlike:
    """Return how a reader's delivery begins, and those of all who are alike."""
    one = opening(reader.subscriber, reader.suppression, reader.had, plan, now)
    number = None if one.choice is None else closing.numbered.number(one.choice, one.subject)
    return BeginsAlike(number, one.state, one.due_at, one.ready_at, one.reason, one.text, one.updated_at)


async def _require_ours(connection: AsyncConnection, closing: _Closing) -> None:
    """Find out whether this worker still closes an issue.

    Raises:
        StaleDraftError: others took this worker for dead, and have thrown the issue away.
    """
    ours = sa.select(issues.c.key).where(issues.c.key == closing.issue.key, issues.c.closing_by == closing.worker)
    if await connection.scalar(ours) is None:
        raise _thrown_away(closing.issue)


def _thrown_away(issue: Issue) -> StaleDraftError:
    return StaleDraftError(f"{issue.list} {issue.day}: another process has thrown the issue away")


async def _write_on(connection: AsyncConnection, closing: _Closing, **values: Any) -> None:
    """Change the issue's row.

    Raises:
        StaleDraftError: others took this worker for dead, and have thrown the issue away.
    """
    issue = closing.issue
    if not await write_on(connection, issue.key, closing.worker, **values):
        raise _thrown_away(issue)
