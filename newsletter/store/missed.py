"""What readers missed of a list's issues, in SQL; `newsletter.core.missed` says why they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.diff import MAX_CATCH_UP_DAYS
from newsletter.core.halt import Halt
from newsletter.core.issue import Issue
from newsletter.core.missed import Withheld, missed_of
from newsletter.core.newsletter_list import editions_of
from newsletter.core.steps import NOT_BROUGHT, TOO_LATE
from newsletter.store.bulk import among
from newsletter.store.tables import IS_CLOSED, deliveries, issue_listings, issues, subscribers


async def note_other_edition(connection: AsyncConnection, list_name: str, *, now: datetime) -> None:
    """Note that somebody wants the other edition of a list from now on, and missed what came out of it until now.

    The caller updates the reader's own row, too: `Missed` looks only at readers whose rows changed lately.
    """
    since = now.astimezone(UTC).date() - timedelta(days=MAX_CATCH_UP_DAYS)
    of_list = sa.and_(issues.c.list.in_(editions_of(list_name)), issues.c.day >= since, IS_CLOSED)
    not_noted = sa.and_(of_list, issues.c.was_missed.is_not(True))
    await connection.execute(sa.update(issues).where(not_noted).values(was_missed=True))


async def missed(connection: AsyncConnection, list_name: str, keys: Collection[int]) -> frozenset[int]:
    """Return which listings stand in missed issues, as `newsletter.ports.Issues.missed` says."""
    which = sa.select(issues.c.key).where(issues.c.list == list_name, IS_CLOSED, issues.c.was_missed.is_(True))
    query = sa.select(issue_listings.c.listing_key).where(
        issue_listings.c.issue_key.in_(which), among(connection, issue_listings.c.listing_key, keys)
    )
    return frozenset(await connection.scalars(query))


class Missed:
    """Which of an issue's listings that are there again stood in earlier issues, and who missed these.

    Args:
        held: the keys of these listings by issue of the last two weeks, oldest first; of many issues none. The
            list's other edition has none: its issues may make up for what was missed, that is all.
        out: the day of each of these issues, and when it was closed; aware.
        since: when these weeks began; aware.
        by_anybody: whether anybody may have missed one of these issues, as it was cancelled or came too late.
    """

    def __init__(
        self,
        held: Mapping[int, frozenset[int]],
        out: Mapping[int, tuple[date, datetime]],
        since: datetime,
        *,
        by_anybody: bool = False,
    ) -> None:
        self._held, self._out, self._since, self._by_anybody = held, out, since, by_anybody

    @classmethod
    async def before(cls, connection: AsyncConnection, issue: Issue) -> Missed:
        """Return what can be asked about an issue."""
        again = {one.key for one in issue.listings if one.again}
        since = issue.day - timedelta(days=MAX_CATCH_UP_DAYS)
        begins = datetime.combine(since, time(), UTC)
        if not again:
            return cls({}, {}, begins)
        is_own = issues.c.list == issue.list
        theirs = sa.and_(
            issue_listings.c.issue_key == issues.c.key,
            among(connection, issue_listings.c.listing_key, again),
            is_own,
        )
        names = ("key", "day", "frozen_at", "halt", "was_late")
        columns = [*(issues.c[name] for name in names), issue_listings.c.listing_key, is_own.label("is_own")]
        query = (
            sa.select(*columns)
            .select_from(issues.outerjoin(issue_listings, theirs))
            .where(issues.c.list.in_(issue.masthead.editions), issues.c.day.between(since, issue.day), IS_CLOSED)
            .where(sa.or_(issues.c.day < issue.day, sa.not_(is_own)))
            .where(issues.c.candidates > 0)  # a quiet issue brings nothing that one could miss
        )
        held: dict[int, frozenset[int]] = {}
        out: dict[int, tuple[date, datetime]] = {}
        by_anybody = False
        for key, day, closed, halt, was_late, listing, own in await connection.execute(query):
            held[key] = held.get(key, frozenset()) | ({listing} if listing is not None else frozenset())
            out[key] = day, closed
            by_anybody |= own and (halt is Halt.CANCELLED or bool(was_late))
        return cls(held, out, begins, by_anybody=by_anybody)

    def told_by(self, subscriber_key: sa.ColumnElement[int]) -> Sequence[sa.ColumnElement[str]]:
        """Return the expressions for how these issues stand for a subscriber; none if there are no such issues.

        Those for whom they are equal missed the same.
        """
        if not self._held:
            return ()
        is_late = deliveries.c.reason.startswith(TOO_LATE, autoescape=True)
        since_when = sa.case((is_late, sa.cast(deliveries.c.updated_at, sa.Text)), else_="")
        withheld = sa.case((deliveries.c.state.in_(NOT_BROUGHT), deliveries.c.reason + since_when), else_="")
        one = sa.cast(deliveries.c.issue_key, sa.Text) + ":" + withheld
        theirs = sa.select(sa.func.aggregate_strings(one, ",")).where(
            deliveries.c.subscriber_key == subscriber_key, deliveries.c.issue_key.in_(self._held)
        )
        return (sa.case((self._may_have(), theirs.scalar_subquery()), else_=sa.null()),)

    def _may_have(self) -> sa.ColumnElement[bool]:
        """Return whether a subscriber may have missed any of them.

        Of a million readers few have days or pauses, or had some until lately: only theirs are looked up.
        """
        return sa.or_(
            subscribers.c.days.is_not(None),
            subscribers.c.paused_until.is_not(None),
            subscribers.c.updated_at >= self._since,
            sa.literal(self._by_anybody),
        )

    async def by(self, connection: AsyncConnection, readers: Collection[int]) -> dict[int, frozenset[int]]:
        """Return by subscribers' keys the listings of issues that they missed since they last got one."""
        if not self._held or not readers:
            return {}
        named = ("subscriber_key", "issue_key", "state", "reason", "updated_at")
        columns = [deliveries.c[name] for name in named]
        query = (
            sa.select(*columns)
            .join(subscribers, subscribers.c.key == deliveries.c.subscriber_key)
            .where(among(connection, subscribers.c.key, readers), self._may_have())
            .where(deliveries.c.issue_key.in_(self._held))
        )
        theirs = defaultdict[int, list[tuple[date, bool, Withheld]]](list)
        for reader, key, state, reason, changed_at in await connection.execute(query):
            (day, closed_at), was_brought = self._out[key], state not in NOT_BROUGHT
            one = Withheld(key, closed_at, was_brought, reason, changed_at)
            theirs[reader].append((day, was_brought, one))
        return {
            reader: frozenset().union(*(self._held[key] for key in missed_of(one for *_, one in sorted(each))))
            for reader, each in theirs.items()
        }
